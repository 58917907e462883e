
/*
 * Copyright (C) llm_monitor contributors
 *
 * The power goes at any instant.  Of what the writer did until then the disk
 * has what was synced, and of the rest nothing, all, or any part; the ring, if
 * it is on that disk, has any of its pages as they were at any time before.
 * The next writer begins with that: what was said to be written is there, each
 * record at most once, the sums are those of the rows, and no file is taken
 * for corrupt.
 *
 * LLM_FAULTS=long makes thousands of images instead of hundreds.
 */


#define _GNU_SOURCE

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "disk.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"
#include "../../ngx_http_llm_monitor_module/store/llm_turn.h"


#define POWER_RING   LLM_RING_MIN_SIZE
#define POWER_PAGE   4096
#define POWER_BODY   600000            /* in a file, stored in slices */
#define POWER_RINGS  4096
#define POWER_STEPS  65536


/* where records wait */

enum { IN_RING = 0, IN_SPOOL, IN_FILES };

typedef struct {
    uint64_t   written;                /* so many it said */
    uint64_t   made;
    int        ring;                   /* as it was then */
} instant_t;

/* what an image must not have, and how many have it */

typedef struct {
    int        images;
    int        refused;
    int        aside;
    int        lost;
    int        twice;
    int        strange;
    int        sums;
    int        broken;
    int        bodies;
    int        law;
    int        left;                   /* of all that was in the ring */
    int64_t    replayed;
} found_t;


static void scene(int rounds, int images);
static void live(int rounds);
static void begin(llm_ring_t *to);
static void end(void);
static void some(void);
static void spooled(llm_record_t *r);
static void with_file(llm_record_t *r);
static void instant(void);
static void image(size_t n, int kind);
static void old_ring(const instant_t *at, int kind);
static void look(const instant_t *at, int kind);
static int64_t number(sqlite3 *db, const char *sql, int64_t arg);
static int never(void *data);
static void heard(void *data, int level, const char *text);
static int gone(const char *name, const struct stat *st, int flag,
    struct FTW *ftw);
static int tell(int count, int images, const char *what);


static llm_turn_t       turn;
static llm_ring_t       own;
static llm_spool_t      spool;
static int              spool_fd;
static int              where, verbose;

static instant_t        instants[POWER_STEPS];
static uint8_t         *rings[POWER_RINGS];
static int              nrings;
static found_t          found;


int
main(void)
{
    int  n;

    n = getenv("LLM_FAULTS") && strcmp(getenv("LLM_FAULTS"), "long") == 0 ? 15
                                                                          : 1;
    verbose = getenv("TEST_VERBOSE") != NULL;

    for (where = IN_RING; where <= IN_FILES; where++) {
        scene(40, 80 * n);
    }

    return done_testing();
}


static void
scene(int rounds, int images)
{
    int    i, n;
    char   live_dir[201];
    char  *names[] = { "ring", "spool", "files" };

    memset(&found, 0, sizeof(found));
    srandom(1 + where);

    snprintf(dir, sizeof(dir), "/tmp/llm_power.XXXXXX");

    if (mkdtemp(dir) == NULL || mkdir(path("spool"), 0700) == -1) {
        abort();
    }

    snprintf(live_dir, sizeof(live_dir), "%.200s", dir);

    live(rounds);

    for (i = 0; i < images; i++) {
        n = random() % disk_steps();
        snprintf(dir, sizeof(dir), "%s/%d", live_dir, i);
        image(n, i % DISK_KINDS);
    }

    ok(images == found.images, "%s: %d images of %d steps, %lld records "
       "replayed", names[where], images, (int) disk_steps(),
       (long long) found.replayed);

    tell(found.refused, images, "are opened and written to");
    tell(found.aside, images, "are not taken for corrupt");
    tell(found.broken, images, "pass SQLite's integrity check");
    tell(found.lost, images, "have all that was said to be written");
    tell(found.twice, images, "have nothing twice");
    tell(found.strange, images, "have nothing that was not there");
    tell(found.sums, images, "have the sums of their rows");
    tell(found.bodies, images, "have bodies of the right length or none");
    tell(found.left, images, "take all of a ring that is whole");
    tell(found.law, images, "obey the law");

    disk_forget();
    munmap(ring.map, ring.size);

    while (nrings > 0) {
        free(rings[--nrings]);
    }

    (void) nftw(live_dir, gone, 16, FTW_DEPTH|FTW_PHYS);
}


/* What happened until the power went, step by step. */

static void
live(int rounds)
{
    int   i, left, fd;

    if (control == NULL) {
        control = mmap(NULL, sizeof(llm_control_t), PROT_READ|PROT_WRITE,
                       MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    }

    made = 0;
    fd = new_ring(&ring, "ring.own", POWER_RING, 0x2222000000000000 + where);
    spool_fd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    disk_record(dir, instant);
    begin(&ring);

    for (i = 0; i < rounds; i++) {
        some();

        turn.scan_ms = 0;
        llm_turn(&turn);

        if (i % 7 == 3) {
            (void) llm_writer_checkpoint(&turn.writer);
        }

        if (i % 11 == 5) {
            (void) llm_db_checkpoint(&turn.writer.db,
                                     SQLITE_CHECKPOINT_TRUNCATE, &left);
        }

        if (i % 13 == 7) {
            end();
            begin(&ring);
        }
    }

    end();

    disk_pause(1);
    llm_spool_close(&spool);
    close(spool_fd);
    close(fd);
}


static void
begin(llm_ring_t *to)
{
    llm_drain_conf_t  conf;

    llm_control_init(control);

    memset(&conf, 0, sizeof(conf));
    conf.dir = dir;
    conf.ring_dir = dir;
    conf.ring = to;
    conf.control = control;
    conf.flush_ms = 5;
    conf.synchronous = 2;
    conf.max_size = 64 * 1024 * 1024;
    conf.trouble = &trouble;
    conf.log = heard;

    if (llm_turn_init(&turn, &conf, never, NULL) != LLM_OK) {
        abort();
    }
}


static void
end(void)
{
    llm_turn_end(&turn, llm_control_now() + 60000);
    llm_turn_done(&turn);
}


static void
some(void)
{
    int           n;
    llm_record_t  r;

    for (n = random() % 8; n >= 0; n--) {
        fill(&r, ++made);

        if (where == IN_SPOOL) {
            spooled(&r);
            continue;
        }

        if (where == IN_FILES && n == 0) {
            with_file(&r);
        }

        if (!publish(&ring, &r)) {
            made--;
            return;
        }
    }

    if (random() % 3 == 0) {
        llm_spool_close(&spool);
    }
}


static void
spooled(llm_record_t *r)
{
    uint8_t  buf[65536];

    llm_ring_count_spooled(&ring);

    if (llm_spool_append(&spool, spool_fd, buf, llm_record_pack(r, buf)) < 0) {
        abort();
    }
}


/* Short ones go with their row, long ones after it. */

static void
with_file(llm_record_t *r)
{
    int          fd;
    size_t       n;

    static char     name[32];
    static uint8_t  body[POWER_BODY];

    n = made % 2 ? POWER_BODY : 1000;
    r->str[LLM_S_RESPONSE_SPOOL].data = (uint8_t *) name;
    r->str[LLM_S_RESPONSE_SPOOL].len = sprintf(name, "body.%d", (int) made);
    r->num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
    r->num[LLM_N_RESPONSE_BYTES] = n;

    memset(body, 'x', sizeof(body));

    fd = openat(spool_fd, name, O_WRONLY|O_CREAT|O_EXCL, 0600);

    if (fd == -1 || pwrite(fd, body, n, 0) != (ssize_t) n) {
        abort();
    }

    close(fd);
}


/* Before each step; workers go on. */

static void
instant(void)
{
    size_t         n;
    instant_t     *at;
    llm_terms_t    t;
    llm_record_t   r;

    if (where != IN_SPOOL && random() % 20 == 0) {
        fill(&r, ++made);
        made -= !publish(&ring, &r);
    }

    n = disk_steps();

    if (n >= POWER_STEPS) {
        abort();
    }

    llm_ring_terms(&ring, &t);

    at = &instants[n];
    at->written = t.written;
    at->made = t.finished;

    if (nrings == 0 || memcmp(rings[nrings - 1], ring.map, ring.size) != 0) {

        if (nrings == POWER_RINGS) {
            abort();
        }

        rings[nrings] = malloc(ring.size);
        memcpy(rings[nrings++], ring.map, ring.size);
    }

    at->ring = nrings - 1;
}


static void
image(size_t n, int kind)
{
    void        *map;
    struct stat  st;

    disk_image(dir, n, kind);
    old_ring(&instants[n], kind);

    map = mmap(NULL, POWER_RING, PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED
        || llm_ring_format(&own, map, POWER_RING, 0x3333) != LLM_OK)
    {
        abort();
    }

    found.images++;

    begin(&own);
    llm_turn(&turn);
    found.refused += !turn.open || !control->db_up;
    end();

    look(&instants[n], kind);
    found.left += stat(path("ring.old"), &st) == 0;

    munmap(map, POWER_RING);
    (void) nftw(dir, gone, 16, FTW_DEPTH|FTW_PHYS);
}


/* Nobody syncs its pages: each is as it was at some time. */

static void
old_ring(const instant_t *at, int kind)
{
    int     fd, from;
    size_t  i;

    fd = open(path("ring.old"), O_WRONLY|O_CREAT|O_EXCL, 0600);

    if (fd == -1) {
        abort();
    }

    for (i = 0; i < POWER_RING; i += POWER_PAGE) {
        from = kind == DISK_ALL ? at->ring
               : kind == DISK_NOTHING ? 0 : random() % (at->ring + 1);

        if (pwrite(fd, rings[from] + i, POWER_PAGE, i) != POWER_PAGE) {
            abort();
        }
    }

    close(fd);
}


static void
look(const instant_t *at, int kind)
{
    char          sql[512];
    int64_t       rows, ids, early, sums, tokens, newest;
    sqlite3      *db;
    llm_terms_t   t;

    db = NULL;

    if (sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL)
        != SQLITE_OK)
    {
        found.refused++;
        sqlite3_close(db);
        return;
    }

    /* a record's time says its number, see fill() */

    rows = number(db, "SELECT count(*) FROM log", 0);
    ids = number(db, "SELECT count(DISTINCT id >> 21) FROM log", 0);
    early = number(db, "SELECT count(*) FROM log WHERE id >> 21"
                       " <= 1790000000000 + ?1", at->written);
    newest = number(db, "SELECT coalesce(max(id >> 21), 1790000000000)"
                        " - 1790000000000 FROM log", 0);
    sums = number(db, "SELECT coalesce(sum(requests), 0) FROM service", 0);
    tokens = number(db, "SELECT coalesce(sum(total_tokens), 0) FROM"
                        " service_minute", 0);

    found.broken += number(db, "SELECT count(*) FROM pragma_integrity_check"
                           " WHERE integrity_check = 'ok'", 0) != 1;
    found.lost += early < (int64_t) at->written;
    found.twice += ids != rows;
    found.strange += newest > (int64_t) at->made + 8;
    found.sums += sums != rows || tokens != 15 * rows;
    found.replayed += rows - at->written;

    /* of what was in the ring alone, nobody knows how long its file was */

    if (where == IN_FILES) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM log LEFT JOIN"
                 " response_body b USING (id) WHERE response_body_state = 1"
                 " AND id >> 21 <= 1790000000000 + ?1"
                 " AND (coalesce(b.size, -1) != response_bytes"
                 " OR (b.data IS NULL AND (SELECT count(*) FROM frame f"
                 " WHERE f.id = log.id) != (b.size + %d - 1) / %d))",
                 LLM_FRAME_RAW, LLM_FRAME_RAW);
        found.bodies += number(db, sql, at->written) != 0;
    }

    /* what waits for its segment is finished, and is nowhere yet */

    found.left += kind == DISK_ALL
                  && rows < (int64_t) at->made - (where == IN_SPOOL);

    llm_ring_terms(&own, &t);
    found.law += t.finished + t.recovered
                 != t.written + t.dropped[LLM_DROP_TORN];

    sqlite3_close(db);

    if (turn.writer.control->db_moved_aside != 0) {
        found.aside++;
    }

    if (verbose) {
        fprintf(stderr, "# kind %d, written %d, made %d: rows %d, early %d, "
                "sums %d\n", kind, (int) at->written, (int) at->made,
                (int) rows, (int) early, (int) sums);
    }
}


static int64_t
number(sqlite3 *db, const char *sql, int64_t arg)
{
    int64_t        v;
    sqlite3_stmt  *st;

    v = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(st, 1, arg);

        if (sqlite3_step(st) == SQLITE_ROW) {
            v = sqlite3_column_int64(st, 0);
        }
    }

    sqlite3_finalize(st);

    return v;
}


static int
never(void *data)
{
    return 0;
}


static void
heard(void *data, int level, const char *text)
{
    if (verbose) {
        fprintf(stderr, "# log %d: %s\n", level, text);
    }
}


static int
gone(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(name);
}


static int
tell(int count, int images, const char *what)
{
    return ok(count == 0, "%s%s", what, count == 0 ? "" : ", but for some")
           || (printf("# %d of %d\n", count, images), 0);
}
