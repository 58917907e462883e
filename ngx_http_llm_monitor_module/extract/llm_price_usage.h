
/*
 * Copyright (C) llm_monitor contributors
 *
 * The counts of a record by what is priced.
 */


#ifndef _LLM_PRICE_USAGE_H_INCLUDED_
#define _LLM_PRICE_USAGE_H_INCLUDED_


#include "llm_price_table.h"


/*
 * All counts.  Those that few providers tell are looked for in the usage object
 * as it was sent, if there are prices for them.
 */
void llm_price_usage(const llm_record_t *r, uint32_t units,
    llm_price_usage_t *u);


#endif /* _LLM_PRICE_USAGE_H_INCLUDED_ */
