
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "llm_alert.h"
#include "llm_metrics_count.h"


/* the client left: no fault of anybody else */
#define LLM_ALERT_CLIENT_LEFT  499

/* a ratio of 1 */
#define LLM_ALERT_ONE          1000000


static int llm_alert_holds(llm_metrics_t *m, const llm_alert_t *a,
    uint32_t second, llm_alert_event_t *event);
static const llm_alert_sample_t *llm_alert_before(const llm_metrics_t *m,
    uint32_t second, uint32_t window);
static int64_t llm_alert_p95(const uint64_t *now, const uint64_t *before,
    const llm_bounds_t *b, uint64_t min);
static int64_t llm_alert_worst(const llm_metrics_t *m, uint64_t min,
    uint32_t second, llm_str_t *upstream);


static const struct {
    const char    *name;
    int            scale;
} llm_alert_kinds[LLM_ALERT_KINDS] = {
    { "error_ratio", 6 },
    { "p95", 6 },
    { "ttft", 6 },
    { "unavailable", 6 },
    { "no_traffic", 6 },
    { "cost", 9 },
    { "dropped", 0 }
};


const char *
llm_alert_name(int kind)
{
    return llm_alert_kinds[kind].name;
}


int
llm_alert_scale(int kind)
{
    return llm_alert_kinds[kind].scale;
}


void
llm_alert_sample(llm_metrics_t *m, uint32_t second, uint64_t dropped)
{
    int                  i, status;
    uint32_t             n;
    uint64_t             count;
    llm_metrics_ids_t    ids;
    llm_alert_sample_t  *s;

    s = &m->alerts.sample[second % LLM_ALERT_SAMPLES];

    memset(s, 0, sizeof(llm_alert_sample_t));

    s->dropped = dropped;

    for (n = 0; n < m->nseries[LLM_SET_REQUESTS]; n++) {
        llm_metrics_ids(m, LLM_SET_REQUESTS, n, &ids);

        count = llm_metrics_sum(m, LLM_SET_REQUESTS, n, 0);
        status = ids.status < LLM_METRICS_STATUSES ? m->status[ids.status] : 0;

        s->all += count;

        if (status != LLM_ALERT_CLIENT_LEFT) {
            s->requests += count;
            s->errors += status >= 400 || status == 0 ? count : 0;
        }
    }

    for (n = 0; n < m->nseries[LLM_SET_MODEL]; n++) {
        s->cost += llm_metrics_sum(m, LLM_SET_MODEL, n, LLM_W_COST_NANO);

        for (i = 0; i < LLM_B_DURATION; i++) {
            s->duration[i] += llm_metrics_sum(m, LLM_SET_MODEL, n,
                                              LLM_W_DURATION + i)
                              + llm_metrics_sum(m, LLM_SET_MODEL, n,
                                                LLM_W_DURATION + i
                                                + llm_w_hist(LLM_B_DURATION));
        }

        for (i = 0; i < LLM_B_TTFT; i++) {
            s->ttft[i] += llm_metrics_sum(m, LLM_SET_MODEL, n,
                                          LLM_W_TTFT + i);
        }
    }

    s->second = second;
}


/*
 * It must be so for a while before anything is said; what was said once is
 * taken back; and what comes back within the cooldown is not said again.
 */

void
llm_alert_check(llm_metrics_t *m, const llm_alert_t *a, uint32_t n,
    uint32_t second, llm_alert_event_t *event)
{
    llm_alert_state_t  *state;

    memset(event, 0, sizeof(llm_alert_event_t));

    event->value = LLM_NULL;
    state = &m->alerts.state[n];

    if (state->key != a->key) {
        memset(state, 0, sizeof(llm_alert_state_t));
        state->key = a->key;
    }

    if (!llm_alert_holds(m, a, second, event)) {

        if (state->told) {
            event->status = LLM_ALERT_RESOLVED;
            event->seconds = second - state->since;
        }

        state->since = 0;
        state->firing = 0;
        state->told = 0;

        return;
    }

    if (state->since == 0) {
        state->since = second;
    }

    event->seconds = second - state->since;

    if (state->firing || event->seconds < a->hold) {
        return;
    }

    state->firing = 1;

    if (state->sent != 0 && second - state->sent < a->cooldown) {
        return;
    }

    state->sent = second;
    state->told = 1;
    event->status = LLM_ALERT_FIRING;
}


static int
llm_alert_holds(llm_metrics_t *m, const llm_alert_t *a, uint32_t second,
    llm_alert_event_t *event)
{
    uint64_t                   n;
    const llm_alert_sample_t  *now, *before;

    now = &m->alerts.sample[second % LLM_ALERT_SAMPLES];
    before = llm_alert_before(m, second, a->window);

    switch (a->kind) {

    case LLM_ALERT_ERROR_RATIO:
        n = now->requests - before->requests;

        if (n != 0 && n >= a->min) {
            event->value = (now->errors - before->errors) * LLM_ALERT_ONE / n;
        }

        break;

    case LLM_ALERT_P95:
        event->value = llm_alert_p95(now->duration, before->duration,
                                     &llm_bounds_duration, a->min);
        break;

    case LLM_ALERT_TTFT:
        event->value = llm_alert_p95(now->ttft, before->ttft,
                                     &llm_bounds_ttft, a->min);
        break;

    case LLM_ALERT_UNAVAILABLE:
        event->value = llm_alert_worst(m, a->min, second, &event->upstream);

        return event->value != LLM_NULL && event->value < a->threshold;

    case LLM_ALERT_NO_TRAFFIC:

        /* not before there was any, and a whole window can be looked at */

        if (now->all == 0 || now->all != before->all
            || second - before->second < a->window)
        {
            return 0;
        }

        event->value = a->threshold;
        return 1;

    case LLM_ALERT_COST:
        event->value = now->cost - before->cost;
        break;

    default: /* LLM_ALERT_DROPPED */
        event->value = now->dropped - before->dropped;
    }

    return event->value != LLM_NULL && event->value > a->threshold;
}


/*
 * The sample of the window's begin, or the first after it: there was no writer
 * in between, or nothing was counted yet.  It is found, for now's is there.
 */

static const llm_alert_sample_t *
llm_alert_before(const llm_metrics_t *m, uint32_t second, uint32_t window)
{
    uint32_t                   at;
    const llm_alert_sample_t  *s;

    at = second > window ? second - window : 1;

    do {
        s = &m->alerts.sample[at % LLM_ALERT_SAMPLES];

    } while (s->second != at && at++ < second);

    return s;
}


/* LLM_NULL: fewer than min. */

static int64_t
llm_alert_p95(const uint64_t *now, const uint64_t *before,
    const llm_bounds_t *b, uint64_t min)
{
    int       i;
    int64_t   low;
    uint64_t  n, all, rank;

    all = 0;

    for (i = 0; i < b->n; i++) {
        all += now[i] - before[i];
    }

    if (all == 0 || all < min) {
        return LLM_NULL;
    }

    rank = (all * 95 + 99) / 100;
    low = 0;

    for (i = 0; i < b->n - 1; i++) {
        n = now[i] - before[i];

        if (rank <= n) {
            return low + (b->le[i] - low) * (int64_t) rank / (int64_t) n;
        }

        rank -= n;
        low = b->le[i];
    }

    return low + 1;
}


static int64_t
llm_alert_worst(const llm_metrics_t *m, uint64_t min, uint32_t second,
    llm_str_t *upstream)
{
    int64_t            ratio, worst;
    uint32_t           n;
    uint64_t           good, all;
    llm_metrics_ids_t  ids;

    worst = LLM_NULL;

    for (n = 1; n < m->nseries[LLM_SET_UPSTREAM]; n++) {
        llm_metrics_window(m, n, second, &good, &all);

        if (all == 0 || all < min) {
            continue;
        }

        ratio = good * LLM_ALERT_ONE / all;

        if (worst == LLM_NULL || ratio < worst) {
            llm_metrics_ids(m, LLM_SET_UPSTREAM, n, &ids);

            worst = ratio;
            upstream->data = (const uint8_t *) m->label[ids.upstream].text;
            upstream->len = m->label[ids.upstream].len;
        }
    }

    return worst;
}
