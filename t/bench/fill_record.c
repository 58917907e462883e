
/*
 * Copyright (C) llm_monitor contributors
 *
 * An exchange as the record that capture and extract would have made of it.
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fill.h"


#define FILL_FIRST  (sizeof(fill_first) / sizeof(char *))
#define FILL_LAST   (sizeof(fill_last) / sizeof(char *))


static void fill_where(const fill_exchange_t *x, llm_record_t *r);
static void fill_who(const fill_exchange_t *x, llm_record_t *r);
static void fill_session(const fill_exchange_t *x, llm_record_t *r);
static void fill_usage(const fill_exchange_t *x, llm_record_t *r);
static void fill_cost(const fill_exchange_t *x, llm_record_t *r);
static void fill_error(const fill_exchange_t *x, llm_record_t *r);
static void fill_upstream(const fill_exchange_t *x, llm_record_t *r);
static void fill_ids(const fill_exchange_t *x, llm_record_t *r);
static void fill_text(llm_record_t *r, int n, const char *fmt, ...);
static void fill_word(llm_record_t *r, int n, const char *text);


static const char *const  fill_first[] = {
    "ada", "alan", "amira", "anders", "anna", "arjun", "astrid", "bela",
    "björn", "carla", "chen", "chloe", "daniel", "diego", "elena", "emil",
    "eva", "fatima", "felix", "finn", "grace", "hana", "hugo", "ines",
    "ivan", "jana", "jonas", "julia", "kai", "karim", "kofi", "lars", "leila",
    "li", "liam", "lina", "louise", "lucas", "maja", "marco", "maria",
    "mateo", "mei", "mila", "miriam", "nadia", "nico", "nina", "noah",
    "nora", "olga", "omar", "oscar", "paul", "petra", "priya", "rafael",
    "rosa", "sami", "sara", "sofia", "sven", "tariq", "theo", "tom", "uma",
    "vera", "wei", "yara", "yuki", "zoe"
};

static const char *const  fill_last[] = {
    "adams", "ahmed", "almeida", "andersson", "bauer", "becker", "bernard",
    "berg", "brown", "chen", "costa", "cruz", "diaz", "dubois", "eriksen",
    "evans", "ferrari", "fischer", "fontaine", "garcia", "green", "gupta",
    "haas", "hansen", "huang", "ito", "jansen", "jones", "kaya", "keller",
    "khan", "kim", "klein", "kowalski", "kumar", "larsen", "lee", "lopez",
    "martin", "mayer", "meyer", "moreau", "muller", "nakamura", "nguyen",
    "novak", "okafor", "olsen", "park", "patel", "pereira", "petrov", "quinn",
    "ramos", "rossi", "ruiz", "sato", "schmidt", "silva", "singh", "smith",
    "suzuki", "tanaka", "taylor", "torres", "vogel", "wang", "weber", "wong",
    "yamada", "zhang"
};

static const char *const  fill_variant[FILL_VARIANTS] = {
    "", "-latest", "-2026-02-10", "-2026-06-24"
};

static const char *const  fill_agents[FILL_AGENTS] = {
    "claude-cli/2.1.19 (external, cli)", "codex_cli_rs/0.63.0",
    "OpenAI/Python 1.99.1", "OpenAI/JS 5.12.0", "Anthropic/Python 0.69.0",
    "google-genai-sdk/1.31.0 gl-python/3.12", "opencode/0.15.2",
    "GeminiCLI/0.9.0", "python-httpx/0.28.1", "Go-http-client/2.0",
    "node-fetch", "curl/7.88.1"
};

static fill_room_t  *fill_room;        /* of the record that is made */


void
fill_record(const fill_exchange_t *x, llm_record_t *r, fill_room_t *room)
{
    llm_record_init(r);
    fill_room = room;

    r->num[LLM_N_ID] = x->id;
    r->num[LLM_N_TIMESTAMP] = x->ms;
    r->num[LLM_N_STATUS] = x->status;
    r->num[LLM_N_OUTCOME] = x->outcome;
    r->num[LLM_N_ABORTED_BY] = x->aborted_by;
    r->num[LLM_N_DURATION_US] = x->duration_us;
    r->num[LLM_N_TTFB_US] = x->ttfb_us;
    r->num[LLM_N_TTFT_US] = x->ttft_us;
    r->num[LLM_N_PROTOCOL] = fill_models[x->session.model].protocol;
    r->num[LLM_N_OPERATION] = x->operation;
    r->num[LLM_N_STREAM] = x->stream;
    r->num[LLM_N_FLAGS] = 0;
    r->num[LLM_N_USAGE_SOURCE] = LLM_USAGE_NONE;
    r->num[LLM_N_REQUEST_BODY_STATE] = LLM_BODY_NONE;
    r->num[LLM_N_RESPONSE_BODY_STATE] = LLM_BODY_NONE;

    if (x->stream) {
        r->num[LLM_N_STREAM_COMPLETE] = x->outcome == LLM_OUTCOME_SUCCESS;
    }

    if (x->operation == LLM_OPERATION_MODELS
        || x->operation == LLM_OPERATION_COUNT_TOKENS)
    {
        r->num[LLM_N_FLAGS] |= LLM_RECORD_NO_SUMS;
    }

    if (x->outcome == LLM_OUTCOME_REJECTED) {
        r->num[LLM_N_FLAGS] |= LLM_RECORD_NO_UPSTREAM;
    }

    if (x->operation < LLM_OPERATION_EMBEDDINGS) {
        r->num[LLM_N_MESSAGES_COUNT] = 1 + 2 * x->session.turn;
        r->num[LLM_N_TOOLS_COUNT] = x->session.number ? 14 : 0;
        r->num[LLM_N_TOOL_CALLS_COUNT] = x->session.number && x->salt % 3;
    }

    fill_where(x, r);
    fill_who(x, r);
    fill_session(x, r);
    fill_usage(x, r);
    fill_error(x, r);
    fill_upstream(x, r);
    fill_ids(x, r);

    if (x->bodies && x->operation < LLM_OPERATION_EMBEDDINGS) {
        fill_bodies(x, r, room);
    }
}


static void
fill_where(const fill_exchange_t *x, llm_record_t *r)
{
    const char          *model, *variant;
    const fill_model_t  *m;

    static const char *const  chat[] = {
        "/", "/v1/chat/completions", "/v1/messages", "", "/api/chat",
        "/v2/chat", ""
    };

    m = &fill_models[x->session.model];
    model = m->name;
    variant = fill_variant[x->session.variant];

    fill_word(r, LLM_S_METHOD,
              x->operation == LLM_OPERATION_MODELS ? "GET" : "POST");

    if (x->outcome != LLM_OUTCOME_REJECTED) {
        fill_word(r, LLM_S_PROVIDER, x->other ? m->other : m->provider);
    }

    if (x->operation != LLM_OPERATION_MODELS) {
        fill_text(r, LLM_S_MODEL, "%s%s", model, variant);
    }

    if (x->ttfb_us != LLM_NULL && x->status == 200
        && x->operation != LLM_OPERATION_MODELS)
    {
        if (x->session.variant == 1) {
            fill_text(r, LLM_S_RESPONSE_MODEL, "%s-2026-06-24", model);
            r->str[LLM_S_MAPPED_MODEL] = r->str[LLM_S_RESPONSE_MODEL];

        } else {
            r->str[LLM_S_RESPONSE_MODEL] = r->str[LLM_S_MODEL];
        }
    }

    switch (x->operation) {

    case LLM_OPERATION_RESPONSES:
        fill_word(r, LLM_S_URL, "/v1/responses");
        break;

    case LLM_OPERATION_EMBEDDINGS:
        fill_word(r, LLM_S_URL, "/v1/embeddings");
        break;

    case LLM_OPERATION_IMAGE:
        fill_word(r, LLM_S_URL, "/v1/images/generations");
        break;

    case LLM_OPERATION_MODELS:
        fill_word(r, LLM_S_URL, "/v1/models");
        break;

    case LLM_OPERATION_COUNT_TOKENS:
        fill_word(r, LLM_S_URL, "/v1/messages/count_tokens");
        break;

    default:
        fill_word(r, LLM_S_URL, chat[m->protocol]);
    }

    r->str[LLM_S_ENDPOINT] = r->str[LLM_S_URL];

    if (r->str[LLM_S_URL].len > 0) {
        return;
    }

    if (m->protocol == LLM_PROTOCOL_GEMINI) {
        fill_text(r, LLM_S_URL, x->stream
                  ? "/v1beta/models/%s%s:streamGenerateContent?alt=sse&key=***"
                  : "/v1beta/models/%s%s:generateContent?key=***",
                  model, variant);
        fill_word(r, LLM_S_ENDPOINT, x->stream
                  ? "/v1beta/models/{model}:streamGenerateContent"
                  : "/v1beta/models/{model}:generateContent");
        return;
    }

    fill_text(r, LLM_S_URL, "/model/%s/converse%s", model,
              x->stream ? "-stream" : "");
    fill_word(r, LLM_S_ENDPOINT, x->stream
              ? "/model/{model}/converse-stream" : "/model/{model}/converse");
}


static void
fill_who(const fill_exchange_t *x, llm_record_t *r)
{
    int          user, n;
    char        *tail;
    uint64_t     hash;

    static const char  digit[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ";

    user = x->session.user;

    fill_text(r, LLM_S_USER, "%s.%s", fill_first[user % FILL_FIRST],
              fill_last[user / FILL_FIRST % FILL_LAST]);
    r->num[LLM_N_USER_TRUSTED] = 1;

    n = x->session.address;

    if (n % 10 == 9) {
        fill_text(r, LLM_S_CLIENT_IP, "2001:db8:%x::%x", n / 256, n % 256 + 1);

    } else {
        fill_text(r, LLM_S_CLIENT_IP, "10.%d.%d.%d", 20 + n % 10,
                  n / 10 / 250, n / 10 % 250 + 1);
    }

    fill_word(r, LLM_S_USER_AGENT, fill_agents[x->session.agent]);

    if (x->ttfb_us != LLM_NULL) {
        n = (user * 7 + x->session.model % 3) % FILL_ACCOUNTS;

        fill_text(r, LLM_S_ACCOUNT, "%s.%s@%s.example",
                  fill_first[n * 13 % FILL_FIRST],
                  fill_last[n * 29 % FILL_LAST],
                  n % 3 ? n % 3 == 1 ? "north" : "harbour" : "lab");
    }

    n = user % FILL_KEYS;
    hash = fill_mix(n, 3);

    r->num[LLM_N_API_KEY_HASH] = (int64_t) (hash | 1);

    tail = fill_room->pos;
    fill_text(r, LLM_S_API_KEY_TAIL, "%04d", 0);

    for (n = 0; n < 4; n++) {
        tail[n] = digit[(hash >> (8 + 8 * n)) % (sizeof(digit) - 1)];
    }
}


/* One in a hundred clients calls its session by a name that others use too. */

static void
fill_session(const fill_exchange_t *x, llm_record_t *r)
{
    uint64_t  a, b;

    if (x->session.number == 0 || x->operation == LLM_OPERATION_MODELS) {
        return;
    }

    a = fill_mix(x->session.number, 5);
    b = fill_mix(a, 7);

    if (x->session.user % 97 == 13) {
        fill_word(r, LLM_S_SESSION, "default");

    } else {
        fill_text(r, LLM_S_SESSION, "%08x-%04x-4%03x-a%03x-%012llx",
                  (unsigned) (a >> 32), (unsigned) (a & 0xffff),
                  (unsigned) (a >> 16 & 0xfff), (unsigned) (b >> 52),
                  (unsigned long long) (b & 0xffffffffffff));
    }

    r->num[LLM_N_SESSION_SOURCE] = 2 + x->session.number % 3;
}


static void
fill_usage(const fill_exchange_t *x, llm_record_t *r)
{
    int64_t  *num;

    num = r->num;

    if (x->input == -1) {
        return;
    }

    num[LLM_N_USAGE_SOURCE] = x->stream ? LLM_USAGE_STREAM : LLM_USAGE_BODY;

    if (x->operation == LLM_OPERATION_COUNT_TOKENS) {
        fill_text(r, LLM_S_USAGE, "{\"input_tokens\":%d}", x->input);
        return;
    }

    num[LLM_N_INPUT_TOKENS] = x->input;
    num[LLM_N_USAGE_PARTIAL] = x->output == -1;

    if (x->cached) {
        num[LLM_N_CACHE_READ_TOKENS] = x->cached;
    }

    if (x->created) {
        num[LLM_N_CACHE_CREATION_TOKENS] = x->created;
        num[LLM_N_CACHE_CREATION_5M] = x->created;
    }

    if (x->output == -1) {
        num[LLM_N_ESTIMATED_OUTPUT_TOKENS] = x->salt % 400;
        return;
    }

    num[LLM_N_OUTPUT_TOKENS] = x->output;
    num[LLM_N_TOTAL_TOKENS] = x->input + x->output;

    if (x->reasoning) {
        num[LLM_N_REASONING_TOKENS] = x->reasoning;
    }

    if (num[LLM_N_PROTOCOL] == LLM_PROTOCOL_ANTHROPIC) {
        fill_text(r, LLM_S_USAGE, "{\"input_tokens\":%d,"
                  "\"cache_creation_input_tokens\":%d,"
                  "\"cache_read_input_tokens\":%d,\"output_tokens\":%d}",
                  x->input - x->cached - x->created, x->created, x->cached,
                  x->output);

    } else {
        fill_text(r, LLM_S_USAGE, "{\"prompt_tokens\":%d,"
                  "\"completion_tokens\":%d,\"total_tokens\":%d,"
                  "\"prompt_tokens_details\":{\"cached_tokens\":%d}}",
                  x->input, x->output, x->input + x->output, x->cached);
    }

    fill_cost(x, r);
}


static void
fill_cost(const fill_exchange_t *x, llm_record_t *r)
{
    int64_t              fresh;
    const fill_model_t  *m;

    m = &fill_models[x->session.model];

    if (m->input_price == 0) {
        return;
    }

    fresh = x->input - x->cached - x->created;

    r->num[LLM_N_COST_NANO] = (fresh + x->cached / 10 + x->created * 5LL / 4)
                              * m->input_price
                              + (int64_t) x->output * m->output_price;

    fill_word(r, LLM_S_PRICE_SOURCE, "sample prices");
}


static void
fill_error(const fill_exchange_t *x, llm_record_t *r)
{
    int  i;

    static const struct {
        int          status;
        const char  *type;
        const char  *text;
    } errors[] = {
        { 400, "invalid_request_error", "messages: at least one message is "
          "required" },
        { 401, "authentication_error", "access forbidden" },
        { 404, "not_found_error", "The model `%s` does not exist" },
        { 429, "rate_limit_error", "Rate limit reached for %s: 30000 tokens "
          "a minute, please try again in 2.4s" },
        { 500, "server_error", "The server had an error while processing your "
          "request" },
        { 502, "connect_failed", "connect() failed (111: Connection refused) "
          "while connecting to upstream" },
        { 503, "overloaded_error", "The engine is currently overloaded, "
          "please try again later" },
        { 504, "timeout", "upstream timed out (110: Connection timed out) "
          "while reading response header from upstream" },
        { 529, "overloaded_error", "Overloaded" },
        { 200, "api_error", "Internal server error" }
    };

    if (x->outcome == LLM_OUTCOME_SUCCESS
        || x->outcome == LLM_OUTCOME_CLIENT_ABORT
        || x->outcome == LLM_OUTCOME_UPSTREAM_ABORT
        || x->outcome == LLM_OUTCOME_EMPTY)
    {
        return;
    }

    for (i = 0; errors[i].status != x->status && errors[i].status != 200; i++)
    {
        /* void */
    }

    fill_word(r, LLM_S_ERROR_TYPE, errors[i].type);
    fill_text(r, LLM_S_ERROR, errors[i].text,
              fill_models[x->session.model].name);
}


static void
fill_upstream(const fill_exchange_t *x, llm_record_t *r)
{
    int64_t  bytes;

    r->num[LLM_N_REQUEST_BYTES] = x->input > 0 ? 180 + x->input * 4 : 400;

    if (x->outcome == LLM_OUTCOME_REJECTED) {
        r->num[LLM_N_RESPONSE_BYTES] = 179;
        return;
    }

    bytes = x->ttfb_us == LLM_NULL ? 0
            : 300 + (x->output > 0 ? x->output * (x->stream ? 180LL : 5) : 0);

    r->num[LLM_N_RESPONSE_BYTES] = bytes;

    if (x->ttfb_us == LLM_NULL) {
        fill_text(r, LLM_S_UPSTREAMS, "[{\"addr\":\"192.0.2.%d:443\","
                  "\"status\":%d,\"connect_ms\":null,\"header_ms\":null,"
                  "\"response_ms\":%lld,\"bytes\":0}]",
                  (int) (x->salt % 16) + 1, x->status,
                  (long long) x->duration_us / 1000);
        return;
    }

    fill_text(r, LLM_S_UPSTREAMS, "[{\"addr\":\"192.0.2.%d:443\","
              "\"status\":%d,\"connect_ms\":%d,\"header_ms\":%lld,"
              "\"response_ms\":%lld,\"bytes\":%lld}]",
              (int) (x->salt % 16) + 1, x->status, (int) (x->salt % 9),
              (long long) x->ttfb_us / 1000, (long long) x->duration_us / 1000,
              (long long) bytes + 600);
}


static void
fill_ids(const fill_exchange_t *x, llm_record_t *r)
{
    int  anthropic;

    if (x->ttfb_us == LLM_NULL) {
        return;
    }

    fill_text(r, LLM_S_REQUEST_ID, "req_%016llx",
              (unsigned long long) fill_mix(x->salt, 11));

    if (x->status != 200 || x->operation == LLM_OPERATION_MODELS) {
        return;
    }

    anthropic = r->num[LLM_N_PROTOCOL] == LLM_PROTOCOL_ANTHROPIC;

    fill_text(r, LLM_S_RESPONSE_ID, "%s%016llx",
              anthropic ? "msg_" : "chatcmpl-",
              (unsigned long long) fill_mix(x->salt, 13));

    if (x->outcome == LLM_OUTCOME_SUCCESS
        && x->operation < LLM_OPERATION_EMBEDDINGS)
    {
        if (r->num[LLM_N_TOOL_CALLS_COUNT] > 0) {
            fill_word(r, LLM_S_FINISH_REASON,
                      anthropic ? "tool_use" : "tool_calls");

        } else {
            fill_word(r, LLM_S_FINISH_REASON,
                      anthropic ? "end_turn" : "stop");
        }
    }
}


static void
fill_text(llm_record_t *r, int n, const char *fmt, ...)
{
    int      len;
    va_list  args;

    va_start(args, fmt);
    len = vsnprintf(fill_room->pos, FILL_TEXT_MAX, fmt, args);
    va_end(args);

    r->str[n].data = (const uint8_t *) fill_room->pos;
    r->str[n].len = len < FILL_TEXT_MAX ? len : FILL_TEXT_MAX - 1;

    fill_room->pos += r->str[n].len;
}


static void
fill_word(llm_record_t *r, int n, const char *text)
{
    r->str[n].data = (const uint8_t *) text;
    r->str[n].len = strlen(text);
}
