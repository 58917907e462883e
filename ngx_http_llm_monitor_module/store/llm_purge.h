
/*
 * Copyright (C) llm_monitor contributors
 *
 * Removal in slices: rows with all that hangs on them, old bodies, the old
 * ledger, unused values, pages and files that nothing refers to.
 */


#ifndef _LLM_PURGE_H_INCLUDED_
#define _LLM_PURGE_H_INCLUDED_


#include "llm_where.h"
#include "llm_writer.h"


#define LLM_PURGE_ROWS      500        /* of one transaction */
#define LLM_PURGE_MS        5          /* and as long to commit it */
#define LLM_PURGE_WINDOW    5000       /* rows looked at in one go */

typedef struct {
    int64_t       below;               /* ids, or LLM_NULL: any */
    int64_t       last;                /* ids up to here are done */
    int64_t       seq;                 /* rows committed later stay */
    int64_t       enough;              /* bytes that are to be free, 0: any */
    int64_t       deleted;
    int           reason;              /* llm_deleted_e */
    llm_where_t  *where;               /* NULL: all of them */
} llm_purge_t;


/* All rows that there are. */
void llm_purge_init(llm_purge_t *p);

/*
 * Removes one slice of the rows.  LLM_OK: there may be more; LLM_AGAIN: all
 * are gone; LLM_ERROR: rolled back, the same slice may be tried again.
 */
int llm_purge_rows(llm_writer_t *w, llm_purge_t *p);

/*
 * The next ids of p, at most LLM_PURGE_ROWS, and up to where all rows were
 * looked at: none may be left, and more behind the edge.  LLM_AGAIN: there are
 * no rows any more.
 */
int llm_purge_find(llm_writer_t *w, llm_purge_t *p, int64_t *ids, int *n,
    int64_t *edge);

/*
 * One slice of the bodies of rows with ids below, the oldest first, until
 * enough bytes are free (0: all); the rows say expired then.
 */
int llm_purge_bodies(llm_writer_t *w, int64_t below, int64_t enough);

/*
 * One slice of the ledger before ms, and of what is finer than an hour before
 * fine_ms; LLM_NULL: of all of it.  LLM_OK: there is more; LLM_AGAIN: it is
 * gone.
 */
int llm_purge_ledger(llm_writer_t *w, int64_t ms, int64_t fine_ms);

/*
 * Values of the dictionary and sessions that nothing refers to: one slice from
 * *from on, 0 at the end.
 */
int llm_purge_unused(llm_writer_t *w, int64_t *from);

/*
 * The same after all rows and all of the ledger were removed: exact, where the
 * above keeps what was used today.
 */
int llm_purge_forget(llm_writer_t *w, int64_t *from);

/* Bytes of the database without its free pages. */
int llm_purge_used(llm_writer_t *w, int64_t *bytes);

/*
 * Gives one slice of the free pages back to the file system; all: else some
 * are kept for what comes next.  LLM_AGAIN: there are none left.
 */
int llm_purge_pages(llm_writer_t *w, int all);

/*
 * Files in the spool that no row is made of, an hour after they got their
 * names.  To be called when every ring and segment was found empty: then no
 * record that is still to come refers to a file that old.  now is in ms since
 * 1970.
 */
void llm_purge_files(llm_writer_t *w, int64_t now);


#endif /* _LLM_PURGE_H_INCLUDED_ */
