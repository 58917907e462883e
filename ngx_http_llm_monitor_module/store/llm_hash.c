
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "llm_hash.h"


#define LLM_HASH_ODD  0x9e3779b97f4a7c15ULL    /* 2^64 / golden ratio */


static uint64_t llm_hash_fold(uint64_t a, uint64_t b);


uint64_t
llm_hash(uint64_t seed, const void *p, size_t n)
{
    uint64_t        h, word;
    const uint8_t  *data;

    data = p;
    h = llm_hash_fold(seed ^ n, LLM_HASH_ODD);

    while (n >= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        h = llm_hash_fold(h ^ word, seed | 1);
        data += sizeof(word);
        n -= sizeof(word);
    }

    if (n > 0) {
        word = 0;
        memcpy(&word, data, n);
        h = llm_hash_fold(h ^ word, seed | 1);
    }

    return llm_hash_fold(h, LLM_HASH_ODD);
}


static uint64_t
llm_hash_fold(uint64_t a, uint64_t b)
{
    __uint128_t  product;

    product = (__uint128_t) a * b;

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}


uint64_t
llm_hash_seed(void)
{
    uint64_t         seed;
    struct timespec  ts;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed)) {
        return seed;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (uint64_t) ts.tv_sec * LLM_HASH_ODD ^ (uint64_t) ts.tv_nsec;
}
