
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_args.h"
#include "llm_filter.h"
#include "llm_param.h"
#include "../record/llm_text.h"


#define LLM_FILTER_VERSION   2
#define LLM_FILTER_NULL      UINT32_MAX

#define LLM_FILTER_DIGITS      16         /* of whose a session is */
#define LLM_FILTER_DIGITS_MIN  4


/* the parameters of a call, llm_query_for_e */

typedef struct {
    llm_params_t  *ps;
    int            what;
} llm_filter_call_t;


static int llm_filter_take(void *data, const llm_str_t *name,
    const llm_str_t *value);
static int llm_filter_check(llm_params_t *ps, int what);
static int llm_filter_flatten(llm_filter_t **filter, const llm_params_t *ps);


int
llm_filter_parse(llm_filter_t **filter, const llm_str_t *query, int what,
    int64_t now_ms, llm_query_error_t *err)
{
    int                rc;
    uint8_t           *room;
    llm_params_t       ps;
    llm_filter_call_t  call;

    *filter = NULL;

    llm_params_init(&ps, now_ms, err);

    call.ps = &ps;
    call.what = what;

    rc = llm_args_read(query, &room, llm_filter_take, &call, err);

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
    free(room);

    return rc;
}


void
llm_filter_free(llm_filter_t *filter)
{
    free(filter);
}


static int
llm_filter_take(void *data, const llm_str_t *name, const llm_str_t *value)
{
    llm_filter_call_t *call = data;

    return llm_params_take(call->ps, name, value, call->what);
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

    if (num[LLM_F_CURSOR_ID] != LLM_NULL
        && ps->pages != llm_filter_pages(what, llm_params_filtered(ps)))
    {
        name = (llm_str_t) llm_str("cursor");
        return llm_params_fail(ps, &name, "is of other pages");
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

    if (len < sizeof(llm_filter_t) || len > LLM_ARGS_MAX) {
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


/* sessions have another order where there are filters, rows have not */

uint8_t
llm_filter_pages(int what, int narrow)
{
    return (uint8_t) (what << 1 | (what == LLM_FOR_SESSIONS && narrow));
}


int
llm_filter_session(const llm_str_t *id, llm_str_t *name, uint64_t *key)
{
    int     bits;
    size_t  n;

    *name = *id;
    *key = 0;

    for (n = 0; n < id->len && n <= LLM_FILTER_DIGITS; n++) {

        if (id->data[id->len - 1 - n] == '~') {
            break;
        }
    }

    if (n < LLM_FILTER_DIGITS_MIN || n > LLM_FILTER_DIGITS || n >= id->len
        || llm_text_unhex(id->data + id->len - n, n, key) != LLM_OK)
    {
        return 0;
    }

    bits = 4 * (int) n;

    name->len = id->len - 1 - n;
    *key <<= 64 - bits;

    return bits;
}


int
llm_filter_empty(const llm_filter_t *f)
{
    return f->num[LLM_F_SCOPE] == LLM_NULL && !llm_filter_narrow(f);
}


int
llm_filter_narrow(const llm_filter_t *f)
{
    int  i;

    for (i = 0; i < LLM_F_CONDITIONS; i++) {
        if (i != LLM_F_SCOPE && f->num[i] != LLM_NULL) {
            return 1;
        }
    }

    for (i = 0; i < LLM_F_TEXTS; i++) {
        if (i != LLM_F_SCOPE_VALUE && f->str[i].len != LLM_FILTER_NULL) {
            return 1;
        }
    }

    return 0;
}
