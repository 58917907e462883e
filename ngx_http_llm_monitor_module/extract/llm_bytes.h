
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


#define LLM_BYTES_NEAR   48      /* from here on memchr() is cheaper */


/* The first quote, escaped or not, or NULL; it is expected to be near. */

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


/* The same for values, of which many are a little longer. */

static inline const uint8_t *
llm_bytes_value(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    int             found;
    __m128i         v;
    const uint8_t  *near;

    if (end - p >= LLM_BYTES_NEAR) {
        near = p + LLM_BYTES_NEAR;

        do {
            v = _mm_loadu_si128((const __m128i *) p);
            found = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));

            if (found != 0) {
                return p + __builtin_ctz(found);
            }

            p += 16;

        } while (p != near);
    }
#endif

    return memchr(p, '"', end - p);
}


/*
 * The first quote, backslash or control character, or end.  Sixteen bytes
 * before p must be readable, as for the next one: the last step of both looks
 * at the sixteen bytes before end.
 */

static inline const uint8_t *
llm_bytes_special(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    int      found, over;
    __m128i  v, special, control;

    control = _mm_set1_epi8(0x1f);

    for ( /* void */ ; p < end; p += 16) {
        over = end - p < 16 ? 16 - (int) (end - p) : 0;
        v = _mm_loadu_si128((const __m128i *) (p - over));

        special = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(v, _mm_min_epu8(v, control)));

        found = _mm_movemask_epi8(special) >> over;

        if (found != 0) {
            return p + __builtin_ctz(found);
        }
    }

    return end;
#else

    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }

    return p;
#endif
}


/* Behind the digits, points, signs and e's that p begins with. */

static inline const uint8_t *
llm_bytes_number(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    int      other, over;
    __m128i  v, w, number;

    /* '+' to '9' are those, and a comma and a slash */

    for ( /* void */ ; p < end; p += 16) {
        over = end - p < 16 ? 16 - (int) (end - p) : 0;
        v = _mm_loadu_si128((const __m128i *) (p - over));

        w = _mm_sub_epi8(v, _mm_set1_epi8('+'));
        number = _mm_cmpeq_epi8(w, _mm_min_epu8(w, _mm_set1_epi8('9' - '+')));
        number = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')),
                                  number);
        v = _mm_or_si128(v, _mm_set1_epi8(0x20));
        number = _mm_or_si128(number, _mm_cmpeq_epi8(v, _mm_set1_epi8('e')));

        other = (_mm_movemask_epi8(number) ^ 0xffff) >> over;

        if (other != 0) {
            return p + __builtin_ctz(other);
        }
    }

    return end;
#else

    while (p < end
           && ((*p >= '+' && *p <= '9' && *p != ',') || (*p | 0x20) == 'e'))
    {
        p++;
    }

    return p;
#endif
}


/* 1 if all bytes are printable ASCII, and neither a quote nor a backslash */

static inline int
llm_bytes_plain(const uint8_t *p, size_t n)
{
    size_t  i;

#if defined(__SSE2__)
    __m128i  v, good, bad;

    for (i = 0; n >= 8 && i < n; i += 16) {

        /* the last ones overlap those before */

        if (n < 16) {
            v = _mm_unpacklo_epi64(
                    _mm_loadl_epi64((const __m128i *) p),
                    _mm_loadl_epi64((const __m128i *) (p + n - 8)));

        } else {
            i = i > n - 16 ? n - 16 : i;
            v = _mm_loadu_si128((const __m128i *) (p + i));
        }

        /* as signed numbers, bytes from 0x80 on are below zero */

        good = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(0x1f)),
                             _mm_cmplt_epi8(v, _mm_set1_epi8(0x7f)));
        bad = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                           _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

        if (_mm_movemask_epi8(_mm_andnot_si128(bad, good)) != 0xffff) {
            return 0;
        }
    }

    if (n >= 8) {
        return 1;
    }
#endif

    for (i = 0; i < n; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\') {
            return 0;
        }
    }

    return 1;
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


/* The same where some tens of bytes are usual. */

static inline int
llm_bytes_equal(const void *one, const void *other, size_t n)
{
#if defined(__SSE2__)
    __m128i      x, y;
    const char  *a = one, *b = other;

    if (n > 16 && n <= 32) {
        x = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) a),
                           _mm_loadu_si128((const __m128i *) b));
        y = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *) (a + n - 16)),
                           _mm_loadu_si128((const __m128i *) (b + n - 16)));

        return _mm_movemask_epi8(_mm_and_si128(x, y)) == 0xffff;
    }
#endif

    return llm_bytes_same(one, other, n);
}


#endif /* _LLM_BYTES_H_INCLUDED_ */
