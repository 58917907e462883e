
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_live.h"
#include "llm_owner.h"


/* copies of a slot that is being written, then it is left out */
#define LLM_LIVE_TRIES  100


static void llm_live_block(llm_live_own_t *own);
static int llm_live_claim(int64_t *block, int64_t self);
static int llm_live_copy(llm_live_slot_t *slot, llm_live_facts_t *facts);


void
llm_live_init(llm_live_t *live)
{
    memset(live, 0, offsetof(llm_live_t, slot));
}


void
llm_live_join(llm_live_own_t *own, llm_live_t *live, int64_t self)
{
    memset(own, 0, sizeof(llm_live_own_t));

    own->live = live;
    own->owner = self;
}


void
llm_live_leave(llm_live_own_t *own)
{
    int  i, j;

    for (i = 0; own->live != NULL && i < LLM_LIVE_BLOCKS; i++) {

        if (!own->own[i]) {
            continue;
        }

        for (j = i * LLM_LIVE_BLOCK; j < (i + 1) * LLM_LIVE_BLOCK; j++) {
            __atomic_store_n(&own->live->slot[j].used, 0, __ATOMIC_RELAXED);
        }

        __atomic_store_n(&own->live->owner[i], 0, __ATOMIC_RELEASE);
        own->own[i] = 0;
    }

    own->nfree = 0;
    own->live = NULL;
}


llm_live_slot_t *
llm_live_take(llm_live_own_t *own)
{
    llm_live_slot_t  *slot;

    if (own->nfree == 0) {

        if (own->live == NULL) {
            return NULL;
        }

        llm_live_block(own);

        if (own->nfree == 0) {
            return NULL;
        }
    }

    slot = &own->live->slot[own->free[--own->nfree]];

    llm_live_open(slot);

    memset(&slot->facts, 0, offsetof(llm_live_facts_t, text));

    __atomic_store_n(&slot->used, 1, __ATOMIC_RELAXED);

    return slot;
}


void
llm_live_give(llm_live_own_t *own, llm_live_slot_t *slot)
{
    if (own->live == NULL) {
        return;
    }

    __atomic_store_n(&slot->used, 0, __ATOMIC_RELEASE);

    own->free[own->nfree++] = (uint16_t) (slot - own->live->slot);
}


void
llm_live_open(llm_live_slot_t *slot)
{
    __atomic_store_n(&slot->lock, slot->lock + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}


void
llm_live_close(llm_live_slot_t *slot)
{
    __atomic_store_n(&slot->lock, slot->lock + 1, __ATOMIC_RELEASE);
}


void
llm_live_miss(llm_live_own_t *own)
{
    if (own->live != NULL) {
        (void) __atomic_add_fetch(&own->live->missed, 1, __ATOMIC_RELAXED);
    }
}


void
llm_live_text(llm_live_slot_t *slot, int n, const llm_str_t *s)
{
    size_t  len;

    len = s->len < LLM_LIVE_TEXT ? s->len : LLM_LIVE_TEXT;

    slot->facts.len[n] = (uint8_t) len;

    if (len > 0) {
        memcpy(slot->facts.text[n], s->data, len);
    }
}


/* one that nobody has, or that a dead process had */

static void
llm_live_block(llm_live_own_t *own)
{
    int               i, j;
    llm_live_slot_t  *slot;

    for (i = 0; i < LLM_LIVE_BLOCKS; i++) {

        if (own->own[i]
            || llm_live_claim(&own->live->owner[i], own->owner) != LLM_OK)
        {
            continue;
        }

        for (j = (i + 1) * LLM_LIVE_BLOCK; j-- > i * LLM_LIVE_BLOCK; ) {
            slot = &own->live->slot[j];

            __atomic_store_n(&slot->used, 0, __ATOMIC_RELAXED);

            /* its owner may have died while it wrote */

            if (slot->lock & 1) {
                llm_live_close(slot);
            }

            own->free[own->nfree++] = (uint16_t) j;
        }

        own->own[i] = 1;
        return;
    }
}


/*
 * A block of the own name is one of a configuration that the process has
 * left, whose exchanges may still be in flight.
 */

static int
llm_live_claim(int64_t *block, int64_t self)
{
    int64_t  owner;

    owner = __atomic_load_n(block, __ATOMIC_ACQUIRE);

    if (owner != 0 && llm_owner_alive(owner)) {
        return LLM_DECLINED;
    }

    if (!__atomic_compare_exchange_n(block, &owner, self, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
    {
        return LLM_DECLINED;
    }

    return LLM_OK;
}


int
llm_live_each(llm_live_t *live,
    int (*each)(void *data, const llm_live_facts_t *facts), void *data)
{
    int               i, j, rc;
    int64_t           owner;
    llm_live_facts_t  facts;

    for (i = 0; i < LLM_LIVE_BLOCKS; i++) {
        owner = __atomic_load_n(&live->owner[i], __ATOMIC_ACQUIRE);

        if (owner == 0 || !llm_owner_alive(owner)) {
            continue;
        }

        for (j = i * LLM_LIVE_BLOCK; j < (i + 1) * LLM_LIVE_BLOCK; j++) {

            if (llm_live_copy(&live->slot[j], &facts) != LLM_OK) {
                continue;
            }

            rc = each(data, &facts);

            if (rc != LLM_OK) {
                return rc;
            }
        }
    }

    return LLM_OK;
}


/* LLM_DECLINED: not in use, or never still */

static int
llm_live_copy(llm_live_slot_t *slot, llm_live_facts_t *facts)
{
    int       i;
    uint32_t  before;

    for (i = 0; i < LLM_LIVE_TRIES; i++) {

        before = __atomic_load_n(&slot->lock, __ATOMIC_ACQUIRE);

        if (!__atomic_load_n(&slot->used, __ATOMIC_ACQUIRE)) {
            return LLM_DECLINED;
        }

        if (before & 1) {
            continue;
        }

        memcpy(facts, &slot->facts, sizeof(llm_live_facts_t));

        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if (__atomic_load_n(&slot->lock, __ATOMIC_RELAXED) == before) {
            return LLM_OK;
        }
    }

    return LLM_DECLINED;
}
