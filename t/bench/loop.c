
/*
 * Copyright (C) llm_monitor contributors
 *
 * Preloaded into nginx with a module that was compiled with
 * -finstrument-functions: how much CPU each call of the module takes in the
 * event loop, by the function that nginx called.  What nginx does in it, as
 * the next filters, is included, but for what the filter of bodies passes on:
 * the write to a socket, which nginx would have made without the module.
 *
 * $LLM_LOOP names a file of the size of loop_t, where the workers count.  One
 * who wants to know whether a slow call would be found names a function that
 * shall burn; and beside the calls there are loops of the same CPU that do
 * nothing: what these take too long is the machine's.
 */


#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define FUNCTIONS  255
#define BUCKETS    8

/* ns of a loop that does nothing, and calls between two of them */
#define IDLING     20000
#define EACH       8


typedef struct {
    uint64_t  at;            /* offset within the module; 0: nobody's */
    uint64_t  calls;
    uint64_t  ns;
    uint64_t  longest;
    uint64_t  inner;         /* what the longest one called, and most of it */
    uint64_t  inner_ns;      /* was in; the rest is its own, and nginx's */
    uint64_t  upto[BUCKETS]; /* 10, 20, 50, 100, 200, 500, 1000 us, more */
} loop_function_t;


typedef struct {
    uint64_t         burn;   /* offset of a function that shall take longer */
    uint64_t         for_ns;
    uint64_t         lost;   /* calls of functions for which there is no room */
    uint64_t         counts; /* 0: not yet */
    uint64_t         passes; /* offset of the filter of bodies */
    loop_function_t  idling;
    loop_function_t  functions[FUNCTIONS];
} loop_t;


#define QUIET  __attribute__((no_instrument_function))
#define LOCAL  static __thread __attribute__((tls_model("initial-exec")))


static loop_t  *loop;
static pid_t    master;

LOCAL int       who;         /* 0: unknown, 1: the event loop, 2: a thread */
LOCAL int       depth;
LOCAL uint64_t  since;
LOCAL uint64_t  sent;        /* ns of writes to sockets since then */
LOCAL void     *outer;
LOCAL uint64_t  inner_since;
LOCAL uint64_t  inner_ns;
LOCAL void     *inner;


QUIET void __cyg_profile_func_enter(void *function, void *site);
QUIET void __cyg_profile_func_exit(void *function, void *site);


__attribute__((constructor)) QUIET static void
loop_init(void)
{
    int          fd;
    const char  *path;

    path = getenv("LLM_LOOP");

    if (path == NULL) {
        return;
    }

    fd = open(path, O_RDWR|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    loop = mmap(NULL, sizeof(loop_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (loop == MAP_FAILED) {
        loop = NULL;
    }
}


/* The process that reads the configuration is not looked at. */

__attribute__((constructor)) QUIET static void
loop_of(void)
{
    master = getpid();
}


QUIET static uint64_t
loop_cpu(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


QUIET static uint64_t
loop_burn(uint64_t ns)
{
    uint64_t  begun, now;

    begun = loop_cpu();

    do {
        now = loop_cpu();
    } while (now - begun < ns);

    return now - begun;
}


QUIET static uint64_t
loop_offset(void *function)
{
    Dl_info  info;

    if (dladdr(function, &info) == 0) {
        return 0;
    }

    return (uint64_t) ((char *) function - (char *) info.dli_fbase);
}


QUIET static void
loop_count(loop_function_t *f, uint64_t ns)
{
    int  i;

    static const uint64_t  us[] = { 10, 20, 50, 100, 200, 500, 1000 };

    for (i = 0; i < BUCKETS - 1 && ns > us[i] * 1000; i++) { /* void */ }

    f->upto[i]++;
    f->calls++;
    f->ns += ns;

    if (ns > f->longest) {
        f->longest = ns;
    }
}


/* nginx's writes to sockets; the module's own, to files, are others */

QUIET ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    ssize_t   rc;
    uint64_t  begun;

    static ssize_t  (*real)(int, const struct iovec *, int);

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "writev");
    }

    if (who != 1 || depth == 0) {
        return real(fd, iov, n);
    }

    begun = loop_cpu();
    rc = real(fd, iov, n);
    sent += loop_cpu() - begun;

    return rc;
}


void
__cyg_profile_func_enter(void *function, void *site)
{
    if (who != 1) {

        if (who == 2 || loop == NULL) {
            return;
        }

        if (syscall(SYS_gettid) != getpid()) {
            who = 2;
            return;
        }

        if (getpid() == master) {
            return;
        }

        who = 1;
        depth = 0;
    }

    depth++;

    if (depth == 2) {
        inner_since = loop_cpu();
    }

    if (depth != 1) {
        return;
    }

    outer = function;
    inner = NULL;
    inner_ns = 0;
    sent = 0;
    since = loop_cpu();

    if (loop->burn != 0 && loop->burn == loop_offset(function)) {
        loop_burn(loop->for_ns);
    }
}


void
__cyg_profile_func_exit(void *function, void *site)
{
    uint64_t          ns, at;
    unsigned          i, n;
    loop_function_t  *f;

    if (who != 1 || depth == 0) {
        return;
    }

    depth--;

    if (depth == 1) {
        ns = loop_cpu() - inner_since;

        if (ns > inner_ns) {
            inner = function;
            inner_ns = ns;
        }
    }

    if (depth != 0) {
        return;
    }

    ns = loop_cpu() - since;

    if (!loop->counts) {
        return;
    }

    at = loop_offset(outer);

    if (at == loop->passes) {
        ns -= sent;
    }

    for (n = 0; n < FUNCTIONS; n++) {
        i = (at / 16 + n) % FUNCTIONS;
        f = &loop->functions[i];

        if (f->at == 0) {
            f->at = at;
        }

        if (f->at == at) {

            if (ns > f->longest) {
                f->inner = inner ? loop_offset(inner) : 0;
                f->inner_ns = inner_ns;
            }

            loop_count(f, ns);
            break;
        }
    }

    if (n == FUNCTIONS) {
        loop->lost++;
    }

    if (rand() % EACH == 0) {
        loop_count(&loop->idling, loop_burn(IDLING));
    }
}
