
/*
 * Copyright (C) llm_monitor contributors
 *
 * A copy of the database: the writer makes it as a file of the data directory,
 * the worker that was asked opens that, removes its name, and sends it in
 * slices.  Whoever dies or leaves, the file goes with the last that has it.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../store/llm_backup.h"
#include "../record/llm_text.h"


#define NGX_HTTP_LLM_MONITOR_BACKUP_SLICE  (256 * 1024)


typedef struct {
    llm_control_t   *control;
    ngx_log_t       *log;
    ngx_fd_t         fd;
    off_t            offset;
    off_t            size;
    ngx_str_t        disposition;
    u_char           path[NGX_MAX_PATH];
} ngx_http_llm_monitor_backup_t;


static int ngx_http_llm_monitor_backup_run(ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_backup_ask(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_backup_header(
    ngx_http_llm_monitor_call_t *call, ngx_str_t *disposition);
static ngx_http_llm_monitor_backup_t *ngx_http_llm_monitor_backup_get(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_backup_next(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_backup_read(
    ngx_http_llm_monitor_call_t *call);
static ngx_int_t ngx_http_llm_monitor_backup_done(
    ngx_http_llm_monitor_call_t *call);
static void ngx_http_llm_monitor_backup_cleanup(void *data);


ngx_int_t
ngx_http_llm_monitor_backup(ngx_http_llm_monitor_call_t *call)
{
    /* it has the rows of all */

    if (ngx_http_llm_monitor_unscoped(call) != NGX_OK) {
        return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
    }

    call->run = ngx_http_llm_monitor_backup_run;
    call->done = ngx_http_llm_monitor_backup_ask;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_backup_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING);
}


static ngx_int_t
ngx_http_llm_monitor_backup_ask(ngx_http_llm_monitor_call_t *call)
{
    u_char                         *p;
    uint32_t                        bits[2];
    ngx_str_t                       disposition;
    ngx_pool_cleanup_t             *cln;
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_backup_t  *b;
    ngx_http_llm_monitor_zone_t    *zone;

    r = call->request;
    zone = &call->mcf->zone;

    if (call->rc != LLM_OK) {
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    if (r->method == NGX_HTTP_HEAD) {

        /* not for its length alone */

        if (ngx_http_llm_monitor_backup_header(call, &disposition) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_send_header(r);
    }

    if (zone->dir.len + LLM_BACKUP_NAME + 1 > NGX_MAX_PATH) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool,
                               sizeof(ngx_http_llm_monitor_backup_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = cln->data;
    ngx_memzero(b, sizeof(ngx_http_llm_monitor_backup_t));

    b->fd = NGX_INVALID_FILE;
    b->log = ngx_cycle->log;

    if (llm_control_backup(zone->control, zone->owner) != LLM_OK) {
        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "busy", NULL, "a copy is being made or sent");
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    b->control = zone->control;
    cln->handler = ngx_http_llm_monitor_backup_cleanup;

    bits[0] = (uint32_t) ngx_random() ^ (uint32_t) ngx_current_msec;
    bits[1] = (uint32_t) ngx_random() ^ (uint32_t) ngx_pid;

    p = ngx_sprintf(b->path, "%V/%s", &zone->dir, LLM_BACKUP_PREFIX);
    llm_text_hex(p, (u_char *) bits, sizeof(bits));
    p[LLM_BACKUP_DIGITS] = '\0';

    return ngx_http_llm_monitor_ask(call, LLM_COMMAND_BACKUP, p,
                                    LLM_BACKUP_DIGITS);
}


static ngx_int_t
ngx_http_llm_monitor_backup_header(ngx_http_llm_monitor_call_t *call,
    ngx_str_t *disposition)
{
    u_char              *p;
    ngx_tm_t             tm;
    ngx_http_request_t  *r;

    r = call->request;

    p = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"proxy_logs-"
                                    "20260101T000000Z.db\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_gmtime(ngx_time(), &tm);

    disposition->data = p;
    disposition->len = ngx_sprintf(p, "attachment; filename=\"proxy_logs-"
                                   "%4d%02d%02dT%02d%02d%02dZ.db\"",
                                   tm.ngx_tm_year, tm.ngx_tm_mon,
                                   tm.ngx_tm_mday, tm.ngx_tm_hour,
                                   tm.ngx_tm_min, tm.ngx_tm_sec)
                       - p;

    r->headers_out.status = NGX_HTTP_OK;

    ngx_str_set(&r->headers_out.content_type, "application/vnd.sqlite3");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_clear_content_length(r);

    if (ngx_http_llm_monitor_headers(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_header(r, "Content-Disposition", disposition);
}


ngx_int_t
ngx_http_llm_monitor_backup_send(ngx_http_llm_monitor_call_t *call,
    int64_t size)
{
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_http_llm_monitor_backup_t  *b;

    r = call->request;
    b = ngx_http_llm_monitor_backup_get(r);

    b->fd = open((char *) b->path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

    if (b->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", b->path);

        (void) llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "change_lost", NULL, "the copy is gone");
        return ngx_http_llm_monitor_error(r, &call->err, NULL);
    }

    (void) ngx_delete_file(b->path);
    b->path[0] = '\0';

    b->size = size;

    if (ngx_http_llm_monitor_backup_header(call, &b->disposition) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.content_length_n = size;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    call->data = b;
    call->run = ngx_http_llm_monitor_backup_read;
    call->done = ngx_http_llm_monitor_backup_done;
    call->next = ngx_http_llm_monitor_backup_next;
    call->patient = 1;

    return ngx_http_llm_monitor_backup_next(call);
}


static ngx_http_llm_monitor_backup_t *
ngx_http_llm_monitor_backup_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_llm_monitor_backup_cleanup) {
            break;
        }
    }

    return cln->data;
}


static ngx_int_t
ngx_http_llm_monitor_backup_next(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_task(call);
}


static int
ngx_http_llm_monitor_backup_read(ngx_http_llm_monitor_call_t *call)
{
    size_t                          size;
    u_char                         *p;
    ssize_t                         n;
    ngx_http_llm_monitor_backup_t  *b;

    b = call->data;

    size = (size_t) ngx_min(b->size - b->offset,
                            NGX_HTTP_LLM_MONITOR_BACKUP_SLICE);

    call->out.len = 0;

    p = llm_buf_room(&call->out, size);
    if (p == NULL) {
        return llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "no_memory", NULL, "no memory");
    }

    n = pread(b->fd, p, size, b->offset);

    if (n != (ssize_t) size) {
        return llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "database_error", NULL, "it cannot be read");
    }

    call->out.len = size;

    return LLM_OK;
}


static ngx_int_t
ngx_http_llm_monitor_backup_done(ngx_http_llm_monitor_call_t *call)
{
    ngx_http_llm_monitor_backup_t  *b;

    b = call->data;

    if (call->rc != LLM_OK) {

        /* less than the length that was told */

        ngx_log_error(NGX_LOG_ERR, call->request->connection->log, 0,
                      "copy of the database cannot go on: %s",
                      call->err.message);
        return NGX_ERROR;
    }

    b->offset += call->out.len;

    return ngx_http_llm_monitor_stream(call, b->offset == b->size);
}


static void
ngx_http_llm_monitor_backup_cleanup(void *data)
{
    ngx_http_llm_monitor_backup_t *b = data;

    if (b->fd != NGX_INVALID_FILE && ngx_close_file(b->fd) == NGX_FILE_ERROR)
    {
        ngx_log_error(NGX_LOG_ALERT, b->log, ngx_errno,
                      ngx_close_file_n " failed");
    }

    /* one that was not fetched; the writer stops making it by itself */

    if (b->path[0] != '\0') {
        (void) ngx_delete_file(b->path);
    }

    llm_control_backup_done(b->control);
}
