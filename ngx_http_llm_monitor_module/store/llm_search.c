
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include "llm_schema.h"
#include "llm_search.h"


static int llm_search_like(llm_search_t *s, const llm_str_t *needle);
static int llm_search_dict(llm_search_t *s, sqlite3 *db);
static int llm_search_all(llm_search_t *s);
static int llm_search_session(llm_search_t *s, int64_t id, int *found);
static int llm_search_one(llm_search_t *s, int64_t id);
static int llm_search_step(sqlite3_stmt *stmt, llm_idset_t *set, int *kinds);
static void llm_search_statuses(llm_search_t *s, const llm_str_t *needle);
static void llm_search_func(sqlite3_context *ctx, int argc,
    sqlite3_value **argv);


int
llm_search_setup(sqlite3 *db)
{
    int  rc;

    rc = sqlite3_create_function_v2(db, "llm_search", -1,
                                    SQLITE_UTF8|SQLITE_DETERMINISTIC
                                    |SQLITE_DIRECTONLY,
                                    NULL, llm_search_func, NULL, NULL, NULL);

    return rc == SQLITE_OK ? LLM_OK : LLM_ERROR;
}


int
llm_search_find(llm_search_t *s, sqlite3 *db, const llm_str_t *needle)
{
    int  rc;

    s->db = db;

    llm_search_statuses(s, needle);

    rc = llm_search_like(s, needle);

    if (rc == LLM_OK) {
        rc = llm_search_dict(s, db);
    }

    if (rc == LLM_OK && s->kinds == 0) {
        rc = llm_search_all(s);
    }

    return rc;
}


int
llm_search_sessions(const llm_search_t *s)
{
    return !s->all || s->session.n != 0;
}


void
llm_search_free(llm_search_t *s)
{
    sqlite3_finalize(s->stmt);

    llm_idset_free(&s->dict);
    llm_idset_free(&s->session);
    llm_idset_free(&s->asked);
}


/* the statuses whose digits hold the text */

static void
llm_search_statuses(llm_search_t *s, const llm_str_t *needle)
{
    int   i;
    char  text[16], word[4];

    if (needle->len > 3) {
        return;
    }

    memcpy(word, needle->data, needle->len);
    word[needle->len] = '\0';

    for (i = 0; i < LLM_SEARCH_STATUSES; i++) {
        snprintf(text, sizeof(text), "%d", i);

        if (strstr(text, word) == NULL) {
            continue;
        }

        s->status[i] = 1;

        if (s->statuses++ == 0) {
            s->status_min = i;
        }

        s->status_max = i;
    }
}


/* %, _ and the escape itself are plain characters */

static int
llm_search_like(llm_search_t *s, const llm_str_t *needle)
{
    char    *p;
    size_t   i;

    if (needle->len > LLM_SEARCH_NEEDLE) {
        return LLM_FULL;
    }

    p = s->like;
    *p++ = '%';

    for (i = 0; i < needle->len; i++) {

        switch (needle->data[i]) {

        case '%':
        case '_':
        case '\\':
            *p++ = '\\';
        }

        *p++ = (char) needle->data[i];
    }

    *p++ = '%';
    *p = '\0';

    return LLM_OK;
}


static int
llm_search_dict(llm_search_t *s, sqlite3 *db)
{
    size_t         i;
    sqlite3_stmt  *stmt;

    static const int  kinds[] = {
        LLM_DICT_METHOD, LLM_DICT_URL, LLM_DICT_MODEL, LLM_DICT_ACCOUNT,
        LLM_DICT_USER, LLM_DICT_CLAIMED_USER, LLM_DICT_IP
    };

    if (sqlite3_prepare_v2(db, "SELECT id, kind FROM dict WHERE kind IN"
                               " (?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                               " AND value LIKE ?1 ESCAPE '\\'", -1, &stmt,
                           NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    sqlite3_bind_text(stmt, 1, s->like, -1, SQLITE_STATIC);

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        sqlite3_bind_int(stmt, (int) i + 2, kinds[i]);
    }

    return llm_search_step(stmt, &s->dict, &s->kinds);
}


static int
llm_search_all(llm_search_t *s)
{
    int            rc, kinds;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(s->db, "SELECT id, 0 FROM session"
                               " WHERE sid LIKE ? ESCAPE '\\'", -1, &stmt,
                           NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    sqlite3_bind_text(stmt, 1, s->like, -1, SQLITE_STATIC);

    rc = llm_search_step(stmt, &s->session, &kinds);

    s->all = (rc == LLM_OK);

    return rc;
}


static int
llm_search_step(sqlite3_stmt *stmt, llm_idset_t *set, int *kinds)
{
    int  rc;

    *kinds = 0;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        if (llm_idset_add(set, sqlite3_column_int64(stmt, 0)) != LLM_OK) {
            break;
        }

        *kinds |= 1 << sqlite3_column_int(stmt, 1);
    }

    sqlite3_finalize(stmt);

    if (rc == SQLITE_ROW) {
        return LLM_NOMEM;
    }

    return rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}


static void
llm_search_func(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    int            i, rc, found;
    int64_t        v;
    llm_search_t  *s;

    s = argc < 3 ? NULL : sqlite3_value_pointer(argv[0], LLM_SEARCH_TYPE);

    if (s == NULL) {
        sqlite3_result_int(ctx, 0);
        return;
    }

    v = sqlite3_value_int64(argv[1]);
    found = (v > 0 && v < LLM_SEARCH_STATUSES && s->status[v]);

    for (i = 3; i < argc && !found; i++) {
        found = llm_idset_has(&s->dict, sqlite3_value_int64(argv[i]));
    }

    v = sqlite3_value_int64(argv[2]);

    if (!found && v != 0) {
        rc = llm_search_session(s, v, &found);

        if (rc != LLM_OK) {
            sqlite3_result_error_code(ctx, rc == LLM_NOMEM ? SQLITE_NOMEM
                                               : sqlite3_errcode(s->db));
            return;
        }
    }

    sqlite3_result_int(ctx, found);
}


static int
llm_search_session(llm_search_t *s, int64_t id, int *found)
{
    int  rc;

    if (!s->all && !llm_idset_has(&s->asked, id)) {

        rc = s->asked.n < LLM_SEARCH_SESSIONS ? llm_search_one(s, id)
                                              : llm_search_all(s);
        if (rc != LLM_OK) {
            return rc;
        }
    }

    *found = llm_idset_has(&s->session, id);

    return LLM_OK;
}


static int
llm_search_one(llm_search_t *s, int64_t id)
{
    int  rc;

    if (s->stmt == NULL) {

        if (sqlite3_prepare_v2(s->db, "SELECT 1 FROM session WHERE id = ?2"
                                      " AND sid LIKE ?1 ESCAPE '\\'", -1,
                               &s->stmt, NULL)
            != SQLITE_OK)
        {
            return LLM_ERROR;
        }

        sqlite3_bind_text(s->stmt, 1, s->like, -1, SQLITE_STATIC);
    }

    sqlite3_bind_int64(s->stmt, 2, id);

    rc = sqlite3_step(s->stmt);

    (void) sqlite3_reset(s->stmt);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return LLM_ERROR;
    }

    if (rc == SQLITE_ROW && llm_idset_add(&s->session, id) != LLM_OK) {
        return LLM_NOMEM;
    }

    return llm_idset_add(&s->asked, id) == LLM_OK ? LLM_OK : LLM_NOMEM;
}
