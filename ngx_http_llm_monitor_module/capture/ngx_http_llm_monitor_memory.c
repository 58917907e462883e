
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_memory.h"


/* sanitizers and valgrind have to see what is used after it was given back */

#if defined(__SANITIZE_ADDRESS__) || (NGX_DEBUG_PALLOC)
#define NGX_HTTP_LLM_MONITOR_MEMORY_LIMIT  0
#else
#define NGX_HTTP_LLM_MONITOR_MEMORY_LIMIT                                     \
    (NGX_HTTP_LLM_MONITOR_MEMORY_KEPT / NGX_HTTP_LLM_MONITOR_MEMORY_STEP)
#endif


/* stands before the bytes that the caller has */

struct ngx_http_llm_monitor_piece_s {
    ngx_http_llm_monitor_piece_t  *next;
    size_t                         steps;
};


static size_t ngx_http_llm_monitor_memory_steps(size_t size);
static void ngx_http_llm_monitor_memory_cleanup(void *data);


ngx_int_t
ngx_http_llm_monitor_memory_init(ngx_http_llm_monitor_memory_t *memory,
    ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, 0);

    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_llm_monitor_memory_cleanup;
    cln->data = memory;

    return NGX_OK;
}


void *
ngx_http_llm_monitor_memory_alloc(void *data, size_t size)
{
    ngx_http_llm_monitor_memory_t *memory = data;

    size_t                         steps;
    ngx_http_llm_monitor_piece_t  *piece;

    steps = ngx_http_llm_monitor_memory_steps(size);

    if (steps <= NGX_HTTP_LLM_MONITOR_MEMORY_STEPS) {
        piece = memory->free[steps];

        if (piece) {
            memory->free[steps] = piece->next;
            memory->kept -= steps;

            return piece + 1;
        }
    }

    piece = ngx_alloc(steps * NGX_HTTP_LLM_MONITOR_MEMORY_STEP,
                      ngx_cycle->log);

    if (piece == NULL) {
        return NULL;
    }

    piece->steps = steps;

    return piece + 1;
}


void
ngx_http_llm_monitor_memory_free(void *data, void *p)
{
    ngx_http_llm_monitor_memory_t *memory = data;

    size_t                         steps;
    ngx_http_llm_monitor_piece_t  *piece;

    if (p == NULL) {
        return;
    }

    piece = (ngx_http_llm_monitor_piece_t *) p - 1;
    steps = piece->steps;

    if (steps <= NGX_HTTP_LLM_MONITOR_MEMORY_STEPS
        && memory->kept + steps <= NGX_HTTP_LLM_MONITOR_MEMORY_LIMIT)
    {
        piece->next = memory->free[steps];
        memory->free[steps] = piece;
        memory->kept += steps;

        return;
    }

    ngx_free(piece);
}


static size_t
ngx_http_llm_monitor_memory_steps(size_t size)
{
    return (size + sizeof(ngx_http_llm_monitor_piece_t)
            + NGX_HTTP_LLM_MONITOR_MEMORY_STEP - 1)
           / NGX_HTTP_LLM_MONITOR_MEMORY_STEP;
}


static void
ngx_http_llm_monitor_memory_cleanup(void *data)
{
    ngx_http_llm_monitor_memory_t *memory = data;

    ngx_uint_t                     i;
    ngx_http_llm_monitor_piece_t  *piece;

    for (i = 0; i <= NGX_HTTP_LLM_MONITOR_MEMORY_STEPS; i++) {

        while (memory->free[i]) {
            piece = memory->free[i];
            memory->free[i] = piece->next;

            ngx_free(piece);
        }
    }

    memory->kept = 0;
}
