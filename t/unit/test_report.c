
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the calls on the ledger answer: days and months of zones with and
 * without summer time against the C library's own, sums against the records
 * that went in, and the refusals.
 */


#include <time.h>

#include "report.h"
#include "../../ngx_http_llm_monitor_module/store/llm_pack.h"


#define ROWS    9000
#define MODELS  12
#define USERS   1300                   /* more than a quarter-hour keeps */

#define FROM    1771804800000LL        /* 2026-02-23 */
#define TO      1794700800000LL        /* 2026-11-15 */
#define NOW     1794686400000LL        /* 2026-11-14T20:00Z */

#define REST    1893456000000LL        /* a day that nothing else is in */
#define REST_TEXT  "1893456000000"
#define NONE    "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"


static const char *const  zones[] = {
    "UTC", "Asia/Shanghai", "Europe/Paris", "America/St_Johns",
    "Asia/Kathmandu", "Australia/Lord_Howe", "America/Los_Angeles"
};

#define ZONES   ((int) (sizeof(zones) / sizeof(zones[0])))


static struct {
    int64_t  ms;
    int64_t  tokens;
    int      model;
} made[ROWS];

static int            late;             /* the first ones came twice */


/* the C library's idea of a zone */

static void
library(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}


static int64_t
midnight(int year, int month, int day)
{
    struct tm  tm = { .tm_year = year - 1900, .tm_mon = month,
                      .tm_mday = day, .tm_isdst = -1 };

    return (int64_t) mktime(&tm) * 1000;
}


static void
calendar(void)
{
    int        i, day, good, odd, month;
    time_t     s;
    int64_t    ms, next, want;
    llm_str_t  name;
    llm_tz_t  *tz;
    struct tm  tm;

    for (i = 0; i < ZONES; i++) {
        library(zones[i]);
        name.data = (const uint8_t *) zones[i];
        name.len = strlen(zones[i]);

        if (llm_tz_open(&tz, &name) != LLM_OK) {
            ok(0, "there is no zone %s", zones[i]);
            continue;
        }

        good = 1;
        odd = 0;
        ms = midnight(2025, 0, 1);

        for (day = 2; day < 1000; day++) {
            next = llm_window_next(tz, LLM_BUCKET_DAY, ms + 3600000);
            good &= next == midnight(2025, 0, day);
            odd += next - ms != LLM_DAY_MS;
            ms = next;
        }

        ms = midnight(2025, 0, 1);

        for (month = 1; month < 30; month++) {
            ms = llm_window_next(tz, LLM_BUCKET_MONTH, ms);
            good &= ms == midnight(2025, month, 1);
        }

        ms = midnight(2024, 11, 30);

        for (day = 1; day < 120; day++) {
            ms = llm_window_next(tz, LLM_BUCKET_WEEK, ms);
            want = midnight(2024, 11, 30 + 7 * day);
            good &= ms == want;
        }

        /* hours: each starts where the clock shows none but hours */

        ms = midnight(2026, 0, 1);

        for (day = 0; day < 24 * 365; day++) {
            next = llm_window_next(tz, LLM_BUCKET_HOUR, ms);
            s = next / 1000;
            localtime_r(&s, &tm);
            good &= tm.tm_min == 0 && tm.tm_sec == 0 && next > ms
                    && next - ms <= 5400000;
            ms = next;
        }

        ok(good && odd == (strcmp(zones[i], "UTC") == 0
                           || strncmp(zones[i], "Asia/", 5) == 0 ? 0 : 5),
           "%s: days, weeks, months and hours of years, %d days are longer"
           " or shorter", zones[i], odd);

        llm_tz_close(tz);
    }
}


static void
fill(void)
{
    int           i;
    char          user[32], model[32];
    llm_record_t  r;

    ledger_open();
    ledger_begin();

    for (i = 0; i < ROWS; i++) {
        made[i].ms = FROM + random() * 8 % (TO - FROM);

        /* many around the nights when clocks change: in Europe and America */

        if (i % 4 == 0) {
            made[i].ms = (int64_t[]) { 1772953200000, 1774742400000,
                                       1792886400000, 1793505600000 }[i / 4 % 4]
                         - 10800000 + random() % 21600000;
        }

        made[i].tokens = 1 + random() % 1000;
        made[i].model = random() % MODELS;

        ledger_record(&r, made[i].ms);

        r.num[LLM_N_INPUT_TOKENS] = made[i].tokens;
        r.num[LLM_N_OUTPUT_TOKENS] = 0;
        r.num[LLM_N_TOTAL_TOKENS] = made[i].tokens;
        r.num[LLM_N_DURATION_US] = 2000000;

        snprintf(user, sizeof(user), "user-%d", (int) (random() % 90));
        snprintf(model, sizeof(model), "model-%d", made[i].model);
        ledger_text(&r, LLM_S_USER, user);
        ledger_text(&r, LLM_S_MODEL, model);
        ledger_add(&r, LLM_WRITE_ROW);

        if (i % 1000 == 999) {
            ledger_commit();
            ledger_begin();
        }
    }

    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM log") == ROWS, "%d records", ROWS);
}


/* Sums of the days of a month, and of months, as localtime() sorts them. */

static void
months(void)
{
    int          i, k, good;
    char         query[128];
    time_t       s;
    size_t       n, d;
    int64_t      day[64], want[64], tokens[64], got[64], model[64];
    const char  *json;
    struct tm    tm;

    for (i = 0; i < ZONES; i++) {
        library(zones[i]);

        for (k = 2; k <= 10; k++) {
            snprintf(query, sizeof(query), "bucket=day&by=model&tz=%s&since="
                     "2026-%02d-01&until=2026-%02d-01", zones[i], k + 1,
                     k + 2);

            json = ask(LLM_REPORT_STATS, query, NOW);

            memset(want, 0, sizeof(want));
            memset(tokens, 0, sizeof(tokens));
            memset(model, 0, sizeof(model));

            for (n = 0; n < ROWS; n++) {
                s = made[n].ms / 1000;
                localtime_r(&s, &tm);

                if (tm.tm_year == 126 && tm.tm_mon == k) {
                    want[tm.tm_mday] += 1 + ((int) n < late);
                    tokens[tm.tm_mday] += made[n].tokens;
                    model[tm.tm_mday] += made[n].model == 3
                                         ? 1 + ((int) n < late) : 0;
                }
            }

            n = numbers(json, "\"buckets\":[", day);
            good = n >= 28 && strstr(json, "\"rounded\":false") != NULL;

            for (d = 0; d < n; d++) {
                good &= day[d] == midnight(2026, k, (int) d + 1);
            }

            good &= numbers(json, "\"series\":{\"requests\":[", got) == n
                    && memcmp(got, want + 1, n * sizeof(int64_t)) == 0
                    && numbers(json, "\"total_tokens\":[", got) == n
                    && memcmp(got, tokens + 1, n * sizeof(int64_t)) == 0;

            json = strstr(json, "\"name\":\"model-3\"");
            good &= json != NULL
                    && numbers(json, "\"series\":{\"requests\":[", got) == n
                    && memcmp(got, model + 1, n * sizeof(int64_t)) == 0;

            if (!good || k == 9) {
                ok(good, "%s: each day of %s 2026, in all and of a model",
                   zones[i], k == 9 ? "March to October" : query);
            }

            if (!good || k == 9) {
                break;
            }
        }
    }
}


/* Requests alone are those among all sums. */

static void
requests(void)
{
    int                same;
    size_t             n;
    llm_series_t       s;
    llm_series_map_t   all, some;
    llm_series_sum_t  *sum;
    llm_query_error_t  err;

    memset(&all, 0, sizeof(all));
    memset(&some, 0, sizeof(some));

    if (llm_reader_begin(reader, 0, &err) != LLM_OK
        || llm_series_open(&s, reader, LLM_SERIES_USER) != LLM_OK)
    {
        ok(0, "sums of users");
        return;
    }

    same = llm_series_add(&s, &all, FROM, TO - 9 * LLM_QUARTER_MS) == LLM_OK
           && llm_series_add_some(&s, &some, FROM, TO - 9 * LLM_QUARTER_MS,
                                  LLM_SERIES_COLUMN(LLM_C_REQUESTS))
              == LLM_OK
           && all.n == some.n && all.n > 80;

    for (n = 0; same && n < all.n; n++) {
        sum = llm_series_find(&some, all.sums[n].value);
        same = sum != NULL
               && sum->sum[LLM_C_REQUESTS] == all.sums[n].sum[LLM_C_REQUESTS];
    }

    ok(same, "requests of %d users without their other sums", (int) all.n);

    llm_series_close(&s);
    llm_series_free(&all);
    llm_series_free(&some);
    llm_reader_end(reader);
}


/* The same answers from what is packed, and after a late record. */

static void
packed(void)
{
    char          model[32];
    int64_t       n, before;
    llm_record_t  r;

    for (n = 0; llm_pack_slice(ledger, NOW) == LLM_OK; n++) {
        /* void */
    }

    before = ledger_int("SELECT count(*) FROM packed");

    ok(ledger_int("SELECT count(*) FROM packed WHERE span = 900000 AND dim ="
                  " 5") > 40
       && ledger_int("SELECT count(*) FROM packed WHERE span = 86400000 AND"
                     " dim = 5") > 200, "quarter-hours and days of models");

    ok(ledger_int("SELECT count(*) FROM packed WHERE t + span"
                                  " > 1794686400000") == 0
       && llm_pack_slice(ledger, NOW) != LLM_ERROR
       && ledger_int("SELECT count(*) FROM packed") == before,
       "what is over is packed, once: %d", (int) before);

    months();
    requests();

    /* some of them are in quarter-hours and days that are packed */

    ledger_begin();

    for (n = 0; n < 300; n++) {
        made[n].tokens += 7;

        ledger_record(&r, made[n].ms);
        r.num[LLM_N_STATUS] = 204;
        r.num[LLM_N_TOTAL_TOKENS] = 7;
        snprintf(model, sizeof(model), "model-%d", made[n].model);
        ledger_text(&r, LLM_S_MODEL, model);
        ledger_add(&r, LLM_WRITE_ROW);
    }

    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM packed") < before,
       "a late record takes copies away");

    late = 300;
    months();
    late = 0;

    ledger_begin();
    sqlite3_exec(ledger->db.handle, "UPDATE packed SET data = x'01ff' WHERE"
                 " id % 3 = 0; UPDATE packed SET data = x'' WHERE id % 3 = 1",
                 NULL, NULL, NULL);
    ledger_commit();

    late = 300;
    months();
    late = 0;
}


static void
windows(void)
{
    int64_t      v[2000], sum;
    size_t       i, n;
    const char  *json;

    json = ask(LLM_REPORT_STATS, "since=2026-05-01T10:07&until=2026-05-01T12"
               ":50&bucket=hour", NOW);
    n = numbers(json, "\"buckets\":[", v);

    ok(n == 3 && v[0] == 1777629600000 && v[1] == 1777633200000
       && number(json, "since", NULL) == 1777629600000
       && number(json, "until", NULL) == 1777640400000
       && strstr(json, "\"rounded\":true") != NULL,
       "a window that does not meet the grain is larger and says so");

    json = ask(LLM_REPORT_STATS, "since=2026-05-01T10:15&until=2026-05-01T12"
               ":45&bucket=hour&tz=Asia/Kathmandu", NOW);
    n = numbers(json, "\"buckets\":[", v);

    ok(n == 3 && v[1] == 1777612500000
       && strstr(json, "\"rounded\":false") != NULL
       && strstr(json, "\"tz\":\"Asia/Kathmandu\"") != NULL,
       "one that meets it is as asked, its ends may be in a bucket");

    json = ask(LLM_REPORT_STATS, "period=all&bucket=month&tz=+05:45", NOW);
    n = numbers(json, "\"series\":{\"requests\":[", v);

    for (i = 0, sum = 0; i < n; i++) {
        sum += v[i];
    }

    ok(n >= 9 && sum == ROWS + 300
       && number(json, "total", "requests") == ROWS + 300
       && strstr(json, "\"tz\":\"+05:45\"") != NULL,
       "all of the time has all of the records");

    ok(numbers(ask(LLM_REPORT_STATS, "", NOW), "\"buckets\":[", v) == 30
       && numbers(ask(LLM_REPORT_STATS, "bucket=hour", NOW), "\"buckets\":[",
                  v) == 24
       && numbers(ask(LLM_REPORT_STATS, "bucket=week", NOW), "\"buckets\":[",
                  v) == 12
       && numbers(ask(LLM_REPORT_STATS, "bucket=month", NOW), "\"buckets\":[",
                  v) == 12,
       "without a time there are 24 hours, 30 days, 12 weeks or months");
}


static void
refusals(void)
{
    size_t       i;
    char         want[64];
    const char  *got;

    static const struct {
        int          what;
        const char  *query;
        const char  *parameter;
    } bad[] = {
        { LLM_REPORT_STATS, "tz=Nowhere/Land", "tz" },
        { LLM_REPORT_STATS, "tz=..%2F..%2Fetc%2Fpasswd", "tz" },
        { LLM_REPORT_STATS, "tz=", "tz" },
        { LLM_REPORT_STATS, "since=then", "since" },
        { LLM_REPORT_STATS, "until=now&since=-1h", "until" },
        { LLM_REPORT_STATS, "until=-1h", "until" },
        { LLM_REPORT_STATS, "since=-1h&until=-2h", "until" },
        { LLM_REPORT_STATS, "since=-1h&until=-1h", "until" },
        { LLM_REPORT_STATS, "since=-1h&period=week", "period" },
        { LLM_REPORT_STATS, "period=custom", "period" },
        { LLM_REPORT_STATS, "period=year", "period" },
        { LLM_REPORT_STATS, "bucket=minute", "bucket" },
        { LLM_REPORT_STATS, "bucket=hour&since=-60d", "bucket" },
        { LLM_REPORT_STATS, "by=session", "by" },
        { LLM_REPORT_STATS, "by=total", "by" },
        { LLM_REPORT_STATS, "limit=0", "limit" },
        { LLM_REPORT_STATS, "limit=101", "limit" },
        { LLM_REPORT_STATS, "limit=1e1", "limit" },
        { LLM_REPORT_STATS, "offset=1", "offset" },
        { LLM_REPORT_STATS, "sort=name", "sort" },
        { LLM_REPORT_STATS, "order=up", "order" },
        { LLM_REPORT_STATS, "by=model&by=user", "by" },
        { LLM_REPORT_STATS, "filter=x", "filter" },
        { LLM_REPORT_STATS, "by=%ff", "by" },
        { LLM_REPORT_STATS, "range=1h", "range" },
        { LLM_REPORT_SUMMARY, "since=-1h", "since" },
        { LLM_REPORT_SUMMARY, "tz=x", "tz" },
        { LLM_REPORT_LEADERBOARD, "by=status", "by" },
        { LLM_REPORT_LEADERBOARD, "limit=1001", "limit" },
        { LLM_REPORT_LEADERBOARD, "offset=-1", "offset" },
        { LLM_REPORT_LEADERBOARD, "offset=100001", "offset" },
        { LLM_REPORT_LEADERBOARD, "bucket=day", "bucket" },
        { LLM_REPORT_AVAILABILITY, "by=user", "by" },
        { LLM_REPORT_AVAILABILITY, "range=2h", "range" },
        { LLM_REPORT_AVAILABILITY, "tz=UTC", "tz" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        got = ask(bad[i].what, bad[i].query, NOW);
        snprintf(want, sizeof(want), "400 bad_parameter %s: ",
                 bad[i].parameter);
        ok(strncmp(got, want, strlen(want)) == 0, "%s: %s", bad[i].query, got);
    }
}


static void
nothing(void)
{
    int          i;
    const char  *json;

    static const char *const  queries[] = {
        "", "by=user", "by=user", "by=model"
    };

    for (i = 0; i < 4; i++) {
        json = ask(i, queries[i], NOW);
        ok(json[0] == '{' && json[strlen(json) - 1] == '}'
           && number(json, "requests", NULL) <= 0, "nothing is an answer: %d",
           i);
    }
}


static void
board(void)
{
    int           i;
    char          user[32];
    int64_t       start;
    const char   *json;
    llm_record_t  r;

    start = NOW - NOW % LLM_DAY_MS;
    ledger_begin();

    for (i = 0; i < USERS; i++) {
        ledger_record(&r, start + i % 900);
        snprintf(user, sizeof(user), "one-%d", i);
        ledger_text(&r, LLM_S_USER, user);
        r.num[LLM_N_INPUT_TOKENS] = 500000 - i;
        r.num[LLM_N_TOTAL_TOKENS] = 500000 - i;
        ledger_add(&r, LLM_WRITE_ROW);
    }

    for (i = 0; i < 7; i++) {
        ledger_record(&r, start + i);
        r.num[LLM_N_STATUS] = 500;
        r.num[LLM_N_OUTCOME] = LLM_OUTCOME_HTTP_ERROR;
        ledger_add(&r, LLM_WRITE_ROW);
    }

    ledger_record(&r, start + i);
    ledger_text(&r, LLM_S_USER, "\"quoted\" <user>");
    r.num[LLM_N_INPUT_TOKENS] = 700000;
    r.num[LLM_N_CACHE_READ_TOKENS] = 350000;
    r.num[LLM_N_OUTPUT_TOKENS] = 300000;
    r.num[LLM_N_TOTAL_TOKENS] = 1000000;
    r.num[LLM_N_COST_NANO] = 1500000000;
    r.num[LLM_N_DURATION_US] = 4000000;
    r.num[LLM_N_TTFT_US] = 1000000;
    ledger_add(&r, LLM_WRITE_ROW);

    ledger_record(&r, start + 60000);
    ledger_text(&r, LLM_S_USER, "claims");
    ledger_text(&r, LLM_S_SESSION, "s-1");
    r.num[LLM_N_USER_TRUSTED] = 0;
    r.num[LLM_N_OPERATION] = LLM_OPERATION_COUNT_TOKENS;
    r.num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
    r.num[LLM_N_INPUT_TOKENS] = 999999999;
    r.num[LLM_N_TOTAL_TOKENS] = 999999999;
    ledger_add(&r, LLM_WRITE_ROW);

    ledger_commit();

    json = ask(LLM_REPORT_LEADERBOARD, "limit=2", NOW);

    ok(strstr(json, "\"rows\":[{\"rank\":1,\"name\":\"\\\"quoted\\\" "
              "\\u003cuser>\",\"requests\":1,\"errors\":0,\"success_rate\":1,"
              "\"input_tokens\":700000,\"cache_read_tokens\":350000,"
              "\"cache_creation_tokens\":0,\"output_tokens\":300000,"
              "\"reasoning_tokens\":0,\"total_tokens\":1000000,"
              "\"cache_hit_rate\":0.5,\"cost_usd\":1.5,\"unpriced\":0,"
              "\"duration_ms\":4000,\"ttft_ms\":1000,"
              "\"tokens_per_second\":100000},{\"rank\":2,\"name\":\"one-0\"")
       != NULL, "the first of today, its row");
    ok(number(json, "none", "errors") == 7
       && number(json, "none", "success_rate") == 0,
       "those without a user are apart");
    ok(strstr(json, "\"other\":null") != NULL
       && number(json, "count", NULL) > USERS,
       "a day keeps them all");

    json = ask(LLM_REPORT_LEADERBOARD, "since=2026-11-14&until=2026-11-14T00"
               ":15", NOW);
    ok(number(json, "other", "requests") > 200
       && number(json, "count", NULL) <= 1000
       && number(json, "total", "requests") >= USERS + 9,
       "a quarter-hour keeps 1000, the rest is one sum, the total right");

    json = ask(LLM_REPORT_LEADERBOARD, "limit=1&offset=1&sort=requests&order="
               "asc&by=model&period=all", NOW);
    ok(strstr(json, "\"rows\":[{\"rank\":2,\"name\":\"model-") != NULL
       && number(json, "count", NULL) == MODELS,
       "offset, order and another sort");

    json = ask(LLM_REPORT_LEADERBOARD, "sort=cost_usd", NOW);
    ok(strstr(json, "\"rows\":[{\"rank\":1,\"name\":\"\\\"quoted") != NULL
       && strstr(json, "\"name\":\"claims\",\"claimed\":true") == NULL,
       "what has no cost comes after what has");

    json = ask(LLM_REPORT_LEADERBOARD, "sort=total_tokens&order=asc&limit=50",
               NOW);
    ok(strstr(json, "\"rows\":[{\"rank\":1,\"name\":\"claims\","
              "\"claimed\":true,\"requests\":1,") != NULL,
       "count_tokens is a request without tokens; a name from a body is"
       " marked");
}


/* What one user may see, also of a quarter-hour that did not keep them all. */

static void
scoped(void)
{
    int          i, good, rest;
    char         user[32];
    int64_t      n;
    const char  *json;

    static const char *const  nobodies[] = { "", "claims", "one-", "%" };

    n = ledger_int("SELECT count(*) FROM log AS l JOIN dict AS d ON d.id ="
                   " l.user WHERE d.kind = 8 AND d.value = 'user-7'");

    whose = "user-7";

    for (i = 0; i < 4; i++) {
        json = ask(LLM_REPORT_STATS,
                   (const char *[]) { "period=all&by=model",
                                      "period=all&by=status",
                                      "period=all&by=user",
                                      "period=all&by=key&tz=Asia/Kathmandu"
                                    }[i], NOW);

        ok(n > 50 && number(json, "total", "requests") == n
           && number(json, "count", NULL)
              == (int64_t[]) { MODELS, 1, 1, 0 }[i]
           && strstr(json, "partial") == NULL,
           "the %d requests of one user, by %d", (int) n, i);
    }

    budget = 1;
    json = ask(LLM_REPORT_STATS, "period=all&by=model", NOW);
    ok(strstr(json, "\"partial\":true") != NULL
       && number(json, "total", "requests") < n, "as far as the time went");
    budget = 5000;

    good = 0;
    rest = 0;

    for (i = 0; i < USERS; i += 50) {
        snprintf(user, sizeof(user), "one-%d", i);
        whose = user;

        json = ask(LLM_REPORT_STATS, "period=today", NOW);
        n = number(json, "total", "requests");
        rest += (n == 0);
        good += (n == 0) == (strstr(json, "\"partial\":true") != NULL);

        json = ask(LLM_REPORT_STATS, "period=today&by=status", NOW);
        good += strstr(json, "\"name\":200,\"requests\":1,") != NULL;

        json = ask(LLM_REPORT_AVAILABILITY, "range=24h", NOW);
        good += number(json, "total", "requests") == 1
                && (n == 0) == (strstr(json, "\"partial\":true") != NULL);
    }

    ok(rest > 3 && rest < 10 && good == 3 * USERS / 50,
       "%d of some users are in the rest: that is said, rows have them", rest);

    for (i = 0; i < 4; i++) {
        whose = nobodies[i];
        json = ask(LLM_REPORT_STATS, "period=all&by=user", NOW);
        ok(number(json, "total", "requests") == 0
           && number(json, "count", NULL) == 0, "nothing for \"%s\"", whose);
    }

    whose = NULL;
}


static void
summary(void)
{
    int64_t       i, today, before, start, span;
    const char   *json;
    llm_record_t  r;

    static const int  late_ms[] = { 1000, 180000, 479999, 480000, 720000 };

    start = NOW - NOW % LLM_DAY_MS;
    span = NOW - start;
    today = USERS + 9;
    before = 0;

    for (i = 0; i < ROWS; i++) {
        today += made[i].ms >= start && made[i].ms < start + LLM_DAY_MS;
        before += made[i].ms >= start - LLM_DAY_MS
                  && made[i].ms < start - LLM_DAY_MS + span;
    }

    json = ask(LLM_REPORT_SUMMARY, "", NOW);

    ok(number(json, "today", "requests") == today
       && number(json, "yesterday", "requests") == before,
       "today and the same span yesterday: %d and %d", (int) today,
       (int) before);
    ok(number(json, "today", "users") >= USERS + 2
       && strstr(json, "users_more") == NULL
       && number(json, "today", "sessions") == 1
       && number(json, "yesterday", "sessions") == 0
       && number(json, "active", "sessions") == 0,
       "active users and sessions");
    ok(strstr(json, "\"cost_usd\":1.5,") != NULL
       && strstr(json, "\"cost_usd\":null") != NULL,
       "the cost is null if nothing had a price");

    /* in Paris yesterday ended 24 hours ago, but not on that Sunday */

    json = ask(LLM_REPORT_SUMMARY, "tz=Europe/Paris", 1792953000000);
    ok(number(json, "today", "since") == 1792879200000
       && number(json, "yesterday", "since") == 1792792800000
       && number(json, "yesterday", "until") == 1792863000000,
       "yesterday ends at the same time of the clock");

    /* and to the minute, which it says */

    ledger_begin();

    for (i = 0; i < 5; i++) {
        ledger_record(&r, NOW - LLM_DAY_MS + late_ms[i]);
        r.num[LLM_N_TOTAL_TOKENS] = 1000000000;
        ledger_add(&r, LLM_WRITE_ROW);
    }

    ledger_commit();

    for (i = 0; i < 2; i++) {
        json = strstr(ask(LLM_REPORT_SUMMARY, "", NOW + (i ? 480000 : 450000)),
                      "\"yesterday\"");
        ok(json != NULL
           && number(json, "until", NULL) == NOW - LLM_DAY_MS + 480000
           && strstr(json, i ? "\"rounded\":false" : "\"rounded\":true")
              < strstr(json, "\"requests\"")
           && number(json, "requests", NULL) == before + 3
           && number(json, "total_tokens", NULL) / 1000000000 == 3,
           "%d requests of yesterday before 20:08", (int) before + 3);
    }
}


/* what is counted of value 7 from an hour after midnight of a day */

static int64_t
rest(const char *change)
{
    char              sql[1024];
    int64_t           n;
    llm_series_t      s;
    llm_series_map_t  map;
    llm_query_error_t err;

    snprintf(sql, sizeof(sql), "DELETE FROM series WHERE t >= %lld;"
             "WITH RECURSIVE q (t) AS (SELECT %lld UNION ALL SELECT t + %d"
             " FROM q WHERE t + %d < %lld) INSERT INTO series SELECT %d, t, 5,"
             " 7, 1, " NONE " FROM q;"
             "INSERT INTO series VALUES (%d, %lld, 5, 7, 1000, " NONE ");",
             REST, REST, LLM_QUARTER_MS, LLM_QUARTER_MS, REST + LLM_DAY_MS,
             LLM_QUARTER_MS, LLM_DAY_MS, REST);

    memset(&map, 0, sizeof(map));
    n = -1;

    ledger_begin();

    if (sqlite3_exec(ledger->db.handle, sql, NULL, NULL, NULL) != SQLITE_OK
        || sqlite3_exec(ledger->db.handle, change, NULL, NULL, NULL)
           != SQLITE_OK)
    {
        printf("# %s\n", sqlite3_errmsg(ledger->db.handle));
        return -1;
    }

    ledger_commit();

    if (llm_reader_begin(reader, 0, &err) == LLM_OK
        && llm_series_open(&s, reader, LLM_SERIES_MODEL) == LLM_OK)
    {
        if (llm_series_get(&map, 7) != NULL
            && llm_series_add_known(&s, &map, REST + LLM_HOUR_MS,
                                    REST + LLM_DAY_MS)
               == LLM_OK)
        {
            n = map.sums[0].sum[LLM_C_REQUESTS];
        }

        llm_series_close(&s);
        llm_series_free(&map);
    }

    llm_reader_end(reader);

    return n;
}


/* Most of a day is the day without the rest, where that is the same. */

static void
rests(void)
{
    int64_t  n;

    n = rest("SELECT 1");
    ok(n == 996, "the day without an hour: %lld", (long long) n);

    n = rest("UPDATE series SET value = -1 WHERE span = 900000 AND t = "
             REST_TEXT);
    ok(n == 92, "quarters, where one had too many values: %lld",
       (long long) n);

    n = rest("INSERT INTO series SELECT span, t, dim, -1, 1, " NONE
             " FROM series WHERE span = 86400000 AND t = " REST_TEXT);
    ok(n == 92, "and where the day had: %lld", (long long) n);

    n = rest("DELETE FROM series WHERE span = 86400000 AND t = " REST_TEXT);
    ok(n == 92, "and where the day has gone: %lld", (long long) n);

    n = rest("UPDATE series SET requests = 3 WHERE span = 86400000 AND t = "
             REST_TEXT);
    ok(n == 92, "and where the day is too small: %lld", (long long) n);
}


int
main(void)
{
    llm_query_error_t  err;

    srandom(5);

    calendar();

    ledger_open();

    if (llm_reader_open(&reader, "/nonexistent", &err) != LLM_OK) {
        return 1;
    }

    nothing();
    refusals();
    llm_reader_close(reader);

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        return 1;
    }

    nothing();

    llm_writer_close(ledger);
    fill();

    months();
    packed();
    windows();
    refusals();
    board();
    scoped();
    summary();
    rests();

    llm_buf_free(&answer);
    llm_reader_close(reader);
    ledger_remove();

    return done_testing();
}
