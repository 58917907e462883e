
/*
 * Copyright (C) llm_monitor contributors
 *
 * What a client needs to know before it asks for anything else: what is
 * allowed here, and how the monitor itself does.  Nothing is read from the
 * database for it.
 */


#include "ngx_http_llm_monitor_call.h"
#include "../record/llm_json_write.h"


static void ngx_http_llm_monitor_about_self(llm_json_t *j,
    ngx_http_llm_monitor_main_conf_t *mcf);


ngx_int_t
ngx_http_llm_monitor_about(ngx_http_llm_monitor_call_t *call)
{
    llm_json_t                        j;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    static const char  *scopes[] = { NULL, "user", "account" };

    if (ngx_http_llm_monitor_filter(call, LLM_FOR_NOTHING) != LLM_OK) {
        return ngx_http_llm_monitor_error(call->request, &call->err, NULL);
    }

    lcf = call->lcf;

    llm_json_init(&j, &call->out);
    llm_json_open_object(&j);

    llm_json_key(&j, "version");
    llm_json_text(&j, NGX_HTTP_LLM_MONITOR_VERSION);

    llm_json_key(&j, "changes");
    llm_json_bool(&j, lcf->serve != NGX_HTTP_LLM_MONITOR_SERVE_API_READ);

    llm_json_key(&j, "scope");
    llm_json_text(&j, scopes[lcf->scope]);

    llm_json_key(&j, "monitor");

    if (lcf->scope == LLM_SCOPE_NONE) {
        ngx_http_llm_monitor_about_self(&j, call->mcf);

    } else {
        llm_json_null(&j);
    }

    llm_json_close_object(&j);

    if (call->out.failed != LLM_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->rc = LLM_OK;

    return ngx_http_llm_monitor_answer(call);
}


static void
ngx_http_llm_monitor_about_self(llm_json_t *j,
    ngx_http_llm_monitor_main_conf_t *mcf)
{
    int             i;
    uint64_t        used, room, dropped;
    llm_terms_t     terms;
    llm_control_t  *control;

    control = mcf->zone.control;

    ngx_http_llm_monitor_zone_terms(&mcf->zone, &terms);
    llm_ring_usage(&mcf->zone.ring, &used, &room);

    dropped = 0;

    for (i = 0; i < LLM_DROP_COUNT; i++) {
        dropped += terms.dropped[i];
    }

    llm_json_open_object(j);

    llm_json_key(j, "recording");
    llm_json_bool(j, ngx_http_llm_monitor_zone_recording(&mcf->zone));

    llm_json_key(j, "writer");
    llm_json_bool(j, __atomic_load_n(&control->writer_pid, __ATOMIC_RELAXED)
                     != 0);

    llm_json_key(j, "waiting");
    llm_json_int(j, terms.in_ring + terms.in_spool + terms.in_hand);

    llm_json_key(j, "dropped");
    llm_json_int(j, dropped);

    /* thousandths as a number from 0 to 1 */

    llm_json_key(j, "ring_used");
    llm_json_decimal(j, room ? used * 1000 / room : 0, 3);

    llm_json_key(j, "database_bytes");
    llm_json_int(j, __atomic_load_n(&control->db_bytes, __ATOMIC_RELAXED)
                    + __atomic_load_n(&control->wal_bytes,
                                      __ATOMIC_RELAXED));

    llm_json_close_object(j);
}
