
/*
 * Copyright (C) llm_monitor contributors
 *
 * Memory of exchanges that are over is kept for the next ones, which ask for
 * the same sizes: an exchange takes five pieces, and malloc() costs more than
 * most of what is done with them.  One process, one thread: the event loop's.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_MEMORY_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_MEMORY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* bytes that sizes are rounded up to, and the sizes that are kept */
#define NGX_HTTP_LLM_MONITOR_MEMORY_STEP   128
#define NGX_HTTP_LLM_MONITOR_MEMORY_STEPS  40

/* bytes that a worker keeps */
#define NGX_HTTP_LLM_MONITOR_MEMORY_KEPT   (256 * 1024)


typedef struct ngx_http_llm_monitor_piece_s  ngx_http_llm_monitor_piece_t;

/* zeros: nothing is kept yet */

typedef struct {
    ngx_http_llm_monitor_piece_t
                              *free[NGX_HTTP_LLM_MONITOR_MEMORY_STEPS + 1];
    size_t                     kept;       /* steps */
} ngx_http_llm_monitor_memory_t;


/* What is kept is given back with the pool.  The memory is of zeros. */
ngx_int_t ngx_http_llm_monitor_memory_init(
    ngx_http_llm_monitor_memory_t *memory, ngx_pool_t *pool);

/*
 * As malloc() and free(); data is ngx_http_llm_monitor_memory_t, so that the
 * two make a llm_mem_t.  A failure is logged.
 */
void *ngx_http_llm_monitor_memory_alloc(void *data, size_t size);
void ngx_http_llm_monitor_memory_free(void *data, void *p);


#endif /* _NGX_HTTP_LLM_MONITOR_MEMORY_H_INCLUDED_ */
