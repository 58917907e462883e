
/*
 * Copyright (C) llm_monitor contributors
 *
 * Small text helpers that several parts share.  All of them take lengths,
 * read no byte past them and keep no state, so any thread may call them.
 */


#ifndef _LLM_TEXT_H_INCLUDED_
#define _LLM_TEXT_H_INCLUDED_


#include "llm.h"


/*
 * Decodes the UTF-8 character at p, n > 0 bytes.  Returns its length, 1 to 4;
 * 0 if the n bytes are only the beginning of one; or -k if the first k bytes
 * are no UTF-8 and stand for one U+FFFD.  c may be NULL.
 */
int llm_utf8_decode(const uint8_t *p, size_t n, uint32_t *c);

/* Whether all of it is UTF-8. */
int llm_utf8_valid(const uint8_t *p, size_t n);

/*
 * The same of a text in pieces, so far: a character that is cut may go on.  u
 * is of zeros first.
 */
typedef struct {
    uint8_t  n;
    uint8_t  byte[4];
} llm_utf8_t;

int llm_utf8_more(llm_utf8_t *u, const uint8_t *p, size_t n);

/* The largest length <= max that does not cut a UTF-8 character of p. */
size_t llm_utf8_cut(const uint8_t *p, size_t n, size_t max);


/*
 * Copies a header's value or the like to dst, which has room for max bytes:
 * control characters are removed, what is no UTF-8 becomes U+FFFD, and the end
 * is cut on a character's boundary.  Returns the bytes written.
 */
size_t llm_text_scrub(uint8_t *dst, size_t max, const uint8_t *p, size_t n);


/* Equality; the second ignores the case of ASCII letters. */
int llm_text_equal(const llm_str_t *s, const char *text);
int llm_text_equal_nocase(const llm_str_t *s, const char *text);

/* Whether s begins with text, ignoring the case of ASCII letters. */
int llm_text_begins_nocase(const llm_str_t *s, const char *text);

/*
 * The first place of the lower case text in s, ignoring the case of ASCII
 * letters; NULL: it is not there.  For short texts: no index is built.
 */
const uint8_t *llm_text_find_nocase(const llm_str_t *s, const char *text);

/* Lower case of ASCII letters; dst may be p. */
void llm_text_lower(uint8_t *dst, const uint8_t *p, size_t n);


/* Writes 2 * n lower case hexadecimal digits, no terminator. */
void llm_text_hex(uint8_t *dst, const uint8_t *p, size_t n);

/*
 * Writes a label's value as Prometheus reads it: 2 * n bytes at most, whose end
 * it returns.  It has no control characters, see llm_metrics_label().
 */
uint8_t *llm_text_label(uint8_t *dst, const uint8_t *p, size_t n);

/* Reads n digits, at most 16, of either case.  LLM_OK or LLM_ERROR. */
int llm_text_unhex(const uint8_t *p, size_t n, uint64_t *v);

/* A decimal number, whole text, no sign, no blank; LLM_ERROR: it is none. */
int llm_text_number(const llm_str_t *s, int64_t *v);


#endif /* _LLM_TEXT_H_INCLUDED_ */
