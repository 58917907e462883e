
/*
 * Copyright (C) llm_monitor contributors
 *
 * Spool segments: what was appended is read, a tail torn at any byte is found,
 * a full disk leaves nothing half written, and the flock says who may append.
 */


#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_spool.h"


static int      dirfd_;
static uint8_t  data[100000];


static int
count_files(const char *prefix)
{
    int             n;
    DIR            *dir;
    struct dirent  *entry;

    n = 0;
    dir = fdopendir(dup(dirfd_));
    rewinddir(dir);

    while ((entry = readdir(dir)) != NULL) {
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }

    closedir(dir);

    return n;
}


/* Reads records of lengths 0, 1, 2...; how many, and what came then. */

static int
read_all(const char *name, uint64_t offset, int first, int *end)
{
    int                 n;
    size_t              len;
    const uint8_t      *p;
    llm_spool_reader_t  rd;

    if (llm_spool_reader_open(&rd, dirfd_, name, offset) != LLM_OK) {
        *end = LLM_DECLINED;
        return 0;
    }

    for (n = first; /* void */ ; n++) {

        *end = llm_spool_reader_next(&rd, &p, &len);

        if (*end != LLM_OK) {
            break;
        }

        if (len != (size_t) n || memcmp(p, data, len) != 0) {
            n = -1;
            break;
        }
    }

    llm_spool_reader_close(&rd);

    return n;
}


static void
test_round(void)
{
    int                 i, end, good;
    int64_t             grown, sum;
    size_t              len;
    llm_spool_t         s;
    struct stat         st;
    const uint8_t      *p;
    llm_spool_reader_t  rd;

    llm_spool_init(&s);

    good = 1;
    sum = 0;

    for (i = 0; i < 300; i++) {
        grown = llm_spool_append(&s, dirfd_, data, i);
        good &= grown > i;
        sum += grown;
    }

    ok(good && fstat(s.fd, &st) == 0 && st.st_size == sum
       && (st.st_mode & 0777) == 0600, "300 records, %lld bytes",
       (long long) sum);
    ok(count_files("segment.") == 1 && count_files("new.") == 0, "one file");
    ok(read_all(s.name, 0, 0, &end) == 300 && end == LLM_AGAIN,
       "all are read");

    good = llm_spool_reader_open(&rd, dirfd_, s.name, 0) == LLM_OK;

    for (i = 0; i < 100; i++) {
        good &= llm_spool_reader_next(&rd, &p, &len) == LLM_OK;
    }

    ok(good && rd.identity == s.identity
       && read_all(s.name, rd.offset, 100, &end) == 300 && end == LLM_AGAIN,
       "reading goes on where it stopped");

    ok(!llm_spool_reader_closed(&rd), "the worker may append");
    llm_spool_close(&s);
    ok(llm_spool_reader_closed(&rd), "now nobody may");
    llm_spool_reader_close(&rd);

    (void) unlinkat(dirfd_, s.name, 0);
}


static void
test_torn(void)
{
    int          i, fd, end, good, n, want;
    char         name[64];
    off_t        size, at;
    uint8_t     *bytes;
    uint64_t     ends[21];
    llm_spool_t  s;

    llm_spool_init(&s);

    for (i = 0; i < 20; i++) {
        (void) llm_spool_append(&s, dirfd_, data, i);
        ends[i + 1] = s.offset;
    }

    ends[0] = 24;
    size = s.offset;
    memcpy(name, s.name, sizeof(name));
    llm_spool_close(&s);

    bytes = malloc(size);
    fd = openat(dirfd_, name, O_RDWR);
    (void) !pread(fd, bytes, size, 0);

    good = 1;

    for (at = size - 1; at >= 0; at--) {
        (void) !ftruncate(fd, at);

        n = read_all(name, 0, 0, &end);

        if (at < 24) {
            good &= end == LLM_DECLINED;
            continue;
        }

        for (want = 0; want < 20 && ends[want + 1] <= (uint64_t) at; want++) {
            /* void */
        }

        good &= n == want
                && end == ((uint64_t) at == ends[want] ? LLM_AGAIN
                                                       : LLM_ERROR);
    }

    ok(good, "a tail that is cut at any byte");

    good = 1;

    for (at = 0; at < size; at++) {
        (void) !pwrite(fd, bytes, size, 0);
        bytes[at] ^= 0x40;
        (void) !pwrite(fd, bytes, size, 0);
        bytes[at] ^= 0x40;

        n = read_all(name, 0, 0, &end);

        for (want = 0; want < 20 && ends[want + 1] <= (uint64_t) at; want++) {
            /* void */
        }

        good &= at < 24 ? end == LLM_DECLINED
                        : n == want && end == LLM_ERROR;
    }

    ok(good, "any byte that is wrong");

    free(bytes);
    close(fd);
    (void) unlinkat(dirfd_, name, 0);
}


static void
test_rotate(void)
{
    int          i, good;
    char         name[64];
    llm_spool_t  s;

    llm_spool_init(&s);
    good = 1;

    for (i = 0; i < 400; i++) {
        good &= llm_spool_append(&s, dirfd_, data, sizeof(data)) > 0;
    }

    ok(good && count_files("segment.") == 3, "a new segment every 16 MB");

    memcpy(name, s.name, sizeof(name));
    (void) unlinkat(dirfd_, name, 0);
    ok(llm_spool_append(&s, dirfd_, data, 1) > 0
       && strcmp(name, s.name) != 0 && s.seq == 1,
       "a segment that was taken is not appended to");
    ok(llm_spool_append(&s, dirfd_, data, (size_t) LLM_SPOOL_RECORD_MAX + 1)
       == LLM_ERROR && errno == EFBIG, "a record that is too large");

    llm_spool_close(&s);
}


/* RLIMIT_FSIZE stands in for a full disk: it also writes what still fits. */

static void
test_full(void)
{
    int            end, status;
    char           name[64];
    pid_t          pid;
    llm_spool_t    s;
    struct stat    st;
    struct rlimit  limit;

    llm_spool_init(&s);
    (void) llm_spool_append(&s, dirfd_, data, 0);
    memcpy(name, s.name, sizeof(name));
    llm_spool_close(&s);
    (void) unlinkat(dirfd_, name, 0);

    pid = fork();

    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        limit.rlim_cur = 1000;
        limit.rlim_max = 1000;
        setrlimit(RLIMIT_FSIZE, &limit);

        llm_spool_init(&s);

        /* the first record does not fit: no file stays */

        if (llm_spool_append(&s, dirfd_, data, 2000) != LLM_ERROR
            || errno != ENOSPC || s.fd != -1
            || count_files("new.") != 0)
        {
            _exit(1);
        }

        if (llm_spool_append(&s, dirfd_, data, 0) < 0
            || llm_spool_append(&s, dirfd_, data, 1) < 0
            || llm_spool_append(&s, dirfd_, data, 2000) != LLM_ERROR
            || errno != ENOSPC || fstat(s.fd, &st) == -1
            || st.st_size != (off_t) s.offset)
        {
            _exit(2);
        }

        if (llm_spool_append(&s, dirfd_, data, 2) < 0
            || read_all(s.name, 0, 0, &end) != 3 || end != LLM_AGAIN)
        {
            _exit(3);
        }

        _exit(0);
    }

    (void) waitpid(pid, &status, 0);
    ok(status == 0, "a full disk leaves no half record (%d)", status);
}


static void
test_kill(void)
{
    int                 n, good;
    DIR                *dir;
    pid_t               pid;
    size_t              len;
    uint64_t            pipe_n, last;
    const uint8_t      *p;
    struct dirent      *entry;
    llm_spool_t         s;
    llm_spool_reader_t  rd;
    int                 fds[2];

    good = 1;

    for (n = 0; n < 50; n++) {

        (void) !pipe(fds);
        pid = fork();

        if (pid == 0) {
            llm_spool_init(&s);

            for (pipe_n = 1; /* void */ ; pipe_n++) {
                memcpy(data, &pipe_n, 8);

                if (llm_spool_append(&s, dirfd_, data, 5000) < 0) {
                    _exit(1);
                }

                (void) !write(fds[1], &pipe_n, 8);
            }
        }

        close(fds[1]);
        usleep(1000 + rand() % 4000);
        kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);

        last = 0;

        while (read(fds[0], &pipe_n, 8) == 8) {
            last = pipe_n;
        }

        close(fds[0]);

        pipe_n = 0;
        dir = fdopendir(dup(dirfd_));
        rewinddir(dir);

        while ((entry = readdir(dir)) != NULL) {
            uint64_t  v;

            if (strncmp(entry->d_name, "segment.", 8) != 0) {
                continue;
            }

            if (llm_spool_reader_open(&rd, dirfd_, entry->d_name, 0)
                != LLM_OK)
            {
                good = 0;
                continue;
            }

            good &= llm_spool_reader_closed(&rd);

            while (llm_spool_reader_next(&rd, &p, &len) == LLM_OK) {
                memcpy(&v, p, 8);
                pipe_n = v > pipe_n ? v : pipe_n;
            }

            llm_spool_reader_close(&rd);
            (void) unlinkat(dirfd_, entry->d_name, 0);
        }

        closedir(dir);
        good &= pipe_n >= last && pipe_n <= last + 1;
    }

    ok(good, "50 workers killed while they append: nothing lost");
}


static void
test_strange(void)
{
    llm_spool_reader_t  rd;

    (void) mkfifoat(dirfd_, "segment.fifo", 0600);
    (void) symlinkat("/etc/passwd", dirfd_, "segment.link");
    close(openat(dirfd_, "segment.empty", O_CREAT|O_WRONLY, 0600));

    ok(llm_spool_reader_open(&rd, dirfd_, "segment.fifo", 0) == LLM_ERROR
       && llm_spool_reader_open(&rd, dirfd_, "segment.link", 0) == LLM_ERROR
       && llm_spool_reader_open(&rd, dirfd_, "segment.empty", 0) == LLM_ERROR
       && llm_spool_reader_open(&rd, dirfd_, "segment.none", 0) == LLM_ERROR,
       "what is no segment");
}


int
main(void)
{
    char    dir[] = "/tmp/llm_spool.XXXXXX", command[64];
    size_t  i;

    if (mkdtemp(dir) == NULL) {
        return 1;
    }

    dirfd_ = open(dir, O_RDONLY|O_DIRECTORY);

    for (i = 0; i < sizeof(data); i++) {
        data[i] = i * 7 + (i >> 8);
    }

    test_round();
    test_torn();
    test_rotate();

    (void) snprintf(command, sizeof(command), "rm -f %s/*", dir);
    (void) !system(command);

    test_full();
    (void) !system(command);
    test_kill();
    test_strange();

    (void) snprintf(command, sizeof(command), "rm -rf %s", dir);
    (void) !system(command);

    return done_testing();
}
