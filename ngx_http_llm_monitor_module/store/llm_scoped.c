
/*
 * Copyright (C) llm_monitor contributors
 *
 * Three places know something of one user: the series of users, which has the
 * user's own sums; the table who, for what it tells apart; and the rows in log
 * for the rest, and for a name that found the dictionary full.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_scoped.h"
#include "llm_series.h"


#define LLM_SCOPED_SQL    1024
#define LLM_SCOPED_ROOM   64            /* at first */

#define LLM_SCOPED_SUMS                                                       \
    " sum(requests), sum(errors), sum(usages), sum(input_tokens),"            \
    " sum(cache_read_tokens), sum(cache_creation_tokens),"                    \
    " sum(output_tokens), sum(reasoning_tokens), sum(total_tokens),"          \
    " sum(priced), sum(cost_nano), sum(duration_n), sum(duration_us),"        \
    " sum(ttft_n), sum(ttft_us), sum(speed_tokens), sum(speed_us)"


/* the numbers of a record that are counted, as columns of log */

static const struct {
    int          n;
    const char  *column;
} llm_scoped_nums[] = {
    { LLM_N_STATUS, ", l.status" }, { LLM_N_OUTCOME, ", l.outcome" },
    { LLM_N_FLAGS, ", l.flags" }, { LLM_N_DURATION_US, ", l.duration_us" },
    { LLM_N_TTFT_US, ", l.ttft_us" },
    { LLM_N_INPUT_TOKENS, ", l.input_tokens" },
    { LLM_N_CACHE_READ_TOKENS, ", l.cache_read_tokens" },
    { LLM_N_CACHE_CREATION_TOKENS, ", l.cache_creation_tokens" },
    { LLM_N_OUTPUT_TOKENS, ", l.output_tokens" },
    { LLM_N_REASONING_TOKENS, ", l.reasoning_tokens" },
    { LLM_N_TOTAL_TOKENS, ", l.total_tokens" },
    { LLM_N_COST_NANO, ", l.cost_nano" }
};

#define LLM_SCOPED_NUMS                                                       \
    (sizeof(llm_scoped_nums) / sizeof(llm_scoped_nums[0]))


/*
 * By llm_series_e, as columns of who and as values of rows in log, where a
 * text that found the dictionary full is none of those that were counted.
 */

#define LLM_SCOPED_TEXT(column, name)                                         \
    "coalesce(l." column ", iif(l.over ->> '$." name "' IS NULL, 0, -1))"

static const char *const  llm_scoped_who[LLM_SERIES_COUNT] = {
    NULL, "account", "user", "api_key", "provider", "model", NULL, NULL,
    NULL, "operation", NULL, NULL
};

static const char *const  llm_scoped_log[LLM_SERIES_COUNT] = {
    "0", LLM_SCOPED_TEXT("account", "account_email"),
    LLM_SCOPED_TEXT("user", "user"), LLM_SCOPED_TEXT("api_key", "api_key"),
    LLM_SCOPED_TEXT("provider", "provider"),
    LLM_SCOPED_TEXT("model", "model"),
    LLM_SCOPED_TEXT("endpoint", "endpoint"),
    LLM_SCOPED_TEXT("client_ip", "client_ip"),
    "iif(l.status BETWEEN 100 AND 999, l.status, 0)",
    "coalesce(l.operation, 0)", "coalesce(l.protocol, 0)",
    "coalesce(l.outcome, 0)"
};


typedef struct {
    llm_scoped_t      *s;
    llm_scope_t       *scope;
    llm_reader_t      *reader;
    sqlite3_stmt      *st;
    int                log;             /* st is that of rows */
    llm_scope_rows_t   rows;
    llm_series_map_t   map;             /* of the present quarter-hour */
} llm_scoped_call_t;


static sqlite3_stmt *llm_scoped_prepare(llm_scoped_call_t *call, int dim);
static sqlite3_stmt *llm_scoped_ledger(llm_scoped_call_t *call,
    const char *column, int own);
static sqlite3_stmt *llm_scoped_rows(llm_scoped_call_t *call, int dim);
static int llm_scoped_next(llm_scoped_call_t *call);
static int llm_scoped_span(void *data, int64_t since, int64_t until,
    int64_t requests);
static int llm_scoped_row(llm_scoped_call_t *call);
static void llm_scoped_add(sqlite3_stmt *st, int64_t *sum);
static int llm_scoped_cell(llm_scoped_call_t *call, int64_t t,
    const llm_series_sum_t *sum);


int
llm_scoped_read(llm_scoped_t *s, llm_scope_t *scope, llm_reader_t *reader,
    int dim, int64_t since, int64_t until)
{
    int                rc;
    llm_scoped_call_t  call;

    if (scope->nobody) {
        return LLM_OK;
    }

    memset(&call, 0, sizeof(llm_scoped_call_t));

    call.s = s;
    call.scope = scope;
    call.reader = reader;
    call.st = llm_scoped_prepare(&call, dim);

    if (call.st == NULL) {
        return LLM_ERROR;
    }

    rc = llm_scope_walk(scope, reader, since, until, llm_scoped_span, &call);

    if (call.log) {
        llm_scope_rows_close(&call.rows);

    } else {
        sqlite3_finalize(call.st);
    }

    llm_series_free(&call.map);

    if (rc == LLM_FULL) {
        scope->partial = 1;
        rc = LLM_OK;
    }

    return rc;
}


void
llm_scoped_free(llm_scoped_t *s)
{
    free(s->cells);
    memset(s, 0, sizeof(llm_scoped_t));
}


size_t
llm_scoped_from(const llm_scoped_t *s, int64_t t)
{
    size_t  low, high, middle;

    low = 0;
    high = s->n;

    while (low < high) {
        middle = (low + high) / 2;

        if (s->cells[middle].t < t) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


static sqlite3_stmt *
llm_scoped_prepare(llm_scoped_call_t *call, int dim)
{
    if (call->scope->id != 0 && dim == LLM_SERIES_TOTAL) {
        return llm_scoped_ledger(call, "0", 1);
    }

    if (call->scope->id != 0 && dim == call->scope->dim) {
        return llm_scoped_ledger(call, "value", 1);
    }

    if (call->scope->id != 0 && llm_scoped_who[dim] != NULL) {
        return llm_scoped_ledger(call, llm_scoped_who[dim], 0);
    }

    call->log = 1;

    return llm_scoped_rows(call, dim);
}


/* ?1: the time; own: from the series of the scope itself */

static sqlite3_stmt *
llm_scoped_ledger(llm_scoped_call_t *call, const char *column, int own)
{
    int            user;
    llm_buf_t      sql;
    sqlite3_stmt  *st;

    st = NULL;
    user = (call->scope->dim == LLM_SERIES_USER);
    llm_buf_init(&sql, LLM_SCOPED_SQL);

    llm_buf_text(&sql, "SELECT ");
    llm_buf_text(&sql, column);
    llm_buf_text(&sql, "," LLM_SCOPED_SUMS);

    if (own) {
        llm_buf_text(&sql, " FROM series WHERE span = 900000 AND t = ?1"
                           " AND dim = ?3 AND value = ?2");

    } else {
        llm_buf_text(&sql, " FROM who WHERE t = ?1 AND ");
        llm_buf_text(&sql, user ? "user = ?2" : "account = ?2");
    }

    llm_buf_text(&sql, " GROUP BY 1");

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(call->reader->db, (const char *) sql.data,
                              (int) sql.len, &st, NULL)
           == SQLITE_OK)
    {
        (void) sqlite3_bind_int64(st, 2, call->scope->id);

        if (own) {
            (void) sqlite3_bind_int(st, 3, call->scope->dim);
        }
    }

    llm_buf_free(&sql);

    return st;
}


static sqlite3_stmt *
llm_scoped_rows(llm_scoped_call_t *call, int dim)
{
    size_t     i;
    llm_buf_t  columns;

    llm_buf_init(&columns, LLM_SCOPED_SQL);
    llm_buf_text(&columns, llm_scoped_log[dim]);

    for (i = 0; i < LLM_SCOPED_NUMS; i++) {
        llm_buf_text(&columns, llm_scoped_nums[i].column);
    }

    llm_buf_add(&columns, "", 1);

    if (columns.failed == LLM_OK) {
        (void) llm_scope_rows_open(&call->rows, call->scope, call->reader,
                                   (const char *) columns.data);
    }

    llm_buf_free(&columns);

    return call->rows.st;
}


static int
llm_scoped_span(void *data, int64_t since, int64_t until, int64_t requests)
{
    llm_scoped_call_t *call = data;

    int      rc;
    size_t   i;
    int64_t  found;

    if (call->log) {
        llm_scope_rows_start(&call->rows, since, until);

    } else {
        (void) sqlite3_bind_int64(call->st, 1, since - since % LLM_QUARTER_MS);
    }

    while ((rc = llm_scoped_next(call)) == LLM_OK) {

        if (llm_scoped_row(call) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    if (!call->log) {
        (void) sqlite3_reset(call->st);
    }

    found = 0;

    for (i = 0; i < call->map.n; i++) {
        found += call->map.sums[i].sum[LLM_C_REQUESTS];

        if (llm_scoped_cell(call, since, &call->map.sums[i]) != LLM_OK) {
            return call->s->n == LLM_SCOPED_CELLS ? LLM_FULL : LLM_NOMEM;
        }
    }

    llm_series_free(&call->map);

    /* what is in the rest is nobody's; rows may be gone or never have been */

    if (!call->log && found != requests) {
        call->scope->partial = 1;
    }

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static int
llm_scoped_next(llm_scoped_call_t *call)
{
    int  rc;

    if (call->log) {
        return llm_scope_rows_next(&call->rows);
    }

    rc = sqlite3_step(call->st);

    if (rc == SQLITE_ROW) {
        return LLM_OK;
    }

    return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
}


static int
llm_scoped_row(llm_scoped_call_t *call)
{
    int                i;
    llm_series_sum_t  *sum;

    sum = llm_series_get(&call->map, sqlite3_column_int64(call->st, 0));

    if (sum == NULL) {
        return LLM_NOMEM;
    }

    if (call->log) {
        llm_scoped_add(call->st, sum->sum);
        return LLM_OK;
    }

    for (i = 0; i < LLM_C_COUNT; i++) {
        sum->sum[i] += sqlite3_column_int64(call->st, i + 1);
    }

    return LLM_OK;
}


/* A row of log counts for what its record did. */

static void
llm_scoped_add(sqlite3_stmt *st, int64_t *sum)
{
    int               i;
    size_t            n;
    llm_record_t      r;
    llm_ledger_add_t  add;

    llm_record_init(&r);

    for (n = 0; n < LLM_SCOPED_NUMS; n++) {
        i = (int) n + 1;

        r.num[llm_scoped_nums[n].n] =
            sqlite3_column_type(st, i) == SQLITE_NULL
                ? LLM_NULL : sqlite3_column_int64(st, i);
    }

    llm_ledger_add(&add, &r);

    for (i = 0; i < LLM_C_COUNT; i++) {
        sum[i] += add.sum[i];
    }
}


static int
llm_scoped_cell(llm_scoped_call_t *call, int64_t t,
    const llm_series_sum_t *sum)
{
    size_t              room;
    llm_scoped_t       *s;
    llm_scoped_cell_t  *cells;

    s = call->s;

    if (s->n == LLM_SCOPED_CELLS) {
        return LLM_FULL;
    }

    if (s->n == s->room) {
        room = s->room ? 2 * s->room : LLM_SCOPED_ROOM;

        cells = realloc(s->cells, room * sizeof(llm_scoped_cell_t));
        if (cells == NULL) {
            return LLM_NOMEM;
        }

        s->cells = cells;
        s->room = room;
    }

    s->cells[s->n].t = t;
    s->cells[s->n].value = sum->value;
    memcpy(s->cells[s->n].sum, sum->sum, sizeof(sum->sum));
    s->n++;

    return LLM_OK;
}
