
/*
 * Copyright (C) llm_monitor contributors
 *
 * The exchanges in flight, for the live view.  A timer looks at them, so that
 * a request costs nothing for it, and one that is over before the timer comes
 * is never shown.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../ring/llm_metrics_count.h"


static void ngx_http_llm_monitor_flight_upstream(
    ngx_http_llm_monitor_ctx_t *ctx, uint16_t *upstreams);
static void ngx_http_llm_monitor_flight(ngx_http_llm_monitor_ctx_t *ctx);
static void ngx_http_llm_monitor_flight_facts(
    ngx_http_llm_monitor_ctx_t *ctx, llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_who(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_text(llm_live_slot_t *slot, int n,
    ngx_str_t *value);


void
ngx_http_llm_monitor_flights(ngx_http_llm_monitor_main_conf_t *mcf)
{
    uint16_t                     upstreams[LLM_METRICS_UPSTREAMS];
    ngx_queue_t                 *q;
    ngx_http_llm_monitor_ctx_t  *ctx;

    ngx_memzero(upstreams, sizeof(upstreams));

    for (q = ngx_queue_head(&mcf->exchanges);
         q != ngx_queue_sentinel(&mcf->exchanges);
         q = ngx_queue_next(q))
    {
        ctx = ngx_queue_data(q, ngx_http_llm_monitor_ctx_t, queue);

        ngx_http_llm_monitor_flight(ctx);
        ngx_http_llm_monitor_flight_upstream(ctx, upstreams);
    }

    llm_metrics_flights(&mcf->zone.metrics, mcf->zone.share, upstreams);
}


static void
ngx_http_llm_monitor_flight_upstream(ngx_http_llm_monitor_ctx_t *ctx,
    uint16_t *upstreams)
{
    uint32_t    n;
    llm_str_t   s;
    ngx_str_t  *name;

    name = ngx_http_llm_monitor_upstream_name(ctx->request);

    s.data = name ? name->data : NULL;
    s.len = name ? name->len : 0;

    n = llm_metrics_upstream_of(&ctx->mcf->zone.metrics, &s);

    if (upstreams[n] != UINT16_MAX) {
        upstreams[n]++;
    }
}


static void
ngx_http_llm_monitor_flight(ngx_http_llm_monitor_ctx_t *ctx)
{
    llm_live_slot_t     *slot;
    ngx_http_request_t  *r;

    r = ctx->request;
    slot = ctx->flight;

    if (slot) {
        llm_live_open(slot);

    } else {
        slot = llm_live_take(&ctx->mcf->zone.own);

        if (slot == NULL) {

            if (!ctx->missed) {
                ctx->missed = 1;
                llm_live_miss(&ctx->mcf->zone.own);
            }

            return;
        }

        ctx->flight = slot;
        ctx->id = ngx_http_llm_monitor_zone_id(&ctx->mcf->zone,
                                             (int64_t) r->start_sec * 1000
                                             + r->start_msec);
        slot->facts.id = ctx->id;
        slot->facts.start = ctx->start;

        llm_live_text(slot, LLM_LIVE_METHOD, &ctx->request_head.method);
    }

    slot->facts.status = (int16_t) r->headers_out.status;

    ngx_http_llm_monitor_flight_facts(ctx, slot);
    ngx_http_llm_monitor_flight_who(ctx, slot);

    llm_live_close(slot);
}


static void
ngx_http_llm_monitor_flight_facts(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot)
{
    llm_live_facts_t     *facts;
    llm_exchange_live_t   live;

    facts = &slot->facts;

    if (ctx->exchange == NULL) {
        facts->ttft = LLM_NULL;
        facts->tokens = LLM_NULL;
        facts->estimate = LLM_NULL;
        return;
    }

    llm_exchange_live(ctx->exchange, &live);

    facts->key = live.key_hash;
    facts->protocol = (uint8_t) live.protocol;
    facts->operation = (uint8_t) live.operation;
    facts->stream = (uint8_t) live.stream;
    facts->bytes = live.bytes;
    facts->ttft = live.ttft_us;
    facts->tokens = live.output_tokens;
    facts->estimate = live.estimated_tokens;

    llm_live_text(slot, LLM_LIVE_ENDPOINT, &live.endpoint);
    llm_live_text(slot, LLM_LIVE_MODEL, &live.model);
    llm_live_text(slot, LLM_LIVE_ACCOUNT, &live.account);

    if (ctx->lcf->session == NULL) {
        llm_live_text(slot, LLM_LIVE_SESSION, &live.session);
    }

    if (ctx->lcf->user == NULL) {
        llm_live_text(slot, LLM_LIVE_USER, &live.user);
    }
}


/*
 * What the configuration says by llm_monitor_user and its sisters is asked at
 * the end only: an answer now could be kept by nginx, and be wrong by then.
 */

static void
ngx_http_llm_monitor_flight_who(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot)
{
    ngx_str_t           *provider;
    ngx_http_request_t  *r;

    r = ctx->request;

    /* after realip, which has changed it by now */

    ngx_http_llm_monitor_flight_text(slot, LLM_LIVE_CLIENT,
                                     &r->connection->addr_text);

    provider = ngx_http_llm_monitor_upstream_name(r);

    if (provider && ctx->lcf->provider == NULL) {
        ngx_http_llm_monitor_flight_text(slot, LLM_LIVE_PROVIDER, provider);
    }

    /* the upstream is asked after whoever checks the name */

    if (ctx->lcf->user == NULL && r->upstream
        && ngx_http_auth_basic_user(r) == NGX_OK)
    {
        ngx_http_llm_monitor_flight_text(slot, LLM_LIVE_USER,
                                         &r->headers_in.user);
        slot->facts.trusted = 1;
    }
}


static void
ngx_http_llm_monitor_flight_text(llm_live_slot_t *slot, int n,
    ngx_str_t *value)
{
    llm_str_t  s;

    s.data = value->data;
    s.len = value->len;

    llm_live_text(slot, n, &s);
}


void
ngx_http_llm_monitor_flight_end(ngx_http_llm_monitor_ctx_t *ctx)
{
    if (ctx->flight) {
        llm_live_give(&ctx->mcf->zone.own, ctx->flight);
        ctx->flight = NULL;
    }
}
