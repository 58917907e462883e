
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bodies: memory first, then a file without a name.  Knows nothing of
 * requests; every bound that it meets ends the body and nothing else.
 */


#include "ngx_http_llm_monitor_spoolfile.h"


/*
 * Memory grows by blocks of an eighth of what is there, so that a held stream
 * costs what it captured, and nothing is moved while it flows.
 */
#define NGX_HTTP_LLM_MONITOR_BODY_STEP   480

/* a name is random: one that is taken means bad luck, not a loop */
#define NGX_HTTP_LLM_MONITOR_NAME_TRIES  4


struct ngx_http_llm_monitor_block_s {
    ngx_http_llm_monitor_block_t  *next;
    size_t                         size;
    u_char                         data[];
};


static LLM_APART void ngx_http_llm_monitor_body_more(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static off_t ngx_http_llm_monitor_body_size(
    ngx_http_llm_monitor_body_t *body);
static ngx_int_t ngx_http_llm_monitor_body_keep(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static ngx_int_t ngx_http_llm_monitor_body_block(
    ngx_http_llm_monitor_body_t *body, size_t size);
static ngx_int_t ngx_http_llm_monitor_body_join(
    ngx_http_llm_monitor_body_t *body, size_t size);
static ngx_http_llm_monitor_block_t *ngx_http_llm_monitor_block_alloc(
    ngx_http_llm_monitor_body_t *body, size_t size);
static void ngx_http_llm_monitor_block_free(ngx_http_llm_monitor_body_t *body,
    ngx_http_llm_monitor_block_t *block);
static ngx_int_t ngx_http_llm_monitor_body_spool(
    ngx_http_llm_monitor_body_t *body, const u_char *p, size_t n);
static ngx_int_t ngx_http_llm_monitor_body_flush(
    ngx_http_llm_monitor_body_t *body);
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


ngx_int_t
ngx_http_llm_monitor_body_reserve(ngx_http_llm_monitor_body_t *body)
{
    if (!body->wanted
        || body->first
        || body->fd != NGX_INVALID_FILE
        || body->expect == 0
        || (off_t) body->expect > body->lcf->max_body_size
        || !ngx_http_llm_monitor_zone_recording(&body->mcf->zone)
        || ngx_http_llm_monitor_body_block(body, body->expect) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    body->end = body->pos + body->expect;

    return NGX_OK;
}


void
ngx_http_llm_monitor_body_bytes(ngx_http_llm_monitor_body_t *body,
    llm_str_t *bytes)
{
    bytes->data = body->first->data;
    bytes->len = body->pos - body->first->data;
}


void
ngx_http_llm_monitor_body_add(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    u_char  *pos;

    pos = body->pos;

    if (n > (size_t) (body->end - pos)) {
        ngx_http_llm_monitor_body_more(body, p, n);
        return;
    }

    body->pos = pos + n;
    ngx_memcpy(pos, p, n);
}


static LLM_APART void
ngx_http_llm_monitor_body_more(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    off_t      size, max;
    ngx_int_t  rc;

    if (!body->wanted) {
        return;
    }

    max = body->lcf->max_body_size;
    size = ngx_http_llm_monitor_body_size(body);

    /*
     * what begins while recording is paused is not kept, nor written to a
     * file, though it may go on again before the end
     */

    if (size == 0
        && !ngx_http_llm_monitor_zone_recording(&body->mcf->zone))
    {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_SKIPPED);
        return;
    }

    if ((off_t) n > max - size) {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_TOO_LARGE);
        return;
    }

    if (body->fd == NGX_INVALID_FILE
        && size + (off_t) n <= (off_t) body->lcf->buffer_size)
    {
        rc = ngx_http_llm_monitor_body_keep(body, p, n);

    } else {
        rc = ngx_http_llm_monitor_body_spool(body, p, n);
    }

    if (rc != NGX_OK) {
        ngx_http_llm_monitor_body_drop(body, LLM_BODY_SKIPPED);
        return;
    }

    if (body->tail == NULL) {
        return;
    }

    size += n;
    body->end = body->tail->data + body->tail->size;

    if (body->end - body->pos > max - size) {
        body->end = body->pos + (max - size);
    }
}


static off_t
ngx_http_llm_monitor_body_size(ngx_http_llm_monitor_body_t *body)
{
    return body->passed
           + (body->tail ? body->pos - body->tail->data : 0);
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
    off_t  size;

    bytes->data = NULL;
    bytes->len = 0;
    spool->data = NULL;
    spool->len = 0;

    size = ngx_http_llm_monitor_body_size(body);

    if (!body->wanted || size == 0) {
        return body->state;
    }

    if (body->fd == NGX_INVALID_FILE) {

        if (body->first != body->tail
            && ngx_http_llm_monitor_body_join(body, size) != NGX_OK)
        {
            ngx_http_llm_monitor_body_drop(body, LLM_BODY_SKIPPED);
            return LLM_BODY_SKIPPED;
        }

        bytes->data = body->tail->data;
        bytes->len = size;
        return LLM_BODY_STORED;
    }

    if (ngx_http_llm_monitor_body_flush(body) != NGX_OK
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

    body->written = ngx_http_llm_monitor_body_size(body);
    ngx_http_llm_monitor_spool_give(body);
}


void
ngx_http_llm_monitor_body_free(ngx_http_llm_monitor_body_t *body)
{
    ngx_http_llm_monitor_block_t  *block;

    ngx_http_llm_monitor_body_close(body);

    while (body->first) {
        block = body->first;
        body->first = block->next;
        ngx_http_llm_monitor_block_free(body, block);
    }

    body->tail = NULL;
    body->pos = NULL;
    body->end = NULL;
    body->passed = 0;
}


static ngx_int_t
ngx_http_llm_monitor_body_keep(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    off_t   size;
    size_t  room;

    if (body->tail) {
        room = ngx_min((size_t) (body->tail->data + body->tail->size
                                 - body->pos), n);
        body->pos = ngx_cpymem(body->pos, p, room);

        p += room;
        n -= room;

        if (n == 0) {
            return NGX_OK;
        }
    }

    size = ngx_http_llm_monitor_body_size(body);

    room = ngx_max(size / 8, NGX_HTTP_LLM_MONITOR_BODY_STEP);

    if (body->tail == NULL && body->expect) {
        room = body->expect;
    }

    room = ngx_min(room, body->lcf->buffer_size - size);
    room = ngx_max(room, n);

    if (ngx_http_llm_monitor_body_block(body, room) != NGX_OK) {
        return NGX_ERROR;
    }

    body->pos = ngx_cpymem(body->pos, p, n);

    return NGX_OK;
}


/* The tail, if there is one, is full. */

static ngx_int_t
ngx_http_llm_monitor_body_block(ngx_http_llm_monitor_body_t *body,
    size_t size)
{
    ngx_http_llm_monitor_block_t  *block;

    block = ngx_http_llm_monitor_block_alloc(body, size);

    if (block == NULL) {
        return NGX_ERROR;
    }

    body->passed = ngx_http_llm_monitor_body_size(body);

    if (body->tail) {
        body->tail->next = block;

    } else {
        body->first = block;
    }

    body->tail = block;
    body->pos = block->data;

    return NGX_OK;
}


/* All that is in memory, in one block of that size. */

static ngx_int_t
ngx_http_llm_monitor_body_join(ngx_http_llm_monitor_body_t *body, size_t size)
{
    u_char                        *p;
    ngx_http_llm_monitor_block_t  *block, *old, *next;

    block = ngx_http_llm_monitor_block_alloc(body, size);

    if (block == NULL) {
        return NGX_ERROR;
    }

    p = block->data;

    for (old = body->first; old; old = next) {
        next = old->next;
        p = ngx_cpymem(p, old->data, next ? old->size
                                          : (size_t) (body->pos - old->data));
        ngx_http_llm_monitor_block_free(body, old);
    }

    body->first = block;
    body->tail = block;
    body->pos = p;
    body->passed = 0;

    return NGX_OK;
}


static ngx_http_llm_monitor_block_t *
ngx_http_llm_monitor_block_alloc(ngx_http_llm_monitor_body_t *body,
    size_t size)
{
    ngx_http_llm_monitor_block_t  *block;

    if (ngx_http_llm_monitor_zone_take(&body->mcf->zone, size,
                                       body->mcf->capture_memory)
        != NGX_OK)
    {
        return NULL;
    }

    block = ngx_http_llm_monitor_memory_alloc(&body->mcf->memory,
                                 sizeof(ngx_http_llm_monitor_block_t) + size);

    if (block == NULL) {
        ngx_http_llm_monitor_zone_give(&body->mcf->zone, size);
        return NULL;
    }

    block->next = NULL;
    block->size = size;

    return block;
}


static void
ngx_http_llm_monitor_block_free(ngx_http_llm_monitor_body_t *body,
    ngx_http_llm_monitor_block_t *block)
{
    ngx_http_llm_monitor_zone_give(&body->mcf->zone, block->size);
    ngx_http_llm_monitor_memory_free(&body->mcf->memory, block);
}


/* The memory that the body had is the buffer in front of its file. */

static ngx_int_t
ngx_http_llm_monitor_body_spool(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n)
{
    size_t  room;

    if (body->fd == NGX_INVALID_FILE) {

        if (ngx_http_llm_monitor_body_open(body) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_llm_monitor_body_join(body, body->lcf->buffer_size)
            != NGX_OK
            && ngx_http_llm_monitor_body_flush(body) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    room = body->tail ? body->tail->data + body->tail->size - body->pos : 0;

    if (n > room && ngx_http_llm_monitor_body_flush(body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body->tail == NULL || n >= body->tail->size) {
        body->passed += n;
        return ngx_http_llm_monitor_body_write(body, p, n);
    }

    body->pos = ngx_cpymem(body->pos, p, n);

    return NGX_OK;
}


/* Writes what is in memory; the last block stays as a buffer. */

static ngx_int_t
ngx_http_llm_monitor_body_flush(ngx_http_llm_monitor_body_t *body)
{
    size_t                         n;
    ngx_http_llm_monitor_block_t  *block, *tail;

    tail = body->tail;

    if (tail == NULL) {
        return NGX_OK;
    }

    for (block = body->first; block; block = block->next) {
        n = block == tail ? (size_t) (body->pos - block->data) : block->size;

        if (ngx_http_llm_monitor_body_write(body, block->data, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    body->passed = ngx_http_llm_monitor_body_size(body);
    body->pos = tail->data;

    while (body->first != tail) {
        block = body->first;
        body->first = block->next;
        ngx_http_llm_monitor_block_free(body, block);
    }

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
