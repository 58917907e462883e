
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_bytes.h"
#include "llm_repeat.h"


static int llm_repeat_room(llm_repeat_t *r, const llm_mem_t *mem, size_t n);
static const uint8_t *llm_repeat_string(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_repeat_word(const uint8_t *p, const uint8_t *end);


/* ends a number or the like, or is no part of one */

static const uint8_t  llm_repeat_ends[256] = {
    [','] = 1, ['}'] = 1, [']'] = 1, ['"'] = 1, ['{'] = 1, ['['] = 1,
    [':'] = 1, [' '] = 1, ['\t'] = 1, ['\n'] = 1, ['\r'] = 1, [0x1e] = 1
};


void
llm_repeat_learn(llm_repeat_t *r, const llm_mem_t *mem, const uint8_t *p,
    size_t n, const llm_scan_holes_t *holes)
{
    int                 i, known;
    llm_repeat_hole_t  *hole;

    if (n > LLM_REPEAT_MAX || holes->overflow) {
        return;
    }

    /* a value that came in two lines is not there as one */

    for (i = 0; i < holes->n; i++) {
        if (holes->hole[i].p < p || holes->hole[i].p > p + n
            || holes->hole[i].n > (size_t) (p + n - holes->hole[i].p))
        {
            return;
        }
    }

    known = r->text != NULL && r->nholes == holes->n;

    for (i = 0; i < holes->n; i++) {
        hole = &r->hole[i];

        hole->text = holes->hole[i].text;
        hole->number = holes->hole[i].number;

        /* what differs from the event before is likely to differ again */

        hole->varies = hole->text || (known
                                      && (hole->varies
                                          || hole->len != holes->hole[i].n
                                          || memcmp(r->text + hole->at,
                                                    holes->hole[i].p,
                                                    hole->len) != 0));
    }

    if (llm_repeat_room(r, mem, n) != LLM_OK) {
        return;
    }

    for (i = 0; i < holes->n; i++) {
        r->hole[i].at = holes->hole[i].p - p;
        r->hole[i].len = holes->hole[i].n;
    }

    memcpy(r->text, p, n);
    r->len = n;
    r->nholes = holes->n;
}


const uint8_t *
llm_repeat_match(const llm_repeat_t *r, const uint8_t *p, const uint8_t *end,
    size_t *text)
{
    int                       i;
    size_t                    at, n;
    const uint8_t            *q;
    const llm_repeat_hole_t  *hole;

    at = 0;
    *text = 0;

    for (i = 0; i < r->nholes; i++) {
        hole = &r->hole[i];

        if (!hole->varies) {
            continue;
        }

        n = hole->at - at;

        if ((size_t) (end - p) < n || memcmp(p, r->text + at, n) != 0) {
            return NULL;
        }

        p += n;

        q = hole->number ? llm_repeat_word(p, end) : llm_repeat_string(p, end);

        if (q == NULL) {
            return NULL;
        }

        *text += hole->text ? q - p : 0;

        at = hole->at + hole->len;
        p = q;
    }

    n = r->len - at;

    if ((size_t) (end - p) < n || memcmp(p, r->text + at, n) != 0) {
        return NULL;
    }

    return p + n;
}


void
llm_repeat_free(llm_repeat_t *r, const llm_mem_t *mem)
{
    if (r->text != NULL) {
        mem->free(mem->data, r->text);
        r->text = NULL;
    }
}


static int
llm_repeat_room(llm_repeat_t *r, const llm_mem_t *mem, size_t n)
{
    size_t  cap;

    if (r->text != NULL && n <= r->cap) {
        return LLM_OK;
    }

    llm_repeat_free(r, mem);

    cap = (n + 127) & ~(size_t) 127;

    r->text = mem->alloc(mem->data, cap);
    if (r->text == NULL) {
        return LLM_NOMEM;
    }

    r->cap = cap;

    return LLM_OK;
}


/* the quote that ends a string; NULL: not here, or the line ends before */

static const uint8_t *
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


/* what ends a number or the like; NULL: not here, or there is more to it */

static const uint8_t *
llm_repeat_word(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8 && llm_bytes_digits(p)) {
        p += 8;
    }

    for ( /* void */ ; p < end; p++) {

        if (llm_repeat_ends[*p]) {
            return *p == ',' || *p == '}' || *p == ']' ? p : NULL;
        }
    }

    return NULL;
}
