
/*
 * Copyright (C) llm_monitor contributors
 *
 * Texts and sessions that nothing refers to any more.
 */


#include "llm_purge.h"


#define LLM_PURGE_DICT   5000          /* ids of one slice */
#define LLM_PURGE_LEFT   20000         /* rows that may be left, to forget */

#define LLM_PURGE_LOG(field, column, kind, name)                              \
    " UNION ALL SELECT " #column " FROM log WHERE " #column " IS NOT NULL"

#define LLM_PURGE_SUM(table, column)                                          \
    " UNION ALL SELECT " column " FROM " table

static const char  llm_purge_forget_sql[] =
    "DELETE FROM dict WHERE id > ?1 AND id <= ?2 AND id NOT IN (SELECT 0"
    LLM_LOG_DICTS(LLM_PURGE_LOG)
    LLM_PURGE_SUM("service_minute", "provider")
    LLM_PURGE_SUM("service_minute", "model")
    LLM_PURGE_SUM("service_minute", "endpoint")
    LLM_PURGE_SUM("service", "provider")
    LLM_PURGE_SUM("service", "model")
    LLM_PURGE_SUM("service", "endpoint")
    LLM_PURGE_SUM("who", "account")
    LLM_PURGE_SUM("who", "user")
    LLM_PURGE_SUM("who", "api_key")
    LLM_PURGE_SUM("who", "provider")
    LLM_PURGE_SUM("who", "model")
    LLM_PURGE_SUM("series", "value")
    LLM_PURGE_SUM("health", "value")
    ")";


static int llm_purge_oldest(llm_writer_t *w, int64_t *row_ms,
    int64_t *ledger_ms);
static int llm_purge_forget_slice(llm_writer_t *w, int64_t *from);


int
llm_purge_unused(llm_writer_t *w, int64_t *from)
{
    int64_t  row_ms, ledger_ms, n;

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_oldest(w, &row_ms, &ledger_ms) != LLM_OK
        || llm_dict_sweep(&w->dict, row_ms / LLM_DAY_MS,
                          ledger_ms / LLM_DAY_MS, LLM_PURGE_DICT, from)
           != LLM_OK
        || llm_sessions_sweep(&w->sessions, row_ms, &n) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* Of an empty table: now, as what is used today is kept in any case. */

static int
llm_purge_oldest(llm_writer_t *w, int64_t *row_ms, int64_t *ledger_ms)
{
    int64_t  now, id, t;

    now = llm_wall_ms();

    if (llm_db_int(&w->db, "SELECT coalesce(min(id), 0) FROM log", &id)
        != LLM_OK
        || llm_db_int(&w->db,
                      "SELECT min((SELECT coalesce(min(t), 1 << 62)"
                      "  FROM service), (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM who), (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM series WHERE span = 86400000),"
                      " (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM health WHERE span = 3600000),"
                      " (SELECT coalesce(min(t), 1 << 62)"
                      "  FROM service_minute))", &t)
           != LLM_OK)
    {
        return LLM_ERROR;
    }

    *row_ms = id != 0 && id >> LLM_ID_SHIFT < now ? id >> LLM_ID_SHIFT : now;
    *ledger_ms = t < now ? t : now;

    return LLM_OK;
}


int
llm_purge_forget(llm_writer_t *w, int64_t *from)
{
    int64_t  left;

    if (llm_db_int(&w->db, "SELECT count(*) FROM log", &left) != LLM_OK) {
        return LLM_ERROR;
    }

    if (left > LLM_PURGE_LEFT) {

        /* so many came meanwhile that a slice would take too long */

        return llm_purge_unused(w, from);
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_forget_slice(w, from) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return LLM_OK;
}


static int
llm_purge_forget_slice(llm_writer_t *w, int64_t *from)
{
    int            rc;
    int64_t        last, n;
    const char    *sql;
    sqlite3_stmt  *st;

    sql = llm_purge_forget_sql;

    if (llm_db_int(&w->db, "SELECT coalesce(max(id), 0) FROM dict", &last)
        != LLM_OK
        || llm_db_prepare(&w->db, &sql, &st, 1) != LLM_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int64(st, 1, *from);
    (void) sqlite3_bind_int64(st, 2, *from + LLM_PURGE_DICT);

    rc = llm_db_run(&w->db, st);

    llm_db_finalize(&st, 1);

    if (rc != LLM_OK || llm_sessions_forget(&w->sessions, &n) != LLM_OK) {
        return LLM_ERROR;
    }

    llm_dict_reset(&w->dict);

    if (*from + LLM_PURGE_DICT < last) {
        *from += LLM_PURGE_DICT;

    } else {

        /* the texts are done, sessions perhaps not */

        *from = n > 0 ? last + 1 : 0;
    }

    return LLM_OK;
}
