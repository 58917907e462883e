
/*
 * Copyright (C) llm_monitor contributors
 *
 * Every order in which two workers, a writer and somebody who asks for the law
 * can go through the ring, and every instant at which they can die: not a
 * model of the ring but its code, whose atomic accesses are the places where
 * another one may go on.
 *
 * Each of them is a coroutine.  A state is the ring, what is known of it here,
 * and the stacks and registers of all; it is looked at once, and from it goes
 * on whoever can.  Between two such places one runs alone, and memory is
 * consistent: what weaker memory does is ThreadSanitizer's to find, with
 * test_ring_threads.
 */


#define _GNU_SOURCE

#include <stdlib.h>
#include <ucontext.h>

#include "../unit/tap.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_ring.h"


static void step(const volatile void *p, int store);


/* the ring's own code, in a ring of two pages */

#undef LLM_RING_MIN_SIZE
#define LLM_RING_MIN_SIZE  8192

#define __atomic_load_n(p, order)      (step(p, 0), __atomic_load_n(p, order))
#define __atomic_store_n(p, v, order)                                         \
    (step(p, 1), __atomic_store_n(p, v, order))

#include "../../ngx_http_llm_monitor_module/ring/llm_ring.c"

#undef __atomic_load_n
#undef __atomic_store_n


#define SIZE       8192
#define STACK      16384
#define LEFT       4096          /* of it, below what is in use */
#define PRODUCERS  2
#define WRITER     PRODUCERS
#define ASKER      (WRITER + 1)
#define ACTORS     (ASKER + 1)
#define BATCH      2
#define RECORDS    8             /* in all, of a producer: bits */

#define SEEN_MAX   (1 << 20)     /* states: a power of two, half of it used */
#define DEPTH_MAX  100000


typedef enum { READY = 0, DONE, DEAD } life_e;


/* what is known of the ring, beside it; part of a state */

typedef struct {
    int          life[ACTORS];
    int          waits[ACTORS];      /* for the lock, or to be woken */
    int          lock;               /* who has it, plus 1 */
    int          awake;
    int          deaths;
    int          torn;
    uint8_t      committed[PRODUCERS];
    uint8_t      stored[PRODUCERS];  /* in the database */
    uint64_t     seq;                /* the last one there, torn or not */
    int          wrong;              /* __LINE__ of what was wrong */
} world_t;


typedef struct {
    uint64_t     reg[8];
    size_t       used;               /* bytes of the stack */
    ucontext_t   context;
} actor_t;


/* one that is to be gone on from */

typedef struct {
    int          next;               /* who moves next, dying after ACTORS */
    size_t       size;
    uint8_t     *data;
} state_t;


/* what is tried */

typedef struct {
    const char  *name;
    int          records[PRODUCERS];
    size_t       len[PRODUCERS];
    size_t       before;             /* bytes that went through the ring */
    int          deaths;
    int          mortal;             /* a bit for each who may die */
    int          asks;
    int          no_lock;            /* these two are to be seen */
    int          lies;               /* of the living */
} scene_t;


static int explore(const scene_t *scene);
static int move(int who);
static int enabled(int who);
static void reset(void);
static void enter(int who);
static void produce(int who);
static void drain(void);
static void ask(void);
static void acquire(void);
static void release(void);
static int alive(int64_t owner);
static int settled(void);
static int law(void);
static size_t used(int who);
static uint64_t hash(void);
static int seen(uint64_t h);
static void keep(state_t *s);
static void restore(const state_t *s);


static const scene_t *scene;
static uint8_t       *map;
static llm_ring_t     ring;
static world_t        world;
static actor_t        actors[ACTORS];
static ucontext_t     scheduler;
static int            current = -1;
static uint64_t      *table;
static size_t         states, moves;

static uint8_t        stacks[ACTORS][STACK] __attribute__((aligned(16)));


#define wrong_if(cond)                                                        \
    if ((cond) && world.wrong == 0) {                                         \
        world.wrong = __LINE__;                                               \
    }


/* A place where another one may go on, if the access can be told apart. */

static void
step(const volatile void *p, int store)
{
    size_t  at, word;

    if (current == -1) {
        return;
    }

    at = (uintptr_t) p - (uintptr_t) map;

    if (p != NULL && at < LLM_RING_PAGE) {

        /* nobody else changes what one reads here */

        word = offsetof(llm_ring_header_t, writer);

        if (!store && (at < word ? world.lock == current + 1
                                 : current == WRITER))
        {
            return;
        }

        /*
         * Of the words of a state, those that the others depend on: who reads
         * them from two changes has not read one.
         */

        at -= at < word ? offsetof(llm_ring_header_t, producers.copy)
                        : offsetof(llm_ring_header_t, writer.copy);
        word = at / 8 % LLM_RING_WORDS;

        if (at < 2 * 8 * LLM_RING_WORDS && word > LLM_RING_SEQ
            && word != LLM_RING_RTAKEN)
        {
            return;
        }
    }

    /* of a record all but its state does not change once it is there */

    if (p != NULL && (uintptr_t) p - (uintptr_t) map >= LLM_RING_PAGE
        && (uintptr_t) p % LLM_RING_ALIGN
           != offsetof(llm_ring_record_t, state))
    {
        return;
    }

    (void) swapcontext(&actors[current].context, &scheduler);
}


/* Waits for others, who look at waits[] and let it go on. */

static void
block(void)
{
    world.waits[current] = 1;
    (void) swapcontext(&actors[current].context, &scheduler);
    world.waits[current] = 0;
}


static void
acquire(void)
{
    if (scene->no_lock) {
        return;
    }

    step(NULL, 0);

    while (world.lock != 0) {
        block();
    }

    world.lock = current + 1;
}


static void
release(void)
{
    if (world.lock == current + 1) {
        world.lock = 0;
    }
}


static int
alive(int64_t owner)
{
    step(NULL, 0);

    return world.life[owner] == READY && !scene->lies;
}


static void
produce(int who)
{
    int              n, rc;
    llm_ring_slot_t  slot;

    for (n = 0; n < scene->records[who]; n++) {

        explicit_bzero(&slot, sizeof(slot));
        acquire();

        rc = llm_ring_reserve(&ring, scene->len[who], who, &slot);

        if (rc == LLM_FULL) {
            llm_ring_count_dropped(&ring, LLM_DROP_RING_FULL);
        }

        release();

        if (rc != LLM_OK) {
            continue;
        }

        slot.data[0] = (uint8_t) who;
        slot.data[1] = (uint8_t) n;
        slot.data[slot.len - 1] = (uint8_t) (n + 1);

        llm_ring_commit(&ring, &slot);

        world.committed[who] |= 1 << n;
        world.awake = 1;
    }
}


/*
 * As the writer does it: what is read is in the database in one step, with the
 * number of the last one; only then the ring is told.  A writer that begins
 * reads again what the one before had not given back.
 */

static void
drain(void)
{
    int                i, rc, n;
    uint64_t           pos, seq;
    uint8_t            stored[PRODUCERS];
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    llm_ring_set_in_hand(&ring, 0);

    for ( ;; ) {

        /* what is left of the batch before would make it another state */

        explicit_bzero(&item, sizeof(item));
        explicit_bzero(&res, sizeof(res));
        explicit_bzero(stored, sizeof(stored));
        world.awake = 0;
        pos = llm_ring_tail(&ring);
        seq = world.seq;

        for (n = 0; n < BATCH; n++) {

            rc = llm_ring_read(&ring, pos, &item, alive);

            if (rc != LLM_OK) {
                wrong_if(rc != LLM_AGAIN);
                break;
            }

            wrong_if(item.damaged);

            pos = item.next;
            res.ring_taken++;

            if (item.torn) {
                res.dropped[LLM_DROP_TORN]++;
                world.torn += item.seq > seq;

            } else {
                res.written++;
                wrong_if(item.data[item.len - 1] != item.data[1] + 1
                         || item.len != scene->len[item.data[0]]);

                if (item.seq > seq) {
                    stored[item.data[0]] |= 1 << item.data[1];
                }
            }

            wrong_if(item.seq > seq + 1);
            seq = item.seq > seq ? item.seq : seq;
        }

        if (n == 0) {
            while (!world.awake) {
                block();
            }

            continue;
        }

        llm_ring_set_in_hand(&ring, n);

        step(NULL, 0);

        for (i = 0; i < PRODUCERS; i++) {
            wrong_if(world.stored[i] & stored[i]);
            world.stored[i] |= stored[i];
        }

        world.seq = seq;

        llm_ring_release(&ring, pos, &res);
    }
}


static void
ask(void)
{
    int  n;

    for (n = 0; n < scene->asks; n++) {
        acquire();
        wrong_if(!law());
        release();
    }
}


static int
law(void)
{
    llm_terms_t  t;

    llm_ring_terms(&ring, &t);

    return t.finished == t.written + t.in_ring + t.in_hand
                         + t.dropped[LLM_DROP_TORN]
                         + t.dropped[LLM_DROP_RING_FULL]
           && t.in_ring <= t.finished;
}


static void
enter(int who)
{
    if (who < PRODUCERS) {
        produce(who);

    } else if (who == WRITER) {
        drain();

    } else {
        ask();
    }

    world.life[who] = DONE;
    world.awake = 1;

    (void) setcontext(&scheduler);
}


static void
begin(int who)
{
    ucontext_t  *c;

    c = &actors[who].context;

    memset(stacks[who], 0, STACK);
    (void) getcontext(c);

    c->uc_stack.ss_sp = stacks[who];
    c->uc_stack.ss_size = STACK;
    c->uc_link = NULL;

    makecontext(c, (void (*)(void)) enter, 1, who);
    world.waits[who] = 0;
}


static int
enabled(int who)
{
    if (world.life[who] != READY) {
        return 0;
    }

    if (!world.waits[who]) {
        return 1;
    }

    return who == WRITER ? world.awake : world.lock == 0;
}


/* Goes on up to the next place, or dies.  1 if there was something to do. */

static int
move(int who)
{
    if (who < ACTORS) {

        if (!enabled(who)) {
            return 0;
        }

        /* what calls that have ended left behind is no part of a state */

        memset(stacks[who] + STACK - used(who) - LEFT, 0, LEFT);

        current = who;
        (void) swapcontext(&scheduler, &actors[who].context);
        current = -1;

        return 1;
    }

    who -= ACTORS;

    if (!(scene->mortal >> who & 1) || world.life[who] != READY
        || world.deaths == scene->deaths)
    {
        return 0;
    }

    world.deaths++;
    world.awake = 1;

    /* the master does it when a child has exited */

    if (world.lock == who + 1) {
        world.lock = 0;
    }

    if (who == WRITER) {
        begin(who);

    } else {
        world.life[who] = DEAD;
    }

    return 1;
}


/* Nobody can go on: nothing may be left. */

static int
settled(void)
{
    int          i, full;
    llm_terms_t  t;

    llm_ring_terms(&ring, &t);
    full = (int) t.dropped[LLM_DROP_RING_FULL];

    for (i = 0; i < PRODUCERS; i++) {
        if (world.life[i] == READY || world.stored[i] != world.committed[i]) {
            return 0;
        }

        full += __builtin_popcount(world.committed[i]);

        if (world.life[i] == DONE) {
            full -= scene->records[i];
        }
    }

    return world.life[ASKER] == DONE && law() && t.in_ring == 0
           && t.in_hand == 0 && world.torn <= world.deaths
           && (world.deaths > 0 || full == 0);
}


static uint64_t
mix(uint64_t h, const void *data, size_t n)
{
    uint64_t        v;
    const uint8_t  *p, *end;

    p = data;

    for (end = p + n; p + 8 <= end; p += 8) {
        memcpy(&v, p, 8);
        h = (h ^ v) * 0x9e3779b97f4a7c15;
        h ^= h >> 29;
    }

    return h;
}


/* The part of a stack that is in use, from where its registers are. */

static size_t
used(int who)
{
    greg_t  *r;

    r = actors[who].context.uc_mcontext.gregs;

    return (size_t) (stacks[who] + STACK - (uint8_t *) r[REG_RSP]);
}


static uint64_t
hash(void)
{
    int        i;
    greg_t    *r;
    uint64_t   h, reg[7];

    h = mix(1, map, SIZE);
    h = mix(h, &world, sizeof(world));

    for (i = 0; i < ACTORS; i++) {

        if (world.life[i] != READY) {
            continue;
        }

        r = actors[i].context.uc_mcontext.gregs;

        reg[0] = r[REG_RBX];
        reg[1] = r[REG_RBP];
        reg[2] = r[REG_R12];
        reg[3] = r[REG_R13];
        reg[4] = r[REG_R14];
        reg[5] = r[REG_R15];
        reg[6] = r[REG_RIP];

        h = mix(h, reg, sizeof(reg));
        h = mix(h, stacks[i] + STACK - used(i), used(i));
    }

    return h + (h == 0);
}


static int
seen(uint64_t h)
{
    size_t  i;

    for (i = h & (SEEN_MAX - 1); table[i] != 0; i = (i + 1) & (SEEN_MAX - 1))
    {
        if (table[i] == h) {
            return 1;
        }
    }

    table[i] = h;
    states++;

    return 0;
}


static void
keep(state_t *s)
{
    int       i;
    uint8_t  *p;

    s->size = SIZE + sizeof(world) + sizeof(actors);

    for (i = 0; i < ACTORS; i++) {
        actors[i].used = world.life[i] == READY ? used(i) : 0;
        s->size += actors[i].used;
    }

    s->next = 0;
    s->data = malloc(s->size);

    p = s->data;
    p = mempcpy(p, map, SIZE);
    p = mempcpy(p, &world, sizeof(world));
    p = mempcpy(p, actors, sizeof(actors));

    for (i = 0; i < ACTORS; i++) {
        p = mempcpy(p, stacks[i] + STACK - actors[i].used, actors[i].used);
    }
}


static void
restore(const state_t *s)
{
    int             i;
    const uint8_t  *p;

    p = s->data;

    memcpy(map, p, SIZE);
    p += SIZE;
    memcpy(&world, p, sizeof(world));
    p += sizeof(world);
    memcpy(actors, p, sizeof(actors));
    p += sizeof(actors);

    for (i = 0; i < ACTORS; i++) {
        memcpy(stacks[i] + STACK - actors[i].used, p, actors[i].used);
        p += actors[i].used;
    }
}


static void
reset(void)
{
    int                i;
    size_t             left;
    llm_ring_slot_t    slot;
    llm_ring_item_t    item;
    llm_ring_result_t  res;

    memset(map, 0, SIZE);
    memset(&world, 0, sizeof(world));

    (void) llm_ring_format(&ring, map, SIZE, 1);

    for (left = scene->before; left > 0; left -= 512) {
        (void) llm_ring_reserve(&ring, 512 - sizeof(llm_ring_record_t), 0,
                                &slot);
        llm_ring_commit(&ring, &slot);
        (void) llm_ring_read(&ring, llm_ring_tail(&ring), &item, NULL);

        memset(&res, 0, sizeof(res));
        res.written = 1;
        res.ring_taken = 1;
        llm_ring_release(&ring, item.next, &res);
        world.seq = item.seq;
    }

    memset(map + LLM_RING_PAGE, 0, SIZE - LLM_RING_PAGE);

    for (i = 0; i < ACTORS; i++) {
        begin(i);
    }
}


/* 0: something was wrong in a state; its line is in world.wrong */

static int
explore(const scene_t *s)
{
    int       good, could;
    size_t    depth;
    state_t  *stack, *top;

    scene = s;
    states = 0;
    moves = 0;
    good = 1;

    memset(table, 0, SEEN_MAX * sizeof(uint64_t));
    stack = calloc(DEPTH_MAX, sizeof(state_t));

    reset();
    (void) seen(hash());
    keep(&stack[0]);

    for (depth = 1; depth > 0 && good; /* void */) {
        top = &stack[depth - 1];
        could = 0;

        while (top->next < 2 * ACTORS) {
            restore(top);
            could = move(top->next++);

            if (could) {
                break;
            }
        }

        if (!could) {
            free(top->data);
            depth--;
            continue;
        }

        moves++;

        if (seen(hash())) {
            continue;
        }

        for (could = 0; could < ACTORS && !enabled(could); could++) {
            /* void */
        }

        if (world.wrong != 0 || (could == ACTORS && !settled())
            || depth == DEPTH_MAX || states > SEEN_MAX / 2)
        {
            good = 0;
            break;
        }

        keep(&stack[depth++]);
    }

    while (depth > 0) {
        free(stack[--depth].data);
    }

    free(stack);

    return good;
}


int
main(void)
{
    int     good;
    size_t  i;

    static const scene_t  scenes[] = {
        { "a worker, and one who asks", { 1, 0 }, { 900, 0 }, 0, 0, 0, 1, 0,
          0 },
        { "two workers", { 1, 1 }, { 900, 700 }, 0, 0, 0, 0, 0, 0 },
        { "a pad between the two", { 1, 1 }, { 900, 700 }, 3072, 0, 0, 0, 0,
          0 },
        { "a worker that dies", { 1, 1 }, { 900, 700 }, 3072, 1, 1, 0, 0, 0 },
        { "a writer that dies", { 1, 0 }, { 900, 0 }, 3584, 1, 1 << WRITER, 0,
          0, 0 },
        { "one of them or both", { 1, 0 }, { 900, 0 }, 0, 2, 1 | 1 << WRITER,
          0, 0, 0 },
        { "a worker that fills the ring", { 5, 0 }, { 990, 0 }, 0, 0, 0, 0, 0,
          0 }
    };

    static const scene_t  controls[] = {
        { "workers without a lock", { 1, 1 }, { 900, 700 }, 0, 0, 0, 1, 1, 0 },
        { "a worker that is taken for dead", { 1, 1 }, { 900, 700 }, 0, 0, 0,
          0, 0, 1 }
    };

    map = aligned_alloc(4096, SIZE);
    table = malloc(SEEN_MAX * sizeof(uint64_t));

    for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        good = explore(&scenes[i]);
        ok(good, "%s: %zu states, %zu moves", scenes[i].name, states, moves);

        if (world.wrong != 0) {
            printf("# line %d\n", world.wrong);
        }
    }

    for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        good = explore(&controls[i]);
        ok(!good, "%s: seen after %zu states", controls[i].name, states);
    }

    free(map);
    free(table);

    return done_testing();
}
