
/*
 * Copyright (C) llm_monitor contributors
 *
 * A place of the command table belongs to whoever moved its state by a
 * compare-and-swap: the asking worker while it is filling, the writer while it
 * is running.  All the rest is written before the store that hands it on.
 */


#include <stdio.h>
#include <string.h>
#include <time.h>

#include "llm_control.h"
#include "llm_owner.h"


#define LLM_CONTROL_VERSION  3
#define LLM_STATE_MASK       0xff

/* of an owner: its pid has at most 22 bits, its tick 31 */

#define LLM_STATE_PID_SHIFT  8
#define LLM_STATE_PID_MASK   0x3fffff
#define LLM_STATE_TICK_SHIFT 30


static void llm_control_reclaim(llm_control_t *c, llm_share_t *share,
    int64_t owner);
static uint64_t llm_control_filling(int64_t owner);
static int64_t llm_control_filler(uint64_t state);
static int llm_control_claim(llm_command_t *cmd, uint64_t filling,
    int64_t now);
static int llm_control_swap(llm_command_t *cmd, uint64_t from, uint64_t to);


void
llm_control_init(llm_control_t *c)
{
    memset(c, 0, sizeof(llm_control_t));

    c->version = LLM_CONTROL_VERSION;
    c->recording = LLM_RECORDING_UNKNOWN;
    c->recorded = LLM_RECORDING_UNKNOWN;
    c->idle_ms = llm_control_now();
}


int
llm_control_error(uint32_t code)
{
    int  i;

    /* https://www.sqlite.org/rescode.html */

    static const uint8_t  codes[LLM_CONTROL_ERRORS - 1] = {
        5, 13, 10, 11, 8, 26, 14
    };

    for (i = 0; i < LLM_CONTROL_ERRORS - 1; i++) {
        if ((code & 0xff) == codes[i]) {
            break;
        }
    }

    return i;
}


int64_t
llm_control_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


int
llm_control_join(llm_control_t *c, int64_t owner)
{
    int           i;
    int64_t       old;
    llm_share_t  *share;

    for (i = 0; i < LLM_WORKERS; i++) {
        share = &c->shares[i];
        old = __atomic_load_n(&share->owner, __ATOMIC_ACQUIRE);

        /* its own number can only be that of a dead one */

        if (old > 0 && (old == owner || !llm_owner_alive(old))) {
            llm_control_reclaim(c, share, old);

            if (old != owner) {
                (void) __atomic_add_fetch(&c->restarts, 1, __ATOMIC_RELAXED);
            }
        }
    }

    for (i = 0; i < LLM_WORKERS; i++) {
        old = 0;

        if (__atomic_compare_exchange_n(&c->shares[i].owner, &old, owner, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        {
            return i;
        }
    }

    (void) __atomic_add_fetch(&c->strangers, 1, __ATOMIC_RELAXED);

    return -1;
}


static void
llm_control_reclaim(llm_control_t *c, llm_share_t *share, int64_t owner)
{
    int64_t  bytes;

    if (!__atomic_compare_exchange_n(&share->owner, &owner, -1, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return;
    }

    bytes = __atomic_exchange_n(&share->bytes, 0, __ATOMIC_RELAXED);
    (void) __atomic_sub_fetch(&c->capture_bytes, bytes, __ATOMIC_RELAXED);

    __atomic_store_n(&share->spooling, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&share->owner, 0, __ATOMIC_RELEASE);
}


void
llm_control_spooling(llm_control_t *c, int share, int on)
{
    if (share != -1) {
        __atomic_store_n(&c->shares[share].spooling, on, __ATOMIC_SEQ_CST);
    }
}


int
llm_control_spoolers(const llm_control_t *c)
{
    int      i;
    int64_t  owner;

    for (i = 0; i < LLM_WORKERS; i++) {

        if (!__atomic_load_n(&c->shares[i].spooling, __ATOMIC_SEQ_CST)) {
            continue;
        }

        owner = __atomic_load_n(&c->shares[i].owner, __ATOMIC_ACQUIRE);

        if (owner > 0 && llm_owner_alive(owner)) {
            return 1;
        }
    }

    /* of these nobody knows */

    return __atomic_load_n(&c->strangers, __ATOMIC_RELAXED) != 0;
}


void
llm_control_leave(llm_control_t *c, int share)
{
    if (share != -1) {
        llm_control_reclaim(c, &c->shares[share], c->shares[share].owner);
    }
}


int
llm_control_take(llm_control_t *c, int share, size_t bytes, size_t limit)
{
    int64_t  used;

    if (share != -1) {
        (void) __atomic_add_fetch(&c->shares[share].bytes, bytes,
                                  __ATOMIC_RELAXED);
    }

    used = __atomic_add_fetch(&c->capture_bytes, bytes, __ATOMIC_RELAXED);

    if (used <= 0 || (uint64_t) used <= limit) {
        return LLM_OK;
    }

    llm_control_give(c, share, bytes);

    return LLM_FULL;
}


void
llm_control_give(llm_control_t *c, int share, size_t bytes)
{
    (void) __atomic_sub_fetch(&c->capture_bytes, bytes, __ATOMIC_RELAXED);

    if (share != -1) {
        (void) __atomic_sub_fetch(&c->shares[share].bytes, bytes,
                                  __ATOMIC_RELAXED);
    }
}


int
llm_control_ask(llm_control_t *c, int op, const void *args, size_t len,
    int64_t owner, int64_t deadline, uint64_t *ticket)
{
    int             i;
    int64_t         now;
    uint64_t        filling;
    llm_command_t  *cmd;

    if (len > LLM_COMMAND_ARGS) {
        return LLM_FULL;
    }

    now = llm_control_now();
    filling = llm_control_filling(owner);

    for (i = 0; i < LLM_COMMANDS; i++) {
        cmd = &c->commands[i];

        if (llm_control_claim(cmd, filling, now) != LLM_OK) {
            continue;
        }

        *ticket = __atomic_add_fetch(&c->next_ticket, 1, __ATOMIC_RELAXED);

        cmd->op = op;
        cmd->owner = owner;
        cmd->len = len;
        cmd->result = 0;
        cmd->error[0] = '\0';

        if (len > 0) {
            memcpy(cmd->args, args, len);
        }

        __atomic_store_n(&cmd->ticket, *ticket, __ATOMIC_RELAXED);
        __atomic_store_n(&cmd->progress, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&cmd->deadline, deadline, __ATOMIC_RELAXED);
        __atomic_store_n(&cmd->state, LLM_COMMAND_WAITING, __ATOMIC_RELEASE);

        return i;
    }

    return LLM_FULL;
}


/* Its filler is known by the state itself, for it may die before all else. */

static uint64_t
llm_control_filling(int64_t owner)
{
    return LLM_COMMAND_FILLING
           | ((uint64_t) owner & LLM_STATE_PID_MASK) << LLM_STATE_PID_SHIFT
           | (uint64_t) owner >> 32 << LLM_STATE_TICK_SHIFT;
}


static int64_t
llm_control_filler(uint64_t state)
{
    return (int64_t) (state >> LLM_STATE_TICK_SHIFT << 32
                      | (state >> LLM_STATE_PID_SHIFT & LLM_STATE_PID_MASK));
}


/* Takes a free place, or one that nobody has a use for any more. */

static int
llm_control_claim(llm_command_t *cmd, uint64_t filling, int64_t now)
{
    uint64_t  state;

    state = __atomic_load_n(&cmd->state, __ATOMIC_ACQUIRE);

    switch (state & LLM_STATE_MASK) {

    case LLM_COMMAND_FREE:
        break;

    case LLM_COMMAND_FILLING:
        if (llm_owner_alive(llm_control_filler(state))) {
            return LLM_DECLINED;
        }

        break;

    case LLM_COMMAND_RUNNING:
        return LLM_DECLINED;

    default: /* LLM_COMMAND_WAITING, LLM_COMMAND_DONE, LLM_COMMAND_FAILED */

        if (__atomic_load_n(&cmd->deadline, __ATOMIC_RELAXED) >= now) {
            return LLM_DECLINED;
        }
    }

    return llm_control_swap(cmd, state, filling);
}


static int
llm_control_swap(llm_command_t *cmd, uint64_t from, uint64_t to)
{
    if (__atomic_compare_exchange_n(&cmd->state, &from, to, 0,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    {
        return LLM_OK;
    }

    return LLM_DECLINED;
}


int
llm_control_poll(llm_control_t *c, int index, uint64_t ticket,
    int64_t *progress, int64_t *result, char *error, size_t error_len)
{
    uint64_t        state;
    llm_command_t  *cmd;

    if (index < 0 || index >= LLM_COMMANDS) {
        return LLM_COMMAND_FREE;
    }

    cmd = &c->commands[index];

    state = __atomic_load_n(&cmd->state, __ATOMIC_ACQUIRE);

    if ((state & LLM_STATE_MASK) == LLM_COMMAND_FILLING
        || __atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED) != ticket)
    {
        return LLM_COMMAND_FREE;
    }

    *progress = __atomic_load_n(&cmd->progress, __ATOMIC_RELAXED);

    if (state != LLM_COMMAND_DONE && state != LLM_COMMAND_FAILED) {
        return state;
    }

    *result = cmd->result;

    if (error_len > 0) {
        (void) snprintf(error, error_len, "%.*s",
                        (int) sizeof(cmd->error) - 1, cmd->error);
    }

    if (__atomic_load_n(&cmd->ticket, __ATOMIC_ACQUIRE) != ticket
        || llm_control_swap(cmd, state, LLM_COMMAND_FREE) != LLM_OK)
    {
        return LLM_COMMAND_FREE;
    }

    return state;
}


int
llm_control_withdraw(llm_control_t *c, int index, uint64_t ticket,
    int64_t owner)
{
    int             mine;
    uint64_t        filling;
    llm_command_t  *cmd;

    if (index < 0 || index >= LLM_COMMANDS) {
        return LLM_DECLINED;
    }

    cmd = &c->commands[index];
    filling = llm_control_filling(owner);

    if (__atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED) != ticket
        || llm_control_swap(cmd, LLM_COMMAND_WAITING, filling) != LLM_OK)
    {
        return LLM_DECLINED;
    }

    /* the place may have got another command meanwhile */

    mine = __atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED) == ticket;

    __atomic_store_n(&cmd->state,
                     mine ? LLM_COMMAND_FREE : LLM_COMMAND_WAITING,
                     __ATOMIC_RELEASE);

    return mine ? LLM_OK : LLM_DECLINED;
}


void
llm_control_restore(llm_control_t *c)
{
    int             i, on;
    int64_t         now;
    uint64_t        state;
    uint64_t        ticket, newest;
    llm_command_t  *cmd;

    newest = 0;
    now = llm_control_now();
    on = __atomic_load_n(&c->recorded, __ATOMIC_ACQUIRE);

    for (i = 0; i < LLM_COMMANDS; i++) {
        cmd = &c->commands[i];

        state = __atomic_load_n(&cmd->state, __ATOMIC_ACQUIRE);
        ticket = __atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED);

        if (state != LLM_COMMAND_RUNNING
            && (state != LLM_COMMAND_WAITING
                || __atomic_load_n(&cmd->deadline, __ATOMIC_RELAXED) < now))
        {
            continue;
        }

        if (cmd->op == LLM_COMMAND_RECORDING && ticket > newest) {
            newest = ticket;
            on = cmd->args[0] != 0;
        }
    }

    __atomic_store_n(&c->recording, on, __ATOMIC_RELEASE);
}


void
llm_control_wait(llm_control_t *c, int index, uint64_t ticket,
    int64_t deadline)
{
    llm_command_t  *cmd;

    cmd = &c->commands[index];

    if (__atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED) == ticket) {
        __atomic_store_n(&cmd->deadline, deadline, __ATOMIC_RELAXED);
    }
}


int
llm_control_backup(llm_control_t *c, int64_t owner)
{
    int64_t  other;

    other = __atomic_load_n(&c->backup, __ATOMIC_ACQUIRE);

    if (other != 0 && llm_owner_alive(other)) {
        return LLM_DECLINED;
    }

    if (!__atomic_compare_exchange_n(&c->backup, &other, owner, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
        return LLM_DECLINED;
    }

    return LLM_OK;
}


void
llm_control_backup_done(llm_control_t *c)
{
    __atomic_store_n(&c->backup, 0, __ATOMIC_RELEASE);
}


void
llm_control_recover(llm_control_t *c)
{
    int             i;
    llm_command_t  *cmd;

    for (i = 0; i < LLM_COMMANDS; i++) {
        cmd = &c->commands[i];

        if (__atomic_load_n(&cmd->state, __ATOMIC_ACQUIRE)
            == LLM_COMMAND_RUNNING)
        {
            llm_control_end(cmd, LLM_COMMAND_FAILED, 0,
                            "the writer process ended before it was done");
        }
    }
}


int
llm_control_waiting(llm_control_t *c)
{
    int  i;

    for (i = 0; i < LLM_COMMANDS; i++) {

        if (__atomic_load_n(&c->commands[i].state, __ATOMIC_ACQUIRE)
            == LLM_COMMAND_WAITING)
        {
            return 1;
        }
    }

    return 0;
}


llm_command_t *
llm_control_next(llm_control_t *c)
{
    int             i;
    int64_t         now;
    llm_command_t  *cmd, *oldest;

    oldest = NULL;
    now = llm_control_now();

    for (i = 0; i < LLM_COMMANDS; i++) {
        cmd = &c->commands[i];

        if (__atomic_load_n(&cmd->state, __ATOMIC_ACQUIRE)
            != LLM_COMMAND_WAITING)
        {
            continue;
        }

        /* who asked was told that it failed, so it must not happen later */

        if (__atomic_load_n(&cmd->deadline, __ATOMIC_RELAXED) < now) {
            (void) llm_control_swap(cmd, LLM_COMMAND_WAITING,
                                    LLM_COMMAND_FREE);
            continue;
        }

        if (oldest == NULL
            || __atomic_load_n(&cmd->ticket, __ATOMIC_RELAXED)
               < __atomic_load_n(&oldest->ticket, __ATOMIC_RELAXED))
        {
            oldest = cmd;
        }
    }

    if (oldest == NULL
        || llm_control_swap(oldest, LLM_COMMAND_WAITING, LLM_COMMAND_RUNNING)
           != LLM_OK)
    {
        return NULL;
    }

    return oldest;
}


void
llm_control_end(llm_command_t *cmd, int state, int64_t result,
    const char *error)
{
    cmd->result = result;

    (void) snprintf(cmd->error, sizeof(cmd->error), "%s",
                    error != NULL ? error : "");

    __atomic_store_n(&cmd->state, state, __ATOMIC_RELEASE);
}
