
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include "llm_csv.h"
#include "../record/llm_json_write.h"
#include "../record/llm_text.h"


#define LLM_CSV_SECOND   1000
#define LLM_CSV_DAY      86400         /* s */


static void llm_csv_cell(llm_csv_t *csv);
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
    if (csv->cells++ > 0) {
        llm_buf_add(csv->out, ",", 1);
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


/* a number looks the same in JSON */

void
llm_csv_decimal(llm_csv_t *csv, int64_t v, int decimals)
{
    llm_json_t  j;

    llm_csv_cell(csv);

    if (v != LLM_NULL) {
        llm_json_init(&j, csv->out);
        llm_json_decimal(&j, v, decimals);
    }
}


void
llm_csv_time(llm_csv_t *csv, int64_t ms, const llm_tz_t *tz)
{
    int      month, day, n;
    char     text[64], zone[16];
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

    if (offset == 0) {
        snprintf(zone, sizeof(zone), "Z");

    } else {
        n = (int) (offset < 0 ? -offset : offset);
        snprintf(zone, sizeof(zone), "%c%02d:%02d", offset < 0 ? '-' : '+',
                 n / 60, n % 60);
    }

    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03d%s",
             (int) year, month, day, (int) (s / 3600), (int) (s / 60 % 60),
             (int) (s % 60), (int) (ms % LLM_CSV_SECOND), zone);

    llm_buf_text(csv->out, text);
}


void
llm_csv_text(llm_csv_t *csv, const llm_str_t *s)
{
    if (s->data == NULL) {
        llm_csv_null(csv);
        return;
    }

    llm_csv_open(csv);
    llm_csv_append(csv, s->data, s->len);
    llm_csv_close(csv);
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

        switch (*p) {

        case '=':
        case '+':
        case '-':
        case '@':
        case '\t':
        case '\r':
        case '\n':
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
