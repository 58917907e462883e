
/*
 * Copyright (C) llm_monitor contributors
 *
 * The spool files that records name: opened by name only, within their
 * directory, and removed when what is in them is committed.
 */


#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "llm_writer.h"


void
llm_writer_spool(llm_writer_t *w)
{
    int  fd;

    if (w->spool_fd != -1) {
        (void) close(w->spool_fd);
        w->spool_fd = -1;
    }

    fd = open(w->db.dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    w->spool_fd = openat(fd, "spool",
                         O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    (void) close(fd);
}


int
llm_writer_spool_file(llm_writer_t *w, const char *name, int64_t *size)
{
    int          fd;
    struct stat  st;

    /* a record that names a file comes after the file and its directory */

    if (w->spool_fd == -1) {
        llm_writer_spool(w);
    }

    if (w->spool_fd == -1) {
        return -1;
    }

    fd = openat(w->spool_fd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        (void) close(fd);
        return -1;
    }

    *size = st.st_size;

    return fd;
}


int
llm_writer_unlink(llm_writer_t *w, const char *name)
{
    int64_t      used, left;
    struct stat  st;

    if (w->spool_fd == -1
        || fstatat(w->spool_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1
        || unlinkat(w->spool_fd, name, 0) == -1)
    {
        return LLM_ERROR;
    }

    /* what an earlier instance left was never counted in this one */

    used = __atomic_load_n(&w->control->spool_bytes, __ATOMIC_RELAXED);

    do {
        left = used > st.st_size ? used - st.st_size : 0;

    } while (!__atomic_compare_exchange_n(&w->control->spool_bytes, &used,
                                          left, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));

    return LLM_OK;
}
