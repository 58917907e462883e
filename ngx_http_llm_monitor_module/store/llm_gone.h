
/*
 * Copyright (C) llm_monitor contributors
 *
 * Days of which the ledger has counted more than there are rows: one was
 * cleared, has grown too old, or was never made while recording was paused.
 * Of all other days the ledger knows how many rows have a value.
 */


#ifndef _LLM_GONE_H_INCLUDED_
#define _LLM_GONE_H_INCLUDED_


#include "llm_db.h"


#define LLM_GONE_KNOWN  64             /* days, power of two */


typedef struct {
    llm_db_t      *db;
    sqlite3_stmt  *st;
    int64_t        known[LLM_GONE_KNOWN];    /* days since 1970 + 1, or 0 */
} llm_gone_t;


int llm_gone_open(llm_gone_t *g, llm_db_t *db);
void llm_gone_close(llm_gone_t *g);

/* After a rollback: forgets what is known of the table. */
void llm_gone_reset(llm_gone_t *g);

/*
 * What became of a record that the ledger has counted: a row or none.  A row is
 * of the day of its id, and the next free id may be of the next day.
 */
int llm_gone_record(llm_gone_t *g, const llm_record_t *r, int row);

/* The day of ms is one of them; in a transaction. */
int llm_gone_mark(llm_gone_t *g, int64_t ms);


#endif /* _LLM_GONE_H_INCLUDED_ */
