
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the text of a JSON value means.
 */


#ifndef _LLM_VALUE_H_INCLUDED_
#define _LLM_VALUE_H_INCLUDED_


#include "../record/llm.h"


/*
 * Undoes the escapes of a JSON string whose text is p, n; dst has room for n
 * bytes and may be p.  A surrogate without its other half becomes U+FFFD, an
 * escape that is cut or unknown is left out.  Returns the bytes written.
 */
size_t llm_value_string(uint8_t *dst, const uint8_t *p, size_t n);

/*
 * A count: LLM_NULL unless p is a whole number from 0 to 2^53, however it is
 * written ("12", "12.0", "1.2e1").
 */
int64_t llm_value_count(const uint8_t *p, size_t n);

/* A price in units of 1e-9, rounded; LLM_NULL for what is none. */
int64_t llm_value_nano(const uint8_t *p, size_t n);


#endif /* _LLM_VALUE_H_INCLUDED_ */
