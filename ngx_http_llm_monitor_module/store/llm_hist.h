
/*
 * Copyright (C) llm_monitor contributors
 *
 * Histograms of durations that can be added up: buckets that are a fixed part
 * of their value wide, so that a quantile of any sum of histograms is off by
 * at most 1/64 (1.6 %), whatever the values are like.
 *
 * Up to 32 us each microsecond has its bucket; from there on every power of
 * two is cut into 32, up to 24 hours.  What is longer counts as 24 hours.
 *
 * Two forms: a sparse one that grows with what is in it, for the many cells of
 * the ledger, and a dense one to add up what the tables hold.  No locks: one
 * thread at a time for each.
 */


#ifndef _LLM_HIST_H_INCLUDED_
#define _LLM_HIST_H_INCLUDED_


#include "../record/llm.h"


#define LLM_HIST_MAX_US      86400000000LL
#define LLM_HIST_BUCKETS     1033           /* that of 24 hours is the last */

/* bytes that a packed histogram has at most */
#define LLM_HIST_PACKED      (1 + LLM_HIST_BUCKETS * 7)


typedef struct {
    uint32_t          bucket;
    uint32_t          count;
} llm_hist_slot_t;


/* in the order of buckets; all zero is an empty one */

typedef struct {
    llm_hist_slot_t  *slots;
    uint16_t          n;
    uint16_t          room;
    uint32_t          first;                /* bucket, if n > 0 */
} llm_hist_t;


typedef struct {
    uint64_t          total;
    uint32_t          first;                /* of the buckets in use */
    uint32_t          last;
    uint64_t          count[LLM_HIST_BUCKETS];
} llm_hist_sum_t;


/* The bucket of a duration in us, and a value in its middle. */
int llm_hist_bucket(int64_t us);
int64_t llm_hist_middle(int bucket);

/*
 * Counts in a bucket, 0 to LLM_HIST_BUCKETS - 1; *bytes grows by the memory
 * that it took.  A count stays at 2^32 - 1.  LLM_NOMEM.
 */
int llm_hist_add(llm_hist_t *h, int bucket, uint32_t count, size_t *bytes);
void llm_hist_free(llm_hist_t *h);

/* Asks the memory for what llm_hist_add() will look at. */
void llm_hist_fetch(const llm_hist_t *h, int bucket);

/*
 * The packed form: a version, then for each bucket in use its distance from
 * the one before and its count, as variable-length numbers.  p has room for
 * LLM_HIST_PACKED bytes; returns those written.
 */
size_t llm_hist_pack(const llm_hist_t *h, uint8_t *p);

/* Adds a packed histogram; LLM_ERROR: it is none, LLM_NOMEM. */
int llm_hist_unpack(llm_hist_t *h, const uint8_t *p, size_t n, size_t *bytes);


void llm_hist_clear(llm_hist_sum_t *sum);

/* Adds a packed histogram; LLM_ERROR: it is none, what came before counts. */
int llm_hist_merge(llm_hist_sum_t *sum, const uint8_t *p, size_t n);

/* Adds values of one bucket. */
void llm_hist_count(llm_hist_sum_t *sum, uint32_t bucket, uint32_t count);

/*
 * The value in us that permille of the values are not above; LLM_NULL of an
 * empty histogram.
 */
int64_t llm_hist_quantile(const llm_hist_sum_t *sum, int permille);


#endif /* _LLM_HIST_H_INCLUDED_ */
