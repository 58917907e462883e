
/*
 * Copyright (C) llm_monitor contributors
 *
 * The file: one page with the identity and two states, one that the producers
 * change under their lock and one that the writer changes alone; then the
 * records.  A position counts bytes since the beginning of time, its place is
 * the remainder by the size of the data area.
 *
 * A state is kept twice.  A change is written into the copy that is not in
 * force, then one store of the generation puts it in force: who dies before
 * that store changed nothing.  A reader that sees the same generation before
 * and after has a consistent copy; the accesses in between are acquire loads
 * and release stores so that they stay in between.
 *
 * A record never wraps: where it does not fit before the end, a pad takes what
 * is left.  Pad and header are written before the head moves over them, so
 * every byte between tail and head is described.
 */


#include <string.h>

#include "llm_ring.h"
#include "../record/llm_crc32c.h"


#define LLM_RING_MAGIC    0x31474e49524d4c4cULL     /* "LLMRING1" */
#define LLM_RING_VERSION  2
#define LLM_RING_PIDS     1        /* a version whose owners are bare pids */
#define LLM_RING_PAGE     4096
#define LLM_RING_ALIGN    32

/* a consistent copy needs two changes within a few loads to be missed */
#define LLM_RING_RETRIES  1000

/* of a record; no value that memory is likely to hold by chance */
#define LLM_RING_RESERVED   0x52455356
#define LLM_RING_COMMITTED  0x434f4d54
#define LLM_RING_PAD        0x50414450

/* words of the producers' state */

#define LLM_RING_HEAD       0
#define LLM_RING_SEQ        1      /* of the last record reserved */
#define LLM_RING_SPOOLED    2
#define LLM_RING_PDROPPED   3
#define LLM_RING_PWORDS     (LLM_RING_PDROPPED + LLM_DROP_COUNT)

/* words of the writer's state */

#define LLM_RING_TAIL       0
#define LLM_RING_WRITTEN    1
#define LLM_RING_LEDGER     2
#define LLM_RING_CLEARED    3
#define LLM_RING_RECOVERED  4
#define LLM_RING_STAKEN     5      /* of those spooled */
#define LLM_RING_RTAKEN     6      /* of this ring */
#define LLM_RING_IN_HAND    7
#define LLM_RING_WDROPPED   8
#define LLM_RING_BATCHES    (LLM_RING_WDROPPED + LLM_DROP_COUNT)
#define LLM_RING_WWORDS     (LLM_RING_BATCHES + 1)

#define LLM_RING_WORDS      24


typedef struct {
    uint64_t            generation;
    uint64_t            unused[7];          /* the rest of a cache line */
    uint64_t            copy[2][LLM_RING_WORDS];
} llm_ring_state_t;

typedef struct {
    uint64_t            magic;
    uint64_t            version;
    uint64_t            size;
    uint64_t            identity;
    uint64_t            unused[4];
    llm_ring_state_t    producers;
    llm_ring_state_t    writer;
} llm_ring_header_t;

typedef struct {
    uint32_t            len;
    uint32_t            owner;      /* the lower half */
    uint64_t            seq;
    uint32_t            pos;        /* the lower half */
    uint32_t            start;      /* the owner's upper half */
    uint32_t            crc;        /* of all before it and the data */
    uint32_t            state;
} llm_ring_record_t;


_Static_assert(sizeof(llm_ring_header_t) <= LLM_RING_PAGE, "header");
_Static_assert(sizeof(llm_ring_record_t) == LLM_RING_ALIGN, "record");
_Static_assert(LLM_RING_PWORDS <= LLM_RING_WORDS
               && LLM_RING_WWORDS <= LLM_RING_WORDS, "words");


static llm_ring_header_t *llm_ring_header(const llm_ring_t *ring);
static uint64_t llm_ring_room(const llm_ring_t *ring);
static llm_ring_record_t *llm_ring_record(const llm_ring_t *ring,
    uint64_t pos);
static int llm_ring_bounds(const llm_ring_t *ring, uint64_t head,
    uint64_t tail);
static int llm_ring_load(const llm_ring_state_t *s, uint64_t *words, int n);
static void llm_ring_store(llm_ring_state_t *s, const uint64_t *words, int n);
static void llm_ring_count(llm_ring_t *ring, int word, int not_word);
static void llm_ring_describe(llm_ring_t *ring, uint64_t pos, size_t len,
    int64_t owner, uint64_t seq, uint32_t state);
static uint32_t llm_ring_crc(const llm_ring_record_t *rec,
    const uint8_t *data);
static int llm_ring_damaged(llm_ring_item_t *item, uint64_t head,
    uint64_t seq);
static int llm_ring_take(const llm_ring_t *ring, uint64_t pos,
    llm_ring_item_t *item, const llm_ring_record_t *rec,
    int (*alive)(int64_t owner));
static int64_t llm_ring_owner(const llm_ring_t *ring,
    const llm_ring_record_t *rec);


static const char *const  llm_drop_names[] = {
    "ring_full", "spool_full", "torn", "too_large", "no_memory", "db_error",
    "shutdown"
};


const char *
llm_drop_name(int reason)
{
    return reason >= 0 && reason < LLM_DROP_COUNT ? llm_drop_names[reason]
                                                  : NULL;
}


int
llm_ring_format(llm_ring_t *ring, void *map, size_t size, uint64_t identity)
{
    llm_ring_header_t  *h;

    if (size < LLM_RING_MIN_SIZE || size > LLM_RING_MAX_SIZE
        || size % LLM_RING_PAGE != 0)
    {
        return LLM_ERROR;
    }

    ring->map = map;
    ring->size = size;

    memset(map, 0, LLM_RING_PAGE);

    h = llm_ring_header(ring);
    h->version = LLM_RING_VERSION;
    h->size = size;
    h->identity = identity;

    /* the last store: without it this is no ring yet */
    __atomic_store_n(&h->magic, LLM_RING_MAGIC, __ATOMIC_RELEASE);

    return LLM_OK;
}


int
llm_ring_attach(llm_ring_t *ring, void *map, size_t size)
{
    uint64_t            producers[LLM_RING_PWORDS], writer[LLM_RING_WWORDS];
    llm_ring_t          r;
    llm_ring_header_t  *h;

    if (size < LLM_RING_MIN_SIZE || size > LLM_RING_MAX_SIZE
        || size % LLM_RING_PAGE != 0)
    {
        return LLM_ERROR;
    }

    r.map = map;
    r.size = size;
    h = llm_ring_header(&r);

    if (__atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != LLM_RING_MAGIC
        || (h->version != LLM_RING_VERSION && h->version != LLM_RING_PIDS)
        || h->size != size)
    {
        return LLM_ERROR;
    }

    /* the writer's first: the head may move on, the tail then may not */

    if (llm_ring_load(&h->writer, writer, LLM_RING_WWORDS) != LLM_OK
        || llm_ring_load(&h->producers, producers, LLM_RING_PWORDS) != LLM_OK
        || llm_ring_bounds(&r, producers[LLM_RING_HEAD],
                           writer[LLM_RING_TAIL]) != LLM_OK)
    {
        return LLM_ERROR;
    }

    *ring = r;

    return LLM_OK;
}


uint64_t
llm_ring_identity(const llm_ring_t *ring)
{
    return llm_ring_header(ring)->identity;
}


void
llm_ring_usage(const llm_ring_t *ring, uint64_t *used, uint64_t *room)
{
    uint64_t            head[1], tail[1];
    llm_ring_header_t  *h;

    h = llm_ring_header(ring);

    *used = 0;
    *room = llm_ring_room(ring);

    if (llm_ring_load(&h->writer, tail, 1) == LLM_OK
        && llm_ring_load(&h->producers, head, 1) == LLM_OK)
    {
        *used = head[0] - tail[0] < *room ? head[0] - tail[0] : *room;
    }
}


size_t
llm_ring_max_record(const llm_ring_t *ring)
{
    uint64_t  max;

    max = llm_ring_room(ring) / 4 - sizeof(llm_ring_record_t);

    return max < UINT32_MAX ? max : UINT32_MAX;
}


static llm_ring_header_t *
llm_ring_header(const llm_ring_t *ring)
{
    return (llm_ring_header_t *) ring->map;
}


static uint64_t
llm_ring_room(const llm_ring_t *ring)
{
    return ring->size - LLM_RING_PAGE;
}


static llm_ring_record_t *
llm_ring_record(const llm_ring_t *ring, uint64_t pos)
{
    return (llm_ring_record_t *)
               (ring->map + LLM_RING_PAGE + pos % llm_ring_room(ring));
}


static int
llm_ring_bounds(const llm_ring_t *ring, uint64_t head, uint64_t tail)
{
    if (head % LLM_RING_ALIGN != 0 || tail % LLM_RING_ALIGN != 0
        || head < tail || head - tail > llm_ring_room(ring))
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* The first n words of the copy in force. */

static int
llm_ring_load(const llm_ring_state_t *s, uint64_t *words, int n)
{
    int              i, tries;
    uint64_t         generation;
    const uint64_t  *copy;

    for (tries = 0; tries < LLM_RING_RETRIES; tries++) {

        generation = __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
        copy = s->copy[generation & 1];

        for (i = 0; i < n; i++) {
            words[i] = __atomic_load_n(&copy[i], __ATOMIC_ACQUIRE);
        }

        if (__atomic_load_n(&s->generation, __ATOMIC_RELAXED) == generation) {
            return LLM_OK;
        }
    }

    return LLM_AGAIN;
}


/* All of a state; the caller is the only one who changes it. */

static void
llm_ring_store(llm_ring_state_t *s, const uint64_t *words, int n)
{
    int        i;
    uint64_t   generation, *copy;

    generation = __atomic_load_n(&s->generation, __ATOMIC_RELAXED) + 1;
    copy = s->copy[generation & 1];

    for (i = 0; i < n; i++) {
        __atomic_store_n(&copy[i], words[i], __ATOMIC_RELEASE);
    }

    __atomic_store_n(&s->generation, generation, __ATOMIC_RELEASE);
}


int
llm_ring_reserve(llm_ring_t *ring, size_t len, int64_t owner,
    llm_ring_slot_t *slot)
{
    uint64_t            room, left, need, pad, head;
    uint64_t            words[LLM_RING_PWORDS], tail[1];
    llm_ring_header_t  *h;

    if (len > llm_ring_max_record(ring)) {
        return LLM_DECLINED;
    }

    h = llm_ring_header(ring);

    if (llm_ring_load(&h->producers, words, LLM_RING_PWORDS) != LLM_OK
        || llm_ring_load(&h->writer, tail, 1) != LLM_OK
        || llm_ring_bounds(ring, words[LLM_RING_HEAD], tail[0]) != LLM_OK)
    {
        return LLM_FULL;
    }

    head = words[LLM_RING_HEAD];
    room = llm_ring_room(ring);
    left = room - head % room;

    need = sizeof(llm_ring_record_t) + len + LLM_RING_ALIGN - 1;
    need -= need % LLM_RING_ALIGN;

    pad = need > left ? left : 0;

    if (pad + need > room - (head - tail[0])) {
        return LLM_FULL;
    }

    words[LLM_RING_SEQ]++;

    if (pad > 0) {
        llm_ring_describe(ring, head, pad - sizeof(llm_ring_record_t), owner,
                          words[LLM_RING_SEQ], LLM_RING_PAD);
        head += pad;
    }

    llm_ring_describe(ring, head, len, owner, words[LLM_RING_SEQ],
                      LLM_RING_RESERVED);

    slot->pos = head;
    slot->seq = words[LLM_RING_SEQ];
    slot->len = len;
    slot->data = (uint8_t *) (llm_ring_record(ring, head) + 1);

    words[LLM_RING_HEAD] = head + need;
    llm_ring_store(&h->producers, words, LLM_RING_PWORDS);

    return LLM_OK;
}


static void
llm_ring_describe(llm_ring_t *ring, uint64_t pos, size_t len, int64_t owner,
    uint64_t seq, uint32_t state)
{
    llm_ring_record_t  *rec;

    rec = llm_ring_record(ring, pos);

    rec->len = len;
    rec->owner = (uint32_t) owner;
    rec->seq = seq;
    rec->pos = (uint32_t) pos;
    rec->start = (uint32_t) (owner >> 32);
    rec->crc = 0;

    __atomic_store_n(&rec->state, state, __ATOMIC_RELAXED);
}


void
llm_ring_commit(llm_ring_t *ring, llm_ring_slot_t *slot)
{
    llm_ring_record_t   rec, *p;

    p = llm_ring_record(ring, slot->pos);

    rec.len = slot->len;
    rec.owner = p->owner;
    rec.seq = slot->seq;
    rec.pos = (uint32_t) slot->pos;
    rec.start = p->start;

    p->crc = llm_ring_crc(&rec, slot->data);

    __atomic_store_n(&p->state, LLM_RING_COMMITTED, __ATOMIC_RELEASE);
}


static uint32_t
llm_ring_crc(const llm_ring_record_t *rec, const uint8_t *data)
{
    uint32_t  crc;

    crc = llm_crc32c(0, (const uint8_t *) rec,
                     offsetof(llm_ring_record_t, crc));

    return llm_crc32c(crc, data, rec->len);
}


void
llm_ring_count_spooled(llm_ring_t *ring)
{
    llm_ring_count(ring, LLM_RING_SPOOLED, -1);
}


void
llm_ring_count_not_spooled(llm_ring_t *ring, int reason)
{
    llm_ring_count(ring, LLM_RING_PDROPPED + reason, LLM_RING_SPOOLED);
}


void
llm_ring_count_dropped(llm_ring_t *ring, int reason)
{
    llm_ring_count(ring, LLM_RING_PDROPPED + reason, -1);
}


/* One more of word, one less of not_word (-1: none), in one step. */

static void
llm_ring_count(llm_ring_t *ring, int word, int not_word)
{
    uint64_t           words[LLM_RING_PWORDS];
    llm_ring_state_t  *s;

    s = &llm_ring_header(ring)->producers;

    if (llm_ring_load(s, words, LLM_RING_PWORDS) != LLM_OK) {
        return;
    }

    words[word]++;

    if (not_word != -1) {
        words[not_word]--;
    }

    llm_ring_store(s, words, LLM_RING_PWORDS);
}


uint64_t
llm_ring_tail(const llm_ring_t *ring)
{
    uint64_t           generation;
    llm_ring_state_t  *s;

    /* nobody but the caller changes it, so it stays consistent */

    s = &llm_ring_header(ring)->writer;
    generation = __atomic_load_n(&s->generation, __ATOMIC_RELAXED);

    return __atomic_load_n(&s->copy[generation & 1][LLM_RING_TAIL],
                           __ATOMIC_RELAXED);
}


int
llm_ring_read(llm_ring_t *ring, uint64_t pos, llm_ring_item_t *item,
    int (*alive)(int64_t owner))
{
    uint64_t            room, head, size, words[LLM_RING_PWORDS];
    llm_ring_record_t   rec, *p;
    llm_ring_header_t  *h;

    h = llm_ring_header(ring);
    room = llm_ring_room(ring);

    if (llm_ring_load(&h->producers, words, LLM_RING_PWORDS) != LLM_OK) {
        return LLM_AGAIN;
    }

    head = words[LLM_RING_HEAD];

    if (llm_ring_bounds(ring, head, pos) != LLM_OK
        || pos < llm_ring_tail(ring))
    {
        return LLM_ERROR;
    }

    memset(item, 0, sizeof(llm_ring_item_t));
    item->pos = pos;

    if (pos == head) {
        return LLM_AGAIN;
    }

    p = llm_ring_record(ring, pos);

    if (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) == LLM_RING_PAD) {

        size = room - pos % room;

        if (p->pos != (uint32_t) pos
            || p->len != size - sizeof(llm_ring_record_t)
            || size >= head - pos)
        {
            return llm_ring_damaged(item, head, words[LLM_RING_SEQ]);
        }

        pos += size;
        p = llm_ring_record(ring, pos);
    }

    /* each field is read once: what was checked is what is used */

    rec.len = __atomic_load_n(&p->len, __ATOMIC_RELAXED);
    rec.seq = __atomic_load_n(&p->seq, __ATOMIC_RELAXED);
    rec.pos = __atomic_load_n(&p->pos, __ATOMIC_RELAXED);
    rec.start = __atomic_load_n(&p->start, __ATOMIC_RELAXED);
    rec.owner = __atomic_load_n(&p->owner, __ATOMIC_RELAXED);

    size = sizeof(llm_ring_record_t) + (uint64_t) rec.len + LLM_RING_ALIGN - 1;
    size -= size % LLM_RING_ALIGN;

    if (rec.pos != (uint32_t) pos
        || rec.len > llm_ring_max_record(ring)
        || size > head - pos || size > room - pos % room
        || rec.seq == 0 || rec.seq > words[LLM_RING_SEQ])
    {
        return llm_ring_damaged(item, head, words[LLM_RING_SEQ]);
    }

    item->next = pos + size;
    item->seq = rec.seq;

    switch (llm_ring_take(ring, pos, item, &rec, alive)) {

    case LLM_OK:
        return LLM_OK;

    case LLM_AGAIN:
        return LLM_AGAIN;

    default:
        return llm_ring_damaged(item, head, words[LLM_RING_SEQ]);
    }
}


/* The record rec, whose bounds are known to be good. */

static int
llm_ring_take(const llm_ring_t *ring, uint64_t pos, llm_ring_item_t *item,
    const llm_ring_record_t *rec, int (*alive)(int64_t owner))
{
    uint32_t            state;
    const uint8_t      *data;
    llm_ring_record_t  *p;

    p = llm_ring_record(ring, pos);
    state = __atomic_load_n(&p->state, __ATOMIC_ACQUIRE);

    if (state == LLM_RING_RESERVED) {

        if (alive(llm_ring_owner(ring, rec))) {
            return LLM_AGAIN;
        }

        /* its last act may have been the commit */

        state = __atomic_load_n(&p->state, __ATOMIC_ACQUIRE);

        if (state == LLM_RING_RESERVED) {
            item->torn = 1;
            return LLM_OK;
        }
    }

    if (state != LLM_RING_COMMITTED) {
        return LLM_ERROR;
    }

    data = (const uint8_t *) (p + 1);

    if (__atomic_load_n(&p->crc, __ATOMIC_RELAXED)
        != llm_ring_crc(rec, data))
    {
        item->torn = 1;
        return LLM_OK;
    }

    item->data = data;
    item->len = rec->len;

    return LLM_OK;
}


static int64_t
llm_ring_owner(const llm_ring_t *ring, const llm_ring_record_t *rec)
{
    if (llm_ring_header(ring)->version == LLM_RING_PIDS) {
        return rec->owner;
    }

    return (int64_t) ((uint64_t) rec->start << 32 | rec->owner);
}


/*
 * A header that makes no sense: where the records after it begin cannot be
 * known, so all of them are given up, up to the head as it was seen.
 */

static int
llm_ring_damaged(llm_ring_item_t *item, uint64_t head, uint64_t seq)
{
    item->next = head;
    item->seq = seq;
    item->torn = 1;
    item->damaged = 1;

    return LLM_OK;
}


void
llm_ring_release(llm_ring_t *ring, uint64_t pos, const llm_ring_result_t *res)
{
    int                i;
    uint64_t           taken, words[LLM_RING_WWORDS];
    llm_ring_state_t  *s;

    s = &llm_ring_header(ring)->writer;

    if (llm_ring_load(s, words, LLM_RING_WWORDS) != LLM_OK) {
        return;
    }

    if (pos != 0) {
        words[LLM_RING_TAIL] = pos;
    }

    words[LLM_RING_WRITTEN] += res->written;
    words[LLM_RING_LEDGER] += res->ledger_only;
    words[LLM_RING_CLEARED] += res->cleared;
    words[LLM_RING_RECOVERED] += res->recovered;
    words[LLM_RING_STAKEN] += res->spool_taken;
    words[LLM_RING_RTAKEN] += res->ring_taken;
    words[LLM_RING_BATCHES] += res->batches;

    taken = res->spool_taken + res->ring_taken;
    words[LLM_RING_IN_HAND] -= taken < words[LLM_RING_IN_HAND]
                               ? taken : words[LLM_RING_IN_HAND];

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        words[LLM_RING_WDROPPED + i] += res->dropped[i];
    }

    llm_ring_store(s, words, LLM_RING_WWORDS);
}


uint64_t
llm_ring_batches(const llm_ring_t *ring)
{
    uint64_t  words[LLM_RING_WWORDS];

    if (llm_ring_load(&llm_ring_header(ring)->writer, words, LLM_RING_WWORDS)
        != LLM_OK)
    {
        return 0;
    }

    return words[LLM_RING_BATCHES];
}


void
llm_ring_set_in_hand(llm_ring_t *ring, uint64_t n)
{
    uint64_t           words[LLM_RING_WWORDS];
    llm_ring_state_t  *s;

    s = &llm_ring_header(ring)->writer;

    if (llm_ring_load(s, words, LLM_RING_WWORDS) == LLM_OK) {
        words[LLM_RING_IN_HAND] = n;
        llm_ring_store(s, words, LLM_RING_WWORDS);
    }
}


void
llm_ring_terms(const llm_ring_t *ring, llm_terms_t *terms)
{
    int                 i;
    uint64_t            producers[LLM_RING_PWORDS], writer[LLM_RING_WWORDS];
    uint64_t            hand;
    llm_ring_header_t  *h;

    memset(terms, 0, sizeof(llm_terms_t));

    h = llm_ring_header(ring);

    if (llm_ring_load(&h->producers, producers, LLM_RING_PWORDS) != LLM_OK
        || llm_ring_load(&h->writer, writer, LLM_RING_WWORDS) != LLM_OK)
    {
        return;
    }

    terms->recovered = writer[LLM_RING_RECOVERED];
    terms->written = writer[LLM_RING_WRITTEN];
    terms->ledger_only = writer[LLM_RING_LEDGER];
    terms->cleared = writer[LLM_RING_CLEARED];

    terms->finished = producers[LLM_RING_SEQ] + producers[LLM_RING_SPOOLED];

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        terms->finished += producers[LLM_RING_PDROPPED + i];
        terms->dropped[i] = producers[LLM_RING_PDROPPED + i]
                            + writer[LLM_RING_WDROPPED + i];
    }

    terms->in_ring = producers[LLM_RING_SEQ] - writer[LLM_RING_RTAKEN];
    terms->in_spool = producers[LLM_RING_SPOOLED] - writer[LLM_RING_STAKEN];

    /* those in hand have not left their places yet: the ring's come first */

    hand = writer[LLM_RING_IN_HAND] < terms->in_ring
           ? writer[LLM_RING_IN_HAND] : terms->in_ring;
    terms->in_ring -= hand;
    terms->in_hand = hand;

    hand = writer[LLM_RING_IN_HAND] - hand;
    hand = hand < terms->in_spool ? hand : terms->in_spool;
    terms->in_spool -= hand;
    terms->in_hand += hand;
}
