
/*
 * Copyright (C) llm_monitor contributors
 *
 * The context of an exchange: made by the first hook that sees the request,
 * found again after nginx wiped the module contexts (internal redirects, named
 * locations, filter finalization), given back with the request's pool.
 */


#include "ngx_http_llm_monitor_ctx.h"

#include <time.h>


static LLM_APART ngx_http_llm_monitor_ctx_t *
    ngx_http_llm_monitor_ctx_create(ngx_http_request_t *r);
static void ngx_http_llm_monitor_cleanup(void *data);
static LLM_APART ngx_uint_t ngx_http_llm_monitor_own_place(
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_ctx_init(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_ctx_exchange(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_ctx_conf(
    ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_loc_conf_t *lcf);
static void ngx_http_llm_monitor_names(ngx_array_t *names,
    const llm_str_t **elts, size_t *nelts);
static void ngx_http_llm_monitor_request_head(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_method(llm_head_t *head,
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_request_line(llm_head_t *head,
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_each(void *headers, llm_header_pt fn,
    void *data);
static void ngx_http_llm_monitor_each_out(void *headers, llm_header_pt fn,
    void *data);
static ngx_uint_t ngx_http_llm_monitor_has_upstream(ngx_http_request_t *r);
static int64_t ngx_http_llm_monitor_clock(void);
static void ngx_http_llm_monitor_request_sink(void *data, const uint8_t *p,
    size_t n);
static void ngx_http_llm_monitor_response_sink(void *data, const uint8_t *p,
    size_t n);


ngx_http_llm_monitor_ctx_t *
ngx_http_llm_monitor_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_llm_monitor_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_llm_monitor_module);

    if (ctx || (!r->internal && !r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_llm_monitor_cleanup) {
            ctx = cln->data;
            ngx_http_set_ctx(r, ctx, ngx_http_llm_monitor_module);
            break;
        }
    }

    return ctx;
}


ngx_http_llm_monitor_ctx_t *
ngx_http_llm_monitor_watch(ngx_http_request_t *r)
{
    ngx_http_llm_monitor_ctx_t  *ctx;

    ctx = ngx_http_llm_monitor_ctx(r);

    return ctx ? ctx : ngx_http_llm_monitor_ctx_create(r);
}


static ngx_http_llm_monitor_ctx_t *
ngx_http_llm_monitor_ctx_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t                *cln;
    ngx_http_llm_monitor_ctx_t        *ctx;
    ngx_http_llm_monitor_loc_conf_t   *lcf;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    /* that of the server where nginx gave up before it found a location */

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);

    if (!lcf->enable || ngx_http_llm_monitor_own(r)) {
        return NULL;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln == NULL) {
        return NULL;
    }

    ctx = ngx_http_llm_monitor_memory_alloc(&mcf->memory,
                                          sizeof(ngx_http_llm_monitor_ctx_t));

    if (ctx == NULL) {
        return NULL;
    }

    ngx_memzero(&ctx->queue, sizeof(ngx_http_llm_monitor_ctx_t)
                             - offsetof(ngx_http_llm_monitor_ctx_t, queue));

    ctx->lcf = lcf;
    ctx->mcf = mcf;

    ngx_http_llm_monitor_ctx_init(ctx, r);

    cln->handler = ngx_http_llm_monitor_cleanup;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_llm_monitor_module);
    ngx_queue_insert_tail(&mcf->exchanges, &ctx->queue);

    return ctx;
}


static void
ngx_http_llm_monitor_cleanup(void *data)
{
    ngx_http_llm_monitor_ctx_t *ctx = data;

    ngx_http_llm_monitor_memory_t  *memory;

    memory = &ctx->mcf->memory;

    if (!ctx->published) {
        ngx_queue_remove(&ctx->queue);
    }

    ngx_http_llm_monitor_flight_end(ctx);

    llm_exchange_destroy(ctx->exchange);

    ngx_http_llm_monitor_body_free(&ctx->request_body);
    ngx_http_llm_monitor_body_free(&ctx->response_body);

    ngx_http_llm_monitor_memory_free(memory, ctx->record);
    ngx_http_llm_monitor_memory_free(memory, ctx);
}


void
ngx_http_llm_monitor_forget(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_llm_monitor_cleanup) {
            cln->handler = NULL;
            ngx_http_llm_monitor_cleanup(cln->data);
            break;
        }
    }

    ngx_http_set_ctx(r, NULL, ngx_http_llm_monitor_module);
}


ngx_uint_t
ngx_http_llm_monitor_own(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t  *clcf;

    /* a server has no name of this kind */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return clcf->name.len == 0 && ngx_http_llm_monitor_own_place(r);
}


/* The location of the longest name, as nginx would have chosen. */

static LLM_APART ngx_uint_t
ngx_http_llm_monitor_own_place(ngx_http_request_t *r)
{
    u_char                            *p;
    size_t                             len, longest;
    ngx_str_t                          path;
    ngx_uint_t                         i, own;
    llm_head_t                         head;
    ngx_http_core_srv_conf_t          *cscf;
    ngx_http_llm_monitor_place_t      *place;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    path = r->uri;

    if (path.len == 0) {
        ngx_memzero(&head, sizeof(llm_head_t));
        ngx_http_llm_monitor_request_line(&head, r);

        if (head.path.len == 0) {
            return 0;
        }

        path.data = (u_char *) head.path.data;
        path.len = head.path.len;

        p = memchr(path.data, '?', path.len);
        path.len = p ? (size_t) (p - path.data) : path.len;
    }

    own = 0;
    longest = 0;
    place = mcf->places.elts;

    for (i = 0; i < mcf->places.nelts; i++) {
        len = place[i].name.len;

        if (place[i].server == cscf
            && len >= longest
            && (place[i].exact ? len == path.len : len <= path.len)
            && ngx_memcmp(place[i].name.data, path.data, len) == 0)
        {
            longest = len;
            own = place[i].own;
        }
    }

    return own;
}


static void
ngx_http_llm_monitor_ctx_init(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_time_t      *tp;
    ngx_msec_int_t   ms;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "llm monitor watches \"%V %V\"",
                   &r->method_name, &r->unparsed_uri);

    ctx->request = r;

    /*
     * nginx notes the wall clock when the first byte is read, so the time
     * that reading the head took is known in milliseconds
     */

    tp = ngx_timeofday();

    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + ((ngx_msec_int_t) tp->msec
                              - (ngx_msec_int_t) r->start_msec));

    ctx->start = ngx_http_llm_monitor_clock() - (int64_t) ngx_max(ms, 0) * 1000;

    if (ctx->lcf->exchange.mem.alloc == NULL) {
        ngx_http_llm_monitor_ctx_conf(ctx->mcf, ctx->lcf);
    }

    ngx_http_llm_monitor_body_init(&ctx->request_body, ctx->mcf, ctx->lcf,
                                   ctx->lcf->exchange.request_sink != NULL,
                                   r->connection->log);

    ngx_http_llm_monitor_body_expect(&ctx->request_body,
                                     r->headers_in.content_length_n);

    ngx_http_llm_monitor_body_init(&ctx->response_body, ctx->mcf, ctx->lcf,
                                   ctx->lcf->exchange.response_sink != NULL,
                                   r->connection->log);

    ngx_http_llm_monitor_ctx_exchange(ctx, r);
}


static void
ngx_http_llm_monitor_ctx_exchange(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    ngx_http_llm_monitor_request_head(ctx, r);

    ctx->exchange = llm_exchange_create(&ctx->lcf->exchange, ctx);

    if (ctx->exchange) {
        llm_exchange_request(ctx->exchange, &ctx->request_head);
    }
}


/* What all exchanges of a location have in common. */

static void
ngx_http_llm_monitor_ctx_conf(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_loc_conf_t *lcf)
{
    llm_exchange_conf_t  *conf;

    conf = &lcf->exchange;

    conf->mem.alloc = ngx_http_llm_monitor_memory_alloc;
    conf->mem.free = ngx_http_llm_monitor_memory_free;
    conf->mem.data = &mcf->memory;

    if (lcf->bodies != NGX_HTTP_LLM_MONITOR_BODIES_OFF
        && lcf->bodies != NGX_HTTP_LLM_MONITOR_BODIES_RESPONSE)
    {
        conf->request_sink = ngx_http_llm_monitor_request_sink;
    }

    if (lcf->bodies != NGX_HTTP_LLM_MONITOR_BODIES_OFF
        && lcf->bodies != NGX_HTTP_LLM_MONITOR_BODIES_REQUEST)
    {
        conf->response_sink = ngx_http_llm_monitor_response_sink;
    }

    ngx_http_llm_monitor_names(lcf->redact_headers, &conf->redact_headers,
                               &conf->nredact_headers);
    ngx_http_llm_monitor_names(lcf->redact_args, &conf->redact_args,
                               &conf->nredact_args);
    ngx_http_llm_monitor_names(lcf->redact_json, &conf->redact_json,
                               &conf->nredact_json);

    conf->salt = mcf->zone.salt;
}


static void
ngx_http_llm_monitor_names(ngx_array_t *names, const llm_str_t **elts,
    size_t *nelts)
{
    if (names) {
        *elts = names->elts;
        *nelts = names->nelts;
    }
}


/*
 * The method and the uri change at internal redirects, what they pointed to
 * stays as long as the request.
 */

static void
ngx_http_llm_monitor_request_head(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    u_char           *p;
    ngx_uint_t        i;
    llm_head_t       *head;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    head = &ctx->request_head;

    head->each = ngx_http_llm_monitor_each;
    head->headers = &r->headers_in.headers;

    if (r->unparsed_uri.len) {
        ngx_http_llm_monitor_method(head, r);

        head->path.data = r->unparsed_uri.data;
        head->path.len = r->unparsed_uri.len;

    } else {
        ngx_http_llm_monitor_request_line(head, r);
    }

    p = head->path.len ? memchr(head->path.data, '?', head->path.len) : NULL;

    if (p) {
        head->query.data = p + 1;
        head->query.len = head->path.data + head->path.len - head->query.data;
        head->path.len = p - head->path.data;
    }

    if (r->headers_in.content_type) {
        head->content_type.data = r->headers_in.content_type->value.data;
        head->content_type.len = r->headers_in.content_type->value.len;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("content-encoding") - 1
                && ngx_strncmp(h[i].lowcase_key, "content-encoding",
                               sizeof("content-encoding") - 1)
                   == 0)
            {
                head->content_encoding.data = h[i].value.data;
                head->content_encoding.len = h[i].value.len;
                return;
            }
        }
    }
}


/* The page of an error is asked for by GET, whatever the client had sent. */

static void
ngx_http_llm_monitor_method(llm_head_t *head, ngx_http_request_t *r)
{
    u_char  *p;

    head->method.data = r->method_name.data;
    head->method.len = r->method_name.len;

    if (!r->error_page || r->request_line.len == 0) {
        return;
    }

    p = memchr(r->request_line.data, ' ', r->request_line.len);

    if (p) {
        head->method.data = r->request_line.data;
        head->method.len = p - r->request_line.data;
    }
}


/*
 * nginx gave up within the request line and has no parts of it, or those of
 * its error page: what came of them is read as $request reads it.  No method
 * or no path is what does not look like one, such as the beginning of TLS.
 */

static void
ngx_http_llm_monitor_request_line(llm_head_t *head, ngx_http_request_t *r)
{
    u_char  *p, *start, *last;

    start = r->request_start;

    if (start == NULL) {
        return;
    }

    last = r->header_in->last;

    for (p = start; p < last; p++) {

        if ((*p < 'A' || *p > 'Z') && *p != '_' && *p != '-') {
            break;
        }
    }

    if (p == start || p == last || *p != ' ') {
        return;
    }

    head->method.data = start;
    head->method.len = p - start;

    while (p < last && *p == ' ') {
        p++;
    }

    if (p == last || *p != '/') {
        return;
    }

    start = p;

    while (p < last && *p != ' ' && *p != CR && *p != LF) {
        p++;
    }

    head->path.data = start;
    head->path.len = p - start;
}


void
ngx_http_llm_monitor_response_head(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    llm_head_t           *head;
    ngx_table_elt_t      *h;
    ngx_http_upstream_t  *u;

    if (ctx->exchange == NULL) {
        return;
    }

    head = &ctx->response_head;
    ngx_memzero(head, sizeof(llm_head_t));

    u = r->upstream;

    if (ngx_http_llm_monitor_has_upstream(r)) {
        head->each = ngx_http_llm_monitor_each;
        head->headers = &u->headers_in.headers;

    } else {
        head->each = ngx_http_llm_monitor_each_out;
        head->headers = r;
    }

    if (r->err_status) {
        head->status = r->err_status;

    } else if (r->headers_out.status) {
        head->status = r->headers_out.status;

    } else {
        head->status = u ? u->headers_in.status_n : 0;
    }

    if (r->headers_out.content_type.len) {
        head->content_type.data = r->headers_out.content_type.data;
        head->content_type.len = r->headers_out.content_type.len;
    }

    h = r->headers_out.content_encoding;

    if (h && h->hash && h->value.len) {
        head->content_encoding.data = h->value.data;
        head->content_encoding.len = h->value.len;
    }

    ngx_http_llm_monitor_request_flush(ctx, 0);

    llm_exchange_response(ctx->exchange, head);

    ctx->upstream = u;
}


/* A head was read and is that of the upstream's last attempt. */

static ngx_uint_t
ngx_http_llm_monitor_has_upstream(ngx_http_request_t *r)
{
    return r->upstream && r->upstream->headers_in.headers.part.elts;
}


static void
ngx_http_llm_monitor_each(void *headers, llm_header_pt fn, void *data)
{
    llm_str_t         name, value;
    ngx_uint_t        i;
    ngx_list_t       *list;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    list = headers;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].lowcase_key == NULL) {
                continue;
            }

            name.data = h[i].lowcase_key;
            name.len = h[i].key.len;
            value.data = h[i].value.data;
            value.len = h[i].value.len;

            if (fn(data, &name, &value)) {
                return;
            }
        }
    }
}


/* Headers that modules add have no name in lower case. */

static void
ngx_http_llm_monitor_each_out(void *headers, llm_header_pt fn, void *data)
{
    u_char           *key;
    llm_str_t         name, value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_http_request_t *r = headers;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0) {
                continue;
            }

            key = ngx_pnalloc(r->pool, h[i].key.len);

            if (key == NULL) {
                return;
            }

            ngx_strlow(key, h[i].key.data, h[i].key.len);

            name.data = key;
            name.len = h[i].key.len;
            value.data = h[i].value.data;
            value.len = h[i].value.len;

            if (fn(data, &name, &value)) {
                return;
            }
        }
    }
}


int64_t
ngx_http_llm_monitor_elapsed(ngx_http_llm_monitor_ctx_t *ctx)
{
    int64_t  us;

    us = ngx_http_llm_monitor_clock() - ctx->start;

    return us > 0 ? us : 0;
}


int64_t
ngx_http_llm_monitor_early_id(ngx_http_llm_monitor_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    if (ctx->id == 0) {
        r = ctx->request;
        ctx->id = ngx_http_llm_monitor_zone_id(&ctx->mcf->zone,
                                               (int64_t) r->start_sec * 1000
                                               + r->start_msec);
    }

    return ctx->id;
}


static int64_t
ngx_http_llm_monitor_clock(void)
{
    struct timespec  ts;

    /* it cannot fail where nginx runs; then every duration would be 0 */

    if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
        return 0;
    }

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
ngx_http_llm_monitor_request_sink(void *data, const uint8_t *p, size_t n)
{
    ngx_http_llm_monitor_ctx_t *ctx = data;

    if (!ctx->gathered) {
        ngx_http_llm_monitor_body_add(&ctx->request_body, p, n);
    }
}


static void
ngx_http_llm_monitor_response_sink(void *data, const uint8_t *p, size_t n)
{
    ngx_http_llm_monitor_ctx_t *ctx = data;

    ngx_http_llm_monitor_body_add(&ctx->response_body, p, n);
}


void
ngx_http_llm_monitor_capture_exit(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_log_t *log)
{
    ngx_queue_t                 *q;
    ngx_http_llm_monitor_ctx_t  *ctx;

    while (!ngx_queue_empty(&mcf->exchanges)) {

        q = ngx_queue_head(&mcf->exchanges);
        ctx = ngx_queue_data(q, ngx_http_llm_monitor_ctx_t, queue);

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0,
                       "llm monitor publishes \"%V\" at exit",
                       &ctx->request->unparsed_uri);

        ctx->shutdown = 1;

        /* takes it out of the queue */
        ngx_http_llm_monitor_publish(ctx, ctx->request);
    }
}
