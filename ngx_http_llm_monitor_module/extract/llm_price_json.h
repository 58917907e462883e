
/*
 * Copyright (C) llm_monitor contributors
 *
 * What both readers of price files need: members with a type, and errors that
 * name the line, the provider, the model and the key.
 */


#ifndef _LLM_PRICE_JSON_H_INCLUDED_
#define _LLM_PRICE_JSON_H_INCLUDED_


#include "llm_price_table.h"
#include "llm_pull.h"


#define LLM_PRICE_STRING   LLM_REGEX_PATTERN      /* bytes of a string */

typedef struct {
    llm_price_table_t      *table;
    llm_str_t               text;        /* the file */
    llm_price_provider_t   *provider;    /* NULL: not in one */
    llm_price_model_t      *model;
    llm_price_error_t      *err;
} llm_price_json_t;


/* The value of the file, whose syntax and kind, '[' or '{', are looked at. */
int llm_price_json_open(llm_price_json_t *j, char kind, llm_str_t *value);

/*
 * A member of an object that is of the kind: '{', '[', '"' or '0', a number.
 * LLM_DECLINED: it is not there; LLM_ERROR: it is of another kind.
 */
int llm_price_json_get(llm_price_json_t *j, const llm_str_t *object,
    const char *name, char kind, llm_str_t *value);

int llm_price_json_is(const llm_str_t *value, char kind);

/* The text of a string into buf, LLM_PRICE_STRING bytes. */
int llm_price_json_text(llm_price_json_t *j, const llm_str_t *value,
    const char *name, uint8_t *buf, llm_str_t *text);

/* An error at the place of a value; what follows 'key "name" ', or NULL. */
int llm_price_json_fail(llm_price_json_t *j, const llm_str_t *at,
    const char *name, const char *what);

/* The reason why the table did not take something. */
int llm_price_json_full(llm_price_json_t *j, const llm_str_t *at,
    const char *name, const char *error);


#endif /* _LLM_PRICE_JSON_H_INCLUDED_ */
