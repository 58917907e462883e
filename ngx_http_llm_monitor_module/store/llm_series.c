
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_series_pack.h"


#define LLM_SERIES_SCAN  4                 /* see llm_series_known() */

#define LLM_SERIES_SUMS                                                       \
    " requests, errors, usages, input_tokens, cache_read_tokens,"             \
    " cache_creation_tokens, output_tokens, reasoning_tokens, total_tokens,"  \
    " priced, cost_nano, duration_n, duration_us, ttft_n, ttft_us,"           \
    " speed_tokens, speed_us"


static int llm_series_window(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until, int what);
static int llm_series_quarters(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until, int what);
static int llm_series_rest(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until);
static int llm_series_others(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until);
static int llm_series_plus(llm_series_map_t *map,
    const llm_series_map_t *rest);
static int llm_series_span(llm_series_t *s, llm_series_map_t *map,
    int64_t span, int64_t t, int what);
static int llm_series_cells(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until, int what);
static int llm_series_rows(llm_series_t *s, llm_series_map_t *map,
    sqlite3_stmt *st, int64_t span, int64_t t);
static int llm_series_known(llm_series_t *s, llm_series_map_t *map,
    int64_t span, int64_t t);
static int llm_series_peek(llm_series_t *s, int64_t span, int64_t t);
static void llm_series_row(sqlite3_stmt *st, int64_t *sum, int64_t *total);


int
llm_series_open(llm_series_t *s, llm_reader_t *reader, int dim)
{
    memset(s, 0, sizeof(llm_series_t));

    s->reader = reader;
    s->dim = dim;

    if (sqlite3_prepare_v2(reader->db, "SELECT value," LLM_SERIES_SUMS
                           " FROM series WHERE span = ?1 AND t = ?2"
                           " AND dim = ?3", -1, &s->all, NULL)
        != SQLITE_OK
        || sqlite3_prepare_v2(reader->db, "SELECT value," LLM_SERIES_SUMS
                              " FROM series WHERE span = ?1 AND t = ?2"
                              " AND dim = ?3 AND value = ?4", -1, &s->one,
                              NULL)
           != SQLITE_OK
        || sqlite3_prepare_v2(reader->db, "SELECT value FROM series"
                              " WHERE span = ?1 AND t = ?2 AND dim = ?3", -1,
                              &s->values, NULL)
           != SQLITE_OK
        || sqlite3_prepare_v2(reader->db, "SELECT id FROM packed"
                              " WHERE span = ?1 AND t = ?2 AND dim = ?3", -1,
                              &s->packed, NULL)
           != SQLITE_OK)
    {
        llm_series_close(s);
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(s->all, 3, dim);
    (void) sqlite3_bind_int(s->one, 3, dim);
    (void) sqlite3_bind_int(s->values, 3, dim);
    (void) sqlite3_bind_int(s->packed, 3, dim);

    return LLM_OK;
}


void
llm_series_close(llm_series_t *s)
{
    sqlite3_finalize(s->all);
    sqlite3_finalize(s->one);
    sqlite3_finalize(s->values);
    sqlite3_finalize(s->packed);

    s->all = NULL;
    s->one = NULL;
    s->values = NULL;
    s->packed = NULL;

    llm_series_pack_close(s);
    llm_scoped_free(&s->scoped);
}


int
llm_series_narrow(llm_series_t *s, llm_scope_t *scope, int64_t since,
    int64_t until)
{
    s->narrow = 1;

    return llm_scoped_read(&s->scoped, scope, s->reader, s->dim, since,
                           until);
}


int
llm_series_extent(llm_reader_t *reader, int64_t *first, int64_t *end)
{
    int            rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(reader->db,
                           "SELECT (SELECT min(t) FROM series WHERE span ="
                           " 86400000), (SELECT max(t) + span FROM series"
                           " WHERE span = 86400000)", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *first = sqlite3_column_int64(st, 0);
        *end = sqlite3_column_int64(st, 1);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


int
llm_series_add(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    return llm_series_add_some(s, map, since, until, LLM_SERIES_COLUMNS);
}


int
llm_series_add_some(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until, unsigned columns)
{
    s->columns = columns;

    return llm_series_window(s, map, since, until, LLM_SERIES_EVERY);
}


int
llm_series_complete(llm_series_t *s, llm_series_map_t *map,
    llm_series_sum_t **sums, size_t n, int64_t since, int64_t until)
{
    if (!map->partial || n == 0) {
        return LLM_OK;
    }

    s->sums = sums;
    s->nsums = n;

    return llm_series_window(s, map, since, until, LLM_SERIES_MISSED);
}


int
llm_series_add_known(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    return llm_series_window(s, map, since, until, LLM_SERIES_KNOWN);
}


int
llm_series_add_values(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    return llm_series_window(s, map, since, until, LLM_SERIES_SEEN);
}


static int
llm_series_window(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until, int what)
{
    int      rc;
    int64_t  t, next;

    if (s->narrow) {
        return llm_series_cells(s, map, since, until, what);
    }

    for (t = since; t < until; t = next) {
        next = t - t % LLM_DAY_MS + LLM_DAY_MS;
        next = next < until ? next : until;
        rc = LLM_DECLINED;

        if (next - t == LLM_DAY_MS) {
            rc = llm_series_span(s, map, LLM_DAY_MS, t, what);

        } else if (what == LLM_SERIES_KNOWN && next - t > LLM_DAY_MS / 2) {
            rc = llm_series_rest(s, map, t, next);
        }

        if (rc == LLM_DECLINED) {
            rc = llm_series_quarters(s, map, t, next, what);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return LLM_OK;
}


static int
llm_series_quarters(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until, int what)
{
    int  rc;

    rc = LLM_OK;

    for ( /* void */ ; since < until && rc == LLM_OK; since += LLM_QUARTER_MS)
    {
        rc = llm_series_span(s, map, LLM_QUARTER_MS, since, what);
    }

    return rc;
}


/*
 * Most of a day is the day without the rest of it, which are fewer spans to
 * read.  That is exact if both have each value by itself.  LLM_DECLINED: they
 * have not, or the day is not there any more, whose quarters go later.
 */

static int
llm_series_rest(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    int               rc;
    size_t            i;
    llm_series_map_t  rest;

    memset(&rest, 0, sizeof(llm_series_map_t));

    s->resting = 1;
    s->found = 0;
    s->other = 0;
    rc = LLM_OK;

    for (i = 0; i < map->n && rc == LLM_OK; i++) {
        if (llm_series_get(&rest, map->sums[i].value) == NULL) {
            rc = LLM_NOMEM;
        }
    }

    if (rc == LLM_OK) {
        rc = llm_series_others(s, &rest, since, until);
    }

    if (rc == LLM_OK) {
        rc = llm_series_plus(map, &rest);
    }

    s->resting = 0;

    llm_series_free(&rest);

    return rc;
}


/* The day without what is not in [since, until) of it, in a map of zeros. */

static int
llm_series_others(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    int      rc, k;
    size_t   i;
    int64_t  day;

    day = since - since % LLM_DAY_MS;

    rc = llm_series_quarters(s, map, day, since, LLM_SERIES_KNOWN);

    if (rc == LLM_OK) {
        rc = llm_series_quarters(s, map, until, day + LLM_DAY_MS,
                                 LLM_SERIES_KNOWN);
    }

    for (i = 0; i < map->n; i++) {
        for (k = 0; k < LLM_C_COUNT; k++) {
            map->sums[i].sum[k] = -map->sums[i].sum[k];
        }
    }

    if (rc == LLM_OK) {
        s->found = 0;
        rc = llm_series_span(s, map, LLM_DAY_MS, day, LLM_SERIES_KNOWN);
    }

    return rc == LLM_OK && (!s->found || s->other) ? LLM_DECLINED : rc;
}


/* Both have the same values in the same order; what is less is none. */

static int
llm_series_plus(llm_series_map_t *map, const llm_series_map_t *rest)
{
    int     k;
    size_t  i;

    for (i = 0; i < rest->n; i++) {
        for (k = 0; k < LLM_C_COUNT; k++) {
            if (rest->sums[i].sum[k] < 0) {
                return LLM_DECLINED;
            }
        }
    }

    for (i = 0; i < rest->n; i++) {
        for (k = 0; k < LLM_C_COUNT; k++) {
            map->sums[i].sum[k] += rest->sums[i].sum[k];
        }
    }

    return LLM_OK;
}


static int
llm_series_span(llm_series_t *s, llm_series_map_t *map, int64_t span,
    int64_t t, int what)
{
    int  rc;

    rc = llm_series_packed(s, map, span, t, what);

    if (rc != LLM_DECLINED) {
        return rc;
    }

    switch (what) {

    case LLM_SERIES_KNOWN:
        return llm_series_known(s, map, span, t);

    case LLM_SERIES_SEEN:
        return llm_series_rows(s, map, s->values, span, t);

    case LLM_SERIES_MISSED:
        return LLM_OK;

    default: /* LLM_SERIES_EVERY */
        return llm_series_rows(s, map, s->all, span, t);
    }
}


static int
llm_series_cells(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until, int what)
{
    int                       i, rc;
    size_t                    n;
    llm_series_sum_t         *sum;
    const llm_scoped_cell_t  *cell;

    for (n = llm_scoped_from(&s->scoped, since); n < s->scoped.n; n++) {
        cell = &s->scoped.cells[n];

        if (cell->t >= until) {
            break;
        }

        rc = llm_series_sum(map, cell->value, what, &sum);

        if (rc != LLM_OK) {
            return rc;
        }

        for (i = 0; i < LLM_C_COUNT && sum != NULL; i++) {
            sum->sum[i] += cell->sum[i];
            map->total[i] += cell->sum[i];
        }
    }

    return LLM_OK;
}


int
llm_series_sum(llm_series_map_t *map, int64_t value, int what,
    llm_series_sum_t **sum)
{
    if (what == LLM_SERIES_KNOWN) {
        *sum = llm_series_find(map, value);
        return LLM_OK;
    }

    *sum = llm_series_get(map, value);

    if (*sum == NULL) {
        return map->n == LLM_SERIES_VALUES ? LLM_FULL : LLM_NOMEM;
    }

    if (what == LLM_SERIES_SEEN) {
        *sum = NULL;
    }

    return LLM_OK;
}


static int
llm_series_rows(llm_series_t *s, llm_series_map_t *map, sqlite3_stmt *st,
    int64_t span, int64_t t)
{
    int                rc;
    llm_series_sum_t  *sum;

    (void) sqlite3_bind_int64(st, 1, span);
    (void) sqlite3_bind_int64(st, 2, t);

    s->times++;

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        s->rows++;

        sum = llm_series_get(map, sqlite3_column_int64(st, 0));

        if (sum == NULL) {
            (void) sqlite3_reset(st);
            return map->n == LLM_SERIES_VALUES ? LLM_FULL : LLM_NOMEM;
        }

        if (st == s->all) {
            llm_series_row(st, sum->sum, map->total);
        }
    }

    (void) sqlite3_reset(st);

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* Few values of many are looked up one by one, each costs some steps. */

static int
llm_series_known(llm_series_t *s, llm_series_map_t *map, int64_t span,
    int64_t t)
{
    int                rc, all;
    size_t             i;
    sqlite3_stmt      *st;
    llm_series_sum_t  *sum;

    if (s->resting && llm_series_peek(s, span, t) != LLM_OK) {
        return LLM_ERROR;
    }

    all = s->rows < s->times * map->n * LLM_SERIES_SCAN;
    st = all ? s->all : s->one;
    rc = SQLITE_DONE;

    (void) sqlite3_bind_int64(st, 1, span);
    (void) sqlite3_bind_int64(st, 2, t);

    for (i = 0; i < map->n && rc == SQLITE_DONE; i = all ? map->n : i + 1) {

        if (!all) {
            (void) sqlite3_bind_int64(st, 4, map->sums[i].value);
        }

        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            sum = llm_series_find(map, sqlite3_column_int64(st, 0));

            if (sum != NULL) {
                llm_series_row(st, sum->sum, NULL);
            }
        }

        (void) sqlite3_reset(st);
    }

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* The first value is that of the others, if there is one. */

static int
llm_series_peek(llm_series_t *s, int64_t span, int64_t t)
{
    int  rc;

    (void) sqlite3_bind_int64(s->values, 1, span);
    (void) sqlite3_bind_int64(s->values, 2, t);

    rc = sqlite3_step(s->values);

    if (rc == SQLITE_ROW) {
        s->found = 1;
        s->other |= sqlite3_column_int64(s->values, 0) == LLM_LEDGER_OTHER;
    }

    (void) sqlite3_reset(s->values);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


int
llm_series_add_minutes(llm_reader_t *reader, llm_series_sum_t *sum,
    int64_t since, int64_t until)
{
    int            rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(reader->db, "SELECT 0," LLM_SERIES_SUMS
                           " FROM service_minute WHERE t >= ?1 AND t < ?2",
                           -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, since);
    (void) sqlite3_bind_int64(st, 2, until);

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        llm_series_row(st, sum->sum, NULL);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


/* total may be NULL */

static void
llm_series_row(sqlite3_stmt *st, int64_t *sum, int64_t *total)
{
    int      i;
    int64_t  v;

    for (i = 0; i < LLM_C_COUNT; i++) {
        v = sqlite3_column_int64(st, i + 1);

        sum[i] += v;

        if (total != NULL) {
            total[i] += v;
        }
    }
}
