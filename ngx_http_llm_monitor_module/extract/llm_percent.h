
/*
 * Copyright (C) llm_monitor contributors
 *
 * Percent-encoding (RFC 3986, section 2.1).
 */


#ifndef _LLM_PERCENT_H_INCLUDED_
#define _LLM_PERCENT_H_INCLUDED_


#include "../record/llm.h"


/* The value of the two hexadecimal digits at p, or -1. */
int llm_percent_hex(const uint8_t *p, const uint8_t *end);

/*
 * Decodes once; a '%' without two digits stays.  Writes at most cap bytes and
 * returns their number.  out may be p.
 */
size_t llm_percent_decode(uint8_t *out, size_t cap, const uint8_t *p,
    size_t n);


#endif /* _LLM_PERCENT_H_INCLUDED_ */
