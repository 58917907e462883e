
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_bytes.h"
#include "llm_slot.h"
#include "llm_value.h"


#define LLM_POOL_BLOCK    480
#define LLM_SLOT_STRING   4096    /* bytes of a string that are looked at */


struct llm_block_s {
    llm_block_t  *next;
};


static uint8_t *llm_slot_room(llm_slot_t *slot, llm_pool_t *pool, size_t n);
static LLM_APART void llm_slot_escaped(llm_slot_t *slot, llm_pool_t *pool,
    const uint8_t *p, size_t n, size_t max);
static int llm_slot_plain(llm_slot_t *slot, llm_pool_t *pool,
    const uint8_t *p, size_t n, size_t max);
static int llm_slot_plain_word(uint64_t w);


void
llm_pool_init(llm_pool_t *pool, const llm_mem_t *mem, void *first, size_t n)
{
    pool->mem = mem;
    pool->blocks = NULL;
    pool->p = first;
    pool->room = n;
}


void *
llm_pool_alloc(llm_pool_t *pool, size_t n)
{
    void         *p;
    size_t        size;
    llm_block_t  *block;

    n = (n + 7) & ~(size_t) 7;

    if (n > pool->room) {
        size = n > LLM_POOL_BLOCK ? n : LLM_POOL_BLOCK;

        block = pool->mem->alloc(pool->mem->data, sizeof(llm_block_t) + size);
        if (block == NULL) {
            return NULL;
        }

        block->next = pool->blocks;
        pool->blocks = block;

        pool->p = (uint8_t *) (block + 1);
        pool->room = size;
    }

    p = pool->p;
    pool->p += n;
    pool->room -= n;

    return p;
}


void
llm_pool_free(llm_pool_t *pool)
{
    llm_block_t  *block, *next;

    for (block = pool->blocks; block != NULL; block = next) {
        next = block->next;
        pool->mem->free(pool->mem->data, block);
    }

    llm_pool_init(pool, pool->mem, NULL, 0);
}


void
llm_slot_set(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p, size_t n,
    size_t max)
{
    if (p == NULL || llm_slot_plain(slot, pool, p, n, max)) {
        return;
    }

    /* a byte that is no UTF-8 grows to three */
    n = n > max ? max + 4 : n;
    max = 3 * n < max ? 3 * n : max;

    if (llm_slot_room(slot, pool, max) != NULL) {
        slot->len = llm_text_scrub(slot->data, max, p, n);
    }
}


void
llm_slot_ref(llm_slot_t *slot, llm_pool_t *pool, const llm_str_t *s,
    size_t max)
{
    if (s->data == NULL) {
        return;
    }

    if (s->len > max || !llm_bytes_plain(s->data, s->len)) {
        llm_slot_set(slot, pool, s->data, s->len, max);
        return;
    }

    /* no room is its own: nobody writes to it */

    slot->data = (uint8_t *) s->data;
    slot->len = s->len;
    slot->cap = 0;
}


void
llm_slot_whole(llm_slot_t *slot, llm_pool_t *pool, const llm_str_t *s,
    size_t max)
{
    llm_slot_ref(slot, pool, s, max);

    if (slot->data != NULL
        && (slot->len != s->len || memcmp(slot->data, s->data, s->len) != 0))
    {
        memset(slot, 0, sizeof(llm_slot_t));
    }
}


void
llm_slot_json(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p, size_t n,
    size_t max)
{
    if (p != NULL && !llm_slot_plain(slot, pool, p, n, max)) {
        llm_slot_escaped(slot, pool, p, n, max);
    }
}


static LLM_APART void
llm_slot_escaped(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p,
    size_t n, size_t max)
{
    uint8_t  buf[LLM_SLOT_STRING];

    if (memchr(p, '\\', n) != NULL) {
        n = n > sizeof(buf) ? sizeof(buf) : n;
        n = llm_value_string(buf, p, n);
        p = buf;
    }

    llm_slot_set(slot, pool, p, n, max);
}


int
llm_slot_append(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p,
    size_t n, size_t max)
{
    uint8_t  *old;
    size_t    len;

    if (slot->len + n > max) {
        return LLM_FULL;
    }

    old = slot->data;
    len = slot->len;

    if (len + n > slot->cap) {

        if (llm_slot_room(slot, pool, len + n) == NULL) {
            return LLM_FULL;
        }

        if (len != 0) {
            memcpy(slot->data, old, len);
        }
    }

    memcpy(slot->data + len, p, n);
    slot->len = len + n;

    return LLM_OK;
}


void
llm_slot_swap(llm_slot_t *one, llm_slot_t *other)
{
    llm_slot_t  slot;

    slot = *one;
    *one = *other;
    *other = slot;
}


/* doubles, so that what is thrown away is never more than what is in use */

static uint8_t *
llm_slot_room(llm_slot_t *slot, llm_pool_t *pool, size_t n)
{
    size_t    cap;
    uint8_t  *p;

    if (n <= slot->cap && slot->data != NULL) {
        return slot->data;
    }

    cap = slot->cap ? 2 * (size_t) slot->cap : 8;
    cap = cap < n ? (n + 7) & ~(size_t) 7 : cap;

    p = llm_pool_alloc(pool, cap);
    if (p == NULL) {
        return NULL;
    }

    slot->data = p;
    slot->cap = cap;

    return p;
}


/*
 * Nearly all names and ids are printable ASCII without a backslash, and only
 * have to be copied: 1 if that was done.
 */

static int
llm_slot_plain(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p, size_t n,
    size_t max)
{
    size_t    i;
    uint8_t  *d;
    uint32_t  low, high;
    uint64_t  w;

    n = n > max ? max : n;

    d = llm_slot_room(slot, pool, n);
    if (d == NULL) {
        return 1;
    }

    /* the last word overlaps the one before, unless there is only half a one */

    if (n >= 8) {

        for (i = 0; i < n; i += 8) {
            i = i > n - 8 ? n - 8 : i;
            memcpy(&w, p + i, 8);

            if (!llm_slot_plain_word(w)) {
                return 0;
            }

            memcpy(d + i, &w, 8);
        }

    } else if (n >= 4) {
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);

        if (!llm_slot_plain_word((uint64_t) high << 32 | low)) {
            return 0;
        }

        memcpy(d, &low, 4);
        memcpy(d + n - 4, &high, 4);

    } else {

        for (i = 0; i < n; i++) {

            if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '\\') {
                return 0;
            }

            d[i] = p[i];
        }
    }

    slot->len = n;

    return 1;
}


/* eight bytes at once: each of the terms has the top bit of a bad one set */

static int
llm_slot_plain_word(uint64_t w)
{
    uint64_t  b;

    b = w ^ 0x5c5c5c5c5c5c5c5cULL;

    return ((w | (w - 0x2020202020202020ULL) | (w + 0x0101010101010101ULL)
             | (b - 0x0101010101010101ULL))
            & 0x8080808080808080ULL) == 0;
}
