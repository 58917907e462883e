
/*
 * Copyright (C) llm_monitor contributors
 *
 * The response's side: a header filter and a body filter right after the copy
 * filter, before gunzip and sub, that look and pass on what they were given.
 */


#include "ngx_http_llm_monitor_ctx.h"


static ngx_int_t ngx_http_llm_monitor_header_filter(ngx_http_request_t *r);
static void ngx_http_llm_monitor_response_start(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_llm_monitor_response_feed(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r, ngx_chain_t *in);
static LLM_APART void ngx_http_llm_monitor_response_timed(
    ngx_http_llm_monitor_ctx_t *ctx, const u_char *p, size_t n,
    ngx_uint_t last);
static ngx_uint_t ngx_http_llm_monitor_peer_timedout(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r);
static void ngx_http_llm_monitor_response_end(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_llm_monitor_response_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_llm_monitor_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_llm_monitor_body_filter;
}


static ngx_int_t
ngx_http_llm_monitor_header_filter(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_llm_monitor_ctx_t  *ctx;

    if (r != r->main || r->post_action) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_llm_monitor_watch(r);

    if (ctx == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ngx_http_llm_monitor_response_start(ctx, r);

    rc = ngx_http_next_header_filter(r);

    /* only now it is known whether a body follows */

    if (r->header_only && rc != NGX_ERROR) {
        ctx->response_last = 1;
        ngx_http_llm_monitor_response_end(ctx, r);
    }

    return rc;
}


static void
ngx_http_llm_monitor_response_start(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    if (ctx->response) {

        /* a filter has put another response in place of the first one */

        ngx_http_llm_monitor_body_reset(&ctx->response_body);
        ctx->response_last = 0;
        ctx->end = 0;
    }

    ctx->response = 1;

    ngx_http_llm_monitor_response_head(ctx, r);

    if (r->upstream) {
        ctx->peer = r->upstream->peer.connection;
    }

    if (ctx->exchange == NULL || r->method == NGX_HTTP_HEAD) {
        return;
    }

    if (r->headers_out.content_encoding == NULL) {
        ngx_http_llm_monitor_body_expect(&ctx->response_body,
                                         r->headers_out.content_length_n);
    }

    /* cache hits and files: the bytes are read here instead of sent unseen */

    r->filter_need_in_memory = 1;
}


static ngx_int_t
ngx_http_llm_monitor_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                    rc;
    ngx_http_llm_monitor_ctx_t  *ctx;

    if (r != r->main || r->post_action) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_llm_monitor_module);

    if (ctx == NULL) {
        ctx = ngx_http_llm_monitor_ctx(r);
    }

    if (ctx == NULL || ctx->end) {
        return ngx_http_next_body_filter(r, in);
    }

    if (!ctx->response_last) {
        ngx_http_llm_monitor_response_feed(ctx, r, in);

        if (!ctx->response_last) {
            return ngx_http_next_body_filter(r, in);
        }
    }

    rc = ngx_http_next_body_filter(r, in);

    if (rc != NGX_ERROR) {
        ngx_http_llm_monitor_response_end(ctx, r);
    }

    return rc;
}


static void
ngx_http_llm_monitor_response_feed(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, ngx_chain_t *in)
{
    size_t      n;
    ngx_buf_t  *b;
    ngx_uint_t  last;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        n = ngx_buf_in_memory(b) ? b->last - b->pos : 0;
        last = b->last_buf || b->last_in_chain;

        if (n || last) {

            if (ctx->timed) {
                llm_exchange_response_body(ctx->exchange, b->pos, n, last,
                                           ctx->now);

            } else {
                ngx_http_llm_monitor_response_timed(ctx, b->pos, n, last);
            }

        } else if (b->flush && ngx_http_llm_monitor_peer_timedout(ctx, r)) {
            ctx->timedout = 1;
        }

        if (last) {
            ctx->response_last = 1;
            break;
        }
    }
}


/* The clock is read until the first content has come. */

static LLM_APART void
ngx_http_llm_monitor_response_timed(ngx_http_llm_monitor_ctx_t *ctx,
    const u_char *p, size_t n, ngx_uint_t last)
{
    llm_exchange_state_t  st;

    if (ctx->exchange == NULL) {
        return;
    }

    ctx->now = ngx_http_llm_monitor_elapsed(ctx);

    llm_exchange_response_body(ctx->exchange, p, n, last, ctx->now);

    if (last) {
        return;
    }

    llm_exchange_state(ctx->exchange, &st);

    if (st.content_seen) {
        ctx->timed = 1;
    }
}


/*
 * nginx ends a response that its upstream failed to finish by an empty flush,
 * in the call that closed the upstream's connection.  That one cannot have
 * been taken by anybody else yet, and still says whether a timer ended it.
 */

static ngx_uint_t
ngx_http_llm_monitor_peer_timedout(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    return ctx->peer
           && r->upstream
           && r->upstream->peer.connection == NULL
           && ctx->peer->fd == (ngx_socket_t) -1
           && ctx->peer->read->timedout;
}


/* The response ends when nothing of it is left in nginx. */

static void
ngx_http_llm_monitor_response_end(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    if (r->buffered || r->connection->buffered || r->postponed) {
        return;
    }

    ctx->end = ngx_http_llm_monitor_elapsed(ctx);
    ctx->done = 1;
}
