
/*
 * Copyright (C) llm_monitor contributors
 *
 * CRCs would keep nearly all input out: half of the inputs are made into
 * frames first.  Frames in pieces are those that a naive reader finds in the
 * whole.
 */


#include <zlib.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_aws.h"


typedef struct {
    size_t      frames;
    uLong       crc;         /* of all that was told of them */
} seen_t;


static void
number(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t) (v >> 24);
    p[1] = (uint8_t) (v >> 16);
    p[2] = (uint8_t) (v >> 8);
    p[3] = (uint8_t) v;
}


static void
add(seen_t *seen, const uint8_t *p, size_t n)
{
    seen->crc = crc32(seen->crc, (const uint8_t *) &n, sizeof(n));

    if (n != 0) {
        seen->crc = crc32(seen->crc, p, (uInt) n);
    }
}


static void
take(void *data, const llm_aws_frame_t *f)
{
    seen_t  *seen = data;

    seen->frames++;
    add(seen, f->event_type.data, f->event_type.len);
    add(seen, f->message_type.data, f->message_type.len);
    add(seen, f->payload.data, f->payload.len);
}


static size_t
read_number(const uint8_t *p, size_t bytes)
{
    return bytes == 0 ? 0 : read_number(p, bytes - 1) * 256 + p[bytes - 1];
}


/* headers: a name, a type and a value each; 0: they are none */

static int
naive_headers(const uint8_t *p, const uint8_t *end, llm_str_t *event,
    llm_str_t *message)
{
    size_t       n, size;
    llm_str_t   *s;
    const char  *name;

    static const int  sizes[] = { 0, 0, 1, 2, 4, 8, -1, -1, 8, 16 };

    while (p < end) {
        n = *p++;

        if ((size_t) (end - p) < n + 1 || p[n] > 9) {
            return 0;
        }

        name = (const char *) p;
        p += n + 1;

        if (sizes[p[-1]] >= 0) {
            size = (size_t) sizes[p[-1]];
            s = NULL;

        } else {
            s = (n == 11 && memcmp(name, ":event-type", n) == 0)
                || (n == 15 && memcmp(name, ":exception-type", n) == 0)
                || (n == 11 && memcmp(name, ":error-code", n) == 0) ? event
                : n == 13 && memcmp(name, ":message-type", n) == 0 ? message
                : NULL;

            s = (p[-1] == 7) ? s : NULL;

            if (end - p < 2) {
                return 0;
            }

            size = read_number(p, 2);
            p += 2;
        }

        if ((size_t) (end - p) < size) {
            return 0;
        }

        if (s != NULL) {
            s->data = p;
            s->len = size;
        }

        p += size;
    }

    return 1;
}


static void
naive(const uint8_t *p, size_t size, seen_t *seen)
{
    size_t           n, headers;
    llm_aws_frame_t  f;

    while (size >= 16) {
        n = read_number(p, 4);
        headers = read_number(p + 4, 4);

        memset(&f, 0, sizeof(f));

        if (n < 16 || n > size || headers > n - 16
            || read_number(p + 8, 4) != crc32(0, p, 8)
            || read_number(p + n - 4, 4) != crc32(0, p, (uInt) n - 4)
            || !naive_headers(p + 12, p + 12 + headers, &f.event_type,
                              &f.message_type))
        {
            return;
        }

        f.payload.data = p + 12 + headers;
        f.payload.len = n - 16 - headers;
        take(seen, &f);

        p += n;
        size -= n;
    }
}


static uint8_t *
frame(const uint8_t *p, size_t *size, size_t headers)
{
    size_t    n;
    uint8_t  *out;

    n = *size + 16;
    out = malloc(n);

    number(out, (uint32_t) n);
    number(out + 4, (uint32_t) (headers > *size ? *size : headers));
    number(out + 8, (uint32_t) crc32(0, out, 8));
    memcpy(out + 12, p, *size);
    number(out + n - 4, (uint32_t) crc32(0, out, (uInt) n - 4));

    *size = n;

    return out;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             limited;
    seen_t          seen, want;
    size_t          n;
    uint8_t         option, step, headers, *piece, *made;
    llm_aws_t      *a;

    made = NULL;
    memset(&seen, 0, sizeof(seen));
    memset(&want, 0, sizeof(want));

    option = fuzz_option(&data, &size);
    step = fuzz_byte(&data, &size);
    headers = fuzz_byte(&data, &size);

    if (headers & 1) {
        data = made = frame(data, &size, headers >> 1);

        if (option & 1) {
            made[(size_t) option * size / 256] ^= 1;
        }
    }

    if (fuzz_allocs == SIZE_MAX) {
        naive(data, size, &want);
    }

    limited = fuzz_allocs != SIZE_MAX;

    if (llm_aws_create(&a, &fuzz_mem, take, &seen) == LLM_OK) {

        while (size) {
            piece = fuzz_piece(&data, &size, step, &n);
            (void) llm_aws_feed(a, piece, n);
            free(piece);
        }

        llm_aws_destroy(a);
    }

    if (!limited && (seen.frames != want.frames || seen.crc != want.crc)) {
        abort();
    }

    free(made);

    return 0;
}
