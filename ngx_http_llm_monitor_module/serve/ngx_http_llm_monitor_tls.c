
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_tls.h"


#if (NGX_SSL)

/* certificates between the host's and one that is trusted */
#define NGX_HTTP_LLM_MONITOR_TLS_DEPTH  8

#define NGX_HTTP_LLM_MONITOR_TLS_POOL   256


static ngx_int_t ngx_http_llm_monitor_tls_trust(ngx_conf_t *cf,
    ngx_ssl_t *ssl, ngx_str_t *trusted);


ngx_ssl_t *
ngx_http_llm_monitor_tls_create(ngx_conf_t *cf, ngx_str_t *trusted)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NULL;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    return ngx_http_llm_monitor_tls_trust(cf, ssl, trusted) == NGX_OK ? ssl
                                                                      : NULL;
}


static ngx_int_t
ngx_http_llm_monitor_tls_trust(ngx_conf_t *cf, ngx_ssl_t *ssl,
    ngx_str_t *trusted)
{
    if (trusted->len == 0
        && SSL_CTX_set_default_verify_paths(ssl->ctx) == 0)
    {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_ERROR;
    }

    return ngx_ssl_trusted_certificate(cf, ssl, trusted,
                                       NGX_HTTP_LLM_MONITOR_TLS_DEPTH);
}


void
ngx_http_llm_monitor_tls_hold(ngx_http_llm_monitor_tls_t *tls, ngx_ssl_t *ssl,
    ngx_uint_t verify, ngx_str_t *name)
{
    SSL_CTX_up_ref(ssl->ctx);

    tls->ssl.ctx = ssl->ctx;
    tls->ssl.buffer_size = ssl->buffer_size;
    tls->verify = verify;

    ngx_cpystrn(tls->name, name->data,
                ngx_min(name->len, NGX_HTTP_LLM_MONITOR_TLS_NAME) + 1);
}


void
ngx_http_llm_monitor_tls_release(ngx_http_llm_monitor_tls_t *tls)
{
    if (tls->ssl.ctx) {
        SSL_CTX_free(tls->ssl.ctx);
        tls->ssl.ctx = NULL;
    }
}


ngx_int_t
ngx_http_llm_monitor_tls_start(ngx_connection_t *c,
    ngx_http_llm_monitor_tls_t *tls, ngx_connection_handler_pt handler)
{
    size_t  len;

    c->pool = ngx_create_pool(NGX_HTTP_LLM_MONITOR_TLS_POOL, c->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ssl_create_connection(&tls->ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        return NGX_ERROR;
    }

    len = ngx_strlen(tls->name);

    /* RFC 6066: an address is no server name */

    if (tls->name[0] != '[' && ngx_inet_addr(tls->name, len) == INADDR_NONE
        && SSL_set_tlsext_host_name(c->ssl->connection, (char *) tls->name)
           == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%s\") failed", tls->name);
        return NGX_ERROR;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = handler;
        return NGX_OK;
    }

    handler(c);

    return NGX_OK;
}


ngx_int_t
ngx_http_llm_monitor_tls_check(ngx_connection_t *c,
    ngx_http_llm_monitor_tls_t *tls)
{
    long       rc;
    ngx_str_t  name;

    if (!c->ssl->handshaked) {
        return NGX_ERROR;
    }

    if (!tls->verify) {
        return NGX_OK;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "llm_monitor: SSL certificate of \"%s\" verify error: "
                      "(%l:%s)", tls->name, rc,
                      X509_verify_cert_error_string(rc));
        return NGX_ERROR;
    }

    name.data = tls->name;
    name.len = ngx_strlen(tls->name);

    if (ngx_ssl_check_host(c, &name) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "llm_monitor: SSL certificate does not match \"%V\"",
                      &name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_llm_monitor_tls_end(ngx_connection_t *c)
{
    if (c->ssl == NULL) {
        return;
    }

    /* the answer is here, or will not come: nobody waits for a farewell */

    c->ssl->no_wait_shutdown = 1;
    c->ssl->no_send_shutdown = 1;

    (void) ngx_ssl_shutdown(c);
}

#endif
