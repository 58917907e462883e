
/*
 * Copyright (C) llm_monitor contributors
 *
 * How many rows of a day pass a filter that asks for one thing only: the
 * ledger has counted them, if none of that day has gone.
 */


#ifndef _LLM_TALLY_H_INCLUDED_
#define _LLM_TALLY_H_INCLUDED_


#include "llm_reader.h"
#include "llm_sift.h"


#define LLM_TALLY_RANGES   16


typedef struct {
    sqlite3_stmt  *gone;
    sqlite3_stmt  *sum;
    int            dim;              /* llm_series_e */
    int            errors;           /* they are counted, not all */
    int            n;

    struct {
        int64_t    low;              /* values, both included */
        int64_t    high;
    } range[LLM_TALLY_RANGES];
} llm_tally_t;


/*
 * LLM_DECLINED: the filter asks for more than one thing beside the time, or
 * for one that the ledger has not counted.
 */
int llm_tally_open(llm_tally_t *t, llm_reader_t *reader,
    const llm_sift_t *sift);
void llm_tally_close(llm_tally_t *t);

/*
 * Adds the rows of a day, which starts at ms.  LLM_DECLINED: they must be
 * looked at.
 */
int llm_tally_day(llm_tally_t *t, int64_t ms, int64_t *sum);


#endif /* _LLM_TALLY_H_INCLUDED_ */
