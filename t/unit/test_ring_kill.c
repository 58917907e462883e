
/*
 * Copyright (C) llm_monitor contributors
 *
 * Death at any instant.  First every single instruction of a reservation, a
 * commit and a release: a traced child is stepped through them, and after
 * each step a copy of the ring is what it would be for the others if the child
 * died there.  Then real processes that are killed at random: no committed
 * record is lost, none comes twice, and the law holds in every snapshot.
 */


#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_ring.h"


#define SIZE       (64 * 1024)
#define PRODUCERS  3
#define KILLS      400


typedef struct {
    pthread_mutex_t  lock;               /* robust, as the zone's mutex is */
    uint64_t         committed[PRODUCERS];
    uint64_t         begun[PRODUCERS];
} shared_t;


static uint8_t   *map;
static shared_t  *shared;


static void *
share(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        abort();
    }

    return p;
}


static int
no(int64_t owner)
{
    return 0;
}


static int
alive(int64_t owner)
{
    return kill(owner, 0) == 0;
}


static int
law(const llm_terms_t *t)
{
    int       i;
    uint64_t  right;

    right = t->written + t->ledger_only + t->cleared + t->in_ring
            + t->in_spool + t->in_hand;

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        right += t->dropped[i];
    }

    return t->finished + t->recovered == right;
}


/* What the child does under the eyes of its parent. */

static void
put(llm_ring_t *ring, size_t len, int with)
{
    llm_ring_slot_t  slot;

    if (llm_ring_reserve(ring, len, 4242, &slot) == LLM_OK) {
        memset(slot.data, with, len);
        llm_ring_commit(ring, &slot);
    }
}


static int
take(llm_ring_t *ring)
{
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    if (llm_ring_read(ring, llm_ring_tail(ring), &item, no) != LLM_OK) {
        return 0;
    }

    memset(&res, 0, sizeof(res));
    res.written = !item.torn;
    res.dropped[LLM_DROP_TORN] = item.torn;
    res.ring_taken = 1;
    llm_ring_release(ring, item.next, &res);

    return item.torn ? -1 : 1;
}


/*
 * The child died here: the others go on with a copy of what it left.  before
 * records are in the ring, one more if the child got far enough.
 */

static int
survivors(const uint8_t *left, uint8_t *copy, uint64_t before)
{
    int          i, n, rc, torn;
    llm_ring_t   ring;
    llm_terms_t  t;

    memcpy(copy, left, SIZE);

    if (llm_ring_attach(&ring, copy, SIZE) != LLM_OK) {
        return 0;
    }

    llm_ring_terms(&ring, &t);

    if (!law(&t) || (t.in_ring != before && t.in_ring != before + 1
                     && t.in_ring + 1 != before))
    {
        return 0;
    }

    n = t.in_ring;

    for (i = 0; i < 3; i++) {
        put(&ring, 100 + i, i);
    }

    torn = 0;

    for (i = 0; (rc = take(&ring)) != 0; i++) {
        torn += rc == -1;
    }

    llm_ring_terms(&ring, &t);

    return i == n + 3 && torn <= 1 && law(&t) && t.in_ring == 0;
}


static int
step_through(int what, uint64_t before, uint8_t *copy)
{
    int         n, good, status;
    pid_t       pid;
    llm_ring_t  ring;

    pid = fork();

    if (pid == 0) {
        if (llm_ring_attach(&ring, map, SIZE) != LLM_OK
            || ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
        {
            _exit(1);
        }

        raise(SIGSTOP);

        if (what == 0) {
            put(&ring, 200, 7);

        } else if (what == 1) {
            (void) take(&ring);

        } else {
            llm_ring_count_dropped(&ring, LLM_DROP_RING_FULL);
        }

        raise(SIGSTOP);
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    if (!WIFSTOPPED(status)) {
        return -1;
    }

    good = 1;

    for (n = 0; /* void */ ; n++) {

        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1) {
            break;
        }

        (void) waitpid(pid, &status, 0);

        if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP) {
            break;
        }

        good &= survivors(map, copy, before);
    }

    kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    return good ? n : 0;
}


static void
test_steps(void)
{
    int         i, n, start;
    uint8_t    *copy;
    llm_ring_t  ring;

    copy = aligned_alloc(4096, SIZE);

    for (start = 0; start < 2; start++) {

        (void) llm_ring_format(&ring, map, SIZE, 1);

        /* the second time a pad is needed */

        for (i = 0; i < (start ? 4 : 0); i++) {
            put(&ring, start ? 15250 : 0, 1);
            (void) take(&ring);
        }

        put(&ring, 50, 1);
        put(&ring, 50, 2);

        n = step_through(0, 2, copy);

        if (n == -1) {
            ok(1, "death at every instruction # SKIP no ptrace");
            break;
        }

        ok(n > 100, "death at each of %d instructions of a reservation and "
           "commit%s", n, start ? " with a pad" : "");

        n = step_through(1, 3, copy);
        ok(n > 100, "at each of %d of a release", n);

        n = step_through(2, 2, copy);
        ok(n > 50, "at each of %d of a count", n);
    }

    free(copy);
}


static void
lock(void)
{
    if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD) {
        (void) pthread_mutex_consistent(&shared->lock);
    }
}


static void
produce(int who)
{
    int              rc;
    size_t           len;
    uint64_t         n;
    llm_ring_t       ring;
    llm_ring_slot_t  slot;

    (void) llm_ring_attach(&ring, map, SIZE);
    srand(getpid());

    /* a number that may have been used by the one before is not used again */

    for (n = shared->begun[who] + 1; /* void */ ; n++) {

        len = 16 + rand() % 700;
        __atomic_store_n(&shared->begun[who], n, __ATOMIC_SEQ_CST);

        for ( ;; ) {
            lock();
            rc = llm_ring_reserve(&ring, len, getpid(), &slot);
            (void) pthread_mutex_unlock(&shared->lock);

            if (rc == LLM_OK) {
                break;
            }

            sched_yield();
        }

        memset(slot.data, (int) n, len);
        memcpy(slot.data, &n, 8);
        memcpy(slot.data + 8, &who, 4);
        llm_ring_commit(&ring, &slot);

        __atomic_store_n(&shared->committed[who], n, __ATOMIC_SEQ_CST);
    }
}


static pid_t
spawn(int who)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        produce(who);
        _exit(0);
    }

    return pid;
}


typedef struct {
    llm_ring_t   ring;
    uint64_t     last[PRODUCERS];
    uint64_t     seq;
    uint64_t     read;
    uint64_t     torn;
    uint64_t     holes;          /* numbers that were never seen */
    int          good;
} reader_t;


static void
drain(reader_t *rd, int batch)
{
    int                who;
    size_t             i;
    uint64_t           n, pos;
    llm_terms_t        t;
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    memset(&res, 0, sizeof(res));
    pos = llm_ring_tail(&rd->ring);

    while (batch--) {

        if (llm_ring_read(&rd->ring, pos, &item, alive) != LLM_OK) {
            break;
        }

        rd->good &= !item.damaged && item.seq == ++rd->seq;
        res.ring_taken++;
        pos = item.next;

        if (item.torn) {
            rd->torn++;
            res.dropped[LLM_DROP_TORN]++;
            continue;
        }

        memcpy(&n, item.data, 8);
        memcpy(&who, item.data + 8, 4);

        for (i = 12; i < item.len; i++) {
            rd->good &= item.data[i] == (uint8_t) n;
        }

        rd->good &= who >= 0 && who < PRODUCERS && n > rd->last[who];
        rd->holes += n - rd->last[who] - 1;
        rd->last[who] = n;
        rd->read++;
        res.written++;
    }

    llm_ring_set_in_hand(&rd->ring, res.ring_taken);

    lock();
    llm_ring_terms(&rd->ring, &t);
    (void) pthread_mutex_unlock(&shared->lock);
    rd->good &= law(&t) && t.in_hand == res.ring_taken;

    llm_ring_release(&rd->ring, pos, &res);

    lock();
    llm_ring_terms(&rd->ring, &t);
    (void) pthread_mutex_unlock(&shared->lock);
    rd->good &= law(&t) && t.in_hand == 0 && t.written == rd->read;
}


static void
test_kills(void)
{
    int                  i, k, late, caught;
    pid_t                pids[PRODUCERS];
    reader_t             rd;
    llm_terms_t          t;
    pthread_mutexattr_t  attr;

    shared = share(sizeof(shared_t));

    (void) pthread_mutexattr_init(&attr);
    (void) pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    (void) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    (void) pthread_mutex_init(&shared->lock, &attr);

    memset(&rd, 0, sizeof(rd));
    rd.good = 1;
    (void) llm_ring_format(&rd.ring, map, SIZE, 1);
    srand(1);

    for (i = 0; i < PRODUCERS; i++) {
        pids[i] = spawn(i);
    }

    late = 0;
    caught = 0;

    for (k = 0; k < KILLS && rd.good; k++) {

        for (i = rand() % 30; i >= 0; i--) {
            drain(&rd, 1 + rand() % 60);
        }

        i = rand() % PRODUCERS;
        kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);

        caught += shared->begun[i] != shared->committed[i];
        pids[i] = spawn(i);
    }

    for (i = 0; i < PRODUCERS; i++) {
        kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }

    drain(&rd, SIZE);

    for (i = 0; i < PRODUCERS; i++) {
        late += rd.last[i] < shared->committed[i];
    }

    llm_ring_terms(&rd.ring, &t);

    ok(rd.good, "order, contents and the law after every batch");
    ok(late == 0 && t.in_ring == 0, "nothing committed is left behind");

    /* only a number whose producer died before it committed may be missing */

    ok(rd.holes <= (uint64_t) caught && rd.torn <= (uint64_t) caught + 3,
       "%llu read, %llu torn, %llu missing, %d of %d deaths before a commit",
       (unsigned long long) rd.read, (unsigned long long) rd.torn,
       (unsigned long long) rd.holes, caught, k);
    ok(rd.torn + rd.read == t.finished, "finished is read or torn");
}


int
main(void)
{
    map = share(SIZE);

    test_steps();
    test_kills();

    return done_testing();
}
