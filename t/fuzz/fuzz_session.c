
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


static void
check(const llm_request_t *q)
{
    llm_str_t  id;

    id.data = q->session.data;
    id.len = q->session.len;

    if ((q->session_rank != 0) != (id.data != NULL && id.len != 0)
        || (q->session_rank != 0 && !llm_session_valid(&id))
        || (q->key_rank != 0 && q->key_hash == 0))
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
    llm_str_t       text, was;
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

        was.len = q.session_rank;
        hash = q.key_hash;

        offer(&q, how, &text);

        /* ranks only go down to 1, and what they rank goes with them */

        if ((was.len != 0 && (q.session_rank == 0 || q.session_rank > was.len))
            || ((how & 3) != 3 && q.key_hash != hash)
            || ((how & 3) == 3 && q.session_rank != was.len))
        {
            abort();
        }

        free(piece);

        if (fuzz_allocs == SIZE_MAX) {
            check(&q);
        }
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
