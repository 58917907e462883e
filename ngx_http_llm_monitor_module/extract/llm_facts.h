
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a response says, put together from its documents: a body has one, a
 * stream has one an event.  A provider tells by its tables which key is which
 * field; what a field does is the same for all of them and stands in
 * llm_facts.c.
 */


#ifndef _LLM_FACTS_H_INCLUDED_
#define _LLM_FACTS_H_INCLUDED_


#include "llm_scan.h"
#include "llm_slot.h"
#include "llm_usage.h"


typedef enum {
    LLM_F_NONE = 0,
    LLM_F_ROOT,
    LLM_F_TYPE,            /* the event's name inside of its JSON */
    LLM_F_OBJECT,          /* what kind of object the document is */
    LLM_F_ID,
    LLM_F_MODEL,
    LLM_F_TIER,
    LLM_F_CHOICE,          /* one of several answers */
    LLM_F_INDEX,           /* its number */
    LLM_F_FINISH,
    LLM_F_STATUS,          /* Responses: its end is a finish reason */
    LLM_F_REASON,          /* and this one is better */
    LLM_F_TEXT,            /* generated */
    LLM_F_CONTENT,         /* generated, but told a second time */
    LLM_F_TOOL,            /* a tool call, by its name or as an object */
    LLM_F_KIND,            /* type of a part: a tool call or not */
    LLM_F_OUTPUT,          /* the same in a list of all parts */
    LLM_F_DONE,            /* true: the last document */
    LLM_F_USAGE,
    LLM_F_USAGE_START,     /* of an event that opens the answer */
    LLM_F_USAGE_PART,      /* its numbers belong to the usage around it */
    LLM_F_TIMINGS,
    LLM_F_COUNTED,         /* the answer of a call that counts tokens */
    LLM_F_ERROR,
    LLM_F_MESSAGE,         /* of an error, if the event is one */
    LLM_F_CODE,
    LLM_F_NUMBER           /* + LLM_U_...: one number of a usage object */
} llm_field_e;

#define LLM_F_U(name)    (LLM_F_NUMBER + LLM_U_ ## name)


/* what the event that is being read is, LLM_EVENT_* */

#define LLM_EVENT_ERROR   0x01
#define LLM_EVENT_END     0x02
#define LLM_EVENT_START   0x04
#define LLM_EVENT_FINAL   0x08    /* its usage is the last one */
#define LLM_EVENT_AWAITS  0x10    /* a reason, but not yet the usage */


typedef struct {
    int              protocol;       /* llm_protocol_e */
    const llm_key_t *root;
    void           (*merge)(llm_usage_t *to, const llm_usage_t *from,
                         int start);
    void           (*normal)(llm_usage_t *u);
} llm_provider_t;


typedef struct {
    const llm_provider_t *provider;
    llm_pool_t           *pool;

    llm_usage_t           usage;         /* of the whole exchange */
    llm_usage_t           part;          /* of the document being read */

    llm_slot_t            id;
    llm_slot_t            model;
    llm_slot_t            tier;
    llm_slot_t            finish;
    llm_slot_t            part_finish;   /* of the document being read */
    llm_slot_t            choice_finish; /* of the choice being read */
    llm_slot_t            error;
    llm_slot_t            error_type;
    llm_slot_t            message;
    llm_slot_t            code;
    llm_slot_t            usage_text;
    llm_slot_t            part_text;     /* of the document being read */
    llm_slot_t            error_text;    /* the error object as it came */

    int64_t               content_at;    /* first content: time; or LLM_NULL */
    int64_t               now;
    int64_t               text_bytes;
    int64_t               index;
    int32_t               tools;
    int32_t               part_tools;    /* of the document being read */
    int32_t               output_tools;

    uint8_t               event;         /* LLM_EVENT_* */
    uint8_t               object;
    uint8_t               output;        /* it has items of an answer */
    uint8_t               status;
    uint8_t               start;         /* a usage that opens the answer */
    uint8_t               part_usage;
    uint8_t               part_model;
    uint8_t               long_usage;
    uint8_t               whole_usage;   /* the object was closed */

    uint8_t               http_error;    /* status of 400 and more */
    uint8_t               stream;
    uint8_t               any_usage;
    uint8_t               final_usage;
    uint8_t               any_error;
    uint8_t               finished;      /* a finish reason was seen */
    uint8_t               ended;         /* the last event was seen */
    uint8_t               awaits;        /* more comes after the reason */
    uint8_t               header_type;   /* a header told the error's type */
    uint8_t               changed;       /* an event did more than add text */
    uint8_t               broken;        /* JSON that ended in its middle, or
                                            was none */
} llm_facts_t;


void llm_facts_init(llm_facts_t *f, llm_pool_t *pool);

/* Forgets what the response said, but for error and error type. */
void llm_facts_reset(llm_facts_t *f);

/* llm_scan_pt with the facts as data */
void llm_facts_value(void *data, int field, const llm_scan_value_t *v);

/* 1: the stream has said all that its protocol says */
int llm_facts_complete(const llm_facts_t *f);

/* The name of the event that the next document belongs to. */
void llm_facts_event(llm_facts_t *f, const uint8_t *p, size_t n);

/* An error that did not come as JSON. */
void llm_facts_error(llm_facts_t *f, const llm_str_t *message,
    const llm_str_t *type);


/* The providers; each in a file of its own, none knows another. */

extern const llm_provider_t  llm_openai;
extern const llm_provider_t  llm_anthropic;
extern const llm_provider_t  llm_gemini;
extern const llm_provider_t  llm_ollama;
extern const llm_provider_t  llm_cohere;
extern const llm_provider_t  llm_bedrock;
extern const llm_provider_t  llm_unknown;

const llm_provider_t *llm_provider(int protocol);


#endif /* _LLM_FACTS_H_INCLUDED_ */
