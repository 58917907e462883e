
/*
 * Copyright (C) llm_monitor contributors
 *
 * The export: as many slices as it takes, of which the first one may still be
 * an error of its own.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../store/llm_export.h"


typedef struct {
    llm_export_t    *export;
    ngx_uint_t       sent;               /* the header is out */
    ngx_str_t        next;               /* X-Next-Seq */
    ngx_str_t        name;               /* Content-Disposition */
} ngx_http_llm_monitor_export_t;


static ngx_int_t ngx_http_llm_monitor_export_next(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_export_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_export_done(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_export_header(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_export_cleanup(void *data);


/* in the order of llm_format_e */

static struct {
    ngx_str_t        type;
    ngx_str_t        charset;
    char            *suffix;
} ngx_http_llm_monitor_formats[] = {
    { ngx_string("application/json"), ngx_null_string, "json" },
    { ngx_string("application/x-ndjson"), ngx_null_string, "ndjson" },
    { ngx_string("text/csv"), ngx_string("utf-8"), "csv" }
};


ngx_int_t
ngx_http_llm_monitor_export(ngx_http_llm_monitor_call_t *call)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_llm_monitor_export_t  *ex;

    cln = ngx_pool_cleanup_add(call->request->pool,
                               sizeof(ngx_http_llm_monitor_export_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ex = cln->data;
    ngx_memzero(ex, sizeof(ngx_http_llm_monitor_export_t));

    cln->handler = ngx_http_llm_monitor_export_cleanup;

    call->data = ex;
    call->next = ngx_http_llm_monitor_export_next;
    call->run = ngx_http_llm_monitor_export_run;
    call->done = ngx_http_llm_monitor_export_done;

    return ngx_http_llm_monitor_start(call);
}


static ngx_int_t
ngx_http_llm_monitor_export_next(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_task(call);
}


static int
ngx_http_llm_monitor_export_run(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_export_t  *ex;

    ex = call->data;

    if (ex->export == NULL
        && (ngx_http_llm_monitor_filter(call, LLM_FOR_EXPORT) != LLM_OK
            || llm_export_create(&ex->export, call->filter, call->max_body,
                                 &call->err)
               != LLM_OK))
    {
        return LLM_ERROR;
    }

    if (ngx_http_llm_monitor_reader(call) != LLM_OK) {
        return LLM_ERROR;
    }

    call->out.len = 0;

    return llm_export_slice(ex->export, *call->reader, &call->out,
                            &call->err);
}


static ngx_int_t
ngx_http_llm_monitor_export_done(ngx_http_llm_monitor_call_t *call)
{
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_export_t  *ex;

    r = call->request;
    ex = call->data;

    if (call->rc == LLM_ERROR) {

        if (!ex->sent) {
            return ngx_http_llm_monitor_error(r, &call->err, NULL);
        }

        /* no last chunk: what came so far must not pass for all of it */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "export cannot go on: %s", call->err.message);
        return NGX_ERROR;
    }

    if (!ex->sent) {

        if (ngx_http_llm_monitor_export_header(call) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_send_header(r);

        if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
            return rc;
        }

        ex->sent = 1;
        call->patient = 1;
    }

    return ngx_http_llm_monitor_stream(call, call->rc == LLM_OK);
}


static ngx_int_t
ngx_http_llm_monitor_export_header(ngx_http_llm_monitor_call_t *call)
{
    u_char                         *p;
    ngx_tm_t                        tm;
    ngx_uint_t                      format;
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_export_t  *ex;

    r = call->request;
    ex = call->data;

    format = call->filter->num[LLM_F_FORMAT] == LLM_NULL
             ? LLM_FORMAT_JSON : call->filter->num[LLM_F_FORMAT];

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_type = ngx_http_llm_monitor_formats[format].type;
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = ngx_http_llm_monitor_formats[format].charset;

    ngx_http_clear_content_length(r);

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN
                      + sizeof("attachment; filename=\"llm-monitor-"
                               "20260101T000000Z.ndjson\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ex->next.data = p;
    ex->next.len = ngx_sprintf(p, "%L", llm_export_next(ex->export)) - p;

    p += ex->next.len;

    ngx_gmtime(call->now_ms / 1000, &tm);

    ex->name.data = p;
    ex->name.len = ngx_sprintf(p, "attachment; filename=\"llm-monitor-"
                               "%4d%02d%02dT%02d%02d%02dZ.%s\"",
                               tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                               tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                               ngx_http_llm_monitor_formats[format].suffix)
                   - p;

    if (ngx_http_llm_monitor_headers(r) != NGX_OK
        || ngx_http_llm_monitor_header(r, "X-Next-Seq", &ex->next) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_header(r, "Content-Disposition", &ex->name);
}


static void
ngx_http_llm_monitor_export_cleanup(void *data)
{
    ngx_http_llm_monitor_export_t *ex = data;

    llm_export_free(ex->export);
}
