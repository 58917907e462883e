
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_percent.h"


static int llm_percent_digit(uint8_t c);


int
llm_percent_hex(const uint8_t *p, const uint8_t *end)
{
    int  high, low;

    if (end - p < 2) {
        return -1;
    }

    high = llm_percent_digit(p[0]);
    low = llm_percent_digit(p[1]);

    return (high < 0 || low < 0) ? -1 : high * 16 + low;
}


size_t
llm_percent_decode(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
    int             c;
    size_t          len;
    const uint8_t  *end;

    end = p + n;

    for (len = 0; p < end && len < cap; len++) {
        c = (*p == '%') ? llm_percent_hex(p + 1, end) : -1;

        if (c >= 0) {
            out[len] = (uint8_t) c;
            p += 3;

        } else {
            out[len] = *p++;
        }
    }

    return len;
}


static int
llm_percent_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}
