
/*
 * Copyright (C) llm_monitor contributors
 *
 * The readers of price files, and what is looked up in what they have read: a
 * table or an error, a cost with its source or neither, and none below 0.
 */


#include "fuzz.h"
#include "../../ngx_http_llm_monitor_module/extract/llm_price_table.h"


static int read_one(llm_price_table_t **table, int kind,
    const llm_str_t *text, llm_price_error_t *err);
static void price(llm_price_table_t *table, int option, llm_str_t *provider,
    llm_str_t *model, int64_t tokens);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 option;
    size_t              n;
    uint8_t            *piece;
    int64_t             tokens;
    llm_str_t           provider, model, text;
    llm_price_error_t   err;
    llm_price_table_t  *table;

    option = fuzz_option(&data, &size);
    tokens = (int64_t) 1 << fuzz_byte(&data, &size) % 63;

    provider.data = data;
    provider.len = size < 8 ? size : 8;
    model.data = data + provider.len;
    model.len = size - provider.len < 8 ? size - provider.len : 8;

    data += provider.len + model.len;
    size -= provider.len + model.len;

    piece = fuzz_piece(&data, &size, 0, &n);
    text.data = piece;
    text.len = n;

    memset(&err, 0, sizeof(llm_price_error_t));
    table = NULL;

    if (read_one(&table, option & 3, &text, &err) == LLM_OK) {
        fuzz_allocs = SIZE_MAX;
        price(table, option, &provider, &model, tokens);

    } else if (err.text[0] == '\0' || strlen(err.text) >= sizeof(err.text)) {
        abort();
    }

    llm_price_free(table);
    free(piece);

    return 0;
}


/* The compact form is only ever built in, and read by nobody but the module. */

static int
read_one(llm_price_table_t **table, int kind, const llm_str_t *text,
    llm_price_error_t *err)
{
    static const llm_str_t  source = llm_str("file");

    if (kind == 0) {
        return llm_price_read(table, text, &source, &fuzz_mem, err);
    }

    *table = llm_price_table_create(&fuzz_mem);

    if (*table == NULL
        || llm_price_copy(*table, &(*table)->source, &source, 0) != LLM_OK)
    {
        return llm_price_fail(err, 0, "no memory");
    }

    switch (kind) {

    case 1:
        return llm_price_read_genai(*table, text, err);

    case 2:
        return llm_price_read_litellm(*table, text, err);

    default:
        return llm_price_read_text(*table, text, err);
    }
}


static void
price(llm_price_table_t *table, int option, llm_str_t *provider,
    llm_str_t *model, int64_t tokens)
{
    int                  i;
    size_t               n;
    llm_record_t         r;
    llm_price_finder_t  *finder;

    static const llm_str_t  tiers[] = {
        llm_str("batch"), llm_str("flex"), llm_str("priority"),
        llm_str("default")
    };

    finder = llm_price_finder(table);
    if (finder == NULL) {
        abort();
    }

    /* the second time it is remembered */

    for (i = 0; i < 8; i++) {
        llm_record_init(&r);

        r.num[LLM_N_PROTOCOL] = option >> 2 & 7;
        r.num[LLM_N_TIMESTAMP] = 1795249800000;
        r.num[LLM_N_INPUT_TOKENS] = tokens;
        r.num[LLM_N_CACHE_READ_TOKENS] = tokens / 3;
        r.num[LLM_N_CACHE_CREATION_TOKENS] = tokens / 5;
        r.num[LLM_N_OUTPUT_TOKENS] = tokens / 2;
        r.str[LLM_S_SERVICE_TIER] = tiers[i % 4];
        r.str[LLM_S_PROVIDER] = *provider;

        n = model->len;
        r.str[LLM_S_MODEL].data = model->data;
        r.str[LLM_S_MODEL].len = i & 4 ? n : n / 2;

        llm_price_record(finder, &r);

        if ((r.num[LLM_N_COST_NANO] == LLM_NULL)
            != (r.str[LLM_S_PRICE_SOURCE].data == NULL)
            || (r.num[LLM_N_COST_NANO] != LLM_NULL
                && r.num[LLM_N_COST_NANO] < 0))
        {
            abort();
        }
    }

    llm_price_finder_free(finder);
}
