
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdlib.h>
#include <string.h>
#include "llm_series.h"


#define LLM_SERIES_ROOM   64               /* of a new map */
#define LLM_SERIES_AHEAD  16               /* values that memory is asked of */
#define LLM_SERIES_NEXT   8                /* and again, of their sums */


static void llm_series_ahead(const llm_series_map_t *map, int64_t value,
    int64_t before);
static uint32_t *llm_series_place(const llm_series_map_t *map, int64_t value);
static size_t llm_series_hash(const llm_series_map_t *map, int64_t value);
static int llm_series_grow(llm_series_map_t *map);


llm_series_sum_t *
llm_series_find(const llm_series_map_t *map, int64_t value)
{
    uint32_t  *place;

    if (map->n == 0) {
        return NULL;
    }

    place = llm_series_place(map, value);

    return *place != 0 ? &map->sums[*place - 1] : NULL;
}


llm_series_sum_t *
llm_series_get(llm_series_map_t *map, int64_t value)
{
    uint32_t          *place;
    llm_series_sum_t  *sum;

    sum = llm_series_find(map, value);

    if (sum != NULL) {
        return sum;
    }

    if (map->n == LLM_SERIES_VALUES
        || (map->n == map->room && llm_series_grow(map) != LLM_OK))
    {
        return NULL;
    }

    place = llm_series_place(map, value);
    sum = &map->sums[map->n++];
    *place = (uint32_t) map->n;

    memset(sum, 0, sizeof(llm_series_sum_t));
    sum->value = value;

    return sum;
}


int
llm_series_slots(llm_series_map_t *map, const int64_t *values, size_t n,
    uint32_t *slots)
{
    size_t             i;
    llm_series_sum_t  *sum;

    for (i = 0; i < n; i++) {

        if (i + LLM_SERIES_AHEAD < n && map->n != 0) {
            llm_series_ahead(map, values[i + LLM_SERIES_AHEAD],
                             values[i + LLM_SERIES_NEXT]);
        }

        sum = llm_series_get(map, values[i]);

        if (sum == NULL) {
            return map->n == LLM_SERIES_VALUES ? LLM_FULL : LLM_NOMEM;
        }

        slots[i] = (uint32_t) (sum - map->sums);
    }

    return LLM_OK;
}


/* Asks the memory of the place of one value, and the sums of one before. */

static void
llm_series_ahead(const llm_series_map_t *map, int64_t value, int64_t before)
{
    uint32_t  n;

    __builtin_prefetch(&map->index[llm_series_hash(map, value)]);

    n = map->index[llm_series_hash(map, before)];

    if (n != 0) {
        __builtin_prefetch(&map->sums[n - 1]);
    }
}


/* The place of a value, or a free one; there is always one. */

static uint32_t *
llm_series_place(const llm_series_map_t *map, int64_t value)
{
    size_t    at, mask;
    uint32_t  n;

    mask = 2 * map->room - 1;
    at = llm_series_hash(map, value);

    for ( ;; ) {
        n = map->index[at];

        if (n == 0 || map->sums[n - 1].value == value) {
            return &map->index[at];
        }

        at = (at + 1) & mask;
    }
}


/* By the golden ratio, whose top bits keep numbers in a row from each other. */

static size_t
llm_series_hash(const llm_series_map_t *map, int64_t value)
{
    return (size_t) ((uint64_t) value * 0x9e3779b97f4a7c15ULL
                     >> (__builtin_clzll(2 * map->room) + 1));
}


static int
llm_series_grow(llm_series_map_t *map)
{
    size_t             i, room;
    uint32_t          *index;
    llm_series_sum_t  *sums;

    room = map->room ? 2 * map->room : LLM_SERIES_ROOM;

    sums = realloc(map->sums, room * sizeof(llm_series_sum_t));
    if (sums == NULL) {
        return LLM_NOMEM;
    }

    map->sums = sums;

    index = calloc(2 * room, sizeof(uint32_t));
    if (index == NULL) {
        return LLM_NOMEM;
    }

    free(map->index);
    map->index = index;
    map->room = room;

    for (i = 0; i < map->n; i++) {
        *llm_series_place(map, sums[i].value) = (uint32_t) i + 1;
    }

    return LLM_OK;
}


void
llm_series_free(llm_series_map_t *map)
{
    free(map->sums);
    free(map->index);
    memset(map, 0, sizeof(llm_series_map_t));
}
