
/*
 * Copyright (C) llm_monitor contributors
 *
 * Histograms of the ledger: every bucket, quantiles against the exact ones of
 * the same samples, sums over many histograms, and bytes that are none.
 */


#include <math.h>
#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_hist.h"


#define SAMPLES  20000
#define PARTS    128


static int64_t  sample[SAMPLES];


static double
uniform(void)
{
    return (random() + 1.0) / (RAND_MAX + 2.0);
}


static double
normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}


/* durations in us as they come from each kind of traffic */

static int64_t
draw(int kind)
{
    switch (kind) {

    case 0: /* all alike */
        return 1234567;

    case 1:
        return 1000 + (int64_t) (uniform() * 1e6);

    case 2: /* as most services are */
        return (int64_t) exp(13 + 1.2 * normal());

    case 3: /* bimodal: a cache and a model that thinks */
        return uniform() < 0.7 ? (int64_t) (2000 + 200 * fabs(normal()))
                               : (int64_t) (45e6 + 2e6 * normal());

    case 4: /* heavy-tailed (Pareto, alpha 0.8), hours now and then */
        return (int64_t) (50000 / pow(uniform(), 1 / 0.8));

    default: /* some microseconds: refused at once */
        return 1 + random() % 60;
    }
}


static int
compare(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}


static void
buckets(void)
{
    int      i, last, good;
    double   error, worst;
    int64_t  us;

    good = 1;
    last = 0;
    worst = 0;

    for (us = 0; us < LLM_HIST_MAX_US; us += us < 100000 ? 1 : us / 997) {
        i = llm_hist_bucket(us);
        good &= i >= last && i <= last + 1 && i < LLM_HIST_BUCKETS;
        last = i;

        error = us == 0 ? llm_hist_middle(i)
                        : fabs((double) (llm_hist_middle(i) - us)) / us;

        worst = error > worst ? error : worst;
    }

    ok(good, "buckets follow one another without a gap");
    ok(worst <= 1.0 / 64, "no value is off by more than 1/64: %.4f", worst);

    ok(llm_hist_bucket(LLM_HIST_MAX_US) == LLM_HIST_BUCKETS - 1,
       "24 hours are the last bucket");
    ok(llm_hist_bucket(INT64_MAX) == LLM_HIST_BUCKETS - 1
       && llm_hist_bucket(-5) == 0 && llm_hist_bucket(LLM_NULL) == 0,
       "what is out of range is in the first or last bucket");
}


static void
quantiles(int kind, int n, int parts)
{
    int                    i, q;
    double                 worst, error;
    size_t                 bytes, len;
    int64_t                exact;
    uint8_t                packed[LLM_HIST_PACKED];
    llm_hist_t             part[PARTS];
    static llm_hist_sum_t  sum;

    static const int  permille[] = { 1, 10, 250, 500, 900, 950, 990, 999 };

    memset(part, 0, sizeof(part));
    llm_hist_clear(&sum);
    bytes = 0;

    for (i = 0; i < n; i++) {
        sample[i] = draw(kind);

        if (sample[i] > LLM_HIST_MAX_US) {
            sample[i] = LLM_HIST_MAX_US;
        }

        llm_hist_add(&part[i % parts], llm_hist_bucket(sample[i]), 1, &bytes);
    }

    for (i = 0; i < parts; i++) {
        len = llm_hist_pack(&part[i], packed);
        llm_hist_merge(&sum, packed, len);
        llm_hist_free(&part[i]);
    }

    qsort(sample, n, sizeof(int64_t), compare);

    worst = 0;

    for (q = 0; q < (int) (sizeof(permille) / sizeof(int)); q++) {
        exact = sample[(n * permille[q] + 999) / 1000 - 1];
        error = fabs((double) (llm_hist_quantile(&sum, permille[q]) - exact))
                / exact;
        worst = error > worst ? error : worst;
    }

    ok(sum.total == (uint64_t) n && worst <= 0.02,
       "kind %d, %d samples in %d parts: quantiles within 2 %%: %.2f %%,"
       " %zu bytes in memory", kind, n, parts, worst * 100, bytes);
}


static void
forms(void)
{
    int                    i, same;
    size_t                 bytes, len, again;
    uint8_t                packed[LLM_HIST_PACKED], other[LLM_HIST_PACKED];
    llm_hist_t             h, back;
    static llm_hist_sum_t  sum;

    memset(&h, 0, sizeof(h));
    memset(&back, 0, sizeof(back));
    bytes = 0;

    ok(llm_hist_pack(&h, packed) == 1, "an empty one is a byte");
    ok(llm_hist_unpack(&back, packed, 1, &bytes) == LLM_OK && back.n == 0
       && bytes == 0, "and comes back empty, without memory");
    ok(llm_hist_quantile(&sum, 500) == LLM_NULL, "it has no quantile");

    for (i = 0; i < 3000; i++) {
        llm_hist_add(&h, llm_hist_bucket(draw(2)), 1, &bytes);
    }

    len = llm_hist_pack(&h, packed);
    ok(llm_hist_unpack(&back, packed, len, &bytes) == LLM_OK,
       "%zu bytes of 3000 samples are read back", len);

    again = llm_hist_pack(&back, other);
    same = again == len && memcmp(packed, other, len) == 0;
    ok(same, "the same as they were written");

    llm_hist_free(&h);
    llm_hist_free(&back);

    for (i = 0; i < LLM_HIST_BUCKETS; i++) {
        llm_hist_add(&h, LLM_HIST_BUCKETS - 1 - i, UINT32_MAX, &bytes);
        llm_hist_add(&h, LLM_HIST_BUCKETS - 1 - i, 7, &bytes);
    }

    len = llm_hist_pack(&h, packed);
    ok(h.n == LLM_HIST_BUCKETS && len <= LLM_HIST_PACKED
       && h.slots[5].count == UINT32_MAX,
       "all buckets full to the brim: %zu bytes, counts stay at the top", len);
    ok(llm_hist_merge(&sum, packed, len) == LLM_OK
       && sum.total == (uint64_t) UINT32_MAX * LLM_HIST_BUCKETS,
       "their sum has more than 32 bits");

    llm_hist_clear(&sum);
    ok(sum.total == 0 && llm_hist_quantile(&sum, 500) == LLM_NULL
       && sum.count[LLM_HIST_BUCKETS - 1] == 0, "a sum can be used again");

    llm_hist_free(&h);
}


static void
hostile(void)
{
    int                    i, refused;
    size_t                 j, n, bytes;
    uint8_t               *p;
    llm_hist_t             h;
    static llm_hist_sum_t  sum;

    static const struct {
        size_t   n;
        uint8_t  bytes[12];
    } bad[] = {
        { 0, { 0 } },
        { 1, { 2 } },
        { 2, { 1, 5 } },
        { 2, { 1, 0x85 } },
        { 4, { 1, 0x89, 0x08, 1 } },              /* bucket 1033 */
        { 7, { 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1 } },
        { 9, { 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 } }
    };

    refused = 1;
    bytes = 0;
    memset(&h, 0, sizeof(h));

    for (i = 0; i < (int) (sizeof(bad) / sizeof(bad[0])); i++) {

        /* a block of its own: a byte read past it is seen */

        p = malloc(bad[i].n + 1);
        memcpy(p, bad[i].bytes, bad[i].n);
        p = realloc(p, bad[i].n ? bad[i].n : 1);

        refused &= llm_hist_merge(&sum, p, bad[i].n) == LLM_ERROR;
        refused &= llm_hist_unpack(&h, p, bad[i].n, &bytes) == LLM_ERROR;
        free(p);
    }

    ok(refused, "bytes that are no histogram are refused");

    for (i = 0; i < 20000; i++) {
        n = random() % 64 + 1;
        p = malloc(n);

        for (j = 0; j < n; j++) {
            p[j] = (uint8_t) (random() >> 8);
        }

        p[0] = 1;

        (void) llm_hist_merge(&sum, p, n);
        (void) llm_hist_unpack(&h, p, n, &bytes);
        free(p);
    }

    ok(h.n <= LLM_HIST_BUCKETS && sum.last < LLM_HIST_BUCKETS,
       "nor does any other string of bytes do harm");

    llm_hist_free(&h);
}


int
main(void)
{
    int  kind;

    srandom(11);

    buckets();

    for (kind = 0; kind < 6; kind++) {
        quantiles(kind, 1000, 1);
        quantiles(kind, SAMPLES, PARTS);
    }

    forms();
    hostile();

    return done_testing();
}
