
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>

#include "llm_schema.h"
#include "llm_tally.h"


static int llm_tally_values(llm_tally_t *t, const llm_sift_t *sift);
static void llm_tally_add(llm_tally_t *t, int64_t low, int64_t high);
static int llm_tally_whole(llm_tally_t *t, int64_t ms);
static int llm_tally_sum(llm_tally_t *t, int64_t low, int64_t high,
    int64_t *sum);


int
llm_tally_open(llm_tally_t *t, llm_reader_t *reader, const llm_sift_t *sift)
{
    int  rc;

    memset(t, 0, sizeof(llm_tally_t));

    rc = llm_tally_values(t, sift);

    if (rc != LLM_OK) {
        return rc;
    }

    if (sqlite3_prepare_v2(reader->db, "SELECT 1 FROM gone WHERE t = ?1", -1,
                           &t->gone, NULL)
        != SQLITE_OK
        || sqlite3_prepare_v2(reader->db, t->errors
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
llm_tally_values(llm_tally_t *t, const llm_sift_t *sift)
{
    int                      i;
    const llm_sift_term_t   *term;
    const llm_sift_range_t  *range;

    if (sift->partial || sift->nterms > 1) {
        return LLM_DECLINED;
    }

    term = &sift->term[0];
    range = &sift->range[term->first];

    if (sift->nterms == 0 || term->bits == 1 << LLM_SIFT_FAILED) {
        t->dim = LLM_SERIES_TOTAL;
        t->errors = (sift->nterms != 0);
        llm_tally_add(t, 0, 0);
        return LLM_OK;
    }

    t->dim = llm_sift_series(term->column);

    if (t->dim == -1 || term->n == 0 || term->n > LLM_TALLY_RANGES) {
        return LLM_DECLINED;
    }

    /* odd ones are counted as 0, and those of errors are found otherwise */

    if (term->column == LLM_SIFT_STATUS
        && (range->low < 200 || range->high >= 400))
    {
        return LLM_DECLINED;
    }

    for (i = 0; i < term->n; i++) {
        llm_tally_add(t, range[i].low, range[i].high);
    }

    return LLM_OK;
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
