
/*
 * Copyright (C) llm_monitor contributors
 */


#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../ring/llm_control.h"
#include "llm_backup.h"


#define LLM_BACKUP_MS       10
#define LLM_BACKUP_PAGES    16             /* between two looks at the clock */
#define LLM_BACKUP_OLD_MS   60000
#define LLM_BACKUP_MB       (1024 * 1024)


static int llm_backup_space(llm_backup_t *b, llm_db_t *db);
static int llm_backup_open(llm_backup_t *b, llm_db_t *db);
static int llm_backup_finish(llm_backup_t *b, int64_t *size);
static int llm_backup_failed(llm_backup_t *b, const char *why);
static int llm_backup_hex(const uint8_t *p, size_t n);


int
llm_backup_start(llm_backup_t *b, llm_db_t *db, const uint8_t *digits,
    size_t n)
{
    memset(b, 0, sizeof(llm_backup_t));

    if (n != LLM_BACKUP_DIGITS || !llm_backup_hex(digits, n)
        || (size_t) snprintf(b->path, sizeof(b->path), "%s/%s%.*s", db->dir,
                             LLM_BACKUP_PREFIX, LLM_BACKUP_DIGITS,
                             (const char *) digits)
           >= sizeof(b->path))
    {
        b->path[0] = '\0';
        return llm_backup_failed(b, "the copy has no proper name");
    }

    if (llm_backup_space(b, db) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_backup_open(b, db);
}


static int
llm_backup_space(llm_backup_t *b, llm_db_t *db)
{
    int64_t         pages, size, needed, left;
    struct statvfs  fs;

    if (llm_db_int(db, "PRAGMA page_count", &pages) != LLM_OK
        || llm_db_int(db, "PRAGMA page_size", &size) != LLM_OK)
    {
        return llm_backup_failed(b, "the database cannot be read");
    }

    if (statvfs(db->dir, &fs) == -1) {
        return llm_backup_failed(b, strerror(errno));
    }

    needed = pages * size + LLM_BACKUP_RESERVE;
    left = (int64_t) fs.f_bavail * (int64_t) fs.f_frsize;

    if (left >= needed) {
        return LLM_OK;
    }

    snprintf(b->error, sizeof(b->error), "the disk has %lld MB left, the copy "
             "needs %lld MB", (long long) left / LLM_BACKUP_MB,
             (long long) needed / LLM_BACKUP_MB);

    return LLM_ERROR;
}


/* It is no database that must survive anything: it is made anew. */

static int
llm_backup_open(llm_backup_t *b, llm_db_t *db)
{
    int  fd;

    fd = open(b->path, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (fd == -1) {
        return llm_backup_failed(b, strerror(errno));
    }

    (void) close(fd);

    if (sqlite3_open_v2(b->path, &b->to,
                        SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOMUTEX, NULL)
        != SQLITE_OK
        || sqlite3_exec(b->to, "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA synchronous = OFF;"
                               "PRAGMA journal_mode = OFF",
                        NULL, NULL, NULL)
           != SQLITE_OK)
    {
        return llm_backup_failed(b, "the copy cannot be opened");
    }

    b->job = sqlite3_backup_init(b->to, "main", db->handle, "main");

    if (b->job == NULL) {
        return llm_backup_failed(b, sqlite3_errmsg(b->to));
    }

    return LLM_OK;
}


int
llm_backup_slice(llm_backup_t *b, int64_t *size)
{
    int      rc;
    int64_t  end;

    end = llm_control_now() + LLM_BACKUP_MS;

    do {
        rc = sqlite3_backup_step(b->job, LLM_BACKUP_PAGES);

    } while (rc == SQLITE_OK && llm_control_now() < end);

    switch (rc) {

    case SQLITE_OK:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return LLM_OK;

    case SQLITE_DONE:
        return llm_backup_finish(b, size);

    default:
        return llm_backup_failed(b, sqlite3_errstr(rc));
    }
}


/* One file that is all: it opens in a directory that cannot be written, too. */

static int
llm_backup_finish(llm_backup_t *b, int64_t *size)
{
    int          rc;
    struct stat  st;

    rc = sqlite3_backup_finish(b->job);
    b->job = NULL;

    if (rc != SQLITE_OK) {
        return llm_backup_failed(b, sqlite3_errstr(rc));
    }

    if (sqlite3_exec(b->to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL)
        != SQLITE_OK)
    {
        return llm_backup_failed(b, sqlite3_errmsg(b->to));
    }

    rc = sqlite3_close(b->to);
    b->to = NULL;

    if (rc != SQLITE_OK || stat(b->path, &st) == -1) {
        return llm_backup_failed(b, "the copy cannot be finished");
    }

    *size = st.st_size;

    return LLM_AGAIN;
}


static int
llm_backup_failed(llm_backup_t *b, const char *why)
{
    snprintf(b->error, sizeof(b->error), "%s", why);

    llm_backup_cancel(b);

    return LLM_ERROR;
}


void
llm_backup_cancel(llm_backup_t *b)
{
    if (b->job != NULL) {
        (void) sqlite3_backup_finish(b->job);
        b->job = NULL;
    }

    if (b->to != NULL) {
        (void) sqlite3_close(b->to);
        b->to = NULL;
    }

    if (b->path[0] != '\0') {
        (void) unlink(b->path);
        b->path[0] = '\0';
    }
}


void
llm_backup_sweep(const char *dir)
{
    DIR            *d;
    size_t          len;
    const char     *digits;
    struct stat     st;
    struct dirent  *entry;

    d = opendir(dir);

    if (d == NULL) {
        return;
    }

    while ((entry = readdir(d)) != NULL) {

        len = sizeof(LLM_BACKUP_PREFIX) - 1;
        digits = entry->d_name + len;

        if (strncmp(entry->d_name, LLM_BACKUP_PREFIX, len) != 0
            || strlen(digits) < LLM_BACKUP_DIGITS
            || !llm_backup_hex((const uint8_t *) digits, LLM_BACKUP_DIGITS)
            || (digits[LLM_BACKUP_DIGITS] != '\0'
                && digits[LLM_BACKUP_DIGITS] != '-'))
        {
            continue;
        }

        /* one that is being made is younger */

        if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISREG(st.st_mode)
            && llm_wall_ms() - (int64_t) st.st_mtime * 1000
               > LLM_BACKUP_OLD_MS)
        {
            (void) unlinkat(dirfd(d), entry->d_name, 0);
        }
    }

    (void) closedir(d);
}


static int
llm_backup_hex(const uint8_t *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if ((p[i] < '0' || p[i] > '9') && (p[i] < 'a' || p[i] > 'f')) {
            return 0;
        }
    }

    return 1;
}
