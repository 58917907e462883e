
/*
 * Copyright (C) llm_monitor contributors
 *
 * Bytes in, facts out: one exchange between a client and a provider.  Capture
 * feeds it while the bytes flow; it decodes, finds the framing and the
 * protocol, reads the facts, and hands the decoded bytes on to a sink that
 * stores them.
 *
 * Nothing here fails the caller.  When memory runs out or a body is beyond
 * reading, the exchange goes on counting bytes and llm_exchange_finish() says
 * what was known until then.  One thread at a time may use one exchange;
 * different exchanges are independent.
 */


#ifndef _LLM_EXCHANGE_H_INCLUDED_
#define _LLM_EXCHANGE_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_record.h"


/*
 * Headers are read through the caller, so that nobody copies a list.  Calls fn
 * for each header with its name in lower case until fn returns non-zero or
 * there are no more.  name and value are valid while the exchange lives.
 */

typedef int (*llm_header_pt)(void *data, const llm_str_t *name,
    const llm_str_t *value);

typedef struct {
    void          (*each)(void *headers, llm_header_pt fn, void *data);
    void           *headers;
    llm_str_t       method;              /* request only */
    llm_str_t       path;                /* request only: as sent, no query */
    llm_str_t       query;               /* request only: after the '?' */
    llm_str_t       content_type;        /* null: there is none */
    llm_str_t       content_encoding;    /* null: identity */
    int64_t         status;              /* response only */
} llm_head_t;


typedef struct {
    llm_mem_t       mem;

    /* decoded bytes of the two bodies, in order; NULL: nobody wants them */
    llm_sink_pt     request_sink;
    llm_sink_pt     response_sink;

    /* names from llm_monitor_redact, lower case; live as long as needed */
    const llm_str_t *redact_headers;
    size_t           nredact_headers;
    const llm_str_t *redact_args;
    size_t           nredact_args;
    const llm_str_t *redact_json;
    size_t           nredact_json;

    /* secret for the key hash and session hashes; 32 bytes */
    const uint8_t  *salt;
} llm_exchange_conf_t;


typedef struct llm_exchange_s  llm_exchange_t;


/*
 * NULL if there is no memory.  conf must outlive the exchange, and may be that
 * of many; sink_data is what its sinks are called with.
 */
llm_exchange_t *llm_exchange_create(const llm_exchange_conf_t *conf,
    void *sink_data);


/*
 * The request's head, before any byte of its body.  head and what it points
 * to must live until llm_exchange_destroy().
 */
void llm_exchange_request(llm_exchange_t *x, const llm_head_t *head);


/*
 * Bytes of the request's body as they came; last is set once, with the last
 * bytes or with n = 0.
 */
void llm_exchange_request_body(llm_exchange_t *x, const uint8_t *p, size_t n,
    int last);


/*
 * The response's head.  May be called again, when nginx answers with another
 * response (error_page, X-Accel-Redirect): what the first one said is then
 * forgotten, except error and account facts that only it had.
 */
void llm_exchange_response(llm_exchange_t *x, const llm_head_t *head);


/*
 * Bytes of the response's body as the upstream sent them.  now_us is the
 * monotonic time since the request's first byte in microseconds: the first
 * call with n > 0 sets ttfb, the first generated content sets ttft.
 */
void llm_exchange_response_body(llm_exchange_t *x, const uint8_t *p, size_t n,
    int last, int64_t now_us);


/*
 * 1 once the response has said all that its protocol says (message_stop,
 * [DONE], finish reason seen, JSON document closed): a client that leaves then
 * did not abort anything.
 */
int llm_exchange_complete(const llm_exchange_t *x);


/*
 * Ends parsing (flushes an unfinished last event) and writes into r every
 * field that the traffic itself says: protocol, operation, endpoint, url,
 * model, response_model, mapped_model, stream, stream_complete, the token
 * fields, usage, usage_source, usage_partial, estimated_output_tokens,
 * reported cost, counts, finish_reason, response_id, request_id (from the
 * response's headers), error, error_type, account (X-Account-Email), user
 * (from the body; user_trusted 0), api_key hash and tail, session and its
 * source, user_agent, request/response types and bytes, ttfb, ttft, and
 * LLM_RECORD_NO_SUMS, LLM_RECORD_DECODE_ERROR in flags.  The caller sets the
 * rest (times, status, outcome, account and user from the configuration,
 * bodies).  Strings live until llm_exchange_destroy().  Idempotent.
 */
void llm_exchange_finish(llm_exchange_t *x, llm_record_t *r);


/* What is known so far, for the live view and for the outcome. */

typedef struct {
    int64_t         output_tokens;
    int             in_band_error;     /* an error inside a 2xx answer */
    int             content_seen;      /* generated content was seen */
    int             stream;
    int             asked_stream;      /* -1: nothing says it */
    int             binary_request;    /* the body is not text: do not store */
    int             binary_response;
    int             redacted_request;  /* the sink was given less than came */
    int             redacted_response;
    int             multipart_request; /* sink gets a JSON summary at the end */
    int             broken_response;   /* JSON that ended in its middle, or was
                                          none */
    const uint32_t *roles;             /* LLM_ROLES, of its messages; lives as
                                          long as x */
} llm_exchange_state_t;

void llm_exchange_state(const llm_exchange_t *x, llm_exchange_state_t *st);


/* The same, for who shows exchanges in flight; texts live as long as x. */

typedef struct {
    int             protocol;
    int             operation;
    int             stream;
    llm_str_t       endpoint;
    llm_str_t       model;
    llm_str_t       session;
    llm_str_t       user;              /* as the request's body says */
    llm_str_t       account;
    int64_t         key_hash;          /* 0: none */
    int64_t         bytes;             /* of the response, decoded */
    int64_t         ttft_us;
    int64_t         output_tokens;     /* as told so far */
    int64_t         estimated_tokens;  /* of the text so far */
} llm_exchange_live_t;

void llm_exchange_live(const llm_exchange_t *x, llm_exchange_live_t *live);


/* Releases everything.  x may be NULL. */
void llm_exchange_destroy(llm_exchange_t *x);


#endif /* _LLM_EXCHANGE_H_INCLUDED_ */
