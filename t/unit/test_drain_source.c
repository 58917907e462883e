
/*
 * Copyright (C) llm_monitor contributors
 *
 * Where records come from: rings of the living and of the dead, segments of
 * the spool; and who may take them.
 */


#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_owner.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"


static void plain(void);
static void lock(void);
static void halted(void);
static int busy(sqlite3 *db, char **error, const void *api);
static int count(void *data);
static void torn(void);
static void orphans(void);
static void never(void);
static uint64_t in_spool(void);


static volatile uint64_t  counted;


int
main(void)
{
    srandom(time(NULL));

    plain();
    lock();
    halted();
    torn();
    orphans();
    never();

    return done_testing();
}


static void
plain(void)
{
    llm_drain_t    *d;
    llm_terms_t     t;
    llm_record_t    r;

    fresh();
    d = start();

    ok(d != NULL, "becomes the writer");
    ok(start() == NULL, "no second one");

    publish_n(1000);

    ok(wait_written(1000), "1000 records are written");
    ok(ask_db("SELECT count(*) FROM log") == 1000, "as rows");
    ok(sums_equal(1000), "and in the ledger");
    ok(ask_db("SELECT count(*) FROM log WHERE failed = 1") == 100, "errors");
    ok(ask_db("SELECT max(seq) - min(seq) FROM log") == 999, "seq has no hole");
    ok(ask_db("SELECT count(*) FROM dict") == 1 + 3 + 1 + 7 + 1,
       "each text once");
    ok(ask_db("SELECT count(*) FROM session") == 5, "sessions");
    ok(ask_db("SELECT count(*) FROM logs WHERE url LIKE '/v1/x/_'"
              " AND model LIKE 'model-_' AND session_id LIKE 'session-_'"
              " AND api_key = '1234' AND method = 'POST'"
              " AND total_tokens = 15 AND duration_ms > 1"
              " AND strftime('%s', timestamp) BETWEEN '1790000000'"
              " AND '1790000002'") == 1000, "the view shows them");

    fill(&r, 7);
    publish(&ring, &r);

    ok(wait_written(1001) && control->duplicate_ids == 1
       && ask_db("SELECT count(*) FROM log") == 1001,
       "a duplicate id gets the next free one");

    fill(&r, 2000);
    r.num[LLM_N_FLAGS] = LLM_RECORD_LEDGER_ONLY;
    publish(&ring, &r);
    fill(&r, 2001);
    r.num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
    publish(&ring, &r);

    ok(wait_written(1003)
       && ask_db("SELECT count(*) FROM log") == 1002
       && ask_db("SELECT sum(requests) FROM service") == 1003
       && ask_db("SELECT sum(total_tokens) FROM service") == 15 * 1002,
       "paused: ledger only; no sums: counted without tokens");

    ok(law(&t) && t.ledger_only == 1 && t.written == 1002, "the law");

    llm_drain_leave(d);

    ok(until(llm_drain_left(d)) && control->writer_pid == 0, "left");

    llm_drain_stop(d, 0);
    publish_n(10);
    d = start();

    ok(wait_written(1013), "the next writer goes on");

    publish_n(500);
    stop(d);

    ok(ask_db("SELECT count(*) FROM log") == 1512, "stop drains on");
    ok(law(&t) && t.in_ring == 0, "the law at the end");

    cleanup();
}


/* A lock whose file has another name, or none, locks nobody out. */

static void
lock(void)
{
    int           i, fd;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();

    for (i = 0; i < 2; i++) {
        d = start();
        publish_n(100);
        wait_written(made);

        if (i == 0) {
            unlink(path("writer.lock"));

        } else {
            fd = open(path("new"), O_RDWR|O_CREAT, 0600);
            close(fd);
            rename(path("new"), path("writer.lock"));
        }

        publish_n(100);

        ok(until(llm_drain_left(d)) && control->writer_pid == 0,
           "gives a lost lock up");
        stop(d);
    }

    d = start();
    ok(d != NULL && wait_written(400), "the next one takes it and goes on");
    stop(d);
    ok(law(&t) && ask_db("SELECT count(*) FROM log") == 400, "exactly once");
    cleanup();
}


/* A writer that is busy for ever does nothing more when it is halted. */

static void
halted(void)
{
    int           status;
    pid_t         pid;
    uint64_t      before;
    llm_drain_t  *d;

    fresh();
    publish_n(1);

    pid = fork();

    if (pid == 0) {
        (void) sqlite3_auto_extension((void (*)(void)) busy);

        d = start();

        if (!until(counted > 0) || llm_drain_stop(d, 0) != LLM_AGAIN) {
            _exit(2);
        }

        llm_drain_halt(d);

        before = counted;
        nap(50);

        _exit(counted == before ? 0 : 1);
    }

    ok(pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
       && WEXITSTATUS(status) == 0, "a writer that hangs can be halted");

    cleanup();
}


static int
busy(sqlite3 *db, char **error, const void *api)
{
    (void) sqlite3_commit_hook(db, count, NULL);

    return SQLITE_OK;
}


static int
count(void *data)
{
    do {
        counted++;
    } while (counted > 0);

    return 0;
}


static void
torn(void)
{
    pid_t             pid;
    llm_drain_t      *d;
    llm_terms_t       t;
    llm_ring_slot_t   slot;

    fresh();
    publish_n(10);
    pid = fork();

    if (pid == 0) {
        llm_ring_reserve(&ring, 300, getpid(), &slot);
        _exit(0);
    }

    waitpid(pid, NULL, 0);
    publish_n(10);

    /* one whose pid is this process's by now, but which did not start then */

    llm_ring_reserve(&ring, 300, (int64_t) 1 << 32 | getpid(), &slot);

    llm_ring_reserve(&ring, 5, getpid(), &slot);
    memset(slot.data, 0xff, 5);
    llm_ring_commit(&ring, &slot);

    d = start();

    ok(wait_written(23), "records around a torn one");
    ok(law(&t) && t.dropped[LLM_DROP_TORN] == 3 && t.written == 20,
       "torn and garbled ones are counted");

    stop(d);
    cleanup();
}


static void
orphans(void)
{
    int           i, dead, alive, sfd;
    char          name[512];
    uint8_t       buf[1024];
    llm_ring_t    other, living;
    llm_drain_t  *d;
    llm_spool_t   spool;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();

    dead = new_ring(&other, "ring.dead", 1 << 20, 77);
    alive = new_ring(&living, "ring.alive", 1 << 20, 78);

    for (i = 1; i <= 50; i++) {
        fill(&r, 10000 + i);
        publish(&other, &r);
        fill(&r, 20000 + i);
        publish(&living, &r);
    }

    /* a mapping keeps the lock as well */

    munmap(other.map, other.size);
    close(dead);
    close(open(path("ring.junk"), O_RDWR|O_CREAT, 0600));

    if (truncate(path("ring.junk"), 1 << 20) == -1) {
        abort();
    }

    sfd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    for (i = 1; i <= 30; i++) {
        fill(&r, 30000 + i);
        llm_ring_count_spooled(&ring);
        llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    }

    publish_n(20);
    d = start();

    ok(wait_written(100), "own ring, dead ring, segment");
    ok(until(became(&living) == 50), "another living ring is emptied");
    ok(until(access(path("ring.dead"), F_OK) == -1), "the dead one is gone");
    ok(access(path("ring.alive"), F_OK) == 0, "the living one is not");
    ok(access(path("ring.junk"), F_OK) == 0, "nor what is no ring");
    ok(ask_db("SELECT count(*) FROM log") == 150, "all are rows");
    ok(law(&t) && t.recovered == 50 && t.in_spool == 0 && t.written == 100,
       "the law counts the dead ring as recovered");

    /* a segment that grows, and one that was given up with a torn tail */

    fill(&r, 40000);
    llm_ring_count_spooled(&ring);
    llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));

    ok(wait_written(101), "a segment that grew");

    fill(&r, 40001);
    llm_ring_count_spooled(&ring);
    llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    llm_spool_close(&spool);

    ok(wait_written(102), "a segment that ended");

    snprintf(name, sizeof(name), "spool/%s", spool.name);

    ok(until(access(path(name), F_OK) == -1), "is removed");

    stop(d);
    ok(law(&t), "the law at the end");

    close(alive);
    close(sfd);
    cleanup();
}


/*
 * A worker that died between counting a record as spooled and appending it,
 * while another one holds a segment and has no use for it.
 */

static void
never(void)
{
    int           share, sfd;
    uint8_t       buf[1024];
    llm_spool_t   spool;
    llm_drain_t  *d;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();

    sfd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    share = llm_control_join(control, llm_owner_self());

    llm_control_spooling(control, share, 1);
    llm_ring_count_spooled(&ring);

    publish_n(1);
    d = start();

    ok(wait_written(1), "a record in the ring");

    nap(2500);
    ok(in_spool() == 1, "what a living worker will append is waited for");

    fill(&r, 50000);
    llm_ring_count_spooled(&ring);
    llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    llm_control_leave(control, share);

    ok(until(in_spool() == 0), "what a dead one never appended is not");
    ok(law(&t) && t.dropped[LLM_DROP_TORN] == 1 && t.written == 2,
       "it counts as torn, and what another one appended as written");

    stop(d);
    llm_spool_close(&spool);
    close(sfd);
    cleanup();
}


static uint64_t
in_spool(void)
{
    llm_terms_t  t;

    (void) law(&t);

    return t.in_spool;
}
