
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bodies on their way into the database: whole ones, ones in frames, and
 * writers that are killed in between.
 */


#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_body.h"


static void late(void);
static void bodies(void);
static void body_file(const char *name, size_t n);
static int64_t body_check(int64_t id, int side);


int
main(void)
{
    srandom(time(NULL));

    late();
    bodies();

    return done_testing();
}


/* The first body that does not fit into memory makes the directory. */

static void
late(void)
{
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    rmdir(path("spool"));
    d = start();
    publish_n(1);
    wait_written(1);

    if (mkdir(path("spool"), 0700) == -1) {
        abort();
    }

    body_file("late", 100);
    fill(&r, ++made);
    r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
    r.str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) "late";
    r.str[LLM_S_RESPONSE_SPOOL].len = 4;
    publish(&ring, &r);

    ok(wait_written(2) && body_check(r.num[LLM_N_ID], 1) == 100,
       "a spool directory that comes later is found");
    stop(d);
    cleanup();
}


static void
bodies(void)
{
    int           i, j;
    char          name[32], sql[128];
    pid_t         pid;
    uint8_t      *data;
    llm_drain_t  *d;
    llm_record_t  r;

    static const size_t  sizes[] = {
        1, 100, 8191, 8192, 65536, 262143, 262144, 262145, 524288, 5000000
    };

    fresh();

    data = malloc(262144);

    for (i = 0; i < 262144; i++) {
        data[i] = (uint8_t) (((size_t) i) * 2654435761u >> 24);
    }

    for (i = 0; i < 10; i++) {
        fill(&r, i + 1);
        snprintf(name, sizeof(name), "body%d", i);
        body_file(name, sizes[i]);

        r.num[LLM_N_RESPONSE_BODY_STATE] = i % 3 ? LLM_BODY_STORED
                                                 : LLM_BODY_REDACTED;
        r.str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) name;
        r.str[LLM_S_RESPONSE_SPOOL].len = strlen(name);
        r.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_STORED;
        r.str[LLM_S_REQUEST_BODY].data = data;
        r.str[LLM_S_REQUEST_BODY].len = sizes[i] < 262144 ? sizes[i] : 262144;
        publish(&ring, &r);
    }

    fill(&r, 50);
    r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
    r.str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) "../ring.own";
    r.str[LLM_S_RESPONSE_SPOOL].len = 11;
    publish(&ring, &r);
    r.num[LLM_N_ID]++;
    r.str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) "nowhere";
    r.str[LLM_S_RESPONSE_SPOOL].len = 7;
    publish(&ring, &r);

    /* writers that are killed in the middle of it, then one that is not */

    for (i = 0; i < 20; i++) {
        pid = fork();

        if (pid == 0) {
            d = start();
            nap(60000);
            _exit(d == NULL);
        }

        nap(4 + random() % 30);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }

    d = start();

    ok(until(ask_db("SELECT count(*) FROM log") == 12
             && ask_db("SELECT count(*) FROM storing") == 0),
       "all are stored");

    for (i = 0; i < 10; i++) {
        fill(&r, i + 1);

        for (j = 0; j < 2; j++) {
            ok(body_check(r.num[LLM_N_ID], j)
               == (int64_t) (j || sizes[i] < 262144 ? sizes[i] : 262144),
               "body of %zu bytes, side %d", sizes[i], j);
        }

        snprintf(sql, sizeof(sql), "spool/body%d", i);
        ok(until(access(path(sql), F_OK) == -1), "its file is gone");
    }

    ok(ask_db("SELECT count(*) FROM log WHERE response_body_state = 1") == 6
       && ask_db("SELECT count(*) FROM logs WHERE response_body_state"
                 " = 'redacted'") == 4,
       "states say stored, or redacted");
    ok(ask_db("SELECT count(*) FROM log WHERE response_body_state = 4") == 2,
       "or skipped, where no such file is");
    ok(access(path("ring.own"), F_OK) == 0, "no name leads out of the spool");

    ok(command(LLM_COMMAND_CLEAR, NULL, 0) == 12
       && ask_db("SELECT count(*) FROM frame") == 0
       && ask_db("SELECT count(*) FROM response_body") == 0,
       "a clear takes them with all their frames");

    stop(d);
    free(data);
    cleanup();
}


static void
body_file(const char *name, size_t n)
{
    FILE      *f;
    size_t     i;
    char       file[128];

    snprintf(file, sizeof(file), "spool/%s", name);
    f = fopen(path(file), "w");

    for (i = 0; i < n; i++) {
        fputc((int) (i * 2654435761u >> 24), f);
    }

    fclose(f);
}


/* Reads a body back with plain SQL; -1: it is not what was put in. */

static int64_t
body_check(int64_t id, int side)
{
    int             rc;
    char            sql[256];
    size_t          i, len;
    int64_t         at, size;
    sqlite3        *db;
    sqlite3_stmt   *st;
    const uint8_t  *p;

    static uint8_t  raw[LLM_FRAME_RAW];

    at = 0;
    size = -1;

    sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL);
    sqlite3_busy_timeout(db, 2000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

    snprintf(sql, sizeof(sql), "SELECT size, coding, data FROM %s_body"
             " WHERE id = %lld UNION ALL SELECT -1, 1, data FROM (SELECT data"
             " FROM frame WHERE id = %lld AND side = %d ORDER BY n)",
             side ? "response" : "request", (long long) id, (long long) id,
             side);

    sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {

        if (sqlite3_column_int64(st, 0) >= 0) {
            size = sqlite3_column_int64(st, 0);
        }

        p = sqlite3_column_blob(st, 2);
        len = sqlite3_column_bytes(st, 2);

        if (p == NULL) {
            continue;
        }

        if (sqlite3_column_int(st, 1) == LLM_CODING_ZSTD) {
            if (llm_body_decode(p, len, raw, sizeof(raw), &len) != LLM_OK) {
                size = -2;
                break;
            }

            p = raw;
        }

        for (i = 0; i < len; i++, at++) {
            if (p[i] != (uint8_t) (((size_t) at) * 2654435761u >> 24)) {
                size = -3;
                break;
            }
        }
    }

    sqlite3_finalize(st);
    sqlite3_close(db);

    return at == size ? size : -1;
}
