
/*
 * Copyright (C) llm_monitor contributors
 *
 * Exchanges at every split: what is hidden, cut, large or comes late, and no
 * memory.
 */


#include <zlib.h>

#include "aws.h"
#include "exchange.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_user_text.h"


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


/* of a type that is not known; a character may be cut by the pieces */

static void
check_binary(void)
{
    int              i, mode, bad;
    llm_record_t     r;
    llm_exchange_t  *x;

    static const char  *bodies[] = {
        "{\"id\":\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xbc\"}",
        "{\"id\":\"\xf0\x9f\x98\x80 \xe2\x82 \"}", "{\"id\":\"\xff\"}"
    };

    bad = -1;

    for (mode = 0; mode < 35; mode++) {
        for (i = 0; i < 3; i++) {
            x = start(CHAT, NULL, 200);
            llm_exchange_request(x, &request);
            feed(x, "{}", 2, mode, 0);
            llm_exchange_response(x, &response);
            feed(x, bodies[i], strlen(bodies[i]), mode, 1);
            llm_record_init(&r);
            llm_exchange_finish(x, &r);
            llm_exchange_state(x, &state);

            if (state.binary_response != (i > 0)) {
                bad = mode;
                printf("# mode %d, body %d: %d\n", mode, i,
                       state.binary_response);
            }

            llm_exchange_destroy(x);
        }
    }

    ok(bad < 0, "what is a binary, in any pieces");
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


/* An account is whole, or it is none: it may be another's once it was cut. */

static void
check_account(void)
{
    size_t           i;
    llm_record_t     r;
    llm_exchange_t  *x;

    static char              name[258];
    static const char       *headers[] = { "x-account-email", name, NULL };

    static const struct {
        const char  *name;             /* NULL: so many letters */
        size_t       n;
        int          known;
    } names[] = {
        { NULL, 256, 1 }, { NULL, 257, 0 }, { "\xc3\xa9@a.example", 0, 1 },
        { "\xe9@a.example", 0, 0 }, { "a\tb@a.example", 0, 0 }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(name, 0, sizeof(name));

        if (names[i].name != NULL) {
            strcpy(name, names[i].name);

        } else {
            memset(name, 'a', names[i].n);
        }

        x = start(CHAT, JSON, 200);
        response.each = each;
        response.headers = headers;
        llm_exchange_request(x, &request);
        llm_exchange_response(x, &response);
        llm_exchange_response_body(x, NULL, 0, 1, 9);

        llm_record_init(&r);
        llm_exchange_finish(x, &r);

        ok(names[i].known ? is(&r.str[LLM_S_ACCOUNT], name)
                          : r.str[LLM_S_ACCOUNT].data == NULL,
           "account %d is %s", (int) i, names[i].known ? "kept" : "none");
        llm_exchange_destroy(x);
    }

    response.each = NULL;
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


/* what a chunk of Bedrock wraps, however its JSON is written */

static void
check_invoke(void)
{
    size_t           i, n;
    uint8_t          body[256];
    llm_record_t     r;
    llm_exchange_t  *x;

    /* {"type":"message_delta","usage":{"input_tokens":7,"output_tokens":3}} */

#define WRAPPED  "\"eyJ0eXBlIjoibWVzc2FnZV9kZWx0YSIsInVzYWdlIjp7ImlucHV0X3Rva" \
                 "2VucyI6Nywib3V0cHV0X3Rva2VucyI6M319\""

    static const char  *payloads[] = {
        "{\"bytes\":" WRAPPED ",\"p\":\"abc\"}",
        "{\"bytes\": " WRAPPED "}",
        "{\"p\": \"a\", \"bytes\" :\n " WRAPPED " }",
    };

    for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        n = frame(body, H1, sizeof(H1) - 1, payloads[i], strlen(payloads[i]));

        x = run("/model/m/invoke-with-response-stream",
                "application/vnd.amazon.eventstream", 200, "{}",
                (char *) body, n, 7, &r);

        ok(r.num[LLM_N_INPUT_TOKENS] == 7 && r.num[LLM_N_OUTPUT_TOKENS] == 3,
           "a chunk, written in way %zu", i + 1);
        llm_exchange_destroy(x);
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
    check_truncated();
    check_redacted();
    check_binary();
    check_beginnings();
    check_whole_texts();
    check_times();
    check_again();
    check_account();
    check_large();
    check_events();
    check_invoke();
    check_memory();

    return done_testing();
}
