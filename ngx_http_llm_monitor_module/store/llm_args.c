
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_args.h"
#include "../record/llm_text.h"


#define LLM_ARGS_NAME   32                /* bytes of a name in a message */


static int llm_args_one(const uint8_t *p, const uint8_t *end, uint8_t **out,
    llm_arg_pt take, void *data, llm_query_error_t *err);
static int llm_args_decode(const uint8_t *p, size_t n, uint8_t **out,
    llm_str_t *s);
static int llm_args_hex(uint8_t c);


int
llm_args_read(const llm_str_t *query, uint8_t **room, llm_arg_pt take,
    void *data, llm_query_error_t *err)
{
    uint8_t        *out;
    const uint8_t  *p, *end, *next;

    *room = NULL;

    if (query->len > LLM_ARGS_MAX) {
        return llm_query_fail(err, 400, "bad_parameter", NULL,
                              "query string is too long");
    }

    /* decoded text is never longer than what it was decoded from */

    *room = malloc(query->len + 1);
    if (*room == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    if (query->len == 0) {
        return LLM_OK;
    }

    out = *room;
    p = query->data;
    end = p + query->len;

    for ( /* void */ ; p < end; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));

        if (next == NULL) {
            next = end;
        }

        if (next != p
            && llm_args_one(p, next, &out, take, data, err) != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_args_one(const uint8_t *p, const uint8_t *end, uint8_t **out,
    llm_arg_pt take, void *data, llm_query_error_t *err)
{
    llm_str_t       name, value;
    const uint8_t  *eq;

    eq = memchr(p, '=', (size_t) (end - p));

    if (eq == NULL) {
        eq = end;
    }

    if (llm_args_decode(p, (size_t) (eq - p), out, &name) != LLM_OK) {
        return llm_query_fail(err, 400, "bad_parameter", NULL,
                              "parameter name is not UTF-8 in URL encoding");
    }

    p = eq < end ? eq + 1 : end;

    if (llm_args_decode(p, (size_t) (end - p), out, &value) != LLM_OK) {
        return llm_args_fail(err, &name,
                             "is not UTF-8 text in URL encoding");
    }

    if (memchr(value.data, '\0', value.len) != NULL) {
        return llm_args_fail(err, &name, "holds a NUL");
    }

    return take(data, &name, &value);
}


static int
llm_args_decode(const uint8_t *p, size_t n, uint8_t **out, llm_str_t *s)
{
    int             hi, lo;
    uint8_t        *d, c;
    const uint8_t  *end;

    d = *out;
    end = p + n;

    while (p < end) {
        c = *p++;

        if (c == '+') {
            c = ' ';

        } else if (c == '%') {

            if (end - p < 2) {
                return LLM_ERROR;
            }

            hi = llm_args_hex(p[0]);
            lo = llm_args_hex(p[1]);

            if (hi == -1 || lo == -1) {
                return LLM_ERROR;
            }

            c = (uint8_t) (hi << 4 | lo);
            p += 2;
        }

        *d++ = c;
    }

    s->data = *out;
    s->len = (size_t) (d - *out);
    *out = d;

    return llm_utf8_valid(s->data, s->len) ? LLM_OK : LLM_ERROR;
}


static int
llm_args_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
llm_args_fail(llm_query_error_t *err, const llm_str_t *name, const char *what)
{
    char    text[LLM_ARGS_NAME + 1];
    size_t  n;

    n = llm_utf8_cut(name->data, name->len, LLM_ARGS_NAME);
    memcpy(text, name->data, n);
    text[n] = '\0';

    return llm_query_fail(err, 400, "bad_parameter", text, "%s %s", text,
                          what);
}
