
/*
 * Copyright (C) llm_monitor contributors
 *
 * The end of an exchange: facts of the traffic, of nginx and of the
 * configuration become one record, which is published once.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../ring/llm_metrics_count.h"
#include "../extract/llm_session.h"
#include "../record/llm_text.h"

#include <sys/random.h>


/* hexadecimal digits, as $request_id has */
#define NGX_HTTP_LLM_MONITOR_REQUEST_ID_LEN  32

/* what SplitMix64 counts in: 2^64 over the golden ratio */
#define NGX_HTTP_LLM_MONITOR_GAMMA           0x9e3779b97f4a7c15ULL


/* what is kept of an exchange that is watched, each more than the one before */

typedef enum {
    NGX_HTTP_LLM_MONITOR_KEEP_METRICS = 0,   /* nothing in the database */
    NGX_HTTP_LLM_MONITOR_KEEP_SUMS,          /* its sums */
    NGX_HTTP_LLM_MONITOR_KEEP_RECORD         /* and the record */
} ngx_http_llm_monitor_keep_e;


static ngx_http_llm_monitor_keep_e ngx_http_llm_monitor_keep(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r);
static void ngx_http_llm_monitor_facts(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);
static void ngx_http_llm_monitor_price(ngx_http_request_t *r,
    llm_record_t *rec);
static void ngx_http_llm_monitor_values(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);
static inline ngx_int_t ngx_http_llm_monitor_value(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, llm_str_t *s);
static LLM_APART ngx_int_t ngx_http_llm_monitor_evaluate(
    ngx_http_request_t *r, ngx_http_complex_value_t *cv, llm_str_t *s);
static void ngx_http_llm_monitor_user(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);
static LLM_APART ngx_int_t ngx_http_llm_monitor_name(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, llm_str_t *name);
static void ngx_http_llm_monitor_owner(ngx_http_llm_monitor_ctx_t *ctx,
    llm_record_t *rec);
static void ngx_http_llm_monitor_provider(ngx_http_request_t *r,
    llm_record_t *rec);
static void ngx_http_llm_monitor_request_id(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    llm_record_t *rec);
static uint64_t ngx_http_llm_monitor_mix(uint64_t n);
static void ngx_http_llm_monitor_bodies(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);
static ngx_uint_t ngx_http_llm_monitor_unread(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);
static int ngx_http_llm_monitor_body_redacted(int state, int redacted);
static ngx_uint_t ngx_http_llm_monitor_is_error(llm_record_t *rec);


ngx_int_t
ngx_http_llm_monitor_log_handler(ngx_http_request_t *r)
{
    ngx_http_llm_monitor_ctx_t       *ctx;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_llm_monitor_watch(r);

    if (ctx) {
        ngx_http_llm_monitor_publish(ctx, r);
        return NGX_OK;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);

    if (lcf->enable && !ngx_http_llm_monitor_own(r)) {
        ngx_http_llm_monitor_lost(r);
    }

    return NGX_OK;
}


void
ngx_http_llm_monitor_lost(ngx_http_request_t *r)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);

    ngx_http_llm_monitor_zone_drop(&mcf->zone, LLM_DROP_NO_MEMORY);
}


void
ngx_http_llm_monitor_publish(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_log_t                    *log;
    llm_record_t                 *rec;
    ngx_http_llm_monitor_zone_t  *zone;
    ngx_http_llm_monitor_keep_e   keep;

    if (ctx->published) {
        return;
    }

    ctx->published = 1;
    ngx_queue_remove(&ctx->queue);

    ngx_http_llm_monitor_flight_end(ctx);

    log = r->connection->log;
    zone = &ctx->mcf->zone;

    rec = ngx_http_llm_monitor_finish(ctx, r);

    if (rec == NULL) {
        ngx_http_llm_monitor_lost(r);
        return;
    }

    ngx_http_llm_monitor_count(ctx, r, rec);

    keep = ngx_http_llm_monitor_keep(ctx, r);

    if (keep == NGX_HTTP_LLM_MONITOR_KEEP_METRICS) {
        return;
    }

    if (keep == NGX_HTTP_LLM_MONITOR_KEEP_SUMS) {
        rec->num[LLM_N_FLAGS] |= LLM_RECORD_LEDGER_ONLY;
    }

    ngx_http_llm_monitor_bodies(ctx, r, rec);
    llm_metrics_count_bodies(&zone->metrics, rec);

    if (ngx_http_llm_monitor_zone_publish(zone, rec, log) != NGX_OK) {
        ngx_http_llm_monitor_body_unlink(&ctx->request_body);
        ngx_http_llm_monitor_body_unlink(&ctx->response_body);
    }

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, log, 0,
                   "llm monitor record %L: %L %s, request %s, response %s",
                   rec->num[LLM_N_ID], rec->num[LLM_N_STATUS],
                   llm_outcome_name(rec->num[LLM_N_OUTCOME]),
                   llm_body_state_name(rec->num[LLM_N_REQUEST_BODY_STATE]),
                   llm_body_state_name(rec->num[LLM_N_RESPONSE_BODY_STATE]));
}


/*
 * The one place that decides: nothing is kept of what has no context, for it
 * is not watched; llm_monitor_if that says no leaves the metrics alone; where
 * recording is paused, the database sums up but has no rows.
 */

static ngx_http_llm_monitor_keep_e
ngx_http_llm_monitor_keep(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_str_t  value;

    if (ctx->lcf->filter
        && ngx_http_complex_value(r, ctx->lcf->filter, &value) == NGX_OK
        && (value.len == 0 || (value.len == 1 && value.data[0] == '0')))
    {
        return NGX_HTTP_LLM_MONITOR_KEEP_METRICS;
    }

    return ngx_http_llm_monitor_zone_recording(&ctx->mcf->zone)
           ? NGX_HTTP_LLM_MONITOR_KEEP_RECORD
           : NGX_HTTP_LLM_MONITOR_KEEP_SUMS;
}


llm_record_t *
ngx_http_llm_monitor_finish(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    llm_record_t  *rec;

    if (ctx->record) {
        return ctx->record;
    }

    rec = ngx_http_llm_monitor_memory_alloc(&ctx->mcf->memory,
                                            sizeof(llm_record_t));

    if (rec == NULL) {
        return NULL;
    }

    llm_record_init(rec);

    if (ctx->exchange) {
        ngx_http_llm_monitor_request_flush(ctx, 0);

        llm_exchange_finish(ctx->exchange, rec);
        llm_exchange_state(ctx->exchange, &ctx->state);
    }

    if (rec->num[LLM_N_FLAGS] == LLM_NULL) {
        rec->num[LLM_N_FLAGS] = 0;
    }

    /* values of the configuration may read $llm_* themselves */

    ctx->record = rec;

    ngx_http_llm_monitor_facts(ctx, r, rec);
    ngx_http_llm_monitor_outcome(ctx, r, rec);
    ngx_http_llm_monitor_values(ctx, r, rec);
    ngx_http_llm_monitor_price(r, rec);

    return rec;
}


static void
ngx_http_llm_monitor_facts(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    if (ctx->end == 0) {
        ctx->end = ngx_http_llm_monitor_elapsed(ctx);
    }

    if (ctx->id) {
        rec->num[LLM_N_ID] = ctx->id;
    }

    rec->num[LLM_N_TIMESTAMP] = (int64_t) r->start_sec * 1000 + r->start_msec;
    rec->num[LLM_N_DURATION_US] = ctx->end;

    if (r->err_status) {
        rec->num[LLM_N_STATUS] = r->err_status;

    } else if (r->headers_out.status) {
        rec->num[LLM_N_STATUS] = r->headers_out.status;

    } else if (r->header_sent && r->http_version == NGX_HTTP_VERSION_9) {

        /* what $status is where the upstream sent no status line */

        rec->num[LLM_N_STATUS] = NGX_HTTP_VERSION_9;
    }

    rec->str[LLM_S_METHOD] = ctx->request_head.method;

    if (ctx->request_head.path.len == 0) {

        /* what was asked for never came, which is not the same as "/" */

        rec->num[LLM_N_PROTOCOL] = LLM_PROTOCOL_UNKNOWN;
        rec->str[LLM_S_URL] = (llm_str_t) llm_null_str;
        rec->str[LLM_S_ENDPOINT] = (llm_str_t) llm_null_str;
    }

    if (ngx_http_llm_monitor_unread(ctx, r)) {
        rec->num[LLM_N_REQUEST_BYTES] = LLM_NULL;
    }

    if (r->upstream == NULL || !r->upstream->header_sent) {

        /* a page of nginx, a file, or its cache: no upstream generated it */

        rec->num[LLM_N_TTFB_US] = LLM_NULL;
        rec->num[LLM_N_TTFT_US] = LLM_NULL;

        if (ctx->exchange && rec->num[LLM_N_STATUS] >= NGX_HTTP_BAD_REQUEST) {

            /* nor did it say what the answer would have been */

            rec->num[LLM_N_STREAM] = ctx->state.asked_stream >= 0
                                     ? ctx->state.asked_stream : LLM_NULL;
        }
    }

    rec->str[LLM_S_CLIENT_IP].data = r->connection->addr_text.data;
    rec->str[LLM_S_CLIENT_IP].len = r->connection->addr_text.len;

#if (NGX_HTTP_CACHE)

    if (r->cached) {
        rec->num[LLM_N_FLAGS] |= LLM_RECORD_CACHED;
    }

#endif
}


/* the finder remembers, so each worker has its own */

static void
ngx_http_llm_monitor_price(ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);

    if (mcf->finder == NULL) {
        mcf->finder = llm_price_finder(mcf->prices);

        if (mcf->finder == NULL) {
            return;
        }
    }

    llm_price_record(mcf->finder, rec);
}


/* What the configuration says goes over what the traffic says. */

static void
ngx_http_llm_monitor_values(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ctx->lcf;

    if (ngx_http_llm_monitor_value(r, lcf->provider,
                                   &rec->str[LLM_S_PROVIDER])
        != NGX_OK)
    {
        ngx_http_llm_monitor_provider(r, rec);
    }

    ngx_http_llm_monitor_user(ctx, r, rec);

    if (lcf->session
        && ngx_http_llm_monitor_name(r, lcf->session,
                                     &rec->str[LLM_S_SESSION])
           == NGX_OK)
    {
        rec->num[LLM_N_SESSION_SOURCE] = 1;
    }

    (void) ngx_http_llm_monitor_value(r, lcf->mapped_model,
                                      &rec->str[LLM_S_MAPPED_MODEL]);

    /* the upstream knows best whose account it used */

    if (rec->str[LLM_S_ACCOUNT].data == NULL && lcf->account) {
        (void) ngx_http_llm_monitor_name(r, lcf->account,
                                         &rec->str[LLM_S_ACCOUNT]);
    }

    ngx_http_llm_monitor_owner(ctx, rec);

    if (rec->str[LLM_S_REQUEST_ID].data == NULL) {
        ngx_http_llm_monitor_request_id(ctx, r, rec);
    }
}


/* NGX_DECLINED, and s as it was: not configured, or it says nothing. */

static inline ngx_int_t
ngx_http_llm_monitor_value(ngx_http_request_t *r, ngx_http_complex_value_t *cv,
    llm_str_t *s)
{
    return cv ? ngx_http_llm_monitor_evaluate(r, cv, s) : NGX_DECLINED;
}


static ngx_int_t
ngx_http_llm_monitor_evaluate(ngx_http_request_t *r,
    ngx_http_complex_value_t *cv, llm_str_t *s)
{
    ngx_str_t  value;

    if (ngx_http_complex_value(r, cv, &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_llm_monitor_text(r, &value, s);
}


ngx_int_t
ngx_http_llm_monitor_text(ngx_http_request_t *r, ngx_str_t *value,
    llm_str_t *s)
{
    u_char  *p;
    size_t   len;

    if (value->len == 0) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_LLM_MONITOR_TEXT_MAX);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    len = llm_text_scrub(p, NGX_HTTP_LLM_MONITOR_TEXT_MAX, value->data,
                         value->len);

    if (len == 0) {
        return NGX_DECLINED;
    }

    s->data = p;
    s->len = len;

    return NGX_OK;
}


/* A name that is stored as it is, and not without its end or other parts. */

ngx_uint_t
ngx_http_llm_monitor_whole(ngx_str_t *value, llm_str_t *s)
{
    return s->len == value->len
           && ngx_memcmp(s->data, value->data, value->len) == 0;
}


/*
 * llm_monitor_scope believes in users that the configuration names.  It does
 * not in one whom nginx refused, perhaps for a wrong password, in a name that
 * no password was asked for, or in one that may be another's once it was cut.
 */

static void
ngx_http_llm_monitor_user(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_str_t                  value;
    ngx_uint_t                 trusted;
    ngx_http_complex_value_t  *user;

    user = ctx->lcf->user;

    if (user) {

        if (ngx_http_complex_value(r, user, &value) != NGX_OK) {
            return;
        }

        trusted = 1;

    } else {

        if (ngx_http_auth_basic_user(r) != NGX_OK) {
            return;
        }

        value = r->headers_in.user;
        trusted = ctx->authenticated;
    }

    if (ngx_http_llm_monitor_text(r, &value, &rec->str[LLM_S_USER])
        != NGX_OK)
    {
        return;
    }

    rec->num[LLM_N_USER_TRUSTED] =
        trusted
        && rec->num[LLM_N_OUTCOME] != LLM_OUTCOME_REJECTED
        && ngx_http_llm_monitor_whole(&value, &rec->str[LLM_S_USER]);
}


/* Of an account or session: one that would be another's if cut is none. */

static LLM_APART ngx_int_t
ngx_http_llm_monitor_name(ngx_http_request_t *r, ngx_http_complex_value_t *cv,
    llm_str_t *name)
{
    llm_str_t  s;
    ngx_str_t  value;

    if (ngx_http_complex_value(r, cv, &value) != NGX_OK
        || ngx_http_llm_monitor_text(r, &value, &s) != NGX_OK
        || !ngx_http_llm_monitor_whole(&value, &s))
    {
        return NGX_DECLINED;
    }

    *name = s;

    return NGX_OK;
}


/* A session of clients without keys belongs to the user or account. */

static void
ngx_http_llm_monitor_owner(ngx_http_llm_monitor_ctx_t *ctx, llm_record_t *rec)
{
    if ((rec->num[LLM_N_API_KEY_HASH] == LLM_NULL
         || rec->num[LLM_N_API_KEY_HASH] == 0)
        && (rec->str[LLM_S_SESSION].data
            || rec->str[LLM_S_PREVIOUS_RESPONSE_ID].data))
    {
        rec->num[LLM_N_SESSION_OWNER] =
            llm_session_owner(ctx->mcf->zone.salt, &rec->str[LLM_S_USER],
                              rec->num[LLM_N_USER_TRUSTED] == 1,
                              &rec->str[LLM_S_ACCOUNT]);
    }
}


static void
ngx_http_llm_monitor_provider(ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_str_t            *host;
    ngx_http_upstream_t  *u;

    host = ngx_http_llm_monitor_upstream_name(r);

    if (host == NULL) {
        return;
    }

    u = r->upstream;

    if (u->resolved && host == &u->resolved->host) {

        /* made of variables, perhaps of what the client sent */

        (void) ngx_http_llm_monitor_text(r, host, &rec->str[LLM_S_PROVIDER]);
        return;
    }

    rec->str[LLM_S_PROVIDER].data = host->data;
    rec->str[LLM_S_PROVIDER].len = ngx_min(host->len,
                                           NGX_HTTP_LLM_MONITOR_TEXT_MAX);
}


ngx_str_t *
ngx_http_llm_monitor_upstream_name(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL) {
        return NULL;
    }

    if (u->upstream) {
        return &u->upstream->host;
    }

    /* a cache hit, which never chose a peer */

    if (u->conf && u->conf->upstream) {
        return &u->conf->upstream->host;
    }

    return u->resolved ? &u->resolved->host : NULL;
}


/*
 * $request_id where the configuration uses it, so that it is the one which the
 * upstream or a log was told.  Else nobody knows it, and an id that costs less
 * than 16 bytes of OpenSSL's will do.
 */

static void
ngx_http_llm_monitor_request_id(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    u_char                     *p;
    uint64_t                   *seed, bits[2];
    ngx_uint_t                  i;
    ngx_http_variable_value_t  *vv;

    if (ctx->mcf->request_id != NGX_ERROR) {
        vv = ngx_http_get_indexed_variable(r, ctx->mcf->request_id);

        if (vv && !vv->not_found) {
            rec->str[LLM_S_REQUEST_ID].data = vv->data;
            rec->str[LLM_S_REQUEST_ID].len = vv->len;
        }

        return;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_LLM_MONITOR_REQUEST_ID_LEN);

    if (p == NULL) {
        return;
    }

    rec->str[LLM_S_REQUEST_ID].data = p;
    rec->str[LLM_S_REQUEST_ID].len = NGX_HTTP_LLM_MONITOR_REQUEST_ID_LEN;

    seed = ctx->mcf->request_ids;

    if (seed[0] == 0 && getrandom(seed, 2 * sizeof(uint64_t), 0) == -1) {
        seed[0] = (uint64_t) ngx_random() << 32 | ngx_pid;
    }

    for (i = 0; i < 2; i++) {
        seed[i] += NGX_HTTP_LLM_MONITOR_GAMMA;
        bits[i] = ngx_http_llm_monitor_mix(seed[i]);
    }

    llm_text_hex(p, (u_char *) bits, sizeof(bits));
}


/* SplitMix64: a counter's next value becomes a random number. */

static uint64_t
ngx_http_llm_monitor_mix(uint64_t n)
{
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ n >> 27) * 0x94d049bb133111ebULL;

    return n ^ n >> 31;
}


static void
ngx_http_llm_monitor_bodies(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_http_llm_monitor_body_t  *request, *response;

    request = &ctx->request_body;
    response = &ctx->response_body;

    if ((rec->num[LLM_N_FLAGS] & LLM_RECORD_LEDGER_ONLY)
        || (ctx->lcf->bodies == NGX_HTTP_LLM_MONITOR_BODIES_ERRORS
            && !ngx_http_llm_monitor_is_error(rec)))
    {
        ngx_http_llm_monitor_body_drop(request, LLM_BODY_NONE);
        ngx_http_llm_monitor_body_drop(response, LLM_BODY_NONE);

    } else {

        if (request->wanted && ngx_http_llm_monitor_unread(ctx, r)) {
            ngx_http_llm_monitor_body_drop(request, LLM_BODY_SKIPPED);
        }

        if (ctx->state.binary_request && request->wanted) {
            ngx_http_llm_monitor_body_drop(request, LLM_BODY_BINARY);
        }

        if (ctx->state.binary_response && response->wanted) {
            ngx_http_llm_monitor_body_drop(response, LLM_BODY_BINARY);
        }
    }

    rec->num[LLM_N_REQUEST_BODY_STATE] =
        ngx_http_llm_monitor_body_redacted(
            ngx_http_llm_monitor_body_end(request,
                                          &rec->str[LLM_S_REQUEST_BODY],
                                          &rec->str[LLM_S_REQUEST_SPOOL]),
            ctx->state.redacted_request);

    rec->num[LLM_N_RESPONSE_BODY_STATE] =
        ngx_http_llm_monitor_body_redacted(
            ngx_http_llm_monitor_body_end(response,
                                          &rec->str[LLM_S_RESPONSE_BODY],
                                          &rec->str[LLM_S_RESPONSE_SPOOL]),
            ctx->state.redacted_response);

    if (rec->num[LLM_N_REQUEST_BODY_STATE] == LLM_BODY_TOO_LARGE
        || rec->num[LLM_N_RESPONSE_BODY_STATE] == LLM_BODY_TOO_LARGE)
    {
        rec->num[LLM_N_BODY_LIMIT] = ctx->lcf->max_body_size;
    }
}


/*
 * The client announced a body, and nginx answered before it had read a byte of
 * it for anybody; what it discards is counted down in content_length_n.
 */

static ngx_uint_t
ngx_http_llm_monitor_unread(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    if (ctx->request_read) {
        return 0;
    }

    h = r->headers_in.content_length;

    return r->headers_in.chunked
           || (h && ngx_atoof(h->value.data, h->value.len) != 0);
}


/* llm_monitor_redact: stored, but not as it was */

static int
ngx_http_llm_monitor_body_redacted(int state, int redacted)
{
    return state == LLM_BODY_STORED && redacted ? LLM_BODY_REDACTED : state;
}


/* The same that errors_only means when the log is read. */

static ngx_uint_t
ngx_http_llm_monitor_is_error(llm_record_t *rec)
{
    if (rec->num[LLM_N_STATUS] < 200 || rec->num[LLM_N_STATUS] >= 400) {
        return 1;
    }

    switch (rec->num[LLM_N_OUTCOME]) {

    case LLM_OUTCOME_STREAM_ERROR:
    case LLM_OUTCOME_UPSTREAM_ABORT:
    case LLM_OUTCOME_TIMEOUT:
    case LLM_OUTCOME_EMPTY:
        return 1;

    default:
        return 0;
    }
}
