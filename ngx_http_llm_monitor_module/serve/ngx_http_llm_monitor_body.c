
/*
 * Copyright (C) llm_monitor contributors
 *
 * A stored body as a download, and one range of it.
 */


#include "ngx_http_llm_monitor_call.h"


/* as the frames of large bodies, so that each of them is decoded once */
#define NGX_HTTP_LLM_MONITOR_SLICE   (256 * 1024)


typedef struct {
    llm_body_info_t    info;
    int64_t            from;       /* next byte to send */
    int64_t            to;         /* and the one after the last */
    ngx_str_t          range;      /* Content-Range */
    ngx_str_t          name;       /* Content-Disposition */
} ngx_http_llm_monitor_download_t;


static int ngx_http_llm_monitor_download_info(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_download_start(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_download_absent(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_range(
    ngx_http_llm_monitor_call_t *call);
static u_char *ngx_http_llm_monitor_range_number(u_char *p, u_char *last,
    int64_t *v);
static ngx_int_t ngx_http_llm_monitor_not_satisfiable(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_download_header(
    ngx_http_llm_monitor_call_t *call);
static ngx_uint_t ngx_http_llm_monitor_text(char *type);
static ngx_int_t ngx_http_llm_monitor_slice(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_slice_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_slice_send(
    ngx_http_llm_monitor_call_t *call);


ngx_int_t
ngx_http_llm_monitor_download(ngx_http_llm_monitor_call_t *call)
{
    call->data = ngx_pcalloc(call->request->pool,
                             sizeof(ngx_http_llm_monitor_download_t));
    if (call->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->run = ngx_http_llm_monitor_download_info;
    call->done = ngx_http_llm_monitor_download_start;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_download_info(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_download_t *d;

    d = call->data;

    if (ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK
        || llm_query_visible(*call->reader, call->id, call->filter,
                             &call->err)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_query_body_info(*call->reader, call->id, call->response,
                               &d->info, &call->err);
}


static ngx_int_t
ngx_http_llm_monitor_download_start(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t                         rc;
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;
    r = call->request;

    if (call->rc != LLM_OK) {
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    if (!llm_body_kept(d->info.state)) {
        return ngx_http_llm_monitor_download_absent(call);
    }

    d->from = 0;
    d->to = d->info.size;

    r->headers_out.status = NGX_HTTP_OK;

    rc = ngx_http_llm_monitor_range(call);

    if (rc == NGX_DECLINED) {
        return ngx_http_llm_monitor_not_satisfiable(call);
    }

    if (rc != NGX_OK
        || ngx_http_llm_monitor_download_header(call) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (d->from == d->to) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    call->next = ngx_http_llm_monitor_slice;
    call->patient = 1;

    return ngx_http_llm_monitor_slice(call);
}


static ngx_int_t
ngx_http_llm_monitor_download_absent(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;

    if (d->info.state == LLM_BODY_STORING) {
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "body_storing", NULL,
                              "this body is being stored, ask again");

    } else {
        (void) llm_query_fail(&call->err, NGX_HTTP_NOT_FOUND, "no_body", NULL,
                              "no such body is stored");
    }

    return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
}


/*
 * One range of bytes; what is several or no range at all is not honoured, as
 * RFC 9110, 14.2 allows.  There is no validator, so that If-Range is never
 * true.  NGX_DECLINED: no byte of the body is in the range.
 */

static ngx_int_t
ngx_http_llm_monitor_range(ngx_http_llm_monitor_call_t *call)
{
    u_char                           *p, *last;
    int64_t                           from, to, size;
    ngx_table_elt_t                  *h;
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;
    r = call->request;
    h = r->headers_in.range;
    size = d->info.size;

    if (h == NULL || r->headers_in.if_range != NULL
        || h->value.len < 7
        || ngx_strncasecmp(h->value.data, (u_char *) "bytes=", 6) != 0)
    {
        return NGX_OK;
    }

    p = h->value.data + 6;
    last = h->value.data + h->value.len;

    p = ngx_http_llm_monitor_range_number(p, last, &from);

    if (p == NULL || p == last || *p++ != '-') {
        return NGX_OK;
    }

    p = ngx_http_llm_monitor_range_number(p, last, &to);

    if (p != last || (from == -1 && to == -1)
        || (from != -1 && to != -1 && from > to))
    {
        return NGX_OK;
    }

    if (from == -1) {

        /* the last bytes */

        from = to < size ? size - to : 0;
        to = to == 0 ? from - 1 : size - 1;
    }

    if (to == -1 || to >= size) {
        to = size - 1;
    }

    if (from >= size || from > to) {
        return NGX_DECLINED;
    }

    d->range.data = ngx_pnalloc(r->pool, sizeof("bytes -/")
                                         + 3 * NGX_INT64_LEN);
    if (d->range.data == NULL) {
        return NGX_ERROR;
    }

    d->range.len = ngx_sprintf(d->range.data, "bytes %L-%L/%L", from, to,
                               size)
                   - d->range.data;

    d->from = from;
    d->to = to + 1;

    r->headers_out.status = NGX_HTTP_PARTIAL_CONTENT;

    return ngx_http_llm_monitor_header(r, "Content-Range", &d->range);
}


/* -1: no digits; a number that is too long is as good as the largest */

static u_char *
ngx_http_llm_monitor_range_number(u_char *p, u_char *last, int64_t *v)
{
    *v = -1;

    for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {

        if (*v == -1) {
            *v = 0;
        }

        if (*v < NGX_MAX_INT32_VALUE * (int64_t) 1000000) {
            *v = *v * 10 + (*p - '0');
        }
    }

    return p;
}


static ngx_int_t
ngx_http_llm_monitor_not_satisfiable(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;
    r = call->request;

    d->range.data = ngx_pnalloc(r->pool, sizeof("bytes */") + NGX_INT64_LEN);
    if (d->range.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    d->range.len = ngx_sprintf(d->range.data, "bytes */%L", d->info.size)
                   - d->range.data;

    if (ngx_http_llm_monitor_header(r, "Content-Range", &d->range) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) llm_query_fail(&call->err, NGX_HTTP_RANGE_NOT_SATISFIABLE,
                          "bad_range", NULL,
                          "no byte of the range is in the body");

    return ngx_http_llm_monitor_error(r, &call->err, NULL);
}


static ngx_int_t
ngx_http_llm_monitor_download_header(ngx_http_llm_monitor_call_t *call)
{
    u_char                           *p;
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_download_t  *d;

    static ngx_str_t  bytes = ngx_string("bytes");

    d = call->data;
    r = call->request;

    /*
     * What the type was is of no concern to a browser: nothing that a
     * provider or a client sent may run under this name.
     */

    if (ngx_http_llm_monitor_text(d->info.type)) {
        ngx_str_set(&r->headers_out.content_type, "text/plain");
        ngx_str_set(&r->headers_out.charset, "utf-8");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/octet-stream");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = d->to - d->from;

    p = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"-response.txt\"")
                             + NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    d->name.data = p;
    d->name.len = ngx_sprintf(p, "attachment; filename=\"%L-%s.txt\"",
                              call->id,
                              call->response ? "response" : "request")
                  - p;

    if (ngx_http_llm_monitor_headers(r) != NGX_OK
        || ngx_http_llm_monitor_header(r, "Accept-Ranges", &bytes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_header(r, "Content-Disposition", &d->name);
}


static ngx_uint_t
ngx_http_llm_monitor_text(char *type)
{
    u_char  *p;

    p = (u_char *) type;

    return ngx_strncasecmp(p, (u_char *) "text/", 5) == 0
           || ngx_strcasestrn(p, "json", 4 - 1) != NULL
           || ngx_strcasestrn(p, "xml", 3 - 1) != NULL
           || ngx_strcasestrn(p, "urlencoded", 10 - 1) != NULL;
}


static ngx_int_t
ngx_http_llm_monitor_slice(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_slice_run;
    call->done = ngx_http_llm_monitor_slice_send;

    return ngx_http_llm_monitor_task(call);
}


static int
ngx_http_llm_monitor_slice_run(ngx_http_llm_monitor_call_t *call)
{
    int64_t                           to;
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;

    if (ngx_http_llm_monitor_reader(call) != LLM_OK) {
        return LLM_ERROR;
    }

    /* up to the end of a frame */

    to = d->from - d->from % NGX_HTTP_LLM_MONITOR_SLICE
         + NGX_HTTP_LLM_MONITOR_SLICE;

    if (to > d->to) {
        to = d->to;
    }

    call->out.len = 0;

    if (llm_query_body(*call->reader, call->id, call->response, d->from,
                       to - d->from, &call->out, &call->err)
        != LLM_OK
        || call->out.failed != LLM_OK)
    {
        return LLM_ERROR;
    }

    /* deleted while it is read, or not all of it is there */

    return (int64_t) call->out.len == to - d->from ? LLM_OK : LLM_ERROR;
}


static ngx_int_t
ngx_http_llm_monitor_slice_send(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_download_t  *d;

    d = call->data;
    r = call->request;

    if (call->rc != LLM_OK) {

        /* the header is out: all that can be done is to end too early */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "body of record %L cannot be read: %s", call->id,
                      call->err.message);
        return NGX_ERROR;
    }

    d->from += call->out.len;

    return ngx_http_llm_monitor_stream(call, d->from == d->to);
}
