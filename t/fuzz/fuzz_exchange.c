
/*
 * Copyright (C) llm_monitor contributors
 *
 * A whole exchange: the first bytes choose path, types, codings, status and
 * pieces; a zero line parts the request's body from the response's.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_exchange.h"


static const char  *paths[] = {
    "/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/chat",
    "/v1beta/models/m:streamGenerateContent", "/v2/chat", "/unknown",
    "/model/m/converse-stream", "/model/m/invoke-with-response-stream",
    "/v1/embeddings", "/v1/audio/transcriptions", "/v1/completions",
    "/v1/messages/count_tokens", "/v1beta/models/m:generateContent",
    "/api/generate", "/v1/images/generations"
};

static const char  *types[] = {
    NULL, "application/json", "text/event-stream", "application/x-ndjson",
    "application/vnd.amazon.eventstream", "multipart/form-data; boundary=b",
    "text/html", "audio/mpeg"
};

static const char  *codings[] = {
    NULL, NULL, NULL, NULL, "gzip", "deflate", "br", "zstd"
};

static const char  *headers[][2] = {
    { "authorization", "Bearer sk-0123456789abcdef" },
    { "anthropic-version", "2023-06-01" },
    { "x-session-id", "s-1" },
    { "user-agent", "fuzz" },
    { "x-account-email", "a@example.com" },
    { "x-amzn-bedrock-input-token-count", "7" },
    { "x-codex-turn-metadata", "{\"session_id\":\"s\"}" },
    { "x-request-id", "r" }
};


static void
each(void *data, llm_header_pt fn, void *fn_data)
{
    size_t     i;
    uint8_t   *mask = data;
    llm_str_t  name, value;

    for (i = 0; i < 8; i++) {

        if (*mask & (1 << i)) {
            name.data = (const uint8_t *) headers[i][0];
            name.len = strlen(headers[i][0]);
            value.data = (const uint8_t *) headers[i][1];
            value.len = strlen(headers[i][1]);

            if (fn(fn_data, &name, &value)) {
                return;
            }
        }
    }
}


static void
take(void *data, const uint8_t *p, size_t n)
{
    size_t  *total = data;

    *total += n;
}


static llm_str_t
text(const char *p)
{
    llm_str_t  s;

    s.data = (const uint8_t *) p;
    s.len = p ? strlen(p) : 0;

    return s;
}


static void
check(const llm_record_t *r)
{
    int       i;
    size_t    n;
    uint8_t  *packed, sum;

    sum = 0;

    for (i = 0; i < LLM_S_COUNT; i++) {
        if (r->str[i].len) {
            sum ^= r->str[i].data[r->str[i].len - 1];
        }
    }

    n = llm_record_packed_size(r);
    packed = malloc(n + 1);
    packed[n] = sum;

    if (llm_record_pack(r, packed) != n) {
        abort();
    }

    free(packed);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               n, k, total, request;
    uint8_t             *piece, step, mask, option;
    int64_t              now;
    llm_head_t           req, resp;
    llm_record_t         r;
    llm_exchange_t      *x;
    const uint8_t       *end;
    llm_exchange_conf_t  conf;
    llm_exchange_state_t state;

    static const uint8_t    salt[32];
    static const llm_str_t  names[] = { llm_str("content") };

    memset(&conf, 0, sizeof(conf));
    memset(&req, 0, sizeof(req));
    memset(&resp, 0, sizeof(resp));

    total = 0;

    option = fuzz_option(&data, &size);
    conf.mem = fuzz_mem;
    conf.salt = salt;

    if (option & 1) {
        conf.request_sink = take;
        conf.response_sink = take;
    }

    if (option & 2) {
        conf.redact_json = names;
        conf.nredact_json = 1;
    }

    step = fuzz_byte(&data, &size);
    mask = fuzz_byte(&data, &size);

    req.each = each;
    req.headers = &mask;
    req.method = text((option & 4) ? "GET" : "POST");
    req.path = text(paths[fuzz_byte(&data, &size) % 16]);
    req.query = text((option & 8) ? "alt=sse&key=s" : NULL);

    option = fuzz_byte(&data, &size);
    req.content_type = text(types[option & 7]);
    req.content_encoding = text(codings[(option >> 3) & 7]);

    option = fuzz_byte(&data, &size);
    resp.each = each;
    resp.headers = &mask;
    resp.content_type = text(types[option & 7]);
    resp.content_encoding = text(codings[(option >> 3) & 7]);
    resp.status = (option & 0x40) ? 200 : 400 + option;

    x = llm_exchange_create(&conf, &total);
    if (x == NULL) {
        return 0;
    }

    llm_exchange_request(x, &req);

    end = memchr(data, 0, size);
    request = (end == NULL) ? 0 : (size_t) (end - data);
    n = size - request;

    while (request) {
        piece = fuzz_piece(&data, &request, step, &k);
        llm_exchange_request_body(x, piece, k, request == 0);
        free(piece);
    }

    llm_exchange_response(x, &resp);

    for (now = 0; n; now++) {
        piece = fuzz_piece(&data, &n, step, &k);
        llm_exchange_response_body(x, piece, k, n == 0 && !(option & 0x80),
                                   now);
        free(piece);

        llm_exchange_state(x, &state);
        (void) llm_exchange_complete(x);
    }

    llm_record_init(&r);
    llm_exchange_finish(x, &r);
    check(&r);

    llm_exchange_finish(x, &r);
    check(&r);

    llm_exchange_destroy(x);

    return 0;
}
