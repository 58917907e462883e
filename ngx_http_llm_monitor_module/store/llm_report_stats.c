
/*
 * Copyright (C) llm_monitor contributors
 *
 * Stats: sums over time, in all and by the values of a dimension.
 *
 * The whole time is summed up first, which takes few rows, for it is mostly
 * whole days; then the buckets of those values alone that are shown.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_report_parts.h"


#define LLM_STATS_HOURS   (2 * (int64_t) LLM_DAY_MS)
#define LLM_STATS_DAYS    (92 * (int64_t) LLM_DAY_MS)


typedef struct {
    llm_reader_t        *reader;
    const llm_report_t  *r;
    llm_window_t         w;
    int                  bucket;
    size_t               nbuckets;
    int64_t              start[LLM_REPORT_BUCKETS + 1];

    llm_series_map_t     all;            /* of the whole time */
    llm_ranked_t        *order;
    size_t               named;
    size_t               shown;

    /* of each bucket those that are shown, and everything together */
    llm_series_sum_t    *cells;          /* [nbuckets][shown + 1] */
} llm_stats_t;


static int llm_stats_buckets(llm_stats_t *s, llm_query_error_t *err);
static int llm_stats_sums(llm_stats_t *s);
static int llm_stats_dimension(llm_stats_t *s, llm_series_t *series);
static int llm_stats_choose(llm_stats_t *s, llm_series_t *series);
static int llm_stats_cells(llm_stats_t *s, llm_series_t *series,
    llm_series_t *total);
static int llm_stats_bucket(llm_stats_t *s, llm_series_t *series,
    llm_series_map_t *map, size_t n, int64_t since, int64_t until);
static int llm_stats_json(llm_stats_t *s, llm_json_t *j);
static void llm_stats_total(llm_stats_t *s, llm_json_t *j);
static void llm_stats_series(llm_stats_t *s, size_t row, llm_json_t *j);


int
llm_report_stats(llm_reader_t *reader, const llm_report_t *r, llm_json_t *j,
    llm_query_error_t *err)
{
    int           rc;
    llm_stats_t  *s;

    s = calloc(1, sizeof(llm_stats_t));
    if (s == NULL) {
        return llm_report_fail(reader, LLM_NOMEM, err);
    }

    s->reader = reader;
    s->r = r;

    rc = LLM_ERROR;

    if (llm_window_set(&s->w, r, reader, err) == LLM_OK
        && llm_stats_buckets(s, err) == LLM_OK)
    {
        rc = llm_stats_sums(s);

        if (rc == LLM_OK) {
            rc = llm_stats_json(s, j);
        }

        if (rc != LLM_OK) {
            rc = llm_report_fail(reader, rc, err);
        }
    }

    llm_series_free(&s->all);
    free(s->order);
    free(s->cells);
    free(s);

    return rc;
}


static int
llm_stats_buckets(llm_stats_t *s, llm_query_error_t *err)
{
    int64_t  length;

    s->bucket = s->r->bucket;

    if (s->bucket == LLM_BUCKET_AUTO) {
        length = s->w.until - s->w.since;

        s->bucket = length <= LLM_STATS_HOURS ? LLM_BUCKET_HOUR
                    : length <= LLM_STATS_DAYS ? LLM_BUCKET_DAY
                                               : LLM_BUCKET_MONTH;
    }

    if (llm_window_buckets(&s->w, s->r->tz, s->bucket, s->start,
                           &s->nbuckets)
        != LLM_OK)
    {
        return llm_query_fail(err, 400, "bad_parameter", "bucket",
                              "bucket makes more than %d of that time",
                              LLM_REPORT_BUCKETS);
    }

    return LLM_OK;
}


static int
llm_stats_sums(llm_stats_t *s)
{
    int           rc;
    llm_series_t  series, total;

    memset(&series, 0, sizeof(llm_series_t));
    memset(&total, 0, sizeof(llm_series_t));

    rc = LLM_OK;

    if (s->reader->db != NULL) {
        rc = llm_report_series(&total, s->reader, s->r, LLM_SERIES_TOTAL,
                               s->w.first, s->w.end);
    }

    if (rc == LLM_OK && s->reader->db != NULL
        && s->r->by != LLM_REPORT_NONE)
    {
        rc = llm_stats_dimension(s, &series);
    }

    if (rc == LLM_OK) {
        rc = llm_stats_cells(s, &series, &total);
    }

    llm_series_close(&series);
    llm_series_close(&total);

    return rc;
}


static int
llm_stats_dimension(llm_stats_t *s, llm_series_t *series)
{
    int  rc;

    rc = llm_report_series(series, s->reader, s->r, s->r->by, s->w.first,
                           s->w.end);

    if (rc == LLM_OK) {
        rc = llm_series_add_some(series, &s->all, s->w.first, s->w.end,
                                 llm_report_columns(s->r->sort));
    }

    return rc == LLM_OK ? llm_stats_choose(s, series) : rc;
}


/* As many with a name as are asked for, and what has none (two at most). */

static int
llm_stats_choose(llm_stats_t *s, llm_series_t *series)
{
    int     rc;
    size_t  i;

    rc = llm_report_rank(&s->all, s->r, (size_t) s->r->limit, &s->order,
                         &s->named);

    if (rc != LLM_OK) {
        return rc;
    }

    s->shown = s->named < (size_t) s->r->limit ? s->named
                                               : (size_t) s->r->limit;

    rc = llm_report_complete(series, &s->all, &s->w, s->order, s->named, 0,
                             s->shown);

    for (i = s->named; i < s->all.n; i++) {
        s->order[s->shown++] = s->order[i];
    }

    return rc;
}


static int
llm_stats_cells(llm_stats_t *s, llm_series_t *series, llm_series_t *total)
{
    int               rc;
    size_t            i, b;
    int64_t           since, until;
    llm_series_map_t  map, one;

    memset(&map, 0, sizeof(llm_series_map_t));
    memset(&one, 0, sizeof(llm_series_map_t));

    s->cells = calloc(s->nbuckets * (s->shown + 1) + 1,
                      sizeof(llm_series_sum_t));

    rc = s->cells != NULL ? LLM_OK : LLM_NOMEM;

    if (rc == LLM_OK && llm_series_get(&one, 0) == NULL) {
        rc = LLM_NOMEM;
    }

    for (i = 0; i < s->shown && rc == LLM_OK; i++) {
        if (llm_series_get(&map, s->order[i].sum->value) == NULL) {
            rc = LLM_NOMEM;
        }
    }

    for (b = 0; b < s->nbuckets && rc == LLM_OK; b++) {
        since = s->start[b] > s->w.first ? s->start[b] : s->w.first;
        until = s->w.end;

        if (b + 1 < s->nbuckets && s->start[b + 1] < until) {
            until = s->start[b + 1];
        }

        if (since >= until) {
            continue;
        }

        i = b * (s->shown + 1);
        rc = llm_stats_bucket(s, total, &one, i, since, until);

        if (rc == LLM_OK && map.n != 0) {
            rc = llm_stats_bucket(s, series, &map, i + 1, since, until);
        }
    }

    llm_series_free(&map);
    llm_series_free(&one);

    return rc;
}


/* The map starts at 0 each time and keeps its order, that of the rows. */

static int
llm_stats_bucket(llm_stats_t *s, llm_series_t *series, llm_series_map_t *map,
    size_t n, int64_t since, int64_t until)
{
    int     rc;
    size_t  i;

    for (i = 0; i < map->n; i++) {
        memset(map->sums[i].sum, 0, sizeof(map->sums[i].sum));
    }

    rc = llm_series_add_known(series, map, since, until);

    memcpy(&s->cells[n], map->sums, map->n * sizeof(llm_series_sum_t));

    return rc;
}


static int
llm_stats_json(llm_stats_t *s, llm_json_t *j)
{
    int     rc;
    size_t  i;

    static const char *const  buckets[] = {
        NULL, "hour", "day", "week", "month"
    };

    llm_window_json(&s->w, s->r, j);

    llm_json_key(j, "bucket");
    llm_json_text(j, buckets[s->bucket]);

    llm_json_key(j, "by");
    llm_json_text(j, s->r->by == LLM_REPORT_NONE ? NULL
                                                 : llm_report_by(s->r->by));

    llm_json_key(j, "buckets");
    llm_json_open_array(j);

    for (i = 0; i < s->nbuckets; i++) {
        llm_json_int(j, s->start[i]);
    }

    llm_json_close_array(j);

    llm_stats_total(s, j);

    llm_json_key(j, "count");
    llm_json_int(j, (int64_t) s->named);

    llm_json_key(j, "rows");
    llm_json_open_array(j);

    rc = LLM_OK;

    for (i = 0; i < s->shown && rc == LLM_OK; i++) {
        llm_json_open_object(j);

        rc = llm_report_name(j, s->reader, s->r->by, s->order[i].sum->value);

        llm_report_sums(j, s->order[i].sum->sum);
        llm_stats_series(s, i + 1, j);

        llm_json_close_object(j);
    }

    llm_json_close_array(j);

    return rc;
}


static void
llm_stats_total(llm_stats_t *s, llm_json_t *j)
{
    size_t   i, k;
    int64_t  sum[LLM_C_COUNT];

    memset(sum, 0, sizeof(sum));

    for (i = 0; i < s->nbuckets; i++) {

        for (k = 0; k < LLM_C_COUNT; k++) {
            sum[k] += s->cells[i * (s->shown + 1)].sum[k];
        }
    }

    llm_json_key(j, "total");
    llm_json_open_object(j);

    llm_report_sums(j, sum);
    llm_stats_series(s, 0, j);

    llm_json_close_object(j);
}


/* One array for each measure, as long as that of the buckets. */

static void
llm_stats_series(llm_stats_t *s, size_t row, llm_json_t *j)
{
    size_t          i, b;
    const int64_t  *sum;

    static const struct {
        int          n;
        const char  *name;
    } measures[] = {
        { LLM_C_REQUESTS, "requests" }, { LLM_C_ERRORS, "errors" },
        { LLM_C_INPUT, "input_tokens" },
        { LLM_C_CACHE_READ, "cache_read_tokens" },
        { LLM_C_CACHE_CREATION, "cache_creation_tokens" },
        { LLM_C_OUTPUT, "output_tokens" },
        { LLM_C_REASONING, "reasoning_tokens" },
        { LLM_C_TOTAL, "total_tokens" }, { LLM_C_COST, "cost_usd" },
        { LLM_C_DURATION, "duration_ms" }, { LLM_C_TTFT, "ttft_ms" }
    };

    llm_json_key(j, "series");
    llm_json_open_object(j);

    for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        llm_json_key(j, measures[i].name);
        llm_json_open_array(j);

        for (b = 0; b < s->nbuckets; b++) {
            sum = s->cells[b * (s->shown + 1) + row].sum;

            switch (measures[i].n) {

            case LLM_C_COST:
                llm_json_decimal(j, sum[LLM_C_PRICED] != 0
                                        || sum[LLM_C_USAGES] == 0
                                        ? sum[LLM_C_COST] : LLM_NULL, 9);
                break;

            case LLM_C_DURATION:
                llm_json_decimal(j, llm_report_ratio(sum[LLM_C_DURATION],
                                                     sum[LLM_C_DURATION_N],
                                                     0), 3);
                break;

            case LLM_C_TTFT:
                llm_json_decimal(j, llm_report_ratio(sum[LLM_C_TTFT],
                                                     sum[LLM_C_TTFT_N], 0),
                                 3);
                break;

            default:
                llm_json_int(j, sum[measures[i].n]);
            }
        }

        llm_json_close_array(j);
    }

    llm_json_close_object(j);
}
