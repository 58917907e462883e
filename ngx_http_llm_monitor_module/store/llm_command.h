
/*
 * Copyright (C) llm_monitor contributors
 *
 * What others ask the writer to do, in slices between the batches.
 */


#ifndef _LLM_COMMAND_H_INCLUDED_
#define _LLM_COMMAND_H_INCLUDED_


#include "llm_backup.h"
#include "llm_reprice.h"
#include "llm_source.h"


typedef struct {
    llm_writer_t   *w;
    llm_source_t   *source;
    llm_command_t  *cmd;            /* running; NULL: none */
    int             stage;
    int             stats;          /* clear the ledger too */
    int64_t         from;           /* of the dictionary */
    uint64_t        newest;         /* of the own ring when it began */
    llm_filter_t   *filter;
    llm_purge_t     purge;          /* or what is priced anew */

    const llm_price_table_t  *prices;     /* NULL: none */
    llm_price_finder_t       *finder;

    llm_backup_t    backup;
} llm_commander_t;


/*
 * Does one slice of the running command, or takes the next one.  LLM_OK: there
 * is more; LLM_AGAIN: nothing to do, or the ring must be drained first;
 * LLM_ERROR: the database failed, the slice comes again.
 */
int llm_command_slice(llm_commander_t *c);

/* The writer leaves: who waits is told. */
void llm_command_abort(llm_commander_t *c, const char *why);


#endif /* _LLM_COMMAND_H_INCLUDED_ */
