
/*
 * Copyright (C) llm_monitor contributors
 *
 * Prints the message of the body on standard input: message PROTOCOL TYPE
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ngx_http_llm_monitor_module/extract/llm_message.h"


#define BODY  (20 * 1024 * 1024)


int
main(int argc, char **argv)
{
    int         rc;
    size_t      n;
    uint8_t    *body;
    llm_buf_t   out;
    llm_str_t   type;

    body = malloc(BODY);

    if (argc != 3 || body == NULL) {
        return 2;
    }

    n = fread(body, 1, BODY, stdin);

    type.data = (const uint8_t *) argv[2];
    type.len = strlen(argv[2]);

    llm_buf_init(&out, 4 * BODY);

    rc = llm_message_build(atoi(argv[1]), &type, body, n, &out);

    fwrite(out.data, 1, out.len, stdout);

    llm_buf_free(&out);
    free(body);

    return rc != 0;
}
