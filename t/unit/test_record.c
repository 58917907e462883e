
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


/* The packed form of a version, with n numbers of 200 and strings as given. */

static size_t
form(uint8_t *p, uint32_t version, uint16_t nnums, uint16_t nstrs,
    const uint32_t *len)
{
    int       i;
    size_t    n;
    uint8_t  *start;
    int64_t   value;

    start = p;

    memcpy(p, &version, 4);
    memcpy(p + 4, &nnums, 2);
    memcpy(p + 6, &nstrs, 2);
    p += 8;

    for (i = 0, value = 200; i < nnums; i++, p += 8) {
        memcpy(p, &value, 8);
    }

    memcpy(p, len, nstrs * 4);
    p += nstrs * 4;

    for (i = 0; i < nstrs; i++) {
        n = len[i] == UINT32_MAX ? 0 : len[i] & 0xff;
        memset(p, 'a' + i % 26, n);
        p += n;
    }

    return p - start;
}


static int
refused(const uint8_t *p, size_t n)
{
    int           rc;
    uint8_t      *copy;
    llm_record_t  r;

    copy = exact(p, n);
    rc = llm_record_unpack(&r, copy, n);
    free(copy);

    return rc == LLM_ERROR;
}


static void
test_refused(void)
{
    size_t    n;
    uint8_t   bytes[4096];

    static const uint32_t  good[] = { 3, UINT32_MAX, 0 };
    static const uint32_t  longer[] = { 0, 0x1003, 0 };
    static const uint32_t  huge[] = { 0, UINT32_MAX - 1, 0 };

    ok(refused(bytes, 0), "nothing is refused");

    n = form(bytes, 2, 2, 3, good);
    ok(!refused(bytes, n), "a short form is read");
    ok(refused(bytes, n - 1), "a cut string is refused");
    ok(refused(bytes, n + 1), "a byte too many is refused");
    ok(refused(bytes, 8 + 2 * 8 + 3 * 4 - 1), "cut lengths are refused");
    ok(refused(bytes, 8 + 15), "a cut number is refused");
    ok(refused(bytes, 7), "a cut header is refused");

    ok(refused(bytes, form(bytes, 1, 2, 3, good)),
       "another version is refused");
    ok(refused(bytes, form(bytes, 2, 2, 3, longer)),
       "a string longer than the rest is refused");
    ok(refused(bytes, form(bytes, 2, 2, 3, huge)),
       "a string of 4 GB is refused");
}


static void
test_unknown(void)
{
    int           i;
    size_t        n;
    uint8_t       bytes[4096];
    uint32_t      len[LLM_S_COUNT + 3];
    llm_record_t  r;

    for (i = 0; i < LLM_S_COUNT + 3; i++) {
        len[i] = i % 5;
    }

    n = form(bytes, 2, LLM_N_COUNT + 5, LLM_S_COUNT + 3, len);

    ok(llm_record_unpack(&r, bytes, n) == LLM_OK
       && r.num[LLM_N_STATUS] == 200 && r.num[LLM_N_COUNT - 1] == 200
       && r.str[LLM_S_COUNT - 1].len == (LLM_S_COUNT - 1) % 5
       && r.str[1].len == 1 && r.str[1].data[0] == 'b',
       "fields of a newer version are stepped over");

    n = form(bytes, 2, LLM_N_STATUS + 1, 2, len);

    ok(llm_record_unpack(&r, bytes, n) == LLM_OK
       && r.num[LLM_N_STATUS] == 200
       && r.num[LLM_N_STATUS + 1] == LLM_NULL
       && r.str[1].len == 1 && r.str[2].data == NULL,
       "fields that an older version did not have are null");
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
    ok(round_trip(&r), "an empty record");

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
