
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_bytes.h"
#include "llm_scan.h"
#include "llm_scan_key.h"


/* states between two pieces */

enum {
    LLM_SCAN_BETWEEN = 0,
    LLM_SCAN_IN_STRING,
    LLM_SCAN_IN_WORD,
    LLM_SCAN_IN_SKIP,
    LLM_SCAN_IN_SKIP_STRING
};

/* what a byte outside of strings is */

#define LLM_C_BLANK   1
#define LLM_C_QUOTE   2
#define LLM_C_OPEN    3
#define LLM_C_CLOSE   4
#define LLM_C_COMMA   5
#define LLM_C_COLON   6
#define LLM_C_RECORD  7    /* RFC 7464: begins a text of a JSON sequence */


static const uint8_t *llm_scan_next(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static const uint8_t *llm_scan_members(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static inline const uint8_t *llm_scan_blanks(const uint8_t *p,
    const uint8_t *end);
static inline const uint8_t *llm_scan_scalar(llm_scan_t *s,
    const llm_key_t *key, const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_scan_begin(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static const uint8_t *llm_scan_string(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static const uint8_t *llm_scan_quote(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static void llm_scan_string_done(llm_scan_t *s, const uint8_t *p, size_t n);
static inline void llm_scan_string_value(llm_scan_t *s, const uint8_t *p,
    size_t n);
static const uint8_t *llm_scan_word(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static inline void llm_scan_word_value(llm_scan_t *s, const uint8_t *p,
    size_t n);
static inline const uint8_t *llm_scan_open(llm_scan_t *s, const uint8_t *p);
static void llm_scan_close(llm_scan_t *s, const uint8_t *p);
static const uint8_t *llm_scan_skip(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static void llm_scan_document(llm_scan_t *s, int cut);
static inline int llm_scan_is_value(llm_scan_t *s);
static void llm_scan_carry(llm_scan_t *s, const uint8_t *p, size_t n);
static void llm_scan_keep_flush(llm_scan_t *s, const uint8_t *p);
static void llm_scan_keep_cut(llm_scan_t *s, const uint8_t *p,
    const uint8_t *end);
static LLM_APART void llm_scan_hole(llm_scan_t *s, const uint8_t *p, size_t n,
    int number);
static void llm_scan_tell(llm_scan_t *s, int field, llm_scan_e type,
    const uint8_t *p, size_t n, size_t full);


static const uint8_t  llm_scan_class[256] = {
    [' '] = LLM_C_BLANK, ['\t'] = LLM_C_BLANK, ['\r'] = LLM_C_BLANK,
    ['\n'] = LLM_C_BLANK, ['"'] = LLM_C_QUOTE, ['{'] = LLM_C_OPEN,
    ['['] = LLM_C_OPEN, ['}'] = LLM_C_CLOSE, [']'] = LLM_C_CLOSE,
    [','] = LLM_C_COMMA, [':'] = LLM_C_COLON, [0x1e] = LLM_C_RECORD
};


void
llm_scan_init(llm_scan_t *s, const llm_key_t *root, llm_scan_pt fn,
    void *data, const llm_mem_t *mem)
{
    memset(s, 0, offsetof(llm_scan_t, stack));

    s->root = root;
    s->key = root;
    s->fn = fn;
    s->data = data;
    s->mem = mem;
}


void
llm_scan(llm_scan_t *s, const uint8_t *p, size_t n)
{
    const uint8_t  *end;

    end = p + n;

    if (s->keep) {
        s->keep_from = p;
    }

    while (p < end) {

        switch (s->state) {

        case LLM_SCAN_IN_STRING:
            p = llm_scan_string(s, p, end);
            break;

        case LLM_SCAN_IN_WORD:
            p = llm_scan_word(s, p, end);
            break;

        case LLM_SCAN_IN_SKIP:
        case LLM_SCAN_IN_SKIP_STRING:
            p = llm_scan_skip(s, p, end);
            break;

        default:
            p = llm_scan_next(s, p, end);
        }
    }

    if (s->keep) {
        llm_scan_keep_flush(s, end);
    }
}


static const uint8_t *
llm_scan_next(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q;

    while (p < end) {

        switch (llm_scan_class[*p]) {

        case LLM_C_BLANK:
            p = llm_scan_blanks(p, end);
            break;

        case LLM_C_COMMA:
            s->value = 0;
            p++;
            break;

        case LLM_C_COLON:
            s->value = 1;
            p++;
            break;

        case LLM_C_QUOTE:
            if (s->level != NULL && !s->level->array && !s->value) {
                q = llm_scan_members(s, p, end);

                if (s->state != LLM_SCAN_BETWEEN) {
                    return q;
                }

                if (q != p) {
                    p = q;
                    break;
                }
            }

            p = llm_scan_begin(s, p + 1, end);
            break;

        case LLM_C_OPEN:
            p = llm_scan_open(s, p);

            if (s->state != LLM_SCAN_BETWEEN) {
                return p;
            }

            break;

        case LLM_C_CLOSE:
            llm_scan_close(s, p++);
            break;

        case LLM_C_RECORD:
            llm_scan_end(s);
            p++;
            break;

        default:
            s->state = LLM_SCAN_IN_WORD;
            s->inside = 1;
            s->len = 0;
            p = llm_scan_word(s, p, end);
        }
    }

    return p;
}


/*
 * Reads members of objects as long as each is here as a whole, as nearly all
 * are.  What is left at the place that is returned is for others, who find the
 * state that they would have left there themselves.
 */

static const uint8_t *
llm_scan_members(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t     *q;
    const llm_key_t   *key;
    llm_scan_level_t  *level;

    level = s->level;

    while (p < end) {

        if (*p != '"') {

            if (llm_scan_class[*p] != LLM_C_BLANK) {
                return p;
            }

            p = llm_scan_blanks(p, end);
            continue;
        }

        q = llm_scan_key_next(level, &key, p, end);

        if (q == NULL) {
            q = llm_bytes_quote(p + 1, end);

            if (q == NULL || q[-1] == '\\' || end - q < 4 || q[1] != ':') {
                return p;
            }

            key = llm_scan_key(level, p + 1, q - p - 1);
            q += 2;
        }

        s->key = key;
        p = *q == ' ' ? q + 1 : q;

        q = llm_scan_scalar(s, key, p, end);

        if (q == NULL) {
            s->value = 1;

            if (*p != '{') {
                return p;
            }

            p = llm_scan_open(s, p);

            if (s->state != LLM_SCAN_BETWEEN) {
                return p;
            }

            level = s->level;
            continue;
        }

        p = q;

        if (p < end && *p == ',') {
            p++;
        }
    }

    return p;
}


/* Many answers are indented; p is at a blank. */

static inline const uint8_t *
llm_scan_blanks(const uint8_t *p, const uint8_t *end)
{
    do {
        p++;
    } while (p < end && llm_scan_class[*p] == LLM_C_BLANK);

    return p;
}


/* Behind the string or word at p, or NULL: it is not that, or goes on. */

static inline const uint8_t *
llm_scan_scalar(llm_scan_t *s, const llm_key_t *key, const uint8_t *p,
    const uint8_t *end)
{
    const uint8_t  *q;

    if (*p == '"') {
        q = llm_bytes_value(p + 1, end);

        if (q == NULL || q[-1] == '\\'
            || (s->keep && q - p > LLM_SCAN_KEEP))
        {
            return NULL;
        }

        if (key != NULL || s->holes != NULL) {
            llm_scan_string_value(s, p + 1, q - p - 1);
        }

        return q + 1;
    }

    for (q = p; q < end && llm_scan_class[*q] == 0; q++) { /* void */ }

    if (q == p || q == end) {
        return NULL;
    }

    if (key != NULL || s->holes != NULL) {
        llm_scan_word_value(s, p, q - p);
    }

    return q;
}


/* p is at the first byte of a string: nearly all are here as a whole */

static const uint8_t *
llm_scan_begin(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q;

    s->inside = 1;

    q = llm_bytes_quote(p, end);

    if (q == NULL || q[-1] == '\\' || (s->keep && q - p > LLM_SCAN_KEEP)) {
        s->state = LLM_SCAN_IN_STRING;
        s->len = 0;

        return llm_scan_string(s, p, end);
    }

    llm_scan_string_done(s, p, q - p);

    return q + 1;
}


/* p is inside of a string */

static const uint8_t *
llm_scan_string(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    size_t          n;
    const uint8_t  *q;

    q = llm_scan_quote(s, p, end);

    if (q == NULL) {
        n = end - p;

        if (s->keep && s->len + n > LLM_SCAN_KEEP) {
            llm_scan_keep_cut(s, p, end);
        }

        llm_scan_carry(s, p, n);
        s->len += n;

        return end;
    }

    n = q - p;

    if (s->keep && s->len + n > LLM_SCAN_KEEP) {
        llm_scan_keep_cut(s, p, q);
    }

    if (s->len == 0) {
        s->state = LLM_SCAN_BETWEEN;
        llm_scan_string_done(s, p, n);
        return q + 1;
    }

    llm_scan_carry(s, p, n);
    n += s->len;
    s->state = LLM_SCAN_BETWEEN;

    llm_scan_string_done(s, s->carry, n);

    if (s->carry != NULL) {
        s->mem->free(s->mem->data, s->carry);
        s->carry = NULL;
    }

    return q + 1;
}


/*
 * The quote that ends the string, or NULL.  A quote counts if an even number
 * of backslashes stands before it; a run of them is looked at once only.
 */

static const uint8_t *
llm_scan_quote(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t  *q, *b;

    if (p < end && s->odd) {
        s->odd = 0;
        p++;
    }

    for (q = p; q < end; q++) {

        q = memchr(q, '"', end - q);

        if (q == NULL) {
            break;
        }

        for (b = q; b > p && b[-1] == '\\'; b--) { /* void */ }

        if (((q - b) & 1) == 0) {
            return q;
        }
    }

    for (b = end; b > p && b[-1] == '\\'; b--) { /* void */ }

    s->odd = (end - b) & 1;

    return NULL;
}


/* a string of n bytes ends; p is NULL if they were not kept */

static void
llm_scan_string_done(llm_scan_t *s, const uint8_t *p, size_t n)
{
    if (llm_scan_is_value(s)) {
        llm_scan_string_value(s, p, n);
        s->value = 0;

        if (s->level == NULL) {
            llm_scan_document(s, 0);
        }

        return;
    }

    s->key = llm_scan_key(s->level, p, p == NULL ? 0 : n);
}


static inline void
llm_scan_string_value(llm_scan_t *s, const uint8_t *p, size_t n)
{
    size_t  reported;

    if (s->holes != NULL
        && (s->key == NULL || s->key->field == 0
            || (s->key->flags & LLM_KEY_LENGTH)))
    {
        llm_scan_hole(s, p, n, 0);
    }

    if (s->key != NULL && s->key->field) {
        reported = p == NULL ? 0
                   : n > LLM_SCAN_VALUE && !(s->key->flags & LLM_KEY_PIECES)
                   ? LLM_SCAN_VALUE : n;

        llm_scan_tell(s, s->key->field, LLM_SCAN_STRING, p, reported, n);
    }
}


/* whether the string or word that ends now is a value, and not a key */

static inline int
llm_scan_is_value(llm_scan_t *s)
{
    if (s->level == NULL) {
        s->key = s->root;
        return 1;
    }

    if (s->level->array) {
        s->key = s->level->key;
        s->level->count++;
        return 1;
    }

    return s->value;
}


static const uint8_t *
llm_scan_word(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    size_t          n;
    const uint8_t  *q;

    for (q = p; q < end && llm_scan_class[*q] == 0; q++) { /* void */ }

    n = q - p;

    if (q == end) {
        llm_scan_carry(s, p, n);
        s->len += n;

        return end;
    }

    s->state = LLM_SCAN_BETWEEN;

    if (s->len != 0) {
        llm_scan_carry(s, p, n);
        n += s->len;
        p = s->carry;
    }

    if (llm_scan_is_value(s)) {
        llm_scan_word_value(s, p, n);
        s->value = 0;

        if (s->level == NULL) {
            llm_scan_document(s, 0);
        }
    }

    if (s->carry != NULL) {
        s->mem->free(s->mem->data, s->carry);
        s->carry = NULL;
    }

    return q;
}


static inline void
llm_scan_word_value(llm_scan_t *s, const uint8_t *p, size_t n)
{
    if (s->holes != NULL && (s->key == NULL || s->key->field == 0)) {
        llm_scan_hole(s, p, n, 1);
    }

    if (s->key != NULL && s->key->field && p != NULL && n <= LLM_SCAN_WORD) {
        llm_scan_tell(s, s->key->field, LLM_SCAN_LITERAL, p, n, n);
    }
}


static inline const uint8_t *
llm_scan_open(llm_scan_t *s, const uint8_t *p)
{
    int                array;
    const llm_key_t   *key;
    llm_scan_level_t  *level;

    s->inside = 1;
    array = *p == '[';

    if (!llm_scan_is_value(s)) {
        s->key = NULL;
    }

    key = s->key;
    s->value = 0;

    if (key == NULL || (key->keys == NULL && key->field == 0)
        || s->depth == LLM_SCAN_DEPTH)
    {
        s->state = LLM_SCAN_IN_SKIP;
        s->skip = 1;
        return p + 1;
    }

    level = &s->stack[s->depth++];
    s->level = level;
    level->key = key;
    level->next = 0;
    level->count = 0;
    level->array = array;

    s->key = NULL;

    if (!array && (key->flags & LLM_KEY_KEEP) && s->keep == 0) {
        s->keep = s->depth;
        s->keep_from = p;
    }

    if (key->field) {
        llm_scan_tell(s, key->field, array ? LLM_SCAN_ARRAY : LLM_SCAN_OBJECT,
                      NULL, 0, 0);
    }

    return p + 1;
}


static void
llm_scan_close(llm_scan_t *s, const uint8_t *p)
{
    llm_scan_level_t  *level;

    s->value = 0;

    level = s->level;

    if (level == NULL) {
        return;
    }

    if (s->keep == s->depth) {
        llm_scan_keep_flush(s, p + 1);
        s->keep = 0;
    }

    s->depth--;
    s->level = s->depth != 0 ? level - 1 : NULL;

    if (level->key->field) {
        llm_scan_tell(s, level->key->field,
                      level->array ? LLM_SCAN_ARRAY_END : LLM_SCAN_OBJECT_END,
                      NULL, 0, level->count);
    }

    if (s->depth == 0) {
        if (!level->array || level->count == 0) {
            llm_scan_document(s, 0);
        }

        s->inside = 0;
        s->closed = 1;

    } else if (s->depth == 1 && s->stack[0].array && !level->array) {
        llm_scan_document(s, 0);
    }
}


/* passes over what is inside of a bracket that nobody asks for */

static const uint8_t *
llm_scan_skip(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    while (p < end) {

        if (s->state == LLM_SCAN_IN_SKIP_STRING) {
            p = llm_scan_quote(s, p, end);

            if (p == NULL) {
                return end;
            }

            s->state = LLM_SCAN_IN_SKIP;
            p++;
            continue;
        }

        switch (llm_scan_class[*p++]) {

        case LLM_C_QUOTE:
            s->state = LLM_SCAN_IN_SKIP_STRING;
            break;

        case LLM_C_OPEN:
            s->skip++;
            break;

        case LLM_C_CLOSE:
            if (--s->skip == 0) {
                s->state = LLM_SCAN_BETWEEN;
                return p;
            }

            break;

        case LLM_C_RECORD:
            llm_scan_end(s);
            return p;
        }
    }

    return p;
}


static void
llm_scan_document(llm_scan_t *s, int cut)
{
    llm_scan_tell(s, 0, LLM_SCAN_DOCUMENT, NULL, 0, cut);

    if (s->depth == 0) {
        s->closed = !cut;
        s->inside = 0;
    }
}


void
llm_scan_end(llm_scan_t *s)
{
    static const uint8_t  blank = ' ';

    if (s->state == LLM_SCAN_IN_WORD && s->depth == 0) {
        /* nothing but the end tells that a word was complete */
        (void) llm_scan_word(s, &blank, &blank + 1);
    }

    if (s->inside && s->depth != 0) {
        s->depth = 0;
        llm_scan_document(s, 1);
    }

    llm_scan_free(s);

    s->key = s->root;
    s->state = LLM_SCAN_BETWEEN;
    s->inside = 0;
    s->value = 0;
    s->level = NULL;
    s->depth = 0;
    s->keep = 0;
    s->odd = 0;
}


void
llm_scan_free(llm_scan_t *s)
{
    if (s->carry != NULL) {
        s->mem->free(s->mem->data, s->carry);
        s->carry = NULL;
    }
}


/* keeps the beginning of a token that goes on in the next piece */

static void
llm_scan_carry(llm_scan_t *s, const uint8_t *p, size_t n)
{
    size_t  max;
    int     value;

    if (n == 0) {
        return;
    }

    value = s->value || s->level == NULL || s->level->array;

    if (s->len == 0 && value) {

        if (s->level == NULL) {
            s->key = s->root;

        } else if (s->level->array) {
            s->key = s->level->key;
        }

        if (s->key == NULL || s->key->field == 0) {
            return;
        }
    }

    /* a name is kept as far as it is looked at, escapes and all */

    max = (s->state == LLM_SCAN_IN_STRING) ? LLM_SCAN_NAME : LLM_SCAN_WORD;

    if (value && s->state == LLM_SCAN_IN_STRING) {

        if (s->key != NULL && (s->key->flags & LLM_KEY_PIECES)) {
            llm_scan_tell(s, s->key->field, LLM_SCAN_PIECE, p, n, s->len);
            return;
        }

        if (s->key != NULL && (s->key->flags & LLM_KEY_LENGTH)) {
            return;
        }

        max = LLM_SCAN_VALUE;
    }

    if (s->carry == NULL) {

        if (s->len != 0) {
            return;
        }

        s->carry = s->mem->alloc(s->mem->data, max);
        if (s->carry == NULL) {
            return;
        }
    }

    if (s->len >= max) {
        return;
    }

    if (n > max - s->len) {
        n = max - s->len;
    }

    memcpy(s->carry + s->len, p, n);
}


/* hands on what has not been of the kept object */

static void
llm_scan_keep_flush(llm_scan_t *s, const uint8_t *p)
{
    if (p > s->keep_from) {
        llm_scan_tell(s, s->stack[s->keep - 1].key->field, LLM_SCAN_TEXT,
                      s->keep_from, p - s->keep_from, 0);
    }

    s->keep_from = p;
}


/* the string from p to end has grown too long for what is kept */

static void
llm_scan_keep_cut(llm_scan_t *s, const uint8_t *p, const uint8_t *end)
{
    if (s->len <= LLM_SCAN_KEEP) {
        llm_scan_keep_flush(s, p + LLM_SCAN_KEEP - s->len);
        llm_scan_tell(s, s->stack[s->keep - 1].key->field, LLM_SCAN_TEXT,
                      NULL, 0, 1);
    }

    s->keep_from = end;
}


static LLM_APART void
llm_scan_hole(llm_scan_t *s, const uint8_t *p, size_t n, int number)
{
    llm_scan_hole_t  *hole;

    if (s->holes->n == LLM_SCAN_HOLES) {
        s->holes->overflow = 1;
        return;
    }

    hole = &s->holes->hole[s->holes->n++];

    hole->p = p;
    hole->n = n;
    hole->text = s->key != NULL && (s->key->flags & LLM_KEY_LENGTH);
    hole->number = number;
}


static void
llm_scan_tell(llm_scan_t *s, int field, llm_scan_e type, const uint8_t *p,
    size_t n, size_t full)
{
    llm_scan_value_t  v;

    v.type = type;
    v.p = p;
    v.n = n;
    v.full = full;

    s->fn(s->data, field, &v);
}
