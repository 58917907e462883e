
/*
 * Copyright (C) llm_monitor contributors
 */


#define _GNU_SOURCE

#include <time.h>

#include "llm_clock.h"


void
llm_clock_init(llm_clock_t *c, int64_t ms, int64_t boot_ms)
{
    c->ms = ms;
    c->boot_ms = boot_ms;
    c->behind = 0;
}


int64_t
llm_clock_now(llm_clock_t *c, int64_t wall_ms, int64_t boot_ms)
{
    int64_t  passed;

    passed = boot_ms > c->boot_ms ? boot_ms - c->boot_ms : 0;

    c->boot_ms = boot_ms;
    c->ms += passed;

    c->behind = wall_ms > c->ms && wall_ms - c->ms > LLM_CLOCK_LEAP_MS;

    if (c->behind) {
        c->ms += passed * (LLM_CLOCK_FACTOR - 1);
    }

    if (!c->behind || c->ms >= wall_ms) {
        c->ms = wall_ms;
        c->behind = 0;
    }

    return c->ms;
}


int64_t
llm_boot_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_BOOTTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
