
/*
 * Copyright (C) llm_monitor contributors
 *
 * A word that a model and more sessions have than are looked at one by one,
 * and a word that only sessions have.
 */


#include "ask.h"
#include "ledger.h"
#include "../../ngx_http_llm_monitor_module/store/llm_search.h"


#define START     1700000000000
#define SESSIONS  (2 * LLM_SEARCH_SESSIONS)


static void add(int n);
static void total(const char *query, int64_t want);


static llm_reader_t  *reader;


int
main(void)
{
    int                n;
    llm_record_t       r;
    llm_query_error_t  err;

    ledger_open();
    ledger_begin();

    for (n = 0; n < SESSIONS; n++) {
        add(n);
    }

    ledger_record(&r, START + SESSIONS);
    ledger_text(&r, LLM_S_MODEL, "many-worlds");
    ledger_add(&r, LLM_WRITE_ROW);
    ledger_commit();

    ok(ledger_int("SELECT count(*) FROM session") == SESSIONS,
       "%d sessions", SESSIONS);

    if (llm_reader_open(&reader, ledger_dir, &err) != LLM_OK) {
        abort();
    }

    total("filter=many-", LLM_SEARCH_SESSIONS + 1);
    total("filter=few-", LLM_SEARCH_SESSIONS);
    total("filter=many-8", 152);
    total("filter=many-8190", 1);
    total("filter=many-w", 1);
    total("filter=many-8190&session=few-1", 0);
    total("filter=nowhere", 0);

    llm_reader_close(reader);
    ledger_remove();

    return done_testing();
}


/* every other one is one of the many */

static void
add(int n)
{
    char          text[32];
    llm_record_t  r;

    ledger_record(&r, START + n);

    snprintf(text, sizeof(text), n % 2 ? "few-%d" : "many-%d", n);
    ledger_text(&r, LLM_S_SESSION, text);

    ledger_add(&r, LLM_WRITE_ROW);
}


static void
total(const char *query, int64_t want)
{
    int64_t  n;

    n = ask_count(reader, query, START);

    ok(n == want, "%s: %lld, %lld expected", query, (long long) n,
       (long long) want);
}
