
/*
 * Copyright (C) llm_monitor contributors
 *
 * Stored bodies, read in pieces: of a large one only the frames that a piece
 * touches are decoded.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "llm_body.h"
#include "llm_reader.h"


#define LLM_BODY_READ_MAX  (1024 * 1024)     /* bytes of one piece */


typedef struct {
    int64_t         from;                    /* first byte that is wanted */
    int64_t         to;                      /* and the one after the last */
    llm_buf_t      *out;
    uint8_t        *raw;                     /* LLM_FRAME_RAW bytes */
} llm_piece_t;


static sqlite3_stmt *llm_body_prepare(llm_reader_t *reader, const char *sql,
    int64_t id);
static int llm_body_read(llm_reader_t *reader, int64_t id, int response,
    llm_piece_t *piece, llm_query_error_t *err);
static int llm_body_frames(llm_reader_t *reader, int64_t id, int response,
    llm_piece_t *piece, llm_query_error_t *err);
static int llm_body_frame(llm_piece_t *piece, const uint8_t *p, size_t n,
    int64_t at, llm_query_error_t *err);
static void llm_body_take(llm_piece_t *piece, const uint8_t *p, size_t n,
    int64_t at);
static int llm_body_broken(llm_query_error_t *err);


static const char *const  llm_body_info_sql[] = {
    "SELECT l.request_body_state, b.size, b.type FROM log AS l"
    " LEFT JOIN request_body AS b ON b.id = l.id WHERE l.id = ?",

    "SELECT l.response_body_state, b.size, b.type FROM log AS l"
    " LEFT JOIN response_body AS b ON b.id = l.id WHERE l.id = ?"
};


static const char *const  llm_body_data_sql[] = {
    "SELECT coding, data FROM request_body WHERE id = ?",
    "SELECT coding, data FROM response_body WHERE id = ?"
};


static const char  llm_body_frame_sql[] =
    "SELECT n, data FROM frame WHERE id = ? AND side = ? AND n BETWEEN ? AND ?"
    " ORDER BY n";


int
llm_query_body_info(llm_reader_t *reader, int64_t id, int response,
    llm_body_info_t *info, llm_query_error_t *err)
{
    int            rc;
    sqlite3_stmt  *stmt;

    memset(info, 0, sizeof(llm_body_info_t));
    rc = SQLITE_DONE;
    stmt = NULL;

    if (reader->db != NULL) {
        stmt = llm_body_prepare(reader, llm_body_info_sql[response], id);

        if (stmt == NULL) {
            return llm_reader_fail(reader, err);
        }

        rc = sqlite3_step(stmt);
    }

    if (rc == SQLITE_ROW) {
        info->state = sqlite3_column_int(stmt, 0);
        info->size = sqlite3_column_int64(stmt, 1);

        if (llm_body_kept(info->state)
            && sqlite3_column_type(stmt, 1) == SQLITE_NULL)
        {
            /* its row went first, the state follows */
            info->state = LLM_BODY_EXPIRED;
        }

        if (sqlite3_column_type(stmt, 2) == SQLITE_TEXT) {
            snprintf(info->type, sizeof(info->type), "%s",
                     (const char *) sqlite3_column_text(stmt, 2));
        }

        rc = LLM_OK;

    } else if (rc == SQLITE_DONE) {
        rc = llm_query_fail(err, 404, "not_found", NULL,
                            "there is no record %lld", (long long) id);

    } else {
        rc = llm_reader_fail(reader, err);
    }

    sqlite3_finalize(stmt);

    return rc;
}


int
llm_query_body(llm_reader_t *reader, int64_t id, int response, int64_t from,
    int64_t n, llm_buf_t *out, llm_query_error_t *err)
{
    int          rc;
    llm_piece_t  piece;

    if (from < 0 || n < 0 || n > LLM_BODY_READ_MAX || reader->db == NULL) {
        return llm_body_broken(err);
    }

    piece.from = from;
    piece.to = from + n;
    piece.out = out;

    piece.raw = malloc(LLM_FRAME_RAW);
    if (piece.raw == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    rc = llm_body_read(reader, id, response, &piece, err);

    free(piece.raw);

    return rc;
}


static sqlite3_stmt *
llm_body_prepare(llm_reader_t *reader, const char *sql, int64_t id)
{
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(reader->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return NULL;
    }

    sqlite3_bind_int64(stmt, 1, id);

    return stmt;
}


static int
llm_body_read(llm_reader_t *reader, int64_t id, int response,
    llm_piece_t *piece, llm_query_error_t *err)
{
    int             rc, coding;
    size_t          n;
    sqlite3_stmt   *stmt;
    const uint8_t  *p;

    stmt = llm_body_prepare(reader, llm_body_data_sql[response], id);
    if (stmt == NULL) {
        return llm_reader_fail(reader, err);
    }

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_ROW) {
        rc = rc == SQLITE_DONE ? llm_body_broken(err)
                               : llm_reader_fail(reader, err);
        goto done;
    }

    coding = sqlite3_column_int(stmt, 0);
    p = sqlite3_column_blob(stmt, 1);
    n = (size_t) sqlite3_column_bytes(stmt, 1);

    switch (coding) {

    case LLM_CODING_PLAIN:
        llm_body_take(piece, p, n, 0);
        rc = LLM_OK;
        break;

    case LLM_CODING_ZSTD:
        rc = llm_body_frame(piece, p, n, 0, err);
        break;

    case LLM_CODING_FRAMES:
        rc = llm_body_frames(reader, id, response, piece, err);
        break;

    default:
        rc = llm_body_broken(err);
    }

done:

    sqlite3_finalize(stmt);

    return rc;
}


static int
llm_body_frames(llm_reader_t *reader, int64_t id, int response,
    llm_piece_t *piece, llm_query_error_t *err)
{
    int             rc;
    int64_t         at;
    sqlite3_stmt   *stmt;

    if (piece->from == piece->to) {
        return LLM_OK;
    }

    stmt = llm_body_prepare(reader, llm_body_frame_sql, id);
    if (stmt == NULL) {
        return llm_reader_fail(reader, err);
    }

    sqlite3_bind_int(stmt, 2, response);
    sqlite3_bind_int64(stmt, 3, piece->from / LLM_FRAME_RAW);
    sqlite3_bind_int64(stmt, 4, (piece->to - 1) / LLM_FRAME_RAW);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        at = sqlite3_column_int64(stmt, 0) * LLM_FRAME_RAW;

        if (llm_body_frame(piece, sqlite3_column_blob(stmt, 1),
                           (size_t) sqlite3_column_bytes(stmt, 1), at, err)
            != LLM_OK)
        {
            sqlite3_finalize(stmt);
            return LLM_ERROR;
        }
    }

    if (rc == SQLITE_DONE) {
        rc = LLM_OK;

    } else {
        rc = llm_reader_fail(reader, err);
    }

    sqlite3_finalize(stmt);

    return rc;
}


static int
llm_body_frame(llm_piece_t *piece, const uint8_t *p, size_t n, int64_t at,
    llm_query_error_t *err)
{
    size_t  len;

    if (llm_body_decode(p, n, piece->raw, LLM_FRAME_RAW, &len) != LLM_OK) {
        return llm_body_broken(err);
    }

    llm_body_take(piece, piece->raw, len, at);

    return LLM_OK;
}


/* what the piece wants of n bytes that are at this place of the body */

static void
llm_body_take(llm_piece_t *piece, const uint8_t *p, size_t n, int64_t at)
{
    int64_t  from, to;

    from = piece->from > at ? piece->from - at : 0;
    to = piece->to - at < (int64_t) n ? piece->to - at : (int64_t) n;

    if (from < to) {
        llm_buf_add(piece->out, p + from, (size_t) (to - from));
    }
}


static int
llm_body_broken(llm_query_error_t *err)
{
    return llm_query_fail(err, 503, "body_unreadable", NULL,
                          "stored body cannot be read");
}
