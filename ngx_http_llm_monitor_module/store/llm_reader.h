
/*
 * Copyright (C) llm_monitor contributors
 *
 * A read-only connection from the inside; what the calls of llm_query.h share.
 */


#ifndef _LLM_READER_H_INCLUDED_
#define _LLM_READER_H_INCLUDED_


#include <sqlite3.h>
#include <sys/types.h>
#include "llm_query.h"


struct llm_reader_s {
    sqlite3        *db;              /* NULL: there is no database yet */
    sqlite3_stmt   *row;             /* see llm_row_prepare() */
    int64_t         deadline;        /* ms of the monotonic clock; 0: none */
    dev_t           dev;
    ino_t           ino;
    ino_t           wal_ino;         /* 0: there was none */
    char            path[4096];
};


/*
 * One answer sees one state of the database: begin, read, end.  begin also
 * starts the time of budget_ms (0: no bound), and so does llm_reader_budget()
 * for a part of its own.
 */
int llm_reader_begin(llm_reader_t *reader, int64_t budget_ms,
    llm_query_error_t *err);
void llm_reader_budget(llm_reader_t *reader, int64_t budget_ms);
void llm_reader_end(llm_reader_t *reader);

/* Whether the last error of the connection is that the time was over. */
int llm_reader_timeout(llm_reader_t *reader);

/* Sets err to the connection's last error; always LLM_ERROR. */
int llm_reader_fail(llm_reader_t *reader, llm_query_error_t *err);

/* LLM_OK if the answer in out is whole, else LLM_ERROR with err. */
int llm_query_done(const llm_buf_t *out, llm_query_error_t *err);


#define LLM_BODY_PLACEHOLDER  64

/*
 * What is shown in place of a body that is not stored; it may be in text,
 * which has LLM_BODY_PLACEHOLDER bytes.  NULL: nothing, there is null.
 */
const char *llm_body_placeholder(int response, int64_t state,
    int64_t max_body, char *text);


#endif /* _LLM_READER_H_INCLUDED_ */
