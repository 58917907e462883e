
/*
 * Copyright (C) llm_monitor contributors
 *
 * The exchanges in flight, for the live view.  A timer looks at them, so that
 * a request costs nothing for it, and one that is over before the timer comes
 * is never shown.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../ring/llm_metrics_count.h"


/* exchanges that one call looks at: some tens of microseconds */
#define NGX_HTTP_LLM_MONITOR_FLIGHTS_SLICE  128


static void ngx_http_llm_monitor_flight_upstream(
    ngx_http_llm_monitor_ctx_t *ctx);
static void ngx_http_llm_monitor_flight(ngx_http_llm_monitor_ctx_t *ctx);
static llm_live_slot_t *ngx_http_llm_monitor_flight_take(
    ngx_http_llm_monitor_main_conf_t *mcf);
static void ngx_http_llm_monitor_flight_facts(
    ngx_http_llm_monitor_ctx_t *ctx, llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_who(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_text(llm_live_slot_t *slot, int n,
    ngx_str_t *value);


/*
 * A round ends at the first exchange that it has seen.  Those that came after
 * its beginning are behind it, and are seen by the next one.
 */

ngx_int_t
ngx_http_llm_monitor_flights(ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_uint_t                   n;
    ngx_queue_t                 *q;
    ngx_http_llm_monitor_ctx_t  *ctx;

    for (n = 0; !ngx_queue_empty(&mcf->exchanges); n++) {

        q = ngx_queue_head(&mcf->exchanges);
        ctx = ngx_queue_data(q, ngx_http_llm_monitor_ctx_t, queue);

        if (ctx->looked == mcf->flights + 1) {
            break;
        }

        if (n == NGX_HTTP_LLM_MONITOR_FLIGHTS_SLICE) {
            return NGX_AGAIN;
        }

        ctx->looked = mcf->flights + 1;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&mcf->exchanges, q);

        ngx_http_llm_monitor_flight(ctx);
        ngx_http_llm_monitor_flight_upstream(ctx);
    }

    llm_metrics_flights(&mcf->zone.metrics, mcf->zone.share, mcf->upstreams);
    ngx_memzero(mcf->upstreams, sizeof(mcf->upstreams));

    mcf->flights++;

    return NGX_OK;
}


static void
ngx_http_llm_monitor_flight_upstream(ngx_http_llm_monitor_ctx_t *ctx)
{
    uint32_t                           n;
    llm_str_t                          s;
    ngx_str_t                         *name;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ctx->mcf;

    name = ngx_http_llm_monitor_upstream_name(ctx->request);

    s.data = name ? name->data : NULL;
    s.len = name ? name->len : 0;

    n = llm_metrics_upstream_of(&mcf->zone.metrics, &s);

    if (mcf->upstreams[n] != UINT16_MAX) {
        mcf->upstreams[n]++;
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
        slot = ngx_http_llm_monitor_flight_take(ctx->mcf);

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


/*
 * Where all slots are taken, whose they are is looked up, which is not cheap:
 * once a round.
 */

static llm_live_slot_t *
ngx_http_llm_monitor_flight_take(ngx_http_llm_monitor_main_conf_t *mcf)
{
    llm_live_slot_t  *slot;

    if (mcf->crowded == mcf->flights + 1) {
        return NULL;
    }

    slot = llm_live_take(&mcf->zone.own);

    if (slot == NULL) {
        mcf->crowded = mcf->flights + 1;
    }

    return slot;
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
        slot->facts.trusted = ctx->authenticated;
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
