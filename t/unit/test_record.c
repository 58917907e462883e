
/*
 * Copyright (C) llm_monitor contributors
 *
 * The packed record: what goes in comes out, whatever is broken is refused,
 * and what a newer version added is stepped over.
 */


#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/record/llm_record.h"


static const int64_t  values[] = {
    0, 1, -1, 63, 64, -64, -65, 8191, 8192, INT32_MAX, INT32_MIN, INT64_MAX,
    INT64_MIN + 1
};


/* A copy of exactly n bytes, so that ASan sees a read past the end. */

static uint8_t *
exact(const uint8_t *p, size_t n)
{
    uint8_t  *copy;

    copy = malloc(n + (n == 0));
    memcpy(copy, p, n);

    return copy;
}


static int
same(const llm_record_t *a, const llm_record_t *b)
{
    int  i;

    for (i = 0; i < LLM_N_COUNT; i++) {
        if (a->num[i] != b->num[i]) {
            return 0;
        }
    }

    for (i = 0; i < LLM_S_COUNT; i++) {
        if ((a->str[i].data == NULL) != (b->str[i].data == NULL)
            || a->str[i].len != b->str[i].len
            || (a->str[i].len
                && memcmp(a->str[i].data, b->str[i].data, a->str[i].len)))
        {
            return 0;
        }
    }

    return 1;
}


static int
round_trip(const llm_record_t *r)
{
    int           good;
    size_t        size;
    uint8_t      *buf;
    llm_record_t  back;

    size = llm_record_packed_size(r);
    buf = malloc(size);

    good = llm_record_pack(r, buf) == size
           && llm_record_packed_bound(r) >= size
           && llm_record_unpack(&back, buf, size) == LLM_OK
           && same(r, &back);

    free(buf);

    return good;
}


static void
fill(llm_record_t *r, unsigned seed, uint8_t *text, size_t ntext)
{
    int  i;

    llm_record_init(r);
    srand(seed);

    for (i = 0; i < LLM_N_COUNT; i++) {
        if (rand() % 3) {
            r->num[i] = values[rand() % (sizeof(values) / sizeof(values[0]))];
        }
    }

    for (i = 0; i < LLM_S_COUNT; i++) {
        if (rand() % 3) {
            r->str[i].data = text;
            r->str[i].len = rand() % ntext;
        }
    }
}


static void
test_broken(const llm_record_t *r)
{
    size_t        i, size, n;
    uint8_t      *buf, *copy;
    llm_record_t  back;

    size = llm_record_packed_size(r);
    buf = malloc(size);
    (void) llm_record_pack(r, buf);

    for (n = 0; n < size; n++) {
        copy = exact(buf, n);
        (void) llm_record_unpack(&back, copy, n);
        free(copy);
    }

    for (i = 0; i < size * 16; i++) {
        copy = exact(buf, size);
        copy[i / 16] ^= 1 << (i % 8);
        copy[rand() % size] = rand();
        (void) llm_record_unpack(&back, copy, size);
        free(copy);
    }

    ok(1, "cut and damaged forms are read within their bounds");
    free(buf);
}


static void
test_refused(void)
{
    size_t        i;
    uint8_t      *copy;
    llm_record_t  r;

    static const struct {
        const char  *bytes;
        size_t       len;
        const char  *what;
    } bad[] = {
        { "", 0, "nothing" },
        { "\x02", 1, "another version" },
        { "\x01\x80", 2, "a cut tag" },
        { "\x01\x00", 2, "a number without value" },
        { "\x01\x00\x80", 3, "a cut number" },
        { "\x01\x01\x05" "abcd", 7, "a string longer than the rest" },
        { "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
          "a string of 2^64 - 1 bytes" },
        { "\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 12,
          "a number over 64 bit" },
        { "\x01\x00\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 13,
          "a number of 11 bytes" },
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        copy = exact((const uint8_t *) bad[i].bytes, bad[i].len);
        ok(llm_record_unpack(&r, copy, bad[i].len) == LLM_ERROR,
           "%s is refused", bad[i].what);
        free(copy);
    }
}


static void
test_unknown(void)
{
    llm_record_t  r;

    /* number 5000, string 5000, then STATUS = 200 */
    static const uint8_t  bytes[] = {
        1, 0x90, 0x4e, 7, 0x91, 0x4e, 2, 'x', 'y', LLM_N_STATUS * 2, 0x90, 3
    };

    ok(llm_record_unpack(&r, bytes, sizeof(bytes)) == LLM_OK
       && r.num[LLM_N_STATUS] == 200,
       "fields of a newer version are stepped over");
}


static void
test_words(void)
{
    llm_str_t  word = llm_str("responses"), none = llm_null_str;
    llm_str_t  empty = llm_str("");

    ok(strcmp(llm_protocol_name(LLM_PROTOCOL_BEDROCK), "bedrock") == 0
       && strcmp(llm_protocol_name(99), "unknown") == 0
       && strcmp(llm_protocol_name(LLM_NULL), "unknown") == 0, "protocols");
    ok(strcmp(llm_operation_name(LLM_OPERATION_BATCH), "batch") == 0
       && strcmp(llm_operation_name(0), "other") == 0, "operations");
    ok(strcmp(llm_outcome_name(LLM_OUTCOME_SHUTDOWN), "shutdown") == 0
       && llm_outcome_name(0) == NULL && llm_outcome_name(10) == NULL,
       "outcomes");
    ok(strcmp(llm_aborted_by_name(LLM_ABORTED_SHUTDOWN), "shutdown") == 0
       && llm_aborted_by_name(LLM_NULL) == NULL, "aborted_by");
    ok(strcmp(llm_usage_source_name(LLM_USAGE_HEADER), "header") == 0
       && strcmp(llm_usage_source_name(LLM_NULL), "none") == 0,
       "usage sources");
    ok(strcmp(llm_body_state_name(LLM_BODY_STORING), "storing") == 0
       && strcmp(llm_body_state_name(LLM_BODY_EXPIRED), "expired") == 0,
       "body states");
    ok(llm_operation_value(&word) == LLM_OPERATION_RESPONSES
       && llm_outcome_value(&word) == LLM_ERROR
       && llm_outcome_value(&none) == LLM_ERROR
       && llm_protocol_value(&empty) == LLM_ERROR, "values from words");
    ok(strcmp(llm_record_num_name(LLM_N_TTFT_US), "ttft_us") == 0
       && strcmp(llm_record_str_name(LLM_S_MODEL), "model") == 0
       && llm_record_num_name(LLM_N_COUNT) == NULL
       && llm_record_str_name(-1) == NULL, "names of fields");
}


int
main(void)
{
    int           i, n, good;
    size_t        j;
    uint8_t      *text;
    llm_record_t  r;

    text = malloc(100000);
    memset(text, 'x', 100000);

    llm_record_init(&r);
    ok(llm_record_packed_size(&r) == 1 && round_trip(&r), "an empty record");

    good = 1;

    for (n = 0; n < LLM_N_COUNT; n++) {
        for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            llm_record_init(&r);
            r.num[n] = values[j];
            good &= round_trip(&r);
        }
    }

    ok(good, "every number field with every size of value");

    good = 1;

    for (n = 0; n < LLM_S_COUNT; n++) {
        for (j = 0; j < 100000; j = j < 300 ? j + 1 : j * 2) {
            llm_record_init(&r);
            r.str[n].data = text;
            r.str[n].len = j;
            good &= round_trip(&r);
        }
    }

    ok(good, "every string field with every size of length");

    good = 1;

    for (i = 0; i < 500; i++) {
        fill(&r, i, text, 400);
        good &= round_trip(&r);
    }

    ok(good, "500 random records");

    fill(&r, 7, text, 40);
    test_broken(&r);
    test_refused();
    test_unknown();
    test_words();

    free(text);

    return done_testing();
}
