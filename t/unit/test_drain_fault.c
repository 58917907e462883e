
/*
 * Copyright (C) llm_monitor contributors
 *
 * What goes wrong: killed writers, a database that is locked, lost, foreign,
 * corrupt or full.
 */


#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"


static void replay(void);
static void kills(void);
static void busy(void);
static void files(void);
static void moved(int how);
static void moved_while_read(void);
static void no_wal(void);
static void spoiled(void);
static void cut(off_t size);
static void unread(void);
static ssize_t no_read(int fd, void *p, size_t n, off_t at);
static int64_t rows_of(const char *file);
static ssize_t move_and_write(int fd, const void *p, size_t n, off_t at);
static void no_lock(void);
static void full(void);
static void refused(void);
static int write_text(const char *name, const char *text);
static int aside(const char *why);


/* what the next write of the database does to it */

enum { MOVED = 1, DELETED, REPLACED };

static int  moves;

/* nothing but headers can be read */

static int  unreadable;


int
main(void)
{
    srandom(time(NULL));

    replay();
    kills();
    busy();
    files();
    moved(MOVED);
    moved(DELETED);
    moved(REPLACED);
    moved_while_read();
    no_wal();
    spoiled();
    cut(0);
    cut(8192);
    unread();
    no_lock();
    full();
    refused();

    return done_testing();
}


/*
 * Death between commit and release, for certain: that writer sees a private
 * copy of the ring, so nothing that it releases is seen by the next one.
 */

static void
replay(void)
{
    int           fd;
    void         *map;
    pid_t         pid;
    llm_drain_t  *d;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();
    publish_n(300);
    fill(&r, ++made);
    r.num[LLM_N_FLAGS] = LLM_RECORD_LEDGER_ONLY;
    publish(&ring, &r);

    pid = fork();

    if (pid == 0) {
        fd = open(path("ring.own"), O_RDWR);
        map = mmap(NULL, RING, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 0);
        llm_ring_attach(&ring, map, RING);
        d = start();
        nap(60000);
        _exit(d == NULL);
    }

    (void) until(ask_db("SELECT count(*) FROM log") == 300);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    llm_ring_terms(&ring, &t);
    ok(t.in_ring == 301 && t.written == 0, "committed, not released");

    publish_n(10);
    d = start();
    ok(wait_written(311), "the next writer releases them");
    stop(d);

    ok(law(&t) && t.written == 310 && t.ledger_only == 1,
       "as what they became");
    ok(ask_db("SELECT count(*) FROM log") == 310 && sums_equal(311)
       && control->duplicate_ids == 0, "exactly once");
    cleanup();
}


static void
kills(void)
{
    int           i;
    pid_t         pid;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();

    for (i = 0; i < 60; i++) {
        pid = fork();

        if (pid == 0) {
            d = start();
            nap(60000);
            _exit(d == NULL);
        }

        publish_n(random() % 150);
        nap(random() % 25);
        publish_n(random() % 50);
        nap(random() % 10);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }

    d = start();

    ok(wait_written(made), "60 killed writers: all is written");
    stop(d);

    ok(ask_db("SELECT count(*) FROM log") == (int64_t) made,
       "exactly once: %d rows", (int) made);
    ok(ask_db("SELECT count(DISTINCT seq) FROM log") == (int64_t) made,
       "each with a seq");
    ok(sums_equal(made), "exactly once in the ledger");
    ok(law(&t) && t.written == made && t.in_ring == 0, "the law");
    ok(ask_db("SELECT count(*) FROM pragma_integrity_check"
              " WHERE integrity_check = 'ok'") == 1, "integrity");
    ok(control->duplicate_ids == 0, "no duplicate");

    cleanup();
}


static void
busy(void)
{
    sqlite3      *db;
    llm_drain_t  *d;

    fresh();
    d = start();
    publish_n(10);
    wait_written(10);

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_busy_timeout(db, 1000);
    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    publish_n(10);
    ok(wait_down(10) && (control->db_error & 0xff) == SQLITE_BUSY,
       "another process holds the database");

    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    ok(wait_written(20) && wait_up(), "and lets go of it");

    stop(d);
    ok(ask_db("SELECT count(*) FROM log") == 20, "nothing is lost");
    cleanup();
}


static void
files(void)
{
    int           fd;
    char          text[] = "garbage garbage garbage garbage garbage";
    sqlite3      *db;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    d = start();
    publish_n(100);
    ok(wait_written(100), "before");

    unlink(path("proxy_logs.db"));
    publish_n(10);
    ok(wait_written(110) && ask_db("SELECT count(*) FROM log") == 10,
       "deleted: made again");
    ok(control->db_reopened == 1, "counted");

    rename(path("proxy_logs.db"), path("old.db"));
    publish_n(20);
    ok(wait_written(130) && ask_db("SELECT count(*) FROM log") == 20,
       "renamed: made again");

    rename(path("old.db"), path("proxy_logs.db"));
    publish_n(5);
    ok(wait_written(135) && ask_db("SELECT count(*) FROM log") == 15,
       "replaced by an older one of ours: goes on in it");
    ok(ask_db("SELECT count(*) FROM pragma_integrity_check"
              " WHERE integrity_check = 'ok'") == 1, "and no old WAL with it");

    unlink(path("proxy_logs.db"));
    write_text("proxy_logs.db", text);
    publish_n(5);
    ok(wait_written(140) && aside("corrupt"), "a text file is moved aside");

    stop(d);

    unlink(path("proxy_logs.db"));
    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "CREATE TABLE mine (a); INSERT INTO mine VALUES (1)",
                 NULL, NULL, NULL);
    sqlite3_close(db);

    d = start();
    publish_n(5);
    ok(wait_written(145) && aside("foreign"),
       "another application's database is moved aside");
    stop(d);

    unlink(path("proxy_logs.db"));
    mkdir(path("proxy_logs.db"), 0700);
    forget();
    d = start();
    publish_n(5);
    ok(wait_down(145), "a directory is refused, records wait");
    rmdir(path("proxy_logs.db"));
    ok(wait_written(150) && wait_up(), "and heals");
    stop(d);

    unlink(path("proxy_logs.db"));
    write_text("elsewhere", "");

    if (symlink(path("elsewhere"), path("proxy_logs.db")) == -1) {
        abort();
    }

    forget();
    d = start();
    publish_n(5);
    ok(wait_down(150), "a symlink is refused");
    unlink(path("proxy_logs.db"));
    ok(wait_written(155), "and heals");

    publish_n(2000);
    ok(wait_written(2155), "more");
    stop(d);

    /* pages in the middle are overwritten */

    unlink(path("proxy_logs.db-wal"));
    fd = open(path("proxy_logs.db"), O_RDWR);
    lseek(fd, 4096, SEEK_SET);

    for (int i = 0; i < 2000; i++) {
        if (write(fd, text, sizeof(text)) == -1) {
            abort();
        }
    }

    close(fd);

    d = start();
    publish_n(50);
    ok(wait_written(2205) && aside("corrupt"),
       "a corrupt database is moved aside");
    stop(d);

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(db);

    forget();
    d = start();
    publish_n(5);
    ok(wait_down(2205), "a newer database is not touched");
    stop(d);

    ok(law(&t), "the law");
    cleanup();
}


/*
 * The database goes away while a batch is being committed into it.  The hook
 * is the first write of that commit: the writer has looked at the path before.
 * What is in a file that was moved is not written again; if it was deleted, or
 * another one was moved over it, it is.
 */

static void
moved(int how)
{
    int            i;
    char           sql[640];
    int64_t        there, away;
    sqlite3_vfs   *vfs;
    llm_terms_t    t;
    llm_drain_t   *d;
    llm_record_t   r;

    static const char *const  names[] = { "pwrite", "pwrite64" };

    fresh();

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        (void) vfs->xSetSystemCall(vfs, names[i],
                                   (sqlite3_syscall_ptr) move_and_write);
    }

    d = start();
    publish_n(10);
    ok(wait_written(10) && wait_up(), "a database");

    write_text("spool/body", "a body in a file");
    write_text("empty", "");
    __atomic_store_n(&moves, how, __ATOMIC_RELEASE);

    fill(&r, ++made);
    r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
    r.str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) "body";
    r.str[LLM_S_RESPONSE_SPOOL].len = 4;
    publish(&ring, &r);
    publish_n(99);

    ok(wait_written(110) && until(control->db_reopened == 1)
       && __atomic_load_n(&moves, __ATOMIC_ACQUIRE) == 0,
       "it is %s within a commit", how == MOVED ? "moved away"
       : how == DELETED ? "deleted" : "replaced");

    stop(d);

    for (i = 0; i < 2; i++) {
        (void) vfs->xSetSystemCall(vfs, names[i], NULL);
    }

    there = ask_db("SELECT count(*) FROM log");
    away = 10;

    if (how == MOVED) {
        snprintf(sql, sizeof(sql), "%s/moved.db", dir);
        away = rows_of(sql);
    }

    ok(there + away == 110 && (how == MOVED || there == 100),
       "each of its records is somewhere once: %d and %d", (int) there,
       (int) away);
    ok(how == MOVED
       || (ask_db("SELECT count(*) FROM response_body WHERE size = 16") == 1
           && sums_equal(100)),
       "with its body, and in the ledger");
    ok(access(path("spool/body"), F_OK) == -1,
       "whose file is removed only then");
    ok(law(&t) && t.written == 110, "the law");
    cleanup();
}


/* Its WAL cannot be emptied for a reader, and goes with it. */

static void
moved_while_read(void)
{
    char          file[512];
    sqlite3      *db;
    llm_drain_t  *d;

    fresh();
    d = start();
    publish_n(10);
    ok(wait_written(10), "a database");

    sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_exec(db, "BEGIN; SELECT count(*) FROM log", NULL, NULL, NULL);
    publish_n(90);
    ok(wait_written(100), "that somebody reads");

    snprintf(file, sizeof(file), "%s/moved.db", dir);
    rename(path("proxy_logs.db"), file);
    publish_n(10);
    ok(wait_written(110) && ask_db("SELECT count(*) FROM log") == 10,
       "is moved away");

    stop(d);
    sqlite3_close(db);

    ok(rows_of(file) == 100, "and has its records: %d", (int) rows_of(file));
    cleanup();
}


/*
 * What is committed is seen by others at once and for good, but while somebody
 * needs what is in the old -wal.
 */

static void
no_wal(void)
{
    sqlite3      *db;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    d = start();
    publish_n(100);
    ok(wait_written(100), "a database");

    unlink(path("proxy_logs.db-wal"));
    publish_n(10);
    ok(wait_written(110) && until(control->db_reopened == 1)
       && until(ask_db("SELECT count(*) FROM log") == 110),
       "whose -wal is deleted is opened again");

    publish_n(10);
    ok(wait_written(120) && ask_db("SELECT count(*) FROM log") == 120,
       "and seen again");

    sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_exec(db, "BEGIN; SELECT count(*) FROM log", NULL, NULL, NULL);
    publish_n(10);
    wait_written(130);
    unlink(path("proxy_logs.db-wal"));
    publish_n(10);
    ok(wait_written(140) && control->db_reopened == 1,
       "not while somebody reads");
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    ok(until(control->db_reopened == 2)
       && until(ask_db("SELECT count(*) FROM log") == 140), "but then");

    stop(d);
    ok(law(&t) && sums_equal(140) && ask_db("SELECT count(*) FROM"
       " pragma_integrity_check WHERE integrity_check = 'ok'") == 1,
       "the law, the sums, integrity");
    cleanup();
}


/* Not a batch more goes into it, or it would be lost with it. */

static void
spoiled(void)
{
    int           n, fd;
    char          noise[8192];
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    d = start();
    publish_n(100);
    ok(wait_written(100), "a database");

    memset(noise, 0xa5, sizeof(noise));

    /* a checkpoint, which mends it, is made every ten seconds */

    for (n = 110; n < 140 && !aside("corrupt"); n += 10) {
        fd = open(path("proxy_logs.db"), O_WRONLY);

        if (fd == -1 || write(fd, noise, sizeof(noise)) != sizeof(noise)) {
            abort();
        }

        close(fd);

        publish_n(10);
        ok(wait_written(n), "whose beginning is overwritten");
    }

    ok(aside("corrupt") && ask_db("SELECT count(*) FROM log") == 10,
       "is moved aside before the next batch");

    stop(d);
    ok(law(&t), "the law");
    cleanup();
}


/* Somebody empties the file to have an empty log. */

static void
cut(off_t size)
{
    int           n;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    d = start();
    publish_n(300);
    ok(wait_written(300), "a database");
    stop(d);

    d = start();
    publish_n(10);
    ok(wait_written(310), "goes on");

    /* a checkpoint, in which it is not seen, is made every ten seconds */

    for (n = 320; n < 350 && !aside("corrupt"); n += 10) {

        if (truncate(path("proxy_logs.db"), size) == -1) {
            abort();
        }

        publish_n(10);
        ok(wait_written(n), "is cut to %d bytes", (int) size);
    }

    ok(aside("corrupt") && ask_db("SELECT count(*) FROM log") == 10
       && ask_db("SELECT count(*) FROM pragma_integrity_check"
                 " WHERE integrity_check = 'ok'") == 1,
       "and moved aside");

    stop(d);
    ok(law(&t), "the law");
    cleanup();
}


/* SQLite calls it corrupt what the disk did not give. */

static void
unread(void)
{
    int           i;
    sqlite3_vfs  *vfs;
    llm_drain_t  *d;
    llm_terms_t   t;

    static const char *const  names[] = { "pread", "pread64" };

    fresh();
    d = start();
    publish_n(300);
    ok(wait_written(300), "a database");
    stop(d);

    vfs = sqlite3_vfs_find(NULL);

    for (i = 0; i < 2; i++) {
        (void) vfs->xSetSystemCall(vfs, names[i],
                                   (sqlite3_syscall_ptr) no_read);
    }

    forget();
    __atomic_store_n(&unreadable, 1, __ATOMIC_RELEASE);
    d = start();
    publish_n(10);
    ok(wait_down(300), "that cannot be read: records wait");
    __atomic_store_n(&unreadable, 0, __ATOMIC_RELEASE);
    ok(wait_written(310) && wait_up() && !aside("corrupt"),
       "and is not moved aside for that");

    stop(d);

    for (i = 0; i < 2; i++) {
        (void) vfs->xSetSystemCall(vfs, names[i], NULL);
    }

    ok(ask_db("SELECT count(*) FROM log") == 310 && law(&t), "the law");
    cleanup();
}


static ssize_t
no_read(int fd, void *p, size_t n, off_t at)
{
    if (at > 100 && __atomic_load_n(&unreadable, __ATOMIC_ACQUIRE)) {
        errno = EIO;
        return -1;
    }

    return pread(fd, p, n, at);
}


static int64_t
rows_of(const char *file)
{
    int64_t        n;
    sqlite3       *db;
    sqlite3_stmt  *st;

    n = -1;

    sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL);

    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM log", -1, &st, NULL)
        == SQLITE_OK
        && sqlite3_step(st) == SQLITE_ROW)
    {
        n = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);
    sqlite3_close(db);

    return n;
}


static ssize_t
move_and_write(int fd, const void *p, size_t n, off_t at)
{
    char  from[512], to[512];

    snprintf(from, sizeof(from), "%s/proxy_logs.db", dir);
    snprintf(to, sizeof(to), "%s/moved.db", dir);

    switch (__atomic_exchange_n(&moves, 0, __ATOMIC_ACQ_REL)) {

    case MOVED:
        rename(from, to);
        break;

    case DELETED:
        unlink(from);
        break;

    case REPLACED:
        snprintf(to, sizeof(to), "%s/empty", dir);
        rename(to, from);
        break;
    }

    return pwrite(fd, p, n, at);
}


/* Tried again and again, but said once. */

static void
no_lock(void)
{
    int           i;
    llm_drain_t  *d;

    fresh();
    mkdir(path("writer.lock"), 0700);
    said_lines = 0;

    for (i = 0; i < 3; i++) {
        ok(start() == NULL, "a lock that cannot be opened");
    }

    ok(said_lines == 1
       && strstr(said, "writer.lock\" failed: Is a directory, nothing is"
                       " written") != NULL, "is said once: %s", said);

    trouble.said_ms -= 3600000;
    (void) start();
    ok(said_lines == 2, "and once an hour");

    rmdir(path("writer.lock"));

    if (symlink(path("nowhere"), path("writer.lock")) == -1) {
        abort();
    }

    (void) start();
    (void) start();
    ok(said_lines == 3, "and when it changes: %s", said);

    unlink(path("writer.lock"));
    d = start();
    ok(d != NULL && trouble.code == 0, "and healed");
    stop(d);
    cleanup();
}


static void
full(void)
{
    pid_t          pid;
    int            status;
    llm_drain_t   *d;
    llm_terms_t    t;
    struct rlimit  limit = { 768 * 1024, 768 * 1024 };

    fresh();

    pid = fork();

    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        d = start();
        publish_n(5000);
        (void) until(control->db_errors > 1 && !control->db_up);
        llm_ring_terms(&ring, &t);
        status = t.in_ring + t.in_hand == 0 || control->db_errors < 2;
        _exit(status);
    }

    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "a full disk: records wait, db_up 0");

    d = start();
    ok(wait_written(5000), "all are written when there is room");
    stop(d);
    ok(ask_db("SELECT count(*) FROM log") == 5000, "exactly once");
    ok(sums_equal(5000), "in the ledger too");
    ok(law(&t), "the law");

    cleanup();
}


/* What the database refuses for ever costs nobody else his place. */

static void
refused(void)
{
    int           i;
    char          sql[256];
    sqlite3      *db;
    llm_drain_t  *d;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();
    d = start();
    wait_up();
    stop(d);

    /* someone removed rows by hand and left the rest of them */

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "DELETE FROM meta", NULL, NULL, NULL);

    for (i = 3; i <= 9; i += 3) {
        fill(&r, i);
        snprintf(sql, sizeof(sql), "INSERT INTO detail (id) VALUES (%lld)",
                 (long long) r.num[LLM_N_ID]);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }

    sqlite3_close(db);

    for (i = 1; i <= 11; i++) {
        fill(&r, i);
        r.str[LLM_S_ERROR] = r.str[LLM_S_URL];
        publish(&ring, &r);
    }

    d = start();
    ok(wait_written(8) && until(law(&t) && t.in_ring == 0),
       "records that cannot be stored do not stop others");
    stop(d);
    ok(law(&t) && t.written == 8 && t.dropped[LLM_DROP_DB_ERROR] == 3
       && ask_db("SELECT count(*) FROM log") == 8 && sums_equal(8)
       && ask_db("SELECT min(seq) + max(seq) FROM log") == 9,
       "and are counted");
    cleanup();
}


static int
write_text(const char *name, const char *text)
{
    FILE  *f;

    f = fopen(path(name), "w");

    if (f == NULL) {
        return 0;
    }

    fputs(text, f);
    fclose(f);

    return 1;
}


static int
aside(const char *why)
{
    char  cmd[512];

    snprintf(cmd, sizeof(cmd), "ls %s/proxy_logs.db.%s-* >/dev/null 2>&1", dir,
             why);

    return system(cmd) == 0;
}
