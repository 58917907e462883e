
/*
 * Copyright (C) llm_monitor contributors
 *
 * Events in pieces are those that a naive reader finds in the whole text: it
 * knows lines and nothing of states.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_sse.h"


typedef struct {
    uint8_t   *data;
    size_t     len;
} trace_t;


static void
put(void *data, const uint8_t *p, size_t n)
{
    trace_t  *t = data;

    if (n != 0) {
        memcpy(t->data + t->len, p, n);
        t->len += n;
    }
}


/* an event: its data, then its name between two bytes that mark it */

static void
end_event(trace_t *t, int lines, const uint8_t *name, size_t n)
{
    if (lines) {
        put(t, (const uint8_t *) "\377<", 2);
        put(t, name, n > LLM_SSE_EVENT ? LLM_SSE_EVENT : n);
        put(t, (const uint8_t *) ">", 1);
    }
}


static void
pieces(const uint8_t *data, size_t size, uint8_t step, trace_t *t)
{
    int             done;
    size_t          n;
    uint8_t        *piece;
    llm_sse_t       s;
    const uint8_t  *p;

    llm_sse_init(&s, put, t);

    while (size) {
        piece = fuzz_piece(&data, &size, step, &n);

        for (p = piece; p < piece + n; /* void */ ) {
            p = llm_sse_next(&s, p, piece + n, &done);

            if (done) {
                end_event(t, s.lines, s.event, s.nevent);
                llm_sse_reset(&s);

                if (!llm_sse_idle(&s)) {
                    abort();
                }
            }
        }

        free(piece);
    }

    end_event(t, s.lines, s.event, s.nevent);
}


static void
naive(const uint8_t *p, size_t size, trace_t *t)
{
    int             lines, whole;
    size_t          n, name_len;
    const uint8_t  *end, *eol, *value, *name;

    end = p + size;
    lines = 0;
    name = (const uint8_t *) "";
    name_len = 0;

    while (p < end) {

        for (eol = p; eol < end && *eol != '\n' && *eol != '\r'; eol++) {
            /* void */
        }

        whole = eol < end;

        value = memchr(p, ':', eol - p);
        n = (value != NULL ? value : eol) - p;

        if (whole && eol == p) {
            end_event(t, lines, name, name_len);
            lines = 0;
            name_len = 0;

        } else if (whole || value != NULL) {

            value = (value != NULL) ? value + 1 : eol;
            value += (value < eol && *value == ' ');

            if (n == 4 && memcmp(p, "data", 4) == 0) {
                put(t, (const uint8_t *) "\n", lines != 0);
                put(t, value, eol - value);
                lines++;

            } else if (n == 5 && memcmp(p, "event", 5) == 0) {
                name = value;
                name_len = eol - value;

            } else if (n == 5 && memcmp(p, "error", 5) == 0) {

                /* no field of the standard, but a server's own */

                put(t, value, eol - value);
                lines++;
                name = (const uint8_t *) "error";
                name_len = 5;
            }
        }

        p = eol + whole;

        if (whole && *eol == '\r' && p < end && *p == '\n') {
            p++;
        }
    }

    end_event(t, lines, name, name_len);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t  step;
    trace_t  got, want;

    step = fuzz_byte(&data, &size);

    /* of a line of no data, the least, an event's end is four bytes */

    got.data = malloc(2 * size + 64);
    got.len = 0;
    want.data = malloc(2 * size + 64);
    want.len = 0;

    pieces(data, size, step, &got);
    naive(data, size, &want);

    if (got.len != want.len || memcmp(got.data, want.data, got.len) != 0) {
        abort();
    }

    free(got.data);
    free(want.data);

    return 0;
}
