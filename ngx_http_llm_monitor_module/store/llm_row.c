
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include "llm_row.h"
#include "llm_schema.h"
#include "../record/llm_text.h"


#define LLM_ROW_SQL       8192
#define LLM_ROW_KEY       16           /* hex digits of a key's hash */
#define LLM_ROW_KEY_SHOWN 4
#define LLM_ROW_SPEED_MAX 1000000000   /* tokens; no overflow below */


static int llm_row_prepare(llm_reader_t *reader);
static void llm_row_columns(llm_reader_t *reader, llm_row_t *row);
static int64_t llm_row_num(sqlite3_stmt *stmt, int n);
static llm_str_t llm_row_str(sqlite3_stmt *stmt, int n);
static void llm_row_key(const llm_row_t *row, llm_json_t *j);
static void llm_row_flag(llm_json_t *j, const char *name, int64_t v);
static int64_t llm_row_speed(const llm_record_t *r);


#define LLM_ROW_NUM(field)   LLM_N_ ## field,
#define LLM_ROW_TEXT(field, column)   { LLM_S_ ## field, #column },

#define LLM_ROW_DICT(field, column, kind, name)                               \
    { LLM_S_ ## field,                                                        \
      ", coalesce((SELECT value FROM dict WHERE id = l." #column "),"         \
      " l.over ->> '$." name "')" },


static const int  llm_row_nums[] = {
    LLM_LOG_NUMS(LLM_ROW_NUM)
};


static const struct {
    int          n;
    const char  *sql;
} llm_row_dicts[] = {
    LLM_LOG_DICTS(LLM_ROW_DICT)
};


static const struct {
    int          n;
    const char  *column;
} llm_row_texts[] = {
    LLM_DETAIL_TEXTS(LLM_ROW_TEXT)
};


#define LLM_ROW_COUNT(a)  (sizeof(a) / sizeof((a)[0]))


int
llm_row_read(llm_reader_t *reader, int64_t id, llm_row_t *row)
{
    int  rc;

    if (reader->row == NULL && llm_row_prepare(reader) != LLM_OK) {
        return LLM_ERROR;
    }

    sqlite3_reset(reader->row);
    sqlite3_bind_int64(reader->row, 1, id);

    rc = sqlite3_step(reader->row);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
    }

    llm_record_init(&row->record);
    row->record.num[LLM_N_ID] = id;
    row->record.num[LLM_N_TIMESTAMP] = id >> LLM_ID_SHIFT;

    llm_row_columns(reader, row);

    return LLM_OK;
}


/* the statement is the schema's lists written out */

static int
llm_row_prepare(llm_reader_t *reader)
{
    int        rc;
    size_t     i;
    llm_buf_t  sql;

    llm_buf_init(&sql, LLM_ROW_SQL);

    llm_buf_text(&sql, "SELECT l.seq, coalesce(s.sid,"
                       " l.over ->> '$.session_id')");

    for (i = 0; i < LLM_ROW_COUNT(llm_row_nums); i++) {
        llm_buf_text(&sql, ", l.");
        llm_buf_text(&sql, llm_record_num_name(llm_row_nums[i]));
    }

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        llm_buf_text(&sql, llm_row_dicts[i].sql);
    }

    for (i = 0; i < LLM_ROW_COUNT(llm_row_texts); i++) {
        llm_buf_text(&sql, ", t.");
        llm_buf_text(&sql, llm_row_texts[i].column);
    }

    llm_buf_text(&sql, ", json_valid(t.upstreams), json_valid(t.usage)"
                       " FROM log AS l"
                       " LEFT JOIN detail AS t ON t.id = l.id"
                       " LEFT JOIN session AS s ON s.id = l.session"
                       " WHERE l.id = ?");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v3(reader->db, (const char *) sql.data,
                                (int) sql.len, SQLITE_PREPARE_PERSISTENT,
                                &reader->row, NULL);
    }

    llm_buf_free(&sql);

    return rc == SQLITE_OK ? LLM_OK : LLM_ERROR;
}


static void
llm_row_columns(llm_reader_t *reader, llm_row_t *row)
{
    int            n;
    size_t         i;
    llm_str_t      s;
    llm_record_t  *r;
    sqlite3_stmt  *stmt;

    r = &row->record;
    stmt = reader->row;

    row->seq = llm_row_num(stmt, 0);
    r->str[LLM_S_SESSION] = llm_row_str(stmt, 1);

    n = 2;

    for (i = 0; i < LLM_ROW_COUNT(llm_row_nums); i++) {
        r->num[llm_row_nums[i]] = llm_row_num(stmt, n++);
    }

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        r->str[llm_row_dicts[i].n] = llm_row_str(stmt, n++);
    }

    row->key = r->str[LLM_S_API_KEY_TAIL];

    for (i = 0; i < LLM_ROW_COUNT(llm_row_texts); i++) {
        r->str[llm_row_texts[i].n] = llm_row_str(stmt, n++);
    }

    /* goes into an answer as it is */

    s = r->str[LLM_S_UPSTREAMS];

    if (sqlite3_column_int(stmt, n++) != 1 || !llm_utf8_valid(s.data, s.len))
    {
        r->str[LLM_S_UPSTREAMS].data = NULL;
    }

    s = r->str[LLM_S_USAGE];

    if (sqlite3_column_int(stmt, n) != 1 || !llm_utf8_valid(s.data, s.len)) {
        r->str[LLM_S_USAGE].data = NULL;
    }
}


static int64_t
llm_row_num(sqlite3_stmt *stmt, int n)
{
    if (sqlite3_column_type(stmt, n) == SQLITE_NULL) {
        return LLM_NULL;
    }

    return sqlite3_column_int64(stmt, n);
}


static llm_str_t
llm_row_str(sqlite3_stmt *stmt, int n)
{
    llm_str_t  s;

    s.data = NULL;
    s.len = 0;

    if (sqlite3_column_type(stmt, n) != SQLITE_NULL) {
        s.data = sqlite3_column_text(stmt, n);
        s.len = (size_t) sqlite3_column_bytes(stmt, n);
    }

    return s;
}


void
llm_row_json(const llm_row_t *row, llm_json_t *j)
{
    char                 id[24];
    const llm_str_t     *str;
    const int64_t       *num;
    const llm_record_t  *r;

    r = &row->record;
    num = r->num;
    str = r->str;

    /* beyond 2^53: as text, lest a reader rounds it */

    snprintf(id, sizeof(id), "%lld", (long long) num[LLM_N_ID]);

#define LLM_ROW_INT(name, n)                                                  \
    llm_json_key(j, name); llm_json_int(j, num[n])
#define LLM_ROW_STR(name, n)                                                  \
    llm_json_key(j, name); llm_json_str(j, &str[n])
#define LLM_ROW_WORD(name, text)                                              \
    llm_json_key(j, name); llm_json_text(j, text)
#define LLM_ROW_MS(name, n)                                                   \
    llm_json_key(j, name); llm_json_decimal(j, num[n], 3)

    LLM_ROW_WORD("id", id);
    LLM_ROW_INT("timestamp", LLM_N_TIMESTAMP);
    llm_json_key(j, "seq");
    llm_json_int(j, row->seq);
    LLM_ROW_STR("method", LLM_S_METHOD);
    LLM_ROW_STR("url", LLM_S_URL);
    LLM_ROW_STR("endpoint", LLM_S_ENDPOINT);
    LLM_ROW_WORD("operation", llm_operation_name(num[LLM_N_OPERATION]));
    LLM_ROW_INT("status", LLM_N_STATUS);
    LLM_ROW_WORD("outcome", llm_outcome_name(num[LLM_N_OUTCOME]));
    LLM_ROW_WORD("aborted_by", llm_aborted_by_name(num[LLM_N_ABORTED_BY]));
    llm_row_flag(j, "stream_complete", num[LLM_N_STREAM_COMPLETE]);
    LLM_ROW_STR("error", LLM_S_ERROR);
    LLM_ROW_STR("error_type", LLM_S_ERROR_TYPE);
    LLM_ROW_MS("duration_ms", LLM_N_DURATION_US);
    LLM_ROW_MS("ttfb_ms", LLM_N_TTFB_US);
    LLM_ROW_MS("ttft_ms", LLM_N_TTFT_US);
    llm_json_key(j, "tokens_per_second");
    llm_json_decimal(j, llm_row_speed(r), 3);
    LLM_ROW_WORD("protocol", llm_protocol_name(num[LLM_N_PROTOCOL]));
    LLM_ROW_STR("provider", LLM_S_PROVIDER);
    LLM_ROW_STR("model", LLM_S_MODEL);
    LLM_ROW_STR("response_model", LLM_S_RESPONSE_MODEL);
    LLM_ROW_STR("mapped_model", LLM_S_MAPPED_MODEL);
    llm_row_flag(j, "stream", num[LLM_N_STREAM]);
    LLM_ROW_STR("account_email", LLM_S_ACCOUNT);
    LLM_ROW_STR("user", LLM_S_USER);
    llm_row_key(row, j);
    LLM_ROW_STR("session_id", LLM_S_SESSION);
    LLM_ROW_STR("client_ip", LLM_S_CLIENT_IP);
    LLM_ROW_STR("user_agent", LLM_S_USER_AGENT);
    LLM_ROW_INT("input_tokens", LLM_N_INPUT_TOKENS);
    LLM_ROW_INT("cache_read_tokens", LLM_N_CACHE_READ_TOKENS);
    LLM_ROW_INT("cache_creation_tokens", LLM_N_CACHE_CREATION_TOKENS);
    LLM_ROW_INT("output_tokens", LLM_N_OUTPUT_TOKENS);
    LLM_ROW_INT("reasoning_tokens", LLM_N_REASONING_TOKENS);
    LLM_ROW_INT("total_tokens", LLM_N_TOTAL_TOKENS);
    LLM_ROW_WORD("usage_source",
                 llm_usage_source_name(num[LLM_N_USAGE_SOURCE]));
    llm_row_flag(j, "usage_partial", num[LLM_N_USAGE_PARTIAL]);
    LLM_ROW_INT("estimated_output_tokens", LLM_N_ESTIMATED_OUTPUT_TOKENS);
    llm_json_key(j, "cost_usd");
    llm_json_decimal(j, num[LLM_N_COST_NANO], 9);
    LLM_ROW_STR("price_source", LLM_S_PRICE_SOURCE);
    LLM_ROW_STR("finish_reason", LLM_S_FINISH_REASON);
    LLM_ROW_STR("response_id", LLM_S_RESPONSE_ID);
    LLM_ROW_STR("request_id", LLM_S_REQUEST_ID);
    LLM_ROW_INT("messages_count", LLM_N_MESSAGES_COUNT);
    LLM_ROW_INT("tools_count", LLM_N_TOOLS_COUNT);
    LLM_ROW_INT("tool_calls_count", LLM_N_TOOL_CALLS_COUNT);
    LLM_ROW_INT("request_bytes", LLM_N_REQUEST_BYTES);
    LLM_ROW_INT("response_bytes", LLM_N_RESPONSE_BYTES);
    LLM_ROW_WORD("request_body_state",
                 llm_body_state_name(num[LLM_N_REQUEST_BODY_STATE]));
    LLM_ROW_WORD("response_body_state",
                 llm_body_state_name(num[LLM_N_RESPONSE_BODY_STATE]));

#undef LLM_ROW_INT
#undef LLM_ROW_STR
#undef LLM_ROW_WORD
#undef LLM_ROW_MS
}


void
llm_row_json_detail(const llm_row_t *row, llm_json_t *j)
{
    const llm_str_t  *s;

    s = &row->record.str[LLM_S_UPSTREAMS];
    llm_json_key(j, "upstreams");

    if (s->data != NULL) {
        llm_json_raw(j, s->data, s->len);

    } else {
        llm_json_open_array(j);
        llm_json_close_array(j);
    }

    s = &row->record.str[LLM_S_USAGE];
    llm_json_key(j, "usage");

    if (s->data != NULL) {
        llm_json_raw(j, s->data, s->len);

    } else {
        llm_json_null(j);
    }
}


/* four digits of the hash, and the tail where there is one: ab12…wxyz */

static void
llm_row_key(const llm_row_t *row, llm_json_t *j)
{
    const llm_str_t  *key;

    key = &row->key;

    llm_json_key(j, "api_key");

    if (key->data == NULL || key->len < LLM_ROW_KEY) {
        llm_json_null(j);
        return;
    }

    llm_json_open_string(j);
    llm_json_append(j, key->data, LLM_ROW_KEY_SHOWN);

    if (key->len > LLM_ROW_KEY) {
        llm_json_append(j, (const uint8_t *) "…", sizeof("…") - 1);
        llm_json_append(j, key->data + LLM_ROW_KEY, key->len - LLM_ROW_KEY);
    }

    llm_json_close_string(j);
}


static void
llm_row_flag(llm_json_t *j, const char *name, int64_t v)
{
    llm_json_key(j, name);

    if (v == LLM_NULL) {
        llm_json_null(j);

    } else {
        llm_json_bool(j, v != 0);
    }
}


/* output tokens by the time after the first one, in thousandths */

static int64_t
llm_row_speed(const llm_record_t *r)
{
    int64_t  tokens, us;

    tokens = r->num[LLM_N_OUTPUT_TOKENS];

    if (tokens == LLM_NULL || tokens < 0 || tokens > LLM_ROW_SPEED_MAX
        || r->num[LLM_N_TTFT_US] == LLM_NULL
        || r->num[LLM_N_DURATION_US] == LLM_NULL)
    {
        return LLM_NULL;
    }

    us = r->num[LLM_N_DURATION_US] - r->num[LLM_N_TTFT_US];

    return us > 0 ? tokens * 1000000000 / us : LLM_NULL;
}
