
/*
 * Copyright (C) llm_monitor contributors
 *
 * AWS event-stream frames: every split, every kind of header, and bytes that
 * are no frames.
 */


#include <stdlib.h>

#include "tap.h"
#include "aws.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_aws.h"


static uint8_t  stream[4 * 1048576], seen[100000];
static size_t   seen_len;
static int      fail_large;


static void *
mem_alloc(void *data, size_t size)
{
    return (fail_large && size > 5000) ? NULL : malloc(size);
}


static void
mem_free(void *data, void *p)
{
    free(p);
}


static const llm_mem_t  mem = { mem_alloc, mem_free, NULL };


static void
take(void *data, const llm_aws_frame_t *f)
{
    seen_len += snprintf((char *) seen + seen_len, sizeof(seen) - seen_len,
                         "[%.*s|%.*s|%zu|%.*s]", (int) f->message_type.len,
                         (const char *) f->message_type.data,
                         (int) f->event_type.len,
                         (const char *) f->event_type.data, f->payload.len,
                         (int) (f->payload.len > 8 ? 8 : f->payload.len),
                         (const char *) f->payload.data);
}


#define H2  "\x0f" EXCEPTION "\x07\0\x03" "bad" \
            "\x0d" MESSAGE "\x07\0\x09" "exception"
#define H3  "\x01t\x00\x01" "f\x01\x01" "b\x02" "1\x01s\x03" "12\x01i\x04" \
            "1234\x01l\x05" "12345678\x01y\x06\0\x02" "ab\x01z\x08" \
            "12345678\x01u\x09" "1234567812345678" H1


static int
run(size_t n, int mode)
{
    int         rc;
    size_t      i, size;
    split_t     split;
    llm_aws_t  *a;

    seen_len = 0;
    rc = LLM_OK;

    llm_aws_create(&a, &mem, take, NULL);
    split_init(&split, mode);

    for (i = 0; i < n; i += size) {
        size = split_next(&split, n - i);
        rc = llm_aws_feed(a, stream + i, size);
    }

    llm_aws_destroy(a);

    return rc;
}


static void
expect(const char *name, size_t n, int want, const char *text)
{
    int  mode, rc, bad;

    bad = -1;

    for (mode = 0; mode < SPLIT_MODES; mode++) {
        rc = run(n, mode);

        if (rc != want || seen_len != strlen(text)
            || memcmp(seen, text, seen_len) != 0)
        {
            bad = mode;
            printf("# mode %d: code %d, %.*s\n", mode, rc, (int) seen_len,
                   (char *) seen);
            break;
        }
    }

    ok(bad == -1, "%s", name);
}


int
main(void)
{
    size_t  n, one, i;

    one = frame(stream, H1, sizeof(H1) - 1, "{\"a\":1}", 7);
    expect("one frame", one, LLM_OK, "[event|chunk|7|{\"a\":1}]");
    expect("cut", one - 1, LLM_OK, "");

    n = one + frame(stream + one, H2, sizeof(H2) - 1, "oops", 4);
    n += frame(stream + n, H3, sizeof(H3) - 1, "", 0);
    n += frame(stream + n, "", 0, "bare", 4);
    n += frame(stream + n, H1, sizeof(H1) - 1, NULL, 9000);
    n += frame(stream + n, H1, sizeof(H1) - 1, "end", 3);

    expect("all kinds of headers", n, LLM_OK,
           "[event|chunk|7|{\"a\":1}][exception|bad|4|oops][event|chunk|0|]"
           "[||4|bare][event|chunk|9000|xxxxxxxx][event|chunk|3|end]");

    fail_large = 1;
    i = run(n, 1);
    fail_large = 0;
    ok(i == LLM_OK && strstr((char *) seen, "[event|chunk|3|end]")
       && !strstr((char *) seen, "9000"), "no memory for one: it is skipped");

    n = one + frame(stream + one, H1, sizeof(H1) - 1, NULL, 1048576);
    n += frame(stream + n, H1, sizeof(H1) - 1, "end", 3);
    expect("a frame over 1 MB is passed over", n, LLM_OK,
           "[event|chunk|7|{\"a\":1}][event|chunk|3|end]");

    /* every bit of a frame is guarded */

    for (i = 0; i < one * 8; i++) {
        one = frame(stream, H1, sizeof(H1) - 1, "{\"a\":1}", 7);
        n = one + frame(stream + one, H1, sizeof(H1) - 1, "end", 3);

        stream[i / 8] ^= (uint8_t) (1 << (i % 8));

        if (run(n, (int) (i % SPLIT_MODES)) != LLM_ERROR || seen_len != 0) {
            break;
        }
    }

    ok(i == one * 8, "one wrong bit is an error");

    memcpy(stream, "{\"message\":\"not a frame\"}", 25);
    expect("JSON", 25, LLM_ERROR, "");

    memset(stream, 0, 100);
    expect("zeros", 100, LLM_ERROR, "");

    n = frame(stream, "\x40" "abc", 4, "", 0);
    expect("a name that is too long", n, LLM_ERROR, "");

    n = frame(stream, "\x01" "a\x07\xff\xff" "b", 6, "", 0);
    expect("a value that is too long", n, LLM_ERROR, "");

    n = frame(stream, "\x01" "a\x0a", 3, "", 0);
    expect("an unknown type", n, LLM_ERROR, "");

    n = frame(stream, "\x01" "a\x07\x00", 4, "", 0);
    expect("half a length", n, LLM_ERROR, "");

    return done_testing();
}
