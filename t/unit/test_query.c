
/*
 * Copyright (C) llm_monitor contributors
 *
 * Lists, counts, records and bodies from a database that has the real schema:
 * each filter finds its rows and no others, pages by cursor see every row
 * once, and hostile texts are texts.
 */


#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_body.h"
#include "../../ngx_http_llm_monitor_module/store/llm_facets.h"
#include "../../ngx_http_llm_monitor_module/store/llm_query.h"
#include "../../ngx_http_llm_monitor_module/store/llm_schema.h"


#define T0      1795249800000          /* 2026-11-21T08:30:00Z */
#define ROWS    400
#define ID(n)   (((int64_t) (T0 + (n) * 1000)) << LLM_ID_SHIFT | 5)
#define BIG     700000                 /* bytes of a body in frames */

#define FACETS(source, total)                                                 \
    "{\"source\":\"" source "\",\"since\":null,\"until\":null,"               \
    "\"rounded\":false,\"total\":" total


static void fill(void);
static void fill_rows(void);
static void fill_odd(void);
static void fill_bodies(void);
static void fill_frames(void);
static void exec(const char *sql);
static void set_version(int version);
static int64_t dict(int kind, const char *value);
static void test_none(void);
static void test_filters(void);
static void test_search(void);
static void test_pages(const char *sort, const char *order);
static void test_facets(void);
static void test_partial(void);
static void test_record(void);
static void limit(const char *bytes, const char *shown);
static void test_bodies(void);
static void test_slices(void);
static void test_locked(void);
static int unlock(sqlite3_vfs *vfs, int us);
static void total(const char *query, int64_t want);
static const char *ask(const char *query, int what);


static char               dir[64] = "/tmp/llm_query.XXXXXX";
static char               big[BIG];
static sqlite3           *db;
static llm_buf_t          out;
static llm_reader_t      *reader;
static llm_query_error_t  err;


int
main(void)
{
    char  path[128];

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    llm_buf_init(&out, 64 * 1024 * 1024);

    test_none();

    snprintf(path, sizeof(path), "%s/%s", dir, LLM_SCHEMA_FILE);
    sqlite3_open(path, &db);
    fill();

    ok(llm_reader_stale(reader), "a database has come");
    llm_reader_close(reader);
    ok(llm_reader_open(&reader, dir, &err) == LLM_OK, "opened: %s",
       err.message);
    ok(!llm_reader_stale(reader), "and is the one at the path");

    test_filters();
    test_search();
    test_pages("timestamp", "desc");
    test_pages("timestamp", "asc");
    test_pages("duration_ms", "desc");
    test_pages("ttft_ms", "asc");
    test_pages("ttft_ms", "desc");
    test_pages("total_tokens", "asc");
    test_pages("cost_usd", "desc");
    test_pages("status", "desc");
    test_facets();
    test_partial();
    test_record();
    test_bodies();
    test_slices();
    test_locked();

    llm_reader_close(reader);
    llm_buf_free(&out);
    sqlite3_close(db);

    snprintf(path, sizeof(path), "rm -rf %s", dir);
    ok(system(path) == 0, "done");

    return done_testing();
}


static void
fill(void)
{
    int  i;

    exec("PRAGMA journal_mode=WAL");

    for (i = 0; llm_schema_step(i) != NULL; i++) {
        exec(llm_schema_step(i));
    }

    set_version(i);
    exec("PRAGMA application_id=0x4c4c4d6d");
    exec("BEGIN");

    fill_rows();
    fill_odd();
    fill_bodies();
    fill_frames();

    exec("COMMIT");
}


/* row n: every 10th is a 401, every 4th of anthropic, every 2nd a stream */

static void
fill_rows(void)
{
    int            n;
    int64_t        post, url[2], model[2], account[3], key, ip, session;
    sqlite3_stmt  *st;

    post = dict(LLM_DICT_METHOD, "POST");
    url[0] = dict(LLM_DICT_URL, "/v1/chat/completions?a=100%25_x");
    url[1] = dict(LLM_DICT_URL, "/v1/messages");
    model[0] = dict(LLM_DICT_MODEL, "gpt-4o");
    model[1] = dict(LLM_DICT_MODEL, "Claude-Sonnet");
    account[0] = 0;
    account[1] = dict(LLM_DICT_ACCOUNT, "one@a.example");
    account[2] = dict(LLM_DICT_ACCOUNT, "zw\xc3\xb6lf'; DROP TABLE log;--");
    key = dict(LLM_DICT_KEY, "ab12345678901234wxyz");
    ip = dict(LLM_DICT_IP, "10.0.0.7");

    exec("INSERT INTO session VALUES (7, 'sess-7', 0, 1, 0, 0)");
    exec("INSERT INTO session VALUES (8, 'sess-7', 99, 1, 0, 0)");
    session = 7;

    sqlite3_prepare_v2(db,
        "INSERT INTO log (id, seq, failed, status, outcome, duration_us,"
        " ttft_us, protocol, operation, stream, input_tokens, output_tokens,"
        " total_tokens, cost_nano, method, url, model, account, api_key,"
        " client_ip, session, stream_complete, usage_source)"
        " VALUES (?1, ?2 + 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
        " ?11 + ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, 1, ?21)",
        -1, &st, NULL);

    for (n = 0; n < ROWS; n++) {
        sqlite3_reset(st);
        sqlite3_clear_bindings(st);

        sqlite3_bind_int64(st, 1, ID(n));
        sqlite3_bind_int(st, 2, n);
        sqlite3_bind_int(st, 3, n % 10 == 0);
        sqlite3_bind_int(st, 4, n % 10 == 0 ? 401 : 200);
        sqlite3_bind_int(st, 5, n % 10 == 0 ? LLM_OUTCOME_HTTP_ERROR
                                            : LLM_OUTCOME_SUCCESS);
        sqlite3_bind_int64(st, 6, (n * 37 % 100) * 1000 + 125);

        if (n % 3 != 0) {
            sqlite3_bind_int64(st, 7, n * 17 % 50);
        }

        sqlite3_bind_int(st, 8, n % 4 == 0 ? LLM_PROTOCOL_ANTHROPIC
                                           : LLM_PROTOCOL_OPENAI);
        sqlite3_bind_int(st, 9, LLM_OPERATION_CHAT);
        sqlite3_bind_int(st, 10, n % 2);

        if (n % 10 != 0 && n % 7 != 0) {
            sqlite3_bind_int(st, 11, n);
            sqlite3_bind_int(st, 12, 10);
            sqlite3_bind_int(st, 21, LLM_USAGE_BODY);
        }

        if (n % 5 == 1) {
            sqlite3_bind_int64(st, 13, n * 1000001);
        }

        sqlite3_bind_int64(st, 14, post);
        sqlite3_bind_int64(st, 15, url[n % 4 == 0]);
        sqlite3_bind_int64(st, 16, model[n % 4 == 0]);

        if (n % 3 != 0) {
            sqlite3_bind_int64(st, 17, account[n % 3]);
        }

        if (n % 8 == 0) {
            sqlite3_bind_int64(st, 18, key);
            sqlite3_bind_int64(st, 20, session + (n % 16 == 0));
        }

        sqlite3_bind_int64(st, 19, ip);
        sqlite3_step(st);
    }

    sqlite3_finalize(st);
}


/* rows that found the dictionary full, and rows with next to nothing */

static void
fill_odd(void)
{
    char  sql[1024];

    snprintf(sql, sizeof(sql),
             "INSERT INTO log (id, seq, failed, status, over) VALUES (%lld,"
             " 1001, 0, 200, '{\"url\":\"/over/\\u003cb\\u003e\","
             "\"model\":\"over-gemini\",\"account_email\":\"o@x\","
             "\"user_agent\":\"needle\",\"session_id\":\"sess-o\","
             "\"api_key\":\"cd34000000000000\"}')",
             (long long) ID(ROWS));
    exec(sql);

    snprintf(sql, sizeof(sql), "INSERT INTO log (id, seq, failed) "
             "VALUES (%lld, 1002, 0)", (long long) ID(ROWS + 1));
    exec(sql);
}


static void
fill_bodies(void)
{
    char  sql[1024];

    snprintf(sql, sizeof(sql),
             "UPDATE log SET request_body_state = 1, response_body_state = 3,"
             " ttfb_us = 0 WHERE id = %lld;"
             "INSERT INTO request_body VALUES (%lld, 11,"
             " 'application/json', 0, CAST('{\"a\":\"<\xc3\xa9\"}' AS BLOB));"
             "INSERT INTO detail VALUES (%lld, 'no <key>', 'r1', 'q1',"
             " '[{\"addr\":\"10.0.0.1:443\"}]', '{\"prompt_tokens\":1}')",
             (long long) ID(10), (long long) ID(10), (long long) ID(10));
    exec(sql);

    snprintf(sql, sizeof(sql),
             "UPDATE log SET request_body_state = 2, response_body_state = 2"
             " WHERE id = %lld;"
             "INSERT INTO detail (id, upstreams, usage) VALUES (%lld,"
             " '[broken', 'not json')",
             (long long) ID(20), (long long) ID(20));
    exec(sql);

    snprintf(sql, sizeof(sql),
             "UPDATE log SET request_body_state = 5, response_body_state = 1"
             " WHERE id = %lld", (long long) ID(30));
    exec(sql);
}


/* two-byte characters, so that the cut at 256 KiB + 1 would split one */

static void
fill_frames(void)
{
    int                n;
    size_t             i, len, size;
    sqlite3_stmt      *st;
    const uint8_t     *p;
    llm_body_coder_t   coder;

    big[0] = 'x';

    for (i = 1; i + 1 < BIG; i += 2) {
        big[i] = '\xc3';
        big[i + 1] = (char) (0xa0 + i / 2 % 32);
    }

    big[BIG - 1] = 'z';

    llm_body_coder_init(&coder);

    sqlite3_prepare_v2(db, "INSERT INTO frame VALUES (?, 1, ?, ?)", -1, &st,
                       NULL);

    for (n = 0, i = 0; i < BIG; i += size, n++) {
        size = BIG - i < LLM_FRAME_RAW ? BIG - i : LLM_FRAME_RAW;
        llm_body_encode(&coder, 1, (uint8_t *) big + i, size, &p, &len);

        sqlite3_bind_int64(st, 1, ID(30));
        sqlite3_bind_int(st, 2, n);
        sqlite3_bind_blob(st, 3, p, (int) len, SQLITE_TRANSIENT);
        sqlite3_step(st);
        sqlite3_reset(st);
    }

    sqlite3_finalize(st);

    sqlite3_prepare_v2(db, "INSERT INTO response_body VALUES (?, ?, 'text/x',"
                       " 2, NULL)", -1, &st, NULL);
    sqlite3_bind_int64(st, 1, ID(30));
    sqlite3_bind_int(st, 2, BIG);
    sqlite3_step(st);
    sqlite3_finalize(st);

    /* one frame of its own */

    llm_body_encode(&coder, 0, (uint8_t *) big, 99999, &p, &len);

    sqlite3_prepare_v2(db, "INSERT INTO request_body VALUES (?, 99999, NULL,"
                       " 1, ?)", -1, &st, NULL);
    sqlite3_bind_int64(st, 1, ID(30));
    sqlite3_bind_blob(st, 2, p, (int) len, SQLITE_TRANSIENT);
    sqlite3_step(st);
    sqlite3_finalize(st);

    llm_body_coder_free(&coder);
}


static void
exec(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        ok(0, "%s", sqlite3_errmsg(db));
    }
}


static void
set_version(int version)
{
    char  text[64];

    snprintf(text, sizeof(text), "PRAGMA user_version = %d", version);
    exec(text);
}


static int64_t
dict(int kind, const char *value)
{
    sqlite3_stmt  *st;

    sqlite3_prepare_v2(db, "INSERT INTO dict (kind, value, used, counted)"
                       " VALUES (?, ?, 0, 0)", -1, &st, NULL);
    sqlite3_bind_int(st, 1, kind);
    sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
    sqlite3_step(st);
    sqlite3_finalize(st);

    return sqlite3_last_insert_rowid(db);
}


static void
test_none(void)
{
    const char       *p;
    llm_body_info_t   info;

    ok(llm_reader_open(&reader, dir, &err) == LLM_OK, "no database yet");
    ok(strcmp(ask("", LLM_FOR_LIST),
              "{\"total\":0,\"limit\":50,\"next\":null,\"logs\":[]}") == 0,
       "is an empty list: %s", out.data);
    ok(strcmp(ask("filter=a", LLM_FOR_COUNT), "{\"total\":0}") == 0,
       "and a count of none");

    p = ask("", LLM_FOR_FACETS);
    ok(strstr(p, FACETS("ledger", "0")
                 ",\"model\":{\"distinct\":0,\"values\":[],\"none\":0,"
                 "\"other\":0},") == p,
       "no facets: %s", p);

    out.len = 0;
    ok(llm_query_detail(reader, 5, 100, 60000, &out, &err) == LLM_ERROR
       && err.status == 404, "no record");
    ok(llm_query_body_info(reader, 5, 0, &info, &err) == LLM_ERROR
       && err.status == 404, "no body");
    ok(!llm_reader_stale(reader), "nothing has come");
}


static void
test_filters(void)
{
    total("", ROWS + 2);
    total("status=401", 40);
    total("status=4xx", 40);
    total("status=200-399", 361);
    total("status=200", 361);
    total("errors_only=1", 40);
    total("quick=errors", 40);
    total("quick=chat", ROWS);
    total("quick=claude", 100);
    total("quick=gemini", 1);
    total("quick=image", 0);
    total("outcome=http_error", 40);
    total("outcome=timeout", 0);
    total("protocol=anthropic", 100);
    total("protocol=unknown", 2);
    total("operation=chat", ROWS);
    total("operation=other", 2);
    total("stream=1", 200);
    total("stream=0", 202);
    total("method=post", ROWS);
    total("method=GET", 0);
    total("model=gpt-4o", 300);
    total("model=gpt-4", 0);
    total("model=over-gemini", 1);
    total("account=one%40a.example", 133);
    total("account=o@x", 1);
    total("account=nobody", 0);
    total("account=zw%C3%B6lf%27%3b+DROP+TABLE+log%3b--", 133);
    total("ip=10.0.0.7", ROWS);
    total("session=sess-7", 50);
    total("session=sess-7~0000000000000000", 25);
    total("session=sess-7~0000000000000063", 25);
    total("session=sess-7~0000000000000064", 0);
    total("session=sess-7~0063", 0);
    total("session=sess-o", 1);
    total("key=ab12", 50);
    total("key=ab12...wxyz", 50);
    total("key=ab12wxyz", 50);
    total("key=ab12%E2%80%A6wxya", 0);
    total("key=AB12345678901234", 50);
    total("key=cd34", 1);
    total("key=ab13", 0);
    total("key=8000", 0);
    total("key=8000000000000000", 0);
    total("min_duration_ms=50.126", 196);
    total("min_duration_ms=50.125", 200);
    total("min_tokens=300", 84);
    total("min_cost=0.3", 20);
    total("unpriced=1", 239);
    total("usage_missing=1", 52);
    total("since=2026-11-21T08:30:10Z&until=2026-11-21T08:30:20Z", 10);
    total("until=2026-11-21T08:30:00Z", 0);
    total("since=253402300799999", 0);
    total("until=253402300799999", ROWS + 2);
    total("status=401&model=Claude-Sonnet&stream=0&account=one@a.example", 6);
}


static void
test_search(void)
{
    total("filter=401", 40);
    total("filter=40", 40);
    total("filter=%25", 300);
    total("filter=_", 300);
    total("filter=100%25%25", 0);
    total("filter=100%25", 300);
    total("filter=%25_X", 0);
    total("filter=25_X", 300);
    total("filter=gPT", 300);
    total("filter=sonnet", 100);
    total("filter=SESS-7", 50);
    total("filter=10.0.0.7", ROWS);
    total("filter=nowhere", 0);
    total("filter=%27%3B+drop", 133);
    total("filter=zw%C3%B6lf", 133);
    total("filter=ZW%C3%96LF", 0);
    total("filter=%5C", 0);
    total("filter=%22", 0);
    total("filter=%3Cb%3E", 1);
    total("filter=over-", 1);
    total("filter=needle", 0);
    total("filter=user_agent", 0);
    total("filter=.*", 0);
    total("filter=po&status=200", 360);
    total("filter=2", 381);
}


static void
test_pages(const char *sort, const char *order)
{
    int          seen, pages;
    char         query[256], cursor[64];
    char        *p, *seq;
    static char  rows[2000];

    memset(rows, 0, sizeof(rows));
    cursor[0] = '\0';
    seen = 0;
    pages = 0;

    do {
        snprintf(query, sizeof(query), "sort=%s&order=%s&limit=33%s%s", sort,
                 order, cursor[0] ? "&cursor=" : "", cursor);

        p = (char *) ask(query, LLM_FOR_LIST);

        for (seq = strstr(p, "\"seq\":");
             seq != NULL;
             seq = strstr(seq + 1, "\"seq\":"))
        {
            seen += (rows[atoi(seq + 6)]++ == 0);
        }

        p = strstr(p, "\"next\":");
        cursor[0] = '\0';
        sscanf(p, "\"next\":\"%48[0-9a-f]\"", cursor);

    } while (cursor[0] != '\0' && ++pages < 20);

    ok(seen == ROWS + 2 && pages == 12, "%s %s: %d rows on %d pages", sort,
       order, seen, pages + 1);

    snprintf(query, sizeof(query), "sort=%s&order=%s&limit=2&offset=399",
             sort, order);
    p = (char *) ask(query, LLM_FOR_LIST);
    p = strstr(p, "\"seq\":");
    ok(p != NULL && strstr(p + 1, "\"seq\":") != NULL, "an offset");

    snprintf(query, sizeof(query), "sort=%s&order=%s&offset=402", sort,
             order);
    p = (char *) ask(query, LLM_FOR_LIST);
    ok(strstr(p, "\"next\":null,\"logs\":[]") != NULL, "one too far");
}


static void
test_facets(void)
{
    const char    *p;
    llm_str_t      s = llm_str("stream=0");
    llm_filter_t  *f;

    /* a value that the dictionary has no room for is one of the others */

    p = ask("errors_only=0&status=200", LLM_FOR_FACETS);

    ok(strstr(p, FACETS("log", "361")) == p
       && strstr(p, "\"model\":{\"distinct\":2,\"values\":[{\"name\":"
                    "\"gpt-4o\",\"requests\":280},{\"name\":"
                    "\"Claude-Sonnet\",\"requests\":80}],\"none\":0,"
                    "\"other\":1}") != NULL
       && strstr(p, "\"status\":{\"distinct\":1,\"values\":[{\"name\":200,"
                    "\"requests\":361}],\"none\":0,\"other\":0}") != NULL,
       "facets of rows: %s", p);

    p = ask("filter=nowhere", LLM_FOR_FACETS);

    ok(strstr(p, FACETS("log", "0")) == p,
       "facets of no row: %s", p);

    if (llm_filter_parse(&f, &s, LLM_FOR_FACETS, T0, &err) != LLM_OK) {
        ok(0, "%s", err.message);
        return;
    }

    out.len = 0;
    ok(llm_facets(reader, f, -1, &out, &err) == LLM_OK,
       "facets without time");

    llm_buf_add(&out, "", 1);
    ok(strstr((char *) out.data, ",\"partial\":true,\"model\":{") != NULL,
       "say so: %s", out.data);

    llm_filter_free(f);
}


/* a time that is over before it starts still gives an answer */

static void
test_partial(void)
{
    llm_str_t      s = llm_str("filter=nowhere&sort=cost_usd");
    llm_filter_t  *f;

    exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
         " WHERE i < 20000) INSERT INTO dict (kind, value, used, counted)"
         " SELECT 2, '/x' || i, 0, 0 FROM n");

    if (llm_filter_parse(&f, &s, LLM_FOR_LIST, T0, &err) != LLM_OK) {
        ok(0, "%s", err.message);
        return;
    }

    out.len = 0;
    ok(llm_query_list(reader, f, -1, &out, &err) == LLM_OK
       && memcmp(out.data, "{\"total\":null,\"partial\":true,", 29) == 0,
       "a list without time: %.*s", (int) out.len, out.data);

    out.len = 0;
    ok(llm_query_count(reader, f, -1, &out, &err) == LLM_OK
       && memcmp(out.data, "{\"total\":null,\"partial\":true}", 29) == 0,
       "a count without time");

    llm_filter_free(f);

    exec("DELETE FROM dict WHERE value LIKE '/x%'");
}


static void
test_record(void)
{
    char  *p;

    out.len = 0;
    ok(llm_query_detail(reader, ID(10), 104857600, 60000, &out, &err)
       == LLM_OK, "a record: %s", err.message);
    llm_buf_add(&out, "", 1);
    p = (char *) out.data;

    ok(strstr(p, "\"timestamp\":1795249810000,\"seq\":11,") != NULL, "time");
    ok(strstr(p, "\"id\":\"3764") != NULL, "id is a string: %.40s", p);
    ok(strstr(p, "\"status\":401,\"outcome\":\"http_error\"") != NULL,
       "status");
    ok(strstr(p, "\"duration_ms\":70.125,\"ttfb_ms\":0,\"ttft_ms\":0.02,")
       != NULL, "ms with three decimals");
    ok(strstr(p, "\"account_email\":\"one@a.example\"") != NULL, "account");
    ok(strstr(p, "\"input_tokens\":null") != NULL, "unknown is null");
    ok(strstr(p, "\"error\":\"no \\u003ckey>\"") != NULL, "error is inert");
    ok(strstr(p, "\"upstreams\":[{\"addr\":\"10.0.0.1:443\"}],"
                 "\"usage\":{\"prompt_tokens\":1},\"message\":null,")
       != NULL, "attempts and usage");
    ok(strstr(p, "\"request_body\":\"{\\\"a\\\":\\\"\\u003c\xc3\xa9\\\"}\","
                 "\"request_body_truncated\":false,") != NULL, "a body");
    ok(strstr(p, "\"response_body\":\"[Response too large (>100MB)]\"")
       != NULL, "a placeholder");

    limit("52428800", "50MB");
    limit("1536", "1536B");
    limit("3072", "3KB");
    limit("0", "0B");
    limit("4294967296", "4GB");
    limit("NULL", "100MB");

    out.len = 0;
    llm_query_detail(reader, ID(20), 65536, 60000, &out, &err);
    llm_buf_add(&out, "", 1);
    p = (char *) out.data;

    ok(strstr(p, "\"request_body\":\"[Binary Request Data]\"") != NULL
       && strstr(p, "\"response_body\":\"[Binary Response Data]\"") != NULL,
       "binary bodies");
    ok(strstr(p, "\"upstreams\":[],\"usage\":null") != NULL,
       "what is no JSON is not passed on");

    out.len = 0;
    llm_query_detail(reader, ID(8), 65536, 60000, &out, &err);
    llm_buf_add(&out, "", 1);
    p = (char *) out.data;
    ok(strstr(p, "\"api_key\":\"ab12…wxyz\",\"session_id\":\"sess-7\"")
       != NULL, "a key as it is shown");
    ok(strstr(p, "\"stream\":false") != NULL
       && strstr(p, "\"tokens_per_second\":104.07,") != NULL, "speed: %s",
       strstr(p, "\"tokens_per"));

    out.len = 0;
    ok(llm_query_detail(reader, ID(3) + 1, 100, 60000, &out, &err)
       == LLM_ERROR && err.status == 404, "an id that is not there");
}


/* A placeholder names the limit that the body met, not that of who asks. */

static void
limit(const char *bytes, const char *shown)
{
    char  text[128];

    snprintf(text, sizeof(text),
             "UPDATE log SET body_limit = %s WHERE seq = 11", bytes);
    exec(text);

    out.len = 0;
    llm_query_detail(reader, ID(10), 104857600, 60000, &out, &err);
    llm_buf_add(&out, "", 1);

    snprintf(text, sizeof(text), "\"[Response too large (>%s)]\"", shown);
    ok(strstr((char *) out.data, text) != NULL, "limit %s", bytes);
}


static void
test_bodies(void)
{
    int               i;
    llm_body_info_t   info;

    static const int64_t  pieces[][2] = {
        { 0, 1 }, { 0, 1048576 }, { 262143, 2 }, { 262144, 1 },
        { 1, 524288 }, { 699999, 1 }, { 699999, 100 }, { 700000, 10 },
        { 300000, 0 }, { 524287, 100000 }
    };

    out.len = 0;
    i = llm_query_detail(reader, ID(30), 100, 60000, &out, &err);
    llm_buf_add(&out, "", 1);

    ok(i == LLM_OK
       && strstr((char *) out.data, "\"response_body_truncated\":true")
          != NULL
       && strstr((char *) out.data, "\"request_body_truncated\":false")
          != NULL, "the start of a large body");
    ok(strstr((char *) out.data, "\"request_body_state\":\"redacted\"")
       != NULL
       && strstr((char *) out.data, "\"request_body\":null") == NULL,
       "a redacted one is shown");
    ok(strstr((char *) out.data, "\xef\xbf\xbd") == NULL
       && strstr((char *) out.data, "\\ufffd") == NULL,
       "is cut between characters");

    ok(llm_query_body_info(reader, ID(30), 1, &info, &err) == LLM_OK
       && info.size == BIG && info.state == LLM_BODY_STORED
       && strcmp(info.type, "text/x") == 0, "what it is");

    for (i = 0; i < (int) (sizeof(pieces) / sizeof(pieces[0])); i++) {
        int64_t  from, n;

        from = pieces[i][0];
        n = pieces[i][1];
        out.len = 0;

        ok(llm_query_body(reader, ID(30), 1, from, n, &out, &err) == LLM_OK,
           "piece");

        if (n > BIG - from) {
            n = BIG - from;
        }

        ok((int64_t) out.len == n && memcmp(out.data, big + from, (size_t) n)
           == 0, "%d bytes from %d", (int) n, (int) from);
    }

    out.len = 0;
    ok(llm_query_body(reader, ID(30), 0, 99990, 100, &out, &err) == LLM_OK
       && out.len == 9 && memcmp(out.data, big + 99990, 9) == 0,
       "the end of one frame");

    ok(llm_query_body(reader, ID(30), 0, 0, 2000000, &out, &err)
       == LLM_ERROR, "too much at once");
    ok(llm_query_body(reader, ID(31), 0, 0, 20, &out, &err) == LLM_ERROR
       && err.status == 503, "a body that has gone");
    ok(llm_query_body_info(reader, ID(31), 0, &info, &err) == LLM_OK
       && info.state == LLM_BODY_NONE, "none was stored");
}


static void
test_slices(void)
{
    exec("UPDATE frame SET data = x'28b52ffd00' WHERE n = 1");

    ok(llm_query_body(reader, ID(30), 1, 262144, 100, &out, &err)
       == LLM_ERROR && strcmp(err.code, "body_unreadable") == 0,
       "a broken frame is an error");
}


static void
test_locked(void)
{
    sqlite3_vfs  *vfs;
    int         (*pause)(sqlite3_vfs *vfs, int us);

    set_version(99);
    llm_reader_close(reader);

    ok(llm_reader_open(&reader, dir, &err) == LLM_ERROR
       && err.status == 503, "a newer schema: %s", err.message);

    set_version(LLM_SCHEMA_VERSION);
    exec("PRAGMA journal_mode=DELETE");
    exec("BEGIN EXCLUSIVE");

    ok(llm_reader_open(&reader, dir, &err) == LLM_ERROR
       && err.status == 503 && strcmp(err.code, "database_busy") == 0,
       "a locked file: %s", err.message);

    /* which ends while it is waited for */

    vfs = sqlite3_vfs_find(NULL);
    pause = vfs->xSleep;
    vfs->xSleep = unlock;

    ok(llm_reader_open(&reader, dir, &err) == LLM_OK,
       "one that the writer has just opened is waited for: %s", err.message);

    vfs->xSleep = pause;
}


static int
unlock(sqlite3_vfs *vfs, int us)
{
    if (!sqlite3_get_autocommit(db)) {
        exec("COMMIT");
    }

    return us;
}


static void
total(const char *query, int64_t want)
{
    char  text[64];

    snprintf(text, sizeof(text), "{\"total\":%lld}", (long long) want);

    ok(strcmp(ask(query, LLM_FOR_COUNT), text) == 0, "%s: %s", query,
       out.data);

    snprintf(text, sizeof(text), "{\"total\":%lld,\"limit\":",
             (long long) want);

    ok(strncmp(ask(query, LLM_FOR_LIST), text, strlen(text)) == 0,
       "and its list");
}


static const char *
ask(const char *query, int what)
{
    int            rc;
    llm_str_t      s;
    llm_filter_t  *f;

    out.len = 0;
    s.data = (const uint8_t *) query;
    s.len = strlen(query);

    rc = llm_filter_parse(&f, &s, what, T0, &err);

    if (rc == LLM_OK) {
        rc = what == LLM_FOR_LIST
                 ? llm_query_list(reader, f, 60000, &out, &err)
                 : what == LLM_FOR_FACETS
                 ? llm_facets(reader, f, 60000, &out, &err)
                 : llm_query_count(reader, f, 60000, &out, &err);
        llm_filter_free(f);
    }

    if (rc != LLM_OK) {
        out.len = 0;
        llm_buf_text(&out, err.message);
    }

    llm_buf_add(&out, "", 1);

    return (const char *) out.data;
}
