
/*
 * Copyright (C) llm_monitor contributors
 */


#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "llm_value.h"


#define LLM_VALUE_NUMBER   64     /* bytes of a number that is read */
#define LLM_VALUE_DIGITS   16     /* of one that is read without a double */
#define LLM_VALUE_EXACT    9007199254740992    /* 2^53 */
#define LLM_VALUE_COST     1e9    /* dollars; a greater price is none */


static const uint8_t *llm_value_unicode(const uint8_t *p, const uint8_t *end,
    uint32_t *c);
static int llm_value_hex4(const uint8_t *p, const uint8_t *end, uint32_t *c);
static uint8_t *llm_value_utf8(uint8_t *dst, uint32_t c);
static double llm_value_double(const uint8_t *p, size_t n);


size_t
llm_value_string(uint8_t *dst, const uint8_t *p, size_t n)
{
    char            *found;
    uint8_t         *d;
    uint32_t         c;
    const uint8_t   *q, *end;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  meanings[] = "\"\\/\b\f\n\r\t";

    d = dst;
    end = p + n;

    while (p < end) {

        q = memchr(p, '\\', end - p);

        if (q == NULL) {
            q = end;
        }

        memmove(d, p, q - p);
        d += q - p;
        p = q + 1;

        if (p >= end) {
            break;
        }

        if (*p == 'u') {
            p = llm_value_unicode(p + 1, end, &c);
            d = llm_value_utf8(d, c);
            continue;
        }

        found = *p ? strchr(escapes, *p) : NULL;

        if (found != NULL) {
            *d++ = (uint8_t) meanings[found - escapes];
        }

        p++;
    }

    return d - dst;
}


/* the digits after \u, and the second half of a pair; c is 0 for a cut one */

static const uint8_t *
llm_value_unicode(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    uint32_t  low;

    if (!llm_value_hex4(p, end, c)) {
        *c = 0;
        return p;
    }

    p += 4;

    if (*c < 0xd800 || *c > 0xdfff) {
        return p;
    }

    if (*c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u'
        && llm_value_hex4(p + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff)
    {
        *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
        return p + 6;
    }

    *c = 0xfffd;

    return p;
}


static int
llm_value_hex4(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    int      i;
    uint8_t  ch;

    if (end - p < 4) {
        return 0;
    }

    for (*c = 0, i = 0; i < 4; i++) {
        ch = p[i];

        if (ch >= '0' && ch <= '9') {
            ch -= '0';

        } else {
            ch |= 0x20;

            if (ch < 'a' || ch > 'f') {
                return 0;
            }

            ch -= 'a' - 10;
        }

        *c = (*c << 4) + ch;
    }

    return 1;
}


static uint8_t *
llm_value_utf8(uint8_t *d, uint32_t c)
{
    if (c == 0) {
        return d;
    }

    if (c < 0x80) {
        *d++ = (uint8_t) c;

    } else if (c < 0x800) {
        *d++ = (uint8_t) (0xc0 | (c >> 6));
        *d++ = (uint8_t) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        *d++ = (uint8_t) (0xe0 | (c >> 12));
        *d++ = (uint8_t) (0x80 | ((c >> 6) & 0x3f));
        *d++ = (uint8_t) (0x80 | (c & 0x3f));

    } else {
        *d++ = (uint8_t) (0xf0 | (c >> 18));
        *d++ = (uint8_t) (0x80 | ((c >> 12) & 0x3f));
        *d++ = (uint8_t) (0x80 | ((c >> 6) & 0x3f));
        *d++ = (uint8_t) (0x80 | (c & 0x3f));
    }

    return d;
}


int64_t
llm_value_count(const uint8_t *p, size_t n)
{
    size_t    i, digits;
    double    d;
    int64_t   v;
    unsigned  digit;

    digits = n <= LLM_VALUE_DIGITS ? n : 0;

    for (v = 0, i = 0; i < digits; i++) {
        digit = p[i] - (unsigned) '0';

        if (digit > 9) {
            break;
        }

        v = v * 10 + digit;
    }

    if (i == n && n != 0) {
        return v <= LLM_VALUE_EXACT ? v : LLM_NULL;
    }

    d = llm_value_double(p, n);

    if (!(d >= 0 && d <= (double) LLM_VALUE_EXACT) || d != floor(d)) {
        return LLM_NULL;
    }

    return (int64_t) d;
}


int64_t
llm_value_nano(const uint8_t *p, size_t n)
{
    double  d;

    d = llm_value_double(p, n);

    if (!(d >= 0 && d <= LLM_VALUE_COST)) {
        return LLM_NULL;
    }

    return (int64_t) llround(d * 1e9);
}


/* NaN for what is no number of JSON */

static double
llm_value_double(const uint8_t *p, size_t n)
{
    char     buf[LLM_VALUE_NUMBER + 1], *end;
    double   d;

    if (n == 0 || n > LLM_VALUE_NUMBER) {
        return NAN;
    }

    memcpy(buf, p, n);
    buf[n] = '\0';

    /* strtod() also takes hexadecimal numbers, "inf" and "nan" */

    if (strspn(buf, "0123456789+-.eE") != n) {
        return NAN;
    }

    d = strtod(buf, &end);

    return end == buf + n ? d : NAN;
}
