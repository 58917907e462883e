
/*
 * Copyright (C) llm_monitor contributors
 *
 * What one may filter by.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../store/llm_facets.h"


static int ngx_http_llm_monitor_facets_run(ngx_http_llm_monitor_call_t *call);


ngx_int_t
ngx_http_llm_monitor_facets(ngx_http_llm_monitor_call_t *call)
{
    call->run = ngx_http_llm_monitor_facets_run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_facets_run(ngx_http_llm_monitor_call_t *call)
{
    if (ngx_http_llm_monitor_filter(call, LLM_FOR_FACETS) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK)
    {
        return LLM_ERROR;
    }

    return llm_facets(*call->reader, call->filter,
                      NGX_HTTP_LLM_MONITOR_BUDGET, &call->out, &call->err);
}
