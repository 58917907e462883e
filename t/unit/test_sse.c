
/*
 * Copyright (C) llm_monitor contributors
 *
 * Server-sent events at every split, and events that repeat.
 */


#include <stdlib.h>

#include "tap.h"
#include "mem.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_repeat.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_sse.h"


static char    trace[4096];
static size_t  len;


static void
take(void *data, const uint8_t *p, size_t n)
{
    memcpy(trace + len, p, n);
    len += n;
}


static void
end_event(llm_sse_t *s)
{
    if (s->lines != 0) {
        len += sprintf(trace + len, "|%.*s;", s->nevent, s->event);
    }

    llm_sse_reset(s);
}


static const char *
parse(const char *text, size_t n, int mode)
{
    int             done;
    size_t          at, piece;
    uint8_t        *copy;
    split_t         split;
    llm_sse_t       s;
    const uint8_t  *p;

    len = 0;
    split_init(&split, mode);
    llm_sse_init(&s, take, NULL);

    for (at = 0; at < n; at += piece) {
        piece = split_next(&split, n - at);
        copy = malloc(piece);
        memcpy(copy, text + at, piece);

        for (p = copy; p < copy + piece; /* void */) {
            p = llm_sse_next(&s, p, copy + piece, &done);

            if (done) {
                end_event(&s);
            }
        }

        free(copy);
    }

    end_event(&s);
    trace[len] = '\0';

    return trace;
}


static void
check(const char *name, const char *text, const char *want)
{
    int  mode;

    for (mode = 0; mode < SPLIT_MODES; mode++) {
        if (strcmp(parse(text, strlen(text), mode), want) != 0) {
            break;
        }
    }

    ok(mode == SPLIT_MODES, "%s", name);

    if (mode < SPLIT_MODES) {
        printf("# mode %d\n#  got %s\n# want %s\n", mode, trace, want);
    }
}


/* what an event begins with */
#define D  "data: {\"id\" \"1\"} "


/* an event with the holes that a scanner would find */

static int
matches(const char *first, const char *second, const char *next,
    int64_t *text)
{
    int                i, number;
    char              *copy;
    const char        *events[] = { first, second }, *p, *q;
    const uint8_t     *end;
    llm_repeat_t      *r;
    llm_scan_holes_t   holes;

    r = NULL;
    *text = 0;

    for (i = 0; i < 2; i++) {
        memset(&holes, 0, sizeof(llm_scan_holes_t));

        p = strchr(events[i] + sizeof(D), ':');

        for ( /* void */ ; p != NULL; p = strchr(q, ':')) {
            number = p[1] != '"';
            p += number ? 1 : 2;
            q = strpbrk(p, number ? ",}" : "\"");
            holes.hole[holes.n].p = (const uint8_t *) p;
            holes.hole[holes.n].n = q - p;
            holes.hole[holes.n].text = p[number ? -2 : -3] == 't';
            holes.hole[holes.n].number = number;
            holes.n++;
        }

        llm_repeat_learn(&r, &mem, (const uint8_t *) events[i],
                         strlen(events[i]), &holes);
    }

    copy = malloc(strlen(next));
    memcpy(copy, next, strlen(next));

    end = llm_repeat_match(r, (uint8_t *) copy,
                           (uint8_t *) copy + strlen(next), text);

    free(copy);
    free(r);

    return end != NULL;
}


int
main(void)
{
    int64_t  n;

    check("LF", "data: a\n\ndata: b\n\n", "a|;b|;");
    check("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "a|;b|;");
    check("CR", "data: a\r\rdata: b\r\r", "a|;b|;");
    check("mixed", "data: a\n\r\ndata: b\r\n\ndata: c\r\r\n", "a|;b|;c|;");
    check("no space", "data:a\n\ndata:  b\n\n", "a|; b|;");
    check("several lines", "data: a\ndata: b\ndata:\n\n", "a\nb\n|;");
    check("several lines, CRLF", "data: a\r\ndata: b\r\n\r\n", "a\nb|;");
    check("names", "event: x\ndata: a\n\nevent:y\ndata: b\n\ndata: c\n\n",
          "a|x;b|y;c|;");
    check("comments", ": ping\n\n:\n: a\ndata: a\n: b\n\n", "a|;");
    check("unknown fields", "id: 1\nretry: 5\nx\ndatax: q\ndata: a\n\n",
          "a|;");
    check("data without a colon", "data\n\n", "|;");
    check("no blank line at the end", "data: a\n\ndata: b", "a|;b|;");
    check("an error as a field", "error: {}\n\n", "{}|error;");
    check("blank lines", "\n\n\ndata: a\n\n\n\n", "a|;");
    check("a name that is too long", "event: 0123456789012345678901234567890123"
          "4567890123456789\ndata: a\n\n",
          "a|0123456789012345678901234567890123456789;");

    ok(matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n", D "{t:\"xyz\"}\n\n", &n)
       && n == 3, "the text may differ");
    ok(!matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n", D "{t:\"xyz\"}\n", &n),
       "an event that is not all there");
    ok(!matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n",
                D "{t:\"x\",u:1}\n\n", &n),
       "an event with more in it");
    ok(!matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n", D "{t:\"x\ny\"}\n\n", &n),
       "a line that ends inside of the text");
    ok(matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n", D "{t:\"x\\\"y\"}\n\n", &n)
       && n == 4, "an escaped quote");
    ok(!matches(D "{t:\"a\"}\n\n", D "{t:\"b\"}\n\n", D "{t:\"x\\\"}\n\n", &n),
       "a quote that is only escaped");
    ok(!matches(D "{t:\"a\",o:\"1\"}\n", D "{t:\"b\",o:\"1\"}\n",
                D "{t:\"c\",o:\"2\"}\n", &n), "another value has not varied");
    ok(matches(D "{t:\"a\",o:\"1\"}\n", D "{t:\"b\",o:\"2\"}\n",
               D "{t:\"c\",o:\"345\"}\n", &n) && n == 1,
       "another value varies");
    ok(matches(D "{t:\"a\",o:1}\n", D "{t:\"b\",o:2}\n",
               D "{t:\"c\",o:-17234567890123456789.5e-3}\n", &n) && n == 1,
       "a number varies");
    ok(!matches(D "{t:\"a\",o:1}\n", D "{t:\"b\",o:2}\n",
                D "{t:\"c\",o:3,u:1}\n", &n), "something behind a number");
    ok(!matches(D "{t:\"a\",o:1}\n", D "{t:\"b\",o:2}\n",
                D "{t:\"c\",o:null}\n", &n), "no number any more");
    ok(!matches(D "{t:\"a\",o:1}\n", D "{t:\"b\",o:2}\n",
                D "{t:\"c\",o:33333333333333333", &n), "half a number");

    return done_testing();
}
