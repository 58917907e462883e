
/*
 * Copyright (C) llm_monitor contributors
 *
 * Input of the fuzz targets: the first bytes choose options and pieces, the
 * rest is what is parsed.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../ngx_http_llm_monitor_module/record/llm.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static size_t  fuzz_allocs;    /* that succeed; SIZE_MAX: all */


static inline void *
fuzz_alloc(void *data, size_t size)
{
    if (fuzz_allocs == 0) {
        return NULL;
    }

    if (fuzz_allocs != SIZE_MAX) {
        fuzz_allocs--;
    }

    return malloc(size);
}


static inline void
fuzz_free(void *data, void *p)
{
    free(p);
}


static const llm_mem_t  fuzz_mem = { fuzz_alloc, fuzz_free, NULL };


/* A byte off the front, 0 when there is none. */

static inline uint8_t
fuzz_byte(const uint8_t **p, size_t *n)
{
    if (*n == 0) {
        return 0;
    }

    (*n)--;

    return *(*p)++;
}


/* An option that also says after how many allocations memory runs out. */

static inline uint8_t
fuzz_option(const uint8_t **p, size_t *n)
{
    uint8_t  c;

    c = fuzz_byte(p, n);
    fuzz_allocs = (c < 0xf0) ? SIZE_MAX : (size_t) (c - 0xf0);

    return c;
}


/*
 * The next piece in memory of its own, so that reading past it is seen; to be
 * freed.  step 0: all at once, 240 and more: sizes vary, each in its own way.
 */

static inline uint8_t *
fuzz_piece(const uint8_t **p, size_t *n, uint8_t step, size_t *size)
{
    uint8_t  *piece;

    *size = (step == 0) ? *n : (step < 240) ? step
            : 1 + (((uint32_t) *n * 2654435761u + step * 40503u) >> 16)
                  % (2u << (step & 7));

    if (*size > *n) {
        *size = *n;
    }

    piece = malloc(*size + !*size);
    memcpy(piece, *p, *size);

    *p += *size;
    *n -= *size;

    return piece;
}


#endif /* _FUZZ_H_INCLUDED_ */
