
/*
 * Copyright (C) llm_monitor contributors
 *
 * The answer rebuilt from a stored response body, when somebody reads it:
 * {"text","thinking","refusal","tool_calls":[{"name","arguments"}]}.
 */


#ifndef _LLM_MESSAGE_H_INCLUDED_
#define _LLM_MESSAGE_H_INCLUDED_


#include "../record/llm.h"
#include "../record/llm_buf.h"


/*
 * protocol: llm_protocol_e of the record; type: its Content-Type.  Appends the
 * object, or null if the body holds no generated message (an error, an
 * embedding).  Absent parts are null, tool_calls is always an array; arguments
 * is the JSON text as the model sent it, as a string.  At most 16 MB are read.
 * Runs in any thread.
 */
int llm_message_build(int protocol, const llm_str_t *type,
    const uint8_t *body, size_t n, llm_buf_t *out);


#endif /* _LLM_MESSAGE_H_INCLUDED_ */
