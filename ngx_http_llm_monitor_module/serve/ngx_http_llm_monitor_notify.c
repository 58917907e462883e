
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_notify.h"
#include "ngx_http_llm_monitor_tls.h"
#include "../record/llm_json_write.h"
#include "../ring/llm_metrics_count.h"

#include <ngx_event_connect.h>


/* messages that wait in a process */
#define NGX_HTTP_LLM_MONITOR_NOTIFY_QUEUE     16

/* ms for a message from connect(), TLS too, to the answer's first line */
#define NGX_HTTP_LLM_MONITOR_NOTIFY_TIMEOUT   5000

/* tries of a message, and ms between them */
#define NGX_HTTP_LLM_MONITOR_NOTIFY_TRIES     3
#define NGX_HTTP_LLM_MONITOR_NOTIFY_AGAIN     2000

/* bytes of a message's body, of its head, of an answer that is looked at */
#define NGX_HTTP_LLM_MONITOR_NOTIFY_BODY      4096
#define NGX_HTTP_LLM_MONITOR_NOTIFY_HEAD      1024
#define NGX_HTTP_LLM_MONITOR_TITLE            256
#define NGX_HTTP_LLM_MONITOR_NOTIFY_ANSWER    sizeof("HTTP/1.1 204")


/* places of what became of a message */

enum {
    NGX_HTTP_LLM_MONITOR_SENT = 0,
    NGX_HTTP_LLM_MONITOR_FAILED,
    NGX_HTTP_LLM_MONITOR_DROPPED
};


/* has all that it needs in it: a reload may take the configuration away */

typedef struct {
    ngx_sockaddr_t              sockaddr;
    socklen_t                   socklen;
    ngx_uint_t                  channel;
    ngx_uint_t                  tries;
    llm_metrics_t              *metrics;
#if (NGX_SSL)
    ngx_http_llm_monitor_tls_t  tls;
#endif
    size_t                      len;
    u_char                      text[NGX_HTTP_LLM_MONITOR_NOTIFY_HEAD
                                     + NGX_HTTP_LLM_MONITOR_NOTIFY_BODY];
} ngx_http_llm_monitor_message_t;


/* state of this process, not of a configuration */

typedef struct {
    ngx_http_llm_monitor_message_t  *queue[NGX_HTTP_LLM_MONITOR_NOTIFY_QUEUE];
    ngx_uint_t                       n;            /* the first is sent */
    ngx_connection_t                *connection;   /* NULL: not being sent */
    ngx_event_t                      again;
    ngx_connection_t                 dummy;        /* for its debug log */
    size_t                           sent;
    size_t                           got;
    u_char                           answer[
                                        NGX_HTTP_LLM_MONITOR_NOTIFY_ANSWER];
    uint32_t                         second;       /* of the last look */
} ngx_http_llm_monitor_notify_t;


static ngx_int_t ngx_http_llm_monitor_message(
    ngx_http_llm_monitor_message_t *message,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event);
static void ngx_http_llm_monitor_message_text(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event);
static void ngx_http_llm_monitor_message_number(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, int64_t value);
static void ngx_http_llm_monitor_message_webhook(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event,
    llm_buf_t *text);
static void ngx_http_llm_monitor_message_discord(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event,
    llm_buf_t *text);
static void ngx_http_llm_monitor_notify_start(void);
static void ngx_http_llm_monitor_notify_again(ngx_event_t *ev);
#if (NGX_SSL)
static void ngx_http_llm_monitor_notify_connected(ngx_event_t *ev);
static void ngx_http_llm_monitor_notify_handshake(ngx_connection_t *c);
#endif
static void ngx_http_llm_monitor_notify_write(ngx_event_t *ev);
static void ngx_http_llm_monitor_notify_read(ngx_event_t *ev);
static void ngx_http_llm_monitor_notify_done(ngx_uint_t good);
static void ngx_http_llm_monitor_notify_close(
    ngx_http_llm_monitor_notify_t *n);
static void ngx_http_llm_monitor_notify_free(
    ngx_http_llm_monitor_message_t *message);


static ngx_http_llm_monitor_notify_t  ngx_http_llm_monitor_notifier;


void
ngx_http_llm_monitor_alerts(ngx_http_llm_monitor_main_conf_t *mcf)
{
    int                            reason;
    uint32_t                       second;
    uint64_t                       dropped;
    ngx_uint_t                     i;
    llm_terms_t                    terms;
    llm_metrics_t                 *m;
    llm_alert_event_t              event;
    ngx_http_llm_monitor_alert_t  *alert;

    second = (uint32_t) (ngx_current_msec / 1000) + 1;

    if (second == ngx_http_llm_monitor_notifier.second) {
        return;
    }

    ngx_http_llm_monitor_notifier.second = second;

    m = mcf->zone.metrics.shared;
    dropped = 0;

    ngx_http_llm_monitor_zone_terms(&mcf->zone, &terms);

    for (reason = 0; reason < LLM_DROP_COUNT; reason++) {
        dropped += terms.dropped[reason];
    }

    llm_alert_sample(m, second, dropped);

    alert = mcf->alerts->elts;

    for (i = 0; i < mcf->alerts->nelts; i++) {
        llm_alert_check(m, &alert[i].alert, i, second, &event);

        if (event.status != LLM_ALERT_NOTHING) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "llm_monitor: alert %s %s",
                          llm_alert_name(alert[i].alert.kind),
                          event.status == LLM_ALERT_FIRING ? "fires"
                                                           : "is over");

            (void) ngx_http_llm_monitor_notify(mcf, &alert[i], &event);
        }
    }
}


ngx_int_t
ngx_http_llm_monitor_notify(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event)
{
    uint64_t                        *sent;
    ngx_http_llm_monitor_notify_t   *n;
    ngx_http_llm_monitor_message_t  *message;

    n = &ngx_http_llm_monitor_notifier;
    sent = mcf->zone.metrics.shared->sent[alert->channel];

    message = NULL;

    if (n->n < NGX_HTTP_LLM_MONITOR_NOTIFY_QUEUE) {
        message = ngx_calloc(sizeof(ngx_http_llm_monitor_message_t),
                             ngx_cycle->log);
    }

    if (message == NULL
        || ngx_http_llm_monitor_message(message, alert, event) != NGX_OK)
    {
        if (message) {
            ngx_free(message);
        }

        llm_metrics_add(&sent[NGX_HTTP_LLM_MONITOR_DROPPED], 1);
        return NGX_DECLINED;
    }

    message->metrics = mcf->zone.metrics.shared;

#if (NGX_SSL)

    if (alert->tls) {
        ngx_http_llm_monitor_tls_hold(&message->tls, mcf->alert_ssl,
                                      mcf->alert_verify, &alert->name);
    }

#endif

    n->queue[n->n++] = message;

    if (n->n == 1) {
        ngx_http_llm_monitor_notify_start();
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_message(ngx_http_llm_monitor_message_t *message,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event)
{
    u_char     *p, *end;
    ngx_int_t   rc;
    llm_buf_t   body, text;

    llm_buf_init(&text, NGX_HTTP_LLM_MONITOR_NOTIFY_BODY);
    llm_buf_init(&body, NGX_HTTP_LLM_MONITOR_NOTIFY_BODY);

    ngx_http_llm_monitor_message_text(&text, alert, event);

    if (alert->channel == NGX_HTTP_LLM_MONITOR_DISCORD) {
        ngx_http_llm_monitor_message_discord(&body, alert, event, &text);

    } else {
        ngx_http_llm_monitor_message_webhook(&body, alert, event, &text);
    }

    p = message->text;
    end = p + NGX_HTTP_LLM_MONITOR_NOTIFY_HEAD;

    p = ngx_slprintf(p, end, "POST %V HTTP/1.1" CRLF "Host: %V" CRLF
                     "User-Agent: llm_monitor/" NGX_HTTP_LLM_MONITOR_VERSION
                     CRLF "Content-Type: application/json" CRLF
                     "Content-Length: %uz" CRLF "Connection: close" CRLF CRLF,
                     &alert->uri, &alert->host, body.len);

    rc = NGX_ERROR;

    if (p != end && body.failed == LLM_OK && text.failed == LLM_OK) {
        p = ngx_cpymem(p, body.data, body.len);

        message->len = p - message->text;
        message->channel = alert->channel;
        message->socklen = alert->addr.socklen;
        ngx_memcpy(&message->sockaddr, alert->addr.sockaddr,
                   alert->addr.socklen);

        rc = NGX_OK;
    }

    llm_buf_free(&text);
    llm_buf_free(&body);

    return rc;
}


/* A sentence for people. */

static void
ngx_http_llm_monitor_message_text(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event)
{
    u_char  *p, text[NGX_HTTP_LLM_MONITOR_TITLE];

    static const struct {
        char    *begin;
        char    *middle;
        char    *end;
    } words[LLM_ALERT_KINDS] = {
        { "the share of failed requests is ", ", more than ", "" },
        { "95 % of the requests took up to ", " s, more than ", " s" },
        { "95 % of the first tokens took up to ", " s, more than ", " s" },
        { "the share of good answers is ", ", less than ", "" },
        { "no request for ", " s, the bound is ", " s" },
        { "the requests of an hour cost ", " USD, more than ", " USD" },
        { "records were dropped: ", ", more than ", "" }
    };

    if (event->status == LLM_ALERT_TEST) {
        llm_buf_text(out, "this is a test");
        return;
    }

    if (event->status == LLM_ALERT_RESOLVED) {
        p = ngx_slprintf(text, text + sizeof(text), "over after %uD s",
                         event->seconds);
        llm_buf_add(out, text, p - text);
        return;
    }

    llm_buf_text(out, words[alert->alert.kind].begin);
    ngx_http_llm_monitor_message_number(out, alert, event->value);
    llm_buf_text(out, words[alert->alert.kind].middle);
    ngx_http_llm_monitor_message_number(out, alert, alert->alert.threshold);
    llm_buf_text(out, words[alert->alert.kind].end);
}


static void
ngx_http_llm_monitor_message_number(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, int64_t value)
{
    llm_json_t  j;

    llm_json_init(&j, out);
    llm_json_decimal(&j, value, llm_alert_scale(alert->alert.kind));
}


static void
ngx_http_llm_monitor_message_webhook(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event,
    llm_buf_t *text)
{
    int          scale;
    llm_json_t   j;
    ngx_time_t  *tp;

    static const char  *statuses[] = { NULL, "firing", "resolved", "test" };

    tp = ngx_timeofday();
    scale = llm_alert_scale(alert->alert.kind);

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    llm_json_key(&j, "status");
    llm_json_text(&j, statuses[event->status]);

    llm_json_key(&j, "alert");
    llm_json_text(&j, llm_alert_name(alert->alert.kind));

    llm_json_key(&j, "value");
    llm_json_decimal(&j, event->value, scale);

    llm_json_key(&j, "threshold");
    llm_json_decimal(&j, alert->alert.threshold, scale);

    llm_json_key(&j, "upstream");
    llm_json_str(&j, &event->upstream);

    llm_json_key(&j, "seconds");
    llm_json_int(&j, event->seconds);

    llm_json_key(&j, "timestamp");
    llm_json_int(&j, (int64_t) tp->sec * 1000 + tp->msec);

    llm_json_key(&j, "host");
    llm_json_string(&j, ngx_cycle->hostname.data, ngx_cycle->hostname.len);

    llm_json_key(&j, "message");
    llm_json_string(&j, text->data, text->len);

    llm_json_close_object(&j);
}


/* The form that Alertmanager's messages have. */

static void
ngx_http_llm_monitor_message_discord(llm_buf_t *out,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event,
    llm_buf_t *text)
{
    u_char       title[NGX_HTTP_LLM_MONITOR_TITLE], *last;
    llm_json_t   j;

    static const char  *statuses[] = {
        "", "[FIRING:1]", "[RESOLVED]", "[TEST]"
    };

    last = ngx_slprintf(title, title + sizeof(title), "%s %s on %V",
                        statuses[event->status],
                        llm_alert_name(alert->alert.kind),
                        &ngx_cycle->hostname);

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    llm_json_key(&j, "content");
    llm_json_text(&j, "");

    llm_json_key(&j, "embeds");
    llm_json_open_array(&j);
    llm_json_open_object(&j);

    llm_json_key(&j, "title");
    llm_json_string(&j, title, last - title);

    llm_json_key(&j, "description");
    llm_json_open_string(&j);
    llm_json_append(&j, text->data, text->len);

    if (event->upstream.len) {
        llm_json_append(&j, (const uint8_t *) " (", 2);
        llm_json_append(&j, event->upstream.data, event->upstream.len);
        llm_json_append(&j, (const uint8_t *) ")", 1);
    }

    llm_json_close_string(&j);

    llm_json_close_object(&j);
    llm_json_close_array(&j);
    llm_json_close_object(&j);
}


/* The first of the queue. */

static void
ngx_http_llm_monitor_notify_start(void)
{
    ngx_int_t                        rc;
    ngx_str_t                        name;
    ngx_connection_t                *c;
    ngx_peer_connection_t            peer;
    ngx_http_llm_monitor_notify_t   *n;
    ngx_http_llm_monitor_message_t  *message;

    n = &ngx_http_llm_monitor_notifier;
    message = n->queue[0];

    ngx_str_set(&name, "llm_monitor_alert");

    ngx_memzero(&peer, sizeof(ngx_peer_connection_t));

    peer.sockaddr = &message->sockaddr.sockaddr;
    peer.socklen = message->socklen;
    peer.name = &name;
    peer.get = ngx_event_get_peer;
    peer.log = ngx_cycle->log;
    peer.log_error = NGX_ERROR_ERR;

    n->sent = 0;
    n->got = 0;
    message->tries++;

    rc = ngx_event_connect_peer(&peer);

    n->connection = peer.connection;

    if (rc == NGX_ERROR || rc == NGX_BUSY || rc == NGX_DECLINED) {
        ngx_http_llm_monitor_notify_done(0);
        return;
    }

    c = peer.connection;

    c->data = n;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_llm_monitor_notify_read;
    c->write->handler = ngx_http_llm_monitor_notify_write;

#if (NGX_SSL)

    if (message->tls.ssl.ctx) {
        c->write->handler = ngx_http_llm_monitor_notify_connected;
    }

#endif

    ngx_add_timer(c->read, NGX_HTTP_LLM_MONITOR_NOTIFY_TIMEOUT);

    if (rc == NGX_OK) {
        c->write->handler(c->write);
    }
}


#if (NGX_SSL)

static void
ngx_http_llm_monitor_notify_connected(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_llm_monitor_notify_t  *n;

    c = ev->data;
    n = c->data;

    if (ngx_http_llm_monitor_tls_start(c, &n->queue[0]->tls,
                                       ngx_http_llm_monitor_notify_handshake)
        != NGX_OK)
    {
        ngx_http_llm_monitor_notify_done(0);
    }
}


static void
ngx_http_llm_monitor_notify_handshake(ngx_connection_t *c)
{
    ngx_http_llm_monitor_notify_t  *n;

    n = c->data;

    if (ngx_http_llm_monitor_tls_check(c, &n->queue[0]->tls) != NGX_OK) {
        ngx_http_llm_monitor_notify_done(0);
        return;
    }

    c->read->handler = ngx_http_llm_monitor_notify_read;
    c->write->handler = ngx_http_llm_monitor_notify_write;

    ngx_http_llm_monitor_notify_write(c->write);
}

#endif


static void
ngx_http_llm_monitor_notify_write(ngx_event_t *ev)
{
    ssize_t                          size;
    ngx_connection_t                *c;
    ngx_http_llm_monitor_notify_t   *n;
    ngx_http_llm_monitor_message_t  *message;

    c = ev->data;
    n = c->data;
    message = n->queue[0];

    while (n->sent < message->len) {
        size = c->send(c, message->text + n->sent, message->len - n->sent);

        if (size == NGX_AGAIN) {
            break;
        }

        if (size <= 0) {
            ngx_http_llm_monitor_notify_done(0);
            return;
        }

        n->sent += size;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_http_llm_monitor_notify_done(0);
    }
}


/* Its status is all that is asked of the answer. */

static void
ngx_http_llm_monitor_notify_read(ngx_event_t *ev)
{
    ssize_t                         size;
    ngx_connection_t               *c;
    ngx_http_llm_monitor_notify_t  *n;

    c = ev->data;
    n = c->data;

    if (ev->timedout) {
        ngx_http_llm_monitor_notify_done(0);
        return;
    }

    while (n->got < sizeof(n->answer)) {
        size = c->recv(c, n->answer + n->got, sizeof(n->answer) - n->got);

        if (size == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_http_llm_monitor_notify_done(0);
            }

            return;
        }

        if (size <= 0) {
            break;
        }

        n->got += size;
    }

    ngx_http_llm_monitor_notify_done(n->got == sizeof(n->answer)
                                     && ngx_strncmp(n->answer, "HTTP/1.", 7)
                                        == 0
                                     && n->answer[9] == '2');
}


static void
ngx_http_llm_monitor_notify_done(ngx_uint_t good)
{
    uint64_t                        *sent;
    ngx_http_llm_monitor_notify_t   *n;
    ngx_http_llm_monitor_message_t  *message;

    n = &ngx_http_llm_monitor_notifier;
    message = n->queue[0];

    ngx_http_llm_monitor_notify_close(n);

    if (!good && message->tries < NGX_HTTP_LLM_MONITOR_NOTIFY_TRIES) {
        n->again.handler = ngx_http_llm_monitor_notify_again;
        n->again.data = &n->dummy;
        n->again.log = ngx_cycle->log;
        n->again.cancelable = 1;
        n->dummy.fd = (ngx_socket_t) -1;

        ngx_add_timer(&n->again, NGX_HTTP_LLM_MONITOR_NOTIFY_AGAIN);
        return;
    }

    if (!good) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "llm_monitor: message of an alert could not be sent");
    }

    sent = message->metrics->sent[message->channel];
    llm_metrics_add(&sent[good ? NGX_HTTP_LLM_MONITOR_SENT
                               : NGX_HTTP_LLM_MONITOR_FAILED], 1);

    ngx_http_llm_monitor_notify_free(message);

    n->n--;
    ngx_memmove(n->queue, n->queue + 1,
                n->n * sizeof(ngx_http_llm_monitor_message_t *));

    /* not from here: many that fail at once would be a deep recursion */

    if (n->n) {
        n->again.handler = ngx_http_llm_monitor_notify_again;
        n->again.data = &n->dummy;
        n->again.log = ngx_cycle->log;
        n->dummy.fd = (ngx_socket_t) -1;

        ngx_add_timer(&n->again, 1);
    }
}


static void
ngx_http_llm_monitor_notify_again(ngx_event_t *ev)
{
    ngx_http_llm_monitor_notify_start();
}


void
ngx_http_llm_monitor_notify_end(void)
{
    ngx_http_llm_monitor_notify_t  *n;

    n = &ngx_http_llm_monitor_notifier;

    ngx_http_llm_monitor_notify_close(n);

    if (n->again.timer_set) {
        ngx_del_timer(&n->again);
    }

    while (n->n) {
        ngx_http_llm_monitor_notify_free(n->queue[--n->n]);
    }
}


static void
ngx_http_llm_monitor_notify_close(ngx_http_llm_monitor_notify_t *n)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = n->connection;

    if (c == NULL) {
        return;
    }

    n->connection = NULL;

#if (NGX_SSL)
    ngx_http_llm_monitor_tls_end(c);
#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_llm_monitor_notify_free(ngx_http_llm_monitor_message_t *message)
{
#if (NGX_SSL)
    ngx_http_llm_monitor_tls_release(&message->tls);
#endif

    ngx_free(message);
}
