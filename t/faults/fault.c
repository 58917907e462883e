
/*
 * Copyright (C) llm_monitor contributors
 *
 * Preloaded into nginx: while the file that $LLM_FAULT names says so, calls
 * about proxy_logs.db, its -wal and its -shm fail.  Writes: e with EIO, f with
 * ENOSPC, q with EDQUOT, w with EROFS, s after half of what is to be written.
 * Others: y fsync, r reads, t what changes a size, o opens, m maps.  With h an
 * fsync hangs until its process has taken everything down, and has a second
 * then to find that.
 */


#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>


/* of some 30 seconds, for a process that never ends */
#define FAULT_PATIENCE  3000


static char          fault_file[512];
static volatile int  fault_hanging, fault_ending;


/* nginx clears its environment before it forks */

__attribute__((constructor)) static void
fault_init(void)
{
    const char  *name;

    name = getenv("LLM_FAULT");

    if (name != NULL) {
        snprintf(fault_file, sizeof(fault_file), "%s", name);
    }
}


/* exit() runs this behind all of nginx's own cleanup */

__attribute__((destructor)) static void
fault_end(void)
{
    if (fault_hanging) {
        fault_ending = 1;
        sleep(1);
    }
}


/* The word's first letter if it is about the database, or 0. */

static int
fault_about(const char *path)
{
    int   control, saved;
    char  word[8];

    if (strstr(path, "proxy_logs.db") == NULL) {
        return 0;
    }

    saved = errno;
    word[0] = '\0';
    control = syscall(SYS_openat, AT_FDCWD, fault_file, O_RDONLY|O_CLOEXEC, 0);

    if (control != -1) {
        if (read(control, word, sizeof(word)) <= 0) {
            word[0] = '\0';
        }

        close(control);
    }

    errno = saved;

    return word[0] == '\n' ? 0 : word[0];
}


static int
fault_now(int fd)
{
    int      saved;
    char     link[64], path[512];
    ssize_t  n;

    saved = errno;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    errno = saved;

    if (n <= 0) {
        return 0;
    }

    path[n] = '\0';

    return fault_about(path);
}


static void *
fault_real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}


static ssize_t
fault_write(const char *name, int fd, const void *p, size_t n, off64_t at)
{
    int        what;
    ssize_t  (*real)(int, const void *, size_t, off64_t);

    *(void **) &real = fault_real(name);
    what = fault_now(fd);

    if (what == 'e' || what == 'f' || what == 'q' || what == 'w'
        || (what == 's' && n < 2))
    {
        errno = what == 'e' ? EIO : what == 'q' ? EDQUOT
                : what == 'w' ? EROFS : ENOSPC;
        return -1;
    }

    return real(fd, p, what == 's' ? n / 2 : n, at);
}


ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return fault_write("pwrite64", fd, p, n, at);
}


ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
    return fault_write("pwrite", fd, p, n, at);
}


static ssize_t
fault_read(const char *name, int fd, void *p, size_t n, off64_t at)
{
    ssize_t  (*real)(int, void *, size_t, off64_t);

    *(void **) &real = fault_real(name);

    if (fault_now(fd) == 'r') {
        errno = EIO;
        return -1;
    }

    return real(fd, p, n, at);
}


ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
    return fault_read("pread64", fd, p, n, at);
}


ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
    return fault_read("pread", fd, p, n, at);
}


static int
fault_sync(const char *name, int fd)
{
    int  n, what, (*real)(int);

    *(void **) &real = fault_real(name);
    what = fault_now(fd);

    if (what == 'y') {
        errno = EIO;
        return -1;
    }

    if (what == 'h') {
        fault_hanging = 1;

        for (n = 0; !fault_ending && n < FAULT_PATIENCE; n++) {
            usleep(10000);
        }
    }

    return real(fd);
}


int
fsync(int fd)
{
    return fault_sync("fsync", fd);
}


int
fdatasync(int fd)
{
    return fault_sync("fdatasync", fd);
}


static int
fault_size(const char *name, int fd, off64_t size)
{
    int  (*real)(int, off64_t);

    *(void **) &real = fault_real(name);

    if (fault_now(fd) == 't') {
        errno = ENOSPC;
        return -1;
    }

    return real(fd, size);
}


int
ftruncate(int fd, off_t size)
{
    return fault_size("ftruncate", fd, size);
}


int
ftruncate64(int fd, off64_t size)
{
    return fault_size("ftruncate64", fd, size);
}


static int
fault_open(const char *name, const char *path, int flags, mode_t mode)
{
    int  (*real)(const char *, int, ...);

    *(void **) &real = fault_real(name);

    if (fault_about(path) == 'o') {
        errno = EMFILE;
        return -1;
    }

    return real(path, flags, mode);
}


int
open(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);

    return fault_open("open", path, flags, mode);
}


int
open64(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);

    return fault_open("open64", path, flags, mode);
}


static void *
fault_map(const char *name, void *p, size_t n, int how, int flags, int fd,
    off64_t at)
{
    void  *(*real)(void *, size_t, int, int, int, off64_t);

    *(void **) &real = fault_real(name);

    if (fd != -1 && fault_now(fd) == 'm') {
        errno = ENOMEM;
        return MAP_FAILED;
    }

    return real(p, n, how, flags, fd, at);
}


void *
mmap(void *p, size_t n, int how, int flags, int fd, off_t at)
{
    return fault_map("mmap", p, n, how, flags, fd, at);
}


void *
mmap64(void *p, size_t n, int how, int flags, int fd, off64_t at)
{
    return fault_map("mmap64", p, n, how, flags, fd, at);
}
