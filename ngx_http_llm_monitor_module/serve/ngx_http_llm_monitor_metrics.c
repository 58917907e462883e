
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"
#include "ngx_http_llm_monitor_scrape.h"


/* of all families, each with the most series that it may have */
#define NGX_HTTP_LLM_MONITOR_SCRAPE_MAX    (64 * 1024 * 1024)

/* bytes after which other requests have their turn, some 0.2 ms */
#define NGX_HTTP_LLM_MONITOR_SCRAPE_SLICE  (64 * 1024)

/* a quality of 1 in thousandths */
#define NGX_HTTP_LLM_MONITOR_Q             1000


static ngx_int_t ngx_http_llm_monitor_scrape(
    ngx_http_llm_monitor_scrape_t *s);
static void ngx_http_llm_monitor_scrape_next(ngx_event_t *ev);
static ngx_int_t ngx_http_llm_monitor_scrape_send(
    ngx_http_llm_monitor_scrape_t *s);
static void ngx_http_llm_monitor_scrape_cleanup(void *data);
static ngx_uint_t ngx_http_llm_monitor_wants_open(ngx_http_request_t *r);
static void ngx_http_llm_monitor_accept(ngx_str_t *value, ngx_uint_t *open,
    ngx_uint_t *plain);
static ngx_uint_t ngx_http_llm_monitor_quality(u_char *p, u_char *last);
static u_char *ngx_http_llm_monitor_token(u_char *p, u_char *last, u_char end);


ngx_int_t
ngx_http_llm_monitor_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_pool_cleanup_t             *cln;
    ngx_http_llm_monitor_scrape_t  *s;

    if (ngx_http_llm_monitor_look(r, &rc) != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_llm_monitor_scrape_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = cln->data;
    ngx_memzero(s, sizeof(ngx_http_llm_monitor_scrape_t));

    s->request = r;
    s->mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);
    s->metrics = s->mcf->zone.metrics.shared;
    s->open = ngx_http_llm_monitor_wants_open(r);
    s->second = (uint32_t) (ngx_current_msec / 1000) + 1;
    s->family = ngx_http_llm_monitor_families;

    s->next.handler = ngx_http_llm_monitor_scrape_next;
    s->next.data = s;
    s->next.log = r->connection->log;

    llm_buf_init(&s->out, NGX_HTTP_LLM_MONITOR_SCRAPE_MAX);

    cln->handler = ngx_http_llm_monitor_scrape_cleanup;

    rc = ngx_http_llm_monitor_scrape(s);

    if (rc == NGX_BUSY) {
        r->read_event_handler = ngx_http_test_reading;
        r->main->count++;

        return NGX_DONE;
    }

    return rc;
}


/* NGX_BUSY: the next slice comes by itself. */

static ngx_int_t
ngx_http_llm_monitor_scrape(ngx_http_llm_monitor_scrape_t *s)
{
    size_t                          start;
    ngx_http_llm_monitor_family_t  *family;

    start = s->out.len;

    for ( /* void */ ; s->family->write; s->family++) {

        family = s->family;

        if (family->sets && !(s->mcf->sets & family->sets)) {
            continue;
        }

        if (family->set == -1) {
            family->write(s, family, 0);
            continue;
        }

        if (s->n == 0) {
            ngx_http_llm_monitor_scrape_head(s, family->name, family->type,
                                             family->unit, family->help);
        }

        while (s->n < __atomic_load_n(&s->metrics->nseries[family->set],
                                      __ATOMIC_ACQUIRE))
        {
            family->write(s, family, s->n++);

            if (s->out.len - start > NGX_HTTP_LLM_MONITOR_SCRAPE_SLICE) {
                ngx_post_event(&s->next, &ngx_posted_next_events);
                return NGX_BUSY;
            }
        }

        s->n = 0;
    }

    if (s->open) {
        llm_buf_text(&s->out, "# EOF\n");
    }

    return ngx_http_llm_monitor_scrape_send(s);
}


static void
ngx_http_llm_monitor_scrape_next(ngx_event_t *ev)
{
    ngx_int_t                       rc;
    ngx_connection_t               *c;
    ngx_http_llm_monitor_scrape_t  *s;

    s = ev->data;
    c = s->request->connection;

    ngx_http_set_log_request(c->log, s->request);

    rc = ngx_http_llm_monitor_scrape(s);

    if (rc != NGX_BUSY) {
        ngx_http_finalize_request(s->request, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_llm_monitor_scrape_send(ngx_http_llm_monitor_scrape_t *s)
{
    static ngx_str_t  plain =
        ngx_string("text/plain; version=0.0.4; charset=utf-8");
    static ngx_str_t  open =
        ngx_string("application/openmetrics-text; version=1.0.0; "
                   "charset=utf-8");

    if (s->out.failed != LLM_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_llm_monitor_reply(s->request, NGX_HTTP_OK,
                                      s->open ? &open : &plain, s->out.data,
                                      s->out.len);
}


static void
ngx_http_llm_monitor_scrape_cleanup(void *data)
{
    ngx_http_llm_monitor_scrape_t *s = data;

    if (s->next.posted) {
        ngx_delete_posted_event(&s->next);
    }

    llm_buf_free(&s->out);
}


/* Not if the client likes text better, or says nothing of either. */

static ngx_uint_t
ngx_http_llm_monitor_wants_open(ngx_http_request_t *r)
{
    ngx_uint_t        i, open, plain;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("accept");

    open = 0;
    plain = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == name.len
                && ngx_strncasecmp(h[i].key.data, name.data, name.len) == 0)
            {
                ngx_http_llm_monitor_accept(&h[i].value, &open, &plain);
            }
        }
    }

    return open && open >= plain;
}


static void
ngx_http_llm_monitor_accept(ngx_str_t *value, ngx_uint_t *open,
    ngx_uint_t *plain)
{
    u_char      *p, *end, *last, *type;
    size_t       len;
    ngx_uint_t   q;

    static ngx_str_t  metrics = ngx_string("application/openmetrics-text");
    static ngx_str_t  text = ngx_string("text/plain");

    last = value->data + value->len;

    for (p = value->data; p < last; p = end + 1) {

        end = ngx_http_llm_monitor_token(p, last, ',');

        while (p < end && *p == ' ') {
            p++;
        }

        type = ngx_http_llm_monitor_token(p, end, ';');
        q = ngx_http_llm_monitor_quality(type, end);

        while (type > p && type[-1] == ' ') {
            type--;
        }

        len = type - p;

        if (len == metrics.len
            && ngx_strncasecmp(p, metrics.data, len) == 0)
        {
            *open = ngx_max(*open, q);

        } else if (len == text.len && ngx_strncasecmp(p, text.data, len) == 0)
        {
            *plain = ngx_max(*plain, q);
        }
    }
}


/* What follows the type: "; version=1.0.0; q=0.5"; in thousandths. */

static ngx_uint_t
ngx_http_llm_monitor_quality(u_char *p, u_char *last)
{
    ngx_int_t  q;
    u_char    *end;

    for ( /* void */ ; p < last; p = end) {

        p++;
        end = ngx_http_llm_monitor_token(p, last, ';');

        while (p < end && *p == ' ') {
            p++;
        }

        if (end - p >= 3 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=') {

            p += 2;

            while (end > p && end[-1] == ' ') {
                end--;
            }

            q = ngx_atofp(p, end - p, 3);

            return q == NGX_ERROR || q > NGX_HTTP_LLM_MONITOR_Q ? 0 : q;
        }
    }

    return NGX_HTTP_LLM_MONITOR_Q;
}


static u_char *
ngx_http_llm_monitor_token(u_char *p, u_char *last, u_char end)
{
    while (p < last && *p != end) {
        p++;
    }

    return p;
}
