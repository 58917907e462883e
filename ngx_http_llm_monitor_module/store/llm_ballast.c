
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "llm_ballast.h"


static int64_t llm_ballast_bytes(int fd);


int
llm_ballast_make(const char *dir, int64_t size)
{
    int          at, fd, rc;
    int64_t      half;
    struct stat  st;

    at = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (at == -1) {
        return LLM_ERROR;
    }

    rc = LLM_ERROR;

    fd = openat(at, LLM_BALLAST_FILE,
                O_RDWR|O_CREAT|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, 0600);

    if (fd == -1) {
        rc = errno == ENOSPC || errno == EDQUOT ? LLM_FULL : LLM_ERROR;
        goto done;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        goto done;
    }

    half = (llm_ballast_bytes(fd) + st.st_size) / 2;
    size = size < half ? size : half;

    if (st.st_size >= size && st.st_size >= LLM_BALLAST_MIN) {
        rc = LLM_OK;

    } else if (size >= LLM_BALLAST_MIN && posix_fallocate(fd, 0, size) == 0) {
        rc = LLM_OK;

    } else {
        (void) unlinkat(at, LLM_BALLAST_FILE, 0);
        rc = LLM_FULL;
    }

done:

    if (fd != -1) {
        (void) close(fd);
    }

    (void) close(at);

    return rc;
}


static int64_t
llm_ballast_bytes(int fd)
{
    struct statvfs  fs;

    if (fstatvfs(fd, &fs) == -1) {
        return -1;
    }

    return (int64_t) fs.f_bavail * (int64_t) fs.f_frsize;
}


int64_t
llm_ballast_drop(const char *dir)
{
    int          at;
    int64_t      size;
    struct stat  st;

    at = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (at == -1) {
        return 0;
    }

    size = 0;

    if (fstatat(at, LLM_BALLAST_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0
        && S_ISREG(st.st_mode)
        && unlinkat(at, LLM_BALLAST_FILE, 0) == 0)
    {
        size = st.st_size;
    }

    (void) close(at);

    return size;
}


int64_t
llm_ballast_room(const char *dir)
{
    int      at;
    int64_t  room;

    at = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (at == -1) {
        return -1;
    }

    room = llm_ballast_bytes(at);

    (void) close(at);

    return room;
}
