
/*
 * Copyright (C) llm_monitor contributors
 *
 * Regular expressions of a configuration, bounded in all that they may take.
 * The only part that knows PCRE.
 */


#ifndef _LLM_REGEX_H_INCLUDED_
#define _LLM_REGEX_H_INCLUDED_


#include "../record/llm.h"


#define LLM_REGEX_PATTERN   512      /* bytes of a pattern */
#define LLM_REGEX_STEPS     10000    /* of one match; then there is none */
#define LLM_REGEX_HEAP      256      /* KB of one match */
#define LLM_REGEX_ERROR     160      /* bytes of an error text */


typedef struct llm_regex_s          llm_regex_t;
typedef struct llm_regex_matcher_s  llm_regex_matcher_t;


/*
 * Compiles into memory of mem, which outlives the expression; nothing is given
 * back one by one.  LLM_ERROR: error says why; LLM_NOMEM.  Any thread may
 * match against what was compiled.
 */
int llm_regex_compile(llm_regex_t **re, const llm_str_t *pattern,
    const llm_mem_t *mem, char *error);

/* The room that matching needs; one for each thread.  NULL: no memory. */
llm_regex_matcher_t *llm_regex_matcher(void);
void llm_regex_matcher_free(llm_regex_matcher_t *m);

/* 1 if the expression is found in s.  With at_start only at its beginning. */
int llm_regex_match(const llm_regex_t *re, llm_regex_matcher_t *m,
    const llm_str_t *s, int at_start);


#endif /* _LLM_REGEX_H_INCLUDED_ */
