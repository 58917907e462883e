
/*
 * Copyright (C) llm_monitor contributors
 *
 * Spool segments: records for which the ring had no room, appended to files
 * `segment.<identity>.<pid>` in the spool directory, one file a worker (so
 * that appending needs no lock), in the order of their making.  Each record is
 * a header (magic, length, sequence, CRC) and its bytes; a torn tail is found
 * by length and CRC.
 */


#ifndef _LLM_SPOOL_H_INCLUDED_
#define _LLM_SPOOL_H_INCLUDED_


#include "../record/llm.h"


typedef struct {
    int          fd;             /* -1: not open */
    uint64_t     offset;         /* where the next record goes */
    uint64_t     identity;       /* random, in the file's header */
    char         name[64];
} llm_spool_t;


void llm_spool_init(llm_spool_t *s);

/*
 * Appends a packed record.  Opens a new segment in the directory dirfd if none
 * is open or the open one is over 16 MB or was taken by the writer (unlinked).
 * The segment is flocked by its worker while it may grow.  Returns the bytes
 * that the file grew by, or LLM_ERROR with errno set; a failed append leaves
 * the file as it was.
 */
int64_t llm_spool_append(llm_spool_t *s, int dirfd, const uint8_t *p,
    size_t n);

void llm_spool_close(llm_spool_t *s);


/* The reader's side: one segment, mapped or read; used by the writer only. */

typedef struct {
    int          fd;
    uint64_t     offset;         /* of the next record */
    uint64_t     identity;
    uint8_t     *buf;
    size_t       cap;
} llm_spool_reader_t;

/* LLM_OK; LLM_ERROR: not a segment. */
int llm_spool_reader_open(llm_spool_reader_t *rd, int dirfd,
    const char *name, uint64_t offset);

/*
 * The next record: LLM_OK with p and n (valid until the next call), LLM_AGAIN
 * at the end, LLM_ERROR if what follows is torn (the rest of the file is of
 * no use once its worker is gone).
 */
int llm_spool_reader_next(llm_spool_reader_t *rd, const uint8_t **p,
    size_t *n);

/* 1 if no process may append to it any more (its flock is free). */
int llm_spool_reader_closed(llm_spool_reader_t *rd);

void llm_spool_reader_close(llm_spool_reader_t *rd);


#endif /* _LLM_SPOOL_H_INCLUDED_ */
