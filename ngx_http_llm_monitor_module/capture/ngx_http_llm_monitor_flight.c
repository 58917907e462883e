
/*
 * Copyright (C) llm_monitor contributors
 *
 * The exchanges in flight, for the live view.  A timer looks at them, so that
 * a request costs nothing for it, and one that is over before the timer comes
 * is never shown.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../extract/llm_session.h"
#include "../ring/llm_metrics_count.h"


/* exchanges that one call looks at: some tens of microseconds */
#define NGX_HTTP_LLM_MONITOR_FLIGHTS_SLICE  128

/* when the configuration was asked: the upstream is, and has answered */
#define NGX_HTTP_LLM_MONITOR_ASKED_EARLY    1
#define NGX_HTTP_LLM_MONITOR_ASKED_LATE     2


static void ngx_http_llm_monitor_flight_upstream(
    ngx_http_llm_monitor_ctx_t *ctx);
static void ngx_http_llm_monitor_flight(ngx_http_llm_monitor_ctx_t *ctx);
static llm_live_slot_t *ngx_http_llm_monitor_flight_take(
    ngx_http_llm_monitor_main_conf_t *mcf);
static void ngx_http_llm_monitor_flight_facts(
    ngx_http_llm_monitor_ctx_t *ctx, llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_who(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_ask(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot);
static void ngx_http_llm_monitor_flight_values(
    ngx_http_llm_monitor_ctx_t *ctx, llm_live_slot_t *slot);
static ngx_uint_t ngx_http_llm_monitor_flight_value(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_complex_value_t *cv,
    llm_live_slot_t *slot, int n);
static ngx_uint_t ngx_http_llm_monitor_flight_told(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_complex_value_t *cv, int n);
static void ngx_http_llm_monitor_flight_owner(
    ngx_http_llm_monitor_ctx_t *ctx, llm_live_slot_t *slot);
static llm_str_t ngx_http_llm_monitor_flight_str(llm_live_slot_t *slot, int n);
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
        slot->facts.id = ngx_http_llm_monitor_early_id(ctx);
        slot->facts.start = ctx->start;

        llm_live_text(slot, LLM_LIVE_METHOD, &ctx->request_head.method);
    }

    slot->facts.status = (int16_t) r->headers_out.status;

    ngx_http_llm_monitor_flight_facts(ctx, slot);
    ngx_http_llm_monitor_flight_who(ctx, slot);
    ngx_http_llm_monitor_flight_owner(ctx, slot);

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
    llm_live_facts_t                 *facts;
    llm_exchange_live_t               live;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

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
    lcf = ctx->lcf;

    /* the upstream knows best whose account it used */

    if (live.account.len
        || !ngx_http_llm_monitor_flight_told(ctx, lcf->account,
                                             LLM_LIVE_ACCOUNT))
    {
        llm_live_text(slot, LLM_LIVE_ACCOUNT, &live.account);
    }

    if (!ngx_http_llm_monitor_flight_told(ctx, lcf->session,
                                          LLM_LIVE_SESSION))
    {
        llm_live_text(slot, LLM_LIVE_SESSION, &live.session);
    }

    if (!ngx_http_llm_monitor_flight_told(ctx, lcf->user, LLM_LIVE_USER)) {
        llm_live_text(slot, LLM_LIVE_USER, &live.user);
    }
}


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

    /* the upstream is asked after whoever checks the name */

    if (r->upstream == NULL) {
        return;
    }

    ngx_http_llm_monitor_flight_ask(ctx, slot);

    provider = ngx_http_llm_monitor_upstream_name(r);

    if (provider
        && !ngx_http_llm_monitor_flight_told(ctx, ctx->lcf->provider,
                                             LLM_LIVE_PROVIDER))
    {
        ngx_http_llm_monitor_flight_text(slot, LLM_LIVE_PROVIDER, provider);
    }

    if (ctx->lcf->user == NULL && ngx_http_auth_basic_user(r) == NGX_OK) {
        ngx_http_llm_monitor_flight_text(slot, LLM_LIVE_USER,
                                         &r->headers_in.user);
        slot->facts.trusted = ctx->authenticated;
    }
}


/*
 * nginx keeps what a variable was found to be, and what is right now may be
 * wrong at the end: the request gets all of its variables back as they were.
 */

static void
ngx_http_llm_monitor_flight_ask(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot)
{
    size_t                            size;
    ngx_uint_t                        stage;
    ngx_http_request_t               *r;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_variable_value_t        *variables;
    ngx_http_llm_monitor_loc_conf_t  *lcf;
#if (NGX_PCRE)
    int                              *captures;
    u_char                           *data;
    ngx_uint_t                        ncaptures, again;
#endif

    r = ctx->request;
    lcf = ctx->lcf;

    stage = r->upstream->headers_in.status_n
            ? NGX_HTTP_LLM_MONITOR_ASKED_LATE
            : NGX_HTTP_LLM_MONITOR_ASKED_EARLY;

    if (ctx->asked >= stage || ctx->end || ctx->record
        || (lcf->account == NULL && lcf->user == NULL && lcf->session == NULL
            && lcf->provider == NULL))
    {
        return;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    variables = ngx_alloc(size, r->connection->log);
    if (variables == NULL) {
        return;
    }

    ngx_memcpy(variables, r->variables, size);

#if (NGX_PCRE)
    captures = r->captures;
    data = r->captures_data;
    ncaptures = r->ncaptures;
    again = r->realloc_captures;
    r->captures = NULL;
#endif

    ctx->asked = stage;
    ngx_http_llm_monitor_flight_values(ctx, slot);

    ngx_memcpy(r->variables, variables, size);
    ngx_free(variables);

#if (NGX_PCRE)
    r->captures = captures;
    r->captures_data = data;
    r->ncaptures = ncaptures;
    r->realloc_captures = again;
#endif
}


static void
ngx_http_llm_monitor_flight_values(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot)
{
    llm_exchange_live_t               live;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ctx->lcf;
    live.account.len = 0;

    if (ctx->exchange) {
        llm_exchange_live(ctx->exchange, &live);
    }

    if (live.account.len == 0) {
        (void) ngx_http_llm_monitor_flight_value(ctx, lcf->account, slot,
                                                 LLM_LIVE_ACCOUNT);
    }

    (void) ngx_http_llm_monitor_flight_value(ctx, lcf->session, slot,
                                             LLM_LIVE_SESSION);
    (void) ngx_http_llm_monitor_flight_value(ctx, lcf->provider, slot,
                                             LLM_LIVE_PROVIDER);

    slot->facts.trusted = ngx_http_llm_monitor_flight_value(ctx, lcf->user,
                                                            slot,
                                                            LLM_LIVE_USER);
}


/* Whether it is shown, and is what the configuration says, without a change. */

static ngx_uint_t
ngx_http_llm_monitor_flight_value(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_complex_value_t *cv, llm_live_slot_t *slot, int n)
{
    llm_str_t   s;
    ngx_str_t   value;
    ngx_uint_t  whole;

    ctx->told &= ~(1 << n);

    if (cv == NULL
        || ngx_http_complex_value(ctx->request, cv, &value) != NGX_OK
        || ngx_http_llm_monitor_text(ctx->request, &value, &s) != NGX_OK)
    {
        return 0;
    }

    whole = ngx_http_llm_monitor_whole(&value, &s);

    if (!whole && (n == LLM_LIVE_ACCOUNT || n == LLM_LIVE_SESSION)) {
        return 0;
    }

    ctx->told |= 1 << n;
    llm_live_text(slot, n, &s);

    return whole;
}


/* It is for the configuration to say, which has spoken or not been asked. */

static ngx_uint_t
ngx_http_llm_monitor_flight_told(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_complex_value_t *cv, int n)
{
    return cv && (ctx->asked == 0 || (ctx->told & 1 << n));
}


static void
ngx_http_llm_monitor_flight_owner(ngx_http_llm_monitor_ctx_t *ctx,
    llm_live_slot_t *slot)
{
    llm_str_t  user, account;

    user = ngx_http_llm_monitor_flight_str(slot, LLM_LIVE_USER);
    account = ngx_http_llm_monitor_flight_str(slot, LLM_LIVE_ACCOUNT);

    /* of a name that may have been cut nobody knows the hash */

    if (slot->facts.key == 0 && slot->facts.len[LLM_LIVE_SESSION]
        && user.len < LLM_LIVE_TEXT && account.len < LLM_LIVE_TEXT)
    {
        slot->facts.key = llm_session_owner(ctx->mcf->zone.salt, &user,
                                            slot->facts.trusted, &account);
    }
}


static llm_str_t
ngx_http_llm_monitor_flight_str(llm_live_slot_t *slot, int n)
{
    llm_str_t  s;

    s.data = (uint8_t *) slot->facts.text[n];
    s.len = slot->facts.len[n];

    return s;
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
