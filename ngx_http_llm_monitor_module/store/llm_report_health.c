
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_report_parts.h"


int
llm_report_availability(llm_reader_t *reader, const llm_report_t *r,
    llm_json_t *j, llm_query_error_t *err)
{
    return LLM_OK;
}
