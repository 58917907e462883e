
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_hist.h"


#define LLM_HIST_VERSION   1
#define LLM_HIST_BITS      5                    /* 32 buckets in an octave */
#define LLM_HIST_OCTAVE    (1 << LLM_HIST_BITS)


static size_t llm_hist_guess(const llm_hist_t *h, uint32_t bucket);
static size_t llm_hist_find(const llm_hist_t *h, uint32_t bucket);
static size_t llm_hist_put(uint8_t *p, uint32_t v);
static const uint8_t *llm_hist_get(const uint8_t *p, const uint8_t *end,
    uint32_t *v);
static const uint8_t *llm_hist_next(const uint8_t *p, const uint8_t *end,
    uint32_t *bucket, uint32_t *count);


int
llm_hist_bucket(int64_t us)
{
    int  bits;

    if (us < LLM_HIST_OCTAVE) {
        return us < 0 ? 0 : (int) us;
    }

    if (us > LLM_HIST_MAX_US) {
        us = LLM_HIST_MAX_US;
    }

    /* bits below those that name the bucket */

    bits = 63 - __builtin_clzll((unsigned long long) us) - LLM_HIST_BITS;

    return bits * LLM_HIST_OCTAVE + (int) (us >> bits);
}


int64_t
llm_hist_middle(int bucket)
{
    int      bits;
    int64_t  start;

    if (bucket < 2 * LLM_HIST_OCTAVE) {
        return bucket;
    }

    bits = bucket / LLM_HIST_OCTAVE - 1;
    start = (int64_t) (LLM_HIST_OCTAVE + bucket % LLM_HIST_OCTAVE) << bits;

    return start + ((int64_t) 1 << bits) / 2;
}


int
llm_hist_add(llm_hist_t *h, int bucket, uint32_t count, size_t *bytes)
{
    size_t            low, room;
    llm_hist_slot_t  *slots;

    low = llm_hist_find(h, (uint32_t) bucket);

    if (low < h->n && h->slots[low].bucket == (uint32_t) bucket) {
        slots = &h->slots[low];
        slots->count = count > UINT32_MAX - slots->count
                           ? UINT32_MAX : slots->count + count;

        return LLM_OK;
    }

    if (h->n == h->room) {
        room = h->room ? 2 * h->room : 4;
        slots = realloc(h->slots, room * sizeof(llm_hist_slot_t));

        if (slots == NULL) {
            return LLM_NOMEM;
        }

        *bytes += (room - h->room) * sizeof(llm_hist_slot_t);

        h->slots = slots;
        h->room = (uint16_t) room;
    }

    memmove(&h->slots[low + 1], &h->slots[low],
            (h->n - low) * sizeof(llm_hist_slot_t));

    h->slots[low].bucket = (uint32_t) bucket;
    h->slots[low].count = count;
    h->first = h->slots[0].bucket;
    h->n++;

    return LLM_OK;
}


void
llm_hist_fetch(const llm_hist_t *h, int bucket)
{
    __builtin_prefetch(&h->slots[llm_hist_guess(h, (uint32_t) bucket)], 1);
}


/* Where a bucket is if none below it is missing; it is never behind that. */

static size_t
llm_hist_guess(const llm_hist_t *h, uint32_t bucket)
{
    uint32_t  distance;

    if (h->n == 0 || bucket <= h->first) {
        return 0;
    }

    distance = bucket - h->first;

    return distance < h->n ? distance : h->n;
}


/*
 * The first slot that is not below a bucket.  Most buckets between two others
 * are in use, so what is looked at is near to the guess in memory.
 */

static size_t
llm_hist_find(const llm_hist_t *h, uint32_t bucket)
{
    size_t  low, high, mid, step;

    high = llm_hist_guess(h, bucket);

    for (step = 1;
         step <= high && h->slots[high - step].bucket >= bucket;
         step *= 2)
    {
        high -= step;
    }

    low = step <= high ? high - step + 1 : 0;

    while (low < high) {
        mid = (low + high) / 2;

        if (h->slots[mid].bucket < bucket) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    return low;
}


void
llm_hist_free(llm_hist_t *h)
{
    free(h->slots);
    memset(h, 0, sizeof(llm_hist_t));
}


size_t
llm_hist_pack(const llm_hist_t *h, uint8_t *p)
{
    size_t    i, n;
    uint32_t  before;

    n = 0;
    before = 0;
    p[n++] = LLM_HIST_VERSION;

    for (i = 0; i < h->n; i++) {
        n += llm_hist_put(p + n, h->slots[i].bucket - before);
        n += llm_hist_put(p + n, h->slots[i].count);

        before = h->slots[i].bucket;
    }

    return n;
}


/* seven bits a byte, the lowest first; the top bit says that more follow */

static size_t
llm_hist_put(uint8_t *p, uint32_t v)
{
    size_t  n;

    for (n = 0; v > 0x7f; v >>= 7) {
        p[n++] = (uint8_t) (v | 0x80);
    }

    p[n++] = (uint8_t) v;

    return n;
}


static const uint8_t *
llm_hist_get(const uint8_t *p, const uint8_t *end, uint32_t *v)
{
    int  shift;

    *v = 0;

    for (shift = 0; p < end && shift < 35; shift += 7) {
        *v |= (uint32_t) (*p & 0x7f) << shift;

        if (*p++ < 0x80) {
            return p;
        }
    }

    return NULL;
}


/* *bucket is the one before, and in the end the next; NULL: bad bytes */

static const uint8_t *
llm_hist_next(const uint8_t *p, const uint8_t *end, uint32_t *bucket,
    uint32_t *count)
{
    uint32_t  distance;

    p = llm_hist_get(p, end, &distance);

    if (p == NULL || distance >= LLM_HIST_BUCKETS - *bucket) {
        return NULL;
    }

    *bucket += distance;

    return llm_hist_get(p, end, count);
}


int
llm_hist_unpack(llm_hist_t *h, const uint8_t *p, size_t n, size_t *bytes)
{
    uint32_t        bucket, count;
    const uint8_t  *end;

    if (n == 0 || *p != LLM_HIST_VERSION) {
        return LLM_ERROR;
    }

    end = p + n;
    bucket = 0;

    for (p++; p < end; /* void */ ) {
        p = llm_hist_next(p, end, &bucket, &count);

        if (p == NULL) {
            return LLM_ERROR;
        }

        if (llm_hist_add(h, (int) bucket, count, bytes) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    return LLM_OK;
}


void
llm_hist_clear(llm_hist_sum_t *sum)
{
    if (sum->total != 0) {
        memset(&sum->count[sum->first], 0,
               (sum->last - sum->first + 1) * sizeof(uint64_t));
    }

    sum->total = 0;
    sum->first = 0;
    sum->last = 0;
}


int
llm_hist_merge(llm_hist_sum_t *sum, const uint8_t *p, size_t n)
{
    uint32_t        bucket, count;
    const uint8_t  *end;

    if (n == 0 || *p != LLM_HIST_VERSION) {
        return LLM_ERROR;
    }

    end = p + n;
    bucket = 0;

    for (p++; p < end; /* void */ ) {
        p = llm_hist_next(p, end, &bucket, &count);

        if (p == NULL) {
            return LLM_ERROR;
        }

        llm_hist_count(sum, bucket, count);
    }

    return LLM_OK;
}


void
llm_hist_count(llm_hist_sum_t *sum, uint32_t bucket, uint32_t count)
{
    if (sum->total == 0) {
        sum->first = bucket;
        sum->last = bucket;
    }

    if (bucket < sum->first) {
        sum->first = bucket;
    }

    if (bucket > sum->last) {
        sum->last = bucket;
    }

    sum->count[bucket] += count;
    sum->total += count;
}


int64_t
llm_hist_quantile(const llm_hist_sum_t *sum, int permille)
{
    uint32_t  i;
    uint64_t  rank, seen;

    if (sum->total == 0) {
        return LLM_NULL;
    }

    /* the least rank that leaves at most the rest above it */

    rank = (sum->total * (uint64_t) permille + 999) / 1000;
    seen = 0;

    for (i = sum->first; i < sum->last; i++) {
        seen += sum->count[i];

        if (seen >= rank && seen != 0) {
            break;
        }
    }

    return llm_hist_middle((int) i);
}
