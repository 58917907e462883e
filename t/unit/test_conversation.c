
/*
 * Copyright (C) llm_monitor contributors
 *
 * What was said, from requests of each protocol; cut at every byte, with each
 * byte broken, and far too long.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_conversation.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_json.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_pull.h"


#define SAYS(role, text)                                                      \
    "{\"role\":\"" role "\",\"text\":\"" text "\"}"
#define CALLS(role, calls)                                                    \
    "{\"role\":\"" role "\",\"tool_calls\":[" calls "]}"
#define CALL(id, name, arguments)                                             \
    "{\"id\":" id ",\"name\":\"" name "\",\"arguments\":\"" arguments "\"}"
#define RESULT(role, id, text)                                                \
    "{\"role\":\"" role "\",\"tool_results\":[{\"id\":" id ",\"text\":\"" text \
    "\"}]}"


typedef struct {
    const char  *name;
    const char  *body;
    const char  *want;                 /* without what is empty */
} case_t;


static void read_all(const llm_str_t *body, size_t skip);
static void shorten(llm_buf_t *to);
static void hurt(const case_t *c);
static void lengths(void);
static void answers(void);
static int valid(void);
static void *mem_alloc(void *data, size_t n);
static void mem_free(void *data, void *p);


static llm_buf_t        out;
static const llm_mem_t  mem = { mem_alloc, mem_free, NULL };

static const case_t  cases[] = {
    { "chat",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\\n\"},"
      "{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"image_url\","
      "\"image_url\":{\"url\":\"data:\"}}]},{\"role\":\"assistant\","
      "\"content\":null,\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":"
      "\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
      "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\","
      "\"content\":\"42\"}]}",
      SAYS("system", "s")
      ",{\"role\":\"user\",\"text\":\"a\\n\\nb\",\"attachments\":1}"
      ",{\"role\":\"assistant\",\"thinking\":\"hm\",\"tool_calls\":["
      CALL("\"c1\"", "f", "{}") "]}," RESULT("tool", "\"c1\"", "42") },

    { "messages",
      "{\"system\":[{\"type\":\"text\",\"text\":\"s\"}],\"messages\":[{"
      "\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":"
      "\"text\",\"text\":\"so\"},{\"type\":\"tool_use\",\"id\":\"t1\","
      "\"name\":\"ls\",\"input\":{\"p\":1}}]},{\"role\":\"user\",\"content\":["
      "{\"type\":\"tool_result\",\"tool_use_id\":\"t1\",\"content\":[{"
      "\"type\":\"text\",\"text\":\"x\"},{\"type\":\"text\",\"text\":\"y\"}]}]"
      "}]}",
      SAYS("system", "s") "," SAYS("user", "hi")
      ",{\"role\":\"assistant\",\"text\":\"so\",\"thinking\":\"hm\","
      "\"tool_calls\":[" CALL("\"t1\"", "ls", "{\\\"p\\\":1}") "]},"
      RESULT("user", "\"t1\"", "x\\ny") },

    { "responses, one text",
      "{\"instructions\":\"s\",\"input\":\"hi\"}",
      SAYS("system", "s") "," SAYS("user", "hi") },

    { "responses, items",
      "{\"input\":[{\"role\":\"developer\",\"content\":[{\"type\":"
      "\"input_text\",\"text\":\"d\"}]},{\"type\":\"message\",\"role\":"
      "\"user\",\"content\":\"hi\"},{\"type\":\"reasoning\",\"summary\":[{"
      "\"type\":\"summary_text\",\"text\":\"hm\"}]},{\"type\":"
      "\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":"
      "\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"c\","
      "\"output\":\"7\"}]}",
      SAYS("developer", "d") "," SAYS("user", "hi")
      ",{\"role\":\"assistant\",\"thinking\":\"hm\"},"
      CALLS("assistant", CALL("\"c\"", "f", "{}")) ","
      RESULT("tool", "\"c\"", "7") },

    { "contents",
      "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},\"contents\":[{"
      "\"parts\":[{\"text\":\"hi\"},{\"inlineData\":{\"data\":\"AA\"}}]},{"
      "\"role\":\"model\",\"parts\":[{\"text\":\"hm\",\"thought\":true},{"
      "\"text\":\"so\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]},{"
      "\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\","
      "\"response\":{\"r\":1}}}]}]}",
      SAYS("system", "s")
      ",{\"role\":\"user\",\"text\":\"hi\",\"attachments\":1}"
      ",{\"role\":\"assistant\",\"text\":\"so\",\"thinking\":\"hm\","
      "\"tool_calls\":[" CALL("null", "f", "{}") "]},"
      RESULT("user", "\"f\"", "{\\\"r\\\":1}") },

    { "Ollama",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"images\":["
      "\"AA\",\"BB\"]},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\""
      ":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]}]}",
      "{\"role\":\"user\",\"text\":\"hi\",\"attachments\":2},"
      CALLS("assistant", CALL("null", "f", "{\\\"a\\\":1}")) },

    { "a prompt", "{\"system\":\"s\",\"prompt\":\"hi\"}",
      SAYS("system", "s") "," SAYS("user", "hi") },

    { "Cohere",
      "{\"preamble\":\"s\",\"message\":\"now\",\"chat_history\":[{\"role\":"
      "\"USER\",\"message\":\"a\"},{\"role\":\"CHATBOT\",\"message\":\"b\"}]}",
      SAYS("system", "s") "," SAYS("user", "a") "," SAYS("assistant", "b") ","
      SAYS("user", "now") },

    { "converse",
      "{\"system\":[{\"text\":\"s\"}],\"messages\":[{\"role\":\"assistant\","
      "\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":"
      "\"hm\"}}},{\"toolUse\":{\"toolUseId\":\"u\",\"name\":\"f\",\"input\":"
      "{}}}]},{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":"
      "\"u\",\"content\":[{\"json\":{\"r\":1}}]}}]}]}",
      SAYS("system", "s") ",{\"role\":\"assistant\",\"thinking\":\"hm\","
      "\"tool_calls\":[" CALL("\"u\"", "f", "{}") "]},"
      RESULT("user", "\"u\"", "{\\\"r\\\":1}") },

    { "nothing", "{\"messages\":{},\"input\":7,\"system\":null}", "" },
    { "no object", "[{\"messages\":[{}]}]", "" },
    { "odd items", "{\"messages\":[1,\"x\",null,[],{\"role\":3}]}",
      "{\"role\":\"user\"}," SAYS("user", "x") ",{\"role\":\"user\"},"
      "{\"role\":\"user\"},{\"role\":\"user\"}" }
};


int
main(void)
{
    size_t     i;
    llm_buf_t  got;
    llm_str_t  body;

    llm_buf_init(&out, 64 * 1024 * 1024);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        body.data = (const uint8_t *) cases[i].body;
        body.len = strlen(cases[i].body);

        read_all(&body, 0);

        llm_buf_init(&got, 65536);
        shorten(&got);
        llm_buf_add(&got, "", 1);

        if (!ok(strcmp((char *) got.data, cases[i].want) == 0, "%s",
                cases[i].name))
        {
            printf("# %s\n# %s\n", (char *) got.data, cases[i].want);
        }

        llm_buf_free(&got);
        hurt(&cases[i]);
    }

    lengths();
    answers();

    llm_buf_free(&out);

    return done_testing();
}


static void
read_all(const llm_str_t *body, size_t skip)
{
    llm_json_t  j;

    out.len = 0;

    llm_json_init(&j, &out);
    llm_json_open_array(&j);

    if (llm_conversation_request(body, skip, "5", &j) != LLM_OK) {
        abort();
    }

    llm_json_close_array(&j);
}


/* Without what is empty in each message, and without "log". */

static void
shorten(llm_buf_t *to)
{
    int         first;
    llm_str_t   all, item, key, value;
    llm_pull_t  list, it;

    all.data = out.data;
    all.len = out.len;

    llm_pull_open(&list, &all);

    while (llm_pull_next(&list, NULL, &item)) {
        llm_buf_text(to, to->len == 0 ? "{" : ",{");
        llm_pull_open(&it, &item);
        first = 1;

        while (llm_pull_next(&it, &key, &value)) {

            if (value.data[0] == 'n' || value.data[0] == 'f'
                || (value.len == 2 && value.data[0] == '[')
                || value.data[0] == '0'
                || (key.len == 3 && memcmp(key.data, "log", 3) == 0))
            {
                continue;
            }

            llm_buf_text(to, first ? "\"" : ",\"");
            llm_buf_add(to, key.data, key.len);
            llm_buf_text(to, "\":");
            llm_buf_add(to, value.data, value.len);
            first = 0;
        }

        llm_buf_text(to, "}");
    }
}


/* Whatever there is, the answer is JSON and the number is right. */

static void
hurt(const case_t *c)
{
    int         good;
    char       *p;
    size_t      n, len, count, got;
    llm_str_t   body, all, item;
    llm_pull_t  it;

    len = strlen(c->body);
    p = malloc(len);
    good = 1;

    for (n = 0; n < 2 * len; n++) {
        memcpy(p, c->body, len);

        if (n >= len) {
            p[n - len] = "\"{}[]\\\x80:,x"[n % 10];
        }

        body.data = (const uint8_t *) p;
        body.len = n < len ? n : len;

        count = llm_conversation_count(&body);
        read_all(&body, n % 2);

        all.data = out.data;
        all.len = out.len;
        got = 0;
        llm_pull_open(&it, &all);

        while (llm_pull_next(&it, NULL, &item)) {
            got++;
        }

        good = good && valid()
               && got == (count > n % 2 ? count - n % 2 : 0);
    }

    free(p);
    ok(good, "%s, broken", c->name);
}


static void
lengths(void)
{
    int        i;
    char      *p;
    llm_buf_t  long_one;
    llm_str_t  body;

    llm_buf_init(&long_one, 64 * 1024 * 1024);
    llm_buf_text(&long_one, "{\"messages\":[");

    p = malloc(100001);
    memset(p, 'x', 100000);
    p[100000] = '\0';

    for (i = 0; i < 300; i++) {
        llm_buf_text(&long_one, i > 0 ? ",{\"content\":\"" : "{\"content\":\"");
        llm_buf_text(&long_one, i < 299 ? "short" : p);
        llm_buf_text(&long_one, "\"}");
    }

    llm_buf_text(&long_one, "]}");

    body.data = long_one.data;
    body.len = long_one.len;

    ok(llm_conversation_count(&body) == 300, "300 messages");

    read_all(&body, 298);
    ok(valid() && out.len > LLM_CONVERSATION_TEXT
       && out.len < LLM_CONVERSATION_TEXT + 1000
       && strstr((char *) out.data, "\"truncated\":true") != NULL
       && strstr((char *) out.data, "\"short\"") != NULL,
       "two of them, of a long one the beginning");

    long_one.len = 0;
    llm_buf_text(&long_one, "{\"messages\":[{\"tool_calls\":[");

    for (i = 0; i < 1000; i++) {
        llm_buf_text(&long_one, i > 0 ? ",{}" : "{}");
    }

    llm_buf_text(&long_one, "],\"content\":[");

    for (i = 0; i < 40; i++) {
        llm_buf_text(&long_one, i > 0 ? ",\"" : "\"");
        llm_buf_add(&long_one, p, 30000);
        llm_buf_text(&long_one, "\"");
    }

    llm_buf_text(&long_one, "]}]}");

    body.data = long_one.data;
    body.len = long_one.len;

    read_all(&body, 0);
    ok(valid() && out.len < 200000
       && strstr((char *) out.data, "\"truncated\":true") != NULL,
       "too many calls and parts");

    long_one.len = 0;

    for (i = 0; i < 100000; i++) {
        llm_buf_text(&long_one, "{\"messages\":[");
    }

    body.data = long_one.data;
    body.len = long_one.len;

    read_all(&body, 0);
    ok(valid(), "far too deep");

    free(p);
    llm_buf_free(&long_one);
}


static void
answers(void)
{
    llm_buf_t   got;
    llm_str_t   message;
    llm_json_t  j;

    static const llm_str_t  said = llm_str("{\"text\":\"so\",\"thinking\":"
        "\"hm\",\"refusal\":null,\"tool_calls\":[{\"name\":\"f\","
        "\"arguments\":\"{\\\"a\\\":1}\"}]}");

    out.len = 0;
    message = said;

    llm_json_init(&j, &out);
    llm_json_open_array(&j);
    ok(llm_conversation_answer(&message, "7", &j) == LLM_OK, "an answer");
    llm_json_close_array(&j);

    llm_buf_init(&got, 4096);
    shorten(&got);
    llm_buf_add(&got, "", 1);

    ok(strcmp((char *) got.data, "{\"role\":\"assistant\",\"text\":\"so\","
              "\"thinking\":\"hm\",\"tool_calls\":["
              CALL("null", "f", "{\\\"a\\\":1}") "]}") == 0
       && memcmp(out.data, "[{\"log\":\"7\"", 11) == 0, "is a message");

    llm_buf_free(&got);
}


static int
valid(void)
{
    size_t  at;

    llm_buf_add(&out, "", 1);
    out.len--;

    return llm_json_check(out.data, out.len, &mem, &at) == LLM_OK;
}


static void *
mem_alloc(void *data, size_t n)
{
    return malloc(n);
}


static void
mem_free(void *data, void *p)
{
    free(p);
}
