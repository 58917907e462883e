
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../record/llm_text.h"
#include "llm_error.h"
#include "llm_json.h"


#define LLM_ERROR_TYPE   256     /* bytes of a type that are kept */
#define LLM_ERROR_PAGE   200     /* bytes of a page without title */


/* where a message or a type may be, the best place first */

typedef struct {
    const char  *path;
    uint8_t      rank;
} llm_error_place_t;

typedef struct {
    llm_facts_t  *facts;
    int           body;
    int           message;        /* rank of what was found; 0: nothing */
    int           type;
    int           any;
} llm_error_t;


static int llm_error_value(void *data, const char *path, int number,
    const llm_str_t *value);
static int llm_error_rank(const llm_error_place_t *places, const char *path);


/* looked into only so that long strings in there can be cut */

const llm_key_t  llm_error_inside[] = {
    llm_key_in("error", 0, llm_error_inside),
    llm_key_in("metadata", 0, llm_error_inside),
    llm_key_in("detail", 0, llm_error_inside),
    llm_key_in("details", 0, llm_error_inside),
    llm_key_in("errors", 0, llm_error_inside),
    llm_key_end
};

const llm_key_t  llm_error_body =
    llm_key_keep("", LLM_F_ERROR, llm_error_inside);


static const llm_error_place_t  llm_error_messages[] = {
    { "error.message", 1 },
    { "error", 2 },
    { "message", 3 },
    { "detail", 4 },
    { "detail.msg", 4 },
    { "detail.message", 4 },
    { "errors.message", 5 },
    { "Message", 6 },
    { "error_msg", 7 },
    { "error.error.message", 8 },
    { NULL, 0 }
};

static const llm_error_place_t  llm_error_types[] = {
    { "error.type", 1 },
    { "error.status", 2 },
    { "error.code", 3 },
    { "type", 4 },
    { "__type", 5 },
    { NULL, 0 }
};

/* the same inside of the value of "error" */

static const llm_error_place_t  llm_error_inner_messages[] = {
    { "message", 1 },
    { "error.message", 2 },
    { "detail", 3 },
    { NULL, 0 }
};

static const llm_error_place_t  llm_error_inner_types[] = {
    { "type", 1 },
    { "status", 2 },
    { "code", 3 },
    { NULL, 0 }
};


int
llm_error_read(llm_facts_t *f, int body)
{
    llm_error_t  e;

    memset(&e, 0, sizeof(llm_error_t));

    e.facts = f;
    e.body = body;

    (void) llm_json_walk(f->error_text.data, f->error_text.len, f->pool->mem,
                         llm_error_value, &e);

    return body ? (e.message || e.type) : e.any;
}


static int
llm_error_value(void *data, const char *path, int number,
    const llm_str_t *value)
{
    int           rank;
    llm_error_t  *e = data;
    llm_slot_t   *slot;

    if (!e->any) {
        /* what an earlier response said is forgotten now */
        e->any = 1;
        memset(&e->facts->error, 0, sizeof(llm_slot_t));

        if (!e->facts->header_type) {
            memset(&e->facts->error_type, 0, sizeof(llm_slot_t));
        }
    }

    if (number || value->len == 0) {
        return 0;
    }

    rank = llm_error_rank(e->body ? llm_error_messages
                                  : llm_error_inner_messages, path);

    if (rank != 0 && (e->message == 0 || rank < e->message)) {
        slot = &e->facts->error;
        e->message = rank;
        llm_slot_set(slot, e->facts->pool, value->data, value->len,
                     LLM_ERROR_MESSAGE);
    }

    rank = llm_error_rank(e->body ? llm_error_types : llm_error_inner_types,
                          path);

    if (rank != 0 && (e->type == 0 || rank < e->type)
        && !e->facts->header_type)
    {
        slot = &e->facts->error_type;
        e->type = rank;
        llm_slot_set(slot, e->facts->pool, value->data, value->len,
                     LLM_ERROR_TYPE);
    }

    return 0;
}


static int
llm_error_rank(const llm_error_place_t *places, const char *path)
{
    for ( /* void */ ; places->path != NULL; places++) {
        if (strcmp(places->path, path) == 0) {
            return places->rank;
        }
    }

    return 0;
}


size_t
llm_error_cut(const uint8_t *p, size_t n)
{
    size_t  i, from;

    /* no escape is longer than six bytes, but backslashes may be many */

    from = n > 6 ? n - 6 : 0;

    for (i = from; i < n && p[i] != '\\'; i++) { /* void */ }

    while (i > 0 && i < n && p[i - 1] == '\\') {
        i--;
    }

    return i;
}


llm_str_t
llm_error_page(const uint8_t *p, size_t n)
{
    llm_str_t       page, title;
    const uint8_t  *end, *q;

    page.data = p;
    page.len = n;
    end = p + n;

    q = llm_text_find_nocase(&page, "<title>");

    if (q != NULL) {
        title.data = q + sizeof("<title>") - 1;
        title.len = end - title.data;
        q = llm_text_find_nocase(&title, "</title>");

        if (q != NULL) {
            title.len = q - title.data;
            return title;
        }
    }

    page.len = llm_utf8_cut(p, n, LLM_ERROR_PAGE);

    return page;
}
