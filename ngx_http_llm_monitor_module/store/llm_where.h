
/*
 * Copyright (C) llm_monitor contributors
 *
 * A filter as the condition of a statement over `log AS l`: pieces of fixed
 * SQL with bound parameters.  List, count, clear and every later call with the
 * list's filters use this one.
 *
 * Texts are looked up in the dictionary first, so that the scan of the log
 * compares numbers; make it in the transaction that runs the statement.
 */


#ifndef _LLM_WHERE_H_INCLUDED_
#define _LLM_WHERE_H_INCLUDED_


#include <sqlite3.h>
#include "llm_filter.h"
#include "llm_sift.h"


typedef struct llm_where_s  llm_where_t;


/* Once a connection: makes the function that the condition calls. */
int llm_where_setup(sqlite3 *db);

/* LLM_OK, LLM_NOMEM, or LLM_ERROR: the error is the connection's. */
int llm_where_create(llm_where_t **w, sqlite3 *db, const llm_filter_t *f);
void llm_where_free(llm_where_t *w);

/*
 * " AND ..." for each condition, to follow "WHERE 1"; empty if there is none.
 * Its parameters are the first of the statement: what the caller binds comes
 * after it in the text, at llm_where_params() + 1 and on.
 */
const char *llm_where_text(const llm_where_t *w);
int llm_where_params(const llm_where_t *w);

/* The same without the conditions on time, for ranges that are within it. */
const char *llm_where_text_untimed(const llm_where_t *w);
int llm_where_params_untimed(const llm_where_t *w);

/* The same without SQL, as far as that goes. */
const llm_sift_t *llm_where_sift(const llm_where_t *w);

/* w must outlive the statement.  LLM_OK or LLM_ERROR. */
int llm_where_bind(llm_where_t *w, sqlite3_stmt *stmt);
int llm_where_bind_untimed(llm_where_t *w, sqlite3_stmt *stmt);


#endif /* _LLM_WHERE_H_INCLUDED_ */
