
/*
 * Copyright (C) llm_monitor contributors
 *
 * The shared state of all workers: the mutex, the control block, and the ring
 * file.  The only place that uses ngx_shmtx_* and ngx_slab_*.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_ZONE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "llm_ring.h"
#include "llm_control.h"
#include "llm_feed.h"
#include "llm_live.h"
#include "llm_metrics.h"
#include "llm_owner.h"
#include "llm_spool.h"
#include "ngx_http_llm_monitor_ring_file.h"
#include "../record/llm_record.h"


/* process-local; one a cycle, hangs on shm_zone->data */

typedef struct {
    ngx_shm_zone_t                    *shm_zone;
    ngx_slab_pool_t                   *shpool;
    llm_control_t                     *control;      /* in the zone */
    llm_live_t                        *live;         /* the same */
    llm_live_own_t                     own;          /* this worker's of it */
    llm_feed_t                        *feed;         /* in the zone */
    llm_metrics_own_t                  metrics;      /* this worker's */

    /* mapped by the master and inherited; file outlives a reload */
    llm_ring_t                         ring;
    ngx_http_llm_monitor_ring_file_t  *file;

    int64_t                            owner;        /* this process */
    int                                share;        /* of capture memory */
    llm_spool_t                        spool;        /* this worker's */
    int                                dir_fd;       /* data directory, or -1 */
    int                                spool_fd;     /* its spool/, or -1 */
    uint8_t                            salt[32];

    /* from llm_monitor_path, set before the zone is added */
    ngx_str_t                          dir;          /* absolute, with NUL */
    size_t                             ring_size;
    off_t                              spool_size;
    ngx_uint_t                         node;

    /* where ring.* files are (if not in dir), with NUL; chosen in init */
    ngx_str_t                          ring_dir;

    ngx_cycle_t                       *cycle;

    /* one line a minute for each reason, and how many were meant by it */
    time_t                             drop_time[LLM_DROP_COUNT];
    ngx_uint_t                         drop_count[LLM_DROP_COUNT];
} ngx_http_llm_monitor_zone_t;


/*
 * Declares the zone for the path in z; its name holds the data directory, so
 * another directory is another zone.  Ring, spool and ring_dir are made in the
 * zone's init, which `nginx -t` runs too: files are not made when
 * ngx_test_config is set.
 */
ngx_int_t ngx_http_llm_monitor_zone_add(ngx_conf_t *cf,
    ngx_http_llm_monitor_zone_t *z, void *tag);

/*
 * In init_process: opens the directory descriptors of this worker and reads
 * the salt (made if absent).  NGX_DECLINED if the directory cannot be used:
 * everything then goes on without spool.
 */
ngx_int_t ngx_http_llm_monitor_zone_init_process(
    ngx_http_llm_monitor_zone_t *z, ngx_log_t *log);

/*
 * An id for a record whose first byte came at timestamp (ms since 1970, now if
 * LLM_NULL); the layout is at LLM_ID_SHIFT.
 */
int64_t ngx_http_llm_monitor_zone_id(ngx_http_llm_monitor_zone_t *z,
    int64_t timestamp);

/*
 * Gives r its id, unless it has one, makes its timestamp the id's, and puts it
 * into the ring, a full ring's into a spool segment, and counts it.  What is
 * too large gives up its bodies first (skipped); while recording is paused
 * bodies are left out.  Never blocks, never fails the caller.  NGX_OK, or
 * NGX_DECLINED if it was dropped (counted by reason).
 */
ngx_int_t ngx_http_llm_monitor_zone_publish(ngx_http_llm_monitor_zone_t *z,
    llm_record_t *r, ngx_log_t *log);

/*
 * Counts an exchange of which no record could be made (LLM_DROP_NO_MEMORY):
 * finished, and dropped for that reason (llm_drop_e).
 */
void ngx_http_llm_monitor_zone_drop(ngx_http_llm_monitor_zone_t *z,
    int reason);

/*
 * Takes bytes of the capture budget; NGX_DECLINED past limit.  The release
 * takes the same number.
 */
ngx_int_t ngx_http_llm_monitor_zone_take(ngx_http_llm_monitor_zone_t *z,
    size_t bytes, size_t limit);
void ngx_http_llm_monitor_zone_give(ngx_http_llm_monitor_zone_t *z,
    size_t bytes);

/* Whether records become rows; paused traffic is ledger only. */
ngx_uint_t ngx_http_llm_monitor_zone_recording(
    ngx_http_llm_monitor_zone_t *z);

/* Bytes of the zone and those of it that are free. */
void ngx_http_llm_monitor_zone_size(ngx_http_llm_monitor_zone_t *z,
    size_t *size, size_t *unused);

/* Snapshot of the law, taken under the mutex. */
void ngx_http_llm_monitor_zone_terms(ngx_http_llm_monitor_zone_t *z,
    llm_terms_t *terms);


#endif /* _NGX_HTTP_LLM_MONITOR_ZONE_H_INCLUDED_ */
