
/*
 * Copyright (C) llm_monitor contributors
 *
 * One body while it flows: the first bytes in memory, a longer one in an
 * unnamed file of the spool directory, which gets its name just before the
 * record that tells of it.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_SPOOLFILE_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_SPOOLFILE_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"


/* "body." and 16 hexadecimal digits */
#define NGX_HTTP_LLM_MONITOR_SPOOL_NAME  (sizeof("body.") - 1 + 16)


typedef struct ngx_http_llm_monitor_block_s  ngx_http_llm_monitor_block_t;

typedef struct {
    ngx_http_llm_monitor_main_conf_t  *mcf;
    ngx_http_llm_monitor_loc_conf_t   *lcf;
    ngx_log_t                         *log;

    u_char                            *pos;       /* of the next byte */
    u_char                            *end;       /* up to here unasked */
    ngx_http_llm_monitor_block_t      *first;
    ngx_http_llm_monitor_block_t      *tail;      /* the one being filled */
    size_t                             expect;    /* length if known, or 0 */
    off_t                              passed;    /* bytes before the tail */
    off_t                              written;   /* to the file */
    ngx_fd_t                           fd;

    int                                state;     /* why it was given up */
    unsigned                           wanted:1;
    unsigned                           temporary:1;   /* has a passing name */
    unsigned                           named:1;       /* has its own */
    u_char                             name[NGX_HTTP_LLM_MONITOR_SPOOL_NAME
                                            + 1];
} ngx_http_llm_monitor_body_t;


/*
 * wanted: whether it is to be stored.  body must be zeroed; the bounds are
 * those of lcf and mcf.
 */
void ngx_http_llm_monitor_body_init(ngx_http_llm_monitor_body_t *body,
    ngx_http_llm_monitor_main_conf_t *mcf,
    ngx_http_llm_monitor_loc_conf_t *lcf, ngx_uint_t wanted, ngx_log_t *log);

/* Says how long it will be, so that memory is taken once; -1: unknown. */
void ngx_http_llm_monitor_body_expect(ngx_http_llm_monitor_body_t *body,
    off_t length);

/*
 * Takes the memory for that length, in front of the first byte, so that what
 * is added is in one piece; NGX_DECLINED: it cannot be.  The second one says
 * where it is.
 */
ngx_int_t ngx_http_llm_monitor_body_reserve(
    ngx_http_llm_monitor_body_t *body);
void ngx_http_llm_monitor_body_bytes(ngx_http_llm_monitor_body_t *body,
    llm_str_t *bytes);

/* Takes more bytes.  Past a bound the body is given up, never the caller. */
void ngx_http_llm_monitor_body_add(ngx_http_llm_monitor_body_t *body,
    const u_char *p, size_t n);

/* Forgets what came, as if nothing had; bytes that follow are taken. */
void ngx_http_llm_monitor_body_reset(ngx_http_llm_monitor_body_t *body);

/* Gives it up, with the state that says why. */
void ngx_http_llm_monitor_body_drop(ngx_http_llm_monitor_body_t *body,
    int state);

/*
 * Ends it: bytes is what the record carries itself, spool the name of the file
 * that holds it; the other one is null, both are if nothing is stored.  Both
 * live as long as body.  Returns the state, LLM_BODY_*.
 */
int ngx_http_llm_monitor_body_end(ngx_http_llm_monitor_body_t *body,
    llm_str_t *bytes, llm_str_t *spool);

/* Removes the named file again: nobody will hear of it. */
void ngx_http_llm_monitor_body_unlink(ngx_http_llm_monitor_body_t *body);

/* Gives memory, descriptor and their share of the bounds back. */
void ngx_http_llm_monitor_body_free(ngx_http_llm_monitor_body_t *body);


#endif /* _NGX_HTTP_LLM_MONITOR_SPOOLFILE_H_INCLUDED_ */
