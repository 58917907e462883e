
/*
 * Copyright (C) llm_monitor contributors
 */


#include "ngx_http_llm_monitor_ring_file.h"

#include <ngx_md5.h>
#include <sys/file.h>
#include <sys/random.h>

#if (NGX_LINUX)
#include <sys/statfs.h>
#endif


#define NGX_HTTP_LLM_MONITOR_SHM_DIR      "/dev/shm"
#define NGX_HTTP_LLM_MONITOR_TMPFS_MAGIC  0x01021994


static ngx_fd_t ngx_http_llm_monitor_shm_dir(u_char *dir, ngx_str_t *data_dir,
    ngx_uid_t user, ngx_log_t *log);
static ngx_int_t ngx_http_llm_monitor_shm_usable(void);
static ngx_int_t ngx_http_llm_monitor_ring_make(
    ngx_http_llm_monitor_ring_file_t *file, ngx_fd_t dirfd, size_t size,
    ngx_uid_t user, ngx_log_t *log);
static ngx_int_t ngx_http_llm_monitor_ring_map(
    ngx_http_llm_monitor_ring_file_t *file, size_t size, uint64_t identity,
    ngx_log_t *log);


ngx_http_llm_monitor_ring_file_t *
ngx_http_llm_monitor_ring_file_create(ngx_str_t *data_dir, size_t size,
    ngx_uid_t user, ngx_log_t *log)
{
    ngx_fd_t                           dirfd;
    ngx_int_t                          rc;
    ngx_http_llm_monitor_ring_file_t  *file;

    if (data_dir->len >= NGX_MAX_PATH) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "\"%V\" is too long", data_dir);
        return NULL;
    }

    /* not of a pool: it outlives the cycle that made it */

    file = ngx_calloc(sizeof(ngx_http_llm_monitor_ring_file_t), log);
    if (file == NULL) {
        return NULL;
    }

    file->refs = 1;

    dirfd = ngx_http_llm_monitor_shm_dir(file->dir, data_dir, user, log);

    if (dirfd != NGX_INVALID_FILE) {
        (void) ngx_cpystrn(file->place, file->dir, NGX_MAX_PATH);

        rc = ngx_http_llm_monitor_ring_make(file, dirfd, size, user, log);

        (void) close(dirfd);

        if (rc == NGX_OK) {
            file->shm = 1;
            return file;
        }

        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "no ring of %uz bytes in \"%s\", using \"%V\"",
                      size, file->dir, data_dir);

        (void) rmdir((char *) file->dir);

    } else {
        (void) ngx_cpystrn(file->place, data_dir->data, data_dir->len + 1);
    }

    (void) ngx_cpystrn(file->dir, data_dir->data, data_dir->len + 1);

    dirfd = open((char *) file->dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (dirfd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", file->dir);
        goto failed;
    }

    rc = ngx_http_llm_monitor_ring_make(file, dirfd, size, user, log);

    (void) close(dirfd);

    if (rc == NGX_OK) {
        return file;
    }

    ngx_log_error(NGX_LOG_EMERG, log, 0,
                  "could not make a ring of %uz bytes in \"%s\", "
                  "make room or set a smaller \"ring=\" "
                  "in \"llm_monitor_path\"", size, file->dir);

failed:

    ngx_free(file);

    return NULL;
}


/*
 * Opens, or makes, the directory for data_dir's rings in /dev/shm, where
 * everybody may make names: it has to be a directory of the right owner that
 * nobody else may enter.
 */

static ngx_fd_t
ngx_http_llm_monitor_shm_dir(u_char *dir, ngx_str_t *data_dir,
    ngx_uid_t user, ngx_log_t *log)
{
    u_char           md5[16], hex[33];
    ngx_fd_t         fd;
    ngx_md5_t        ctx;
    ngx_file_info_t  fi;

    if (ngx_http_llm_monitor_shm_usable() != NGX_OK) {
        return NGX_INVALID_FILE;
    }

    ngx_md5_init(&ctx);
    ngx_md5_update(&ctx, data_dir->data, data_dir->len);
    ngx_md5_final(md5, &ctx);

    *ngx_hex_dump(hex, md5, 16) = '\0';

    (void) ngx_snprintf(dir, NGX_MAX_PATH,
                        NGX_HTTP_LLM_MONITOR_SHM_DIR "/llm_monitor-%s%Z",
                        hex);

    if (mkdir((char *) dir, 0700) == -1 && ngx_errno != NGX_EEXIST) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed, using \"%V\"",
                      dir, data_dir);
        return NGX_INVALID_FILE;
    }

    fd = open((char *) dir, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE || ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed, using \"%V\"",
                      dir, data_dir);
        goto failed;
    }

    if ((fi.st_uid != user && fi.st_uid != geteuid())
        || (fi.st_mode & (S_IRWXG|S_IRWXO)))
    {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "\"%s\" has another owner or is open to others, "
                      "using \"%V\"", dir, data_dir);
        goto failed;
    }

    if (user != (ngx_uid_t) NGX_CONF_UNSET_UINT && fi.st_uid != user
        && fchown(fd, user, -1) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "fchown(\"%s\", %d) failed, using \"%V\"",
                      dir, user, data_dir);
        goto failed;
    }

    return fd;

failed:

    if (fd != NGX_INVALID_FILE) {
        (void) close(fd);
    }

    return NGX_INVALID_FILE;
}


static ngx_int_t
ngx_http_llm_monitor_shm_usable(void)
{
#if (NGX_LINUX)

    struct statfs  fs;

    if (statfs(NGX_HTTP_LLM_MONITOR_SHM_DIR, &fs) == 0
        && fs.f_type == NGX_HTTP_LLM_MONITOR_TMPFS_MAGIC)
    {
        return NGX_OK;
    }

#endif

    return NGX_DECLINED;
}


/*
 * The file gets its name last: who finds a ring.* finds a whole one that is
 * locked.  Its blocks are allocated, for a store into a hole of a full disk is
 * a SIGBUS.
 */

static ngx_int_t
ngx_http_llm_monitor_ring_make(ngx_http_llm_monitor_ring_file_t *file,
    ngx_fd_t dirfd, size_t size, ngx_uid_t user, ngx_log_t *log)
{
    int       err;
    u_char    name[64];
    uint64_t  identity;

    if (getrandom(&identity, sizeof(identity), 0) != sizeof(identity)) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno, "getrandom() failed");
        return NGX_ERROR;
    }

    (void) ngx_sprintf(name, "new.%016xL%Z", identity);
    (void) ngx_sprintf(file->name, "ring.%016xL%Z", identity);

    file->fd = openat(dirfd, (char *) name,
                      O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (file->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      ngx_open_file_n " \"%s/%s\" failed", file->dir, name);
        return NGX_ERROR;
    }

    err = posix_fallocate(file->fd, 0, size);

    if (err != 0) {
        ngx_log_error(NGX_LOG_WARN, log, err,
                      "posix_fallocate(\"%s/%s\", %uz) failed",
                      file->dir, name, size);
        goto failed;
    }

    if (user != (ngx_uid_t) NGX_CONF_UNSET_UINT && user != geteuid()
        && fchown(file->fd, user, -1) == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "fchown(\"%s/%s\", %d) failed", file->dir, name, user);
        goto failed;
    }

    if (flock(file->fd, LOCK_SH|LOCK_NB) == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "flock(\"%s/%s\") failed", file->dir, name);
        goto failed;
    }

    if (ngx_http_llm_monitor_ring_map(file, size, identity, log) != NGX_OK) {
        goto failed;
    }

    if (renameat(dirfd, (char *) name, dirfd, (char *) file->name) == 0) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                  ngx_rename_file_n " \"%s/%s\" to \"%s\" failed",
                  file->dir, name, file->name);

    (void) munmap(file->ring.map, file->ring.size);

failed:

    (void) unlinkat(dirfd, (char *) name, 0);
    (void) close(file->fd);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_llm_monitor_ring_map(ngx_http_llm_monitor_ring_file_t *file,
    size_t size, uint64_t identity, ngx_log_t *log)
{
    void  *map;

    map = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, file->fd, 0);

    if (map == MAP_FAILED) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "mmap(\"%s\", %uz) failed", file->dir, size);
        return NGX_ERROR;
    }

#if defined(MADV_DONTDUMP)

    /* records are nothing for a core file */
    (void) madvise(map, size, MADV_DONTDUMP);

#endif

    if (llm_ring_format(&file->ring, map, size, identity) != LLM_OK) {
        ngx_log_error(NGX_LOG_CRIT, log, 0,
                      "%uz bytes are no size of a ring", size);
        (void) munmap(map, size);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_llm_monitor_ring_file_release(ngx_http_llm_monitor_ring_file_t *file)
{
    u_char     path[NGX_MAX_PATH + sizeof("/ring.") + 64];
    uint64_t   used, room;
    ngx_fd_t   fd;

    if (--file->refs) {
        return;
    }

    llm_ring_usage(&file->ring, &used, &room);

    (void) munmap(file->ring.map, file->ring.size);
    (void) close(file->fd);

    if (used == 0) {
        (void) ngx_snprintf(path, sizeof(path), "%s/%s%Z", file->dir,
                            file->name);

        fd = open((char *) path, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

        if (fd != NGX_INVALID_FILE) {

            if (flock(fd, LOCK_EX|LOCK_NB) == 0) {
                (void) unlink((char *) path);

                /* its directory, unless another ring is there */

                if (file->shm) {
                    (void) rmdir((char *) file->dir);
                }
            }

            (void) close(fd);
        }
    }

    ngx_free(file);
}
