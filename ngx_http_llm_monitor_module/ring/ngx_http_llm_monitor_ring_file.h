
/*
 * Copyright (C) llm_monitor contributors
 *
 * The file that a ring lives in: ring.<random> in a directory of its own in
 * /dev/shm, which survives processes and never waits for a disk, or in the
 * data directory.
 *
 * Its flock (shared) is held through one descriptor that all processes of an
 * instance inherit: as long as one of them lives nobody can lock the file
 * exclusively.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_RING_FILE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_RING_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "llm_ring.h"


/* process-local; shared by the cycles that use the same ring */

typedef struct {
    llm_ring_t    ring;
    ngx_uint_t    refs;
    ngx_uint_t    shm;                  /* dir is ours, in /dev/shm */
    ngx_fd_t      fd;
    u_char        dir[NGX_MAX_PATH];
    u_char        place[NGX_MAX_PATH];  /* the place for rings; this one is
                                           in dir if it had no room there */
    u_char        name[64];             /* in dir */
} ngx_http_llm_monitor_ring_file_t;


/*
 * Makes, allocates on the disk, locks, maps and formats a ring of size bytes
 * for the data directory data_dir.  user (NGX_CONF_UNSET_UINT: leave it) will
 * own the file.  NULL if it cannot be had in either place; logged.
 */
ngx_http_llm_monitor_ring_file_t *ngx_http_llm_monitor_ring_file_create(
    ngx_str_t *data_dir, size_t size, ngx_uid_t user, ngx_log_t *log);

/*
 * One cycle less.  The last one unmaps and closes, and removes the file if it
 * is empty and no other process uses it, as after a reload that failed, and
 * its directory in /dev/shm if that is empty then.
 */
void ngx_http_llm_monitor_ring_file_release(
    ngx_http_llm_monitor_ring_file_t *file);


#endif /* _NGX_HTTP_LLM_MONITOR_RING_FILE_H_INCLUDED_ */
