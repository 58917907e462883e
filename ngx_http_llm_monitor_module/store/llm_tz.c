
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "llm_tz.h"


#define LLM_TZ_DIR        "/usr/share/zoneinfo/"
#define LLM_TZ_HEADER     44
#define LLM_TZ_FOOTER     128         /* bytes of a POSIX rule that are read */
#define LLM_TZ_DAY        86400
#define LLM_TZ_HOURS      168         /* RFC 8536: -167 to 167 in a rule */


/* a change between standard and summer time, as POSIX writes it */

typedef struct {
    int                kind;          /* 'M', 'J', 'n', or 0: there is none */
    int                month;
    int                week;
    int                day;
    int64_t            time;          /* seconds of local time */
} llm_tz_rule_t;


/* the six counts of a TZif header, in its order */

typedef struct {
    uint32_t           isut;
    uint32_t           isstd;
    uint32_t           leap;
    uint32_t           time;
    uint32_t           type;
    uint32_t           chars;
} llm_tz_counts_t;


struct llm_tz_s {
    uint8_t           *file;
    const uint8_t     *times;         /* ntimes of 8 bytes, big endian */
    const uint8_t     *index;
    const uint8_t     *types;         /* ntypes of 6 bytes */
    size_t             ntimes;
    size_t             ntypes;

    /* what holds after the last of them */
    int64_t            standard;      /* seconds east */
    int64_t            summer;
    int                rules;         /* there is a rule for the future */
    llm_tz_rule_t      start;
    llm_tz_rule_t      end;
};


static int llm_tz_fixed(llm_tz_t *tz, const llm_str_t *name);
static int llm_tz_name(const llm_str_t *name);
static int llm_tz_read(llm_tz_t *tz, const char *path, size_t *n);
static int llm_tz_load(llm_tz_t *tz, size_t n);
static int llm_tz_counts(const uint8_t *p, const uint8_t *end,
    llm_tz_counts_t *c);
static size_t llm_tz_block(const llm_tz_counts_t *c, size_t width);
static int llm_tz_posix(llm_tz_t *tz, const char *p);
static const char *llm_tz_posix_name(const char *p);
static const char *llm_tz_posix_time(const char *p, int64_t *v);
static const char *llm_tz_posix_rule(const char *p, llm_tz_rule_t *rule);
static const char *llm_tz_posix_int(const char *p, int *v, int max);
static int64_t llm_tz_rule_time(const llm_tz_rule_t *rule, int64_t year);
static int64_t llm_tz_rules(const llm_tz_t *tz, int64_t utc);
static int64_t llm_tz_type(const llm_tz_t *tz, size_t n);
static uint32_t llm_tz_be32(const uint8_t *p);
static int64_t llm_tz_be64(const uint8_t *p);


int
llm_tz_open(llm_tz_t **out, const llm_str_t *name)
{
    int        rc;
    char       path[sizeof(LLM_TZ_DIR) + LLM_TZ_NAME_MAX];
    size_t     n;
    llm_tz_t  *tz;

    *out = NULL;

    tz = calloc(1, sizeof(llm_tz_t));
    if (tz == NULL) {
        return LLM_NOMEM;
    }

    if (llm_tz_fixed(tz, name) == LLM_OK) {
        *out = tz;
        return LLM_OK;
    }

    rc = LLM_DECLINED;

    if (llm_tz_name(name) != LLM_OK) {
        goto failed;
    }

    memcpy(path, LLM_TZ_DIR, sizeof(LLM_TZ_DIR) - 1);
    memcpy(path + sizeof(LLM_TZ_DIR) - 1, name->data, name->len);
    path[sizeof(LLM_TZ_DIR) - 1 + name->len] = '\0';

    rc = llm_tz_read(tz, path, &n);
    if (rc != LLM_OK) {
        goto failed;
    }

    rc = llm_tz_load(tz, n);
    if (rc != LLM_OK) {
        goto failed;
    }

    *out = tz;

    return LLM_OK;

failed:

    llm_tz_close(tz);

    return rc;
}


void
llm_tz_close(llm_tz_t *tz)
{
    if (tz == NULL) {
        return;
    }

    free(tz->file);
    free(tz);
}


/* UTC, Z, +05:45, -0330, +2; a raw '+' in a query string is a blank */

static int
llm_tz_fixed(llm_tz_t *tz, const llm_str_t *name)
{
    int             minus;
    size_t          i, digits;
    int64_t         v[2];
    const uint8_t  *p;

    p = name->data;

    if ((name->len == 3 && memcmp(p, "UTC", 3) == 0)
        || (name->len == 1 && p[0] == 'Z'))
    {
        return LLM_OK;
    }

    if (name->len < 2 || (p[0] != '+' && p[0] != '-' && p[0] != ' ')) {
        return LLM_DECLINED;
    }

    minus = (p[0] == '-');
    digits = 0;
    v[0] = 0;
    v[1] = 0;

    for (i = 1; i < name->len; i++) {

        if (p[i] == ':' && digits == 2 && i + 3 == name->len) {
            continue;
        }

        if (p[i] < '0' || p[i] > '9' || digits == 4) {
            return LLM_DECLINED;
        }

        v[digits / 2] = v[digits / 2] * 10 + (p[i] - '0');
        digits++;
    }

    if (digits == 3 || v[0] > 15 || v[1] > 59) {
        return LLM_DECLINED;
    }

    tz->standard = (v[0] * 3600 + v[1] * 60) * (minus ? -1 : 1);

    return LLM_OK;
}


/* letters, digits, _ + - in parts between slashes: no way out of the folder */

static int
llm_tz_name(const llm_str_t *name)
{
    size_t   i;
    uint8_t  c, prev;

    if (name->len == 0 || name->len > LLM_TZ_NAME_MAX) {
        return LLM_DECLINED;
    }

    prev = '/';

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c == '/') {
            if (prev == '/') {
                return LLM_DECLINED;
            }

        } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9')
                     || c == '_' || c == '+' || c == '-'))
        {
            return LLM_DECLINED;
        }

        prev = c;
    }

    return prev == '/' ? LLM_DECLINED : LLM_OK;
}


static int
llm_tz_read(llm_tz_t *tz, const char *path, size_t *len)
{
    int          fd, rc;
    size_t       size;
    ssize_t      n;
    struct stat  st;

    fd = open(path, O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOCTTY);
    if (fd == -1) {
        return LLM_DECLINED;
    }

    rc = LLM_DECLINED;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size < LLM_TZ_HEADER || st.st_size > LLM_TZ_FILE_MAX)
    {
        goto done;
    }

    size = (size_t) st.st_size;

    tz->file = malloc(size);
    if (tz->file == NULL) {
        rc = LLM_NOMEM;
        goto done;
    }

    do {
        n = read(fd, tz->file, size);
    } while (n == -1 && errno == EINTR);

    if (n == (ssize_t) size) {
        *len = size;
        rc = LLM_OK;
    }

done:

    close(fd);

    return rc;
}


/* the second block of the file, which has 64-bit times, and its footer */

static int
llm_tz_load(llm_tz_t *tz, size_t n)
{
    char             footer[LLM_TZ_FOOTER];
    size_t           i, len;
    const uint8_t   *p, *end;
    llm_tz_counts_t  c;

    p = tz->file;
    end = p + n;

    if (llm_tz_counts(p, end, &c) != LLM_OK || p[4] < '2') {
        return LLM_DECLINED;
    }

    len = LLM_TZ_HEADER + llm_tz_block(&c, 4);

    if ((size_t) (end - p) < len) {
        return LLM_DECLINED;
    }

    p += len;

    if (llm_tz_counts(p, end, &c) != LLM_OK
        || (size_t) (end - p) < LLM_TZ_HEADER + llm_tz_block(&c, 8))
    {
        return LLM_DECLINED;
    }

    tz->ntimes = c.time;
    tz->ntypes = c.type;
    tz->times = p + LLM_TZ_HEADER;
    tz->index = tz->times + tz->ntimes * 8;
    tz->types = tz->index + tz->ntimes;

    for (i = 0; i < tz->ntimes; i++) {
        if (tz->index[i] >= tz->ntypes) {
            return LLM_DECLINED;
        }
    }

    p += LLM_TZ_HEADER + llm_tz_block(&c, 8);

    if (p < end && *p == '\n') {
        p++;
    }

    for (i = 0; i < sizeof(footer) - 1 && p < end && *p != '\n'; i++) {
        footer[i] = (char) *p++;
    }

    footer[i] = '\0';

    tz->rules = (llm_tz_posix(tz, footer) == LLM_OK);

    return LLM_OK;
}


static int
llm_tz_counts(const uint8_t *p, const uint8_t *end, llm_tz_counts_t *c)
{
    if (end - p < LLM_TZ_HEADER || memcmp(p, "TZif", 4) != 0) {
        return LLM_DECLINED;
    }

    c->isut = llm_tz_be32(p + 20);
    c->isstd = llm_tz_be32(p + 24);
    c->leap = llm_tz_be32(p + 28);
    c->time = llm_tz_be32(p + 32);
    c->type = llm_tz_be32(p + 36);
    c->chars = llm_tz_be32(p + 40);

    /* each within the file's bound, so that no sum can overflow */

    if (c->isut > LLM_TZ_FILE_MAX || c->isstd > LLM_TZ_FILE_MAX
        || c->leap > LLM_TZ_FILE_MAX || c->time > LLM_TZ_FILE_MAX
        || c->type > LLM_TZ_FILE_MAX || c->chars > LLM_TZ_FILE_MAX
        || c->type == 0)
    {
        return LLM_DECLINED;
    }

    return LLM_OK;
}


static size_t
llm_tz_block(const llm_tz_counts_t *c, size_t width)
{
    return (size_t) c->time * (width + 1) + (size_t) c->type * 6 + c->chars
           + (size_t) c->leap * (width + 4) + c->isstd + c->isut;
}


/* CET-1CEST,M3.5.0,M10.5.0/3 or <+0545>-5:45; offsets are west of UTC */

static int
llm_tz_posix(llm_tz_t *tz, const char *p)
{
    p = llm_tz_posix_name(p);

    if (p == NULL || (p = llm_tz_posix_time(p, &tz->standard)) == NULL) {
        return LLM_ERROR;
    }

    tz->standard = -tz->standard;

    if (*p == '\0') {
        return LLM_OK;
    }

    p = llm_tz_posix_name(p);

    if (p == NULL) {
        return LLM_ERROR;
    }

    tz->summer = tz->standard + 3600;

    if (*p != ',') {
        p = llm_tz_posix_time(p, &tz->summer);

        if (p == NULL) {
            return LLM_ERROR;
        }

        tz->summer = -tz->summer;
    }

    if (*p != ',' || (p = llm_tz_posix_rule(p + 1, &tz->start)) == NULL
        || *p != ',' || (p = llm_tz_posix_rule(p + 1, &tz->end)) == NULL
        || *p != '\0')
    {
        tz->start.kind = 0;
        return LLM_ERROR;
    }

    return LLM_OK;
}


static const char *
llm_tz_posix_name(const char *p)
{
    const char  *start;

    start = p;

    if (*p == '<') {
        p = strchr(p, '>');
        return p == NULL ? NULL : p + 1;
    }

    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
        p++;
    }

    return p == start ? NULL : p;
}


static const char *
llm_tz_posix_time(const char *p, int64_t *v)
{
    int  i, n, minus;

    static const int  unit[] = { 3600, 60, 1 };

    minus = (*p == '-');

    if (*p == '-' || *p == '+') {
        p++;
    }

    *v = 0;

    for (i = 0; i < 3; i++) {
        p = llm_tz_posix_int(p, &n, i == 0 ? LLM_TZ_HOURS : 59);

        if (p == NULL) {
            return NULL;
        }

        *v += (int64_t) n * unit[i];

        if (*p != ':') {
            break;
        }

        p++;
    }

    if (minus) {
        *v = -*v;
    }

    return p;
}


static const char *
llm_tz_posix_rule(const char *p, llm_tz_rule_t *rule)
{
    rule->time = 2 * 3600;

    if (*p == 'M') {
        rule->kind = 'M';

        if ((p = llm_tz_posix_int(p + 1, &rule->month, 12)) == NULL
            || *p != '.'
            || (p = llm_tz_posix_int(p + 1, &rule->week, 5)) == NULL
            || *p != '.'
            || (p = llm_tz_posix_int(p + 1, &rule->day, 6)) == NULL
            || rule->month == 0 || rule->week == 0)
        {
            return NULL;
        }

    } else {
        rule->kind = (*p == 'J') ? 'J' : 'n';

        p = llm_tz_posix_int(*p == 'J' ? p + 1 : p, &rule->day, 365);

        if (p == NULL) {
            return NULL;
        }
    }

    return *p == '/' ? llm_tz_posix_time(p + 1, &rule->time) : p;
}


static const char *
llm_tz_posix_int(const char *p, int *v, int max)
{
    const char  *start;

    start = p;
    *v = 0;

    while (*p >= '0' && *p <= '9') {
        *v = *v * 10 + (*p++ - '0');

        if (*v > max) {
            return NULL;
        }
    }

    return p == start ? NULL : p;
}


int64_t
llm_tz_offset(const llm_tz_t *tz, int64_t utc)
{
    size_t  lo, hi, mid;

    if (tz->ntimes == 0) {

        if (tz->ntypes == 0 || tz->rules) {
            return llm_tz_rules(tz, utc);
        }

        return llm_tz_type(tz, 0);
    }

    if (utc < llm_tz_be64(tz->times)) {

        /* RFC 8536, 3.2: type 0 is for the time before the first change */

        return llm_tz_type(tz, 0);
    }

    if (tz->rules && utc >= llm_tz_be64(tz->times + (tz->ntimes - 1) * 8)) {
        return llm_tz_rules(tz, utc);
    }

    lo = 0;
    hi = tz->ntimes;

    while (hi - lo > 1) {
        mid = lo + (hi - lo) / 2;

        if (utc >= llm_tz_be64(tz->times + mid * 8)) {
            lo = mid;

        } else {
            hi = mid;
        }
    }

    return llm_tz_type(tz, tz->index[lo]);
}


int64_t
llm_tz_utc(const llm_tz_t *tz, int64_t local)
{
    int64_t  before, after;

    before = llm_tz_offset(tz, local - LLM_TZ_DAY);

    if (llm_tz_offset(tz, local - before) == before) {
        return local - before;
    }

    after = llm_tz_offset(tz, local + LLM_TZ_DAY);

    if (llm_tz_offset(tz, local - after) == after) {
        return local - after;
    }

    /* skipped: as if the clock had not jumped */

    return local - before;
}


static int64_t
llm_tz_rules(const llm_tz_t *tz, int64_t utc)
{
    int      month, day;
    int64_t  year, start, end, local, days;

    if (tz->start.kind == 0) {
        return tz->standard;
    }

    local = utc + tz->standard;
    days = local / LLM_TZ_DAY;

    if (local % LLM_TZ_DAY < 0) {
        days--;
    }

    llm_date_from_days(days, &year, &month, &day);

    start = llm_tz_rule_time(&tz->start, year) - tz->standard;
    end = llm_tz_rule_time(&tz->end, year) - tz->summer;

    if (start < end) {
        return (utc >= start && utc < end) ? tz->summer : tz->standard;
    }

    return (utc >= end && utc < start) ? tz->standard : tz->summer;
}


static int64_t
llm_tz_rule_time(const llm_tz_rule_t *rule, int64_t year)
{
    int      leap, m;
    int64_t  first, day, next;

    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (rule->kind == 'J') {

        /* 1 to 365, the 29th of February is never counted */

        day = llm_days_from_date(year, 1, 1) + rule->day - 1
              + (leap && rule->day >= 60);

    } else if (rule->kind == 'n') {
        day = llm_days_from_date(year, 1, 1) + rule->day;

    } else {
        m = rule->month;
        first = llm_days_from_date(year, m, 1);
        next = m == 12 ? llm_days_from_date(year + 1, 1, 1)
                       : llm_days_from_date(year, m + 1, 1);

        /* 1970-01-01 was a Thursday; 0 is Sunday; week 5 is the last one */

        day = first + (rule->day - (first + 4) % 7 + 7) % 7;
        day += 7 * (rule->week - 1);

        while (day >= next) {
            day -= 7;
        }
    }

    return day * LLM_TZ_DAY + rule->time;
}


static int64_t
llm_tz_type(const llm_tz_t *tz, size_t n)
{
    return (int32_t) llm_tz_be32(tz->types + n * 6);
}


static uint32_t
llm_tz_be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static int64_t
llm_tz_be64(const uint8_t *p)
{
    return (int64_t) ((uint64_t) llm_tz_be32(p) << 32 | llm_tz_be32(p + 4));
}


/* both by way of years that start in March, in eras of 400 years */

int64_t
llm_days_from_date(int64_t year, int month, int day)
{
    int64_t  era, yoe, doy;

    year -= (month <= 2);
    era = (year >= 0 ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}


void
llm_date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t  era, doe, yoe, doy, mp;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    *day = (int) (doy - (153 * mp + 2) / 5 + 1);
    *month = (int) (mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}
