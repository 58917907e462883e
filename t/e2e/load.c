
/*
 * Copyright (C) llm_monitor contributors
 *
 * Load for the tests and the bench: an upstream that answers as an LLM
 * service does, and a client that tags each exchange and writes down which
 * answers it had, when.
 *
 *   load upstream PORT
 *   load client PORT [-c connections] [-r rate, 0: as fast as it goes]
 *                    [-n exchanges] [-d seconds] [-b bytes of prompt]
 *                    [-f first tag] [-s say] [-u path] [-o log]
 *                    [-a the upstream's port]
 *
 * The client's requests have the headers X-Tag and X-Say, which is
 *
 *   json-BYTES            one answer of about that size
 *   sse-EVENTS-GAP        a stream, GAP microseconds between its events; 0: the
 *                         next one when a client with -a has had the last
 *   anth-EVENTS-GAP       the same as Anthropic streams it
 *   raw-BYTES             an answer whose content is that long
 *
 * and every answer's usage names TAG input and TAG % 97 + 1 output tokens.
 * The log has a line `s TAG MS` for each exchange begun and `d TAG MS` for
 * each whole answer (status 200, every byte), by the monotonic clock.  The
 * client ends with one line of JSON on stdout.
 */


#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>


static void stop(int sig);


int  run;
int  ep;


int
main(int argc, char **argv)
{
    struct rlimit  files = { 30000, 30000 };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    (void) setrlimit(RLIMIT_NOFILE, &files);

    run = 1;
    ep = epoll_create1(0);

    if (argc == 3 && strcmp(argv[1], "upstream") == 0) {
        return upstream(atoi(argv[2]));
    }

    if (argc >= 3 && strcmp(argv[1], "client") == 0) {
        return client(argc - 1, argv + 1);
    }

    fprintf(stderr, "load upstream PORT | load client PORT [options]\n");

    return 2;
}


int64_t
now_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}


static void
stop(int sig)
{
    (void) sig;
    run = 0;
}


void
watch(conn_t *c, int op, uint32_t events)
{
    struct epoll_event  ev;

    ev.events = events;
    ev.data.ptr = c;
    (void) epoll_ctl(ep, op, c->fd, &ev);
}


int
push(conn_t *c)
{
    ssize_t  n;

    while (c->sent < c->len) {
        n = send(c->fd, c->out + c->sent, c->len - c->sent, 0);

        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return 0;
        }

        if (n < 0) {
            return -1;
        }

        c->sent += n;
    }

    c->len = 0;
    c->sent = 0;

    return 1;
}


void
queue(conn_t *c, const char *data, size_t n)
{
    char  *p;

    p = realloc(c->out, c->len + n);
    if (p == NULL) {
        abort();
    }

    memcpy(p + c->len, data, n);
    c->out = p;
    c->len += n;
}
