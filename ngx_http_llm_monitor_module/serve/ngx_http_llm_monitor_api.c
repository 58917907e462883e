
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"
#include "../ring/llm_metrics_count.h"


#define NGX_HTTP_LLM_MONITOR_READ     (NGX_HTTP_GET|NGX_HTTP_HEAD)


/*
 * What follows the location's own path; '#' stands for the id of a record, and
 * '*' for the name of something, with all that follows.
 */

typedef struct {
    ngx_str_t      path;
    ngx_uint_t     methods;
    ngx_str_t      allow;
    ngx_uint_t     response;
    ngx_int_t    (*handler)(ngx_http_llm_monitor_call_t *call);
} ngx_http_llm_monitor_route_t;


static ngx_http_llm_monitor_route_t *ngx_http_llm_monitor_find(
    ngx_http_request_t *r, ngx_str_t *id, ngx_str_t *name);
static ngx_int_t ngx_http_llm_monitor_match(ngx_str_t *path, ngx_str_t *rest,
    ngx_str_t *id, ngx_str_t *name);
static ngx_int_t ngx_http_llm_monitor_id(ngx_str_t *s, int64_t *id);
static ngx_http_llm_monitor_call_t *ngx_http_llm_monitor_call(
    ngx_http_request_t *r);
static void ngx_http_llm_monitor_call_cleanup(void *data);
static void ngx_http_llm_monitor_call_count(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_list(ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_list_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_count(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_count_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_detail(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_detail_run(
    ngx_http_llm_monitor_call_t *call);


static ngx_http_llm_monitor_route_t  ngx_http_llm_monitor_routes[] = {

    { ngx_string(""), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_list },

    { ngx_string("/"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_list },

    { ngx_string("/logs"), NGX_HTTP_LLM_MONITOR_READ|NGX_HTTP_DELETE,
      ngx_string("GET, HEAD, DELETE"), 0, ngx_http_llm_monitor_list },

    { ngx_string("/logs/#"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_detail },

    { ngx_string("/logs/#/request"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_download },

    { ngx_string("/logs/#/response"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 1, ngx_http_llm_monitor_download },

    { ngx_string("/count"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_count },

    { ngx_string("/export"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_export },

    { ngx_string("/facets"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_facets },

    { ngx_string("/backup"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_backup },

    { ngx_string("/events"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_events },

    { ngx_string("/about"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_about },

    { ngx_string("/live"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_live },

    { ngx_string("/sessions"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_sessions },

    { ngx_string("/sessions/*"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_session },

    { ngx_string("/recording"), NGX_HTTP_LLM_MONITOR_READ|NGX_HTTP_PUT,
      ngx_string("GET, HEAD, PUT"), 0, ngx_http_llm_monitor_recording },

    { ngx_string("/summary"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_summary },

    { ngx_string("/stats"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_stats },

    { ngx_string("/leaderboard"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_leaderboard },

    { ngx_string("/availability"), NGX_HTTP_LLM_MONITOR_READ,
      ngx_string("GET, HEAD"), 0, ngx_http_llm_monitor_availability },

    { ngx_string("/reprice"), NGX_HTTP_POST,
      ngx_string("POST"), 0, ngx_http_llm_monitor_reprice },

    { ngx_string("/alerts/test"), NGX_HTTP_POST,
      ngx_string("POST"), 0, ngx_http_llm_monitor_alert_test },

    { ngx_null_string, 0, ngx_null_string, 0, NULL }
};


ngx_int_t
ngx_http_llm_monitor_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_str_t                      id, name;
    llm_query_error_t              err;
    ngx_http_llm_monitor_call_t   *call;
    ngx_http_llm_monitor_route_t  *route;

    if (r != r->main) {

        /* the request that it belongs to is not a call */

        return NGX_HTTP_NOT_FOUND;
    }

    route = ngx_http_llm_monitor_find(r, &id, &name);

    if (route == NULL || route->handler != ngx_http_llm_monitor_recording
        || r->method != NGX_HTTP_PUT)
    {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_http_llm_monitor_access(r, &err) != NGX_OK) {
        return ngx_http_llm_monitor_error(r, &err, NULL);
    }

    if (route == NULL) {
        (void) llm_query_fail(&err, NGX_HTTP_NOT_FOUND, "not_found", NULL,
                              "there is no such call");
        return ngx_http_llm_monitor_error(r, &err, NULL);
    }

    if (!(r->method & route->methods)) {
        (void) llm_query_fail(&err, NGX_HTTP_NOT_ALLOWED,
                              "method_not_allowed", NULL,
                              "this call takes %s",
                              (char *) route->allow.data);
        return ngx_http_llm_monitor_error(r, &err, &route->allow);
    }

    if (!(r->method & NGX_HTTP_LLM_MONITOR_READ)
        && ngx_http_llm_monitor_access_change(r, &err) != NGX_OK)
    {
        return ngx_http_llm_monitor_error(r, &err, NULL);
    }

    call = ngx_http_llm_monitor_call(r);
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (id.data != NULL && ngx_http_llm_monitor_id(&id, &call->id) != NGX_OK)
    {
        (void) llm_query_fail(&err, NGX_HTTP_BAD_REQUEST, "bad_parameter",
                              "id", "id must be a decimal number");
        return ngx_http_llm_monitor_error(r, &err, NULL);
    }

    call->name.data = name.data;
    call->name.len = name.len;
    call->route = &route->path;
    call->response = route->response;

    if (r->method == NGX_HTTP_DELETE) {
        return ngx_http_llm_monitor_clear(call);
    }

    return route->handler(call);
}


static ngx_http_llm_monitor_route_t *
ngx_http_llm_monitor_find(ngx_http_request_t *r, ngx_str_t *id,
    ngx_str_t *name)
{
    ngx_str_t                      rest;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_llm_monitor_route_t  *route;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* "rewrite ... break" may lead out of the location's path */

    if (r->uri.len < clcf->name.len
        || ngx_strncmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
    {
        return NULL;
    }

    rest.data = r->uri.data + clcf->name.len;
    rest.len = r->uri.len - clcf->name.len;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        rest.data--;
        rest.len++;
    }

    for (route = ngx_http_llm_monitor_routes; route->handler; route++) {

        if (ngx_http_llm_monitor_match(&route->path, &rest, id, name)
            == NGX_OK)
        {
            return route;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_llm_monitor_match(ngx_str_t *path, ngx_str_t *rest, ngx_str_t *id,
    ngx_str_t *name)
{
    u_char  *p, *last, *end;

    p = path->data;
    end = path->data + path->len;

    ngx_str_null(id);
    ngx_str_null(name);

    last = rest->data;

    for ( /* void */ ; p < end; p++) {

        if (*p == '*') {
            name->data = last;
            name->len = rest->data + rest->len - last;

            return name->len ? NGX_OK : NGX_DECLINED;
        }

        if (*p != '#') {

            if (last == rest->data + rest->len || *last != *p) {
                return NGX_DECLINED;
            }

            last++;
            continue;
        }

        id->data = last;

        while (last < rest->data + rest->len && *last != '/') {
            last++;
        }

        id->len = last - id->data;

        if (id->len == 0) {
            return NGX_DECLINED;
        }
    }

    return last == rest->data + rest->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_llm_monitor_id(ngx_str_t *s, int64_t *id)
{
    size_t    i;
    uint64_t  v;

    if (s->len > 19) {
        return NGX_ERROR;
    }

    v = 0;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] < '0' || s->data[i] > '9') {
            return NGX_ERROR;
        }

        v = v * 10 + (s->data[i] - '0');
    }

    if (v > INT64_MAX) {
        return NGX_ERROR;
    }

    *id = v;

    return NGX_OK;
}


static ngx_http_llm_monitor_call_t *
ngx_http_llm_monitor_call(ngx_http_request_t *r)
{
    ngx_time_t                   *tp;
    ngx_pool_cleanup_t           *cln;
    ngx_http_llm_monitor_call_t  *call;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_llm_monitor_call_t));
    if (cln == NULL) {
        return NULL;
    }

    call = cln->data;
    ngx_memzero(call, sizeof(ngx_http_llm_monitor_call_t));

    cln->handler = ngx_http_llm_monitor_call_cleanup;

    tp = ngx_timeofday();

    call->request = r;
    call->mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);
    call->lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);
    call->args.data = r->args.data;
    call->args.len = r->args.len;
    call->now_ms = (int64_t) tp->sec * 1000 + tp->msec;
    call->max_body = call->lcf->max_body_size;

    llm_buf_init(&call->out, NGX_HTTP_LLM_MONITOR_ANSWER);

    return ngx_http_llm_monitor_scope(call) == NGX_OK ? call : NULL;
}


ngx_http_llm_monitor_call_t *
ngx_http_llm_monitor_call_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_llm_monitor_call_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static void
ngx_http_llm_monitor_call_cleanup(void *data)
{
    ngx_http_llm_monitor_call_t *call = data;

    if (call->retry.timer_set) {
        ngx_del_timer(&call->retry);
    }

    ngx_http_llm_monitor_call_count(call);

    llm_filter_free(call->filter);
    llm_buf_free(&call->out);
}


static void
ngx_http_llm_monitor_call_count(ngx_http_llm_monitor_call_t *call)
{
    int64_t              ms;
    llm_str_t            route;
    ngx_time_t          *tp;
    ngx_http_request_t  *r;

    if (call->route == NULL) {
        return;
    }

    r = call->request;
    tp = ngx_timeofday();

    ms = (int64_t) (tp->sec - r->start_sec) * 1000
         + ((int64_t) tp->msec - (int64_t) r->start_msec);

    route.data = call->route->len ? call->route->data : (u_char *) "/";
    route.len = call->route->len ? call->route->len : 1;

    llm_metrics_count_call(&call->mcf->zone.metrics, &route,
                           r->headers_out.status, ngx_max(ms, 0) * 1000);
}


static ngx_int_t
ngx_http_llm_monitor_list(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_list_run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_list_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_filter(call, LLM_FOR_LIST) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_query_list(*call->reader, call->filter,
                          NGX_HTTP_LLM_MONITOR_BUDGET, &call->out,
                          &call->err);
}


static ngx_int_t
ngx_http_llm_monitor_count(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_count_run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_count_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_filter(call, LLM_FOR_COUNT) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_query_count(*call->reader, call->filter,
                           NGX_HTTP_LLM_MONITOR_LONGER, &call->out,
                           &call->err);
}


static ngx_int_t
ngx_http_llm_monitor_detail(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_detail_run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_detail_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_query_visible(*call->reader, call->id, call->filter, &call->err)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_query_detail(*call->reader, call->id, call->max_body,
                            NGX_HTTP_LLM_MONITOR_LONGER, &call->out,
                            &call->err);
}


ngx_int_t
ngx_http_llm_monitor_start(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = call->request;

    /*
     * so that a client that leaves is noticed; who discards a body notices
     * it too
     */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    rc = ngx_http_llm_monitor_task(call);

    if (rc == NGX_DONE) {
        r->main->count++;
    }

    return rc;
}
