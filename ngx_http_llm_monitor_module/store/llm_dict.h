
/*
 * Copyright (C) llm_monitor contributors
 *
 * The dictionary, the writer's side: text to id, through a bounded cache.
 * Used inside the writer's transaction; after a rollback everything cached is
 * forgotten by llm_dict_reset().
 */


#ifndef _LLM_DICT_H_INCLUDED_
#define _LLM_DICT_H_INCLUDED_


#include "llm_db.h"


#define LLM_DICT_BUCKETS    65536
#define LLM_DICT_CACHED     65536            /* then the cache starts anew */

enum {
    LLM_DICT_FIND = 0, LLM_DICT_INSERT, LLM_DICT_TOUCH, LLM_DICT_DELETE,
    LLM_DICT_STATEMENTS
};

typedef struct llm_dict_node_s  llm_dict_node_t;

typedef struct {
    int                kind;
    llm_str_t          value;
    uint64_t           hash;
} llm_dict_key_t;

typedef struct {
    llm_db_t          *db;
    llm_dict_node_t  **buckets;
    size_t             cached;
    uint64_t           seed;
    int64_t            total[LLM_DICT_COUNT];
    int                stale;        /* total[] must be read again */
    sqlite3_stmt      *st[LLM_DICT_STATEMENTS];
} llm_dict_t;


int llm_dict_open(llm_dict_t *d, llm_db_t *db);
void llm_dict_close(llm_dict_t *d);
void llm_dict_reset(llm_dict_t *d);

/*
 * What is to be looked up.  Of several keys, all that is far away in memory is
 * asked for before any of it is waited for: first each of them is made, then
 * each is fetched, then their ids are asked for.
 */
void llm_dict_key(llm_dict_t *d, llm_dict_key_t *key, int kind,
    const llm_str_t *value);
void llm_dict_fetch(llm_dict_t *d, const llm_dict_key_t *key);

/*
 * The id of a value, new if need be.  day is the UTC day of the row (row = 1)
 * or of the ledger (ledger = 1) that will refer to it.  LLM_FULL: there is no
 * room for it; LLM_ERROR: as the database says.
 */
int llm_dict_id(llm_dict_t *d, const llm_dict_key_t *key, int64_t day, int row,
    int ledger, int64_t *id);

/*
 * Removes unused values among the ids above from, at most slice of them:
 * those that no row since the day row_day and no ledger since the day
 * ledger_day refers to.  *from is moved on; 0 at the end.  In a transaction.
 */
int llm_dict_sweep(llm_dict_t *d, int64_t row_day, int64_t ledger_day,
    int64_t slice, int64_t *from);


#endif /* _LLM_DICT_H_INCLUDED_ */
