
/*
 * Copyright (C) llm_monitor contributors
 *
 * Whatever headers and bodies offer: a session's id is one, it does not depend
 * on what ranks below it, and of a key no more is kept than its end.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_session.h"


static const uint8_t  salt[32];


static void
offer(llm_request_t *q, uint8_t how, const llm_str_t *text)
{
    switch (how & 3) {

    case 0:
        llm_session_offer(q, text, LLM_SESSION_HEADER, 1 + (how >> 2));
        break;

    case 1:
        llm_session_user_id(q, text);
        break;

    case 2:
        llm_session_metadata(q, text, 1 + (how >> 2));
        break;

    default:
        llm_session_key(q, text->data, text->len, 1 + (how >> 2));
    }
}


static int
naive(const uint8_t *p, size_t n)
{
    size_t  i;

    static const char  allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";

    for (i = 0; i < n; i++) {
        if (memchr(allowed, p[i], sizeof(allowed) - 1) == NULL) {
            return 0;
        }
    }

    return n >= 1 && n <= 256;
}


static void
check(const llm_request_t *q)
{
    if ((q->session_rank != 0) != (q->session.len != 0)
        || (q->session_rank && !naive(q->session.data, q->session.len))
        || (q->key_rank != 0 && q->key_hash == 0))
    {
        abort();
    }
}


/* one that was offered as it is has been taken, unless it is none */

static void
check_offer(const llm_request_t *q, unsigned rank, const llm_str_t *text,
    unsigned before)
{
    int  better;

    better = naive(text->data, text->len) && (before == 0 || rank < before);

    if (q->session_rank != (better ? rank : before)
        || (better && (q->session.len != text->len
                       || memcmp(q->session.data, text->data, text->len)
                          != 0)))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             i;
    size_t          n, len;
    uint8_t        *piece, how, first[256];
    uint64_t        hash;
    unsigned        was;
    llm_str_t       text;
    llm_pool_t      pool;
    llm_request_t   q;

    (void) fuzz_option(&data, &size);

    llm_pool_init(&pool, &fuzz_mem, first, sizeof(first));
    llm_request_init(&q, &pool, salt);

    for (i = 0; i < 16 && size != 0; i++) {
        how = fuzz_byte(&data, &size);
        len = fuzz_byte(&data, &size) * 2;
        len = len < size ? len : size;

        n = len;
        piece = fuzz_piece(&data, &len, 0, &n);
        size -= n;

        text.data = piece;
        text.len = n;

        was = q.session_rank;
        hash = q.key_hash;

        offer(&q, how, &text);

        /* ranks only go down to 1, and what they rank goes with them */

        if ((was != 0 && (q.session_rank == 0 || q.session_rank > was))
            || ((how & 3) != 3 && q.key_hash != hash)
            || ((how & 3) == 3 && q.session_rank != was))
        {
            abort();
        }

        if (fuzz_allocs == SIZE_MAX) {
            check(&q);

            if ((how & 3) == 0) {
                check_offer(&q, 1 + (how >> 2), &text, was);
            }
        }

        free(piece);
    }

    q.has_text = size & 1;
    q.text_hash = size;

    text.data = first;
    text.len = 0;
    llm_session_derive(&q, &text);

    if (fuzz_allocs == SIZE_MAX) {
        check(&q);
    }

    llm_pool_free(&pool);

    return 0;
}
