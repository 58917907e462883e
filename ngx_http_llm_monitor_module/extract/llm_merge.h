
/*
 * Copyright (C) llm_monitor contributors
 *
 * Two usage objects of one exchange as one, the way llm_usage_merge() makes
 * one of their numbers, so that whoever reads the text can count again.
 */


#ifndef _LLM_MERGE_H_INCLUDED_
#define _LLM_MERGE_H_INCLUDED_


#include "../record/llm.h"


#define LLM_MERGE_KEYS   32      /* members of an object that is merged */


/*
 * Writes the JSON object `old` into dst with the members that `add` has in
 * their place or, new ones, behind the others; the values stay as they were
 * sent.  null, and a 0 for anything but the output, replace nothing.  Returns
 * the length; 0 if either is no object of at most LLM_MERGE_KEYS members or
 * the result has more than cap bytes.
 */
size_t llm_merge(uint8_t *dst, size_t cap, const llm_str_t *old,
    const llm_str_t *add);


#endif /* _LLM_MERGE_H_INCLUDED_ */
