
/*
 * Copyright (C) llm_monitor contributors
 *
 * The content handlers of locations with llm_monitor_api and its sisters.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_API_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_API_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"


ngx_int_t ngx_http_llm_monitor_api_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_llm_monitor_ui_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_llm_monitor_metrics_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_llm_monitor_health_handler(ngx_http_request_t *r);

/* At the merge of a location: nginx asks everybody there for a password. */
ngx_uint_t ngx_http_llm_monitor_authenticated(ngx_conf_t *cf);

/* After that: warns of a scope that any client can choose. */
void ngx_http_llm_monitor_scope_check(ngx_conf_t *cf,
    ngx_http_llm_monitor_loc_conf_t *conf);

/*
 * In postconfiguration: keeps the server names, which nginx itself has in a
 * temporary pool, for the check of Host.
 */
ngx_int_t ngx_http_llm_monitor_api_init(ngx_conf_t *cf);

#if (NGX_THREADS)

/* Before that: the threads of llm_monitor_thread_pool, or else own ones. */
ngx_int_t ngx_http_llm_monitor_pool(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf);

#endif


#endif /* _NGX_HTTP_LLM_MONITOR_API_H_INCLUDED_ */
