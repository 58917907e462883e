
/*
 * Copyright (C) llm_monitor contributors
 *
 * Which conversation a request belongs to, and whose key it carries.
 */


#ifndef _LLM_SESSION_H_INCLUDED_
#define _LLM_SESSION_H_INCLUDED_


#include "llm_request.h"


/* A session id that a client sent, unescaped; a lower rank wins. */
void llm_session_offer(llm_request_t *q, const llm_str_t *id, int source,
    int rank);

/* Anthropic's metadata.user_id: a JSON text, or ..._session_<id> */
void llm_session_user_id(llm_request_t *q, const llm_str_t *id);

/* x-codex-turn-metadata: a JSON text */
void llm_session_metadata(llm_request_t *q, const llm_str_t *text, int rank);

/* 1 if s may be a session id: 1 to 256 of letters, digits and _-.: */
int llm_session_valid(const llm_str_t *id);

/* The last resort: a name for (key or account, first text), in the session. */
void llm_session_derive(llm_request_t *q, const llm_str_t *account);

/*
 * Whose a session's name is where there is no key: a hash of the user, or else
 * of the account; 0: neither is known.  A user that is only claimed is another
 * one than who has proven to be called so.
 */
int64_t llm_session_owner(const uint8_t *salt, const llm_str_t *user,
    int trusted, const llm_str_t *account);

/* The API key that a request carries; a lower rank wins. */
void llm_session_key(llm_request_t *q, const uint8_t *p, size_t n, int rank);


#endif /* _LLM_SESSION_H_INCLUDED_ */
