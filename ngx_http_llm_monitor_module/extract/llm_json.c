
/*
 * Copyright (C) llm_monitor contributors
 */


#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include <yajl/yajl_version.h>

#include "llm_json.h"
#include "llm_pull.h"


#define LLM_JSON_PATH    96       /* a longer path matches nothing */

/*
 * What yajl takes for a text of LLM_JSON_MAX bytes and LLM_JSON_LEVELS: two
 * buffers that double from 2 KB until they hold it, the stack, its handles.
 */
#define LLM_JSON_ARENA   (40 * 1024)


typedef struct {
    llm_json_pt   fn;
    void         *data;
    size_t        used;
    int           depth;
    int           len;                      /* of path */
    uint8_t       start[LLM_JSON_LEVELS];   /* where each level's key begins */
    char          path[LLM_JSON_PATH + 1];
    uint8_t      *arena;
} llm_json_walk_t;


static int llm_json_alone(const uint8_t *p, size_t n, size_t *at);
static int llm_json_into(void *data);
static int llm_json_out_of(void *data);
static void *llm_json_alloc(void *data, size_t n);
static void *llm_json_realloc(void *data, void *p, size_t n);
static void llm_json_free(void *data, void *p);
static int llm_json_key(void *data, const unsigned char *p, size_t n);
static int llm_json_string(void *data, const unsigned char *p, size_t n);
static int llm_json_number(void *data, const char *p, size_t n);
static int llm_json_open(void *data);
static int llm_json_close(void *data);


static const yajl_callbacks  llm_json_callbacks = {
    NULL,
    NULL,
    NULL,
    NULL,
    llm_json_number,
    llm_json_string,
    llm_json_open,
    llm_json_key,
    llm_json_close,
    llm_json_open,
    llm_json_close
};


int
llm_json_walk(const uint8_t *p, size_t n, const llm_mem_t *mem,
    llm_json_pt fn, void *data)
{
    yajl_handle        y;
    llm_json_walk_t    w;
    yajl_alloc_funcs   funcs;

    if (n > LLM_JSON_MAX) {
        return LLM_FULL;
    }

    w.fn = fn;
    w.data = data;
    w.used = 0;
    w.depth = 0;
    w.len = 0;

    w.arena = mem->alloc(mem->data, LLM_JSON_ARENA);
    if (w.arena == NULL) {
        return LLM_NOMEM;
    }

    funcs.malloc = llm_json_alloc;
    funcs.realloc = llm_json_realloc;
    funcs.free = llm_json_free;
    funcs.ctx = &w;

    y = yajl_alloc(&llm_json_callbacks, &funcs, &w);

    (void) yajl_config(y, yajl_dont_validate_strings, 1);
    (void) yajl_parse(y, p, n);

    yajl_free(y);
    mem->free(mem->data, w.arena);

    return LLM_OK;
}


int
llm_json_check(const uint8_t *p, size_t n, const llm_mem_t *mem, size_t *at)
{
    int                rc;
    yajl_handle        y;
    llm_json_walk_t    w;
    yajl_alloc_funcs   funcs;

    static const yajl_callbacks  callbacks = {
        NULL, NULL, NULL, NULL, NULL, NULL,
        llm_json_into, NULL, llm_json_out_of,
        llm_json_into, llm_json_out_of
    };

    w.used = 0;
    w.depth = 0;

    /* a string that never ends is kept in a buffer that doubles */

    w.arena = mem->alloc(mem->data, LLM_JSON_ARENA + 6 * n);
    if (w.arena == NULL) {
        return LLM_NOMEM;
    }

    funcs.malloc = llm_json_alloc;
    funcs.realloc = llm_json_realloc;
    funcs.free = llm_json_free;
    funcs.ctx = &w;

    y = yajl_alloc(&callbacks, &funcs, &w);

    rc = (yajl_parse(y, p, n) == yajl_status_ok) ? LLM_OK : LLM_ERROR;
    *at = yajl_get_bytes_consumed(y);

    if (rc == LLM_OK && yajl_complete_parse(y) != yajl_status_ok) {
        rc = LLM_ERROR;
    }

    yajl_free(y);
    mem->free(mem->data, w.arena);

    return rc == LLM_OK ? llm_json_alone(p, n, at) : rc;
}


/* yajl does not mind half a string or word behind the value */

static int
llm_json_alone(const uint8_t *p, size_t n, size_t *at)
{
    llm_str_t  text, value;

    text.data = p;
    text.len = n;

    (void) llm_pull_value(&text, &value);

    for ( /* void */ ; text.len != 0; text.data++, text.len--) {

        if (*text.data > ' ') {
            *at = text.data - p;
            return LLM_ERROR;
        }
    }

    return LLM_OK;
}


static int
llm_json_into(void *data)
{
    llm_json_walk_t  *w = data;

    return ++w->depth < LLM_JSON_LEVELS;
}


static int
llm_json_out_of(void *data)
{
    llm_json_walk_t  *w = data;

    w->depth--;

    return 1;
}


/* each block is led by its size, which realloc needs */

static void *
llm_json_alloc(void *data, size_t n)
{
    llm_json_walk_t  *w = data;
    uint8_t          *p;

    n = (n + 15) & ~(size_t) 15;

    p = w->arena + w->used;
    memcpy(p, &n, sizeof(size_t));
    w->used += n + 16;

    return p + 16;
}


static void *
llm_json_realloc(void *data, void *p, size_t n)
{
    void    *new;
    size_t   old;

    if (p == NULL) {
        return llm_json_alloc(data, n);
    }

    memcpy(&old, (uint8_t *) p - 16, sizeof(size_t));

    if (n <= old) {
        return p;
    }

    new = llm_json_alloc(data, n);
    memcpy(new, p, old);

    return new;
}


static void
llm_json_free(void *data, void *p)
{
    /* the arena goes as a whole */
}


static int
llm_json_key(void *data, const unsigned char *p, size_t n)
{
    llm_json_walk_t  *w = data;

    w->len = w->start[w->depth - 1];

    if (w->len + n + 1 > LLM_JSON_PATH) {
        /* what leads to it leads to others, too */

        memset(w->path + w->len, '?', LLM_JSON_PATH - w->len);
        w->len = LLM_JSON_PATH;

    } else {
        if (w->len != 0) {
            w->path[w->len++] = '.';
        }

        memcpy(w->path + w->len, p, n);
        w->len += n;
    }

    w->path[w->len] = '\0';

    return 1;
}


static int
llm_json_string(void *data, const unsigned char *p, size_t n)
{
    llm_json_walk_t  *w = data;
    llm_str_t         value;

    value.data = p;
    value.len = n;
    w->path[w->len] = '\0';

    return w->fn(w->data, w->path, 0, &value) == 0;
}


static int
llm_json_number(void *data, const char *p, size_t n)
{
    llm_json_walk_t  *w = data;
    llm_str_t         value;

    value.data = (const uint8_t *) p;
    value.len = n;
    w->path[w->len] = '\0';

    return w->fn(w->data, w->path, 1, &value) == 0;
}


static int
llm_json_open(void *data)
{
    llm_json_walk_t  *w = data;

    /* before yajl's own stack grows */

    if (w->depth == LLM_JSON_LEVELS) {
        return 0;
    }

    w->start[w->depth++] = w->len;

    return 1;
}


static int
llm_json_close(void *data)
{
    llm_json_walk_t  *w = data;

    w->len = w->start[--w->depth];

    return 1;
}


void
llm_json_library(char *text)
{
    int  version;

    version = yajl_version();

    (void) snprintf(text, LLM_JSON_LIBRARY, "%d.%d.%d", version / 10000,
                    version / 100 % 100, version % 100);
}
