
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ids that texts of a filter have in the dictionary.
 */


#ifndef _LLM_WHERE_IDS_H_INCLUDED_
#define _LLM_WHERE_IDS_H_INCLUDED_


#include <sqlite3.h>
#include "llm_sift.h"


/* *id 0: the text is nowhere.  LLM_ERROR: the error is the connection's. */
int llm_where_id(sqlite3 *db, int kind, const llm_str_t *value, int64_t *id);

/*
 * Adds the keys from min to max, 16 hex digits each, to the term that was begun
 * last; with a tail (its data may be NULL) those that end with it.
 */
int llm_where_keys(sqlite3 *db, const char *min, const char *max,
    const llm_str_t *tail, llm_sift_t *sift);


#endif /* _LLM_WHERE_IDS_H_INCLUDED_ */
