
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bodies.  The words of a message depend on its session and number alone, so
 * that a conversation says the same in each of its requests.
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fill.h"


#define FILL_HISTORY  12               /* messages of a request */


typedef struct {
    char    *data;                     /* FILL_BODY_MAX bytes */
    size_t   len;
} fill_buf_t;


static void fill_request(const fill_exchange_t *x, fill_buf_t *b);
static void fill_response(const fill_exchange_t *x, fill_buf_t *b);
static void fill_stream(const fill_exchange_t *x, fill_buf_t *b);
static void fill_message(const fill_exchange_t *x, int n, fill_buf_t *b);
static void fill_print(fill_buf_t *b, const char *fmt, ...);


static const char *const  fill_words[] = {
    "the", "a", "of", "to", "and", "in", "is", "for", "with", "that", "this",
    "file", "test", "function", "request", "answer", "please", "should",
    "change", "error", "value", "list", "report", "because", "first", "then",
    "module", "order", "customer", "table", "number", "write", "read",
    "check", "again", "result", "returns", "between", "before", "after"
};


void
fill_bodies(const fill_exchange_t *x, llm_record_t *r, fill_room_t *room)
{
    fill_buf_t  request, response;

    request.data = room->pos;
    fill_request(x, &request);
    room->pos += request.len;

    response.data = room->pos;
    fill_response(x, &response);
    room->pos += response.len;

    r->num[LLM_N_REQUEST_BYTES] = request.len;
    r->num[LLM_N_REQUEST_BODY_STATE] = x->bodies == 1 ? LLM_BODY_STORED
                                                      : LLM_BODY_EXPIRED;
    r->str[LLM_S_REQUEST_TYPE].data = (const uint8_t *) "application/json";
    r->str[LLM_S_REQUEST_TYPE].len = 16;

    if (x->bodies == 1) {
        r->str[LLM_S_REQUEST_BODY].data = (uint8_t *) request.data;
        r->str[LLM_S_REQUEST_BODY].len = request.len;
    }

    if (x->ttfb_us == LLM_NULL) {
        return;
    }

    r->num[LLM_N_RESPONSE_BYTES] = response.len;
    r->num[LLM_N_RESPONSE_BODY_STATE] = r->num[LLM_N_REQUEST_BODY_STATE];

    if (x->stream && x->status == 200) {
        r->str[LLM_S_RESPONSE_TYPE].data =
                                         (const uint8_t *) "text/event-stream";
        r->str[LLM_S_RESPONSE_TYPE].len = 17;

    } else {
        r->str[LLM_S_RESPONSE_TYPE] = r->str[LLM_S_REQUEST_TYPE];
    }

    if (x->bodies == 1) {
        r->str[LLM_S_RESPONSE_BODY].data = (uint8_t *) response.data;
        r->str[LLM_S_RESPONSE_BODY].len = response.len;
    }
}


static void
fill_request(const fill_exchange_t *x, fill_buf_t *b)
{
    int          n, last;
    const char  *role;

    b->len = 0;

    fill_print(b, "{\"model\":\"%s\",\"stream\":%s,\"max_tokens\":4096,",
               fill_models[x->session.model].name,
               x->stream ? "true" : "false");

    fill_print(b, x->operation == LLM_OPERATION_RESPONSES
               ? "\"input\":[" : "\"messages\":[");

    last = 2 * x->session.turn;

    for (n = last > FILL_HISTORY ? last - FILL_HISTORY : 0; n <= last; n++) {
        role = n % 2 ? "assistant" : "user";

        fill_print(b, "{\"role\":\"%s\",\"content\":\"", role);
        fill_message(x, n, b);
        fill_print(b, n < last ? "\"}," : "\"}");
    }

    fill_print(b, "]}");
}


static void
fill_response(const fill_exchange_t *x, fill_buf_t *b)
{
    int  n;

    b->len = 0;
    n = 2 * x->session.turn + 1;

    if (x->status != 200) {
        fill_print(b, "{\"error\":{\"type\":\"error\",\"message\":\"the "
                   "request failed with status %d\"}}", x->status);
        return;
    }

    if (x->stream) {
        fill_stream(x, b);
        return;
    }

    switch (fill_models[x->session.model].protocol) {

    case LLM_PROTOCOL_ANTHROPIC:
        fill_print(b, "{\"type\":\"message\",\"role\":\"assistant\","
                   "\"content\":[{\"type\":\"text\",\"text\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}],\"stop_reason\":\"end_turn\"}");
        return;

    case LLM_PROTOCOL_GEMINI:
        fill_print(b, "{\"candidates\":[{\"content\":{\"role\":\"model\","
                   "\"parts\":[{\"text\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}]},\"finishReason\":\"STOP\"}]}");
        return;
    }

    if (x->operation == LLM_OPERATION_RESPONSES) {
        fill_print(b, "{\"object\":\"response\",\"output\":[{\"type\":"
                   "\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
                   "\"output_text\",\"text\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}]}]}");
        return;
    }

    fill_print(b, "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
               "\"message\":{\"role\":\"assistant\",\"content\":\"");
    fill_message(x, n, b);
    fill_print(b, "\"},\"finish_reason\":\"stop\"}]}");
}


/* A few large events instead of hundreds of small ones. */

static void
fill_stream(const fill_exchange_t *x, fill_buf_t *b)
{
    int  n;

    n = 2 * x->session.turn + 1;

    switch (fill_models[x->session.model].protocol) {

    case LLM_PROTOCOL_ANTHROPIC:
        fill_print(b, "event: content_block_start\ndata: {\"type\":"
                   "\"content_block_start\",\"index\":0,\"content_block\":{"
                   "\"type\":\"text\",\"text\":\"\"}}\n\n"
                   "event: content_block_delta\ndata: {\"type\":"
                   "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                   "\"text_delta\",\"text\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}}\n\nevent: message_stop\n"
                   "data: {\"type\":\"message_stop\"}\n\n");
        return;

    case LLM_PROTOCOL_GEMINI:
        fill_print(b, "data: {\"candidates\":[{\"content\":{\"role\":"
                   "\"model\",\"parts\":[{\"text\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}]},\"finishReason\":\"STOP\"}]}\n\n");
        return;
    }

    if (x->operation == LLM_OPERATION_RESPONSES) {
        fill_print(b, "event: response.output_text.delta\ndata: {\"type\":"
                   "\"response.output_text.delta\",\"delta\":\"");
        fill_message(x, n, b);
        fill_print(b, "\"}\n\n");
        return;
    }

    fill_print(b, "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":"
               "\"assistant\",\"content\":\"");
    fill_message(x, n, b);
    fill_print(b, "\"}}]}\n\ndata: [DONE]\n\n");
}


static void
fill_message(const fill_exchange_t *x, int n, fill_buf_t *b)
{
    int       i, words;
    uint64_t  state;

    state = fill_mix(x->session.number ? x->session.number : x->salt, n);
    words = 12 + fill_next(&state) % 90;

    for (i = 0; i < words; i++) {
        fill_print(b, "%s%s", i ? " " : "",
                   fill_words[fill_next(&state)
                              % (sizeof(fill_words) / sizeof(char *))]);
    }
}


static void
fill_print(fill_buf_t *b, const char *fmt, ...)
{
    int      n;
    size_t   room;
    va_list  args;

    room = FILL_BODY_MAX - b->len;

    va_start(args, fmt);
    n = vsnprintf(b->data + b->len, room, fmt, args);
    va_end(args);

    b->len += n > 0 && (size_t) n < room ? (size_t) n : 0;
}
