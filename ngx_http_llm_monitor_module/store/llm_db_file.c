
/*
 * Copyright (C) llm_monitor contributors
 *
 * The file beneath the connection: where it is, how large, how it failed.
 */


#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "llm_db.h"


int
llm_db_gone(llm_db_t *db)
{
    struct stat  st;

    return db->path_fd == -1 || fstat(db->path_fd, &st) == -1
           || st.st_nlink == 0;
}


off_t
llm_db_size(const llm_db_t *db)
{
    struct stat  st;

    return db->path_fd != -1 && fstat(db->path_fd, &st) == 0 ? st.st_size : 0;
}


/* By SQLite's own descriptor, see llm_db_header(). */

int
llm_db_marked(llm_db_t *db)
{
    char           magic[sizeof(LLM_DB_MAGIC)];
    sqlite3_file  *file;

    file = NULL;

    if (db->handle == NULL
        || sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER,
                                &file)
           != SQLITE_OK
        || file == NULL || file->pMethods == NULL
        || file->pMethods->xRead(file, magic, sizeof(magic), 0) != SQLITE_OK)
    {
        return 1;
    }

    return memcmp(magic, LLM_DB_MAGIC, sizeof(magic)) == 0;
}


int
llm_db_wal_lost(llm_db_t *db)
{
    char         name[sizeof(db->path) + 8];
    struct stat  st;

    if (db->wal_ino == 0) {
        return 0;
    }

    (void) snprintf(name, sizeof(name), "%s-wal", db->path);

    if (lstat(name, &st) == -1) {
        return errno == ENOENT;
    }

    return st.st_ino != db->wal_ino;
}


int
llm_db_moved(llm_db_t *db, char *wal, size_t size)
{
    int          n;
    char         link[32], path[sizeof(db->path)];
    ssize_t      len;
    struct stat  st;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", db->path_fd);

    len = readlink(link, path, sizeof(path) - 1);

    if (len <= 0) {
        return LLM_DECLINED;
    }

    path[len] = '\0';

    if (lstat(path, &st) == -1 || st.st_dev != db->dev
        || st.st_ino != db->ino)
    {
        return LLM_DECLINED;
    }

    n = snprintf(wal, size, "%s-wal", path);

    return n < (int) size && lstat(wal, &st) == -1 ? LLM_OK : LLM_DECLINED;
}


int
llm_db_unread(llm_db_t *db)
{
    int            i, err;
    sqlite3_file  *file;

    static const int  which[] = { SQLITE_FCNTL_FILE_POINTER,
                                  SQLITE_FCNTL_JOURNAL_POINTER };

    for (i = 0; db->handle != NULL && i < 2; i++) {

        err = 0;
        file = NULL;

        (void) sqlite3_file_control(db->handle, "main", which[i], &file);

        if (file != NULL && file->pMethods != NULL) {
            (void) file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO,
                                                &err);
        }

        if (err == EIO || err == ENXIO || err == ERANGE) {
            return 1;
        }
    }

    return 0;
}
