
/*
 * Copyright (C) llm_monitor contributors
 *
 * multipart/form-data (RFC 7578): which fields a request has.  Files are
 * counted, never kept.
 */


#ifndef _LLM_MULTIPART_H_INCLUDED_
#define _LLM_MULTIPART_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_buf.h"


typedef struct llm_multipart_s  llm_multipart_t;

/* LLM_ERROR: content_type has no usable boundary. */
int llm_multipart_create(llm_multipart_t **m, const llm_str_t *content_type,
    const llm_mem_t *mem);

/* At most 64 parts and 512 bytes of each plain value are kept. */
void llm_multipart_feed(llm_multipart_t *m, const uint8_t *p, size_t n);

/* The value of a plain field, e.g. "model"; null if it was not seen. */
llm_str_t llm_multipart_value(const llm_multipart_t *m, const char *name);

/*
 * Appends {"multipart":[{"name":"file","filename":"a.mp3","type":"audio/mpeg",
 * "size":123},{"name":"model","value":"whisper-1"}],"truncated":false}.
 */
void llm_multipart_summary(const llm_multipart_t *m, llm_buf_t *out);

/* m may be NULL */
void llm_multipart_destroy(llm_multipart_t *m);


#endif /* _LLM_MULTIPART_H_INCLUDED_ */
