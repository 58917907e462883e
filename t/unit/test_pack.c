
/*
 * Copyright (C) llm_monitor contributors
 *
 * Packed sums: the form and its damages, and that answers are the same from
 * rows, from packs, from packs without rows, and while an older database is
 * being packed anew.
 */


#include "report.h"
#include "../../ngx_http_llm_monitor_module/store/llm_columns.h"
#include "../../ngx_http_llm_monitor_module/store/llm_pack.h"


#define FROM     1767225600000LL           /* 2026-01-01 */
#define NOW      1767945600000LL           /* 2026-01-09T08:00Z */
#define DAYS     8
#define VALUES   1200
#define ROWS     700                       /* of a form */

#define ROW(i)   rows[i][LLM_COLUMNS_VALUES]


static int64_t     rows[ROWS][LLM_COLUMNS_COUNT];
static uint8_t    *form;
static size_t      size;

static const struct {
    int          what;
    const char  *query;
} questions[] = {
    { LLM_REPORT_LEADERBOARD, "period=all" },
    { LLM_REPORT_LEADERBOARD, "period=all&limit=1000" },
    { LLM_REPORT_LEADERBOARD, "period=all&limit=7&offset=5&order=asc" },
    { LLM_REPORT_LEADERBOARD, "period=all&limit=5&offset=90000" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=requests" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=errors" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=cost_usd" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=input_tokens" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=output_tokens" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=success_rate" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=duration_ms" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=ttft_ms&order=asc" },
    { LLM_REPORT_LEADERBOARD, "period=all&sort=tokens_per_second" },
    { LLM_REPORT_LEADERBOARD, "since=2026-01-02T09:15&until=2026-01-07T03:30"
                              "&limit=40" },
    { LLM_REPORT_LEADERBOARD, "period=week&tz=Asia/Kathmandu&limit=40" },
    { LLM_REPORT_LEADERBOARD, "since=2026-01-02T09:15&until=2026-01-02T11:00"
                              "&by=ip" },
    { LLM_REPORT_STATS, "by=user&period=all" },
    { LLM_REPORT_STATS, "by=user&period=all&limit=100&sort=cost_usd" },
    { LLM_REPORT_STATS, "by=user&period=all&limit=3&tz=America/St_Johns" },
    { LLM_REPORT_STATS, "by=user&bucket=hour&since=2026-01-02&until="
                        "2026-01-03T12:00&order=asc" },
    { LLM_REPORT_STATS, "by=ip&period=all&limit=100&bucket=week" },
    { LLM_REPORT_SUMMARY, "" }
};

#define QUESTIONS  ((int) (sizeof(questions) / sizeof(questions[0])))

static char       *want[QUESTIONS];


/* of any size up to a bound of so many bits */

static int64_t
some(int bits)
{
    uint64_t  v;

    v = (uint64_t) random() << 42 ^ (uint64_t) random() << 21
        ^ (uint64_t) random();

    bits = random() % (bits + 1);

    return bits == 0 ? 0 : (int64_t) (v >> (64 - bits));
}


/* Rows from a value on, their sums below 2^bits; the first one is larger. */

static void
make(size_t n, int64_t value, int bits)
{
    int     i;
    size_t  k;

    for (k = 0; k < n; k++) {
        ROW(k) = value;
        value += value <= 0 ? 1 : 1 + some(bits > 40 ? 50 : 6);

        for (i = LLM_COLUMNS_SUM(0); i < LLM_COLUMNS_COUNT; i++) {
            rows[k][i] = some(i % 3 == 0 ? bits / 3 : bits);
        }
    }
}


/* The form of n rows in memory of its own; that it is damaged can be seen. */

static void
pack(size_t n)
{
    llm_buf_t  out;

    llm_buf_init(&out, 4 * 1024 * 1024);
    llm_columns_write(&out, (const void *) rows, n);

    free(form);

    size = out.len;
    form = calloc(1, size + LLM_COLUMNS_SLACK);

    memcpy(form, out.data, size);
    llm_buf_free(&out);
}


static int
comes_back(size_t n)
{
    int            i, same;
    size_t         k, place;
    int64_t        total[LLM_C_COUNT];
    llm_columns_t  c;

    memset(total, 0, sizeof(total));

    same = llm_columns_head(&c, form, size) == LLM_OK && c.apart + c.n == n;

    for (k = 0; same && k < n; k++) {

        for (i = 0; i < LLM_C_COUNT; i++) {
            total[i] = (int64_t) ((uint64_t) total[i]
                                  + (uint64_t) rows[k][LLM_COLUMNS_SUM(i)]);
        }

        if (k < c.apart) {
            same &= memcmp(c.row[k], rows[k], sizeof(rows[k])) == 0;
            continue;
        }

        same &= llm_columns_find(&c, form + c.at[LLM_COLUMNS_VALUES], ROW(k),
                                 &place)
                == LLM_OK
                && place == k - c.apart
                && ROW(k) > 0;

        for (i = LLM_COLUMNS_SUM(0); same && i < LLM_COLUMNS_COUNT; i++) {
            same &= (int64_t) llm_columns_get(form + c.at[i], c.bits[i],
                                              place)
                    == rows[k][i];
        }

        same &= (k + 1 < n && ROW(k + 1) == ROW(k) + 1)
                || llm_columns_find(&c, form + c.at[LLM_COLUMNS_VALUES],
                                    ROW(k) + 1, &place)
                   == LLM_DECLINED;
    }

    return same && memcmp(total, c.total, sizeof(total)) == 0;
}


static void
forms(void)
{
    int     bits, good;
    size_t  n;

    good = 1;

    for (bits = 0; bits <= 64; bits++) {

        for (n = 1; n <= ROWS; n += n < 40 ? 1 : 149) {
            make(n, 1 - (int64_t) (random() % 3), bits);
            pack(n);
            good &= comes_back(n);
        }
    }

    ok(good, "sums of 0 to 64 bits come back, of 1 to %d values", ROWS);

    make(ROWS, 1, 12);
    pack(ROWS);
    n = size;
    make(ROWS, -1, 12);
    rows[0][LLM_COLUMNS_SUM(LLM_C_COST)] = INT64_MAX;
    rows[1][LLM_COLUMNS_SUM(LLM_C_INPUT)] = INT64_MAX;
    pack(ROWS);

    ok(comes_back(ROWS) && size < n + 400,
       "the rest and none, as large as they are, make no number longer");

    make(ROWS, 1, 20);
    ROW(ROWS - 1) = INT64_MAX - 1;
    pack(ROWS);
    ok(comes_back(ROWS), "values are far from each other");
}


static void
damages(void)
{
    int            good;
    size_t         n, k;
    uint8_t       *part, old;
    llm_columns_t  c;

    make(30, -1, 30);
    pack(30);

    good = 1;

    for (n = 0; n < size; n++) {
        part = malloc(n + 1);
        memcpy(part, form, n);
        good &= llm_columns_head(&c, part, n) == LLM_ERROR;
        free(part);
    }

    good &= llm_columns_head(&c, form, size + 1) == LLM_ERROR;

    ok(good, "a part of a form is none, and neither is more");

    /* what the sizes say must be what is there, whatever they say */

    good = 1;

    for (n = 0; n < LLM_COLUMNS_HEAD; n++) {
        old = form[n];

        for (k = 0; k < 256; k++) {
            form[n] = (uint8_t) k;

            if (llm_columns_head(&c, form, size) == LLM_OK) {
                good &= c.size == size
                        && c.at[llm_columns_order()[LLM_COLUMNS_COUNT - 1]]
                           <= size
                        && c.apart + c.n <= 8 * size;
            }
        }

        form[n] = old;
    }

    form[0] = 1;
    good &= llm_columns_head(&c, form, size) == LLM_ERROR;

    ok(good, "and no byte of a head says more than there is");

    free(form);
    form = NULL;
}


static void
run(const char *sql)
{
    ledger_begin();

    if (sqlite3_exec(ledger->db.handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        printf("# %s: %s\n", sql, sqlite3_errmsg(ledger->db.handle));
    }

    ledger_commit();
}


/* Sums of some of the values of a dimension in a span. */

static void
span(sqlite3_stmt *st, int64_t length, int64_t t, int dim, int percent)
{
    int      i, bits;
    int64_t  value;

    for (value = LLM_LEDGER_OTHER; value < VALUES; value++) {

        if (dim == LLM_SERIES_TOTAL ? value != 0 : random() % 100 >= percent) {
            continue;
        }

        bits = value <= 0 ? 40 : 22;

        (void) sqlite3_bind_int64(st, 1, length);
        (void) sqlite3_bind_int64(st, 2, t);
        (void) sqlite3_bind_int64(st, 3, dim);
        (void) sqlite3_bind_int64(st, 4, value);

        for (i = 0; i < LLM_C_COUNT; i++) {
            (void) sqlite3_bind_int64(st, 5 + i, some(bits));
        }

        (void) sqlite3_bind_int64(st, 5, 1 + some(10));

        if (sqlite3_step(st) != SQLITE_DONE) {
            abort();
        }

        (void) sqlite3_reset(st);
    }
}


static void
fill(void)
{
    int            d, q, dim;
    sqlite3_stmt  *st;

    static const int  dims[] = {
        LLM_SERIES_TOTAL, LLM_SERIES_USER, LLM_SERIES_IP
    };

    /* many values, few, and too few to be packed */

    static const int  percent[DAYS] = { 70, 40, 90, 60, 10, 35, 55, 0 };

    ledger_begin();

    if (sqlite3_prepare_v2(ledger->db.handle, "INSERT INTO series VALUES (?1,"
                           " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                           " ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
                           -1, &st, NULL)
        != SQLITE_OK)
    {
        abort();
    }

    for (dim = 0; dim < 3; dim++) {

        for (d = 0; d < DAYS; d++) {
            span(st, LLM_DAY_MS, FROM + d * LLM_DAY_MS, dims[dim],
                 percent[d]);
        }

        for (q = 96; q < 3 * 96; q += 1 + (dim == 2)) {
            span(st, LLM_QUARTER_MS, FROM + q * LLM_QUARTER_MS, dims[dim],
                 q % 5 == 0 ? 30 : 3);
        }
    }

    sqlite3_finalize(st);
    ledger_commit();
}


/* How many of the answers are those of the rows. */

static int
answers(void)
{
    int          i, same;
    const char  *json;

    same = 0;

    for (i = 0; i < QUESTIONS; i++) {
        json = ask(questions[i].what, questions[i].query, NOW);

        if (want[i] == NULL) {
            want[i] = strdup(json);
        }

        if (strcmp(want[i], json) == 0) {
            same++;

        } else {
            printf("# %s: %.300s\n# but was %.300s\n", questions[i].query,
                   json, want[i]);
        }
    }

    return same;
}


static void
all_packed(void)
{
    int  rc;

    do {
        rc = llm_pack_slice(ledger, NOW);
    } while (rc == LLM_OK);

    if (rc != LLM_AGAIN) {
        abort();
    }
}


static void
same(void)
{
    int64_t  n;

    ok(answers() == QUESTIONS && strlen(want[0]) > 1000,
       "%d answers from rows", QUESTIONS);

    all_packed();
    n = ledger_int("SELECT count(*) FROM packed");

    ok(n > 250 && answers() == QUESTIONS, "from %d packs", (int) n);

    run("UPDATE packed SET data = CASE id % 5 WHEN 0 THEN x''"
        " WHEN 1 THEN substr(data, 1, length(data) - 1)"
        " WHEN 2 THEN x'01' || substr(data, 2)"
        " WHEN 3 THEN data || x'00' ELSE data END");

    ok(answers() == QUESTIONS, "and from rows, where packs are damaged");
}


/* One more request of a day that is packed. */

static void
late(void)
{
    size_t        n;
    int64_t       before, packs, day[64];
    const char   *json;
    llm_record_t  r;

    json = ask(LLM_REPORT_LEADERBOARD, "by=model&period=all", NOW);
    before = number(json, "total", "requests");
    packs = ledger_int("SELECT count(*) FROM packed");

    ledger_begin();
    ledger_record(&r, FROM + 2 * LLM_DAY_MS);
    ledger_text(&r, LLM_S_MODEL, "late");
    ledger_add(&r, LLM_WRITE_ROW);
    ledger_commit();

    json = ask(LLM_REPORT_LEADERBOARD, "by=model&period=all", NOW);

    ok(before == 0 && number(json, "total", "requests") == 1
       && ledger_int("SELECT count(*) FROM packed") < packs,
       "a late request is counted, and takes packs away");

    json = ask(LLM_REPORT_STATS, "by=model&period=all&bucket=day",
               NOW);

    n = numbers(json, "\"buckets\":[", day);

    ok(n == DAYS + 1 && day[2] == FROM + 2 * LLM_DAY_MS
       && strstr(json, "\"late\"") != NULL, "among those of %d days",
       (int) n);
}


/* As SQLite sums up and sorts. */

static void
ordered(void)
{
    int          n, good;
    char         sql[256], query[128], rank[32];
    int64_t      total;
    const char  *json;

    good = 1;

    for (n = 0; n < 2000; n += 1 + n / 3) {
        snprintf(query, sizeof(query), "period=all&limit=9&offset=%d", n);
        json = ask(LLM_REPORT_LEADERBOARD, query, NOW);

        snprintf(rank, sizeof(rank), "\"rank\":%d,", n + 1);
        json = strstr(json, rank);

        snprintf(sql, sizeof(sql), "SELECT coalesce((SELECT sum(total_tokens)"
                 " FROM series WHERE span = 86400000 AND dim = 2 AND value >"
                 " 0 GROUP BY value ORDER BY 1 DESC LIMIT 1 OFFSET %d), -1)",
                 n);
        total = ledger_int(sql);

        good &= json != NULL ? number(json, "total_tokens", NULL) == total
                             : total == -1 && n > 1000;
    }

    json = ask(LLM_REPORT_LEADERBOARD, "period=all", NOW);

    ok(good && number(json, "total", "requests")
               == ledger_int("SELECT sum(requests) FROM series WHERE span ="
                             " 86400000 AND dim = 2"),
       "in the order of the sums of all days, and all together");
}


/* It had all in a form that is not read any more. */

static void
older(void)
{
    int64_t            n;
    llm_query_error_t  err;

    n = ledger_int("SELECT count(*) FROM packed");

    run("UPDATE packed SET data = x'0101020304'; PRAGMA user_version = 7");

    llm_reader_close(reader);
    llm_writer_close(ledger);
    ledger_open();

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        abort();
    }

    ok(ledger_int("PRAGMA user_version") == LLM_SCHEMA_VERSION
       && ledger_int("SELECT count(*) FROM packed WHERE data = x'0101020304'")
          == n
       && answers() == QUESTIONS, "an older database has its rows");

    /* it goes on where it was, and what fails is as if it had not been */

    (void) llm_pack_slice(ledger, FROM + 4 * LLM_DAY_MS);

    ok(ledger_int("SELECT count(*) FROM packed WHERE data = x'0101020304'")
       < n
       && answers() == QUESTIONS, "and is packed anew in slices");

    llm_writer_close(ledger);
    ledger_open();
    all_packed();

    ok(ledger_int("SELECT count(*) FROM packed WHERE substr(data, 1, 1) ="
                  " x'02'") == n
       && ledger_int("SELECT count(*) FROM packed") == n
       && answers() == QUESTIONS, "by the next writer too, all %d",
       (int) n);

    run("DELETE FROM series WHERE dim > 0 AND EXISTS (SELECT 1 FROM packed AS"
        " p WHERE p.span = series.span AND p.t = series.t AND p.dim ="
        " series.dim)");

    ok(ledger_int("SELECT count(*) FROM series WHERE dim > 0") < 100
       && answers() == QUESTIONS, "then the rows are not looked at");
}


int
main(void)
{
    int                i;
    llm_query_error_t  err;

    srandom(7);

    forms();
    damages();

    ledger_open();
    fill();

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        return 1;
    }

    same();
    ordered();
    older();
    late();

    for (i = 0; i < QUESTIONS; i++) {
        free(want[i]);
    }

    llm_buf_free(&answer);
    llm_reader_close(reader);
    ledger_remove();

    return done_testing();
}
