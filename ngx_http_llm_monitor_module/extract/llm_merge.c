
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_merge.h"


typedef struct {
    llm_str_t    key;            /* with its quotes */
    llm_str_t    value;
} llm_merge_member_t;

typedef struct {
    uint8_t     *dst;
    size_t       len;
    size_t       cap;
    int          full;
} llm_merge_out_t;


static int llm_merge_read(llm_merge_member_t *members, const llm_str_t *text);
static const uint8_t *llm_merge_blank(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_merge_value(const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_merge_string(const uint8_t *p, const uint8_t *end);
static llm_merge_member_t *llm_merge_find(llm_merge_member_t *members, int n,
    const llm_str_t *key);
static int llm_merge_replaces(const llm_merge_member_t *m);
static int llm_merge_same(const llm_str_t *s, const char *text);
static void llm_merge_put(llm_merge_out_t *out, const llm_merge_member_t *m);
static void llm_merge_add(llm_merge_out_t *out, const void *p, size_t n);


size_t
llm_merge(uint8_t *dst, size_t cap, const llm_str_t *old,
    const llm_str_t *add)
{
    int                  i, nold, nadd;
    llm_merge_out_t      out;
    llm_merge_member_t   was[LLM_MERGE_KEYS], is[LLM_MERGE_KEYS], *m;

    nold = llm_merge_read(was, old);
    nadd = llm_merge_read(is, add);

    if (nold < 0 || nadd < 0) {
        return 0;
    }

    out.dst = dst;
    out.len = 0;
    out.cap = cap;
    out.full = 0;

    llm_merge_add(&out, "{", 1);

    for (i = 0; i < nold; i++) {
        m = llm_merge_find(is, nadd, &was[i].key);
        llm_merge_put(&out, m != NULL && llm_merge_replaces(m) ? m : &was[i]);
    }

    for (i = 0; i < nadd; i++) {
        if (llm_merge_find(was, nold, &is[i].key) == NULL) {
            llm_merge_put(&out, &is[i]);
        }
    }

    llm_merge_add(&out, "}", 1);

    return out.full ? 0 : out.len;
}


/* The members of an object, or -1. */

static int
llm_merge_read(llm_merge_member_t *members, const llm_str_t *text)
{
    int                  n;
    const uint8_t       *p, *end;
    llm_merge_member_t  *m;

    end = text->data + text->len;
    p = llm_merge_blank(text->data, end);

    if (p == end || *p != '{') {
        return -1;
    }

    p = llm_merge_blank(p + 1, end);

    for (n = 0; p < end && *p == '"'; n++) {

        if (n == LLM_MERGE_KEYS) {
            return -1;
        }

        m = &members[n];

        m->key.data = p;
        p = llm_merge_string(p, end);
        m->key.len = p - m->key.data;

        p = llm_merge_blank(p, end);

        if (p == end || *p != ':') {
            return -1;
        }

        p = llm_merge_blank(p + 1, end);

        m->value.data = p;
        p = llm_merge_value(p, end);
        m->value.len = p - m->value.data;

        p = llm_merge_blank(p, end);

        if (m->value.len == 0 || p == end) {
            return -1;
        }

        if (*p == ',') {
            p = llm_merge_blank(p + 1, end);
        }
    }

    return p < end && *p == '}' ? n : -1;
}


static const uint8_t *
llm_merge_blank(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
    }

    return p;
}


/* behind the value at p */

static const uint8_t *
llm_merge_value(const uint8_t *p, const uint8_t *end)
{
    int  depth;

    for (depth = 0; p < end; /* void */ ) {

        switch (*p) {

        case '"':
            p = llm_merge_string(p, end);
            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return p;
            }

            depth--;
            break;

        case ',':
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            if (depth == 0) {
                return p;
            }

            break;
        }

        p++;
    }

    return p;
}


/* behind the string that begins at p */

static const uint8_t *
llm_merge_string(const uint8_t *p, const uint8_t *end)
{
    for (p++; p < end; p++) {

        if (*p == '"') {
            return p + 1;
        }

        p += *p == '\\' && p + 1 < end;
    }

    return end;
}


static llm_merge_member_t *
llm_merge_find(llm_merge_member_t *members, int n, const llm_str_t *key)
{
    int  i;

    for (i = 0; i < n; i++) {
        if (members[i].key.len == key->len
            && memcmp(members[i].key.data, key->data, key->len) == 0)
        {
            return &members[i];
        }
    }

    return NULL;
}


/* relays put zeros where they do not know, but no output may be true */

static int
llm_merge_replaces(const llm_merge_member_t *m)
{
    if (llm_merge_same(&m->value, "null")) {
        return 0;
    }

    return !llm_merge_same(&m->value, "0")
           || llm_merge_same(&m->key, "\"output_tokens\"");
}


static int
llm_merge_same(const llm_str_t *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->data, text, s->len) == 0;
}


static void
llm_merge_put(llm_merge_out_t *out, const llm_merge_member_t *m)
{
    if (out->len > 1) {
        llm_merge_add(out, ",", 1);
    }

    llm_merge_add(out, m->key.data, m->key.len);
    llm_merge_add(out, ":", 1);
    llm_merge_add(out, m->value.data, m->value.len);
}


static void
llm_merge_add(llm_merge_out_t *out, const void *p, size_t n)
{
    if (out->full || n > out->cap - out->len) {
        out->full = 1;
        return;
    }

    memcpy(out->dst + out->len, p, n);
    out->len += n;
}
