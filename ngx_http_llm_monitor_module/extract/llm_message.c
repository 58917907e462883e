
/*
 * Copyright (C) llm_monitor contributors
 *
 * Finds the JSON documents in a body (lines of SSE, of NDJSON, elements of an
 * array, frames) and gives each to the shapes of its protocol.
 */


#include <stdlib.h>
#include <string.h>

#include "../record/llm_json_write.h"
#include "../record/llm_record.h"
#include "../record/llm_text.h"
#include "llm_aws.h"
#include "llm_base64.h"
#include "llm_message.h"
#include "llm_message_parts.h"
#include "llm_pull.h"


#define LLM_MESSAGE_MAX   (16 * 1024 * 1024)


typedef struct {
    llm_message_t   m;
    int             protocol;
    llm_buf_t       data;       /* an event's data lines, if several */
} llm_message_read_t;


static void llm_message_sse(llm_message_read_t *r, const uint8_t *p,
    size_t n);
static int llm_message_is_sse(const llm_str_t *type, const uint8_t *p,
    size_t n);
static size_t llm_message_line(const uint8_t *p, size_t n, llm_str_t *line);
static int llm_message_field(const llm_str_t *line, const char *name,
    llm_str_t *value);
static void llm_message_documents(llm_message_read_t *r, const llm_str_t *s);
static void llm_message_document(llm_message_read_t *r, const llm_str_t *doc);
static void llm_message_frames(llm_message_read_t *r, const uint8_t *p,
    size_t n);
static void llm_message_frame(void *data, const llm_aws_frame_t *frame);
static void llm_message_base64(const llm_str_t *value, llm_buf_t *out);
static void llm_message_write(const llm_message_t *m, llm_buf_t *out);
static void llm_message_member(llm_json_t *j, const char *name,
    const llm_buf_t *b);
static void *llm_message_alloc(void *data, size_t size);
static void llm_message_free(void *data, void *p);


int
llm_message_build(int protocol, const llm_str_t *type, const uint8_t *body,
    size_t n, llm_buf_t *out)
{
    int                  i;
    llm_str_t            s;
    llm_message_read_t  *r;

    if (n > LLM_MESSAGE_MAX) {
        n = LLM_MESSAGE_MAX;
    }

    r = calloc(1, sizeof(llm_message_read_t));
    if (r == NULL) {
        return LLM_NOMEM;
    }

    r->protocol = protocol;

    llm_buf_init(&r->m.text, LLM_MESSAGE_MAX);
    llm_buf_init(&r->m.thinking, LLM_MESSAGE_MAX);
    llm_buf_init(&r->m.refusal, LLM_MESSAGE_MAX);
    llm_buf_init(&r->data, LLM_MESSAGE_MAX);

    if (type->data != NULL
        && llm_text_find_nocase(type, "vnd.amazon.eventstream") != NULL)
    {
        llm_message_frames(r, body, n);

    } else if (llm_message_is_sse(type, body, n)) {
        llm_message_sse(r, body, n);

    } else {
        s.data = body;
        s.len = n;
        llm_message_documents(r, &s);
    }

    llm_message_write(&r->m, out);

    for (i = 0; i < r->m.ntools; i++) {
        llm_buf_free(&r->m.tools[i].name);
        llm_buf_free(&r->m.tools[i].arguments);
    }

    llm_buf_free(&r->m.text);
    llm_buf_free(&r->m.thinking);
    llm_buf_free(&r->m.refusal);
    llm_buf_free(&r->data);

    free(r);

    return (out->failed == LLM_OK) ? LLM_OK : out->failed;
}


static int
llm_message_is_sse(const llm_str_t *type, const uint8_t *p, size_t n)
{
    size_t  i;

    if (type->data != NULL
        && llm_text_find_nocase(type, "text/event-stream") != NULL)
    {
        return 1;
    }

    for (i = 0; i < n && (p[i] == ' ' || p[i] == '\r' || p[i] == '\n'); i++) {
        /* void */
    }

    p += i;
    n -= i;

    return (n >= 5 && memcmp(p, "data:", 5) == 0)
           || (n >= 6 && memcmp(p, "event:", 6) == 0)
           || (n >= 1 && p[0] == ':');
}


static void
llm_message_sse(llm_message_read_t *r, const uint8_t *p, size_t n)
{
    int        lines;
    size_t     size;
    llm_str_t  line, value, first, doc;

    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        n -= 3;
    }

    lines = 0;
    first.data = NULL;
    first.len = 0;

    for ( ;; ) {

        size = llm_message_line(p, n, &line);

        if (line.len == 0) {
            doc = first;

            if (lines > 1) {
                doc.data = r->data.data;
                doc.len = (r->data.failed == LLM_OK) ? r->data.len : 0;
            }

            if (lines) {
                llm_message_documents(r, &doc);
            }

            lines = 0;
            r->m.event.len = 0;

            if (n == 0) {
                return;
            }

        } else if (llm_message_field(&line, "data", &value)) {

            if (lines == 0) {
                first = value;

            } else {

                if (lines == 1) {
                    r->data.len = 0;
                    llm_buf_add(&r->data, first.data, first.len);
                }

                llm_buf_add(&r->data, "\n", 1);
                llm_buf_add(&r->data, value.data, value.len);
            }

            lines++;

        } else if (llm_message_field(&line, "event", &value)) {
            r->m.event = value;
        }

        p += size;
        n -= size;
    }
}


/* A line without its end; returns the bytes up to the next one. */

static size_t
llm_message_line(const uint8_t *p, size_t n, llm_str_t *line)
{
    size_t  i;

    for (i = 0; i < n && p[i] != '\n' && p[i] != '\r'; i++) { /* void */ }

    line->data = p;
    line->len = i;

    if (i + 1 < n && p[i] == '\r' && p[i + 1] == '\n') {
        return i + 2;
    }

    return (i < n) ? i + 1 : n;
}


static int
llm_message_field(const llm_str_t *line, const char *name, llm_str_t *value)
{
    size_t  n;

    n = strlen(name);

    if (line->len <= n || line->data[n] != ':'
        || memcmp(line->data, name, n) != 0)
    {
        return 0;
    }

    n += (line->len > n + 1 && line->data[n + 1] == ' ') ? 2 : 1;

    value->data = line->data + n;
    value->len = line->len - n;

    return 1;
}


/* One document, several lines of them, or an array of them. */

static void
llm_message_documents(llm_message_read_t *r, const llm_str_t *s)
{
    llm_str_t   text, value, doc;
    llm_pull_t  it;

    text = *s;

    while (llm_pull_value(&text, &value)) {

        if (llm_pull_is(&value, '{')) {
            llm_message_document(r, &value);
            continue;
        }

        llm_pull_open(&it, &value);

        while (llm_pull_next(&it, NULL, &doc)) {
            llm_message_document(r, &doc);
        }
    }
}


static void
llm_message_document(llm_message_read_t *r, const llm_str_t *doc)
{
    size_t                       i;
    const llm_message_shape_pt  *shapes;

    static const llm_message_shape_pt  all[][4] = {
        { llm_message_openai, llm_message_anthropic, llm_message_gemini,
          llm_message_ollama },
        { llm_message_responses, llm_message_openai, NULL, NULL },
        { llm_message_anthropic, NULL, NULL, NULL },
        { llm_message_gemini, NULL, NULL, NULL },
        { llm_message_ollama, NULL, NULL, NULL },
        { llm_message_cohere, NULL, NULL, NULL },
        { llm_message_converse, llm_message_anthropic, llm_message_openai,
          llm_message_invoke }
    };

    if (r->protocol < 0
        || r->protocol >= (int) (sizeof(all) / sizeof(all[0])))
    {
        r->protocol = LLM_PROTOCOL_UNKNOWN;
    }

    shapes = all[r->protocol];

    for (i = 0; i < 4 && shapes[i] != NULL; i++) {

        if (shapes[i](&r->m, doc)) {
            return;
        }
    }
}


static void
llm_message_frames(llm_message_read_t *r, const uint8_t *p, size_t n)
{
    llm_aws_t  *a;
    llm_mem_t   mem;

    mem.alloc = llm_message_alloc;
    mem.free = llm_message_free;
    mem.data = NULL;

    if (llm_aws_create(&a, &mem, llm_message_frame, r) != LLM_OK) {
        return;
    }

    (void) llm_aws_feed(a, p, n);

    llm_aws_destroy(a);
}


static void
llm_message_frame(void *data, const llm_aws_frame_t *frame)
{
    llm_str_t            bytes, doc;
    llm_message_read_t  *r;

    r = data;

    r->m.event = frame->event_type;

    if (!llm_pull_get(&frame->payload, "bytes", &bytes)) {
        llm_message_document(r, &frame->payload);
        return;
    }

    /* InvokeModelWithResponseStream wraps the model's own events */

    r->data.len = 0;
    llm_message_base64(&bytes, &r->data);

    doc.data = r->data.data;
    doc.len = r->data.len;

    r->m.event.len = 0;

    llm_message_documents(r, &doc);
}


static void
llm_message_base64(const llm_str_t *value, llm_buf_t *out)
{
    uint8_t        *room;
    llm_base64_t    b;
    const uint8_t  *p, *end;

    if (value->len < 2 || !llm_pull_is(value, '"')) {
        return;
    }

    p = value->data + 1;
    end = value->data + value->len;

    room = llm_buf_room(out, value->len);

    if (room != NULL) {
        llm_base64_init(&b);
        out->len += llm_base64_decode(&b, room, value->len, &p, end);
    }
}


llm_message_tool_t *
llm_message_tool_add(llm_message_t *m, int64_t key)
{
    llm_message_tool_t  *tool;

    if (m->ntools == LLM_MESSAGE_TOOLS) {
        return NULL;
    }

    tool = &m->tools[m->ntools++];

    tool->key = key;
    tool->nid = 0;

    llm_buf_init(&tool->name, LLM_MESSAGE_MAX);
    llm_buf_init(&tool->arguments, LLM_MESSAGE_MAX);

    return tool;
}


llm_message_tool_t *
llm_message_tool_find(llm_message_t *m, int64_t key)
{
    int  i;

    for (i = m->ntools - 1; i >= 0; i--) {
        if (m->tools[i].key == key) {
            return &m->tools[i];
        }
    }

    return NULL;
}


void
llm_message_value(llm_buf_t *out, const llm_str_t *value)
{
    if (llm_pull_is(value, '"')) {
        llm_pull_text(value, out);

    } else if (value->len) {
        llm_buf_add(out, value->data, value->len);
    }
}


static void
llm_message_write(const llm_message_t *m, llm_buf_t *out)
{
    int                        i;
    llm_json_t                 j;
    const llm_message_tool_t  *tool;

    llm_json_init(&j, out);

    if (m->text.len == 0 && m->thinking.len == 0 && m->refusal.len == 0
        && m->ntools == 0)
    {
        llm_json_null(&j);
        return;
    }

    llm_json_open_object(&j);

    llm_message_member(&j, "text", &m->text);
    llm_message_member(&j, "thinking", &m->thinking);
    llm_message_member(&j, "refusal", &m->refusal);

    llm_json_key(&j, "tool_calls");
    llm_json_open_array(&j);

    for (i = 0; i < m->ntools; i++) {
        tool = &m->tools[i];

        llm_json_open_object(&j);
        llm_message_member(&j, "name", &tool->name);
        llm_json_key(&j, "arguments");
        llm_json_string(&j, tool->arguments.data, tool->arguments.len);
        llm_json_close_object(&j);
    }

    llm_json_close_array(&j);
    llm_json_close_object(&j);
}


static void
llm_message_member(llm_json_t *j, const char *name, const llm_buf_t *b)
{
    llm_json_key(j, name);

    if (b->len == 0) {
        llm_json_null(j);

    } else {
        llm_json_string(j, b->data, b->len);
    }
}


static void *
llm_message_alloc(void *data, size_t size)
{
    return malloc(size);
}


static void
llm_message_free(void *data, void *p)
{
    free(p);
}
