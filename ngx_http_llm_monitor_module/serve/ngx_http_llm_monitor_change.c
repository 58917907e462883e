
/*
 * Copyright (C) llm_monitor contributors
 *
 * Changes are made by the writer alone, which may be another process: they go
 * into the command table of the zone, and a timer looks for the result.
 */


#include "ngx_http_llm_monitor_call.h"


#define NGX_HTTP_LLM_MONITOR_POLL     50         /* ms */
#define NGX_HTTP_LLM_MONITOR_WAIT     10000      /* ms */
#define NGX_HTTP_LLM_MONITOR_BODY     4096       /* bytes of a PUT */


typedef struct {
    ngx_event_t     timer;
    llm_control_t  *control;
    int64_t         owner;
    int             op;                /* llm_command_op_e */
    int             index;             /* in the table, -1: not there yet */
    uint64_t        ticket;
    int64_t         deadline;
    unsigned        ended:1;
    size_t          len;
    uint8_t         args[LLM_COMMAND_ARGS];
} ngx_http_llm_monitor_change_t;


static int ngx_http_llm_monitor_recording_run(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_recording_large(llm_query_error_t *err);
static void ngx_http_llm_monitor_recording_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_recording_read(ngx_http_request_t *r,
    uint8_t *on, llm_query_error_t *err);
static u_char *ngx_http_llm_monitor_word(u_char *p, u_char *last,
    char *word);
static ngx_int_t ngx_http_llm_monitor_recording_answer(
    ngx_http_llm_monitor_call_t *call, ngx_uint_t on);
static int ngx_http_llm_monitor_clear_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_clear_start(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_reprice_run(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_reprice_start(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_filtered(
    ngx_http_llm_monitor_call_t *call, int op);
static ngx_http_llm_monitor_change_t *ngx_http_llm_monitor_change(
    ngx_http_llm_monitor_call_t *call, int op);
static ngx_int_t ngx_http_llm_monitor_change_start(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_change_poll(ngx_event_t *ev);
static ngx_int_t ngx_http_llm_monitor_change_look(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_change_undo(
    ngx_http_llm_monitor_change_t *change);
static ngx_int_t ngx_http_llm_monitor_change_answer(
    ngx_http_llm_monitor_call_t *call, int64_t result);
static void ngx_http_llm_monitor_change_cleanup(void *data);


ngx_int_t
ngx_http_llm_monitor_recording(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = call->request;

    if (ngx_http_llm_monitor_unscoped(call) != NGX_OK
        || ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK)
    {
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    if (r->method != NGX_HTTP_PUT) {

        if (__atomic_load_n(&call->mcf->zone.control->recording,
                            __ATOMIC_RELAXED)
            == LLM_RECORDING_UNKNOWN)
        {
            call->run = ngx_http_llm_monitor_recording_run;
            call->done = ngx_http_llm_monitor_answer;

            return ngx_http_llm_monitor_start(call);
        }

        return ngx_http_llm_monitor_recording_answer(call,
                       ngx_http_llm_monitor_zone_recording(&call->mcf->zone));
    }

    if (r->headers_in.content_length_n > NGX_HTTP_LLM_MONITOR_BODY) {
        ngx_http_llm_monitor_recording_large(&call->err);

        r->keepalive = 0;

        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    /* whatever client_body_in_file_only says */

    r->request_body_in_file_only = 0;

    rc = ngx_http_read_client_request_body(r,
                                         ngx_http_llm_monitor_recording_body);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/* nginx has just started, and the writer has not read what holds */

static int
ngx_http_llm_monitor_recording_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_reader(call) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_query_recording(*call->reader, NGX_HTTP_LLM_MONITOR_LONGER,
                               &call->out, &call->err);
}


static void
ngx_http_llm_monitor_recording_large(llm_query_error_t *err)
{
    (void) llm_query_fail(err, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "too_large",
                          NULL, "body is too large");
}


static void
ngx_http_llm_monitor_recording_body(ngx_http_request_t *r)
{
    uint8_t                         on;
    ngx_int_t                       rc;
    ngx_http_llm_monitor_call_t    *call;
    ngx_http_llm_monitor_change_t  *change;

    call = ngx_http_llm_monitor_call_get(r);

    if (ngx_http_llm_monitor_recording_read(r, &on, &call->err) != NGX_OK) {
        rc = ngx_http_llm_monitor_error(r, &call->err, NULL);
        ngx_http_finalize_request(r, rc);
        return;
    }

    change = ngx_http_llm_monitor_change(call, LLM_COMMAND_RECORDING);
    if (change == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    change->args[0] = on;
    change->len = 1;

    /* for all workers at once; the writer makes it last */

    __atomic_store_n(&call->mcf->zone.control->recording, on,
                     __ATOMIC_RELEASE);

    rc = ngx_http_llm_monitor_change_start(call);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* the whole of it is {"recording":true} or false, with or without blanks */

static ngx_int_t
ngx_http_llm_monitor_recording_read(ngx_http_request_t *r, uint8_t *on,
    llm_query_error_t *err)
{
    off_t         size;
    u_char       *p, *last, *value, body[NGX_HTTP_LLM_MONITOR_BODY];
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    size = 0;
    last = body;

    /* it comes in as many buffers as the socket was read into */

    cl = r->request_body ? r->request_body->bufs : NULL;

    for ( /* void */ ; cl; cl = cl->next) {
        b = cl->buf;
        size += ngx_buf_size(b);

        if (size > NGX_HTTP_LLM_MONITOR_BODY) {

            /* in chunks, so that its length was not known before */

            ngx_http_llm_monitor_recording_large(err);
            return NGX_DECLINED;
        }

        if (b->in_file) {
            goto failed;
        }

        last = ngx_cpymem(last, b->pos, b->last - b->pos);
    }

    p = ngx_http_llm_monitor_word(body, last, "{");
    p = ngx_http_llm_monitor_word(p, last, "\"recording\"");
    value = ngx_http_llm_monitor_word(p, last, ":");

    p = ngx_http_llm_monitor_word(value, last, "true");
    *on = (p != NULL);

    if (p == NULL) {
        p = ngx_http_llm_monitor_word(value, last, "false");
    }

    p = ngx_http_llm_monitor_word(p, last, "}");
    p = ngx_http_llm_monitor_word(p, last, "");

    if (p == last) {
        return NGX_OK;
    }

failed:

    (void) llm_query_fail(err, NGX_HTTP_BAD_REQUEST, "bad_parameter",
                          "recording", "body must be {\"recording\":true} "
                          "or {\"recording\":false}");

    return NGX_DECLINED;
}


/* what follows blanks and the word; NULL if it is not there, or p is NULL */

static u_char *
ngx_http_llm_monitor_word(u_char *p, u_char *last, char *word)
{
    size_t  len;

    if (p == NULL) {
        return NULL;
    }

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    len = ngx_strlen(word);

    if ((size_t) (last - p) < len || ngx_strncmp(p, word, len) != 0) {
        return NULL;
    }

    return p + len;
}


static ngx_int_t
ngx_http_llm_monitor_recording_answer(ngx_http_llm_monitor_call_t *call,
    ngx_uint_t on)
{
    llm_buf_text(&call->out, on ? "{\"recording\":true}"
                                : "{\"recording\":false}");

    call->rc = call->out.failed;

    return ngx_http_llm_monitor_answer(call);
}


/* the filter is read in a thread, for zones of time are files */

ngx_int_t
ngx_http_llm_monitor_clear(ngx_http_llm_monitor_call_t *call)
{
    ngx_str_t  stats;

    /* what is not allowed is not, whatever else is wrong */

    if (ngx_http_arg(call->request, (u_char *) "stats", 5, &stats) == NGX_OK
        && stats.len == 1 && stats.data[0] == '1'
        && ngx_http_llm_monitor_unscoped(call) != NGX_OK)
    {
        return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
    }

    call->run = ngx_http_llm_monitor_clear_run;
    call->done = ngx_http_llm_monitor_clear_start;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_clear_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_filter(call, LLM_FOR_CLEAR) != LLM_OK) {
        return LLM_ERROR;
    }

    if (call->filter->num[LLM_F_STATS] == 1
        && ngx_http_llm_monitor_unscoped(call) != NGX_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


static ngx_int_t
ngx_http_llm_monitor_clear_start(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_filtered(call, LLM_COMMAND_CLEAR);
}


/* rows of others must not be changed by one who cannot see them */

ngx_int_t
ngx_http_llm_monitor_reprice(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_unscoped(call) != NGX_OK) {
        return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
    }

    call->run = ngx_http_llm_monitor_reprice_run;
    call->done = ngx_http_llm_monitor_reprice_start;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_reprice_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_filter(call, LLM_FOR_COUNT);
}


static ngx_int_t
ngx_http_llm_monitor_reprice_start(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_filtered(call, LLM_COMMAND_REPRICE);
}


/* a change of the rows that the filters pick */

static ngx_int_t
ngx_http_llm_monitor_filtered(ngx_http_llm_monitor_call_t *call, int op)
{
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_change_t  *change;

    r = call->request;

    if (call->rc != LLM_OK) {
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    change = ngx_http_llm_monitor_change(call, op);
    if (change == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (llm_filter_pack(call->filter, change->args, LLM_COMMAND_ARGS,
                        &change->len)
        != LLM_OK)
    {
        (void) llm_query_fail(&call->err, NGX_HTTP_BAD_REQUEST,
                              "bad_parameter", NULL, "filters are too long");
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    return ngx_http_llm_monitor_change_start(call);
}


ngx_int_t
ngx_http_llm_monitor_ask(ngx_http_llm_monitor_call_t *call, int op,
    const void *args, size_t len)
{
    ngx_http_llm_monitor_change_t  *change;

    change = ngx_http_llm_monitor_change(call, op);
    if (change == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(change->args, args, len);
    change->len = len;

    return ngx_http_llm_monitor_change_start(call);
}


static ngx_http_llm_monitor_change_t *
ngx_http_llm_monitor_change(ngx_http_llm_monitor_call_t *call, int op)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_llm_monitor_change_t  *change;

    cln = ngx_pool_cleanup_add(call->request->pool,
                               sizeof(ngx_http_llm_monitor_change_t));
    if (cln == NULL) {
        return NULL;
    }

    change = cln->data;
    ngx_memzero(change, sizeof(ngx_http_llm_monitor_change_t));

    cln->handler = ngx_http_llm_monitor_change_cleanup;

    change->control = call->mcf->zone.control;
    change->owner = call->mcf->zone.owner;
    change->op = op;
    change->index = -1;
    change->deadline = llm_control_now() + NGX_HTTP_LLM_MONITOR_WAIT;

    change->timer.handler = ngx_http_llm_monitor_change_poll;
    change->timer.data = call->request->connection;
    change->timer.log = call->request->connection->log;

    call->data = change;

    return change;
}


static ngx_int_t
ngx_http_llm_monitor_change_start(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_change_t  *change;

    r = call->request;
    change = call->data;

    rc = ngx_http_llm_monitor_change_look(call);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_add_timer(&change->timer, NGX_HTTP_LLM_MONITOR_POLL);

    return NGX_DONE;
}


static void
ngx_http_llm_monitor_change_poll(ngx_event_t *ev)
{
    ngx_int_t                     rc;
    ngx_connection_t             *c;
    ngx_http_request_t           *r;
    ngx_http_llm_monitor_call_t  *call;

    c = ev->data;
    r = c->data;

    ngx_http_set_log_request(c->log, r);

    call = ngx_http_llm_monitor_call_get(r);

    rc = ngx_http_llm_monitor_change_look(call);

    if (rc == NGX_AGAIN) {
        ngx_add_timer(ev, NGX_HTTP_LLM_MONITOR_POLL);
        return;
    }

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/* NGX_AGAIN: not done yet */

static ngx_int_t
ngx_http_llm_monitor_change_look(ngx_http_llm_monitor_call_t *call)
{
    int                             state;
    char                            error[sizeof(((llm_command_t *) 0)->error)];
    int64_t                         progress, result;
    llm_control_t                  *control;
    ngx_http_llm_monitor_change_t  *change;

    change = call->data;
    control = change->control;

    if (change->index == -1) {

        /* every place is taken: one may be free at the next look */

        change->index = llm_control_ask(control, change->op, change->args,
                                        change->len, change->owner,
                                        change->deadline, &change->ticket);
        if (change->index < 0) {
            change->index = -1;
        }

        state = LLM_COMMAND_WAITING;
        result = 0;

    } else {
        state = llm_control_poll(control, change->index, change->ticket,
                                 &progress, &result, error, sizeof(error));
    }

    switch (state) {

    case LLM_COMMAND_DONE:
        change->ended = 1;
        return ngx_http_llm_monitor_change_answer(call, result);

    case LLM_COMMAND_FAILED:
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "change_failed", NULL, "%s", error);
        break;

    case LLM_COMMAND_FREE:
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "change_lost", NULL,
                              "the writer has gone, ask again");
        break;

    default:

        /* a copy takes as long as it takes, as long as its client waits */

        if (state == LLM_COMMAND_RUNNING && change->op == LLM_COMMAND_BACKUP)
        {
            change->deadline = llm_control_now() + NGX_HTTP_LLM_MONITOR_WAIT;

            llm_control_wait(control, change->index, change->ticket,
                             change->deadline);
        }

        if (llm_control_now() < change->deadline) {
            return NGX_AGAIN;
        }

        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "change_late", NULL,
                              "the writer has not answered in time");
    }

    ngx_http_llm_monitor_change_undo(change);

    return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
}


/*
 * Recording was paused or resumed before the writer made it last, and it did
 * not, or nobody waits for that any more.  What it has begun may still happen.
 */

static void
ngx_http_llm_monitor_change_undo(ngx_http_llm_monitor_change_t *change)
{
    int       state;
    int64_t   progress, result;

    change->ended = 1;

    if (change->op == LLM_COMMAND_BACKUP && change->index != -1) {
        llm_control_wait(change->control, change->index, change->ticket, 0);
    }

    if (change->op != LLM_COMMAND_RECORDING) {
        return;
    }

    if (llm_control_withdraw(change->control, change->index, change->ticket,
                             change->owner)
        != LLM_OK)
    {
        state = llm_control_poll(change->control, change->index,
                                 change->ticket, &progress, &result, NULL, 0);

        if (state == LLM_COMMAND_RUNNING || state == LLM_COMMAND_DONE) {
            return;
        }
    }

    llm_control_restore(change->control);
}


static ngx_int_t
ngx_http_llm_monitor_change_answer(ngx_http_llm_monitor_call_t *call,
    int64_t result)
{
    ngx_http_llm_monitor_change_t  *change;

    change = call->data;

    if (change->op == LLM_COMMAND_RECORDING) {
        return ngx_http_llm_monitor_recording_answer(call, change->args[0]);
    }

    if (change->op == LLM_COMMAND_BACKUP) {
        return ngx_http_llm_monitor_backup_send(call, result);
    }

    llm_buf_text(&call->out, change->op == LLM_COMMAND_REPRICE
                             ? "{\"repriced\":" : "{\"deleted\":");
    llm_buf_int(&call->out, result);
    llm_buf_text(&call->out, "}");

    call->rc = call->out.failed;

    return ngx_http_llm_monitor_answer(call);
}


static void
ngx_http_llm_monitor_change_cleanup(void *data)
{
    ngx_http_llm_monitor_change_t *change = data;

    if (change->timer.timer_set) {
        ngx_del_timer(&change->timer);
    }

    if (!change->ended) {
        ngx_http_llm_monitor_change_undo(change);
    }
}
