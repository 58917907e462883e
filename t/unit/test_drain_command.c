
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the writer is asked to do, and what it does by itself: bounds of the
 * dictionary and the ledger, chains of answers, retention.
 */


#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "drain.h"
#include "../../ngx_http_llm_monitor_module/store/llm_db.h"
#include "../../ngx_http_llm_monitor_module/store/llm_query.h"


static void commands(void);
static int64_t tick(void);
static void unsure(int n, int64_t ms);
static void bounds(void);
static void chains(void);
static void retention(void);


int
main(void)
{
    commands();
    bounds();
    chains();
    retention();

    return done_testing();
}


static void
commands(void)
{
    size_t             len;
    int64_t            ms;
    uint8_t            args[LLM_COMMAND_ARGS], off = 0, on = 1;
    uint64_t           ticket;
    llm_str_t          query = llm_str("status=401");
    llm_drain_t       *d;
    llm_terms_t        t;
    llm_filter_t      *filter;
    llm_query_error_t  err;

    fresh();
    d = start();

    publish_n(3000);
    wait_written(3000);

    ok(llm_filter_parse(&filter, &query, LLM_FOR_CLEAR, 1790000000000, &err)
       == LLM_OK
       && llm_filter_pack(filter, args, sizeof(args), &len) == LLM_OK,
       "a filter");
    llm_filter_free(filter);

    ok(command(LLM_COMMAND_CLEAR, args, len) == 300, "clears 300 errors");
    ok(ask_db("SELECT count(*) FROM log") == 2700 && control->db_rows == 2700
       && ask_db("SELECT count(*) FROM log WHERE status = 401") == 0,
       "and nothing else");

    stop(d);
    publish_n(50);
    d = start();

    ok(command(LLM_COMMAND_CLEAR, NULL, 0) == 2750, "clears all");
    ok(ask_db("SELECT count(*) FROM log") == 0 && control->db_rows == 0
       && ask_db("SELECT count(*) FROM detail") == 0, "nothing is left");
    ok(sums_equal(3050), "but the ledger");
    ok(law(&t) && t.written + t.cleared == 3050, "the law");

    query.data = (const uint8_t *) "stats=1&all=1";
    query.len = 13;
    ok(llm_filter_parse(&filter, &query, LLM_FOR_CLEAR, 1790000000000, &err)
       == LLM_OK
       && llm_filter_pack(filter, args, sizeof(args), &len) == LLM_OK
       && command(LLM_COMMAND_CLEAR, args, len) == 0
       && ask_db("SELECT count(*) FROM service") == 0
       && ask_db("SELECT count(*) FROM series") == 0
       && ask_db("SELECT count(*) FROM who") == 0
       && ask_db("SELECT count(*) FROM service_minute") == 0,
       "clears the ledger");
    llm_filter_free(filter);

    publish_n(100);
    ok(wait_written(3150) && sums_equal(100), "which begins anew");
    ok(wait_written(3150) && ask_db("SELECT count(*) FROM log") == 100
       && ask_db("SELECT min(seq) FROM log") > 3000, "seq goes on");

    ok(command(LLM_COMMAND_RECORDING, &off, 1) == 0 && !control->recording,
       "pause");
    stop(d);

    llm_control_init(control);
    unsure(1, tick());
    d = start();

    ok(wait_written(3151) && control->recording == 0,
       "is kept over a restart");
    ok(ask_db("SELECT count(*) FROM log") == 100
       && ask_db("SELECT sum(requests) FROM service") == 101,
       "also for what was finished before anyone knew");

    stop(d);
    llm_control_init(control);
    ms = tick();
    unsure(2500, ms);

    (void) llm_control_ask(control, LLM_COMMAND_RECORDING, &on, 1, getpid(),
                           llm_control_now() + 60000, &ticket);
    d = start();

    ok(wait_written(5651) && ask_db("SELECT count(*) FROM log") == 100,
       "and is not undone by a resume that the writer finds waiting");
    ok(command(LLM_COMMAND_RECORDING, &on, 1) == 1 && control->recording,
       "resume");

    stop(d);
    llm_control_init(control);
    unsure(10, ms);
    d = start();

    ok(wait_written(5661) && ask_db("SELECT count(*) FROM log") == 100,
       "nor by one behind which the writer died");

    ms = tick();
    ok(command(LLM_COMMAND_RECORDING, &off, 1) == 0
       && command(LLM_COMMAND_RECORDING, &off, 1) == 0, "pause again");
    stop(d);
    llm_control_init(control);
    unsure(10, ms);
    d = start();

    ok(wait_written(5671) && ask_db("SELECT count(*) FROM log") == 110
       && control->db_rows == 110,
       "what was finished before it becomes rows");
    ok(command(LLM_COMMAND_RETENTION, NULL, 0) == -1,
       "unknown commands fail");

    stop(d);
    cleanup();
}


/* A time, in ms, that is later than all before. */

static int64_t
tick(void)
{
    int64_t  before;

    before = llm_wall_ms();

    while (llm_wall_ms() <= before) {
        usleep(200);
    }

    return llm_wall_ms();
}


/* Records of that time, made before anyone knew whether they are recorded. */

static void
unsure(int n, int64_t ms)
{
    llm_record_t  r;

    while (n-- > 0) {
        fill(&r, ++made);
        r.num[LLM_N_TIMESTAMP] = ms;
        r.num[LLM_N_ID] = ms << LLM_ID_SHIFT | made;
        r.num[LLM_N_DURATION_US] = 0;
        r.num[LLM_N_FLAGS] = LLM_RECORD_UNSURE;
        publish(&ring, &r);
    }
}


/* A value that finds its place full is not lost; the ledger counts it. */

static void
bounds(void)
{
    int           i;
    char          text[32], lon[600];
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    memset(lon, 'x', sizeof(lon));

    for (i = 1; i <= 1500; i++) {
        fill(&r, i);
        r.str[LLM_S_METHOD].data = (uint8_t *) text;
        r.str[LLM_S_METHOD].len = sprintf(text, "M\"%d", i % 100);

        if (i == 1) {
            r.str[LLM_S_URL].data = (uint8_t *) lon;
            r.str[LLM_S_URL].len = sizeof(lon);
        }

        publish(&ring, &r);
    }

    d = start();
    ok(wait_written(1500), "many values");
    ok(ask_db("SELECT count(DISTINCT method) FROM logs") == 100
       && ask_db("SELECT count(method) FROM logs") == 1500
       && ask_db("SELECT count(*) FROM log WHERE method IS NULL") > 100,
       "methods past the bound are in the row");
    ok(ask_db("SELECT count(*) FROM logs WHERE length(url) = 600") == 1,
       "a long one too");
    stop(d);
    cleanup();

    fresh();

    for (i = 1; i <= 1500; i++) {
        fill(&r, i);
        r.str[LLM_S_MODEL].data = (uint8_t *) text;
        r.str[LLM_S_MODEL].len = sprintf(text, "model%d", i);
        publish(&ring, &r);

        if (i == 700) {
            d = start();
            wait_written(700);
            stop(d);
        }
    }

    d = start();
    wait_written(1500);
    stop(d);

    ok(sums_equal(1500), "the ledger counts all");
    ok(ask_db("SELECT count(*) FROM series WHERE dim = 5 AND span = 900000")
       == 1001
       && ask_db("SELECT requests FROM series WHERE dim = 5"
                 " AND span = 900000 AND value = -1") == 500,
       "a thousand models, the rest other, over a restart too");
    cleanup();
}


static void
chains(void)
{
    int                    i;
    llm_drain_t           *d;
    llm_record_t           r;
    static const char     *ids[] = { "resp_0", "resp_1", "resp_2", "resp_3" };

    fresh();

    for (i = 0; i < 4; i++) {
        fill(&r, i + 1);
        r.num[LLM_N_OPERATION] = LLM_OPERATION_RESPONSES;
        r.str[LLM_S_RESPONSE_ID].data = (uint8_t *) ids[i];
        r.str[LLM_S_RESPONSE_ID].len = 6;
        r.num[LLM_N_SESSION_SOURCE] = 6;

        if (i > 0) {
            r.str[LLM_S_PREVIOUS_RESPONSE_ID].data = (uint8_t *) ids[i - 1];
            r.str[LLM_S_PREVIOUS_RESPONSE_ID].len = 6;
        }

        publish(&ring, &r);

        if (i == 1) {
            d = start();
            wait_written(2);
            stop(d);
        }
    }

    d = start();
    wait_written(4);
    stop(d);

    ok(ask_db("SELECT count(DISTINCT session) FROM log") == 1
       && ask_db("SELECT count(*) FROM log WHERE session_source = 5") == 3,
       "a chain of answers is one session, over a restart too");
    cleanup();
}


static void
retention(void)
{
    int           i;
    int64_t       now;
    llm_drain_t  *d;
    llm_record_t  r;

    fresh();
    now = (int64_t) time(NULL) * 1000;

    for (i = 0; i < 1000; i++) {
        fill(&r, i + 1);
        r.num[LLM_N_TIMESTAMP] = now - (int64_t) i * 3600000;
        r.num[LLM_N_ID] = r.num[LLM_N_TIMESTAMP] << LLM_ID_SHIFT | i;
        r.num[LLM_N_REQUEST_BODY_STATE] = i % 2 ? LLM_BODY_STORED
                                                : LLM_BODY_REDACTED;
        r.str[LLM_S_REQUEST_BODY] = r.str[LLM_S_MODEL];
        publish(&ring, &r);
    }

    keep.rows = 20 * 24 * 3600;
    keep.bodies = 7 * 24 * 3600;
    d = start();
    wait_written(1000);

    /* it is looked after once a minute, and at the start */

    stop(d);
    d = start();

    ok(until(ask_db("SELECT count(*) FROM log") == 480
             && ask_db("SELECT count(*) FROM request_body") == 168),
       "old rows are gone, and old bodies earlier");
    ok(ask_db("SELECT count(*) FROM log WHERE request_body_state = 6")
       == 480 - 168, "which rows say");
    ok(ask_db("SELECT sum(requests) FROM service") == 1000, "ledger stays");
    stop(d);

    keep.rows = 0;
    keep.bodies = 0;
    keep.bytes = 1;
    d = start();

    ok(until(ask_db("SELECT count(*) FROM log") == 0),
       "nor is it larger than asked");
    stop(d);
    keep.bytes = 0;
    cleanup();
}
