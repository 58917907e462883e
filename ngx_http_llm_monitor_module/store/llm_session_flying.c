
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sessions with an exchange in flight, whatever the table says of them, or if
 * it does not know them yet.
 */


#include <stdlib.h>
#include <string.h>
#include "llm_session_page.h"


static int llm_session_flying_same(const void *one, const void *two);
static int llm_session_flying_newest(const void *one, const void *two);
static int llm_session_find(llm_session_page_t *p,
    const llm_session_flying_t *flying, llm_session_t *s);


int
llm_session_flying(llm_session_page_t *p)
{
    size_t                 i, n;
    llm_session_flying_t  *all;

    if (p->flights->n == 0) {
        return LLM_OK;
    }

    all = calloc(p->flights->n, sizeof(llm_session_flying_t));
    if (all == NULL) {
        return LLM_NOMEM;
    }

    p->flying = all;
    n = 0;

    for (i = 0; i < p->flights->n; i++) {

        if (llm_session_flight(&p->flights->facts[i], &all[n].name)
            == LLM_OK)
        {
            all[n].id = p->flights->facts[i].id;
            all[n].key = p->flights->facts[i].key;
            n++;
        }
    }

    qsort(all, n, sizeof(llm_session_flying_t), llm_session_flying_same);

    for (i = 0; i < n; i++) {

        if (i + 1 < n
            && all[i].key == all[i + 1].key
            && all[i].name.len == all[i + 1].name.len
            && memcmp(all[i].name.data, all[i + 1].name.data,
                      all[i].name.len)
               == 0)
        {
            continue;
        }

        all[p->nflying++] = all[i];
    }

    qsort(all, p->nflying, sizeof(llm_session_flying_t),
          llm_session_flying_newest);

    return LLM_OK;
}


static int
llm_session_flying_same(const void *one, const void *two)
{
    int                          rc;
    const llm_session_flying_t  *a, *b;

    a = one;
    b = two;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }

    if (a->name.len != b->name.len) {
        return a->name.len < b->name.len ? -1 : 1;
    }

    rc = memcmp(a->name.data, b->name.data, a->name.len);

    return rc != 0 ? rc : (a->id > b->id) - (a->id < b->id);
}


static int
llm_session_flying_newest(const void *one, const void *two)
{
    const llm_session_flying_t  *a, *b;

    a = one;
    b = two;

    return (a->id < b->id) - (a->id > b->id);
}


int
llm_session_page_flying(llm_session_page_t *p)
{
    int                          rc;
    size_t                       i;
    llm_session_t                s;
    const llm_session_flying_t  *flying;

    if (sqlite3_prepare_v2(p->sr.reader->db,
                           "SELECT id, sid, key_hash, last_ms FROM session"
                           " WHERE sid = ? AND key_hash = ?", -1, &p->find,
                           NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;

    for (i = 0; i < p->nflying && rc == LLM_OK && !p->more; i++) {
        flying = &p->flying[i];

        if (flying->id >= p->id) {
            continue;
        }

        rc = llm_session_find(p, flying, &s);

        if (rc == LLM_OK) {
            rc = llm_session_page_add(p, &s, 0);
        }

        if (rc == LLM_OK && !p->more) {
            p->id = flying->id;
            p->moved = 1;
        }
    }

    if (rc == LLM_OK && !p->more) {
        p->value = INT64_MAX - 1;
        p->id = INT64_MAX;
    }

    return rc;
}


/* One that is not in the table yet has no id. */

static int
llm_session_find(llm_session_page_t *p, const llm_session_flying_t *flying,
    llm_session_t *s)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = p->find;

    (void) sqlite3_bind_text(stmt, 1, (const char *) flying->name.data,
                             (int) flying->name.len, SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, flying->key);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        llm_session_load(stmt, s);

    } else {
        s->id = 0;
        s->key = flying->key;
        s->last_ms = LLM_NULL;
        s->name = flying->name;
    }

    (void) sqlite3_reset(stmt);

    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LLM_OK : LLM_ERROR;
}
