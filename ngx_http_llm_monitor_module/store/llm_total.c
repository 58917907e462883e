
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_guide.h"
#include "llm_sieve.h"
#include "llm_total.h"


#define LLM_TOTAL_SQL   16384


typedef struct {
    llm_reader_t   *reader;
    llm_where_t    *where;
    llm_guide_t    *guide;               /* NULL: there is none */
    llm_sieve_t    *sieve;               /* likewise */
    sqlite3_stmt   *stmt;                /* counts rows, */
    int             ranges;              /* of a range */
    int64_t         sum;
} llm_total_t;


static int llm_total_prepare(llm_total_t *t);
static int llm_total_sum(llm_total_t *t);
static int llm_total_range(llm_total_t *t, int64_t from, int64_t to);
static int llm_total_rows(llm_total_t *t, int64_t from, int64_t to);


int
llm_total(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    int64_t *total, llm_query_error_t *err)
{
    int          rc;
    llm_guide_t  guide;
    llm_total_t  t;

    memset(&t, 0, sizeof(llm_total_t));

    t.reader = reader;
    t.where = w;

    rc = llm_sieve_open(&t.sieve, reader, llm_where_sift(w), LLM_SIEVE_COUNT,
                        1);

    if (rc != LLM_ERROR) {
        rc = llm_guide_open(&guide, reader, w, f, 0, t.sieve != NULL);
        t.guide = rc == LLM_OK ? &guide : NULL;
    }

    if (rc != LLM_ERROR) {
        rc = llm_total_prepare(&t);
    }

    if (rc == LLM_OK) {
        rc = llm_total_sum(&t);
    }

    if (rc == LLM_OK) {
        *total = t.sum;

    } else {
        rc = llm_reader_timeout(reader) ? LLM_OK
                                        : llm_reader_fail(reader, err);
    }

    if (t.guide != NULL) {
        llm_guide_close(t.guide);
    }

    llm_sieve_close(t.sieve);
    sqlite3_finalize(t.stmt);

    return rc;
}


/* Without a guide or blocks the database chooses an index. */

static int
llm_total_prepare(llm_total_t *t)
{
    int        rc;
    llm_buf_t  sql;

    llm_buf_init(&sql, LLM_TOTAL_SQL);

    t->ranges = (t->guide != NULL || t->sieve != NULL);

    if (t->ranges) {
        llm_buf_text(&sql, "SELECT count(*) FROM log AS l NOT INDEXED WHERE 1");
        llm_buf_text(&sql, llm_where_text_untimed(t->where));
        llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");

    } else {
        llm_buf_text(&sql, "SELECT count(*) FROM log AS l WHERE 1");
        llm_buf_text(&sql, llm_where_text(t->where));
    }

    rc = LLM_ERROR;

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(t->reader->db, (const char *) sql.data,
                              (int) sql.len, &t->stmt, NULL)
           == SQLITE_OK)
    {
        rc = t->ranges ? llm_where_bind_untimed(t->where, t->stmt)
                       : llm_where_bind(t->where, t->stmt);
    }

    llm_buf_free(&sql);

    return rc;
}


static int
llm_total_sum(llm_total_t *t)
{
    int      rc;
    int64_t  from, to;

    if (t->guide == NULL) {
        return t->sieve == NULL ? llm_total_rows(t, 0, 0)
                                : llm_total_range(t, 0, INT64_MAX);
    }

    while ((rc = llm_guide_next(t->guide, &from, &to)) == LLM_OK) {
        rc = llm_total_range(t, from, to);

        if (rc != LLM_OK) {
            return rc;
        }
    }

    t->sum += t->guide->sum;

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static int
llm_total_range(llm_total_t *t, int64_t from, int64_t to)
{
    int  rc;

    if (!llm_sift_within(llm_where_sift(t->where), &from, &to)) {
        return LLM_OK;
    }

    if (t->sieve == NULL) {
        return llm_total_rows(t, from, to);
    }

    llm_sieve_range(t->sieve, from, to);

    while ((rc = llm_sieve_next(t->sieve, &from, &to)) == LLM_OK) {

        if (t->sieve->block) {
            t->sum += t->sieve->hits;
            continue;
        }

        rc = llm_total_rows(t, from, to);

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return rc == LLM_DECLINED ? LLM_OK : rc;
}


static int
llm_total_rows(llm_total_t *t, int64_t from, int64_t to)
{
    int  n;

    if (t->ranges) {
        n = llm_where_params_untimed(t->where);

        (void) sqlite3_bind_int64(t->stmt, n + 1, from);
        (void) sqlite3_bind_int64(t->stmt, n + 2, to);
    }

    if (sqlite3_step(t->stmt) != SQLITE_ROW) {
        return LLM_ERROR;
    }

    t->sum += sqlite3_column_int64(t->stmt, 0);
    (void) sqlite3_reset(t->stmt);

    return LLM_OK;
}
