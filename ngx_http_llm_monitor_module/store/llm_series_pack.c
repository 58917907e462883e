
/*
 * Copyright (C) llm_monitor contributors
 *
 * Of a pack of many values only the columns that are asked for are read, and
 * added up a column at a time: that is bound by memory, less by work.
 */


#include "llm_columns.h"
#include "llm_series_pack.h"


#define LLM_SERIES_SMALL    256            /* values: no column is left out */
#define LLM_SERIES_CHUNK    512            /* that are added at a time */
#define LLM_SERIES_NEAR     8              /* sums that memory is asked of */
#define LLM_SERIES_BYTES    (64 * 1024 * 1024)

/* a value is looked up if there are so many times more of them */
#define LLM_SERIES_LOOKUP   16


static int llm_series_find_pack(llm_series_t *s, int64_t span, int64_t t);
static int llm_series_read(llm_series_t *s, const llm_columns_t *c,
    unsigned columns);
static int llm_series_apart(llm_series_map_t *map, const llm_columns_t *c,
    int what);
static int llm_series_every(llm_series_t *s, llm_series_map_t *map,
    const llm_columns_t *c, unsigned columns);
static void llm_series_column(llm_series_map_t *map, int column,
    const uint8_t *p, int bits, size_t from, const uint32_t *slots,
    size_t n);
static void llm_series_pick(llm_series_t *s, const llm_series_map_t *map,
    const llm_columns_t *c);
static void llm_series_one(const llm_series_t *s, const llm_columns_t *c,
    llm_series_sum_t *sum, unsigned columns);
static void llm_series_cell(const llm_series_t *s, const llm_columns_t *c,
    size_t place, llm_series_sum_t *sum, unsigned columns);
static int64_t llm_series_nth(const llm_series_t *s, const llm_columns_t *c,
    size_t n);


int
llm_series_packed(llm_series_t *s, llm_series_map_t *map, int64_t span,
    int64_t t, int what)
{
    int            i, rc;
    size_t         k;
    unsigned       columns;
    llm_columns_t  c;

    rc = llm_series_find_pack(s, span, t);

    if (rc != LLM_OK) {
        return rc;
    }

    if (llm_columns_head(&c, s->bytes.data,
                         (size_t) sqlite3_blob_bytes(s->blob))
        != LLM_OK)
    {
        return LLM_DECLINED;
    }

    s->times++;
    s->rows += c.apart + c.n;
    s->found = 1;
    s->other |= c.apart != 0
                && c.row[0][LLM_COLUMNS_VALUES] == LLM_LEDGER_OTHER;

    columns = c.n <= LLM_SERIES_SMALL ? LLM_SERIES_COLUMNS : s->columns;

    switch (what) {

    case LLM_SERIES_MISSED:
        columns = LLM_SERIES_COLUMNS & ~columns;

        if (columns == 0) {
            return LLM_OK;
        }

        break;

    case LLM_SERIES_KNOWN:
        columns = LLM_SERIES_COLUMNS;
        break;

    case LLM_SERIES_SEEN:
        columns = 0;
    }

    if (llm_series_read(s, &c, columns) != LLM_OK) {
        return LLM_ERROR;
    }

    /* those apart have missed nothing and are not in the columns */

    switch (what) {

    case LLM_SERIES_MISSED:

        for (k = 0; k < s->nsums; k++) {
            llm_series_one(s, &c, s->sums[k], columns);
        }

        return LLM_OK;

    case LLM_SERIES_KNOWN:
        llm_series_pick(s, map, &c);
        return llm_series_apart(map, &c, what);

    case LLM_SERIES_EVERY:
        map->partial |= columns != LLM_SERIES_COLUMNS;

        for (i = 0; i < LLM_C_COUNT; i++) {
            map->total[i] += c.total[i];
        }
    }

    rc = llm_series_apart(map, &c, what);

    return rc == LLM_OK ? llm_series_every(s, map, &c, columns) : rc;
}


/* The pack and its head. */

static int
llm_series_find_pack(llm_series_t *s, int64_t span, int64_t t)
{
    int      rc;
    size_t   size;
    int64_t  id;

    (void) sqlite3_bind_int64(s->packed, 1, span);
    (void) sqlite3_bind_int64(s->packed, 2, t);

    rc = sqlite3_step(s->packed);
    id = rc == SQLITE_ROW ? sqlite3_column_int64(s->packed, 0) : 0;

    (void) sqlite3_reset(s->packed);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
    }

    rc = s->blob != NULL ? sqlite3_blob_reopen(s->blob, id)
                         : sqlite3_blob_open(s->reader->db, "main", "packed",
                                             "data", id, 0, &s->blob);

    if (rc != SQLITE_OK) {
        return LLM_ERROR;
    }

    size = (size_t) sqlite3_blob_bytes(s->blob);

    s->bytes.len = 0;
    s->bytes.max = LLM_SERIES_BYTES;

    if (llm_buf_room(&s->bytes, size + LLM_COLUMNS_SLACK) == NULL) {
        return LLM_NOMEM;
    }

    size = size < LLM_COLUMNS_START ? size : LLM_COLUMNS_START;

    rc = sqlite3_blob_read(s->blob, s->bytes.data, (int) size, 0);

    return rc == SQLITE_OK ? LLM_OK : LLM_ERROR;
}


/* The values and the columns, to where they are in the pack. */

static int
llm_series_read(llm_series_t *s, const llm_columns_t *c, unsigned columns)
{
    int             i, j, wanted;
    size_t          from, until;
    const uint8_t  *order;

    order = llm_columns_order();
    from = 0;
    until = 0;

    /* those that follow each other at once */

    for (j = 0; j <= LLM_COLUMNS_COUNT; j++) {
        i = j < LLM_COLUMNS_COUNT ? order[j] : LLM_COLUMNS_COUNT;

        wanted = i == LLM_COLUMNS_VALUES
                 || (i < LLM_COLUMNS_COUNT
                     && (columns >> (i - LLM_COLUMNS_SUM(0)) & 1) != 0);

        if (wanted) {
            from = from == until ? c->at[i] : from;
            until = j + 1 < LLM_COLUMNS_COUNT ? c->at[order[j + 1]] : c->size;
            continue;
        }

        if (from != until
            && sqlite3_blob_read(s->blob, s->bytes.data + from,
                                 (int) (until - from), (int) from)
               != SQLITE_OK)
        {
            return LLM_ERROR;
        }

        from = until;
    }

    return LLM_OK;
}


static int
llm_series_apart(llm_series_map_t *map, const llm_columns_t *c, int what)
{
    int                i, rc;
    size_t             k;
    llm_series_sum_t  *sum;

    for (k = 0; k < c->apart; k++) {
        rc = llm_series_sum(map, c->row[k][LLM_COLUMNS_VALUES], what, &sum);

        if (rc != LLM_OK) {
            return rc;
        }

        for (i = 0; i < LLM_C_COUNT && sum != NULL; i++) {
            sum->sum[i] += c->row[k][LLM_COLUMNS_SUM(i)];
        }
    }

    return LLM_OK;
}


static int
llm_series_every(llm_series_t *s, llm_series_map_t *map,
    const llm_columns_t *c, unsigned columns)
{
    int             i, rc;
    size_t          k, n, from;
    int64_t         values[LLM_SERIES_CHUNK];
    uint32_t        slots[LLM_SERIES_CHUNK];
    const uint8_t  *p;

    for (from = 0; from < c->n; from += n) {
        n = c->n - from < LLM_SERIES_CHUNK ? c->n - from : LLM_SERIES_CHUNK;

        for (k = 0; k < n; k++) {
            values[k] = llm_series_nth(s, c, from + k);
        }

        rc = llm_series_slots(map, values, n, slots);

        if (rc != LLM_OK) {
            return rc;
        }

        for (i = 0; i < LLM_C_COUNT; i++) {

            if ((columns >> i & 1) != 0) {
                p = s->bytes.data + c->at[LLM_COLUMNS_SUM(i)];
                llm_series_column(map, i, p, c->bits[LLM_COLUMNS_SUM(i)],
                                  from, slots, n);
            }
        }
    }

    return LLM_OK;
}


/* Adds n numbers of a column from one place on. */

static void
llm_series_column(llm_series_map_t *map, int column, const uint8_t *p,
    int bits, size_t from, const uint32_t *slots, size_t n)
{
    size_t  k;

    if (bits == 0) {
        return;
    }

    for (k = 0; k < n; k++) {

        if (k + LLM_SERIES_NEAR < n) {
            __builtin_prefetch(&map->sums[slots[k + LLM_SERIES_NEAR]]
                                    .sum[column], 1);
        }

        map->sums[slots[k]].sum[column] +=
                              (int64_t) llm_columns_get(p, bits, from + k);
    }
}


/* Those of the map; it keeps its order. */

static void
llm_series_pick(llm_series_t *s, const llm_series_map_t *map,
    const llm_columns_t *c)
{
    size_t             k;
    llm_series_sum_t  *sum;

    if (map->n < c->n / LLM_SERIES_LOOKUP) {

        for (k = 0; k < map->n; k++) {
            llm_series_one(s, c, &map->sums[k], LLM_SERIES_COLUMNS);
        }

        return;
    }

    for (k = 0; k < c->n; k++) {
        sum = llm_series_find(map, llm_series_nth(s, c, k));

        if (sum != NULL) {
            llm_series_cell(s, c, k, sum, LLM_SERIES_COLUMNS);
        }
    }
}


static void
llm_series_one(const llm_series_t *s, const llm_columns_t *c,
    llm_series_sum_t *sum, unsigned columns)
{
    size_t          place;
    const uint8_t  *values;

    values = s->bytes.data + c->at[LLM_COLUMNS_VALUES];

    if (llm_columns_find(c, values, sum->value, &place) == LLM_OK) {
        llm_series_cell(s, c, place, sum, columns);
    }
}


static void
llm_series_cell(const llm_series_t *s, const llm_columns_t *c, size_t place,
    llm_series_sum_t *sum, unsigned columns)
{
    int             i;
    const uint8_t  *p;

    for (i = 0; i < LLM_C_COUNT; i++) {

        if ((columns >> i & 1) != 0) {
            p = s->bytes.data + c->at[LLM_COLUMNS_SUM(i)];
            sum->sum[i] += (int64_t)
                           llm_columns_get(p, c->bits[LLM_COLUMNS_SUM(i)],
                                           place);
        }
    }
}


static int64_t
llm_series_nth(const llm_series_t *s, const llm_columns_t *c, size_t n)
{
    const uint8_t  *values;

    values = s->bytes.data + c->at[LLM_COLUMNS_VALUES];

    return (int64_t) ((uint64_t) c->least
                      + llm_columns_get(values,
                                        c->bits[LLM_COLUMNS_VALUES], n));
}


void
llm_series_pack_close(llm_series_t *s)
{
    (void) sqlite3_blob_close(s->blob);
    llm_buf_free(&s->bytes);

    s->blob = NULL;
}
