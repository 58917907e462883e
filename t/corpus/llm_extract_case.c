
/*
 * Copyright (C) llm_monitor contributors
 *
 * Feeds recorded exchanges to extract/ and prints the record of each as a line
 * of JSON.  Standard input is a list of "name length\n", so many bytes, "\n":
 *
 *     method path query status request_type request_coding request_body
 *     response_type response_coding response_body
 *     request_header, response_header    "name\nvalue", any number
 *     form       0: whole; n: in pieces of n; -n: random pieces by seed n
 *     run        (length 0) the exchange is over, print its record
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ngx_http_llm_monitor_module/extract/llm_exchange.h"
#include "../../ngx_http_llm_monitor_module/record/llm_json_write.h"


#define CASE_HEADERS   64

typedef struct {
    llm_str_t    name[CASE_HEADERS];
    llm_str_t    value[CASE_HEADERS];
    int          n;
} case_headers_t;

typedef struct {
    llm_head_t       request;
    llm_head_t       response;
    case_headers_t   request_headers;
    case_headers_t   response_headers;
    llm_str_t        request_body;
    llm_str_t        response_body;
    int64_t          sunk;
    int              form;
} case_t;


static int  case_blocks;


static void *case_alloc(void *data, size_t size);
static void case_free(void *data, void *p);
static void case_sink(void *data, const uint8_t *p, size_t n);
static void case_each(void *headers, llm_header_pt fn, void *data);
static llm_str_t case_read(size_t n);
static void case_set(case_t *c, const char *name, llm_str_t value);
static void case_header(case_headers_t *h, llm_str_t text);
static void case_run(case_t *c);
static void case_feed(llm_exchange_t *x, case_t *c, int response);
static size_t case_piece(case_t *c, unsigned *seed, size_t left);
static void case_print(const llm_record_t *r,
    const llm_exchange_state_t *st, int complete);


int
main(void)
{
    char    name[32];
    size_t  n;
    case_t  c;

    memset(&c, 0, sizeof(case_t));

    while (scanf("%31s %zu", name, &n) == 2) {
        getchar();

        if (strcmp(name, "run") == 0) {
            case_run(&c);
            memset(&c, 0, sizeof(case_t));

        } else {
            case_set(&c, name, case_read(n));
        }

        getchar();
    }

    return 0;
}


static llm_str_t
case_read(size_t n)
{
    uint8_t    *p;
    llm_str_t   s;

    p = malloc(n + 1);
    if (p == NULL || fread(p, 1, n, stdin) != n) {
        exit(1);
    }

    p[n] = '\0';
    s.data = p;
    s.len = n;

    return s;
}


static void
case_set(case_t *c, const char *name, llm_str_t value)
{
    int  i;

    const struct {
        const char  *name;
        llm_str_t   *value;
    } fields[] = {
        { "method", &c->request.method },
        { "path", &c->request.path },
        { "query", &c->request.query },
        { "request_type", &c->request.content_type },
        { "request_coding", &c->request.content_encoding },
        { "request_body", &c->request_body },
        { "response_type", &c->response.content_type },
        { "response_coding", &c->response.content_encoding },
        { "response_body", &c->response_body },
        { NULL, NULL }
    };

    for (i = 0; fields[i].name != NULL; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            free((void *) fields[i].value->data);
            *fields[i].value = value;
            return;
        }
    }

    if (strcmp(name, "request_header") == 0) {
        case_header(&c->request_headers, value);
        return;
    }

    if (strcmp(name, "response_header") == 0) {
        case_header(&c->response_headers, value);
        return;
    }

    if (strcmp(name, "status") == 0) {
        c->response.status = atoi((const char *) value.data);

    } else if (strcmp(name, "form") == 0) {
        c->form = atoi((const char *) value.data);
    }

    free((void *) value.data);
}


static void
case_header(case_headers_t *h, llm_str_t text)
{
    const uint8_t  *p;

    p = memchr(text.data, '\n', text.len);

    if (p == NULL || h->n == CASE_HEADERS) {
        exit(1);
    }

    h->name[h->n].data = text.data;
    h->name[h->n].len = p - text.data;
    h->value[h->n].data = p + 1;
    h->value[h->n].len = text.data + text.len - p - 1;
    h->n++;
}


static void
case_run(case_t *c)
{
    int                    i, complete;
    uint8_t                salt[32];
    llm_record_t           r;
    llm_exchange_t        *x;
    llm_exchange_conf_t    conf;
    llm_exchange_state_t   st;

    memset(&conf, 0, sizeof(llm_exchange_conf_t));
    memset(salt, 7, sizeof(salt));

    conf.mem.alloc = case_alloc;
    conf.mem.free = case_free;
    conf.request_sink = case_sink;
    conf.response_sink = case_sink;
    conf.salt = salt;

    c->request.each = case_each;
    c->request.headers = &c->request_headers;
    c->response.each = case_each;
    c->response.headers = &c->response_headers;

    x = llm_exchange_create(&conf, c);

    llm_exchange_request(x, &c->request);
    case_feed(x, c, 0);
    llm_exchange_response(x, &c->response);
    case_feed(x, c, 1);

    complete = llm_exchange_complete(x);
    llm_exchange_state(x, &st);
    llm_record_init(&r);
    llm_exchange_finish(x, &r);
    llm_exchange_finish(x, &r);

    case_print(&r, &st, complete);

    llm_exchange_destroy(x);

    if (case_blocks != 0) {
        fprintf(stderr, "%d blocks are left\n", case_blocks);
        exit(1);
    }

    for (i = 0; i < c->request_headers.n; i++) {
        free((void *) c->request_headers.name[i].data);
    }

    for (i = 0; i < c->response_headers.n; i++) {
        free((void *) c->response_headers.name[i].data);
    }

    free((void *) c->request.method.data);
    free((void *) c->request.path.data);
    free((void *) c->request.query.data);
    free((void *) c->request.content_type.data);
    free((void *) c->request.content_encoding.data);
    free((void *) c->response.content_type.data);
    free((void *) c->response.content_encoding.data);
    free((void *) c->request_body.data);
    free((void *) c->response_body.data);
}


/* each piece in memory of its own, so that a byte too far is seen */

static void
case_feed(llm_exchange_t *x, case_t *c, int response)
{
    size_t      at, n;
    uint8_t    *piece;
    unsigned    seed;
    llm_str_t  *body;

    body = response ? &c->response_body : &c->request_body;
    seed = (unsigned) -c->form;

    for (at = 0; at < body->len; at += n) {
        n = case_piece(c, &seed, body->len - at);

        piece = malloc(n);
        if (piece == NULL) {
            exit(1);
        }

        memcpy(piece, body->data + at, n);

        if (response) {
            llm_exchange_response_body(x, piece, n, 0, 1000 + at);

        } else {
            llm_exchange_request_body(x, piece, n, 0);
        }

        free(piece);
    }

    if (response) {
        llm_exchange_response_body(x, NULL, 0, 1, 2000000000);

    } else {
        llm_exchange_request_body(x, NULL, 0, 1);
    }
}


static size_t
case_piece(case_t *c, unsigned *seed, size_t left)
{
    size_t  n;

    if (c->form == 0) {
        return left;
    }

    n = c->form;

    if (c->form < 0) {
        n = rand_r(seed) % 3 ? rand_r(seed) % 60 + 1
                             : rand_r(seed) % 1500 + 1;
    }

    return n < left ? n : left;
}


static void
case_print(const llm_record_t *r, const llm_exchange_state_t *st,
    int complete)
{
    int         i;
    llm_buf_t   out;
    llm_json_t  j;

    llm_buf_init(&out, 1024 * 1024);
    llm_json_init(&j, &out);
    llm_json_open_object(&j);

    for (i = 0; i < LLM_N_COUNT; i++) {
        if (i == LLM_N_API_KEY_HASH) {
            continue;
        }

        llm_json_key(&j, llm_record_num_name(i));

        if (i == LLM_N_PROTOCOL) {
            llm_json_text(&j, llm_protocol_name(r->num[i]));

        } else if (i == LLM_N_OPERATION) {
            llm_json_text(&j, llm_operation_name(r->num[i]));

        } else {
            llm_json_int(&j, r->num[i]);
        }
    }

    for (i = 0; i < LLM_S_COUNT; i++) {
        llm_json_key(&j, llm_record_str_name(i));
        llm_json_str(&j, &r->str[i]);
    }

    llm_json_key(&j, "in_band_error");
    llm_json_bool(&j, st->in_band_error);
    llm_json_key(&j, "content_seen");
    llm_json_bool(&j, st->content_seen);
    llm_json_key(&j, "binary_response");
    llm_json_bool(&j, st->binary_response);
    llm_json_key(&j, "complete");
    llm_json_bool(&j, complete);
    llm_json_close_object(&j);

    fwrite(out.data, 1, out.len, stdout);
    putchar('\n');
    fflush(stdout);

    llm_buf_free(&out);
}


static void
case_each(void *headers, llm_header_pt fn, void *data)
{
    int              i;
    case_headers_t  *h = headers;

    for (i = 0; i < h->n; i++) {
        if (fn(data, &h->name[i], &h->value[i])) {
            return;
        }
    }
}


static void
case_sink(void *data, const uint8_t *p, size_t n)
{
    case_t  *c = data;

    c->sunk += n;
}


static void *
case_alloc(void *data, size_t size)
{
    case_blocks++;
    return malloc(size);
}


static void
case_free(void *data, void *p)
{
    if (p != NULL) {
        case_blocks--;
        free(p);
    }
}
