
/*
 * Copyright (C) llm_monitor contributors
 *
 * The sums of all values of a dimension in one span, as they are packed: by
 * column, so that a question reads those that it is about, and each number of
 * a column in as many bits, so that one of a value is found without those
 * before it.
 */


#ifndef _LLM_COLUMNS_H_INCLUDED_
#define _LLM_COLUMNS_H_INCLUDED_


#include <endian.h>
#include <string.h>

#include "llm_ledger.h"
#include "../record/llm_buf.h"


/* the values in ascending order, then their sums as numbered in llm_ledger.h */

#define LLM_COLUMNS_VALUES  0
#define LLM_COLUMNS_SUM(n)  ((n) + 1)
#define LLM_COLUMNS_COUNT   (LLM_C_COUNT + 1)

/*
 * The form: a version; how many values are apart, in a byte; the bits of a
 * number, for each column; how many values the columns have, in 4 bytes; the
 * least of them and of each sum that of all values, in 8.  Then the values
 * apart and their sums, likewise in 8: what none or the rest is, which may be
 * larger than all others.  Then the columns, of which that of the values has
 * the distances from the least.  All numbers are little-endian.
 *
 * Columns are in the order of llm_columns_order(), what is asked for most
 * comes first: pages of a blob are a chain, of which the first ones are read.
 */
#define LLM_COLUMNS_HEAD    (2 + LLM_COLUMNS_COUNT + 4 + 8 * LLM_COLUMNS_COUNT)
#define LLM_COLUMNS_APART   2
#define LLM_COLUMNS_START   (LLM_COLUMNS_HEAD                                 \
                             + LLM_COLUMNS_APART * 8 * LLM_COLUMNS_COUNT)

/* Bytes behind the last number that may be read, whatever they are. */
#define LLM_COLUMNS_SLACK   8


typedef struct {
    size_t            apart;
    int64_t           row[LLM_COLUMNS_APART][LLM_COLUMNS_COUNT];
    size_t            n;                        /* values in columns */
    int               bits[LLM_COLUMNS_COUNT];  /* 0: all numbers are 0 */
    size_t            at[LLM_COLUMNS_COUNT];    /* bytes from the start */
    size_t            size;                     /* of all, in bytes */
    int64_t           least;
    int64_t           total[LLM_C_COUNT];
} llm_columns_t;


/* The columns as they follow each other, LLM_COLUMNS_COUNT of them. */
const uint8_t *llm_columns_order(void);

/* A row is a value and its sums; n is at least 1. */
void llm_columns_write(llm_buf_t *out,
    const int64_t (*rows)[LLM_COLUMNS_COUNT], size_t n);

/*
 * Reads the first bytes, LLM_COLUMNS_START or all of the size that there are.
 * LLM_ERROR: they are no such form.
 */
int llm_columns_head(llm_columns_t *c, const uint8_t *p, size_t size);

/* The place of a value in the columns; LLM_DECLINED: it is not there. */
int llm_columns_find(const llm_columns_t *c, const uint8_t *values,
    int64_t value, size_t *place);


/* The number n of a column that starts at p; no number has 57 to 63 bits. */

static inline uint64_t
llm_columns_get(const uint8_t *p, int bits, size_t n)
{
    size_t    at;
    uint64_t  v;

    if (bits == 0) {
        return 0;
    }

    at = n * (size_t) bits;

    memcpy(&v, p + at / 8, sizeof(uint64_t));

    return le64toh(v) >> at % 8 & UINT64_MAX >> (64 - bits);
}


#endif /* _LLM_COLUMNS_H_INCLUDED_ */
