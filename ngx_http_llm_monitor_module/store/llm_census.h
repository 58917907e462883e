
/*
 * Copyright (C) llm_monitor contributors
 *
 * How often each value of some columns comes among the rows that pass a
 * filter: from blocks, and from the rows that are in none.
 */


#ifndef _LLM_CENSUS_H_INCLUDED_
#define _LLM_CENSUS_H_INCLUDED_


#include "llm_series.h"


typedef enum {
    LLM_CENSUS_MODEL = 0, LLM_CENSUS_ACCOUNT, LLM_CENSUS_PROVIDER,
    LLM_CENSUS_STATUS, LLM_CENSUS_ENDPOINT, LLM_CENSUS_USER,
    LLM_CENSUS_COLUMNS
} llm_census_e;


/*
 * Adds to the requests of the values in maps, by llm_census_e, and to *total:
 * of a row without a value LLM_LEDGER_NULL; of a text that found the
 * dictionary full, and of what is new when there are LLM_SERIES_VALUES - 1,
 * LLM_LEDGER_OTHER.  LLM_AGAIN: the time was over, these are the newest rows;
 * LLM_ERROR with err.
 */
int llm_census(llm_reader_t *reader, const llm_filter_t *f,
    llm_series_map_t *maps, int64_t *total, llm_query_error_t *err);


#endif /* _LLM_CENSUS_H_INCLUDED_ */
