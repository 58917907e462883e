
/*
 * Copyright (C) llm_monitor contributors
 *
 * The table of prices of a configuration: read while the configuration is, so
 * that a broken file is an error of "nginx -t", and on a reload leaves the old
 * configuration, with its table, in force.
 */


#include "ngx_http_llm_monitor_module.h"
#include "record/llm_crc32c.h"


#define NGX_HTTP_LLM_MONITOR_PRICES_NAME  64    /* bytes that are shown */


static ngx_int_t ngx_http_llm_monitor_prices_read(ngx_conf_t *cf,
    ngx_str_t *name, llm_str_t *text, time_t *mtime);
static ngx_int_t ngx_http_llm_monitor_prices_keep(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf);
static void ngx_http_llm_monitor_prices_cleanup(void *data);
static void ngx_http_llm_monitor_prices_source(ngx_str_t *name,
    llm_str_t *text, time_t mtime, llm_str_t *source);
static void *ngx_http_llm_monitor_prices_alloc(void *data, size_t size);
static void ngx_http_llm_monitor_prices_free(void *data, void *p);


static const llm_mem_t  ngx_http_llm_monitor_prices_mem = {
    ngx_http_llm_monitor_prices_alloc,
    ngx_http_llm_monitor_prices_free,
    NULL
};


char *
ngx_http_llm_monitor_set_prices(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_llm_monitor_main_conf_t *mcf = conf;

    int                 rc;
    u_char              buf[NGX_HTTP_LLM_MONITOR_PRICES_NAME + 32];
    time_t              mtime;
    llm_str_t           text, source;
    ngx_str_t          *value, name;
    llm_price_error_t   err;

    if (mcf->prices) {
        return "is duplicate";
    }

    value = cf->args->elts;
    name = value[1];

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"\" of \"%V\", it must be the name "
                           "of a file", &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK
        || ngx_http_llm_monitor_prices_read(cf, &name, &text, &mtime)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    source.data = buf;
    ngx_http_llm_monitor_prices_source(&name, &text, mtime, &source);

    rc = llm_price_read(&mcf->prices, &text, &source,
                        &ngx_http_llm_monitor_prices_mem, &err);

    ngx_free((void *) text.data);

    if (rc != LLM_OK) {
        if (err.line) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" line %uz: %s",
                               &name, err.line, err.text);

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s",
                               &name, err.text);
        }

        return NGX_CONF_ERROR;
    }

    return ngx_http_llm_monitor_prices_keep(cf, mcf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_llm_monitor_prices_init(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    llm_price_error_t  err;

    if (mcf->prices) {
        return NGX_OK;
    }

    if (llm_price_builtin(&mcf->prices, &ngx_http_llm_monitor_prices_mem, &err)
        != LLM_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "the built-in prices: %s", err.text);
        return NGX_ERROR;
    }

    return ngx_http_llm_monitor_prices_keep(cf, mcf);
}


/* The whole file in memory that is to be freed. */

static ngx_int_t
ngx_http_llm_monitor_prices_read(ngx_conf_t *cf, ngx_str_t *name,
    llm_str_t *text, time_t *mtime)
{
    u_char           *p;
    ssize_t           n;
    size_t            size;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_file_t        file;
    ngx_file_info_t   fi;

    p = NULL;
    rc = NGX_ERROR;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto failed;
    }

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) > LLM_PRICE_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no file of at most %d bytes", name,
                           LLM_PRICE_FILE);
        goto failed;
    }

    size = (size_t) ngx_file_size(&fi);

    p = ngx_alloc(size + 1, cf->log);
    if (p == NULL) {
        goto failed;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.fd = fd;
    file.name = *name;
    file.log = cf->log;

    n = ngx_read_file(&file, p, size, 0);

    if (n == NGX_ERROR || (size_t) n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" could not be read as a whole", name);
        goto failed;
    }

    text->data = p;
    text->len = size;
    *mtime = ngx_file_mtime(&fi);
    rc = NGX_OK;

failed:

    if (rc != NGX_OK && p) {
        ngx_free(p);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


/* "prices.json 2026-11-21 1f2e3d4c": a name, a day, and a sum of the bytes */

static void
ngx_http_llm_monitor_prices_source(ngx_str_t *name, llm_str_t *text,
    time_t mtime, llm_str_t *source)
{
    u_char     *p;
    ngx_tm_t    tm;
    ngx_str_t   base;

    base = *name;

    while (base.len && ngx_strlchr(base.data, base.data + base.len, '/')) {
        base.data++;
        base.len--;
    }

    base.len = ngx_min(base.len, NGX_HTTP_LLM_MONITOR_PRICES_NAME);

    ngx_gmtime(mtime, &tm);

    p = (u_char *) source->data;

    source->len = ngx_sprintf(p, "%V %4d-%02d-%02d %08xD", &base,
                              tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                              llm_crc32c(0, text->data, text->len))
                  - p;
}


/* The table goes with its configuration. */

static ngx_int_t
ngx_http_llm_monitor_prices_keep(ngx_conf_t *cf,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (cln == NULL) {
        llm_price_free(mcf->prices);
        mcf->prices = NULL;
        return NGX_ERROR;
    }

    cln->handler = ngx_http_llm_monitor_prices_cleanup;
    cln->data = mcf;

    return NGX_OK;
}


static void
ngx_http_llm_monitor_prices_cleanup(void *data)
{
    ngx_http_llm_monitor_main_conf_t *mcf = data;

    llm_price_finder_free(mcf->finder);
    llm_price_free(mcf->prices);
}


static void *
ngx_http_llm_monitor_prices_alloc(void *data, size_t size)
{
    return malloc(size);
}


static void
ngx_http_llm_monitor_prices_free(void *data, void *p)
{
    free(p);
}
