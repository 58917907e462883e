
/*
 * Copyright (C) llm_monitor contributors
 *
 * A row of the log as a record, and a record as JSON.
 */


#ifndef _LLM_ROW_H_INCLUDED_
#define _LLM_ROW_H_INCLUDED_


#include "llm_reader.h"
#include "../record/llm_json_write.h"
#include "../record/llm_record.h"


typedef struct {
    llm_record_t    record;
    int64_t         seq;
    llm_str_t       key;             /* 16 hex digits, then the tail */
} llm_row_t;


/*
 * Reads the row with this id; its strings are valid until the next call.
 * LLM_DECLINED: there is none; LLM_ERROR: the error is the connection's.
 */
int llm_row_read(llm_reader_t *reader, int64_t id, llm_row_t *row);

/* The fields of a record in a list, without the braces around them. */
void llm_row_json(const llm_row_t *row, llm_json_t *j);

/* The texts of `detail` that are JSON already; what is none becomes null. */
void llm_row_json_detail(const llm_row_t *row, llm_json_t *j);


#endif /* _LLM_ROW_H_INCLUDED_ */
