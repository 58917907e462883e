
/*
 * Copyright (C) llm_monitor contributors
 *
 * The parameters of a query string: their names, what each of them takes, and
 * where its value goes in a filter.
 */


#ifndef _LLM_PARAM_H_INCLUDED_
#define _LLM_PARAM_H_INCLUDED_


#include "llm_filter.h"
#include "llm_when.h"


#define LLM_PARAMS_MAX   40


typedef struct {
    llm_str_t            value[LLM_PARAMS_MAX];    /* as given, decoded */

    /* what was read: the fields of a filter */
    int64_t              num[LLM_F_NUMS];
    llm_str_t            str[LLM_F_STRS];
    int                  pages;     /* of which the cursor is */

    llm_tz_t            *tz;
    int64_t              now_ms;
    llm_query_error_t   *err;
} llm_params_t;


/* err must outlive ps. */
void llm_params_init(llm_params_t *ps, int64_t now_ms,
    llm_query_error_t *err);
void llm_params_done(llm_params_t *ps);

/*
 * Takes one parameter of a call (llm_query_for_e) and its text, which must
 * outlive ps and may be written to.  LLM_ERROR with the error set if it is
 * unknown there or comes twice.
 */
int llm_params_take(llm_params_t *ps, const llm_str_t *name,
    const llm_str_t *value, int what);

/* Reads all that were taken.  LLM_ERROR with the error set. */
int llm_params_read(llm_params_t *ps);

/* 1 if something that was read is a condition on rows. */
int llm_params_filtered(const llm_params_t *ps);

/* Sets "<name> <what>" as the error; always LLM_ERROR. */
int llm_params_fail(llm_params_t *ps, const llm_str_t *name,
    const char *what);

#endif /* _LLM_PARAM_H_INCLUDED_ */
