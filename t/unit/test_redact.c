
/*
 * Copyright (C) llm_monitor contributors
 *
 * Values of named fields are hidden whatever the framing and the split.
 */


#include <stdlib.h>

#include "tap.h"
#include "mem.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_redact.h"


typedef struct {
    const char  *in;
    const char  *out;
} case_t;


static const case_t  cases[] = {

    /* kinds of values */

    { "{\"api_key\":\"s3cret\",\"a\":1}", "{\"api_key\":\"***\",\"a\":1}" },
    { "{\"api_key\":12.5e3}", "{\"api_key\":\"***\"}" },
    { "{\"api_key\":true,\"b\":false}", "{\"api_key\":\"***\",\"b\":false}" },
    { "{\"api_key\":null}", "{\"api_key\":\"***\"}" },
    { "{\"api_key\":{\"x\":[\"}\\\"\",{}]},\"b\":2}",
      "{\"api_key\":\"***\",\"b\":2}" },
    { "{\"api_key\":[[\"]\",\"\\\\\"],{}],\"b\":2}",
      "{\"api_key\":\"***\",\"b\":2}" },
    { "{\"api_key\":\"\"}", "{\"api_key\":\"***\"}" },
    { "{\"api_key\" :\t\r\n \"a\\\"b\\\\\" }",
      "{\"api_key\" :\t\r\n \"***\" }" },

    /* keys */

    { "{\"API_Key\":\"s\"}", "{\"API_Key\":\"***\"}" },
    { "{\"\\u0061pi\\u005Fkey\":\"s\"}",
      "{\"\\u0061pi\\u005Fkey\":\"***\"}" },
    { "{\"a\\/b\":\"s\"}", "{\"a\\/b\":\"***\"}" },
    { "{\"schl\\u00fcssel\":\"s\",\"schl\xc3\xbcssel\":\"s\"}",
      "{\"schl\\u00fcssel\":\"***\",\"schl\xc3\xbcssel\":\"***\"}" },
    { "{\"a\":{\"b\":[{\"password\":\"s\"}]}}",
      "{\"a\":{\"b\":[{\"password\":\"***\"}]}}" },

    /* what is no such key */

    { "{\"api_key2\":\"s\",\"xapi_key\":\"s\",\"api\\nkey\":\"s\"}", NULL },
    { "{\"x\":\"api_key\",\"y\":\"api_key: z\"}", NULL },
    { "[\"api_key\",\"s\"]", NULL },
    { "{\"x\":\"\\\"api_key\\\":\\\"s\\\"\"}", NULL },
    { "{\"api_key\":}", NULL },
    { "{\"api_key\":,\"b\":1}", NULL },
    { "plain text with \" and \\ and api_key: s", NULL },
    { "", NULL },

    /* framing */

    { "data: {\"api_key\":\"s\"}\n\ndata: {\"password\":1}\r\n\r\n",
      "data: {\"api_key\":\"***\"}\n\ndata: {\"password\":\"***\"}\r\n\r\n" },
    { ": it's 5\" wide\ndata: {\"api_key\":\"s\"}\n\n",
      ": it's 5\" wide\ndata: {\"api_key\":\"***\"}\n\n" },
    { "data: {\"x\":\"cut\\\n\ndata: {\"api_key\":\"s\"}\n\n",
      "data: {\"x\":\"cut\\\n\ndata: {\"api_key\":\"***\"}\n\n" },
    { "data: {\"api_key\":\"cut\n\ndata: {\"api_key\":\"s\"}\n\n",
      "data: {\"api_key\":\"***\"data: {\"api_key\":\"***\"}\n\n" },
    { "data: {\"api_key\":\ndata: \"s\"}\n\n",
      "data: {\"api_key\":\n\"***\"}\n\n" },
    { "{\"api_key\":1}\n{\"api_key\":2}\n",
      "{\"api_key\":\"***\"}\n{\"api_key\":\"***\"}\n" },
    { "\"api_key\":1\n\"b\"", "\"api_key\":\"***\"\n\"b\"" },

    /* cut or broken */

    { "{\"api_key\":\"never ends", "{\"api_key\":\"***\"" },
    { "{\"api_key\":{\"never\":\"ends", "{\"api_key\":\"***\"" },
    { "{\"api_key\":12", "{\"api_key\":\"***\"" },
    { "{\"api_key\":", NULL },
    { "{\"api_key\"", NULL },
    { "{\"api_ke", NULL },
    { "{\"api_key\":\"raw\nline\nend\",\"b\":1}",
      "{\"api_key\":\"***\",\"b\":1}" },
    { "{\"\\u00zz\":\"s\",\"api_key\":\"s\"}",
      "{\"\\u00zz\":\"s\",\"api_key\":\"***\"}" }
};


static const llm_str_t  names[] = {
    llm_str("api_key"),
    llm_str("password"),
    llm_str("a/b"),
    llm_str("schl\xc3\xbcssel")
};


static uint8_t  out[100000];
static size_t   out_len;


static void
take(void *data, const uint8_t *p, size_t n)
{
    memcpy(out + out_len, p, n);
    out_len += n;
}


static int
run(const char *in, size_t n, int mode)
{
    int            done;
    size_t         size;
    split_t        split;
    llm_redact_t  *rd;

    out_len = 0;

    llm_redact_create(&rd, names, 4, &mem, take, NULL);
    split_init(&split, mode);

    for ( /* void */ ; n != 0; in += size, n -= size) {
        size = split_next(&split, n);
        llm_redact_feed(rd, (const uint8_t *) in, size, 0);
    }

    llm_redact_feed(rd, NULL, 0, 1);

    done = llm_redact_done(rd);
    llm_redact_destroy(rd);

    return done;
}


static void
test_long(void)
{
    int          mode, bad;
    size_t       n;
    static char  in[40000];

    memset(in, 'k', sizeof(in));
    memcpy(in, "{\"", 2);
    memcpy(in + 1000, "\":\"v\",\"x\":\"", 11);
    n = 30000;
    memcpy(in + n, "\",\"password\":\"s\"}", 17);
    n += 17;

    for (mode = 0, bad = 0; mode < SPLIT_MODES; mode++) {
        run(in, n, mode);

        bad += out_len != n + 2 || memcmp(out, in, 30014) != 0
               || memcmp(out + 30014, "***\"}", 5) != 0;
    }

    ok(bad == 0, "long keys and long values");

    /* a million open brackets cost no memory */

    memset(in, '[', sizeof(in));
    memcpy(in, "\"password\":", 11);
    run(in, sizeof(in), 0);
    ok(out_len == 16, "depth");
}


int
main(void)
{
    int          mode, done, want_done, bad;
    size_t       i, n;
    const char  *want;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        want = cases[i].out ? cases[i].out : cases[i].in;
        n = strlen(want);
        want_done = (strstr(want, "***") != NULL);
        bad = -1;

        for (mode = 0; mode < SPLIT_MODES; mode++) {
            done = run(cases[i].in, strlen(cases[i].in), mode);

            if (out_len != n || memcmp(out, want, n) != 0
                || done != want_done)
            {
                bad = mode;
                printf("# mode %d: %.*s\n", mode, (int) out_len,
                       (char *) out);
                break;
            }
        }

        ok(bad == -1, "case %zu", i);
    }

    test_long();

    return done_testing();
}
