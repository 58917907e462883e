
/*
 * Copyright (C) llm_monitor contributors
 *
 * The exchanges in flight, in shared memory: a worker takes blocks of slots
 * and writes them alone, everybody may read.  A slot is guarded by a sequence
 * that is odd while it is written.
 */


#ifndef _LLM_LIVE_H_INCLUDED_
#define _LLM_LIVE_H_INCLUDED_


#include "../record/llm.h"


#define LLM_LIVE_BLOCK     64             /* slots */
#define LLM_LIVE_BLOCKS    128
#define LLM_LIVE_SLOTS     (LLM_LIVE_BLOCK * LLM_LIVE_BLOCKS)

/* bytes of a text; a longer one is cut */
#define LLM_LIVE_TEXT      64


typedef enum {
    LLM_LIVE_METHOD = 0, LLM_LIVE_ENDPOINT, LLM_LIVE_MODEL,
    LLM_LIVE_PROVIDER, LLM_LIVE_ACCOUNT, LLM_LIVE_USER, LLM_LIVE_SESSION,
    LLM_LIVE_CLIENT, LLM_LIVE_TEXTS
} llm_live_text_e;


typedef struct {
    int64_t      id;
    int64_t      key;            /* hash, 0: none */
    int64_t      start;          /* us of the monotonic clock */
    int64_t      bytes;          /* of the response's body, decoded */
    int64_t      ttft;           /* us since start; LLM_NULL: not yet */
    int64_t      tokens;         /* of output; LLM_NULL: not told yet */
    int64_t      estimate;       /* of them, by the text so far; LLM_NULL */
    int16_t      status;         /* 0: no answer yet */
    uint8_t      protocol;
    uint8_t      operation;
    uint8_t      stream;
    uint8_t      trusted;        /* the user is not from the request's body */
    uint8_t      len[LLM_LIVE_TEXTS];
    char         text[LLM_LIVE_TEXTS][LLM_LIVE_TEXT];
} llm_live_facts_t;

typedef struct {
    uint32_t          lock;
    uint32_t          used;
    llm_live_facts_t  facts;     /* between llm_live_open() and _close() */
} llm_live_slot_t;

typedef struct {
    uint64_t          missed;    /* exchanges that found no slot */
    int64_t           owner[LLM_LIVE_BLOCKS];  /* 0: nobody's */
    llm_live_slot_t   slot[LLM_LIVE_SLOTS];
} llm_live_t;


/* what a process has of it */

typedef struct {
    llm_live_t       *live;
    int64_t           owner;     /* see llm_owner.h */
    size_t            nfree;
    uint16_t          free[LLM_LIVE_SLOTS];
    uint8_t           own[LLM_LIVE_BLOCKS];
} llm_live_own_t;


/* Of a new zone; slots are set up by who takes them. */
void llm_live_init(llm_live_t *live);

void llm_live_join(llm_live_own_t *own, llm_live_t *live, int64_t self);

/* Gives all blocks back. */
void llm_live_leave(llm_live_own_t *own);

/*
 * A slot of the process, open, of which nobody has read yet; NULL if there is
 * none.
 */
llm_live_slot_t *llm_live_take(llm_live_own_t *own);
void llm_live_give(llm_live_own_t *own, llm_live_slot_t *slot);

void llm_live_open(llm_live_slot_t *slot);
void llm_live_close(llm_live_slot_t *slot);

/* Counts an exchange that found no slot. */
void llm_live_miss(llm_live_own_t *own);

void llm_live_text(llm_live_slot_t *slot, int n, const llm_str_t *s);

/*
 * Calls each for every slot in use of a living process, with a copy, until it
 * returns other than LLM_OK; returns what it returned.
 */
int llm_live_each(llm_live_t *live,
    int (*each)(void *data, const llm_live_facts_t *facts), void *data);


#endif /* _LLM_LIVE_H_INCLUDED_ */
