
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bodies: memory first, then a file without a name.  Knows nothing of
 * requests; every bound that it meets ends the body and nothing else.
 */


#include "ngx_http_llm_monitor_spoolfile.h"


/* memory grows by a quarter, so that a held stream costs what it captured */
#define NGX_HTTP_LLM_MONITOR_BODY_STEP   512

/* a name is random: one that is taken means bad luck, not a loop */
#define NGX_HTTP_LLM_MONITOR_NAME_TRIES  4


static ngx_int_t ngx_http_llm_monitor_body_keep(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static ngx_int_t ngx_http_llm_monitor_body_room(
    ngx_http_llm_monitor_body_t *body, size_t need);
static ngx_int_t ngx_http_llm_monitor_body_spool(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static ngx_int_t ngx_http_llm_monitor_body_open(
    ngx_http_llm_monitor_body_t *body);
static ngx_int_t ngx_http_llm_monitor_body_write(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static ngx_int_t ngx_http_llm_monitor_body_link(
    ngx_http_llm_monitor_body_t *body);
static void ngx_http_llm_monitor_body_name(u_char *name, const char *prefix);
static ngx_int_t ngx_http_llm_monitor_spool_take(
    ngx_http_llm_monitor_body_t *body, size_t n);
static void ngx_http_llm_monitor_spool_give(ngx_http_llm_monitor_body_t *body);
static void ngx_http_llm_monitor_body_close(ngx_http_llm_monitor_body_t *body);


void
ngx_http_llm_monitor_body_init(ngx_http_llm_monitor_body_t *body,
    ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_loc_conf_t *lcf, ngx_uint_t wanted, ngx_log_t *log)
{
    body->mcf = mcf;
    body->lcf = lcf;
    body->log = log;
    body->fd = NGX_INVALID_FILE;
    body->wanted = wanted;
}


void
ngx_http_llm_monitor_body_expect(ngx_http_llm_monitor_body_t *body,
    off_t length)
{
    if (length > 0 && length <= (off_t) body->lcf->buffer_size) {
        body->expect = (size_t) length;
    }
}


void
ngx_http_llm_monitor_body_add(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    ngx_int_t  rc;

    if (n <= body->free) {
        ngx_memcpy(body->data + body->len, p, n);
        body->len += n;
        body->size += n;
        body->free -= n;
        return;
    }

    if (!body->wanted || n == 0) {
        return;
    }

    body->size += n;

    if (body->size > body->lcf->max_body_size) {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_TOO_LARGE);
        return;
    }

    if (body->fd == NGX_INVALID_FILE
        && n <= body->lcf->buffer_size - body->len)
    {
        rc = ngx_http_llm_monitor_body_keep(body, p, n);

    } else {
        rc = ngx_http_llm_monitor_body_spool(body, p, n);
    }

    if (rc != NGX_OK) {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_SKIPPED);
        return;
    }

    body->free = (size_t) ngx_min((off_t) (body->cap - body->len),
                                  body->lcf->max_body_size - body->size);
}


void
ngx_http_llm_monitor_body_reset(ngx_http_llm_monitor_body_t *body)
{
    ngx_http_llm_monitor_body_free(body);

    if (body->state != LLM_BODY_NONE) {
        body->state = LLM_BODY_NONE;
        body->wanted = 1;
    }

    body->expect = 0;
    body->size = 0;
}


void
ngx_http_llm_monitor_body_drop(ngx_http_llm_monitor_body_t *body, int state)
{
    ngx_http_llm_monitor_body_free(body);

    body->wanted = 0;
    body->state = state;
}


int
ngx_http_llm_monitor_body_end(ngx_http_llm_monitor_body_t *body,
    llm_str_t *bytes, llm_str_t *spool)
{
    bytes->data = NULL;
    bytes->len = 0;
    spool->data = NULL;
    spool->len = 0;

    if (!body->wanted || body->size == 0) {
        return body->state;
    }

    if (body->fd == NGX_INVALID_FILE) {
        bytes->data = body->data;
        bytes->len = body->len;
        return LLM_BODY_STORED;
    }

    if (ngx_http_llm_monitor_body_write(body, body->data, body->len) != NGX_OK
        || ngx_http_llm_monitor_body_link(body) != NGX_OK)
    {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_SKIPPED);
        return LLM_BODY_SKIPPED;
    }

    /* from here on the file and its share of the spool are the writer's */

    body->written = 0;
    ngx_http_llm_monitor_body_close(body);

    spool->data = body->name;
    spool->len = NGX_HTTP_LLM_MONITOR_SPOOL_NAME;

    return LLM_BODY_STORED;
}


void
ngx_http_llm_monitor_body_unlink(ngx_http_llm_monitor_body_t *body)
{
    if (!body->named) {
        return;
    }

    body->named = 0;

    if (unlinkat(body->mcf->zone.spool_fd, (char *) body->name, 0) == -1) {
        ngx_log_error(NGX_LOG_WARN, body->log, ngx_errno,
                      "unlinkat() \"%s\" failed", body->name);
        return;
    }

    body->written = body->size;
    ngx_http_llm_monitor_spool_give(body);
}


void
ngx_http_llm_monitor_body_free(ngx_http_llm_monitor_body_t *body)
{
    ngx_http_llm_monitor_body_close(body);

    if (body->data) {
        ngx_http_llm_monitor_memory_free(&body->mcf->memory, body->data);
        ngx_http_llm_monitor_zone_give(&body->mcf->zone, body->cap);

        body->data = NULL;
        body->len = 0;
        body->cap = 0;
        body->free = 0;
    }
}


static ngx_int_t
ngx_http_llm_monitor_body_keep(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    if (n > body->cap - body->len
        && ngx_http_llm_monitor_body_room(body, body->len + n) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(body->data + body->len, p, n);
    body->len += n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_body_room(ngx_http_llm_monitor_body_t *body, size_t need)
{
    size_t   cap;
    u_char  *data;

    cap = body->cap + ngx_max(body->cap / 4, NGX_HTTP_LLM_MONITOR_BODY_STEP);
    cap = ngx_max(ngx_max(cap, need), body->expect);
    cap = ngx_min(cap, body->lcf->buffer_size);

    if (ngx_http_llm_monitor_zone_take(&body->mcf->zone, cap - body->cap,
                                       body->mcf->capture_memory)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    data = ngx_http_llm_monitor_memory_resize(&body->mcf->memory, body->data,
                                              cap);

    if (data == NULL) {
        ngx_http_llm_monitor_zone_give(&body->mcf->zone, cap - body->cap);
        return NGX_ERROR;
    }

    body->data = data;
    body->cap = cap;

    return NGX_OK;
}


/* The memory that the body had is the buffer in front of its file. */

static ngx_int_t
ngx_http_llm_monitor_body_spool(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    if (body->fd == NGX_INVALID_FILE) {

        if (ngx_http_llm_monitor_body_open(body) != NGX_OK) {
            return NGX_ERROR;
        }

        if (body->cap < body->lcf->buffer_size) {
            (void) ngx_http_llm_monitor_body_room(body,
                                                  body->lcf->buffer_size);
        }
    }

    if (n > body->cap - body->len) {

        if (ngx_http_llm_monitor_body_write(body, body->data, body->len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        body->len = 0;
    }

    if (n >= body->cap) {
        return ngx_http_llm_monitor_body_write(body, p, n);
    }

    ngx_memcpy(body->data + body->len, p, n);
    body->len += n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_body_open(ngx_http_llm_monitor_body_t *body)
{
    int         dir;
    ngx_uint_t  i;

    dir = body->mcf->zone.spool_fd;

    if (dir == -1) {
        return NGX_DECLINED;
    }

#ifdef O_TMPFILE

    body->fd = openat(dir, ".", O_TMPFILE|O_WRONLY|O_CLOEXEC, 0600);

    if (body->fd != NGX_INVALID_FILE) {
        return NGX_OK;
    }

#endif

    /* the file system or the kernel knows no file without a name */

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_NAME_TRIES; i++) {
        ngx_http_llm_monitor_body_name(body->name, "tmp.");

        body->fd = openat(dir, (char *) body->name,
                          O_CREAT|O_EXCL|O_WRONLY|O_CLOEXEC, 0600);

        if (body->fd != NGX_INVALID_FILE) {
            body->temporary = 1;
            return NGX_OK;
        }

        if (ngx_errno != NGX_EEXIST) {
            break;
        }
    }

    ngx_log_error(NGX_LOG_INFO, body->log, ngx_errno,
                  "openat() \"%s\" failed", body->name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_llm_monitor_body_write(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    ssize_t  rc;

    if (ngx_http_llm_monitor_spool_take(body, n) != NGX_OK) {
        return NGX_DECLINED;
    }

    body->written += n;

    while (n) {
        rc = write(body->fd, p, n);

        if (rc == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_INFO, body->log, ngx_errno,
                          "write() to a spool file failed");
            return NGX_ERROR;
        }

        p += rc;
        n -= rc;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_body_link(ngx_http_llm_monitor_body_t *body)
{
    int         dir, rc;
    u_char      name[NGX_HTTP_LLM_MONITOR_SPOOL_NAME + 1];
    u_char      path[sizeof("/proc/self/fd/") + NGX_INT_T_LEN];
    ngx_uint_t  i;

    dir = body->mcf->zone.spool_fd;

    *ngx_sprintf(path, "/proc/self/fd/%d", body->fd) = '\0';

    for (i = 0; i < NGX_HTTP_LLM_MONITOR_NAME_TRIES; i++) {
        ngx_http_llm_monitor_body_name(name, "body.");

        if (body->temporary) {
            rc = linkat(dir, (char *) body->name, dir, (char *) name, 0);

        } else {
            rc = linkat(AT_FDCWD, (char *) path, dir, (char *) name,
                        AT_SYMLINK_FOLLOW);
        }

        if (rc == 0) {

            if (body->temporary) {
                (void) unlinkat(dir, (char *) body->name, 0);
                body->temporary = 0;
            }

            ngx_memcpy(body->name, name, sizeof(name));
            body->named = 1;

            return NGX_OK;
        }

        if (ngx_errno != NGX_EEXIST) {
            break;
        }
    }

    ngx_log_error(NGX_LOG_INFO, body->log, ngx_errno,
                  "linkat() \"%s\" failed", name);

    return NGX_ERROR;
}


/* ngx_random() has 31 bits and a seed of each worker */

static void
ngx_http_llm_monitor_body_name(u_char *name, const char *prefix)
{
    uint32_t  high, low;

    high = (uint32_t) ngx_random() ^ ((uint32_t) ngx_pid << 16);
    low = (uint32_t) ngx_random() ^ ((uint32_t) ngx_current_msec << 8);

    *ngx_sprintf(name, "%s%08xD%08xD", prefix, high, low) = '\0';
}


/*
 * Bodies may use three quarters of the spool, so that records always find
 * room.  The gauge is shared by all workers and the writer.
 */

static ngx_int_t
ngx_http_llm_monitor_spool_take(ngx_http_llm_monitor_body_t *body, size_t n)
{
    int64_t                       *used;
    ngx_http_llm_monitor_zone_t   *zone;

    zone = &body->mcf->zone;
    used = &zone->control->spool_bytes;

    if (__atomic_add_fetch(used, (int64_t) n, __ATOMIC_RELAXED)
        <= (int64_t) (zone->spool_size / 4 * 3))
    {
        return NGX_OK;
    }

    __atomic_sub_fetch(used, (int64_t) n, __ATOMIC_RELAXED);

    return NGX_DECLINED;
}


static void
ngx_http_llm_monitor_spool_give(ngx_http_llm_monitor_body_t *body)
{
    __atomic_sub_fetch(&body->mcf->zone.control->spool_bytes,
                       (int64_t) body->written, __ATOMIC_RELAXED);

    body->written = 0;
}


static void
ngx_http_llm_monitor_body_close(ngx_http_llm_monitor_body_t *body)
{
    if (body->fd == NGX_INVALID_FILE) {
        return;
    }

    if (body->temporary) {
        (void) unlinkat(body->mcf->zone.spool_fd, (char *) body->name, 0);
        body->temporary = 0;
    }

    if (ngx_close_file(body->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, body->log, ngx_errno,
                      ngx_close_file_n " of a spool file failed");
    }

    body->fd = NGX_INVALID_FILE;

    ngx_http_llm_monitor_spool_give(body);
}
