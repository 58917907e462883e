
/*
 * Copyright (C) llm_monitor contributors
 *
 * A copy of the database as it is, made by the connection that writes it, in
 * slices between its batches: what is written meanwhile is in the copy too.
 */


#ifndef _LLM_BACKUP_H_INCLUDED_
#define _LLM_BACKUP_H_INCLUDED_


#include "llm_db.h"


#define LLM_BACKUP_PREFIX   "backup."
#define LLM_BACKUP_DIGITS   16             /* hexadecimal, of its name */
#define LLM_BACKUP_NAME     (sizeof(LLM_BACKUP_PREFIX) + LLM_BACKUP_DIGITS)

/* bytes that a disk must have left when the copy is made */
#define LLM_BACKUP_RESERVE  (64 * 1024 * 1024)


typedef struct {
    sqlite3         *to;             /* NULL: there is none */
    sqlite3_backup  *job;
    char             path[4096];
    char             error[128];
} llm_backup_t;


/*
 * Begins the copy "backup.<digits>" in the data directory; b is all zero.
 * LLM_ERROR: b->error says why, and nothing is left of it.
 */
int llm_backup_start(llm_backup_t *b, llm_db_t *db, const uint8_t *digits,
    size_t n);

/*
 * Goes on for at most 10 ms.  LLM_OK: there is more; LLM_AGAIN: it is whole,
 * of *size bytes, and b is as before; LLM_ERROR as above.
 */
int llm_backup_slice(llm_backup_t *b, int64_t *size);

/* Gives it up. */
void llm_backup_cancel(llm_backup_t *b);

/* Removes copies that nobody has fetched for a minute. */
void llm_backup_sweep(const char *dir);


#endif /* _LLM_BACKUP_H_INCLUDED_ */
