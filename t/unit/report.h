
/*
 * Copyright (C) llm_monitor contributors
 *
 * Questions to the ledger of a test, and the numbers in their answers.
 */


#ifndef _REPORT_H_INCLUDED_
#define _REPORT_H_INCLUDED_


#include "ledger.h"
#include "../../ngx_http_llm_monitor_module/store/llm_report_parts.h"


static llm_reader_t  *reader;
static llm_buf_t      answer;
static const char    *whose;            /* the user of the scope, or NULL */
static int64_t        budget = 5000;    /* ms */


/* The answer, or the code and parameter of the refusal, with a NUL. */

static const char *
ask(int what, const char *query, int64_t now)
{
    int                rc;
    llm_str_t          q;
    llm_report_t      *r;
    llm_query_error_t  err;

    static char  text[512];

    q.data = (const uint8_t *) query;
    q.len = strlen(query);

    llm_buf_free(&answer);
    llm_buf_init(&answer, 16 * 1024 * 1024);

    rc = llm_report_parse(&r, &q, what, now, &err);

    if (rc == LLM_OK) {

        if (whose != NULL) {
            q.data = (const uint8_t *) whose;
            q.len = strlen(whose);
            rc = llm_report_scope(r, LLM_SCOPE_USER, &q, &err);
        }

        if (rc == LLM_OK) {
            rc = llm_report_run(reader, r, budget, &answer, &err);
        }

        llm_report_free(r);
    }

    if (rc != LLM_OK) {
        snprintf(text, sizeof(text), "%d %s %s: %s", err.status, err.code,
                 err.parameter, err.message);
        return text;
    }

    llm_buf_add(&answer, "", 1);

    return (const char *) answer.data;
}


/* The number after a path of names, each looked for from the one before. */

static int64_t
number(const char *json, const char *a, const char *b)
{
    char  name[64];

    snprintf(name, sizeof(name), "\"%s\":", a);
    json = strstr(json, name);

    if (json != NULL && b != NULL) {
        snprintf(name, sizeof(name), "\"%s\":", b);
        json = strstr(json, name);
    }

    return json != NULL ? atoll(json + strlen(name)) : -1;
}


static size_t
numbers(const char *json, const char *before, int64_t *v)
{
    char    *end;
    size_t   n;

    json = strstr(json, before);

    if (json == NULL) {
        return 0;
    }

    json += strlen(before);

    for (n = 0; *json != ']' && n < 2000; n++) {
        v[n] = strtoll(json, &end, 10);
        json = *end == ',' ? end + 1 : end;
    }

    return n;
}


#endif /* _REPORT_H_INCLUDED_ */
