
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_bytes.h"
#include "llm_repeat.h"


#define LLM_REPEAT_STEP   32     /* bytes by which room grows */

/* bytes before the first value, which llm_bytes_special() asks for */
#define LLM_REPEAT_LEAD   16


static int llm_repeat_inside(const llm_scan_holes_t *holes, const uint8_t *p,
    size_t n);
static int llm_repeat_varies(const llm_repeat_t *r, int i,
    const llm_scan_holes_t *holes);
static llm_repeat_t *llm_repeat_room(llm_repeat_t **r, const llm_mem_t *mem,
    size_t n);
static LLM_APART const uint8_t *llm_repeat_string(const uint8_t *p,
    const uint8_t *end);
static LLM_APART const uint8_t *llm_repeat_number(const uint8_t *p,
    const uint8_t *end);


void
llm_repeat_learn(llm_repeat_t **repeat, const llm_mem_t *mem,
    const uint8_t *p, size_t n, const llm_scan_holes_t *holes)
{
    int                     i;
    uint8_t                *link, varies[LLM_SCAN_HOLES];
    llm_repeat_t           *r;
    llm_repeat_hole_t      *hole;
    const llm_scan_hole_t  *found;

    if (n > LLM_REPEAT_MAX || holes->overflow || holes->n == 0
        || holes->hole[0].p < p + LLM_REPEAT_LEAD
        || !llm_repeat_inside(holes, p, n))
    {
        return;
    }

    for (i = 0; i < holes->n; i++) {
        varies[i] = holes->hole[i].text
                    || llm_repeat_varies(*repeat, i, holes);
    }

    r = llm_repeat_room(repeat, mem, n);
    if (r == NULL) {
        return;
    }

    link = &r->first;

    for (i = 0; i < holes->n; i++) {
        found = &holes->hole[i];
        hole = &r->hole[i];

        hole->at = found->p - p;
        hole->len = found->n;
        hole->text = found->text;
        hole->number = found->number;
        hole->varies = varies[i];

        if (hole->varies) {
            *link = i;
            link = &hole->next;
        }
    }

    *link = holes->n;

    memcpy(r->text, p, n);
    r->len = n;
    r->nholes = holes->n;
}


/* a value that came in two lines is not there as one */

static int
llm_repeat_inside(const llm_scan_holes_t *holes, const uint8_t *p, size_t n)
{
    int                     i;
    const llm_scan_hole_t  *hole;

    for (i = 0; i < holes->n; i++) {
        hole = &holes->hole[i];

        if (hole->p < p || hole->p > p + n
            || hole->n > (size_t) (p + n - hole->p))
        {
            return 0;
        }
    }

    return 1;
}


/* what differs from the event before is likely to differ again */

static int
llm_repeat_varies(const llm_repeat_t *r, int i, const llm_scan_holes_t *holes)
{
    const llm_scan_hole_t    *found;
    const llm_repeat_hole_t  *hole;

    if (r == NULL || r->nholes != holes->n) {
        return 0;
    }

    hole = &r->hole[i];
    found = &holes->hole[i];

    return hole->varies || hole->len != found->n
           || memcmp(r->text + hole->at, found->p, found->n) != 0;
}


const uint8_t *
llm_repeat_match(const llm_repeat_t *r, const uint8_t *p, const uint8_t *end,
    int64_t *text)
{
    int                       i;
    size_t                    n, length;
    const uint8_t            *q, *t;
    const llm_repeat_hole_t  *hole;

    length = 0;
    t = r->text;

    for (i = r->first; i < r->nholes; i = hole->next) {
        hole = &r->hole[i];

        n = r->text + hole->at - t;

        if ((size_t) (end - p) < n || !llm_bytes_equal(p, t, n)) {
            return NULL;
        }

        p += n;
        t += n + hole->len;

        if (hole->number) {
            /* what ends it must be what ends the one that was learnt */
            p = llm_repeat_number(p, end);
            continue;
        }

        q = llm_repeat_string(p, end);

        if (q == NULL) {
            return NULL;
        }

        length += hole->text ? q - p : 0;
        p = q;
    }

    n = r->text + r->len - t;

    if ((size_t) (end - p) < n || !llm_bytes_equal(p, t, n)) {
        return NULL;
    }

    *text += length;

    return p + n;
}


static llm_repeat_t *
llm_repeat_room(llm_repeat_t **repeat, const llm_mem_t *mem, size_t n)
{
    size_t         cap;
    llm_repeat_t  *r;

    r = *repeat;

    if (r != NULL && n <= r->cap) {
        return r;
    }

    cap = (n + LLM_REPEAT_STEP - 1) & ~(size_t) (LLM_REPEAT_STEP - 1);

    if (r != NULL) {
        mem->free(mem->data, r);
    }

    r = mem->alloc(mem->data, sizeof(llm_repeat_t) + cap);
    *repeat = r;

    if (r != NULL) {
        r->cap = cap;
    }

    return r;
}


/*
 * The quote that ends a string; NULL: not here, or the line ends before.
 * Inline, its constants would be loaded again after each comparison.
 */

static LLM_APART const uint8_t *
llm_repeat_string(const uint8_t *p, const uint8_t *end)
{
    for ( ;; ) {
        p = llm_bytes_special(p, end);

        if (p == end) {
            return NULL;
        }

        if (*p == '"') {
            return p;
        }

        if (*p != '\\' || end - p < 2 || p[1] < 0x20) {
            return NULL;
        }

        p += 2;
    }
}


static LLM_APART const uint8_t *
llm_repeat_number(const uint8_t *p, const uint8_t *end)
{
    return llm_bytes_number(p, end);
}
