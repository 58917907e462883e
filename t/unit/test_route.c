
/*
 * Copyright (C) llm_monitor contributors
 *
 * Paths of every provider and of the gateways before them, and urls that are
 * full of secrets.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_route.h"


#define X  LLM_PROTOCOL_UNKNOWN
#define O  LLM_PROTOCOL_OPENAI
#define A  LLM_PROTOCOL_ANTHROPIC
#define G  LLM_PROTOCOL_GEMINI
#define L  LLM_PROTOCOL_OLLAMA
#define C  LLM_PROTOCOL_COHERE
#define B  LLM_PROTOCOL_BEDROCK

#define OTHER  LLM_OPERATION_OTHER
#define CHAT   LLM_OPERATION_CHAT
#define TEXT   LLM_OPERATION_COMPLETION
#define RESP   LLM_OPERATION_RESPONSES
#define EMB    LLM_OPERATION_EMBEDDINGS
#define IMAGE  LLM_OPERATION_IMAGE
#define AUDIO  LLM_OPERATION_AUDIO
#define RANK   LLM_OPERATION_RERANK
#define MOD    LLM_OPERATION_MODERATION
#define COUNT  LLM_OPERATION_COUNT_TOKENS
#define MODELS LLM_OPERATION_MODELS
#define BATCH  LLM_OPERATION_BATCH

#define GM   "/v1beta/models/{model}:"
#define DEP  "/openai/deployments/{model}"


typedef struct {
    const char  *method;
    const char  *url;
    int          protocol;
    int          operation;
    int          stream;
    int          array;
    int          no_sums;
    const char  *endpoint;
    const char  *model;
} case_t;


static const case_t  cases[] = {
    { "POST", "/v1/chat/completions", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "/chat/completions/", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "//a//v1//chat//completions", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "/api/paas/v4/chat/completions", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "/v1beta/openai/chat/completions", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "/my-v1/chat/completions", O, CHAT, -1, 0, 0,
      "/v1/chat/completions", NULL },
    { "POST", "/openai/deployments/gpt%2D4o/chat/completions?api-version=1",
      O, CHAT, -1, 0, 0, DEP "/chat/completions", "gpt-4o" },
    { "POST", "/openai/deployments/d/extensions/chat/completions",
      O, CHAT, -1, 0, 0, DEP "/chat/completions", "d" },
    { "POST", "/x/openai/deployments/d/audio/speech", O, AUDIO, -1, 0, 0,
      DEP "/audio/speech", "d" },
    { "POST", "/v1/engines/davinci/completions", O, TEXT, -1, 0, 0,
      DEP "/completions", "davinci" },
    { "GET", "/v1/chat/completions/chatcmpl-1", O, CHAT, -1, 0, 1,
      "/v1/chat/completions/{id}", NULL },
    { "POST", "/v1/responses", O, RESP, -1, 0, 0, "/v1/responses", NULL },
    { "GET", "/v1/responses/resp_1?stream=true", O, RESP, 1, 0, 1,
      "/v1/responses/{id}", NULL },
    { "POST", "/v1/responses/resp_1/cancel", O, RESP, 0, 0, 1,
      "/v1/responses/{id}/cancel", NULL },
    { "GET", "/v1/responses/resp_1/input_items", O, OTHER, 0, 0, 1,
      "/v1/responses/{id}/input_items", NULL },
    { "POST", "/openai/v1/responses/input_tokens", O, COUNT, 0, 0, 1,
      "/v1/responses/input_tokens", NULL },
    { "POST", "/v1/responses/compact", O, RESP, -1, 0, 0,
      "/v1/responses/compact", NULL },
    { "POST", "/v1/embeddings", O, EMB, 0, 0, 0, "/v1/embeddings", NULL },
    { "POST", "/v1/images/edits", O, IMAGE, -1, 0, 0, "/v1/images/edits",
      NULL },
    { "POST", "/v1/moderations", O, MOD, 0, 0, 1, "/v1/moderations", NULL },
    { "GET", "/v1/realtime?model=gpt%20realtime", O, OTHER, -1, 0, 1,
      "/v1/realtime", "gpt realtime" },
    { "POST", "/v1/batches", O, BATCH, 0, 0, 1, "/v1/batches", NULL },
    { "POST", "/v1/fim/completions", O, TEXT, -1, 0, 0,
      "/v1/fim/completions", NULL },
    { "POST", "/v1/threads/t/messages", O, OTHER, 0, 0, 1,
      "/v1/threads/{id}/messages", NULL },
    { "POST", "/v1/rerank", O, RANK, 0, 0, 0, "/v1/rerank", NULL },
    { "POST", "/completion", O, TEXT, -1, 0, 0, "/completion", NULL },
    { "POST", "/tokenize", X, COUNT, 0, 0, 1, "/tokenize", NULL },

    { "POST", "/v1/messages", A, CHAT, -1, 0, 0, "/v1/messages", NULL },
    { "POST", "/proxy/anthropic/v1/messages?beta=true", A, CHAT, -1, 0, 0,
      "/v1/messages", NULL },
    { "POST", "/v1/messages/count_tokens", A, COUNT, 0, 0, 1,
      "/v1/messages/count_tokens", NULL },
    { "GET", "/v1/messages/batches/b_1/results", A, BATCH, 0, 0, 1,
      "/v1/messages/batches/{id}/results", NULL },
    { "POST", "/v1/complete", A, TEXT, -1, 0, 0, "/v1/complete", NULL },

    { "POST", "/v1beta/models/gemini-2.5-pro:generateContent", G, CHAT, 0, 0,
      0, GM "generateContent", "gemini-2.5-pro" },
    { "POST", "/v1/models/gemini%3AgenerateContent", G, CHAT, 0, 0, 0,
      GM "generateContent", "gemini" },
    { "POST", "/v1beta/models/m:streamGenerateContent?key=k&alt=sse", G, CHAT,
      1, 0, 0, GM "streamGenerateContent", "m" },
    { "POST", "/v1beta/models/m:streamGenerateContent?%24alt=sse", G, CHAT, 1,
      0, 0, GM "streamGenerateContent", "m" },
    { "POST", "/v1beta/models/m:streamGenerateContent?alt=json", G, CHAT, 1,
      1, 0, GM "streamGenerateContent", "m" },
    { "POST", "/v1beta/models/m:countTokens", G, COUNT, 0, 0, 1,
      GM "countTokens", "m" },
    { "POST", "/v1internal:streamGenerateContent", G, CHAT, 1, 1, 0,
      GM "streamGenerateContent", NULL },
    { "POST", "/v1/projects/p/locations/l/publishers/google/models/"
      "text-embedding-004:predict", G, EMB, 0, 0, 0, GM "predict",
      "text-embedding-004" },
    { "POST", "/v1/publishers/google/models/imagen-4:predict", G, IMAGE, 0, 0,
      0, GM "predict", "imagen-4" },
    { "POST", "/v1/publishers/anthropic/models/claude@1:streamRawPredict", A,
      CHAT, 1, 0, 0, GM "streamRawPredict", "claude@1" },
    { "POST", "/v1/publishers/anthropic/models/count-tokens:rawPredict", A,
      COUNT, 0, 0, 1, GM "rawPredict", NULL },
    { "GET", "/v1beta/models", G, MODELS, 0, 0, 1, "/v1beta/models", NULL },
    { "GET", "/v1alpha/models/m", G, MODELS, 0, 0, 1, "/v1beta/models/{id}",
      NULL },
    { "POST", "/v1beta/interactions", G, CHAT, -1, 0, 0,
      "/v1beta/interactions", NULL },
    { "GET", "/v1beta/batches/b", G, BATCH, 0, 0, 1, "/v1beta/batches/{id}",
      NULL },

    { "POST", "/api/chat", L, CHAT, -1, 0, 0, "/api/chat", NULL },
    { "POST", "/ollama/api/generate", L, TEXT, -1, 0, 0, "/api/generate",
      NULL },
    { "POST", "/api/embed", L, EMB, 0, 0, 0, "/api/embed", NULL },
    { "GET", "/api/tags", L, MODELS, 0, 0, 1, "/api/tags", NULL },

    { "POST", "/v2/chat", C, CHAT, -1, 0, 0, "/v2/chat", NULL },
    { "POST", "/v2/rerank", C, RANK, 0, 0, 0, "/v2/rerank", NULL },
    { "POST", "/v1/chat", X, CHAT, -1, 0, 0, "/v1/chat", NULL },

    { "POST", "/model/us.anthropic.claude-v1%3A0/converse", B, CHAT, 0, 0, 0,
      "/model/{model}/converse", "us.anthropic.claude-v1:0" },
    { "POST", "/model/arn:aws:bedrock:us:1:inference-profile/p.v1/"
      "converse-stream", B, CHAT, 1, 0, 0, "/model/{model}/converse-stream",
      "arn:aws:bedrock:us:1:inference-profile/p.v1" },
    { "POST", "/model/amazon.titan-embed-text-v2/invoke", B, EMB, 0, 0, 0,
      "/model/{model}/invoke", "amazon.titan-embed-text-v2" },
    { "POST", "/model/m/invoke-with-response-stream", B, CHAT, 1, 0, 0,
      "/model/{model}/invoke-with-response-stream", "m" },
    { "POST", "/model/m/count-tokens", B, COUNT, 0, 0, 1,
      "/model/{model}/count-tokens", "m" },
    { "POST", "/model//converse", X, OTHER, -1, 0, 0, "/model/converse",
      NULL },

    { "GET", "/v1/models/gpt-4o", X, MODELS, 0, 0, 1, "/v1/models/{id}",
      NULL },
    { "GET", "/v1/models/meta/llama", X, MODELS, 0, 0, 1,
      "/v1/models/{id}/{id}", NULL },

    { "POST", "", X, OTHER, -1, 0, 0, "/", NULL },
    { "GET", "///", X, OTHER, -1, 0, 1, "/", NULL },
    { "POST", "*", X, OTHER, -1, 0, 0, "/{id}", NULL },
    { "POST", "/a/b/c/d/e/f/g/h", X, OTHER, -1, 0, 0, "/a/b/c/d/e/f", NULL },
    { "POST", "/users/42/x/f47ac10b-58cc-4372-a567-0e02b2c3d479/y/"
      "file-AbCdEf12345", X, OTHER, -1, 0, 0, "/users/{id}/x/{id}/y/{id}",
      NULL },
    { "POST", "/a%20b/m\xc3\xa9/v1.2/my-endpoint_name", X, OTHER, -1, 0, 0,
      "/{id}/{id}/v1.2/my-endpoint_name", NULL }
};


typedef struct {
    const char  *in;
    const char  *out;
} url_t;


static const url_t  urls[] = {
    { "/v1/x?a=1&b=2", NULL },
    { "/v1/x?key=AIzaSecret", "/v1/x?key=***" },
    { "/v1/x?KEY=s&alt=sse&Api-Key=s&x=1&ACCESS_TOKEN=s",
      "/v1/x?KEY=***&alt=sse&Api-Key=***&x=1&ACCESS_TOKEN=***" },
    { "/x?token=a%26b&sig=s;t&monkey=1&keys=2&key",
      "/x?token=***&sig=***&monkey=1&keys=2&key" },
    { "/x?key=&key=s", "/x?key=&key=***" },
    { "/x?key==s=t", "/x?key=***" },
    { "/x?%6bey=s&%4B%45%59=s", "/x?%6bey=***&%4B%45%59=***" },
    { "/x?%256bey=s", "/x?%256bey=***" },
    { "/x?%20key%00=s&key[]=s&key%5b0%5d=s",
      "/x?%20key%00=***&key[]=***&key%5b0%5d=***" },
    { "/x?a=1;key=s", "/x?a=1;key=***" },
    { "/x?u=https%3A%2F%2Fh%2F%3Fkey%3Ds%26b%3D1&c=2",
      "/x?u=https%3A%2F%2Fh%2F%3Fkey%3D***&c=2" },
    { "/x?u=https%3A%2F%2Fme%3Apw%40h%2Fp&c=2",
      "/x?u=https%3A%2F%2Fh%2Fp&c=2" },
    { "http://me:pw@host/x?a=b@c", "http://host/x?a=b@c" },
    { "//me:p@w@host/x", "//host/x" },
    { "/a@b/c?e=me@example.com", NULL },
    { "/x;token=s/y?a=1", "/x;token=***/y?a=1" },
    { "/x?X-Amz-Signature=s&X-Amz-Credential=s&X-Amz-Date=1",
      "/x?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=1" },
    { "/x?my_own=s", "/x?my_own=***" },
    { "/x?subscription-key=s&Ocp-Apim-Subscription-Key=s&subscriptionkey=s",
      "/x?subscription-key=***&Ocp-Apim-Subscription-Key=***"
      "&subscriptionkey=***" },
    { "/x?session_token=s&authToken=s&api-token=s&sessiontoken=s&my.token=s",
      "/x?session_token=***&authToken=***&api-token=***&sessiontoken=***"
      "&my.token=***" },
    { "/x?jwt=s&bearer=s&code=s&client_assertion=s&x-auth=s&userPass=s",
      "/x?jwt=***&bearer=***&code=***&client_assertion=***&x-auth=***"
      "&userPass=***" },
    { "/x?myKey=s&My_Key=s&APIKey=s&s3.secretKey=s&DB_PASSWORD=s&appSecret=s",
      "/x?myKey=***&My_Key=***&APIKey=***&s3.secretKey=***&DB_PASSWORD=***"
      "&appSecret=***" },
    { "/x?X-Amz-Security-Token=s&X-Goog-Signature=s&aws_credentials=s",
      "/x?X-Amz-Security-Token=***&X-Goog-Signature=***"
      "&aws_credentials=***" },
    { "/x?max_tokens=1&pageToken=a&page_token=a&nextPageToken=a&next-token=a"
      "&continuationToken=a&monkey=1&Hockey=1&design=1&language_code=fr"
      "&bypass=1&tokens=2&tokenizer=3&passes=1&author=me", NULL },
    { "/x%00y?%00", NULL },
    { "/\x01\x7f\xff\xc3\xa9 \xe2\x80\xa8?\xc0\xaf\xed\xa0\x80",
      "/%01%7F%FF\xc3\xa9%20\xe2\x80\xa8?%C0%AF%ED%A0%80" },
    { "/x?%zz%4&a=%", NULL },
    { "/x?key=s%", "/x?key=***" }
};


static void
split_url(const char *url, llm_str_t *path, llm_str_t *query)
{
    const char  *p;

    p = strchr(url, '?');

    path->data = (const uint8_t *) url;
    path->len = p ? (size_t) (p - url) : strlen(url);
    query->data = p ? (const uint8_t *) p + 1 : NULL;
    query->len = p ? strlen(p + 1) : 0;
}


static int
same(const llm_str_t *s, const char *text)
{
    if (text == NULL) {
        return s->data == NULL;
    }

    return s->data != NULL && s->len == strlen(text)
           && memcmp(s->data, text, s->len) == 0;
}


static void
test_routes(void)
{
    int            good;
    size_t         i;
    llm_str_t      method, path, query;
    llm_route_t    rt;
    const case_t  *c;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];

        method.data = (const uint8_t *) c->method;
        method.len = strlen(c->method);
        split_url(c->url, &path, &query);

        llm_route(&rt, &method, &path, &query);

        good = rt.protocol == c->protocol && rt.operation == c->operation
               && rt.stream == c->stream && rt.array == c->array
               && rt.no_sums == c->no_sums && same(&rt.endpoint, c->endpoint)
               && same(&rt.model, c->model);

        if (!ok(good, "%s %s", c->method, c->url)) {
            printf("# %d %d %d %d %d %.*s %.*s\n", rt.protocol, rt.operation,
                   rt.stream, rt.array, rt.no_sums, (int) rt.endpoint.len,
                   (const char *) rt.endpoint.data, (int) rt.model.len,
                   (const char *) rt.model.data);
        }
    }
}


static void
test_long(void)
{
    int          i;
    char        *text;
    llm_str_t    method, path, query;
    llm_route_t  rt;

    text = malloc(100000);
    memset(text, 'm', 100000);
    memcpy(text, "/v1beta/models/", 15);
    memcpy(text + 300, ":generateContent", 17);

    method.data = (const uint8_t *) "POST";
    method.len = 4;

    split_url(text, &path, &query);
    llm_route(&rt, &method, &path, &query);
    ok(rt.endpoint.len <= 256, "a model's name of 285 bytes");

    memset(text, 'm', 400);
    memcpy(text, "/model/", 7);
    memcpy(text + 390, "/invoke", 8);
    split_url(text, &path, &query);
    llm_route(&rt, &method, &path, &query);
    ok(rt.model.len == 256, "256 bytes of a model are kept");

    for (i = 0; i < 6; i++) {
        memset(text + i * 41, 'x', 41);
        text[i * 41] = '/';
    }

    text[6 * 41] = '\0';
    split_url(text, &path, &query);
    llm_route(&rt, &method, &path, &query);
    ok(rt.endpoint.len == 6 * 41, "six segments of 40 bytes");

    free(text);
}


static void
test_urls(void)
{
    char              *text;
    size_t             i, n, cap;
    uint8_t            out[2000];
    llm_str_t          path, query, s;
    const char        *want;

    static const llm_str_t  names[] = { llm_str("my_own") };

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        split_url(urls[i].in, &path, &query);
        want = urls[i].out ? urls[i].out : urls[i].in;

        s.data = out;
        s.len = llm_route_url(out, sizeof(out), &path, &query, names, 1);

        if (!ok(same(&s, want), "%zu: %s", i, want)) {
            printf("# %.*s\n", (int) s.len, (char *) out);
        }

        /* a shorter one is the beginning of it, cut between characters */

        for (cap = 0; cap <= s.len; cap++) {
            n = llm_route_url(out, cap, &path, &query, names, 1);

            if (n > cap || memcmp(out, want, n) != 0
                || (n && n < cap && cap - n > 3)
                || (want[n] & 0xc0) == 0x80)
            {
                ok(0, "%zu cut at %zu", i, cap);
                break;
            }
        }
    }

    text = malloc(1000000);
    memset(text, 'a', 1000000);
    memcpy(text, "/x?a=", 5);
    memcpy(text + 999000, "&key=secret", 12);

    split_url(text, &path, &query);
    n = llm_route_url(out, sizeof(out), &path, &query, NULL, 0);
    ok(n == sizeof(out), "a url of 1 MB");

    for (i = 3; i < 999999; i++) {
        text[i] = (i % 3) ? '/' : ':';
    }

    text[999999] = '\0';

    split_url(text, &path, &query);
    n = llm_route_url((uint8_t *) text, 0, &path, &query, NULL, 0);
    ok(n == 0, "no room at all");

    free(text);
}


int
main(void)
{
    test_routes();
    test_long();
    test_urls();

    return done_testing();
}
