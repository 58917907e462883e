
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_sse.h"


enum {
    LLM_SSE_NAME = 0,      /* in a field's name, or at the line's start */
    LLM_SSE_SPACE,         /* one space after the colon is no data */
    LLM_SSE_VALUE
};

enum {
    LLM_SSE_OTHER = 0,
    LLM_SSE_DATA,
    LLM_SSE_NAMED
};


static const uint8_t *llm_sse_name(llm_sse_t *s, const uint8_t *p,
    const uint8_t *end);
static void llm_sse_field(llm_sse_t *s);
static void llm_sse_value(llm_sse_t *s, const uint8_t *p, size_t n);
static void llm_sse_line(llm_sse_t *s);


void
llm_sse_init(llm_sse_t *s,
    void (*data_pt)(void *data, const uint8_t *p, size_t n), void *data)
{
    memset(s, 0, sizeof(llm_sse_t));

    s->data_pt = data_pt;
    s->data = data;
}


void
llm_sse_reset(llm_sse_t *s)
{
    s->state = LLM_SSE_NAME;
    s->nfield = 0;
    s->lines = 0;
    s->nevent = 0;
}


int
llm_sse_idle(const llm_sse_t *s)
{
    return s->state == LLM_SSE_NAME && s->nfield == 0 && s->lines == 0
           && s->nevent == 0;
}


const uint8_t *
llm_sse_next(llm_sse_t *s, const uint8_t *p, const uint8_t *end, int *done)
{
    const uint8_t  *q, *lf, *cr;

    *done = 0;
    lf = NULL;
    cr = NULL;

    if (s->cr && p < end) {
        s->cr = 0;

        if (*p == '\n') {
            p++;
        }
    }

    while (p < end) {

        if (s->state == LLM_SSE_NAME) {
            p = llm_sse_name(s, p, end);

            if (p == end) {
                break;
            }

            if (*p == '\n' || *p == '\r') {

                if (s->nfield == 0) {
                    s->cr = *p == '\r';
                    *done = 1;
                    return p + 1;
                }

                llm_sse_field(s);
                q = p;
                goto eol;
            }

            llm_sse_field(s);
            s->state = LLM_SSE_SPACE;
            p++;
            continue;
        }

        if (s->state == LLM_SSE_SPACE) {
            s->state = LLM_SSE_VALUE;

            if (*p == ' ') {
                p++;
                continue;
            }
        }

        /* each end is looked for once, however many lines there are */

        if (lf == NULL || lf < p) {
            lf = memchr(p, '\n', end - p);
            lf = lf == NULL ? end : lf;
        }

        if (cr == NULL || cr < p) {
            cr = memchr(p, '\r', lf - p);
            cr = cr == NULL ? lf : cr;
        }

        q = cr;

        llm_sse_value(s, p, q - p);

        if (q == end) {
            return end;
        }

    eol:

        llm_sse_line(s);
        p = q + 1;

        if (*q == '\r') {

            if (p == end) {
                s->cr = 1;

            } else if (*p == '\n') {
                p++;
            }
        }
    }

    return end;
}


/* up to the colon or the line's end */

static const uint8_t *
llm_sse_name(llm_sse_t *s, const uint8_t *p, const uint8_t *end)
{
    for ( /* void */ ; p < end; p++) {

        if (*p == ':' || *p == '\n' || *p == '\r') {
            break;
        }

        if (s->nfield < sizeof(s->name)) {
            s->name[s->nfield] = *p;
            s->nfield++;
        }
    }

    return p;
}


static void
llm_sse_field(llm_sse_t *s)
{
    s->field = LLM_SSE_OTHER;

    if (s->nfield == 4 && memcmp(s->name, "data", 4) == 0) {
        s->field = LLM_SSE_DATA;

        if (s->lines != 0) {
            s->data_pt(s->data, (const uint8_t *) "\n", 1);
        }

        s->lines = s->lines ? 2 : 1;

    } else if (s->nfield == 5 && memcmp(s->name, "event", 5) == 0) {
        s->field = LLM_SSE_NAMED;
        s->nevent = 0;

    } else if (s->nfield == 5 && memcmp(s->name, "error", 5) == 0) {

        /* llama-box ends a stream that failed with "error: {...}" */

        s->field = LLM_SSE_DATA;
        s->lines = s->lines ? 2 : 1;
        s->nevent = 5;
        memcpy(s->event, "error", 5);
    }
}


static void
llm_sse_value(llm_sse_t *s, const uint8_t *p, size_t n)
{
    if (n == 0) {
        return;
    }

    if (s->field == LLM_SSE_DATA) {
        s->data_pt(s->data, p, n);

    } else if (s->field == LLM_SSE_NAMED) {
        n = n > sizeof(s->event) - s->nevent ? sizeof(s->event) - s->nevent
                                             : n;
        memcpy(s->event + s->nevent, p, n);
        s->nevent += n;
    }
}


static void
llm_sse_line(llm_sse_t *s)
{
    s->state = LLM_SSE_NAME;
    s->nfield = 0;
    s->field = LLM_SSE_OTHER;
}
