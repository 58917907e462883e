
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sessions: the id that a row holds, and the chain of answers of OpenAI's
 * responses API, in which a request names its session only by the answer
 * before it (previous_response_id).
 */


#ifndef _LLM_SESSIONS_H_INCLUDED_
#define _LLM_SESSIONS_H_INCLUDED_


#include "llm_db.h"


#define LLM_SESSION_MAX       1000000     /* sessions kept; then `over` */
#define LLM_SESSION_CACHED    16384
#define LLM_SESSION_CHAIN     65536       /* answers remembered */
#define LLM_SESSION_LAG_MS    60000       /* of last_ms in the table */
#define LLM_SESSION_SWEPT     500

/* rule 5 of the order in which a session is looked for */
#define LLM_SESSION_BY_CHAIN  5

enum {
    LLM_SESSION_FIND = 0, LLM_SESSION_INSERT, LLM_SESSION_TOUCH,
    LLM_SESSION_DELETE, LLM_SESSION_FORGET, LLM_SESSION_STATEMENTS
};

typedef struct {
    uint64_t        hash;             /* 0: empty */
    int64_t         id;
    int64_t         last_ms;
} llm_session_slot_t;

typedef struct {
    llm_db_t            *db;
    llm_session_slot_t  *slots;       /* newest of each place */
    llm_session_slot_t  *chain;
    uint64_t             seed;
    int64_t              total;
    sqlite3_stmt        *st[LLM_SESSION_STATEMENTS];
} llm_sessions_t;


/* Reads the newest answers back, so that chains survive a restart. */
int llm_sessions_open(llm_sessions_t *s, llm_db_t *db);
void llm_sessions_close(llm_sessions_t *s);

/* After a rollback. */
void llm_sessions_reset(llm_sessions_t *s);

/*
 * The session of r, LLM_NULL if it has none; r's session_source is set if it
 * was found by the chain.  LLM_FULL: there is no room for one more.
 */
int llm_sessions_id(llm_sessions_t *s, llm_record_t *r, int64_t *id);

/* Whose r's session is: the key, or what stands for it; 0: nobody's. */
int64_t llm_sessions_key(const llm_record_t *r);

/*
 * Removes sessions that ended before ms, or that no row belongs to; at most
 * LLM_SESSION_SWEPT, *n is how many.  In a transaction.
 */
int llm_sessions_sweep(llm_sessions_t *s, int64_t ms, int64_t *n);
int llm_sessions_forget(llm_sessions_t *s, int64_t *n);


#endif /* _LLM_SESSIONS_H_INCLUDED_ */
