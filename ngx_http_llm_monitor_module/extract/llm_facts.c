
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_error.h"
#include "llm_facts.h"
#include "llm_merge.h"
#include "llm_value.h"


#define LLM_FACTS_NAME    256     /* bytes of an id, model or the like */
#define LLM_FACTS_KEPT    4096    /* bytes of a usage or error object */

/* what `object` says, as far as it matters */

#define LLM_OBJECT_RUN    1       /* has a status that is a finish reason */
#define LLM_OBJECT_PLAN   2       /* names a model that did not answer */
#define LLM_OBJECT_ERROR  3


typedef struct {
    const char  *name;
    uint8_t      len;
    uint8_t      value;
} llm_word_t;

#define llm_word(name, value)   { name, sizeof(name) - 1, value }


static LLM_APART void llm_facts_string(llm_facts_t *f, int field,
    const llm_scan_value_t *v);
static LLM_APART void llm_facts_literal(llm_facts_t *f, int field,
    const llm_scan_value_t *v);
static LLM_APART void llm_facts_open(llm_facts_t *f, int field);
static LLM_APART void llm_facts_close(llm_facts_t *f, int field);
static LLM_APART void llm_facts_keep(llm_facts_t *f, int field,
    const llm_scan_value_t *v);
static LLM_APART void llm_facts_document(llm_facts_t *f, int cut);
static void llm_facts_finish(llm_facts_t *f);
static void llm_facts_usage(llm_facts_t *f);
static void llm_facts_usage_text(llm_facts_t *f);
static LLM_APART void llm_facts_usage_merge(llm_facts_t *f);
static void llm_facts_flat_error(llm_facts_t *f);
static void llm_facts_content(llm_facts_t *f, size_t n);
static void llm_facts_begin(llm_facts_t *f);
static int llm_facts_word(const llm_word_t *words, const uint8_t *p, size_t n);


static const llm_word_t  llm_facts_events[] = {
    llm_word("message_start", LLM_EVENT_START),
    llm_word("message_delta", LLM_EVENT_FINAL),
    llm_word("message_stop", LLM_EVENT_END),
    llm_word("message-end", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("messageStop", LLM_EVENT_AWAITS),
    llm_word("metadata", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("response.completed", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("response.incomplete", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("response.failed", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("response.cancelled", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("thread.run.completed", LLM_EVENT_FINAL),
    llm_word("interaction.complete", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("image_generation.completed", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("image_edit.completed", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("transcript.text.done", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("speech.audio.done", LLM_EVENT_END | LLM_EVENT_FINAL),
    llm_word("error", LLM_EVENT_ERROR),
    { NULL, 0, 0 }
};

static const llm_word_t  llm_facts_objects[] = {
    llm_word("response", LLM_OBJECT_RUN),
    llm_word("thread.run", LLM_OBJECT_RUN),
    llm_word("interaction", LLM_OBJECT_RUN),
    llm_word("assistant", LLM_OBJECT_PLAN),
    llm_word("fine_tuning.job", LLM_OBJECT_PLAN),
    llm_word("batch", LLM_OBJECT_PLAN),
    llm_word("error", LLM_OBJECT_ERROR),
    { NULL, 0, 0 }
};

/* a status that is none of these says that the answer goes on */

static const llm_word_t  llm_facts_ends[] = {
    llm_word("completed", 1),
    llm_word("incomplete", 1),
    llm_word("failed", 1),
    llm_word("cancelled", 1),
    llm_word("expired", 1),
    { NULL, 0, 0 }
};

static const llm_word_t  llm_facts_tools[] = {
    llm_word("tool_use", 1),
    llm_word("server_tool_use", 1),
    llm_word("mcp_tool_use", 1),
    llm_word("function_call", 1),
    llm_word("custom_tool_call", 1),
    llm_word("mcp_call", 1),
    { NULL, 0, 0 }
};


void
llm_facts_init(llm_facts_t *f, llm_pool_t *pool)
{
    memset(f, 0, sizeof(llm_facts_t));

    f->pool = pool;
    f->content_at = LLM_NULL;

    llm_usage_init(&f->usage);
    llm_usage_init(&f->part);
}


void
llm_facts_reset(llm_facts_t *f)
{
    llm_slot_t             error, error_type;
    llm_pool_t            *pool;
    const llm_provider_t  *provider;

    pool = f->pool;
    provider = f->provider;
    error = f->error;
    error_type = f->error_type;

    llm_facts_init(f, pool);

    f->provider = provider;
    f->error = error;
    f->error_type = error_type;
}


/* before each document */

static void
llm_facts_begin(llm_facts_t *f)
{
    f->index = 0;
    f->part_tools = 0;
    f->output_tools = 0;
    f->event = 0;
    f->object = 0;
    f->output = 0;
    f->status = 0;
    f->start = 0;
    f->part_usage = 0;
    f->part_model = 0;
    f->long_usage = 0;
    f->whole_usage = 0;
    f->part_finish.len = 0;
    f->choice_finish.len = 0;
    f->message.len = 0;
    f->code.len = 0;
}


void
llm_facts_value(void *data, int field, const llm_scan_value_t *v)
{
    llm_facts_t  *f = data;

    switch (v->type) {

    case LLM_SCAN_STRING:
        llm_facts_string(f, field, v);
        break;

    case LLM_SCAN_LITERAL:
        llm_facts_literal(f, field, v);
        break;

    case LLM_SCAN_OBJECT:
        llm_facts_open(f, field);
        break;

    case LLM_SCAN_OBJECT_END:
        llm_facts_close(f, field);
        break;

    case LLM_SCAN_TEXT:
        llm_facts_keep(f, field, v);
        break;

    case LLM_SCAN_DOCUMENT:
        llm_facts_document(f, v->full);
        break;

    default:
        break;
    }
}


static void
llm_facts_string(llm_facts_t *f, int field, const llm_scan_value_t *v)
{
    if (v->full == 0) {
        return;
    }

    switch (field) {

    case LLM_F_TEXT:
        llm_facts_content(f, v->full);
        f->text_bytes += v->full;
        return;

    case LLM_F_CONTENT:
        llm_facts_content(f, v->full);

        if (f->text_bytes == 0) {
            f->text_bytes = v->full;
        }

        return;

    case LLM_F_ID:
        if (f->id.len == 0) {
            llm_slot_json(&f->id, f->pool, v->p, v->n, LLM_FACTS_NAME);
            f->changed = 1;
        }

        return;

    case LLM_F_MODEL:
        if (f->model.len == 0) {
            llm_slot_json(&f->model, f->pool, v->p, v->n, LLM_FACTS_NAME);
            f->part_model = 1;
            f->changed = 1;
        }

        return;

    case LLM_F_TYPE:
        if (v->p != NULL) {
            f->event |= llm_facts_word(llm_facts_events, v->p, v->n);
        }

        return;

    case LLM_F_OBJECT:
        if (v->p != NULL) {
            f->object = llm_facts_word(llm_facts_objects, v->p, v->n);
        }

        return;
    }

    /* said by every event of a stream, and mostly the same */

    if (field == LLM_F_TIER && f->tier.len == v->full && v->p != NULL
        && memcmp(f->tier.data, v->p, v->full) == 0)
    {
        return;
    }

    f->changed = 1;

    switch (field) {

    case LLM_F_TIER:
        llm_slot_json(&f->tier, f->pool, v->p, v->n, LLM_FACTS_NAME);
        break;

    case LLM_F_FINISH:
        llm_slot_json(&f->choice_finish, f->pool, v->p, v->n, LLM_FACTS_NAME);
        break;

    case LLM_F_STATUS:
        if (v->p != NULL && f->status < 2
            && llm_facts_word(llm_facts_ends, v->p, v->n))
        {
            llm_slot_json(&f->choice_finish, f->pool, v->p, v->n,
                          LLM_FACTS_NAME);
            f->status = 1;
        }

        break;

    case LLM_F_REASON:
        llm_slot_json(&f->choice_finish, f->pool, v->p, v->n, LLM_FACTS_NAME);
        f->status = 2;
        break;

    case LLM_F_TOOL:
        llm_facts_content(f, v->full);
        f->part_tools++;
        break;

    case LLM_F_KIND:
        f->part_tools += v->p != NULL
                         && llm_facts_word(llm_facts_tools, v->p, v->n);
        break;

    case LLM_F_OUTPUT:
        f->output = 1;
        f->output_tools += v->p != NULL
                           && llm_facts_word(llm_facts_tools, v->p, v->n);
        break;

    case LLM_F_MESSAGE:
        llm_slot_json(&f->message, f->pool, v->p, v->n, LLM_ERROR_MESSAGE);
        break;

    case LLM_F_CODE:
        llm_slot_json(&f->code, f->pool, v->p, v->n, LLM_FACTS_NAME);
        break;

    case LLM_F_ERROR:
        if (!f->any_error) {
            llm_slot_json(&f->error, f->pool, v->p, v->n, LLM_ERROR_MESSAGE);
            f->error_type.data = NULL;
            f->error_type.cap = 0;
            f->any_error = 1;
        }

        break;
    }
}


static void
llm_facts_literal(llm_facts_t *f, int field, const llm_scan_value_t *v)
{
    int64_t  n;

    if (v->p == NULL || v->n == 0 || v->p[0] == 'n') {
        return;
    }

    if (field >= LLM_F_NUMBER) {
        f->changed = 1;

        n = field == LLM_F_U(COST) ? llm_value_nano(v->p, v->n)
                                   : llm_value_count(v->p, v->n);

        if (n != LLM_NULL) {
            f->part.v[field - LLM_F_NUMBER] = n;
            f->part_usage = 1;
        }

        return;
    }

    switch (field) {

    case LLM_F_INDEX:
        n = llm_value_count(v->p, v->n);
        f->index = n == LLM_NULL ? 0 : n;
        break;

    case LLM_F_FINISH:
        /* Gemini with enum-encoding=int, where 0 is "unspecified" */
        f->changed = 1;

        if (v->p[0] != '0') {
            llm_slot_set(&f->choice_finish, f->pool, v->p, v->n,
                         LLM_FACTS_NAME);
        }

        break;

    case LLM_F_DONE:
        f->changed = 1;

        if (v->p[0] == 't') {
            f->event |= LLM_EVENT_END | LLM_EVENT_FINAL;
        }

        break;

    case LLM_F_ROOT:
        f->changed = 1;

        if (v->n == 4 && memcmp(v->p, "DONE", 4) == 0) {
            f->ended = 1;
        }

        break;
    }
}


static void
llm_facts_open(llm_facts_t *f, int field)
{
    switch (field) {

    case LLM_F_CHOICE:
        f->index = 0;
        f->choice_finish.len = 0;
        break;

    case LLM_F_TOOL:
        f->changed = 1;
        llm_facts_content(f, 1);
        f->part_tools++;
        break;

    case LLM_F_USAGE:
    case LLM_F_USAGE_START:
        f->changed = 1;
        f->start = field == LLM_F_USAGE_START;
        f->part_text.len = 0;
        f->long_usage = 0;
        f->whole_usage = 0;
        llm_usage_init(&f->part);
        break;

    case LLM_F_COUNTED:
        f->part_text.len = 0;
        f->long_usage = 0;
        break;

    case LLM_F_ERROR:
        f->changed = 1;
        f->error_text.len = 0;
        break;
    }
}


static void
llm_facts_close(llm_facts_t *f, int field)
{
    switch (field) {

    case LLM_F_CHOICE:
        if (f->choice_finish.len != 0 && f->index == 0) {
            llm_slot_swap(&f->part_finish, &f->choice_finish);
        }

        f->choice_finish.len = 0;
        break;

    case LLM_F_USAGE:
    case LLM_F_USAGE_START:
        f->part_usage = 1;
        f->whole_usage = 1;
        break;

    case LLM_F_COUNTED:
        llm_facts_usage_text(f);
        break;

    case LLM_F_ERROR:
        if (!f->any_error) {
            f->any_error = llm_error_read(f, f->http_error);
        }

        break;
    }
}


/* the text of a usage or error object, which comes in pieces */

static void
llm_facts_keep(llm_facts_t *f, int field, const llm_scan_value_t *v)
{
    size_t       n;
    llm_slot_t  *slot;

    slot = field == LLM_F_ERROR ? &f->error_text : &f->part_text;

    if (v->n == 0) {
        slot->len = llm_error_cut(slot->data, slot->len);
        return;
    }

    n = v->n;

    if (field == LLM_F_ERROR && slot->len + n > LLM_FACTS_KEPT) {
        n = LLM_FACTS_KEPT - slot->len;
    }

    if (!f->long_usage || field == LLM_F_ERROR) {

        if (llm_slot_append(slot, f->pool, v->p, n, LLM_FACTS_KEPT)
            != LLM_OK && field != LLM_F_ERROR)
        {
            f->long_usage = 1;
        }
    }
}


static void
llm_facts_document(llm_facts_t *f, int cut)
{
    if (f->object == LLM_OBJECT_PLAN && f->part_model) {
        f->model.len = 0;
    }

    if (cut) {
        f->broken = 1;
    }

    /* an event that was cut is none, a body says what it says */

    if (!cut || !f->stream) {
        llm_facts_finish(f);

        if (f->part_usage) {
            llm_facts_usage(f);
        }
    }

    if (f->part_usage) {
        llm_usage_init(&f->part);
    }

    f->tools += f->part_tools;

    if (f->output_tools > f->tools) {
        f->tools = f->output_tools;
    }

    if ((f->event & LLM_EVENT_ERROR) || f->object == LLM_OBJECT_ERROR) {
        llm_facts_flat_error(f);
    }

    if ((f->event & LLM_EVENT_END) && !cut) {
        f->ended = 1;
    }

    if (f->event & LLM_EVENT_AWAITS) {
        f->awaits = 1;
    }

    llm_facts_begin(f);
}


static void
llm_facts_finish(llm_facts_t *f)
{
    llm_slot_t  *finish;

    finish = &f->part_finish;

    /*
     * A reason outside of choices, and the status of an answer as a whole:
     * what it is, its `object` says, or the event, or what was put out.
     */

    if (f->choice_finish.len != 0
        && (f->status == 0 || f->object == LLM_OBJECT_RUN
            || (f->object == 0
                && (f->output || (f->event & LLM_EVENT_END)))))
    {
        finish = &f->choice_finish;
    }

    if (finish->len != 0) {
        llm_slot_swap(&f->finish, finish);
        f->finished = 1;
    }
}


static void
llm_facts_usage(llm_facts_t *f)
{
    int  start;

    start = f->stream && (f->start || (f->event & LLM_EVENT_START));

    f->provider->merge(&f->usage, &f->part, start);

    if (f->whole_usage) {

        if (f->stream && f->provider->merge == llm_usage_merge
            && f->usage_text.len != 0 && !f->long_usage)
        {
            llm_facts_usage_merge(f);
        }

        llm_facts_usage_text(f);
    }

    if (f->event & LLM_EVENT_FINAL) {
        f->final_usage = 1;
    }
}


/* what is kept lets one count again: all that is known, as it was sent */

static void
llm_facts_usage_merge(llm_facts_t *f)
{
    size_t     n;
    uint8_t    buf[LLM_FACTS_KEPT];
    llm_str_t  old, add;

    old = llm_slot_str(&f->usage_text);
    add = llm_slot_str(&f->part_text);

    n = llm_merge(buf, sizeof(buf), &old, &add);

    if (n != 0) {
        f->part_text.len = 0;
        (void) llm_slot_append(&f->part_text, f->pool, buf, n, sizeof(buf));
    }
}


static void
llm_facts_usage_text(llm_facts_t *f)
{
    llm_slot_swap(&f->usage_text, &f->part_text);
    f->any_usage = 1;

    if (f->long_usage) {
        f->usage_text.len = 0;
    }
}


/* an event that is an error by its name, with the message beside it */

static void
llm_facts_flat_error(llm_facts_t *f)
{
    llm_str_t  message, type;

    message = llm_slot_str(&f->message);
    type = llm_slot_str(&f->code);

    llm_facts_error(f, &message, &type);
}


void
llm_facts_error(llm_facts_t *f, const llm_str_t *message,
    const llm_str_t *type)
{
    if (f->any_error) {
        return;
    }

    f->any_error = 1;
    f->changed = 1;
    f->error.data = NULL;
    f->error.cap = 0;
    f->error_type.data = NULL;
    f->error_type.cap = 0;

    if (message->len != 0) {
        llm_slot_set(&f->error, f->pool, message->data, message->len,
                     LLM_ERROR_MESSAGE);
    }

    if (type->len != 0) {
        llm_slot_set(&f->error_type, f->pool, type->data, type->len,
                     LLM_FACTS_NAME);
    }
}


int
llm_facts_complete(const llm_facts_t *f)
{
    return f->ended || (f->finished && !f->awaits);
}


void
llm_facts_event(llm_facts_t *f, const uint8_t *p, size_t n)
{
    f->event |= llm_facts_word(llm_facts_events, p, n);
}


static void
llm_facts_content(llm_facts_t *f, size_t n)
{
    if (f->content_at == LLM_NULL) {
        f->content_at = f->now;
        f->changed = 1;
    }
}


static int
llm_facts_word(const llm_word_t *words, const uint8_t *p, size_t n)
{
    for ( /* void */ ; words->name != NULL; words++) {
        if (words->len == n && memcmp(words->name, p, n) == 0) {
            return words->value;
        }
    }

    return 0;
}
