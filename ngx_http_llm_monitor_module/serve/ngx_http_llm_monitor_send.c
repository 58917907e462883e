
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_call.h"


static ngx_str_t  ngx_http_llm_monitor_json = ngx_string("application/json");


ngx_int_t
ngx_http_llm_monitor_answer(ngx_http_llm_monitor_call_t *call)
{
    if (call->rc != LLM_OK) {
        return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
    }

    return ngx_http_llm_monitor_reply(call->request, NGX_HTTP_OK,
                                      &ngx_http_llm_monitor_json,
                                      call->out.data, call->out.len);
}


ngx_int_t
ngx_http_llm_monitor_error(ngx_http_request_t *r, llm_query_error_t *err,
    ngx_str_t *allow)
{
    u_char     *p;
    ngx_int_t   rc;
    llm_buf_t   out;

    static ngx_str_t  retry = ngx_string("1");

    /* a body that is left unread would be taken for the next request */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    llm_buf_init(&out, 4096);
    llm_query_error_json(err, &out);

    p = (out.failed == LLM_OK) ? ngx_pnalloc(r->pool, out.len) : NULL;

    if (p == NULL) {
        llm_buf_free(&out);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(p, out.data, out.len);

    rc = NGX_OK;

    if (err->status == NGX_HTTP_SERVICE_UNAVAILABLE) {
        rc = ngx_http_llm_monitor_header(r, "Retry-After", &retry);
    }

    if (rc == NGX_OK && allow != NULL) {
        rc = ngx_http_llm_monitor_header(r, "Allow", allow);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_llm_monitor_reply(r, err->status,
                                        &ngx_http_llm_monitor_json, p,
                                        out.len);

    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    llm_buf_free(&out);

    return rc;
}


ngx_int_t
ngx_http_llm_monitor_look(ngx_http_request_t *r, ngx_int_t *rc)
{
    llm_query_error_t  err;

    static ngx_str_t  allow = ngx_string("GET, HEAD");

    if (r != r->main) {
        *rc = NGX_HTTP_NOT_FOUND;
        return NGX_DECLINED;
    }

    *rc = ngx_http_discard_request_body(r);

    if (*rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_llm_monitor_access(r, &err) != NGX_OK) {
        *rc = ngx_http_llm_monitor_error(r, &err, NULL);
        return NGX_DECLINED;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        (void) llm_query_fail(&err, NGX_HTTP_NOT_ALLOWED, "method_not_allowed",
                              NULL, "this takes GET, HEAD");
        *rc = ngx_http_llm_monitor_error(r, &err, &allow);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_llm_monitor_reply(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, u_char *p, size_t len)
{
    if (ngx_http_llm_monitor_headers(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_llm_monitor_output(r, status, type, p, len);
}


ngx_int_t
ngx_http_llm_monitor_output(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, u_char *p, size_t len)
{
    u_char       *end;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;

    /* directives such as gzip_types know a type without its parameters */

    end = ngx_strlchr(type->data, type->data + type->len, ';');

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = end ? (size_t) (end - type->data)
                                          : type->len;
    r->headers_out.content_type_lowcase = NULL;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = p;
    b->last = p + len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_llm_monitor_headers(ngx_http_request_t *r)
{
    static ngx_str_t  no_store = ngx_string("no-store");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    if (ngx_http_llm_monitor_header(r, "Cache-Control", &no_store) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_header(r, "X-Content-Type-Options", &nosniff);
}


ngx_int_t
ngx_http_llm_monitor_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
