
/*
 * Copyright (C) llm_monitor contributors
 *
 * Writes CSV (RFC 4180): commas, quotes and line ends are its concern.  Texts
 * are scrubbed to valid UTF-8, and one that a spreadsheet would take for a
 * formula gets an apostrophe in front.  Failures stay in the buffer's failed.
 */


#ifndef _LLM_CSV_H_INCLUDED_
#define _LLM_CSV_H_INCLUDED_


#include "../record/llm_buf.h"
#include "llm_tz.h"


typedef struct {
    llm_buf_t   *out;
    int          cells;          /* in this line */
    uint8_t      nrest;          /* bytes of a cut UTF-8 character */
    uint8_t      rest[4];
    int          begun;          /* of an open text: something was written */
} llm_csv_t;


void llm_csv_init(llm_csv_t *csv, llm_buf_t *out);

void llm_csv_null(llm_csv_t *csv);
void llm_csv_bool(llm_csv_t *csv, int v);

/* v / 10^decimals; LLM_NULL: an empty cell */
void llm_csv_decimal(llm_csv_t *csv, int64_t v, int decimals);

/* ms since 1970 in tz, ISO 8601 with its offset */
void llm_csv_time(llm_csv_t *csv, int64_t ms, const llm_tz_t *tz);

/* Null data: an empty cell without quotes; an empty text has them. */
void llm_csv_text(llm_csv_t *csv, const llm_str_t *s);

/* A text in pieces, which may end in the middle of a character. */
void llm_csv_open(llm_csv_t *csv);
void llm_csv_append(llm_csv_t *csv, const uint8_t *p, size_t n);
void llm_csv_close(llm_csv_t *csv);

void llm_csv_line(llm_csv_t *csv);


#endif /* _LLM_CSV_H_INCLUDED_ */
