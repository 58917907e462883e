
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_bytes.h"
#include "llm_flow.h"
#include "llm_error.h"
#include "llm_exchange.h"
#include "llm_facts.h"
#include "llm_request.h"
#include "llm_route.h"
#include "llm_session.h"


#define LLM_EXCHANGE_URL     2048
#define LLM_EXCHANGE_NAME    256     /* bytes of a header that are kept */
#define LLM_EXCHANGE_BYTES   4       /* of text for an estimated token */
#define LLM_EXCHANGE_POOL    400     /* bytes that do for most exchanges */


struct llm_exchange_s {
    const llm_exchange_conf_t  *conf;
    void                       *sink_data;
    const llm_head_t           *request_head;
    const llm_head_t           *response_head;

    llm_str_t                   endpoint;
    llm_str_t                   path_model;
    llm_slot_t                  url;
    llm_slot_t                  account;
    llm_slot_t                  mapped;
    llm_slot_t                  request_id;
    llm_slot_t                  request_type;
    llm_slot_t                  response_type;

    llm_usage_t                *header_usage;
    int64_t                     ttfb;

    uint8_t                     protocol;
    uint8_t                     operation;
    int8_t                      path_stream;
    uint8_t                     no_sums;
    uint8_t                     request_id_rank;
    uint8_t                     account_new;

    /* from here on, each sets itself up */
    llm_pool_t                  pool;
    llm_request_t               request;
    llm_facts_t                 facts;
    llm_flow_t                  in;
    llm_flow_t                  out;
    llm_reader_t                reader;

    uint64_t                    first[LLM_EXCHANGE_POOL / 8];
};


static llm_str_t llm_exchange_route(llm_exchange_t *x,
    const llm_route_t *route, const llm_str_t *s);
static int llm_exchange_header(void *data, const llm_str_t *name,
    const llm_str_t *value);
static LLM_APART void llm_exchange_request_id(llm_exchange_t *x,
    const llm_str_t *name, const llm_str_t *value);
static LLM_APART void llm_exchange_amazon(llm_exchange_t *x,
    const llm_str_t *name, const llm_str_t *value);
static void llm_exchange_protocol(llm_exchange_t *x);
static int llm_exchange_streams(const llm_exchange_t *x);
static int llm_exchange_asked(const llm_exchange_t *x);
static int64_t llm_exchange_stream(const llm_exchange_t *x);
static int llm_exchange_http_ok(const llm_exchange_t *x);
static void llm_exchange_request_record(llm_exchange_t *x, llm_record_t *r);
static LLM_APART void llm_exchange_url(llm_exchange_t *x);
static void llm_exchange_response_record(llm_exchange_t *x, llm_record_t *r);
static void llm_exchange_usage_record(llm_exchange_t *x, llm_record_t *r);
static void llm_exchange_error_record(llm_exchange_t *x, llm_record_t *r);
static void llm_exchange_cut(llm_exchange_t *x, llm_record_t *r);
static int64_t llm_exchange_count(int64_t n);


static const uint8_t  llm_exchange_no_salt[32];

static const llm_key_t  llm_exchange_counted =
    llm_key_keep("", LLM_F_COUNTED, NULL);


llm_exchange_t *
llm_exchange_create(const llm_exchange_conf_t *conf, void *sink_data)
{
    llm_exchange_t  *x;

    x = conf->mem.alloc(conf->mem.data, sizeof(llm_exchange_t));
    if (x == NULL) {
        return NULL;
    }

    memset(x, 0, offsetof(llm_exchange_t, pool));

    x->conf = conf;
    x->sink_data = sink_data;
    x->ttfb = LLM_NULL;
    x->path_stream = -1;

    llm_pool_init(&x->pool, &conf->mem, x->first, sizeof(x->first));
    llm_facts_init(&x->facts, &x->pool);
    llm_request_init(&x->request, &x->pool,
                     conf->salt != NULL ? conf->salt : llm_exchange_no_salt);
    llm_flow_none(&x->in);
    llm_flow_none(&x->out);
    x->reader.used = 0;

    return x;
}


void
llm_exchange_request(llm_exchange_t *x, const llm_head_t *head)
{
    llm_route_t  route;

    x->request_head = head;

    llm_route(&route, &head->method, &head->path, &head->query);

    x->protocol = route.protocol;
    x->operation = route.operation;
    x->path_stream = route.stream;
    x->no_sums = route.no_sums;

    x->endpoint = llm_exchange_route(x, &route, &route.endpoint);
    x->path_model = llm_exchange_route(x, &route, &route.model);

    llm_request_headers(&x->request, head, x->conf);

    llm_flow_init(&x->in, x->conf, x->sink_data, head, &x->pool, &x->reader, 0);

    x->in.root = &llm_request_root;
    x->in.fn = llm_request_value;
    x->in.data = &x->request;
}


/* what points into the route must outlive it */

static llm_str_t
llm_exchange_route(llm_exchange_t *x, const llm_route_t *route,
    const llm_str_t *s)
{
    uint8_t    *p;
    llm_str_t   copy = llm_null_str;

    if (s->data < route->buf || s->data >= route->buf + sizeof(route->buf)) {
        return *s;
    }

    p = llm_pool_alloc(&x->pool, s->len);

    if (p != NULL) {
        memcpy(p, s->data, s->len);
        copy.data = p;
        copy.len = s->len;
    }

    return copy;
}


void
llm_exchange_request_body(llm_exchange_t *x, const uint8_t *p, size_t n,
    int last)
{
    llm_flow_feed(&x->in, p, n, last);

    if (last) {
        llm_request_form(&x->request, x->in.multipart);
        llm_flow_free(&x->in);
    }
}


void
llm_exchange_response(llm_exchange_t *x, const llm_head_t *head)
{
    llm_facts_t           *f;
    const llm_provider_t  *provider;

    f = &x->facts;

    if (x->response_head != NULL) {
        llm_flow_finish(&x->out);
        llm_flow_free(&x->out);
        llm_facts_reset(f);

        x->ttfb = LLM_NULL;
        x->mapped.len = 0;
        x->request_id.len = 0;
        x->request_id_rank = 0;
        x->account_new = 0;
        x->header_usage = NULL;
    }

    x->response_head = head;

    llm_exchange_protocol(x);

    if (x->protocol == LLM_PROTOCOL_UNKNOWN
        && llm_text_begins_nocase(&head->content_type,
                                  "application/vnd.amazon.eventstream"))
    {
        x->protocol = LLM_PROTOCOL_BEDROCK;
    }

    provider = llm_provider(x->protocol);

    f->provider = provider;
    f->http_error = head->status >= 400;

    llm_flow_init(&x->out, x->conf, x->sink_data, head, &x->pool, &x->reader,
                  1);

    x->out.fn = llm_facts_value;
    x->out.data = f;
    x->out.facts = f;
    x->out.root = f->http_error ? &llm_error_body
                  : x->operation == LLM_OPERATION_COUNT_TOKENS
                  ? &llm_exchange_counted : provider->root;

    x->out.elements = x->protocol == LLM_PROTOCOL_GEMINI
                      && x->path_stream == 1 && !f->http_error;

    if (head->each != NULL) {
        head->each(head->headers, llm_exchange_header, x);
    }
}


/* what the path did not say, the request's body may */

static void
llm_exchange_protocol(llm_exchange_t *x)
{
    if (x->protocol == LLM_PROTOCOL_UNKNOWN) {
        x->protocol = llm_request_protocol(&x->request);
    }

    /* /v1/models, /v1/files: who has them too says so in a header */

    if (x->protocol == LLM_PROTOCOL_UNKNOWN
        && (x->no_sums || x->operation != LLM_OPERATION_OTHER))
    {
        x->protocol = LLM_PROTOCOL_OPENAI;
    }
}


static int
llm_exchange_header(void *data, const llm_str_t *name, const llm_str_t *value)
{
    llm_exchange_t  *x = data;

    if (name->len < 6 || value->len == 0) {
        return 0;
    }

    /* most headers are of no interest, and their first letter tells it */

    switch (name->data[0]) {

    case 'x':
    case 'r':
    case 'a':
    case 'c':
        break;

    default:
        return 0;
    }

    if (llm_str_is(name, "x-account-email")) {

        if (!x->account_new) {
            llm_slot_whole(&x->account, &x->pool, value, LLM_EXCHANGE_NAME);
            x->account_new = 1;
        }

        return 0;
    }

    if (llm_str_is(name, "x-mapped-model")) {

        if (x->mapped.len == 0) {
            llm_slot_ref(&x->mapped, &x->pool, value, LLM_EXCHANGE_NAME);
        }

        return 0;
    }

    if (name->data[0] != 'c' || name->len == sizeof("cf-ray") - 1) {
        llm_exchange_request_id(x, name, value);
    }

    if (name->len > 8 && memcmp(name->data, "x-amzn-", 7) == 0) {
        llm_exchange_amazon(x, name, value);
    }

    return 0;
}


static void
llm_exchange_request_id(llm_exchange_t *x, const llm_str_t *name,
    const llm_str_t *value)
{
    int  i;

    static const llm_str_t  ids[] = {
        llm_str("x-request-id"), llm_str("request-id"),
        llm_str("x-amzn-requestid"), llm_str("apim-request-id"),
        llm_str("x-ms-request-id"), llm_str("x-goog-request-id"),
        llm_str("cf-ray"), llm_null_str
    };

    for (i = 0; ids[i].data != NULL; i++) {

        if (name->len == ids[i].len
            && llm_bytes_same(name->data, ids[i].data, name->len))
        {
            break;
        }
    }

    if (ids[i].data != NULL
        && (x->request_id_rank == 0 || i + 1 < x->request_id_rank))
    {
        llm_slot_ref(&x->request_id, &x->pool, value, LLM_EXCHANGE_NAME);
        x->request_id_rank = i + 1;
    }
}


/* Bedrock tells an error's type and a body's tokens in headers */

static void
llm_exchange_amazon(llm_exchange_t *x, const llm_str_t *name,
    const llm_str_t *value)
{
    int             field;
    int64_t         n;
    llm_str_t       type, none;
    const uint8_t  *p;

    if (llm_str_is(name, "x-amzn-errortype")) {
        type = *value;
        p = memchr(type.data, ':', type.len);
        type.len = p != NULL ? (size_t) (p - type.data) : type.len;

        none.data = NULL;
        none.len = 0;

        llm_facts_error(&x->facts, &none, &type);
        x->facts.any_error = 0;
        x->facts.header_type = 1;

        return;
    }

    field = llm_usage_header(name);

    if (field < 0 || llm_text_number(value, &n) != LLM_OK) {
        return;
    }

    if (x->header_usage == NULL) {
        x->header_usage = llm_pool_alloc(&x->pool, sizeof(llm_usage_t));

        if (x->header_usage == NULL) {
            return;
        }

        llm_usage_init(x->header_usage);
    }

    x->header_usage->v[field] = n;
}


void
llm_exchange_response_body(llm_exchange_t *x, const uint8_t *p, size_t n,
    int last, int64_t now_us)
{
    if (n != 0 && x->ttfb == LLM_NULL) {
        x->ttfb = now_us;
    }

    if (x->response_head == NULL) {
        return;
    }

    x->facts.now = now_us;

    llm_flow_feed(&x->out, p, n, last);
}


int
llm_exchange_complete(const llm_exchange_t *x)
{
    if (x->response_head == NULL) {
        return 0;
    }

    if (llm_exchange_streams(x)) {
        return llm_facts_complete(&x->facts) || x->facts.any_error;
    }

    return llm_flow_closed(&x->out);
}


/* whether the answer is a stream; before there is one: what was asked for */

static int
llm_exchange_streams(const llm_exchange_t *x)
{
    if (x->response_head != NULL) {

        return llm_flow_stream(&x->out);
    }

    return llm_exchange_asked(x) == 1;
}


/* whether a stream was asked for; -1: nothing says it */

static int
llm_exchange_asked(const llm_exchange_t *x)
{
    if (x->request.stream >= 0) {
        return x->request.stream;
    }

    if (x->path_stream >= 0) {
        return x->path_stream;
    }

    if (x->protocol == LLM_PROTOCOL_OLLAMA
        && (x->operation == LLM_OPERATION_CHAT
            || x->operation == LLM_OPERATION_COMPLETION))
    {
        return 1;
    }

    /* a whole body that does not ask for it */

    return x->in.last && x->in.bytes != 0
           && x->operation != LLM_OPERATION_OTHER ? 0 : -1;
}


/* what the answer is; one that is empty or cut does not say it */

static int64_t
llm_exchange_stream(const llm_exchange_t *x)
{
    int  asked;

    if (x->response_head != NULL) {

        if (llm_flow_stream(&x->out)) {
            return 1;
        }

        if (x->facts.http_error
            || (x->out.bytes != 0 && llm_flow_closed(&x->out)))
        {
            return 0;
        }
    }

    asked = llm_exchange_asked(x);

    return asked >= 0 ? asked : LLM_NULL;
}


static int
llm_exchange_http_ok(const llm_exchange_t *x)
{
    return x->response_head != NULL && !x->facts.http_error;
}


void
llm_exchange_finish(llm_exchange_t *x, llm_record_t *r)
{
    llm_str_t  account;

    llm_flow_finish(&x->in);
    llm_flow_finish(&x->out);
    llm_request_form(&x->request, x->in.multipart);

    llm_exchange_protocol(x);

    account = llm_slot_str(&x->account);
    llm_session_derive(&x->request, &account);

    r->num[LLM_N_PROTOCOL] = x->protocol;
    r->num[LLM_N_OPERATION] = x->operation;
    r->num[LLM_N_STREAM] = llm_exchange_stream(x);
    r->num[LLM_N_TTFB_US] = x->ttfb;
    r->str[LLM_S_ENDPOINT] = x->endpoint;
    r->str[LLM_S_ACCOUNT] = account;

    if (r->num[LLM_N_FLAGS] == LLM_NULL) {
        r->num[LLM_N_FLAGS] = 0;
    }

    if (x->no_sums) {
        r->num[LLM_N_FLAGS] |= LLM_RECORD_NO_SUMS;
    }

    if (x->in.bad_coding || x->out.bad_coding) {
        r->num[LLM_N_FLAGS] |= LLM_RECORD_DECODE_ERROR;
    }

    llm_exchange_request_record(x, r);
    llm_exchange_response_record(x, r);
    llm_exchange_usage_record(x, r);
    llm_exchange_error_record(x, r);
    llm_exchange_cut(x, r);
}


static void
llm_exchange_request_record(llm_exchange_t *x, llm_record_t *r)
{
    llm_request_t     *q;
    const llm_head_t  *head;

    q = &x->request;
    head = x->request_head;

    if (head == NULL) {
        return;
    }

    if (x->url.data == NULL) {
        llm_exchange_url(x);

        llm_slot_ref(&x->request_type, &x->pool, &head->content_type,
                     LLM_EXCHANGE_NAME);
    }

    r->str[LLM_S_METHOD] = head->method;
    r->str[LLM_S_URL] = llm_slot_str(&x->url);
    r->str[LLM_S_REQUEST_TYPE] = llm_slot_str(&x->request_type);
    r->str[LLM_S_USER_AGENT] = llm_slot_str(&q->agent);
    r->str[LLM_S_USER] = llm_slot_str(&q->user);
    r->str[LLM_S_SESSION] = llm_slot_str(&q->session);
    r->str[LLM_S_PREVIOUS_RESPONSE_ID] = llm_slot_str(&q->previous);
    r->str[LLM_S_MODEL] = q->model.len != 0 ? llm_slot_str(&q->model)
                                            : x->path_model;

    if (q->user.data != NULL) {
        r->num[LLM_N_USER_TRUSTED] = 0;
    }

    if (q->session_source != 0) {
        r->num[LLM_N_SESSION_SOURCE] = q->session_source;
    }

    r->num[LLM_N_API_KEY_HASH] = (int64_t) q->key_hash;

    if (q->has_tail) {
        r->str[LLM_S_API_KEY_TAIL].data = q->tail;
        r->str[LLM_S_API_KEY_TAIL].len = sizeof(q->tail);
    }

    r->num[LLM_N_REQUEST_BYTES] = x->in.bytes;
    r->num[LLM_N_MESSAGES_COUNT] = llm_exchange_count(q->messages);
    r->num[LLM_N_TOOLS_COUNT] = llm_exchange_count(q->tools);

    /* an input is a list of messages only where there is an answer to it */

    if (q->messages < 0
        && (x->operation == LLM_OPERATION_RESPONSES
            || x->operation == LLM_OPERATION_COUNT_TOKENS
            || x->operation == LLM_OPERATION_OTHER))
    {
        r->num[LLM_N_MESSAGES_COUNT] = llm_exchange_count(q->input);
    }
}


/* nearly all are written as they came */

static void
llm_exchange_url(llm_exchange_t *x)
{
    size_t             n;
    uint8_t            url[LLM_EXCHANGE_URL];
    const llm_head_t  *head;

    head = x->request_head;

    /* the text of an endpoint is plain */

    if (head->query.len == 0
        && head->path.len == x->endpoint.len
        && llm_bytes_same(head->path.data, x->endpoint.data, head->path.len))
    {
        x->url.data = (uint8_t *) head->path.data;
        x->url.len = head->path.len;
        return;
    }

    n = llm_route_url(url, sizeof(url), &head->path, &head->query,
                      x->conf->redact_args, x->conf->nredact_args);

    llm_slot_set(&x->url, &x->pool, url, n, sizeof(url));
}


static void
llm_exchange_response_record(llm_exchange_t *x, llm_record_t *r)
{
    llm_str_t          *mapped, *model, *response_model;
    llm_facts_t        *f;
    const llm_head_t   *head;

    f = &x->facts;
    head = x->response_head;

    if (head == NULL) {
        return;
    }

    r->num[LLM_N_RESPONSE_BYTES] = x->out.bytes;

    if (head->content_type.len != 0) {
        llm_slot_ref(&x->response_type, &x->pool, &head->content_type,
                     LLM_EXCHANGE_NAME);
        r->str[LLM_S_RESPONSE_TYPE] = llm_slot_str(&x->response_type);
    }

    if (x->request_id.len != 0) {
        r->str[LLM_S_REQUEST_ID] = llm_slot_str(&x->request_id);
    }

    if (f->model.len != 0) {
        r->str[LLM_S_RESPONSE_MODEL] = llm_slot_str(&f->model);
    }

    if (f->id.len != 0) {
        r->str[LLM_S_RESPONSE_ID] = llm_slot_str(&f->id);
    }

    if (f->finish.len != 0) {
        r->str[LLM_S_FINISH_REASON] = llm_slot_str(&f->finish);
    }

    if (f->tier.len != 0) {
        r->str[LLM_S_SERVICE_TIER] = llm_slot_str(&f->tier);
    }

    mapped = &r->str[LLM_S_MAPPED_MODEL];
    model = &r->str[LLM_S_MODEL];
    response_model = &r->str[LLM_S_RESPONSE_MODEL];

    if (x->mapped.len != 0) {
        *mapped = llm_slot_str(&x->mapped);

    } else if (response_model->len != 0
               && (response_model->len != model->len
                   || memcmp(response_model->data, model->data, model->len)
                      != 0))
    {
        *mapped = *response_model;
    }

    if (llm_exchange_http_ok(x)
        && (f->tools != 0 || x->operation == LLM_OPERATION_CHAT
            || x->operation == LLM_OPERATION_RESPONSES))
    {
        r->num[LLM_N_TOOL_CALLS_COUNT] = f->tools;
    }
}


static void
llm_exchange_usage_record(llm_exchange_t *x, llm_record_t *r)
{
    int           stream;
    llm_facts_t  *f;
    llm_usage_t   u;

    f = &x->facts;

    r->num[LLM_N_USAGE_SOURCE] = LLM_USAGE_NONE;

    if (f->provider == NULL || f->http_error) {
        return;
    }

    stream = llm_exchange_streams(x);

    u = f->usage;

    if (f->any_usage && f->usage_text.len != 0) {
        r->str[LLM_S_USAGE] = llm_slot_str(&f->usage_text);
    }

    /* numbers, or at least the text that they would be in */

    if (llm_usage_known(&u) || r->str[LLM_S_USAGE].len != 0) {
        r->num[LLM_N_USAGE_SOURCE] = stream ? LLM_USAGE_STREAM
                                            : LLM_USAGE_BODY;
    }

    if (x->operation == LLM_OPERATION_COUNT_TOKENS) {
        return;
    }

    if (x->header_usage != NULL && u.v[LLM_U_INPUT] == LLM_NULL
        && u.v[LLM_U_OUTPUT] == LLM_NULL)
    {
        u = *x->header_usage;
        r->num[LLM_N_USAGE_SOURCE] = LLM_USAGE_HEADER;
    }

    f->provider->normal(&u);

    r->num[LLM_N_INPUT_TOKENS] = u.v[LLM_U_INPUT];
    r->num[LLM_N_OUTPUT_TOKENS] = u.v[LLM_U_OUTPUT];
    r->num[LLM_N_CACHE_READ_TOKENS] = u.v[LLM_U_CACHE_READ];
    r->num[LLM_N_CACHE_CREATION_TOKENS] = u.v[LLM_U_CACHE_WRITE];
    r->num[LLM_N_CACHE_CREATION_5M] = u.v[LLM_U_CACHE_5M];
    r->num[LLM_N_CACHE_CREATION_1H] = u.v[LLM_U_CACHE_1H];
    r->num[LLM_N_REASONING_TOKENS] = u.v[LLM_U_REASONING];
    r->num[LLM_N_AUDIO_INPUT_TOKENS] = u.v[LLM_U_AUDIO_INPUT];
    r->num[LLM_N_AUDIO_OUTPUT_TOKENS] = u.v[LLM_U_AUDIO_OUTPUT];
    r->num[LLM_N_REPORTED_TOTAL_TOKENS] = u.v[LLM_U_TOTAL];
    r->num[LLM_N_REPORTED_COST_NANO] = u.v[LLM_U_COST];
    r->num[LLM_N_WEB_SEARCHES] = u.v[LLM_U_WEB_SEARCHES] != LLM_NULL
                                 ? u.v[LLM_U_WEB_SEARCHES] : 0;

    if (u.v[LLM_U_INPUT] != LLM_NULL && u.v[LLM_U_OUTPUT] != LLM_NULL) {
        r->num[LLM_N_TOTAL_TOKENS] = u.v[LLM_U_INPUT] + u.v[LLM_U_OUTPUT];

    } else if (u.v[LLM_U_OUTPUT] == LLM_NULL
               && (u.v[LLM_U_INPUT] == LLM_NULL
                   || u.v[LLM_U_INPUT] == u.v[LLM_U_TOTAL]))
    {
        /* embeddings and the like: nothing is put out */
        r->num[LLM_N_TOTAL_TOKENS] = u.v[LLM_U_TOTAL];
    }
}


static void
llm_exchange_error_record(llm_exchange_t *x, llm_record_t *r)
{
    llm_str_t     page;
    llm_facts_t  *f;

    f = &x->facts;

    if (f->http_error && !f->any_error && x->out.page.len != 0) {
        page = llm_error_page(x->out.page.data, x->out.page.len);
        llm_slot_set(&f->error, &x->pool, page.data, page.len,
                     LLM_ERROR_MESSAGE);
    }

    r->str[LLM_S_ERROR] = llm_slot_str(&f->error);
    r->str[LLM_S_ERROR_TYPE] = llm_slot_str(&f->error_type);
}


/* what only streams have: completeness, the first text, an estimate */

static void
llm_exchange_cut(llm_exchange_t *x, llm_record_t *r)
{
    int           complete, begun;
    llm_facts_t  *f;

    f = &x->facts;

    if (f->http_error || !llm_exchange_streams(x)) {
        return;
    }

    complete = llm_facts_complete(f);

    if (x->response_head != NULL) {
        r->num[LLM_N_STREAM_COMPLETE] = complete;
        r->num[LLM_N_TTFT_US] = f->content_at;
    }

    if (x->operation == LLM_OPERATION_COUNT_TOKENS) {
        return;
    }

    /* of a protocol that is not known, nobody knows whether usage would come */

    begun = llm_usage_known(&f->usage) || f->text_bytes != 0;

    r->num[LLM_N_USAGE_PARTIAL] =
                             !complete && !f->final_usage
                             && (begun || x->protocol != LLM_PROTOCOL_UNKNOWN);

    if (!complete && !f->final_usage && f->text_bytes != 0) {
        r->num[LLM_N_ESTIMATED_OUTPUT_TOKENS] =
               (f->text_bytes + LLM_EXCHANGE_BYTES - 1) / LLM_EXCHANGE_BYTES;
    }
}


static int64_t
llm_exchange_count(int64_t n)
{
    return n < 0 ? LLM_NULL : n;
}


void
llm_exchange_state(const llm_exchange_t *x, llm_exchange_state_t *st)
{
    const llm_facts_t  *f;

    f = &x->facts;

    st->output_tokens = f->usage.v[LLM_U_OUTPUT];
    st->in_band_error = f->any_error && llm_exchange_http_ok(x);
    st->stream = llm_exchange_streams(x);
    st->asked_stream = llm_exchange_asked(x);
    st->binary_request = x->in.binary;
    st->binary_response = x->out.binary;
    st->redacted_request = llm_flow_redacted(&x->in);
    st->redacted_response = llm_flow_redacted(&x->out);
    st->multipart_request = x->in.hint == LLM_FLOW_MULTIPART;
    st->roles = x->request.roles;
    st->broken_response = f->broken;

    st->content_seen = f->content_at != LLM_NULL
                       || (x->out.bytes != 0
                           && x->operation != LLM_OPERATION_CHAT
                           && x->operation != LLM_OPERATION_COMPLETION
                           && x->operation != LLM_OPERATION_RESPONSES);
}


void
llm_exchange_live(const llm_exchange_t *x, llm_exchange_live_t *live)
{
    const llm_facts_t    *f;
    const llm_request_t  *q;

    f = &x->facts;
    q = &x->request;

    live->protocol = x->protocol;
    live->operation = x->operation;
    live->stream = llm_exchange_streams(x);
    live->endpoint = x->endpoint;
    live->model = q->model.len != 0 ? llm_slot_str(&q->model) : x->path_model;
    live->session = llm_slot_str(&q->session);
    live->user = llm_slot_str(&q->user);
    live->key_hash = (int64_t) q->key_hash;
    live->account = llm_slot_str(&x->account);
    live->bytes = x->out.bytes;
    live->ttft_us = f->content_at;
    live->output_tokens = f->usage.v[LLM_U_OUTPUT];
    live->estimated_tokens = LLM_NULL;

    if (f->text_bytes != 0) {
        live->estimated_tokens = (f->text_bytes + LLM_EXCHANGE_BYTES - 1)
                                 / LLM_EXCHANGE_BYTES;
    }
}


void
llm_exchange_destroy(llm_exchange_t *x)
{
    if (x == NULL) {
        return;
    }

    llm_flow_free(&x->in);
    llm_flow_free(&x->out);
    llm_pool_free(&x->pool);

    x->conf->mem.free(x->conf->mem.data, x);
}
