
/*
 * Copyright (C) llm_monitor contributors
 *
 * The compact form of the built-in table, a line each:
 *
 *   s SOURCE                     what price_source says
 *   v PROVIDER                   what follows is of this one
 *   h EXPRESSION                 of its URL
 *   n RULE...                    what else it is called
 *   g RULE...                    models that are its own wherever they turn up
 *   f PROVIDER...                whose models it has, too
 *   m MODEL RULE...              a model; "." stands for =MODEL
 *   p [WHEN] UNIT=PRICE...       its prices; the last line is asked first
 *
 * One of the rules must hold:  =equal  ^beginning  $end  ~part  /expression,
 * and &N and |N before N rules of which all or one must hold.  WHEN is a day,
 * from its beginning on, or two times of the day, "01:00:00Z-04:00:00Z".
 * A price may have steps, "1.25,200000:2.5": 2.5 above 200,000 input tokens.
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_builtin.h"
#include "llm_price_table.h"


typedef struct {
    llm_price_table_t      *table;
    llm_price_provider_t   *provider;
    llm_price_model_t      *model;
    llm_str_t               rest;       /* of the line */
    size_t                  line;
    llm_price_error_t      *err;
} llm_price_text_t;


static int llm_price_line(llm_price_text_t *t, uint8_t kind);
static int llm_price_line_provider(llm_price_text_t *t, uint8_t kind);
static int llm_price_line_model(llm_price_text_t *t);
static llm_price_rule_t *llm_price_rules(llm_price_text_t *t,
    llm_price_rule_e type, int64_t max, int depth);
static llm_price_rule_t *llm_price_rule(llm_price_text_t *t,
    const llm_str_t *word, int depth);
static int llm_price_line_prices(llm_price_text_t *t);
static int llm_price_when(const llm_str_t *word, llm_price_period_t *when);
static int llm_price_one(const llm_str_t *word, llm_price_set_t *set);
static int llm_price_split(llm_str_t *s, char at, llm_str_t *left);
static int llm_price_broken(llm_price_text_t *t, const char *what);


int
llm_price_builtin(llm_price_table_t **table, const llm_mem_t *mem,
    llm_price_error_t *err)
{
    llm_str_t           text;
    llm_price_table_t  *t;

    t = llm_price_table_create(mem);

    if (t == NULL) {
        return llm_price_fail(err, 0, "no memory");
    }

    text.data = (const uint8_t *) llm_price_builtin_text;
    text.len = strlen(llm_price_builtin_text);

    if (llm_price_read_text(t, &text, err) != LLM_OK) {
        llm_price_free(t);
        return LLM_ERROR;
    }

    *table = t;

    return LLM_OK;
}


int
llm_price_read_text(llm_price_table_t *table, const llm_str_t *text,
    llm_price_error_t *err)
{
    llm_str_t         left, kind;
    llm_price_text_t  t;

    memset(&t, 0, sizeof(llm_price_text_t));

    t.table = table;
    t.err = err;

    left = *text;

    while (left.len != 0) {
        t.line++;

        if (llm_price_split(&left, '\n', &t.rest) != LLM_OK) {
            t.rest = left;
            left.len = 0;
        }

        if (t.rest.len == 0) {
            continue;
        }

        if (llm_price_split(&t.rest, ' ', &kind) != LLM_OK || kind.len != 1) {
            return llm_price_broken(&t, "has no kind");
        }

        if (llm_price_line(&t, kind.data[0]) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_price_line(llm_price_text_t *t, uint8_t kind)
{
    switch (kind) {

    case 's':
        return llm_price_copy(t->table, &t->table->source, &t->rest, 0)
               == LLM_OK ? LLM_OK : llm_price_broken(t, "found no memory");

    case 'v':
        t->model = NULL;
        t->provider = llm_price_add_provider(t->table, &t->rest);

        return t->provider != NULL ? LLM_OK
                                   : llm_price_broken(t, "found no memory");

    case 'm':
        return t->provider != NULL ? llm_price_line_model(t)
                                   : llm_price_broken(t, "has no provider");

    case 'p':
        return t->model != NULL ? llm_price_line_prices(t)
                                : llm_price_broken(t, "has no model");

    default:
        return t->provider != NULL ? llm_price_line_provider(t, kind)
                                   : llm_price_broken(t, "has no provider");
    }
}


static int
llm_price_line_provider(llm_price_text_t *t, uint8_t kind)
{
    char                   error[LLM_REGEX_ERROR];
    llm_str_t              word;
    llm_price_rule_t     **rule;
    llm_price_provider_t  *p;

    p = t->provider;

    switch (kind) {

    case 'h':
        if (p->nhosts == LLM_PRICE_HOSTS
            || llm_regex_compile(&p->hosts[p->nhosts], &t->rest,
                                 &t->table->mem, error)
               != LLM_OK)
        {
            return llm_price_broken(t, "has a broken expression");
        }

        p->nhosts++;

        return LLM_OK;

    case 'n':
    case 'g':
        rule = (kind == 'n') ? &p->names : &p->names_of_models;
        *rule = llm_price_rules(t, LLM_RULE_OR, LLM_PRICE_RULES, 0);

        return *rule != NULL ? LLM_OK : llm_price_broken(t, "has a broken "
                                                         "rule");

    case 'f':
        while (llm_price_split(&t->rest, ' ', &word) == LLM_OK
               || (word = t->rest, t->rest.len = 0, word.len != 0))
        {
            if (p->nfallback == LLM_PRICE_FALLBACKS
                || llm_price_copy(t->table, &p->fallback[p->nfallback], &word,
                                  1)
                   != LLM_OK)
            {
                return llm_price_broken(t, "names too many");
            }

            p->nfallback++;
        }

        return LLM_OK;

    default:
        return llm_price_broken(t, "is of no kind");
    }
}


static int
llm_price_line_model(llm_price_text_t *t)
{
    llm_str_t  id;

    if (llm_price_split(&t->rest, ' ', &id) != LLM_OK) {
        return llm_price_broken(t, "has no rule");
    }

    t->model = llm_price_add_model(t->table, t->provider, &id);

    if (t->model == NULL) {
        return llm_price_broken(t, "found no memory");
    }

    t->model->match = llm_price_rules(t, LLM_RULE_OR, LLM_PRICE_RULES, 0);

    return t->model->match != NULL ? LLM_OK
                                   : llm_price_broken(t, "has a broken rule");
}


/* the next rules of the line, at most so many; a single one stays alone */

static llm_price_rule_t *
llm_price_rules(llm_price_text_t *t, llm_price_rule_e type, int64_t max,
    int depth)
{
    char                error[LLM_REGEX_ERROR];
    int64_t             n;
    llm_str_t           word;
    llm_price_rule_t   *first, **last, *list;

    first = NULL;
    last = &first;

    for (n = 0; n < max && t->rest.len != 0; n++) {

        if (llm_price_split(&t->rest, ' ', &word) != LLM_OK) {
            word = t->rest;
            t->rest.len = 0;
        }

        *last = llm_price_rule(t, &word, depth);

        if (*last == NULL) {
            return NULL;
        }

        last = &(*last)->next;
    }

    if (n == 1) {
        return first;
    }

    if (n == 0) {
        return NULL;
    }

    list = llm_price_add_rule(t->table, type, NULL, error);

    if (list != NULL) {
        list->child = first;
    }

    return list;
}


static llm_price_rule_t *
llm_price_rule(llm_price_text_t *t, const llm_str_t *word, int depth)
{
    char              error[LLM_REGEX_ERROR];
    int64_t           n;
    llm_str_t         text;
    llm_price_rule_e  type;

    if (word->len == 0 || depth == LLM_PRICE_DEPTH) {
        return NULL;
    }

    text.data = word->data + 1;
    text.len = word->len - 1;

    switch (word->data[0]) {

    case '.':
        return t->model != NULL
               ? llm_price_add_rule(t->table, LLM_RULE_EQUALS, &t->model->id,
                                    error)
               : NULL;

    case '=':
        type = LLM_RULE_EQUALS;
        break;

    case '^':
        type = LLM_RULE_STARTS;
        break;

    case '$':
        type = LLM_RULE_ENDS;
        break;

    case '~':
        type = LLM_RULE_CONTAINS;
        break;

    case '/':
        type = LLM_RULE_REGEX;
        break;

    case '&':
    case '|':
        if (llm_text_number(&text, &n) != LLM_OK || n < 1) {
            return NULL;
        }

        return llm_price_rules(t, word->data[0] == '&' ? LLM_RULE_AND
                                                       : LLM_RULE_OR,
                               n, depth + 1);

    default:
        return NULL;
    }

    return llm_price_add_rule(t->table, type, &text, error);
}


static int
llm_price_line_prices(llm_price_text_t *t)
{
    llm_str_t            word;
    llm_price_set_t      set;
    llm_price_period_t   when, *p;

    memset(&set, 0, sizeof(llm_price_set_t));
    memset(&when, 0, sizeof(llm_price_period_t));

    while (t->rest.len != 0) {

        if (llm_price_split(&t->rest, ' ', &word) != LLM_OK) {
            word = t->rest;
            t->rest.len = 0;
        }

        if (llm_price_when(&word, &when) != LLM_OK
            && llm_price_one(&word, &set) != LLM_OK)
        {
            return llm_price_broken(t, "has a broken price");
        }
    }

    p = llm_price_add_period(t->table, t->model, LLM_TIER_STANDARD, &set);

    if (p == NULL) {
        return llm_price_broken(t, "found no memory");
    }

    p->type = when.type;
    p->start = when.start;
    p->end = when.end;

    return LLM_OK;
}


static int
llm_price_when(const llm_str_t *word, llm_price_period_t *when)
{
    llm_str_t  start, end;

    if (llm_price_date(word, &when->start) == LLM_OK) {
        when->type = LLM_PERIOD_SINCE;
        return LLM_OK;
    }

    end = *word;

    if (llm_price_split(&end, '-', &start) == LLM_OK
        && llm_price_time(&start, &when->start) == LLM_OK
        && llm_price_time(&end, &when->end) == LLM_OK)
    {
        when->type = LLM_PERIOD_DAILY;
        return LLM_OK;
    }

    return LLM_ERROR;
}


/* "input=1.25,200000:2.5" */

static int
llm_price_one(const llm_str_t *word, llm_price_set_t *set)
{
    int        unit, scale;
    int64_t    price, above;
    llm_str_t  left, name, one, start;

    left = *word;

    if (llm_price_split(&left, '=', &name) != LLM_OK) {
        return LLM_ERROR;
    }

    unit = llm_price_unit(&name, 0, &scale);

    if (unit == LLM_ERROR || (set->units & (1u << unit))) {
        return LLM_ERROR;
    }

    if (llm_price_split(&left, ',', &one) != LLM_OK) {
        one = left;
        left.len = 0;
    }

    if (llm_price_decimal(&one, scale, &set->price[unit]) != LLM_OK) {
        return LLM_ERROR;
    }

    set->units |= 1u << unit;

    while (left.len != 0) {

        if (llm_price_split(&left, ',', &one) != LLM_OK) {
            one = left;
            left.len = 0;
        }

        if (llm_price_split(&one, ':', &start) != LLM_OK
            || llm_text_number(&start, &above) != LLM_OK
            || llm_price_decimal(&one, scale, &price) != LLM_OK
            || llm_price_add_step(set, unit, above, price) != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


/* What is left of the first such character; s is then what follows it. */

static int
llm_price_split(llm_str_t *s, char at, llm_str_t *left)
{
    const uint8_t  *p;

    p = memchr(s->data, at, s->len);

    if (p == NULL) {
        return LLM_ERROR;
    }

    left->data = s->data;
    left->len = p - s->data;

    s->len -= left->len + 1;
    s->data = p + 1;

    return LLM_OK;
}


static int
llm_price_broken(llm_price_text_t *t, const char *what)
{
    return llm_price_fail(t->err, t->line, "the line %s", what);
}
