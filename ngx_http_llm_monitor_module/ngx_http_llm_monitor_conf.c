
/*
 * Copyright (C) llm_monitor contributors
 *
 * Setters of the directives.  Each refuses a wrong value by name and says what
 * is allowed.
 */


#include "ngx_http_llm_monitor_module.h"
#include "serve/ngx_http_llm_monitor_api.h"
#include "serve/ngx_http_llm_monitor_ui.h"
#include "store/llm_filter.h"


static char *ngx_http_llm_monitor_path_ring(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_spool(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_max_size(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_retention(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_bodies(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_stats(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_flush(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_synchronous(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_path_node(ngx_conf_t *cf, void *conf,
    ngx_str_t *value);
static char *ngx_http_llm_monitor_age(ngx_conf_t *cf, char *name,
    ngx_str_t *value, time_t *age);
static ngx_int_t ngx_http_llm_monitor_parse_size(ngx_conf_t *cf,
    ngx_command_t *cmd, off_t *size);
static char *ngx_http_llm_monitor_redact_add(ngx_conf_t *cf,
    ngx_array_t *names, ngx_str_t *name);
static char *ngx_http_llm_monitor_serve(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_llm_monitor_loc_conf_t *lcf, ngx_uint_t serve,
    ngx_http_handler_pt handler);


static ngx_http_llm_monitor_param_t  ngx_http_llm_monitor_path_params[] = {
    { ngx_string("ring="), ngx_http_llm_monitor_path_ring },
    { ngx_string("spool="), ngx_http_llm_monitor_path_spool },
    { ngx_string("max_size="), ngx_http_llm_monitor_path_max_size },
    { ngx_string("retention="), ngx_http_llm_monitor_path_retention },
    { ngx_string("bodies="), ngx_http_llm_monitor_path_bodies },
    { ngx_string("stats="), ngx_http_llm_monitor_path_stats },
    { ngx_string("flush="), ngx_http_llm_monitor_path_flush },
    { ngx_string("synchronous="), ngx_http_llm_monitor_path_synchronous },
    { ngx_string("node="), ngx_http_llm_monitor_path_node },
    { ngx_null_string, NULL }
};


char *
ngx_http_llm_monitor_set_enable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    char                              *rv;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (lcf->enable) {
        mcf = ngx_http_conf_get_module_main_conf(cf,
                                                 ngx_http_llm_monitor_module);
        mcf->watch = 1;
        mcf->enabled = 1;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_llm_monitor_set_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    char       *rv;
    ngx_str_t  *value;

    if (mcf->path) {
        return "is duplicate";
    }

    value = cf->args->elts;

    mcf->path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (mcf->path == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->path->name = value[1];
    mcf->path->conf_file = cf->conf_file->file.name.data;
    mcf->path->line = cf->conf_file->line;

    while (mcf->path->name.len > 1
           && mcf->path->name.data[mcf->path->name.len - 1] == '/')
    {
        mcf->path->name.data[--mcf->path->name.len] = '\0';
    }

    /* nginx gives it to the user of its workers, so that "/" would be lost */

    if (mcf->path->name.len == 0
        || (mcf->path->name.len == 1 && mcf->path->name.data[0] == '/'))
    {
        return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                     &mcf->path->name,
                                     "the name of a directory of its own");
    }

    if (ngx_conf_full_name(cf->cycle, &mcf->path->name, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_llm_monitor_path_there(cf, &mcf->path->name);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_http_llm_monitor_params(cf, ngx_http_llm_monitor_path_params, 2,
                                       "\"ring=\", \"spool=\", "
                                       "\"max_size=\", \"retention=\", "
                                       "\"bodies=\", \"stats=\", "
                                       "\"flush=\", \"synchronous=\" or "
                                       "\"node=\"", mcf);
}


char *
ngx_http_llm_monitor_params(ngx_conf_t *cf,
    ngx_http_llm_monitor_param_t *params, ngx_uint_t from, char *allowed,
    void *conf)
{
    char                          *rv;
    ngx_str_t                     *value, arg;
    ngx_uint_t                     i;
    ngx_http_llm_monitor_param_t  *param;

    value = cf->args->elts;

    for (i = from; i < cf->args->nelts; i++) {

        for (param = params; param->name.len; param++) {

            if (value[i].len >= param->name.len
                && ngx_strncmp(value[i].data, param->name.data,
                               param->name.len)
                   == 0)
            {
                break;
            }
        }

        if (param->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be %s",
                               &value[i], allowed);
            return NGX_CONF_ERROR;
        }

        arg.data = value[i].data + param->name.len;
        arg.len = value[i].len - param->name.len;

        rv = param->set(cf, conf, &arg);

        if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" %s", &value[i], rv);
            return NGX_CONF_ERROR;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/*
 * What nginx would give to the user of its workers, whatever it is; a folder
 * that others can look into is left as who made it wants it.
 */

char *
ngx_http_llm_monitor_path_there(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_file_info_t  fi;

    if (ngx_file_info(name->data, &fi) == NGX_FILE_ERROR) {
        return NGX_CONF_OK;
    }

    if (!ngx_is_dir(&fi)) {
        return ngx_http_llm_monitor_bad_value(cf, "llm_monitor_path", name,
                                     "the name of a directory of its own, "
                                     "and this is none");
    }

    if (fi.st_mode & (S_IRWXG|S_IRWXO)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "directory \"%V\" of \"llm_monitor_path\" is open "
                           "to others, its access rights should be 0700",
                           name);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_ring(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    ssize_t  size;

    if (mcf->zone.ring_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    size = ngx_parse_size(value);

    if (size == NGX_ERROR || size < 64 * 1024
        || size > (ssize_t) 16 * 1024 * 1024 * 1024)
    {
        return ngx_http_llm_monitor_bad_value(cf, "ring", value,
                                              "a size from 64k to 16g");
    }

    mcf->zone.ring_size = ngx_align(size, ngx_pagesize);

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_spool(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    off_t  size;

    if (mcf->zone.spool_size != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    size = ngx_parse_offset(value);

    if (size == NGX_ERROR) {
        return ngx_http_llm_monitor_bad_value(cf, "spool", value,
                                              "a size such as 0, 256m or 1g");
    }

    mcf->zone.spool_size = size;

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_max_size(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    off_t  size;

    if (mcf->max_size != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    size = ngx_parse_offset(value);

    if (size == NGX_ERROR || size < 16 * 1024 * 1024) {
        return ngx_http_llm_monitor_bad_value(cf, "max_size", value,
                                              "a size of 16m or more");
    }

    mcf->max_size = size;

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_retention(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    return ngx_http_llm_monitor_age(cf, "retention", value, &mcf->retention);
}


static char *
ngx_http_llm_monitor_path_bodies(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    return ngx_http_llm_monitor_age(cf, "bodies", value, &mcf->bodies);
}


static char *
ngx_http_llm_monitor_path_stats(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    return ngx_http_llm_monitor_age(cf, "stats", value, &mcf->stats);
}


static char *
ngx_http_llm_monitor_age(ngx_conf_t *cf, char *name, ngx_str_t *value,
    time_t *age)
{
    if (*age != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    *age = ngx_parse_time(value, 1);

    if (value->len == 0 || *age == (time_t) NGX_ERROR) {
        return ngx_http_llm_monitor_bad_value(cf, name, value,
                                  "a time such as 12h or 30d, 0 is for ever");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_flush(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    ngx_int_t  msec;

    if (mcf->flush != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    msec = ngx_parse_time(value, 0);

    if (msec == NGX_ERROR || msec < 10 || msec > 60000) {
        return ngx_http_llm_monitor_bad_value(cf, "flush", value,
                                              "a time from 10ms to 60s");
    }

    mcf->flush = (ngx_msec_t) msec;

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_path_synchronous(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    if (mcf->synchronous != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (value->len == 4 && ngx_strncmp(value->data, "full", 4) == 0) {
        mcf->synchronous = 2;
        return NGX_CONF_OK;
    }

    if (value->len == 6 && ngx_strncmp(value->data, "normal", 6) == 0) {
        mcf->synchronous = 1;
        return NGX_CONF_OK;
    }

    return ngx_http_llm_monitor_bad_value(cf, "synchronous", value,
                                          "\"full\" or \"normal\"");
}


static char *
ngx_http_llm_monitor_path_node(ngx_conf_t *cf, void *conf,
    ngx_str_t *value)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    ngx_int_t  node;

    if (mcf->zone.node != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    node = ngx_atoi(value->data, value->len);

    if (node == NGX_ERROR || node > 255) {
        return ngx_http_llm_monitor_bad_value(cf, "node", value,
                                              "a number from 0 to 255");
    }

    mcf->zone.node = node;

    return NGX_CONF_OK;
}


char *
ngx_http_llm_monitor_bad_value(ngx_conf_t *cf, char *name, ngx_str_t *value,
    char *allowed)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" of \"%s\", it must be %s",
                       value, name, allowed);

    return NGX_CONF_ERROR;
}


char *
ngx_http_llm_monitor_set_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    u_char           *last, buf[NGX_MAX_CONF_ERRSTR];
    ngx_str_t        *value;
    ngx_uint_t       *np, i;
    ngx_conf_enum_t  *e;

    np = (ngx_uint_t *) (p + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    e = cmd->post;

    for (i = 0; e[i].name.len; i++) {
        if (e[i].name.len == value[1].len
            && ngx_strcmp(e[i].name.data, value[1].data) == 0)
        {
            *np = e[i].value;
            return NGX_CONF_OK;
        }
    }

    last = buf;

    for (i = 0; e[i].name.len; i++) {
        last = ngx_slprintf(last, buf + sizeof(buf) - 1, "%s\"%V\"",
                            i == 0 ? "" : e[i + 1].name.len ? ", " : " or ",
                            &e[i].name);
    }

    *last = '\0';

    return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                          &value[1], (char *) buf);
}


char *
ngx_http_llm_monitor_set_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    off_t    size;
    size_t  *sp;

    sp = (size_t *) (p + cmd->offset);

    if (*sp != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    if (ngx_http_llm_monitor_parse_size(cf, cmd, &size) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *sp = (size_t) size;

    return NGX_CONF_OK;
}


char *
ngx_http_llm_monitor_set_offset(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char  *p = conf;

    off_t  *sp;

    sp = (off_t *) (p + cmd->offset);

    if (*sp != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_http_llm_monitor_parse_size(cf, cmd, sp) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_llm_monitor_parse_size(ngx_conf_t *cf, ngx_command_t *cmd,
    off_t *size)
{
    ngx_str_t                      *value;
    ngx_http_llm_monitor_bounds_t  *bounds;

    value = cf->args->elts;
    bounds = cmd->post;

    *size = ngx_parse_offset(&value[1]);

    if (*size == NGX_ERROR || *size < bounds->min || *size > bounds->max) {
        (void) ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                              &value[1], bounds->text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_http_llm_monitor_set_redact(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    char          *rv;
    ngx_str_t     *value, name;
    ngx_uint_t     i, n, kind;
    ngx_array_t  **names[3];

    static ngx_str_t  kinds[] = {
        ngx_string("header="), ngx_string("arg="), ngx_string("json=")
    };

    names[0] = &lcf->redact_headers;
    names[1] = &lcf->redact_args;
    names[2] = &lcf->redact_json;

    for (n = 0; n < 3; n++) {

        if (*names[n] != NGX_CONF_UNSET_PTR) {
            continue;
        }

        *names[n] = ngx_array_create(cf->pool, 4, sizeof(llm_str_t));
        if (*names[n] == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        name = value[i];

        for (kind = 0; kind < 3; kind++) {
            if (name.len >= kinds[kind].len
                && ngx_strncmp(name.data, kinds[kind].data, kinds[kind].len)
                   == 0)
            {
                name.data += kinds[kind].len;
                name.len -= kinds[kind].len;
                break;
            }
        }

        if (name.len == 0 || ngx_strlchr(name.data, name.data + name.len, '='))
        {
            return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                   &value[i],
                                   "a name, or \"header=\", \"arg=\" or "
                                   "\"json=\" and a name");
        }

        /* a bare name is meant wherever it turns up */

        for (n = 0; n < 3; n++) {

            if (kind < 3 && n != kind) {
                continue;
            }

            rv = ngx_http_llm_monitor_redact_add(cf, *names[n], &name);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_llm_monitor_redact_add(ngx_conf_t *cf, ngx_array_t *names,
    ngx_str_t *name)
{
    u_char     *p;
    llm_str_t  *s;

    s = ngx_array_push(names);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, name->len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_strlow(p, name->data, name->len);

    s->data = p;
    s->len = name->len;

    return NGX_CONF_OK;
}


char *
ngx_http_llm_monitor_set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    ngx_str_t  *value;

    if (mcf->thread_pool_name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                              &value[1],
                                              "the name of a thread pool");
    }

#if !(NGX_THREADS)
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" needs nginx built with threads", &cmd->name);
    return NGX_CONF_ERROR;
#else
    mcf->thread_pool_name = value[1];

    return NGX_CONF_OK;
#endif
}


char *
ngx_http_llm_monitor_set_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    ngx_str_t                         *value;
    ngx_uint_t                         serve;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    serve = NGX_HTTP_LLM_MONITOR_SERVE_API;

    if (cf->args->nelts == 2) {
        value = cf->args->elts;

        if (ngx_strcmp(value[1].data, "read") != 0) {
            return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                                  &value[1],
                                                  "\"read\" or absent");
        }

        serve = NGX_HTTP_LLM_MONITOR_SERVE_API_READ;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);
    mcf->enabled = 1;
    mcf->live = 1;

    return ngx_http_llm_monitor_serve(cf, cmd, lcf, serve,
                                      ngx_http_llm_monitor_api_handler);
}


char *
ngx_http_llm_monitor_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);
    mcf->enabled = 1;
    mcf->live = 1;

    return ngx_http_llm_monitor_serve(cf, cmd, lcf,
                                      NGX_HTTP_LLM_MONITOR_SERVE_METRICS,
                                      ngx_http_llm_monitor_metrics_handler);
}


char *
ngx_http_llm_monitor_set_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    ngx_str_t                         *value;
    ngx_uint_t                         serve;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    serve = NGX_HTTP_LLM_MONITOR_SERVE_HEALTH;

    if (cf->args->nelts == 2) {
        value = cf->args->elts;

        if (ngx_strcmp(value[1].data, "live") != 0) {
            return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                                  &value[1],
                                                  "\"live\" or absent");
        }

        serve = NGX_HTTP_LLM_MONITOR_SERVE_ALIVE;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);
    mcf->enabled = 1;

    return ngx_http_llm_monitor_serve(cf, cmd, lcf, serve,
                                      ngx_http_llm_monitor_health_handler);
}


char *
ngx_http_llm_monitor_set_ui(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (ngx_http_llm_monitor_ui_hash.len == 0) {
        return "needs the page, which this module was built without";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->exact_match) {
        return "cannot be in a location given by \"=\", "
               "for the page has files below it";
    }

    return ngx_http_llm_monitor_serve(cf, cmd, lcf,
                                      NGX_HTTP_LLM_MONITOR_SERVE_UI,
                                      ngx_http_llm_monitor_ui_handler);
}


/* what is asked for is told by what follows the location's own path */

static char *
ngx_http_llm_monitor_serve(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_llm_monitor_loc_conf_t *lcf, ngx_uint_t serve,
    ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->serve_handler == handler) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->named
#if (NGX_PCRE)
        || clcf->regex
#endif
        )
    {
        return "cannot be in a location given by regular expression, "
               "or inside named location";
    }

    if (clcf->handler) {
        return "cannot be beside another content handler";
    }

    clcf->handler = handler;

    /* or "/monitor" would go to whatever answers "/" */

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        clcf->auto_redirect = 1;
    }

    lcf->serve = serve;
    lcf->serve_handler = handler;
    lcf->serve_name = cmd->name;
    lcf->serve_file = cf->conf_file->file.name.data;
    lcf->serve_line = cf->conf_file->line;

    return NGX_CONF_OK;
}



char *
ngx_http_llm_monitor_set_scope(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_llm_monitor_loc_conf_t *lcf = conf;

    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    if (lcf->scope != LLM_SCOPE_NONE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "user") == 0) {
        lcf->scope = LLM_SCOPE_USER;

    } else if (ngx_strcmp(value[1].data, "account") == 0) {
        lcf->scope = LLM_SCOPE_ACCOUNT;

    } else {
        return ngx_http_llm_monitor_bad_value(cf, (char *) cmd->name.data,
                                              &value[1],
                                              "\"user\" or \"account\"");
    }

    lcf->scope_value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (lcf->scope_value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = lcf->scope_value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
