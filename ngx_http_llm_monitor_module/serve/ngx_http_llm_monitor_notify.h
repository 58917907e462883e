
/*
 * Copyright (C) llm_monitor contributors
 *
 * Messages of alerts, posted from the event loop to the addresses that the
 * configuration names, and to no others.  Nobody waits for them: they queue in
 * their process, one is sent at a time, and past the bound they are dropped.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_NOTIFY_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_NOTIFY_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"
#include "../ring/llm_alert.h"


typedef enum {
    NGX_HTTP_LLM_MONITOR_WEBHOOK = 0,
    NGX_HTTP_LLM_MONITOR_DISCORD
} ngx_http_llm_monitor_channel_e;


/* llm_monitor_alert */

struct ngx_http_llm_monitor_alert_s {
    llm_alert_t                     alert;
    ngx_uint_t                      channel;
    ngx_str_t                       host;          /* with its port */
    ngx_str_t                       name;          /* without */
    ngx_str_t                       uri;
    ngx_addr_t                      addr;
    ngx_uint_t                      tls;           /* unsigned  tls:1; */
};


/* What the writer's process does each second. */
void ngx_http_llm_monitor_alerts(ngx_http_llm_monitor_main_conf_t *mcf);

/* Queues a message.  NGX_DECLINED: there is no room, which is counted. */
ngx_int_t ngx_http_llm_monitor_notify(ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_alert_t *alert, llm_alert_event_t *event);

/* At the end of a process: messages that were not sent are given up. */
void ngx_http_llm_monitor_notify_end(void);


#endif /* _NGX_HTTP_LLM_MONITOR_NOTIFY_H_INCLUDED_ */
