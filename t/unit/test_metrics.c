
/*
 * Copyright (C) llm_monitor contributors
 *
 * Metrics: buckets, bounded labels, what an exchange counts as, minutes.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ngx_http_llm_monitor_module/ring/llm_metrics_count.h"
#include "tap.h"


#define MODELS  5000


static llm_metrics_t      *shared;
static llm_metrics_own_t   own[2];
static int                 locked;


static void
lock(void *data)
{
    locked++;
}


static void
unlock(void *data)
{
    locked--;
}


static void count_at(llm_metrics_own_t *o, const char *endpoint,
    const char *model, int64_t status);


static void
buckets(void)
{
    int        i, n, at, wrong;
    int64_t    v;
    uint64_t   words[LLM_B_TTFT + 1];

    static const llm_bounds_t *const  all[] = {
        &llm_bounds_duration, &llm_bounds_ttft, &llm_bounds_tpot,
        &llm_bounds_http, &llm_bounds_bytes, &llm_bounds_otel,
        &llm_bounds_otel_ttft, &llm_bounds_otel_tpot, &llm_bounds_tokens
    };

    wrong = 0;

    for (i = 0; i < 9; i++) {
        for (n = 0; n < 3 * all[i]->n; n++) {
            v = n / 3 < all[i]->n - 1 ? all[i]->le[n / 3] + n % 3 - 1
                                      : INT64_MAX / 2;

            for (at = 0; at < all[i]->n - 1 && all[i]->le[at] < v; at++) {
                /* void */
            }

            memset(words, 0, sizeof(words));

            wrong += llm_metrics_observe(words, all[i], v) != at
                     || words[at] != 1
                     || words[all[i]->n] != (uint64_t) v;
        }

        wrong += llm_metrics_observe(words, all[i], 0) != 0;
    }

    ok(wrong == 0, "a value falls into the first bucket that holds it");
}


static void
count(llm_metrics_own_t *o, const char *model, int64_t status)
{
    count_at(o, "/v1/chat/completions", model, status);
}


static void
count_at(llm_metrics_own_t *o, const char *endpoint, const char *model,
    int64_t status)
{
    llm_record_t          r;
    llm_metrics_facts_t   facts;
    llm_metrics_places_t  places;

    static const uint32_t  roles[LLM_ROLES] = { 2, 1, 3, 0, 0 };

    llm_record_init(&r);
    memset(&facts, 0, sizeof(facts));

    r.num[LLM_N_STATUS] = status;
    r.num[LLM_N_OUTCOME] = status < 400 ? LLM_OUTCOME_SUCCESS
                                        : LLM_OUTCOME_HTTP_ERROR;
    r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OPENAI;
    r.num[LLM_N_OPERATION] = LLM_OPERATION_CHAT;
    r.num[LLM_N_DURATION_US] = 15000;
    r.num[LLM_N_INPUT_TOKENS] = 10;
    r.num[LLM_N_CACHE_READ_TOKENS] = 12;
    r.str[LLM_S_MODEL].data = (const uint8_t *) model;
    r.str[LLM_S_MODEL].len = strlen(model);
    r.str[LLM_S_METHOD] = (llm_str_t) llm_str("POST");
    r.str[LLM_S_ENDPOINT].data = (const uint8_t *) endpoint;
    r.str[LLM_S_ENDPOINT].len = strlen(endpoint);

    facts.upstream = (llm_str_t) llm_str("one");
    facts.upstream_us = 14000;
    facts.second = 600;

    /* more than there are, and one that says nothing */

    r.num[LLM_N_MESSAGES_COUNT] = status == 404 ? 5 : 8;
    facts.roles = status == 403 ? NULL : roles;

    if (status == 404) {
        facts.broken = 1;
        r.str[LLM_S_RESPONSE_TYPE] = (llm_str_t) llm_str("application/json");
    }

    llm_metrics_count(o, &r, &facts, &places);
}


/* the series of a set that have the label, which may be "other" */

static uint64_t
labelled(int set, int kind, const char *text, int word)
{
    uint32_t           i, id;
    uint64_t           sum;
    llm_str_t          s;
    llm_metrics_ids_t  ids;

    s.data = (const uint8_t *) text;
    s.len = strlen(text);
    sum = 0;

    for (i = 0; i < shared->nseries[set]; i++) {
        llm_metrics_ids(shared, set, i, &ids);
        id = kind == LLM_LABEL_MODEL ? ids.model : ids.other;

        if (id == 0 ? strcmp(text, "other") == 0
            : shared->label[id].len == s.len
              && memcmp(shared->label[id].text, text, s.len) == 0)
        {
            sum += llm_metrics_sum(shared, set, i, word);
        }
    }

    return sum;
}


/* names that clients make up leave room for those that there are */

static void
junk(void)
{
    int   i;
    char  name[32];

    for (i = 0; i < 200; i++) {
        (void) snprintf(name, sizeof(name), "/wp-%d.php", i);
        count_at(&own[0], name, "", i % 2 ? 404 : 200);
    }

    count(&own[0], "m", 200);
    count_at(&own[0], "/openai/deployments/{model}/chat/completions", "m", 200);

    ok(labelled(LLM_SET_HTTP, LLM_LABEL_ENDPOINT, "other", LLM_W_HTTP_US + 2)
       == 200
       && labelled(LLM_SET_HTTP, LLM_LABEL_ENDPOINT, "/v1/chat/completions",
                   LLM_W_HTTP_US + 2) == 1
       && labelled(LLM_SET_HTTP, LLM_LABEL_ENDPOINT, "/openai/deployments/"
                   "{model}/chat/completions", LLM_W_HTTP_US + 2) == 1,
       "paths that nobody knows are other");
    ok(llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_OVERFLOW) == 0,
       "and no overflow");

    for (i = 0; i < 200; i++) {
        (void) snprintf(name, sizeof(name), "made-up-%d", i);
        count(&own[0], name, 404);
    }

    count(&own[1], "claude-opus-4", 401);
    count(&own[1], "claude-opus-4", 200);

    ok(labelled(LLM_SET_MODEL, LLM_LABEL_MODEL, "made-up-3",
                LLM_W_DURATION + 1) == 1
       && labelled(LLM_SET_MODEL, LLM_LABEL_MODEL, "claude-opus-4",
                   LLM_W_DURATION + 1) == 1
       && labelled(LLM_SET_MODEL, LLM_LABEL_MODEL, "other",
                   LLM_W_DURATION + 1) > 100,
       "a model that answers has room after names that are made up");
}


/* what says nothing of an upstream, what speaks against it */

static void
verdicts(void)
{
    int                  i, status;
    uint64_t             good, all;
    llm_metrics_ids_t    key;
    llm_metrics_series_t series;

    static const int  said[] = { 401, 403, 404, 400, 422, 429, 529 };

    for (i = 0; i < 7 * 4; i++) {
        count(&own[0], "v", said[i % 7]);
    }

    memset(&key, 0, sizeof(key));
    key.upstream = llm_metrics_label(&own[0], LLM_LABEL_UPSTREAM,
                                     &(llm_str_t) llm_str("one"));
    (void) llm_metrics_find(&own[0], LLM_SET_UPSTREAM, &key, &series);

    llm_metrics_window(shared, series.n, 600, &good, &all);
    ok(good == 0 && all == 0,
       "a client's mistakes and limits say nothing of an upstream");

    for (status = 500; status < 504; status++) {
        count(&own[0], "v", status);
    }

    llm_metrics_window(shared, series.n, 600, &good, &all);
    ok(good == 0 && all == 4, "its errors do");
}


static uint64_t
total(int set, int word)
{
    uint32_t  i;
    uint64_t  sum;

    sum = 0;

    for (i = 0; i < shared->nseries[set]; i++) {
        sum += llm_metrics_sum(shared, set, i, word);
    }

    return sum;
}


/* whatever their upstream */

static uint64_t
others(void)
{
    uint32_t           i;
    uint64_t           sum;
    llm_metrics_ids_t  ids;

    sum = 0;

    for (i = 0; i < shared->nseries[LLM_SET_MODEL]; i++) {
        llm_metrics_ids(shared, LLM_SET_MODEL, i, &ids);

        if (ids.model == 0) {
            sum += llm_metrics_sum(shared, LLM_SET_MODEL, i,
                                   LLM_W_DURATION + 1);
        }
    }

    return sum;
}


static void
counted(void)
{
    int       i;
    char      name[32];
    uint32_t  n, limit;
    uint64_t  good, all;

    for (i = 0; i < 10; i++) {
        count(&own[i & 1], i < 5 ? "a" : "a\"b", i == 7 ? 500 : 200);
    }

    ok(total(LLM_SET_REQUESTS, 0) == 10 && shared->nseries[LLM_SET_MODEL] == 3
       && total(LLM_SET_MODEL, LLM_W_CACHE_READ) == 100
       && total(LLM_SET_MODEL, LLM_W_INPUT) == 0
       && total(LLM_SET_HTTP, LLM_W_HTTP_US + 2) == 10,
       "workers' counts add up");

    llm_metrics_window(shared, 1, 600 + 14 * 60, &good, &all);
    ok(good == 9 && all == 10, "fifteen minutes are one window");

    llm_metrics_window(shared, 1, 600 + 15 * 60, &good, &all);
    ok(all == 0, "what is older is not in it");

    for (i = 0; i < MODELS; i++) {
        (void) snprintf(name, sizeof(name), "m%d", i);
        count(&own[0], name, 200 + i % 600);
    }

    n = llm_metrics_count_series(shared, &limit);

    ok(total(LLM_SET_REQUESTS, 0) == 10 + MODELS
       && total(LLM_SET_MODEL, LLM_W_DURATION + 1) == 10 + MODELS,
       "none is lost past the bounds");
    ok(n <= limit && shared->nseries[LLM_SET_REQUESTS] <= 513
       && shared->nseries[LLM_SET_MODEL] <= 129
       && shared->nstatus <= LLM_METRICS_STATUSES
       && others() >= MODELS - 128
       && llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_OVERFLOW)
          >= MODELS - 128,
       "labels and series are bounded, the rest is other");
    ok(locked == 0, "what was locked was unlocked");
}


/* never more than the request has, whatever its parts are called */

static void
messages(void)
{
    int       i;
    uint64_t  sum[LLM_ROLES];

    count(&own[0], "m", 200);
    count(&own[1], "m", 404);
    count(&own[0], "m", 403);

    for (i = 0; i < LLM_ROLES; i++) {
        sum[i] = llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_ROLES + i);
    }

    ok(sum[LLM_ROLE_USER] == 4 && sum[LLM_ROLE_ASSISTANT] == 2
       && sum[LLM_ROLE_SYSTEM] == 5 && sum[LLM_ROLE_TOOL] == 0
       && sum[LLM_ROLE_OTHER] == 2 + 8
       && llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_ANSWERS) == 1,
       "messages by role");

    ok(llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_BAD_JSON) == 1
       && llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_BAD_EVENT) == 0
       && llm_metrics_sum(shared, LLM_SET_ALL, 0, LLM_W_BAD_CODING) == 0,
       "broken JSON");
}


static void
restart(void)
{
    int  i;

    memset(shared, 0, sizeof(llm_metrics_t));
    llm_metrics_init(shared, 1000, 2);

    for (i = 0; i < 2; i++) {
        own[i].lock = lock;
        own[i].unlock = unlock;
        llm_metrics_join(&own[i], shared, 3 + i);
    }
}


int
main(void)
{
    shared = malloc(sizeof(llm_metrics_t));

    if (shared == NULL) {
        return 1;
    }

    restart();
    buckets();
    counted();
    restart();
    messages();
    restart();
    verdicts();
    restart();
    junk();

    free(shared);

    return done_testing();
}
