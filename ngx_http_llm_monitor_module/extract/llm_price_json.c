
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>

#include "llm_json.h"
#include "llm_price_json.h"
#include "llm_value.h"


static size_t llm_price_json_line(const llm_price_json_t *j,
    const uint8_t *at);


int
llm_price_json_open(llm_price_json_t *j, char kind, llm_str_t *value)
{
    int        rc;
    size_t     at;
    llm_str_t  text;

    at = 0;
    rc = llm_json_check(j->text.data, j->text.len, &j->table->own, &at);

    if (rc == LLM_NOMEM) {
        return llm_price_fail(j->err, 0, "no memory");
    }

    if (rc != LLM_OK) {
        return llm_price_fail(j->err,
                              llm_price_json_line(j, j->text.data + at),
                              "is no JSON, or is nested too deeply");
    }

    text = j->text;

    if (!llm_pull_value(&text, value) || !llm_price_json_is(value, kind)) {
        return llm_price_fail(j->err, 1, "is neither a list of providers nor "
                              "an object of models");
    }

    return LLM_OK;
}


int
llm_price_json_get(llm_price_json_t *j, const llm_str_t *object,
    const char *name, char kind, llm_str_t *value)
{
    if (!llm_pull_get(object, name, value)) {
        return LLM_DECLINED;
    }

    if (llm_price_json_is(value, kind)) {
        return LLM_OK;
    }

    return llm_price_json_fail(j, value, name,
                               kind == '{' ? "must be an object"
                               : kind == '[' ? "must be an array"
                               : kind == '"' ? "must be a string"
                               : "must be a number");
}


int
llm_price_json_is(const llm_str_t *value, char kind)
{
    if (kind != '0') {
        return llm_pull_is(value, kind);
    }

    return value->len != 0
           && (value->data[0] == '-'
               || (value->data[0] >= '0' && value->data[0] <= '9'));
}


int
llm_price_json_text(llm_price_json_t *j, const llm_str_t *value,
    const char *name, uint8_t *buf, llm_str_t *text)
{
    if (!llm_pull_is(value, '"')) {
        return llm_price_json_fail(j, value, name, "must be a string");
    }

    if (value->len < 3 || value->len - 2 > LLM_PRICE_STRING) {
        return llm_price_json_fail(j, value, name,
                                   "must be a string of 1 to 512 bytes");
    }

    text->data = buf;
    text->len = llm_value_string(buf, value->data + 1, value->len - 2);

    return LLM_OK;
}


int
llm_price_json_fail(llm_price_json_t *j, const llm_str_t *at,
    const char *name, const char *what)
{
    int         n;
    char       *p;
    size_t      left;
    llm_str_t  *id;

    p = j->err->text;
    left = sizeof(j->err->text);

    j->err->line = llm_price_json_line(j, at->data);

    if (j->provider != NULL) {
        id = &j->provider->id;
        n = snprintf(p, left, "provider \"%.*s\": ",
                     (int) (id->len < 40 ? id->len : 40), id->data);
        p += n;
        left -= n;
    }

    if (j->model != NULL) {
        id = &j->model->id;
        n = snprintf(p, left, "model \"%.*s\": ",
                     (int) (id->len < 60 ? id->len : 60), id->data);
        p += n;
        left -= n;
    }

    if (name != NULL) {
        (void) snprintf(p, left, "\"%.60s\" %s", name, what);

    } else {
        (void) snprintf(p, left, "%s", what);
    }

    return LLM_ERROR;
}


int
llm_price_json_full(llm_price_json_t *j, const llm_str_t *at,
    const char *name, const char *error)
{
    char  what[LLM_REGEX_ERROR + 64];

    if (error != NULL && error[0] != '\0') {
        (void) snprintf(what, sizeof(what), "is a broken expression: %s",
                        error);
        return llm_price_json_fail(j, at, name, what);
    }

    return llm_price_json_fail(j, at, name,
                               "is one too many, or there is no memory");
}


static size_t
llm_price_json_line(const llm_price_json_t *j, const uint8_t *at)
{
    size_t          line;
    const uint8_t  *p;

    line = 1;

    for (p = j->text.data; p < at; p++) {
        line += (*p == '\n');
    }

    return line;
}
