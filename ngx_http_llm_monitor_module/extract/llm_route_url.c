
/*
 * Copyright (C) llm_monitor contributors
 *
 * A name of an argument is looked for after every '?', '&' and ';', also where
 * these are percent-encoded, for whole urls travel inside arguments.  The value
 * of a secret goes up to the next plain '&' (in the path: '/'), so that too
 * much is hidden rather than too little.
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_route.h"
#include "llm_percent.h"


#define LLM_ROUTE_URL_NAME  64    /* bytes; no secret's name is longer */

#define LLM_ROUTE_URL_N(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    uint8_t          *out;
    size_t            len;
    size_t            cap;
    int               full;

    const llm_str_t  *names;
    size_t            nnames;
} llm_route_url_t;


static int llm_route_url_plain(const llm_str_t *path);
static void llm_route_url_part(llm_route_url_t *u, const llm_str_t *part,
    uint8_t separator);
static int llm_route_url_char(const uint8_t *p, const uint8_t *end,
    size_t *size);
static int llm_route_url_separator(int c);
static const uint8_t *llm_route_url_name(llm_route_url_t *u, const uint8_t *p,
    const uint8_t *end);
static int llm_route_url_between(int c);
static int llm_route_url_secret(llm_route_url_t *u, const uint8_t *name,
    size_t n, size_t word);
static int llm_route_url_among(const llm_str_t *names, size_t n,
    const llm_str_t *s);
static int llm_route_url_ending(const llm_str_t *s, const llm_str_t *ending);
static const uint8_t *llm_route_url_userinfo(const uint8_t *p,
    const uint8_t *end);
static size_t llm_route_url_copy(llm_route_url_t *u, const uint8_t *p,
    const uint8_t *end);
static size_t llm_route_url_utf8(const uint8_t *p, const uint8_t *end);
static void llm_route_url_add(llm_route_url_t *u, const void *p, size_t n);


/* a name that ends so, with '-', '_' and '.' anywhere in it */

static const llm_str_t  llm_route_url_ends[] = {
    llm_str("token"),
    llm_str("secret"),
    llm_str("password"),
    llm_str("passwd"),
    llm_str("passphrase"),
    llm_str("signature"),
    llm_str("credential"),
    llm_str("credentials"),
    llm_str("authorization"),
    llm_str("assertion"),
    llm_str("bearer"),
    llm_str("apikey"),
    llm_str("accesskey"),
    llm_str("accountkey"),
    llm_str("authkey"),
    llm_str("privatekey"),
    llm_str("secretkey"),
    llm_str("subscriptionkey")
};

/* whose last word is this: "x-key" and "xKey", but no "monkey" */

static const llm_str_t  llm_route_url_words[] = {
    llm_str("key"),
    llm_str("sig"),
    llm_str("jwt"),
    llm_str("pwd"),
    llm_str("pass"),
    llm_str("auth")
};

/* where a list goes on is none */

static const llm_str_t  llm_route_url_harmless[] = {
    llm_str("pagetoken"),
    llm_str("nexttoken"),
    llm_str("continuationtoken"),
    llm_str("synctoken")
};


size_t
llm_route_url(uint8_t *out, size_t cap, const llm_str_t *path,
    const llm_str_t *query, const llm_str_t *names, size_t nnames)
{
    llm_route_url_t  u;

    u.out = out;
    u.len = 0;
    u.cap = cap;
    u.full = 0;
    u.names = names;
    u.nnames = nnames;

    if (path->len <= cap && llm_route_url_plain(path)) {
        llm_route_url_add(&u, path->data, path->len);

    } else {
        llm_route_url_part(&u, path, '/');
    }

    if (query->data != NULL && query->len != 0) {
        llm_route_url_add(&u, "?", 1);
        llm_route_url_part(&u, query, '&');
    }

    return u.len;
}


/* Whether it is written as it is: nothing to encode, no name, no "//host". */

static int
llm_route_url_plain(const llm_str_t *path)
{
    const uint8_t  *p, *end;

    /* all but printable ASCII, and what has a meaning */

    static const uint8_t  odd[256] = {
        [0 ... ' '] = 1, [0x7f ... 0xff] = 1, ['%'] = 1, ['&'] = 1,
        ['/'] = 1, [';'] = 1, ['?'] = 1
    };

    end = path->data + path->len;

    for (p = path->data; p < end; p++) {

        if (odd[*p] && (*p != '/' || (p + 1 < end && p[1] == '/'))) {
            return 0;
        }
    }

    return 1;
}


/* separator is the plain character that ends a secret in this part */

static void
llm_route_url_part(llm_route_url_t *u, const llm_str_t *part,
    uint8_t separator)
{
    int             c, before, at_name, slashes;
    size_t          size;
    const uint8_t  *p, *end, *value, *host;

    if (part->data == NULL) {
        return;
    }

    p = part->data;
    end = p + part->len;
    at_name = (separator == '&');
    before = 0;
    slashes = 0;

    while (p < end && !u->full) {

        if (at_name) {
            value = llm_route_url_name(u, p, end);
            at_name = 0;

            if (value != NULL) {

                while (p < value) {
                    p += llm_route_url_copy(u, p, end);
                }

                while (p < end && *p != separator) {
                    p++;
                }

                if (p != value) {
                    llm_route_url_add(u, "***", 3);
                }

                before = 0;
                slashes = 0;
                continue;
            }
        }

        c = llm_route_url_char(p, end, &size);

        at_name = llm_route_url_separator(c);

        slashes = (c == '/') ? slashes + (slashes || before == ':'
                                          || p == part->data) : 0;

        p += llm_route_url_copy(u, p, end);

        if (slashes == 2) {
            host = llm_route_url_userinfo(p, end);

            if (host != NULL) {
                p = host;
            }
        }

        before = c;
    }
}


/* The character at p after up to two rounds of percent-decoding. */

static int
llm_route_url_char(const uint8_t *p, const uint8_t *end, size_t *size)
{
    int  c, again;

    *size = 1;

    if (*p != '%') {
        return *p;
    }

    c = llm_percent_hex(p + 1, end);
    if (c < 0) {
        return *p;
    }

    *size = 3;

    if (c == '%') {
        again = llm_percent_hex(p + 3, end);

        if (again >= 0) {
            *size = 5;
            return again;
        }
    }

    return c;
}


static int
llm_route_url_separator(int c)
{
    return c == '&' || c == ';' || c == '?';
}


/*
 * Where the value starts if a secret's name is at p, else NULL.  Spaces and
 * control characters in a name, and what follows a '[', do not count.
 */

static const uint8_t *
llm_route_url_name(llm_route_url_t *u, const uint8_t *p, const uint8_t *end)
{
    int      c, before, index;
    size_t   n, size, word;
    uint8_t  name[LLM_ROUTE_URL_NAME];

    index = 0;
    before = 0;
    word = 0;

    for (n = 0; p < end; p += size) {
        c = llm_route_url_char(p, end, &size);

        if (c == '=') {
            return llm_route_url_secret(u, name, n, word) ? p + size : NULL;
        }

        if (llm_route_url_separator(c) || c == '/' || n == sizeof(name)) {
            return NULL;
        }

        if (c == '[') {
            index = 1;
        }

        if (c <= ' ' || c == '+' || index) {
            continue;
        }

        if (llm_route_url_between(before)
            || (c >= 'A' && c <= 'Z' && (before < 'A' || before > 'Z')))
        {
            word = n;
        }

        before = c;
        name[n++] = (uint8_t) ((c >= 'A' && c <= 'Z') ? c | 0x20 : c);
    }

    return NULL;
}


static int
llm_route_url_between(int c)
{
    return c == '-' || c == '_' || c == '.';
}


/* word is where the name's last one starts */

static int
llm_route_url_secret(llm_route_url_t *u, const uint8_t *name, size_t n,
    size_t word)
{
    size_t     i;
    llm_str_t  s, last;

    static const llm_str_t  code = llm_str("code");

    s.data = name;
    s.len = n;
    last.data = name + word;
    last.len = n - word;

    /* Azure Functions' keys; a part of a name is a language's or a country's */

    if (llm_route_url_among(&code, 1, &s)
        || llm_route_url_among(u->names, u->nnames, &s)
        || llm_route_url_among(llm_route_url_words,
                               LLM_ROUTE_URL_N(llm_route_url_words), &last))
    {
        return 1;
    }

    for (i = 0; i < LLM_ROUTE_URL_N(llm_route_url_harmless); i++) {
        if (llm_route_url_ending(&s, &llm_route_url_harmless[i])) {
            return 0;
        }
    }

    for (i = 0; i < LLM_ROUTE_URL_N(llm_route_url_ends); i++) {
        if (llm_route_url_ending(&s, &llm_route_url_ends[i])) {
            return 1;
        }
    }

    return 0;
}


static int
llm_route_url_among(const llm_str_t *names, size_t n, const llm_str_t *s)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (names[i].len == s->len
            && memcmp(names[i].data, s->data, s->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static int
llm_route_url_ending(const llm_str_t *s, const llm_str_t *ending)
{
    size_t  i, n;

    n = s->len;

    for (i = ending->len; i > 0; i--) {

        while (n > 0 && llm_route_url_between(s->data[n - 1])) {
            n--;
        }

        if (n == 0 || s->data[--n] != ending->data[i - 1]) {
            return 0;
        }
    }

    return 1;
}


/* The byte after "user:password@" if p is at one, else NULL. */

static const uint8_t *
llm_route_url_userinfo(const uint8_t *p, const uint8_t *end)
{
    int             c;
    size_t          size;
    const uint8_t  *host;

    host = NULL;

    for ( /* void */ ; p < end; p += size) {
        c = llm_route_url_char(p, end, &size);

        if (c == '@') {
            host = p + size;
        }

        if (c == '/' || c == '#' || llm_route_url_separator(c)) {
            break;
        }
    }

    return host;
}


/* Copies one character, encoded if need be; the bytes that it took. */

static size_t
llm_route_url_copy(llm_route_url_t *u, const uint8_t *p, const uint8_t *end)
{
    size_t   n;
    uint8_t  hex[3];

    static const char  digits[] = "0123456789ABCDEF";

    if (*p == '%') {
        n = (llm_percent_hex(p + 1, end) >= 0) ? 3 : 1;
        llm_route_url_add(u, p, n);
        return n;
    }

    n = llm_route_url_utf8(p, end);

    if (n != 0) {
        llm_route_url_add(u, p, n);
        return n;
    }

    hex[0] = '%';
    hex[1] = (uint8_t) digits[*p >> 4];
    hex[2] = (uint8_t) digits[*p & 0x0f];

    llm_route_url_add(u, hex, 3);

    return 1;
}


/* The length of the character at p; 0 for a control one and for no UTF-8. */

static size_t
llm_route_url_utf8(const uint8_t *p, const uint8_t *end)
{
    int       n;
    uint32_t  c;

    n = llm_utf8_decode(p, end - p, &c);

    return (n <= 0 || c <= 0x20 || (c >= 0x7f && c < 0xa0)) ? 0 : (size_t) n;
}


static void
llm_route_url_add(llm_route_url_t *u, const void *p, size_t n)
{
    if (u->full || n > u->cap - u->len) {
        u->full = 1;
        return;
    }

    memcpy(u->out + u->len, p, n);
    u->len += n;
}
