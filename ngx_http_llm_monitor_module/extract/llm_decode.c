
/*
 * Copyright (C) llm_monitor contributors
 *
 * RFC 9110 section 8.4, RFC 1950-1952, RFC 7932, RFC 8878.  A chain of up to
 * four stages; each hands what it decodes to the next one, the last to the
 * sink.  zstd takes its memory from malloc(), for its allocator hooks are not
 * part of the shared library's interface; its window is bounded instead, to
 * the 8 MB that RFC 9659 allows.
 */


#include <string.h>

#include <zlib.h>
#include <brotli/decode.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "llm_decode.h"


#define LLM_DECODE_STAGES       4
#define LLM_DECODE_PIECE        16384
#define LLM_DECODE_KEPT         64
#define LLM_DECODE_WINDOW_LOG   23          /* zstd: 8 MB */

#define LLM_DECODE_BOMB_BYTES   1048576     /* below, no ratio is too high */
#define LLM_DECODE_BOMB_RATIO   200


typedef enum {
    LLM_DECODE_GZIP = 0,
    LLM_DECODE_DEFLATE,
    LLM_DECODE_BR,
    LLM_DECODE_ZSTD
} llm_decode_coding_e;


typedef enum {
    LLM_DECODE_START = 0,     /* too few bytes to tell what they are */
    LLM_DECODE_RUN,
    LLM_DECODE_NEXT,          /* a gzip member or a zstd frame has ended */
    LLM_DECODE_END,           /* what follows is passed over */
    LLM_DECODE_PASS           /* not of this coding: handed on as it is */
} llm_decode_state_e;


typedef struct {
    llm_decode_coding_e   coding;
    llm_decode_state_e    state;

    union {
        z_stream              z;
        BrotliDecoderState   *br;
        ZSTD_DStream         *zstd;
    } u;

    unsigned              open:1;       /* u is to be released */
    unsigned              unsure:1;     /* all that came is in kept */

    int64_t               out;

    size_t                nkept;
    uint8_t               kept[LLM_DECODE_KEPT];
} llm_decode_stage_t;


struct llm_decode_s {
    llm_mem_t             mem;
    llm_sink_pt           sink;
    void                 *sink_data;

    int64_t               max;
    int64_t               in;
    int64_t               out;
    int                   rc;

    int                   nstages;
    llm_decode_stage_t    stages[LLM_DECODE_STAGES];
};


typedef struct {
    const uint8_t        *in;
    size_t                in_len;
    uint8_t              *out;
    size_t                out_len;      /* bytes written */
} llm_decode_step_t;


static int llm_decode_parse(const llm_str_t *coding,
    llm_decode_coding_e *codings);
static int llm_decode_coding(const uint8_t *p, size_t n);
static int llm_decode_feed(llm_decode_t *d, int i, const uint8_t *p,
    size_t n);
static int llm_decode_start(llm_decode_t *d, int i, const uint8_t **p,
    size_t *n);
static int llm_decode_is_coding(llm_decode_stage_t *s);
static int llm_decode_open(llm_decode_t *d, llm_decode_stage_t *s);
static int llm_decode_run(llm_decode_t *d, int i, const uint8_t *p, size_t n);
static int llm_decode_step_zlib(llm_decode_stage_t *s, llm_decode_step_t *st);
static int llm_decode_step_br(llm_decode_stage_t *s, llm_decode_step_t *st);
static int llm_decode_step_zstd(llm_decode_stage_t *s, llm_decode_step_t *st);
static int llm_decode_emit(llm_decode_t *d, int i, const uint8_t *p,
    size_t n);
static void *llm_decode_zlib_alloc(void *data, unsigned items, unsigned size);
static void *llm_decode_alloc(void *data, size_t size);
static void llm_decode_free(void *data, void *p);


int
llm_decode_create(llm_decode_t **d, const llm_str_t *coding, int64_t max,
    const llm_mem_t *mem, llm_sink_pt sink, void *sink_data)
{
    int                  i, n;
    llm_decode_t        *decode;
    llm_decode_coding_e  codings[LLM_DECODE_STAGES];

    *d = NULL;

    n = llm_decode_parse(coding, codings);

    if (n < 0) {
        return LLM_ERROR;
    }

    if (n == 0) {
        return LLM_DECLINED;
    }

    decode = mem->alloc(mem->data, sizeof(llm_decode_t));
    if (decode == NULL) {
        return LLM_NOMEM;
    }

    memset(decode, 0, sizeof(llm_decode_t));

    decode->mem = *mem;
    decode->sink = sink;
    decode->sink_data = sink_data;
    decode->max = max;
    decode->nstages = n;

    for (i = 0; i < n; i++) {
        decode->stages[i].coding = codings[n - 1 - i];
    }

    *d = decode;

    return LLM_OK;
}


/* The number of codings, or LLM_ERROR. */

static int
llm_decode_parse(const llm_str_t *coding, llm_decode_coding_e *codings)
{
    int             n, value;
    const uint8_t  *p, *end, *last, *next;

    n = 0;
    p = coding->data;

    if (p == NULL) {
        return 0;
    }

    end = p + coding->len;

    for ( /* void */ ; p < end; p = next + 1) {

        next = memchr(p, ',', end - p);
        if (next == NULL) {
            next = end;
        }

        last = next;

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
            last--;
        }

        value = llm_decode_coding(p, last - p);

        if (value == LLM_DECLINED) {
            continue;
        }

        if (value == LLM_ERROR || n == LLM_DECODE_STAGES) {
            return LLM_ERROR;
        }

        codings[n++] = (llm_decode_coding_e) value;
    }

    return n;
}


static int
llm_decode_coding(const uint8_t *p, size_t n)
{
    size_t   i, k;
    uint8_t  word[8];

    static const struct {
        const char  *name;
        int          coding;
    } names[] = {
        { "gzip", LLM_DECODE_GZIP },
        { "x-gzip", LLM_DECODE_GZIP },
        { "deflate", LLM_DECODE_DEFLATE },
        { "br", LLM_DECODE_BR },
        { "zstd", LLM_DECODE_ZSTD },
        { "identity", LLM_DECLINED },
        { "", LLM_DECLINED }
    };

    if (n > sizeof(word)) {
        return LLM_ERROR;
    }

    for (i = 0; i < n; i++) {
        word[i] = (uint8_t) ((p[i] >= 'A' && p[i] <= 'Z') ? p[i] | 0x20
                                                          : p[i]);
    }

    for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {

        if (strlen(names[k].name) == n && memcmp(names[k].name, word, n) == 0)
        {
            return names[k].coding;
        }
    }

    return LLM_ERROR;
}


int
llm_decode(llm_decode_t *d, const uint8_t *p, size_t n)
{
    int  rc;

    if ((d->rc != LLM_OK && d->rc != LLM_DECLINED) || n == 0) {
        return d->rc;
    }

    rc = llm_decode_feed(d, 0, p, n);

    if (rc != LLM_OK) {
        d->rc = rc;
    }

    return d->rc;
}


static int
llm_decode_feed(llm_decode_t *d, int i, const uint8_t *p, size_t n)
{
    int                  rc;
    llm_decode_stage_t  *s;

    if (i == d->nstages) {
        d->sink(d->sink_data, p, n);
        return LLM_OK;
    }

    s = &d->stages[i];

    if (s->state == LLM_DECODE_START) {
        rc = llm_decode_start(d, i, &p, &n);

        if (rc != LLM_OK) {
            return (rc == LLM_AGAIN) ? LLM_OK : rc;
        }

        if (n == 0) {
            return LLM_OK;
        }
    }

    if (s->state == LLM_DECODE_PASS) {
        if (i == 0) {
            d->in += n;
        }

        return llm_decode_emit(d, i, p, n);
    }

    return llm_decode_run(d, i, p, n);
}


/* Gathers the few bytes that show whether the coding is what was said. */

static int
llm_decode_start(llm_decode_t *d, int i, const uint8_t **p, size_t *n)
{
    int                  rc;
    size_t               size;
    llm_decode_stage_t  *s;

    static const size_t  need[] = { 2, 2, 1, 4 };

    s = &d->stages[i];

    size = need[s->coding] - s->nkept;

    if (size > *n) {
        size = *n;
    }

    memcpy(s->kept + s->nkept, *p, size);

    s->nkept += size;
    *p += size;
    *n -= size;

    if (s->nkept < need[s->coding]) {
        return LLM_AGAIN;
    }

    size = s->nkept;

    if (!llm_decode_is_coding(s)) {
        s->state = LLM_DECODE_PASS;
        d->rc = LLM_DECLINED;

        if (i == 0) {
            d->in += size;
        }

        return llm_decode_emit(d, i, s->kept, size);
    }

    rc = llm_decode_open(d, s);
    if (rc != LLM_OK) {
        return rc;
    }

    s->state = LLM_DECODE_RUN;

    /* a brotli or raw deflate stream that is none shows so only later */

    s->unsure = (s->coding == LLM_DECODE_BR
                 || s->coding == LLM_DECODE_DEFLATE);
    s->nkept = 0;

    return llm_decode_run(d, i, s->kept, size);
}


static int
llm_decode_is_coding(llm_decode_stage_t *s)
{
    const uint8_t  *p;

    p = s->kept;

    switch (s->coding) {

    case LLM_DECODE_GZIP:
        return p[0] == 0x1f && p[1] == 0x8b;

    case LLM_DECODE_DEFLATE:

        /* as raw deflate a JSON text would decode to a few wrong bytes */

        return p[0] != '{' && p[0] != '[';

    case LLM_DECODE_ZSTD:

        /* a frame, or a skippable one */

        return (p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
               || ((p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d
                   && p[3] == 0x18);

    default: /* LLM_DECODE_BR */
        return 1;
    }
}


static int
llm_decode_open(llm_decode_t *d, llm_decode_stage_t *s)
{
    int     rc, bits;
    size_t  code;

    if (s->coding == LLM_DECODE_BR) {
        s->u.br = BrotliDecoderCreateInstance(llm_decode_alloc,
                                              llm_decode_free, &d->mem);
        s->open = (s->u.br != NULL);

        return s->open ? LLM_OK : LLM_NOMEM;
    }

    if (s->coding == LLM_DECODE_ZSTD) {
        s->u.zstd = ZSTD_createDStream();

        if (s->u.zstd == NULL) {
            return LLM_NOMEM;
        }

        s->open = 1;

        code = ZSTD_DCtx_setParameter(s->u.zstd, ZSTD_d_windowLogMax,
                                      LLM_DECODE_WINDOW_LOG);

        return ZSTD_isError(code) ? LLM_ERROR : LLM_OK;
    }

    if (s->coding == LLM_DECODE_GZIP) {
        bits = MAX_WBITS + 16;

    } else if ((s->kept[0] & 0x0f) == Z_DEFLATED
               && (s->kept[0] * 256 + s->kept[1]) % 31 == 0)
    {
        bits = MAX_WBITS;

    } else {
        bits = -MAX_WBITS;
    }

    s->u.z.zalloc = llm_decode_zlib_alloc;
    s->u.z.zfree = llm_decode_free;
    s->u.z.opaque = &d->mem;
    s->u.z.next_in = NULL;
    s->u.z.avail_in = 0;

    rc = inflateInit2(&s->u.z, bits);

    s->open = (rc == Z_OK);

    return (rc == Z_OK) ? LLM_OK : LLM_NOMEM;
}


static int
llm_decode_run(llm_decode_t *d, int i, const uint8_t *p, size_t n)
{
    int                  rc, emitted;
    uint8_t              out[LLM_DECODE_PIECE];
    llm_decode_step_t    st;
    llm_decode_stage_t  *s;

    s = &d->stages[i];

    st.in = p;
    st.in_len = n;
    st.out = out;

    rc = LLM_OK;

    while (s->state != LLM_DECODE_END) {

        st.out_len = 0;
        n = st.in_len;

        if (s->coding == LLM_DECODE_BR) {
            rc = llm_decode_step_br(s, &st);

        } else if (s->coding == LLM_DECODE_ZSTD) {
            rc = llm_decode_step_zstd(s, &st);

        } else {
            rc = llm_decode_step_zlib(s, &st);
        }

        if (i == 0) {
            d->in += n - st.in_len;
        }

        if (rc == LLM_ERROR && s->unsure && s->out == 0) {
            break;
        }

        emitted = llm_decode_emit(d, i, out, st.out_len);

        if (emitted != LLM_OK) {
            return emitted;
        }

        if (rc != LLM_OK) {
            break;
        }
    }

    n = (st.in + st.in_len) - p;

    if (s->unsure && s->out == 0 && rc == LLM_ERROR) {
        s->state = LLM_DECODE_PASS;
        d->rc = LLM_DECLINED;

        rc = llm_decode_emit(d, i, s->kept, s->nkept);

        return (rc == LLM_OK) ? llm_decode_emit(d, i, p, n) : rc;
    }

    if (s->unsure) {

        if (s->out != 0 || n > sizeof(s->kept) - s->nkept) {
            s->unsure = 0;

        } else {
            memmove(s->kept + s->nkept, p, n);
            s->nkept += n;
        }
    }

    return (rc == LLM_AGAIN) ? LLM_OK : rc;
}


/*
 * The steps take input and give at most one piece of output: LLM_OK to be
 * called again, LLM_AGAIN when all input is used up and all output was given.
 */

static int
llm_decode_step_zlib(llm_decode_stage_t *s, llm_decode_step_t *st)
{
    int        rc;
    uInt       max;
    z_stream  *z;

    z = &s->u.z;

    if (s->state == LLM_DECODE_NEXT) {

        if (st->in_len == 0) {
            return LLM_AGAIN;
        }

        if (st->in[0] != 0x1f) {
            s->state = LLM_DECODE_END;
            return LLM_OK;
        }

        (void) inflateReset(z);
        s->state = LLM_DECODE_RUN;
    }

    max = (st->in_len > 0x40000000) ? 0x40000000 : (uInt) st->in_len;

    z->next_in = (Bytef *) st->in;
    z->avail_in = max;
    z->next_out = st->out;
    z->avail_out = LLM_DECODE_PIECE;

    rc = inflate(z, Z_SYNC_FLUSH);

    st->in += max - z->avail_in;
    st->in_len -= max - z->avail_in;
    st->out_len = LLM_DECODE_PIECE - z->avail_out;

    switch (rc) {

    case Z_OK:
        return (st->in_len == 0 && z->avail_out != 0) ? LLM_AGAIN : LLM_OK;

    case Z_BUF_ERROR:
        return LLM_AGAIN;

    case Z_STREAM_END:
        s->state = (s->coding == LLM_DECODE_GZIP) ? LLM_DECODE_NEXT
                                                  : LLM_DECODE_END;
        return LLM_OK;

    case Z_MEM_ERROR:
        return LLM_NOMEM;

    default:
        return LLM_ERROR;
    }
}


static int
llm_decode_step_br(llm_decode_stage_t *s, llm_decode_step_t *st)
{
    size_t                  left;
    uint8_t                *out;
    BrotliDecoderResult     rc;
    BrotliDecoderErrorCode  code;

    out = st->out;
    left = LLM_DECODE_PIECE;

    rc = BrotliDecoderDecompressStream(s->u.br, &st->in_len, &st->in, &left,
                                       &out, NULL);

    st->out_len = LLM_DECODE_PIECE - left;

    switch (rc) {

    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return LLM_OK;

    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return LLM_AGAIN;

    case BROTLI_DECODER_RESULT_SUCCESS:
        s->state = LLM_DECODE_END;
        return LLM_OK;

    default: /* BROTLI_DECODER_RESULT_ERROR */
        break;
    }

    code = BrotliDecoderGetErrorCode(s->u.br);

    return (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES
            && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
           ? LLM_NOMEM : LLM_ERROR;
}


static int
llm_decode_step_zstd(llm_decode_stage_t *s, llm_decode_step_t *st)
{
    size_t          rc;
    ZSTD_inBuffer   in;
    ZSTD_outBuffer  out;

    if (s->state == LLM_DECODE_NEXT && st->in_len == 0) {
        return LLM_AGAIN;
    }

    in.src = st->in;
    in.size = st->in_len;
    in.pos = 0;

    out.dst = st->out;
    out.size = LLM_DECODE_PIECE;
    out.pos = 0;

    rc = ZSTD_decompressStream(s->u.zstd, &out, &in);

    st->in += in.pos;
    st->in_len -= in.pos;
    st->out_len = out.pos;

    if (ZSTD_isError(rc)) {

        switch (ZSTD_getErrorCode(rc)) {

        case ZSTD_error_prefix_unknown:

            /* no frame after one that was whole */

            if (s->state == LLM_DECODE_NEXT) {
                s->state = LLM_DECODE_END;
                return LLM_OK;
            }

            return LLM_ERROR;

        case ZSTD_error_memory_allocation:
            return LLM_NOMEM;

        default:
            return LLM_ERROR;
        }
    }

    if (rc == 0) {
        s->state = LLM_DECODE_NEXT;
        return LLM_OK;
    }

    /* between frames, the four bytes of the magic may come one by one */

    if (out.pos != 0) {
        s->state = LLM_DECODE_RUN;
    }

    return (st->in_len == 0 && out.pos < out.size) ? LLM_AGAIN : LLM_OK;
}


static int
llm_decode_emit(llm_decode_t *d, int i, const uint8_t *p, size_t n)
{
    int                  rc, last;
    size_t               size;
    llm_decode_stage_t  *s;

    s = &d->stages[i];
    last = (i == d->nstages - 1);

    for ( /* void */ ; n != 0; p += size, n -= size) {

        size = (n > LLM_DECODE_PIECE) ? LLM_DECODE_PIECE : n;

        if ((int64_t) size > d->max - s->out) {
            size = (size_t) (d->max - s->out);

            if (size == 0) {
                return LLM_FULL;
            }
        }

        s->out += size;

        if (last) {
            d->out = s->out;
        }

        rc = llm_decode_feed(d, i + 1, p, size);

        if (rc != LLM_OK) {
            return rc;
        }

        if (s->state != LLM_DECODE_PASS
            && s->out > LLM_DECODE_BOMB_BYTES
            && s->out / LLM_DECODE_BOMB_RATIO > d->in)
        {
            return LLM_FULL;
        }
    }

    return LLM_OK;
}


int
llm_decode_ended(const llm_decode_t *d)
{
    int                        i;
    const llm_decode_stage_t  *s;

    for (i = 0; i < d->nstages; i++) {
        s = &d->stages[i];

        if (s->state == LLM_DECODE_RUN
            || (s->state == LLM_DECODE_START && s->nkept != 0))
        {
            return 0;
        }
    }

    return 1;
}


int64_t
llm_decode_bytes(const llm_decode_t *d)
{
    return d->out;
}


void
llm_decode_destroy(llm_decode_t *d)
{
    int                  i;
    llm_decode_stage_t  *s;

    if (d == NULL) {
        return;
    }

    for (i = 0; i < d->nstages; i++) {
        s = &d->stages[i];

        if (!s->open) {
            continue;
        }

        if (s->coding == LLM_DECODE_BR) {
            BrotliDecoderDestroyInstance(s->u.br);

        } else if (s->coding == LLM_DECODE_ZSTD) {
            (void) ZSTD_freeDStream(s->u.zstd);

        } else {
            (void) inflateEnd(&s->u.z);
        }
    }

    d->mem.free(d->mem.data, d);
}


static void *
llm_decode_zlib_alloc(void *data, unsigned items, unsigned size)
{
    return llm_decode_alloc(data, (size_t) items * size);
}


static void *
llm_decode_alloc(void *data, size_t size)
{
    llm_mem_t  *mem;

    mem = data;

    return mem->alloc(mem->data, size);
}


static void
llm_decode_free(void *data, void *p)
{
    llm_mem_t  *mem;

    if (p == NULL) {
        return;
    }

    mem = data;

    mem->free(mem->data, p);
}
