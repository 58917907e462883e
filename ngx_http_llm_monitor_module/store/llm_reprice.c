
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_insert.h"
#include "llm_reprice.h"
#include "llm_row.h"


#define LLM_REPRICE_SQL   8192

enum {
    LLM_REPRICE_IDS = 0, LLM_REPRICE_SET, LLM_REPRICE_ROW,
    LLM_REPRICE_STATEMENTS
};

#define LLM_REPRICE_ID(column, name)                                          \
    "coalesce(" column ", -(over ->> '$." name "' IS NOT NULL))"

/* LLM_LEDGER_OTHER for a value that found the dictionary full */

static const char *const  llm_reprice_sql[] = {
    "SELECT " LLM_REPRICE_ID("account", "account_email")
        ", " LLM_REPRICE_ID("user", "user")
        ", " LLM_REPRICE_ID("api_key", "api_key")
        ", " LLM_REPRICE_ID("provider", "provider")
        ", " LLM_REPRICE_ID("model", "model")
        ", " LLM_REPRICE_ID("endpoint", "endpoint")
        ", " LLM_REPRICE_ID("client_ip", "client_ip")
        " FROM log WHERE id = ?1",
    "UPDATE log SET cost_nano = ?2, price_source = ?3,"
        " over = nullif(json_remove(over, '$.price_source'), '{}')"
        " WHERE id = ?1"
};


static int llm_reprice_ids(llm_writer_t *w, llm_price_finder_t *f,
    const int64_t *ids, int n, int *done, int64_t *changed);
static int llm_reprice_prepare(llm_writer_t *w, sqlite3_stmt **st);
static int llm_reprice_id(llm_writer_t *w, llm_price_finder_t *f,
    sqlite3_stmt **st, int64_t id, int64_t *changed);
static int llm_reprice_set(llm_writer_t *w, sqlite3_stmt **st,
    const llm_record_t *old, const llm_record_t *new);
static int llm_reprice_same(const llm_str_t *a, const llm_str_t *b);


int
llm_reprice_rows(llm_writer_t *w, llm_purge_t *p, llm_price_finder_t *f)
{
    int      n, done, rc;
    int64_t  ids[LLM_PURGE_ROWS], edge, changed;

    rc = llm_purge_find(w, p, ids, &n, &edge);

    if (rc != LLM_OK) {
        return rc;
    }

    if (n == 0) {
        p->last = edge;
        return LLM_OK;
    }

    if (llm_writer_begin(w) != LLM_OK) {
        return LLM_ERROR;
    }

    if (llm_reprice_ids(w, f, ids, n, &done, &changed) != LLM_OK
        || llm_writer_commit(w) != LLM_OK)
    {
        llm_writer_rollback(w);
        return LLM_ERROR;
    }

    p->last = (done == n && n < LLM_PURGE_ROWS) ? edge : ids[done - 1];
    p->deleted += changed;

    return LLM_OK;
}


/* In a transaction; at least one, the rest while there is time. */

static int
llm_reprice_ids(llm_writer_t *w, llm_price_finder_t *f, const int64_t *ids,
    int n, int *done, int64_t *changed)
{
    int            rc;
    int64_t        start;
    sqlite3_stmt  *st[LLM_REPRICE_STATEMENTS];

    *changed = 0;
    start = llm_control_now();

    rc = llm_reprice_prepare(w, st);

    for (*done = 0; *done < n && rc == LLM_OK; (*done)++) {

        if (*done > 0 && llm_control_now() - start >= LLM_PURGE_MS) {
            break;
        }

        rc = llm_reprice_id(w, f, st, ids[*done], changed);
    }

    llm_db_finalize(st, LLM_REPRICE_STATEMENTS);

    return rc;
}


static int
llm_reprice_prepare(llm_writer_t *w, sqlite3_stmt **st)
{
    int          rc;
    llm_buf_t    sql;
    const char  *text;

    memset(st, 0, LLM_REPRICE_STATEMENTS * sizeof(sqlite3_stmt *));

    llm_buf_init(&sql, LLM_REPRICE_SQL);

    llm_row_select(&sql, "log AS l");
    llm_buf_text(&sql, " AND l.id = ?1");
    llm_buf_add(&sql, "", 1);

    if (sql.failed != LLM_OK) {
        llm_buf_free(&sql);
        w->db.code = SQLITE_NOMEM;
        return LLM_ERROR;
    }

    text = (const char *) sql.data;

    rc = llm_db_prepare(&w->db, llm_reprice_sql, st, LLM_REPRICE_ROW);

    if (rc == LLM_OK) {
        rc = llm_db_prepare(&w->db, &text, &st[LLM_REPRICE_ROW], 1);
    }

    llm_buf_free(&sql);

    return rc;
}


static int
llm_reprice_id(llm_writer_t *w, llm_price_finder_t *f, sqlite3_stmt **st,
    int64_t id, int64_t *changed)
{
    int            rc;
    llm_row_t      row;
    llm_record_t   new;
    sqlite3_stmt  *stmt;

    stmt = st[LLM_REPRICE_ROW];

    (void) sqlite3_bind_int64(stmt, 1, id);

    rc = llm_db_row(&w->db, stmt);

    if (rc != LLM_OK) {
        return rc == LLM_DECLINED ? LLM_OK : LLM_ERROR;
    }

    llm_row_load(stmt, &row);

    new = row.record;

    llm_price_record(f, &new);

    if (new.num[LLM_N_COST_NANO] != row.record.num[LLM_N_COST_NANO]
        || !llm_reprice_same(&new.str[LLM_S_PRICE_SOURCE],
                             &row.record.str[LLM_S_PRICE_SOURCE]))
    {
        rc = llm_reprice_set(w, st, &row.record, &new);
        (*changed)++;
    }

    (void) sqlite3_reset(stmt);

    return rc;
}


static int
llm_reprice_set(llm_writer_t *w, sqlite3_stmt **st, const llm_record_t *old,
    const llm_record_t *new)
{
    int                 rc;
    int64_t             id, source;
    sqlite3_stmt       *stmt;
    llm_dict_key_t      key;
    const llm_str_t    *text;
    llm_ledger_ids_t    ids;

    stmt = st[LLM_REPRICE_IDS];
    id = old->num[LLM_N_ID];

    (void) sqlite3_bind_int64(stmt, 1, id);

    if (llm_db_row(&w->db, stmt) != LLM_OK) {
        return LLM_ERROR;
    }

    ids.account = sqlite3_column_int64(stmt, 0);
    ids.user = sqlite3_column_int64(stmt, 1);
    ids.api_key = sqlite3_column_int64(stmt, 2);
    ids.provider = sqlite3_column_int64(stmt, 3);
    ids.model = sqlite3_column_int64(stmt, 4);
    ids.endpoint = sqlite3_column_int64(stmt, 5);
    ids.ip = sqlite3_column_int64(stmt, 6);

    (void) sqlite3_reset(stmt);

    text = &new->str[LLM_S_PRICE_SOURCE];
    source = LLM_NULL;

    if (text->data != NULL) {
        llm_dict_key(&w->dict, &key, LLM_DICT_PRICE_SOURCE, text);

        rc = llm_dict_id(&w->dict, &key, (id >> LLM_ID_SHIFT) / LLM_DAY_MS, 1,
                         0, &source);

        /* there are too many tables: the cost is known without its source */

        if (rc == LLM_FULL) {
            source = LLM_NULL;

        } else if (rc != LLM_OK) {
            return LLM_ERROR;
        }
    }

    stmt = st[LLM_REPRICE_SET];

    (void) sqlite3_bind_int64(stmt, 1, id);
    llm_insert_bind_num(stmt, 2, new->num[LLM_N_COST_NANO]);
    llm_insert_bind_num(stmt, 3, source);

    if (llm_db_run(&w->db, stmt) != LLM_OK
        || llm_blocks_touch(&w->blocks, id) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_ledger_reprice(&w->ledger, old, &ids,
                              new->num[LLM_N_COST_NANO]);
}


static int
llm_reprice_same(const llm_str_t *a, const llm_str_t *b)
{
    return a->len == b->len && (a->data == NULL) == (b->data == NULL)
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}
