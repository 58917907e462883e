
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ledger says what the rows would, up to the last time at which they came
 * apart: some were deleted, or recording was paused.  What was before that is
 * counted from blocks and rows, in one pass for all facets; a value that found
 * the dictionary full has no number to count it by, and is one of the others.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_census.h"
#include "llm_facets.h"
#include "llm_filter.h"
#include "llm_report_parts.h"


typedef struct {
    const llm_filter_t *filter;
    llm_reader_t       *reader;
    llm_query_error_t  *err;
    llm_series_map_t    map[LLM_CENSUS_COLUMNS];
    int64_t             since;         /* ms, LLM_NULL: not asked for */
    int64_t             until;
    int64_t             total;
    int                 rounded;
    int                 partial;
} llm_facets_t;

typedef struct {
    const char         *name;          /* of the parameter, too */
    int                 dim;
} llm_facet_t;


static int llm_facets_timed(const llm_filter_t *f);
static int llm_facets_ledger(llm_facets_t *fs);
static int llm_facets_window(llm_facets_t *fs, int64_t *first, int64_t *end);
static int llm_facets_oldest(llm_facets_t *fs, int64_t *ms);
static int llm_facets_apart(llm_facets_t *fs, int64_t *ms);
static int llm_facets_part(llm_facets_t *fs, int64_t since, int64_t until);
static int llm_facets_rows(llm_facets_t *fs, const llm_filter_t *f);
static int llm_facets_json(llm_facets_t *fs, int ledger, llm_json_t *j);
static int llm_facets_facet(llm_facets_t *fs, int n, llm_json_t *j);


static const llm_facet_t  llm_facets_all[LLM_CENSUS_COLUMNS] = {
    { "model", LLM_SERIES_MODEL },
    { "account", LLM_SERIES_ACCOUNT },
    { "provider", LLM_SERIES_PROVIDER },
    { "status", LLM_SERIES_STATUS },
    { "endpoint", LLM_SERIES_ENDPOINT },
    { "user", LLM_SERIES_USER }
};


int
llm_facets(llm_reader_t *reader, const llm_filter_t *f, int64_t budget_ms,
    llm_buf_t *out, llm_query_error_t *err)
{
    int            i, rc, ledger;
    llm_json_t     j;
    llm_facets_t   fs;

    memset(&fs, 0, sizeof(llm_facets_t));

    fs.filter = f;
    fs.reader = reader;
    fs.err = err;
    fs.since = f->num[LLM_F_SINCE];
    fs.until = f->num[LLM_F_UNTIL];

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = LLM_OK;
    ledger = llm_facets_timed(f);

    if (reader->db != NULL) {
        rc = ledger ? llm_facets_ledger(&fs) : llm_facets_rows(&fs, f);

        if (rc == LLM_ERROR && llm_reader_timeout(reader)) {
            fs.partial = 1;
            rc = LLM_OK;
        }
    }

    /* the names are few, each is a lookup by key: they always come */

    llm_reader_budget(reader, 0);

    if (rc == LLM_OK) {
        llm_json_init(&j, out);
        rc = llm_facets_json(&fs, ledger, &j);
    }

    if (rc == LLM_OK && out->failed != LLM_OK) {
        rc = out->failed;
    }

    if (rc != LLM_OK && rc != LLM_DECLINED) {
        (void) llm_report_fail(reader, rc, err);
    }

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {
        llm_series_free(&fs.map[i]);
    }

    llm_reader_end(reader);

    return rc == LLM_OK ? LLM_OK : LLM_ERROR;
}


/* no condition but that on time */

static int
llm_facets_timed(const llm_filter_t *f)
{
    int  i;

    for (i = 0; i < LLM_F_CONDITIONS; i++) {
        if (i != LLM_F_SINCE && i != LLM_F_UNTIL && f->num[i] != LLM_NULL) {
            return 0;
        }
    }

    for (i = 0; i < LLM_F_TEXTS; i++) {
        if (llm_filter_str(f, i).data != NULL) {
            return 0;
        }
    }

    return 1;
}


static int
llm_facets_ledger(llm_facets_t *fs)
{
    int           i, rc;
    size_t        k;
    int64_t       since, first, end;
    llm_series_t  series;

    if (llm_facets_window(fs, &since, &end) != LLM_OK
        || llm_facets_apart(fs, &first) != LLM_OK)
    {
        return LLM_ERROR;
    }

    first = first > since ? first : since;
    first = first < end ? first : end;

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {

        if (llm_series_open(&series, fs->reader, llm_facets_all[i].dim)
            != LLM_OK)
        {
            return LLM_ERROR;
        }

        rc = llm_series_add_some(&series, &fs->map[i], first, end,
                                 LLM_SERIES_COLUMN(LLM_C_REQUESTS));

        llm_series_close(&series);

        if (rc != LLM_OK) {
            return rc;
        }

        if (llm_facets_all[i].dim != LLM_SERIES_STATUS) {
            continue;
        }

        for (k = 0; k < fs->map[i].n; k++) {
            fs->total += fs->map[i].sums[k].sum[LLM_C_REQUESTS];
        }
    }

    /* it may run out of time, and comes last */

    return llm_facets_part(fs, since, first);
}


/* Of what the ledger has, that for which there are records. */

static int
llm_facets_window(llm_facets_t *fs, int64_t *first, int64_t *end)
{
    int64_t  oldest;

    if (llm_series_extent(fs->reader, first, end) != LLM_OK
        || llm_facets_oldest(fs, &oldest) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (oldest == LLM_NULL) {
        *end = *first;
        return LLM_OK;
    }

    oldest = llm_window_floor(oldest);

    if (fs->since != LLM_NULL) {
        fs->rounded |= fs->since % LLM_QUARTER_MS != 0;
        fs->since = llm_window_floor(fs->since);

        if (fs->since > oldest) {
            oldest = fs->since;
        }
    }

    if (oldest > *first) {
        *first = oldest;
    }

    if (fs->until != LLM_NULL) {
        fs->rounded |= fs->until % LLM_QUARTER_MS != 0;
        fs->until = llm_window_ceil(fs->until);

        if (fs->until < *end) {
            *end = fs->until;
        }
    }

    if (*end < *first) {
        *end = *first;
    }

    return LLM_OK;
}


/* of a log without rows LLM_NULL */

static int
llm_facets_oldest(llm_facets_t *fs, int64_t *ms)
{
    int            rc;
    sqlite3_stmt  *st;

    *ms = LLM_NULL;

    if (sqlite3_prepare_v2(fs->reader->db, "SELECT min(id) >> 21 FROM log",
                           -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL) {
        *ms = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


/* When the first quarter-hour begins of which the ledger is believed. */

static int
llm_facets_apart(llm_facets_t *fs, int64_t *ms)
{
    int            rc;
    sqlite3_stmt  *st;

    *ms = 0;

    if (sqlite3_prepare_v2(fs->reader->db, "SELECT max(iif(key = 'recording',"
                           " iif(value = 0, 1 << 53, 0), value)) FROM meta"
                           " WHERE key IN ('cleared_ms', 'recording_ms',"
                           " 'recording')", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        *ms = llm_window_ceil(sqlite3_column_int64(st, 0));
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


/* Rows of a time that the filter does not know of. */

static int
llm_facets_part(llm_facets_t *fs, int64_t since, int64_t until)
{
    int            rc;
    llm_filter_t  *f;

    if (since >= until) {
        return LLM_OK;
    }

    f = malloc(fs->filter->size);

    if (f == NULL) {
        return LLM_NOMEM;
    }

    memcpy(f, fs->filter, fs->filter->size);

    f->num[LLM_F_SINCE] = since;
    f->num[LLM_F_UNTIL] = until;

    rc = llm_facets_rows(fs, f);

    free(f);

    return rc;
}


/* LLM_DECLINED: the error is said. */

static int
llm_facets_rows(llm_facets_t *fs, const llm_filter_t *f)
{
    int  rc;

    rc = llm_census(fs->reader, f, fs->map, &fs->total, fs->err);

    if (rc == LLM_AGAIN) {
        fs->partial = 1;
        rc = LLM_OK;
    }

    return rc == LLM_ERROR ? LLM_DECLINED : rc;
}


static int
llm_facets_json(llm_facets_t *fs, int ledger, llm_json_t *j)
{
    int  i;

    llm_json_open_object(j);

    llm_json_key(j, "source");
    llm_json_text(j, ledger ? "ledger" : "log");

    llm_json_key(j, "since");
    llm_json_int(j, fs->since);

    llm_json_key(j, "until");
    llm_json_int(j, fs->until);

    llm_json_key(j, "rounded");
    llm_json_bool(j, fs->rounded);

    llm_json_key(j, "total");
    llm_json_int(j, fs->total);

    if (fs->partial) {
        llm_json_key(j, "partial");
        llm_json_bool(j, 1);
    }

    for (i = 0; i < LLM_CENSUS_COLUMNS; i++) {
        if (llm_facets_facet(fs, i, j) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    llm_json_close_object(j);

    return LLM_OK;
}


/* the most frequent values, and what the others come to */

static int
llm_facets_facet(llm_facets_t *fs, int n, llm_json_t *j)
{
    int             rc;
    size_t          i, named;
    int64_t         limit, none, other;
    llm_ranked_t   *order;
    llm_report_t    by;

    memset(&by, 0, sizeof(llm_report_t));

    by.by = llm_facets_all[n].dim;
    by.sort = LLM_RANK_REQUESTS;

    limit = fs->filter->num[LLM_F_LIMIT];

    if (limit == LLM_NULL) {
        limit = LLM_FILTER_LIMIT;
    }

    rc = llm_report_rank(&fs->map[n], &by, (size_t) limit, &order, &named);

    if (rc != LLM_OK) {
        return rc;
    }

    none = 0;
    other = 0;

    llm_json_key(j, llm_facets_all[n].name);
    llm_json_open_object(j);

    llm_json_key(j, "distinct");
    llm_json_int(j, (int64_t) named);

    llm_json_key(j, "values");
    llm_json_open_array(j);

    for (i = 0; i < fs->map[n].n && rc == LLM_OK; i++) {

        if (order[i].sum->value == LLM_LEDGER_NULL) {
            none = order[i].sum->sum[LLM_C_REQUESTS];
            continue;
        }

        if (i >= named || (int64_t) i >= limit) {
            other += order[i].sum->sum[LLM_C_REQUESTS];
            continue;
        }

        llm_json_open_object(j);

        rc = llm_report_name(j, fs->reader, by.by, order[i].sum->value);

        llm_json_key(j, "requests");
        llm_json_int(j, order[i].sum->sum[LLM_C_REQUESTS]);

        llm_json_close_object(j);
    }

    llm_json_close_array(j);

    llm_json_key(j, "none");
    llm_json_int(j, none);

    llm_json_key(j, "other");
    llm_json_int(j, other);

    llm_json_close_object(j);

    free(order);

    return rc;
}
