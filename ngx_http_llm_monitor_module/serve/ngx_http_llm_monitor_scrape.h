
/*
 * Copyright (C) llm_monitor contributors
 *
 * The text of a scrape, made in slices in the event loop: a scrape is answered
 * also when every thread waits for a disk.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_SCRAPE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_SCRAPE_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"
#include "../record/llm_buf.h"
#include "../ring/llm_metrics_count.h"


/* names and values of all labels of a line, bytes */
#define NGX_HTTP_LLM_MONITOR_LABELS  1024


typedef enum {
    NGX_HTTP_LLM_MONITOR_COUNTER = 0,
    NGX_HTTP_LLM_MONITOR_GAUGE,
    NGX_HTTP_LLM_MONITOR_HISTOGRAM,
    NGX_HTTP_LLM_MONITOR_UNTYPED
} ngx_http_llm_monitor_type_e;


typedef struct ngx_http_llm_monitor_family_s  ngx_http_llm_monitor_family_t;


typedef struct {
    ngx_http_request_t                   *request;
    ngx_http_llm_monitor_main_conf_t     *mcf;
    const llm_metrics_t                  *metrics;
    ngx_uint_t                            open;      /* OpenMetrics */
    uint32_t                              second;    /* as metrics count it */

    llm_buf_t                             out;

    /* where the next slice begins */
    ngx_http_llm_monitor_family_t        *family;
    uint32_t                              n;
    ngx_event_t                           next;

    /* of the line that is being written */
    size_t                                nlabels;
    u_char                                labels[NGX_HTTP_LLM_MONITOR_LABELS];
} ngx_http_llm_monitor_scrape_t;


/*
 * One family: for each series of a set, or once.  Where write is another
 * function than those of the table, it makes the lines itself.
 */

struct ngx_http_llm_monitor_family_s {
    char                   *name;              /* without _total */
    ngx_uint_t              type;
    char                   *unit;              /* or NULL */
    char                   *help;
    int                     set;               /* -1: once, no header */
    int                     word;
    const llm_bounds_t     *bounds;
    ngx_uint_t              sets;              /* directives it needs, or 0 */
    void                  (*write)(ngx_http_llm_monitor_scrape_t *s,
                                   ngx_http_llm_monitor_family_t *family,
                                   uint32_t n);
};


/* # HELP, # TYPE and # UNIT */
void ngx_http_llm_monitor_scrape_head(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t type, char *unit, char *help);

/* The labels of the next lines: begun anew, then one by one. */
void ngx_http_llm_monitor_scrape_labels(ngx_http_llm_monitor_scrape_t *s);
void ngx_http_llm_monitor_scrape_label(ngx_http_llm_monitor_scrape_t *s,
    char *name, const void *text, size_t len);
void ngx_http_llm_monitor_scrape_word(ngx_http_llm_monitor_scrape_t *s,
    char *name, const char *text);

/* A label that is in the tables; 0 is "other". */
void ngx_http_llm_monitor_scrape_id(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t id);
void ngx_http_llm_monitor_scrape_status(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t id);

/* A line: value has scale digits after the decimal point. */
void ngx_http_llm_monitor_scrape_line(ngx_http_llm_monitor_scrape_t *s,
    char *name, char *suffix, uint64_t value, int scale);

/* Head and line of a family that has one series, without labels. */
void ngx_http_llm_monitor_scrape_one(ngx_http_llm_monitor_scrape_t *s,
    char *name, ngx_uint_t type, char *unit, char *help, uint64_t value,
    int scale);

/*
 * The lines of a histogram; words are of b->n buckets and the sum.  exemplars
 * may be NULL.
 */
void ngx_http_llm_monitor_scrape_hist(ngx_http_llm_monitor_scrape_t *s,
    char *name, const llm_bounds_t *b, const uint64_t *words,
    const llm_metrics_exemplar_t *exemplars);


/* The families of the traffic and of the module itself, in order. */
extern ngx_http_llm_monitor_family_t  ngx_http_llm_monitor_families[];

void ngx_http_llm_monitor_scrape_records(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
void ngx_http_llm_monitor_scrape_store(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);
void ngx_http_llm_monitor_scrape_self(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n);


#endif /* _NGX_HTTP_LLM_MONITOR_SCRAPE_H_INCLUDED_ */
