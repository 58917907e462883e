
/*
 * Copyright (C) llm_monitor contributors
 *
 * The part of the statistics that one user or account may see: what the ledger
 * has of them alone, and for what it cannot tell apart their rows in log.
 */


#ifndef _LLM_SCOPE_H_INCLUDED_
#define _LLM_SCOPE_H_INCLUDED_


#include "llm_filter.h"
#include "llm_reader.h"
#include "llm_schema.h"
#include "llm_sieve.h"
#include "llm_where.h"


#define LLM_SCOPE_QUARTERS   (LLM_DAY_MS / LLM_QUARTER_MS)


typedef struct {
    int              dim;               /* LLM_SERIES_USER or _ACCOUNT */
    int64_t          id;                /* of dict; 0: it is not there */
    int              nobody;            /* nothing is seen */
    int              partial;           /* something may be missing */
    int64_t          deadline;          /* ms of the monotonic clock */
    llm_filter_t    *filter;
    llm_where_t     *where;             /* of the present transaction */

    /* the day that was looked at last, its start in ms; -1: none */
    int64_t          day;
    int              whole;             /* own has all of the day's requests */
    int64_t          own[LLM_SCOPE_QUARTERS];
} llm_scope_t;

/*
 * A quarter-hour, or the part of it that was asked for, in which the scope may
 * have something.  requests: as many as the ledger has; -1: it does not say.
 */
typedef int (*llm_scope_span_pt)(void *data, int64_t since, int64_t until,
    int64_t requests);


/* LLM_ERROR with err.  The text of value is copied. */
int llm_scope_create(llm_scope_t **scope, llm_scope_e what,
    const llm_str_t *value, int64_t now_ms, llm_query_error_t *err);
void llm_scope_free(llm_scope_t *scope);

/* In the reader's transaction, whose time becomes that of all walks. */
int llm_scope_begin(llm_scope_t *scope, llm_reader_t *reader);
void llm_scope_end(llm_scope_t *scope);

/*
 * Calls span for the quarter-hours of [since, until), in their order.  When
 * the time is over it ends with LLM_OK, and the scope is partial.
 */
int llm_scope_walk(llm_scope_t *scope, llm_reader_t *reader, int64_t since,
    int64_t until, llm_scope_span_pt span, void *data);

/* The scope's rows of log, of a time after the other. */

typedef struct {
    sqlite3_stmt    *st;                /* has the present one */
    llm_scope_t     *scope;
    llm_sieve_t     *sieve;             /* NULL: there are no blocks */
    int              running;           /* st is in a range of rows */
    int              hit;               /* the next of a block */
    int              hits;
} llm_scope_rows_t;


/* "SELECT columns".  LLM_ERROR: the error is the reader's. */
int llm_scope_rows_open(llm_scope_rows_t *rows, llm_scope_t *scope,
    llm_reader_t *reader, const char *columns);
void llm_scope_rows_close(llm_scope_rows_t *rows);

/* Starts over the rows of [since, until), in ms. */
void llm_scope_rows_start(llm_scope_rows_t *rows, int64_t since,
    int64_t until);

/* LLM_DECLINED: that was all; LLM_ERROR: the error is the reader's. */
int llm_scope_rows_next(llm_scope_rows_t *rows);


#endif /* _LLM_SCOPE_H_INCLUDED_ */
