
/*
 * Copyright (C) llm_monitor contributors
 *
 * llm_monitor_scope: what a location shows of all rows.  The scope is part of
 * the filter of every question, so that no parameter can widen it.
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"


static void *ngx_http_llm_monitor_scope_conf_of(ngx_conf_t *cf, char *module);


ngx_int_t
ngx_http_llm_monitor_scope(ngx_http_llm_monitor_call_t *call)
{
    ngx_str_t  value;

    if (call->lcf->scope == LLM_SCOPE_NONE) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(call->request, call->lcf->scope_value, &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->scope.data = value.data;
    call->scope.len = value.len;

    return NGX_OK;
}


ngx_int_t
ngx_http_llm_monitor_unscoped(ngx_http_llm_monitor_call_t *call)
{
    if (call->lcf->scope == LLM_SCOPE_NONE) {
        return NGX_OK;
    }

    (void) llm_query_fail(&call->err, NGX_HTTP_FORBIDDEN, "forbidden", NULL,
                          "this is about the rows of all, and this location "
                          "shows those of one, see llm_monitor_scope");

    return NGX_DECLINED;
}


int
ngx_http_llm_monitor_filter(ngx_http_llm_monitor_call_t *call, int what)
{
    if (llm_filter_parse(&call->filter, &call->args, what, call->now_ms,
                         &call->err)
        != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (call->lcf->scope != LLM_SCOPE_NONE
        && llm_filter_scope(&call->filter, call->lcf->scope, &call->scope)
           != LLM_OK)
    {
        return llm_query_fail(&call->err, NGX_HTTP_SERVICE_UNAVAILABLE,
                              "no_memory", NULL, "no memory");
    }

    return LLM_OK;
}


void
ngx_http_llm_monitor_scope_check(ngx_conf_t *cf,
    ngx_http_llm_monitor_loc_conf_t *conf)
{
    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->serve == NGX_HTTP_LLM_MONITOR_SERVE_NONE
        || conf->scope == LLM_SCOPE_NONE)
    {
        return;
    }

    value = &conf->scope_value->value;

    if (ngx_strstr(value->data, "$remote_user") == NULL
        && ngx_strstr(value->data, "${remote_user}") == NULL)
    {
        return;
    }

    if (conf->authenticated) {
        return;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"llm_monitor_scope\" takes \"%V\" in location \"%V\", "
                  "where %s: any client can claim any name",
                  value, &clcf->name,
                  clcf->satisfy == NGX_HTTP_SATISFY_ALL
                      ? "neither \"auth_basic\" nor \"auth_request\" is on"
                      : "\"satisfy any\" lets clients in without a password");
}


/*
 * The configurations of the two modules are their own.  In each the first
 * member says whether it is on: a complex value and a string, in all versions
 * since the two modules came.
 */

ngx_uint_t
ngx_http_llm_monitor_authenticated(ngx_conf_t *cf)
{
    ngx_str_t                  *uri;
    ngx_http_complex_value_t  **realm;
    ngx_http_core_loc_conf_t   *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->satisfy != NGX_HTTP_SATISFY_ALL) {
        return 0;
    }

    realm = ngx_http_llm_monitor_scope_conf_of(cf,
                                               "ngx_http_auth_basic_module");

    if (realm != NULL && *realm != NULL
        && ((*realm)->value.len != 3
            || ngx_strncmp((*realm)->value.data, "off", 3) != 0))
    {
        return 1;
    }

    uri = ngx_http_llm_monitor_scope_conf_of(cf,
                                             "ngx_http_auth_request_module");

    return uri != NULL && uri->len != 0;
}


static void *
ngx_http_llm_monitor_scope_conf_of(ngx_conf_t *cf, char *module)
{
    ngx_uint_t            i;
    ngx_module_t         *m;
    ngx_http_conf_ctx_t  *ctx;

    ctx = cf->ctx;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (ngx_strcmp(m->name, module) == 0) {
            return ctx->loc_conf[m->ctx_index];
        }
    }

    return NULL;
}
