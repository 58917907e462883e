
/*
 * Copyright (C) llm_monitor contributors
 *
 * The packed form: a version byte, then for each field that is known a tag and
 * its value.  The tag is a varint of number * 2 + 1 for a string, number * 2
 * for a number.  Numbers follow as zigzag varints, strings as a varint length
 * and their bytes.  So a reader can step over a field that it does not know.
 */


#include <string.h>

#include "llm_record.h"
#include "llm_text.h"


#define LLM_RECORD_VERSION  1
#define LLM_VARINT_MAX      10
#define LLM_TAG_MAX         1


_Static_assert(LLM_N_COUNT <= 64 && LLM_S_COUNT <= 64, "tags of one byte");


static size_t llm_varint_size(uint64_t v);
static uint8_t *llm_varint_write(uint8_t *p, uint64_t v);
static const uint8_t *llm_varint_read(const uint8_t *p, const uint8_t *end,
    uint64_t *v);
static uint64_t llm_zigzag(int64_t v);
static int64_t llm_unzigzag(uint64_t v);
static const char *llm_word(const char *const *words, int n, int64_t v);
static int llm_word_value(const char *const *words, int n,
    const llm_str_t *word);


#define LLM_NAME(name, text)   text,
#define LLM_WORDS(words)       words, sizeof(words) / sizeof(words[0])

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
    int  i;

    for (i = 0; i < LLM_N_COUNT; i++) {
        r->num[i] = LLM_NULL;
    }

    memset(r->str, 0, sizeof(r->str));
}


size_t
llm_record_packed_size(const llm_record_t *r)
{
    int     i;
    size_t  size;

    size = 1;

    for (i = 0; i < LLM_N_COUNT; i++) {
        if (r->num[i] != LLM_NULL) {
            size += LLM_TAG_MAX + llm_varint_size(llm_zigzag(r->num[i]));
        }
    }

    for (i = 0; i < LLM_S_COUNT; i++) {
        if (r->str[i].data != NULL) {
            size += LLM_TAG_MAX + llm_varint_size(r->str[i].len)
                    + r->str[i].len;
        }
    }

    return size;
}


size_t
llm_record_packed_bound(const llm_record_t *r)
{
    int     i;
    size_t  size;

    size = 1 + (LLM_N_COUNT + LLM_S_COUNT) * (LLM_TAG_MAX + LLM_VARINT_MAX);

    for (i = 0; i < LLM_S_COUNT; i++) {
        size += r->str[i].len;
    }

    return size;
}


size_t
llm_record_pack(const llm_record_t *r, uint8_t *p)
{
    int       i;
    uint8_t  *start;

    start = p;

    *p++ = LLM_RECORD_VERSION;

    for (i = 0; i < LLM_N_COUNT; i++) {
        if (r->num[i] != LLM_NULL) {
            *p++ = i * 2;
            p = llm_varint_write(p, llm_zigzag(r->num[i]));
        }
    }

    for (i = 0; i < LLM_S_COUNT; i++) {
        if (r->str[i].data != NULL) {
            *p++ = i * 2 + 1;
            p = llm_varint_write(p, r->str[i].len);
            memcpy(p, r->str[i].data, r->str[i].len);
            p += r->str[i].len;
        }
    }

    return p - start;
}


int
llm_record_unpack(llm_record_t *r, const uint8_t *p, size_t n)
{
    uint64_t        tag, v;
    const uint8_t  *end;

    llm_record_init(r);

    if (n == 0 || *p != LLM_RECORD_VERSION) {
        return LLM_ERROR;
    }

    end = p + n;
    p++;

    while (p < end) {

        p = llm_varint_read(p, end, &tag);

        if (p == NULL) {
            return LLM_ERROR;
        }

        p = llm_varint_read(p, end, &v);

        if (p == NULL) {
            return LLM_ERROR;
        }

        if ((tag & 1) == 0) {

            if (tag / 2 < LLM_N_COUNT) {
                r->num[tag / 2] = llm_unzigzag(v);
            }

            continue;
        }

        if (v > (uint64_t) (end - p)) {
            return LLM_ERROR;
        }

        if (tag / 2 < LLM_S_COUNT) {
            r->str[tag / 2].len = v;
            r->str[tag / 2].data = p;
        }

        p += v;
    }

    return LLM_OK;
}


static size_t
llm_varint_size(uint64_t v)
{
    /* 7 bits a byte: (bits * 9 + 64) / 64 is ceil(bits / 7) for 1..64 */
    return ((64 - __builtin_clzll(v | 1)) * 9 + 64) / 64;
}


static uint8_t *
llm_varint_write(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = 0x80 | (v & 0x7f);
        v >>= 7;
    }

    *p++ = v;

    return p;
}


static const uint8_t *
llm_varint_read(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
    int       i;
    uint64_t  value;

    value = 0;

    for (i = 0; i < LLM_VARINT_MAX && p < end; i++, p++) {

        value |= (uint64_t) (*p & 0x7f) << (7 * i);

        if (*p < 0x80) {

            /* the tenth byte has one bit of the 64 */

            if (i == LLM_VARINT_MAX - 1 && *p > 1) {
                return NULL;
            }

            *v = value;
            return p + 1;
        }
    }

    return NULL;
}


static uint64_t
llm_zigzag(int64_t v)
{
    return (uint64_t) v << 1 ^ (uint64_t) (v >> 63);
}


static int64_t
llm_unzigzag(uint64_t v)
{
    return (int64_t) (v >> 1 ^ -(v & 1));
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
