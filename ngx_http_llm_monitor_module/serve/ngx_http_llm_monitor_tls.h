
/*
 * Copyright (C) llm_monitor contributors
 *
 * Messages of alerts by https: nginx's own TLS, as a client.  Nothing is sent
 * before the certificate is found to be that of the host.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_TLS_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_TLS_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"


#if (NGX_SSL)

/* bytes of a host's name */
#define NGX_HTTP_LLM_MONITOR_TLS_NAME  256


/* of one message; ssl.ctx is NULL if it goes by plain http */

typedef struct {
    ngx_ssl_t       ssl;
    ngx_uint_t      verify;
    u_char          name[NGX_HTTP_LLM_MONITOR_TLS_NAME + 1];
} ngx_http_llm_monitor_tls_t;


/*
 * The context of a configuration, freed with it.  trusted is a file of
 * certificates; empty: those that the system trusts.  NULL: it has been said
 * why.
 */
ngx_ssl_t *ngx_http_llm_monitor_tls_create(ngx_conf_t *cf, ngx_str_t *trusted);

/* The context stays until it is released, though the configuration goes. */
void ngx_http_llm_monitor_tls_hold(ngx_http_llm_monitor_tls_t *tls,
    ngx_ssl_t *ssl, ngx_uint_t verify, ngx_str_t *name);
void ngx_http_llm_monitor_tls_release(ngx_http_llm_monitor_tls_t *tls);

/*
 * Shakes hands on a connection, for which it makes a pool, and calls handler,
 * perhaps at once.  NGX_ERROR: it does not.
 */
ngx_int_t ngx_http_llm_monitor_tls_start(ngx_connection_t *c,
    ngx_http_llm_monitor_tls_t *tls, ngx_connection_handler_pt handler);

/* Whether the connection is there, and leads to whom it should. */
ngx_int_t ngx_http_llm_monitor_tls_check(ngx_connection_t *c,
    ngx_http_llm_monitor_tls_t *tls);

/* Before a connection is closed, which need not have come so far. */
void ngx_http_llm_monitor_tls_end(ngx_connection_t *c);

#endif


#endif /* _NGX_HTTP_LLM_MONITOR_TLS_H_INCLUDED_ */
