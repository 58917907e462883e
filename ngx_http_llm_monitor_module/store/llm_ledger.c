
/*
 * Copyright (C) llm_monitor contributors
 *
 * Cells outlive their batch: those of this minute, quarter-hour and day come
 * again.  One connection writes, so what is in memory is what is in the table,
 * until a rollback or a purge, after which nothing is known.
 */


#include <stdlib.h>
#include <string.h>

#include "llm_hash.h"
#include "llm_ledger_bucket.h"


#define LLM_LEDGER_INDEX       (1 << LLM_LEDGER_INDEX_BITS)
#define LLM_LEDGER_INDEX_BITS  18      /* four places a cell */
#define LLM_LEDGER_AHEAD       4       /* cells that are fetched meanwhile */

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


/* of the members, how many become "other" past the bound */

static const int  llm_ledger_open_keys[LLM_LEDGER_TABLES] = { 3, 3, 5, 1, 1 };

/* columns after the keys: numbers, then histograms */

static const int  llm_ledger_sums[LLM_LEDGER_TABLES] = {
    LLM_C_COUNT, LLM_C_COUNT, LLM_C_COUNT, LLM_C_COUNT, LLM_H_COUNT
};

static const int  llm_ledger_hists[LLM_LEDGER_TABLES] = { 2, 2, 0, 0, 3 };


static void llm_ledger_change(llm_ledger_t *l, llm_ledger_cell_t *cell);
static void llm_ledger_ahead(const llm_ledger_cell_t *cell);
static llm_ledger_cell_t *llm_ledger_new(llm_ledger_t *l, int table,
    const int64_t *key, size_t at, int fresh);
static int llm_ledger_get(llm_ledger_t *l, llm_ledger_cell_t *cell);
static int llm_ledger_get_hists(llm_ledger_t *l, llm_ledger_cell_t *cell,
    sqlite3_stmt *st, int column);
static llm_ledger_cell_t *llm_ledger_find(llm_ledger_t *l, int table,
    const int64_t *key, size_t *at);
static size_t llm_ledger_place(llm_ledger_t *l, int table,
    const int64_t *key);
static uint64_t llm_ledger_sum(llm_ledger_t *l, int table, const int64_t *key,
    int n);
static int llm_ledger_same(const int64_t *a, const int64_t *b, int n);
static void llm_ledger_empty(llm_ledger_t *l);
static int llm_ledger_compare(const void *one, const void *two);
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

    l->cells = aligned_alloc(LLM_LEDGER_LINE,
                             LLM_LEDGER_CELLS * sizeof(llm_ledger_cell_t));
    l->index = calloc(LLM_LEDGER_INDEX, sizeof(uint16_t));
    l->dirty = malloc(LLM_LEDGER_CELLS * sizeof(llm_ledger_dirty_t));

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
    llm_ledger_empty(l);
    llm_ledger_forget(l);
}


/*
 * Buckets know the rows that the tables had when the first cell came, and no
 * others: they are read again.
 */

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

    llm_ledger_forget(l);
}


int
llm_ledger_cell(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add)
{
    int                 i, rc;
    size_t              at;
    int64_t             own[LLM_LEDGER_KEYS];
    llm_ledger_cell_t  *cell;

    rc = LLM_OK;
    cell = llm_ledger_find(l, table, key, &at);

    if (cell == NULL) {
        memcpy(own, key, LLM_LEDGER_KEYS_OF(table) * sizeof(int64_t));

        rc = llm_ledger_admit(l, table, own);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        if (rc == LLM_FULL) {

            for (i = 0; i < llm_ledger_open_keys[table]; i++) {
                own[LLM_LEDGER_PREFIX_OF(table) + i] = LLM_LEDGER_OTHER;
            }

            cell = llm_ledger_find(l, table, own, &at);
        }
    }

    if (cell == NULL) {
        cell = llm_ledger_new(l, table, own, at, rc == LLM_DECLINED);

        if (cell == NULL) {
            return LLM_ERROR;
        }
    }

    if (!cell->dirty) {
        llm_ledger_change(l, cell);
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


/* In the order of a bucket's first member, buckets in any order. */

static void
llm_ledger_change(llm_ledger_t *l, llm_ledger_cell_t *cell)
{
    int                  n;
    llm_ledger_dirty_t  *dirty;

    n = LLM_LEDGER_PREFIX_OF(cell->table);

    cell->dirty = 1;

    dirty = &l->dirty[l->changed++];

    dirty->cell = (uint16_t) (cell - l->cells);
    dirty->order = llm_ledger_sum(l, cell->table, cell->key, n) >> 32 << 32
                   | (uint32_t) cell->key[n];
}


/* A ledger of thousands of users is larger than the processor's caches. */

int
llm_ledger_expect(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add)
{
    size_t  at;

    if (l->nexpected < LLM_LEDGER_EXPECTED) {
        at = llm_ledger_place(l, table, key);

        __builtin_prefetch(&l->index[at]);
        l->expected[l->nexpected++] = (uint32_t) at;
    }

    return LLM_OK;
}


void
llm_ledger_fetch(llm_ledger_t *l, const llm_ledger_add_t *add)
{
    int                 i, j, n;
    uint16_t            number;
    llm_ledger_cell_t  *cells[LLM_LEDGER_EXPECTED];

    n = 0;

    for (i = 0; i < l->nexpected; i++) {
        number = l->index[l->expected[i]];

        if (number != 0) {
            cells[n++] = &l->cells[number - 1];
            llm_ledger_ahead(&l->cells[number - 1]);
        }
    }

    for (i = 0; i < n; i++) {

        for (j = 0; j < llm_ledger_hists[cells[i]->table]; j++) {

            if (add->bucket[j] != -1) {
                llm_hist_fetch(&cells[i]->hist[j], add->bucket[j]);
            }
        }
    }

    l->nexpected = 0;
}


static void
llm_ledger_ahead(const llm_ledger_cell_t *cell)
{
    size_t  i;

    for (i = 0; i < sizeof(llm_ledger_cell_t); i += LLM_LEDGER_LINE) {
        __builtin_prefetch((const char *) cell + i, 1);
    }
}


/* A cell with what the table has of it. */

int
llm_ledger_correct(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add)
{
    int                 i, rc;
    size_t              at;
    int64_t             own[LLM_LEDGER_KEYS];
    llm_ledger_cell_t  *cell;

    memcpy(own, key, LLM_LEDGER_KEYS_OF(table) * sizeof(int64_t));

    cell = llm_ledger_find(l, table, own, &at);

    if (cell == NULL) {
        rc = llm_ledger_known(l, table, own);

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        if (rc == LLM_DECLINED) {
            for (i = 0; i < llm_ledger_open_keys[table]; i++) {
                own[LLM_LEDGER_PREFIX_OF(table) + i] = LLM_LEDGER_OTHER;
            }

            cell = llm_ledger_find(l, table, own, &at);
        }
    }

    if (cell == NULL) {
        cell = llm_ledger_new(l, table, own, at, 0);

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


/*
 * Of a fresh one the table has nothing, and is not asked.  Its bucket has
 * counted it, also if that is read again.
 */

static llm_ledger_cell_t *
llm_ledger_new(llm_ledger_t *l, int table, const int64_t *key, size_t at,
    int fresh)
{
    llm_ledger_cell_t  *cell;

    if (l->used == LLM_LEDGER_CELLS) {
        if (llm_ledger_flush(l) != LLM_OK) {
            return NULL;
        }

        llm_ledger_empty(l);

        if (fresh && llm_ledger_admit(l, table, key) == LLM_ERROR) {
            return NULL;
        }

        (void) llm_ledger_find(l, table, key, &at);
    }

    cell = &l->cells[l->used];

    memset(cell, 0, sizeof(llm_ledger_cell_t));
    memcpy(cell->key, key, LLM_LEDGER_KEYS_OF(table) * sizeof(int64_t));
    cell->table = table;

    if (!fresh && llm_ledger_get(l, cell) != LLM_OK) {
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

    for (i = 0; i < LLM_LEDGER_KEYS_OF(cell->table); i++) {
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
            && llm_ledger_same(cell->key, key, LLM_LEDGER_KEYS_OF(table)))
        {
            return cell;
        }

        *at = (*at + 1) % LLM_LEDGER_INDEX;
    }

    return NULL;
}


/* Where a key is looked for first. */

static size_t
llm_ledger_place(llm_ledger_t *l, int table, const int64_t *key)
{
    return (size_t) (llm_ledger_sum(l, table, key, LLM_LEDGER_KEYS_OF(table))
                     >> (64 - LLM_LEDGER_INDEX_BITS));
}


/*
 * Three dozen keys a record are looked for: the top bits of a sum of products
 * with odd numbers that nobody knows are spread well enough for that, and cost
 * a few instructions.
 */

static uint64_t
llm_ledger_sum(llm_ledger_t *l, int table, const int64_t *key, int n)
{
    int       i;
    uint64_t  sum;

    sum = (uint64_t) table * l->odd[LLM_LEDGER_KEYS];

    for (i = 0; i < n; i++) {
        sum += (uint64_t) key[i] * l->odd[i];
    }

    return sum;
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


int
llm_ledger_flush(llm_ledger_t *l)
{
    size_t              i;
    llm_ledger_cell_t  *cell;

    qsort(l->dirty, l->changed, sizeof(llm_ledger_dirty_t),
          llm_ledger_compare);

    for (i = 0; i < l->changed; i++) {

        if (i + LLM_LEDGER_AHEAD < l->changed) {
            llm_ledger_ahead(&l->cells[l->dirty[i + LLM_LEDGER_AHEAD].cell]);
        }

        cell = &l->cells[l->dirty[i].cell];

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


/* Neighbours share pages of the table. */

static int
llm_ledger_compare(const void *one, const void *two)
{
    const llm_ledger_dirty_t  *a = one, *b = two;

    return (a->order > b->order) - (a->order < b->order);
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

    for (i = 0; i < LLM_LEDGER_KEYS_OF(cell->table); i++) {
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

    for (i = 0; i < LLM_LEDGER_PREFIX_OF(LLM_LEDGER_SERIES); i++) {
        (void) sqlite3_bind_int64(l->unpack, i + 1, key[i]);
    }

    return llm_db_run(l->db, l->unpack);
}
