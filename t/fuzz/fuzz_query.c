
/*
 * Copyright (C) llm_monitor contributors
 *
 * A query string is refused, or its filter survives being packed and its
 * condition is SQL that runs; what it says is a value there, never a part of
 * the statement.
 */


#include <sqlite3.h>
#include <stdio.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/store/llm_schema.h"
#include "../../ngx_http_llm_monitor_module/store/llm_where.h"


#define NOW    1795249800250
#define PACK   65536
#define STEPS  100000        /* instructions of SQLite that no filter needs */


static sqlite3  *db;


static int
too_long(void *data)
{
    abort();
}


static void
setup(void)
{
    int          i;
    const char  *sql;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK
        || llm_where_setup(db) != LLM_OK)
    {
        abort();
    }

    for (i = 0; (sql = llm_schema_step(i)) != NULL; i++) {
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            abort();
        }
    }

    sql = "INSERT INTO dict (kind, value, used, counted)"
          " VALUES (7, 'a@b', 0, 0), (8, 'u', 0, 0), (6, 'm', 0, 0),"
          " (5, 'p', 0, 0), (1, 'POST', 0, 0);"
          "INSERT INTO log (id, seq, failed, status, model, account)"
          " VALUES (1, 1, 0, 200, 3, 1), (2, 2, 1, 500, 3, 1)";

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        abort();
    }

    sqlite3_progress_handler(db, STEPS, too_long, NULL);
}


static void
run(const llm_filter_t *f)
{
    char           sql[16384];
    llm_where_t   *w;
    sqlite3_stmt  *stmt;

    if (llm_where_create(&w, db, f) != LLM_OK) {
        abort();
    }

    if (snprintf(sql, sizeof(sql), "SELECT l.id FROM log AS l WHERE 1%s",
                 llm_where_text(w)) >= (int) sizeof(sql)
        || sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK
        || sqlite3_bind_parameter_count(stmt) != llm_where_params(w)
        || llm_where_bind(w, stmt) != LLM_OK)
    {
        abort();
    }

    while (sqlite3_step(stmt) == SQLITE_ROW) { /* void */ }

    if (sqlite3_finalize(stmt) != SQLITE_OK) {
        abort();
    }

    llm_where_free(w);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 rc, what;
    size_t              n, again;
    uint8_t            *text, *packed, *twice;
    llm_str_t           query;
    llm_filter_t       *f, *copy;
    llm_query_error_t   err;

    if (db == NULL) {
        setup();
    }

    what = LLM_FOR_LIST + fuzz_byte(&data, &size) % LLM_FOR_NOTHING;
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
