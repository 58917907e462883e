
/*
 * Copyright (C) llm_monitor contributors
 *
 * Counters and histograms of the traffic, in shared memory.  Bounded tables
 * turn labels into small numbers and combinations of them into series; the
 * values of the series are words in slots.  A worker adds to its slot with
 * atomic additions and takes no lock; workers may share a slot, a new one goes
 * on where a dead one ended, and a reader adds the slots up.
 *
 * Only what is new takes the lock: a label or a combination that was never
 * seen before.  All tables are append-only, so who reads needs no lock either.
 */


#ifndef _LLM_METRICS_H_INCLUDED_
#define _LLM_METRICS_H_INCLUDED_


#include "../record/llm_record.h"


#define LLM_METRICS_SLOTS     16
#define LLM_METRICS_TEXT      96      /* bytes of a label's value */
#define LLM_METRICS_STATUSES  33      /* 0: other */
#define LLM_METRICS_UPSTREAMS 65
#define LLM_METRICS_WORKERS   512     /* whose exchanges in flight are told */


/* labels; the number 0 is "other" in each, and the bounds are in llm_labels */

typedef enum {
    LLM_LABEL_UPSTREAM = 0, LLM_LABEL_PROVIDER, LLM_LABEL_MODEL,
    LLM_LABEL_ANSWERED, LLM_LABEL_ENDPOINT, LLM_LABEL_ACCOUNT,
    LLM_LABEL_ROUTE, LLM_LABEL_KINDS
} llm_label_e;

#define LLM_METRICS_LABELS    (64 + 24 + 128 + 128 + 32 + 100 + 32 + 1)
#define LLM_METRICS_INDEX     1024


/* sets of series: name, bound with that of "other", words each */

#define LLM_METRICS_SETS(X)                                                   \
    X(REQUESTS, requests, 513, 1)     /* by status */                         \
    X(MODEL, model, 129, LLM_W_MODEL)                                         \
    X(UPSTREAM, upstream, LLM_METRICS_UPSTREAMS, LLM_W_UPSTREAM)              \
    X(HTTP, http, 129, LLM_W_HTTP)                                            \
    X(API, api, 33, LLM_W_HTTP)                                               \
    X(OPENAI, openai, 129, LLM_W_OPENAI)                                      \
    X(OTEL, otel, 129, LLM_W_OTEL)                                            \
    X(ACCOUNT, account, 101, LLM_W_ACCOUNT)                                   \
    X(ALL, all, 1, LLM_W_ALL)         /* without labels */

#define LLM_SET_ENUM(name, member, bound, words)   LLM_SET_ ## name,

enum { LLM_METRICS_SETS(LLM_SET_ENUM) LLM_SETS };

#define LLM_METRICS_KEYS   (513 + 129 + 65 + 129 + 33 + 129 + 129 + 101 + 1)
#define LLM_METRICS_HASH   4096


/* bounds of buckets: of n, the last one is +Inf's; then comes the sum */

#define LLM_B_DURATION     19
#define LLM_B_TTFT         23
#define LLM_B_TPOT         16
#define LLM_B_HTTP         22
#define LLM_B_BYTES        9
#define LLM_B_OTEL         15
#define LLM_B_OTEL_TTFT    17
#define LLM_B_OTEL_TPOT    14
#define LLM_B_TOKENS       15

#define llm_w_hist(n)      ((n) + 1)


/* words */

enum {
    LLM_W_INPUT = 0, LLM_W_CACHE_READ, LLM_W_CACHE_CREATION, LLM_W_OUTPUT,
    LLM_W_REASONING, LLM_W_COST_NANO, LLM_W_UNPRICED,
    LLM_W_DURATION,                   /* not streamed, then streamed */
    LLM_W_TTFT = LLM_W_DURATION + 2 * llm_w_hist(LLM_B_DURATION),
    LLM_W_TPOT = LLM_W_TTFT + llm_w_hist(LLM_B_TTFT),
    LLM_W_MODEL = LLM_W_TPOT + llm_w_hist(LLM_B_TPOT)
};

enum {
    LLM_W_UPSTREAM_US = 0,
    LLM_W_REQUEST_BYTES = LLM_W_UPSTREAM_US + llm_w_hist(LLM_B_DURATION),
    LLM_W_RESPONSE_BYTES = LLM_W_REQUEST_BYTES + llm_w_hist(LLM_B_BYTES),
    LLM_W_MISSING = LLM_W_RESPONSE_BYTES + llm_w_hist(LLM_B_BYTES),
    LLM_W_ENDS = LLM_W_MISSING + 5,
    LLM_W_FINISH = LLM_W_ENDS + 6,
    LLM_W_MISMATCH = LLM_W_FINISH + 5,
    LLM_W_UPSTREAM
};

enum {
    LLM_W_HTTP_STATUS = 0,
    LLM_W_HTTP_US = LLM_METRICS_STATUSES,
    LLM_W_HTTP = LLM_W_HTTP_US + llm_w_hist(LLM_B_HTTP)
};

enum {
    LLM_W_OPENAI_GOOD = 0, LLM_W_OPENAI_BAD, LLM_W_OPENAI_INPUT,
    LLM_W_OPENAI_OUTPUT, LLM_W_OPENAI_US,
    LLM_W_OPENAI = LLM_W_OPENAI_US + llm_w_hist(LLM_B_HTTP)
};

enum {
    LLM_W_OTEL_US = 0,
    LLM_W_OTEL_CHUNK = LLM_W_OTEL_US + llm_w_hist(LLM_B_OTEL),
    LLM_W_OTEL_CHUNKS = LLM_W_OTEL_CHUNK + llm_w_hist(LLM_B_OTEL),
    LLM_W_OTEL_TTFT = LLM_W_OTEL_CHUNKS + llm_w_hist(LLM_B_OTEL),
    LLM_W_OTEL_TPOT = LLM_W_OTEL_TTFT + llm_w_hist(LLM_B_OTEL_TTFT),
    LLM_W_OTEL_INPUT = LLM_W_OTEL_TPOT + llm_w_hist(LLM_B_OTEL_TPOT),
    LLM_W_OTEL_OUTPUT = LLM_W_OTEL_INPUT + llm_w_hist(LLM_B_TOKENS),
    LLM_W_OTEL = LLM_W_OTEL_OUTPUT + llm_w_hist(LLM_B_TOKENS)
};

enum {
    LLM_W_ACCOUNT_GOOD = 0, LLM_W_ACCOUNT_BAD, LLM_W_ACCOUNT_TOKENS,
    LLM_W_ACCOUNT_COST = LLM_W_ACCOUNT_TOKENS + 4,
    LLM_W_ACCOUNT
};

enum {
    LLM_W_ROLES = 0,                  /* messages of requests */
    LLM_W_ANSWERS = LLM_ROLES,
    LLM_W_SESSIONS, LLM_W_BAD_CODING, LLM_W_BAD_JSON, LLM_W_BAD_EVENT,
    LLM_W_OVERFLOW,
    LLM_W_BODIES,                     /* of requests, then of responses */
    LLM_W_ALL = LLM_W_BODIES + 2 * (LLM_BODY_STORING + 1)
};


#define LLM_SET_WORDS(name, member, bound, words)                             \
    uint64_t    member[bound][words];

typedef struct {
    LLM_METRICS_SETS(LLM_SET_WORDS)
} llm_metrics_slot_t;


typedef struct {
    uint64_t    hash;
    uint16_t    kind;
    uint16_t    len;
    char        text[LLM_METRICS_TEXT + 4];
} llm_metrics_label_t;

/* an exemplar: the last exchange of its second that fell into a bucket */

typedef struct {
    uint32_t    lock;                 /* second of who writes, 0: nobody */
    uint32_t    second;               /* of the one that is there */
    uint64_t    us;
    int64_t     ms;                   /* since 1970 */
    char        trace[32];            /* hexadecimal */
} llm_metrics_exemplar_t;

#define LLM_METRICS_EXEMPLARS  (2 * LLM_B_DURATION + LLM_B_TTFT)

/* what was seen lately: a hash, and when */

#define LLM_METRICS_SEEN       16384

typedef struct {
    uint64_t    key[LLM_METRICS_SEEN];
    uint32_t    second[LLM_METRICS_SEEN];
} llm_metrics_seen_t;

/* what alerts look at: the sums of each second of an hour, and their state */

#define LLM_ALERTS             32
#define LLM_ALERT_SAMPLES      3601

typedef struct {
    uint32_t    second;
    uint64_t    all;
    uint64_t    requests;             /* without those whose client left */
    uint64_t    errors;               /* of them */
    uint64_t    cost;
    uint64_t    dropped;
    uint64_t    duration[LLM_B_DURATION];
    uint64_t    ttft[LLM_B_TTFT];
} llm_alert_sample_t;

typedef struct {
    uint64_t    key;                  /* of the condition; another resets it */
    uint32_t    since;                /* second, 0: it is not so */
    uint32_t    sent;                 /* when it was said last */
    uint32_t    firing;
    uint32_t    told;                 /* and it was said */
} llm_alert_state_t;

typedef struct {
    llm_alert_state_t   state[LLM_ALERTS];
    llm_alert_sample_t  sample[LLM_ALERT_SAMPLES];
} llm_alerts_t;

/* messages by their way and what became of them: sent, failed, dropped */

#define LLM_METRICS_CHANNELS   2
#define LLM_METRICS_SENT       3

/* requests, tokens that an upstream lets us have; plus 1, 0: not known */

#define LLM_METRICS_LIMITS     2

/* minutes of an upstream: number << 40, those that ended well << 20, all */

#define LLM_METRICS_MINUTES    16

typedef struct {
    uint32_t                nlabels[LLM_LABEL_KINDS];
    uint32_t                labels;            /* in use, the first is 1 */
    uint16_t                index[LLM_METRICS_INDEX];
    llm_metrics_label_t     label[LLM_METRICS_LABELS];

    uint8_t                 status_id[1000];
    uint16_t                status[LLM_METRICS_STATUSES];
    uint32_t                nstatus;

    uint32_t                nseries[LLM_SETS]; /* with that of "other" */
    uint16_t                hash[LLM_METRICS_HASH];
    uint64_t                key[LLM_METRICS_KEYS];

    uint16_t                none[2];           /* upstream, model */
    uint16_t                provider[LLM_PROTOCOL_BEDROCK + 1];

    int64_t                 start_ms;          /* since 1970 */
    uint32_t                slots;             /* a bit for each in use */

    uint64_t                minute[LLM_METRICS_UPSTREAMS][LLM_METRICS_MINUTES];
    uint32_t                told[LLM_METRICS_UPSTREAMS];  /* its second */
    int64_t                 remaining[LLM_METRICS_UPSTREAMS]
                                     [LLM_METRICS_LIMITS];
    uint16_t                flights[LLM_METRICS_WORKERS]
                                   [LLM_METRICS_UPSTREAMS];

    uint64_t                sent[LLM_METRICS_CHANNELS][LLM_METRICS_SENT];

    llm_metrics_seen_t      sessions;
    llm_metrics_seen_t      users;
    llm_metrics_exemplar_t  exemplar[129][LLM_METRICS_EXEMPLARS];
    llm_alerts_t            alerts;
    llm_metrics_slot_t      slot[LLM_METRICS_SLOTS];
} llm_metrics_t;


/* a series: its number in its set, its words in the own slot */

typedef struct {
    uint32_t    n;
    uint64_t   *words;
} llm_metrics_series_t;


/*
 * What a key is made of, for those sets that have it: labels by their number,
 * the place of a status, an operation or a method.
 */

typedef struct {
    uint16_t    upstream;
    uint16_t    provider;
    uint16_t    model;             /* account and route, too */
    uint16_t    other;             /* endpoint, the answer's model */
    uint8_t     status;
    uint8_t     kind;              /* operation, method */
} llm_metrics_ids_t;


/* where exchanges of a kind count, and what makes them one */

#define LLM_METRICS_MEMOS       64
#define LLM_METRICS_MEMO_TEXTS  4

typedef struct {
    int64_t               status;
    int64_t               operation;
    int64_t               protocol;
    int                   method;
    int                   used;
    size_t                len[LLM_METRICS_MEMO_TEXTS];

    llm_metrics_ids_t     ids;
    llm_metrics_series_t  requests;
    llm_metrics_series_t  model;
    llm_metrics_series_t  upstream;
    llm_metrics_series_t  http;

    char                  text[LLM_METRICS_MEMO_TEXTS][LLM_METRICS_TEXT];
} llm_metrics_memo_t;


/* a worker's view; lock and unlock are for what is new */

typedef struct {
    llm_metrics_t        *shared;
    llm_metrics_slot_t   *slot;
    void                (*lock)(void *data);
    void                (*unlock)(void *data);
    void                 *data;
    llm_metrics_memo_t    memo[LLM_METRICS_MEMOS];
} llm_metrics_own_t;


typedef struct {
    int             n;             /* with that of +Inf */
    int             scale;         /* decimal digits after the point */
    int64_t         first;         /* the others double it; 0: they do not */
    const int64_t  *le;            /* n - 1 of them */
} llm_bounds_t;

/*
 * Here and not in a file of their own: a search whose bounds are known when it
 * is compiled takes fewer instructions.
 */

/* bounds in microseconds, bytes, tokens */

#define LLM_OTEL_US                                                           \
    10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000,     \
    5120000, 10240000, 20480000, 40960000, 81920000

#define LLM_OTEL_TTFT_US                                                      \
    1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000, 500000,    \
    750000, 1000000

#define LLM_OTEL_TPOT_US                                                      \
    10000, 25000, 50000, 75000, 100000, 150000, 200000, 300000, 400000,       \
    500000, 750000, 1000000, 2500000

#define llm_bounds_of(name, digits, first, size, ...)                         \
    static const int64_t  name ## _le[(size) - 1] = { __VA_ARGS__ };          \
    static const llm_bounds_t  name = { size, digits, first, name ## _le }

llm_bounds_of(llm_bounds_duration, 6, 10000, LLM_B_DURATION, LLM_OTEL_US,
              163840000, 327680000, 655360000, 1310720000);
llm_bounds_of(llm_bounds_ttft, 6, 0, LLM_B_TTFT, LLM_OTEL_TTFT_US, 2000000,
              2500000, 5000000, 7500000, 10000000, 15000000, 20000000,
              30000000, 45000000, 60000000);
llm_bounds_of(llm_bounds_tpot, 6, 0, LLM_B_TPOT, LLM_OTEL_TPOT_US, 5000000,
              10000000);
llm_bounds_of(llm_bounds_http, 6, 0, LLM_B_HTTP, 5000, 10000, 25000, 50000,
              75000, 100000, 250000, 500000, 750000, 1000000, 2000000,
              2500000, 5000000, 7500000, 10000000, 15000000, 30000000,
              60000000, 120000000, 300000000, 600000000);
llm_bounds_of(llm_bounds_bytes, 0, 0, LLM_B_BYTES, 256, 2048, 16384, 131072,
              1048576, 8388608, 67108864, 134217728);
llm_bounds_of(llm_bounds_otel, 6, 10000, LLM_B_OTEL, LLM_OTEL_US);
llm_bounds_of(llm_bounds_otel_ttft, 6, 0, LLM_B_OTEL_TTFT, LLM_OTEL_TTFT_US,
              2500000, 5000000, 7500000, 10000000);
llm_bounds_of(llm_bounds_otel_tpot, 6, 0, LLM_B_OTEL_TPOT, LLM_OTEL_TPOT_US);
llm_bounds_of(llm_bounds_tokens, 0, 0, LLM_B_TOKENS, 1, 4, 16, 64, 256, 1024,
              4096, 16384, 65536, 262144, 1048576, 4194304, 16777216,
              67108864);


/*
 * Of a new zone; nobody else sees it yet.  The time since 1970, and the second
 * as alerts count it.
 */
void llm_metrics_init(llm_metrics_t *m, int64_t now_ms, uint32_t second);

/* lock, unlock and data are set by the caller; n is the worker's number. */
void llm_metrics_join(llm_metrics_own_t *own, llm_metrics_t *m, unsigned n);

/* The number of a label's value; 0: there is no room for it. */
int llm_metrics_label(llm_metrics_own_t *own, int kind, const llm_str_t *s);

/* The same; one that is new takes no place of the second half. */
int llm_metrics_label_half(llm_metrics_own_t *own, int kind,
    const llm_str_t *s);

/* The place of a status, LLM_NULL too. */
int llm_metrics_status(llm_metrics_own_t *own, int64_t status);

/*
 * The series of a combination: LLM_OK; LLM_DECLINED: it is new; LLM_FULL: that
 * of "other", for there is no room.
 */
int llm_metrics_find(llm_metrics_own_t *own, int set,
    const llm_metrics_ids_t *ids, llm_metrics_series_t *series);

/* What the key of a series was made of. */
void llm_metrics_ids(const llm_metrics_t *m, int set, uint32_t n,
    llm_metrics_ids_t *ids);

/* A word of a series, of all slots. */
uint64_t llm_metrics_sum(const llm_metrics_t *m, int set, uint32_t n,
    int word);

#define llm_metrics_add(word, n)                                              \
    (void) __atomic_add_fetch(word, n, __ATOMIC_RELAXED)

/* Counts in a bucket, whose place it returns. */

static inline int
llm_metrics_observe(uint64_t *words, const llm_bounds_t *b, int64_t v)
{
    int  at, n, half;

    at = 0;

    if (b->first != 0) {

        if (v > b->first) {
            at = 64 - __builtin_clzll((uint64_t) (v - 1) / b->first);
            at = at < b->n - 1 ? at : b->n - 1;
        }

    } else {

#pragma GCC unroll 5
        for (n = b->n - 1; n > 1; n -= half) {
            half = n / 2;
            at += b->le[at + half - 1] < v ? half : 0;
        }

        at += b->le[at] < v;
    }

    llm_metrics_add(&words[at], 1);
    llm_metrics_add(&words[b->n], v);

    return at;
}


/* The worker adds: an exchange had to count as "other". */
void llm_metrics_overflow(llm_metrics_own_t *own);

/* How many series there are, and may be. */
uint32_t llm_metrics_count_series(const llm_metrics_t *m, uint32_t *limit);


#endif /* _LLM_METRICS_H_INCLUDED_ */
