
/*
 * Copyright (C) llm_monitor contributors
 *
 * The context of one exchange, shared by the files of this room only.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_CTX_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_CTX_H_INCLUDED_


#include "ngx_http_llm_monitor_capture.h"
#include "ngx_http_llm_monitor_spoolfile.h"


/* bytes of a text that comes from the configuration, a variable or nginx */
#define NGX_HTTP_LLM_MONITOR_TEXT_MAX  256


struct ngx_http_llm_monitor_ctx_s {
    llm_head_t                         response_head;

    /* the others are zeros at first */
    ngx_queue_t                        queue;        /* mcf->exchanges */
    ngx_http_request_t                *request;
    ngx_http_llm_monitor_main_conf_t  *mcf;
    ngx_http_llm_monitor_loc_conf_t   *lcf;          /* the first one's */

    llm_exchange_t                    *exchange;     /* NULL: no memory */
    llm_head_t                         request_head;

    ngx_http_llm_monitor_body_t        request_body;
    ngx_http_llm_monitor_body_t        response_body;

    int64_t                            start;        /* us, monotonic clock */
    int64_t                            now;          /* us since start */
    int64_t                            end;          /* the same; 0: not yet */

    ngx_http_upstream_t               *upstream;     /* whose head was read */
    ngx_connection_t                  *peer;         /* its connection */

    llm_record_t                      *record;       /* NULL: not finished */
    llm_exchange_state_t               state;        /* once it is */

    llm_live_slot_t                   *flight;       /* NULL: not shown */
    ngx_uint_t                         looked;       /* at, in that round */
    int64_t                            id;           /* 0: not given yet */

    unsigned                           response:1;   /* its head was seen */
    unsigned                           request_read:1;   /* some of it */
    unsigned                           request_last:1;
    unsigned                           gathers:1;    /* the request's body,
                                                        which waits there */
    unsigned                           gathered:1;   /* and is being read */
    unsigned                           response_last:1;
    unsigned                           timed:1;      /* ttft is known */
    unsigned                           timedout:1;   /* the upstream's body */
    unsigned                           done:1;       /* all of it was sent */
    unsigned                           shutdown:1;
    unsigned                           published:1;
    unsigned                           missed:1;     /* found no slot */
    unsigned                           authenticated:1;  /* a password was
                                                            asked for */
    unsigned                           asked:2;      /* in flight; see there */
    unsigned                           told:8;       /* llm_live_text_e */
};


/*
 * The context of the request; if there is none and this location watches,
 * makes one.  NULL: not watched, or no memory.
 */
ngx_http_llm_monitor_ctx_t *ngx_http_llm_monitor_watch(
    ngx_http_request_t *r);

/*
 * What was begun is given back and makes no record: a rewrite has led to a
 * location of the monitor.
 */
void ngx_http_llm_monitor_forget(ngx_http_request_t *r);

/*
 * Whether nginx refused the request before it looked for a location, which
 * would have been one of the monitor.
 */
ngx_uint_t ngx_http_llm_monitor_own(ngx_http_request_t *r);

/* Microseconds since the first byte of the request. */
int64_t ngx_http_llm_monitor_elapsed(ngx_http_llm_monitor_ctx_t *ctx);

/* The id of the record that it will be. */
int64_t ngx_http_llm_monitor_early_id(ngx_http_llm_monitor_ctx_t *ctx);

/*
 * Feeds the response's head: its status and types as they are now, and the
 * headers of the upstream, if there is one, else nginx's own.
 */
void ngx_http_llm_monitor_response_head(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);

/* Finishes the facts, publishes the record once, releases the exchange. */
void ngx_http_llm_monitor_publish(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);

/* Its numbers go into the metrics. */
void ngx_http_llm_monitor_count(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);

/*
 * What a value of the configuration is stored as, NGX_DECLINED: nothing, and
 * whether it is stored without a change.
 */
ngx_int_t ngx_http_llm_monitor_text(ngx_http_request_t *r, ngx_str_t *value,
    llm_str_t *s);
ngx_uint_t ngx_http_llm_monitor_whole(ngx_str_t *value, llm_str_t *s);

/* It is in flight no more. */
void ngx_http_llm_monitor_flight_end(ngx_http_llm_monitor_ctx_t *ctx);

/* The upstream's name as configured; NULL: there is none. */
ngx_str_t *ngx_http_llm_monitor_upstream_name(ngx_http_request_t *r);

/* Counts an exchange of which no record can be made. */
void ngx_http_llm_monitor_lost(ngx_http_request_t *r);

/* How the exchange ended; sets outcome, aborted_by, flags, error of rec. */
void ngx_http_llm_monitor_outcome(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, llm_record_t *rec);

/* Reads what has been gathered of the request's body; last: it is all. */
void ngx_http_llm_monitor_request_flush(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_uint_t last);

/* The handlers of each file, hooked in by capture_init. */
ngx_int_t ngx_http_llm_monitor_rewrite_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_llm_monitor_log_handler(ngx_http_request_t *r);
void ngx_http_llm_monitor_response_init(void);


#endif /* _NGX_HTTP_LLM_MONITOR_CTX_H_INCLUDED_ */
