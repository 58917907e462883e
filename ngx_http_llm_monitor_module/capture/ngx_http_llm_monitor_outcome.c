
/*
 * Copyright (C) llm_monitor contributors
 *
 * How an exchange ended, read from what nginx leaves behind after each way of
 * ending, and the attempts that its upstreams made.
 */


#include "ngx_http_llm_monitor_ctx.h"
#include "../extract/llm_bytes.h"


/* more attempts than a record tells of; proxy_next_upstream_tries */
#define NGX_HTTP_LLM_MONITOR_ATTEMPTS  32

/* bytes of the JSON of one: an address, five numbers and their names */
#define NGX_HTTP_LLM_MONITOR_ATTEMPT_LEN                                      \
    (NGX_HTTP_LLM_MONITOR_TEXT_MAX + 5 * NGX_INT64_LEN + 96)


#define ngx_http_llm_monitor_literal(p, text)                                 \
    ngx_cpymem(p, text, sizeof(text) - 1)


typedef struct {
    llm_outcome_e     outcome;
    llm_aborted_by_e  aborted_by;
} ngx_http_llm_monitor_ending_t;


static ngx_http_llm_monitor_ending_t ngx_http_llm_monitor_ending(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    llm_record_t *rec);
static ngx_http_llm_monitor_ending_t ngx_http_llm_monitor_failed(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    llm_record_t *rec);
static ngx_http_llm_monitor_ending_t ngx_http_llm_monitor_cut(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r);
static ngx_uint_t ngx_http_llm_monitor_closing(ngx_http_request_t *r);
static ngx_uint_t ngx_http_llm_monitor_unterminated(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    llm_record_t *rec);
static ngx_uint_t ngx_http_llm_monitor_empty(ngx_http_request_t *r,
    llm_record_t *rec);
static ngx_http_upstream_state_t *ngx_http_llm_monitor_last_attempt(
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_error_text(ngx_http_request_t *r,
    llm_record_t *rec, ngx_http_llm_monitor_ending_t *ending);
static void ngx_http_llm_monitor_attempts(ngx_http_request_t *r,
    llm_record_t *rec);
static u_char *ngx_http_llm_monitor_attempt(u_char *p,
    ngx_http_upstream_state_t *state);
static u_char *ngx_http_llm_monitor_attempt_ms(u_char *p, ngx_msec_t ms);
static u_char *ngx_http_llm_monitor_attempt_number(u_char *p, int64_t number);
static LLM_APART u_char *ngx_http_llm_monitor_attempt_digits(u_char *p,
    uint64_t n);


void
ngx_http_llm_monitor_outcome(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_http_llm_monitor_ending_t  ending;

    ngx_http_llm_monitor_attempts(r, rec);

    ending = ngx_http_llm_monitor_ending(ctx, r, rec);

    rec->num[LLM_N_OUTCOME] = ending.outcome;
    rec->num[LLM_N_ABORTED_BY] = ending.aborted_by;

    /*
     * nginx notes 400 for who left while it read the request, and post_action
     * comes before it notes anything
     */

    if (ending.outcome == LLM_OUTCOME_CLIENT_ABORT && !r->header_sent) {

        if (ending.aborted_by == LLM_ABORTED_CLIENT) {
            rec->num[LLM_N_STATUS] = NGX_HTTP_CLIENT_CLOSED_REQUEST;

        } else if (rec->num[LLM_N_STATUS] == LLM_NULL) {
            rec->num[LLM_N_STATUS] = NGX_HTTP_REQUEST_TIME_OUT;
        }
    }

    if (ending.outcome == LLM_OUTCOME_REJECTED) {
        rec->num[LLM_N_FLAGS] |= LLM_RECORD_NO_UPSTREAM;
    }

    ngx_http_llm_monitor_error_text(r, rec, &ending);
}


static ngx_http_llm_monitor_ending_t
ngx_http_llm_monitor_ending(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    int64_t                        status;
    ngx_uint_t                     whole;
    ngx_connection_t              *c;
    ngx_http_llm_monitor_ending_t  ending;

    c = r->connection;
    status = rec->num[LLM_N_STATUS];

    /* who has read all that the protocol says did not miss the rest */

    whole = ctx->done
            || (ctx->response && ctx->exchange
                && llm_exchange_complete(ctx->exchange));

    ending.outcome = LLM_OUTCOME_SUCCESS;
    ending.aborted_by = LLM_ABORTED_NOT;

    if (!whole && (ctx->shutdown || ngx_http_llm_monitor_closing(r))) {
        ending.outcome = LLM_OUTCOME_SHUTDOWN;
        ending.aborted_by = LLM_ABORTED_SHUTDOWN;
        return ending;
    }

    if (ctx->state.in_band_error && status >= 200 && status < 300) {
        ending.outcome = LLM_OUTCOME_STREAM_ERROR;
        return ending;
    }

    if (status == NGX_HTTP_CLIENT_CLOSED_REQUEST
        || (!r->header_sent && (c->error || c->timedout)))
    {
        ending.outcome = LLM_OUTCOME_CLIENT_ABORT;
        ending.aborted_by = c->timedout ? LLM_ABORTED_TIMEOUT
                                        : LLM_ABORTED_CLIENT;
        return ending;
    }

    if (status >= NGX_HTTP_BAD_REQUEST || status == NGX_HTTP_VERSION_9) {
        return ngx_http_llm_monitor_failed(ctx, r, rec);
    }

    if (!whole) {
        return ngx_http_llm_monitor_cut(ctx, r);
    }

    if (ngx_http_llm_monitor_unterminated(ctx, r, rec)) {
        ending.outcome = LLM_OUTCOME_UPSTREAM_ABORT;
        ending.aborted_by = LLM_ABORTED_UPSTREAM;

    } else if (ngx_http_llm_monitor_empty(r, rec)) {
        ending.outcome = LLM_OUTCOME_EMPTY;
    }

    return ending;
}


/* A status of 400 and more, or none at all, from whom? */

static ngx_http_llm_monitor_ending_t
ngx_http_llm_monitor_failed(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    int64_t                        status;
    ngx_http_upstream_state_t     *state;
    ngx_http_llm_monitor_ending_t  ending;

    status = rec->num[LLM_N_STATUS];
    state = ngx_http_llm_monitor_last_attempt(r);

    ending.outcome = LLM_OUTCOME_HTTP_ERROR;
    ending.aborted_by = LLM_ABORTED_NOT;

    if (state == NULL && status == NGX_HTTP_BAD_GATEWAY && r->upstream
        && r->upstream_states)
    {
        /* it was to be asked, and its name was not found */

    } else if (state == NULL
               && !(rec->num[LLM_N_FLAGS] & LLM_RECORD_CACHED))
    {
        ending.outcome = LLM_OUTCOME_REJECTED;

    } else if (state != NULL && state->header_time == (ngx_msec_t) -1) {

        /* there was no head: the status is what nginx made of that */

        if (status == NGX_HTTP_GATEWAY_TIME_OUT) {
            ending.outcome = LLM_OUTCOME_TIMEOUT;
            ending.aborted_by = LLM_ABORTED_TIMEOUT;

        } else if (status == NGX_HTTP_BAD_GATEWAY && state->bytes_sent) {

            /* it took the request and closed */

            ending.outcome = LLM_OUTCOME_UPSTREAM_ABORT;
            ending.aborted_by = LLM_ABORTED_UPSTREAM;
        }
    }

    return ending;
}


/* A response that had begun well and did not end. */

static ngx_http_llm_monitor_ending_t
ngx_http_llm_monitor_cut(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_connection_t              *c;
    ngx_http_llm_monitor_ending_t  ending;

    c = r->connection;

    if (c->timedout) {

        /* a client that did not read is no fault of the upstream */

        ending.outcome = LLM_OUTCOME_CLIENT_ABORT;
        ending.aborted_by = LLM_ABORTED_TIMEOUT;

    } else if (c->error || ctx->response_last) {
        ending.outcome = LLM_OUTCOME_CLIENT_ABORT;
        ending.aborted_by = LLM_ABORTED_CLIENT;

    } else if (ctx->timedout) {
        ending.outcome = LLM_OUTCOME_TIMEOUT;
        ending.aborted_by = LLM_ABORTED_TIMEOUT;

    } else {
        ending.outcome = LLM_OUTCOME_UPSTREAM_ABORT;
        ending.aborted_by = LLM_ABORTED_UPSTREAM;
    }

    return ending;
}


/* worker_shutdown_timeout closes connections of a worker that is exiting */

static ngx_uint_t
ngx_http_llm_monitor_closing(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_HTTP_V2)

    if (r->stream) {
        c = r->stream->connection->connection;
    }

#endif

    return ngx_exiting && c->close && c->error;
}


/*
 * A stream whose end only the closing of the connection told (HTTP/1.0), and
 * which lacks what its protocol puts at the end.
 */

static ngx_uint_t
ngx_http_llm_monitor_unterminated(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    return u
           && rec->num[LLM_N_STATUS] == NGX_HTTP_OK
           && !r->header_only
           && !(rec->num[LLM_N_FLAGS] & LLM_RECORD_CACHED)
           && u->headers_in.content_length_n == -1
           && !u->headers_in.chunked
           && !u->upgrade
           && rec->num[LLM_N_STREAM] == 1
           && rec->num[LLM_N_PROTOCOL] > LLM_PROTOCOL_UNKNOWN
           && rec->num[LLM_N_STREAM_COMPLETE] == 0
           && !llm_exchange_complete(ctx->exchange);
}


static ngx_uint_t
ngx_http_llm_monitor_empty(ngx_http_request_t *r, llm_record_t *rec)
{
    if (rec->num[LLM_N_STATUS] != NGX_HTTP_OK
        || r->header_only
        || rec->num[LLM_N_RESPONSE_BYTES] > 0)
    {
        return 0;
    }

    switch (rec->num[LLM_N_OPERATION]) {

    case LLM_OPERATION_CHAT:
    case LLM_OPERATION_COMPLETION:
    case LLM_OPERATION_RESPONSES:
        return 1;

    default:
        return 0;
    }
}


/*
 * An array element without a peer only separates the upstreams of an internal
 * redirect.
 */

static ngx_http_upstream_state_t *
ngx_http_llm_monitor_last_attempt(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return NULL;
    }

    state = r->upstream_states->elts;

    for (i = r->upstream_states->nelts; i > 0; i--) {

        if (state[i - 1].peer) {
            return &state[i - 1];
        }
    }

    return NULL;
}


/* Where nobody else said what went wrong. */

static void
ngx_http_llm_monitor_error_text(ngx_http_request_t *r, llm_record_t *rec,
    ngx_http_llm_monitor_ending_t *ending)
{
    llm_str_t                  *text;
    ngx_http_upstream_state_t  *state;

    static llm_str_t  client = llm_str("client prematurely closed connection");
    static llm_str_t  stalled = llm_str("client timed out");
    static llm_str_t  upstream =
                              llm_str("upstream prematurely closed connection");
    static llm_str_t  headless =
                              llm_str("upstream sent no valid HTTP/1.0 header");
    static llm_str_t  timeout = llm_str("upstream timed out");
    static llm_str_t  unasked = llm_str("upstream could not be asked");
    static llm_str_t  shutdown = llm_str("worker process was shutting down");

    switch (ending->outcome) {

    case LLM_OUTCOME_CLIENT_ABORT:
        text = ending->aborted_by == LLM_ABORTED_TIMEOUT ? &stalled : &client;
        break;

    case LLM_OUTCOME_UPSTREAM_ABORT:
        text = &upstream;
        break;

    case LLM_OUTCOME_TIMEOUT:
        text = &timeout;
        break;

    case LLM_OUTCOME_SHUTDOWN:
        text = &shutdown;
        break;

    case LLM_OUTCOME_HTTP_ERROR:

        if (rec->num[LLM_N_STATUS] == NGX_HTTP_VERSION_9) {
            text = &headless;
            break;
        }

        state = ngx_http_llm_monitor_last_attempt(r);

        if (state == NULL || state->header_time != (ngx_msec_t) -1) {
            return;
        }

        text = &unasked;
        break;

    default:
        return;
    }

    if (rec->str[LLM_S_ERROR].data == NULL) {
        rec->str[LLM_S_ERROR] = *text;
    }

    if (rec->str[LLM_S_ERROR_TYPE].data == NULL) {
        rec->str[LLM_S_ERROR_TYPE].data =
                          (const uint8_t *) llm_outcome_name(ending->outcome);
        rec->str[LLM_S_ERROR_TYPE].len =
                                 ngx_strlen(llm_outcome_name(ending->outcome));
    }
}


/*
 * Written by hand, for every exchange pays for it; an address is a text of the
 * configuration and holds nothing that needs an escape, or loses it.
 */

static void
ngx_http_llm_monitor_attempts(ngx_http_request_t *r, llm_record_t *rec)
{
    u_char                     *p, *start;
    ngx_uint_t                  i, n;
    ngx_http_upstream_state_t  *state;

    if (ngx_http_llm_monitor_last_attempt(r) == NULL) {
        return;
    }

    n = ngx_min(r->upstream_states->nelts, NGX_HTTP_LLM_MONITOR_ATTEMPTS);

    start = ngx_pnalloc(r->pool, 2 + n * NGX_HTTP_LLM_MONITOR_ATTEMPT_LEN);

    if (start == NULL) {
        return;
    }

    p = start;
    *p++ = '[';

    state = r->upstream_states->elts;

    for (i = 0; i < n; i++) {

        if (state[i].peer) {
            p = ngx_http_llm_monitor_attempt(p, &state[i]);
            *p++ = ',';
        }
    }

    p[-1] = ']';

    rec->str[LLM_S_UPSTREAMS].data = start;
    rec->str[LLM_S_UPSTREAMS].len = p - start;
}


static u_char *
ngx_http_llm_monitor_attempt(u_char *p, ngx_http_upstream_state_t *state)
{
    size_t   len;
    u_char  *addr, *last;

    p = ngx_http_llm_monitor_literal(p, "{\"addr\":\"");

    len = ngx_min(state->peer->len, NGX_HTTP_LLM_MONITOR_TEXT_MAX);
    addr = state->peer->data;
    last = addr + len;

    if (llm_bytes_plain(addr, len)) {
        p = ngx_cpymem(p, addr, len);
        addr = last;
    }

    for ( /* void */ ; addr < last; addr++) {

        if (*addr >= 0x20 && *addr < 0x7f && *addr != '"' && *addr != '\\') {
            *p++ = *addr;
        }
    }

    p = ngx_http_llm_monitor_literal(p, "\",\"status\":");
    p = ngx_http_llm_monitor_attempt_number(p, state->status
                                               ? (int64_t) state->status : -1);

    p = ngx_http_llm_monitor_literal(p, ",\"connect_ms\":");
    p = ngx_http_llm_monitor_attempt_ms(p, state->connect_time);

    p = ngx_http_llm_monitor_literal(p, ",\"header_ms\":");
    p = ngx_http_llm_monitor_attempt_ms(p, state->header_time);

    p = ngx_http_llm_monitor_literal(p, ",\"response_ms\":");
    p = ngx_http_llm_monitor_attempt_ms(p, state->response_time);

    p = ngx_http_llm_monitor_literal(p, ",\"bytes\":");
    p = ngx_http_llm_monitor_attempt_number(p, state->bytes_received);

    *p++ = '}';

    return p;
}


static u_char *
ngx_http_llm_monitor_attempt_ms(u_char *p, ngx_msec_t ms)
{
    return ngx_http_llm_monitor_attempt_number(p,
                               ms == (ngx_msec_t) -1 ? -1 : (int64_t) ms);
}


static u_char *
ngx_http_llm_monitor_attempt_number(u_char *p, int64_t number)
{
    if (number < 0) {
        return ngx_http_llm_monitor_literal(p, "null");
    }

    if (number < 10) {
        *p++ = (u_char) (number + '0');
        return p;
    }

    return ngx_http_llm_monitor_attempt_digits(p, (uint64_t) number);
}


static LLM_APART u_char *
ngx_http_llm_monitor_attempt_digits(u_char *p, uint64_t n)
{
    u_char    *d, *last;
    uint64_t   left;

    last = p;

    for (left = n; left > 99; left /= 100) {
        last += 2;
    }

    last += left > 9 ? 2 : 1;

    for (d = last; d > p; n /= 10) {
        *--d = (u_char) (n % 10 + '0');
    }

    return last;
}
