
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ring of records without rows: each once and whole, told where it was
 * lapped, and nothing of what a batch that failed had added.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_feed.h"


static void add(uint64_t *pos, int64_t n);
static int64_t next(uint64_t *pos, int *rc);
static void test_order(void);
static void test_batches(void);
static void test_lapped(void);
static void test_writer(void);


static llm_feed_t  *feed;
static uint8_t      text[LLM_FEED_RECORD];


int
main(void)
{
    feed = mmap(NULL, sizeof(llm_feed_t), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    memset(feed, 0xa5, sizeof(llm_feed_t));
    memset(text, 'x', sizeof(text));

    test_order();
    test_batches();
    test_lapped();
    test_writer();

    return done_testing();
}


/* a record that says its number two times, around a text of some length */

static void
add(uint64_t *pos, int64_t n)
{
    llm_record_t  r;

    llm_record_init(&r);

    r.num[LLM_N_ID] = n;
    r.num[LLM_N_INPUT_TOKENS] = n;
    r.str[LLM_S_URL].data = text;
    r.str[LLM_S_URL].len = (size_t) (n * 7919 % 9000);

    llm_feed_add(feed, pos, &r);
}


/* its number; -1: it is not whole */

static int64_t
next(uint64_t *pos, int *rc)
{
    size_t           n;
    int64_t          id;
    llm_record_t     r;
    static uint8_t   p[LLM_FEED_RECORD];

    *rc = llm_feed_read(feed, pos, p, &n);

    if (*rc != LLM_OK) {
        return 0;
    }

    if (llm_record_unpack(&r, p, n) != LLM_OK) {
        return -1;
    }

    id = r.num[LLM_N_ID];

    return r.num[LLM_N_INPUT_TOKENS] == id
           && r.str[LLM_S_URL].len == (size_t) (id * 7919 % 9000) ? id : -1;
}


static void
test_order(void)
{
    int       rc, good;
    int64_t   i;
    uint64_t  at, pos;

    llm_feed_init(feed);

    at = llm_feed_head(feed);
    good = 1;

    ok(next(&at, &rc) == 0 && rc == LLM_AGAIN, "a new one is empty");

    /* many times around */

    for (i = 1; i <= 2000; i++) {
        pos = llm_feed_begin(feed);
        add(&pos, i);
        good = good && next(&at, &rc) == 0 && rc == LLM_AGAIN;
        llm_feed_show(feed, pos);
        good = good && next(&at, &rc) == i;
    }

    ok(good && next(&at, &rc) == 0 && rc == LLM_AGAIN,
       "each once, when it is shown");
}


static void
test_batches(void)
{
    int           rc;
    uint64_t      at, pos;
    llm_record_t  r;

    llm_feed_init(feed);
    at = llm_feed_head(feed);

    pos = llm_feed_begin(feed);
    add(&pos, 1);
    pos = llm_feed_begin(feed);
    add(&pos, 2);
    llm_feed_show(feed, pos);

    ok(next(&at, &rc) == 2 && next(&at, &rc) == 0 && rc == LLM_AGAIN,
       "a batch that failed was never there");

    llm_record_init(&r);

    r.str[LLM_S_URL].data = text;
    r.str[LLM_S_URL].len = sizeof(text);

    pos = llm_feed_begin(feed);
    llm_feed_add(feed, &pos, &r);
    add(&pos, 3);
    llm_feed_show(feed, pos);

    ok(next(&at, &rc) == 3, "one that is too large is left out");
}


static void
test_lapped(void)
{
    int       rc;
    int64_t   i, first;
    uint64_t  at, pos;

    llm_feed_init(feed);
    at = llm_feed_head(feed);

    /* one batch that is larger than all of it */

    pos = llm_feed_begin(feed);

    for (i = 1; i <= 1000; i++) {
        add(&pos, i);
    }

    llm_feed_show(feed, pos);

    ok(next(&at, &rc) == 0 && rc == LLM_DECLINED, "who was lapped is told");

    first = next(&at, &rc);

    for (i = first + 1; next(&at, &rc) == i; i++) {
        /* void */
    }

    ok(first > 1 && i == 1001 && rc == LLM_AGAIN,
       "and reads the newest ones, from %d on", (int) first);

    /* a batch that failed has overwritten what it did not show */

    pos = llm_feed_begin(feed);

    for (i = 1; i <= 1000; i++) {
        add(&pos, i);
    }

    at = 0;

    ok(next(&at, &rc) == 0 && rc == LLM_DECLINED
       && next(&at, &rc) == 0 && rc == LLM_AGAIN,
       "what was overwritten and not shown is not read");
}


static void
test_writer(void)
{
    int       rc, good, lapped;
    pid_t     pid;
    int64_t   n, last, seen;
    uint64_t  at, pos;

    llm_feed_init(feed);

    at = llm_feed_head(feed);
    good = 1;
    last = 0;
    seen = 0;
    lapped = 0;

    pid = fork();

    if (pid == 0) {
        (void) alarm(600);

        for (n = 1; /* void */ ; n++) {
            pos = llm_feed_begin(feed);
            add(&pos, n);
            llm_feed_show(feed, pos);
        }
    }

    while (seen < 20000) {
        n = next(&at, &rc);

        if (rc == LLM_DECLINED) {
            lapped++;

            /* as one that does other things in between */

            while (llm_feed_head(feed) - at < LLM_FEED_SIZE / 2) {
                /* void */
            }

        } else if (rc == LLM_OK) {
            good = good && n > last;
            last = n;
            seen++;
        }
    }

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);

    ok(good, "whole while it is written, lapped %d times", lapped);
}
