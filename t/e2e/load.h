
/*
 * Copyright (C) llm_monitor contributors
 *
 * A connection, and what the client and the upstream do alike with it.
 */


#ifndef _LOAD_H_INCLUDED_
#define _LOAD_H_INCLUDED_


#define _GNU_SOURCE

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>


#define BUF     65536         /* of a connection, and of what fills answers */
#define EVENTS  256           /* of epoll at once */


typedef struct conn_s  conn_t;

struct conn_s {
    int          fd;
    int          busy;
    conn_t      *next;           /* upstream: in the queue of streams */

    /* what was read: a head, then a body */
    char         in[BUF];
    size_t       have;
    int          headed;
    int          begun;          /* client: some of the body has come */
    int          chunked;
    int          bad;
    int64_t      left;           /* of the body, or of the chunk */
    int          last;           /* the last chunk's size was read */

    /* what is to be written */
    char        *out;
    size_t       len;
    size_t       sent;

    uint64_t     tag;
    int64_t      since;          /* client: when the request was sent */
    int64_t      due;            /* upstream: when the next event is */
    int64_t      gap;
    int          events;         /* still to be sent */
    int          anthropic;
    int64_t      filler;         /* raw bytes still to be sent */
    int64_t      tail;           /* and the end of it, in the same buffer */
};


/* 0: a signal has come */
extern int  run;

/* the epoll that all connections are in */
extern int  ep;


int64_t now_ns(void);
void watch(conn_t *c, int op, uint32_t events);

/* Writes what is queued: 1 if all of it went, 0 if not yet, -1 on error. */
int push(conn_t *c);
void queue(conn_t *c, const char *data, size_t n);

/* Both run until a signal comes, and return the program's exit code. */
int upstream(int port);
int client(int argc, char **argv);


#endif /* _LOAD_H_INCLUDED_ */
