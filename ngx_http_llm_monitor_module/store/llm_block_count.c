
/*
 * Copyright (C) llm_monitor contributors
 */


#include <endian.h>
#include <string.h>
#include "llm_block_count.h"


#define LLM_BLOCK_LANES   4


static void llm_block_add_codes(const llm_block_head_t *head,
    const uint8_t *codes, int width, const uint16_t *at, const uint8_t *rows,
    int n, uint32_t *counts);


void
llm_block_others(const uint8_t *rows, int n, uint8_t *others)
{
    int  i;

    /* of a length that is known the compiler makes vectors */

    for (i = 0; i < LLM_BLOCK_ROOM; i++) {
        others[i] = rows[i] ^ 1;
    }

    memset(others + n, 0, LLM_BLOCK_ROOM - n);
}


/*
 * One count would wait for the other where rows that follow each other have
 * the same value, so each of some has a table of its own.
 */

void
llm_block_count(const uint8_t *codes, const uint16_t *at, int hits,
    int *counts)
{
    int       i, k;
    uint16_t  lane[LLM_BLOCK_LANES][LLM_BLOCK_VALUES];

    memset(lane, 0, sizeof(lane));

    for (i = 0; i + LLM_BLOCK_LANES <= hits; i += LLM_BLOCK_LANES) {
        for (k = 0; k < LLM_BLOCK_LANES; k++) {
            lane[k][codes[at[i + k]]]++;
        }
    }

    for ( /* void */ ; i < hits; i++) {
        lane[0][codes[at[i]]]++;
    }

    for (i = 0; i < LLM_BLOCK_VALUES; i++) {
        counts[i] = 0;

        for (k = 0; k < LLM_BLOCK_LANES; k++) {
            counts[i] += lane[k][i];
        }
    }
}


void
llm_block_add(const llm_block_head_t *head, const uint8_t *codes,
    const uint16_t *at, const uint8_t *rows, int n, uint32_t *counts)
{
    /* of a width that is known the compiler makes one load */

    switch (head->width) {

    case 2:
        llm_block_add_codes(head, codes, 2, at, rows, n, counts);
        break;

    case 3:
        llm_block_add_codes(head, codes, 3, at, rows, n, counts);
        break;

    default:
        llm_block_add_codes(head, codes, head->width, at, rows, n, counts);
    }
}


/* What is beyond the last one is of a broken database. */

static inline __attribute__((always_inline)) void
llm_block_add_codes(const llm_block_head_t *head, const uint8_t *codes,
    int width, const uint16_t *at, const uint8_t *rows, int n,
    uint32_t *counts)
{
    int       i;
    uint64_t  code, most;

    most = (uint64_t) head->max - (uint64_t) head->min;

    for (i = 0; i < n; i++) {
        code = 0;
        memcpy(&code, codes + (at == NULL ? i : at[i]) * (size_t) width, width);
        code = le64toh(code);

        counts[code < most ? code : most] += at == NULL ? rows[i] : 1;
    }
}
