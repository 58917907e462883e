
/*
 * Copyright (C) llm_monitor contributors
 *
 * Reads the data of genai-prices, version 2: a list of providers with their
 * models, rules and prices.  Keys that say nothing of a price are passed over.
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_json.h"


static int llm_price_genai_provider(llm_price_json_t *j,
    const llm_str_t *object);
static int llm_price_genai_names(llm_price_json_t *j,
    const llm_str_t *object);
static int llm_price_genai_fallback(llm_price_json_t *j,
    const llm_str_t *object);
static int llm_price_genai_model(llm_price_json_t *j,
    const llm_str_t *object);
static int llm_price_genai_rule(llm_price_json_t *j, const llm_str_t *object,
    const char *name, int depth, llm_price_rule_t **rule);
static int llm_price_genai_rules(llm_price_json_t *j, const llm_str_t *list,
    const char *name, int depth, llm_price_rule_t *parent);
static int llm_price_genai_periods(llm_price_json_t *j,
    const llm_str_t *list);
static int llm_price_genai_when(llm_price_json_t *j,
    const llm_str_t *constraint, llm_price_period_t *when);
static int llm_price_genai_prices(llm_price_json_t *j,
    const llm_str_t *object, const llm_price_period_t *when);
static int llm_price_genai_price(llm_price_json_t *j, const llm_str_t *value,
    const char *name, int unit, int scale, llm_price_set_t *set);
static int llm_price_genai_steps(llm_price_json_t *j, const llm_str_t *list,
    const char *name, int unit, int scale, llm_price_set_t *set);
static int llm_price_genai_unit(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *value, char *name, int *scale);


int
llm_price_read_genai(llm_price_table_t *t, const llm_str_t *text,
    llm_price_error_t *err)
{
    llm_str_t         list, object;
    llm_pull_t        it;
    llm_price_json_t  j;

    memset(&j, 0, sizeof(llm_price_json_t));

    j.table = t;
    j.text = *text;
    j.err = err;

    if (llm_price_json_open(&j, '[', &list) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_pull_open(&it, &list);

    while (llm_pull_next(&it, NULL, &object)) {
        j.provider = NULL;
        j.model = NULL;

        if (!llm_pull_is(&object, '{')) {
            return llm_price_json_fail(&j, &object, NULL,
                                       "a provider must be an object");
        }

        if (llm_price_genai_provider(&j, &object) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_price_genai_provider(llm_price_json_t *j, const llm_str_t *object)
{
    uint8_t     buf[LLM_PRICE_STRING];
    llm_str_t   value, id, model;
    llm_pull_t  it;

    if (llm_price_json_get(j, object, "id", '"', &value) == LLM_DECLINED) {
        return llm_price_json_fail(j, object, "id", "is missing");
    }

    if (llm_price_json_text(j, &value, "id", buf, &id) != LLM_OK) {
        return LLM_ERROR;
    }

    j->provider = llm_price_add_provider(j->table, &id);

    if (j->provider == NULL) {
        return llm_price_json_full(j, &value, "id", NULL);
    }

    if (llm_price_genai_names(j, object) != LLM_OK
        || llm_price_genai_fallback(j, object) != LLM_OK)
    {
        return LLM_ERROR;
    }

    switch (llm_price_json_get(j, object, "models", '[', &value)) {

    case LLM_OK:
        break;

    case LLM_DECLINED:
        return llm_price_json_fail(j, object, "models", "is missing");

    default:
        return LLM_ERROR;
    }

    llm_pull_open(&it, &value);

    while (llm_pull_next(&it, NULL, &model)) {
        j->model = NULL;

        if (!llm_pull_is(&model, '{')) {
            return llm_price_json_fail(j, &model, "models",
                                       "must be a list of objects");
        }

        if (llm_price_genai_model(j, &model) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


/* by what a provider is known: its URL, its names, its models' names */

static int
llm_price_genai_names(llm_price_json_t *j, const llm_str_t *object)
{
    int                    rc;
    char                   error[LLM_REGEX_ERROR];
    uint8_t                buf[LLM_PRICE_STRING];
    llm_str_t              value, text;
    llm_price_provider_t  *p;

    p = j->provider;

    rc = llm_price_json_get(j, object, "api_pattern", '"', &value);

    if (rc == LLM_OK) {
        rc = llm_price_json_text(j, &value, "api_pattern", buf, &text);
    }

    if (rc == LLM_ERROR) {
        return LLM_ERROR;
    }

    error[0] = '\0';

    if (rc == LLM_OK) {
        if (llm_regex_compile(&p->hosts[0], &text, &j->table->mem, error)
            != LLM_OK)
        {
            return llm_price_json_full(j, &value, "api_pattern", error);
        }

        p->nhosts = 1;
    }

    if (llm_pull_get(object, "provider_match", &value)
        && llm_price_genai_rule(j, &value, "provider_match", 0, &p->names)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_pull_get(object, "model_match", &value)
        && llm_price_genai_rule(j, &value, "model_match", 0,
                                &p->names_of_models)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_price_genai_fallback(llm_price_json_t *j, const llm_str_t *object)
{
    int                    rc;
    uint8_t                buf[LLM_PRICE_STRING];
    llm_str_t              list, value, id;
    llm_pull_t             it;
    llm_price_provider_t  *p;

    static const char  name[] = "fallback_model_providers";

    p = j->provider;
    rc = llm_price_json_get(j, object, name, '[', &list);

    if (rc != LLM_OK) {
        return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
    }

    llm_pull_open(&it, &list);

    while (llm_pull_next(&it, NULL, &value)) {

        if (llm_price_json_text(j, &value, name, buf, &id) != LLM_OK) {
            return LLM_ERROR;
        }

        if (p->nfallback == LLM_PRICE_FALLBACKS
            || llm_price_copy(j->table, &p->fallback[p->nfallback], &id, 1)
               != LLM_OK)
        {
            return llm_price_json_full(j, &value, name, NULL);
        }

        p->nfallback++;
    }

    return LLM_OK;
}


static int
llm_price_genai_model(llm_price_json_t *j, const llm_str_t *object)
{
    uint8_t             buf[LLM_PRICE_STRING];
    llm_str_t           value, id;
    llm_price_period_t  always;

    if (llm_price_json_get(j, object, "id", '"', &value) == LLM_DECLINED) {
        return llm_price_json_fail(j, object, "id", "is missing");
    }

    if (llm_price_json_text(j, &value, "id", buf, &id) != LLM_OK) {
        return LLM_ERROR;
    }

    j->model = llm_price_add_model(j->table, j->provider, &id);

    if (j->model == NULL) {
        return llm_price_json_full(j, &value, "id", NULL);
    }

    if (!llm_pull_get(object, "match", &value)) {
        return llm_price_json_fail(j, object, "match", "is missing");
    }

    if (llm_price_genai_rule(j, &value, "match", 0, &j->model->match)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (!llm_pull_get(object, "prices", &value)) {
        return llm_price_json_fail(j, object, "prices", "is missing");
    }

    if (llm_pull_is(&value, '[')) {
        return llm_price_genai_periods(j, &value);
    }

    memset(&always, 0, sizeof(llm_price_period_t));

    return llm_price_genai_prices(j, &value, &always);
}


/* {"starts_with": "gpt-"}, {"or": [rules]} */

static int
llm_price_genai_rule(llm_price_json_t *j, const llm_str_t *object,
    const char *name, int depth, llm_price_rule_t **rule)
{
    char        error[LLM_REGEX_ERROR];
    size_t      i;
    uint8_t     buf[LLM_PRICE_STRING];
    llm_str_t   key, value, text;
    llm_pull_t  it;

    static const char *const  kinds[] = {
        "equals", "starts_with", "ends_with", "contains", "regex", "and", "or"
    };

    if (depth == LLM_PRICE_DEPTH) {
        return llm_price_json_fail(j, object, name, "is nested too deeply");
    }

    llm_pull_open(&it, object);

    if (!llm_pull_is(object, '{') || !llm_pull_next(&it, &key, &value)) {
        return llm_price_json_fail(j, object, name,
                                   "must be an object with one rule");
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (llm_text_equal(&key, kinds[i])) {
            break;
        }
    }

    if (i == sizeof(kinds) / sizeof(kinds[0])) {
        return llm_price_json_fail(j, object, name,
                                   "must be \"equals\", \"starts_with\", "
                                   "\"ends_with\", \"contains\", \"regex\", "
                                   "\"and\" or \"or\"");
    }

    if (i == LLM_RULE_AND || i == LLM_RULE_OR) {
        *rule = llm_price_add_rule(j->table, i, NULL, error);

        return *rule != NULL
               ? llm_price_genai_rules(j, &value, name, depth + 1, *rule)
               : llm_price_json_full(j, object, name, NULL);
    }

    if (llm_price_json_text(j, &value, kinds[i], buf, &text) != LLM_OK) {
        return LLM_ERROR;
    }

    *rule = llm_price_add_rule(j->table, i, &text, error);

    return *rule != NULL ? LLM_OK
                         : llm_price_json_full(j, &value, kinds[i], error);
}


static int
llm_price_genai_rules(llm_price_json_t *j, const llm_str_t *list,
    const char *name, int depth, llm_price_rule_t *parent)
{
    llm_str_t           one;
    llm_pull_t          it;
    llm_price_rule_t  **last;

    if (!llm_pull_is(list, '[')) {
        return llm_price_json_fail(j, list, name, "must have a list in "
                                   "\"and\" and \"or\"");
    }

    last = &parent->child;
    llm_pull_open(&it, list);

    while (llm_pull_next(&it, NULL, &one)) {

        if (llm_price_genai_rule(j, &one, name, depth, last) != LLM_OK) {
            return LLM_ERROR;
        }

        last = &(*last)->next;
    }

    return LLM_OK;
}


static int
llm_price_genai_periods(llm_price_json_t *j, const llm_str_t *list)
{
    llm_str_t           one, value;
    llm_pull_t          it;
    llm_price_period_t  when;

    llm_pull_open(&it, list);

    while (llm_pull_next(&it, NULL, &one)) {
        memset(&when, 0, sizeof(llm_price_period_t));

        if (llm_pull_get(&one, "constraint", &value)
            && llm_price_genai_when(j, &value, &when) != LLM_OK)
        {
            return LLM_ERROR;
        }

        if (!llm_pull_get(&one, "prices", &value)) {
            return llm_price_json_fail(j, &one, "prices", "is missing");
        }

        if (llm_price_genai_prices(j, &value, &when) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_price_genai_when(llm_price_json_t *j, const llm_str_t *constraint,
    llm_price_period_t *when)
{
    uint8_t    buf[LLM_PRICE_STRING];
    llm_str_t  value, text;

    if (llm_pull_get(constraint, "start_date", &value)) {
        when->type = LLM_PERIOD_SINCE;

        if (llm_price_json_text(j, &value, "start_date", buf, &text) != LLM_OK)
        {
            return LLM_ERROR;
        }

        if (llm_price_date(&text, &when->start) != LLM_OK) {
            return llm_price_json_fail(j, &value, "start_date",
                                       "must be a day such as 2026-03-13");
        }

        return LLM_OK;
    }

    if (!llm_pull_get(constraint, "start_time", &value)) {
        return llm_price_json_fail(j, constraint, "constraint",
                                   "must have \"start_date\" or "
                                   "\"start_time\"");
    }

    when->type = LLM_PERIOD_DAILY;

    if (llm_price_json_text(j, &value, "start_time", buf, &text) != LLM_OK
        || llm_price_time(&text, &when->start) != LLM_OK)
    {
        return llm_price_json_fail(j, &value, "start_time",
                                   "must be a time such as 00:30:00Z");
    }

    if (!llm_pull_get(constraint, "end_time", &value)
        || llm_price_json_text(j, &value, "end_time", buf, &text) != LLM_OK
        || llm_price_time(&text, &when->end) != LLM_OK)
    {
        return llm_price_json_fail(j, constraint, "end_time",
                                   "must be a time such as 16:30:00Z");
    }

    return LLM_OK;
}


static int
llm_price_genai_prices(llm_price_json_t *j, const llm_str_t *object,
    const llm_price_period_t *when)
{
    int                  unit, scale;
    char                 name[64];
    llm_str_t            key, value;
    llm_pull_t           it;
    llm_price_set_t      set;
    llm_price_period_t  *p;

    if (!llm_pull_is(object, '{')) {
        return llm_price_json_fail(j, object, "prices", "must be an object");
    }

    memset(&set, 0, sizeof(llm_price_set_t));

    llm_pull_open(&it, object);

    while (llm_pull_next(&it, &key, &value)) {
        unit = llm_price_genai_unit(j, &key, &value, name, &scale);

        if (unit == LLM_DECLINED) {
            continue;
        }

        if (unit == LLM_ERROR
            || llm_price_genai_price(j, &value, name, unit, scale, &set)
               != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    p = llm_price_add_period(j->table, j->model, LLM_TIER_STANDARD, &set);

    if (p == NULL) {
        return llm_price_json_full(j, object, "prices", NULL);
    }

    p->type = when->type;
    p->start = when->start;
    p->end = when->end;

    return LLM_OK;
}


/* a number, or {"base": 1.25, "tiers": [{"start": 200000, "price": 2.5}]} */

static int
llm_price_genai_price(llm_price_json_t *j, const llm_str_t *value,
    const char *name, int unit, int scale, llm_price_set_t *set)
{
    int        steps;
    llm_str_t  base, tiers;

    static const char  what[] = "must be a price, or an object with \"base\" "
                                "and \"tiers\"";

    base = *value;
    steps = llm_pull_is(value, '{');

    if (steps && (!llm_pull_get(value, "base", &base)
                  || !llm_pull_get(value, "tiers", &tiers)
                  || !llm_pull_is(&tiers, '[')))
    {
        return llm_price_json_fail(j, value, name, what);
    }

    if (llm_price_decimal(&base, scale, &set->price[unit]) != LLM_OK) {
        return llm_price_json_fail(j, value, name, what);
    }

    set->units |= 1u << unit;
    set->nsteps[unit] = 0;

    return steps ? llm_price_genai_steps(j, &tiers, name, unit, scale, set)
                 : LLM_OK;
}


static int
llm_price_genai_steps(llm_price_json_t *j, const llm_str_t *list,
    const char *name, int unit, int scale, llm_price_set_t *set)
{
    int64_t     above, price;
    llm_str_t   one, start, value;
    llm_pull_t  it;

    llm_pull_open(&it, list);

    while (llm_pull_next(&it, NULL, &one)) {

        if (!llm_pull_get(&one, "start", &start)
            || !llm_pull_get(&one, "price", &value)
            || (above = llm_pull_number(&start, LLM_NULL)) == LLM_NULL
            || llm_price_decimal(&value, scale, &price) != LLM_OK)
        {
            return llm_price_json_fail(j, &one, name, "must have tiers with "
                                       "\"start\" and \"price\"");
        }

        if (llm_price_add_step(set, unit, above, price) != LLM_OK) {
            return llm_price_json_full(j, &one, name, NULL);
        }
    }

    return LLM_OK;
}


/* LLM_DECLINED: of something that an exchange does not tell the count of */

static int
llm_price_genai_unit(llm_price_json_t *j, const llm_str_t *key,
    const llm_str_t *value, char *name, int *scale)
{
    int     unit;
    size_t  i, n, len;

    static const char *const  known[] = {
        "_mtok", "_kcount", "_mchars", "_hours", "_gpixels", "_kpages"
    };

    n = key->len < 63 ? key->len : 63;

    memcpy(name, key->data, n);
    name[n] = '\0';

    unit = llm_price_unit(key, 1, scale);

    if (unit != LLM_ERROR) {
        return unit;
    }

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        len = strlen(known[i]);

        if (key->len > len
            && memcmp(key->data + key->len - len, known[i], len) == 0)
        {
            return LLM_DECLINED;
        }
    }

    return llm_price_json_fail(j, value, name, "is no price that is known");
}
