
/*
 * Copyright (C) llm_monitor contributors
 *
 * The packed form: a header that says how many numbers and strings follow, the
 * numbers, the lengths of the strings, their bytes.  Numbers take eight bytes
 * each, known or not: packing is copying, and the request path pays for it.
 * All of it is in the byte order of the machine, which the ring's file and the
 * spool never leave.
 */


#include <string.h>

#include "llm_record.h"
#include "llm_text.h"


#define LLM_RECORD_VERSION  2
#define LLM_RECORD_NO_STR   UINT32_MAX     /* the length of a null string */


typedef struct {
    uint32_t    version;
    uint16_t    nnums;
    uint16_t    nstrs;
} llm_record_header_t;


static inline uint8_t *llm_record_copy(uint8_t *p, const uint8_t *from,
    size_t n);
static const char *llm_word(const char *const *words, int n, int64_t v);
static int llm_word_value(const char *const *words, int n,
    const llm_str_t *word);


#define LLM_NO_NUM(name, text) LLM_NULL,
#define LLM_NAME(name, text)   text,
#define LLM_WORDS(words)       words, sizeof(words) / sizeof(words[0])

static const llm_record_t  llm_record_none = {
    { LLM_RECORD_NUMS(LLM_NO_NUM) }, { { 0, NULL } }
};

static const char *const  llm_num_names[] = { LLM_RECORD_NUMS(LLM_NAME) };
static const char *const  llm_str_names[] = { LLM_RECORD_STRS(LLM_NAME) };

static const char *const  llm_protocols[] = {
    "unknown", "openai", "anthropic", "gemini", "ollama", "cohere", "bedrock"
};

static const char *const  llm_operations[] = {
    "other", "chat", "completion", "responses", "embeddings", "image", "audio",
    "rerank", "moderation", "count_tokens", "models", "batch"
};

static const char *const  llm_outcomes[] = {
    NULL, "success", "client_abort", "upstream_abort", "timeout",
    "stream_error", "http_error", "rejected", "empty", "shutdown"
};

static const char *const  llm_aborted_by[] = {
    NULL, "client", "upstream", "timeout", "shutdown"
};

static const char *const  llm_usage_sources[] = {
    "none", "body", "stream", "header"
};

static const char *const  llm_body_states[] = {
    "none", "stored", "binary", "too_large", "skipped", "redacted", "expired",
    "storing"
};


void
llm_record_init(llm_record_t *r)
{
    *r = llm_record_none;
}


size_t
llm_record_packed_size(const llm_record_t *r)
{
    int     i;
    size_t  size;

    size = sizeof(llm_record_header_t) + sizeof(r->num)
           + LLM_S_COUNT * sizeof(uint32_t);

    for (i = 0; i < LLM_S_COUNT; i++) {
        size += r->str[i].data != NULL ? r->str[i].len : 0;
    }

    return size;
}


size_t
llm_record_pack(const llm_record_t *r, uint8_t *p)
{
    int                  i;
    uint8_t             *start;
    uint32_t             len[LLM_S_COUNT];
    llm_record_header_t  h;

    start = p;

    h.version = LLM_RECORD_VERSION;
    h.nnums = LLM_N_COUNT;
    h.nstrs = LLM_S_COUNT;

    memcpy(p, &h, sizeof(h));
    p += sizeof(h);

    memcpy(p, r->num, sizeof(r->num));
    p += sizeof(r->num) + sizeof(len);

    for (i = 0; i < LLM_S_COUNT; i++) {

        if (r->str[i].data == NULL) {
            len[i] = LLM_RECORD_NO_STR;
            continue;
        }

        len[i] = r->str[i].len;

        p = llm_record_copy(p, r->str[i].data, r->str[i].len);
    }

    memcpy(start + sizeof(h) + sizeof(r->num), len, sizeof(len));

    return p - start;
}


/*
 * Nearly all strings are short, and a call of memcpy() costs more than two
 * words that overlap.
 */

static inline uint8_t *
llm_record_copy(uint8_t *p, const uint8_t *from, size_t n)
{
    uint32_t  head, tail;
    uint64_t  first[2], last[2];

    if (n > 32 || n < 4) {
        memcpy(p, from, n);

    } else if (n < 8) {
        memcpy(&head, from, 4);
        memcpy(&tail, from + n - 4, 4);
        memcpy(p, &head, 4);
        memcpy(p + n - 4, &tail, 4);

    } else if (n > 16) {
        memcpy(first, from, 16);
        memcpy(last, from + n - 16, 16);
        memcpy(p, first, 16);
        memcpy(p + n - 16, last, 16);

    } else {
        memcpy(first, from, 8);
        memcpy(last, from + n - 8, 8);
        memcpy(p, first, 8);
        memcpy(p + n - 8, last, 8);
    }

    return p + n;
}


int
llm_record_unpack(llm_record_t *r, const uint8_t *p, size_t n)
{
    int                  i;
    uint32_t             len;
    const uint8_t       *end, *data;
    llm_record_header_t  h;

    llm_record_init(r);

    if (n < sizeof(h)) {
        return LLM_ERROR;
    }

    memcpy(&h, p, sizeof(h));

    end = p + n;
    p += sizeof(h);

    if (h.version != LLM_RECORD_VERSION
        || (size_t) (end - p) < h.nnums * sizeof(int64_t)
                                + h.nstrs * sizeof(uint32_t))
    {
        return LLM_ERROR;
    }

    memcpy(r->num, p, (h.nnums < LLM_N_COUNT ? h.nnums : LLM_N_COUNT)
                      * sizeof(int64_t));

    p += h.nnums * sizeof(int64_t);
    data = p + h.nstrs * sizeof(uint32_t);

    for (i = 0; i < h.nstrs; i++, p += sizeof(len)) {

        memcpy(&len, p, sizeof(len));

        if (len == LLM_RECORD_NO_STR) {
            continue;
        }

        if (len > (size_t) (end - data)) {
            return LLM_ERROR;
        }

        if (i < LLM_S_COUNT) {
            r->str[i].len = len;
            r->str[i].data = data;
        }

        data += len;
    }

    return data == end ? LLM_OK : LLM_ERROR;
}


int
llm_record_verdict(int64_t status, int64_t outcome)
{
    switch (outcome) {

    case LLM_OUTCOME_CLIENT_ABORT:
    case LLM_OUTCOME_REJECTED:
    case LLM_OUTCOME_SHUTDOWN:
        return LLM_VERDICT_NONE;
    }

    if (status == 429 || status == 529) {
        return LLM_VERDICT_THROTTLED;
    }

    switch (outcome) {

    case LLM_OUTCOME_UPSTREAM_ABORT:
    case LLM_OUTCOME_TIMEOUT:
    case LLM_OUTCOME_STREAM_ERROR:
    case LLM_OUTCOME_EMPTY:
        return LLM_VERDICT_FAILURE;
    }

    /* 408: it waited in vain for what nginx had sent it */

    if (status >= 500 || status == 408) {
        return LLM_VERDICT_FAILURE;
    }

    return status >= 200 && status < 400 ? LLM_VERDICT_SUCCESS
                                         : LLM_VERDICT_NONE;
}


const char *
llm_record_num_name(int n)
{
    return n >= 0 && n < LLM_N_COUNT ? llm_num_names[n] : NULL;
}


const char *
llm_record_str_name(int n)
{
    return n >= 0 && n < LLM_S_COUNT ? llm_str_names[n] : NULL;
}


const char *
llm_protocol_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_protocols), v);
}


const char *
llm_operation_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_operations), v);
}


const char *
llm_outcome_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_outcomes), v);
}


const char *
llm_aborted_by_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_aborted_by), v);
}


const char *
llm_usage_source_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_usage_sources), v);
}


const char *
llm_body_state_name(int64_t v)
{
    return llm_word(LLM_WORDS(llm_body_states), v);
}


static const char *
llm_word(const char *const *words, int n, int64_t v)
{
    return words[v > 0 && v < n ? v : 0];
}


int
llm_protocol_value(const llm_str_t *word)
{
    return llm_word_value(LLM_WORDS(llm_protocols), word);
}


int
llm_operation_value(const llm_str_t *word)
{
    return llm_word_value(LLM_WORDS(llm_operations), word);
}


int
llm_outcome_value(const llm_str_t *word)
{
    return llm_word_value(LLM_WORDS(llm_outcomes), word);
}


static int
llm_word_value(const char *const *words, int n, const llm_str_t *word)
{
    int  i;

    for (i = 0; i < n; i++) {
        if (words[i] != NULL && llm_text_equal(word, words[i])) {
            return i;
        }
    }

    return LLM_ERROR;
}
