
/*
 * Copyright (C) llm_monitor contributors
 *
 * A string that a colon follows is a key, wherever it stands: that needs no
 * grammar and so works for broken and for framed JSON as well.  In doubt more
 * is hidden rather than less.
 */


#include <string.h>

#include "llm_redact.h"


#define LLM_REDACT_NAME   128    /* bytes; a longer key is no name */


typedef enum {
    LLM_REDACT_OUTSIDE = 0,
    LLM_REDACT_STRING,           /* perhaps a key */
    LLM_REDACT_ESCAPE,
    LLM_REDACT_UNICODE,
    LLM_REDACT_COLON,            /* after a string: does a colon follow? */
    LLM_REDACT_VALUE,            /* before a value that is to be hidden */

    /* what is hidden */

    LLM_REDACT_SCALAR,
    LLM_REDACT_HIDDEN,           /* a string */
    LLM_REDACT_HIDDEN_ESCAPE,
    LLM_REDACT_NESTED,           /* an object or an array */
    LLM_REDACT_NESTED_STRING,
    LLM_REDACT_NESTED_ESCAPE
} llm_redact_state_e;


struct llm_redact_s {
    llm_mem_t            mem;
    llm_sink_pt          sink;
    void                *sink_data;

    const llm_str_t     *names;
    size_t               nnames;

    llm_redact_state_e   state;
    int                  done;
    int                  newline;      /* the last byte ended a line */
    size_t               depth;

    int                  digits;       /* of \uXXXX */
    uint32_t             unicode;

    int                  nname;        /* -1: no name is that long */
    uint8_t              name[LLM_REDACT_NAME];
};


static void llm_redact_bytes(llm_redact_t *rd, const uint8_t *p, size_t n);
static void llm_redact_byte(llm_redact_t *rd, uint8_t c);
static int llm_redact_string(llm_redact_t *rd, uint8_t c);
static void llm_redact_escape(llm_redact_t *rd, uint8_t c);
static void llm_redact_unicode(llm_redact_t *rd, uint8_t c);
static int llm_redact_value(llm_redact_t *rd, uint8_t c);
static void llm_redact_hidden(llm_redact_t *rd, uint8_t c);
static int llm_redact_nested(llm_redact_t *rd, uint8_t c);
static void llm_redact_name(llm_redact_t *rd, uint32_t c);
static int llm_redact_is_secret(const llm_redact_t *rd);


int
llm_redact_create(llm_redact_t **rd, const llm_str_t *names, size_t nnames,
    const llm_mem_t *mem, llm_sink_pt sink, void *sink_data)
{
    llm_redact_t  *redact;

    redact = mem->alloc(mem->data, sizeof(llm_redact_t));
    *rd = redact;

    if (redact == NULL) {
        return LLM_NOMEM;
    }

    memset(redact, 0, sizeof(llm_redact_t));

    redact->mem = *mem;
    redact->sink = sink;
    redact->sink_data = sink_data;
    redact->names = names;
    redact->nnames = nnames;

    return LLM_OK;
}


void
llm_redact_feed(llm_redact_t *rd, const uint8_t *p, size_t n, int last)
{
    if (n != 0) {
        llm_redact_bytes(rd, p, n);
    }

    if (last) {
        rd->state = LLM_REDACT_OUTSIDE;
    }
}


static void
llm_redact_bytes(llm_redact_t *rd, const uint8_t *p, size_t n)
{
    const uint8_t  *start, *end;

    /* start: bytes from there to p are to be handed on */

    start = p;
    end = p + n;

    while (p < end) {

        if (rd->state == LLM_REDACT_OUTSIDE) {
            p = memchr(p, '"', end - p);

            if (p == NULL) {
                p = end;
                break;
            }
        }

        if (rd->state < LLM_REDACT_VALUE) {
            llm_redact_byte(rd, *p);
            p++;
            continue;
        }

        if (rd->state == LLM_REDACT_VALUE) {

            if (!llm_redact_value(rd, *p)) {
                p++;
                continue;
            }

            /* nothing was there to hide: the byte stays */

            if (rd->state == LLM_REDACT_OUTSIDE) {
                continue;
            }

            if (p != start) {
                rd->sink(rd->sink_data, start, p - start);
            }

            rd->sink(rd->sink_data, (const uint8_t *) "\"***\"", 5);
            rd->done = 1;

            start = ++p;
            continue;
        }

        if (rd->state == LLM_REDACT_SCALAR) {

            if (*p == ',' || *p == '}' || *p == ']' || *p == '\n'
                || *p == '\r')
            {
                rd->state = LLM_REDACT_OUTSIDE;
                continue;
            }

        } else {
            llm_redact_hidden(rd, *p);
        }

        start = ++p;
    }

    if (p != start) {
        rd->sink(rd->sink_data, start, p - start);
    }
}


/* A byte that is handed on. */

static void
llm_redact_byte(llm_redact_t *rd, uint8_t c)
{
    switch (rd->state) {

    case LLM_REDACT_STRING:
        if (llm_redact_string(rd, c)) {
            llm_redact_name(rd, c);
        }

        return;

    case LLM_REDACT_ESCAPE:
        llm_redact_escape(rd, c);
        return;

    case LLM_REDACT_UNICODE:
        llm_redact_unicode(rd, c);
        return;

    case LLM_REDACT_COLON:

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            return;
        }

        if (c == ':') {
            rd->state = llm_redact_is_secret(rd) ? LLM_REDACT_VALUE
                                                 : LLM_REDACT_OUTSIDE;
            return;
        }

        break;

    default: /* LLM_REDACT_OUTSIDE */
        break;
    }

    if (c == '"') {
        rd->nname = 0;
        rd->state = LLM_REDACT_STRING;
        return;
    }

    rd->state = LLM_REDACT_OUTSIDE;
}


/* 1 if c is a character of the string */

static int
llm_redact_string(llm_redact_t *rd, uint8_t c)
{
    switch (c) {

    case '"':
        rd->state = LLM_REDACT_COLON;
        return 0;

    case '\\':
        rd->state = LLM_REDACT_ESCAPE;
        return 0;

    case '\n':
    case '\r':

        /* no JSON string has these: the quote belonged to other text */

        rd->state = LLM_REDACT_OUTSIDE;
        return 0;

    default:
        return 1;
    }
}


static void
llm_redact_escape(llm_redact_t *rd, uint8_t c)
{
    if (c == 'u') {
        rd->digits = 0;
        rd->unicode = 0;
        rd->state = LLM_REDACT_UNICODE;
        return;
    }

    /* of the others only these three can be part of a name */

    if (c == '"' || c == '\\' || c == '/') {
        llm_redact_name(rd, c);

    } else {
        rd->nname = -1;
    }

    rd->state = LLM_REDACT_STRING;
}


static void
llm_redact_unicode(llm_redact_t *rd, uint8_t c)
{
    uint8_t   lower;
    uint32_t  u;

    lower = c | 0x20;

    if (c >= '0' && c <= '9') {
        rd->unicode = rd->unicode * 16 + (c - '0');

    } else if (lower >= 'a' && lower <= 'f') {
        rd->unicode = rd->unicode * 16 + (lower - 'a' + 10);

    } else {
        rd->nname = -1;
        rd->state = LLM_REDACT_STRING;

        (void) llm_redact_string(rd, c);
        return;
    }

    if (++rd->digits < 4) {
        return;
    }

    rd->state = LLM_REDACT_STRING;
    u = rd->unicode;

    if (u < 0x80) {
        llm_redact_name(rd, u);

    } else if (u < 0x800) {
        llm_redact_name(rd, 0xc0 | u >> 6);
        llm_redact_name(rd, 0x80 | (u & 0x3f));

    } else if (u < 0xd800 || u >= 0xe000) {
        llm_redact_name(rd, 0xe0 | u >> 12);
        llm_redact_name(rd, 0x80 | ((u >> 6) & 0x3f));
        llm_redact_name(rd, 0x80 | (u & 0x3f));

    } else {
        rd->nname = -1;
    }
}


/* 0 for blanks before the value; 1 when it begins, or is missing. */

static int
llm_redact_value(llm_redact_t *rd, uint8_t c)
{
    switch (c) {

    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return 0;

    case ',':
    case '}':
    case ']':
        rd->state = LLM_REDACT_OUTSIDE;
        break;

    case '"':
        rd->state = LLM_REDACT_HIDDEN;
        rd->newline = 0;
        break;

    case '{':
    case '[':
        rd->state = LLM_REDACT_NESTED;
        rd->depth = 1;
        break;

    default:
        rd->state = LLM_REDACT_SCALAR;
        break;
    }

    return 1;
}


/* A byte that is dropped. */

static void
llm_redact_hidden(llm_redact_t *rd, uint8_t c)
{
    if (rd->state >= LLM_REDACT_NESTED) {

        if (llm_redact_nested(rd, c)) {
            rd->state = LLM_REDACT_OUTSIDE;
        }

        return;
    }

    /* a blank line ends an event, and so a string that was cut */

    if (c == '\n' && rd->newline) {
        rd->state = LLM_REDACT_OUTSIDE;
        return;
    }

    if (c != '\r') {
        rd->newline = (c == '\n');
    }

    if (rd->state == LLM_REDACT_HIDDEN_ESCAPE) {
        rd->state = LLM_REDACT_HIDDEN;

    } else if (c == '\\') {
        rd->state = LLM_REDACT_HIDDEN_ESCAPE;

    } else if (c == '"') {
        rd->state = LLM_REDACT_OUTSIDE;
    }
}


/* 1 after the last bracket */

static int
llm_redact_nested(llm_redact_t *rd, uint8_t c)
{
    switch (rd->state) {

    case LLM_REDACT_NESTED_ESCAPE:
        rd->state = LLM_REDACT_NESTED_STRING;
        return 0;

    case LLM_REDACT_NESTED_STRING:

        if (c == '\\') {
            rd->state = LLM_REDACT_NESTED_ESCAPE;

        } else if (c == '"' || c == '\n' || c == '\r') {
            rd->state = LLM_REDACT_NESTED;
        }

        return 0;

    default: /* LLM_REDACT_NESTED */
        break;
    }

    switch (c) {

    case '"':
        rd->state = LLM_REDACT_NESTED_STRING;
        return 0;

    case '{':
    case '[':
        rd->depth++;
        return 0;

    case '}':
    case ']':
        return --rd->depth == 0;

    default:
        return 0;
    }
}


static void
llm_redact_name(llm_redact_t *rd, uint32_t c)
{
    if (rd->nname == -1) {
        return;
    }

    if (rd->nname == LLM_REDACT_NAME) {
        rd->nname = -1;
        return;
    }

    if (c >= 'A' && c <= 'Z') {
        c |= 0x20;
    }

    rd->name[rd->nname++] = (uint8_t) c;
}


static int
llm_redact_is_secret(const llm_redact_t *rd)
{
    size_t  i;

    for (i = 0; i < rd->nnames; i++) {

        if (rd->nname >= 0
            && rd->names[i].len == (size_t) rd->nname
            && memcmp(rd->names[i].data, rd->name, rd->nname) == 0)
        {
            return 1;
        }
    }

    return 0;
}


int
llm_redact_done(const llm_redact_t *rd)
{
    return rd->done;
}


void
llm_redact_destroy(llm_redact_t *rd)
{
    if (rd != NULL) {
        rd->mem.free(rd->mem.data, rd);
    }
}
