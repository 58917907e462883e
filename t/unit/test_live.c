
/*
 * Copyright (C) llm_monitor contributors
 *
 * The table of exchanges in flight: bounded, every copy of one piece while its
 * owner writes, and nothing of a dead process.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_live.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_owner.h"


static int count(void *data, const llm_live_facts_t *facts);
static int whole(void *data, const llm_live_facts_t *facts);
static void fill(llm_live_slot_t *slot, int c);
static void test_slots(void);
static void test_writer(void);
static void test_dead(void);


static llm_live_t       *live;
static llm_live_own_t    own, other;
static llm_live_slot_t  *slots[LLM_LIVE_SLOTS];


int
main(void)
{
    live = mmap(NULL, sizeof(llm_live_t), PROT_READ|PROT_WRITE,
                MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    /* whatever the memory was before */

    memset(live, 0xa5, sizeof(llm_live_t));
    llm_live_init(live);

    test_slots();
    test_writer();
    test_dead();

    return done_testing();
}


static int
count(void *data, const llm_live_facts_t *facts)
{
    (*(int *) data)++;

    return LLM_OK;
}


/* every byte of the copy is from one write */

static int
whole(void *data, const llm_live_facts_t *facts)
{
    int  i;

    for (i = 0; i < LLM_LIVE_TEXTS; i++) {
        if (memcmp(facts->text[0], facts->text[i], LLM_LIVE_TEXT) != 0
            || (char) facts->id != facts->text[i][LLM_LIVE_TEXT - 1])
        {
            return LLM_ERROR;
        }
    }

    (*(int *) data)++;

    return LLM_OK;
}


static void
fill(llm_live_slot_t *slot, int c)
{
    int        i;
    char       text[100];
    llm_str_t  s;

    memset(text, c, sizeof(text));
    s.data = (uint8_t *) text;
    s.len = sizeof(text);

    slot->facts.id = c;

    for (i = 0; i < LLM_LIVE_TEXTS; i++) {
        llm_live_text(slot, i, &s);
    }
}


static void
test_slots(void)
{
    int  i, n;

    n = 0;
    ok(llm_live_take(&own) == NULL, "nothing before it has joined");

    llm_live_join(&own, live, llm_owner_self());
    ok(llm_live_each(live, count, &n) == LLM_OK && n == 0, "none in flight");

    for (i = 0; i < LLM_LIVE_SLOTS; i++) {
        slots[i] = llm_live_take(&own);

        if (slots[i] == NULL) {
            break;
        }

        fill(slots[i], i % 100);
        llm_live_close(slots[i]);
    }

    ok(i == LLM_LIVE_SLOTS, "%d slots", i);
    ok(slots[0]->facts.len[0] == LLM_LIVE_TEXT, "a text is cut");
    ok(llm_live_take(&own) == NULL, "and no more");
    ok(llm_live_each(live, whole, &n) == LLM_OK && n == LLM_LIVE_SLOTS,
       "all are there");

    llm_live_miss(&own);
    ok(live->missed == 1, "what finds none is counted");

    llm_live_join(&other, live, llm_owner_self());
    ok(llm_live_take(&other) == NULL, "nor for another one");

    for (i = 0; i < LLM_LIVE_SLOTS; i++) {
        llm_live_give(&own, slots[i]);
    }

    n = 0;
    ok(llm_live_each(live, count, &n) == LLM_OK && n == 0, "given back");
    ok(llm_live_take(&own) != NULL, "and taken again");

    llm_live_leave(&own);

    n = 0;
    ok(llm_live_each(live, count, &n) == LLM_OK && n == 0,
       "who leaves has none in flight");
    ok(llm_live_take(&other) != NULL, "and leaves room for others");

    llm_live_leave(&other);
}


static void
test_writer(void)
{
    int    c, i, n, rc, status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        (void) alarm(120);

        llm_live_join(&own, live, llm_owner_self());

        for (i = 0; i < 10; i++) {
            slots[i] = llm_live_take(&own);
            fill(slots[i], i);
            llm_live_close(slots[i]);
        }

        for (c = 0; /* void */ ; c = (c + 1) % 100) {
            for (i = 0; i < 10; i++) {
                llm_live_open(slots[i]);
                fill(slots[i], c);
                llm_live_close(slots[i]);
            }
        }
    }

    n = 0;
    rc = LLM_OK;

    /* the child may not have run yet: as long as it takes, but not for ever */

    (void) alarm(60);

    while (rc == LLM_OK && n < 100000) {
        rc = llm_live_each(live, whole, &n);
    }

    (void) alarm(0);

    ok(rc == LLM_OK, "%d copies of one piece each", n);

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
}


/* killed in the middle of a write, mostly */

static void
test_dead(void)
{
    int              i, n;
    llm_live_slot_t  *slot;

    n = 0;
    ok(llm_live_each(live, count, &n) == LLM_OK && n == 0,
       "nothing of a dead process");

    llm_live_join(&own, live, llm_owner_self());

    for (i = 0; i < 10; i++) {
        slot = llm_live_take(&own);
        fill(slot, i);
        llm_live_close(slot);
    }

    ok(own.own[0], "its block is taken over");
    ok(llm_live_each(live, whole, &n) == LLM_OK && n == 10,
       "and good again: %d", n);
}
