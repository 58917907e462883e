
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_metrics_parts.h"


/* places looked at for a session or a user */
#define LLM_METRICS_PROBES     8

/* seconds after which a writer of an exemplar is dead */
#define LLM_METRICS_STALE      2

/* of a minute: its number above two counts */
#define LLM_METRICS_MINUTE     40
#define LLM_METRICS_GOOD       20
#define LLM_METRICS_COUNTED    0xfffff


static uint64_t llm_metrics_name(const llm_str_t *s);


int
llm_metrics_see(llm_metrics_seen_t *seen, const llm_str_t *name,
    uint32_t second)
{
    uint32_t  i, n, oldest, age;
    uint64_t  key, there;

    key = llm_metrics_name(name);
    oldest = (uint32_t) (key >> 20) & (LLM_METRICS_SEEN - 1);
    age = 0;

    for (i = 0; i < LLM_METRICS_PROBES; i++) {
        n = ((uint32_t) (key >> 20) + i) & (LLM_METRICS_SEEN - 1);
        there = __atomic_load_n(&seen->key[n], __ATOMIC_RELAXED);

        if (there == key) {
            __atomic_store_n(&seen->second[n], second, __ATOMIC_RELAXED);
            return 0;
        }

        if (there == 0) {
            oldest = n;
            break;
        }

        if (second - seen->second[n] > age) {
            age = second - seen->second[n];
            oldest = n;
        }
    }

    __atomic_store_n(&seen->second[oldest], second, __ATOMIC_RELAXED);
    there = __atomic_exchange_n(&seen->key[oldest], key, __ATOMIC_RELAXED);

    return there != key;
}


/* Whoever makes two names alike has them counted as one. */

static uint64_t
llm_metrics_name(const llm_str_t *s)
{
    size_t          n;
    uint64_t        hash, word;
    const uint8_t  *p;

    p = s->data;
    hash = s->len;

    for (n = s->len; n > 0; /* void */ ) {
        word = 0;
        memcpy(&word, p, n < 8 ? n : 8);

        hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 29;

        p += n < 8 ? n : 8;
        n -= n < 8 ? n : 8;
    }

    return hash != 0 ? hash : 1;
}


uint32_t
llm_metrics_active(const llm_metrics_seen_t *seen, uint32_t second)
{
    uint32_t  i, n, at;

    n = 0;

    for (i = 0; i < LLM_METRICS_SEEN; i++) {
        at = __atomic_load_n(&seen->second[i], __ATOMIC_RELAXED);

        if (at != 0 && second - at < LLM_METRICS_ACTIVE) {
            n++;
        }
    }

    return n;
}


/*
 * Only what speaks for the upstream or against it.  A minute that is over is
 * begun anew by who comes first; counts that would not fit stay.
 */

void
llm_metrics_minute(uint64_t *minutes, const llm_record_t *r, uint32_t second)
{
    int        verdict;
    uint64_t   minute, old, new, *cell;

    verdict = llm_record_verdict(r->num[LLM_N_STATUS], r->num[LLM_N_OUTCOME]);

    if (verdict != LLM_VERDICT_SUCCESS && verdict != LLM_VERDICT_FAILURE) {
        return;
    }

    minute = second / 60;
    cell = &minutes[minute % LLM_METRICS_MINUTES];
    old = __atomic_load_n(cell, __ATOMIC_RELAXED);

    do {
        if (old >> LLM_METRICS_MINUTE != minute) {
            new = minute << LLM_METRICS_MINUTE;

        } else if ((old & LLM_METRICS_COUNTED) == LLM_METRICS_COUNTED) {
            return;

        } else {
            new = old;
        }

        new += ((uint64_t) (verdict == LLM_VERDICT_SUCCESS)
                << LLM_METRICS_GOOD) + 1;

    } while (!__atomic_compare_exchange_n(cell, &old, new, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
}


void
llm_metrics_window(const llm_metrics_t *m, uint32_t n, uint32_t second,
    uint64_t *good, uint64_t *all)
{
    int       i;
    uint64_t  minute, cell;

    *good = 0;
    *all = 0;
    minute = second / 60;

    for (i = 0; i < LLM_METRICS_MINUTES; i++) {
        cell = __atomic_load_n(&m->minute[n][i], __ATOMIC_RELAXED);

        if (minute - (cell >> LLM_METRICS_MINUTE) < LLM_METRICS_WINDOW) {
            *good += cell >> LLM_METRICS_GOOD & LLM_METRICS_COUNTED;
            *all += cell & LLM_METRICS_COUNTED;
        }
    }
}


int
llm_metrics_exemplar_due(llm_metrics_own_t *own, uint32_t n, int place,
    uint32_t second)
{
    return __atomic_load_n(&own->shared->exemplar[n][place].second,
                           __ATOMIC_RELAXED)
           != second;
}


void
llm_metrics_exemplar(llm_metrics_own_t *own, uint32_t n, int place,
    uint32_t second, const llm_record_t *r, int64_t us,
    const llm_str_t *trace)
{
    uint32_t                 lock;
    llm_metrics_exemplar_t  *e;

    e = &own->shared->exemplar[n][place];
    lock = __atomic_load_n(&e->lock, __ATOMIC_RELAXED);

    if ((lock != 0 && second - lock < LLM_METRICS_STALE)
        || trace->len != sizeof(e->trace)
        || !__atomic_compare_exchange_n(&e->lock, &lock, second, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }

    e->us = us;
    e->ms = r->num[LLM_N_TIMESTAMP];
    memcpy(e->trace, trace->data, sizeof(e->trace));

    __atomic_store_n(&e->second, second, __ATOMIC_RELEASE);
    __atomic_store_n(&e->lock, 0, __ATOMIC_RELEASE);
}


int
llm_metrics_remaining_due(llm_metrics_own_t *own, uint32_t upstream,
    uint32_t second)
{
    uint32_t  *told;

    told = &own->shared->told[upstream];

    if (__atomic_load_n(told, __ATOMIC_RELAXED) == second) {
        return 0;
    }

    __atomic_store_n(told, second, __ATOMIC_RELAXED);

    return 1;
}


void
llm_metrics_remaining(llm_metrics_own_t *own, uint32_t upstream, int limit,
    int64_t value)
{
    __atomic_store_n(&own->shared->remaining[upstream][limit], value + 1,
                     __ATOMIC_RELAXED);
}
