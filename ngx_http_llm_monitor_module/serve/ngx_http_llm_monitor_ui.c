
/*
 * Copyright (C) llm_monitor contributors
 *
 * Serves the page: one document at the location's own path, and beside it the
 * files that it is made of.  The document names them relative to itself, so
 * it works below any path, with and without a slash at its end.
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"
#include "ngx_http_llm_monitor_ui.h"


/* "br;q=1.000" has three digits at most, RFC 9110, 12.4.2 */
#define NGX_HTTP_LLM_MONITOR_UI_Q  1000


static ngx_int_t ngx_http_llm_monitor_ui_path(ngx_http_request_t *r,
    ngx_str_t *rest);
static ngx_int_t ngx_http_llm_monitor_ui_send_document(ngx_http_request_t *r,
    ngx_str_t *rest);
static ngx_int_t ngx_http_llm_monitor_ui_prefix(ngx_http_request_t *r,
    ngx_str_t *rest, ngx_str_t *prefix);
static ngx_int_t ngx_http_llm_monitor_ui_policy(ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_ui_send_file(ngx_http_request_t *r,
    ngx_http_llm_monitor_ui_file_t *file);
static ngx_uint_t ngx_http_llm_monitor_ui_coding(ngx_http_request_t *r,
    ngx_http_llm_monitor_ui_file_t *file);
static u_char *ngx_http_llm_monitor_ui_accept(u_char *p, u_char *last,
    ngx_int_t *q);
static ngx_int_t ngx_http_llm_monitor_ui_quality(u_char *p, u_char *last);
static ngx_int_t ngx_http_llm_monitor_ui_etag(ngx_http_request_t *r,
    ngx_str_t *etag);
static ngx_int_t ngx_http_llm_monitor_ui_send(ngx_http_request_t *r,
    ngx_str_t *type, ngx_str_t *body);


static ngx_str_t  ngx_http_llm_monitor_ui_codings[] = {
    ngx_string("br"),
    ngx_string("gzip"),
    ngx_string("identity"),
    ngx_null_string
};


ngx_int_t
ngx_http_llm_monitor_ui_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_str_t                        rest;
    llm_query_error_t                err;
    ngx_http_llm_monitor_ui_file_t  *file;

    static ngx_str_t  allow = ngx_string("GET, HEAD");

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_llm_monitor_access(r, &err) != NGX_OK) {
        return ngx_http_llm_monitor_error(r, &err, NULL);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        (void) llm_query_fail(&err, NGX_HTTP_NOT_ALLOWED,
                              "method_not_allowed", NULL,
                              "the page takes GET, HEAD");
        return ngx_http_llm_monitor_error(r, &err, &allow);
    }

    if (ngx_http_llm_monitor_ui_path(r, &rest) != NGX_OK) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rest.len == 0 || (rest.len == 1 && rest.data[0] == '/')) {
        return ngx_http_llm_monitor_ui_send_document(r, &rest);
    }

    for (file = ngx_http_llm_monitor_ui_files; file->name.len; file++) {

        if (rest.len == file->name.len + 1
            && ngx_strncmp(rest.data + 1, file->name.data, file->name.len)
               == 0)
        {
            return ngx_http_llm_monitor_ui_send_file(r, file);
        }
    }

    return NGX_HTTP_NOT_FOUND;
}


/* what follows the location's path: nothing, or it begins with a slash */

static ngx_int_t
ngx_http_llm_monitor_ui_path(ngx_http_request_t *r, ngx_str_t *rest)
{
    size_t                     len;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    len = clcf->name.len;

    if (r->uri.len < len
        || ngx_strncmp(r->uri.data, clcf->name.data, len) != 0)
    {
        return NGX_DECLINED;
    }

    if (len && clcf->name.data[len - 1] == '/') {
        len--;
    }

    rest->data = r->uri.data + len;
    rest->len = r->uri.len - len;

    return rest->len == 0 || rest->data[0] == '/' ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_llm_monitor_ui_send_document(ngx_http_request_t *r, ngx_str_t *rest)
{
    size_t      len;
    u_char     *p;
    ngx_str_t   prefix, body, etag, *piece;

    static ngx_str_t  type = ngx_string("text/html; charset=utf-8");
    static ngx_str_t  cache = ngx_string("no-cache");

    if (ngx_http_llm_monitor_ui_prefix(r, rest, &prefix) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = 0;

    for (piece = ngx_http_llm_monitor_ui_document; piece->len; piece++) {
        len += piece->len + prefix.len;
    }

    body.data = ngx_pnalloc(r->pool, len + 1);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = body.data;

    for (piece = ngx_http_llm_monitor_ui_document; piece->len; piece++) {

        if (p != body.data) {
            p = ngx_cpymem(p, prefix.data, prefix.len);
        }

        p = ngx_cpymem(p, piece->data, piece->len);
    }

    body.len = p - body.data;

    /* the same document at two addresses differs in the prefix alone */

    etag.len = ngx_http_llm_monitor_ui_hash.len + prefix.len + 3;
    etag.data = ngx_pnalloc(r->pool, etag.len);
    if (etag.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    etag.len = ngx_sprintf(etag.data, "\"%V-%V\"",
                           &ngx_http_llm_monitor_ui_hash, &prefix)
               - etag.data;

    if (ngx_http_llm_monitor_ui_etag(r, &etag) != NGX_OK
        || ngx_http_llm_monitor_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_llm_monitor_ui_policy(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_llm_monitor_ui_send(r, &type, &body);
}


/*
 * From "/monitor" the files are at "monitor/...", from "/monitor/" beside it.
 * It is what is in the address, so it is escaped: for a URL, and thereby for
 * an attribute of HTML and for an ETag too.
 */

static ngx_int_t
ngx_http_llm_monitor_ui_prefix(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_str_t *prefix)
{
    u_char     *p, *last;
    uintptr_t   escape;

    ngx_str_set(prefix, "");

    last = r->uri.data + r->uri.len;

    if (rest->len || r->uri.len == 0) {
        return NGX_OK;
    }

    for (p = last; p > r->uri.data && p[-1] != '/'; p--) { /* void */ }

    escape = 2 * ngx_escape_uri(NULL, p, last - p,
                                NGX_ESCAPE_URI_COMPONENT);

    prefix->len = last - p + escape + 3;
    prefix->data = ngx_pnalloc(r->pool, prefix->len);
    if (prefix->data == NULL) {
        return NGX_ERROR;
    }

    /* with "./" in front a colon in the name is no scheme */

    prefix->data[0] = '.';
    prefix->data[1] = '/';

    if (escape) {
        (void) ngx_escape_uri(prefix->data + 2, p, last - p,
                              NGX_ESCAPE_URI_COMPONENT);

    } else {
        ngx_memcpy(prefix->data + 2, p, last - p);
    }

    prefix->data[prefix->len - 1] = '/';

    return NGX_OK;
}


/* nothing but the page's own files and its own server, no frame, no form */

static ngx_int_t
ngx_http_llm_monitor_ui_policy(ngx_http_request_t *r)
{
    ngx_uint_t  i;

    static struct {
        char       *name;
        ngx_str_t   value;
    } headers[] = {

        { "Content-Security-Policy",
          ngx_string("default-src 'none'; script-src 'self'; "
                     "style-src 'self'; img-src 'self' data:; "
                     "connect-src 'self'; base-uri 'none'; "
                     "form-action 'none'; frame-ancestors 'none'; "
                     "require-trusted-types-for 'script'; "
                     "trusted-types worker") },

        { "Referrer-Policy", ngx_string("no-referrer") },
        { "X-Frame-Options", ngx_string("DENY") },
        { "Cross-Origin-Opener-Policy", ngx_string("same-origin") },
        { NULL, ngx_null_string }
    };

    for (i = 0; headers[i].name; i++) {

        if (ngx_http_llm_monitor_header(r, headers[i].name,
                                        &headers[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_ui_send_file(ngx_http_request_t *r,
    ngx_http_llm_monitor_ui_file_t *file)
{
    ngx_uint_t        n;
    ngx_table_elt_t  *h;

    static ngx_str_t  vary = ngx_string("Accept-Encoding");
    static ngx_str_t  cache = ngx_string("public, max-age=31536000, "
                                         "immutable");

    n = ngx_http_llm_monitor_ui_coding(r, file);

    if (n != NGX_HTTP_LLM_MONITOR_UI_IDENTITY) {

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        h->hash = 1;
        ngx_str_set(&h->key, "Content-Encoding");
        h->value = ngx_http_llm_monitor_ui_codings[n];
#if (nginx_version >= 1023000)
        h->next = NULL;
#endif

        r->headers_out.content_encoding = h;
    }

    if (ngx_http_llm_monitor_ui_etag(r, &file->etag[n]) != NGX_OK
        || ngx_http_llm_monitor_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_llm_monitor_header(r, "Vary", &vary) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_llm_monitor_ui_send(r, &file->type, &file->body[n]);
}


/* the coding with the highest q; of equals the smallest one */

static ngx_uint_t
ngx_http_llm_monitor_ui_coding(ngx_http_request_t *r,
    ngx_http_llm_monitor_ui_file_t *file)
{
    u_char      *p, *last;
    ngx_int_t    q[NGX_HTTP_LLM_MONITOR_UI_CODINGS + 1];
    ngx_uint_t   i, best;

    /* the last one is "*" */

    for (i = 0; i <= NGX_HTTP_LLM_MONITOR_UI_CODINGS; i++) {
        q[i] = -1;
    }

#if (NGX_HTTP_GZIP)
    if (r->headers_in.accept_encoding != NULL) {
        p = r->headers_in.accept_encoding->value.data;
        last = p + r->headers_in.accept_encoding->value.len;

        while (p < last) {
            p = ngx_http_llm_monitor_ui_accept(p, last, q);
        }
    }
#endif

    best = NGX_HTTP_LLM_MONITOR_UI_IDENTITY;

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_UI_IDENTITY; i++) {

        if (q[i] == -1) {
            q[i] = q[NGX_HTTP_LLM_MONITOR_UI_CODINGS];
        }

        if (file->body[i].len && q[i] > 0 && q[i] >= q[best]
            && (best == NGX_HTTP_LLM_MONITOR_UI_IDENTITY || q[i] > q[best]))
        {
            best = i;
        }
    }

    return best;
}


/* one element of Accept-Encoding; returns what comes after it */

static u_char *
ngx_http_llm_monitor_ui_accept(u_char *p, u_char *last, ngx_int_t *q)
{
    u_char      *end, *name;
    size_t       len;
    ngx_int_t    value;
    ngx_str_t   *coding;
    ngx_uint_t   i;

    end = ngx_strlchr(p, last, ',');

    if (end == NULL) {
        end = last;
    }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    name = p;

    while (p < end && *p != ' ' && *p != '\t' && *p != ';') {
        p++;
    }

    len = p - name;
    value = ngx_http_llm_monitor_ui_quality(p, end);

    coding = ngx_http_llm_monitor_ui_codings;

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_UI_CODINGS; i++) {

        if (len == coding[i].len
            && ngx_strncasecmp(name, coding[i].data, len) == 0)
        {
            q[i] = value;
        }
    }

    if (len == 1 && *name == '*') {
        q[NGX_HTTP_LLM_MONITOR_UI_CODINGS] = value;
    }

    return end < last ? end + 1 : last;
}


/* ";q=0.8", with space around; what is not understood accepts nothing */

static ngx_int_t
ngx_http_llm_monitor_ui_quality(u_char *p, u_char *last)
{
    ngx_int_t  value;

    while (p < last && (*p == ' ' || *p == '\t' || *p == ';')) {
        p++;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    if (p == last) {
        return NGX_HTTP_LLM_MONITOR_UI_Q;
    }

    if (last - p < 3 || (*p | 0x20) != 'q' || p[1] != '=') {
        return 0;
    }

    value = ngx_atofp(p + 2, last - p - 2, 3);

    return (value == NGX_ERROR || value > NGX_HTTP_LLM_MONITOR_UI_Q)
           ? 0 : value;
}


/* nginx answers If-None-Match with it */

static ngx_int_t
ngx_http_llm_monitor_ui_etag(ngx_http_request_t *r, ngx_str_t *etag)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "ETag");
    h->value = *etag;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    r->headers_out.etag = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_ui_send(ngx_http_request_t *r, ngx_str_t *type,
    ngx_str_t *body)
{
    static ngx_str_t  nosniff = ngx_string("nosniff");
    static ngx_str_t  same = ngx_string("same-origin");

    if (ngx_http_llm_monitor_header(r, "X-Content-Type-Options", &nosniff)
        != NGX_OK
        || ngx_http_llm_monitor_header(r, "Cross-Origin-Resource-Policy",
                                       &same)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_llm_monitor_output(r, NGX_HTTP_OK, type, body->data,
                                       body->len);
}
