
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a request says: its body, whichever dialect it speaks, and the headers
 * that name a key, a session or a client.
 */


#ifndef _LLM_REQUEST_H_INCLUDED_
#define _LLM_REQUEST_H_INCLUDED_


#include "llm_exchange.h"
#include "llm_multipart.h"
#include "llm_scan.h"
#include "llm_slot.h"
#include "llm_user_text.h"


/* where a session id came from, in the order of preference */

#define LLM_SESSION_HEADER    2
#define LLM_SESSION_BODY      3
#define LLM_SESSION_USER_ID   4
#define LLM_SESSION_TEXT      6


typedef struct {
    llm_pool_t      *pool;
    const uint8_t   *salt;

    llm_slot_t       model;
    llm_slot_t       user;
    llm_slot_t       session;
    llm_slot_t       previous;       /* previous_response_id */
    llm_slot_t       agent;

    uint64_t         key_hash;       /* 0: no key */
    llm_user_text_t  text;           /* the one being read */
    uint64_t         text_hash;      /* of the first text of the user */
    uint64_t         item_hash;      /* of the message being read */
    int32_t          messages;       /* -1: not known, as are the others */
    int32_t          tools;
    int32_t          input;
    uint32_t         roles[LLM_ROLES];  /* messages that say theirs */
    int8_t           stream;

    uint8_t          tail[4];        /* of the key */
    uint8_t          has_tail;
    uint8_t          user_rank;
    uint8_t          session_rank;
    uint8_t          session_source;
    uint8_t          key_rank;
    uint8_t          has_text;
    uint8_t          has_item;
    uint8_t          foreign;        /* the message is not the user's */
    uint8_t          contents;       /* shapes that tell the protocol */
    uint8_t          prompt;
    uint8_t          message;
    uint8_t          anthropic;      /* an anthropic-version header came */
} llm_request_t;


extern const llm_key_t  llm_request_root;


void llm_request_init(llm_request_t *q, llm_pool_t *pool,
    const uint8_t *salt);

void llm_request_headers(llm_request_t *q, const llm_head_t *head,
    const llm_exchange_conf_t *conf);

/* llm_scan_pt with the request as data */
void llm_request_value(void *data, int field, const llm_scan_value_t *v);

/* the plain fields of a form that are fields of a JSON body elsewhere */
void llm_request_form(llm_request_t *q, const llm_multipart_t *form);

/* llm_protocol_e by the body's shape; unknown if it says nothing */
int llm_request_protocol(const llm_request_t *q);


#endif /* _LLM_REQUEST_H_INCLUDED_ */
