
/*
 * Copyright (C) llm_monitor contributors
 *
 * Questions to the database, each on a read-only connection, with bound
 * parameters only, a bound on time and on the answer's size.  Run in a thread:
 * no nginx here, nothing is shared between two calls but the connection.
 */


#ifndef _LLM_QUERY_H_INCLUDED_
#define _LLM_QUERY_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_buf.h"


/* why a question was refused; goes into the answer as it is */

typedef struct {
    int          status;             /* HTTP: 400, 404, 503 ... */
    char         code[32];           /* "bad_parameter" */
    char         parameter[64];      /* empty: none */
    char         message[256];
} llm_query_error_t;


/* Sets err; parameter NULL: none.  Always LLM_ERROR. */
int llm_query_fail(llm_query_error_t *err, int status, const char *code,
    const char *parameter, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Appends {"error":{"code":...,"message":...,"parameter":...}}. */
void llm_query_error_json(const llm_query_error_t *err, llm_buf_t *out);


/* The version of SQLite. */
const char *llm_query_sqlite(void);


typedef enum {
    LLM_FOR_LIST = 1, LLM_FOR_COUNT, LLM_FOR_CLEAR, LLM_FOR_EXPORT,
    LLM_FOR_EVENTS, LLM_FOR_FACETS, LLM_FOR_SESSIONS, LLM_FOR_SESSION,
    LLM_FOR_NOTHING              /* a call without parameters */
} llm_query_for_e;


typedef struct llm_filter_s  llm_filter_t;

/*
 * Reads the query string of a call (still percent-encoded) into a filter.
 * Unknown, repeated or malformed parameters are refused: LLM_ERROR and err.
 * now_ms is the wall clock in ms.  The filter is one flat block of memory
 * (offsets, no pointers), so it is what the command table carries for clear.
 */
int llm_filter_parse(llm_filter_t **filter, const llm_str_t *query,
    int what, int64_t now_ms, llm_query_error_t *err);

void llm_filter_free(llm_filter_t *filter);

/* The flat block: at most LLM_COMMAND_ARGS bytes, else LLM_FULL. */
int llm_filter_pack(const llm_filter_t *filter, uint8_t *p, size_t cap,
    size_t *len);
int llm_filter_unpack(llm_filter_t **filter, const uint8_t *p, size_t len);


/* a read-only connection; never checkpoints; one thread at a time */

typedef struct llm_reader_s  llm_reader_t;

/*
 * LLM_OK also where there is no database yet: the reader then answers that
 * there are no rows, and is stale as soon as there is one.
 */
int llm_reader_open(llm_reader_t **reader, const char *dir,
    llm_query_error_t *err);
void llm_reader_close(llm_reader_t *reader);

/* 1 if the file is another one by now: close it and open again. */
int llm_reader_stale(const llm_reader_t *reader);


/*
 * The calls.  Each appends a JSON document to out and answers LLM_OK, or
 * LLM_ERROR with err.  budget_ms bounds the time, that of a list's rows and
 * that of its total each: over it a list or count says "total":null and
 * "partial":true with what was found.  max_body is the limit in bytes that the
 * placeholder of a response names whose row does not say which one it met.
 */
int llm_query_list(llm_reader_t *reader, const llm_filter_t *filter,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);
int llm_query_count(llm_reader_t *reader, const llm_filter_t *filter,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);

/* Whether recording is on, as the database has it: {"recording":true}. */
int llm_query_recording(llm_reader_t *reader, int64_t budget_ms,
    llm_buf_t *out, llm_query_error_t *err);

/* LLM_OK if there is such a record in the filter's scope, else a 404 in err. */
int llm_query_visible(llm_reader_t *reader, int64_t id,
    const llm_filter_t *filter, llm_query_error_t *err);

int llm_query_detail(llm_reader_t *reader, int64_t id, int64_t max_body,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err);


/* a stored body: what it is, then its bytes piece by piece */

typedef struct {
    int          state;              /* llm_body_state_e */
    int64_t      size;               /* decoded bytes */
    char         type[128];          /* Content-Type as sent */
} llm_body_info_t;

int llm_query_body_info(llm_reader_t *reader, int64_t id, int response,
    llm_body_info_t *info, llm_query_error_t *err);

/* Appends bytes [from, from + n) of the body, n at most 1 MB. */
int llm_query_body(llm_reader_t *reader, int64_t id, int response,
    int64_t from, int64_t n, llm_buf_t *out, llm_query_error_t *err);


#endif /* _LLM_QUERY_H_INCLUDED_ */
