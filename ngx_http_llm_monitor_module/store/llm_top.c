
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include "llm_top.h"


#define LLM_TOP_START   1024           /* rows allocated at first */


static void llm_top_up(llm_top_t *top, size_t i);
static void llm_top_down(llm_top_t *top, size_t i, size_t n);


int
llm_top_before(int ascending, const llm_top_row_t *a, const llm_top_row_t *b)
{
    if (a->value != b->value) {

        if (a->value == LLM_NULL || b->value == LLM_NULL) {
            return b->value == LLM_NULL;
        }

        return ascending ? a->value < b->value : a->value > b->value;
    }

    return ascending ? a->id < b->id : a->id > b->id;
}


/* What the page begins after was on an earlier one. */

int
llm_top_add(llm_top_t *top, const llm_top_row_t *row)
{
    size_t          cap;
    llm_top_row_t  *rows;

    if (top->after.id != LLM_NULL
        && !llm_top_before(top->ascending, &top->after, row))
    {
        return LLM_OK;
    }

    if (top->n == top->max) {

        if (llm_top_before(top->ascending, row, &top->rows[0])) {
            top->rows[0] = *row;
            llm_top_down(top, 0, top->n);
        }

        return LLM_OK;
    }

    if (top->n == top->cap) {
        cap = top->cap == 0 ? LLM_TOP_START : top->cap * 2;

        rows = realloc(top->rows, cap * sizeof(llm_top_row_t));
        if (rows == NULL) {
            return LLM_NOMEM;
        }

        top->rows = rows;
        top->cap = cap;
    }

    top->rows[top->n] = *row;
    llm_top_up(top, top->n++);

    return LLM_OK;
}


static void
llm_top_up(llm_top_t *top, size_t i)
{
    size_t         parent;
    llm_top_row_t  row;

    while (i != 0) {
        parent = (i - 1) / 2;

        if (!llm_top_before(top->ascending, &top->rows[parent],
                            &top->rows[i]))
        {
            return;
        }

        row = top->rows[i];
        top->rows[i] = top->rows[parent];
        top->rows[parent] = row;
        i = parent;
    }
}


static void
llm_top_down(llm_top_t *top, size_t i, size_t n)
{
    size_t         child;
    llm_top_row_t  row;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= n) {
            return;
        }

        if (child + 1 < n
            && llm_top_before(top->ascending, &top->rows[child],
                              &top->rows[child + 1]))
        {
            child++;
        }

        if (!llm_top_before(top->ascending, &top->rows[i],
                            &top->rows[child]))
        {
            return;
        }

        row = top->rows[i];
        top->rows[i] = top->rows[child];
        top->rows[child] = row;
        i = child;
    }
}


void
llm_top_sort(llm_top_t *top)
{
    size_t         n;
    llm_top_row_t  row;

    for (n = top->n; n > 1; n--) {
        row = top->rows[0];
        top->rows[0] = top->rows[n - 1];
        top->rows[n - 1] = row;

        llm_top_down(top, 0, n - 1);
    }
}
