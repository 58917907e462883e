
/*
 * Copyright (C) llm_monitor contributors
 */


#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ring/llm_spool.h"
#include "llm_purge.h"


#define LLM_PURGE_FILE_MS   3600000
#define LLM_PURGE_SQL_MAX   65536
#define LLM_PURGE_DICT      5000       /* ids of one slice */
#define LLM_PURGE_FREE      "256"      /* pages of one slice */
#define LLM_PURGE_KEEP      1024       /* free pages that may stay */
#define LLM_PURGE_FRAMES    8          /* of a body in one go, 2 MB */

enum {
    LLM_PURGE_LOG = 0, LLM_PURGE_DETAIL, LLM_PURGE_REQUEST,
    LLM_PURGE_RESPONSE, LLM_PURGE_STORING, LLM_PURGE_FRAME,
    LLM_PURGE_STATEMENTS
};

static const char *const  llm_purge_sql[LLM_PURGE_STATEMENTS] = {
    "DELETE FROM log WHERE id = ?1",
    "DELETE FROM detail WHERE id = ?1",
    "DELETE FROM request_body WHERE id = ?1",
    "DELETE FROM response_body WHERE id = ?1",
    "DELETE FROM storing WHERE id = ?1 RETURNING file",
    "DELETE FROM frame WHERE rowid IN (SELECT rowid FROM frame WHERE id = ?1"
        " LIMIT ?2)"
};


static int llm_purge_find(llm_writer_t *w, llm_purge_t *p, int64_t *ids,
    int *n, int64_t *edge);
static int llm_purge_edge(llm_writer_t *w, llm_purge_t *p, int64_t *edge);
static int llm_purge_ids(llm_writer_t *w, const int64_t *ids, int n, int row,
    int *done);
static int llm_purge_id(llm_writer_t *w, sqlite3_stmt **st, int64_t id,
    int row);
static int llm_purge_frames(llm_writer_t *w, sqlite3_stmt *st, int64_t id,
    int64_t start);
static int llm_purge_expired(llm_writer_t *w, const int64_t *ids, int n);
static int llm_purge_oldest(llm_writer_t *w, int64_t *row_ms,
    int64_t *ledger_ms);
static int llm_purge_named(llm_writer_t *w, const char *name);


int
llm_purge_rows(llm_writer_t *w, llm_purge_t *p)
{
    int      n, done, rc;
    int64_t  ids[LLM_PURGE_ROWS], edge;

    rc = llm_purge_find(w, p, ids, &n, &edge);

    if (rc != LLM_OK) {
        return rc;
    }

    if (n == 0) {
        p->last = edge;
        return LLM_OK;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_ids(w, ids, n, 1, &done) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    if (done == n && n < LLM_PURGE_ROWS) {
        p->last = edge;

    } else if (done > 0) {
        p->last = ids[done - 1];
    }

    p->deleted += done;

    return LLM_OK;
}


/* The next ids, of a bounded number of rows: up to edge all were looked at. */

static int
llm_purge_find(llm_writer_t *w, llm_purge_t *p, int64_t *ids, int *n,
    int64_t *edge)
{
    int            rc, base;
    llm_buf_t      sql;
    const char    *text;
    sqlite3_stmt  *st;

    *n = 0;

    rc = llm_purge_edge(w, p, edge);

    if (rc != LLM_OK) {
        return rc == LLM_DECLINED ? LLM_AGAIN : rc;
    }

    llm_buf_init(&sql, LLM_PURGE_SQL_MAX);
    llm_buf_text(&sql, "SELECT l.id FROM log AS l WHERE 1");
    llm_buf_text(&sql, p->where ? llm_where_text(p->where) : "");
    llm_buf_text(&sql, " AND l.id > ? AND l.id <= ? AND l.seq <= ?"
                 " ORDER BY l.id");
    llm_buf_add(&sql, "", 1);

    if (sql.failed != LLM_OK) {
        llm_buf_free(&sql);
        w->db.code = SQLITE_NOMEM;
        return LLM_ERROR;
    }

    text = (const char *) sql.data;
    rc = llm_db_prepare(&w->db, &text, &st, 1);

    llm_buf_free(&sql);

    if (rc != LLM_OK) {
        return LLM_ERROR;
    }

    base = 0;

    if (p->where != NULL) {
        base = llm_where_params(p->where);
        rc = llm_where_bind(p->where, st);
    }

    (void) sqlite3_bind_int64(st, base + 1, p->last);
    (void) sqlite3_bind_int64(st, base + 2, *edge);
    (void) sqlite3_bind_int64(st, base + 3, p->seq);

    while (rc == LLM_OK && *n < LLM_PURGE_ROWS) {
        rc = llm_db_row(&w->db, st);

        if (rc == LLM_OK) {
            ids[(*n)++] = sqlite3_column_int64(st, 0);
        }
    }

    llm_db_finalize(&st, 1);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


static int
llm_purge_edge(llm_writer_t *w, llm_purge_t *p, int64_t *edge)
{
    int            rc;
    sqlite3_stmt  *st;

    static const char *const  sql =
        "SELECT max(id) FROM (SELECT id FROM log WHERE id > ?1 AND id < ?2"
        " ORDER BY id LIMIT ?3)";

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, p->last);
    (void) sqlite3_bind_int64(st, 2,
                              p->below != LLM_NULL ? p->below : INT64_MAX);
    (void) sqlite3_bind_int(st, 3, LLM_PURGE_WINDOW);

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        *edge = sqlite3_column_int64(st, 0);

        if (sqlite3_column_type(st, 0) == SQLITE_NULL) {
            rc = LLM_DECLINED;
        }
    }

    llm_db_finalize(&st, 1);

    return rc;
}


/*
 * In a transaction; at least one, the rest while there is time.  Of a body in
 * many frames a part, and then its row comes again.
 */

static int
llm_purge_ids(llm_writer_t *w, const int64_t *ids, int n, int row, int *done)
{
    int            rc;
    int64_t        start;
    sqlite3_stmt  *st[LLM_PURGE_STATEMENTS];

    if (llm_db_prepare(&w->db, llm_purge_sql, st, LLM_PURGE_STATEMENTS)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;
    start = llm_control_now();

    for (*done = 0; *done < n && rc == LLM_OK; (*done)++) {

        if (*done > 0
            && (llm_control_now() - start >= LLM_PURGE_MS
                || w->nfiles + 2 > LLM_BATCH_FILES))
        {
            break;
        }

        rc = llm_purge_frames(w, st[LLM_PURGE_FRAME], ids[*done], start);

        if (rc == LLM_AGAIN) {
            rc = LLM_OK;
            break;
        }

        if (rc == LLM_OK) {
            rc = llm_purge_id(w, st, ids[*done], row);
        }
    }

    llm_db_finalize(st, LLM_PURGE_STATEMENTS);

    return rc;
}


/* LLM_AGAIN: there are more, and no time. */

static int
llm_purge_frames(llm_writer_t *w, sqlite3_stmt *st, int64_t id, int64_t start)
{
    (void) sqlite3_bind_int64(st, 1, id);
    (void) sqlite3_bind_int(st, 2, LLM_PURGE_FRAMES);

    for ( ;; ) {

        if (llm_db_run(&w->db, st) != LLM_OK) {
            return LLM_ERROR;
        }

        if (sqlite3_changes(w->db.handle) < LLM_PURGE_FRAMES) {
            return LLM_OK;
        }

        if (llm_control_now() - start >= LLM_PURGE_MS) {
            return LLM_AGAIN;
        }
    }
}


static int
llm_purge_id(llm_writer_t *w, sqlite3_stmt **st, int64_t id, int row)
{
    int  i, rc;

    for (i = row ? 0 : LLM_PURGE_REQUEST; i < LLM_PURGE_STORING; i++) {
        (void) sqlite3_bind_int64(st[i], 1, id);

        if (llm_db_run(&w->db, st[i]) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    (void) sqlite3_bind_int64(st[i], 1, id);

    while ((rc = llm_db_row(&w->db, st[i])) == LLM_OK) {
        (void) snprintf(w->files[w->nfiles++], LLM_SPOOL_NAME_MAX, "%s",
                        (const char *) sqlite3_column_text(st[i], 0));
    }

    return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
}


int
llm_purge_bodies(llm_writer_t *w, int64_t below)
{
    int            n, done, rc;
    int64_t        ids[LLM_PURGE_ROWS];
    sqlite3_stmt  *st;

    static const char *const  sql =
        "SELECT id FROM request_body WHERE id < ?1"
        " UNION SELECT id FROM response_body WHERE id < ?1"
        " ORDER BY id LIMIT ?2";

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, below);
    (void) sqlite3_bind_int(st, 2, LLM_PURGE_ROWS);

    for (n = 0; n < LLM_PURGE_ROWS; n++) {
        rc = llm_db_row(&w->db, st);

        if (rc != LLM_OK) {
            break;
        }

        ids[n] = sqlite3_column_int64(st, 0);
    }

    llm_db_finalize(&st, 1);

    if (n < LLM_PURGE_ROWS && rc == LLM_ERROR) {
        return LLM_ERROR;
    }

    if (n == 0) {
        return LLM_AGAIN;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_ids(w, ids, n, 0, &done) != LLM_OK
        || llm_purge_expired(w, ids, done) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_purge_expired(llm_writer_t *w, const int64_t *ids, int n)
{
    int            i, rc;
    sqlite3_stmt  *st;

    /* 1 stored, 5 redacted, 7 storing, 6 expired */

    static const char *const  sql =
        "UPDATE log SET"
        " request_body_state = iif(request_body_state IN (1, 5, 7), 6,"
            " request_body_state),"
        " response_body_state = iif(response_body_state IN (1, 5, 7), 6,"
            " response_body_state)"
        " WHERE id = ?1";

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = LLM_OK;

    for (i = 0; i < n && rc == LLM_OK; i++) {
        (void) sqlite3_bind_int64(st, 1, ids[i]);
        rc = llm_db_run(&w->db, st);
    }

    llm_db_finalize(&st, 1);

    return rc;
}


int
llm_purge_unused(llm_writer_t *w, int64_t *from)
{
    int64_t  row_ms, ledger_ms, n;

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_oldest(w, &row_ms, &ledger_ms) != LLM_OK
        || llm_dict_sweep(&w->dict, row_ms / LLM_DAY_MS,
                          ledger_ms / LLM_DAY_MS, LLM_PURGE_DICT, from)
           != LLM_OK
        || llm_sessions_sweep(&w->sessions, row_ms, &n) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* Of an empty table: now, as what is used today is kept in any case. */

static int
llm_purge_oldest(llm_writer_t *w, int64_t *row_ms, int64_t *ledger_ms)
{
    int64_t  now, id, t;

    now = llm_wall_ms();

    if (llm_db_int(&w->db, "SELECT coalesce(min(id), 0) FROM log", &id)
        != LLM_OK
        || llm_db_int(&w->db,
                      "SELECT min((SELECT coalesce(min(t), 1 << 62)"
                      "  FROM service), (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM who), (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM series WHERE span = 86400000),"
                      " (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM health WHERE span = 3600000),"
                      " (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM service_minute))", &t)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    *row_ms = id != 0 && id >> LLM_ID_SHIFT < now ? id >> LLM_ID_SHIFT : now;
    *ledger_ms = t < now ? t : now;

    return LLM_OK;
}


int
llm_purge_used(llm_writer_t *w, int64_t *bytes)
{
    int64_t  pages, free, size;

    if (llm_db_int(&w->db, "PRAGMA page_count", &pages) != LLM_OK
        || llm_db_int(&w->db, "PRAGMA freelist_count", &free) != LLM_OK
        || llm_db_int(&w->db, "PRAGMA page_size", &size) != LLM_OK)
    {
        return LLM_ERROR;
    }

    *bytes = (pages - free) * size;

    return LLM_OK;
}


int
llm_purge_pages(llm_writer_t *w)
{
    int64_t  pages;

    if (llm_db_int(&w->db, "PRAGMA freelist_count", &pages) != LLM_OK) {
        return LLM_ERROR;
    }

    if (pages <= LLM_PURGE_KEEP) {
        return LLM_AGAIN;
    }

    return llm_db_exec(&w->db,
                       "PRAGMA incremental_vacuum(" LLM_PURGE_FREE ")");
}


void
llm_purge_files(llm_writer_t *w)
{
    int             fd;
    DIR            *dir;
    int64_t         ms, now;
    struct stat     st;
    struct dirent  *entry;

    if (w->spool_fd == -1) {
        return;
    }

    fd = openat(w->spool_fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd != -1 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return;
    }

    now = llm_wall_ms();

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.'
            || strncmp(entry->d_name, LLM_SPOOL_PREFIX,
                       sizeof(LLM_SPOOL_PREFIX) - 1) == 0
            || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1
            || !S_ISREG(st.st_mode))
        {
            continue;
        }

        /* the change time is when it got its name */

        ms = (int64_t) st.st_ctim.tv_sec * 1000;

        if (now - ms > LLM_PURGE_FILE_MS
            && llm_purge_named(w, entry->d_name) == LLM_DECLINED)
        {
            (void) llm_writer_unlink(w, entry->d_name);
        }
    }

    (void) closedir(dir);
}


static int
llm_purge_named(llm_writer_t *w, const char *name)
{
    int            rc;
    sqlite3_stmt  *st;

    static const char *const  sql = "SELECT 1 FROM storing WHERE file = ?1";

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);

    rc = llm_db_row(&w->db, st);

    llm_db_finalize(&st, 1);

    return rc;
}
