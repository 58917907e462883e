
/*
 * Copyright (C) llm_monitor contributors
 *
 * How fast the writer empties a ring, beside bare inserts of the same rows into
 * the same tables, with their indexes: every row that the drain wrote into log,
 * detail, dict and session, and the bodies, read from its database; without
 * ring, unpacking, looking anything up, sums and marks.  Once in batches of
 * LLM_BATCH_ROWS, as large as the drain's may be, and once of 100.  Prints the
 * middle one of BENCH_ROUNDS rounds: rows a second, and microseconds of CPU a
 * row, which other work on the machine changes less.
 *
 *     cc -O2 -o drain_bench t/bench/drain_bench.c \
 *         ngx_http_llm_monitor_module/{record,store}/llm_*.c \
 *         ngx_http_llm_monitor_module/ring/llm_*.c \
 *         -lsqlite3 -lzstd -lpthread
 *     ./drain_bench [rows [request_bytes response_bytes [users]]]
 *
 * users is 40 by default; keys, models and addresses grow with them.  Each user
 * has one key, which others may have too, and sessions of some 20 exchanges.
 * With bodies the batches of both are not quite the same: those of the drain
 * end at 4 MB of them.  Compiled with
 *
 *     -Wl,--wrap=llm_ledger_count -DBENCH_NO_SUMS
 *
 * nothing is summed up, which shows what the sums cost.
 */


#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../ngx_http_llm_monitor_module/store/llm_insert.h"
#include "../../ngx_http_llm_monitor_module/store/llm_source.h"


#define BENCH_RING     (256 * 1024 * 1024)
#define BENCH_WAITING  20000        /* records when the writer comes */
#ifndef BENCH_ROUNDS
#define BENCH_ROUNDS   3
#endif
#define BENCH_GROUP    100          /* rows of the log between two clocks */

typedef struct {
    double          wall;
    double          cpu;
    int             batches;
} bench_time_t;

#define BENCH_MAX(field, column, kind, name)                                  \
    ", coalesce(max(" #column "), 0)"

#define BENCH_GROUP_OF  " WHERE l.seq > ?1 AND l.seq <= ?2"

/* a value of the dictionary and a session come with the first who has them */

static const struct {
    const char  *name;
    const char  *rows;
    const char  *last;
} bench_tables[] = {
    { "dict", "SELECT * FROM dict WHERE id > ?1 AND id <= ?2",
      "SELECT max(0" LLM_LOG_DICTS(BENCH_MAX) ") FROM log AS l"
          BENCH_GROUP_OF },
    { "session", "SELECT * FROM session WHERE id > ?1 AND id <= ?2",
      "SELECT coalesce(max(session), 0) FROM log AS l" BENCH_GROUP_OF },
    { "log", "SELECT l.* FROM log AS l" BENCH_GROUP_OF, NULL },
    { "detail", "SELECT t.* FROM log AS l JOIN detail AS t ON t.id = l.id"
          BENCH_GROUP_OF, NULL },
    { "request_body", "SELECT t.* FROM log AS l JOIN request_body AS t"
          " ON t.id = l.id" BENCH_GROUP_OF, NULL },
    { "response_body", "SELECT t.* FROM log AS l JOIN response_body AS t"
          " ON t.id = l.id" BENCH_GROUP_OF, NULL }
};

#define BENCH_TABLES                                                          \
    ((int) (sizeof(bench_tables) / sizeof(bench_tables[0])))

typedef struct {
    sqlite3_stmt   *rows;
    sqlite3_stmt   *last;
    int64_t         after;          /* of its own ids */
    sqlite3_stmt   *put;
    int             columns;
    sqlite3_value **values;
    size_t          n;
    size_t          room;
} bench_table_t;


static char     bench_dir[64];
static uint8_t  bench_body[65536];
static size_t   bench_request, bench_response;
static int      bench_users = 40;


#ifdef BENCH_NO_SUMS

int __wrap_llm_ledger_count(void);


int
__wrap_llm_ledger_count(void)
{
    return LLM_OK;
}

#endif


static void
bench_log(void *data, int level, const char *text)
{
    if (level == 0) {
        fprintf(stderr, "%s\n", text);
    }
}


static double
bench_clock(clockid_t clock)
{
    struct timespec  ts;

    clock_gettime(clock, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
bench_text(llm_record_t *r, int n, char *buf, const char *fmt, int v)
{
    r->str[n].len = sprintf(buf, fmt, v);
    r->str[n].data = (uint8_t *) buf;
}


static void
bench_record(llm_record_t *r, int n)
{
    int       i, models, user;
    uint32_t  dice;

    static char  buf[16][256];

    llm_record_init(r);

    /* who comes next is no order, nor is how long it takes */

    dice = (uint32_t) n * 2654435761U;
    models = bench_users / 50 + 8;
    user = bench_users == 40 ? n % 40 : (int) ((dice >> 8) % bench_users);

    for (i = 0; i < LLM_N_COUNT; i++) {
        r->num[i] = 100 + n % 50;
    }

    r->num[LLM_N_TIMESTAMP] = 1790000000000 + n / 5;
    r->num[LLM_N_ID] = r->num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | (n + 1);
    r->num[LLM_N_DURATION_US] = (1 << (17 + dice % 7)) + dice % 100000;
    r->num[LLM_N_TTFT_US] = (1 << (15 + dice % 5)) + dice % 20000;
    r->num[LLM_N_STATUS] = n % 20 ? 200 : 429;
    r->num[LLM_N_OUTCOME] = n % 20 ? 1 : 6;
    r->num[LLM_N_OPERATION] = 1;
    r->num[LLM_N_STREAM] = n & 1;
    r->num[LLM_N_PROTOCOL] = 1 + n % 2;
    r->num[LLM_N_FLAGS] = 0;
    r->num[LLM_N_API_KEY_HASH] = 1000 + user % (bench_users / 2);
    r->num[LLM_N_REQUEST_BODY_STATE] = bench_request ? LLM_BODY_STORED : 0;
    r->num[LLM_N_RESPONSE_BODY_STATE] = bench_response ? LLM_BODY_STORED : 0;

    bench_text(r, LLM_S_METHOD, buf[0], "POST", 0);
    bench_text(r, LLM_S_URL, buf[1], "/v1/chat/completions", 0);
    bench_text(r, LLM_S_ENDPOINT, buf[2], "/v1/chat/completions", 0);
    bench_text(r, LLM_S_PROVIDER, buf[3], "provider-%d", n % 3);
    bench_text(r, LLM_S_MODEL, buf[4], "some-model-%d", n % models);
    bench_text(r, LLM_S_RESPONSE_MODEL, buf[5], "some-model-%d-0101",
               n % models);
    bench_text(r, LLM_S_ACCOUNT, buf[6], "person%d@example.com", user);
    bench_text(r, LLM_S_USER, buf[7], "user-%d", user);
    bench_text(r, LLM_S_SESSION, buf[8], "session-%d",
               user + n / (20 * bench_users) * bench_users);
    bench_text(r, LLM_S_CLIENT_IP, buf[9], "10.0.0.%d",
               (int) ((dice >> 4) % (bench_users * 5 / 2)));
    bench_text(r, LLM_S_USER_AGENT, buf[10], "client/1.%d", n % 5);
    bench_text(r, LLM_S_FINISH_REASON, buf[11], "stop", 0);
    bench_text(r, LLM_S_RESPONSE_ID, buf[12], "chatcmpl-abcdefghijkl%d", n);
    bench_text(r, LLM_S_REQUEST_ID, buf[13], "req_0123456789abcdef%d", n);
    bench_text(r, LLM_S_UPSTREAMS, buf[14], "[{\"addr\":\"10.1.1.1:443\","
               "\"status\":200,\"connect_ms\":1,\"header_ms\":%d}]", n % 90);
    bench_text(r, LLM_S_USAGE, buf[15], "{\"prompt_tokens\":%d,"
               "\"completion_tokens\":17,\"total_tokens\":1000}", n % 900);

    if (bench_request) {
        r->str[LLM_S_REQUEST_BODY].data = bench_body;
        r->str[LLM_S_REQUEST_BODY].len = bench_request;
    }

    if (bench_response) {
        r->str[LLM_S_RESPONSE_BODY].data = bench_body;
        r->str[LLM_S_RESPONSE_BODY].len = bench_response;
    }
}


static void
bench_writer(llm_writer_t *w, llm_control_t *control, const char *sub)
{
    memset(w, 0, sizeof(llm_writer_t));

    snprintf(w->db.dir, sizeof(w->db.dir), "%s/%s", bench_dir, sub);
    mkdir(w->db.dir, 0700);

    w->db.synchronous = 2;
    w->db.log = bench_log;
    w->control = control;
    w->spool_fd = -1;

    if (llm_writer_open(w) != LLM_OK) {
        exit(1);
    }
}


static void
bench_remove(const char *sub)
{
    char  cmd[256];

    sprintf(cmd, "rm -r %s/%s", bench_dir, sub);

    if (system(cmd) != 0) {
        exit(1);
    }
}


static void
bench_close(llm_writer_t *w, llm_control_t *control, const char *sub)
{
    llm_writer_close(w);
    free(control);
    free(w);

    bench_remove(sub);
}


static void
bench_drain(int rows, bench_time_t *time)
{
    int               n, done, left;
    void             *map;
    double            t, c;
    llm_ring_t        ring;
    llm_writer_t     *w;
    llm_record_t      r;
    llm_source_t      s;
    llm_control_t    *control;
    llm_ring_slot_t   slot;

    w = malloc(sizeof(llm_writer_t));
    control = calloc(1, sizeof(llm_control_t));
    map = mmap(NULL, BENCH_RING, PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    llm_control_init(control);
    llm_ring_format(&ring, map, BENCH_RING, 42);
    bench_writer(w, control, "drain");

    memset(&s, 0, sizeof(s));
    s.w = w;
    s.own = &ring;

    memset(time, 0, sizeof(bench_time_t));

    for (done = 0; done < rows; done += n) {

        for (n = 0; n < BENCH_WAITING && done + n < rows; n++) {
            bench_record(&r, done + n);

            if (llm_ring_reserve(&ring, llm_record_packed_size(&r), getpid(),
                                 &slot)
                != LLM_OK)
            {
                break;
            }

            llm_record_pack(&r, slot.data);
            llm_ring_commit(&ring, &slot);
        }

        t = bench_clock(CLOCK_MONOTONIC);
        c = bench_clock(CLOCK_PROCESS_CPUTIME_ID);

        while (llm_source_own(&s) == LLM_OK) {
            if (w->db.wal_pages * LLM_SCHEMA_PAGE_SIZE > 16 * 1024 * 1024) {
                llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_PASSIVE, &left);
            }
        }

        time->wall += bench_clock(CLOCK_MONOTONIC) - t;
        time->cpu += bench_clock(CLOCK_PROCESS_CPUTIME_ID) - c;
    }

    time->batches = s.batches;

    llm_writer_close(w);
    munmap(map, BENCH_RING);
    free(control);
    free(w);
}


/* The rows of one table that come with a group of rows of the log. */

static void
bench_load(bench_table_t *b, int64_t from, int64_t to)
{
    int  i;

    if (b->last != NULL) {
        sqlite3_bind_int64(b->last, 1, from);
        sqlite3_bind_int64(b->last, 2, to);

        from = b->after;

        if (sqlite3_step(b->last) == SQLITE_ROW
            && sqlite3_column_int64(b->last, 0) > from)
        {
            b->after = sqlite3_column_int64(b->last, 0);
        }

        sqlite3_reset(b->last);

        to = b->after;
    }

    sqlite3_bind_int64(b->rows, 1, from);
    sqlite3_bind_int64(b->rows, 2, to);

    while (sqlite3_step(b->rows) == SQLITE_ROW) {

        if (b->n + b->columns > b->room) {
            b->room = 2 * b->room + b->columns;
            b->values = realloc(b->values, b->room * sizeof(sqlite3_value *));
        }

        for (i = 0; i < b->columns; i++) {
            b->values[b->n++] =
                           sqlite3_value_dup(sqlite3_column_value(b->rows, i));
        }
    }

    sqlite3_reset(b->rows);
}


static void
bench_insert(bench_table_t *b)
{
    int             n;
    size_t          i;
    sqlite3_value  *v;

    for (i = 0; i < b->n; i++) {
        v = b->values[i];
        n = i % b->columns + 1;

        switch (sqlite3_value_type(v)) {

        case SQLITE_INTEGER:
            sqlite3_bind_int64(b->put, n, sqlite3_value_int64(v));
            break;

        case SQLITE_TEXT:
            sqlite3_bind_text(b->put, n, (char *) sqlite3_value_text(v),
                              sqlite3_value_bytes(v), SQLITE_STATIC);
            break;

        case SQLITE_BLOB:
            sqlite3_bind_blob(b->put, n, sqlite3_value_blob(v),
                              sqlite3_value_bytes(v), SQLITE_STATIC);
            break;

        default: /* SQLITE_NULL */
            sqlite3_bind_null(b->put, n);
        }

        if (n == b->columns) {

            if (sqlite3_step(b->put) != SQLITE_DONE) {
                exit(1);
            }

            sqlite3_reset(b->put);
        }
    }
}


static void
bench_forget(bench_table_t *b)
{
    size_t  i;

    for (i = 0; i < b->n; i++) {
        sqlite3_value_free(b->values[i]);
    }

    b->n = 0;
}


static void
bench_prepare(bench_table_t *b, int i, sqlite3 *from, sqlite3 *to)
{
    int   j;
    char  sql[512];

    memset(b, 0, sizeof(bench_table_t));

    sqlite3_prepare_v2(from, bench_tables[i].rows, -1, &b->rows, NULL);

    if (bench_tables[i].last != NULL) {
        sqlite3_prepare_v2(from, bench_tables[i].last, -1, &b->last, NULL);
    }

    b->columns = sqlite3_column_count(b->rows);

    sprintf(sql, "INSERT INTO %s VALUES (?", bench_tables[i].name);

    for (j = 1; j < b->columns; j++) {
        strcat(sql, ",?");
    }

    strcat(sql, ")");

    if (sqlite3_prepare_v2(to, sql, -1, &b->put, NULL) != SQLITE_OK) {
        exit(1);
    }
}


/*
 * Every row that the drain wrote but those of the sums, read from its database
 * while no clock runs.
 */

static void
bench_raw(const char *sub, int rows, int batch, bench_time_t *time)
{
    int             i, n, left;
    char            path[256];
    double          t, c;
    sqlite3        *from;
    llm_writer_t   *w;
    llm_control_t  *control;
    bench_table_t   tables[BENCH_TABLES];

    w = malloc(sizeof(llm_writer_t));
    control = calloc(1, sizeof(llm_control_t));
    memset(time, 0, sizeof(bench_time_t));

    llm_control_init(control);
    bench_writer(w, control, sub);

    sprintf(path, "%s/drain/" LLM_SCHEMA_FILE, bench_dir);

    if (sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL)
        != SQLITE_OK)
    {
        exit(1);
    }

    for (i = 0; i < BENCH_TABLES; i++) {
        bench_prepare(&tables[i], i, from, w->db.handle);
    }

    for (n = 0; n < rows; n += BENCH_GROUP) {

        for (i = 0; i < BENCH_TABLES; i++) {
            bench_load(&tables[i], n, n + BENCH_GROUP);
        }

        t = bench_clock(CLOCK_MONOTONIC);
        c = bench_clock(CLOCK_PROCESS_CPUTIME_ID);

        if (n % batch == 0) {
            llm_db_exec(&w->db, "BEGIN IMMEDIATE");
        }

        for (i = 0; i < BENCH_TABLES; i++) {
            bench_insert(&tables[i]);
        }

        if ((n + BENCH_GROUP) % batch == 0 || n + BENCH_GROUP >= rows) {
            llm_db_exec(&w->db, "COMMIT");
            time->batches++;

            if (w->db.wal_pages * LLM_SCHEMA_PAGE_SIZE > 16 * 1024 * 1024) {
                llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_PASSIVE, &left);
            }
        }

        time->wall += bench_clock(CLOCK_MONOTONIC) - t;
        time->cpu += bench_clock(CLOCK_PROCESS_CPUTIME_ID) - c;

        for (i = 0; i < BENCH_TABLES; i++) {
            bench_forget(&tables[i]);
        }
    }

    for (i = 0; i < BENCH_TABLES; i++) {
        sqlite3_finalize(tables[i].rows);
        sqlite3_finalize(tables[i].last);
        sqlite3_finalize(tables[i].put);
        free(tables[i].values);
    }

    sqlite3_close(from);
    bench_close(w, control, sub);
}


static int
bench_faster(const void *one, const void *two)
{
    const bench_time_t  *a = one, *b = two;

    return (a->cpu > b->cpu) - (a->cpu < b->cpu);
}


/* The middle one of the rounds. */

static double
bench_say(const char *what, int n, bench_time_t *times)
{
    bench_time_t  *mid;

    qsort(times, BENCH_ROUNDS, sizeof(bench_time_t), bench_faster);

    mid = &times[BENCH_ROUNDS / 2];

    printf("%-6s  %8.0f rows/s  %6.2f us CPU/row, %d rows a batch\n", what,
           n / mid->wall, mid->cpu * 1e6 / n, n / mid->batches);

    return mid->cpu;
}


int
main(int argc, char **argv)
{
    int           i, rows;
    double        raw, small, drain;
    bench_time_t  times[3][BENCH_ROUNDS];

    rows = argc > 1 ? atoi(argv[1]) : 50000;
    bench_request = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    bench_response = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

    if (argc > 4) {
        bench_users = atoi(argv[4]);
    }

    if (rows <= 0 || bench_users < 40 || bench_request > sizeof(bench_body)
        || bench_response > sizeof(bench_body))
    {
        return 2;
    }

    for (i = 0; i < (int) sizeof(bench_body); i++) {
        bench_body[i] = "the quick brown fox {\"role\":\"user\"} "[i * 7 % 37];
    }

    strcpy(bench_dir, "/var/tmp/drain_bench.XXXXXX");

    if (mkdtemp(bench_dir) == NULL) {
        return 1;
    }

    for (i = 0; i < BENCH_ROUNDS; i++) {
        bench_drain(rows, &times[0][i]);
        bench_raw("raw", rows, LLM_BATCH_ROWS, &times[1][i]);
        bench_raw("raw100", rows, 100, &times[2][i]);
        bench_remove("drain");
    }

    raw = bench_say("raw", rows, times[1]);
    small = bench_say("raw100", rows, times[2]);
    drain = bench_say("drain", rows, times[0]);

    printf("drain is %.0f %% of raw, %.0f %% of raw in batches of 100\n",
           100 * raw / drain, 100 * small / drain);

    return rmdir(bench_dir) == 0 ? 0 : 1;
}
