
/*
 * Copyright (C) llm_monitor contributors
 *
 * The calls of the C library are the ones below, for SQLite as well: a program
 * comes first when names are looked up.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk.h"


#define DISK_NAME   96
#define DISK_FILES  4096

enum {
    DISK_WRITE = 0, DISK_SIZE, DISK_SYNC,             /* of a file */
    DISK_NAMED, DISK_UNNAMED, DISK_RENAMED, DISK_SYNC_DIR
};

typedef struct {
    int        what;
    int        file;                   /* or folder: 1 is the spool */
    int64_t    at;                     /* or size */
    size_t     len;
    uint8_t   *data;
    char      *name;
    char      *to;
} disk_step_t;

typedef struct {
    uint8_t   *data;
    size_t     len;
    size_t     room;
    int64_t    synced;                 /* by the step before this one */
} disk_file_t;


int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int openat(int at, const char *path, int flags, ...);
int openat64(int at, const char *path, int flags, ...);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at);
ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t at);
int ftruncate(int fd, off_t size);
int ftruncate64(int fd, off64_t size);
int fsync(int fd);
int fdatasync(int fd);
int unlink(const char *path);
int unlinkat(int at, const char *path, int flags);
int rename(const char *from, const char *to);
int renameat(int at, const char *from, int to_at, const char *to);

static int disk_open(int at, const char *path, int flags, mode_t mode);
static const char *disk_path(int at, const char *path, char *buf);
static int disk_known(int fd);
static disk_step_t *disk_step(int what, int file);
static void disk_wrote(int fd, const void *p, size_t n, int64_t at);
static int disk_sync(int fd);
static void disk_names(disk_step_t *s, int *named);
static void disk_put(disk_file_t *f, int64_t at, const uint8_t *p, size_t n);
static void disk_resize(disk_file_t *f, size_t n);
static void disk_late(disk_file_t *f, const disk_step_t *s, int kind,
    int odds);
static void disk_make(const char *to, const char *name, const disk_file_t *f);


static char          disk_dir[256];
static ino_t         disk_dirs[2];
static ino_t         disk_inodes[DISK_FILES];
static int           disk_nfiles, disk_on;
static disk_step_t  *disk_log;
static size_t        disk_n, disk_room;

static void        (*disk_before)(void);


void
disk_record(const char *dir, void (*before)(void))
{
    char         spool[512];
    struct stat  st;

    snprintf(disk_dir, sizeof(disk_dir), "%s", dir);
    snprintf(spool, sizeof(spool), "%s/spool", dir);

    if (stat(dir, &st) == -1) {
        abort();
    }

    disk_dirs[0] = st.st_ino;

    if (stat(spool, &st) == -1) {
        abort();
    }

    disk_dirs[1] = st.st_ino;
    disk_before = before;
    disk_on = 1;
}


void
disk_forget(void)
{
    size_t  i;

    for (i = 0; i < disk_n; i++) {
        free(disk_log[i].data);
        free(disk_log[i].name);
        free(disk_log[i].to);
    }

    disk_n = 0;
    disk_nfiles = 0;
    disk_on = 0;
}


size_t
disk_steps(void)
{
    return disk_n;
}


void
disk_pause(int pause)
{
    disk_on = !pause;
}


static disk_step_t *
disk_step(int what, int file)
{
    disk_step_t  *s;

    if (disk_before != NULL) {
        disk_on = 0;
        disk_before();
        disk_on = 1;
    }

    if (disk_n == disk_room) {
        disk_room = disk_room ? 2 * disk_room : 4096;
        disk_log = realloc(disk_log, disk_room * sizeof(disk_step_t));

        if (disk_log == NULL) {
            abort();
        }
    }

    s = &disk_log[disk_n++];

    memset(s, 0, sizeof(disk_step_t));
    s->what = what;
    s->file = file;

    return s;
}


/* The name within the folder, if it is of a file that is looked at. */

static const char *
disk_path(int at, const char *path, char *buf)
{
    char     link[64];
    size_t   n;
    ssize_t  len;

    if (!disk_on) {
        return NULL;
    }

    len = 0;

    if (path[0] != '/' && at != AT_FDCWD) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
        len = readlink(link, buf, 512);

        if (len <= 0 || len >= 512) {
            return NULL;
        }

        buf[len++] = '/';
    }

    snprintf(buf + len, 1024 - len, "%s", path);

    n = strlen(disk_dir);

    if (strncmp(buf, disk_dir, n) != 0 || buf[n] != '/') {
        return NULL;
    }

    path = buf + n + 1;
    n = strlen(path);

    if (strncmp(path, "spool/", 6) == 0) {
        return path;
    }

    if (strncmp(path, "proxy_logs.db", 13) != 0
        || strcmp(path + n - 4, "-shm") == 0)
    {
        return NULL;
    }

    return path;
}


/* The newest file of that inode, or -1. */

static int
disk_known(int fd)
{
    int          i;
    struct stat  st;

    if (!disk_on || fstat(fd, &st) == -1) {
        return -1;
    }

    for (i = disk_nfiles - 1; i >= 0; i--) {
        if (disk_inodes[i] == st.st_ino) {
            return i;
        }
    }

    return -1;
}


static int
disk_open(int at, const char *path, int flags, mode_t mode)
{
    int           fd, made;
    char          buf[1024];
    const char   *name;
    struct stat   st;

    name = flags & O_CREAT ? disk_path(at, path, buf) : NULL;
    made = name != NULL && fstatat(at, path, &st, 0) == -1;

    fd = syscall(SYS_openat, at, path, flags, mode);

    if (fd != -1 && made) {
        if (fstat(fd, &st) == -1 || disk_nfiles == DISK_FILES) {
            abort();
        }

        disk_step(DISK_NAMED, disk_nfiles)->name = strdup(name);
        disk_inodes[disk_nfiles++] = st.st_ino;
    }

    return fd;
}


static void
disk_wrote(int fd, const void *p, size_t n, int64_t at)
{
    int           file;
    disk_step_t  *s;

    file = disk_known(fd);

    if (file != -1) {
        s = disk_step(DISK_WRITE, file);
        s->at = at;
        s->len = n;
        s->data = malloc(n);
        memcpy(s->data, p, n);
    }
}


static int
disk_sync(int fd)
{
    int          i, file;
    struct stat  st;

    file = disk_known(fd);

    if (file != -1) {
        disk_step(DISK_SYNC, file);
        return 0;
    }

    for (i = 0; disk_on && i < 2; i++) {
        if (fstat(fd, &st) == 0 && st.st_ino == disk_dirs[i]) {
            disk_step(DISK_SYNC_DIR, i);
        }
    }

    return 0;
}


/* The calls. */

#define DISK_OPEN(at)                                                         \
                                                                              \
    va_list  args;                                                            \
    mode_t   mode;                                                            \
                                                                              \
    va_start(args, flags);                                                    \
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;                        \
    va_end(args);                                                             \
                                                                              \
    return disk_open(at, path, flags, mode)


int
open(const char *path, int flags, ...)
{
    DISK_OPEN(AT_FDCWD);
}


int
open64(const char *path, int flags, ...)
{
    DISK_OPEN(AT_FDCWD);
}


int
openat(int at, const char *path, int flags, ...)
{
    DISK_OPEN(at);
}


int
openat64(int at, const char *path, int flags, ...)
{
    DISK_OPEN(at);
}


ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    disk_wrote(fd, p, n, at);

    return syscall(SYS_pwrite64, fd, p, n, at);
}


ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off64_t at)
{
    int      i;
    off64_t  to;

    for (i = 0, to = at; i < n; i++) {
        disk_wrote(fd, iov[i].iov_base, iov[i].iov_len, to);
        to += iov[i].iov_len;
    }

    return syscall(SYS_pwritev, fd, iov, n, at, 0);
}


ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    return pwritev64(fd, iov, n, at);
}


int
ftruncate64(int fd, off64_t size)
{
    int  file;

    file = disk_known(fd);

    if (file != -1) {
        disk_step(DISK_SIZE, file)->at = size;
    }

    return syscall(SYS_ftruncate, fd, size);
}


int
ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}


int
fsync(int fd)
{
    return disk_sync(fd);
}


int
fdatasync(int fd)
{
    return disk_sync(fd);
}


int
unlinkat(int at, const char *path, int flags)
{
    char         buf[1024];
    const char  *name;

    name = flags == 0 ? disk_path(at, path, buf) : NULL;

    if (name != NULL && faccessat(at, path, F_OK, 0) == 0) {
        disk_step(DISK_UNNAMED, 0)->name = strdup(name);
    }

    return syscall(SYS_unlinkat, at, path, flags);
}


int
unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}


int
renameat(int at, const char *from, int to_at, const char *to)
{
    char          buf[1024], to_buf[1024];
    const char   *name, *to_name;
    disk_step_t  *s;

    name = disk_path(at, from, buf);
    to_name = disk_path(to_at, to, to_buf);

    if (name != NULL && to_name != NULL
        && faccessat(at, from, F_OK, 0) == 0)
    {
        s = disk_step(DISK_RENAMED, 0);
        s->name = strdup(name);
        s->to = strdup(to_name);
    }

    return syscall(SYS_renameat, at, from, to_at, to);
}


int
rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}


/* Images. */

void
disk_image(const char *to, size_t n, int kind)
{
    int           i, dir, odds, *named;
    char          name[512];
    size_t        k, safe[2], late[2];
    disk_file_t  *files, *f;
    disk_step_t  *s;

    files = calloc(disk_nfiles + 1, sizeof(disk_file_t));
    named = calloc(disk_nfiles + 1, sizeof(int));
    safe[0] = safe[1] = 0;
    odds = 1 + random() % 7;

    for (k = 0; k < n; k++) {
        s = &disk_log[k];

        if (s->what == DISK_SYNC) {
            files[s->file].synced = k;

        } else if (s->what == DISK_SYNC_DIR) {
            safe[s->file] = k;
        }
    }

    for (i = 0; i < 2; i++) {
        late[i] = kind == DISK_NOTHING ? safe[i]
                  : kind == DISK_ALL ? n
                  : safe[i] + random() % (n - safe[i] + 1);
    }

    /* names are kept as the number of their step, for each file */

    for (k = 0; k < n; k++) {
        s = &disk_log[k];
        f = &files[s->file];

        switch (s->what) {

        case DISK_WRITE:
        case DISK_SIZE:

            if (kind == DISK_ALL || (int64_t) k < f->synced) {
                disk_late(f, s, DISK_ALL, 8);

            } else if (kind != DISK_NOTHING) {
                disk_late(f, s, kind, odds);
            }

            break;

        case DISK_NAMED:
        case DISK_UNNAMED:
        case DISK_RENAMED:

            dir = strncmp(s->name, "spool/", 6) == 0;

            if (k < late[dir]) {
                disk_names(s, named);
            }
        }
    }

    snprintf(name, sizeof(name), "%s/spool", to);

    if ((mkdir(to, 0700) == -1 && errno != EEXIST)
        || (mkdir(name, 0700) == -1 && errno != EEXIST))
    {
        abort();
    }

    for (i = 0; i < disk_nfiles; i++) {

        if (named[i] != 0) {
            s = &disk_log[named[i] - 1];
            disk_make(to, s->what == DISK_RENAMED ? s->to : s->name,
                      &files[i]);
        }

        free(files[i].data);
    }

    free(files);
    free(named);
}


/* A file's name is that of the step whose number, from 1, it has. */

static void
disk_names(disk_step_t *s, int *named)
{
    int          i, step;
    const char  *name;

    step = s - disk_log + 1;

    for (i = 0; i < disk_nfiles; i++) {

        if (named[i] == 0) {
            continue;
        }

        name = disk_log[named[i] - 1].what == DISK_RENAMED
               ? disk_log[named[i] - 1].to : disk_log[named[i] - 1].name;

        if (strcmp(name, s->name) == 0) {
            named[i] = s->what == DISK_RENAMED ? step : 0;

        } else if (s->to != NULL && strcmp(name, s->to) == 0) {
            named[i] = 0;
        }
    }

    if (s->what == DISK_NAMED) {
        named[s->file] = step;
    }
}


/* One that was not synced, or (DISK_ALL) was. */

static void
disk_late(disk_file_t *f, const disk_step_t *s, int kind, int odds)
{
    size_t  i, n;

    if (s->what == DISK_SIZE) {
        if (kind == DISK_ALL || random() % 8 < odds) {
            disk_resize(f, s->at);
        }

        return;
    }

    if (kind != DISK_SECTORS) {
        if (kind == DISK_ALL || random() % 8 < odds) {
            disk_put(f, s->at, s->data, s->len);
        }

        return;
    }

    for (i = 0; i < s->len; i += n) {
        n = DISK_SECTOR - (s->at + i) % DISK_SECTOR;
        n = n < s->len - i ? n : s->len - i;

        if (random() % 8 < odds) {
            disk_put(f, s->at + i, s->data + i, n);
        }
    }
}


static void
disk_put(disk_file_t *f, int64_t at, const uint8_t *p, size_t n)
{
    if (at + n > f->len) {
        disk_resize(f, at + n);
    }

    memcpy(f->data + at, p, n);
}


static void
disk_resize(disk_file_t *f, size_t n)
{
    if (n > f->room) {
        f->room = 2 * n;
        f->data = realloc(f->data, f->room);

        if (f->data == NULL) {
            abort();
        }
    }

    if (n > f->len) {
        memset(f->data + f->len, 0, n - f->len);
    }

    f->len = n;
}


static void
disk_make(const char *to, const char *name, const disk_file_t *f)
{
    int   fd;
    char  path[512];

    snprintf(path, sizeof(path), "%s/%s", to, name);

    fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY|O_CREAT|O_TRUNC, 0600);

    if (fd == -1
        || (f->len > 0 && syscall(SYS_pwrite64, fd, f->data, f->len, 0L)
                          != (long) f->len))
    {
        abort();
    }

    close(fd);
}
