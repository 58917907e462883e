
/*
 * Copyright (C) llm_monitor contributors
 *
 * A block: what some thousand rows of log that follow each other have in the
 * columns that filters ask for, by column.  It is made from the rows when they
 * are not new any more, and goes as soon as one of them changes, goes, or comes
 * late: what is there is true.
 *
 * The heads say of each column which values there are and how often, if these
 * are few, else from where to where they are; they are read at once, and mostly
 * enough.  The codes say it of each row.
 */


#ifndef _LLM_BLOCK_H_INCLUDED_
#define _LLM_BLOCK_H_INCLUDED_


#include "llm_sift.h"
#include "../record/llm_buf.h"


#define LLM_BLOCK_ROWS     4000       /* at most: of 4 bytes they fill a page */
#define LLM_BLOCK_ROOM     4032       /* so that they are whole steps of 64 */
#define LLM_BLOCK_FILL     3600       /* of a new one: some may come late */
#define LLM_BLOCK_VALUES   256        /* more of them have no list */
#define LLM_BLOCK_HEADS    65535      /* bytes of all heads together */

/* beside those of llm_sift_column_e; stored like these */
#define LLM_BLOCK_IDS      LLM_SIFT_COLUMNS
#define LLM_BLOCK_TTFT     (LLM_SIFT_COLUMNS + 1)    /* us, or -1 */
#define LLM_BLOCK_COLUMNS  (LLM_SIFT_COLUMNS + 2)

/* block_codes.id of a column of block.slot */
#define llm_block_codes_id(column, slot)  ((int64_t) (column) << 40 | (slot))


typedef struct {
    int             width;        /* bytes of a code; 0: all have one value */
    int             bits;         /* of a code as it is stored */
    int             values;       /* in the list; 0: there is none, a code */
    int64_t         min;          /* is the distance from min */
    int64_t         max;
    int64_t         second;       /* no value is between min and this one */
    int             bytes;        /* of a value in the list */
    const uint8_t  *list;         /* distances from min, in order */
    const uint8_t  *counts;
} llm_block_head_t;


/* which rows pass a term */

typedef enum {
    LLM_BLOCK_NONE = 0, LLM_BLOCK_SOME, LLM_BLOCK_ALL,
    LLM_BLOCK_UNKNOWN                 /* they must be looked at themselves */
} llm_block_pass_e;


/*
 * Appends the head and the codes of a column of n values, 1 to LLM_BLOCK_ROWS.
 * Those of a list of at most 16 values are stored as some bits each.
 */
void llm_block_write(const int64_t *v, int n, llm_buf_t *head,
    llm_buf_t *codes);

/*
 * Heads begin with an array of their places, two bytes a column; blocks of an
 * older version have fewer columns.  LLM_ERROR: these are no such bytes.
 */
void llm_block_place(uint8_t *heads, int column, size_t place);
int llm_block_head(const uint8_t *heads, size_t len, int column, int n,
    llm_block_head_t *head);

/*
 * The codes of n rows as whole bytes, which is what the others take: stored of
 * len bytes, codes of LLM_BLOCK_ROOM where they are some bits each.  NULL: so
 * many rows have another length.
 */
const uint8_t *llm_block_codes(const llm_block_head_t *head,
    const uint8_t *stored, size_t len, int n, uint8_t *codes);

/*
 * Which rows pass; *passed is their number where it is known (there is a list,
 * or it is all or none of the n), else -1.
 */
llm_block_pass_e llm_block_term(const llm_block_head_t *head,
    const llm_sift_t *s, const llm_sift_term_t *term, int n, int *passed);

/*
 * Rows as a byte each, of LLM_BLOCK_ROOM bytes: all n of a block are 1, what is
 * behind them is 0.  A filter keeps those that pass a term, and answers how
 * many they are; codes are of a width that is not 0.
 */
void llm_block_rows(uint8_t *rows, int n);
int llm_block_filter(const llm_block_head_t *head, const uint8_t *codes,
    const llm_sift_t *s, const llm_sift_term_t *term, uint8_t *rows, int n);

/* The places of those that are left, at most n, and how many there are. */
int llm_block_places(const uint8_t *rows, int n, uint16_t *at);

/* The value of a row; codes are not looked at where width is 0. */
int64_t llm_block_value(const llm_block_head_t *head, const uint8_t *codes,
    int row);

/* A value of the list; one that it does not have is of a broken database. */
int64_t llm_block_listed(const llm_block_head_t *head, int i);

/* How many rows have a value that the list has. */
int llm_block_counted(const llm_block_head_t *head, int i);


#endif /* _LLM_BLOCK_H_INCLUDED_ */
