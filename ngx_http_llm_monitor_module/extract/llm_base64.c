
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_base64.h"


static int llm_base64_value(uint8_t c);


void
llm_base64_init(llm_base64_t *b)
{
    b->bits = 0;
    b->n = 0;
}


size_t
llm_base64_decode(llm_base64_t *b, uint8_t *out, size_t cap,
    const uint8_t **p, const uint8_t *end)
{
    int      v;
    size_t   n;

    for (n = 0; *p < end && n < cap; (*p)++) {

        v = llm_base64_value(**p);

        if (v < 0) {
            break;
        }

        b->bits = (b->bits << 6) | (uint32_t) v;
        b->n += 6;

        if (b->n >= 8) {
            b->n -= 8;
            out[n++] = (uint8_t) (b->bits >> b->n);
        }
    }

    return n;
}


static int
llm_base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == '+' || c == '-') {
        return 62;
    }

    return c == '/' || c == '_' ? 63 : -1;
}
