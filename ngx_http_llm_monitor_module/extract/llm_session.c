
/*
 * Copyright (C) llm_monitor contributors
 */


#define _GNU_SOURCE

#include <string.h>

#include "../record/llm_text.h"
#include "llm_json.h"
#include "llm_session.h"
#include "llm_siphash.h"


#define LLM_SESSION_ID     256
#define LLM_SESSION_TAIL   16     /* a shorter key would be told by its tail */


typedef struct {
    llm_request_t   *request;
    int              source;
    int              rank;
} llm_session_walk_t;


static int llm_session_value(void *data, const char *path, int number,
    const llm_str_t *value);
static const uint8_t *llm_session_find(const uint8_t *p, size_t n,
    const char *text);


void
llm_session_offer(llm_request_t *q, const llm_str_t *id, int source, int rank)
{
    if ((q->session_rank != 0 && rank >= q->session_rank)
        || !llm_session_valid(id))
    {
        return;
    }

    llm_slot_set(&q->session, q->pool, id->data, id->len, LLM_SESSION_ID);

    q->session_rank = rank;
    q->session_source = source;
}


int
llm_session_valid(const llm_str_t *id)
{
    size_t   i;
    uint8_t  c, l;

    if (id->data == NULL || id->len == 0 || id->len > LLM_SESSION_ID) {
        return 0;
    }

    for (i = 0; i < id->len; i++) {
        c = id->data[i];
        l = c | 0x20;

        if ((l < 'a' || l > 'z') && (c < '0' || c > '9') && c != '_'
            && c != '-' && c != '.' && c != ':')
        {
            return 0;
        }
    }

    return 1;
}


void
llm_session_user_id(llm_request_t *q, const llm_str_t *id)
{
    llm_str_t       part;
    const uint8_t  *p;

    static const char  mark[] = "_session_";

    if (id->len != 0 && id->data[0] == '{') {
        llm_session_metadata(q, id, 200);

        if (q->session_rank == 200) {
            q->session_source = LLM_SESSION_USER_ID;
        }

        return;
    }

    p = llm_session_find(id->data, id->len, mark);

    if (p != NULL) {
        part.data = p + sizeof(mark) - 1;
        part.len = id->data + id->len - part.data;
        llm_session_offer(q, &part, LLM_SESSION_USER_ID, 200);
    }
}


void
llm_session_metadata(llm_request_t *q, const llm_str_t *text, int rank)
{
    llm_session_walk_t  walk;

    walk.request = q;
    walk.source = LLM_SESSION_HEADER;
    walk.rank = rank;

    (void) llm_json_walk(text->data, text->len, q->pool->mem,
                         llm_session_value, &walk);
}


static int
llm_session_value(void *data, const char *path, int number,
    const llm_str_t *value)
{
    llm_session_walk_t  *walk = data;

    if (strcmp(path, "session_id") == 0) {
        llm_session_offer(walk->request, value, walk->source, walk->rank);

    } else if (strcmp(path, "thread_id") == 0) {
        llm_session_offer(walk->request, value, walk->source, walk->rank + 1);
    }

    return 0;
}


/*
 * SipHash and not SHA-256, whose shortest message costs more than all else
 * that is done for a small exchange; the key keeps the text unguessable, and
 * 64 bits do for telling conversations of one key apart.
 */

void
llm_session_derive(llm_request_t *q, const llm_str_t *account)
{
    int        i;
    uint8_t    name[8], *hex;
    uint64_t   hash[2];

    if (q->session_rank != 0 || !q->has_text) {
        return;
    }

    hash[0] = q->key_hash;
    hash[1] = q->text_hash;

    if (account->len != 0) {
        hash[0] = llm_siphash(q->salt, account->data, account->len);
    }

    hash[0] = llm_siphash(q->salt, (uint8_t *) hash, sizeof(hash));

    for (i = 0; i < 8; i++) {
        name[i] = (uint8_t) (hash[0] >> (56 - 8 * i));
    }

    hex = llm_pool_alloc(q->pool, 2 * sizeof(name));

    if (hex == NULL) {
        return;
    }

    llm_text_hex(hex, name, sizeof(name));

    q->session.data = hex;
    q->session.len = 2 * sizeof(name);
    q->session.cap = 2 * sizeof(name);
    q->session_rank = 255;
    q->session_source = LLM_SESSION_TEXT;
}


int64_t
llm_session_owner(const uint8_t *salt, const llm_str_t *user, int trusted,
    const llm_str_t *account)
{
    uint64_t  hash[2];

    if (user->len != 0) {
        hash[0] = llm_siphash(salt, user->data, user->len);
        hash[1] = trusted ? 1 : 2;

    } else if (account->len != 0) {
        hash[0] = llm_siphash(salt, account->data, account->len);
        hash[1] = 3;

    } else {
        return 0;
    }

    hash[0] = llm_siphash(salt, (uint8_t *) hash, sizeof(hash));

    return (int64_t) (hash[0] + (hash[0] == 0));
}


void
llm_session_key(llm_request_t *q, const uint8_t *p, size_t n, int rank)
{
    if (n == 0 || (q->key_rank != 0 && rank >= q->key_rank)) {
        return;
    }

    q->key_rank = rank;
    q->key_hash = llm_siphash(q->salt, p, n);

    /* 0 says that there is no key */
    q->key_hash += q->key_hash == 0;

    q->has_tail = n >= LLM_SESSION_TAIL;

    if (q->has_tail) {
        memcpy(q->tail, p + n - sizeof(q->tail), sizeof(q->tail));
    }
}


static const uint8_t *
llm_session_find(const uint8_t *p, size_t n, const char *text)
{
    return memmem(p, n, text, strlen(text));
}
