
/*
 * Copyright (C) llm_monitor contributors
 *
 * Server-sent events as WHATWG's HTML defines them, in constant memory: data
 * goes to the taker while it comes.  Lines end with LF, CR or CRLF, cut
 * anywhere; comments and unknown fields are passed over.
 */


#ifndef _LLM_SSE_H_INCLUDED_
#define _LLM_SSE_H_INCLUDED_


#include "../record/llm.h"


#define LLM_SSE_EVENT   40       /* bytes of an event's name */


typedef struct {
    /* the next bytes of the event's data; lines are joined by LF */
    void         (*data_pt)(void *data, const uint8_t *p, size_t n);
    void          *data;

    uint8_t        state;
    uint8_t        cr;           /* the last byte was CR */
    uint8_t        field;
    uint8_t        nfield;
    uint8_t        lines;        /* of data in this event: 0, 1, 2 or more */
    uint8_t        nevent;
    uint8_t        name[8];      /* of a field */
    uint8_t        event[LLM_SSE_EVENT];
} llm_sse_t;


void llm_sse_init(llm_sse_t *s,
    void (*data_pt)(void *data, const uint8_t *p, size_t n), void *data);

/*
 * Reads up to the end of one event and returns the place behind it; or
 * returns end if the event goes on.  done tells which.  The event is forgotten
 * by llm_sse_reset(), which the caller calls when it is done.
 */
const uint8_t *llm_sse_next(llm_sse_t *s, const uint8_t *p,
    const uint8_t *end, int *done);

void llm_sse_reset(llm_sse_t *s);

/* between two events, with nothing pending */
int llm_sse_idle(const llm_sse_t *s);


#endif /* _LLM_SSE_H_INCLUDED_ */
