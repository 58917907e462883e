
/*
 * Copyright (C) llm_monitor contributors
 *
 * Goes through a range of ids for a filter: of blocks it says which rows pass,
 * and between them gives the ranges whose rows must be looked at.
 */


#ifndef _LLM_SIEVE_H_INCLUDED_
#define _LLM_SIEVE_H_INCLUDED_


#include "llm_codes.h"


/* of the rows of a block that pass */

typedef enum {
    LLM_SIEVE_COUNT = 0,              /* how many they are, */
    LLM_SIEVE_PAGE,                   /* their places and ids too, */
    LLM_SIEVE_ROWS,                   /* which they are, if not all n, or */
    LLM_SIEVE_HEADS                   /* whether there may be any: if not */
} llm_sieve_e;                        /* known, hits is -1 */


typedef struct {
    llm_reader_t      *reader;
    const llm_sift_t  *sift;
    sqlite3_stmt      *blocks;
    llm_codes_t       *codes[LLM_BLOCK_COLUMNS];    /* NULL: not yet */
    llm_sieve_e        what;
    int                ascending;
    int64_t            from;            /* the range */
    int64_t            to;
    int64_t            done;            /* up to here */
    int                over;            /* it has no more blocks */
    int                waiting;         /* a block, behind what was given */

    int                block;           /* it is one that was found, and */
    int                hits;            /* so many of its rows pass */

    /* of the present block */
    int64_t            low;             /* its part of the range: from, */
    int64_t            high;            /* to */
    int64_t            slot;
    int                n;
    int                only;            /* term that decides, or -1 */
    const uint8_t     *heads;
    size_t             len;
    uint8_t            rows[LLM_BLOCK_ROOM];    /* 1: it passes */
    uint16_t           at[LLM_BLOCK_ROWS];      /* places of the hits */
    int64_t            ids[LLM_BLOCK_ROWS];     /* and ids, in order */
} llm_sieve_t;


/*
 * LLM_DECLINED: there are no blocks, or they do not know what the filter asks
 * for.  LLM_ERROR: the error is the reader's.  sift must outlive the sieve.
 */
int llm_sieve_open(llm_sieve_t **s, llm_reader_t *reader,
    const llm_sift_t *sift, llm_sieve_e what, int ascending);
void llm_sieve_close(llm_sieve_t *s);

/* Starts a range of ids, from included, to excluded. */
void llm_sieve_range(llm_sieve_t *s, int64_t from, int64_t to);

/*
 * The next part of the range: a block (s->block), of which s->hits rows pass;
 * for a page s->at and s->ids are set, for rows s->rows if these are not all
 * s->n.  Or a range of rows in *from and *to.
 * LLM_DECLINED: that was all; LLM_ERROR: the error is the reader's.
 */
int llm_sieve_next(llm_sieve_t *s, int64_t *from, int64_t *to);

/*
 * A column of the present block, as llm_codes_read() gives it.  LLM_DECLINED:
 * its bytes are broken; LLM_ERROR: the error is the reader's.
 */
int llm_sieve_codes(llm_sieve_t *s, int column, llm_block_head_t *head,
    const uint8_t **codes);

/*
 * What the hits of the present block have in a column, for a page.
 * LLM_DECLINED: its bytes are broken; LLM_ERROR: the error is the reader's.
 */
int llm_sieve_values(llm_sieve_t *s, int column, int64_t *values);


#endif /* _LLM_SIEVE_H_INCLUDED_ */
