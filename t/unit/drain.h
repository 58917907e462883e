
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the tests of the writer share.
 */


#ifndef _DRAIN_H_INCLUDED_
#define _DRAIN_H_INCLUDED_


#include "../../ngx_http_llm_monitor_module/record/llm_record.h"
#include "../../ngx_http_llm_monitor_module/store/llm_drain.h"


#define RING  (16 * 1024 * 1024)

/* 1 as soon as cond holds; 0 if it does not within a minute. */

#define until(cond)                                                           \
    ({                                                                        \
        int      good_;                                                       \
        int64_t  end_ = wait_begin();                                         \
                                                                              \
        while (!(good_ = (cond)) && wait_more(end_)) { /* void */ }           \
                                                                              \
        good_;                                                                \
    })


/* what start() tells the writer to keep: seconds, bytes; 0: everything */

typedef struct {
    int64_t    rows;
    int64_t    bodies;
    int64_t    bytes;
} drain_keep_t;


/* the data directory, its own ring, and how many records it was given */

extern char            dir[256];
extern uint64_t        made;
extern llm_ring_t      ring;
extern llm_control_t  *control;
extern drain_keep_t    keep;

/* what start() gives the writer; NULL: no prices */

extern const llm_price_table_t  *prices;

/*
 * The last line that the writer logged, and their number; to be read when it
 * has stopped.
 */

extern char            said[512];
extern int             said_lines;

/* what kept start() from its lock */

extern llm_drain_trouble_t  trouble;


/* A new directory with an empty ring; and its end. */
void fresh(void);
void cleanup(void);

/* A ring file that this process has locked; returns its descriptor. */
int new_ring(llm_ring_t *r, const char *name, size_t size, uint64_t identity);

/* A file of the directory; good for four calls. */
const char *path(const char *name);

/* Record n: every tenth is a 401, of seven models and five sessions. */
void fill(llm_record_t *r, uint64_t n);

/* 1, or 0 if the ring is full. */
int publish(llm_ring_t *to, const llm_record_t *r);
int publish_n(int n);

/* The writer of the directory, or NULL. */
llm_drain_t *start(void);

/* Ends it when it has written what there is; and the test, if it cannot. */
void stop(llm_drain_t *d);

/* The result of a command; -1: it failed, -2: nothing came of it. */
int64_t command(int op, const void *args, size_t len);

/* The number that is the answer of a question, or -1. */
int64_t ask_db(const char *sql);

/* The terms of the own ring, and whether the law of conservation holds. */
int law(llm_terms_t *t);

/* Whether the ledger has n requests, however it counts them. */
int sums_equal(int64_t n);

/* Records of a ring of which something has become. */
uint64_t became(const llm_ring_t *r);

int wait_written(uint64_t n);

/* What the writer says of itself comes at the end of its turn. */
int wait_up(void);

/* It tries again and again; so many are written, the others wait. */
int wait_down(uint64_t written);
void forget(void);

void nap(long ms);

/* The parts of until(). */
int64_t wait_begin(void);
int wait_more(int64_t end);


#endif /* _DRAIN_H_INCLUDED_ */
