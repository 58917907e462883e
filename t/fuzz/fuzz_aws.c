
/*
 * Copyright (C) llm_monitor contributors
 *
 * CRCs would keep nearly all input out: half of the inputs are made into
 * frames first.
 */


#include <zlib.h>

#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_aws.h"


static void
number(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t) (v >> 24);
    p[1] = (uint8_t) (v >> 16);
    p[2] = (uint8_t) (v >> 8);
    p[3] = (uint8_t) v;
}


static void
take(void *data, const llm_aws_frame_t *f)
{
    size_t  *sum = data;

    if (f->event_type.len) {
        *sum += f->event_type.data[f->event_type.len - 1];
    }

    if (f->message_type.len) {
        *sum += f->message_type.data[f->message_type.len - 1];
    }

    if (f->payload.len) {
        *sum += f->payload.data[f->payload.len - 1];
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
    size_t          n, sum;
    uint8_t         step, headers, *piece, *made;
    llm_aws_t      *a;

    made = NULL;
    sum = 0;

    (void) fuzz_option(&data, &size);
    step = fuzz_byte(&data, &size);
    headers = fuzz_byte(&data, &size);

    if (headers & 1) {
        data = made = frame(data, &size, headers >> 1);
    }

    if (llm_aws_create(&a, &fuzz_mem, take, &sum) == LLM_OK) {

        while (size) {
            piece = fuzz_piece(&data, &size, step, &n);
            (void) llm_aws_feed(a, piece, n);
            free(piece);
        }

        llm_aws_destroy(a);
    }

    free(made);

    return 0;
}
