
/*
 * Copyright (C) llm_monitor contributors
 *
 * AWS event-stream frames (application/vnd.amazon.eventstream): prelude of 12
 * bytes, headers, payload, CRC; all numbers big endian.
 */


#ifndef _LLM_AWS_H_INCLUDED_
#define _LLM_AWS_H_INCLUDED_


#include "../record/llm.h"


typedef struct {
    llm_str_t    event_type;     /* :event-type or :exception-type */
    llm_str_t    message_type;   /* event, exception, error */
    llm_str_t    payload;
} llm_aws_frame_t;

typedef void (*llm_aws_pt)(void *data, const llm_aws_frame_t *frame);

typedef struct llm_aws_s  llm_aws_t;

/* Frames over 1 MB are passed over, their bytes skipped. */
int llm_aws_create(llm_aws_t **a, const llm_mem_t *mem, llm_aws_pt fn,
    void *data);

/* LLM_OK, or LLM_ERROR for bytes that are no frames: for ever after. */
int llm_aws_feed(llm_aws_t *a, const uint8_t *p, size_t n);

/* a may be NULL */
void llm_aws_destroy(llm_aws_t *a);


#endif /* _LLM_AWS_H_INCLUDED_ */
