
/*
 * Copyright (C) llm_monitor contributors
 *
 * Replaces the values of named JSON fields by "***" in a body that is to be
 * stored, while it flows.  Works on JSON inside SSE and NDJSON too, for it
 * looks at tokens only.
 */


#ifndef _LLM_REDACT_H_INCLUDED_
#define _LLM_REDACT_H_INCLUDED_


#include "../record/llm.h"


typedef struct llm_redact_s  llm_redact_t;

/*
 * names in lower case, compared without case, at any depth; a value that is an
 * object or an array goes as a whole.  Output goes to sink.
 */
int llm_redact_create(llm_redact_t **rd, const llm_str_t *names,
    size_t nnames, const llm_mem_t *mem, llm_sink_pt sink, void *sink_data);

void llm_redact_feed(llm_redact_t *rd, const uint8_t *p, size_t n, int last);

/* 1 if anything was replaced */
int llm_redact_done(const llm_redact_t *rd);

/* rd may be NULL */
void llm_redact_destroy(llm_redact_t *rd);


#endif /* _LLM_REDACT_H_INCLUDED_ */
