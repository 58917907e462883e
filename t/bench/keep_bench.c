
/*
 * Copyright (C) llm_monitor contributors
 *
 * How long the slices of a retention take that deletes so many rows, while
 * nothing else is done: what a record may have to wait for.  Of each stage the
 * middle, the longest, and how many took no longer than so many ms.
 *
 *     make build/keep_bench
 *     scripts/fill -n 1m -b 20 dir && build/keep_bench dir [rows]
 *
 * The database in dir is changed: half of the bodies go, and the oldest rows,
 * 100000 by default.  A slice whose commit moves the -wal to the database, as
 * any commit may, is counted as such.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../ngx_http_llm_monitor_module/store/llm_keep.h"


#define BENCH_SLICES  1000000
#define BENCH_STAGES  11
#define BENCH_MOVES   10               /* the stage before the last */


static int  bench_compare(const void *a, const void *b);
static void bench_tell(const char *name, double *wall, double *cpu, size_t n);
static void bench_part(const char *name, double *ms, size_t n);
static void bench_histogram(const char *name, const double *ms, size_t n);
static void bench_log(void *data, int level, const char *text);
static double bench_clock(clockid_t clock);
static int64_t bench_int(llm_writer_t *w, const char *sql, int64_t n);


static const char *const  bench_stages[BENCH_STAGES + 1] = {
    "begin", "bodies", "rows", "size", "ledger", "pack", "unused", "pages",
    "files", "end", "-wal", "all"
};

static llm_writer_t   writer;
static llm_keep_t     keep;
static llm_control_t  control;


int
main(int argc, char **argv)
{
    int       rc, stage;
    long      rows;
    size_t    n[BENCH_STAGES + 1];
    double    wall, cpu, *walls[BENCH_STAGES + 1], *cpus[BENCH_STAGES + 1];
    double    total;
    int64_t   now, left, pages, bodies;

    if (argc < 2) {
        fprintf(stderr, "keep_bench dir [rows]\n");
        return 2;
    }

    rows = argc > 2 ? atol(argv[2]) : 100000;

    snprintf(writer.db.dir, sizeof(writer.db.dir), "%s", argv[1]);
    writer.db.synchronous = 2;
    writer.db.log = bench_log;
    writer.control = &control;
    writer.spool_fd = -1;

    if (llm_writer_open(&writer) != LLM_OK
        || llm_keep_open(&keep, &writer) != LLM_OK)
    {
        return 1;
    }

    for (stage = 0; stage <= BENCH_STAGES; stage++) {
        walls[stage] = calloc(BENCH_SLICES, sizeof(double));
        cpus[stage] = calloc(BENCH_SLICES, sizeof(double));
        n[stage] = 0;
    }

    now = (int64_t) time(NULL) * 1000;
    left = bench_int(&writer, "SELECT count(*) FROM log WHERE 0 = ?", 0);
    bodies = bench_int(&writer, "SELECT count(*) FROM request_body WHERE 0 = ?",
                       0);

    keep.scanned = 1;
    keep.stats_s = 400 * 86400;
    keep.retention_s = (now - bench_int(&writer, "SELECT id >> 21 FROM log"
                                        " ORDER BY id LIMIT 1 OFFSET ?",
                                        rows)) / 1000;
    keep.bodies_s = (now - bench_int(&writer, "SELECT id >> 21 FROM"
                                     " request_body ORDER BY id"
                                     " LIMIT 1 OFFSET ?",
                                     bodies / 2)) / 1000;
    total = 0;

    do {
        stage = keep.stage;
        pages = writer.db.wal_pages;
        wall = bench_clock(CLOCK_MONOTONIC);
        cpu = bench_clock(CLOCK_THREAD_CPUTIME_ID);

        rc = llm_keep_slice(&keep, &writer);

        wall = (bench_clock(CLOCK_MONOTONIC) - wall) * 1e3;
        cpu = (bench_clock(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e3;
        total += cpu;
        stage = writer.db.wal_pages < pages ? BENCH_MOVES : stage;

        walls[stage][n[stage]] = wall;
        cpus[stage][n[stage]++] = cpu;
        walls[BENCH_STAGES][n[BENCH_STAGES]] = wall;
        cpus[BENCH_STAGES][n[BENCH_STAGES]++] = cpu;

    } while (rc == LLM_OK && n[BENCH_STAGES] < BENCH_SLICES);

    left -= bench_int(&writer, "SELECT count(*) FROM log WHERE 0 = ?", 0);

    printf("%lld rows deleted, %.2f s of CPU, %.1f us a row\n",
           (long long) left, total / 1e3,
           total * 1e3 / (left > 0 ? left : 1));

    for (stage = 0; stage <= BENCH_STAGES; stage++) {
        bench_tell(bench_stages[stage], walls[stage], cpus[stage], n[stage]);
    }

    bench_histogram("ms", walls[BENCH_STAGES], n[BENCH_STAGES]);
    bench_histogram("CPU ms", cpus[BENCH_STAGES], n[BENCH_STAGES]);

    for (stage = 0; stage <= BENCH_STAGES; stage++) {
        free(walls[stage]);
        free(cpus[stage]);
    }

    llm_writer_close(&writer);

    return rc == LLM_AGAIN ? 0 : 1;
}


static int
bench_compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return (x > y) - (x < y);
}


static void
bench_tell(const char *name, double *wall, double *cpu, size_t n)
{
    if (n == 0) {
        return;
    }

    printf("%-7s %6zu slices", name, n);
    bench_part("ms", wall, n);
    bench_part("CPU ms", cpu, n);
    printf("\n");
}


static void
bench_part(const char *name, double *ms, size_t n)
{
    qsort(ms, n, sizeof(double), bench_compare);

    printf("; %s: p50 %.1f, p99 %.1f, longest %.1f", name, ms[n / 2],
           ms[n * 99 / 100], ms[n - 1]);
}


/* Sorted by now. */

static void
bench_histogram(const char *name, const double *ms, size_t n)
{
    size_t  i, at;

    static const double  bounds[] = { 1, 2, 5, 10, 20, 50, 100 };

    printf("%-7s", name);

    for (i = 0, at = 0; i < sizeof(bounds) / sizeof(double); i++) {

        while (at < n && ms[at] <= bounds[i]) {
            at++;
        }

        printf("  <= %.0f: %.2f %%", bounds[i], 100.0 * at / n);
    }

    printf("\n");
}


static void
bench_log(void *data, int level, const char *text)
{
    fprintf(stderr, "%s\n", text);
}


static double
bench_clock(clockid_t clock)
{
    struct timespec  ts;

    clock_gettime(clock, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static int64_t
bench_int(llm_writer_t *w, const char *sql, int64_t n)
{
    int64_t        v;
    sqlite3_stmt  *st;

    v = 0;

    if (sqlite3_prepare_v2(w->db.handle, sql, -1, &st, NULL) != SQLITE_OK) {
        return 0;
    }

    sqlite3_bind_int64(st, 1, n);

    if (sqlite3_step(st) == SQLITE_ROW) {
        v = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return v;
}
