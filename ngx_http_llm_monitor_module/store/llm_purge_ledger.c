
/*
 * Copyright (C) llm_monitor contributors
 *
 * The ledger's own retention: what is older than stats=, and what is finer
 * than an hour after LLM_FINE_MS.
 */


#include "llm_purge.h"


#define LLM_PURGE_LEDGER_ROWS  "500"     /* of one statement */


/* the oldest first; ?1: older than stats= says, ?2: of the fine ones */

#define LLM_PURGE_SERVICE(table, when)                                        \
    "DELETE FROM " table " WHERE (t, provider, model, endpoint, operation,"   \
    " stream, status, outcome) IN (SELECT t, provider, model, endpoint,"      \
    " operation, stream, status, outcome FROM " table " WHERE t < " when      \
    " LIMIT " LLM_PURGE_LEDGER_ROWS ")"

#define LLM_PURGE_NARROW(table, span, when)                                   \
    "DELETE FROM " table " WHERE (span, t, dim, value) IN"                    \
    " (SELECT span, t, dim, value FROM " table " WHERE span = " span          \
    " AND t < " when " LIMIT " LLM_PURGE_LEDGER_ROWS ")"

/* copies go before what they are copies of */

#define LLM_PURGE_PACKED(span)                                                \
    "DELETE FROM packed WHERE id IN (SELECT id FROM packed WHERE span = "     \
    span " AND t < ?1 LIMIT 20)"

/* of days without sums the rows are not known by them, should some come late */

#define LLM_PURGE_GONE                                                        \
    "WITH RECURSIVE day (t) AS (SELECT min(t) FROM series WHERE span ="       \
    " 86400000 UNION ALL SELECT t + 86400000 FROM day WHERE t + 86400000"     \
    " < ?1 AND t < (SELECT max(t) FROM series WHERE span = 86400000))"        \
    " INSERT INTO gone SELECT t FROM day WHERE t < ?1"                        \
    " ON CONFLICT DO NOTHING"

static const char *const  llm_purge_ledger_sql[] = {
    LLM_PURGE_GONE,
    LLM_PURGE_PACKED("900000"),
    LLM_PURGE_PACKED("86400000"),
    LLM_PURGE_SERVICE("service_minute", "max(?1, ?2)"),
    LLM_PURGE_SERVICE("service", "?1"),
    "DELETE FROM who WHERE (t, account, user, api_key, provider, model,"
        " operation, class) IN (SELECT t, account, user, api_key, provider,"
        " model, operation, class FROM who WHERE t < ?1"
        " LIMIT " LLM_PURGE_LEDGER_ROWS ")",
    LLM_PURGE_NARROW("series", "900000", "?1"),
    LLM_PURGE_NARROW("series", "86400000", "?1"),
    LLM_PURGE_NARROW("health", "60000", "max(?1, ?2)"),
    LLM_PURGE_NARROW("health", "900000", "max(?1, ?2)"),
    LLM_PURGE_NARROW("health", "3600000", "?1")
};

#define LLM_PURGE_LEDGER                                                      \
    ((int) (sizeof(llm_purge_ledger_sql) / sizeof(char *)))


static int llm_purge_times(llm_writer_t *w, int64_t ms, int64_t fine_ms,
    int *more);


int
llm_purge_ledger(llm_writer_t *w, int64_t ms, int64_t fine_ms)
{
    int  more;

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_purge_times(w, ms, fine_ms, &more) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    return more ? LLM_OK : LLM_AGAIN;
}


/* While there is time; what is known of the tables is forgotten. */

static int
llm_purge_times(llm_writer_t *w, int64_t ms, int64_t fine_ms, int *more)
{
    int            i, rc, changed;
    int64_t        start;
    sqlite3_stmt  *st[LLM_PURGE_LEDGER];

    *more = 0;

    if (llm_db_prepare(&w->db, llm_purge_ledger_sql, st, LLM_PURGE_LEDGER)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;
    changed = 0;
    start = llm_control_now();

    for (i = 0; i < LLM_PURGE_LEDGER && rc == LLM_OK; /* void */ ) {

        if (llm_control_now() - start >= LLM_PURGE_MS) {
            *more = 1;
            break;
        }

        (void) sqlite3_bind_int64(st[i], 1, ms != LLM_NULL ? ms : INT64_MAX);

        /* not all of them have it */

        (void) sqlite3_bind_int64(st[i], 2, fine_ms);

        rc = llm_db_run(&w->db, st[i]);

        if (rc == LLM_OK && sqlite3_changes(w->db.handle) == 0) {
            i++;

        } else {
            changed = 1;
        }
    }

    llm_db_finalize(st, LLM_PURGE_LEDGER);

    if (changed) {
        llm_ledger_reset(&w->ledger);
    }

    return rc;
}
