
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "llm_spool.h"
#include "../record/llm_crc32c.h"


#define LLM_SPOOL_MAGIC         0x31304745534d4c4cULL    /* "LLMSEG01" */
#define LLM_SPOOL_RECORD_MAGIC  0x4c525343
#define LLM_SPOOL_VERSION       1
#define LLM_SPOOL_NEW           "new."
#define LLM_SPOOL_BUF_START     (64 * 1024)


typedef struct {
    uint64_t     magic;
    uint64_t     identity;
    uint32_t     version;
    uint32_t     crc;             /* of the members before it */
} llm_spool_header_t;

typedef struct {
    uint32_t     magic;
    uint32_t     len;
    uint64_t     seq;
    uint32_t     unused;
    uint32_t     crc;             /* of the members before it and the data */
} llm_spool_record_t;


static int64_t llm_spool_open(llm_spool_t *s, int dirfd);
static int llm_spool_usable(const llm_spool_t *s);
static uint32_t llm_spool_header_crc(const llm_spool_header_t *h);
static uint32_t llm_spool_record_crc(const llm_spool_record_t *rec,
    const uint8_t *p);
static int llm_spool_read(int fd, void *p, size_t n, uint64_t offset);
static int llm_spool_room(llm_spool_reader_t *rd, size_t n);


void
llm_spool_init(llm_spool_t *s)
{
    memset(s, 0, sizeof(llm_spool_t));
    s->fd = -1;
}


int64_t
llm_spool_append(llm_spool_t *s, int dirfd, const uint8_t *p, size_t n)
{
    int                 err;
    int64_t             grown;
    ssize_t             written;
    struct iovec        iov[2];
    llm_spool_record_t  rec;

    if (n > LLM_SPOOL_RECORD_MAX) {
        errno = EFBIG;
        return LLM_ERROR;
    }

    grown = 0;

    if (!llm_spool_usable(s)) {
        llm_spool_close(s);
        grown = llm_spool_open(s, dirfd);

        if (grown == LLM_ERROR) {
            return LLM_ERROR;
        }
    }

    rec.magic = LLM_SPOOL_RECORD_MAGIC;
    rec.len = n;
    rec.seq = s->seq + 1;
    rec.unused = 0;
    rec.crc = llm_spool_record_crc(&rec, p);

    iov[0].iov_base = &rec;
    iov[0].iov_len = sizeof(rec);
    iov[1].iov_base = (void *) p;
    iov[1].iov_len = n;

    written = pwritev(s->fd, iov, 2, s->offset);

    if (written == (ssize_t) (sizeof(rec) + n)) {
        s->offset += written;
        s->seq++;

        return grown + written;
    }

    /* a short write is a disk that ran full in the middle */

    err = written == -1 ? errno : ENOSPC;

    if (s->seq == 0) {
        (void) unlinkat(dirfd, s->name, 0);
        llm_spool_close(s);

    } else if (ftruncate(s->fd, s->offset) == -1) {
        llm_spool_close(s);
    }

    errno = err;

    return LLM_ERROR;
}


static int
llm_spool_usable(const llm_spool_t *s)
{
    struct stat  st;

    return s->fd != -1 && s->offset < LLM_SPOOL_SEGMENT_MAX
           && fstat(s->fd, &st) == 0 && st.st_nlink != 0;
}


/* A new segment with nothing but its header; returns the header's bytes. */

static int64_t
llm_spool_open(llm_spool_t *s, int dirfd)
{
    int                 err;
    char                name[64];
    llm_spool_header_t  h;

    if (getrandom(&s->identity, sizeof(s->identity), GRND_NONBLOCK)
        != sizeof(s->identity))
    {
        return LLM_ERROR;
    }

    (void) snprintf(name, sizeof(name), LLM_SPOOL_NEW "%016llx.%ld",
                    (unsigned long long) s->identity, (long) getpid());
    (void) snprintf(s->name, sizeof(s->name), LLM_SPOOL_PREFIX "%016llx.%ld",
                    (unsigned long long) s->identity, (long) getpid());

    s->fd = openat(dirfd, name, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC|O_NOFOLLOW,
                   0600);

    if (s->fd == -1) {
        return LLM_ERROR;
    }

    h.magic = LLM_SPOOL_MAGIC;
    h.identity = s->identity;
    h.version = LLM_SPOOL_VERSION;
    h.crc = llm_spool_header_crc(&h);

    errno = ENOSPC;

    if (flock(s->fd, LOCK_EX|LOCK_NB) == -1
        || pwrite(s->fd, &h, sizeof(h), 0) != sizeof(h)
        || renameat(dirfd, name, dirfd, s->name) == -1)
    {
        err = errno;
        (void) unlinkat(dirfd, name, 0);
        llm_spool_close(s);
        errno = err;

        return LLM_ERROR;
    }

    s->seq = 0;
    s->offset = sizeof(h);

    return sizeof(h);
}


void
llm_spool_close(llm_spool_t *s)
{
    if (s->fd != -1) {
        (void) close(s->fd);
        s->fd = -1;
    }
}


static uint32_t
llm_spool_header_crc(const llm_spool_header_t *h)
{
    return llm_crc32c(0, (const uint8_t *) h,
                      offsetof(llm_spool_header_t, crc));
}


static uint32_t
llm_spool_record_crc(const llm_spool_record_t *rec, const uint8_t *p)
{
    uint32_t  crc;

    crc = llm_crc32c(0, (const uint8_t *) rec,
                     offsetof(llm_spool_record_t, crc));

    return llm_crc32c(crc, p, rec->len);
}


int
llm_spool_reader_open(llm_spool_reader_t *rd, int dirfd, const char *name,
    uint64_t offset)
{
    struct stat         st;
    llm_spool_header_t  h;

    memset(rd, 0, sizeof(llm_spool_reader_t));

    /* a fifo that somebody put there must not hold the writer up */

    rd->fd = openat(dirfd, name, O_RDONLY|O_CLOEXEC|O_NOFOLLOW|O_NONBLOCK);

    if (rd->fd == -1) {
        return LLM_ERROR;
    }

    if (fstat(rd->fd, &st) == -1 || !S_ISREG(st.st_mode)
        || llm_spool_read(rd->fd, &h, sizeof(h), 0) != LLM_OK
        || h.magic != LLM_SPOOL_MAGIC || h.version != LLM_SPOOL_VERSION
        || h.crc != llm_spool_header_crc(&h))
    {
        llm_spool_reader_close(rd);
        return LLM_ERROR;
    }

    rd->identity = h.identity;
    rd->offset = offset > sizeof(h) ? offset : sizeof(h);

    return LLM_OK;
}


int
llm_spool_reader_next(llm_spool_reader_t *rd, const uint8_t **p, size_t *n)
{
    int                 rc;
    uint64_t            left;
    struct stat         st;
    llm_spool_record_t  rec;

    if (fstat(rd->fd, &st) == -1) {
        return LLM_ERROR;
    }

    if ((uint64_t) st.st_size <= rd->offset) {
        return LLM_AGAIN;
    }

    left = (uint64_t) st.st_size - rd->offset;

    if (left < sizeof(rec)
        || llm_spool_read(rd->fd, &rec, sizeof(rec), rd->offset) != LLM_OK
        || rec.magic != LLM_SPOOL_RECORD_MAGIC
        || rec.len > LLM_SPOOL_RECORD_MAX
        || rec.len > left - sizeof(rec)
        || (rd->seq != 0 && rec.seq != rd->seq + 1))
    {
        return LLM_ERROR;
    }

    rc = llm_spool_room(rd, rec.len);

    if (rc != LLM_OK) {
        return rc;
    }

    if (llm_spool_read(rd->fd, rd->buf, rec.len, rd->offset + sizeof(rec))
        != LLM_OK
        || rec.crc != llm_spool_record_crc(&rec, rd->buf))
    {
        return LLM_ERROR;
    }

    rd->seq = rec.seq;
    rd->offset += sizeof(rec) + rec.len;

    *p = rd->buf;
    *n = rec.len;

    return LLM_OK;
}


/* All n bytes or LLM_ERROR. */

static int
llm_spool_read(int fd, void *p, size_t n, uint64_t offset)
{
    ssize_t   got;
    uint8_t  *dst;

    dst = p;

    while (n > 0) {

        got = pread(fd, dst, n, offset);

        if (got == -1 && errno == EINTR) {
            continue;
        }

        if (got <= 0) {
            return LLM_ERROR;
        }

        dst += got;
        offset += got;
        n -= got;
    }

    return LLM_OK;
}


static int
llm_spool_room(llm_spool_reader_t *rd, size_t n)
{
    size_t    cap;
    uint8_t  *buf;

    if (n <= rd->cap && rd->buf != NULL) {
        return LLM_OK;
    }

    for (cap = LLM_SPOOL_BUF_START; cap < n; cap *= 2) { /* void */ }

    buf = realloc(rd->buf, cap);

    if (buf == NULL) {
        return LLM_NOMEM;
    }

    rd->buf = buf;
    rd->cap = cap;

    return LLM_OK;
}


int
llm_spool_reader_closed(llm_spool_reader_t *rd)
{
    if (flock(rd->fd, LOCK_SH|LOCK_NB) == -1) {
        return 0;
    }

    (void) flock(rd->fd, LOCK_UN);

    return 1;
}


void
llm_spool_reader_close(llm_spool_reader_t *rd)
{
    if (rd->fd != -1) {
        (void) close(rd->fd);
    }

    free(rd->buf);

    memset(rd, 0, sizeof(llm_spool_reader_t));
    rd->fd = -1;
}
