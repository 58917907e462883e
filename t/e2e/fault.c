
/*
 * Copyright (C) llm_monitor contributors
 *
 * Preloaded into nginx: while the file that $LLM_FAULT names says so, writes
 * to proxy_logs.db and its WAL fail: e with EIO, f with ENOSPC, s after half of
 * what is to be written; y: only fsync fails.
 */


#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static char  fault_file[512];


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


/* The word's first letter, or 0. */

static int
fault_now(int fd)
{
    int      control, saved;
    char     link[64], path[512], word[8];
    ssize_t  n;

    saved = errno;
    word[0] = '\0';
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);

    if (n > 0) {
        path[n] = '\0';

        if (strstr(path, "proxy_logs.db") != NULL) {
            control = open(fault_file, O_RDONLY|O_CLOEXEC);

            if (control != -1) {
                if (read(control, word, sizeof(word)) <= 0) {
                    word[0] = '\0';
                }

                close(control);
            }
        }
    }

    errno = saved;

    return word[0] == '\n' ? 0 : word[0];
}


static ssize_t
fault_write(const char *name, int fd, const void *p, size_t n, off64_t at)
{
    int        what;
    ssize_t  (*real)(int, const void *, size_t, off64_t);

    *(void **) &real = dlsym(RTLD_NEXT, name);
    what = fault_now(fd);

    if (what == 'e') {
        errno = EIO;
        return -1;
    }

    if (what == 'f' || (what == 's' && n < 2)) {
        errno = ENOSPC;
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


static int
fault_sync(const char *name, int fd)
{
    int  (*real)(int);

    *(void **) &real = dlsym(RTLD_NEXT, name);

    if (fault_now(fd) == 'y') {
        errno = EIO;
        return -1;
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
