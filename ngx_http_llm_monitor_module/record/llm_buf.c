
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>

#include "llm_buf.h"


#define LLM_BUF_START  256


static int llm_buf_grow(llm_buf_t *b, size_t n);


void
llm_buf_init(llm_buf_t *b, size_t max)
{
    memset(b, 0, sizeof(llm_buf_t));
    b->max = max;
}


void
llm_buf_free(llm_buf_t *b)
{
    free(b->data);
    llm_buf_init(b, b->max);
}


void
llm_buf_add(llm_buf_t *b, const void *p, size_t n)
{
    uint8_t  *room;

    if (n == 0) {
        return;
    }

    room = llm_buf_room(b, n);

    if (room == NULL) {
        return;
    }

    memcpy(room, p, n);
    b->len += n;
}


void
llm_buf_text(llm_buf_t *b, const char *text)
{
    llm_buf_add(b, text, strlen(text));
}


void
llm_buf_int(llm_buf_t *b, int64_t v)
{
    char      digits[20], *p;
    uint64_t  u;

    p = digits + sizeof(digits);
    u = v < 0 ? -(uint64_t) v : (uint64_t) v;

    do {
        *--p = '0' + u % 10;
        u /= 10;
    } while (u != 0);

    if (v < 0) {
        *--p = '-';
    }

    llm_buf_add(b, p, digits + sizeof(digits) - p);
}


void
llm_buf_decimal(llm_buf_t *b, int64_t v, int decimals)
{
    char      digits[40], *p, *last;
    uint64_t  u;

    u = v < 0 ? -(uint64_t) v : (uint64_t) v;

    /* zeros at the end of the fraction say nothing */

    while (decimals > 0 && u % 10 == 0) {
        u /= 10;
        decimals--;
    }

    if (decimals > 18) {
        decimals = 18;
    }

    last = digits + sizeof(digits);
    p = last;

    do {
        *--p = '0' + u % 10;
        u /= 10;

        if (decimals > 0 && --decimals == 0) {
            *--p = '.';

            if (u == 0) {
                *--p = '0';
            }
        }

    } while (u != 0 || decimals > 0);

    if (v < 0) {
        *--p = '-';
    }

    llm_buf_add(b, p, last - p);
}


uint8_t *
llm_buf_room(llm_buf_t *b, size_t n)
{
    if (b->failed != LLM_OK) {
        return NULL;
    }

    if (n > b->cap - b->len && llm_buf_grow(b, n) != LLM_OK) {
        return NULL;
    }

    return b->data + b->len;
}


static int
llm_buf_grow(llm_buf_t *b, size_t n)
{
    size_t    cap;
    uint8_t  *data;

    if (n > b->max - b->len) {
        b->failed = LLM_FULL;
        return LLM_FULL;
    }

    cap = b->cap < LLM_BUF_START ? LLM_BUF_START : b->cap;

    while (cap < b->len + n && cap <= b->max / 2) {
        cap *= 2;
    }

    if (cap < b->len + n || cap > b->max) {
        cap = b->max;
    }

    data = realloc(b->data, cap);

    if (data == NULL) {
        b->failed = LLM_NOMEM;
        return LLM_NOMEM;
    }

    b->data = data;
    b->cap = cap;

    return LLM_OK;
}
