
/*
 * Copyright (C) llm_monitor contributors
 *
 * Counts of a filter are those of the rows, whatever has become of them since
 * the ledger counted them; and where nothing has, no row is looked at.
 */


#include "ask.h"
#include "ledger.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"
#include "../../ngx_http_llm_monitor_module/store/llm_where.h"


#define DAYS    8
#define ROWS    2400
#define START   (20400 * (int64_t) LLM_DAY_MS)
#define DAY(n)  (START + (n) * (int64_t) LLM_DAY_MS)
#define HOUR    3600000

#define OF(kind, text)  "(SELECT id FROM dict WHERE kind = " #kind            \
                        " AND value = '" text "')"


static void add(int64_t ms, int what);
static void compare(const char *when);
static void believed(void);
static int64_t count(const char *query);
static void lie(int day, int by);
static void clear(const char *query);


/* a filter and the same of the rows; whether whole days are not looked at */

static const struct {
    const char  *query;
    const char  *rows;
    int          fast;
} tally[] = {
    { "", "1", 1 },
    { "status=200", "status = 200", 1 },
    { "status=2xx", "status BETWEEN 200 AND 299", 1 },
    { "status=401", "status = 401", 0 },
    { "status=4xx", "status BETWEEN 400 AND 499", 0 },
    { "errors_only=1", "failed = 1", 1 },
    { "errors_only=0", "1", 1 },
    { "quick=errors", "failed = 1", 1 },
    { "quick=chat", "operation IN (1, 2, 3)", 1 },
    { "quick=image", "operation = 5", 1 },
    { "outcome=success", "outcome = 1", 1 },
    { "outcome=timeout", "outcome = 4", 1 },
    { "protocol=anthropic", "protocol = 2", 1 },
    { "protocol=unknown", "coalesce(protocol, 0) = 0", 1 },
    { "operation=embeddings", "operation = 4", 1 },
    { "operation=other", "coalesce(operation, 0) = 0", 1 },
    { "provider=p1", "provider = " OF(5, "p1"), 1 },
    { "model=m2", "model = " OF(6, "m2"), 1 },
    { "endpoint=/v1/chat/completions", "endpoint IS NOT NULL", 1 },
    { "user=u3", "user IN (" OF(8, "u3") ", " OF(15, "u3") ")", 1 },
    { "ip=10.0.0.4", "client_ip = " OF(10, "10.0.0.4"), 1 },
    { "key=1111", "api_key IN (SELECT id FROM dict WHERE kind = 9"
                  " AND value LIKE '1111%')", 1 },
    { "key=1111&stream=1", "api_key IN (SELECT id FROM dict WHERE kind = 9"
                           " AND value LIKE '1111%') AND stream = 1", 0 },
    { "account=a1", "account = " OF(7, "a1"), 1 },
    { "stream=1", "stream = 1", 0 },
    { "status=200&model=m2", "status = 200 AND model = " OF(6, "m2"), 0 },
    { "outcome=success&protocol=anthropic", "outcome = 1 AND protocol = 2",
      0 },
    { "status=200&errors_only=1", "status = 200 AND failed = 1", 0 },
    { "user=u3&min_duration_ms=1", "0", 0 },
    { "model=nothing", "0", 0 }
};


static llm_reader_t  *reader;


int
main(void)
{
    int                i;
    int64_t            all;
    llm_record_t       r;
    llm_query_error_t  err;

    srandom(11);
    ledger_open();
    ledger_begin();

    for (i = 0; i < ROWS; i++) {
        add(START + random() % (DAYS * (int64_t) LLM_DAY_MS), LLM_WRITE_ROW);
    }

    ledger_commit();

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        return 1;
    }

    compare("all there");

    all = count("");
    lie(5, 1000);
    ok(count("") == all + 1000, "nothing is looked at: %lld",
       (long long) count(""));
    believed();

    /* a day that has lost one is looked at again, after a rollback too */

    for (i = 0; i < 2; i++) {
        ledger_begin();
        add(DAY(5) + HOUR, LLM_WRITE_LEDGER_ONLY);

        if (i == 0) {
            llm_writer_rollback(ledger);
            ok(count("") == all + 1000, "a rollback");

        } else {
            ledger_commit();
        }
    }

    compare("paused");

    ledger_begin();
    add(DAY(4) + HOUR, LLM_WRITE_CLEARED);
    ledger_commit();
    lie(4, 1000);

    compare("cleared before it was written");

    clear("status=401&until=1762905600000");
    lie(2, 1000);
    lie(3, 1000);

    compare("cleared by filter");

    /* the next free id is in the next day, which has counted nothing of it */

    ledger_begin();

    for (i = 0; i < 2; i++) {
        ledger_record(&r, DAY(7) - 1);
        r.num[LLM_N_ID] = (DAY(7) << LLM_ID_SHIFT) - 1;
        ledger_add(&r, LLM_WRITE_ROW);
    }

    ledger_commit();
    ok(r.num[LLM_N_ID] >> LLM_ID_SHIFT == DAY(7), "an id past midnight");
    ok(count("") == ledger_int("SELECT count(*) FROM log"), "is counted");

    clear("");
    ok(count("") == 0 && count("outcome=success") == 0, "everything");
    ledger_begin();

    for (i = 0; i < ROWS / 2; i++) {
        add(DAY(DAYS + 1) + random() % (3 * (int64_t) LLM_DAY_MS),
            LLM_WRITE_ROW);
    }

    ledger_commit();

    compare("a log that began anew");

    /* what is in the rest may be anything */

    (void) llm_db_exec(&ledger->db, "UPDATE series SET value = -1 WHERE value ="
                       " " OF(10, "10.0.0.4") " AND dim = 7");
    llm_ledger_reset(&ledger->ledger);

    compare("past the bound");

    while (llm_purge_ledger(ledger, DAY(DAYS + 3), 0) == LLM_OK) {
        /* void */
    }

    ledger_begin();
    add(START, LLM_WRITE_ROW);
    ledger_commit();

    compare("sums that are too old, and a late record");

    llm_reader_close(reader);
    ledger_remove();

    return done_testing();
}


static void
add(int64_t ms, int what)
{
    int           n;
    char          text[6][64];
    llm_record_t  r;

    n = (int) (random() % 7);

    ledger_record(&r, ms);

    r.num[LLM_N_STATUS] = (int[]) { 200, 200, 201, 200, 401, 503, 0 }[n];
    r.num[LLM_N_OUTCOME] = (int[]) { 1, 1, 1, 4, 6, 6, 2 }[n];
    r.num[LLM_N_OPERATION] = random() % 6;
    r.num[LLM_N_PROTOCOL] = n ? (int64_t) (random() % 3) : LLM_NULL;
    r.num[LLM_N_STREAM] = random() % 2;
    r.num[LLM_N_API_KEY_HASH] = 0x1111000000000000
                                + random() % 3 * 0x1111000000000000
                                + random() % 2;
    r.num[LLM_N_USER_TRUSTED] = random() % 2;

    snprintf(text[0], 64, "u%d", (int) (random() % 9));
    snprintf(text[1], 64, "a%d", (int) (random() % 5));
    snprintf(text[2], 64, "m%d", (int) (random() % 4));
    snprintf(text[3], 64, "p%d", (int) (random() % 3));
    snprintf(text[4], 64, "10.0.0.%d", (int) (random() % 20));

    if (n != 6) {
        ledger_text(&r, LLM_S_USER, text[0]);
        ledger_text(&r, LLM_S_ACCOUNT, text[1]);
        ledger_text(&r, LLM_S_MODEL, text[2]);
    }

    ledger_text(&r, LLM_S_PROVIDER, text[3]);
    ledger_text(&r, LLM_S_CLIENT_IP, text[4]);

    ledger_add(&r, what);
}


/* each filter without a time, over whole days, and from noon to noon */

static void
compare(const char *when)
{
    int      j, same;
    char     query[256], sql[1024];
    size_t   i;
    int64_t  n, want, since, until;

    same = 1;

    for (i = 0; i < sizeof(tally) / sizeof(tally[0]); i++) {

        for (j = 0; j < 3; j++) {
            since = j == 0 ? 0 : DAY(1) + (j - 1) * 12 * HOUR;
            until = j == 0 ? DAY(1000) : DAY(10) + (j - 1) * 12 * HOUR;

            if (j == 0) {
                snprintf(query, sizeof(query), "%s", tally[i].query);

            } else {
                snprintf(query, sizeof(query), "%s&since=%lld&until=%lld",
                         tally[i].query, (long long) since,
                         (long long) until);
            }

            snprintf(sql, sizeof(sql), "SELECT count(*) FROM log WHERE (%s)"
                     " AND (id >> 21) >= %lld AND (id >> 21) < %lld",
                     tally[i].rows, (long long) since, (long long) until);

            want = ledger_int(sql);
            n = count(query);

            if (n != want) {
                printf("# %s: %lld, not %lld\n", query, (long long) n,
                       (long long) want);
                same = 0;
            }
        }
    }

    ok(same, "%s: as many as there are rows", when);
}


/* whose counts a wrong sum makes wrong */

static void
believed(void)
{
    int      same;
    char     sql[1024];
    size_t   i;
    int64_t  want;

    same = 1;

    for (i = 0; i < sizeof(tally) / sizeof(tally[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM log WHERE %s",
                 tally[i].rows);
        want = ledger_int(sql);

        if ((count(tally[i].query) >= want + 1000) != tally[i].fast) {
            printf("# %s: %lld\n", tally[i].query,
                   (long long) count(tally[i].query));
            same = 0;
        }
    }

    ok(same, "by all filters that ask for one thing");
}


static int64_t
count(const char *query)
{
    return ask_count(reader, query, START);
}


/* sums of a day that are not true: who adds them is found out */

static void
lie(int day, int by)
{
    char  sql[256];

    snprintf(sql, sizeof(sql), "UPDATE series SET requests = requests + %d,"
             " errors = errors + %d WHERE span = %d AND t = %lld", by, by,
             LLM_DAY_MS, (long long) DAY(day));

    if (llm_db_exec(&ledger->db, sql) != LLM_OK) {
        abort();
    }

    llm_ledger_reset(&ledger->ledger);
}


static void
clear(const char *query)
{
    int                rc;
    llm_str_t          s;
    llm_purge_t        p;
    llm_where_t       *where;
    llm_filter_t      *f;
    llm_query_error_t  err;

    s.data = (const uint8_t *) query;
    s.len = strlen(query);

    if (llm_filter_parse(&f, &s, LLM_FOR_COUNT, START, &err) != LLM_OK
        || llm_where_create(&where, ledger->db.handle, f) != LLM_OK)
    {
        abort();
    }

    llm_purge_init(&p);
    p.where = where;
    p.seq = INT64_MAX;

    do {
        rc = llm_purge_rows(ledger, &p);
    } while (rc == LLM_OK);

    ok(rc == LLM_AGAIN && p.deleted > 0, "%lld rows go",
       (long long) p.deleted);

    llm_where_free(where);
    llm_filter_free(f);
}
