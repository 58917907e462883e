
/*
 * Copyright (C) llm_monitor contributors
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_decode.h"


#define MAX  (4 * 1024 * 1024)


static void
take(void *data, const uint8_t *p, size_t n)
{
    size_t  *total = data;

    if (n == 0 || n > 16384) {
        abort();
    }

    *total += n + (p[0] & p[n - 1] & 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            rc, before;
    size_t         n, total;
    uint8_t       *piece, step;
    llm_str_t      coding;
    llm_decode_t  *d;

    static const char  *codings[] = {
        "gzip", "deflate", "br", "zstd", "gzip, gzip", "zstd, br",
        "deflate, zstd, gzip, br"
    };

    coding.data = (const uint8_t *) codings[fuzz_option(&data, &size) % 7];
    coding.len = strlen((const char *) coding.data);
    step = fuzz_byte(&data, &size);

    total = 0;
    before = LLM_OK;

    if (llm_decode_create(&d, &coding, MAX, &fuzz_mem, take, &total)
        != LLM_OK)
    {
        return 0;
    }

    while (size) {
        piece = fuzz_piece(&data, &size, step, &n);
        rc = llm_decode(d, piece, n);
        free(piece);

        /* what has ended does not come back */

        if (before != LLM_OK && before != LLM_DECLINED && rc != before) {
            abort();
        }

        before = rc;
    }

    if (total > MAX || (int64_t) total != llm_decode_bytes(d)) {
        abort();
    }

    llm_decode_destroy(d);

    return 0;
}
