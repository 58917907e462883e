
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_filter.h"
#include "llm_param.h"
#include "../record/llm_text.h"


#define LLM_FILTER_VERSION   2
#define LLM_FILTER_QUERY     65536        /* bytes of a query string */
#define LLM_FILTER_NULL      UINT32_MAX


static int llm_filter_split(llm_params_t *ps, const llm_str_t *query,
    uint8_t *buf, int what);
static int llm_filter_decode(const uint8_t *p, size_t n, uint8_t **out,
    llm_str_t *s);
static int llm_filter_hex(uint8_t c);
static int llm_filter_check(llm_params_t *ps, int what);
static int llm_filter_flatten(llm_filter_t **filter, const llm_params_t *ps);


int
llm_filter_parse(llm_filter_t **filter, const llm_str_t *query, int what,
    int64_t now_ms, llm_query_error_t *err)
{
    int           rc;
    uint8_t      *buf;
    llm_params_t  ps;

    *filter = NULL;

    if (query->len > LLM_FILTER_QUERY) {
        return llm_query_fail(err, 400, "bad_parameter", NULL,
                              "query string is too long");
    }

    /* decoded text is never longer than what it was decoded from */

    buf = malloc(query->len + 1);
    if (buf == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    llm_params_init(&ps, now_ms, err);

    rc = llm_filter_split(&ps, query, buf, what);

    if (rc == LLM_OK) {
        rc = llm_params_read(&ps);
    }

    if (rc == LLM_OK) {
        rc = llm_filter_check(&ps, what);
    }

    if (rc == LLM_OK) {
        rc = llm_filter_flatten(filter, &ps);
    }

    llm_params_done(&ps);
    free(buf);

    return rc;
}


void
llm_filter_free(llm_filter_t *filter)
{
    free(filter);
}


/* name=value pieces, decoded, each to its parameter */

static int
llm_filter_split(llm_params_t *ps, const llm_str_t *query, uint8_t *buf,
    int what)
{
    llm_str_t       name, value;
    const uint8_t  *p, *end, *next, *eq;

    if (query->len == 0) {
        return LLM_OK;
    }

    p = query->data;
    end = p + query->len;

    for ( /* void */ ; p < end; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));

        if (next == NULL) {
            next = end;
        }

        if (next == p) {
            continue;
        }

        eq = memchr(p, '=', (size_t) (next - p));

        if (eq == NULL) {
            eq = next;
        }

        if (llm_filter_decode(p, (size_t) (eq - p), &buf, &name) != LLM_OK) {
            return llm_query_fail(ps->err, 400, "bad_parameter", NULL,
                                  "parameter name is not UTF-8 in URL "
                                  "encoding");
        }

        p = eq < next ? eq + 1 : next;

        if (llm_filter_decode(p, (size_t) (next - p), &buf, &value)
            != LLM_OK)
        {
            return llm_params_fail(ps, &name,
                                   "is not UTF-8 text in URL encoding");
        }

        if (llm_params_take(ps, &name, &value, what) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_filter_decode(const uint8_t *p, size_t n, uint8_t **out, llm_str_t *s)
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

            hi = llm_filter_hex(p[0]);
            lo = llm_filter_hex(p[1]);

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
llm_filter_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/* what parameters mean together */

static int
llm_filter_check(llm_params_t *ps, int what)
{
    int64_t    *num;
    llm_str_t   name;

    num = ps->num;

    if (num[LLM_F_CURSOR_ID] != LLM_NULL && num[LLM_F_OFFSET] != LLM_NULL) {
        name = (llm_str_t) llm_str("offset");
        return llm_params_fail(ps, &name, "does not go with cursor");
    }

    if (what != LLM_FOR_CLEAR) {
        return LLM_OK;
    }

    name = (llm_str_t) llm_str("all");

    if (num[LLM_F_ALL] != 1 && !llm_params_filtered(ps)) {
        return llm_params_fail(ps, &name, "must be 1 where no filter says "
                                          "what to clear");
    }

    if (num[LLM_F_ALL] == 1 && llm_params_filtered(ps)) {
        return llm_params_fail(ps, &name, "does not go with filters");
    }

    /* the ledger knows sums, not rows: no filter can pick from it */

    if (num[LLM_F_STATS] == 1 && num[LLM_F_ALL] != 1) {
        name = (llm_str_t) llm_str("stats");
        return llm_params_fail(ps, &name, "goes with all=1 only");
    }

    return LLM_OK;
}


static int
llm_filter_flatten(llm_filter_t **filter, const llm_params_t *ps)
{
    int            i;
    size_t         size;
    uint32_t       off;
    llm_filter_t  *f;

    size = sizeof(llm_filter_t);

    for (i = 0; i < LLM_F_STRS; i++) {
        size += ps->str[i].len;
    }

    f = calloc(1, size);
    if (f == NULL) {
        return llm_query_fail(ps->err, 503, "no_memory", NULL, "no memory");
    }

    f->size = (uint32_t) size;
    f->version = LLM_FILTER_VERSION;
    memcpy(f->num, ps->num, sizeof(f->num));

    off = 0;

    for (i = 0; i < LLM_F_STRS; i++) {

        if (ps->str[i].data == NULL) {
            f->str[i].len = LLM_FILTER_NULL;
            continue;
        }

        f->str[i].off = off;
        f->str[i].len = (uint32_t) ps->str[i].len;

        if (ps->str[i].len != 0) {
            memcpy(f->text + off, ps->str[i].data, ps->str[i].len);
        }

        off += f->str[i].len;
    }

    *filter = f;

    return LLM_OK;
}


int
llm_filter_pack(const llm_filter_t *filter, uint8_t *p, size_t cap,
    size_t *len)
{
    if (filter->size > cap) {
        return LLM_FULL;
    }

    memcpy(p, filter, filter->size);
    *len = filter->size;

    return LLM_OK;
}


int
llm_filter_unpack(llm_filter_t **filter, const uint8_t *p, size_t len)
{
    int            i;
    size_t         text;
    llm_filter_t  *f;

    *filter = NULL;

    if (len < sizeof(llm_filter_t) || len > LLM_FILTER_QUERY) {
        return LLM_ERROR;
    }

    f = malloc(len);
    if (f == NULL) {
        return LLM_NOMEM;
    }

    memcpy(f, p, len);

    if (f->size != len || f->version != LLM_FILTER_VERSION) {
        goto failed;
    }

    text = len - sizeof(llm_filter_t);

    for (i = 0; i < LLM_F_STRS; i++) {

        if (f->str[i].len != LLM_FILTER_NULL
            && (f->str[i].off > text
                || f->str[i].len > text - f->str[i].off))
        {
            goto failed;
        }
    }

    *filter = f;

    return LLM_OK;

failed:

    free(f);

    return LLM_ERROR;
}


int
llm_filter_scope(llm_filter_t **filter, llm_scope_e scope,
    const llm_str_t *value)
{
    size_t         size;
    llm_filter_t  *f;

    f = *filter;
    f->num[LLM_F_SCOPE] = scope;

    if (value->len == 0 || value->len > LLM_FILTER_SCOPE_MAX) {
        return LLM_OK;
    }

    size = f->size;

    f = realloc(f, size + value->len);
    if (f == NULL) {
        return LLM_NOMEM;
    }

    memcpy((uint8_t *) f + size, value->data, value->len);

    f->str[LLM_F_SCOPE_VALUE].off = (uint32_t) (size - sizeof(llm_filter_t));
    f->str[LLM_F_SCOPE_VALUE].len = (uint32_t) value->len;
    f->size = (uint32_t) (size + value->len);

    *filter = f;

    return LLM_OK;
}


int
llm_filter_in_scope(const llm_filter_t *f, const llm_record_t *r)
{
    llm_str_t         value;
    const llm_str_t  *own;

    switch (f->num[LLM_F_SCOPE]) {

    case LLM_SCOPE_USER:

        if (r->num[LLM_N_USER_TRUSTED] != 1) {
            return 0;
        }

        own = &r->str[LLM_S_USER];
        break;

    case LLM_SCOPE_ACCOUNT:
        own = &r->str[LLM_S_ACCOUNT];
        break;

    default:
        return 1;
    }

    value = llm_filter_str(f, LLM_F_SCOPE_VALUE);

    return value.data != NULL && own->data != NULL && own->len == value.len
           && memcmp(own->data, value.data, value.len) == 0;
}


llm_str_t
llm_filter_str(const llm_filter_t *f, int n)
{
    llm_str_t  s;

    s.len = 0;
    s.data = NULL;

    if (f->str[n].len != LLM_FILTER_NULL) {
        s.len = f->str[n].len;
        s.data = f->text + f->str[n].off;
    }

    return s;
}


int
llm_filter_empty(const llm_filter_t *f)
{
    int  i;

    for (i = 0; i < LLM_F_CONDITIONS; i++) {
        if (f->num[i] != LLM_NULL) {
            return 0;
        }
    }

    for (i = 0; i < LLM_F_STRS; i++) {
        if (f->str[i].len != LLM_FILTER_NULL) {
            return 0;
        }
    }

    return 1;
}
