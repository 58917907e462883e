
/*
 * Copyright (C) llm_monitor contributors
 *
 * Questions run in a thread pool of nginx.  While one does, the request is
 * blocked: when its client leaves, nginx waits with freeing it until the
 * completion, as for its own reads in threads.
 *
 * Its threads are nice ones, so that the event loop has the CPU as soon as it
 * has something to do.  A thread cannot raise its priority back, so the pool
 * is one that reads no files for others.
 *
 * Connections to the database are few, each belongs to one task at a time.
 * They are taken and given back in the event loop, so no lock is needed.
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"


/* questions at once in one worker, and threads of the module's pool */
#define NGX_HTTP_LLM_MONITOR_READERS  16

/* sixteen of them weigh a fourth of the event loop, at 10 they would 1.7 */
#define NGX_HTTP_LLM_MONITOR_NICE     19

/* ms until a patient call tries again */
#define NGX_HTTP_LLM_MONITOR_RETRY    50

/* ms; a task has a timer, for a worker without timers may end at any time */
#define NGX_HTTP_LLM_MONITOR_HOLD     60000


struct ngx_http_llm_monitor_reader_s {
    llm_reader_t                   *reader;
    ngx_http_llm_monitor_reader_t  *next;
};


struct ngx_http_llm_monitor_readers_s {
    ngx_http_llm_monitor_reader_t   reader[NGX_HTTP_LLM_MONITOR_READERS];
    ngx_http_llm_monitor_reader_t  *free;
};


static ngx_int_t ngx_http_llm_monitor_task_busy(
    ngx_http_llm_monitor_call_t *call, char *what);
static void ngx_http_llm_monitor_task_retry(ngx_event_t *ev);
static ngx_int_t ngx_http_llm_monitor_reader_take(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_reader_give(
    ngx_http_llm_monitor_call_t *call);
static ngx_http_llm_monitor_readers_t *ngx_http_llm_monitor_readers(
    ngx_http_llm_monitor_main_conf_t *mcf);
static void ngx_http_llm_monitor_readers_close(void *data);
#if (NGX_THREADS)
static ngx_int_t ngx_http_llm_monitor_pool_own(ngx_conf_t *cf,
    ngx_str_t *name);
static void ngx_http_llm_monitor_task_run(void *data, ngx_log_t *log);
static void ngx_http_llm_monitor_task_event(ngx_event_t *ev);
#endif
static void ngx_http_llm_monitor_task_done(ngx_http_request_t *r);


#if (NGX_THREADS)

/* nginx declares it in its list of modules alone */

extern ngx_module_t  ngx_thread_pool_module;


ngx_int_t
ngx_http_llm_monitor_pool(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_str_t *name;

    static ngx_str_t  own = ngx_string("llm_monitor");

    name = &mcf->thread_pool_name;

    if (name->len == 0) {
        name = &own;

        if (ngx_thread_pool_get(cf->cycle, name) == NULL
            && ngx_http_llm_monitor_pool_own(cf, name) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    mcf->thread_pool = ngx_thread_pool_add(cf, name);

    return mcf->thread_pool ? NGX_OK : NGX_ERROR;
}


/* The number of threads is what only the directive can set. */

static ngx_int_t
ngx_http_llm_monitor_pool_own(ngx_conf_t *cf, ngx_str_t *name)
{
    char           *rv;
    ngx_str_t       value[3];
    ngx_array_t     args, *saved;
    ngx_command_t  *cmd;

    cmd = ngx_thread_pool_module.commands;

    value[0] = cmd->name;
    value[1] = *name;
    ngx_str_set(&value[2], "threads=" ngx_value(NGX_HTTP_LLM_MONITOR_READERS));

    ngx_memzero(&args, sizeof(ngx_array_t));
    args.elts = value;
    args.nelts = 3;

    saved = cf->args;
    cf->args = &args;

    rv = cmd->set(cf, cmd, ngx_get_conf(cf->cycle->conf_ctx,
                                        ngx_thread_pool_module));
    cf->args = saved;

    return rv == NGX_CONF_OK ? NGX_OK : NGX_ERROR;
}

#endif


ngx_int_t
ngx_http_llm_monitor_task(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_request_t  *r;

    r = call->request;

    if (ngx_http_llm_monitor_reader_take(call) != NGX_OK) {
        return ngx_http_llm_monitor_task_busy(call,
                                              "too many questions at once");
    }

    call->ready = 0;

#if (NGX_THREADS)

    if (call->task == NULL) {
        call->task = ngx_thread_task_alloc(r->pool, sizeof(void *));
        if (call->task == NULL) {
            ngx_http_llm_monitor_reader_give(call);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        *(ngx_http_llm_monitor_call_t **) call->task->ctx = call;

        call->task->handler = ngx_http_llm_monitor_task_run;
        call->task->event.log = r->connection->log;
        call->task->event.data = call;
        call->task->event.handler = ngx_http_llm_monitor_task_event;
    }

    if (ngx_thread_task_post(call->mcf->thread_pool, call->task) != NGX_OK) {
        ngx_http_llm_monitor_reader_give(call);

        return ngx_http_llm_monitor_task_busy(call,
                                              "queue of the threads is full");
    }

    ngx_add_timer(&call->task->event, NGX_HTTP_LLM_MONITOR_HOLD);

    r->main->blocked++;
    r->aio = 1;

#else

    call->rc = call->run(call);
    call->ready = 1;

    ngx_http_llm_monitor_reader_give(call);

    /* not from here: a long answer would be a deep recursion */

    ngx_post_event(r->connection->write, &ngx_posted_events);

#endif

    r->write_event_handler = ngx_http_llm_monitor_task_done;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_llm_monitor_task_busy(ngx_http_llm_monitor_call_t *call, char *what)
{
    if (!call->patient) {
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "busy", NULL, "%s", what);
        call->rc = LLM_ERROR;

        return call->done(call);
    }

    call->retry.handler = ngx_http_llm_monitor_task_retry;
    call->retry.data = call->request->connection;
    call->retry.log = call->request->connection->log;

    ngx_add_timer(&call->retry, NGX_HTTP_LLM_MONITOR_RETRY);

    return NGX_DONE;
}


static void
ngx_http_llm_monitor_task_retry(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ev->data;
    r = c->data;

    ngx_http_set_log_request(c->log, r);

    rc = ngx_http_llm_monitor_task(ngx_http_llm_monitor_call_get(r));

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


#if (NGX_THREADS)

static void
ngx_http_llm_monitor_task_run(void *data, ngx_log_t *log)
{
    ngx_http_llm_monitor_call_t *call;

    call = *(ngx_http_llm_monitor_call_t **) data;

    /* of this thread alone, on Linux */

    (void) setpriority(PRIO_PROCESS, 0, NGX_HTTP_LLM_MONITOR_NICE);

    call->rc = call->run(call);
}


static void
ngx_http_llm_monitor_task_event(ngx_event_t *ev)
{
    ngx_connection_t             *c;
    ngx_http_request_t           *r;
    ngx_http_llm_monitor_call_t  *call;

    call = ev->data;
    r = call->request;
    c = r->connection;

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_LLM_MONITOR_HOLD);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "llm monitor task done: \"%V\"", &r->uri);

    ngx_http_llm_monitor_reader_give(call);

    call->ready = 1;

    r->main->blocked--;
    r->aio = 0;

    /* another one by now if the client has left */

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}

#endif


static void
ngx_http_llm_monitor_task_done(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_llm_monitor_call_t  *call;

    call = ngx_http_llm_monitor_call_get(r);

    if (call == NULL || !call->ready) {

        /* the socket can be written to, but there is nothing to write yet */

        return;
    }

    call->ready = 0;
    r->write_event_handler = ngx_http_request_empty_handler;

    rc = call->done(call);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


int
ngx_http_llm_monitor_reader(ngx_http_llm_monitor_call_t *call)
{
    char           *dir;
    llm_reader_t  **reader;

    reader = call->reader;
    dir = (char *) call->mcf->zone.dir.data;

    if (*reader != NULL && llm_reader_stale(*reader)) {
        llm_reader_close(*reader);
        *reader = NULL;
    }

    if (*reader != NULL) {
        return LLM_OK;
    }

    return llm_reader_open(reader, dir, &call->err);
}


static ngx_int_t
ngx_http_llm_monitor_reader_take(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_readers_t  *rs;

    rs = ngx_http_llm_monitor_readers(call->mcf);

    if (rs == NULL || rs->free == NULL) {
        return NGX_DECLINED;
    }

    call->slot = rs->free;
    rs->free = call->slot->next;

    call->reader = &call->slot->reader;

    return NGX_OK;
}


static void
ngx_http_llm_monitor_reader_give(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_readers_t  *rs;

    rs = call->mcf->readers;

    call->slot->next = rs->free;
    rs->free = call->slot;

    call->slot = NULL;
    call->reader = NULL;
}


/* made by a worker for itself, never before the fork */

static ngx_http_llm_monitor_readers_t *
ngx_http_llm_monitor_readers(ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_uint_t                       i;
    ngx_pool_cleanup_t              *cln;
    ngx_http_llm_monitor_readers_t  *rs;

    if (mcf->readers != NULL) {
        return mcf->readers;
    }

    cln = ngx_pool_cleanup_add(ngx_cycle->pool,
                               sizeof(ngx_http_llm_monitor_readers_t));
    if (cln == NULL) {
        return NULL;
    }

    rs = cln->data;
    ngx_memzero(rs, sizeof(ngx_http_llm_monitor_readers_t));

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_READERS; i++) {
        rs->reader[i].next = rs->free;
        rs->free = &rs->reader[i];
    }

    cln->handler = ngx_http_llm_monitor_readers_close;
    mcf->readers = rs;

    return rs;
}


/* the pools of threads are gone before the pool of the cycle */

static void
ngx_http_llm_monitor_readers_close(void *data)
{
    ngx_http_llm_monitor_readers_t *rs = data;

    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_READERS; i++) {
        llm_reader_close(rs->reader[i].reader);
        rs->reader[i].reader = NULL;
    }
}
