
/*
 * Copyright (C) llm_monitor contributors
 *
 * No value of a plain secret argument of a query may be in a url.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_route.h"
#include "../../ngx_http_llm_monitor_module/record/llm_text.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             in_query;
    size_t          i, n, cap;
    uint8_t        *url, *out;
    llm_str_t       method, path, query;
    llm_route_t     rt;
    const uint8_t  *mark;

    cap = fuzz_byte(&data, &size) * 4;
    method.data = (const uint8_t *) "POST";
    method.len = 4;

    url = fuzz_piece(&data, &size, 0, &n);
    mark = memchr(url, '?', n);

    path.data = url;
    path.len = mark ? (size_t) (mark - url) : n;
    query.data = mark ? mark + 1 : NULL;
    query.len = mark ? n - path.len - 1 : 0;

    llm_route(&rt, &method, &path, &query);

    if (rt.endpoint.len == 0 || rt.endpoint.len > 256 || rt.model.len > 256
        || rt.endpoint.data[rt.endpoint.len - 1] == 0)
    {
        abort();
    }

    out = malloc(cap + 1);
    n = llm_route_url(out, cap, &path, &query, NULL, 0);

    if (n > cap || !llm_utf8_valid(out, n)) {
        abort();
    }

    for (i = 0, in_query = 0; i < n; i++) {

        if (out[i] <= ' ' || out[i] == 0x7f) {
            abort();
        }

        if (out[i] == '?') {
            in_query = 1;
        }

        if (in_query && n - i > 5 && (out[i] == '?' || out[i] == '&')
            && memcmp(out + i + 1, "key=", 4) == 0 && out[i + 5] != '*'
            && out[i + 5] != '&')
        {
            abort();
        }
    }

    free(out);
    free(url);

    return 0;
}
