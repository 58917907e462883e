
/*
 * Copyright (C) llm_monitor contributors
 *
 * What can be unpacked can be packed and unpacked again.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/record/llm_record.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            i;
    size_t         n, packed;
    uint8_t       *piece, *out;
    llm_record_t   r, again;

    piece = fuzz_piece(&data, &size, 0, &n);

    if (llm_record_unpack(&r, piece, n) == LLM_OK) {
        packed = llm_record_packed_size(&r);
        out = malloc(packed + !packed);

        if (llm_record_pack(&r, out) != packed
            || llm_record_unpack(&again, out, packed) != LLM_OK)
        {
            abort();
        }

        for (i = 0; i < LLM_N_COUNT; i++) {
            if (r.num[i] != again.num[i]) {
                abort();
            }
        }

        for (i = 0; i < LLM_S_COUNT; i++) {
            if (r.str[i].len != again.str[i].len
                || (r.str[i].len
                    && memcmp(r.str[i].data, again.str[i].data, r.str[i].len)
                       != 0))
            {
                abort();
            }
        }

        free(out);
    }

    free(piece);

    return 0;
}
