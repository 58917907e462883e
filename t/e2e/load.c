
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
 *                    [-f first tag] [-s say] [-o log]
 *
 * The client's requests have the headers X-Tag and X-Say, which is
 *
 *   json-BYTES            one answer of about that size
 *   sse-EVENTS-GAP        a stream, GAP microseconds between its events
 *   raw-BYTES             an answer whose content is that long
 *
 * and every answer's usage names TAG input and TAG % 97 + 1 output tokens.
 * The log has a line `s TAG MS` for each exchange begun and `d TAG MS` for
 * each whole answer (status 200, every byte), by the monotonic clock.  The
 * client ends with one line of JSON on stdout.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define BUF      65536
#define EVENTS   256
#define STALE    20000000000ll   /* ns without an answer */
#define AGAIN    20000000ll      /* ns before another connect */
#define SAMPLES  4000000


typedef struct conn_s  conn_t;

struct conn_s {
    int          fd;
    int          busy;
    conn_t      *next;           /* upstream: in the queue of streams */

    /* what was read: a head, then a body */
    char         in[BUF];
    size_t       have;
    int          headed;
    int          chunked;
    int          status;
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
    int64_t      filler;         /* raw bytes still to be sent */
};


static int  run;
static int  ep;

static int64_t now_ns(void);
static void stop(int sig);
static void watch(conn_t *c, int op, uint32_t events);
static int push(conn_t *c);
static void queue(conn_t *c, const char *data, size_t n);
static int upstream(int port);
static int client(int argc, char **argv);


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


static int64_t
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


static void
watch(conn_t *c, int op, uint32_t events)
{
    struct epoll_event  ev;

    ev.events = events;
    ev.data.ptr = c;
    (void) epoll_ctl(ep, op, c->fd, &ev);
}


/* Writes what is queued: 1 if all of it went, 0 if not yet, -1 on error. */

static int
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


static void
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


/* --- the upstream --- */


#define MODEL  "\"model\":\"gpt-4o-mini-2024-07-18\""

static conn_t  *streams, **streams_end = &streams;

static void event(conn_t *c, const char *text, int n);
static void answer(conn_t *c, const char *say);
static int refill(conn_t *c);
static void due(void);
static int readable(conn_t *c);
static void serve(conn_t *c, uint32_t events);


static void
event(conn_t *c, const char *text, int n)
{
    int   size;
    char  head[16];

    size = snprintf(head, sizeof(head), "%x\r\n", n);
    queue(c, head, size);
    queue(c, text, n);
    queue(c, "\r\n", 2);
}


static void
answer(conn_t *c, const char *say)
{
    int                 n, tail;
    char                text[1024], end[512], head[256];
    long long           bytes;
    unsigned            out;
    unsigned long long  in;

    in = c->tag;
    out = c->tag % 97 + 1;
    bytes = 0;

    if (sscanf(say, "sse-%d-%lld", &c->events, (long long *) &c->gap) == 2) {
        n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n"
                     "Content-Type: text/event-stream\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
        queue(c, head, n);
        c->gap *= 1000;
        c->due = now_ns();
        c->next = NULL;
        *streams_end = c;
        streams_end = &c->next;
        return;
    }

    if (sscanf(say, "json-%lld", &bytes) != 1) {
        (void) sscanf(say, "raw-%lld", &bytes);
    }

    n = snprintf(text, sizeof(text), "{\"id\":\"chatcmpl-%llu\","
                 "\"object\":\"chat.completion\",\"created\":1760000000," MODEL
                 ",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                 "\"assistant\",\"content\":\"", in);
    tail = snprintf(end, sizeof(end), "\"},\"logprobs\":null,"
                    "\"finish_reason\":\"stop\"}],\"usage\":{"
                    "\"prompt_tokens\":%llu,\"completion_tokens\":%u,"
                    "\"total_tokens\":%llu}}", in, out, in + out);

    bytes -= n + tail;
    if (bytes < 0) {
        bytes = 0;
    }

    queue(c, head, snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n"
          "Content-Type: application/json\r\nContent-Length: %lld\r\n\r\n",
          n + tail + bytes));
    queue(c, text, n);
    c->filler = bytes;

    /* the end is kept in the buffer of the request until the filler went */
    memcpy(c->in, end, tail);
    c->left = tail;
}


/* Queues more of a long answer; 0 if there is no more. */

static int
refill(conn_t *c)
{
    size_t       n, i;
    static char  words[BUF];

    if (words[0] == 0) {
        for (i = 0; i < BUF; i++) {
            words[i] = i % 6 == 5 ? ' ' : 'a' + (i * 7 + i / 13) % 26;
        }
    }

    if (c->filler > 0) {
        n = c->filler < BUF ? c->filler : BUF;
        queue(c, words, n);
        c->filler -= n;
        return 1;
    }

    if (c->left > 0) {
        queue(c, c->in, c->left);
        c->left = 0;
        return 1;
    }

    return 0;
}


/* Sends the events whose time has come; all gaps of a run are the same. */

static void
due(void)
{
    int       n;
    char      text[1024];
    conn_t   *c;
    int64_t   now;

    while ((c = streams) != NULL) {
        now = now_ns();

        if (c->fd >= 0 && c->due > now) {
            return;
        }

        streams = c->next;
        if (streams == NULL) {
            streams_end = &streams;
        }

        if (c->fd < 0) {
            free(c->out);
            free(c);
            continue;
        }

        if (c->events-- > 0) {
            n = snprintf(text, sizeof(text), "data: {\"id\":\"chatcmpl-%llu\","
                         "\"object\":\"chat.completion.chunk\",\"created\":"
                         "1760000000," MODEL ",\"at\":%lld,\"choices\":[{"
                         "\"index\":0,\"delta\":{\"content\":\"some words\"},"
                         "\"finish_reason\":null}]}\n\n",
                         (unsigned long long) c->tag, (long long) now);
            event(c, text, n);
            c->due = c->due + c->gap;
            c->next = NULL;
            *streams_end = c;
            streams_end = &c->next;

        } else {
            n = snprintf(text, sizeof(text), "data: {\"id\":\"chatcmpl-%llu\","
                         "\"object\":\"chat.completion.chunk\",\"created\":"
                         "1760000000," MODEL ",\"choices\":[{\"index\":0,"
                         "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":"
                         "{\"prompt_tokens\":%llu,\"completion_tokens\":%u,"
                         "\"total_tokens\":%llu}}\n\ndata: [DONE]\n\n",
                         (unsigned long long) c->tag,
                         (unsigned long long) c->tag,
                         (unsigned) (c->tag % 97 + 1),
                         (unsigned long long) (c->tag + c->tag % 97 + 1));
            event(c, text, n);
            queue(c, "0\r\n\r\n", 5);
            c->busy = 0;
            c->events = 0;
        }

        (void) push(c);
    }
}


/* Reads a request: 1 if it is whole, 0 if not yet, -1 at the end. */

static int
readable(conn_t *c)
{
    char     *p, *end;
    ssize_t   n;

    for ( ;; ) {
        n = recv(c->fd, c->in + c->have, BUF - 1 - c->have, 0);

        if (n < 0 && errno == EAGAIN) {
            return 0;
        }

        if (n <= 0) {
            return -1;
        }

        c->have += n;
        c->in[c->have] = '\0';

        if (!c->headed) {
            end = strstr(c->in, "\r\n\r\n");
            if (end == NULL) {
                continue;
            }

            c->headed = 1;
            p = strcasestr(c->in, "\r\ncontent-length:");
            c->left = p != NULL && p < end ? atoll(p + 17) : 0;
            c->left -= c->have - (end + 4 - c->in);

        } else {
            c->left -= n;
        }

        if (c->left <= 0) {
            return 1;
        }

        /* of a long body only the head is kept */
        if (c->have > BUF / 2) {
            c->have = BUF / 2;
        }
    }
}


static void
serve(conn_t *c, uint32_t events)
{
    int   rc;
    char *p, say[64];

    rc = 0;

    if (events & EPOLLIN) {
        rc = readable(c);
    }

    if (rc < 0) {
        close(c->fd);
        c->fd = -1;

        if (!c->busy) {
            free(c->out);
            free(c);
        }

        return;
    }

    if (rc == 1) {
        p = strstr(c->in, "X-Tag: ");
        c->tag = p != NULL ? strtoull(p + 7, NULL, 10) : 0;
        p = strstr(c->in, "X-Say: ");
        say[0] = '\0';

        if (p != NULL) {
            (void) sscanf(p + 7, "%63[a-z0-9-]", say);
        }

        c->have = 0;
        c->headed = 0;
        c->left = 0;
        answer(c, say);
        c->busy = c->due != 0;
    }

    while (push(c) == 1 && refill(c)) {
        /* on */
    }

    if (c->len == 0 && (events & EPOLLOUT)) {
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }

    if (!c->busy) {
        c->due = 0;
    }
}


static int
upstream(int port)
{
    int                  i, n, fd, on, wait;
    conn_t              *c;
    conn_t               door;
    int64_t              left;
    struct sockaddr_in   sa;
    struct epoll_event   ev[EVENTS];

    on = 1;
    memset(&sa, 0, sizeof(sa));
    memset(&door, 0, sizeof(door));
    sa.sin_family = AF_INET;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sa.sin_port = htons(port);

    door.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(door.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind(door.fd, (struct sockaddr *) &sa, sizeof(sa)) < 0
        || listen(door.fd, 4096) < 0)
    {
        perror("upstream");
        return 1;
    }

    watch(&door, EPOLL_CTL_ADD, EPOLLIN);

    while (run) {
        wait = 1000;

        if (streams != NULL) {
            left = streams->due - now_ns();
            wait = left < 0 ? 0 : left / 1000000;
        }

        n = epoll_wait(ep, ev, EVENTS, wait);

        for (i = 0; i < n; i++) {
            if (ev[i].data.ptr != &door) {
                serve(ev[i].data.ptr, ev[i].events);
                continue;
            }

            while ((fd = accept4(door.fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                c = calloc(1, sizeof(conn_t));
                if (c == NULL) {
                    abort();
                }

                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                c->fd = fd;
                watch(c, EPOLL_CTL_ADD, EPOLLIN);
            }
        }

        due();
    }

    return 0;
}


/* --- the client --- */


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


static int
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
