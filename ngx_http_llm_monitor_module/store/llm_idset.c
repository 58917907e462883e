
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_idset.h"


#define LLM_IDSET_START  1024


static int llm_idset_grow(llm_idset_t *set);
static int64_t *llm_idset_slot(const llm_idset_t *set, int64_t id);


int
llm_idset_add(llm_idset_t *set, int64_t id)
{
    int64_t  *slot;

    if (id == 0 || llm_idset_has(set, id)) {
        return LLM_OK;
    }

    if (set->n == LLM_IDSET_MAX) {
        return LLM_FULL;
    }

    /* at most half full */

    if ((set->slot == NULL || set->n * 2 > set->mask)
        && llm_idset_grow(set) != LLM_OK)
    {
        return LLM_NOMEM;
    }

    slot = llm_idset_slot(set, id);
    *slot = id;
    set->n++;

    return LLM_OK;
}


int
llm_idset_has(const llm_idset_t *set, int64_t id)
{
    return id != 0 && set->n != 0 && *llm_idset_slot(set, id) == id;
}


void
llm_idset_free(llm_idset_t *set)
{
    free(set->slot);
    memset(set, 0, sizeof(llm_idset_t));
}


static int
llm_idset_grow(llm_idset_t *set)
{
    size_t       i, size;
    llm_idset_t  next;

    size = set->slot == NULL ? LLM_IDSET_START : (set->mask + 1) * 2;

    next.slot = calloc(size, sizeof(int64_t));
    if (next.slot == NULL) {
        return LLM_NOMEM;
    }

    next.mask = size - 1;
    next.n = set->n;

    for (i = 0; set->slot != NULL && i <= set->mask; i++) {
        if (set->slot[i] != 0) {
            *llm_idset_slot(&next, set->slot[i]) = set->slot[i];
        }
    }

    free(set->slot);
    *set = next;

    return LLM_OK;
}


/* the place of id, or the free one where it would go */

static int64_t *
llm_idset_slot(const llm_idset_t *set, int64_t id)
{
    size_t  i;

    /* ids are dense: a multiplication spreads their low bits */

    i = (size_t) (((uint64_t) id * 0x9e3779b97f4a7c15) >> 32) & set->mask;

    while (set->slot[i] != 0 && set->slot[i] != id) {
        i = (i + 1) & set->mask;
    }

    return &set->slot[i];
}
