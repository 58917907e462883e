
/*
 * Copyright (C) llm_monitor contributors
 *
 * Of a block that passes as a whole the head has the counts; of another one
 * those rows are counted that are fewer, which pass or which do not.  Values
 * are mostly small numbers, ids of the dictionary: they are counted in arrays,
 * and looked up once in the end.
 */


#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "llm_block_count.h"
#include "llm_census.h"
#include "llm_sieve.h"
#include "llm_where.h"


#define LLM_CENSUS_SQL     16384
#define LLM_CENSUS_LEAST   1024        /* statuses are below that */
#define LLM_CENSUS_MOST    (1 << 20)   /* greater values have no place */


/* of a column of a block */

typedef struct {
    llm_block_head_t    head;
    const uint8_t      *codes;
} llm_census_column_t;

typedef struct {
    llm_reader_t       *reader;
    llm_where_t        *where;
    llm_sieve_t        *sieve;          /* NULL: there are no blocks */
    sqlite3_stmt       *rows;
    llm_series_map_t   *maps;
    int64_t             total;

    uint32_t           *counts[LLM_CENSUS_COLUMNS];  /* by value, those */
    int64_t             room;                        /* from 0 to here */
    int64_t             end[LLM_CENSUS_COLUMNS];     /* used up to here */

    /* of the present block */
    llm_census_column_t  column[LLM_CENSUS_COLUMNS];
    int                 all;            /* of its rows pass, or */
    int                 most;           /* more than half; then the places */
    int                 places;         /* are those of the others */
    uint16_t            at[LLM_BLOCK_ROWS];
    uint8_t             others[LLM_BLOCK_ROOM];
} llm_census_t;


static int llm_census_open(llm_census_t *c);
static int llm_census_arrays(llm_census_t *c);
static int llm_census_prepare(llm_census_t *c);
static void llm_census_close(llm_census_t *c);
static int llm_census_blocks(llm_census_t *c);
static int llm_census_range(llm_census_t *c, int64_t from, int64_t to);
static int llm_census_scan(llm_census_t *c);
static int llm_census_block(llm_census_t *c);
static int llm_census_read(llm_census_t *c, int n);
static int llm_census_own(llm_census_t *c, int n);
static void llm_census_places(llm_census_t *c);
static int llm_census_column(llm_census_t *c, int n);
static int llm_census_listed(llm_census_t *c, int n);
static int llm_census_passes(llm_census_t *c, int64_t value);
static int llm_census_each(llm_census_t *c, int n);
static int llm_census_add(llm_census_t *c, int n, int64_t value, int rows);
static int llm_census_flush(llm_census_t *c);
static int llm_census_count(llm_series_map_t *map, int64_t value,
    int64_t rows);


/* by llm_census_e */

static const int  llm_census_sift[LLM_CENSUS_COLUMNS] = {
    LLM_SIFT_MODEL, LLM_SIFT_ACCOUNT, LLM_SIFT_PROVIDER, LLM_SIFT_STATUS,
    LLM_SIFT_ENDPOINT, LLM_SIFT_USER
};

#define LLM_CENSUS_TEXT(column, name)                                         \
    "CASE WHEN l." column " IS NULL AND l.over ->> '$." name "' IS NOT NULL"  \
    " THEN -1 ELSE l." column " END"

static const char  llm_census_select[] =
    "SELECT " LLM_CENSUS_TEXT("model", "model")
    ", " LLM_CENSUS_TEXT("account", "account_email")
    ", " LLM_CENSUS_TEXT("provider", "provider")
    ", l.status"
    ", " LLM_CENSUS_TEXT("endpoint", "endpoint")
    ", " LLM_CENSUS_TEXT("user", "user")
    " FROM log AS l";


int
llm_census(llm_reader_t *reader, const llm_filter_t *f,
    llm_series_map_t *maps, int64_t *total, llm_query_error_t *err)
{
    int            rc;
    llm_census_t  *c;

    c = malloc(sizeof(llm_census_t));

    if (c == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    memset(c, 0, offsetof(llm_census_t, at));

    c->reader = reader;
    c->maps = maps;

    rc = llm_where_create(&c->where, reader->db, f);

    if (rc == LLM_OK) {
        rc = llm_census_open(c);
    }

    if (rc == LLM_OK) {
        rc = c->sieve != NULL ? llm_census_blocks(c) : llm_census_scan(c);
    }

    /* before other statements are closed: then the error is theirs */

    if (rc == LLM_ERROR) {
        rc = llm_reader_timeout(reader) ? LLM_AGAIN
                                        : llm_reader_fail(reader, err);
    }

    if ((rc == LLM_OK || rc == LLM_AGAIN) && llm_census_flush(c) != LLM_OK) {
        rc = LLM_NOMEM;
    }

    if (rc == LLM_NOMEM) {
        rc = llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    *total += c->total;

    llm_census_close(c);

    return rc;
}


static int
llm_census_open(llm_census_t *c)
{
    int  rc;

    rc = llm_sieve_open(&c->sieve, c->reader, llm_where_sift(c->where),
                        LLM_SIEVE_ROWS, 0);

    if (rc == LLM_OK) {
        rc = llm_census_arrays(c);
    }

    if (rc == LLM_OK || rc == LLM_DECLINED) {
        rc = llm_census_prepare(c);
    }

    return rc;
}


static int
llm_census_arrays(llm_census_t *c)
{
    int            i, rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(c->reader->db, "SELECT max(id) + 1 FROM dict", -1,
                           &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);
    c->room = sqlite3_column_int64(st, 0);

    sqlite3_finalize(st);

    if (rc != SQLITE_ROW) {
        return LLM_ERROR;
    }

    c->room = c->room > LLM_CENSUS_LEAST ? c->room : LLM_CENSUS_LEAST;
    c->room = c->room < LLM_CENSUS_MOST ? c->room : LLM_CENSUS_MOST;

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {
        c->counts[i] = calloc((size_t) c->room, sizeof(uint32_t));

        if (c->counts[i] == NULL) {
            return LLM_NOMEM;
        }
    }

    return LLM_OK;
}


/* Without blocks the database chooses an index. */

static int
llm_census_prepare(llm_census_t *c)
{
    int        rc;
    llm_buf_t  sql;

    llm_buf_init(&sql, LLM_CENSUS_SQL);
    llm_buf_text(&sql, llm_census_select);

    if (c->sieve != NULL) {
        llm_buf_text(&sql, " NOT INDEXED WHERE 1");
        llm_buf_text(&sql, llm_where_text_untimed(c->where));
        llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");

    } else {
        llm_buf_text(&sql, " WHERE 1");
        llm_buf_text(&sql, llm_where_text(c->where));
    }

    llm_buf_text(&sql, " ORDER BY l.id DESC");

    rc = LLM_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v2(c->reader->db, (const char *) sql.data,
                                (int) sql.len, &c->rows, NULL)
             == SQLITE_OK ? LLM_OK : LLM_ERROR;
    }

    llm_buf_free(&sql);

    if (rc == LLM_OK) {
        rc = c->sieve != NULL ? llm_where_bind_untimed(c->where, c->rows)
                              : llm_where_bind(c->where, c->rows);
    }

    return rc;
}


static void
llm_census_close(llm_census_t *c)
{
    int  i;

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {
        free(c->counts[i]);
    }

    sqlite3_finalize(c->rows);
    llm_sieve_close(c->sieve);
    llm_where_free(c->where);
    free(c);
}


static int
llm_census_blocks(llm_census_t *c)
{
    int      rc;
    int64_t  from, to;

    from = 0;
    to = INT64_MAX;

    if (!llm_sift_within(llm_where_sift(c->where), &from, &to)) {
        return LLM_OK;
    }

    llm_sieve_range(c->sieve, from, to);

    while ((rc = llm_sieve_next(c->sieve, &from, &to)) == LLM_OK) {

        if (!c->sieve->block) {
            rc = llm_census_range(c, from, to);

        } else if (c->sieve->hits != 0) {
            rc = llm_census_block(c);

            if (rc == LLM_DECLINED) {
                rc = llm_census_range(c, c->sieve->low, c->sieve->high);
            }
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static int
llm_census_range(llm_census_t *c, int64_t from, int64_t to)
{
    int  n, rc;

    n = llm_where_params_untimed(c->where);

    (void) sqlite3_bind_int64(c->rows, n + 1, from);
    (void) sqlite3_bind_int64(c->rows, n + 2, to);

    rc = llm_census_scan(c);

    (void) sqlite3_reset(c->rows);

    return rc;
}


static int
llm_census_scan(llm_census_t *c)
{
    int  i, rc;

    while ((rc = sqlite3_step(c->rows)) == SQLITE_ROW) {

        c->total++;

        for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {

            /* of a column that is null it is 0, LLM_LEDGER_NULL */

            if (llm_census_add(c, i, sqlite3_column_int64(c->rows, i), 1)
                != LLM_OK)
            {
                return LLM_NOMEM;
            }
        }
    }

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* LLM_DECLINED: its rows must be looked at. */

static int
llm_census_block(llm_census_t *c)
{
    int  i, rc;

    rc = LLM_OK;

    for (i = 0; i < LLM_CENSUS_COLUMNS && rc == LLM_OK; i++) {
        rc = llm_census_read(c, i);
    }

    if (rc == LLM_OK) {
        llm_census_places(c);
        c->total += c->sieve->hits;
    }

    for (i = 0; i < LLM_CENSUS_COLUMNS && rc == LLM_OK; i++) {
        rc = llm_census_column(c, i);
    }

    return rc;
}


/* What is only in the row's object of texts the block does not tell. */

static int
llm_census_read(llm_census_t *c, int n)
{
    llm_sieve_t       *s;
    llm_block_head_t  *head;

    s = c->sieve;
    head = &c->column[n].head;

    if (llm_block_head(s->heads, s->len, llm_census_sift[n], s->n, head)
        != LLM_OK
        || (llm_sift_text(llm_census_sift[n]) && head->min == LLM_SIFT_OVER))
    {
        return LLM_DECLINED;
    }

    if (head->width == 0
        || (head->values != 0 && (s->hits == s->n || llm_census_own(c, n))))
    {
        return LLM_OK;
    }

    return llm_sieve_codes(s, llm_census_sift[n], head, &c->column[n].codes);
}


/* Whether the value of the column alone says which rows pass. */

static int
llm_census_own(llm_census_t *c, int n)
{
    llm_sieve_t  *s;

    s = c->sieve;

    return s->hits != s->n && s->only != -1
           && s->sift->term[s->only].column == llm_census_sift[n];
}


/* The places of the rows that pass, or if these are more, of the others. */

static void
llm_census_places(llm_census_t *c)
{
    llm_sieve_t  *s;

    s = c->sieve;
    c->all = (s->hits == s->n);
    c->most = (s->hits > s->n / 2);

    if (c->all) {
        llm_block_rows(s->rows, s->n);
        return;
    }

    if (!c->most) {
        c->places = llm_block_places(s->rows, s->n, c->at);
        return;
    }

    llm_block_others(s->rows, s->n, c->others);
    c->places = llm_block_places(c->others, s->n, c->at);
}


static int
llm_census_column(llm_census_t *c, int n)
{
    llm_block_head_t  *head;

    head = &c->column[n].head;

    if (head->width == 0) {
        return llm_census_add(c, n, head->min, c->sieve->hits);
    }

    if (head->values != 0
        && (c->most || c->places >= head->values || llm_census_own(c, n)))
    {
        return llm_census_listed(c, n);
    }

    if (head->values != 0 || head->min < 0 || head->max >= c->room) {
        return llm_census_each(c, n);
    }

    llm_block_add(head, c->column[n].codes, c->most ? NULL : c->at,
                  c->sieve->rows, c->most ? c->sieve->n : c->places,
                  c->counts[n] + head->min);

    c->end[n] = head->max < c->end[n] ? c->end[n] : head->max + 1;

    return LLM_OK;
}


static int
llm_census_listed(llm_census_t *c, int n)
{
    int                   i, own, rows, counts[LLM_BLOCK_VALUES];
    int64_t               value;
    llm_census_column_t  *column;

    column = &c->column[n];
    own = llm_census_own(c, n);

    if (!c->all && !own) {
        llm_block_count(column->codes, c->at, c->places, counts);
    }

    for (i = 0; i < column->head.values; i++) {
        value = llm_block_listed(&column->head, i);
        rows = llm_block_counted(&column->head, i);

        if (own) {
            rows = llm_census_passes(c, value) ? rows : 0;

        } else if (!c->all) {
            rows = c->most ? rows - counts[i] : counts[i];
        }

        if (rows > 0 && llm_census_add(c, n, value, rows) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    return LLM_OK;
}


static int
llm_census_passes(llm_census_t *c, int64_t value)
{
    const llm_sift_t  *sift;

    sift = c->sieve->sift;

    return llm_sift_passes(sift, &sift->term[c->sieve->only], value);
}


static int
llm_census_each(llm_census_t *c, int n)
{
    int                   i, row, rows;
    llm_census_column_t  *column;

    column = &c->column[n];
    rows = c->most ? c->sieve->n : c->places;

    for (i = 0; i < rows; i++) {
        row = c->most ? i : c->at[i];

        if (c->sieve->rows[row]
            && llm_census_add(c, n, llm_block_value(&column->head,
                                                    column->codes, row), 1)
               != LLM_OK)
        {
            return LLM_NOMEM;
        }
    }

    return LLM_OK;
}


static int
llm_census_add(llm_census_t *c, int n, int64_t value, int rows)
{
    if (n == LLM_CENSUS_STATUS && value == -1) {
        value = LLM_LEDGER_NULL;
    }

    if (value < 0 || value >= c->room) {
        return llm_census_count(&c->maps[n], value, rows);
    }

    c->counts[n][value] += (uint32_t) rows;
    c->end[n] = value < c->end[n] ? c->end[n] : value + 1;

    return LLM_OK;
}


static int
llm_census_flush(llm_census_t *c)
{
    int      i;
    int64_t  value;

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {
        for (value = 0; value < c->end[i]; value++) {

            if (c->counts[i][value] != 0
                && llm_census_count(&c->maps[i], value, c->counts[i][value])
                   != LLM_OK)
            {
                return LLM_NOMEM;
            }
        }
    }

    return LLM_OK;
}


static int
llm_census_count(llm_series_map_t *map, int64_t value, int64_t rows)
{
    llm_series_sum_t  *sum;

    sum = llm_series_find(map, value);

    if (sum == NULL && map->n >= LLM_SERIES_VALUES - 1) {
        value = LLM_LEDGER_OTHER;
    }

    if (sum == NULL) {
        sum = llm_series_get(map, value);
    }

    if (sum == NULL) {
        return LLM_NOMEM;
    }

    sum->sum[LLM_C_REQUESTS] += rows;

    return LLM_OK;
}
