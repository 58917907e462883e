
/*
 * Copyright (C) llm_monitor contributors
 *
 * A record is a length of 8 bytes and its packed form, padded to 8 bytes.  One
 * that does not fit before the end of the memory begins anew at its start,
 * after a length of 0.  The tail moves before anything behind it is written,
 * so that a reader who finds it where it was has read what was there.
 */


#include <string.h>

#include "llm_feed.h"


#define LLM_FEED_HEAD   8
#define LLM_FEED_PAD(n) (((n) + 7) & ~(size_t) 7)


static void llm_feed_room(llm_feed_t *feed, uint64_t end);
static uint64_t llm_feed_next(const llm_feed_t *feed, uint64_t pos);
static uint64_t llm_feed_length(const llm_feed_t *feed, uint64_t pos);
static void llm_feed_put(llm_feed_t *feed, uint64_t pos, uint64_t n);


void
llm_feed_init(llm_feed_t *feed)
{
    feed->head = 0;
    feed->tail = 0;
}


uint64_t
llm_feed_begin(const llm_feed_t *feed)
{
    /* what was not shown may have moved the tail */

    return feed->tail > feed->head ? feed->tail : feed->head;
}


uint64_t
llm_feed_head(const llm_feed_t *feed)
{
    return __atomic_load_n(&feed->head, __ATOMIC_ACQUIRE);
}


void
llm_feed_show(llm_feed_t *feed, uint64_t pos)
{
    __atomic_store_n(&feed->head, pos, __ATOMIC_RELEASE);
}


void
llm_feed_add(llm_feed_t *feed, uint64_t *pos, const llm_record_t *r)
{
    size_t  n, size, left;

    n = llm_record_packed_size(r);

    if (n > LLM_FEED_RECORD) {
        return;
    }

    size = LLM_FEED_HEAD + LLM_FEED_PAD(n);
    left = LLM_FEED_SIZE - *pos % LLM_FEED_SIZE;

    if (left < size) {
        llm_feed_room(feed, *pos + left);
        llm_feed_put(feed, *pos, 0);
        *pos += left;
    }

    llm_feed_room(feed, *pos + size);
    llm_feed_put(feed, *pos, n);

    (void) llm_record_pack(r, feed->data + *pos % LLM_FEED_SIZE
                              + LLM_FEED_HEAD);
    *pos += size;
}


/*
 * Moves the tail over the records that are in the way up to end; in a large
 * batch they may be of the batch itself.
 */

static void
llm_feed_room(llm_feed_t *feed, uint64_t end)
{
    uint64_t  tail;

    tail = feed->tail;

    while (end - tail > LLM_FEED_SIZE) {
        tail = llm_feed_next(feed, tail);
    }

    if (tail != feed->tail) {
        __atomic_store_n(&feed->tail, tail, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
    }
}


static uint64_t
llm_feed_next(const llm_feed_t *feed, uint64_t pos)
{
    uint64_t  n;

    n = llm_feed_length(feed, pos);

    if (n == 0 || n > LLM_FEED_RECORD) {
        return pos + LLM_FEED_SIZE - pos % LLM_FEED_SIZE;
    }

    return pos + LLM_FEED_HEAD + LLM_FEED_PAD(n);
}


static uint64_t
llm_feed_length(const llm_feed_t *feed, uint64_t pos)
{
    uint64_t  n;

    memcpy(&n, feed->data + pos % LLM_FEED_SIZE, sizeof(uint64_t));

    return n;
}


static void
llm_feed_put(llm_feed_t *feed, uint64_t pos, uint64_t n)
{
    memcpy(feed->data + pos % LLM_FEED_SIZE, &n, sizeof(uint64_t));
}


int
llm_feed_read(const llm_feed_t *feed, uint64_t *pos, uint8_t *p, size_t *n)
{
    uint64_t  at, len, next, tail;

    for ( ;; ) {

        if (*pos == llm_feed_head(feed)) {
            return LLM_AGAIN;
        }

        at = *pos;
        len = llm_feed_length(feed, at);

        if (len > LLM_FEED_RECORD
            || at % LLM_FEED_SIZE + LLM_FEED_HEAD + len > LLM_FEED_SIZE)
        {
            len = 0;
        }

        next = llm_feed_next(feed, at);

        if (len > 0) {
            memcpy(p, feed->data + at % LLM_FEED_SIZE + LLM_FEED_HEAD,
                   (size_t) len);
        }

        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        tail = __atomic_load_n(&feed->tail, __ATOMIC_RELAXED);

        if (at < tail || at > llm_feed_head(feed)) {
            *pos = tail < llm_feed_head(feed) ? tail : llm_feed_head(feed);
            return LLM_DECLINED;
        }

        *pos = next;

        if (len > 0) {
            *n = (size_t) len;
            return LLM_OK;
        }
    }
}
