
/*
 * Copyright (C) llm_monitor contributors
 *
 * Fills a new database with plausible exchanges, for benchmarks and pictures.
 * The module's own writer puts them in, in the order in which they end, so
 * that rows, dictionary, sessions and sums are what nginx would have written.
 *
 *     scripts/fill [-n rows] [-d days] [-s seed] [-b percent] [-e end_ms] dir
 */


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../ngx_http_llm_monitor_module/store/llm_pack.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"
#include "fill.h"


#define FILL_BATCH        20000
#define FILL_BATCH_BYTES  (64 * 1024 * 1024)
#define FILL_PENDING      1000000
#define FILL_BODIES_DAYS  7
#define FILL_SAY_S        1.0
#define FILL_BLOCKS_MS    1000       /* of one transaction */


/* exchanges under way, a heap by their end */

typedef struct {
    size_t            n;
    size_t            size;
    fill_exchange_t  *x;
} fill_pending_t;

typedef struct {
    llm_writer_t     *writer;
    fill_world_t      world;
    fill_pending_t    pending;
    int64_t           written;
    int64_t           batch;
    int64_t           day;
    double            start;
    double            said;
    int               quiet;
} fill_t;


static int fill_options(fill_t *f, int argc, char **argv, const char **dir);
static int64_t fill_number(const char *text);
static int fill_open(fill_t *f, const char *dir);
static int fill_run(fill_t *f);
static int fill_minute(fill_t *f, int64_t ms, int64_t n);
static int fill_push(fill_pending_t *h, const fill_exchange_t *x);
static void fill_pop(fill_pending_t *h);
static int64_t fill_ended(const fill_exchange_t *x);
static int fill_until(fill_t *f, int64_t ms);
static int fill_write(fill_t *f, const fill_exchange_t *x);
static int fill_commit(fill_t *f);
static int fill_blocks(fill_t *f);
static int fill_close(fill_t *f);
static void fill_say(fill_t *f, int last);
static double fill_clock(void);
static void fill_log(void *data, int level, const char *text);


int
main(int argc, char **argv)
{
    fill_t         f;
    const char    *dir;
    llm_control_t  control;

    memset(&f, 0, sizeof(fill_t));

    if (fill_options(&f, argc, argv, &dir) != LLM_OK) {
        fprintf(stderr, "usage: fill [-q] [-n rows] [-d days] [-s seed]"
                " [-b percent] [-e end_ms] dir\n");
        return 2;
    }

    llm_control_init(&control);

    (void) sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

    f.writer = calloc(1, sizeof(llm_writer_t));

    if (f.writer == NULL || fill_world_init(&f.world) != LLM_OK) {
        return 1;
    }

    f.writer->control = &control;
    f.writer->spool_fd = -1;

    if (fill_open(&f, dir) != LLM_OK) {
        return 1;
    }

    if (fill_run(&f) != LLM_OK || fill_close(&f) != LLM_OK) {
        fprintf(stderr, "fill: failed, remove %s\n", f.writer->db.path);
        return 1;
    }

    free(f.pending.x);
    free(f.world.slots);
    free(f.writer);

    return 0;
}


static int
fill_options(fill_t *f, int argc, char **argv, const char **dir)
{
    int      c;
    int64_t  days, end;

    f->world.rows = 1000000;
    f->world.seed = 1;
    days = 60;
    end = llm_wall_ms();

    while ((c = getopt(argc, argv, "n:d:s:b:e:q")) != -1) {

        switch (c) {

        case 'n':
            f->world.rows = fill_number(optarg);
            break;

        case 'd':
            days = fill_number(optarg);
            break;

        case 's':
            f->world.seed = fill_number(optarg);
            break;

        case 'b':
            f->world.bodies = fill_number(optarg);
            break;

        case 'e':
            end = fill_number(optarg);
            break;

        case 'q':
            f->quiet = 1;
            break;

        default:
            return LLM_ERROR;
        }
    }

    if (optind != argc - 1 || f->world.rows < 1 || days < 1 || days > 3650
        || f->world.bodies > 100 || end < days * fill_day_ms)
    {
        return LLM_ERROR;
    }

    end -= end % LLM_MINUTE_MS;

    f->world.start_ms = end - days * fill_day_ms;
    f->world.end_ms = end;
    f->world.bodies_ms = end - FILL_BODIES_DAYS * fill_day_ms;

    *dir = argv[optind];

    return LLM_OK;
}


/* Digits, with k or m for thousands and millions; 0: it is none. */

static int64_t
fill_number(const char *text)
{
    char                *end;
    unsigned long long   n;

    n = strtoull(text, &end, 10);

    switch (*end) {

    case 'k':
        n *= 1000;
        end++;
        break;

    case 'm':
        n *= 1000000;
        end++;
        break;
    }

    return *end == '\0' && end > text && n <= INT64_MAX ? (int64_t) n : 0;
}


/*
 * Nothing is synced and nothing is logged ahead: what is half filled is worth
 * nothing.
 */

static int
fill_open(fill_t *f, const char *dir)
{
    int   fd;
    char  path[4200];

    snprintf(path, sizeof(path), "%s/" LLM_SCHEMA_FILE, dir);

    if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
        fprintf(stderr, "fill: %s: %s\n", dir, strerror(errno));
        return LLM_ERROR;
    }

    if (access(path, F_OK) == 0) {
        fprintf(stderr, "fill: %s is already there\n", path);
        return LLM_ERROR;
    }

    snprintf(path, sizeof(path), "%s/writer.lock", dir);

    fd = open(path, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (fd == -1 || flock(fd, LOCK_EX|LOCK_NB) == -1) {
        fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
        return LLM_ERROR;
    }

    snprintf(f->writer->db.dir, sizeof(f->writer->db.dir), "%s", dir);
    f->writer->db.synchronous = 2;
    f->writer->db.log = fill_log;

    if (llm_writer_open(f->writer) != LLM_OK) {
        return LLM_ERROR;
    }

    /* minutes that are not kept so long need not be counted */

    f->writer->ledger.fine = llm_wall_ms() - LLM_FINE_MS;

    (void) sqlite3_db_config(f->writer->db.handle, SQLITE_DBCONFIG_DEFENSIVE,
                             0, NULL);

    return llm_db_exec(&f->writer->db,
                       "PRAGMA locking_mode = EXCLUSIVE;"
                       "PRAGMA journal_mode = OFF;"
                       "PRAGMA synchronous = OFF;"
                       "PRAGMA cache_size = -400000;");
}


static int
fill_run(fill_t *f)
{
    double   sum, done, weight;
    int64_t  ms, n, made;

    f->start = fill_clock();
    f->said = f->start;
    sum = 0;
    done = 0;
    made = 0;

    for (ms = f->world.start_ms; ms < f->world.end_ms; ms += LLM_MINUTE_MS) {
        sum += fill_world_weight(&f->world, ms);
    }

    if (llm_writer_begin(f->writer) != LLM_OK) {
        return LLM_ERROR;
    }

    for (ms = f->world.start_ms; ms < f->world.end_ms; ms += LLM_MINUTE_MS) {
        weight = fill_world_weight(&f->world, ms);
        done += weight;
        n = ms + LLM_MINUTE_MS >= f->world.end_ms
            ? f->world.rows - made
            : (int64_t) (done / sum * f->world.rows) - made;

        if (fill_minute(f, ms, n) != LLM_OK) {
            return LLM_ERROR;
        }

        made += n;
    }

    /* what began before the end ends behind it, but not in the future */

    if (fill_until(f, INT64_MAX) != LLM_OK) {
        return LLM_ERROR;
    }

    return fill_commit(f);
}


static int
fill_minute(fill_t *f, int64_t ms, int64_t n)
{
    int64_t          i, start;
    fill_exchange_t  x;

    for (i = 0; i < n; i++) {
        start = ms + (LLM_MINUTE_MS * i
                      + fill_next(&f->world.random) % LLM_MINUTE_MS) / n;

        if (fill_until(f, start) != LLM_OK) {
            return LLM_ERROR;
        }

        fill_world_next(&f->world, start, &x);

        if (fill_push(&f->pending, &x) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
fill_push(fill_pending_t *h, const fill_exchange_t *x)
{
    size_t            i, up, size;
    fill_exchange_t  *p;

    if (h->n == h->size) {
        size = h->size ? 2 * h->size : 1024;
        p = size <= FILL_PENDING ? realloc(h->x, size * sizeof(*x)) : NULL;

        if (p == NULL) {
            return LLM_ERROR;
        }

        h->x = p;
        h->size = size;
    }

    for (i = h->n++; i > 0; i = up) {
        up = (i - 1) / 2;

        if (fill_ended(&h->x[up]) <= fill_ended(x)) {
            break;
        }

        h->x[i] = h->x[up];
    }

    h->x[i] = *x;

    return LLM_OK;
}


static void
fill_pop(fill_pending_t *h)
{
    size_t            i, down;
    fill_exchange_t  *last;

    last = &h->x[--h->n];

    for (i = 0; (down = 2 * i + 1) < h->n; i = down) {

        if (down + 1 < h->n
            && fill_ended(&h->x[down + 1]) < fill_ended(&h->x[down]))
        {
            down++;
        }

        if (fill_ended(last) <= fill_ended(&h->x[down])) {
            break;
        }

        h->x[i] = h->x[down];
    }

    h->x[i] = *last;
}


static int64_t
fill_ended(const fill_exchange_t *x)
{
    return x->ms * 1000 + x->duration_us;
}


/* Writes what ended before ms. */

static int
fill_until(fill_t *f, int64_t ms)
{
    while (f->pending.n > 0 && fill_ended(&f->pending.x[0]) / 1000 < ms) {

        if (fill_write(f, &f->pending.x[0]) != LLM_OK) {
            return LLM_ERROR;
        }

        fill_pop(&f->pending);
    }

    return LLM_OK;
}


static int
fill_write(fill_t *f, const fill_exchange_t *x)
{
    llm_record_t  r;

    fill_record(x, &r);

    if (llm_writer_add(f->writer, &r, LLM_WRITE_ROW) != LLM_OK) {
        fprintf(stderr, "fill: row %lld failed\n", (long long) f->written);
        return LLM_ERROR;
    }

    f->written++;

    if (++f->batch < FILL_BATCH && f->writer->bytes < FILL_BATCH_BYTES) {
        return LLM_OK;
    }

    f->batch = 0;

    if (fill_commit(f) != LLM_OK) {
        return LLM_ERROR;
    }

    if (!f->quiet && fill_clock() - f->said >= FILL_SAY_S) {
        fill_say(f, 0);
    }

    return llm_writer_begin(f->writer);
}


/* The ledger's minutes are as short-lived as under nginx, copies are made. */

static int
fill_commit(fill_t *f)
{
    int64_t  day;

    if (llm_writer_commit(f->writer) != LLM_OK) {
        return LLM_ERROR;
    }

    day = f->pending.x[0].ms / fill_day_ms;

    if (day == f->day) {
        return LLM_OK;
    }

    f->day = day;

    while (llm_purge_ledger(f->writer, 0, llm_wall_ms() - LLM_FINE_MS)
           == LLM_OK)
    {
        /* void */
    }

    while (llm_pack_slice(f->writer, f->pending.x[0].ms) == LLM_OK) {
        /* void */
    }

    return f->writer->in_batch ? LLM_ERROR : fill_blocks(f);
}


static int
fill_blocks(fill_t *f)
{
    int  rc;

    do {
        if (llm_writer_begin(f->writer) != LLM_OK) {
            return LLM_ERROR;
        }

        rc = llm_blocks_make(&f->writer->blocks, f->pending.x[0].ms,
                             FILL_BLOCKS_MS);

        if (llm_writer_commit(f->writer) != LLM_OK) {
            return LLM_ERROR;
        }

    } while (rc == LLM_OK);

    return rc == LLM_AGAIN ? LLM_OK : LLM_ERROR;
}


static int
fill_close(fill_t *f)
{
    llm_db_t  *db;

    db = &f->writer->db;

    if (llm_db_exec(db, "PRAGMA incremental_vacuum;"
                    "PRAGMA locking_mode = NORMAL;"
                    "PRAGMA journal_mode = WAL;")
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    llm_writer_close(f->writer);
    fill_say(f, 1);

    return LLM_OK;
}


static void
fill_say(fill_t *f, int last)
{
    double  took;

    f->said = fill_clock();
    took = f->said - f->start;

    fprintf(stderr, "%lld of %lld rows, %.0f rows/s, %.0f s%s\n",
            (long long) f->written, (long long) f->world.rows,
            f->written / took,
            last ? took : (f->world.rows - f->written) * took / f->written,
            last ? " in all" : " to go");
}


static double
fill_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
fill_log(void *data, int level, const char *text)
{
    if (level == 0) {
        fprintf(stderr, "%s\n", text);
    }
}
