
/*
 * Copyright (C) llm_monitor contributors
 *
 * Prices exchanges, a line of standard input each, for t/prices/compare.mjs:
 *
 *   llm_price_case [FILE]        the table of a file, else the built-in one
 *
 * A line has fields between tabs: protocol, ms since 1970, service tier,
 * provider, model, usage object, then the record's counts as in `counts`
 * below; an empty field is null.  For each line the cost in 1e-9 dollars or
 * "null" is written.  The first line of all is the table's source.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/mem.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_price.h"


#define LINE_MAX_BYTES   8192


static llm_str_t
case_file(const char *name)
{
    FILE       *f;
    uint8_t    *p;
    llm_str_t   s;

    p = malloc(LLM_PRICE_FILE + 1);
    f = fopen(name, "rb");

    if (f == NULL || p == NULL) {
        perror(name);
        exit(2);
    }

    s.data = p;
    s.len = fread(p, 1, LLM_PRICE_FILE + 1, f);
    fclose(f);

    return s;
}


static void
case_line(llm_price_finder_t *finder, char *line)
{
    int            n;
    char          *field[32];
    size_t         i;
    llm_record_t   r;

    static const int  counts[] = {
        LLM_N_INPUT_TOKENS, LLM_N_CACHE_READ_TOKENS,
        LLM_N_CACHE_CREATION_TOKENS, LLM_N_CACHE_CREATION_5M,
        LLM_N_CACHE_CREATION_1H, LLM_N_AUDIO_INPUT_TOKENS,
        LLM_N_OUTPUT_TOKENS, LLM_N_REASONING_TOKENS,
        LLM_N_AUDIO_OUTPUT_TOKENS, LLM_N_WEB_SEARCHES
    };

    static const int  texts[] = {
        LLM_S_SERVICE_TIER, LLM_S_PROVIDER, LLM_S_MODEL, LLM_S_USAGE
    };

    memset(field, 0, sizeof(field));

    for (n = 0; n < 32 && line != NULL; n++) {
        field[n] = strsep(&line, "\t");
    }

    if (n != 16) {
        fprintf(stderr, "%d fields\n", n);
        exit(2);
    }

    llm_record_init(&r);

    r.num[LLM_N_PROTOCOL] = atoll(field[0]);
    r.num[LLM_N_TIMESTAMP] = atoll(field[1]);

    for (i = 0; i < 4; i++) {
        if (field[2 + i][0] != '\0') {
            r.str[texts[i]].data = (uint8_t *) field[2 + i];
            r.str[texts[i]].len = strlen(field[2 + i]);
        }
    }

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (field[6 + i][0] != '\0') {
            r.num[counts[i]] = atoll(field[6 + i]);
        }
    }

    llm_price_record(finder, &r);

    if (r.num[LLM_N_COST_NANO] == LLM_NULL) {
        puts("null");

    } else {
        printf("%lld\n", (long long) r.num[LLM_N_COST_NANO]);
    }
}


int
main(int argc, char **argv)
{
    int                  rc;
    char                 line[LINE_MAX_BYTES], *end;
    size_t               providers, models, bytes;
    llm_str_t            text, source;
    llm_price_error_t    err;
    llm_price_table_t   *table;
    llm_price_finder_t  *finder;

    text.data = NULL;

    if (argc > 1) {
        text = case_file(argv[1]);
        source.data = (uint8_t *) argv[1];
        source.len = strlen(argv[1]);
        rc = llm_price_read(&table, &text, &source, &mem, &err);

    } else {
        rc = llm_price_builtin(&table, &mem, &err);
    }

    if (rc != LLM_OK) {
        fprintf(stderr, "line %zu: %s\n", err.line, err.text);
        return 1;
    }

    llm_price_size(table, &providers, &models, &bytes);

    printf("%.*s: %zu providers, %zu models, %zu bytes\n",
           (int) llm_price_source(table)->len, llm_price_source(table)->data,
           providers, models, bytes);

    finder = llm_price_finder(table);

    while (finder != NULL && fgets(line, sizeof(line), stdin) != NULL) {
        end = strchr(line, '\n');

        if (end != NULL) {
            *end = '\0';
        }

        case_line(finder, line);
    }

    llm_price_finder_free(finder);
    llm_price_free(table);
    free((void *) text.data);

    return 0;
}
