
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_guide.h"


#define LLM_GUIDE_MAX_MS   (INT64_MAX >> LLM_ID_SHIFT)


static int llm_guide_indexed(const llm_filter_t *f);
static int llm_guide_extent(llm_guide_t *g);
static int llm_guide_int(llm_reader_t *reader, const char *sql, int64_t *v);
static int llm_guide_day(llm_guide_t *g);
static int llm_guide_sum(llm_guide_t *g);
static int llm_guide_blank(llm_guide_t *g);
static int llm_guide_there(llm_guide_t *g, int64_t span, int64_t t);
static int llm_guide_cell(llm_guide_t *g, int64_t value);
static int llm_guide_run(llm_guide_t *g, int64_t *from, int64_t *to);
static void llm_guide_turn(llm_guide_t *g);
static int llm_guide_rest(llm_guide_t *g, int64_t *from, int64_t *to);


int
llm_guide_open(llm_guide_t *g, llm_reader_t *reader, const llm_where_t *w,
    const llm_filter_t *f, int page, int blocks)
{
    int      rc;
    int64_t  cursor;

    memset(g, 0, sizeof(llm_guide_t));

    g->reader = reader;
    g->days = blocks;

    llm_sift_dim(llm_where_sift(w), &g->dim);

    if (!page) {
        rc = llm_tally_open(&g->tally, reader, llm_where_sift(w));

        if (rc == LLM_ERROR) {
            return LLM_ERROR;
        }

        g->counts = (rc == LLM_OK);

        if (!g->counts && blocks) {
            return LLM_DECLINED;
        }
    }

    if (!g->counts
        && (g->dim.dim == LLM_SERIES_TOTAL || llm_guide_indexed(f)))
    {
        return LLM_DECLINED;
    }

    g->ascending = (page && f->num[LLM_F_ASCENDING] == 1);
    g->low = f->num[LLM_F_SINCE] > 0 ? f->num[LLM_F_SINCE] : 0;
    g->high = f->num[LLM_F_UNTIL] != LLM_NULL ? f->num[LLM_F_UNTIL]
                                              : LLM_GUIDE_MAX_MS;
    cursor = f->num[LLM_F_CURSOR_ID];

    if (page && cursor != LLM_NULL) {
        cursor >>= LLM_ID_SHIFT;

        if (g->ascending) {
            g->low = cursor > g->low ? cursor : g->low;

        } else {
            g->high = cursor < g->high ? cursor + 1 : g->high;
        }
    }

    if (llm_guide_extent(g) != LLM_OK
        || sqlite3_prepare_v2(reader->db, "SELECT 1 FROM series WHERE span ="
                              " ?1 AND t = ?2 AND dim = ?3 AND value = ?4",
                              -1, &g->st, NULL)
           != SQLITE_OK)
    {
        llm_guide_close(g);
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(g->st, 3, g->dim.dim);

    return LLM_OK;
}


/* What has an index of its own is found by that. */

static int
llm_guide_indexed(const llm_filter_t *f)
{
    return f->num[LLM_F_STATUS_MIN] != LLM_NULL
           || f->num[LLM_F_ERRORS_ONLY] == 1
           || f->num[LLM_F_QUICK] == LLM_QUICK_ERRORS
           || f->num[LLM_F_SCOPE] == LLM_SCOPE_ACCOUNT
           || llm_filter_str(f, LLM_F_ACCOUNT).data != NULL
           || llm_filter_str(f, LLM_F_SESSION).data != NULL;
}


void
llm_guide_close(llm_guide_t *g)
{
    llm_tally_close(&g->tally);
    sqlite3_finalize(g->st);
    g->st = NULL;
}


/*
 * Of the first day a part may have gone by its age, and of all days before it
 * the quarter-hours or the days.
 */

static int
llm_guide_extent(llm_guide_t *g)
{
    int64_t  quarter;

    if (llm_guide_int(g->reader, "SELECT min(t) FROM series WHERE span ="
                      " 86400000", &g->first)
        != LLM_OK
        || llm_guide_int(g->reader, "SELECT min(t) FROM series WHERE span ="
                         " 900000", &quarter)
           != LLM_OK
        || llm_guide_int(g->reader, "SELECT max(t) FROM series WHERE span ="
                         " 86400000", &g->end)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (g->first == -1 || quarter == -1) {
        g->first = LLM_GUIDE_MAX_MS;
        g->end = LLM_GUIDE_MAX_MS;

    } else {
        g->first = quarter > g->first ? quarter : g->first;
        g->first += LLM_DAY_MS - g->first % LLM_DAY_MS;
        g->end += LLM_DAY_MS;
    }

    g->rest = 1;
    g->day = g->low > g->first ? g->low - g->low % LLM_DAY_MS : g->first;

    if (!g->ascending) {
        g->day = (g->high < g->end ? g->high : g->end) - 1;
        g->day -= g->day % LLM_DAY_MS;
    }

    return LLM_OK;
}


/* -1: there is none */

static int
llm_guide_int(llm_reader_t *reader, const char *sql, int64_t *v)
{
    int            rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(reader->db, sql, -1, &st, NULL) != SQLITE_OK) {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *v = sqlite3_column_type(st, 0) == SQLITE_NULL
                 ? -1 : sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


int
llm_guide_next(llm_guide_t *g, int64_t *from, int64_t *to)
{
    int  rc;

    if (g->ascending && g->rest) {
        rc = llm_guide_rest(g, from, to);

        if (rc == LLM_OK) {
            return rc;
        }
    }

    while (g->day >= g->first && g->day < g->end && g->day < g->high
           && g->day + LLM_DAY_MS > g->low)
    {
        if (!g->known) {
            rc = llm_guide_sum(g);

            if (rc == LLM_OK) {
                llm_guide_turn(g);
                continue;
            }

            if (rc == LLM_ERROR || llm_guide_day(g) != LLM_OK) {
                return LLM_ERROR;
            }
        }

        if (llm_guide_run(g, from, to) == LLM_OK) {
            return LLM_OK;
        }

        llm_guide_turn(g);
    }

    return g->rest ? llm_guide_rest(g, from, to) : LLM_DECLINED;
}


/* A day that is asked for as a whole may need no look at its rows. */

static int
llm_guide_sum(llm_guide_t *g)
{
    if (!g->counts || g->day < g->low || g->day + LLM_DAY_MS > g->high) {
        return LLM_DECLINED;
    }

    return llm_tally_day(&g->tally, g->day, &g->sum);
}


static int
llm_guide_day(llm_guide_t *g)
{
    int  i, rc;

    g->known = 1;
    g->quarter = g->ascending ? 0 : (int) LLM_GUIDE_QUARTERS - 1;

    memset(g->there, g->dim.dim == LLM_SERIES_TOTAL, sizeof(g->there));

    if (g->dim.dim == LLM_SERIES_TOTAL) {
        return LLM_OK;
    }

    rc = llm_guide_there(g, LLM_DAY_MS, g->day);

    if (rc == LLM_DECLINED) {
        return llm_guide_blank(g);
    }

    if (rc != LLM_OK) {
        return rc;
    }

    if (g->days) {
        memset(g->there, 1, sizeof(g->there));
        return LLM_OK;
    }

    for (i = 0; i < (int) LLM_GUIDE_QUARTERS; i++) {
        rc = llm_guide_there(g, LLM_QUARTER_MS, g->day + i * LLM_QUARTER_MS);

        if (rc == LLM_ERROR) {
            return rc;
        }

        g->there[i] = (rc == LLM_OK);
    }

    return LLM_OK;
}


/* A day whose sums were too old and are gone: a late record came before it. */

static int
llm_guide_blank(llm_guide_t *g)
{
    int  rc;

    (void) sqlite3_bind_int(g->st, 3, LLM_SERIES_TOTAL);

    rc = llm_guide_cell(g, 0);

    (void) sqlite3_bind_int(g->st, 3, g->dim.dim);

    if (rc == LLM_DECLINED) {
        memset(g->there, 1, sizeof(g->there));
        rc = LLM_OK;
    }

    return rc;
}


/* What a bound summed up in the rest may be any value. */

static int
llm_guide_there(llm_guide_t *g, int64_t span, int64_t t)
{
    int  i, rc;

    (void) sqlite3_bind_int64(g->st, 1, span);
    (void) sqlite3_bind_int64(g->st, 2, t);

    for (i = 0; i < g->dim.n; i++) {
        rc = llm_guide_cell(g, g->dim.value[i]);

        if (rc != LLM_DECLINED) {
            return rc;
        }
    }

    return llm_guide_cell(g, LLM_LEDGER_OTHER);
}


static int
llm_guide_cell(llm_guide_t *g, int64_t value)
{
    int  rc;

    (void) sqlite3_bind_int64(g->st, 4, value);

    rc = sqlite3_step(g->st);
    (void) sqlite3_reset(g->st);

    if (rc == SQLITE_ROW) {
        return LLM_OK;
    }

    return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
}


/* Neighbours are one range. */

static int
llm_guide_run(llm_guide_t *g, int64_t *from, int64_t *to)
{
    int  step, start, last;

    step = g->ascending ? 1 : -1;
    last = g->ascending ? (int) LLM_GUIDE_QUARTERS : -1;

    while (g->quarter != last && !g->there[g->quarter]) {
        g->quarter += step;
    }

    if (g->quarter == last) {
        return LLM_DECLINED;
    }

    start = g->quarter;

    while (g->quarter != last && g->there[g->quarter]) {
        g->quarter += step;
    }

    if (!g->ascending) {
        last = start;
        start = g->quarter + 1;

    } else {
        last = g->quarter - 1;
    }

    *from = (g->day + start * LLM_QUARTER_MS) << LLM_ID_SHIFT;
    *to = (g->day + (last + 1) * LLM_QUARTER_MS) << LLM_ID_SHIFT;

    return LLM_OK;
}


static void
llm_guide_turn(llm_guide_t *g)
{
    g->day += g->ascending ? LLM_DAY_MS : -LLM_DAY_MS;
    g->known = 0;
}


/* What the ledger does not know is looked through as it is. */

static int
llm_guide_rest(llm_guide_t *g, int64_t *from, int64_t *to)
{
    g->rest = 0;

    if (g->low >= g->first) {
        return LLM_DECLINED;
    }

    *from = 0;
    *to = g->first == LLM_GUIDE_MAX_MS ? INT64_MAX
                                       : g->first << LLM_ID_SHIFT;

    return LLM_OK;
}
