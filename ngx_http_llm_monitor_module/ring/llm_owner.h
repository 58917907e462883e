
/*
 * Copyright (C) llm_monitor contributors
 *
 * Who a process is, in a number that no other process gets while the system
 * runs: the pid in the lower half, in the upper one the clock tick at which the
 * process started.  A pid alone is given to another process one day.
 */


#ifndef _LLM_OWNER_H_INCLUDED_
#define _LLM_OWNER_H_INCLUDED_


#include "../record/llm.h"


/* Of the calling process; where /proc does not say more, its pid. */
int64_t llm_owner_self(void);

/*
 * 0 only if that process is certainly gone.  Of a number that is a pid only,
 * and where /proc says nothing, the pid decides.
 */
int llm_owner_alive(int64_t owner);


#endif /* _LLM_OWNER_H_INCLUDED_ */
