
/*
 * Copyright (C) llm_monitor contributors
 *
 * The calls that are answered from the ledger.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../store/llm_report.h"


static ngx_int_t ngx_http_llm_monitor_report(
    ngx_http_llm_monitor_call_t *call,
    int (*run)(ngx_http_llm_monitor_call_t *call));
static int ngx_http_llm_monitor_summary_run(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_stats_run(ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_leaderboard_run(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_availability_run(
    ngx_http_llm_monitor_call_t *call);
static int ngx_http_llm_monitor_report_run(ngx_http_llm_monitor_call_t *call,
    int what);


ngx_int_t
ngx_http_llm_monitor_summary(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report(call,
                                       ngx_http_llm_monitor_summary_run);
}


ngx_int_t
ngx_http_llm_monitor_stats(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report(call, ngx_http_llm_monitor_stats_run);
}


ngx_int_t
ngx_http_llm_monitor_leaderboard(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report(call,
                                       ngx_http_llm_monitor_leaderboard_run);
}


ngx_int_t
ngx_http_llm_monitor_availability(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report(call,
                                       ngx_http_llm_monitor_availability_run);
}


static ngx_int_t
ngx_http_llm_monitor_report(ngx_http_llm_monitor_call_t *call,
    int (*run)(ngx_http_llm_monitor_call_t *call))
{
    call->run = run;
    call->done = ngx_http_llm_monitor_answer;

    return ngx_http_llm_monitor_start(call);
}


static int
ngx_http_llm_monitor_summary_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report_run(call, LLM_REPORT_SUMMARY);
}


static int
ngx_http_llm_monitor_stats_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report_run(call, LLM_REPORT_STATS);
}


static int
ngx_http_llm_monitor_leaderboard_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report_run(call, LLM_REPORT_LEADERBOARD);
}


static int
ngx_http_llm_monitor_availability_run(ngx_http_llm_monitor_call_t *call)
{
    return ngx_http_llm_monitor_report_run(call, LLM_REPORT_AVAILABILITY);
}


static int
ngx_http_llm_monitor_report_run(ngx_http_llm_monitor_call_t *call, int what)
{
    int            rc;
    llm_report_t  *report;

    if (llm_report_parse(&report, &call->args, what, call->now_ms, &call->err)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    rc = LLM_OK;

    if (call->lcf->scope != LLM_SCOPE_NONE) {
        rc = llm_report_scope(report, call->lcf->scope, &call->scope,
                              &call->err);
    }

    if (rc == LLM_OK) {
        rc = ngx_http_llm_monitor_reader(call);
    }

    if (rc == LLM_OK) {
        rc = llm_report_run(*call->reader, report,
                            NGX_HTTP_LLM_MONITOR_LONGER, &call->out,
                            &call->err);
    }

    llm_report_free(report);

    return rc;
}
