
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_zone.h"
#include "ngx_http_llm_monitor_salt.h"

#include <sys/random.h>


#define NGX_HTTP_LLM_MONITOR_ZONE_PREFIX  "llm_monitor:"
#define NGX_HTTP_LLM_MONITOR_SPOOL_DIR    "spool"
#define NGX_HTTP_LLM_MONITOR_DROP_PERIOD  60    /* s between log lines */


/* untouched pages of it cost nothing */

typedef struct {
    llm_control_t    control;
    llm_live_t       live;
    llm_feed_t       feed;
    llm_metrics_t    metrics;
} ngx_http_llm_monitor_shared_t;


static ngx_int_t ngx_http_llm_monitor_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_llm_monitor_zone_control(
    ngx_http_llm_monitor_zone_t *z, ngx_http_llm_monitor_zone_t *oz);
static void ngx_http_llm_monitor_zone_lock(void *data);
static void ngx_http_llm_monitor_zone_unlock(void *data);
static ngx_int_t ngx_http_llm_monitor_zone_ring(
    ngx_http_llm_monitor_zone_t *z, ngx_http_llm_monitor_zone_t *oz);
static void ngx_http_llm_monitor_zone_cleanup(void *data);
static ngx_int_t ngx_http_llm_monitor_zone_open_dirs(
    ngx_http_llm_monitor_zone_t *z, ngx_log_t *log);
static void ngx_http_llm_monitor_zone_paused(llm_record_t *r);
static size_t ngx_http_llm_monitor_zone_fit(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r);
static void ngx_http_llm_monitor_zone_drop_body(llm_record_t *r, int body,
    int state);
static ngx_int_t ngx_http_llm_monitor_zone_spool(
    ngx_http_llm_monitor_zone_t *z, llm_record_t *r, size_t size,
    ngx_log_t *log);
static int ngx_http_llm_monitor_zone_append(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r, size_t size, ngx_log_t *log);
static void ngx_http_llm_monitor_zone_dropped(ngx_http_llm_monitor_zone_t *z,
    int reason, ngx_log_t *log);
static void ngx_http_llm_monitor_zone_report(ngx_http_llm_monitor_zone_t *z,
    int reason, ngx_log_t *log);


ngx_int_t
ngx_http_llm_monitor_zone_add(ngx_conf_t *cf, ngx_http_llm_monitor_zone_t *z,
    void *tag)
{
    u_char              *p;
    size_t               size;
    ngx_str_t            name;
    ngx_shm_zone_t      *shm_zone;
    ngx_pool_cleanup_t  *cln;

    z->cycle = cf->cycle;
    z->owner = ngx_pid;
    z->share = -1;
    z->dir_fd = NGX_INVALID_FILE;
    z->spool_fd = NGX_INVALID_FILE;
    llm_spool_init(&z->spool);

    name.len = sizeof(NGX_HTTP_LLM_MONITOR_ZONE_PREFIX) - 1 + z->dir.len;
    name.data = ngx_pnalloc(cf->pool, name.len);
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(name.data, NGX_HTTP_LLM_MONITOR_ZONE_PREFIX,
                   sizeof(NGX_HTTP_LLM_MONITOR_ZONE_PREFIX) - 1);
    ngx_memcpy(p, z->dir.data, z->dir.len);

    /* what is shared, and what the slab pool needs for itself */

    size = ngx_align(sizeof(ngx_http_llm_monitor_shared_t), ngx_pagesize);
    size += size / ngx_pagesize * sizeof(ngx_slab_page_t) + 8 * ngx_pagesize;
    size = ngx_align(size, ngx_pagesize);

    shm_zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is already in use", &name);
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_llm_monitor_zone_cleanup;
    cln->data = z;

    shm_zone->init = ngx_http_llm_monitor_zone_init;
    shm_zone->data = z;

    z->shm_zone = shm_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_llm_monitor_zone_t *oz = data;

    ngx_http_llm_monitor_zone_t  *z;

    z = shm_zone->data;

    if (ngx_http_llm_monitor_zone_control(z, oz) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_test_config) {
        return NGX_OK;
    }

    return ngx_http_llm_monitor_zone_ring(z, oz);
}


static ngx_int_t
ngx_http_llm_monitor_zone_control(ngx_http_llm_monitor_zone_t *z,
    ngx_http_llm_monitor_zone_t *oz)
{
    ngx_log_t                      *log;
    ngx_time_t                     *tp;
    ngx_http_llm_monitor_shared_t  *shared;

    z->metrics.lock = ngx_http_llm_monitor_zone_lock;
    z->metrics.unlock = ngx_http_llm_monitor_zone_unlock;
    z->metrics.data = z;

    if (oz) {
        z->shpool = oz->shpool;
        z->control = oz->control;
        z->live = oz->live;
        z->feed = oz->feed;
        z->metrics.shared = oz->metrics.shared;
        return NGX_OK;
    }

    log = z->shm_zone->shm.log;
    z->shpool = (ngx_slab_pool_t *) z->shm_zone->shm.addr;

    if (z->shm_zone->shm.exists) {
        shared = z->shpool->data;
        z->control = &shared->control;
        z->live = &shared->live;
        z->feed = &shared->feed;
        z->metrics.shared = &shared->metrics;
        return NGX_OK;
    }

    z->shpool->log_nomem = 0;

    shared = ngx_slab_alloc(z->shpool, sizeof(ngx_http_llm_monitor_shared_t));

    if (shared == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "no memory in zone \"%V\"",
                      &z->shm_zone->shm.name);
        return NGX_ERROR;
    }

    z->shpool->data = shared;
    z->control = &shared->control;
    z->live = &shared->live;
    z->feed = &shared->feed;
    z->metrics.shared = &shared->metrics;

    llm_control_init(z->control);
    llm_live_init(z->live);
    llm_feed_init(z->feed);

    tp = ngx_timeofday();
    llm_metrics_init(z->metrics.shared, (int64_t) tp->sec * 1000 + tp->msec,
                     (uint32_t) (ngx_current_msec / 1000) + 1);

    /* two instances on one directory shall not count alike */

    if (getrandom(&z->control->id_counter, sizeof(uint64_t), 0)
        != sizeof(uint64_t))
    {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "getrandom() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_llm_monitor_zone_lock(void *data)
{
    ngx_http_llm_monitor_zone_t *z = data;

    ngx_shmtx_lock(&z->shpool->mutex);
}


static void
ngx_http_llm_monitor_zone_unlock(void *data)
{
    ngx_http_llm_monitor_zone_t *z = data;

    ngx_shmtx_unlock(&z->shpool->mutex);
}


static ngx_int_t
ngx_http_llm_monitor_zone_ring(ngx_http_llm_monitor_zone_t *z,
    ngx_http_llm_monitor_zone_t *oz)
{
    ngx_core_conf_t  *ccf;

    if (oz && oz->file && oz->file->ring.size == z->ring_size) {
        z->file = oz->file;
        z->file->refs++;

    } else {
        ccf = (ngx_core_conf_t *) ngx_get_conf(z->cycle->conf_ctx,
                                               ngx_core_module);

        z->file = ngx_http_llm_monitor_ring_file_create(&z->dir,
                                                  z->ring_size, ccf->user,
                                                  z->shm_zone->shm.log);
        if (z->file == NULL) {
            return NGX_ERROR;
        }

        if (oz) {
            ngx_log_error(NGX_LOG_NOTICE, z->shm_zone->shm.log, 0,
                          "new ring of %uz bytes, records in the old one "
                          "are written from there", z->ring_size);
        }
    }

    z->ring = z->file->ring;
    z->ring_dir.data = z->file->place;
    z->ring_dir.len = ngx_strlen(z->file->place);

    return NGX_OK;
}


/* With the pool of the cycle: a reload is over, has failed, or nginx ends. */

static void
ngx_http_llm_monitor_zone_cleanup(void *data)
{
    ngx_http_llm_monitor_zone_t *z = data;

    llm_live_leave(&z->own);
    llm_spool_close(&z->spool);

    if (z->spool_fd != NGX_INVALID_FILE) {
        (void) close(z->spool_fd);
    }

    if (z->dir_fd != NGX_INVALID_FILE) {
        (void) close(z->dir_fd);
    }

    if (z->file) {
        ngx_http_llm_monitor_ring_file_release(z->file);
    }
}


ngx_int_t
ngx_http_llm_monitor_zone_init_process(ngx_http_llm_monitor_zone_t *z,
    ngx_log_t *log)
{
    ngx_int_t  rc;

    z->owner = llm_owner_self();
    z->share = llm_control_join(z->control, z->owner);

    llm_live_join(&z->own, z->live, z->owner);
    llm_metrics_join(&z->metrics, z->metrics.shared, ngx_worker);

    rc = ngx_http_llm_monitor_zone_open_dirs(z, log);

    (void) ngx_http_llm_monitor_salt(z->dir_fd, &z->dir, z->salt, log);

    return rc;
}


static ngx_int_t
ngx_http_llm_monitor_zone_open_dirs(ngx_http_llm_monitor_zone_t *z,
    ngx_log_t *log)
{
    z->dir_fd = open((char *) z->dir.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (z->dir_fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &z->dir);
        return NGX_DECLINED;
    }

    if (mkdirat(z->dir_fd, NGX_HTTP_LLM_MONITOR_SPOOL_DIR, 0700) == -1
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "mkdirat() \"%V/" NGX_HTTP_LLM_MONITOR_SPOOL_DIR "\" "
                      "failed", &z->dir);
        return NGX_DECLINED;
    }

    z->spool_fd = openat(z->dir_fd, NGX_HTTP_LLM_MONITOR_SPOOL_DIR,
                         O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (z->spool_fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      ngx_open_file_n " \"%V/" NGX_HTTP_LLM_MONITOR_SPOOL_DIR
                      "\" failed", &z->dir);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


int64_t
ngx_http_llm_monitor_zone_id(ngx_http_llm_monitor_zone_t *z,
    int64_t timestamp)
{
    uint64_t     counter;
    ngx_time_t  *tp;

    if (timestamp == LLM_NULL) {
        tp = ngx_timeofday();
        timestamp = (int64_t) tp->sec * 1000 + tp->msec;
    }

    timestamp = ngx_min(ngx_max(timestamp, 1), LLM_ID_TIME_MASK);

    counter = __atomic_add_fetch(&z->control->id_counter, 1, __ATOMIC_RELAXED);

    return timestamp << LLM_ID_SHIFT
           | (int64_t) (z->node & LLM_ID_NODE_MASK) << LLM_ID_NODE_SHIFT
           | (int64_t) (counter & LLM_ID_COUNTER_MASK);
}


ngx_int_t
ngx_http_llm_monitor_zone_publish(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r, ngx_log_t *log)
{
    int              rc;
    size_t           size;
    llm_ring_slot_t  slot;

    if (r->num[LLM_N_ID] == LLM_NULL) {
        r->num[LLM_N_ID] = ngx_http_llm_monitor_zone_id(z,
                                                   r->num[LLM_N_TIMESTAMP]);
    }

    r->num[LLM_N_TIMESTAMP] = r->num[LLM_N_ID] >> LLM_ID_SHIFT;

    switch (__atomic_load_n(&z->control->recording, __ATOMIC_RELAXED)) {

    case 0:
        ngx_http_llm_monitor_zone_paused(r);
        break;

    case LLM_RECORDING_UNKNOWN:

        if (r->num[LLM_N_FLAGS] == LLM_NULL) {
            r->num[LLM_N_FLAGS] = 0;
        }

        r->num[LLM_N_FLAGS] |= LLM_RECORD_UNSURE;
    }

    size = ngx_http_llm_monitor_zone_fit(z, r);

    if (size == 0) {
        ngx_http_llm_monitor_zone_dropped(z, LLM_DROP_TOO_LARGE, log);
        return NGX_DECLINED;
    }

    ngx_shmtx_lock(&z->shpool->mutex);
    rc = llm_ring_reserve(&z->ring, size, z->owner, &slot);
    ngx_shmtx_unlock(&z->shpool->mutex);

    if (rc != LLM_OK) {
        return ngx_http_llm_monitor_zone_spool(z, r, size, log);
    }

    (void) llm_record_pack(r, slot.data);
    llm_ring_commit(&z->ring, &slot);

    /* the writer may have the segment once the ring has room again */

    if (z->spool.fd != NGX_INVALID_FILE) {
        llm_spool_close(&z->spool);
    }

    return NGX_OK;
}


/* No row, so no bodies; files named in it are the writer's to remove. */

static void
ngx_http_llm_monitor_zone_paused(llm_record_t *r)
{
    if (r->num[LLM_N_FLAGS] == LLM_NULL) {
        r->num[LLM_N_FLAGS] = 0;
    }

    r->num[LLM_N_FLAGS] |= LLM_RECORD_LEDGER_ONLY;

    ngx_memzero(&r->str[LLM_S_REQUEST_BODY], sizeof(llm_str_t));
    ngx_memzero(&r->str[LLM_S_RESPONSE_BODY], sizeof(llm_str_t));
}


/*
 * The packed size of the record, which gives up its bodies if it has to;
 * 0: it is too large even then.
 */

static size_t
ngx_http_llm_monitor_zone_fit(ngx_http_llm_monitor_zone_t *z, llm_record_t *r)
{
    size_t  size;

    size = llm_record_packed_size(r);

    if (size <= llm_ring_max_record(&z->ring)) {
        return size;
    }

    ngx_http_llm_monitor_zone_drop_body(r, LLM_S_REQUEST_BODY,
                                        LLM_N_REQUEST_BODY_STATE);
    ngx_http_llm_monitor_zone_drop_body(r, LLM_S_RESPONSE_BODY,
                                        LLM_N_RESPONSE_BODY_STATE);

    size = llm_record_packed_size(r);

    return size <= llm_ring_max_record(&z->ring) ? size : 0;
}


static void
ngx_http_llm_monitor_zone_drop_body(llm_record_t *r, int body, int state)
{
    if (r->str[body].data != NULL) {
        ngx_memzero(&r->str[body], sizeof(llm_str_t));
        r->num[state] = LLM_BODY_SKIPPED;
    }
}


/* The ring is full. */

static ngx_int_t
ngx_http_llm_monitor_zone_spool(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r, size_t size, ngx_log_t *log)
{
    int  reason;

    if (z->spool_fd == NGX_INVALID_FILE || z->spool_size == 0) {
        ngx_http_llm_monitor_zone_dropped(z, LLM_DROP_RING_FULL, log);
        return NGX_DECLINED;
    }

    /* who dies before the end has counted what is in no segment, perhaps */

    llm_control_spooling(z->control, z->share, 1);

    ngx_shmtx_lock(&z->shpool->mutex);
    llm_ring_count_spooled(&z->ring);
    ngx_shmtx_unlock(&z->shpool->mutex);

    reason = ngx_http_llm_monitor_zone_append(z, r, size, log);

    if (reason == LLM_DROP_COUNT) {
        llm_control_spooling(z->control, z->share, 0);
        return NGX_OK;
    }

    ngx_shmtx_lock(&z->shpool->mutex);
    llm_ring_count_not_spooled(&z->ring, reason);
    ngx_shmtx_unlock(&z->shpool->mutex);

    llm_control_spooling(z->control, z->share, 0);

    ngx_http_llm_monitor_zone_report(z, reason, log);

    return NGX_DECLINED;
}


/* Why it could not be appended; LLM_DROP_COUNT: it was. */

static int
ngx_http_llm_monitor_zone_append(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r, size_t size, ngx_log_t *log)
{
    u_char   *p;
    int64_t  *bytes, grown;

    /* taken first, given back if it was less: workers share the bound */

    bytes = &z->control->spool_bytes;

    if (__atomic_add_fetch(bytes, size, __ATOMIC_RELAXED) > z->spool_size) {
        (void) __atomic_sub_fetch(bytes, size, __ATOMIC_RELAXED);
        return LLM_DROP_SPOOL_FULL;
    }

    p = ngx_alloc(size, log);

    if (p == NULL) {
        (void) __atomic_sub_fetch(bytes, size, __ATOMIC_RELAXED);
        return LLM_DROP_NO_MEMORY;
    }

    (void) llm_record_pack(r, p);

    grown = llm_spool_append(&z->spool, z->spool_fd, p, size);

    ngx_free(p);

    if (grown < 0) {
        (void) __atomic_sub_fetch(bytes, size, __ATOMIC_RELAXED);
        return LLM_DROP_SPOOL_FULL;
    }

    (void) __atomic_add_fetch(bytes, grown - (int64_t) size, __ATOMIC_RELAXED);

    return LLM_DROP_COUNT;
}


void
ngx_http_llm_monitor_zone_drop(ngx_http_llm_monitor_zone_t *z, int reason)
{
    ngx_http_llm_monitor_zone_dropped(z, reason, ngx_cycle->log);
}


static void
ngx_http_llm_monitor_zone_dropped(ngx_http_llm_monitor_zone_t *z, int reason,
    ngx_log_t *log)
{
    ngx_shmtx_lock(&z->shpool->mutex);
    llm_ring_count_dropped(&z->ring, reason);
    ngx_shmtx_unlock(&z->shpool->mutex);

    ngx_http_llm_monitor_zone_report(z, reason, log);
}


static void
ngx_http_llm_monitor_zone_report(ngx_http_llm_monitor_zone_t *z, int reason,
    ngx_log_t *log)
{
    z->drop_count[reason]++;

    if (z->drop_time[reason] != 0
        && ngx_time() - z->drop_time[reason] < NGX_HTTP_LLM_MONITOR_DROP_PERIOD)
    {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "llm_monitor: %ui record(s) dropped: %s",
                  z->drop_count[reason], llm_drop_name(reason));

    z->drop_time[reason] = ngx_time();
    z->drop_count[reason] = 0;
}


ngx_int_t
ngx_http_llm_monitor_zone_take(ngx_http_llm_monitor_zone_t *z, size_t bytes,
    size_t limit)
{
    return llm_control_take(z->control, z->share, bytes, limit) == LLM_OK
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_llm_monitor_zone_give(ngx_http_llm_monitor_zone_t *z, size_t bytes)
{
    llm_control_give(z->control, z->share, bytes);
}


ngx_uint_t
ngx_http_llm_monitor_zone_recording(ngx_http_llm_monitor_zone_t *z)
{
    return __atomic_load_n(&z->control->recording, __ATOMIC_RELAXED) != 0;
}


void
ngx_http_llm_monitor_zone_size(ngx_http_llm_monitor_zone_t *z, size_t *size,
    size_t *unused)
{
    *size = z->shm_zone->shm.size;
    *unused = z->shpool->pfree * ngx_pagesize;
}


void
ngx_http_llm_monitor_zone_terms(ngx_http_llm_monitor_zone_t *z,
    llm_terms_t *terms)
{
    ngx_shmtx_lock(&z->shpool->mutex);
    llm_ring_terms(&z->ring, terms);
    ngx_shmtx_unlock(&z->shpool->mutex);
}
