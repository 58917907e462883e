
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the calls on the ledger share, from the inside.
 */


#ifndef _LLM_REPORT_PARTS_H_INCLUDED_
#define _LLM_REPORT_PARTS_H_INCLUDED_


#include "llm_report.h"
#include "llm_series.h"
#include "llm_tz.h"
#include "../record/llm_json_write.h"


#define LLM_REPORT_BUCKETS    1000      /* of an answer */
#define LLM_REPORT_NONE       -1        /* by: not asked for */

typedef enum {
    LLM_BUCKET_AUTO = 0, LLM_BUCKET_HOUR, LLM_BUCKET_DAY, LLM_BUCKET_WEEK,
    LLM_BUCKET_MONTH
} llm_bucket_e;

typedef enum {
    LLM_PERIOD_NONE = 0, LLM_PERIOD_TODAY, LLM_PERIOD_YESTERDAY,
    LLM_PERIOD_WEEK, LLM_PERIOD_MONTH, LLM_PERIOD_ALL, LLM_PERIOD_CUSTOM
} llm_period_e;

typedef enum {
    LLM_RANK_TOKENS = 0, LLM_RANK_REQUESTS, LLM_RANK_ERRORS, LLM_RANK_COST,
    LLM_RANK_INPUT, LLM_RANK_OUTPUT, LLM_RANK_SUCCESS, LLM_RANK_DURATION,
    LLM_RANK_TTFT, LLM_RANK_SPEED
} llm_rank_e;


struct llm_report_s {
    int              what;              /* llm_report_e */
    int64_t          now_ms;
    llm_tz_t        *tz;
    char             zone[LLM_TZ_NAME_MAX + 1];

    /* ms, as asked for; LLM_NULL: not */
    int64_t          since;
    int64_t          until;

    int              period;
    int              bucket;
    int              range;             /* minutes */
    int              by;                /* llm_series_e or NONE */
    int64_t          limit;
    int64_t          offset;
    int              sort;              /* llm_rank_e */
    int              ascending;
    llm_scope_t     *scope;             /* NULL: everything is seen */
};


/* the time that an answer is about, meeting the grain of quarter-hours */

typedef struct {
    int64_t          since;             /* ms, included */
    int64_t          until;             /* ms, excluded */
    int64_t          first;             /* the part that has something; */
    int64_t          end;               /* may be after until, then day */
    int              rounded;           /* it is more than was asked for */
} llm_window_t;


/* sums in their order */

typedef struct {
    llm_series_sum_t *sum;
    int64_t           measure;          /* the least first; LLM_NULL: none */
} llm_ranked_t;


/*
 * The window of a report: what is asked for, or what its period or bucket is
 * by default.  LLM_ERROR with err.
 */
int llm_window_set(llm_window_t *w, const llm_report_t *r,
    llm_reader_t *reader, llm_query_error_t *err);

/*
 * The starts of the buckets of a window and in the end its own, *n + 1 of at
 * most LLM_REPORT_BUCKETS + 1 times.  LLM_FULL: there are more.
 */
int llm_window_buckets(llm_window_t *w, const llm_tz_t *tz, int bucket,
    int64_t *start, size_t *n);

/* The start of the bucket after the one that ms is in. */
int64_t llm_window_next(const llm_tz_t *tz, int bucket, int64_t ms);

/* The local day that ms is in, since 1970, and when a day starts, in ms. */
int64_t llm_window_day(const llm_tz_t *tz, int64_t ms);
int64_t llm_window_midnight(const llm_tz_t *tz, int64_t day);

/* ms rounded down or up to the grain. */
int64_t llm_window_floor(int64_t ms);
int64_t llm_window_ceil(int64_t ms);

void llm_window_json(const llm_window_t *w, const llm_report_t *r,
    llm_json_t *j);


/*
 * Opens the series of a dimension, narrowed to the report's scope; what is
 * then added lies in [since, until).  What it returns is of llm_series.h.
 */
int llm_report_series(llm_series_t *s, llm_reader_t *reader,
    const llm_report_t *r, int dim, int64_t since, int64_t until);

/* Sums as members of an object: requests ... tokens_per_second. */
void llm_report_sums(llm_json_t *j, const int64_t *sum);

/* v of n, v times 10^decimals, rounded; LLM_NULL if n is 0. */
int64_t llm_report_ratio(int64_t v, int64_t n, int decimals);

/* "name" of a value of a dimension, and what more is to be said of it. */
int llm_report_name(llm_json_t *j, llm_reader_t *reader, int dim,
    int64_t value);

/* Whether it is a value and neither none nor the rest past a bound. */
int llm_report_named(int dim, int64_t value);

/* The name of a dimension as in by=. */
const char *llm_report_by(int dim);

/*
 * The sums of a map, which must not change: the first ones in the order that
 * is asked for, others in any, and those that have no name last; *named is how
 * many have one.  *order is the caller's to free.  LLM_OK or LLM_NOMEM.
 */
int llm_report_rank(const llm_series_map_t *map, const llm_report_t *r,
    size_t first, llm_ranked_t **order, size_t *named);

/* The sums that a rank is made of, as llm_series_add_some() takes them. */
unsigned llm_report_columns(int rank);

/*
 * Completes of an order with so many named what is from one place before
 * another, and what has no name; what it returns is of llm_series.h.
 */
int llm_report_complete(llm_series_t *s, llm_series_map_t *map,
    const llm_window_t *w, const llm_ranked_t *order, size_t named,
    size_t from, size_t end);

/* Sets err for what a call of llm_series.h returned; always LLM_ERROR. */
int llm_report_fail(llm_reader_t *reader, int rc, llm_query_error_t *err);


/* The answers; the reader has begun. */
int llm_report_summary(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err);
int llm_report_stats(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err);
int llm_report_leaderboard(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err);
int llm_report_availability(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err);


#endif /* _LLM_REPORT_PARTS_H_INCLUDED_ */
