
/*
 * Copyright (C) llm_monitor contributors
 *
 * Prices in memory, as the readers build them and the finder looks them up.
 * A price is a whole number of 1e-15 US dollars for one unit: a dollar for a
 * million tokens is 1e9 of them, so that no price that anyone asks is rounded.
 */


#ifndef _LLM_PRICE_TABLE_H_INCLUDED_
#define _LLM_PRICE_TABLE_H_INCLUDED_


#include "llm_price.h"
#include "llm_regex.h"


/* bounds of a table */

#define LLM_PRICE_MEMORY      (64 * 1024 * 1024)
#define LLM_PRICE_PROVIDERS   1000
#define LLM_PRICE_MODELS      20000
#define LLM_PRICE_RULES       100000
#define LLM_PRICE_DEPTH       8      /* of rules */
#define LLM_PRICE_PERIODS     64     /* of one model */
#define LLM_PRICE_STEPS       8      /* of one price */
#define LLM_PRICE_FALLBACKS   8      /* of one provider */
#define LLM_PRICE_HOSTS       4


/*
 * What is priced.  A part stands before the whole that it is a part of: what
 * its price takes away is no longer there for the whole's.
 */

#define LLM_PRICE_UNITS(X)                                                    \
    X(CACHE_WRITE_5M, "cache_write_5m", "_mtok")                              \
    X(CACHE_WRITE_1H, "cache_write_1h", "_mtok")                              \
    X(CACHE_AUDIO_READ, "cache_audio_read", "_mtok")                          \
    X(CACHE_IMAGE_READ, "cache_image_read", "_mtok")                          \
    X(CACHE_READ, "cache_read", "_mtok")                                      \
    X(CACHE_WRITE, "cache_write", "_mtok")                                    \
    X(INPUT_AUDIO, "input_audio", "_mtok")                                    \
    X(INPUT_IMAGE, "input_image", "_mtok")                                    \
    X(INPUT_VIDEO, "input_video", "_mtok")                                    \
    X(INPUT, "input", "_mtok")                                                \
    X(OUTPUT_AUDIO, "output_audio", "_mtok")                                  \
    X(OUTPUT_IMAGE, "output_image", "_mtok")                                  \
    X(OUTPUT_VIDEO, "output_video", "_mtok")                                  \
    X(OUTPUT_REASONING, "output_reasoning", "_mtok")                          \
    X(OUTPUT_CITATION, "output_citation", "_mtok")                            \
    X(OUTPUT, "output", "_mtok")                                              \
    X(WEB_SEARCHES, "web_searches", "_kcount")                                \
    X(REQUESTS, "requests", "_kcount")

#define LLM_PRICE_ENUM(name, text, per)  LLM_P_ ## name,

enum { LLM_PRICE_UNITS(LLM_PRICE_ENUM) LLM_P_COUNT };

#define llm_price_bit(name)  (1u << LLM_P_ ## name)


/* the provider's service tier; each has prices of its own */

enum {
    LLM_TIER_STANDARD = 0, LLM_TIER_FLEX, LLM_TIER_BATCH, LLM_TIER_PRIORITY,
    LLM_TIER_COUNT
};


typedef enum {
    LLM_RULE_EQUALS = 0, LLM_RULE_STARTS, LLM_RULE_ENDS, LLM_RULE_CONTAINS,
    LLM_RULE_REGEX, LLM_RULE_AND, LLM_RULE_OR
} llm_price_rule_e;

typedef struct llm_price_rule_s  llm_price_rule_t;

struct llm_price_rule_s {
    llm_price_rule_e        type;
    llm_str_t               text;       /* lower case */
    llm_regex_t            *regex;
    llm_price_rule_t       *child;      /* of AND and OR */
    llm_price_rule_t       *next;       /* its sister */
};

/* more than `above` input tokens: this price, for all units of the kind */

typedef struct {
    int64_t                 above;
    int64_t                 price;
} llm_price_step_t;

typedef struct {
    int                     unit;
    int                     nsteps;     /* ascending */
    int64_t                 price;
    llm_price_step_t       *steps;
} llm_price_rate_t;

/* a set of prices that a reader collects, one of each unit */

typedef struct {
    uint32_t                units;
    int64_t                 price[LLM_P_COUNT];
    int                     nsteps[LLM_P_COUNT];
    llm_price_step_t        steps[LLM_P_COUNT][LLM_PRICE_STEPS];
} llm_price_set_t;

typedef enum {
    LLM_PERIOD_ALWAYS = 0, LLM_PERIOD_SINCE, LLM_PERIOD_DAILY
} llm_price_period_e;

typedef struct llm_price_period_s  llm_price_period_t;

struct llm_price_period_s {
    llm_price_period_e      type;
    int64_t                 start;      /* ms since 1970, or of the UTC day */
    int64_t                 end;        /* of the day; before start: past
                                           midnight */
    llm_price_period_t     *next;
    uint32_t                units;
    int                     nrates;
    llm_price_rate_t        rates[];
};

typedef struct llm_price_model_s     llm_price_model_t;
typedef struct llm_price_provider_s  llm_price_provider_t;

struct llm_price_model_s {
    llm_str_t               id;
    llm_price_provider_t   *provider;
    llm_price_rule_t       *match;
    llm_price_model_t      *next;

    /* the later a period stands in the source, the sooner it is looked at */

    llm_price_period_t     *periods[LLM_TIER_COUNT];
    int                     nperiods;
};

struct llm_price_provider_s {
    llm_str_t               id;
    llm_regex_t            *hosts[LLM_PRICE_HOSTS];      /* of its URL */
    int                     nhosts;
    llm_price_rule_t       *names;      /* what else it is called */
    llm_price_rule_t       *names_of_models;
    llm_str_t               fallback[LLM_PRICE_FALLBACKS];
    int                     nfallback;
    llm_price_model_t      *models;
    llm_price_model_t     **last;
    llm_price_provider_t   *next;
};

typedef struct llm_price_chunk_s  llm_price_chunk_t;

struct llm_price_table_s {
    llm_mem_t               own;        /* where from */
    llm_mem_t               mem;        /* the table's own, freed as a whole */
    llm_price_chunk_t      *chunks;
    size_t                  left;       /* of the newest chunk */
    size_t                  used;
    llm_price_provider_t   *providers;
    llm_price_provider_t  **last;
    size_t                  nproviders;
    size_t                  nmodels;
    size_t                  nrules;
    int                     by_id;      /* a model's id is good for any
                                           provider */
    llm_str_t               source;
};


/* NULL everywhere: no memory, or a bound was reached. */

llm_price_table_t *llm_price_table_create(const llm_mem_t *mem);
void *llm_price_alloc(llm_price_table_t *t, size_t n);

/* A copy; lower: of its letters only small ones. */
int llm_price_copy(llm_price_table_t *t, llm_str_t *to, const llm_str_t *from,
    int lower);

llm_price_provider_t *llm_price_add_provider(llm_price_table_t *t,
    const llm_str_t *id);
llm_price_model_t *llm_price_add_model(llm_price_table_t *t,
    llm_price_provider_t *p, const llm_str_t *id);

/*
 * A rule; text is NULL for AND and OR.  A broken expression is said in error,
 * LLM_REGEX_ERROR bytes, which is else an empty string.
 */
llm_price_rule_t *llm_price_add_rule(llm_price_table_t *t,
    llm_price_rule_e type, const llm_str_t *text, char *error);

llm_price_period_t *llm_price_add_period(llm_price_table_t *t,
    llm_price_model_t *m, int tier, const llm_price_set_t *set);

/* A price above so many input tokens; LLM_FULL: there are too many. */
int llm_price_add_step(llm_price_set_t *set, int unit, int64_t above,
    int64_t price);

/*
 * Reads "2026-03-13" as ms since 1970 and "00:30:00Z" or "08:30:00+08:00" as
 * ms of the UTC day; LLM_ERROR for what is none.
 */
int llm_price_date(const llm_str_t *s, int64_t *ms);
int llm_price_time(const llm_str_t *s, int64_t *ms);

/*
 * A decimal number times 10 ^ scale, rounded; LLM_ERROR for what is no number,
 * is negative, or is more than LLM_PRICE_MAX.
 */
#define LLM_PRICE_MAX   1000000000000000000LL
int llm_price_decimal(const llm_str_t *s, int scale, int64_t *v);

/*
 * The unit of a name, "input", with_suffix: "input_mtok"; LLM_ERROR: there is
 * none of that name.  *scale is what llm_price_decimal() needs for its prices:
 * they are for a million, or with _kcount for a thousand.
 */
int llm_price_unit(const llm_str_t *name, int with_suffix, int *scale);

int llm_price_fail(llm_price_error_t *err, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));


/* the readers; LLM_OK, or err is set */

int llm_price_read_text(llm_price_table_t *t, const llm_str_t *text,
    llm_price_error_t *err);
int llm_price_read_genai(llm_price_table_t *t, const llm_str_t *text,
    llm_price_error_t *err);
int llm_price_read_litellm(llm_price_table_t *t, const llm_str_t *text,
    llm_price_error_t *err);


/* The model, or NULL. */
const llm_price_model_t *llm_price_find(const llm_price_table_t *t,
    llm_regex_matcher_t *m, int protocol, const llm_str_t *provider,
    const llm_str_t *model);


/* the counts of one exchange by unit; never negative */

typedef struct {
    int64_t                 v[LLM_P_COUNT];
} llm_price_usage_t;

/*
 * The prices of a time, ms since 1970, in a tier; NULL: not known.  For a tier
 * without prices of its own *percent says which part of the standard price it
 * costs.
 */
const llm_price_period_t *llm_price_period(const llm_price_model_t *m,
    int64_t ms, int tier, int *percent);

/* In 1e-9 US dollars, half of one rounded up; LLM_NULL: out of range. */
int64_t llm_price_cost(const llm_price_period_t *p, llm_price_usage_t *u,
    int percent);


#endif /* _LLM_PRICE_TABLE_H_INCLUDED_ */
