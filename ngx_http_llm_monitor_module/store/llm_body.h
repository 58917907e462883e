
/*
 * Copyright (C) llm_monitor contributors
 *
 * How bodies look in the database: short ones as they are, others as zstd
 * frames of level 1.  The only place that uses zstd.
 */


#ifndef _LLM_BODY_H_INCLUDED_
#define _LLM_BODY_H_INCLUDED_


#include "llm_schema.h"


/* compressing less than that costs more than it saves */
#define LLM_BODY_PLAIN_MAX  8192

typedef struct {
    void        *ctx;
    uint8_t     *out;
    size_t       cap;
} llm_body_coder_t;


/* LLM_OK or LLM_NOMEM. */
int llm_body_coder_init(llm_body_coder_t *c);
void llm_body_coder_free(llm_body_coder_t *c);

/*
 * Encodes n <= LLM_FRAME_RAW bytes; *out points to the result, to p itself if
 * that is as good, valid until the next call.  Returns the coding, PLAIN or
 * ZSTD.  A frame of a body in frames is always ZSTD (frame = 1); that may fail
 * with LLM_NOMEM.
 */
int llm_body_encode(llm_body_coder_t *c, int frame, const uint8_t *p,
    size_t n, const uint8_t **out, size_t *len);

/*
 * Decodes a zstd frame of llm_body_encode() into out, at most cap bytes (give
 * LLM_FRAME_RAW).  LLM_ERROR: it is broken or larger.  For any thread.
 */
int llm_body_decode(const uint8_t *p, size_t n, uint8_t *out, size_t cap,
    size_t *len);


#endif /* _LLM_BODY_H_INCLUDED_ */
