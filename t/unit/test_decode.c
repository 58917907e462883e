
/*
 * Copyright (C) llm_monitor contributors
 *
 * Content codings, whole, in pieces of every size, cut, lying and hostile.
 */


#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "tap.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_decode.h"


#define LINE   "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]," \
               "\"usage\":null}\n\n"
#define LINES  40
#define MAX    (16 * 1024 * 1024)


typedef struct {
    uint8_t  *data;
    size_t    len;
    size_t    largest;
} out_t;


/* LINES times LINE, and 8,000,000 zero bytes, by brotli -q 9 */

static const uint8_t  br_text[] = {
    0x1f, 0xff, 0x09, 0x00, 0x04, 0x2c, 0x3d, 0x7f, 0xa1, 0x4f, 0x79, 0x40,
    0x05, 0x1a, 0xf8, 0x32, 0xa2, 0xcb, 0x79, 0xc0, 0xc5, 0x87, 0x48, 0xe7,
    0x95, 0x94, 0x63, 0xfa, 0xc0, 0xc6, 0xd8, 0xb9, 0x41, 0x90, 0x53, 0x82,
    0xc8, 0x62, 0x37, 0x90, 0x17, 0x7c, 0x61, 0xd8, 0x83, 0xe1, 0xee, 0x4d,
    0x72, 0x99, 0x2e, 0xda, 0x7f, 0xe8, 0x41, 0x14, 0x40, 0xae, 0x17, 0x00,
    0xd0, 0x99, 0x0c
};

static const uint8_t  br_zeros[] = {
    0x9f, 0xff, 0x11, 0x7a, 0x00, 0x24, 0x00, 0xe2, 0xb1, 0x40, 0x72, 0x13,
    0xf4, 0x00
};

static uint8_t  text[sizeof(LINE) * LINES], buf[3 * MAX];
static size_t   text_len, live;
static long     allocs_left = -1;


static void *
count_alloc(void *data, size_t size)
{
    if (allocs_left == 0) {
        return NULL;
    }

    if (allocs_left > 0) {
        allocs_left--;
    }

    live++;

    return malloc(size);
}


static void
count_free(void *data, void *p)
{
    live--;
    free(p);
}


static const llm_mem_t  mem = { count_alloc, count_free, NULL };


static void
take(void *data, const uint8_t *p, size_t n)
{
    out_t  *out = data;

    if (n > out->largest) {
        out->largest = n;
    }

    memcpy(out->data + out->len, p, n);
    out->len += n;
}


static size_t
deflated(uint8_t *out, const uint8_t *p, size_t n, int bits)
{
    z_stream  z;

    memset(&z, 0, sizeof(z));

    deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);

    z.next_in = (Bytef *) p;
    z.avail_in = n;
    z.next_out = out;
    z.avail_out = n + 1000;

    deflate(&z, Z_FINISH);
    deflateEnd(&z);

    return z.total_out;
}


static int
run(const char *coding, const uint8_t *p, size_t n, int64_t max, int mode,
    out_t *out)
{
    int            rc;
    size_t         size;
    split_t        split;
    llm_str_t      s;
    llm_decode_t  *d;

    s.data = (const uint8_t *) coding;
    s.len = strlen(coding);

    out->data = buf;
    out->len = 0;
    out->largest = 0;

    rc = llm_decode_create(&d, &s, max, &mem, take, out);

    if (rc != LLM_OK) {
        return rc;
    }

    split_init(&split, mode);

    for (rc = LLM_OK; n != 0; p += size, n -= size) {
        size = split_next(&split, n);
        rc = llm_decode(d, p, size);
    }

    if (llm_decode_bytes(d) != (int64_t) out->len) {
        rc = 1;
    }

    llm_decode_destroy(d);

    return rc;
}


/* Every split must give these bytes and this code. */

static void
expect(const char *name, const char *coding, const uint8_t *p, size_t n,
    int want, const uint8_t *bytes, size_t len)
{
    int    mode, rc, bad;
    out_t  out;

    bad = -1;

    for (mode = 0; mode < SPLIT_MODES; mode++) {
        rc = run(coding, p, n, MAX, mode, &out);

        if (rc != want || out.len != len || out.largest > 16384
            || memcmp(buf, bytes, len) != 0)
        {
            bad = mode;
            printf("# mode %d: code %d, %zu bytes\n", mode, rc, out.len);
            break;
        }
    }

    ok(bad == -1, "%s", name);
}


/* Every split must give a start of the text and one of the two codes. */

static void
expect_start(const char *name, const char *coding, const uint8_t *p, size_t n,
    size_t least, int want)
{
    int    mode, rc, bad;
    out_t  out;

    bad = -1;

    for (mode = 0; mode < SPLIT_MODES; mode++) {
        rc = run(coding, p, n, MAX, mode, &out);

        if (rc != want || out.len < least || out.len > text_len
            || memcmp(buf, text, out.len) != 0)
        {
            bad = mode;
            printf("# mode %d: code %d, %zu bytes\n", mode, rc, out.len);
            break;
        }
    }

    ok(bad == -1, "%s", name);
}


static void
test_good(void)
{
    size_t          n, m;
    static uint8_t  z[20000], y[20000];

    n = deflated(z, text, text_len, 31);
    expect("gzip", "gzip", z, n, LLM_OK, text, text_len);
    expect("x-gzip, upper case, spaces", " ,identity , X-GZip\t", z, n, LLM_OK,
           text, text_len);

    m = deflated(y, z, n, 31);
    expect("gzip twice", "gzip, gzip", y, m, LLM_OK, text, text_len);

    n = deflated(z, text, text_len, 15);
    expect("deflate as zlib", "deflate", z, n, LLM_OK, text, text_len);

    n = deflated(z, text, text_len, -15);
    expect("deflate, raw", "deflate", z, n, LLM_OK, text, text_len);

    expect("br", "br", br_text, sizeof(br_text), LLM_OK, text, text_len);

    n = ZSTD_compress(z, sizeof(z), text, text_len, 3);
    expect("zstd", "zstd", z, n, LLM_OK, text, text_len);

    /* applied in the order of the list */

    m = deflated(y, z, n, 31);
    expect("zstd, gzip", "zstd, gzip", y, m, LLM_OK, text, text_len);

    n = ZSTD_compress(z, sizeof(z), br_text, sizeof(br_text), 3);
    m = deflated(y, z, n, 15);
    n = deflated(z, y, m, 31);
    expect("four of them", "br, zstd, deflate, gzip", z, n, LLM_OK, text,
           text_len);

    expect("nothing at all", "gzip", z, 0, LLM_OK, text, 0);
}


static void
test_members(void)
{
    size_t          n, half;
    static uint8_t  z[40000];

    half = text_len / 3;

    n = deflated(z, text, half, 31);
    n += deflated(z + n, text, 0, 31);
    n += deflated(z + n, text + half, text_len - half, 31);
    expect("gzip members", "gzip", z, n, LLM_OK, text, text_len);

    memset(z + n, 0, 100);
    expect("gzip, then zeros", "gzip", z, n + 100, LLM_OK, text, text_len);

    memcpy(z + n, "garbage \x1f\x8b and more", 20);
    expect("gzip, then garbage", "gzip", z, n + 20, LLM_OK, text, text_len);

    memcpy(z + n, "\x1f\x8c and more", 11);
    expect("gzip, then a broken member", "gzip", z, n + 11, LLM_ERROR, text,
           text_len);

    n = deflated(z, text, text_len, 15);
    memcpy(z + n, "garbage", 7);
    expect("deflate, then garbage", "deflate", z, n + 7, LLM_OK, text,
           text_len);

    n = sizeof(br_text);
    memcpy(z, br_text, n);
    memcpy(z + n, "garbage", 7);
    expect("br, then garbage", "br", z, n + 7, LLM_OK, text, text_len);

    n = ZSTD_compress(z, 20000, text, half, 3);
    memcpy(z + n, "\x53\x2a\x4d\x18\x03\0\0\0abc", 11);
    n += 11;
    n += ZSTD_compress(z + n, 20000, text, 0, 3);
    n += ZSTD_compress(z + n, 20000, text + half, text_len - half, 3);
    expect("zstd frames, a skippable and an empty one", "zstd", z, n, LLM_OK,
           text, text_len);

    memcpy(z + n, "\x28\xb5garbage", 9);
    expect("zstd, then garbage", "zstd", z, n + 9, LLM_OK, text, text_len);
}


static void
test_broken(void)
{
    size_t          i, n;
    static uint8_t  z[20000], noise[20000];

    n = deflated(z, text, text_len, 31);
    expect_start("gzip, cut", "gzip", z, n - 12, text_len / 2, LLM_OK);

    z[n - 6] ^= 1;
    expect("gzip, wrong CRC", "gzip", z, n, LLM_ERROR, text, text_len);

    n = ZSTD_compress(z, sizeof(z), text, text_len, 3);
    expect_start("zstd, cut", "zstd", z, n - 5, 0, LLM_OK);
    expect_start("br, cut", "br", br_text, sizeof(br_text) - 5, 0, LLM_OK);

    for (i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t) (rand() >> 8);
    }

    n = deflated(z, noise, sizeof(noise) - 1000, 31);
    z[0] = 0x1f;
    z[3] = 0xff;
    expect("gzip with a bad header", "gzip", z, n, LLM_ERROR, text, 0);
}


static void
test_lies(void)
{
    size_t          n;
    static uint8_t  z[20000], y[20000];

    static const char  *codings[] = { "gzip", "deflate", "br", "zstd" };
    static const char  *bodies[] = {
        "{\"error\":{\"message\":\"bad\"}}",
        "data: {\"a\":1}\n\ndata: [DONE]\n\n",
        "[{\"a\":1}]",
        "event: message_start\ndata: {}\n\n",
        "<html>502</html>"
    };

    for (n = 0; n < 20; n++) {
        expect(codings[n % 4], codings[n % 4],
               (const uint8_t *) bodies[n / 4], strlen(bodies[n / 4]),
               LLM_DECLINED, (const uint8_t *) bodies[n / 4],
               strlen(bodies[n / 4]));
    }

    n = deflated(z, text, text_len, 31);
    expect("twice said, once done", "gzip, gzip", z, n, LLM_DECLINED, text,
           text_len);
    expect("gzip called zstd", "zstd", z, n, LLM_DECLINED, z, n);

    n = ZSTD_compress(y, sizeof(y), text, text_len, 3);
    expect("zstd called gzip", "gzip", y, n, LLM_DECLINED, y, n);
}


static void
test_bounds(void)
{
    int        rc, mode, bad;
    out_t      out;
    size_t     n, size;
    uint8_t   *zeros, *z;
    llm_str_t  s;

    static const char  *refused[] = {
        "gzip, gzip, gzip, gzip, gzip", "compress", "gzip x", "gzip;q=1",
        "averylongcoding"
    };

    llm_decode_t  *d;

    ok(run("", br_text, 1, MAX, 0, &out) == LLM_DECLINED, "no coding");
    ok(run("identity, Identity", br_text, 1, MAX, 0, &out) == LLM_DECLINED,
       "identity");

    for (n = 0; n < sizeof(refused) / sizeof(refused[0]); n++) {
        ok(run(refused[n], br_text, 1, MAX, 0, &out) == LLM_ERROR,
           "\"%s\" is refused", refused[n]);
    }

    s.data = NULL;
    s.len = 0;
    ok(llm_decode_create(&d, &s, MAX, &mem, take, &out) == LLM_DECLINED
       && d == NULL, "no header");

    size = 8000000;
    zeros = calloc(1, size);
    z = malloc(size);

    n = deflated(z, zeros, size, 31);

    for (mode = 0, bad = 0; mode < SPLIT_MODES; mode++) {
        rc = run("gzip", z, n, MAX, mode, &out);
        bad += rc != LLM_FULL || out.len < 1048576 || out.len > 1048576 * 2;
    }

    ok(bad == 0, "a gzip bomb ends soon after 1 MB");

    rc = run("br", br_zeros, sizeof(br_zeros), MAX, 1, &out);
    ok(rc == LLM_FULL && out.len < 1048576 + 20000, "a br bomb too");

    n = ZSTD_compress(z, size, zeros, size, 3);
    rc = run("zstd", z, n, MAX, 0, &out);
    ok(rc == LLM_FULL && out.len < 1048576 * 2, "a zstd bomb too");

    /* the first stage is the bomb, the second one takes little of it */

    n = deflated(z, zeros, size, 31);
    rc = run("zstd, gzip", z, n, MAX, 0, &out);
    ok(rc == LLM_FULL, "a bomb inside");

    n = deflated(z, zeros, 1000000, 31);
    rc = run("gzip", z, n, MAX, 0, &out);
    ok(rc == LLM_OK && out.len == 1000000, "a high ratio is fine below 1 MB");

    n = deflated(z, text, text_len, 31);
    rc = run("gzip", z, n, 1000, 7, &out);
    ok(rc == LLM_FULL && out.len == 1000, "max");

    rc = run("gzip", z, n, (int64_t) text_len, 7, &out);
    ok(rc == LLM_OK && out.len == text_len, "max exactly");

    rc = run("gzip", (const uint8_t *) "plain", 5, 3, 1, &out);
    ok(rc == LLM_FULL && out.len == 3, "max of bytes that are passed on");

    free(zeros);
    free(z);
}


static void
test_window(void)
{
    out_t    out;
    int      rc;

    /* a frame that asks for a window of 128 MB: magic, descriptor, window */

    static const uint8_t  frame[] = {
        0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00
    };

    rc = run("zstd", frame, sizeof(frame), MAX, 0, &out);
    ok(rc == LLM_ERROR && out.len == 0, "zstd: a window over 8 MB is refused");
}


static void
test_no_memory(void)
{
    int             rc, bad;
    long            k;
    out_t           out;
    size_t          n, i;
    static uint8_t  z[20000];

    static const char  *codings[] = { "gzip", "deflate", "br", "zstd" };

    for (i = 0, bad = 0; i < 4; i++) {

        if (i == 2) {
            n = sizeof(br_text);
            memcpy(z, br_text, n);

        } else if (i == 3) {
            n = ZSTD_compress(z, sizeof(z), text, text_len, 3);

        } else {
            n = deflated(z, text, text_len, i ? 15 : 31);
        }

        for (k = 0; k < 100; k++) {
            allocs_left = k;
            rc = run(codings[i], z, n, MAX, 13, &out);
            allocs_left = -1;

            if (rc == LLM_OK) {
                break;
            }

            bad += (rc != LLM_NOMEM);
        }

        bad += (k == 0 || k == 100);
    }

    ok(bad == 0, "each allocation may fail");
}


int
main(void)
{
    int  i;

    for (i = 0; i < LINES; i++) {
        memcpy(text + text_len, LINE, sizeof(LINE) - 1);
        text_len += sizeof(LINE) - 1;
    }

    test_good();
    test_members();
    test_broken();
    test_lies();
    test_bounds();
    test_window();
    test_no_memory();

    ok(live == 0, "all memory was given back");

    return done_testing();
}
