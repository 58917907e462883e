
/*
 * Copyright (C) llm_monitor contributors
 *
 * Sessions: the database knows what was, shared memory what is in flight.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../store/llm_session_query.h"


static ngx_int_t ngx_http_llm_monitor_session_start(
    ngx_http_llm_monitor_call_t *call,
    int (*run)(ngx_http_llm_monitor_call_t *call));
static int ngx_http_llm_monitor_sessions_run(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_session_run(
    ngx_http_llm_monitor_call_t *call);


ngx_int_t
ngx_http_llm_monitor_sessions(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_session_start(call,
                                            ngx_http_llm_monitor_sessions_run);
}


ngx_int_t
ngx_http_llm_monitor_session(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_session_start(call,
                                             ngx_http_llm_monitor_session_run);
}


static ngx_int_t
ngx_http_llm_monitor_session_start(ngx_http_llm_monitor_call_t *call,
    int (*run)(ngx_http_llm_monitor_call_t *call))
{
    call->run = run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_sessions_run(ngx_http_llm_monitor_call_t *call)
{
    int                rc;
    llm_flights_t      flights;
    llm_live_facts_t  *facts;

    if (ngx_http_llm_monitor_filter(call, LLM_FOR_SESSIONS) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK
        || ngx_http_llm_monitor_in_flight(call, &facts, &flights.n) != LLM_OK)
    {
        return LLM_ERROR;
    }

    flights.facts = facts;

    rc = llm_query_sessions(*call->reader, call->filter, &flights,
                            call->now_ms, NGX_HTTP_LLM_MONITOR_BUDGET,
                            &call->out, &call->err);
    free(facts);

    return rc;
}


static int
ngx_http_llm_monitor_session_run(ngx_http_llm_monitor_call_t *call)
{
    int                rc;
    llm_flights_t      flights;
    llm_live_facts_t  *facts;

    if (ngx_http_llm_monitor_filter(call, LLM_FOR_SESSION) != LLM_OK
        || ngx_http_llm_monitor_reader(call) != LLM_OK
        || ngx_http_llm_monitor_in_flight(call, &facts, &flights.n) != LLM_OK)
    {
        return LLM_ERROR;
    }

    flights.facts = facts;

    rc = llm_query_session(*call->reader, &call->name, call->filter, &flights,
                           call->now_ms, NGX_HTTP_LLM_MONITOR_LONGER,
                           &call->out, &call->err);
    free(facts);

    return rc;
}
