
/*
 * Copyright (C) llm_monitor contributors
 *
 * Rows get the costs of other prices, and the sums stay those of the rows.
 */


#include <stdlib.h>

#include <sqlite3.h>

#include "../../ngx_http_llm_monitor_module/extract/llm_price.h"
#include "../../ngx_http_llm_monitor_module/store/llm_query.h"
#include "drain.h"
#include "mem.h"
#include "tap.h"


#define ROWS  2000


static llm_price_table_t *
table_of(const char *source, const char *text)
{
    llm_str_t           s, name;
    llm_price_error_t   err;
    llm_price_table_t  *t;

    s.data = (const uint8_t *) text;
    s.len = strlen(text);
    name.data = (const uint8_t *) source;
    name.len = strlen(source);

    if (llm_price_read(&t, &s, &name, &mem, &err) != LLM_OK) {
        ok(0, "a table: %s", err.text);
        exit(1);
    }

    return t;
}


/* a cost by a table, of so many rows that passed the filters */

static int64_t
reprice(const llm_price_table_t *t, const char *query)
{
    size_t             len;
    int64_t            n;
    uint8_t            args[LLM_COMMAND_ARGS];
    llm_str_t          s;
    llm_drain_t       *d;
    llm_filter_t      *filter;
    llm_query_error_t  err;

    s.data = (const uint8_t *) query;
    s.len = strlen(query);

    if (llm_filter_parse(&filter, &s, LLM_FOR_COUNT, 1790000000000, &err)
        != LLM_OK
        || llm_filter_pack(filter, args, sizeof(args), &len) != LLM_OK)
    {
        return -3;
    }

    llm_filter_free(filter);

    prices = t;
    d = start();
    n = command(LLM_COMMAND_REPRICE, args, len);
    stop(d);

    return n;
}


static int
same(const char *what, const char *of)
{
    char     sql[256];
    int64_t  rows;
    size_t   i;

    static const char *const  sums[] = {
        "service_minute", "service", "who",
        "series WHERE span = 86400000 AND dim = 0",
        "series WHERE span = 900000 AND dim = 5",
        "series WHERE span = 86400000 AND dim = 2"
    };

    snprintf(sql, sizeof(sql), "SELECT %s FROM log", of);
    rows = ask_db(sql);

    for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT sum(%s) FROM %s", what, sums[i]);

        if (ask_db(sql) != rows) {
            printf("# %s: %lld, rows have %lld\n", sql,
                   (long long) ask_db(sql), (long long) rows);
            return 0;
        }
    }

    return 1;
}


static int
sums_agree(void)
{
    return same("cost_nano", "coalesce(sum(cost_nano), 0)")
           && same("priced", "count(cost_nano)")
           && same("requests", "count(*)");
}


static int
edit_db(const char *sql)
{
    int       rc;
    sqlite3  *db;

    rc = sqlite3_open(path("proxy_logs.db"), &db);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }

    sqlite3_close(db);

    return rc == SQLITE_OK;
}


int
main(void)
{
    int                 i;
    char                model[32], user[32];
    llm_drain_t        *d;
    llm_record_t        r;
    llm_price_table_t  *first, *second;

    static const llm_str_t  backend = llm_str("backend");
    static const llm_str_t  usage =
        llm_str("{\"server_tool_use\":{\"web_search_requests\":2}}");

    first = table_of("first",
        "[{\"id\":\"x\",\"model_match\":{\"starts_with\":\"model-\"},"
        "\"models\":[{\"id\":\"m\",\"match\":{\"starts_with\":\"model-\"},"
        "\"prices\":{\"input_mtok\":1,\"output_mtok\":2,"
        "\"web_searches_kcount\":1}}]}]");
    second = table_of("second",
        "[{\"id\":\"x\",\"model_match\":{\"starts_with\":\"model-\"},"
        "\"models\":[{\"id\":\"m\",\"match\":{\"ends_with\":\"7\"},"
        "\"prices\":[{\"prices\":{\"input_mtok\":100}},"
        "{\"constraint\":{\"start_date\":\"2026-09-21\"},"
        "\"prices\":{\"input_mtok\":10}}]}]}]");

    fresh();
    d = start();

    /* more models than a quarter of an hour has room for; all on one day */

    for (i = 0; i < ROWS; i++) {
        fill(&r, i);

        r.str[LLM_S_MODEL].data = (uint8_t *) model;
        r.str[LLM_S_MODEL].len = sprintf(model, "model-%d", i % 1300);
        r.str[LLM_S_USER].data = (uint8_t *) user;
        r.str[LLM_S_USER].len = sprintf(user, "user-%d", i % 3);
        r.str[LLM_S_PROVIDER] = backend;

        if (i == 5) {
            r.str[LLM_S_USAGE] = usage;
        }

        if (i == 6) {
            r.num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
        }

        if (i == 7) {
            r.num[LLM_N_FLAGS] = LLM_RECORD_CACHED;
            r.num[LLM_N_COST_NANO] = 0;
        }

        publish(&ring, &r);
    }

    wait_written(ROWS);
    stop(d);

    ok(ask_db("SELECT count(cost_nano) FROM log") == 1 && sums_agree(),
       "nothing has a price");

    ok(reprice(first, "unpriced=1&model=model-3") == 2, "of one model");
    ok(ask_db("SELECT sum(cost_nano) FROM log") == 2 * 20000 && sums_agree(),
       "the sums go with it");

    ok(reprice(first, "") == ROWS - 2 - 1, "of all others");
    ok(ask_db("SELECT sum(cost_nano) FROM log")
       == (ROWS - 2) * 20000LL + 2000000, "two searches are in a usage object");
    ok(ask_db("SELECT cost_nano FROM log ORDER BY id LIMIT 1 OFFSET 7") == 0,
       "nginx's own cache costs nothing");
    ok(ask_db("SELECT cost_nano IS NULL FROM log ORDER BY id LIMIT 1"
              " OFFSET 6") == 1, "what is in no sum has no cost");
    ok(sums_agree(), "the sums are those of the rows, past their bounds too");

    ok(reprice(first, "") == 0, "nothing changes twice");

    ok(reprice(second, "until=1789999999999") == 0, "none is that old");
    ok(reprice(second, "") == ROWS - 2, "by another table");
    ok(ask_db("SELECT count(*) FROM log JOIN dict ON dict.id = price_source"
              " WHERE value = 'second'") > 0
       && ask_db("SELECT count(*) FROM log JOIN dict ON dict.id = price_source"
                 " WHERE value = 'first'") == 0, "which is named");
    ok(ask_db("SELECT count(*) FROM log WHERE cost_nano IS NOT NULL"
              " AND cost_nano NOT IN (0, 100000)") == 0,
       "by the day of the row; others lose their cost");
    ok(sums_agree(), "the sums follow");

    /* sums that are not kept any more do not come back */

    ok(edit_db("DELETE FROM service_minute; DELETE FROM series WHERE dim = 5;"
               " DELETE FROM who WHERE user = (SELECT id FROM dict"
               " WHERE value = 'user-1')"), "some sums are gone");
    ok(reprice(first, "") == ROWS - 2, "back to the first");
    ok(ask_db("SELECT count(*) FROM service_minute") == 0
       && ask_db("SELECT count(*) FROM series WHERE dim = 5") == 0
       && ask_db("SELECT count(*) FROM who WHERE requests = 0") == 0,
       "what is gone stays gone");
    ok(ask_db("SELECT sum(cost_nano) FROM service")
       == ask_db("SELECT sum(cost_nano) FROM log"), "what is there is right");

    prices = NULL;
    cleanup();
    llm_price_free(first);
    llm_price_free(second);

    return done_testing();
}
