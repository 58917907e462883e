
/*
 * Copyright (C) llm_monitor contributors
 *
 * One call of the API from the inside: what is asked, the part that runs in a
 * thread, and what becomes of its result.
 */


#ifndef _NGX_HTTP_LLM_MONITOR_CALL_H_INCLUDED_
#define _NGX_HTTP_LLM_MONITOR_CALL_H_INCLUDED_


#include "../ngx_http_llm_monitor_module.h"
#include "../store/llm_filter.h"


/* the largest answer but for downloads, bytes */
#define NGX_HTTP_LLM_MONITOR_ANSWER   (64 * 1024 * 1024)

/* ms for the rows of a list, and again for its total */
#define NGX_HTTP_LLM_MONITOR_BUDGET   500

/* ms for the other questions */
#define NGX_HTTP_LLM_MONITOR_LONGER   1000


typedef struct ngx_http_llm_monitor_call_s    ngx_http_llm_monitor_call_t;
typedef struct ngx_http_llm_monitor_reader_s  ngx_http_llm_monitor_reader_t;


struct ngx_http_llm_monitor_call_s {
    ngx_http_request_t                 *request;
    ngx_http_llm_monitor_main_conf_t   *mcf;
    ngx_http_llm_monitor_loc_conf_t    *lcf;

    ngx_str_t                          *route;

    /* from the path */
    int64_t                             id;
    llm_str_t                           name;
    int                                 response;   /* 0: request body */

    /*
     * In a thread, with nothing of nginx but this structure: LLM_OK with the
     * answer in out, or LLM_ERROR with err.
     */
    int                               (*run)(ngx_http_llm_monitor_call_t *);

    /* In the event loop; what it returns finalizes the request. */
    ngx_int_t                         (*done)(ngx_http_llm_monitor_call_t *);

    llm_str_t                           args;
    llm_str_t                           scope;      /* of llm_monitor_scope */
    int64_t                             now_ms;
    int64_t                             max_body;
    llm_reader_t                      **reader;     /* opened if NULL */
    llm_filter_t                       *filter;
    llm_buf_t                           out;
    llm_query_error_t                   err;
    int                                 rc;         /* of run */

    ngx_http_llm_monitor_reader_t      *slot;
#if (NGX_THREADS)
    ngx_thread_task_t                  *task;
#endif
    void                               *data;       /* of download, change */

    /* of a stream: makes the next slice; returns as done does */
    ngx_int_t                         (*next)(ngx_http_llm_monitor_call_t *);
    ngx_buf_t                          *buf;
    ngx_event_t                         retry;

    unsigned                            ready:1;
    unsigned                            patient:1;  /* waits for a thread */
};


/*
 * NGX_OK if the request may be answered here, else NGX_DECLINED with err.
 * The first is about who asks, the second about changes alone.
 */
ngx_int_t ngx_http_llm_monitor_access(ngx_http_request_t *r,
    llm_query_error_t *err);
ngx_int_t ngx_http_llm_monitor_access_change(ngx_http_request_t *r,
    llm_query_error_t *err);

/*
 * The call of a request, or NULL.  The module's context is not used for it:
 * that is where the filters look for an exchange to watch.
 */
ngx_http_llm_monitor_call_t *ngx_http_llm_monitor_call_get(
    ngx_http_request_t *r);

/*
 * Runs call->run in the thread pool and then call->done, which may ask for
 * another run.  Where there is no thread or no reader for it, a patient call
 * waits for them, another one is refused.  The caller returns what this
 * returns; the request holds a reference of its own for a call, taken before
 * the first run.
 */
ngx_int_t ngx_http_llm_monitor_task(ngx_http_llm_monitor_call_t *call);

/*
 * Sends call->out as a part of the answer, and calls call->next when the
 * client has taken it; last: that was all.  Returns as call->done does.
 */
ngx_int_t ngx_http_llm_monitor_stream(ngx_http_llm_monitor_call_t *call,
    ngx_uint_t last);

/* The write_event_handler of a request while its client has more to take. */
void ngx_http_llm_monitor_stream_writer(ngx_http_request_t *r);

/* Starts the first run and holds the request for it. */
ngx_int_t ngx_http_llm_monitor_start(ngx_http_llm_monitor_call_t *call);

/*
 * llm_monitor_scope: finds its value for the request of a call, in the event
 * loop.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_llm_monitor_scope(ngx_http_llm_monitor_call_t *call);

/* NGX_OK, or NGX_DECLINED with call->err: this location has a scope. */
ngx_int_t ngx_http_llm_monitor_unscoped(ngx_http_llm_monitor_call_t *call);

/*
 * For call->run: call->filter from the query string, in the location's scope.
 * Every question starts with it.  what: LLM_FOR_...; LLM_ERROR with call->err.
 */
int ngx_http_llm_monitor_filter(ngx_http_llm_monitor_call_t *call, int what);

/*
 * For call->run, after the filter: the exchanges in flight that are in its
 * scope, by their ids; to be freed.  LLM_ERROR with call->err.
 */
int ngx_http_llm_monitor_in_flight(ngx_http_llm_monitor_call_t *call,
    llm_live_facts_t **flights, size_t *n);

/* Opens or reopens the reader of a call; for call->run. */
int ngx_http_llm_monitor_reader(ngx_http_llm_monitor_call_t *call);

/* Handlers of the routes; they return what a content handler returns. */
ngx_int_t ngx_http_llm_monitor_download(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_recording(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_clear(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_alert_test(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_reprice(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_export(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_summary(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_stats(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_leaderboard(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_availability(
    ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_backup(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_facets(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_events(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_live(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_about(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_sessions(ngx_http_llm_monitor_call_t *call);
ngx_int_t ngx_http_llm_monitor_session(ngx_http_llm_monitor_call_t *call);

/*
 * Asks the writer for something of at most LLM_COMMAND_ARGS bytes, and answers
 * when it is done; what comes of a copy of the database is sent by the second.
 */
ngx_int_t ngx_http_llm_monitor_ask(ngx_http_llm_monitor_call_t *call, int op,
    const void *args, size_t len);
ngx_int_t ngx_http_llm_monitor_backup_send(ngx_http_llm_monitor_call_t *call,
    int64_t size);

/* Sends call->out as JSON, or call->err if call->rc is an error. */
ngx_int_t ngx_http_llm_monitor_answer(ngx_http_llm_monitor_call_t *call);

/*
 * NGX_OK, and the body is discarded, if the client may look at a location that
 * takes GET and HEAD alone; else NGX_DECLINED, it has its answer, and *rc is
 * what the content handler returns.
 */
ngx_int_t ngx_http_llm_monitor_look(ngx_http_request_t *r, ngx_int_t *rc);

/* Sends an answer; p and type must live as long as the request. */
ngx_int_t ngx_http_llm_monitor_reply(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, u_char *p, size_t len);

/* The same, with no header but those that describe the body. */
ngx_int_t ngx_http_llm_monitor_output(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, u_char *p, size_t len);

/* Sends an error as JSON; allow is for 405, else NULL. */
ngx_int_t ngx_http_llm_monitor_error(ngx_http_request_t *r,
    llm_query_error_t *err, ngx_str_t *allow);

/* Adds a header to the answer; value must live as long as the request. */
ngx_int_t ngx_http_llm_monitor_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value);

/* The headers of every answer: no cache keeps it, no browser guesses. */
ngx_int_t ngx_http_llm_monitor_headers(ngx_http_request_t *r);


#endif /* _NGX_HTTP_LLM_MONITOR_CALL_H_INCLUDED_ */
