# What a request may look like when it reaches the API: where the location's
# directives end, how its body comes, and that a refusal leaves the connection
# in order.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    location /file/ { client_body_in_file_only on; llm_monitor_api; }
    location /read/ {
        llm_monitor_api read;
        if ($http_x) { set $any 1; }
        limit_except GET PUT { allow all; }
    }
    location /except/ {
        llm_monitor_api;
        limit_except GET { allow 127.0.0.1; deny all; }
    }
    location = /exact/api { llm_monitor_api; }
    location /break/ {
        llm_monitor_api;
        rewrite ^/break/api(.*)$ /elsewhere$1 break;
    }
    location /nested {
        location /nested/api { llm_monitor_api; }
    }
    location /nobody/ {
        llm_monitor_api;
        limit_except GET { deny all; }
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/requests;");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: "read" holds in an "if" and a limit_except of the location
--- pipelined_requests eval
[
    "DELETE /read/logs?all=1",
    "DELETE /read/logs?all=1",
    "PUT /read/recording\n{\"recording\":false}",
    "GET /read/recording"
]
--- more_headers eval
[ "", "X: 1", "X: 1", "X: 1" ]
--- error_code eval
[ 403, 403, 403, 200 ]
--- response_body_like eval
[ (qr/"code":"read_only"/) x 3, qr/^\{"recording":true\}$/ ]



=== TEST 2: limit_except says who may change, not that nobody may
--- request eval
[ "DELETE /except/logs?all=1", "GET /except/count" ]
--- error_code eval
[ 200, 200 ]
--- response_body_like eval
[ qr/^\{"deleted":\d+\}$/, qr/^\{"total":\d+\}$/ ]



=== TEST 3: or it does
--- request
DELETE /nobody/logs?all=1
--- error_code: 403
--- no_error_log
[alert]
[crit]



=== TEST 4: the body of a refused change is not the next request
--- pipelined_requests eval
[
    "PUT /monitor/api/recording\nGET / HTTP/1.0",
    "PUT /monitor/api/recording?x=1\nGET / HTTP/1.0",
    "GET /monitor/api/count"
]
--- more_headers eval
[ "Origin: http://other.example", "", "" ]
--- error_code eval
[ 403, 400, 200 ]
--- response_body_like eval
[ qr/"code":"cross_site"/, qr/"code":"bad_parameter"/, qr/^\{"total":\d+\}$/ ]



=== TEST 5: a body that comes in pieces
--- raw_request eval
[
    "PUT /monitor/api/recording HTTP/1.1\r\n"
    . "Host: localhost\r\nConnection: close\r\nContent-Length: 19\r\n\r\n"
    . "{\"recor",
    "ding\":false}"
]
--- raw_request_middle_delay: 0.1
--- response_body: {"recording":false}



=== TEST 6: in chunks
--- raw_request eval
[
    "PUT /monitor/api/recording HTTP/1.1\r\n"
    . "Host: localhost\r\nConnection: close\r\n"
    . "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"recor\r\n",
    "b\r\nding\":true}\r\n0\r\n\r\n"
]
--- raw_request_middle_delay: 0.1
--- response_body: {"recording":true}



=== TEST 7: where bodies are kept in files
--- request
PUT /file/recording
{"recording":true}
--- response_body: {"recording":true}



=== TEST 8: one that is too long, or is none
--- request eval
[
    "PUT /monitor/api/recording\n" . '{"recording":true' . " " x 5000 . "}",
    "PUT /monitor/api/recording\n" . '{"recording":true}' . "x",
    "PUT /monitor/api/recording"
]
--- error_code eval
[ 413, 400, 400 ]
--- response_body_like eval
[ qr/"too_large"/, qr/"parameter":"recording"/, qr/"parameter":"recording"/ ]



=== TEST 9: a large body that nobody asked for keeps the connection
--- pipelined_requests eval
[ "DELETE /monitor/api/logs?all=1\n" . "x" x 1000000, "GET /monitor/api/count" ]
--- error_code eval
[ 200, 200 ]
--- response_body_like eval
[ qr/^\{"deleted":\d+\}$/, qr/^\{"total":\d+\}$/ ]



=== TEST 10: what follows the location's path is the call
--- request eval
[ "GET /exact/api", "GET /exact/api/count", "GET /nested/api/count",
  "GET /nested/api/", "GET /break/count", "GET /break/api/count" ]
--- error_code eval
[ 200, 404, 200, 200, 200, 404 ]
--- response_body_like eval
[ qr/"logs":/, qr/404 Not Found/, qr/^\{"total":\d+\}$/, qr/"logs":/,
  qr/^\{"total":\d+\}$/, qr/^\{"error":\{"code":"not_found"/ ]
--- no_error_log
[alert]
[crit]



=== TEST 11: one that is too long and comes in chunks, in memory
--- raw_request eval
my $body = '{"recording":true' . " " x 5000 . "}";
"PUT /monitor/api/recording HTTP/1.1\r\nHost: localhost\r\n"
. "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
. sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body)
--- error_code: 413
--- response_body_like: "too_large"



=== TEST 12: one that is too long and comes in chunks, in a file
--- raw_request eval
my $body = '{"recording":true' . " " x 40000 . "}";
"PUT /monitor/api/recording HTTP/1.1\r\nHost: localhost\r\n"
. "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
. sprintf("%x\r\n%s\r\n0\r\n\r\n", length $body, $body)
--- error_code: 413
--- response_body_like: "too_large"
