
/*
 * Copyright (C) llm_monitor contributors
 *
 * multipart/form-data as browsers, curl and worse clients send it.
 */


#include <stdlib.h>

#include "tap.h"
#include "mem.h"
#include "split.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_multipart.h"


#define TYPE  "multipart/form-data; boundary=AaB03x"
#define FILE_HEAD  "--AaB03x\r\nContent-Disposition: form-data; " \
                   "name=\"file\"; filename=\"a.mp3\"\r\n" \
                   "Content-Type: audio/mpeg\r\n\r\n"
#define MODEL      "--AaB03x\r\nContent-Disposition: form-data; " \
                   "name=\"model\"\r\n\r\nwhisper-1\r\n"
#define TAIL       "vv\"}],\"truncated\":true}"
#define MODEL_OUT  "{\"name\":\"model\",\"value\":\"whisper-1\"}"


typedef struct {
    const char  *name;
    const char  *type;
    const char  *body;
    const char  *parts;
    int          truncated;
} case_t;


static const case_t  cases[] = {
    { "a file and a field", TYPE,
      FILE_HEAD "ID3\r\n" MODEL "--AaB03x--\r\n",
      "{\"name\":\"file\",\"filename\":\"a.mp3\",\"type\":\"audio/mpeg\","
      "\"size\":3}," MODEL_OUT, 0 },
    { "preamble and epilogue", TYPE,
      "This is a message\r\nwith --AaB03x in it\r\n" MODEL
      "--AaB03x--\r\nand so on\r\n" MODEL, MODEL_OUT, 0 },
    { "content that looks like a delimiter", TYPE,
      FILE_HEAD "--AaB03\r\n--AaB03xy\r\n--AaB03x-\r\n -\r\n\r\r\n\n\r\n"
      "--AaB03x \r\r\n--AaB03x \t\r\n\r\n\r\n--AaB03x--",
      "{\"name\":\"file\",\"filename\":\"a.mp3\",\"type\":\"audio/mpeg\","
      "\"size\":39},{\"name\":null,\"value\":\"\"}", 0 },
    { "a quoted boundary", "Multipart/Form-Data; charset=utf-8; "
      "Boundary=\"a; b=c \\\"d\" ; x=y",
      "--a; b=c \"d\r\ncontent-disposition:form-data;name=x\r\n\r\n1\r\n"
      "--a; b=c \"d--", "{\"name\":\"x\",\"value\":\"1\"}", 0 },
    { "line ends of LF only", TYPE,
      "--AaB03x\nContent-Disposition: form-data; name=\"x\"\n\n1\n2\n"
      "--AaB03x\nContent-Disposition: form-data; name=\"y\"\n\n\n"
      "--AaB03x--\n",
      "{\"name\":\"x\",\"value\":\"1\\n2\"},{\"name\":\"y\",\"value\":\"\"}",
      0 },
    { "names with quotes and backslashes", TYPE,
      "--AaB03x\r\nContent-Disposition: form-data; name=\"a\\\"b;c\"; "
      "filename=\"C:\\dir\\x.txt\"\r\n\r\nx\r\n--AaB03x--",
      "{\"name\":\"a\\\"b;c\",\"filename\":\"C:\\\\dir\\\\x.txt\","
      "\"type\":null,\"size\":1}", 0 },
    { "filename*", TYPE,
      "--AaB03x\r\nContent-Disposition: form-data; name=f; "
      "filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt\r\n\r\n"
      "\r\n--AaB03x--",
      "{\"name\":\"f\",\"filename\":\"\xe2\x82\xac.txt\",\"type\":null,"
      "\"size\":0}", 0 },
    { "bad headers", TYPE,
      "--AaB03x\r\nno colon\r\n: empty\r\nContent-Disposition\r\n"
      "Content-Disposition: form-data; ; =; name; name=\"x\r\n\r\n1\r\n"
      "--AaB03x--", "{\"name\":\"x\",\"value\":\"1\"}", 0 },
    { "an empty file name is a file", TYPE,
      "--AaB03x\r\nContent-Disposition: form-data; name=\"f\"; "
      "filename=\"\"\r\n\r\n\r\n--AaB03x--",
      "{\"name\":\"f\",\"filename\":\"\",\"type\":null,\"size\":0}", 0 },
    { "cut in a file", TYPE, MODEL FILE_HEAD "123\r",
      MODEL_OUT ",{\"name\":\"file\",\"filename\":\"a.mp3\","
      "\"type\":\"audio/mpeg\",\"size\":3}", 1 },
    { "cut in a header", TYPE, MODEL "--AaB03x\r\nContent-Dis", MODEL_OUT,
      1 },
    { "no part", TYPE, "--AaB03x--\r\n", "", 0 },
    { "nothing", TYPE, "", "", 1 },
    { "another boundary", TYPE, "--other\r\n\r\nx\r\n--other--", "", 1 }
};


static llm_multipart_t *
run(const char *type, const char *body, size_t n, int mode, llm_buf_t *out)
{
    size_t            size;
    split_t           split;
    llm_str_t         s;
    llm_multipart_t  *m;

    s.data = (const uint8_t *) type;
    s.len = strlen(type);

    if (llm_multipart_create(&m, &s, &mem) != LLM_OK) {
        return NULL;
    }

    split_init(&split, mode);

    for ( /* void */ ; n != 0; body += size, n -= size) {
        size = split_next(&split, n);
        llm_multipart_feed(m, (const uint8_t *) body, size);
    }

    llm_buf_init(out, 1048576);
    llm_multipart_summary(m, out);

    return m;
}


static void
test_case(const case_t *c)
{
    int               mode, bad;
    char              want[2000];
    size_t            n;
    llm_buf_t         out;
    llm_multipart_t  *m;

    n = snprintf(want, sizeof(want), "{\"multipart\":[%s],\"truncated\":%s}",
                 c->parts, c->truncated ? "true" : "false");
    bad = -1;

    for (mode = 0; mode < SPLIT_MODES && bad == -1; mode++) {
        m = run(c->type, c->body, strlen(c->body), mode, &out);

        if (out.len != n || memcmp(out.data, want, n) != 0) {
            printf("# mode %d: %.*s\n", mode, (int) out.len,
                   (char *) out.data);
            bad = mode;
        }

        llm_multipart_destroy(m);
        llm_buf_free(&out);
    }

    ok(bad == -1, "%s", c->name);
}


static void
test_values(void)
{
    llm_buf_t         out;
    llm_str_t         s;
    const char       *body;
    llm_multipart_t  *m;

    body = FILE_HEAD "x\r\n" MODEL "--AaB03x--";

    m = run(TYPE, body, strlen(body), 3, &out);

    s = llm_multipart_value(m, "model");
    ok(s.len == 9 && memcmp(s.data, "whisper-1", 9) == 0, "value of a field");

    s = llm_multipart_value(m, "file");
    ok(s.data == NULL, "no value of a file");

    s = llm_multipart_value(m, "stream");
    ok(s.data == NULL, "no value of what is not there");

    llm_multipart_destroy(m);
    llm_buf_free(&out);
}


static void
test_bounds(void)
{
    int               i;
    char             *body;
    size_t            n;
    llm_buf_t         out;
    llm_str_t         s;
    llm_multipart_t  *m;

    static const char  *refused[] = {
        "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "application/json; boundary=x",
        ""
    };

    body = malloc(100000);

    for (i = 0; i < 5; i++) {
        m = run(refused[i], "", 0, 0, &out);
        ok(m == NULL, "\"%s\" is refused", refused[i]);
    }

    memset(body, 'b', 1000);
    memcpy(body, "multipart/form-data; boundary=", 30);
    body[231] = '\0';
    ok(run(body, "", 0, 0, &out) == NULL, "a boundary of 201 bytes");

    for (i = 0, n = 0; i < 65; i++) {
        memcpy(body + n, MODEL, sizeof(MODEL) - 1);
        n += sizeof(MODEL) - 1;
    }

    memcpy(body + n, "--AaB03x--", 10);
    m = run(TYPE, body, n + 10, 5, &out);
    ok(out.len == 14 + 64 * sizeof(MODEL_OUT) - 1 + 19
       && memcmp(out.data + out.len - 5, "true}", 5) == 0,
       "64 parts are kept");
    llm_multipart_destroy(m);
    llm_buf_free(&out);

    n = sizeof(MODEL) - 1 - 11;
    memcpy(body, MODEL, n);
    memset(body + n, 0xc3, 1);
    memset(body + n + 1, 0xa9, 1);
    memset(body + n + 2, 'v', 2000);
    body[n + 511] = (char) 0xc3;
    body[n + 512] = (char) 0xa9;
    memcpy(body + n + 2000, "\r\n--AaB03x--", 12);
    m = run(TYPE, body, n + 2012, 1, &out);
    s = llm_multipart_value(m, "model");
    ok(s.len == 512, "512 bytes of a value are kept");
    ok(memcmp(out.data + out.len - (sizeof(TAIL) - 1), TAIL, sizeof(TAIL) - 1)
       == 0, "no character is cut");
    llm_multipart_destroy(m);
    llm_buf_free(&out);

    n = snprintf(body, 100, "--AaB03x\r\nX: ");
    memset(body + n, 'h', 50000);
    n += 50000;
    n += snprintf(body + n, 200, "\r\nContent-Disposition: form-data; "
                  "name=\"x\"\r\n\r\n1\r\n--AaB03x--");
    m = run(TYPE, body, n, 31, &out);
    s = llm_multipart_value(m, "x");
    ok(s.len == 1, "a header of 50000 bytes");
    llm_multipart_destroy(m);
    llm_buf_free(&out);

    free(body);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(&cases[i]);
    }

    test_values();
    test_bounds();

    return done_testing();
}
