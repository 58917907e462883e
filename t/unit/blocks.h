
/*
 * Copyright (C) llm_monitor contributors
 *
 * A database whose rows are to be copied into blocks: three days of them, so
 * many a block that there are many blocks.
 */


#ifndef _BLOCKS_H_INCLUDED_
#define _BLOCKS_H_INCLUDED_


#include "ledger.h"
#include "../../ngx_http_llm_monitor_module/store/llm_reader.h"


#define START  (20400 * (int64_t) LLM_DAY_MS)
#define SPAN   (3 * (int64_t) LLM_DAY_MS)
#define END    (START + SPAN)

/* the id of a text in the dictionary, for a reference in SQL */
#define OF(kind, text)  "(SELECT id FROM dict WHERE kind = " #kind            \
                        " AND value = '" text "')"


static llm_reader_t  *reader;


/* Random times, and a reader; the test adds a row of a time.  1 or 0. */

static int
blocks_open(int rows, int fill, void (*add)(int64_t ms))
{
    int                i;
    llm_query_error_t  err;

    ledger_open();
    ledger->blocks.fill = fill;
    ledger_begin();

    for (i = 0; i < rows; i++) {
        add(START + random() % SPAN);
    }

    ledger_commit();

    return llm_reader_open(&reader, ledger_dir, &err) == LLM_OK;
}


/* Of every nth block the heads, of the others codes are lost or overwritten. */

static void
blocks_break(int nth)
{
    char  sql[96];

    snprintf(sql, sizeof(sql), "UPDATE block SET heads = zeroblob(90)"
             " WHERE rowid %% %d = 0", nth);

    (void) llm_db_exec(&ledger->db, sql);
    (void) llm_db_exec(&ledger->db, "DELETE FROM block_codes WHERE id % 3 = 0;"
                       "UPDATE block_codes SET data = x'00'"
                       " WHERE id % 3 = 1");
}


static void
blocks_close(void)
{
    llm_reader_close(reader);
    ledger_remove();
}


#endif /* _BLOCKS_H_INCLUDED_ */
