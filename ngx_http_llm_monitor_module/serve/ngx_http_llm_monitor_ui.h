
/*
 * Copyright (C) llm_monitor contributors
 *
 * The files of the page, which are a part of the module.  ui/build.mjs makes
 * their table; a module without the page has an empty one.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_UI_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_UI_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* codings of a file, the one that is liked most first */

#define NGX_HTTP_LLM_MONITOR_UI_BR        0
#define NGX_HTTP_LLM_MONITOR_UI_GZIP      1
#define NGX_HTTP_LLM_MONITOR_UI_IDENTITY  2
#define NGX_HTTP_LLM_MONITOR_UI_CODINGS   3


/* its name has a hash of its content in it, so it never changes */

typedef struct {
    ngx_str_t  name;
    ngx_str_t  type;
    ngx_str_t  etag[NGX_HTTP_LLM_MONITOR_UI_CODINGS];
    ngx_str_t  body[NGX_HTTP_LLM_MONITOR_UI_CODINGS];   /* empty: none */
} ngx_http_llm_monitor_ui_file_t;


/* ends with an empty name */
extern ngx_http_llm_monitor_ui_file_t  ngx_http_llm_monitor_ui_files[];

/*
 * The document in pieces; between two of them goes what leads from its own
 * address to the files.  Ends with an empty one.
 */
extern ngx_str_t  ngx_http_llm_monitor_ui_document[];

/* of the document, without quotes */
extern ngx_str_t  ngx_http_llm_monitor_ui_hash;


#endif /* _NGX_HTTP_LLM_MONITOR_UI_H_INCLUDED_ */
