
/*
 * Copyright (C) llm_monitor contributors
 *
 * The command table between workers and the writer.
 */


#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_control.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_owner.h"


static llm_control_t  *c;


static void
test_round(void)
{
    int             first, second;
    char            error[128];
    int64_t         progress, result, now;
    uint64_t        t1, t2;
    llm_command_t  *cmd;

    now = llm_control_now();

    ok(llm_control_next(c) == NULL, "an empty table has nothing to do");

    first = llm_control_ask(c, LLM_COMMAND_CLEAR, "filter", 6, getpid(),
                            now + 1000000, &t1);
    second = llm_control_ask(c, LLM_COMMAND_BACKUP, NULL, 0, getpid(),
                             now + 1000000, &t2);
    ok(first >= 0 && second >= 0 && first != second && t1 != t2,
       "two commands");

    cmd = llm_control_next(c);
    ok(cmd != NULL && cmd->op == LLM_COMMAND_CLEAR && cmd->len == 6
       && memcmp(cmd->args, "filter", 6) == 0, "the oldest comes first");
    ok(llm_control_poll(c, first, t1, &progress, &result, error,
                        sizeof(error)) == LLM_COMMAND_RUNNING, "it runs");

    llm_control_end(cmd, LLM_COMMAND_DONE, 42, NULL);
    ok(llm_control_poll(c, first, t1, &progress, &result, error,
                        sizeof(error)) == LLM_COMMAND_DONE && result == 42
       && error[0] == '\0', "it is done");
    ok(c->commands[first].state == LLM_COMMAND_FREE,
       "its place is free again");

    cmd = llm_control_next(c);
    ok(cmd != NULL && cmd->op == LLM_COMMAND_BACKUP, "then the second");
    ok(llm_control_next(c) == NULL, "and no third");
    llm_control_recover(c);
    ok(llm_control_poll(c, second, t2, &progress, &result, error,
                        sizeof(error)) == LLM_COMMAND_FAILED
       && strstr(error, "writer") != NULL, "a dead writer's command fails");
    ok(llm_control_poll(c, -1, t2, &progress, &result, error, sizeof(error))
       == LLM_COMMAND_FREE, "no such place");
}


static void
test_full(void)
{
    int       i, index;
    char      error[8];
    int64_t   progress, result, now;
    uint64_t  ticket, lost;

    now = llm_control_now();
    index = 0;
    lost = 0;

    for (i = 0; i < LLM_COMMANDS; i++) {
        index = llm_control_ask(c, LLM_COMMAND_REPRICE, NULL, 0, getpid(),
                                now + 1000000, &ticket);

        if (i == 3) {
            lost = ticket;
        }
    }

    ok(index == LLM_COMMANDS - 1, "every place is taken");
    c->commands[3].deadline = now - 1;
    index = llm_control_ask(c, LLM_COMMAND_REPRICE, NULL, 0, getpid(),
                            now + 1000000, &ticket);
    ok(index == 3, "a command past its deadline gives its place");
    ok(llm_control_poll(c, index, lost, &progress, &result, error,
                        sizeof(error)) == LLM_COMMAND_FREE,
       "who asked sees that it is lost");
    ok(llm_control_ask(c, LLM_COMMAND_REPRICE, NULL, 0, getpid(), now + 1000000,
                       &ticket) == LLM_FULL, "a full table says so");
    ok(llm_control_ask(c, LLM_COMMAND_CLEAR, c, LLM_COMMAND_ARGS + 1,
                       getpid(), now, &ticket) == LLM_FULL,
       "too long arguments are refused");

    llm_control_init(c);

    index = llm_control_ask(c, LLM_COMMAND_CLEAR, NULL, 0, getpid(), now - 1,
                            &ticket);
    ok(llm_control_next(c) == NULL
       && c->commands[index].state == LLM_COMMAND_FREE,
       "what nobody waits for any more is not run");
}


static uint64_t
filling(int64_t owner)
{
    return LLM_COMMAND_FILLING | (uint64_t) (owner & 0x3fffff) << 8
           | (uint64_t) (owner >> 32) << 30;
}


static void
test_dead_owner(void)
{
    int       i, index;
    pid_t     pid;
    int64_t   now;
    uint64_t  ticket;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    llm_control_init(c);
    now = llm_control_now();

    for (i = 0; i < LLM_COMMANDS; i++) {
        c->commands[i].state = filling(i == 5 ? pid : getpid());
    }

    index = llm_control_ask(c, LLM_COMMAND_CLEAR, NULL, 0, getpid(),
                            now + 1000000, &ticket);
    ok(index == 5, "the place of a worker that died while asking is free");
    ok(llm_control_ask(c, LLM_COMMAND_CLEAR, NULL, 0, getpid(), now + 1000000,
                       &ticket) == LLM_FULL, "that of a live one is not");

    for (i = 0; i < LLM_COMMANDS; i++) {
        c->commands[i].state = filling(llm_owner_self());
    }

    ok(llm_control_ask(c, LLM_COMMAND_CLEAR, NULL, 0, getpid(), now + 1000000,
                       &ticket) == LLM_FULL,
       "that of a live one of which its start is known is not");

    c->commands[7].state = filling(llm_owner_self() ^ (int64_t) 1 << 32);
    index = llm_control_ask(c, LLM_COMMAND_CLEAR, NULL, 0, getpid(),
                            now + 1000000, &ticket);
    ok(index == 7, "that of a dead one whose number another has got is");
}


static void
test_budget(void)
{
    int    i, mine, other;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitpid(pid, NULL, 0);

    llm_control_init(c);

    other = llm_control_join(c, getppid());
    mine = llm_control_join(c, getpid());
    ok(other >= 0 && mine >= 0 && other != mine, "two workers");

    ok(llm_control_take(c, mine, 600, 1000) == LLM_OK
       && llm_control_take(c, mine, 500, 1000) == LLM_FULL
       && llm_control_take(c, mine, 400, 1000) == LLM_OK
       && c->capture_bytes == 1000, "a budget is taken to its limit");
    llm_control_give(c, mine, 1000);

    (void) llm_control_take(c, other, 700, 1000);
    c->shares[other].owner = pid;
    ok(llm_control_join(c, getppid()) >= 0 && c->capture_bytes == 0,
       "a dead worker's share is given back");

    (void) llm_control_take(c, other, 700, 1000);
    c->shares[other].owner = (int64_t) 1 << 32 | getppid();
    ok(llm_control_join(c, getppid()) >= 0 && c->capture_bytes == 0,
       "also if its pid is another's now");
    ok(llm_control_join(c, getpid()) >= 0
       && llm_control_take(c, -1, 10, 10) == LLM_OK, "without a share");
    llm_control_give(c, -1, 10);

    for (i = 0; i < LLM_WORKERS; i++) {
        c->shares[i].owner = getppid();
    }

    ok(llm_control_join(c, getpid()) == -1, "more workers than shares");
}


static void
test_recording(void)
{
    int       first, second, pid;
    uint8_t   on, off;
    int64_t   now;
    uint64_t  t1, t2;

    llm_control_init(c);

    on = 1;
    off = 0;
    pid = getpid();
    now = llm_control_now();
    c->recording = c->recorded = 1;

    /* paused twice, and nobody is the writer */

    first = llm_control_ask(c, LLM_COMMAND_RECORDING, &off, 1, pid,
                            now + 1000000, &t1);
    c->recording = off;
    second = llm_control_ask(c, LLM_COMMAND_RECORDING, &off, 1, pid,
                             now + 1000000, &t2);

    ok(llm_control_withdraw(c, first, t2, pid) == LLM_DECLINED
       && llm_control_withdraw(c, -1, t1, pid) == LLM_DECLINED
       && llm_control_withdraw(c, first, t1, pid) == LLM_OK
       && c->commands[first].state == LLM_COMMAND_FREE,
       "who asked takes its command back");
    llm_control_restore(c);
    ok(c->recording == 0, "another one still wants it paused");

    ok(llm_control_withdraw(c, second, t2, pid) == LLM_OK, "it too");
    llm_control_restore(c);
    ok(c->recording == 1, "the flag is what the database has");

    first = llm_control_ask(c, LLM_COMMAND_RECORDING, &on, 1, pid,
                            now + 1000000, &t1);
    ok(llm_control_next(c) == &c->commands[first]
       && llm_control_withdraw(c, first, t1, pid) == LLM_DECLINED,
       "what the writer has begun is not taken back");
    c->recorded = 0;
    llm_control_restore(c);
    ok(c->recording == 1, "and counts");
    llm_control_end(&c->commands[first], LLM_COMMAND_FAILED, 0, "no");

    (void) llm_control_ask(c, LLM_COMMAND_RECORDING, &on, 1, pid, now - 1,
                           &t1);
    llm_control_restore(c);
    ok(c->recording == 0, "what nobody waits for any more does not");
}


int
main(void)
{
    c = malloc(sizeof(llm_control_t));

    llm_control_init(c);
    ok(c->recording == LLM_RECORDING_UNKNOWN, "nobody knows at first");

    test_round();
    test_full();
    test_dead_owner();
    test_budget();
    test_recording();

    free(c);

    return done_testing();
}
