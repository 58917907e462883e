
/*
 * Copyright (C) llm_monitor contributors
 *
 * The front door: directives, configuration, and how the rooms are wired into
 * nginx.
 */


#include "ngx_http_llm_monitor_module.h"
#include "capture/ngx_http_llm_monitor_capture.h"
#include "ring/llm_metrics_count.h"
#include "serve/ngx_http_llm_monitor_api.h"
#include "store/llm_filter.h"


/*
 * Beside the compiled proxy temp path where that is absolute: the packages
 * create and own that folder already.
 */

#define NGX_HTTP_LLM_MONITOR_DIR      "llm_monitor"
#define NGX_HTTP_LLM_MONITOR_STATE    "/var/lib/nginx/"

/*
 * Bytes of an answer of ours that are sent at once: 512 KB, a slice of an
 * export, take 0.2 ms, and more in TLS.
 */

#define NGX_HTTP_LLM_MONITOR_CHUNK    (64 * 1024)


static ngx_int_t ngx_http_llm_monitor_default_path(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf);
static ngx_int_t ngx_http_llm_monitor_default_dir(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_http_llm_monitor_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_llm_monitor_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_llm_monitor_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_llm_monitor_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_llm_monitor_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_llm_monitor_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static ngx_int_t ngx_http_llm_monitor_place(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_llm_monitor_loc_conf_t *conf);


static ngx_conf_enum_t  ngx_http_llm_monitor_bodies[] = {
    { ngx_string("off"), NGX_HTTP_LLM_MONITOR_BODIES_OFF },
    { ngx_string("on"), NGX_HTTP_LLM_MONITOR_BODIES_ON },
    { ngx_string("errors"), NGX_HTTP_LLM_MONITOR_BODIES_ERRORS },
    { ngx_string("request"), NGX_HTTP_LLM_MONITOR_BODIES_REQUEST },
    { ngx_string("response"), NGX_HTTP_LLM_MONITOR_BODIES_RESPONSE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_llm_monitor_compat[] = {
    { ngx_string("off"), 0 },
    { ngx_string("openai"), LLM_METRICS_OPENAI },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_llm_monitor_http[] = {
    { ngx_string("on"), LLM_METRICS_HTTP },
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_llm_monitor_otel[] = {
    { ngx_string("off"), 0 },
    { ngx_string("on"), LLM_METRICS_OTEL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_llm_monitor_accounts[] = {
    { ngx_string("off"), 0 },
    { ngx_string("hash"), LLM_METRICS_ACCOUNT_HASH },
    { ngx_string("raw"), LLM_METRICS_ACCOUNT },
    { ngx_null_string, 0 }
};


static ngx_http_llm_monitor_bounds_t  ngx_http_llm_monitor_body_bounds = {
    0, (off_t) 4 * 1024 * 1024 * 1024, "a size from 0 to 4g"
};


static ngx_http_llm_monitor_bounds_t  ngx_http_llm_monitor_buffer_bounds = {
    1024, 16 * 1024 * 1024, "a size from 1k to 16m"
};


static ngx_http_llm_monitor_bounds_t  ngx_http_llm_monitor_memory_bounds = {
    1024 * 1024, NGX_MAX_SIZE_T_VALUE, "a size of 1m or more"
};


static ngx_command_t  ngx_http_llm_monitor_commands[] = {

    { ngx_string("llm_monitor"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_llm_monitor_set_enable,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, enable),
      NULL },

    { ngx_string("llm_monitor_path"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_llm_monitor_set_path,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_capture_memory"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_size,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, capture_memory),
      &ngx_http_llm_monitor_memory_bounds },

    { ngx_string("llm_monitor_thread_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_thread_pool,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_prices"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_prices,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_bodies"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, bodies),
      ngx_http_llm_monitor_bodies },

    { ngx_string("llm_monitor_max_body_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_offset,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, max_body_size),
      &ngx_http_llm_monitor_body_bounds },

    { ngx_string("llm_monitor_buffer_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, buffer_size),
      &ngx_http_llm_monitor_buffer_bounds },

    { ngx_string("llm_monitor_account"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, account),
      NULL },

    { ngx_string("llm_monitor_user"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, user),
      NULL },

    { ngx_string("llm_monitor_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, session),
      NULL },

    { ngx_string("llm_monitor_provider"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, provider),
      NULL },

    { ngx_string("llm_monitor_mapped_model"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, mapped_model),
      NULL },

    { ngx_string("llm_monitor_if"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, filter),
      NULL },

    { ngx_string("llm_monitor_redact"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_llm_monitor_set_redact,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_ui"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_llm_monitor_set_ui,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_llm_monitor_set_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("llm_monitor_metrics_compat"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_word,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, compat),
      ngx_http_llm_monitor_compat },

    { ngx_string("llm_monitor_metrics_http"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_word,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, http),
      ngx_http_llm_monitor_http },

    { ngx_string("llm_monitor_metrics_otel"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_word,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, otel),
      ngx_http_llm_monitor_otel },

    { ngx_string("llm_monitor_metrics_account"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_llm_monitor_set_word,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, accounts),
      ngx_http_llm_monitor_accounts },

    { ngx_string("llm_monitor_alert"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_llm_monitor_set_alert,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

#if (NGX_SSL)

    { ngx_string("llm_monitor_alert_ssl_verify"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, alert_verify),
      NULL },

    { ngx_string("llm_monitor_alert_ssl_trusted_certificate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_main_conf_t, alert_trusted),
      NULL },

#endif

    { ngx_string("llm_monitor_remote"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_llm_monitor_loc_conf_t, remote),
      NULL },

    { ngx_string("llm_monitor_scope"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_llm_monitor_set_scope,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_llm_monitor_module_ctx = {
    ngx_http_llm_monitor_preconfiguration,    /* preconfiguration */
    ngx_http_llm_monitor_postconfiguration,   /* postconfiguration */

    ngx_http_llm_monitor_create_main_conf,    /* create main configuration */
    ngx_http_llm_monitor_init_main_conf,      /* init main configuration */

    NULL,                                     /* create server configuration */
    NULL,                                     /* merge server configuration */

    ngx_http_llm_monitor_create_loc_conf,     /* create location config */
    ngx_http_llm_monitor_merge_loc_conf       /* merge location config */
};


ngx_module_t  ngx_http_llm_monitor_module = {
    NGX_MODULE_V1,
    &ngx_http_llm_monitor_module_ctx,         /* module context */
    ngx_http_llm_monitor_commands,            /* module directives */
    NGX_HTTP_MODULE,                          /* module type */
    NULL,                                     /* init master */
    NULL,                                     /* init module */
    ngx_http_llm_monitor_init_process,        /* init process */
    NULL,                                     /* init thread */
    NULL,                                     /* exit thread */
    ngx_http_llm_monitor_exit_process,        /* exit process */
    NULL,                                     /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_llm_monitor_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_llm_monitor_variables_add(cf);
}


static ngx_int_t
ngx_http_llm_monitor_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);

    if (!mcf->enabled) {
        return NGX_OK;
    }

    if (mcf->path == NULL
        && ngx_http_llm_monitor_default_path(cf, mcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_add_path(cf, &mcf->path) != NGX_OK) {
        return NGX_ERROR;
    }

    mcf->zone.dir = mcf->path->name;

    if (ngx_http_llm_monitor_zone_add(cf, &mcf->zone,
                                      &ngx_http_llm_monitor_module)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

#if (NGX_THREADS)

    if (ngx_http_llm_monitor_pool(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

#endif

    if (ngx_http_llm_monitor_prices_init(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_llm_monitor_api_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!mcf->watch) {
        return NGX_OK;
    }

    return ngx_http_llm_monitor_capture_init(cf);
}


static ngx_int_t
ngx_http_llm_monitor_default_path(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   base;

    ngx_str_set(&base, NGX_HTTP_PROXY_TEMP_PATH);

    while (base.len && base.data[base.len - 1] == '/') {
        base.len--;
    }

    while (base.len && base.data[base.len - 1] != '/') {
        base.len--;
    }

    if (base.len == 0 || base.data[0] != '/') {
        ngx_str_set(&base, NGX_HTTP_LLM_MONITOR_STATE);
    }

    mcf->path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (mcf->path == NULL) {
        return NGX_ERROR;
    }

    len = base.len + sizeof(NGX_HTTP_LLM_MONITOR_DIR) - 1;

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    mcf->path->name.data = p;
    mcf->path->name.len = len;

    p = ngx_cpymem(p, base.data, base.len);
    ngx_memcpy(p, NGX_HTTP_LLM_MONITOR_DIR, sizeof(NGX_HTTP_LLM_MONITOR_DIR));

    return ngx_http_llm_monitor_default_dir(cf, &mcf->path->name);
}


/*
 * An nginx that no package installed may have no such folder.  Who set nothing
 * is told what to set.
 */

static ngx_int_t
ngx_http_llm_monitor_default_dir(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_err_t  err;

    err = ngx_create_full_path(name->data, 0755);

    if (err == 0 || err == NGX_EACCES) {
        err = ngx_create_dir(name->data, 0700) == NGX_FILE_ERROR ? ngx_errno
                                                                 : 0;
    }

    if (err != 0 && err != NGX_EEXIST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           ngx_create_dir_n " \"%V\" failed, it is the default "
                           "of \"llm_monitor_path\"", name);
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_path_there(cf, name) == NGX_CONF_OK
           ? NGX_OK : NGX_ERROR;
}


static void *
ngx_http_llm_monitor_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_monitor_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->places, cf->pool, 16,
                       sizeof(ngx_http_llm_monitor_place_t))
        != NGX_OK
        || ngx_http_llm_monitor_memory_init(&mcf->memory, cf->pool) != NGX_OK)
    {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->path = NULL;
     *     mcf->zone = { 0 };
     *     mcf->thread_pool_name = { 0, NULL };
     *     mcf->watch = 0;
     *     mcf->enabled = 0;
     *     mcf->prices = NULL;
     *     mcf->finder = NULL;
     *     mcf->alerts = NULL;
     *     mcf->alert_ssl = NULL;
     *     mcf->alert_trusted = { 0, NULL };
     */

    mcf->flush = NGX_CONF_UNSET_MSEC;
    mcf->retention = NGX_CONF_UNSET;
    mcf->bodies = NGX_CONF_UNSET;
    mcf->stats = NGX_CONF_UNSET;
    mcf->max_size = NGX_CONF_UNSET;
    mcf->synchronous = NGX_CONF_UNSET_UINT;
    mcf->capture_memory = NGX_CONF_UNSET_SIZE;
    mcf->compat = NGX_CONF_UNSET_UINT;
    mcf->http = NGX_CONF_UNSET_UINT;
    mcf->otel = NGX_CONF_UNSET_UINT;
    mcf->accounts = NGX_CONF_UNSET_UINT;
#if (NGX_SSL)
    mcf->alert_verify = NGX_CONF_UNSET;
#endif

    mcf->zone.ring_size = NGX_CONF_UNSET_SIZE;
    mcf->zone.spool_size = NGX_CONF_UNSET;
    mcf->zone.node = NGX_CONF_UNSET_UINT;

    ngx_queue_init(&mcf->exchanges);

    return mcf;
}


static char *
ngx_http_llm_monitor_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    ngx_conf_init_msec_value(mcf->flush, 200);
    ngx_conf_init_value(mcf->retention, 30 * 24 * 60 * 60);
    ngx_conf_init_value(mcf->bodies, 7 * 24 * 60 * 60);
    ngx_conf_init_value(mcf->stats, 400 * 24 * 60 * 60);
    ngx_conf_init_value(mcf->max_size, (off_t) 10 * 1024 * 1024 * 1024);
    ngx_conf_init_uint_value(mcf->synchronous, 2);
    ngx_conf_init_size_value(mcf->capture_memory, 256 * 1024 * 1024);

    ngx_conf_init_uint_value(mcf->compat, 0);
    ngx_conf_init_uint_value(mcf->http, LLM_METRICS_HTTP);
    ngx_conf_init_uint_value(mcf->otel, 0);
    ngx_conf_init_uint_value(mcf->accounts, 0);

    mcf->sets = mcf->compat | mcf->http | mcf->otel | mcf->accounts;

    ngx_conf_init_size_value(mcf->zone.ring_size, 64 * 1024 * 1024);
    ngx_conf_init_value(mcf->zone.spool_size, 1024 * 1024 * 1024);
    ngx_conf_init_uint_value(mcf->zone.node, 0);

#if (NGX_SSL)
    ngx_conf_init_value(mcf->alert_verify, 1);

    return ngx_http_llm_monitor_init_alerts(cf, mcf);
#else
    return NGX_CONF_OK;
#endif
}


static void *
ngx_http_llm_monitor_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_llm_monitor_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->serve = NGX_HTTP_LLM_MONITOR_SERVE_NONE;
     *     lcf->serve_handler = NULL;
     */

    lcf->enable = NGX_CONF_UNSET;
    lcf->bodies = NGX_CONF_UNSET_UINT;
    lcf->max_body_size = NGX_CONF_UNSET;
    lcf->buffer_size = NGX_CONF_UNSET_SIZE;
    lcf->account = NGX_CONF_UNSET_PTR;
    lcf->user = NGX_CONF_UNSET_PTR;
    lcf->session = NGX_CONF_UNSET_PTR;
    lcf->provider = NGX_CONF_UNSET_PTR;
    lcf->mapped_model = NGX_CONF_UNSET_PTR;
    lcf->filter = NGX_CONF_UNSET_PTR;
    lcf->redact_headers = NGX_CONF_UNSET_PTR;
    lcf->redact_args = NGX_CONF_UNSET_PTR;
    lcf->redact_json = NGX_CONF_UNSET_PTR;
    lcf->remote = NGX_CONF_UNSET;

    return lcf;
}


static char *
ngx_http_llm_monitor_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_llm_monitor_loc_conf_t *prev = parent;
    ngx_http_llm_monitor_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_uint_value(conf->bodies, prev->bodies,
                              NGX_HTTP_LLM_MONITOR_BODIES_ON);
    ngx_conf_merge_off_value(conf->max_body_size, prev->max_body_size,
                             100 * 1024 * 1024);
    ngx_conf_merge_size_value(conf->buffer_size, prev->buffer_size, 64 * 1024);
    ngx_conf_merge_ptr_value(conf->account, prev->account, NULL);
    ngx_conf_merge_ptr_value(conf->user, prev->user, NULL);
    ngx_conf_merge_ptr_value(conf->session, prev->session, NULL);
    ngx_conf_merge_ptr_value(conf->provider, prev->provider, NULL);
    ngx_conf_merge_ptr_value(conf->mapped_model, prev->mapped_model, NULL);
    ngx_conf_merge_ptr_value(conf->filter, prev->filter, NULL);
    ngx_conf_merge_value(conf->remote, prev->remote, 0);

    /* a location inside of this one shows no more than this one */

    if (conf->scope == LLM_SCOPE_NONE) {
        conf->scope = prev->scope;
        conf->scope_value = prev->scope_value;
    }

    /* one directive sets all three, so they are inherited together */

    if (conf->redact_headers == NGX_CONF_UNSET_PTR) {
        ngx_conf_merge_ptr_value(conf->redact_headers, prev->redact_headers,
                                 NULL);
        ngx_conf_merge_ptr_value(conf->redact_args, prev->redact_args, NULL);
        ngx_conf_merge_ptr_value(conf->redact_json, prev->redact_json, NULL);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* a directive that came later may have set a handler of its own */

    if (conf->serve_file && clcf->handler != conf->serve_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" directive cannot be beside another content "
                      "handler in %s:%ui",
                      &conf->serve_name, conf->serve_file, conf->serve_line);
        return NGX_CONF_ERROR;
    }

    /* "if" and limit_except are parts of the location that they are in */

    if (clcf->noname) {
        conf->serve = prev->serve;
        conf->serve_handler = prev->serve_handler;
    }

    if (clcf->lmt_excpt && clcf->handler == NULL
        && conf->serve != NGX_HTTP_LLM_MONITOR_SERVE_NONE)
    {
        clcf->handler = conf->serve_handler;
    }

    conf->authenticated = ngx_http_llm_monitor_authenticated(cf);

    if (!clcf->noname) {
        ngx_http_llm_monitor_scope_check(cf, conf);
    }

    if (ngx_http_llm_monitor_place(cf, clcf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* a look at the monitor is no traffic, and lets that go first */

    if (conf->serve != NGX_HTTP_LLM_MONITOR_SERVE_NONE) {
        conf->enable = 0;

        if (clcf->sendfile_max_chunk == 0
            || clcf->sendfile_max_chunk > NGX_HTTP_LLM_MONITOR_CHUNK)
        {
            clcf->sendfile_max_chunk = NGX_HTTP_LLM_MONITOR_CHUNK;
        }
    }

    return NGX_CONF_OK;
}


/* Which location it would have been if nginx refuses before it looks. */

static ngx_int_t
ngx_http_llm_monitor_place(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_llm_monitor_loc_conf_t *conf)
{
    ngx_http_llm_monitor_place_t      *place;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    if (clcf->name.len == 0 || clcf->noname || clcf->named
#if (NGX_PCRE)
        || clcf->regex
#endif
        )
    {
        return NGX_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);

    place = ngx_array_push(&mcf->places);
    if (place == NULL) {
        return NGX_ERROR;
    }

    place->server = ngx_http_conf_get_module_srv_conf(cf,
                                                      ngx_http_core_module);
    place->name = clcf->name;
    place->exact = clcf->exact_match;
    place->own = (conf->serve != NGX_HTTP_LLM_MONITOR_SERVE_NONE);

    return NGX_OK;
}
