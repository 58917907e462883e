
/*
 * Copyright (C) llm_monitor contributors
 *
 * The configuration that every nginx-facing part reads.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_MODULE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ring/ngx_http_llm_monitor_zone.h"
#include "extract/llm_exchange.h"


#define NGX_HTTP_LLM_MONITOR_VERSION  "0.1.0"


/* llm_monitor_bodies */

#define NGX_HTTP_LLM_MONITOR_BODIES_OFF       0
#define NGX_HTTP_LLM_MONITOR_BODIES_REQUEST   1
#define NGX_HTTP_LLM_MONITOR_BODIES_RESPONSE  2
#define NGX_HTTP_LLM_MONITOR_BODIES_ON        3
#define NGX_HTTP_LLM_MONITOR_BODIES_ERRORS    4


/* what llm_monitor_api and its sisters make of a location */

#define NGX_HTTP_LLM_MONITOR_SERVE_NONE       0
#define NGX_HTTP_LLM_MONITOR_SERVE_API        1
#define NGX_HTTP_LLM_MONITOR_SERVE_API_READ   2


typedef struct llm_drain_s  ngx_http_llm_monitor_drain_t;


typedef struct {
    ngx_http_llm_monitor_zone_t    zone;

    /* llm_monitor_path */
    ngx_path_t                    *path;
    ngx_msec_t                     flush;          /* ms */
    time_t                         retention;      /* s, 0: for ever */
    time_t                         bodies;
    time_t                         stats;
    off_t                          max_size;
    ngx_uint_t                     synchronous;    /* 2 full, 1 normal */

    size_t                         capture_memory;
    ngx_str_t                      thread_pool_name;
    ngx_thread_pool_t             *thread_pool;

    ngx_uint_t                     enabled;        /* llm_monitor on, api...
                                                      somewhere */

    /* process-local */
    ngx_http_llm_monitor_drain_t  *drain;          /* NULL: not the writer */
    ngx_event_t                    timer;
    ngx_queue_t                    exchanges;      /* alive in this worker */
} ngx_http_llm_monitor_main_conf_t;


typedef struct {
    ngx_flag_t                     enable;
    ngx_uint_t                     bodies;
    size_t                         max_body_size;  /* off_t range */
    size_t                         buffer_size;

    ngx_http_complex_value_t      *account;
    ngx_http_complex_value_t      *user;
    ngx_http_complex_value_t      *session;
    ngx_http_complex_value_t      *provider;
    ngx_http_complex_value_t      *mapped_model;
    ngx_http_complex_value_t      *filter;         /* llm_monitor_if */

    /* llm_monitor_redact, lower case; arrays of llm_str_t */
    ngx_array_t                   *redact_headers;
    ngx_array_t                   *redact_args;
    ngx_array_t                   *redact_json;

    /* locations that answer */
    ngx_uint_t                     serve;
    ngx_flag_t                     remote;
} ngx_http_llm_monitor_loc_conf_t;


extern ngx_module_t  ngx_http_llm_monitor_module;


#endif /* _NGX_HTTP_LLM_MONITOR_MODULE_H_INCLUDED_ */
