
/*
 * Copyright (C) llm_monitor contributors
 *
 * A reader of JSON that lies whole in memory: values are slices of the text,
 * nothing is allocated, nothing recursive.  It is lenient, and of a text that
 * was cut it gives what is there.  Any thread.
 */


#ifndef _LLM_PULL_H_INCLUDED_
#define _LLM_PULL_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_buf.h"


#define LLM_PULL_DEPTH   512    /* what is nested deeper is no value */


typedef struct {
    const uint8_t   *p;
    const uint8_t   *end;
    int              keys;      /* an object */
} llm_pull_t;


/* Members of an object, elements of an array; of anything else none. */
void llm_pull_open(llm_pull_t *it, const llm_str_t *value);

/* 1 and the next one; 0: no more.  key may be NULL; it is not unescaped. */
int llm_pull_next(llm_pull_t *it, llm_str_t *key, llm_str_t *value);

/*
 * Takes the next value off the text, which is then what follows it: 1, or 0
 * when there is none.
 */
int llm_pull_value(llm_str_t *text, llm_str_t *value);

/*
 * The value at a path of member names, "a.b.c"; a null value counts as none.
 * 1, or 0 and an empty slice.
 */
int llm_pull_get(const llm_str_t *value, const char *path, llm_str_t *out);

int llm_pull_is(const llm_str_t *value, char first);    /* '{', '[', '"' */
int llm_pull_equal(const llm_str_t *value, const char *text);
int64_t llm_pull_number(const llm_str_t *value, int64_t absent);

/* Appends the unescaped string; lone surrogates become U+FFFD. */
void llm_pull_text(const llm_str_t *value, llm_buf_t *out);


#endif /* _LLM_PULL_H_INCLUDED_ */
