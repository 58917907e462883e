
/*
 * Copyright (C) llm_monitor contributors
 *
 * As many records as a server finishes in weeks, through a ring into a database
 * with a bound, by the writer's own threads.  A line for each twentieth of
 * them: memory of the process's own, which must not grow, and sizes of the
 * files, which must stay.  At the end what was published is in the sums, once.
 *
 *     make build/soak && build/soak [-n records] [-m max_size_mb] dir
 *
 * dir must not have a database yet; what is made in it stays.
 */


#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../ngx_http_llm_monitor_module/store/llm_db.h"
#include "../../ngx_http_llm_monitor_module/store/llm_drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"
#include "fill.h"


#define SOAK_RING    (64 * 1024 * 1024)
#define SOAK_LINES   20
#define SOAK_A_DAY   10000000          /* records, 116 a second */
#define SOAK_STUCK   60                /* s without a record written */
#define SOAK_OVER    (16 * 1024 * 1024)  /* over max_size, or its 16th */


typedef struct {
    int64_t              n;
    int64_t              max_size;
    int64_t              largest;      /* of the database, of those seen */
    int64_t              start_ms;
    double               start;
    char                 path[4096];
    llm_ring_t           ring;
    llm_control_t       *control;
    llm_drain_t         *drain;
    llm_drain_trouble_t  trouble;
    fill_world_t         world;
    char                 texts[FILL_ROOM_MAX];
} soak_t;


static int soak_options(soak_t *s, int argc, char **argv, const char **dir);
static int soak_start(soak_t *s, const char *dir);
static int soak_record(soak_t *s, int64_t i);
static int soak_end(soak_t *s);
static uint64_t soak_written(soak_t *s);
static int64_t soak_sum(soak_t *s, const char *sql);
static int64_t soak_bound(soak_t *s);
static void soak_say(soak_t *s, int64_t done);
static long soak_own(void);
static int64_t soak_size(const char *path, const char *suffix);
static double soak_clock(void);
static void soak_nap(void);
static void soak_log(void *data, int level, const char *text);


int
main(int argc, char **argv)
{
    int64_t      i;
    const char  *dir;

    static soak_t  s;

    if (soak_options(&s, argc, argv, &dir) != LLM_OK) {
        fprintf(stderr, "usage: soak [-n records] [-m max_size_mb] dir\n");
        return 2;
    }

    if (soak_start(&s, dir) != LLM_OK) {
        return 1;
    }

    for (i = 0; i < s.n; i++) {

        if (soak_record(&s, i) != LLM_OK) {
            fprintf(stderr, "soak: the writer stands still\n");
            return 1;
        }

        if ((i + 1) * SOAK_LINES / s.n != i * SOAK_LINES / s.n) {
            soak_say(&s, i + 1);
        }
    }

    return soak_end(&s);
}


static int
soak_options(soak_t *s, int argc, char **argv, const char **dir)
{
    int  c;

    s->n = 10000000;
    s->max_size = 1024;

    while ((c = getopt(argc, argv, "n:m:")) != -1) {

        switch (c) {

        case 'n':
            s->n = atoll(optarg);
            break;

        case 'm':
            s->max_size = atoll(optarg);
            break;

        default:
            return LLM_ERROR;
        }
    }

    if (optind != argc - 1 || s->n < SOAK_LINES || s->max_size < 1) {
        return LLM_ERROR;
    }

    s->max_size *= 1024 * 1024;
    *dir = argv[optind];

    return LLM_OK;
}


static int
soak_start(soak_t *s, const char *dir)
{
    void              *map;
    llm_drain_conf_t   conf;

    snprintf(s->path, sizeof(s->path), "%s/" LLM_SCHEMA_FILE, dir);

    if ((mkdir(dir, 0700) == -1 && errno != EEXIST)
        || access(s->path, F_OK) == 0)
    {
        fprintf(stderr, "soak: %s cannot be made\n", s->path);
        return LLM_ERROR;
    }

    map = mmap(NULL, SOAK_RING, PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    s->control = mmap(NULL, sizeof(llm_control_t), PROT_READ|PROT_WRITE,
                      MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED || s->control == MAP_FAILED
        || llm_ring_format(&s->ring, map, SOAK_RING, 1) != LLM_OK)
    {
        return LLM_ERROR;
    }

    llm_control_init(s->control);

    s->start_ms = llm_wall_ms() - s->n * fill_day_ms / SOAK_A_DAY;

    s->world.seed = 1;
    s->world.rows = s->n;
    s->world.start_ms = s->start_ms;
    s->world.end_ms = llm_wall_ms();
    s->world.bodies_ms = s->world.end_ms;

    memset(&conf, 0, sizeof(llm_drain_conf_t));
    conf.dir = dir;
    conf.ring_dir = dir;
    conf.ring = &s->ring;
    conf.control = s->control;
    conf.flush_ms = 50;
    conf.max_size = s->max_size;
    conf.synchronous = 2;
    conf.trouble = &s->trouble;
    conf.log = soak_log;

    s->start = soak_clock();

    if (fill_world_init(&s->world) != LLM_OK
        || llm_drain_start(&s->drain, &conf) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* Waits while there is no room, unless nothing is written any more. */

static int
soak_record(soak_t *s, int64_t i)
{
    int               tries;
    uint64_t          written;
    llm_record_t      r;
    fill_room_t       room;
    fill_exchange_t   x;
    llm_ring_slot_t   slot;

    fill_world_next(&s->world, s->start_ms + i * fill_day_ms / SOAK_A_DAY, &x);

    room.pos = s->texts;
    room.end = s->texts + FILL_ROOM_MAX;

    fill_record(&x, &r, &room);

    written = soak_written(s);
    tries = 0;

    while (llm_ring_reserve(&s->ring, llm_record_packed_size(&r), getpid(),
                            &slot)
           != LLM_OK)
    {
        soak_nap();

        if (soak_written(s) != written) {
            written = soak_written(s);
            tries = 0;
        }

        if (++tries > SOAK_STUCK * 1000) {
            return LLM_ERROR;
        }
    }

    llm_record_pack(&r, slot.data);
    llm_ring_commit(&s->ring, &slot);

    return LLM_OK;
}


static int
soak_end(soak_t *s)
{
    int           good;
    int64_t       sums, rows, gone, wrong;
    llm_terms_t   t;

    while (soak_written(s) < (uint64_t) s->n) {
        soak_nap();
    }

    soak_say(s, s->n);

    if (llm_drain_stop(s->drain, 10000) != LLM_OK) {
        return 1;
    }

    llm_ring_terms(&s->ring, &t);

    sums = soak_sum(s, "SELECT sum(requests) FROM service");
    rows = soak_sum(s, "SELECT count(*) FROM log");
    gone = s->n - rows;
    wrong = soak_sum(s, "SELECT count(*) FROM pragma_quick_check"
                        " WHERE quick_check != 'ok'");

    good = t.written == (uint64_t) s->n && t.finished == t.written
           && sums == s->n && wrong == 0 && s->largest <= soak_bound(s);

    printf("%lld published, %llu written, %lld in the sums, %lld rows, %lld"
           " deleted; quick_check %s; %s\n", (long long) s->n,
           (unsigned long long) t.written, (long long) sums, (long long) rows,
           (long long) gone, wrong == 0 ? "ok" : "failed",
           good ? "passed" : "failed");

    return !good;
}


static uint64_t
soak_written(soak_t *s)
{
    llm_terms_t  t;

    llm_ring_terms(&s->ring, &t);

    return t.written;
}


static int64_t
soak_sum(soak_t *s, const char *sql)
{
    int64_t        v;
    sqlite3       *db;
    sqlite3_stmt  *st;

    v = -1;
    st = NULL;

    if (sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
        && sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK
        && sqlite3_step(st) == SQLITE_ROW)
    {
        v = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);
    sqlite3_close(db);

    return v;
}


/* From where records wait, and the batch that went there. */

static int64_t
soak_bound(soak_t *s)
{
    int64_t  over;

    over = s->max_size / 16;

    return s->max_size + (over > SOAK_OVER ? over : SOAK_OVER)
           + LLM_BATCH_RECORDS;
}


static void
soak_say(soak_t *s, int64_t done)
{
    double         took, cpu;
    int64_t        size;
    struct rusage  ru;

    getrusage(RUSAGE_SELF, &ru);

    size = soak_size(s->path, "");
    s->largest = size > s->largest ? size : s->largest;
    took = soak_clock() - s->start;
    cpu = ru.ru_utime.tv_sec + ru.ru_stime.tv_sec
          + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;

    printf("%3lld %% %9lld records %6.0f s %6.0f/s %5.1f us CPU  own memory"
           " %6ld KB  database %7.1f MB  -wal %5.1f MB  %8lld rows\n",
           (long long) (done * 100 / s->n), (long long) done, took,
           done / took, cpu * 1e6 / done, soak_own(), size / 1048576.0,
           soak_size(s->path, "-wal") / 1048576.0,
           (long long) __atomic_load_n(&s->control->db_rows,
                                       __ATOMIC_RELAXED));
    fflush(stdout);
}


/* What the process has of its own, KB: the ring is shared. */

static long
soak_own(void)
{
    long   kb;
    char   line[256];
    FILE  *f;

    kb = -1;
    f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL
           && sscanf(line, "RssAnon: %ld", &kb) != 1)
    {
        /* void */
    }

    if (f != NULL) {
        fclose(f);
    }

    return kb;
}


static int64_t
soak_size(const char *path, const char *suffix)
{
    char         name[4200];
    struct stat  st;

    snprintf(name, sizeof(name), "%s%s", path, suffix);

    return stat(name, &st) == 0 ? st.st_size : 0;
}


static double
soak_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
soak_nap(void)
{
    struct timespec  ts = { 0, 1000000 };

    nanosleep(&ts, NULL);
}


static void
soak_log(void *data, int level, const char *text)
{
    fprintf(stderr, "%s\n", text);
}
