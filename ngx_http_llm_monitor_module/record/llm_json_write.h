
/*
 * Copyright (C) llm_monitor contributors
 *
 * Writes JSON: commas and escapes are its concern, nesting the caller's.
 * Strings are scrubbed to valid UTF-8 (a byte or a cut-off character that is
 * no UTF-8 becomes U+FFFD), NUL and control characters are escaped, and so are
 * <, U+2028 and U+2029, so that an answer is inert wherever it is pasted.
 * Failures stay in the buffer's failed; LLM_JSON_DEPTH bounds the nesting.
 */


#ifndef _LLM_JSON_WRITE_H_INCLUDED_
#define _LLM_JSON_WRITE_H_INCLUDED_


#include "llm_buf.h"


#define LLM_JSON_DEPTH   32

typedef struct {
    llm_buf_t   *out;
    int          depth;
    uint8_t      comma[LLM_JSON_DEPTH];
    uint8_t      key;            /* a name was written, its value is next */
    uint8_t      nrest;          /* bytes of a cut UTF-8 character */
    uint8_t      rest[4];
} llm_json_t;


void llm_json_init(llm_json_t *j, llm_buf_t *out);

void llm_json_open_object(llm_json_t *j);
void llm_json_close_object(llm_json_t *j);
void llm_json_open_array(llm_json_t *j);
void llm_json_close_array(llm_json_t *j);

void llm_json_key(llm_json_t *j, const char *name);

void llm_json_null(llm_json_t *j);
void llm_json_bool(llm_json_t *j, int v);
void llm_json_int(llm_json_t *j, int64_t v);        /* LLM_NULL: null */
void llm_json_string(llm_json_t *j, const uint8_t *p, size_t n);
void llm_json_str(llm_json_t *j, const llm_str_t *s);    /* null data: null */
void llm_json_text(llm_json_t *j, const char *text);     /* NULL: null */

/* v / 10^decimals (0..18), not rounded; LLM_NULL: null */
void llm_json_decimal(llm_json_t *j, int64_t v, int decimals);

/* A JSON text that is known to be valid, as it is. */
void llm_json_raw(llm_json_t *j, const uint8_t *p, size_t n);

/*
 * A string in pieces: open, append any number of times, close.  A piece may
 * end in the middle of a character.
 */
void llm_json_open_string(llm_json_t *j);
void llm_json_append(llm_json_t *j, const uint8_t *p, size_t n);
void llm_json_close_string(llm_json_t *j);


#endif /* _LLM_JSON_WRITE_H_INCLUDED_ */
