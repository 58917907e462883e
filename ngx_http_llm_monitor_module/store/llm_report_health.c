
/*
 * Copyright (C) llm_monitor contributors
 *
 * Availability of providers and models: successes of successes and failures.
 * What speaks neither for nor against them is in no score: see
 * llm_record_verdict().
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_report_parts.h"


#define LLM_HEALTH_BUCKETS   200
#define LLM_HEALTH_ROWS      103            /* with all, none and the rest */
#define LLM_HEALTH_RECENT    3              /* buckets that have a score */
#define LLM_HEALTH_STATUSES  1000


/* of a value in a bucket */

typedef struct {
    int64_t          sum[LLM_H_COUNT];
    int64_t          p50;                   /* us, or LLM_NULL */
    int64_t          p95;
    int64_t          p99;
} llm_health_cell_t;

typedef struct {
    int64_t           value;
    int64_t           sum[LLM_H_COUNT];
    llm_health_cell_t cells[LLM_HEALTH_BUCKETS];
    llm_hist_sum_t    bucket;               /* durations of the present one */
    llm_hist_sum_t    duration;
    llm_hist_sum_t    ttft;
    llm_hist_sum_t    status;
} llm_health_row_t;

typedef struct {
    llm_reader_t        *reader;
    const llm_report_t  *r;
    llm_window_t         w;
    int64_t              span;              /* of the rows that are read */
    int64_t              bucket;
    size_t               nbuckets;
    llm_health_row_t    *rows;              /* the first is of all */
    size_t               n;
    llm_scope_rows_t     own;
} llm_health_t;

/* one of them */

typedef struct {
    int                  class;
    int64_t              status;
    int64_t              duration;
    int64_t              ttft;
} llm_health_own_t;


static void llm_health_window(llm_health_t *h);
static int llm_health_choose(llm_health_t *h);
static int llm_health_series(llm_health_t *h, llm_series_map_t *map);
static int llm_health_read(llm_health_t *h);
static int llm_health_span(llm_health_t *h, sqlite3_stmt *st, int dim,
    int64_t t);
static void llm_health_add(llm_health_row_t *row, llm_health_cell_t *cell,
    sqlite3_stmt *st);
static void llm_health_merge(llm_hist_sum_t *sum, sqlite3_stmt *st, int n);
static int llm_health_own(llm_health_t *h);
static int llm_health_own_span(void *data, int64_t since, int64_t until,
    int64_t requests);
static void llm_health_own_row(llm_health_t *h);
static void llm_health_own_add(llm_health_row_t *row, llm_health_cell_t *cell,
    const llm_health_own_t *own);
static void llm_health_own_time(llm_hist_sum_t *sum, int64_t us);
static void llm_health_bucket_done(llm_health_t *h, size_t b);
static int llm_health_json(llm_health_t *h, llm_json_t *j);
static void llm_health_row(llm_health_t *h, const llm_health_row_t *row,
    llm_json_t *j);
static void llm_health_score(llm_json_t *j, const int64_t *sum);
static int64_t llm_health_ratio(const int64_t *sum);
static const char *llm_health_state(const int64_t *sum);
static void llm_health_recent(llm_health_t *h, const llm_health_row_t *row,
    llm_json_t *j);
static void llm_health_times(llm_json_t *j, const char *name, int64_t us,
    int64_t n, const llm_hist_sum_t *hist);
static void llm_health_errors(llm_json_t *j, const llm_hist_sum_t *status);
static void llm_health_columns(llm_health_t *h, const llm_health_row_t *row,
    llm_json_t *j);
static void llm_health_column(llm_json_t *j, const llm_health_cell_t *cell,
    int column);


int
llm_report_availability(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err)
{
    int           rc;
    llm_health_t  h;

    memset(&h, 0, sizeof(llm_health_t));

    h.reader = reader;
    h.r = r;

    llm_health_window(&h);

    h.rows = calloc(LLM_HEALTH_ROWS, sizeof(llm_health_row_t));
    rc = h.rows != NULL ? LLM_OK : LLM_NOMEM;

    if (rc == LLM_OK) {
        h.n = 1;

        if (reader->db != NULL) {
            rc = llm_health_choose(&h);
        }
    }

    if (rc == LLM_OK && reader->db != NULL) {
        rc = r->scope == NULL ? llm_health_read(&h) : llm_health_own(&h);
    }

    if (rc == LLM_OK) {
        rc = llm_health_json(&h, j);
    }

    free(h.rows);

    return rc == LLM_OK ? LLM_OK : llm_report_fail(reader, rc, err);
}


/* The grain is that of the buckets: 1, 5, 15 or 60 minutes. */

static void
llm_health_window(llm_health_t *h)
{
    int64_t  since, now;

    switch (h->r->range) {

    case 60:
        h->span = LLM_MINUTE_MS;
        h->bucket = LLM_MINUTE_MS;
        break;

    case 360:
        h->span = LLM_MINUTE_MS;
        h->bucket = 5 * LLM_MINUTE_MS;
        break;

    case 1440:
        h->span = LLM_QUARTER_MS;
        h->bucket = LLM_QUARTER_MS;
        break;

    default: /* 7 days */
        h->span = LLM_HOUR_MS;
        h->bucket = LLM_HOUR_MS;
    }

    now = h->r->now_ms;
    since = now - (int64_t) h->r->range * LLM_MINUTE_MS;

    h->w.since = since - since % h->bucket;
    h->w.until = now - now % h->bucket + h->bucket;
    h->w.rounded = now % h->bucket != 0;

    h->nbuckets = (size_t) ((h->w.until - h->w.since) / h->bucket);
}


/* Those that were asked most; the series know them from fewer rows. */

static int
llm_health_choose(llm_health_t *h)
{
    int               rc;
    size_t            i, named;
    llm_ranked_t     *order;
    llm_report_t      rank;
    llm_series_map_t  map;

    memset(&map, 0, sizeof(llm_series_map_t));
    order = NULL;
    named = 0;

    rc = llm_health_series(h, &map);

    if (rc == LLM_OK) {
        rank = *h->r;
        rank.sort = LLM_RANK_REQUESTS;
        rank.ascending = 0;

        rc = llm_report_rank(&map, &rank, (size_t) rank.limit, &order,
                             &named);
    }

    for (i = 0; i < map.n && rc == LLM_OK; i++) {
        if (i < (size_t) h->r->limit || i >= named) {
            h->rows[h->n++].value = order[i].sum->value;
        }
    }

    free(order);
    llm_series_free(&map);

    return rc;
}


static int
llm_health_series(llm_health_t *h, llm_series_map_t *map)
{
    int           rc;
    int64_t       first, end, since, until;
    llm_series_t  series;

    if (llm_series_extent(h->reader, &first, &end) != LLM_OK) {
        return LLM_ERROR;
    }

    since = llm_window_floor(h->w.since);
    until = llm_window_ceil(h->w.until);

    if (since < first) {
        since = first;
    }

    if (until > end) {
        until = end;
    }

    rc = llm_report_series(&series, h->reader, h->r, h->r->by, since, until);

    if (rc == LLM_OK) {
        rc = llm_series_add(&series, map, since, until);
        llm_series_close(&series);
    }

    return rc;
}


static int
llm_health_read(llm_health_t *h)
{
    int            rc;
    size_t         b;
    int64_t        t, end;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(h->reader->db,
                           "SELECT value, requests, success, failure,"
                           " throttled, duration_n, duration_us, ttft_n,"
                           " ttft_us, duration_hist, ttft_hist, statuses"
                           " FROM health WHERE span = ?1 AND t = ?2"
                           " AND dim = ?3", -1, &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;

    for (b = 0; b < h->nbuckets && rc == LLM_OK; b++) {
        t = h->w.since + (int64_t) b * h->bucket;

        for (end = t + h->bucket; t < end && rc == LLM_OK; t += h->span) {
            rc = llm_health_span(h, st, LLM_SERIES_TOTAL, t);

            if (rc == LLM_OK) {
                rc = llm_health_span(h, st, h->r->by, t);
            }
        }

        llm_health_bucket_done(h, b);
    }

    sqlite3_finalize(st);

    return rc;
}


static int
llm_health_span(llm_health_t *h, sqlite3_stmt *st, int dim, int64_t t)
{
    int                rc;
    size_t             i, b, end;
    int64_t            value;
    llm_health_row_t  *row;

    (void) sqlite3_bind_int64(st, 1, h->span);
    (void) sqlite3_bind_int64(st, 2, t);
    (void) sqlite3_bind_int(st, 3, dim);

    b = (size_t) ((t - h->w.since) / h->bucket);
    end = dim == LLM_SERIES_TOTAL ? 1 : h->n;

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        value = sqlite3_column_int64(st, 0);

        for (i = dim == LLM_SERIES_TOTAL ? 0 : 1; i < end; i++) {
            row = &h->rows[i];

            if (row->value == value) {
                llm_health_add(row, &row->cells[b], st);
                break;
            }
        }
    }

    (void) sqlite3_reset(st);

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static void
llm_health_add(llm_health_row_t *row, llm_health_cell_t *cell,
    sqlite3_stmt *st)
{
    int      i;
    int64_t  v;

    for (i = 0; i < LLM_H_COUNT; i++) {
        v = sqlite3_column_int64(st, i + 1);

        row->sum[i] += v;
        cell->sum[i] += v;
    }

    llm_health_merge(&row->bucket, st, LLM_H_COUNT + 1);
    llm_health_merge(&row->duration, st, LLM_H_COUNT + 1);
    llm_health_merge(&row->ttft, st, LLM_H_COUNT + 2);
    llm_health_merge(&row->status, st, LLM_H_COUNT + 3);
}


/* One that is damaged counts as far as it can be read. */

static void
llm_health_merge(llm_hist_sum_t *sum, sqlite3_stmt *st, int n)
{
    const uint8_t  *p;

    p = sqlite3_column_blob(st, n);

    if (p != NULL) {
        (void) llm_hist_merge(sum, p, (size_t) sqlite3_column_bytes(st, n));
    }
}


/* The ledger does not tell one user's from the rest: the rows in log do. */

static int
llm_health_own(llm_health_t *h)
{
    int      rc;
    size_t   b;
    int64_t  t;

    if (h->r->scope->nobody) {
        return LLM_OK;
    }

    rc = llm_scope_rows_open(&h->own, h->r->scope, h->reader,
                             h->r->by == LLM_SERIES_MODEL
                             ? "l.id, coalesce(l.model, 0), l.status,"
                               " l.outcome, l.duration_us, l.ttft_us"
                             : "l.id, coalesce(l.provider, 0), l.status,"
                               " l.outcome, l.duration_us, l.ttft_us");

    if (rc != LLM_OK) {
        return rc;
    }

    for (b = 0; b < h->nbuckets && rc == LLM_OK; b++) {
        t = h->w.since + (int64_t) b * h->bucket;

        rc = llm_scope_walk(h->r->scope, h->reader, t, t + h->bucket,
                            llm_health_own_span, h);

        llm_health_bucket_done(h, b);
    }

    llm_scope_rows_close(&h->own);

    return rc;
}


static int
llm_health_own_span(void *data, int64_t since, int64_t until,
    int64_t requests)
{
    llm_health_t *h = data;

    int  rc;

    llm_scope_rows_start(&h->own, since, until);

    while ((rc = llm_scope_rows_next(&h->own)) == LLM_OK) {
        llm_health_own_row(h);
    }

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static void
llm_health_own_row(llm_health_t *h)
{
    size_t             i, b;
    int64_t            value;
    llm_health_own_t   own;
    llm_health_row_t  *row;

    b = (size_t) (((sqlite3_column_int64(h->own.st, 0) >> LLM_ID_SHIFT)
                   - h->w.since) / h->bucket);
    value = sqlite3_column_int64(h->own.st, 1);

    own.status = sqlite3_column_int64(h->own.st, 2);

    if (own.status < 100 || own.status >= LLM_HEALTH_STATUSES) {
        own.status = 0;
    }

    own.class = llm_record_verdict(own.status,
                                   sqlite3_column_int64(h->own.st, 3));
    own.duration = sqlite3_column_type(h->own.st, 4) == SQLITE_NULL
                       ? LLM_NULL : sqlite3_column_int64(h->own.st, 4);
    own.ttft = sqlite3_column_type(h->own.st, 5) == SQLITE_NULL
                   ? LLM_NULL : sqlite3_column_int64(h->own.st, 5);

    for (i = 0; i < h->n; i++) {
        row = &h->rows[i];

        if (i == 0 || row->value == value) {
            llm_health_own_add(row, &row->cells[b], &own);
        }
    }
}


/* as llm_ledger_health() counts a record */

static void
llm_health_own_add(llm_health_row_t *row, llm_health_cell_t *cell,
    const llm_health_own_t *own)
{
    int      i;
    int64_t  sum[LLM_H_COUNT];

    memset(sum, 0, sizeof(sum));

    sum[LLM_H_REQUESTS] = 1;

    if (own->class != LLM_H_REQUESTS) {
        sum[own->class] = 1;
    }

    if (own->class != LLM_H_SUCCESS) {
        llm_hist_count(&row->status, (uint32_t) own->status, 1);

    } else {

        if (own->duration != LLM_NULL) {
            sum[LLM_H_DURATION_N] = 1;
            sum[LLM_H_DURATION] = own->duration;
            llm_health_own_time(&row->bucket, own->duration);
            llm_health_own_time(&row->duration, own->duration);
        }

        if (own->ttft != LLM_NULL) {
            sum[LLM_H_TTFT_N] = 1;
            sum[LLM_H_TTFT] = own->ttft;
            llm_health_own_time(&row->ttft, own->ttft);
        }
    }

    for (i = 0; i < LLM_H_COUNT; i++) {
        row->sum[i] += sum[i];
        cell->sum[i] += sum[i];
    }
}


static void
llm_health_own_time(llm_hist_sum_t *sum, int64_t us)
{
    llm_hist_count(sum, (uint32_t) llm_hist_bucket(us), 1);
}


static void
llm_health_bucket_done(llm_health_t *h, size_t b)
{
    size_t              i;
    llm_health_row_t   *row;
    llm_health_cell_t  *cell;

    for (i = 0; i < h->n; i++) {
        row = &h->rows[i];
        cell = &row->cells[b];

        cell->p50 = llm_hist_quantile(&row->bucket, 500);
        cell->p95 = llm_hist_quantile(&row->bucket, 950);
        cell->p99 = llm_hist_quantile(&row->bucket, 990);

        llm_hist_clear(&row->bucket);
    }
}


static int
llm_health_json(llm_health_t *h, llm_json_t *j)
{
    int     rc;
    size_t  i;

    llm_json_key(j, "by");
    llm_json_text(j, llm_report_by(h->r->by));

    llm_json_key(j, "since");
    llm_json_int(j, h->w.since);

    llm_json_key(j, "until");
    llm_json_int(j, h->w.until);

    llm_json_key(j, "rounded");
    llm_json_bool(j, h->w.rounded);

    llm_json_key(j, "bucket_ms");
    llm_json_int(j, h->bucket);

    llm_json_key(j, "buckets");
    llm_json_open_array(j);

    for (i = 0; i < h->nbuckets; i++) {
        llm_json_int(j, h->w.since + (int64_t) i * h->bucket);
    }

    llm_json_close_array(j);

    llm_json_key(j, "total");
    llm_json_open_object(j);
    llm_health_row(h, &h->rows[0], j);
    llm_json_close_object(j);

    llm_json_key(j, "rows");
    llm_json_open_array(j);

    rc = LLM_OK;

    for (i = 1; i < h->n && rc == LLM_OK; i++) {

        /* the series are of quarter-hours, and may be older than health */

        if (h->rows[i].sum[LLM_H_REQUESTS] == 0) {
            continue;
        }

        llm_json_open_object(j);

        rc = llm_report_name(j, h->reader, h->r->by, h->rows[i].value);
        llm_health_row(h, &h->rows[i], j);

        llm_json_close_object(j);
    }

    llm_json_close_array(j);

    return rc;
}


static void
llm_health_row(llm_health_t *h, const llm_health_row_t *row, llm_json_t *j)
{
    const int64_t  *sum;

    sum = row->sum;

    llm_health_score(j, sum);

    llm_json_key(j, "requests");
    llm_json_int(j, sum[LLM_H_REQUESTS]);

    llm_json_key(j, "success");
    llm_json_int(j, sum[LLM_H_SUCCESS]);

    llm_json_key(j, "failure");
    llm_json_int(j, sum[LLM_H_FAILURE]);

    llm_json_key(j, "throttled");
    llm_json_int(j, sum[LLM_H_THROTTLED]);

    llm_json_key(j, "excluded");
    llm_json_int(j, sum[LLM_H_REQUESTS] - sum[LLM_H_SUCCESS]
                    - sum[LLM_H_FAILURE] - sum[LLM_H_THROTTLED]);

    llm_health_times(j, "duration_ms", sum[LLM_H_DURATION],
                     sum[LLM_H_DURATION_N], &row->duration);
    llm_health_times(j, "ttft_ms", sum[LLM_H_TTFT], sum[LLM_H_TTFT_N],
                     &row->ttft);

    llm_health_errors(j, &row->status);
    llm_health_recent(h, row, j);
    llm_health_columns(h, row, j);
}


static void
llm_health_score(llm_json_t *j, const int64_t *sum)
{
    llm_json_key(j, "state");
    llm_json_text(j, llm_health_state(sum));

    llm_json_key(j, "score");
    llm_json_decimal(j, llm_health_ratio(sum), 4);
}


static int64_t
llm_health_ratio(const int64_t *sum)
{
    return llm_report_ratio(sum[LLM_H_SUCCESS],
                            sum[LLM_H_SUCCESS] + sum[LLM_H_FAILURE], 4);
}


/* What nothing is known of is not well. */

static const char *
llm_health_state(const int64_t *sum)
{
    if (sum[LLM_H_SUCCESS] + sum[LLM_H_FAILURE] == 0) {
        return "unknown";
    }

    return sum[LLM_H_SUCCESS] >= sum[LLM_H_FAILURE] ? "green" : "red";
}


static void
llm_health_recent(llm_health_t *h, const llm_health_row_t *row, llm_json_t *j)
{
    int             n;
    size_t          b;
    int64_t         sum[LLM_H_COUNT];
    const int64_t  *cell;

    memset(sum, 0, sizeof(sum));
    n = 0;

    for (b = h->nbuckets; b-- > 0 && n < LLM_HEALTH_RECENT; /* void */ ) {
        cell = row->cells[b].sum;

        if (cell[LLM_H_SUCCESS] + cell[LLM_H_FAILURE] != 0) {
            sum[LLM_H_SUCCESS] += cell[LLM_H_SUCCESS];
            sum[LLM_H_FAILURE] += cell[LLM_H_FAILURE];
            n++;
        }
    }

    llm_json_key(j, "recent");
    llm_json_open_object(j);
    llm_health_score(j, sum);
    llm_json_close_object(j);
}


static void
llm_health_times(llm_json_t *j, const char *name, int64_t us, int64_t n,
    const llm_hist_sum_t *hist)
{
    llm_json_key(j, name);
    llm_json_open_object(j);

    llm_json_key(j, "avg");
    llm_json_decimal(j, llm_report_ratio(us, n, 0), 3);

    llm_json_key(j, "p50");
    llm_json_decimal(j, llm_hist_quantile(hist, 500), 3);

    llm_json_key(j, "p95");
    llm_json_decimal(j, llm_hist_quantile(hist, 950), 3);

    llm_json_key(j, "p99");
    llm_json_decimal(j, llm_hist_quantile(hist, 990), 3);

    llm_json_close_object(j);
}


/* by status, 200 among them: an answer that broke off or held an error */

static void
llm_health_errors(llm_json_t *j, const llm_hist_sum_t *status)
{
    char      name[16];
    uint32_t  i;

    llm_json_key(j, "errors");
    llm_json_open_object(j);

    for (i = 0; i < LLM_HEALTH_STATUSES && status->total != 0; i++) {

        if (status->count[i] != 0) {
            (void) snprintf(name, sizeof(name), "%03u", i);
            llm_json_key(j, name);
            llm_json_int(j, (int64_t) status->count[i]);
        }
    }

    llm_json_close_object(j);
}


static void
llm_health_columns(llm_health_t *h, const llm_health_row_t *row,
    llm_json_t *j)
{
    int     i;
    size_t  b;

    static const char *const  names[] = {
        "state", "score", "success", "failure", "throttled", "excluded",
        "avg_ms", "p50_ms", "p95_ms", "p99_ms"
    };

    llm_json_key(j, "series");
    llm_json_open_object(j);

    for (i = 0; i < (int) (sizeof(names) / sizeof(names[0])); i++) {
        llm_json_key(j, names[i]);
        llm_json_open_array(j);

        for (b = 0; b < h->nbuckets; b++) {
            llm_health_column(j, &row->cells[b], i);
        }

        llm_json_close_array(j);
    }

    llm_json_close_object(j);
}


static void
llm_health_column(llm_json_t *j, const llm_health_cell_t *cell, int column)
{
    const int64_t  *sum;

    sum = cell->sum;

    switch (column) {

    case 0:
        llm_json_text(j, llm_health_state(sum));
        break;

    case 1:
        llm_json_decimal(j, llm_health_ratio(sum), 4);
        break;

    case 2:
        llm_json_int(j, sum[LLM_H_SUCCESS]);
        break;

    case 3:
        llm_json_int(j, sum[LLM_H_FAILURE]);
        break;

    case 4:
        llm_json_int(j, sum[LLM_H_THROTTLED]);
        break;

    case 5:
        llm_json_int(j, sum[LLM_H_REQUESTS] - sum[LLM_H_SUCCESS]
                        - sum[LLM_H_FAILURE] - sum[LLM_H_THROTTLED]);
        break;

    case 6:
        llm_json_decimal(j, llm_report_ratio(sum[LLM_H_DURATION],
                                             sum[LLM_H_DURATION_N], 0), 3);
        break;

    case 7:
        llm_json_decimal(j, cell->p50, 3);
        break;

    case 8:
        llm_json_decimal(j, cell->p95, 3);
        break;

    default:
        llm_json_decimal(j, cell->p99, 3);
    }
}
