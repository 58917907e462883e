
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_memory.h"


/* the sanitizer has to see what is used after it was given back */

#if defined(__SANITIZE_ADDRESS__)
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
static void *ngx_http_llm_monitor_memory_new(
    ngx_http_llm_monitor_piece_t *piece, size_t steps);


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

    return ngx_http_llm_monitor_memory_new(NULL, steps);
}


void *
ngx_http_llm_monitor_memory_resize(void *data, void *p, size_t size)
{
    ngx_http_llm_monitor_piece_t  *piece;

    if (p == NULL) {
        return ngx_http_llm_monitor_memory_alloc(data, size);
    }

    /* which mostly finds room behind it, and copies nothing */

    piece = (ngx_http_llm_monitor_piece_t *) p - 1;

    return ngx_http_llm_monitor_memory_new(piece,
                                      ngx_http_llm_monitor_memory_steps(size));
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


static void *
ngx_http_llm_monitor_memory_new(ngx_http_llm_monitor_piece_t *piece,
    size_t steps)
{
    piece = realloc(piece, steps * NGX_HTTP_LLM_MONITOR_MEMORY_STEP);

    if (piece == NULL) {
        ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, ngx_errno,
                      "realloc(%uz) failed",
                      steps * NGX_HTTP_LLM_MONITOR_MEMORY_STEP);
        return NULL;
    }

    piece->steps = steps;

    return piece + 1;
}
