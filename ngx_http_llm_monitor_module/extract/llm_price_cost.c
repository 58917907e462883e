
/*
 * Copyright (C) llm_monitor contributors
 *
 * From counts and prices to a cost.  Every token is paid for once: at the
 * price of the smallest part that it belongs to and that has a price.
 */


#include <string.h>

#include "llm_price_table.h"


#define LLM_PRICE_DAY_MS    86400000

/* a count beyond is nonsense; so is a cost beyond a billion dollars */
#define LLM_PRICE_COUNT     1000000000000000LL
#define LLM_PRICE_NANO      1000000000000000000LL

/* 1e-15 dollars in 1e-9 dollars, and the percents */
#define LLM_PRICE_FEMTO     1000000
#define LLM_PRICE_PERCENT   100


/* the parts of a whole, itself not among them */

static const uint32_t  llm_price_parts[LLM_P_COUNT] = {
    [LLM_P_CACHE_READ] = llm_price_bit(CACHE_AUDIO_READ)
                         | llm_price_bit(CACHE_IMAGE_READ),
    [LLM_P_CACHE_WRITE] = llm_price_bit(CACHE_WRITE_5M)
                          | llm_price_bit(CACHE_WRITE_1H),
    [LLM_P_INPUT_AUDIO] = llm_price_bit(CACHE_AUDIO_READ),
    [LLM_P_INPUT_IMAGE] = llm_price_bit(CACHE_IMAGE_READ),
    [LLM_P_INPUT] = llm_price_bit(INPUT) - 1,
    [LLM_P_OUTPUT] = llm_price_bit(OUTPUT_AUDIO)
                     | llm_price_bit(OUTPUT_IMAGE)
                     | llm_price_bit(OUTPUT_VIDEO)
                     | llm_price_bit(OUTPUT_REASONING)
                     | llm_price_bit(OUTPUT_CITATION)
};

/*
 * What providers say of tiers for all of their models, in percent of the
 * standard price: OpenAI's guides to flex processing and to the batch API,
 * Anthropic's and Google's to batches, Groq's to flex.
 */

static const struct {
    const char   *provider;
    int           tier;
    int           percent;
} llm_price_tiers[] = {
    { "openai", LLM_TIER_FLEX, 50 },
    { "openai", LLM_TIER_BATCH, 50 },
    { "anthropic", LLM_TIER_BATCH, 50 },
    { "google", LLM_TIER_BATCH, 50 },
    { "groq", LLM_TIER_FLEX, 100 }
};


static int llm_price_in(const llm_price_period_t *p, int64_t ms);
static int64_t llm_price_leaf(llm_price_usage_t *u, int unit, uint32_t parts);
static int64_t llm_price_at(const llm_price_rate_t *rate, int64_t input);


const llm_price_period_t *
llm_price_period(const llm_price_model_t *m, int64_t ms, int tier,
    int *percent)
{
    size_t                     i;
    const llm_price_period_t  *p;

    *percent = LLM_PRICE_PERCENT;
    p = m->periods[tier];

    if (p == NULL && tier != LLM_TIER_STANDARD) {
        *percent = 0;

        for (i = 0;
             i < sizeof(llm_price_tiers) / sizeof(llm_price_tiers[0]);
             i++)
        {
            if (llm_price_tiers[i].tier == tier
                && strcmp((const char *) m->provider->id.data,
                          llm_price_tiers[i].provider)
                   == 0)
            {
                *percent = llm_price_tiers[i].percent;
                p = m->periods[LLM_TIER_STANDARD];
            }
        }
    }

    if (p == NULL) {
        return NULL;
    }

    /* the first one of the source is for what no other is for */

    while (p->next != NULL && !llm_price_in(p, ms)) {
        p = p->next;
    }

    return p;
}


static int
llm_price_in(const llm_price_period_t *p, int64_t ms)
{
    switch (p->type) {

    case LLM_PERIOD_SINCE:
        return ms >= p->start;

    case LLM_PERIOD_DAILY:
        ms %= LLM_PRICE_DAY_MS;

        if (p->end < p->start) {
            return ms >= p->start || ms < p->end;
        }

        return ms >= p->start && ms < p->end;

    default: /* LLM_PERIOD_ALWAYS */
        return 1;
    }
}


int64_t
llm_price_cost(const llm_price_period_t *p, llm_price_usage_t *u, int percent)
{
    int                 i, unit;
    int64_t             input;
    uint32_t            parts;
    unsigned __int128   sum;

    input = u->v[LLM_P_INPUT];

    /* parts come first: what they take is not the whole's any more */

    for (i = 0; i < p->nrates; i++) {
        unit = p->rates[i].unit;

        if (u->v[unit] > LLM_PRICE_COUNT) {
            return LLM_NULL;
        }

        parts = llm_price_parts[unit] & p->units;

        if (parts != 0) {
            u->v[unit] = llm_price_leaf(u, unit, parts);
        }
    }

    sum = 0;

    for (i = 0; i < p->nrates; i++) {
        unit = p->rates[i].unit;

        if (u->v[unit] != 0) {
            sum += (unsigned __int128) (uint64_t) u->v[unit]
                   * (uint64_t) llm_price_at(&p->rates[i], input);
        }
    }

    if (percent != LLM_PRICE_PERCENT) {
        sum = sum * percent / LLM_PRICE_PERCENT;
    }

    sum += LLM_PRICE_FEMTO / 2;

    /* most costs are below 18,000 dollars */

    if (sum <= UINT64_MAX) {
        return (uint64_t) sum / LLM_PRICE_FEMTO;
    }

    sum /= LLM_PRICE_FEMTO;

    return sum <= LLM_PRICE_NANO ? (int64_t) sum : LLM_NULL;
}


/*
 * What is left of a whole beside its priced parts.  Parts that are more than
 * the whole are cut down to it, the last ones first.
 */

static int64_t
llm_price_leaf(llm_price_usage_t *u, int unit, uint32_t parts)
{
    int       part;
    int64_t   left;

    left = u->v[unit];

    for ( /* void */ ; parts != 0; parts &= parts - 1) {
        part = __builtin_ctz(parts);

        if (u->v[part] > left) {
            u->v[part] = left;
        }

        left -= u->v[part];
    }

    return left;
}


static int64_t
llm_price_at(const llm_price_rate_t *rate, int64_t input)
{
    int      i;
    int64_t  price;

    price = rate->price;

    for (i = 0; i < rate->nsteps && input > rate->steps[i].above; i++) {
        price = rate->steps[i].price;
    }

    return price;
}
