
/*
 * Copyright (C) llm_monitor contributors
 *
 * How the monitor is, from shared memory alone: it says so when the database
 * cannot.
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"
#include "../record/llm_json_write.h"
#include "../ring/llm_metrics_count.h"


/* ms after which a writer that has not begun a turn is stuck */
#define NGX_HTTP_LLM_MONITOR_STUCK    30000

/* ms that a new instance may take for its first turn */
#define NGX_HTTP_LLM_MONITOR_BEGIN    10000

#define NGX_HTTP_LLM_MONITOR_ANSWERS  (64 * 1024)


/* in the order of severity */

typedef enum {
    NGX_HTTP_LLM_MONITOR_FINE = 0,
    NGX_HTTP_LLM_MONITOR_UNKNOWN,
    NGX_HTTP_LLM_MONITOR_DEGRADED,
    NGX_HTTP_LLM_MONITOR_FAILING
} ngx_http_llm_monitor_state_e;


typedef struct {
    ngx_uint_t                         database;
    ngx_uint_t                         ring;
    ngx_uint_t                         writer;
    ngx_uint_t                         disk;
    ngx_uint_t                         upstreams;
} ngx_http_llm_monitor_checks_t;


static void ngx_http_llm_monitor_check(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_checks_t *checks);
static ngx_uint_t ngx_http_llm_monitor_check_ring(
    ngx_http_llm_monitor_main_conf_t *mcf);
static ngx_uint_t ngx_http_llm_monitor_check_disk(
    ngx_http_llm_monitor_main_conf_t *mcf, ngx_uint_t database);
static void ngx_http_llm_monitor_health_json(llm_buf_t *out,
    ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_checks_t *checks, const char *status);
static void ngx_http_llm_monitor_check_word(llm_json_t *j, const char *name,
    ngx_uint_t state);
static ngx_uint_t ngx_http_llm_monitor_check_upstreams(llm_json_t *j,
    const llm_metrics_t *m);


ngx_int_t
ngx_http_llm_monitor_health_handler(ngx_http_request_t *r)
{
    u_char                            *p;
    ngx_int_t                          rc;
    ngx_uint_t                         worst, status;
    llm_buf_t                          out;
    const char                        *word;
    ngx_http_llm_monitor_checks_t      checks;
    ngx_http_llm_monitor_loc_conf_t   *lcf;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    static ngx_str_t  json = ngx_string("application/json");
    static ngx_str_t  alive = ngx_string("{\"status\":\"alive\"}");

    if (ngx_http_llm_monitor_look(r, &rc) != NGX_OK) {
        return rc;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);

    if (lcf->serve == NGX_HTTP_LLM_MONITOR_SERVE_ALIVE) {
        return ngx_http_llm_monitor_reply(r, NGX_HTTP_OK, &json, alive.data,
                                          alive.len);
    }

    ngx_http_llm_monitor_check(mcf, &checks);

    worst = ngx_max(ngx_max(checks.database, checks.ring), checks.writer);

    if (worst == NGX_HTTP_LLM_MONITOR_FAILING) {
        word = "unhealthy";
        status = NGX_HTTP_SERVICE_UNAVAILABLE;

    } else {

        /* a monitor that works says that an upstream does not */

        worst = ngx_max(ngx_max(worst, checks.disk), checks.upstreams);
        word = worst >= NGX_HTTP_LLM_MONITOR_DEGRADED ? "degraded" : "healthy";
        status = NGX_HTTP_OK;
    }

    llm_buf_init(&out, NGX_HTTP_LLM_MONITOR_ANSWERS);
    ngx_http_llm_monitor_health_json(&out, mcf, &checks, word);

    p = out.failed == LLM_OK ? ngx_pnalloc(r->pool, out.len) : NULL;

    if (p == NULL) {
        llm_buf_free(&out);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(p, out.data, out.len);

    rc = ngx_http_llm_monitor_reply(r, status, &json, p, out.len);

    llm_buf_free(&out);

    return rc;
}


static void
ngx_http_llm_monitor_check(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_checks_t *checks)
{
    int64_t         now, age;
    ngx_uint_t      begins;
    ngx_time_t     *tp;
    llm_control_t  *c;

    c = mcf->zone.control;
    now = llm_control_now();

    tp = ngx_timeofday();
    begins = (int64_t) tp->sec * 1000 + tp->msec
             - mcf->zone.metrics.shared->start_ms
             < NGX_HTTP_LLM_MONITOR_BEGIN;

    checks->database = NGX_HTTP_LLM_MONITOR_FINE;

    if (!__atomic_load_n(&c->db_up, __ATOMIC_RELAXED)) {
        checks->database = begins && c->db_error == 0
                           ? NGX_HTTP_LLM_MONITOR_UNKNOWN
                           : NGX_HTTP_LLM_MONITOR_FAILING;
    }

    age = now - __atomic_load_n(&c->writer_beat_ms, __ATOMIC_RELAXED);
    checks->writer = NGX_HTTP_LLM_MONITOR_FINE;

    if (age > NGX_HTTP_LLM_MONITOR_STUCK) {
        checks->writer = begins ? NGX_HTTP_LLM_MONITOR_UNKNOWN
                                : NGX_HTTP_LLM_MONITOR_FAILING;
    }

    checks->ring = ngx_http_llm_monitor_check_ring(mcf);
    checks->disk = ngx_http_llm_monitor_check_disk(mcf, checks->database);
    checks->upstreams = ngx_http_llm_monitor_check_upstreams(NULL,
                                               mcf->zone.metrics.shared);
}


static ngx_uint_t
ngx_http_llm_monitor_check_ring(ngx_http_llm_monitor_main_conf_t *mcf)
{
    uint64_t  used, room;

    llm_ring_usage(&mcf->zone.ring, &used, &room);

    if (used > room / 20 * 19) {
        return NGX_HTTP_LLM_MONITOR_FAILING;
    }

    return used > room / 5 * 4 ? NGX_HTTP_LLM_MONITOR_DEGRADED
                               : NGX_HTTP_LLM_MONITOR_FINE;
}


/* What the writer met, and how much of the spool is in use. */

static ngx_uint_t
ngx_http_llm_monitor_check_disk(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_uint_t database)
{
    int64_t         spool, limit;
    llm_control_t  *c;

    c = mcf->zone.control;

    if (database == NGX_HTTP_LLM_MONITOR_FAILING
        && llm_control_error(c->db_error) == LLM_CONTROL_FULL)
    {
        return NGX_HTTP_LLM_MONITOR_FAILING;
    }

    spool = __atomic_load_n(&c->spool_bytes, __ATOMIC_RELAXED);
    limit = mcf->zone.spool_size;

    if (spool > limit / 20 * 19 && spool > 0) {
        return NGX_HTTP_LLM_MONITOR_FAILING;
    }

    return spool > limit / 2 ? NGX_HTTP_LLM_MONITOR_DEGRADED
                             : NGX_HTTP_LLM_MONITOR_FINE;
}


static void
ngx_http_llm_monitor_health_json(llm_buf_t *out,
    ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_checks_t *checks, const char *status)
{
    llm_json_t   j;
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    llm_json_key(&j, "status");
    llm_json_text(&j, status);

    llm_json_key(&j, "version");
    llm_json_text(&j, NGX_HTTP_LLM_MONITOR_VERSION);

    llm_json_key(&j, "uptime_seconds");
    llm_json_int(&j, ((int64_t) tp->sec * 1000 + tp->msec
                      - mcf->zone.metrics.shared->start_ms) / 1000);

    llm_json_key(&j, "prices");
    llm_json_str(&j, llm_price_source(mcf->prices));

    llm_json_key(&j, "checks");
    llm_json_open_object(&j);

    ngx_http_llm_monitor_check_word(&j, "database", checks->database);
    ngx_http_llm_monitor_check_word(&j, "ring", checks->ring);
    ngx_http_llm_monitor_check_word(&j, "writer", checks->writer);
    ngx_http_llm_monitor_check_word(&j, "disk", checks->disk);

    llm_json_key(&j, "upstreams");
    llm_json_open_object(&j);
    (void) ngx_http_llm_monitor_check_upstreams(&j, mcf->zone.metrics.shared);
    llm_json_close_object(&j);

    llm_json_close_object(&j);
    llm_json_close_object(&j);
}


static void
ngx_http_llm_monitor_check_word(llm_json_t *j, const char *name,
    ngx_uint_t state)
{
    static const char  *words[] = { "ok", "unknown", "degraded", "failing" };

    llm_json_key(j, name);
    llm_json_text(j, words[state]);
}


/* The worst of them; j may be NULL.  None is asked when none is there. */

static ngx_uint_t
ngx_http_llm_monitor_check_upstreams(llm_json_t *j, const llm_metrics_t *m)
{
    char               name[LLM_METRICS_TEXT + 1];
    uint32_t           i, n, second;
    uint64_t           good, all;
    ngx_uint_t         state, worst;
    llm_metrics_ids_t  ids;

    worst = NGX_HTTP_LLM_MONITOR_FINE;
    second = (uint32_t) (ngx_current_msec / 1000) + 1;
    n = __atomic_load_n(&m->nseries[LLM_SET_UPSTREAM], __ATOMIC_ACQUIRE);

    for (i = 1; i < n; i++) {
        llm_metrics_ids(m, LLM_SET_UPSTREAM, i, &ids);

        if (ids.upstream == m->none[0]) {
            continue;
        }

        llm_metrics_window(m, i, second, &good, &all);

        state = all == 0 ? NGX_HTTP_LLM_MONITOR_UNKNOWN
                : 2 * good < all ? NGX_HTTP_LLM_MONITOR_FAILING
                                 : NGX_HTTP_LLM_MONITOR_FINE;

        if (state == NGX_HTTP_LLM_MONITOR_FAILING) {
            worst = NGX_HTTP_LLM_MONITOR_FAILING;
        }

        if (j) {
            *ngx_cpymem(name, m->label[ids.upstream].text,
                        ngx_min(m->label[ids.upstream].len, LLM_METRICS_TEXT))
                = '\0';
            ngx_http_llm_monitor_check_word(j, name, state);
        }
    }

    return worst;
}
