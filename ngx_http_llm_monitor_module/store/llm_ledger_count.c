
/*
 * Copyright (C) llm_monitor contributors
 *
 * Which cells a record is counted in, and what it adds to them.
 */


#include <string.h>

#include "llm_ledger.h"


/* one value: sums of a year of them fit into 64 bits */
#define LLM_LEDGER_VALUE_MAX  1000000000000000LL


typedef int (*llm_ledger_add_pt)(llm_ledger_t *l, int table,
    const int64_t *key, const llm_ledger_add_t *add);

typedef struct {
    llm_ledger_add_pt  cell;
    int64_t            ms;
    int64_t            status;
    int64_t            value[LLM_SERIES_COUNT];    /* by llm_series_e */
    llm_ledger_add_t   add;
} llm_ledger_facts_t;


static void llm_ledger_facts(llm_ledger_facts_t *f, const llm_record_t *r,
    const llm_ledger_ids_t *ids);
static int llm_ledger_service(llm_ledger_t *l, const llm_ledger_facts_t *f,
    const llm_record_t *r);
static int llm_ledger_who(llm_ledger_t *l, const llm_ledger_facts_t *f);
static int llm_ledger_series(llm_ledger_t *l, const llm_ledger_facts_t *f);
static int llm_ledger_health(llm_ledger_t *l, const llm_ledger_facts_t *f);
static int64_t llm_ledger_value(int64_t v);


int
llm_ledger_count(llm_ledger_t *l, const llm_record_t *r,
    const llm_ledger_ids_t *ids)
{
    llm_ledger_facts_t  f;

    llm_ledger_facts(&f, r, ids);

    f.cell = llm_ledger_expect;

    (void) llm_ledger_service(l, &f, r);
    (void) llm_ledger_who(l, &f);
    (void) llm_ledger_series(l, &f);
    (void) llm_ledger_health(l, &f);

    llm_ledger_fetch(l, &f.add);

    f.cell = llm_ledger_cell;

    if (llm_ledger_health(l, &f) != LLM_OK
        || llm_ledger_service(l, &f, r) != LLM_OK
        || llm_ledger_who(l, &f) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_ledger_series(l, &f);
}


int
llm_ledger_reprice(llm_ledger_t *l, const llm_record_t *r,
    const llm_ledger_ids_t *ids, int64_t cost)
{
    int64_t             old;
    llm_ledger_facts_t  f;

    if (r->num[LLM_N_FLAGS] != LLM_NULL
        && (r->num[LLM_N_FLAGS] & LLM_RECORD_NO_SUMS))
    {
        return LLM_OK;
    }

    llm_ledger_facts(&f, r, ids);

    old = r->num[LLM_N_COST_NANO];

    f.cell = llm_ledger_correct;

    memset(&f.add, 0, sizeof(llm_ledger_add_t));

    f.add.sum[LLM_C_PRICED] = (cost != LLM_NULL) - (old != LLM_NULL);
    f.add.sum[LLM_C_COST] = llm_ledger_value(cost) - llm_ledger_value(old);
    f.add.bucket[LLM_LEDGER_DURATION] = -1;
    f.add.bucket[LLM_LEDGER_TTFT] = -1;
    f.add.bucket[LLM_LEDGER_STATUS] = -1;

    if (llm_ledger_service(l, &f, r) != LLM_OK
        || llm_ledger_who(l, &f) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_ledger_series(l, &f);
}


static void
llm_ledger_facts(llm_ledger_facts_t *f, const llm_record_t *r,
    const llm_ledger_ids_t *ids)
{
    f->ms = r->num[LLM_N_TIMESTAMP];
    f->status = llm_ledger_value(r->num[LLM_N_STATUS]);

    if (f->status < 100 || f->status > 999) {
        f->status = 0;
    }

    f->value[LLM_SERIES_TOTAL] = 0;
    f->value[LLM_SERIES_ACCOUNT] = ids->account;
    f->value[LLM_SERIES_USER] = ids->user;
    f->value[LLM_SERIES_KEY] = ids->api_key;
    f->value[LLM_SERIES_PROVIDER] = ids->provider;
    f->value[LLM_SERIES_MODEL] = ids->model;
    f->value[LLM_SERIES_ENDPOINT] = ids->endpoint;
    f->value[LLM_SERIES_IP] = ids->ip;
    f->value[LLM_SERIES_STATUS] = f->status;
    f->value[LLM_SERIES_OPERATION] = llm_ledger_value(
                                                  r->num[LLM_N_OPERATION]);
    f->value[LLM_SERIES_PROTOCOL] = llm_ledger_value(r->num[LLM_N_PROTOCOL]);
    f->value[LLM_SERIES_OUTCOME] = llm_ledger_value(r->num[LLM_N_OUTCOME]);

    llm_ledger_add(&f->add, r);
}


void
llm_ledger_add(llm_ledger_add_t *add, const llm_record_t *r)
{
    int64_t         duration, ttft, *sum;
    const int64_t  *num;

    num = r->num;
    sum = add->sum;
    duration = num[LLM_N_DURATION_US];
    ttft = num[LLM_N_TTFT_US];

    memset(add, 0, sizeof(llm_ledger_add_t));

    sum[LLM_C_REQUESTS] = 1;
    sum[LLM_C_ERRORS] = llm_schema_failed(r);
    sum[LLM_C_DURATION_N] = duration != LLM_NULL;
    sum[LLM_C_DURATION] = llm_ledger_value(duration);
    sum[LLM_C_TTFT_N] = ttft != LLM_NULL;
    sum[LLM_C_TTFT] = llm_ledger_value(ttft);

    add->bucket[LLM_LEDGER_DURATION] = duration != LLM_NULL
                                           ? llm_hist_bucket(duration) : -1;
    add->bucket[LLM_LEDGER_TTFT] = ttft != LLM_NULL
                                       ? llm_hist_bucket(ttft) : -1;
    add->bucket[LLM_LEDGER_STATUS] = -1;

    if (num[LLM_N_FLAGS] != LLM_NULL
        && (num[LLM_N_FLAGS] & LLM_RECORD_NO_SUMS))
    {
        return;
    }

    sum[LLM_C_USAGES] = num[LLM_N_TOTAL_TOKENS] != LLM_NULL
                        || num[LLM_N_INPUT_TOKENS] != LLM_NULL
                        || num[LLM_N_OUTPUT_TOKENS] != LLM_NULL;
    sum[LLM_C_INPUT] = llm_ledger_value(num[LLM_N_INPUT_TOKENS]);
    sum[LLM_C_CACHE_READ] = llm_ledger_value(num[LLM_N_CACHE_READ_TOKENS]);
    sum[LLM_C_CACHE_CREATION] =
                           llm_ledger_value(num[LLM_N_CACHE_CREATION_TOKENS]);
    sum[LLM_C_OUTPUT] = llm_ledger_value(num[LLM_N_OUTPUT_TOKENS]);
    sum[LLM_C_REASONING] = llm_ledger_value(num[LLM_N_REASONING_TOKENS]);
    sum[LLM_C_TOTAL] = llm_ledger_value(num[LLM_N_TOTAL_TOKENS]);
    sum[LLM_C_PRICED] = num[LLM_N_COST_NANO] != LLM_NULL;
    sum[LLM_C_COST] = llm_ledger_value(num[LLM_N_COST_NANO]);

    if (ttft != LLM_NULL && duration != LLM_NULL && duration > ttft
        && num[LLM_N_OUTPUT_TOKENS] != LLM_NULL)
    {
        sum[LLM_C_SPEED_TOKENS] = sum[LLM_C_OUTPUT];
        sum[LLM_C_SPEED_US] = llm_ledger_value(duration - ttft);
    }
}


static int
llm_ledger_service(llm_ledger_t *l, const llm_ledger_facts_t *f,
    const llm_record_t *r)
{
    int64_t  key[LLM_LEDGER_KEYS];

    key[0] = f->ms - f->ms % LLM_MINUTE_MS;
    key[1] = f->value[LLM_SERIES_PROVIDER];
    key[2] = f->value[LLM_SERIES_MODEL];
    key[3] = f->value[LLM_SERIES_ENDPOINT];
    key[4] = f->value[LLM_SERIES_OPERATION];
    key[5] = r->num[LLM_N_STREAM] != LLM_NULL ? r->num[LLM_N_STREAM] : -1;
    key[6] = f->status;
    key[7] = f->value[LLM_SERIES_OUTCOME];

    if (f->ms >= l->fine
        && f->cell(l, LLM_LEDGER_MINUTE, key, &f->add) != LLM_OK)
    {
        return LLM_ERROR;
    }

    key[0] = f->ms - f->ms % LLM_QUARTER_MS;

    return f->cell(l, LLM_LEDGER_SERVICE, key, &f->add);
}


static int
llm_ledger_who(llm_ledger_t *l, const llm_ledger_facts_t *f)
{
    int64_t  key[LLM_LEDGER_KEYS];

    key[0] = f->ms - f->ms % LLM_QUARTER_MS;
    key[1] = f->value[LLM_SERIES_ACCOUNT];
    key[2] = f->value[LLM_SERIES_USER];
    key[3] = f->value[LLM_SERIES_KEY];
    key[4] = f->value[LLM_SERIES_PROVIDER];
    key[5] = f->value[LLM_SERIES_MODEL];
    key[6] = f->value[LLM_SERIES_OPERATION];
    key[7] = f->status / 100;

    return f->cell(l, LLM_LEDGER_WHO, key, &f->add);
}


static int
llm_ledger_series(llm_ledger_t *l, const llm_ledger_facts_t *f)
{
    int      i, j;
    int64_t  key[LLM_LEDGER_KEYS];

    static const int64_t  span[] = { LLM_QUARTER_MS, LLM_DAY_MS };

    for (i = 0; i < 2; i++) {
        key[0] = span[i];
        key[1] = f->ms - f->ms % span[i];

        for (j = 0; j < LLM_SERIES_COUNT; j++) {
            key[2] = j;
            key[3] = f->value[j];

            if (f->cell(l, LLM_LEDGER_SERIES, key, &f->add) != LLM_OK) {
                return LLM_ERROR;
            }
        }
    }

    return LLM_OK;
}


/* How long answers take is asked of answers: those of failures are left out. */

static int
llm_ledger_health(llm_ledger_t *l, const llm_ledger_facts_t *f)
{
    int               i, j, class;
    int64_t           key[LLM_LEDGER_KEYS];
    llm_ledger_add_t  add;

    static const int64_t  span[] = { LLM_MINUTE_MS, LLM_QUARTER_MS,
                                     LLM_HOUR_MS };
    static const int      dim[] = { LLM_SERIES_TOTAL, LLM_SERIES_PROVIDER,
                                    LLM_SERIES_MODEL };

    class = llm_record_verdict(f->status, f->value[LLM_SERIES_OUTCOME]);

    memset(&add, 0, sizeof(llm_ledger_add_t));

    add.sum[LLM_H_REQUESTS] = 1;

    if (class != LLM_H_REQUESTS) {
        add.sum[class] = 1;
    }

    if (class == LLM_H_SUCCESS) {
        add.sum[LLM_H_DURATION_N] = f->add.sum[LLM_C_DURATION_N];
        add.sum[LLM_H_DURATION] = f->add.sum[LLM_C_DURATION];
        add.sum[LLM_H_TTFT_N] = f->add.sum[LLM_C_TTFT_N];
        add.sum[LLM_H_TTFT] = f->add.sum[LLM_C_TTFT];

        add.bucket[LLM_LEDGER_DURATION] = f->add.bucket[LLM_LEDGER_DURATION];
        add.bucket[LLM_LEDGER_TTFT] = f->add.bucket[LLM_LEDGER_TTFT];
        add.bucket[LLM_LEDGER_STATUS] = -1;

    } else {
        add.bucket[LLM_LEDGER_DURATION] = -1;
        add.bucket[LLM_LEDGER_TTFT] = -1;
        add.bucket[LLM_LEDGER_STATUS] = (int) f->status;
    }

    for (i = 0; i < 3; i++) {

        if (f->ms < l->fine && span[i] < LLM_HOUR_MS) {
            continue;
        }

        key[0] = span[i];
        key[1] = f->ms - f->ms % span[i];

        for (j = 0; j < 3; j++) {
            key[2] = dim[j];
            key[3] = f->value[dim[j]];

            if (f->cell(l, LLM_LEDGER_HEALTH, key, &add) != LLM_OK) {
                return LLM_ERROR;
            }
        }
    }

    return LLM_OK;
}


/* An upstream may say what it likes: sums must not overflow. */

static int64_t
llm_ledger_value(int64_t v)
{
    if (v < 0) {
        return 0;
    }

    return v < LLM_LEDGER_VALUE_MAX ? v : LLM_LEDGER_VALUE_MAX;
}
