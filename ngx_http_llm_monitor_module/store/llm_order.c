
/*
 * Copyright (C) llm_monitor contributors
 *
 * What may still come, by its value, is a condition like those of the filter:
 * what is behind the cursor, and once the page is full, before its last row.
 * So a head alone, or one column, mostly says that a block has nothing.
 *
 * The blocks with the best heads mostly fill the page.  Where they do not, as
 * few rows pass the filter, or the page is far down, more and more of the next
 * best are taken at once, and looked into as they are stored: neighbours share
 * pages of the file.
 */


#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "llm_filter.h"
#include "llm_order.h"
#include "llm_sieve.h"


#define LLM_ORDER_START   1024         /* blocks allocated at first */
#define LLM_ORDER_NULL    -1           /* in a block: there is no value */
#define LLM_ORDER_RANGES  2
#define LLM_ORDER_BATCH   16           /* blocks of the first one */


typedef struct {
    llm_top_row_t   best;              /* none of its rows comes before */
    int64_t         from;              /* its part of the filter's time */
    int64_t         to;
} llm_order_block_t;

struct llm_order_s {
    llm_top_t          *top;
    llm_sieve_t        *sieve;
    int                 column;
    int                 known;         /* all blocks are, and in order */
    size_t              next;          /* one to be looked into */
    size_t              batch;         /* before here in order of storage */
    size_t              n;
    size_t              cap;
    llm_order_block_t  *blocks;
    llm_sift_t          sift;          /* the filter, and what may come */
    int64_t             values[LLM_BLOCK_ROWS];
};


static int llm_order_over(const llm_order_t *o,
    const llm_order_block_t *block);
static void llm_order_batch(llm_order_t *o);
static void llm_order_bound(llm_order_t *o);
static int llm_order_block(llm_order_t *o);
static int llm_order_best(const llm_order_t *o, const llm_block_head_t *head,
    llm_order_block_t *block);
static int llm_order_behind(const llm_order_t *o, llm_order_block_t *block);
static void llm_order_sort(llm_order_t *o);
static int llm_order_up(const void *one, const void *two);
static int llm_order_down(const void *one, const void *two);
static int llm_order_stored(const void *one, const void *two);
static int llm_order_rows(llm_order_t *o);


/* the order of llm_sort_e; time needs none */

static const int  llm_order_columns[LLM_SORT_COUNT] = {
    -1, LLM_SIFT_DURATION, LLM_BLOCK_TTFT, LLM_SIFT_TOKENS, LLM_SIFT_COST,
    LLM_SIFT_STATUS
};


int
llm_order_open(llm_order_t **out, llm_reader_t *reader,
    const llm_sift_t *sift, int sort, llm_top_t *top)
{
    int           i, rc;
    llm_order_t  *o;

    *out = NULL;

    o = malloc(sizeof(llm_order_t));

    if (o == NULL) {
        return LLM_DECLINED;
    }

    memset(o, 0, offsetof(llm_order_t, sift));

    o->top = top;
    o->column = llm_order_columns[sort];
    o->sift = *sift;

    llm_sift_term(&o->sift, o->column);

    for (i = 0; i < LLM_ORDER_RANGES; i++) {
        llm_sift_range(&o->sift, 0, 0);
    }

    rc = llm_sieve_open(&o->sieve, reader, &o->sift, LLM_SIEVE_HEADS, 1);

    if (rc != LLM_OK) {
        llm_order_close(o);
        return rc;
    }

    llm_order_bound(o);
    llm_sieve_range(o->sieve, sift->from, sift->to);

    *out = o;

    return LLM_OK;
}


void
llm_order_close(llm_order_t *o)
{
    if (o == NULL) {
        return;
    }

    llm_sieve_close(o->sieve);
    free(o->blocks);
    free(o);
}


int
llm_order_next(llm_order_t *o, int64_t *from, int64_t *to)
{
    int                       rc;
    const llm_order_block_t  *block;

    while (!o->known) {
        rc = llm_sieve_next(o->sieve, from, to);

        if (rc == LLM_DECLINED) {
            llm_order_sort(o);
            break;
        }

        if (rc == LLM_OK) {

            if (!o->sieve->block) {
                return LLM_OK;
            }

            rc = llm_order_block(o);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    while (o->next < o->n) {
        block = &o->blocks[o->next];

        if (o->next == o->batch) {

            if (llm_order_over(o, block)) {
                return LLM_DECLINED;
            }

            llm_order_batch(o);
        }

        o->next++;

        if (llm_order_over(o, block)) {
            continue;
        }

        llm_order_bound(o);
        llm_sieve_range(o->sieve, block->from, block->to);

        rc = llm_sieve_next(o->sieve, from, to);

        if (rc == LLM_OK) {
            rc = o->sieve->block ? llm_order_rows(o) : LLM_DECLINED;
        }

        /* bytes that are none of ours: its rows are looked at themselves */

        if (rc == LLM_DECLINED) {
            *from = block->from;
            *to = block->to;

            return LLM_OK;
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return LLM_DECLINED;
}


/* None of its rows is before the last one of the page. */

static int
llm_order_over(const llm_order_t *o, const llm_order_block_t *block)
{
    return o->top->n == o->top->max
           && !llm_top_before(o->top->ascending, &block->best,
                              &o->top->rows[0]);
}


/* As many blocks as there were before. */

static void
llm_order_batch(llm_order_t *o)
{
    size_t  n;

    n = o->next == 0 ? LLM_ORDER_BATCH : o->next;
    n = n < o->n - o->next ? n : o->n - o->next;

    qsort(&o->blocks[o->next], n, sizeof(llm_order_block_t),
          llm_order_stored);

    o->batch = o->next + n;
}


/* What may still come, as the last condition. */

static void
llm_order_bound(llm_order_t *o)
{
    int                nulls;
    int64_t            low, high;
    llm_top_t         *top;
    llm_sift_term_t   *term;
    llm_sift_range_t  *range;

    top = o->top;
    low = 0;
    high = INT64_MAX;
    nulls = 1;

    if (top->after.id != LLM_NULL) {

        if (top->after.value <= LLM_ORDER_NULL) {
            high = LLM_ORDER_NULL;

        } else if (top->ascending) {
            low = top->after.value;

        } else {
            high = top->after.value;
        }
    }

    if (top->n == top->max && top->rows[0].value != LLM_NULL) {
        nulls = 0;

        if (top->ascending) {
            high = top->rows[0].value;

        } else {
            low = top->rows[0].value;
        }
    }

    term = &o->sift.term[o->sift.nterms - 1];
    range = &o->sift.range[term->first];

    range->low = nulls && low == 0 ? LLM_ORDER_NULL : low;
    range->high = high;
    term->n = 1;

    if (nulls && low != 0) {
        range[1].low = LLM_ORDER_NULL;
        range[1].high = LLM_ORDER_NULL;
        term->n = 2;
    }
}


/* Notes a block, of which the heads are known. */

static int
llm_order_block(llm_order_t *o)
{
    size_t              cap;
    llm_block_head_t    head;
    llm_order_block_t   block, *blocks;

    if (o->sieve->hits == 0) {
        return LLM_OK;
    }

    block.from = o->sieve->low;
    block.to = o->sieve->high;

    if (llm_block_head(o->sieve->heads, o->sieve->len, o->column, o->sieve->n,
                       &head)
        != LLM_OK
        || !llm_order_best(o, &head, &block))
    {
        return LLM_OK;
    }

    if (o->n == o->cap) {
        cap = o->cap == 0 ? LLM_ORDER_START : o->cap * 2;

        blocks = realloc(o->blocks, cap * sizeof(llm_order_block_t));
        if (blocks == NULL) {
            return LLM_NOMEM;
        }

        o->blocks = blocks;
        o->cap = cap;
    }

    o->blocks[o->n++] = block;

    return LLM_OK;
}


/* 0: it has nothing that may still come. */

static int
llm_order_best(const llm_order_t *o, const llm_block_head_t *head,
    llm_order_block_t *block)
{
    int                      step;
    int64_t                  low, high, value;
    const llm_sift_range_t  *range;

    range = &o->sift.range[o->sift.term[o->sift.nterms - 1].first];

    low = head->min > LLM_ORDER_NULL ? head->min : head->second;
    low = low > range->low ? low : range->low;
    high = range->high < head->max ? range->high : head->max;

    step = o->top->ascending ? 1 : -1;

    for (value = o->top->ascending ? low : high;
         value >= low && value <= high;
         value += step)
    {
        block->best.value = value;

        if (llm_order_behind(o, block)) {
            return 1;
        }
    }

    if (head->min > LLM_ORDER_NULL) {
        return 0;
    }

    block->best.value = LLM_NULL;

    return llm_order_behind(o, block);
}


/* Of the rows that have the value of the cursor, those of some ids are over. */

static int
llm_order_behind(const llm_order_t *o, llm_order_block_t *block)
{
    int64_t               from, last;
    const llm_top_row_t  *after;

    from = block->from;
    last = block->to - 1;
    after = &o->top->after;

    if (after->id != LLM_NULL && after->value == block->best.value) {

        if (o->top->ascending ? after->id >= last : after->id <= from) {
            return 0;
        }

        if (o->top->ascending) {
            from = from > after->id ? from : after->id + 1;

        } else {
            last = last < after->id ? last : after->id - 1;
        }
    }

    block->best.id = o->top->ascending ? from : last;

    return 1;
}


static void
llm_order_sort(llm_order_t *o)
{
    o->known = 1;
    o->sieve->what = LLM_SIEVE_PAGE;

    if (o->n != 0) {
        qsort(o->blocks, o->n, sizeof(llm_order_block_t),
              o->top->ascending ? llm_order_up : llm_order_down);
    }
}


static int
llm_order_up(const void *one, const void *two)
{
    const llm_order_block_t *a = one;
    const llm_order_block_t *b = two;

    return llm_top_before(1, &b->best, &a->best)
           - llm_top_before(1, &a->best, &b->best);
}


static int
llm_order_down(const void *one, const void *two)
{
    const llm_order_block_t *a = one;
    const llm_order_block_t *b = two;

    return llm_top_before(0, &b->best, &a->best)
           - llm_top_before(0, &a->best, &b->best);
}


static int
llm_order_stored(const void *one, const void *two)
{
    const llm_order_block_t *a = one;
    const llm_order_block_t *b = two;

    return (a->from > b->from) - (a->from < b->from);
}


static int
llm_order_rows(llm_order_t *o)
{
    int             i, rc;
    llm_sieve_t    *s;
    llm_top_row_t   row;

    s = o->sieve;
    rc = LLM_OK;

    if (s->hits != 0) {
        rc = llm_sieve_values(s, o->column, o->values);
    }

    for (i = 0; i < s->hits && rc == LLM_OK; i++) {
        row.id = s->ids[i];
        row.value = o->values[i] == LLM_ORDER_NULL ? LLM_NULL : o->values[i];

        rc = llm_top_add(o->top, &row);
    }

    return rc;
}
