
/*
 * Copyright (C) llm_monitor contributors
 *
 * What blocks say of rows is what the rows say, for random combinations of
 * filters, counted, paged through and by value, whatever becomes of the rows:
 * none is
 * there yet, late ones come, some are cleared, grow too old, get other costs,
 * and a batch is rolled back.
 */


#include "ask.h"
#include "blocks.h"
#include "mem.h"
#include "../../ngx_http_llm_monitor_module/store/llm_facets.h"
#include "../../ngx_http_llm_monitor_module/store/llm_purge.h"
#include "../../ngx_http_llm_monitor_module/store/llm_report.h"
#include "../../ngx_http_llm_monitor_module/store/llm_reprice.h"
#include "../../ngx_http_llm_monitor_module/store/llm_where.h"


#define ROWS     1200
#define FILL     60
#define CHOSEN   40                      /* combinations each time */
#define PAGE     7

#define KEYS(like)      "(SELECT id FROM dict WHERE kind = 9 AND value LIKE"  \
                        " '" like "')"
#define WORD(n, word)   "(protocol = " #n " OR model IN (SELECT id FROM dict" \
                        " WHERE kind = 6 AND value LIKE '%" word "%')"        \
                        " OR over ->> '$.model' LIKE '%" word "%')"


static void late(int64_t n);
static void add(int64_t ms);
static void same(const char *when);
static int counted(const char *query, const char *rows);
static int paged(const char *query, const char *rows, int ascending);
static int faceted(const char *query, const char *rows);
static int facets_of(const char *rows, llm_buf_t *out);
static const char *scoped(llm_filter_t **f);
static void reported(const char *when);
static int report(llm_buf_t *out);
static int ids_of(const char *rows, int ascending, int64_t *ids);
static llm_filter_t *filter(const char *query, int what);
static int64_t number(const char *text, const char *name);
static void clear(const char *query, int slices);
static void reprice(void);


static const struct {
    const char  *query;
    const char  *rows;
} conditions[] = {
    { "status=200", "status = 200" },
    { "status=5xx", "status BETWEEN 500 AND 599" },
    { "status=401", "status = 401" },
    { "status=100-399", "status BETWEEN 100 AND 399" },
    { "errors_only=1", "failed = 1" },
    { "quick=chat", "operation IN (1, 2, 3)" },
    { "quick=gemini", WORD(3, "gemini") },
    { "quick=claude", WORD(2, "claude") },
    { "outcome=success", "outcome = 1" },
    { "outcome=shutdown", "outcome = 9" },
    { "method=POST", "(method = " OF(1, "POST")
                     " OR over ->> '$.method' = 'POST')" },
    { "method=GET", "method = " OF(1, "GET") },
    { "method=BREW", "0" },
    { "protocol=anthropic", "protocol = 2" },
    { "protocol=unknown", "coalesce(protocol, 0) = 0" },
    { "operation=other", "coalesce(operation, 0) = 0" },
    { "operation=embeddings", "operation = 4" },
    { "stream=1", "stream = 1" },
    { "stream=0", "coalesce(stream, 0) = 0" },
    { "min_duration_ms=0", "duration_us >= 0" },
    { "min_duration_ms=900.5", "duration_us >= 900500" },
    { "min_tokens=70000", "total_tokens >= 70000" },
    { "min_tokens=0", "total_tokens >= 0" },
    { "min_cost=0.5", "cost_nano >= 500000000" },
    { "min_cost=100", "cost_nano >= 100000000000" },
    { "unpriced=1", "(cost_nano IS NULL AND (input_tokens IS NOT NULL"
                    " OR output_tokens IS NOT NULL) AND flags & 4 = 0)" },
    { "usage_missing=1", "(input_tokens IS NULL AND output_tokens IS NULL"
                         " AND status BETWEEN 200 AND 299"
                         " AND operation IN (1, 2, 3, 4))" },
    { "provider=p1", "provider = " OF(5, "p1") },
    { "model=m2", "(model = " OF(6, "m2") " OR over ->> '$.model' = 'm2')" },
    { "model=claude-7", "(model = " OF(6, "claude-7")
                        " OR over ->> '$.model' = 'claude-7')" },
    { "endpoint=/v1/chat/completions", "endpoint IS NOT NULL" },
    { "account=a1", "account = " OF(7, "a1") },
    { "user=u3", "(user IN (" OF(8, "u3") ", " OF(15, "u3") ")"
                 " OR over ->> '$.user' = 'u3')" },
    { "user=seldom", "user IN (" OF(8, "seldom") ", " OF(15, "seldom") ")" },
    { "ip=10.0.0.4", "client_ip = " OF(10, "10.0.0.4") },
    { "key=1111", "api_key IN " KEYS("1111%") },
    { "session=s-1", "session IN (SELECT id FROM session WHERE sid = 's-1')" },
    { "since=1762646400000", "id >= 1762646400000 << 21" },
    { "since=1762600000000", "id >= 1762600000000 << 21" },
    { "until=1762700000000", "id < 1762700000000 << 21" }
};

#define CONDITIONS  (sizeof(conditions) / sizeof(conditions[0]))


/* a value that only the row has is -1, none is 0 */

#define TEXT(column, name)  "coalesce(" column ", iif(over ->> '$." name "'"  \
                            " IS NULL, 0, -1))"
#define NAME                "(SELECT json_quote(value) || iif(kind = 15,"     \
                            " ',\"claimed\":true', '') FROM dict"             \
                            " WHERE id = v)"

static const struct {
    const char  *name;
    const char  *value;
    const char  *shown;
} facets[] = {
    { "model", TEXT("model", "model"), NAME },
    { "account", TEXT("account", "account_email"), NAME },
    { "provider", TEXT("provider", "provider"), NAME },
    { "status", "coalesce(status, 0)", "v" },
    { "endpoint", TEXT("endpoint", "endpoint"), NAME },
    { "user", TEXT("user", "user"), NAME }
};


static int  users = 9;


int
main(void)
{
    int      i;
    int64_t  n;

    srandom(23);

    if (!blocks_open(ROWS, FILL, add)) {
        return 1;
    }

    same("without blocks");

    ledger_blocks(END + LLM_DAY_MS);
    n = ledger_int("SELECT count(*) FROM block");
    ok(n == ROWS / FILL && ledger_int("SELECT sum(n) FROM block")
                           == ROWS / FILL * FILL,
       "%lld blocks", (long long) n);
    same("with blocks");

    /* of a time before records were deleted the ledger is not believed */

    (void) llm_db_exec(&ledger->db, "INSERT INTO meta VALUES ('cleared_ms',"
                       " 1 << 42)");
    ok(faceted("", "1"), "all rows by value");

    /* who looks at the rows sees them go */

    ok(llm_db_exec(&ledger->db, "CREATE TABLE aside AS SELECT * FROM log;"
                   "DELETE FROM log") == LLM_OK
       && counted("stream=1", "0") == 0
       && faceted("stream=1", "0") == 0
       && llm_db_exec(&ledger->db, "INSERT INTO log SELECT * FROM aside;"
                      "DROP TABLE aside") == LLM_OK
       && counted("stream=1", "stream = 1"), "and from them alone");

    /* codes that are missing are not those of the neighbour */

    ok(llm_db_exec(&ledger->db, "CREATE TABLE aside AS SELECT * FROM"
                   " block_codes WHERE id >> 40 = 8 AND id % 3 = 0;"
                   "DELETE FROM block_codes WHERE id IN (SELECT id FROM aside)")
       == LLM_OK
       && faceted("stream=1", "stream = 1")
       && llm_db_exec(&ledger->db, "INSERT INTO block_codes SELECT * FROM"
                      " aside; DROP TABLE aside") == LLM_OK,
       "or from the rows where blocks lack something");

    late(n);

    clear("status=401", 1000);
    same("cleared by filter");
    ledger_blocks(END + LLM_DAY_MS);
    same("cleared by filter, in blocks");

    reprice();
    same("other costs");
    ledger_blocks(END + LLM_DAY_MS);
    same("other costs, in blocks");

    /* the oldest go a few at a time: of what is left nothing is made */

    clear("until=1762650000000", 3);
    ledger_blocks(END + LLM_DAY_MS);
    ok(ledger_int("SELECT count(*) FROM log WHERE id < (SELECT min(first)"
                  " FROM block)") < FILL, "the oldest go");
    same("the oldest go");

    /* texts that found the dictionary full */

    (void) llm_db_exec(&ledger->db, "UPDATE log SET model = NULL, over ="
                       " '{\"model\":\"claude-7\"}' WHERE id % 97 = 0;"
                       "UPDATE log SET user = NULL, over ="
                       " '{\"user\":\"u3\"}' WHERE id % 89 = 0;"
                       "CREATE TABLE rest AS SELECT * FROM series"
                       " WHERE dim = 0;"
                       "UPDATE rest SET dim = 2, value = -1;"
                       "INSERT INTO series SELECT * FROM rest;"
                       "UPDATE rest SET dim = 5;"
                       "INSERT INTO series SELECT * FROM rest;"
                       "DELETE FROM block; DELETE FROM block_codes");

    llm_writer_close(ledger);
    ledger_open();
    ledger->blocks.fill = FILL;
    same("an older database");
    ledger_blocks(END + LLM_DAY_MS);
    ok(ledger_int("SELECT count(*) FROM block") > 10, "in the course of time");
    same("texts of their own");
    reported("texts of their own");

    /* bytes that are none of ours are as if they were not there */

    blocks_break(2);
    same("broken blocks");

    clear("", 1000);
    ok(ledger_int("SELECT (SELECT count(*) FROM block)") == 0
       && counted("stream=1", "0"), "nothing is left");

    /* more users than a list has */

    users = 400;
    ledger->blocks.fill = LLM_BLOCK_FILL;
    ledger_begin();

    for (i = 0; i < LLM_BLOCK_FILL; i++) {
        add(START + random() % SPAN);
    }

    ledger_commit();
    ledger_blocks(END + LLM_DAY_MS);
    ok(ledger_int("SELECT n FROM block") == LLM_BLOCK_FILL, "one of full size");
    same("one of full size");

    blocks_close();

    return done_testing();
}


/* Before a block is made of them, after that, and too many for one. */

static void
late(int64_t n)
{
    int  i;

    ledger_begin();

    for (i = 0; i < 20; i++) {
        add(START + SPAN / 2 + i * 1000);
    }

    llm_writer_rollback(ledger);
    same("a rollback");

    ledger_begin();

    for (i = 0; i < 20; i++) {
        add(START + SPAN / 2 + i * 1000);
    }

    for (i = 0; i < 3 * FILL; i++) {
        add(START + SPAN / 3 + i);
    }

    add(START - LLM_DAY_MS);
    add(END);
    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM block") < n, "late ones");
    same("late ones");
    ledger_blocks(END + LLM_DAY_MS);
    ok(ledger_int("SELECT count(*) FROM (SELECT until, lead(first)"
                  " OVER (ORDER BY first) AS next FROM block)"
                  " WHERE next IS NOT NULL AND next != until") == 0
       && ledger_int("SELECT max(n) FROM block") <= FILL * 10 / 9
       && ledger_int("SELECT count(*) FROM block AS b WHERE n != (SELECT"
                     " count(*) FROM log WHERE id >= b.first"
                     " AND id < b.until)") == 0,
       "no gap is left, and none has too many");
    same("late ones, in blocks");
    reported("late ones");
}


static void
add(int64_t ms)
{
    int           n;
    char          text[6][64];
    llm_record_t  r;

    n = (int) (random() % 7);

    ledger_record(&r, ms);

    r.num[LLM_N_STATUS] = (int[]) { 200, 200, 201, 200, 401, 503, 0 }[n];
    r.num[LLM_N_OUTCOME] = (int[]) { 1, 1, 1, 4, 6, 6, 2 }[n];
    r.num[LLM_N_OPERATION] = random() % 8 ? (int64_t) (random() % 6)
                                          : LLM_NULL;
    r.num[LLM_N_PROTOCOL] = n ? (int64_t) (random() % 4) : LLM_NULL;
    r.num[LLM_N_STREAM] = n == 3 ? LLM_NULL : (int64_t) (random() % 2);
    r.num[LLM_N_DURATION_US] = n == 5 ? LLM_NULL
                                      : (int64_t) (random() % 1000000);
    r.num[LLM_N_FLAGS] = random() % 8;
    r.num[LLM_N_USER_TRUSTED] = random() % 2;
    r.num[LLM_N_API_KEY_HASH] = 0x1111000000000000
                                + random() % 3 * 0x1111000000000000
                                + random() % 2;

    if (random() % 4) {
        r.num[LLM_N_INPUT_TOKENS] = random() % 50000;
        r.num[LLM_N_OUTPUT_TOKENS] = random() % 50000;
        r.num[LLM_N_TOTAL_TOKENS] = r.num[LLM_N_INPUT_TOKENS]
                                    + r.num[LLM_N_OUTPUT_TOKENS];
    }

    if (random() % 2) {
        r.num[LLM_N_COST_NANO] = random() % 1000000000;
    }

    snprintf(text[0], 64, random() % 300 ? "u%d" : "seldom",
             (int) (random() % users));
    snprintf(text[1], 64, "a%d", (int) (random() % 5));
    snprintf(text[2], 64, random() % 4 ? "m%d" : n ? "claude-%d"
                                                   : "x-gemini-%d",
             (int) (random() % 4));
    snprintf(text[3], 64, "p%d", (int) (random() % 3));
    snprintf(text[4], 64, "10.0.0.%d", (int) (random() % 20));
    snprintf(text[5], 64, "s-%d", (int) (random() % 3));

    if (n != 6) {
        ledger_text(&r, LLM_S_USER, text[0]);
        ledger_text(&r, LLM_S_ACCOUNT, text[1]);
        ledger_text(&r, LLM_S_MODEL, text[2]);
        ledger_text(&r, LLM_S_SESSION, text[5]);
    }

    if (n == 2) {
        ledger_text(&r, LLM_S_METHOD, "GET");
    }

    if (n == 6 && random() % 2) {
        r.num[LLM_N_STATUS] = LLM_NULL;
    }

    ledger_text(&r, LLM_S_PROVIDER, text[3]);
    ledger_text(&r, LLM_S_CLIENT_IP, text[4]);

    ledger_add(&r, LLM_WRITE_ROW);
}


/* each condition alone, then up to three of them */

static void
same(const char *when)
{
    int     good, n;
    char    query[512], rows[4096];
    size_t  i, k, chosen;

    good = 1;

    for (i = 0; i < CONDITIONS + CHOSEN; i++) {
        n = i < CONDITIONS ? 1 : 2 + (int) (random() % 2);
        query[0] = '\0';
        strcpy(rows, "1");

        for (k = 0; (int) k < n; k++) {
            chosen = i < CONDITIONS ? i : (size_t) random() % CONDITIONS;

            /* a parameter is given once */

            if (number(query, conditions[chosen].query) != -1) {
                continue;
            }

            strcat(query, query[0] ? "&" : "");
            strcat(query, conditions[chosen].query);
            strcat(rows, " AND ");
            strcat(rows, conditions[chosen].rows);
        }

        if (!counted(query, rows) || !paged(query, rows, 0)
            || !paged(query, rows, 1)
            || (i % 2 == 0 && !faceted(query, rows)))
        {
            printf("# %s\n", query);
            good = 0;
        }
    }

    ok(good, "%s: blocks and rows say the same", when);
}


/* where in a query the parameter of a condition is, or -1 */

static int64_t
number(const char *text, const char *name)
{
    char    param[64];
    size_t  n;

    n = strcspn(name, "=") + 1;

    memcpy(param, name, n);
    param[n] = '\0';

    return strstr(text, param) != NULL ? strstr(text, param) - text : -1;
}


static int
counted(const char *query, const char *rows)
{
    char     sql[8192];
    int64_t  n, want;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM log WHERE %s", rows);

    want = ledger_int(sql);
    n = ask_count(reader, query, END);

    if (n != want) {
        printf("# counted %lld, not %lld\n", (long long) n, (long long) want);
    }

    return n == want;
}


/* the first pages, each by the cursor of the one before */

static int
paged(const char *query, const char *rows, int ascending)
{
    int                i, n, got, page;
    char               whole[1024], cursor[64];
    char              *p, *next;
    int64_t            ids[4 * PAGE];
    llm_buf_t          out;
    llm_filter_t      *f;
    llm_query_error_t  err;

    n = ids_of(rows, ascending, ids);
    got = 0;
    cursor[0] = '\0';

    for (page = 0; page < 4; page++) {
        snprintf(whole, sizeof(whole), "%s&total=0&limit=%d&order=%s%s%s",
                 query, PAGE, ascending ? "asc" : "desc",
                 cursor[0] ? "&cursor=" : "", cursor);

        f = filter(whole, LLM_FOR_LIST);
        llm_buf_init(&out, 1024 * 1024);

        if (llm_query_list(reader, f, 60000, &out, &err) != LLM_OK) {
            printf("# %s\n", err.message);
            return 0;
        }

        llm_buf_add(&out, "", 1);
        p = (char *) out.data;
        next = strstr(p, "\"next\":\"");

        cursor[0] = '\0';

        if (next != NULL) {
            snprintf(cursor, LLM_FILTER_CURSOR + 1, "%s", next + 8);
        }

        for (i = 0; (p = strstr(p, "{\"id\":\"")) != NULL; i++) {
            p += 7;

            if (got >= n || strtoll(p, NULL, 10) != ids[got]) {
                printf("# page %d, row %d: %lld\n", page, i,
                       strtoll(p, NULL, 10));
                return 0;
            }

            got++;
        }

        llm_filter_free(f);
        llm_buf_free(&out);

        if (cursor[0] == '\0') {
            break;
        }
    }

    if (got != n) {
        printf("# %d rows, not %d\n", got, n);
    }

    return got == n;
}


/* of all, or of what one of two scopes lets one see */

static int
faceted(const char *query, const char *rows)
{
    int                good;
    char               all[1024], narrow[8192];
    const char        *said;
    llm_buf_t          out, want;
    llm_filter_t      *f;
    llm_query_error_t  err;

    snprintf(all, sizeof(all), "%s&limit=1000", query);
    f = filter(query[0] ? all : all + 1, LLM_FOR_FACETS);
    llm_buf_init(&out, 1024 * 1024);
    llm_buf_init(&want, 1024 * 1024);

    snprintf(narrow, sizeof(narrow), "%s AND %s", rows,
             query[0] ? scoped(&f) : "1");

    good = llm_facets(reader, f, 60000, &out, &err) == LLM_OK
           && facets_of(narrow, &want) == LLM_OK;

    if (!good) {
        printf("# %s\n", err.message);

    } else {
        llm_buf_add(&out, "", 1);

        /* by time alone they are of whole quarter-hours */

        said = strstr((char *) out.data, "\"total\":");
        good = (query[0] && strstr((char *) out.data, "\"log\"") == NULL)
               || strcmp(said, (char *) want.data) == 0;

        if (!good) {
            printf("# %s\n# not %s\n", said, (char *) want.data);
        }
    }

    llm_filter_free(f);
    llm_buf_free(&out);
    llm_buf_free(&want);

    return good;
}


static int
facets_of(const char *rows, llm_buf_t *out)
{
    int            rc;
    char           sql[16384];
    size_t         i;
    sqlite3_stmt  *st;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM log WHERE %s", rows);

    llm_buf_text(out, "\"total\":");
    llm_buf_int(out, ledger_int(sql));

    for (i = 0; i < sizeof(facets) / sizeof(facets[0]); i++) {
        snprintf(sql, sizeof(sql),
                 "WITH g AS MATERIALIZED (SELECT %s AS v, count(*) AS n"
                 " FROM log WHERE %s GROUP BY v), o AS (SELECT '{\"name\":' ||"
                 " %s || ',\"requests\":' || n || '}' AS text FROM g"
                 " WHERE v > 0 ORDER BY n DESC, v) SELECT ',\"%s\":"
                 "{\"distinct\":' || (SELECT count(*) FROM o) ||"
                 " ',\"values\":[' || (SELECT coalesce(group_concat(text), '')"
                 " FROM o) || '],\"none\":' || coalesce((SELECT n FROM g"
                 " WHERE v = 0), 0) || ',\"other\":' || coalesce((SELECT n"
                 " FROM g WHERE v = -1), 0) || '}'",
                 facets[i].value, rows, facets[i].shown, facets[i].name);

        if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL)
            != SQLITE_OK)
        {
            abort();
        }

        rc = sqlite3_step(st);
        llm_buf_text(out, rc == SQLITE_ROW
                          ? (const char *) sqlite3_column_text(st, 0) : "");
        sqlite3_finalize(st);
    }

    llm_buf_add(out, "}", 2);

    return out->failed;
}


/* mostly none; its condition */

static const char *
scoped(llm_filter_t **f)
{
    const llm_str_t  user = llm_str("u3"), account = llm_str("a1");

    switch (random() % 6) {

    case 0:
        (void) llm_filter_scope(f, LLM_SCOPE_USER, &user);
        return "user_trusted = 1 AND (user = " OF(8, "u3")
               " OR over ->> '$.user' = 'u3')";

    case 1:
        (void) llm_filter_scope(f, LLM_SCOPE_ACCOUNT, &account);
        return "(account = " OF(7, "a1")
               " OR over ->> '$.account_email' = 'a1')";

    default:
        return "1";
    }
}


/* Statistics of a scope find its rows by blocks, and the same ones without. */

static void
reported(const char *when)
{
    llm_buf_t  with, without, wrong;

    llm_buf_init(&with, 1024 * 1024);
    llm_buf_init(&without, 1024 * 1024);
    llm_buf_init(&wrong, 1024 * 1024);

    ok(report(&with) == LLM_OK
       && llm_db_exec(&ledger->db, "CREATE TABLE aside AS SELECT * FROM block;"
                      "CREATE TABLE users AS SELECT * FROM block_codes"
                      " WHERE id >> 40 = 11;"
                      "UPDATE block_codes SET data = zeroblob(length(data))"
                      " WHERE id >> 40 = 11") == LLM_OK
       && report(&wrong) == LLM_OK
       && llm_db_exec(&ledger->db, "DELETE FROM block") == LLM_OK
       && report(&without) == LLM_OK
       && llm_db_exec(&ledger->db, "INSERT INTO block SELECT * FROM aside;"
                      "REPLACE INTO block_codes SELECT * FROM users;"
                      "DROP TABLE aside; DROP TABLE users") == LLM_OK
       && strcmp((char *) with.data, (char *) without.data) == 0
       && strcmp((char *) with.data, (char *) wrong.data) != 0,
       "%s: statistics of a scope", when);

    llm_buf_free(&with);
    llm_buf_free(&without);
    llm_buf_free(&wrong);
}


static int
report(llm_buf_t *out)
{
    int                rc;
    size_t             i;
    llm_str_t          query;
    llm_report_t      *r;
    llm_query_error_t  err;
    const llm_str_t    user = llm_str("u3");

    static const struct {
        int          what;
        const char  *query;
    } asked[] = {
        { LLM_REPORT_STATS, "bucket=day&by=status" },
        { LLM_REPORT_STATS, "bucket=hour&by=endpoint&since=-40h" },
        { LLM_REPORT_LEADERBOARD, "by=ip&period=all" },
        { LLM_REPORT_AVAILABILITY, "range=24h&by=provider" },
        { LLM_REPORT_SUMMARY, "" }
    };

    rc = LLM_OK;

    for (i = 0; i < sizeof(asked) / sizeof(asked[0]) && rc == LLM_OK; i++) {
        query.data = (const uint8_t *) asked[i].query;
        query.len = strlen(asked[i].query);

        if (llm_report_parse(&r, &query, asked[i].what, END, &err) != LLM_OK
            || llm_report_scope(r, LLM_SCOPE_USER, &user, &err) != LLM_OK)
        {
            printf("# %s: %s\n", asked[i].query, err.message);
            return LLM_ERROR;
        }

        rc = llm_report_run(reader, r, 60000, out, &err);
        llm_report_free(r);
    }

    llm_buf_add(out, "", 1);

    return rc;
}


static int
ids_of(const char *rows, int ascending, int64_t *ids)
{
    int            n;
    char           sql[8192];
    sqlite3_stmt  *st;

    snprintf(sql, sizeof(sql), "SELECT id FROM log WHERE %s ORDER BY id %s"
             " LIMIT %d", rows, ascending ? "ASC" : "DESC", 4 * PAGE);

    if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL)
        != SQLITE_OK)
    {
        abort();
    }

    for (n = 0; sqlite3_step(st) == SQLITE_ROW; n++) {
        ids[n] = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return n;
}


static llm_filter_t *
filter(const char *query, int what)
{
    llm_str_t          s;
    llm_filter_t      *f;
    llm_query_error_t  err;

    s.data = (const uint8_t *) query;
    s.len = strlen(query);

    if (llm_filter_parse(&f, &s, what, END, &err) != LLM_OK) {
        printf("# %s: %s\n", query, err.message);
        abort();
    }

    return f;
}


/* so many slices, or all */

static void
clear(const char *query, int slices)
{
    int           rc;
    llm_purge_t   p;
    llm_where_t  *where;
    llm_filter_t *f;

    f = filter(query, LLM_FOR_COUNT);

    if (llm_where_create(&where, ledger->db.handle, f) != LLM_OK) {
        abort();
    }

    llm_purge_init(&p);
    p.where = where;
    p.seq = INT64_MAX;

    do {
        rc = llm_purge_rows(ledger, &p);
    } while (rc == LLM_OK && --slices > 0);

    ok(rc != LLM_ERROR && p.deleted > 0, "%lld rows go",
       (long long) p.deleted);

    llm_where_free(where);
    llm_filter_free(f);
}


/* by a table that knows some of the models */

static void
reprice(void)
{
    int                  rc;
    llm_purge_t          p;
    llm_price_error_t    err;
    llm_price_table_t   *table;
    llm_price_finder_t  *finder;

    static const llm_str_t  name = llm_str("own");
    static const llm_str_t  text =
        llm_str("[{\"id\":\"x\",\"model_match\":{\"starts_with\":\"m\"},"
                "\"models\":[{\"id\":\"m\",\"match\":{\"equals\":\"m2\"},"
                "\"prices\":{\"input_mtok\":10,\"output_mtok\":20}}]}]");

    if (llm_price_read(&table, &text, &name, &mem, &err) != LLM_OK) {
        printf("# %s\n", err.text);
        abort();
    }

    finder = llm_price_finder(table);

    llm_purge_init(&p);
    p.seq = INT64_MAX;

    do {
        rc = llm_reprice_rows(ledger, &p, finder);
    } while (rc == LLM_OK);

    ok(rc == LLM_AGAIN && p.deleted > 0
       && ledger_int("SELECT count(*) FROM log WHERE cost_nano > 0") > 0,
       "%lld costs change", (long long) p.deleted);

    llm_price_finder_free(finder);
    llm_price_free(table);
}
