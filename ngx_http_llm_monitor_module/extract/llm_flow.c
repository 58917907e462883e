
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_base64.h"
#include "llm_flow.h"
#include "llm_pull.h"


typedef struct {
    const char  *prefix;
    uint8_t      len;
    uint8_t      framing;
} llm_flow_type_t;

#define llm_flow_type(prefix, framing)                                        \
    { prefix, sizeof(prefix) - 1, LLM_FLOW_ ## framing }


static void llm_flow_again(llm_flow_t *b, const uint8_t *p, size_t n);
static int llm_flow_steady(const llm_flow_t *b);
static LLM_APART void llm_flow_any(llm_flow_t *b, const uint8_t *p, size_t n,
    int last);
static void llm_flow_decoded(void *data, const uint8_t *p, size_t n);
static void llm_flow_out(llm_flow_t *b, const uint8_t *p, size_t n);
static void llm_flow_parse(llm_flow_t *b, const uint8_t *p, size_t n);
static const uint8_t *llm_flow_sniff(llm_flow_t *b, const uint8_t *p,
    const uint8_t *end);
static void llm_flow_set(llm_flow_t *b, int framing);
static int llm_flow_create(llm_flow_t *b);
static void llm_flow_sse(llm_flow_t *b, const uint8_t *p, const uint8_t *end);
static void llm_flow_sse_data(void *data, const uint8_t *p, size_t n);
static void llm_flow_sse_end(llm_flow_t *b);
static void llm_flow_lines(llm_flow_t *b, const uint8_t *p,
    const uint8_t *end);
static void llm_flow_forget(llm_flow_t *b);
static void llm_flow_learn(llm_flow_t *b, const llm_scan_holes_t *holes,
    const uint8_t *p, const uint8_t *end);
static void llm_flow_frame(void *data, const llm_aws_frame_t *frame);
static void llm_flow_chunk(llm_flow_t *b, const llm_str_t *payload);
static void llm_flow_page(llm_flow_t *b, const uint8_t *p, size_t n);
static void llm_flow_summary(llm_flow_t *b);
static int llm_flow_by_type(const llm_str_t *type);


static const llm_flow_type_t  llm_flow_types[] = {
    llm_flow_type("text/event-stream", SSE),
    llm_flow_type("application/jsonl", LINES),
    llm_flow_type("application/json", JSON),
    llm_flow_type("application/x-ndjson", LINES),
    llm_flow_type("application/ndjson", LINES),
    llm_flow_type("application/x-jsonlines", LINES),
    llm_flow_type("application/vnd.amazon.eventstream", AWS),
    llm_flow_type("multipart/form-data", MULTIPART),
    llm_flow_type("image/svg", TEXT),
    llm_flow_type("image/", OPAQUE),
    llm_flow_type("audio/", OPAQUE),
    llm_flow_type("video/", OPAQUE),
    llm_flow_type("font/", OPAQUE),
    llm_flow_type("application/pdf", OPAQUE),
    llm_flow_type("application/zip", OPAQUE),
    llm_flow_type("application/gzip", OPAQUE),
    llm_flow_type("application/x-protobuf", OPAQUE),
    llm_flow_type("application/grpc", OPAQUE),
    { NULL, 0, 0 }
};


void
llm_flow_none(llm_flow_t *b)
{
    memset(b, 0, sizeof(llm_flow_t));
}


void
llm_flow_init(llm_flow_t *b, const llm_exchange_conf_t *conf,
    void *sink_data, const llm_head_t *head, llm_pool_t *pool,
    llm_reader_t *shared, int response)
{
    int  rc;

    llm_flow_none(b);

    b->conf = conf;
    b->head = head;
    b->pool = pool;
    b->shared = shared;
    b->sink_data = sink_data;
    b->sink = response ? conf->response_sink : conf->request_sink;
    b->hint = llm_flow_by_type(&head->content_type);

    if (b->hint == LLM_FLOW_MULTIPART) {

        if (response
            || llm_multipart_create(&b->multipart, &head->content_type,
                                    &conf->mem)
               != LLM_OK)
        {
            b->hint = LLM_FLOW_OPAQUE;
        }
    }

    if (b->hint == LLM_FLOW_OPAQUE) {
        b->binary = 1;
    }

    if (head->content_encoding.len != 0) {
        rc = llm_decode_create(&b->decode, &head->content_encoding,
                               LLM_FLOW_MAX, &conf->mem, llm_flow_decoded, b);

        if (rc != LLM_OK && rc != LLM_DECLINED) {
            /* nobody can read it */
            b->bad_coding = 1;
            b->hint = LLM_FLOW_OPAQUE;
            b->binary = 1;
        }
    }
}


void
llm_flow_feed(llm_flow_t *b, const uint8_t *p, size_t n, int last)
{
    if (b->steady && !last) {
        llm_flow_again(b, p, n);
        return;
    }

    llm_flow_any(b, p, n, last);
    b->steady = llm_flow_steady(b);
}


/* nearly every piece of a stream is one event that was learnt */

static void
llm_flow_again(llm_flow_t *b, const uint8_t *p, size_t n)
{
    const uint8_t  *q, *end;

    b->bytes += n;

    if (b->sink != NULL) {
        b->sink(b->sink_data, p, n);
    }

    for (end = p + n; p < end; p = q) {
        q = llm_repeat_match(b->repeat, p, end, &b->facts->text_bytes);

        if (q == NULL) {
            llm_flow_parse(b, p, end - p);
            b->steady = llm_flow_steady(b);
            return;
        }
    }
}


/* 1: between two events, of bytes that nothing is done to */

static int
llm_flow_steady(const llm_flow_t *b)
{
    const llm_reader_t  *reader;
    const llm_repeat_t  *r;

    r = b->repeat;
    reader = b->reader;

    if (r == NULL || reader == NULL || b->last || r->text[r->len - 1] != '\n'
        || b->decode != NULL || b->conf->nredact_json != 0
        || b->binary || b->bytes < LLM_FLOW_PROBE)
    {
        return 0;
    }

    return b->framing == LLM_FLOW_SSE
           ? llm_sse_idle(&reader->sse) && !reader->sse.cr
           : !reader->scan.inside;
}


static LLM_APART void
llm_flow_any(llm_flow_t *b, const uint8_t *p, size_t n, int last)
{
    int  rc;

    if (b->conf == NULL || b->last) {
        return;
    }

    if (n != 0) {

        if (b->decode != NULL) {
            rc = llm_decode(b->decode, p, n);

            if (rc == LLM_ERROR || rc == LLM_FULL) {
                b->bad_coding = 1;
            }

        } else {
            llm_flow_decoded(b, p, n);
        }
    }

    if (!last) {
        return;
    }

    b->last = 1;

    if (b->decode != NULL && !llm_decode_ended(b->decode)) {
        b->bad_coding = 1;
    }

    llm_flow_finish(b);
    llm_flow_summary(b);

    if (b->redact != NULL) {
        llm_redact_feed(b->redact, NULL, 0, 1);
    }
}


/* decoded bytes, from the decoder or as they came */

static void
llm_flow_decoded(void *data, const uint8_t *p, size_t n)
{
    size_t       probe;
    llm_flow_t  *b = data;

    if (b->bytes < LLM_FLOW_PROBE && !b->binary
        && b->hint != LLM_FLOW_AWS && b->hint != LLM_FLOW_MULTIPART)
    {
        probe = LLM_FLOW_PROBE - b->bytes;
        probe = n < probe ? n : probe;

        if (memchr(p, '\0', probe) != NULL
            || (b->hint == LLM_FLOW_SNIFF
                && !llm_utf8_more(&b->text, p, probe)))
        {
            b->binary = 1;
        }
    }

    b->bytes += n;

    if (!b->binary && b->sink != NULL && b->hint != LLM_FLOW_MULTIPART) {
        llm_flow_out(b, p, n);
    }

    if (b->hint == LLM_FLOW_MULTIPART) {
        llm_multipart_feed(b->multipart, p, n);
        return;
    }

    if (b->hint != LLM_FLOW_OPAQUE) {
        llm_flow_parse(b, p, n);
    }
}


static void
llm_flow_out(llm_flow_t *b, const uint8_t *p, size_t n)
{
    int                         rc;
    const llm_exchange_conf_t  *conf;

    conf = b->conf;

    if (conf->nredact_json == 0) {
        b->sink(b->sink_data, p, n);
        return;
    }

    if (b->redact == NULL) {
        rc = llm_redact_create(&b->redact, conf->redact_json,
                               conf->nredact_json, &conf->mem, b->sink,
                               b->sink_data);

        if (rc != LLM_OK) {
            /* what cannot be redacted must not be stored */
            b->sink = NULL;
            b->binary = 1;
            return;
        }
    }

    llm_redact_feed(b->redact, p, n, 0);
}


static void
llm_flow_parse(llm_flow_t *b, const uint8_t *p, size_t n)
{
    const uint8_t  *end;

    end = p + n;

    if (b->framing == LLM_FLOW_SNIFF) {
        p = llm_flow_sniff(b, p, end);
    }

    if (p == end) {
        return;
    }

    switch (b->framing) {

    case LLM_FLOW_JSON:
        llm_scan(&b->reader->scan, p, end - p);
        break;

    case LLM_FLOW_SSE:
        llm_flow_sse(b, p, end);
        break;

    case LLM_FLOW_LINES:
        llm_flow_lines(b, p, end);
        break;

    case LLM_FLOW_AWS:
        (void) llm_aws_feed(b->aws, p, end - p);
        break;

    case LLM_FLOW_TEXT:
        llm_flow_page(b, p, end - p);
        break;
    }
}


/*
 * The type alone is not to be trusted: errors come as JSON under a stream's
 * type, streams under that of JSON or none.
 */

static const uint8_t *
llm_flow_sniff(llm_flow_t *b, const uint8_t *p, const uint8_t *end)
{
    size_t  i, len;

    static const char  *fields[] = { "data:", "event:", "id:", "retry:", ":",
                                     NULL };

    if (b->hint == LLM_FLOW_AWS) {
        llm_flow_set(b, LLM_FLOW_AWS);
        return p;
    }

    for ( /* void */ ; p < end; p++) {

        if (b->nsniff == 0) {

            /* blanks, the byte order mark, RFC 7464's separator */

            if (*p <= ' ' || *p == 0xef || *p == 0xbb || *p == 0xbf) {
                continue;
            }

            if (*p == '{' || *p == '[') {
                b->array = *p == '[';
                llm_flow_set(b, b->hint == LLM_FLOW_LINES && !b->array
                                ? LLM_FLOW_LINES : LLM_FLOW_JSON);
                return p;
            }

            if (b->hint == LLM_FLOW_SSE) {
                llm_flow_set(b, LLM_FLOW_SSE);
                return p;
            }
        }

        b->sniff[b->nsniff++] = *p;

        for (i = 0; fields[i] != NULL; i++) {
            if (b->nsniff <= strlen(fields[i])
                && memcmp(fields[i], b->sniff, b->nsniff) == 0)
            {
                break;
            }
        }

        if (fields[i] != NULL && b->nsniff < strlen(fields[i])) {
            continue;
        }

        llm_flow_set(b, fields[i] != NULL ? LLM_FLOW_SSE : LLM_FLOW_TEXT);

        len = b->nsniff;
        b->nsniff = 0;
        llm_flow_parse(b, b->sniff, len);

        return p + 1;
    }

    return end;
}


static void
llm_flow_set(llm_flow_t *b, int framing)
{
    b->framing = framing;

    if (b->facts != NULL) {
        b->facts->stream = llm_flow_stream(b);
    }

    if (framing == LLM_FLOW_TEXT || b->root == NULL) {
        b->framing = LLM_FLOW_TEXT;

        if (b->facts != NULL && b->hint == LLM_FLOW_JSON) {
            b->facts->broken = 1;
        }

        return;
    }

    if (llm_flow_create(b) != LLM_OK) {
        b->framing = LLM_FLOW_OPAQUE;
    }
}


static int
llm_flow_create(llm_flow_t *b)
{
    llm_reader_t     *reader;
    const llm_mem_t  *mem;

    mem = &b->conf->mem;
    reader = b->shared;

    if (reader->used) {
        reader = mem->alloc(mem->data, sizeof(llm_reader_t));

        if (reader == NULL) {
            return LLM_NOMEM;
        }
    }

    reader->used = 1;
    b->reader = reader;

    llm_scan_init(&reader->scan, b->root, b->fn, b->data, mem);

    if (b->framing == LLM_FLOW_SSE) {
        llm_sse_init(&reader->sse, llm_flow_sse_data, b);
    }

    if (b->framing == LLM_FLOW_AWS) {
        return llm_aws_create(&b->aws, mem, llm_flow_frame, b);
    }

    return LLM_OK;
}


static void
llm_flow_sse(llm_flow_t *b, const uint8_t *p, const uint8_t *end)
{
    int                done, idle;
    llm_sse_t         *sse;
    const uint8_t     *q;
    llm_scan_holes_t   holes;

    sse = &b->reader->sse;

    while (p < end) {

        if (sse->cr && *p == '\n') {
            sse->cr = 0;
            p++;
            continue;
        }

        idle = llm_sse_idle(sse);

        if (idle && b->repeat != NULL) {
            q = llm_repeat_match(b->repeat, p, end, &b->facts->text_bytes);

            if (q != NULL) {
                sse->cr = q[-1] == '\r';
                p = q;
                continue;
            }
        }

        holes.n = 0;
        holes.overflow = !idle || b->facts == NULL;
        b->reader->scan.holes = holes.overflow ? NULL : &holes;

        if (b->facts != NULL) {
            b->facts->changed = 0;
        }

        q = llm_sse_next(sse, p, end, &done);

        b->reader->scan.holes = NULL;
        llm_flow_forget(b);

        if (done) {
            llm_flow_sse_end(b);

            if (sse->cr && q < end && *q == '\n') {
                sse->cr = 0;
                q++;
            }

            if (idle) {
                llm_flow_learn(b, &holes, p, q);
            }
        }

        p = q;
    }
}


static void
llm_flow_sse_data(void *data, const uint8_t *p, size_t n)
{
    llm_sse_t   *sse;
    llm_flow_t  *b = data;

    sse = &b->reader->sse;

    if (!b->named && sse->nevent != 0) {
        b->named = 1;

        if (b->facts != NULL) {
            llm_facts_event(b->facts, sse->event, sse->nevent);
        }
    }

    llm_scan(&b->reader->scan, p, n);
}


static void
llm_flow_sse_end(llm_flow_t *b)
{
    llm_scan_end(&b->reader->scan);
    llm_sse_reset(&b->reader->sse);

    b->named = 0;

    if (b->facts != NULL) {
        b->facts->event = 0;
    }
}


static void
llm_flow_lines(llm_flow_t *b, const uint8_t *p, const uint8_t *end)
{
    int                idle;
    const uint8_t     *q;
    llm_scan_holes_t   holes;

    while (p < end) {

        idle = !b->reader->scan.inside;

        if (idle && b->repeat != NULL) {
            q = llm_repeat_match(b->repeat, p, end, &b->facts->text_bytes);

            if (q != NULL) {
                p = q;
                continue;
            }
        }

        holes.n = 0;
        holes.overflow = !idle || b->facts == NULL;
        b->reader->scan.holes = holes.overflow ? NULL : &holes;

        if (b->facts != NULL) {
            b->facts->changed = 0;
        }

        q = memchr(p, '\n', end - p);
        q = q == NULL ? end : q + 1;

        llm_scan(&b->reader->scan, p, q - p);

        b->reader->scan.holes = NULL;
        llm_flow_forget(b);

        if (q[-1] == '\n') {
            llm_scan_end(&b->reader->scan);

            if (idle) {
                llm_flow_learn(b, &holes, p, q);
            }
        }

        p = q;
    }
}


/* what has changed may be what the learnt event says: it is news again */

static void
llm_flow_forget(llm_flow_t *b)
{
    if (b->repeat != NULL && b->facts->changed) {
        b->conf->mem.free(b->conf->mem.data, b->repeat);
        b->repeat = NULL;
    }
}


/* from p to end was one event, read in one piece */

static void
llm_flow_learn(llm_flow_t *b, const llm_scan_holes_t *holes, const uint8_t *p,
    const uint8_t *end)
{
    int  i;

    if (b->facts == NULL || b->facts->changed
        || b->facts->content_at == LLM_NULL)
    {
        return;
    }

    for (i = 0; i < holes->n && !holes->hole[i].text; i++) { /* void */ }

    if (i == holes->n) {
        return;
    }

    llm_repeat_learn(&b->repeat, &b->conf->mem, p, end - p, holes);
}


static void
llm_flow_frame(void *data, const llm_aws_frame_t *frame)
{
    llm_flow_t   *b = data;
    llm_facts_t  *f;

    f = b->facts;

    if (f == NULL) {
        return;
    }

    if (llm_text_equal(&frame->event_type, "chunk")) {
        llm_flow_chunk(b, &frame->payload);
        return;
    }

    if (llm_text_equal(&frame->message_type, "exception")
        || llm_text_equal(&frame->message_type, "error"))
    {
        llm_facts_event(f, (const uint8_t *) "error", 5);
        llm_slot_set(&f->code, f->pool, frame->event_type.data,
                     frame->event_type.len, LLM_FLOW_PAGE);

    } else {
        llm_facts_event(f, frame->event_type.data, frame->event_type.len);
    }

    llm_scan(&b->reader->scan, frame->payload.data, frame->payload.len);
    llm_scan_end(&b->reader->scan);

    f->event = 0;
}


/* invoke: {"bytes":"<base64 of a document>","p":"padding"} */

static void
llm_flow_chunk(llm_flow_t *b, const llm_str_t *payload)
{
    size_t          n;
    uint8_t         buf[768];
    llm_str_t       bytes;
    llm_base64_t    base64;
    const uint8_t  *p, *end;

    if (!llm_pull_get(payload, "bytes", &bytes) || !llm_pull_is(&bytes, '"')) {
        return;
    }

    p = bytes.data + 1;
    end = bytes.data + bytes.len;

    llm_base64_init(&base64);

    while (p < end && *p != '"') {
        n = llm_base64_decode(&base64, buf, sizeof(buf), &p, end);

        if (n == 0) {
            break;
        }

        llm_scan(&b->reader->scan, buf, n);
    }

    llm_scan_end(&b->reader->scan);

    b->facts->event = 0;
}


/* what an error says that is no JSON */

static void
llm_flow_page(llm_flow_t *b, const uint8_t *p, size_t n)
{
    if (b->facts == NULL || !b->facts->http_error) {
        return;
    }

    if (b->page.len + n > LLM_FLOW_PAGE) {
        n = LLM_FLOW_PAGE - b->page.len;
    }

    if (n != 0) {
        (void) llm_slot_append(&b->page, b->pool, p, n, LLM_FLOW_PAGE);
    }
}


void
llm_flow_finish(llm_flow_t *b)
{
    size_t  n;

    if (b->framing == LLM_FLOW_SNIFF && b->nsniff != 0) {
        n = b->nsniff;
        b->nsniff = 0;
        llm_flow_set(b, LLM_FLOW_TEXT);
        llm_flow_page(b, b->sniff, n);
    }

    if (b->reader == NULL) {
        return;
    }

    switch (b->framing) {

    case LLM_FLOW_SSE:
        llm_flow_sse_end(b);
        break;

    case LLM_FLOW_JSON:
    case LLM_FLOW_LINES:
    case LLM_FLOW_AWS:
        llm_scan_end(&b->reader->scan);
        break;
    }
}


/* files are not stored, but which there were */

static void
llm_flow_summary(llm_flow_t *b)
{
    llm_buf_t  buf;

    if (b->multipart == NULL || b->sink == NULL) {
        return;
    }

    llm_buf_init(&buf, 64 * 1024);
    llm_multipart_summary(b->multipart, &buf);

    if (buf.failed == LLM_OK) {
        b->sink(b->sink_data, buf.data, buf.len);
    }

    llm_buf_free(&buf);
}


int
llm_flow_stream(const llm_flow_t *b)
{
    return b->framing == LLM_FLOW_SSE || b->framing == LLM_FLOW_LINES
           || b->framing == LLM_FLOW_AWS || (b->array && b->elements)
           || (b->framing == LLM_FLOW_SNIFF
               && (b->hint == LLM_FLOW_SSE || b->hint == LLM_FLOW_LINES
                   || b->hint == LLM_FLOW_AWS));
}


int
llm_flow_closed(const llm_flow_t *b)
{
    if (b->framing == LLM_FLOW_JSON && b->reader != NULL) {
        return b->reader->scan.closed && !b->reader->scan.inside;
    }

    return b->last;
}


int
llm_flow_redacted(const llm_flow_t *b)
{
    return b->redacted || (b->redact != NULL && llm_redact_done(b->redact));
}


void
llm_flow_free(llm_flow_t *b)
{
    const llm_mem_t  *mem;

    if (b->conf == NULL) {
        return;
    }

    mem = &b->conf->mem;

    b->redacted = llm_flow_redacted(b);

    llm_decode_destroy(b->decode);
    llm_redact_destroy(b->redact);
    llm_aws_destroy(b->aws);
    llm_multipart_destroy(b->multipart);

    if (b->reader != NULL) {
        llm_scan_free(&b->reader->scan);
        b->reader->used = 0;

        if (b->reader != b->shared) {
            mem->free(mem->data, b->reader);
        }
    }

    if (b->repeat != NULL) {
        mem->free(mem->data, b->repeat);
    }

    b->decode = NULL;
    b->redact = NULL;
    b->aws = NULL;
    b->multipart = NULL;
    b->repeat = NULL;
    b->reader = NULL;
    b->steady = 0;
}


static int
llm_flow_by_type(const llm_str_t *type)
{
    const llm_flow_type_t  *t;

    if (type->len == 0) {
        return LLM_FLOW_SNIFF;
    }

    /* nearly everybody writes them as they are written here */

    for (t = llm_flow_types; t->prefix != NULL; t++) {
        if (type->len >= t->len && memcmp(type->data, t->prefix, t->len) == 0)
        {
            return t->framing;
        }
    }

    for (t = llm_flow_types; t->prefix != NULL; t++) {
        if (llm_text_begins_nocase(type, t->prefix)) {
            return t->framing;
        }
    }

    /* "+json" and all that says to be text */

    if (llm_text_begins_nocase(type, "text/")
        || llm_text_find_nocase(type, "json") != NULL)
    {
        return LLM_FLOW_TEXT;
    }

    return LLM_FLOW_SNIFF;
}
