
/*
 * Copyright (C) llm_monitor contributors
 *
 * llm_monitor_alert: a condition, where to say that it is so, and how soon.
 */


#include "serve/ngx_http_llm_monitor_notify.h"
#include "serve/ngx_http_llm_monitor_tls.h"


/* bytes of a request line's path, so that the head of a message is bounded */
#define NGX_HTTP_LLM_MONITOR_ALERT_URI   512
#define NGX_HTTP_LLM_MONITOR_ALERT_HOST  256

#define NGX_HTTP_LLM_MONITOR_ALERT_MIN   10     /* exchanges */


/* what follows the condition; NULL, or what is wrong */

static char *ngx_http_llm_monitor_alert_threshold(
    ngx_http_llm_monitor_alert_t *alert, ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_webhook(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_discord(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_url(ngx_conf_t *cf,
    ngx_http_llm_monitor_alert_t *alert, ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_for(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_cooldown(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_window(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_alert_min(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static uint64_t ngx_http_llm_monitor_alert_key(ngx_conf_t *cf);


static ngx_http_llm_monitor_param_t  ngx_http_llm_monitor_alert_params[] = {
    { ngx_string("webhook="), ngx_http_llm_monitor_alert_webhook },
    { ngx_string("discord="), ngx_http_llm_monitor_alert_discord },
    { ngx_string("for="), ngx_http_llm_monitor_alert_for },
    { ngx_string("cooldown="), ngx_http_llm_monitor_alert_cooldown },
    { ngx_string("window="), ngx_http_llm_monitor_alert_window },
    { ngx_string("min="), ngx_http_llm_monitor_alert_min },
    { ngx_null_string, NULL }
};


char *
ngx_http_llm_monitor_set_alert(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    int                            kind;
    char                          *rv;
    ngx_str_t                     *value;
    ngx_http_llm_monitor_alert_t  *alert;

    value = cf->args->elts;

    for (kind = 0; kind < LLM_ALERT_KINDS; kind++) {
        if (ngx_strcmp(value[1].data, llm_alert_name(kind)) == 0) {
            break;
        }
    }

    if (kind == LLM_ALERT_KINDS) {
        return ngx_http_llm_monitor_bad_value(cf, "llm_monitor_alert",
                        &value[1],
                        "\"error_ratio\", \"p95\", \"ttft\", \"unavailable\", "
                        "\"no_traffic\", \"cost\" or \"dropped\"");
    }

    if (mcf->alerts == NULL) {
        mcf->alerts = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_llm_monitor_alert_t));
        if (mcf->alerts == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (mcf->alerts->nelts == LLM_ALERTS) {
        return "may be there 32 times";
    }

    alert = ngx_array_push(mcf->alerts);
    if (alert == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(alert, sizeof(ngx_http_llm_monitor_alert_t));

    alert->alert.kind = kind;
    alert->alert.hold = kind == LLM_ALERT_DROPPED ? 0 : 120;
    alert->alert.cooldown = 600;
    alert->alert.window = kind == LLM_ALERT_COST ? 3600 : 300;
    alert->alert.min = NGX_HTTP_LLM_MONITOR_ALERT_MIN;
    alert->alert.key = ngx_http_llm_monitor_alert_key(cf);

    rv = ngx_http_llm_monitor_alert_threshold(alert, &value[2]);

    if (rv) {
        return ngx_http_llm_monitor_bad_value(cf,
                                              (char *) llm_alert_name(kind),
                                              &value[2], rv);
    }

    rv = ngx_http_llm_monitor_params(cf, ngx_http_llm_monitor_alert_params, 3,
                                     "\"webhook=\", \"discord=\", "
                                     "\"for=\", \"cooldown=\", "
                                     "\"window=\" or \"min=\"", alert);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return alert->addr.sockaddr ? NGX_CONF_OK
                                : "needs \"webhook=\" or \"discord=\"";
}


/* NULL, or what is allowed. */

static char *
ngx_http_llm_monitor_alert_threshold(ngx_http_llm_monitor_alert_t *alert,
    ngx_str_t *value)
{
    ngx_int_t  n;

    switch (alert->alert.kind) {

    case LLM_ALERT_ERROR_RATIO:
    case LLM_ALERT_UNAVAILABLE:
        n = ngx_atofp(value->data, value->len, 6);

        if (n == NGX_ERROR || n > 1000000) {
            return "a number from 0 to 1";
        }

        alert->alert.threshold = n;
        return NULL;

    case LLM_ALERT_P95:
    case LLM_ALERT_TTFT:
        n = ngx_parse_time(value, 0);

        if (n == NGX_ERROR || n == 0 || value->len == 0) {
            return "a time such as 500ms or 30s";
        }

        alert->alert.threshold = (int64_t) n * 1000;
        return NULL;

    case LLM_ALERT_NO_TRAFFIC:
        n = ngx_parse_time(value, 1);

        if (n == NGX_ERROR || n == 0 || value->len == 0
            || n >= LLM_ALERT_SAMPLES)
        {
            return "a time from 1s to 1h";
        }

        alert->alert.threshold = (int64_t) n * 1000000;
        alert->alert.window = n;
        return NULL;

    case LLM_ALERT_COST:
        n = ngx_atofp(value->data, value->len, 9);

        if (n == NGX_ERROR) {
            return "US dollars such as 5 or 0.5";
        }

        alert->alert.threshold = n;
        return NULL;

    default: /* LLM_ALERT_DROPPED */
        n = ngx_atoi(value->data, value->len);

        if (n == NGX_ERROR) {
            return "a number such as 0 or 10";
        }

        alert->alert.threshold = n;
        return NULL;
    }
}


static char *
ngx_http_llm_monitor_alert_webhook(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    alert->channel = NGX_HTTP_LLM_MONITOR_WEBHOOK;

    return ngx_http_llm_monitor_alert_url(cf, alert, value);
}


static char *
ngx_http_llm_monitor_alert_discord(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    alert->channel = NGX_HTTP_LLM_MONITOR_DISCORD;

    return ngx_http_llm_monitor_alert_url(cf, alert, value);
}


static char *
ngx_http_llm_monitor_alert_url(ngx_conf_t *cf,
    ngx_http_llm_monitor_alert_t *alert, ngx_str_t *value)
{
    size_t      i;
    ngx_url_t   u;

    static ngx_str_t  http = ngx_string("http://");
    static ngx_str_t  https = ngx_string("https://");

    if (alert->addr.sockaddr) {
        return "is a second address";
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    if (value->len > https.len
        && ngx_strncasecmp(value->data, https.data, https.len) == 0)
    {
#if (NGX_SSL)
        alert->tls = 1;
        u.default_port = 443;
        u.url.data = value->data + https.len;
        u.url.len = value->len - https.len;
#else
        return "needs a module that is built with --with-http_ssl_module";
#endif

    } else if (value->len > http.len
               && ngx_strncasecmp(value->data, http.data, http.len) == 0)
    {
        u.default_port = 80;
        u.url.data = value->data + http.len;
        u.url.len = value->len - http.len;

    } else {
        return "must begin with \"http://\" or \"https://\"";
    }

    u.uri_part = 1;

    /* what would end the line that it is written into */

    for (i = 0; i < u.url.len; i++) {
        if (u.url.data[i] <= ' ' || u.url.data[i] >= 0x7f) {
            return "has a character that an address cannot have";
        }
    }

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        return u.err ? u.err : "is no address";
    }

    if (u.uri.len > NGX_HTTP_LLM_MONITOR_ALERT_URI
        || u.url.len - u.uri.len > NGX_HTTP_LLM_MONITOR_ALERT_HOST)
    {
        return "is too long";
    }

    alert->addr = u.addrs[0];
    alert->host.data = u.url.data;
    alert->host.len = u.url.len - u.uri.len;
    alert->name = u.host;
    alert->uri = u.uri;

    if (u.uri.len == 0) {
        ngx_str_set(&alert->uri, "/");
    }

    return NULL;
}


static char *
ngx_http_llm_monitor_alert_for(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    ngx_int_t  n;

    n = ngx_parse_time(value, 1);

    if (value->len == 0 || n == NGX_ERROR || n > 86400) {
        return ngx_http_llm_monitor_bad_value(cf, "for", value,
                                              "a time from 0 to 1d");
    }

    alert->alert.hold = n;

    return NULL;
}


static char *
ngx_http_llm_monitor_alert_cooldown(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    ngx_int_t  n;

    n = ngx_parse_time(value, 1);

    if (value->len == 0 || n == NGX_ERROR || n > 30 * 86400) {
        return ngx_http_llm_monitor_bad_value(cf, "cooldown", value,
                                              "a time from 0 to 30d");
    }

    alert->alert.cooldown = n;

    return NULL;
}


static char *
ngx_http_llm_monitor_alert_window(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    ngx_int_t  n;

    switch (alert->alert.kind) {

    case LLM_ALERT_UNAVAILABLE:
    case LLM_ALERT_NO_TRAFFIC:
    case LLM_ALERT_COST:
        return "has no meaning for this condition";
    }

    n = ngx_parse_time(value, 1);

    if (value->len == 0 || n == NGX_ERROR || n == 0 || n >= LLM_ALERT_SAMPLES)
    {
        return ngx_http_llm_monitor_bad_value(cf, "window", value,
                                              "a time from 1s to 1h");
    }

    alert->alert.window = n;

    return NULL;
}


static char *
ngx_http_llm_monitor_alert_min(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_alert_t *alert = conf;

    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n == 0) {
        return ngx_http_llm_monitor_bad_value(cf, "min", value,
                                              "a number of 1 or more");
    }

    alert->alert.min = n;

    return NULL;
}


/* A changed condition begins anew. */

static uint64_t
ngx_http_llm_monitor_alert_key(ngx_conf_t *cf)
{
    uint32_t     crc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    ngx_crc32_init(crc);

    for (i = 1; i < cf->args->nelts; i++) {
        ngx_crc32_update(&crc, value[i].data, value[i].len + 1);
    }

    ngx_crc32_final(crc);

    return (uint64_t) 1 << 32 | crc;
}


#if (NGX_SSL)

char *
ngx_http_llm_monitor_init_alerts(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_uint_t                     i, n;
    ngx_http_llm_monitor_alert_t  *alert;

    alert = mcf->alerts ? mcf->alerts->elts : NULL;
    n = mcf->alerts ? mcf->alerts->nelts : 0;

    for (i = 0; i < n; i++) {

        if (!alert[i].tls) {
            continue;
        }

        /* nginx looks for names in certificates, and for nothing else */

        if (mcf->alert_verify
            && (alert[i].addr.sockaddr->sa_family == AF_UNIX
                || alert[i].name.data[0] == '['
                || ngx_inet_addr(alert[i].name.data, alert[i].name.len)
                   != INADDR_NONE))
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"llm_monitor_alert\" to \"https://%V\" needs the "
                          "name of a host while \"llm_monitor_alert_ssl_verify"
                          "\" is on", &alert[i].host);
            return NGX_CONF_ERROR;
        }

        if (mcf->alert_ssl == NULL) {
            mcf->alert_ssl = ngx_http_llm_monitor_tls_create(cf,
                                                         &mcf->alert_trusted);
            if (mcf->alert_ssl == NULL) {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}

#endif
