
/*
 * Copyright (C) llm_monitor contributors
 *
 * Frames of AWS event streams, for tests.
 */


#ifndef _AWS_H_INCLUDED_
#define _AWS_H_INCLUDED_


#include <stdint.h>
#include <string.h>
#include <zlib.h>


/* headers of a frame that is a chunk of a stream */

#define EVENT      ":event-type"
#define EXCEPTION  ":exception-type"
#define MESSAGE    ":message-type"
#define H1  "\x0b" EVENT "\x07\0\x05" "chunk" \
            "\x0d" MESSAGE "\x07\0\x05" "event"


static void
number(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t) (v >> 24);
    p[1] = (uint8_t) (v >> 16);
    p[2] = (uint8_t) (v >> 8);
    p[3] = (uint8_t) v;
}


/* writes a frame to p: its size; payload NULL: of so many letters */

static size_t
frame(uint8_t *p, const char *headers, size_t nheaders, const char *payload,
    size_t npayload)
{
    size_t  total;

    total = 16 + nheaders + npayload;

    number(p, (uint32_t) total);
    number(p + 4, (uint32_t) nheaders);
    number(p + 8, (uint32_t) crc32(0, p, 8));

    memcpy(p + 12, headers, nheaders);

    if (payload != NULL) {
        memcpy(p + 12 + nheaders, payload, npayload);

    } else {
        memset(p + 12 + nheaders, 'x', npayload);
    }

    number(p + total - 4, (uint32_t) crc32(0, p, total - 4));

    return total;
}


#endif /* _AWS_H_INCLUDED_ */
