
/*
 * Copyright (C) llm_monitor contributors
 *
 * The write-ahead log stays short, whatever comes in one go and whoever reads.
 */


#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"
#include "../../ngx_http_llm_monitor_module/store/llm_db.h"
#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"


#define BODY  250000


static void burst(void);
static void pinned(int late);
static void spool_large(int n);
static int64_t wal_size(void);
static void pin(sqlite3 **db);
static void unpin(sqlite3 *db);


int
main(void)
{
    burst();
    pinned(0);
    pinned(1);

    return done_testing();
}


static void
burst(void)
{
    llm_drain_t  *d;

    fresh();
    spool_large(240);
    d = start();
    ok(wait_written(240), "60 MB of spooled records");
    ok(wal_size() > 0 && wal_size() < 32 * 1024 * 1024,
       "go through 32 MB of WAL");
    stop(d);
    cleanup();
}


/* A reader that does not end, who began before or in the middle of it. */

static void
pinned(int late)
{
    int64_t       rows;
    sqlite3      *db;
    llm_terms_t   t;
    llm_drain_t  *d;

    fresh();
    d = start();

    if (late) {
        spool_large(100);
        wait_written(100);
    }

    publish_n(1);
    wait_written(made);
    pin(&db);

    spool_large(320);
    forget();

    ok(until(!control->db_up && (control->db_error & 0xff) == SQLITE_BUSY),
       "a reader %s: records wait", late ? "in the middle" : "from the start");

    rows = ask_db("SELECT count(*) FROM log");

    ok(rows > (int64_t) made - 320 && rows < (int64_t) made
       && wal_size() >= LLM_DB_WAL_MAX
       && wal_size() < LLM_DB_WAL_MAX + 3 * LLM_BATCH_BYTES,
       "%lld of them, the WAL has %lld MB", (long long) (made - rows),
       (long long) wal_size() >> 20);

    unpin(db);

    ok(wait_written(made) && wait_up(), "are written when it has ended");
    ok(until(wal_size() < 32 * 1024 * 1024), "and the WAL is short again");
    stop(d);
    ok(law(&t) && t.written == made && t.in_spool == 0
       && ask_db("SELECT count(*) FROM log") == (int64_t) made, "the law");
    cleanup();
}


static void
spool_large(int n)
{
    int           i, fd;
    uint8_t      *data, *buf;
    llm_spool_t   spool;
    llm_record_t  r;

    fd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    data = malloc(BODY);
    buf = malloc(2 * BODY);

    for (i = 0; i < BODY; i++) {
        data[i] = (uint8_t) random();
    }

    while (n-- > 0) {
        fill(&r, ++made);
        r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
        r.str[LLM_S_RESPONSE_BODY].data = data;
        r.str[LLM_S_RESPONSE_BODY].len = BODY;
        llm_ring_count_spooled(&ring);
        llm_spool_append(&spool, fd, buf, llm_record_pack(&r, buf));
    }

    llm_spool_close(&spool);
    free(data);
    free(buf);
    close(fd);
}


static int64_t
wal_size(void)
{
    struct stat  st;

    return stat(path("proxy_logs.db-wal"), &st) == 0 ? st.st_size : -1;
}


static void
pin(sqlite3 **db)
{
    sqlite3_open_v2(path("proxy_logs.db"), db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_exec(*db, "BEGIN; SELECT count(*) FROM log", NULL, NULL, NULL);
}


static void
unpin(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
}
