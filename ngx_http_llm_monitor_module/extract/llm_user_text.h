
/*
 * Copyright (C) llm_monitor contributors
 *
 * The first text of a user as 64 bits.  It comes in pieces, still escaped, and
 * where it is cut makes no difference.  Blanks at its beginning and what a
 * client puts there in <system-reminder> are not the user's.
 */


#ifndef _LLM_USER_TEXT_H_INCLUDED_
#define _LLM_USER_TEXT_H_INCLUDED_


#include "../record/llm.h"


/* bytes of a text that are read; of one that goes on, its length counts too */
#define LLM_USER_TEXT_MAX   65536


typedef struct {
    uint64_t    n;               /* bytes of the text so far */
    uint32_t    crc[2];
    uint8_t     state;
    uint8_t     matched;         /* bytes of a tag */
} llm_user_text_t;


void llm_user_text_init(llm_user_text_t *t);
void llm_user_text_feed(llm_user_text_t *t, const uint8_t *p, size_t n);

/* 1 and its hash, or 0 if the user said fewer than 3 characters. */
int llm_user_text_end(llm_user_text_t *t, uint64_t *hash);


#endif /* _LLM_USER_TEXT_H_INCLUDED_ */
