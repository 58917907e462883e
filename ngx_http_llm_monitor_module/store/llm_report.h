
/*
 * Copyright (C) llm_monitor contributors
 *
 * The calls that are answered from the ledger: summary, stats, leaderboard and
 * availability.  None of them looks at a row of the log, so that they take the
 * same time whatever has been recorded, but in a scope: see llm_scope.h.  Run
 * in a thread, as llm_query.h says.
 */


#ifndef _LLM_REPORT_H_INCLUDED_
#define _LLM_REPORT_H_INCLUDED_


#include "llm_filter.h"


typedef enum {
    LLM_REPORT_SUMMARY = 0, LLM_REPORT_STATS, LLM_REPORT_LEADERBOARD,
    LLM_REPORT_AVAILABILITY
} llm_report_e;

typedef struct llm_report_s  llm_report_t;


/*
 * Reads the query string of a call, still percent-encoded.  Unknown, repeated
 * or malformed parameters are refused: LLM_ERROR and err.  Reads a file of the
 * system's zone data if a zone is named.
 */
int llm_report_parse(llm_report_t **report, const llm_str_t *query, int what,
    int64_t now_ms, llm_query_error_t *err);

void llm_report_free(llm_report_t *report);

/* Narrows it to what one user or account may see; LLM_ERROR with err. */
int llm_report_scope(llm_report_t *report, llm_scope_e scope,
    const llm_str_t *value, llm_query_error_t *err);

/*
 * Appends the answer, a JSON document, to out.  LLM_ERROR with err; what is
 * not done in budget_ms is one, but in a scope, where it is left out and the
 * answer says "partial":true.
 */
int llm_report_run(llm_reader_t *reader, const llm_report_t *report,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);


#endif /* _LLM_REPORT_H_INCLUDED_ */
