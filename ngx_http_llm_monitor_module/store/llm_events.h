
/*
 * Copyright (C) llm_monitor contributors
 *
 * Finished records as server-sent events, a slice at a time.  Rows are read
 * from the database in the order of their commit, so that the filters are
 * those of a list and nothing is lost between two slices; records that make no
 * rows come from the feed in shared memory.
 */


#ifndef _LLM_EVENTS_H_INCLUDED_
#define _LLM_EVENTS_H_INCLUDED_


#include "llm_query.h"
#include "../ring/llm_feed.h"


/* bytes after which a slice ends */
#define LLM_EVENTS_SLICE   (64 * 1024)


typedef struct llm_events_s  llm_events_t;


/*
 * The events that pass the filter, which must outlive them.  after: the seq of
 * the last record that is known, LLM_NULL: what comes from now on.
 */
int llm_events_create(llm_events_t **ev, const llm_filter_t *f,
    int64_t after, const llm_feed_t *feed, llm_query_error_t *err);
void llm_events_free(llm_events_t *ev);

/*
 * Appends a slice, perhaps of nothing; seq is that of the newest row as the
 * writer said before.  LLM_AGAIN: there is more; LLM_OK: that is all there is
 * now; LLM_ERROR with err.
 */
int llm_events_slice(llm_events_t *ev, llm_reader_t *reader, int64_t seq,
    llm_buf_t *out, llm_query_error_t *err);

/*
 * The next slice passes over what there is by now, and says so in an event of
 * the type "gap".
 */
void llm_events_skip(llm_events_t *ev);

/* Without the database: 1 if there may be more, by what the writer says. */
int llm_events_due(const llm_events_t *ev, int64_t seq);

/* Appends a comment that keeps the connection, and the place reached. */
void llm_events_beat(const llm_events_t *ev, llm_buf_t *out);


#endif /* _LLM_EVENTS_H_INCLUDED_ */
