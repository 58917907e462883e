
/*
 * Copyright (C) llm_monitor contributors
 *
 * The schema of proxy_logs.db: names, numbers and SQL that the writer and the
 * readers agree on.  The tables themselves are explained in llm_schema.c, in
 * the SQL, so that `sqlite3 proxy_logs.db .schema` shows it as well.
 *
 * Everything that is a number in the record is a number here; 0 or NULL in a
 * column that holds a dictionary or session id means "not known".
 */


#ifndef _LLM_SCHEMA_H_INCLUDED_
#define _LLM_SCHEMA_H_INCLUDED_


#include "../record/llm_record.h"


#define LLM_SCHEMA_FILE       "proxy_logs.db"
#define LLM_SCHEMA_APP_ID     0x4c4c4d6d       /* PRAGMA application_id */
#define LLM_SCHEMA_VERSION    8                /* PRAGMA user_version */

/*
 * Of a new database.  Measured with t/bench/drain_bench.c: rows without bodies
 * cost the same as with 4 KB, those with small bodies a third less CPU.
 */
#define LLM_SCHEMA_PAGE_SIZE  16384


/*
 * Columns of `log` that hold a number of the record as it is: X(field).  The
 * column has the field's name (llm_record_num_name()).  Not among them: id
 * (the primary key; its upper bits are the timestamp: id >> LLM_ID_SHIFT),
 * timestamp and api_key_hash (part of the dictionary's key value).
 */

#define LLM_LOG_NUMS(X)                                                       \
    X(STATUS) X(OUTCOME) X(ABORTED_BY) X(STREAM_COMPLETE) X(DURATION_US)      \
    X(TTFB_US) X(TTFT_US) X(PROTOCOL) X(OPERATION) X(STREAM)                  \
    X(INPUT_TOKENS) X(CACHE_READ_TOKENS) X(CACHE_CREATION_TOKENS)             \
    X(CACHE_CREATION_5M) X(CACHE_CREATION_1H) X(OUTPUT_TOKENS)                \
    X(REASONING_TOKENS) X(TOTAL_TOKENS) X(USAGE_SOURCE) X(USAGE_PARTIAL)      \
    X(ESTIMATED_OUTPUT_TOKENS) X(COST_NANO) X(REPORTED_COST_NANO)             \
    X(MESSAGES_COUNT) X(TOOLS_COUNT) X(TOOL_CALLS_COUNT) X(REQUEST_BYTES)     \
    X(RESPONSE_BYTES) X(REQUEST_BODY_STATE) X(RESPONSE_BODY_STATE)            \
    X(SESSION_SOURCE) X(USER_TRUSTED) X(FLAGS) X(AUDIO_INPUT_TOKENS)          \
    X(AUDIO_OUTPUT_TOKENS) X(REPORTED_TOTAL_TOKENS) X(BODY_LIMIT)


/*
 * Columns of `log` that hold a dictionary id: X(field, column, kind, name).
 * name is the field in the API and in the JSON object of the column `over`.
 * api_key is one value: 16 hex digits of the hash, then the tail (or nothing).
 */

#define LLM_LOG_DICTS(X)                                                      \
    X(METHOD, method, METHOD, "method")                                       \
    X(URL, url, URL, "url")                                                   \
    X(ENDPOINT, endpoint, ENDPOINT, "endpoint")                               \
    X(ERROR_TYPE, error_type, ERROR_TYPE, "error_type")                       \
    X(PROVIDER, provider, PROVIDER, "provider")                               \
    X(MODEL, model, MODEL, "model")                                           \
    X(RESPONSE_MODEL, response_model, MODEL, "response_model")                \
    X(MAPPED_MODEL, mapped_model, MODEL, "mapped_model")                      \
    X(ACCOUNT, account, ACCOUNT, "account_email")                             \
    X(USER, user, USER, "user")                                               \
    X(API_KEY_TAIL, api_key, KEY, "api_key")                                  \
    X(CLIENT_IP, client_ip, IP, "client_ip")                                  \
    X(USER_AGENT, user_agent, AGENT, "user_agent")                            \
    X(PRICE_SOURCE, price_source, PRICE_SOURCE, "price_source")               \
    X(FINISH_REASON, finish_reason, FINISH, "finish_reason")                  \
    X(SERVICE_TIER, service_tier, TIER, "service_tier")


/* Text columns of the side table `detail`: X(field, column). */

#define LLM_DETAIL_TEXTS(X)                                                   \
    X(ERROR, error) X(RESPONSE_ID, response_id) X(REQUEST_ID, request_id)     \
    X(UPSTREAMS, upstreams) X(USAGE, usage)


/*
 * Kinds of the dictionary and the values that each may hold; stored: append
 * only.  A value that finds its kind full, or that is longer than
 * LLM_DICT_VALUE_MAX bytes, is in the row's `over` object instead, under its
 * API name, and the dictionary column is NULL.  session_id may be there too.
 *
 * A user that a request's body named is of a kind of its own: whatever text it
 * is, its sums never mix with those of a user that the configuration named.
 */

#define LLM_DICT_VALUE_MAX  512

#define LLM_DICT_KINDS(X)                                                     \
    X(METHOD, 64)                                                             \
    X(URL, 50000)                                                             \
    X(ENDPOINT, 2000)                                                         \
    X(ERROR_TYPE, 2000)                                                       \
    X(PROVIDER, 1000)                                                         \
    X(MODEL, 10000)                                                           \
    X(ACCOUNT, 50000)                                                         \
    X(USER, 50000)                                                            \
    X(KEY, 50000)                                                             \
    X(IP, 50000)                                                              \
    X(AGENT, 10000)                                                           \
    X(PRICE_SOURCE, 200)                                                      \
    X(FINISH, 200)                                                            \
    X(TIER, 200)                                                              \
    X(CLAIMED_USER, 50000)

#define LLM_DICT_ENUM(name, max)  LLM_DICT_ ## name,

typedef enum {
    LLM_DICT_NONE = 0, LLM_DICT_KINDS(LLM_DICT_ENUM) LLM_DICT_COUNT
} llm_dict_kind_e;


/* how the data of a body is stored */

typedef enum {
    LLM_CODING_PLAIN = 0,        /* data is the body */
    LLM_CODING_ZSTD,             /* data is one zstd frame */
    LLM_CODING_FRAMES            /* data is NULL, see table frame */
} llm_coding_e;

/*
 * Raw bytes in each zstd frame of a body in frames, but the last: byte p of
 * the body is in frame p / LLM_FRAME_RAW.
 */
#define LLM_FRAME_RAW       (256 * 1024)


/* the ledger */

typedef enum {
    LLM_SERIES_TOTAL = 0,        /* the single value 0 */
    LLM_SERIES_ACCOUNT, LLM_SERIES_USER, LLM_SERIES_KEY,
    LLM_SERIES_PROVIDER, LLM_SERIES_MODEL, LLM_SERIES_ENDPOINT,
    LLM_SERIES_IP,               /* so far a dictionary id */
    LLM_SERIES_STATUS,           /* from here the record's number */
    LLM_SERIES_OPERATION, LLM_SERIES_PROTOCOL, LLM_SERIES_OUTCOME,
    LLM_SERIES_COUNT
} llm_series_e;

#define LLM_LEDGER_NULL     0          /* value: the record has none */
#define LLM_LEDGER_OTHER    -1         /* value: past the bucket's bound */

#define LLM_MINUTE_MS       60000
#define LLM_QUARTER_MS      900000
#define LLM_HOUR_MS         3600000
#define LLM_DAY_MS          86400000

/* how long what is finer than an hour of service and health is kept */
#define LLM_FINE_MS         (8 * (int64_t) LLM_DAY_MS)


/*
 * Whether a row counts as an error (errors_only of the contract): the column
 * `failed` of log holds it.  Two partial indexes are found by the words of
 * their conditions: with `failed = 1` the one by status, with `failed > 0` the
 * one by id, which is in the order of lists.
 */
int llm_schema_failed(const llm_record_t *r);


/*
 * The SQL that takes a database from version to version + 1, run in one
 * transaction; NULL past the newest.
 */
const char *llm_schema_step(int version);


#endif /* _LLM_SCHEMA_H_INCLUDED_ */
