
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "llm_reader.h"
#include "llm_schema.h"
#include "llm_where.h"


/*
 * What locks readers out is the writer that opens the database after a start:
 * on a busy machine its thread, which is a nice one, may take a while.
 */
#define LLM_READER_BUSY_MS    1000

#define LLM_READER_OPS        1000       /* between two looks at the clock */


static ino_t llm_reader_wal(const llm_reader_t *reader);
static int llm_reader_connect(llm_reader_t *reader, llm_query_error_t *err);
static int llm_reader_harden(llm_reader_t *reader);
static int llm_reader_version(llm_reader_t *reader, llm_query_error_t *err);
static int llm_reader_pragma(llm_reader_t *reader, const char *sql,
    int64_t *v);
static void llm_reader_disconnect(llm_reader_t *reader);
static int llm_reader_progress(void *data);
static int64_t llm_reader_now(void);


int
llm_reader_open(llm_reader_t **out, const char *dir, llm_query_error_t *err)
{
    int            n;
    llm_reader_t  *reader;

    *out = NULL;

    reader = calloc(1, sizeof(llm_reader_t));
    if (reader == NULL) {
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");
    }

    n = snprintf(reader->path, sizeof(reader->path), "%s/%s", dir,
                 LLM_SCHEMA_FILE);

    if (n < 0 || n >= (int) sizeof(reader->path)) {
        free(reader);
        return llm_query_fail(err, 503, "database_error", NULL,
                              "path of the data directory is too long");
    }

    if (llm_reader_connect(reader, err) != LLM_OK) {
        llm_reader_close(reader);
        return LLM_ERROR;
    }

    *out = reader;

    return LLM_OK;
}


void
llm_reader_close(llm_reader_t *reader)
{
    if (reader == NULL) {
        return;
    }

    llm_reader_disconnect(reader);
    free(reader);
}


static int
llm_reader_connect(llm_reader_t *reader, llm_query_error_t *err)
{
    struct stat  st;

    /*
     * By its name only: any descriptor of ours that was closed would take the
     * locks of other connections in this process with it.
     */

    if (stat(reader->path, &st) == -1) {

        if (errno == ENOENT) {
            return LLM_OK;
        }

        return llm_query_fail(err, 503, "database_error", NULL,
                              "database cannot be read");
    }

    if (!S_ISREG(st.st_mode)) {
        return llm_query_fail(err, 503, "database_error", NULL,
                              "database is not a regular file");
    }

    reader->dev = st.st_dev;
    reader->ino = st.st_ino;

    if (sqlite3_open_v2(reader->path, &reader->db,
                        SQLITE_OPEN_READONLY|SQLITE_OPEN_NOMUTEX
                        |SQLITE_OPEN_PRIVATECACHE,
                        NULL)
        != SQLITE_OK)
    {
        return llm_reader_fail(reader, err);
    }

    sqlite3_busy_timeout(reader->db, LLM_READER_BUSY_MS);
    sqlite3_progress_handler(reader->db, LLM_READER_OPS, llm_reader_progress,
                             reader);

    if (llm_reader_harden(reader) != LLM_OK
        || llm_where_setup(reader->db) != LLM_OK)
    {
        return llm_reader_fail(reader, err);
    }

    if (llm_reader_version(reader, err) != LLM_OK) {
        return LLM_ERROR;
    }

    reader->wal_ino = llm_reader_wal(reader);

    return LLM_OK;
}


static ino_t
llm_reader_wal(const llm_reader_t *reader)
{
    char         name[sizeof(reader->path) + 8];
    struct stat  st;

    (void) snprintf(name, sizeof(name), "%s-wal", reader->path);

    return stat(name, &st) == 0 ? st.st_ino : 0;
}


/* reads only, never checkpoints, and runs nothing that the schema says */

static int
llm_reader_harden(llm_reader_t *reader)
{
    size_t  i;

    static const struct {
        int  op;
        int  value;
    } config[] = {
        { SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },
        { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
        { SQLITE_DBCONFIG_ENABLE_VIEW, 0 }
    };

    for (i = 0; i < sizeof(config) / sizeof(config[0]); i++) {

        if (sqlite3_db_config(reader->db, config[i].op, config[i].value,
                              NULL)
            != SQLITE_OK)
        {
            return LLM_ERROR;
        }
    }

    if (sqlite3_wal_autocheckpoint(reader->db, 0) != SQLITE_OK
        || sqlite3_exec(reader->db, "PRAGMA query_only=1;"
                                    "PRAGMA mmap_size=0;"
                                    "PRAGMA cell_size_check=1;"
                                    "PRAGMA temp_store=MEMORY;"
                                    "PRAGMA cache_size=-4096",
                        NULL, NULL, NULL)
           != SQLITE_OK)
    {
        return LLM_ERROR;
    }

    return LLM_OK;
}


/* a file without tables is one that the writer is just making */

static int
llm_reader_version(llm_reader_t *reader, llm_query_error_t *err)
{
    int64_t  app, version;

    if (llm_reader_pragma(reader, "PRAGMA user_version", &version) != LLM_OK
        || llm_reader_pragma(reader, "PRAGMA application_id", &app) != LLM_OK)
    {
        return llm_reader_fail(reader, err);
    }

    if (version == 0) {
        llm_reader_disconnect(reader);
        return LLM_OK;
    }

    if (app == LLM_SCHEMA_APP_ID && version < LLM_SCHEMA_VERSION) {
        return llm_query_fail(err, 503, "database_busy", NULL,
                              "database is being brought up to date");
    }

    if (app != LLM_SCHEMA_APP_ID || version != LLM_SCHEMA_VERSION) {
        return llm_query_fail(err, 503, "database_error", NULL,
                              "database was made by another version");
    }

    return LLM_OK;
}


static int
llm_reader_pragma(llm_reader_t *reader, const char *sql, int64_t *v)
{
    int            rc;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(reader->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return LLM_ERROR;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *v = sqlite3_column_int64(stmt, 0);
    }

    sqlite3_finalize(stmt);

    return rc == SQLITE_ROW ? LLM_OK : LLM_ERROR;
}


static void
llm_reader_disconnect(llm_reader_t *reader)
{
    sqlite3_finalize(reader->row);
    sqlite3_close(reader->db);

    reader->row = NULL;
    reader->db = NULL;
}


int
llm_reader_stale(const llm_reader_t *reader)
{
    struct stat  st;

    if (stat(reader->path, &st) == -1) {
        return reader->db != NULL;
    }

    return reader->db == NULL || st.st_ino != reader->ino
           || st.st_dev != reader->dev
           || llm_reader_wal(reader) != reader->wal_ino;
}


int
llm_reader_begin(llm_reader_t *reader, int64_t budget_ms,
    llm_query_error_t *err)
{
    llm_reader_budget(reader, budget_ms);

    if (reader->db == NULL) {
        return LLM_OK;
    }

    if (sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        return llm_reader_fail(reader, err);
    }

    return LLM_OK;
}


void
llm_reader_budget(llm_reader_t *reader, int64_t budget_ms)
{
    reader->deadline = budget_ms == 0 ? 0 : llm_reader_now() + budget_ms;
}


void
llm_reader_end(llm_reader_t *reader)
{
    reader->deadline = 0;

    if (reader->db == NULL) {
        return;
    }

    if (reader->row != NULL) {
        sqlite3_reset(reader->row);
    }

    if (!sqlite3_get_autocommit(reader->db)) {
        (void) sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
    }
}


int
llm_reader_timeout(llm_reader_t *reader)
{
    return sqlite3_errcode(reader->db) == SQLITE_INTERRUPT;
}


int
llm_reader_fail(llm_reader_t *reader, llm_query_error_t *err)
{
    int  rc;

    rc = reader->db == NULL ? SQLITE_NOMEM : sqlite3_errcode(reader->db);

    switch (rc) {

    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return llm_query_fail(err, 503, "database_busy", NULL,
                              "database is locked");

    case SQLITE_INTERRUPT:
        return llm_query_fail(err, 503, "time_budget", NULL,
                              "question took too long");

    case SQLITE_NOMEM:
        return llm_query_fail(err, 503, "no_memory", NULL, "no memory");

    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return llm_query_fail(err, 503, "database_corrupt", NULL,
                              "database is corrupt");

    default:
        return llm_query_fail(err, 503, "database_error", NULL,
                              "database error: %s", sqlite3_errstr(rc));
    }
}


static int
llm_reader_progress(void *data)
{
    llm_reader_t *reader = data;

    return reader->deadline != 0 && llm_reader_now() >= reader->deadline;
}


static int64_t
llm_reader_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


const char *
llm_query_sqlite(void)
{
    return sqlite3_libversion();
}
