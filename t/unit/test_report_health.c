
/*
 * Copyright (C) llm_monitor contributors
 *
 * Availability: what counts, what is throttled or excluded, and quantiles
 * against the durations that went in.
 */


#include "report.h"


static int
order(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}


static void
one(int64_t ms, const char *provider, int status, int outcome, int64_t us)
{
    llm_record_t  r;

    ledger_record(&r, ms);
    r.num[LLM_N_STATUS] = status;
    r.num[LLM_N_OUTCOME] = outcome;
    r.num[LLM_N_DURATION_US] = us;
    ledger_text(&r, LLM_S_PROVIDER, provider);
    ledger_add(&r, LLM_WRITE_ROW);
}


static int
within(int64_t shown_ms, int64_t us)
{
    return llabs(shown_ms * 1000 - us) <= us / 50 + 1000;
}


static void
availability(void)
{
    int             i;
    int64_t         now, v[400];
    const char     *json;
    static int64_t  us[4000];

    static const struct {
        int          status;
        int          outcome;
    } rest[] = {
        { 499, LLM_OUTCOME_CLIENT_ABORT }, { 200, LLM_OUTCOME_CLIENT_ABORT },
        { 404, LLM_OUTCOME_HTTP_ERROR }, { 400, LLM_OUTCOME_HTTP_ERROR },
        { 403, LLM_OUTCOME_REJECTED }, { 503, LLM_OUTCOME_REJECTED },
        { 200, LLM_OUTCOME_SHUTDOWN }
    };

    now = 1799999999000;
    ledger_begin();

    /* bimodal, over 67 hours */

    for (i = 0; i < 4000; i++) {
        us[i] = i % 10 < 7 ? 150000 + random() % 90000
                           : 30000000 + random() % 20000000;
        one(now - i * 60000, "good", 200, LLM_OUTCOME_SUCCESS, us[i]);
    }

    for (i = 0; i < 60; i++) {
        one(now - i * 60000, "bad", i % 3 ? 502 : 200,
            i % 3 ? LLM_OUTCOME_HTTP_ERROR : LLM_OUTCOME_STREAM_ERROR, 5000);
        one(now - i * 60000, "bad", 302, LLM_OUTCOME_SUCCESS, 1000000);
        one(now - i * 60000, "bad", i % 2 ? 429 : 529,
            LLM_OUTCOME_HTTP_ERROR, 5000);
    }

    one(now - 30000, "bad", 504, LLM_OUTCOME_TIMEOUT, 5000);

    for (i = 0; i < 70; i++) {
        one(now - i * 60000, "silent", rest[i % 7].status,
            rest[i % 7].outcome, 5000);
    }

    one(now - 3600000 * 5, "early", 500, LLM_OUTCOME_HTTP_ERROR, 5000);
    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM log") == 4000 + 3 * 60 + 1 + 70 + 1,
       "all of it was written");

    json = ask(LLM_REPORT_AVAILABILITY, "range=1h", now);

    ok(numbers(json, "\"buckets\":[", v) == 61 && v[0] == 1799996340000
       && number(json, "bucket_ms", NULL) == 60000
       && strstr(json, "\"rounded\":true") != NULL,
       "an hour has 61 minutes if it starts within one, and says so");

    json = strstr(json, "\"name\":\"bad\"");
    ok(json != NULL && number(json, "success", NULL) == 60
       && number(json, "failure", NULL) == 61
       && number(json, "throttled", NULL) == 60
       && number(json, "excluded", NULL) == 0
       && strncmp(json, "\"name\":\"bad\",\"state\":\"red\",\"score\":"
                  "0.4959,", 41) == 0
       && strstr(json, "\"errors\":{\"200\":20,\"429\":30,\"502\":40,"
                 "\"504\":1,\"529\":30}") != NULL,
       "61 failures of 121 are red, throttled ones are in no score");
    ok(number(json, "p50", NULL) >= 984 && number(json, "p99", NULL) <= 1016
       && number(json, "avg", NULL) == 1000,
       "how long it takes is asked of successes");

    json = strstr(ask(LLM_REPORT_AVAILABILITY, "range=6h", now),
                  "\"name\":\"silent\"");
    ok(json != NULL && number(json, "excluded", NULL) == 70
       && strncmp(json, "\"name\":\"silent\",\"state\":\"unknown\","
                  "\"score\":null,", 46) == 0
       && (strstr(json, "green") == NULL
           || strstr(json, "green") > strstr(json, "}}")),
       "who has no success and no failure is unknown, never green");

    json = ask(LLM_REPORT_AVAILABILITY, "range=24h", now);
    i = (int) numbers(json, "\"buckets\":[", v);
    json = strstr(json, "\"name\":\"early\"");
    ok(i == 97 && json != NULL && number(json, "failure", NULL) == 1
       && strstr(json, "\"recent\":{\"state\":\"red\",\"score\":0}")
          != NULL, "a day has quarter-hours");

    json = ask(LLM_REPORT_AVAILABILITY, "range=7d&limit=1&by=provider", now);
    ok(numbers(json, "\"buckets\":[", v) == 169
       && number(json, "bucket_ms", NULL) == 3600000, "7 days have hours");

    json = strstr(json, "\"rows\":[{\"name\":\"good\"");
    qsort(us, 4000, sizeof(int64_t), order);

    ok(json != NULL && number(json, "success", NULL) == 4000
       && strstr(json, "\"name\":\"bad\"") == NULL
       && within(number(json, "p50", NULL), us[1999])
       && within(number(json, "p95", NULL), us[3799])
       && within(number(json, "p99", NULL), us[3959]),
       "p50, p95 and p99 of 67 hours are within 2 %%: %d %d %d ms",
       (int) number(json, "p50", NULL), (int) number(json, "p95", NULL),
       (int) number(json, "p99", NULL));

    json = ask(LLM_REPORT_AVAILABILITY, "by=model", now + 30 * 86400000LL);
    ok(strstr(json, "\"rows\":[]}") != NULL
       && strstr(json, "\"green\"") == NULL
       && strstr(json, "\"total\":{\"state\":\"unknown\"") != NULL,
       "a time without data is unknown");
}


int
main(void)
{
    llm_query_error_t  err;

    srandom(5);

    ledger_open();

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        return 1;
    }

    availability();

    llm_buf_free(&answer);
    llm_reader_close(reader);
    ledger_remove();

    return done_testing();
}
