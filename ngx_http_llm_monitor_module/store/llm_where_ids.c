
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_where_ids.h"


int
llm_where_id(sqlite3 *db, int kind, const llm_str_t *value, int64_t *id)
{
    int            rc;
    sqlite3_stmt  *stmt;

    *id = 0;

    rc = sqlite3_prepare_v2(db, "SELECT id FROM dict "
                                "WHERE kind = ? AND value = ?", -1, &stmt,
                            NULL);

    if (rc != SQLITE_OK) {
        return LLM_ERROR;
    }

    sqlite3_bind_int(stmt, 1, kind);
    sqlite3_bind_text(stmt, 2, (const char *) value->data, (int) value->len,
                      SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);
    }

    sqlite3_finalize(stmt);

    return (rc == SQLITE_ROW || rc == SQLITE_DONE) ? LLM_OK : LLM_ERROR;
}


/* Mostly one; with too many the filter is partial. */

int
llm_where_keys(sqlite3 *db, const char *min, const char *max,
    const llm_str_t *tail, llm_sift_t *sift)
{
    int            rc;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, "SELECT id FROM dict WHERE kind = ?1"
                           " AND value >= ?2 AND substr(value, 1, 16) <= ?3"
                           " AND (?4 IS NULL OR substr(value, 17) = ?4)", -1,
                           &stmt, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    (void) sqlite3_bind_int(stmt, 1, LLM_DICT_KEY);
    (void) sqlite3_bind_text(stmt, 2, min, -1, SQLITE_STATIC);
    (void) sqlite3_bind_text(stmt, 3, max, -1, SQLITE_STATIC);

    if (tail->data != NULL) {
        (void) sqlite3_bind_text(stmt, 4, (const char *) tail->data,
                                 (int) tail->len, SQLITE_STATIC);
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !sift->partial) {
        llm_sift_id(sift, sqlite3_column_int64(stmt, 0));
    }

    sqlite3_finalize(stmt);

    return (rc == SQLITE_ROW || rc == SQLITE_DONE) ? LLM_OK : LLM_ERROR;
}
