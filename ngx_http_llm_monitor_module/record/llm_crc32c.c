
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_crc32c.h"


#if defined(__x86_64__)

static uint32_t llm_crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n);
static void llm_crc32c_pair_sse42(uint32_t *crc, uint64_t pos,
    const uint8_t *p, size_t n);
static uint64_t llm_crc32c_word(const uint8_t *p);

/* four words, of which a and b take turns; they may be the same */

#define llm_crc32c_words(a, b, p)                                             \
    do {                                                                      \
        a = __builtin_ia32_crc32di(a, llm_crc32c_word(p));                    \
        b = __builtin_ia32_crc32di(b, llm_crc32c_word((p) + 8));              \
        a = __builtin_ia32_crc32di(a, llm_crc32c_word((p) + 16));             \
        b = __builtin_ia32_crc32di(b, llm_crc32c_word((p) + 24));             \
    } while (0)

#define llm_crc32c_line(a, b, p)                                              \
    do {                                                                      \
        llm_crc32c_words(a, b, p);                                            \
        llm_crc32c_words(a, b, (p) + 32);                                     \
        llm_crc32c_words(a, b, (p) + 64);                                     \
        llm_crc32c_words(a, b, (p) + 96);                                     \
    } while (0)

#endif


/*
 * A CRC is linear, so the entry of a byte is the sum of the entries of its
 * bits, and eight constants make a table.  Table k is for the byte that k more
 * bytes of the same word follow.
 */

#define LLM_CRC_BIT(i, n, c)   (((i) >> (n) & 1) * (c))

#define LLM_CRC_1(i, a, b, c, d, e, f, g, h)                                  \
    LLM_CRC_BIT(i, 0, a) ^ LLM_CRC_BIT(i, 1, b) ^ LLM_CRC_BIT(i, 2, c)        \
    ^ LLM_CRC_BIT(i, 3, d) ^ LLM_CRC_BIT(i, 4, e) ^ LLM_CRC_BIT(i, 5, f)      \
    ^ LLM_CRC_BIT(i, 6, g) ^ LLM_CRC_BIT(i, 7, h)

#define LLM_CRC_4(i, ...)                                                     \
    LLM_CRC_1((i), __VA_ARGS__), LLM_CRC_1((i) + 1, __VA_ARGS__),             \
    LLM_CRC_1((i) + 2, __VA_ARGS__), LLM_CRC_1((i) + 3, __VA_ARGS__)

#define LLM_CRC_16(i, ...)                                                    \
    LLM_CRC_4((i), __VA_ARGS__), LLM_CRC_4((i) + 4, __VA_ARGS__),             \
    LLM_CRC_4((i) + 8, __VA_ARGS__), LLM_CRC_4((i) + 12, __VA_ARGS__)

#define LLM_CRC_64(i, ...)                                                    \
    LLM_CRC_16((i), __VA_ARGS__), LLM_CRC_16((i) + 16, __VA_ARGS__),          \
    LLM_CRC_16((i) + 32, __VA_ARGS__), LLM_CRC_16((i) + 48, __VA_ARGS__)

#define LLM_CRC_TABLE(...)                                                    \
    { LLM_CRC_64(0, __VA_ARGS__), LLM_CRC_64(64, __VA_ARGS__),                \
      LLM_CRC_64(128, __VA_ARGS__), LLM_CRC_64(192, __VA_ARGS__) }


static const uint32_t  llm_crc32c_tables[8][256] = {
    LLM_CRC_TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
                  0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    LLM_CRC_TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
                  0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    LLM_CRC_TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
                  0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    LLM_CRC_TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
                  0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    LLM_CRC_TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
                  0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    LLM_CRC_TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
                  0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    LLM_CRC_TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
                  0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    LLM_CRC_TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
                  0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664)
};


uint32_t
llm_crc32c(uint32_t crc, const uint8_t *p, size_t n)
{
#if defined(__x86_64__)

    if (__builtin_cpu_supports("sse4.2")) {
        return llm_crc32c_sse42(crc, p, n);
    }

#endif

    return llm_crc32c_table(crc, p, n);
}


#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t
llm_crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t        v;
    const uint8_t  *end;

    v = (uint32_t) ~crc;

    for (end = p + (n & ~(size_t) 127); p < end; p += 128) {
        llm_crc32c_line(v, v, p);
    }

    for (end = p + (n & 96); p < end; p += 32) {
        llm_crc32c_words(v, v, p);
    }

    for (end = p + (n & 24); p < end; p += 8) {
        v = __builtin_ia32_crc32di(v, llm_crc32c_word(p));
    }

    for (end = p + (n & 7); p < end; p++) {
        v = __builtin_ia32_crc32qi(v, *p);
    }

    return ~(uint32_t) v;
}


__attribute__((target("sse4.2"))) static void
llm_crc32c_pair_sse42(uint32_t *crc, uint64_t pos, const uint8_t *p, size_t n)
{
    int             lane;
    uint64_t        v[2], even, odd;
    const uint8_t  *end, *stop;

    v[0] = (uint32_t) ~crc[0];
    v[1] = (uint32_t) ~crc[1];
    lane = pos / 8 % 2;
    end = p + n;

    /* the rest of a word that began before, and the odd one after it */

    if (pos % 8 != 0) {

        for ( /* void */ ; p < end && pos % 8 != 0; pos++, p++) {
            v[lane] = __builtin_ia32_crc32qi(v[lane], *p);
        }

        lane ^= (pos % 8 == 0);
    }

    if (pos % 16 == 8 && end - p >= 8) {
        v[1] = __builtin_ia32_crc32di(v[1], llm_crc32c_word(p));
        p += 8;
        lane = 0;
    }

    if (end - p >= 16) {
        even = v[0];
        odd = v[1];

        for (stop = end - (end - p) % 128; p < stop; p += 128) {
            llm_crc32c_line(even, odd, p);
        }

        for ( /* void */ ; end - p >= 32; p += 32) {
            llm_crc32c_words(even, odd, p);
        }

        if (end - p >= 16) {
            even = __builtin_ia32_crc32di(even, llm_crc32c_word(p));
            odd = __builtin_ia32_crc32di(odd, llm_crc32c_word(p + 8));
            p += 16;
        }

        v[0] = even;
        v[1] = odd;
    }

    if (end - p >= 8) {
        v[0] = __builtin_ia32_crc32di(v[0], llm_crc32c_word(p));
        p += 8;
        lane = 1;
    }

    for ( /* void */ ; p < end; p++) {
        v[lane] = __builtin_ia32_crc32qi(v[lane], *p);
    }

    crc[0] = ~(uint32_t) v[0];
    crc[1] = ~(uint32_t) v[1];
}


static uint64_t
llm_crc32c_word(const uint8_t *p)
{
    uint64_t  word;

    memcpy(&word, p, sizeof(word));

    return word;
}

#endif


uint32_t
llm_crc32c_table(uint32_t crc, const uint8_t *p, size_t n)
{
    const uint8_t  *end;

    crc = ~crc;

    for (end = p + (n & ~(size_t) 7); p < end; p += 8) {
        crc ^= p[0] | p[1] << 8 | p[2] << 16 | (uint32_t) p[3] << 24;

        crc = llm_crc32c_tables[7][crc & 0xff]
              ^ llm_crc32c_tables[6][crc >> 8 & 0xff]
              ^ llm_crc32c_tables[5][crc >> 16 & 0xff]
              ^ llm_crc32c_tables[4][crc >> 24]
              ^ llm_crc32c_tables[3][p[4]]
              ^ llm_crc32c_tables[2][p[5]]
              ^ llm_crc32c_tables[1][p[6]]
              ^ llm_crc32c_tables[0][p[7]];
    }

    for (end = p + (n & 7); p < end; p++) {
        crc = crc >> 8 ^ llm_crc32c_tables[0][(crc ^ *p) & 0xff];
    }

    return ~crc;
}


void
llm_crc32c_pair(uint32_t *crc, uint64_t pos, const uint8_t *p, size_t n)
{
    size_t  size;

#if defined(__x86_64__)

    if (__builtin_cpu_supports("sse4.2")) {
        llm_crc32c_pair_sse42(crc, pos, p, n);
        return;
    }

#endif

    for ( /* void */ ; n > 0; n -= size) {

        /* up to the end of a word */

        size = 8 - pos % 8;
        size = size < n ? size : n;

        crc[pos / 8 % 2] = llm_crc32c_table(crc[pos / 8 % 2], p, size);

        pos += size;
        p += size;
    }
}
