
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_salt.h"

#include <sys/random.h>


#define NGX_HTTP_LLM_MONITOR_SALT_NAME  "salt"


static ngx_int_t ngx_http_llm_monitor_salt_read(ngx_fd_t dirfd, uint8_t *salt);
static ngx_int_t ngx_http_llm_monitor_salt_make(ngx_fd_t dirfd,
    const uint8_t *salt);


ngx_int_t
ngx_http_llm_monitor_salt(ngx_fd_t dirfd, ngx_str_t *dir, uint8_t *salt,
    ngx_log_t *log)
{
    ngx_err_t  err;
    ngx_int_t  rc;

    if (getrandom(salt, NGX_HTTP_LLM_MONITOR_SALT_LEN, 0)
        != NGX_HTTP_LLM_MONITOR_SALT_LEN)
    {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno, "getrandom() failed");
        return NGX_DECLINED;
    }

    if (dirfd == NGX_INVALID_FILE) {
        return NGX_DECLINED;
    }

    rc = ngx_http_llm_monitor_salt_read(dirfd, salt);

    if (rc == NGX_DECLINED
        && ngx_http_llm_monitor_salt_make(dirfd, salt) == NGX_OK)
    {
        /* another worker may have been faster: its salt counts then */

        rc = ngx_http_llm_monitor_salt_read(dirfd, salt);
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    err = ngx_errno;

    ngx_log_error(NGX_LOG_ERR, log, err,
                  "no salt in \"%V/" NGX_HTTP_LLM_MONITOR_SALT_NAME "\", "
                  "hashes of keys will change with the process", dir);

    return NGX_DECLINED;
}


/* NGX_DECLINED: there is none; NGX_ERROR: it cannot be read. */

static ngx_int_t
ngx_http_llm_monitor_salt_read(ngx_fd_t dirfd, uint8_t *salt)
{
    ssize_t   n;
    uint8_t   buf[NGX_HTTP_LLM_MONITOR_SALT_LEN];
    ngx_fd_t  fd;

    fd = openat(dirfd, NGX_HTTP_LLM_MONITOR_SALT_NAME,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        return ngx_errno == NGX_ENOENT ? NGX_DECLINED : NGX_ERROR;
    }

    ngx_set_errno(0);

    n = read(fd, buf, sizeof(buf));

    (void) close(fd);

    if (n != sizeof(buf)) {
        return NGX_ERROR;
    }

    ngx_memcpy(salt, buf, sizeof(buf));

    return NGX_OK;
}


/* Written aside and linked: nobody reads half of it, and the first one wins. */

static ngx_int_t
ngx_http_llm_monitor_salt_make(ngx_fd_t dirfd, const uint8_t *salt)
{
    u_char     name[64];
    ngx_fd_t   fd;
    ngx_err_t  err;

    (void) ngx_sprintf(name, "new.salt.%P%Z", ngx_pid);

    /* what a dead process of the same number left behind */
    (void) unlinkat(dirfd, (char *) name, 0);

    fd = openat(dirfd, (char *) name,
                O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    err = 0;

    if (write(fd, salt, NGX_HTTP_LLM_MONITOR_SALT_LEN)
        != NGX_HTTP_LLM_MONITOR_SALT_LEN
        || fsync(fd) == -1)
    {
        err = ngx_errno;

    } else if (linkat(dirfd, (char *) name, dirfd,
                      NGX_HTTP_LLM_MONITOR_SALT_NAME, 0)
               == -1
               && ngx_errno != NGX_EEXIST)
    {
        err = ngx_errno;
    }

    (void) close(fd);
    (void) unlinkat(dirfd, (char *) name, 0);

    ngx_set_errno(err);

    return err ? NGX_ERROR : NGX_OK;
}
