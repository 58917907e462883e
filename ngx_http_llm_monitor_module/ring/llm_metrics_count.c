
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_metrics_count.h"
#include "llm_metrics_parts.h"


/* places of LLM_W_MISSING, LLM_W_ENDS, LLM_W_FINISH */

enum {
    LLM_MISSING_ABORTED = 0, LLM_MISSING_NOT_JSON, LLM_MISSING_NO_USAGE,
    LLM_MISSING_TOO_LARGE, LLM_MISSING_PARSE_ERROR
};

enum {
    LLM_FINISH_STOP = 0, LLM_FINISH_LENGTH, LLM_FINISH_TOOL_CALLS,
    LLM_FINISH_FILTER, LLM_FINISH_OTHER
};


static void llm_metrics_model(const llm_metrics_series_t *series,
    const llm_record_t *r, llm_metrics_places_t *places);
static void llm_metrics_upstream(llm_metrics_own_t *own,
    const llm_metrics_series_t *series, const llm_record_t *r,
    const llm_metrics_facts_t *facts);
static int llm_metrics_missing(const llm_record_t *r);
static int llm_metrics_end(int64_t outcome);
static int llm_metrics_finish(const llm_str_t *s);
static void llm_metrics_all(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts);
static int llm_metrics_aborted(const llm_record_t *r);
static void llm_metrics_messages(uint64_t *w, uint64_t left,
    const uint32_t *roles);


void
llm_metrics_count(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts, llm_metrics_places_t *places)
{
    llm_metrics_memo_t         room;
    const llm_metrics_memo_t  *memo;

    memo = llm_metrics_memo(own, r, facts, &room);
    places->upstream = memo->upstream.n;

    llm_metrics_add(&memo->requests.words[0], 1);
    llm_metrics_add(&memo->http.words[LLM_W_HTTP_STATUS + memo->ids.status],
                    1);

    (void) llm_metrics_observe(&memo->http.words[LLM_W_HTTP_US],
                               &llm_bounds_http, r->num[LLM_N_DURATION_US]);

    llm_metrics_model(&memo->model, r, places);
    llm_metrics_upstream(own, &memo->upstream, r, facts);
    llm_metrics_all(own, r, facts);

    if (facts->sets & LLM_METRICS_OPENAI) {
        llm_metrics_openai(own, r, &memo->ids);
    }

    if (facts->sets & LLM_METRICS_OTEL) {
        llm_metrics_otel(own, r, &memo->ids);
    }

    if (facts->sets & (LLM_METRICS_ACCOUNT_HASH|LLM_METRICS_ACCOUNT)) {
        llm_metrics_account(own, r, facts);
    }
}


static void
llm_metrics_model(const llm_metrics_series_t *series, const llm_record_t *r,
    llm_metrics_places_t *places)
{
    int        stream, bucket;
    int64_t    us;
    uint64_t  *w;

    w = series->words;
    places->n = series->n;
    places->ttft = -1;

    stream = r->num[LLM_N_STREAM] == 1;

    bucket = llm_metrics_observe(&w[LLM_W_DURATION
                                    + stream * llm_w_hist(LLM_B_DURATION)],
                                 &llm_bounds_duration,
                                 r->num[LLM_N_DURATION_US]);

    places->duration = stream * LLM_B_DURATION + bucket;

    us = r->num[LLM_N_TTFT_US];

    if (stream && us != LLM_NULL) {
        bucket = llm_metrics_observe(&w[LLM_W_TTFT], &llm_bounds_ttft, us);
        places->ttft = 2 * LLM_B_DURATION + bucket;

        us = llm_metrics_tpot(r);

        if (us != LLM_NULL) {
            (void) llm_metrics_observe(&w[LLM_W_TPOT], &llm_bounds_tpot, us);
        }
    }

    if (r->num[LLM_N_TOTAL_TOKENS] == LLM_NULL
        && r->num[LLM_N_INPUT_TOKENS] == LLM_NULL
        && r->num[LLM_N_OUTPUT_TOKENS] == LLM_NULL)
    {
        return;
    }

    llm_metrics_tokens(&w[LLM_W_INPUT], r);

    if (r->num[LLM_N_REASONING_TOKENS] > 0) {
        llm_metrics_add(&w[LLM_W_REASONING], r->num[LLM_N_REASONING_TOKENS]);
    }

    if (r->num[LLM_N_COST_NANO] == LLM_NULL) {
        llm_metrics_add(&w[LLM_W_UNPRICED], 1);

    } else if (r->num[LLM_N_COST_NANO] > 0) {
        llm_metrics_add(&w[LLM_W_COST_NANO], r->num[LLM_N_COST_NANO]);
    }
}


/*
 * Input without what came from caches or went into them, the two, output.
 * What is in no sum of the database is in none here.
 */

void
llm_metrics_tokens(uint64_t *words, const llm_record_t *r)
{
    int64_t  input, read, creation, output;

    if (r->num[LLM_N_FLAGS] != LLM_NULL
        && (r->num[LLM_N_FLAGS] & LLM_RECORD_NO_SUMS))
    {
        return;
    }

    input = r->num[LLM_N_INPUT_TOKENS];
    read = r->num[LLM_N_CACHE_READ_TOKENS];
    creation = r->num[LLM_N_CACHE_CREATION_TOKENS];
    output = r->num[LLM_N_OUTPUT_TOKENS];

    input = input > 0 ? input : 0;
    read = read > 0 ? read : 0;
    creation = creation > 0 ? creation : 0;

    /* parts that are more than the whole are cut, so that the sum is right */

    read = read < input ? read : input;
    creation = creation < input - read ? creation : input - read;

    llm_metrics_add(&words[0], input - read - creation);

    if (read > 0) {
        llm_metrics_add(&words[1], read);
    }

    if (creation > 0) {
        llm_metrics_add(&words[2], creation);
    }

    if (output > 0) {
        llm_metrics_add(&words[3], output);
    }
}


/* us for each output token after the first; LLM_NULL: there is none */

int64_t
llm_metrics_tpot(const llm_record_t *r)
{
    int64_t  n, us;

    n = r->num[LLM_N_OUTPUT_TOKENS];
    us = r->num[LLM_N_DURATION_US] - r->num[LLM_N_TTFT_US];

    return n > 1 && us >= 0 ? us / (n - 1) : LLM_NULL;
}


static void
llm_metrics_upstream(llm_metrics_own_t *own,
    const llm_metrics_series_t *series, const llm_record_t *r,
    const llm_metrics_facts_t *facts)
{
    int        n;
    uint64_t  *w;

    w = series->words;

    if (facts->upstream_us != LLM_NULL) {
        (void) llm_metrics_observe(&w[LLM_W_UPSTREAM_US],
                                   &llm_bounds_duration, facts->upstream_us);

        llm_metrics_minute(own->shared->minute[series->n], r, facts->second);
    }

    if (r->num[LLM_N_REQUEST_BYTES] >= 0) {
        (void) llm_metrics_observe(&w[LLM_W_REQUEST_BYTES], &llm_bounds_bytes,
                                   r->num[LLM_N_REQUEST_BYTES]);
    }

    if (r->num[LLM_N_RESPONSE_BYTES] >= 0) {
        (void) llm_metrics_observe(&w[LLM_W_RESPONSE_BYTES],
                                   &llm_bounds_bytes,
                                   r->num[LLM_N_RESPONSE_BYTES]);
    }

    if (r->num[LLM_N_STATUS] < 200 || r->num[LLM_N_STATUS] >= 300) {
        return;
    }

    n = llm_metrics_missing(r);

    if (n != LLM_DECLINED) {
        llm_metrics_add(&w[LLM_W_MISSING + n], 1);
    }

    if (r->num[LLM_N_STREAM] == 1) {
        n = llm_metrics_end(r->num[LLM_N_OUTCOME]);
        llm_metrics_add(&w[LLM_W_ENDS + n], 1);
    }

    if (r->str[LLM_S_FINISH_REASON].len != 0) {
        n = llm_metrics_finish(&r->str[LLM_S_FINISH_REASON]);
        llm_metrics_add(&w[LLM_W_FINISH + n], 1);
    }

    if (r->str[LLM_S_MAPPED_MODEL].len != 0) {
        llm_metrics_add(&w[LLM_W_MISMATCH], 1);
    }
}


/* Why there is no usage; LLM_DECLINED: there is, or there need not be. */

static int
llm_metrics_missing(const llm_record_t *r)
{
    const llm_str_t  *type;

    if (r->num[LLM_N_TOTAL_TOKENS] != LLM_NULL
        || r->num[LLM_N_INPUT_TOKENS] != LLM_NULL
        || r->num[LLM_N_OUTPUT_TOKENS] != LLM_NULL)
    {
        return LLM_DECLINED;
    }

    switch (r->num[LLM_N_OPERATION]) {

    case LLM_OPERATION_CHAT:
    case LLM_OPERATION_COMPLETION:
    case LLM_OPERATION_RESPONSES:
    case LLM_OPERATION_EMBEDDINGS:
        break;

    default:
        return LLM_DECLINED;
    }

    if (llm_metrics_aborted(r)) {
        return LLM_MISSING_ABORTED;
    }

    if (r->num[LLM_N_FLAGS] != LLM_NULL
        && (r->num[LLM_N_FLAGS] & LLM_RECORD_DECODE_ERROR))
    {
        return LLM_MISSING_PARSE_ERROR;
    }

    if (r->num[LLM_N_RESPONSE_BODY_STATE] == LLM_BODY_TOO_LARGE) {
        return LLM_MISSING_TOO_LARGE;
    }

    type = &r->str[LLM_S_RESPONSE_TYPE];

    if (type->len != 0
        && llm_text_find_nocase(type, "json") == NULL
        && llm_text_find_nocase(type, "event") == NULL)
    {
        return LLM_MISSING_NOT_JSON;
    }

    return LLM_MISSING_NO_USAGE;
}


static int
llm_metrics_end(int64_t outcome)
{
    switch (outcome) {

    case LLM_OUTCOME_CLIENT_ABORT:
        return 1;

    case LLM_OUTCOME_UPSTREAM_ABORT:
        return 2;

    case LLM_OUTCOME_TIMEOUT:
        return 3;

    case LLM_OUTCOME_STREAM_ERROR:
        return 4;

    case LLM_OUTCOME_SHUTDOWN:
        return 5;

    default:
        return 0;
    }
}


/* The words of the protocols, each of which has its own. */

static int
llm_metrics_finish(const llm_str_t *s)
{
    /* the most frequent one first */

    if (s->len == 4 && memcmp(s->data, "stop", 4) == 0) {
        return LLM_FINISH_STOP;
    }

    if (llm_text_begins_nocase(s, "stop")
        || llm_text_equal_nocase(s, "end_turn")
        || llm_text_begins_nocase(s, "complete"))
    {
        return LLM_FINISH_STOP;
    }

    if (llm_text_equal_nocase(s, "length")
        || llm_text_begins_nocase(s, "max_")
        || llm_text_equal_nocase(s, "model_length")
        || llm_text_equal_nocase(s, "model_context_window_exceeded"))
    {
        return LLM_FINISH_LENGTH;
    }

    if (llm_text_begins_nocase(s, "tool_")
        || llm_text_equal_nocase(s, "function_call"))
    {
        return LLM_FINISH_TOOL_CALLS;
    }

    if (llm_text_begins_nocase(s, "content_filter")
        || llm_text_equal_nocase(s, "safety")
        || llm_text_equal_nocase(s, "refusal")
        || llm_text_equal_nocase(s, "recitation")
        || llm_text_equal_nocase(s, "blocklist")
        || llm_text_equal_nocase(s, "prohibited_content")
        || llm_text_equal_nocase(s, "spii")
        || llm_text_equal_nocase(s, "guardrail_intervened"))
    {
        return LLM_FINISH_FILTER;
    }

    return LLM_FINISH_OTHER;
}


static void
llm_metrics_all(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts)
{
    uint64_t         *w;
    const llm_str_t  *who;

    w = own->slot->all[0];

    if (r->num[LLM_N_MESSAGES_COUNT] > 0) {
        llm_metrics_messages(&w[LLM_W_ROLES], r->num[LLM_N_MESSAGES_COUNT],
                             facts->roles);
    }

    if (r->num[LLM_N_MESSAGES_COUNT] != LLM_NULL
        && r->num[LLM_N_OUTCOME] == LLM_OUTCOME_SUCCESS)
    {
        llm_metrics_add(&w[LLM_W_ANSWERS], 1);
    }

    if (r->num[LLM_N_FLAGS] != LLM_NULL
        && (r->num[LLM_N_FLAGS] & LLM_RECORD_DECODE_ERROR))
    {
        llm_metrics_add(&w[LLM_W_BAD_CODING], 1);

    } else if (facts->broken && !llm_metrics_aborted(r)) {
        llm_metrics_add(llm_text_find_nocase(&r->str[LLM_S_RESPONSE_TYPE],
                                             "event-stream") != NULL
                        ? &w[LLM_W_BAD_EVENT] : &w[LLM_W_BAD_JSON], 1);
    }

    if (r->str[LLM_S_SESSION].len != 0
        && llm_metrics_see(&own->shared->sessions, &r->str[LLM_S_SESSION],
                           facts->second))
    {
        llm_metrics_add(&w[LLM_W_SESSIONS], 1);
    }

    who = r->str[LLM_S_USER].len != 0 ? &r->str[LLM_S_USER]
                                      : &r->str[LLM_S_ACCOUNT];

    if (who->len != 0) {
        (void) llm_metrics_see(&own->shared->users, who, facts->second);
    }
}


static int
llm_metrics_aborted(const llm_record_t *r)
{
    switch (r->num[LLM_N_OUTCOME]) {

    case LLM_OUTCOME_CLIENT_ABORT:
    case LLM_OUTCOME_UPSTREAM_ABORT:
    case LLM_OUTCOME_TIMEOUT:
    case LLM_OUTCOME_SHUTDOWN:
        return 1;

    default:
        return 0;
    }
}


/* left: how many there are */

static void
llm_metrics_messages(uint64_t *w, uint64_t left, const uint32_t *roles)
{
    int       i;
    uint64_t  n;

    if (roles != NULL) {

        for (i = 0; i < LLM_ROLE_OTHER; i++) {
            n = roles[i] < left ? roles[i] : left;

            if (n != 0) {
                llm_metrics_add(&w[i], n);
                left -= n;
            }
        }
    }

    if (left != 0) {
        llm_metrics_add(&w[LLM_ROLE_OTHER], left);
    }
}


/* The same that errors_only means when the log is read. */

int
llm_metrics_failed(const llm_record_t *r)
{
    if (r->num[LLM_N_STATUS] < 200 || r->num[LLM_N_STATUS] >= 400) {
        return 1;
    }

    switch (r->num[LLM_N_OUTCOME]) {

    case LLM_OUTCOME_STREAM_ERROR:
    case LLM_OUTCOME_UPSTREAM_ABORT:
    case LLM_OUTCOME_TIMEOUT:
    case LLM_OUTCOME_EMPTY:
        return 1;

    default:
        return 0;
    }
}


uint32_t
llm_metrics_upstream_of(llm_metrics_own_t *own, const llm_str_t *name)
{
    llm_metrics_ids_t     key;
    llm_metrics_series_t  series;

    memset(&key, 0, sizeof(llm_metrics_ids_t));

    key.upstream = name->len == 0
                   ? own->shared->none[0]
                   : llm_metrics_label(own, LLM_LABEL_UPSTREAM, name);

    (void) llm_metrics_find(own, LLM_SET_UPSTREAM, &key, &series);

    return series.n;
}


void
llm_metrics_flights(llm_metrics_own_t *own, int share,
    const uint16_t *upstreams)
{
    int  i;

    if (share < 0 || share >= LLM_METRICS_WORKERS) {
        return;
    }

    for (i = 0; i < LLM_METRICS_UPSTREAMS; i++) {
        __atomic_store_n(&own->shared->flights[share][i], upstreams[i],
                         __ATOMIC_RELAXED);
    }
}


void
llm_metrics_count_call(llm_metrics_own_t *own, const llm_str_t *route,
    int64_t status, int64_t us)
{
    llm_metrics_ids_t     key;
    llm_metrics_series_t  series;

    memset(&key, 0, sizeof(llm_metrics_ids_t));

    key.model = llm_metrics_label(own, LLM_LABEL_ROUTE, route);

    (void) llm_metrics_find(own, LLM_SET_API, &key, &series);

    llm_metrics_add(&series.words[LLM_W_HTTP_STATUS
                                  + llm_metrics_status(own, status)], 1);

    (void) llm_metrics_observe(&series.words[LLM_W_HTTP_US], &llm_bounds_http,
                               us);
}


void
llm_metrics_count_bodies(llm_metrics_own_t *own, const llm_record_t *r)
{
    int        i;
    int64_t    state;
    uint64_t  *w;

    static const int  states[] = { LLM_N_REQUEST_BODY_STATE,
                                   LLM_N_RESPONSE_BODY_STATE };

    w = &own->slot->all[0][LLM_W_BODIES];

    for (i = 0; i < 2; i++) {
        state = r->num[states[i]];

        if (state > LLM_BODY_NONE && state <= LLM_BODY_STORING) {
            llm_metrics_add(&w[i * (LLM_BODY_STORING + 1) + state], 1);
        }
    }
}
