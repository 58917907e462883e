
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sessions, from the rows that belong to them, and one of them with its
 * requests.  Run in a thread, as llm_query.h says.
 *
 * A client's name for its session says nothing about others who use the same:
 * a session is a name and a key.  Its id is both, "name~0123456789abcdef", the
 * digits being the key's hash.
 */


#ifndef _LLM_SESSION_QUERY_H_INCLUDED_
#define _LLM_SESSION_QUERY_H_INCLUDED_


#include "llm_query.h"
#include "../ring/llm_live.h"


#define LLM_SESSION_ACTIVE_MS  300000      /* since its last answer ended */

typedef enum {
    LLM_STATE_ACTIVE = 1, LLM_STATE_IDLE
} llm_state_e;

/* exchanges in flight that the asker may see */

typedef struct {
    const llm_live_facts_t  *facts;
    size_t                   n;
} llm_flights_t;


/*
 * Sessions with rows that pass the filter and what these rows come to: those
 * with an exchange in flight first, then the latest.  What is not done in
 * budget_ms is for the next page.
 */
int llm_query_sessions(llm_reader_t *reader, const llm_filter_t *filter,
    const llm_flights_t *flights, int64_t now_ms, int64_t budget_ms,
    llm_buf_t *out, llm_query_error_t *err);

/*
 * One session and a page of its requests, the first one first.  name is its
 * id, of which digits may be missing at the end, or just its name, as long as
 * that says which one is meant.
 */
int llm_query_session(llm_reader_t *reader, const llm_str_t *name,
    const llm_filter_t *filter, const llm_flights_t *flights, int64_t now_ms,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);


#endif /* _LLM_SESSION_QUERY_H_INCLUDED_ */
