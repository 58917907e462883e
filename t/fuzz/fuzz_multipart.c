
/*
 * Copyright (C) llm_monitor contributors
 *
 * The first line is the Content-Type, what follows the body.  What is said of
 * the parts does not depend on the pieces.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_multipart.h"


/* Appends what is known of the form. */

static void
run(const llm_str_t *type, const uint8_t *data, size_t size, uint8_t step,
    llm_buf_t *out)
{
    size_t            n;
    uint8_t          *piece;
    llm_str_t         model;
    llm_multipart_t  *m;

    if (llm_multipart_create(&m, type, &fuzz_mem) != LLM_OK) {
        return;
    }

    while (size) {
        piece = fuzz_piece(&data, &size, step, &n);
        llm_multipart_feed(m, piece, n);
        free(piece);
    }

    llm_multipart_summary(m, out);

    if (out->failed != LLM_OK || out->data[out->len - 1] != '}') {
        abort();
    }

    model = llm_multipart_value(m, "model");

    if (model.len != 0) {
        llm_buf_add(out, model.data, model.len);
    }

    llm_multipart_destroy(m);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             limited;
    size_t          n;
    uint8_t        *head, step;
    llm_buf_t       whole, parts;
    llm_str_t       type;
    const uint8_t  *end;

    (void) fuzz_option(&data, &size);
    step = fuzz_byte(&data, &size);
    limited = fuzz_allocs != SIZE_MAX;

    end = memchr(data, '\n', size);
    n = (end == NULL) ? size : (size_t) (end - data);

    head = malloc(n + !n);
    memcpy(head, data, n);

    type.data = head;
    type.len = n;

    data += n;
    size -= n;

    if (size) {
        data++;
        size--;
    }

    llm_buf_init(&whole, 1048576);
    llm_buf_init(&parts, 1048576);

    run(&type, data, size, step, &parts);

    if (!limited) {
        run(&type, data, size, 0, &whole);

        if (whole.len != parts.len
            || (whole.len && memcmp(whole.data, parts.data, whole.len) != 0))
        {
            abort();
        }
    }

    llm_buf_free(&whole);
    llm_buf_free(&parts);
    free(head);

    return 0;
}
