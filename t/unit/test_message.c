
/*
 * Copyright (C) llm_monitor contributors
 *
 * Answers rebuilt from stored bodies: each protocol whole and in events, cut
 * at every byte, and broken.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_message.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_pull.h"
#include "../../ngx_http_llm_monitor_module/record/llm_record.h"


#define SSE   "text/event-stream; charset=utf-8"
#define JSON  "application/json"
#define NONE  ",\"tool_calls\":[]}"
#define TEXT(t)  "{\"text\":" t ",\"thinking\":null,\"refusal\":null" NONE
#define BOTH(t, h)  "{\"text\":" t ",\"thinking\":" h ",\"refusal\":null" NONE
#define CALL(n, a)  "{\"name\":" n ",\"arguments\":" a "}"
#define CALLS(c)  "{\"text\":null,\"thinking\":null,\"refusal\":null," \
                  "\"tool_calls\":[" c "]}"

#define X  LLM_PROTOCOL_UNKNOWN
#define O  LLM_PROTOCOL_OPENAI
#define A  LLM_PROTOCOL_ANTHROPIC
#define G  LLM_PROTOCOL_GEMINI
#define L  LLM_PROTOCOL_OLLAMA
#define C  LLM_PROTOCOL_COHERE
#define B  LLM_PROTOCOL_BEDROCK


typedef struct {
    const char  *name;
    int          protocol;
    const char  *type;
    const char  *body;
    const char  *want;
} case_t;


static const case_t  cases[] = {
    { "chat", O, JSON, "\n\n{\"choices\":[{\"message\":{\"content\":"
      "\"a\\n\\u00e9\\ud83d\\ude00\\ud800x\",\"reasoning_content\":\"h\"}},"
      "{\"index\":1,\"message\":{\"content\":\"second\"}}]}",
      BOTH("\"a\\n\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx\"", "\"h\"") },
    { "chat, refusal and calls", O, JSON, "{\"choices\":[{\"message\":{"
      "\"content\":null,\"refusal\":\"no\",\"tool_calls\":[{\"function\":{"
      "\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{}]}}]}",
      "{\"text\":null,\"thinking\":null,\"refusal\":\"no\",\"tool_calls\":["
      CALL("\"f\"", "\"{\\\"a\\\":1}\"") "]}" },
    { "chat stream", O, SSE,
      ": ping\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":"
      "\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
      "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"He\"}},"
      "{\"index\":1,\"delta\":{\"content\":\"no\"}}]}\r\n\r\n"
      "data: {\"choices\":\r\ndata: [{\"delta\":{\"content\":\"llo\"}}]}"
      "\r\n\r\ndata: {\"choices\":[],\"usage\":{}}\r\n\r\ndata: [DONE]",
      TEXT("\"Hello\"") },
    { "chat stream, calls by index", O, SSE,
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
      "\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},"
      "{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"g\"}}]}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,"
      "\"function\":{\"arguments\":\"[2]\"}},{\"index\":0,"
      "\"function\":{\"arguments\":\"[1]\"}}]}}]}\n\n",
      CALLS(CALL("\"f\"", "\"[1]\"") "," CALL("\"g\"", "\"[2]\"")) },
    { "chat stream, index 0 for all", O, SSE,
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
      "\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"1\"}}]}}]}"
      "\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,"
      "\"id\":\"c2\",\"function\":{\"name\":\"g\",\"arguments\":\"2\"}}]}}]}"
      "\n\n",
      CALLS(CALL("\"f\"", "\"1\"") "," CALL("\"g\"", "\"2\"")) },
    { "completion", O, JSON, "{\"choices\":[{\"text\":\"t\"}]}",
      TEXT("\"t\"") },
    { "responses", O, JSON, "{\"output\":[{\"type\":\"reasoning\","
      "\"summary\":[{\"text\":\"h\"}]},{\"type\":\"message\",\"content\":[{"
      "\"type\":\"output_text\",\"text\":\"t\"}]}]}", BOTH("\"t\"", "\"h\"") },
    { "responses stream", O, SSE,
      "event: response.created\ndata: {\"type\":\"response.created\","
      "\"response\":{\"output\":[]}}\n\n"
      "event: response.output_text.delta\ndata: {\"delta\":\"t\"}\n\n"
      "data: {\"type\":\"response.completed\",\"response\":{\"output\":["
      "{\"type\":\"message\",\"content\":[{\"text\":\"t\"}]}]}}\n\n",
      TEXT("\"t\"") },
    { "responses, the last event alone", O, SSE,
      "data: {\"type\":\"response.completed\",\"response\":{\"output\":["
      "{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{}\"}]}}",
      CALLS(CALL("\"f\"", "\"{}\"")) },
    { "llama.cpp", O, JSON, "{\"content\":\"t\",\"stop\":true}",
      TEXT("\"t\"") },
    { "messages", A, JSON, "{\"type\":\"message\",\"content\":[{\"type\":"
      "\"thinking\",\"thinking\":\"h\"},{\"type\":\"text\",\"text\":\"t\"},"
      "{\"type\":\"tool_use\",\"name\":\"f\",\"input\":{\"a\":1}}]}",
      "{\"text\":\"t\",\"thinking\":\"h\",\"refusal\":null,\"tool_calls\":["
      CALL("\"f\"", "\"{\\\"a\\\":1}\"") "]}" },
    { "messages stream", A, SSE,
      "event: content_block_start\ndata: {\"type\":\"content_block_start\","
      "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
      "event: content_block_delta\ndata: {\"index\":0,\"delta\":{"
      "\"text\":\"t\"}}\n\n"
      "data: {\"type\":\"content_block_start\",\"index\":1,"
      "\"content_block\":{\"type\":\"tool_use\",\"name\":\"f\","
      "\"input\":{}}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{"
      "\"partial_json\":\"\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{"
      "\"partial_json\":\"{\\\"a\\\"\"}}\n\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{"
      "\"partial_json\":\":1}\"}}\n\n",
      "{\"text\":\"t\",\"thinking\":null,\"refusal\":null,\"tool_calls\":["
      CALL("\"f\"", "\"{\\\"a\\\":1}\"") "]}" },
    { "an error", A, JSON, "{\"type\":\"error\",\"error\":{\"message\":"
      "\"Overloaded\"}}", "null" },
    { "Gemini", G, JSON, "{\"response\":{\"candidates\":[{\"content\":{"
      "\"parts\":[{\"text\":\"h\",\"thought\":true},{\"text\":\"t\"}]}}]}}",
      BOTH("\"t\"", "\"h\"") },
    { "Gemini, an array", G, JSON, "[{\"candidates\":[{\"content\":{\"parts\":"
      "[{\"text\":\"a\"}]}}]}\n,\r\n{\"candidates\":[{\"content\":{\"parts\":"
      "[{\"functionCall\":{\"name\":\"f\",\"args\":{}}},{\"text\":\"b\"}]}}]}"
      "]", "{\"text\":\"ab\",\"thinking\":null,\"refusal\":null,"
      "\"tool_calls\":[" CALL("\"f\"", "\"{}\"") "]}" },
    { "Ollama", L, "application/x-ndjson",
      "{\"message\":{\"content\":\"a\",\"thinking\":\"h\"}}\n"
      "{\"message\":{\"content\":\"b\"}}\n{\"done\":true}\n",
      BOTH("\"ab\"", "\"h\"") },
    { "Cohere stream", C, SSE,
      "data: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":"
      "{\"content\":{\"text\":\"t\"}}}}\n\n"
      "data: {\"type\":\"tool-call-start\",\"index\":1,\"delta\":{"
      "\"message\":{\"tool_calls\":{\"function\":{\"name\":\"f\","
      "\"arguments\":\"\"}}}}}\n\n"
      "data: {\"type\":\"tool-call-delta\",\"index\":1,\"delta\":{"
      "\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{}\"}}}}}"
      "\n\n", "{\"text\":\"t\",\"thinking\":null,\"refusal\":null,"
      "\"tool_calls\":[" CALL("\"f\"", "\"{}\"") "]}" },
    { "Converse", B, JSON, "{\"output\":{\"message\":{\"content\":[{\"text\":"
      "\"t\"},{\"reasoningContent\":{\"reasoningText\":{\"text\":\"h\"}}}]}}}",
      BOTH("\"t\"", "\"h\"") },
    { "Titan", B, JSON, "{\"results\":[{\"outputText\":\"t\"}]}",
      TEXT("\"t\"") },
    { "no protocol, no type", X, "", "data: {\"choices\":[{\"delta\":{"
      "\"content\":\"t\"}}]}\n\n", TEXT("\"t\"") },
    { "an embedding", O, JSON, "{\"object\":\"list\",\"data\":[{\"embedding\":"
      "[0.1,0.2]}]}", "null" },
    { "nothing", O, JSON, "", "null" },
    { "HTML", O, "text/html", "<html>502</html>", "null" },
    { "broken", O, JSON, "}{\"choices\":[", "null" }
};


static int
build(int protocol, const char *type, const char *body, size_t n,
    llm_buf_t *out)
{
    llm_str_t  s;

    s.data = *type ? (const uint8_t *) type : NULL;
    s.len = strlen(type);

    llm_buf_init(out, 64 * 1024 * 1024);

    return llm_message_build(protocol, &s, (const uint8_t *) body, n, out);
}


static void
test_cut(const case_t *c)
{
    int        rc;
    char      *copy;
    size_t     n;
    llm_buf_t  out;

    /* each beginning in memory of its own, so that no read goes past it */

    for (n = 0; n < strlen(c->body); n++) {
        copy = malloc(n + 1);
        memcpy(copy + 1, c->body, n);

        rc = build(c->protocol, c->type, copy + 1, n, &out);

        llm_buf_free(&out);
        free(copy);

        if (rc != LLM_OK) {
            ok(0, "%s cut at %zu", c->name, n);
            return;
        }
    }
}


static void
test_large(void)
{
    char      *body;
    size_t     n;
    llm_buf_t  out;

    n = 17 * 1024 * 1024;
    body = malloc(n);

    memset(body, '[', n);
    ok(build(O, JSON, body, n, &out) == LLM_OK && out.len == 4,
       "17 MB of brackets");
    llm_buf_free(&out);

    memset(body, 'x', n);
    memcpy(body, "{\"choices\":[{\"text\":\"", 21);
    ok(build(O, JSON, body, n, &out) == LLM_OK
       && out.len > 16 * 1024 * 1024 && out.len < 16 * 1024 * 1024 + 100,
       "16 MB are read");
    llm_buf_free(&out);

    memset(body, '\n', n);
    ok(build(O, SSE, body, n, &out) == LLM_OK && out.len == 4,
       "17 MB of line ends");
    llm_buf_free(&out);

    memset(body, '\\', n);
    memcpy(body, "{\"choices\":[{\"text\":\"", 21);
    ok(build(O, JSON, body, n, &out) == LLM_OK, "17 MB of backslashes");
    llm_buf_free(&out);

    free(body);
}


static void
test_pull(void)
{
    int         i;
    char        deep[2200];
    llm_str_t   doc, v, key;
    llm_pull_t  it;

    doc.data = (const uint8_t *)
               "{\"a\":{\"b\":null,\"c\":[1,\"x\\\"]\",{}]},\"n\":12,"
               "\"m\":-1,\"big\":9999999999999999999}";
    doc.len = strlen((const char *) doc.data);

    ok(llm_pull_get(&doc, "n", &v) && llm_pull_number(&v, -9) == 12,
       "a number");
    ok(llm_pull_get(&doc, "m", &v) && llm_pull_number(&v, -9) == -9
       && llm_pull_get(&doc, "big", &v) && llm_pull_number(&v, -9) == -9,
       "numbers that are no index");
    ok(!llm_pull_get(&doc, "a.b", &v) && v.data == NULL, "null is none");
    ok(!llm_pull_get(&doc, "a.x", &v) && !llm_pull_get(&doc, "n.x", &v),
       "no such member");

    ok(llm_pull_get(&doc, "a.c", &v), "a path");
    llm_pull_open(&it, &v);

    for (i = 0; llm_pull_next(&it, &key, &v); i++) { /* void */ }

    ok(i == 3 && !llm_pull_next(&it, &key, &v), "three elements");

    memset(deep, '[', sizeof(deep));
    memset(deep + 1000, ']', 1000);
    deep[2000] = '1';
    doc.data = (uint8_t *) deep + 1000 - LLM_PULL_DEPTH;
    doc.len = 2 * LLM_PULL_DEPTH + 10;
    ok(llm_pull_value(&doc, &v) && v.len == 2 * LLM_PULL_DEPTH, "depth");

    doc.data = (uint8_t *) deep + 1000 - LLM_PULL_DEPTH - 1;
    doc.len = 2 * LLM_PULL_DEPTH + 10;
    ok(llm_pull_value(&doc, &v) && doc.len == 0, "too deep");
}


int
main(void)
{
    size_t     i;
    llm_buf_t  out;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        build(cases[i].protocol, cases[i].type, cases[i].body,
              strlen(cases[i].body), &out);

        if (!ok(out.len == strlen(cases[i].want)
                && memcmp(out.data, cases[i].want, out.len) == 0,
                "%s", cases[i].name))
        {
            printf("# %.*s\n", (int) out.len, (char *) out.data);
        }

        llm_buf_free(&out);

        test_cut(&cases[i]);
    }

    test_large();
    test_pull();

    return done_testing();
}
