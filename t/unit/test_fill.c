
/*
 * Copyright (C) llm_monitor contributors
 *
 * What scripts/fill makes with two threads and two databases is, row by row,
 * what the writer makes of the same records.
 */


#include <stdlib.h>
#include <unistd.h>

#include "../../ngx_http_llm_monitor_module/store/llm_pack.h"
#include "../bench/fill_store.h"
#include "tap.h"


#define ROWS     2500
#define BATCH    300
#define BLOCK    60
#define DAYS     3
#define TABLES   17                    /* that rows are in or may be in */


static void world(fill_world_t *w, fill_exchange_t *x, int64_t i);
static void filled(const char *dir);
static void written(const char *dir);
static void over(int64_t ms);
static void compare(const char *dir);
static void again(const char *dir);
static int64_t number(sqlite3 *db, const char *sql, const char *table);
static int said(void *data);
static void logged(void *data, int level, const char *text);


static int            said_n;
static int64_t        end, fine;
static char           texts[FILL_ROOM_MAX];
static llm_writer_t  *writer;
static llm_control_t  control;


int
main(void)
{
    char  dir[] = "/tmp/llm_fill.XXXXXX", path[80], command[96];

    writer = calloc(1, sizeof(llm_writer_t));

    if (mkdtemp(dir) == NULL || writer == NULL) {
        abort();
    }

    end = llm_wall_ms() / LLM_MINUTE_MS * LLM_MINUTE_MS;

    snprintf(path, sizeof(path), "%s/filled", dir);
    snprintf(command, sizeof(command), "rm -r %s", dir);

    filled(path);
    written(dir);
    compare(path);
    again(path);

    llm_writer_close(writer);
    free(writer);

    ok(system(command) == 0, "it is removed");

    return done_testing();
}


/* The same ones, however often they are asked for in turn. */

static void
world(fill_world_t *w, fill_exchange_t *x, int64_t i)
{
    if (i == 0) {
        memset(w, 0, sizeof(fill_world_t));

        w->seed = 7;
        w->rows = ROWS;
        w->bodies = 20;
        w->end_ms = end;
        w->start_ms = end - DAYS * fill_day_ms;
        w->bodies_ms = end - fill_day_ms;

        if (fill_world_init(w) != LLM_OK) {
            abort();
        }
    }

    fill_world_next(w, w->start_ms + i * DAYS * fill_day_ms / ROWS, x);
}


static void
filled(const char *dir)
{
    int64_t          i;
    char             sums[96];
    fill_world_t     w;
    fill_store_t    *s;
    fill_exchange_t  x;

    s = calloc(1, sizeof(fill_store_t));

    if (s == NULL || !ok(fill_store_open(s, dir) == LLM_OK, "it opens")) {
        abort();
    }

    s->most = BATCH;
    s->rows.blocks.fill = BLOCK;
    fine = s->sums.ledger.fine;

    for (i = 0; i < ROWS; i++) {
        world(&w, &x, i);

        if (fill_store_add(s, &x) != LLM_OK) {
            abort();
        }
    }

    ok(fill_store_end(s, said, NULL) == LLM_OK && said_n > 0,
       "it is filled, and said something in the end");

    snprintf(sums, sizeof(sums), "%s/sums", dir);

    ok(access(sums, F_OK) == -1, "where the sums were is nothing");

    free(w.slots);

    free(s);
}


static int
said(void *data)
{
    said_n++;

    return 0;
}


static void
logged(void *data, int level, const char *text)
{
    printf("# %d: %s\n", level, text);
}


static void
written(const char *dir)
{
    int64_t          i;
    fill_room_t      room;
    fill_world_t     w;
    llm_record_t     r;
    fill_exchange_t  x;

    llm_control_init(&control);

    writer->control = &control;
    writer->spool_fd = -1;
    writer->db.synchronous = 1;
    writer->db.log = logged;
    snprintf(writer->db.dir, sizeof(writer->db.dir), "%s", dir);

    if (llm_writer_open(writer) != LLM_OK
        || llm_writer_begin(writer) != LLM_OK)
    {
        abort();
    }

    writer->blocks.fill = BLOCK;
    writer->ledger.fine = fine;

    for (i = 0; i < ROWS; i++) {
        world(&w, &x, i);

        room.pos = texts;
        room.end = texts + FILL_ROOM_MAX;

        fill_record(&x, &r, &room);

        if (llm_writer_add(writer, &r, LLM_WRITE_ROW) != LLM_OK) {
            abort();
        }

        if ((i + 1) % BATCH == 0) {
            over(x.ms);

            if (llm_writer_begin(writer) != LLM_OK) {
                abort();
            }
        }
    }

    over(x.ms);

    free(w.slots);
}


/* The end of a transaction, and of a day if it is the first one after it. */

static void
over(int64_t ms)
{
    static int64_t  day;

    if (llm_writer_commit(writer) != LLM_OK) {
        abort();
    }

    if (ms / fill_day_ms == day) {
        return;
    }

    day = ms / fill_day_ms;

    while (llm_pack_slice(writer, ms) == LLM_OK) {
        /* void */
    }

    if (llm_writer_begin(writer) != LLM_OK
        || llm_blocks_make(&writer->blocks, ms, 600000) != LLM_AGAIN
        || llm_writer_commit(writer) != LLM_OK)
    {
        abort();
    }
}


/* Every table and index, whatever the schema says that there is. */

static void
compare(const char *dir)
{
    int            n;
    char           path[128], sql[4200];
    sqlite3       *db;
    const char    *table;
    sqlite3_stmt  *st;

    snprintf(path, sizeof(path), "%s/" LLM_SCHEMA_FILE, dir);
    snprintf(sql, sizeof(sql), "ATTACH '%s' AS other", writer->db.path);

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK
        || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK
        || sqlite3_prepare_v2(db, "SELECT name FROM main.sqlite_schema"
                              " WHERE type = 'table'", -1, &st, NULL)
           != SQLITE_OK)
    {
        abort();
    }

    for (n = 0; sqlite3_step(st) == SQLITE_ROW; n++) {
        table = (const char *) sqlite3_column_text(st, 0);

        ok(number(db, "SELECT count(*) FROM main.%s", table)
           == number(db, "SELECT count(*) FROM other.%s", table)
           && number(db, "SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT"
                     " SELECT * FROM other.%1$s)", table) == 0,
           "%s: the same %lld rows", table,
           (long long) number(db, "SELECT count(*) FROM main.%s", table));
    }

    ok(n >= TABLES, "%d tables", n);

    sqlite3_finalize(st);

    ok(number(db, "SELECT count(*) FROM (SELECT sql FROM main.sqlite_schema"
              " EXCEPT SELECT sql FROM other.sqlite_schema)", "") == 0
       && number(db, "SELECT count(*) FROM pragma_integrity_check"
                 " WHERE integrity_check != 'ok'", "") == 0,
       "by the same schema, and in order");

    ok(number(db, "SELECT count(*) FROM log", "") == ROWS
       && number(db, "SELECT sum(requests) FROM who", "") == ROWS
       && number(db, "SELECT count(*) FROM block", "") > ROWS / BLOCK / 2
       && number(db, "SELECT count(*) FROM request_body", "") > 0
       && number(db, "SELECT count(*) FROM session", "") > 0
       && number(db, "SELECT count(*) FROM packed", "") > 0
       && number(db, "SELECT count(*) FROM service_minute", "") > 0,
       "with all that there is");

    ok(number(db, "PRAGMA main.page_size", "") == LLM_SCHEMA_PAGE_SIZE
       && number(db, "PRAGMA main.auto_vacuum", "") == 2
       && number(db, "PRAGMA main.freelist_count", "") == 0
       && number(db, "PRAGMA main.user_version", "") == LLM_SCHEMA_VERSION,
       "in a file of the same form");

    sqlite3_close(db);
}


/* What fails says why. */

static void
again(const char *dir)
{
    fill_store_t  *s;

    s = calloc(1, sizeof(fill_store_t));

    if (s == NULL || freopen("/dev/null", "w", stderr) == NULL) {
        abort();
    }

    ok(fill_store_open(s, dir) == LLM_ERROR, "only what is new is filled");

    free(s);
}


static int64_t
number(sqlite3 *db, const char *format, const char *table)
{
    char           sql[512];
    int64_t        v;
    sqlite3_stmt  *st;

    v = -1;

    snprintf(sql, sizeof(sql), format, table);

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK
        && sqlite3_step(st) == SQLITE_ROW)
    {
        v = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return v;
}
