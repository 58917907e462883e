
/*
 * Copyright (C) llm_monitor contributors
 *
 * A file that does nothing but take room.  On a full disk SQLite cannot even
 * delete, for that needs room in its write-ahead log: then the ballast goes.
 */


#ifndef _LLM_BALLAST_H_INCLUDED_
#define _LLM_BALLAST_H_INCLUDED_


#include "../record/llm.h"


#define LLM_BALLAST_FILE   "ballast"
#define LLM_BALLAST_MAX    (32 * 1024 * 1024)
#define LLM_BALLAST_MIN    (2 * 1024 * 1024)


/*
 * Makes it in the directory dir, or lets it grow, up to size bytes and half of
 * the room that there is.  LLM_FULL: there is no room for the least of it.
 */
int llm_ballast_make(const char *dir, int64_t size);

/* Removes it; returns its size. */
int64_t llm_ballast_drop(const char *dir);

/* Bytes that may still be written to the file system of dir; -1: not known. */
int64_t llm_ballast_room(const char *dir);


#endif /* _LLM_BALLAST_H_INCLUDED_ */
