
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>

#include "llm_dict.h"
#include "llm_hash.h"


struct llm_dict_node_s {
    llm_dict_node_t  *next;
    uint64_t          hash;
    int64_t           id;
    int64_t           used;
    int64_t           counted;
    size_t            len;
    int               kind;
    uint8_t           value[];
};


static const char *const  llm_dict_sql[LLM_DICT_STATEMENTS] = {
    "SELECT id, used, counted FROM dict WHERE kind = ?1 AND value = ?2",
    "INSERT INTO dict (kind, value, used, counted) VALUES (?1, ?2, ?3, ?4)",
    "UPDATE dict SET used = ?2, counted = ?3 WHERE id = ?1",
    ("DELETE FROM dict WHERE id > ?1 AND id <= ?2 AND used < ?3"
     " AND counted < ?4")
};

#define LLM_DICT_MAX(name, max)  max,

static const int64_t  llm_dict_max[LLM_DICT_COUNT] = {
    0, LLM_DICT_KINDS(LLM_DICT_MAX)
};


static int llm_dict_totals(llm_dict_t *d);
static int llm_dict_load(llm_dict_t *d, const llm_dict_key_t *key,
    llm_dict_node_t **found);
static int llm_dict_add(llm_dict_t *d, const llm_dict_key_t *key,
    int64_t used, int64_t counted, llm_dict_node_t **added);
static llm_dict_node_t *llm_dict_node(llm_dict_t *d,
    const llm_dict_key_t *key);
static int llm_dict_touch(llm_dict_t *d, llm_dict_node_t *node, int64_t used,
    int64_t counted);


int
llm_dict_open(llm_dict_t *d, llm_db_t *db)
{
    memset(d, 0, sizeof(llm_dict_t));

    d->db = db;
    d->seed = llm_hash_seed();
    d->stale = 1;
    d->buckets = calloc(LLM_DICT_BUCKETS, sizeof(llm_dict_node_t *));

    if (d->buckets == NULL) {
        return LLM_NOMEM;
    }

    return llm_db_prepare(db, llm_dict_sql, d->st, LLM_DICT_STATEMENTS);
}


void
llm_dict_close(llm_dict_t *d)
{
    if (d->buckets != NULL) {
        llm_dict_reset(d);
        free(d->buckets);
        d->buckets = NULL;
    }

    llm_db_finalize(d->st, LLM_DICT_STATEMENTS);
}


void
llm_dict_reset(llm_dict_t *d)
{
    size_t            i;
    llm_dict_node_t  *node, *next;

    for (i = 0; i < LLM_DICT_BUCKETS && d->cached > 0; i++) {

        for (node = d->buckets[i]; node != NULL; node = next) {
            next = node->next;
            free(node);
            d->cached--;
        }

        d->buckets[i] = NULL;
    }

    d->stale = 1;
}


static int
llm_dict_totals(llm_dict_t *d)
{
    int            rc, kind;
    sqlite3_stmt  *st;

    static const char *const  sql =
        "SELECT kind, count(*) FROM dict GROUP BY kind";

    if (llm_db_prepare(d->db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    memset(d->total, 0, sizeof(d->total));

    while ((rc = llm_db_row(d->db, st)) == LLM_OK) {
        kind = sqlite3_column_int(st, 0);

        if (kind > 0 && kind < LLM_DICT_COUNT) {
            d->total[kind] = sqlite3_column_int64(st, 1);
        }
    }

    llm_db_finalize(&st, 1);

    if (rc != LLM_DECLINED) {
        return LLM_ERROR;
    }

    d->stale = 0;

    return LLM_OK;
}


void
llm_dict_key(llm_dict_t *d, llm_dict_key_t *key, int kind,
    const llm_str_t *value)
{
    key->kind = kind;
    key->value = *value;
    key->hash = 0;

    if (value->len <= LLM_DICT_VALUE_MAX) {
        key->hash = llm_hash(d->seed + kind, value->data, value->len);
        __builtin_prefetch(&d->buckets[key->hash % LLM_DICT_BUCKETS]);
    }
}


void
llm_dict_fetch(llm_dict_t *d, const llm_dict_key_t *key)
{
    llm_dict_node_t  *node;

    node = d->buckets[key->hash % LLM_DICT_BUCKETS];

    if (node != NULL) {
        __builtin_prefetch(node);
        __builtin_prefetch(node->value + key->value.len);
    }
}


int
llm_dict_id(llm_dict_t *d, const llm_dict_key_t *key, int64_t day, int row,
    int ledger, int64_t *id)
{
    int               rc;
    int64_t           used, counted;
    llm_dict_node_t  *node;

    if (key->value.len > LLM_DICT_VALUE_MAX) {
        return LLM_FULL;
    }

    used = row ? day : 0;
    counted = ledger ? day : 0;

    for (node = d->buckets[key->hash % LLM_DICT_BUCKETS];
         node != NULL;
         node = node->next)
    {
        if (node->hash == key->hash && node->kind == key->kind
            && node->len == key->value.len
            && memcmp(node->value, key->value.data, key->value.len) == 0)
        {
            break;
        }
    }

    if (node == NULL) {
        rc = llm_dict_load(d, key, &node);

        if (rc == LLM_DECLINED) {
            rc = llm_dict_add(d, key, used, counted, &node);
        }

        if (rc != LLM_OK) {
            return rc;
        }
    }

    if ((used > node->used || counted > node->counted)
        && llm_dict_touch(d, node, used, counted) != LLM_OK)
    {
        return LLM_ERROR;
    }

    *id = node->id;

    return LLM_OK;
}


static int
llm_dict_load(llm_dict_t *d, const llm_dict_key_t *key,
    llm_dict_node_t **found)
{
    int               rc;
    sqlite3_stmt     *st;
    llm_dict_node_t  *node;

    st = d->st[LLM_DICT_FIND];

    (void) sqlite3_bind_int(st, 1, key->kind);
    (void) sqlite3_bind_text(st, 2, (const char *) key->value.data,
                             (int) key->value.len, SQLITE_STATIC);

    rc = llm_db_row(d->db, st);

    if (rc != LLM_OK) {
        return rc;
    }

    node = llm_dict_node(d, key);

    if (node != NULL) {
        node->id = sqlite3_column_int64(st, 0);
        node->used = sqlite3_column_int64(st, 1);
        node->counted = sqlite3_column_int64(st, 2);
        *found = node;
    }

    (void) sqlite3_reset(st);

    return node != NULL ? LLM_OK : LLM_FULL;
}


static int
llm_dict_add(llm_dict_t *d, const llm_dict_key_t *key, int64_t used,
    int64_t counted, llm_dict_node_t **added)
{
    sqlite3_stmt     *st;
    llm_dict_node_t  *node;

    if (d->stale && llm_dict_totals(d) != LLM_OK) {
        return LLM_ERROR;
    }

    if (d->total[key->kind] >= llm_dict_max[key->kind]) {
        return LLM_FULL;
    }

    st = d->st[LLM_DICT_INSERT];

    (void) sqlite3_bind_int(st, 1, key->kind);
    (void) sqlite3_bind_text(st, 2, (const char *) key->value.data,
                             (int) key->value.len, SQLITE_STATIC);
    (void) sqlite3_bind_int64(st, 3, used);
    (void) sqlite3_bind_int64(st, 4, counted);

    if (llm_db_run(d->db, st) != LLM_OK) {
        return LLM_ERROR;
    }

    d->total[key->kind]++;

    node = llm_dict_node(d, key);

    if (node == NULL) {
        return LLM_FULL;
    }

    node->id = sqlite3_last_insert_rowid(d->db->handle);
    node->used = used;
    node->counted = counted;
    *added = node;

    return LLM_OK;
}


static llm_dict_node_t *
llm_dict_node(llm_dict_t *d, const llm_dict_key_t *key)
{
    int                stale;
    llm_dict_node_t   *node;
    const llm_str_t   *value;
    llm_dict_node_t  **bucket;

    value = &key->value;

    if (d->cached == LLM_DICT_CACHED) {
        stale = d->stale;
        llm_dict_reset(d);
        d->stale = stale;
    }

    node = malloc(sizeof(llm_dict_node_t) + value->len);

    if (node == NULL) {
        return NULL;
    }

    node->hash = key->hash;
    node->kind = key->kind;
    node->len = value->len;

    if (value->len > 0) {
        memcpy(node->value, value->data, value->len);
    }

    bucket = &d->buckets[key->hash % LLM_DICT_BUCKETS];

    node->next = *bucket;
    *bucket = node;
    d->cached++;

    return node;
}


static int
llm_dict_touch(llm_dict_t *d, llm_dict_node_t *node, int64_t used,
    int64_t counted)
{
    sqlite3_stmt  *st;

    if (used > node->used) {
        node->used = used;
    }

    if (counted > node->counted) {
        node->counted = counted;
    }

    st = d->st[LLM_DICT_TOUCH];

    (void) sqlite3_bind_int64(st, 1, node->id);
    (void) sqlite3_bind_int64(st, 2, node->used);
    (void) sqlite3_bind_int64(st, 3, node->counted);

    return llm_db_run(d->db, st);
}


int
llm_dict_sweep(llm_dict_t *d, int64_t row_day, int64_t ledger_day,
    int64_t slice, int64_t *from)
{
    int64_t        last;
    sqlite3_stmt  *st;

    last = 0;

    if (llm_db_int(d->db, "SELECT max(id) FROM dict", &last) == LLM_ERROR) {
        return LLM_ERROR;
    }

    st = d->st[LLM_DICT_DELETE];

    (void) sqlite3_bind_int64(st, 1, *from);
    (void) sqlite3_bind_int64(st, 2, *from + slice);
    (void) sqlite3_bind_int64(st, 3, row_day);
    (void) sqlite3_bind_int64(st, 4, ledger_day);

    if (llm_db_run(d->db, st) != LLM_OK) {
        return LLM_ERROR;
    }

    if (sqlite3_changes(d->db->handle) > 0) {
        llm_dict_reset(d);
    }

    *from += slice;

    if (*from >= last) {
        *from = 0;
    }

    return LLM_OK;
}
