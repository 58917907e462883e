
/*
 * Copyright (C) llm_monitor contributors
 *
 * The prices that are compiled in, as text in the form that llm_price_text.c
 * explains.  `make prices` writes llm_price_builtin.inc.
 */


#ifndef _LLM_PRICE_BUILTIN_H_INCLUDED_
#define _LLM_PRICE_BUILTIN_H_INCLUDED_


extern const char  llm_price_builtin_text[];


#endif /* _LLM_PRICE_BUILTIN_H_INCLUDED_ */
