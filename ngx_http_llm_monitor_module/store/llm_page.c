
/*
 * Copyright (C) llm_monitor contributors
 *
 * A list by time follows the primary key.  Any other order would need an
 * index a column, each paid for by every row that is written: instead blocks
 * say where the rows of the page may be.  What they do not know is looked at
 * row by row, and what was seen until the time was over is still an answer.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_guide.h"
#include "llm_order.h"
#include "llm_page.h"
#include "llm_sieve.h"


#define LLM_PAGE_SQL     16384


typedef struct {
    llm_reader_t    *reader;
    llm_where_t     *where;
    llm_guide_t     *guide;            /* NULL: there is none */
    llm_sieve_t     *sieve;            /* likewise */
    llm_order_t     *order;
    sqlite3_stmt    *stmt;
    int              partial;
    llm_top_t        top;
    llm_guide_t      guides;
} llm_page_find_t;


static int llm_page_open(llm_page_find_t *p, const llm_filter_t *f);
static int llm_page_indexed(const llm_sift_t *sift);
static sqlite3_stmt *llm_page_prepare(llm_page_find_t *p,
    const llm_filter_t *f);
static int llm_page_ranges(llm_page_find_t *p);
static int llm_page_ordered(llm_page_find_t *p);
static int llm_page_range(llm_page_find_t *p, int64_t from, int64_t to);
static int llm_page_block(llm_page_find_t *p);
static int llm_page_rows(llm_page_find_t *p, int64_t from, int64_t to);
static int llm_page_scan(llm_page_find_t *p);
static size_t llm_page_value(const llm_filter_t *f, int n, size_t none);


/* the order of llm_sort_e; what is sorted by time needs no value */

static const char *const  llm_page_columns[LLM_SORT_COUNT] = {
    "0", "l.duration_us", "l.ttft_us", "l.total_tokens", "l.cost_nano",
    "l.status"
};


int
llm_page_find(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    llm_page_t *page)
{
    int               rc;
    size_t            limit, offset;
    llm_top_t        *top;
    llm_page_find_t   p;

    memset(page, 0, sizeof(llm_page_t));
    memset(&p, 0, sizeof(llm_page_find_t));

    limit = llm_page_value(f, LLM_F_LIMIT, LLM_FILTER_LIMIT);
    offset = llm_page_value(f, LLM_F_OFFSET, 0);

    p.reader = reader;
    p.where = w;

    top = &p.top;
    top->max = offset + limit + 1;
    top->ascending = (f->num[LLM_F_ASCENDING] == 1);
    top->after.id = f->num[LLM_F_CURSOR_ID];
    top->after.value = f->num[LLM_F_CURSOR_VALUE];

    rc = llm_page_open(&p, f);

    if (rc == LLM_OK) {
        rc = llm_page_ranges(&p);
    }

    if (rc == LLM_ERROR && llm_reader_timeout(reader)) {
        p.partial = 1;
        rc = LLM_OK;
    }

    if (p.guide != NULL) {
        llm_guide_close(p.guide);
    }

    llm_order_close(p.order);
    llm_sieve_close(p.sieve);
    sqlite3_finalize(p.stmt);

    if (rc != LLM_OK) {
        free(top->rows);
        return rc;
    }

    llm_top_sort(top);

    page->rows = top->rows;
    page->partial = p.partial;
    page->first = offset < top->n ? offset : top->n;
    page->n = top->n < offset + limit ? top->n : offset + limit;
    page->more = (top->n == top->max)
                 || (page->partial && page->n != page->first);

    return LLM_OK;
}


static int
llm_page_open(llm_page_find_t *p, const llm_filter_t *f)
{
    int                rc;
    size_t             sort;
    const llm_sift_t  *sift;

    rc = LLM_OK;
    sort = llm_page_value(f, LLM_F_SORT, LLM_SORT_TIMESTAMP);
    sift = llm_where_sift(p->where);

    if (sort != LLM_SORT_TIMESTAMP) {
        rc = llm_order_open(&p->order, p->reader, sift, (int) sort, &p->top);

    } else {

        if (!llm_page_indexed(sift)) {
            rc = llm_sieve_open(&p->sieve, p->reader, sift, LLM_SIEVE_PAGE,
                                p->top.ascending);
        }

        if (rc != LLM_ERROR) {
            rc = llm_guide_open(&p->guides, p->reader, p->where, f, 1,
                                p->sieve != NULL);
            p->guide = rc == LLM_OK ? &p->guides : NULL;
        }
    }

    if (rc == LLM_ERROR) {
        return rc;
    }

    p->stmt = llm_page_prepare(p, f);

    return p->stmt != NULL ? LLM_OK : LLM_ERROR;
}


/* What has an index of its own, in the order of the list, is found by that. */

static int
llm_page_indexed(const llm_sift_t *sift)
{
    const llm_sift_term_t   *term;
    const llm_sift_range_t  *range;

    if (sift->nterms != 1) {
        return 0;
    }

    term = &sift->term[0];
    range = &sift->range[term->first];

    switch (term->column) {

    case LLM_SIFT_FLAGS:
        return term->bits == 1 << LLM_SIFT_FAILED;

    case LLM_SIFT_STATUS:
        return range->low >= 400 && range->low == range->high;

    case LLM_SIFT_ACCOUNT:
        return 1;
    }

    return 0;
}


void
llm_page_free(llm_page_t *page)
{
    free(page->rows);
    page->rows = NULL;
}


static sqlite3_stmt *
llm_page_prepare(llm_page_find_t *p, const llm_filter_t *f)
{
    int            n, by_time, ascending, ranges;
    size_t         sort;
    llm_buf_t      sql;
    sqlite3_stmt  *stmt;

    stmt = NULL;
    sort = llm_page_value(f, LLM_F_SORT, LLM_SORT_TIMESTAMP);
    by_time = (sort == LLM_SORT_TIMESTAMP);
    ascending = (f->num[LLM_F_ASCENDING] == 1);
    ranges = (p->guide != NULL || p->sieve != NULL || p->order != NULL);

    llm_buf_init(&sql, LLM_PAGE_SQL);
    llm_buf_text(&sql, "SELECT l.id, ");
    llm_buf_text(&sql, llm_page_columns[sort]);

    /* ranges are within the filter's time, and by time behind the cursor */

    if (ranges) {
        llm_buf_text(&sql, " FROM log AS l NOT INDEXED WHERE 1");
        llm_buf_text(&sql, llm_where_text_untimed(p->where));
        llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");

    } else {
        llm_buf_text(&sql, " FROM log AS l WHERE 1");
        llm_buf_text(&sql, llm_where_text(p->where));
    }

    if (by_time && !ranges && f->num[LLM_F_CURSOR_ID] != LLM_NULL) {
        llm_buf_text(&sql, ascending ? " AND l.id > ?" : " AND l.id < ?");
    }

    llm_buf_text(&sql, by_time && ascending ? " ORDER BY l.id"
                                            : " ORDER BY l.id DESC");

    if (by_time) {
        llm_buf_text(&sql, " LIMIT ?");
    }

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(p->reader->db, (const char *) sql.data,
                              (int) sql.len, &stmt, NULL)
           == SQLITE_OK)
    {
        n = ranges ? llm_where_params_untimed(p->where) + 2
                   : llm_where_params(p->where);

        if ((ranges ? llm_where_bind_untimed(p->where, stmt)
                    : llm_where_bind(p->where, stmt))
            != LLM_OK)
        {
            sqlite3_finalize(stmt);
            stmt = NULL;

        } else if (by_time) {

            if (!ranges && f->num[LLM_F_CURSOR_ID] != LLM_NULL) {
                sqlite3_bind_int64(stmt, ++n, f->num[LLM_F_CURSOR_ID]);
            }

            sqlite3_bind_int64(stmt, ++n, (int64_t) p->top.max);
        }
    }

    llm_buf_free(&sql);

    return stmt;
}


/* By time until the page is full; in the order of the list. */

static int
llm_page_ranges(llm_page_find_t *p)
{
    int      rc;
    int64_t  from, to;

    if (p->order != NULL) {
        return llm_page_ordered(p);
    }

    if (p->guide == NULL) {
        return p->sieve == NULL ? llm_page_scan(p)
                                : llm_page_range(p, 0, INT64_MAX);
    }

    while (p->top.n < p->top.max && !p->partial) {
        rc = llm_guide_next(p->guide, &from, &to);

        if (rc == LLM_DECLINED) {
            return LLM_OK;
        }

        if (rc == LLM_OK) {
            rc = llm_page_range(p, from, to);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return LLM_OK;
}


static int
llm_page_ordered(llm_page_find_t *p)
{
    int      rc;
    int64_t  from, to;

    while (!p->partial) {
        rc = llm_order_next(p->order, &from, &to);

        if (rc == LLM_DECLINED) {
            return LLM_OK;
        }

        if (rc == LLM_OK) {
            rc = llm_page_rows(p, from, to);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return LLM_OK;
}


static int
llm_page_range(llm_page_find_t *p, int64_t from, int64_t to)
{
    int      rc;
    int64_t  after;

    after = p->top.after.id;

    if (after != LLM_NULL && p->top.ascending && after >= from) {
        from = after + 1;
    }

    if (after != LLM_NULL && !p->top.ascending && after < to) {
        to = after;
    }

    if (!llm_sift_within(llm_where_sift(p->where), &from, &to)) {
        return LLM_OK;
    }

    if (p->sieve == NULL) {
        return llm_page_rows(p, from, to);
    }

    llm_sieve_range(p->sieve, from, to);

    while (p->top.n < p->top.max && !p->partial) {
        rc = llm_sieve_next(p->sieve, &from, &to);

        if (rc == LLM_DECLINED) {
            return LLM_OK;
        }

        if (rc == LLM_OK) {
            rc = p->sieve->block ? llm_page_block(p)
                                 : llm_page_rows(p, from, to);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return LLM_OK;
}


static int
llm_page_block(llm_page_find_t *p)
{
    int              i;
    llm_sieve_t     *s;
    llm_top_row_t   row;

    s = p->sieve;
    row.value = 0;

    for (i = 0; i < s->hits && p->top.n < p->top.max; i++) {
        row.id = s->ids[p->top.ascending ? i : s->hits - 1 - i];

        if (llm_top_add(&p->top, &row) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    return LLM_OK;
}


static int
llm_page_rows(llm_page_find_t *p, int64_t from, int64_t to)
{
    int  rc, n;

    n = llm_where_params_untimed(p->where);

    (void) sqlite3_bind_int64(p->stmt, n + 1, from);
    (void) sqlite3_bind_int64(p->stmt, n + 2, to);

    rc = llm_page_scan(p);

    (void) sqlite3_reset(p->stmt);

    return rc;
}


static int
llm_page_scan(llm_page_find_t *p)
{
    int              rc;
    llm_top_row_t   row;

    while ((rc = sqlite3_step(p->stmt)) == SQLITE_ROW) {
        row.id = sqlite3_column_int64(p->stmt, 0);
        row.value = sqlite3_column_type(p->stmt, 1) == SQLITE_NULL
                        ? LLM_NULL : sqlite3_column_int64(p->stmt, 1);

        if (llm_top_add(&p->top, &row) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    if (rc == SQLITE_DONE) {
        return LLM_OK;
    }

    if (!llm_reader_timeout(p->reader)) {
        return LLM_ERROR;
    }

    p->partial = 1;

    return LLM_OK;
}


static size_t
llm_page_value(const llm_filter_t *f, int n, size_t none)
{
    return f->num[n] == LLM_NULL ? none : (size_t) f->num[n];
}
