
/*
 * Copyright (C) llm_monitor contributors
 *
 * The writer's side of blocks: makes them of rows that are not new any more,
 * and takes away those whose rows change.
 */


#ifndef _LLM_BLOCKS_H_INCLUDED_
#define _LLM_BLOCKS_H_INCLUDED_


#include "llm_block.h"
#include "llm_db.h"


/* Rows begun so long ago have mostly ended, and come late seldom. */
#define LLM_BLOCKS_LATE   600000      /* ms */

enum {
    LLM_BLOCKS_FIND = 0, LLM_BLOCKS_NEXT, LLM_BLOCKS_DROP,
    LLM_BLOCKS_DROP_CODES, LLM_BLOCKS_STATEMENTS
};


typedef struct {
    llm_db_t      *db;
    sqlite3_stmt  *st[LLM_BLOCKS_STATEMENTS];
    int            fill;              /* rows of a new block; for tests */
    int64_t        slot;              /* last one given */
    int            old;               /* there may be of an older version, */
    int64_t        old_from;          /* not before this id */
    int            gaps;              /* between two, there may be one */
    int64_t        gap;               /* not before this id */
    int64_t        end;               /* from this id on there is no block */
    int64_t        hole;              /* here is none either: from, */
    int64_t        hole_end;          /* to */
} llm_blocks_t;


int llm_blocks_open(llm_blocks_t *b, llm_db_t *db);
void llm_blocks_close(llm_blocks_t *b);

/* After a rollback: forgets what is known of the tables. */
void llm_blocks_reset(llm_blocks_t *b);

/* A row is new, goes, or changes in what a block has; in a transaction. */
int llm_blocks_touch(llm_blocks_t *b, int64_t id);

/*
 * Makes blocks of rows from before now in a transaction of the caller, for
 * about ms milliseconds.  LLM_OK: there is more; LLM_AGAIN: there is not;
 * LLM_ERROR.
 */
int llm_blocks_make(llm_blocks_t *b, int64_t now, int64_t ms);


#endif /* _LLM_BLOCKS_H_INCLUDED_ */
