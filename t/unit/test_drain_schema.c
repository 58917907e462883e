
/*
 * Copyright (C) llm_monitor contributors
 *
 * Migrations: a database that an older version made and filled is taken on,
 * whenever the process dies; one of a newer version is left alone.
 */


#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_query.h"
#include "../../ngx_http_llm_monitor_module/store/llm_schema.h"


#define OLD_ROWS  100

/* of sums, long before what the test writes */
#define OLD_DAY   (20000LL * LLM_DAY_MS)

/* no migration writes so often */
#define WRITES    400

/* what a table is like after the step that makes it so */
#define HAS_LIMIT  "SELECT count(*) FROM pragma_table_info('log')"            \
                   " WHERE name = 'body_limit'"


static void migrated(void);
static void read_back(int64_t id, const char *shown);
static void killed(int version, int every);
static int dies(int64_t writes);
static ssize_t last_write(int fd, const void *p, size_t n, off_t at);
static void newer(int in_wal);
static void old_database(void);
static void set_version(int version, int in_wal);
static uint64_t print(const char *name);


static int  writes_left;


int
main(void)
{
    srandom(time(NULL));

    migrated();
    killed(0, 4);
    killed(1, 1);
    newer(0);
    newer(1);

    return done_testing();
}


static void
migrated(void)
{
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    old_database();
    ok(ask_db(HAS_LIMIT) == 0, "a database of the first version");

    made = OLD_ROWS;
    publish_n(49);
    fill(&r, ++made);
    r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_TOO_LARGE;
    r.num[LLM_N_BODY_LIMIT] = 5 * 1024 * 1024;
    publish(&ring, &r);

    d = start();
    ok(d != NULL && wait_written(50), "is written to");
    ok(ask_db("SELECT count(*) FROM gone") == 4
       && ask_db("SELECT min(t) FROM gone") == OLD_DAY
       && ask_db("SELECT max(t) FROM gone") == OLD_DAY + 3 * LLM_DAY_MS,
       "of the days before, something may have gone");
    ok(ask_db("PRAGMA user_version") == LLM_SCHEMA_VERSION
       && ask_db(HAS_LIMIT) == 1, "and is of the newest version then");
    ok(ask_db("SELECT count(*) FROM logs WHERE status = 200") == 90 + 45
       && ask_db("SELECT count(DISTINCT seq) FROM log") == OLD_ROWS + 50
       && ask_db("SELECT max(seq) FROM log") == OLD_ROWS + 50,
       "with all its rows");
    ok(ask_db("SELECT count(*) FROM log WHERE body_limit IS NULL")
       == OLD_ROWS + 49
       && ask_db("SELECT body_limit FROM log WHERE body_limit IS NOT NULL")
          == 5 * 1024 * 1024, "what it did not know is null");

    read_back(r.num[LLM_N_ID], "[Response too large (>5MB)]");
    fill(&r, 1);
    read_back(r.num[LLM_N_ID], "[Response too large (>100MB)]");

    ok(command(LLM_COMMAND_CLEAR, NULL, 0) == OLD_ROWS + 50, "is cleared");

    stop(d);
    ok(ask_db("SELECT count(*) FROM pragma_integrity_check"
              " WHERE integrity_check = 'ok'") == 1, "integrity");
    cleanup();
}


static void
read_back(int64_t id, const char *shown)
{
    int                 rc;
    llm_buf_t           out;
    llm_reader_t       *reader;
    llm_query_error_t   err;

    llm_buf_init(&out, 1024 * 1024);
    rc = llm_reader_open(&reader, dir, &err);

    if (rc == LLM_OK) {
        rc = llm_query_detail(reader, id, 104857600, 60000, &out, &err);
        llm_reader_close(reader);
    }

    llm_buf_add(&out, "", 1);

    ok(rc == LLM_OK && strstr((char *) out.data, shown) != NULL,
       "a row says %s", shown);

    llm_buf_free(&out);
}


/*
 * At its writes, each of which then has come to the file by half: every step
 * is done wholly or not at all, and the next writer does what is left.
 */

static void
killed(int version, int every)
{
    int           n, good, deaths;
    int64_t       now;
    llm_drain_t  *d;

    now = 0;
    good = 1;
    deaths = 0;

    for (n = 1 + random() % every;
         n < WRITES && now < LLM_SCHEMA_VERSION && good;
         n += every)
    {
        fresh();

        if (version > 0) {
            old_database();
            made = OLD_ROWS;
        }

        publish_n(10);

        if (!dies(n)) {
            break;
        }

        deaths++;

        now = access(path("proxy_logs.db"), F_OK) == 0
                  ? ask_db("PRAGMA user_version") : 0;

        /* before there is a WAL, half a step is for a writer to undo: -1 */

        good = (version == 0
                || (now >= version
                    && ask_db("SELECT count(*) FROM log") == OLD_ROWS))
               && now <= LLM_SCHEMA_VERSION
               && (now < 1 || ask_db(HAS_LIMIT) == (now > 1));

        d = start();
        good = good && d != NULL && wait_written(10)
               && ask_db("PRAGMA user_version") == LLM_SCHEMA_VERSION;
        stop(d);

        good = good && ask_db("SELECT count(*) FROM log") == (int64_t) made
               && ask_db("SELECT count(*) FROM pragma_integrity_check"
                         " WHERE integrity_check = 'ok'") == 1;
        cleanup();
    }

    ok(good && now == LLM_SCHEMA_VERSION,
       "from version %d, with %d deaths in %d writes", version, deaths, n);
}


/* A writer whose process ends at the nth write; 0: it came through. */

static int
dies(int64_t writes)
{
    int          status;
    pid_t        pid;
    sqlite3_vfs *vfs;

    pid = fork();

    if (pid == 0) {
        vfs = sqlite3_vfs_find(NULL);
        writes_left = writes;

        (void) vfs->xSetSystemCall(vfs, "pwrite",
                                   (sqlite3_syscall_ptr) last_write);
        (void) vfs->xSetSystemCall(vfs, "pwrite64",
                                   (sqlite3_syscall_ptr) last_write);

        _exit(start() == NULL || !wait_up());
    }

    waitpid(pid, &status, 0);

    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}


static ssize_t
last_write(int fd, const void *p, size_t n, off_t at)
{
    if (--writes_left > 0) {
        return pwrite(fd, p, n, at);
    }

    _exit(pwrite(fd, p, n / 2, at) == -1 ? 2 : 1);
}


static void
newer(int in_wal)
{
    uint64_t      before[2];
    llm_terms_t   t;
    llm_drain_t  *d;

    fresh();
    old_database();
    set_version(LLM_SCHEMA_VERSION + 1, in_wal);

    before[0] = print("proxy_logs.db");
    before[1] = print("proxy_logs.db-wal");

    forget();
    d = start();
    publish_n(5);
    ok(wait_down(0), "a newer database, which %s says, is refused",
       in_wal ? "its WAL" : "it");
    stop(d);

    ok(strstr(said, "proxy_logs.db\" cannot be used: it was made by a newer"
                    " version") != NULL, "by name: %s", said);
    ok(print("proxy_logs.db") == before[0]
       && print("proxy_logs.db-wal") == before[1], "and left as it was");
    ok(law(&t) && t.in_ring == 5, "records wait");
    cleanup();
}


/* As the first version made it, with rows of which it knew less. */

static void
old_database(void)
{
    int            i;
    char           sql[512];
    sqlite3       *db;
    llm_record_t   r;

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "PRAGMA page_size = 16384;"
                     "PRAGMA auto_vacuum = INCREMENTAL;"
                     "BEGIN", NULL, NULL, NULL);
    sqlite3_exec(db, llm_schema_step(0), NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA application_id = 0x4c4c4d6d;"
                     "PRAGMA user_version = 1;"
                     "COMMIT;"
                     "PRAGMA journal_mode = WAL;"
                     "BEGIN", NULL, NULL, NULL);

    for (i = 1; i <= OLD_ROWS; i++) {
        fill(&r, i);
        snprintf(sql, sizeof(sql), "INSERT INTO log (id, seq, failed, status,"
                 " outcome, total_tokens, response_body_state) VALUES (%lld,"
                 " %d, %d, %d, 1, 15, 3)", (long long) r.num[LLM_N_ID], i,
                 i % 10 == 0, (int) r.num[LLM_N_STATUS]);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }

    for (i = 0; i < 2; i++) {
        snprintf(sql, sizeof(sql), "INSERT INTO series VALUES (86400000, %lld,"
                 " 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
                 OLD_DAY + 3LL * i * LLM_DAY_MS);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }

    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
}


static void
set_version(int version, int in_wal)
{
    char      sql[64];
    sqlite3  *db;

    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, in_wal, NULL);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
}


/* What a file is, in a number; 0: there is none, or nothing in it. */

static uint64_t
print(const char *name)
{
    int        fd;
    uint64_t   hash;
    uint8_t    buf[4096];
    ssize_t    i, n;

    hash = 0;
    fd = open(path(name), O_RDONLY);

    while (fd != -1 && (n = read(fd, buf, sizeof(buf))) > 0) {
        for (i = 0; i < n; i++) {
            hash = hash * 1099511628211u + buf[i] + 1;
        }
    }

    close(fd);

    return hash;
}
