
/*
 * Copyright (C) llm_monitor contributors
 *
 * However it is cut, the same input gives the same output.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_redact.h"


typedef struct {
    uint8_t   *data;
    size_t     len;
} out_t;


static void
take(void *data, const uint8_t *p, size_t n)
{
    out_t  *out = data;

    if (n == 0) {
        abort();
    }

    memcpy(out->data + out->len, p, n);
    out->len += n;
}


static void
run(const uint8_t *data, size_t size, uint8_t step, out_t *out)
{
    size_t         n;
    uint8_t       *piece;
    llm_redact_t  *rd;

    static const llm_str_t  names[] = { llm_str("k"), llm_str("a/") };

    out->data = malloc(size * 4 + 8);
    out->len = 0;

    if (llm_redact_create(&rd, names, 2, &fuzz_mem, take, out) != LLM_OK) {
        return;
    }

    while (size) {
        piece = fuzz_piece(&data, &size, step, &n);
        llm_redact_feed(rd, piece, n, size == 0);
        free(piece);
    }

    llm_redact_destroy(rd);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    out_t    whole, parts;
    uint8_t  step;

    fuzz_allocs = SIZE_MAX;
    step = fuzz_byte(&data, &size);

    run(data, size, 0, &whole);
    run(data, size, step, &parts);

    if (whole.len != parts.len
        || memcmp(whole.data, parts.data, whole.len) != 0)
    {
        abort();
    }

    free(whole.data);
    free(parts.data);

    return 0;
}
