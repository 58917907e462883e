
/*
 * Copyright (C) llm_monitor contributors
 *
 * A head: the width of a code, with LLM_BLOCK_LISTED if there is a list, and
 * LLM_BLOCK_BITS if a code is stored as less than a byte; the smallest value
 * and the distance of the greatest, 8 bytes each; then of a list the number of
 * values less one, the bytes of a value, the values, and 2 bytes a value of how
 * many rows have it; without a list the distance of the second smallest value,
 * which blocks of LLM_BLOCK_FIRST columns do not have.  All numbers are
 * little-endian.
 *
 * Codes of some bits are stored by steps of 64 rows, the last of which may have
 * fewer: as many bytes as they need, the first rows in the lowest bits of each,
 * the next ones in the bits above.  So many are unpacked at once.
 */


#include <endian.h>
#include <string.h>
#include "llm_block.h"


#define LLM_BLOCK_LISTED   0x80
#define LLM_BLOCK_BITS     4          /* where they are in the first byte */
#define LLM_BLOCK_WIDTH    0x0f
#define LLM_BLOCK_HEAD     17
#define LLM_BLOCK_SECOND   8
#define LLM_BLOCK_FIRST    18
#define LLM_BLOCK_LIST     2          /* behind the head, before the values */
#define LLM_BLOCK_SLOTS    1024       /* power of two */
#define LLM_BLOCK_STEP     64


typedef struct {
    int       n;
    int64_t   value[LLM_BLOCK_VALUES];       /* in order once it is sorted */
    int       count[LLM_BLOCK_VALUES];
    uint8_t   rank[LLM_BLOCK_VALUES];        /* by number of appearance */
    uint16_t  slot[LLM_BLOCK_SLOTS];         /* number + 1; 0: free */
} llm_block_list_t;


static int llm_block_list(llm_block_list_t *list, const int64_t *v, int n,
    uint8_t *codes);
static int llm_block_number(llm_block_list_t *list, int64_t v);
static void llm_block_sort(llm_block_list_t *list);
static int llm_block_bits(int values);
static void llm_block_pack(llm_buf_t *out, const uint8_t *codes, int n,
    int bits);
static int llm_block_width(uint64_t v);
static void llm_block_put(llm_buf_t *out, uint64_t v, int width);
static uint64_t llm_block_get(const uint8_t *p, int width);
static int llm_block_second(llm_block_head_t *head, const uint8_t *p,
    size_t rest, size_t columns);
static void llm_block_unpack(const uint8_t *stored, int bits,
    uint8_t *codes);
static uint64_t llm_block_code(const uint8_t *codes, int row, int width);


void
llm_block_write(const int64_t *v, int n, llm_buf_t *head, llm_buf_t *codes)
{
    int               i, width, bits, bytes;
    int64_t           min, max, second;
    uint8_t           code[LLM_BLOCK_ROWS];
    llm_block_list_t  list;

    min = v[0];
    max = v[0];

    for (i = 1; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
    }

    bytes = llm_block_width((uint64_t) max - (uint64_t) min);

    if (!llm_block_list(&list, v, n, code)) {
        llm_block_put(head, bytes, 1);
        llm_block_put(head, (uint64_t) min, 8);
        llm_block_put(head, (uint64_t) max - (uint64_t) min, 8);

        second = max;

        for (i = 0; i < n; i++) {
            second = v[i] > min && v[i] < second ? v[i] : second;
        }

        llm_block_put(head, (uint64_t) second - (uint64_t) min,
                      LLM_BLOCK_SECOND);

        for (i = 0; i < n; i++) {
            llm_block_put(codes, (uint64_t) v[i] - (uint64_t) min, bytes);
        }

        return;
    }

    width = list.n > 1;
    bits = width == 0 ? 0 : llm_block_bits(list.n);

    llm_block_put(head, LLM_BLOCK_LISTED | bits << LLM_BLOCK_BITS | width, 1);
    llm_block_put(head, (uint64_t) min, 8);
    llm_block_put(head, (uint64_t) max - (uint64_t) min, 8);
    llm_block_put(head, list.n - 1, 1);
    llm_block_put(head, bytes, 1);

    for (i = 0; i < list.n; i++) {
        llm_block_put(head, (uint64_t) list.value[i] - (uint64_t) min, bytes);
    }

    for (i = 0; i < list.n; i++) {
        llm_block_put(head, list.count[i], 2);
    }

    if (bits != 0) {
        llm_block_pack(codes, code, n, bits);

    } else if (width != 0) {
        llm_buf_add(codes, code, n);
    }
}


/* 0: there are too many values for a list. */

static int
llm_block_list(llm_block_list_t *list, const int64_t *v, int n,
    uint8_t *codes)
{
    int  i, number;

    memset(list, 0, sizeof(llm_block_list_t));

    for (i = 0; i < n; i++) {
        number = llm_block_number(list, v[i]);

        if (number == -1) {
            return 0;
        }

        codes[i] = (uint8_t) number;
    }

    llm_block_sort(list);

    for (i = 0; i < n; i++) {
        codes[i] = list->rank[codes[i]];
    }

    return 1;
}


static int
llm_block_number(llm_block_list_t *list, int64_t v)
{
    int     number;
    size_t  i;

    i = (size_t) ((uint64_t) v * 0x9e3779b97f4a7c15 >> 32);

    for ( ;; i++) {
        i &= LLM_BLOCK_SLOTS - 1;
        number = list->slot[i] - 1;

        if (number == -1) {
            break;
        }

        if (list->value[number] == v) {
            list->count[number]++;
            return number;
        }
    }

    if (list->n == LLM_BLOCK_VALUES) {
        return -1;
    }

    number = list->n++;

    list->slot[i] = (uint16_t) (number + 1);
    list->value[number] = v;
    list->count[number] = 1;

    return number;
}


/* By insertion: they are few, and mostly fewer than ten. */

static void
llm_block_sort(llm_block_list_t *list)
{
    int      i, k, count;
    uint8_t  was[LLM_BLOCK_VALUES];
    int64_t  v;

    for (i = 0; i < list->n; i++) {
        v = list->value[i];
        count = list->count[i];

        for (k = i; k > 0 && list->value[k - 1] > v; k--) {
            list->value[k] = list->value[k - 1];
            list->count[k] = list->count[k - 1];
            was[k] = was[k - 1];
        }

        list->value[k] = v;
        list->count[k] = count;
        was[k] = (uint8_t) i;
    }

    for (i = 0; i < list->n; i++) {
        list->rank[was[i]] = (uint8_t) i;
    }
}


/* 0: they are whole bytes. */

static int
llm_block_bits(int values)
{
    if (values <= 2) {
        return 1;
    }

    if (values <= 4) {
        return 2;
    }

    return values <= 16 ? 4 : 0;
}


static void
llm_block_pack(llm_buf_t *out, const uint8_t *codes, int n, int bits)
{
    int      i, k, rows, bytes;
    uint8_t  step[LLM_BLOCK_STEP];

    for (i = 0; i < n; i += LLM_BLOCK_STEP) {
        rows = n - i < LLM_BLOCK_STEP ? n - i : LLM_BLOCK_STEP;
        bytes = (rows * bits + 7) / 8;

        memset(step, 0, sizeof(step));

        for (k = 0; k < rows; k++) {
            step[k % bytes] |= codes[i + k] << k / bytes * bits;
        }

        llm_buf_add(out, step, bytes);
    }
}


static int
llm_block_width(uint64_t v)
{
    int  width;

    for (width = 1; v > 0xff; v >>= 8) {
        width++;
    }

    return width;
}


static void
llm_block_put(llm_buf_t *out, uint64_t v, int width)
{
    v = htole64(v);

    llm_buf_add(out, &v, width);
}


static uint64_t
llm_block_get(const uint8_t *p, int width)
{
    uint64_t  v;

    v = 0;
    memcpy(&v, p, width);

    return le64toh(v);
}


void
llm_block_place(uint8_t *heads, int column, size_t place)
{
    heads[2 * column] = (uint8_t) place;
    heads[2 * column + 1] = (uint8_t) (place >> 8);
}


int
llm_block_head(const uint8_t *heads, size_t len, int column, int n,
    llm_block_head_t *head)
{
    size_t          place, rest, columns;
    const uint8_t  *p;

    if (n < 1 || n > LLM_BLOCK_ROWS || len < 2) {
        return LLM_ERROR;
    }

    /* the first head is behind the places */

    columns = (size_t) llm_block_get(heads, 2) / 2;

    if ((size_t) column >= columns || len < 2 * columns) {
        return LLM_ERROR;
    }

    place = (size_t) llm_block_get(heads + 2 * column, 2);

    if (place < 2 * columns || place + LLM_BLOCK_HEAD > len) {
        return LLM_ERROR;
    }

    p = heads + place;
    rest = len - place - LLM_BLOCK_HEAD;

    head->width = *p & LLM_BLOCK_WIDTH;
    head->bits = (*p & ~LLM_BLOCK_LISTED) >> LLM_BLOCK_BITS;
    head->min = (int64_t) llm_block_get(p + 1, 8);
    head->max = (int64_t) ((uint64_t) head->min + llm_block_get(p + 9, 8));
    head->values = 0;

    if (head->max < head->min) {
        return LLM_ERROR;
    }

    if (!(*p & LLM_BLOCK_LISTED)) {

        if (head->width < 1 || head->width > 8 || head->bits != 0) {
            return LLM_ERROR;
        }

        head->bits = 8 * head->width;

        return llm_block_second(head, p + LLM_BLOCK_HEAD, rest, columns);
    }

    if (head->width > 1 || rest < LLM_BLOCK_LIST) {
        return LLM_ERROR;
    }

    p += LLM_BLOCK_HEAD;

    head->values = p[0] + 1;
    head->bytes = p[1];
    head->list = p + LLM_BLOCK_LIST;
    head->counts = head->list + head->values * head->bytes;

    if (head->bytes < 1 || head->bytes > 8
        || (head->width == 0 && head->values != 1)
        || (head->bits != 0
            && (head->width == 0 || head->bits != llm_block_bits(head->values)))
        || rest - LLM_BLOCK_LIST < (size_t) head->values * (head->bytes + 2))
    {
        return LLM_ERROR;
    }

    if (head->bits == 0) {
        head->bits = 8 * head->width;
    }

    head->second = llm_block_listed(head, 1);

    return LLM_OK;
}


static int
llm_block_second(llm_block_head_t *head, const uint8_t *p, size_t rest,
    size_t columns)
{
    head->second = head->min < head->max ? head->min + 1 : head->max;

    if (columns > LLM_BLOCK_FIRST) {

        if (rest < LLM_BLOCK_SECOND) {
            return LLM_ERROR;
        }

        head->second = (int64_t) ((uint64_t) head->min
                                  + llm_block_get(p, LLM_BLOCK_SECOND));
    }

    return head->second >= head->min && head->second <= head->max ? LLM_OK
                                                                  : LLM_ERROR;
}


const uint8_t *
llm_block_codes(const llm_block_head_t *head, const uint8_t *stored,
    size_t len, int n, uint8_t *codes)
{
    int     i, k, rest, bytes;
    size_t  want;

    rest = n % LLM_BLOCK_STEP;
    want = n / LLM_BLOCK_STEP * (LLM_BLOCK_STEP / 8) * (size_t) head->bits
           + (rest * head->bits + 7) / 8;

    if (stored == NULL || len != want) {
        return NULL;
    }

    if (head->bits >= 8) {
        return stored;
    }

    for (i = 0; i < n - rest; i += LLM_BLOCK_STEP) {
        llm_block_unpack(stored, head->bits, codes + i);
        stored += LLM_BLOCK_STEP / 8 * head->bits;
    }

    bytes = (rest * head->bits + 7) / 8;

    for (k = 0; k < rest; k++) {
        codes[i + k] = stored[k % bytes] >> k / bytes * head->bits
                       & ((1 << head->bits) - 1);
    }

    return codes;
}


/* Of a step, eight bytes at once. */

static inline void
llm_block_unpack(const uint8_t *stored, int bits, uint8_t *codes)
{
    int       i, shift;
    uint64_t  word, mask, v;

    mask = 0x0101010101010101 * ((1 << bits) - 1);

    for (shift = 0; shift < 8; shift += bits) {
        for (i = 0; i < bits; i++) {
            memcpy(&word, stored + 8 * i, 8);
            v = word >> shift & mask;
            memcpy(codes, &v, 8);
            codes += 8;
        }
    }
}


int64_t
llm_block_value(const llm_block_head_t *head, const uint8_t *codes, int row)
{
    if (head->values == 0) {
        return (int64_t) ((uint64_t) head->min
                          + llm_block_code(codes, row, head->width));
    }

    return llm_block_listed(head, head->width == 0 ? 0 : codes[row]);
}


static uint64_t
llm_block_code(const uint8_t *codes, int row, int width)
{
    uint16_t        v16;
    uint32_t        v32;
    const uint8_t  *p;

    p = codes + (size_t) row * width;

    switch (width) {

    case 2:
        memcpy(&v16, p, 2);
        return le16toh(v16);

    case 3:
        memcpy(&v16, p, 2);
        return le16toh(v16) | (uint32_t) p[2] << 16;

    case 4:
        memcpy(&v32, p, 4);
        return le32toh(v32);

    case 5:
        memcpy(&v32, p, 4);
        return le32toh(v32) | (uint64_t) p[4] << 32;

    default:
        return llm_block_get(p, width);
    }
}


int64_t
llm_block_listed(const llm_block_head_t *head, int i)
{
    int             k;
    uint64_t        v;
    const uint8_t  *p;

    if (i >= head->values) {
        return head->max;
    }

    /* mostly one or two bytes, for which it is not worth to call memcpy() */

    v = 0;
    p = head->list + i * head->bytes;

    for (k = 0; k < head->bytes; k++) {
        v |= (uint64_t) p[k] << 8 * k;
    }

    return (int64_t) ((uint64_t) head->min + v);
}


int
llm_block_counted(const llm_block_head_t *head, int i)
{
    return head->counts[2 * i] | head->counts[2 * i + 1] << 8;
}
