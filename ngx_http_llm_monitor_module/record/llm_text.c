
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "llm_text.h"


static int llm_utf8_shape(uint8_t c, uint8_t *lo, uint8_t *hi);
static int llm_text_lower_char(int c);
static int llm_text_same(const uint8_t *p, const char *text, size_t n);


/*
 * Bytes that follow the first byte c of a character, and the range of the
 * first of them (RFC 3629, section 4); -1: c begins none.
 */

static int
llm_utf8_shape(uint8_t c, uint8_t *lo, uint8_t *hi)
{
    *lo = 0x80;
    *hi = 0xbf;

    if (c < 0xc2 || c > 0xf4) {
        return -1;
    }

    if (c < 0xe0) {
        return 1;
    }

    switch (c) {

    case 0xe0:
        *lo = 0xa0;
        return 2;

    case 0xed:
        *hi = 0x9f;
        return 2;

    case 0xf0:
        *lo = 0x90;
        return 3;

    case 0xf4:
        *hi = 0x8f;
        return 3;
    }

    return c < 0xf0 ? 2 : 3;
}


int
llm_utf8_decode(const uint8_t *p, size_t n, uint32_t *c)
{
    int       i, more;
    uint8_t   lo, hi;
    uint32_t  v;

    if (p[0] < 0x80) {
        v = p[0];
        more = 0;
        goto done;
    }

    more = llm_utf8_shape(p[0], &lo, &hi);

    if (more == -1) {
        return -1;
    }

    v = p[0] & (0x3f >> more);

    for (i = 1; i <= more; i++) {

        if ((size_t) i == n) {
            return 0;
        }

        if (p[i] < lo || p[i] > hi) {
            return -i;
        }

        v = v << 6 | (p[i] & 0x3f);
        lo = 0x80;
        hi = 0xbf;
    }

done:

    if (c != NULL) {
        *c = v;
    }

    return more + 1;
}


int
llm_utf8_valid(const uint8_t *p, size_t n)
{
    llm_utf8_t  u;

    u.n = 0;

    return llm_utf8_more(&u, p, n) && u.n == 0;
}


int
llm_utf8_more(llm_utf8_t *u, const uint8_t *p, size_t n)
{
    int             len;
    const uint8_t  *end;

    end = p + n;

    while (u->n != 0 && p < end) {
        u->byte[u->n++] = *p++;
        len = llm_utf8_decode(u->byte, u->n, NULL);

        if (len < 0) {
            return 0;
        }

        if (len > 0) {
            u->n = 0;
        }
    }

    while (p < end) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        len = llm_utf8_decode(p, end - p, NULL);

        if (len < 0) {
            return 0;
        }

        if (len == 0) {
            u->n = (uint8_t) (end - p);
            memcpy(u->byte, p, u->n);
            return 1;
        }

        p += len;
    }

    return 1;
}


size_t
llm_utf8_cut(const uint8_t *p, size_t n, size_t max)
{
    size_t  i, back;

    if (n <= max) {
        return n;
    }

    /* the last first byte within max; a longer tail is no UTF-8 anyway */

    for (back = 1; back <= 4 && back <= max; back++) {
        i = max - back;

        if ((p[i] & 0xc0) == 0x80) {
            continue;
        }

        if (p[i] >= 0xc0 && llm_utf8_decode(p + i, back, NULL) == 0) {
            return i;
        }

        break;
    }

    return max;
}


size_t
llm_text_scrub(uint8_t *dst, size_t max, const uint8_t *p, size_t n)
{
    int             len;
    size_t          size;
    uint8_t        *d;
    uint32_t        c;
    const uint8_t  *end, *src;

    d = dst;
    end = p + n;

    while (p < end) {

        len = llm_utf8_decode(p, end - p, &c);

        if (len > 0) {
            src = p;
            size = len;
            p += len;

            if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
                continue;
            }

        } else {
            src = (const uint8_t *) "\xef\xbf\xbd";
            size = 3;
            p = len == 0 ? end : p - len;
        }

        if (size > max) {
            break;
        }

        memcpy(d, src, size);
        d += size;
        max -= size;
    }

    return d - dst;
}


int
llm_text_equal(const llm_str_t *s, const char *text)
{
    return s->data != NULL && strlen(text) == s->len
           && memcmp(s->data, text, s->len) == 0;
}


int
llm_text_equal_nocase(const llm_str_t *s, const char *text)
{
    return s->data != NULL && strlen(text) == s->len
           && llm_text_same(s->data, text, s->len);
}


int
llm_text_begins_nocase(const llm_str_t *s, const char *text)
{
    size_t  n;

    n = strlen(text);

    /* nearly all that is asked for comes in this case */

    return s->data != NULL && s->len >= n
           && (memcmp(s->data, text, n) == 0
               || llm_text_same(s->data, text, n));
}


const uint8_t *
llm_text_find_nocase(const llm_str_t *s, const char *text)
{
    size_t          n;
    const uint8_t  *p, *last;

    n = strlen(text);

    if (s->data == NULL || s->len < n) {
        return NULL;
    }

    last = s->data + (s->len - n);

    for (p = s->data; p <= last; p++) {
        if (llm_text_same(p, text, n)) {
            return p;
        }
    }

    return NULL;
}


static int
llm_text_same(const uint8_t *p, const char *text, size_t n)
{
    size_t   i;
    uint8_t  c;

    for (i = 0; i < n; i++) {
        c = text[i];

        if (p[i] != c && llm_text_lower_char(p[i]) != llm_text_lower_char(c)) {
            return 0;
        }
    }

    return 1;
}


static int
llm_text_lower_char(int c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}


void
llm_text_lower(uint8_t *dst, const uint8_t *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        dst[i] = llm_text_lower_char(p[i]);
    }
}


void
llm_text_hex(uint8_t *dst, const uint8_t *p, size_t n)
{
    static const char  digits[] = "0123456789abcdef";

#if defined(__SSE2__)
    __m128i  v, high, low, letter;

    for ( /* void */ ; n >= 8; n -= 8) {
        v = _mm_loadl_epi64((const __m128i *) p);

        low = _mm_and_si128(v, _mm_set1_epi8(0x0f));
        high = _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0f));
        v = _mm_unpacklo_epi8(high, low);

        letter = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(9)),
                               _mm_set1_epi8('a' - '9' - 1));
        v = _mm_add_epi8(_mm_add_epi8(v, _mm_set1_epi8('0')), letter);

        _mm_storeu_si128((__m128i *) dst, v);

        dst += 16;
        p += 8;
    }
#endif

    for ( /* void */ ; n > 0; n--, p++) {
        *dst++ = digits[*p >> 4];
        *dst++ = digits[*p & 0xf];
    }
}


uint8_t *
llm_text_label(uint8_t *dst, const uint8_t *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (p[i] == '"' || p[i] == '\\') {
            *dst++ = '\\';
        }

        *dst++ = p[i];
    }

    return dst;
}


int
llm_text_unhex(const uint8_t *p, size_t n, uint64_t *v)
{
    size_t   i;
    uint8_t  c;

    *v = 0;

    for (i = 0; i < n; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (uint8_t) ((c | 0x20) - 'a' + 10);

        } else {
            return LLM_ERROR;
        }

        *v = *v << 4 | c;
    }

    return LLM_OK;
}


int
llm_text_number(const llm_str_t *s, int64_t *v)
{
    int      digit;
    size_t   i;
    int64_t  value;

    if (s->data == NULL || s->len == 0) {
        return LLM_ERROR;
    }

    value = 0;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] < '0' || s->data[i] > '9') {
            return LLM_ERROR;
        }

        digit = s->data[i] - '0';

        if (value > (INT64_MAX - digit) / 10) {
            return LLM_ERROR;
        }

        value = value * 10 + digit;
    }

    *v = value;

    return LLM_OK;
}
