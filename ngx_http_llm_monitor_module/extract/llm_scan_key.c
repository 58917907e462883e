
/*
 * Copyright (C) llm_monitor contributors
 */


#define _GNU_SOURCE

#include <string.h>

#include "llm_scan_key.h"
#include "llm_value.h"


static const llm_key_t *llm_scan_key_look(llm_scan_level_t *level,
    const uint8_t *p, size_t n);
static int llm_scan_key_is(const llm_key_t *key, const uint8_t *p, size_t n);


const llm_key_t *
llm_scan_key(llm_scan_level_t *level, const uint8_t *p, size_t n)
{
    uint8_t           buf[LLM_SCAN_NAME];
    const llm_key_t  *key;

    if (level->key->keys == NULL || n == 0) {
        return NULL;
    }

    key = llm_scan_key_look(level, p, n);

    /* "mod\u0065l" is "model" to whom it is sent; a NUL would be lost here */

    if (key == NULL && n <= LLM_SCAN_NAME && memchr(p, '\\', n) != NULL
        && memmem(p, n, "\\u0000", 6) == NULL)
    {
        n = llm_value_string(buf, p, n);
        key = llm_scan_key_look(level, buf, n);
    }

    return key;
}


static const llm_key_t *
llm_scan_key_look(llm_scan_level_t *level, const uint8_t *p, size_t n)
{
    const llm_key_t  *key, *keys, *end;

    keys = level->key->keys;
    end = keys + level->next;

    for (key = end; key->len != 0; key++) {
        if (llm_scan_key_is(key, p, n)) {
            goto found;
        }
    }

    for (key = keys; key != end; key++) {
        if (llm_scan_key_is(key, p, n)) {
            goto found;
        }
    }

    return NULL;

found:

    level->next = key - keys + 1;

    return key;
}


static int
llm_scan_key_is(const llm_key_t *key, const uint8_t *p, size_t n)
{
    return key->len == n && llm_bytes_same(key->text + 1, p, n);
}
