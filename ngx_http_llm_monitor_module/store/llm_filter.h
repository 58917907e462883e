
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a call asks for, as one flat block: list, count, clear and every later
 * call with the list's filters read the same block, and the command table
 * carries it to the writer.
 */


#ifndef _LLM_FILTER_H_INCLUDED_
#define _LLM_FILTER_H_INCLUDED_


#include "llm_query.h"
#include "../record/llm_record.h"


#define LLM_FILTER_TEXT_MAX    256         /* characters of a value */
#define LLM_FILTER_LIMIT       50
#define LLM_FILTER_LIMIT_MAX   1000
#define LLM_FILTER_OFFSET_MAX  100000      /* further down is for cursors */
#define LLM_FILTER_CURSOR      48          /* characters of a cursor */
#define LLM_FILTER_SCOPE_MAX   1024        /* bytes of its value */


/* numbers of a filter; LLM_NULL: not asked for */

enum {
    LLM_F_SINCE = 0,           /* ms, included */
    LLM_F_UNTIL,               /* ms, excluded */
    LLM_F_STATUS_MIN,
    LLM_F_STATUS_MAX,
    LLM_F_OUTCOME,
    LLM_F_PROTOCOL,
    LLM_F_OPERATION,
    LLM_F_STREAM,
    LLM_F_MIN_DURATION,        /* us */
    LLM_F_MIN_TOKENS,
    LLM_F_MIN_COST,            /* 1e-9 US dollars */
    LLM_F_UNPRICED,
    LLM_F_USAGE_MISSING,
    LLM_F_ERRORS_ONLY,
    LLM_F_QUICK,               /* llm_quick_e */
    LLM_F_KEY_MIN,             /* range of key hashes, both included; that
                                  of 8000… begins with LLM_NULL */
    LLM_F_KEY_MAX,             /* LLM_NULL: no key is asked for */
    LLM_F_SCOPE,               /* llm_scope_e, of LLM_F_SCOPE_VALUE */

    /* not conditions on rows */
    LLM_F_LIMIT,
    LLM_F_OFFSET,
    LLM_F_SORT,                /* llm_sort_e */
    LLM_F_ASCENDING,
    LLM_F_TOTAL,
    LLM_F_CURSOR_VALUE,        /* LLM_NULL also where the row has none */
    LLM_F_CURSOR_ID,
    LLM_F_ALL,
    LLM_F_STATS,
    LLM_F_SINCE_SEQ,           /* excluded */
    LLM_F_FORMAT,              /* llm_format_e */
    LLM_F_BODIES,
    LLM_F_STATE,               /* llm_state_e, of sessions */
    LLM_F_CONVERSATION,

    LLM_F_NUMS
};

#define LLM_F_CONDITIONS       LLM_F_LIMIT


/* texts of a filter; null data: not asked for */

enum {
    LLM_F_SEARCH = 0,          /* the substring of filter= */
    LLM_F_METHOD,
    LLM_F_PROVIDER,
    LLM_F_MODEL,
    LLM_F_ENDPOINT,
    LLM_F_ACCOUNT,
    LLM_F_USER,
    LLM_F_KEY_TAIL,
    LLM_F_SESSION,
    LLM_F_IP,
    LLM_F_SCOPE_VALUE,         /* null: no row is in the scope */

    /* not conditions on rows */
    LLM_F_TZ,                  /* as given; UTC if it was not */

    LLM_F_STRS
};

#define LLM_F_TEXTS            LLM_F_TZ


typedef enum {
    LLM_QUICK_ERRORS = 1, LLM_QUICK_CHAT, LLM_QUICK_GEMINI, LLM_QUICK_CLAUDE,
    LLM_QUICK_IMAGE
} llm_quick_e;

typedef enum {
    LLM_SCOPE_NONE = 0, LLM_SCOPE_USER, LLM_SCOPE_ACCOUNT
} llm_scope_e;

typedef enum {
    LLM_SORT_TIMESTAMP = 0, LLM_SORT_DURATION, LLM_SORT_TTFT, LLM_SORT_TOKENS,
    LLM_SORT_COST, LLM_SORT_STATUS, LLM_SORT_COUNT
} llm_sort_e;

typedef enum {
    LLM_FORMAT_JSON = 0, LLM_FORMAT_NDJSON, LLM_FORMAT_CSV
} llm_format_e;


struct llm_filter_s {
    uint32_t     size;         /* of the block, text included */
    uint32_t     version;
    int64_t      num[LLM_F_NUMS];

    struct {
        uint32_t  off;         /* in text */
        uint32_t  len;         /* UINT32_MAX: null */
    } str[LLM_F_STRS];

    uint8_t      text[];
};


/* A text of the filter; its data is NULL if it was not asked for. */
llm_str_t llm_filter_str(const llm_filter_t *f, int n);

/*
 * Narrows the filter to the rows of one user (named by the configuration, not
 * by a request's body) or account; of an empty or too long value to none.  The
 * block may move.  LLM_OK or LLM_NOMEM.
 */
int llm_filter_scope(llm_filter_t **filter, llm_scope_e scope,
    const llm_str_t *value);

/* 1 if a row with these fields is in the filter's scope. */
int llm_filter_in_scope(const llm_filter_t *f, const llm_record_t *r);

/* 1 if the filter leaves no row out. */
int llm_filter_empty(const llm_filter_t *f);

/* 1 if it leaves out more than what is not in its scope. */
int llm_filter_narrow(const llm_filter_t *f);

/*
 * The cursor of the page of a call (llm_query_for_e) after the row with this
 * sort value (LLM_NULL: it has none) and id; LLM_FILTER_CURSOR characters and
 * a NUL.
 */
void llm_filter_cursor(const llm_filter_t *f, int what, int64_t value,
    int64_t id, char *out);

/*
 * The id of a session is its name, a tilde and 16 digits of whose it is, of
 * which at least 4 may be enough: how many bits of key, its first ones, are
 * there; 0: id is no more than a name.
 */
int llm_filter_session(const llm_str_t *id, llm_str_t *name, uint64_t *key);

/* What all pages that may follow each other have in common. */
uint8_t llm_filter_pages(int what, int narrow);


#endif /* _LLM_FILTER_H_INCLUDED_ */
