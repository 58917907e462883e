
/*
 * Copyright (C) llm_monitor contributors
 *
 * The JSON writer and its buffer: exact output, inert strings, the same bytes
 * however a string is cut into pieces, and bounds that hold.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/record/llm_json_write.h"


static int
is(llm_buf_t *b, const char *want, const char *what)
{
    int  good;

    good = ok(b->failed == LLM_OK && b->len == strlen(want)
              && memcmp(b->data, want, b->len) == 0, "%s", what);

    if (!good) {
        printf("# got  %.*s\n# want %s\n", (int) b->len, b->data, want);
    }

    llm_buf_free(b);

    return good;
}


static void
test_document(void)
{
    llm_buf_t   b;
    llm_json_t  j;
    llm_str_t   s = llm_str("v"), none = llm_null_str;

    llm_buf_init(&b, 100000);
    llm_json_init(&j, &b);

    llm_json_open_object(&j);
    llm_json_key(&j, "a");
    llm_json_open_array(&j);
    llm_json_close_array(&j);
    llm_json_key(&j, "b");
    llm_json_open_array(&j);
    llm_json_int(&j, 0);
    llm_json_int(&j, INT64_MAX);
    llm_json_int(&j, INT64_MIN + 1);
    llm_json_int(&j, LLM_NULL);
    llm_json_open_object(&j);
    llm_json_close_object(&j);
    llm_json_bool(&j, 1);
    llm_json_bool(&j, 0);
    llm_json_null(&j);
    llm_json_close_array(&j);
    llm_json_key(&j, "c");
    llm_json_str(&j, &s);
    llm_json_key(&j, "d");
    llm_json_str(&j, &none);
    llm_json_key(&j, "e");
    llm_json_text(&j, NULL);
    llm_json_key(&j, "f\"");
    llm_json_raw(&j, (const uint8_t *) "[1]", 3);
    llm_json_close_object(&j);

    is(&b, "{\"a\":[],\"b\":[0,9223372036854775807,-9223372036854775807,null,"
       "{},true,false,null],\"c\":\"v\",\"d\":null,\"e\":null,"
       "\"f\\\"\":[1]}", "commas and nesting");
}


static void
test_decimals(void)
{
    size_t      i;
    llm_buf_t   b;
    llm_json_t  j;

    static const struct {
        int64_t      v;
        int          decimals;
        const char  *want;
    } cases[] = {
        { 0, 9, "0" }, { 1, 9, "0.000000001" }, { 1500000000, 9, "1.5" },
        { -1500000000, 9, "-1.5" }, { 1000000000, 9, "1" },
        { 123456, 3, "123.456" }, { 7, 0, "7" }, { -5, 1, "-0.5" },
        { 10, 1, "1" }, { 100, 0, "100" }, { LLM_NULL, 9, "null" },
        { INT64_MAX, 9, "9223372036.854775807" },
        { INT64_MAX, 18, "9.223372036854775807" },
        { 123456789012, 9, "123.456789012" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        llm_buf_init(&b, 1000);
        llm_json_init(&j, &b);
        llm_json_decimal(&j, cases[i].v, cases[i].decimals);
        is(&b, cases[i].want, cases[i].want);
    }
}


static void
test_strings(void)
{
    size_t      i, n, p;
    llm_buf_t   b;
    llm_json_t  j;
    size_t      chunk;
    uint8_t    *copy;
    int         good;

    static const struct {
        const char  *in;
        const char  *out;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "q\" b\\ n\n t\t r\r b\b f\f",
          "q\\\" b\\\\ n\\n t\\t r\\r b\\b f\\f" },
        { "\x01\x1f\x7f", "\\u0001\\u001f\\u007f" },
        { "</script>", "\\u003c/script>" },
        { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
          "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "\xc2\x85\xc2\xa0", "\\u0085\xc2\xa0" },
        { "a\xe2\x80\xa8" "b\xe2\x80\xa9", "a\\u2028b\\u2029" },
        { "\xff\x80z", "\xef\xbf\xbd\xef\xbf\xbdz" },
        { "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x98", "\xef\xbf\xbd" },
        { "\xe2\x82" "a", "\xef\xbf\xbd" "a" },
        { "\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac" },
        { "\xf4\x90\x80\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
        { "\xf0\x9f\"", "\xef\xbf\xbd\\\"" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        good = 1;
        n = strlen(cases[i].in);

        for (chunk = 1; chunk <= 31; chunk++) {
            llm_buf_init(&b, 1000);
            llm_json_init(&j, &b);
            llm_json_open_string(&j);

            for (p = 0; p < n; p += chunk) {
                size_t  len = n - p < chunk ? n - p : chunk;

                copy = malloc(len);
                memcpy(copy, cases[i].in + p, len);
                llm_json_append(&j, copy, len);
                llm_json_append(&j, copy, 0);
                free(copy);
            }

            llm_json_close_string(&j);

            good &= b.len == strlen(cases[i].out) + 2 && b.data[0] == '"'
                    && b.data[b.len - 1] == '"'
                    && memcmp(b.data + 1, cases[i].out, b.len - 2) == 0;
            llm_buf_free(&b);
        }

        ok(good, "string %zu at every chunk size", i);
    }

    llm_buf_init(&b, 1000);
    llm_json_init(&j, &b);
    llm_json_string(&j, (const uint8_t *) "a\0b", 3);
    is(&b, "\"a\\u0000b\"", "NUL");
}


static void
test_bounds(void)
{
    int         i;
    llm_buf_t   b;
    llm_json_t  j;

    llm_buf_init(&b, 1000000);
    llm_json_init(&j, &b);

    for (i = 0; i < 1000; i++) {
        llm_json_open_array(&j);
    }

    ok(b.failed == LLM_FULL, "nesting is bounded");
    llm_buf_free(&b);

    llm_buf_init(&b, 10);
    llm_buf_add(&b, "0123456789", 10);
    ok(b.failed == LLM_OK && b.len == 10, "a buffer takes its bound");
    llm_buf_add(&b, "x", 1);
    ok(b.failed == LLM_FULL && b.len == 10, "and no byte more");
    llm_buf_add(&b, "", 0);
    ok(b.failed == LLM_FULL && llm_buf_room(&b, 1) == NULL,
       "a failure stays");
    llm_buf_free(&b);

    llm_buf_init(&b, 1 << 20);

    for (i = 0; i < 100000; i++) {
        llm_buf_add(&b, "0123456789", 10);
    }

    ok(b.len == 1000000 && b.failed == LLM_OK && b.cap <= 1 << 20,
       "growing to a million bytes");
    ok(llm_buf_room(&b, (1 << 20) - 1000000) != NULL
       && llm_buf_room(&b, (1 << 20) - 1000000 + 1) == NULL,
       "room up to the bound");
    llm_buf_free(&b);
}


int
main(void)
{
    test_document();
    test_decimals();
    test_strings();
    test_bounds();

    return done_testing();
}
