
/*
 * Copyright (C) llm_monitor contributors
 *
 * The word of filter=: looked for in the dictionary, which is small, so that
 * a scan of the log compares ids.  Sessions are many: if the dictionary has
 * the word, those of the rows that are seen are looked at one by one, for a
 * page is full soon; all of them if it is not, or if only they may have it.
 */


#ifndef _LLM_SEARCH_H_INCLUDED_
#define _LLM_SEARCH_H_INCLUDED_


#include <sqlite3.h>
#include "llm_filter.h"
#include "llm_idset.h"


#define LLM_SEARCH_STATUSES  1000
#define LLM_SEARCH_NEEDLE    (4 * LLM_FILTER_TEXT_MAX)       /* bytes */
#define LLM_SEARCH_SESSIONS  4096        /* looked at one by one */

/* what sqlite3_bind_pointer() is told about a llm_search_t */
#define LLM_SEARCH_TYPE      "llm_search"


typedef struct {
    sqlite3        *db;
    sqlite3_stmt   *stmt;                /* of one session; NULL: not needed */
    llm_idset_t     dict;
    llm_idset_t     session;             /* those that have the word */
    llm_idset_t     asked;               /* those that were looked at */
    int             all;                 /* or all were */
    int             kinds;               /* bits of llm_dict_kind_e found */
    uint8_t         status[LLM_SEARCH_STATUSES];
    int             statuses;            /* of them 1 */
    int             status_min;
    int             status_max;
    char            like[2 * LLM_SEARCH_NEEDLE + 3];
} llm_search_t;


/*
 * Once a connection: makes llm_search(search, status, session, id...), true
 * if one of them has the word; the ids are of the dictionary.  It may read the
 * table of sessions, by the connection of llm_search_find().
 */
int llm_search_setup(sqlite3 *db);

/* s is all zero.  LLM_NOMEM; LLM_ERROR: the error is the connection's. */
int llm_search_find(llm_search_t *s, sqlite3 *db, const llm_str_t *needle);

/* True if a session may have the word. */
int llm_search_sessions(const llm_search_t *s);

/* Before the connection is closed. */
void llm_search_free(llm_search_t *s);


#endif /* _LLM_SEARCH_H_INCLUDED_ */
