
/*
 * Copyright (C) llm_monitor contributors
 *
 * The leaderboard: values of a dimension by what they did in a time.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_report_parts.h"


static int llm_leaderboard_sums(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, llm_series_map_t *map);
static int llm_leaderboard_json(llm_reader_t *reader, const llm_report_t *r,
    const llm_series_map_t *map, llm_json_t *j);
static void llm_leaderboard_total(const llm_series_map_t *map,
    llm_json_t *j);
static void llm_leaderboard_apart(const llm_series_map_t *map, int64_t value,
    const char *name, llm_json_t *j);


int
llm_report_leaderboard(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err)
{
    int               rc;
    llm_window_t      w;
    llm_series_map_t  map;

    memset(&map, 0, sizeof(llm_series_map_t));

    if (llm_window_set(&w, r, reader, err) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_json_key(j, "by");
    llm_json_text(j, llm_report_by(r->by));

    llm_window_json(&w, r, j);

    rc = reader->db == NULL ? LLM_OK
                            : llm_leaderboard_sums(reader, r, &w, &map);

    if (rc == LLM_OK) {
        rc = llm_leaderboard_json(reader, r, &map, j);
    }

    llm_series_free(&map);

    return rc == LLM_OK ? LLM_OK : llm_report_fail(reader, rc, err);
}


static int
llm_leaderboard_sums(llm_reader_t *reader, const llm_report_t *r,
    const llm_window_t *w, llm_series_map_t *map)
{
    int           rc;
    llm_series_t  series;

    rc = llm_report_series(&series, reader, r, r->by, w->first, w->end);

    if (rc != LLM_OK) {
        return rc;
    }

    rc = llm_series_add(&series, map, w->first, w->end);

    llm_series_close(&series);

    return rc;
}


static int
llm_leaderboard_json(llm_reader_t *reader, const llm_report_t *r,
    const llm_series_map_t *map, llm_json_t *j)
{
    int            rc;
    size_t         i, named, end;
    llm_ranked_t  *order;

    rc = llm_report_rank(map, r, &order, &named);

    if (rc != LLM_OK) {
        return rc;
    }

    llm_leaderboard_total(map, j);

    llm_json_key(j, "count");
    llm_json_int(j, (int64_t) named);

    llm_json_key(j, "limit");
    llm_json_int(j, r->limit);

    llm_json_key(j, "offset");
    llm_json_int(j, r->offset);

    end = named;

    if (r->offset + r->limit < (int64_t) named) {
        end = (size_t) (r->offset + r->limit);
    }

    llm_json_key(j, "rows");
    llm_json_open_array(j);

    for (i = (size_t) r->offset; i < end && rc == LLM_OK; i++) {
        llm_json_open_object(j);

        llm_json_key(j, "rank");
        llm_json_int(j, (int64_t) i + 1);

        rc = llm_report_name(j, reader, r->by, order[i].sum->value);
        llm_report_sums(j, order[i].sum->sum);

        llm_json_close_object(j);
    }

    llm_json_close_array(j);

    /* what has no place among them */

    llm_leaderboard_apart(map, LLM_LEDGER_NULL, "none", j);
    llm_leaderboard_apart(map, LLM_LEDGER_OTHER, "other", j);

    free(order);

    return rc;
}


static void
llm_leaderboard_total(const llm_series_map_t *map, llm_json_t *j)
{
    size_t            i, k;
    llm_series_sum_t  total;

    memset(&total, 0, sizeof(llm_series_sum_t));

    for (i = 0; i < map->n; i++) {

        for (k = 0; k < LLM_C_COUNT; k++) {
            total.sum[k] += map->sums[i].sum[k];
        }
    }

    llm_json_key(j, "total");
    llm_json_open_object(j);
    llm_report_sums(j, total.sum);
    llm_json_close_object(j);
}


static void
llm_leaderboard_apart(const llm_series_map_t *map, int64_t value,
    const char *name, llm_json_t *j)
{
    const llm_series_sum_t  *sum;

    sum = llm_series_find(map, value);

    llm_json_key(j, name);

    if (sum == NULL) {
        llm_json_null(j);
        return;
    }

    llm_json_open_object(j);
    llm_report_sums(j, sum->sum);
    llm_json_close_object(j);
}
