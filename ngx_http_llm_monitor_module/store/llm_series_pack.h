
/*
 * Copyright (C) llm_monitor contributors
 *
 * Spans that are packed, for llm_series.c.
 */


#ifndef _LLM_SERIES_PACK_H_INCLUDED_
#define _LLM_SERIES_PACK_H_INCLUDED_


#include "llm_series.h"


/*
 * What is added: to the sums of which values, or the values alone, or what the
 * sums to be completed have missed.
 */

enum {
    LLM_SERIES_EVERY = 0, LLM_SERIES_KNOWN, LLM_SERIES_SEEN,
    LLM_SERIES_MISSED
};


/*
 * Adds a span.  LLM_DECLINED: it is not packed, or damaged: the rows have the
 * same.  Else as llm_series_add().
 */
int llm_series_packed(llm_series_t *s, llm_series_map_t *map, int64_t span,
    int64_t t, int what);

/* Where to add to a value; NULL: nowhere.  Else as llm_series_add(). */
int llm_series_sum(llm_series_map_t *map, int64_t value, int what,
    llm_series_sum_t **sum);

void llm_series_pack_close(llm_series_t *s);


#endif /* _LLM_SERIES_PACK_H_INCLUDED_ */
