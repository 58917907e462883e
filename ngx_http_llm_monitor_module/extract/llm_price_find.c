
/*
 * Copyright (C) llm_monitor contributors
 *
 * From the names in a record to the model in the table: the provider is looked
 * for first, by its host or its name, then the model among the provider's.
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_price_table.h"


#define LLM_PRICE_NAME   256      /* bytes of a name; a longer one is none */

typedef struct {
    const llm_price_table_t   *table;
    llm_regex_matcher_t       *matcher;
    const llm_str_t           *provider;    /* small letters, no blanks */
    const llm_str_t           *model;
} llm_price_look_t;


static int llm_price_lower(llm_str_t *s, uint8_t *buf);
static const llm_price_model_t *llm_price_look(llm_price_look_t *l,
    int protocol);
static const llm_price_provider_t *llm_price_provider(llm_price_look_t *l,
    int protocol, int *sure);
static const llm_price_provider_t *llm_price_by_host(llm_price_look_t *l);
static const llm_price_provider_t *llm_price_by_id(
    const llm_price_table_t *t, const llm_str_t *id);
static const llm_price_model_t *llm_price_openai(llm_price_look_t *l);
static const llm_price_model_t *llm_price_prefixed(llm_price_look_t *l);
static const llm_price_model_t *llm_price_by_model_id(llm_price_look_t *l);
static const llm_price_model_t *llm_price_of(llm_price_look_t *l,
    const llm_price_provider_t *p);
static const llm_price_model_t *llm_price_among(llm_price_look_t *l,
    const llm_price_provider_t *p);
static size_t llm_price_dashed(uint8_t *buf, const llm_str_t *model);
static int llm_price_match(llm_price_look_t *l, const llm_price_rule_t *rule,
    const llm_str_t *s);
static int llm_price_contains(const llm_str_t *s, const llm_str_t *part);
static int llm_price_equal(const llm_str_t *a, const llm_str_t *b);


const llm_price_model_t *
llm_price_find(const llm_price_table_t *t, llm_regex_matcher_t *m,
    int protocol, const llm_str_t *provider, const llm_str_t *model)
{
    uint8_t           buf[2][LLM_PRICE_NAME];
    llm_str_t         names[2];
    llm_price_look_t  look;

    names[0] = *provider;
    names[1] = *model;

    if (llm_price_lower(&names[1], buf[1]) != LLM_OK || names[1].len == 0) {
        return NULL;
    }

    if (llm_price_lower(&names[0], buf[0]) != LLM_OK) {
        names[0].len = 0;
    }

    look.table = t;
    look.matcher = m;
    look.provider = &names[0];
    look.model = &names[1];

    return llm_price_look(&look, protocol);
}


static int
llm_price_lower(llm_str_t *s, uint8_t *buf)
{
    const uint8_t  *p, *end;

    p = s->data;
    end = p + s->len;

    while (p < end && *p == ' ') {
        p++;
    }

    while (p < end && end[-1] == ' ') {
        end--;
    }

    if (end - p > LLM_PRICE_NAME) {
        return LLM_ERROR;
    }

    s->len = end - p;
    llm_text_lower(buf, p, s->len);
    s->data = buf;

    return LLM_OK;
}


static const llm_price_model_t *
llm_price_look(llm_price_look_t *l, int protocol)
{
    int                          sure;
    const llm_price_model_t     *m;
    const llm_price_provider_t  *p;

    sure = 0;
    m = NULL;
    p = llm_price_provider(l, protocol, &sure);

    if (p != NULL) {
        m = llm_price_of(l, p);
    }

    if (m != NULL) {
        return m;
    }

    if (l->table->by_id) {
        return llm_price_by_model_id(l);
    }

    /*
     * Who is known for sure asks its own prices, not another's for the like
     * model.  A model of an own machine has the name of a paid one.
     */

    if (sure || protocol == LLM_PROTOCOL_OLLAMA) {
        return NULL;
    }

    for (p = l->table->providers; p != NULL; p = p->next) {
        if (p->names_of_models != NULL
            && llm_price_match(l, p->names_of_models, l->model))
        {
            m = llm_price_of(l, p);
            break;
        }
    }

    if (p == NULL && protocol == LLM_PROTOCOL_OPENAI) {
        m = llm_price_openai(l);
    }

    return (m != NULL) ? m : llm_price_prefixed(l);
}


static const llm_price_provider_t *
llm_price_provider(llm_price_look_t *l, int protocol, int *sure)
{
    const llm_price_provider_t  *p;

    static const llm_str_t  aws = llm_str("aws");

    p = NULL;

    if (l->provider->len != 0) {
        p = llm_price_by_host(l);

        if (p == NULL) {
            p = llm_price_by_id(l->table, l->provider);
        }
    }

    if (p != NULL) {
        *sure = 1;
        return p;
    }

    for (p = l->table->providers;
         p != NULL && l->provider->len != 0;
         p = p->next)
    {
        if (p->names != NULL && llm_price_match(l, p->names, l->provider)) {
            return p;
        }
    }

    /* a protocol that one provider speaks */

    if (protocol == LLM_PROTOCOL_BEDROCK) {
        return llm_price_by_id(l->table, &aws);
    }

    return NULL;
}


/* expressions are for a URL, of which only the host is known */

static const llm_price_provider_t *
llm_price_by_host(llm_price_look_t *l)
{
    int                          i;
    size_t                       n;
    uint8_t                      buf[LLM_PRICE_NAME + 16];
    llm_str_t                    url;
    const llm_price_provider_t  *p;

    if (memchr(l->provider->data, '.', l->provider->len) == NULL) {
        return NULL;
    }

    n = sizeof("https://") - 1;

    memcpy(buf, "https://", n);
    memcpy(buf + n, l->provider->data, l->provider->len);
    n += l->provider->len;
    buf[n++] = '/';

    url.data = buf;
    url.len = n;

    for (p = l->table->providers; p != NULL; p = p->next) {
        for (i = 0; i < p->nhosts; i++) {
            if (llm_regex_match(p->hosts[i], l->matcher, &url, 1)) {
                return p;
            }
        }
    }

    return NULL;
}


static const llm_price_provider_t *
llm_price_by_id(const llm_price_table_t *t, const llm_str_t *id)
{
    const llm_price_provider_t  *p;

    for (p = t->providers; p != NULL; p = p->next) {
        if (llm_price_equal(&p->id, id)) {
            return p;
        }
    }

    return NULL;
}


/*
 * Families of OpenAI's that the table's rule for the names of its models does
 * not have; what others call so is not among its models.
 */

static const llm_price_model_t *
llm_price_openai(llm_price_look_t *l)
{
    size_t                       i;
    const llm_price_provider_t  *p;

    static const llm_str_t  openai = llm_str("openai");

    static const llm_str_t  families[] = {
        llm_str("text-embedding-"), llm_str("chatgpt-"), llm_str("codex-"),
        llm_str("computer-use-"), llm_str("ft:gpt-"), llm_str("tts-"),
        llm_str("dall-e-"), llm_str("omni-moderation-"),
        llm_str("text-moderation-")
    };

    for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {

        if (l->model->len > families[i].len
            && memcmp(l->model->data, families[i].data, families[i].len) == 0)
        {
            p = llm_price_by_id(l->table, &openai);

            return p != NULL ? llm_price_of(l, p) : NULL;
        }
    }

    return NULL;
}


/* "anthropic/claude-sonnet-4-5", as gateways call them */

static const llm_price_model_t *
llm_price_prefixed(llm_price_look_t *l)
{
    llm_str_t                    prefix, rest;
    const uint8_t               *slash;
    llm_price_look_t             look;
    const llm_price_provider_t  *p;

    slash = memchr(l->model->data, '/', l->model->len);

    if (slash == NULL) {
        return NULL;
    }

    prefix.data = l->model->data;
    prefix.len = slash - prefix.data;
    rest.data = slash + 1;
    rest.len = l->model->len - prefix.len - 1;

    p = llm_price_by_id(l->table, &prefix);

    if (p == NULL) {
        return NULL;
    }

    look = *l;
    look.model = &rest;

    return llm_price_of(&look, p);
}


static const llm_price_model_t *
llm_price_by_model_id(llm_price_look_t *l)
{
    const llm_price_model_t     *m;
    const llm_price_provider_t  *p;

    for (p = l->table->providers; p != NULL; p = p->next) {
        for (m = p->models; m != NULL; m = m->next) {
            if (llm_price_equal(&m->id, l->model)) {
                return m;
            }
        }
    }

    return NULL;
}


/* under its own name, else with dashes in the date at its end */

static const llm_price_model_t *
llm_price_of(llm_price_look_t *l, const llm_price_provider_t *p)
{
    int                          i;
    uint8_t                      buf[LLM_PRICE_NAME * 2];
    llm_str_t                    dashed;
    llm_price_look_t             look;
    const llm_price_model_t     *m;
    const llm_price_provider_t  *other;

    look = *l;

    for ( ;; ) {
        m = llm_price_among(&look, p);

        for (i = 0; m == NULL && i < p->nfallback; i++) {
            other = llm_price_by_id(l->table, &p->fallback[i]);

            if (other != NULL) {
                m = llm_price_among(&look, other);
            }
        }

        if (m != NULL || look.model == &dashed) {
            return m;
        }

        dashed.data = buf;
        dashed.len = llm_price_dashed(buf, l->model);

        if (dashed.len == l->model->len) {
            return NULL;
        }

        look.model = &dashed;
    }
}


static const llm_price_model_t *
llm_price_among(llm_price_look_t *l, const llm_price_provider_t *p)
{
    const llm_price_model_t  *m;

    for (m = p->models; m != NULL; m = m->next) {
        if (m->match != NULL && llm_price_match(l, m->match, l->model)) {
            return m;
        }
    }

    return NULL;
}


/* "-20250929" becomes "-2025-09-29" where a name or a part of it ends */

static size_t
llm_price_dashed(uint8_t *buf, const llm_str_t *model)
{
    int64_t         ms;
    uint8_t        *d, date[10];
    llm_str_t       s;
    const uint8_t  *p, *end;

    d = buf;
    p = model->data;
    end = p + model->len;

    s.data = date;
    s.len = sizeof(date);

    while (p < end) {
        *d++ = *p++;

        if (p[-1] != '-' || end - p < 8 || memcmp(p, "20", 2) != 0
            || (end - p > 8 && p[8] != '-' && p[8] != ':'))
        {
            continue;
        }

        memcpy(date, p, 4);
        date[4] = '-';
        memcpy(date + 5, p + 4, 2);
        date[7] = '-';
        memcpy(date + 8, p + 6, 2);

        if (llm_price_date(&s, &ms) == LLM_OK) {
            memcpy(d, date, sizeof(date));
            d += sizeof(date);
            p += 8;
        }
    }

    return d - buf;
}


static int
llm_price_match(llm_price_look_t *l, const llm_price_rule_t *rule,
    const llm_str_t *s)
{
    const llm_str_t         *text;
    const llm_price_rule_t  *child;

    text = &rule->text;

    switch (rule->type) {

    case LLM_RULE_EQUALS:
        return llm_price_equal(text, s);

    case LLM_RULE_STARTS:
        return s->len >= text->len
               && memcmp(s->data, text->data, text->len) == 0;

    case LLM_RULE_ENDS:
        return s->len >= text->len
               && memcmp(s->data + s->len - text->len, text->data, text->len)
                  == 0;

    case LLM_RULE_CONTAINS:
        return llm_price_contains(s, text);

    case LLM_RULE_REGEX:
        return llm_regex_match(rule->regex, l->matcher, s, 0);

    case LLM_RULE_AND:
        for (child = rule->child; child != NULL; child = child->next) {
            if (!llm_price_match(l, child, s)) {
                return 0;
            }
        }

        return 1;

    default: /* LLM_RULE_OR */
        for (child = rule->child; child != NULL; child = child->next) {
            if (llm_price_match(l, child, s)) {
                return 1;
            }
        }

        return 0;
    }
}


static int
llm_price_contains(const llm_str_t *s, const llm_str_t *part)
{
    const uint8_t  *p, *end;

    if (part->len == 0) {
        return 1;
    }

    if (s->len < part->len) {
        return 0;
    }

    p = s->data;
    end = p + s->len - part->len + 1;

    while (p < end) {
        p = memchr(p, part->data[0], end - p);

        if (p == NULL) {
            return 0;
        }

        if (memcmp(p, part->data, part->len) == 0) {
            return 1;
        }

        p++;
    }

    return 0;
}


static int
llm_price_equal(const llm_str_t *a, const llm_str_t *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}
