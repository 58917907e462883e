
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
static int same(const llm_block_head_t *head, const llm_buf_t *stored,
    const int64_t *v, int n);
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
    column("two values of a few rows", 3, 2, 1);
    column("three values", 3601, 3, 1);
    column("four values", 65, 4, 900);
    column("five values", 3600, 5, 1000000);
    column("as many as four bits have", 3999, 16, 3);
    column("one more than four bits have", 3999, 17, 3);
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
    int                i, good, last;
    size_t             place;
    uint8_t            places[2 * LLM_BLOCK_COLUMNS], codes[LLM_BLOCK_ROOM];
    int64_t            v[LLM_BLOCK_ROWS];
    llm_buf_t          heads, stored;
    llm_block_head_t   head;

    for (i = 0; i < n; i++) {
        v[i] = (i < values ? i : some(values)) * scale - 1;
    }

    memset(places, 0, sizeof(places));
    llm_buf_init(&heads, LLM_BLOCK_HEADS);
    llm_buf_init(&stored, 8 * LLM_BLOCK_ROWS);

    llm_buf_add(&heads, places, sizeof(places));
    place = heads.len;
    llm_block_write(v, n, &heads, &stored);
    llm_block_place(heads.data, LLM_SIFT_FLAGS, place);
    llm_block_place(heads.data, LLM_SIFT_COST, place);

    good = llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head)
           == LLM_OK
           && (head.values != 0) == (values <= LLM_BLOCK_VALUES || n < 257);

    last = good ? head.bits : 0;

    ok(good && stored.len == (size_t) (n * last + 7) / 8
       && last == (head.width == 0 ? 0
                   : head.values == 0 || values > 16 ? 8 * head.width
                   : values > 4 ? 4 : values > 2 ? 2 : 1)
       && same(&head, &stored, v, n), "%s: read back", what);

    /* one byte less is too few */

    ok(llm_block_head(heads.data, heads.len - 1, LLM_SIFT_COST, n, &head)
       == LLM_ERROR
       && llm_block_head(heads.data, heads.len, LLM_SIFT_IP, n, &head)
          == LLM_ERROR, "%s: no head", what);

    if (last != 0 && last < 8) {
        (void) llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head);

        ok(llm_block_codes(&head, stored.data, stored.len - 1, n, codes)
           == NULL
           && llm_block_codes(&head, stored.data, stored.len + 1, n, codes)
              == NULL
           && llm_block_codes(&head, stored.data, stored.len, n, codes)
              == codes, "%s: as many codes as there are rows", what);

        /* whole bytes, as they once were stored */

        heads.data[place] = 0x81;
        stored.len = 0;
        llm_buf_add(&stored, codes, n);

        ok(llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head)
           == LLM_OK
           && head.bits == 8 && same(&head, &stored, v, n),
           "%s: as bytes", what);

        /* bits that so many values do not have */

        heads.data[place] = last == 4 ? 0xa1 : 0xc1;

        ok(llm_block_head(heads.data, heads.len, LLM_SIFT_COST, n, &head)
           == LLM_ERROR, "%s: other bits", what);
    }

    llm_buf_free(&heads);
    llm_buf_free(&stored);
}


/* the values of all rows, and what terms leave of them */

static int
same(const llm_block_head_t *head, const llm_buf_t *stored, const int64_t *v,
    int n)
{
    int             i, good, seconds;
    uint8_t        *room, unpacked[LLM_BLOCK_ROOM];
    const uint8_t  *codes;

    /* at an odd place, and with nothing behind the last one */

    room = malloc(stored->len + 1);

    if (room == NULL) {
        abort();
    }

    codes = NULL;

    if (head->width != 0) {
        memcpy(room + 1, stored->data, stored->len);
        codes = llm_block_codes(head, room + 1, stored->len, n, unpacked);
    }

    good = (codes != NULL || head->width == 0);

    seconds = 0;

    for (i = 0; i < n && good; i++) {
        good = llm_block_value(head, codes, i) == v[i]
               && (v[i] == head->min || v[i] >= head->second);
        seconds += (v[i] == head->second);
    }

    good = good && seconds > 0 && terms(head, codes, v, n);

    free(room);

    return good;
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
    uint8_t            bytes[512], stored[800], rows[LLM_BLOCK_ROOM];
    uint8_t            unpacked[LLM_BLOCK_ROOM];
    const uint8_t     *codes;
    llm_sift_t         s;
    llm_block_head_t   head;

    memset(&s, 0, sizeof(llm_sift_t));
    llm_sift_term(&s, LLM_SIFT_STATUS);
    llm_sift_range(&s, 200, 299);

    memset(stored, 0xff, sizeof(stored));
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
            codes = llm_block_codes(&head, stored,
                                    (100 * head.bits + 7) / 8, 100, unpacked);

            llm_block_rows(rows, 100);
            (void) llm_block_filter(&head, codes, &s, &s.term[0], rows, 100);
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
