
/*
 * Copyright (C) llm_monitor contributors
 */


#include <string.h>

#include "../record/llm_crc32c.h"
#include "llm_user_text.h"


#define LLM_USER_TEXT_MIN   3    /* a shorter one tells no conversation */


enum {
    LLM_USER_TEXT_START = 0,     /* blanks */
    LLM_USER_TEXT_ESCAPE,        /* a backslash among them */
    LLM_USER_TEXT_OPEN,          /* some bytes of the opening tag */
    LLM_USER_TEXT_REMINDER,
    LLM_USER_TEXT_TEXT
};


static const uint8_t *llm_user_text_start(llm_user_text_t *t,
    const uint8_t *p, const uint8_t *end);
static const uint8_t *llm_user_text_reminder(llm_user_text_t *t,
    const uint8_t *p, const uint8_t *end);
static void llm_user_text_begin(llm_user_text_t *t);
static void llm_user_text_add(llm_user_text_t *t, const void *p, size_t n);


static const char  llm_user_text_open[] = "<system-reminder>";
static const char  llm_user_text_close[] = "</system-reminder>";


void
llm_user_text_init(llm_user_text_t *t)
{
    memset(t, 0, sizeof(llm_user_text_t));
}


void
llm_user_text_feed(llm_user_text_t *t, const uint8_t *p, size_t n)
{
    const uint8_t  *end;

    end = p + n;

    while (p < end && t->state != LLM_USER_TEXT_TEXT) {
        p = t->state == LLM_USER_TEXT_REMINDER
            ? llm_user_text_reminder(t, p, end)
            : llm_user_text_start(t, p, end);
    }

    llm_user_text_add(t, p, end - p);
}


/* One byte of what comes before the text, or none if the text begins. */

static const uint8_t *
llm_user_text_start(llm_user_text_t *t, const uint8_t *p, const uint8_t *end)
{
    switch (t->state) {

    case LLM_USER_TEXT_START:

        if (*p == '\\') {
            t->state = LLM_USER_TEXT_ESCAPE;
            return p + 1;
        }

        if (*p == (uint8_t) llm_user_text_open[0]) {
            t->state = LLM_USER_TEXT_OPEN;
            t->matched = 1;
            return p + 1;
        }

        if (*p == ' ' || *p == '\n' || *p == '\t') {
            return p + 1;
        }

        break;

    case LLM_USER_TEXT_ESCAPE:

        /* a line feed between two of them is still escaped */

        if (*p == 'n') {
            t->state = LLM_USER_TEXT_START;
            return p + 1;
        }

        break;

    default: /* LLM_USER_TEXT_OPEN */

        if (*p == (uint8_t) llm_user_text_open[t->matched]) {
            t->matched++;

            if (t->matched == sizeof(llm_user_text_open) - 1) {
                t->state = LLM_USER_TEXT_REMINDER;
                t->matched = 0;
            }

            return p + 1;
        }

        break;
    }

    llm_user_text_begin(t);

    return p;
}


static const uint8_t *
llm_user_text_reminder(llm_user_text_t *t, const uint8_t *p,
    const uint8_t *end)
{
    if (t->matched == 0) {
        p = memchr(p, llm_user_text_close[0], end - p);

        if (p == NULL) {
            return end;
        }
    }

    if (*p != (uint8_t) llm_user_text_close[t->matched]) {

        /* the first byte of the tag is nowhere else in it */

        t->matched = 0;
        return p;
    }

    t->matched++;

    if (t->matched == sizeof(llm_user_text_close) - 1) {
        t->state = LLM_USER_TEXT_START;
        t->matched = 0;
    }

    return p + 1;
}


/* What was held back belongs to the text. */

static void
llm_user_text_begin(llm_user_text_t *t)
{
    switch (t->state) {

    case LLM_USER_TEXT_ESCAPE:
        llm_user_text_add(t, "\\", 1);
        break;

    case LLM_USER_TEXT_OPEN:
        llm_user_text_add(t, llm_user_text_open, t->matched);
        break;
    }

    t->state = LLM_USER_TEXT_TEXT;
}


static void
llm_user_text_add(llm_user_text_t *t, const void *p, size_t n)
{
    size_t  left;

    if (t->n < LLM_USER_TEXT_MAX) {
        left = LLM_USER_TEXT_MAX - t->n;
        llm_crc32c_pair(t->crc, t->n, p, n < left ? n : left);
    }

    t->n += n;
}


/*
 * That nobody finds the text from these bits is up to llm_session_derive().
 */

int
llm_user_text_end(llm_user_text_t *t, uint64_t *hash)
{
    llm_user_text_begin(t);

    if (t->n < LLM_USER_TEXT_MIN) {
        return 0;
    }

    *hash = ((uint64_t) t->crc[0] << 32 | t->crc[1]) ^ t->n;

    return 1;
}
