
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <unistd.h>

#include "llm_frames.h"


typedef struct {
    int64_t      id;
    int64_t      offset;
    int64_t      size;             /* of the file */
    int64_t      whole;            /* what it was when its row was made */
    int          side;
    int          state;            /* when it is all stored */
    int          fd;
    char         name[LLM_SPOOL_NAME_MAX];
} llm_frames_body_t;


static int llm_frames_next(llm_writer_t *w, llm_frames_body_t *b);
static int llm_frames_store(llm_writer_t *w, llm_frames_body_t *b);
static int llm_frames_done(llm_writer_t *w, const llm_frames_body_t *b,
    int state);
static int llm_frames_run(llm_writer_t *w, const char *sql, int64_t id,
    int64_t a, int64_t b);


int
llm_frames_slice(llm_writer_t *w)
{
    int                rc, state;
    llm_frames_body_t  b;

    rc = llm_frames_next(w, &b);

    if (rc == LLM_DECLINED) {
        w->storing = 0;
        return LLM_AGAIN;
    }

    if (rc != LLM_OK || llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    b.fd = llm_writer_spool_file(w, b.name, &b.size);

    if (b.fd == -1) {
        llm_db_say(&w->db, 1, "spool file of a body is gone: \"%s\"", b.name);
    }

    /* a power loss may have left a part of it */

    rc = b.fd != -1 && b.size == b.whole ? llm_frames_store(w, &b)
                                         : LLM_DECLINED;

    if (b.fd != -1) {
        (void) close(b.fd);
    }

    state = rc == LLM_DECLINED ? LLM_BODY_SKIPPED
            : rc == LLM_OK && b.offset == b.size ? b.state
            : LLM_BODY_STORING;

    if (rc == LLM_ERROR
        || llm_frames_done(w, &b, state) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    if (state != LLM_BODY_STORING) {
        (void) llm_writer_unlink(w, b.name);
    }

    return LLM_OK;
}


static int
llm_frames_next(llm_writer_t *w, llm_frames_body_t *b)
{
    int            rc;
    sqlite3_stmt  *st;

    static const char *const  sql =
        "SELECT s.id, side, file, offset, state, CASE side WHEN 0"
        " THEN (SELECT size FROM request_body b WHERE b.id = s.id)"
        " ELSE (SELECT size FROM response_body b WHERE b.id = s.id) END"
        " FROM storing s LIMIT 1";

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_db_row(&w->db, st);

    if (rc == LLM_OK) {
        b->id = sqlite3_column_int64(st, 0);
        b->side = sqlite3_column_int(st, 1);
        b->offset = sqlite3_column_int64(st, 3);
        b->state = sqlite3_column_int(st, 4);
        b->whole = sqlite3_column_int64(st, 5);

        (void) snprintf(b->name, sizeof(b->name), "%s",
                        (const char *) sqlite3_column_text(st, 2));
    }

    llm_db_finalize(&st, 1);

    return rc;
}


/* LLM_DECLINED: the file is shorter than it was. */

static int
llm_frames_store(llm_writer_t *w, llm_frames_body_t *b)
{
    size_t          len;
    int64_t         end;
    ssize_t         n;
    const uint8_t  *out;
    sqlite3_stmt   *st;

    st = w->st[LLM_WRITER_FRAME];
    end = b->offset + LLM_FRAMES_SLICE;

    while (b->offset < b->size && b->offset < end) {

        n = pread(b->fd, w->room, LLM_FRAME_RAW, b->offset);

        if (n <= 0
            || (n < LLM_FRAME_RAW && b->offset + (int64_t) n != b->size))
        {
            return LLM_DECLINED;
        }

        if (llm_body_encode(&w->coder, 1, w->room, n, &out, &len)
            != LLM_CODING_ZSTD)
        {
            w->db.code = SQLITE_NOMEM;
            return LLM_ERROR;
        }

        (void) sqlite3_bind_int64(st, 1, b->id);
        (void) sqlite3_bind_int(st, 2, b->side);
        (void) sqlite3_bind_int64(st, 3, b->offset / LLM_FRAME_RAW);
        (void) sqlite3_bind_blob64(st, 4, out, len, SQLITE_STATIC);

        if (llm_db_run(&w->db, st) != LLM_OK) {
            return LLM_ERROR;
        }

        b->offset += n;
    }

    return LLM_OK;
}


static int
llm_frames_done(llm_writer_t *w, const llm_frames_body_t *b, int state)
{
    if (state == LLM_BODY_STORING) {
        return llm_frames_run(w, "UPDATE storing SET offset = ?3"
                              " WHERE id = ?1 AND side = ?2",
                              b->id, b->side, b->offset);
    }

    if (llm_frames_run(w, "DELETE FROM storing WHERE id = ?1 AND side = ?2",
                       b->id, b->side, 0)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (!llm_body_kept(state)) {
        if (llm_frames_run(w, "DELETE FROM frame WHERE id = ?1 AND side = ?2",
                           b->id, b->side, 0)
            != LLM_OK
            || llm_frames_run(w, b->side
                              ? "DELETE FROM response_body WHERE id = ?1"
                              : "DELETE FROM request_body WHERE id = ?1",
                              b->id, 0, 0)
               != LLM_OK)
        {
            return LLM_ERROR;
        }
    }

    return llm_frames_run(w, b->side
                          ? "UPDATE log SET response_body_state = ?2"
                            " WHERE id = ?1"
                          : "UPDATE log SET request_body_state = ?2"
                            " WHERE id = ?1",
                          b->id, state, 0);
}


static int
llm_frames_run(llm_writer_t *w, const char *sql, int64_t id, int64_t a,
    int64_t b)
{
    int            rc;
    sqlite3_stmt  *st;

    if (llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, id);
    (void) sqlite3_bind_int64(st, 2, a);
    (void) sqlite3_bind_int64(st, 3, b);

    rc = llm_db_run(&w->db, st);

    llm_db_finalize(&st, 1);

    return rc;
}
