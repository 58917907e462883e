
/*
 * Copyright (C) llm_monitor contributors
 *
 * Walks JSON that flows, in constant memory, and reports the values that a
 * table of keys asks for.  All else is passed over: strings at the speed of
 * memchr(), whole objects and arrays by counting brackets, so that neither a
 * 90 MB image in base64 nor a million brackets cost memory.
 *
 * It is lenient, for a monitor must find what can be found: bytes outside of
 * strings that make no sense are passed over, documents may follow each other,
 * and the elements of an outermost array are documents of their own.
 */


#ifndef _LLM_SCAN_H_INCLUDED_
#define _LLM_SCAN_H_INCLUDED_


#include "../record/llm.h"


#define LLM_SCAN_DEPTH   14      /* levels in which tables are looked up */
#define LLM_SCAN_VALUE   4096    /* bytes of a string that are reported */
#define LLM_SCAN_WORD    64      /* bytes of a number likewise */
#define LLM_SCAN_NAME    192     /* bytes of a key with escapes */
#define LLM_SCAN_KEEP    1024    /* bytes of a string in a kept object */
#define LLM_SCAN_HOLES   12


/*
 * A key that is of interest.  Arrays are transparent: what is said of a key
 * holds for its value and for the elements of its value.  A table ends with a
 * key of no length; it is read fastest in the order of the documents.
 */

typedef struct llm_key_s  llm_key_t;

struct llm_key_s {
    const char        *text;      /* its name in quotes, and the colon */
    const llm_key_t   *keys;      /* inside of it; NULL: nothing */
    uint8_t            len;       /* of the name alone */
    uint8_t            field;     /* what fn is told; 0: nothing */
    uint8_t            flags;
};

#define LLM_KEY_LENGTH   0x01    /* of a string only its length matters */
#define LLM_KEY_KEEP     0x02    /* the object's text is reported as well */
#define LLM_KEY_PIECES   0x04    /* all of a string is reported */

#define llm_key_any(name, field, keys, flags)                                 \
    { "\"" name "\":", keys, sizeof(name) - 1, field, flags }

#define llm_key(name, field)          llm_key_any(name, field, NULL, 0)
#define llm_key_in(name, field, keys)  llm_key_any(name, field, keys, 0)
#define llm_key_text(name, field, keys)                                       \
    llm_key_any(name, field, keys, LLM_KEY_LENGTH)
#define llm_key_keep(name, field, keys)                                       \
    llm_key_any(name, field, keys, LLM_KEY_KEEP)
#define llm_key_pieces(name, field, keys)                                     \
    llm_key_any(name, field, keys, LLM_KEY_PIECES)
/* of no interest, but where documents have it: what follows is found sooner */
#define llm_key_none(name)            llm_key(name, 0)
/* no member begins with its text */
#define llm_key_end                   { "   ", NULL, 0, 0, 0 }


typedef enum {
    LLM_SCAN_STRING = 1,   /* p, n: still escaped; full: all its bytes */
    LLM_SCAN_LITERAL,      /* p, n: a number, true, false, null or garbage */
    LLM_SCAN_OBJECT,
    LLM_SCAN_OBJECT_END,
    LLM_SCAN_ARRAY,
    LLM_SCAN_ARRAY_END,    /* full: its elements */
    LLM_SCAN_TEXT,         /* p, n: the next bytes of a kept object; full: 1
                              where a string goes on but is not kept */
    LLM_SCAN_DOCUMENT,     /* the end of a document; full: 1 if it was cut */
    LLM_SCAN_PIECE         /* p, n: the next bytes of a string of which all is
                              reported; full: those before.  Its STRING then
                              comes without any */
} llm_scan_e;

typedef struct {
    llm_scan_e         type;
    const uint8_t     *p;
    size_t             n;
    size_t             full;
} llm_scan_value_t;

/* p is valid during the call only */
typedef void (*llm_scan_pt)(void *data, int field, const llm_scan_value_t *v);


/* Places whose bytes no table asks for, in a piece that is to be learnt. */

typedef struct {
    const uint8_t     *p;
    size_t             n;
    int                text;      /* LLM_KEY_LENGTH: its length counts */
    int                number;
} llm_scan_hole_t;

typedef struct {
    llm_scan_hole_t    hole[LLM_SCAN_HOLES];
    int                n;
    int                overflow;
} llm_scan_holes_t;


typedef struct {
    const llm_key_t   *key;
    uint32_t           count;
    uint8_t            next;      /* behind the key that was found last */
    uint8_t            array;
} llm_scan_level_t;

typedef struct {
    const llm_key_t   *root;      /* the outermost value; its name is unused */
    llm_scan_pt        fn;
    void              *data;
    const llm_mem_t   *mem;
    llm_scan_holes_t  *holes;     /* NULL: nobody learns */

    const llm_key_t   *key;       /* of the next value; NULL: no interest */
    llm_scan_level_t  *level;     /* the innermost one, or NULL */
    const uint8_t     *keep_from;
    uint8_t           *carry;     /* a token that began in another piece */
    size_t             len;       /* bytes of the token so far */
    uint32_t           skip;      /* open brackets in what is passed over */
    uint8_t            state;
    uint8_t            odd;       /* the next byte is escaped */
    uint8_t            value;     /* after a colon */
    uint8_t            depth;
    uint8_t            keep;      /* the level that is kept, or 0 */
    uint8_t            inside;    /* a document has begun */
    uint8_t            closed;    /* a document has ended */
    llm_scan_level_t   stack[LLM_SCAN_DEPTH];
} llm_scan_t;


void llm_scan_init(llm_scan_t *s, const llm_key_t *root, llm_scan_pt fn,
    void *data, const llm_mem_t *mem);

void llm_scan(llm_scan_t *s, const uint8_t *p, size_t n);

/* No more bytes of this document: what is open is closed as cut. */
void llm_scan_end(llm_scan_t *s);

/* Gives the carry buffer back. */
void llm_scan_free(llm_scan_t *s);


#endif /* _LLM_SCAN_H_INCLUDED_ */
