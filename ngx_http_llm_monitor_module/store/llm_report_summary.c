
/*
 * Copyright (C) llm_monitor contributors
 *
 * The summary: today, and yesterday up to the same time of the clock.  That is
 * to the minute, for else there would be many times as much of yesterday as of
 * a day that is some minutes old.
 */


#include <string.h>
#include "llm_idset.h"
#include "llm_report_parts.h"


#define LLM_SUMMARY_ACTIVE_MS   300000     /* a session is active so long */
#define LLM_SUMMARY_SESSIONS    20000      /* counted; then there are more */


typedef struct {
    llm_scope_rows_t  rows;
    llm_idset_t       sessions;
} llm_summary_call_t;


static int llm_summary_span(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int64_t exact, llm_json_t *j);
static int llm_summary_sums(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int64_t minute, llm_json_t *j);
static int llm_summary_values(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int dim, const char *name, llm_json_t *j);
static int llm_summary_sessions(llm_reader_t *reader, const llm_report_t *r,
    int64_t since, int64_t until, llm_json_t *j);
static int llm_summary_own(llm_reader_t *reader, llm_scope_t *scope,
    int64_t since, int64_t until, llm_json_t *j);
static int llm_summary_own_span(void *data, int64_t since, int64_t until,
    int64_t requests);
static void llm_summary_count(llm_json_t *j, const char *name, int64_t n,
    int more);
static int64_t llm_summary_yesterday(const llm_report_t *r);


int
llm_report_summary(llm_reader_t *reader, const llm_report_t *r, llm_json_t *j,
    llm_query_error_t *err)
{
    int           rc;
    llm_report_t  day;
    llm_window_t  w;

    llm_json_key(j, "now");
    llm_json_int(j, r->now_ms);

    llm_json_key(j, "tz");
    llm_json_text(j, r->zone);

    day = *r;
    day.period = LLM_PERIOD_TODAY;

    if (llm_window_set(&w, &day, reader, err) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_json_key(j, "today");
    rc = llm_summary_span(reader, r, &w, LLM_NULL, j);

    if (rc == LLM_OK) {
        day.period = LLM_PERIOD_CUSTOM;
        day.since = llm_window_midnight(r->tz,
                                        llm_window_day(r->tz, r->now_ms) - 1);
        day.until = llm_summary_yesterday(r);

        if (llm_window_set(&w, &day, reader, err) != LLM_OK) {
            return LLM_ERROR;
        }

        llm_json_key(j, "yesterday");

        /* of one user the ledger knows no minutes */

        rc = llm_summary_span(reader, r, &w, r->scope == NULL
                                             ? day.until : LLM_NULL, j);
    }

    if (rc == LLM_OK) {
        llm_json_key(j, "active");
        llm_json_open_object(j);

        llm_json_key(j, "since");
        llm_json_int(j, r->now_ms - LLM_SUMMARY_ACTIVE_MS);

        rc = llm_summary_sessions(reader, r,
                                  r->now_ms - LLM_SUMMARY_ACTIVE_MS,
                                  r->now_ms, j);

        llm_json_close_object(j);
    }

    return rc == LLM_OK ? LLM_OK : llm_report_fail(reader, rc, err);
}


/* The same time of the clock a day before, whatever hours lie in between. */

static int64_t
llm_summary_yesterday(const llm_report_t *r)
{
    int64_t  s;

    s = r->now_ms / 1000;
    s += llm_tz_offset(r->tz, s) - LLM_DAY_MS / 1000;

    return llm_tz_utc(r->tz, s) * 1000 + r->now_ms % 1000;
}


/* Exact is when it ends; LLM_NULL: with its last quarter-hour. */

static int
llm_summary_span(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int64_t exact, llm_json_t *j)
{
    int           rc;
    int64_t       until;
    llm_window_t  shown;

    shown = *w;

    if (exact != LLM_NULL) {
        shown.until = exact + LLM_MINUTE_MS - 1;
        shown.until -= shown.until % LLM_MINUTE_MS;
        shown.rounded = exact % LLM_MINUTE_MS != 0;
    }

    llm_json_open_object(j);

    llm_window_json(&shown, r, j);

    rc = llm_summary_sums(reader, r, w, exact != LLM_NULL ? shown.until
                                                          : LLM_NULL, j);

    if (rc == LLM_OK) {
        rc = llm_summary_values(reader, r, w, LLM_SERIES_USER, "users", j);
    }

    if (rc == LLM_OK) {
        rc = llm_summary_values(reader, r, w, LLM_SERIES_ACCOUNT, "accounts",
                                j);
    }

    if (rc == LLM_OK) {
        until = shown.until < r->now_ms ? shown.until : r->now_ms;
        rc = llm_summary_sessions(reader, r, w->since, until, j);
    }

    llm_json_close_object(j);

    return rc;
}


static int
llm_summary_sums(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int64_t minute, llm_json_t *j)
{
    int                rc;
    int64_t            end;
    llm_series_t       series;
    llm_series_map_t   map;
    llm_series_sum_t  *sum;

    memset(&map, 0, sizeof(llm_series_map_t));

    sum = llm_series_get(&map, 0);
    rc = sum != NULL ? LLM_OK : LLM_NOMEM;

    end = w->end;

    if (minute != LLM_NULL && end > llm_window_floor(minute)) {
        end = llm_window_floor(minute);
    }

    if (rc == LLM_OK && reader->db != NULL) {
        rc = llm_report_series(&series, reader, r, LLM_SERIES_TOTAL, w->first,
                               end);

        if (rc == LLM_OK) {
            rc = llm_series_add_known(&series, &map, w->first, end);
            llm_series_close(&series);
        }

        if (rc == LLM_OK && minute != LLM_NULL) {
            rc = llm_series_add_minutes(reader, sum, llm_window_floor(minute),
                                        minute);
        }
    }

    if (rc == LLM_OK) {
        llm_report_sums(j, sum->sum);
    }

    llm_series_free(&map);

    return rc;
}


/* How many values of a dimension were there; more if a bound was reached. */

static int
llm_summary_values(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, int dim, const char *name, llm_json_t *j)
{
    int               rc, more;
    int64_t           n;
    llm_series_t      series;
    llm_series_map_t  map;

    memset(&map, 0, sizeof(llm_series_map_t));
    rc = LLM_OK;

    if (reader->db != NULL) {
        rc = llm_report_series(&series, reader, r, dim, w->first, w->end);

        if (rc == LLM_OK) {
            rc = llm_series_add_values(&series, &map, w->first, w->end);
            llm_series_close(&series);
        }
    }

    more = (rc == LLM_FULL) || llm_series_find(&map, LLM_LEDGER_OTHER);
    n = (int64_t) map.n;

    n -= llm_series_find(&map, LLM_LEDGER_OTHER) != NULL;
    n -= llm_series_find(&map, LLM_LEDGER_NULL) != NULL;

    llm_summary_count(j, name, n, more);
    llm_series_free(&map);

    return rc == LLM_FULL ? LLM_OK : rc;
}


/*
 * Sessions that began before the end and were seen after the start: of a time
 * that is over this may count one that was not seen within.
 */

static int
llm_summary_sessions(llm_reader_t *reader, const llm_report_t *r,
    int64_t since, int64_t until, llm_json_t *j)
{
    int            rc;
    int64_t        n;
    sqlite3_stmt  *st;

    if (reader->db == NULL) {
        llm_summary_count(j, "sessions", 0, 0);
        return LLM_OK;
    }

    if (r->scope != NULL) {
        return llm_summary_own(reader, r->scope, since, until, j);
    }

    if (sqlite3_prepare_v2(reader->db, "SELECT count(*) FROM (SELECT 1"
                           " FROM session WHERE last_ms >= ?1"
                           " AND first_ms < ?2 LIMIT ?3)", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, since);
    (void) sqlite3_bind_int64(st, 2, until);
    (void) sqlite3_bind_int64(st, 3, LLM_SUMMARY_SESSIONS + 1);

    rc = sqlite3_step(st);

    if (rc == SQLITE_ROW) {
        n = sqlite3_column_int64(st, 0);
        llm_summary_count(j, "sessions", n <= LLM_SUMMARY_SESSIONS
                                             ? n : LLM_SUMMARY_SESSIONS,
                          n > LLM_SUMMARY_SESSIONS);
    }

    sqlite3_finalize(st);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


/* The sessions of a scope are those of its rows. */

static int
llm_summary_own(llm_reader_t *reader, llm_scope_t *scope, int64_t since,
    int64_t until, llm_json_t *j)
{
    int                 rc;
    llm_summary_call_t  call;

    if (scope->nobody) {
        llm_summary_count(j, "sessions", 0, 0);
        return LLM_OK;
    }

    memset(&call, 0, sizeof(llm_summary_call_t));

    if (llm_scope_rows_open(&call.rows, scope, reader, "l.session")
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    rc = llm_scope_walk(scope, reader, since, until, llm_summary_own_span,
                        &call);

    llm_scope_rows_close(&call.rows);

    if (rc == LLM_OK || rc == LLM_FULL) {
        llm_summary_count(j, "sessions", (int64_t) call.sessions.n,
                          rc == LLM_FULL);
        rc = LLM_OK;
    }

    llm_idset_free(&call.sessions);

    return rc;
}


static int
llm_summary_own_span(void *data, int64_t since, int64_t until,
    int64_t requests)
{
    llm_summary_call_t *call = data;

    int      rc;
    int64_t  id;

    llm_scope_rows_start(&call->rows, since, until);

    while ((rc = llm_scope_rows_next(&call->rows)) == LLM_OK) {
        id = sqlite3_column_int64(call->rows.st, 0);

        if (id == 0 || llm_idset_has(&call->sessions, id)) {
            continue;
        }

        if (call->sessions.n == LLM_SUMMARY_SESSIONS
            || llm_idset_add(&call->sessions, id) != LLM_OK)
        {
            return call->sessions.n == LLM_SUMMARY_SESSIONS ? LLM_FULL
                                                            : LLM_NOMEM;
        }
    }

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static void
llm_summary_count(llm_json_t *j, const char *name, int64_t n, int more)
{
    char    key[32];
    size_t  len;

    llm_json_key(j, name);
    llm_json_int(j, n);

    if (more) {
        len = strlen(name);
        memcpy(key, name, len);
        memcpy(key + len, "_more", sizeof("_more"));

        llm_json_key(j, key);
        llm_json_bool(j, 1);
    }
}
