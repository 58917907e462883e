
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH  8
#include <pcre2.h>

#include "llm_regex.h"


struct llm_regex_s {
    pcre2_code            *code;
};

struct llm_regex_matcher_s {
    pcre2_match_data      *data;
    pcre2_match_context   *context;
};


static void *llm_regex_alloc(size_t size, void *data);
static void llm_regex_free(void *p, void *data);


int
llm_regex_compile(llm_regex_t **re, const llm_str_t *pattern,
    const llm_mem_t *mem, char *error)
{
    int                     code;
    PCRE2_SIZE              offset;
    llm_regex_t            *r;
    pcre2_general_context  *general;
    pcre2_compile_context  *context;

    if (pattern->len > LLM_REGEX_PATTERN) {
        (void) snprintf(error, LLM_REGEX_ERROR, "is longer than %d bytes",
                        LLM_REGEX_PATTERN);
        return LLM_ERROR;
    }

    r = mem->alloc(mem->data, sizeof(llm_regex_t));
    general = pcre2_general_context_create(llm_regex_alloc, llm_regex_free,
                                           (void *) mem);
    if (r == NULL || general == NULL) {
        return LLM_NOMEM;
    }

    context = pcre2_compile_context_create(general);
    if (context == NULL) {
        return LLM_NOMEM;
    }

    /* as in JavaScript "$" is the very end, not also before a line feed */

    r->code = pcre2_compile(pattern->data, pattern->len,
                            PCRE2_DOLLAR_ENDONLY|PCRE2_NEVER_BACKSLASH_C
                            |PCRE2_NO_AUTO_CAPTURE,
                            &code, &offset, context);
    if (r->code == NULL) {
        if (code == PCRE2_ERROR_HEAP_FAILED) {
            return LLM_NOMEM;
        }

        (void) pcre2_get_error_message(code, (PCRE2_UCHAR *) error,
                                       LLM_REGEX_ERROR);
        return LLM_ERROR;
    }

    *re = r;

    return LLM_OK;
}


static void *
llm_regex_alloc(size_t size, void *data)
{
    const llm_mem_t  *mem = data;

    return mem->alloc(mem->data, size);
}


static void
llm_regex_free(void *p, void *data)
{
    const llm_mem_t  *mem = data;

    if (p != NULL) {
        mem->free(mem->data, p);
    }
}


llm_regex_matcher_t *
llm_regex_matcher(void)
{
    llm_regex_matcher_t  *m;

    m = malloc(sizeof(llm_regex_matcher_t));
    if (m == NULL) {
        return NULL;
    }

    m->data = pcre2_match_data_create(1, NULL);
    m->context = pcre2_match_context_create(NULL);

    if (m->data == NULL || m->context == NULL) {
        llm_regex_matcher_free(m);
        return NULL;
    }

    (void) pcre2_set_match_limit(m->context, LLM_REGEX_STEPS);
    (void) pcre2_set_heap_limit(m->context, LLM_REGEX_HEAP);

    return m;
}


void
llm_regex_matcher_free(llm_regex_matcher_t *m)
{
    if (m != NULL) {
        pcre2_match_data_free(m->data);
        pcre2_match_context_free(m->context);
        free(m);
    }
}


int
llm_regex_match(const llm_regex_t *re, llm_regex_matcher_t *m,
    const llm_str_t *s, int at_start)
{
    return pcre2_match(re->code, s->data, s->len, 0,
                       at_start ? PCRE2_ANCHORED : 0, m->data, m->context)
           >= 0;
}
