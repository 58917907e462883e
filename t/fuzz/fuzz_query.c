
/*
 * Copyright (C) llm_monitor contributors
 *
 * A query string is refused, or its filter survives being packed, and its
 * condition is SQL that finds the rows that a naive reader of the filter finds;
 * what the query says is a value there, never a part of the statement.
 */


#include <sqlite3.h>
#include <stdio.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/record/llm_text.h"
#include "../../ngx_http_llm_monitor_module/store/llm_schema.h"
#include "../../ngx_http_llm_monitor_module/store/llm_where.h"


#define NOW    1795249800250
#define PACK   65536
#define STEPS  100000        /* instructions of SQLite that no filter needs */
#define ROWS   60

#define array_size(a)  (int) (sizeof(a) / sizeof((a)[0]))


/* texts of a row, and its session */

enum {
    METHOD = 0, URL, MODEL, MAPPED, ACCOUNT, USER, IP, PROVIDER, ENDPOINT, KEY,
    TEXTS
};

typedef struct {
    const char    *text[TEXTS];       /* NULL: not known */
    const char    *session;
    uint64_t       session_key;
    llm_record_t   r;                 /* numbers only */
    int64_t        ms;
} row_t;


static const struct {
    const char  *column;
    const char  *name;                /* in the column `over` */
    int          kind;
    const char  *value[6];
} texts[TEXTS] = {
    { "method", "method", LLM_DICT_METHOD, { "POST", "GET", "POST" } },
    { "url", "url", LLM_DICT_URL,
      { "/v1/chat/completions", "/a%b_c\\?key=***", "/V1/Messages" } },
    { "model", "model", LLM_DICT_MODEL,
      { "gpt-4o", "Claude-3", "x-GEMINI-pro", "m", "o'x\"" } },
    { "mapped_model", "mapped_model", LLM_DICT_MODEL, { "gpt-4o", "100%" } },
    { "account", "account_email", LLM_DICT_ACCOUNT,
      { "a@b", "A@B", "\xc3\xbc@x_y" } },
    { "user", "user", LLM_DICT_USER, { "u", "a@b", "401" } },
    { "client_ip", "client_ip", LLM_DICT_IP, { "::1", "10.0.0.1" } },
    { "provider", "provider", LLM_DICT_PROVIDER, { "p", "openai" } },
    { "endpoint", "endpoint", LLM_DICT_ENDPOINT, { "chat", "/v1/messages" } },
    { "api_key", "api_key", LLM_DICT_KEY,
      { "ab12345678901234wxyz", "800000000000000012", "ab12ffffffffffff",
        "ffff000000000000\xc3\xbc" "123" } }
};

static const char  *sessions[] = { "s", "s~0001", "S%", NULL, "a_b" };

static const uint64_t  session_keys[] = { 0, 1, 0xab12345678901234 };

static const struct {
    int          n;
    int64_t      value[7];
} nums[] = {
    { LLM_N_STATUS, { 200, 401, LLM_NULL, 499, 500, 302, 101 } },
    { LLM_N_OUTCOME, { LLM_OUTCOME_SUCCESS, LLM_OUTCOME_HTTP_ERROR,
                       LLM_OUTCOME_CLIENT_ABORT, LLM_OUTCOME_TIMEOUT,
                       LLM_NULL, LLM_OUTCOME_EMPTY, LLM_OUTCOME_SUCCESS } },
    { LLM_N_OPERATION, { LLM_OPERATION_CHAT, LLM_NULL, LLM_OPERATION_IMAGE,
                         LLM_OPERATION_EMBEDDINGS, LLM_OPERATION_OTHER,
                         LLM_OPERATION_RESPONSES, LLM_OPERATION_AUDIO } },
    { LLM_N_PROTOCOL, { LLM_PROTOCOL_OPENAI, LLM_PROTOCOL_GEMINI,
                        LLM_PROTOCOL_ANTHROPIC, LLM_NULL,
                        LLM_PROTOCOL_UNKNOWN, LLM_PROTOCOL_OPENAI, LLM_NULL } },
    { LLM_N_STREAM, { 1, 0, LLM_NULL, 1, 0, 1, 1 } },
    { LLM_N_DURATION_US, { 1500, 0, LLM_NULL, 1499, 2000000, 5, 70000 } },
    { LLM_N_TOTAL_TOKENS, { 7, LLM_NULL, 6, 0, 1000000, 8, 12 } },
    { LLM_N_INPUT_TOKENS, { 5, LLM_NULL, LLM_NULL, 0, 900000, 4, 6 } },
    { LLM_N_OUTPUT_TOKENS, { 2, LLM_NULL, 6, LLM_NULL, 100000, 4, 6 } },
    { LLM_N_COST_NANO, { 1000000, LLM_NULL, 999999, 0, LLM_NULL, 1, 5 } },
    { LLM_N_FLAGS, { LLM_NULL, 0, LLM_RECORD_NO_SUMS, LLM_NULL,
                     LLM_RECORD_CACHED, LLM_NULL, 0 } },
    { LLM_N_USER_TRUSTED, { 1, 0, LLM_NULL, 1, 0, 1, 1 } }
};

static sqlite3  *db;
static row_t     rows[ROWS];


static int
too_long(void *data)
{
    abort();
}


/* Runs a statement of two numbers and a text; what it says, or 0. */

static int64_t
sql(const char *text, int64_t a, int64_t b, const char *c)
{
    int64_t        v;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK) {
        abort();
    }

    if (a == LLM_NULL) {
        (void) sqlite3_bind_null(stmt, 1);

    } else {
        (void) sqlite3_bind_int64(stmt, 1, a);
    }

    (void) sqlite3_bind_int64(stmt, 2, b);
    (void) sqlite3_bind_text(stmt, 3, c, -1, SQLITE_STATIC);

    v = (sqlite3_step(stmt) == SQLITE_ROW) ? sqlite3_column_int64(stmt, 0) : 0;

    if (sqlite3_finalize(stmt) != SQLITE_OK) {
        abort();
    }

    return v;
}


/* a text is in the dictionary, or in the row itself */

static void
insert_text(int64_t id, const char *column, const char *name, int kind,
    const char *value, int over)
{
    char     buf[256];
    int64_t  n;

    if (over) {
        snprintf(buf, sizeof(buf), "UPDATE log SET over = json_set("
                 "coalesce(over, '{}'), '$.%s', ?3) WHERE id = ?2", name);
        (void) sql(buf, 0, id, value);
        return;
    }

    (void) sql("INSERT OR IGNORE INTO dict (kind, value, used, counted)"
               " VALUES (?2, ?3, 0, 0)", 0, kind, value);
    n = sql("SELECT id FROM dict WHERE kind = ?2 AND value = ?3", 0, kind,
            value);

    snprintf(buf, sizeof(buf), "UPDATE log SET %s = ?1 WHERE id = ?2", column);
    (void) sql(buf, n, id, NULL);
}


static void
insert_session(int64_t id, const row_t *row, int over)
{
    char     digits[20];
    int64_t  n;

    if (over) {
        snprintf(digits, sizeof(digits), "%016llx",
                 (unsigned long long) row->session_key);

        insert_text(id, NULL, "session_id", 0, row->session, 1);
        insert_text(id, NULL, "session_key", 0, digits, 1);
        return;
    }

    (void) sql("INSERT OR IGNORE INTO session (sid, key_hash, source,"
               " first_ms, last_ms) VALUES (?3, ?2, 1, 0, 0)", 0,
               (int64_t) row->session_key, row->session);
    n = sql("SELECT id FROM session WHERE sid = ?3 AND key_hash = ?2", 0,
            (int64_t) row->session_key, row->session);
    (void) sql("UPDATE log SET session = ?1 WHERE id = ?2", n, id, NULL);
}


static void
insert(int i)
{
    int       n, kind, over;
    char      buf[256];
    row_t    *row;
    int64_t   id;

    row = &rows[i];
    row->ms = NOW - 1000 * i * i;
    id = row->ms << LLM_ID_SHIFT | i;

    llm_record_init(&row->r);

    for (n = 0; n < array_size(nums); n++) {
        row->r.num[nums[n].n] = nums[n].value[(i * (n + 1) + i / 7) % 7];
    }

    (void) sql("INSERT INTO log (id, seq, failed) VALUES (?2, ?1, ?3)", i, id,
               llm_schema_failed(&row->r) ? "1" : "0");

    for (n = 0; n < array_size(nums); n++) {
        snprintf(buf, sizeof(buf), "UPDATE log SET %s = ?1 WHERE id = ?2",
                 llm_record_num_name(nums[n].n));
        (void) sql(buf, row->r.num[nums[n].n], id, NULL);
    }

    /* the last rows found the dictionary full */

    over = (i >= ROWS - 12);

    for (n = 0; n < TEXTS; n++) {
        row->text[n] = texts[n].value[(i * (n + 2) + i / 5) % 6];

        if (row->text[n] != NULL) {
            kind = (n == USER && row->r.num[LLM_N_USER_TRUSTED] != 1)
                   ? LLM_DICT_CLAIMED_USER : texts[n].kind;

            insert_text(id, texts[n].column, texts[n].name, kind,
                        row->text[n], over && (i + n) % 2);
        }
    }

    row->session = sessions[i % 5];
    row->session_key = session_keys[i / 5 % 3];

    if (row->session != NULL) {
        insert_session(id, row, over && i % 2);
    }
}


static void
setup(void)
{
    int          i;
    const char  *step;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK
        || llm_where_setup(db) != LLM_OK)
    {
        abort();
    }

    for (i = 0; (step = llm_schema_step(i)) != NULL; i++) {
        if (sqlite3_exec(db, step, NULL, NULL, NULL) != SQLITE_OK) {
            abort();
        }
    }

    for (i = 0; i < ROWS; i++) {
        insert(i);
    }
}


static char
lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char) (c + 32) : c;
}


static int
equal(const char *text, const llm_str_t *s)
{
    return text != NULL && strlen(text) == s->len
           && memcmp(text, s->data, s->len) == 0;
}


/* letters of ASCII are alike in both cases */

static int
holds(const char *text, const llm_str_t *word)
{
    size_t  i, k, n;

    n = (text == NULL) ? 0 : strlen(text);

    for (i = 0; text != NULL && i + word->len <= n; i++) {

        for (k = 0; k < word->len; k++) {
            if (lower(text[i + k]) != lower((char) word->data[k])) {
                break;
            }
        }

        if (k == word->len) {
            return 1;
        }
    }

    return 0;
}


static int
found(const row_t *row, const llm_str_t *word)
{
    int   n;
    char  status[24];

    for (n = METHOD; n <= IP; n++) {
        if (holds(row->text[n], word)) {
            return 1;
        }
    }

    snprintf(status, sizeof(status), "%lld",
             (long long) row->r.num[LLM_N_STATUS]);

    return holds(row->session, word)
           || (row->r.num[LLM_N_STATUS] != LLM_NULL && holds(status, word));
}


static int
quick(const row_t *row, int64_t which)
{
    const char     *model;
    const int64_t  *v;

    static const llm_str_t  gemini = llm_str("gemini");
    static const llm_str_t  claude = llm_str("claude");

    v = row->r.num;
    model = row->text[MODEL];

    switch (which) {

    case LLM_QUICK_ERRORS:
        return llm_schema_failed(&row->r);

    case LLM_QUICK_CHAT:
        return v[LLM_N_OPERATION] == LLM_OPERATION_CHAT
               || v[LLM_N_OPERATION] == LLM_OPERATION_COMPLETION
               || v[LLM_N_OPERATION] == LLM_OPERATION_RESPONSES;

    case LLM_QUICK_IMAGE:
        return v[LLM_N_OPERATION] == LLM_OPERATION_IMAGE;

    case LLM_QUICK_GEMINI:
        return v[LLM_N_PROTOCOL] == LLM_PROTOCOL_GEMINI
               || holds(model, &gemini);

    default:
        return v[LLM_N_PROTOCOL] == LLM_PROTOCOL_ANTHROPIC
               || holds(model, &claude);
    }
}


static int
no_usage(const int64_t *v)
{
    return v[LLM_N_INPUT_TOKENS] == LLM_NULL
           && v[LLM_N_OUTPUT_TOKENS] == LLM_NULL
           && v[LLM_N_STATUS] >= 200 && v[LLM_N_STATUS] <= 299
           && (v[LLM_N_OPERATION] == LLM_OPERATION_CHAT
               || v[LLM_N_OPERATION] == LLM_OPERATION_COMPLETION
               || v[LLM_N_OPERATION] == LLM_OPERATION_RESPONSES
               || v[LLM_N_OPERATION] == LLM_OPERATION_EMBEDDINGS);
}


static int
no_price(const int64_t *v)
{
    return v[LLM_N_COST_NANO] == LLM_NULL
           && (v[LLM_N_INPUT_TOKENS] != LLM_NULL
               || v[LLM_N_OUTPUT_TOKENS] != LLM_NULL)
           && (v[LLM_N_FLAGS] == LLM_NULL
               || !(v[LLM_N_FLAGS] & LLM_RECORD_NO_SUMS));
}


/* LLM_NULL is less than every number */

static int
numbers(const row_t *row, const llm_filter_t *f)
{
    int             i;
    int64_t         have;
    const int64_t  *v, *num;

    static const struct {
        int  f;
        int  n;
        int  least;
    } compare[] = {
        { LLM_F_OUTCOME, LLM_N_OUTCOME, 0 },
        { LLM_F_PROTOCOL, LLM_N_PROTOCOL, 0 },
        { LLM_F_OPERATION, LLM_N_OPERATION, 0 },
        { LLM_F_STREAM, LLM_N_STREAM, 0 },
        { LLM_F_MIN_DURATION, LLM_N_DURATION_US, 1 },
        { LLM_F_MIN_TOKENS, LLM_N_TOTAL_TOKENS, 1 },
        { LLM_F_MIN_COST, LLM_N_COST_NANO, 1 },
        { LLM_F_STATUS_MIN, LLM_N_STATUS, 1 }
    };

    v = row->r.num;
    num = f->num;

    for (i = 0; i < array_size(compare); i++) {
        have = v[compare[i].n];

        if (!compare[i].least && have == LLM_NULL
            && compare[i].n != LLM_N_OUTCOME)
        {
            have = 0;
        }

        if (num[compare[i].f] != LLM_NULL
            && (compare[i].least ? have < num[compare[i].f]
                                 : have != num[compare[i].f]))
        {
            return 0;
        }
    }

    return (num[LLM_F_STATUS_MAX] == LLM_NULL
            || v[LLM_N_STATUS] <= num[LLM_F_STATUS_MAX])
           && (num[LLM_F_SINCE] == LLM_NULL || row->ms >= num[LLM_F_SINCE])
           && (num[LLM_F_UNTIL] == LLM_NULL || row->ms < num[LLM_F_UNTIL])
           && (num[LLM_F_ERRORS_ONLY] != 1 || llm_schema_failed(&row->r))
           && (num[LLM_F_QUICK] == LLM_NULL || quick(row, num[LLM_F_QUICK]))
           && (num[LLM_F_USAGE_MISSING] != 1 || no_usage(v))
           && (num[LLM_F_UNPRICED] != 1 || no_price(v));
}


static int
key(const row_t *row, const llm_filter_t *f)
{
    uint64_t   v;
    llm_str_t  tail;

    if (f->num[LLM_F_KEY_MAX] == LLM_NULL) {
        return 1;
    }

    if (row->text[KEY] == NULL
        || llm_text_unhex((const uint8_t *) row->text[KEY], 16, &v) != LLM_OK)
    {
        return 0;
    }

    tail = llm_filter_str(f, LLM_F_KEY_TAIL);

    return v >= (uint64_t) f->num[LLM_F_KEY_MIN]
           && v <= (uint64_t) f->num[LLM_F_KEY_MAX]
           && (tail.data == NULL || equal(row->text[KEY] + 16, &tail));
}


static int
match(const row_t *row, const llm_filter_t *f)
{
    int        i;
    uint64_t   hash;
    llm_str_t  s, name;

    static const struct {
        int  f;
        int  text;
    } same[] = {
        { LLM_F_METHOD, METHOD }, { LLM_F_PROVIDER, PROVIDER },
        { LLM_F_MODEL, MODEL }, { LLM_F_ENDPOINT, ENDPOINT },
        { LLM_F_ACCOUNT, ACCOUNT }, { LLM_F_USER, USER }, { LLM_F_IP, IP }
    };

    if (!numbers(row, f) || !key(row, f)) {
        return 0;
    }

    for (i = 0; i < array_size(same); i++) {
        s = llm_filter_str(f, same[i].f);

        if (s.data != NULL && !equal(row->text[same[i].text], &s)) {
            return 0;
        }
    }

    s = llm_filter_str(f, LLM_F_SEARCH);

    if (s.data != NULL && !found(row, &s)) {
        return 0;
    }

    s = llm_filter_str(f, LLM_F_SESSION);

    if (s.data != NULL && !equal(row->session, &s)
        && (llm_filter_session(&s, &name, &hash) != 64
            || !equal(row->session, &name) || row->session_key != hash))
    {
        return 0;
    }

    s = llm_filter_str(f, LLM_F_SCOPE_VALUE);

    switch (f->num[LLM_F_SCOPE]) {

    case LLM_SCOPE_USER:
        return row->r.num[LLM_N_USER_TRUSTED] == 1
               && equal(row->text[USER], &s);

    case LLM_SCOPE_ACCOUNT:
        return equal(row->text[ACCOUNT], &s);

    default:
        return 1;
    }
}


static void
run(const llm_filter_t *f)
{
    int            i;
    char           text[16384], hit[ROWS];
    llm_where_t   *w;
    sqlite3_stmt  *stmt;

    sqlite3_progress_handler(db, STEPS, too_long, NULL);

    if (llm_where_create(&w, db, f) != LLM_OK) {
        abort();
    }

    if (snprintf(text, sizeof(text), "SELECT l.id FROM log AS l WHERE 1%s",
                 llm_where_text(w)) >= (int) sizeof(text)
        || sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK
        || sqlite3_bind_parameter_count(stmt) != llm_where_params(w)
        || llm_where_bind(w, stmt) != LLM_OK)
    {
        abort();
    }

    memset(hit, 0, sizeof(hit));

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        hit[sqlite3_column_int64(stmt, 0) & ((1 << LLM_ID_SHIFT) - 1)]++;
    }

    if (sqlite3_finalize(stmt) != SQLITE_OK) {
        abort();
    }

    for (i = 0; i < ROWS; i++) {
        if (hit[i] != match(&rows[i], f)) {
            abort();
        }
    }

    llm_where_free(w);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 rc, what, scope;
    size_t              n, again;
    uint8_t            *text, *packed, *twice;
    llm_str_t           query;
    llm_filter_t       *f, *copy;
    llm_query_error_t   err;

    static const llm_str_t  own[] = {
        llm_null_str, llm_str("a@b"), llm_str("a@b")
    };

    if (db == NULL) {
        setup();
    }

    what = fuzz_byte(&data, &size);
    scope = what / LLM_FOR_NOTHING % 3;
    what = LLM_FOR_LIST + what % LLM_FOR_NOTHING;

    text = fuzz_piece(&data, &size, 0, &n);

    query.data = text;
    query.len = n;

    memset(&err, 0, sizeof(err));

    if (llm_filter_parse(&f, &query, what, NOW, &err) != LLM_OK) {

        if (err.status < 400 || err.status > 599 || err.code[0] == '\0') {
            abort();
        }

        free(text);
        return 0;
    }

    /* nothing of it points into the text */

    memset(text, 0xff, n);
    free(text);

    if (scope != LLM_SCOPE_NONE
        && llm_filter_scope(&f, scope, &own[scope]) != LLM_OK)
    {
        abort();
    }

    packed = malloc(PACK);
    twice = malloc(PACK);
    rc = llm_filter_pack(f, packed, PACK, &n);

    if (rc != LLM_FULL) {

        if (rc != LLM_OK || llm_filter_unpack(&copy, packed, n) != LLM_OK
            || llm_filter_pack(copy, twice, PACK, &again) != LLM_OK
            || n != again || memcmp(packed, twice, n) != 0)
        {
            abort();
        }

        run(copy);
        llm_filter_free(copy);
    }

    llm_filter_free(f);
    free(packed);
    free(twice);

    return 0;
}
