
/*
 * Copyright (C) llm_monitor contributors
 *
 * The known endpoints.  The text of a rule is the normalised endpoint too.
 */


#ifndef _LLM_ROUTE_RULES_H_INCLUDED_
#define _LLM_ROUTE_RULES_H_INCLUDED_


#include "../record/llm.h"


#define LLM_ROUTE_BARE      0x01   /* the rule's "/v1" may be missing */
#define LLM_ROUTE_NO_SUMS   0x02


typedef struct {
    llm_str_t    path;
    int          protocol;
    int          operation;
    int          stream;
    int          flags;
} llm_route_rule_t;


/* The first rule that matches wins. */
extern const llm_route_rule_t  llm_route_rules[];
extern const size_t  llm_route_nrules;

/* Gemini's and Vertex's verbs: what follows the last colon of a path. */
extern const llm_route_rule_t  llm_route_verbs[];
extern const size_t  llm_route_nverbs;

/* What ends a path after Bedrock's /model/{model}. */
extern const llm_route_rule_t  llm_route_bedrocks[];
extern const size_t  llm_route_nbedrocks;


#endif /* _LLM_ROUTE_RULES_H_INCLUDED_ */
