
/*
 * Copyright (C) llm_monitor contributors
 *
 * Exchanges at every split: what each provider's dialect must give.
 */


#include "exchange.h"


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
    { "17 an answer that does not say what it is", "/v1/responses", SSE, 200,
      "data: {\"type\":\"response.completed\",\"response\":{\"status\":"
      "\"completed\"," USAGE(7, 3) "}}\n\n", 7, 3, 1, "completed", NULL },
    { "17 nor where it is whole", "/v1/responses", JSON, 200,
      "{\"status\":\"completed\",\"output\":[{\"type\":\"message\"}],"
      USAGE(7, 3) "}", 7, 3, NONE, "completed", NULL },
    { "17 what has a status and is no answer", "/v1/files/f", JSON, 200,
      "{\"status\":\"completed\"}", NONE, NONE, NONE, NULL, NULL },
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
    { "a body of bytes that is text", CHAT, "application/octet-stream", 200,
      "{" USAGE(7, 3) "}", 7, 3, NONE, NULL, NULL },
    { "a stream of bytes", CHAT, "application/octet-stream", 200,
      CHUNK("") LAST "data: {" USAGE(7, 3) "}\n\n" DONE, 7, 3, 1, "stop",
      NULL },
    { "names with escapes", CHAT, JSON, 200,
      "{\"us\\u0061ge\":{\"prompt_tokens\":7,\"completion\\u005Ftokens\":3},"
      "\"ch\\oices\":[]}", 7, 3, NONE, NULL, NULL },
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
    ok(state.roles[LLM_ROLE_USER] == 1 && state.roles[LLM_ROLE_SYSTEM] == 1
       && state.roles[LLM_ROLE_ASSISTANT] == 0, "roles");
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


/* where the numbers are; a key without a scheme */

static void
check_said(void)
{
    int64_t          hash;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  counted[] = "{\"input_tokens\":77}";

    x = run("/v1/messages/count_tokens", JSON, 200, "{}", counted,
            sizeof(counted) - 1, 0, &r);
    ok(is(&r.str[LLM_S_USAGE], counted)
       && r.num[LLM_N_USAGE_SOURCE] == LLM_USAGE_BODY
       && r.num[LLM_N_INPUT_TOKENS] == LLM_NULL, "the source of a count");
    llm_exchange_destroy(x);

    x = run("/v1/messages/batches", JSON, 200, "{}", "{\"id\":\"b\"}", 10, 0,
            &r);
    ok(r.str[LLM_S_USAGE].data == NULL
       && r.num[LLM_N_USAGE_SOURCE] == LLM_USAGE_NONE, "no usage, no source");
    llm_exchange_destroy(x);

    request_headers[0] = "authorization";
    request_headers[1] = "Bearer sk-0123456789abcdef";
    request_headers[2] = NULL;
    x = run(CHAT, JSON, 200, "{}", "{}", 2, 0, &r);
    hash = r.num[LLM_N_API_KEY_HASH];
    llm_exchange_destroy(x);

    request_headers[1] = "sk-0123456789abcdef";
    x = run(CHAT, JSON, 200, "{}", "{}", 2, 0, &r);
    ok(r.num[LLM_N_API_KEY_HASH] == hash && hash != 0, "a key alone");
    llm_exchange_destroy(x);

    request_headers[1] = "Basic am9lOnNlY3JldA==";
    x = run(CHAT, JSON, 200, "{}", "{}", 2, 0, &r);
    ok(r.num[LLM_N_API_KEY_HASH] == 0, "a password is no key");
    llm_exchange_destroy(x);

    request_headers[0] = NULL;
}


/* what the answer is; if it does not say it, what was asked for */

/* what says that it is JSON, and what its events are */

static void
check_broken(void)
{
    size_t           i;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const struct {
        const char  *type;
        const char  *body;
        int          broken;
    } t[] = {
        { JSON, "{\"choices\":[]}", 0 },
        { JSON, " \n", 0 },
        { JSON, "{\"choices\":[", 1 },
        { JSON, "<html>\n", 1 },
        { "text/html", "<html>\n", 0 },
        { SSE, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", 0 },
        { SSE, "data: {\"choices\":[\n\ndata: [DONE]\n\n", 1 },
        { "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n", 0 },
        { "application/x-ndjson", "{\"a\":\n{\"a\":2}\n", 1 }
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        x = run(CHAT, t[i].type, 200, "{}", t[i].body, strlen(t[i].body), 3,
                &r);
        llm_exchange_state(x, &state);
        ok(state.broken_response == t[i].broken, "%s: %s",
           t[i].broken ? "broken" : "not broken", t[i].type);
        llm_exchange_destroy(x);
    }
}


static void
check_stream(void)
{
    size_t           i;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const struct {
        const char  *name, *path, *asked, *type, *body;
        int          status;
        int64_t      stream;
    } t[] = {
        { "a stream", CHAT, "{}", SSE, DONE, 200, 1 },
        { "a body", CHAT, "{\"stream\":true}", JSON, "{}", 200, 0 },
        { "an error", CHAT, "{\"stream\":true}", JSON, "{}", 400, 0 },
        { "an error without a word", CHAT, "{\"stream\":true}", NULL, "", 500,
          0 },
        { "nothing, a stream asked", CHAT, "{\"stream\":true}", JSON, "", 200,
          1 },
        { "nothing, none asked", CHAT, "{\"stream\":false}", JSON, "", 200,
          0 },
        { "nothing, not asked", CHAT, "{}", JSON, "", 200, 0 },
        { "nothing, nothing", CHAT, "", JSON, "", 200, LLM_NULL },
        { "nothing, Ollama", "/api/chat", "{}", JSON, "", 200, 1 },
        { "nothing, the path", GEMINI, "{}", JSON, "", 200, 1 },
        { "a cut body, a stream asked", CHAT, "{\"stream\":true}", JSON,
          "{\"id\":", 200, 1 },
        { "a cut body", CHAT, "{\"stream\":false}", JSON, "{\"id\":", 200,
          0 },
        { "no head, a stream asked", CHAT, "{\"stream\":true}", NULL, NULL, 0,
          1 },
        { "no head", CHAT, "", NULL, NULL, 0, LLM_NULL },
    };

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        if (t[i].body != NULL) {
            x = run(t[i].path, t[i].type, t[i].status, t[i].asked, t[i].body,
                    strlen(t[i].body), 1, &r);

        } else {
            x = start(t[i].path, NULL, 0);
            llm_exchange_request(x, &request);
            feed(x, t[i].asked, strlen(t[i].asked), 0, 0);
            llm_record_init(&r);
            llm_exchange_finish(x, &r);
        }

        ok(r.num[LLM_N_STREAM] == t[i].stream, "stream: %s", t[i].name);
        llm_exchange_destroy(x);
    }
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
    check_broken();
    check_stream();
    check_said();

    return done_testing();
}
