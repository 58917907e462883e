
/*
 * Copyright (C) llm_monitor contributors
 *
 * gzip is also undone by zlib alone: as far as that got, so did we, and the
 * bytes are the same.
 */


#include <zlib.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_decode.h"


#define MAX  (4 * 1024 * 1024)


typedef struct {
    size_t      total;
    size_t      have;        /* of text, what zlib made: the first bytes */
    uint8_t    *text;
} out_t;


static void
take(void *data, const uint8_t *p, size_t n)
{
    size_t   same;
    out_t   *out = data;

    if (n == 0 || n > 16384) {
        abort();
    }

    if (out->total < out->have) {
        same = out->have - out->total;
        same = same < n ? same : n;

        if (memcmp(out->text + out->total, p, same) != 0) {
            abort();
        }
    }

    out->total += n + (p[0] & p[n - 1] & 0);
}


/* the first member; 1 if it ends well */

static int
naive(const uint8_t *data, size_t size, out_t *out)
{
    int       rc;
    z_stream  z;

    memset(&z, 0, sizeof(z));

    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        abort();
    }

    out->text = malloc(MAX / 4);
    z.next_in = (Bytef *) data;
    z.avail_in = (uInt) size;
    z.next_out = out->text;
    z.avail_out = MAX / 4;

    rc = inflate(&z, Z_NO_FLUSH);
    out->have = (rc == Z_DATA_ERROR) ? 0 : MAX / 4 - z.avail_out;

    inflateEnd(&z);

    return rc == Z_STREAM_END;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            rc, before, whole;
    out_t          out;
    size_t         n;
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

    memset(&out, 0, sizeof(out));
    before = LLM_OK;
    whole = 0;

    if (coding.len == 4 && coding.data[0] == 'g'
        && fuzz_allocs == SIZE_MAX)
    {
        whole = naive(data, size, &out);
    }

    if (llm_decode_create(&d, &coding, MAX, &fuzz_mem, take, &out)
        != LLM_OK)
    {
        free(out.text);
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

    if (out.total > MAX || (int64_t) out.total != llm_decode_bytes(d)
        || (whole && out.total < out.have && before != LLM_FULL))
    {
        abort();
    }

    llm_decode_destroy(d);
    free(out.text);

    return 0;
}
