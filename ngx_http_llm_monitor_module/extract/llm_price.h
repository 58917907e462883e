
/*
 * Copyright (C) llm_monitor contributors
 *
 * What an exchange cost: a table of prices, built in or from a file, and the
 * finder that looks them up for records.
 */


#ifndef _LLM_PRICE_H_INCLUDED_
#define _LLM_PRICE_H_INCLUDED_


#include "../record/llm_record.h"


#define LLM_PRICE_FILE     (8 * 1024 * 1024)    /* bytes of a file */

typedef struct {
    size_t    line;            /* 0: of no line */
    char      text[256];
} llm_price_error_t;

typedef struct llm_price_table_s   llm_price_table_t;
typedef struct llm_price_finder_s  llm_price_finder_t;


/*
 * Reads the text of a file: the JSON of genai-prices (version 2) or of
 * LiteLLM, told apart by their shape.  source is what price_source will say.
 * Anything that is wrong is an error and there is no table then.  A table
 * never changes and any thread may look at it; llm_price_free() gives all of
 * it back to mem.
 */
int llm_price_read(llm_price_table_t **table, const llm_str_t *text,
    const llm_str_t *source, const llm_mem_t *mem, llm_price_error_t *err);

/* The table that is compiled in. */
int llm_price_builtin(llm_price_table_t **table, const llm_mem_t *mem,
    llm_price_error_t *err);

void llm_price_free(llm_price_table_t *table);

const llm_str_t *llm_price_source(const llm_price_table_t *table);

/* numbers for those who ask how large it is; any may be NULL */
void llm_price_size(const llm_price_table_t *table, size_t *providers,
    size_t *models, size_t *bytes);


/*
 * Looks prices up and remembers the last few hundred answers; of one thread.
 * The table must outlive it.  NULL: no memory.
 */
llm_price_finder_t *llm_price_finder(const llm_price_table_t *table);
void llm_price_finder_free(llm_price_finder_t *f);

/*
 * Sets COST_NANO and PRICE_SOURCE of a record whose other fields are there;
 * both stay null where the model has no price, where nothing is known of its
 * tokens, and where the tokens are in no sum.  An answer of nginx's own cache
 * costs nothing.
 */
void llm_price_record(llm_price_finder_t *f, llm_record_t *r);


#endif /* _LLM_PRICE_H_INCLUDED_ */
