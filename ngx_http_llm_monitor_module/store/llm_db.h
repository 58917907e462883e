
/*
 * Copyright (C) llm_monitor contributors
 *
 * The one connection that writes and checkpoints: opening the file with all
 * the suspicion that a file in a directory deserves, migrations, and the
 * funnel through which every error of SQLite goes.  One thread at a time.
 */


#ifndef _LLM_DB_H_INCLUDED_
#define _LLM_DB_H_INCLUDED_


#include <sqlite3.h>
#include <sys/types.h>

#include "llm_schema.h"


#define LLM_DB_MAGIC        "SQLite format 3"    /* with its zero */
#define LLM_DB_BUSY_MS      50
#define LLM_DB_CACHE_KB     8192
#define LLM_DB_WAL_MAX      (64 * 1024 * 1024)

typedef struct {
    sqlite3       *handle;           /* NULL: not open */
    char           dir[3072];        /* data directory as configured */
    char           path[4096];       /* of the database, links resolved */
    dev_t          dev;              /* of the open file */
    ino_t          ino;
    ino_t          wal_ino;          /* 0: not known yet */
    off_t          size;             /* after a checkpoint; 0: not known */
    int            path_fd;          /* of the file, wherever it is; -1 */
    int            synchronous;      /* 2 FULL, 1 NORMAL */
    int64_t        wal_pages;        /* in the WAL after the last commit */
    int            code;             /* last result that was an error */
    uint64_t       errors;
    uint64_t       moved_aside;
    int64_t        said_ms;          /* when the last message was logged */
    char           said[256];

    void         (*log)(void *data, int level, const char *text);
    void          *log_data;
} llm_db_t;


/*
 * Opens, and if it is not there makes, the database.  Corrupt and foreign
 * files are moved aside first; what is no regular file and a newer schema are
 * refused.  LLM_ERROR: db->code and the log say why, a later try may succeed.
 */
int llm_db_open(llm_db_t *db);

/*
 * All statements must be finalized.  Neither checkpoints nor removes the WAL:
 * the path may belong to another file by now.
 */
void llm_db_close(llm_db_t *db);

/*
 * LLM_OK; LLM_DECLINED: the path has another file or none, or it was cut or
 * its beginning overwritten.
 */
int llm_db_check(llm_db_t *db);

/*
 * 0 if the beginning of the open file is not a database's, 1 if it is, or
 * cannot be read.
 */
int llm_db_marked(llm_db_t *db);

/*
 * 1 if the -wal was deleted or replaced: what is committed goes into a file
 * that nobody else sees.
 */
int llm_db_wal_lost(llm_db_t *db);

/* 1 if the open file has no name any more: what is in it is lost. */
int llm_db_gone(llm_db_t *db);

/* Of the open file, or 0. */
off_t llm_db_size(const llm_db_t *db);

/*
 * Where the -wal of a file that was moved belongs: readers may have kept what
 * is in it from being checkpointed.  LLM_DECLINED: it was deleted.
 */
int llm_db_moved(llm_db_t *db, char *wal, size_t size);

/* 1 if something of this connection could not be read from the disk. */
int llm_db_unread(llm_db_t *db);

/*
 * The file was deleted or replaced: finishes the old one, wherever it went,
 * and takes its -wal and -shm away from the path, lest they be applied to the
 * new one; closes.  One that was cut is moved aside.
 */
void llm_db_abandon(llm_db_t *db);

/* After LLM_ERROR: whether the file itself is broken; if so, moves it away. */
int llm_db_broken(llm_db_t *db);
void llm_db_aside(llm_db_t *db, const char *why);


/* Prepares n statements; LLM_ERROR: none of them is left prepared. */
int llm_db_prepare(llm_db_t *db, const char *const *sql, sqlite3_stmt **st,
    int n);
void llm_db_finalize(sqlite3_stmt **st, int n);

/* Runs SQL without results. */
int llm_db_exec(llm_db_t *db, const char *sql);

/*
 * Steps once.  llm_db_run() is for statements without rows and resets;
 * llm_db_row() answers LLM_OK with a row, LLM_DECLINED at the end (and then
 * has reset the statement).
 */
int llm_db_run(llm_db_t *db, sqlite3_stmt *st);
int llm_db_row(llm_db_t *db, sqlite3_stmt *st);

/* The only value of a question that takes no parameters. */
int llm_db_int(llm_db_t *db, const char *sql, int64_t *v);

/*
 * Checkpoints: SQLITE_CHECKPOINT_PASSIVE or _TRUNCATE; *left is the number of
 * pages that stay in the WAL only.
 */
int llm_db_checkpoint(llm_db_t *db, int mode, int *left);

/* Bytes of the database and of its WAL. */
void llm_db_sizes(llm_db_t *db, int64_t *file, int64_t *wal);

/* Logs, but the same text at most once a minute. */
__attribute__((format(printf, 3, 4)))
void llm_db_say(llm_db_t *db, int level, const char *fmt, ...);

int64_t llm_wall_ms(void);


#endif /* _LLM_DB_H_INCLUDED_ */
