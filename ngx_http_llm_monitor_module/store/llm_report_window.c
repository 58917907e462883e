
/*
 * Copyright (C) llm_monitor contributors
 *
 * Times: from when to when, and the hours, days, weeks and months of a zone.
 */


#include <string.h>
#include "llm_report_parts.h"


#define LLM_WINDOW_DAY     86400
#define LLM_WINDOW_HOUR    3600

/* what is shown if no time is asked for, the present bucket included */

#define LLM_WINDOW_HOURS   24
#define LLM_WINDOW_DAYS    30
#define LLM_WINDOW_WEEKS   12
#define LLM_WINDOW_MONTHS  12


static void llm_window_asked(llm_window_t *w, const llm_report_t *r);
static int64_t llm_window_recent(const llm_report_t *r);
static int64_t llm_window_month(int64_t day, int months);
static int64_t llm_window_next_hour(const llm_tz_t *tz, int64_t s);
static int64_t llm_window_local(const llm_tz_t *tz, int64_t s);


int
llm_window_set(llm_window_t *w, const llm_report_t *r, llm_reader_t *reader,
    llm_query_error_t *err)
{
    int64_t  first, end;

    memset(w, 0, sizeof(llm_window_t));

    first = 0;
    end = 0;

    if (reader->db != NULL
        && llm_series_extent(reader, &first, &end) != LLM_OK)
    {
        return llm_reader_fail(reader, err);
    }

    w->until = r->now_ms + 1;
    llm_window_asked(w, r);

    if (r->period == LLM_PERIOD_ALL) {
        w->since = first != end ? first : w->since;
    }

    if (r->period == LLM_PERIOD_CUSTOM) {
        w->rounded = w->since % LLM_QUARTER_MS != 0
                     || (r->until != LLM_NULL
                         && w->until % LLM_QUARTER_MS != 0);
    }

    w->since = llm_window_floor(w->since);
    w->until = llm_window_ceil(w->until);

    w->first = w->since > first ? w->since : first;

    /* what is not over has nothing to come: the last day is taken whole */

    w->end = w->until < end && w->until < r->now_ms ? w->until : end;

    if (w->first > w->end) {
        w->end = w->first;
    }

    return LLM_OK;
}


static void
llm_window_asked(llm_window_t *w, const llm_report_t *r)
{
    int64_t  day;

    day = llm_window_day(r->tz, r->now_ms);

    switch (r->period) {

    case LLM_PERIOD_CUSTOM:
        w->since = r->since;

        if (r->until != LLM_NULL) {
            w->until = r->until;
        }

        return;

    case LLM_PERIOD_YESTERDAY:
        w->until = llm_window_midnight(r->tz, day);
        day--;
        break;

    case LLM_PERIOD_WEEK:
        /* day 0 was a Thursday, the fourth day of its week */
        day -= (day + 3) % 7;
        break;

    case LLM_PERIOD_MONTH:
        day = llm_window_month(day, 0);
        break;

    case LLM_PERIOD_NONE:
        w->since = llm_window_recent(r);
        return;

    default: /* LLM_PERIOD_TODAY, LLM_PERIOD_ALL */
        break;
    }

    w->since = llm_window_midnight(r->tz, day);
}


static int64_t
llm_window_recent(const llm_report_t *r)
{
    int64_t  day, s;

    day = llm_window_day(r->tz, r->now_ms);

    switch (r->bucket) {

    case LLM_BUCKET_HOUR:
        s = r->now_ms / 1000;
        s -= llm_window_local(r->tz, s) % LLM_WINDOW_HOUR;

        return (s - (LLM_WINDOW_HOURS - 1) * LLM_WINDOW_HOUR) * 1000;

    case LLM_BUCKET_WEEK:
        day -= (day + 3) % 7 + 7 * (LLM_WINDOW_WEEKS - 1);
        break;

    case LLM_BUCKET_MONTH:
        day = llm_window_month(day, 1 - LLM_WINDOW_MONTHS);
        break;

    default: /* LLM_BUCKET_DAY */
        day -= LLM_WINDOW_DAYS - 1;
    }

    return llm_window_midnight(r->tz, day);
}


/* The first day of the month that a day is in, or of one so far from it. */

static int64_t
llm_window_month(int64_t day, int months)
{
    int      month, mday;
    int64_t  year, n;

    llm_date_from_days(day, &year, &month, &mday);

    n = year * 12 + month - 1 + months;

    return llm_days_from_date(n / 12, (int) (n % 12) + 1, 1);
}


int
llm_window_buckets(llm_window_t *w, const llm_tz_t *tz, int bucket,
    int64_t *start, size_t *n)
{
    int64_t  next;

    *n = 0;
    start[0] = w->since;

    while (start[*n] < w->until) {

        if (*n == LLM_REPORT_BUCKETS) {
            return LLM_FULL;
        }

        next = llm_window_next(tz, bucket, start[*n]);

        /* some zones were so many minutes and seconds off, long ago */

        if (next % LLM_QUARTER_MS != 0) {
            next = llm_window_ceil(next);
            w->rounded = 1;
        }

        start[++*n] = next < w->until ? next : w->until;
    }

    return LLM_OK;
}


int64_t
llm_window_next(const llm_tz_t *tz, int bucket, int64_t ms)
{
    int64_t  day, next;

    if (bucket == LLM_BUCKET_HOUR) {
        return llm_window_next_hour(tz, ms / 1000) * 1000;
    }

    day = llm_window_day(tz, ms);

    switch (bucket) {

    case LLM_BUCKET_WEEK:
        day += 7 - (day + 3) % 7;
        break;

    case LLM_BUCKET_MONTH:
        day = llm_window_month(day, 1);
        break;

    default: /* LLM_BUCKET_DAY */
        day++;
    }

    /* a zone that crossed the date line has days without an instant */

    do {
        next = llm_window_midnight(tz, day++);
    } while (next <= ms);

    return next;
}


/* hours of the clock, which may jump by half of one */

static int64_t
llm_window_next_hour(const llm_tz_t *tz, int64_t s)
{
    int64_t  next, over;

    next = s + LLM_WINDOW_HOUR - llm_window_local(tz, s) % LLM_WINDOW_HOUR;
    over = llm_window_local(tz, next) % LLM_WINDOW_HOUR;

    return over == 0 ? next : next + LLM_WINDOW_HOUR - over;
}


/* what a clock there shows, never below 0 in the time that there are rows of */

static int64_t
llm_window_local(const llm_tz_t *tz, int64_t s)
{
    s += llm_tz_offset(tz, s);

    return s > 0 ? s : 0;
}


int64_t
llm_window_day(const llm_tz_t *tz, int64_t ms)
{
    return llm_window_local(tz, ms / 1000) / LLM_WINDOW_DAY;
}


int64_t
llm_window_midnight(const llm_tz_t *tz, int64_t day)
{
    int64_t  s;

    s = llm_tz_utc(tz, day * LLM_WINDOW_DAY);

    return s > 0 ? s * 1000 : 0;
}


int64_t
llm_window_floor(int64_t ms)
{
    return ms - ms % LLM_QUARTER_MS;
}


int64_t
llm_window_ceil(int64_t ms)
{
    return llm_window_floor(ms + LLM_QUARTER_MS - 1);
}


void
llm_window_json(const llm_window_t *w, const llm_report_t *r, llm_json_t *j)
{
    llm_json_key(j, "since");
    llm_json_int(j, w->since);

    llm_json_key(j, "until");
    llm_json_int(j, w->until);

    llm_json_key(j, "rounded");
    llm_json_bool(j, w->rounded);

    llm_json_key(j, "tz");
    llm_json_text(j, r->zone);
}
