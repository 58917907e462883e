
/*
 * Copyright (C) llm_monitor contributors
 *
 * Exchanges repeat themselves: which series one counts in is remembered by the
 * texts and numbers that said so, for they stay the same for ever.
 */


#include <string.h>

#include "../extract/llm_route.h"
#include "llm_metrics_parts.h"


/* texts of an exchange */

enum {
    LLM_MEMO_UPSTREAM = 0, LLM_MEMO_MODEL, LLM_MEMO_ENDPOINT,
    LLM_MEMO_PROVIDER
};


static int llm_metrics_memo_is(const llm_metrics_memo_t *memo,
    const llm_record_t *r, const llm_str_t **texts);
static int llm_metrics_same(const char *p, const uint8_t *q, size_t n);
static void llm_metrics_memo_keep(llm_metrics_memo_t *memo,
    const llm_record_t *r, const llm_str_t **texts);
static int llm_metrics_resolve(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_str_t **texts, llm_metrics_memo_t *memo);
static int llm_metrics_text(llm_metrics_own_t *own, int kind,
    const llm_str_t *s, int none);
static int llm_metrics_asked(llm_metrics_own_t *own, int kind,
    const llm_record_t *r, const llm_str_t *s, int none);
static int llm_metrics_requests(llm_metrics_own_t *own,
    const llm_metrics_ids_t *ids, llm_metrics_series_t *series);
static int llm_metrics_method(const llm_str_t *s);


const llm_metrics_memo_t *
llm_metrics_memo(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts, llm_metrics_memo_t *room)
{
    size_t               n;
    const llm_str_t     *texts[LLM_METRICS_MEMO_TEXTS];
    llm_metrics_memo_t  *memo;

    texts[LLM_MEMO_UPSTREAM] = &facts->upstream;
    texts[LLM_MEMO_MODEL] = &r->str[LLM_S_MODEL];
    texts[LLM_MEMO_ENDPOINT] = &r->str[LLM_S_ENDPOINT];
    texts[LLM_MEMO_PROVIDER] = &facts->provider;

    n = texts[LLM_MEMO_MODEL]->len;

    if (n > 0) {
        n += 7 * texts[LLM_MEMO_MODEL]->data[n - 1];
    }

    n += (size_t) r->num[LLM_N_STATUS] + texts[LLM_MEMO_ENDPOINT]->len;

    memo = &own->memo[n % LLM_METRICS_MEMOS];

    if (llm_metrics_memo_is(memo, r, texts)) {
        return memo;
    }

    /* what counts as other does so each time */

    if (llm_metrics_resolve(own, r, texts, room)) {
        *memo = *room;
        llm_metrics_memo_keep(memo, r, texts);
    }

    return room;
}


static int
llm_metrics_memo_is(const llm_metrics_memo_t *memo, const llm_record_t *r,
    const llm_str_t **texts)
{
    int  i;

    if (memo->status != r->num[LLM_N_STATUS]
        || memo->operation != r->num[LLM_N_OPERATION]
        || memo->protocol != r->num[LLM_N_PROTOCOL]
        || memo->method != llm_metrics_method(&r->str[LLM_S_METHOD])
        || !memo->used)
    {
        return 0;
    }

    for (i = 0; i < LLM_METRICS_MEMO_TEXTS; i++) {

        if (memo->len[i] != texts[i]->len
            || !llm_metrics_same(memo->text[i], texts[i]->data,
                                 texts[i]->len))
        {
            return 0;
        }
    }

    return 1;
}


/* short texts, for which a call of memcmp() costs more than they */

static int
llm_metrics_same(const char *p, const uint8_t *q, size_t n)
{
    size_t    i;
    uint64_t  one, two;

    if (n < 8) {

        for (i = 0; i < n; i++) {
            if ((uint8_t) p[i] != q[i]) {
                return 0;
            }
        }

        return 1;
    }

    for (i = 0; i + 8 < n; i += 8) {
        memcpy(&one, p + i, 8);
        memcpy(&two, q + i, 8);

        if (one != two) {
            return 0;
        }
    }

    /* the end, with some of what was looked at */

    memcpy(&one, p + n - 8, 8);
    memcpy(&two, q + n - 8, 8);

    return one == two;
}


static void
llm_metrics_memo_keep(llm_metrics_memo_t *memo, const llm_record_t *r,
    const llm_str_t **texts)
{
    int  i;

    memo->used = 0;

    for (i = 0; i < LLM_METRICS_MEMO_TEXTS; i++) {

        if (texts[i]->len > LLM_METRICS_TEXT) {
            return;
        }

        memo->len[i] = texts[i]->len;

        if (texts[i]->len != 0) {
            memcpy(memo->text[i], texts[i]->data, texts[i]->len);
        }
    }

    memo->status = r->num[LLM_N_STATUS];
    memo->operation = r->num[LLM_N_OPERATION];
    memo->protocol = r->num[LLM_N_PROTOCOL];
    memo->method = llm_metrics_method(&r->str[LLM_S_METHOD]);
    memo->used = 1;
}


/* 0: it counts as other somewhere. */

static int
llm_metrics_resolve(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_str_t **texts, llm_metrics_memo_t *memo)
{
    int                 whole, known;
    int64_t             protocol;
    llm_metrics_t      *m;
    llm_metrics_ids_t   key, *ids;

    m = own->shared;
    ids = &memo->ids;

    memset(ids, 0, sizeof(llm_metrics_ids_t));

    ids->upstream = llm_metrics_text(own, LLM_LABEL_UPSTREAM,
                                     texts[LLM_MEMO_UPSTREAM], m->none[0]);
    ids->model = llm_metrics_asked(own, LLM_LABEL_MODEL, r,
                                   texts[LLM_MEMO_MODEL], m->none[1]);

    known = llm_route_known(texts[LLM_MEMO_ENDPOINT]);

    if (known) {
        ids->other = llm_metrics_asked(own, LLM_LABEL_ENDPOINT, r,
                                       texts[LLM_MEMO_ENDPOINT], 0);
    }

    protocol = r->num[LLM_N_PROTOCOL];
    ids->provider = llm_metrics_text(own, LLM_LABEL_PROVIDER,
                           texts[LLM_MEMO_PROVIDER],
                           protocol > 0 && protocol <= LLM_PROTOCOL_BEDROCK
                           ? m->provider[protocol] : 0);

    ids->status = llm_metrics_status(own, r->num[LLM_N_STATUS]);
    ids->kind = r->num[LLM_N_OPERATION] > 0 ? r->num[LLM_N_OPERATION] : 0;

    whole = ids->upstream != 0 && ids->model != 0
            && (ids->other != 0 || !known)
            && (ids->provider != 0 || texts[LLM_MEMO_PROVIDER]->len == 0);

    if (!whole) {
        llm_metrics_overflow(own);
    }

    whole &= llm_metrics_requests(own, ids, &memo->requests);

    memset(&key, 0, sizeof(llm_metrics_ids_t));
    key.upstream = ids->upstream;
    whole &= llm_metrics_find(own, LLM_SET_UPSTREAM, &key, &memo->upstream)
             != LLM_FULL;

    key.provider = ids->provider;
    key.model = ids->model;
    whole &= llm_metrics_find(own, LLM_SET_MODEL, &key, &memo->model)
             != LLM_FULL;

    memset(&key, 0, sizeof(llm_metrics_ids_t));
    key.other = ids->other;
    key.kind = llm_metrics_method(&r->str[LLM_S_METHOD]);
    whole &= llm_metrics_find(own, LLM_SET_HTTP, &key, &memo->http)
             != LLM_FULL;

    return whole;
}


static int
llm_metrics_text(llm_metrics_own_t *own, int kind, const llm_str_t *s,
    int none)
{
    return s->len != 0 ? llm_metrics_label(own, kind, s) : none;
}


/*
 * What clients say: any name may be made up.  Those that nothing has come of
 * leave room for those that something has.
 */

static int
llm_metrics_asked(llm_metrics_own_t *own, int kind, const llm_record_t *r,
    const llm_str_t *s, int none)
{
    if (s->len == 0) {
        return none;
    }

    return llm_record_verdict(r->num[LLM_N_STATUS], r->num[LLM_N_OUTCOME])
           == LLM_VERDICT_SUCCESS
           ? llm_metrics_label(own, kind, s)
           : llm_metrics_label_half(own, kind, s);
}


/* The first error counts from 0 on, or a rate would not see it. */

static int
llm_metrics_requests(llm_metrics_own_t *own, const llm_metrics_ids_t *ids,
    llm_metrics_series_t *series)
{
    int                   i, rc;
    llm_metrics_ids_t     key;
    llm_metrics_series_t  other;

    static const int  first[] = { 200, 500 };

    key = *ids;
    key.other = 0;

    rc = llm_metrics_find(own, LLM_SET_REQUESTS, &key, series);

    for (i = 0; rc == LLM_DECLINED && i < 2; i++) {
        key.status = llm_metrics_status(own, first[i]);
        (void) llm_metrics_find(own, LLM_SET_REQUESTS, &key, &other);
    }

    return rc != LLM_FULL;
}


/* In the order of the names that are shown; 0: another one. */

static int
llm_metrics_method(const llm_str_t *s)
{
    switch (s->len) {

    case 3:
        return memcmp(s->data, "GET", 3) == 0 ? 1
               : memcmp(s->data, "PUT", 3) == 0 ? 4 : 0;

    case 4:
        return memcmp(s->data, "POST", 4) == 0 ? 3
               : memcmp(s->data, "HEAD", 4) == 0 ? 2 : 0;

    case 5:
        return memcmp(s->data, "PATCH", 5) == 0 ? 6 : 0;

    case 6:
        return memcmp(s->data, "DELETE", 6) == 0 ? 5 : 0;

    case 7:
        return memcmp(s->data, "OPTIONS", 7) == 0 ? 7 : 0;

    default:
        return 0;
    }
}
