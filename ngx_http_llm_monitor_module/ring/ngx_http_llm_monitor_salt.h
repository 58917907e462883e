
/*
 * Copyright (C) llm_monitor contributors
 *
 * The secret of the hashes of API keys and sessions: 32 random bytes in the
 * file `salt` of the data directory.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_SALT_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_SALT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_LLM_MONITOR_SALT_LEN  32


/*
 * Reads it, and makes it if there is none; all workers that do so at the same
 * time get the same.  NGX_DECLINED (logged): salt is random, but it is of this
 * process only.
 */
ngx_int_t ngx_http_llm_monitor_salt(ngx_fd_t dirfd, ngx_str_t *dir,
    uint8_t *salt, ngx_log_t *log);


#endif /* _NGX_HTTP_LLM_MONITOR_SALT_H_INCLUDED_ */
