
/*
 * Copyright (C) llm_monitor contributors
 *
 * The first rows of a list, of all that were seen in whatever order: a heap
 * with the last one on top.
 */


#ifndef _LLM_TOP_H_INCLUDED_
#define _LLM_TOP_H_INCLUDED_


#include <stddef.h>
#include "../record/llm.h"


typedef struct {
    int64_t         value;           /* what the list is sorted by */
    int64_t         id;
} llm_top_row_t;

typedef struct {
    llm_top_row_t  *rows;            /* to be freed */
    size_t          n;
    size_t          cap;
    size_t          max;
    int             ascending;
    llm_top_row_t   after;           /* cursor; id LLM_NULL: there is none */
} llm_top_t;


/*
 * The order of a list: by value, what has none (LLM_NULL) last in both
 * directions, then by id.
 */
int llm_top_before(int ascending, const llm_top_row_t *a,
    const llm_top_row_t *b);

/* LLM_OK, also where the row is none of the first; or LLM_NOMEM. */
int llm_top_add(llm_top_t *top, const llm_top_row_t *row);

/* Into the order of the list; the end of the heap. */
void llm_top_sort(llm_top_t *top);


#endif /* _LLM_TOP_H_INCLUDED_ */
