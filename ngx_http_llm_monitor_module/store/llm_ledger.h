
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ledger: counters by time and dimension.  They are summed up in memory
 * and those that changed go to the tables in the batch's transaction.
 */


#ifndef _LLM_LEDGER_H_INCLUDED_
#define _LLM_LEDGER_H_INCLUDED_


#include "llm_db.h"
#include "llm_hist.h"


#define LLM_LEDGER_KEYS      8
#define LLM_LEDGER_CELLS     61440      /* in memory; then it starts anew */
#define LLM_LEDGER_HISTS     3         /* of a cell */
#define LLM_LEDGER_BYTES     (16 * 1024 * 1024)    /* of them, likewise */
#define LLM_LEDGER_BUCKETS   128       /* whose values are known in memory */
#define LLM_LEDGER_HINTS     512       /* where they were found last */
#define LLM_LEDGER_EXPECTED  36        /* cells that are fetched ahead */
#define LLM_LEDGER_LINE      64        /* bytes that memory gives at once */

enum {
    LLM_LEDGER_MINUTE = 0, LLM_LEDGER_SERVICE, LLM_LEDGER_WHO,
    LLM_LEDGER_SERIES, LLM_LEDGER_HEALTH, LLM_LEDGER_TABLES
};

/* keys of the tables: the first ones name the bucket, the rest its member */

#define LLM_LEDGER_KEYS_OF(table)    ((table) < LLM_LEDGER_SERIES ? 8 : 4)
#define LLM_LEDGER_PREFIX_OF(table)  ((table) < LLM_LEDGER_SERIES ? 1 : 3)

/* in the order of the columns of all tables but health */

enum {
    LLM_C_REQUESTS = 0, LLM_C_ERRORS, LLM_C_USAGES, LLM_C_INPUT,
    LLM_C_CACHE_READ, LLM_C_CACHE_CREATION, LLM_C_OUTPUT, LLM_C_REASONING,
    LLM_C_TOTAL, LLM_C_PRICED, LLM_C_COST, LLM_C_DURATION_N,
    LLM_C_DURATION, LLM_C_TTFT_N, LLM_C_TTFT, LLM_C_SPEED_TOKENS,
    LLM_C_SPEED_US, LLM_C_COUNT
};

/* likewise, of health; what is none of the three is left out of the score */

enum {
    LLM_H_REQUESTS = 0,
    LLM_H_SUCCESS = LLM_VERDICT_SUCCESS,
    LLM_H_FAILURE = LLM_VERDICT_FAILURE,
    LLM_H_THROTTLED = LLM_VERDICT_THROTTLED,
    LLM_H_DURATION_N, LLM_H_DURATION, LLM_H_TTFT_N, LLM_H_TTFT, LLM_H_COUNT
};

/* histograms; of health only of successes, then counts by status of the rest */

enum {
    LLM_LEDGER_DURATION = 0, LLM_LEDGER_TTFT, LLM_LEDGER_STATUS
};

typedef struct {
    int          table;
    int          dirty;            /* not yet in the table like this */
    int64_t      key[LLM_LEDGER_KEYS];
    int64_t      sum[LLM_C_COUNT];
    llm_hist_t   hist[LLM_LEDGER_HISTS];
} llm_ledger_cell_t;

/* what a record adds to a cell; -1: nothing to that histogram */

typedef struct {
    int64_t      sum[LLM_C_COUNT];
    int          bucket[LLM_LEDGER_HISTS];
} llm_ledger_add_t;

/* a cell that changed: near what it is near to in its table */

typedef struct {
    uint64_t     order;
    uint16_t     cell;
} llm_ledger_dirty_t;

typedef struct {
    uint64_t     hash;             /* of table and time; 0: free */
    uint64_t     touched;
    uint64_t    *members;          /* open addressing, 0: free */
    size_t       count;
    size_t       size;
} llm_ledger_bucket_t;

typedef struct {
    llm_db_t             *db;
    llm_ledger_cell_t    *cells;
    uint16_t             *index;   /* cell number + 1 by hash */
    llm_ledger_dirty_t   *dirty;   /* the cells that changed */
    size_t                used;
    size_t                changed;
    size_t                bytes;   /* of the histograms */
    uint64_t              seed;
    uint64_t              odd[LLM_LEDGER_KEYS + 1];
    uint64_t              clock;
    int64_t               fine;    /* ms; what is finer and older is left out */
    llm_ledger_bucket_t   buckets[LLM_LEDGER_BUCKETS];
    uint8_t               hints[LLM_LEDGER_HINTS];
    uint32_t              expected[LLM_LEDGER_EXPECTED];   /* in the index */
    int                   nexpected;
    sqlite3_stmt         *put[LLM_LEDGER_TABLES];
    sqlite3_stmt         *get[LLM_LEDGER_TABLES];
    sqlite3_stmt         *load[LLM_LEDGER_TABLES];
    int64_t               packed_quarter;  /* newest start, -1: none */
    int64_t               packed_day;
    sqlite3_stmt         *unpack;
} llm_ledger_t;


/* Dictionary ids of a record, LLM_LEDGER_NULL or LLM_LEDGER_OTHER. */

typedef struct {
    int64_t      account;
    int64_t      user;
    int64_t      api_key;
    int64_t      provider;
    int64_t      model;
    int64_t      endpoint;
    int64_t      ip;
} llm_ledger_ids_t;


int llm_ledger_open(llm_ledger_t *l, llm_db_t *db);
void llm_ledger_close(llm_ledger_t *l);

/* After a rollback or a purge: forgets what is known of the tables. */
void llm_ledger_reset(llm_ledger_t *l);

/* Counts a record; in a transaction. */
int llm_ledger_count(llm_ledger_t *l, const llm_record_t *r,
    const llm_ledger_ids_t *ids);

/*
 * The row of a record that was counted costs something else now: corrects the
 * cells that it was counted in, as far as they are still there.  r has the old
 * cost.
 */
int llm_ledger_reprice(llm_ledger_t *l, const llm_record_t *r,
    const llm_ledger_ids_t *ids, int64_t cost);

/* What a record adds to its cells. */
void llm_ledger_add(llm_ledger_add_t *add, const llm_record_t *r);

/*
 * Adds to the cell of a key, or to that of "other" if the key is one too many
 * in its bucket; for llm_ledger_count().
 */
int llm_ledger_cell(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add);

/*
 * Likewise, but adds nothing: the cells that will be added to are asked of the
 * memory, by llm_ledger_fetch() when all are known, before one is waited for.
 */
int llm_ledger_expect(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add);
void llm_ledger_fetch(llm_ledger_t *l, const llm_ledger_add_t *add);

/* Likewise, but adds nothing where there is no such cell. */
int llm_ledger_correct(llm_ledger_t *l, int table, const int64_t *key,
    const llm_ledger_add_t *add);

/* Writes what the batch changed. */
int llm_ledger_flush(llm_ledger_t *l);


#endif /* _LLM_LEDGER_H_INCLUDED_ */
