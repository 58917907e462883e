
/*
 * Copyright (C) llm_monitor contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "llm_owner.h"


/* proc(5): field 22 of the file, the 20th after the name in parentheses */
#define LLM_OWNER_START  20

/* ticks since boot: 31 bits are 248 days, and the number is positive */
#define LLM_OWNER_MASK   0x7fffffff


static int64_t llm_owner_start(pid_t pid);


int64_t
llm_owner_self(void)
{
    pid_t  pid;

    pid = getpid();

    return llm_owner_start(pid) << 32 | pid;
}


int
llm_owner_alive(int64_t owner)
{
    pid_t    pid;
    int64_t  start, now;

    pid = (pid_t) (owner & UINT32_MAX);
    start = owner >> 32;

    /* to kill() they are groups of processes */

    if (pid <= 0 || (kill(pid, 0) == -1 && errno == ESRCH)) {
        return 0;
    }

    if (start == 0) {
        return 1;
    }

    now = llm_owner_start(pid);

    return now == 0 || now == start;
}


/* 0: not known */

static int64_t
llm_owner_start(pid_t pid)
{
    int       fd, i;
    char     *p, name[32], text[1024];
    int64_t   ticks;
    ssize_t   n;

    (void) snprintf(name, sizeof(name), "/proc/%d/stat", (int) pid);

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);

    (void) close(fd);

    if (n <= 0) {
        return 0;
    }

    text[n] = '\0';

    /* the name may have any character in it, but nothing after it has one */

    p = strrchr(text, ')');

    for (i = 0; p != NULL && i < LLM_OWNER_START; i++) {
        p = strchr(p + 1, ' ');
    }

    if (p == NULL) {
        return 0;
    }

    ticks = strtoll(p, NULL, 10) & LLM_OWNER_MASK;

    return ticks != 0 ? ticks : 1;
}
