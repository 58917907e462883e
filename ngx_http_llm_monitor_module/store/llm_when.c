
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>
#include "llm_when.h"


#define LLM_WHEN_DAY        86400


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
    int             basic;     /* 20261121T083000 */
} llm_when_t;


static int llm_when_word(const llm_str_t *text, const llm_tz_t *tz,
    int64_t now_ms, int64_t *ms);
static int llm_when_number(const llm_str_t *text, int64_t *ms);
static int llm_when_ago(const llm_str_t *text, int64_t now_ms, int64_t *ms);
static int llm_when_iso(const llm_str_t *text, const llm_tz_t *tz,
    int64_t *ms);
static int llm_when_iso_part(llm_when_t *w, uint8_t c, int *v);
static int llm_when_iso_time(llm_when_t *w, int64_t *seconds, int64_t *ms);
static int llm_when_iso_fraction(llm_when_t *w, int64_t *ms);
static int llm_when_iso_offset(llm_when_t *w, const llm_tz_t *tz,
    int64_t local, int64_t *utc);
static int llm_when_digits(llm_when_t *w, int n, int *v);
static int llm_when_char(llm_when_t *w, uint8_t c);
static int llm_when_digit(const llm_when_t *w);


int
llm_when_parse(const llm_str_t *text, const llm_tz_t *tz, int64_t now_ms,
    int64_t *ms)
{
    int  rc;

    rc = llm_when_word(text, tz, now_ms, ms);

    if (rc == LLM_DECLINED) {
        rc = llm_when_number(text, ms);
    }

    if (rc == LLM_DECLINED) {
        rc = llm_when_ago(text, now_ms, ms);
    }

    if (rc == LLM_DECLINED) {
        rc = llm_when_iso(text, tz, ms);
    }

    if (rc != LLM_OK || *ms > LLM_WHEN_MAX_MS) {
        return LLM_ERROR;
    }

    if (*ms < 0) {
        *ms = 0;
    }

    return LLM_OK;
}


static int
llm_when_word(const llm_str_t *text, const llm_tz_t *tz, int64_t now_ms,
    int64_t *ms)
{
    int      month, day;
    size_t   i;
    int64_t  now, days, year;

    static const llm_str_t  word[] = {
        llm_str("today"), llm_str("yesterday"), llm_str("week"),
        llm_str("month")
    };

    for (i = 0; i < sizeof(word) / sizeof(word[0]); i++) {

        if (text->len == word[i].len
            && memcmp(text->data, word[i].data, text->len) == 0)
        {
            break;
        }
    }

    now = now_ms / 1000;
    days = (now + llm_tz_offset(tz, now)) / LLM_WHEN_DAY;

    switch (i) {

    case 0:
        break;

    case 1:
        days--;
        break;

    case 2:
        /* day 0 was a Thursday, the fourth day of its week */
        days -= (days + 3) % 7;
        break;

    case 3:
        llm_date_from_days(days, &year, &month, &day);
        days -= day - 1;
        break;

    default:
        return LLM_DECLINED;
    }

    *ms = llm_tz_utc(tz, days * LLM_WHEN_DAY) * 1000;

    return LLM_OK;
}


static int
llm_when_number(const llm_str_t *text, int64_t *ms)
{
    size_t  i;

    /* 20261121 is a day of that year and not one of 1970 */

    if (text->len == 0 || text->len > 15 || text->len == 8) {
        return LLM_DECLINED;
    }

    *ms = 0;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return LLM_DECLINED;
        }

        *ms = *ms * 10 + (text->data[i] - '0');
    }

    return LLM_OK;
}


static int
llm_when_ago(const llm_str_t *text, int64_t now_ms, int64_t *ms)
{
    size_t   i;
    int64_t  n, unit;

    /* a '-', up to six digits, a unit */

    if (text->len < 3 || text->len > 8 || text->data[0] != '-') {
        return LLM_DECLINED;
    }

    n = 0;

    for (i = 1; i < text->len - 1; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return LLM_ERROR;
        }

        n = n * 10 + (text->data[i] - '0');
    }

    switch (text->data[i]) {

    case 's':
        unit = 1;
        break;

    case 'm':
        unit = 60;
        break;

    case 'h':
        unit = 3600;
        break;

    case 'd':
        unit = LLM_WHEN_DAY;
        break;

    case 'w':
        unit = 7 * LLM_WHEN_DAY;
        break;

    default:
        return LLM_ERROR;
    }

    *ms = now_ms - n * unit * 1000;

    return LLM_OK;
}


/*
 * 2026-11-21, 2026-11-21T08:30, 2026-11-21 08:30:00.250+05:45, and the same
 * without '-' and ':'
 */

static int
llm_when_iso(const llm_str_t *text, const llm_tz_t *tz, int64_t *ms)
{
    int         year, month, day, days;
    int64_t     seconds, fraction, local, utc;
    llm_when_t  w;

    static const uint8_t  month_days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    w.p = text->data;
    w.end = text->data + text->len;

    if (llm_when_digits(&w, 4, &year) != LLM_OK) {
        return LLM_ERROR;
    }

    w.basic = llm_when_digit(&w);

    if (llm_when_iso_part(&w, '-', &month) != LLM_OK
        || llm_when_iso_part(&w, '-', &day) != LLM_OK
        || month < 1 || month > 12 || day < 1)
    {
        return LLM_ERROR;
    }

    days = month_days[month - 1];

    if (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
    {
        days = 29;
    }

    if (day > days) {
        return LLM_ERROR;
    }

    seconds = 0;
    fraction = 0;

    if (w.p < w.end
        && llm_when_iso_time(&w, &seconds, &fraction) != LLM_OK)
    {
        return LLM_ERROR;
    }

    local = llm_days_from_date(year, month, day) * LLM_WHEN_DAY + seconds;

    if (llm_when_iso_offset(&w, tz, local, &utc) != LLM_OK) {
        return LLM_ERROR;
    }

    *ms = utc * 1000 + fraction;

    return LLM_OK;
}


/* the next two digits, behind c where the parts are apart */

static int
llm_when_iso_part(llm_when_t *w, uint8_t c, int *v)
{
    if (!w->basic && llm_when_char(w, c) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_when_digits(w, 2, v);
}


/* hours, and minutes and seconds if they are there */

static int
llm_when_iso_time(llm_when_t *w, int64_t *seconds, int64_t *ms)
{
    int  i, part[3];

    part[1] = 0;
    part[2] = 0;

    if (*w->p != 'T' && *w->p != 't' && *w->p != ' ') {
        return LLM_ERROR;
    }

    w->p++;

    if (llm_when_digits(w, 2, &part[0]) != LLM_OK) {
        return LLM_ERROR;
    }

    for (i = 1; i < 3; i++) {

        if (w->p == w->end
            || (w->basic ? !llm_when_digit(w) : *w->p != ':'))
        {
            break;
        }

        if (llm_when_iso_part(w, ':', &part[i]) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    if (i == 3 && llm_when_iso_fraction(w, ms) != LLM_OK) {
        return LLM_ERROR;
    }

    /* 24:00 is the end of the day */

    if (part[0] > 24 || part[1] > 59 || part[2] > 59
        || (part[0] == 24 && (part[1] != 0 || part[2] != 0 || *ms != 0)))
    {
        return LLM_ERROR;
    }

    *seconds = part[0] * 3600 + part[1] * 60 + part[2];

    return LLM_OK;
}


/* what is finer than a millisecond is cut */

static int
llm_when_iso_fraction(llm_when_t *w, int64_t *ms)
{
    int  scale;

    if (llm_when_char(w, '.') != LLM_OK && llm_when_char(w, ',') != LLM_OK) {
        return LLM_OK;
    }

    if (!llm_when_digit(w)) {
        return LLM_ERROR;
    }

    for (scale = 100; llm_when_digit(w); w->p++) {
        *ms += (*w->p - '0') * scale;
        scale /= 10;
    }

    return LLM_OK;
}


/* the text ends here, or an offset follows and then it ends */

static int
llm_when_iso_offset(llm_when_t *w, const llm_tz_t *tz, int64_t local,
    int64_t *utc)
{
    llm_str_t   name;
    llm_tz_t   *fixed;

    if (w->p == w->end) {
        *utc = llm_tz_utc(tz, local);
        return LLM_OK;
    }

    name.data = w->p;
    name.len = (size_t) (w->end - w->p);

    /* an offset, not a name: those are for tz */

    if (*w->p == 'Z' || *w->p == 'z') {
        *utc = local;
        return name.len == 1 ? LLM_OK : LLM_ERROR;
    }

    if (*w->p != '+' && *w->p != '-' && *w->p != ' ') {
        return LLM_ERROR;
    }

    if (llm_tz_open(&fixed, &name) != LLM_OK) {
        return LLM_ERROR;
    }

    *utc = local - llm_tz_offset(fixed, local);

    llm_tz_close(fixed);

    return LLM_OK;
}


static int
llm_when_digits(llm_when_t *w, int n, int *v)
{
    *v = 0;

    for ( /* void */ ; n != 0; n--) {

        if (!llm_when_digit(w)) {
            return LLM_ERROR;
        }

        *v = *v * 10 + (*w->p++ - '0');
    }

    return LLM_OK;
}


static int
llm_when_char(llm_when_t *w, uint8_t c)
{
    if (w->p == w->end || *w->p != c) {
        return LLM_ERROR;
    }

    w->p++;

    return LLM_OK;
}


static int
llm_when_digit(const llm_when_t *w)
{
    return w->p < w->end && *w->p >= '0' && *w->p <= '9';
}
