
/*
 * Copyright (C) llm_monitor contributors
 *
 * Any text as a label's value: a naive reader of Prometheus' format finds the
 * value that is in the table, which is printable and short; the same text has
 * the same number again.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/record/llm_text.h"
#include "../../ngx_http_llm_monitor_module/ring/llm_metrics.h"


static void
nothing(void *data)
{
    /* one process */
}


static void
check(const llm_metrics_label_t *label)
{
    size_t          i, n;
    uint8_t        *line, *end;
    const uint8_t  *p;

    if (label->len == 0 || label->len > LLM_METRICS_TEXT) {
        abort();
    }

    line = malloc(2 * label->len);
    end = llm_text_label(line, (const uint8_t *) label->text, label->len);

    n = 0;

    for (p = line; p < end; p++) {

        /* what ends the value or the line, unless it is escaped */

        if (*p == '"' || *p == '\n' || *p < ' ' || *p >= 0x7f) {
            abort();
        }

        if (*p == '\\') {
            p++;

            if (p == end || (*p != '"' && *p != '\\')) {
                abort();
            }
        }

        line[n++] = *p;
    }

    if (n != label->len) {
        abort();
    }

    for (i = 0; i < n; i++) {
        if (line[i] != (uint8_t) label->text[i]) {
            abort();
        }
    }

    free(line);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                  kind, id;
    size_t               n, len;
    uint8_t             *piece;
    llm_str_t            text;

    static llm_metrics_t      *m;
    static llm_metrics_own_t   own;

    if (m == NULL) {
        m = calloc(1, sizeof(llm_metrics_t));
        llm_metrics_init(m, 1, 1);

        own.lock = nothing;
        own.unlock = nothing;
        llm_metrics_join(&own, m, 0);
    }

    while (size) {
        kind = fuzz_byte(&data, &size) % LLM_LABEL_KINDS;
        len = fuzz_byte(&data, &size);
        len = len < size ? len : size;

        n = len;
        piece = fuzz_piece(&data, &len, 0, &n);
        size -= n;

        text.data = piece;
        text.len = n;

        id = llm_metrics_label(&own, kind, &text);

        if (id < 0 || id >= LLM_METRICS_LABELS
            || (n != 0 && id != llm_metrics_label(&own, kind, &text)))
        {
            abort();
        }

        if (id != 0) {
            check(&m->label[id]);
        }

        free(piece);
    }

    return 0;
}
