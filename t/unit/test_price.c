
/*
 * Copyright (C) llm_monitor contributors
 *
 * Prices: numbers, times and rules of tables, what a broken file is told, and
 * what a record costs.  t/prices compares the whole table with the calculator
 * that it comes from.
 */


#include <stdlib.h>

#include "../../ngx_http_llm_monitor_module/extract/llm_price_table.h"
#include "tap.h"


static size_t  allocations, refuse_at, alive;


static void *
counted_alloc(void *data, size_t size)
{
    if (++allocations == refuse_at) {
        return NULL;
    }

    alive++;

    return malloc(size);
}


static void
counted_free(void *data, void *p)
{
    if (p != NULL) {
        alive--;
    }

    free(p);
}


static const llm_mem_t  mem = { counted_alloc, counted_free, NULL };


static llm_str_t
str(const char *text)
{
    llm_str_t  s;

    s.data = (const uint8_t *) text;
    s.len = strlen(text);

    return s;
}


static void
test_decimal(const char *text, int scale, int64_t want)
{
    int        rc;
    int64_t    v;
    llm_str_t  s;

    v = 0;
    s = str(text);
    rc = llm_price_decimal(&s, scale, &v);

    if (want < 0) {
        ok(rc == LLM_ERROR, "no price: \"%s\"", text);
        return;
    }

    ok(rc == LLM_OK && v == want, "%s by 10^%d is %lld", text, scale,
       (long long) v);
}


static void
test_numbers(void)
{
    test_decimal("1.25", 9, 1250000000);
    test_decimal("0.0375", 9, 37500000);
    test_decimal("1.5e-07", 15, 150000000);
    test_decimal("2.5E-8", 15, 25000000);
    test_decimal("0", 9, 0);
    test_decimal("0e99", 9, 0);
    test_decimal("1e-30", 15, 0);
    test_decimal("1.25e+2", 0, 125);
    test_decimal("0.4", 0, 0);
    test_decimal("0.5", 0, 1);
    test_decimal("0.49999999999999999999999", 0, 0);
    test_decimal("123456789012345678901234567890e-20", 0, 1234567890);
    test_decimal("1000", 15, 1000000000000000000LL);
    test_decimal("1001", 15, -1);
    test_decimal("1e9999", 15, -1);
    test_decimal("1e99999", 15, -1);
    test_decimal("-1", 9, -1);
    test_decimal("", 9, -1);
    test_decimal(".", 9, -1);
    test_decimal("1.2.3", 9, -1);
    test_decimal("1e", 9, -1);
    test_decimal("nan", 9, -1);
    test_decimal("\"1\"", 9, -1);
    test_decimal("null", 9, -1);
}


static void
test_when(int (*read)(const llm_str_t *s, int64_t *ms), const char *text,
    int64_t want)
{
    int        rc;
    int64_t    ms;
    llm_str_t  s;

    ms = 0;
    s = str(text);
    rc = read(&s, &ms);

    if (want < 0) {
        ok(rc == LLM_ERROR, "no time: \"%s\"", text);
        return;
    }

    ok(rc == LLM_OK && ms == want, "%s is %lld ms", text, (long long) ms);
}


static void
test_times(void)
{
    test_when(llm_price_date, "1970-01-01", 0);
    test_when(llm_price_date, "2000-02-29", 951782400000);
    test_when(llm_price_date, "2000-03-01", 951868800000);
    test_when(llm_price_date, "2026-03-13", 1773360000000);
    test_when(llm_price_date, "2028-12-31", 1861833600000);
    test_when(llm_price_date, "2100-03-01", 4107542400000);
    test_when(llm_price_date, "2026-02-29", -1);
    test_when(llm_price_date, "2100-02-29", -1);
    test_when(llm_price_date, "2026-13-01", -1);
    test_when(llm_price_date, "2026-00-10", -1);
    test_when(llm_price_date, "2026-04-31", -1);
    test_when(llm_price_date, "1969-12-31", -1);
    test_when(llm_price_date, "2026-3-13", -1);
    test_when(llm_price_date, "2026/03/13", -1);

    test_when(llm_price_time, "00:00:00Z", 0);
    test_when(llm_price_time, "16:30:00Z", 59400000);
    test_when(llm_price_time, "23:59:59.25Z", 86399250);
    test_when(llm_price_time, "08:30:00+08:00", 1800000);
    test_when(llm_price_time, "00:30:00+08:00", 59400000);
    test_when(llm_price_time, "20:00:00-05:30", 5400000);
    test_when(llm_price_time, "24:00:00Z", -1);
    test_when(llm_price_time, "16:30:00", -1);
    test_when(llm_price_time, "16:30Z", -1);
    test_when(llm_price_time, "16:30:00+24:00", -1);
    test_when(llm_price_time, "16:30:00+0800", -1);
}


/* a table, and what each of its models costs */

static llm_price_table_t *
table_of(const char *text)
{
    llm_str_t           s, source;
    llm_price_error_t   err;
    llm_price_table_t  *t;

    s = str(text);
    source = str("test");

    if (llm_price_read(&t, &s, &source, &mem, &err) != LLM_OK) {
        ok(0, "line %zu: %s", err.line, err.text);
        return NULL;
    }

    return t;
}


static const char  genai[] =
    "[\n"
    " {\"id\": \"Acme\", \"api_pattern\": \"https://api\\\\.acme\\\\.com\",\n"
    "  \"provider_match\": {\"contains\": \"acme\"},\n"
    "  \"model_match\": {\"starts_with\": \"ac-\"},\n"
    "  \"fallback_model_providers\": [\"other\"],\n"
    "  \"extractors\": [{\"any\": [1, {}]}],\n"
    "  \"models\": [\n"
    "   {\"id\": \"ac-1\", \"match\": {\"equals\": \"AC-1\"}, \"prices\":\n"
    "    {\"input_mtok\": 2, \"output_mtok\": 8, \"cache_read_mtok\": 0.2,\n"
    "     \"cache_write_mtok\": 2.5, \"cache_write_1h_mtok\": 4,\n"
    "     \"input_gpixels\": 9, \"web_searches_kcount\": 10}},\n"
    "   {\"id\": \"ac-2\", \"match\": {\"or\": [{\"starts_with\": \"ac-2-\"},\n"
    "     {\"and\": [{\"contains\": \"c-2\"}, {\"ends_with\": \"x\"}]}]},\n"
    "    \"prices\": {\"input_mtok\": {\"base\": 1, \"tiers\": [\n"
    "     {\"start\": 2000, \"price\": 3}, {\"start\": 1000, \"price\": 2}]},\n"
    "     \"output_mtok\": 10}},\n"
    "   {\"id\": \"ac-3\", \"match\": {\"regex\": \"^ac-3(?!-free)\"},\n"
    "    \"prices\": [\n"
    "     {\"prices\": {\"input_mtok\": 1}},\n"
    "     {\"constraint\": {\"start_date\": \"2026-03-13\"},\n"
    "      \"prices\": {\"input_mtok\": 2}},\n"
    "     {\"constraint\": {\"start_time\": \"23:00:00Z\",\n"
    "                       \"end_time\": \"01:00:00Z\"},\n"
    "      \"prices\": {\"input_mtok\": 3}}]},\n"
    "   {\"id\": \"ac-free\", \"match\": {\"equals\": \"ac-free\"},\n"
    "    \"prices\": {\"input_mtok\": 0, \"output_mtok\": 0}},\n"
    "   {\"id\": \"ac-hour\", \"match\": {\"equals\": \"ac-hour\"},\n"
    "    \"prices\": {\"audio_hours\": 1, \"web_searches_kcount\": 10}}\n"
    "  ]},\n"
    " {\"id\": \"other\", \"models\": [\n"
    "   {\"id\": \"o\", \"match\": {\"equals\": \"o-2026-03-13\"},\n"
    "    \"prices\": {\"input_mtok\": 5, \"requests_kcount\": 7}}]},\n"
    " {\"id\": \"openai\", \"models\": [\n"
    "   {\"id\": \"gpt\", \"match\": {\"equals\": \"gpt\"},\n"
    "    \"prices\": {\"input_mtok\": 1, \"output_image_mtok\": 40,\n"
    "                 \"output_mtok\": 8}}]}\n"
    "]\n";


static llm_record_t
record(const char *provider, const char *model, int64_t input, int64_t output)
{
    llm_record_t  r;

    llm_record_init(&r);

    r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OPENAI;
    r.num[LLM_N_TIMESTAMP] = 1773360000000 - 43200000;
    r.num[LLM_N_INPUT_TOKENS] = input;
    r.num[LLM_N_OUTPUT_TOKENS] = output;
    r.num[LLM_N_WEB_SEARCHES] = 0;
    r.str[LLM_S_MODEL] = str(model);

    if (provider != NULL) {
        r.str[LLM_S_PROVIDER] = str(provider);
    }

    return r;
}


static void
costs(llm_price_finder_t *f, llm_record_t r, int64_t want, const char *what)
{
    int64_t  cost;

    llm_price_record(f, &r);

    cost = r.num[LLM_N_COST_NANO];

    ok(cost == want && (r.str[LLM_S_PRICE_SOURCE].data == NULL)
                       == (want == LLM_NULL),
       "%s: %lld", what, (long long) cost);
}


static void
test_names(llm_price_finder_t *f)
{
    llm_record_t  r;

    costs(f, record("acme", "ac-1", 1000, 0), 2000000, "by id");
    costs(f, record(" ACME ", " Ac-1 ", 1000, 0), 2000000, "in any case");
    costs(f, record("api.acme.com", "ac-1", 1000, 0), 2000000, "by host");
    costs(f, record("api.acme.com:443", "ac-1", 1000, 0), 2000000,
          "by host and port");
    costs(f, record("my_acme", "ac-1", 1000, 0), 2000000, "by a part");
    costs(f, record("backend", "ac-1", 1000, 0), 2000000, "by its model");
    costs(f, record(NULL, "ac-1", 1000, 0), 2000000, "without provider");
    costs(f, record("gateway", "acme/ac-1", 1000, 0), 2000000, "by a prefix");
    costs(f, record("other", "ac-1", 1000, 0), LLM_NULL,
          "not of this provider");
    costs(f, record("backend", "unheard-of", 1000, 0), LLM_NULL, "unknown");
    costs(f, record("acme", "ac-2-mini", 500, 0), 500000, "by the beginning");
    costs(f, record("acme", "zac-2-x", 500, 0), 500000, "by part and end");
    costs(f, record("acme", "zac-2-y", 500, 0), LLM_NULL, "by part alone");
    costs(f, record("acme", "ac-3-pro", 1000, 0), 1000000, "by expression");
    costs(f, record("acme", "ac-3-free", 1000, 0), LLM_NULL,
          "by what does not follow");
    costs(f, record("acme", "o-20260313", 1000, 0), 5000000 + 7000000,
          "by a date, of the fallback, and one request");
    costs(f, record("acme", "o-20261313", 1000, 0), LLM_NULL, "by no date");
    costs(f, record("other", "gpt", 1000, 0), LLM_NULL, "another's model");

    r = record(NULL, "ac-1", 1000, 0);
    r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OLLAMA;
    costs(f, r, LLM_NULL, "a model of the own machine");

    r = record("acme", "alias", 1000, 0);
    r.str[LLM_S_RESPONSE_MODEL] = str("ac-1");
    costs(f, r, 2000000, "as the answer says");

    r.str[LLM_S_MAPPED_MODEL] = str("ac-2-x");
    costs(f, r, 1000000, "as the gateway says");

    r.str[LLM_S_MAPPED_MODEL] = str("unheard-of");
    costs(f, r, 2000000, "what the gateway says has no price");
}


static void
test_kinds(llm_price_finder_t *f)
{
    llm_record_t  r;

    r = record("acme", "ac-1", 1000, 100);
    costs(f, r, 2000000 + 800000, "input and output");

    r.num[LLM_N_CACHE_READ_TOKENS] = 400;
    r.num[LLM_N_CACHE_CREATION_TOKENS] = 300;
    costs(f, r, 300 * 2000 + 400 * 200 + 300 * 2500 + 800000, "two caches");

    r.num[LLM_N_CACHE_CREATION_1H] = 100;
    r.num[LLM_N_CACHE_CREATION_5M] = 200;
    costs(f, r, 300 * 2000 + 400 * 200 + 200 * 2500 + 100 * 4000 + 800000,
          "an hour's cache");

    r.num[LLM_N_REASONING_TOKENS] = 60;
    r.num[LLM_N_AUDIO_INPUT_TOKENS] = 10;
    r.num[LLM_N_WEB_SEARCHES] = 2;
    costs(f, r, 300 * 2000 + 400 * 200 + 200 * 2500 + 100 * 4000 + 800000
                + 20000000, "parts without a price, and two searches");

    r = record("acme", "ac-1", 1000, 0);
    r.num[LLM_N_CACHE_READ_TOKENS] = 5000;
    costs(f, r, 1000 * 200, "a part that is more than the whole");

    r.num[LLM_N_CACHE_CREATION_TOKENS] = 700;
    costs(f, r, 1000 * 200, "parts that are more than the whole");

    r.num[LLM_N_CACHE_READ_TOKENS] = 600;
    costs(f, r, 600 * 200 + 400 * 2500, "the last part is cut");

    r = record("acme", "ac-1", LLM_NULL, 100);
    costs(f, r, 800000, "only output is known");

    r.num[LLM_N_OUTPUT_TOKENS] = LLM_NULL;
    costs(f, r, LLM_NULL, "nothing is known");

    costs(f, record("acme", "ac-free", 1000, 10), 0, "free costs nothing");
    costs(f, record("acme", "ac-hour", 1000, 10), LLM_NULL,
          "by the hour is no price of tokens");
    costs(f, record("acme", "ac-1", INT64_MAX, 10), LLM_NULL,
          "a count that is nonsense");
    costs(f, record("acme", "ac-1", 1000000000000000, 0),
          LLM_NULL, "more than a billion dollars");
}


static void
test_steps_and_times(llm_price_finder_t *f)
{
    llm_record_t  r;

    costs(f, record("acme", "ac-2-x", 1000, 1), 1000 * 1000 + 10000,
          "at the first step");
    costs(f, record("acme", "ac-2-x", 1001, 1), 1001 * 2000 + 10000,
          "above the first step");
    costs(f, record("acme", "ac-2-x", 2001, 1), 2001 * 3000 + 10000,
          "above the second step");

    r = record("acme", "ac-3", 1000, 0);
    costs(f, r, 1000000, "before the day");

    r.num[LLM_N_TIMESTAMP] = 1773360000000 + 7200000;
    costs(f, r, 2000000, "since the day");

    r.num[LLM_N_TIMESTAMP] = 1773360000000 - 3600000;
    costs(f, r, 3000000, "at night");

    r.num[LLM_N_TIMESTAMP] = 1773360000000 + 3599999;
    costs(f, r, 3000000, "past midnight");

    r.num[LLM_N_TIMESTAMP] = 1773360000000 + 3600000;
    costs(f, r, 2000000, "in the morning");
}


static void
test_states(llm_price_finder_t *f)
{
    llm_record_t  r;

    r = record("acme", "ac-1", 1000, 0);
    r.num[LLM_N_FLAGS] = LLM_RECORD_NO_SUMS;
    costs(f, r, LLM_NULL, "tokens in no sum");

    r.num[LLM_N_FLAGS] = LLM_RECORD_CACHED;
    costs(f, r, 0, "nginx's own cache");

    r = record("acme", "unheard-of", 1000, 0);
    r.num[LLM_N_COST_NANO] = 5;
    r.num[LLM_N_REPORTED_COST_NANO] = 7;
    costs(f, r, LLM_NULL, "an old cost goes, a reported one is none");

    r = record("openai", "gpt", 1000, 100);
    costs(f, r, 1000000 + 800000, "standard");

    r.str[LLM_S_SERVICE_TIER] = str("default");
    costs(f, r, 1000000 + 800000, "default");

    r.str[LLM_S_SERVICE_TIER] = str("flex");
    costs(f, r, 500000 + 400000, "flex");

    r.str[LLM_S_SERVICE_TIER] = str("batch");
    costs(f, r, 500000 + 400000, "batch");

    r.str[LLM_S_SERVICE_TIER] = str("priority");
    costs(f, r, LLM_NULL, "priority, whose price nobody knows");

    r = record("openai", "gpt", 1000, 100);
    r.str[LLM_S_USAGE] = str("{\"output_tokens_details\":"
                             "{\"image_tokens\":90}}");
    costs(f, r, 1000000 + 10 * 8000 + 90 * 40000, "an image");

    r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_GEMINI;
    r.str[LLM_S_USAGE] = str("{\"candidatesTokensDetails\":[{\"modality\":"
                             "\"TEXT\",\"tokenCount\":10},{\"modality\":"
                             "\"IMAGE\",\"tokenCount\":90}],\"x\":[3]}");
    costs(f, r, 1000000 + 10 * 8000 + 90 * 40000, "an image of Gemini's");

    r.str[LLM_S_USAGE] = str("{\"candidatesTokensDetails\":[{\"modal");
    costs(f, r, 1000000 + 800000, "a usage object that is cut");

    r = record("acme", "ac-1", 1000, 0);
    r.num[LLM_N_WEB_SEARCHES] = LLM_NULL;
    r.str[LLM_S_USAGE] = str("{\"server_tool_use\":"
                             "{\"web_search_requests\":3}}");
    costs(f, r, 2000000 + 30000000, "searches of a row");
}


/* many names find the same places: none may get another's price */

static void
test_memory(llm_price_finder_t *f)
{
    int           i, wrong;
    char          name[400];
    llm_record_t  r;

    wrong = 0;

    for (i = 0; i < 5000; i++) {
        sprintf(name, i % 3 ? "ac-2-%d" : "ac-3-%d", i % 700);
        r = record("acme", name, 500, 0);
        llm_price_record(f, &r);

        wrong += r.num[LLM_N_COST_NANO] != 500000;

        sprintf(name, "bc-2-%d", i % 900);
        r = record("acme", name, 500, 0);
        llm_price_record(f, &r);

        wrong += r.num[LLM_N_COST_NANO] != LLM_NULL;
    }

    ok(wrong == 0, "10,000 look-ups of 2,300 names");

    memset(name, 'x', sizeof(name));
    memcpy(name, "ac-2-", 5);

    name[200] = '\0';
    costs(f, record("acme", name, 500, 0), 500000, "a long name");

    name[200] = 'x';
    name[399] = '\0';
    costs(f, record("acme", name, 500, 0), LLM_NULL, "a name too long");
}


static void
test_litellm(void)
{
    llm_record_t         r;
    llm_price_table_t   *t;
    llm_price_finder_t  *f;

    t = table_of("{\"sample_spec\": {\"input_cost_per_token\": \"dollars\"},"
                 "\"m\": {\"litellm_provider\": \"openai\", \"mode\": \"chat\","
                 " \"input_cost_per_token\": 2e-06,"
                 " \"input_cost_per_token_above_200k_tokens\": 4e-06,"
                 " \"input_cost_per_token_flex\": 1e-06,"
                 " \"input_cost_per_token_batches\": 5e-07,"
                 " \"output_cost_per_token\": 8e-06,"
                 " \"output_cost_per_token_priority\": 1.6e-05,"
                 " \"input_cost_per_token_priority\": 4e-06,"
                 " \"input_cost_per_token_cache_hit\": 1,"
                 " \"cache_read_input_token_cost\": 2e-07,"
                 " \"max_tokens\": \"x\", \"output_cost_per_image\": null},"
                 "\"azure/m\": {\"litellm_provider\": \"azure\","
                 " \"input_cost_per_token\": 3e-06},"
                 "\"none\": {\"litellm_provider\": \"openai\"}}");
    f = llm_price_finder(t);

    costs(f, record("api.openai.com", "m", 1000, 100), 2800000, "by host");
    costs(f, record("backend", "m", 1000, 100), 2800000, "by name alone");
    costs(f, record("x.openai.azure.com", "m", 1000, 0), 3000000,
          "without its prefix");
    costs(f, record("backend", "azure/m", 1000, 0), 3000000,
          "with its prefix");
    costs(f, record("openai", "none", 1000, 0), LLM_NULL, "no price");
    costs(f, record("openai", "sample_spec", 1000, 0), LLM_NULL,
          "the description");
    costs(f, record("openai", "m", 200001, 0), 200001LL * 4000, "above 200k");

    r = record("openai", "m", 1000, 100);
    r.num[LLM_N_CACHE_READ_TOKENS] = 500;
    r.str[LLM_S_SERVICE_TIER] = str("flex");
    costs(f, r, 500000 + 100000 + 800000, "flex, where it has a price");

    r.str[LLM_S_SERVICE_TIER] = str("batch");
    costs(f, r, 250000 + 100000 + 800000, "batch");

    r.str[LLM_S_SERVICE_TIER] = str("priority");
    costs(f, r, 2000000 + 100000 + 1600000, "priority");

    llm_price_finder_free(f);
    llm_price_free(t);
}


static void
broken(const char *text, size_t line, const char *part)
{
    llm_str_t           s, source;
    llm_price_error_t   err;
    llm_price_table_t  *t;

    s = str(text);
    source = str("test");
    memset(&err, 0, sizeof(err));

    if (llm_price_read(&t, &s, &source, &mem, &err) == LLM_OK) {
        ok(0, "is read: %s", text);
        llm_price_free(t);
        return;
    }

    ok(err.line == line && strstr(err.text, part) != NULL, "line %zu: %s",
       err.line, err.text);
}


#define PROVIDER  "[{\"id\":\"p\",\n\"models\":[{\"id\":\"m\",\n"
#define MODEL     PROVIDER "\"match\":{\"equals\":\"m\"},\n\"prices\":"

static void
test_broken(void)
{
    int   i;
    char  deep[4096], *p;

    broken("", 1, "is no JSON");
    broken("   ", 1, "is no JSON");
    broken("[", 1, "is no JSON");
    broken("[{\"id\":\n\"p", 2, "is no JSON");
    broken("[1]\n]", 2, "is no JSON");
    broken("7", 1, "neither a list");
    broken("\"text\"", 1, "neither a list");
    broken("[]", 0, "no model");
    broken("{}", 0, "no model");
    broken("[\n7]", 2, "a provider must be an object");
    broken("[{}]", 1, "\"id\" is missing");
    broken("[{\"id\":7}]", 1, "\"id\" must be a string");
    broken("[{\"id\":\"\"}]", 1, "\"id\" must be a string of 1");
    broken("[{\"id\":\"p\"}]", 1, "provider \"p\": \"models\" is missing");
    broken("[{\"id\":\"p\",\"models\":{}}]", 1, "\"models\" must be an array");
    broken("[{\"id\":\"p\",\"models\":[\n7]}]", 2, "must be a list of objects");
    broken("[{\"id\":\"p\",\n\"api_pattern\":\"(\"}]", 2,
           "\"api_pattern\" is a broken expression: missing closing");
    broken("[{\"id\":\"p\",\n\"model_match\":{\"like\":\"x\"}}]", 2,
           "\"model_match\" must be \"equals\"");
    broken("[{\"id\":\"p\",\n\"fallback_model_providers\":[7]}]", 2,
           "must be a string");
    broken(PROVIDER "\"match\":7}]}]", 3, "model \"m\": \"match\" must be an "
           "object");
    broken(PROVIDER "\"match\":{\"regex\":\"[\"}}]}]", 3,
           "\"regex\" is a broken expression");
    broken(PROVIDER "\"match\":{\"or\":7}}]}]", 3, "must have a list");
    broken(PROVIDER "\"match\":{\"equals\":\"m\"}}]}]", 2,
           "\"prices\" is missing");
    broken(MODEL "7}]}]", 4, "\"prices\" must be an object");
    broken(MODEL "{\"input_mtok\":\n-1}}]}]", 5, "\"input_mtok\" must be a "
           "price");
    broken(MODEL "{\"input_mtok\":\n\"1\"}}]}]", 5, "\"input_mtok\"");
    broken(MODEL "{\"input_tok\":1}}]}]", 4, "\"input_tok\" is no price that "
           "is known");
    broken(MODEL "{\"input_mtok\":{\"base\":1}}}]}]", 4, "\"tiers\"");
    broken(MODEL "{\"input_mtok\":{\"base\":1,\"tiers\":[\n{\"start\":-1,"
           "\"price\":1}]}}}]}]", 5, "\"start\" and \"price\"");
    broken(MODEL "[{\"constraint\":{\"start_date\":\"soon\"},"
           "\"prices\":{}}]}]}]", 4, "must be a day");
    broken(MODEL "[{\"constraint\":{\"start_time\":\"00:00:00Z\"},"
           "\"prices\":{}}]}]}]", 4, "\"end_time\"");
    broken(MODEL "[{\"constraint\":{\"x\":1},\"prices\":{}}]}]}]", 4,
           "\"constraint\" must have");

    broken("{\"m\":7}", 1, "model \"m\": must be an object");
    broken("{\"m\":{\n\"input_cost_per_token\":\"1\"}}", 2,
           "\"input_cost_per_token\" must be a number");
    broken("{\"m\":{\"input_cost_per_token\":1,\n\"litellm_provider\":7}}", 2,
           "\"litellm_provider\" must be a string");

    /* nesting, of JSON and of rules */

    memset(deep, '[', 100);
    deep[100] = '\0';
    broken(deep, 1, "nested too deeply");

    p = deep + sprintf(deep, "%s\"match\":", PROVIDER);

    for (i = 0; i < 20; i++) {
        p += sprintf(p, "{\"or\":[");
    }

    p += sprintf(p, "{\"equals\":\"m\"}");

    for (i = 0; i < 20; i++) {
        p += sprintf(p, "]}");
    }

    sprintf(p, ",\"prices\":{}}]}]");
    broken(deep, 3, "nested too deeply");
}


/* the file cut at every byte, and every allocation refused */

static void
test_cut(void)
{
    int                 bad;
    size_t              i, n;
    uint8_t            *copy;
    llm_str_t           s, source;
    llm_price_error_t   err;
    llm_price_table_t  *t;

    bad = 0;
    source = str("test");

    for (i = 0; i < sizeof(genai) - 3; i++) {
        copy = malloc(i + 1);
        memcpy(copy, genai, i);

        s.data = copy;
        s.len = i;

        bad += llm_price_read(&t, &s, &source, &mem, &err) == LLM_OK;
        free(copy);
    }

    ok(bad == 0 && alive == 0, "no cut file is read");

    s = str(genai);
    n = 0;

    for (refuse_at = 1; /* void */ ; refuse_at++) {
        allocations = 0;

        if (llm_price_read(&t, &s, &source, &mem, &err) == LLM_OK) {
            llm_price_free(t);
            break;
        }

        n++;
    }

    refuse_at = 0;

    ok(n > 2 && alive == 0, "%zu allocations refused, nothing is lost", n);
}


static void
test_builtin(void)
{
    size_t               models, bytes;
    llm_record_t         r;
    llm_price_error_t    err;
    llm_price_table_t   *t;
    llm_price_finder_t  *f;

    if (!ok(llm_price_builtin(&t, &mem, &err) == LLM_OK, "is built in")) {
        return;
    }

    llm_price_size(t, NULL, &models, &bytes);

    ok(models > 1000 && bytes < 4 * 1024 * 1024, "%zu models in %zu bytes",
       models, bytes);
    ok(memcmp(llm_price_source(t)->data, "genai-prices ", 13) == 0, "%.*s",
       (int) llm_price_source(t)->len, llm_price_source(t)->data);

    f = llm_price_finder(t);

    r = record("api.openai.com", "gpt-4o-2024-08-06", 1000000, 0);
    costs(f, r, 2500000000, "a model of OpenAI's");

    r = record("anthropic_backend", "claude-sonnet-4-5-20250929", 1000, 1000);
    costs(f, r, 3000000 + 15000000, "a model of Anthropic's");

    r = record("my.openai.azure.com", "gpt-4o", 1000000, 0);
    costs(f, r, 2500000000, "the same at Azure");

    r = record("u", "text-embedding-3-small", 1000000, 0);
    costs(f, r, 20000000, "an embedding of OpenAI's at whoever");

    r = record("u", "gpt-image-1", 1000000, 0);
    costs(f, r, 5000000000, "its images");

    r = record("u", "text-embedding-v3", 1000000, 0);
    costs(f, r, LLM_NULL, "another's embedding");

    r = record("u", "text-embedding-3-small", 1000000, 0);
    r.num[LLM_N_PROTOCOL] = LLM_PROTOCOL_OLLAMA;
    costs(f, r, LLM_NULL, "one that is called so on an own machine");

    llm_price_finder_free(f);
    llm_price_free(t);
}


int
main(void)
{
    llm_price_table_t   *t;
    llm_price_finder_t  *f;

    test_numbers();
    test_times();

    t = table_of(genai);

    if (t != NULL) {
        f = llm_price_finder(t);

        test_names(f);
        test_kinds(f);
        test_steps_and_times(f);
        test_states(f);
        test_memory(f);

        llm_price_finder_free(f);
        llm_price_free(t);
    }

    test_litellm();
    test_broken();
    test_cut();
    test_builtin();

    ok(alive == 0, "all memory is given back");

    return done_testing();
}
