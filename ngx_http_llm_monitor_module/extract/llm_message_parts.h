
/*
 * Copyright (C) llm_monitor contributors
 *
 * Inside of llm_message: what is collected, and the shapes it comes in.
 */


#ifndef _LLM_MESSAGE_PARTS_H_INCLUDED_
#define _LLM_MESSAGE_PARTS_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_buf.h"


#define LLM_MESSAGE_TOOLS   128    /* further ones are left out */
#define LLM_MESSAGE_ID      64


typedef struct {
    int64_t               key;     /* index of the call or block, or -1 */
    size_t                nid;
    uint8_t               id[LLM_MESSAGE_ID];
    llm_buf_t             name;
    llm_buf_t             arguments;
} llm_message_tool_t;


typedef struct {
    llm_buf_t             text;
    llm_buf_t             thinking;
    llm_buf_t             refusal;

    int                   ntools;
    llm_message_tool_t    tools[LLM_MESSAGE_TOOLS];

    llm_str_t             event;   /* name of the SSE event or AWS frame */
} llm_message_t;


/* NULL: no room for one more */
llm_message_tool_t *llm_message_tool_add(llm_message_t *m, int64_t key);

/* The latest of that key, or NULL. */
llm_message_tool_t *llm_message_tool_find(llm_message_t *m, int64_t key);

/* A string unescaped, or any other value as it stands. */
void llm_message_value(llm_buf_t *out, const llm_str_t *value);


/* Each takes one JSON document; 1 if it has that shape. */

typedef int (*llm_message_shape_pt)(llm_message_t *m, const llm_str_t *doc);

int llm_message_openai(llm_message_t *m, const llm_str_t *doc);
int llm_message_responses(llm_message_t *m, const llm_str_t *doc);
int llm_message_anthropic(llm_message_t *m, const llm_str_t *doc);
int llm_message_gemini(llm_message_t *m, const llm_str_t *doc);
int llm_message_ollama(llm_message_t *m, const llm_str_t *doc);
int llm_message_cohere(llm_message_t *m, const llm_str_t *doc);
int llm_message_converse(llm_message_t *m, const llm_str_t *doc);
int llm_message_invoke(llm_message_t *m, const llm_str_t *doc);


#endif /* _LLM_MESSAGE_PARTS_H_INCLUDED_ */
