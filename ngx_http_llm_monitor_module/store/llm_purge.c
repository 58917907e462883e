
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
#define LLM_PURGE_FREE      "8"        /* pages in one go */
#define LLM_PURGE_KEEP      1024       /* free pages that may stay, at most */
#define LLM_PURGE_KEEP_PART 32         /* and one in so many */
#define LLM_PURGE_LOOK      8          /* rows between two looks at them */
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
    ("DELETE FROM frame WHERE rowid IN"
     " (SELECT rowid FROM frame WHERE id = ?1 LIMIT ?2)")
};


static int llm_purge_edge(llm_writer_t *w, llm_purge_t *p, int64_t *edge);
static int llm_purge_ids(llm_writer_t *w, const int64_t *ids, int n, int row,
    int64_t enough, int *done);
static int llm_purge_enough(llm_writer_t *w, int n, int64_t enough,
    int64_t *free);
static int llm_purge_id(llm_writer_t *w, sqlite3_stmt **st, int64_t id,
    int row);
static int llm_purge_frames(llm_writer_t *w, sqlite3_stmt *st, int64_t id,
    int64_t start);
static int llm_purge_expired(llm_writer_t *w, const int64_t *ids, int n);
static int llm_purge_named(llm_writer_t *w, const char *name);


void
llm_purge_init(llm_purge_t *p)
{
    memset(p, 0, sizeof(llm_purge_t));
    p->below = LLM_NULL;
}


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

    if (llm_purge_ids(w, ids, n, 1, p->enough, &done) != LLM_OK
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
    llm_metrics_add(&w->control->deleted[p->reason], done);

    return LLM_OK;
}


int
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
 * In a transaction; at least one, the rest while there is time and more is to
 * be freed.  Of a body in many frames a part, and then its row comes again.
 */

static int
llm_purge_ids(llm_writer_t *w, const int64_t *ids, int n, int row,
    int64_t enough, int *done)
{
    int            rc;
    int64_t        start, free;
    sqlite3_stmt  *st[LLM_PURGE_STATEMENTS];

    if (llm_db_prepare(&w->db, llm_purge_sql, st, LLM_PURGE_STATEMENTS)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;
    free = LLM_NULL;
    start = llm_control_now();

    for (*done = 0; *done < n && rc == LLM_OK; (*done)++) {

        if (*done > 0
            && (llm_control_now() - start >= LLM_PURGE_MS
                || w->nfiles + 2 > LLM_BATCH_FILES))
        {
            break;
        }

        if (enough > 0) {
            rc = llm_purge_enough(w, *done, enough, &free);

            if (rc != LLM_AGAIN) {
                break;
            }
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


/* LLM_AGAIN: not yet.  *free is set at the first look. */

static int
llm_purge_enough(llm_writer_t *w, int n, int64_t enough, int64_t *free)
{
    int64_t  pages;

    if (n % LLM_PURGE_LOOK != 0) {
        return LLM_AGAIN;
    }

    if (llm_db_int(&w->db, "PRAGMA freelist_count", &pages) != LLM_OK) {
        return LLM_ERROR;
    }

    if (*free == LLM_NULL) {
        *free = pages;
    }

    return (pages - *free) * LLM_SCHEMA_PAGE_SIZE >= enough ? LLM_OK
                                                            : LLM_AGAIN;
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

    if (row
        && (llm_gone_mark(&w->gone, id >> LLM_ID_SHIFT) != LLM_OK
            || llm_blocks_touch(&w->blocks, id) != LLM_OK))
    {
        return LLM_ERROR;
    }

    for (i = row ? 0 : LLM_PURGE_REQUEST; i < LLM_PURGE_STORING; i++) {
        (void) sqlite3_bind_int64(st[i], 1, id);

        if (llm_db_run(&w->db, st[i]) != LLM_OK) {
            return LLM_ERROR;
        }

        if (i == LLM_PURGE_LOG) {
            w->rows -= sqlite3_changes(w->db.handle);
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
llm_purge_bodies(llm_writer_t *w, int64_t below, int64_t enough)
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

    rc = LLM_OK;

    for (n = 0; n < LLM_PURGE_ROWS; n++) {
        rc = llm_db_row(&w->db, st);

        if (rc != LLM_OK) {
            break;
        }

        ids[n] = sqlite3_column_int64(st, 0);
    }

    llm_db_finalize(&st, 1);

    if (rc == LLM_ERROR) {
        return LLM_ERROR;
    }

    if (n == 0) {
        return LLM_AGAIN;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_ids(w, ids, n, 0, enough, &done) != LLM_OK
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
llm_purge_pages(llm_writer_t *w, int all)
{
    int64_t  pages, kept, start;

    if (llm_db_int(&w->db, "PRAGMA page_count", &kept) != LLM_OK) {
        return LLM_ERROR;
    }

    kept /= LLM_PURGE_KEEP_PART;
    kept = all ? 0 : kept < LLM_PURGE_KEEP ? kept : LLM_PURGE_KEEP;
    start = llm_control_now();

    if (llm_db_int(&w->db, "PRAGMA freelist_count", &pages) != LLM_OK) {
        return LLM_ERROR;
    }

    if (pages <= kept) {
        return LLM_AGAIN;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    do {
        if (llm_db_exec(&w->db, "PRAGMA incremental_vacuum(" LLM_PURGE_FREE
                        ")")
            != LLM_OK
            || llm_db_int(&w->db, "PRAGMA freelist_count", &pages) != LLM_OK)
        {
            goto failed;
        }

    } while (pages > kept && llm_control_now() - start < LLM_PURGE_MS);

    if (llm_writer_commit(w) != LLM_OK) {
        goto failed;
    }

    return pages > kept ? LLM_OK : LLM_AGAIN;

failed:

    llm_writer_rollback(w);

    return LLM_ERROR;
}


void
llm_purge_files(llm_writer_t *w, int64_t now)
{
    int             fd;
    DIR            *dir;
    int64_t         ms;
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
