
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <zstd.h>

#include "llm_body.h"


#define LLM_BODY_LEVEL  1


int
llm_body_coder_init(llm_body_coder_t *c)
{
    c->cap = ZSTD_compressBound(LLM_FRAME_RAW);
    c->ctx = ZSTD_createCCtx();
    c->out = malloc(c->cap);

    if (c->ctx == NULL || c->out == NULL) {
        llm_body_coder_free(c);
        return LLM_NOMEM;
    }

    return LLM_OK;
}


void
llm_body_coder_free(llm_body_coder_t *c)
{
    (void) ZSTD_freeCCtx(c->ctx);
    free(c->out);

    c->ctx = NULL;
    c->out = NULL;
}


int
llm_body_encode(llm_body_coder_t *c, int frame, const uint8_t *p, size_t n,
    const uint8_t **out, size_t *len)
{
    size_t  size;

    *out = p;
    *len = n;

    if (n < LLM_BODY_PLAIN_MAX && !frame) {
        return LLM_CODING_PLAIN;
    }

    size = ZSTD_compressCCtx(c->ctx, c->out, c->cap, p, n, LLM_BODY_LEVEL);

    if (ZSTD_isError(size)) {
        return frame ? LLM_NOMEM : LLM_CODING_PLAIN;
    }

    if (size >= n && !frame) {
        return LLM_CODING_PLAIN;
    }

    *out = c->out;
    *len = size;

    return LLM_CODING_ZSTD;
}


int
llm_body_decode(const uint8_t *p, size_t n, uint8_t *out, size_t cap,
    size_t *len)
{
    size_t  size;

    size = ZSTD_decompress(out, cap, p, n);

    if (ZSTD_isError(size)) {
        return LLM_ERROR;
    }

    *len = size;

    return LLM_OK;
}
