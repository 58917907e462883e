
/*
 * Copyright (C) llm_monitor contributors
 */


#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ring/llm_spool.h"
#include "llm_idset.h"
#include "llm_insert.h"
#include "llm_marks.h"


#define LLM_MARKS_SWEEP  256       /* marks of one sweep */


static void llm_marks_bind(sqlite3_stmt *st, uint64_t identity, uint64_t at,
    const llm_ring_result_t *res);
static void llm_marks_result(sqlite3_stmt *st, int column,
    llm_ring_result_t *res);
static int llm_marks_delete(llm_writer_t *w, const char *sql,
    const int64_t *ids, int n);
static int llm_marks_segments(llm_writer_t *w, llm_idset_t *there);
static int llm_marks_old(llm_writer_t *w, const char *sql,
    const llm_idset_t *there, int64_t *ids, int *n);


/* LLM_WRITER_RING and LLM_WRITER_SEGMENT begin alike */

static const char  llm_marks_no_ring[] = "DELETE FROM drained WHERE ring = ?1";

static const char  llm_marks_no_segment[] =
    "DELETE FROM drained_segment WHERE segment = ?1";


int
llm_marks_set_ring(llm_writer_t *w, uint64_t identity, uint64_t seq,
    const llm_ring_result_t *res)
{
    sqlite3_stmt  *st;

    st = w->st[LLM_WRITER_RING];

    llm_marks_bind(st, identity, seq, res);

    return llm_db_run(&w->db, st);
}


int
llm_marks_get_ring(llm_writer_t *w, uint64_t identity, uint64_t *seq,
    llm_ring_result_t *res)
{
    int            rc;
    sqlite3_stmt  *st;

    memset(res, 0, sizeof(llm_ring_result_t));
    *seq = 0;

    st = w->st[LLM_WRITER_RING_GET];

    (void) sqlite3_bind_int64(st, 1, (int64_t) identity);

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        *seq = sqlite3_column_int64(st, 0);
        llm_marks_result(st, 1, res);

        (void) sqlite3_reset(st);
    }

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


int
llm_marks_set_segment(llm_writer_t *w, uint64_t identity, uint64_t offset,
    uint64_t ring, uint64_t batch, const llm_ring_result_t *res)
{
    sqlite3_stmt  *st;

    st = w->st[LLM_WRITER_SEGMENT];

    llm_marks_bind(st, identity, offset, res);

    (void) sqlite3_bind_int64(st, 9, (int64_t) ring);
    (void) sqlite3_bind_int64(st, 10, (int64_t) batch);
    (void) sqlite3_bind_int64(st, 11, (int64_t) res->spool_taken);

    return llm_db_run(&w->db, st);
}


int
llm_marks_get_segment(llm_writer_t *w, uint64_t identity, uint64_t *offset)
{
    int            rc;
    sqlite3_stmt  *st;

    *offset = 0;

    st = w->st[LLM_WRITER_SEGMENT_GET];

    (void) sqlite3_bind_int64(st, 1, (int64_t) identity);

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        *offset = sqlite3_column_int64(st, 0);
        (void) sqlite3_reset(st);
    }

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}


int
llm_marks_get_batch(llm_writer_t *w, uint64_t ring, uint64_t batch,
    llm_ring_result_t *res)
{
    int            i, rc;
    sqlite3_stmt  *st;

    static const char *const  sql =
        "SELECT written, ledger_only, cleared, torn, db_error, taken"
        " FROM drained_segment WHERE ring = ?1 AND batch = ?2";

    memset(res, 0, sizeof(llm_ring_result_t));

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, (int64_t) ring);
    (void) sqlite3_bind_int64(st, 2, (int64_t) batch);

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        llm_marks_result(st, 0, res);

        res->batches = 1;
        res->spool_taken = sqlite3_column_int64(st, 5);
        res->recovered = res->written + res->ledger_only + res->cleared;

        for (i = 0; i < LLM_DROP_COUNT; i++) {
            res->recovered += res->dropped[i];
        }

        res->recovered -= res->spool_taken;
    }

    llm_db_finalize(&st, 1);

    return rc;
}


static void
llm_marks_bind(sqlite3_stmt *st, uint64_t identity, uint64_t at,
    const llm_ring_result_t *res)
{
    (void) sqlite3_bind_int64(st, 1, (int64_t) identity);
    (void) sqlite3_bind_int64(st, 2, (int64_t) at);
    (void) sqlite3_bind_int64(st, 3, llm_wall_ms());
    (void) sqlite3_bind_int64(st, 4, (int64_t) res->written);
    (void) sqlite3_bind_int64(st, 5, (int64_t) res->ledger_only);
    (void) sqlite3_bind_int64(st, 6, (int64_t) res->cleared);
    (void) sqlite3_bind_int64(st, 7, (int64_t) res->dropped[LLM_DROP_TORN]);
    (void) sqlite3_bind_int64(st, 8,
                              (int64_t) res->dropped[LLM_DROP_DB_ERROR]);
}


static void
llm_marks_result(sqlite3_stmt *st, int column, llm_ring_result_t *res)
{
    res->written = sqlite3_column_int64(st, column);
    res->ledger_only = sqlite3_column_int64(st, column + 1);
    res->cleared = sqlite3_column_int64(st, column + 2);
    res->dropped[LLM_DROP_TORN] = sqlite3_column_int64(st, column + 3);
    res->dropped[LLM_DROP_DB_ERROR] = sqlite3_column_int64(st, column + 4);
}


int
llm_marks_forget_ring(llm_writer_t *w, uint64_t identity)
{
    int64_t  id;

    id = (int64_t) identity;

    return llm_marks_delete(w, llm_marks_no_ring, &id, 1);
}


int
llm_marks_forget_segment(llm_writer_t *w, uint64_t identity)
{
    int64_t  id;

    id = (int64_t) identity;

    return llm_marks_delete(w, llm_marks_no_segment, &id, 1);
}


static int
llm_marks_delete(llm_writer_t *w, const char *sql, const int64_t *ids, int n)
{
    int            i, rc;
    sqlite3_stmt  *st;

    if (n == 0) {
        return LLM_OK;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_db_prepare(&w->db, &sql, &st, 1);

    if (rc == LLM_OK) {

        for (i = 0; i < n && rc == LLM_OK; i++) {
            (void) sqlite3_bind_int64(st, 1, ids[i]);
            rc = llm_db_run(&w->db, st);
        }

        llm_db_finalize(&st, 1);
    }

    if (rc != LLM_OK || llm_writer_commit(w) != LLM_OK) {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return LLM_OK;
}


/*
 * A day is more than any file system keeps back of a ring's release or of a
 * removed name, so that a loss of power brings nothing of it again.
 */

int
llm_marks_sweep(llm_writer_t *w, uint64_t own)
{
    int          n, rc;
    int64_t      ids[LLM_MARKS_SWEEP];
    llm_idset_t  there;

    memset(&there, 0, sizeof(llm_idset_t));
    n = 0;

    rc = llm_idset_add(&there, (int64_t) own);

    if (rc == LLM_OK) {
        rc = llm_marks_old(w, "SELECT ring FROM drained WHERE ms < ?1",
                           &there, ids, &n);
    }

    if (rc == LLM_OK) {
        rc = llm_marks_delete(w, llm_marks_no_ring, ids, n);
    }

    /* a segment that is there is not to be read from its beginning */

    if (rc == LLM_OK && llm_marks_segments(w, &there) == LLM_OK) {

        rc = llm_marks_old(w, "SELECT segment FROM drained_segment"
                           " WHERE ms < ?1", &there, ids, &n);

        if (rc == LLM_OK) {
            rc = llm_marks_delete(w, llm_marks_no_segment, ids, n);
        }
    }

    llm_idset_free(&there);

    return rc == LLM_OK ? LLM_OK : LLM_ERROR;
}


/* Identities of the segments in the spool; LLM_ERROR: it cannot be known. */

static int
llm_marks_segments(llm_writer_t *w, llm_idset_t *there)
{
    int             fd, rc;
    DIR            *dir;
    int64_t         id;
    struct dirent  *entry;

    if (w->spool_fd == -1) {
        return LLM_ERROR;
    }

    fd = openat(w->spool_fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = fd != -1 ? fdopendir(fd) : NULL;

    if (dir == NULL) {
        if (fd != -1) {
            (void) close(fd);
        }

        return LLM_ERROR;
    }

    rc = LLM_OK;

    while (rc == LLM_OK && (entry = readdir(dir)) != NULL) {

        if (strncmp(entry->d_name, LLM_SPOOL_PREFIX,
                    sizeof(LLM_SPOOL_PREFIX) - 1)
            != 0)
        {
            continue;
        }

        id = (int64_t) strtoull(entry->d_name + sizeof(LLM_SPOOL_PREFIX) - 1,
                                NULL, 16);

        rc = id != 0 ? llm_idset_add(there, id) : LLM_OK;
    }

    (void) closedir(dir);

    return rc == LLM_OK ? LLM_OK : LLM_ERROR;
}


static int
llm_marks_old(llm_writer_t *w, const char *sql, const llm_idset_t *there,
    int64_t *ids, int *n)
{
    int            rc;
    sqlite3_stmt  *st;

    *n = 0;

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, llm_wall_ms() - LLM_DAY_MS);

    rc = LLM_OK;

    while (*n < LLM_MARKS_SWEEP && rc == LLM_OK) {

        rc = llm_db_row(&w->db, st);

        if (rc == LLM_OK) {
            ids[*n] = sqlite3_column_int64(st, 0);
            *n += !llm_idset_has(there, ids[*n]);
        }
    }

    llm_db_finalize(&st, 1);

    return rc == LLM_ERROR ? LLM_ERROR : LLM_OK;
}
