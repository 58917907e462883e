
/*
 * Copyright (C) llm_monitor contributors
 *
 * Whatever a stored answer is, what is rebuilt of it is JSON, as another
 * library sees it.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_json.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_message.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, at;
    uint8_t    *body, option;
    llm_buf_t   out;
    llm_str_t   type;

    static const char  *types[] = {
        "", "application/json", "text/event-stream", "application/x-ndjson",
        "application/vnd.amazon.eventstream"
    };

    option = fuzz_byte(&data, &size);

    type.data = (const uint8_t *) types[(option >> 3) % 5];
    type.len = strlen((const char *) type.data);

    body = fuzz_piece(&data, &size, 0, &n);

    llm_buf_init(&out, 1024 * 1024);

    fuzz_allocs = SIZE_MAX;

    if (llm_message_build(option & 7, &type, body, n, &out) == LLM_OK
        && llm_json_check(out.data, out.len, &fuzz_mem, &at) != LLM_OK)
    {
        abort();
    }

    llm_buf_free(&out);
    free(body);

    return 0;
}
