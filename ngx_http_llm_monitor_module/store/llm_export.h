
/*
 * Copyright (C) llm_monitor contributors
 *
 * Records as a stream of bytes, a slice at a time: what is between two slices
 * is this structure, no transaction and no statement.
 */


#ifndef _LLM_EXPORT_H_INCLUDED_
#define _LLM_EXPORT_H_INCLUDED_


#include "llm_query.h"


/* bytes after which a slice ends; a piece of a body may come on top of it */
#define LLM_EXPORT_SLICE    (512 * 1024)


typedef struct llm_export_s  llm_export_t;


/*
 * An export of what passes the filter, which must outlive it, committed after
 * its since_seq.  max_body is the limit in bytes that a placeholder names.
 * LLM_ERROR with err.
 */
int llm_export_create(llm_export_t **x, const llm_filter_t *f,
    int64_t max_body, llm_query_error_t *err);
void llm_export_free(llm_export_t *x);

/*
 * Appends a slice.  LLM_AGAIN: there is more; LLM_OK: that was the last one;
 * LLM_ERROR with err: what was given so far is a part of the export.  The
 * first slice says how far the export goes: what is committed later is for the
 * next one.
 */
int llm_export_slice(llm_export_t *x, llm_reader_t *reader, llm_buf_t *out,
    llm_query_error_t *err);

/* After the first slice: the since_seq of an export that goes on from here. */
int64_t llm_export_next(const llm_export_t *x);


#endif /* _LLM_EXPORT_H_INCLUDED_ */
