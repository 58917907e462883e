
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a worker does beside requests: on a timer it tries to become the
 * writer, and at its end it publishes what is still alive and drains.
 */


#include "ngx_http_llm_monitor_module.h"
#include "capture/ngx_http_llm_monitor_capture.h"
#include "serve/ngx_http_llm_monitor_notify.h"
#include "store/llm_drain.h"

#include <dlfcn.h>


/* the master kills a worker 3 seconds after a fast shutdown began */
#define NGX_HTTP_LLM_MONITOR_EXIT_BUDGET  1000

/* ms between two looks at what is in flight, and between slices of one */
#define NGX_HTTP_LLM_MONITOR_FLIGHTS      200
#define NGX_HTTP_LLM_MONITOR_FLIGHTS_ON   5

/* ms until the next try where the lock file cannot be used */
#define NGX_HTTP_LLM_MONITOR_RETRY        2000

/* stats=0 in seconds: the sums of minutes go even then */
#define NGX_HTTP_LLM_MONITOR_FOR_EVER     3153600000


/*
 * State of this process, not of a configuration: without a master a reload
 * changes the configuration under a running process and calls no
 * init_process.
 */

typedef struct {
    ngx_event_t                        timer;
    ngx_event_t                        flights;
    ngx_connection_t                   dummy;    /* for debug log of timers */
    llm_drain_t                       *drain;    /* NULL: not the writer */
    ngx_http_llm_monitor_main_conf_t  *mcf;      /* whose directory is open */
    ngx_log_t                         *log;
    ngx_msec_t                         retry;    /* not before, or 0 */
    llm_drain_trouble_t                trouble;
} ngx_http_llm_monitor_process_t;


static void ngx_http_llm_monitor_tick(ngx_event_t *ev);
static void ngx_http_llm_monitor_tick_flights(ngx_event_t *ev);
static ngx_http_llm_monitor_main_conf_t *ngx_http_llm_monitor_conf(
    ngx_cycle_t *cycle);
static void ngx_http_llm_monitor_attach(
    ngx_http_llm_monitor_main_conf_t *mcf, ngx_log_t *log);
static void ngx_http_llm_monitor_try_drain(void);
static void ngx_http_llm_monitor_halt_drain(void);
static void ngx_http_llm_monitor_drain_log(void *data, int level,
    const char *text);


static ngx_http_llm_monitor_process_t  ngx_http_llm_monitor_process;


ngx_int_t
ngx_http_llm_monitor_init_process(ngx_cycle_t *cycle)
{
    ngx_http_llm_monitor_process_t    *p;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    p = &ngx_http_llm_monitor_process;

    ngx_memzero(p, sizeof(ngx_http_llm_monitor_process_t));

    p->log = cycle->log;
    p->dummy.fd = (ngx_socket_t) -1;

    p->timer.handler = ngx_http_llm_monitor_tick;
    p->timer.data = &p->dummy;
    p->timer.log = cycle->log;
    p->timer.cancelable = 1;

    p->flights.handler = ngx_http_llm_monitor_tick_flights;
    p->flights.data = &p->dummy;
    p->flights.log = cycle->log;
    p->flights.cancelable = 1;

    mcf = ngx_http_llm_monitor_conf(cycle);

    if (mcf == NULL) {

        /* a reload without a master may bring one */

        if (ngx_process == NGX_PROCESS_SINGLE) {
            ngx_add_timer(&p->timer, 1000);
        }

        return NGX_OK;
    }

    ngx_http_llm_monitor_attach(mcf, cycle->log);

    ngx_add_timer(&p->timer, mcf->flush);

    return NGX_OK;
}


static ngx_http_llm_monitor_main_conf_t *
ngx_http_llm_monitor_conf(ngx_cycle_t *cycle)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_llm_monitor_module);

    return (mcf && mcf->enabled) ? mcf : NULL;
}


static void
ngx_http_llm_monitor_attach(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_log_t *log)
{
    ngx_http_llm_monitor_process.mcf = mcf;
    ngx_http_llm_monitor_process.log = log;
    ngx_http_llm_monitor_process.retry = 0;
    ngx_memzero(&ngx_http_llm_monitor_process.trouble,
                sizeof(llm_drain_trouble_t));

    /* a directory that cannot be used is the zone's to report */

    (void) ngx_http_llm_monitor_zone_init_process(&mcf->zone, log);

    if (mcf->live && mcf->watch
        && !ngx_http_llm_monitor_process.flights.timer_set)
    {
        ngx_add_timer(&ngx_http_llm_monitor_process.flights,
                      NGX_HTTP_LLM_MONITOR_FLIGHTS);
    }
}


/* Streams that a worker still has at its end are shown until theirs. */

static void
ngx_http_llm_monitor_tick_flights(ngx_event_t *ev)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_llm_monitor_process.mcf;

    if (mcf == NULL || !mcf->live) {
        return;
    }

    ngx_add_timer(ev, ngx_http_llm_monitor_flights(mcf) == NGX_AGAIN
                      ? NGX_HTTP_LLM_MONITOR_FLIGHTS_ON
                      : NGX_HTTP_LLM_MONITOR_FLIGHTS);
}


static void
ngx_http_llm_monitor_tick(ngx_event_t *ev)
{
    ngx_http_llm_monitor_process_t    *p;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    p = &ngx_http_llm_monitor_process;

    if (ngx_exiting || ngx_quit || ngx_terminate) {

        /* streams may hold this worker for long: another one writes */

        if (p->drain == NULL) {
            return;
        }

        llm_drain_leave(p->drain);

        if (llm_drain_left(p->drain)) {
            (void) llm_drain_stop(p->drain, 0);
            p->drain = NULL;
            return;
        }

        ngx_add_timer(ev, 10);
        return;
    }

    mcf = ngx_http_llm_monitor_conf((ngx_cycle_t *) ngx_cycle);

    if (mcf != p->mcf) {

        if (p->drain) {
            (void) llm_drain_stop(p->drain, 0);
            p->drain = NULL;
        }

        /* what is sent is counted where it came from */

        if (p->mcf
            && (mcf == NULL || mcf->zone.metrics.shared
                               != p->mcf->zone.metrics.shared))
        {
            ngx_http_llm_monitor_notify_end();
        }

        p->mcf = NULL;

        if (mcf) {
            ngx_http_llm_monitor_attach(mcf, ngx_cycle->log);
        }
    }

    if (p->drain && llm_drain_left(p->drain)) {
        (void) llm_drain_stop(p->drain, 0);
        p->drain = NULL;
    }

    if (mcf
        && p->drain == NULL
        && (p->retry == 0
            || (ngx_msec_int_t) (ngx_current_msec - p->retry) >= 0))
    {
        ngx_http_llm_monitor_try_drain();
    }

    if (p->drain && mcf->alerts) {
        ngx_http_llm_monitor_alerts(mcf);
    }

    ngx_add_timer(ev, mcf ? mcf->flush : 1000);
}


static void
ngx_http_llm_monitor_try_drain(void)
{
    llm_drain_conf_t                   conf;
    ngx_http_llm_monitor_process_t    *p;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    p = &ngx_http_llm_monitor_process;
    mcf = p->mcf;

    ngx_memzero(&conf, sizeof(llm_drain_conf_t));

    conf.dir = (const char *) mcf->zone.dir.data;
    conf.ring_dir = (const char *) mcf->zone.ring_dir.data;
    conf.ring = &mcf->zone.ring;
    conf.control = mcf->zone.control;
    conf.feed = mcf->zone.feed;
    conf.flush_ms = mcf->flush;
    conf.retention_s = mcf->retention;
    conf.bodies_s = mcf->bodies;
    conf.stats_s = mcf->stats ? mcf->stats
                              : NGX_HTTP_LLM_MONITOR_FOR_EVER;
    conf.max_size = mcf->max_size;
    conf.synchronous = (int) mcf->synchronous;
    conf.trouble = &p->trouble;
    conf.prices = mcf->prices;
    conf.log = ngx_http_llm_monitor_drain_log;
    conf.log_data = p->log;

    p->retry = 0;

    switch (llm_drain_start(&p->drain, &conf)) {

    case LLM_OK:
        return;

    case LLM_AGAIN:
        break;

    default:
        p->retry = ngx_current_msec + NGX_HTTP_LLM_MONITOR_RETRY;
        break;
    }

    p->drain = NULL;
}


static void
ngx_http_llm_monitor_drain_log(void *data, int level, const char *text)
{
    ngx_log_t *log = data;

    static ngx_uint_t  levels[] = {
        NGX_LOG_ERR, NGX_LOG_WARN, NGX_LOG_NOTICE
    };

    ngx_log_error(levels[level], log, 0, "llm_monitor: %s", text);
}


void
ngx_http_llm_monitor_exit_process(ngx_cycle_t *cycle)
{
    uint64_t                           used, room;
    ngx_http_llm_monitor_process_t    *p;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    p = &ngx_http_llm_monitor_process;
    mcf = p->mcf;

    if (mcf == NULL) {
        return;
    }

    ngx_http_llm_monitor_capture_exit(mcf, cycle->log);
    llm_live_leave(&mcf->zone.own);
    llm_control_leave(mcf->zone.control, mcf->zone.share);
    ngx_http_llm_monitor_notify_end();
    mcf->zone.share = -1;

    /*
     * Whoever is last may find the lock free and the ring not empty; what
     * nobody drains stays in the ring for the next start.
     */

    llm_ring_usage(&mcf->zone.ring, &used, &room);

    if (p->drain == NULL && used) {
        ngx_http_llm_monitor_try_drain();
    }

    if (p->drain) {

        if (llm_drain_stop(p->drain, NGX_HTTP_LLM_MONITOR_EXIT_BUDGET)
            != LLM_OK)
        {
            ngx_http_llm_monitor_halt_drain();
        }

        p->drain = NULL;
    }
}


/*
 * nginx takes the ring, the configuration and this module's code away a moment
 * before the process ends.  A writer that hangs must not go on with them, and
 * needs the code to stand still in.
 */

static void
ngx_http_llm_monitor_halt_drain(void)
{
    Dl_info                          info;
    ngx_http_llm_monitor_process_t  *p;

    p = &ngx_http_llm_monitor_process;

    llm_drain_halt(p->drain);

    if (dladdr(p, &info) != 0) {
        (void) dlopen(info.dli_fname, RTLD_NOW|RTLD_NOLOAD|RTLD_NODELETE);
    }
}
