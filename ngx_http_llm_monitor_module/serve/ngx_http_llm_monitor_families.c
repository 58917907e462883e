
/*
 * Copyright (C) llm_monitor contributors
 *
 * The families of metrics that count traffic; docs/metrics.md says what each
 * means.
 */


#include "ngx_http_llm_monitor_scrape.h"


#define NGX_HTTP_LLM_MONITOR_ACCOUNTS                                         \
    (LLM_METRICS_ACCOUNT_HASH|LLM_METRICS_ACCOUNT)

#define ngx_http_llm_monitor_once(function, directives)                       \
    { NULL, 0, NULL, NULL, -1, 0, NULL, directives, function }


static void ngx_http_llm_monitor_requests(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_in_flight(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static uint64_t ngx_http_llm_monitor_flights_of(
    ngx_http_llm_monitor_scrape_t *s, uint32_t n);
static void ngx_http_llm_monitor_durations(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_histogram(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_one_histogram(
    ngx_http_llm_monitor_scrape_t *s, ngx_http_llm_monitor_family_t *family,
    uint32_t n, int word, const llm_metrics_exemplar_t *exemplars);
static void ngx_http_llm_monitor_types(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_words(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_value(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_cost(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_total(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n, int scale);
static void ngx_http_llm_monitor_unpriced(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_ratio(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_remaining(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_statuses(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_outcomes(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_plain(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_tokens(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_sums(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_chats(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
static void ngx_http_llm_monitor_keys(ngx_http_llm_monitor_scrape_t *s,
    int set, uint32_t n);
static void ngx_http_llm_monitor_otel_keys(ngx_http_llm_monitor_scrape_t *s,
    llm_metrics_ids_t *ids);


ngx_http_llm_monitor_family_t  ngx_http_llm_monitor_families[] = {

    { "llm_requests", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "LLM requests finished, by the status sent to the client.",
      LLM_SET_REQUESTS, 0, NULL, 0, ngx_http_llm_monitor_requests },

    ngx_http_llm_monitor_once(ngx_http_llm_monitor_in_flight, 0),

    { "llm_request_duration_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds",
      "Time from the first byte of the request to the last of the response.",
      LLM_SET_MODEL, LLM_W_DURATION, &llm_bounds_duration, 0,
      ngx_http_llm_monitor_durations },

    { "llm_upstream_duration_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time spent waiting for the upstream and reading it.",
      LLM_SET_UPSTREAM, LLM_W_UPSTREAM_US, &llm_bounds_duration, 0,
      ngx_http_llm_monitor_histogram },

    { "llm_time_to_first_token_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time to the first generated content of a stream.",
      LLM_SET_MODEL, LLM_W_TTFT, &llm_bounds_ttft, 0,
      ngx_http_llm_monitor_histogram },

    { "llm_time_per_output_token_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time for each output token of a stream after the first.",
      LLM_SET_MODEL, LLM_W_TPOT, &llm_bounds_tpot, 0,
      ngx_http_llm_monitor_histogram },

    { "llm_tokens", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Tokens by types that do not overlap; their sum is the total.",
      LLM_SET_MODEL, LLM_W_INPUT, NULL, 0, ngx_http_llm_monitor_types },

    { "llm_reasoning_tokens", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "The part of the output tokens that was spent on reasoning.",
      LLM_SET_MODEL, LLM_W_REASONING, NULL, 0, ngx_http_llm_monitor_value },

    { "llm_cost_usd", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Cost in US dollars, from the table of prices.",
      LLM_SET_MODEL, LLM_W_COST_NANO, NULL, 0, ngx_http_llm_monitor_cost },

    { "llm_cost_unknown", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Requests with usage but no price for the model.",
      LLM_SET_MODEL, LLM_W_UNPRICED, NULL, 0, ngx_http_llm_monitor_unpriced },

    { "llm_usage_missing", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Requests without token usage, by reason.",
      LLM_SET_UPSTREAM, LLM_W_MISSING, NULL, 0, ngx_http_llm_monitor_words },

    { "llm_streams", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Streamed responses by how they ended.",
      LLM_SET_UPSTREAM, LLM_W_ENDS, NULL, 0, ngx_http_llm_monitor_words },

    { "llm_finish_reasons", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Completions by finish reason.",
      LLM_SET_UPSTREAM, LLM_W_FINISH, NULL, 0, ngx_http_llm_monitor_words },

    ngx_http_llm_monitor_once(ngx_http_llm_monitor_sums, 0),

    { "llm_upstream_availability_ratio", NGX_HTTP_LLM_MONITOR_GAUGE, "ratio",
      "Share of the requests of the last 15 minutes that went well.",
      LLM_SET_UPSTREAM, 0, NULL, 0, ngx_http_llm_monitor_ratio },

    { "llm_upstream_ratelimit_remaining", NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
      "What the upstream said is left of its limits.",
      LLM_SET_UPSTREAM, 0, NULL, 0, ngx_http_llm_monitor_remaining },

    { "llm_model_mismatch", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Responses of a model other than the one that was asked for.",
      LLM_SET_UPSTREAM, LLM_W_MISMATCH, NULL, 0, ngx_http_llm_monitor_value },

    { "llm_request_body_bytes", NGX_HTTP_LLM_MONITOR_HISTOGRAM, "bytes",
      "Size of request bodies.",
      LLM_SET_UPSTREAM, LLM_W_REQUEST_BYTES, &llm_bounds_bytes, 0,
      ngx_http_llm_monitor_histogram },

    { "llm_response_body_bytes", NGX_HTTP_LLM_MONITOR_HISTOGRAM, "bytes",
      "Size of response bodies, decoded.",
      LLM_SET_UPSTREAM, LLM_W_RESPONSE_BYTES, &llm_bounds_bytes, 0,
      ngx_http_llm_monitor_histogram },

    { "http_requests", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Requests finished.",
      LLM_SET_HTTP, LLM_W_HTTP_STATUS, NULL, LLM_METRICS_HTTP,
      ngx_http_llm_monitor_statuses },

    { "http_request_duration_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time that requests took.",
      LLM_SET_HTTP, LLM_W_HTTP_US, &llm_bounds_http, LLM_METRICS_HTTP,
      ngx_http_llm_monitor_histogram },

    ngx_http_llm_monitor_once(ngx_http_llm_monitor_scrape_records, 0),
    ngx_http_llm_monitor_once(ngx_http_llm_monitor_scrape_store, 0),
    ngx_http_llm_monitor_once(ngx_http_llm_monitor_scrape_self, 0),

    { "llm_monitor_api_requests", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Calls of the API.",
      LLM_SET_API, LLM_W_HTTP_STATUS, NULL, 0,
      ngx_http_llm_monitor_statuses },

    { "llm_monitor_api_duration_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time that calls of the API took.",
      LLM_SET_API, LLM_W_HTTP_US, &llm_bounds_http, 0,
      ngx_http_llm_monitor_histogram },

    { "openai_requests", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Requests to models.",
      LLM_SET_OPENAI, LLM_W_OPENAI_GOOD, NULL, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_outcomes },

    { "openai_request_duration_seconds", NGX_HTTP_LLM_MONITOR_HISTOGRAM,
      "seconds", "Time that requests to models took.",
      LLM_SET_OPENAI, LLM_W_OPENAI_US, &llm_bounds_http, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_histogram },

    { "openai_request_tokens", NGX_HTTP_LLM_MONITOR_UNTYPED, NULL,
      "Input tokens.",
      LLM_SET_OPENAI, LLM_W_OPENAI_INPUT, NULL, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_plain },

    { "openai_request_tokens_total", NGX_HTTP_LLM_MONITOR_UNTYPED, NULL,
      "Input tokens.",
      LLM_SET_OPENAI, LLM_W_OPENAI_INPUT, NULL, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_plain },

    { "openai_response_tokens", NGX_HTTP_LLM_MONITOR_UNTYPED, NULL,
      "Output tokens.",
      LLM_SET_OPENAI, LLM_W_OPENAI_OUTPUT, NULL, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_plain },

    { "openai_response_tokens_total", NGX_HTTP_LLM_MONITOR_UNTYPED, NULL,
      "Output tokens.",
      LLM_SET_OPENAI, LLM_W_OPENAI_OUTPUT, NULL, LLM_METRICS_OPENAI,
      ngx_http_llm_monitor_plain },

    ngx_http_llm_monitor_once(ngx_http_llm_monitor_chats, LLM_METRICS_OPENAI),

    { "gen_ai_client_operation_duration_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds", "GenAI operation duration.",
      LLM_SET_OTEL, LLM_W_OTEL_US, &llm_bounds_otel, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_client_operation_time_to_first_chunk_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds",
      "Time to the first chunk of a streamed response.",
      LLM_SET_OTEL, LLM_W_OTEL_CHUNK, &llm_bounds_otel, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_client_operation_time_per_output_chunk_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds",
      "Time for each chunk of a streamed response after the first.",
      LLM_SET_OTEL, LLM_W_OTEL_CHUNKS, &llm_bounds_otel, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_server_request_duration_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds",
      "Generative AI server request duration.",
      LLM_SET_OTEL, LLM_W_OTEL_US, &llm_bounds_otel, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_server_time_to_first_token_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds",
      "Time to generate the first token.",
      LLM_SET_OTEL, LLM_W_OTEL_TTFT, &llm_bounds_otel_ttft, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_server_time_per_output_token_seconds",
      NGX_HTTP_LLM_MONITOR_HISTOGRAM, "seconds",
      "Time for each output token after the first.",
      LLM_SET_OTEL, LLM_W_OTEL_TPOT, &llm_bounds_otel_tpot, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_histogram },

    { "gen_ai_client_token_usage", NGX_HTTP_LLM_MONITOR_HISTOGRAM, NULL,
      "Number of input and output tokens used.",
      LLM_SET_OTEL, LLM_W_OTEL_INPUT, &llm_bounds_tokens, LLM_METRICS_OTEL,
      ngx_http_llm_monitor_tokens },

    { "llm_account_requests", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Requests by account.",
      LLM_SET_ACCOUNT, LLM_W_ACCOUNT_GOOD, NULL,
      NGX_HTTP_LLM_MONITOR_ACCOUNTS, ngx_http_llm_monitor_outcomes },

    { "llm_account_tokens", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Tokens by account and by types that do not overlap.",
      LLM_SET_ACCOUNT, LLM_W_ACCOUNT_TOKENS, NULL,
      NGX_HTTP_LLM_MONITOR_ACCOUNTS, ngx_http_llm_monitor_types },

    { "llm_account_cost_usd", NGX_HTTP_LLM_MONITOR_COUNTER, NULL,
      "Cost in US dollars by account.",
      LLM_SET_ACCOUNT, LLM_W_ACCOUNT_COST, NULL,
      NGX_HTTP_LLM_MONITOR_ACCOUNTS, ngx_http_llm_monitor_cost },

    { NULL, 0, NULL, NULL, 0, 0, NULL, 0, NULL }
};


static void
ngx_http_llm_monitor_requests(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint64_t  value;

    value = llm_metrics_sum(s->metrics, LLM_SET_REQUESTS, n, 0);

    if (n == 0 && value == 0) {
        return;
    }

    ngx_http_llm_monitor_keys(s, LLM_SET_REQUESTS, n);
    ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value, 0);
}


/* Of living workers; who has none is a worker past LLM_METRICS_WORKERS. */

static void
ngx_http_llm_monitor_in_flight(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint32_t  i, upstreams;
    uint64_t  value, all;

    static char  name[] = "llm_requests_in_flight";

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                                     "LLM requests being handled now.");

    upstreams = __atomic_load_n(&s->metrics->nseries[LLM_SET_UPSTREAM],
                                __ATOMIC_ACQUIRE);
    all = 0;

    for (i = 0; i < upstreams; i++) {
        value = ngx_http_llm_monitor_flights_of(s, i);
        all += value;

        if (i || value) {
            ngx_http_llm_monitor_keys(s, LLM_SET_UPSTREAM, i);
            ngx_http_llm_monitor_scrape_line(s, name, "", value, 0);
        }
    }

    if (s->mcf->sets & LLM_METRICS_HTTP) {
        ngx_http_llm_monitor_scrape_one(s, "http_requests_in_flight",
                                        NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                                        "Requests being handled now.", all, 0);
    }
}


static uint64_t
ngx_http_llm_monitor_flights_of(ngx_http_llm_monitor_scrape_t *s, uint32_t n)
{
    int             i;
    int64_t         owner;
    uint64_t        all, value;
    llm_control_t  *control;

    control = s->mcf->zone.control;
    all = 0;

    for (i = 0; i < LLM_METRICS_WORKERS; i++) {
        value = __atomic_load_n(&s->metrics->flights[i][n], __ATOMIC_RELAXED);

        if (value == 0) {
            continue;
        }

        owner = __atomic_load_n(&control->shares[i].owner, __ATOMIC_RELAXED);

        if (owner > 0 && llm_owner_alive(owner)) {
            all += value;
        }
    }

    return all;
}


static void
ngx_http_llm_monitor_durations(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int  i;

    static char  *streams[] = { "false", "true" };

    for (i = 0; i < 2; i++) {
        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_word(s, "stream", streams[i]);

        ngx_http_llm_monitor_one_histogram(s, family, n,
                                 family->word + i * llm_w_hist(LLM_B_DURATION),
                                 &s->metrics->exemplar[n][i * LLM_B_DURATION]);
    }
}


static void
ngx_http_llm_monitor_histogram(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    const llm_metrics_exemplar_t  *exemplars;

    exemplars = NULL;

    if (family->bounds == &llm_bounds_ttft) {
        exemplars = &s->metrics->exemplar[n][2 * LLM_B_DURATION];
    }

    ngx_http_llm_monitor_keys(s, family->set, n);
    ngx_http_llm_monitor_one_histogram(s, family, n, family->word, exemplars);
}


/* Nothing, if nothing has fallen into it. */

static void
ngx_http_llm_monitor_one_histogram(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n, int word,
    const llm_metrics_exemplar_t *exemplars)
{
    int       i;
    uint64_t  count, words[LLM_B_TTFT + 1];

    count = 0;

    for (i = 0; i < family->bounds->n; i++) {
        words[i] = llm_metrics_sum(s->metrics, family->set, n, word + i);
        count += words[i];
    }

    if (count == 0) {
        return;
    }

    words[i] = llm_metrics_sum(s->metrics, family->set, n, word + i);

    ngx_http_llm_monitor_scrape_hist(s, family->name, family->bounds, words,
                                     exemplars);
}


static void
ngx_http_llm_monitor_types(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int       i;
    uint64_t  value;

    static char  *types[] = { "input", "cache_read", "cache_creation",
                              "output" };

    for (i = 0; i < 4; i++) {
        value = llm_metrics_sum(s->metrics, family->set, n, family->word + i);

        if (n == 0 && value == 0) {
            continue;
        }

        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_word(s, "type", types[i]);
        ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value, 0);
    }
}


static void
ngx_http_llm_monitor_words(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    char      **words, *label;
    uint64_t    value;
    ngx_uint_t  i;

    static char  *missing[] = { "aborted", "not_json", "no_usage", "too_large",
                                "parse_error", NULL };
    static char  *ends[] = { "done", "client_gone", "upstream_cut", "timeout",
                             "error_event", "shutdown", NULL };
    static char  *reasons[] = { "stop", "length", "tool_calls",
                                "content_filter", "other", NULL };

    words = family->word == LLM_W_MISSING ? missing
            : family->word == LLM_W_ENDS ? ends : reasons;
    label = words == ends ? "end" : "reason";

    for (i = 0; words[i]; i++) {
        value = llm_metrics_sum(s->metrics, family->set, n, family->word + i);

        if (n == 0 && value == 0) {
            continue;
        }

        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_word(s, label, words[i]);
        ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value, 0);
    }
}


static void
ngx_http_llm_monitor_value(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    ngx_http_llm_monitor_total(s, family, n, 0);
}


/* nano-dollars, told in dollars */

static void
ngx_http_llm_monitor_cost(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    ngx_http_llm_monitor_total(s, family, n, 9);
}


static void
ngx_http_llm_monitor_total(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n, int scale)
{
    uint64_t  value;

    value = llm_metrics_sum(s->metrics, family->set, n, family->word);

    if (n || value) {
        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value,
                                         scale);
    }
}


/* By model alone: the first series of a model speaks for all of them. */

static void
ngx_http_llm_monitor_unpriced(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint32_t           i, all;
    uint64_t           value;
    llm_metrics_ids_t  ids, other;

    llm_metrics_ids(s->metrics, LLM_SET_MODEL, n, &ids);

    all = __atomic_load_n(&s->metrics->nseries[LLM_SET_MODEL],
                          __ATOMIC_ACQUIRE);
    value = 0;

    for (i = 0; i < all; i++) {
        llm_metrics_ids(s->metrics, LLM_SET_MODEL, i, &other);

        if (other.model != ids.model) {
            continue;
        }

        if (i < n) {
            return;
        }

        value += llm_metrics_sum(s->metrics, LLM_SET_MODEL, i, family->word);
    }

    if (value) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_id(s, "model", ids.model);
        ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value, 0);
    }
}


static void
ngx_http_llm_monitor_ratio(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint64_t  good, all;

    llm_metrics_window(s->metrics, n, s->second, &good, &all);

    if (all) {
        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_line(s, family->name, "",
                                         good * 1000000 / all, 6);
    }
}


static void
ngx_http_llm_monitor_remaining(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int      i;
    int64_t  value;

    static char  *kinds[] = { "requests", "tokens" };

    for (i = 0; i < LLM_METRICS_LIMITS; i++) {
        value = __atomic_load_n(&s->metrics->remaining[n][i],
                                __ATOMIC_RELAXED);

        if (value > 0) {
            ngx_http_llm_monitor_keys(s, family->set, n);
            ngx_http_llm_monitor_scrape_word(s, "kind", kinds[i]);
            ngx_http_llm_monitor_scrape_line(s, family->name, "", value - 1,
                                             0);
        }
    }
}


static void
ngx_http_llm_monitor_statuses(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int       i;
    uint64_t  value;

    for (i = 0; i < LLM_METRICS_STATUSES; i++) {
        value = llm_metrics_sum(s->metrics, family->set, n, family->word + i);

        if (value) {
            ngx_http_llm_monitor_keys(s, family->set, n);
            ngx_http_llm_monitor_scrape_status(s, "status", i);
            ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value,
                                             0);
        }
    }
}


static void
ngx_http_llm_monitor_outcomes(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int       i;
    uint64_t  value;

    static char  *outcomes[] = { "success", "error" };

    for (i = 0; i < 2; i++) {
        value = llm_metrics_sum(s->metrics, family->set, n, family->word + i);

        if (n || value) {
            ngx_http_llm_monitor_keys(s, family->set, n);
            ngx_http_llm_monitor_scrape_word(s, "status", outcomes[i]);
            ngx_http_llm_monitor_scrape_line(s, family->name, "_total", value,
                                             0);
        }
    }
}


/*
 * Names that applications have made up.  One with _total would be of the same
 * family in OpenMetrics as the one without, and is untyped for that.
 */

static void
ngx_http_llm_monitor_plain(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint64_t  value;

    value = llm_metrics_sum(s->metrics, family->set, n, family->word);

    if (n || value) {
        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_line(s, family->name, "", value, 0);
    }
}


static void
ngx_http_llm_monitor_tokens(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int  i;

    static char  *types[] = { "input", "output" };

    for (i = 0; i < 2; i++) {
        ngx_http_llm_monitor_keys(s, family->set, n);
        ngx_http_llm_monitor_scrape_word(s, "gen_ai_token_type", types[i]);

        ngx_http_llm_monitor_one_histogram(s, family, n,
                                   family->word + i * llm_w_hist(LLM_B_TOKENS),
                                   NULL);
    }
}


static void
ngx_http_llm_monitor_sums(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int       i;
    uint64_t  sum, users;

    static char   name[] = "llm_messages";
    static char  *roles[] = { "user", "assistant", "system", "tool", "other" };

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL,
                                     "Messages of requests, and answers.");

    for (i = 0; i < LLM_ROLES; i++) {
        sum = llm_metrics_sum(s->metrics, LLM_SET_ALL, 0, LLM_W_ROLES + i);

        if (i == LLM_ROLE_ASSISTANT) {
            sum += llm_metrics_sum(s->metrics, LLM_SET_ALL, 0, LLM_W_ANSWERS);
        }

        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "role", roles[i]);
        ngx_http_llm_monitor_scrape_line(s, name, "_total", sum, 0);
    }

    users = llm_metrics_active(&s->metrics->users, s->second);

    ngx_http_llm_monitor_scrape_one(s, "llm_sessions",
                    NGX_HTTP_LLM_MONITOR_COUNTER, NULL, "Sessions first seen.",
                    llm_metrics_sum(s->metrics, LLM_SET_ALL, 0,
                                    LLM_W_SESSIONS), 0);

    ngx_http_llm_monitor_scrape_one(s, "llm_active_sessions",
                    NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                    "Sessions in the last five minutes.",
                    llm_metrics_active(&s->metrics->sessions, s->second), 0);

    ngx_http_llm_monitor_scrape_one(s, "llm_active_users",
                    NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                    "Users in the last five minutes.", users, 0);

    if (s->mcf->sets & LLM_METRICS_HTTP) {
        ngx_http_llm_monitor_scrape_one(s, "active_users",
                        NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                        "Users in the last five minutes.", users, 0);
    }
}


static void
ngx_http_llm_monitor_chats(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int  i;

    static char   chats[] = "chatbot_conversations";
    static char   messages[] = "chatbot_messages";
    static int    words[] = { LLM_W_ROLES + LLM_ROLE_USER, LLM_W_ANSWERS };
    static char  *types[] = { "user", "assistant" };

    ngx_http_llm_monitor_scrape_head(s, chats, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Sessions first seen.");
    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_word(s, "status", "started");
    ngx_http_llm_monitor_scrape_line(s, chats, "_total",
                        llm_metrics_sum(s->metrics, LLM_SET_ALL, 0,
                                        LLM_W_SESSIONS), 0);

    ngx_http_llm_monitor_scrape_head(s, messages, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL,
                                     "Messages of requests, and answers.");

    for (i = 0; i < 2; i++) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "type", types[i]);
        ngx_http_llm_monitor_scrape_line(s, messages, "_total",
                        llm_metrics_sum(s->metrics, LLM_SET_ALL, 0, words[i]),
                        0);
    }
}


/* The labels that the key of a series stands for. */

static void
ngx_http_llm_monitor_keys(ngx_http_llm_monitor_scrape_t *s, int set,
    uint32_t n)
{
    llm_metrics_ids_t  ids;

    static char  *methods[] = { "other", "GET", "HEAD", "POST", "PUT",
                                "DELETE", "PATCH", "OPTIONS" };

    llm_metrics_ids(s->metrics, set, n, &ids);
    ngx_http_llm_monitor_scrape_labels(s);

    switch (set) {

    case LLM_SET_REQUESTS:
    case LLM_SET_MODEL:
    case LLM_SET_UPSTREAM:
        ngx_http_llm_monitor_scrape_id(s, "upstream", ids.upstream);

        if (set == LLM_SET_UPSTREAM) {
            return;
        }

        ngx_http_llm_monitor_scrape_id(s, "provider", ids.provider);

        if (set == LLM_SET_REQUESTS) {
            ngx_http_llm_monitor_scrape_word(s, "operation",
                                             llm_operation_name(ids.kind));
        }

        ngx_http_llm_monitor_scrape_id(s, "model", ids.model);

        if (set == LLM_SET_REQUESTS) {
            ngx_http_llm_monitor_scrape_status(s, "status", ids.status);
        }

        return;

    case LLM_SET_HTTP:
        ngx_http_llm_monitor_scrape_word(s, "method", methods[ids.kind & 7]);
        ngx_http_llm_monitor_scrape_id(s, "endpoint", ids.other);
        return;

    case LLM_SET_API:
        ngx_http_llm_monitor_scrape_id(s, "route", ids.model);
        return;

    case LLM_SET_OPENAI:
        ngx_http_llm_monitor_scrape_id(s, "model", ids.model);
        ngx_http_llm_monitor_scrape_id(s, "endpoint", ids.other);
        return;

    case LLM_SET_ACCOUNT:
        ngx_http_llm_monitor_scrape_id(s, "account", ids.model);
        return;

    default: /* LLM_SET_OTEL */
        ngx_http_llm_monitor_otel_keys(s, &ids);
    }
}


/* the conventions' words for operations; others keep theirs */

static void
ngx_http_llm_monitor_otel_keys(ngx_http_llm_monitor_scrape_t *s,
    llm_metrics_ids_t *ids)
{
    const char  *operation;

    operation = ids->kind == LLM_OPERATION_COMPLETION
                ? "text_completion" : llm_operation_name(ids->kind);

    ngx_http_llm_monitor_scrape_word(s, "gen_ai_operation_name", operation);
    ngx_http_llm_monitor_scrape_id(s, "gen_ai_provider_name", ids->provider);
    ngx_http_llm_monitor_scrape_id(s, "gen_ai_request_model", ids->model);

    if (ids->other) {
        ngx_http_llm_monitor_scrape_id(s, "gen_ai_response_model",
                                       ids->other);
    }

    ngx_http_llm_monitor_scrape_id(s, "server_address", ids->upstream);

    if (ids->status > LLM_OUTCOME_SHUTDOWN) {
        ngx_http_llm_monitor_scrape_status(s, "error_type",
                                      ids->status - LLM_OUTCOME_SHUTDOWN - 1);

    } else if (ids->status) {
        ngx_http_llm_monitor_scrape_word(s, "error_type",
                                         llm_outcome_name(ids->status));
    }
}
