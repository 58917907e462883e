
/*
 * Copyright (C) llm_monitor contributors
 *
 * Paths are matched from their end, so that any prefix of a gateway is passed
 * over.
 */


#include <string.h>

#include "llm_bytes.h"
#include "llm_route.h"
#include "llm_route_rules.h"
#include "llm_percent.h"


#define LLM_ROUTE_MODEL     256    /* bytes of buf for the model */
#define LLM_ROUTE_BUSY      3      /* rules that are tried first, as a whole */
#define LLM_ROUTE_SEGMENTS  6      /* of an unknown path that are kept */
#define LLM_ROUTE_SEGMENT   40     /* bytes; a longer one is an id */


static int llm_route_busy(llm_route_t *rt, const llm_str_t *path);
static int llm_route_verb(llm_route_t *rt, const llm_str_t *path,
    const llm_str_t *query);
static int llm_route_bedrock(llm_route_t *rt, const llm_str_t *path);
static int llm_route_rules_find(llm_route_t *rt, const llm_str_t *path,
    const llm_str_t *query);
static const uint8_t *llm_route_match(const llm_route_rule_t *rule,
    const llm_str_t *path, llm_str_t *model);
static const uint8_t *llm_route_beta(const uint8_t *p, const llm_str_t *path);
static void llm_route_deployment(llm_route_t *rt, const llm_str_t *path,
    const uint8_t *end);
static void llm_route_unknown(llm_route_t *rt, const llm_str_t *path);
static int llm_route_is_id(const uint8_t *p, size_t n);
static void llm_route_set(llm_route_t *rt, const llm_route_rule_t *rule);
static void llm_route_by_model(llm_route_t *rt);
static void llm_route_model(llm_route_t *rt, const uint8_t *p, size_t n);
static int llm_route_argument(const llm_str_t *query, const char *name,
    llm_str_t *value);
static const uint8_t *llm_route_last(const uint8_t *p, size_t n, uint8_t ch);
static const uint8_t *llm_route_find(const uint8_t *p, size_t n,
    const char *text);


/* of Azure's endpoints, before what a rule has after "/v1" */

static const char  llm_route_prefix[] = "/openai/deployments/{model}";


void
llm_route(llm_route_t *rt, const llm_str_t *method, const llm_str_t *path,
    const llm_str_t *query)
{
    llm_str_t  p;

    rt->protocol = LLM_PROTOCOL_UNKNOWN;
    rt->operation = LLM_OPERATION_OTHER;
    rt->stream = -1;
    rt->array = 0;
    rt->no_sums = 0;
    rt->endpoint = (llm_str_t) llm_str("/");
    rt->model = (llm_str_t) llm_null_str;

    p = *path;

    while (p.len && p.data[p.len - 1] == '/') {
        p.len--;
    }

    if (p.len != 0
        && !llm_route_busy(rt, &p)
        && !llm_route_verb(rt, &p, query)
        && !llm_route_bedrock(rt, &p)
        && !llm_route_rules_find(rt, &p, query))
    {
        llm_route_unknown(rt, &p);
    }

    /* only a POST has anything generated; a GET reads what is stored */

    if (method->len != 4 || memcmp(method->data, "POST", 4) != 0) {
        rt->no_sums = 1;
    }
}


/* What most exchanges ask for, and nothing before it: no other rule matches. */

static int
llm_route_busy(llm_route_t *rt, const llm_str_t *path)
{
    size_t                   i;
    const llm_route_rule_t  *rule;

    for (i = 0; i < LLM_ROUTE_BUSY; i++) {
        rule = &llm_route_rules[i];

        if (rule->path.len == path->len
            && llm_bytes_same(rule->path.data, path->data, path->len))
        {
            llm_route_set(rt, rule);
            return 1;
        }
    }

    return 0;
}


static int
llm_route_verb(llm_route_t *rt, const llm_str_t *path, const llm_str_t *query)
{
    size_t            i, n, at;
    uint8_t           text[LLM_ROUTE_MODEL];
    llm_str_t         value;
    const uint8_t    *end, *last, *colon;
    const llm_str_t  *rule;

    end = path->data + path->len;
    last = llm_route_last(path->data, path->len, '/');
    last = (last == NULL) ? path->data : last + 1;

    /* a colon may be sent as %3A */

    if (memchr(last, ':', end - last) == NULL
        && memchr(last, '%', end - last) == NULL)
    {
        return 0;
    }

    n = llm_percent_decode(text, sizeof(text), last, end - last);
    colon = llm_route_last(text, n, ':');

    if (colon == NULL) {
        return 0;
    }

    at = colon - text;

    for (i = 0; i < llm_route_nverbs; i++) {
        rule = &llm_route_verbs[i].path;

        if (rule->len > n - at
            && memcmp(rule->data + rule->len - (n - at), colon, n - at) == 0)
        {
            break;
        }
    }

    if (i == llm_route_nverbs) {
        return 0;
    }

    llm_route_set(rt, &llm_route_verbs[i]);

    /* "/v1internal:generateContent" names its model in the body */

    if (last - path->data >= 2) {
        llm_route_model(rt, text, at);
    }

    if (llm_route_find(path->data, path->len, "/publishers/anthropic/")) {
        rt->protocol = LLM_PROTOCOL_ANTHROPIC;

    } else if (llm_route_find(path->data, path->len,
                              "/publishers/mistralai/"))
    {
        rt->protocol = LLM_PROTOCOL_OPENAI;
    }

    if (rt->protocol == LLM_PROTOCOL_GEMINI && rt->stream == 1) {
        rt->array = !llm_route_argument(query, "alt", &value)
                    || value.len != 3 || memcmp(value.data, "sse", 3) != 0;
    }

    if (rt->model.len == sizeof("count-tokens") - 1
        && memcmp(rt->model.data, "count-tokens", rt->model.len) == 0)
    {
        rt->model = (llm_str_t) llm_null_str;
        rt->operation = LLM_OPERATION_COUNT_TOKENS;
        rt->no_sums = 1;
    }

    if (rt->operation == LLM_OPERATION_OTHER) {
        llm_route_by_model(rt);
    }

    return 1;
}


static int
llm_route_bedrock(llm_route_t *rt, const llm_str_t *path)
{
    size_t            i, n;
    const uint8_t    *last, *model, *next;
    const llm_str_t  *rule;

    last = llm_route_last(path->data, path->len, '/');
    if (last == NULL) {
        return 0;
    }

    n = path->data + path->len - last;

    if (n < sizeof("/invoke") - 1 || (last[1] != 'c' && last[1] != 'i')) {
        return 0;
    }

    for (i = 0; i < llm_route_nbedrocks; i++) {
        rule = &llm_route_bedrocks[i].path;

        if (rule->len == sizeof("/model/{model}") - 1 + n
            && memcmp(rule->data + rule->len - n, last, n) == 0)
        {
            break;
        }
    }

    if (i == llm_route_nbedrocks) {
        return 0;
    }

    /* the model may be an ARN, whose slashes some clients send as they are */

    model = llm_route_find(path->data, last - path->data, "/model/");
    if (model == NULL) {
        return 0;
    }

    model += sizeof("/model/") - 1;

    next = llm_route_find(model - 1, last - model + 1, "/model/");
    if (next != NULL) {
        model = next + sizeof("/model/") - 1;
    }

    if (model >= last) {
        return 0;
    }

    llm_route_set(rt, &llm_route_bedrocks[i]);
    llm_route_model(rt, rt->buf, llm_percent_decode(rt->buf, LLM_ROUTE_MODEL,
                                                    model, last - model));

    if (last[1] == 'i') {
        llm_route_by_model(rt);
    }

    return 1;
}


static int
llm_route_rules_find(llm_route_t *rt, const llm_str_t *path,
    const llm_str_t *query)
{
    size_t                   i;
    llm_str_t                model, value;
    const uint8_t           *start;
    const llm_route_rule_t  *rule;

    for (i = 0; i < llm_route_nrules; i++) {
        rule = &llm_route_rules[i];

        start = llm_route_match(rule, path, &model);
        if (start == NULL) {
            continue;
        }

        llm_route_set(rt, rule);

        if (model.data != NULL) {
            llm_route_model(rt, rt->buf,
                            llm_percent_decode(rt->buf, LLM_ROUTE_MODEL,
                                               model.data, model.len));
        }

        if (rt->protocol == LLM_PROTOCOL_OPENAI && start != path->data) {
            llm_route_deployment(rt, path, start);
        }

        if (rt->stream == -1
            && (rule->flags & LLM_ROUTE_NO_SUMS)
            && llm_route_argument(query, "stream", &value)
            && value.len == 4 && memcmp(value.data, "true", 4) == 0)
        {
            rt->stream = 1;
        }

        if (rt->model.data == NULL && rule->path.len == 12
            && memcmp(rule->path.data, "/v1/realtime", 12) == 0
            && llm_route_argument(query, "model", &value))
        {
            llm_route_model(rt, rt->buf,
                            llm_percent_decode(rt->buf, LLM_ROUTE_MODEL,
                                               value.data, value.len));
        }

        return 1;
    }

    return 0;
}


/*
 * Compares the rule with the end of the path.  Returns where in the path it
 * starts, or NULL; model is what stood for {model}.
 */

static const uint8_t *
llm_route_match(const llm_route_rule_t *rule, const llm_str_t *path,
    llm_str_t *model)
{
    const uint8_t  *r, *p, *end;

    *model = (llm_str_t) llm_null_str;

    if (path->len == rule->path.len
        && memcmp(path->data, rule->path.data, path->len) == 0)
    {
        return path->data;
    }

    r = rule->path.data + rule->path.len;
    p = path->data + path->len;

    while (r > rule->path.data) {

        if (r[-1] == '}') {
            for (end = p; p > path->data && p[-1] != '/'; p--) { /* void */ }

            if (p == end) {
                return NULL;
            }

            while (*--r != '{') { /* void */ }

            if (r[1] == 'm') {
                model->data = p;
                model->len = end - p;
            }

            continue;
        }

        if (r[-1] == '/'
            && (rule->flags & LLM_ROUTE_BARE)
            && r - rule->path.data == sizeof("/v1/") - 1
            && (p == path->data || p[-1] == '/')
            && (p - path->data < 4 || memcmp(p - 4, "/v1/", 4) != 0))
        {
            return (p == path->data) ? p : p - 1;
        }

        if (r - rule->path.data == sizeof("/v1beta") - 1
            && memcmp(rule->path.data, "/v1beta", 7) == 0)
        {
            return llm_route_beta(p, path);
        }

        if (p == path->data || p[-1] != r[-1]) {
            return NULL;
        }

        r--;
        p--;

        if (*r == '/') {
            while (p > path->data && p[-1] == '/') {
                p--;
            }
        }
    }

    return p;
}


/* "v1beta" stands for v1beta1, v1alpha and the like; p is where it ends */

static const uint8_t *
llm_route_beta(const uint8_t *p, const llm_str_t *path)
{
    const uint8_t  *end;

    for (end = p; p > path->data && p[-1] != '/'; p--) { /* void */ }

    if (p == path->data || end - p > 9
        || (!(end - p >= 6 && memcmp(p, "v1beta", 6) == 0)
            && !(end - p >= 7 && memcmp(p, "v1alpha", 7) == 0)))
    {
        return NULL;
    }

    return p - 1;
}


/* Azure's ".../deployments/{model}/...", OpenAI's old ".../engines/{model}" */

static void
llm_route_deployment(llm_route_t *rt, const llm_str_t *path,
    const uint8_t *end)
{
    size_t          n;
    uint8_t        *out;
    const uint8_t  *p;

    n = end - path->data;

    p = llm_route_find(path->data, n, "/deployments/");

    if (p != NULL) {
        p += sizeof("/deployments/") - 1;

    } else {
        p = llm_route_find(path->data, n, "/engines/");
        if (p == NULL) {
            return;
        }

        p += sizeof("/engines/") - 1;
    }

    for (n = 0; p + n < end && p[n] != '/'; n++) { /* void */ }

    if (n == 0) {
        return;
    }

    llm_route_model(rt, rt->buf,
                    llm_percent_decode(rt->buf, LLM_ROUTE_MODEL, p, n));

    out = rt->buf + LLM_ROUTE_MODEL;
    n = rt->endpoint.len - (sizeof("/v1") - 1);

    memcpy(out, llm_route_prefix, sizeof(llm_route_prefix) - 1);
    memcpy(out + sizeof(llm_route_prefix) - 1,
           rt->endpoint.data + sizeof("/v1") - 1, n);

    rt->endpoint.data = out;
    rt->endpoint.len = sizeof(llm_route_prefix) - 1 + n;
}


int
llm_route_known(const llm_str_t *endpoint)
{
    int        i;
    size_t     n, skip;
    llm_str_t  s;

    const struct {
        const llm_route_rule_t  *rule;
        size_t                   n;
    } rules[] = {
        { llm_route_rules, llm_route_nrules },
        { llm_route_verbs, llm_route_nverbs },
        { llm_route_bedrocks, llm_route_nbedrocks }
    };

    s = *endpoint;
    skip = 0;

    /* there it is the rule's without "/v1" */

    if (s.len > sizeof(llm_route_prefix) - 1
        && memcmp(s.data, llm_route_prefix, sizeof(llm_route_prefix) - 1) == 0)
    {
        skip = sizeof("/v1") - 1;
        s.data += sizeof(llm_route_prefix) - 1;
        s.len -= sizeof(llm_route_prefix) - 1;
    }

    for (i = 0; i < 3; i++) {

        for (n = 0; n < rules[i].n; n++) {

            if (rules[i].rule[n].path.len == s.len + skip
                && memcmp(rules[i].rule[n].path.data + skip, s.data, s.len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


static void
llm_route_unknown(llm_route_t *rt, const llm_str_t *path)
{
    int             segments;
    size_t          n;
    uint8_t        *out;
    const uint8_t  *p, *end, *seg;

    p = path->data;
    end = p + path->len;
    out = rt->buf + LLM_ROUTE_MODEL;

    for (segments = 0; segments < LLM_ROUTE_SEGMENTS; segments++) {

        while (p < end && *p == '/') {
            p++;
        }

        if (p == end) {
            break;
        }

        for (seg = p; p < end && *p != '/'; p++) { /* void */ }

        n = p - seg;

        if (llm_route_is_id(seg, n)) {
            seg = (const uint8_t *) "{id}";
            n = sizeof("{id}") - 1;
        }

        *out++ = '/';
        memcpy(out, seg, n);
        out += n;
    }

    rt->endpoint.data = rt->buf + LLM_ROUTE_MODEL;
    rt->endpoint.len = out - rt->endpoint.data;
}


/*
 * Digits only, hexadecimal, "resp_68a1...", too long, or with characters that
 * no name of an endpoint has.
 */

static int
llm_route_is_id(const uint8_t *p, size_t n)
{
    size_t   i, digits, hex, tail, tail_digits;
    uint8_t  c;

    if (n > LLM_ROUTE_SEGMENT) {
        return 1;
    }

    digits = 0;
    hex = 0;
    tail = 0;
    tail_digits = 0;

    for (i = 0; i < n; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            digits++;
            hex++;
            tail++;
            tail_digits++;

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
            hex += (c | 0x20) <= 'f';
            tail++;

        } else if (c == '-' || c == '_') {
            hex++;
            tail = 0;
            tail_digits = 0;

        } else if (c != '.' && c != ':' && c != '~') {
            return 1;
        }
    }

    return digits == n
           || (n >= 16 && hex == n && digits > 0)
           || (tail >= 8 && tail_digits > 0)
           || digits > 8;
}


static void
llm_route_set(llm_route_t *rt, const llm_route_rule_t *rule)
{
    rt->protocol = rule->protocol;
    rt->operation = rule->operation;
    rt->stream = rule->stream;
    rt->no_sums = (rule->flags & LLM_ROUTE_NO_SUMS) != 0;
    rt->endpoint = rule->path;
}


/* Where one verb serves all kinds of models, the name tells. */

static void
llm_route_by_model(llm_route_t *rt)
{
    size_t  i;

    static const struct {
        const char  *part;
        int          operation;
    } parts[] = {
        { "embed", LLM_OPERATION_EMBEDDINGS },
        { "gecko", LLM_OPERATION_EMBEDDINGS },
        { "rerank", LLM_OPERATION_RERANK },
        { "image", LLM_OPERATION_IMAGE },
        { "stability.", LLM_OPERATION_IMAGE },
        { "canvas", LLM_OPERATION_IMAGE }
    };

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {

        if (rt->model.data != NULL
            && llm_route_find(rt->model.data, rt->model.len, parts[i].part))
        {
            rt->operation = parts[i].operation;
            return;
        }
    }
}


static void
llm_route_model(llm_route_t *rt, const uint8_t *p, size_t n)
{
    size_t  i;

    if (n == 0) {
        return;
    }

    memmove(rt->buf, p, n);

    for (i = 0; i < n; i++) {
        if (rt->buf[i] < 0x20 || rt->buf[i] == 0x7f) {
            rt->buf[i] = '?';
        }
    }

    rt->model.data = rt->buf;
    rt->model.len = n;
}


/* The value of the argument, also under Google's "$name", not decoded. */

static int
llm_route_argument(const llm_str_t *query, const char *name, llm_str_t *value)
{
    size_t          n, len, got;
    uint8_t         text[16];
    const uint8_t  *p, *end, *next, *equals;

    if (query->data == NULL) {
        return 0;
    }

    len = strlen(name);
    end = query->data + query->len;

    for (p = query->data; p < end; p = next + 1) {

        next = memchr(p, '&', end - p);
        if (next == NULL) {
            next = end;
        }

        equals = memchr(p, '=', next - p);

        if (equals != NULL) {
            got = llm_percent_decode(text, sizeof(text), p, equals - p);
            n = (got && text[0] == '$') ? 1 : 0;

            if (got - n == len && memcmp(text + n, name, len) == 0) {
                value->data = equals + 1;
                value->len = next - equals - 1;
                return 1;
            }
        }
    }

    return 0;
}


static const uint8_t *
llm_route_last(const uint8_t *p, size_t n, uint8_t ch)
{
    while (n--) {
        if (p[n] == ch) {
            return p + n;
        }
    }

    return NULL;
}


static const uint8_t *
llm_route_find(const uint8_t *p, size_t n, const char *text)
{
    size_t          len;
    const uint8_t  *end;

    len = strlen(text);
    end = p + n;

    while ((size_t) (end - p) >= len) {
        p = memchr(p, text[0], end - p - len + 1);

        if (p == NULL) {
            return NULL;
        }

        if (memcmp(p, text, len) == 0) {
            return p;
        }

        p++;
    }

    return NULL;
}
