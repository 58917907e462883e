
/*
 * Copyright (C) llm_monitor contributors
 *
 * Columns of a block: what is written is read back, of values that are few and
 * of values that are many and as long as they may be; terms keep the rows that
 * they should; and bytes that are none of ours do no harm.
 */


#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_block.h"


static void column(const char *what, int n, int64_t values, int64_t scale);
static int terms(const llm_block_head_t *head, const uint8_t *codes,
    const int64_t *v, int n);
static int filtered(const llm_block_head_t *head, const uint8_t *codes,
    const int64_t *v, int n, const llm_sift_t *s);
static void broken(void);
static int64_t some(int64_t max);


int
main(void)
{
    int      width;
    char     what[64];
    int64_t  scale;

    srandom(7);

    column("one row", 1, 1, 5);
    column("one value", 4000, 1, 5);
    column("two values", 4000, 2, 1);
    column("as many as a list has", 4000, 256, 1000003);
    column("one more", 4000, 257, 1000003);

    for (width = 1; width <= 8; width++) {
        scale = width == 8 ? INT64_MAX / 4000
                           : ((int64_t) 1 << (8 * width - 1)) / 4000;

        snprintf(what, sizeof(what), "many values, of %d bytes", width);
        column(what, 4000, 4000, scale > 0 ? scale : 1);
    }

    broken();

    return done_testing();
}


static void
column(const char *what, int n, int64_t values, int64_t scale)
{
    int                i, good;
    size_t             place;
    uint8_t            places[2 * LLM_BLOCK_COLUMNS];
    int64_t            v[LLM_BLOCK_ROWS];
    llm_buf_t          heads, codes;
    llm_block_head_t   head;

    for (i = 0; i < n; i++) {
        v[i] = (i < values ? i : some(values)) * scale - 1;
    }

    memset(places, 0, sizeof(places));
    llm_buf_init(&heads, LLM_BLOCK_HEADS);
    llm_buf_init(&codes, 8 * LLM_BLOCK_ROWS);

    llm_buf_add(&heads, places, sizeof(places));
    place = heads.len;
    llm_block_write(v, n, &heads, &codes);
    llm_block_place(heads.data, LLM_SIFT_COST, place);

    good = llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head)
           == LLM_OK
           && codes.len == (size_t) n * head.width
           && (head.values != 0) == (values <= LLM_BLOCK_VALUES || n < 257);

    for (i = 0; i < n && good; i++) {
        good = llm_block_value(&head, codes.data, i) == v[i];
    }

    ok(good, "%s: read back", what);
    ok(terms(&head, codes.data, v, n), "%s: terms", what);

    /* one byte less is too few */

    ok(llm_block_head(heads.data, heads.len - 1, LLM_SIFT_COST, n, &head)
       == LLM_ERROR
       && llm_block_head(heads.data, heads.len, LLM_SIFT_IP, n, &head)
          == LLM_ERROR, "%s: no head", what);

    llm_buf_free(&heads);
    llm_buf_free(&codes);
}


/* ranges that begin and end at values, beside them, and beyond all */

static int
terms(const llm_block_head_t *head, const uint8_t *codes, const int64_t *v,
    int n)
{
    int         i, k;
    int64_t     low, high;
    llm_sift_t  s;

    for (i = 0; i < 60; i++) {
        memset(&s, 0, sizeof(llm_sift_t));
        llm_sift_term(&s, LLM_SIFT_COST);

        for (k = (int) some(4); k > 0; k--) {
            low = i % 5 == 0 ? INT64_MIN : v[some(n)] + some(3) - 1;
            high = i % 7 == 0 ? INT64_MAX : v[some(n)] + some(3) - 1;

            llm_sift_range(&s, low, high);
        }

        if (!filtered(head, codes, v, n, &s)) {
            printf("# from %lld to %lld\n", (long long) s.range[0].low,
                   (long long) s.range[0].high);
            return 0;
        }
    }

    return 1;
}


static int
filtered(const llm_block_head_t *head, const uint8_t *codes, const int64_t *v,
    int n, const llm_sift_t *s)
{
    int       i, want, passed, kept;
    uint16_t  at[LLM_BLOCK_ROWS];

    want = 0;

    for (i = 0; i < n; i++) {
        want += llm_sift_passes(s, &s->term[0], v[i]);
        at[i] = (uint16_t) i;
    }

    switch (llm_block_term(head, s, &s->term[0], n, &passed)) {

    case LLM_BLOCK_NONE:
        return want == 0 && passed == 0;

    case LLM_BLOCK_ALL:
        return want == n && passed == n;

    case LLM_BLOCK_UNKNOWN:
        return 0;

    default: /* LLM_BLOCK_SOME */
        break;
    }

    if (passed != (head->values != 0 ? want : -1)
        || llm_block_filter(head, codes, s, &s->term[0], NULL, n) != want)
    {
        return 0;
    }

    kept = llm_block_filter(head, codes, s, &s->term[0], at, n);

    for (i = 0; i < kept; i++) {
        if (!llm_sift_passes(s, &s->term[0], v[at[i]])
            || (i > 0 && at[i] <= at[i - 1]))
        {
            return 0;
        }
    }

    return kept == want;
}


/* any bytes are a head that holds, or none; a list is within them */

static void
broken(void)
{
    int                i, n, passed, heads;
    uint8_t            bytes[512], codes[100];
    llm_sift_t         s;
    llm_block_head_t   head;

    memset(&s, 0, sizeof(llm_sift_t));
    llm_sift_term(&s, LLM_SIFT_STATUS);
    llm_sift_range(&s, 200, 299);

    memset(codes, 0xff, sizeof(codes));
    heads = 0;

    for (i = 0; i < 8000; i++) {

        for (n = 0; n < (int) sizeof(bytes); n++) {
            bytes[n] = (uint8_t) (random() % 3 ? 0 : random() % 256);
        }

        llm_block_place(bytes, LLM_SIFT_STATUS, some(sizeof(bytes) + 4));

        n = (int) some(sizeof(bytes) + 1);

        if (llm_block_head(bytes, n, LLM_SIFT_STATUS, 100, &head) != LLM_OK) {
            continue;
        }

        heads++;
        (void) llm_block_term(&head, &s, &s.term[0], 100, &passed);

        if (head.width <= 1) {
            (void) llm_block_filter(&head, codes, &s, &s.term[0], NULL, 100);
            (void) llm_block_value(&head, codes, 99);
        }
    }

    ok(heads > 0, "%d of 8000 are heads by chance", heads);
}


static int64_t
some(int64_t max)
{
    return random() % max;
}
