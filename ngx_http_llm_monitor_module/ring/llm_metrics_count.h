
/*
 * Copyright (C) llm_monitor contributors
 *
 * One finished exchange into the metrics.
 */


#ifndef _LLM_METRICS_COUNT_H_INCLUDED_
#define _LLM_METRICS_COUNT_H_INCLUDED_


#include "llm_metrics.h"


/* sets beside those that are always there */

#define LLM_METRICS_OPENAI        0x01
#define LLM_METRICS_OTEL          0x02
#define LLM_METRICS_ACCOUNT_HASH  0x04
#define LLM_METRICS_ACCOUNT       0x08
#define LLM_METRICS_HTTP          0x10    /* shown; they count anyway */

/* seconds that a session or a user is active, minutes of availability */

#define LLM_METRICS_ACTIVE        300
#define LLM_METRICS_WINDOW        15


/* what the record does not say */

typedef struct {
    llm_str_t       upstream;      /* as configured; null: none was asked */
    llm_str_t       provider;      /* of llm_monitor_provider, or null */
    int64_t         upstream_us;   /* of all attempts; LLM_NULL: none */
    uint32_t        second;        /* of the monotonic clock, from 1 on */
    int             sets;
    const uint8_t  *salt;          /* 16 bytes; for accounts */
    const uint32_t *roles;         /* of its messages; NULL: not known */
    int             broken;        /* the answer's JSON is */
} llm_metrics_facts_t;

/* buckets that the exchange fell into, for exemplars; -1: none */

typedef struct {
    uint32_t        n;             /* of the series of LLM_SET_MODEL */
    int             duration;      /* places in its exemplars */
    int             ttft;
    uint32_t        upstream;      /* the series of LLM_SET_UPSTREAM */
} llm_metrics_places_t;


void llm_metrics_count(llm_metrics_own_t *own, const llm_record_t *r,
    const llm_metrics_facts_t *facts, llm_metrics_places_t *places);

/* The series of an upstream; null: none was asked. */
uint32_t llm_metrics_upstream_of(llm_metrics_own_t *own,
    const llm_str_t *name);

/* Exchanges in flight of a worker, by these series; share -1: not told. */
void llm_metrics_flights(llm_metrics_own_t *own, int share,
    const uint16_t *upstreams);

/* A call of the API. */
void llm_metrics_count_call(llm_metrics_own_t *own, const llm_str_t *route,
    int64_t status, int64_t us);

/* What became of the bodies, which is known later. */
void llm_metrics_count_bodies(llm_metrics_own_t *own, const llm_record_t *r);

/* Whether the bucket wants an exemplar; then it is given one. */
int llm_metrics_exemplar_due(llm_metrics_own_t *own, uint32_t n, int place,
    uint32_t second);
void llm_metrics_exemplar(llm_metrics_own_t *own, uint32_t n, int place,
    uint32_t second, const llm_record_t *r, int64_t us,
    const llm_str_t *trace);

/*
 * What an upstream said that is left: due once a second, then each number that
 * it said.
 */
int llm_metrics_remaining_due(llm_metrics_own_t *own, uint32_t upstream,
    uint32_t second);
void llm_metrics_remaining(llm_metrics_own_t *own, uint32_t upstream,
    int limit, int64_t value);

/* Those seen in the last LLM_METRICS_ACTIVE seconds. */
uint32_t llm_metrics_active(const llm_metrics_seen_t *seen, uint32_t second);

/*
 * An upstream's exchanges of the last LLM_METRICS_WINDOW minutes that speak
 * for it or against it, by llm_record_verdict(); n of its series.
 */
void llm_metrics_window(const llm_metrics_t *m, uint32_t n, uint32_t second,
    uint64_t *good, uint64_t *all);


#endif /* _LLM_METRICS_COUNT_H_INCLUDED_ */
