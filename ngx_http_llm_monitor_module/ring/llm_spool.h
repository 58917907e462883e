
/*
 * Copyright (C) llm_monitor contributors
 *
 * Spool segments: records for which the ring had no room, appended to files
 * `segment.<identity>.<pid>` in the spool directory, one file a worker (so
 * that appending needs no lock), in the order of their making.  Each record is
 * a header (magic, length, sequence, CRC-32C) and its bytes; a torn tail is
 * found by length and CRC.
 *
 * A segment is flocked by its worker while it may grow.  It is made as
 * `new.<identity>.<pid>`, locked, and then renamed, so that nobody finds one
 * that is not locked yet.
 */


#ifndef _LLM_SPOOL_H_INCLUDED_
#define _LLM_SPOOL_H_INCLUDED_


#include "../record/llm.h"


#define LLM_SPOOL_PREFIX       "segment."
#define LLM_SPOOL_SEGMENT_MAX  (16 * 1024 * 1024)    /* then a new one */
#define LLM_SPOOL_RECORD_MAX   (1024 * 1024 * 1024)


typedef struct {
    int          fd;             /* -1: not open */
    uint64_t     offset;         /* where the next record goes */
    uint64_t     seq;            /* of the last record, from 1 */
    uint64_t     identity;       /* random, in the file's header */
    char         name[64];       /* in the directory */
} llm_spool_t;


void llm_spool_init(llm_spool_t *s);

/*
 * Appends a packed record.  Opens a new segment in the directory dirfd if none
 * is open or the open one is over LLM_SPOOL_SEGMENT_MAX or was taken by the
 * writer (unlinked).  Returns the bytes that the directory's files grew by, or
 * LLM_ERROR with errno set; a failed append leaves no part of a record behind.
 */
int64_t llm_spool_append(llm_spool_t *s, int dirfd, const uint8_t *p,
    size_t n);

/* Gives the segment up; it does not grow any more.  s may be used again. */
void llm_spool_close(llm_spool_t *s);


/* The reader's side: one segment; used by the writer only. */

typedef struct {
    int          fd;
    uint64_t     offset;         /* of the next record */
    uint64_t     seq;            /* of the last record read, from 1 */
    uint64_t     identity;
    uint8_t     *buf;
    size_t       cap;
} llm_spool_reader_t;

/*
 * Opens at offset, 0 or what rd->offset was after a record.  LLM_OK;
 * LLM_ERROR: not a segment, nothing is open.
 */
int llm_spool_reader_open(llm_spool_reader_t *rd, int dirfd,
    const char *name, uint64_t offset);

/*
 * The next record: LLM_OK with p and n (valid until the next call); LLM_AGAIN
 * at the end; LLM_ERROR if what follows is torn or cannot be read, or being
 * written just now: ask llm_spool_reader_closed() and read again, and only if
 * it is torn still, the rest of the file is of no use.  LLM_NOMEM: no memory
 * for a record of that length, try later.
 */
int llm_spool_reader_next(llm_spool_reader_t *rd, const uint8_t **p,
    size_t *n);

/* 1 if no process may append to it any more: its worker gave up its flock. */
int llm_spool_reader_closed(llm_spool_reader_t *rd);

void llm_spool_reader_close(llm_spool_reader_t *rd);


#endif /* _LLM_SPOOL_H_INCLUDED_ */
