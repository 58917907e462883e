
/*
 * Copyright (C) llm_monitor contributors
 *
 * RFC 2046 section 5.1, RFC 7578.  Bytes are looked at line by line, for a
 * delimiter stands at the start of a line, and the line end before it belongs
 * to it.  Lone LF is taken for a line end too.
 */


#include <string.h>

#include "../record/llm_json_write.h"
#include "../record/llm_text.h"
#include "llm_multipart.h"
#include "llm_percent.h"


#define LLM_MULTIPART_PARTS      64
#define LLM_MULTIPART_BOUNDARY   200     /* RFC 2046 says 70 */
#define LLM_MULTIPART_LINE       1024    /* of a header; the rest is lost */
#define LLM_MULTIPART_VALUE      512
#define LLM_MULTIPART_NAME       256     /* of a field, a file, a type */
#define LLM_MULTIPART_TAIL       16      /* blanks after a delimiter */


typedef enum {
    LLM_MULTIPART_START = 0,      /* of a line in a body or the preamble */
    LLM_MULTIPART_AFTER,          /* a delimiter was seen, its line goes on */
    LLM_MULTIPART_MIDDLE,         /* of a line in a body or the preamble */
    LLM_MULTIPART_HEADER,
    LLM_MULTIPART_END             /* the rest does not matter */
} llm_multipart_state_e;


typedef struct {
    uint8_t                    data[LLM_MULTIPART_NAME];
    size_t                     len;
    int                        set;
} llm_multipart_text_t;


typedef struct llm_multipart_part_s  llm_multipart_part_t;

struct llm_multipart_part_s {
    llm_multipart_part_t      *next;

    llm_str_t                  name;
    llm_str_t                  filename;     /* null: a plain field */
    llm_str_t                  type;

    int64_t                    size;
    llm_str_t                  value;
    uint8_t                   *room;         /* of a plain field's value */

    uint8_t                    data[];
};


struct llm_multipart_s {
    llm_mem_t                  mem;

    llm_multipart_state_e      state;
    size_t                     matched;      /* bytes of the delimiter */
    size_t                     ntail;
    size_t                     nend;         /* of the line end before */
    uint8_t                    end[2];
    uint8_t                    tail[LLM_MULTIPART_TAIL];

    size_t                     ndelimiter;
    uint8_t                    delimiter[2 + LLM_MULTIPART_BOUNDARY];

    size_t                     nline;
    uint8_t                    line[LLM_MULTIPART_LINE];

    llm_multipart_text_t       name;         /* of the part being read */
    llm_multipart_text_t       filename;
    llm_multipart_text_t       type;

    int                        nparts;
    int                        truncated;
    llm_multipart_part_t      *parts;
    llm_multipart_part_t     **last;
    llm_multipart_part_t      *part;         /* NULL: bytes go nowhere */
};


static size_t llm_multipart_start(llm_multipart_t *m, const uint8_t *p);
static size_t llm_multipart_after(llm_multipart_t *m, const uint8_t *p);
static size_t llm_multipart_middle(llm_multipart_t *m, const uint8_t *p,
    size_t n);
static size_t llm_multipart_header(llm_multipart_t *m, const uint8_t *p,
    size_t n);
static void llm_multipart_undo(llm_multipart_t *m);
static void llm_multipart_content(llm_multipart_t *m, const uint8_t *p,
    size_t n);
static void llm_multipart_begin(llm_multipart_t *m);
static void llm_multipart_header_line(llm_multipart_t *m, const uint8_t *p,
    size_t n);
static void llm_multipart_disposition(llm_multipart_t *m,
    const llm_str_t *value);
static void llm_multipart_extended(llm_multipart_text_t *t);
static void llm_multipart_param(llm_multipart_text_t *t,
    const llm_str_t *value, const char *name);
static const uint8_t *llm_multipart_param_value(llm_multipart_text_t *t,
    const uint8_t *p, const uint8_t *end);
static void llm_multipart_copy(llm_str_t *s, uint8_t **room,
    const llm_multipart_text_t *t);
static void llm_multipart_trim(llm_str_t *s);


int
llm_multipart_create(llm_multipart_t **m, const llm_str_t *content_type,
    const llm_mem_t *mem)
{
    llm_multipart_t       *multipart;
    llm_multipart_text_t   boundary;

    *m = NULL;

    if (content_type->data == NULL
        || !llm_text_begins_nocase(content_type, "multipart/"))
    {
        return LLM_ERROR;
    }

    llm_multipart_param(&boundary, content_type, "boundary");

    if (boundary.len == 0 || boundary.len > LLM_MULTIPART_BOUNDARY) {
        return LLM_ERROR;
    }

    multipart = mem->alloc(mem->data, sizeof(llm_multipart_t));
    if (multipart == NULL) {
        return LLM_NOMEM;
    }

    memset(multipart, 0, sizeof(llm_multipart_t));

    multipart->mem = *mem;
    multipart->last = &multipart->parts;

    multipart->delimiter[0] = '-';
    multipart->delimiter[1] = '-';
    memcpy(multipart->delimiter + 2, boundary.data, boundary.len);
    multipart->ndelimiter = 2 + boundary.len;

    *m = multipart;

    return LLM_OK;
}


void
llm_multipart_feed(llm_multipart_t *m, const uint8_t *p, size_t n)
{
    size_t  size;

    for ( /* void */ ; n != 0; p += size, n -= size) {

        switch (m->state) {

        case LLM_MULTIPART_START:
            size = llm_multipart_start(m, p);
            break;

        case LLM_MULTIPART_AFTER:
            size = llm_multipart_after(m, p);
            break;

        case LLM_MULTIPART_MIDDLE:
            size = llm_multipart_middle(m, p, n);
            break;

        case LLM_MULTIPART_HEADER:
            size = llm_multipart_header(m, p, n);
            break;

        default: /* LLM_MULTIPART_END */
            return;
        }
    }
}


/* Each of these returns the number of bytes that it took. */

static size_t
llm_multipart_start(llm_multipart_t *m, const uint8_t *p)
{
    if (*p != m->delimiter[m->matched]) {
        llm_multipart_undo(m);
        return 0;
    }

    if (++m->matched == m->ndelimiter) {
        m->state = LLM_MULTIPART_AFTER;
    }

    return 1;
}


static size_t
llm_multipart_after(llm_multipart_t *m, const uint8_t *p)
{
    if (*p == '-' && m->ntail == 1 && m->tail[0] == '-') {
        m->part = NULL;
        m->state = LLM_MULTIPART_END;
        return 1;
    }

    if (*p == '\n' && (m->ntail == 0 || m->tail[0] != '-')) {
        m->part = NULL;
        m->matched = 0;
        m->ntail = 0;
        m->nend = 0;
        m->nline = 0;
        m->name.set = 0;
        m->filename.set = 0;
        m->type.set = 0;
        m->state = LLM_MULTIPART_HEADER;
        return 1;
    }

    if (m->ntail == LLM_MULTIPART_TAIL
        || (m->ntail && m->tail[0] == '-')
        || !(*p == ' ' || *p == '\t' || *p == '\r'
             || (*p == '-' && m->ntail == 0)))
    {
        llm_multipart_undo(m);
        return 0;
    }

    m->tail[m->ntail++] = *p;

    return 1;
}


static size_t
llm_multipart_middle(llm_multipart_t *m, const uint8_t *p, size_t n)
{
    size_t          size;
    const uint8_t  *end;

    /* a CR that ended the last piece */

    if (m->nend == 1) {

        if (*p == '\n') {
            m->end[m->nend++] = '\n';
            m->state = LLM_MULTIPART_START;
            return 1;
        }

        m->nend = 0;
        llm_multipart_content(m, m->end, 1);
    }

    end = memchr(p, '\n', n);
    size = (end == NULL) ? n : (size_t) (end - p);

    if (size != 0 && p[size - 1] == '\r') {
        m->end[m->nend++] = '\r';
    }

    llm_multipart_content(m, p, size - m->nend);

    if (end == NULL) {
        return n;
    }

    m->end[m->nend++] = '\n';
    m->state = LLM_MULTIPART_START;

    return size + 1;
}


static size_t
llm_multipart_header(llm_multipart_t *m, const uint8_t *p, size_t n)
{
    size_t          size, room;
    const uint8_t  *end;

    end = memchr(p, '\n', n);
    size = (end == NULL) ? n : (size_t) (end - p);

    room = sizeof(m->line) - m->nline;
    if (room > size) {
        room = size;
    }

    memcpy(m->line + m->nline, p, room);
    m->nline += room;

    if (end == NULL) {
        return n;
    }

    if (m->nline && m->line[m->nline - 1] == '\r') {
        m->nline--;
    }

    if (m->nline == 0) {
        llm_multipart_begin(m);
        m->state = LLM_MULTIPART_START;

    } else {
        llm_multipart_header_line(m, m->line, m->nline);
        m->nline = 0;
    }

    return size + 1;
}


/* What looked like a delimiter is content. */

static void
llm_multipart_undo(llm_multipart_t *m)
{
    llm_multipart_content(m, m->end, m->nend);
    llm_multipart_content(m, m->delimiter, m->matched);

    /* a CR may still turn out to begin a line end */

    m->nend = 0;

    if (m->ntail && m->tail[m->ntail - 1] == '\r') {
        m->ntail--;
        m->end[m->nend++] = '\r';
    }

    llm_multipart_content(m, m->tail, m->ntail);

    m->matched = 0;
    m->ntail = 0;
    m->state = LLM_MULTIPART_MIDDLE;
}


static void
llm_multipart_content(llm_multipart_t *m, const uint8_t *p, size_t n)
{
    size_t                 room;
    llm_multipart_part_t  *part;

    part = m->part;

    if (part == NULL || n == 0) {
        return;
    }

    part->size += n;

    if (part->room == NULL) {
        return;
    }

    room = LLM_MULTIPART_VALUE - part->value.len;

    if (n > room) {
        n = room;
        m->truncated = 1;
    }

    memcpy(part->room + part->value.len, p, n);
    part->value.len += n;
}


static void
llm_multipart_begin(llm_multipart_t *m)
{
    size_t                 size;
    uint8_t               *room;
    llm_multipart_part_t  *part;

    if (m->nparts == LLM_MULTIPART_PARTS) {
        m->truncated = 1;
        return;
    }

    size = sizeof(llm_multipart_part_t);
    size += m->name.set ? m->name.len : 0;
    size += m->filename.set ? m->filename.len : 0;
    size += m->type.set ? m->type.len : 0;
    size += m->filename.set ? 0 : LLM_MULTIPART_VALUE;

    part = m->mem.alloc(m->mem.data, size);

    if (part == NULL) {
        m->truncated = 1;
        return;
    }

    memset(part, 0, sizeof(llm_multipart_part_t));

    room = part->data;

    llm_multipart_copy(&part->name, &room, &m->name);
    llm_multipart_copy(&part->filename, &room, &m->filename);
    llm_multipart_copy(&part->type, &room, &m->type);

    if (!m->filename.set) {
        part->room = room;
        part->value.data = room;
    }

    *m->last = part;
    m->last = &part->next;
    m->part = part;
    m->nparts++;
}


static void
llm_multipart_header_line(llm_multipart_t *m, const uint8_t *p, size_t n)
{
    llm_str_t       name, value;
    const uint8_t  *colon;

    colon = memchr(p, ':', n);
    if (colon == NULL) {
        return;
    }

    name.data = p;
    name.len = colon - p;
    value.data = colon + 1;
    value.len = p + n - value.data;

    llm_multipart_trim(&name);
    llm_multipart_trim(&value);

    if (llm_text_equal_nocase(&name, "content-disposition")) {
        llm_multipart_disposition(m, &value);

    } else if (llm_text_equal_nocase(&name, "content-type")) {
        m->type.len = llm_text_scrub(m->type.data, sizeof(m->type.data),
                                     value.data, value.len);
        m->type.set = 1;
    }
}


static void
llm_multipart_disposition(llm_multipart_t *m, const llm_str_t *value)
{
    llm_multipart_text_t  extended;

    llm_multipart_param(&m->name, value, "name");
    llm_multipart_param(&m->filename, value, "filename");
    llm_multipart_param(&extended, value, "filename*");

    if (extended.set) {
        llm_multipart_extended(&extended);
        m->filename = extended;
    }
}


/* RFC 8187: charset'language'percent-encoded */

static void
llm_multipart_extended(llm_multipart_text_t *t)
{
    size_t          n;
    const uint8_t  *p, *end;

    end = t->data + t->len;
    p = memchr(t->data, '\'', t->len);

    if (p != NULL) {
        p = memchr(p + 1, '\'', end - p - 1);
    }

    p = (p == NULL) ? t->data : p + 1;
    n = end - p;

    t->len = llm_percent_decode(t->data, sizeof(t->data), p, n);
}


/* The parameter of a header's value, unquoted; t->set: it is there. */

static void
llm_multipart_param(llm_multipart_text_t *t, const llm_str_t *value,
    const char *name)
{
    llm_str_t              key;
    const uint8_t         *p, *end;
    llm_multipart_text_t   other, *to;

    t->len = 0;
    t->set = 0;

    end = value->data + value->len;

    p = memchr(value->data, ';', value->len);
    if (p == NULL) {
        return;
    }

    while (p < end) {
        key.data = ++p;

        while (p < end && *p != '=' && *p != ';') {
            p++;
        }

        key.len = p - key.data;
        llm_multipart_trim(&key);

        if (p == end || *p == ';') {
            continue;
        }

        to = &other;

        if (!t->set && llm_text_equal_nocase(&key, name)) {
            to = t;
            t->set = 1;
        }

        to->len = 0;

        p = llm_multipart_param_value(to, p + 1, end);
    }
}


/* Returns where the ';' after the value is, or the end. */

static const uint8_t *
llm_multipart_param_value(llm_multipart_text_t *t, const uint8_t *p,
    const uint8_t *end)
{
    int        quoted;
    uint8_t    text[LLM_MULTIPART_LINE];
    llm_str_t  s;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    quoted = (p < end && *p == '"');
    p += quoted;

    s.data = text;
    s.len = 0;

    for ( /* void */ ; p < end; p++) {

        if (*p == (quoted ? '"' : ';')) {
            break;
        }

        /* a lone backslash is one: some send "C:\dir\name" */

        if (quoted && *p == '\\' && p + 1 < end
            && (p[1] == '"' || p[1] == '\\'))
        {
            p++;
        }

        if (s.len < sizeof(text)) {
            text[s.len++] = *p;
        }
    }

    if (!quoted) {
        llm_multipart_trim(&s);
    }

    t->len = llm_text_scrub(t->data, sizeof(t->data), s.data, s.len);

    while (p < end && *p != ';') {
        p++;
    }

    return p;
}


static void
llm_multipart_copy(llm_str_t *s, uint8_t **room,
    const llm_multipart_text_t *t)
{
    if (!t->set) {
        return;
    }

    memcpy(*room, t->data, t->len);

    s->data = *room;
    s->len = t->len;

    *room += t->len;
}


static void
llm_multipart_trim(llm_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}


llm_str_t
llm_multipart_value(const llm_multipart_t *m, const char *name)
{
    llm_str_t              s;
    llm_multipart_part_t  *part;

    for (part = m->parts; part != NULL; part = part->next) {

        if (part->name.data != NULL && part->filename.data == NULL
            && llm_text_equal(&part->name, name))
        {
            return part->value;
        }
    }

    s.data = NULL;
    s.len = 0;

    return s;
}


void
llm_multipart_summary(const llm_multipart_t *m, llm_buf_t *out)
{
    size_t                 n;
    llm_json_t             j;
    llm_multipart_part_t  *part;

    llm_json_init(&j, out);

    llm_json_open_object(&j);
    llm_json_key(&j, "multipart");
    llm_json_open_array(&j);

    for (part = m->parts; part != NULL; part = part->next) {

        llm_json_open_object(&j);
        llm_json_key(&j, "name");
        llm_json_str(&j, &part->name);

        if (part->filename.data != NULL) {
            llm_json_key(&j, "filename");
            llm_json_str(&j, &part->filename);
            llm_json_key(&j, "type");
            llm_json_str(&j, &part->type);
            llm_json_key(&j, "size");
            llm_json_int(&j, part->size);

        } else {
            n = part->value.len;

            if ((int64_t) n < part->size) {
                n = llm_utf8_cut(part->value.data, n + 1, n);
            }

            llm_json_key(&j, "value");
            llm_json_string(&j, part->value.data, n);
        }

        llm_json_close_object(&j);
    }

    llm_json_close_array(&j);
    llm_json_key(&j, "truncated");
    llm_json_bool(&j, m->truncated || m->state != LLM_MULTIPART_END);
    llm_json_close_object(&j);
}


void
llm_multipart_destroy(llm_multipart_t *m)
{
    llm_multipart_part_t  *part, *next;

    if (m == NULL) {
        return;
    }

    for (part = m->parts; part != NULL; part = next) {
        next = part->next;
        m->mem.free(m->mem.data, part);
    }

    m->mem.free(m->mem.data, m);
}
