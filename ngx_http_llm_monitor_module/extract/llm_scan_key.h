
/*
 * Copyright (C) llm_monitor contributors
 *
 * Finds names of members in the table of their object.  The keys are looked
 * through from the one found last on, for tables and documents have them in
 * about the same order.
 */


#ifndef _LLM_SCAN_KEY_H_INCLUDED_
#define _LLM_SCAN_KEY_H_INCLUDED_


#include "llm_bytes.h"
#include "llm_scan.h"


/* The one of n bytes at p, without quotes but with its escapes, or NULL. */
const llm_key_t *llm_scan_key(llm_scan_level_t *level, const uint8_t *p,
    size_t n);


/*
 * Behind the colon of the next key of the table, if that is what p begins with
 * and two bytes more are there, else NULL.
 */

static inline const uint8_t *
llm_scan_key_next(llm_scan_level_t *level, const llm_key_t **key,
    const uint8_t *p, const uint8_t *end)
{
    size_t            n;
    const llm_key_t  *next;

    next = level->key->keys;

    if (next == NULL) {
        return NULL;
    }

    next += level->next;
    n = next->len + 3;

    if ((size_t) (end - p) < n + 2 || !llm_bytes_equal(next->text, p, n)) {
        return NULL;
    }

    level->next++;
    *key = next;

    return p + n;
}


#endif /* _LLM_SCAN_KEY_H_INCLUDED_ */
