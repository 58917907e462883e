
/*
 * Copyright (C) llm_monitor contributors
 *
 * What nginx sees of an exchange: the request body, header and body filters,
 * the log handler, and the one function that finishes the facts.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_CAPTURE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_CAPTURE_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"


typedef struct ngx_http_llm_monitor_ctx_s  ngx_http_llm_monitor_ctx_t;


/*
 * Hooks the filters and the log and preaccess handlers in; called from the
 * module's postconfiguration, only if llm_monitor is on somewhere.
 */
ngx_int_t ngx_http_llm_monitor_capture_init(ngx_conf_t *cf);

/* Adds the $llm_* variables; called from preconfiguration. */
ngx_int_t ngx_http_llm_monitor_variables_add(ngx_conf_t *cf);

/*
 * Context of the main request, found again after internal redirects; NULL if
 * the exchange is not watched.
 */
ngx_http_llm_monitor_ctx_t *ngx_http_llm_monitor_ctx(ngx_http_request_t *r);

/*
 * The finished record of an exchange whose response has ended; the facts are
 * made on the first call and only looked at on later ones.
 */
llm_record_t *ngx_http_llm_monitor_finish(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);

/*
 * Now and then: writes what is known of the exchanges that are in flight into
 * shared memory, for the live view.  NGX_AGAIN: of some of them; the others
 * are for the next call, so that none takes long.
 */
ngx_int_t ngx_http_llm_monitor_flights(ngx_http_llm_monitor_main_conf_t *mcf);

/*
 * In exit_process: publishes every exchange that is still alive as outcome
 * shutdown.
 */
void ngx_http_llm_monitor_capture_exit(
    ngx_http_llm_monitor_main_conf_t *mcf, ngx_log_t *log);


#endif /* _NGX_HTTP_LLM_MONITOR_CAPTURE_H_INCLUDED_ */
