
/*
 * Copyright (C) llm_monitor contributors
 *
 * One turn of the writer: see that the database is there, do what was asked,
 * empty the ring, and now and then look after everything else.
 */


#ifndef _LLM_TURN_H_INCLUDED_
#define _LLM_TURN_H_INCLUDED_


#include "llm_command.h"
#include "llm_drain.h"
#include "llm_keep.h"


typedef struct {
    llm_writer_t      writer;
    llm_source_t      source;
    llm_commander_t   commander;
    llm_keep_t        keep;
    llm_ring_t       *ring;
    char             *dir;
    char             *ring_dir;

    int               open;
    int               opened;        /* once at least */
    int               ending;        /* batches are short ones */
    int64_t           retry_ms;      /* when the database is tried again */
    int64_t           backoff_ms;
    int64_t           scan_ms;       /* other rings and segments */
    int64_t           checkpoint_ms;
    uint64_t          errors;        /* of the database, told so far */

    /* between batches: 1, let go */
    int             (*stop)(void *data);
    void             *stop_data;
} llm_turn_t;


int llm_turn_init(llm_turn_t *t, const llm_drain_conf_t *conf,
    int (*stop)(void *data), void *stop_data);
void llm_turn_done(llm_turn_t *t);

void llm_turn(llm_turn_t *t);

/*
 * Nothing but the own ring, until it is a quarter full, and what is too large
 * while records wait for that; a second at most, for what is too old has to
 * go, and commands wait, also while more comes than can be written.
 */
void llm_turn_urgent(llm_turn_t *t);

/*
 * Drains on until the deadline (control's clock), then closes.  0: the lock is
 * lost, nothing more is written.
 */
void llm_turn_end(llm_turn_t *t, int64_t deadline);


#endif /* _LLM_TURN_H_INCLUDED_ */
