
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


static sqlite3_stmt *llm_page_prepare(llm_reader_t *reader, llm_where_t *w,
    const llm_filter_t *f, int guided);
static int llm_page_guided(llm_reader_t *reader, llm_where_t *w,
    llm_guide_t *guide, sqlite3_stmt *stmt, llm_heap_t *heap, int *partial);
static int llm_page_scan(llm_reader_t *reader, sqlite3_stmt *stmt,
    llm_heap_t *heap, int *partial);
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
    int            rc, guided;
    size_t         limit, offset;
    llm_heap_t     heap;
    llm_guide_t    guide;
    sqlite3_stmt  *stmt;

    memset(page, 0, sizeof(llm_page_t));
    memset(&heap, 0, sizeof(llm_heap_t));

    limit = llm_page_value(f, LLM_F_LIMIT, LLM_FILTER_LIMIT);
    offset = llm_page_value(f, LLM_F_OFFSET, 0);

    heap.max = offset + limit + 1;
    heap.ascending = (f->num[LLM_F_ASCENDING] == 1);
    heap.after.id = f->num[LLM_F_CURSOR_ID];
    heap.after.value = f->num[LLM_F_CURSOR_VALUE];

    rc = LLM_DECLINED;

    if (llm_page_value(f, LLM_F_SORT, LLM_SORT_TIMESTAMP)
        == LLM_SORT_TIMESTAMP)
    {
        rc = llm_guide_open(&guide, reader, w, f, 1);

        if (rc == LLM_ERROR) {
            return rc;
        }
    }

    guided = (rc == LLM_OK);
    stmt = llm_page_prepare(reader, w, f, guided);

    if (stmt == NULL) {
        rc = LLM_ERROR;

    } else if (guided) {
        rc = llm_page_guided(reader, w, &guide, stmt, &heap, &page->partial);

    } else {
        rc = llm_page_scan(reader, stmt, &heap, &page->partial);
    }

    if (guided) {
        llm_guide_close(&guide);
    }

    sqlite3_finalize(stmt);

    if (rc != LLM_OK) {
        free(heap.rows);
        return rc;
    }

    llm_heap_sort(&heap);

    page->rows = heap.rows;
    page->first = offset < heap.n ? offset : heap.n;
    page->n = heap.n < offset + limit ? heap.n : offset + limit;
    page->more = (heap.n == heap.max)
                 || (page->partial && page->n != page->first);

    return LLM_OK;
}


void
llm_page_free(llm_page_t *page)
{
    free(page->rows);
    page->rows = NULL;
}


static sqlite3_stmt *
llm_page_prepare(llm_reader_t *reader, llm_where_t *w, const llm_filter_t *f,
    int guided)
{
    int            n, by_time, ascending;
    size_t         sort;
    llm_buf_t      sql;
    sqlite3_stmt  *stmt;

    stmt = NULL;
    sort = llm_page_value(f, LLM_F_SORT, LLM_SORT_TIMESTAMP);
    by_time = (sort == LLM_SORT_TIMESTAMP);
    ascending = (f->num[LLM_F_ASCENDING] == 1);

    llm_buf_init(&sql, LLM_PAGE_SQL);

    llm_buf_text(&sql, llm_page_select[sort]);
    llm_buf_text(&sql, llm_where_text(w));

    /* the guide's, bound for each range */

    if (guided) {
        llm_buf_text(&sql, " AND l.id >= ? AND l.id < ?");
    }

    if (by_time && f->num[LLM_F_CURSOR_ID] != LLM_NULL) {
        llm_buf_text(&sql, ascending ? " AND l.id > ?" : " AND l.id < ?");
    }

    llm_buf_text(&sql, by_time && ascending ? " ORDER BY l.id"
                                            : " ORDER BY l.id DESC");

    if (by_time) {
        llm_buf_text(&sql, " LIMIT ?");
    }

    if (sql.failed == LLM_OK
        && sqlite3_prepare_v2(reader->db, (const char *) sql.data,
                              (int) sql.len, &stmt, NULL)
           == SQLITE_OK)
    {
        n = llm_where_params(w) + 2 * guided;

        if (llm_where_bind(w, stmt) != LLM_OK) {
            sqlite3_finalize(stmt);
            stmt = NULL;

        } else if (by_time) {

            if (f->num[LLM_F_CURSOR_ID] != LLM_NULL) {
                sqlite3_bind_int64(stmt, ++n, f->num[LLM_F_CURSOR_ID]);
            }

            sqlite3_bind_int64(stmt, ++n,
                      (int64_t) (llm_page_value(f, LLM_F_OFFSET, 0) + 1
                                 + llm_page_value(f, LLM_F_LIMIT,
                                                  LLM_FILTER_LIMIT)));
        }
    }

    llm_buf_free(&sql);

    return stmt;
}


/* Until the page is full; in the order of the list. */

static int
llm_page_guided(llm_reader_t *reader, llm_where_t *w, llm_guide_t *guide,
    sqlite3_stmt *stmt, llm_heap_t *heap, int *partial)
{
    int      rc;
    int64_t  from, to;

    while (heap->n < heap->max && !*partial) {
        rc = llm_guide_next(guide, &from, &to);

        if (rc == LLM_DECLINED) {
            return LLM_OK;
        }

        if (rc == LLM_ERROR) {
            *partial = llm_reader_timeout(reader);
            return *partial ? LLM_OK : LLM_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, llm_where_params(w) + 1, from);
        (void) sqlite3_bind_int64(stmt, llm_where_params(w) + 2, to);

        rc = llm_page_scan(reader, stmt, heap, partial);

        if (rc != LLM_OK) {
            return rc;
        }

        (void) sqlite3_reset(stmt);
    }

    return LLM_OK;
}


static int
llm_page_scan(llm_reader_t *reader, sqlite3_stmt *stmt, llm_heap_t *heap,
    int *partial)
{
    int             rc;
    llm_page_row_t  row;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        row.id = sqlite3_column_int64(stmt, 0);
        row.value = sqlite3_column_type(stmt, 1) == SQLITE_NULL
                        ? LLM_NULL : sqlite3_column_int64(stmt, 1);

        if (heap->after.id != LLM_NULL
            && !llm_heap_before(heap, &heap->after, &row))
        {
            continue;
        }

        if (llm_heap_add(heap, &row) != LLM_OK) {
            return LLM_NOMEM;
        }
    }

    if (rc == SQLITE_DONE) {
        return LLM_OK;
    }

    if (!llm_reader_timeout(reader)) {
        return LLM_ERROR;
    }

    *partial = 1;

    return LLM_OK;
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
