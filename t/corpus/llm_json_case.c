
/*
 * Copyright (C) llm_monitor contributors
 *
 * What the readers of JSON see of a text, for another one to compare.
 * Standard input is a list of "size step\n", so many bytes, "\n"; step is the
 * size of the scanner's pieces, 0: whole.  Each text gives a line of JSON:
 *
 *     {"check": true or false,
 *      "pull":  [type, text], with the rest of the input behind it
 *      "scan":  [[field, type, text], ...],
 *      "walk":  [[path, number, text], ...]}
 *
 * Texts are in hexadecimal: a type is s, a string, w, another word, o, an
 * object, which has [name, value] of each member, or a, an array.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/mem.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_json.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_pull.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_scan.h"


#define CASE_TEXT  (1024 * 1024)


static const llm_key_t  inner[] = {
    llm_key("a", 1),
    llm_key("text", 2),
    llm_key_none("z"),
    llm_key_end
};

static const llm_key_t  outer[] = {
    llm_key("a", 3),
    llm_key_in("o", 4, outer),
    llm_key_in("text", 5, inner),
    llm_key_in("k", 0, inner),
    llm_key_end
};

static const llm_key_t  root = llm_key_in("", 0, outer);

static int  told;


static void case_run(const uint8_t *p, size_t n, size_t step);
static void case_pull(const llm_str_t *value);
static void case_scan(const uint8_t *p, size_t n, size_t step);
static void case_value(void *data, int field, const llm_scan_value_t *v);
static int case_member(void *data, const char *path, int number,
    const llm_str_t *value);
static void case_hex(const uint8_t *p, size_t n);


int
main(void)
{
    size_t    n, step;
    uint8_t  *p;

    while (scanf("%zu %zu", &n, &step) == 2) {
        getchar();

        /* of its own size, so that reading past it is seen */

        p = malloc(n + !n);

        if (p == NULL || n > CASE_TEXT || fread(p, 1, n, stdin) != n) {
            return 1;
        }

        case_run(p, n, step);
        free(p);
    }

    return 0;
}


static void
case_run(const uint8_t *p, size_t n, size_t step)
{
    size_t     at;
    llm_str_t  text, value;

    printf("{\"check\":%s,\"pull\":[",
           llm_json_check(p, n, &mem, &at) == LLM_OK ? "true" : "false");

    text.data = p;
    text.len = n;

    if (llm_pull_value(&text, &value)) {
        case_pull(&value);
        printf(",");
        case_hex(text.data, text.len);
    }

    printf("],\"scan\":[");
    told = 0;
    case_scan(p, n, step);

    printf("],\"walk\":[");
    told = 0;
    (void) llm_json_walk(p, n, &mem, case_member, NULL);

    printf("]}\n");
    fflush(stdout);
}


/* as deep as the text is, of which not every byte is a bracket */

static void
case_pull(const llm_str_t *value)
{
    int         n;
    llm_buf_t   text;
    llm_str_t   name, next;
    llm_pull_t  it;

    if (llm_pull_is(value, '"')) {
        llm_buf_init(&text, CASE_TEXT);
        llm_pull_text(value, &text);
        printf("[\"s\",");
        case_hex(text.data, text.len);
        printf("]");
        llm_buf_free(&text);
        return;
    }

    if (!llm_pull_is(value, '{') && !llm_pull_is(value, '[')) {
        printf("[\"w\",");
        case_hex(value->data, value->len);
        printf("]");
        return;
    }

    llm_pull_open(&it, value);
    printf("[\"%s\",[", it.keys ? "o" : "a");

    for (n = 0; llm_pull_next(&it, it.keys ? &name : NULL, &next); n++) {

        printf("%s", n ? "," : "");

        if (it.keys) {
            printf("[");
            case_hex(name.data, name.len);
            printf(",");
        }

        case_pull(&next);
        printf("%s", it.keys ? "]" : "");
    }

    printf("]]");
}


static void
case_scan(const uint8_t *p, size_t n, size_t step)
{
    size_t      k;
    uint8_t    *piece;
    llm_scan_t  s;

    llm_scan_init(&s, &root, case_value, NULL, &mem);

    for ( /* void */ ; n; p += k, n -= k) {
        k = (step == 0 || step > n) ? n : step;

        piece = malloc(k);
        if (piece == NULL) {
            break;
        }

        memcpy(piece, p, k);
        llm_scan(&s, piece, k);
        free(piece);
    }

    llm_scan_end(&s);
    llm_scan_free(&s);
}


static void
case_value(void *data, int field, const llm_scan_value_t *v)
{
    if (v->type != LLM_SCAN_STRING && v->type != LLM_SCAN_LITERAL) {
        return;
    }

    printf("%s[%d,\"%s\",", told++ ? "," : "", field,
           v->type == LLM_SCAN_STRING ? "s" : "w");
    case_hex(v->p, v->n);
    printf("]");
}


static int
case_member(void *data, const char *path, int number, const llm_str_t *value)
{
    printf("%s[", told++ ? "," : "");
    case_hex((const uint8_t *) path, strlen(path));
    printf(",%d,", number);
    case_hex(value->data, value->len);
    printf("]");

    return 0;
}


static void
case_hex(const uint8_t *p, size_t n)
{
    printf("\"");

    while (n--) {
        printf("%02x", *p++);
    }

    printf("\"");
}
