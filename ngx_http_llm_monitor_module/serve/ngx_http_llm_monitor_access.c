
/*
 * Copyright (C) llm_monitor contributors
 *
 * Who may ask.  Without llm_monitor_remote only clients of this machine may,
 * and only under a name that no foreign page can point at it: a browser that
 * was tricked by DNS into sending a page's request here still says its name
 * in Host.  Changes are refused to pages of other sites in any case.
 */


#include "ngx_http_llm_monitor_api.h"
#include "ngx_http_llm_monitor_call.h"


#define NGX_HTTP_LLM_MONITOR_LOOPBACK  127


/* the names of a server that clients may use; strings of the configuration */

typedef struct {
    ngx_http_core_srv_conf_t  *server;
    ngx_array_t                names;          /* ngx_str_t */
} ngx_http_llm_monitor_hosts_t;


static ngx_uint_t ngx_http_llm_monitor_local_peer(ngx_http_request_t *r);
static ngx_uint_t ngx_http_llm_monitor_local_addr(struct sockaddr *sa);
static ngx_uint_t ngx_http_llm_monitor_forwarded(ngx_http_request_t *r);
static ngx_uint_t ngx_http_llm_monitor_local_host(ngx_http_request_t *r);
static ngx_uint_t ngx_http_llm_monitor_server_name(ngx_http_request_t *r,
    ngx_str_t *host);
static ngx_uint_t ngx_http_llm_monitor_same_name(ngx_str_t *name,
    ngx_str_t *host);
static ngx_table_elt_t *ngx_http_llm_monitor_find_header(
    ngx_http_request_t *r, ngx_list_part_t **part, ngx_uint_t *i, char *name);
static ngx_uint_t ngx_http_llm_monitor_same_origin(ngx_http_request_t *r,
    ngx_str_t *origin);


ngx_int_t
ngx_http_llm_monitor_access(ngx_http_request_t *r, llm_query_error_t *err)
{
    const char                       *why;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);

    if (lcf->remote) {
        return NGX_OK;
    }

    if (!ngx_http_llm_monitor_local_addr(r->connection->sockaddr)
        || !ngx_http_llm_monitor_local_peer(r))
    {
        why = "only local clients are answered here";

    } else if (ngx_http_llm_monitor_forwarded(r)) {
        why = "forwarded requests are not answered here";

    } else if (!ngx_http_llm_monitor_local_host(r)) {
        why = "this Host is not answered here";

    } else {
        return NGX_OK;
    }

    (void) llm_query_fail(err, NGX_HTTP_FORBIDDEN, "forbidden", NULL,
                          "%s, see llm_monitor_remote", why);

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_llm_monitor_access_change(ngx_http_request_t *r,
    llm_query_error_t *err)
{
    ngx_uint_t                        i;
    ngx_list_part_t                  *part;
    ngx_table_elt_t                  *h;
    ngx_http_llm_monitor_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_llm_monitor_module);

    if (lcf->serve == NGX_HTTP_LLM_MONITOR_SERVE_API_READ) {
        (void) llm_query_fail(err, NGX_HTTP_FORBIDDEN, "read_only", NULL,
                              "changes are not allowed here");
        return NGX_DECLINED;
    }

    part = NULL;

    while ((h = ngx_http_llm_monitor_find_header(r, &part, &i,
                                                 "sec-fetch-site"))
           != NULL)
    {
        if ((h->value.len == sizeof("same-origin") - 1
             && ngx_strncmp(h->value.data, "same-origin", h->value.len) == 0)
            || (h->value.len == sizeof("none") - 1
                && ngx_strncmp(h->value.data, "none", h->value.len) == 0))
        {
            continue;
        }

        goto refused;
    }

    part = NULL;

    while ((h = ngx_http_llm_monitor_find_header(r, &part, &i, "origin"))
           != NULL)
    {
        if (!ngx_http_llm_monitor_same_origin(r, &h->value)) {
            goto refused;
        }
    }

    return NGX_OK;

refused:

    (void) llm_query_fail(err, NGX_HTTP_FORBIDDEN, "cross_site", NULL,
                          "changes from other sites are not allowed");

    return NGX_DECLINED;
}


/* the socket's peer, which realip keeps in a variable of its own */

static ngx_uint_t
ngx_http_llm_monitor_local_peer(ngx_http_request_t *r)
{
    ngx_str_t                   text;
    ngx_addr_t                  addr;
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  name = ngx_string("realip_remote_addr");

    key = ngx_hash_key(name.data, name.len);

    v = ngx_http_get_variable(r, &name, key);

    if (v == NULL) {
        return 0;
    }

    if (v->not_found || !v->valid) {

        /* no realip: the address is the peer's */

        return 1;
    }

    text.data = v->data;
    text.len = v->len;

    if (text.len >= 5 && ngx_strncmp(text.data, "unix:", 5) == 0) {
        return 1;
    }

    if (ngx_parse_addr(r->pool, &addr, text.data, text.len) != NGX_OK) {
        return 0;
    }

    return ngx_http_llm_monitor_local_addr(addr.sockaddr);
}


static ngx_uint_t
ngx_http_llm_monitor_local_addr(struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    u_char               *p;
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        p = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            return p[12] == NGX_HTTP_LLM_MONITOR_LOOPBACK;
        }

        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr) ? 1 : 0;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        return ntohl(sin->sin_addr.s_addr) >> 24
               == NGX_HTTP_LLM_MONITOR_LOOPBACK;

    default:
        return 0;
    }
}


/*
 * A proxy on this machine speaks for somebody else, in a header or in the
 * PROXY protocol.
 */

static ngx_uint_t
ngx_http_llm_monitor_forwarded(ngx_http_request_t *r)
{
    ngx_str_t        *text;
    ngx_uint_t        i, n;
    ngx_addr_t        addr;
    ngx_list_part_t  *part;

    static char  *names[] = { "forwarded", "x-forwarded-for", "x-real-ip" };

    if (r->connection->proxy_protocol) {
        text = &r->connection->proxy_protocol->src_addr;

        if (ngx_parse_addr(r->pool, &addr, text->data, text->len) != NGX_OK
            || !ngx_http_llm_monitor_local_addr(addr.sockaddr))
        {
            return 1;
        }
    }

    for (n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        part = NULL;

        if (ngx_http_llm_monitor_find_header(r, &part, &i, names[n])
            != NULL)
        {
            return 1;
        }
    }

    return 0;
}


/* nginx has made the name lower case and has taken its port away */

static ngx_uint_t
ngx_http_llm_monitor_local_host(ngx_http_request_t *r)
{
    in_addr_t   addr;
    ngx_str_t  *host;

    static ngx_str_t  local = ngx_string("localhost");
    static ngx_str_t  suffix = ngx_string(".localhost");
    static ngx_str_t  loop6 = ngx_string("[::1]");

    host = &r->headers_in.server;

    if (host->len == 0) {
        return 0;
    }

    if ((host->len == local.len
         && ngx_strncmp(host->data, local.data, local.len) == 0)
        || (host->len == loop6.len
            && ngx_strncmp(host->data, loop6.data, loop6.len) == 0)
        || (host->len > suffix.len
            && ngx_strncmp(host->data + host->len - suffix.len, suffix.data,
                           suffix.len)
               == 0))
    {
        return 1;
    }

    addr = ngx_inet_addr(host->data, host->len);

    if (addr != INADDR_NONE) {
        addr = ntohl(addr);

        if (addr >> 24 == NGX_HTTP_LLM_MONITOR_LOOPBACK) {
            return 1;
        }
    }

    return ngx_http_llm_monitor_server_name(r, host);
}


static ngx_uint_t
ngx_http_llm_monitor_server_name(ngx_http_request_t *r, ngx_str_t *host)
{
    ngx_str_t                         *name;
    ngx_uint_t                         i, n;
    ngx_http_core_srv_conf_t          *cscf;
    ngx_http_llm_monitor_hosts_t      *hosts;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_llm_monitor_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    if (mcf->hosts == NULL) {
        return 0;
    }

    hosts = mcf->hosts->elts;

    for (i = 0; i < mcf->hosts->nelts; i++) {

        if (hosts[i].server != cscf) {
            continue;
        }

        name = hosts[i].names.elts;

        for (n = 0; n < hosts[i].names.nelts; n++) {

            if (ngx_http_llm_monitor_same_name(&name[n], host)) {
                return 1;
            }
        }
    }

    return 0;
}


/* name, *.name, .name or name.*, as server_name means them */

static ngx_uint_t
ngx_http_llm_monitor_same_name(ngx_str_t *name, ngx_str_t *host)
{
    u_char  *p;
    size_t   len;

    p = name->data;
    len = name->len;

    if (p[0] == '.'
        && host->len == len - 1
        && ngx_strncmp(host->data, p + 1, len - 1) == 0)
    {
        return 1;
    }

    if (p[0] == '*') {
        p++;
        len--;
    }

    if (p[0] == '.') {
        return host->len > len
               && ngx_strncmp(host->data + host->len - len, p, len) == 0;
    }

    if (p[len - 1] == '*') {
        len--;

        return host->len > len && ngx_strncmp(host->data, p, len) == 0;
    }

    return host->len == len && ngx_strncmp(host->data, p, len) == 0;
}


/* *part NULL: the first one, then the next ones */

static ngx_table_elt_t *
ngx_http_llm_monitor_find_header(ngx_http_request_t *r,
    ngx_list_part_t **part, ngx_uint_t *i, char *name)
{
    size_t            len;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    if (*part == NULL) {
        *part = &r->headers_in.headers.part;
        *i = 0;
    }

    for ( ;; ) {

        if (*i >= (*part)->nelts) {

            if ((*part)->next == NULL) {
                return NULL;
            }

            *part = (*part)->next;
            *i = 0;
            continue;
        }

        h = (ngx_table_elt_t *) (*part)->elts + (*i)++;

        if (h->key.len == len
            && ngx_strncasecmp(h->key.data, (u_char *) name, len) == 0)
        {
            return h;
        }
    }
}


/* the host and port of Origin are those of Host; "null" has none */

static ngx_uint_t
ngx_http_llm_monitor_same_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *host;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    host = &r->headers_in.host->value;

    p = ngx_strlchr(origin->data, origin->data + origin->len, ':');

    if (p == NULL || origin->data + origin->len - p < 4
        || p[1] != '/' || p[2] != '/')
    {
        return 0;
    }

    p += 3;
    len = origin->data + origin->len - p;

    return len == host->len && ngx_strncasecmp(p, host->data, len) == 0;
}


ngx_int_t
ngx_http_llm_monitor_api_init(ngx_conf_t *cf)
{
    ngx_str_t                         *s;
    ngx_uint_t                         i, n;
    ngx_http_server_name_t            *name;
    ngx_http_core_srv_conf_t         **cscfp;
    ngx_http_core_main_conf_t         *cmcf;
    ngx_http_llm_monitor_hosts_t      *hosts;
    ngx_http_llm_monitor_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_llm_monitor_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    mcf->hosts = ngx_array_create(cf->pool, cmcf->servers.nelts + 1,
                                  sizeof(ngx_http_llm_monitor_hosts_t));
    if (mcf->hosts == NULL) {
        return NGX_ERROR;
    }

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        hosts = ngx_array_push(mcf->hosts);
        if (hosts == NULL) {
            return NGX_ERROR;
        }

        hosts->server = cscfp[i];

        if (ngx_array_init(&hosts->names, cf->pool, 4, sizeof(ngx_str_t))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        name = cscfp[i]->server_names.elts;

        for (n = 0; n < cscfp[i]->server_names.nelts; n++) {

#if (NGX_PCRE)
            if (name[n].regex) {
                continue;
            }
#endif

            if (name[n].name.len == 0
                || (name[n].name.len == 1 && name[n].name.data[0] == '_'))
            {
                continue;
            }

            s = ngx_array_push(&hosts->names);
            if (s == NULL) {
                return NGX_ERROR;
            }

            *s = name[n].name;
        }
    }

    return NGX_OK;
}
