
/*
 * Copyright (C) llm_monitor contributors
 *
 * In place of the table that ui/build.mjs makes, where there is no Node or
 * the page is not wanted.
 */


#include "ngx_http_llm_monitor_ui.h"


ngx_http_llm_monitor_ui_file_t  ngx_http_llm_monitor_ui_files[] = {
    { ngx_null_string, ngx_null_string,
      { ngx_null_string, ngx_null_string, ngx_null_string },
      { ngx_null_string, ngx_null_string, ngx_null_string } }
};

ngx_str_t  ngx_http_llm_monitor_ui_document[] = { ngx_null_string };

ngx_str_t  ngx_http_llm_monitor_ui_hash = ngx_null_string;
