
/*
 * Copyright (C) llm_monitor contributors
 *
 * Workers that count at the same time, and a scrape that adds up meanwhile:
 * as threads for the thread sanitizer (build/tsan/test_metrics_workers), and
 * as processes that are killed at random, also while they hold the lock.
 */


#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_metrics_count.h"


#define WORKERS   3
#define ROUNDS    4000
#define KILLS     60
#define MODELS    40
#define STATUSES  3


typedef struct {
    pthread_mutex_t  lock;                 /* robust, as the zone's mutex is */
    uint64_t         begun[WORKERS][MODELS][STATUSES];
    uint64_t         done[WORKERS][MODELS][STATUSES];
    uint64_t         all[WORKERS];         /* done */
} shared_t;


static llm_metrics_t  *metrics;
static shared_t       *shared;

static const int64_t   statuses[STATUSES] = { 200, 429, 500 };


static void
lock(void *data)
{
    if (pthread_mutex_lock(&shared->lock) == EOWNERDEAD) {
        (void) pthread_mutex_consistent(&shared->lock);
    }
}


static void
unlock(void *data)
{
    (void) pthread_mutex_unlock(&shared->lock);
}


static void
add(uint64_t *word)
{
    __atomic_store_n(word, *word + 1, __ATOMIC_SEQ_CST);
}


static void
work(int who, unsigned seed, int rounds)
{
    int                   m, s;
    char                  model[16];
    llm_record_t          r;
    llm_metrics_own_t    *own;
    llm_metrics_facts_t   facts;
    llm_metrics_places_t  places;

    own = calloc(1, sizeof(llm_metrics_own_t));
    own->lock = lock;
    own->unlock = unlock;
    llm_metrics_join(own, metrics, who);

    while (rounds--) {
        m = rand_r(&seed) % MODELS;
        s = rand_r(&seed) % STATUSES;

        llm_record_init(&r);
        memset(&facts, 0, sizeof(facts));

        r.num[LLM_N_STATUS] = statuses[s];
        r.num[LLM_N_OUTCOME] = s ? LLM_OUTCOME_HTTP_ERROR
                                 : LLM_OUTCOME_SUCCESS;
        r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OPENAI;
        r.num[LLM_N_OPERATION] = LLM_OPERATION_CHAT;
        r.num[LLM_N_DURATION_US] = 15000;
        r.num[LLM_N_INPUT_TOKENS] = 10;
        r.str[LLM_S_MODEL].data = (uint8_t *) model;
        r.str[LLM_S_MODEL].len = sprintf(model, "m%d", m);
        r.str[LLM_S_METHOD] = (llm_str_t) llm_str("POST");
        r.str[LLM_S_ENDPOINT] = (llm_str_t) llm_str("/v1/chat/completions");

        facts.upstream = (llm_str_t) llm_str("one");
        facts.upstream_us = 14000;
        facts.second = 600;

        add(&shared->begun[who][m][s]);
        llm_metrics_count(own, &r, &facts, &places);
        add(&shared->done[who][m][s]);
        add(&shared->all[who]);
    }

    free(own);
}


static uint64_t
of_all_workers(void *first, size_t step)
{
    int       i;
    uint64_t  sum;

    for (i = 0, sum = 0; i < WORKERS; i++) {
        sum += __atomic_load_n((uint64_t *) ((uint8_t *) first + i * step),
                               __ATOMIC_SEQ_CST);
    }

    return sum;
}


/* as a scrape sees it */

static uint64_t
requests(void)
{
    uint32_t  i, n;
    uint64_t  sum;

    n = __atomic_load_n(&metrics->nseries[LLM_SET_REQUESTS], __ATOMIC_ACQUIRE);

    for (i = 0, sum = 0; i < n; i++) {
        sum += llm_metrics_sum(metrics, LLM_SET_REQUESTS, i, 0);
    }

    return sum;
}


/* What is seen never falls, nor behind what was done before it was read. */

static int
look(uint64_t *last)
{
    int       good;
    uint64_t  done, now;

    done = of_all_workers(&shared->all[0], sizeof(uint64_t));
    now = requests();

    good = now >= *last && now >= done;
    *last = now;

    return good;
}


/* Each series has what its workers counted; none is there twice. */

static void
compare(const char *what, int missing)
{
    int                  m, s, good;
    char                 model[16];
    uint32_t             i, k;
    uint64_t             n, begun, done, between;
    llm_metrics_ids_t    ids;
    llm_metrics_label_t  *label;

    static uint64_t      sum[MODELS][STATUSES];

    memset(sum, 0, sizeof(sum));
    good = 1;
    between = 0;

    for (i = 0; i < metrics->nseries[LLM_SET_REQUESTS]; i++) {

        n = llm_metrics_sum(metrics, LLM_SET_REQUESTS, i, 0);

        if (n == 0) {
            continue;
        }

        llm_metrics_ids(metrics, LLM_SET_REQUESTS, i, &ids);
        label = &metrics->label[ids.model];

        for (m = 0; m < MODELS; m++) {
            k = sprintf(model, "m%d", m);

            if (label->len == k && memcmp(label->text, model, k) == 0) {
                break;
            }
        }

        for (s = 0; s < STATUSES; s++) {
            if (metrics->status[ids.status] == statuses[s]) {
                break;
            }
        }

        if (m == MODELS || s == STATUSES || sum[m][s] != 0) {
            good = 0;
            break;
        }

        sum[m][s] = n;
    }

    for (m = 0; m < MODELS; m++) {
        for (s = 0; s < STATUSES; s++) {
            begun = of_all_workers(&shared->begun[0][m][s],
                                   sizeof(shared->begun[0]));
            done = of_all_workers(&shared->done[0][m][s],
                                  sizeof(shared->done[0]));

            good &= sum[m][s] >= done && sum[m][s] <= begun;
            between += begun - done;
        }
    }

    ok(good, "%s: every series once, with what was counted", what);
    ok(between <= (uint64_t) missing, "%llu counts that a death cut short",
       (unsigned long long) between);
}


static void
start(void)
{
    pthread_mutexattr_t  attr;

    memset(metrics, 0, sizeof(llm_metrics_t));
    memset(shared, 0, sizeof(shared_t));
    llm_metrics_init(metrics, 1, 1);

    (void) pthread_mutexattr_init(&attr);
    (void) pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    (void) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    (void) pthread_mutex_init(&shared->lock, &attr);
}


#if (__SANITIZE_THREAD__)

static void *
thread(void *arg)
{
    work(*(int *) arg, 1 + *(int *) arg, ROUNDS);

    return NULL;
}


static void
test(void)
{
    int        i, good, who[WORKERS];
    uint64_t   last;
    pthread_t  threads[WORKERS];

    for (i = 0; i < WORKERS; i++) {
        who[i] = i;
        (void) pthread_create(&threads[i], NULL, thread, &who[i]);
    }

    good = 1;
    last = 0;

    while (of_all_workers(&shared->all[0], sizeof(uint64_t))
           < WORKERS * ROUNDS)
    {
        good &= look(&last);
    }

    for (i = 0; i < WORKERS; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    ok(good && requests() == WORKERS * ROUNDS, "no scrape misses what is done");
    compare("threads", 0);
}

#else

static pid_t
spawn(int who, unsigned seed)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        work(who, seed, 1000000000);
        _exit(0);
    }

    return pid;
}


static void
test(void)
{
    int       i, k, good;
    pid_t     pids[WORKERS];
    uint64_t  last, all;

    srand(1);

    for (i = 0; i < WORKERS; i++) {
        pids[i] = spawn(i, i + 1);
    }

    good = 1;
    last = 0;

    for (k = 0; k < KILLS; k++) {

        /* some counts later, and the first ones while all is new */

        all = of_all_workers(&shared->all[0], sizeof(uint64_t));

        while (of_all_workers(&shared->all[0], sizeof(uint64_t))
               < all + rand() % 300)
        {
            good &= look(&last);
        }

        i = rand() % WORKERS;
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
        pids[i] = spawn(i, 100 + k);
    }

    for (i = 0; i < WORKERS; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }

    ok(good && look(&last), "no scrape misses what is done, nor falls");
    compare("processes", KILLS + WORKERS);
}

#endif


int
main(void)
{
    metrics = mmap(NULL, sizeof(llm_metrics_t), PROT_READ|PROT_WRITE,
                   MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    start();
    test();

    return done_testing();
}
