
/*
 * Copyright (C) llm_monitor contributors
 *
 * The short texts that an exchange finds, in memory that lives as long as the
 * exchange does.  A slot that is set again and again reuses its place.
 */


#ifndef _LLM_SLOT_H_INCLUDED_
#define _LLM_SLOT_H_INCLUDED_


#include "../record/llm.h"


typedef struct llm_block_s  llm_block_t;

typedef struct {
    const llm_mem_t  *mem;
    llm_block_t      *blocks;
    uint8_t          *p;
    size_t            room;
} llm_pool_t;

typedef struct {
    uint8_t          *data;       /* NULL: not known */
    uint32_t          len;
    uint32_t          cap;
} llm_slot_t;


/* whether the llm_str_t is that literal */

#define llm_str_is(s, text)                                                   \
    ((s)->len == sizeof(text) - 1                                             \
     && memcmp((s)->data, text, sizeof(text) - 1) == 0)


/* first is memory of the caller that is used up before any is asked for */
void llm_pool_init(llm_pool_t *pool, const llm_mem_t *mem, void *first,
    size_t n);
void *llm_pool_alloc(llm_pool_t *pool, size_t n);     /* or NULL */
void llm_pool_free(llm_pool_t *pool);


/*
 * Sets the slot to p, scrubbed and cut to max bytes.  The text of a JSON
 * string is unescaped by the second one.  Without memory the slot stays as it
 * was.
 */
void llm_slot_set(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p,
    size_t n, size_t max);
void llm_slot_json(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p,
    size_t n, size_t max);

/*
 * The same as the first one, but s outlives the slot, which points to it if
 * there is nothing to scrub.
 */
void llm_slot_ref(llm_slot_t *slot, llm_pool_t *pool, const llm_str_t *s,
    size_t max);

/*
 * The same for a name that says whose it is: one that would be another's once
 * it was scrubbed or cut is not known.
 */
void llm_slot_whole(llm_slot_t *slot, llm_pool_t *pool, const llm_str_t *s,
    size_t max);

/* Bytes as they are behind what is there: LLM_FULL if they go over max. */
int llm_slot_append(llm_slot_t *slot, llm_pool_t *pool, const uint8_t *p,
    size_t n, size_t max);

/* Moves a text without copying it, so that neither slot grows by that. */
void llm_slot_swap(llm_slot_t *one, llm_slot_t *other);

static inline llm_str_t
llm_slot_str(const llm_slot_t *slot)
{
    llm_str_t  s;

    s.len = slot->data != NULL ? slot->len : 0;
    s.data = slot->data;

    return s;
}


#endif /* _LLM_SLOT_H_INCLUDED_ */
