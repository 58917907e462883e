
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_pull.h"


static const uint8_t *llm_pull_skip(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_pull_string(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_pull_blanks(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_pull_escape(const uint8_t *p, const uint8_t *end,
    llm_buf_t *out);
static int llm_pull_unicode(const uint8_t *p, const uint8_t *end,
    uint32_t *c);
static void llm_pull_utf8(llm_buf_t *out, uint32_t c);


void
llm_pull_open(llm_pull_t *it, const llm_str_t *value)
{
    it->p = value->data;
    it->end = (value->data == NULL) ? NULL : value->data + value->len;
    it->keys = llm_pull_is(value, '{');

    if (it->keys || llm_pull_is(value, '[')) {
        it->p++;

    } else {
        it->p = it->end;
    }
}


int
llm_pull_next(llm_pull_t *it, llm_str_t *key, llm_str_t *value)
{
    const uint8_t  *p, *end;

    end = it->end;
    p = llm_pull_blanks(it->p, end);

    if (p == end || *p == '}' || *p == ']') {
        it->p = end;
        return 0;
    }

    if (it->keys) {

        if (*p != '"') {
            it->p = end;
            return 0;
        }

        it->p = llm_pull_string(p, end);

        if (key != NULL) {
            key->data = p + 1;
            key->len = it->p - p - 1;

            if (key->len && it->p[-1] == '"') {
                key->len--;
            }
        }

        p = llm_pull_blanks(it->p, end);

        if (p == end || *p != ':') {
            it->p = end;
            return 0;
        }

        p = llm_pull_blanks(p + 1, end);

        if (p == end) {
            it->p = end;
            return 0;
        }
    }

    it->p = llm_pull_skip(p, end);

    value->data = p;
    value->len = it->p - p;

    return value->len != 0;
}


int
llm_pull_value(llm_str_t *text, llm_str_t *value)
{
    llm_pull_t  it;

    it.p = text->data;
    it.end = text->data + text->len;
    it.keys = 0;

    if (!llm_pull_next(&it, NULL, value)) {
        text->data = it.end;
        text->len = 0;
        return 0;
    }

    text->data = it.p;
    text->len = it.end - it.p;

    return 1;
}


int
llm_pull_get(const llm_str_t *value, const char *path, llm_str_t *out)
{
    int          found;
    size_t       n;
    llm_str_t    v, key;
    const char  *dot;
    llm_pull_t   it;

    v = *value;

    for ( ;; ) {
        dot = strchr(path, '.');
        n = (dot == NULL) ? strlen(path) : (size_t) (dot - path);

        llm_pull_open(&it, &v);

        if (!it.keys) {
            break;
        }

        found = 0;

        while (!found && llm_pull_next(&it, &key, &v)) {
            found = (key.len == n && memcmp(key.data, path, n) == 0);
        }

        if (!found || llm_pull_is(&v, 'n')) {
            break;
        }

        if (dot == NULL) {
            *out = v;
            return 1;
        }

        path = dot + 1;
    }

    out->data = NULL;
    out->len = 0;

    return 0;
}


int
llm_pull_is(const llm_str_t *value, char first)
{
    return value->len != 0 && value->data[0] == (uint8_t) first;
}


int
llm_pull_equal(const llm_str_t *value, const char *text)
{
    size_t  n;

    n = strlen(text);

    return value->len == n + 2 && value->data[0] == '"'
           && memcmp(value->data + 1, text, n) == 0;
}


int64_t
llm_pull_number(const llm_str_t *value, int64_t absent)
{
    size_t   i;
    int64_t  n;

    n = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9' || i == 18) {
            return absent;
        }

        n = n * 10 + (value->data[i] - '0');
    }

    return (i == 0) ? absent : n;
}


/* Where the value at p ends: at end for one that is not whole. */

static const uint8_t *
llm_pull_skip(const uint8_t *p, const uint8_t *end)
{
    int  depth;

    if (*p == '"') {
        return llm_pull_string(p, end);
    }

    if (*p != '{' && *p != '[') {

        while (p < end && *p != ',' && *p != '}' && *p != ']' && *p > ' ') {
            p++;
        }

        return p;
    }

    depth = 0;

    while (p < end) {

        switch (*p) {

        case '"':
            p = llm_pull_string(p, end);
            continue;

        case '{':
        case '[':
            if (++depth > LLM_PULL_DEPTH) {
                return end;
            }

            break;

        case '}':
        case ']':
            if (--depth == 0) {
                return p + 1;
            }

            break;

        default:
            break;
        }

        p++;
    }

    return end;
}


/* The byte after the string at p, or end. */

static const uint8_t *
llm_pull_string(const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *quote, *back;

    p++;

    while (p < end) {
        quote = memchr(p, '"', end - p);

        if (quote == NULL) {
            return end;
        }

        for (back = quote; back > p && back[-1] == '\\'; back--) { /* void */ }

        if ((quote - back) % 2 == 0) {
            return quote + 1;
        }

        p = quote + 1;
    }

    return end;
}


/* Over blanks and commas, for what is between values does not matter here. */

static const uint8_t *
llm_pull_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'
               || *p == ','))
    {
        p++;
    }

    return p;
}


void
llm_pull_text(const llm_str_t *value, llm_buf_t *out)
{
    const uint8_t  *p, *end, *back;

    if (!llm_pull_is(value, '"')) {
        return;
    }

    p = value->data + 1;
    end = value->data + value->len;

    while (p < end) {

        for (back = p; back < end && *back != '\\' && *back != '"'; back++) {
            /* void */
        }

        if (back != p) {
            llm_buf_add(out, p, back - p);
        }

        if (back == end || *back == '"') {
            return;
        }

        p = llm_pull_escape(back + 1, end, out);
    }
}


/* p is after the backslash; returns what follows the escape. */

static const uint8_t *
llm_pull_escape(const uint8_t *p, const uint8_t *end, llm_buf_t *out)
{
    uint8_t      one;
    uint32_t     c, low;
    const char  *found;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    if (p == end) {
        return end;
    }

    if (*p != 'u') {
        found = (*p == '\0') ? NULL : strchr(from, *p);
        one = (found == NULL) ? *p : (uint8_t) to[found - from];
        llm_buf_add(out, &one, 1);

        return p + 1;
    }

    p++;

    if (!llm_pull_unicode(p, end, &c)) {

        /* an escape that was cut has no character */

        return (end - p < 4) ? end : p;
    }

    p += 4;

    if (c >= 0xd800 && c < 0xdc00
        && end - p >= 6 && p[0] == '\\' && p[1] == 'u'
        && llm_pull_unicode(p + 2, end, &low)
        && low >= 0xdc00 && low < 0xe000)
    {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        p += 6;

    } else if (c >= 0xd800 && c < 0xe000) {
        c = 0xfffd;
    }

    llm_pull_utf8(out, c);

    return p;
}


static int
llm_pull_unicode(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    int       i;
    uint8_t   ch;
    uint32_t  v;

    if (end - p < 4) {
        return 0;
    }

    v = 0;

    for (i = 0; i < 4; i++) {
        ch = p[i] | 0x20;

        if (p[i] >= '0' && p[i] <= '9') {
            v = v * 16 + (p[i] - '0');

        } else if (ch >= 'a' && ch <= 'f') {
            v = v * 16 + (ch - 'a' + 10);

        } else {
            return 0;
        }
    }

    *c = v;

    return 1;
}


static void
llm_pull_utf8(llm_buf_t *out, uint32_t c)
{
    size_t   n;
    uint8_t  p[4];

    n = 0;

    if (c < 0x80) {
        p[n++] = (uint8_t) c;

    } else if (c < 0x800) {
        p[n++] = (uint8_t) (0xc0 | c >> 6);
        p[n++] = (uint8_t) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        p[n++] = (uint8_t) (0xe0 | c >> 12);
        p[n++] = (uint8_t) (0x80 | ((c >> 6) & 0x3f));
        p[n++] = (uint8_t) (0x80 | (c & 0x3f));

    } else {
        p[n++] = (uint8_t) (0xf0 | c >> 18);
        p[n++] = (uint8_t) (0x80 | ((c >> 12) & 0x3f));
        p[n++] = (uint8_t) (0x80 | ((c >> 6) & 0x3f));
        p[n++] = (uint8_t) (0x80 | (c & 0x3f));
    }

    llm_buf_add(out, p, n);
}
