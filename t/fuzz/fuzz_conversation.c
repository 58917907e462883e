
/*
 * Copyright (C) llm_monitor contributors
 *
 * Whatever a stored request is, what is read out of it is JSON, as another
 * library sees it, and no more messages than were counted.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_conversation.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_json.h"


static size_t
told(const llm_str_t *body, size_t skip)
{
    size_t      at, n, i;
    llm_buf_t   out;
    llm_json_t  j;

    static const char  log[] = "{\"log\":";

    llm_buf_init(&out, 64 * 1024 * 1024);
    llm_json_init(&j, &out);
    llm_json_open_array(&j);

    if (llm_conversation_request(body, skip, "1", &j) != LLM_OK) {
        abort();
    }

    llm_json_close_array(&j);

    fuzz_allocs = SIZE_MAX;

    if (out.failed != LLM_OK
        || llm_json_check(out.data, out.len, &fuzz_mem, &at) != LLM_OK)
    {
        abort();
    }

    /* a quote of what was said is escaped */

    n = 0;

    for (i = 0; i + sizeof(log) <= out.len; i++) {
        n += memcmp(out.data + i, log, sizeof(log) - 1) == 0;
    }

    llm_buf_free(&out);

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, all, skip;
    uint8_t    *piece;
    llm_str_t   body;

    skip = fuzz_byte(&data, &size) & 3;
    piece = fuzz_piece(&data, &size, 0, &n);

    body.data = piece;
    body.len = n;

    all = llm_conversation_count(&body);

    if (all > LLM_CONVERSATION_MAX) {
        all = LLM_CONVERSATION_MAX;
    }

    if (told(&body, skip) > all) {
        abort();
    }

    free(piece);

    return 0;
}
