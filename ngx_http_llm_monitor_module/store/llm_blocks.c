
/*
 * Copyright (C) llm_monitor contributors
 *
 * Blocks follow each other without a gap, from the first row that has one to
 * the newest rows, which have none yet.  Where one was taken away another is
 * made of what is there then; but at the beginning of the log, where rows grow
 * too old and go, only of as many as a new one has.  Blocks of an older
 * version, which have fewer columns, are made anew when there is nothing else
 * to do.
 */


#include <stdlib.h>
#include <string.h>

#include "../ring/llm_control.h"
#include "llm_blocks.h"


#define LLM_BLOCKS_SQL     4096
#define LLM_BLOCKS_CODES   (LLM_BLOCK_ROWS * 8)

enum {
    LLM_MAKE_GAP = 0, LLM_MAKE_FIRST, LLM_MAKE_END, LLM_MAKE_ENOUGH,
    LLM_MAKE_CLOSE, LLM_MAKE_PUT, LLM_MAKE_PUT_CODES, LLM_MAKE_OLD,
    LLM_MAKE_READ, LLM_MAKE_STATEMENTS
};


/* rows of a new block, and from where to where it is */

typedef struct {
    sqlite3_stmt  *st[LLM_MAKE_STATEMENTS];
    int64_t        from;
    int64_t        to;
    int64_t        before;               /* the block before, or LLM_NULL */
    int            n;
    llm_buf_t      heads;
    llm_buf_t      codes[LLM_BLOCK_COLUMNS];
    int64_t        v[LLM_BLOCK_COLUMNS][LLM_BLOCK_ROWS];
} llm_make_t;


static int llm_blocks_drop(llm_blocks_t *b, int64_t first, int64_t slot);
static int llm_blocks_find(llm_blocks_t *b, int64_t id, int64_t *first,
    int64_t *until, int64_t *slot);
static int llm_make_open(llm_make_t *m, llm_blocks_t *b);
static int llm_make_select(llm_make_t *m, llm_blocks_t *b);
static int llm_make_place(llm_make_t *m, llm_blocks_t *b, int64_t now);
static int llm_make_old(llm_make_t *m, llm_blocks_t *b);
static int llm_make_gap(llm_make_t *m, llm_blocks_t *b);
static int llm_make_enough(llm_make_t *m, llm_blocks_t *b, int64_t from,
    int64_t to);
static int llm_make_rows(llm_make_t *m, llm_blocks_t *b);
static void llm_make_row(llm_make_t *m, sqlite3_stmt *st);
static int llm_make_block(llm_make_t *m, llm_blocks_t *b);
static int llm_make_put(llm_make_t *m, llm_blocks_t *b);


static const char *const  llm_blocks_sql[LLM_BLOCKS_STATEMENTS] = {
    ("SELECT first, until, slot FROM block WHERE first <= ?1"
     " ORDER BY first DESC LIMIT 1"),
    "SELECT min(first) FROM block WHERE first > ?1",
    "DELETE FROM block WHERE first = ?1",
    "DELETE FROM block_codes WHERE id = ?1"
};

static const char *const  llm_make_sql[LLM_MAKE_READ] = {
    "SELECT first, until, next FROM (SELECT first, until,"
        " lead(first) OVER (ORDER BY first) AS next FROM block"
        " WHERE first >= ?1) WHERE next > until LIMIT 1",
    "SELECT min(first) FROM block",
    "SELECT until FROM block ORDER BY first DESC LIMIT 1",
    "SELECT 1 FROM log WHERE id >= ?1 AND id < ?2 ORDER BY id"
        " LIMIT 1 OFFSET ?3",
    "UPDATE block SET until = ?2 WHERE first = ?1",
    "INSERT INTO block (first, until, slot, n, heads)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    "INSERT INTO block_codes (id, data) VALUES (?1, ?2)",

    /* the first byte of heads says how many columns there are, twice */

    "SELECT first, until, slot FROM block WHERE first >= ?1 AND heads < ?2"
        " ORDER BY first LIMIT 1"
};


int
llm_blocks_open(llm_blocks_t *b, llm_db_t *db)
{
    memset(b, 0, sizeof(llm_blocks_t));

    b->db = db;
    b->fill = LLM_BLOCK_FILL;

    if (llm_db_prepare(db, llm_blocks_sql, b->st, LLM_BLOCKS_STATEMENTS)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (llm_db_int(db, "SELECT coalesce(max(slot), 0) FROM block", &b->slot)
        != LLM_OK)
    {
        llm_blocks_close(b);
        return LLM_ERROR;
    }

    llm_blocks_reset(b);

    return LLM_OK;
}


void
llm_blocks_close(llm_blocks_t *b)
{
    llm_db_finalize(b->st, LLM_BLOCKS_STATEMENTS);
}


void
llm_blocks_reset(llm_blocks_t *b)
{
    b->old = 1;
    b->old_from = 0;
    b->gaps = 1;
    b->gap = 0;
    b->end = INT64_MAX;
    b->hole = 0;
    b->hole_end = 0;
}


int
llm_blocks_touch(llm_blocks_t *b, int64_t id)
{
    int            rc;
    int64_t        first, until, slot;
    sqlite3_stmt  *next;

    if (id >= b->end || (id >= b->hole && id < b->hole_end)) {
        return LLM_OK;
    }

    rc = llm_blocks_find(b, id, &first, &until, &slot);

    if (rc == LLM_OK && until > id) {

        if (llm_blocks_drop(b, first, slot) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = llm_blocks_find(b, id, &first, &until, &slot);
    }

    if (rc == LLM_ERROR) {
        return LLM_ERROR;
    }

    b->hole = rc == LLM_OK ? until : 0;
    b->hole_end = INT64_MAX;

    next = b->st[LLM_BLOCKS_NEXT];

    (void) sqlite3_bind_int64(next, 1, id);

    if (llm_db_row(b->db, next) != LLM_OK) {
        return LLM_ERROR;
    }

    if (sqlite3_column_type(next, 0) != SQLITE_NULL) {
        b->hole_end = sqlite3_column_int64(next, 0);

    } else {
        b->end = b->hole;
    }

    (void) sqlite3_reset(next);

    return LLM_OK;
}


static int
llm_blocks_drop(llm_blocks_t *b, int64_t first, int64_t slot)
{
    int            i;
    sqlite3_stmt  *st;

    st = b->st[LLM_BLOCKS_DROP];

    (void) sqlite3_bind_int64(st, 1, first);

    if (llm_db_run(b->db, st) != LLM_OK) {
        return LLM_ERROR;
    }

    st = b->st[LLM_BLOCKS_DROP_CODES];

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {
        (void) sqlite3_bind_int64(st, 1, llm_block_codes_id(i, slot));

        if (llm_db_run(b->db, st) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    b->gaps = 1;
    b->gap = 0;

    return LLM_OK;
}


/* The last block that begins before an id, or with it. */

static int
llm_blocks_find(llm_blocks_t *b, int64_t id, int64_t *first, int64_t *until,
    int64_t *slot)
{
    int            rc;
    sqlite3_stmt  *st;

    st = b->st[LLM_BLOCKS_FIND];

    (void) sqlite3_bind_int64(st, 1, id);

    rc = llm_db_row(b->db, st);

    if (rc == LLM_OK) {
        *first = sqlite3_column_int64(st, 0);
        *until = sqlite3_column_int64(st, 1);
        *slot = sqlite3_column_int64(st, 2);

        (void) sqlite3_reset(st);
    }

    return rc;
}


int
llm_blocks_make(llm_blocks_t *b, int64_t now, int64_t ms)
{
    int          i, rc;
    int64_t      deadline;
    llm_make_t  *m;

    deadline = llm_control_now() + ms;

    m = malloc(sizeof(llm_make_t));

    if (m == NULL) {
        b->db->code = SQLITE_NOMEM;
        return LLM_ERROR;
    }

    llm_buf_init(&m->heads, LLM_BLOCK_HEADS);

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {
        llm_buf_init(&m->codes[i], LLM_BLOCKS_CODES);
    }

    rc = llm_make_open(m, b);

    while (rc == LLM_OK) {
        rc = llm_make_place(m, b, now);

        if (rc == LLM_OK) {
            rc = llm_make_block(m, b);
        }

        if (rc == LLM_OK && llm_control_now() >= deadline) {
            break;
        }
    }

    llm_db_finalize(m->st, LLM_MAKE_STATEMENTS);
    llm_buf_free(&m->heads);

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {
        llm_buf_free(&m->codes[i]);
    }

    free(m);

    b->end = INT64_MAX;

    return rc;
}


static int
llm_make_open(llm_make_t *m, llm_blocks_t *b)
{
    memset(m->st, 0, sizeof(m->st));

    b->hole = 0;
    b->hole_end = 0;
    b->end = INT64_MAX;

    if (llm_db_prepare(b->db, llm_make_sql, m->st, LLM_MAKE_READ) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_make_select(m, b);
}


static int
llm_make_select(llm_make_t *m, llm_blocks_t *b)
{
    int          i, rc;
    llm_buf_t    sql;
    const char  *text;

    llm_buf_init(&sql, LLM_BLOCKS_SQL);
    llm_buf_text(&sql, "SELECT l.id, l.over IS NOT NULL, 0");

    for (i = 0; i < LLM_SIFT_FLAG_COUNT; i++) {
        llm_buf_text(&sql, " + ");
        llm_buf_int(&sql, 1 << i);
        llm_buf_text(&sql, " * ((");
        llm_buf_text(&sql, llm_sift_flag_sql(i));
        llm_buf_text(&sql, ") IS TRUE)");
    }

    /* in the order of llm_sift_column_e */

    llm_buf_text(&sql, ", l.status, l.outcome, l.operation, l.protocol,"
                 " l.stream, l.method, l.provider, l.model, l.endpoint,"
                 " l.account, l.user, l.api_key, l.client_ip, l.duration_us,"
                 " l.total_tokens, l.cost_nano, l.ttft_us FROM log AS l"
                 " WHERE l.id >= ?1 AND l.id < ?2 ORDER BY l.id LIMIT ?3");
    llm_buf_add(&sql, "", 1);

    rc = LLM_ERROR;
    b->db->code = SQLITE_NOMEM;

    if (sql.failed == LLM_OK) {
        text = (const char *) sql.data;
        rc = llm_db_prepare(b->db, &text, &m->st[LLM_MAKE_READ], 1);
    }

    llm_buf_free(&sql);

    return rc;
}


/* Where the next block may be.  LLM_AGAIN: nowhere. */

static int
llm_make_place(llm_make_t *m, llm_blocks_t *b, int64_t now)
{
    int            rc;
    int64_t        first;
    sqlite3_stmt  *st;

    m->before = LLM_NULL;

    if (b->gaps) {
        rc = llm_make_gap(m, b);

        if (rc != LLM_AGAIN) {
            return rc;
        }

        st = m->st[LLM_MAKE_FIRST];

        if (llm_db_row(b->db, st) != LLM_OK) {
            return LLM_ERROR;
        }

        first = sqlite3_column_type(st, 0) == SQLITE_NULL
                    ? 0 : sqlite3_column_int64(st, 0);
        (void) sqlite3_reset(st);

        rc = llm_make_enough(m, b, 0, first);

        if (rc != LLM_AGAIN) {
            b->gap = 0;
            return rc;
        }

        b->gaps = 0;
    }

    st = m->st[LLM_MAKE_END];
    rc = llm_db_row(b->db, st);

    if (rc == LLM_ERROR) {
        return rc;
    }

    b->end = 0;

    if (rc == LLM_OK) {
        b->end = sqlite3_column_int64(st, 0);
        (void) sqlite3_reset(st);
    }

    rc = llm_make_enough(m, b, b->end,
                         (now - LLM_BLOCKS_LATE) << LLM_ID_SHIFT);

    return rc == LLM_AGAIN && b->old ? llm_make_old(m, b) : rc;
}


/* It goes, and what is made of its rows comes in the same transaction. */

static int
llm_make_old(llm_make_t *m, llm_blocks_t *b)
{
    int            rc, gaps;
    int64_t        slot, gap;
    uint8_t        columns;
    sqlite3_stmt  *st;

    st = m->st[LLM_MAKE_OLD];
    columns = 2 * LLM_BLOCK_COLUMNS;

    (void) sqlite3_bind_int64(st, 1, b->old_from);
    (void) sqlite3_bind_blob(st, 2, &columns, 1, SQLITE_TRANSIENT);

    rc = llm_db_row(b->db, st);

    if (rc != LLM_OK) {
        b->old = (rc == LLM_ERROR);
        return rc == LLM_DECLINED ? LLM_AGAIN : rc;
    }

    m->from = sqlite3_column_int64(st, 0);
    m->to = sqlite3_column_int64(st, 1);
    m->before = m->from;
    slot = sqlite3_column_int64(st, 2);

    (void) sqlite3_reset(st);

    gaps = b->gaps;
    gap = b->gap;

    rc = llm_blocks_drop(b, m->from, slot);

    b->gaps = gaps;
    b->gap = gap;
    b->old_from = m->to;

    return rc;
}


static int
llm_make_gap(llm_make_t *m, llm_blocks_t *b)
{
    int            rc;
    sqlite3_stmt  *st;

    st = m->st[LLM_MAKE_GAP];

    (void) sqlite3_bind_int64(st, 1, b->gap);

    rc = llm_db_row(b->db, st);

    if (rc == LLM_OK) {
        m->before = sqlite3_column_int64(st, 0);
        m->from = sqlite3_column_int64(st, 1);
        m->to = sqlite3_column_int64(st, 2);
        b->gap = m->before;

        (void) sqlite3_reset(st);
    }

    return rc == LLM_DECLINED ? LLM_AGAIN : rc;
}


/* There must be as many rows as a new block has. */

static int
llm_make_enough(llm_make_t *m, llm_blocks_t *b, int64_t from, int64_t to)
{
    int            rc;
    sqlite3_stmt  *st;

    st = m->st[LLM_MAKE_ENOUGH];

    (void) sqlite3_bind_int64(st, 1, from);
    (void) sqlite3_bind_int64(st, 2, to);
    (void) sqlite3_bind_int(st, 3, b->fill - 1);

    rc = llm_db_row(b->db, st);

    if (rc == LLM_OK) {
        (void) sqlite3_reset(st);

        m->from = from;
        m->to = to;
    }

    return rc == LLM_DECLINED ? LLM_AGAIN : rc;
}


static int
llm_make_block(llm_make_t *m, llm_blocks_t *b)
{
    sqlite3_stmt  *st;

    if (llm_make_rows(m, b) != LLM_OK) {
        return LLM_ERROR;
    }

    if (m->n > 0) {
        return llm_make_put(m, b);
    }

    /* between two blocks nothing is left */

    st = m->st[LLM_MAKE_CLOSE];

    (void) sqlite3_bind_int64(st, 1, m->before);
    (void) sqlite3_bind_int64(st, 2, m->to);

    return llm_db_run(b->db, st);
}


/*
 * Of a gap all rows, if they fit, else as many as a new block has; to says
 * then where they end.
 */

static int
llm_make_rows(llm_make_t *m, llm_blocks_t *b)
{
    int            rc, most;
    sqlite3_stmt  *st;

    most = b->fill;

    if (m->before != LLM_NULL) {
        most = b->fill * LLM_BLOCK_ROWS / LLM_BLOCK_FILL;
    }

    st = m->st[LLM_MAKE_READ];
    m->n = 0;

    (void) sqlite3_bind_int64(st, 1, m->from);
    (void) sqlite3_bind_int64(st, 2, m->to);
    (void) sqlite3_bind_int(st, 3, most);

    while ((rc = llm_db_row(b->db, st)) == LLM_OK) {
        llm_make_row(m, st);
    }

    if (rc == LLM_ERROR) {
        return LLM_ERROR;
    }

    if (m->n == most) {
        m->n = b->fill;
        m->to = m->v[LLM_BLOCK_IDS][m->n - 1] + 1;
    }

    /* what comes before the first one needs no look at its block */

    if (m->from == 0 && m->n > 0) {
        m->from = m->v[LLM_BLOCK_IDS][0];
    }

    return LLM_OK;
}


static void
llm_make_row(llm_make_t *m, sqlite3_stmt *st)
{
    int      i, n, over;
    int64_t  v;

    n = m->n++;
    over = sqlite3_column_int(st, 1);

    m->v[LLM_BLOCK_IDS][n] = sqlite3_column_int64(st, 0);

    for (i = 0; i < LLM_SIFT_COLUMNS; i++) {
        v = sqlite3_column_int64(st, i + 2);

        if (sqlite3_column_type(st, i + 2) == SQLITE_NULL) {

            switch (i) {

            case LLM_SIFT_OPERATION:
            case LLM_SIFT_PROTOCOL:
            case LLM_SIFT_STREAM:
                break;

            default:
                v = llm_sift_text(i) ? over ? LLM_SIFT_OVER : 0 : -1;
            }
        }

        m->v[i][n] = v;
    }

    i = LLM_SIFT_COLUMNS + 2;

    m->v[LLM_BLOCK_TTFT][n] = sqlite3_column_type(st, i) == SQLITE_NULL
                                  ? -1 : sqlite3_column_int64(st, i);
}


static int
llm_make_put(llm_make_t *m, llm_blocks_t *b)
{
    int            i;
    int64_t        slot;
    uint8_t        places[2 * LLM_BLOCK_COLUMNS];
    sqlite3_stmt  *st;

    m->heads.len = 0;
    llm_buf_add(&m->heads, places, sizeof(places));

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {
        llm_block_place(places, i, m->heads.len);

        m->codes[i].len = 0;
        llm_block_write(m->v[i], m->n, &m->heads, &m->codes[i]);

        if (m->heads.failed != LLM_OK || m->codes[i].failed != LLM_OK) {
            b->db->code = SQLITE_NOMEM;
            return LLM_ERROR;
        }
    }

    memcpy(m->heads.data, places, sizeof(places));

    slot = b->slot + 1;
    st = m->st[LLM_MAKE_PUT];

    (void) sqlite3_bind_int64(st, 1, m->from);
    (void) sqlite3_bind_int64(st, 2, m->to);
    (void) sqlite3_bind_int64(st, 3, slot);
    (void) sqlite3_bind_int(st, 4, m->n);
    (void) sqlite3_bind_blob(st, 5, m->heads.data, (int) m->heads.len,
                             SQLITE_STATIC);

    if (llm_db_run(b->db, st) != LLM_OK) {
        return LLM_ERROR;
    }

    st = m->st[LLM_MAKE_PUT_CODES];

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {

        if (m->codes[i].len == 0) {
            continue;
        }

        (void) sqlite3_bind_int64(st, 1, llm_block_codes_id(i, slot));
        (void) sqlite3_bind_blob(st, 2, m->codes[i].data,
                                 (int) m->codes[i].len, SQLITE_STATIC);

        if (llm_db_run(b->db, st) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    b->slot = slot;

    return LLM_OK;
}
