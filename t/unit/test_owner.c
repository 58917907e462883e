
/*
 * Copyright (C) llm_monitor contributors
 *
 * Who a process is: found among the living, whatever it calls itself, and not
 * taken for the one that had its pid before.
 */


#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_owner.h"


static void test_self(void);
static void test_child(void);


int
main(void)
{
    test_self();
    test_child();

    return done_testing();
}


static void
test_self(void)
{
    int64_t  self;

    self = llm_owner_self();

    ok(self > UINT32_MAX && (self & UINT32_MAX) == getpid(),
       "more than a pid");
    ok(self == llm_owner_self() && llm_owner_alive(self), "is alive");
    ok(!llm_owner_alive(self + ((int64_t) 1 << 32))
       && !llm_owner_alive(self - ((int64_t) 1 << 32)),
       "who had the pid at another time is not");
    ok(llm_owner_alive(getpid()), "a bare pid says what a pid can");
    ok(!llm_owner_alive(0) && !llm_owner_alive(-1)
       && !llm_owner_alive(UINT32_MAX)
       && !llm_owner_alive((int64_t) 5 << 32 | UINT32_MAX),
       "no pids are dead");
}


static void
test_child(void)
{
    int      fd[2];
    pid_t    pid;
    int64_t  child;

    child = 0;

    if (pipe(fd) == -1) {
        abort();
    }

    pid = fork();

    if (pid == 0) {
        (void) prctl(PR_SET_NAME, ") R 1 2 ) 3");

        child = llm_owner_self();

        if (write(fd[1], &child, sizeof(child)) != sizeof(child)) {
            _exit(1);
        }

        (void) pause();
        _exit(0);
    }

    if (read(fd[0], &child, sizeof(child)) != sizeof(child)) {
        abort();
    }

    ok((child & UINT32_MAX) == pid && child >> 32 >= llm_owner_self() >> 32
       && child >> 32 < (llm_owner_self() >> 32) + 100000,
       "a name with parentheses hides no start");
    ok(llm_owner_alive(child), "another process that lives");

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    ok(!llm_owner_alive(child) && !llm_owner_alive(pid), "and its end");

    close(fd[0]);
    close(fd[1]);
}
