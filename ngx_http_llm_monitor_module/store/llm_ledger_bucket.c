
/*
 * Copyright (C) llm_monitor contributors
 *
 * A bucket is what shares a bound: the rows of one minute or quarter-hour of a
 * table, for the narrow series those of one dimension.  Its members are known
 * in memory as hashes, read from the table at the first touch, so that a new
 * value past the bound is counted as "other" without asking the database.
 */


#include <stdlib.h>
#include <string.h>

#include "llm_hash.h"
#include "llm_ledger_bucket.h"


/* values of one bucket */

#define LLM_MINUTE_MAX    1000
#define LLM_SERVICE_MAX   2000
#define LLM_WHO_MAX       5000
#define LLM_QUARTER_MAX   1000
#define LLM_DAY_MAX       5000
#define LLM_HEALTH_MAX    500


static llm_ledger_bucket_t *llm_ledger_bucket(llm_ledger_t *l, int table,
    const int64_t *key, int *rc);
static int llm_ledger_load(llm_ledger_t *l, llm_ledger_bucket_t *b,
    int table, const int64_t *key);
static int llm_ledger_has(const llm_ledger_bucket_t *b, uint64_t hash);
static int llm_ledger_member(llm_ledger_bucket_t *b, uint64_t hash);
static uint64_t llm_ledger_hash(llm_ledger_t *l, int table,
    const int64_t *key, int n);
static size_t llm_ledger_bound(int table, const int64_t *key);


int
llm_ledger_admit(llm_ledger_t *l, int table, const int64_t *key)
{
    int                   rc;
    uint64_t              hash;
    llm_ledger_bucket_t  *b;

    b = llm_ledger_bucket(l, table, key, &rc);

    if (b == NULL) {
        return rc;
    }

    hash = llm_ledger_hash(l, table, key, LLM_LEDGER_KEYS_OF(table));

    if (llm_ledger_has(b, hash)) {
        return LLM_OK;
    }

    if (b->count >= llm_ledger_bound(table, key)) {
        return LLM_FULL;
    }

    return llm_ledger_member(b, hash) == LLM_OK ? LLM_DECLINED : LLM_FULL;
}


int
llm_ledger_known(llm_ledger_t *l, int table, const int64_t *key)
{
    int                   rc;
    llm_ledger_bucket_t  *b;

    b = llm_ledger_bucket(l, table, key, &rc);

    if (b == NULL) {
        return rc;
    }

    return llm_ledger_has(b, llm_ledger_hash(l, table, key,
                                             LLM_LEDGER_KEYS_OF(table)))
               ? LLM_OK : LLM_DECLINED;
}


static llm_ledger_bucket_t *
llm_ledger_bucket(llm_ledger_t *l, int table, const int64_t *key, int *rc)
{
    int                   i;
    uint8_t              *hint;
    uint64_t              hash;
    llm_ledger_bucket_t  *b, *oldest;

    hash = llm_ledger_hash(l, table, key, LLM_LEDGER_PREFIX_OF(table));
    hint = &l->hints[hash % LLM_LEDGER_HINTS];

    /* past its bound a bucket is asked for each record */

    if (l->buckets[*hint].hash == hash) {
        l->buckets[*hint].touched = ++l->clock;
        return &l->buckets[*hint];
    }

    oldest = &l->buckets[0];

    for (i = 0; i < LLM_LEDGER_BUCKETS; i++) {
        b = &l->buckets[i];

        if (b->hash == hash) {
            b->touched = ++l->clock;
            *hint = (uint8_t) i;
            return b;
        }

        if (b->touched < oldest->touched) {
            oldest = b;
        }
    }

    free(oldest->members);
    memset(oldest, 0, sizeof(llm_ledger_bucket_t));

    *rc = llm_ledger_load(l, oldest, table, key);

    if (*rc != LLM_OK) {
        return NULL;
    }

    oldest->hash = hash;
    oldest->touched = ++l->clock;
    *hint = (uint8_t) (oldest - l->buckets);

    return oldest;
}


static int
llm_ledger_load(llm_ledger_t *l, llm_ledger_bucket_t *b, int table,
    const int64_t *key)
{
    int            i, n, rc, prefix;
    int64_t        member[LLM_LEDGER_KEYS];
    sqlite3_stmt  *st;

    st = l->load[table];
    n = LLM_LEDGER_KEYS_OF(table);
    prefix = LLM_LEDGER_PREFIX_OF(table);

    for (i = 0; i < prefix; i++) {
        (void) sqlite3_bind_int64(st, i + 1, key[i]);
        member[i] = key[i];
    }

    while ((rc = llm_db_row(l->db, st)) == LLM_OK) {

        for (i = prefix; i < n; i++) {
            member[i] = sqlite3_column_int64(st, i - prefix);
        }

        if (llm_ledger_member(b, llm_ledger_hash(l, table, member, n))
            != LLM_OK)
        {
            (void) sqlite3_reset(st);
            return LLM_ERROR;
        }
    }

    return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
}


static int
llm_ledger_has(const llm_ledger_bucket_t *b, uint64_t hash)
{
    size_t  at;

    if (b->size == 0) {
        return 0;
    }

    for (at = hash & (b->size - 1);
         b->members[at] != 0;
         at = (at + 1) & (b->size - 1))
    {
        if (b->members[at] == hash) {
            return 1;
        }
    }

    return 0;
}


static int
llm_ledger_member(llm_ledger_bucket_t *b, uint64_t hash)
{
    size_t     i, at, size;
    uint64_t  *members, *old;

    if (2 * (b->count + 1) > b->size) {
        size = b->size ? 2 * b->size : 16;       /* a power of two */
        members = calloc(size, sizeof(uint64_t));

        if (members == NULL) {
            return LLM_NOMEM;
        }

        old = b->members;

        for (i = 0; i < b->size; i++) {

            if (old[i] == 0) {
                continue;
            }

            at = old[i] & (size - 1);

            while (members[at] != 0) {
                at = (at + 1) & (size - 1);
            }

            members[at] = old[i];
        }

        free(old);
        b->members = members;
        b->size = size;
    }

    at = hash & (b->size - 1);

    while (b->members[at] != 0) {
        at = (at + 1) & (b->size - 1);
    }

    b->members[at] = hash;
    b->count++;

    return LLM_OK;
}


static uint64_t
llm_ledger_hash(llm_ledger_t *l, int table, const int64_t *key, int n)
{
    uint64_t  hash;

    hash = llm_hash(l->seed + table, key, n * sizeof(int64_t));

    return hash != 0 ? hash : 1;
}


static size_t
llm_ledger_bound(int table, const int64_t *key)
{
    switch (table) {

    case LLM_LEDGER_MINUTE:
        return LLM_MINUTE_MAX;

    case LLM_LEDGER_SERVICE:
        return LLM_SERVICE_MAX;

    case LLM_LEDGER_WHO:
        return LLM_WHO_MAX;

    case LLM_LEDGER_HEALTH:
        return LLM_HEALTH_MAX;

    default: /* LLM_LEDGER_SERIES */
        return key[0] == LLM_DAY_MS ? LLM_DAY_MAX : LLM_QUARTER_MAX;
    }
}


void
llm_ledger_forget(llm_ledger_t *l)
{
    int  i;

    for (i = 0; i < LLM_LEDGER_BUCKETS; i++) {
        free(l->buckets[i].members);
        memset(&l->buckets[i], 0, sizeof(llm_ledger_bucket_t));
    }
}
