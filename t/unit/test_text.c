
/*
 * Copyright (C) llm_monitor contributors
 *
 * The shared text helpers.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/record/llm_text.h"


static void
test_utf8(void)
{
    int         bad;
    size_t      max, cut;
    uint8_t     buf[4];
    uint32_t    a, b, c, v;
    llm_utf8_t  u;

    static const uint8_t  text[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80z";

    bad = 0;

    /* all pairs and triples of bytes against the definition */

    for (a = 0; a < 256; a++) {
        for (b = 0; b < 256; b++) {
            buf[0] = a;
            buf[1] = b;
            v = (a & 0x1f) << 6 | (b & 0x3f);

            bad += (llm_utf8_decode(buf, 2, &c) == 2)
                   != ((a & 0xe0) == 0xc0 && (b & 0xc0) == 0x80 && v >= 0x80);

            buf[2] = 0x80 | (b & 0x3f);
            v = (a & 0xf) << 12 | (b & 0x3f) << 6 | (b & 0x3f);

            bad += (llm_utf8_decode(buf, 3, &c) == 3)
                   != ((a & 0xf0) == 0xe0 && (b & 0xc0) == 0x80 && v >= 0x800
                       && (v < 0xd800 || v > 0xdfff));

            buf[3] = 0x80;
            v = (a & 7) << 18 | (b & 0x3f) << 12 | (b & 0x3f) << 6;

            bad += (llm_utf8_decode(buf, 4, &c) == 4)
                   != ((a & 0xf8) == 0xf0 && (b & 0xc0) == 0x80
                       && v >= 0x10000 && v <= 0x10ffff);
        }
    }

    ok(bad == 0, "UTF-8 is what RFC 3629 says");

    bad = 0;

    for (max = 0; max < sizeof(text); max++) {
        cut = llm_utf8_cut(text, sizeof(text) - 1, max);
        bad += cut > max || max - cut > 3 || !llm_utf8_valid(text, cut);
    }

    ok(bad == 0, "cut on boundaries");
    ok(llm_utf8_cut(text, 3, 100) == 3, "nothing to cut");
    ok(llm_utf8_cut((const uint8_t *) "\x80\x80\x80\x80\x80\x80", 6, 5) == 5,
       "what is no UTF-8 is cut anywhere");
    ok(!llm_utf8_valid(text, 2) && llm_utf8_valid(text, 0), "validity");

    bad = 0;

    for (cut = 0; cut < sizeof(text); cut++) {
        memset(&u, 0, sizeof(u));
        bad += !llm_utf8_more(&u, text, cut)
               || !llm_utf8_more(&u, text + cut, sizeof(text) - 1 - cut)
               || u.n != 0;

        /* what comes after each beginning of a character is none's end */

        memset(&u, 0, sizeof(u));
        bad += !llm_utf8_more(&u, text, cut)
               || llm_utf8_more(&u, (const uint8_t *) "\xff", 1);
    }

    ok(bad == 0, "validity of pieces");
}


static int
scrub(const char *in, size_t max, const char *want)
{
    int       good;
    size_t    n;
    uint8_t  *dst;

    dst = malloc(max + 1);
    n = llm_text_scrub(dst, max, (const uint8_t *) in, strlen(in));
    good = n == strlen(want) && memcmp(dst, want, n) == 0;
    free(dst);

    return good;
}


static void
test_scrub(void)
{
    ok(scrub("a\x01\r\nb\t\x7f" "c", 10, "abc"), "control characters go");
    ok(scrub("\xc2\x85x", 10, "x"), "also those above 127");
    ok(scrub("\xff", 10, "\xef\xbf\xbd") && scrub("\xff", 2, ""),
       "a bad byte becomes U+FFFD, if there is room");
    ok(scrub("a\xe2\x82", 10, "a\xef\xbf\xbd"), "so does a cut character");
    ok(scrub("ab\xe2\x82\xac", 4, "ab") && scrub("ab\xe2\x82\xac", 5,
       "ab\xe2\x82\xac") && scrub("abc", 0, ""), "cut on boundaries");
}


static void
test_compare(void)
{
    int64_t    v;
    uint8_t    hex[20];
    llm_str_t  s = llm_str("Content-Type"), none = llm_null_str;
    llm_str_t  max = llm_str("9223372036854775807");
    llm_str_t  over = llm_str("9223372036854775808");
    llm_str_t  bad = llm_str("12x"), empty = llm_str("");

    ok(llm_text_equal_nocase(&s, "content-type")
       && llm_text_equal_nocase(&s, "CONTENT-TYPE")
       && !llm_text_equal_nocase(&s, "content-typ")
       && !llm_text_equal_nocase(&s, "content-typE2")
       && !llm_text_equal_nocase(&none, ""), "equal without case");
    ok(llm_text_equal(&s, "Content-Type")
       && !llm_text_equal(&s, "content-type")
       && llm_text_equal(&empty, ""), "equal with case");
    ok(llm_text_begins_nocase(&s, "content") && llm_text_begins_nocase(&s, "")
       && !llm_text_begins_nocase(&s, "content-types"), "beginnings");
    ok(llm_text_find_nocase(&s, "type") == s.data + 8
       && llm_text_find_nocase(&s, "types") == NULL
       && llm_text_find_nocase(&none, "x") == NULL, "substrings");

    llm_text_hex(hex, (const uint8_t *) "\x00\x9f\xff\x10", 4);
    ok(memcmp(hex, "009fff10", 8) == 0, "hexadecimal");
    llm_text_hex(hex, (const uint8_t *) "\x00\x09\x0a\x0f\x90\xa9\xfa\xff"
                 "\x12\x34", 10);
    ok(memcmp(hex, "00090a0f90a9faff1234", 20) == 0, "longer hexadecimal");
    llm_text_lower(hex, (const uint8_t *) "AZaz@[\xc4", 7);
    ok(memcmp(hex, "azaz@[\xc4", 7) == 0, "lower case");

    ok(llm_text_number(&max, &v) == LLM_OK && v == INT64_MAX
       && llm_text_number(&over, &v) == LLM_ERROR
       && llm_text_number(&bad, &v) == LLM_ERROR
       && llm_text_number(&empty, &v) == LLM_ERROR
       && llm_text_number(&none, &v) == LLM_ERROR, "numbers");
}


int
main(void)
{
    test_utf8();
    test_scrub();
    test_compare();

    return done_testing();
}
