
/*
 * Copyright (C) llm_monitor contributors
 *
 * One row of the log: which values are in the dictionary, which found no room
 * there, and the binding of it all to statements.
 */


#ifndef _LLM_INSERT_H_INCLUDED_
#define _LLM_INSERT_H_INCLUDED_


#include "../record/llm_json_write.h"
#include "llm_dict.h"


#define LLM_INSERT_KEY      32

#define LLM_INSERT_DICT_ENUM(field, column, kind, name)  LLM_INSERT_ ## field,

enum { LLM_LOG_DICTS(LLM_INSERT_DICT_ENUM) LLM_INSERT_DICTS };

#define LLM_INSERT_COUNT(field)     + 1
#define LLM_INSERT_NUMS             (0 LLM_LOG_NUMS(LLM_INSERT_COUNT))

typedef struct {
    int64_t      dict[LLM_INSERT_DICTS];    /* LLM_NULL: none */
    uint8_t      over[LLM_INSERT_DICTS];    /* 1: a value without id */
    int64_t      session;
    llm_buf_t    text;                   /* the JSON object `over` */
    llm_json_t   json;
} llm_insert_t;


/* the columns in the order of llm_insert_log() */

#define LLM_INSERT_COLUMN_LIST                                                \
    "id, seq, failed, session, over, status, outcome, aborted_by,"            \
    " stream_complete, duration_us, ttfb_us, ttft_us, protocol, operation,"   \
    " stream, input_tokens, cache_read_tokens, cache_creation_tokens,"        \
    " cache_creation_5m_tokens, cache_creation_1h_tokens, output_tokens,"     \
    " reasoning_tokens, total_tokens, usage_source, usage_partial,"           \
    " estimated_output_tokens, cost_nano, reported_cost_nano,"                \
    " messages_count, tools_count, tool_calls_count, request_bytes,"          \
    " response_bytes, request_body_state, response_body_state,"               \
    " session_source, user_trusted, flags, audio_input_tokens,"               \
    " audio_output_tokens, reported_total_tokens, body_limit, method, url,"   \
    " endpoint, error_type, provider, model, response_model, mapped_model,"   \
    " account, user, api_key, client_ip, user_agent, price_source,"           \
    " finish_reason, service_tier"

#define LLM_INSERT_PARAM(field)                             ",?"
#define LLM_INSERT_DICT_PARAM(field, column, kind, name)    ",?"

#define LLM_INSERT_LOG_SQL                                                    \
    "INSERT INTO log (" LLM_INSERT_COLUMN_LIST ") VALUES (?,?,?,?,?"          \
    LLM_LOG_NUMS(LLM_INSERT_PARAM) LLM_LOG_DICTS(LLM_INSERT_DICT_PARAM) ")"

#define LLM_INSERT_DETAIL_SQL                                                 \
    "INSERT INTO detail (id, error, response_id, request_id, upstreams,"      \
    " usage) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"


void llm_insert_init(llm_insert_t *row);
void llm_insert_done(llm_insert_t *row);

/*
 * Looks every text of r up in the dictionary.  keep = 0: only what the ledger
 * counts by, for a record that becomes no row.
 */
int llm_insert_dict(llm_insert_t *row, const llm_record_t *r, llm_dict_t *d,
    int keep);

/* The id by which the ledger counts: LLM_LEDGER_NULL, _OTHER or a real one. */
int64_t llm_insert_ledger_id(const llm_insert_t *row, int n);

/*
 * The text of a key, 16 hex digits and its tail, in LLM_INSERT_KEY bytes;
 * returns its length, 0: there is no key.
 */
size_t llm_insert_key(const llm_record_t *r, char *text);

/* Every text as one that found no room, for a database without dictionary. */
void llm_insert_all(llm_insert_t *row, const llm_record_t *r);

/* A value that found no room elsewhere. */
void llm_insert_over(llm_insert_t *row, const char *name,
    const llm_str_t *value);

/*
 * Inserts the row.  An id that is taken is an error of its maker: the record
 * gets the next free one, which is set in r, and *duplicates counts it.
 */
int llm_insert_log(llm_insert_t *row, llm_record_t *r, llm_db_t *db,
    sqlite3_stmt *st, int64_t seq, uint64_t *duplicates);

/* Inserts the long texts, if there are any. */
int llm_insert_detail(const llm_record_t *r, llm_db_t *db, sqlite3_stmt *st);

void llm_insert_bind_num(sqlite3_stmt *st, int n, int64_t v);
void llm_insert_bind_text(sqlite3_stmt *st, int n, const llm_str_t *s);


#endif /* _LLM_INSERT_H_INCLUDED_ */
