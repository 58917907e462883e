
/*
 * Copyright (C) llm_monitor contributors
 *
 * Plausible traffic out of a seed: the same seed, number of rows, days and end
 * give the same exchanges.
 */


#ifndef _FILL_H_INCLUDED_
#define _FILL_H_INCLUDED_


#include "../../ngx_http_llm_monitor_module/record/llm_record.h"


#define FILL_USERS      5000
#define FILL_ACCOUNTS   400
#define FILL_KEYS       500
#define FILL_ADDRESSES  20000
#define FILL_VARIANTS   4              /* of each of 25 models */
#define FILL_AGENTS     12
#define FILL_TEXT_MAX   512
#define FILL_BODY_MAX   65536

#define fill_day_ms     86400000LL


typedef struct {
    const char  *name;
    const char  *provider;
    const char  *other;                /* provider of every eighth request */
    int          protocol;
    int          operation;
    int          weight;
    int          input_price;          /* nano-dollars a token; 0: no price */
    int          output_price;
    int          speed;                /* tokens a second */
} fill_model_t;

typedef struct {
    uint64_t     number;               /* 0: none */
    int          user;
    int          model;
    int          variant;
    int          address;
    int          agent;
    int          turn;
    int          left;
    int          context;              /* tokens so far */
} fill_session_t;

typedef struct {
    int64_t         ms;
    int64_t         id;
    int64_t         duration_us;
    int64_t         ttfb_us;           /* LLM_NULL: no answer came */
    int64_t         ttft_us;
    fill_session_t  session;           /* as it was for this exchange */
    uint64_t        salt;              /* for its texts */
    int             operation;
    int             other;             /* the model's other provider */
    int             stream;
    int             status;
    int             outcome;
    int             aborted_by;
    int             input;             /* tokens, -1: not known */
    int             cached;
    int             created;
    int             output;
    int             reasoning;
    int             bodies;            /* 1 stored, 2 expired by now */
} fill_exchange_t;

typedef struct {
    uint64_t         random;
    uint64_t         seed;
    int64_t          rows;
    int64_t          start_ms;
    int64_t          end_ms;
    int64_t          bodies_ms;        /* older ones are expired */
    int              bodies;           /* of 100 exchanges */
    int64_t          made;
    uint64_t         sessions;
    int              nslots;
    fill_session_t  *slots;            /* sessions under way */
} fill_world_t;


/* where the texts of records go */

typedef struct {
    char            *pos;
    char            *end;
} fill_room_t;

/* bytes of it that one record takes at most */
#define FILL_ROOM_MAX  (24 * FILL_TEXT_MAX + 2 * FILL_BODY_MAX)


extern const fill_model_t  fill_models[];

int fill_world_init(fill_world_t *w);

/* Share of the rows that begin in this minute, in no particular unit. */
double fill_world_weight(const fill_world_t *w, int64_t ms);

/* The next exchange, beginning at ms. */
void fill_world_next(fill_world_t *w, int64_t ms, fill_exchange_t *x);

/* Strings of r are constants or in the room, which has FILL_ROOM_MAX bytes. */
void fill_record(const fill_exchange_t *x, llm_record_t *r, fill_room_t *room);

void fill_bodies(const fill_exchange_t *x, llm_record_t *r, fill_room_t *room);

uint64_t fill_mix(uint64_t a, uint64_t b);
uint64_t fill_next(uint64_t *state);


#endif /* _FILL_H_INCLUDED_ */
