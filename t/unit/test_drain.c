
/*
 * Copyright (C) llm_monitor contributors
 *
 * The writer as a whole: a ring in a file, records, and what happens to the
 * database, to the spool and to the process in between.
 */


#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/record/llm_record.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"
#include "../../ngx_http_llm_monitor_module/store/llm_body.h"
#include "../../ngx_http_llm_monitor_module/store/llm_drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_query.h"


#define RING  (16 * 1024 * 1024)

/* What others do takes the time that the machine has for them. */

#define until(cond)                                                           \
    ({ int i_; for (i_ = 0; i_ < 3000 && !(cond); i_++) { nap(10); } (cond); })


static char            dir[256];
static llm_ring_t      ring;
static llm_control_t  *control;
static uint64_t        made;


static void
say(void *data, int level, const char *text)
{
    if (getenv("TEST_VERBOSE")) {
        fprintf(stderr, "# log %d: %s\n", level, text);
    }
}


static void
nap(long ms)
{
    struct timespec  ts = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);
}


static const char *
path(const char *name)
{
    static int   n;
    static char  buf[4][512];

    n = (n + 1) % 4;
    snprintf(buf[n], sizeof(buf[n]), "%s/%s", dir, name);

    return buf[n];
}


/* A ring file that this process holds the lock of, as nginx's master does. */

static int
new_ring(llm_ring_t *r, const char *name, size_t size, uint64_t identity)
{
    int    fd;
    void  *map;

    fd = open(path(name), O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0600);

    if (fd == -1 || ftruncate(fd, size) == -1) {
        abort();
    }

    flock(fd, LOCK_EX);

    map = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED || llm_ring_format(r, map, size, identity)) {
        abort();
    }

    return fd;
}


static void
fresh(void)
{
    snprintf(dir, sizeof(dir), "/tmp/llm_drain.XXXXXX");

    if (mkdtemp(dir) == NULL || mkdir(path("spool"), 0700) == -1) {
        abort();
    }

    if (control == NULL) {
        control = mmap(NULL, sizeof(llm_control_t), PROT_READ|PROT_WRITE,
                       MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    }

    llm_control_init(control);

    new_ring(&ring, "ring.own", RING, 0x1111000000000000 + random());
    made = 0;
}


static void
cleanup(void)
{
    char  cmd[512];

    munmap(ring.map, ring.size);
    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);

    if (system(cmd) == -1) {
        abort();
    }
}


static void
fill(llm_record_t *r, uint64_t n)
{
    static char             model[32], sid[32], url[64];
    static const llm_str_t  chat = llm_str("/v1/chat/completions");
    static const llm_str_t  post = llm_str("POST");

    llm_record_init(r);

    r->num[LLM_N_TIMESTAMP] = 1790000000000 + n;
    r->num[LLM_N_ID] = r->num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | n;
    r->num[LLM_N_STATUS] = n % 10 == 0 ? 401 : 200;
    r->num[LLM_N_OUTCOME] = n % 10 == 0 ? LLM_OUTCOME_HTTP_ERROR
                                        : LLM_OUTCOME_SUCCESS;
    r->num[LLM_N_OPERATION] = LLM_OPERATION_CHAT;
    r->num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OPENAI;
    r->num[LLM_N_DURATION_US] = 1000 + n;
    r->num[LLM_N_INPUT_TOKENS] = 10;
    r->num[LLM_N_OUTPUT_TOKENS] = 5;
    r->num[LLM_N_TOTAL_TOKENS] = 15;
    r->num[LLM_N_API_KEY_HASH] = 0x1234567890abcdef;

    r->str[LLM_S_ENDPOINT] = chat;
    r->str[LLM_S_METHOD] = post;

    r->str[LLM_S_MODEL].data = (uint8_t *) model;
    r->str[LLM_S_MODEL].len = sprintf(model, "model-%d", (int) (n % 7));
    r->str[LLM_S_SESSION].data = (uint8_t *) sid;
    r->str[LLM_S_SESSION].len = sprintf(sid, "session-%d", (int) (n % 5));
    r->str[LLM_S_URL].data = (uint8_t *) url;
    r->str[LLM_S_URL].len = sprintf(url, "/v1/x/%d", (int) (n % 3));
}


static int
publish(llm_ring_t *to, const llm_record_t *r)
{
    llm_ring_slot_t  slot;

    if (llm_ring_reserve(to, llm_record_packed_size(r), getpid(), &slot)
        != LLM_OK)
    {
        return 0;
    }

    llm_record_pack(r, slot.data);
    llm_ring_commit(to, &slot);

    return 1;
}


static int
publish_n(int n)
{
    llm_record_t  r;

    while (n-- > 0) {
        fill(&r, ++made);

        if (!publish(&ring, &r)) {
            return 0;
        }
    }

    return 1;
}


static int64_t  keep_rows, keep_bodies, keep_bytes;


static llm_drain_t *
start(void)
{
    llm_drain_t       *d;
    llm_drain_conf_t   conf;

    memset(&conf, 0, sizeof(conf));
    conf.dir = dir;
    conf.ring_dir = dir;
    conf.ring = &ring;
    conf.control = control;
    conf.flush_ms = 5;
    conf.synchronous = 1;
    conf.log = say;
    conf.retention_s = keep_rows;
    conf.bodies_s = keep_bodies;
    conf.max_size = keep_bytes;

    return llm_drain_start(&d, &conf) == LLM_OK ? d : NULL;
}


static int64_t
ask_db(const char *sql)
{
    int64_t        v;
    sqlite3       *db;
    sqlite3_stmt  *st;

    v = -1;

    if (sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL)
        == SQLITE_OK)
    {
        sqlite3_busy_timeout(db, 10000);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

        if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
            if (sqlite3_step(st) == SQLITE_ROW) {
                v = sqlite3_column_int64(st, 0);
            }

            sqlite3_finalize(st);
        }
    }

    sqlite3_close(db);

    return v;
}


static int
law(llm_terms_t *t)
{
    int       i;
    uint64_t  sum;

    llm_ring_terms(&ring, t);

    sum = t->written + t->ledger_only + t->cleared + t->in_ring + t->in_spool
          + t->in_hand;

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        sum += t->dropped[i];
    }

    return t->finished + t->recovered == sum;
}


static uint64_t
became(const llm_ring_t *r)
{
    llm_terms_t  t;

    llm_ring_terms(r, &t);

    return t.written + t.ledger_only + t.cleared + t.dropped[LLM_DROP_TORN];
}


static int
wait_written(uint64_t n)
{
    return until(became(&ring) >= n);
}


/* What the writer says of itself comes at the end of its turn. */

static int
wait_up(void)
{
    return until(control->db_up);
}


static void
forget(void)
{
    control->db_up = 0;
    control->db_errors = 0;
}


/* It tries again and again; records wait. */

static int
wait_down(uint64_t written)
{
    llm_terms_t  t;

    if (!until(!control->db_up && control->db_errors)) {
        return 0;
    }

    llm_ring_terms(&ring, &t);

    return t.written == written;
}


static int
sums_equal(int64_t n)
{
    int  good;

    good = ask_db("SELECT sum(requests) FROM service_minute") == n
           && ask_db("SELECT sum(requests) FROM service") == n
           && ask_db("SELECT sum(total_tokens) FROM service") == 15 * n
           && ask_db("SELECT sum(requests) FROM who") == n
           && ask_db("SELECT sum(requests) FROM series WHERE dim = 0"
                     " AND span = 86400000") == n
           && ask_db("SELECT sum(requests) FROM series WHERE dim = 5"
                     " AND span = 900000") == n;

    return good;
}


static void
plain(void)
{
    llm_drain_t    *d;
    llm_terms_t     t;
    llm_record_t    r;

    fresh();
    d = start();

    ok(d != NULL, "becomes the writer");
    ok(start() == NULL, "no second one");

    publish_n(1000);

    ok(wait_written(1000), "1000 records are written");
    ok(ask_db("SELECT count(*) FROM log") == 1000, "as rows");
    ok(sums_equal(1000), "and in the ledger");
    ok(ask_db("SELECT count(*) FROM log WHERE failed = 1") == 100, "errors");
    ok(ask_db("SELECT max(seq) - min(seq) FROM log") == 999, "seq has no hole");
    ok(ask_db("SELECT count(*) FROM dict") == 1 + 3 + 1 + 7 + 1,
       "each text once");
    ok(ask_db("SELECT count(*) FROM session") == 5, "sessions");
    ok(ask_db("SELECT count(*) FROM logs WHERE url LIKE '/v1/x/_'"
              " AND model LIKE 'model-_' AND session_id LIKE 'session-_'"
              " AND api_key = '1234' AND method = 'POST'"
              " AND total_tokens = 15 AND duration_ms > 1"
              " AND strftime('%s', timestamp) BETWEEN '1790000000'"
              " AND '1790000002'") == 1000, "the view shows them");

    fill(&r, 7);
    publish(&ring, &r);

    ok(wait_written(1001) && control->duplicate_ids == 1
       && ask_db("SELECT count(*) FROM log") == 1001,
       "a duplicate id gets the next free one");

    fill(&r, 2000);
    r.num[LLM_N_FLAGS] = LLM_RECORD_LEDGER_ONLY;
    publish(&ring, &r);
    fill(&r, 2001);
    r.num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
    publish(&ring, &r);

    ok(wait_written(1003)
       && ask_db("SELECT count(*) FROM log") == 1002
       && ask_db("SELECT sum(requests) FROM service") == 1003
       && ask_db("SELECT sum(total_tokens) FROM service") == 15 * 1002,
       "paused: ledger only; no sums: counted without tokens");

    ok(law(&t) && t.ledger_only == 1 && t.written == 1002, "the law");

    llm_drain_leave(d);

    ok(until(llm_drain_left(d)) && control->writer_pid == 0, "left");

    llm_drain_stop(d, 0);
    publish_n(10);
    d = start();

    ok(wait_written(1013), "the next writer goes on");

    publish_n(500);
    llm_drain_stop(d, 2000);

    ok(ask_db("SELECT count(*) FROM log") == 1512, "stop drains on");
    ok(law(&t) && t.in_ring == 0, "the law at the end");

    cleanup();
}


/* A lock whose file has another name, or none, locks nobody out. */

static void
lock(void)
{
    int           i, fd;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();

    for (i = 0; i < 2; i++) {
        d = start();
        publish_n(100);
        wait_written(made);

        if (i == 0) {
            unlink(path("writer.lock"));

        } else {
            fd = open(path("new"), O_RDWR|O_CREAT, 0600);
            close(fd);
            rename(path("new"), path("writer.lock"));
        }

        publish_n(100);

        ok(until(llm_drain_left(d)) && control->writer_pid == 0,
           "gives a lost lock up");
        llm_drain_stop(d, 1000);
    }

    d = start();
    ok(d != NULL && wait_written(400), "the next one takes it and goes on");
    llm_drain_stop(d, 1000);
    ok(law(&t) && ask_db("SELECT count(*) FROM log") == 400, "exactly once");
    cleanup();
}


static void
torn(void)
{
    pid_t             pid;
    llm_drain_t      *d;
    llm_terms_t       t;
    llm_ring_slot_t   slot;

    fresh();
    publish_n(10);
    pid = fork();

    if (pid == 0) {
        llm_ring_reserve(&ring, 300, getpid(), &slot);
        _exit(0);
    }

    waitpid(pid, NULL, 0);
    publish_n(10);

    llm_ring_reserve(&ring, 5, getpid(), &slot);
    memset(slot.data, 0xff, 5);
    llm_ring_commit(&ring, &slot);

    d = start();

    ok(wait_written(22), "records around a torn one");
    ok(law(&t) && t.dropped[LLM_DROP_TORN] == 2 && t.written == 20,
       "torn and garbled ones are counted");

    llm_drain_stop(d, 1000);
    cleanup();
}


static void
orphans(void)
{
    int           i, dead, alive, sfd;
    char          name[512];
    uint8_t       buf[1024];
    llm_ring_t    other, living;
    llm_drain_t  *d;
    llm_spool_t   spool;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();

    dead = new_ring(&other, "ring.dead", 1 << 20, 77);
    alive = new_ring(&living, "ring.alive", 1 << 20, 78);

    for (i = 1; i <= 50; i++) {
        fill(&r, 10000 + i);
        publish(&other, &r);
        fill(&r, 20000 + i);
        publish(&living, &r);
    }

    /* a mapping keeps the lock as well */

    munmap(other.map, other.size);
    close(dead);
    close(open(path("ring.junk"), O_RDWR|O_CREAT, 0600));

    if (truncate(path("ring.junk"), 1 << 20) == -1) {
        abort();
    }

    sfd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    for (i = 1; i <= 30; i++) {
        fill(&r, 30000 + i);
        llm_ring_count_spooled(&ring);
        llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    }

    publish_n(20);
    d = start();

    ok(wait_written(100), "own ring, dead ring, segment");
    ok(until(became(&living) == 50), "another living ring is emptied");
    ok(until(access(path("ring.dead"), F_OK) == -1), "the dead one is gone");
    ok(access(path("ring.alive"), F_OK) == 0, "the living one is not");
    ok(access(path("ring.junk"), F_OK) == 0, "nor what is no ring");
    ok(ask_db("SELECT count(*) FROM log") == 150, "all are rows");
    ok(law(&t) && t.recovered == 50 && t.in_spool == 0 && t.written == 100,
       "the law counts the dead ring as recovered");

    /* a segment that grows, and one that was given up with a torn tail */

    fill(&r, 40000);
    llm_ring_count_spooled(&ring);
    llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));

    ok(wait_written(101), "a segment that grew");

    fill(&r, 40001);
    llm_ring_count_spooled(&ring);
    llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    llm_spool_close(&spool);

    ok(wait_written(102), "a segment that ended");

    snprintf(name, sizeof(name), "spool/%s", spool.name);

    ok(until(access(path(name), F_OK) == -1), "is removed");

    llm_drain_stop(d, 1000);
    ok(law(&t), "the law at the end");

    close(alive);
    close(sfd);
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
    sqlite3_busy_timeout(db, 10000);
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


static int64_t
command(int op, const void *args, size_t len)
{
    int       i, index, state;
    char      error[128];
    int64_t   progress, result;
    uint64_t  ticket;

    index = llm_control_ask(control, op, args, len, getpid(),
                            llm_control_now() + 30000, &ticket);

    for (i = 0; i < 6000; i++) {
        state = llm_control_poll(control, index, ticket, &progress, &result,
                                 error, sizeof(error));

        if (state == LLM_COMMAND_DONE) {
            return result;
        }

        if (state == LLM_COMMAND_FAILED || state == LLM_COMMAND_FREE) {
            return -1;
        }

        nap(5);
    }

    return -2;
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
    llm_drain_stop(d, 1000);
    cleanup();
}


/* Whatever comes in one go, the WAL stays short. */

static void
wal(void)
{
    int           i, sfd;
    size_t        n;
    uint8_t      *data, *buf;
    struct stat   st;
    llm_drain_t  *d;
    llm_spool_t   spool;
    llm_record_t  r;

    fresh();
    sfd = open(path("spool"), O_RDONLY|O_DIRECTORY);
    llm_spool_init(&spool);

    n = 250000;
    data = malloc(n);
    buf = malloc(2 * n);

    for (i = 0; i < (int) n; i++) {
        data[i] = (uint8_t) random();
    }

    for (i = 1; i <= 240; i++) {
        fill(&r, i);
        r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
        r.str[LLM_S_RESPONSE_BODY].data = data;
        r.str[LLM_S_RESPONSE_BODY].len = n;
        llm_ring_count_spooled(&ring);
        llm_spool_append(&spool, sfd, buf, llm_record_pack(&r, buf));
    }

    llm_spool_close(&spool);
    d = start();
    ok(wait_written(240), "60 MB of spooled records");
    ok(stat(path("proxy_logs.db-wal"), &st) == 0
       && st.st_size < 32 * 1024 * 1024, "go through 32 MB of WAL");
    llm_drain_stop(d, 1000);
    free(data);
    free(buf);
    close(sfd);
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

    llm_drain_stop(d, 1000);
    free(data);
    cleanup();
}


static void
kills(void)
{
    int           i;
    pid_t         pid;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();

    for (i = 0; i < 60; i++) {
        pid = fork();

        if (pid == 0) {
            d = start();
            nap(60000);
            _exit(d == NULL);
        }

        publish_n(random() % 150);
        nap(random() % 25);
        publish_n(random() % 50);
        nap(random() % 10);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }

    d = start();

    ok(wait_written(made), "60 killed writers: all is written");
    llm_drain_stop(d, 5000);

    ok(ask_db("SELECT count(*) FROM log") == (int64_t) made,
       "exactly once: %d rows", (int) made);
    ok(ask_db("SELECT count(DISTINCT seq) FROM log") == (int64_t) made,
       "each with a seq");
    ok(sums_equal(made), "exactly once in the ledger");
    ok(law(&t) && t.written == made && t.in_ring == 0, "the law");
    ok(ask_db("SELECT count(*) FROM pragma_integrity_check"
              " WHERE integrity_check = 'ok'") == 1, "integrity");
    ok(control->duplicate_ids == 0, "no duplicate");

    cleanup();
}


/*
 * Death between commit and release, for certain: that writer sees a private
 * copy of the ring, so nothing that it releases is seen by the next one.
 */

static void
replay(void)
{
    int           fd;
    void         *map;
    pid_t         pid;
    llm_drain_t  *d;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();
    publish_n(300);
    fill(&r, ++made);
    r.num[LLM_N_FLAGS] = LLM_RECORD_LEDGER_ONLY;
    publish(&ring, &r);

    pid = fork();

    if (pid == 0) {
        fd = open(path("ring.own"), O_RDWR);
        map = mmap(NULL, RING, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 0);
        llm_ring_attach(&ring, map, RING);
        d = start();
        nap(60000);
        _exit(d == NULL);
    }

    (void) until(ask_db("SELECT count(*) FROM log") == 300);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    llm_ring_terms(&ring, &t);
    ok(t.in_ring == 301 && t.written == 0, "committed, not released");

    publish_n(10);
    d = start();
    ok(wait_written(311), "the next writer releases them");
    llm_drain_stop(d, 1000);

    ok(law(&t) && t.written == 310 && t.ledger_only == 1,
       "as what they became");
    ok(ask_db("SELECT count(*) FROM log") == 310 && sums_equal(311)
       && control->duplicate_ids == 0, "exactly once");
    cleanup();
}


static void
busy(void)
{
    sqlite3      *db;
    llm_drain_t  *d;

    fresh();
    d = start();
    publish_n(10);
    wait_written(10);

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_busy_timeout(db, 1000);
    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    publish_n(10);
    ok(wait_down(10) && (control->db_error & 0xff) == SQLITE_BUSY,
       "another process holds the database");

    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    ok(wait_written(20) && wait_up(), "and lets go of it");

    llm_drain_stop(d, 1000);
    ok(ask_db("SELECT count(*) FROM log") == 20, "nothing is lost");
    cleanup();
}


static int
write_text(const char *name, const char *text)
{
    FILE  *f;

    f = fopen(path(name), "w");

    if (f == NULL) {
        return 0;
    }

    fputs(text, f);
    fclose(f);

    return 1;
}


static int
aside(const char *why)
{
    char  cmd[512];

    snprintf(cmd, sizeof(cmd), "ls %s/proxy_logs.db.%s-* >/dev/null 2>&1", dir,
             why);

    return system(cmd) == 0;
}


static void
files(void)
{
    int           fd;
    char          text[] = "garbage garbage garbage garbage garbage";
    sqlite3      *db;
    llm_drain_t  *d;
    llm_terms_t   t;

    fresh();
    d = start();
    publish_n(100);
    ok(wait_written(100), "before");

    unlink(path("proxy_logs.db"));
    publish_n(10);
    ok(wait_written(110) && ask_db("SELECT count(*) FROM log") == 10,
       "deleted: made again");
    ok(control->db_reopened == 1, "counted");

    rename(path("proxy_logs.db"), path("old.db"));
    publish_n(20);
    ok(wait_written(130) && ask_db("SELECT count(*) FROM log") == 20,
       "renamed: made again");

    rename(path("old.db"), path("proxy_logs.db"));
    publish_n(5);
    ok(wait_written(135) && ask_db("SELECT count(*) FROM log") == 15,
       "replaced by an older one of ours: goes on in it");
    ok(ask_db("SELECT count(*) FROM pragma_integrity_check"
              " WHERE integrity_check = 'ok'") == 1, "and no old WAL with it");

    unlink(path("proxy_logs.db"));
    write_text("proxy_logs.db", text);
    publish_n(5);
    ok(wait_written(140) && aside("corrupt"), "a text file is moved aside");

    llm_drain_stop(d, 1000);

    unlink(path("proxy_logs.db"));
    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "CREATE TABLE mine (a); INSERT INTO mine VALUES (1)",
                 NULL, NULL, NULL);
    sqlite3_close(db);

    d = start();
    publish_n(5);
    ok(wait_written(145) && aside("foreign"),
       "another application's database is moved aside");
    llm_drain_stop(d, 1000);

    unlink(path("proxy_logs.db"));
    mkdir(path("proxy_logs.db"), 0700);
    forget();
    d = start();
    publish_n(5);
    ok(wait_down(145), "a directory is refused, records wait");
    rmdir(path("proxy_logs.db"));
    ok(wait_written(150) && wait_up(), "and heals");
    llm_drain_stop(d, 1000);

    unlink(path("proxy_logs.db"));
    write_text("elsewhere", "");

    if (symlink(path("elsewhere"), path("proxy_logs.db")) == -1) {
        abort();
    }

    forget();
    d = start();
    publish_n(5);
    ok(wait_down(150), "a symlink is refused");
    unlink(path("proxy_logs.db"));
    ok(wait_written(155), "and heals");

    publish_n(2000);
    ok(wait_written(2155), "more");
    llm_drain_stop(d, 1000);

    /* pages in the middle are overwritten */

    unlink(path("proxy_logs.db-wal"));
    fd = open(path("proxy_logs.db"), O_RDWR);
    lseek(fd, 4096, SEEK_SET);

    for (int i = 0; i < 2000; i++) {
        if (write(fd, text, sizeof(text)) == -1) {
            abort();
        }
    }

    close(fd);

    d = start();
    publish_n(50);
    ok(wait_written(2205) && aside("corrupt"),
       "a corrupt database is moved aside");
    llm_drain_stop(d, 1000);

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
    sqlite3_close(db);

    forget();
    d = start();
    publish_n(5);
    ok(wait_down(2205), "a newer database is not touched");
    llm_drain_stop(d, 100);

    ok(law(&t), "the law");
    cleanup();
}


static void
full(void)
{
    pid_t          pid;
    int            status;
    llm_drain_t   *d;
    llm_terms_t    t;
    struct rlimit  limit = { 768 * 1024, 768 * 1024 };

    fresh();

    pid = fork();

    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        d = start();
        publish_n(5000);
        (void) until(control->db_errors > 1 && !control->db_up);
        llm_ring_terms(&ring, &t);
        status = t.in_ring + t.in_hand == 0 || control->db_errors < 2;
        _exit(status);
    }

    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "a full disk: records wait, db_up 0");

    d = start();
    ok(wait_written(5000), "all are written when there is room");
    llm_drain_stop(d, 1000);
    ok(ask_db("SELECT count(*) FROM log") == 5000, "exactly once");
    ok(sums_equal(5000), "in the ledger too");
    ok(law(&t), "the law");

    cleanup();
}


static void
commands(void)
{
    size_t             len;
    uint8_t            args[LLM_COMMAND_ARGS], off = 0, on = 1;
    llm_str_t          query = llm_str("status=401");
    llm_drain_t       *d;
    llm_terms_t        t;
    llm_record_t       r;
    llm_filter_t      *filter;
    llm_query_error_t  err;

    fresh();
    d = start();

    publish_n(3000);
    wait_written(3000);

    ok(llm_filter_parse(&filter, &query, LLM_FOR_CLEAR, 1790000000000, &err)
       == LLM_OK
       && llm_filter_pack(filter, args, sizeof(args), &len) == LLM_OK,
       "a filter");
    llm_filter_free(filter);

    ok(command(LLM_COMMAND_CLEAR, args, len) == 300, "clears 300 errors");
    ok(ask_db("SELECT count(*) FROM log") == 2700
       && ask_db("SELECT count(*) FROM log WHERE status = 401") == 0,
       "and nothing else");

    llm_drain_stop(d, 1000);
    publish_n(50);
    d = start();

    ok(command(LLM_COMMAND_CLEAR, NULL, 0) == 2750, "clears all");
    ok(ask_db("SELECT count(*) FROM log") == 0
       && ask_db("SELECT count(*) FROM detail") == 0, "nothing is left");
    ok(sums_equal(3050), "but the ledger");
    ok(law(&t) && t.written + t.cleared == 3050, "the law");

    query.data = (const uint8_t *) "stats=1&all=1";
    query.len = 13;
    ok(llm_filter_parse(&filter, &query, LLM_FOR_CLEAR, 1790000000000, &err)
       == LLM_OK
       && llm_filter_pack(filter, args, sizeof(args), &len) == LLM_OK
       && command(LLM_COMMAND_CLEAR, args, len) == 0
       && ask_db("SELECT count(*) FROM service") == 0
       && ask_db("SELECT count(*) FROM series") == 0
       && ask_db("SELECT count(*) FROM who") == 0
       && ask_db("SELECT count(*) FROM service_minute") == 0,
       "clears the ledger");
    llm_filter_free(filter);

    publish_n(100);
    ok(wait_written(3150) && sums_equal(100), "which begins anew");
    ok(wait_written(3150) && ask_db("SELECT count(*) FROM log") == 100
       && ask_db("SELECT min(seq) FROM log") > 3000, "seq goes on");

    ok(command(LLM_COMMAND_RECORDING, &off, 1) == 0 && !control->recording,
       "pause");
    llm_drain_stop(d, 1000);

    llm_control_init(control);
    fill(&r, 5000);
    r.num[LLM_N_FLAGS] = LLM_RECORD_UNSURE;
    publish(&ring, &r);
    d = start();

    ok(wait_written(3151) && control->recording == 0,
       "is kept over a restart");
    ok(ask_db("SELECT count(*) FROM log") == 100
       && ask_db("SELECT sum(requests) FROM service") == 101,
       "also for what was finished before anyone knew");
    ok(command(LLM_COMMAND_RECORDING, &on, 1) == 1 && control->recording,
       "resume");
    ok(command(LLM_COMMAND_REPRICE, NULL, 0) == -1, "unknown commands fail");

    llm_drain_stop(d, 1000);
    cleanup();
}


/* A value that finds its place full is not lost; the ledger counts it. */

static void
bounds(void)
{
    int           i;
    char          text[32], lon[600];
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    memset(lon, 'x', sizeof(lon));

    for (i = 1; i <= 1500; i++) {
        fill(&r, i);
        r.str[LLM_S_METHOD].data = (uint8_t *) text;
        r.str[LLM_S_METHOD].len = sprintf(text, "M\"%d", i % 100);

        if (i == 1) {
            r.str[LLM_S_URL].data = (uint8_t *) lon;
            r.str[LLM_S_URL].len = sizeof(lon);
        }

        publish(&ring, &r);
    }

    d = start();
    ok(wait_written(1500), "many values");
    ok(ask_db("SELECT count(DISTINCT method) FROM logs") == 100
       && ask_db("SELECT count(method) FROM logs") == 1500
       && ask_db("SELECT count(*) FROM log WHERE method IS NULL") > 100,
       "methods past the bound are in the row");
    ok(ask_db("SELECT count(*) FROM logs WHERE length(url) = 600") == 1,
       "a long one too");
    llm_drain_stop(d, 1000);
    cleanup();

    fresh();

    for (i = 1; i <= 1500; i++) {
        fill(&r, i);
        r.str[LLM_S_MODEL].data = (uint8_t *) text;
        r.str[LLM_S_MODEL].len = sprintf(text, "model%d", i);
        publish(&ring, &r);

        if (i == 700) {
            d = start();
            wait_written(700);
            llm_drain_stop(d, 1000);
        }
    }

    d = start();
    wait_written(1500);
    llm_drain_stop(d, 1000);

    ok(sums_equal(1500), "the ledger counts all");
    ok(ask_db("SELECT count(*) FROM series WHERE dim = 5 AND span = 900000")
       == 1001
       && ask_db("SELECT requests FROM series WHERE dim = 5"
                 " AND span = 900000 AND value = -1") == 500,
       "a thousand models, the rest other, over a restart too");
    cleanup();
}


/* What the database refuses for ever costs nobody else his place. */

static void
refused(void)
{
    int           i;
    char          sql[256];
    sqlite3      *db;
    llm_drain_t  *d;
    llm_terms_t   t;
    llm_record_t  r;

    fresh();
    d = start();
    wait_up();
    llm_drain_stop(d, 1000);

    /* someone removed rows by hand and left the rest of them */

    sqlite3_open(path("proxy_logs.db"), &db);
    sqlite3_exec(db, "DELETE FROM meta", NULL, NULL, NULL);

    for (i = 3; i <= 9; i += 3) {
        fill(&r, i);
        snprintf(sql, sizeof(sql), "INSERT INTO detail (id) VALUES (%lld)",
                 (long long) r.num[LLM_N_ID]);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }

    sqlite3_close(db);

    for (i = 1; i <= 11; i++) {
        fill(&r, i);
        r.str[LLM_S_ERROR] = r.str[LLM_S_URL];
        publish(&ring, &r);
    }

    d = start();
    ok(wait_written(8) && until(law(&t) && t.in_ring == 0),
       "records that cannot be stored do not stop others");
    llm_drain_stop(d, 1000);
    ok(law(&t) && t.written == 8 && t.dropped[LLM_DROP_DB_ERROR] == 3
       && ask_db("SELECT count(*) FROM log") == 8 && sums_equal(8)
       && ask_db("SELECT min(seq) + max(seq) FROM log") == 9,
       "and are counted");
    cleanup();
}


static void
chains(void)
{
    int                    i;
    llm_drain_t           *d;
    llm_record_t           r;
    static const char     *ids[] = { "resp_0", "resp_1", "resp_2", "resp_3" };

    fresh();

    for (i = 0; i < 4; i++) {
        fill(&r, i + 1);
        r.num[LLM_N_OPERATION] = LLM_OPERATION_RESPONSES;
        r.str[LLM_S_RESPONSE_ID].data = (uint8_t *) ids[i];
        r.str[LLM_S_RESPONSE_ID].len = 6;
        r.num[LLM_N_SESSION_SOURCE] = 6;

        if (i > 0) {
            r.str[LLM_S_PREVIOUS_RESPONSE_ID].data = (uint8_t *) ids[i - 1];
            r.str[LLM_S_PREVIOUS_RESPONSE_ID].len = 6;
        }

        publish(&ring, &r);

        if (i == 1) {
            d = start();
            wait_written(2);
            llm_drain_stop(d, 1000);
        }
    }

    d = start();
    wait_written(4);
    llm_drain_stop(d, 1000);

    ok(ask_db("SELECT count(DISTINCT session) FROM log") == 1
       && ask_db("SELECT count(*) FROM log WHERE session_source = 5") == 3,
       "a chain of answers is one session, over a restart too");
    cleanup();
}


static void
retention(void)
{
    int           i;
    int64_t       now;
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    now = (int64_t) time(NULL) * 1000;

    for (i = 0; i < 1000; i++) {
        fill(&r, i + 1);
        r.num[LLM_N_TIMESTAMP] = now - (int64_t) i * 3600000;
        r.num[LLM_N_ID] = r.num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | i;
        r.num[LLM_N_REQUEST_BODY_STATE] = i % 2 ? LLM_BODY_STORED
                                                : LLM_BODY_REDACTED;
        r.str[LLM_S_REQUEST_BODY] = r.str[LLM_S_MODEL];
        publish(&ring, &r);
    }

    keep_rows = 20 * 24 * 3600;
    keep_bodies = 7 * 24 * 3600;
    d = start();
    wait_written(1000);

    /* it is looked after once a minute, and at the start */

    llm_drain_stop(d, 1000);
    d = start();

    ok(until(ask_db("SELECT count(*) FROM log") == 480
             && ask_db("SELECT count(*) FROM request_body") == 168),
       "old rows are gone, and old bodies earlier");
    ok(ask_db("SELECT count(*) FROM log WHERE request_body_state = 6")
       == 480 - 168, "which rows say");
    ok(ask_db("SELECT sum(requests) FROM service") == 1000, "ledger stays");
    llm_drain_stop(d, 1000);

    keep_rows = 0;
    keep_bodies = 0;
    keep_bytes = 1;
    d = start();

    ok(until(ask_db("SELECT count(*) FROM log") == 0),
       "nor is it larger than asked");
    llm_drain_stop(d, 1000);
    keep_bytes = 0;
    cleanup();
}


int
main(void)
{
    srandom(time(NULL));

    plain();
    lock();
    torn();
    orphans();
    late();
    wal();
    bodies();
    replay();
    kills();
    busy();
    files();
    full();
    commands();
    bounds();
    refused();
    chains();
    retention();

    return done_testing();
}
