
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the scanner reports of JSON texts is what a recursive reader finds; and
 * it reports the same whatever the pieces, of texts that are cut and of what is
 * no JSON, too.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_scan.h"


#define DEPTH  12      /* the table's, and brackets around it: fewer than the
                          scanner looks into */


typedef struct {
    uint8_t    *data;
    size_t      len;
    size_t      cap;
    int         values;      /* only strings and literals are told */
    uint64_t    open;        /* bytes of pieces of the string that goes on */
} trace_t;


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    trace_t        *t;
    int             escaped;     /* a name has escapes, which it cannot read */
} naive_t;


static const llm_key_t  inner[] = {
    llm_key("a", 1),
    llm_key_text("text", 2, NULL),
    llm_key_none("z"),
    llm_key_end
};

static const llm_key_t  outer[] = {
    llm_key("a", 3),
    llm_key_in("o", 4, inner),
    llm_key_text("text", 5, inner),
    llm_key_keep("k", 6, inner),
    llm_key_pieces("p", 7, NULL),
    llm_key_end
};

static const llm_key_t  root = llm_key_in("", 0, outer);


static int value(naive_t *r, const llm_key_t *key, int depth);


static void
put(trace_t *t, const void *p, size_t n)
{
    if (t->len + n > t->cap) {
        t->cap = 2 * (t->len + n);
        t->data = realloc(t->data, t->cap);
    }

    memcpy(t->data + t->len, p, n);
    t->len += n;
}


static void
told(trace_t *t, int field, int type, const uint8_t *p, size_t n, size_t full)
{
    uint8_t  head[2] = { (uint8_t) field, (uint8_t) type };

    put(t, head, 2);
    put(t, &full, sizeof(full));

    if (p != NULL) {
        put(t, p, n);
    }
}


/*
 * A string in pieces is told by the bytes that came, which are to be as many
 * as it says in the end.
 */

static void
take(void *data, int field, const llm_scan_value_t *v)
{
    trace_t  *t = data;

    if (v->type == LLM_SCAN_PIECE) {

        if (v->full != t->open) {
            abort();
        }

        t->open += v->n;
        return;
    }

    if (v->type == LLM_SCAN_STRING && field == 7) {

        if (t->open != 0 && t->open != v->full) {
            abort();
        }

        t->open = 0;
        told(t, field, v->type, NULL, 0, v->full);
        return;
    }

    if (v->type == LLM_SCAN_STRING && (field == 2 || field == 5)) {
        told(t, field, v->type, NULL, 0, v->full);
        return;
    }

    if (v->type == LLM_SCAN_STRING || v->type == LLM_SCAN_LITERAL) {
        told(t, field, v->type, v->p, v->n, v->full);
        return;
    }

    if (v->type == LLM_SCAN_DOCUMENT) {
        t->open = 0;
    }

    if (!t->values && v->type != LLM_SCAN_TEXT) {
        told(t, field, v->type, NULL, 0, v->full);
    }
}


static void
scan(const uint8_t *data, size_t size, uint8_t step, int values, trace_t *t)
{
    size_t      n;
    uint8_t    *piece;
    llm_scan_t  s;

    memset(t, 0, sizeof(trace_t));
    t->values = values;

    llm_scan_init(&s, &root, take, t, &fuzz_mem);

    while (size) {
        piece = fuzz_piece(&data, &size, step, &n);
        llm_scan(&s, piece, n);
        free(piece);
    }

    llm_scan_end(&s);
    llm_scan_free(&s);
}


static void
blank(naive_t *r)
{
    while (r->p < r->end && *r->p != 0
           && strchr(" \t\r\n", *r->p) != NULL)
    {
        r->p++;
    }
}


/* up to the closing quote */

static int
string(naive_t *r, const uint8_t **p, size_t *n)
{
    if (r->p == r->end || *r->p != '"') {
        return 0;
    }

    *p = ++r->p;

    while (r->p < r->end && *r->p != '"') {
        r->p += (*r->p == '\\') ? 2 : 1;
    }

    if (r->p >= r->end) {
        return 0;
    }

    *n = r->p++ - *p;

    return 1;
}


static const llm_key_t *
find(const llm_key_t *key, const uint8_t *p, size_t n)
{
    if (key == NULL || key->keys == NULL || n == 0) {
        return NULL;
    }

    for (key = key->keys; key->len != 0; key++) {
        if (key->len == n && memcmp(key->text + 1, p, n) == 0) {
            return key;
        }
    }

    return NULL;
}


static int
members(naive_t *r, const llm_key_t *key, int depth, uint8_t close)
{
    size_t            n;
    const uint8_t    *p;
    const llm_key_t  *of;

    r->p++;
    blank(r);

    if (r->p < r->end && *r->p == close) {
        r->p++;
        return 1;
    }

    for ( ;; ) {
        of = key;
        blank(r);

        if (close == '}') {
            if (!string(r, &p, &n)) {
                return 0;
            }

            of = find(key, p, n);
            r->escaped |= memchr(p, '\\', n) != NULL;
            blank(r);

            if (r->p == r->end || *r->p++ != ':') {
                return 0;
            }
        }

        if (!value(r, of, depth + 1)) {
            return 0;
        }

        blank(r);

        if (r->p == r->end) {
            return 0;
        }

        if (*r->p == close) {
            r->p++;
            return 1;
        }

        if (*r->p++ != ',') {
            return 0;
        }
    }
}


static int
value(naive_t *r, const llm_key_t *key, int depth)
{
    int             field;
    size_t          n;
    const uint8_t  *p;

    blank(r);

    if (r->p == r->end || depth > DEPTH) {
        return 0;
    }

    if (*r->p == '{' || *r->p == '[') {
        return members(r, key, depth, *r->p == '{' ? '}' : ']');
    }

    field = (key != NULL) ? key->field : 0;

    if (*r->p == '"') {

        if (!string(r, &p, &n)) {
            return 0;
        }

        if (field && (key->flags & (LLM_KEY_LENGTH|LLM_KEY_PIECES))) {
            told(r->t, field, LLM_SCAN_STRING, NULL, 0, n);

        } else if (field) {
            told(r->t, field, LLM_SCAN_STRING, p,
                 n > LLM_SCAN_VALUE ? LLM_SCAN_VALUE : n, n);
        }

        return 1;
    }

    for (p = r->p; r->p < r->end && (*r->p == '-' || *r->p == '+'
                                     || *r->p == '.'
                                     || (*r->p >= '0' && *r->p <= '9')
                                     || (*r->p >= 'a' && *r->p <= 'z')
                                     || (*r->p >= 'A' && *r->p <= 'Z'));
         r->p++)
    {
        /* void */
    }

    n = r->p - p;

    if (field && n > 0 && n <= LLM_SCAN_WORD) {
        told(r->t, field, LLM_SCAN_LITERAL, p, n, n);
    }

    return n > 0;
}


static void
same(const trace_t *a, const trace_t *b)
{
    if (a->len != b->len || (a->len && memcmp(a->data, b->data, a->len) != 0))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int      json;
    size_t   cut;
    uint8_t  step, *copy;
    naive_t  r;
    trace_t  whole, parts, want;

    fuzz_allocs = SIZE_MAX;
    step = fuzz_byte(&data, &size);
    cut = fuzz_byte(&data, &size) * size / 255;

    copy = malloc(size + 1);
    memcpy(copy, data, size);

    memset(&want, 0, sizeof(want));
    r.p = copy;
    r.end = copy + size;
    r.t = &want;
    r.escaped = 0;

    for (json = 1; json && r.p < r.end; blank(&r)) {
        json = value(&r, &root, 0);
    }

    if (json && !r.escaped) {
        scan(data, size, step, 1, &parts);
        same(&parts, &want);
        free(parts.data);
    }

    scan(data, size, 0, 0, &whole);
    scan(data, size, step, 0, &parts);
    same(&parts, &whole);
    free(parts.data);
    free(whole.data);

    scan(data, cut, 0, 0, &whole);
    scan(data, cut, step, 0, &parts);
    same(&parts, &whole);
    free(parts.data);
    free(whole.data);

    free(copy);
    free(want.data);

    return 0;
}
