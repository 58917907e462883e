
/*
 * Copyright (C) llm_monitor contributors
 *
 * The format: https://smithy.io/2.0/aws/amazon-eventstream.html.  A frame that
 * lies whole in the bytes of one call is read where it is; others are gathered.
 */


#include <string.h>

#include "llm_aws.h"


#define LLM_AWS_PRELUDE   12           /* total, headers, CRC of both */
#define LLM_AWS_LEAST     16           /* prelude and CRC of the frame */
#define LLM_AWS_FRAME     1048576
#define LLM_AWS_KEPT      4096         /* buffers up to that are kept */

#define LLM_AWS_BYTES     6            /* types of header values */
#define LLM_AWS_STRING    7


struct llm_aws_s {
    llm_mem_t    mem;
    llm_aws_pt   fn;
    void        *data;

    int          rc;
    uint32_t     skip;                 /* bytes still to be passed over */

    uint8_t      prelude[LLM_AWS_PRELUDE];
    size_t       nprelude;

    uint8_t     *frame;                /* NULL: none is being gathered */
    size_t       cap;
    size_t       len;
    uint32_t     total;                /* of the frame being gathered, or 0 */
};


static size_t llm_aws_prelude(llm_aws_t *a, const uint8_t *p, size_t n);
static size_t llm_aws_gather(llm_aws_t *a, const uint8_t *p, size_t n);
static int llm_aws_begin(llm_aws_t *a, const uint8_t *p);
static int llm_aws_frame(llm_aws_t *a, const uint8_t *p, size_t n);
static int llm_aws_headers(llm_aws_frame_t *f, const uint8_t *p, size_t n);
static int llm_aws_value_size(int type, const uint8_t *p, size_t n);
static uint32_t llm_aws_number(const uint8_t *p);
static uint32_t llm_aws_crc(uint32_t crc, const uint8_t *p, size_t n);


int
llm_aws_create(llm_aws_t **a, const llm_mem_t *mem, llm_aws_pt fn, void *data)
{
    llm_aws_t  *aws;

    aws = mem->alloc(mem->data, sizeof(llm_aws_t));
    *a = aws;

    if (aws == NULL) {
        return LLM_NOMEM;
    }

    memset(aws, 0, sizeof(llm_aws_t));

    aws->mem = *mem;
    aws->fn = fn;
    aws->data = data;

    return LLM_OK;
}


int
llm_aws_feed(llm_aws_t *a, const uint8_t *p, size_t n)
{
    size_t    size;
    uint32_t  total;

    while (n != 0 && a->rc == LLM_OK) {

        if (a->skip != 0) {
            size = (a->skip < n) ? a->skip : n;
            a->skip -= (uint32_t) size;

        } else if (a->total != 0) {
            size = llm_aws_gather(a, p, n);

        } else if (a->nprelude == 0 && n >= LLM_AWS_LEAST
                   && (total = llm_aws_number(p)) <= n
                   && total <= LLM_AWS_FRAME)
        {
            a->rc = llm_aws_frame(a, p, total);
            size = total;

        } else {
            size = llm_aws_prelude(a, p, n);
        }

        p += size;
        n -= size;
    }

    return a->rc;
}


/* Takes bytes of a prelude and begins a frame once it is whole. */

static size_t
llm_aws_prelude(llm_aws_t *a, const uint8_t *p, size_t n)
{
    size_t  size;

    size = LLM_AWS_PRELUDE - a->nprelude;
    if (size > n) {
        size = n;
    }

    memcpy(a->prelude + a->nprelude, p, size);
    a->nprelude += size;

    if (a->nprelude == LLM_AWS_PRELUDE) {
        a->nprelude = 0;
        a->rc = llm_aws_begin(a, a->prelude);
    }

    return size;
}


static int
llm_aws_begin(llm_aws_t *a, const uint8_t *p)
{
    uint32_t  total;

    total = llm_aws_number(p);

    if (total < LLM_AWS_LEAST
        || llm_aws_number(p + 4) > total - LLM_AWS_LEAST
        || llm_aws_crc(0, p, 8) != llm_aws_number(p + 8))
    {
        return LLM_ERROR;
    }

    if (total > LLM_AWS_FRAME) {
        a->skip = total - LLM_AWS_PRELUDE;
        return LLM_OK;
    }

    if (a->cap < total) {

        if (a->frame != NULL) {
            a->mem.free(a->mem.data, a->frame);
        }

        a->cap = (total < LLM_AWS_KEPT) ? LLM_AWS_KEPT : total;
        a->frame = a->mem.alloc(a->mem.data, a->cap);

        if (a->frame == NULL) {
            a->cap = 0;
            a->skip = total - LLM_AWS_PRELUDE;
            return LLM_OK;
        }
    }

    memcpy(a->frame, p, LLM_AWS_PRELUDE);

    a->len = LLM_AWS_PRELUDE;
    a->total = total;

    return LLM_OK;
}


static size_t
llm_aws_gather(llm_aws_t *a, const uint8_t *p, size_t n)
{
    size_t  size;

    size = a->total - a->len;
    if (size > n) {
        size = n;
    }

    memcpy(a->frame + a->len, p, size);
    a->len += size;

    if (a->len == a->total) {
        a->total = 0;
        a->rc = llm_aws_frame(a, a->frame, a->len);

        if (a->cap > LLM_AWS_KEPT) {
            a->mem.free(a->mem.data, a->frame);
            a->frame = NULL;
            a->cap = 0;
        }
    }

    return size;
}


static int
llm_aws_frame(llm_aws_t *a, const uint8_t *p, size_t n)
{
    uint32_t         headers;
    llm_aws_frame_t  f;

    if (n < LLM_AWS_LEAST) {
        return LLM_ERROR;
    }

    headers = llm_aws_number(p + 4);

    if (headers > n - LLM_AWS_LEAST
        || llm_aws_crc(0, p, 8) != llm_aws_number(p + 8)
        || llm_aws_crc(0, p, n - 4) != llm_aws_number(p + n - 4))
    {
        return LLM_ERROR;
    }

    memset(&f, 0, sizeof(llm_aws_frame_t));

    if (llm_aws_headers(&f, p + LLM_AWS_PRELUDE, headers) != LLM_OK) {
        return LLM_ERROR;
    }

    f.payload.data = p + LLM_AWS_PRELUDE + headers;
    f.payload.len = n - LLM_AWS_LEAST - headers;

    a->fn(a->data, &f);

    return LLM_OK;
}


static int
llm_aws_headers(llm_aws_frame_t *f, const uint8_t *p, size_t n)
{
    int         size, type;
    size_t      i, len;
    llm_str_t  *s;

    static const struct {
        const char  *name;
        size_t       offset;
    } names[] = {
        { ":event-type", offsetof(llm_aws_frame_t, event_type) },
        { ":exception-type", offsetof(llm_aws_frame_t, event_type) },
        { ":error-code", offsetof(llm_aws_frame_t, event_type) },
        { ":message-type", offsetof(llm_aws_frame_t, message_type) }
    };

    while (n != 0) {
        len = *p;

        if (n < 2 + len) {
            return LLM_ERROR;
        }

        type = p[1 + len];
        size = llm_aws_value_size(type, p + 2 + len, n - 2 - len);

        if (size < 0) {
            return LLM_ERROR;
        }

        s = NULL;

        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

            if (strlen(names[i].name) == len
                && memcmp(names[i].name, p + 1, len) == 0)
            {
                s = (llm_str_t *) ((uint8_t *) f + names[i].offset);
                break;
            }
        }

        if (s != NULL && type == LLM_AWS_STRING) {
            s->data = p + 2 + len + 2;
            s->len = (size_t) size - 2;
        }

        p += 2 + len + size;
        n -= 2 + len + size;
    }

    return LLM_OK;
}


/* The bytes of a header's value at p, its own length included. */

static int
llm_aws_value_size(int type, const uint8_t *p, size_t n)
{
    int  size;

    /* true, false, byte, short, integer, long, -, -, timestamp, uuid */

    static const int  sizes[] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };

    if (type >= (int) (sizeof(sizes) / sizeof(sizes[0]))) {
        return LLM_ERROR;
    }

    size = sizes[type];

    if (type == LLM_AWS_BYTES || type == LLM_AWS_STRING) {

        if (n < 2) {
            return LLM_ERROR;
        }

        size = 2 + p[0] * 256 + p[1];
    }

    return ((size_t) size > n) ? LLM_ERROR : size;
}


void
llm_aws_destroy(llm_aws_t *a)
{
    if (a == NULL) {
        return;
    }

    if (a->frame != NULL) {
        a->mem.free(a->mem.data, a->frame);
    }

    a->mem.free(a->mem.data, a);
}


static uint32_t
llm_aws_number(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


/* CRC-32 of IEEE 802.3, four bits at a time: frames are short */

static uint32_t
llm_aws_crc(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t  table[] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
    };

    crc = ~crc;

    while (n--) {
        crc ^= *p++;
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }

    return ~crc;
}
