
/*
 * Copyright (C) llm_monitor contributors
 *
 * The events of a stream are nearly all the same: they differ in the text that
 * was generated, and at most in a number or a random string that nobody asks
 * for.  Once such an event has been read in full, the next ones are compared
 * with it instead, some ten times faster.  This is no guess: what differs may
 * only be inside of values that had no effect, so an equal event says nothing
 * that is not known already.
 */


#ifndef _LLM_REPEAT_H_INCLUDED_
#define _LLM_REPEAT_H_INCLUDED_


#include "llm_scan.h"


#define LLM_REPEAT_MAX   1024    /* bytes of an event that is learnt */

typedef struct {
    uint16_t           at;
    uint16_t           len;
    uint8_t            text;
    uint8_t            number;
    uint8_t            varies;
    uint8_t            next;     /* the next one that varies */
} llm_repeat_hole_t;

typedef struct {
    uint16_t           len;      /* 0: nothing was learnt */
    uint16_t           cap;
    uint8_t            nholes;
    uint8_t            first;    /* that varies, or nholes */
    llm_repeat_hole_t  hole[LLM_SCAN_HOLES];
    uint8_t            text[];
} llm_repeat_t;


/*
 * p, n is a whole event that had no effect but text; holes are the values in
 * it that no table asks for.  *r is what was learnt before, or NULL, and is
 * replaced where the event is longer; without memory nothing is learnt.
 */
void llm_repeat_learn(llm_repeat_t **r, const llm_mem_t *mem,
    const uint8_t *p, size_t n, const llm_scan_holes_t *holes);

/*
 * The place behind the event at p if it is the learnt one again; text grows by
 * the length of its generated text.  NULL: it is not, or not all is there.
 */
const uint8_t *llm_repeat_match(const llm_repeat_t *r, const uint8_t *p,
    const uint8_t *end, int64_t *text);


#endif /* _LLM_REPEAT_H_INCLUDED_ */
