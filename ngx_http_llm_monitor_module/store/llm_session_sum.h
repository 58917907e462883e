
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the rows of one session come to.
 */


#ifndef _LLM_SESSION_SUM_H_INCLUDED_
#define _LLM_SESSION_SUM_H_INCLUDED_


#include "llm_row.h"
#include "llm_session_query.h"
#include "llm_where.h"


#define LLM_SESSION_ROWS   2000           /* of one session, the newest */
#define LLM_SESSION_WORDS  8              /* values of each kind */
#define LLM_SESSION_WORD   256            /* bytes of one that is no id */
#define LLM_SESSION_NAME   512            /* bytes of its own name */
#define LLM_SESSION_SHOWN     (LLM_SESSION_NAME + 24)


/* a row of the table; id 0: there is none yet */

typedef struct {
    int64_t      id;
    int64_t      key;                     /* hash, 0: none */
    int64_t      last_ms;                 /* may lag */
    llm_str_t    name;
    uint8_t      room[LLM_SESSION_NAME];
} llm_session_t;


/* different values of a column, ids of the dictionary or texts */

typedef struct {
    int64_t      id;                      /* LLM_NULL: it is a text */
    size_t       len;
    uint8_t      text[LLM_SESSION_WORD];
} llm_session_word_t;

enum {
    LLM_SESSION_MODELS = 0, LLM_SESSION_PROVIDERS, LLM_SESSION_USERS,
    LLM_SESSION_ACCOUNTS, LLM_SESSION_KEYS, LLM_SESSION_KINDS
};

enum {
    LLM_SESSION_INPUT = 0, LLM_SESSION_CACHE_READ, LLM_SESSION_CACHE_CREATION,
    LLM_SESSION_OUTPUT, LLM_SESSION_REASONING, LLM_SESSION_TOTAL,
    LLM_SESSION_COST, LLM_SESSION_DURATION, LLM_SESSION_SUMS
};

typedef struct {
    int64_t              requests;
    int64_t              errors;
    int64_t              newest;          /* id of a row */
    int64_t              first_ms;
    int64_t              last_ms;         /* when the last answer ended */
    int64_t              sum[LLM_SESSION_SUMS];    /* LLM_NULL: none known */
    int64_t              running;
    int                  failed;          /* the newest one */
    int                  more;            /* than LLM_SESSION_ROWS */
    size_t               nwords[LLM_SESSION_KINDS];
    llm_session_word_t   words[LLM_SESSION_KINDS][LLM_SESSION_WORDS];
} llm_session_sum_t;


/* statements of one answer */

typedef struct {
    llm_reader_t        *reader;
    llm_where_t         *where;
    sqlite3_stmt        *rows;
    sqlite3_stmt        *edge;
    sqlite3_stmt        *word;
} llm_session_reader_t;


/*
 * Between llm_reader_begin() and _end(); needs a database.  LLM_OK, LLM_NOMEM,
 * or LLM_ERROR: the error is the connection's.  To be closed in any case.
 */
int llm_session_open(llm_session_reader_t *sr, llm_reader_t *reader,
    const llm_filter_t *filter);
void llm_session_close(llm_session_reader_t *sr);

/* LLM_OK, or LLM_ERROR: the error is the connection's, or the time is over. */
int llm_session_collect(llm_session_reader_t *sr, const llm_session_t *s,
    llm_session_sum_t *sum);

/*
 * Its n newest rows have ids from edge on, 0: it has no others.  LLM_OK or
 * LLM_ERROR.
 */
int llm_session_edge(llm_session_reader_t *sr, int64_t id, int n,
    int64_t *edge);

/*
 * The member "conversation" of an object.  LLM_OK, LLM_NOMEM, or LLM_ERROR: as
 * above.
 */
int llm_session_talk(llm_session_reader_t *sr, const llm_session_t *s,
    llm_json_t *j);

int llm_session_active(const llm_session_sum_t *sum, int64_t now_ms);

/* The members of an object.  LLM_OK, or LLM_ERROR: as above. */
int llm_session_json(llm_session_reader_t *sr, const llm_session_t *s,
    const llm_session_sum_t *sum, int64_t now_ms, llm_json_t *j);

/* The id, LLM_SESSION_SHOWN bytes with its NUL. */
void llm_session_id(const llm_session_t *s, char *id);

/* Takes what a statement stands on: id, sid, key_hash, last_ms. */
void llm_session_load(sqlite3_stmt *stmt, llm_session_t *s);

/*
 * The name of a flight's session; LLM_DECLINED: it has none, or one of which
 * only the beginning is known.
 */
int llm_session_flight(const llm_live_facts_t *facts, llm_str_t *name);

/* How many of the flights belong to it. */
int64_t llm_session_running(const llm_session_t *s,
    const llm_flights_t *flights);


#endif /* _LLM_SESSION_SUM_H_INCLUDED_ */
