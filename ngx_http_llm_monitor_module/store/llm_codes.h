
/*
 * Copyright (C) llm_monitor contributors
 *
 * Reads what blocks have in a column, of one block after the other.
 */


#ifndef _LLM_CODES_H_INCLUDED_
#define _LLM_CODES_H_INCLUDED_


#include "llm_block.h"
#include "llm_reader.h"


typedef struct llm_codes_s  llm_codes_t;


/*
 * Blocks that follow each other are found without a search if they come in the
 * order that is said here; others are found, too.  LLM_DECLINED: there is no
 * memory; LLM_ERROR: the error is the reader's.
 */
int llm_codes_open(llm_codes_t **c, llm_reader_t *reader, int column,
    int ascending);
void llm_codes_close(llm_codes_t *c);

/*
 * The codes of a block of n rows, whole bytes each; they are there until the
 * next call.  NULL: all rows have one value.  LLM_DECLINED: these are no such
 * bytes; LLM_ERROR: the error is the reader's.
 */
int llm_codes_read(llm_codes_t *c, const llm_block_head_t *head,
    int64_t slot, int n, const uint8_t **codes);


#endif /* _LLM_CODES_H_INCLUDED_ */
