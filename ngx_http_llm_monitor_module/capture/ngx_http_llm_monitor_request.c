
/*
 * Copyright (C) llm_monitor contributors
 *
 * The request's side: where watching starts, and the request body as it
 * flows, buffered by nginx or not.
 */


#include "ngx_http_llm_monitor_ctx.h"


static ngx_int_t ngx_http_llm_monitor_add_handler(ngx_conf_t *cf,
    ngx_uint_t phase, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_llm_monitor_used_variable(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_http_llm_monitor_request_body_filter(
    ngx_http_request_t *r, ngx_chain_t *in);
static ngx_uint_t ngx_http_llm_monitor_request_gathers(
    ngx_http_llm_monitor_ctx_t *ctx);
static void ngx_http_llm_monitor_request_feed(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_chain_t *in);


static ngx_http_request_body_filter_pt   ngx_http_next_request_body_filter;


ngx_int_t
ngx_http_llm_monitor_capture_init(ngx_conf_t *cf)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    static ngx_str_t  request_id = ngx_string("request_id");

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);

    mcf->request_id = ngx_http_llm_monitor_used_variable(cf, &request_id);

    if (ngx_http_llm_monitor_add_handler(cf, NGX_HTTP_REWRITE_PHASE,
                                         ngx_http_llm_monitor_rewrite_handler)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_llm_monitor_add_handler(cf, NGX_HTTP_LOG_PHASE,
                                         ngx_http_llm_monitor_log_handler)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_llm_monitor_response_init();

    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter =
                                     ngx_http_llm_monitor_request_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_add_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


/* The index of a variable that the configuration uses, or NGX_ERROR. */

static ngx_int_t
ngx_http_llm_monitor_used_variable(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len == name->len
            && ngx_strncasecmp(v[i].name.data, name->data, name->len) == 0)
        {
            return i;
        }
    }

    return NGX_ERROR;
}


/*
 * The first phase that knows the location, and our handler is the first in it,
 * so the location that decides is the one that the client asked for, whatever
 * redirects follow.  The handler runs again after each of them: that is the
 * last moment to read the head of the upstream before the redirect.
 */

ngx_int_t
ngx_http_llm_monitor_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_llm_monitor_ctx_t       *ctx;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_llm_monitor_watch(r);

    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    /* by the last location before the upstream is asked */

    if (r->upstream == NULL) {
        lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);
        ctx->authenticated = lcf->authenticated;

        if (lcf->serve != NGX_HTTP_LLM_MONITOR_SERVE_NONE && !r->error_page) {
            ngx_http_llm_monitor_forget(r);
            return NGX_DECLINED;
        }
    }

    if (!r->internal) {
        return NGX_DECLINED;
    }

    if (r->post_action) {

        /* the exchange is over, and its upstream about to be replaced */

        (void) ngx_http_llm_monitor_finish(ctx, r);

        return NGX_DECLINED;
    }

    if (r->upstream && r->upstream != ctx->upstream
        && r->upstream->headers_in.status_n)
    {
        ngx_http_llm_monitor_response_head(ctx, r);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_llm_monitor_request_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in)
{
    ngx_http_llm_monitor_ctx_t  *ctx;

    if (in && r == r->main && !r->post_action) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_llm_monitor_module);

        if (ctx == NULL) {
            ctx = ngx_http_llm_monitor_watch(r);
        }

        if (ctx && ctx->exchange && !ctx->request_last) {
            ngx_http_llm_monitor_request_feed(ctx, in);
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


static void
ngx_http_llm_monitor_request_feed(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_chain_t *in)
{
    size_t      n;
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        n = ngx_buf_in_memory(b) ? b->last - b->pos : 0;

        if (b->last_buf) {
            ctx->request_last = 1;
        }

        if (n || b->last_buf) {
            ctx->request_read = 1;
        }

        if (ctx->request_body.first == NULL && n && !b->last_buf) {
            ctx->gathers = ngx_http_llm_monitor_request_gathers(ctx);
        }

        if (ctx->gathers) {

            if (n <= (size_t) (ctx->request_body.end
                               - ctx->request_body.pos))
            {
                ngx_http_llm_monitor_body_add(&ctx->request_body, b->pos, n);

                if (b->last_buf) {
                    ngx_http_llm_monitor_request_flush(ctx, 1);
                    break;
                }

                continue;
            }

            /* more than was announced */

            ngx_http_llm_monitor_request_flush(ctx, 0);
        }

        if (n || b->last_buf) {
            llm_exchange_request_body(ctx->exchange, b->pos, n, b->last_buf);
        }

        if (b->last_buf) {
            break;
        }
    }
}


/*
 * A body comes in two pieces or more even if it is small, for the first lies
 * behind the head.  Where what is stored are the bytes as they came, they are
 * read from there as a whole, which costs much less.
 */

static ngx_uint_t
ngx_http_llm_monitor_request_gathers(ngx_http_llm_monitor_ctx_t *ctx)
{
    llm_str_t  *type;

    static const char  json[] = "application/json";

    type = &ctx->request_head.content_type;

    return ctx->request_head.content_encoding.len == 0
           && ctx->lcf->exchange.nredact_json == 0
           && type->len >= sizeof(json) - 1
           && ngx_strncmp(type->data, json, sizeof(json) - 1) == 0
           && ngx_http_llm_monitor_body_reserve(&ctx->request_body) == NGX_OK;
}


void
ngx_http_llm_monitor_request_flush(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_uint_t last)
{
    llm_str_t  bytes;

    if (!ctx->gathers) {
        return;
    }

    ctx->gathers = 0;
    ctx->gathered = 1;

    ngx_http_llm_monitor_body_bytes(&ctx->request_body, &bytes);
    llm_exchange_request_body(ctx->exchange, bytes.data, bytes.len, last);

    ctx->gathered = 0;
}
