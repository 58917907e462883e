
/*
 * Copyright (C) llm_monitor contributors
 *
 * How a parser test cuts its input: mode 1..31 gives pieces of that size, a
 * higher one random pieces, and 0 the whole.
 */


#ifndef _SPLIT_H_INCLUDED_
#define _SPLIT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define SPLIT_MODES  48


typedef struct {
    int          mode;
    uint32_t     seed;
} split_t;


static inline void
split_init(split_t *s, int mode)
{
    s->mode = mode;
    s->seed = 0x9e3779b9u * (uint32_t) (mode + 1);
}


/* The size of the next piece when left bytes, not 0, are to come. */

static inline size_t
split_next(split_t *s, size_t left)
{
    size_t  n;

    if (s->mode == 0) {
        return left;
    }

    if (s->mode < 32) {
        n = (size_t) s->mode;

    } else {
        s->seed ^= s->seed << 13;
        s->seed ^= s->seed >> 17;
        s->seed ^= s->seed << 5;

        n = 1 + (s->seed % ((s->seed & 0x100) ? 7 : 201));
    }

    return (n < left) ? n : left;
}


#endif /* _SPLIT_H_INCLUDED_ */
