
/*
 * Copyright (C) llm_monitor contributors
 *
 * How fast the writer empties a ring, beside the bare inserts of the same rows
 * into the same tables: without ring, unpacking, dictionary, sessions, ledger
 * and marks.  Prints rows a second and microseconds of CPU a row.
 *
 *     cc -O2 -o drain_bench t/bench/drain_bench.c \
 *         ngx_http_llm_monitor_module/{record,store}/llm_*.c \
 *         ngx_http_llm_monitor_module/ring/llm_*.c \
 *         -lsqlite3 -lzstd -lpthread
 *     ./drain_bench [rows [request_bytes response_bytes [users]]]
 *
 * users is 40 by default; keys, models and addresses grow with them.  Each user
 * has one key, which others may have too.  With bodies the batches of both are
 * not quite the same: those of the drain end at 4 MB of them.  Compiled with
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
    bench_text(r, LLM_S_SESSION, buf[8], "session-%d", n / 50);
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
bench_say(const char *what, int n, double wall, double cpu)
{
    printf("%-6s  %8.0f rows/s  %6.2f us CPU/row\n", what, n / wall,
           cpu * 1e6 / n);
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


static double
bench_drain(int rows)
{
    int               n, done, left;
    void             *map;
    double            wall, cpu, t, c;
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

    wall = 0;
    cpu = 0;

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

        wall += bench_clock(CLOCK_MONOTONIC) - t;
        cpu += bench_clock(CLOCK_PROCESS_CPUTIME_ID) - c;
    }

    bench_say("drain", rows, wall, cpu);

    llm_writer_close(w);
    munmap(map, BENCH_RING);
    free(control);
    free(w);

    return wall;
}


/* The same columns and bytes, and the same size of batches. */

static double
bench_raw(int rows)
{
    int             i, n, left;
    double          wall, cpu, t, c;
    uint64_t        duplicates;
    llm_insert_t    row;
    llm_writer_t   *w;
    llm_record_t    r;
    sqlite3_stmt   *st;
    llm_control_t  *control;

    w = malloc(sizeof(llm_writer_t));
    control = calloc(1, sizeof(llm_control_t));
    duplicates = 0;
    wall = 0;
    cpu = 0;

    llm_control_init(control);
    bench_writer(w, control, "raw");

    for (n = 0; n < rows; n++) {
        bench_record(&r, n);
        llm_insert_init(&row);

        for (i = 0; i < LLM_INSERT_DICTS; i++) {
            row.dict[i] = 1 + i + n % 40;
        }

        row.session = n / 50;

        t = bench_clock(CLOCK_MONOTONIC);
        c = bench_clock(CLOCK_PROCESS_CPUTIME_ID);

        if (n % LLM_BATCH_ROWS == 0) {
            llm_db_exec(&w->db, "BEGIN IMMEDIATE");
        }

        llm_insert_log(&row, &r, &w->db, w->st[LLM_WRITER_LOG], n + 1,
                       &duplicates);
        llm_insert_detail(&r, &w->db, w->st[LLM_WRITER_DETAIL]);

        for (i = 0; i < 2; i++) {
            st = w->st[i ? LLM_WRITER_RESPONSE : LLM_WRITER_REQUEST];

            if ((i ? bench_response : bench_request) == 0) {
                continue;
            }

            sqlite3_bind_int64(st, 1, r.num[LLM_N_ID]);
            sqlite3_bind_int64(st, 2, 1);
            sqlite3_bind_int64(st, 4, 0);
            sqlite3_bind_blob64(st, 5, bench_body,
                                i ? bench_response : bench_request,
                                SQLITE_STATIC);
            llm_db_run(&w->db, st);
        }

        if (n % LLM_BATCH_ROWS == LLM_BATCH_ROWS - 1 || n == rows - 1) {
            llm_db_exec(&w->db, "COMMIT");

            if (w->db.wal_pages * LLM_SCHEMA_PAGE_SIZE > 16 * 1024 * 1024) {
                llm_db_checkpoint(&w->db, SQLITE_CHECKPOINT_PASSIVE, &left);
            }
        }

        wall += bench_clock(CLOCK_MONOTONIC) - t;
        cpu += bench_clock(CLOCK_PROCESS_CPUTIME_ID) - c;

        llm_insert_done(&row);
    }

    bench_say("raw", rows, wall, cpu);

    llm_writer_close(w);
    free(control);
    free(w);

    return wall;
}


int
main(int argc, char **argv)
{
    int     i, rows;
    char    cmd[128];
    double  raw, drain;

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

    raw = bench_raw(rows);
    drain = bench_drain(rows);

    printf("drain is %.0f %% of raw\n", 100 * raw / drain);

    snprintf(cmd, sizeof(cmd), "rm -rf %s", bench_dir);

    return system(cmd) == 0 ? 0 : 1;
}
