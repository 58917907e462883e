
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_json_write.h"
#include "llm_text.h"


static void llm_json_comma(llm_json_t *j);
static void llm_json_open(llm_json_t *j, const char *bracket);
static void llm_json_close(llm_json_t *j, const char *bracket);
static const uint8_t *llm_json_rest(llm_json_t *j, const uint8_t *p,
    const uint8_t *end);
static int llm_json_plain(uint8_t c);
static void llm_json_escape(llm_json_t *j, uint32_t c);


void
llm_json_init(llm_json_t *j, llm_buf_t *out)
{
    memset(j, 0, sizeof(llm_json_t));
    j->out = out;
}


void
llm_json_open_object(llm_json_t *j)
{
    llm_json_open(j, "{");
}


void
llm_json_close_object(llm_json_t *j)
{
    llm_json_close(j, "}");
}


void
llm_json_open_array(llm_json_t *j)
{
    llm_json_open(j, "[");
}


void
llm_json_close_array(llm_json_t *j)
{
    llm_json_close(j, "]");
}


static void
llm_json_open(llm_json_t *j, const char *bracket)
{
    llm_json_comma(j);

    if (j->depth == LLM_JSON_DEPTH - 1) {
        j->out->failed = LLM_FULL;
        return;
    }

    j->comma[++j->depth] = 0;
    llm_buf_add(j->out, bracket, 1);
}


static void
llm_json_close(llm_json_t *j, const char *bracket)
{
    if (j->depth > 0) {
        j->depth--;
    }

    llm_buf_add(j->out, bracket, 1);
}


/* Before each value: the comma after the one before it in its container. */

static void
llm_json_comma(llm_json_t *j)
{
    if (j->key) {
        j->key = 0;
        return;
    }

    if (j->comma[j->depth]) {
        llm_buf_add(j->out, ",", 1);
    }

    /* at the top there are documents, not members */
    j->comma[j->depth] = j->depth > 0;
}


void
llm_json_key(llm_json_t *j, const char *name)
{
    llm_json_text(j, name);
    llm_buf_add(j->out, ":", 1);
    j->key = 1;
}


void
llm_json_null(llm_json_t *j)
{
    llm_json_comma(j);
    llm_buf_add(j->out, "null", 4);
}


void
llm_json_bool(llm_json_t *j, int v)
{
    llm_json_comma(j);
    llm_buf_text(j->out, v ? "true" : "false");
}


void
llm_json_int(llm_json_t *j, int64_t v)
{
    if (v == LLM_NULL) {
        llm_json_null(j);
        return;
    }

    llm_json_comma(j);
    llm_buf_int(j->out, v);
}


void
llm_json_decimal(llm_json_t *j, int64_t v, int decimals)
{
    if (v == LLM_NULL) {
        llm_json_null(j);
        return;
    }

    llm_json_comma(j);
    llm_buf_decimal(j->out, v, decimals);
}


void
llm_json_raw(llm_json_t *j, const uint8_t *p, size_t n)
{
    llm_json_comma(j);
    llm_buf_add(j->out, p, n);
}


void
llm_json_str(llm_json_t *j, const llm_str_t *s)
{
    if (s->data == NULL) {
        llm_json_null(j);
        return;
    }

    llm_json_string(j, s->data, s->len);
}


void
llm_json_text(llm_json_t *j, const char *text)
{
    if (text == NULL) {
        llm_json_null(j);
        return;
    }

    llm_json_string(j, (const uint8_t *) text, strlen(text));
}


void
llm_json_string(llm_json_t *j, const uint8_t *p, size_t n)
{
    llm_json_open_string(j);
    llm_json_append(j, p, n);
    llm_json_close_string(j);
}


void
llm_json_open_string(llm_json_t *j)
{
    llm_json_comma(j);
    llm_buf_add(j->out, "\"", 1);
    j->nrest = 0;
}


void
llm_json_append(llm_json_t *j, const uint8_t *p, size_t n)
{
    int             len;
    uint32_t        c;
    const uint8_t  *end, *run;

    if (n == 0) {
        return;
    }

    end = p + n;

    if (j->nrest > 0) {
        p = llm_json_rest(j, p, end);
    }

    run = p;

    while (p < end) {

        if (llm_json_plain(*p)) {
            p++;
            continue;
        }

        len = llm_utf8_decode(p, end - p, &c);

        if (len > 1 && c >= 0xa0 && c != 0x2028 && c != 0x2029) {
            p += len;
            continue;
        }

        llm_buf_add(j->out, run, p - run);

        if (len == 0) {
            j->nrest = end - p;
            memcpy(j->rest, p, j->nrest);
            return;
        }

        llm_json_escape(j, len > 0 ? c : 0xfffd);

        p += len > 0 ? len : -len;
        run = p;
    }

    llm_buf_add(j->out, run, p - run);
}


/*
 * The character that the last piece began, byte by byte.  A byte that does not
 * continue it belongs to the next one and is left in the new piece.
 */

static const uint8_t *
llm_json_rest(llm_json_t *j, const uint8_t *p, const uint8_t *end)
{
    int       len;
    uint32_t  c;

    while (p < end) {

        j->rest[j->nrest] = *p;
        len = llm_utf8_decode(j->rest, j->nrest + 1, &c);

        if (len == 0) {
            j->nrest++;
            p++;
            continue;
        }

        if (len < 0) {
            llm_json_escape(j, 0xfffd);
            j->nrest = 0;
            return p;
        }

        llm_json_escape(j, c);
        j->nrest = 0;
        return p + 1;
    }

    return p;
}


void
llm_json_close_string(llm_json_t *j)
{
    if (j->nrest > 0) {
        llm_json_escape(j, 0xfffd);
        j->nrest = 0;
    }

    llm_buf_add(j->out, "\"", 1);
}


static int
llm_json_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<';
}


/* Writes one character, escaped if it has to be. */

static void
llm_json_escape(llm_json_t *j, uint32_t c)
{
    int                n;
    uint8_t            buf[6];
    static const char  digits[] = "0123456789abcdef";
    static const char  plain[] = "\"\\\b\f\n\r\t";
    static const char  letter[] = "\"\\bfnrt";
    const char        *p;

    if (c >= 0x10000) {
        buf[0] = 0xf0 | c >> 18;
        buf[1] = 0x80 | (c >> 12 & 0x3f);
        buf[2] = 0x80 | (c >> 6 & 0x3f);
        buf[3] = 0x80 | (c & 0x3f);
        n = 4;

    } else if (c >= 0x800 && c != 0x2028 && c != 0x2029) {
        buf[0] = 0xe0 | c >> 12;
        buf[1] = 0x80 | (c >> 6 & 0x3f);
        buf[2] = 0x80 | (c & 0x3f);
        n = 3;

    } else if (c >= 0xa0 && c < 0x800) {
        buf[0] = 0xc0 | c >> 6;
        buf[1] = 0x80 | (c & 0x3f);
        n = 2;

    } else if (c != 0 && c < 0x80 && (p = strchr(plain, c)) != NULL) {
        buf[0] = '\\';
        buf[1] = letter[p - plain];
        n = 2;

    } else {
        buf[0] = '\\';
        buf[1] = 'u';
        buf[2] = digits[c >> 12 & 0xf];
        buf[3] = digits[c >> 8 & 0xf];
        buf[4] = digits[c >> 4 & 0xf];
        buf[5] = digits[c & 0xf];
        n = 6;
    }

    llm_buf_add(j->out, buf, n);
}
