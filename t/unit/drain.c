
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the tests of the writer share: a data directory with a ring file in it,
 * records, the writer, and waiting for what it does.
 */


#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"


/*
 * How long a wait stands still, with other work on the machine, before it has
 * failed; and those after it, for one failure brings others.
 */

/* what a writer has for all that is waited for; TEST_PATIENCE: another one */

#define PATIENT_S     60
#define IMPATIENT_MS  50

/* the newest questions, which the next failure tells */

#define ASKED         8


typedef struct {
    char     sql[160];
    int64_t  answer;
} asked_t;


static int64_t patient_ms(void);
static void say(void *data, int level, const char *text);


char            dir[256];
uint64_t        made;
llm_ring_t      ring;
llm_control_t  *control;
drain_keep_t    keep;
char            said[512];
int             said_lines;

llm_drain_trouble_t  trouble;

const llm_price_table_t  *prices;

static int64_t  patience;                /* ms; 0: nothing was in vain yet */
static asked_t  asked[ASKED];
static int      nasked;


void
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


void
cleanup(void)
{
    char  cmd[512];

    munmap(ring.map, ring.size);
    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);

    if (system(cmd) == -1) {
        abort();
    }
}


/* A ring file that this process holds the lock of, as nginx's master does. */

int
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


const char *
path(const char *name)
{
    static int   n;
    static char  buf[4][512];

    n = (n + 1) % 4;
    snprintf(buf[n], sizeof(buf[n]), "%s/%s", dir, name);

    return buf[n];
}


void
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


int
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


int
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


llm_drain_t *
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
    conf.trouble = &trouble;
    conf.log = say;
    conf.retention_s = keep.rows;
    conf.bodies_s = keep.bodies;
    conf.max_size = keep.bytes;
    conf.prices = prices;

    return llm_drain_start(&d, &conf) == LLM_OK ? d : NULL;
}


void
stop(llm_drain_t *d)
{
    int  rc;

    rc = d == NULL ? LLM_ERROR : llm_drain_stop(d, patient_ms());

    if (rc != LLM_OK) {
        printf("# the writer is not there, or does not end: %d\n", rc);
        tap_diagnose();
        exit(1);
    }
}


static void
say(void *data, int level, const char *text)
{
    snprintf(said, sizeof(said), "%s", text);
    said_lines++;

    if (getenv("TEST_VERBOSE")) {
        fprintf(stderr, "# log %d: %s\n", level, text);
    }
}


int64_t
command(int op, const void *args, size_t len)
{
    int       index, state;
    char      error[128];
    int64_t   progress, result;
    uint64_t  ticket;

    index = llm_control_ask(control, op, args, len, getpid(),
                            llm_control_now() + 2 * patient_ms(), &ticket);

    (void) until((state = llm_control_poll(control, index, ticket, &progress,
                                           &result, error, sizeof(error)))
                 != LLM_COMMAND_WAITING && state != LLM_COMMAND_RUNNING);

    if (state == LLM_COMMAND_DONE) {
        return result;
    }

    return state == LLM_COMMAND_FAILED || state == LLM_COMMAND_FREE ? -1 : -2;
}


int64_t
ask_db(const char *sql)
{
    int64_t        v;
    sqlite3       *db;
    sqlite3_stmt  *st;

    v = -1;

    if (sqlite3_open_v2(path("proxy_logs.db"), &db, SQLITE_OPEN_READONLY, NULL)
        == SQLITE_OK)
    {
        sqlite3_busy_timeout(db, patient_ms());
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

        if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
            if (sqlite3_step(st) == SQLITE_ROW) {
                v = sqlite3_column_int64(st, 0);
            }

            sqlite3_finalize(st);
        }
    }

    sqlite3_close(db);

    snprintf(asked[nasked % ASKED].sql, sizeof(asked->sql), "%s", sql);
    asked[nasked++ % ASKED].answer = v;

    return v;
}


void
tap_diagnose(void)
{
    int          i;
    llm_terms_t  t;

    for (i = nasked > ASKED ? nasked - ASKED : 0; i < nasked; i++) {
        printf("# %lld: %s\n", (long long) asked[i % ASKED].answer,
               asked[i % ASKED].sql);
    }

    nasked = 0;

    llm_ring_terms(&ring, &t);

    printf("# written %llu, ledger only %llu, cleared %llu, in ring %llu,"
           " spool %llu, hand %llu, finished %llu, recovered %llu\n",
           (unsigned long long) t.written, (unsigned long long) t.ledger_only,
           (unsigned long long) t.cleared, (unsigned long long) t.in_ring,
           (unsigned long long) t.in_spool, (unsigned long long) t.in_hand,
           (unsigned long long) t.finished, (unsigned long long) t.recovered);
    printf("# up %d, errors %lld, the last %d, reopened %lld, rows %lld;"
           " said: %s\n", (int) control->db_up, (long long) control->db_errors,
           (int) control->db_error, (long long) control->db_reopened,
           (long long) control->db_rows, said);
}


int
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


int
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


uint64_t
became(const llm_ring_t *r)
{
    llm_terms_t  t;

    llm_ring_terms(r, &t);

    return t.written + t.ledger_only + t.cleared + t.dropped[LLM_DROP_TORN];
}


/* The bound is on standing still: how fast it goes is the machine's affair. */

int
wait_written(uint64_t n)
{
    uint64_t  last;

    do {
        last = became(&ring);

        if (last >= n) {
            return 1;
        }

    } while (until(became(&ring) != last));

    return 0;
}


/* What the writer says of itself comes at the end of its turn. */

int
wait_up(void)
{
    return until(control->db_up);
}


/* It tries again and again; records wait. */

int
wait_down(uint64_t written)
{
    llm_terms_t  t;

    if (!until(!control->db_up && control->db_errors)) {
        return 0;
    }

    llm_ring_terms(&ring, &t);

    return t.written == written;
}


void
forget(void)
{
    control->db_up = 0;
    control->db_errors = 0;
}


int64_t
wait_begin(void)
{
    return llm_control_now() + (patience > 0 ? patience : patient_ms());
}


/* In the environment seconds for a machine, or a valgrind, that is slower. */

static int64_t
patient_ms(void)
{
    const char  *s;

    s = getenv("TEST_PATIENCE");

    return (s != NULL && atoi(s) > 0 ? atoi(s) : PATIENT_S) * 1000LL;
}


int
wait_more(int64_t end)
{
    if (llm_control_now() >= end) {
        patience = IMPATIENT_MS;
        return 0;
    }

    nap(10);

    return 1;
}


void
nap(long ms)
{
    struct timespec  ts = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);
}
