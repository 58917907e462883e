
/*
 * Copyright (C) llm_monitor contributors
 *
 * An exchange for tests: its memory is counted and may fail, its bodies come
 * in pieces.
 */


#ifndef _EXCHANGE_H_INCLUDED_
#define _EXCHANGE_H_INCLUDED_


#include <stdlib.h>

#include "tap.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_exchange.h"


#define CHAT      "/v1/chat/completions"
#define MESSAGES  "/v1/messages"
#define GEMINI    "/v1beta/models/gemini-pro:streamGenerateContent"
#define SSE       "text/event-stream"
#define JSON      "application/json"
#define NONE      LLM_NULL


static int                    blocks, fail_at;
static size_t                 in_use, most;
static const char            *request_headers[16];
static llm_exchange_state_t   state;
static int                    complete;


static void *
mem_alloc(void *data, size_t size)
{
    size_t  *p;

    if (fail_at != 0 && --fail_at == 0) {
        return NULL;
    }

    p = malloc(size + 16);
    *p = size;
    in_use += size;
    most = in_use > most ? in_use : most;
    blocks++;

    return p + 2;
}


static void
mem_free(void *data, void *p)
{
    size_t  *size = p;

    if (p != NULL) {
        in_use -= size[-2];
        blocks--;
        free(size - 2);
    }
}


static llm_str_t
text(const char *p)
{
    llm_str_t  s;

    s.data = (const uint8_t *) p;
    s.len = p != NULL ? strlen(p) : 0;

    return s;
}


static void
each(void *headers, llm_header_pt fn, void *data)
{
    int           i;
    llm_str_t     name, value;
    const char  **h = headers;

    for (i = 0; h[i] != NULL; i += 2) {
        name = text(h[i]);
        value = text(h[i + 1]);

        if (fn(data, &name, &value)) {
            return;
        }
    }
}


static llm_exchange_conf_t  conf;
static llm_head_t           request, response;
static uint8_t              salt[32];


static void
feed(llm_exchange_t *x, const char *body, size_t n, int mode, int from)
{
    size_t    at, piece;
    uint8_t  *copy;
    split_t   split;

    split_init(&split, mode);

    for (at = 0; at < n; at += piece) {
        piece = split_next(&split, n - at);
        copy = malloc(piece);
        memcpy(copy, body + at, piece);

        if (from) {
            llm_exchange_response_body(x, copy, piece, 0, at + 1);

        } else {
            llm_exchange_request_body(x, copy, piece, 0);
        }

        free(copy);
    }

    if (from) {
        llm_exchange_response_body(x, NULL, 0, 1, n + 1);

    } else {
        llm_exchange_request_body(x, NULL, 0, 1);
    }
}


static llm_exchange_t *
start(const char *path, const char *type, int status)
{
    memset(&conf, 0, sizeof(llm_exchange_conf_t));
    memset(&request, 0, sizeof(llm_head_t));
    memset(&response, 0, sizeof(llm_head_t));

    conf.mem.alloc = mem_alloc;
    conf.mem.free = mem_free;
    conf.salt = salt;

    request.method = text("POST");
    request.path = text(path);
    request.content_type = text(JSON);
    request.each = each;
    request.headers = request_headers;

    if (strchr(path, '?') != NULL) {
        request.path.len = strchr(path, '?') - path;
        request.query = text(strchr(path, '?') + 1);
    }

    response.status = status;
    response.content_type = text(type);

    return llm_exchange_create(&conf, NULL);
}


static llm_exchange_t *
run(const char *path, const char *type, int status, const char *asked,
    const char *body, size_t n, int mode, llm_record_t *r)
{
    llm_exchange_t  *x;

    x = start(path, type, status);

    if (x == NULL) {
        return NULL;
    }

    llm_exchange_request(x, &request);
    feed(x, asked, strlen(asked), mode, 0);
    llm_exchange_response(x, &response);
    feed(x, body, n, mode, 1);

    complete = llm_exchange_complete(x);
    llm_exchange_state(x, &state);
    llm_record_init(r);
    llm_exchange_finish(x, r);

    return x;
}


static int
is(const llm_str_t *s, const char *want)
{
    if (want == NULL || s->data == NULL) {
        return want == NULL && s->data == NULL;
    }

    return s->len == strlen(want) && memcmp(s->data, want, s->len) == 0;
}


#define CHUNK(rest)  "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,"         \
                     "\"delta\":{\"content\":\"hey\"},\"finish_reason\":null"  \
                     "}]" rest "}\n\n"
#define LAST         "data: {\"choices\":[{\"index\":0,\"delta\":{},"         \
                     "\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE(i, o)  "\"usage\":{\"prompt_tokens\":" #i                        \
                     ",\"completion_tokens\":" #o "}"
#define DONE         "data: [DONE]\n\n"
#define START(i, o)  "event: message_start\ndata: {\"type\":\"message_start\"" \
                     ",\"message\":{\"id\":\"m1\",\"usage\":{\"input_tokens\":"\
                     #i ",\"output_tokens\":" #o "}}}\n\n"
#define TEXT         "event: content_block_delta\ndata: {\"type\":"            \
                     "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"\
                     "\"text_delta\",\"text\":\"hey\"}}\n\n"
#define DELTA(u)     "event: message_delta\ndata: {\"type\":\"message_delta\","\
                     "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{" u  \
                     "}}\n\n"
#define STOP         "event: message_stop\n"                                  \
                     "data: {\"type\":\"message_stop\"}\n\n"
#define RESP(s, u)   "data: {\"type\":\"response." s "\",\"response\":{"       \
                     "\"object\":\"response\",\"id\":\"r1\",\"status\":\"" s   \
                     "\"" u "}}\n\n"
#define PART(t)      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" t\
                     "\"}]}}]"


#endif /* _EXCHANGE_H_INCLUDED_ */
