
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
#define LLM_ROW_KEY_TAIL  32           /* bytes */
#define LLM_ROW_SPEED_MAX 1000000000   /* tokens; no overflow below */


static int llm_row_prepare(llm_reader_t *reader);
static void llm_row_select_nums(llm_buf_t *sql);
static int llm_row_load_nums(sqlite3_stmt *stmt, llm_row_t *row);
static int64_t llm_row_num(sqlite3_stmt *stmt, int n);
static llm_str_t llm_row_str(sqlite3_stmt *stmt, int n);
static void llm_row_number(llm_cells_t *cells, const char *name, int64_t v,
    int decimals);
static void llm_row_flag(llm_cells_t *cells, const char *name, int64_t v);
static void llm_row_text(llm_cells_t *cells, const char *name,
    const llm_str_t *s);
static void llm_row_word(llm_cells_t *cells, const char *name,
    const char *word);
static llm_cell_t *llm_row_cell(llm_cells_t *cells, const char *name,
    int kind);
static int llm_row_valid(llm_reader_t *reader, const llm_str_t *s);
static int64_t llm_row_speed(const llm_record_t *r);


#define LLM_ROW_NUM(field)   LLM_N_ ## field,
#define LLM_ROW_TEXT(field, column)   { LLM_S_ ## field, #column },

#define LLM_ROW_DICT(field, column, kind, name)                               \
    { LLM_S_ ## field, ", l." #column,                                        \
      ", coalesce(d_" #column ".value, l.over ->> '$." name "')",             \
      " LEFT JOIN dict AS d_" #column " ON d_" #column ".id = l." #column },


static const int  llm_row_nums[] = {
    LLM_LOG_NUMS(LLM_ROW_NUM)
};


static const struct {
    int          n;
    const char  *id;
    const char  *sql;
    const char  *join;
} llm_row_dicts[] = {
    LLM_LOG_DICTS(LLM_ROW_DICT)
};


static const struct {
    int          n;
    const char  *column;
} llm_row_texts[] = {
    LLM_DETAIL_TEXTS(LLM_ROW_TEXT)
};


/* the first ones of them are in a list */
#define LLM_ROW_TEXTS_SHOWN  3

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

    llm_row_load(reader->row, row);

    return LLM_OK;
}


static int
llm_row_prepare(llm_reader_t *reader)
{
    int        rc;
    llm_buf_t  sql;

    llm_buf_init(&sql, LLM_ROW_SQL);

    llm_row_select(&sql, "log AS l");
    llm_buf_text(&sql, " AND l.id = ?");

    rc = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        rc = sqlite3_prepare_v3(reader->db, (const char *) sql.data,
                                (int) sql.len, SQLITE_PREPARE_PERSISTENT,
                                &reader->row, NULL);
    }

    llm_buf_free(&sql);

    return rc == SQLITE_OK ? LLM_OK : LLM_ERROR;
}


/*
 * The statement is the schema's lists written out.  The dictionary is joined,
 * not asked in subqueries: a cursor stays where it is from row to row, and most
 * rows have the values of the one before them.
 */

void
llm_row_select(llm_buf_t *sql, const char *from)
{
    size_t  i;

    llm_buf_text(sql, "SELECT l.id, l.seq, coalesce(s.sid,"
                      " l.over ->> '$.session_id')");
    llm_row_select_nums(sql);

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        llm_buf_text(sql, llm_row_dicts[i].sql);
    }

    for (i = 0; i < LLM_ROW_COUNT(llm_row_texts); i++) {
        llm_buf_text(sql, ", t.");
        llm_buf_text(sql, llm_row_texts[i].column);
    }

    llm_buf_text(sql, " FROM ");
    llm_buf_text(sql, from);
    llm_buf_text(sql, " LEFT JOIN detail AS t ON t.id = l.id"
                      " LEFT JOIN session AS s ON s.id = l.session");

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        llm_buf_text(sql, llm_row_dicts[i].join);
    }

    llm_buf_text(sql, " WHERE 1");
}


static void
llm_row_select_nums(llm_buf_t *sql)
{
    size_t  i;

    for (i = 0; i < LLM_ROW_COUNT(llm_row_nums); i++) {
        llm_buf_text(sql, ", l.");
        llm_buf_text(sql, llm_record_num_name(llm_row_nums[i]));
    }
}


void
llm_row_load(sqlite3_stmt *stmt, llm_row_t *row)
{
    int            n;
    size_t         i;
    llm_record_t  *r;

    r = &row->record;
    n = llm_row_load_nums(stmt, row);

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        r->str[llm_row_dicts[i].n] = llm_row_str(stmt, n++);
    }

    row->key = r->str[LLM_S_API_KEY_TAIL];

    for (i = 0; i < LLM_ROW_COUNT(llm_row_texts); i++) {
        r->str[llm_row_texts[i].n] = llm_row_str(stmt, n++);
    }
}


/* the first columns; where the next one is */

static int
llm_row_load_nums(sqlite3_stmt *stmt, llm_row_t *row)
{
    int            n;
    size_t         i;
    llm_record_t  *r;

    r = &row->record;

    llm_record_init(r);

    r->num[LLM_N_ID] = sqlite3_column_int64(stmt, 0);
    r->num[LLM_N_TIMESTAMP] = r->num[LLM_N_ID] >> LLM_ID_SHIFT;

    row->seq = llm_row_num(stmt, 1);
    r->str[LLM_S_SESSION] = llm_row_str(stmt, 2);

    n = 3;

    for (i = 0; i < LLM_ROW_COUNT(llm_row_nums); i++) {
        r->num[llm_row_nums[i]] = llm_row_num(stmt, n++);
    }

    return n;
}


/* a row whose values are not all in the dictionary says so: rare */

void
llm_row_select_ids(llm_buf_t *sql, const char *from)
{
    size_t  i;

    llm_buf_text(sql, "SELECT l.id, l.seq, s.sid");
    llm_row_select_nums(sql);

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        llm_buf_text(sql, llm_row_dicts[i].id);
    }

    for (i = 0; i < LLM_ROW_TEXTS_SHOWN; i++) {
        llm_buf_text(sql, ", t.");
        llm_buf_text(sql, llm_row_texts[i].column);
    }

    llm_buf_text(sql, ", l.over IS NOT NULL FROM ");
    llm_buf_text(sql, from);
    llm_buf_text(sql, " LEFT JOIN detail AS t ON t.id = l.id"
                      " LEFT JOIN session AS s ON s.id = l.session WHERE 1");
}


int
llm_row_load_ids(llm_reader_t *reader, sqlite3_stmt *stmt,
    llm_words_t *words, llm_row_t *row)
{
    int            n;
    size_t         i;
    int64_t        id;
    llm_record_t  *r;

    r = &row->record;
    n = LLM_ROW_COUNT(llm_row_nums) + 3;

    if (sqlite3_column_int(stmt, n + LLM_ROW_COUNT(llm_row_dicts)
                                 + LLM_ROW_TEXTS_SHOWN))
    {
        return llm_row_read(reader, sqlite3_column_int64(stmt, 0), row);
    }

    n = llm_row_load_nums(stmt, row);

    llm_words_row(words, LLM_ROW_COUNT(llm_row_dicts));

    for (i = 0; i < LLM_ROW_COUNT(llm_row_dicts); i++) {
        id = sqlite3_column_int64(stmt, n++);

        if (id != 0
            && llm_words_get(words, id, &r->str[llm_row_dicts[i].n])
               != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    row->key = r->str[LLM_S_API_KEY_TAIL];

    for (i = 0; i < LLM_ROW_TEXTS_SHOWN; i++) {
        r->str[llm_row_texts[i].n] = llm_row_str(stmt, n++);
    }

    return LLM_OK;
}


/* most are there and not 0, so that one question is enough */

static int64_t
llm_row_num(sqlite3_stmt *stmt, int n)
{
    int64_t  v;

    v = sqlite3_column_int64(stmt, n);

    if (v == 0 && sqlite3_column_type(stmt, n) == SQLITE_NULL) {
        return LLM_NULL;
    }

    return v;
}


static llm_str_t
llm_row_str(sqlite3_stmt *stmt, int n)
{
    llm_str_t  s;

    s.data = sqlite3_column_text(stmt, n);
    s.len = s.data != NULL ? (size_t) sqlite3_column_bytes(stmt, n) : 0;

    return s;
}


void
llm_row_cells(const llm_row_t *row, llm_cells_t *cells)
{
    llm_cell_t          *cell;
    const int64_t       *num;
    const llm_str_t     *str;
    const llm_record_t  *r;

    r = &row->record;
    num = r->num;
    str = r->str;

    cells->n = 0;

    /* beyond 2^53: as text, lest a reader rounds it */

    snprintf(cells->id, sizeof(cells->id), "%lld", (long long) num[LLM_N_ID]);

    llm_row_word(cells, "id", cells->id);
    cell = llm_row_cell(cells, "timestamp", LLM_CELL_TIME);
    cell->num = num[LLM_N_TIMESTAMP];
    llm_row_number(cells, "seq", row->seq, 0);
    llm_row_text(cells, "method", &str[LLM_S_METHOD]);
    llm_row_text(cells, "url", &str[LLM_S_URL]);
    llm_row_text(cells, "endpoint", &str[LLM_S_ENDPOINT]);
    llm_row_word(cells, "operation", llm_operation_name(num[LLM_N_OPERATION]));
    llm_row_number(cells, "status", num[LLM_N_STATUS], 0);
    llm_row_word(cells, "outcome", llm_outcome_name(num[LLM_N_OUTCOME]));
    llm_row_word(cells, "aborted_by",
                 llm_aborted_by_name(num[LLM_N_ABORTED_BY]));
    llm_row_flag(cells, "stream_complete", num[LLM_N_STREAM_COMPLETE]);
    llm_row_text(cells, "error", &str[LLM_S_ERROR]);
    llm_row_text(cells, "error_type", &str[LLM_S_ERROR_TYPE]);
    llm_row_number(cells, "duration_ms", num[LLM_N_DURATION_US], 3);
    llm_row_number(cells, "ttfb_ms", num[LLM_N_TTFB_US], 3);
    llm_row_number(cells, "ttft_ms", num[LLM_N_TTFT_US], 3);
    llm_row_number(cells, "tokens_per_second", llm_row_speed(r), 3);
    llm_row_word(cells, "protocol", llm_protocol_name(num[LLM_N_PROTOCOL]));
    llm_row_text(cells, "provider", &str[LLM_S_PROVIDER]);
    llm_row_text(cells, "model", &str[LLM_S_MODEL]);
    llm_row_text(cells, "response_model", &str[LLM_S_RESPONSE_MODEL]);
    llm_row_text(cells, "mapped_model", &str[LLM_S_MAPPED_MODEL]);
    llm_row_flag(cells, "stream", num[LLM_N_STREAM]);
    llm_row_text(cells, "account_email", &str[LLM_S_ACCOUNT]);
    llm_row_text(cells, "user", &str[LLM_S_USER]);
    llm_row_word(cells, "api_key", llm_row_key(&row->key, cells->key));
    llm_row_text(cells, "session_id", &str[LLM_S_SESSION]);
    llm_row_text(cells, "client_ip", &str[LLM_S_CLIENT_IP]);
    llm_row_text(cells, "user_agent", &str[LLM_S_USER_AGENT]);
    llm_row_number(cells, "input_tokens", num[LLM_N_INPUT_TOKENS], 0);
    llm_row_number(cells, "cache_read_tokens",
                   num[LLM_N_CACHE_READ_TOKENS], 0);
    llm_row_number(cells, "cache_creation_tokens",
                   num[LLM_N_CACHE_CREATION_TOKENS], 0);
    llm_row_number(cells, "output_tokens", num[LLM_N_OUTPUT_TOKENS], 0);
    llm_row_number(cells, "reasoning_tokens", num[LLM_N_REASONING_TOKENS], 0);
    llm_row_number(cells, "total_tokens", num[LLM_N_TOTAL_TOKENS], 0);
    llm_row_word(cells, "usage_source",
                 llm_usage_source_name(num[LLM_N_USAGE_SOURCE]));
    llm_row_flag(cells, "usage_partial", num[LLM_N_USAGE_PARTIAL]);
    llm_row_number(cells, "estimated_output_tokens",
                   num[LLM_N_ESTIMATED_OUTPUT_TOKENS], 0);
    llm_row_number(cells, "cost_usd", num[LLM_N_COST_NANO], 9);
    llm_row_text(cells, "price_source", &str[LLM_S_PRICE_SOURCE]);
    llm_row_number(cells, "reported_cost_usd",
                   num[LLM_N_REPORTED_COST_NANO], 9);
    llm_row_text(cells, "finish_reason", &str[LLM_S_FINISH_REASON]);
    llm_row_text(cells, "response_id", &str[LLM_S_RESPONSE_ID]);
    llm_row_text(cells, "request_id", &str[LLM_S_REQUEST_ID]);
    llm_row_number(cells, "messages_count", num[LLM_N_MESSAGES_COUNT], 0);
    llm_row_number(cells, "tools_count", num[LLM_N_TOOLS_COUNT], 0);
    llm_row_number(cells, "tool_calls_count", num[LLM_N_TOOL_CALLS_COUNT], 0);
    llm_row_number(cells, "request_bytes", num[LLM_N_REQUEST_BYTES], 0);
    llm_row_number(cells, "response_bytes", num[LLM_N_RESPONSE_BYTES], 0);
    llm_row_word(cells, "request_body_state",
                 llm_body_state_name(num[LLM_N_REQUEST_BODY_STATE]));
    llm_row_word(cells, "response_body_state",
                 llm_body_state_name(num[LLM_N_RESPONSE_BODY_STATE]));
}


static void
llm_row_number(llm_cells_t *cells, const char *name, int64_t v, int decimals)
{
    llm_cell_t  *cell;

    cell = llm_row_cell(cells, name, LLM_CELL_NUMBER);
    cell->num = v;
    cell->decimals = decimals;
}


static void
llm_row_flag(llm_cells_t *cells, const char *name, int64_t v)
{
    llm_row_cell(cells, name, LLM_CELL_FLAG)->num = v;
}


static void
llm_row_text(llm_cells_t *cells, const char *name, const llm_str_t *s)
{
    llm_row_cell(cells, name, LLM_CELL_TEXT)->str = *s;
}


static void
llm_row_word(llm_cells_t *cells, const char *name, const char *word)
{
    llm_cell_t  *cell;

    cell = llm_row_cell(cells, name, LLM_CELL_TEXT);
    cell->str.data = (const uint8_t *) word;
    cell->str.len = word != NULL ? strlen(word) : 0;
}


static llm_cell_t *
llm_row_cell(llm_cells_t *cells, const char *name, int kind)
{
    llm_cell_t  *cell;

    cell = &cells->cell[cells->n++];
    cell->name = name;
    cell->kind = kind;

    return cell;
}


/* four digits of the hash, and the tail where there is one: ab12…wxyz */

const char *
llm_row_key(const llm_str_t *key, char *shown)
{
    char    *p;
    size_t   n;

    if (key->data == NULL || key->len < LLM_ROW_KEY) {
        return NULL;
    }

    p = shown;

    memcpy(p, key->data, LLM_ROW_KEY_SHOWN);
    p += LLM_ROW_KEY_SHOWN;

    n = llm_utf8_cut(key->data + LLM_ROW_KEY, key->len - LLM_ROW_KEY,
                     LLM_ROW_KEY_TAIL);

    if (n > 0) {
        memcpy(p, "…", sizeof("…") - 1);
        p += sizeof("…") - 1;

        memcpy(p, key->data + LLM_ROW_KEY, n);
        p += n;
    }

    *p = '\0';

    return shown;
}


void
llm_row_json(const llm_row_t *row, llm_json_t *j)
{
    size_t             i;
    llm_cells_t        cells;
    const llm_cell_t  *cell;

    llm_row_cells(row, &cells);

    for (i = 0; i < cells.n; i++) {
        cell = &cells.cell[i];

        llm_json_key(j, cell->name);

        switch (cell->kind) {

        case LLM_CELL_TEXT:
            llm_json_str(j, &cell->str);
            break;

        case LLM_CELL_FLAG:
            if (cell->num == LLM_NULL) {
                llm_json_null(j);

            } else {
                llm_json_bool(j, cell->num != 0);
            }

            break;

        case LLM_CELL_TIME:
            llm_json_int(j, cell->num);
            break;

        default: /* LLM_CELL_NUMBER */
            llm_json_decimal(j, cell->num, cell->decimals);
        }
    }
}


void
llm_row_json_detail(llm_reader_t *reader, const llm_row_t *row, llm_json_t *j)
{
    const llm_str_t  *s;

    s = &row->record.str[LLM_S_UPSTREAMS];
    llm_json_key(j, "upstreams");

    if (llm_row_valid(reader, s)) {
        llm_json_raw(j, s->data, s->len);

    } else {
        llm_json_open_array(j);
        llm_json_close_array(j);
    }

    s = &row->record.str[LLM_S_USAGE];
    llm_json_key(j, "usage");

    if (llm_row_valid(reader, s)) {
        llm_json_raw(j, s->data, s->len);

    } else {
        llm_json_null(j);
    }
}


/* whether it may go into an answer as it is */

static int
llm_row_valid(llm_reader_t *reader, const llm_str_t *s)
{
    int            valid;
    sqlite3_stmt  *st;

    if (s->data == NULL || !llm_utf8_valid(s->data, s->len)
        || sqlite3_prepare_v2(reader->db, "SELECT json_valid(?)", -1, &st,
                              NULL)
           != SQLITE_OK)
    {
        return 0;
    }

    valid = sqlite3_bind_text(st, 1, (const char *) s->data, (int) s->len,
                              SQLITE_STATIC)
            == SQLITE_OK
            && sqlite3_step(st) == SQLITE_ROW
            && sqlite3_column_int(st, 0) == 1;

    sqlite3_finalize(st);

    return valid;
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
