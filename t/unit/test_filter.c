
/*
 * Copyright (C) llm_monitor contributors
 *
 * Query strings are refused by name or read to the letter; times in zones are
 * half-open and survive the days on which clocks change.
 */


#include <stdlib.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_filter.h"
#include "../../ngx_http_llm_monitor_module/store/llm_when.h"
#include "../../ngx_http_llm_monitor_module/record/llm_record.h"


/* Saturday, 2026-11-21T08:30:00.250Z */

#define NOW  1795249800250


static void test_defaults(void);
static void test_values(void);
static void test_refused(void);
static void test_names(void);
static void test_clear(void);
static void test_times(void);
static void test_zones(void);
static void test_changes(void);
static void test_cursor(void);
static void test_cursor_of(int what, const char *filter, int other,
    const char *more, int goes);
static void test_pack(void);
static llm_filter_t *parse(const char *query, int what);
static void refused(const char *query, int what, const char *parameter);
static void when(const char *text, const char *zone, int64_t want);


static llm_query_error_t  err;


int
main(void)
{
    test_defaults();
    test_values();
    test_refused();
    test_names();
    test_clear();
    test_times();
    test_zones();
    test_changes();
    test_cursor();
    test_pack();

    return done_testing();
}


static void
test_defaults(void)
{
    llm_filter_t  *f;

    f = parse("", LLM_FOR_LIST);
    ok(f != NULL && llm_filter_empty(f), "no query is no filter");
    llm_filter_free(f);

    f = parse("&&limit=1000&", LLM_FOR_LIST);
    ok(f != NULL && llm_filter_empty(f) && f->num[LLM_F_LIMIT] == 1000,
       "empty pieces are nothing, a limit is no condition");
    llm_filter_free(f);

    f = parse("filter=&errors_only=0&total=0", LLM_FOR_LIST);
    ok(f != NULL && llm_filter_empty(f) && f->num[LLM_F_TOTAL] == 0,
       "an empty word and a switch that is off leave no row out");
    llm_filter_free(f);
}


static void
test_values(void)
{
    llm_str_t      s;
    llm_filter_t  *f;

    f = parse("filter=a%20b%2Bc+d%25_&method=post&model=gpt%2d4o"
              "&account=a%40b.example&stream=0&status=4XX"
              "&min_duration_ms=12.3456&min_cost=0.000000001&min_tokens=7"
              "&quick=claude&outcome=client_abort&protocol=unknown"
              "&operation=chat&key=AB12%E2%80%A6wxyz&unpriced=1",
              LLM_FOR_COUNT);

    ok(f != NULL, "all of it is read: %s", f == NULL ? err.message : "");

    if (f == NULL) {
        return;
    }

    s = llm_filter_str(f, LLM_F_SEARCH);
    ok(s.len == 9 && memcmp(s.data, "a b+c d%_", 9) == 0,
       "percent and plus are decoded once");

    s = llm_filter_str(f, LLM_F_METHOD);
    ok(s.len == 4 && memcmp(s.data, "POST", 4) == 0, "method in upper case");

    s = llm_filter_str(f, LLM_F_KEY_TAIL);
    ok(s.len == 4 && memcmp(s.data, "wxyz", 4) == 0
       && (uint64_t) f->num[LLM_F_KEY_MIN] == 0xab12000000000000
       && (uint64_t) f->num[LLM_F_KEY_MAX] == 0xab12ffffffffffff,
       "a key as it is shown");

    ok(f->num[LLM_F_STATUS_MIN] == 400 && f->num[LLM_F_STATUS_MAX] == 499,
       "a class of statuses");
    ok(f->num[LLM_F_MIN_DURATION] == 12345, "three decimals of a ms");
    ok(f->num[LLM_F_MIN_COST] == 1, "nine decimals of a dollar");
    ok(f->num[LLM_F_MIN_TOKENS] == 7, "tokens");
    ok(f->num[LLM_F_STREAM] == 0, "stream=0 is a condition");
    ok(f->num[LLM_F_QUICK] == LLM_QUICK_CLAUDE, "quick");
    ok(f->num[LLM_F_OUTCOME] == LLM_OUTCOME_CLIENT_ABORT, "outcome");
    ok(f->num[LLM_F_PROTOCOL] == LLM_PROTOCOL_UNKNOWN, "unknown protocol");
    ok(f->num[LLM_F_OPERATION] == LLM_OPERATION_CHAT, "operation");
    ok(f->num[LLM_F_UNPRICED] == 1, "unpriced");

    llm_filter_free(f);

    f = parse("key=0123456789abcdef&status=400-401", LLM_FOR_LIST);
    ok(f != NULL && f->num[LLM_F_KEY_MIN] == 0x0123456789abcdef
       && f->num[LLM_F_KEY_MAX] == f->num[LLM_F_KEY_MIN]
       && f->num[LLM_F_STATUS_MIN] == 400 && f->num[LLM_F_STATUS_MAX] == 401,
       "a whole hash, a range of statuses");
    llm_filter_free(f);

    /* the number that says that nothing is asked for */

    f = parse("key=8000", LLM_FOR_CLEAR);
    ok(f != NULL && !llm_filter_empty(f)
       && f->num[LLM_F_KEY_MAX] == (int64_t) 0x8000ffffffffffff,
       "a hash that begins with 8000");
    llm_filter_free(f);

    f = parse("key=8000000000000000", LLM_FOR_CLEAR);
    ok(f != NULL && !llm_filter_empty(f)
       && f->num[LLM_F_KEY_MAX] != LLM_NULL, "a hash of 8 and zeros");
    llm_filter_free(f);
}


static void
test_refused(void)
{
    int     i;
    char   *p;
    char    query[2048];

    static const char *const  bad[] = {
        "limit=0", "limit=-1", "limit=1001", "limit=1000000000", "limit=1e3",
        "limit=", "limit", "limit=+5", "limit=5%20", "limit=0x10",
        "limit=99999999999999999999999999", "limit=5.0",
        "offset=-1", "offset=1000000000000", "offset=100001",
        "sort=id", "sort=", "sort=timestamp;", "order=up", "total=2",
        "status=99", "status=4x", "status=4xxx", "status=499-400",
        "status=401,403", "status=-401", "status=xxx",
        "outcome=good", "protocol=http", "operation=talk", "quick=all",
        "stream=true", "stream=2", "errors_only=yes", "unpriced=2",
        "min_duration_ms=-1", "min_duration_ms=1e9", "min_duration_ms=.",
        "min_duration_ms=1.", "min_tokens=1.5", "min_cost=NaN",
        "min_cost=1000001", "model=", "account=", "key=", "key=xyz1",
        "key=ab12%E2%80%A6", "key=ab12abcdefghijklmnopqrstuv",
        "since=", "since=now", "since=-", "since=-15", "since=-15y",
        "since=20260229", "since=12345678", "since=20261121T08:30",
        "since=2026-11-21T0830", "since=2026-11-20T24:01",
        "since=2026-11-20T24:00:00.001", "since=2026-11-21T08:30zz",
        "since=2026-11-21T", "since=2026-11",
        "since=2026-02-29", "since=2026-13-01", "since=2026-11-21T25:00",
        "since=2026-11-21T08:30:00.", "since=2026-11-21T08:30:00+",
        "since=2026-11-21T08:30:00Europe/Paris", "since=-9999999h",
        "until=99999999999999999", "until=9999999999999999",
        "tz=Mars/Base", "tz=../../etc/passwd", "tz=/etc/passwd", "tz=",
        "tz=zone.tab", "tz=Europe", "tz=+25:00", "tz=%2B5:4",
        "cursor=", "cursor=abc",
        "cursor=000000000000000000000000000000000000000000000000",
        "filter=%zz", "filter=%f", "filter=%", "filter=%ff", "filter=%c0%80",
        "filter=%ed%a0%80", "filter=a%00b"
    };

    for (i = 0; i < (int) (sizeof(bad) / sizeof(bad[0])); i++) {
        snprintf(query, sizeof(query), "%.*s",
                 (int) strcspn(bad[i], "="), bad[i]);
        refused(bad[i], LLM_FOR_LIST, query);
    }

    p = query + sprintf(query, "filter=");
    memset(p, 'a', 257);
    p[257] = '\0';
    refused(query, LLM_FOR_LIST, "filter");

    p[256] = '\0';
    llm_filter_free(parse(query, LLM_FOR_LIST));
    ok(err.status == 0, "256 characters are a filter");

    for (i = 0; i < 256; i++) {
        memcpy(p + 6 * i, "%c3%a9", 7);
    }

    llm_filter_free(parse(query, LLM_FOR_LIST));
    ok(err.status == 0, "256 characters of two bytes as well");
}


static void
test_names(void)
{
    size_t      n;
    char       *big;
    llm_str_t   s;
    llm_filter_t  *f;

    refused("nothing=1", LLM_FOR_LIST, "nothing");
    refused("Limit=1", LLM_FOR_LIST, "Limit");
    refused("limit=1&model=a&limit=1", LLM_FOR_LIST, "limit");
    refused("filter=&filter=a", LLM_FOR_LIST, "filter");
    refused("limit=1", LLM_FOR_COUNT, "limit");
    refused("cursor=1", LLM_FOR_COUNT, "cursor");
    refused("all=1", LLM_FOR_LIST, "all");
    refused("since_seq=1", LLM_FOR_LIST, "since_seq");
    refused("limit%00=1", LLM_FOR_LIST, "limit");
    refused("=1", LLM_FOR_LIST, "");
    refused("%ff=1", LLM_FOR_LIST, "");
    refused("'%3b%20DROP%20TABLE%20log%3b--=1", LLM_FOR_LIST,
            "'; DROP TABLE log;--");

    n = 1024 * 1024;
    big = malloc(n);
    memset(big, 'a', n);
    memcpy(big, "filter=", 7);
    s.data = (uint8_t *) big;

    s.len = n;
    ok(llm_filter_parse(&f, &s, LLM_FOR_LIST, NOW, &err) == LLM_ERROR
       && err.status == 400, "a megabyte is refused");

    s.len = 60000;
    ok(llm_filter_parse(&f, &s, LLM_FOR_LIST, NOW, &err) == LLM_ERROR
       && err.status == 400 && strcmp(err.parameter, "filter") == 0,
       "so are 60000 characters, by name");

    memset(big, '&', n);
    ok(llm_filter_parse(&f, &s, LLM_FOR_LIST, NOW, &err) == LLM_OK,
       "many empty pieces are nothing");
    llm_filter_free(f);

    free(big);
}


static void
test_clear(void)
{
    llm_filter_t  *f;

    refused("", LLM_FOR_CLEAR, "all");
    refused("all=0", LLM_FOR_CLEAR, "all");
    refused("tz=UTC", LLM_FOR_CLEAR, "all");
    refused("filter=", LLM_FOR_CLEAR, "all");
    refused("errors_only=0", LLM_FOR_CLEAR, "all");
    refused("all=1&status=401", LLM_FOR_CLEAR, "all");
    refused("status=401&stats=1", LLM_FOR_CLEAR, "stats");
    refused("limit=5&status=401", LLM_FOR_CLEAR, "limit");

    f = parse("all=1&stats=1", LLM_FOR_CLEAR);
    ok(f != NULL && llm_filter_empty(f) && f->num[LLM_F_STATS] == 1,
       "all of it");
    llm_filter_free(f);

    f = parse("status=401", LLM_FOR_CLEAR);
    ok(f != NULL && !llm_filter_empty(f), "some of it");
    llm_filter_free(f);
}


static void
test_times(void)
{
    when("1795249800250", "UTC", NOW);
    when("0", "UTC", 0);
    when("-15m", "UTC", NOW - 15 * 60000);
    when("-24h", "UTC", NOW - 24 * 3600000);
    when("-30s", "UTC", NOW - 30000);
    when("-2d", "UTC", NOW - 2 * 86400000LL);
    when("-1w", "UTC", NOW - 7 * 86400000LL);
    when("-999999w", "UTC", 0);
    when("2026-11-21", "UTC", 1795219200000);
    when("2026-11-21T08:30", "UTC", 1795249800000);
    when("2026-11-21 08:30:00.25", "UTC", NOW);
    when("2026-11-21T08:30:00.2509999Z", "UTC", NOW);
    when("2026-11-21T09:30:00.250+01:00", "UTC", NOW);
    when("2026-11-21T09:30:00.250 01:00", "UTC", NOW);
    when("2026-11-21T14:15:00.250+0545", "UTC", NOW);
    when("2026-11-21T05:00:00.250-03:30", "Asia/Kathmandu", NOW);
    when("2026-11-21T09", "UTC", NOW + 1799750);
    when("2026-11-21T09Z", "Asia/Tokyo", NOW + 1799750);
    when("2026-11-21t08:30:00,25z", "Asia/Tokyo", NOW);
    when("2026-11-21T10 01:00", "UTC", NOW + 1799750);
    when("2026-11-20T24:00", "UTC", 1795219200000);
    when("2026-11-20T24:00:00.000Z", "UTC", 1795219200000);
    when("20261121", "UTC", 1795219200000);
    when("20261121", "Europe/Paris", 1795219200000 - 3600000);
    when("20261121T0830", "UTC", 1795249800000);
    when("20261121T083000.25Z", "UTC", NOW);
    when("20261121T093000,250+0100", "UTC", NOW);
    when("20261121T09", "UTC", NOW + 1799750);
    when("1234567", "UTC", 1234567);
    when("123456789", "UTC", 123456789);
    when("2024-02-29", "UTC", 1709164800000);
    when("1970-01-01", "UTC", 0);
    when("0000-01-01", "UTC", 0);
    when("today", "UTC", 1795219200000);
    when("yesterday", "UTC", 1795132800000);
    when("week", "UTC", 1794787200000);
    when("month", "UTC", 1793491200000);
}


static void
test_zones(void)
{
    when("today", "Europe/Paris", 1795219200000 - 3600000);
    when("today", "+05:45", 1795219200000 - 20700000);
    when("today", " 05:45", 1795219200000 - 20700000);
    when("today", "Asia/Kathmandu", 1795219200000 - 20700000);
    when("today", "-0930", 1795132800000 + 34200000);
    when("today", "Asia/Shanghai", 1795219200000 - 28800000);
    when("yesterday", "America/New_York", 1795150800000);
    when("week", "Pacific/Chatham", 1794787200000 - 49500000);
    when("month", "America/New_York", 1793491200000 + 14400000);

    /* an offset in the time goes before the zone */

    when("2026-11-21T08:30:00.250Z", "Asia/Tokyo", NOW);
}


static void
test_changes(void)
{
    /* Paris: 02:00 +01 becomes 03:00 +02 on 2026-03-29, back on 10-25 */

    when("2026-03-29T01:59:59", "Europe/Paris", 1774745999000);
    when("2026-03-29T02:30", "Europe/Paris", 1774747800000);
    when("2026-03-29T03:00", "Europe/Paris", 1774746000000);
    when("2026-03-29", "Europe/Paris", 1774738800000);
    when("2026-03-30", "Europe/Paris", 1774821600000);
    when("2026-10-25", "Europe/Paris", 1792879200000);
    when("2026-10-25T02:30", "Europe/Paris", 1792888200000);
    when("2026-10-26", "Europe/Paris", 1792969200000);

    /* Santiago: the day has no midnight, it starts at one */

    when("2025-09-07", "America/Santiago", 1757217600000);

    /* half an hour, and the south; later than the tables of the file */

    when("2026-04-05T01:15", "Australia/Lord_Howe", 1775312100000);
    when("2060-07-01", "Europe/Paris", 2855858400000);
    when("2060-01-01", "Europe/Paris", 2840137200000);
    when("2060-01-01", "Australia/Sydney", 2840101200000);
    when("2060-07-01", "America/New_York", 2855880000000);
    when("2060-07-01", "Asia/Kolkata", 2855845800000);
}


static void
test_cursor(void)
{
    char          *p;
    char           query[256], cursor[LLM_FILTER_CURSOR + 1];
    llm_filter_t  *f, *g;

    f = parse("sort=cost_usd&order=asc", LLM_FOR_LIST);
    llm_filter_cursor(f, LLM_FOR_LIST, LLM_NULL, 0x0123456789abcdef, cursor);

    sprintf(query, "sort=cost_usd&cursor=%s&order=asc", cursor);
    g = parse(query, LLM_FOR_LIST);
    ok(g != NULL && g->num[LLM_F_CURSOR_VALUE] == LLM_NULL
       && g->num[LLM_F_CURSOR_ID] == 0x0123456789abcdef,
       "a cursor comes back as it went");
    llm_filter_free(g);

    sprintf(query, "sort=cost_usd&cursor=%s", cursor);
    refused(query, LLM_FOR_LIST, "cursor");

    sprintf(query, "cursor=%s&order=asc", cursor);
    refused(query, LLM_FOR_LIST, "cursor");

    sprintf(query, "sort=cost_usd&order=asc&offset=0&cursor=%s", cursor);
    refused(query, LLM_FOR_LIST, "offset");

    p = query + sprintf(query, "sort=cost_usd&order=asc&cursor=%s", cursor);
    p[-20] ^= 1;
    refused(query, LLM_FOR_LIST, "cursor");

    llm_filter_free(f);

    test_cursor_of(LLM_FOR_LIST, "", LLM_FOR_LIST, "", 1);
    test_cursor_of(LLM_FOR_LIST, "", LLM_FOR_LIST, "&model=m", 1);
    test_cursor_of(LLM_FOR_LIST, "", LLM_FOR_SESSIONS, "", 0);
    test_cursor_of(LLM_FOR_LIST, "", LLM_FOR_SESSION, "", 0);
    test_cursor_of(LLM_FOR_SESSIONS, "", LLM_FOR_LIST, "", 0);
    test_cursor_of(LLM_FOR_SESSION, "", LLM_FOR_SESSIONS, "", 0);
    test_cursor_of(LLM_FOR_SESSION, "", LLM_FOR_SESSION, "", 1);
    test_cursor_of(LLM_FOR_SESSIONS, "", LLM_FOR_SESSIONS, "&limit=3", 1);
    test_cursor_of(LLM_FOR_SESSIONS, "", LLM_FOR_SESSIONS, "&model=m", 0);
    test_cursor_of(LLM_FOR_SESSIONS, "model=m", LLM_FOR_SESSIONS, "", 0);
    test_cursor_of(LLM_FOR_SESSIONS, "model=m", LLM_FOR_SESSIONS, "&user=u",
                   1);
}


/* the cursor of a page of one call and filter, asked of another */

static void
test_cursor_of(int what, const char *filter, int other, const char *more,
    int goes)
{
    char           query[256], cursor[LLM_FILTER_CURSOR + 1];
    llm_filter_t  *f;

    f = parse(filter, what);
    llm_filter_cursor(f, what, 1, 2, cursor);
    llm_filter_free(f);

    sprintf(query, "cursor=%s%s", cursor, more);

    if (goes) {
        f = parse(query, other);
        ok(f != NULL && f->num[LLM_F_CURSOR_ID] == 2, "it goes on: %s", more);
        llm_filter_free(f);

    } else {
        refused(query, other, "cursor");
    }
}


static void
test_pack(void)
{
    size_t         i, n;
    uint8_t        p[4096];
    llm_str_t      s;
    llm_filter_t  *f, *g;

    f = parse("filter=abc&account=x&until=5", LLM_FOR_CLEAR);

    ok(llm_filter_pack(f, p, sizeof(p), &n) == LLM_OK, "packed");
    ok(llm_filter_pack(f, p, n - 1, &n) == LLM_FULL, "one byte short");
    ok(llm_filter_unpack(&g, p, n) == LLM_OK, "unpacked");

    s = llm_filter_str(g, LLM_F_ACCOUNT);
    ok(s.len == 1 && s.data[0] == 'x' && g->num[LLM_F_UNTIL] == 5
       && llm_filter_str(g, LLM_F_USER).data == NULL, "and the same");
    llm_filter_free(g);

    for (i = 0; i < n; i++) {
        if (llm_filter_unpack(&g, p, i) == LLM_OK) {
            break;
        }
    }

    ok(i == n, "no shorter block is one");

    /* every wrong byte is either harmless or refused: ASan watches */

    for (i = 0; i < n; i++) {
        p[i] ^= 0xff;

        if (llm_filter_unpack(&g, p, n) == LLM_OK) {
            s = llm_filter_str(g, LLM_F_ACCOUNT);
            ok(s.data == NULL || s.len < n, "byte %d", (int) i);
            llm_filter_free(g);
        }

        p[i] ^= 0xff;
    }

    llm_filter_free(f);
}


static llm_filter_t *
parse(const char *query, int what)
{
    llm_str_t      s;
    llm_filter_t  *f;

    memset(&err, 0, sizeof(err));

    s.data = (const uint8_t *) query;
    s.len = strlen(query);

    if (llm_filter_parse(&f, &s, what, NOW, &err) != LLM_OK) {
        return NULL;
    }

    return f;
}


static void
refused(const char *query, int what, const char *parameter)
{
    llm_filter_t  *f;

    f = parse(query, what);

    ok(f == NULL && err.status == 400
       && strcmp(err.code, "bad_parameter") == 0
       && strcmp(err.parameter, parameter) == 0 && err.message[0] != '\0',
       "%.60s is refused: %s", query, err.message);

    llm_filter_free(f);
}


static void
when(const char *text, const char *zone, int64_t want)
{
    int        rc;
    int64_t    ms;
    llm_tz_t  *tz;
    llm_str_t  s;

    s.data = (const uint8_t *) zone;
    s.len = strlen(zone);

    ms = -1;
    rc = llm_tz_open(&tz, &s);

    if (rc == LLM_OK) {
        s.data = (const uint8_t *) text;
        s.len = strlen(text);
        rc = llm_when_parse(&s, tz, NOW, &ms);
        llm_tz_close(tz);
    }

    ok(rc == LLM_OK && ms == want, "%s in %s: %lld", text, zone,
       (long long) ms);
}
