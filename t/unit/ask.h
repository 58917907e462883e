
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a count answers, for tests of filters.
 */


#ifndef _ASK_H_INCLUDED_
#define _ASK_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ngx_http_llm_monitor_module/store/llm_query.h"


/* -1: it is refused or unknown, which is told; now is ms since 1970 */

static inline int64_t
ask_count(llm_reader_t *reader, const char *query, int64_t now)
{
    char              *p;
    int64_t            n;
    llm_buf_t          out;
    llm_str_t          s;
    llm_filter_t      *f;
    llm_query_error_t  err;

    n = -1;
    s.data = (const uint8_t *) (*query == '&' ? query + 1 : query);
    s.len = strlen((const char *) s.data);

    if (llm_filter_parse(&f, &s, LLM_FOR_COUNT, now, &err) != LLM_OK) {
        printf("# %s: %s\n", query, err.message);
        return -1;
    }

    llm_buf_init(&out, 4096);

    if (llm_query_count(reader, f, 60000, &out, &err) == LLM_OK) {
        llm_buf_add(&out, "", 1);
        p = strstr((char *) out.data, "\"total\":");
        n = p != NULL && p[8] != 'n' ? strtoll(p + 8, NULL, 10) : -1;
    }

    llm_filter_free(f);
    llm_buf_free(&out);

    return n;
}


#endif /* _ASK_H_INCLUDED_ */
