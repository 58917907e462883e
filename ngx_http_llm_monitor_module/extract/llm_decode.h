
/*
 * Copyright (C) llm_monitor contributors
 *
 * Undoes Content-Encoding on the copy: gzip, x-gzip, deflate (zlib and raw),
 * br, zstd, and lists of them in reverse order.  The only place that knows
 * zlib, brotli and zstd.
 */


#ifndef _LLM_DECODE_H_INCLUDED_
#define _LLM_DECODE_H_INCLUDED_


#include "../record/llm.h"


typedef struct llm_decode_s  llm_decode_t;


/*
 * LLM_OK with a decoder; LLM_DECLINED for null, empty and "identity" (no
 * decoder is needed); LLM_ERROR for an unknown coding or more than 4 of them;
 * LLM_NOMEM.  Decoded bytes go to sink in pieces of at most 16 KB.  When more
 * than 1 MB has come out, at more than 200 bytes for each byte that went in,
 * or more than max bytes in all, decoding ends with LLM_FULL (a bomb).
 */
int llm_decode_create(llm_decode_t **d, const llm_str_t *coding,
    int64_t max, const llm_mem_t *mem, llm_sink_pt sink, void *sink_data);

/*
 * LLM_OK; LLM_ERROR: the bytes are not of that coding (what was decoded before
 * has been handed on; bytes so far out: llm_decode_bytes()); LLM_FULL: a
 * bound; LLM_NOMEM.  After any of them, later calls do nothing and return the
 * same.  A gzip member or zstd frame may be followed by another one; any other
 * bytes after the end are passed over.  If the first bytes are not of the
 * coding (the header lies), all bytes are handed on as they are:
 * LLM_DECLINED, now and for every later call.
 */
int llm_decode(llm_decode_t *d, const uint8_t *p, size_t n);

/* 1 if nothing came, or all that came ends where its coding may end */
int llm_decode_ended(const llm_decode_t *d);

int64_t llm_decode_bytes(const llm_decode_t *d);

/* d may be NULL */
void llm_decode_destroy(llm_decode_t *d);


#endif /* _LLM_DECODE_H_INCLUDED_ */
