
/*
 * Copyright (C) llm_monitor contributors
 *
 * A list by time follows the primary key.  Any other order would need an
 * index a column, each paid for by every row that is written: instead all
 * matching rows are seen, and a heap keeps those of the page, so that a list
 * whose time is over still has an answer.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_guide.h"
#include "llm_page.h"
#include "llm_sieve.h"


#define LLM_PAGE_SQL     16384
#define LLM_PAGE_START   1024          /* rows allocated at first */


typedef struct {
    llm_page_row_t  *rows;             /* a heap with the last row on top */
    size_t           n;
    size_t           cap;
    size_t           max;
    int              ascending;
    llm_page_row_t   after;            /* cursor; id LLM_NULL: none */
} llm_heap_t;

typedef struct {
    llm_reader_t    *reader;
    llm_where_t     *where;
    llm_guide_t     *guide;            /* NULL: there is none */
    llm_sieve_t     *sieve;            /* likewise */
    sqlite3_stmt    *stmt;
    int              partial;
    llm_heap_t       heap;
    llm_guide_t      guides;
} llm_page_find_t;


static int llm_page_open(llm_page_find_t *p, const llm_filter_t *f);
static int llm_page_indexed(const llm_sift_t *sift);
static sqlite3_stmt *llm_page_prepare(llm_page_find_t *p,
    const llm_filter_t *f);
static int llm_page_ranges(llm_page_find_t *p);
static int llm_page_range(llm_page_find_t *p, int64_t from, int64_t to);
static int llm_page_block(llm_page_find_t *p);
static int llm_page_rows(llm_page_find_t *p, int64_t from, int64_t to);
static int llm_page_scan(llm_page_find_t *p);
static int llm_page_add(llm_heap_t *heap, const llm_page_row_t *row);
static int llm_heap_add(llm_heap_t *heap, const llm_page_row_t *row);
static void llm_heap_up(llm_heap_t *heap, size_t i);
static void llm_heap_down(llm_heap_t *heap, size_t i, size_t n);
static void llm_heap_sort(llm_heap_t *heap);
static int llm_heap_before(const llm_heap_t *heap, const llm_page_row_t *a,
    const llm_page_row_t *b);
static size_t llm_page_value(const llm_filter_t *f, int n, size_t none);


/* the order of llm_sort_e; what is sorted by time needs no value */

static const char *const  llm_page_select[LLM_SORT_COUNT] = {
    "SELECT l.id, 0 FROM log AS l WHERE 1",
    "SELECT l.id, l.duration_us FROM log AS l WHERE 1",
    "SELECT l.id, l.ttft_us FROM log AS l WHERE 1",
    "SELECT l.id, l.total_tokens FROM log AS l WHERE 1",
    "SELECT l.id, l.cost_nano FROM log AS l WHERE 1",
    "SELECT l.id, l.status FROM log AS l WHERE 1"
};


int
llm_page_find(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    llm_page_t *page)
{
    int               rc;
    size_t            limit, offset;
    llm_heap_t       *heap;
    llm_page_find_t   p;

    memset(page, 0, sizeof(llm_page_t));
    memset(&p, 0, sizeof(llm_page_find_t));

    limit = llm_page_value(f, LLM_F_LIMIT, LLM_FILTER_LIMIT);
    offset = llm_page_value(f, LLM_F_OFFSET, 0);

    p.reader = reader;
    p.where = w;

    heap = &p.heap;
    heap->max = offset + limit + 1;
    heap->ascending = (f->num[LLM_F_ASCENDING] == 1);
    heap->after.id = f->num[LLM_F_CURSOR_ID];
    heap->after.value = f->num[LLM_F_CURSOR_VALUE];

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

    llm_sieve_close(p.sieve);
    sqlite3_finalize(p.stmt);

    if (rc != LLM_OK) {
        free(heap->rows);
        return rc;
    }

    llm_heap_sort(heap);

    page->rows = heap->rows;
    page->partial = p.partial;
    page->first = offset < heap->n ? offset : heap->n;
    page->n = heap->n < offset + limit ? heap->n : offset + limit;
    page->more = (heap->n == heap->max)
                 || (page->partial && page->n != page->first);

    return LLM_OK;
}


static int
llm_page_open(llm_page_find_t *p, const llm_filter_t *f)
{
    int                rc;
    const llm_sift_t  *sift;

    sift = llm_where_sift(p->where);

    if (llm_page_value(f, LLM_F_SORT, LLM_SORT_TIMESTAMP)
        == LLM_SORT_TIMESTAMP)
    {
        if (!llm_page_indexed(sift)) {
            rc = llm_sieve_open(&p->sieve, p->reader, sift, 1,
                                p->heap.ascending);

            if (rc == LLM_ERROR) {
                return rc;
            }
        }

        rc = llm_guide_open(&p->guides, p->reader, p->where, f, 1,
                            p->sieve != NULL);

        if (rc == LLM_ERROR) {
            return rc;
        }

        p->guide = rc == LLM_OK ? &p->guides : NULL;
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
    ranges = (p->guide != NULL || p->sieve != NULL);

    llm_buf_init(&sql, LLM_PAGE_SQL);

    /* ranges are within the filter's time, and behind the cursor */

    if (ranges) {
        llm_buf_text(&sql, "SELECT l.id, 0 FROM log AS l NOT INDEXED WHERE 1");
        llm_buf_text(&sql, llm_where_text_untimed(p->where));
        llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");

    } else {
        llm_buf_text(&sql, llm_page_select[sort]);
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

            sqlite3_bind_int64(stmt, ++n, (int64_t) p->heap.max);
        }
    }

    llm_buf_free(&sql);

    return stmt;
}


/* Until the page is full; in the order of the list. */

static int
llm_page_ranges(llm_page_find_t *p)
{
    int      rc;
    int64_t  from, to;

    if (p->guide == NULL) {
        return p->sieve == NULL ? llm_page_scan(p)
                                : llm_page_range(p, 0, INT64_MAX);
    }

    while (p->heap.n < p->heap.max && !p->partial) {
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
llm_page_range(llm_page_find_t *p, int64_t from, int64_t to)
{
    int      rc;
    int64_t  after;

    after = p->heap.after.id;

    if (after != LLM_NULL && p->heap.ascending && after >= from) {
        from = after + 1;
    }

    if (after != LLM_NULL && !p->heap.ascending && after < to) {
        to = after;
    }

    if (!llm_sift_within(llm_where_sift(p->where), &from, &to)) {
        return LLM_OK;
    }

    if (p->sieve == NULL) {
        return llm_page_rows(p, from, to);
    }

    llm_sieve_range(p->sieve, from, to);

    while (p->heap.n < p->heap.max && !p->partial) {
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
    llm_page_row_t   row;

    s = p->sieve;
    row.value = 0;

    for (i = 0; i < s->hits && p->heap.n < p->heap.max; i++) {
        row.id = s->ids[p->heap.ascending ? i : s->hits - 1 - i];

        if (llm_page_add(&p->heap, &row) != LLM_OK) {
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
    llm_page_row_t   row;

    while ((rc = sqlite3_step(p->stmt)) == SQLITE_ROW) {
        row.id = sqlite3_column_int64(p->stmt, 0);
        row.value = sqlite3_column_type(p->stmt, 1) == SQLITE_NULL
                        ? LLM_NULL : sqlite3_column_int64(p->stmt, 1);

        if (llm_page_add(&p->heap, &row) != LLM_OK) {
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


/* What the page begins after was on an earlier one. */

static int
llm_page_add(llm_heap_t *heap, const llm_page_row_t *row)
{
    if (heap->after.id != LLM_NULL
        && !llm_heap_before(heap, &heap->after, row))
    {
        return LLM_OK;
    }

    return llm_heap_add(heap, row);
}


static int
llm_heap_add(llm_heap_t *heap, const llm_page_row_t *row)
{
    size_t           cap;
    llm_page_row_t  *rows;

    if (heap->n == heap->max) {

        if (llm_heap_before(heap, row, &heap->rows[0])) {
            heap->rows[0] = *row;
            llm_heap_down(heap, 0, heap->n);
        }

        return LLM_OK;
    }

    if (heap->n == heap->cap) {
        cap = heap->cap == 0 ? LLM_PAGE_START : heap->cap * 2;

        rows = realloc(heap->rows, cap * sizeof(llm_page_row_t));
        if (rows == NULL) {
            return LLM_NOMEM;
        }

        heap->rows = rows;
        heap->cap = cap;
    }

    heap->rows[heap->n] = *row;
    llm_heap_up(heap, heap->n++);

    return LLM_OK;
}


static void
llm_heap_up(llm_heap_t *heap, size_t i)
{
    size_t          parent;
    llm_page_row_t  row;

    while (i != 0) {
        parent = (i - 1) / 2;

        if (!llm_heap_before(heap, &heap->rows[parent], &heap->rows[i])) {
            return;
        }

        row = heap->rows[i];
        heap->rows[i] = heap->rows[parent];
        heap->rows[parent] = row;
        i = parent;
    }
}


static void
llm_heap_down(llm_heap_t *heap, size_t i, size_t n)
{
    size_t          child;
    llm_page_row_t  row;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= n) {
            return;
        }

        if (child + 1 < n
            && llm_heap_before(heap, &heap->rows[child],
                               &heap->rows[child + 1]))
        {
            child++;
        }

        if (!llm_heap_before(heap, &heap->rows[i], &heap->rows[child])) {
            return;
        }

        row = heap->rows[i];
        heap->rows[i] = heap->rows[child];
        heap->rows[child] = row;
        i = child;
    }
}


static void
llm_heap_sort(llm_heap_t *heap)
{
    size_t          n;
    llm_page_row_t  row;

    for (n = heap->n; n > 1; n--) {
        row = heap->rows[0];
        heap->rows[0] = heap->rows[n - 1];
        heap->rows[n - 1] = row;

        llm_heap_down(heap, 0, n - 1);
    }
}


/* by value, what has none last in both orders, then by id */

static int
llm_heap_before(const llm_heap_t *heap, const llm_page_row_t *a,
    const llm_page_row_t *b)
{
    if (a->value != b->value) {

        if (a->value == LLM_NULL || b->value == LLM_NULL) {
            return b->value == LLM_NULL;
        }

        return heap->ascending ? a->value < b->value : a->value > b->value;
    }

    return heap->ascending ? a->id < b->id : a->id > b->id;
}


static size_t
llm_page_value(const llm_filter_t *f, int n, size_t none)
{
    return f->num[n] == LLM_NULL ? none : (size_t) f->num[n];
}
