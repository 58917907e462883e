
/*
 * Copyright (C) llm_monitor contributors
 *
 * Looks at several bytes at once.  What is looked for in JSON is mostly only a
 * few bytes away, where a call of memchr() or memcmp() costs more than its
 * work.
 */


#ifndef _LLM_BYTES_H_INCLUDED_
#define _LLM_BYTES_H_INCLUDED_


#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "../record/llm.h"


/* The first quote, escaped or not, or NULL. */

static inline const uint8_t *
llm_bytes_quote(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    int      found;
    __m128i  v;

    if (end - p >= 16) {
        v = _mm_loadu_si128((const __m128i *) p);
        found = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));

        if (found != 0) {
            return p + __builtin_ctz(found);
        }

        p += 16;
    }
#endif

    return memchr(p, '"', end - p);
}


/* The first quote, backslash or control character, or end. */

static inline const uint8_t *
llm_bytes_special(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    int      found;
    __m128i  v, special, control;

    control = _mm_set1_epi8(0x1f);

    for ( /* void */ ; end - p >= 16; p += 16) {
        v = _mm_loadu_si128((const __m128i *) p);

        special = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(v, _mm_min_epu8(v, control)));

        found = _mm_movemask_epi8(special);

        if (found != 0) {
            return p + __builtin_ctz(found);
        }
    }
#endif

    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }

    return p;
}


/* 1 if the eight bytes at p are digits: 0x30 to 0x39, also with 6 added */

static inline int
llm_bytes_digits(const uint8_t *p)
{
    uint64_t  w;

    memcpy(&w, p, 8);

    return ((w & 0xf0f0f0f0f0f0f0f0ULL)
            | ((w + 0x0606060606060606ULL) & 0xf0f0f0f0f0f0f0f0ULL))
           == 0x3030303030303030ULL;
}


/* 1 if n bytes are the same; both are read within their n bytes only. */

static inline int
llm_bytes_same(const void *one, const void *other, size_t n)
{
    uint32_t     a4, b4, c4, d4;
    uint64_t     a8, b8, c8, d8;
    const char  *a = one, *b = other;

    /* two loads that overlap cover any length between one and two of them */

    if (n > 16 || n < 4) {
        return memcmp(a, b, n) == 0;
    }

    if (n < 8) {
        memcpy(&a4, a, 4);
        memcpy(&b4, b, 4);
        memcpy(&c4, a + n - 4, 4);
        memcpy(&d4, b + n - 4, 4);

        return ((a4 ^ b4) | (c4 ^ d4)) == 0;
    }

    memcpy(&a8, a, 8);
    memcpy(&b8, b, 8);
    memcpy(&c8, a + n - 8, 8);
    memcpy(&d8, b + n - 8, 8);

    return ((a8 ^ b8) | (c8 ^ d8)) == 0;
}


#endif /* _LLM_BYTES_H_INCLUDED_ */
