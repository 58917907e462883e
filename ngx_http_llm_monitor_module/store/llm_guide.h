
/*
 * Copyright (C) llm_monitor contributors
 *
 * Where in log the rows of a value may be: the series say in which days and
 * quarter-hours it came at all, so that what is seldom is found without a look
 * at all the rows between.  A row is counted in the transaction that makes it,
 * at the time that its id has.
 */


#ifndef _LLM_GUIDE_H_INCLUDED_
#define _LLM_GUIDE_H_INCLUDED_


#include "llm_reader.h"
#include "llm_schema.h"
#include "llm_tally.h"
#include "llm_where.h"


#define LLM_GUIDE_QUARTERS   (LLM_DAY_MS / LLM_QUARTER_MS)


typedef struct {
    llm_reader_t    *reader;
    llm_sift_dim_t   dim;
    sqlite3_stmt    *st;
    int              ascending;
    int              days;               /* blocks know what is in them */
    int64_t          low;                /* ms, included */
    int64_t          high;               /* ms, excluded */
    int64_t          first;              /* before it nothing is known */
    int64_t          end;                /* after it there is nothing */

    int64_t          day;                /* the present one, */
    int              quarter;            /* its next quarter-hour */
    int              known;              /* what there is to see of it */
    int              rest;               /* the time before first is to come */
    uint8_t          there[LLM_GUIDE_QUARTERS];

    int              counts;             /* days are left out, and theirs */
    llm_tally_t      tally;
    int64_t          sum;                /* is here */
} llm_guide_t;


/*
 * Starts over the rows of a page by time, or of all of them for a count; what
 * blocks have needs no guide to be counted.  LLM_DECLINED: there is nothing to
 * go by; LLM_ERROR: the error is the reader's.
 */
int llm_guide_open(llm_guide_t *g, llm_reader_t *reader,
    const llm_where_t *w, const llm_filter_t *f, int page, int blocks);
void llm_guide_close(llm_guide_t *g);

/*
 * For a count the ranges leave out the days of which the ledger knows how many
 * rows there are: g->sum has these.
 *
 * The next range of ids, from included, to excluded, in the order of the list.
 * LLM_DECLINED: there is none.
 */
int llm_guide_next(llm_guide_t *g, int64_t *from, int64_t *to);


#endif /* _LLM_GUIDE_H_INCLUDED_ */
