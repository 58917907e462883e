
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a path says: protocol, operation, normalised endpoint, the model that
 * it names, whether it asks for a stream.  And urls without their secrets.
 */


#ifndef _LLM_ROUTE_H_INCLUDED_
#define _LLM_ROUTE_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_record.h"


typedef struct {
    int          protocol;       /* llm_protocol_e; unknown: the path is
                                    shared, headers and bodies tell */
    int          operation;      /* llm_operation_e */
    int          stream;         /* 1 yes, 0 no, -1 the path does not say */
    int          array;          /* Gemini's stream without alt=sse */
    int          no_sums;        /* tokens of this call belong to no sum */
    llm_str_t    endpoint;       /* normalised: "/v1/chat/completions", or
                                    "/v1beta/models/{model}:generateContent";
                                    static text, or in buf */
    llm_str_t    model;          /* percent-decoded, in buf; null: none; one
                                    in the body goes before it */
    uint8_t      buf[512];
} llm_route_t;


/*
 * Any prefix before a known suffix is passed over ("/openai/v1/chat/...",
 * "/proxy/anthropic/v1/messages").  Ids in a path ("resp_...", "batch_...",
 * UUIDs, digits) become {id}.  A path that is not known keeps at most six
 * segments of it, so that the set of endpoints stays small.
 */
void llm_route(llm_route_t *rt, const llm_str_t *method,
    const llm_str_t *path, const llm_str_t *query);


/* Whether an endpoint is that of a known path; few are. */
int llm_route_known(const llm_str_t *endpoint);


/*
 * Writes path, '?' and query with the values of secret arguments replaced by
 * ***: those whose name ends in token, secret, password, key, signature and
 * the like (lists in llm_route_url.c), and names, in lower case, compared
 * after percent-decoding and without case.  user:password@ is removed.
 * Returns the length; at most cap bytes, cut on a character's boundary.
 * Control characters and bytes that are no UTF-8 are percent-encoded.
 */
size_t llm_route_url(uint8_t *out, size_t cap, const llm_str_t *path,
    const llm_str_t *query, const llm_str_t *names, size_t nnames);


#endif /* _LLM_ROUTE_H_INCLUDED_ */
