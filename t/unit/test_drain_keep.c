
/*
 * Copyright (C) llm_monitor contributors
 *
 * Retention: what goes by age and by size, in which order and in what pieces,
 * that its space comes back, what a leaping clock and a full disk do to it,
 * and that nothing of what was cleared stays in the file.
 */


#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_ballast.h"
#include "../../ngx_http_llm_monitor_module/store/llm_keep.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"
#include "../../ngx_http_llm_monitor_module/store/llm_turn.h"


#define DAY   86400000LL
#define BODY  60000
#define SLOT  (8 * 1024 * 1024)        /* a ring, of two batches at least */
#define OVER  (16 * 1024 * 1024)       /* past it records wait */


static void clocks(void);
static void ages(void);
static void sizes(void);
static void held(void);
static void leaps(void);
static void fullness(void);
static void nothing(void);
static void overload(void);
static int more(void *data);
static int never(void *data);

static void opened(int64_t clock);
static void closed(void);
static void add(int n, int64_t ms, int body);
static int pass(void);
static double cpu_ms(void);
static int64_t file_size(const char *name);
static int found(const char *name, const char *text);
static void quiet(void *data, int level, const char *text);


static llm_keep_t     k;
static llm_writer_t  *w;
static int64_t        now;
static double         longest;
static int            slices, slow;


int
main(void)
{
    now = (int64_t) time(NULL) * 1000;

    clocks();
    ages();
    sizes();
    held();
    leaps();
    fullness();
    nothing();
    overload();

    return done_testing();
}


static void
clocks(void)
{
    llm_clock_t  c;

    llm_clock_init(&c, 100 * DAY, 5000);

    ok(llm_clock_now(&c, 100 * DAY + 60000, 65000) == 100 * DAY + 60000,
       "time goes on");
    ok(llm_clock_now(&c, 100 * DAY + 3000000, 66000) == 100 * DAY + 3000000
       && !c.behind, "less than an hour is believed");
    ok(llm_clock_now(&c, 100 * DAY, 67000) == 100 * DAY, "back at once");
    ok(llm_clock_now(&c, 4000 * DAY, 68000) == 100 * DAY + 24000 && c.behind,
       "years ahead are not");
    ok(llm_clock_now(&c, 4000 * DAY, 3668000) == 101 * DAY + 24000,
       "a day an hour");
    ok(llm_clock_now(&c, 101 * DAY, 3669000) == 101 * DAY && !c.behind,
       "put right again");
    ok(llm_clock_now(&c, 103 * DAY, 3669000 + 3 * 3600000)
       == 103 * DAY && !c.behind, "a leap is made up for");
    ok(llm_clock_now(&c, 120 * DAY, 3669000) == 103 * DAY,
       "a boot clock that began anew");
}


static void
ages(void)
{
    int  i;

    opened(LLM_NULL);

    for (i = 0; i < 100; i++) {
        add(10, now - (i + 1) * 3600000LL, 100);
    }

    k.retention_s = 4 * 86400;
    k.bodies_s = 86400;

    ok(pass() && ask_db("SELECT count(*) FROM log") == 950,
       "rows go by their age");
    ok(ask_db("SELECT count(*) FROM request_body") == 230
       && ask_db("SELECT count(*) FROM log WHERE request_body_state = 6")
          == 950 - 230, "bodies earlier, which the rows say");
    ok(ask_db("SELECT count(*) FROM detail") == 0
       && ask_db("SELECT sum(requests) FROM service") == 1000,
       "the sums stay");

    closed();
    cleanup();
}


static void
sizes(void)
{
    int      i;
    int64_t  used, before;

    opened(LLM_NULL);

    for (i = 0; i < 20; i++) {
        add(30, now - (20 - i) * 60000, BODY);
    }

    add(4000, now, 0);

    ok(llm_purge_used(w, &before) == LLM_OK && before > 600 * BODY,
       "a large database");

    k.max_size = before / 2;

    ok(pass() && llm_purge_used(w, &used) == LLM_OK && used <= k.max_size
       && used > k.max_size * 9 / 10, "is made as small as asked, no smaller");
    ok(ask_db("SELECT count(*) FROM log") == 4600, "of the bodies first");
    ok(ask_db("SELECT max(id) FROM log WHERE request_body_state = 6")
       < ask_db("SELECT min(id) FROM request_body"), "the oldest ones");

    (void) llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_TRUNCATE, &i);

    ok(file_size("proxy_logs.db") < k.max_size + k.max_size / 16,
       "its space comes back");

    k.max_size = 900 * 1024;

    ok(pass() && ask_db("SELECT count(*) FROM request_body") == 0
       && ask_db("SELECT count(*) FROM log") > 0
       && ask_db("SELECT count(*) FROM log") < 4600
       && ask_db("SELECT min(id) FROM log") > (now - 60000) << LLM_ID_SHIFT,
       "then rows, the oldest ones");

    (void) llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_TRUNCATE, &i);

    ok(file_size("proxy_logs.db") < 2000 * 1024
       && ask_db("SELECT count(*) FROM pragma_integrity_check"
                 " WHERE integrity_check <> 'ok'") == 0,
       "and the file is small and whole");

    k.max_size = 100000;

    ok(pass() && ask_db("SELECT count(*) FROM log") == 0 && !llm_keep_held(&k),
       "sums alone hold nothing up");

    k.max_size = 30000000;
    add(1000, now, BODY);
    k.size_ms = 0;

    ok(llm_keep_slice(&k, w) == LLM_OK && llm_keep_held(&k),
       "far too large: records wait");
    ok(pass() && !llm_keep_held(&k)
       && ask_db("SELECT count(*) FROM log") == 1000, "until it is not");

    /* how long one takes is the machine's affair, and so how many they are */

    ok(slices > 50, "in %d slices, %d of them took more than 10 ms of CPU, "
       "the longest %.1f ms", slices, slow, longest);

    closed();
    cleanup();
}


/* While records wait, no ring is looked through, for which the files wait. */

static void
held(void)
{
    int  i;

    opened(LLM_NULL);
    add(100, now, BODY);

    k.max_size = 8000000;
    k.scanned = 0;

    ok(pass() && !llm_keep_held(&k), "the last stages wait for the rings");

    add(600, now, BODY);
    k.size_ms = 0;

    ok(llm_keep_slice(&k, w) != LLM_ERROR && llm_keep_held(&k),
       "too large by then: records wait");

    for (i = 0; i < 1000 && llm_keep_held(&k); i++) {
        k.size_ms = 0;

        if (llm_keep_slice(&k, w) == LLM_ERROR) {
            break;
        }
    }

    ok(!llm_keep_held(&k), "but not for ever");

    k.scanned = 1;
    ok(pass() && file_size("ballast") > 0, "and the pass ends");

    closed();
    cleanup();
}


/* Rows of long ago, and the newest one tells what time it was then. */

static void
leaps(void)
{
    opened(LLM_NULL);
    add(100, now - 400 * DAY, 0);
    add(100, now - 369 * DAY, 0);
    closed();

    opened(now - 369 * DAY);
    k.retention_s = 30 * 86400;

    ok(pass() && ask_db("SELECT count(*) FROM log") == 100,
       "a year ahead: only what was old before goes");
    ok(k.clock.behind && strstr(said, "leapt") != NULL, "it is said");

    k.clock.boot_ms -= 3600000;
    k.next_ms = 0;

    ok(pass() && k.now > now - 369 * DAY + 23 * 3600000LL
       && ask_db("SELECT value FROM meta WHERE key = 'clock'") == k.now,
       "it follows, which is stored");

    k.clock.ms = now;
    k.next_ms = 0;

    ok(pass() && ask_db("SELECT count(*) FROM log") == 0, "in the end");

    add(100, now + 4000 * DAY, 0);
    add(100, now, 0);
    k.next_ms = 0;

    ok(pass() && ask_db("SELECT count(*) FROM log") == 200,
       "rows of the future stay");

    closed();

    opened(0);
    ok(k.clock.ms >= now && k.clock.ms < now + DAY,
       "nor does the future lead the clock");
    closed();
    cleanup();
}


static void
fullness(void)
{
    int  i;

    opened(LLM_NULL);
    add(100, now, 0);
    k.max_size = 1LL << 30;

    ok(pass() && file_size("ballast") == 16 * 1024 * 1024,
       "there is a ballast");

    w->db.code = SQLITE_IOERR_WRITE;
    llm_keep_failed(&k, w);

    ok(!llm_keep_held(&k) && file_size("ballast") > 0,
       "which an I/O error does not need");

    add(100, now - 10 * DAY, 0);
    k.retention_s = 86400;

    w->db.code = SQLITE_FULL;
    llm_keep_failed(&k, w);

    ok(llm_keep_held(&k) && file_size("ballast") == -1
       && strstr(said, "full") != NULL, "a full disk does, and records wait");

    ok(pass() && ask_db("SELECT count(*) FROM log") == 100,
       "old rows go though");
    ok(!llm_keep_held(&k) && file_size("ballast") == 16 * 1024 * 1024,
       "with room on the disk it is over");

    w->db.code = SQLITE_FULL;
    llm_keep_failed(&k, w);
    k.ballast = 1LL << 50;

    ok(pass() && llm_keep_held(&k) && file_size("ballast") == -1
       && k.next_ms <= llm_control_now() + 1000,
       "without, it looks again and again");

    k.ballast = 0;
    k.next_ms = 0;
    ok(pass() && !llm_keep_held(&k), "and goes on");

    closed();
    cleanup();

    for (i = 0; i < 2; i++) {
        fresh();
        (void) (i ? symlink("/etc/passwd", path("ballast"))
                  : mkdir(path("ballast"), 0700));

        ok(llm_ballast_make(dir, LLM_BALLAST_MIN) == LLM_ERROR
           && llm_ballast_drop(dir) == 0,
           i ? "a link is no ballast" : "nor is a directory");
        cleanup();
    }
}


/* The writer of the module, and a grep through its files. */

static void
nothing(void)
{
    int                i;
    char               mail[64];
    size_t             len;
    uint8_t            args[4096];
    llm_str_t          query;
    llm_drain_t       *d;
    llm_record_t       r;
    llm_filter_t      *filter;
    llm_query_error_t  err;

    fresh();
    memset(&keep, 0, sizeof(keep));
    d = start();

    for (i = 0; i < 3000; i++) {
        fill(&r, ++made);
        r.str[LLM_S_ACCOUNT].data = (uint8_t *) mail;
        r.str[LLM_S_ACCOUNT].len = sprintf(mail, "secret%d@cleared.example",
                                           i % 700);
        r.str[LLM_S_USER] = r.str[LLM_S_ACCOUNT];
        r.str[LLM_S_SESSION] = r.str[LLM_S_ACCOUNT];
        r.str[LLM_S_ERROR] = r.str[LLM_S_ACCOUNT];
        r.str[LLM_S_REQUEST_BODY] = r.str[LLM_S_ACCOUNT];
        r.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_STORED;
        publish(&ring, &r);
    }

    ok(wait_written(3000)
       && (found("proxy_logs.db", "cleared.example")
           || found("proxy_logs.db-wal", "cleared.example")),
       "there are addresses in the file");

    query.data = (const uint8_t *) "stats=1&all=1";
    query.len = 13;

    ok(llm_filter_parse(&filter, &query, LLM_FOR_CLEAR, now, &err) == LLM_OK
       && llm_filter_pack(filter, args, sizeof(args), &len) == LLM_OK
       && command(LLM_COMMAND_CLEAR, args, len) == 3000, "all is cleared");
    llm_filter_free(filter);

    ok(ask_db("SELECT count(*) FROM dict") == 0
       && ask_db("SELECT count(*) FROM session") == 0, "texts too");
    ok(!found("proxy_logs.db", "cleared.example")
       && !found("proxy_logs.db-wal", "cleared.example"),
       "not one address is left");
    ok(ask_db("PRAGMA freelist_count") == 0, "nor a free page");

    publish_n(100);
    ok(wait_written(3100) && sums_equal(100)
       && ask_db("SELECT count(*) FROM log AS l JOIN dict AS d"
                 " ON d.id = l.model JOIN session AS s ON s.id = l.session")
          == 100, "what comes next has its texts");

    stop(d);
    cleanup();
}


/*
 * More comes than can be written, for as long as a minute: after each commit
 * the ring is full again.  What grows too large is looked at all the same.
 */

static void
overload(void)
{
    int               fd;
    int64_t           end, stop_ms;
    uint64_t          used, room;
    llm_ring_t        small;
    llm_drain_conf_t  conf;

    static llm_turn_t  t;

    fresh();
    fd = new_ring(&small, "ring.small", SLOT, 7);

    memset(&conf, 0, sizeof(conf));
    conf.dir = dir;
    conf.ring_dir = dir;
    conf.ring = &small;
    conf.control = control;
    conf.synchronous = 1;
    conf.max_size = 1 << 20;
    conf.trouble = &trouble;
    conf.log = quiet;

    if (llm_turn_init(&t, &conf, never, NULL) != LLM_OK) {
        abort();
    }

    llm_turn(&t);

    end = llm_control_now() + 60000;
    ring = small;
    sqlite3_commit_hook(t.writer.db.handle, more, &end);
    (void) more(&end);

    llm_turn_urgent(&t);
    llm_ring_usage(&small, &used, &room);

    ok(used > room / 4, "a ring that is never empty leaves time for others");

    sqlite3_commit_hook(t.writer.db.handle, NULL, NULL);
    t.keep.size_ms = 0;

    ok(llm_purge_used(&t.writer, &end) == LLM_OK && end > conf.max_size,
       "the database is larger than it may be");

    /* who is in a hurry must not only add to it */

    w = &t.writer;
    add(400, now, BODY);
    stop_ms = llm_control_now() + 60000;

    do {
        llm_turn_urgent(&t);
    } while (llm_purge_used(&t.writer, &end) == LLM_OK
             && end > conf.max_size + OVER && llm_control_now() < stop_ms);

    ok(end <= conf.max_size + OVER, "by far: it is made room before records");

    stop_ms = llm_control_now() + 60000;

    do {
        llm_turn(&t);
    } while (llm_purge_used(&t.writer, &end) == LLM_OK && end > conf.max_size
             && llm_control_now() < stop_ms);

    ok(end <= conf.max_size, "which is mended");

    llm_turn_end(&t, llm_control_now() + 1000);
    llm_turn_done(&t);
    close(fd);
    cleanup();
}


static int
more(void *data)
{
    if (llm_control_now() < *(int64_t *) data) {
        while (publish_n(1)) { /* void */ }
    }

    return 0;
}


static int
never(void *data)
{
    return 0;
}


/* The clock: that of the database before, or LLM_NULL for a new directory. */

static void
opened(int64_t clock)
{
    if (clock == LLM_NULL) {
        fresh();
    }

    memset(&k, 0, sizeof(k));
    k.scanned = 1;
    w = calloc(1, sizeof(llm_writer_t));

    snprintf(w->db.dir, sizeof(w->db.dir), "%s", dir);
    w->db.synchronous = 1;
    w->db.log = quiet;
    w->control = control;
    w->spool_fd = -1;

    if (llm_writer_open(w) != LLM_OK || llm_keep_open(&k, w) != LLM_OK) {
        ok(0, "the database opens");
    }

    if (clock > 0) {
        ok(k.clock.ms == clock, "its newest row tells the time");
    }
}


static void
closed(void)
{
    llm_writer_close(w);
    free(w);
}


static void
add(int n, int64_t ms, int body)
{
    size_t           i;
    llm_record_t     r;
    static uint64_t  text[BODY / 8], x = 88172645463325252;

    if (llm_writer_begin(w) != LLM_OK) {
        abort();
    }

    while (n-- > 0) {
        fill(&r, ++made);
        r.num[LLM_N_TIMESTAMP] = ms;
        r.num[LLM_N_ID] = ms << LLM_ID_SHIFT | (made & LLM_ID_COUNTER_MASK);

        if (body > 0) {

            /* zstd finds nothing in it */

            for (i = 0; i < BODY / 8; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                text[i] = x ^= x << 17;
            }

            r.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_STORED;
            r.str[LLM_S_REQUEST_BODY].data = (uint8_t *) text;
            r.str[LLM_S_REQUEST_BODY].len = body;
        }

        if (llm_writer_add(w, &r, LLM_WRITE_ROW) != LLM_OK) {
            abort();
        }
    }

    if (llm_writer_commit(w) != LLM_OK) {
        abort();
    }
}


/* A whole pass; 0 if it fails. */

static int
pass(void)
{
    int     rc;
    double  took;

    k.next_ms = 0;
    k.size_ms = 0;

    do {
        took = cpu_ms();
        rc = llm_keep_slice(&k, w);
        took = cpu_ms() - took;

        slices++;
        slow += took > 10;
        longest = took > longest ? took : longest;

    } while (rc == LLM_OK);

    return rc == LLM_AGAIN;
}


static double
cpu_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}


static int64_t
file_size(const char *name)
{
    struct stat  st;

    return lstat(path(name), &st) == 0 ? st.st_size : -1;
}


static int
found(const char *name, const char *text)
{
    int      fd, yes;
    char    *p;
    int64_t  size;

    size = file_size(name);

    if (size <= 0) {
        return 0;
    }

    p = malloc(size);
    fd = open(path(name), O_RDONLY);
    yes = fd != -1 && read(fd, p, size) == size
          && memmem(p, size, text, strlen(text)) != NULL;

    free(p);
    close(fd);

    return yes;
}


static void
quiet(void *data, int level, const char *text)
{
    snprintf(said, sizeof(said), "%s", text);

    if (getenv("TEST_VERBOSE")) {
        fprintf(stderr, "# log %d: %s\n", level, text);
    }
}
