
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>

#include "../record/llm_text.h"
#include "llm_insert.h"
#include "llm_sessions.h"


#define LLM_INSERT_OVER_MAX   (256 * 1024)    /* bytes of the object */
#define LLM_INSERT_ID_TRIES   4096            /* as many ids as 2 us have */
#define LLM_INSERT_KEY_DIGITS 16

#define LLM_INSERT_DICT(field, column, kind, name)                            \
    { LLM_S_ ## field, LLM_DICT_ ## kind, name },

#define LLM_INSERT_NUM(field)   LLM_N_ ## field,
#define LLM_INSERT_TEXT(field, column)  LLM_S_ ## field,


static int llm_insert_counted(int n);
static int llm_insert_kind(const llm_record_t *r, int n);
static int64_t llm_insert_day(const llm_record_t *r);


static const struct {
    int          str;
    int          kind;
    const char  *name;
} llm_insert_dicts[LLM_INSERT_DICTS] = { LLM_LOG_DICTS(LLM_INSERT_DICT) };

static const int  llm_insert_nums[LLM_INSERT_NUMS] = {
    LLM_LOG_NUMS(LLM_INSERT_NUM)
};

static const int  llm_insert_texts[] = { LLM_DETAIL_TEXTS(LLM_INSERT_TEXT) };


void
llm_insert_init(llm_insert_t *row)
{
    int  i;

    for (i = 0; i < LLM_INSERT_DICTS; i++) {
        row->dict[i] = LLM_NULL;
        row->over[i] = 0;
    }

    row->session = LLM_NULL;

    llm_buf_init(&row->text, LLM_INSERT_OVER_MAX);
}


void
llm_insert_done(llm_insert_t *row)
{
    llm_buf_free(&row->text);
}


int
llm_insert_dict(llm_insert_t *row, const llm_record_t *r, llm_dict_t *d,
    int keep)
{
    int              i, n, rc, column, columns[LLM_INSERT_DICTS];
    char             text[LLM_INSERT_KEY];
    int64_t          day;
    llm_str_t        value;
    llm_dict_key_t   keys[LLM_INSERT_DICTS];

    n = 0;

    for (i = 0; i < LLM_INSERT_DICTS; i++) {

        if (!keep && !llm_insert_counted(i)) {
            continue;
        }

        value = r->str[llm_insert_dicts[i].str];

        if (i == LLM_INSERT_API_KEY_TAIL) {
            value.len = llm_insert_key(r, text);
            value.data = value.len > 0 ? (const uint8_t *) text : NULL;
        }

        if (value.data != NULL) {
            llm_dict_key(d, &keys[n], llm_insert_kind(r, i), &value);
            columns[n++] = i;
        }
    }

    for (i = 0; i < n; i++) {
        llm_dict_fetch(d, &keys[i]);
    }

    day = llm_insert_day(r);

    for (i = 0; i < n; i++) {
        column = columns[i];

        rc = llm_dict_id(d, &keys[i], day, keep, llm_insert_counted(column),
                         &row->dict[column]);

        if (rc == LLM_FULL) {
            row->over[column] = 1;
            llm_insert_over(row, llm_insert_dicts[column].name,
                            &keys[i].value);

        } else if (rc != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


/* Whether the ledger keeps the ids of a column. */

static int
llm_insert_counted(int n)
{
    switch (n) {

    case LLM_INSERT_ACCOUNT:
    case LLM_INSERT_USER:
    case LLM_INSERT_API_KEY_TAIL:
    case LLM_INSERT_PROVIDER:
    case LLM_INSERT_MODEL:
    case LLM_INSERT_ENDPOINT:
    case LLM_INSERT_CLIENT_IP:
        return 1;
    }

    return 0;
}


static int
llm_insert_kind(const llm_record_t *r, int n)
{
    if (n == LLM_INSERT_USER && r->num[LLM_N_USER_TRUSTED] != 1) {
        return LLM_DICT_CLAIMED_USER;
    }

    return llm_insert_dicts[n].kind;
}


/* The dictionary's form of a key: 16 hex digits of its hash, then its tail. */

size_t
llm_insert_key(const llm_record_t *r, char *text)
{
    int               i;
    int64_t           hash;
    uint8_t           bytes[8];
    const llm_str_t  *tail;

    hash = r->num[LLM_N_API_KEY_HASH];
    tail = &r->str[LLM_S_API_KEY_TAIL];

    if (hash == LLM_NULL || hash == 0) {
        return 0;
    }

    for (i = 0; i < 8; i++) {
        bytes[i] = (uint8_t) ((uint64_t) hash >> (56 - 8 * i));
    }

    llm_text_hex((uint8_t *) text, bytes, 8);

    if (tail->data == NULL || tail->len > 4) {
        return LLM_INSERT_KEY_DIGITS;
    }

    memcpy(text + LLM_INSERT_KEY_DIGITS, tail->data, tail->len);

    return LLM_INSERT_KEY_DIGITS + tail->len;
}


static int64_t
llm_insert_day(const llm_record_t *r)
{
    int64_t  ms;

    /* of both clocks that a row is looked up by */

    ms = r->num[LLM_N_ID] >> LLM_ID_SHIFT;

    if (r->num[LLM_N_TIMESTAMP] > ms) {
        ms = r->num[LLM_N_TIMESTAMP];
    }

    return ms / LLM_DAY_MS;
}


int64_t
llm_insert_ledger_id(const llm_insert_t *row, int n)
{
    if (row->dict[n] != LLM_NULL) {
        return row->dict[n];
    }

    return row->over[n] ? LLM_LEDGER_OTHER : LLM_LEDGER_NULL;
}


void
llm_insert_all(llm_insert_t *row, const llm_record_t *r)
{
    int        i;
    char       key[LLM_INSERT_KEY];
    llm_str_t  value;

    for (i = 0; i < LLM_INSERT_DICTS; i++) {
        value = r->str[llm_insert_dicts[i].str];

        if (i == LLM_INSERT_API_KEY_TAIL) {
            value.len = llm_insert_key(r, key);
            value.data = value.len > 0 ? (const uint8_t *) key : NULL;
        }

        if (value.data != NULL) {
            llm_insert_over(row, llm_insert_dicts[i].name, &value);
        }
    }

    if (r->str[LLM_S_SESSION].data != NULL) {
        llm_insert_over(row, "session_id", &r->str[LLM_S_SESSION]);

        value.len = (size_t) snprintf(key, sizeof(key), "%016llx",
                                      (unsigned long long)
                                      llm_sessions_key(r));
        value.data = (const uint8_t *) key;

        llm_insert_over(row, "session_key", &value);
    }
}


void
llm_insert_over(llm_insert_t *row, const char *name, const llm_str_t *value)
{
    if (row->text.len == 0) {
        llm_json_init(&row->json, &row->text);
        llm_json_open_object(&row->json);
    }

    llm_json_key(&row->json, name);
    llm_json_str(&row->json, value);
}


int
llm_insert_log(llm_insert_t *row, llm_record_t *r, llm_db_t *db,
    sqlite3_stmt *st, int64_t seq, uint64_t *duplicates)
{
    int  i, n, rc;

    (void) sqlite3_bind_int64(st, 2, seq);
    (void) sqlite3_bind_int(st, 3, llm_schema_failed(r));
    llm_insert_bind_num(st, 4, row->session);

    if (row->text.len > 0) {
        llm_json_close_object(&row->json);
    }

    if (row->text.len > 0 && row->text.failed == LLM_OK) {
        (void) sqlite3_bind_text(st, 5, (const char *) row->text.data,
                                 (int) row->text.len, SQLITE_STATIC);

    } else {
        (void) sqlite3_bind_null(st, 5);
    }

    n = 6;

    for (i = 0; i < (int) LLM_INSERT_NUMS; i++) {
        llm_insert_bind_num(st, n++, r->num[llm_insert_nums[i]]);
    }

    for (i = 0; i < LLM_INSERT_DICTS; i++) {
        llm_insert_bind_num(st, n++, row->dict[i]);
    }

    for (i = 0; i < LLM_INSERT_ID_TRIES; i++) {
        (void) sqlite3_bind_int64(st, 1, r->num[LLM_N_ID]);

        rc = llm_db_run(db, st);

        if (rc == LLM_OK || db->code != SQLITE_CONSTRAINT_PRIMARYKEY) {
            return rc;
        }

        r->num[LLM_N_ID]++;

        if (i == 0) {
            (*duplicates)++;
        }
    }

    return LLM_ERROR;
}


int
llm_insert_detail(const llm_record_t *r, llm_db_t *db, sqlite3_stmt *st)
{
    size_t            i, n;
    const llm_str_t  *text;

    n = 0;

    for (i = 0; i < sizeof(llm_insert_texts) / sizeof(int); i++) {
        text = &r->str[llm_insert_texts[i]];

        if (text->data != NULL) {
            n++;
        }

        llm_insert_bind_text(st, (int) i + 2, text);
    }

    if (n == 0) {
        return LLM_OK;
    }

    (void) sqlite3_bind_int64(st, 1, r->num[LLM_N_ID]);

    return llm_db_run(db, st);
}


void
llm_insert_bind_num(sqlite3_stmt *st, int n, int64_t v)
{
    if (v == LLM_NULL) {
        (void) sqlite3_bind_null(st, n);

    } else {
        (void) sqlite3_bind_int64(st, n, v);
    }
}


void
llm_insert_bind_text(sqlite3_stmt *st, int n, const llm_str_t *s)
{
    if (s->data == NULL) {
        (void) sqlite3_bind_null(st, n);

    } else {
        (void) sqlite3_bind_text64(st, n, (const char *) s->data, s->len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
}
