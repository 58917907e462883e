
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "llm_query.h"
#include "../record/llm_json_write.h"


int
llm_query_fail(llm_query_error_t *err, int status, const char *code,
    const char *parameter, const char *fmt, ...)
{
    va_list  args;

    memset(err, 0, sizeof(llm_query_error_t));
    err->status = status;

    snprintf(err->code, sizeof(err->code), "%s", code);

    if (parameter != NULL) {
        snprintf(err->parameter, sizeof(err->parameter), "%s", parameter);
    }

    va_start(args, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, args);
    va_end(args);

    return LLM_ERROR;
}


void
llm_query_error_json(const llm_query_error_t *err, llm_buf_t *out)
{
    llm_json_t  j;

    llm_json_init(&j, out);

    llm_json_open_object(&j);
    llm_json_key(&j, "error");

    llm_json_open_object(&j);
    llm_json_key(&j, "code");
    llm_json_text(&j, err->code);
    llm_json_key(&j, "message");
    llm_json_text(&j, err->message);

    if (err->parameter[0] != '\0') {
        llm_json_key(&j, "parameter");
        llm_json_text(&j, err->parameter);
    }

    llm_json_close_object(&j);
    llm_json_close_object(&j);
}
