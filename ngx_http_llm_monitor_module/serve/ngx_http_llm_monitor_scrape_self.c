
/*
 * Copyright (C) llm_monitor contributors
 *
 * The families of metrics about the module itself.
 */


#include "ngx_http_llm_monitor_scrape.h"
#include "../extract/llm_json.h"
#include "../store/llm_query.h"


#define ngx_http_llm_monitor_counter(s, name, help, value)                    \
    ngx_http_llm_monitor_scrape_one(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,    \
                                    NULL, help, value, 0)

#define ngx_http_llm_monitor_gauge(s, name, help, value)                      \
    ngx_http_llm_monitor_scrape_one(s, name, NGX_HTTP_LLM_MONITOR_GAUGE,      \
                                    NULL, help, value, 0)

#define ngx_http_llm_monitor_bytes(s, name, help, value)                      \
    ngx_http_llm_monitor_scrape_one(s, name, NGX_HTTP_LLM_MONITOR_GAUGE,      \
                                    "bytes", help, value, 0)

#define ngx_http_llm_monitor_seconds(s, name, help, ms)                       \
    ngx_http_llm_monitor_scrape_one(s, name, NGX_HTTP_LLM_MONITOR_GAUGE,      \
                                    "seconds", help, ms, 3)


static void ngx_http_llm_monitor_scrape_ring(
    ngx_http_llm_monitor_scrape_t *s, llm_terms_t *terms);
static void ngx_http_llm_monitor_scrape_bodies(
    ngx_http_llm_monitor_scrape_t *s);
static void ngx_http_llm_monitor_scrape_build(
    ngx_http_llm_monitor_scrape_t *s);
static void ngx_http_llm_monitor_scrape_sent(
    ngx_http_llm_monitor_scrape_t *s);
static void ngx_http_llm_monitor_scrape_zone(
    ngx_http_llm_monitor_scrape_t *s);
static uint64_t ngx_http_llm_monitor_positive(const int64_t *value);


/* All of it from one snapshot, so that the terms add up. */

void
ngx_http_llm_monitor_scrape_records(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int          i;
    llm_terms_t  terms;

    static char  name[] = "llm_monitor_records_dropped";

    ngx_http_llm_monitor_zone_terms(&s->mcf->zone, &terms);

    ngx_http_llm_monitor_counter(s, "llm_monitor_records",
                                 "Records finished or recovered.",
                                 terms.finished + terms.recovered);

    ngx_http_llm_monitor_counter(s, "llm_monitor_records_written",
                                 "Records that are rows of the database.",
                                 terms.written);

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL,
                                     "Records that are no rows, by reason.");

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "reason", llm_drop_name(i));
        ngx_http_llm_monitor_scrape_line(s, name, "_total", terms.dropped[i],
                                         0);
    }

    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_word(s, "reason", "paused");
    ngx_http_llm_monitor_scrape_line(s, name, "_total", terms.ledger_only, 0);

    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_word(s, "reason", "cleared");
    ngx_http_llm_monitor_scrape_line(s, name, "_total", terms.cleared, 0);

    ngx_http_llm_monitor_gauge(s, "llm_monitor_ring_records",
                               "Records in the ring.", terms.in_ring);
    ngx_http_llm_monitor_gauge(s, "llm_monitor_spool_records",
                               "Records in spool segments.", terms.in_spool);
    ngx_http_llm_monitor_gauge(s, "llm_monitor_writer_records",
                               "Records in the hand of the writer.",
                               terms.in_hand);

    ngx_http_llm_monitor_scrape_ring(s, &terms);
    ngx_http_llm_monitor_scrape_bodies(s);
}


static void
ngx_http_llm_monitor_scrape_ring(ngx_http_llm_monitor_scrape_t *s,
    llm_terms_t *terms)
{
    int64_t         idle;
    uint64_t        used, room, high, lag;
    llm_control_t  *c;

    c = s->mcf->zone.control;

    llm_ring_usage(&s->mcf->zone.ring, &used, &room);

    high = __atomic_load_n(&c->ring_high, __ATOMIC_RELAXED);

    ngx_http_llm_monitor_bytes(s, "llm_monitor_ring_size_bytes",
                               "Bytes that records in the ring may have.",
                               room);
    ngx_http_llm_monitor_bytes(s, "llm_monitor_ring_used_bytes",
                               "Bytes that they have.", used);
    ngx_http_llm_monitor_bytes(s, "llm_monitor_ring_high_water_bytes",
                               "The most that they had.",
                               ngx_max(used, high));
    ngx_http_llm_monitor_bytes(s, "llm_monitor_spool_bytes",
                               "Bytes of files in the spool.",
                               ngx_http_llm_monitor_positive(&c->spool_bytes));
    ngx_http_llm_monitor_bytes(s, "llm_monitor_spool_limit_bytes",
                               "Bytes that they may have.",
                               s->mcf->zone.spool_size);

    idle = __atomic_load_n(&c->idle_ms, __ATOMIC_RELAXED);
    lag = 0;

    if (terms->in_ring + terms->in_spool + terms->in_hand) {
        lag = ngx_max(llm_control_now() - idle, 0);
    }

    ngx_http_llm_monitor_seconds(s, "llm_monitor_writer_lag_seconds",
                                 "Time since nothing was left to write.",
                                 lag);
}


static void
ngx_http_llm_monitor_scrape_bodies(ngx_http_llm_monitor_scrape_t *s)
{
    int  i, state;

    static char  name[] = "llm_monitor_bodies";
    static char  *directions[] = { "request", "response" };

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Bodies by what became of them.");

    for (i = 0; i < 2; i++) {

        for (state = LLM_BODY_STORED; state <= LLM_BODY_REDACTED; state++) {
            ngx_http_llm_monitor_scrape_labels(s);
            ngx_http_llm_monitor_scrape_word(s, "direction", directions[i]);
            ngx_http_llm_monitor_scrape_word(s, "fate",
                                             llm_body_state_name(state));
            ngx_http_llm_monitor_scrape_line(s, name, "_total",
                          llm_metrics_sum(s->metrics, LLM_SET_ALL, 0,
                                          LLM_W_BODIES
                                          + i * (LLM_BODY_STORING + 1)
                                          + state),
                          0);
        }
    }
}


void
ngx_http_llm_monitor_scrape_store(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    int             i;
    int64_t         ms;
    uint64_t        words[llm_w_hist(LLM_CONTROL_BUCKETS)];
    llm_control_t  *c;

    static char   errors[] = "llm_monitor_db_errors";
    static char   deleted[] = "llm_monitor_retention_deleted";
    static char  *reasons[] = { "clear", "age", "size" };
    static char   commit[] = "llm_monitor_commit_duration_seconds";
    static char  *codes[] = { "busy", "full", "ioerr", "corrupt", "readonly",
                              "notadb", "cantopen", "other" };

    c = s->mcf->zone.control;

    ngx_http_llm_monitor_gauge(s, "llm_monitor_recording",
                               "Whether records become rows.",
                               ngx_http_llm_monitor_zone_recording(
                                                             &s->mcf->zone));
    ngx_http_llm_monitor_gauge(s, "llm_monitor_db_up",
                               "Whether the database can be written to.",
                               __atomic_load_n(&c->db_up, __ATOMIC_RELAXED));
    ngx_http_llm_monitor_gauge(s, "llm_monitor_writer_pid",
                               "The process that writes, or 0.",
                               ngx_http_llm_monitor_positive(&c->writer_pid));

    ms = __atomic_load_n(&c->commit_ms, __ATOMIC_RELAXED);

    if (ms > 0) {
        ngx_http_llm_monitor_seconds(s,
                               "llm_monitor_last_commit_timestamp_seconds",
                               "When something was written last.", ms);
    }

    for (i = 0; i <= LLM_CONTROL_BUCKETS; i++) {
        words[i] = __atomic_load_n(&c->commits[i], __ATOMIC_RELAXED);
    }

    ngx_http_llm_monitor_scrape_head(s, commit, NGX_HTTP_LLM_MONITOR_HISTOGRAM,
                                     "seconds",
                                     "Time that transactions took.");
    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_hist(s, commit, &llm_bounds_ttft, words, NULL);

    ngx_http_llm_monitor_bytes(s, "llm_monitor_db_size_bytes",
                               "Bytes of the database.",
                               ngx_http_llm_monitor_positive(&c->db_bytes));
    ngx_http_llm_monitor_bytes(s, "llm_monitor_wal_size_bytes",
                               "Bytes of its write-ahead log.",
                               ngx_http_llm_monitor_positive(&c->wal_bytes));
    ngx_http_llm_monitor_bytes(s, "llm_monitor_db_limit_bytes",
                               "Bytes that the database may have.",
                               s->mcf->max_size);
    ngx_http_llm_monitor_gauge(s, "llm_monitor_db_rows",
                               "Records in the database.",
                               ngx_http_llm_monitor_positive(&c->db_rows));

    ngx_http_llm_monitor_scrape_head(s, errors, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Errors of the database.");

    for (i = 0; i < LLM_CONTROL_ERRORS; i++) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "code", codes[i]);
        ngx_http_llm_monitor_scrape_line(s, errors, "_total",
                           __atomic_load_n(&c->errors[i], __ATOMIC_RELAXED),
                           0);
    }

    ngx_http_llm_monitor_scrape_head(s, deleted, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Rows deleted, by reason.");

    for (i = 0; i < LLM_DELETED_REASONS; i++) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "reason", reasons[i]);
        ngx_http_llm_monitor_scrape_line(s, deleted, "_total",
                           __atomic_load_n(&c->deleted[i], __ATOMIC_RELAXED),
                           0);
    }
}


void
ngx_http_llm_monitor_scrape_self(ngx_http_llm_monitor_scrape_t *s,
    ngx_http_llm_monitor_family_t *family, uint32_t n)
{
    uint32_t        limit;
    uint64_t        series;
    ngx_uint_t      i;
    llm_control_t  *c;

    static char   name[] = "llm_monitor_parse_errors";
    static char  *kinds[] = { "inflate", "json", "sse" };

    c = s->mcf->zone.control;

    ngx_http_llm_monitor_scrape_build(s);

    ngx_http_llm_monitor_seconds(s, "llm_monitor_start_time_seconds",
                                 "Since when counters count.",
                                 s->metrics->start_ms);

    ngx_http_llm_monitor_bytes(s, "llm_monitor_capture_memory_bytes",
                               "Memory of bodies that are being captured.",
                               ngx_http_llm_monitor_positive(
                                                         &c->capture_bytes));
    ngx_http_llm_monitor_bytes(s, "llm_monitor_capture_memory_limit_bytes",
                               "Memory that they may have.",
                               s->mcf->capture_memory);

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Bodies that could not be read.");

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ngx_http_llm_monitor_scrape_labels(s);
        ngx_http_llm_monitor_scrape_word(s, "kind", kinds[i]);
        ngx_http_llm_monitor_scrape_line(s, name, "_total",
                          llm_metrics_sum(s->metrics, LLM_SET_ALL, 0,
                                          LLM_W_BAD_CODING + i), 0);
    }

    ngx_http_llm_monitor_scrape_sent(s);
    ngx_http_llm_monitor_scrape_zone(s);

    series = llm_metrics_count_series(s->metrics, &limit);

    ngx_http_llm_monitor_gauge(s, "llm_monitor_series",
                               "Combinations of labels.", series);
    ngx_http_llm_monitor_gauge(s, "llm_monitor_series_limit",
                               "Combinations that there may be.", limit);
    ngx_http_llm_monitor_counter(s, "llm_monitor_series_overflow",
                          "Exchanges that had to count as other.",
                          llm_metrics_sum(s->metrics, LLM_SET_ALL, 0,
                                          LLM_W_OVERFLOW));
    ngx_http_llm_monitor_counter(s, "llm_monitor_worker_restarts",
                                 "Workers that began where one had died.",
                                 __atomic_load_n(&c->restarts,
                                                 __ATOMIC_RELAXED));
}


static void
ngx_http_llm_monitor_scrape_build(ngx_http_llm_monitor_scrape_t *s)
{
    char  yajl[LLM_JSON_LIBRARY];

    static char  name[] = "llm_monitor_build_info";

    llm_json_library(yajl);

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_GAUGE, NULL,
                                     "What the module is made of.");
    ngx_http_llm_monitor_scrape_labels(s);
    ngx_http_llm_monitor_scrape_word(s, "version",
                                     NGX_HTTP_LLM_MONITOR_VERSION);
    ngx_http_llm_monitor_scrape_word(s, "nginx", NGINX_VERSION);
    ngx_http_llm_monitor_scrape_word(s, "sqlite", llm_query_sqlite());
    ngx_http_llm_monitor_scrape_word(s, "yajl", yajl);
    ngx_http_llm_monitor_scrape_line(s, name, "", 1, 0);
}


static void
ngx_http_llm_monitor_scrape_sent(ngx_http_llm_monitor_scrape_t *s)
{
    int  i, n;

    static char   name[] = "llm_monitor_notifications";
    static char  *channels[] = { "webhook", "discord" };
    static char  *results[] = { "sent", "failed", "dropped" };

    ngx_http_llm_monitor_scrape_head(s, name, NGX_HTTP_LLM_MONITOR_COUNTER,
                                     NULL, "Messages of alerts.");

    for (i = 0; i < LLM_METRICS_CHANNELS; i++) {

        for (n = 0; n < LLM_METRICS_SENT; n++) {
            ngx_http_llm_monitor_scrape_labels(s);
            ngx_http_llm_monitor_scrape_word(s, "channel", channels[i]);
            ngx_http_llm_monitor_scrape_word(s, "result", results[n]);
            ngx_http_llm_monitor_scrape_line(s, name, "_total",
                                  __atomic_load_n(&s->metrics->sent[i][n],
                                                  __ATOMIC_RELAXED), 0);
        }
    }
}


static void
ngx_http_llm_monitor_scrape_zone(ngx_http_llm_monitor_scrape_t *s)
{
    size_t      size, unused;
    ngx_str_t  *zone;

    static char  total[] = "llm_monitor_shm_size_bytes";
    static char  left[] = "llm_monitor_shm_free_bytes";

    ngx_http_llm_monitor_zone_size(&s->mcf->zone, &size, &unused);

    ngx_http_llm_monitor_scrape_labels(s);

    zone = &s->mcf->zone.shm_zone->shm.name;
    ngx_http_llm_monitor_scrape_label(s, "zone", zone->data, zone->len);

    ngx_http_llm_monitor_scrape_head(s, total, NGX_HTTP_LLM_MONITOR_GAUGE,
                                     "bytes", "Bytes of shared memory.");
    ngx_http_llm_monitor_scrape_line(s, total, "", size, 0);

    ngx_http_llm_monitor_scrape_head(s, left, NGX_HTTP_LLM_MONITOR_GAUGE,
                                     "bytes", "Bytes of it that are free.");
    ngx_http_llm_monitor_scrape_line(s, left, "", unused, 0);
}


static uint64_t
ngx_http_llm_monitor_positive(const int64_t *value)
{
    int64_t  v;

    v = __atomic_load_n(value, __ATOMIC_RELAXED);

    return v > 0 ? v : 0;
}
