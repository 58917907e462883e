
/*
 * Copyright (C) llm_monitor contributors
 *
 * Finished exchanges into the metrics.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../ring/llm_metrics_count.h"


/* W3C Trace Context: version, trace id, parent id, flags */
#define NGX_HTTP_LLM_MONITOR_TRACE      32
#define NGX_HTTP_LLM_MONITOR_TRACE_AT   3
#define NGX_HTTP_LLM_MONITOR_TRACE_LEN  55


static int64_t ngx_http_llm_monitor_upstream_us(ngx_http_request_t *r);
static void ngx_http_llm_monitor_limits(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, uint32_t upstream);
static void ngx_http_llm_monitor_exemplar(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec, uint32_t n, int place,
    uint32_t second, int64_t us);
static ngx_uint_t ngx_http_llm_monitor_trace(ngx_http_request_t *r,
    llm_str_t *trace);
static ngx_uint_t ngx_http_llm_monitor_hex(const u_char *p, size_t len);


void
ngx_http_llm_monitor_count(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_str_t            *name;
    llm_metrics_facts_t   facts;
    llm_metrics_places_t  places;

    ngx_memzero(&facts, sizeof(llm_metrics_facts_t));

    name = ngx_http_llm_monitor_upstream_name(r);

    if (name) {
        facts.upstream.data = name->data;
        facts.upstream.len = name->len;
    }

    if (ctx->lcf->provider) {
        facts.provider = rec->str[LLM_S_PROVIDER];
    }

    facts.upstream_us = ngx_http_llm_monitor_upstream_us(r);
    facts.second = (uint32_t) (ngx_current_msec / 1000) + 1;
    facts.sets = ctx->mcf->sets;
    facts.salt = ctx->mcf->zone.salt;
    facts.roles = ctx->state.roles;
    facts.broken = ctx->state.broken_response;

    llm_metrics_count(&ctx->mcf->zone.metrics, rec, &facts, &places);

    if (r->upstream && name
        && llm_metrics_remaining_due(&ctx->mcf->zone.metrics, places.upstream,
                                     facts.second))
    {
        ngx_http_llm_monitor_limits(ctx, r, places.upstream);
    }

    ngx_http_llm_monitor_exemplar(ctx, r, rec, places.n, places.duration,
                                  facts.second, rec->num[LLM_N_DURATION_US]);

    if (places.ttft != -1) {
        ngx_http_llm_monitor_exemplar(ctx, r, rec, places.n, places.ttft,
                                      facts.second, rec->num[LLM_N_TTFT_US]);
    }
}


/* of all attempts; a cache hit has none */

static int64_t
ngx_http_llm_monitor_upstream_us(ngx_http_request_t *r)
{
    int64_t                     us;
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return LLM_NULL;
    }

    state = r->upstream_states->elts;
    us = 0;

    for (i = 0; i < r->upstream_states->nelts; i++) {

        if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
            us += (int64_t) state[i].response_time * 1000;
        }
    }

    return us;
}


/* The names that OpenAI and Anthropic have, and who does as they do. */

static void
ngx_http_llm_monitor_limits(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, uint32_t upstream)
{
    ngx_int_t         value;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const struct {
        ngx_str_t    name;
        int          limit;
    } names[] = {
        { ngx_string("x-ratelimit-remaining-requests"), 0 },
        { ngx_string("anthropic-ratelimit-requests-remaining"), 0 },
        { ngx_string("x-ratelimit-remaining-tokens"), 1 },
        { ngx_string("anthropic-ratelimit-tokens-remaining"), 1 }
    };

    for (part = &r->upstream->headers_in.headers.part;
         part;
         part = part->next)
    {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            for (n = 0; n < sizeof(names) / sizeof(names[0]); n++) {

                if (h[i].key.len != names[n].name.len
                    || ngx_strncasecmp(h[i].key.data, names[n].name.data,
                                       names[n].name.len)
                       != 0)
                {
                    continue;
                }

                value = ngx_atoi(h[i].value.data, h[i].value.len);

                if (value != NGX_ERROR) {
                    llm_metrics_remaining(&ctx->mcf->zone.metrics, upstream,
                                          names[n].limit, value);
                }
            }
        }
    }
}


static void
ngx_http_llm_monitor_exemplar(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec, uint32_t n, int place,
    uint32_t second, int64_t us)
{
    llm_str_t           trace;
    llm_metrics_own_t  *own;

    own = &ctx->mcf->zone.metrics;

    if (!llm_metrics_exemplar_due(own, n, place, second)) {
        return;
    }

    if (!ngx_http_llm_monitor_trace(r, &trace)) {
        trace = rec->str[LLM_S_REQUEST_ID];

        if (trace.len != NGX_HTTP_LLM_MONITOR_TRACE
            || !ngx_http_llm_monitor_hex(trace.data, trace.len))
        {
            return;
        }
    }

    llm_metrics_exemplar(own, n, place, second, rec, us, &trace);
}


static ngx_uint_t
ngx_http_llm_monitor_trace(ngx_http_request_t *r, llm_str_t *trace)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("traceparent");

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == name.len
                && h[i].value.len >= NGX_HTTP_LLM_MONITOR_TRACE_LEN
                && ngx_strncasecmp(h[i].key.data, name.data, name.len) == 0)
            {
                trace->data = h[i].value.data + NGX_HTTP_LLM_MONITOR_TRACE_AT;
                trace->len = NGX_HTTP_LLM_MONITOR_TRACE;

                return ngx_http_llm_monitor_hex(trace->data, trace->len);
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_llm_monitor_hex(const u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) {
            return 0;
        }
    }

    return 1;
}
