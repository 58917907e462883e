
/*
 * Copyright (C) llm_monitor contributors
 *
 * Threads that publish, read and ask for the law at the same time.  Meant for
 * the thread sanitizer (build/tsan/test_ring_threads): accesses that only the
 * ring's own order keeps apart are what it looks at.
 */


#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_ring.h"


#define SIZE       (64 * 1024)
#define PRODUCERS  3
#define RECORDS    20000


static llm_ring_t       ring;
static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;
static int              lawful = 1;
static int              finished;


static int
yes(int64_t owner)
{
    return 1;
}


static void *
produce(void *arg)
{
    int              who, n, rc;
    size_t           len;
    unsigned         seed;
    llm_ring_slot_t  slot;

    who = *(int *) arg;
    seed = who;

    for (n = 1; n <= RECORDS; n++) {

        len = 8 + rand_r(&seed) % 600;

        for ( ;; ) {
            (void) pthread_mutex_lock(&lock);
            rc = llm_ring_reserve(&ring, len, 1, &slot);

            if (rc != LLM_OK && n % 7 == 0) {
                llm_ring_count_dropped(&ring, LLM_DROP_RING_FULL);
            }

            (void) pthread_mutex_unlock(&lock);

            if (rc == LLM_OK || n % 7 == 0) {
                break;
            }

            sched_yield();
        }

        if (rc != LLM_OK) {
            continue;
        }

        memset(slot.data, n, len);
        memcpy(slot.data, &who, 4);
        memcpy(slot.data + 4, &n, 4);
        llm_ring_commit(&ring, &slot);
    }

    return NULL;
}


static void *
watch(void *arg)
{
    int          i;
    uint64_t     right, used, room;
    llm_terms_t  t;

    while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {

        (void) pthread_mutex_lock(&lock);
        llm_ring_terms(&ring, &t);
        (void) pthread_mutex_unlock(&lock);

        right = t.written + t.in_ring + t.in_spool + t.in_hand;

        for (i = 0; i < LLM_DROP_COUNT; i++) {
            right += t.dropped[i];
        }

        lawful &= t.finished == right && t.in_ring <= t.finished;

        llm_ring_usage(&ring, &used, &room);
        lawful &= used <= room;

        sched_yield();
    }

    return NULL;
}


static int
consume(void)
{
    int                good, who, n, batch, last[PRODUCERS];
    size_t             i;
    uint64_t           pos, total;
    llm_terms_t        t;
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    good = 1;
    total = 0;
    memset(last, 0, sizeof(last));

    do {
        memset(&res, 0, sizeof(res));
        pos = llm_ring_tail(&ring);

        for (batch = 0; batch < 50; batch++) {

            if (llm_ring_read(&ring, pos, &item, yes) != LLM_OK) {
                break;
            }

            memcpy(&who, item.data, 4);
            memcpy(&n, item.data + 4, 4);

            for (i = 8; i < item.len; i++) {
                good &= item.data[i] == (uint8_t) n;
            }

            good &= !item.torn && n > last[who] && n <= RECORDS;
            last[who] = n;
            pos = item.next;
            res.written++;
            res.ring_taken++;
        }

        llm_ring_set_in_hand(&ring, res.ring_taken);
        llm_ring_release(&ring, pos, &res);
        total += res.written;

        (void) pthread_mutex_lock(&lock);
        llm_ring_terms(&ring, &t);
        (void) pthread_mutex_unlock(&lock);

        if (res.written == 0) {
            sched_yield();
        }

    } while (t.finished < PRODUCERS * RECORDS || t.in_ring > 0);

    return good && total + t.dropped[LLM_DROP_RING_FULL] == t.finished;
}


int
main(void)
{
    int        i, good, who[PRODUCERS];
    void      *map;
    pthread_t  threads[PRODUCERS], watcher;

    map = aligned_alloc(4096, SIZE);
    (void) llm_ring_format(&ring, map, SIZE, 1);

    for (i = 0; i < PRODUCERS; i++) {
        who[i] = i;
        (void) pthread_create(&threads[i], NULL, produce, &who[i]);
    }

    (void) pthread_create(&watcher, NULL, watch, NULL);

    good = consume();

    for (i = 0; i < PRODUCERS; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    (void) pthread_join(watcher, NULL);

    ok(good, "all records, whole and in each thread's order");
    ok(lawful, "the law in every snapshot");

    free(map);

    return done_testing();
}
