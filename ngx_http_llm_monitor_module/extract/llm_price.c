
/*
 * Copyright (C) llm_monitor contributors
 *
 * The finder: from a record to its cost.  Nearly all records of a process are
 * of a few models, so the answers to their names are remembered.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_table.h"
#include "llm_price_usage.h"


/*
 * One answer for each hash of the names; names that are longer than its room
 * are looked up each time.
 */

#define LLM_PRICE_SLOTS      256
#define LLM_PRICE_KEY        176      /* a multiple of 8 */

#define LLM_PRICE_MIX        0x9e3779b97f4a7c15ULL

typedef struct {
    uint64_t                   len;        /* 0: free */
    const llm_price_model_t   *model;      /* NULL: there is no price */
    uint64_t                   key[LLM_PRICE_KEY / 8];
} llm_price_slot_t;

struct llm_price_finder_s {
    const llm_price_table_t   *table;
    llm_regex_matcher_t       *matcher;
    llm_price_slot_t           slots[LLM_PRICE_SLOTS];
};


static const llm_price_model_t *llm_price_model(llm_price_finder_t *f,
    const llm_record_t *r);
static const llm_price_model_t *llm_price_model_look(llm_price_finder_t *f,
    const llm_record_t *r);
static size_t llm_price_key(uint64_t *key, const llm_record_t *r);
static int llm_price_tier(const llm_str_t *s);


static const int  llm_price_names[] = {
    LLM_S_PROVIDER, LLM_S_MAPPED_MODEL, LLM_S_RESPONSE_MODEL, LLM_S_MODEL
};


int
llm_price_read(llm_price_table_t **table, const llm_str_t *text,
    const llm_str_t *source, const llm_mem_t *mem, llm_price_error_t *err)
{
    int                 rc;
    size_t              i;
    llm_price_table_t  *t;

    if (text->len > LLM_PRICE_FILE) {
        return llm_price_fail(err, 0, "is larger than %d bytes",
                              LLM_PRICE_FILE);
    }

    t = llm_price_table_create(mem);

    if (t == NULL || llm_price_copy(t, &t->source, source, 0) != LLM_OK) {
        llm_price_free(t);
        return llm_price_fail(err, 0, "no memory");
    }

    /* a list of providers, or an object of models */

    i = 0;

    while (i < text->len && memchr(" \t\r\n", text->data[i], 4) != NULL) {
        i++;
    }

    if (i < text->len && text->data[i] == '{') {
        rc = llm_price_read_litellm(t, text, err);

    } else {
        rc = llm_price_read_genai(t, text, err);
    }

    if (rc == LLM_OK && t->nmodels == 0) {
        rc = llm_price_fail(err, 0, "has no model with a price");
    }

    if (rc != LLM_OK) {
        llm_price_free(t);
        return LLM_ERROR;
    }

    *table = t;

    return LLM_OK;
}


const llm_str_t *
llm_price_source(const llm_price_table_t *table)
{
    return &table->source;
}


void
llm_price_size(const llm_price_table_t *table, size_t *providers,
    size_t *models, size_t *bytes)
{
    if (providers != NULL) {
        *providers = table->nproviders;
    }

    if (models != NULL) {
        *models = table->nmodels;
    }

    if (bytes != NULL) {
        *bytes = table->used;
    }
}


llm_price_finder_t *
llm_price_finder(const llm_price_table_t *table)
{
    llm_price_finder_t  *f;

    f = calloc(1, sizeof(llm_price_finder_t));
    if (f == NULL) {
        return NULL;
    }

    f->table = table;
    f->matcher = llm_regex_matcher();

    if (f->matcher == NULL) {
        free(f);
        return NULL;
    }

    return f;
}


void
llm_price_finder_free(llm_price_finder_t *f)
{
    if (f != NULL) {
        llm_regex_matcher_free(f->matcher);
        free(f);
    }
}


void
llm_price_record(llm_price_finder_t *f, llm_record_t *r)
{
    int                        percent;
    int64_t                    cost, flags;
    llm_price_usage_t          u;
    const llm_price_model_t   *m;
    const llm_price_period_t  *p;

    static const llm_str_t  cache = llm_str("cache");

    r->num[LLM_N_COST_NANO] = LLM_NULL;
    r->str[LLM_S_PRICE_SOURCE].data = NULL;
    r->str[LLM_S_PRICE_SOURCE].len = 0;

    flags = r->num[LLM_N_FLAGS] != LLM_NULL ? r->num[LLM_N_FLAGS] : 0;

    if (flags & LLM_RECORD_CACHED) {
        r->num[LLM_N_COST_NANO] = 0;
        r->str[LLM_S_PRICE_SOURCE] = cache;
        return;
    }

    if ((flags & LLM_RECORD_NO_SUMS)
        || (r->num[LLM_N_INPUT_TOKENS] == LLM_NULL
            && r->num[LLM_N_OUTPUT_TOKENS] == LLM_NULL))
    {
        return;
    }

    m = llm_price_model(f, r);

    if (m == NULL) {
        return;
    }

    p = llm_price_period(m, r->num[LLM_N_TIMESTAMP],
                         llm_price_tier(&r->str[LLM_S_SERVICE_TIER]),
                         &percent);

    /* a model that is paid for by the hour or the page has no price here */

    if (p == NULL || (p->units & ~llm_price_bit(WEB_SEARCHES)) == 0) {
        return;
    }

    llm_price_usage(r, p->units, &u);

    cost = llm_price_cost(p, &u, percent);

    if (cost != LLM_NULL) {
        r->num[LLM_N_COST_NANO] = cost;
        r->str[LLM_S_PRICE_SOURCE] = f->table->source;
    }
}


static const llm_price_model_t *
llm_price_model(llm_price_finder_t *f, const llm_record_t *r)
{
    size_t             i, len;
    uint64_t           hash, key[LLM_PRICE_KEY / 8];
    llm_price_slot_t  *slot;

    len = llm_price_key(key, r);

    if (len == 0) {
        return llm_price_model_look(f, r);
    }

    hash = 0;

    for (i = 0; i < len / 8; i++) {
        hash = (hash ^ key[i]) * LLM_PRICE_MIX;
        hash ^= hash >> 32;
    }

    slot = &f->slots[hash % LLM_PRICE_SLOTS];

    if (slot->len != len || memcmp(slot->key, key, len) != 0) {
        slot->model = llm_price_model_look(f, r);
        slot->len = len;
        memcpy(slot->key, key, len);
    }

    return slot->model;
}


/* what a gateway says that it used is truer than what the answer says */

static const llm_price_model_t *
llm_price_model_look(llm_price_finder_t *f, const llm_record_t *r)
{
    size_t                    i;
    const llm_str_t          *name;
    const llm_price_model_t  *m;

    for (i = 1; i < sizeof(llm_price_names) / sizeof(int); i++) {
        name = &r->str[llm_price_names[i]];

        if (name->len == 0) {
            continue;
        }

        m = llm_price_find(f->table, f->matcher, r->num[LLM_N_PROTOCOL],
                           &r->str[LLM_S_PROVIDER], name);
        if (m != NULL) {
            return m;
        }
    }

    return NULL;
}


/*
 * The names that the answer depends on, each behind its length, filled up to
 * whole words.  Returns the bytes, 0 if there is no room.
 */

static size_t
llm_price_key(uint64_t *key, const llm_record_t *r)
{
    size_t            i, n;
    uint8_t          *p, *end;
    const llm_str_t  *name;

    p = (uint8_t *) key;
    end = p + LLM_PRICE_KEY - 8;

    *p++ = (uint8_t) r->num[LLM_N_PROTOCOL];

    for (i = 0; i < sizeof(llm_price_names) / sizeof(int); i++) {
        name = &r->str[llm_price_names[i]];
        n = name->len;

        if (n >= (size_t) (end - p)) {
            return 0;
        }

        *p++ = (uint8_t) n;

        if (n != 0) {
            memcpy(p, name->data, n);
            p += n;
        }
    }

    memset(p, 0, 8);

    n = p - (uint8_t *) key;

    return (n + 7) & ~(size_t) 7;
}


/*
 * Other words are of tiers that cost the standard price ("default", "auto",
 * "standard", "on_demand"), or that nobody knows.
 */

static int
llm_price_tier(const llm_str_t *s)
{
    if (s->len == 4 && memcmp(s->data, "flex", 4) == 0) {
        return LLM_TIER_FLEX;
    }

    if (s->len == 5 && memcmp(s->data, "batch", 5) == 0) {
        return LLM_TIER_BATCH;
    }

    if (s->len == 8 && memcmp(s->data, "priority", 8) == 0) {
        return LLM_TIER_PRIORITY;
    }

    return LLM_TIER_STANDARD;
}
