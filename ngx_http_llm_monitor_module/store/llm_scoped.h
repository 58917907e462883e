
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sums of a dimension over a time as llm_series.h has them, but of the records
 * of one user or account alone.
 */


#ifndef _LLM_SCOPED_H_INCLUDED_
#define _LLM_SCOPED_H_INCLUDED_


#include "llm_ledger.h"
#include "llm_scope.h"


#define LLM_SCOPED_CELLS   100000       /* then the scope is partial */


/* of a value in a quarter-hour */

typedef struct {
    int64_t           t;
    int64_t           value;
    int64_t           sum[LLM_C_COUNT];
} llm_scoped_cell_t;

typedef struct {
    llm_scoped_cell_t *cells;           /* in the order of t */
    size_t             n;
    size_t             room;
} llm_scoped_t;


/*
 * Reads [since, until), which meets the grain of LLM_QUARTER_MS.  LLM_NOMEM,
 * or LLM_ERROR: the error is the reader's.  All zero are no cells.
 */
int llm_scoped_read(llm_scoped_t *s, llm_scope_t *scope,
    llm_reader_t *reader, int dim, int64_t since, int64_t until);
void llm_scoped_free(llm_scoped_t *s);

/* The number of the first cell that is not before t. */
size_t llm_scoped_from(const llm_scoped_t *s, int64_t t);


#endif /* _LLM_SCOPED_H_INCLUDED_ */
