
/*
 * Copyright (C) llm_monitor contributors
 *
 * The $llm_* variables: views of the finished record.
 */


#include "ngx_http_llm_monitor_ctx.h"


/* bytes of a number with its point */
#define NGX_HTTP_LLM_MONITOR_NUMBER_LEN  (NGX_INT64_LEN + 1)

/* nano dollars have nine decimals */
#define NGX_HTTP_LLM_MONITOR_NANO        1000000000


typedef enum {
    NGX_HTTP_LLM_MONITOR_STR = 0,
    NGX_HTTP_LLM_MONITOR_NUM,
    NGX_HTTP_LLM_MONITOR_WORD,          /* the contract's word for a number */
    NGX_HTTP_LLM_MONITOR_SECONDS,       /* of microseconds, as nginx's times */
    NGX_HTTP_LLM_MONITOR_DOLLARS,
    NGX_HTTP_LLM_MONITOR_ID             /* given by the first who asks */
} ngx_http_llm_monitor_kind_e;


typedef struct {
    ngx_str_t                      name;
    ngx_http_llm_monitor_kind_e    kind;
    ngx_uint_t                     field;       /* LLM_N_* or LLM_S_* */
    const char                  *(*word)(int64_t v);
} ngx_http_llm_monitor_variable_t;


static ngx_int_t ngx_http_llm_monitor_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_llm_monitor_ended(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r);
static ngx_int_t ngx_http_llm_monitor_variable_early(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_llm_monitor_variable_t *lv);
static ngx_int_t ngx_http_llm_monitor_variable_early_number(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_llm_monitor_variable_t *lv,
    llm_exchange_live_t *live);
static ngx_int_t ngx_http_llm_monitor_variable_early_text(
    ngx_http_llm_monitor_ctx_t *ctx, ngx_http_request_t *r, ngx_uint_t field,
    llm_exchange_live_t *live, ngx_str_t *value);
static ngx_int_t ngx_http_llm_monitor_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_llm_monitor_variable_t *lv,
    int64_t number);


static ngx_http_llm_monitor_variable_t  ngx_http_llm_monitor_variables[] = {

    { ngx_string("llm_id"), NGX_HTTP_LLM_MONITOR_ID, LLM_N_ID, NULL },

    { ngx_string("llm_protocol"), NGX_HTTP_LLM_MONITOR_WORD,
      LLM_N_PROTOCOL, llm_protocol_name },

    { ngx_string("llm_provider"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_PROVIDER, NULL },

    { ngx_string("llm_operation"), NGX_HTTP_LLM_MONITOR_WORD,
      LLM_N_OPERATION, llm_operation_name },

    { ngx_string("llm_endpoint"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_ENDPOINT, NULL },

    { ngx_string("llm_url"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_URL, NULL },

    { ngx_string("llm_model"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_MODEL, NULL },

    { ngx_string("llm_response_model"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_RESPONSE_MODEL, NULL },

    { ngx_string("llm_stream"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_STREAM, NULL },

    { ngx_string("llm_account"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_ACCOUNT, NULL },

    { ngx_string("llm_user"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_USER, NULL },

    { ngx_string("llm_session"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_SESSION, NULL },

    { ngx_string("llm_user_agent"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_USER_AGENT, NULL },

    { ngx_string("llm_input_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_INPUT_TOKENS, NULL },

    { ngx_string("llm_output_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_OUTPUT_TOKENS, NULL },

    { ngx_string("llm_cache_read_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_CACHE_READ_TOKENS, NULL },

    { ngx_string("llm_cache_creation_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_CACHE_CREATION_TOKENS, NULL },

    { ngx_string("llm_reasoning_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_REASONING_TOKENS, NULL },

    { ngx_string("llm_total_tokens"), NGX_HTTP_LLM_MONITOR_NUM,
      LLM_N_TOTAL_TOKENS, NULL },

    { ngx_string("llm_cost"), NGX_HTTP_LLM_MONITOR_DOLLARS,
      LLM_N_COST_NANO, NULL },

    { ngx_string("llm_ttft"), NGX_HTTP_LLM_MONITOR_SECONDS,
      LLM_N_TTFT_US, NULL },

    { ngx_string("llm_finish_reason"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_FINISH_REASON, NULL },

    { ngx_string("llm_outcome"), NGX_HTTP_LLM_MONITOR_WORD,
      LLM_N_OUTCOME, llm_outcome_name },

    { ngx_string("llm_error_type"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_ERROR_TYPE, NULL },

    { ngx_string("llm_error"), NGX_HTTP_LLM_MONITOR_STR,
      LLM_S_ERROR, NULL },

    { ngx_null_string, NGX_HTTP_LLM_MONITOR_STR, 0, NULL }
};


ngx_int_t
ngx_http_llm_monitor_variables_add(ngx_conf_t *cf)
{
    ngx_uint_t                        i;
    ngx_http_variable_t              *var;
    ngx_http_llm_monitor_variable_t  *lv;

    lv = ngx_http_llm_monitor_variables;

    for (i = 0; lv[i].name.len; i++) {

        var = ngx_http_add_variable(cf, &lv[i].name,
                                    NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = ngx_http_llm_monitor_variable;
        var->data = i;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    llm_record_t                     *rec;
    ngx_http_llm_monitor_ctx_t       *ctx;
    ngx_http_llm_monitor_variable_t  *lv;

    r = r->main;
    lv = &ngx_http_llm_monitor_variables[data];

    /* a request that nginx gave up in its head is seen by its log alone */

    ctx = r->count ? ngx_http_llm_monitor_ctx(r)
                   : ngx_http_llm_monitor_watch(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (!ngx_http_llm_monitor_ended(ctx, r)) {

        /*
         * access_log takes what an earlier read has left, cacheable or not,
         * so that an early read leaves nothing: empty, but not found out
         */

        v->len = 0;
        v->data = (u_char *) "";
        v->valid = 0;
        v->not_found = 0;

        return ngx_http_llm_monitor_variable_early(ctx, r, v, lv);
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    rec = ngx_http_llm_monitor_finish(ctx, r);

    if (rec == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (lv->kind == NGX_HTTP_LLM_MONITOR_STR) {

        if (rec->str[lv->field].len == 0) {
            v->not_found = 1;
            return NGX_OK;
        }

        v->data = (u_char *) rec->str[lv->field].data;
        v->len = rec->str[lv->field].len;

        return NGX_OK;
    }

    if (lv->kind == NGX_HTTP_LLM_MONITOR_ID
        && rec->num[LLM_N_ID] == LLM_NULL)
    {
        rec->num[LLM_N_ID] =
                         ngx_http_llm_monitor_zone_id(&ctx->mcf->zone,
                                                  rec->num[LLM_N_TIMESTAMP]);
    }

    return ngx_http_llm_monitor_variable_number(r, v, lv,
                                                rec->num[lv->field]);
}


/*
 * What add_header and the like may have before the end: the id, what the
 * request says, and whose account the upstream used.  Of the configuration
 * only what is no variable: asking for one would freeze what it is now.
 */

static ngx_int_t
ngx_http_llm_monitor_variable_early(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_http_llm_monitor_variable_t *lv)
{
    llm_str_t            s;
    ngx_int_t            rc;
    ngx_str_t            value;
    llm_exchange_live_t  live;

    if (ctx->exchange == NULL || ctx->request_head.path.len == 0) {
        return NGX_OK;
    }

    llm_exchange_live(ctx->exchange, &live);

    if (lv->kind == NGX_HTTP_LLM_MONITOR_STR) {
        rc = ngx_http_llm_monitor_variable_early_text(ctx, r, lv->field, &live,
                                                      &value);

        if (rc == NGX_OK
            && ngx_http_llm_monitor_text(r, &value, &s) == NGX_OK)
        {
            v->data = (u_char *) s.data;
            v->len = s.len;
        }

        return NGX_OK;
    }

    rc = ngx_http_llm_monitor_variable_early_number(ctx, r, v, lv, &live);

    v->valid = 0;
    v->not_found = 0;

    return rc;
}


static ngx_int_t
ngx_http_llm_monitor_variable_early_number(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_http_llm_monitor_variable_t *lv, llm_exchange_live_t *live)
{
    switch (lv->field) {

    case LLM_N_ID:
        return ngx_http_llm_monitor_variable_number(r, v, lv,
                                           ngx_http_llm_monitor_early_id(ctx));

    case LLM_N_PROTOCOL:
        return ngx_http_llm_monitor_variable_number(r, v, lv, live->protocol);

    case LLM_N_OPERATION:
        return ngx_http_llm_monitor_variable_number(r, v, lv, live->operation);

    case LLM_N_STREAM:

        if (ctx->response) {
            return ngx_http_llm_monitor_variable_number(r, v, lv,
                                                        live->stream);
        }

        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_llm_monitor_variable_early_text(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r, ngx_uint_t field, llm_exchange_live_t *live,
    ngx_str_t *value)
{
    llm_str_t                        *s;
    ngx_str_t                        *name;
    ngx_http_complex_value_t         *cv;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ctx->lcf;
    name = NULL;

    switch (field) {

    case LLM_S_ENDPOINT:
        s = &live->endpoint;
        cv = NULL;
        break;

    case LLM_S_MODEL:
        s = &live->model;
        cv = NULL;
        break;

    case LLM_S_SESSION:
        s = &live->session;
        cv = lcf->session;
        break;

    case LLM_S_ACCOUNT:
        s = &live->account;
        cv = s->len ? NULL : lcf->account;
        break;

    case LLM_S_USER:
        s = &live->user;
        cv = lcf->user;

        if (cv == NULL && ngx_http_auth_basic_user(r) == NGX_OK
            && r->headers_in.user.len)
        {
            name = &r->headers_in.user;
        }

        break;

    case LLM_S_PROVIDER:
        s = NULL;
        cv = lcf->provider;
        name = ngx_http_llm_monitor_upstream_name(r);
        break;

    default:
        return NGX_DECLINED;
    }

    if (cv) {

        if (cv->lengths) {
            return NGX_DECLINED;
        }

        if (cv->value.len) {
            name = &cv->value;
        }
    }

    if (name) {
        *value = *name;
        return NGX_OK;
    }

    if (s == NULL) {
        return NGX_DECLINED;
    }

    value->data = (u_char *) s->data;
    value->len = s->len;

    return NGX_OK;
}


/*
 * Nothing more of the response will come: all of it was sent, or the request
 * is finalized, or its log phase is running.
 */

static ngx_uint_t
ngx_http_llm_monitor_ended(ngx_http_llm_monitor_ctx_t *ctx,
    ngx_http_request_t *r)
{
    return ctx->record || ctx->end || r->done || r->count == 0;
}


static ngx_int_t
ngx_http_llm_monitor_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_http_llm_monitor_variable_t *lv,
    int64_t number)
{
    u_char      *p;
    const char  *word;

    if (lv->kind == NGX_HTTP_LLM_MONITOR_WORD) {
        word = lv->word(number);

        if (word == NULL) {
            v->not_found = 1;
            return NGX_OK;
        }

        v->data = (u_char *) word;
        v->len = ngx_strlen(word);

        return NGX_OK;
    }

    if (number == LLM_NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_HTTP_LLM_MONITOR_NUMBER_LEN);

    if (v->data == NULL) {
        return NGX_ERROR;
    }

    switch (lv->kind) {

    case NGX_HTTP_LLM_MONITOR_SECONDS:
        p = ngx_sprintf(v->data, "%L.%03L", number / 1000000,
                        number / 1000 % 1000);
        break;

    case NGX_HTTP_LLM_MONITOR_DOLLARS:
        p = ngx_sprintf(v->data, "%L.%09L",
                        number / NGX_HTTP_LLM_MONITOR_NANO,
                        number % NGX_HTTP_LLM_MONITOR_NANO);
        break;

    default:
        p = ngx_sprintf(v->data, "%L", number);
        break;
    }

    v->len = p - v->data;

    return NGX_OK;
}
