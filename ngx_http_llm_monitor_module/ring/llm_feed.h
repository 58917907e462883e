
/*
 * Copyright (C) llm_monitor contributors
 *
 * Finished records that make no rows, as while recording is paused, for who
 * follows the events: a ring of packed records in shared memory that is
 * overwritten as it fills.  One process writes, any number read at their own
 * pace, and one that was lapped is told.
 */


#ifndef _LLM_FEED_H_INCLUDED_
#define _LLM_FEED_H_INCLUDED_


#include "../record/llm_record.h"


#define LLM_FEED_SIZE     (512 * 1024)        /* bytes of all records */
#define LLM_FEED_RECORD   (64 * 1024)         /* of the largest */


typedef struct {
    uint64_t     head;           /* bytes ever written */
    uint64_t     tail;           /* what is before is or will be overwritten */
    uint8_t      data[LLM_FEED_SIZE];
} llm_feed_t;


/* Of a new zone. */
void llm_feed_init(llm_feed_t *feed);

/*
 * The writer begins at a place, adds records behind it, and shows them all at
 * once.  What was added and is not shown is as if it never was.  One that is
 * too large is left out.
 */
uint64_t llm_feed_begin(const llm_feed_t *feed);
void llm_feed_add(llm_feed_t *feed, uint64_t *pos, const llm_record_t *r);
void llm_feed_show(llm_feed_t *feed, uint64_t pos);

/* What comes from now on is read from there. */
uint64_t llm_feed_head(const llm_feed_t *feed);

/*
 * Copies the record at *pos into p, which has LLM_FEED_RECORD bytes, and goes
 * on to the next one.  LLM_AGAIN: there is none yet; LLM_DECLINED: lapped,
 * *pos is the oldest that is left.
 */
int llm_feed_read(const llm_feed_t *feed, uint64_t *pos, uint8_t *p,
    size_t *n);


#endif /* _LLM_FEED_H_INCLUDED_ */
