
/*
 * Copyright (C) llm_monitor contributors
 *
 * Preloaded into nginx with a module that was linked with --wrap: its
 * allocations fail when they are told to, and what happens while it holds the
 * lock of the shared memory is seen.  $LLM_WRAP names a file of the size of
 * wrap_t, through which the test says what to do and hears what was.
 */


#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


/* what strace shows of the lock */

#define LOCKED    1111111
#define UNLOCKED  2222222


typedef struct {
    uint64_t   fail;         /* the allocation that fails, from 1; 0: none */
    uint64_t   rest;         /* 1: and all after it */
    uint64_t   threads;      /* 0: the event loop's; 1: SQLite's elsewhere */
    uint64_t   calls;
    uint64_t   failed;

    uint64_t   marks;        /* 1: say to strace when the lock is held */
    uint64_t   control;      /* 1: do what must not be done under it */
    uint64_t   holds;
    uint64_t   longest;      /* ns */
    uint64_t   allocations;  /* under the lock */
} wrap_t;


static wrap_t  *wrap;

static __thread int       held __attribute__((tls_model("initial-exec")));
static __thread uint64_t  since __attribute__((tls_model("initial-exec")));

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);


__attribute__((constructor)) static void
wrap_init(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("LLM_WRAP");
    fd = name != NULL ? open(name, O_RDWR|O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(wrap_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p != MAP_FAILED) {
        wrap = p;
    }

    close(fd);
}


/* The lock. */

static uint64_t
wrap_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


void
__wrap_ngx_shmtx_lock(void *m)
{
    void *volatile  p;
    static void   (*real)(void *);

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_DEFAULT, "ngx_shmtx_lock");
    }

    real(m);

    if (wrap == NULL) {
        return;
    }

    if (wrap->marks) {
        syscall(SYS_getpgid, LOCKED);
    }

    held = 1;
    since = wrap_now();

    if (wrap->control) {
        p = malloc(100);
        free((void *) p);
        syscall(SYS_getuid);
    }
}


void
__wrap_ngx_shmtx_unlock(void *m)
{
    uint64_t      took;
    static void  (*real)(void *);

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_DEFAULT, "ngx_shmtx_unlock");
    }

    if (wrap != NULL) {
        took = wrap_now() - since;
        held = 0;
        wrap->holds++;

        if (took > wrap->longest) {
            wrap->longest = took;
        }

        if (wrap->marks) {
            syscall(SYS_getpgid, UNLOCKED);
        }
    }

    real(m);
}


static void
wrap_seen(void)
{
    if (held) {
        wrap->allocations++;
    }
}


/* One that asks for memory; of threads it is SQLite alone that fails. */

static int
wrap_fails(int mine)
{
    uint64_t  n;

    if (wrap == NULL || wrap->fail == 0 || wrap->threads == (uint64_t) mine
        || wrap->threads != (syscall(SYS_gettid) != getpid()))
    {
        return 0;
    }

    n = __atomic_add_fetch(&wrap->calls, 1, __ATOMIC_RELAXED);

    if (n != wrap->fail && !(wrap->rest && n > wrap->fail)) {
        return 0;
    }

    (void) __atomic_add_fetch(&wrap->failed, 1, __ATOMIC_RELAXED);

    return 1;
}


static int
wrap_find(struct dl_phdr_info *info, size_t size, void *data)
{
    int         i;
    uintptr_t  *range = data;

    if (strstr(info->dlpi_name, "libsqlite3") == NULL) {
        return 0;
    }

    for (i = 0; i < info->dlpi_phnum; i++) {

        if (info->dlpi_phdr[i].p_type == PT_LOAD
            && info->dlpi_phdr[i].p_flags & PF_X)
        {
            range[0] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            range[1] = range[0] + info->dlpi_phdr[i].p_memsz;
        }
    }

    return 1;
}


static int
wrap_sqlite(void *caller)
{
    static uintptr_t  range[2];

    if (wrap == NULL || wrap->fail == 0 || wrap->threads == 0) {
        return 0;
    }

    if (range[1] == 0) {
        (void) dl_iterate_phdr(wrap_find, range);
    }

    return (uintptr_t) caller >= range[0] && (uintptr_t) caller < range[1]
           && wrap_fails(0);
}


void *
malloc(size_t n)
{
    wrap_seen();

    return wrap_sqlite(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}


void *
calloc(size_t n, size_t size)
{
    wrap_seen();

    return __libc_calloc(n, size);
}


void *
realloc(void *p, size_t n)
{
    wrap_seen();

    return wrap_sqlite(__builtin_return_address(0)) ? NULL
                                                    : __libc_realloc(p, n);
}


void
free(void *p)
{
    wrap_seen();

    __libc_free(p);
}


/* What the module asks for. */

#define WRAP(name, args, call)                                               \
                                                                             \
    void *                                                                   \
    __wrap_##name args                                                       \
    {                                                                        \
        static void  *(*real) args;                                          \
                                                                             \
        if (real == NULL) {                                                  \
            *(void **) &real = dlsym(RTLD_DEFAULT, #name);                   \
        }                                                                    \
                                                                             \
        return wrap_fails(1) ? NULL : real call;                              \
    }


WRAP(malloc, (size_t n), (n))
WRAP(calloc, (size_t n, size_t size), (n, size))
WRAP(realloc, (void *p, size_t n), (p, n))
WRAP(strdup, (const char *s), (s))
WRAP(ngx_alloc, (size_t n, void *log), (n, log))
WRAP(ngx_calloc, (size_t n, void *log), (n, log))
WRAP(ngx_palloc, (void *pool, size_t n), (pool, n))
WRAP(ngx_pnalloc, (void *pool, size_t n), (pool, n))
WRAP(ngx_pcalloc, (void *pool, size_t n), (pool, n))
WRAP(ngx_create_pool, (size_t n, void *log), (n, log))
WRAP(ngx_pool_cleanup_add, (void *pool, size_t n), (pool, n))
WRAP(ngx_array_create, (void *pool, uintptr_t n, size_t size),
     (pool, n, size))
WRAP(ngx_array_push, (void *a), (a))
WRAP(ngx_list_push, (void *l), (l))
WRAP(ngx_thread_task_alloc, (void *pool, size_t n), (pool, n))
