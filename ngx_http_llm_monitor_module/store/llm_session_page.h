
/*
 * Copyright (C) llm_monitor contributors
 *
 * A page of sessions from the inside.
 */


#ifndef _LLM_SESSION_PAGE_H_INCLUDED_
#define _LLM_SESSION_PAGE_H_INCLUDED_


#include "llm_session_sum.h"


/* a session in flight, by the newest of its exchanges */

typedef struct {
    int64_t              id;
    int64_t              key;
    llm_str_t            name;
} llm_session_flying_t;


typedef struct {
    llm_session_reader_t    sr;
    sqlite3_stmt           *find;        /* a session */
    sqlite3_stmt           *walk;        /* sessions, or rows */
    const llm_filter_t     *filter;
    const llm_flights_t    *flights;
    llm_session_flying_t   *flying;
    size_t                  nflying;
    int64_t                 now_ms;
    int64_t                 limit;
    int64_t                 n;           /* sessions of this page */
    int64_t                 value;       /* where it is, and the next one */
    int64_t                 id;
    int                     more;
    int                     moved;
    int                     late;
    llm_json_t             *j;
    llm_session_sum_t       sum;
} llm_session_page_t;


/* The sessions of all flights, each once, the newest first. */
int llm_session_flying(llm_session_page_t *p);

/* Those of them that are behind the cursor. */
int llm_session_page_flying(llm_session_page_t *p);

/*
 * Adds a session that is to be shown.  One more than the page has room for
 * says only that there is more.  row is the one that led to it, or 0.
 */
int llm_session_page_add(llm_session_page_t *p, const llm_session_t *s,
    int64_t row);


#endif /* _LLM_SESSION_PAGE_H_INCLUDED_ */
