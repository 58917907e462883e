
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
static int llm_route_url_secret(llm_route_url_t *u, const uint8_t *name,
    size_t n);
static const uint8_t *llm_route_url_userinfo(const uint8_t *p,
    const uint8_t *end);
static size_t llm_route_url_copy(llm_route_url_t *u, const uint8_t *p,
    const uint8_t *end);
static size_t llm_route_url_utf8(const uint8_t *p, const uint8_t *end);
static void llm_route_url_add(llm_route_url_t *u, const void *p, size_t n);


static const llm_str_t  llm_route_url_secrets[] = {
    llm_str("key"),
    llm_str("api_key"),
    llm_str("apikey"),
    llm_str("api-key"),
    llm_str("x-api-key"),
    llm_str("x-goog-api-key"),
    llm_str("access_token"),
    llm_str("refresh_token"),
    llm_str("id_token"),
    llm_str("token"),
    llm_str("auth"),
    llm_str("authorization"),
    llm_str("secret"),
    llm_str("client_secret"),
    llm_str("password"),
    llm_str("passwd"),
    llm_str("signature"),
    llm_str("sig"),
    llm_str("x-amz-signature"),
    llm_str("x-amz-credential"),
    llm_str("x-amz-security-token"),
    llm_str("x-goog-signature"),
    llm_str("x-goog-credential")
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
    int      c, index;
    size_t   n, size;
    uint8_t  name[LLM_ROUTE_URL_NAME];

    index = 0;

    for (n = 0; p < end; p += size) {
        c = llm_route_url_char(p, end, &size);

        if (c == '=') {
            return llm_route_url_secret(u, name, n) ? p + size : NULL;
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

        name[n++] = (uint8_t) ((c >= 'A' && c <= 'Z') ? c | 0x20 : c);
    }

    return NULL;
}


static int
llm_route_url_secret(llm_route_url_t *u, const uint8_t *name, size_t n)
{
    size_t            i, count;
    const llm_str_t  *s;

    count = sizeof(llm_route_url_secrets) / sizeof(llm_route_url_secrets[0]);

    for (i = 0; i < count + u->nnames; i++) {
        s = (i < count) ? &llm_route_url_secrets[i] : &u->names[i - count];

        if (s->len == n && memcmp(s->data, name, n) == 0) {
            return 1;
        }
    }

    return 0;
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
