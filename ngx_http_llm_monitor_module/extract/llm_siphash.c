
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_siphash.h"


#define llm_rotl(x, b)   (((x) << (b)) | ((x) >> (64 - (b))))

#define llm_sipround(v)                                                       \
    do {                                                                      \
        v[0] += v[1]; v[1] = llm_rotl(v[1], 13); v[1] ^= v[0];                \
        v[0] = llm_rotl(v[0], 32);                                            \
        v[2] += v[3]; v[3] = llm_rotl(v[3], 16); v[3] ^= v[2];                \
        v[0] += v[3]; v[3] = llm_rotl(v[3], 21); v[3] ^= v[0];                \
        v[2] += v[1]; v[1] = llm_rotl(v[1], 17); v[1] ^= v[2];                \
        v[2] = llm_rotl(v[2], 32);                                            \
    } while (0)


static uint64_t llm_siphash_load(const uint8_t *p);


uint64_t
llm_siphash(const uint8_t *key, const uint8_t *p, size_t n)
{
    size_t    i, rest;
    uint64_t  v[4], m, k0, k1;

    k0 = llm_siphash_load(key);
    k1 = llm_siphash_load(key + 8);

    v[0] = k0 ^ 0x736f6d6570736575ULL;
    v[1] = k1 ^ 0x646f72616e646f6dULL;
    v[2] = k0 ^ 0x6c7967656e657261ULL;
    v[3] = k1 ^ 0x7465646279746573ULL;

    rest = n & 7;

    for (i = 0; i + 8 <= n; i += 8) {
        m = llm_siphash_load(p + i);
        v[3] ^= m;
        llm_sipround(v);
        llm_sipround(v);
        v[0] ^= m;
    }

    m = (uint64_t) n << 56;

    if (rest > 0 && n > 8) {

        /* the last word overlaps the one before, whose bytes go */

        m |= llm_siphash_load(p + n - 8) >> (64 - 8 * rest);
        rest = 0;
    }

    while (rest > 0) {
        rest--;
        m |= (uint64_t) p[i + rest] << (8 * rest);
    }

    v[3] ^= m;
    llm_sipround(v);
    llm_sipround(v);
    v[0] ^= m;

    v[2] ^= 0xff;
    llm_sipround(v);
    llm_sipround(v);
    llm_sipround(v);
    llm_sipround(v);

    return v[0] ^ v[1] ^ v[2] ^ v[3];
}


/* little endian, whatever the machine is */

static uint64_t
llm_siphash_load(const uint8_t *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8 | (uint64_t) p[2] << 16
           | (uint64_t) p[3] << 24 | (uint64_t) p[4] << 32
           | (uint64_t) p[5] << 40 | (uint64_t) p[6] << 48
           | (uint64_t) p[7] << 56;
}
