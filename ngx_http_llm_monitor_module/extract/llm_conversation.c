
/*
 * Copyright (C) llm_monitor contributors
 *
 * Known by the names of members, not by the protocol: they do not contradict
 * one another, and a compatible service may mix them.
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_conversation.h"
#include "llm_pull.h"


#define LLM_CONVERSATION_CALLS  64         /* of a message, results likewise */
#define LLM_CONVERSATION_SUM    (4 * LLM_CONVERSATION_TEXT)


/* slices of the body */

typedef struct {
    llm_str_t    id;
    llm_str_t    name;
    llm_str_t    value;
} llm_said_t;


typedef struct {
    llm_json_t  *j;
    const char  *log;
    size_t       skip;
    size_t       n;

    const char  *role;
    llm_str_t    own_role;
    llm_buf_t    text;
    llm_buf_t    thinking;
    llm_buf_t    scratch;
    size_t       ncalls;
    size_t       nresults;
    llm_said_t   calls[LLM_CONVERSATION_CALLS];
    llm_said_t   results[LLM_CONVERSATION_CALLS];
    int          attachments;
    int          truncated;
    int          failed;
} llm_conversation_t;


static int llm_conversation_run(llm_conversation_t *c, const llm_str_t *body);
static void llm_conversation_init(llm_conversation_t *c);
static void llm_conversation_done(llm_conversation_t *c);
static void llm_conversation_list(llm_conversation_t *c,
    const llm_str_t *list);
static void llm_conversation_item(llm_conversation_t *c,
    const llm_str_t *item);
static int llm_conversation_typed(llm_conversation_t *c,
    const llm_str_t *item);
static void llm_conversation_members(llm_conversation_t *c,
    const llm_str_t *item);
static void llm_conversation_calls(llm_conversation_t *c,
    const llm_str_t *calls);
static void llm_conversation_content(llm_conversation_t *c,
    const llm_str_t *content);
static void llm_conversation_part(llm_conversation_t *c,
    const llm_str_t *part);
static int llm_conversation_tool(llm_conversation_t *c,
    const llm_str_t *part);
static void llm_conversation_call(llm_conversation_t *c,
    const llm_str_t *object, const char *id, const char *name,
    const char *value);
static void llm_conversation_result(llm_conversation_t *c,
    const llm_str_t *object, const char *id, const char *value);
static void llm_conversation_add(llm_conversation_t *c, llm_buf_t *to,
    const llm_str_t *value);
static void llm_conversation_begin(llm_conversation_t *c, const char *role);
static void llm_conversation_emit(llm_conversation_t *c);
static void llm_conversation_buf(llm_conversation_t *c, const char *name,
    const llm_buf_t *b);
static void llm_conversation_string(llm_conversation_t *c, const char *name,
    const llm_str_t *value);
static void llm_conversation_flat(llm_conversation_t *c,
    const llm_str_t *value);


/* members of a body that say something, in this order */

enum {
    LLM_SAID_BEFORE = 0, LLM_SAID_LIST, LLM_SAID_LAST
};

static const struct {
    const char  *name;
    int          what;
} llm_conversation_said[] = {
    { "system", LLM_SAID_BEFORE },
    { "instructions", LLM_SAID_BEFORE },
    { "systemInstruction", LLM_SAID_BEFORE },
    { "system_instruction", LLM_SAID_BEFORE },
    { "preamble", LLM_SAID_BEFORE },
    { "messages", LLM_SAID_LIST },
    { "contents", LLM_SAID_LIST },
    { "chat_history", LLM_SAID_LIST },
    { "input", LLM_SAID_LIST },
    { "prompt", LLM_SAID_LAST },
    { "message", LLM_SAID_LAST }
};

#define LLM_CONVERSATION_SAID  (sizeof(llm_conversation_said)                 \
                                / sizeof(llm_conversation_said[0]))


size_t
llm_conversation_count(const llm_str_t *body)
{
    llm_conversation_t  c;

    memset(&c, 0, sizeof(llm_conversation_t));
    c.skip = SIZE_MAX;

    (void) llm_conversation_run(&c, body);

    return c.n;
}


int
llm_conversation_request(const llm_str_t *body, size_t skip, const char *log,
    llm_json_t *j)
{
    llm_conversation_t  c;

    memset(&c, 0, sizeof(llm_conversation_t));
    c.j = j;
    c.log = log;
    c.skip = skip;

    return llm_conversation_run(&c, body);
}


static int
llm_conversation_run(llm_conversation_t *c, const llm_str_t *body)
{
    size_t      i;
    llm_str_t   key, value, said[LLM_CONVERSATION_SAID];
    llm_pull_t  it;

    llm_conversation_init(c);

    memset(said, 0, sizeof(said));
    llm_pull_open(&it, body);

    while (llm_pull_is(body, '{') && llm_pull_next(&it, &key, &value)) {

        for (i = 0; i < LLM_CONVERSATION_SAID; i++) {

            if (llm_text_equal(&key, llm_conversation_said[i].name)) {
                said[i] = value;
            }
        }
    }

    for (i = 0; i < LLM_CONVERSATION_SAID; i++) {

        if (llm_conversation_said[i].what == LLM_SAID_LIST
            && llm_pull_is(&said[i], '['))
        {
            llm_conversation_list(c, &said[i]);

        } else if (llm_pull_is(&said[i], '"')
                   || (llm_conversation_said[i].what == LLM_SAID_BEFORE
                       && (llm_pull_is(&said[i], '[')
                           || llm_pull_is(&said[i], '{'))))
        {
            llm_conversation_begin(c, llm_conversation_said[i].what
                                      == LLM_SAID_BEFORE ? "system" : "user");
            llm_conversation_content(c, &said[i]);
            llm_conversation_emit(c);
        }
    }

    llm_conversation_done(c);

    return c->failed;
}


static void
llm_conversation_init(llm_conversation_t *c)
{
    llm_buf_init(&c->text, LLM_CONVERSATION_SUM);
    llm_buf_init(&c->thinking, LLM_CONVERSATION_SUM);
    llm_buf_init(&c->scratch, LLM_CONVERSATION_SUM);
}


static void
llm_conversation_done(llm_conversation_t *c)
{
    llm_buf_free(&c->text);
    llm_buf_free(&c->thinking);
    llm_buf_free(&c->scratch);
}


int
llm_conversation_answer(const llm_str_t *message, const char *log,
    llm_json_t *j)
{
    llm_str_t           value, call;
    llm_pull_t          it;
    llm_conversation_t  c;

    memset(&c, 0, sizeof(llm_conversation_t));
    c.j = j;
    c.log = log;

    llm_conversation_init(&c);
    llm_conversation_begin(&c, "assistant");

    if (llm_pull_get(message, "text", &value)) {
        llm_conversation_add(&c, &c.text, &value);
    }

    if (llm_pull_get(message, "refusal", &value)) {
        llm_conversation_add(&c, &c.text, &value);
    }

    if (llm_pull_get(message, "thinking", &value)) {
        llm_conversation_add(&c, &c.thinking, &value);
    }

    if (llm_pull_get(message, "tool_calls", &value)) {
        llm_pull_open(&it, &value);

        while (llm_pull_next(&it, NULL, &call)) {
            llm_conversation_call(&c, &call, "id", "name", "arguments");
        }
    }

    llm_conversation_emit(&c);
    llm_conversation_done(&c);

    return c.failed;
}


static void
llm_conversation_list(llm_conversation_t *c, const llm_str_t *list)
{
    llm_str_t   item;
    llm_pull_t  it;

    llm_pull_open(&it, list);

    while (c->failed == LLM_OK && llm_pull_next(&it, NULL, &item)) {

        /* what is not shown need not be taken apart */

        if (c->n < c->skip) {
            c->n++;
            continue;
        }

        llm_conversation_item(c, &item);
    }
}


static void
llm_conversation_item(llm_conversation_t *c, const llm_str_t *item)
{
    llm_str_t  role;

    llm_conversation_begin(c, "user");

    if (!llm_pull_is(item, '{')) {
        llm_conversation_content(c, item);

    } else if (!llm_conversation_typed(c, item)) {

        if (llm_pull_get(item, "role", &role)) {

            if (llm_pull_equal(&role, "model")
                || llm_pull_equal(&role, "CHATBOT"))
            {
                c->role = "assistant";

            } else if (!llm_pull_equal(&role, "USER")) {
                c->own_role = role;
            }
        }

        llm_conversation_members(c, item);
    }

    llm_conversation_emit(c);
}


/* Items of OpenAI's responses API that are no messages. */

static int
llm_conversation_typed(llm_conversation_t *c, const llm_str_t *item)
{
    llm_str_t   type, value, part;
    llm_pull_t  it;

    if (!llm_pull_get(item, "type", &type)) {
        return 0;
    }

    if (llm_pull_equal(&type, "function_call")
        || llm_pull_equal(&type, "custom_tool_call"))
    {
        c->role = "assistant";
        llm_conversation_call(c, item, "call_id", "name",
                              llm_pull_equal(&type, "function_call")
                              ? "arguments" : "input");
        return 1;
    }

    if (llm_pull_equal(&type, "function_call_output")
        || llm_pull_equal(&type, "custom_tool_call_output"))
    {
        c->role = "tool";
        llm_conversation_result(c, item, "call_id", "output");
        return 1;
    }

    if (!llm_pull_equal(&type, "reasoning")) {
        return 0;
    }

    c->role = "assistant";

    if (llm_pull_get(item, "summary", &value)) {
        llm_pull_open(&it, &value);

        while (llm_pull_next(&it, NULL, &part)) {

            if (llm_pull_get(&part, "text", &value)) {
                llm_conversation_add(c, &c->thinking, &value);
            }
        }
    }

    return 1;
}


static void
llm_conversation_members(llm_conversation_t *c, const llm_str_t *item)
{
    llm_str_t   key, value, id;
    llm_pull_t  it, images;

    if (llm_pull_get(item, "tool_call_id", &id)) {
        c->role = "tool";
        llm_conversation_result(c, item, "tool_call_id", "content");
        return;
    }

    llm_pull_open(&it, item);

    while (llm_pull_next(&it, &key, &value)) {

        if (llm_text_equal(&key, "content") || llm_text_equal(&key, "parts")
            || llm_text_equal(&key, "message"))
        {
            llm_conversation_content(c, &value);

        } else if (llm_text_equal(&key, "reasoning_content")
                   || llm_text_equal(&key, "reasoning")
                   || llm_text_equal(&key, "thinking"))
        {
            llm_conversation_add(c, &c->thinking, &value);

        } else if (llm_text_equal(&key, "refusal")) {
            llm_conversation_add(c, &c->text, &value);

        } else if (llm_text_equal(&key, "tool_calls")) {
            llm_conversation_calls(c, &value);

        } else if (llm_text_equal(&key, "function_call")) {
            llm_conversation_call(c, &value, "id", "name", "arguments");

        } else if (llm_text_equal(&key, "images")
                   && llm_pull_is(&value, '['))
        {
            llm_pull_open(&images, &value);

            while (llm_pull_next(&images, NULL, &id)) {
                c->attachments++;
            }
        }
    }
}


static void
llm_conversation_calls(llm_conversation_t *c, const llm_str_t *calls)
{
    llm_str_t   call, value;
    llm_pull_t  it;

    llm_pull_open(&it, calls);

    while (llm_pull_next(&it, NULL, &call)) {

        if (llm_pull_get(&call, "function", &value)) {
            llm_conversation_call(c, &call, "id", "function.name",
                                  "function.arguments");

        } else {
            llm_conversation_call(c, &call, "id", "name", "arguments");
        }
    }
}


/* A string, parts, or an object that has parts. */

static void
llm_conversation_content(llm_conversation_t *c, const llm_str_t *content)
{
    llm_str_t   part;
    llm_pull_t  it;

    if (llm_pull_is(content, '{') && llm_pull_get(content, "parts", &part)) {
        llm_conversation_content(c, &part);
        return;
    }

    if (!llm_pull_is(content, '[')) {
        llm_conversation_part(c, content);
        return;
    }

    llm_pull_open(&it, content);

    while (llm_pull_next(&it, NULL, &part)) {
        llm_conversation_part(c, &part);
    }
}


static void
llm_conversation_part(llm_conversation_t *c, const llm_str_t *part)
{
    llm_str_t  value, thought;

    if (llm_pull_is(part, '"')) {
        llm_conversation_add(c, &c->text, part);
        return;
    }

    if (!llm_pull_is(part, '{') || llm_conversation_tool(c, part)) {
        return;
    }

    if (llm_pull_get(part, "thinking", &value)
        || llm_pull_get(part, "reasoningContent.reasoningText.text", &value))
    {
        llm_conversation_add(c, &c->thinking, &value);

    } else if (llm_pull_get(part, "text", &value)) {
        llm_conversation_add(c, llm_pull_get(part, "thought", &thought)
                                && llm_pull_is(&thought, 't')
                                ? &c->thinking : &c->text, &value);

    } else if (llm_pull_get(part, "refusal", &value)) {
        llm_conversation_add(c, &c->text, &value);

    } else {
        c->attachments++;
    }
}


static int
llm_conversation_tool(llm_conversation_t *c, const llm_str_t *part)
{
    llm_str_t  type, value;

    if (!llm_pull_get(part, "type", &type)) {
        type.data = NULL;
        type.len = 0;
    }

    if (llm_pull_equal(&type, "tool_use")
        || llm_pull_equal(&type, "server_tool_use"))
    {
        llm_conversation_call(c, part, "id", "name", "input");

    } else if (llm_pull_equal(&type, "tool_result")) {
        llm_conversation_result(c, part, "tool_use_id", "content");

    } else if (llm_pull_get(part, "toolUse", &value)) {
        llm_conversation_call(c, &value, "toolUseId", "name", "input");

    } else if (llm_pull_get(part, "toolResult", &value)) {
        llm_conversation_result(c, &value, "toolUseId", "content");

    } else if (llm_pull_get(part, "functionCall", &value)) {
        llm_conversation_call(c, &value, "id", "name", "args");

    } else if (llm_pull_get(part, "functionResponse", &value)) {
        llm_conversation_result(c, &value, "name", "response");

    } else {
        return 0;
    }

    return 1;
}


static void
llm_conversation_call(llm_conversation_t *c, const llm_str_t *object,
    const char *id, const char *name, const char *value)
{
    llm_said_t  *call;

    if (c->ncalls == LLM_CONVERSATION_CALLS) {
        c->truncated = 1;
        return;
    }

    call = &c->calls[c->ncalls++];

    (void) llm_pull_get(object, id, &call->id);
    (void) llm_pull_get(object, name, &call->name);
    (void) llm_pull_get(object, value, &call->value);
}


static void
llm_conversation_result(llm_conversation_t *c, const llm_str_t *object,
    const char *id, const char *value)
{
    llm_said_t  *result;

    if (c->nresults == LLM_CONVERSATION_CALLS) {
        c->truncated = 1;
        return;
    }

    result = &c->results[c->nresults++];

    (void) llm_pull_get(object, id, &result->id);
    (void) llm_pull_get(object, value, &result->value);
}


/* Texts of a message are paragraphs; of one that is long the beginning. */

static void
llm_conversation_add(llm_conversation_t *c, llm_buf_t *to,
    const llm_str_t *value)
{
    llm_str_t  s;

    if (c->n < c->skip || value->len == 0) {
        return;
    }

    s = *value;

    if (s.len > LLM_CONVERSATION_TEXT) {
        s.len = llm_utf8_cut(s.data, s.len, LLM_CONVERSATION_TEXT);
        c->truncated = 1;
    }

    if (to->len + s.len + 1 > LLM_CONVERSATION_SUM) {
        c->truncated = 1;
        return;
    }

    if (to->len > 0) {
        llm_buf_text(to, "\n");
    }

    if (llm_pull_is(&s, '"')) {
        llm_pull_text(&s, to);

    } else {
        llm_buf_add(to, s.data, s.len);
    }
}


static void
llm_conversation_begin(llm_conversation_t *c, const char *role)
{
    c->role = role;
    c->own_role.len = 0;
    c->text.len = 0;
    c->thinking.len = 0;
    c->ncalls = 0;
    c->nresults = 0;
    c->attachments = 0;
    c->truncated = 0;
}


static void
llm_conversation_emit(llm_conversation_t *c)
{
    size_t  i;

    if (c->n++ < c->skip) {
        return;
    }

    llm_json_open_object(c->j);

    llm_json_key(c->j, "log");
    llm_json_text(c->j, c->log);

    if (llm_pull_is(&c->own_role, '"')) {
        llm_conversation_string(c, "role", &c->own_role);

    } else {
        llm_json_key(c->j, "role");
        llm_json_text(c->j, c->role);
    }

    llm_conversation_buf(c, "text", &c->text);
    llm_conversation_buf(c, "thinking", &c->thinking);

    llm_json_key(c->j, "tool_calls");
    llm_json_open_array(c->j);

    for (i = 0; i < c->ncalls; i++) {
        llm_json_open_object(c->j);
        llm_conversation_string(c, "id", &c->calls[i].id);
        llm_conversation_string(c, "name", &c->calls[i].name);
        llm_conversation_string(c, "arguments", &c->calls[i].value);
        llm_json_close_object(c->j);
    }

    llm_json_close_array(c->j);
    llm_json_key(c->j, "tool_results");
    llm_json_open_array(c->j);

    for (i = 0; i < c->nresults; i++) {
        llm_json_open_object(c->j);
        llm_conversation_string(c, "id", &c->results[i].id);
        llm_conversation_string(c, "text", &c->results[i].value);
        llm_json_close_object(c->j);
    }

    llm_json_close_array(c->j);

    llm_json_key(c->j, "attachments");
    llm_json_int(c->j, c->attachments);
    llm_json_key(c->j, "truncated");
    llm_json_bool(c->j, c->truncated);

    llm_json_close_object(c->j);
}


static void
llm_conversation_buf(llm_conversation_t *c, const char *name,
    const llm_buf_t *b)
{
    if (b->failed == LLM_NOMEM) {
        c->failed = LLM_NOMEM;
    }

    llm_json_key(c->j, name);

    if (b->len == 0) {
        llm_json_null(c->j);

    } else {
        llm_json_string(c->j, b->data, b->len);
    }
}


/* What is no string is shown as its JSON. */

static void
llm_conversation_string(llm_conversation_t *c, const char *name,
    const llm_str_t *value)
{
    c->scratch.len = 0;

    if (llm_pull_is(value, '[')) {
        llm_conversation_flat(c, value);

    } else {
        llm_conversation_add(c, &c->scratch, value);
    }

    llm_conversation_buf(c, name, &c->scratch);
}


/* Parts of a tool's result that are text. */

static void
llm_conversation_flat(llm_conversation_t *c, const llm_str_t *value)
{
    llm_str_t   part, text;
    llm_pull_t  it;

    llm_pull_open(&it, value);

    while (llm_pull_next(&it, NULL, &part)) {

        if (llm_pull_get(&part, "text", &text)) {
            llm_conversation_add(c, &c->scratch, &text);

        } else if (llm_pull_is(&part, '"')) {
            llm_conversation_add(c, &c->scratch, &part);

        } else if (llm_pull_get(&part, "json", &text)) {
            llm_conversation_add(c, &c->scratch, &text);

        } else {
            c->attachments++;
        }
    }
}
