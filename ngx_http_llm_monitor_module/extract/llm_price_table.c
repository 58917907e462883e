
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_table.h"


#define LLM_PRICE_CHUNK   (64 * 1024)

#define LLM_PRICE_DAY_MS  86400000


struct llm_price_chunk_s {
    llm_price_chunk_t   *next;
    size_t               size;
    uint8_t              data[] __attribute__((aligned(16)));
};


static void *llm_price_table_alloc(void *data, size_t n);
static void llm_price_table_keep(void *data, void *p);
static int llm_price_digits(const llm_str_t *s, size_t at, size_t n,
    int64_t *v);
static int llm_price_exponent(const llm_str_t *s, size_t at, int64_t *v);


llm_price_table_t *
llm_price_table_create(const llm_mem_t *mem)
{
    llm_price_table_t  *t;

    t = mem->alloc(mem->data, sizeof(llm_price_table_t));
    if (t == NULL) {
        return NULL;
    }

    memset(t, 0, sizeof(llm_price_table_t));

    t->own = *mem;
    t->mem.alloc = llm_price_table_alloc;
    t->mem.free = llm_price_table_keep;
    t->mem.data = t;
    t->last = &t->providers;

    return t;
}


void
llm_price_free(llm_price_table_t *t)
{
    llm_mem_t           own;
    llm_price_chunk_t  *chunk, *next;

    if (t == NULL) {
        return;
    }

    own = t->own;

    for (chunk = t->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        own.free(own.data, chunk);
    }

    own.free(own.data, t);
}


static void *
llm_price_table_alloc(void *data, size_t n)
{
    return llm_price_alloc(data, n);
}


static void
llm_price_table_keep(void *data, void *p)
{
    /* the table goes as a whole */
}


void *
llm_price_alloc(llm_price_table_t *t, size_t n)
{
    size_t              size;
    llm_price_chunk_t  *chunk;

    n = (n + 15) & ~(size_t) 15;

    if (n > t->left) {
        size = (n > LLM_PRICE_CHUNK) ? n : LLM_PRICE_CHUNK;

        if (size > LLM_PRICE_MEMORY - t->used) {
            return NULL;
        }

        chunk = t->own.alloc(t->own.data, sizeof(llm_price_chunk_t) + size);
        if (chunk == NULL) {
            return NULL;
        }

        chunk->next = t->chunks;
        chunk->size = size;

        t->chunks = chunk;
        t->left = size;
        t->used += size;
    }

    chunk = t->chunks;
    t->left -= n;

    return chunk->data + chunk->size - t->left - n;
}


int
llm_price_copy(llm_price_table_t *t, llm_str_t *to, const llm_str_t *from,
    int lower)
{
    uint8_t  *p;

    p = llm_price_alloc(t, from->len + 1);
    if (p == NULL) {
        return LLM_NOMEM;
    }

    if (lower) {
        llm_text_lower(p, from->data, from->len);

    } else {
        memcpy(p, from->data, from->len);
    }

    p[from->len] = '\0';

    to->data = p;
    to->len = from->len;

    return LLM_OK;
}


llm_price_provider_t *
llm_price_add_provider(llm_price_table_t *t, const llm_str_t *id)
{
    llm_price_provider_t  *p;

    if (t->nproviders == LLM_PRICE_PROVIDERS) {
        return NULL;
    }

    p = llm_price_alloc(t, sizeof(llm_price_provider_t));

    if (p == NULL) {
        return NULL;
    }

    memset(p, 0, sizeof(llm_price_provider_t));

    if (llm_price_copy(t, &p->id, id, 1) != LLM_OK) {
        return NULL;
    }

    p->last = &p->models;

    *t->last = p;
    t->last = &p->next;
    t->nproviders++;

    return p;
}


llm_price_model_t *
llm_price_add_model(llm_price_table_t *t, llm_price_provider_t *p,
    const llm_str_t *id)
{
    llm_price_model_t  *m;

    if (t->nmodels == LLM_PRICE_MODELS) {
        return NULL;
    }

    m = llm_price_alloc(t, sizeof(llm_price_model_t));

    if (m == NULL) {
        return NULL;
    }

    memset(m, 0, sizeof(llm_price_model_t));

    if (llm_price_copy(t, &m->id, id, 1) != LLM_OK) {
        return NULL;
    }

    m->provider = p;

    *p->last = m;
    p->last = &m->next;
    t->nmodels++;

    return m;
}


llm_price_rule_t *
llm_price_add_rule(llm_price_table_t *t, llm_price_rule_e type,
    const llm_str_t *text, char *error)
{
    llm_price_rule_t  *rule;

    error[0] = '\0';

    if (t->nrules == LLM_PRICE_RULES) {
        return NULL;
    }

    rule = llm_price_alloc(t, sizeof(llm_price_rule_t));

    if (rule == NULL) {
        return NULL;
    }

    memset(rule, 0, sizeof(llm_price_rule_t));

    rule->type = type;

    if (text != NULL
        && llm_price_copy(t, &rule->text, text, type != LLM_RULE_REGEX)
           != LLM_OK)
    {
        return NULL;
    }

    if (type == LLM_RULE_REGEX
        && llm_regex_compile(&rule->regex, text, &t->mem, error) != LLM_OK)
    {
        return NULL;
    }

    t->nrules++;

    return rule;
}


llm_price_period_t *
llm_price_add_period(llm_price_table_t *t, llm_price_model_t *m, int tier,
    const llm_price_set_t *set)
{
    int                  i, n;
    llm_price_rate_t    *rate;
    llm_price_period_t  *p;

    if (m->nperiods == LLM_PRICE_PERIODS) {
        return NULL;
    }

    n = __builtin_popcount(set->units);

    p = llm_price_alloc(t, sizeof(llm_price_period_t)
                           + n * sizeof(llm_price_rate_t));
    if (p == NULL) {
        return NULL;
    }

    memset(p, 0, sizeof(llm_price_period_t));

    p->units = set->units;
    rate = p->rates;

    for (i = 0; i < LLM_P_COUNT; i++) {

        if (!(set->units & (1u << i))) {
            continue;
        }

        rate->unit = i;
        rate->price = set->price[i];
        rate->nsteps = set->nsteps[i];
        rate->steps = NULL;

        if (rate->nsteps != 0) {
            rate->steps = llm_price_alloc(t, rate->nsteps
                                             * sizeof(llm_price_step_t));
            if (rate->steps == NULL) {
                return NULL;
            }

            memcpy(rate->steps, set->steps[i],
                   rate->nsteps * sizeof(llm_price_step_t));
        }

        rate++;
    }

    p->nrates = n;
    p->next = m->periods[tier];

    m->periods[tier] = p;
    m->nperiods++;

    return p;
}


int
llm_price_add_step(llm_price_set_t *set, int unit, int64_t above,
    int64_t price)
{
    int                n;
    llm_price_step_t  *steps;

    n = set->nsteps[unit];
    steps = set->steps[unit];

    if (n == LLM_PRICE_STEPS) {
        return LLM_FULL;
    }

    while (n > 0 && steps[n - 1].above > above) {
        steps[n] = steps[n - 1];
        n--;
    }

    steps[n].above = above;
    steps[n].price = price;
    set->nsteps[unit]++;

    return LLM_OK;
}


int
llm_price_date(const llm_str_t *s, int64_t *ms)
{
    int64_t  year, month, day, days;

    static const int64_t  before[] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365
    };

    if (s->len != sizeof("2026-03-13") - 1
        || llm_price_digits(s, 0, 4, &year) != LLM_OK || s->data[4] != '-'
        || llm_price_digits(s, 5, 2, &month) != LLM_OK || s->data[7] != '-'
        || llm_price_digits(s, 8, 2, &day) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (year < 1970 || month < 1 || month > 12 || day < 1) {
        return LLM_ERROR;
    }

    days = before[month] - before[month - 1];

    if (month == 2
        && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    {
        days++;
    }

    if (day > days) {
        return LLM_ERROR;
    }

    /* leap days before this one; of this year only from March on */

    if (month <= 2) {
        days = year - 1;

    } else {
        days = year;
    }

    days = days / 4 - days / 100 + days / 400 - (1969 / 4 - 1969 / 100
           + 1969 / 400) + (year - 1970) * 365 + before[month - 1] + day - 1;

    *ms = days * LLM_PRICE_DAY_MS;

    return LLM_OK;
}


int
llm_price_time(const llm_str_t *s, int64_t *ms)
{
    size_t    at;
    int64_t   hour, minute, second, fraction, scale, zone, minutes;

    if (s->len < sizeof("00:30:00Z") - 1
        || llm_price_digits(s, 0, 2, &hour) != LLM_OK || s->data[2] != ':'
        || llm_price_digits(s, 3, 2, &minute) != LLM_OK || s->data[5] != ':'
        || llm_price_digits(s, 6, 2, &second) != LLM_OK
        || hour > 23 || minute > 59 || second > 59)
    {
        return LLM_ERROR;
    }

    at = 8;
    fraction = 0;

    if (s->data[at] == '.') {
        scale = 100;

        for (at++;
             at < s->len && s->data[at] >= '0' && s->data[at] <= '9';
             at++)
        {
            fraction += (s->data[at] - '0') * scale;
            scale /= 10;
        }
    }

    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;

    if (s->len == at + 1 && s->data[at] == 'Z') {
        return LLM_OK;
    }

    if (s->len != at + 6 || (s->data[at] != '+' && s->data[at] != '-')
        || llm_price_digits(s, at + 1, 2, &zone) != LLM_OK
        || s->data[at + 3] != ':'
        || llm_price_digits(s, at + 4, 2, &minutes) != LLM_OK
        || zone > 23 || minutes > 59)
    {
        return LLM_ERROR;
    }

    zone = (zone * 60 + minutes) * 60000;

    *ms += (s->data[at] == '+') ? LLM_PRICE_DAY_MS - zone : zone;
    *ms %= LLM_PRICE_DAY_MS;

    return LLM_OK;
}


static int
llm_price_digits(const llm_str_t *s, size_t at, size_t n, int64_t *v)
{
    size_t  i;

    *v = 0;

    for (i = at; i < at + n; i++) {

        if (s->data[i] < '0' || s->data[i] > '9') {
            return LLM_ERROR;
        }

        *v = *v * 10 + (s->data[i] - '0');
    }

    return LLM_OK;
}


int
llm_price_decimal(const llm_str_t *s, int scale, int64_t *v)
{
    int       digits, point, up;
    size_t    i;
    int64_t   n, exponent;

    n = 0;
    up = 0;
    digits = 0;
    point = 0;
    exponent = 0;

    /* 18 digits are kept, of the rest only how many they are */

    for (i = 0; i < s->len; i++) {

        if (s->data[i] == '.' && point == 0) {
            point = 1;
            continue;
        }

        if (s->data[i] < '0' || s->data[i] > '9') {
            break;
        }

        digits++;

        if (n < LLM_PRICE_MAX / 10) {
            n = n * 10 + (s->data[i] - '0');
            exponent -= point;

        } else {
            exponent += !point;
        }
    }

    if (digits == 0) {
        return LLM_ERROR;
    }

    if (i < s->len && llm_price_exponent(s, i, &exponent) != LLM_OK) {
        return LLM_ERROR;
    }

    exponent += scale;

    for ( /* void */ ; n != 0 && exponent > 0; exponent--) {

        if (n > LLM_PRICE_MAX / 10) {
            return LLM_ERROR;
        }

        n *= 10;
    }

    for ( /* void */ ; n != 0 && exponent < 0; exponent++) {
        up = n % 10 >= 5;
        n /= 10;
    }

    if (exponent < 0) {
        up = 0;
    }

    *v = n + up;

    return LLM_OK;
}


/* "e-07", which goes on top of what the digits said */

static int
llm_price_exponent(const llm_str_t *s, size_t at, int64_t *v)
{
    int      negative;
    int64_t  n;

    if (s->data[at] != 'e' && s->data[at] != 'E') {
        return LLM_ERROR;
    }

    at++;
    negative = 0;

    if (at < s->len && (s->data[at] == '-' || s->data[at] == '+')) {
        negative = (s->data[at] == '-');
        at++;
    }

    if (at == s->len || s->len - at > 4
        || llm_price_digits(s, at, s->len - at, &n) != LLM_OK)
    {
        return LLM_ERROR;
    }

    *v += negative ? -n : n;

    return LLM_OK;
}


int
llm_price_unit(const llm_str_t *name, int with_suffix, int *scale)
{
    int         i;
    size_t      n, suffix;
    llm_str_t   s;

#define LLM_PRICE_NAME(name, text, per)    text,
#define LLM_PRICE_SUFFIX(name, text, per)  per,

    static const char *const  names[] = { LLM_PRICE_UNITS(LLM_PRICE_NAME) };
    static const char *const  pers[] = { LLM_PRICE_UNITS(LLM_PRICE_SUFFIX) };

#undef LLM_PRICE_NAME
#undef LLM_PRICE_SUFFIX

    for (i = 0; i < LLM_P_COUNT; i++) {
        n = strlen(names[i]);
        suffix = with_suffix ? strlen(pers[i]) : 0;

        if (name->len != n + suffix || memcmp(name->data, names[i], n) != 0) {
            continue;
        }

        s.data = name->data + n;
        s.len = suffix;

        if (suffix == 0 || llm_text_equal(&s, pers[i])) {
            *scale = (pers[i][1] == 'm') ? 15 - 6 : 15 - 3;
            return i;
        }
    }

    return LLM_ERROR;
}


int
llm_price_fail(llm_price_error_t *err, size_t line, const char *fmt, ...)
{
    va_list  args;

    err->line = line;

    va_start(args, fmt);
    (void) vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);

    return LLM_ERROR;
}
