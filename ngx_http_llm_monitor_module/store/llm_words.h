
/*
 * Copyright (C) llm_monitor contributors
 *
 * What ids of the dictionary mean, kept while one statement goes over many
 * rows: most have the values of some row before them.  Bounded in memory;
 * what is kept holds within one transaction, for ids may be given again.
 */


#ifndef _LLM_WORDS_H_INCLUDED_
#define _LLM_WORDS_H_INCLUDED_


#include <sqlite3.h>
#include "../record/llm.h"


#define LLM_WORDS_SLOTS  4096            /* a power of two */
#define LLM_WORDS_TEXT   (256 * 1024)    /* bytes */


typedef struct {
    int64_t        id;                   /* 0: free */
    llm_str_t      word;                 /* in text */
} llm_words_slot_t;

typedef struct {
    sqlite3_stmt      *stmt;
    size_t             len;              /* of text */
    llm_words_slot_t   slot[LLM_WORDS_SLOTS];
    uint8_t            text[LLM_WORDS_TEXT];
} llm_words_t;


/* LLM_NOMEM, or LLM_ERROR: the error is the connection's. */
int llm_words_create(llm_words_t **words, sqlite3 *db);
void llm_words_free(llm_words_t *words);

/*
 * Before each row: makes room for n values, of at most LLM_DICT_VALUE_MAX
 * bytes each.  What was given before is not valid any more.
 */
void llm_words_row(llm_words_t *words, size_t n);

/*
 * The value of an id in word; null data: there is none.  LLM_ERROR: the error
 * is the connection's.
 */
int llm_words_get(llm_words_t *words, int64_t id, llm_str_t *word);


#endif /* _LLM_WORDS_H_INCLUDED_ */
