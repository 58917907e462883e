
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include "llm_page.h"
#include "llm_row.h"
#include "llm_total.h"
#include "../extract/llm_message.h"
#include "../record/llm_text.h"


#define LLM_QUERY_BODY         (256 * 1024)         /* shown in a record */
#define LLM_QUERY_PIECE        (1024 * 1024)
#define LLM_QUERY_VISIBLE_MS   1000


static int llm_query_list_rows(llm_reader_t *reader, const llm_filter_t *f,
    const llm_page_t *page, llm_json_t *j, llm_query_error_t *err);
static void llm_query_partial(llm_json_t *j, int64_t total);
static int llm_query_row(llm_reader_t *reader, int64_t id, llm_row_t *row,
    llm_query_error_t *err);
static int llm_query_absent(int64_t id, llm_query_error_t *err);
static int llm_query_detail_json(llm_reader_t *reader, int64_t id,
    int64_t max_body, llm_buf_t *out, llm_query_error_t *err);
static int llm_query_message_json(llm_reader_t *reader, int64_t id,
    const llm_row_t *row, llm_json_t *j, llm_query_error_t *err);
static int llm_query_body_json(llm_reader_t *reader, int64_t id, int response,
    int64_t state, int64_t max_body, llm_json_t *j, llm_query_error_t *err);
static void llm_query_too_large(char *text, int64_t max_body);


int
llm_query_list(llm_reader_t *reader, const llm_filter_t *f,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err)
{
    int           rc, late;
    int64_t       total;
    llm_json_t    j;
    llm_page_t    page;
    llm_where_t  *w;

    memset(&page, 0, sizeof(llm_page_t));
    w = NULL;
    total = reader->db == NULL ? 0 : LLM_NULL;
    late = 0;

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    if (reader->db != NULL) {
        rc = llm_where_create(&w, reader->db, f);

        if (rc == LLM_OK) {
            rc = llm_page_find(reader, w, f, &page);
            late = page.partial;

        } else if (rc == LLM_ERROR && llm_reader_timeout(reader)) {
            rc = LLM_OK;
            late = 1;
        }

        if (rc != LLM_OK) {
            rc = rc == LLM_ERROR ? llm_reader_fail(reader, err)
                                 : llm_query_fail(err, 503, "no_memory", NULL,
                                                  "no memory");
            goto done;
        }

        if (w != NULL && f->num[LLM_F_TOTAL] != 0) {
            llm_reader_budget(reader, budget_ms);

            rc = llm_total(reader, w, f, &total, err);

            if (rc != LLM_OK) {
                goto done;
            }

            late |= (total == LLM_NULL);
        }
    }

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    llm_json_key(&j, "total");
    llm_json_int(&j, f->num[LLM_F_TOTAL] == 0 ? LLM_NULL : total);

    if (late) {
        llm_json_key(&j, "partial");
        llm_json_bool(&j, 1);
    }

    rc = llm_query_list_rows(reader, f, &page, &j, err);

    llm_json_close_object(&j);

    if (rc == LLM_OK) {
        rc = llm_query_done(out, err);
    }

done:

    llm_page_free(&page);
    llm_where_free(w);
    llm_reader_end(reader);

    return rc;
}


static int
llm_query_list_rows(llm_reader_t *reader, const llm_filter_t *f,
    const llm_page_t *page, llm_json_t *j, llm_query_error_t *err)
{
    int                    rc;
    char                   cursor[LLM_FILTER_CURSOR + 1];
    size_t                 i;
    llm_row_t              row;
    const llm_top_row_t   *last;

    llm_json_key(j, "limit");
    llm_json_int(j, f->num[LLM_F_LIMIT] == LLM_NULL ? LLM_FILTER_LIMIT
                                                    : f->num[LLM_F_LIMIT]);

    llm_json_key(j, "next");

    if (page->more) {
        last = &page->rows[page->n - 1];
        llm_filter_cursor(f, LLM_FOR_LIST, last->value, last->id, cursor);
        llm_json_text(j, cursor);

    } else {
        llm_json_null(j);
    }

    /* the rows are few, each is some lookups by key: they always come */

    llm_reader_budget(reader, 0);

    llm_json_key(j, "logs");
    llm_json_open_array(j);

    for (i = page->first; i < page->n; i++) {
        rc = llm_row_read(reader, page->rows[i].id, &row);

        if (rc == LLM_ERROR) {
            return llm_reader_fail(reader, err);
        }

        if (rc == LLM_OK) {
            llm_json_open_object(j);
            llm_row_json(&row, j);
            llm_json_close_object(j);
        }
    }

    llm_json_close_array(j);

    return LLM_OK;
}


int
llm_query_count(llm_reader_t *reader, const llm_filter_t *f,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err)
{
    int           rc;
    int64_t       total;
    llm_json_t    j;
    llm_where_t  *w;

    w = NULL;
    total = reader->db == NULL ? 0 : LLM_NULL;

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = LLM_OK;

    if (reader->db != NULL) {
        rc = llm_where_create(&w, reader->db, f);

        if (rc == LLM_OK) {
            rc = llm_total(reader, w, f, &total, err);

        } else if (rc == LLM_ERROR && llm_reader_timeout(reader)) {
            rc = LLM_OK;

        } else {
            rc = rc == LLM_ERROR ? llm_reader_fail(reader, err)
                                 : llm_query_fail(err, 503, "no_memory", NULL,
                                                  "no memory");
        }
    }

    if (rc == LLM_OK) {
        llm_json_init(&j, out);
        llm_json_open_object(&j);
        llm_query_partial(&j, total);
        llm_json_close_object(&j);

        rc = llm_query_done(out, err);
    }

    llm_where_free(w);
    llm_reader_end(reader);

    return rc;
}


int
llm_query_recording(llm_reader_t *reader, int64_t budget_ms, llm_buf_t *out,
    llm_query_error_t *err)
{
    int            rc, on;
    sqlite3_stmt  *st;

    st = NULL;
    on = 1;

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = SQLITE_DONE;

    if (reader->db != NULL) {
        rc = sqlite3_prepare_v2(reader->db, "SELECT value FROM meta"
                                " WHERE key = 'recording'", -1, &st, NULL);

        if (rc == SQLITE_OK) {
            rc = sqlite3_step(st);
        }
    }

    if (rc == SQLITE_ROW) {
        on = sqlite3_column_int(st, 0) != 0;
        rc = LLM_OK;

    } else {
        rc = rc == SQLITE_DONE ? LLM_OK : llm_reader_fail(reader, err);
    }

    if (rc == LLM_OK) {
        llm_buf_text(out, on ? "{\"recording\":true}"
                             : "{\"recording\":false}");
        rc = llm_query_done(out, err);
    }

    sqlite3_finalize(st);
    llm_reader_end(reader);

    return rc;
}


static void
llm_query_partial(llm_json_t *j, int64_t total)
{
    llm_json_key(j, "total");
    llm_json_int(j, total);

    if (total == LLM_NULL) {
        llm_json_key(j, "partial");
        llm_json_bool(j, 1);
    }
}


int
llm_query_done(const llm_buf_t *out, llm_query_error_t *err)
{
    switch (out->failed) {

    case LLM_OK:
        return LLM_OK;

    case LLM_FULL:
        return llm_query_fail(err, 503, "too_large", NULL,
                              "answer is too large, ask for less");

    default:
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }
}


int
llm_query_visible(llm_reader_t *reader, int64_t id, const llm_filter_t *filter,
    llm_query_error_t *err)
{
    int        rc;
    llm_row_t  row;

    if (filter->num[LLM_F_SCOPE] == LLM_NULL) {
        return LLM_OK;
    }

    if (llm_reader_begin(reader, LLM_QUERY_VISIBLE_MS, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_query_row(reader, id, &row, err);

    if (rc == LLM_OK && !llm_filter_in_scope(filter, &row.record)) {

        /* in the words for one that is not there at all */

        rc = llm_query_absent(id, err);
    }

    llm_reader_end(reader);

    return rc;
}


int
llm_query_detail(llm_reader_t *reader, int64_t id, int64_t max_body,
    int64_t budget_ms, llm_buf_t *out, llm_query_error_t *err)
{
    int  rc;

    if (llm_reader_begin(reader, budget_ms, err) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_query_detail_json(reader, id, max_body, out, err);

    llm_reader_end(reader);

    return rc == LLM_OK ? llm_query_done(out, err) : rc;
}


static int
llm_query_row(llm_reader_t *reader, int64_t id, llm_row_t *row,
    llm_query_error_t *err)
{
    int  rc;

    rc = reader->db == NULL ? LLM_DECLINED : llm_row_read(reader, id, row);

    if (rc == LLM_DECLINED) {
        return llm_query_absent(id, err);
    }

    return rc == LLM_OK ? LLM_OK : llm_reader_fail(reader, err);
}


static int
llm_query_absent(int64_t id, llm_query_error_t *err)
{
    return llm_query_fail(err, 404, "not_found", NULL,
                          "there is no record %lld", (long long) id);
}


static int
llm_query_detail_json(llm_reader_t *reader, int64_t id, int64_t max_body,
    llm_buf_t *out, llm_query_error_t *err)
{
    llm_row_t   row;
    llm_json_t  j;

    if (llm_query_row(reader, id, &row, err) != LLM_OK) {
        return LLM_ERROR;
    }

    if (row.record.num[LLM_N_BODY_LIMIT] != LLM_NULL) {
        max_body = row.record.num[LLM_N_BODY_LIMIT];
    }

    llm_json_init(&j, out);
    llm_json_open_object(&j);

    llm_row_json(&row, &j);
    llm_row_json_detail(reader, &row, &j);

    if (llm_query_message_json(reader, id, &row, &j, err) != LLM_OK
        || llm_query_body_json(reader, id, 0,
                               row.record.num[LLM_N_REQUEST_BODY_STATE],
                               max_body, &j, err)
           != LLM_OK
        || llm_query_body_json(reader, id, 1,
                               row.record.num[LLM_N_RESPONSE_BODY_STATE],
                               max_body, &j, err)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    llm_json_close_object(&j);

    return LLM_OK;
}


int
llm_query_message(llm_reader_t *reader, int64_t id, const llm_row_t *row,
    llm_buf_t *message, llm_query_error_t *err)
{
    int              rc, protocol;
    llm_buf_t        body;
    llm_str_t        type;
    llm_body_info_t  info;

    if (!llm_body_kept(row->record.num[LLM_N_RESPONSE_BODY_STATE])) {
        return LLM_OK;
    }

    protocol = row->record.num[LLM_N_PROTOCOL] == LLM_NULL
                   ? LLM_PROTOCOL_UNKNOWN
                   : (int) row->record.num[LLM_N_PROTOCOL];

    llm_buf_init(&body, LLM_QUERY_MESSAGE + LLM_QUERY_PIECE);

    rc = llm_query_body_head(reader, id, 1, &info, &body, err);

    if (rc == LLM_OK && body.failed == LLM_OK) {
        type.data = (const uint8_t *) info.type;
        type.len = strlen(info.type);

        (void) llm_message_build(protocol, &type, body.data, body.len,
                                 message);
    }

    llm_buf_free(&body);

    return rc;
}


int
llm_query_body_head(llm_reader_t *reader, int64_t id, int response,
    llm_body_info_t *info, llm_buf_t *body, llm_query_error_t *err)
{
    int      rc;
    int64_t  size, from;

    if (llm_query_body_info(reader, id, response, info, err) != LLM_OK) {
        return LLM_ERROR;
    }

    size = info->size < LLM_QUERY_MESSAGE ? info->size : LLM_QUERY_MESSAGE;
    rc = LLM_OK;

    for (from = 0; from < size && rc == LLM_OK; from += LLM_QUERY_PIECE) {
        rc = llm_query_body(reader, id, response, from, LLM_QUERY_PIECE, body,
                            err);
    }

    if (body->len > (size_t) size) {
        body->len = (size_t) size;
    }

    return rc;
}


static int
llm_query_message_json(llm_reader_t *reader, int64_t id, const llm_row_t *row,
    llm_json_t *j, llm_query_error_t *err)
{
    int        rc;
    llm_buf_t  message;

    llm_buf_init(&message, 2 * LLM_QUERY_MESSAGE);

    rc = llm_query_message(reader, id, row, &message, err);

    llm_json_key(j, "message");

    if (message.failed == LLM_OK && message.len != 0) {
        llm_json_raw(j, message.data, message.len);

    } else {
        llm_json_null(j);
    }

    llm_buf_free(&message);

    return rc;
}


static int
llm_query_body_json(llm_reader_t *reader, int64_t id, int response,
    int64_t state, int64_t max_body, llm_json_t *j, llm_query_error_t *err)
{
    int              rc, more;
    char             text[LLM_BODY_PLACEHOLDER];
    size_t           n;
    llm_buf_t        body;
    llm_body_info_t  info;

    rc = LLM_OK;
    more = 0;

    llm_json_key(j, response ? "response_body" : "request_body");

    switch (state) {

    case LLM_BODY_STORED:
    case LLM_BODY_REDACTED:
        rc = llm_query_body_info(reader, id, response, &info, err);

        if (rc != LLM_OK) {
            break;
        }

        if (!llm_body_kept(info.state)) {
            llm_json_null(j);
            break;
        }

        /* three more: the last character may need them */

        llm_buf_init(&body, LLM_QUERY_BODY + 3);

        rc = llm_query_body(reader, id, response, 0, LLM_QUERY_BODY + 3,
                            &body, err);

        if (rc == LLM_OK) {
            n = body.len;

            if (n > LLM_QUERY_BODY) {
                n = llm_utf8_cut(body.data, body.len, LLM_QUERY_BODY);
            }

            llm_json_string(j, body.data, n);
            more = ((int64_t) n < info.size);
        }

        llm_buf_free(&body);
        break;

    default:
        llm_json_text(j, llm_body_placeholder(response, state, max_body,
                                              text));
    }

    llm_json_key(j, response ? "response_body_truncated"
                             : "request_body_truncated");
    llm_json_bool(j, more);

    return rc;
}


const char *
llm_body_placeholder(int response, int64_t state, int64_t max_body,
    char *text)
{
    switch (state) {

    case LLM_BODY_BINARY:
        return response ? "[Binary Response Data]" : "[Binary Request Data]";

    case LLM_BODY_TOO_LARGE:

        if (!response) {
            return NULL;
        }

        llm_query_too_large(text, max_body);

        return text;

    default:
        return NULL;
    }
}


static void
llm_query_too_large(char *text, int64_t max_body)
{
    int      unit;
    int64_t  n;

    static const char *const  units[] = { "B", "KB", "MB", "GB" };

    n = max_body;

    for (unit = 0; unit < 3 && n > 0 && n % 1024 == 0; unit++) {
        n /= 1024;
    }

    snprintf(text, LLM_BODY_PLACEHOLDER, "[Response too large (>%lld%s)]",
             (long long) n, units[unit]);
}
