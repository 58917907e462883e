
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sums of the ledger over a time: whole UTC days from the day series, the rest
 * from quarter-hours.
 */


#ifndef _LLM_SERIES_H_INCLUDED_
#define _LLM_SERIES_H_INCLUDED_


#include "llm_ledger.h"
#include "llm_reader.h"
#include "llm_scoped.h"


#define LLM_SERIES_VALUES   100000      /* of one answer */

/* sums that are asked for, by the numbers of llm_ledger.h */

#define LLM_SERIES_COLUMN(n)  (1U << (n))
#define LLM_SERIES_COLUMNS    (LLM_SERIES_COLUMN(LLM_C_COUNT) - 1)


/* what has been summed up of one value of a dimension */

typedef struct {
    int64_t           value;
    int64_t           sum[LLM_C_COUNT];
} llm_series_sum_t;

typedef struct {
    llm_series_sum_t *sums;             /* in the order of their coming */
    uint32_t         *index;            /* number + 1 by hash, 0: free */
    size_t            n;
    size_t            room;
    int64_t           total[LLM_C_COUNT];   /* of all that was added */
    int               partial;          /* see llm_series_complete() */
} llm_series_map_t;

typedef struct {
    llm_reader_t     *reader;
    int               dim;              /* llm_series_e */
    uint64_t          times;            /* spans that were read */
    uint64_t          rows;             /* and rows in them */
    int               resting;          /* see llm_series_rest() */
    int               found;
    int               other;
    sqlite3_stmt     *all;
    sqlite3_stmt     *one;
    sqlite3_stmt     *values;
    sqlite3_stmt     *packed;
    sqlite3_blob     *blob;             /* what was packed and read last */
    llm_buf_t         bytes;            /* of it */
    unsigned          columns;          /* asked for */
    llm_series_sum_t **sums;            /* to be completed */
    size_t            nsums;
    int               narrow;           /* the sums are those of a scope */
    llm_scoped_t      scoped;
} llm_series_t;


/* LLM_ERROR: the error is the reader's, as in what follows. */
int llm_series_open(llm_series_t *s, llm_reader_t *reader, int dim);
void llm_series_close(llm_series_t *s);

/*
 * Narrows the series to a scope; what is then added lies in [since, until).
 * LLM_NOMEM.
 */
int llm_series_narrow(llm_series_t *s, llm_scope_t *scope, int64_t since,
    int64_t until);

/*
 * When the first and the last day of the ledger begin and end, in ms; both 0
 * if it is empty.
 */
int llm_series_extent(llm_reader_t *reader, int64_t *first, int64_t *end);

/*
 * Adds [since, until), which meets the grain of LLM_QUARTER_MS, to the sums of
 * all values, or of those alone that are in the map already.  LLM_NOMEM;
 * LLM_FULL: there are more than LLM_SERIES_VALUES.
 */
int llm_series_add(llm_series_t *s, llm_series_map_t *map, int64_t since,
    int64_t until);
int llm_series_add_known(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until);

/*
 * The same of all values, but what is added to their sums, not to the total,
 * may be those of the columns alone.  Then for some of them, which must be of
 * the map, what is left of the same time.
 */
int llm_series_add_some(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until, unsigned columns);
int llm_series_complete(llm_series_t *s, llm_series_map_t *map,
    llm_series_sum_t **sums, size_t n, int64_t since, int64_t until);

/* The values alone that were there, without their sums. */
int llm_series_add_values(llm_series_t *s, llm_series_map_t *map,
    int64_t since, int64_t until);

/*
 * Adds the whole minutes of [since, until) to the sums of everything; those of
 * long ago are not kept.  LLM_OK or LLM_ERROR.
 */
int llm_series_add_minutes(llm_reader_t *reader, llm_series_sum_t *sum,
    int64_t since, int64_t until);

/* All zero is an empty map.  The sums of a value, new ones are 0. */
llm_series_sum_t *llm_series_get(llm_series_map_t *map, int64_t value);
llm_series_sum_t *llm_series_find(const llm_series_map_t *map,
    int64_t value);

/*
 * The numbers in map->sums of n values at once, new ones are 0.  LLM_NOMEM or
 * LLM_FULL.
 */
int llm_series_slots(llm_series_map_t *map, const int64_t *values, size_t n,
    uint32_t *slots);

void llm_series_free(llm_series_map_t *map);


#endif /* _LLM_SERIES_H_INCLUDED_ */
