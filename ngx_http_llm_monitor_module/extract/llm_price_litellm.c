
/*
 * Copyright (C) llm_monitor contributors
 *
 * Reads LiteLLM's model_prices_and_context_window.json: an object of models,
 * whose prices are dollars for one token.  What a key is about stands in its
 * name: "input_cost_per_token", then perhaps "_above_200k_tokens", then perhaps
 * "_priority".  Keys that say nothing of a price are passed over.
 */


#include <stdio.h>
#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_json.h"


#define LLM_PRICE_TOKEN     15      /* scale of dollars for one token */


typedef struct {
    const char   *name;
    int           unit;
} llm_price_litellm_key_t;


static int llm_price_litellm_model(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *object);
static int llm_price_litellm_provider(llm_price_json_t *j,
    const llm_str_t *object);
static int llm_price_litellm_hosts(llm_price_json_t *j);
static int llm_price_litellm_prices(llm_price_json_t *j,
    const llm_str_t *object, llm_price_set_t *sets);
static int llm_price_litellm_price(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *value, llm_price_set_t *sets);
static int llm_price_litellm_name(const llm_str_t *key, int *unit, int *tier,
    int64_t *above);
static int llm_price_litellm_search(llm_price_json_t *j,
    const llm_str_t *value, llm_price_set_t *set);
static void llm_price_litellm_fill(llm_price_set_t *sets, int tier);
static int llm_price_litellm_rules(llm_price_json_t *j, const llm_str_t *at);


/* a name stands before the one that it begins with */

static const llm_price_litellm_key_t  llm_price_litellm_keys[] = {
    { "cache_creation_input_token_cost_above_1hr", LLM_P_CACHE_WRITE_1H },
    { "cache_creation_input_token_cost", LLM_P_CACHE_WRITE },
    { "cache_read_input_token_cost", LLM_P_CACHE_READ },
    { "cache_read_input_audio_token_cost", LLM_P_CACHE_AUDIO_READ },
    { "input_cost_per_token", LLM_P_INPUT },
    { "input_cost_per_audio_token", LLM_P_INPUT_AUDIO },
    { "input_cost_per_image_token", LLM_P_INPUT_IMAGE },
    { "input_cost_per_request", LLM_P_REQUESTS },
    { "output_cost_per_token", LLM_P_OUTPUT },
    { "output_cost_per_audio_token", LLM_P_OUTPUT_AUDIO },
    { "output_cost_per_image_token", LLM_P_OUTPUT_IMAGE },
    { "output_cost_per_video_token", LLM_P_OUTPUT_VIDEO },
    { "output_cost_per_reasoning_token", LLM_P_OUTPUT_REASONING },
    { "citation_cost_per_token", LLM_P_OUTPUT_CITATION },
    { NULL, 0 }
};

static const struct {
    const char   *suffix;
    int           tier;
} llm_price_litellm_tiers[] = {
    { "_flex", LLM_TIER_FLEX },
    { "_batches", LLM_TIER_BATCH },
    { "_priority", LLM_TIER_PRIORITY },
    { "", LLM_TIER_STANDARD }
};

/* the table does not say where its providers are */

static const struct {
    const char   *provider;      /* its id begins so */
    llm_str_t     host;
} llm_price_litellm_urls[] = {
    { "anthropic", llm_str("https://api\\.anthropic\\.com") },
    { "azure", llm_str("https://[^/]*\\.azure\\.com") },
    { "bedrock", llm_str("https://bedrock-runtime\\.") },
    { "cerebras", llm_str("https://api\\.cerebras\\.ai") },
    { "cohere", llm_str("https://api\\.cohere\\.(ai|com)") },
    { "dashscope", llm_str("https://dashscope[^/]*\\.aliyuncs\\.com") },
    { "deepseek", llm_str("https://api\\.deepseek\\.com") },
    { "fireworks_ai", llm_str("https://api\\.fireworks\\.ai") },
    { "gemini", llm_str("https://generativelanguage\\.googleapis\\.com") },
    { "groq", llm_str("https://api\\.groq\\.com") },
    { "mistral", llm_str("https://api\\.mistral\\.ai") },
    { "moonshot", llm_str("https://api\\.moonshot\\.") },
    { "openai", llm_str("https://api\\.openai\\.com") },
    { "openrouter", llm_str("https://(api\\.)?openrouter\\.ai") },
    { "perplexity", llm_str("https://api\\.perplexity\\.ai") },
    { "together_ai", llm_str("https://api\\.together\\.(xyz|ai)") },
    { "vertex_ai", llm_str("https://[^/]*aiplatform\\.googleapis\\.com") },
    { "xai", llm_str("https://api\\.x\\.ai") }
};


int
llm_price_read_litellm(llm_price_table_t *t, const llm_str_t *text,
    llm_price_error_t *err)
{
    llm_str_t         models, key, object;
    llm_pull_t        it;
    llm_price_json_t  j;

    memset(&j, 0, sizeof(llm_price_json_t));

    j.table = t;
    j.text = *text;
    j.err = err;

    if (llm_price_json_open(&j, '{', &models) != LLM_OK) {
        return LLM_ERROR;
    }

    t->by_id = 1;

    llm_pull_open(&it, &models);

    while (llm_pull_next(&it, &key, &object)) {

        /* the description of the others */

        if (llm_text_equal(&key, "sample_spec")) {
            continue;
        }

        if (llm_price_litellm_model(&j, &key, &object) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_price_litellm_model(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *object)
{
    int                 i;
    uint8_t             buf[LLM_PRICE_STRING];
    llm_str_t           quoted, id;
    llm_price_set_t     sets[LLM_TIER_COUNT];
    llm_price_model_t   unknown;

    quoted.data = key->data - 1;
    quoted.len = key->len + 2;

    j->provider = NULL;
    j->model = NULL;

    if (llm_price_json_text(j, &quoted, "name of a model", buf, &id)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    /* until it is known that there is a price, for errors */

    unknown.id = id;
    j->model = &unknown;

    if (!llm_pull_is(object, '{')) {
        return llm_price_json_fail(j, object, NULL, "must be an object");
    }

    memset(sets, 0, sizeof(sets));

    if (llm_price_litellm_prices(j, object, sets) != LLM_OK) {
        return LLM_ERROR;
    }

    if (sets[LLM_TIER_STANDARD].units == 0) {
        j->model = NULL;
        return LLM_OK;
    }

    if (llm_price_litellm_provider(j, object) != LLM_OK) {
        return LLM_ERROR;
    }

    j->model = llm_price_add_model(j->table, j->provider, &id);

    if (j->model == NULL) {
        return llm_price_json_full(j, object, NULL, NULL);
    }

    for (i = 0; i < LLM_TIER_COUNT; i++) {

        if (i != LLM_TIER_STANDARD) {
            llm_price_litellm_fill(sets, i);
        }

        if (sets[i].units != 0
            && llm_price_add_period(j->table, j->model, i, &sets[i]) == NULL)
        {
            return llm_price_json_full(j, object, NULL, NULL);
        }
    }

    return llm_price_litellm_rules(j, object);
}


static int
llm_price_litellm_provider(llm_price_json_t *j, const llm_str_t *object)
{
    int                    rc;
    uint8_t                buf[LLM_PRICE_STRING];
    llm_str_t              value;
    llm_str_t              id = llm_str("unknown");
    llm_price_provider_t  *p;

    rc = llm_price_json_get(j, object, "litellm_provider", '"', &value);

    if (rc == LLM_ERROR
        || (rc == LLM_OK
            && llm_price_json_text(j, &value, "litellm_provider", buf, &id)
               != LLM_OK))
    {
        return LLM_ERROR;
    }

    for (p = j->table->providers; p != NULL; p = p->next) {
        if (p->id.len == id.len && memcmp(p->id.data, id.data, id.len) == 0) {
            j->provider = p;
            return LLM_OK;
        }
    }

    j->provider = llm_price_add_provider(j->table, &id);

    if (j->provider == NULL || llm_price_litellm_hosts(j) != LLM_OK) {
        return llm_price_json_full(j, object, "litellm_provider", NULL);
    }

    return LLM_OK;
}


static int
llm_price_litellm_hosts(llm_price_json_t *j)
{
    char                   error[LLM_REGEX_ERROR];
    size_t                 i;
    llm_price_provider_t  *p;

    p = j->provider;

    for (i = 0;
         i < sizeof(llm_price_litellm_urls) / sizeof(llm_price_litellm_urls[0]);
         i++)
    {
        if (!llm_text_begins_nocase(&p->id,
                                    llm_price_litellm_urls[i].provider))
        {
            continue;
        }

        if (llm_regex_compile(&p->hosts[0], &llm_price_litellm_urls[i].host,
                              &j->table->mem, error)
            != LLM_OK)
        {
            return LLM_ERROR;
        }

        p->nhosts = 1;
    }

    return LLM_OK;
}


static int
llm_price_litellm_prices(llm_price_json_t *j, const llm_str_t *object,
    llm_price_set_t *sets)
{
    int         i;
    llm_str_t   key, value;
    llm_pull_t  it;

    llm_pull_open(&it, object);

    while (llm_pull_next(&it, &key, &value)) {
        if (llm_price_litellm_price(j, &key, &value, sets) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    /* steps whose first price is not there */

    for (i = 0; i < LLM_P_COUNT; i++) {
        if (!(sets[LLM_TIER_STANDARD].units & (1u << i))) {
            sets[LLM_TIER_STANDARD].nsteps[i] = 0;
        }
    }

    return LLM_OK;
}


static int
llm_price_litellm_price(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *value, llm_price_set_t *sets)
{
    int               rc, unit, tier;
    char              name[64];
    int64_t           above, price;
    llm_price_set_t  *set;

    if (llm_pull_is(value, 'n')) {
        return LLM_OK;
    }

    if (llm_text_equal(key, "search_context_cost_per_query")) {
        return llm_price_litellm_search(j, value, &sets[LLM_TIER_STANDARD]);
    }

    if (llm_price_litellm_name(key, &unit, &tier, &above) != LLM_OK) {
        return LLM_OK;
    }

    (void) snprintf(name, sizeof(name), "%.*s", (int) key->len, key->data);

    if (llm_price_decimal(value, LLM_PRICE_TOKEN, &price) != LLM_OK) {
        return llm_price_json_fail(j, value, name,
                                   "must be a number of dollars");
    }

    set = &sets[tier];

    if (above != 0) {
        rc = llm_price_add_step(set, unit, above, price);
        return rc == LLM_OK ? LLM_OK
                            : llm_price_json_full(j, value, name, NULL);
    }

    set->units |= 1u << unit;
    set->price[unit] = price;

    return LLM_OK;
}


/* LLM_DECLINED: it is not about a price that is known */

static int
llm_price_litellm_name(const llm_str_t *key, int *unit, int *tier,
    int64_t *above)
{
    size_t                          i, n;
    llm_str_t                       rest;
    const llm_price_litellm_key_t  *k;

    for (k = llm_price_litellm_keys; k->name != NULL; k++) {
        if (llm_text_begins_nocase(key, k->name)) {
            break;
        }
    }

    if (k->name == NULL) {
        return LLM_DECLINED;
    }

    n = strlen(k->name);

    rest.data = key->data + n;
    rest.len = key->len - n;

    *unit = k->unit;
    *above = 0;

    n = sizeof("_above_") - 1;

    if (llm_text_begins_nocase(&rest, "_above_")) {

        while (n < rest.len && rest.data[n] >= '0' && rest.data[n] <= '9'
               && *above < 1000000)
        {
            *above = *above * 10 + (rest.data[n++] - '0');
        }

        *above *= 1000;
        rest.data += n;
        rest.len -= n;

        if (*above == 0 || !llm_text_begins_nocase(&rest, "k_tokens")) {
            return LLM_DECLINED;
        }

        rest.data += sizeof("k_tokens") - 1;
        rest.len -= sizeof("k_tokens") - 1;
    }

    for (i = 0; i < LLM_TIER_COUNT; i++) {
        if (llm_text_equal(&rest, llm_price_litellm_tiers[i].suffix)) {
            *tier = llm_price_litellm_tiers[i].tier;
            return LLM_OK;
        }
    }

    return LLM_DECLINED;
}


/* the price of a search by the size of its context: the middle one */

static int
llm_price_litellm_search(llm_price_json_t *j, const llm_str_t *value,
    llm_price_set_t *set)
{
    llm_str_t  price;

    if (!llm_pull_get(value, "search_context_size_medium", &price)) {
        return LLM_OK;
    }

    if (llm_price_decimal(&price, LLM_PRICE_TOKEN,
                          &set->price[LLM_P_WEB_SEARCHES])
        != LLM_OK)
    {
        return llm_price_json_fail(j, &price, "search_context_size_medium",
                                   "must be a number of dollars");
    }

    set->units |= llm_price_bit(WEB_SEARCHES);

    return LLM_OK;
}


/* what has no price of its own in a tier costs there what it always costs */

static void
llm_price_litellm_fill(llm_price_set_t *sets, int tier)
{
    int               i;
    llm_price_set_t  *set, *standard;

    set = &sets[tier];
    standard = &sets[LLM_TIER_STANDARD];

    if (set->units == 0) {
        return;
    }

    for (i = 0; i < LLM_P_COUNT; i++) {

        if (set->units & (1u << i)) {
            continue;
        }

        set->price[i] = standard->price[i];
        set->nsteps[i] = standard->nsteps[i];
        memcpy(set->steps[i], standard->steps[i], sizeof(set->steps[i]));
    }

    set->units |= standard->units;
}


/* its name, with or without the provider in front of it */

static int
llm_price_litellm_rules(llm_price_json_t *j, const llm_str_t *at)
{
    char                error[LLM_REGEX_ERROR];
    llm_str_t           rest;
    const uint8_t      *slash;
    llm_price_rule_t   *list, *whole, *part;
    llm_price_model_t  *m;

    m = j->model;
    whole = llm_price_add_rule(j->table, LLM_RULE_EQUALS, &m->id, error);
    m->match = whole;

    slash = memchr(m->id.data, '/', m->id.len);

    if (slash != NULL) {
        rest.data = slash + 1;
        rest.len = m->id.len - (rest.data - m->id.data);

        list = llm_price_add_rule(j->table, LLM_RULE_OR, NULL, error);
        part = llm_price_add_rule(j->table, LLM_RULE_EQUALS, &rest, error);

        if (whole == NULL || list == NULL || part == NULL) {
            m->match = NULL;

        } else {
            whole->next = part;
            list->child = whole;
            m->match = list;
        }
    }

    return m->match != NULL ? LLM_OK
                            : llm_price_json_full(j, at, NULL, NULL);
}
