
/*
 * Copyright (C) llm_monitor contributors
 *
 * The leaderboard: values of a dimension by what they did in a time.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_report_parts.h"


/* the sums, and which of them are shown, in their order */

typedef struct {
    llm_series_map_t   map;
    llm_ranked_t      *order;
    size_t             named;
    size_t             from;
    size_t             end;
} llm_leaderboard_t;


static int llm_leaderboard_sums(llm_leaderboard_t *b, llm_reader_t *reader,
    const llm_report_t *r, const llm_window_t *w);
static int llm_leaderboard_order(llm_leaderboard_t *b,
    const llm_report_t *r);
static int llm_leaderboard_json(const llm_leaderboard_t *b,
    llm_reader_t *reader, const llm_report_t *r, llm_json_t *j);
static void llm_leaderboard_apart(const llm_series_map_t *map, int64_t value,
    const char *name, llm_json_t *j);


int
llm_report_leaderboard(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err)
{
    int                rc;
    llm_window_t       w;
    llm_leaderboard_t  b;

    memset(&b, 0, sizeof(llm_leaderboard_t));

    if (llm_window_set(&w, r, reader, err) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_json_key(j, "by");
    llm_json_text(j, llm_report_by(r->by));

    llm_window_json(&w, r, j);

    rc = reader->db == NULL ? llm_leaderboard_order(&b, r)
                            : llm_leaderboard_sums(&b, reader, r, &w);

    if (rc == LLM_OK) {
        rc = llm_leaderboard_json(&b, reader, r, j);
    }

    llm_series_free(&b.map);
    free(b.order);

    return rc == LLM_OK ? LLM_OK : llm_report_fail(reader, rc, err);
}


/* First what the order is made of, then the rest of what is shown. */

static int
llm_leaderboard_sums(llm_leaderboard_t *b, llm_reader_t *reader,
    const llm_report_t *r, const llm_window_t *w)
{
    int           rc;
    llm_series_t  series;

    rc = llm_report_series(&series, reader, r, r->by, w->first, w->end);

    if (rc != LLM_OK) {
        return rc;
    }

    rc = llm_series_add_some(&series, &b->map, w->first, w->end,
                             llm_report_columns(r->sort));

    if (rc == LLM_OK) {
        rc = llm_leaderboard_order(b, r);
    }

    if (rc == LLM_OK) {
        rc = llm_report_complete(&series, &b->map, w, b->order, b->named,
                                 b->from, b->end);
    }

    llm_series_close(&series);

    return rc;
}


static int
llm_leaderboard_order(llm_leaderboard_t *b, const llm_report_t *r)
{
    size_t  offset, limit;

    offset = (size_t) r->offset;
    limit = (size_t) r->limit;

    if (llm_report_rank(&b->map, r, offset + limit, &b->order, &b->named)
        != LLM_OK)
    {
        return LLM_NOMEM;
    }

    b->from = offset < b->named ? offset : b->named;
    b->end = b->named - b->from < limit ? b->named : b->from + limit;

    return LLM_OK;
}


static int
llm_leaderboard_json(const llm_leaderboard_t *b, llm_reader_t *reader,
    const llm_report_t *r, llm_json_t *j)
{
    int                      rc;
    size_t                   i;
    const llm_series_sum_t  *sum;

    llm_json_key(j, "total");
    llm_json_open_object(j);
    llm_report_sums(j, b->map.total);
    llm_json_close_object(j);

    llm_json_key(j, "count");
    llm_json_int(j, (int64_t) b->named);

    llm_json_key(j, "limit");
    llm_json_int(j, r->limit);

    llm_json_key(j, "offset");
    llm_json_int(j, r->offset);

    llm_json_key(j, "rows");
    llm_json_open_array(j);

    rc = LLM_OK;

    for (i = b->from; i < b->end && rc == LLM_OK; i++) {
        sum = b->order[i].sum;

        llm_json_open_object(j);

        llm_json_key(j, "rank");
        llm_json_int(j, (int64_t) i + 1);

        rc = llm_report_name(j, reader, r->by, sum->value);
        llm_report_sums(j, sum->sum);

        llm_json_close_object(j);
    }

    llm_json_close_array(j);

    /* what has no place among them */

    llm_leaderboard_apart(&b->map, LLM_LEDGER_NULL, "none", j);
    llm_leaderboard_apart(&b->map, LLM_LEDGER_OTHER, "other", j);

    return rc;
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
