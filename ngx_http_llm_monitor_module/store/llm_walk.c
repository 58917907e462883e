
/*
 * Copyright (C) llm_monitor contributors
 *
 * A window of seq at a time, so that the time is looked at though no row may
 * pass the filter.  The index on seq has the ids, and with them the times: of
 * what is too old or too new only the index is read.
 */


#include "llm_walk.h"
#include "llm_where.h"
#include "../ring/llm_control.h"


#define LLM_WALK_SQL       16384
#define LLM_WALK_WINDOW    4096        /* of seq */


static sqlite3_stmt *llm_walk_prepare(llm_reader_t *reader, llm_where_t *where);
static int llm_walk_window(llm_reader_t *reader, llm_walk_t *w,
    llm_words_t *words, sqlite3_stmt *stmt, int n);
static int llm_walk_gap(llm_reader_t *reader, llm_walk_t *w);
static int llm_walk_int(llm_reader_t *reader, const char *sql, int64_t seq,
    int64_t *v);


int
llm_walk_newest(llm_reader_t *reader, int64_t *seq, llm_query_error_t *err)
{
    *seq = 0;

    if (reader->db == NULL) {
        return LLM_OK;
    }

    if (llm_walk_int(reader, "SELECT max(seq) FROM log WHERE seq > ?",
                     LLM_NULL, seq)
        != LLM_OK)
    {
        return llm_reader_fail(reader, err);
    }

    if (*seq == LLM_NULL) {
        *seq = 0;
    }

    return LLM_OK;
}


int
llm_walk(llm_reader_t *reader, const llm_filter_t *f, llm_walk_t *w,
    int64_t budget_ms, llm_query_error_t *err)
{
    int            rc;
    int64_t        end;
    llm_where_t   *where;
    llm_words_t   *words;
    sqlite3_stmt  *stmt;

    if (reader->db == NULL || w->seq >= w->upto) {
        w->seq = w->upto;
        return LLM_OK;
    }

    stmt = NULL;
    words = NULL;
    end = llm_control_now() + budget_ms;

    rc = llm_where_create(&where, reader->db, f);

    if (rc == LLM_OK) {
        rc = llm_words_create(&words, reader->db);
    }

    if (rc == LLM_OK) {
        stmt = llm_walk_prepare(reader, where);
        rc = stmt != NULL ? LLM_OK : LLM_ERROR;
    }

    while (rc == LLM_OK && w->seq < w->upto) {

        rc = llm_walk_gap(reader, w);

        if (rc == LLM_OK && w->seq < w->upto) {
            rc = llm_walk_window(reader, w, words, stmt,
                                 llm_where_params(where));
        }

        if (rc == LLM_OK && w->seq < w->upto && llm_control_now() >= end) {
            rc = LLM_AGAIN;
        }
    }

    switch (rc) {

    case LLM_OK:
    case LLM_AGAIN:
        break;

    case LLM_DECLINED:

        /* who takes the rows has said why */

        rc = LLM_ERROR;
        break;

    case LLM_ERROR:
        (void) llm_reader_fail(reader, err);
        break;

    default:
        rc = llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    sqlite3_finalize(stmt);
    llm_words_free(words);
    llm_where_free(where);

    return rc;
}


static sqlite3_stmt *
llm_walk_prepare(llm_reader_t *reader, llm_where_t *where)
{
    llm_buf_t      sql;
    sqlite3_stmt  *stmt;

    stmt = NULL;
    llm_buf_init(&sql, LLM_WALK_SQL);

    llm_row_select_ids(&sql, "log AS l INDEXED BY log_seq");
    llm_buf_text(&sql, llm_where_text(where));
    llm_buf_text(&sql, " AND l.seq > ? AND l.seq <= ? ORDER BY l.seq");

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(reader->db, (const char *) sql.data,
                              (int) sql.len, &stmt, NULL)
           == SQLITE_OK
        && llm_where_bind(where, stmt) != LLM_OK)
    {
        sqlite3_finalize(stmt);
        stmt = NULL;
    }

    llm_buf_free(&sql);

    return stmt;
}


/* n parameters of the statement are the condition's */

static int
llm_walk_window(llm_reader_t *reader, llm_walk_t *w, llm_words_t *words,
    sqlite3_stmt *stmt, int n)
{
    int        rc;
    int64_t    to;
    llm_row_t  row;

    to = w->upto - w->seq > LLM_WALK_WINDOW ? w->seq + LLM_WALK_WINDOW
                                            : w->upto;

    sqlite3_bind_int64(stmt, n + 1, w->seq);
    sqlite3_bind_int64(stmt, n + 2, to);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        /* the error of another statement: a reset of this one hides it */

        if (llm_row_load_ids(reader, stmt, words, &row) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = w->row(w->data, &row);

        if (rc == LLM_ERROR) {
            sqlite3_reset(stmt);
            return LLM_DECLINED;
        }

        w->seq = row.seq;

        if (rc == LLM_AGAIN) {
            sqlite3_reset(stmt);
            return w->seq < w->upto ? LLM_AGAIN : LLM_OK;
        }
    }

    sqlite3_reset(stmt);

    if (rc != SQLITE_DONE) {
        return LLM_ERROR;
    }

    w->seq = to;

    return LLM_OK;
}


/* where rows were deleted there may be none for long */

static int
llm_walk_gap(llm_reader_t *reader, llm_walk_t *w)
{
    int64_t  next;

    if (llm_walk_int(reader, "SELECT min(seq) FROM log WHERE seq > ?", w->seq,
                     &next)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (next == LLM_NULL || next > w->upto) {
        w->seq = w->upto;

    } else {
        w->seq = next - 1;
    }

    return LLM_OK;
}


static int
llm_walk_int(llm_reader_t *reader, const char *sql, int64_t seq, int64_t *v)
{
    int            rc;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(reader->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return LLM_ERROR;
    }

    sqlite3_bind_int64(stmt, 1, seq);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *v = sqlite3_column_type(stmt, 0) == SQLITE_NULL
                 ? LLM_NULL : sqlite3_column_int64(stmt, 0);
    }

    sqlite3_finalize(stmt);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}
