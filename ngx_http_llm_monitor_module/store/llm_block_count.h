
/*
 * Copyright (C) llm_monitor contributors
 *
 * Which values rows of a block have in a column, and how many of them each.
 */


#ifndef _LLM_BLOCK_COUNT_H_INCLUDED_
#define _LLM_BLOCK_COUNT_H_INCLUDED_


#include "llm_block.h"


/* The rows that are not 1, as llm_block_rows() makes them. */
void llm_block_others(const uint8_t *rows, int n, uint8_t *others);

/*
 * Of a column with a list of more than one value: how many of the rows whose
 * hits places are in at have each; counts are LLM_BLOCK_VALUES.
 */
void llm_block_count(const uint8_t *codes, const uint16_t *at, int hits,
    int *counts);

/*
 * Of a column without a list: adds to counts, which begin with that of
 * head->min and end with that of head->max, the rows whose places are in at, or
 * at NULL of the n rows those that are 1 in rows.
 */
void llm_block_add(const llm_block_head_t *head, const uint8_t *codes,
    const uint16_t *at, const uint8_t *rows, int n, uint32_t *counts);


#endif /* _LLM_BLOCK_COUNT_H_INCLUDED_ */
