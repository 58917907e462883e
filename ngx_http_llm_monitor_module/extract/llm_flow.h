
/*
 * Copyright (C) llm_monitor contributors
 *
 * One body as it flows: undoes its coding, hands it to the sink, finds its
 * framing and cuts it into JSON documents for the scanner.
 */


#ifndef _LLM_FLOW_H_INCLUDED_
#define _LLM_FLOW_H_INCLUDED_


#include "../record/llm_text.h"
#include "llm_aws.h"
#include "llm_decode.h"
#include "llm_exchange.h"
#include "llm_facts.h"
#include "llm_multipart.h"
#include "llm_redact.h"
#include "llm_repeat.h"
#include "llm_sse.h"


#define LLM_FLOW_MAX     (4LL * 1024 * 1024 * 1024)   /* decoded bytes */
#define LLM_FLOW_PAGE    512     /* bytes of an error page that are read */
#define LLM_FLOW_PROBE   512     /* bytes in which a NUL tells a binary */


typedef enum {
    LLM_FLOW_SNIFF = 0,    /* not known yet */
    LLM_FLOW_JSON,
    LLM_FLOW_SSE,
    LLM_FLOW_LINES,
    LLM_FLOW_AWS,
    LLM_FLOW_MULTIPART,
    LLM_FLOW_TEXT,         /* not for the scanner */
    LLM_FLOW_OPAQUE        /* nor for anybody's eyes */
} llm_flow_framing_e;


/*
 * What reads a body.  The answer nearly always begins after the request has
 * ended, so both take the same place in turn.
 */

typedef struct {
    llm_scan_t                 scan;
    llm_sse_t                  sse;
    int                        used;
} llm_reader_t;


typedef struct {
    const llm_exchange_conf_t *conf;
    const llm_head_t          *head;
    llm_pool_t                *pool;
    llm_sink_pt                sink;
    void                      *sink_data;

    /* who reads; a response has facts as well */
    const llm_key_t           *root;
    llm_scan_pt                fn;
    void                      *data;
    llm_facts_t               *facts;

    llm_decode_t              *decode;
    llm_redact_t              *redact;
    llm_aws_t                 *aws;
    llm_multipart_t           *multipart;
    llm_repeat_t              *repeat;
    llm_reader_t              *reader;      /* NULL: none, or no more */
    llm_reader_t              *shared;      /* is taken if it is free */
    llm_slot_t                 page;

    int64_t                    bytes;       /* decoded */
    uint8_t                    framing;
    uint8_t                    hint;        /* the framing by the type */
    uint8_t                    array;       /* the first byte was '[' */
    uint8_t                    elements;    /* an array is a stream of them */
    uint8_t                    binary;
    uint8_t                    bad_coding;
    uint8_t                    redacted;    /* told when redact is gone */
    uint8_t                    named;       /* the event's name was told */
    uint8_t                    last;
    uint8_t                    steady;      /* the learnt event may follow */
    uint8_t                    nsniff;
    uint8_t                    sniff[8];
    llm_utf8_t                 text;        /* of a type that is not known */
} llm_flow_t;


/* Before its head is known, a body is none that anything happens to. */
void llm_flow_none(llm_flow_t *b);

/* The head is known; response: what is read from a response only. */
void llm_flow_init(llm_flow_t *b, const llm_exchange_conf_t *conf,
    void *sink_data, const llm_head_t *head, llm_pool_t *pool,
    llm_reader_t *shared, int response);

void llm_flow_feed(llm_flow_t *b, const uint8_t *p, size_t n, int last);

/* Ends the document that is open; feeding may go on in theory only. */
void llm_flow_finish(llm_flow_t *b);

/* 1: a framing in which an answer comes in pieces */
int llm_flow_stream(const llm_flow_t *b);

/* 1: the JSON document is closed, or the last byte was seen */
int llm_flow_closed(const llm_flow_t *b);

/* 1: the sink was given something else than the body at some place */
int llm_flow_redacted(const llm_flow_t *b);

void llm_flow_free(llm_flow_t *b);


#endif /* _LLM_FLOW_H_INCLUDED_ */
