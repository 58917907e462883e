
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ledger equals a recount from the rows: each table, each column and each
 * histogram, after rollbacks, restarts, a memory that overflows, pause,
 * retention and a cleared log.
 */


#include "ledger.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"


#define ROWS   2000
#define CALM   3000                    /* values of a kind without trouble, */
#define AFTER  600                     /* rows when memory was full */
#define EVICT  (LLM_LEDGER_BUCKETS / 10)   /* quarter-hours of buckets */

#define START  (1790000000000 - 1790000000000 % LLM_DAY_MS)


/* every row as the ledger sees it */

#define FACTS                                                                 \
    "WITH f AS (SELECT id >> 21 AS ms, coalesce(status, 0) AS status,"        \
    " coalesce(outcome, 0) AS outcome, coalesce(stream, -1) AS stream,"       \
    " coalesce(account, 0) AS account, coalesce(user, 0) AS user,"            \
    " coalesce(api_key, 0) AS api_key, coalesce(provider, 0) AS provider,"    \
    " coalesce(model, 0) AS model, coalesce(endpoint, 0) AS endpoint,"        \
    " coalesce(client_ip, 0) AS ip, coalesce(operation, 0) AS operation,"     \
    " coalesce(protocol, 0) AS protocol, failed, duration_us, ttft_us,"       \
    " (coalesce(flags, 0) & 4) = 0 AS s, input_tokens, cache_read_tokens,"    \
    " cache_creation_tokens, output_tokens, reasoning_tokens, total_tokens,"  \
    " cost_nano FROM log) "

#define SUMS                                                                  \
    " count(*), sum(failed), sum(s AND (total_tokens IS NOT NULL"             \
    " OR input_tokens IS NOT NULL OR output_tokens IS NOT NULL)),"            \
    " total(s * input_tokens), total(s * cache_read_tokens),"                 \
    " total(s * cache_creation_tokens), total(s * output_tokens),"            \
    " total(s * reasoning_tokens), total(s * total_tokens),"                  \
    " sum(s AND cost_nano IS NOT NULL), total(s * cost_nano),"                \
    " count(duration_us), total(duration_us), count(ttft_us),"                \
    " total(ttft_us), total(iif(s AND duration_us > ttft_us,"                 \
    " output_tokens, 0)), total(iif(s AND duration_us > ttft_us"              \
    " AND output_tokens IS NOT NULL, duration_us - ttft_us, 0))"

#define COLUMNS                                                               \
    " requests, errors, usages, input_tokens, cache_read_tokens,"             \
    " cache_creation_tokens, output_tokens, reasoning_tokens, total_tokens,"  \
    " priced, cost_nano, duration_n, duration_us, ttft_n, ttft_us,"           \
    " speed_tokens, speed_us"

#define BAD   "outcome IN (3, 4, 5, 8)"
#define OUT   "(outcome IN (2, 7, 9))"
#define SLOW  "(status IN (429, 529) AND NOT " OUT ")"
#define FAIL  "((" BAD " OR status >= 500 OR status = 408) AND NOT " SLOW      \
              " AND NOT " OUT ")"
#define GOOD  "(status BETWEEN 200 AND 399 AND NOT " FAIL " AND NOT " OUT ")"


static int64_t
of(int64_t max)
{
    return random() % max;
}


/* something of everything, and what is not known now and then */

static void
any(llm_record_t *r)
{
    static char  text[6][64];

    static const int  status[] = { 200, 200, 200, 200, 201, 404, 401, 429, 499,
                                   500, 502, 529, 302, 408, 0 };

    ledger_record(r, START + of(2 * LLM_DAY_MS));

    r->num[LLM_N_STATUS] = status[of(15)];
    r->num[LLM_N_OUTCOME] = r->num[LLM_N_STATUS] < 400
                                ? (int64_t[]) { 1, 1, 1, 1, 5, 8 }[of(6)]
                                : (int64_t[]) { 2, 3, 4, 6, 6, 7, 9 }[of(7)];
    r->num[LLM_N_OPERATION] = of(12);
    r->num[LLM_N_PROTOCOL] = of(7);
    r->num[LLM_N_STREAM] = of(3) == 0 ? LLM_NULL : of(2);
    r->num[LLM_N_DURATION_US] = of(9) == 0 ? LLM_NULL : of(90000000);
    r->num[LLM_N_TTFT_US] = of(3) == 0 ? of(3000000) : LLM_NULL;

    if (r->num[LLM_N_OPERATION] == LLM_OPERATION_COUNT_TOKENS
        || r->num[LLM_N_OPERATION] == LLM_OPERATION_MODELS)
    {
        r->num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
    }

    if (of(4) != 0) {
        r->num[LLM_N_INPUT_TOKENS] = of(100000);
        r->num[LLM_N_OUTPUT_TOKENS] = of(10) == 0 ? LLM_NULL : of(5000);
        r->num[LLM_N_CACHE_READ_TOKENS] = of(2) ? of(50000) : LLM_NULL;
        r->num[LLM_N_CACHE_CREATION_TOKENS] = of(2) ? of(500) : LLM_NULL;
        r->num[LLM_N_REASONING_TOKENS] = of(2) ? of(500) : LLM_NULL;
        r->num[LLM_N_TOTAL_TOKENS] = of(100000);
        r->num[LLM_N_COST_NANO] = of(3) ? of(1000000000) : LLM_NULL;
    }

    r->num[LLM_N_API_KEY_HASH] = of(5) ? 1 + of(9) : LLM_NULL;

    snprintf(text[0], 64, "user-%d", (int) of(300));
    snprintf(text[1], 64, "a%d@example.com", (int) of(30));
    snprintf(text[2], 64, "model-%d", (int) of(12));
    snprintf(text[3], 64, "upstream-%d", (int) of(4));
    snprintf(text[4], 64, "10.0.0.%d", (int) of(250));

    if (of(8) != 0) {
        ledger_text(r, LLM_S_USER, text[0]);
        ledger_text(r, LLM_S_ACCOUNT, text[1]);
        ledger_text(r, LLM_S_MODEL, text[2]);
    }

    ledger_text(r, LLM_S_PROVIDER, text[3]);
    ledger_text(r, LLM_S_CLIENT_IP, text[4]);
}


/* both ways: nothing in one that is not in the other */

static int
equal(const char *table, const char *recount)
{
    char     sql[16384];
    int64_t  a, b;

    snprintf(sql, sizeof(sql), FACTS "SELECT count(*) FROM (%s EXCEPT %s)",
             table, recount);
    a = ledger_int(sql);

    snprintf(sql, sizeof(sql), FACTS "SELECT count(*) FROM (SELECT * FROM"
             " (%s) EXCEPT SELECT * FROM (%s))", recount, table);
    b = ledger_int(sql);

    if (a != 0 || b != 0) {
        printf("# %lld rows too many, %lld missing\n", (long long) a,
               (long long) b);
    }

    return a == 0 && b == 0;
}


static void
recount(const char *when)
{
    int          i, j, same;
    char         table[8192], count[8192];
    const char  *name;

    static const int64_t      span[] = { LLM_QUARTER_MS, LLM_DAY_MS };
    static const int64_t      fine[] = { LLM_MINUTE_MS, LLM_QUARTER_MS,
                                         LLM_HOUR_MS };
    static const char *const  dim[] = {
        "0", "account", "user", "api_key", "provider", "model", "endpoint",
        "ip", "status", "operation", "protocol", "outcome"
    };

    for (i = 0; i < 2; i++) {
        name = i ? "service_minute" : "service";

        snprintf(table, sizeof(table), "SELECT t, provider, model, endpoint,"
                 " operation, stream, status, outcome," COLUMNS " FROM %s",
                 name);
        snprintf(count, sizeof(count), "SELECT ms - ms %% %d, provider, model,"
                 " endpoint, operation, stream, status, outcome," SUMS
                 " FROM f GROUP BY 1, 2, 3, 4, 5, 6, 7, 8",
                 i ? LLM_MINUTE_MS : LLM_QUARTER_MS);

        ok(equal(table, count), "%s: %s", when, name);
    }

    snprintf(table, sizeof(table), "SELECT * FROM who");
    snprintf(count, sizeof(count), "SELECT ms - ms %% %d, account, user,"
             " api_key, provider, model, operation, status / 100," SUMS
             " FROM f GROUP BY 1, 2, 3, 4, 5, 6, 7, 8", LLM_QUARTER_MS);

    ok(equal(table, count), "%s: who", when);

    for (i = 0; i < 2; i++) {
        same = 1;

        for (j = 0; j < LLM_SERIES_COUNT; j++) {
            snprintf(table, sizeof(table), "SELECT * FROM series WHERE span ="
                     " %lld AND dim = %d", (long long) span[i], j);
            snprintf(count, sizeof(count), "SELECT %lld, ms - ms %% %lld, %d,"
                     " %s AS v," SUMS " FROM f GROUP BY 2, 4",
                     (long long) span[i], (long long) span[i], j, dim[j]);
            same &= equal(table, count);
        }

        ok(same, "%s: series of %lld ms, every dimension", when,
           (long long) span[i]);
    }

    same = 1;

    for (i = 0; i < 9; i++) {
        j = (int[]) { LLM_SERIES_TOTAL, LLM_SERIES_PROVIDER,
                      LLM_SERIES_MODEL }[i % 3];
        snprintf(table, sizeof(table), "SELECT t, value, requests, success,"
                 " failure, throttled, duration_n, duration_us, ttft_n,"
                 " ttft_us FROM health WHERE span = %lld AND dim = %d",
                 (long long) fine[i / 3], j);
        snprintf(count, sizeof(count), "SELECT ms - ms %% %lld, %s AS v,"
                 " count(*), sum(" GOOD "), sum(" FAIL "), sum(" SLOW "),"
                 " count(iif(" GOOD ", duration_us, NULL)),"
                 " total(iif(" GOOD ", duration_us, 0)),"
                 " count(iif(" GOOD ", ttft_us, NULL)),"
                 " total(iif(" GOOD ", ttft_us, 0)) FROM f GROUP BY 1, 2",
                 (long long) fine[i / 3], dim[j]);
        same &= equal(table, count);
    }

    ok(same, "%s: health of each span and dimension", when);
}


/* every histogram, byte by byte, from the rows that it is of */

static void
histograms(const char *table, const char *column, const char *hist)
{
    int            n, same;
    char           sql[1024];
    size_t         bytes, len;
    uint8_t        packed[LLM_HIST_PACKED];
    llm_hist_t     h;
    sqlite3_stmt  *st, *rows;

    snprintf(sql, sizeof(sql), "SELECT t, provider, model, endpoint,"
             " operation, stream, status, outcome, %s FROM %s", hist, table);
    sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL);

    snprintf(sql, sizeof(sql), "SELECT %s FROM log WHERE (id >> 21) >= ?1"
             " AND (id >> 21) < ?1 + %d AND coalesce(provider, 0) = ?2"
             " AND coalesce(model, 0) = ?3 AND coalesce(endpoint, 0) = ?4"
             " AND operation = ?5 AND coalesce(stream, -1) = ?6"
             " AND status = ?7 AND outcome = ?8 AND %s IS NOT NULL", column,
             strcmp(table, "service") ? LLM_MINUTE_MS : LLM_QUARTER_MS,
             column);
    sqlite3_prepare_v2(ledger->db.handle, sql, -1, &rows, NULL);

    same = 1;
    bytes = 0;

    for (n = 0; n < 400 && sqlite3_step(st) == SQLITE_ROW; n++) {
        int  i;

        memset(&h, 0, sizeof(h));

        for (i = 0; i < 8; i++) {
            sqlite3_bind_int64(rows, i + 1, sqlite3_column_int64(st, i));
        }

        while (sqlite3_step(rows) == SQLITE_ROW) {
            llm_hist_add(&h, llm_hist_bucket(sqlite3_column_int64(rows, 0)),
                         1, &bytes);
        }

        sqlite3_reset(rows);

        len = h.n ? llm_hist_pack(&h, packed) : 0;
        same &= len == (size_t) sqlite3_column_bytes(st, 8)
                && (len == 0
                    || memcmp(packed, sqlite3_column_blob(st, 8), len) == 0);
        llm_hist_free(&h);
    }

    sqlite3_finalize(st);
    sqlite3_finalize(rows);

    ok(n > 100 && same, "%s.%s: %d histograms are those of their rows", table,
       hist, n);
}


/* Nearly nobody comes twice, until memory has no room for all of them. */

static void
overflow(void)
{
    int           i, left, over;
    char          user[32], account[32], ip[32];
    size_t        used;
    llm_record_t  r;

    over = 0;
    left = AFTER;

    for (i = 0; left > 0 && i < 5 * CALM; i++) {

        if (i % 100 == 0) {
            ledger_begin();
        }

        used = ledger->ledger.used;

        any(&r);

        snprintf(user, sizeof(user), "calm-%d", (int) of(CALM));
        snprintf(account, sizeof(account), "calm-%d", (int) of(CALM));
        snprintf(ip, sizeof(ip), "2001:db8::%x", (int) of(CALM));

        ledger_text(&r, LLM_S_USER, user);
        ledger_text(&r, LLM_S_ACCOUNT, account);
        ledger_text(&r, LLM_S_CLIENT_IP, ip);
        r.num[LLM_N_API_KEY_HASH] = 1 + of(CALM);

        ledger_add(&r, LLM_WRITE_ROW);

        over += ledger->ledger.used < used;
        left -= over > 0;

        if (i % 100 == 99 || left == 0) {
            ledger_commit();
        }
    }

    ok(over > 0, "memory was full, after %d rows", i - AFTER);
}


/*
 * A bucket that was read while a cell of it was in memory alone does not know
 * that one's row, which is there when the cell is forgotten.
 */

static void
forgotten(void)
{
    int           i;
    llm_record_t  r;

    ledger_begin();

    for (i = 0; i <= EVICT + 2; i++) {

        if (i == EVICT + 2) {
            ledger->ledger.bytes = LLM_LEDGER_BYTES + 1;
            ledger_commit();
            ledger_begin();
        }

        ledger_record(&r, START + (i > EVICT ? 0 : i) * LLM_QUARTER_MS);
        ledger_text(&r, LLM_S_USER, i == EVICT + 1 ? "two" : "one");
        ledger_add(&r, LLM_WRITE_ROW);
    }

    ledger_commit();
}


int
main(void)
{
    int           i, n, what;
    int64_t       before;
    llm_record_t  r;

    srandom(7);
    ledger_open();

    for (i = 0; i < ROWS; i += n) {
        n = 1 + (int) of(200);

        ledger_begin();

        for (what = 0; what < n; what++) {
            any(&r);
            ledger_add(&r, LLM_WRITE_ROW);
        }

        if (of(4) == 0) {
            llm_writer_rollback(ledger);

        } else {
            ledger_commit();
        }

        if (of(7) == 0) {
            llm_writer_close(ledger);
            ledger_open();
        }
    }

    overflow();
    forgotten();
    recount("rollbacks, restarts and full memory");

    histograms("service", "duration_us", "duration_hist");
    histograms("service", "ttft_us", "ttft_hist");
    histograms("service_minute", "duration_us", "duration_hist");

    before = ledger_int("SELECT count(*) FROM log");
    ledger_begin();

    for (i = 0; i < 50; i++) {
        any(&r);
        ledger_add(&r, i % 2 ? LLM_WRITE_LEDGER_ONLY : LLM_WRITE_CLEARED);
    }

    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM log") == before
       && ledger_int("SELECT sum(requests) FROM series WHERE span = 86400000"
                     " AND dim = 0") == before + 50
       && ledger_int("SELECT sum(requests) FROM who") == before + 50,
       "what makes no row, paused or cleared, is counted once");

    while (llm_purge_ledger(ledger, START + LLM_DAY_MS, START) == LLM_OK) { }

    ok(ledger_int("SELECT min(t) FROM series") == START + LLM_DAY_MS
       && ledger_int("SELECT min(t) FROM who") == START + LLM_DAY_MS
       && ledger_int("SELECT min(t) FROM service") == START + LLM_DAY_MS
       && ledger_int("SELECT min(t) FROM health") == START + LLM_DAY_MS,
       "retention removes what is older, and no more");

    while (llm_purge_ledger(ledger, LLM_NULL, LLM_NULL) == LLM_OK) { }

    ok(ledger_int("SELECT (SELECT count(*) FROM series) + (SELECT count(*)"
                  " FROM who) + (SELECT count(*) FROM service) + (SELECT"
                  " count(*) FROM service_minute) + (SELECT count(*) FROM"
                  " health)") == 0,
       "all of it can be removed");

    ledger_begin();
    ledger_record(&r, START + 5);
    ledger_add(&r, LLM_WRITE_ROW);
    ledger_commit();

    ok(ledger_int("SELECT sum(requests) FROM series WHERE span = 86400000"
                  " AND dim = 0") == 1,
       "and then counting starts at one");

    ledger->ledger.fine = START + LLM_DAY_MS;

    ledger_begin();
    ledger_record(&r, START + LLM_DAY_MS - 1);
    ledger_add(&r, LLM_WRITE_ROW);
    ledger_record(&r, START + LLM_DAY_MS);
    ledger_add(&r, LLM_WRITE_ROW);
    ledger_commit();

    ok(ledger_int("SELECT sum(requests) FROM service_minute") == 2
       && ledger_int("SELECT sum(requests) FROM health WHERE dim = 0"
                     " AND span = 60000") == 2
       && ledger_int("SELECT sum(requests) FROM health WHERE dim = 0"
                     " AND span = 900000") == 2
       && ledger_int("SELECT sum(requests) FROM health WHERE dim = 0"
                     " AND span = 3600000") == 3
       && ledger_int("SELECT sum(requests) FROM service") == 3
       && ledger_int("SELECT sum(requests) FROM who") == 3
       && ledger_int("SELECT sum(requests) FROM series WHERE dim = 0"
                     " AND span = 900000") == 3,
       "minutes that are too old to be kept are not counted, on demand");

    ledger_remove();

    return done_testing();
}
