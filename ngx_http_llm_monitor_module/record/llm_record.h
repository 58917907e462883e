
/*
 * Copyright (C) llm_monitor contributors
 *
 * The record of one exchange: what capture and extract found out, what travels
 * through the ring and what the store writes as a row.
 *
 * The position of a field in the two lists is its number in the packed form,
 * which outlives the process that wrote it: append at the end, never reorder,
 * never reuse.  A reader skips the numbers that it does not know.
 */


#ifndef _LLM_RECORD_H_INCLUDED_
#define _LLM_RECORD_H_INCLUDED_


#include "llm.h"


#define LLM_RECORD_NUMS(X)                                                    \
    X(ID, "id")                          /* 64 bit, time ordered */           \
    X(TIMESTAMP, "timestamp")            /* ms since 1970, first byte read */ \
    X(STATUS, "status")                                                       \
    X(OUTCOME, "outcome")                /* llm_outcome_e */                  \
    X(ABORTED_BY, "aborted_by")          /* llm_aborted_by_e */               \
    X(STREAM_COMPLETE, "stream_complete")                                     \
    X(DURATION_US, "duration_us")                                             \
    X(TTFB_US, "ttfb_us")                                                     \
    X(TTFT_US, "ttft_us")                                                     \
    X(PROTOCOL, "protocol")              /* llm_protocol_e */                 \
    X(OPERATION, "operation")            /* llm_operation_e */                \
    X(STREAM, "stream")                                                       \
    X(INPUT_TOKENS, "input_tokens")      /* cached ones included */           \
    X(CACHE_READ_TOKENS, "cache_read_tokens")                                 \
    X(CACHE_CREATION_TOKENS, "cache_creation_tokens")                         \
    X(CACHE_CREATION_5M, "cache_creation_5m_tokens")                          \
    X(CACHE_CREATION_1H, "cache_creation_1h_tokens")                          \
    X(OUTPUT_TOKENS, "output_tokens")    /* reasoning included */             \
    X(REASONING_TOKENS, "reasoning_tokens")                                   \
    X(TOTAL_TOKENS, "total_tokens")      /* input + output */                 \
    X(USAGE_SOURCE, "usage_source")      /* llm_usage_source_e */             \
    X(USAGE_PARTIAL, "usage_partial")                                         \
    X(ESTIMATED_OUTPUT_TOKENS, "estimated_output_tokens")                     \
    X(COST_NANO, "cost_nano")            /* 1e-9 US dollars */                \
    X(REPORTED_COST_NANO, "reported_cost_nano")                               \
    X(MESSAGES_COUNT, "messages_count")                                       \
    X(TOOLS_COUNT, "tools_count")                                             \
    X(TOOL_CALLS_COUNT, "tool_calls_count")                                   \
    X(REQUEST_BYTES, "request_bytes")    /* decoded */                        \
    X(RESPONSE_BYTES, "response_bytes")                                       \
    X(REQUEST_BODY_STATE, "request_body_state")    /* llm_body_state_e */     \
    X(RESPONSE_BODY_STATE, "response_body_state")                             \
    X(API_KEY_HASH, "api_key_hash")      /* keyed, 64 bit, 0: no key */       \
    X(SESSION_SOURCE, "session_source")  /* rule 1..6 of extraction */        \
    X(USER_TRUSTED, "user_trusted")      /* 1: from the configuration */      \
    X(FLAGS, "flags")                    /* LLM_RECORD_* below */             \
    X(AUDIO_INPUT_TOKENS, "audio_input_tokens")                               \
    X(AUDIO_OUTPUT_TOKENS, "audio_output_tokens")                             \
    X(REPORTED_TOTAL_TOKENS, "reported_total_tokens")                         \
    X(BODY_LIMIT, "body_limit")          /* which a too_large one met */      \
    X(WEB_SEARCHES, "web_searches")      /* in no row: it is in USAGE */      \
    X(SESSION_OWNER, "session_owner")    /* hash, where there is no key */

#define LLM_RECORD_STRS(X)                                                    \
    X(METHOD, "method")                                                       \
    X(URL, "url")                        /* secrets replaced */               \
    X(ENDPOINT, "endpoint")                                                   \
    X(ERROR, "error")                                                         \
    X(ERROR_TYPE, "error_type")                                               \
    X(PROVIDER, "provider")                                                   \
    X(MODEL, "model")                                                         \
    X(RESPONSE_MODEL, "response_model")                                       \
    X(MAPPED_MODEL, "mapped_model")                                           \
    X(ACCOUNT, "account_email")                                               \
    X(USER, "user")                                                           \
    X(API_KEY_TAIL, "api_key_tail")      /* last 4, or null: short key */     \
    X(SESSION, "session_id")                                                  \
    X(CLIENT_IP, "client_ip")                                                 \
    X(USER_AGENT, "user_agent")                                               \
    X(PRICE_SOURCE, "price_source")                                           \
    X(FINISH_REASON, "finish_reason")                                         \
    X(RESPONSE_ID, "response_id")                                             \
    X(REQUEST_ID, "request_id")                                               \
    X(UPSTREAMS, "upstreams")            /* JSON array of attempts */         \
    X(USAGE, "usage")                    /* the provider's JSON object */     \
    X(REQUEST_TYPE, "request_type")      /* Content-Type */                   \
    X(RESPONSE_TYPE, "response_type")                                         \
    X(REQUEST_BODY, "request_body")      /* bytes, or null */                 \
    X(RESPONSE_BODY, "response_body")                                         \
    X(REQUEST_SPOOL, "request_spool")    /* file name in spool/, or null */   \
    X(RESPONSE_SPOOL, "response_spool")                                       \
    X(SERVICE_TIER, "service_tier")                                           \
    X(PREVIOUS_RESPONSE_ID, "previous_response_id")


/*
 * A record's id is positive and ordered by time, its timestamp is always
 * id >> LLM_ID_SHIFT:
 *
 *   bits 21..62  ms since 1970 of the request's first byte (42 bits: to 2109)
 *   bits 13..20  llm_monitor_path's node=
 *   bits  0..12  a counter that never goes back
 */

#define LLM_ID_SHIFT            21
#define LLM_ID_NODE_SHIFT       13
#define LLM_ID_COUNTER_MASK     0x1fff
#define LLM_ID_NODE_MASK        0xff
#define LLM_ID_TIME_MASK        0x3ffffffffffLL


#define LLM_NUM_ENUM(name, text)   LLM_N_ ## name,
#define LLM_STR_ENUM(name, text)   LLM_S_ ## name,

enum { LLM_RECORD_NUMS(LLM_NUM_ENUM) LLM_N_COUNT };
enum { LLM_RECORD_STRS(LLM_STR_ENUM) LLM_S_COUNT };


/* LLM_N_FLAGS */

#define LLM_RECORD_LEDGER_ONLY  0x01    /* paused: rollups yes, row no */
#define LLM_RECORD_CACHED       0x02    /* answered by nginx's own cache */
#define LLM_RECORD_NO_SUMS      0x04    /* its tokens are in no sum */
#define LLM_RECORD_DECODE_ERROR 0x08    /* a content coding was broken */
#define LLM_RECORD_NO_UPSTREAM  0x10    /* refused before any upstream */
#define LLM_RECORD_UNSURE       0x20    /* made before anyone knew whether
                                           recording is paused: the writer
                                           decides; in no row */


/* 0 is "not known" in each; stored as numbers: append only */

typedef enum {
    LLM_PROTOCOL_UNKNOWN = 0, LLM_PROTOCOL_OPENAI, LLM_PROTOCOL_ANTHROPIC,
    LLM_PROTOCOL_GEMINI, LLM_PROTOCOL_OLLAMA, LLM_PROTOCOL_COHERE,
    LLM_PROTOCOL_BEDROCK
} llm_protocol_e;

typedef enum {
    LLM_OPERATION_OTHER = 0, LLM_OPERATION_CHAT, LLM_OPERATION_COMPLETION,
    LLM_OPERATION_RESPONSES, LLM_OPERATION_EMBEDDINGS, LLM_OPERATION_IMAGE,
    LLM_OPERATION_AUDIO, LLM_OPERATION_RERANK, LLM_OPERATION_MODERATION,
    LLM_OPERATION_COUNT_TOKENS, LLM_OPERATION_MODELS, LLM_OPERATION_BATCH
} llm_operation_e;

typedef enum {
    LLM_OUTCOME_UNKNOWN = 0, LLM_OUTCOME_SUCCESS, LLM_OUTCOME_CLIENT_ABORT,
    LLM_OUTCOME_UPSTREAM_ABORT, LLM_OUTCOME_TIMEOUT,
    LLM_OUTCOME_STREAM_ERROR, LLM_OUTCOME_HTTP_ERROR, LLM_OUTCOME_REJECTED,
    LLM_OUTCOME_EMPTY, LLM_OUTCOME_SHUTDOWN
} llm_outcome_e;

/* whether an exchange speaks for its provider or against it */

typedef enum {
    LLM_VERDICT_NONE = 0, LLM_VERDICT_SUCCESS, LLM_VERDICT_FAILURE,
    LLM_VERDICT_THROTTLED
} llm_verdict_e;

/* of messages that a request has; OTHER: those that have none, too */

typedef enum {
    LLM_ROLE_USER = 0, LLM_ROLE_ASSISTANT, LLM_ROLE_SYSTEM, LLM_ROLE_TOOL,
    LLM_ROLE_OTHER, LLM_ROLES
} llm_role_e;

typedef enum {
    LLM_ABORTED_NOT = 0, LLM_ABORTED_CLIENT, LLM_ABORTED_UPSTREAM,
    LLM_ABORTED_TIMEOUT, LLM_ABORTED_SHUTDOWN
} llm_aborted_by_e;

typedef enum {
    LLM_USAGE_NONE = 0, LLM_USAGE_BODY, LLM_USAGE_STREAM, LLM_USAGE_HEADER
} llm_usage_source_e;

typedef enum {
    LLM_BODY_NONE = 0,      /* there was none, or it was not asked for */
    LLM_BODY_STORED, LLM_BODY_BINARY, LLM_BODY_TOO_LARGE, LLM_BODY_SKIPPED,
    LLM_BODY_REDACTED, LLM_BODY_EXPIRED, LLM_BODY_STORING
} llm_body_state_e;

/* There is a body to read; a redacted one is stored without its secrets. */

#define llm_body_kept(state)                                                  \
    ((state) == LLM_BODY_STORED || (state) == LLM_BODY_REDACTED)


typedef struct {
    int64_t      num[LLM_N_COUNT];     /* LLM_NULL: not known */
    llm_str_t    str[LLM_S_COUNT];     /* points into others' memory */
} llm_record_t;


/* Sets every number to LLM_NULL and every string to null. */
void llm_record_init(llm_record_t *r);


/* The bytes that llm_record_pack() will write. */
size_t llm_record_packed_size(const llm_record_t *r);


/*
 * Packs r into p, which has room for llm_record_packed_size() bytes.  No
 * string is longer than 4 GB - 2.  Returns the bytes written.
 */
size_t llm_record_pack(const llm_record_t *r, uint8_t *p);


/*
 * Reads the packed form back; strings point into p, which must outlive r.
 * Unknown field numbers are skipped.  LLM_ERROR if the bytes are not a packed
 * record (every length is checked): r is then undefined.
 */
int llm_record_unpack(llm_record_t *r, const uint8_t *p, size_t n);


/*
 * The one rule of availability, for health, metrics and the API.  What the
 * client did (left, asked for what is not there or badly, with a wrong key)
 * and what never reached the provider say nothing: LLM_VERDICT_NONE.  A value
 * may be LLM_NULL.
 */
int llm_record_verdict(int64_t status, int64_t outcome);


/* Name of a field in the API and the schema. */
const char *llm_record_num_name(int n);
const char *llm_record_str_name(int n);


/*
 * The words of the contract for the enums, e.g. "client_abort".  A value that
 * is LLM_NULL or out of range counts as 0, "not known": "unknown", "other" and
 * "none" where the contract has such a word, else NULL (outcome, aborted_by).
 */
const char *llm_protocol_name(int64_t v);
const char *llm_operation_name(int64_t v);
const char *llm_outcome_name(int64_t v);
const char *llm_aborted_by_name(int64_t v);
const char *llm_usage_source_name(int64_t v);
const char *llm_body_state_name(int64_t v);


/* The values back from the words; LLM_ERROR for a word that is none. */
int llm_protocol_value(const llm_str_t *word);
int llm_operation_value(const llm_str_t *word);
int llm_outcome_value(const llm_str_t *word);


#endif /* _LLM_RECORD_H_INCLUDED_ */
