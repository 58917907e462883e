
/*
 * Copyright (C) llm_monitor contributors
 *
 * How each protocol writes an answer, whole and in events.  Of several
 * choices or candidates the first is the answer.
 */


#include <string.h>

#include "llm_message_parts.h"
#include "llm_pull.h"


static void llm_message_choice(llm_message_t *m, const llm_str_t *choice);
static int llm_message_other(llm_message_t *m, const llm_str_t *doc);
static void llm_message_openai_call(llm_message_t *m, const llm_str_t *call,
    int delta);
static void llm_message_openai_item(llm_message_t *m, const llm_str_t *item,
    int64_t key);
static void llm_message_content(llm_message_t *m, const llm_str_t *content);
static void llm_message_part(llm_message_t *m, const llm_str_t *part);
static void llm_message_call(llm_message_t *m, const llm_str_t *call,
    const char *name, const char *arguments, int64_t key);
static void llm_message_add(llm_buf_t *out, const llm_str_t *doc,
    const char *path);
static void llm_message_calls(llm_message_t *m, const llm_str_t *calls,
    const char *name, const char *arguments);
static int llm_message_type(llm_message_t *m, const llm_str_t *doc,
    const char *type);
static int llm_message_empty(const llm_message_t *m);


int
llm_message_openai(llm_message_t *m, const llm_str_t *doc)
{
    llm_str_t   choices, choice, v;
    llm_pull_t  it;

    if (!llm_pull_get(doc, "choices", &choices)) {
        return llm_message_other(m, doc);
    }

    llm_pull_open(&it, &choices);

    while (llm_pull_next(&it, NULL, &choice)) {

        if (llm_pull_get(&choice, "index", &v)
            && llm_pull_number(&v, 0) != 0)
        {
            continue;
        }

        llm_message_choice(m, &choice);

        if (!llm_pull_get(&choice, "index", &v)) {
            break;
        }
    }

    return 1;
}


static void
llm_message_choice(llm_message_t *m, const llm_str_t *choice)
{
    int         delta;
    size_t      i;
    llm_str_t   v, msg, call;
    llm_pull_t  calls;

    static const char  *reasoning[] = { "reasoning_content", "reasoning" };

    delta = llm_pull_get(choice, "delta", &msg);

    /* Perplexity puts an empty delta beside the message of a whole answer */

    if (delta && llm_message_empty(m)
        && llm_pull_get(choice, "finish_reason", &v) && llm_pull_is(&v, '"')
        && llm_pull_get(choice, "message", &v))
    {
        msg = v;
        delta = 0;
    }

    if (!delta && !llm_pull_get(choice, "message", &msg)) {
        llm_message_add(&m->text, choice, "text");
        return;
    }

    if (llm_pull_get(&msg, "content", &v)) {
        llm_message_content(m, &v);
    }

    for (i = 0; i < 2; i++) {

        if (llm_pull_get(&msg, reasoning[i], &v)
            && llm_pull_is(&v, '"') && v.len > 2)
        {
            llm_pull_text(&v, &m->thinking);
            break;
        }
    }

    llm_message_add(&m->refusal, &msg, "refusal");
    llm_message_add(&m->text, &msg, "audio.transcript");

    if (llm_pull_get(&msg, "tool_calls", &v)) {
        llm_pull_open(&calls, &v);

        while (llm_pull_next(&calls, NULL, &call)) {
            llm_message_openai_call(m, &call, delta);
        }
    }

    if (llm_pull_get(&msg, "function_call", &v)) {

        if (delta && m->ntools) {
            llm_message_add(&m->tools[0].arguments, &v, "arguments");

        } else if (llm_pull_get(&v, "name", &call) && call.len > 2) {
            llm_message_call(m, &v, "name", "arguments", -1);
        }
    }
}


/* llama.cpp's completion, a transcription, a thread's message */

static int
llm_message_other(llm_message_t *m, const llm_str_t *doc)
{
    llm_str_t  v;

    if (llm_pull_get(doc, "content", &v) && llm_pull_is(&v, '"')) {
        llm_pull_text(&v, &m->text);
        return 1;
    }

    if (llm_message_type(m, doc, "transcript.text.delta")) {
        llm_message_add(&m->text, doc, "delta");
        return 1;
    }

    if (llm_pull_get(doc, "delta.content", &v)) {
        llm_message_content(m, &v);
        return 1;
    }

    if (llm_pull_get(doc, "text", &v) && llm_pull_is(&v, '"')) {

        /* the last event of a transcription repeats it all */

        if (llm_message_empty(m)) {
            llm_pull_text(&v, &m->text);
        }

        return 1;
    }

    return 0;
}


/*
 * Calls of a stream are told apart by their index; but some providers give
 * none, or 0 for each, so that a new name with another id begins a new one.
 */

static void
llm_message_openai_call(llm_message_t *m, const llm_str_t *call, int delta)
{
    int64_t              key;
    llm_str_t            v, name, id;
    llm_message_tool_t  *tool;

    tool = NULL;

    (void) llm_pull_get(call, "index", &v);
    (void) llm_pull_get(call, "function.name", &name);
    (void) llm_pull_get(call, "id", &id);

    key = llm_pull_number(&v, -1);

    if (id.len > LLM_MESSAGE_ID) {
        id.len = LLM_MESSAGE_ID;
    }

    if (delta) {

        if (key >= 0) {
            tool = llm_message_tool_find(m, key);

        } else if (name.len <= 2 && m->ntools) {
            tool = &m->tools[m->ntools - 1];
        }

        if (tool != NULL && name.len > 2 && id.len > 2 && tool->nid > 2
            && (tool->nid != id.len || memcmp(tool->id, id.data, id.len) != 0))
        {
            tool = NULL;
        }
    }

    if (tool == NULL) {

        /* some send an empty object where there is no call */

        if (!delta && !llm_pull_get(call, "function", &v)
            && !llm_pull_get(call, "custom", &v))
        {
            return;
        }

        tool = llm_message_tool_add(m, key);

        if (tool == NULL) {
            return;
        }
    }

    if (id.len > 2 && tool->nid <= 2) {
        memcpy(tool->id, id.data, id.len);
        tool->nid = id.len;
    }

    if (tool->name.len == 0) {
        llm_message_value(&tool->name, &name);
    }

    llm_message_add(&tool->arguments, call, "function.arguments");

    if (name.data == NULL && llm_pull_get(call, "custom.name", &v)) {
        llm_message_value(&tool->name, &v);
        llm_message_add(&tool->arguments, call, "custom.input");
    }
}


int
llm_message_responses(llm_message_t *m, const llm_str_t *doc)
{
    int64_t              key;
    llm_str_t            v, item;
    llm_pull_t           it;
    llm_message_tool_t  *tool;

    (void) llm_pull_get(doc, "output_index", &v);
    key = llm_pull_number(&v, -1);

    if (llm_message_type(m, doc, "response.output_text.delta")) {
        llm_message_add(&m->text, doc, "delta");
        return 1;
    }

    if (llm_message_type(m, doc, "response.reasoning_summary_text.delta")
        || llm_message_type(m, doc, "response.reasoning_text.delta"))
    {
        llm_message_add(&m->thinking, doc, "delta");
        return 1;
    }

    if (llm_message_type(m, doc, "response.refusal.delta")) {
        llm_message_add(&m->refusal, doc, "delta");
        return 1;
    }

    if (llm_message_type(m, doc, "response.function_call_arguments.delta")
        || llm_message_type(m, doc, "response.custom_tool_call_input.delta")
        || llm_message_type(m, doc, "response.mcp_call_arguments.delta"))
    {
        tool = llm_message_tool_find(m, key);

        if (tool != NULL) {
            llm_message_add(&tool->arguments, doc, "delta");
        }

        return 1;
    }

    if (llm_message_type(m, doc, "response.output_item.added")) {

        if (llm_pull_get(doc, "item", &item)
            && llm_pull_get(&item, "type", &v)
            && !llm_pull_equal(&v, "message")
            && !llm_pull_equal(&v, "reasoning"))
        {
            llm_message_openai_item(m, &item, key);
        }

        return 1;
    }

    /* some send the call's arguments only when it is done */

    if (llm_message_type(m, doc, "response.output_item.done")) {
        tool = llm_message_tool_find(m, key);

        if (tool != NULL && tool->arguments.len == 0) {
            llm_message_add(&tool->arguments, doc, "item.arguments");
        }

        return 1;
    }

    if (!llm_pull_get(doc, "output", &v)
        && !llm_pull_get(doc, "response.output", &v))
    {
        return 0;
    }

    /* the last event repeats what came in the others */

    if (!llm_message_empty(m)) {
        return 1;
    }

    llm_pull_open(&it, &v);

    while (llm_pull_next(&it, NULL, &item)) {
        llm_message_openai_item(m, &item, -1);
    }

    return 1;
}


static void
llm_message_openai_item(llm_message_t *m, const llm_str_t *item, int64_t key)
{
    llm_str_t   type, v, part;
    llm_pull_t  it;

    (void) llm_pull_get(item, "type", &type);

    if (llm_pull_equal(&type, "message")) {

        if (llm_pull_get(item, "content", &v)) {
            llm_message_content(m, &v);
        }

    } else if (llm_pull_equal(&type, "reasoning")) {

        if (llm_pull_get(item, "summary", &v)) {
            llm_pull_open(&it, &v);

            while (llm_pull_next(&it, NULL, &part)) {
                llm_message_add(&m->thinking, &part, "text");
            }
        }

        if (llm_pull_get(item, "content", &v)) {
            llm_pull_open(&it, &v);

            while (llm_pull_next(&it, NULL, &part)) {
                llm_message_add(&m->thinking, &part, "text");
            }
        }

    } else if (llm_pull_equal(&type, "custom_tool_call")) {
        llm_message_call(m, item, "name", "input", key);

    } else if (llm_pull_equal(&type, "function_call")
               || llm_pull_equal(&type, "mcp_call"))
    {
        llm_message_call(m, item, "name", "arguments", key);
    }
}


int
llm_message_anthropic(llm_message_t *m, const llm_str_t *doc)
{
    int64_t              key;
    llm_str_t            v, block;
    llm_message_tool_t  *tool;

    (void) llm_pull_get(doc, "index", &v);
    key = llm_pull_number(&v, -1);

    if (llm_message_type(m, doc, "content_block_delta")) {

        llm_message_add(&m->text, doc, "delta.text");
        llm_message_add(&m->thinking, doc, "delta.thinking");

        tool = llm_message_tool_find(m, key);

        if (tool != NULL && llm_pull_get(doc, "delta.partial_json", &v)) {

            /* the input of the start was a placeholder */

            if (tool->arguments.len == 2
                && memcmp(tool->arguments.data, "{}", 2) == 0
                && v.len > 2)
            {
                tool->arguments.len = 0;
            }

            llm_pull_text(&v, &tool->arguments);
        }

        return 1;
    }

    if (llm_message_type(m, doc, "content_block_start")) {

        if (llm_pull_get(doc, "content_block", &block)) {

            if (llm_pull_get(&block, "name", &v)
                && llm_pull_get(&block, "input", &v))
            {
                llm_message_call(m, &block, "name", "input", key);

            } else {
                llm_message_part(m, &block);
            }
        }

        return 1;
    }

    if (llm_pull_get(doc, "content", &v) && llm_pull_is(&v, '[')) {
        llm_message_content(m, &v);
        return 1;
    }

    if (llm_pull_get(doc, "completion", &v)) {
        llm_message_value(&m->text, &v);
        return 1;
    }

    return 0;
}


int
llm_message_gemini(llm_message_t *m, const llm_str_t *doc)
{
    llm_str_t   body, v, step, part, call;
    llm_pull_t  it;

    if (!llm_pull_get(doc, "response", &body)) {
        body = *doc;
    }

    if (llm_pull_get(&body, "candidates", &v)) {
        llm_pull_open(&it, &v);

        if (!llm_pull_next(&it, NULL, &step)
            || !llm_pull_get(&step, "content.parts", &v))
        {
            return 1;
        }

        llm_pull_open(&it, &v);

        while (llm_pull_next(&it, NULL, &part)) {

            if (llm_pull_get(&part, "functionCall", &call)) {

                /* without a name: values of an earlier call, by JSONPath */

                if (llm_pull_get(&call, "name", &v)) {
                    llm_message_call(m, &call, "name", "args", -1);
                }

                continue;
            }

            if (llm_pull_get(&part, "thought", &v)
                && llm_pull_is(&v, 't'))
            {
                llm_message_add(&m->thinking, &part, "text");

            } else {
                llm_message_add(&m->text, &part, "text");
            }
        }

        return 1;
    }

    /* interactions: outputs, or steps that have content */

    if (llm_pull_get(&body, "outputs", &v)) {
        llm_message_content(m, &v);
        return 1;
    }

    if (llm_pull_get(&body, "steps", &v)) {
        llm_pull_open(&it, &v);

        while (llm_pull_next(&it, NULL, &step)) {

            if (llm_pull_get(&step, "content", &v)) {
                llm_message_content(m, &v);

            } else {
                llm_message_part(m, &step);
            }
        }

        return 1;
    }

    return 0;
}


int
llm_message_ollama(llm_message_t *m, const llm_str_t *doc)
{
    llm_str_t  v, msg;

    if (llm_pull_get(doc, "message", &msg) && llm_pull_is(&msg, '{')) {

        llm_message_add(&m->text, &msg, "content");
        llm_message_add(&m->thinking, &msg, "thinking");

        if (llm_pull_get(&msg, "tool_calls", &v)) {
            llm_message_calls(m, &v, "function.name", "function.arguments");
        }

        return 1;
    }

    llm_message_add(&m->thinking, doc, "thinking");

    if (llm_pull_get(doc, "response", &v)) {
        llm_message_value(&m->text, &v);
        return 1;
    }

    return 0;
}


int
llm_message_cohere(llm_message_t *m, const llm_str_t *doc)
{
    int64_t              key;
    llm_str_t            v, msg;
    llm_pull_t           it;
    llm_message_tool_t  *tool;

    (void) llm_pull_get(doc, "index", &v);
    key = llm_pull_number(&v, -1);

    if (llm_pull_get(doc, "delta.message", &msg)) {

        if (llm_pull_get(&msg, "content", &v)) {
            llm_message_content(m, &v);
        }

        llm_message_add(&m->thinking, &msg, "tool_plan");

        if (!llm_pull_get(&msg, "tool_calls", &v)) {
            return 1;
        }

        if (llm_message_type(m, doc, "tool-call-start")) {
            llm_message_call(m, &v, "function.name", "function.arguments",
                             key);

        } else {
            tool = llm_message_tool_find(m, key);

            if (tool != NULL) {
                llm_message_add(&tool->arguments, &v, "function.arguments");
            }
        }

        return 1;
    }

    if (llm_pull_get(doc, "message", &msg) && llm_pull_is(&msg, '{')) {

        if (llm_pull_get(&msg, "content", &v)) {
            llm_message_content(m, &v);
        }

        llm_message_add(&m->thinking, &msg, "tool_plan");

        if (llm_pull_get(&msg, "tool_calls", &v)) {
            llm_message_calls(m, &v, "function.name", "function.arguments");
        }

        return 1;
    }

    /* version 1 */

    if (llm_pull_get(doc, "generations", &v)) {
        llm_pull_open(&it, &v);

        if (llm_pull_next(&it, NULL, &msg)) {
            llm_message_add(&m->text, &msg, "text");
        }

        return 1;
    }

    if (llm_pull_get(doc, "tool_calls", &v)) {
        llm_message_calls(m, &v, "name", "parameters");
    }

    llm_message_add(&m->text, doc, "text");

    return 1;
}


int
llm_message_converse(llm_message_t *m, const llm_str_t *doc)
{
    int64_t              key;
    llm_str_t            v;
    llm_message_tool_t  *tool;

    if (llm_pull_get(doc, "output.message.content", &v)) {
        llm_message_content(m, &v);
        return 1;
    }

    if (!llm_pull_get(doc, "contentBlockIndex", &v)) {
        return 0;
    }

    key = llm_pull_number(&v, -1);

    llm_message_add(&m->text, doc, "delta.text");
    llm_message_add(&m->thinking, doc, "delta.reasoningContent.text");

    if (llm_pull_get(doc, "start.toolUse", &v)) {
        llm_message_call(m, &v, "name", "input", key);
    }

    if (llm_pull_get(doc, "delta.toolUse.input", &v)) {
        tool = llm_message_tool_find(m, key);

        if (tool != NULL) {
            llm_message_value(&tool->arguments, &v);
        }
    }

    return 1;
}


/* Bodies of models that have a shape of their own. */

int
llm_message_invoke(llm_message_t *m, const llm_str_t *doc)
{
    size_t      i;
    llm_str_t   v, first;
    llm_pull_t  it;

    static const char  *texts[] = { "outputText", "generation", "text" };

    static const char  *lists[][2] = {
        { "results", "outputText" },
        { "outputs", "text" },
        { "generations", "text" },
        { "completions", "data.text" }
    };

    if (llm_pull_get(doc, "contentBlockDelta", &v)
        || llm_pull_get(doc, "contentBlockStart", &v))
    {
        return llm_message_converse(m, &v);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        if (llm_pull_get(doc, texts[i], &v) && llm_pull_is(&v, '"')) {
            llm_pull_text(&v, &m->text);
            return 1;
        }
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {

        if (llm_pull_get(doc, lists[i][0], &v)) {
            llm_pull_open(&it, &v);

            if (llm_pull_next(&it, NULL, &first)) {
                llm_message_add(&m->text, &first, lists[i][1]);
            }

            return 1;
        }
    }

    return 0;
}


/* A string, a part, or an array of parts. */

static void
llm_message_content(llm_message_t *m, const llm_str_t *content)
{
    llm_str_t   part;
    llm_pull_t  it;

    if (llm_pull_is(content, '"')) {
        llm_pull_text(content, &m->text);
        return;
    }

    if (llm_pull_is(content, '{')) {
        llm_message_part(m, content);
        return;
    }

    llm_pull_open(&it, content);

    while (llm_pull_next(&it, NULL, &part)) {
        llm_message_part(m, &part);
    }
}


static void
llm_message_part(llm_message_t *m, const llm_str_t *part)
{
    llm_str_t   v, inner;
    llm_pull_t  it;

    /* a tool's call: Anthropic, Gemini's interactions, Bedrock */

    if (llm_pull_get(part, "name", &v)) {

        if (llm_pull_get(part, "input", &v)) {
            llm_message_call(m, part, "name", "input", -1);

        } else if (llm_pull_get(part, "arguments", &v)) {
            llm_message_call(m, part, "name", "arguments", -1);
        }

        return;
    }

    if (llm_pull_get(part, "toolUse", &v)) {
        llm_message_call(m, &v, "name", "input", -1);
        return;
    }

    /* Mistral's thinking is an array of parts */

    if (llm_pull_get(part, "thinking", &v) && llm_pull_is(&v, '[')) {
        llm_pull_open(&it, &v);

        while (llm_pull_next(&it, NULL, &inner)) {
            llm_message_add(&m->thinking, &inner, "text");
        }

        return;
    }

    llm_message_add(&m->thinking, part, "thinking");
    llm_message_add(&m->thinking, part, "reasoningContent.reasoningText.text");
    llm_message_add(&m->refusal, part, "refusal");

    if (!llm_pull_get(part, "text", &v)) {
        return;
    }

    if (llm_pull_is(&v, '{')) {
        llm_message_add(&m->text, &v, "value");

    } else {
        llm_message_add(&m->text, part, "text");
    }
}


static void
llm_message_calls(llm_message_t *m, const llm_str_t *calls, const char *name,
    const char *arguments)
{
    llm_str_t   call;
    llm_pull_t  it;

    llm_pull_open(&it, calls);

    while (llm_pull_next(&it, NULL, &call)) {
        llm_message_call(m, &call, name, arguments, -1);
    }
}


static void
llm_message_call(llm_message_t *m, const llm_str_t *call, const char *name,
    const char *arguments, int64_t key)
{
    llm_str_t            v;
    llm_message_tool_t  *tool;

    tool = llm_message_tool_add(m, key);

    if (tool == NULL) {
        return;
    }

    if (llm_pull_get(call, name, &v)) {
        llm_message_value(&tool->name, &v);
    }

    if (llm_pull_get(call, arguments, &v)) {
        llm_message_value(&tool->arguments, &v);
    }
}


/* The value at the path, if it is a string or an object's text. */

static void
llm_message_add(llm_buf_t *out, const llm_str_t *doc, const char *path)
{
    llm_str_t  v;

    if (llm_pull_get(doc, path, &v)) {
        llm_message_value(out, &v);
    }
}


static int
llm_message_type(llm_message_t *m, const llm_str_t *doc, const char *type)
{
    size_t     n;
    llm_str_t  v;

    if (llm_pull_get(doc, "type", &v)) {
        return llm_pull_equal(&v, type);
    }

    n = strlen(type);

    return m->event.len == n && memcmp(m->event.data, type, n) == 0;
}


static int
llm_message_empty(const llm_message_t *m)
{
    return m->text.len == 0 && m->thinking.len == 0 && m->refusal.len == 0
           && m->ntools == 0;
}
