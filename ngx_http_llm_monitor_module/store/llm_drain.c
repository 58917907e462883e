
/*
 * Copyright (C) llm_monitor contributors
 *
 * The lock, the two threads and their end.  A nice thread does the daily work,
 * so that streams on the same core do not feel a commit; one of normal
 * priority takes over when the ring is more than half full, for a thread
 * cannot raise its priority back.  Only the holder of `work` touches the
 * writer.
 */


#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "llm_drain.h"
#include "llm_turn.h"


#define LLM_DRAIN_LOCK      "writer.lock"
#define LLM_DRAIN_NICE      10
#define LLM_DRAIN_STACK     (512 * 1024)

/* the same trouble is not said more often */
#define LLM_DRAIN_SAY_MS    3600000

/* how much longer than its budget a writer in a system call is waited for */
#define LLM_DRAIN_GRACE_MS  500

/* what its threads alone let through, see llm_drain_halt() */
#define LLM_DRAIN_HALT      (SIGRTMAX - 1)  /* the last one is valgrind's */
#define LLM_DRAIN_HALT_MS   500            /* until they stand still */


struct llm_drain_s {
    llm_turn_t        turn;          /* guarded by work */
    int               lock_fd;
    char              lock_path[4096];

    pthread_mutex_t   work;
    pthread_mutex_t   lock;          /* guards what follows */
    pthread_cond_t    wake;
    int               woken;
    int               stop;
    int               urgent;
    int               left;
    int64_t           deadline;      /* of the last drain, ms; 0: none */
    int64_t           flush_ms;

    pthread_t         nice;
    pthread_t         normal;
    pid_t             nice_tid;      /* 0: not begun */
    pid_t             normal_tid;
};


static int llm_drain_lock(llm_drain_t *d, const llm_drain_conf_t *conf);
static void llm_drain_trouble(const llm_drain_conf_t *conf, int code,
    const char *failed);
static int llm_drain_held(llm_drain_t *d);
static int llm_drain_threads(llm_drain_t *d);
static void *llm_drain_nice(void *data);
static void *llm_drain_normal(void *data);
static int llm_drain_wait(llm_drain_t *d, int nice);
static int llm_drain_lost(llm_drain_t *d);
static void llm_drain_end(llm_drain_t *d);
static int llm_drain_stopping(void *data);
static void llm_drain_ask(llm_drain_t *d, int64_t budget_ms);
static void llm_drain_still(int signo);
static int llm_drain_signal(pid_t *tid);
static void llm_drain_after(struct timespec *ts, int64_t ms);
static void llm_drain_free(llm_drain_t *d);


/* a handler of signals is given nothing in which it could count */
static int  llm_drain_standing;


int
llm_drain_start(llm_drain_t **drain, const llm_drain_conf_t *conf)
{
    int           rc;
    llm_drain_t  *d;

    *drain = NULL;

    d = calloc(1, sizeof(llm_drain_t));

    if (d == NULL) {
        return LLM_NOMEM;
    }

    d->lock_fd = -1;
    d->flush_ms = conf->flush_ms > 0 ? conf->flush_ms : 1;

    rc = llm_drain_lock(d, conf);

    if (rc != LLM_ERROR && conf->trouble->code != 0) {
        llm_drain_trouble(conf, 0, NULL);
    }

    if (rc != LLM_OK) {
        free(d);
        return rc;
    }

    if (llm_turn_init(&d->turn, conf, llm_drain_stopping, d) != LLM_OK
        || llm_drain_threads(d) != LLM_OK)
    {
        llm_drain_free(d);
        return LLM_ERROR;
    }

    *drain = d;

    return LLM_OK;
}


static int
llm_drain_lock(llm_drain_t *d, const llm_drain_conf_t *conf)
{
    int  rc;

    if ((size_t) snprintf(d->lock_path, sizeof(d->lock_path),
                          "%s/" LLM_DRAIN_LOCK, conf->dir)
        >= sizeof(d->lock_path))
    {
        return LLM_ERROR;
    }

    d->lock_fd = open(d->lock_path, O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (d->lock_fd == -1) {
        llm_drain_trouble(conf, errno, "open()");
        return LLM_ERROR;
    }

    if (flock(d->lock_fd, LOCK_EX|LOCK_NB) == 0) {

        if (llm_drain_held(d)) {
            return LLM_OK;
        }

        rc = LLM_AGAIN;

    } else if (errno == EWOULDBLOCK) {
        rc = LLM_AGAIN;

    } else {
        llm_drain_trouble(conf, errno, "flock()");
        rc = LLM_ERROR;
    }

    (void) close(d->lock_fd);
    d->lock_fd = -1;

    return rc;
}


/* Once for each change, and each hour while it lasts. */

static void
llm_drain_trouble(const llm_drain_conf_t *conf, int code, const char *failed)
{
    char                  text[512];
    int64_t               now;
    llm_drain_trouble_t  *trouble;

    trouble = conf->trouble;
    now = llm_control_now();

    if (code == trouble->code && now - trouble->said_ms < LLM_DRAIN_SAY_MS) {
        return;
    }

    trouble->code = code;
    trouble->said_ms = now;

    if (code == 0) {
        (void) snprintf(text, sizeof(text), "\"%.200s/" LLM_DRAIN_LOCK "\" can "
                        "be used again", conf->dir);

    } else {
        (void) snprintf(text, sizeof(text),
                        "%s \"%.200s/" LLM_DRAIN_LOCK "\" failed: %s, nothing "
                        "is written by this process", failed, conf->dir,
                        strerror(code));
    }

    conf->log(conf->log_data, code == 0 ? 2 : 1, text);
}


/* A lock of a file that others do not find locks nobody out. */

static int
llm_drain_held(llm_drain_t *d)
{
    struct stat  mine, seen;

    if (lstat(d->lock_path, &seen) == -1) {

        /* other errors, as of a directory without rights, heal */

        return errno != ENOENT && errno != ENOTDIR;
    }

    return fstat(d->lock_fd, &mine) == 0
           && mine.st_dev == seen.st_dev && mine.st_ino == seen.st_ino;
}


static int
llm_drain_threads(llm_drain_t *d)
{
    int                  rc;
    sigset_t             all, old;
    pthread_attr_t       attr;
    pthread_condattr_t   cond;

    (void) pthread_mutex_init(&d->work, NULL);
    (void) pthread_mutex_init(&d->lock, NULL);
    (void) pthread_condattr_init(&cond);
    (void) pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&d->wake, &cond);
    (void) pthread_condattr_destroy(&cond);

    (void) pthread_attr_init(&attr);
    (void) pthread_attr_setstacksize(&attr, LLM_DRAIN_STACK);

    /* signals are the event loop's business */

    (void) sigfillset(&all);
    (void) sigdelset(&all, LLM_DRAIN_HALT);
    (void) pthread_sigmask(SIG_BLOCK, &all, &old);

    rc = pthread_create(&d->nice, &attr, llm_drain_nice, d);

    if (rc == 0) {
        rc = pthread_create(&d->normal, &attr, llm_drain_normal, d);

        if (rc != 0) {
            llm_drain_ask(d, 0);
            (void) pthread_join(d->nice, NULL);
        }
    }

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void) pthread_attr_destroy(&attr);

    return rc == 0 ? LLM_OK : LLM_ERROR;
}


static void *
llm_drain_nice(void *data)
{
    pid_t        tid;
    llm_drain_t *d = data;

    tid = (pid_t) syscall(SYS_gettid);
    __atomic_store_n(&d->nice_tid, tid, __ATOMIC_RELEASE);

    (void) setpriority(PRIO_PROCESS, (id_t) tid, LLM_DRAIN_NICE);

    while (llm_drain_wait(d, 1)) {
        if (llm_drain_lost(d)) {
            break;
        }

        (void) pthread_mutex_lock(&d->work);
        llm_turn(&d->turn);
        (void) pthread_mutex_unlock(&d->work);
    }

    return NULL;
}


static void *
llm_drain_normal(void *data)
{
    uint64_t     used, room;
    llm_drain_t *d = data;

    __atomic_store_n(&d->normal_tid, (pid_t) syscall(SYS_gettid),
                     __ATOMIC_RELEASE);

    while (llm_drain_wait(d, 0)) {
        llm_ring_usage(d->turn.ring, &used, &room);

        if (used <= room / 2) {
            continue;
        }

        if (llm_drain_lost(d)) {
            break;
        }

        __atomic_store_n(&d->urgent, 1, __ATOMIC_RELEASE);
        (void) pthread_mutex_lock(&d->work);
        __atomic_store_n(&d->urgent, 0, __ATOMIC_RELEASE);

        llm_turn_urgent(&d->turn);
        (void) pthread_mutex_unlock(&d->work);
    }

    (void) pthread_join(d->nice, NULL);

    llm_drain_end(d);

    return NULL;
}


/* Until the timer or a wake; 0: it is over. */

static int
llm_drain_wait(llm_drain_t *d, int nice)
{
    int              go;
    struct timespec  until;

    llm_drain_after(&until, d->flush_ms);

    (void) pthread_mutex_lock(&d->lock);

    while (!d->stop && !(nice && d->woken)) {
        if (pthread_cond_timedwait(&d->wake, &d->lock, &until) == ETIMEDOUT) {
            break;
        }
    }

    if (nice) {
        d->woken = 0;
    }

    go = !d->stop;

    (void) pthread_mutex_unlock(&d->lock);

    return go;
}


/*
 * The lock file was deleted or replaced, so another process may hold a lock
 * under its name.  One writes; this one goes, and may come back.
 */

static int
llm_drain_lost(llm_drain_t *d)
{
    int        lost;
    llm_db_t  *db;

    if (llm_drain_held(d)) {
        return 0;
    }

    (void) pthread_mutex_lock(&d->lock);

    lost = !d->stop;
    d->stop = 1;
    d->deadline = 0;

    (void) pthread_cond_broadcast(&d->wake);
    (void) pthread_mutex_unlock(&d->lock);

    if (lost) {
        db = &d->turn.writer.db;
        db->log(db->log_data, 2, LLM_DRAIN_LOCK " was deleted or replaced, "
                "the writer gives it up");
    }

    return 1;
}


static void
llm_drain_end(llm_drain_t *d)
{
    int64_t  deadline;

    (void) pthread_mutex_lock(&d->lock);
    deadline = d->deadline;
    (void) pthread_mutex_unlock(&d->lock);

    (void) pthread_mutex_lock(&d->work);
    llm_turn_end(&d->turn, deadline);
    (void) pthread_mutex_unlock(&d->work);

    (void) close(d->lock_fd);
    d->lock_fd = -1;

    (void) pthread_mutex_lock(&d->lock);
    __atomic_store_n(&d->left, 1, __ATOMIC_RELEASE);
    (void) pthread_cond_broadcast(&d->wake);
    (void) pthread_mutex_unlock(&d->lock);
}


/* Asked between batches: whether to let go of the work. */

static int
llm_drain_stopping(void *data)
{
    int          stop;
    llm_drain_t *d = data;

    if (__atomic_load_n(&d->urgent, __ATOMIC_ACQUIRE) || llm_drain_lost(d)) {
        return 1;
    }

    (void) pthread_mutex_lock(&d->lock);
    stop = d->stop;
    (void) pthread_mutex_unlock(&d->lock);

    return stop;
}


void
llm_drain_wake(llm_drain_t *drain)
{
    (void) pthread_mutex_lock(&drain->lock);
    drain->woken = 1;
    (void) pthread_cond_broadcast(&drain->wake);
    (void) pthread_mutex_unlock(&drain->lock);
}


void
llm_drain_leave(llm_drain_t *drain)
{
    llm_drain_ask(drain, 0);
}


int
llm_drain_left(llm_drain_t *drain)
{
    return __atomic_load_n(&drain->left, __ATOMIC_ACQUIRE);
}


static void
llm_drain_ask(llm_drain_t *d, int64_t budget_ms)
{
    (void) pthread_mutex_lock(&d->lock);

    /* not another batch without the lock */

    if (!d->stop || d->deadline != 0) {
        d->stop = 1;
        d->deadline = llm_control_now() + budget_ms;
    }

    (void) pthread_cond_broadcast(&d->wake);
    (void) pthread_mutex_unlock(&d->lock);
}


int
llm_drain_stop(llm_drain_t *drain, int64_t budget_ms)
{
    int              left;
    struct timespec  until;

    if (!llm_drain_left(drain)) {
        llm_drain_ask(drain, budget_ms);
    }

    llm_drain_after(&until, budget_ms + LLM_DRAIN_GRACE_MS);

    (void) pthread_mutex_lock(&drain->lock);

    while (!drain->left) {
        if (pthread_cond_timedwait(&drain->wake, &drain->lock, &until)
            == ETIMEDOUT)
        {
            break;
        }
    }

    left = drain->left;

    (void) pthread_mutex_unlock(&drain->lock);

    if (!left) {

        /*
         * It hangs in a system call; the process ends, the kernel frees the
         * lock, and what was not committed is still in the ring.
         */

        drain->turn.writer.db.log(drain->turn.writer.db.log_data, 1,
                                  "the writer hangs, its lock is not given "
                                  "back before the process ends");
        return LLM_AGAIN;
    }

    (void) pthread_join(drain->normal, NULL);

    llm_drain_free(drain);

    return LLM_OK;
}


void
llm_drain_halt(llm_drain_t *drain)
{
    int               n;
    int64_t           end;
    struct timespec   ms = { 0, 1000000 };
    struct sigaction  sa;

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = llm_drain_still;
    (void) sigfillset(&sa.sa_mask);

    if (sigaction(LLM_DRAIN_HALT, &sa, NULL) != 0) {
        return;
    }

    n = llm_drain_signal(&drain->nice_tid);
    n += llm_drain_signal(&drain->normal_tid);

    /* what runs takes it in a moment; what does not, before it runs again */

    end = llm_control_now() + LLM_DRAIN_HALT_MS;

    while (__atomic_load_n(&llm_drain_standing, __ATOMIC_ACQUIRE) < n
           && llm_control_now() < end)
    {
        (void) nanosleep(&ms, NULL);
    }
}


/* Comes before a system call returns to what asked for it. */

static void
llm_drain_still(int signo)
{
    (void) __atomic_add_fetch(&llm_drain_standing, 1, __ATOMIC_RELEASE);

    for ( ;; ) {
        (void) pause();
    }
}


/* By its kernel's id, for the nice one may be joined at any time; 1 or 0. */

static int
llm_drain_signal(pid_t *tid)
{
    pid_t  id;

    id = __atomic_load_n(tid, __ATOMIC_ACQUIRE);

    return id != 0
           && syscall(SYS_tgkill, getpid(), id, LLM_DRAIN_HALT) == 0;
}


static void
llm_drain_after(struct timespec *ts, int64_t ms)
{
    (void) clock_gettime(CLOCK_MONOTONIC, ts);

    ts->tv_sec += ms / 1000;
    ts->tv_nsec += ms % 1000 * 1000000;

    if (ts->tv_nsec >= 1000000000) {
        ts->tv_sec++;
        ts->tv_nsec -= 1000000000;
    }
}


static void
llm_drain_free(llm_drain_t *d)
{
    llm_turn_done(&d->turn);

    if (d->lock_fd != -1) {
        (void) close(d->lock_fd);
    }

    (void) pthread_cond_destroy(&d->wake);
    (void) pthread_mutex_destroy(&d->lock);
    (void) pthread_mutex_destroy(&d->work);

    free(d);
}
