
/*
 * Copyright (C) llm_monitor contributors
 *
 * A disk that loses its power: what this process does to the database, its
 * -wal and -journal and the spool of a folder is recorded, in the calls of the
 * C library, and what a disk may hold at any instant is made of that.
 *
 * A write is safe when its file was synced after it; of the others each may
 * have come to the disk or not, whole or by sectors.  A name is safe when its
 * folder was synced; of later changes of names the first few are there, as
 * file systems do that keep a log of them.  Nothing is really synced, so that
 * tests do not wait for a disk.
 */


#ifndef _DISK_H_INCLUDED_
#define _DISK_H_INCLUDED_


#include <stddef.h>


#define DISK_SECTOR  512

/* what has come to the disk of what was not synced */

enum { DISK_NOTHING = 0, DISK_ALL, DISK_WRITES, DISK_SECTORS, DISK_KINDS };


/* Records all from now on; before() is called before each step, if not NULL. */
void disk_record(const char *dir, void (*before)(void));

/* Ends it, and forgets. */
void disk_forget(void);

/* Steps so far. */
size_t disk_steps(void);

/* The next steps are not recorded. */
void disk_pause(int pause);

/*
 * Makes the folder `to`, with its spool, of the first n steps.  What comes to
 * the disk by chance is random()'s.
 */
void disk_image(const char *to, size_t n, int kind);


#endif /* _DISK_H_INCLUDED_ */
