
/*
 * Copyright (C) llm_monitor contributors
 *
 * The scanner at every split: what it reports, what it passes over, and that
 * nothing makes it grow.
 */


#include <stdlib.h>

#include "tap.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_scan.h"


static char    trace[20000], kept[1000];
static size_t  len, nkept, most, used;


static void *
mem_alloc(void *data, size_t size)
{
    used += size;
    most = used > most ? used : most;

    return malloc(size);
}


static void
mem_free(void *data, void *p)
{
    used = 0;
    free(p);
}


static const llm_mem_t  mem = { mem_alloc, mem_free, NULL };

static char        whole[100000];
static size_t      nwhole;

static const llm_key_t  inner[] = {
    llm_key("n", 3),
    llm_key_text("t", 4, NULL),
    llm_key_end
};

static const llm_key_t  keys[] = {
    llm_key("a", 1),
    llm_key_in("list", 2, inner),
    llm_key_keep("kept", 5, inner),
    llm_key_in("in", 0, keys),
    llm_key_pieces("whole", 6, NULL),
    llm_key_end
};

static const llm_key_t  root = llm_key_in("", 9, keys);


static void
put(const char *text, size_t n)
{
    if (len + n < sizeof(trace)) {
        memcpy(trace + len, text, n);
        len += n;
    }
}


static void
take(void *data, int field, const llm_scan_value_t *v)
{
    int   n;
    char  head[64];

    static const char  *names[] = { "", "s", "l", "{", "}", "[", "]", "", ";" };

    if (v->type == LLM_SCAN_TEXT) {
        memcpy(kept + nkept, v->p, v->n);
        nkept += v->n;
        return;
    }

    n = sprintf(head, "%d%s", field, names[v->type]);
    put(head, n);

    if (field == 5 && v->type == LLM_SCAN_OBJECT_END) {
        put(kept, nkept);
    }

    if (v->type == LLM_SCAN_STRING && v->p == NULL) {
        n = sprintf(head, "#%zu", v->full);
        put(head, n);

    } else if (v->type == LLM_SCAN_STRING || v->type == LLM_SCAN_LITERAL) {
        put("<", 1);
        put((const char *) v->p, v->n > 40 ? 40 : v->n);
        n = sprintf(head, ">%s%zu", v->n > 40 ? "~" : "",
                    v->n > 40 ? v->full : 0);
        put(head, v->n > 40 ? n : 1);

    } else if (v->full) {
        n = sprintf(head, "%zu", v->full);
        put(head, n);
    }
}


/*
 * A string of which only the length is told has its bytes or not, and one of
 * which all is told has them at once or before: no matter.
 */

static void
take_any(void *data, int field, const llm_scan_value_t *v)
{
    llm_scan_value_t  any;

    any = *v;

    if (field == 4 && v->type == LLM_SCAN_STRING) {
        any.p = NULL;
    }

    if (v->type == LLM_SCAN_PIECE) {

        if (field != 6 || nwhole + v->n > sizeof(whole)
            || (v->full != 0 && v->full != nwhole))
        {
            put("wrong", 5);
            return;
        }

        nwhole = v->full + v->n;
        memcpy(whole + v->full, v->p, v->n);
        return;
    }

    if (field == 6 && v->type == LLM_SCAN_STRING) {

        if (v->p == NULL) {
            any.p = (uint8_t *) whole;
            any.n = nwhole;
        }

        put(any.n == v->full ? "=" : "!", 1);
    }

    take(data, field, &any);
}


static const char *
scan(const uint8_t *p, size_t n, int mode)
{
    size_t      at, piece;
    uint8_t    *copy;
    split_t     split;
    llm_scan_t  s;

    len = 0;
    nkept = 0;
    split_init(&split, mode);
    llm_scan_init(&s, &root, take_any, NULL, &mem);

    for (at = 0; at < n; at += piece) {
        piece = split_next(&split, n - at);
        copy = malloc(piece);
        memcpy(copy, p + at, piece);
        llm_scan(&s, copy, piece);
        free(copy);
    }

    llm_scan_end(&s);
    trace[len] = '\0';

    return trace;
}


static void
check(const char *name, const char *text, size_t n, const char *want)
{
    int  mode, bad;

    for (bad = -1, mode = 0; mode < SPLIT_MODES; mode++) {

        if (strcmp(scan((const uint8_t *) text, n, mode), want) != 0) {
            bad = mode;
            break;
        }
    }

    ok(bad < 0, "%s", name);

    if (bad >= 0) {
        printf("# mode %d\n#  got %s\n# want %s\n", bad, trace, want);
    }
}

#define CHECK(name, text, want)                                               \
    check(name, text, sizeof(text) - 1, want)


static void
check_large(void)
{
    char    *p;
    size_t   n;

    n = 3000000;
    p = malloc(n + 100);

    memset(p, '[', n);
    memcpy(p + n, "1", 1);
    most = 0;
    scan((uint8_t *) p, n + 1, 0);
    ok(most < 10000, "three million brackets take no memory");

    memset(p, '{', n);
    scan((uint8_t *) p, n, 40);
    ok(most < 10000, "nor do braces");

    n = sprintf(p, "{\"x\":\"");
    memset(p + n, 'A', 2900000);
    n += 2900000;
    n += sprintf(p + n, "\",\"a\":7}");
    most = 0;
    ok(strcmp(scan((uint8_t *) p, n, 0), "9{1l<7>9}0;") == 0 && most == 0,
       "behind a long string that nobody asks for");

    n = sprintf(p, "{\"whole\":\"");
    memset(p + n, 'A', sizeof(whole));
    n += sizeof(whole);
    n += sprintf(p + n, "\",\"a\":7}");
    most = 0;
    ok(strstr(scan((uint8_t *) p, n, 7), "=6s<AAAA") != NULL
       && most <= LLM_SCAN_NAME,
       "all of a long string in pieces takes no memory");

    n = sprintf(p, "{\"a\":\"");
    memset(p + n, 'A', 2900000);
    n += 2900000;
    n += sprintf(p + n, "\",\"a\":7}");
    most = 0;
    scan((uint8_t *) p, n, 1);
    ok(most == LLM_SCAN_VALUE && strstr(trace, "~2900000") != NULL,
       "a long string in pieces takes %d bytes", LLM_SCAN_VALUE);

    memset(p, '\\', 2000001);
    p[0] = '"';
    p[2000001] = '"';
    p[2000002] = '"';
    ok(strncmp(scan((uint8_t *) p, 2000003, 7), "9s<", 3) == 0,
       "two million backslashes");

    free(p);
}


int
main(void)
{
    CHECK("a document", "{\"a\":\"x\",\"b\":2,\"list\":[{\"n\":1},{\"n\":2}]}",
          "9{1s<x>2[2{3l<1>2}2{3l<2>2}2]29}0;");
    CHECK("blanks", " \n{ \"a\" : -1.5e3 , \"b\" : [ 1 , 2 ] }\r\n",
          "9{1l<-1.5e3>9}0;");
    CHECK("escapes",
          "{\"a\":\"q\\\"\\\\\",\"\\\"a\":\"\\\\\\\\\",\"in\":{\"a\":"
          "\"\\u00e9\\\\\\\"\"}}",
          "9{1s<q\\\"\\\\>1s<\\u00e9\\\\\\\">9}0;");
    CHECK("a name with escapes that is longer than a word",
          "{\"\\n345678901234567890123456789012345678901234567890"
          "12345678901234567890\":2,\"a\":1}", "9{1l<1>9}0;");
    CHECK("what nobody asks for", "{\"x\":{\"a\":1,\"y\":[[{\"a\":\"}]\"}]]},"
          "\"z\":[\"\\\"]\",2],\"a\":3}", "9{1l<3>9}0;");
    CHECK("an indented document",
          "{\n  \"a\": \"x\",\r\n\t\"x\": null,\n  \"in\": {\n    \"a\": 1,\n"
          "    \"x\": {\n      \"a\": 2\n    }\n  },\n  \"a\": true\n}\n",
          "9{1s<x>1l<1>1l<true>9}0;");
    CHECK("duplicate keys", "{\"a\":1,\"a\":2}", "9{1l<1>1l<2>9}0;");
    CHECK("documents in a row", "{\"a\":1}{\"a\":2}\n{\"a\":3}",
          "9{1l<1>9}0;9{1l<2>9}0;9{1l<3>9}0;");
    CHECK("the elements of an array", "[{\"a\":1}\n,{\"a\":2}]",
          "9[9{1l<1>9}0;9{1l<2>9}0;9]2");
    CHECK("an empty array", "[]", "9[9]0;");
    CHECK("a word", "[DONE]", "9[9l<DONE>9]1");
    CHECK("a sequence", "\x1e{\"a\":1}\n\x1e{\"a\":\x1e{\"a\":2}",
          "9{1l<1>9}0;9{0;19{1l<2>9}0;");
    CHECK("cut in a string", "{\"a\":1,\"a\":\"xy", "9{1l<1>0;1");
    CHECK("cut in a number", "{\"a\":12", "9{0;1");
    CHECK("big numbers", "{\"a\":1e400,\"a\":123456789012345678901234567890}",
          "9{1l<1e400>1l<123456789012345678901234567890>9}0;");
    CHECK("lone surrogate, NUL, bad UTF-8",
          "{\"b\\u0000\":\"\\ud800\",\"a\":\"\xff\0\xc3\"}",
          "9{1s<\xff");
    CHECK("wrong brackets", "}]{\"a\":1]}{\"a\":2}", "9{1l<1>9}0;9{1l<2>9}0;");
    CHECK("no comma", "{\"a\":1 \"a\":2}", "9{1l<1>1l<2>9}0;");
    CHECK("no colon", "{\"a\" 1,\"a\":{\"n\":1},\"a\":2}", "9{1{1}1l<2>9}0;");
    CHECK("a colon after a value", "{\"a\":2,\"z\":\"\":{\"n\":3},\"a\":4}",
          "9{1l<2>1l<4>9}0;");
    CHECK("a colon without a name", "{:{\"a\":1},\"kept\":{:{\"n\":3}}}",
          "9{5{5}{:{\"n\":3}}9}0;");
    CHECK("a NUL in a name", "{\"\\u0000a\":1,\"\\u0061\":2}", "9{1l<2>9}0;");
    CHECK("an object is kept", "{\"kept\":{\"n\": 1,\"x\":[{}]},\"a\":1}",
          "9{5{3l<1>5}{\"n\": 1,\"x\":[{}]}1l<1>9}0;");
    CHECK("a text", "{\"list\":{\"t\":\"hello\"}}", "9{2{4s#52}9}0;");
    CHECK("all of a string", "{\"whole\":\"hel\\\"lo\",\"whole\":"
          "[\"\",\"\\\\\",\"0123456789 0123456789 0123456789 0123456789\"],"
          "\"a\":1}",
          "9{=6s<hel\\\"lo>6[=6s<>=6s<\\\\>=6s<0123456789 0123456789 "
          "0123456789 0123456>~436]31l<1>9}0;");
    CHECK("a bare string", "\"abc\"", "9s<abc>0;");
    CHECK("a bare number", "42", "9l<42>0;");

    check_large();

    return done_testing();
}
