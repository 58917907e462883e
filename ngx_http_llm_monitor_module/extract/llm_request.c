
/*
 * Copyright (C) llm_monitor contributors
 */


#define _GNU_SOURCE

#include <string.h>

#include "../record/llm_record.h"
#include "../record/llm_text.h"
#include "llm_bytes.h"
#include "llm_percent.h"
#include "llm_request.h"
#include "llm_session.h"
#include "llm_value.h"


#define LLM_REQUEST_NAME   256    /* bytes of a model, user or id */
#define LLM_REQUEST_KEY    512    /* bytes of an API key that are looked at */

/* ranks of session ids: headers from 10, body from 100, user_id from 200 */

#define LLM_RANK_CODEX     20
#define LLM_RANK_VENDOR    16     /* any x-...-session-id */


enum {
    LLM_Q_MODEL = 1,
    LLM_Q_STREAM,
    LLM_Q_MESSAGES,
    LLM_Q_CONTENTS,
    LLM_Q_INPUT,
    LLM_Q_PROMPT,
    LLM_Q_MESSAGE,
    LLM_Q_ROLE,
    LLM_Q_TEXT,
    LLM_Q_TOOLS,
    LLM_Q_USER,
    LLM_Q_USER_ID,
    LLM_Q_SAFETY,
    LLM_Q_PREVIOUS,
    LLM_Q_SESSION         /* + rank above 100 */
};


typedef struct {
    const char  *name;
    uint8_t      len;
    uint8_t      rank;
} llm_request_name_t;

#define llm_request_name(name, rank)   { name, sizeof(name) - 1, rank }

typedef struct {
    llm_request_t              *request;
    const llm_exchange_conf_t  *conf;
} llm_request_walk_t;


static int llm_request_header(void *data, const llm_str_t *name,
    const llm_str_t *value);
static int llm_request_rank(const llm_request_name_t *names,
    const llm_str_t *name);
static LLM_APART void llm_request_authorization(llm_request_t *q,
    const llm_str_t *value);
static void llm_request_query(llm_request_t *q, const llm_str_t *query);
static int llm_request_redacted(const llm_exchange_conf_t *conf,
    const llm_str_t *name);
static LLM_APART void llm_request_string(llm_request_t *q, int field,
    const llm_scan_value_t *v);
static int llm_request_role(const llm_scan_value_t *v);
static LLM_APART void llm_request_text(llm_request_t *q, int field,
    const llm_scan_value_t *v);
static int llm_request_text_end(llm_request_t *q, const llm_scan_value_t *v,
    uint64_t *hash);
static LLM_APART void llm_request_name_set(llm_request_t *q, int rank,
    const llm_scan_value_t *v);
static LLM_APART void llm_request_session(llm_request_t *q, int rank,
    const llm_scan_value_t *v);
static llm_str_t llm_request_unescape(uint8_t *buf,
    const llm_scan_value_t *v);


static const llm_key_t  llm_request_parts[] = {
    llm_key_pieces("text", LLM_Q_TEXT, NULL),
    llm_key_end
};

static const llm_key_t  llm_request_message[] = {
    llm_key("role", LLM_Q_ROLE),
    llm_key_pieces("content", LLM_Q_TEXT, llm_request_parts),
    llm_key_in("parts", 0, llm_request_parts),
    llm_key_end
};

static const llm_key_t  llm_request_metadata[] = {
    llm_key("user_id", LLM_Q_USER_ID),
    llm_key("session_id", LLM_Q_SESSION),
    llm_key_end
};

static const llm_key_t  llm_request_conversation[] = {
    llm_key("id", LLM_Q_SESSION + 3),
    llm_key_end
};

static const llm_key_t  llm_request_tool_config[] = {
    llm_key("tools", LLM_Q_TOOLS),
    llm_key_end
};

static const llm_key_t  llm_request_keys[] = {
    llm_key("model", LLM_Q_MODEL),
    llm_key_in("messages", LLM_Q_MESSAGES, llm_request_message),
    llm_key_none("temperature"),
    llm_key_none("max_tokens"),
    llm_key("stream", LLM_Q_STREAM),
    llm_key("tools", LLM_Q_TOOLS),
    llm_key("user", LLM_Q_USER),
    llm_key_in("metadata", 0, llm_request_metadata),
    llm_key_pieces("input", LLM_Q_INPUT, llm_request_message),
    llm_key_in("contents", LLM_Q_CONTENTS, llm_request_message),
    llm_key_pieces("prompt", LLM_Q_PROMPT, NULL),
    llm_key_pieces("message", LLM_Q_MESSAGE, NULL),
    llm_key("functions", LLM_Q_TOOLS),
    llm_key_in("toolConfig", 0, llm_request_tool_config),
    llm_key("previous_response_id", LLM_Q_PREVIOUS),
    llm_key("safety_identifier", LLM_Q_SAFETY),
    llm_key("litellm_session_id", LLM_Q_SESSION + 1),
    llm_key("prompt_cache_key", LLM_Q_SESSION + 2),
    llm_key_in("conversation", LLM_Q_SESSION + 3, llm_request_conversation),
    llm_key("session_id", LLM_Q_SESSION + 4),
    llm_key_end
};

const llm_key_t  llm_request_root = llm_key_in("", 0, llm_request_keys);


static const llm_request_name_t  llm_request_sessions[] = {
    llm_request_name("session_id", 10),
    llm_request_name("session-id", 11),
    llm_request_name("thread-id", 12),
    llm_request_name("conversation_id", 13),
    llm_request_name("x-session-id", 14),
    { NULL, 0, 0 }
};

static const llm_request_name_t  llm_request_api_keys[] = {
    llm_request_name("x-api-key", 2),
    llm_request_name("api-key", 3),
    llm_request_name("x-goog-api-key", 4),
    { NULL, 0, 0 }
};


void
llm_request_init(llm_request_t *q, llm_pool_t *pool, const uint8_t *salt)
{
    memset(q, 0, sizeof(llm_request_t));

    q->pool = pool;
    q->salt = salt;
    q->messages = -1;
    q->tools = -1;
    q->input = -1;
    q->stream = -1;
}


void
llm_request_headers(llm_request_t *q, const llm_head_t *head,
    const llm_exchange_conf_t *conf)
{
    llm_request_walk_t  walk;

    walk.request = q;
    walk.conf = conf;

    if (head->each != NULL) {
        head->each(head->headers, llm_request_header, &walk);
    }

    if (q->key_rank == 0 && head->query.len != 0) {
        llm_request_query(q, &head->query);
    }
}


static int
llm_request_header(void *data, const llm_str_t *name, const llm_str_t *value)
{
    int                  rank;
    llm_request_t       *q;
    llm_request_walk_t  *walk = data;

    q = walk->request;

    if (name->len < 7 || value->len == 0) {
        return 0;
    }

    /* most headers are of no interest, and their first letter tells it */

    switch (name->data[0]) {

    case 'a':
        if (llm_str_is(name, "authorization")) {
            llm_request_authorization(q, value);
            return 0;
        }

        if (llm_str_is(name, "anthropic-version")) {
            q->anthropic = 1;
            return 0;
        }

        break;

    case 'u':
        if (llm_str_is(name, "user-agent")
            && !llm_request_redacted(walk->conf, name))
        {
            llm_slot_ref(&q->agent, q->pool, value, LLM_REQUEST_NAME);
        }

        return 0;

    case 'c':
        if (name->data[3] == 't') {
            /* Content-Type and the like */
            return 0;
        }

        break;

    case 's':
    case 't':
    case 'x':
        break;

    default:
        return 0;
    }

    rank = llm_request_rank(llm_request_api_keys, name);

    if (rank != 0) {
        llm_session_key(q, value->data, value->len, rank);
        return 0;
    }

    rank = llm_request_rank(llm_request_sessions, name);

    if (rank == 0 && name->len > 13 && memcmp(name->data, "x-", 2) == 0
        && memcmp(name->data + name->len - 11, "-session-id", 11) == 0)
    {
        rank = LLM_RANK_VENDOR;
    }

    if (rank != 0 && !llm_request_redacted(walk->conf, name)) {
        llm_session_offer(q, value, LLM_SESSION_HEADER, rank);

    } else if (llm_str_is(name, "x-codex-turn-metadata")
               && !llm_request_redacted(walk->conf, name))
    {
        llm_session_metadata(q, value, LLM_RANK_CODEX);
    }

    return 0;
}


static int
llm_request_rank(const llm_request_name_t *names, const llm_str_t *name)
{
    for ( /* void */ ; names->name != NULL; names++) {
        if (names->len == name->len
            && llm_bytes_same(names->name, name->data, name->len))
        {
            return names->rank;
        }
    }

    return 0;
}


/*
 * Bearer, or one word without a scheme: the key; AWS: the key's id, for the
 * rest is new in each request
 */

static void
llm_request_authorization(llm_request_t *q, const llm_str_t *value)
{
    const uint8_t  *p, *end, *q1;

    static const char  credential[] = "Credential=";

    p = value->data;
    end = p + value->len;

    if ((value->len > 7 && memcmp(p, "Bearer ", 7) == 0)
        || llm_text_begins_nocase(value, "bearer "))
    {
        p += sizeof("bearer ") - 1;

        while (p < end && *p == ' ') {
            p++;
        }

        llm_session_key(q, p, end - p, 1);
        return;
    }

    if (memchr(p, ' ', end - p) == NULL) {
        llm_session_key(q, p, end - p, 1);
        return;
    }

    if (!llm_text_begins_nocase(value, "aws4-hmac-sha256 ")) {
        return;
    }

    q1 = memmem(p, end - p, credential, sizeof(credential) - 1);

    if (q1 != NULL) {
        q1 += sizeof(credential) - 1;
        p = memchr(q1, '/', end - q1);

        if (p != NULL) {
            llm_session_key(q, q1, p - q1, 1);
        }
    }
}


/* Gemini: ?key= */

static void
llm_request_query(llm_request_t *q, const llm_str_t *query)
{
    size_t          n;
    uint8_t         key[LLM_REQUEST_KEY];
    const uint8_t  *p, *end, *next;

    end = query->data + query->len;

    for (p = query->data; p < end; p = next + 1) {

        next = memchr(p, '&', end - p);
        next = next == NULL ? end : next;

        if (next - p > 4 && memcmp(p, "key=", 4) == 0) {
            n = llm_percent_decode(key, sizeof(key), p + 4, next - p - 4);
            llm_session_key(q, key, n, 5);
            return;
        }
    }
}


static int
llm_request_redacted(const llm_exchange_conf_t *conf, const llm_str_t *name)
{
    size_t  i;

    for (i = 0; i < conf->nredact_headers; i++) {
        if (conf->redact_headers[i].len == name->len
            && memcmp(conf->redact_headers[i].data, name->data, name->len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
llm_request_value(void *data, int field, const llm_scan_value_t *v)
{
    llm_request_t  *q = data;

    switch (v->type) {

    case LLM_SCAN_STRING:
        llm_request_string(q, field, v);
        return;

    case LLM_SCAN_PIECE:
        llm_request_text(q, field, v);
        return;

    case LLM_SCAN_LITERAL:
        if (field == LLM_Q_STREAM && v->p[0] != 'n') {
            q->stream = v->p[0] == 't';
        }

        return;

    case LLM_SCAN_OBJECT:
        if (field == LLM_Q_MESSAGES || field == LLM_Q_CONTENTS
            || field == LLM_Q_INPUT)
        {
            q->has_item = 0;
            q->foreign = 0;
        }

        return;

    case LLM_SCAN_OBJECT_END:
        if ((field == LLM_Q_MESSAGES || field == LLM_Q_CONTENTS
             || field == LLM_Q_INPUT)
            && q->has_item && !q->has_text && !q->foreign)
        {
            q->text_hash = q->item_hash;
            q->has_text = 1;
        }

        return;

    case LLM_SCAN_ARRAY_END:
        break;

    default:
        return;
    }

    switch (field) {

    case LLM_Q_MESSAGES:
        q->messages = (int32_t) v->full;
        break;

    case LLM_Q_CONTENTS:
        q->messages = (int32_t) v->full;
        q->contents = 1;
        break;

    case LLM_Q_INPUT:
        q->input = (int32_t) v->full;
        break;

    case LLM_Q_TOOLS:
        q->tools = (int32_t) v->full;
        break;
    }
}


static void
llm_request_string(llm_request_t *q, int field, const llm_scan_value_t *v)
{
    int  role;

    if (v->full == 0) {
        return;
    }

    switch (field) {

    case LLM_Q_TEXT:
        if (!q->has_text && !q->has_item && !q->foreign) {
            q->has_item = llm_request_text_end(q, v, &q->item_hash);
        }

        return;

    case LLM_Q_INPUT:
    case LLM_Q_PROMPT:
    case LLM_Q_MESSAGE:
        if (field == LLM_Q_INPUT) {
            q->input = 1;
            q->roles[LLM_ROLE_USER] = 1;

        } else if (field == LLM_Q_PROMPT) {
            q->prompt = 1;

        } else {
            q->message = 1;
        }

        if (!q->has_text) {
            q->has_text = llm_request_text_end(q, v, &q->text_hash);
        }

        return;
    }

    if (v->p == NULL) {
        return;
    }

    switch (field) {

    case LLM_Q_MODEL:
        llm_slot_json(&q->model, q->pool, v->p, v->n, LLM_REQUEST_NAME);
        return;

    case LLM_Q_STREAM:
        q->stream = v->n == 4 && memcmp(v->p, "true", 4) == 0;
        return;

    case LLM_Q_ROLE:
        role = llm_request_role(v);
        q->roles[role]++;
        q->foreign = role != LLM_ROLE_USER;
        return;

    case LLM_Q_USER:
        llm_request_name_set(q, 1, v);
        return;

    case LLM_Q_USER_ID:
        llm_request_name_set(q, 2, v);
        return;

    case LLM_Q_SAFETY:
        llm_request_name_set(q, 3, v);
        return;

    case LLM_Q_PREVIOUS:
        llm_slot_json(&q->previous, q->pool, v->p, v->n, LLM_REQUEST_NAME);
        return;
    }

    if (field >= LLM_Q_SESSION) {
        llm_request_session(q, 100 + field - LLM_Q_SESSION, v);
    }
}


/* "model" is Gemini's assistant, "developer" OpenAI's system */

static int
llm_request_role(const llm_scan_value_t *v)
{
    size_t  i;

    static const struct {
        llm_str_t    name;
        int          role;
    } roles[] = {
        { llm_str("user"), LLM_ROLE_USER },
        { llm_str("assistant"), LLM_ROLE_ASSISTANT },
        { llm_str("tool"), LLM_ROLE_TOOL },
        { llm_str("system"), LLM_ROLE_SYSTEM },
        { llm_str("model"), LLM_ROLE_ASSISTANT },
        { llm_str("developer"), LLM_ROLE_SYSTEM },
        { llm_str("function"), LLM_ROLE_TOOL }
    };

    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {

        if (v->n == roles[i].name.len
            && memcmp(v->p, roles[i].name.data, v->n) == 0)
        {
            return roles[i].role;
        }
    }

    return LLM_ROLE_OTHER;
}


/* more of a text: only a user's first one is read */

static void
llm_request_text(llm_request_t *q, int field, const llm_scan_value_t *v)
{
    if (q->has_text
        || (field == LLM_Q_TEXT && (q->has_item || q->foreign)))
    {
        return;
    }

    if (v->full == 0) {
        llm_user_text_init(&q->text);
    }

    llm_user_text_feed(&q->text, v->p, v->n);
}


/* v is the whole text, unless its pieces came before */

static int
llm_request_text_end(llm_request_t *q, const llm_scan_value_t *v,
    uint64_t *hash)
{
    if (v->p != NULL) {
        llm_user_text_init(&q->text);
        llm_user_text_feed(&q->text, v->p, v->n);
    }

    return llm_user_text_end(&q->text, hash);
}


static void
llm_request_name_set(llm_request_t *q, int rank, const llm_scan_value_t *v)
{
    uint8_t    buf[LLM_SCAN_VALUE];
    llm_str_t  text;

    if (q->user_rank == 0 || rank < q->user_rank) {
        llm_slot_json(&q->user, q->pool, v->p, v->n, LLM_REQUEST_NAME);
        q->user_rank = rank;
    }

    if (rank == 2) {
        text = llm_request_unescape(buf, v);
        llm_session_user_id(q, &text);
    }
}


static void
llm_request_session(llm_request_t *q, int rank, const llm_scan_value_t *v)
{
    uint8_t    buf[LLM_SCAN_VALUE];
    llm_str_t  text;

    text = llm_request_unescape(buf, v);
    llm_session_offer(q, &text, LLM_SESSION_BODY, rank);
}


static llm_str_t
llm_request_unescape(uint8_t *buf, const llm_scan_value_t *v)
{
    llm_str_t  text;

    text.data = v->p;
    text.len = v->n;

    if (memchr(v->p, '\\', v->n) != NULL) {
        text.data = buf;
        text.len = llm_value_string(buf, v->p, v->n);
    }

    return text;
}


void
llm_request_form(llm_request_t *q, const llm_multipart_t *form)
{
    llm_str_t  value;

    if (form == NULL) {
        return;
    }

    value = llm_multipart_value(form, "model");

    if (value.len != 0) {
        llm_slot_set(&q->model, q->pool, value.data, value.len,
                     LLM_REQUEST_NAME);
    }

    value = llm_multipart_value(form, "stream");

    if (value.len != 0) {
        q->stream = llm_text_equal_nocase(&value, "true");
    }

    value = llm_multipart_value(form, "user");

    if (value.len != 0 && q->user_rank == 0) {
        llm_slot_set(&q->user, q->pool, value.data, value.len,
                     LLM_REQUEST_NAME);
    }
}


int
llm_request_protocol(const llm_request_t *q)
{
    if (q->contents) {
        return LLM_PROTOCOL_GEMINI;
    }

    if (q->messages >= 0) {
        return q->anthropic ? LLM_PROTOCOL_ANTHROPIC : LLM_PROTOCOL_OPENAI;
    }

    if (q->anthropic) {
        return LLM_PROTOCOL_ANTHROPIC;
    }

    if (q->message) {
        /* Cohere's first API: one message, the others are its history */
        return LLM_PROTOCOL_COHERE;
    }

    if (q->prompt || (q->input >= 0 && q->model.len != 0)) {
        return LLM_PROTOCOL_OPENAI;
    }

    return LLM_PROTOCOL_UNKNOWN;
}
