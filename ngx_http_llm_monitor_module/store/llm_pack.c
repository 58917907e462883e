
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_pack.h"
#include "llm_purge.h"


#define LLM_PACK_VERSION   1
#define LLM_PACK_VARINT    10                  /* bytes of 64 bits */
#define LLM_PACK_SUMS      (LLM_C_COUNT * LLM_PACK_VARINT)
#define LLM_PACK_MAX       (4 * 1024 * 1024)   /* 5000 values at the most */

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


static size_t llm_pack_varint(uint8_t *p, uint64_t v);
static const uint8_t *llm_unpack_varint(const uint8_t *p, const uint8_t *end,
    uint64_t *v);
static int llm_pack_spans(llm_writer_t *w, sqlite3_stmt **st, int64_t now,
    int *more);
static int llm_pack_span(llm_writer_t *w, sqlite3_stmt **st, int64_t span,
    int64_t before, int64_t deadline, int *more);
static int llm_pack_one(llm_writer_t *w, sqlite3_stmt **st, int64_t span,
    int64_t t, int64_t dim);


void
llm_pack_start(llm_pack_t *pack, llm_buf_t *out)
{
    static const uint8_t  version = LLM_PACK_VERSION;

    pack->out = out;
    pack->value = INT64_MIN;

    llm_buf_add(out, &version, 1);
}


void
llm_pack_add(llm_pack_t *pack, int64_t value, const int64_t *sum)
{
    int      i;
    size_t   n, len;
    uint8_t  head[2 * LLM_PACK_VARINT], sums[LLM_PACK_SUMS];

    len = 0;

    for (i = 0; i < LLM_C_COUNT; i++) {
        len += llm_pack_varint(sums + len, (uint64_t) sum[i]);
    }

    n = llm_pack_varint(head, (uint64_t) value - (uint64_t) pack->value);
    n += llm_pack_varint(head + n, len);

    pack->value = value;

    llm_buf_add(pack->out, head, n);
    llm_buf_add(pack->out, sums, len);
}


/* seven bits a byte, the lowest first; the top bit says that more follow */

static size_t
llm_pack_varint(uint8_t *p, uint64_t v)
{
    size_t  n;

    for (n = 0; v > 0x7f; v >>= 7) {
        p[n++] = (uint8_t) (v | 0x80);
    }

    p[n++] = (uint8_t) v;

    return n;
}


static const uint8_t *
llm_unpack_varint(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    int  shift;

    if (p < end && *p < 0x80) {
        *v = *p;
        return p + 1;
    }

    *v = 0;

    for (shift = 0; p < end && shift < 70; shift += 7) {
        *v |= (uint64_t) (*p & 0x7f) << shift;

        if (*p++ < 0x80) {
            return p;
        }
    }

    return NULL;
}


int
llm_unpack_start(llm_unpack_t *u, const uint8_t *p, size_t n)
{
    if (n == 0 || *p != LLM_PACK_VERSION) {
        return LLM_ERROR;
    }

    u->p = p + 1;
    u->end = p + n;
    u->sums = NULL;
    u->value = INT64_MIN;

    return LLM_OK;
}


int
llm_unpack_next(llm_unpack_t *u)
{
    uint64_t        distance, len;
    const uint8_t  *p;

    if (u->p == u->end) {
        return LLM_AGAIN;
    }

    p = llm_unpack_varint(u->p, u->end, &distance);

    if (p == NULL) {
        return LLM_ERROR;
    }

    p = llm_unpack_varint(p, u->end, &len);

    if (p == NULL || len > (uint64_t) (u->end - p)) {
        return LLM_ERROR;
    }

    u->value = (int64_t) ((uint64_t) u->value + distance);
    u->sums = p;
    u->p = p + len;

    return LLM_OK;
}


int
llm_unpack_sums(const llm_unpack_t *u, int64_t *sum, int n)
{
    int             i;
    uint64_t        v;
    const uint8_t  *p;

    p = u->sums;

    for (i = 0; i < n; i++) {
        p = llm_unpack_varint(p, u->p, &v);

        if (p == NULL) {
            return LLM_ERROR;
        }

        sum[i] = (int64_t) ((uint64_t) sum[i] + v);
    }

    return LLM_OK;
}


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
    int64_t      t, dim;
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

    if (span == LLM_DAY_MS) {
        w->ledger.packed_day = t;

    } else {
        w->ledger.packed_quarter = t;
    }

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
    int         i, n, rc;
    int64_t     sum[LLM_C_COUNT];
    llm_buf_t   data;
    llm_pack_t  pack;

    for (i = LLM_PACK_READ; i <= LLM_PACK_PUT; i++) {
        (void) sqlite3_bind_int64(st[i], 1, span);
        (void) sqlite3_bind_int64(st[i], 2, t);
        (void) sqlite3_bind_int64(st[i], 3, dim);
    }

    llm_buf_init(&data, LLM_PACK_MAX);
    llm_pack_start(&pack, &data);

    for (n = 0; (rc = llm_db_row(&w->db, st[LLM_PACK_READ])) == LLM_OK; n++) {

        for (i = 0; i < LLM_C_COUNT; i++) {
            sum[i] = sqlite3_column_int64(st[LLM_PACK_READ], i + 1);
        }

        llm_pack_add(&pack, sqlite3_column_int64(st[LLM_PACK_READ], 0), sum);
    }

    rc = rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;

    /* without memory the rows are what there is */

    if (rc == LLM_OK && n >= LLM_PACK_ROWS && data.failed == LLM_OK) {
        (void) sqlite3_bind_blob(st[LLM_PACK_PUT], 4, data.data,
                                 (int) data.len, SQLITE_STATIC);

        rc = llm_db_run(&w->db, st[LLM_PACK_PUT]);
    }

    llm_buf_free(&data);

    return rc;
}
