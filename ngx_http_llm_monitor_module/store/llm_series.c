
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_pack.h"
#include "llm_series.h"


#define LLM_SERIES_ROOM    64              /* of a new map */
#define LLM_SERIES_SCAN    4               /* see llm_series_known() */

#define LLM_SERIES_SUMS                                                       \
    " requests, errors, usages, input_tokens, cache_read_tokens,"             \
    " cache_creation_tokens, output_tokens, reasoning_tokens, total_tokens,"  \
    " priced, cost_nano, duration_n, duration_us, ttft_n, ttft_us,"           \
    " speed_tokens, speed_us"


/* what is added: to which sums, or the values alone */

enum {
    LLM_SERIES_EVERY = 0, LLM_SERIES_KNOWN, LLM_SERIES_REQUESTS,
    LLM_SERIES_SEEN
};


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
static int llm_series_sum(llm_series_map_t *map, int64_t value, int what,
    llm_series_sum_t **sum);
static int llm_series_packed(llm_series_t *s, llm_series_map_t *map,
    int64_t span, int64_t t, int what);
static int llm_series_whole(const uint8_t *p, size_t n);
static int llm_series_value(llm_series_t *s, llm_series_map_t *map,
    const llm_unpack_t *u, int what);
static int llm_series_rows(llm_series_t *s, llm_series_map_t *map,
    sqlite3_stmt *st, int64_t span, int64_t t);
static int llm_series_known(llm_series_t *s, llm_series_map_t *map,
    int64_t span, int64_t t);
static int llm_series_peek(llm_series_t *s, int64_t span, int64_t t);
static void llm_series_row(sqlite3_stmt *st, llm_series_sum_t *sum);
static uint32_t *llm_series_place(const llm_series_map_t *map, int64_t value);
static int llm_series_grow(llm_series_map_t *map);


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
        || sqlite3_prepare_v2(reader->db, "SELECT data FROM packed"
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
    return llm_series_window(s, map, since, until, LLM_SERIES_EVERY);
}


int
llm_series_add_known(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until)
{
    return llm_series_window(s, map, since, until, LLM_SERIES_KNOWN);
}


int
llm_series_add_requests(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until)
{
    return llm_series_window(s, map, since, until, LLM_SERIES_REQUESTS);
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

    default: /* LLM_SERIES_EVERY, LLM_SERIES_REQUESTS */
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
        }
    }

    return LLM_OK;
}


/* Where to add to a value; NULL: nowhere. */

static int
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


/* LLM_DECLINED: it is not packed, or damaged: the rows have the same. */

static int
llm_series_packed(llm_series_t *s, llm_series_map_t *map, int64_t span,
    int64_t t, int what)
{
    int             rc;
    size_t          n;
    llm_unpack_t    u;
    const uint8_t  *p;

    (void) sqlite3_bind_int64(s->packed, 1, span);
    (void) sqlite3_bind_int64(s->packed, 2, t);

    rc = sqlite3_step(s->packed);

    if (rc != SQLITE_ROW) {
        (void) sqlite3_reset(s->packed);
        return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
    }

    p = sqlite3_column_blob(s->packed, 0);
    n = (size_t) sqlite3_column_bytes(s->packed, 0);

    rc = llm_series_whole(p, n);

    if (rc == LLM_OK) {
        s->times++;
        (void) llm_unpack_start(&u, p, n);

        while (rc == LLM_OK && llm_unpack_next(&u) == LLM_OK) {
            rc = llm_series_value(s, map, &u, what);
        }
    }

    (void) sqlite3_reset(s->packed);

    return rc;
}


/* Before anything is added: a part of it would be counted twice. */

static int
llm_series_whole(const uint8_t *p, size_t n)
{
    int           rc;
    llm_unpack_t  u;

    if (p == NULL || llm_unpack_start(&u, p, n) != LLM_OK) {
        return LLM_DECLINED;
    }

    while ((rc = llm_unpack_next(&u)) == LLM_OK) {
        /* void */
    }

    return rc == LLM_AGAIN ? LLM_OK : LLM_DECLINED;
}


static int
llm_series_value(llm_series_t *s, llm_series_map_t *map,
    const llm_unpack_t *u, int what)
{
    int                rc;
    llm_series_sum_t  *sum;

    s->rows++;
    s->found = 1;
    s->other |= u->value == LLM_LEDGER_OTHER;

    rc = llm_series_sum(map, u->value, what, &sum);

    if (rc == LLM_OK && sum != NULL) {
        (void) llm_unpack_sums(u, sum->sum, what == LLM_SERIES_REQUESTS
                                            ? LLM_C_REQUESTS + 1
                                            : LLM_C_COUNT);
    }

    return rc;
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
            llm_series_row(st, sum);
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
                llm_series_row(st, sum);
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
        llm_series_row(st, sum);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static void
llm_series_row(sqlite3_stmt *st, llm_series_sum_t *sum)
{
    int  i;

    for (i = 0; i < LLM_C_COUNT; i++) {
        sum->sum[i] += sqlite3_column_int64(st, i + 1);
    }
}


llm_series_sum_t *
llm_series_find(const llm_series_map_t *map, int64_t value)
{
    uint32_t  *place;

    if (map->n == 0) {
        return NULL;
    }

    place = llm_series_place(map, value);

    return *place != 0 ? &map->sums[*place - 1] : NULL;
}


llm_series_sum_t *
llm_series_get(llm_series_map_t *map, int64_t value)
{
    uint32_t          *place;
    llm_series_sum_t  *sum;

    sum = llm_series_find(map, value);

    if (sum != NULL) {
        return sum;
    }

    if (map->n == LLM_SERIES_VALUES
        || (map->n == map->room && llm_series_grow(map) != LLM_OK))
    {
        return NULL;
    }

    place = llm_series_place(map, value);
    sum = &map->sums[map->n++];
    *place = (uint32_t) map->n;

    memset(sum, 0, sizeof(llm_series_sum_t));
    sum->value = value;

    return sum;
}


/* The place of a value, or a free one; there is always one. */

static uint32_t *
llm_series_place(const llm_series_map_t *map, int64_t value)
{
    size_t    at, mask;
    uint32_t  n;

    mask = 2 * map->room - 1;
    at = (size_t) ((uint64_t) value * 0x9e3779b97f4a7c15ULL >> 32) & mask;

    for ( ;; ) {
        n = map->index[at];

        if (n == 0 || map->sums[n - 1].value == value) {
            return &map->index[at];
        }

        at = (at + 1) & mask;
    }
}


static int
llm_series_grow(llm_series_map_t *map)
{
    size_t             i, room;
    uint32_t          *index;
    llm_series_sum_t  *sums;

    room = map->room ? 2 * map->room : LLM_SERIES_ROOM;

    sums = realloc(map->sums, room * sizeof(llm_series_sum_t));
    if (sums == NULL) {
        return LLM_NOMEM;
    }

    map->sums = sums;

    index = calloc(2 * room, sizeof(uint32_t));
    if (index == NULL) {
        return LLM_NOMEM;
    }

    free(map->index);
    map->index = index;
    map->room = room;

    for (i = 0; i < map->n; i++) {
        *llm_series_place(map, sums[i].value) = (uint32_t) i + 1;
    }

    return LLM_OK;
}


void
llm_series_free(llm_series_map_t *map)
{
    free(map->sums);
    free(map->index);
    memset(map, 0, sizeof(llm_series_map_t));
}
