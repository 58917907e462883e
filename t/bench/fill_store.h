
/*
 * Copyright (C) llm_monitor contributors
 *
 * Puts exchanges into a new database, by both halves of the module's writer at
 * once: the thread of the caller makes records and counts them, in a database
 * of its own; another thread makes the rows.  What was counted is moved over
 * in the end, table by table.
 */


#ifndef _FILL_STORE_H_INCLUDED_
#define _FILL_STORE_H_INCLUDED_


#include <pthread.h>

#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"
#include "fill.h"


#define FILL_SLOTS       8             /* that one thread may be ahead */
#define FILL_SLOT_ROWS   128
#define FILL_SLOT_ROOM   (1024 * 1024)


typedef struct {
    llm_record_t   record;
    llm_insert_t   row;
} fill_row_t;

typedef struct {
    int            n;
    int            commit;             /* after these rows */
    int64_t        blocks_ms;          /* and then blocks until then, or 0 */
    fill_room_t    room;
    fill_row_t     rows[FILL_SLOT_ROWS];
    char           texts[FILL_SLOT_ROOM];
} fill_slot_t;

typedef struct {
    llm_writer_t   sums;               /* with the dictionary and sessions */
    llm_writer_t   rows;
    llm_control_t  sums_control;
    llm_control_t  rows_control;
    int64_t        now;                /* when the last exchange began */
    int64_t        day;                /* of the last commit */
    int            most;               /* rows until the next; for tests */
    int            batch;              /* rows since the last, */
    size_t         bytes;              /* and of their bodies */
    fill_slot_t   *slots;
    fill_slot_t   *slot;               /* the one that is filled */
    pthread_t      thread;
    double         counting_s;         /* CPU time of the caller's thread, */
    double         storing_s;          /* of the other one, */
    double         moving_s;           /* and after both, of the caller's */

    pthread_mutex_t  lock;             /* guards what follows */
    pthread_cond_t   wake;
    uint64_t         filled;           /* slots */
    uint64_t         stored;
    int              done;             /* no more of them are filled */
    int              failed;
} fill_store_t;


/* LLM_ERROR, here and below: it was said why, if anything can be said. */
int fill_store_open(fill_store_t *s, const char *dir);

/* In the order in which exchanges end. */
int fill_store_add(fill_store_t *s, const fill_exchange_t *x);

/*
 * Finishes the database and closes it.  Meanwhile say is called with data; it
 * returns 0.
 */
int fill_store_end(fill_store_t *s, int (*say)(void *data), void *data);


#endif /* _FILL_STORE_H_INCLUDED_ */
