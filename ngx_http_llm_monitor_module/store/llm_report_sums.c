
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sums and names as they are shown, and the order of rows.
 */


#include <stdlib.h>
#include "llm_report_parts.h"


#define LLM_REPORT_KEY        16           /* hex digits of a key's hash */
#define LLM_REPORT_KEY_SHOWN  4


static void llm_report_tokens(llm_json_t *j, const int64_t *sum);
static int llm_report_text(llm_json_t *j, llm_reader_t *reader, int dim,
    int64_t value);
static void llm_report_key(llm_json_t *j, const uint8_t *p, size_t n);
static int64_t llm_report_measure(const llm_series_sum_t *s, int rank);
static void llm_report_select(llm_ranked_t *order, size_t n, size_t first);
static void llm_report_sink(llm_ranked_t *heap, size_t n, size_t i);
static int llm_report_compare(const void *a, const void *b);


void
llm_report_sums(llm_json_t *j, const int64_t *sum)
{
    int64_t  n;

    n = sum[LLM_C_REQUESTS];

    llm_json_key(j, "requests");
    llm_json_int(j, n);

    llm_json_key(j, "errors");
    llm_json_int(j, sum[LLM_C_ERRORS]);

    llm_json_key(j, "success_rate");
    llm_json_decimal(j, llm_report_ratio(n - sum[LLM_C_ERRORS], n, 4), 4);

    llm_report_tokens(j, sum);

    /* of what is known: some without a price make it a lower bound */

    llm_json_key(j, "cost_usd");
    llm_json_decimal(j, sum[LLM_C_PRICED] != 0 ? sum[LLM_C_COST] : LLM_NULL,
                     9);

    llm_json_key(j, "unpriced");
    llm_json_int(j, sum[LLM_C_USAGES] > sum[LLM_C_PRICED]
                        ? sum[LLM_C_USAGES] - sum[LLM_C_PRICED] : 0);

    llm_json_key(j, "duration_ms");
    llm_json_decimal(j, llm_report_ratio(sum[LLM_C_DURATION],
                                         sum[LLM_C_DURATION_N], 0), 3);

    llm_json_key(j, "ttft_ms");
    llm_json_decimal(j, llm_report_ratio(sum[LLM_C_TTFT], sum[LLM_C_TTFT_N],
                                         0), 3);

    llm_json_key(j, "tokens_per_second");
    llm_json_decimal(j, llm_report_ratio(sum[LLM_C_SPEED_TOKENS],
                                         sum[LLM_C_SPEED_US], 8), 2);
}


static void
llm_report_tokens(llm_json_t *j, const int64_t *sum)
{
    size_t  i;

    static const struct {
        int          n;
        const char  *name;
    } kinds[] = {
        { LLM_C_INPUT, "input_tokens" },
        { LLM_C_CACHE_READ, "cache_read_tokens" },
        { LLM_C_CACHE_CREATION, "cache_creation_tokens" },
        { LLM_C_OUTPUT, "output_tokens" },
        { LLM_C_REASONING, "reasoning_tokens" },
        { LLM_C_TOTAL, "total_tokens" }
    };

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        llm_json_key(j, kinds[i].name);
        llm_json_int(j, sum[kinds[i].n]);
    }

    llm_json_key(j, "cache_hit_rate");
    llm_json_decimal(j, llm_report_ratio(sum[LLM_C_CACHE_READ],
                                         sum[LLM_C_INPUT], 4), 4);
}


int64_t
llm_report_ratio(int64_t v, int64_t n, int decimals)
{
    __int128  scaled;

    if (n == 0) {
        return LLM_NULL;
    }

    for (scaled = v; decimals > 0; decimals--) {
        scaled *= 10;
    }

    scaled = (scaled + n / 2) / n;

    return scaled < INT64_MAX ? (int64_t) scaled : INT64_MAX;
}


const char *
llm_report_by(int dim)
{
    static const char *const  names[LLM_SERIES_COUNT] = {
        "total", "account", "user", "key", "provider", "model", "endpoint",
        "ip", "status", "operation", "protocol", "outcome"
    };

    return names[dim];
}


int
llm_report_named(int dim, int64_t value)
{
    if (value == LLM_LEDGER_OTHER) {
        return 0;
    }

    /* 0 of these two is a word: other, unknown */

    return value != LLM_LEDGER_NULL || dim == LLM_SERIES_OPERATION
           || dim == LLM_SERIES_PROTOCOL;
}


int
llm_report_name(llm_json_t *j, llm_reader_t *reader, int dim, int64_t value)
{
    llm_json_key(j, "name");

    if (value == LLM_LEDGER_OTHER) {
        llm_json_text(j, "other");
        llm_json_key(j, "rest");
        llm_json_bool(j, 1);
        return LLM_OK;
    }

    if (!llm_report_named(dim, value)) {
        llm_json_null(j);
        return LLM_OK;
    }

    switch (dim) {

    case LLM_SERIES_STATUS:
        llm_json_int(j, value);
        return LLM_OK;

    case LLM_SERIES_OPERATION:
        llm_json_text(j, llm_operation_name(value));
        return LLM_OK;

    case LLM_SERIES_PROTOCOL:
        llm_json_text(j, llm_protocol_name(value));
        return LLM_OK;

    case LLM_SERIES_OUTCOME:
        llm_json_text(j, llm_outcome_name(value));
        return LLM_OK;

    default:
        return llm_report_text(j, reader, dim, value);
    }
}


/* A text that is gone from the dictionary is not known any more. */

static int
llm_report_text(llm_json_t *j, llm_reader_t *reader, int dim, int64_t value)
{
    int             rc, claimed;
    size_t          n;
    sqlite3_stmt   *st;
    const uint8_t  *p;

    if (sqlite3_prepare_v2(reader->db,
                           "SELECT value, kind FROM dict WHERE id = ?1", -1,
                           &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, value);

    rc = sqlite3_step(st);
    claimed = 0;

    if (rc == SQLITE_ROW) {
        p = sqlite3_column_text(st, 0);
        n = (size_t) sqlite3_column_bytes(st, 0);
        claimed = sqlite3_column_int(st, 1) == LLM_DICT_CLAIMED_USER;

        if (dim == LLM_SERIES_KEY) {
            llm_report_key(j, p, n);

        } else {
            llm_json_string(j, p, n);
        }

    } else {
        llm_json_null(j);
    }

    sqlite3_finalize(st);

    if (claimed) {
        llm_json_key(j, "claimed");
        llm_json_bool(j, 1);
    }

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static void
llm_report_key(llm_json_t *j, const uint8_t *p, size_t n)
{
    llm_json_open_string(j);

    if (n >= LLM_REPORT_KEY) {
        llm_json_append(j, p, LLM_REPORT_KEY_SHOWN);
    }

    if (n > LLM_REPORT_KEY) {
        llm_json_append(j, (const uint8_t *) "…", sizeof("…") - 1);
        llm_json_append(j, p + LLM_REPORT_KEY, n - LLM_REPORT_KEY);
    }

    llm_json_close_string(j);
}


int
llm_report_rank(const llm_series_map_t *map, const llm_report_t *r,
    size_t first, llm_ranked_t **order, size_t *named)
{
    size_t         i, rest;
    llm_ranked_t  *o;

    *named = 0;
    rest = map->n;
    *order = calloc(map->n + 1, sizeof(llm_ranked_t));

    if (*order == NULL) {
        return LLM_NOMEM;
    }

    for (i = 0; i < map->n; i++) {
        o = llm_report_named(r->by, map->sums[i].value)
                ? &(*order)[(*named)++] : &(*order)[--rest];

        o->sum = &map->sums[i];
        o->measure = llm_report_measure(o->sum, r->sort);

        /* the least comes first */

        if (!r->ascending && o->measure != LLM_NULL) {
            o->measure = -o->measure;
        }
    }

    first = first < *named ? first : *named;

    llm_report_select(*order, *named, first);

    qsort(*order, first, sizeof(llm_ranked_t), llm_report_compare);
    qsort(*order + *named, map->n - *named, sizeof(llm_ranked_t),
          llm_report_compare);

    return LLM_OK;
}


/* Those that come first to the front, in any order: as a heap, last on top. */

static void
llm_report_select(llm_ranked_t *order, size_t n, size_t first)
{
    size_t        i;
    llm_ranked_t  o;

    if (first == 0 || first == n) {
        return;
    }

    for (i = first / 2; i-- > 0; /* void */ ) {
        llm_report_sink(order, first, i);
    }

    for (i = first; i < n; i++) {

        if (llm_report_compare(&order[i], &order[0]) < 0) {
            o = order[0];
            order[0] = order[i];
            order[i] = o;

            llm_report_sink(order, first, 0);
        }
    }
}


static void
llm_report_sink(llm_ranked_t *heap, size_t n, size_t i)
{
    size_t        next;
    llm_ranked_t  o;

    for (o = heap[i]; (next = 2 * i + 1) < n; i = next) {

        if (next + 1 < n
            && llm_report_compare(&heap[next], &heap[next + 1]) < 0)
        {
            next++;
        }

        if (llm_report_compare(&heap[next], &o) < 0) {
            break;
        }

        heap[i] = heap[next];
    }

    heap[i] = o;
}


unsigned
llm_report_columns(int rank)
{
    unsigned  columns;

    static const struct {
        int  a;
        int  b;
    } of[] = {
        [LLM_RANK_TOKENS] = { LLM_C_TOTAL, LLM_C_TOTAL },
        [LLM_RANK_REQUESTS] = { LLM_C_REQUESTS, LLM_C_REQUESTS },
        [LLM_RANK_ERRORS] = { LLM_C_ERRORS, LLM_C_ERRORS },
        [LLM_RANK_COST] = { LLM_C_PRICED, LLM_C_COST },
        [LLM_RANK_INPUT] = { LLM_C_INPUT, LLM_C_INPUT },
        [LLM_RANK_OUTPUT] = { LLM_C_OUTPUT, LLM_C_OUTPUT },
        [LLM_RANK_SUCCESS] = { LLM_C_ERRORS, LLM_C_ERRORS },
        [LLM_RANK_DURATION] = { LLM_C_DURATION, LLM_C_DURATION_N },
        [LLM_RANK_TTFT] = { LLM_C_TTFT, LLM_C_TTFT_N },
        [LLM_RANK_SPEED] = { LLM_C_SPEED_TOKENS, LLM_C_SPEED_US }
    };

    /* the requests come second, whatever is first */

    columns = LLM_SERIES_COLUMN(LLM_C_REQUESTS);
    columns |= LLM_SERIES_COLUMN(of[rank].a) | LLM_SERIES_COLUMN(of[rank].b);

    return columns;
}


int
llm_report_complete(llm_series_t *s, llm_series_map_t *map,
    const llm_window_t *w, const llm_ranked_t *order, size_t named,
    size_t from, size_t end)
{
    int                 rc;
    size_t              i, n;
    llm_series_sum_t  **sums;

    sums = malloc((map->n + 1) * sizeof(llm_series_sum_t *));
    if (sums == NULL) {
        return LLM_NOMEM;
    }

    n = 0;

    for (i = from; i < end; i++) {
        sums[n++] = order[i].sum;
    }

    for (i = named; i < map->n; i++) {
        sums[n++] = order[i].sum;
    }

    rc = llm_series_complete(s, map, sums, n, w->first, w->end);

    free(sums);

    return rc;
}


static int64_t
llm_report_measure(const llm_series_sum_t *s, int rank)
{
    const int64_t  *sum;

    sum = s->sum;

    switch (rank) {

    case LLM_RANK_REQUESTS:
        return sum[LLM_C_REQUESTS];

    case LLM_RANK_ERRORS:
        return sum[LLM_C_ERRORS];

    case LLM_RANK_COST:
        return sum[LLM_C_PRICED] != 0 ? sum[LLM_C_COST] : LLM_NULL;

    case LLM_RANK_INPUT:
        return sum[LLM_C_INPUT];

    case LLM_RANK_OUTPUT:
        return sum[LLM_C_OUTPUT];

    case LLM_RANK_SUCCESS:
        return llm_report_ratio(sum[LLM_C_REQUESTS] - sum[LLM_C_ERRORS],
                                sum[LLM_C_REQUESTS], 9);

    case LLM_RANK_DURATION:
        return llm_report_ratio(sum[LLM_C_DURATION], sum[LLM_C_DURATION_N],
                                0);

    case LLM_RANK_TTFT:
        return llm_report_ratio(sum[LLM_C_TTFT], sum[LLM_C_TTFT_N], 0);

    case LLM_RANK_SPEED:
        return llm_report_ratio(sum[LLM_C_SPEED_TOKENS],
                                sum[LLM_C_SPEED_US], 9);

    default: /* LLM_RANK_TOKENS */
        return sum[LLM_C_TOTAL];
    }
}


/* what has no such measure is last */

static int
llm_report_compare(const void *a, const void *b)
{
    const llm_ranked_t *x = a, *y = b;

    if (x->measure != y->measure) {

        if (x->measure == LLM_NULL || y->measure == LLM_NULL) {
            return x->measure == LLM_NULL ? 1 : -1;
        }

        return x->measure < y->measure ? -1 : 1;
    }

    if (x->sum->sum[LLM_C_REQUESTS] != y->sum->sum[LLM_C_REQUESTS]) {
        return x->sum->sum[LLM_C_REQUESTS] > y->sum->sum[LLM_C_REQUESTS]
                   ? -1 : 1;
    }

    return x->sum->value < y->sum->value ? -1 : 1;
}
