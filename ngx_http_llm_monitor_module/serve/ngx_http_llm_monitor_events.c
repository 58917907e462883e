
/*
 * Copyright (C) llm_monitor contributors
 *
 * Server-sent events.  A timer of the worker looks at shared memory whether
 * there is anything new; only then the followers that wait read it, each in a
 * thread and with its own filters.  One that has not taken what it was sent
 * reads nothing, and costs no more than that.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../record/llm_text.h"
#include "../store/llm_events.h"


/* followers of one worker */
#define NGX_HTTP_LLM_MONITOR_FOLLOWERS   64

/* ms between two looks at shared memory */
#define NGX_HTTP_LLM_MONITOR_LOOK        100

/* ms until the database is asked though nobody says that it has changed */
#define NGX_HTTP_LLM_MONITOR_ASK         5000

/* ms of silence, then a comment */
#define NGX_HTTP_LLM_MONITOR_BEAT        15000

/* ms for a slice; who takes longer misses what came meanwhile */
#define NGX_HTTP_LLM_MONITOR_SLOW        10000


typedef struct {
    ngx_queue_t                       queue;
    ngx_http_llm_monitor_call_t      *call;
    ngx_http_llm_monitor_followers_t *all;
    llm_events_t                     *events;
    int64_t                           after;     /* seq, or LLM_NULL */
    ngx_msec_t                        asked;     /* when it was read last */
    ngx_msec_t                        said;      /* when it was sent last */
    unsigned                          sent:1;    /* the header is out */
    unsigned                          idle:1;    /* it waits for the timer */
    unsigned                          more:1;
} ngx_http_llm_monitor_follower_t;


struct ngx_http_llm_monitor_followers_s {
    ngx_queue_t                       queue;
    ngx_uint_t                        n;
    ngx_event_t                       timer;
    ngx_connection_t                  dummy;     /* for its debug log */
};


static ngx_http_llm_monitor_followers_t *ngx_http_llm_monitor_followers(
    ngx_http_llm_monitor_main_conf_t *mcf);
static int64_t ngx_http_llm_monitor_last_id(ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_follow(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_events_run(ngx_http_llm_monitor_call_t *call);
static int64_t ngx_http_llm_monitor_events_seq(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_events_done(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_events_next(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_events_timer(ngx_event_t *ev);
static ngx_int_t ngx_http_llm_monitor_events_look(
    ngx_http_llm_monitor_follower_t *fl);
static void ngx_http_llm_monitor_events_cleanup(void *data);


ngx_int_t
ngx_http_llm_monitor_events(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_request_t                *r;
    ngx_pool_cleanup_t                *cln;
    ngx_http_llm_monitor_follower_t   *fl;
    ngx_http_llm_monitor_followers_t  *all;

    r = call->request;

    all = ngx_http_llm_monitor_followers(call->mcf);
    if (all == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (all->n == NGX_HTTP_LLM_MONITOR_FOLLOWERS) {
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "busy", NULL, "too many follow the events");
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    cln = ngx_pool_cleanup_add(r->pool,
                               sizeof(ngx_http_llm_monitor_follower_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fl = cln->data;
    ngx_memzero(fl, sizeof(ngx_http_llm_monitor_follower_t));

    cln->handler = ngx_http_llm_monitor_events_cleanup;

    fl->call = call;
    fl->all = all;
    fl->after = ngx_http_llm_monitor_last_id(r);

    ngx_queue_insert_tail(&all->queue, &fl->queue);
    all->n++;

    call->data = fl;
    call->next = ngx_http_llm_monitor_events_next;
    call->run = ngx_http_llm_monitor_events_run;
    call->done = ngx_http_llm_monitor_events_done;

    /*
     * It holds an old worker until that has ended its followers, which nginx
     * would only close.
     */

    if (!all->timer.timer_set) {
        ngx_add_timer(&all->timer, NGX_HTTP_LLM_MONITOR_LOOK);
    }

    fl->asked = ngx_current_msec;

    return ngx_http_llm_monitor_start(call);
}


static ngx_http_llm_monitor_followers_t *
ngx_http_llm_monitor_followers(ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_http_llm_monitor_followers_t  *all;

    if (mcf->followers != NULL) {
        return mcf->followers;
    }

    all = ngx_pcalloc(ngx_cycle->pool,
                      sizeof(ngx_http_llm_monitor_followers_t));
    if (all == NULL) {
        return NULL;
    }

    ngx_queue_init(&all->queue);

    all->dummy.fd = (ngx_socket_t) -1;

    all->timer.handler = ngx_http_llm_monitor_events_timer;
    all->timer.data = &all->dummy;
    all->timer.log = ngx_cycle->log;

    mcf->followers = all;

    return all;
}


/* Of a client that comes back; what is no number of ours is no place. */

static int64_t
ngx_http_llm_monitor_last_id(ngx_http_request_t *r)
{
    int64_t           seq;
    llm_str_t         s;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("Last-Event-ID") - 1
                || ngx_strncasecmp(h[i].key.data, (u_char *) "Last-Event-ID",
                                   sizeof("Last-Event-ID") - 1)
                   != 0)
            {
                continue;
            }

            s.data = h[i].value.data;
            s.len = h[i].value.len;

            if (s.len <= NGX_INT64_LEN - 2
                && llm_text_number(&s, &seq) == LLM_OK)
            {
                return seq;
            }
        }
    }

    return LLM_NULL;
}


static ngx_int_t
ngx_http_llm_monitor_follow(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_follower_t  *fl;

    fl = call->data;
    fl->idle = 0;
    fl->asked = ngx_current_msec;

    return ngx_http_llm_monitor_task(call);
}


static int
ngx_http_llm_monitor_events_run(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_follower_t  *fl;

    fl = call->data;

    if (fl->events == NULL) {

        if (ngx_http_llm_monitor_filter(call, LLM_FOR_EVENTS) != LLM_OK) {
            return LLM_ERROR;
        }

        /* who comes back says itself how far it was */

        if (fl->after == LLM_NULL) {
            fl->after = call->filter->num[LLM_F_SINCE_SEQ];
        }

        if (llm_events_create(&fl->events, call->filter, fl->after,
                              call->mcf->zone.feed, &call->err)
            != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    if (ngx_http_llm_monitor_reader(call) != LLM_OK) {
        return LLM_ERROR;
    }

    call->out.len = 0;

    return llm_events_slice(fl->events, *call->reader,
                            ngx_http_llm_monitor_events_seq(call),
                            &call->out, &call->err);
}


/* of the newest row, as the writer says */

static int64_t
ngx_http_llm_monitor_events_seq(ngx_http_llm_monitor_call_t *call)
{
    return __atomic_load_n(&call->mcf->zone.control->seq, __ATOMIC_ACQUIRE);
}


static ngx_int_t
ngx_http_llm_monitor_events_done(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t                         rc;
    ngx_http_request_t               *r;
    ngx_http_llm_monitor_follower_t  *fl;

    r = call->request;
    fl = call->data;

    if (call->rc == LLM_ERROR && !fl->sent) {
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    if (call->rc == LLM_ERROR) {

        /* it heals, and nothing is lost until then */

        call->out.len = 0;
        call->out.failed = LLM_OK;
    }

    fl->more = (call->rc == LLM_AGAIN);

    if (!fl->sent) {
        r->headers_out.status = NGX_HTTP_OK;

        ngx_str_set(&r->headers_out.content_type, "text/event-stream");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;

        ngx_http_clear_content_length(r);

        if (ngx_http_llm_monitor_headers(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_send_header(r);

        if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
            return rc;
        }

        fl->sent = 1;
        call->patient = 1;
    }

    if (call->out.len) {
        fl->said = ngx_current_msec;
    }

    return ngx_http_llm_monitor_stream(call, 0);
}


/* The client has taken all that there was. */

static ngx_int_t
ngx_http_llm_monitor_events_next(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_follower_t  *fl;

    fl = call->data;

    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return ngx_http_send_special(call->request, NGX_HTTP_LAST);
    }

    if (call->out.len
        && ngx_current_msec - fl->said > NGX_HTTP_LLM_MONITOR_SLOW)
    {
        llm_events_skip(fl->events);
        fl->more = 1;
    }

    call->out.len = 0;

    if (fl->more) {
        return ngx_http_llm_monitor_follow(call);
    }

    fl->idle = 1;

    return NGX_DONE;
}


static void
ngx_http_llm_monitor_events_timer(ngx_event_t *ev)
{
    ngx_int_t                          rc;
    ngx_queue_t                       *q, *next;
    ngx_connection_t                  *c;
    ngx_http_request_t                *r;
    ngx_http_llm_monitor_follower_t   *fl;
    ngx_http_llm_monitor_followers_t  *all;

    all = (ngx_http_llm_monitor_followers_t *)
              ((u_char *) ev - offsetof(ngx_http_llm_monitor_followers_t,
                                        timer));

    for (q = ngx_queue_head(&all->queue);
         q != ngx_queue_sentinel(&all->queue);
         q = next)
    {
        next = ngx_queue_next(q);

        fl = ngx_queue_data(q, ngx_http_llm_monitor_follower_t, queue);
        r = fl->call->request;
        c = r->connection;

        rc = ngx_http_llm_monitor_events_look(fl);

        if (rc == NGX_DONE) {
            continue;
        }

        ngx_http_set_log_request(c->log, r);

        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }

    if (all->n) {
        ngx_add_timer(ev, NGX_HTTP_LLM_MONITOR_LOOK);
    }
}


/* What it returns finalizes the request, but for NGX_DONE. */

static ngx_int_t
ngx_http_llm_monitor_events_look(ngx_http_llm_monitor_follower_t *fl)
{
    int64_t                       seq;
    ngx_http_llm_monitor_call_t  *call;

    call = fl->call;

    if (ngx_exiting || ngx_quit || ngx_terminate) {

        if (fl->idle) {
            fl->idle = 0;
            return ngx_http_send_special(call->request, NGX_HTTP_LAST);
        }

        /* one that takes nothing is not waited for */

        return fl->sent && call->request->write_event_handler
                           == ngx_http_llm_monitor_stream_writer
               ? NGX_ERROR : NGX_DONE;
    }

    if (!fl->idle) {
        return NGX_DONE;
    }

    seq = ngx_http_llm_monitor_events_seq(call);

    if (llm_events_due(fl->events, seq)
        || ngx_current_msec - fl->asked >= NGX_HTTP_LLM_MONITOR_ASK)
    {
        return ngx_http_llm_monitor_follow(call);
    }

    if (ngx_current_msec - fl->said < NGX_HTTP_LLM_MONITOR_BEAT) {
        return NGX_DONE;
    }

    fl->idle = 0;
    fl->said = ngx_current_msec;

    llm_events_beat(fl->events, &call->out);

    return ngx_http_llm_monitor_stream(call, 0);
}


static void
ngx_http_llm_monitor_events_cleanup(void *data)
{
    ngx_http_llm_monitor_follower_t *fl = data;

    ngx_queue_remove(&fl->queue);

    fl->all->n--;

    if (fl->all->n == 0 && fl->all->timer.timer_set) {
        ngx_del_timer(&fl->all->timer);
    }

    llm_events_free(fl->events);
}
