
/*
 * Copyright (C) llm_monitor contributors
 *
 * The rows of one page of a list: which ids, in which order.
 */


#ifndef _LLM_PAGE_H_INCLUDED_
#define _LLM_PAGE_H_INCLUDED_


#include "llm_reader.h"
#include "llm_top.h"
#include "llm_where.h"


typedef struct {
    llm_top_row_t  *rows;
    size_t          first;           /* before it: skipped by offset */
    size_t          n;               /* end of the page in rows */
    int             more;            /* there is a row after it */
    int             partial;         /* the time was over before the end */
} llm_page_t;


/*
 * Finds the page that f asks for.  Over the reader's budget the page has the
 * best of the rows that were seen, newest first, and is partial.  LLM_NOMEM;
 * LLM_ERROR: the error is the connection's.
 */
int llm_page_find(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    llm_page_t *page);
void llm_page_free(llm_page_t *page);


#endif /* _LLM_PAGE_H_INCLUDED_ */
