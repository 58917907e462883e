
/*
 * Copyright (C) llm_monitor contributors
 *
 * A whole exchange: the first bytes choose path, types, codings, status and
 * pieces; a zero byte parts the request's body from the response's.  What is
 * said of it in the end does not depend on the pieces.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_exchange.h"
#include "../../ngx_http_llm_monitor_module/record/llm_crc32c.h"


typedef struct {
    llm_exchange_conf_t    conf;
    llm_head_t             request;
    llm_head_t             response;
    const uint8_t         *body[2];
    size_t                 size[2];
    int                    whole;       /* nothing is cut off */
} input_t;

/* all that is known of it, of types that may be compared as bytes */

typedef struct {
    uint8_t               *packed;
    size_t                 size;
    uint32_t               sunk[2];     /* what the sinks were given */
    size_t                 nsunk[2];
    uint32_t               roles[LLM_ROLES];
    int                    complete;
    llm_exchange_state_t   state;
} facts_t;


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
take(void *data, const uint8_t *p, size_t n, int body)
{
    facts_t  *facts = data;

    facts->sunk[body] = llm_crc32c(facts->sunk[body], p, n);
    facts->nsunk[body] += n;
}


static void
take_request(void *data, const uint8_t *p, size_t n)
{
    take(data, p, n, 0);
}


static void
take_response(void *data, const uint8_t *p, size_t n)
{
    take(data, p, n, 1);
}


static llm_str_t
text(const char *p)
{
    llm_str_t  s;

    s.data = (const uint8_t *) p;
    s.len = p ? strlen(p) : 0;

    return s;
}


static uint8_t *
pack(const llm_record_t *r, size_t *size)
{
    uint8_t  *packed;

    *size = llm_record_packed_size(r);
    packed = malloc(*size + 1);

    if (llm_record_pack(r, packed) != *size) {
        abort();
    }

    return packed;
}


/* 0: there was no memory for it */

static int
run(const input_t *in, uint8_t step, facts_t *facts)
{
    size_t           n, k;
    uint8_t         *piece, *again;
    llm_record_t     r;
    const uint8_t   *p;
    llm_exchange_t  *x;

    memset(facts, 0, sizeof(facts_t));

    x = llm_exchange_create(&in->conf, facts);
    if (x == NULL) {
        return 0;
    }

    llm_exchange_request(x, &in->request);

    p = in->body[0];
    n = in->size[0];

    while (n) {
        piece = fuzz_piece(&p, &n, step, &k);
        llm_exchange_request_body(x, piece, k, n == 0);
        free(piece);
    }

    llm_exchange_response(x, &in->response);

    p = in->body[1];
    n = in->size[1];

    while (n) {
        piece = fuzz_piece(&p, &n, step, &k);
        llm_exchange_response_body(x, piece, k, n == 0 && in->whole, 1);
        free(piece);

        llm_exchange_state(x, &facts->state);
        (void) llm_exchange_complete(x);
    }

    llm_record_init(&r);
    llm_exchange_finish(x, &r);
    facts->packed = pack(&r, &facts->size);

    /* it may be asked twice, and says the same */

    llm_exchange_finish(x, &r);
    again = pack(&r, &n);

    if (n != facts->size || memcmp(again, facts->packed, n) != 0) {
        abort();
    }

    free(again);

    facts->complete = llm_exchange_complete(x);
    llm_exchange_state(x, &facts->state);
    memcpy(facts->roles, facts->state.roles, sizeof(facts->roles));
    facts->state.roles = NULL;

    if (facts->state.binary_request) {
        facts->state.redacted_request = 0;
    }

    if (facts->state.binary_response) {
        facts->state.redacted_response = 0;
    }

    llm_exchange_destroy(x);

    return 1;
}


/* Of a coding that is broken it matters where the pieces end. */

static int
broken(const facts_t *facts)
{
    llm_record_t  r;

    if (llm_record_unpack(&r, facts->packed, facts->size) != LLM_OK) {
        abort();
    }

    return r.num[LLM_N_FLAGS] != LLM_NULL
           && (r.num[LLM_N_FLAGS] & LLM_RECORD_DECODE_ERROR);
}


static void
same(const facts_t *a, const facts_t *b)
{
    /* a body is handed on until it is seen to be a binary */

    if ((!a->state.binary_request
         && (a->sunk[0] != b->sunk[0] || a->nsunk[0] != b->nsunk[0]))
        || (!a->state.binary_response
            && (a->sunk[1] != b->sunk[1] || a->nsunk[1] != b->nsunk[1])))
    {
        abort();
    }

    if (a->size != b->size || memcmp(a->packed, b->packed, a->size) != 0
        || memcmp(a->roles, b->roles, sizeof(a->roles)) != 0
        || memcmp(&a->state, &b->state, sizeof(a->state)) != 0
        || a->complete != b->complete)
    {
        abort();
    }
}


/* The options off the front of the input; mask must live as long as in. */

static uint8_t
options(input_t *in, uint8_t *mask, const uint8_t **data, size_t *size)
{
    uint8_t  step, option;

    static const uint8_t    salt[32];
    static const llm_str_t  names[] = { llm_str("content") };

    memset(in, 0, sizeof(input_t));

    option = fuzz_option(data, size);
    in->conf.mem = fuzz_mem;
    in->conf.salt = salt;

    if (option & 1) {
        in->conf.request_sink = take_request;
        in->conf.response_sink = take_response;
    }

    if (option & 2) {
        in->conf.redact_json = names;
        in->conf.nredact_json = 1;
    }

    step = fuzz_byte(data, size);
    *mask = fuzz_byte(data, size);

    in->request.each = each;
    in->request.headers = mask;
    in->request.method = text((option & 4) ? "GET" : "POST");
    in->request.path = text(paths[fuzz_byte(data, size) % 16]);
    in->request.query = text((option & 8) ? "alt=sse&key=s" : NULL);

    option = fuzz_byte(data, size);
    in->request.content_type = text(types[option & 7]);
    in->request.content_encoding = text(codings[(option >> 3) & 7]);

    option = fuzz_byte(data, size);
    in->response.each = each;
    in->response.headers = mask;
    in->response.content_type = text(types[option & 7]);
    in->response.content_encoding = text(codings[(option >> 3) & 7]);
    in->response.status = (option & 0x40) ? 200 : 400 + option;
    in->whole = !(option & 0x80);

    return step;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             bounded;
    facts_t         parts, whole;
    input_t         in;
    uint8_t         step, mask;
    const uint8_t  *end;

    step = options(&in, &mask, &data, &size);
    bounded = (fuzz_allocs != SIZE_MAX);

    end = memchr(data, 0, size);

    in.body[0] = data;
    in.size[0] = (end == NULL) ? 0 : (size_t) (end - data);
    in.body[1] = data + in.size[0];
    in.size[1] = size - in.size[0];

    if (!run(&in, step, &parts)) {
        return 0;
    }

    if (!bounded && step != 0) {
        (void) run(&in, 0, &whole);

        if (!broken(&parts) && !broken(&whole)) {
            same(&parts, &whole);
        }

        free(whole.packed);
    }

    free(parts.packed);

    return 0;
}
