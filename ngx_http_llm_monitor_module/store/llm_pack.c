
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_columns.h"
#include "llm_pack.h"
#include "llm_purge.h"


#define LLM_PACK_MAX  (4 * 1024 * 1024)        /* 5000 values at the most */

enum {
    LLM_PACK_NEXT = 0, LLM_PACK_READ, LLM_PACK_PUT, LLM_PACK_STATEMENTS
};

static const char *const  llm_pack_sql[LLM_PACK_STATEMENTS] = {
    "SELECT t, dim FROM series WHERE span = ?1 AND (t, dim) > (?2, ?3)"
        " AND t < ?4 ORDER BY t, dim LIMIT 1",
    "SELECT value, requests, errors, usages, input_tokens,"
        " cache_read_tokens, cache_creation_tokens, output_tokens,"
        " reasoning_tokens, total_tokens, priced, cost_nano, duration_n,"
        " duration_us, ttft_n, ttft_us, speed_tokens, speed_us FROM series"
        " WHERE span = ?1 AND t = ?2 AND dim = ?3 ORDER BY value",
    "REPLACE INTO packed (span, t, dim, data) VALUES (?1, ?2, ?3, ?4)"
};


static int llm_pack_spans(llm_writer_t *w, sqlite3_stmt **st, int64_t now,
    int *more);
static int llm_pack_span(llm_writer_t *w, sqlite3_stmt **st, int64_t span,
    int64_t before, int64_t deadline, int *more);
static int llm_pack_one(llm_writer_t *w, sqlite3_stmt **st, int64_t span,
    int64_t t, int64_t dim);


int
llm_pack_slice(llm_writer_t *w, int64_t now)
{
    int            rc, more;
    sqlite3_stmt  *st[LLM_PACK_STATEMENTS];

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    more = 0;
    rc = llm_db_prepare(&w->db, llm_pack_sql, st, LLM_PACK_STATEMENTS);

    if (rc == LLM_OK) {
        rc = llm_pack_spans(w, st, now, &more);
        llm_db_finalize(st, LLM_PACK_STATEMENTS);
    }

    if (rc != LLM_OK || llm_writer_commit(w) != LLM_OK) {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return more ? LLM_OK : LLM_AGAIN;
}


static int
llm_pack_spans(llm_writer_t *w, sqlite3_stmt **st, int64_t now, int *more)
{
    int      i;
    int64_t  before, deadline;

    static const int64_t  span[] = { LLM_DAY_MS, LLM_QUARTER_MS };

    deadline = llm_control_now() + LLM_PURGE_MS;

    for (i = 0; i < 2 && !*more; i++) {
        before = now - LLM_PACK_LATE - span[i];

        if (llm_pack_span(w, st, span[i], before, deadline, more) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


/* Goes on where the last slice ended; what comes later than that stays. */

static int
llm_pack_span(llm_writer_t *w, sqlite3_stmt **st, int64_t span,
    int64_t before, int64_t deadline, int *more)
{
    int          rc, changed;
    int64_t      t, dim, *newest;
    const char  *at_t, *at_dim;

    at_t = span == LLM_DAY_MS ? "packed_day" : "packed_quarter";
    at_dim = span == LLM_DAY_MS ? "packed_day_dim" : "packed_quarter_dim";
    changed = 0;

    if (llm_writer_get_meta(w, at_t, &t) != LLM_OK
        || llm_writer_get_meta(w, at_dim, &dim) != LLM_OK)
    {
        return LLM_ERROR;
    }

    for ( ;; ) {

        if (llm_control_now() >= deadline) {
            *more = 1;
            break;
        }

        (void) sqlite3_bind_int64(st[LLM_PACK_NEXT], 1, span);
        (void) sqlite3_bind_int64(st[LLM_PACK_NEXT], 2, t);
        (void) sqlite3_bind_int64(st[LLM_PACK_NEXT], 3, dim);
        (void) sqlite3_bind_int64(st[LLM_PACK_NEXT], 4, before);

        rc = llm_db_row(&w->db, st[LLM_PACK_NEXT]);

        if (rc == LLM_DECLINED) {
            break;
        }

        if (rc != LLM_OK) {
            return LLM_ERROR;
        }

        t = sqlite3_column_int64(st[LLM_PACK_NEXT], 0);
        dim = sqlite3_column_int64(st[LLM_PACK_NEXT], 1);

        (void) sqlite3_reset(st[LLM_PACK_NEXT]);

        if (llm_pack_one(w, st, span, t, dim) != LLM_OK) {
            return LLM_ERROR;
        }

        changed = 1;
    }

    if (!changed) {
        return LLM_OK;
    }

    newest = span == LLM_DAY_MS ? &w->ledger.packed_day
                                : &w->ledger.packed_quarter;
    *newest = t > *newest ? t : *newest;

    if (llm_writer_set_meta(w, at_t, t) != LLM_OK
        || llm_writer_set_meta(w, at_dim, dim) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_pack_one(llm_writer_t *w, sqlite3_stmt **st, int64_t span, int64_t t,
    int64_t dim)
{
    int        i, rc;
    size_t     n;
    int64_t    row[LLM_COLUMNS_COUNT];
    llm_buf_t  rows, data;

    for (i = LLM_PACK_READ; i <= LLM_PACK_PUT; i++) {
        (void) sqlite3_bind_int64(st[i], 1, span);
        (void) sqlite3_bind_int64(st[i], 2, t);
        (void) sqlite3_bind_int64(st[i], 3, dim);
    }

    llm_buf_init(&rows, LLM_PACK_MAX);
    llm_buf_init(&data, LLM_PACK_MAX);

    for (n = 0; (rc = llm_db_row(&w->db, st[LLM_PACK_READ])) == LLM_OK; n++) {

        for (i = 0; i < LLM_COLUMNS_COUNT; i++) {
            row[i] = sqlite3_column_int64(st[LLM_PACK_READ], i);
        }

        llm_buf_add(&rows, row, sizeof(row));
    }

    rc = rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;

    if (n >= LLM_PACK_ROWS && rows.failed == LLM_OK) {
        llm_columns_write(&data, (const void *) rows.data, n);
    }

    /* without memory the rows are what there is */

    if (rc == LLM_OK && data.len != 0 && data.failed == LLM_OK) {
        (void) sqlite3_bind_blob(st[LLM_PACK_PUT], 4, data.data,
                                 (int) data.len, SQLITE_STATIC);

        rc = llm_db_run(&w->db, st[LLM_PACK_PUT]);
    }

    llm_buf_free(&rows);
    llm_buf_free(&data);

    return rc;
}
