
/*
 * Copyright (C) llm_monitor contributors
 *
 * The values that models, accounts, users, providers, statuses and endpoints
 * have, and how often: what one may filter by.  Run in a thread, as
 * llm_query.h says.
 */


#ifndef _LLM_FACETS_H_INCLUDED_
#define _LLM_FACETS_H_INCLUDED_


#include "llm_query.h"


/*
 * Appends the values of what the filter selects, a JSON document, to out.
 * Where it selects by time alone, or not at all, they come from the ledger, in
 * a time that does not depend on the number of rows; else from blocks and rows,
 * the newest first, and what is not done in budget_ms is said to be partial.
 * LLM_ERROR with err.
 */
int llm_facets(llm_reader_t *reader, const llm_filter_t *filter,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);


#endif /* _LLM_FACETS_H_INCLUDED_ */
