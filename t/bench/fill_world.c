
/*
 * Copyright (C) llm_monitor contributors
 *
 * What happens: agents in sessions whose context grows, single requests beside
 * them, hours of the day, week-ends, providers that fail for half an hour.
 */


#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fill.h"


#define FILL_INCIDENT_MS  (6 * 3600000LL)
#define FILL_INCIDENT_LEN (40 * 60000LL)


const fill_model_t  fill_models[] = {
    { "gpt-4o", "openai", "azure-eu", 1, 1, 90, 2500, 10000, 90 },
    { "gpt-4o-mini", "openai", "azure-us", 1, 1, 120, 150, 600, 110 },
    { "gpt-4.1", "openai", "azure-eu", 1, 1, 70, 2000, 8000, 95 },
    { "gpt-4.1-mini", "openai", "openrouter", 1, 1, 80, 400, 1600, 120 },
    { "gpt-5", "openai", "azure-eu", 1, 3, 110, 1250, 10000, 70 },
    { "gpt-5-mini", "openai", "openrouter", 1, 3, 60, 250, 2000, 110 },
    { "o3", "openai", "azure-us", 1, 3, 25, 2000, 8000, 60 },
    { "o4-mini", "openai", "azure-us", 1, 3, 30, 1100, 4400, 90 },
    { "claude-opus-4-1", "anthropic", "vertex", 2, 1, 40, 15000, 75000, 45 },
    { "claude-sonnet-4", "anthropic", "vertex", 2, 1, 160, 3000, 15000, 65 },
    { "claude-3-7-sonnet", "anthropic", "vertex", 2, 1, 50, 3000, 15000, 70 },
    { "claude-3-5-haiku", "anthropic", "openrouter", 2, 1, 60, 800, 4000,
      110 },
    { "gemini-2.5-pro", "gemini", "vertex", 3, 1, 60, 1250, 10000, 90 },
    { "gemini-2.5-flash", "gemini", "vertex", 3, 1, 80, 300, 2500, 170 },
    { "gemini-2.5-flash-lite", "gemini", "gemini", 3, 1, 30, 100, 400, 220 },
    { "llama3.3:70b", "ollama", "ollama", 4, 1, 20, 0, 0, 25 },
    { "qwen2.5-coder:32b", "ollama", "ollama", 4, 1, 25, 0, 0, 35 },
    { "mistral-nemo", "ollama", "ollama", 4, 1, 10, 0, 0, 60 },
    { "command-a", "cohere", "cohere", 5, 1, 8, 2500, 10000, 80 },
    { "amazon.nova-pro-v1:0", "bedrock", "bedrock", 6, 1, 12, 800, 3200, 90 },
    { "deepseek-chat", "deepseek", "openrouter", 1, 1, 40, 270, 1100, 40 },
    { "mistral-large", "mistral", "openrouter", 1, 1, 15, 2000, 6000, 60 },
    { "text-embedding-3-small", "openai", "azure-eu", 1, 4, 60, 20, 0, 0 },
    { "text-embedding-3-large", "openai", "azure-eu", 1, 4, 20, 130, 0, 0 },
    { "gpt-image-1", "openai", "azure-us", 1, 5, 6, 5000, 40000, 150 }
};

#define FILL_MODELS  (int) (sizeof(fill_models) / sizeof(fill_model_t))


static int fill_below(fill_world_t *w, int n);
static double fill_unit(fill_world_t *w);
static double fill_around(fill_world_t *w, double median, double spread);
static void fill_begin(fill_world_t *w, fill_session_t *s, int single);
static int fill_model(fill_world_t *w, int single);
static void fill_tokens(fill_world_t *w, fill_exchange_t *x);
static void fill_end(fill_world_t *w, fill_exchange_t *x);
static int fill_incident(const fill_world_t *w, const fill_exchange_t *x);
static void fill_refused(fill_world_t *w, fill_exchange_t *x, int n);
static void fill_cut(fill_world_t *w, fill_exchange_t *x, int n);


uint64_t
fill_next(uint64_t *state)
{
    uint64_t  z;

    z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;

    return z ^ z >> 31;
}


uint64_t
fill_mix(uint64_t a, uint64_t b)
{
    a ^= b * 0xff51afd7ed558ccd;

    return fill_next(&a);
}


static int
fill_below(fill_world_t *w, int n)
{
    return (int) ((fill_next(&w->random) >> 32) * (uint64_t) n >> 32);
}


static double
fill_unit(fill_world_t *w)
{
    return ((fill_next(&w->random) >> 11) + 1) / 9007199254740993.0;
}


/* Log-normal: half of the values are below the median. */

static double
fill_around(fill_world_t *w, double median, double spread)
{
    double  a, b;

    a = fill_unit(w);
    b = fill_unit(w);

    return median * exp(spread * sqrt(-2 * log(a)) * cos(2 * M_PI * b));
}


int
fill_world_init(fill_world_t *w)
{
    int      i;
    int64_t  n;

    w->random = fill_mix(w->seed, 1);

    /* so many that one asks every half a minute or so */

    n = w->rows / ((w->end_ms - w->start_ms) / 60000 + 1) / 2;
    w->nslots = n < 20 ? 20 : n > 20000 ? 20000 : (int) n;
    w->slots = calloc(w->nslots, sizeof(fill_session_t));

    if (w->slots == NULL) {
        return LLM_ERROR;
    }

    for (i = 0; i < w->nslots; i++) {
        fill_begin(w, &w->slots[i], 0);
    }

    return LLM_OK;
}


double
fill_world_weight(const fill_world_t *w, int64_t ms)
{
    double   weight;
    int64_t  day;

    static const double  hour[] = {
        .18, .14, .12, .11, .13, .20, .38, .66, .95, 1.15, 1.22, 1.18,
        1.02, 1.10, 1.24, 1.27, 1.20, 1.02, .84, .70, .58, .47, .36, .25
    };

    /* the first day of 1970 was a Thursday */

    day = ms / fill_day_ms;
    weight = hour[ms % fill_day_ms / 3600000];
    weight *= (day + 4) % 7 == 0 || (day + 4) % 7 == 6 ? .35 : 1;
    weight *= .85 + .3 * (fill_mix(w->seed, day) % 1024) / 1024;
    weight *= .8 + .4 * (fill_mix(w->seed, ms / 60000) % 1024) / 1024;

    return weight;
}


void
fill_world_next(fill_world_t *w, int64_t ms, fill_exchange_t *x)
{
    fill_session_t  *s, single;

    memset(x, 0, sizeof(fill_exchange_t));

    s = &single;

    if (fill_below(w, 100) < 22) {
        fill_begin(w, s, 1);

    } else {
        s = &w->slots[fill_below(w, w->nslots)];

        if (s->left == 0) {
            fill_begin(w, s, 0);
        }

        s->left--;
        s->turn++;
    }

    x->ms = ms;
    x->id = ms << LLM_ID_SHIFT | (++w->made & LLM_ID_COUNTER_MASK);
    x->session = *s;
    x->salt = fill_mix(w->seed, w->made);
    x->other = fill_below(w, 8) == 0;
    x->operation = fill_models[s->model].operation;
    x->stream = s->number ? fill_below(w, 10) < 8 : fill_below(w, 10) < 3;

    if (s->number == 0 && fill_below(w, 8) == 0) {
        x->operation = fill_models[s->model].protocol == LLM_PROTOCOL_ANTHROPIC
                       ? LLM_OPERATION_COUNT_TOKENS : LLM_OPERATION_MODELS;
    }

    if (x->operation >= LLM_OPERATION_EMBEDDINGS) {
        x->stream = 0;
    }

    if (fill_below(w, 100) < w->bodies) {
        x->bodies = ms < w->bodies_ms ? 2 : 1;
    }

    fill_tokens(w, x);
    fill_end(w, x);

    s->context = x->session.context;
}


static void
fill_begin(fill_world_t *w, fill_session_t *s, int single)
{
    double  u;

    memset(s, 0, sizeof(fill_session_t));

    /* a few ask most */

    u = fill_unit(w);
    s->user = (int) (FILL_USERS * u * u) % FILL_USERS;
    s->model = fill_model(w, single);
    s->variant = fill_below(w, 10) < 7 ? 0 : 1 + fill_below(w, 3);
    s->address = (s->user * 4 + fill_below(w, 4)) % FILL_ADDRESSES;
    s->agent = (s->user + fill_below(w, 2)) % FILL_AGENTS;

    if (!single) {
        s->number = ++w->sessions;
        s->left = 1 + (int) fill_around(w, 12, 1);
        s->left = s->left < 400 ? s->left : 400;
        s->context = (int) fill_around(w, 2500, .8);
    }
}


static int
fill_model(fill_world_t *w, int single)
{
    int  i, n, sum;

    sum = 0;

    for (i = 0; i < FILL_MODELS; i++) {
        sum += fill_models[i].weight;
    }

    for ( ;; ) {
        n = fill_below(w, sum);

        for (i = 0; n >= fill_models[i].weight; i++) {
            n -= fill_models[i].weight;
        }

        if (single || fill_models[i].operation < LLM_OPERATION_EMBEDDINGS) {
            return i;
        }
    }
}


static void
fill_tokens(fill_world_t *w, fill_exchange_t *x)
{
    fill_session_t  *s;

    s = &x->session;

    if (x->operation == LLM_OPERATION_MODELS) {
        x->input = -1;
        x->output = -1;
        return;
    }

    x->input = 20 + (int) fill_around(w, 400, 1.2);
    x->output = fill_models[s->model].speed > 0
                ? 1 + (int) fill_around(w, 260, 1) : 0;

    if (x->operation == LLM_OPERATION_COUNT_TOKENS) {
        x->output = 0;
    }

    if (s->number != 0) {
        x->input += s->context;

        if (s->turn > 1 && fill_models[s->model].protocol <= 3) {
            x->cached = s->context / 10 * 9;
            x->created = fill_models[s->model].protocol == 2
                         ? x->input - x->cached : 0;
        }

        s->context = (x->input + x->output) % 180000;
    }

    if (x->operation == LLM_OPERATION_RESPONSES) {
        x->reasoning = x->output;
        x->output += (int) fill_around(w, 200, 1);
        x->reasoning = x->output - x->reasoning;
    }
}


static void
fill_end(fill_world_t *w, fill_exchange_t *x)
{
    int                  n;
    const fill_model_t  *m;

    m = &fill_models[x->session.model];

    x->status = 200;
    x->outcome = LLM_OUTCOME_SUCCESS;
    x->ttfb_us = (int64_t) fill_around(w, 120000, .5);

    if (x->operation == LLM_OPERATION_MODELS) {
        x->duration_us = x->ttfb_us + 400;
        x->ttft_us = LLM_NULL;

    } else {
        x->ttft_us = x->ttfb_us + (int64_t) fill_around(w, 420000, .7)
                     + x->input * 8;
        x->duration_us = x->ttft_us;

        if (m->speed > 0) {
            x->duration_us += x->output * 1000000LL / m->speed;
        }

        if (x->operation >= LLM_OPERATION_EMBEDDINGS) {
            x->duration_us = x->ttfb_us + x->input * 10;
        }

        if (!x->stream) {
            x->ttfb_us = x->duration_us - 300;
            x->ttft_us = LLM_NULL;
        }
    }

    n = fill_below(w, 10000);

    if (fill_incident(w, x)) {
        n /= 12;
    }

    if (n < 620) {
        fill_refused(w, x, n);

    } else if (n < 800 && x->operation != LLM_OPERATION_MODELS) {
        fill_cut(w, x, n);
    }
}


/* Some windows begin with forty minutes in which one provider is ill. */

static int
fill_incident(const fill_world_t *w, const fill_exchange_t *x)
{
    const char  *p;
    uint64_t     hash;

    p = x->other ? fill_models[x->session.model].other
                 : fill_models[x->session.model].provider;

    hash = fill_mix(w->seed, x->ms / FILL_INCIDENT_MS);

    for ( /* void */ ; *p != '\0'; p++) {
        hash = fill_mix(hash, *p);
    }

    return x->ms % FILL_INCIDENT_MS < FILL_INCIDENT_LEN && hash % 40 == 0;
}


/* No answer, or one that is an error. */

static void
fill_refused(fill_world_t *w, fill_exchange_t *x, int n)
{
    x->outcome = LLM_OUTCOME_HTTP_ERROR;
    x->duration_us = x->stream ? x->ttfb_us
                               : (int64_t) fill_around(w, 150000, .6);
    x->ttfb_us = x->duration_us - 200;
    x->ttft_us = LLM_NULL;
    x->input = -1;
    x->output = -1;
    x->cached = 0;
    x->created = 0;
    x->reasoning = 0;

    if (n < 60) {
        x->status = 503;

    } else if (n < 110) {
        x->status = fill_models[x->session.model].protocol == 2 ? 529 : 500;

    } else if (n < 150) {
        x->status = 502;
        x->ttfb_us = LLM_NULL;
        x->duration_us = 1500 + fill_below(w, 4000);

    } else if (n < 175) {
        x->status = 504;
        x->outcome = LLM_OUTCOME_TIMEOUT;
        x->aborted_by = LLM_ABORTED_TIMEOUT;
        x->ttfb_us = LLM_NULL;
        x->duration_us = 60001000 + fill_below(w, 3000);

    } else if (n < 430) {
        x->status = 429;

    } else if (n < 500) {
        x->status = 400;

    } else if (n < 530) {
        x->status = 404;

    } else if (n < 580) {
        x->status = 401;
        x->outcome = LLM_OUTCOME_REJECTED;
        x->ttfb_us = LLM_NULL;
        x->duration_us = 100 + fill_below(w, 200);

    } else {
        x->status = 499;
        x->outcome = LLM_OUTCOME_CLIENT_ABORT;
        x->aborted_by = LLM_ABORTED_CLIENT;
        x->ttfb_us = LLM_NULL;
    }
}


/* An answer that ended badly. */

static void
fill_cut(fill_world_t *w, fill_exchange_t *x, int n)
{
    if (!x->stream) {

        if (n < 630 && x->operation < LLM_OPERATION_EMBEDDINGS) {
            x->outcome = LLM_OUTCOME_EMPTY;
            x->input = -1;
            x->output = -1;
        }

        return;
    }

    x->duration_us = x->ttft_us
                     + (int64_t) ((x->duration_us - x->ttft_us)
                                  * fill_unit(w));

    if (n < 660) {
        x->outcome = LLM_OUTCOME_STREAM_ERROR;

    } else if (n < 690) {
        x->outcome = LLM_OUTCOME_UPSTREAM_ABORT;
        x->aborted_by = LLM_ABORTED_UPSTREAM;

    } else {
        x->outcome = LLM_OUTCOME_CLIENT_ABORT;
        x->aborted_by = LLM_ABORTED_CLIENT;
    }

    if (fill_models[x->session.model].protocol != LLM_PROTOCOL_ANTHROPIC) {
        x->input = -1;
        x->cached = 0;
        x->created = 0;
    }

    x->output = -1;
    x->reasoning = 0;
}
