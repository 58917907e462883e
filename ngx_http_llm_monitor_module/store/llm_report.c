
/*
 * Copyright (C) llm_monitor contributors
 *
 * Parameters of the calls on the ledger, and what is around each answer.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_args.h"
#include "llm_report_parts.h"
#include "llm_when.h"
#include "../record/llm_text.h"


#define LLM_REPORT_LIMIT       20
#define LLM_REPORT_LIMIT_MAX   1000
#define LLM_REPORT_ROWS_MAX    100        /* rows with buckets */
#define LLM_REPORT_OFFSET_MAX  100000
#define LLM_REPORT_PARAMS      16

/* calls that know a parameter */

#define LLM_REPORT_IN(what)    (1 << (what))
#define LLM_REPORT_IN_SUMMARY  LLM_REPORT_IN(LLM_REPORT_SUMMARY)
#define LLM_REPORT_IN_STATS    LLM_REPORT_IN(LLM_REPORT_STATS)
#define LLM_REPORT_IN_BOARD    LLM_REPORT_IN(LLM_REPORT_LEADERBOARD)
#define LLM_REPORT_IN_HEALTH   LLM_REPORT_IN(LLM_REPORT_AVAILABILITY)


typedef struct {
    const char  *word;
    int          value;
} llm_report_word_t;

typedef struct {
    llm_report_t       *r;
    llm_str_t           value[LLM_REPORT_PARAMS];
    llm_query_error_t  *err;
} llm_report_call_t;

typedef struct {
    const char  *name;
    int          calls;
    int        (*set)(llm_report_t *r, const llm_str_t *value);
    const char  *must;               /* the message after the name */
} llm_report_param_t;


static int llm_report_take(void *data, const llm_str_t *name,
    const llm_str_t *value);
static int llm_report_read(llm_report_call_t *call);
static int llm_report_check(llm_report_call_t *call);
static int llm_report_refuse(llm_report_call_t *call, const char *name,
    const char *what);
static int llm_report_tz(llm_report_t *r, const llm_str_t *value);
static int llm_report_since(llm_report_t *r, const llm_str_t *value);
static int llm_report_until(llm_report_t *r, const llm_str_t *value);
static int llm_report_period(llm_report_t *r, const llm_str_t *value);
static int llm_report_range(llm_report_t *r, const llm_str_t *value);
static int llm_report_bucket(llm_report_t *r, const llm_str_t *value);
static int llm_report_dim(llm_report_t *r, const llm_str_t *value);
static int llm_report_limit(llm_report_t *r, const llm_str_t *value);
static int llm_report_offset(llm_report_t *r, const llm_str_t *value);
static int llm_report_sort(llm_report_t *r, const llm_str_t *value);
static int llm_report_order(llm_report_t *r, const llm_str_t *value);
static int llm_report_word(const llm_str_t *value,
    const llm_report_word_t *words, int *v);


/* read in this order: tz before the times */

static const llm_report_param_t  llm_report_params[] = {

    { "tz", LLM_REPORT_IN_SUMMARY|LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD,
      llm_report_tz,
      "must be a time zone such as Europe/Paris, UTC or +05:45" },

    { "since", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD, llm_report_since,
      "must be milliseconds, ISO 8601, -15m, -24h, -7d, today, yesterday, "
      "week or month" },

    { "until", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD, llm_report_until,
      "must be milliseconds, ISO 8601, -15m, -24h, -7d, today, yesterday, "
      "week or month" },

    { "period", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD, llm_report_period,
      "must be today, yesterday, week, month, all or custom" },

    { "range", LLM_REPORT_IN_HEALTH, llm_report_range,
      "must be 1h, 6h, 24h or 7d" },

    { "bucket", LLM_REPORT_IN_STATS, llm_report_bucket,
      "must be hour, day, week or month" },

    { "by", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD|LLM_REPORT_IN_HEALTH,
      llm_report_dim, NULL },

    { "limit", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD|LLM_REPORT_IN_HEALTH,
      llm_report_limit, NULL },

    { "offset", LLM_REPORT_IN_BOARD, llm_report_offset,
      "must be an integer from 0 to 100000" },

    { "sort", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD, llm_report_sort,
      "must be total_tokens, requests, errors, cost_usd, input_tokens, "
      "output_tokens, success_rate, duration_ms, ttft_ms or "
      "tokens_per_second" },

    { "order", LLM_REPORT_IN_STATS|LLM_REPORT_IN_BOARD, llm_report_order,
      "must be desc or asc" }
};

#define LLM_REPORT_KNOWN                                                      \
    (sizeof(llm_report_params) / sizeof(llm_report_params[0]))

_Static_assert(LLM_REPORT_KNOWN <= LLM_REPORT_PARAMS,
               "llm_report_call_t is too small");


int
llm_report_parse(llm_report_t **out, const llm_str_t *query, int what,
    int64_t now_ms, llm_query_error_t *err)
{
    int                rc;
    uint8_t           *room;
    llm_report_t      *r;
    llm_report_call_t  call;

    *out = NULL;

    r = calloc(1, sizeof(llm_report_t));
    if (r == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    r->what = what;
    r->now_ms = now_ms;
    r->since = LLM_NULL;
    r->until = LLM_NULL;
    r->limit = LLM_NULL;
    r->by = LLM_REPORT_NONE;

    memset(&call, 0, sizeof(llm_report_call_t));
    call.r = r;
    call.err = err;

    rc = llm_args_read(query, &room, llm_report_take, &call, err);

    if (rc == LLM_OK) {
        rc = llm_report_read(&call);
    }

    if (rc == LLM_OK) {
        rc = llm_report_check(&call);
    }

    free(room);

    if (rc != LLM_OK) {
        llm_report_free(r);
        return LLM_ERROR;
    }

    *out = r;

    return LLM_OK;
}


void
llm_report_free(llm_report_t *r)
{
    if (r == NULL) {
        return;
    }

    llm_scope_free(r->scope);
    llm_tz_close(r->tz);
    free(r);
}


int
llm_report_scope(llm_report_t *r, llm_scope_e scope, const llm_str_t *value,
    llm_query_error_t *err)
{
    return llm_scope_create(&r->scope, scope, value, r->now_ms, err);
}


static int
llm_report_take(void *data, const llm_str_t *name, const llm_str_t *value)
{
    llm_report_call_t *call = data;

    size_t  i;

    for (i = 0; i < LLM_REPORT_KNOWN; i++) {

        if (!llm_text_equal(name, llm_report_params[i].name)
            || !(llm_report_params[i].calls & LLM_REPORT_IN(call->r->what)))
        {
            continue;
        }

        if (call->value[i].data != NULL) {
            return llm_args_fail(call->err, name, "is given twice");
        }

        call->value[i] = *value;

        return LLM_OK;
    }

    return llm_args_fail(call->err, name, "is no parameter of this call");
}


static int
llm_report_read(llm_report_call_t *call)
{
    size_t                     i;
    llm_str_t                  utc;
    const llm_report_param_t  *param;

    static const llm_str_t  zone = llm_str("UTC");

    for (i = 0; i < LLM_REPORT_KNOWN; i++) {
        param = &llm_report_params[i];

        if (param->set == llm_report_tz && call->value[i].data == NULL) {
            utc = zone;

            if (llm_report_tz(call->r, &utc) != LLM_OK) {
                return llm_query_fail(call->err, 503, "no_memory", NULL,
                                      "no memory");
            }

            continue;
        }

        if (call->value[i].data != NULL
            && param->set(call->r, &call->value[i]) != LLM_OK)
        {
            return llm_report_refuse(call, param->name, param->must);
        }
    }

    return LLM_OK;
}


/* what parameters mean together, and what they are if they are not there */

static int
llm_report_check(llm_report_call_t *call)
{
    llm_report_t  *r;

    r = call->r;

    if (r->since != LLM_NULL || r->until != LLM_NULL) {

        if (r->period != LLM_PERIOD_NONE && r->period != LLM_PERIOD_CUSTOM) {
            return llm_report_refuse(call, "period",
                                     "does not go with since and until");
        }

        if (r->since == LLM_NULL) {
            return llm_report_refuse(call, "until", "needs since");
        }

        if (r->since >= (r->until == LLM_NULL ? r->now_ms : r->until)) {
            return llm_report_refuse(call, "until", "must be after since");
        }

        r->period = LLM_PERIOD_CUSTOM;

    } else if (r->period == LLM_PERIOD_CUSTOM) {
        return llm_report_refuse(call, "period", "custom needs since");
    }

    switch (r->what) {

    case LLM_REPORT_LEADERBOARD:

        if (r->by == LLM_REPORT_NONE) {
            r->by = LLM_SERIES_USER;
        }

        if (r->period == LLM_PERIOD_NONE) {
            r->period = LLM_PERIOD_TODAY;
        }

        break;

    case LLM_REPORT_AVAILABILITY:

        if (r->by == LLM_REPORT_NONE) {
            r->by = LLM_SERIES_PROVIDER;
        }

        if (r->range == 0) {
            r->range = 24 * 60;
        }
    }

    if (r->limit == LLM_NULL) {
        r->limit = LLM_REPORT_LIMIT;
    }

    return LLM_OK;
}


/* NULL: what may stand there is not the same for each call */

static int
llm_report_refuse(llm_report_call_t *call, const char *name, const char *what)
{
    int        board;
    llm_str_t  s;

    s.data = (const uint8_t *) name;
    s.len = strlen(name);

    board = call->r->what == LLM_REPORT_LEADERBOARD;

    if (what == NULL && llm_text_equal(&s, "limit")) {
        what = board ? "must be an integer from 1 to 1000"
                     : "must be an integer from 1 to 100";

    } else if (what == NULL && board) {
        what = "must be user, account, provider, model, key or ip";

    } else if (what == NULL && call->r->what == LLM_REPORT_STATS) {
        what = "must be account, model, user, provider, endpoint, status, "
               "key, ip, operation, protocol or outcome";

    } else if (what == NULL) {
        what = "must be provider or model";
    }

    return llm_args_fail(call->err, &s, what);
}


static int
llm_report_tz(llm_report_t *r, const llm_str_t *value)
{
    if (llm_tz_open(&r->tz, value) != LLM_OK) {
        return LLM_ERROR;
    }

    /* what has been opened is no longer than that */

    memcpy(r->zone, value->data, value->len);

    /* as the '+' of an offset comes if it was sent as it is */

    if (r->zone[0] == ' ') {
        r->zone[0] = '+';
    }

    return LLM_OK;
}


static int
llm_report_since(llm_report_t *r, const llm_str_t *value)
{
    return llm_when_parse(value, r->tz, r->now_ms, &r->since);
}


static int
llm_report_until(llm_report_t *r, const llm_str_t *value)
{
    return llm_when_parse(value, r->tz, r->now_ms, &r->until);
}


static int
llm_report_period(llm_report_t *r, const llm_str_t *value)
{
    static const llm_report_word_t  words[] = {
        { "today", LLM_PERIOD_TODAY }, { "yesterday", LLM_PERIOD_YESTERDAY },
        { "week", LLM_PERIOD_WEEK }, { "month", LLM_PERIOD_MONTH },
        { "all", LLM_PERIOD_ALL }, { "custom", LLM_PERIOD_CUSTOM },
        { NULL, 0 }
    };

    return llm_report_word(value, words, &r->period);
}


static int
llm_report_range(llm_report_t *r, const llm_str_t *value)
{
    static const llm_report_word_t  words[] = {
        { "1h", 60 }, { "6h", 360 }, { "24h", 1440 }, { "7d", 10080 },
        { NULL, 0 }
    };

    return llm_report_word(value, words, &r->range);
}


static int
llm_report_bucket(llm_report_t *r, const llm_str_t *value)
{
    static const llm_report_word_t  words[] = {
        { "hour", LLM_BUCKET_HOUR }, { "day", LLM_BUCKET_DAY },
        { "week", LLM_BUCKET_WEEK }, { "month", LLM_BUCKET_MONTH },
        { NULL, 0 }
    };

    return llm_report_word(value, words, &r->bucket);
}


static int
llm_report_dim(llm_report_t *r, const llm_str_t *value)
{
    int  i;

    for (i = LLM_SERIES_ACCOUNT; i < LLM_SERIES_COUNT; i++) {
        if (llm_text_equal(value, llm_report_by(i))) {
            break;
        }
    }

    switch (i) {

    case LLM_SERIES_PROVIDER:
    case LLM_SERIES_MODEL:
        break;

    case LLM_SERIES_ACCOUNT:
    case LLM_SERIES_USER:
    case LLM_SERIES_KEY:
    case LLM_SERIES_IP:

        if (r->what == LLM_REPORT_AVAILABILITY) {
            return LLM_ERROR;
        }

        break;

    case LLM_SERIES_COUNT:
        return LLM_ERROR;

    default:

        if (r->what != LLM_REPORT_STATS) {
            return LLM_ERROR;
        }
    }

    r->by = i;

    return LLM_OK;
}


static int
llm_report_limit(llm_report_t *r, const llm_str_t *value)
{
    int64_t  max;

    max = r->what == LLM_REPORT_LEADERBOARD ? LLM_REPORT_LIMIT_MAX
                                            : LLM_REPORT_ROWS_MAX;

    if (value->len > 4 || llm_text_number(value, &r->limit) != LLM_OK
        || r->limit < 1 || r->limit > max)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_report_offset(llm_report_t *r, const llm_str_t *value)
{
    if (value->len > 6 || llm_text_number(value, &r->offset) != LLM_OK
        || r->offset > LLM_REPORT_OFFSET_MAX)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_report_sort(llm_report_t *r, const llm_str_t *value)
{
    static const llm_report_word_t  words[] = {
        { "total_tokens", LLM_RANK_TOKENS }, { "requests", LLM_RANK_REQUESTS },
        { "errors", LLM_RANK_ERRORS }, { "cost_usd", LLM_RANK_COST },
        { "input_tokens", LLM_RANK_INPUT },
        { "output_tokens", LLM_RANK_OUTPUT },
        { "success_rate", LLM_RANK_SUCCESS },
        { "duration_ms", LLM_RANK_DURATION }, { "ttft_ms", LLM_RANK_TTFT },
        { "tokens_per_second", LLM_RANK_SPEED }, { NULL, 0 }
    };

    return llm_report_word(value, words, &r->sort);
}


static int
llm_report_order(llm_report_t *r, const llm_str_t *value)
{
    static const llm_report_word_t  words[] = {
        { "desc", 0 }, { "asc", 1 }, { NULL, 0 }
    };

    return llm_report_word(value, words, &r->ascending);
}


static int
llm_report_word(const llm_str_t *value, const llm_report_word_t *words,
    int *v)
{
    for ( /* void */ ; words->word != NULL; words++) {
        if (llm_text_equal(value, words->word)) {
            *v = words->value;
            return LLM_OK;
        }
    }

    return LLM_ERROR;
}


int
llm_report_run(llm_reader_t *reader, const llm_report_t *r, int64_t budget_ms,
    llm_buf_t *out, llm_query_error_t *err)
{
    int         rc;
    llm_json_t  j;

    static int  (*const  reports[])(llm_reader_t *reader,
        const llm_report_t *r, llm_json_t *j, llm_query_error_t *err) =
    {
        llm_report_summary, llm_report_stats, llm_report_leaderboard,
        llm_report_availability
    };

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = r->scope == NULL ? LLM_OK : llm_scope_begin(r->scope, reader);

    if (rc != LLM_OK) {
        llm_reader_end(reader);
        return llm_report_fail(reader, rc, err);
    }

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    rc = reports[r->what](reader, r, &j, err);

    if (r->scope != NULL) {

        if (r->scope->partial) {
            llm_json_key(&j, "partial");
            llm_json_bool(&j, 1);
        }

        llm_scope_end(r->scope);
    }

    llm_json_close_object(&j);
    llm_reader_end(reader);

    if (rc != LLM_OK) {
        return LLM_ERROR;
    }

    if (out->failed != LLM_OK) {
        return llm_report_fail(reader, out->failed, err);
    }

    return LLM_OK;
}


int
llm_report_series(llm_series_t *s, llm_reader_t *reader,
    const llm_report_t *r, int dim, int64_t since, int64_t until)
{
    int  rc;

    rc = llm_series_open(s, reader, dim);

    if (rc == LLM_OK && r->scope != NULL) {
        rc = llm_series_narrow(s, r->scope, since, until);

        if (rc != LLM_OK) {
            llm_series_close(s);
        }
    }

    return rc;
}


int
llm_report_fail(llm_reader_t *reader, int rc, llm_query_error_t *err)
{
    switch (rc) {

    case LLM_FULL:
        return llm_query_fail(err, 503, "too_large", NULL,
                              "answer is too large, ask for less");

    case LLM_NOMEM:
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");

    default:
        return llm_reader_fail(reader, err);
    }
}
