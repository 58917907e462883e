
/*
 * Copyright (C) llm_monitor contributors
 *
 * Lists by another order than that of time: the pages of blocks are those of a
 * sort of all rows, for random filters, orders and sizes, cursor by cursor to
 * the end, whatever becomes of the rows, and also between two pages.
 */


#include "ask.h"
#include "blocks.h"
#include "../../ngx_http_llm_monitor_module/store/llm_page.h"


#define ROWS     4000
#define FILL     400
#define MOST     (2 * ROWS)
#define CHOSEN   24                      /* walks each time */


static void add(int64_t ms);
static void late(int n);
static void removed(const char *rows);
static void again(int rows);
static void same(const char *when);
static int walked(const char *query, const char *rows, int sort,
    int ascending, size_t pages);
static size_t sorted(const char *rows, int sort, int ascending);
static int paged(llm_filter_t *f, llm_page_t *page);
static llm_filter_t *asked(const char *query, int sort, int ascending,
    size_t limit);
static void test_heads(void);
static void test_older(void);
static void test_meanwhile(int sort, int ascending);


static const struct {
    const char  *name;
    const char  *column;
} sorts[] = {
    { "duration_ms", "duration_us" },
    { "total_tokens", "total_tokens" },
    { "cost_usd", "cost_nano" },
    { "status", "status" },
    { "ttft_ms", "ttft_us" }
};

#define SORTS  (int) (sizeof(sorts) / sizeof(sorts[0]))


static const struct {
    const char  *query;
    const char  *rows;
} conditions[] = {
    { "", "1" },
    { "status=200", "status = 200" },
    { "status=4xx", "status BETWEEN 400 AND 499" },
    { "errors_only=1", "failed = 1" },
    { "stream=1", "stream = 1" },
    { "user=u7", "(user IN (" OF(8, "u7") ", " OF(15, "u7") ")"
                 " OR over ->> '$.user' = 'u7')" },
    { "user=nobody", "0" },
    { "account=a1", "account = " OF(7, "a1") },
    { "model=m2", "model = " OF(6, "m2") },
    { "min_duration_ms=900", "duration_us >= 900000" },
    { "min_tokens=70000", "total_tokens >= 70000" },
    { "min_cost=0.5", "cost_nano >= 500000000" },
    { "since=1762646400000", "id >= 1762646400000 << 21" },
    { "until=1762700000000", "id < 1762700000000 << 21" }
};

#define CONDITIONS  (sizeof(conditions) / sizeof(conditions[0]))


static const char     *table = "log";
static llm_top_row_t   want[MOST];


int
main(void)
{
    int  i;

    srandom(31);

    if (!blocks_open(ROWS, FILL, add)) {
        return 1;
    }

    same("without blocks");

    ledger_blocks(END + LLM_DAY_MS);
    ok(ledger_int("SELECT count(*) FROM block") == ROWS / FILL, "blocks");
    same("with blocks");

    test_heads();
    test_older();

    late(30);
    ok(ledger_int("SELECT count(*) FROM block") < ROWS / FILL, "late ones");
    same("late ones");
    ledger_blocks(END + LLM_DAY_MS);
    same("late ones, in blocks");

    removed("status = 401 OR id % 13 = 0");
    same("some are gone");
    ledger_blocks(END + LLM_DAY_MS);
    same("some are gone, in blocks");

    for (i = 0; i < SORTS; i++) {
        test_meanwhile(i, 0);
        test_meanwhile(i, 1);
    }

    ledger_blocks(END + LLM_DAY_MS);

    /* texts that found the dictionary full */

    (void) llm_db_exec(&ledger->db, "UPDATE log SET user = NULL, over ="
                       " '{\"user\":\"u7\"}' WHERE id / 7 % 400 = 0");
    again(FILL);
    same("texts of their own");

    blocks_break(3);
    same("broken blocks");

    again(FILL / 10);
    ok(ledger_int("SELECT count(*) FROM block") > 64, "many blocks");
    same("many blocks");

    removed("1");
    same("nothing is left");

    blocks_close();

    return done_testing();
}


/* Values of all kinds: none, some that many rows have, some of their own. */

static void
add(int64_t ms)
{
    int           n;
    char          text[3][64];
    llm_record_t  r;

    n = (int) (random() % 20);

    ledger_record(&r, ms);

    r.num[LLM_N_STATUS] = n < 13 ? 200 : (int[]) { 201, 401, 401, 429, 503, 0,
                                                   200 }[n - 13];
    r.num[LLM_N_OUTCOME] = n < 14 ? 1 : 6;
    r.num[LLM_N_STREAM] = n % 2;

    if (n != 5) {
        r.num[LLM_N_DURATION_US] = n % 4 ? (int64_t) (random() % 1000000)
                                         : (int64_t) (random() % 4) * 300000;
    }

    if (n < 17) {
        r.num[LLM_N_INPUT_TOKENS] = n % 4 ? (int64_t) (random() % 50000) : 7;
        r.num[LLM_N_OUTPUT_TOKENS] = n % 4 ? (int64_t) (random() % 50000) : 3;
        r.num[LLM_N_TOTAL_TOKENS] = r.num[LLM_N_INPUT_TOKENS]
                                    + r.num[LLM_N_OUTPUT_TOKENS];
        r.num[LLM_N_COST_NANO] = n == 1 ? 0 : random() % 1000000000;
    }

    if (n % 2) {
        r.num[LLM_N_TTFT_US] = random() % 500000;
    }

    snprintf(text[0], 64, "u%d", (int) (random() % 600));
    snprintf(text[1], 64, "a%d", (int) (random() % 5));
    snprintf(text[2], 64, "m%d", (int) (random() % 4));

    ledger_text(&r, LLM_S_USER, text[0]);
    ledger_text(&r, LLM_S_ACCOUNT, text[1]);
    ledger_text(&r, LLM_S_MODEL, text[2]);

    ledger_add(&r, LLM_WRITE_ROW);
}


static void
late(int n)
{
    int  i;

    ledger_begin();

    for (i = 0; i < n; i++) {
        add(START + SPAN / 4 + random() % (SPAN / 5));
    }

    add(END);
    ledger_commit();
}


static void
removed(const char *rows)
{
    char           sql[256];
    sqlite3_stmt  *st;

    ledger_begin();

    snprintf(sql, sizeof(sql), "SELECT id FROM log WHERE %s", rows);

    if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL)
        != SQLITE_OK)
    {
        abort();
    }

    while (sqlite3_step(st) == SQLITE_ROW) {

        if (llm_blocks_touch(&ledger->blocks, sqlite3_column_int64(st, 0))
            != LLM_OK)
        {
            abort();
        }
    }

    sqlite3_finalize(st);

    snprintf(sql, sizeof(sql), "DELETE FROM log WHERE %s", rows);

    if (llm_db_exec(&ledger->db, sql) != LLM_OK) {
        abort();
    }

    ledger_commit();
}


/* All blocks anew, of so many rows. */

static void
again(int rows)
{
    (void) llm_db_exec(&ledger->db,
                       "DELETE FROM block; DELETE FROM block_codes");

    llm_writer_close(ledger);
    ledger_open();
    ledger->blocks.fill = rows;
    ledger_blocks(END + LLM_DAY_MS);
}


/* each order without a filter, then with up to three conditions */

static void
same(const char *when)
{
    int     good, i, n, sort, ascending;
    char    query[512], rows[2048], name[64];
    size_t  chosen;

    good = 1;

    for (i = 0; i < 2 * SORTS + CHOSEN; i++) {
        n = i < 2 * SORTS ? 0 : 1 + (int) (random() % 3);
        sort = i % SORTS;
        ascending = i / SORTS % 2;

        query[0] = '\0';
        strcpy(rows, "1");

        while (n-- > 0) {
            chosen = 1 + (size_t) random() % (CONDITIONS - 1);
            snprintf(name, sizeof(name), "&%.*s=",
                     (int) strcspn(conditions[chosen].query, "="),
                     conditions[chosen].query);

            /* a parameter is given once */

            if (strstr(query, name) != NULL) {
                continue;
            }

            strcat(query, "&");
            strcat(query, conditions[chosen].query);
            strcat(rows, " AND ");
            strcat(rows, conditions[chosen].rows);
        }

        if (!walked(query, rows, sort, ascending, 1 + random() % 9)) {
            printf("# %s %s%s\n", sorts[sort].name, ascending ? "up" : "down",
                   query);
            good = 0;
        }
    }

    ok(good, "%s: the orders of all rows", when);
}


/* in about so many pages */

static int
walked(const char *query, const char *rows, int sort, int ascending,
    size_t pages)
{
    size_t         i, n, seen;
    llm_page_t     page;
    llm_filter_t  *f;

    n = sorted(rows, sort, ascending);
    f = asked(query, sort, ascending, n / pages + 1);
    seen = 0;

    do {
        if (!paged(f, &page)) {
            llm_filter_free(f);
            return 0;
        }

        for (i = page.first; i < page.n && seen < n; i++, seen++) {

            if (page.rows[i].id != want[seen].id
                || page.rows[i].value != want[seen].value)
            {
                printf("# row %d is %lld of %lld, not %lld of %lld\n",
                       (int) seen, (long long) page.rows[i].value,
                       (long long) page.rows[i].id,
                       (long long) want[seen].value,
                       (long long) want[seen].id);
                n = 0;
            }
        }

        if (i != page.n) {
            n = 0;
        }

        if (page.n != 0) {
            f->num[LLM_F_CURSOR_ID] = page.rows[page.n - 1].id;
            f->num[LLM_F_CURSOR_VALUE] = page.rows[page.n - 1].value;
        }

        llm_page_free(&page);
    } while (page.more && seen < n);

    llm_filter_free(f);

    if (seen != n || page.more) {
        printf("# %d rows, not %d\n", (int) seen, (int) n);
        return 0;
    }

    return 1;
}


/* All rows of a condition, into want. */

static size_t
sorted(const char *rows, int sort, int ascending)
{
    char           sql[4096];
    size_t         n;
    sqlite3_stmt  *st;

    snprintf(sql, sizeof(sql), "SELECT id, %s AS v FROM %s WHERE %s"
             " ORDER BY v IS NULL, v %s, id %s", sorts[sort].column, table,
             rows, ascending ? "" : "DESC", ascending ? "" : "DESC");

    if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL)
        != SQLITE_OK)
    {
        printf("# %s\n", sql);
        abort();
    }

    for (n = 0; n < MOST && sqlite3_step(st) == SQLITE_ROW; n++) {
        want[n].id = sqlite3_column_int64(st, 0);
        want[n].value = sqlite3_column_type(st, 1) == SQLITE_NULL
                            ? LLM_NULL : sqlite3_column_int64(st, 1);
    }

    sqlite3_finalize(st);

    return n;
}


static int
paged(llm_filter_t *f, llm_page_t *page)
{
    int                good;
    llm_where_t       *w;
    llm_query_error_t  err;

    memset(page, 0, sizeof(llm_page_t));

    if (llm_reader_begin(reader, 0, &err) != LLM_OK
        || llm_where_create(&w, reader->db, f) != LLM_OK)
    {
        abort();
    }

    good = llm_page_find(reader, w, f, page) == LLM_OK && !page->partial;

    llm_where_free(w);
    llm_reader_end(reader);

    return good;
}


static llm_filter_t *
asked(const char *query, int sort, int ascending, size_t limit)
{
    char               text[1024];
    llm_str_t          s;
    llm_filter_t      *f;
    llm_query_error_t  err;

    s.len = (size_t) snprintf(text, sizeof(text), "sort=%s&order=%s&limit=%d%s",
                              sorts[sort].name, ascending ? "asc" : "desc",
                              limit < 1000 ? (int) limit : 1000, query);
    s.data = (const uint8_t *) text;

    if (llm_filter_parse(&f, &s, LLM_FOR_LIST, END, &err) != LLM_OK) {
        printf("# %s: %s\n", text, err.message);
        abort();
    }

    return f;
}


/* Without the rows; then with none but the block that has the first one. */

static void
test_heads(void)
{
    int            i;
    llm_page_t     page;
    llm_filter_t  *f;

    table = "aside";
    (void) llm_db_exec(&ledger->db, "CREATE TABLE aside AS SELECT * FROM log;"
                       "DELETE FROM log");

    for (i = 0; i < SORTS; i++) {
        ok(walked("", "1", i, 0, 5) && walked("", "1", i, 1, 5)
           && walked("&stream=1", "stream = 1", i, 0, 3),
           "%s is of blocks alone", sorts[i].name);
    }

    (void) llm_db_exec(&ledger->db, "CREATE TABLE codes AS SELECT * FROM"
                       " block_codes; DELETE FROM block_codes WHERE"
                       " id & 0xffffffffff NOT IN (SELECT slot FROM block,"
                       " (SELECT id FROM aside ORDER BY duration_us DESC,"
                       " id DESC LIMIT 2) WHERE id >= first AND id < until)");

    f = asked("", 0, 0, 1);

    ok(sorted("1", 0, 0) == ROWS && paged(f, &page) && page.n == 1
       && page.more && page.rows[0].id == want[0].id,
       "and of those that have the first rows");

    llm_page_free(&page);
    llm_filter_free(f);

    table = "log";
    (void) llm_db_exec(&ledger->db, "INSERT INTO log SELECT * FROM aside;"
                       "DELETE FROM block_codes;"
                       "INSERT INTO block_codes SELECT * FROM codes;"
                       "DROP TABLE aside; DROP TABLE codes");
}


/* Blocks of a column less, whose heads do not say the second smallest value. */

static void
test_older(void)
{
    int64_t  n, rows;

    n = ledger_int("SELECT count(*) FROM block");
    rows = ledger_int("SELECT sum(n) FROM block");

    (void) llm_db_exec(&ledger->db, "UPDATE block SET heads ="
                       " CAST(x'24' || substr(heads, 2) AS BLOB)");
    llm_writer_close(ledger);
    ledger_open();
    ledger->blocks.fill = FILL;

    same("an older version's");

    ledger_blocks(END + LLM_DAY_MS);

    ok(ledger_int("SELECT count(*) FROM block WHERE heads >= x'26'") == n
       && ledger_int("SELECT sum(n) FROM block") == rows
       && ledger_int("SELECT count(DISTINCT id >> 40) FROM block_codes")
          > LLM_SIFT_COLUMNS / 2
       && ledger_int("SELECT count(*) FROM block_codes WHERE id &"
                     " 0xffffffffff NOT IN (SELECT slot FROM block)") == 0,
       "are made anew");
    same("made anew");
}


/*
 * Rows come and go between the pages: those that stay are seen once, in their
 * order.
 */

static void
test_meanwhile(int sort, int ascending)
{
    int            good;
    char           rows[64];
    size_t         i, k, n, seen;
    int64_t        stays;
    llm_page_t     page;
    llm_filter_t  *f;

    static llm_top_row_t  had[MOST];

    stays = ledger_int("SELECT max(seq) FROM log");
    f = asked("", sort, ascending, 300);
    seen = 0;

    while (paged(f, &page) && seen + page.n <= MOST) {
        memcpy(&had[seen], page.rows, page.n * sizeof(llm_top_row_t));
        seen += page.n;

        llm_page_free(&page);

        if (!page.more) {
            break;
        }

        f->num[LLM_F_CURSOR_ID] = had[seen - 1].id;
        f->num[LLM_F_CURSOR_VALUE] = had[seen - 1].value;

        snprintf(rows, sizeof(rows), "id %% 1000 = %d",
                 (int) (random() % 1000));
        removed(rows);
        late(3);

        if (random() % 3 == 0) {
            ledger_blocks(END + LLM_DAY_MS);
        }
    }

    llm_filter_free(f);

    /* all of them that were there from the beginning */

    snprintf(rows, sizeof(rows), "seq <= %lld", (long long) stays);

    n = sorted(rows, sort, ascending);
    good = (n > 100);

    for (i = 0, k = 0; i < n && good; i++, k++) {

        while (k < seen && had[k].id != want[i].id) {
            k++;
        }

        good = (k < seen);
    }

    for (i = 1; i < seen && good; i++) {
        good = llm_top_before(ascending, &had[i - 1], &had[i]);
    }

    ok(good, "%s %s, while rows come and go: %d of %d", sorts[sort].name,
       ascending ? "up" : "down", (int) seen, (int) n);
}
