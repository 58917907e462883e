
/*
 * Copyright (C) llm_monitor contributors
 *
 * A bucket is what shares a bound: the rows of one minute or quarter-hour of a
 * table, for the narrow series those of one dimension.  Its members are known
 * in memory as hashes, read from the table at the first touch, so that a new
 * value past the bound is counted as "other" without asking the database.
 *
 * Cells outlive their batch: those of this minute, quarter-hour and day come
 * again.  One connection writes, so what is in memory is what is in the table,
 * until a rollback or a purge, after which nothing is known.
 */


#include <stdlib.h>
#include <string.h>

#include "llm_hash.h"
#include "llm_ledger.h"


#define LLM_LEDGER_INDEX  (1 << LLM_LEDGER_INDEX_BITS)
#define LLM_LEDGER_INDEX_BITS  18      /* four places a cell */

/* values of one bucket */

#define LLM_MINUTE_MAX    1000
#define LLM_SERVICE_MAX   2000
#define LLM_WHO_MAX       5000
#define LLM_QUARTER_MAX   1000
#define LLM_DAY_MAX       5000
#define LLM_HEALTH_MAX    500


#define LLM_LEDGER_PARAMS                                                     \
    "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"  \
    " ?17, ?18, ?19, ?20, ?21"

#define LLM_LEDGER_SUMS                                                       \
    "SELECT requests, errors, usages, input_tokens, cache_read_tokens,"       \
    " cache_creation_tokens, output_tokens, reasoning_tokens, total_tokens,"  \
    " priced, cost_nano, duration_n, duration_us, ttft_n, ttft_us,"           \
    " speed_tokens, speed_us"

#define LLM_LEDGER_SERVICE_KEY                                                \
    " WHERE t = ?1 AND provider = ?2 AND model = ?3 AND endpoint = ?4"        \
    " AND operation = ?5 AND stream = ?6 AND status = ?7 AND outcome = ?8"

static const char *const  llm_ledger_get_sql[LLM_LEDGER_TABLES] = {
    LLM_LEDGER_SUMS ", duration_hist, ttft_hist FROM service_minute"
        LLM_LEDGER_SERVICE_KEY,
    LLM_LEDGER_SUMS ", duration_hist, ttft_hist FROM service"
        LLM_LEDGER_SERVICE_KEY,
    LLM_LEDGER_SUMS " FROM who WHERE t = ?1 AND account = ?2 AND user = ?3"
        " AND api_key = ?4 AND provider = ?5 AND model = ?6"
        " AND operation = ?7 AND class = ?8",
    LLM_LEDGER_SUMS " FROM series WHERE span = ?1 AND t = ?2 AND dim = ?3"
        " AND value = ?4",
    "SELECT requests, success, failure, throttled, duration_n, duration_us,"
        " ttft_n, ttft_us, duration_hist, ttft_hist, statuses FROM health"
        " WHERE span = ?1 AND t = ?2 AND dim = ?3 AND value = ?4"
};

/*
 * What is in memory is all that there is, so a row is replaced and not added
 * to: for a table without rowid and indexes SQLite then reads nothing.
 */

static const char *const  llm_ledger_put_sql[LLM_LEDGER_TABLES] = {
    "REPLACE INTO service_minute VALUES (" LLM_LEDGER_PARAMS
        ", ?22, ?23, ?24, ?25, ?26, ?27)",
    "REPLACE INTO service VALUES (" LLM_LEDGER_PARAMS
        ", ?22, ?23, ?24, ?25, ?26, ?27)",
    "REPLACE INTO who VALUES (" LLM_LEDGER_PARAMS ", ?22, ?23, ?24, ?25)",
    "REPLACE INTO series VALUES (" LLM_LEDGER_PARAMS ")",
    ("REPLACE INTO health VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
     " ?11, ?12, ?13, ?14, ?15)")
};

static const char *const  llm_ledger_load_sql[LLM_LEDGER_TABLES] = {
    "SELECT provider, model, endpoint, operation, stream, status, outcome"
        " FROM service_minute WHERE t = ?1",
    "SELECT provider, model, endpoint, operation, stream, status, outcome"
        " FROM service WHERE t = ?1",
    "SELECT account, user, api_key, provider, model, operation, class"
        " FROM who WHERE t = ?1",
    "SELECT value FROM series WHERE span = ?1 AND t = ?2 AND dim = ?3",
    "SELECT value FROM health WHERE span = ?1 AND t = ?2 AND dim = ?3"
};

static const char *const  llm_ledger_unpack_sql =
    "DELETE FROM packed WHERE span = ?1 AND t = ?2 AND dim = ?3";


/* keys of the tables: the first ones name the bucket, the rest its member */

static const int  llm_ledger_keys[LLM_LEDGER_TABLES] = { 8, 8, 8, 4, 4 };
static const int  llm_ledger_prefix[LLM_LEDGER_TABLES] = { 1, 1, 1, 3, 3 };

/* of the members, how many become "other" past the bound */

static const int  llm_ledger_open_keys[LLM_LEDGER_TABLES] = { 3, 3, 5, 1, 1 };

/* columns after the keys: numbers, then histograms */

static const int  llm_ledger_sums[LLM_LEDGER_TABLES] = {
    LLM_C_COUNT, LLM_C_COUNT, LLM_C_COUNT, LLM_C_COUNT, LLM_H_COUNT
};

static const int  llm_ledger_hists[LLM_LEDGER_TABLES] = { 2, 2, 0, 0, 3 };


static llm_ledger_cell_t *llm_ledger_new(llm_ledger_t *l, int table,
    const int64_t *key, size_t at);
static int llm_ledger_get(llm_ledger_t *l, llm_ledger_cell_t *cell);
static int llm_ledger_get_hists(llm_ledger_t *l, llm_ledger_cell_t *cell,
    sqlite3_stmt *st, int column);
static llm_ledger_cell_t *llm_ledger_find(llm_ledger_t *l, int table,
    const int64_t *key, size_t *at);
static size_t llm_ledger_place(llm_ledger_t *l, int table,
    const int64_t *key);
static int llm_ledger_same(const int64_t *a, const int64_t *b, int n);
static uint64_t llm_ledger_hash(llm_ledger_t *l, int table,
    const int64_t *key, int n);
static int llm_ledger_admit(llm_ledger_t *l, int table, int64_t *key);
static llm_ledger_bucket_t *llm_ledger_bucket(llm_ledger_t *l, int table,
    const int64_t *key, int *rc);
static int llm_ledger_load(llm_ledger_t *l, llm_ledger_bucket_t *b,
    int table, const int64_t *key);
static int llm_ledger_has(const llm_ledger_bucket_t *b, uint64_t hash);
static int llm_ledger_member(llm_ledger_bucket_t *b, uint64_t hash);
static void llm_ledger_empty(llm_ledger_t *l);
static size_t llm_ledger_bound(int table, const int64_t *key);
static int llm_ledger_put(llm_ledger_t *l, llm_ledger_cell_t *cell);
static int llm_ledger_unpack(llm_ledger_t *l, const llm_ledger_cell_t *cell);


int
llm_ledger_open(llm_ledger_t *l, llm_db_t *db)
{
    int  i;

    memset(l, 0, sizeof(llm_ledger_t));

    l->db = db;
    l->seed = llm_hash_seed();

    for (i = 0; i <= LLM_LEDGER_KEYS; i++) {
        l->odd[i] = llm_hash(l->seed, &i, sizeof(i)) | 1;
    }

    l->cells = malloc(LLM_LEDGER_CELLS * sizeof(llm_ledger_cell_t));
    l->index = calloc(LLM_LEDGER_INDEX, sizeof(uint16_t));
    l->dirty = malloc(LLM_LEDGER_CELLS * sizeof(uint16_t));

    if (l->cells == NULL || l->index == NULL || l->dirty == NULL) {
        return LLM_NOMEM;
    }

    if (llm_db_prepare(db, llm_ledger_put_sql, l->put, LLM_LEDGER_TABLES)
        != LLM_OK
        || llm_db_prepare(db, llm_ledger_get_sql, l->get, LLM_LEDGER_TABLES)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_db_prepare(db, llm_ledger_load_sql, l->load, LLM_LEDGER_TABLES)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_db_prepare(db, &llm_ledger_unpack_sql, &l->unpack, 1) != LLM_OK
        || llm_db_int(db, "SELECT coalesce(max(t), -1) FROM packed"
                      " WHERE span = 900000", &l->packed_quarter)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_db_int(db, "SELECT coalesce(max(t), -1) FROM packed"
                      " WHERE span = 86400000", &l->packed_day);
}


void
llm_ledger_close(llm_ledger_t *l)
{
    if (l->index != NULL) {
        llm_ledger_reset(l);
    }

    free(l->cells);
    free(l->index);
    free(l->dirty);

    l->cells = NULL;
    l->index = NULL;
    l->dirty = NULL;

    llm_db_finalize(l->put, LLM_LEDGER_TABLES);
    llm_db_finalize(l->get, LLM_LEDGER_TABLES);
    llm_db_finalize(l->load, LLM_LEDGER_TABLES);
    llm_db_finalize(&l->unpack, 1);
}


void
llm_ledger_reset(llm_ledger_t *l)
{
    int  i;

    llm_ledger_empty(l);

    for (i = 0; i < LLM_LEDGER_BUCKETS; i++) {
        free(l->buckets[i].members);
        memset(&l->buckets[i], 0, sizeof(llm_ledger_bucket_t));
    }
}


static void
llm_ledger_empty(llm_ledger_t *l)
{
    int     j;
    size_t  i;

    if (l->used == 0) {
        return;
    }

    for (i = 0; i < l->used; i++) {

        for (j = 0; j < LLM_LEDGER_HISTS; j++) {
            llm_hist_free(&l->cells[i].hist[j]);
        }
    }

    memset(l->index, 0, LLM_LEDGER_INDEX * sizeof(uint16_t));

    l->used = 0;
    l->changed = 0;
    l->bytes = 0;
}


int
llm_ledger_cell(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add)
{
    int                 i, rc;
    size_t              at;
    int64_t             own[LLM_LEDGER_KEYS];
    llm_ledger_cell_t  *cell;

    cell = llm_ledger_find(l, table, key, &at);

    if (cell == NULL) {
        memcpy(own, key, llm_ledger_keys[table] * sizeof(int64_t));

        rc = llm_ledger_admit(l, table, own);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        if (rc == LLM_FULL) {

            for (i = 0; i < llm_ledger_open_keys[table]; i++) {
                own[llm_ledger_prefix[table] + i] = LLM_LEDGER_OTHER;
            }

            cell = llm_ledger_find(l, table, own, &at);
        }
    }

    if (cell == NULL) {
        cell = llm_ledger_new(l, table, own, at);

        if (cell == NULL) {
            return LLM_ERROR;
        }
    }

    if (!cell->dirty) {
        cell->dirty = 1;
        l->dirty[l->changed++] = (uint16_t) (cell - l->cells);
    }

    /* those that a table does not have are 0 */

    for (i = 0; i < LLM_C_COUNT; i++) {
        cell->sum[i] += add->sum[i];
    }

    for (i = 0; i < llm_ledger_hists[table]; i++) {

        if (add->bucket[i] != -1
            && llm_hist_add(&cell->hist[i], add->bucket[i], 1, &l->bytes)
               != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


/* A cell with what the table has of it. */

int
llm_ledger_correct(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add)
{
    int                   i, rc;
    size_t                at;
    int64_t               own[LLM_LEDGER_KEYS];
    llm_ledger_cell_t    *cell;
    llm_ledger_bucket_t  *b;

    memcpy(own, key, llm_ledger_keys[table] * sizeof(int64_t));

    cell = llm_ledger_find(l, table, own, &at);

    if (cell == NULL) {
        b = llm_ledger_bucket(l, table, own, &rc);

        if (b == NULL) {
            return rc;
        }

        if (!llm_ledger_has(b, llm_ledger_hash(l, table, own,
                                               llm_ledger_keys[table])))
        {
            for (i = 0; i < llm_ledger_open_keys[table]; i++) {
                own[llm_ledger_prefix[table] + i] = LLM_LEDGER_OTHER;
            }

            cell = llm_ledger_find(l, table, own, &at);
        }
    }

    if (cell == NULL) {
        cell = llm_ledger_new(l, table, own, at);

        if (cell == NULL) {
            return LLM_ERROR;
        }
    }

    /* nothing was counted here, or it was purged since */

    if (cell->sum[LLM_C_REQUESTS] == 0) {
        return LLM_OK;
    }

    return llm_ledger_cell(l, table, own, add);
}


static llm_ledger_cell_t *
llm_ledger_new(llm_ledger_t *l, int table, const int64_t *key, size_t at)
{
    llm_ledger_cell_t  *cell;

    if (l->used == LLM_LEDGER_CELLS) {
        if (llm_ledger_flush(l) != LLM_OK) {
            return NULL;
        }

        llm_ledger_empty(l);

        (void) llm_ledger_find(l, table, key, &at);
    }

    cell = &l->cells[l->used];

    memset(cell, 0, sizeof(llm_ledger_cell_t));
    memcpy(cell->key, key, llm_ledger_keys[table] * sizeof(int64_t));
    cell->table = table;

    if (llm_ledger_get(l, cell) != LLM_OK) {
        return NULL;
    }

    l->used++;
    l->index[at] = (uint16_t) l->used;

    return cell;
}


static int
llm_ledger_get(llm_ledger_t *l, llm_ledger_cell_t *cell)
{
    int            i, rc;
    sqlite3_stmt  *st;

    st = l->get[cell->table];

    for (i = 0; i < llm_ledger_keys[cell->table]; i++) {
        (void) sqlite3_bind_int64(st, i + 1, cell->key[i]);
    }

    rc = llm_db_row(l->db, st);

    if (rc == LLM_DECLINED) {
        return LLM_OK;
    }

    if (rc != LLM_OK) {
        return LLM_ERROR;
    }

    for (i = 0; i < llm_ledger_sums[cell->table]; i++) {
        cell->sum[i] = sqlite3_column_int64(st, i);
    }

    rc = llm_ledger_get_hists(l, cell, st, i);

    (void) sqlite3_reset(st);

    return rc;
}


/* One that cannot be read is no reason to stop counting: it starts anew. */

static int
llm_ledger_get_hists(llm_ledger_t *l, llm_ledger_cell_t *cell,
    sqlite3_stmt *st, int column)
{
    int             i, rc;
    size_t          n;
    const uint8_t  *p;

    rc = LLM_OK;

    for (i = 0; i < llm_ledger_hists[cell->table] && rc == LLM_OK; i++) {
        p = sqlite3_column_blob(st, column + i);
        n = sqlite3_column_bytes(st, column + i);

        if (p != NULL
            && llm_hist_unpack(&cell->hist[i], p, n, &l->bytes) == LLM_NOMEM)
        {
            rc = LLM_ERROR;
        }
    }

    if (rc != LLM_OK) {

        while (i-- > 0) {
            llm_hist_free(&cell->hist[i]);
        }
    }

    return rc;
}


/* The cell of a key; NULL: there is none, and *at is its place in the index. */

static llm_ledger_cell_t *
llm_ledger_find(llm_ledger_t *l, int table, const int64_t *key, size_t *at)
{
    llm_ledger_cell_t  *cell;

    *at = llm_ledger_place(l, table, key);

    while (l->index[*at] != 0) {
        cell = &l->cells[l->index[*at] - 1];

        if (cell->table == table
            && llm_ledger_same(cell->key, key, llm_ledger_keys[table]))
        {
            return cell;
        }

        *at = (*at + 1) % LLM_LEDGER_INDEX;
    }

    return NULL;
}


/*
 * Where a key is looked for first.  Three dozen a record are: the top bits of a
 * sum of products with odd numbers that nobody knows are spread well enough
 * for that, and cost a few instructions.
 */

static size_t
llm_ledger_place(llm_ledger_t *l, int table, const int64_t *key)
{
    int       i;
    uint64_t  sum;

    sum = (uint64_t) table * l->odd[LLM_LEDGER_KEYS];

    for (i = 0; i < llm_ledger_keys[table]; i++) {
        sum += (uint64_t) key[i] * l->odd[i];
    }

    return (size_t) (sum >> (64 - LLM_LEDGER_INDEX_BITS));
}


static int
llm_ledger_same(const int64_t *a, const int64_t *b, int n)
{
    /* the last ones differ most */

    while (n-- > 0) {

        if (a[n] != b[n]) {
            return 0;
        }
    }

    return 1;
}


static uint64_t
llm_ledger_hash(llm_ledger_t *l, int table, const int64_t *key, int n)
{
    uint64_t  hash;

    hash = llm_hash(l->seed + table, key, n * sizeof(int64_t));

    return hash != 0 ? hash : 1;
}


/* LLM_OK: the key may have a row of its own; LLM_FULL: it is one too many. */

static int
llm_ledger_admit(llm_ledger_t *l, int table, int64_t *key)
{
    int                   rc;
    uint64_t              hash;
    llm_ledger_bucket_t  *b;

    b = llm_ledger_bucket(l, table, key, &rc);

    if (b == NULL) {
        return rc;
    }

    hash = llm_ledger_hash(l, table, key, llm_ledger_keys[table]);

    if (llm_ledger_has(b, hash)) {
        return LLM_OK;
    }

    if (b->count >= llm_ledger_bound(table, key)) {
        return LLM_FULL;
    }

    return llm_ledger_member(b, hash) == LLM_OK ? LLM_OK : LLM_FULL;
}


static llm_ledger_bucket_t *
llm_ledger_bucket(llm_ledger_t *l, int table, const int64_t *key, int *rc)
{
    int                   i;
    uint8_t              *hint;
    uint64_t              hash;
    llm_ledger_bucket_t  *b, *oldest;

    hash = llm_ledger_hash(l, table, key, llm_ledger_prefix[table]);
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
    n = llm_ledger_keys[table];
    prefix = llm_ledger_prefix[table];

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

    for (at = hash % b->size;
         b->members[at] != 0;
         at = (at + 1) % b->size)
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
        size = b->size ? 2 * b->size : 16;
        members = calloc(size, sizeof(uint64_t));

        if (members == NULL) {
            return LLM_NOMEM;
        }

        old = b->members;

        for (i = 0; i < b->size; i++) {

            if (old[i] == 0) {
                continue;
            }

            at = old[i] % size;

            while (members[at] != 0) {
                at = (at + 1) % size;
            }

            members[at] = old[i];
        }

        free(old);
        b->members = members;
        b->size = size;
    }

    at = hash % b->size;

    while (b->members[at] != 0) {
        at = (at + 1) % b->size;
    }

    b->members[at] = hash;
    b->count++;

    return LLM_OK;
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


int
llm_ledger_flush(llm_ledger_t *l)
{
    size_t              i;
    llm_ledger_cell_t  *cell;

    for (i = 0; i < l->changed; i++) {
        cell = &l->cells[l->dirty[i]];

        if (llm_ledger_put(l, cell) != LLM_OK
            || llm_ledger_unpack(l, cell) != LLM_OK)
        {
            return LLM_ERROR;
        }

        cell->dirty = 0;
    }

    l->changed = 0;

    if (l->bytes > LLM_LEDGER_BYTES) {
        llm_ledger_empty(l);
    }

    return LLM_OK;
}


static int
llm_ledger_put(llm_ledger_t *l, llm_ledger_cell_t *cell)
{
    int            i, n;
    size_t         len;
    uint8_t        packed[LLM_LEDGER_HISTS][LLM_HIST_PACKED];
    sqlite3_stmt  *st;

    st = l->put[cell->table];
    n = 1;

    for (i = 0; i < llm_ledger_keys[cell->table]; i++) {
        (void) sqlite3_bind_int64(st, n++, cell->key[i]);
    }

    for (i = 0; i < llm_ledger_sums[cell->table]; i++) {
        (void) sqlite3_bind_int64(st, n++, cell->sum[i]);
    }

    for (i = 0; i < llm_ledger_hists[cell->table]; i++, n++) {

        if (cell->hist[i].n == 0) {
            (void) sqlite3_bind_null(st, n);
            continue;
        }

        len = llm_hist_pack(&cell->hist[i], packed[i]);
        (void) sqlite3_bind_blob(st, n, packed[i], (int) len, SQLITE_STATIC);
    }

    return llm_db_run(l->db, st);
}


/* What has been packed with a row that changes now is no copy any more. */

static int
llm_ledger_unpack(llm_ledger_t *l, const llm_ledger_cell_t *cell)
{
    int             i;
    const int64_t  *key;

    key = cell->key;

    if (cell->table != LLM_LEDGER_SERIES
        || key[1] > (key[0] == LLM_DAY_MS ? l->packed_day
                                          : l->packed_quarter))
    {
        return LLM_OK;
    }

    for (i = 0; i < llm_ledger_prefix[LLM_LEDGER_SERIES]; i++) {
        (void) sqlite3_bind_int64(l->unpack, i + 1, key[i]);
    }

    return llm_db_run(l->db, l->unpack);
}
