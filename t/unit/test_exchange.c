
/*
 * Copyright (C) llm_monitor contributors
 *
 * Exchanges at every split: what each provider's dialect must give, and what
 * hostile bytes must not do.
 */


#include <stdlib.h>
#include <zlib.h>

#include "tap.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_exchange.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_user_text.h"


#define CHAT      "/v1/chat/completions"
#define MESSAGES  "/v1/messages"
#define GEMINI    "/v1beta/models/gemini-pro:streamGenerateContent"
#define SSE       "text/event-stream"
#define JSON      "application/json"
#define NONE      LLM_NULL

typedef struct {
    const char  *name;
    const char  *path;
    const char  *type;
    int          status;
    const char  *body;
    int64_t      input, output, complete;
    const char  *finish;
    const char  *error;
} vector_t;


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


static const vector_t  vectors[] = {
    { "1 usage null, then one usage chunk", CHAT, SSE, 200,
      CHUNK(",\"usage\":null") CHUNK(",\"usage\":null") LAST
      "data: {\"choices\":[]," USAGE(7, 3) "}\n\n" DONE, 7, 3, 1, "stop",
      NULL },
    { "2 usage on the finish chunk", CHAT, SSE, 200,
      CHUNK("") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\""
      "}]," USAGE(7, 3) "}\n\n" DONE, 7, 3, 1, "stop", NULL },
    { "3 usage in every chunk", CHAT, SSE, 200,
      CHUNK("," USAGE(7, 1)) CHUNK("," USAGE(7, 2)) CHUNK("," USAGE(7, 3))
      LAST DONE, 7, 3, 1, "stop", NULL },
    { "3 usage there and back", CHAT, SSE, 200,
      CHUNK("," USAGE(7, 1)) CHUNK("," USAGE(7, 2)) CHUNK("," USAGE(7, 1))
      CHUNK("," USAGE(7, 1)) LAST DONE, 7, 1, 1, "stop", NULL },
    { "3 repeated, with what no string may have", CHAT, SSE, 200,
      CHUNK("") CHUNK("") CHUNK("")
      "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{"
      "\"content\":\"a\tb\\\"c\"},\"finish_reason\":null}]}\n\n"
      CHUNK("," USAGE(7, 3)) LAST DONE, 7, 3, 1, "stop", NULL },
    { "4 no usage", CHAT, SSE, 200, CHUNK("") CHUNK("") LAST DONE, NONE, NONE,
      1, "stop", NULL },
    { "5 no [DONE]", CHAT, SSE, 200, CHUNK("") LAST, NONE, NONE, 1, "stop",
      NULL },
    { "5 neither", CHAT, SSE, 200, CHUNK("") CHUNK("") CHUNK(""), NONE, NONE,
      0, NULL, NULL },
    { "6 no blank line at the end", CHAT, SSE, 200,
      CHUNK("") "data: {\"choices\":[]," USAGE(7, 3) "}", 7, 3, 0, NULL,
      NULL },
    { "7 CRLF", CHAT, SSE, 200, "data: {\"choices\":[]," USAGE(7, 3) "}\r\n\r\n"
      "data: [DONE]\r\n\r\n", 7, 3, 1, NULL, NULL },
    { "7 CR", CHAT, SSE, 200, "data: {\"choices\":[]," USAGE(7, 3) "}\r\r"
      "data: [DONE]\r\r", 7, 3, 1, NULL, NULL },
    { "8 no space", CHAT, SSE, 200, "data:{\"choices\":[]," USAGE(7, 3)
      "}\n\ndata:[DONE]\n\n", 7, 3, 1, NULL, NULL },
    { "9 several lines", CHAT, SSE, 200, "data: {\"choices\":[],\ndata: "
      USAGE(7, 3) "\ndata: }\n\n" DONE, 7, 3, 1, NULL, NULL },
    { "9 a text over two lines", CHAT, SSE, 200, CHUNK("") CHUNK("")
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\ndata: b\"}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"c\ndata: d\"}}]}\n\n"
      CHUNK("") CHUNK("") LAST, NONE, NONE, 1, "stop", NULL },
    { "usage that is cut does not replace what was whole", CHAT, SSE, 200,
      CHUNK("," USAGE(7, 1)) "data: {" USAGE(9, 9), 7, 1, 0, NULL, NULL },
    { "11 comments and a byte order mark", CHAT, SSE, 200,
      "\xef\xbb\xbf: wait\n\n: wait\n\n" CHUNK("") ": wait\n\n" LAST, NONE,
      NONE, 1, "stop", NULL },
    { "a stream under another type", CHAT, JSON, 200,
      CHUNK("") "data: {\"choices\":[]," USAGE(7, 3) "}\n\n" DONE, 7, 3, 1,
      NULL, NULL },
    { "13 zeros at the start", MESSAGES, SSE, 200,
      START(0, 0) TEXT DELTA("\"input_tokens\":9,\"output_tokens\":5") STOP,
      9, 5, 1, "end_turn", NULL },
    { "14 only the output at the end", MESSAGES, SSE, 200,
      START(9, 1) TEXT TEXT DELTA("\"output_tokens\":5") STOP, 9, 5, 1,
      "end_turn", NULL },
    { "14 zeros at the end", MESSAGES, SSE, 200,
      START(9, 1) TEXT DELTA("\"input_tokens\":0,\"output_tokens\":5") STOP,
      9, 5, 1, "end_turn", NULL },
    { "15 cut before the end", MESSAGES, SSE, 200, START(9, 1) TEXT TEXT, 9,
      NONE, 0, NULL, NULL },
    { "16 an error after content", MESSAGES, SSE, 200,
      START(9, 1) TEXT "event: error\ndata: {\"type\":\"error\",\"error\":{"
      "\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", 9, NONE, 0,
      NULL, "busy" },
    { "17 incomplete, with usage", "/v1/responses", SSE, 200,
      RESP("incomplete", ",\"incomplete_details\":{\"reason\":\"max\"},\"usage"
      "\":{\"input_tokens\":7,\"output_tokens\":3}"), 7, 3, 1, "max", NULL },
    { "17 incomplete, without usage", "/v1/responses", SSE, 200,
      RESP("incomplete", ",\"usage\":null"), NONE, NONE, 1, "incomplete",
      NULL },
    { "17 failed", "/v1/responses", SSE, 200,
      RESP("failed", ",\"error\":{\"code\":\"x\",\"message\":\"bad\"}"), NONE,
      NONE, 1, "failed", "bad" },
    { "17 an error event", "/v1/responses", SSE, 200,
      "event: error\ndata: {\"type\":\"error\",\"code\":\"x\",\"message\":"
      "\"bad\"}\n\n", NONE, NONE, 0, NULL, "bad" },
    { "18 Gemini's array", GEMINI, JSON, 200,
      "[" PART("a\\\\\\\"") "}\n,\r\n" PART("\\u00e9")
      ",\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":6}}"
      ",{\"candidates\":[{\"finishReason\":\"STOP\"}]}]", 4, 6, 1, "STOP",
      NULL },
    { "19 thoughts, cached, tools", GEMINI "?alt=sse", SSE, 200,
      "data: " PART("a") ",\"usageMetadata\":{\"promptTokenCount\":4,\"cachedCo"
      "ntentTokenCount\":3,\"toolUsePromptTokenCount\":2,\"candidatesTokenCount"
      "\":6,\"thoughtsTokenCount\":5,\"totalTokenCount\":17}}\n\n", 6, 11, 0,
      NULL, NULL },
    { "19 candidates that hold the thoughts", GEMINI "?alt=sse", SSE, 200,
      "data: {\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount"
      "\":6,\"thoughtsTokenCount\":5,\"totalTokenCount\":10}}\n\n", 4, 6, 0,
      NULL, NULL },
    { "19 no candidates", GEMINI "?alt=sse", SSE, 200,
      "data: {\"usageMetadata\":{\"promptTokenCount\":4,\"thoughtsTokenCount\""
      ":5,\"totalTokenCount\":9}}\n\n", 4, 5, 0, NULL, NULL },
    { "20 Gemini's error in an array", GEMINI, JSON, 400,
      "[{\"error\":{\"code\":400,\"message\":\"no\",\"status\":\"INVALID\"}}]",
      NONE, NONE, NONE, NULL, "no" },
    { "20 the same with 200", GEMINI, JSON, 200,
      "[{\"error\":{\"code\":400,\"message\":\"no\",\"status\":\"INVALID\"}}]",
      NONE, NONE, 0, NULL, "no" },
    { "21 Ollama", "/api/chat", "application/x-ndjson", 200,
      "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n"
      "{\"model\":\"m\",\"message\":{\"content\":\"b\"},\"done\":false}\n"
      "{\"model\":\"m\",\"message\":{\"content\":\"c\"},\"done\":false}\n"
      "{\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":4,"
      "\"eval_count\":3}\n", 4, 3, 1, "stop", NULL },
    { "21 an error line", "/api/chat", "application/x-ndjson", 200,
      "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n"
      "{\"error\":\"oops\"}\n", NONE, NONE, 0, NULL, "oops" },
    { "21 a broken line", "/api/chat", "application/x-ndjson", 200,
      "{\"model\":\"m\",\"message\":{\"content\":\"a\n"
      "{\"done\":true,\"prompt_eval_count\":4,\"eval_count\":3}\n", 4, 3, 1,
      NULL, NULL },
    { "22 Groq", CHAT, SSE, 200,
      CHUNK("") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]"
      ",\"x_groq\":{\"id\":\"r\"," USAGE(7, 3) "}}\n\n" DONE, 7, 3, 1, "stop",
      NULL },
    { "23 xAI", CHAT, JSON, 200,
      "{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\""
      ":15,\"completion_tokens_details\":{\"reasoning_tokens\":5}}}", 7, 8,
      NONE, NULL, NULL },
    { "23 reasoning inside", CHAT, JSON, 200,
      "{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":8,\"total_tokens\""
      ":15,\"completion_tokens_details\":{\"reasoning_tokens\":5}}}", 7, 8,
      NONE, NULL, NULL },
    { "24 OpenRouter", CHAT, SSE, 200,
      CHUNK("") "data: {\"error\":{\"code\":502,\"message\":\"gone\"},"
      "\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n", NONE,
      NONE, 1, "error", "gone" },
    { "30 an empty body", CHAT, JSON, 200, "", NONE, NONE, NONE, NULL, NULL },
    { "33 count_tokens", "/v1/messages/count_tokens", JSON, 200,
      "{\"input_tokens\":99}", NONE, NONE, NONE, NULL, NULL },
    { "34 strings and negative numbers", CHAT, JSON, 200,
      "{\"usage\":{\"prompt_tokens\":\"7\",\"completion_tokens\":-3}}", NONE,
      NONE, NONE, NULL, NULL },
    { "34 doubles", CHAT, JSON, 200,
      "{\"usage\":{\"prompt_tokens\":7.0,\"completion_tokens\":3.5}}", 7, NONE,
      NONE, NULL, NULL },
    { "34 huge numbers", CHAT, JSON, 200,
      "{\"usage\":{\"prompt_tokens\":9007199254740993,\"completion_tokens\":"
      "1e400}}", NONE, NONE, NONE, NULL, NULL },
    { "35 usage twice", CHAT, JSON, 200,
      "{" USAGE(1, 2) "," USAGE(7, 3) "}", 7, 3, NONE, NULL, NULL },
    { "blank lines before a body", CHAT, JSON, 200,
      "\n\n\n{" USAGE(7, 3) "}", 7, 3, NONE, NULL, NULL },
    { "a cut body", CHAT, JSON, 200, "{" USAGE(7, 3) ",\"choices\":[{\"mess", 7,
      3, NONE, NULL, NULL },
    { "an error page", CHAT, "text/html", 502,
      "<html><head><title>502 Bad Gateway</title></head></html>", NONE, NONE,
      NONE, NULL, "502 Bad Gateway" },
    { "an error text", CHAT, "text/plain", 503, "data is down", NONE, NONE,
      NONE, NULL, "data is down" },
    { "an unknown service", "/generate", JSON, 200,
      "{\"result\":{\"a\":1},\"data\":{\"usage\":{\"input_tokens\":7,"
      "\"output_tokens\":3}}}", 7, 3, NONE, NULL, NULL },
};


static void
check_vector(const vector_t *v)
{
    int              mode, bad;
    llm_record_t     r;
    llm_exchange_t  *x;

    for (bad = -1, mode = 0; bad < 0 && mode < SPLIT_MODES; mode++) {
        x = run(v->path, v->type, v->status, "{}", v->body, strlen(v->body),
                mode, &r);

        if (r.num[LLM_N_INPUT_TOKENS] != v->input
            || r.num[LLM_N_OUTPUT_TOKENS] != v->output
            || r.num[LLM_N_STREAM_COMPLETE] != v->complete
            || !is(&r.str[LLM_S_FINISH_REASON], v->finish)
            || !is(&r.str[LLM_S_ERROR], v->error)
            || state.in_band_error != (v->error != NULL && v->status == 200))
        {
            bad = mode;
            printf("# mode %d: %lld %lld %lld <%.*s> <%.*s>\n", mode,
                   (long long) r.num[LLM_N_INPUT_TOKENS],
                   (long long) r.num[LLM_N_OUTPUT_TOKENS],
                   (long long) r.num[LLM_N_STREAM_COMPLETE],
                   (int) r.str[LLM_S_FINISH_REASON].len,
                   (const char *) r.str[LLM_S_FINISH_REASON].data,
                   (int) r.str[LLM_S_ERROR].len,
                   (const char *) r.str[LLM_S_ERROR].data);
        }

        llm_exchange_destroy(x);
    }

    ok(bad < 0 && blocks == 0, "%s", v->name);
}


static void
check_request(void)
{
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  body[] = "{\"choices\":[]}";
    static const char  asked[] =
        "{\"messages\":[{\"content\":\"be nice\",\"role\":\"system\"},"
        "{\"content\":[{\"type\":\"text\",\"text\":\"<system-reminder>x"
        "</system-reminder>\\n ab\"},{\"text\":\"hello you\"}],\"role\":"
        "\"user\"}],\"model\":\"m\\u006f\",\"tools\":[{},{}],\"user\":\"joe\"}";
    static const char  other[] =
        "{\"messages\":[{\"content\":\"hello you\",\"role\":\"user\"},"
        "{\"role\":\"assistant\",\"content\":\"what\"}]}";

    uint8_t    session[16];
    llm_str_t  s;

    request_headers[0] = "authorization";
    request_headers[1] = "Bearer sk-0123456789abcdef";
    request_headers[2] = NULL;

    x = run(CHAT "?key=secret", JSON, 200, asked, body, sizeof(body) - 1, 5,
            &r);

    ok(is(&r.str[LLM_S_MODEL], "mo"), "model");
    ok(is(&r.str[LLM_S_USER], "joe"), "user");
    ok(is(&r.str[LLM_S_URL], CHAT "?key=***"), "32 key in the url");
    ok(is(&r.str[LLM_S_API_KEY_TAIL], "cdef")
       && r.num[LLM_N_API_KEY_HASH] != 0, "key");
    ok(r.num[LLM_N_MESSAGES_COUNT] == 2 && r.num[LLM_N_TOOLS_COUNT] == 2,
       "counts");
    ok(r.num[LLM_N_SESSION_SOURCE] == 6
       && r.str[LLM_S_SESSION].len == sizeof(session), "session by the text");
    memcpy(session, r.str[LLM_S_SESSION].data, sizeof(session));
    llm_exchange_destroy(x);

    x = run(CHAT, JSON, 200, other, body, sizeof(body) - 1, 0, &r);
    ok(r.str[LLM_S_SESSION].len == sizeof(session)
       && memcmp(session, r.str[LLM_S_SESSION].data, sizeof(session)) == 0,
       "the same session as the talk goes on");
    llm_exchange_destroy(x);

    request_headers[1] = "Bearer sk-0123456789abcdeF";
    x = run(CHAT, JSON, 200, other, body, sizeof(body) - 1, 0, &r);
    ok(memcmp(session, r.str[LLM_S_SESSION].data, sizeof(session)) != 0,
       "another key, another session");
    llm_exchange_destroy(x);

    request_headers[2] = "x-acme-session-id";
    request_headers[3] = "s-1";
    request_headers[4] = NULL;
    x = run(CHAT, JSON, 200, other, body, sizeof(body) - 1, 0, &r);
    ok(is(&r.str[LLM_S_SESSION], "s-1") && r.num[LLM_N_SESSION_SOURCE] == 2,
       "session by a header");
    llm_exchange_destroy(x);

    request_headers[3] = "no <good>";
    x = run(MESSAGES, JSON, 200, "{\"metadata\":{\"user_id\":\"{\\\"session_id"
            "\\\":\\\"s-2\\\"}\"}}", body, sizeof(body) - 1, 3, &r);
    ok(is(&r.str[LLM_S_SESSION], "s-2") && r.num[LLM_N_SESSION_SOURCE] == 4,
       "session in user_id, as JSON");
    llm_exchange_destroy(x);

    x = run(MESSAGES, JSON, 200, "{\"metadata\":{\"user_id\":\"user_1_session_"
            "s-3\"},\"prompt_cache_key\":\"\"}", body, sizeof(body) - 1, 3, &r);
    s = r.str[LLM_S_SESSION];
    ok(is(&s, "s-3") && r.num[LLM_N_SESSION_SOURCE] == 4,
       "session in user_id, as a suffix");
    llm_exchange_destroy(x);

    request_headers[0] = NULL;
}


/* the usage that is kept is that of all events, with the values as sent */

static void
check_usage(void)
{
    int              mode, bad;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  body[] =
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"
        "{\"id\":\"m1\",\"usage\":{\"input_tokens\":12,\"cache_creation\": "
        "{\"ephemeral_5m_input_tokens\":4},\"cache_read_input_tokens\":5 ,"
        "\"output_tokens\":1,\"service_tier\":\"a,\\\"}\"}}}\n\n" TEXT
        DELTA("\"output_tokens\":4") DELTA("\"input_tokens\":0,"
        "\"cache_read_input_tokens\":null,\"output_tokens\":8,"
        "\"server_tool_use\":{\"web_search_requests\":1}") STOP;
    static const char  want[] =
        "{\"input_tokens\":12,\"cache_creation\":"
        "{\"ephemeral_5m_input_tokens\":4},\"cache_read_input_tokens\":5,"
        "\"output_tokens\":8,\"service_tier\":\"a,\\\"}\","
        "\"server_tool_use\":{\"web_search_requests\":1}}";

    bad = -1;

    for (mode = 0; mode < 35; mode++) {
        x = run(MESSAGES, SSE, 200, "{}", body, sizeof(body) - 1, mode, &r);

        if (!is(&r.str[LLM_S_USAGE], want)
            || r.num[LLM_N_OUTPUT_TOKENS] != 8
            || r.num[LLM_N_CACHE_READ_TOKENS] != 5)
        {
            bad = mode;
            printf("# mode %d: <%.*s>\n", mode,
                   (int) r.str[LLM_S_USAGE].len,
                   (const char *) r.str[LLM_S_USAGE].data);
        }

        llm_exchange_destroy(x);
    }

    ok(bad < 0, "the usage of message_start with what message_delta changed");
}


/* a stream that was asked for and of which nothing came */

static void
check_nothing(void)
{
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  asked[] = "{\"stream\":true}";

    x = run(CHAT, SSE, 200, asked, "", 0, 0, &r);
    ok(r.num[LLM_N_USAGE_PARTIAL] == 1 && r.num[LLM_N_STREAM_COMPLETE] == 0,
       "no byte of a stream, no usage");
    llm_exchange_destroy(x);

    x = start(CHAT, SSE, 200);
    llm_exchange_request(x, &request);
    feed(x, asked, sizeof(asked) - 1, 0, 0);
    llm_record_init(&r);
    llm_exchange_finish(x, &r);
    ok(r.num[LLM_N_USAGE_PARTIAL] == 1
       && r.num[LLM_N_STREAM_COMPLETE] == LLM_NULL, "not even a head");
    llm_exchange_destroy(x);

    x = run(CHAT, SSE, 429, asked, "{}", 2, 0, &r);
    ok(r.num[LLM_N_USAGE_PARTIAL] != 1, "an error is no stream");
    llm_exchange_destroy(x);

    x = run(CHAT, JSON, 200, "{}", "{}", 2, 0, &r);
    ok(r.num[LLM_N_USAGE_PARTIAL] != 1, "nor is a body");
    llm_exchange_destroy(x);
}


static char    sunk[200];
static size_t  nsunk;


static void
sink(void *data, const uint8_t *p, size_t n)
{
    memcpy(sunk + nsunk, p, n);
    nsunk += n;
}


/* a field that is hidden is told of, also once the body has ended */

static void
check_redacted(void)
{
    int              mode, bad;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char       asked[] = "{\"user\":\"u\",\"ssn\":\"1-2\"}";
    static const char       body[] = "{\"id\":\"ssn\"}";
    static const char       want[] = "{\"user\":\"u\",\"ssn\":\"***\"}";
    static const llm_str_t  names[] = { llm_str("ssn") };

    bad = -1;

    for (mode = 0; mode < 35; mode++) {
        nsunk = 0;

        x = start(CHAT, JSON, 200);
        conf.redact_json = names;
        conf.nredact_json = 1;
        conf.request_sink = sink;
        llm_exchange_request(x, &request);
        feed(x, asked, sizeof(asked) - 1, mode, 0);
        llm_exchange_response(x, &response);
        feed(x, body, sizeof(body) - 1, mode, 1);
        llm_record_init(&r);
        llm_exchange_finish(x, &r);
        llm_exchange_state(x, &state);

        if (!state.redacted_request || state.redacted_response
            || nsunk != sizeof(want) - 1 || memcmp(sunk, want, nsunk) != 0)
        {
            bad = mode;
            printf("# mode %d: %d %d <%.*s>\n", mode, state.redacted_request,
                   state.redacted_response, (int) nsunk, sunk);
        }

        llm_exchange_destroy(x);
    }

    ok(bad < 0, "a field that is hidden");
}


/* a coded body that ends too early is read as far as it goes, and flagged */

static void
check_truncated(void)
{
    int              mode, bad, cut;
    char             body[600];
    uLong            n;
    uint8_t          coded[700];
    z_stream         z;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  answer[] = "{\"id\":\"c1\"," USAGE(7, 3) "}";

    memset(body, ' ', sizeof(body));
    memcpy(body, answer, sizeof(answer) - 1);

    memset(&z, 0, sizeof(z));
    (void) deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *) body;
    z.avail_in = sizeof(body);
    z.next_out = coded;
    z.avail_out = sizeof(coded);
    (void) deflate(&z, Z_FINISH);
    n = z.total_out;
    (void) deflateEnd(&z);

    bad = -1;

    for (mode = 0; mode < 35; mode++) {

        /* the last bytes are a sum: all that it covers was there */

        for (cut = 0; cut < 12; cut += 4) {
            x = start(CHAT, JSON, 200);
            response.content_encoding = text("gzip");
            llm_exchange_request(x, &request);
            feed(x, "{}", 2, mode, 0);
            llm_exchange_response(x, &response);
            feed(x, (char *) coded, n - cut, mode, 1);
            llm_record_init(&r);
            llm_exchange_finish(x, &r);

            if (r.num[LLM_N_OUTPUT_TOKENS] != 3
                || (r.num[LLM_N_FLAGS] & LLM_RECORD_DECODE_ERROR)
                   != (cut != 0 ? LLM_RECORD_DECODE_ERROR : 0))
            {
                bad = mode;
                printf("# mode %d, cut %d: %lld, flags %lld\n", mode, cut,
                       (long long) r.num[LLM_N_OUTPUT_TOKENS],
                       (long long) r.num[LLM_N_FLAGS]);
            }

            llm_exchange_destroy(x);
        }
    }

    ok(bad < 0, "a member that is cut");
}


/* what is alike for long and not in the end is not one conversation */

static void
check_beginnings(void)
{
    int              i, mode, same, other;
    char             asked[2][800];
    uint8_t          first[16];
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  body[] = "{\"choices\":[]}";

    for (i = 0; i < 2; i++) {
        sprintf(asked[i], "{\"messages\":[{\"role\":\"user\",\"content\":\""
                "%0600d%d\"}]}", 0, i);
    }

    same = 0;
    other = 0;

    for (mode = 0; mode < 35; mode++) {
        x = run(CHAT, JSON, 200, asked[0], body, sizeof(body) - 1, mode, &r);

        if (mode == 0) {
            memcpy(first, r.str[LLM_S_SESSION].data, sizeof(first));
        }

        same += memcmp(first, r.str[LLM_S_SESSION].data, sizeof(first)) == 0;
        llm_exchange_destroy(x);

        x = run(CHAT, JSON, 200, asked[1], body, sizeof(body) - 1, mode, &r);
        other += memcmp(first, r.str[LLM_S_SESSION].data, sizeof(first)) != 0;
        llm_exchange_destroy(x);
    }

    ok(same == 35, "a long first text, one session at every split");
    ok(other == 35, "600 bytes in common, another session");
}


/* a text counts up to a bound, then its length does; reminders never do */

static void
check_whole_texts(void)
{
    int              i, mode, others, bad;
    char            *asked, *p;
    size_t           n;
    uint8_t          first[16];
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char    body[] = "{\"choices\":[]}";
    static const size_t  at[] = { 0, 1100, LLM_USER_TEXT_MAX - 1,
                                  LLM_USER_TEXT_MAX, 0 };

    asked = malloc(LLM_USER_TEXT_MAX + 400);
    memset(first, 0, sizeof(first));

    for (bad = -1, mode = 0; mode < 35; mode += 17) {
        others = 0;

        for (i = 0; i < 5; i++) {
            n = LLM_USER_TEXT_MAX + 100 + (i == 4);

            p = asked + sprintf(asked, "{\"messages\":[{\"role\":\"user\","
                                "\"content\":\"\\n<system-reminder>%d <"
                                "</system-reminder>  \\n", i);
            memset(p, 'a', n);
            p[at[i]] = at[i] ? 'b' : 'a';
            strcpy(p + n, "\"}]}");

            x = run(CHAT, JSON, 200, asked, body, sizeof(body) - 1, mode, &r);

            if (i + mode == 0) {
                memcpy(first, r.str[LLM_S_SESSION].data, sizeof(first));
            }

            others |= (memcmp(first, r.str[LLM_S_SESSION].data, sizeof(first))
                       != 0) << i;

            llm_exchange_destroy(x);
        }

        if (others != (1 << 1 | 1 << 2 | 1 << 4)) {
            bad = mode;
        }
    }

    ok(bad < 0, "what differs after 1,100 bytes is another session");

    free(asked);
}


static void
check_times(void)
{
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  body[] = ": wait\n\ndata: {\"choices\":[{\"delta\":{"
        "\"role\":\"assistant\",\"content\":\"\"}}]}\n\n" CHUNK("") CHUNK("");

    x = run(CHAT, SSE, 200, "{}", body, sizeof(body) - 1, 1, &r);

    ok(r.num[LLM_N_TTFB_US] == 1, "ttfb");
    ok(r.num[LLM_N_TTFT_US]
       == (int64_t) (strstr(body, "hey") - body + sizeof("hey")),
       "ttft: neither comment nor role, but text");
    ok(r.num[LLM_N_ESTIMATED_OUTPUT_TOKENS] == 2
       && r.num[LLM_N_USAGE_PARTIAL] == 1, "a cut stream is estimated");
    ok(!complete && state.content_seen, "not complete");
    llm_exchange_destroy(x);
}


static void
check_again(void)
{
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char        first[] = "{\"error\":{\"message\":\"busy\"}}";
    static const char       *headers[] = { "x-account-email", "a@b.c", NULL };

    x = start(CHAT, JSON, 429);
    response.each = each;
    response.headers = headers;
    llm_exchange_request(x, &request);
    llm_exchange_response(x, &response);
    llm_exchange_response_body(x, (const uint8_t *) first, sizeof(first) - 1,
                               1, 5);

    response.each = NULL;
    response.status = 502;
    response.content_type = text("text/html");
    llm_exchange_response(x, &response);
    llm_exchange_response_body(x, NULL, 0, 1, 9);

    llm_record_init(&r);
    llm_exchange_finish(x, &r);

    ok(is(&r.str[LLM_S_ACCOUNT], "a@b.c"), "the account of the first answer");
    ok(is(&r.str[LLM_S_ERROR], "busy"), "and its error");
    llm_exchange_destroy(x);
}


/* 27: an image of 20 MB in one event, and 90 MB of a prompt */

static void
check_large(void)
{
    char            *body;
    size_t           n;
    llm_record_t     r;
    llm_exchange_t  *x;

    n = 20 * 1024 * 1024;
    body = malloc(n + 1000);

    n = sprintf(body, "event: image_generation.partial_image\ndata: {\"type\":"
                "\"image_generation.partial_image\",\"b64_json\":\"");
    memset(body + n, 'A', 20 * 1024 * 1024 - n);
    n = 20 * 1024 * 1024;
    n += sprintf(body + n, "\"}\n\nevent: image_generation.completed\ndata: {"
                 "\"type\":\"image_generation.completed\",\"usage\":{"
                 "\"input_tokens\":7,\"output_tokens\":3}}\n\n");

    most = 0;
    x = run("/v1/images/generations", SSE, 200, "{}", body, n, 40, &r);
    ok(r.num[LLM_N_OUTPUT_TOKENS] == 3 && r.num[LLM_N_STREAM_COMPLETE] == 1,
       "27 usage behind 20 MB");
    ok(most < 16384, "in %zu bytes", most);
    llm_exchange_destroy(x);

    memset(body, '[', 1000000);
    x = run(CHAT, JSON, 200, "{}", body, 1000000, 40, &r);
    ok(r.num[LLM_N_INPUT_TOKENS] == LLM_NULL && most < 16384,
       "a million brackets");
    llm_exchange_destroy(x);

    free(body);
}


/* events that are alike, one or two in a piece, as they come from a server */

static size_t
events(char *body, size_t *at, const char *eol)
{
    int     i;
    size_t  n;

    n = 0;

    for (i = 0; i < 60; i++) {
        at[i] = n;

        if (i % 20 == 13) {
            n += sprintf(body + n, ": wait%s%s", eol, eol);
            continue;
        }

        n += sprintf(body + n, "data: {\"id\":\"c1\",\"created\":17600000,"
                     "\"service_tier\":\"%s\",\"choices\":[{\"index\":0,"
                     "\"delta\":{\"content\":\"%.*s\"},\"p\":%s%d,"
                     "\"finish_reason\":null}],\"obfuscation\":\"%.*s\"}"
                     "%s%s", i == 31 ? "flex" : "default",
                     2 * (i * 7 % 20), "\\\"\\\"o-\\\\\\n12345678901234567890"
                     "1234567890123", i % 3 ? "-0." : "", i * i * i, i % 17,
                     "aB3dE6gH9jK2mN5pQ", eol, eol);
    }

    at[i] = n;

    return n;
}


static void
check_events(void)
{
    int              i, k, step, same;
    char             body[20000];
    size_t           n, at[61];
    uint8_t         *copy;
    llm_record_t     r;
    llm_exchange_t  *x;
    int64_t          text_tokens;

    static const char  *eols[] = { "\n", "\r\n", "\r" };

    for (k = 0; k < 3; k++) {
        n = events(body, at, eols[k]);

        x = run(CHAT, SSE, 200, "{}", body, n, 1, &r);
        text_tokens = r.num[LLM_N_ESTIMATED_OUTPUT_TOKENS];
        llm_exchange_destroy(x);

        same = text_tokens > 100;

        for (step = 1; step < 4; step++) {
            x = start(CHAT, SSE, 200);
            llm_exchange_request(x, &request);
            llm_exchange_response(x, &response);

            for (i = 0; i < 60; i += step) {
                n = at[i + step] - at[i];
                copy = malloc(n);
                memcpy(copy, body + at[i], n);
                llm_exchange_response_body(x, copy, n, 0, i);
                free(copy);
            }

            llm_record_init(&r);
            llm_exchange_finish(x, &r);
            same += r.num[LLM_N_ESTIMATED_OUTPUT_TOKENS] == text_tokens
                    && is(&r.str[LLM_S_SERVICE_TIER], "default");
            llm_exchange_destroy(x);
        }

        ok(same == 4, "whole events, lines that end with %s",
           k == 0 ? "LF" : k == 1 ? "CRLF" : "CR");
    }
}


/* every allocation fails once: the exchange goes on */

static void
check_memory(void)
{
    int              i;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  body[] = CHUNK("") CHUNK("") CHUNK("")
        "data: {\"error\":{\"message\":\"b\\u0061d\"}," USAGE(7, 3) "}\n\n";

    for (i = 1; i < 40; i++) {
        fail_at = i;
        x = run(CHAT, SSE, 200, "{\"model\":\"m\",\"messages\":[]}", body,
                sizeof(body) - 1, i % 5, &r);
        llm_exchange_destroy(x);
    }

    fail_at = 0;
    ok(blocks == 0, "no memory");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        check_vector(&vectors[i]);
    }

    check_request();
    check_usage();
    check_nothing();
    check_truncated();
    check_redacted();
    check_beginnings();
    check_whole_texts();
    check_times();
    check_again();
    check_large();
    check_events();
    check_memory();

    return done_testing();
}
