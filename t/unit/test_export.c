
/*
 * Copyright (C) llm_monitor contributors
 *
 * Exports: the same records as the list, each once though rows come while it
 * goes on, in three formats, with bodies that are larger than a slice, and
 * never a complete answer that is not.
 */


#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_csv.h"
#include "../../ngx_http_llm_monitor_module/store/llm_export.h"
#include "../../ngx_http_llm_monitor_module/store/llm_filter.h"
#include "../../ngx_http_llm_monitor_module/store/llm_schema.h"
#include "../../ngx_http_llm_monitor_module/store/llm_words.h"
#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"


#define T0      1795249800000          /* 2026-11-21T08:30:00Z */
#define ROWS    3000
#define BIG     1500001


static void add(int n);
static void commit(int from, int to);
static void text(llm_record_t *r, int n, const char *s);
static int slice(llm_export_t *x);
static llm_export_t *start(const char *query);
static int all(const char *query);
static size_t ids(const char *json, int64_t *id, size_t max);
static void test_none(void);
static void test_list(void);
static void test_steps(void);
static void test_json(void);
static void test_csv(void);
static void test_csv_text(void);
static void test_csv_plain(void);
static void test_over(void);
static void test_words(void);
static void test_bodies(void);
static void test_gone(void);
static void test_gaps(void);
static void quiet(void *data, int level, const char *line);


static char               dir[64] = "/tmp/llm_export.XXXXXX";
static char               big[BIG + 1];
static size_t             widest;
static llm_buf_t          out, one, list;
static llm_filter_t      *filter;
static llm_reader_t      *reader;
static llm_writer_t       writer;
static llm_control_t      control;
static llm_query_error_t  err;


int
main(void)
{
    size_t  i;
    char    path[128];

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    for (i = 0; i + 1 < BIG; i += 2) {
        memcpy(big + i, "\xc3\xa9", 2);
    }

    big[0] = '=';
    big[1] = '"';
    big[BIG - 1] = '\n';

    llm_buf_init(&out, 256 * 1024 * 1024);
    llm_buf_init(&one, 64 * 1024 * 1024);
    llm_buf_init(&list, 64 * 1024 * 1024);

    test_none();

    llm_control_init(&control);
    snprintf(writer.db.dir, sizeof(writer.db.dir), "%s", dir);
    writer.db.synchronous = 1;
    writer.db.log = quiet;
    writer.control = &control;
    writer.spool_fd = -1;

    ok(llm_writer_open(&writer) == LLM_OK, "a database");
    commit(0, ROWS);

    llm_reader_close(reader);
    ok(llm_reader_open(&reader, dir, &err) == LLM_OK, "a reader");

    test_list();
    test_steps();
    test_json();
    test_csv();
    test_csv_text();
    test_csv_plain();
    test_words();
    test_bodies();
    test_gone();
    test_gaps();
    test_over();

    ok(widest < 2 * 1024 * 1024, "no slice was larger than 2 MB: %zu",
       widest);

    llm_reader_close(reader);
    llm_filter_free(filter);
    llm_writer_close(&writer);
    llm_buf_free(&out);
    llm_buf_free(&one);
    llm_buf_free(&list);

    snprintf(path, sizeof(path), "rm -rf %s", dir);
    ok(system(path) == 0, "done");

    return done_testing();
}


static void
quiet(void *data, int level, const char *line)
{
    printf("# %s\n", line);
}


/* the later the record, the older its id: a long one is committed late */

static void
add(int n)
{
    llm_record_t  r;

    llm_record_init(&r);

    r.num[LLM_N_TIMESTAMP] = T0 + (n % 7 == 0 ? -n : n) * 1000;
    r.num[LLM_N_ID] = r.num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | (n % 8000);
    r.num[LLM_N_STATUS] = n % 10 == 0 ? 429 : 200;
    r.num[LLM_N_OUTCOME] = n % 10 == 0 ? LLM_OUTCOME_HTTP_ERROR
                                       : LLM_OUTCOME_SUCCESS;
    r.num[LLM_N_STREAM] = n % 2;
    r.num[LLM_N_COST_NANO] = n * 1000;
    r.num[LLM_N_TOTAL_TOKENS] = n;

    text(&r, LLM_S_METHOD, "POST");
    text(&r, LLM_S_MODEL, n % 3 == 0 ? "gpt-4o" : "claude");
    text(&r, LLM_S_URL, n == 5 ? "=cmd|' /C calc'!A0" : "/v1/chat, \"x\"");
    text(&r, LLM_S_USER, n % 5 == 0 ? "@user\r\n" : "u\xff");

    if (n == 11) {
        r.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_STORED;
        r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_STORED;
        text(&r, LLM_S_REQUEST_BODY, "-1\t\"");
        r.str[LLM_S_RESPONSE_BODY].data = (uint8_t *) big;
        r.str[LLM_S_RESPONSE_BODY].len = BIG;
    }

    if (n == 12) {
        r.num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_BINARY;
        r.num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_TOO_LARGE;
    }

    if (llm_writer_add(&writer, &r, LLM_WRITE_ROW) != LLM_OK) {
        ok(0, "row %d", n);
    }
}


static void
text(llm_record_t *r, int n, const char *s)
{
    r->str[n].data = (const uint8_t *) s;
    r->str[n].len = strlen(s);
}


static void
commit(int from, int to)
{
    (void) llm_writer_begin(&writer);

    for ( /* void */ ; from < to; from++) {
        add(from);
    }

    ok(llm_writer_commit(&writer) == LLM_OK, "rows are committed");
}


static llm_export_t *
start(const char *query)
{
    llm_str_t      q;
    llm_export_t  *x;

    q.data = (const uint8_t *) query;
    q.len = strlen(query);
    x = NULL;
    err.message[0] = '\0';

    llm_filter_free(filter);

    if (llm_filter_parse(&filter, &q, LLM_FOR_EXPORT, T0, &err) == LLM_OK) {
        (void) llm_export_create(&x, filter, 100 * 1024 * 1024, &err);
    }

    out.len = 0;

    return x;
}


static int
slice(llm_export_t *x)
{
    int  rc;

    one.len = 0;
    rc = llm_export_slice(x, reader, &one, &err);
    llm_buf_add(&out, one.data, one.len);

    if (one.len > widest) {
        widest = one.len;
    }

    return rc;
}


static int
all(const char *query)
{
    int            rc;
    llm_export_t  *x;

    x = start(query);

    if (x == NULL) {
        return LLM_ERROR;
    }

    do {
        rc = slice(x);
    } while (rc == LLM_AGAIN);

    llm_buf_add(&out, "", 1);
    out.len--;

    llm_export_free(x);

    return rc;
}


static size_t
ids(const char *json, int64_t *id, size_t max)
{
    size_t       n;
    const char  *p;

    n = 0;

    for (p = json; (p = strstr(p, "{\"id\":\"")) != NULL && n < max; p++) {
        id[n++] = strtoll(p + 7, NULL, 10);
    }

    return n;
}


static void
test_none(void)
{
    ok(llm_reader_open(&reader, dir, &err) == LLM_OK, "no database yet");

    ok(all("") == LLM_OK
       && strcmp((char *) out.data,
                 "{\"logs\":[],\"count\":0,\"next_seq\":0}\n")
          == 0,
       "is nothing in JSON: %s", out.data);
    ok(all("format=ndjson") == LLM_OK && out.len == 0, "nor in NDJSON");
    ok(all("since_seq=7&format=json") == LLM_OK
       && strstr((char *) out.data, "\"next_seq\":7}") != NULL,
       "and leads not back");

    ok(start("format=xml") == NULL && strcmp(err.parameter, "format") == 0,
       "an unknown format is refused");
    ok(start("limit=5") == NULL && strcmp(err.parameter, "limit") == 0,
       "and what is of lists alone");
}


/* newest first there, in the order of commit here: the same set */

static int
compare(const void *a, const void *b)
{
    int64_t  x, y;

    x = *(const int64_t *) a;
    y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


static void
test_list(void)
{
    char               query[256];
    size_t             i, n, m;
    llm_str_t          q;
    llm_filter_t      *f;

    static int64_t     exported[ROWS + 1], listed[ROWS + 1];
    static const char *const  filters[] = {
        "until=2026-11-21T08:33:00Z", "status=429&until=today&tz=Asia/Tokyo",
        "model=gpt-4o&stream=1&min_tokens=2000", "filter=CMD",
        "errors_only=1&since=-10m", "user=nobody", "filter=429&model=claude",
        "min_cost=0.0029", "since=2026-11-21T09:10:00Z&until=-1ms",
        "min_tokens=2500&stream=0"
    };

    for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        snprintf(query, sizeof(query), "%s&format=ndjson", filters[i]);

        if (all(query) == LLM_ERROR) {
            ok(strcmp(err.parameter, "until") == 0, "%s is refused",
               filters[i]);
            continue;
        }

        n = ids((char *) out.data, exported, ROWS);

        snprintf(query, sizeof(query), "%s&limit=1000", filters[i]);
        q.data = (const uint8_t *) query;
        q.len = strlen(query);
        list.len = 0;

        (void) llm_filter_parse(&f, &q, LLM_FOR_LIST, T0, &err);
        (void) llm_query_list(reader, f, 60000, &list, &err);
        llm_buf_add(&list, "", 1);
        llm_filter_free(f);

        m = ids((char *) list.data, listed, ROWS);

        qsort(exported, n, sizeof(int64_t), compare);
        qsort(listed, m, sizeof(int64_t), compare);

        ok(n == m && m < 1000 && memcmp(exported, listed, n * 8) == 0,
           "%s: %zu records, as in the list: %zu", filters[i], n, m);
    }
}


/* what is committed meanwhile is for the next one */

static void
test_steps(void)
{
    int            rc;
    char           query[64];
    size_t         n;
    int64_t        next, seq, last;
    const char    *p;
    llm_export_t  *x;

    x = start("format=ndjson");
    rc = slice(x);
    ok(rc == LLM_AGAIN, "more than a slice");
    next = llm_export_next(x);
    ok(next == ROWS, "it goes up to %lld", (long long) next);

    commit(ROWS, ROWS + 10);

    while (rc == LLM_AGAIN) {
        rc = slice(x);
    }

    llm_export_free(x);
    llm_buf_add(&out, "", 1);

    last = 0;
    n = 0;

    for (p = (char *) out.data; (p = strstr(p, "\"seq\":")) != NULL; p++) {
        seq = strtoll(p + 6, NULL, 10);
        n += (seq == last + 1);
        last = seq;
    }

    ok(rc == LLM_OK && n == ROWS && last == ROWS,
       "every record once, in order");

    snprintf(query, sizeof(query), "format=ndjson&since_seq=%lld",
             (long long) next);
    ok(all(query) == LLM_OK && strncmp((char *) out.data, "{\"id\":", 6) == 0,
       "the next export");

    n = 0;

    for (p = (char *) out.data; (p = strchr(p, '\n')) != NULL; p++) {
        n++;
    }

    ok(n == 10, "has the ten that came: %zu", n);
}


static void
test_json(void)
{
    char  *p;

    ok(all("model=gpt-4o&status=429&stream=0&min_tokens=2950") == LLM_OK,
       "JSON");

    p = (char *) out.data;

    ok(strncmp(p, "{\"logs\":[\n{\"id\":", 16) == 0
       && strstr(p, "},\n{\"id\":") != NULL
       && strstr(p, "\n],\"count\":2,\"next_seq\":3010}\n") != NULL,
       "is one document: %.200s", strstr(p, "\n]") ? strstr(p, "\n]") : p);
    ok(strstr(p, "request_body\"") == NULL, "without bodies");
}


static void
test_csv(void)
{
    char    *p, *head;
    size_t   commas;

    ok(all("format=csv&tz=Asia/Shanghai&min_tokens=5&until=-0s") == LLM_OK
       || strcmp(err.parameter, "until") == 0, "CSV");

    ok(all("format=csv&filter=CMD&tz=Asia/Shanghai") == LLM_OK, "CSV");

    head = (char *) out.data;
    p = strstr(head, "\r\n");

    ok(p != NULL
       && strncmp(head, "\"id\",\"timestamp (Asia/Shanghai)\",\"seq\",", 39)
          == 0,
       "the header says the zone: %.60s", head);

    *p = '\0';

    for (commas = 0; (head = strchr(head, ',')) != NULL; head++) {
        commas++;
    }

    ok(commas == 50, "51 columns: %zu", commas + 1);

    p += 2;

    ok(strstr(p, ",2026-11-21T16:30:05.000+08:00,6,\"POST\",") != NULL,
       "times are in it: %.80s", p);
    ok(strstr(p, "\"'=cmd|' /C calc'!A0\"") != NULL, "no formulas");
    ok(strstr(p, "\"'@user") != NULL, "of any kind");

    ok(all("format=csv&tz=+05:45&min_tokens=3009") == LLM_OK
       && strstr((char *) out.data, "\"timestamp (+05:45)\"") != NULL
       && strstr((char *) out.data, "+05:45,3010,") != NULL,
       "an offset as it is written");

    ok(all("format=csv&min_tokens=3008&stream=0") == LLM_OK
       && strstr((char *) out.data, "\"timestamp (UTC)\"") != NULL
       && strstr((char *) out.data, "Z,3009,\"POST\",\"/v1/chat, \"\"x\"\"\"")
          != NULL
       && strstr((char *) out.data, "\"u\xef\xbf\xbd\"") != NULL,
       "UTC, quotes doubled, valid UTF-8");
}


/* every split of a text gives the same cell */

static void
test_csv_text(void)
{
    size_t      i, j, k, good;
    llm_csv_t   csv;

    static const struct {
        const char  *text;
        const char  *cell;
    } cases[] = {
        { "", "\"\"" }, { "a", "\"a\"" }, { "a\"b", "\"a\"\"b\"" },
        { "=1", "\"'=1\"" }, { "+1", "\"'+1\"" }, { "-1", "\"'-1\"" },
        { "@x", "\"'@x\"" }, { "\tx", "\"'\tx\"" }, { "\rx", "\"'\rx\"" },
        { "\"=1", "\"\"\"=1\"" }, { "a=1", "\"a=1\"" },
        { "\xc3\xa9,\xe2\x82\xac\n", "\"\xc3\xa9,\xe2\x82\xac\n\"" },
        { "\xc3", "\"\xef\xbf\xbd\"" }, { "\xc3=", "\"\xef\xbf\xbd=\"" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        good = 0;
        k = strlen(cases[i].text);

        for (j = 0; j <= k; j++) {
            out.len = 0;
            llm_csv_init(&csv, &out);
            llm_csv_open(&csv);
            llm_csv_append(&csv, (const uint8_t *) cases[i].text, j);
            llm_csv_append(&csv, (const uint8_t *) cases[i].text + j, k - j);
            llm_csv_close(&csv);

            good += out.len == strlen(cases[i].cell)
                    && memcmp(out.data, cases[i].cell, out.len) == 0;
        }

        ok(good == k + 1, "cell %zu at every split", i);
    }
}


/* one odd byte anywhere in a text of any length: as if it came in pieces */

static void
test_csv_plain(void)
{
    char        text[24];
    size_t      i, n, at, bad;
    llm_str_t   s;
    llm_csv_t   csv;

    static const char  odd[] = "\0\"\x80\xff\x01\x7f!#=+-@\t\r\na";

    bad = 0;
    s.data = (const uint8_t *) text;

    for (n = 0; n < sizeof(text); n++) {
        for (at = 0; at < n; at++) {
            for (i = 0; i < sizeof(odd) - 1; i++) {
                memset(text, 'x', sizeof(text));
                text[at] = odd[i];
                s.len = n;

                one.len = 0;
                llm_csv_init(&csv, &one);
                llm_csv_open(&csv);
                llm_csv_append(&csv, s.data, 1);
                llm_csv_append(&csv, s.data + 1, n - 1);
                llm_csv_close(&csv);
                llm_csv_null(&csv);

                out.len = 0;
                llm_csv_init(&csv, &out);
                llm_csv_text(&csv, &s);
                llm_csv_null(&csv);

                bad += out.len != one.len
                       || memcmp(out.data, one.data, out.len) != 0;
            }
        }
    }

    ok(bad == 0, "texts at once and in pieces are the same cells: %zu not",
       bad);
}


/* more values than there is room for, of ids that share slots */

static void
test_words(void)
{
    int            i, bad;
    char           want[LLM_DICT_VALUE_MAX + 1];
    sqlite3       *db;
    int64_t        id;
    llm_str_t      word[16];
    llm_words_t   *words;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK
        || sqlite3_exec(db, "CREATE TABLE dict (id INTEGER PRIMARY KEY,"
                            " value TEXT);"
                            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
                            " SELECT i + 1 FROM n WHERE i < 9000)"
                            "INSERT INTO dict SELECT i,"
                            " printf('%0*d', i % 513, i) FROM n",
                        NULL, NULL, NULL)
           != SQLITE_OK
        || llm_words_create(&words, db) != LLM_OK)
    {
        ok(0, "words");
        return;
    }

    bad = 0;

    for (id = 1; id <= 9000; id++) {
        llm_words_row(words, 16);

        for (i = 0; i < 16; i++) {
            bad += llm_words_get(words, 1 + (id + i * 512) % 9000, &word[i])
                   != LLM_OK;
        }

        for (i = 0; i < 16; i++) {
            snprintf(want, sizeof(want), "%0*d",
                     (int) (1 + (id + i * 512) % 9000) % 513,
                     (int) (1 + (id + i * 512) % 9000));
            bad += word[i].len != strlen(want)
                   || memcmp(word[i].data, want, word[i].len) != 0;
        }
    }

    ok(bad == 0, "each id has its word: %d not", bad);

    llm_words_row(words, 16);
    ok(llm_words_get(words, 9001, word) == LLM_OK && word[0].data == NULL
       && llm_words_get(words, 4905, word) == LLM_OK && word[0].len > 0
       && llm_words_get(words, 9001, word) == LLM_OK && word[0].data == NULL,
       "an id that is not there has none");

    llm_words_free(words);
    ok(sqlite3_close(db) == SQLITE_OK, "nothing is left open");
}


static void
test_bodies(void)
{
    char    *p;
    size_t   i, n;

    ok(all("bodies=1&format=ndjson&until=2026-11-21T08:30:14Z"
           "&since=2026-11-21T08:30:00.500Z")
       == LLM_OK, "with bodies: %s", err.message);

    p = strstr((char *) out.data, "\"request_body\":\"-1\\t\\\"\"");
    ok(p != NULL, "a short one");

    p = p ? strstr(p, ",\"response_body\":\"=\\\"") : NULL;
    ok(p != NULL, "a long one begins");

    n = 0;

    for (i = 21; p != NULL && memcmp(p + i, "\xc3\xa9", 2) == 0; i += 2) {
        n++;
    }

    ok(n == BIG / 2 - 1 && strncmp(p + i, "\\n\"}\n{\"id\":", 10) == 0,
       "and is all there: %zu characters", n);
    ok(strstr((char *) out.data, "\"request_body\":\"[Binary Request Data]\","
              "\"response_body\":\"[Response too large (>100MB)]\"}\n")
       != NULL, "placeholders");
    ok(strstr((char *) out.data, "\"request_body\":null,\"response_body\":null"
              "}\n") != NULL, "and nothing where there is nothing");

    ok(all("bodies=1&format=csv&min_tokens=11&until=2026-11-21T08:30:12Z"
           "&since=2026-11-21T08:30:10.500Z")
       == LLM_OK, "bodies in CSV");

    p = strstr((char *) out.data, ",\"'-1\t\"\"\",\"'=\"\"\xc3\xa9");
    ok(p != NULL && out.len > BIG
       && strcmp((char *) out.data + out.len - 6, "\xc3\xa9\n\"\r\n") == 0,
       "are cells of it");
}


/* deleted while it is on its way: an error, and never a shorter text */

static void
test_gone(void)
{
    int            rc;
    llm_export_t  *x;

    x = start("bodies=1&since=2026-11-21T08:30:10.500Z"
              "&until=2026-11-21T08:30:12Z");

    /* a slice may be over before there was a row */

    do {
        rc = slice(x);
    } while (rc == LLM_AGAIN && one.len <= LLM_EXPORT_SLICE);

    ok(rc == LLM_AGAIN && one.len > LLM_EXPORT_SLICE,
       "a part of a body: %zu bytes", one.len);

    (void) llm_db_exec(&writer.db, "DELETE FROM response_body; "
                                   "DELETE FROM frame");

    while (rc == LLM_AGAIN) {
        rc = slice(x);
    }

    ok(rc == LLM_ERROR && strcmp(err.code, "body_unreadable") == 0,
       "the rest is gone: %s", err.message);
    llm_export_free(x);

    ok(all("bodies=1&since=2026-11-21T08:30:10.500Z"
           "&until=2026-11-21T08:30:12Z") == LLM_OK
       && strstr((char *) out.data, "\"response_body\":null}") != NULL,
       "a new export finds none");
}


static void
test_gaps(void)
{
    (void) llm_db_exec(&writer.db, "UPDATE log SET seq = seq + 50000000000"
                                   " WHERE seq > 2990");
    (void) llm_db_exec(&writer.db, "DELETE FROM log WHERE seq BETWEEN 5 AND"
                                   " 2985");

    ok(all("") == LLM_OK
       && strstr((char *) out.data, "],\"count\":29,\"next_seq\":50000003010}")
          != NULL,
       "gaps are passed over: %s", strrchr((char *) out.data, ']'));
}


/* what the dictionary did not take is in the row, and in the export */

static void
test_over(void)
{
    char           name[600], *line;
    size_t         i;
    llm_str_t      q;
    llm_record_t   r;
    llm_filter_t  *f;

    memset(name, 'm', sizeof(name));
    name[sizeof(name) - 1] = '\0';

    (void) llm_writer_begin(&writer);

    for (i = 0; i < 3; i++) {
        llm_record_init(&r);
        r.num[LLM_N_TIMESTAMP] = T0 + 86400000;
        r.num[LLM_N_ID] = r.num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | i;
        r.num[LLM_N_STATUS] = 200;
        text(&r, LLM_S_MODEL, i == 1 ? name : "short");
        text(&r, LLM_S_USER, "@user");
        text(&r, LLM_S_RESPONSE_ID, "response");
        (void) llm_writer_add(&writer, &r, LLM_WRITE_ROW);
    }

    ok(llm_writer_commit(&writer) == LLM_OK, "a model too long for it");

    q.data = (const uint8_t *) "order=asc&limit=3&since=2026-11-22T08:30:00Z";
    q.len = strlen((const char *) q.data);
    list.len = 0;

    (void) llm_filter_parse(&f, &q, LLM_FOR_LIST, T0, &err);
    (void) llm_query_list(reader, f, 1000, &list, &err);
    llm_buf_add(&list, "", 1);
    llm_filter_free(f);

    ok(all("format=ndjson&since=2026-11-22T08:30:00Z") == LLM_OK
       && strstr((char *) out.data, name) != NULL, "is in the export");

    line = strtok((char *) out.data, "\n");

    for (i = 0; line != NULL; line = strtok(NULL, "\n")) {
        i += strstr((char *) list.data, line) != NULL;
    }

    ok(i == 3, "which has the records of the list: %zu", i);
}
