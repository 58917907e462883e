
/*
 * Copyright (C) llm_monitor contributors
 *
 * What an error body or an error object inside of an answer says.  Every
 * service has its own shape; the first rule that finds something wins.
 */


#ifndef _LLM_ERROR_H_INCLUDED_
#define _LLM_ERROR_H_INCLUDED_


#include "llm_facts.h"


#define LLM_ERROR_MESSAGE   2048    /* bytes of a message that are kept */
#define LLM_ERROR_TEXT      512     /* bytes of a body that is not JSON */


/* inside of an object named "error", and an error body as a whole */

extern const llm_key_t  llm_error_inside[];
extern const llm_key_t  llm_error_body;


/*
 * Reads f->error_text into f->error and f->error_type: a whole body, or, if
 * body is 0, the value of its "error".  Returns 1 if it is an error.
 */
int llm_error_read(llm_facts_t *f, int body);

/*
 * p, n is a JSON text whose last string was cut; returns the length without
 * the part of an escape at its end.
 */
size_t llm_error_cut(const uint8_t *p, size_t n);

/* The title of an HTML page, else the first 200 bytes. */
llm_str_t llm_error_page(const uint8_t *p, size_t n);


#endif /* _LLM_ERROR_H_INCLUDED_ */
