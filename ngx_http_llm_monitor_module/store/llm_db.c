
/*
 * Copyright (C) llm_monitor contributors
 *
 * What goes wrong with database files: they are deleted, renamed, replaced,
 * truncated, overwritten, foreign, newer than this code, no files at all.  In
 * each case data is kept (moved aside at most), one line is logged, and the
 * next try starts from the path again.
 */


#define _GNU_SOURCE                       /* O_PATH */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../ring/llm_control.h"
#include "llm_db.h"


/* SQLite's file format: offsets in the first 100 bytes, big endian */

#define LLM_DB_HEADER          100
#define LLM_DB_SCHEMA_COOKIE   40         /* changes with each table */
#define LLM_DB_USER_VERSION    60
#define LLM_DB_APPLICATION_ID  68

#define LLM_DB_SAY_MS          60000


static int llm_db_locate(llm_db_t *db);
static int llm_db_create(llm_db_t *db);
static int llm_db_inspect(llm_db_t *db);
static int llm_db_header(const char *path, uint8_t *header);
static int llm_db_connect(llm_db_t *db);
static int llm_db_wal_hook(void *data, sqlite3 *h, const char *name,
    int pages);
static int llm_db_setup(llm_db_t *db);
static int llm_db_migrate(llm_db_t *db);
static int llm_db_wal_mode(llm_db_t *db);
static int llm_db_refuse(llm_db_t *db, int code, const char *what);
static int llm_db_failed(llm_db_t *db, int code, const char *sql);
static uint32_t llm_db_uint32(const uint8_t *p);


int
llm_db_open(llm_db_t *db)
{
    int  i, rc;

    db->code = SQLITE_OK;
    db->path_fd = -1;

    /* a second time after the file was moved aside */

    for (i = 0; i < 2; i++) {

        rc = llm_db_locate(db);

        if (rc == LLM_OK) {
            rc = llm_db_inspect(db);
        }

        if (rc == LLM_AGAIN) {
            continue;
        }

        if (rc != LLM_OK) {
            return LLM_ERROR;
        }

        if (llm_db_connect(db) == LLM_OK) {
            return LLM_OK;
        }

        rc = llm_db_broken(db);

        llm_db_close(db);

        if (!rc) {
            return LLM_ERROR;
        }

        llm_db_aside(db, "corrupt");
    }

    return LLM_ERROR;
}


/* Finds the path without links, and a regular file there, new if need be. */

static int
llm_db_locate(llm_db_t *db)
{
    char         dir[PATH_MAX];
    struct stat  st;

    if (realpath(db->dir, dir) == NULL) {
        return llm_db_refuse(db, SQLITE_CANTOPEN, strerror(errno));
    }

    if ((size_t) snprintf(db->path, sizeof(db->path), "%s/" LLM_SCHEMA_FILE,
                          dir)
        >= sizeof(db->path) - sizeof(".corrupt-20260101T000000-wal"))
    {
        return llm_db_refuse(db, SQLITE_CANTOPEN, "the path is too long");
    }

    if (lstat(db->path, &st) == -1) {
        if (errno != ENOENT) {
            return llm_db_refuse(db, SQLITE_CANTOPEN, strerror(errno));
        }

        return llm_db_create(db);
    }

    if (!S_ISREG(st.st_mode)) {
        return llm_db_refuse(db, SQLITE_CANTOPEN, "it is no regular file");
    }

    return LLM_OK;
}


static int
llm_db_create(llm_db_t *db)
{
    int  fd;

    fd = open(db->path, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (fd == -1) {
        return llm_db_refuse(db, SQLITE_CANTOPEN, strerror(errno));
    }

    (void) fchmod(fd, 0600);
    (void) close(fd);

    return LLM_OK;
}


/* Looks at the header before SQLite does, which would make or apply a WAL. */

static int
llm_db_inspect(llm_db_t *db)
{
    int          n;
    uint8_t      header[LLM_DB_HEADER];
    uint32_t     id;
    struct stat  st;

    static const uint8_t  blank[LLM_DB_HEADER];

    if (lstat(db->path, &st) == -1) {
        return llm_db_refuse(db, SQLITE_CANTOPEN, strerror(errno));
    }

    db->dev = st.st_dev;
    db->ino = st.st_ino;
    db->wal_ino = 0;

    if (st.st_size == 0) {
        return LLM_OK;
    }

    n = llm_db_header(db->path, header);

    if (n == LLM_ERROR) {
        return llm_db_refuse(db, SQLITE_CANTOPEN, "it cannot be read");
    }

    /* what never came to the disk: a journal may take it back */

    if (n == LLM_OK && memcmp(header, blank, LLM_DB_HEADER) == 0) {
        return LLM_OK;
    }

    if (n == LLM_DECLINED
        || memcmp(header, LLM_DB_MAGIC, sizeof(LLM_DB_MAGIC)) != 0)
    {
        llm_db_aside(db, "corrupt");
        return LLM_AGAIN;
    }

    id = llm_db_uint32(header + LLM_DB_APPLICATION_ID);

    /* without a table it is one that was never finished */

    if (id != LLM_SCHEMA_APP_ID
        && llm_db_uint32(header + LLM_DB_SCHEMA_COOKIE) != 0)
    {
        llm_db_aside(db, "foreign");
        return LLM_AGAIN;
    }

    if (llm_db_uint32(header + LLM_DB_USER_VERSION) > LLM_SCHEMA_VERSION) {
        return llm_db_refuse(db, SQLITE_SCHEMA,
                             "it was made by a newer version");
    }

    return LLM_OK;
}


/*
 * Reads the header with SQLite's own file layer: to close a descriptor of ours
 * would drop the locks that readers of this process have on the file (POSIX).
 */

static int
llm_db_header(const char *path, uint8_t *header)
{
    int            rc, code;
    const char    *name;
    sqlite3_vfs   *vfs;
    sqlite3_file  *file;

    vfs = sqlite3_vfs_find(NULL);
    file = calloc(1, vfs->szOsFile);
    name = sqlite3_create_filename(path, "", "", 0, NULL);
    rc = LLM_ERROR;

    if (file != NULL && name != NULL
        && vfs->xOpen(vfs, name, file,
                      SQLITE_OPEN_READONLY|SQLITE_OPEN_MAIN_DB, NULL)
           == SQLITE_OK)
    {
        code = file->pMethods->xRead(file, header, LLM_DB_HEADER, 0);

        if (code == SQLITE_OK) {
            rc = LLM_OK;

        } else if (code == SQLITE_IOERR_SHORT_READ) {
            rc = LLM_DECLINED;
        }

        (void) file->pMethods->xClose(file);
    }

    sqlite3_free_filename(name);
    free(file);

    return rc;
}


static int
llm_db_connect(llm_db_t *db)
{
    int  code, flags;

    flags = SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOFOLLOW|SQLITE_OPEN_NOMUTEX
            |SQLITE_OPEN_EXRESCODE;

    code = sqlite3_open_v2(db->path, &db->handle, flags, NULL);

    if (code != SQLITE_OK) {
        return llm_db_failed(db, code, "open");
    }

    (void) sqlite3_busy_timeout(db->handle, LLM_DB_BUSY_MS);
    (void) sqlite3_wal_hook(db->handle, llm_db_wal_hook, db);

    if (llm_db_setup(db) != LLM_OK) {
        return LLM_ERROR;
    }

    /* to close one that is a path only takes no locks of the file away */

    db->path_fd = open(db->path, O_PATH|O_NOFOLLOW|O_CLOEXEC);

    db->size = 0;

    if (llm_db_check(db) != LLM_OK) {
        return llm_db_refuse(db, SQLITE_READONLY_DBMOVED,
                             "it was replaced while it was opened");
    }

    db->size = llm_db_size(db);

    return LLM_OK;
}


/* After each commit.  The first one makes the WAL that is ours. */

static int
llm_db_wal_hook(void *data, sqlite3 *h, const char *name, int pages)
{
    char         wal[sizeof(((llm_db_t *) NULL)->path) + 8];
    llm_db_t    *db = data;
    struct stat  st;

    db->wal_pages = pages;

    if (db->wal_ino == 0) {
        (void) snprintf(wal, sizeof(wal), "%s-wal", db->path);

        if (lstat(wal, &st) == 0) {
            db->wal_ino = st.st_ino;
        }
    }

    return SQLITE_OK;
}


static int
llm_db_setup(llm_db_t *db)
{
    char      sql[256];
    int64_t   pages;
    sqlite3  *h;

    h = db->handle;

    (void) sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void) sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void) sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);

    (void) snprintf(sql, sizeof(sql),
                    "PRAGMA synchronous = %d;"
                    "PRAGMA temp_store = MEMORY;"
                    "PRAGMA secure_delete = ON;"
                    "PRAGMA journal_size_limit = %d;",
                    db->synchronous, LLM_DB_WAL_MAX);

    if (llm_db_exec(db, sql) != LLM_OK
        || llm_db_int(db, "PRAGMA page_count", &pages) != LLM_OK)
    {
        return LLM_ERROR;
    }

    if (pages == 0) {
        (void) snprintf(sql, sizeof(sql),
                        "PRAGMA page_size = %d;"
                        "PRAGMA auto_vacuum = INCREMENTAL;",
                        LLM_SCHEMA_PAGE_SIZE);

        if (llm_db_exec(db, sql) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    /* SQLite turns it into pages, of the size that they have by then */

    (void) snprintf(sql, sizeof(sql), "PRAGMA cache_size = -%d",
                    LLM_DB_CACHE_KB);

    if (llm_db_exec(db, sql) != LLM_OK || llm_db_migrate(db) != LLM_OK) {
        return LLM_ERROR;
    }

    return llm_db_wal_mode(db);
}


/* One transaction, so that no reader finds a file that is made by half. */

static int
llm_db_migrate(llm_db_t *db)
{
    char         sql[128];
    int64_t      version;
    const char  *step;

    if (llm_db_int(db, "PRAGMA user_version", &version) != LLM_OK) {
        return LLM_ERROR;
    }

    if (version > LLM_SCHEMA_VERSION) {
        return llm_db_refuse(db, SQLITE_SCHEMA,
                             "it was made by a newer version");
    }

    if (version == LLM_SCHEMA_VERSION) {
        return LLM_OK;
    }

    if (llm_db_exec(db, "BEGIN IMMEDIATE") != LLM_OK) {
        return LLM_ERROR;
    }

    for ( /* void */ ; version < LLM_SCHEMA_VERSION; version++) {
        step = llm_schema_step(version);

        if (step == NULL || llm_db_exec(db, step) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    (void) snprintf(sql, sizeof(sql),
                    "PRAGMA application_id = %d;"
                    "PRAGMA user_version = %d;"
                    "COMMIT", LLM_SCHEMA_APP_ID, LLM_SCHEMA_VERSION);

    return llm_db_exec(db, sql);
}


static int
llm_db_wal_mode(llm_db_t *db)
{
    int            rc, wal;
    sqlite3_stmt  *st;

    static const char *const  sql = "PRAGMA journal_mode = WAL";

    if (llm_db_prepare(db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    wal = 0;
    rc = llm_db_row(db, st);

    if (rc == LLM_OK) {
        wal = strcmp((const char *) sqlite3_column_text(st, 0), "wal") == 0;
    }

    llm_db_finalize(&st, 1);

    if (rc != LLM_OK) {
        return LLM_ERROR;
    }

    if (!wal) {
        return llm_db_refuse(db, SQLITE_CANTOPEN,
                             "its file system has no shared memory for a "
                             "write-ahead log");
    }

    return LLM_OK;
}


void
llm_db_close(llm_db_t *db)
{
    if (db->handle != NULL) {
        (void) sqlite3_close_v2(db->handle);
        db->handle = NULL;
    }

    if (db->path_fd != -1) {
        (void) close(db->path_fd);
        db->path_fd = -1;
    }
}


int
llm_db_check(llm_db_t *db)
{
    struct stat  st;

    if (lstat(db->path, &st) == -1) {

        /* other errors, as of a directory without rights, heal */

        return errno == ENOENT || errno == ENOTDIR ? LLM_DECLINED : LLM_OK;
    }

    if (st.st_dev != db->dev || st.st_ino != db->ino) {
        return LLM_DECLINED;
    }

    /* nothing but a checkpoint changes it: somebody else cut it or wrote */

    return st.st_size < db->size || !llm_db_marked(db) ? LLM_DECLINED : LLM_OK;
}


void
llm_db_abandon(llm_db_t *db)
{
    int          left;
    char         name[sizeof(db->path) + 8], old[sizeof(db->path) + 64];
    ino_t        ino;
    struct stat  st;

    if (lstat(db->path, &st) == 0 && st.st_dev == db->dev
        && st.st_ino == db->ino)
    {
        llm_db_close(db);
        llm_db_aside(db, "corrupt");
        return;
    }

    ino = db->wal_ino;

    (void) snprintf(name, sizeof(name), "%s-wal", db->path);

    if (llm_db_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, &left) != LLM_OK) {
        left = 1;
    }

    if (llm_db_moved(db, old, sizeof(old)) != LLM_OK) {
        (void) snprintf(old, sizeof(old), "%s.old-%lld", name,
                        (long long) llm_wall_ms() / 1000);
    }

    llm_db_close(db);

    if (ino == 0 || lstat(name, &st) == -1 || st.st_ino != ino) {
        return;
    }

    if (left == 0) {
        (void) unlink(name);

    } else {
        (void) rename(name, old);
    }

    (void) snprintf(name, sizeof(name), "%s-shm", db->path);
    (void) unlink(name);
}


int
llm_db_broken(llm_db_t *db)
{
    int  code;

    code = db->code & 0xff;

    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}


/* The connection is closed; -wal and -shm go with the file. */

void
llm_db_aside(llm_db_t *db, const char *why)
{
    int          i;
    char         stamp[32], from[sizeof(db->path) + 8];
    char         to[sizeof(db->path) + 64];
    time_t       now;
    struct tm    tm;
    struct stat  st;

    static const char *const  suffix[] = { "", "-wal", "-shm" };

    now = time(NULL);

    if (gmtime_r(&now, &tm) == NULL
        || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm) == 0)
    {
        return;
    }

    (void) snprintf(to, sizeof(to), "%s.%s-%s", db->path, why, stamp);

    if (lstat(to, &st) == 0) {
        (void) snprintf(stamp, sizeof(stamp), "%lld",
                        (long long) llm_wall_ms());
    }

    for (i = 0; i < 3; i++) {
        (void) snprintf(from, sizeof(from), "%s%s", db->path, suffix[i]);
        (void) snprintf(to, sizeof(to), "%s.%s-%s%s", db->path, why, stamp,
                        suffix[i]);

        if (rename(from, to) == -1) {
            if (i == 0) {
                (void) llm_db_refuse(db, SQLITE_IOERR, strerror(errno));
                return;
            }

            continue;
        }

        if (i == 0) {
            db->moved_aside++;
            llm_db_say(db, 0, "database \"%s\" is %s, moved aside to \"%s\"",
                       db->path, why, to);
        }
    }
}


int
llm_db_prepare(llm_db_t *db, const char *const *sql, sqlite3_stmt **st, int n)
{
    int  i, code;

    for (i = 0; i < n; i++) {
        code = sqlite3_prepare_v3(db->handle, sql[i], -1,
                                  SQLITE_PREPARE_PERSISTENT, &st[i], NULL);

        if (code != SQLITE_OK) {
            st[i] = NULL;
            llm_db_finalize(st, i);
            return llm_db_failed(db, code, sql[i]);
        }
    }

    return LLM_OK;
}


void
llm_db_finalize(sqlite3_stmt **st, int n)
{
    int  i;

    for (i = 0; i < n; i++) {
        (void) sqlite3_finalize(st[i]);
        st[i] = NULL;
    }
}


int
llm_db_exec(llm_db_t *db, const char *sql)
{
    int  code;

    code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? LLM_OK : llm_db_failed(db, code, sql);
}


int
llm_db_run(llm_db_t *db, sqlite3_stmt *st)
{
    int  code;

    code = sqlite3_step(st);

    (void) sqlite3_reset(st);

    if (code == SQLITE_DONE || code == SQLITE_ROW) {
        return LLM_OK;
    }

    return llm_db_failed(db, code, sqlite3_sql(st));
}


int
llm_db_row(llm_db_t *db, sqlite3_stmt *st)
{
    int  code;

    code = sqlite3_step(st);

    if (code == SQLITE_ROW) {
        return LLM_OK;
    }

    (void) sqlite3_reset(st);

    if (code == SQLITE_DONE) {
        return LLM_DECLINED;
    }

    return llm_db_failed(db, code, sqlite3_sql(st));
}


int
llm_db_int(llm_db_t *db, const char *sql, int64_t *v)
{
    int            rc;
    sqlite3_stmt  *st;

    if (llm_db_prepare(db, &sql, &st, 1) != LLM_OK) {
        return LLM_ERROR;
    }

    rc = llm_db_row(db, st);

    if (rc == LLM_OK) {
        *v = sqlite3_column_int64(st, 0);
    }

    llm_db_finalize(&st, 1);

    return rc;
}


int
llm_db_checkpoint(llm_db_t *db, int mode, int *left)
{
    int      code, pages, done;
    int64_t  all, size;

    *left = 0;

    if (llm_db_size(db) < db->size) {
        return llm_db_failed(db, SQLITE_CORRUPT, "checkpoint");
    }

    db->size = 0;

    code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &pages, &done);

    if ((code & 0xff) == SQLITE_BUSY) {

        /* a reader needs old pages: the next one will do */

        *left = 1;
        return LLM_OK;
    }

    if (code != SQLITE_OK) {
        return llm_db_failed(db, code, "checkpoint");
    }

    if (pages > done) {
        *left = pages - done;
        return LLM_OK;
    }

    if (llm_db_int(db, "PRAGMA page_count", &all) != LLM_OK
        || llm_db_int(db, "PRAGMA page_size", &size) != LLM_OK)
    {
        return LLM_ERROR;
    }

    db->size = all * size;

    return LLM_OK;
}


void
llm_db_sizes(llm_db_t *db, int64_t *file, int64_t *wal)
{
    char         name[sizeof(db->path) + 8];
    struct stat  st;

    *file = stat(db->path, &st) == 0 ? st.st_size : 0;

    (void) snprintf(name, sizeof(name), "%s-wal", db->path);

    *wal = stat(name, &st) == 0 ? st.st_size : 0;
}


static int
llm_db_refuse(llm_db_t *db, int code, const char *what)
{
    db->code = code;
    db->errors++;

    llm_db_say(db, 0, "database \"%s/" LLM_SCHEMA_FILE "\" cannot be used: %s",
               db->dir, what);

    return LLM_ERROR;
}


/*
 * The funnel: a duplicate id is the caller's business and no failure.  For a
 * quota that is used up SQLite has no code; it is as good as a full disk.  And
 * what could not be read SQLite calls corrupt, though it may be well.
 */

static int
llm_db_failed(llm_db_t *db, int code, const char *sql)
{
    if ((code & 0xff) == SQLITE_IOERR && db->handle != NULL
        && sqlite3_system_errno(db->handle) == EDQUOT)
    {
        code = SQLITE_FULL;
    }

    if ((code & 0xff) == SQLITE_CORRUPT && llm_db_unread(db)) {
        code = SQLITE_IOERR_READ;
    }

    db->code = code;

    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        return LLM_ERROR;
    }

    db->errors++;

    llm_db_say(db, (code & 0xff) == SQLITE_BUSY ? 1 : 0,
               "sqlite failed (%d: %s) in \"%.80s\"", code,
               db->handle != NULL ? sqlite3_errmsg(db->handle)
                                  : sqlite3_errstr(code),
               sql);

    return LLM_ERROR;
}


void
llm_db_say(llm_db_t *db, int level, const char *fmt, ...)
{
    char     text[sizeof(db->said)];
    int64_t  now;
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    now = llm_control_now();

    if (strcmp(text, db->said) == 0 && now - db->said_ms < LLM_DB_SAY_MS) {
        return;
    }

    (void) snprintf(db->said, sizeof(db->said), "%s", text);
    db->said_ms = now;

    db->log(db->log_data, level, text);
}


static uint32_t
llm_db_uint32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


int64_t
llm_wall_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
