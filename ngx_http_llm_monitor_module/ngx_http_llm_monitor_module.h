
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

#include "capture/ngx_http_llm_monitor_memory.h"
#include "ring/ngx_http_llm_monitor_zone.h"
#include "extract/llm_exchange.h"
#include "extract/llm_price.h"


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
#define NGX_HTTP_LLM_MONITOR_SERVE_UI         3
#define NGX_HTTP_LLM_MONITOR_SERVE_METRICS    4
#define NGX_HTTP_LLM_MONITOR_SERVE_HEALTH     5
#define NGX_HTTP_LLM_MONITOR_SERVE_ALIVE      6


typedef struct ngx_http_llm_monitor_readers_s  ngx_http_llm_monitor_readers_t;
typedef struct ngx_http_llm_monitor_alert_s  ngx_http_llm_monitor_alert_t;
typedef struct ngx_http_llm_monitor_followers_s
    ngx_http_llm_monitor_followers_t;


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
#if (NGX_THREADS)
    ngx_thread_pool_t             *thread_pool;
#endif

    ngx_uint_t                     watch;          /* llm_monitor on, and */
    ngx_uint_t                     enabled;        /* that or llm_monitor_api,
                                                      somewhere */

    ngx_uint_t                     live;           /* somebody may ask what is
                                                      in flight */

    ngx_array_t                   *alerts;         /* or NULL */
#if (NGX_SSL)
    ngx_ssl_t                     *alert_ssl;      /* NULL: none by https */
    ngx_str_t                      alert_trusted;
    ngx_flag_t                     alert_verify;
#endif

    /* LLM_METRICS_..., and all four together */
    ngx_uint_t                     compat;
    ngx_uint_t                     http;
    ngx_uint_t                     otel;
    ngx_uint_t                     accounts;
    ngx_uint_t                     sets;

    ngx_int_t                      request_id;     /* index of $request_id,
                                                      or NGX_ERROR */

    /* never NULL where enabled is set */
    llm_price_table_t             *prices;

    /* names that a local client may use; see serve/ */
    ngx_array_t                   *hosts;

    /* process-local */
    ngx_queue_t                    exchanges;      /* alive in this worker */
    ngx_uint_t                     flights;        /* rounds through them */
    uint16_t                       upstreams[LLM_METRICS_UPSTREAMS];
                                                   /* of this one's so far */
    ngx_uint_t                     crowded;        /* the last one in which a
                                                      slot was not found */
    ngx_http_llm_monitor_memory_t  memory;         /* of those that were */
    ngx_array_t                    places;         /* of all servers */
    uint64_t                       request_ids[2]; /* counters; 0: not yet */
    llm_price_finder_t            *finder;         /* NULL: not used yet */
    ngx_http_llm_monitor_readers_t  *readers;      /* NULL: not used yet */
    ngx_http_llm_monitor_followers_t  *followers;  /* the same, of events */
} ngx_http_llm_monitor_main_conf_t;


/* a location by the beginning of a path or, exact, by all of it */

typedef struct {
    ngx_http_core_srv_conf_t      *server;
    ngx_str_t                      name;
    ngx_uint_t                     exact;
    ngx_uint_t                     own;            /* the monitor answers */
} ngx_http_llm_monitor_place_t;


typedef struct {
    ngx_flag_t                     enable;
    ngx_uint_t                     bodies;
    off_t                          max_body_size;
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

    /* made of the above by the first exchange */
    llm_exchange_conf_t            exchange;

    ngx_uint_t                     authenticated;  /* by nginx's own modules */

    /* locations that answer */
    ngx_uint_t                     serve;
    ngx_http_handler_pt            serve_handler;
    ngx_str_t                      serve_name;     /* the directive */
    u_char                        *serve_file;     /* where it was said */
    ngx_uint_t                     serve_line;
    ngx_flag_t                     remote;
    ngx_uint_t                     scope;          /* llm_scope_e */
    ngx_http_complex_value_t      *scope_value;
} ngx_http_llm_monitor_loc_conf_t;


/*
 * A parameter "name=value" of a directive.  The setter gets conf and what is
 * behind the '='; it returns NGX_CONF_OK, NGX_CONF_ERROR if it has said why, or
 * what is wrong, to be said behind the parameter.
 */
typedef struct {
    ngx_str_t    name;           /* with its '=' */
    char      *(*set)(ngx_conf_t *cf, void *conf, ngx_str_t *value);
} ngx_http_llm_monitor_param_t;

/*
 * Sets the arguments from number from on by params, which end with an empty
 * name; allowed names them for the message.  NGX_CONF_OK, or NGX_CONF_ERROR
 * and it has been said why.
 */
char *ngx_http_llm_monitor_params(ngx_conf_t *cf,
    ngx_http_llm_monitor_param_t *params, ngx_uint_t from, char *allowed,
    void *conf);

/* Says that a value is none of those that are allowed: NGX_CONF_ERROR. */
char *ngx_http_llm_monitor_bad_value(ngx_conf_t *cf, char *name,
    ngx_str_t *value, char *allowed);

/* Refuses what is no directory; there may be nothing yet. */
char *ngx_http_llm_monitor_path_there(ngx_conf_t *cf, ngx_str_t *name);

/* Setters of the directives that need more than one of nginx's own. */
char *ngx_http_llm_monitor_set_enable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_word(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_offset(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_redact(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_thread_pool(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_llm_monitor_set_prices(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_alert(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

#if (NGX_SSL)
/* After all of them: what those by https need. */
char *ngx_http_llm_monitor_init_alerts(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf);
#endif

char *ngx_http_llm_monitor_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_ui(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_llm_monitor_set_scope(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* bounds of a size directive, in cmd->post; bytes */

typedef struct {
    off_t                          min;
    off_t                          max;
    char                          *text;           /* "a size from 1k to 16m" */
} ngx_http_llm_monitor_bounds_t;


/* The built-in table, unless a directive named a file. */
ngx_int_t ngx_http_llm_monitor_prices_init(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf);


/*
 * The timer of a worker and the writer that it may be; called from the
 * module's init_process and exit_process.
 */
ngx_int_t ngx_http_llm_monitor_init_process(ngx_cycle_t *cycle);
void ngx_http_llm_monitor_exit_process(ngx_cycle_t *cycle);


extern ngx_module_t  ngx_http_llm_monitor_module;


#endif /* _NGX_HTTP_LLM_MONITOR_MODULE_H_INCLUDED_ */
