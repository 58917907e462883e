
/*
 * Copyright (C) llm_monitor contributors
 *
 * Which rows of a block pass a term.  A term is some ranges of codes, whether a
 * code is a place in a list, which is in order, or a distance.  Rows are looked
 * at in steps of a length that the compiler knows, without a branch, as
 * numbers of the width that they are stored in: such loops it turns into
 * instructions that compare many at once.
 */


#include <endian.h>
#include <string.h>
#include "llm_block.h"


#define LLM_BLOCK_STEP     64         /* rows */
#define LLM_BLOCK_WORD     8          /* rows, a byte each, in a number */

/* every other value of a list */
#define LLM_BLOCK_SPANS    (LLM_BLOCK_VALUES / 2)


typedef struct {
    int       n;
    uint64_t  low[LLM_BLOCK_SPANS];          /* codes */
    uint64_t  size[LLM_BLOCK_SPANS];         /* less one */
} llm_block_spans_t;

/*
 * Rows of a step whose codes are within a span: a loop a width, for the
 * compiler has instructions for each but the longest.
 */

#define llm_block_within(codes, type, low, size, rows, op)                    \
    for (row = 0; row < LLM_BLOCK_STEP; row++) {                              \
        (rows)[row] op (type) ((codes)[row] - (type) (low)) <= (type) (size); \
    }

#define llm_block_span_rows(step, width, low, size, rows, op)                 \
    switch (width) {                                                          \
                                                                              \
    case 1:                                                                   \
        llm_block_within((step).u8, uint8_t, low, size, rows, op);            \
        break;                                                                \
                                                                              \
    case 2:                                                                   \
        llm_block_within((step).u16, uint16_t, low, size, rows, op);          \
        break;                                                                \
                                                                              \
    case 3:                                                                   \
    case 4:                                                                   \
        llm_block_within((step).u32, uint32_t, low, size, rows, op);          \
        break;                                                                \
                                                                              \
    default:                                                                  \
        llm_block_within((step).u64, uint64_t, low, size, rows, op);          \
    }


typedef union {
    uint8_t   u8[LLM_BLOCK_STEP];
    uint16_t  u16[LLM_BLOCK_STEP];
    uint32_t  u32[LLM_BLOCK_STEP];
    uint64_t  u64[LLM_BLOCK_STEP];
    uint8_t   bytes[LLM_BLOCK_STEP * 8];
} llm_block_step_t;


static int llm_block_span(const llm_block_head_t *head,
    const llm_sift_range_t *range, uint64_t *low, uint64_t *high);
static void llm_block_spans(const llm_block_head_t *head, const llm_sift_t *s,
    const llm_sift_term_t *term, llm_block_spans_t *spans);
static void llm_block_runs(const llm_block_head_t *head, const llm_sift_t *s,
    const llm_sift_term_t *term, llm_block_spans_t *spans);
static int llm_block_lower(const llm_block_head_t *head, int64_t v);
static int llm_block_keep(const uint8_t *codes, int width,
    const llm_block_spans_t *spans, uint8_t *rows, int n);
static void llm_block_load(llm_block_step_t *step, const uint8_t *codes,
    int width, int n);
static int llm_block_sum(const uint8_t *rows);


llm_block_pass_e
llm_block_term(const llm_block_head_t *head, const llm_sift_t *s,
    const llm_sift_term_t *term, int n, int *passed)
{
    int                i, k;
    uint64_t           low, high;
    llm_block_pass_e   pass;
    llm_block_spans_t  spans;

    *passed = -1;

    if ((llm_sift_text(term->column) && head->min == LLM_SIFT_OVER)
        || (term->bits != 0 && head->values == 0))
    {
        return LLM_BLOCK_UNKNOWN;
    }

    pass = LLM_BLOCK_NONE;

    if (head->values == 0) {

        for (i = 0; i < term->n && pass != LLM_BLOCK_ALL; i++) {

            if (llm_block_span(head, &s->range[term->first + i], &low, &high))
            {
                pass = low == 0 && high == (uint64_t) head->max
                                           - (uint64_t) head->min
                       ? LLM_BLOCK_ALL : LLM_BLOCK_SOME;
            }
        }

    } else {
        *passed = 0;

        llm_block_runs(head, s, term, &spans);

        for (i = 0; i < spans.n; i++) {
            for (k = 0; k <= (int) spans.size[i]; k++) {
                *passed += llm_block_counted(head, (int) spans.low[i] + k);
            }
        }

        pass = *passed == 0 ? LLM_BLOCK_NONE
                            : *passed == n ? LLM_BLOCK_ALL : LLM_BLOCK_SOME;
    }

    if (pass == LLM_BLOCK_NONE) {
        *passed = 0;

    } else if (pass == LLM_BLOCK_ALL) {
        *passed = n;
    }

    return pass;
}


/* The part of a range that values may be in; 0: they may not. */

static int
llm_block_span(const llm_block_head_t *head, const llm_sift_range_t *range,
    uint64_t *low, uint64_t *high)
{
    if (range->low > head->max || range->high < head->min
        || range->low > range->high)
    {
        return 0;
    }

    *low = range->low > head->min
               ? (uint64_t) range->low - (uint64_t) head->min : 0;
    *high = (range->high < head->max ? (uint64_t) range->high
                                     : (uint64_t) head->max)
            - (uint64_t) head->min;

    return 1;
}


int
llm_block_filter(const llm_block_head_t *head, const uint8_t *codes,
    const llm_sift_t *s, const llm_sift_term_t *term, uint8_t *rows, int n)
{
    llm_block_spans_t  spans;

    if (head->values != 0) {
        llm_block_runs(head, s, term, &spans);

    } else {
        llm_block_spans(head, s, term, &spans);
    }

    switch (head->width) {

    case 1:
        return llm_block_keep(codes, 1, &spans, rows, n);

    case 2:
        return llm_block_keep(codes, 2, &spans, rows, n);

    case 3:
        return llm_block_keep(codes, 3, &spans, rows, n);

    case 4:
        return llm_block_keep(codes, 4, &spans, rows, n);

    case 5:
        return llm_block_keep(codes, 5, &spans, rows, n);

    default:
        return llm_block_keep(codes, head->width, &spans, rows, n);
    }
}


/* A code beyond what its width holds is of a broken head. */

static void
llm_block_spans(const llm_block_head_t *head, const llm_sift_t *s,
    const llm_sift_term_t *term, llm_block_spans_t *spans)
{
    int       i;
    uint64_t  low, high, most;

    spans->n = 0;
    most = UINT64_MAX >> (64 - 8 * head->width);

    for (i = 0; i < term->n; i++) {
        if (llm_block_span(head, &s->range[term->first + i], &low, &high)
            && low <= most)
        {
            spans->low[spans->n] = low;
            spans->size[spans->n] = (high < most ? high : most) - low;
            spans->n++;
        }
    }
}


/* Values of a list that pass and follow each other are one range of codes. */

static void
llm_block_runs(const llm_block_head_t *head, const llm_sift_t *s,
    const llm_sift_term_t *term, llm_block_spans_t *spans)
{
    int                      i, end, passes, passed;
    const llm_sift_range_t  *range;

    spans->n = 0;

    if (term->bits == 0 && term->n == 1) {
        range = &s->range[term->first];

        i = llm_block_lower(head, range->low);
        end = range->high < head->max ? llm_block_lower(head, range->high + 1)
                                      : head->values;

        if (i < end) {
            spans->low[0] = i;
            spans->size[0] = end - 1 - i;
            spans->n = 1;
        }

        return;
    }

    passed = 0;

    for (i = 0; i < head->values; i++) {
        passes = llm_sift_passes(s, term, llm_block_listed(head, i));

        if (passes && !passed) {
            spans->low[spans->n] = i;
            spans->n++;
        }

        if (passes) {
            spans->size[spans->n - 1] = i - spans->low[spans->n - 1];
        }

        passed = passes;
    }
}


/* The first value of a list that is not less. */

static int
llm_block_lower(const llm_block_head_t *head, int64_t v)
{
    int  low, high, middle;

    low = 0;
    high = head->values;

    while (low < high) {
        middle = (low + high) / 2;

        if (llm_block_listed(head, middle) < v) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


/* Steps of which no row is left are not looked at. */

static inline __attribute__((always_inline)) int
llm_block_keep(const uint8_t *codes, int width,
    const llm_block_spans_t *spans, uint8_t *rows, int n)
{
    int               i, k, row, kept;
    uint8_t           pass[LLM_BLOCK_STEP];
    llm_block_step_t  step;

    kept = 0;

    for (i = 0; i < n; i += LLM_BLOCK_STEP) {

        if (llm_block_sum(rows + i) == 0) {
            continue;
        }

        llm_block_load(&step, codes + (size_t) i * width, width,
                       n - i < LLM_BLOCK_STEP ? n - i : LLM_BLOCK_STEP);

        if (spans->n == 1) {
            llm_block_span_rows(step, width, spans->low[0], spans->size[0],
                                rows + i, &=);

        } else {
            memset(pass, 0, LLM_BLOCK_STEP);

            for (k = 0; k < spans->n; k++) {
                llm_block_span_rows(step, width, spans->low[k],
                                    spans->size[k], pass, |=);
            }

            for (row = 0; row < LLM_BLOCK_STEP; row++) {
                rows[i + row] &= pass[row];
            }
        }

        kept += llm_block_sum(rows + i);
    }

    return kept;
}


/* A width of three or five bytes is as good as the next that numbers have. */

static inline __attribute__((always_inline)) void
llm_block_load(llm_block_step_t *step, const uint8_t *codes, int width, int n)
{
    int       i;
    uint32_t  v32;
    uint64_t  v64;
    uint8_t   bytes[LLM_BLOCK_STEP * 8 + 8];

    if (n == LLM_BLOCK_STEP) {
        memcpy(bytes, codes, LLM_BLOCK_STEP * (size_t) width);

    } else {
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, codes, n * (size_t) width);
    }

    for (i = 0; i < LLM_BLOCK_STEP; i++) {

        switch (width) {

        case 1:
            step->u8[i] = bytes[i];
            break;

        case 2:
            memcpy(&step->u16[i], bytes + 2 * i, 2);
            step->u16[i] = le16toh(step->u16[i]);
            break;

        case 3:
        case 4:
            memcpy(&v32, bytes + width * i, 4);
            step->u32[i] = le32toh(v32) & UINT32_MAX >> (32 - 8 * width);
            break;

        default:
            memcpy(&v64, bytes + width * i, 8);
            step->u64[i] = le64toh(v64) & UINT64_MAX >> (64 - 8 * width);
        }
    }
}


/* How many are left of a step; each is 1 at most. */

static inline int
llm_block_sum(const uint8_t *rows)
{
    int       i;
    uint64_t  sum, word;

    sum = 0;

    for (i = 0; i < LLM_BLOCK_STEP; i += LLM_BLOCK_WORD) {
        memcpy(&word, rows + i, LLM_BLOCK_WORD);
        sum += word;
    }

    return (int) (sum * 0x0101010101010101 >> 56);
}


void
llm_block_rows(uint8_t *rows, int n)
{
    memset(rows, 1, n);
    memset(rows + n, 0, LLM_BLOCK_ROOM - n);
}


int
llm_block_places(const uint8_t *rows, int n, uint16_t *at)
{
    int       i, k, hits;
    uint64_t  word;

    hits = 0;

    for (i = 0; i < n; i += LLM_BLOCK_WORD) {
        memcpy(&word, rows + i, LLM_BLOCK_WORD);

        if (word == 0) {
            continue;
        }

        for (k = i; k < i + LLM_BLOCK_WORD; k++) {
            at[hits] = (uint16_t) k;
            hits += rows[k];
        }
    }

    return hits;
}
