
/*
 * Copyright (C) llm_monitor contributors
 *
 * The exchanges in flight of all workers, from shared memory: the database is
 * not asked.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../record/llm_json_write.h"
#include "../record/llm_text.h"


#define NGX_HTTP_LLM_MONITOR_LIVE_START  64    /* exchanges */


typedef struct {
    llm_live_facts_t   *flight;
    size_t              n;
    size_t              size;
    llm_filter_t       *filter;
} ngx_http_llm_monitor_flights_t;


static int ngx_http_llm_monitor_live_run(ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_live_add(void *data,
    const llm_live_facts_t *facts);
static int ngx_http_llm_monitor_live_visible(const llm_filter_t *filter,
    const llm_live_facts_t *facts);
static llm_str_t ngx_http_llm_monitor_live_text(const llm_live_facts_t *facts,
    int n);
static int ngx_http_llm_monitor_live_cmp(const void *one, const void *two);
static void ngx_http_llm_monitor_live_json(llm_json_t *j,
    const llm_live_facts_t *f, int64_t now);
static void ngx_http_llm_monitor_live_str(llm_json_t *j, const char *name,
    const llm_live_facts_t *facts, int n);
static void ngx_http_llm_monitor_live_int(llm_json_t *j, const char *name,
    int64_t v);


ngx_int_t
ngx_http_llm_monitor_live(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_live_run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_live_run(ngx_http_llm_monitor_call_t *call)
{
    size_t             i, n;
    int64_t            now;
    llm_json_t         j;
    llm_live_t        *live;
    llm_live_facts_t  *flights;

    if (ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK
        || ngx_http_llm_monitor_in_flight(call, &flights, &n) != LLM_OK)
    {
        return LLM_ERROR;
    }

    live = call->mcf->zone.live;
    now = llm_control_now();

    llm_json_init(&j, &call->out);
    llm_json_open_object(&j);
    llm_json_key(&j, "live");
    llm_json_open_array(&j);

    for (i = 0; i < n; i++) {
        ngx_http_llm_monitor_live_json(&j, &flights[i], now);
    }

    llm_json_close_array(&j);

    ngx_http_llm_monitor_live_int(&j, "missed",
                    (int64_t) __atomic_load_n(&live->missed,
                                              __ATOMIC_RELAXED));

    llm_json_close_object(&j);

    free(flights);

    if (call->out.failed != LLM_OK) {
        return llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "no_memory", NULL, "no memory");
    }

    return LLM_OK;
}


int
ngx_http_llm_monitor_in_flight(ngx_http_llm_monitor_call_t *call,
    llm_live_facts_t **flights, size_t *n)
{
    ngx_http_llm_monitor_flights_t  all;

    ngx_memzero(&all, sizeof(ngx_http_llm_monitor_flights_t));

    all.filter = call->filter;

    if (llm_live_each(call->mcf->zone.live, ngx_http_llm_monitor_live_add,
                      &all)
        != LLM_OK)
    {
        free(all.flight);
        return llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "no_memory", NULL, "no memory");
    }

    if (all.n) {
        qsort(all.flight, all.n, sizeof(llm_live_facts_t),
              ngx_http_llm_monitor_live_cmp);
    }

    *flights = all.flight;
    *n = all.n;

    return LLM_OK;
}


static int
ngx_http_llm_monitor_live_add(void *data, const llm_live_facts_t *facts)
{
    ngx_http_llm_monitor_flights_t *all = data;

    size_t             size;
    llm_live_facts_t  *flight;

    if (!ngx_http_llm_monitor_live_visible(all->filter, facts)) {
        return LLM_OK;
    }

    if (all->n == all->size) {
        size = all->size ? 2 * all->size : NGX_HTTP_LLM_MONITOR_LIVE_START;

        flight = realloc(all->flight, size * sizeof(llm_live_facts_t));
        if (flight == NULL) {
            return LLM_NOMEM;
        }

        all->flight = flight;
        all->size = size;
    }

    all->flight[all->n++] = *facts;

    return LLM_OK;
}


/* in llm_monitor_scope, by what is known so far */

static int
ngx_http_llm_monitor_live_visible(const llm_filter_t *filter,
    const llm_live_facts_t *facts)
{
    llm_record_t  r;

    if (filter->num[LLM_F_SCOPE] == LLM_NULL) {
        return 1;
    }

    llm_record_init(&r);

    r.num[LLM_N_USER_TRUSTED] = facts->trusted;
    r.str[LLM_S_USER] = ngx_http_llm_monitor_live_text(facts, LLM_LIVE_USER);
    r.str[LLM_S_ACCOUNT] = ngx_http_llm_monitor_live_text(facts,
                                                          LLM_LIVE_ACCOUNT);

    /* of a text that was cut nobody knows the rest */

    if (r.str[LLM_S_USER].len == LLM_LIVE_TEXT) {
        r.str[LLM_S_USER].data = NULL;
    }

    if (r.str[LLM_S_ACCOUNT].len == LLM_LIVE_TEXT) {
        r.str[LLM_S_ACCOUNT].data = NULL;
    }

    return llm_filter_in_scope(filter, &r);
}


static llm_str_t
ngx_http_llm_monitor_live_text(const llm_live_facts_t *facts, int n)
{
    llm_str_t  s;

    s.len = ngx_min(facts->len[n], LLM_LIVE_TEXT);
    s.data = s.len ? (const uint8_t *) facts->text[n] : NULL;

    return s;
}


static int
ngx_http_llm_monitor_live_cmp(const void *one, const void *two)
{
    const llm_live_facts_t *a = one;
    const llm_live_facts_t *b = two;

    return (a->id > b->id) - (a->id < b->id);
}


static void
ngx_http_llm_monitor_live_json(llm_json_t *j,
    const llm_live_facts_t *f, int64_t now)
{
    char     id[24];
    int64_t  us;

    *ngx_sprintf((u_char *) id, "%L", f->id) = '\0';

    us = now * 1000 - f->start;

    llm_json_open_object(j);

    llm_json_key(j, "id");
    llm_json_text(j, id);

    ngx_http_llm_monitor_live_int(j, "timestamp", f->id >> LLM_ID_SHIFT);

    ngx_http_llm_monitor_live_str(j, "method", f, LLM_LIVE_METHOD);
    ngx_http_llm_monitor_live_str(j, "endpoint", f, LLM_LIVE_ENDPOINT);

    llm_json_key(j, "operation");
    llm_json_text(j, llm_operation_name(f->operation));

    ngx_http_llm_monitor_live_int(j, "status",
                                  f->status ? f->status : LLM_NULL);

    ngx_http_llm_monitor_live_int(j, "elapsed_ms", us > 0 ? us / 1000 : 0);

    llm_json_key(j, "ttft_ms");
    llm_json_decimal(j, f->ttft, 3);

    llm_json_key(j, "protocol");
    llm_json_text(j, llm_protocol_name(f->protocol));

    ngx_http_llm_monitor_live_str(j, "provider", f, LLM_LIVE_PROVIDER);
    ngx_http_llm_monitor_live_str(j, "model", f, LLM_LIVE_MODEL);

    llm_json_key(j, "stream");
    llm_json_bool(j, f->stream);

    ngx_http_llm_monitor_live_str(j, "account_email", f, LLM_LIVE_ACCOUNT);
    ngx_http_llm_monitor_live_str(j, "user", f, LLM_LIVE_USER);
    ngx_http_llm_monitor_live_str(j, "session_id", f, LLM_LIVE_SESSION);
    ngx_http_llm_monitor_live_str(j, "client_ip", f, LLM_LIVE_CLIENT);

    ngx_http_llm_monitor_live_int(j, "response_bytes", f->bytes);
    ngx_http_llm_monitor_live_int(j, "output_tokens", f->tokens);
    ngx_http_llm_monitor_live_int(j, "estimated_output_tokens", f->estimate);

    llm_json_close_object(j);
}


static void
ngx_http_llm_monitor_live_str(llm_json_t *j, const char *name,
    const llm_live_facts_t *facts, int n)
{
    llm_str_t  s;

    s = ngx_http_llm_monitor_live_text(facts, n);

    if (s.len == LLM_LIVE_TEXT) {

        /* perhaps cut in the middle of a character */

        s.len = llm_utf8_cut(s.data, s.len + 1, s.len);
    }

    llm_json_key(j, name);
    llm_json_str(j, &s);
}


static void
ngx_http_llm_monitor_live_int(llm_json_t *j, const char *name, int64_t v)
{
    llm_json_key(j, name);
    llm_json_int(j, v);
}
