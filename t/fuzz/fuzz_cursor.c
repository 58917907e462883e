
/*
 * Copyright (C) llm_monitor contributors
 *
 * A cursor brings back the place that it was made of; one that was tampered
 * with, or is for another order, is refused.
 */


#include <stdio.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/store/llm_filter.h"


static const char  *sorts[] = {
    "timestamp", "duration_ms", "ttft_ms", "total_tokens", "cost_usd",
    "status"
};


static llm_filter_t *
parse(int sort, int ascending, const char *cursor)
{
    char               text[256];
    llm_str_t          query;
    llm_filter_t      *f;
    llm_query_error_t  err;

    query.data = (const uint8_t *) text;
    query.len = (size_t) snprintf(text, sizeof(text),
                                  "sort=%s&order=%s%s%s", sorts[sort],
                                  ascending ? "asc" : "desc",
                                  cursor ? "&cursor=" : "",
                                  cursor ? cursor : "");

    return llm_filter_parse(&f, &query, LLM_FOR_LIST, 1795249800250, &err)
           == LLM_OK ? f : NULL;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           cursor[LLM_FILTER_CURSOR + 1];
    uint8_t        sort, other, where, digit;
    int64_t        place[2];
    llm_filter_t  *f;

    sort = fuzz_byte(&data, &size);
    other = fuzz_byte(&data, &size);
    where = fuzz_byte(&data, &size) % LLM_FILTER_CURSOR;
    digit = fuzz_byte(&data, &size) & 15;

    if (size < sizeof(place)) {
        return 0;
    }

    memcpy(place, data, sizeof(place));

    f = parse(sort % 6, sort >> 7, NULL);

    if (f == NULL) {
        abort();
    }

    llm_filter_cursor(f, LLM_FOR_LIST, place[0], place[1], cursor);
    llm_filter_free(f);

    f = parse(sort % 6, sort >> 7, cursor);

    if (f == NULL || f->num[LLM_F_CURSOR_VALUE] != place[0]
        || f->num[LLM_F_CURSOR_ID] != place[1])
    {
        abort();
    }

    llm_filter_free(f);

    if (other % 6 != sort % 6 || other >> 7 != sort >> 7) {

        if (parse(other % 6, other >> 7, cursor) != NULL) {
            abort();
        }
    }

    if (cursor[where] != "0123456789abcdef"[digit]) {
        cursor[where] = "0123456789abcdef"[digit];

        if (parse(sort % 6, sort >> 7, cursor) != NULL) {
            abort();
        }
    }

    return 0;
}
