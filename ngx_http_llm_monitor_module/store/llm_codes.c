
/*
 * Copyright (C) llm_monitor contributors
 *
 * Blocks that follow each other have mostly been given their slots one after
 * the other, so that the next step of a statement finds the next one's codes.
 */


#include <stdlib.h>
#include "llm_codes.h"


struct llm_codes_s {
    sqlite3_stmt   *st;
    int             column;
    int             step;                    /* to the next id */
    int64_t         id;                      /* of the present row; 0: none */
    uint8_t         codes[LLM_BLOCK_ROOM];
};


static int llm_codes_step(llm_codes_t *c, int64_t id);


int
llm_codes_open(llm_codes_t **out, llm_reader_t *reader, int column,
    int ascending)
{
    llm_codes_t  *c;

    *out = NULL;

    c = malloc(sizeof(llm_codes_t));

    if (c == NULL) {
        return LLM_DECLINED;
    }

    c->st = NULL;
    c->column = column;
    c->step = ascending ? 1 : -1;
    c->id = 0;

    if (sqlite3_prepare_v2(reader->db, ascending
                           ? "SELECT id, data FROM block_codes"
                             " WHERE id >= ?1 ORDER BY id"
                           : "SELECT id, data FROM block_codes"
                             " WHERE id <= ?1 ORDER BY id DESC", -1,
                           &c->st, NULL)
        != SQLITE_OK)
    {
        llm_codes_close(c);
        return LLM_ERROR;
    }

    *out = c;

    return LLM_OK;
}


void
llm_codes_close(llm_codes_t *c)
{
    if (c == NULL) {
        return;
    }

    sqlite3_finalize(c->st);
    free(c);
}


int
llm_codes_read(llm_codes_t *c, const llm_block_head_t *head, int64_t slot,
    int n, const uint8_t **codes)
{
    int      rc;
    int64_t  id;

    *codes = NULL;

    if (head->width == 0) {
        return LLM_OK;
    }

    id = llm_block_codes_id(c->column, slot);
    rc = LLM_OK;

    if (c->id != id) {
        rc = c->id + c->step == id ? llm_codes_step(c, id) : LLM_DECLINED;

        if (rc == LLM_DECLINED) {
            (void) sqlite3_reset(c->st);
            (void) sqlite3_bind_int64(c->st, 1, id);

            rc = llm_codes_step(c, id);
        }
    }

    if (rc != LLM_OK) {
        return rc;
    }

    *codes = llm_block_codes(head, sqlite3_column_blob(c->st, 1),
                             (size_t) sqlite3_column_bytes(c->st, 1), n,
                             c->codes);

    return *codes != NULL ? LLM_OK : LLM_DECLINED;
}


static int
llm_codes_step(llm_codes_t *c, int64_t id)
{
    int  rc;

    rc = sqlite3_step(c->st);
    c->id = rc == SQLITE_ROW ? sqlite3_column_int64(c->st, 0) : 0;

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return LLM_ERROR;
    }

    return c->id == id ? LLM_OK : LLM_DECLINED;
}
