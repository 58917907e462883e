
/*
 * Copyright (C) llm_monitor contributors
 *
 * A message to each address that llm_monitor_alert names, to see that it
 * comes.
 */


#include "ngx_http_llm_monitor_call.h"
#include "ngx_http_llm_monitor_notify.h"
#include "../record/llm_json_write.h"


static ngx_uint_t ngx_http_llm_monitor_alert_again(
    ngx_http_llm_monitor_alert_t *alert, ngx_uint_t n);


ngx_int_t
ngx_http_llm_monitor_alert_test(ngx_http_llm_monitor_call_t *call)
{
    ngx_uint_t                     i, queued, dropped;
    llm_json_t                     j;
    ngx_array_t                   *alerts;
    llm_alert_event_t              event;
    ngx_http_llm_monitor_alert_t  *alert;

    call->rc = LLM_ERROR;

    if (ngx_http_llm_monitor_unscoped(call) != NGX_OK
        || ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK)
    {
        return ngx_http_llm_monitor_answer(call);
    }

    alerts = call->mcf->alerts;

    if (alerts == NULL) {
        (void) llm_query_fail(&call->err, NGX_HTTP_NOT_FOUND, "not_found",
                              NULL, "there is no llm_monitor_alert");
        return ngx_http_llm_monitor_answer(call);
    }

    ngx_memzero(&event, sizeof(llm_alert_event_t));

    event.status = LLM_ALERT_TEST;
    event.value = LLM_NULL;

    alert = alerts->elts;
    queued = 0;
    dropped = 0;

    for (i = 0; i < alerts->nelts; i++) {

        if (ngx_http_llm_monitor_alert_again(alert, i)) {
            continue;
        }

        if (ngx_http_llm_monitor_notify(call->mcf, &alert[i], &event)
            == NGX_OK)
        {
            queued++;

        } else {
            dropped++;
        }
    }

    llm_json_init(&j, &call->out);
    llm_json_open_object(&j);
    llm_json_key(&j, "queued");
    llm_json_int(&j, queued);
    llm_json_key(&j, "dropped");
    llm_json_int(&j, dropped);
    llm_json_close_object(&j);

    call->rc = LLM_OK;

    return ngx_http_llm_monitor_answer(call);
}


/* The address of the one at n was there before. */

static ngx_uint_t
ngx_http_llm_monitor_alert_again(ngx_http_llm_monitor_alert_t *alert,
    ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (alert[i].channel == alert[n].channel
            && alert[i].host.len == alert[n].host.len
            && alert[i].uri.len == alert[n].uri.len
            && ngx_strncmp(alert[i].host.data, alert[n].host.data,
                           alert[n].host.len)
               == 0
            && ngx_strncmp(alert[i].uri.data, alert[n].uri.data,
                           alert[n].uri.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}
