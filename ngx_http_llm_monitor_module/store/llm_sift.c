
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stddef.h>
#include "llm_sift.h"


/* numbers in SQL, which takes no names */

_Static_assert(LLM_RECORD_NO_SUMS == 4 && LLM_DICT_MODEL == 6
               && LLM_PROTOCOL_ANTHROPIC == 2 && LLM_PROTOCOL_GEMINI == 3
               && LLM_OPERATION_CHAT == 1 && LLM_OPERATION_COMPLETION == 2
               && LLM_OPERATION_RESPONSES == 3
               && LLM_OPERATION_EMBEDDINGS == 4,
               "llm_sift_flags has other numbers");


#define LLM_SIFT_WORD(protocol, like)                                         \
    "(l.protocol = " protocol " OR l.model IN (SELECT id FROM dict"           \
    " WHERE kind = 6 AND value LIKE '" like "')"                              \
    " OR l.over ->> '$.model' LIKE '" like "')"

static const char *const  llm_sift_flags[LLM_SIFT_FLAG_COUNT] = {

    "l.failed > 0",

    /* what is in no sum, such as an answer that is read again, is free */

    "(l.cost_nano IS NULL AND (l.input_tokens IS NOT NULL"
    " OR l.output_tokens IS NOT NULL) AND coalesce(l.flags, 0) & 4 = 0)",

    /* a good answer to a call that providers report usage for */

    "(l.input_tokens IS NULL AND l.output_tokens IS NULL"
    " AND l.status BETWEEN 200 AND 299 AND l.operation IN (1, 2, 3, 4))",

    LLM_SIFT_WORD("3", "%gemini%"),
    LLM_SIFT_WORD("2", "%claude%")
};


/* the more values a dimension has, the fewer rows have one */

static const struct {
    int  series;
    int  rank;
} llm_sift_columns[LLM_SIFT_COLUMNS] = {
    { -1, 0 },
    { LLM_SERIES_STATUS, 0 },
    { LLM_SERIES_OUTCOME, 1 },
    { LLM_SERIES_OPERATION, 1 },
    { LLM_SERIES_PROTOCOL, 1 },
    { -1, 0 },
    { -1, 0 },
    { LLM_SERIES_PROVIDER, 2 },
    { LLM_SERIES_MODEL, 4 },
    { LLM_SERIES_ENDPOINT, 3 },
    { LLM_SERIES_ACCOUNT, 0 },
    { LLM_SERIES_USER, 5 },
    { LLM_SERIES_KEY, 0 },
    { LLM_SERIES_IP, 6 },
    { -1, 0 },
    { -1, 0 },
    { -1, 0 }
};


void
llm_sift_term(llm_sift_t *s, int column)
{
    llm_sift_term_t  *term;

    if (s->nterms == LLM_SIFT_TERMS) {
        s->partial = 1;
        return;
    }

    term = &s->term[s->nterms++];

    term->column = column;
    term->first = s->nranges;
    term->n = 0;
    term->bits = 0;
}


void
llm_sift_range(llm_sift_t *s, int64_t low, int64_t high)
{
    if (s->nterms == 0 || s->nranges == LLM_SIFT_RANGES) {
        s->partial = 1;
        return;
    }

    s->range[s->nranges].low = low;
    s->range[s->nranges].high = high;
    s->nranges++;

    s->term[s->nterms - 1].n++;
}


void
llm_sift_id(llm_sift_t *s, int64_t id)
{
    if (id != 0) {
        llm_sift_range(s, id, id);
    }
}


void
llm_sift_flag(llm_sift_t *s, llm_sift_flag_e flag)
{
    llm_sift_term(s, LLM_SIFT_FLAGS);

    if (s->nterms != 0) {
        s->term[s->nterms - 1].bits = (int64_t) 1 << flag;
    }
}


const char *
llm_sift_flag_sql(llm_sift_flag_e flag)
{
    return llm_sift_flags[flag];
}


int
llm_sift_passes(const llm_sift_t *s, const llm_sift_term_t *term, int64_t v)
{
    int                      i;
    const llm_sift_range_t  *range;

    if (term->bits != 0) {
        return (v & term->bits) != 0;
    }

    range = &s->range[term->first];

    for (i = 0; i < term->n; i++) {
        if (v >= range[i].low && v <= range[i].high) {
            return 1;
        }
    }

    return 0;
}


int
llm_sift_series(int column)
{
    return llm_sift_columns[column].series;
}


int
llm_sift_within(const llm_sift_t *s, int64_t *from, int64_t *to)
{
    *from = *from > s->from ? *from : s->from;
    *to = *to < s->to ? *to : s->to;

    return *from < *to;
}


void
llm_sift_dim(const llm_sift_t *s, llm_sift_dim_t *dim)
{
    int                     i, best, rank;
    const llm_sift_term_t  *term, *chosen;

    best = 0;
    chosen = NULL;
    dim->dim = LLM_SERIES_TOTAL;
    dim->n = 0;

    for (i = 0; i < s->nterms; i++) {
        term = &s->term[i];
        rank = llm_sift_columns[term->column].rank;

        if (rank > best && term->n <= LLM_SIFT_VALUES) {
            best = rank;
            chosen = term;
        }
    }

    if (chosen == NULL) {
        return;
    }

    dim->dim = llm_sift_columns[chosen->column].series;

    for (i = 0; i < chosen->n; i++) {
        dim->value[dim->n++] = s->range[chosen->first + i].low;
    }
}
