
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_gone.h"


int
llm_gone_open(llm_gone_t *g, llm_db_t *db)
{
    static const char *const  sql =
        "INSERT INTO gone (t) VALUES (?1) ON CONFLICT DO NOTHING";

    memset(g, 0, sizeof(llm_gone_t));

    g->db = db;

    return llm_db_prepare(db, &sql, &g->st, 1);
}


void
llm_gone_close(llm_gone_t *g)
{
    llm_db_finalize(&g->st, 1);
}


void
llm_gone_reset(llm_gone_t *g)
{
    memset(g->known, 0, sizeof(g->known));
}


int
llm_gone_record(llm_gone_t *g, const llm_record_t *r, int row)
{
    int64_t  counted, of;

    counted = r->num[LLM_N_TIMESTAMP];
    of = r->num[LLM_N_ID] >> LLM_ID_SHIFT;

    if (row) {

        if (counted / LLM_DAY_MS == of / LLM_DAY_MS) {
            return LLM_OK;
        }

        if (llm_gone_mark(g, of) != LLM_OK) {
            return LLM_ERROR;
        }
    }

    return llm_gone_mark(g, counted);
}


int
llm_gone_mark(llm_gone_t *g, int64_t ms)
{
    int64_t  day, *known;

    day = ms / LLM_DAY_MS;
    known = &g->known[day % LLM_GONE_KNOWN];

    if (*known == day + 1) {
        return LLM_OK;
    }

    (void) sqlite3_bind_int64(g->st, 1, day * LLM_DAY_MS);

    if (llm_db_run(g->db, g->st) != LLM_OK) {
        return LLM_ERROR;
    }

    *known = day + 1;

    return LLM_OK;
}
