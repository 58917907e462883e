
/*
 * Copyright (C) llm_monitor contributors
 *
 * Reads a whole, short JSON text.  The only part that knows yajl, which is
 * never given more: it is quadratic on strings that come in pieces and does
 * not survive an allocator that fails.
 */


#ifndef _LLM_JSON_H_INCLUDED_
#define _LLM_JSON_H_INCLUDED_


#include "../record/llm.h"


#define LLM_JSON_MAX     4096    /* bytes of a text */
#define LLM_JSON_LEVELS  64      /* a deeper text is read up to there */


/*
 * Is called for each string and number with the keys that lead to it, joined
 * by dots ("error.message"); arrays leave no trace.  value is unescaped and
 * valid during the call only.  Other than 0 ends the walk.
 */
typedef int (*llm_json_pt)(void *data, const char *path, int number,
    const llm_str_t *value);

/*
 * A text that is cut or broken is read up to there.  LLM_FULL: longer than
 * LLM_JSON_MAX; LLM_NOMEM; LLM_OK.
 */
int llm_json_walk(const uint8_t *p, size_t n, const llm_mem_t *mem,
    llm_json_pt fn, void *data);


/*
 * Whether the whole text, of any length, is one JSON value that is nested no
 * deeper than LLM_JSON_LEVELS.  LLM_ERROR: it is none, and *at is about where;
 * LLM_NOMEM.  For files that a person wrote, not for the request path.
 */
int llm_json_check(const uint8_t *p, size_t n, const llm_mem_t *mem,
    size_t *at);


/* Writes the version of the library, at most LLM_JSON_LIBRARY bytes. */
#define LLM_JSON_LIBRARY  32

void llm_json_library(char *text);


#endif /* _LLM_JSON_H_INCLUDED_ */
