
/*
 * Copyright (C) llm_monitor contributors
 *
 * A database for tests of the ledger: the writer itself, without ring.
 */


#ifndef _LEDGER_H_INCLUDED_
#define _LEDGER_H_INCLUDED_


#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/store/llm_writer.h"


static char           ledger_dir[64];
static llm_writer_t  *ledger;
static int64_t        ledger_n;


static void
ledger_log(void *data, int level, const char *text)
{
    if (getenv("TEST_VERBOSE")) {
        fprintf(stderr, "# log %d: %s\n", level, text);
    }
}


static void
ledger_open(void)
{
    if (ledger == NULL) {
        strcpy(ledger_dir, "/tmp/llm_ledger.XXXXXX");

        ledger = calloc(1, sizeof(llm_writer_t));

        if (mkdtemp(ledger_dir) == NULL || ledger == NULL) {
            abort();
        }

        ledger->control = calloc(1, sizeof(llm_control_t));
        llm_control_init(ledger->control);
        ledger->spool_fd = -1;
        ledger->db.synchronous = 1;
        ledger->db.log = ledger_log;
        strcpy(ledger->db.dir, ledger_dir);
    }

    if (llm_writer_open(ledger) != LLM_OK) {
        abort();
    }
}


static void
ledger_remove(void)
{
    char  cmd[128];

    llm_writer_close(ledger);
    free(ledger->control);
    free(ledger);
    ledger = NULL;

    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", ledger_dir);

    if (system(cmd) != 0) {
        abort();
    }
}


static void
ledger_text(llm_record_t *r, int n, const char *text)
{
    r->str[n].data = (const uint8_t *) text;
    r->str[n].len = strlen(text);
}


/* One that succeeded, at ms; the texts must live until it is added. */

static void
ledger_record(llm_record_t *r, int64_t ms)
{
    llm_record_init(r);

    r->num[LLM_N_TIMESTAMP] = ms;
    r->num[LLM_N_ID] = ms << LLM_ID_SHIFT | (++ledger_n & 0x1fffff);
    r->num[LLM_N_STATUS] = 200;
    r->num[LLM_N_OUTCOME] = LLM_OUTCOME_SUCCESS;
    r->num[LLM_N_OPERATION] = LLM_OPERATION_CHAT;
    r->num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OPENAI;
    r->num[LLM_N_STREAM] = 0;
    r->num[LLM_N_FLAGS] = 0;
    r->num[LLM_N_USER_TRUSTED] = 1;

    ledger_text(r, LLM_S_METHOD, "POST");
    ledger_text(r, LLM_S_URL, "/v1/chat/completions");
    ledger_text(r, LLM_S_ENDPOINT, "/v1/chat/completions");
}


static void
ledger_begin(void)
{
    if (llm_writer_begin(ledger) != LLM_OK) {
        abort();
    }
}


static void
ledger_commit(void)
{
    if (llm_writer_commit(ledger) != LLM_OK) {
        abort();
    }
}


static void
ledger_add(llm_record_t *r, int what)
{
    if (llm_writer_add(ledger, r, what) != LLM_OK) {
        abort();
    }
}


/* Blocks of all rows that are old enough at that time, in ms. */

static inline void
ledger_blocks(int64_t now)
{
    int  rc;

    do {
        ledger_begin();
        rc = llm_blocks_make(&ledger->blocks, now, 1);
        ledger_commit();
    } while (rc == LLM_OK);

    if (rc != LLM_AGAIN) {
        abort();
    }
}


/* the only value of a question; -1: it failed */

static int64_t
ledger_int(const char *sql)
{
    int64_t        v;
    sqlite3_stmt  *st;

    v = -1;

    if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &st, NULL)
        != SQLITE_OK)
    {
        printf("# %s: %s\n", sql, sqlite3_errmsg(ledger->db.handle));
        return -1;
    }

    if (sqlite3_step(st) == SQLITE_ROW) {
        v = sqlite3_column_int64(st, 0);
    }

    sqlite3_finalize(st);

    return v;
}


#endif /* _LEDGER_H_INCLUDED_ */
