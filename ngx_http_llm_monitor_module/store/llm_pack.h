
/*
 * Copyright (C) llm_monitor contributors
 *
 * The sums of all values of a dimension in one span that is over, packed: ten
 * times as fast to read as the rows, which stay.  A row that changes after all
 * takes its packed form away (llm_ledger.c).
 */


#ifndef _LLM_PACK_H_INCLUDED_
#define _LLM_PACK_H_INCLUDED_


#include "llm_writer.h"
#include "../record/llm_buf.h"


#define LLM_PACK_ROWS   8         /* fewer are as fast to read as they are */

/* A span is over so long after its end: what is late has come. */
#define LLM_PACK_LATE   1800000   /* ms */


typedef struct {
    llm_buf_t       *out;
    int64_t          value;       /* the one before */
} llm_pack_t;

typedef struct {
    const uint8_t   *p;
    const uint8_t   *end;
    const uint8_t   *sums;        /* of the present value */
    int64_t          value;
} llm_unpack_t;


/*
 * The form: a version; then for each value, in ascending order, the distance
 * from the one before, the bytes of its sums, and these.
 */
void llm_pack_start(llm_pack_t *pack, llm_buf_t *out);
void llm_pack_add(llm_pack_t *pack, int64_t value, const int64_t *sum);

/* LLM_ERROR: these bytes are no such form. */
int llm_unpack_start(llm_unpack_t *u, const uint8_t *p, size_t n);

/* The next value: LLM_OK, LLM_AGAIN at the end, LLM_ERROR. */
int llm_unpack_next(llm_unpack_t *u);

/* Adds the first n sums of the present value; LLM_ERROR. */
int llm_unpack_sums(const llm_unpack_t *u, int64_t *sum, int n);


/*
 * One slice of packing what is over at now.  LLM_OK: there is more; LLM_AGAIN:
 * there is not; LLM_ERROR.
 */
int llm_pack_slice(llm_writer_t *w, int64_t now);


#endif /* _LLM_PACK_H_INCLUDED_ */
