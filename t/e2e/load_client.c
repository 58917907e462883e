
/*
 * Copyright (C) llm_monitor contributors
 *
 * The client: exchanges at a rate, or as fast as they go, and what became of
 * each.
 */


#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


#define STALE    20000000000ll   /* ns without an answer */
#define AGAIN    20000000ll      /* ns before another connect */
#define SAMPLES  4000000


static void options(int argc, char **argv);
static void call(conn_t *c);
static void ask(conn_t *c);
static void lost(conn_t *c);
static void sample(int64_t ns);
static int body_done(conn_t *c, const char *p, size_t n);
static int head_done(conn_t *c, size_t *at);
static void hear(conn_t *c);
static int compare(const void *a, const void *b);
static void report(int64_t began);


static struct {
    int                 port;
    int                 conns;
    double              rate;
    uint64_t            count;
    double              seconds;
    int                 prompt;
    uint64_t            tag;
    const char         *say;
    FILE               *log;
    char               *body;

    uint64_t            begun;
    uint64_t            done;
    uint64_t            failed;
    uint64_t            events;
    uint64_t            samples;
    uint32_t           *delay;       /* us, of events or of answers */
} cl;


static void
options(int argc, char **argv)
{
    int  o, n;

    cl.conns = 16;
    cl.count = UINT64_MAX;
    cl.seconds = 1e9;
    cl.prompt = 512;
    cl.tag = 1;
    cl.say = "json-1024";

    while ((o = getopt(argc, argv, "c:r:n:d:b:f:s:o:")) != -1) {
        switch (o) {
        case 'c': cl.conns = atoi(optarg); break;
        case 'r': cl.rate = atof(optarg); break;
        case 'n': cl.count = strtoull(optarg, NULL, 10); break;
        case 'd': cl.seconds = atof(optarg); break;
        case 'b': cl.prompt = atoi(optarg); break;
        case 'f': cl.tag = strtoull(optarg, NULL, 10); break;
        case 's': cl.say = optarg; break;
        case 'o': cl.log = fopen(optarg, "we"); break;
        default: exit(2);
        }
    }

    cl.port = optind < argc ? atoi(argv[optind]) : 0;

    cl.body = malloc(cl.prompt + 256);
    cl.delay = malloc(SAMPLES * sizeof(uint32_t));
    if (cl.body == NULL || cl.delay == NULL) {
        abort();
    }

    n = sprintf(cl.body, "{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":"
                "\"user\",\"content\":\"");

    while (n < cl.prompt - 5) {
        cl.body[n] = n % 6 == 5 ? ' ' : 'a' + (n * 7 + n / 13) % 26;
        n++;
    }

    strcpy(cl.body + n, "\"}]}");
}


static void
call(conn_t *c)
{
    int                 on;
    struct sockaddr_in  sa;

    on = 1;
    memset(&sa, 0, sizeof(sa));
    sa.sin_family = AF_INET;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons(cl.port);

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->have = 0;
    c->headed = 0;
    c->len = 0;
    c->sent = 0;
    c->busy = 0;

    if (connect(c->fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        close(c->fd);
        c->fd = -1;
        c->since = now_ns();
        return;
    }

    (void) fcntl(c->fd, F_SETFL, O_NONBLOCK);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}


static void
ask(conn_t *c)
{
    int   n;
    char  head[512];

    c->tag = cl.tag++;
    c->busy = 1;
    c->headed = 0;
    c->have = 0;
    c->bad = 0;
    c->last = 0;
    c->since = now_ns();
    cl.begun++;

    n = snprintf(head, sizeof(head),
                 "POST /v1/chat/completions HTTP/1.1\r\n"
                 "Host: api.example\r\nContent-Type: application/json\r\n"
                 "Authorization: Bearer sk-test-0123456789abcdef\r\n"
                 "User-Agent: load\r\nX-Tag: %llu\r\nX-Say: %s\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 (unsigned long long) c->tag, cl.say, strlen(cl.body));
    queue(c, head, n);
    queue(c, cl.body, strlen(cl.body));

    if (cl.log != NULL) {
        fprintf(cl.log, "s %llu %lld\n", (unsigned long long) c->tag,
                (long long) (c->since / 1000000));
    }

    if (push(c) < 0) {
        lost(c);
    }
}


static void
lost(conn_t *c)
{
    cl.failed += c->busy;
    close(c->fd);
    c->fd = -1;
    c->busy = 0;
    c->since = now_ns();
}


static void
sample(int64_t ns)
{
    if (cl.samples < SAMPLES) {
        cl.delay[cl.samples++] = ns > 0 ? ns / 1000 : 0;
    }
}


/* Takes a part of the body; 1 when the body is whole. */

static int
body_done(conn_t *c, const char *p, size_t n)
{
    size_t       part;
    const char  *nl, *end;

    if (!c->chunked) {
        c->left -= n;
        return c->left <= 0;
    }

    for (end = p + n; p < end; p += part) {
        if (c->left > 0) {
            part = end - p < c->left ? end - p : c->left;
            c->left -= part;
            continue;
        }

        /* a line: the chunk's size, or what ends a chunk or the body */
        nl = memchr(p, '\n', end - p);
        if (nl == NULL) {
            memcpy(c->in, p, end - p);
            c->have = end - p;
            return 0;
        }

        part = nl + 1 - p;

        if (part == 2) {
            if (c->last) {
                return 1;
            }

            continue;
        }

        c->left = strtoll(p, NULL, 16);
        c->last = c->left == 0;
    }

    return 0;
}


static int
head_done(conn_t *c, size_t *at)
{
    char  *end, *p;

    c->in[c->have] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }

    *end = '\0';
    *at = end + 4 - c->in;
    c->headed = 1;
    c->bad = strncmp(c->in, "HTTP/1.1 200", 12) != 0;
    c->chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked") != NULL;
    p = strcasestr(c->in, "\r\ncontent-length:");
    c->left = p != NULL ? atoll(p + 17) : 0;

    return 1;
}


static void
hear(conn_t *c)
{
    char     *p;
    size_t    at, have;
    ssize_t   n;
    int64_t   now;

    for ( ;; ) {
        n = recv(c->fd, c->in + c->have, BUF - 1 - c->have, 0);

        if (n < 0 && errno == EAGAIN) {
            return;
        }

        if (n <= 0) {
            lost(c);
            return;
        }

        now = now_ns();
        have = c->have + n;
        c->have = have;
        c->in[have] = '\0';
        at = 0;

        for (p = c->in; (p = strstr(p, "\"at\":")) != NULL; p += 5) {
            cl.events++;
            sample(now - atoll(p + 5));
        }

        if (!c->headed && !head_done(c, &at)) {
            continue;
        }

        c->have = 0;

        if (!body_done(c, c->in + at, have - at)) {
            continue;
        }

        c->busy = 0;

        if (c->bad) {
            cl.failed++;
            return;
        }

        cl.done++;

        if (!c->chunked) {
            sample(now - c->since);
        }

        if (cl.log != NULL) {
            fprintf(cl.log, "d %llu %lld\n", (unsigned long long) c->tag,
                    (long long) (now / 1000000));
        }

        return;
    }
}


static int
compare(const void *a, const void *b)
{
    uint32_t  x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return x < y ? -1 : x > y;
}


static void
report(int64_t began)
{
    uint64_t  n;

    n = cl.samples;
    qsort(cl.delay, n, sizeof(uint32_t), compare);

    if (n == 0) {
        cl.delay[0] = 0;
        n = 1;
    }

    printf("{\"begun\":%llu,\"done\":%llu,\"failed\":%llu,\"events\":%llu,"
           "\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u}\n",
           (unsigned long long) cl.begun, (unsigned long long) cl.done,
           (unsigned long long) cl.failed, (unsigned long long) cl.events,
           (now_ns() - began) / 1e9, cl.delay[n / 2], cl.delay[n * 99 / 100],
           cl.delay[n * 999 / 1000]);
}


int
client(int argc, char **argv)
{
    int                  i, n, free_at;
    conn_t              *all, *c;
    double               owed;
    int64_t              began, now, then;
    struct epoll_event   ev[EVENTS];

    options(argc, argv);
    all = calloc(cl.conns, sizeof(conn_t));
    if (all == NULL) {
        abort();
    }

    for (i = 0; i < cl.conns; i++) {
        call(&all[i]);
    }

    owed = 0;
    free_at = 0;
    began = then = now_ns();

    while (run && cl.done + cl.failed < cl.count) {
        now = now_ns();

        if (now - began > cl.seconds * 1e9) {
            break;
        }

        owed += cl.rate * (now - then) / 1e9;
        if (owed > cl.conns) {
            owed = cl.conns;
        }

        then = now;

        for (i = 0; i < cl.conns && cl.begun < cl.count; i++) {
            c = &all[(free_at + i) % cl.conns];

            if (c->busy && now - c->since > STALE) {
                lost(c);
            }

            if (c->fd < 0 && now - c->since > AGAIN) {
                call(c);
            }

            if (c->fd < 0 || c->busy || (cl.rate > 0 && owed < 1)) {
                continue;
            }

            owed -= 1;
            ask(c);
        }

        free_at++;
        n = epoll_wait(ep, ev, EVENTS, cl.rate > 0 ? 1 : 100);

        for (i = 0; i < n; i++) {
            c = ev[i].data.ptr;

            if (c->fd >= 0 && (ev[i].events & EPOLLOUT) && push(c) == 1) {
                watch(c, EPOLL_CTL_MOD, EPOLLIN);
            }

            if (c->fd >= 0 && (ev[i].events & ~EPOLLOUT)) {
                hear(c);
            }
        }
    }

    if (cl.log != NULL) {
        fclose(cl.log);
    }

    report(began);

    return 0;
}
