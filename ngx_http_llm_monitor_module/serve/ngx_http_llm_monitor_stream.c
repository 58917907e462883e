
/*
 * Copyright (C) llm_monitor contributors
 *
 * A long answer: a slice is made in a thread, sent, and the next one is made
 * when the client has taken it.  A slow client costs one slice of memory and
 * holds neither a connection to the database nor a transaction.
 */


#include "ngx_http_llm_monitor_call.h"


static ngx_int_t ngx_http_llm_monitor_stream_sent(
    ngx_http_llm_monitor_call_t *call);


ngx_int_t
ngx_http_llm_monitor_stream(ngx_http_llm_monitor_call_t *call,
    ngx_uint_t last)
{
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = call->request;

    if (call->out.len == 0) {

        if (last) {
            return ngx_http_send_special(r, NGX_HTTP_LAST);
        }

        return call->next(call);
    }

    b = call->buf;

    if (b == NULL) {
        b = ngx_calloc_buf(r->pool);
        if (b == NULL) {
            return NGX_ERROR;
        }

        call->buf = b;
    }

    /* all of the slice before is sent, so its buffer is nobody's any more */

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = call->out.data;
    b->pos = call->out.data;
    b->last = call->out.data + call->out.len;
    b->end = b->last;
    b->memory = 1;
    b->flush = 1;
    b->last_buf = last;
    b->last_in_chain = last;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_output_filter(r, &out);

    if (rc == NGX_ERROR || last) {

        /* what is left of the last slice is nginx's own affair */

        return rc;
    }

    return ngx_http_llm_monitor_stream_sent(call);
}


/* the memory is used again when nobody looks at it any more */

static ngx_int_t
ngx_http_llm_monitor_stream_sent(ngx_http_llm_monitor_call_t *call)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = call->request;
    c = r->connection;
    wev = c->write;

    if (r->buffered || r->postponed || c->buffered) {
        r->write_event_handler = ngx_http_llm_monitor_stream_writer;

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            return NGX_ERROR;
        }

        return NGX_DONE;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return call->next(call);
}


void
ngx_http_llm_monitor_stream_writer(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_event_t                  *wev;
    ngx_connection_t             *c;
    ngx_http_llm_monitor_call_t  *call;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    call = ngx_http_llm_monitor_call_get(r);

    rc = ngx_http_output_filter(r, NULL);

    if (rc != NGX_ERROR) {
        rc = ngx_http_llm_monitor_stream_sent(call);
    }

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}
