
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>

#include "llm_schema.h"
#include "llm_tally.h"


#define LLM_TALLY_KEY_LEN  32

/* conditions of a filter */

enum {
    LLM_TALLY_TIME = 0, LLM_TALLY_STATUS, LLM_TALLY_ERRORS, LLM_TALLY_QUICK,
    LLM_TALLY_KEYS, LLM_TALLY_OTHER, LLM_TALLY_SEVERAL
};


static int llm_tally_asked(const llm_filter_t *f);
static int llm_tally_more(int asked, int what);
static int llm_tally_values(llm_tally_t *t, llm_reader_t *reader,
    const llm_where_t *w, const llm_filter_t *f, int asked);
static int llm_tally_keys(llm_tally_t *t, llm_reader_t *reader,
    const llm_filter_t *f);
static int llm_tally_quick(llm_tally_t *t, int64_t quick);
static void llm_tally_add(llm_tally_t *t, int64_t low, int64_t high);
static int llm_tally_whole(llm_tally_t *t, int64_t ms);
static int llm_tally_sum(llm_tally_t *t, int64_t low, int64_t high,
    int64_t *sum);


int
llm_tally_open(llm_tally_t *t, llm_reader_t *reader, const llm_where_t *w,
    const llm_filter_t *f)
{
    int  rc, asked, errors;

    memset(t, 0, sizeof(llm_tally_t));

    asked = llm_tally_asked(f);
    errors = asked == LLM_TALLY_ERRORS;

    rc = llm_tally_values(t, reader, w, f, asked);

    if (rc != LLM_OK) {
        return rc;
    }

    if (sqlite3_prepare_v2(reader->db, "SELECT 1 FROM gone WHERE t = ?1", -1,
                           &t->gone, NULL)
        != SQLITE_OK
        || sqlite3_prepare_v2(reader->db, errors
                              ? "SELECT sum(errors) FROM series WHERE span ="
                                " 86400000 AND t = ?1 AND dim = ?2"
                                " AND value BETWEEN ?3 AND ?4"
                              : "SELECT sum(requests) FROM series WHERE span ="
                                " 86400000 AND t = ?1 AND dim = ?2"
                                " AND value BETWEEN ?3 AND ?4", -1, &t->sum,
                              NULL)
           != SQLITE_OK)
    {
        llm_tally_close(t);
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(t->sum, 2, t->dim);

    return LLM_OK;
}


void
llm_tally_close(llm_tally_t *t)
{
    sqlite3_finalize(t->gone);
    sqlite3_finalize(t->sum);

    t->gone = NULL;
    t->sum = NULL;
}


static int
llm_tally_asked(const llm_filter_t *f)
{
    int  i, asked;

    asked = LLM_TALLY_TIME;

    for (i = 0; i < LLM_F_CONDITIONS; i++) {

        if (f->num[i] == LLM_NULL) {
            continue;
        }

        switch (i) {

        case LLM_F_SINCE:
        case LLM_F_UNTIL:
        case LLM_F_STATUS_MAX:
        case LLM_F_KEY_MIN:
            break;

        case LLM_F_KEY_MAX:
            asked = llm_tally_more(asked, LLM_TALLY_KEYS);
            break;

        case LLM_F_STATUS_MIN:
            asked = llm_tally_more(asked, LLM_TALLY_STATUS);
            break;

        case LLM_F_ERRORS_ONLY:
        case LLM_F_UNPRICED:
        case LLM_F_USAGE_MISSING:

            /* 0 asks for nothing */

            if (f->num[i] == 1) {
                asked = llm_tally_more(asked, i == LLM_F_ERRORS_ONLY
                                              ? LLM_TALLY_ERRORS
                                              : LLM_TALLY_OTHER);
            }

            break;

        case LLM_F_QUICK:
            asked = llm_tally_more(asked,
                                   f->num[i] == LLM_QUICK_ERRORS
                                   ? LLM_TALLY_ERRORS : LLM_TALLY_QUICK);
            break;

        default:
            asked = llm_tally_more(asked, LLM_TALLY_OTHER);
        }
    }

    for (i = 0; i < LLM_F_TEXTS; i++) {

        /* a scope and a key are numbers, too */

        if (i != LLM_F_SCOPE_VALUE && i != LLM_F_KEY_TAIL
            && llm_filter_str(f, i).data != NULL)
        {
            asked = llm_tally_more(asked, LLM_TALLY_OTHER);
        }
    }

    return asked;
}


static int
llm_tally_more(int asked, int what)
{
    return asked == LLM_TALLY_TIME ? what : LLM_TALLY_SEVERAL;
}


static int
llm_tally_values(llm_tally_t *t, llm_reader_t *reader, const llm_where_t *w,
    const llm_filter_t *f, int asked)
{
    int                     i;
    int64_t                 min, max;
    const llm_where_dim_t  *dim;

    switch (asked) {

    case LLM_TALLY_TIME:
    case LLM_TALLY_ERRORS:
        t->dim = LLM_SERIES_TOTAL;
        llm_tally_add(t, 0, 0);
        return LLM_OK;

    case LLM_TALLY_STATUS:
        min = f->num[LLM_F_STATUS_MIN];
        max = f->num[LLM_F_STATUS_MAX];

        /* those of errors have an index, odd ones are counted as 0 */

        if (min < 200 || max >= 400) {
            return LLM_DECLINED;
        }

        t->dim = LLM_SERIES_STATUS;
        llm_tally_add(t, min, max);
        return LLM_OK;

    case LLM_TALLY_QUICK:
        return llm_tally_quick(t, f->num[LLM_F_QUICK]);

    case LLM_TALLY_KEYS:
        return llm_tally_keys(t, reader, f);

    case LLM_TALLY_OTHER:
        dim = llm_where_dim(w);

        if (dim->dim == LLM_SERIES_TOTAL || dim->n == 0) {
            return LLM_DECLINED;
        }

        t->dim = dim->dim;

        for (i = 0; i < dim->n; i++) {
            llm_tally_add(t, dim->value[i], dim->value[i]);
        }

        return LLM_OK;

    default: /* LLM_TALLY_SEVERAL */
        return LLM_DECLINED;
    }
}


/* Mostly one; of too many, or of none, the rows are looked at. */

static int
llm_tally_keys(llm_tally_t *t, llm_reader_t *reader, const llm_filter_t *f)
{
    int            rc;
    char           min[LLM_TALLY_KEY_LEN], max[LLM_TALLY_KEY_LEN];
    int64_t        id;
    llm_str_t      tail;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(reader->db, "SELECT id FROM dict WHERE kind = ?1"
                           " AND value >= ?2 AND substr(value, 1, 16) <= ?3"
                           " AND (?4 IS NULL OR substr(value, 17) = ?4)", -1,
                           &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) snprintf(min, sizeof(min), "%016llx",
                    (unsigned long long) f->num[LLM_F_KEY_MIN]);
    (void) snprintf(max, sizeof(max), "%016llx",
                    (unsigned long long) f->num[LLM_F_KEY_MAX]);

    tail = llm_filter_str(f, LLM_F_KEY_TAIL);

    (void) sqlite3_bind_int(st, 1, LLM_DICT_KEY);
    (void) sqlite3_bind_text(st, 2, min, -1, SQLITE_STATIC);
    (void) sqlite3_bind_text(st, 3, max, -1, SQLITE_STATIC);

    if (tail.data != NULL) {
        (void) sqlite3_bind_text(st, 4, (const char *) tail.data,
                                 (int) tail.len, SQLITE_STATIC);
    }

    t->dim = LLM_SERIES_KEY;

    while ((rc = sqlite3_step(st)) == SQLITE_ROW && t->n < LLM_TALLY_RANGES) {
        id = sqlite3_column_int64(st, 0);
        llm_tally_add(t, id, id);
    }

    sqlite3_finalize(st);

    if (rc == SQLITE_DONE) {
        return t->n > 0 ? LLM_OK : LLM_DECLINED;
    }

    return rc == SQLITE_ROW ? LLM_DECLINED : LLM_ERROR;
}


static int
llm_tally_quick(llm_tally_t *t, int64_t quick)
{
    t->dim = LLM_SERIES_OPERATION;

    switch (quick) {

    case LLM_QUICK_CHAT:
        llm_tally_add(t, LLM_OPERATION_CHAT, LLM_OPERATION_CHAT);
        llm_tally_add(t, LLM_OPERATION_COMPLETION, LLM_OPERATION_COMPLETION);
        llm_tally_add(t, LLM_OPERATION_RESPONSES, LLM_OPERATION_RESPONSES);
        return LLM_OK;

    case LLM_QUICK_IMAGE:
        llm_tally_add(t, LLM_OPERATION_IMAGE, LLM_OPERATION_IMAGE);
        return LLM_OK;
    }

    return LLM_DECLINED;
}


static void
llm_tally_add(llm_tally_t *t, int64_t low, int64_t high)
{
    t->range[t->n].low = low;
    t->range[t->n].high = high;
    t->n++;
}


int
llm_tally_day(llm_tally_t *t, int64_t ms, int64_t *sum)
{
    int      i, rc;
    int64_t  day;

    rc = llm_tally_whole(t, ms);

    if (rc != LLM_OK) {
        return rc;
    }

    (void) sqlite3_bind_int64(t->sum, 1, ms);

    /* what a bound summed up in the rest may be any value */

    day = 0;
    rc = llm_tally_sum(t, LLM_LEDGER_OTHER, LLM_LEDGER_OTHER, &day);

    if (rc == LLM_OK && day != 0) {
        return LLM_DECLINED;
    }

    for (i = 0; i < t->n && rc == LLM_OK; i++) {
        rc = llm_tally_sum(t, t->range[i].low, t->range[i].high, &day);
    }

    if (rc == LLM_OK) {
        *sum += day;
    }

    return rc;
}


static int
llm_tally_whole(llm_tally_t *t, int64_t ms)
{
    int  rc;

    (void) sqlite3_bind_int64(t->gone, 1, ms);

    rc = sqlite3_step(t->gone);
    (void) sqlite3_reset(t->gone);

    if (rc == SQLITE_ROW) {
        return LLM_DECLINED;
    }

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static int
llm_tally_sum(llm_tally_t *t, int64_t low, int64_t high, int64_t *sum)
{
    int  rc;

    (void) sqlite3_bind_int64(t->sum, 3, low);
    (void) sqlite3_bind_int64(t->sum, 4, high);

    rc = sqlite3_step(t->sum);

    if (rc == SQLITE_ROW) {
        *sum += sqlite3_column_int64(t->sum, 0);
    }

    (void) sqlite3_reset(t->sum);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}
