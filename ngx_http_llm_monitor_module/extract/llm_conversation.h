
/*
 * Copyright (C) llm_monitor contributors
 *
 * What was said, from the stored body of a request: messages in one form,
 * whatever the protocol.
 *
 * {"log","role","text","thinking","tool_calls":[{"id","name","arguments"}],
 *  "tool_results":[{"id","text"}],"attachments","truncated"}
 */


#ifndef _LLM_CONVERSATION_H_INCLUDED_
#define _LLM_CONVERSATION_H_INCLUDED_


#include "../record/llm_json_write.h"


#define LLM_CONVERSATION_MAX   200        /* messages of a body, the newest */
#define LLM_CONVERSATION_TEXT  32768      /* bytes of JSON of each text */


/* How many messages a request's body holds. */
size_t llm_conversation_count(const llm_str_t *body);

/*
 * Appends them to the array that j is in, without the first `skip` ones.  log
 * is what each says of itself.  Any thread.  LLM_OK, LLM_NOMEM.
 */
int llm_conversation_request(const llm_str_t *body, size_t skip,
    const char *log, llm_json_t *j);

/* Appends an answer, which llm_message_build() made. */
int llm_conversation_answer(const llm_str_t *message, const char *log,
    llm_json_t *j);


#endif /* _LLM_CONVERSATION_H_INCLUDED_ */
