
/*
 * Copyright (C) llm_monitor contributors
 *
 * The byte ring that carries finished records from the workers to the writer.
 * It lives in a file mapping and outlives every process that uses it: offsets,
 * never pointers; every state change is one atomic store.
 *
 * Many producers, one consumer.  Reservation happens under a lock that the
 * caller holds (the zone's mutex), filling and commit outside of it, reading
 * and release without any lock.
 *
 * What the file says is never trusted: a ring that an old crash or somebody
 * else left behind may give wrong records, but no access outside of the map
 * and no endless loop.
 */


#ifndef _LLM_RING_H_INCLUDED_
#define _LLM_RING_H_INCLUDED_


#include "../record/llm.h"


/* why a finished record was not written */

typedef enum {
    LLM_DROP_RING_FULL = 0, LLM_DROP_SPOOL_FULL, LLM_DROP_TORN,
    LLM_DROP_TOO_LARGE, LLM_DROP_NO_MEMORY, LLM_DROP_DB_ERROR,
    LLM_DROP_SHUTDOWN, LLM_DROP_COUNT
} llm_drop_e;

const char *llm_drop_name(int reason);


/*
 * The terms of the conservation law, in records; at every instant

 *   finished + recovered = written + ledger_only + cleared + sum(dropped)
 *                          + in_ring + in_spool + in_hand
 */

typedef struct {
    uint64_t     finished;       /* committed to ring or spool, or dropped */
    uint64_t     recovered;      /* found in files of dead instances */
    uint64_t     written;
    uint64_t     ledger_only;    /* paused: rollups, no row */
    uint64_t     cleared;        /* cleared before they were written */
    uint64_t     dropped[LLM_DROP_COUNT];
    uint64_t     in_ring;
    uint64_t     in_spool;
    uint64_t     in_hand;        /* read by the writer, not yet committed */
} llm_terms_t;


/* a process's view of a mapped ring */

typedef struct {
    uint8_t     *map;
    size_t       size;           /* of the whole mapping */
} llm_ring_t;

typedef struct {
    uint64_t     pos;
    uint64_t     seq;
    size_t       len;
    uint8_t     *data;           /* len bytes to fill */
} llm_ring_slot_t;

typedef struct {
    uint64_t        pos;         /* of the item; opaque */
    uint64_t        next;        /* of the one after it */
    uint64_t        seq;         /* counts from 1 within this ring */
    const uint8_t  *data;        /* valid until released */
    size_t          len;
    int             torn;        /* its owner died or its CRC is wrong; no
                                    data then */
    int             damaged;     /* torn, and all up to seq with it: nothing
                                    between pos and next can be told apart */
} llm_ring_item_t;


#define LLM_RING_MIN_SIZE  (64 * 1024)       /* bytes of the whole mapping */
#define LLM_RING_MAX_SIZE  (1ULL << 36)


/*
 * Formats size bytes (a multiple of 4096) at map as an empty ring.  LLM_ERROR:
 * no such size.
 */
int llm_ring_format(llm_ring_t *ring, void *map, size_t size,
    uint64_t identity);

/*
 * Takes an existing mapping.  LLM_ERROR and nothing touched if magic, version,
 * size or the bounds of head and tail are wrong.
 */
int llm_ring_attach(llm_ring_t *ring, void *map, size_t size);

uint64_t llm_ring_identity(const llm_ring_t *ring);

/* Bytes in use and bytes that all records together may use. */
void llm_ring_usage(const llm_ring_t *ring, uint64_t *used, uint64_t *room);

/* The largest record that a ring of this size takes (a quarter of it). */
size_t llm_ring_max_record(const llm_ring_t *ring);


/*
 * Under the producers' lock.  Reserves len bytes for the process owner (see
 * llm_owner.h) and counts the record as finished.  LLM_FULL: no room now,
 * nothing counted; LLM_DECLINED: larger than llm_ring_max_record(), nothing
 * counted.
 */
int llm_ring_reserve(llm_ring_t *ring, size_t len, int64_t owner,
    llm_ring_slot_t *slot);

/* Outside the lock: the slot is filled; computes its CRC and publishes it. */
void llm_ring_commit(llm_ring_t *ring, llm_ring_slot_t *slot);

/*
 * Under the producers' lock: counts a record that goes to a spool segment or
 * was dropped; both are finished.  A record is counted as spooled before it is
 * appended, or the writer could take what was not there yet; not_spooled()
 * says that it was dropped after all.
 */
void llm_ring_count_spooled(llm_ring_t *ring);
void llm_ring_count_not_spooled(llm_ring_t *ring, int reason);
void llm_ring_count_dropped(llm_ring_t *ring, int reason);


/*
 * The single consumer.  Reads the item at pos: llm_ring_tail() first, then
 * item->next.  LLM_OK; LLM_AGAIN: no committed item is there, either because
 * the head is reached or because a live owner is still filling it; LLM_ERROR:
 * pos is not a place between tail and head.
 *
 * alive(owner) says whether that process still exists; an unfilled item of a
 * dead one is returned as torn.  In a ring that nobody else holds a lock on
 * every owner is dead, whatever process has its number today.
 *
 * An item is one record; a damaged one is item->seq minus the seq of the item
 * before it, at least 1.
 */
uint64_t llm_ring_tail(const llm_ring_t *ring);

int llm_ring_read(llm_ring_t *ring, uint64_t pos, llm_ring_item_t *item,
    int (*alive)(int64_t owner));


/* what became of released records */

typedef struct {
    uint64_t     written;
    uint64_t     ledger_only;
    uint64_t     cleared;
    uint64_t     recovered;      /* of another ring or an old spool segment */
    uint64_t     spool_taken;    /* of those counted by count_spooled */
    uint64_t     ring_taken;     /* read from this ring */
    uint64_t     batches;        /* 1: of a spool segment, else 0 */
    uint64_t     dropped[LLM_DROP_COUNT];
} llm_ring_result_t;

/*
 * The single consumer: in one atomic step moves the tail to pos (0: leaves it),
 * adds res to the writer's terms and takes what it took from those in hand.
 */
void llm_ring_release(llm_ring_t *ring, uint64_t pos,
    const llm_ring_result_t *res);

/* Batches of spool segments that this ring was told of. */
uint64_t llm_ring_batches(const llm_ring_t *ring);

/*
 * The consumer says how many of this ring's records and of those counted as
 * spooled it has read and not yet released; a new writer begins with 0.
 */
void llm_ring_set_in_hand(llm_ring_t *ring, uint64_t n);

/*
 * A consistent snapshot of the law.  The caller holds the producers' lock;
 * writer's changes are retried over.
 */
void llm_ring_terms(const llm_ring_t *ring, llm_terms_t *terms);


#endif /* _LLM_RING_H_INCLUDED_ */
