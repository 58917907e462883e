
/*
 * Copyright (C) llm_monitor contributors
 *
 * The few types that every plain C part shares.  No nginx header here, nor in
 * extract/, record/, store/ or the ring's algorithm.
 */


#ifndef _LLM_H_INCLUDED_
#define _LLM_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* return codes of the plain C parts */

#define LLM_OK           0
#define LLM_ERROR       -1    /* failed, the reason is in the caller's error */
#define LLM_AGAIN       -2    /* nothing yet: more input, or a later try */
#define LLM_FULL        -3    /* a bound was reached */
#define LLM_NOMEM       -4    /* an allocation failed */
#define LLM_DECLINED    -5    /* not mine: the next rule may take it */


/* a number that is not known; a real value is never that small */
#define LLM_NULL         INT64_MIN


/* bytes with a length; data NULL is "not known", len 0 an empty string */

typedef struct {
    size_t           len;
    const uint8_t   *data;
} llm_str_t;

#define llm_str(text)    { sizeof(text) - 1, (const uint8_t *) (text) }
#define llm_null_str     { 0, NULL }


/*
 * Where memory comes from.  alloc returns NULL when there is none left and
 * every caller copes with that; memory is given back with free.
 */

typedef struct {
    void          *(*alloc)(void *data, size_t size);
    void           (*free)(void *data, void *p);
    void            *data;
} llm_mem_t;


/* keeps a function out of its caller, whose registers it would take */
#define LLM_APART        __attribute__((noinline))


/* takes bytes that flow; p is valid during the call only */
typedef void (*llm_sink_pt)(void *data, const uint8_t *p, size_t n);


#endif /* _LLM_H_INCLUDED_ */
