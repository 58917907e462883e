
/*
 * Copyright (C) llm_monitor contributors
 *
 * The clock that ages are counted from.  The system's time may jump, by a
 * wrong battery clock or a wrong hand, and what was deleted because of it does
 * not come back.  So this clock never runs ahead of the system's, goes as fast
 * as time does, follows a leap of up to an hour at once, and a greater one by
 * a day an hour: time enough to see that something is wrong.
 */


#ifndef _LLM_CLOCK_H_INCLUDED_
#define _LLM_CLOCK_H_INCLUDED_


#include "../record/llm.h"


#define LLM_CLOCK_LEAP_MS   3600000      /* believed at once */
#define LLM_CLOCK_FACTOR    24           /* how fast a greater one is made up */

typedef struct {
    int64_t      ms;                     /* since 1970 */
    int64_t      boot_ms;                /* when it was that */
    int          behind;                 /* 1: a leap is being made up */
} llm_clock_t;


/* ms: what is known to have been, e.g. when the newest row was written. */
void llm_clock_init(llm_clock_t *c, int64_t ms, int64_t boot_ms);

/* What time it is, by the system's time and the time since the boot, in ms. */
int64_t llm_clock_now(llm_clock_t *c, int64_t wall_ms, int64_t boot_ms);

/* Milliseconds since the boot, those of a suspended machine included. */
int64_t llm_boot_ms(void);


#endif /* _LLM_CLOCK_H_INCLUDED_ */
