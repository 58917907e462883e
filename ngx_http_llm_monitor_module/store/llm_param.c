
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include "llm_args.h"
#include "llm_param.h"
#include "llm_session_query.h"
#include "../record/llm_record.h"
#include "../record/llm_text.h"
#include "../record/llm_crc32c.h"


#define LLM_PARAM_NUMBER   15            /* digits before the point */

#define LLM_PARAM_LIST     0x01
#define LLM_PARAM_COUNT    0x02
#define LLM_PARAM_CLEAR    0x04
#define LLM_PARAM_EXPORT   0x08
#define LLM_PARAM_EVENTS   0x10
#define LLM_PARAM_FACETS   0x20
#define LLM_PARAM_SESSIONS 0x40
#define LLM_PARAM_SESSION  0x80
#define LLM_PARAM_ANY      (LLM_PARAM_LIST|LLM_PARAM_COUNT|LLM_PARAM_CLEAR    \
                            |LLM_PARAM_EXPORT|LLM_PARAM_EVENTS                \
                            |LLM_PARAM_FACETS|LLM_PARAM_SESSIONS)
#define LLM_PARAM_PAGE     (LLM_PARAM_LIST|LLM_PARAM_SESSIONS                 \
                            |LLM_PARAM_SESSION)

#define LLM_PARAM_SEQ_MAX  100000000000000000

#define LLM_PARAM_KEY_HEX  4             /* digits of a key that are shown */
#define LLM_PARAM_KEY_TAIL 4

#define LLM_CURSOR_VERSION 1
#define LLM_CURSOR_BYTES   (LLM_FILTER_CURSOR / 2)


typedef struct llm_param_s  llm_param_t;

typedef int (*llm_param_set_pt)(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);

struct llm_param_s {
    const char         *name;
    int                 calls;           /* LLM_PARAM_* */
    llm_param_set_pt    set;
    int                 n;               /* LLM_F_* of a number or text */
    int64_t             min;
    int64_t             max;
    int                 decimals;
    const char         *must;            /* the message after the name */
};


static int llm_param_tz(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_when(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_text(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_method(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_number(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_switch(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_status(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_status_number(const uint8_t *p, int64_t *v);
static int llm_param_outcome(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_protocol(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_operation(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_enum(llm_params_t *ps, const llm_param_t *param, int v);
static int llm_param_quick(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_sort(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_order(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_format(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_state(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_word(const llm_str_t *value, const char *const *words);
static int llm_param_key(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int llm_param_cursor(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value);
static int64_t llm_param_value(const llm_params_t *ps, int n, int64_t none);


/* read in this order: tz before the times, sort and order before cursor */

static const llm_param_t  llm_params[] = {

    { "tz", LLM_PARAM_ANY, llm_param_tz, 0, 0, 0, 0,
      "must be a time zone such as Europe/Paris, UTC or +05:45" },

    { "since", LLM_PARAM_ANY, llm_param_when, LLM_F_SINCE, 0, 0, 0,
      "must be milliseconds, ISO 8601, -15m, -24h, -7d, today, yesterday, "
      "week or month" },

    { "until", LLM_PARAM_ANY, llm_param_when, LLM_F_UNTIL, 0, 0, 0,
      "must be milliseconds, ISO 8601, -15m, -24h, -7d, today, yesterday, "
      "week or month" },

    { "filter", LLM_PARAM_ANY, llm_param_text, LLM_F_SEARCH, 0, 256, 0,
      "must have at most 256 characters" },

    { "method", LLM_PARAM_ANY, llm_param_method, LLM_F_METHOD, 1, 32, 0,
      "must have 1 to 32 characters" },

    { "provider", LLM_PARAM_ANY, llm_param_text, LLM_F_PROVIDER, 1, 256, 0,
      "must have 1 to 256 characters" },

    { "model", LLM_PARAM_ANY, llm_param_text, LLM_F_MODEL, 1, 256, 0,
      "must have 1 to 256 characters" },

    { "endpoint", LLM_PARAM_ANY, llm_param_text, LLM_F_ENDPOINT, 1, 256, 0,
      "must have 1 to 256 characters" },

    { "account", LLM_PARAM_ANY, llm_param_text, LLM_F_ACCOUNT, 1, 256, 0,
      "must have 1 to 256 characters" },

    { "user", LLM_PARAM_ANY, llm_param_text, LLM_F_USER, 1, 256, 0,
      "must have 1 to 256 characters" },

    { "session", LLM_PARAM_ANY, llm_param_text, LLM_F_SESSION, 1, 273, 0,
      "must have 1 to 273 characters" },

    { "ip", LLM_PARAM_ANY, llm_param_text, LLM_F_IP, 1, 64, 0,
      "must have 1 to 64 characters" },

    { "key", LLM_PARAM_ANY, llm_param_key, LLM_F_KEY_TAIL, 0, 0, 0,
      "must be a key as it is shown, such as ab12…wxyz or ab12" },

    { "status", LLM_PARAM_ANY, llm_param_status, 0, 0, 0, 0,
      "must be a status such as 401, 4xx or 400-499" },

    { "outcome", LLM_PARAM_ANY, llm_param_outcome, LLM_F_OUTCOME, 0, 0, 0,
      "must be success, client_abort, upstream_abort, timeout, stream_error, "
      "http_error, rejected, empty or shutdown" },

    { "protocol", LLM_PARAM_ANY, llm_param_protocol, LLM_F_PROTOCOL, 0, 0, 0,
      "must be openai, anthropic, gemini, ollama, cohere, bedrock or "
      "unknown" },

    { "operation", LLM_PARAM_ANY, llm_param_operation, LLM_F_OPERATION, 0, 0,
      0, "must be chat, completion, responses, embeddings, image, audio, "
      "rerank, moderation, count_tokens, models, batch or other" },

    { "quick", LLM_PARAM_ANY, llm_param_quick, LLM_F_QUICK, 0, 0, 0,
      "must be errors, chat, gemini, claude or image" },

    { "stream", LLM_PARAM_ANY, llm_param_number, LLM_F_STREAM, 0, 1, 0,
      "must be 0 or 1" },

    { "errors_only", LLM_PARAM_ANY, llm_param_switch, LLM_F_ERRORS_ONLY,
      0, 1, 0, "must be 0 or 1" },

    { "unpriced", LLM_PARAM_ANY, llm_param_switch, LLM_F_UNPRICED,
      0, 1, 0, "must be 0 or 1" },

    { "usage_missing", LLM_PARAM_ANY, llm_param_switch, LLM_F_USAGE_MISSING,
      0, 1, 0, "must be 0 or 1" },

    { "min_duration_ms", LLM_PARAM_ANY, llm_param_number, LLM_F_MIN_DURATION,
      0, 1000000000, 3, "must be a number from 0 to 1000000000" },

    { "min_tokens", LLM_PARAM_ANY, llm_param_number, LLM_F_MIN_TOKENS,
      0, 1000000000000, 0, "must be an integer from 0 to 1000000000000" },

    { "min_cost", LLM_PARAM_ANY, llm_param_number, LLM_F_MIN_COST,
      0, 1000000, 9, "must be a number from 0 to 1000000" },

    { "limit", LLM_PARAM_PAGE|LLM_PARAM_FACETS, llm_param_number, LLM_F_LIMIT,
      1, LLM_FILTER_LIMIT_MAX, 0, "must be an integer from 1 to 1000" },

    { "offset", LLM_PARAM_LIST, llm_param_number, LLM_F_OFFSET,
      0, LLM_FILTER_OFFSET_MAX, 0,
      "must be an integer from 0 to 100000; cursor goes further" },

    { "sort", LLM_PARAM_LIST, llm_param_sort, LLM_F_SORT, 0, 0, 0,
      "must be timestamp, duration_ms, ttft_ms, total_tokens, cost_usd or "
      "status" },

    { "order", LLM_PARAM_LIST, llm_param_order, LLM_F_ASCENDING, 0, 0, 0,
      "must be desc or asc" },

    { "cursor", LLM_PARAM_PAGE, llm_param_cursor, LLM_F_CURSOR_ID, 0, 0, 0,
      "must be the next of an answer with the same sort and order" },

    { "total", LLM_PARAM_LIST, llm_param_number, LLM_F_TOTAL, 0, 1, 0,
      "must be 0 or 1" },

    { "all", LLM_PARAM_CLEAR, llm_param_number, LLM_F_ALL, 0, 1, 0,
      "must be 0 or 1" },

    { "stats", LLM_PARAM_CLEAR, llm_param_number, LLM_F_STATS, 0, 1, 0,
      "must be 0 or 1" },

    { "since_seq", LLM_PARAM_EXPORT|LLM_PARAM_EVENTS, llm_param_number,
      LLM_F_SINCE_SEQ, 0, LLM_PARAM_SEQ_MAX, 0,
      "must be an integer, the seq of a record or the next_seq of an export" },

    { "format", LLM_PARAM_EXPORT, llm_param_format, LLM_F_FORMAT, 0, 0, 0,
      "must be json, ndjson or csv" },

    { "bodies", LLM_PARAM_EXPORT, llm_param_number, LLM_F_BODIES, 0, 1, 0,
      "must be 0 or 1" },

    { "state", LLM_PARAM_SESSIONS, llm_param_state, LLM_F_STATE, 0, 0, 0,
      "must be active or idle" },

    { "conversation", LLM_PARAM_SESSION, llm_param_number, LLM_F_CONVERSATION,
      0, 1, 0, "must be 0 or 1" }
};

#define LLM_PARAMS  (sizeof(llm_params) / sizeof(llm_params[0]))

_Static_assert(LLM_PARAMS <= LLM_PARAMS_MAX, "llm_params_t is too small");


void
llm_params_init(llm_params_t *ps, int64_t now_ms, llm_query_error_t *err)
{
    int  i;

    memset(ps, 0, sizeof(llm_params_t));

    for (i = 0; i < LLM_F_NUMS; i++) {
        ps->num[i] = LLM_NULL;
    }

    ps->now_ms = now_ms;
    ps->err = err;
}


void
llm_params_done(llm_params_t *ps)
{
    llm_tz_close(ps->tz);
    ps->tz = NULL;
}


int
llm_params_take(llm_params_t *ps, const llm_str_t *name,
    const llm_str_t *value, int what)
{
    int                 call;
    size_t              i;
    const llm_param_t  *param;

    switch (what) {

    case LLM_FOR_LIST:
        call = LLM_PARAM_LIST;
        break;

    case LLM_FOR_COUNT:
        call = LLM_PARAM_COUNT;
        break;

    case LLM_FOR_CLEAR:
        call = LLM_PARAM_CLEAR;
        break;

    case LLM_FOR_EXPORT:
        call = LLM_PARAM_EXPORT;
        break;

    case LLM_FOR_EVENTS:
        call = LLM_PARAM_EVENTS;
        break;

    case LLM_FOR_FACETS:
        call = LLM_PARAM_FACETS;
        break;

    case LLM_FOR_SESSIONS:
        call = LLM_PARAM_SESSIONS;
        break;

    case LLM_FOR_SESSION:
        call = LLM_PARAM_SESSION;
        break;

    default:
        call = 0;
    }

    for (i = 0; i < LLM_PARAMS; i++) {
        param = &llm_params[i];

        if (!llm_text_equal(name, param->name) || !(param->calls & call)) {
            continue;
        }

        if (ps->value[i].data != NULL) {
            return llm_params_fail(ps, name, "is given twice");
        }

        ps->value[i] = *value;

        return LLM_OK;
    }

    return llm_params_fail(ps, name, "is no parameter of this call");
}


int
llm_params_read(llm_params_t *ps)
{
    size_t              i;
    llm_str_t           name, utc;
    const llm_param_t  *param;

    static const llm_str_t  zone = llm_str("UTC");

    for (i = 0; i < LLM_PARAMS; i++) {
        param = &llm_params[i];

        if (ps->tz == NULL && param->set == llm_param_when) {
            utc = zone;

            if (llm_param_tz(ps, param, &utc) != LLM_OK) {
                return llm_query_fail(ps->err, 503, "no_memory", NULL,
                                      "no memory");
            }
        }

        if (ps->value[i].data == NULL) {
            continue;
        }

        if (param->set(ps, param, &ps->value[i]) != LLM_OK) {
            name.data = (const uint8_t *) param->name;
            name.len = strlen(param->name);

            return llm_params_fail(ps, &name, param->must);
        }
    }

    return LLM_OK;
}


int
llm_params_filtered(const llm_params_t *ps)
{
    int  i;

    for (i = 0; i < LLM_F_CONDITIONS; i++) {
        if (ps->num[i] != LLM_NULL) {
            return 1;
        }
    }

    for (i = 0; i < LLM_F_TEXTS; i++) {
        if (ps->str[i].data != NULL) {
            return 1;
        }
    }

    return 0;
}


int
llm_params_fail(llm_params_t *ps, const llm_str_t *name, const char *what)
{
    return llm_args_fail(ps->err, name, what);
}


static int
llm_param_tz(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    ps->str[LLM_F_TZ] = *value;

    return llm_tz_open(&ps->tz, value) == LLM_OK ? LLM_OK : LLM_ERROR;
}


static int
llm_param_when(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    return llm_when_parse(value, ps->tz, ps->now_ms, &ps->num[param->n]);
}


static int
llm_param_text(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    size_t   i;
    int64_t  n;

    n = 0;

    for (i = 0; i < value->len; i++) {

        /* all but the bytes within a character */

        n += ((value->data[i] & 0xc0) != 0x80);
    }

    if (n < param->min || n > param->max) {
        return LLM_ERROR;
    }

    /* every text holds the empty one */

    if (n != 0) {
        ps->str[param->n] = *value;
    }

    return LLM_OK;
}


/* methods are stored as sent, and nobody sends them in lower case */

static int
llm_param_method(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    size_t    i;
    uint8_t  *p;

    p = (uint8_t *) value->data;

    for (i = 0; i < value->len; i++) {
        if (p[i] >= 'a' && p[i] <= 'z') {
            p[i] = (uint8_t) (p[i] - 'a' + 'A');
        }
    }

    return llm_param_text(ps, param, value);
}


/* digits, and a fraction of at most param->decimals digits */

static int
llm_param_number(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    int             decimals;
    int64_t         v, scale;
    const uint8_t  *p, *end;

    p = value->data;
    end = p + value->len;
    v = 0;

    if (value->len > LLM_PARAM_NUMBER + 1 + 9) {
        return LLM_ERROR;
    }

    for ( /* void */ ; p < end && *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (*p - '0');

        if (v > param->max) {
            return LLM_ERROR;
        }
    }

    if (p == value->data) {
        return LLM_ERROR;
    }

    scale = 1;

    for (decimals = 0; decimals < param->decimals; decimals++) {
        scale *= 10;
    }

    v *= scale;

    if (p < end && *p == '.' && param->decimals != 0 && p + 1 < end) {

        for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
            scale /= 10;
            v += (*p - '0') * scale;
        }
    }

    if (p != end || v < param->min) {
        return LLM_ERROR;
    }

    ps->num[param->n] = v;

    return LLM_OK;
}


/* a condition with 1, nothing with 0 */

static int
llm_param_switch(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    if (llm_param_number(ps, param, value) != LLM_OK) {
        return LLM_ERROR;
    }

    if (ps->num[param->n] == 0) {
        ps->num[param->n] = LLM_NULL;
    }

    return LLM_OK;
}


static int
llm_param_status(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    int64_t         min, max;
    const uint8_t  *p;

    p = value->data;

    if (value->len == 3 && p[0] >= '1' && p[0] <= '9'
        && (p[1] | 0x20) == 'x' && (p[2] | 0x20) == 'x')
    {
        min = (p[0] - '0') * 100;
        max = min + 99;

    } else if (value->len == 3) {

        if (llm_param_status_number(p, &min) != LLM_OK) {
            return LLM_ERROR;
        }

        max = min;

    } else if (value->len == 7 && p[3] == '-') {

        if (llm_param_status_number(p, &min) != LLM_OK
            || llm_param_status_number(p + 4, &max) != LLM_OK
            || min > max)
        {
            return LLM_ERROR;
        }

    } else {
        return LLM_ERROR;
    }

    ps->num[LLM_F_STATUS_MIN] = min;
    ps->num[LLM_F_STATUS_MAX] = max;

    return LLM_OK;
}


static int
llm_param_status_number(const uint8_t *p, int64_t *v)
{
    llm_str_t  s;

    s.data = p;
    s.len = 3;

    return llm_text_number(&s, v);
}


static int
llm_param_outcome(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value)
{
    return llm_param_enum(ps, param, llm_outcome_value(value));
}


static int
llm_param_protocol(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value)
{
    return llm_param_enum(ps, param, llm_protocol_value(value));
}


static int
llm_param_operation(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value)
{
    return llm_param_enum(ps, param, llm_operation_value(value));
}


static int
llm_param_enum(llm_params_t *ps, const llm_param_t *param, int v)
{
    if (v == LLM_ERROR) {
        return LLM_ERROR;
    }

    ps->num[param->n] = v;

    return LLM_OK;
}


static int
llm_param_quick(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    int  n;

    static const char *const  words[] = {
        "errors", "chat", "gemini", "claude", "image", NULL
    };

    n = llm_param_word(value, words);

    return llm_param_enum(ps, param, n == LLM_ERROR ? n
                                                    : n + LLM_QUICK_ERRORS);
}


static int
llm_param_sort(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    static const char *const  words[] = {
        "timestamp", "duration_ms", "ttft_ms", "total_tokens", "cost_usd",
        "status", NULL
    };

    return llm_param_enum(ps, param, llm_param_word(value, words));
}


static int
llm_param_order(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    static const char *const  words[] = { "desc", "asc", NULL };

    return llm_param_enum(ps, param, llm_param_word(value, words));
}


static int
llm_param_format(llm_params_t *ps, const llm_param_t *param,
    llm_str_t *value)
{
    static const char *const  words[] = { "json", "ndjson", "csv", NULL };

    return llm_param_enum(ps, param, llm_param_word(value, words));
}


static int
llm_param_state(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    int  n;

    static const char *const  words[] = { "active", "idle", NULL };

    n = llm_param_word(value, words);

    return llm_param_enum(ps, param, n == LLM_ERROR ? n
                                                    : n + LLM_STATE_ACTIVE);
}


static int
llm_param_word(const llm_str_t *value, const char *const *words)
{
    int  i;

    for (i = 0; words[i] != NULL; i++) {
        if (llm_text_equal(value, words[i])) {
            return i;
        }
    }

    return LLM_ERROR;
}


/*
 * Four or sixteen digits of the hash, then, for a key that is shown with its
 * last four characters, these after "…", "..." or nothing.
 */

static int
llm_param_key(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    size_t          n;
    uint64_t        v;
    const uint8_t  *p;

    p = value->data;
    n = value->len;

    if (n == 16 && llm_text_unhex(p, 16, &v) == LLM_OK) {
        ps->num[LLM_F_KEY_MIN] = (int64_t) v;
        ps->num[LLM_F_KEY_MAX] = (int64_t) v;

        if (ps->num[LLM_F_KEY_MAX] == LLM_NULL) {

            /* that would be no condition: its neighbour is taken along */

            ps->num[LLM_F_KEY_MAX]++;
        }

        return LLM_OK;
    }

    if (n < LLM_PARAM_KEY_HEX
        || llm_text_unhex(p, LLM_PARAM_KEY_HEX, &v) != LLM_OK)
    {
        return LLM_ERROR;
    }

    v <<= 48;

    ps->num[LLM_F_KEY_MIN] = (int64_t) v;
    ps->num[LLM_F_KEY_MAX] = (int64_t) (v | 0xffffffffffff);

    p += LLM_PARAM_KEY_HEX;
    n -= LLM_PARAM_KEY_HEX;

    if (n == 0) {
        return LLM_OK;
    }

    if (n >= 3 && (memcmp(p, "…", 3) == 0 || memcmp(p, "...", 3) == 0)) {
        p += 3;
        n -= 3;
    }

    if (n == 0 || n > LLM_PARAM_KEY_TAIL * 4) {
        return LLM_ERROR;
    }

    ps->str[LLM_F_KEY_TAIL].data = p;
    ps->str[LLM_F_KEY_TAIL].len = n;

    return LLM_OK;
}


void
llm_filter_cursor(const llm_filter_t *f, int what, int64_t value, int64_t id,
    char *out)
{
    int        i;
    uint8_t    b[LLM_CURSOR_BYTES];
    uint32_t   crc;

    b[0] = LLM_CURSOR_VERSION;
    b[1] = f->num[LLM_F_SORT] == LLM_NULL ? 0 : (uint8_t) f->num[LLM_F_SORT];
    b[2] = f->num[LLM_F_ASCENDING] == 1;
    b[3] = llm_filter_pages(what, llm_filter_narrow(f));

    for (i = 0; i < 8; i++) {
        b[4 + i] = (uint8_t) ((uint64_t) value >> (56 - 8 * i));
        b[12 + i] = (uint8_t) ((uint64_t) id >> (56 - 8 * i));
    }

    crc = llm_crc32c(0, b, 20);

    for (i = 0; i < 4; i++) {
        b[20 + i] = (uint8_t) (crc >> (24 - 8 * i));
    }

    llm_text_hex((uint8_t *) out, b, LLM_CURSOR_BYTES);
    out[LLM_FILTER_CURSOR] = '\0';
}


static int
llm_param_cursor(llm_params_t *ps, const llm_param_t *param, llm_str_t *value)
{
    int        i;
    uint8_t    b[LLM_CURSOR_BYTES];
    uint32_t   crc;
    uint64_t   v, id;

    if (value->len != LLM_FILTER_CURSOR) {
        return LLM_ERROR;
    }

    for (i = 0; i < LLM_CURSOR_BYTES; i++) {

        if (llm_text_unhex(value->data + 2 * i, 2, &v) != LLM_OK) {
            return LLM_ERROR;
        }

        b[i] = (uint8_t) v;
    }

    crc = (uint32_t) b[20] << 24 | (uint32_t) b[21] << 16
          | (uint32_t) b[22] << 8 | b[23];

    if (crc != llm_crc32c(0, b, 20)
        || b[0] != LLM_CURSOR_VERSION
        || b[1] != llm_param_value(ps, LLM_F_SORT, LLM_SORT_TIMESTAMP)
        || b[2] != llm_param_value(ps, LLM_F_ASCENDING, 0))
    {
        return LLM_ERROR;
    }

    v = 0;
    id = 0;

    for (i = 0; i < 8; i++) {
        v = v << 8 | b[4 + i];
        id = id << 8 | b[12 + i];
    }

    ps->pages = b[3];
    ps->num[LLM_F_CURSOR_VALUE] = (int64_t) v;
    ps->num[LLM_F_CURSOR_ID] = (int64_t) id;

    return LLM_OK;
}


static int64_t
llm_param_value(const llm_params_t *ps, int n, int64_t none)
{
    return ps->num[n] == LLM_NULL ? none : ps->num[n];
}
