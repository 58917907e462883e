
/*
 * Copyright (C) llm_monitor contributors
 *
 * Preloaded into nginx: threads that ask the database stay at the priority of
 * the event loop, as the control of what their being nice is worth.  The
 * writer's thread, which names itself by its number, is let be.
 */


#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>


int
setpriority(__priority_which_t which, id_t who, int value)
{
    if (who == 0) {
        return 0;
    }

    return (int) syscall(SYS_setpriority, which, who, value);
}
