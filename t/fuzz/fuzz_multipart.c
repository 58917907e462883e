
/*
 * Copyright (C) llm_monitor contributors
 *
 * The first line is the Content-Type, what follows the body.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_multipart.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            n;
    uint8_t          *piece, *head, step;
    llm_buf_t         out;
    llm_str_t         type;
    const uint8_t    *end;
    llm_multipart_t  *m;

    (void) fuzz_option(&data, &size);
    step = fuzz_byte(&data, &size);

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

    if (llm_multipart_create(&m, &type, &fuzz_mem) == LLM_OK) {

        while (size) {
            piece = fuzz_piece(&data, &size, step, &n);
            llm_multipart_feed(m, piece, n);
            free(piece);
        }

        llm_buf_init(&out, 1048576);
        llm_multipart_summary(m, &out);

        if (out.failed != LLM_OK || out.data[out.len - 1] != '}') {
            abort();
        }

        (void) llm_multipart_value(m, "model");

        llm_buf_free(&out);
        llm_multipart_destroy(m);
    }

    free(head);

    return 0;
}
