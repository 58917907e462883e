
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
static int kept(const llm_block_head_t *head, const uint8_t *codes,
    const int64_t *v, int n, const llm_sift_t *s, int which);
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
    column("half a step", 30, 30, 3);
    column("a step", 64, 64, 3);
    column("a step and one", 65, 9, 3);
    column("as many as a new one has", 3600, 1000, 3);
    column("one less than may be", 3999, 1000, 3);

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
    int                i, good, seconds;
    size_t             place;
    uint8_t            places[2 * LLM_BLOCK_COLUMNS], *room;
    int64_t            v[LLM_BLOCK_ROWS];
    llm_buf_t          heads, codes;
    llm_block_head_t   head;

    for (i = 0; i < n; i++) {
        v[i] = (i < values ? i : some(values)) * scale - 1;
    }

    seconds = 0;
    memset(places, 0, sizeof(places));
    llm_buf_init(&heads, LLM_BLOCK_HEADS);
    llm_buf_init(&codes, 8 * LLM_BLOCK_ROWS);

    llm_buf_add(&heads, places, sizeof(places));
    place = heads.len;
    llm_block_write(v, n, &heads, &codes);
    llm_block_place(heads.data, LLM_SIFT_FLAGS, place);
    llm_block_place(heads.data, LLM_SIFT_COST, place);

    good = llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head)
           == LLM_OK
           && codes.len == (size_t) n * head.width
           && (head.values != 0) == (values <= LLM_BLOCK_VALUES || n < 257);

    for (i = 0; i < n && good; i++) {
        good = llm_block_value(&head, codes.data, i) == v[i]
               && (v[i] == head.min || v[i] >= head.second);
        seconds += (v[i] == head.second);
    }

    ok(good && seconds > 0, "%s: read back", what);

    /* at an odd place, and with nothing behind the last one */

    room = malloc(codes.len + 1);

    if (room == NULL) {
        abort();
    }

    if (codes.len != 0) {
        memcpy(room + 1, codes.data, codes.len);
    }

    ok(terms(&head, room + 1, v, n), "%s: terms", what);

    free(room);

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

    /* bits that every other value of a list has, or every fourth */

    for (i = 0; i < LLM_SIFT_FLAG_COUNT; i++) {
        memset(&s, 0, sizeof(llm_sift_t));
        llm_sift_flag(&s, i);

        if (!filtered(head, codes, v, n, &s)) {
            printf("# bit %d\n", i);
            return 0;
        }
    }

    return 1;
}


static int
filtered(const llm_block_head_t *head, const uint8_t *codes, const int64_t *v,
    int n, const llm_sift_t *s)
{
    int  i, want, passed;

    want = 0;

    for (i = 0; i < n; i++) {
        want += llm_sift_passes(s, &s->term[0], v[i]);
    }

    switch (llm_block_term(head, s, &s->term[0], n, &passed)) {

    case LLM_BLOCK_NONE:
        return want == 0 && passed == 0;

    case LLM_BLOCK_ALL:
        return want == n && passed == n;

    case LLM_BLOCK_UNKNOWN:
        return s->term[0].bits != 0 && head->values == 0;

    default: /* LLM_BLOCK_SOME */
        break;
    }

    if (passed != (head->values != 0 ? want : -1)) {
        return 0;
    }

    for (i = 0; i < 5; i++) {
        if (!kept(head, codes, v, n, s, i)) {
            return 0;
        }
    }

    return 1;
}


/*
 * All rows are left of what was asked before, some, few, those of one part,
 * or none.
 */

static int
kept(const llm_block_head_t *head, const uint8_t *codes, const int64_t *v,
    int n, const llm_sift_t *s, int which)
{
    int       i, hits, left;
    uint8_t   rows[LLM_BLOCK_ROOM], want[LLM_BLOCK_ROOM];
    uint16_t  at[LLM_BLOCK_ROWS];

    llm_block_rows(rows, n);
    memset(want, 0, sizeof(want));
    hits = 0;

    for (i = 0; i < n; i++) {

        switch (which) {

        case 1:
            rows[i] = (random() % 2 == 0);
            break;

        case 2:
            rows[i] = (random() % 500 == 0);
            break;

        case 3:
            rows[i] = (i > n / 3 && i < n / 2);
            break;

        case 4:
            rows[i] = 0;
            break;
        }

        want[i] = (rows[i] && llm_sift_passes(s, &s->term[0], v[i]));
        hits += want[i];
    }

    left = llm_block_filter(head, codes, s, &s->term[0], rows, n);

    if (left != hits || memcmp(rows, want, sizeof(rows)) != 0
        || llm_block_places(rows, n, at) != hits)
    {
        return 0;
    }

    for (i = 0; i < hits; i++) {
        if (!want[at[i]] || (i > 0 && at[i] <= at[i - 1])) {
            return 0;
        }
    }

    return 1;
}


/* any bytes are a head that holds, or none; a list is within them */

static void
broken(void)
{
    int                i, n, passed, heads;
    uint8_t            bytes[512], codes[800], rows[LLM_BLOCK_ROOM];
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

        llm_block_place(bytes, LLM_SIFT_FLAGS, 36 + some(20));
        llm_block_place(bytes, LLM_SIFT_STATUS, some(sizeof(bytes) + 4));

        n = (int) some(sizeof(bytes) + 1);

        if (llm_block_head(bytes, n, LLM_SIFT_STATUS, 100, &head) != LLM_OK) {
            continue;
        }

        heads++;
        (void) llm_block_term(&head, &s, &s.term[0], 100, &passed);

        if (head.width != 0) {
            llm_block_rows(rows, 100);
            (void) llm_block_filter(&head, codes, &s, &s.term[0], rows, 100);
        }

        (void) llm_block_value(&head, codes, 99);
    }

    ok(heads > 0, "%d of 8000 are heads by chance", heads);
}


static int64_t
some(int64_t max)
{
    return random() % max;
}
