
/*
 * Copyright (C) llm_monitor contributors
 *
 * The sums of all values of a dimension in one span that is over, packed as
 * llm_columns.h says: much faster to read than the rows, which stay.  A row
 * that changes after all takes its packed form away (llm_ledger.c).
 */


#ifndef _LLM_PACK_H_INCLUDED_
#define _LLM_PACK_H_INCLUDED_


#include "llm_writer.h"


#define LLM_PACK_ROWS   8         /* fewer are as fast to read as they are */

/* A span is over so long after its end: what is late has come. */
#define LLM_PACK_LATE   1800000   /* ms */


/*
 * One slice of packing what is over at now.  LLM_OK: there is more; LLM_AGAIN:
 * there is not; LLM_ERROR.
 */
int llm_pack_slice(llm_writer_t *w, int64_t now);


#endif /* _LLM_PACK_H_INCLUDED_ */
