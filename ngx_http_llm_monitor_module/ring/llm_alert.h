
/*
 * Copyright (C) llm_monitor contributors
 *
 * Conditions on the metrics of the last minutes.  The process that writes the
 * database takes a sample of the sums each second and looks; what it knows is
 * in shared memory, so that the next one goes on from there.
 */


#ifndef _LLM_ALERT_H_INCLUDED_
#define _LLM_ALERT_H_INCLUDED_


#include "llm_metrics.h"


typedef enum {
    LLM_ALERT_ERROR_RATIO = 0,     /* threshold: millionths */
    LLM_ALERT_P95,                 /* us */
    LLM_ALERT_TTFT,                /* us, of 95 % too */
    LLM_ALERT_UNAVAILABLE,         /* millionths that went well, below */
    LLM_ALERT_NO_TRAFFIC,          /* us without an exchange */
    LLM_ALERT_COST,                /* 1e-9 US dollars in an hour */
    LLM_ALERT_DROPPED,             /* records */
    LLM_ALERT_KINDS
} llm_alert_e;

typedef struct {
    int             kind;
    int64_t         threshold;
    uint32_t        window;        /* seconds, below LLM_ALERT_SAMPLES */
    uint32_t        hold;          /* seconds that it must be so */
    uint32_t        cooldown;      /* between two messages that it is so */
    uint64_t        min;           /* exchanges, for those that need some */
    uint64_t        key;           /* of all this, not 0 */
} llm_alert_t;

/* what there is to tell */

typedef enum {
    LLM_ALERT_NOTHING = 0, LLM_ALERT_FIRING, LLM_ALERT_RESOLVED,
    LLM_ALERT_TEST
} llm_alert_status_e;

typedef struct {
    int             status;
    int64_t         value;         /* in the threshold's unit; LLM_NULL */
    uint32_t        seconds;       /* it has been so for */
    llm_str_t       upstream;      /* or null */
} llm_alert_event_t;


/* "error_ratio", and digits after the point of its unit as people write it */
const char *llm_alert_name(int kind);
int llm_alert_scale(int kind);

/* The sums as they are now; dropped: records that should have been rows. */
void llm_alert_sample(llm_metrics_t *m, uint32_t second, uint64_t dropped);

/* Looks, after the sample of that second; n is its place, below LLM_ALERTS. */
void llm_alert_check(llm_metrics_t *m, const llm_alert_t *a, uint32_t n,
    uint32_t second, llm_alert_event_t *event);


#endif /* _LLM_ALERT_H_INCLUDED_ */
