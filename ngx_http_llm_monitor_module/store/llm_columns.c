
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_columns.h"


#define LLM_COLUMNS_VERSION  2
#define LLM_COLUMNS_BITS     56           /* more are 64: a byte of their own */


static const uint8_t  llm_columns_places[LLM_COLUMNS_COUNT] = {
    LLM_COLUMNS_VALUES,
    LLM_COLUMNS_SUM(LLM_C_REQUESTS), LLM_COLUMNS_SUM(LLM_C_TOTAL),
    LLM_COLUMNS_SUM(LLM_C_PRICED), LLM_COLUMNS_SUM(LLM_C_COST),
    LLM_COLUMNS_SUM(LLM_C_ERRORS), LLM_COLUMNS_SUM(LLM_C_INPUT),
    LLM_COLUMNS_SUM(LLM_C_OUTPUT), LLM_COLUMNS_SUM(LLM_C_DURATION_N),
    LLM_COLUMNS_SUM(LLM_C_DURATION), LLM_COLUMNS_SUM(LLM_C_TTFT_N),
    LLM_COLUMNS_SUM(LLM_C_TTFT), LLM_COLUMNS_SUM(LLM_C_SPEED_TOKENS),
    LLM_COLUMNS_SUM(LLM_C_SPEED_US), LLM_COLUMNS_SUM(LLM_C_USAGES),
    LLM_COLUMNS_SUM(LLM_C_CACHE_READ), LLM_COLUMNS_SUM(LLM_C_CACHE_CREATION),
    LLM_COLUMNS_SUM(LLM_C_REASONING)
};


static void llm_columns_totals(llm_buf_t *out,
    const int64_t (*rows)[LLM_COLUMNS_COUNT], size_t n);
static int llm_columns_bits(const int64_t (*rows)[LLM_COLUMNS_COUNT],
    size_t n, int column, int64_t least);
static void llm_columns_column(llm_buf_t *out,
    const int64_t (*rows)[LLM_COLUMNS_COUNT], size_t n, int column,
    int64_t least, int bits);
static void llm_columns_put(llm_buf_t *out, uint64_t v, int bytes);
static int64_t llm_columns_number(const uint8_t *p, int n);


const uint8_t *
llm_columns_order(void)
{
    return llm_columns_places;
}


void
llm_columns_write(llm_buf_t *out, const int64_t (*rows)[LLM_COLUMNS_COUNT],
    size_t n)
{
    int      i, j, bits[LLM_COLUMNS_COUNT];
    size_t   k, apart;
    int64_t  least[LLM_COLUMNS_COUNT];

    for (apart = 0; apart < n && apart < LLM_COLUMNS_APART; apart++) {
        if (rows[apart][LLM_COLUMNS_VALUES] > 0) {
            break;
        }
    }

    memset(least, 0, sizeof(least));

    if (apart < n) {
        least[LLM_COLUMNS_VALUES] = rows[apart][LLM_COLUMNS_VALUES];
    }

    llm_columns_put(out, LLM_COLUMNS_VERSION, 1);
    llm_columns_put(out, apart, 1);

    for (i = 0; i < LLM_COLUMNS_COUNT; i++) {
        bits[i] = llm_columns_bits(rows + apart, n - apart, i, least[i]);
        llm_columns_put(out, (uint64_t) bits[i], 1);
    }

    llm_columns_put(out, n - apart, 4);
    llm_columns_put(out, (uint64_t) least[LLM_COLUMNS_VALUES], 8);
    llm_columns_totals(out, rows, n);

    for (k = 0; k < apart; k++) {

        for (i = 0; i < LLM_COLUMNS_COUNT; i++) {
            llm_columns_put(out, (uint64_t) rows[k][i], 8);
        }
    }

    for (j = 0; j < LLM_COLUMNS_COUNT; j++) {
        i = llm_columns_places[j];
        llm_columns_column(out, rows + apart, n - apart, i, least[i],
                           bits[i]);
    }
}


static void
llm_columns_totals(llm_buf_t *out, const int64_t (*rows)[LLM_COLUMNS_COUNT],
    size_t n)
{
    int       i;
    size_t    k;
    uint64_t  total;

    for (i = 0; i < LLM_C_COUNT; i++) {

        for (k = 0, total = 0; k < n; k++) {
            total += (uint64_t) rows[k][LLM_COLUMNS_SUM(i)];
        }

        llm_columns_put(out, total, 8);
    }
}


/* Those that any number of a column needs. */

static int
llm_columns_bits(const int64_t (*rows)[LLM_COLUMNS_COUNT], size_t n,
    int column, int64_t least)
{
    int       bits;
    size_t    k;
    uint64_t  all;

    all = 0;

    for (k = 0; k < n; k++) {
        all |= (uint64_t) rows[k][column] - (uint64_t) least;
    }

    for (bits = 0; all != 0; all >>= 1) {
        bits++;
    }

    return bits > LLM_COLUMNS_BITS ? 64 : bits;
}


static void
llm_columns_column(llm_buf_t *out, const int64_t (*rows)[LLM_COLUMNS_COUNT],
    size_t n, int column, int64_t least, int bits)
{
    int       used;
    size_t    k;
    uint64_t  v, held;

    held = 0;
    used = 0;

    for (k = 0; k < n; k++) {
        v = (uint64_t) rows[k][column] - (uint64_t) least;

        if (bits > LLM_COLUMNS_BITS) {
            llm_columns_put(out, v, 8);
            continue;
        }

        held |= v << used;
        used += bits;

        llm_columns_put(out, held, used / 8);

        held = used / 8 == 8 ? 0 : held >> used / 8 * 8;
        used %= 8;
    }

    llm_columns_put(out, held, used != 0);
}


static void
llm_columns_put(llm_buf_t *out, uint64_t v, int bytes)
{
    v = htole64(v);

    llm_buf_add(out, &v, (size_t) bytes);
}


int
llm_columns_head(llm_columns_t *c, const uint8_t *p, size_t size)
{
    int             i, j;
    size_t          k;
    const uint8_t  *bits;

    if (size < LLM_COLUMNS_HEAD || p[0] != LLM_COLUMNS_VERSION
        || p[1] > LLM_COLUMNS_APART)
    {
        return LLM_ERROR;
    }

    c->apart = p[1];
    c->size = LLM_COLUMNS_HEAD + 8 * LLM_COLUMNS_COUNT * c->apart;

    if (size < c->size) {
        return LLM_ERROR;
    }

    bits = p + 2;
    p = bits + LLM_COLUMNS_COUNT;

    c->n = llm_columns_get(p, 32, 0);

    p += 4;

    c->least = llm_columns_number(p, 0);

    for (i = 0; i < LLM_C_COUNT; i++) {
        c->total[i] = llm_columns_number(p, LLM_COLUMNS_SUM(i));
    }

    for (k = 0; k < c->apart; k++) {
        p += 8 * LLM_COLUMNS_COUNT;

        for (i = 0; i < LLM_COLUMNS_COUNT; i++) {
            c->row[k][i] = llm_columns_number(p, i);
        }
    }

    for (j = 0; j < LLM_COLUMNS_COUNT; j++) {
        i = llm_columns_places[j];

        if (bits[i] > LLM_COLUMNS_BITS && bits[i] != 64) {
            return LLM_ERROR;
        }

        c->bits[i] = bits[i];
        c->at[i] = c->size;
        c->size += (c->n * bits[i] + 7) / 8;
    }

    return c->size == size ? LLM_OK : LLM_ERROR;
}


static int64_t
llm_columns_number(const uint8_t *p, int n)
{
    return (int64_t) llm_columns_get(p, 64, (size_t) n);
}


int
llm_columns_find(const llm_columns_t *c, const uint8_t *values, int64_t value,
    size_t *place)
{
    int       bits;
    size_t    low, high, middle;
    uint64_t  want;

    if (c->n == 0 || value < c->least) {
        return LLM_DECLINED;
    }

    want = (uint64_t) value - (uint64_t) c->least;
    bits = c->bits[LLM_COLUMNS_VALUES];
    low = 0;
    high = c->n;

    while (high - low > 1) {
        middle = low + (high - low) / 2;

        if (llm_columns_get(values, bits, middle) <= want) {
            low = middle;

        } else {
            high = middle;
        }
    }

    *place = low;

    return llm_columns_get(values, bits, low) == want ? LLM_OK
                                                      : LLM_DECLINED;
}
