
/*
 * Copyright (C) llm_monitor contributors
 *
 * A row of the log as a record, and a record as JSON.
 */


#ifndef _LLM_ROW_H_INCLUDED_
#define _LLM_ROW_H_INCLUDED_


#include "llm_reader.h"
#include "llm_words.h"
#include "../record/llm_json_write.h"
#include "../record/llm_record.h"


typedef struct {
    llm_record_t    record;
    int64_t         seq;
    llm_str_t       key;             /* 16 hex digits, then the tail */
} llm_row_t;


/* a field of a record as it is shown */

typedef enum {
    LLM_CELL_NUMBER = 0,         /* num / 10^decimals; LLM_NULL: null */
    LLM_CELL_TIME,               /* num is ms since 1970 */
    LLM_CELL_FLAG,               /* num is 0, 1 or LLM_NULL */
    LLM_CELL_TEXT                /* str */
} llm_cell_e;

typedef struct {
    const char     *name;
    int             kind;
    int             decimals;
    int64_t         num;
    llm_str_t       str;
} llm_cell_t;

#define LLM_CELLS         64
#define LLM_ROW_KEY_ROOM  64         /* a key as it is shown, and a NUL */

typedef struct {
    llm_cell_t      cell[LLM_CELLS];
    size_t          n;
    char            id[24];
    char            key[LLM_ROW_KEY_ROOM];
} llm_cells_t;


/*
 * Reads the row with this id; its strings are valid until the next call.
 * LLM_DECLINED: there is none; LLM_ERROR: the error is the connection's.
 */
int llm_row_read(llm_reader_t *reader, int64_t id, llm_row_t *row);

/*
 * For a statement over many rows: "SELECT ... FROM log AS l ... WHERE 1", from
 * being what follows "FROM ", and a row that it stands on, whose strings are
 * valid until its next step.
 */
void llm_row_select(llm_buf_t *sql, const char *from);
void llm_row_load(sqlite3_stmt *stmt, llm_row_t *row);

/*
 * The same for very many rows, but without the texts that no list has, and
 * with the dictionary's values from words.  LLM_DECLINED: the row is gone;
 * LLM_ERROR: the error is the connection's.
 */
void llm_row_select_ids(llm_buf_t *sql, const char *from);
int llm_row_load_ids(llm_reader_t *reader, sqlite3_stmt *stmt,
    llm_words_t *words, llm_row_t *row);

/* The fields of a record in a list; texts point into row and cells. */
void llm_row_cells(const llm_row_t *row, llm_cells_t *cells);

/* The same as JSON, without the braces around them. */
void llm_row_json(const llm_row_t *row, llm_json_t *j);

/*
 * A key as it is shown, in LLM_ROW_KEY_ROOM bytes, from the value that the
 * dictionary has of it; NULL if that is none.
 */
const char *llm_row_key(const llm_str_t *key, char *shown);

#define LLM_QUERY_MESSAGE  (16 * 1024 * 1024)    /* of a body is read */

/*
 * Appends the answer rebuilt, {"text",...}; nothing if its body is not stored.
 * The row's strings need not be valid any more.
 */
int llm_query_message(llm_reader_t *reader, int64_t id, const llm_row_t *row,
    llm_buf_t *message, llm_query_error_t *err);

/* Appends the first LLM_QUERY_MESSAGE bytes of a stored body. */
int llm_query_body_head(llm_reader_t *reader, int64_t id, int response,
    llm_body_info_t *info, llm_buf_t *body, llm_query_error_t *err);

/* The texts of `detail` that are JSON already; what is none becomes null. */
void llm_row_json_detail(llm_reader_t *reader, const llm_row_t *row,
    llm_json_t *j);


#endif /* _LLM_ROW_H_INCLUDED_ */
