
/*
 * Copyright (C) llm_monitor contributors
 *
 * The upstream: answers of any length, and streams whose events are sent when
 * their time has come.
 */


#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


#define NEVER  60000000000ll     /* ns until an event that is not asked for */

#define MODEL  "\"model\":\"gpt-4o-mini-2024-07-18\""


static void event(conn_t *c, const char *text, int n);
static void begin(conn_t *c);
static void middle(conn_t *c, int64_t now);
static void finish(conn_t *c);
static void answer(conn_t *c, const char *say);
static int refill(conn_t *c);
static void due(void);
static void asked(int fd);
static int readable(conn_t *c);
static void serve(conn_t *c, uint32_t events);


static conn_t  *streams, **streams_end = &streams;


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
begin(conn_t *c)
{
    int   n;
    char  text[1024];

    n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n"
                 "Content-Type: text/event-stream\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    queue(c, text, n);

    if (c->anthropic) {
        n = snprintf(text, sizeof(text), "event: message_start\ndata: {"
                     "\"type\":\"message_start\",\"message\":{\"id\":"
                     "\"msg_%llu\",\"type\":\"message\",\"role\":"
                     "\"assistant\",\"model\":\"claude-sonnet-4-20250514\","
                     "\"content\":[],\"stop_reason\":null,\"stop_sequence\":"
                     "null,\"usage\":{\"input_tokens\":%llu,"
                     "\"output_tokens\":1}}}\n\nevent: content_block_start\n"
                     "data: {\"type\":\"content_block_start\",\"index\":0,"
                     "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}"
                     "\n\n",
                     (unsigned long long) c->tag, (unsigned long long) c->tag);
        event(c, text, n);
    }
}


/* An event of words, with the time at which it is sent. */

static void
middle(conn_t *c, int64_t now)
{
    int   n;
    char  text[1024];

    if (c->anthropic) {
        n = snprintf(text, sizeof(text), "event: content_block_delta\ndata: {"
                     "\"type\":\"content_block_delta\",\"index\":0,"
                     "\"delta\":{\"type\":\"text_delta\",\"text\":"
                     "\"some words\"},\"at\":%lld}\n\n", (long long) now);

    } else {
        n = snprintf(text, sizeof(text), "data: {\"id\":\"chatcmpl-%llu\","
                     "\"object\":\"chat.completion.chunk\",\"created\":"
                     "1760000000," MODEL ",\"at\":%lld,\"choices\":[{"
                     "\"index\":0,\"delta\":{\"content\":\"some words\"},"
                     "\"finish_reason\":null}]}\n\n",
                     (unsigned long long) c->tag, (long long) now);
    }

    event(c, text, n);
}


static void
finish(conn_t *c)
{
    int                 n;
    char                text[1024];
    unsigned            out;
    unsigned long long  in;

    in = c->tag;
    out = c->tag % 97 + 1;

    if (c->anthropic) {
        n = snprintf(text, sizeof(text), "event: content_block_stop\ndata: {"
                     "\"type\":\"content_block_stop\",\"index\":0}\n\n"
                     "event: message_delta\ndata: {\"type\":"
                     "\"message_delta\",\"delta\":{\"stop_reason\":"
                     "\"end_turn\",\"stop_sequence\":null},\"usage\":{"
                     "\"output_tokens\":%u}}\n\nevent: message_stop\n"
                     "data: {\"type\":\"message_stop\"}\n\n", out);

    } else {
        n = snprintf(text, sizeof(text), "data: {\"id\":\"chatcmpl-%llu\","
                     "\"object\":\"chat.completion.chunk\",\"created\":"
                     "1760000000," MODEL ",\"choices\":[{\"index\":0,"
                     "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":"
                     "{\"prompt_tokens\":%llu,\"completion_tokens\":%u,"
                     "\"total_tokens\":%llu}}\n\ndata: [DONE]\n\n",
                     in, in, out, in + out);
    }

    event(c, text, n);
    queue(c, "0\r\n\r\n", 5);
    c->busy = 0;
    c->events = 0;
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

    c->anthropic = strncmp(say, "anth-", 5) == 0;

    if (sscanf(say, "%*[a-z]-%d-%lld", &c->events, (long long *) &c->gap)
        == 2)
    {
        begin(c);
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
    c->tail = tail;
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

    if (c->tail > 0) {
        queue(c, c->in, c->tail);
        c->tail = 0;
        return 1;
    }

    return 0;
}


/* Sends the events whose time has come; all gaps of a run are the same. */

static void
due(void)
{
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
            middle(c, now);
            c->due = c->gap > 0 ? c->due + c->gap : now + NEVER;
            c->next = NULL;
            *streams_end = c;
            streams_end = &c->next;

        } else {
            finish(c);
        }

        (void) push(c);
    }
}


/* Clients have had an event: of streams without a gap the next one is due. */

static void
asked(int fd)
{
    conn_t    *c;
    uint64_t   tag;

    while (recv(fd, &tag, sizeof(tag), MSG_DONTWAIT) == sizeof(tag)) {

        for (c = streams; c != NULL; c = c->next) {
            if (c->tag == tag && c->gap == 0) {
                c->due = 0;
            }
        }
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


int
upstream(int port)
{
    int                  i, n, fd, on, wait;
    conn_t              *c;
    conn_t               door, bell;
    int64_t              left;
    struct sockaddr_in   sa;
    struct epoll_event   ev[EVENTS];

    on = 1;
    memset(&sa, 0, sizeof(sa));
    memset(&door, 0, sizeof(door));
    memset(&bell, 0, sizeof(bell));
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

    bell.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (bind(bell.fd, (struct sockaddr *) &sa, sizeof(sa)) < 0) {
        perror("upstream");
        return 1;
    }

    watch(&door, EPOLL_CTL_ADD, EPOLLIN);
    watch(&bell, EPOLL_CTL_ADD, EPOLLIN);

    while (run) {
        wait = 1000;

        if (streams != NULL) {
            left = streams->due - now_ns();
            wait = left < 0 ? 0 : left / 1000000;
        }

        n = epoll_wait(ep, ev, EVENTS, wait);

        for (i = 0; i < n; i++) {
            if (ev[i].data.ptr == &bell) {
                asked(bell.fd);
                continue;
            }

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
