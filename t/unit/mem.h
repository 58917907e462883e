
/*
 * Copyright (C) llm_monitor contributors
 *
 * Memory of a parser test that watches nothing but what ASan watches.
 */


#ifndef _MEM_H_INCLUDED_
#define _MEM_H_INCLUDED_


#include <stdlib.h>

#include "../../ngx_http_llm_monitor_module/record/llm.h"


static inline void *
mem_alloc(void *data, size_t size)
{
    return malloc(size);
}


static inline void
mem_free(void *data, void *p)
{
    free(p);
}


static const llm_mem_t  mem = { mem_alloc, mem_free, NULL };


#endif /* _MEM_H_INCLUDED_ */
