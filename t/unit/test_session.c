
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sessions against a plain recount of the records: each is there once over all
 * pages, with the sums of those rows that pass the filter and are in scope;
 * two keys never share one.  And those in flight, before they have any row.
 */


#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_pull.h"
#include "../../ngx_http_llm_monitor_module/store/llm_filter.h"
#include "../../ngx_http_llm_monitor_module/store/llm_session_query.h"
#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"


#define T0      1795249800000          /* 2026-11-21T08:30:00Z */
#define ROWS    3000
#define STEP    700                    /* ms between two of them */
#define NOW     (T0 + ROWS * STEP + 200000)
#define NAMES   40
#define KEYS    4

typedef struct {
    int64_t      id;
    int          name;
    int          key;
    int          user;                 /* 0: none */
    int          claimed;
    int          model;
    int          status;
    int          no_sums;
    int64_t      duration;             /* us */
    int64_t      total;                /* LLM_NULL: not known */
} fact_t;

typedef struct {
    int          requests;
    int          errors;
    int          failed;
    int64_t      newest;
    int64_t      first;
    int64_t      last;
    int64_t      total;
    int          seen;
    unsigned     models;
} group_t;


static void make(void);
static void text(llm_record_t *r, int n, const char *s);
static void recount(const char *user, int scope, int status, int64_t since);
static int agrees(const char *query, const char *scope, int state);
static int page(const char *query, const char *scope, char *next, int state,
    int64_t *before);
static int one(const llm_str_t *s, int state, int64_t *before);
static int is(const llm_str_t *s, const char *name, int64_t want);
static int ask(const char *query, const char *scope, const char *name);
static int text_is(const llm_str_t *s, const char *name, const char *want);
static void pages(void);
static void filters(void);
static void details(void);
static void scopes(void);
static void flights(void);
static void large(void);
static void chain(void);
static void fly(int n, const char *name, int64_t key, int64_t id);
static void quiet(void *data, int level, const char *line);


static char               dir[64] = "/tmp/llm_session.XXXXXX";
static fact_t             facts[ROWS];
static group_t            groups[NAMES][KEYS];
static llm_buf_t          out;
static llm_reader_t      *reader;
static llm_writer_t       writer;
static llm_flights_t      none, flying;
static llm_control_t      control;
static llm_live_facts_t   air[8];
static llm_query_error_t  err;

static const int64_t  keys[KEYS] = {
    0, 0x1234567890abcdef, 0x1234ffff00000001, (int64_t) 0xfedcba9876543210
};


int
main(void)
{
    char  path[128];

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    srandom(7);
    llm_buf_init(&out, 16 * 1024 * 1024);

    ok(llm_reader_open(&reader, dir, &err) == LLM_OK
       && ask("", NULL, NULL) == 0 && ask("", NULL, "s1") == 404,
       "no database, no sessions");
    llm_reader_close(reader);

    snprintf(writer.db.dir, sizeof(writer.db.dir), "%s", dir);
    writer.db.synchronous = 1;
    writer.db.log = quiet;
    writer.control = &control;
    writer.spool_fd = -1;

    if (llm_writer_open(&writer) != LLM_OK) {
        return 1;
    }

    make();

    if (llm_reader_open(&reader, dir, &err) != LLM_OK) {
        return 1;
    }

    pages();
    filters();
    details();
    scopes();
    flights();
    large();
    chain();

    llm_reader_close(reader);
    llm_writer_close(&writer);
    llm_buf_free(&out);

    snprintf(path, sizeof(path), "rm -rf %s", dir);
    ok(system(path) == 0, "done");

    return done_testing();
}


static void
make(void)
{
    int           i;
    char          name[32], user[32], model[32];
    fact_t       *f;
    llm_record_t  r;

    (void) llm_writer_begin(&writer);

    for (i = 0; i < ROWS; i++) {
        f = &facts[i];

        f->id = (T0 + i * STEP) << LLM_ID_SHIFT | i;
        f->name = random() % (i < ROWS / 2 ? NAMES / 2 : NAMES);
        f->key = random() % KEYS;
        f->user = random() % 4;
        f->claimed = random() % 2;
        f->model = random() % (f->name == 3 ? 12 : 3);
        f->status = random() % 5 == 0 ? 429 : 200;
        f->no_sums = random() % 9 == 0;
        f->duration = random() % 11 == 0 ? 400000000 : random() % 3000000;
        f->total = random() % 6 == 0 ? LLM_NULL : random() % 1000;

        llm_record_init(&r);
        r.num[LLM_N_ID] = f->id;
        r.num[LLM_N_TIMESTAMP] = f->id >> LLM_ID_SHIFT;
        r.num[LLM_N_STATUS] = f->status;
        r.num[LLM_N_OUTCOME] = f->status == 200 ? LLM_OUTCOME_SUCCESS
                                                : LLM_OUTCOME_HTTP_ERROR;
        r.num[LLM_N_DURATION_US] = f->duration;
        r.num[LLM_N_TOTAL_TOKENS] = f->total;
        r.num[LLM_N_FLAGS] = f->no_sums ? LLM_RECORD_NO_SUMS : 0;
        r.num[LLM_N_USER_TRUSTED] = !f->claimed;

        if (keys[f->key] != 0) {
            r.num[LLM_N_API_KEY_HASH] = keys[f->key];
            text(&r, LLM_S_API_KEY_TAIL, "wxyz");
        }

        snprintf(name, sizeof(name), "s%d", f->name);
        text(&r, LLM_S_SESSION, name);
        snprintf(model, sizeof(model), "model-%d", f->model);
        text(&r, LLM_S_MODEL, model);

        if (f->user > 0) {
            snprintf(user, sizeof(user), "user%d", f->user);
            text(&r, LLM_S_USER, user);
        }

        if (llm_writer_add(&writer, &r, LLM_WRITE_ROW) != LLM_OK) {
            abort();
        }
    }

    /* and one that has no session */

    llm_record_init(&r);
    r.num[LLM_N_TIMESTAMP] = T0 + 5;
    r.num[LLM_N_ID] = (T0 + 5) << LLM_ID_SHIFT;
    (void) llm_writer_add(&writer, &r, LLM_WRITE_ROW);

    if (llm_writer_commit(&writer) != LLM_OK) {
        abort();
    }
}


static void
text(llm_record_t *r, int n, const char *s)
{
    r->str[n].data = (const uint8_t *) s;
    r->str[n].len = strlen(s);
}


/* What the rows come to; user NULL, status 0, since 0: any. */

static void
recount(const char *user, int scope, int status, int64_t since)
{
    int       i;
    char      name[32];
    fact_t   *f;
    group_t  *g;
    int64_t   ms, end;

    memset(groups, 0, sizeof(groups));

    for (i = 0; i < ROWS; i++) {
        f = &facts[i];
        ms = f->id >> LLM_ID_SHIFT;
        snprintf(name, sizeof(name), "user%d", f->user);

        if ((user != NULL
             && (f->user == 0 || strcmp(name, user) != 0
                 || (scope && f->claimed)))
            || (status != 0 && f->status != status)
            || ms < since)
        {
            continue;
        }

        g = &groups[f->name][f->key];
        end = ms + f->duration / 1000;

        if (g->requests++ == 0) {
            g->first = ms;
            g->total = LLM_NULL;
        }

        g->last = end > g->last ? end : g->last;
        g->newest = f->id;
        g->failed = f->status != 200;
        g->errors += g->failed;
        g->models |= 1u << f->model;

        if (f->total != LLM_NULL && !f->no_sums) {
            g->total = (g->total == LLM_NULL ? 0 : g->total) + f->total;
        }
    }
}


/* All pages of a question against the groups. */

static int
agrees(const char *query, const char *scope, int state)
{
    int      n, k, active, pages_seen;
    char     next[LLM_FILTER_CURSOR + 1];
    int64_t  before;

    next[0] = '\0';
    before = INT64_MAX;
    pages_seen = 0;

    do {
        if (!page(query, scope, next, state, &before) || ++pages_seen > 200) {
            return 0;
        }

    } while (next[0] != '\0');

    for (n = 0; n < NAMES; n++) {

        for (k = 0; k < KEYS; k++) {
            active = groups[n][k].last > NOW - LLM_SESSION_ACTIVE_MS;

            if (groups[n][k].seen
                != (groups[n][k].requests > 0
                    && (state == 0
                        || state == (active ? LLM_STATE_ACTIVE
                                            : LLM_STATE_IDLE))))
            {
                printf("# s%d of key %d: %d times\n", n, k,
                       groups[n][k].seen);
                return 0;
            }
        }
    }

    return 1;
}


static int
page(const char *query, const char *scope, char *next, int state,
    int64_t *before)
{
    int         n;
    char        all[256];
    llm_str_t   answer, list, s;
    llm_pull_t  it;

    snprintf(all, sizeof(all), "%s&limit=7%s%s", query,
             next[0] != '\0' ? "&cursor=" : "", next);

    if (ask(all, scope, NULL) != 0) {
        printf("# %s\n", err.message);
        return 0;
    }

    answer.data = out.data;
    answer.len = out.len;
    n = 0;

    llm_pull_get(&answer, "sessions", &list);
    llm_pull_open(&it, &list);

    while (llm_pull_next(&it, NULL, &s)) {
        n++;

        if (!one(&s, state, before)) {
            printf("# %.*s\n", (int) s.len, (const char *) s.data);
            return 0;
        }
    }

    next[0] = '\0';

    if (llm_pull_get(&answer, "next", &s)) {
        snprintf(next, LLM_FILTER_CURSOR + 1, "%.*s", (int) s.len - 2,
                 (const char *) s.data + 1);
    }

    return n == 7 || next[0] == '\0';
}


static int
one(const llm_str_t *s, int state, int64_t *before)
{
    int         name, k;
    char        id[64];
    size_t      models;
    int64_t     order;
    group_t    *g;
    uint64_t    key;
    llm_str_t   v, m;
    llm_pull_t  it;

    llm_pull_get(s, "id", &v);
    snprintf(id, sizeof(id), "%.*s", (int) v.len - 2,
             (const char *) v.data + 1);

    if (sscanf(id, "s%d~%16" SCNx64, &name, &key) != 2) {
        return 0;
    }

    for (k = 0; k < KEYS && (uint64_t) keys[k] != key; k++) { /* void */ }

    g = &groups[name][k];
    g->seen++;

    models = 0;
    llm_pull_get(s, "models", &v);
    llm_pull_open(&it, &v);

    while (llm_pull_next(&it, NULL, &m)) {
        models++;
    }

    /* the time may lag by a minute; by rows it does not */

    llm_pull_get(s, "last", &v);
    order = llm_pull_number(&v, 0);

    if (*before != INT64_MAX && state != LLM_STATE_ACTIVE
        && order > *before + 60000 + 400000)
    {
        return 0;
    }

    *before = order;

    return is(s, "requests", g->requests)
           && is(s, "errors", g->errors)
           && is(s, "first", g->first)
           && is(s, "last", g->last)
           && is(s, "total_tokens", g->total)
           && models == (__builtin_popcount(g->models) > 8
                         ? 8 : (size_t) __builtin_popcount(g->models))
           && text_is(s, "status", g->failed ? "\"FAIL\"" : "\"IDLE\"")
           && text_is(s, "state", g->last > NOW - LLM_SESSION_ACTIVE_MS
                                  ? "\"active\"" : "\"idle\"")
           && text_is(s, "api_key", k == 0 ? "null"
                      : k == 3 ? "\"fedc…wxyz\"" : "\"1234…wxyz\"");
}


static int
is(const llm_str_t *s, const char *name, int64_t want)
{
    llm_str_t  v;

    llm_pull_get(s, name, &v);

    return llm_pull_number(&v, LLM_NULL) == want;
}


static int
text_is(const llm_str_t *s, const char *name, const char *want)
{
    llm_str_t  v;

    if (!llm_pull_get(s, name, &v)) {
        return strcmp(want, "null") == 0;
    }

    return v.len == strlen(want) && memcmp(v.data, want, v.len) == 0;
}


/* 0, or the status of an error; the answer is in out. */

static int
ask(const char *query, const char *scope, const char *name)
{
    int            rc;
    llm_str_t      q, s;
    llm_filter_t  *f;

    q.data = (const uint8_t *) query;
    q.len = strlen(query);

    memset(&err, 0, sizeof(err));
    out.len = 0;

    rc = llm_filter_parse(&f, &q, name == NULL ? LLM_FOR_SESSIONS
                                               : LLM_FOR_SESSION, NOW, &err);
    if (rc != LLM_OK) {
        return err.status;
    }

    if (scope != NULL) {
        s.data = (const uint8_t *) scope;
        s.len = strlen(scope);

        if (llm_filter_scope(&f, LLM_SCOPE_USER, &s) != LLM_OK) {
            abort();
        }
    }

    if (name == NULL) {
        rc = llm_query_sessions(reader, f, &flying, NOW, 60000, &out, &err);

    } else {
        s.data = (const uint8_t *) name;
        s.len = strlen(name);

        rc = llm_query_session(reader, &s, f, &flying, NOW, 60000, &out,
                               &err);
    }

    llm_filter_free(f);

    /* strstr() shall find its end */

    llm_buf_add(&out, "", 1);
    out.len--;

    return rc == LLM_OK ? 0 : err.status;
}


static void
pages(void)
{
    recount(NULL, 0, 0, 0);
    ok(agrees("", NULL, 0), "all sessions, page by page");

    recount(NULL, 0, 0, 0);
    ok(agrees("state=active", NULL, LLM_STATE_ACTIVE), "active ones");

    recount(NULL, 0, 0, 0);
    ok(agrees("state=idle", NULL, LLM_STATE_IDLE), "idle ones");

    ok(ask("state=busy", NULL, NULL) == 400
       && strcmp(err.parameter, "state") == 0
       && ask("sort=status", NULL, NULL) == 400
       && ask("cursor=00", NULL, NULL) == 400
       && ask("state=idle", NULL, "s1") == 400,
       "what is no parameter is refused");
}


static void
filters(void)
{
    char  query[64];

    recount("user2", 0, 0, 0);
    ok(agrees("user=user2", NULL, 0), "rows of a user");

    recount("user2", 0, 0, 0);
    ok(agrees("user=user2&state=active", NULL, LLM_STATE_ACTIVE),
       "in what is active");

    recount(NULL, 0, 429, 0);
    ok(agrees("status=429", NULL, 0), "of a status");

    recount(NULL, 0, 429, 0);
    ok(agrees("status=429&state=idle", NULL, LLM_STATE_IDLE),
       "in what is idle");

    recount(NULL, 0, 0, NOW - 500000);
    snprintf(query, sizeof(query), "since=%lld", (long long) NOW - 500000);
    ok(agrees(query, NULL, 0), "since a time");

    ok(ask("filter=no%20such%20text", NULL, NULL) == 0
       && strstr((char *) out.data, "\"sessions\":[]") != NULL
       && ask("user=user9", NULL, NULL) == 0
       && strstr((char *) out.data, "\"sessions\":[]") != NULL,
       "of nobody there are none");
}


static void
details(void)
{
    int         n, i;
    char        cursor[128];
    int64_t     last;
    llm_str_t   answer, v, row;
    llm_pull_t  it;

    recount(NULL, 0, 0, 0);

    ok(ask("", NULL, "s3~1234567890abcdef") == 0, "one session");

    answer.data = out.data;
    answer.len = out.len;

    ok(is(&answer, "requests", groups[3][1].requests)
       && is(&answer, "total_tokens", groups[3][1].total), "with its sums");

    cursor[0] = '\0';
    last = 0;
    n = 0;
    i = 0;

    do {
        if (ask(cursor[0] != '\0' ? cursor : "limit=5", NULL,
                "s3~1234567890ABCDEF") != 0)
        {
            break;
        }

        answer.data = out.data;
        answer.len = out.len;

        llm_pull_get(&answer, "logs", &v);
        llm_pull_open(&it, &v);

        while (llm_pull_next(&it, NULL, &row)) {
            llm_pull_get(&row, "timestamp", &v);
            i += llm_pull_number(&v, 0) > last;
            last = llm_pull_number(&v, 0);
            n += text_is(&row, "session_id", "\"s3\"")
                 && text_is(&row, "api_key", "\"1234…wxyz\"");
        }

        cursor[0] = '\0';

        if (llm_pull_get(&answer, "next", &v)) {
            snprintf(cursor, sizeof(cursor), "limit=5&cursor=%.*s",
                     (int) v.len - 2, (const char *) v.data + 1);
        }

    } while (cursor[0] != '\0');

    ok(n == groups[3][1].requests && i == n && last == groups[3][1].newest
       >> LLM_ID_SHIFT, "and its requests in order, page by page");

    ok(ask("", NULL, "s3") == 409, "a name of several keys says not which");
    ok(ask("", NULL, "s3~1234") == 409 && ask("", NULL, "s3~12345") == 0
       && ask("", NULL, "s3~fedc") == 0 && ask("", NULL, "s3~0000") == 0,
       "some digits do");
    ok(ask("", NULL, "s3~1235") == 404 && ask("", NULL, "x") == 404
       && ask("", NULL, "~1234567890abcdef") == 404
       && ask("", NULL, "s3~") == 404 && ask("", NULL, "") == 404
       && ask("", NULL, "s3~1234567890abcdef0") == 404
       && ask("", NULL, "s3~12345678 0abcdef") == 404,
       "others are of none");
}


static void
scopes(void)
{
    int   k, n, visible, right;
    char  name[16];

    recount("user1", 1, 0, 0);
    ok(agrees("", "user1", 0), "a scope shows its rows alone");

    recount("user1", 1, 0, 0);
    ok(agrees("state=active", "user1", LLM_STATE_ACTIVE), "active ones");

    recount("user1", 1, 429, 0);
    ok(agrees("status=429", "user1", 0), "a filter goes with it");

    ok(ask("user=user2", "user1", NULL) == 0
       && strstr((char *) out.data, "\"sessions\":[]") != NULL,
       "none widens it");
    ok(ask("", "", NULL) == 0
       && strstr((char *) out.data, "\"sessions\":[]") != NULL
       && ask("", "", "s3~1234567890abcdef") == 404, "an empty one is empty");

    /* a name that is of several keys, of which one has rows in the scope */

    recount("user1", 1, 0, 0);
    right = 0;

    for (n = 0; n < NAMES; n++) {
        visible = 0;

        for (k = 0; k < KEYS; k++) {
            visible += groups[n][k].requests > 0;
        }

        snprintf(name, sizeof(name), "s%d", n);
        right += ask("", "user1", name)
                 == (visible == 0 ? 404 : visible == 1 ? 0 : 409);
    }

    ok(right == NAMES, "nor does a name tell of others");
}


static void
fly(int n, const char *name, int64_t key, int64_t id)
{
    memset(&air[n], 0, sizeof(llm_live_facts_t));

    air[n].id = id;
    air[n].key = key;
    air[n].len[LLM_LIVE_SESSION] = strlen(name);
    memcpy(air[n].text[LLM_LIVE_SESSION], name, strlen(name));
}


static void
flights(void)
{
    char        next[160];
    llm_str_t   answer, list, s;
    llm_pull_t  it;

    fly(0, "new", keys[1], 10);
    fly(1, "s3", keys[1], 20);
    fly(2, "s3", keys[1], 30);
    fly(3, "s3", 77, 25);
    fly(4, "", 77, 26);

    flying.facts = air;
    flying.n = 5;

    ok(ask("state=active&limit=2", NULL, NULL) == 0, "some are in flight");

    answer.data = out.data;
    answer.len = out.len;
    llm_pull_get(&answer, "sessions", &list);
    llm_pull_open(&it, &list);

    ok(llm_pull_next(&it, NULL, &s) && text_is(&s, "status", "\"BUSY\"")
       && text_is(&s, "id", "\"s3~1234567890abcdef\"")
       && is(&s, "running", 2) && text_is(&s, "state", "\"active\""),
       "they are first");
    ok(llm_pull_next(&it, NULL, &s) && text_is(&s, "status", "\"INIT\"")
       && text_is(&s, "id", "\"s3~000000000000004d\"")
       && is(&s, "requests", 0) && is(&s, "first", LLM_NULL)
       && !llm_pull_next(&it, NULL, &s), "one of another key is another");

    llm_pull_get(&answer, "next", &s);
    snprintf(next, sizeof(next), "state=active&limit=2&cursor=%.*s",
             (int) s.len - 2, (const char *) s.data + 1);

    ok(ask(next, NULL, NULL) == 0, "there is another page");

    answer.data = out.data;
    answer.len = out.len;
    llm_pull_get(&answer, "sessions", &list);
    llm_pull_open(&it, &list);

    ok(llm_pull_next(&it, NULL, &s)
       && text_is(&s, "id", "\"new~1234567890abcdef\"")
       && llm_pull_next(&it, NULL, &s) && is(&s, "running", 0),
       "with the last of them and others");

    ok(ask("", NULL, "new") == 0
       && strstr((char *) out.data, "\"logs\":[]") != NULL
       && strstr((char *) out.data, "\"INIT\"") != NULL,
       "one without a row is one");

    /* those that fly are on their own pages */

    recount(NULL, 0, 0, 0);
    flying.facts = &air[1];
    flying.n = 2;

    ok(ask("state=idle&limit=1000", NULL, NULL) == 0
       && strstr((char *) out.data, "\"s3~1234567890abcdef\"") == NULL
       && ask("limit=1000", NULL, NULL) == 0
       && strstr(strstr((char *) out.data, "\"s3~1234567890abcdef\"") + 1,
                 "\"s3~1234567890abcdef\"") == NULL,
       "none is there twice");

    flying = none;
}


/* More rows than are summed, and a session whose rows were deleted. */

static void
large(void)
{
    int           i;
    llm_str_t     answer;
    llm_record_t  r;

    (void) llm_writer_begin(&writer);

    for (i = 0; i < 6000; i++) {
        llm_record_init(&r);
        r.num[LLM_N_TIMESTAMP] = NOW - 6000 + i;
        r.num[LLM_N_ID] = r.num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT;
        r.num[LLM_N_STATUS] = 200;
        r.num[LLM_N_TOTAL_TOKENS] = 1;
        text(&r, LLM_S_SESSION, "large");

        if (llm_writer_add(&writer, &r, LLM_WRITE_ROW) != LLM_OK) {
            abort();
        }
    }

    (void) llm_writer_commit(&writer);

    ok(ask("", NULL, "large") == 0, "a session of 6000 requests");

    answer.data = out.data;
    answer.len = out.len;

    ok(is(&answer, "requests", 2000) && is(&answer, "total_tokens", 2000)
       && text_is(&answer, "more", "true"), "its newest 2000 are summed");

    if (sqlite3_exec(writer.db.handle, "DELETE FROM log WHERE total_tokens ="
                     " 1 AND session = (SELECT id FROM session WHERE sid ="
                     " 'large')", NULL, NULL, NULL) != SQLITE_OK)
    {
        abort();
    }

    ok(ask("", NULL, "large") == 404 && ask("limit=1000", NULL, NULL) == 0
       && strstr((char *) out.data, "large") == NULL,
       "without rows there is none");
}


/* Answers that name only the one before them, one every half minute. */

static void
chain(void)
{
    int            i;
    char           id[2][32];
    int64_t        ms, last;
    sqlite3_stmt  *st;
    llm_record_t   r;

    ms = NOW;
    last = 0;

    (void) llm_writer_begin(&writer);

    for (i = 0; i < 20; i++) {
        ms += 30000;

        llm_record_init(&r);
        r.num[LLM_N_TIMESTAMP] = ms;
        r.num[LLM_N_ID] = ms << LLM_ID_SHIFT;
        r.num[LLM_N_STATUS] = 200;
        r.num[LLM_N_OPERATION] = LLM_OPERATION_RESPONSES;
        r.num[LLM_N_DURATION_US] = 5000000;

        snprintf(id[0], sizeof(id[0]), "answer-%d", i);
        snprintf(id[1], sizeof(id[1]), "answer-%d", i - 1);
        text(&r, LLM_S_RESPONSE_ID, id[0]);

        if (i == 0) {
            text(&r, LLM_S_SESSION, "chain");

        } else {
            text(&r, LLM_S_PREVIOUS_RESPONSE_ID, id[1]);
        }

        if (llm_writer_add(&writer, &r, LLM_WRITE_ROW) != LLM_OK) {
            abort();
        }
    }

    (void) llm_writer_commit(&writer);

    if (sqlite3_prepare_v2(writer.db.handle, "SELECT last_ms FROM session"
                           " WHERE sid = 'chain'", -1, &st, NULL) == SQLITE_OK
        && sqlite3_step(st) == SQLITE_ROW)
    {
        last = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    ok(last > ms + 5000 - 60000, "the table knows a chain's end to a minute");
    ok(ask("", NULL, "chain") == 0
       && strstr((char *) out.data, "\"requests\":20") != NULL,
       "and all of it is one session");
}


static void
quiet(void *data, int level, const char *line)
{
    if (getenv("TEST_VERBOSE")) {
        fprintf(stderr, "# log %d: %s\n", level, line);
    }
}
