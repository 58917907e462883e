
/*
 * Copyright (C) llm_monitor contributors
 *
 * A filter as ranges of numbers, each of one column, all of which a row must
 * be in: what can be answered without SQL, from the sums of the ledger or the
 * columns of blocks.
 */


#ifndef _LLM_SIFT_H_INCLUDED_
#define _LLM_SIFT_H_INCLUDED_


#include "llm_schema.h"


#define LLM_SIFT_TERMS    32
#define LLM_SIFT_RANGES   64
#define LLM_SIFT_VALUES   4           /* of a dimension, for llm_sift_dim() */

/* a value that is nowhere but in the row's object of texts */
#define LLM_SIFT_OVER     -1


/*
 * Columns of a row, in the order in which blocks have them: stored, a new one
 * is the last.  Where a number is not known it is 0 of operation, protocol and
 * stream, else -1; a text that is not there is 0.
 */

typedef enum {
    LLM_SIFT_FLAGS = 0,               /* bits, see below */
    LLM_SIFT_STATUS, LLM_SIFT_OUTCOME, LLM_SIFT_OPERATION, LLM_SIFT_PROTOCOL,
    LLM_SIFT_STREAM,
    LLM_SIFT_METHOD,                  /* from here dictionary ids */
    LLM_SIFT_PROVIDER, LLM_SIFT_MODEL, LLM_SIFT_ENDPOINT, LLM_SIFT_ACCOUNT,
    LLM_SIFT_USER, LLM_SIFT_KEY, LLM_SIFT_IP,
    LLM_SIFT_DURATION,                /* us */
    LLM_SIFT_TOKENS,
    LLM_SIFT_COST,                    /* 1e-9 US dollars */
    LLM_SIFT_COLUMNS
} llm_sift_column_e;

#define llm_sift_text(column)                                                 \
    ((column) >= LLM_SIFT_METHOD && (column) <= LLM_SIFT_IP)

typedef enum {
    LLM_SIFT_FAILED = 0, LLM_SIFT_UNPRICED, LLM_SIFT_USAGE_MISSING,
    LLM_SIFT_GEMINI, LLM_SIFT_CLAUDE, LLM_SIFT_FLAG_COUNT
} llm_sift_flag_e;


typedef struct {
    int64_t              low;         /* both included */
    int64_t              high;
} llm_sift_range_t;

typedef struct {
    int                  column;
    int                  first;       /* of its ranges; none: no row passes */
    int                  n;
    int64_t              bits;        /* of the flags, instead of ranges */
} llm_sift_term_t;

typedef struct {
    int                  partial;     /* there are conditions that are not */
    int                  nterms;      /* here, beside that on time */
    int                  nranges;
    int64_t              from;        /* ids, included */
    int64_t              to;          /* excluded */
    llm_sift_term_t      term[LLM_SIFT_TERMS];
    llm_sift_range_t     range[LLM_SIFT_RANGES];
} llm_sift_t;

/* all rows have one of these values of a dimension, or are of its rest */

typedef struct {
    int                  dim;         /* llm_series_e; LLM_SERIES_TOTAL: none */
    int                  n;
    int64_t              value[LLM_SIFT_VALUES];
} llm_sift_dim_t;


/* A condition: its column, then what may be in it. */
void llm_sift_term(llm_sift_t *s, int column);
void llm_sift_range(llm_sift_t *s, int64_t low, int64_t high);

/* A value of a dictionary, if it has it: 0 passes no row. */
void llm_sift_id(llm_sift_t *s, int64_t id);

void llm_sift_flag(llm_sift_t *s, llm_sift_flag_e flag);

/* What a flag means, in terms of `log AS l`. */
const char *llm_sift_flag_sql(llm_sift_flag_e flag);

/* Whether a value passes a term. */
int llm_sift_passes(const llm_sift_t *s, const llm_sift_term_t *term,
    int64_t v);

/* The series of the ledger that a column has, or -1. */
int llm_sift_series(int column);

/* What of a range of ids is within the filter's: 0 if it is nothing. */
int llm_sift_within(const llm_sift_t *s, int64_t *from, int64_t *to);

/* The condition that leaves the fewest rows of those that the ledger knows. */
void llm_sift_dim(const llm_sift_t *s, llm_sift_dim_t *dim);


#endif /* _LLM_SIFT_H_INCLUDED_ */
