
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "llm_sieve.h"


static int llm_sieve_prepare(llm_sieve_t *s);
static int llm_sieve_decide(llm_sieve_t *s, int whole);
static int llm_sieve_terms(llm_sieve_t *s, int *some, int *nsome);
static int llm_sieve_guess(const llm_sieve_t *s, const llm_sift_term_t *term);
static int llm_sieve_term(llm_sieve_t *s, const llm_sift_term_t *term);
static int llm_sieve_ids(llm_sieve_t *s);


/* the first of them may begin before the range */

#define LLM_SIEVE_BLOCKS                                                      \
    "SELECT first, until, slot, n, heads FROM block WHERE first >="           \
    " coalesce((SELECT max(first) FROM block WHERE first <= ?1), ?1)"         \
    " AND first < ?2 ORDER BY first"


int
llm_sieve_open(llm_sieve_t **out, llm_reader_t *reader,
    const llm_sift_t *sift, llm_sieve_e what, int ascending)
{
    int           rc;
    llm_sieve_t  *s;

    *out = NULL;

    if (sift->partial || (what == LLM_SIEVE_PAGE && sift->nterms == 0)) {
        return LLM_DECLINED;
    }

    s = malloc(sizeof(llm_sieve_t));

    if (s == NULL) {
        return LLM_DECLINED;
    }

    memset(s, 0, offsetof(llm_sieve_t, rows));

    s->reader = reader;
    s->sift = sift;
    s->what = what;
    s->ascending = ascending;

    rc = llm_sieve_prepare(s);

    if (rc != LLM_OK) {
        llm_sieve_close(s);
        return rc;
    }

    *out = s;

    return LLM_OK;
}


static int
llm_sieve_prepare(llm_sieve_t *s)
{
    int            rc;
    sqlite3_stmt  *st;

    if (sqlite3_prepare_v2(s->reader->db, "SELECT 1 FROM block LIMIT 1", -1,
                           &st, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    rc = sqlite3_step(st);

    sqlite3_finalize(st);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? LLM_DECLINED : LLM_ERROR;
    }

    if (sqlite3_prepare_v2(s->reader->db, s->ascending
                           ? LLM_SIEVE_BLOCKS : LLM_SIEVE_BLOCKS " DESC", -1,
                           &s->blocks, NULL)
        != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


void
llm_sieve_close(llm_sieve_t *s)
{
    int  i;

    if (s == NULL) {
        return;
    }

    for (i = 0; i < LLM_BLOCK_COLUMNS; i++) {
        llm_codes_close(s->codes[i]);
    }

    sqlite3_finalize(s->blocks);
    free(s);
}


void
llm_sieve_range(llm_sieve_t *s, int64_t from, int64_t to)
{
    (void) sqlite3_reset(s->blocks);

    s->from = from;
    s->to = to;
    s->done = s->ascending ? from : to;
    s->over = 0;
    s->waiting = 0;

    (void) sqlite3_bind_int64(s->blocks, 1, s->from);
    (void) sqlite3_bind_int64(s->blocks, 2, s->to);
}


int
llm_sieve_next(llm_sieve_t *s, int64_t *from, int64_t *to)
{
    int      rc;
    int64_t  low, high;

    s->block = s->waiting;
    s->waiting = 0;

    while (!s->block && !s->over) {
        rc = sqlite3_step(s->blocks);

        if (rc != SQLITE_ROW) {

            if (rc != SQLITE_DONE) {
                return LLM_ERROR;
            }

            s->over = 1;
            break;
        }

        low = sqlite3_column_int64(s->blocks, 0);
        high = sqlite3_column_int64(s->blocks, 1);

        if (low >= s->to || high <= s->from) {
            continue;
        }

        rc = llm_sieve_decide(s, low >= s->from && high <= s->to);

        if (rc == LLM_DECLINED) {
            continue;
        }

        if (rc != LLM_OK) {
            return rc;
        }

        *from = s->ascending ? s->done : high;
        *to = s->ascending ? low : s->done;

        s->low = low > s->from ? low : s->from;
        s->high = high < s->to ? high : s->to;
        s->done = s->ascending ? s->high : s->low;

        s->waiting = (*from < *to);
        s->block = !s->waiting;

        if (s->waiting) {
            return LLM_OK;
        }
    }

    if (s->block) {
        return LLM_OK;
    }

    *from = s->ascending ? s->done : s->from;
    *to = s->ascending ? s->to : s->done;

    s->done = s->ascending ? s->to : s->from;

    return *from < *to ? LLM_OK : LLM_DECLINED;
}


/* LLM_DECLINED: it is as if there were none. */

static int
llm_sieve_decide(llm_sieve_t *s, int whole)
{
    int  i, rc, places, nsome, some[LLM_SIFT_TERMS];

    s->slot = sqlite3_column_int64(s->blocks, 2);
    s->n = sqlite3_column_int(s->blocks, 3);
    s->heads = sqlite3_column_blob(s->blocks, 4);
    s->len = (size_t) sqlite3_column_bytes(s->blocks, 4);

    if (s->n < 1 || s->n > LLM_BLOCK_ROWS || s->heads == NULL) {
        return LLM_DECLINED;
    }

    nsome = 0;
    rc = llm_sieve_terms(s, some, &nsome);

    if (rc != LLM_OK || s->hits == 0 || s->what == LLM_SIEVE_HEADS) {
        return rc;
    }

    places = (s->what == LLM_SIEVE_PAGE || !whole);
    s->only = whole && nsome == 1 ? some[0] : -1;

    if (!places && (s->hits == s->n
                    || (s->hits != -1 && s->what == LLM_SIEVE_COUNT)))
    {
        return LLM_OK;
    }

    s->hits = s->n;
    llm_block_rows(s->rows, s->n);

    for (i = 0; i < nsome && rc == LLM_OK && s->hits > 0; i++) {
        rc = llm_sieve_term(s, &s->sift->term[some[i]]);
    }

    if (rc == LLM_OK && s->hits > 0 && places) {
        (void) llm_block_places(s->rows, s->n, s->at);
        rc = llm_sieve_ids(s);
    }

    return rc;
}


/*
 * What the heads say: s->hits is -1 if the codes must be read.  One column that
 * none of the rows passes is enough, whatever is not known of another.  The
 * terms that are left come in the order in which they are looked at: the one
 * first that fewest rows pass, as there may be no need of the next.
 */

static int
llm_sieve_terms(llm_sieve_t *s, int *some, int *nsome)
{
    int                     i, k, n, passed, unknown;
    int                     expected[LLM_SIFT_TERMS];
    llm_block_head_t        head;
    const llm_sift_term_t  *term;

    n = 0;
    unknown = 0;
    s->hits = s->n;

    for (i = 0; i < s->sift->nterms; i++) {
        term = &s->sift->term[i];

        if (llm_block_head(s->heads, s->len, term->column, s->n, &head)
            != LLM_OK)
        {
            return LLM_DECLINED;
        }

        switch (llm_block_term(&head, s->sift, term, s->n, &passed)) {

        case LLM_BLOCK_NONE:
            s->hits = 0;
            return LLM_OK;

        case LLM_BLOCK_ALL:
            break;

        case LLM_BLOCK_SOME:
            s->hits = n == 0 ? passed : -1;

            if (passed == -1) {
                passed = llm_sieve_guess(s, term);
            }

            for (k = n++; k > 0 && expected[k - 1] > passed; k--) {
                expected[k] = expected[k - 1];
                some[k] = some[k - 1];
            }

            expected[k] = passed;
            some[k] = i;
            break;

        default: /* LLM_BLOCK_UNKNOWN */
            unknown = 1;
        }
    }

    *nsome = n;

    return unknown ? LLM_DECLINED : LLM_OK;
}


/*
 * How many rows may pass where the head does not count them: of values that are
 * too many for a list each has few.
 */

static int
llm_sieve_guess(const llm_sieve_t *s, const llm_sift_term_t *term)
{
    int                      i;
    const llm_sift_range_t  *range;

    range = &s->sift->range[term->first];

    for (i = 0; i < term->n; i++) {
        if (range[i].low != range[i].high) {
            return s->n;
        }
    }

    return term->n;
}


static int
llm_sieve_term(llm_sieve_t *s, const llm_sift_term_t *term)
{
    int                rc;
    const uint8_t     *codes;
    llm_block_head_t   head;

    rc = llm_sieve_codes(s, term->column, &head, &codes);

    if (rc == LLM_OK && head.width == 0) {
        rc = LLM_DECLINED;
    }

    if (rc == LLM_OK) {
        s->hits = llm_block_filter(&head, codes, s->sift, term, s->rows, s->n);
    }

    return rc;
}


/* Of a block that the range begins or ends in, a part. */

static int
llm_sieve_ids(llm_sieve_t *s)
{
    int                i, n, rc;
    int64_t            id;
    const uint8_t     *codes;
    llm_block_head_t   head;

    rc = llm_sieve_codes(s, LLM_BLOCK_IDS, &head, &codes);

    n = 0;

    for (i = 0; i < s->hits && rc == LLM_OK; i++) {
        id = llm_block_value(&head, codes, s->at[i]);

        if (id >= s->from && id < s->to) {
            s->at[n] = s->at[i];
            s->ids[n++] = id;

        } else {
            s->rows[s->at[i]] = 0;
        }
    }

    s->hits = n;

    return rc;
}


int
llm_sieve_values(llm_sieve_t *s, int column, int64_t *values)
{
    int                i, rc;
    const uint8_t     *codes;
    llm_block_head_t   head;

    rc = llm_sieve_codes(s, column, &head, &codes);

    for (i = 0; i < s->hits && rc == LLM_OK; i++) {
        values[i] = llm_block_value(&head, codes, s->at[i]);
    }

    return rc;
}


int
llm_sieve_codes(llm_sieve_t *s, int column, llm_block_head_t *head,
    const uint8_t **codes)
{
    int  rc;

    if (llm_block_head(s->heads, s->len, column, s->n, head) != LLM_OK) {
        return LLM_DECLINED;
    }

    if (s->codes[column] == NULL) {
        rc = llm_codes_open(&s->codes[column], s->reader, column,
                            s->ascending);

        if (rc != LLM_OK) {
            return rc;
        }
    }

    return llm_codes_read(s->codes[column], head, s->slot, s->n, codes);
}
