
/*
 * Copyright (C) llm_monitor contributors
 *
 * Base64 (RFC 4648) in pieces.
 */


#ifndef _LLM_BASE64_H_INCLUDED_
#define _LLM_BASE64_H_INCLUDED_


#include "../record/llm.h"


typedef struct {
    uint32_t     bits;
    int          n;          /* of them that wait */
} llm_base64_t;


void llm_base64_init(llm_base64_t *b);

/*
 * Decodes from *p on until out is full, end is reached or a byte is none of
 * base64; *p is left behind what was read.  Returns the bytes written.
 */
size_t llm_base64_decode(llm_base64_t *b, uint8_t *out, size_t cap,
    const uint8_t **p, const uint8_t *end);


#endif /* _LLM_BASE64_H_INCLUDED_ */
