
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
static void bell(int port);
static void call(conn_t *c);
static void ask(conn_t *c);
static void lost(conn_t *c);
static void sample(uint32_t *to, uint64_t *n, int64_t ns);
static int body_done(conn_t *c, const char *p, size_t n);
static int head_done(conn_t *c, size_t *at);
static void hear(conn_t *c);
static int compare(const void *a, const void *b);
static uint32_t below(const uint32_t *sorted, uint64_t n, int thousandths);
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
    const char         *path;
    struct sockaddr_in  told;        /* -a */
    int                 bell;
    FILE               *log;
    char               *body;

    uint64_t            begun;
    uint64_t            done;
    uint64_t            failed;
    uint64_t            events;
    uint64_t            bytes;       /* of answers, as they were on the wire */
    uint64_t            samples;
    uint32_t           *delay;       /* us, of events or of answers */
    uint64_t            firsts;
    uint32_t           *first;       /* us until a body has begun */
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
    cl.path = "/v1/chat/completions";
    cl.bell = -1;

    while ((o = getopt(argc, argv, "c:r:n:d:b:f:s:o:u:a:")) != -1) {
        switch (o) {
        case 'c': cl.conns = atoi(optarg); break;
        case 'r': cl.rate = atof(optarg); break;
        case 'n': cl.count = strtoull(optarg, NULL, 10); break;
        case 'd': cl.seconds = atof(optarg); break;
        case 'b': cl.prompt = atoi(optarg); break;
        case 'f': cl.tag = strtoull(optarg, NULL, 10); break;
        case 's': cl.say = optarg; break;
        case 'a': bell(atoi(optarg)); break;
        case 'u': cl.path = optarg; break;
        case 'o': cl.log = fopen(optarg, "we"); break;
        default: exit(2);
        }
    }

    cl.port = optind < argc ? atoi(argv[optind]) : 0;

    cl.body = malloc(cl.prompt + 256);
    cl.delay = malloc(SAMPLES * sizeof(uint32_t));
    cl.first = malloc(SAMPLES * sizeof(uint32_t));
    if (cl.body == NULL || cl.delay == NULL || cl.first == NULL) {
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
bell(int port)
{
    cl.told.sin_family = AF_INET;
    cl.told.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cl.told.sin_port = htons(port);
    cl.bell = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
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
    c->begun = 0;
    c->have = 0;
    c->bad = 0;
    c->last = 0;
    c->since = now_ns();
    cl.begun++;

    n = snprintf(head, sizeof(head),
                 "POST %s HTTP/1.1\r\n"
                 "Host: api.example\r\nContent-Type: application/json\r\n"
                 "Authorization: Bearer sk-test-0123456789abcdef\r\n"
                 "User-Agent: load\r\nX-Tag: %llu\r\nX-Say: %s\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 cl.path, (unsigned long long) c->tag, cl.say, strlen(cl.body));
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
sample(uint32_t *to, uint64_t *n, int64_t ns)
{
    if (*n < SAMPLES) {
        to[(*n)++] = ns > 0 ? ns / 1000 : 0;
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
            sample(cl.delay, &cl.samples, now - atoll(p + 5));

            if (cl.bell >= 0) {
                (void) sendto(cl.bell, &c->tag, sizeof(c->tag), 0,
                              (struct sockaddr *) &cl.told, sizeof(cl.told));
            }
        }

        if (!c->headed && !head_done(c, &at)) {
            continue;
        }

        if (!c->begun && have > at) {
            c->begun = 1;
            sample(cl.first, &cl.firsts, now - c->since);
        }

        cl.bytes += have - at;
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
            sample(cl.delay, &cl.samples, now - c->since);
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


/* The value that so many of a thousand are below, of sorted ones. */

static uint32_t
below(const uint32_t *sorted, uint64_t n, int thousandths)
{
    return n > 0 ? sorted[n * thousandths / 1000] : 0;
}


static void
report(int64_t began)
{
    qsort(cl.delay, cl.samples, sizeof(uint32_t), compare);
    qsort(cl.first, cl.firsts, sizeof(uint32_t), compare);

    printf("{\"begun\":%llu,\"done\":%llu,\"failed\":%llu,\"events\":%llu,"
           "\"bytes\":%llu,\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,"
           "\"p999_us\":%u,\"first_p50_us\":%u,\"first_p99_us\":%u}\n",
           (unsigned long long) cl.begun, (unsigned long long) cl.done,
           (unsigned long long) cl.failed, (unsigned long long) cl.events,
           (unsigned long long) cl.bytes, (now_ns() - began) / 1e9,
           below(cl.delay, cl.samples, 500), below(cl.delay, cl.samples, 990),
           below(cl.delay, cl.samples, 999), below(cl.first, cl.firsts, 500),
           below(cl.first, cl.firsts, 990));
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
