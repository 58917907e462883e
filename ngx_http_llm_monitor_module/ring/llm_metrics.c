
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_metrics.h"


/* 2^64 over the golden ratio */
#define LLM_METRICS_GAMMA  0x9e3779b97f4a7c15ULL


/* of the sets */

#define LLM_SET_ROW(name, member, bound, words)                               \
    { bound, words, offsetof(llm_metrics_slot_t, member) / sizeof(uint64_t) },

static const struct {
    uint32_t    bound;
    uint32_t    words;
    size_t      offset;
} llm_sets[] = {
    LLM_METRICS_SETS(LLM_SET_ROW)
};

static const uint32_t  llm_labels[LLM_LABEL_KINDS] = {
    64, 24, 128, 128, 32, 100, 32
};

_Static_assert(LLM_METRICS_LABELS < LLM_METRICS_INDEX / 2, "index");
_Static_assert(LLM_METRICS_KEYS < LLM_METRICS_HASH / 2, "hash");


static int llm_metrics_label_in(llm_metrics_own_t *own, int kind,
    const llm_str_t *s, uint32_t room);
static int llm_metrics_label_find(const llm_metrics_t *m, int kind,
    const uint8_t *p, size_t n, uint64_t hash);
static int llm_metrics_label_add(llm_metrics_t *m, int kind, const uint8_t *p,
    size_t n, uint64_t hash);
static size_t llm_metrics_scrub(int kind, uint8_t *dst, const llm_str_t *s);
static uint64_t llm_metrics_hash(int kind, const uint8_t *p, size_t n);
static uint32_t llm_metrics_base(int set);
static uint64_t llm_metrics_key(int set, const llm_metrics_ids_t *ids);
static uint32_t llm_metrics_lookup(const llm_metrics_t *m, uint64_t key);
static uint32_t llm_metrics_insert(llm_metrics_t *m, int set, uint64_t key);
static uint32_t llm_metrics_slot_of(uint64_t hash, uint32_t n);


void
llm_metrics_init(llm_metrics_t *m, int64_t now_ms, uint32_t second)
{
    int                i;
    uint64_t           hash;
    llm_metrics_ids_t  other;

    static const llm_str_t  none = llm_str("none");

    static const llm_str_t  providers[LLM_PROTOCOL_BEDROCK + 1] = {
        llm_null_str, llm_str("openai"), llm_str("anthropic"),
        llm_str("gcp.gemini"), llm_str("ollama"), llm_str("cohere"),
        llm_str("aws.bedrock")
    };

    /* the slots and what is as large are zeros and untouched pages */

    memset(m, 0, offsetof(llm_metrics_t, sessions));

    m->start_ms = now_ms;

    /* before the first second there was nothing, which is a sample, too */

    m->alerts.sample[(second - 1) % LLM_ALERT_SAMPLES].second = second - 1;

    m->nstatus = 1;
    m->labels = 1;

    for (i = 0; i < 2; i++) {
        hash = llm_metrics_hash(i ? LLM_LABEL_MODEL : LLM_LABEL_UPSTREAM,
                                none.data, none.len);
        m->none[i] = llm_metrics_label_add(m, i ? LLM_LABEL_MODEL
                                                : LLM_LABEL_UPSTREAM,
                                           none.data, none.len, hash);
    }

    for (i = 1; i <= LLM_PROTOCOL_BEDROCK; i++) {
        hash = llm_metrics_hash(LLM_LABEL_PROVIDER, providers[i].data,
                                providers[i].len);
        m->provider[i] = llm_metrics_label_add(m, LLM_LABEL_PROVIDER,
                                               providers[i].data,
                                               providers[i].len, hash);
    }

    memset(&other, 0, sizeof(llm_metrics_ids_t));

    for (i = 0; i < LLM_SETS; i++) {
        (void) llm_metrics_insert(m, i, llm_metrics_key(i, &other));
    }
}


void
llm_metrics_join(llm_metrics_own_t *own, llm_metrics_t *m, unsigned n)
{
    n %= LLM_METRICS_SLOTS;

    own->shared = m;
    own->slot = &m->slot[n];
    memset(own->memo, 0, sizeof(own->memo));

    (void) __atomic_or_fetch(&m->slots, 1U << n, __ATOMIC_RELEASE);
}


int
llm_metrics_label(llm_metrics_own_t *own, int kind, const llm_str_t *s)
{
    return llm_metrics_label_in(own, kind, s, llm_labels[kind]);
}


int
llm_metrics_label_half(llm_metrics_own_t *own, int kind, const llm_str_t *s)
{
    return llm_metrics_label_in(own, kind, s, llm_labels[kind] / 2);
}


static int
llm_metrics_label_in(llm_metrics_own_t *own, int kind, const llm_str_t *s,
    uint32_t room)
{
    int             id;
    size_t          n;
    uint8_t         text[LLM_METRICS_TEXT];
    uint64_t        hash;
    llm_metrics_t  *m;

    m = own->shared;

    hash = llm_metrics_hash(kind, s->data, s->len);
    id = llm_metrics_label_find(m, kind, s->data, s->len, hash);

    if (id != 0) {
        return id;
    }

    /* only clean texts are there: one that was not may be there by now */

    n = llm_metrics_scrub(kind, text, s);

    if (n == 0) {
        return 0;
    }

    hash = llm_metrics_hash(kind, text, n);
    id = llm_metrics_label_find(m, kind, text, n, hash);

    if (id != 0
        || __atomic_load_n(&m->nlabels[kind], __ATOMIC_ACQUIRE)
           >= room)
    {
        return id;
    }

    own->lock(own->data);

    id = llm_metrics_label_find(m, kind, text, n, hash);

    if (id == 0 && m->nlabels[kind] < room) {
        id = llm_metrics_label_add(m, kind, text, n, hash);
    }

    own->unlock(own->data);

    return id;
}


static int
llm_metrics_label_find(const llm_metrics_t *m, int kind, const uint8_t *p,
    size_t n, uint64_t hash)
{
    uint32_t                    i, id;
    const llm_metrics_label_t  *label;

    for (i = llm_metrics_slot_of(hash, LLM_METRICS_INDEX); /* void */ ;
         i = (i + 1) % LLM_METRICS_INDEX)
    {
        id = __atomic_load_n(&m->index[i], __ATOMIC_ACQUIRE);

        if (id == 0) {
            return 0;
        }

        label = &m->label[id];

        if (label->hash == hash && label->kind == kind && label->len == n
            && memcmp(label->text, p, n) == 0)
        {
            return id;
        }
    }
}


/* The number of labels is the last to change, the index before it. */

static int
llm_metrics_label_add(llm_metrics_t *m, int kind, const uint8_t *p, size_t n,
    uint64_t hash)
{
    uint32_t              i, id;
    llm_metrics_label_t  *label;

    if (m->nlabels[kind] >= llm_labels[kind]) {
        return 0;
    }

    id = m->labels;
    label = &m->label[id];

    label->hash = hash;
    label->kind = kind;
    label->len = n;
    memcpy(label->text, p, n);

    i = llm_metrics_slot_of(hash, LLM_METRICS_INDEX);

    /* who died here before has left its number in the index */

    while (m->index[i] != 0 && m->index[i] != id) {
        i = (i + 1) % LLM_METRICS_INDEX;
    }

    __atomic_store_n(&m->index[i], id, __ATOMIC_RELEASE);
    __atomic_store_n(&m->labels, id + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&m->nlabels[kind], m->nlabels[kind] + 1,
                     __ATOMIC_RELEASE);

    return id;
}


static size_t
llm_metrics_scrub(int kind, uint8_t *dst, const llm_str_t *s)
{
    size_t   i, n;
    uint8_t  c;

    n = s->len < LLM_METRICS_TEXT ? s->len : LLM_METRICS_TEXT;

    for (i = 0; i < n; i++) {
        c = s->data[i];

        if (c <= ' ' || c >= 0x7f
            || (kind <= LLM_LABEL_ANSWERED && kind >= LLM_LABEL_MODEL
                && !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '-' && c <= ':') || c == '_' || c == '@'
                     || c == '+')))
        {
            c = '_';
        }

        dst[i] = c;
    }

    return n;
}


static uint64_t
llm_metrics_hash(int kind, const uint8_t *p, size_t n)
{
    uint64_t  hash, word;

    hash = ((uint64_t) n << 8 | kind) * LLM_METRICS_GAMMA;

    for ( /* void */ ; n > 8; n -= 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * LLM_METRICS_GAMMA;
        hash ^= hash >> 32;
        p += 8;
    }

    word = 0;
    memcpy(&word, p, n);

    hash = (hash ^ word) * LLM_METRICS_GAMMA;

    return hash ^ hash >> 32;
}


static uint32_t
llm_metrics_slot_of(uint64_t hash, uint32_t n)
{
    /* n is a power of two */

    return (uint32_t) (hash * LLM_METRICS_GAMMA >> 40) & (n - 1);
}


int
llm_metrics_status(llm_metrics_own_t *own, int64_t status)
{
    int             id;
    llm_metrics_t  *m;

    m = own->shared;

    /* a place of its own for what has none */

    if (status < 0 || status > 999) {
        status = 0;
    }

    id = __atomic_load_n(&m->status_id[status], __ATOMIC_ACQUIRE);

    if (id != 0
        || __atomic_load_n(&m->nstatus, __ATOMIC_ACQUIRE)
           >= LLM_METRICS_STATUSES)
    {
        return id;
    }

    own->lock(own->data);

    id = m->status_id[status];

    if (id == 0 && m->nstatus < LLM_METRICS_STATUSES) {
        id = m->nstatus;
        m->status[id] = status;

        __atomic_store_n(&m->nstatus, id + 1, __ATOMIC_RELEASE);
        __atomic_store_n(&m->status_id[status], id, __ATOMIC_RELEASE);
    }

    own->unlock(own->data);

    return id;
}


int
llm_metrics_find(llm_metrics_own_t *own, int set,
    const llm_metrics_ids_t *ids, llm_metrics_series_t *series)
{
    int             rc;
    uint32_t        at;
    uint64_t        key;
    llm_metrics_t  *m;

    m = own->shared;
    key = llm_metrics_key(set, ids);
    at = llm_metrics_lookup(m, key);
    rc = LLM_OK;

    if (at == 0
        && __atomic_load_n(&m->nseries[set], __ATOMIC_ACQUIRE)
           < llm_sets[set].bound)
    {
        own->lock(own->data);

        at = llm_metrics_lookup(m, key);

        if (at == 0) {
            at = llm_metrics_insert(m, set, key);
            rc = LLM_DECLINED;
        }

        own->unlock(own->data);
    }

    if (at == 0) {
        llm_metrics_overflow(own);
        series->n = 0;
        rc = LLM_FULL;

    } else {
        series->n = at - 1 - llm_metrics_base(set);
    }

    series->words = (uint64_t *) own->slot + llm_sets[set].offset
                    + series->n * llm_sets[set].words;

    return rc;
}


static uint32_t
llm_metrics_base(int set)
{
    static const uint32_t  base[LLM_SETS] = {
        0, 513, 642, 707, 836, 869, 998, 1127, 1228
    };

    return base[set];
}


static uint64_t
llm_metrics_key(int set, const llm_metrics_ids_t *ids)
{
    return (uint64_t) (set + 1) << 56 | (uint64_t) ids->upstream << 46
           | (uint64_t) ids->provider << 36 | (uint64_t) ids->model << 26
           | (uint64_t) ids->other << 16 | (uint64_t) ids->status << 8
           | ids->kind;
}


void
llm_metrics_ids(const llm_metrics_t *m, int set, uint32_t n,
    llm_metrics_ids_t *ids)
{
    uint64_t  key;

    key = m->key[llm_metrics_base(set) + n];

    ids->upstream = (key >> 46 & 0x3ff) % LLM_METRICS_LABELS;
    ids->provider = (key >> 36 & 0x3ff) % LLM_METRICS_LABELS;
    ids->model = (key >> 26 & 0x3ff) % LLM_METRICS_LABELS;
    ids->other = (key >> 16 & 0x3ff) % LLM_METRICS_LABELS;
    ids->status = key >> 8 & 0xff;
    ids->kind = key & 0xff;
}


/* The place of a key plus 1; 0: it is not there. */

static uint32_t
llm_metrics_lookup(const llm_metrics_t *m, uint64_t key)
{
    uint32_t  i, at;

    for (i = llm_metrics_slot_of(key, LLM_METRICS_HASH); /* void */ ;
         i = (i + 1) % LLM_METRICS_HASH)
    {
        at = __atomic_load_n(&m->hash[i], __ATOMIC_ACQUIRE);

        if (at == 0 || m->key[at - 1] == key) {
            return at;
        }
    }
}


static uint32_t
llm_metrics_insert(llm_metrics_t *m, int set, uint64_t key)
{
    uint32_t  i, n, at;

    n = m->nseries[set];

    if (n >= llm_sets[set].bound) {
        return 0;
    }

    at = llm_metrics_base(set) + n;

    m->key[at++] = key;

    i = llm_metrics_slot_of(key, LLM_METRICS_HASH);

    while (m->hash[i] != 0 && m->hash[i] != at) {
        i = (i + 1) % LLM_METRICS_HASH;
    }

    __atomic_store_n(&m->hash[i], at, __ATOMIC_RELEASE);
    __atomic_store_n(&m->nseries[set], n + 1, __ATOMIC_RELEASE);

    return at;
}


uint64_t
llm_metrics_sum(const llm_metrics_t *m, int set, uint32_t n, int word)
{
    size_t           at;
    uint32_t         i, slots;
    uint64_t         sum;
    const uint64_t  *words;

    at = llm_sets[set].offset + n * llm_sets[set].words + word;
    slots = __atomic_load_n(&m->slots, __ATOMIC_ACQUIRE);
    sum = 0;

    for (i = 0; slots != 0; i++, slots >>= 1) {

        if (slots & 1) {
            words = (const uint64_t *) &m->slot[i];
            sum += __atomic_load_n(&words[at], __ATOMIC_RELAXED);
        }
    }

    return sum;
}


void
llm_metrics_overflow(llm_metrics_own_t *own)
{
    llm_metrics_add(&own->slot->all[0][LLM_W_OVERFLOW], 1);
}


uint32_t
llm_metrics_count_series(const llm_metrics_t *m, uint32_t *limit)
{
    int       i;
    uint32_t  n;

    n = 0;
    *limit = 0;

    for (i = 0; i < LLM_SET_ALL; i++) {
        n += __atomic_load_n(&m->nseries[i], __ATOMIC_ACQUIRE) - 1;
        *limit += llm_sets[i].bound - 1;
    }

    return n;
}
