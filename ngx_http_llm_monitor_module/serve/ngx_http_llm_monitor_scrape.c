
/*
 * Copyright (C) llm_monitor contributors
 *
 * Lines of the text format 0.0.4 and of OpenMetrics 1.0.
 */


#include "ngx_http_llm_monitor_scrape.h"
#include "../record/llm_text.h"


/* the longest name with its suffix, and what stands around a value */
#define NGX_HTTP_LLM_MONITOR_NAME   96
#define NGX_HTTP_LLM_MONITOR_LINE   (NGX_HTTP_LLM_MONITOR_NAME                \
                                     + NGX_HTTP_LLM_MONITOR_LABELS + 256)


static u_char *ngx_http_llm_monitor_scrape_start(
    ngx_http_llm_monitor_scrape_t *s, char *name, char *suffix);
static void ngx_http_llm_monitor_scrape_end(ngx_http_llm_monitor_scrape_t *s,
    u_char *last);
static u_char *ngx_http_llm_monitor_scrape_bucket(
    ngx_http_llm_monitor_scrape_t *s, char *name, const llm_bounds_t *b,
    int i, uint64_t count);
static u_char *ngx_http_llm_monitor_scrape_exemplar(u_char *p,
    const llm_metrics_exemplar_t *e);
static u_char *ngx_http_llm_monitor_scrape_number(u_char *p, uint64_t value,
    int scale, ngx_uint_t point);
static u_char *ngx_http_llm_monitor_scrape_text(u_char *p, const char *text);


void
ngx_http_llm_monitor_scrape_head(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t type, char *unit, char *help)
{
    char       *total;
    llm_buf_t  *out;

    static char  *types[] = { "counter", "gauge", "histogram", "untyped" };

    out = &s->out;

    /* in OpenMetrics the family of a counter is named without it */

    total = (type == NGX_HTTP_LLM_MONITOR_COUNTER && !s->open) ? "_total" : "";

    llm_buf_text(out, "# HELP ");
    llm_buf_text(out, name);
    llm_buf_text(out, total);
    llm_buf_text(out, " ");
    llm_buf_text(out, help);
    llm_buf_text(out, "\n# TYPE ");
    llm_buf_text(out, name);
    llm_buf_text(out, total);
    llm_buf_text(out, " ");
    llm_buf_text(out, type == NGX_HTTP_LLM_MONITOR_UNTYPED && s->open
                      ? "unknown" : types[type]);
    llm_buf_text(out, "\n");

    if (unit && s->open) {
        llm_buf_text(out, "# UNIT ");
        llm_buf_text(out, name);
        llm_buf_text(out, " ");
        llm_buf_text(out, unit);
        llm_buf_text(out, "\n");
    }
}


void
ngx_http_llm_monitor_scrape_labels(ngx_http_llm_monitor_scrape_t *s)
{
    s->nlabels = 0;
}


void
ngx_http_llm_monitor_scrape_label(ngx_http_llm_monitor_scrape_t *s,
    char *name, const void *text, size_t len)
{
    u_char  *p, *end;

    p = s->labels + s->nlabels;
    end = s->labels + NGX_HTTP_LLM_MONITOR_LABELS;

    /* each byte may become two, and ',="" ' come to it */

    if ((size_t) (end - p) < ngx_strlen(name) + 2 * len + 4) {
        return;
    }

    if (s->nlabels) {
        *p++ = ',';
    }

    p = ngx_http_llm_monitor_scrape_text(p, name);
    *p++ = '=';
    *p++ = '"';

    p = llm_text_label(p, text, len);
    *p++ = '"';

    s->nlabels = p - s->labels;
}


void
ngx_http_llm_monitor_scrape_word(ngx_http_llm_monitor_scrape_t *s,
    char *name, const char *text)
{
    ngx_http_llm_monitor_scrape_label(s, name, text, ngx_strlen(text));
}


void
ngx_http_llm_monitor_scrape_id(ngx_http_llm_monitor_scrape_t *s, char *name,
    ngx_uint_t id)
{
    const llm_metrics_label_t  *label;

    label = &s->metrics->label[id];

    if (id == 0) {
        ngx_http_llm_monitor_scrape_label(s, name, "other", 5);
        return;
    }

    ngx_http_llm_monitor_scrape_label(s, name, label->text,
                                      ngx_min(label->len, LLM_METRICS_TEXT));
}


void
ngx_http_llm_monitor_scrape_status(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t id)
{
    u_char  text[NGX_INT_T_LEN];

    if (id == 0 || id >= LLM_METRICS_STATUSES) {
        ngx_http_llm_monitor_scrape_label(s, name, "other", 5);

    } else if (s->metrics->status[id] == 0) {
        ngx_http_llm_monitor_scrape_label(s, name, "none", 4);

    } else {
        (void) ngx_sprintf(text, "%03ui", (ngx_uint_t) s->metrics->status[id]);
        ngx_http_llm_monitor_scrape_label(s, name, text, 3);
    }
}


void
ngx_http_llm_monitor_scrape_line(ngx_http_llm_monitor_scrape_t *s,
    char *name, char *suffix, uint64_t value, int scale)
{
    u_char  *p;

    p = ngx_http_llm_monitor_scrape_start(s, name, suffix);

    if (p == NULL) {
        return;
    }

    if (s->nlabels) {
        *p++ = '{';
        p = ngx_cpymem(p, s->labels, s->nlabels);
        *p++ = '}';
    }

    *p++ = ' ';
    p = ngx_http_llm_monitor_scrape_number(p, value, scale, 0);

    ngx_http_llm_monitor_scrape_end(s, p);
}


/* Room for a whole line; NULL: there is none. */

static u_char *
ngx_http_llm_monitor_scrape_start(ngx_http_llm_monitor_scrape_t *s,
    char *name, char *suffix)
{
    u_char  *p;

    p = llm_buf_room(&s->out, NGX_HTTP_LLM_MONITOR_LINE);

    if (p == NULL) {
        return NULL;
    }

    p = ngx_http_llm_monitor_scrape_text(p, name);

    return ngx_http_llm_monitor_scrape_text(p, suffix);
}


static void
ngx_http_llm_monitor_scrape_end(ngx_http_llm_monitor_scrape_t *s, u_char *last)
{
    *last++ = '\n';

    s->out.len = last - s->out.data;
}


void
ngx_http_llm_monitor_scrape_one(ngx_http_llm_monitor_scrape_t *s, char *name,
    ngx_uint_t type, char *unit, char *help, uint64_t value, int scale)
{
    ngx_http_llm_monitor_scrape_head(s, name, type, unit, help);
    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_line(s, name,
                          type == NGX_HTTP_LLM_MONITOR_COUNTER ? "_total" : "",
                          value, scale);
}


void
ngx_http_llm_monitor_scrape_hist(ngx_http_llm_monitor_scrape_t *s,
    char *name, const llm_bounds_t *b, const uint64_t *words,
    const llm_metrics_exemplar_t *exemplars)
{
    int        i;
    u_char    *p;
    uint64_t   count;

    count = 0;

    for (i = 0; i < b->n; i++) {
        count += words[i];

        p = ngx_http_llm_monitor_scrape_bucket(s, name, b, i, count);

        if (p == NULL) {
            return;
        }

        if (s->open && exemplars && exemplars[i].second) {
            p = ngx_http_llm_monitor_scrape_exemplar(p, &exemplars[i]);
        }

        ngx_http_llm_monitor_scrape_end(s, p);
    }

    ngx_http_llm_monitor_scrape_line(s, name, "_sum", words[b->n], b->scale);
    ngx_http_llm_monitor_scrape_line(s, name, "_count", count, 0);
}


static u_char *
ngx_http_llm_monitor_scrape_bucket(ngx_http_llm_monitor_scrape_t *s,
    char *name, const llm_bounds_t *b, int i, uint64_t count)
{
    u_char  *p;

    p = ngx_http_llm_monitor_scrape_start(s, name, "_bucket{");

    if (p == NULL) {
        return NULL;
    }

    if (s->nlabels) {
        p = ngx_cpymem(p, s->labels, s->nlabels);
        *p++ = ',';
    }

    p = ngx_http_llm_monitor_scrape_text(p, "le=\"");

    if (i < b->n - 1) {
        p = ngx_http_llm_monitor_scrape_number(p, b->le[i], b->scale, s->open);

    } else {
        p = ngx_http_llm_monitor_scrape_text(p, "+Inf");
    }

    p = ngx_http_llm_monitor_scrape_text(p, "\"} ");

    return ngx_http_llm_monitor_scrape_number(p, count, 0, 0);
}


/* One that is being written just now is left out. */

static u_char *
ngx_http_llm_monitor_scrape_exemplar(u_char *p,
    const llm_metrics_exemplar_t *e)
{
    uint32_t                second;
    llm_metrics_exemplar_t  copy;

    second = __atomic_load_n(&e->second, __ATOMIC_ACQUIRE);

    if (__atomic_load_n(&e->lock, __ATOMIC_ACQUIRE) != 0) {
        return p;
    }

    copy = *e;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (__atomic_load_n(&e->lock, __ATOMIC_RELAXED) != 0
        || __atomic_load_n(&e->second, __ATOMIC_RELAXED) != second)
    {
        return p;
    }

    p = ngx_http_llm_monitor_scrape_text(p, " # {trace_id=\"");
    p = ngx_cpymem(p, copy.trace, sizeof(copy.trace));
    p = ngx_http_llm_monitor_scrape_text(p, "\"} ");
    p = ngx_http_llm_monitor_scrape_number(p, copy.us, 6, 0);
    *p++ = ' ';

    return ngx_http_llm_monitor_scrape_number(p, copy.ms, 3, 0);
}


/*
 * A decimal number without zeros at its end; point: 1 is "1.0", as OpenMetrics
 * wants the bounds of buckets.
 */

static u_char *
ngx_http_llm_monitor_scrape_number(u_char *p, uint64_t value, int scale,
    ngx_uint_t point)
{
    int      n;
    u_char  *d, digits[NGX_INT64_LEN + 16];

    while (scale > 0 && value % 10 == 0) {
        value /= 10;
        scale--;
    }

    d = digits + sizeof(digits);
    n = 0;

    do {
        if (n == scale && scale > 0) {
            *--d = '.';
        }

        *--d = (u_char) ('0' + value % 10);
        value /= 10;
        n++;

    } while (value != 0 || n <= scale);

    p = ngx_cpymem(p, d, digits + sizeof(digits) - d);

    if (point && scale == 0) {
        p = ngx_http_llm_monitor_scrape_text(p, ".0");
    }

    return p;
}


static u_char *
ngx_http_llm_monitor_scrape_text(u_char *p, const char *text)
{
    while (*text) {
        *p++ = (u_char) *text++;
    }

    return p;
}
