
/*
 * Copyright (C) llm_monitor contributors
 *
 * Marks: a batch that was committed by a writer which died before it could
 * say so is neither written nor counted twice, and a mark lives as long as
 * what it is about.
 */


#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"


#define RINGS     "SELECT count(*) FROM drained"
#define SEGMENTS  "SELECT count(*) FROM drained_segment"


static void told(void);
static void forgotten(void);
static void swept(void);
static void spool_n(int n);
static void dead_ring(const char *name, uint64_t identity, int n);
static pid_t private_writer(void);
static ssize_t write_or_die(int fd, const void *p, size_t n, off_t at);
static void change_db(const char *sql);


/* the file without which the next write of the database is not made */

static char         watched[512];

static int          spool_fd;
static llm_spool_t  spool;


int
main(void)
{
    llm_spool_init(&spool);

    told();
    forgotten();
    swept();

    return done_testing();
}


/* The first writer sees a private copy of the ring: it tells it nothing. */

static void
told(void)
{
    pid_t         pid;
    char          name[128];
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    spool_fd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    spool_n(200);

    pid = private_writer();
    (void) until(ask_db("SELECT count(*) FROM log") == 200);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    ok(law(&t) && t.in_spool == 200 && t.written == 0,
       "a segment's batch is committed, the ring does not know");

    spool_n(7);
    d = start();
    ok(wait_written(207) && until(law(&t) && t.in_spool == 0),
       "the next writer tells it");
    ok(t.written == 207 && t.recovered == 0 && t.finished == 207,
       "as what they became");
    stop(d);

    d = start();
    spool_n(3);
    ok(wait_written(210) && until(law(&t) && t.in_spool == 0)
       && t.written == 210, "and not again");
    ok(ask_db("SELECT count(*) FROM log") == 210 && sums_equal(210)
       && control->duplicate_ids == 0, "each is there once");
    ok(ask_db(SEGMENTS) == 1, "a segment that may grow has a mark");

    snprintf(name, sizeof(name), "spool/%s", spool.name);
    llm_spool_close(&spool);
    ok(until(access(path(name), F_OK) == -1 && ask_db(SEGMENTS) == 0),
       "one that is gone has none");

    stop(d);
    close(spool_fd);
    cleanup();
}


/* Death between the removal of a file and that of its mark. */

static void
forgotten(void)
{
    int           i;
    pid_t         pid;
    llm_drain_t  *d;
    llm_terms_t   t;

    for (i = 0; i < 2; i++) {
        fresh();
        spool_fd = open(path("spool"), O_RDONLY|O_DIRECTORY);

        if (i == 0) {
            dead_ring("ring.dead", 77, 20);
            snprintf(watched, sizeof(watched), "%s/ring.dead", dir);

        } else {
            spool_n(20);
            snprintf(watched, sizeof(watched), "%s/spool/%s", dir, spool.name);
            llm_spool_close(&spool);
        }

        pid = private_writer();
        waitpid(pid, NULL, 0);

        ok(access(watched, F_OK) == -1 && ask_db(i == 0 ? RINGS : SEGMENTS)
           == 1, "the %s is gone, its mark is not", i ? "segment" : "ring");

        d = start();
        publish_n(5);
        ok(until(ask_db("SELECT count(*) FROM log") == 25)
           && sums_equal(25), "nothing is written twice");
        stop(d);

        change_db("UPDATE drained SET ms = ms - 2 * 86400000;"
                  "UPDATE drained_segment SET ms = ms - 2 * 86400000");

        d = start();
        ok(until(ask_db(SEGMENTS) == 0
                 && ask_db(RINGS " WHERE ring = 77") == 0)
           && ask_db(RINGS) == 1, "it is swept a day later");
        stop(d);

        ok(law(&t) && ask_db("SELECT count(*) FROM log") == 25, "the law");
        close(spool_fd);
        cleanup();
    }

    watched[0] = '\0';
}


/* However old it is, the mark of a segment that is there stays. */

static void
swept(void)
{
    llm_drain_t  *d;

    fresh();
    spool_fd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    spool_n(10);
    publish_n(10);
    d = start();
    wait_written(20);
    stop(d);

    change_db("UPDATE drained SET ms = 1;"
              "UPDATE drained_segment SET ms = 1;"
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
              " WHERE i < 400) INSERT INTO drained_segment (segment, offset,"
              " ms) SELECT i, 100, 1 FROM n");
    ok(ask_db(SEGMENTS) == 401, "marks of segments that are no more");

    d = start();
    ok(until(ask_db(SEGMENTS) == 401 - 256), "go");
    stop(d);
    d = start();
    ok(until(ask_db(SEGMENTS) == 1), "in slices");
    spool_n(1);
    ok(wait_written(21) && ask_db("SELECT count(*) FROM log") == 21
       && sums_equal(21), "not that of one that is there");
    ok(ask_db(RINGS) == 1, "nor that of the own ring");
    stop(d);

    llm_spool_close(&spool);
    close(spool_fd);
    cleanup();
}


static void
spool_n(int n)
{
    uint8_t       buf[2048];
    llm_record_t  r;

    while (n-- > 0) {
        fill(&r, ++made);
        llm_ring_count_spooled(&ring);

        if (llm_spool_append(&spool, spool_fd, buf, llm_record_pack(&r, buf))
            < 0)
        {
            abort();
        }
    }
}


static void
dead_ring(const char *name, uint64_t identity, int n)
{
    int           fd;
    llm_ring_t    dead;
    llm_record_t  r;

    fd = new_ring(&dead, name, 1 << 20, identity);

    while (n-- > 0) {
        fill(&r, ++made);
        publish(&dead, &r);
    }

    munmap(dead.map, dead.size);
    close(fd);
}


static pid_t
private_writer(void)
{
    int           fd;
    void         *map;
    pid_t         pid;
    sqlite3_vfs  *vfs;

    pid = fork();

    if (pid != 0) {
        return pid;
    }

    fd = open(path("ring.own"), O_RDWR);
    map = mmap(NULL, RING, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 0);
    llm_ring_attach(&ring, map, RING);

    if (watched[0] != '\0') {
        vfs = sqlite3_vfs_find(NULL);

        (void) vfs->xSetSystemCall(vfs, "pwrite",
                                   (sqlite3_syscall_ptr) write_or_die);
        (void) vfs->xSetSystemCall(vfs, "pwrite64",
                                   (sqlite3_syscall_ptr) write_or_die);
    }

    if (start() != NULL) {
        nap(120000);
    }

    _exit(1);
}


static ssize_t
write_or_die(int fd, const void *p, size_t n, off_t at)
{
    if (access(watched, F_OK) == -1) {
        _exit(0);
    }

    return pwrite(fd, p, n, at);
}


static void
change_db(const char *sql)
{
    sqlite3  *db;

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
}
