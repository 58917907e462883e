
/*
 * Copyright (C) llm_monitor contributors
 *
 * The instants that since and until understand: milliseconds, ISO 8601,
 * -15m and its sisters, today, yesterday, week, month.
 */


#ifndef _LLM_WHEN_H_INCLUDED_
#define _LLM_WHEN_H_INCLUDED_


#include "llm_tz.h"


#define LLM_WHEN_MAX_MS    253402300799999        /* end of the year 9999 */


/*
 * Reads an instant into *ms (UTC, since 1970).  A word is the start of its
 * period in tz, where the week starts on Monday; a date or time without an
 * offset is of tz as well.  LLM_ERROR if it is none of them or out of range.
 */
int llm_when_parse(const llm_str_t *text, const llm_tz_t *tz, int64_t now_ms,
    int64_t *ms);


#endif /* _LLM_WHEN_H_INCLUDED_ */
