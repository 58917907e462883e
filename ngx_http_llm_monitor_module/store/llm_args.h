
/*
 * Copyright (C) llm_monitor contributors
 *
 * A query string taken apart: names and values, decoded.
 */


#ifndef _LLM_ARGS_H_INCLUDED_
#define _LLM_ARGS_H_INCLUDED_


#include "llm_query.h"


#define LLM_ARGS_MAX   65536              /* bytes of a query string */


/* Takes one parameter; LLM_ERROR ends the reading. */
typedef int (*llm_arg_pt)(void *data, const llm_str_t *name,
    const llm_str_t *value);

/*
 * Gives each name and value, decoded, valid UTF-8 and without NUL, to take.
 * They point into *room, which the caller frees, also after LLM_ERROR, whose
 * reason is in err.
 */
int llm_args_read(const llm_str_t *query, uint8_t **room, llm_arg_pt take,
    void *data, llm_query_error_t *err);

/* Sets "<name> <what>" as the error; always LLM_ERROR. */
int llm_args_fail(llm_query_error_t *err, const llm_str_t *name,
    const char *what);


#endif /* _LLM_ARGS_H_INCLUDED_ */
