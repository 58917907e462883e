
/*
 * Copyright (C) llm_monitor contributors
 *
 * A growing buffer with a bound.  Once an append did not fit or found no
 * memory, failed stays set and later appends do nothing, so that callers check
 * once at the end.
 */


#ifndef _LLM_BUF_H_INCLUDED_
#define _LLM_BUF_H_INCLUDED_


#include "llm.h"


typedef struct {
    uint8_t     *data;
    size_t       len;
    size_t       cap;
    size_t       max;            /* bytes */
    int          failed;         /* LLM_OK, LLM_NOMEM or LLM_FULL */
} llm_buf_t;


void llm_buf_init(llm_buf_t *b, size_t max);
void llm_buf_free(llm_buf_t *b);

void llm_buf_add(llm_buf_t *b, const void *p, size_t n);
void llm_buf_text(llm_buf_t *b, const char *text);
void llm_buf_int(llm_buf_t *b, int64_t v);

/* v / 10^decimals (0..18), not rounded, without zeros at its end */
void llm_buf_decimal(llm_buf_t *b, int64_t v, int decimals);

/* Room for n more bytes at data + len, which the caller then adds to len. */
uint8_t *llm_buf_room(llm_buf_t *b, size_t n);


#endif /* _LLM_BUF_H_INCLUDED_ */
