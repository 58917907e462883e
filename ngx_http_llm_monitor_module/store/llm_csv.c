
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_csv.h"
#include "../record/llm_text.h"


#define LLM_CSV_SECOND   1000
#define LLM_CSV_DAY      86400         /* s */
#define LLM_CSV_TIME     64            /* bytes, and more than any has */

#define LLM_CSV_BYTES(c) (UINT64_C(0x0101010101010101) * (c))


static void llm_csv_cell(llm_csv_t *csv);
static char *llm_csv_digits(char *p, int64_t v, int n);
static int llm_csv_formula(uint8_t c);
static int llm_csv_plain(const uint8_t *p, size_t n);
static const uint8_t *llm_csv_rest(llm_csv_t *csv, const uint8_t *p,
    const uint8_t *end);
static void llm_csv_bytes(llm_csv_t *csv, const uint8_t *p, size_t n);


static const uint8_t  llm_csv_unknown[] = { 0xef, 0xbf, 0xbd };


void
llm_csv_init(llm_csv_t *csv, llm_buf_t *out)
{
    memset(csv, 0, sizeof(llm_csv_t));
    csv->out = out;
}


/* Before each cell: the comma after the one before it in its line. */

static void
llm_csv_cell(llm_csv_t *csv)
{
    uint8_t  *p;

    if (csv->cells++ > 0) {
        p = llm_buf_room(csv->out, 1);

        if (p != NULL) {
            *p = ',';
            csv->out->len++;
        }
    }
}


void
llm_csv_null(llm_csv_t *csv)
{
    llm_csv_cell(csv);
}


void
llm_csv_bool(llm_csv_t *csv, int v)
{
    llm_csv_cell(csv);
    llm_buf_text(csv->out, v ? "true" : "false");
}


void
llm_csv_decimal(llm_csv_t *csv, int64_t v, int decimals)
{
    llm_csv_cell(csv);

    if (v != LLM_NULL) {
        llm_buf_decimal(csv->out, v, decimals);
    }
}


void
llm_csv_time(llm_csv_t *csv, int64_t ms, const llm_tz_t *tz)
{
    int      month, day;
    char     text[LLM_CSV_TIME], *p;
    int64_t  s, offset, days, year;

    llm_csv_cell(csv);

    if (ms == LLM_NULL) {
        return;
    }

    s = ms / LLM_CSV_SECOND;
    offset = llm_tz_offset(tz, s) / 60;
    s += offset * 60;

    days = s / LLM_CSV_DAY;
    s %= LLM_CSV_DAY;

    llm_date_from_days(days, &year, &month, &day);

    p = llm_csv_digits(text, year, 4);
    *p++ = '-';
    p = llm_csv_digits(p, month, 2);
    *p++ = '-';
    p = llm_csv_digits(p, day, 2);
    *p++ = 'T';
    p = llm_csv_digits(p, s / 3600, 2);
    *p++ = ':';
    p = llm_csv_digits(p, s / 60 % 60, 2);
    *p++ = ':';
    p = llm_csv_digits(p, s % 60, 2);
    *p++ = '.';
    p = llm_csv_digits(p, ms % LLM_CSV_SECOND, 3);

    if (offset == 0) {
        *p++ = 'Z';

    } else {
        *p++ = offset < 0 ? '-' : '+';
        offset = offset < 0 ? -offset : offset;

        p = llm_csv_digits(p, offset / 60, 2);
        *p++ = ':';
        p = llm_csv_digits(p, offset % 60, 2);
    }

    llm_buf_add(csv->out, text, (size_t) (p - text));
}


/* the last n digits of v; where the next one goes */

static char *
llm_csv_digits(char *p, int64_t v, int n)
{
    int  i;

    for (i = n - 1; i >= 0; i--) {
        p[i] = (char) ('0' + v % 10);
        v /= 10;
    }

    return p + n;
}


/* nearly each text needs nothing but its quotes, and is added at once */

void
llm_csv_text(llm_csv_t *csv, const llm_str_t *s)
{
    uint8_t  *p;

    if (s->data == NULL) {
        llm_csv_null(csv);
        return;
    }

    if (!llm_csv_plain(s->data, s->len)) {
        llm_csv_open(csv);
        llm_csv_append(csv, s->data, s->len);
        llm_csv_close(csv);
        return;
    }

    llm_csv_cell(csv);

    p = llm_buf_room(csv->out, s->len + 2);

    if (p != NULL) {
        *p++ = '"';
        p = (uint8_t *) memcpy(p, s->data, s->len) + s->len;
        *p = '"';

        csv->out->len += s->len + 2;
    }
}


/*
 * ASCII without quotes or NUL that no spreadsheet takes for a formula, eight
 * bytes at a time: x - 1 borrows from the upper bit of a byte that is 0.
 */

static int
llm_csv_plain(const uint8_t *p, size_t n)
{
    uint64_t  x, quote;

    if (n > 0 && llm_csv_formula(*p)) {
        return 0;
    }

    for ( /* void */ ; n > 0; p += sizeof(x), n -= sizeof(x)) {

        if (n < sizeof(x)) {
            x = LLM_CSV_BYTES(' ');
            memcpy(&x, p, n);
            n = sizeof(x);

        } else {
            memcpy(&x, p, sizeof(x));
        }

        quote = x ^ LLM_CSV_BYTES('"');

        if ((x | (x - LLM_CSV_BYTES(1)) | (quote - LLM_CSV_BYTES(1)))
            & LLM_CSV_BYTES(0x80))
        {
            return 0;
        }
    }

    return 1;
}


void
llm_csv_open(llm_csv_t *csv)
{
    llm_csv_cell(csv);
    llm_buf_add(csv->out, "\"", 1);

    csv->nrest = 0;
    csv->begun = 0;
}


void
llm_csv_append(llm_csv_t *csv, const uint8_t *p, size_t n)
{
    int             len;
    const uint8_t  *end, *run;

    if (n == 0) {
        return;
    }

    end = p + n;

    if (csv->nrest > 0) {
        p = llm_csv_rest(csv, p, end);
    }

    run = p;

    while (p < end) {

        if (*p < 0x80 && *p != '\0') {
            p++;
            continue;
        }

        len = *p == '\0' ? -1 : llm_utf8_decode(p, (size_t) (end - p), NULL);

        if (len > 0) {
            p += len;
            continue;
        }

        llm_csv_bytes(csv, run, (size_t) (p - run));

        if (len == 0) {
            csv->nrest = (uint8_t) (end - p);
            memcpy(csv->rest, p, csv->nrest);
            return;
        }

        llm_csv_bytes(csv, llm_csv_unknown, sizeof(llm_csv_unknown));

        p += -len;
        run = p;
    }

    llm_csv_bytes(csv, run, (size_t) (p - run));
}


/*
 * The character that the last piece began, byte by byte.  A byte that does not
 * continue it belongs to the next one and is left in the new piece.
 */

static const uint8_t *
llm_csv_rest(llm_csv_t *csv, const uint8_t *p, const uint8_t *end)
{
    int  len;

    while (p < end) {

        csv->rest[csv->nrest] = *p;
        len = llm_utf8_decode(csv->rest, csv->nrest + 1, NULL);

        if (len == 0) {
            csv->nrest++;
            p++;
            continue;
        }

        if (len < 0) {
            csv->nrest = 0;
            llm_csv_bytes(csv, llm_csv_unknown, sizeof(llm_csv_unknown));
            return p;
        }

        csv->nrest = 0;
        llm_csv_bytes(csv, csv->rest, (size_t) len);

        return p + 1;
    }

    return p;
}


/* whole characters, quotes doubled */

static void
llm_csv_bytes(llm_csv_t *csv, const uint8_t *p, size_t n)
{
    const uint8_t  *end, *quote;

    if (n == 0) {
        return;
    }

    if (!csv->begun) {
        csv->begun = 1;

        if (llm_csv_formula(*p)) {
            llm_buf_add(csv->out, "'", 1);
        }
    }

    end = p + n;

    while ((quote = memchr(p, '"', (size_t) (end - p))) != NULL) {
        llm_buf_add(csv->out, p, (size_t) (quote + 1 - p));
        llm_buf_add(csv->out, "\"", 1);
        p = quote + 1;
    }

    llm_buf_add(csv->out, p, (size_t) (end - p));
}


/* as the first character of a cell */

static int
llm_csv_formula(uint8_t c)
{
    switch (c) {

    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case '\n':
        return 1;
    }

    return 0;
}


void
llm_csv_close(llm_csv_t *csv)
{
    if (csv->nrest > 0) {
        csv->nrest = 0;
        llm_csv_bytes(csv, llm_csv_unknown, sizeof(llm_csv_unknown));
    }

    llm_buf_add(csv->out, "\"", 1);
}


void
llm_csv_line(llm_csv_t *csv)
{
    llm_buf_add(csv->out, "\r\n", 2);
    csv->cells = 0;
}
