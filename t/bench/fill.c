
/*
 * Copyright (C) llm_monitor contributors
 *
 * Fills a new database with plausible exchanges, for benchmarks and pictures.
 * The module's own writer puts them in, in the order in which they end, so
 * that rows, dictionary, sessions and sums are what nginx would have written.
 *
 *     scripts/fill [-n rows] [-d days] [-s seed] [-b percent] [-e end_ms] dir
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fill_store.h"


#define FILL_PENDING      1000000
#define FILL_BODIES_DAYS  7
#define FILL_SAY_S        1.0
#define FILL_SAY_ROWS     1000


/* exchanges under way, a heap by their end */

typedef struct {
    size_t            n;
    size_t            size;
    fill_exchange_t  *x;
} fill_pending_t;

typedef struct {
    fill_world_t      world;
    fill_pending_t    pending;
    fill_store_t      store;
    int64_t           written;
    double            start;
    double            said;
    int               quiet;
} fill_t;


static int fill_options(fill_t *f, int argc, char **argv, const char **dir);
static int64_t fill_number(const char *text);
static int fill_run(fill_t *f);
static int fill_minute(fill_t *f, int64_t ms, int64_t n);
static int fill_push(fill_pending_t *h, const fill_exchange_t *x);
static void fill_pop(fill_pending_t *h);
static int64_t fill_ended(const fill_exchange_t *x);
static int fill_until(fill_t *f, int64_t ms);
static int fill_ending(void *data);
static void fill_say(fill_t *f, int last);
static double fill_clock(void);


int
main(int argc, char **argv)
{
    const char  *dir;

    static fill_t  f;

    if (fill_options(&f, argc, argv, &dir) != LLM_OK) {
        fprintf(stderr, "usage: fill [-q] [-n rows] [-d days] [-s seed]"
                " [-b percent] [-e end_ms] dir\n");
        return 2;
    }

    /* a connection is used by one thread, and there are two of them */

    (void) sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

    if (fill_world_init(&f.world) != LLM_OK
        || fill_store_open(&f.store, dir) != LLM_OK)
    {
        return 1;
    }

    if (fill_run(&f) != LLM_OK
        || fill_store_end(&f.store, fill_ending, &f) != LLM_OK)
    {
        fprintf(stderr, "fill: failed, remove %s\n", dir);
        return 1;
    }

    fill_say(&f, 1);

    free(f.pending.x);
    free(f.world.slots);

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

    return fill_until(f, INT64_MAX);
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

        if (fill_store_add(&f->store, &f->pending.x[0]) != LLM_OK) {
            return LLM_ERROR;
        }

        fill_pop(&f->pending);

        if (++f->written % FILL_SAY_ROWS == 0 && !f->quiet
            && fill_clock() - f->said >= FILL_SAY_S)
        {
            fill_say(f, 0);
        }
    }

    return LLM_OK;
}


/* While what was counted is put in its place. */

static int
fill_ending(void *data)
{
    fill_t  *f = data;

    if (!f->quiet && fill_clock() - f->said >= FILL_SAY_S) {
        f->said = fill_clock();
        fprintf(stderr, "%lld rows, their sums follow, %.0f s so far\n",
                (long long) f->written, f->said - f->start);
    }

    return 0;
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

    if (last) {
        fprintf(stderr, "CPU time of a row: %.1f us to make and count it, %.1f"
                " us meanwhile to store it, %.1f us to move the sums\n",
                f->store.counting_s * 1e6 / f->written,
                f->store.storing_s * 1e6 / f->written,
                f->store.moving_s * 1e6 / f->written);
    }
}


static double
fill_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}
