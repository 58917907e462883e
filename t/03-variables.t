# $llm_* are views of the finished record.  access_log runs before the module's
# own log handler, so the first read after the end of the response finishes the
# facts; a read before it must find nothing and must freeze nothing.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(2);
no_shuffle();
log_level('debug');

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(http_config =>
        'llm_monitor_path $TEST_NGINX_SERVER_ROOT/llm_monitor_temp ring=1m;'
        . "\n" . ($block->http_config // ''));

});


our $json = '{"id":"c1","object":"chat.completion","model":"m2",'
            . '"choices":[{"index":0,"message":{"role":"assistant",'
            . '"content":"Hi"},"finish_reason":"stop"}],"usage":'
            . '{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,'
            . '"prompt_tokens_details":{"cached_tokens":6},'
            . '"completion_tokens_details":{"reasoning_tokens":1}}}';

run_tests();

__DATA__

=== TEST 1: what the traffic says
--- http_config
    upstream prov { server 127.0.0.1:$TEST_NGINX_SERVER_PORT; }
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://prov/up;
        post_action /told;
    }
    location = /told {
        internal;
        proxy_set_body "$llm_protocol $llm_provider $llm_operation $llm_model $llm_response_model $llm_stream $llm_input_tokens $llm_output_tokens $llm_cache_read_tokens $llm_reasoning_tokens $llm_total_tokens $llm_finish_reason $llm_outcome [$llm_error_type][$llm_account]";
        proxy_method POST;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location = /up {
        default_type application/json;
        return 200 '{"id":"c1","object":"chat.completion","model":"m2","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":1}}}';
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
qr/\r\n\r\nopenai prov chat m1 m2 0 10 4 6 1 14 stop success \[\]\[\]$/
--- tcp_reply eval
"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
--- request
POST /v1/chat/completions
{"model":"m1","messages":[{"role":"user","content":"x"}]}
--- response_body eval
$::json
--- wait: 0.2
--- no_error_log
[alert]



=== TEST 2: read too early
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        set $early "[$llm_model]";
        add_header X-Early "$early$llm_outcome.";
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{"model":"m2"}';
    }
    location = /l.log {
    }
--- http_config
    log_format llm '$status $llm_model $llm_outcome $llm_error_type';
--- pipelined_requests eval
["POST /v1/chat/completions\n" . '{"model":"m1","messages":[]}',
 "GET /l.log"]
--- response_headers eval
["X-Early: [].", ""]
--- response_body_like eval
['^\{"model":"m2"\}$', '^(200 m1 success -\n)+$']
--- no_error_log
[alert]



=== TEST 3: what the configuration says, with the words of the first location
--- http_config
    log_format llm '$status $llm_user|$llm_account|$llm_session|$llm_provider';
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        llm_monitor_user "u-$http_x_u";
        llm_monitor_account "a-$status-$upstream_http_x_acc";
        llm_monitor_session $http_x_sess;
        llm_monitor_provider "p-$http_x_u";
        proxy_intercept_errors on;
        error_page 429 /page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /page {
        llm_monitor_user "other";
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        return 200 "page";
    }
    location = /up {
        add_header X-Acc "yes" always;
        return 429 '{}';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["POST /v1/chat/completions\n" . '{"model":"m1","messages":[]}',
 "GET /l.log"]
--- more_headers
X-Sess: s-1
X-U: 1
--- error_code eval
[429, 200]
--- response_body_like eval
['^page$', '^(429 u-1\|a-429-yes\|s-1\|p-1\n)+$']
--- no_error_log
[alert]



=== TEST 4: the account that the upstream names, hidden and on an error
--- http_config
    log_format llm '$status $llm_account $llm_user';
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        llm_monitor_account "conf";
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        proxy_hide_header X-Account-Email;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        add_header X-Account-Email "a@b.c" always;
        return 401 '{}';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["POST /v1/chat/completions\n" . '{"model":"m1","user":"body"}',
 "GET /l.log"]
--- more_headers
X-Account-Email: spoofed
--- error_code eval
[401, 200]
--- response_headers eval
["!X-Account-Email", ""]
--- response_body_like eval
['^\{\}$', '^(401 a@b\.c body\n)+$']
--- no_error_log
[alert]



=== TEST 5: $remote_user goes before the body's user
--- http_config
    log_format llm '$llm_user';
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        return 200 'x';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["POST /v1/chat/completions\n" . '{"model":"m1","user":"body"}',
 "GET /l.log"]
--- more_headers
Authorization: Basic YWxpY2U6eA==
--- response_body_like eval
['^x$', '^(alice\n)+$']
--- no_error_log
[alert]



=== TEST 6: $llm_id is a number, and not the same one twice
--- http_config
    log_format llm '$llm_id';
--- config
    location = /v1/models {
        llm_monitor on;
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        return 200 'x';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["GET /v1/models", "GET /v1/models", "GET /l.log"]
--- response_body_like eval
['^x$', '^x$', '^(?:(\d{15,19})\n(?!\1\n))+$']
--- no_error_log
[alert]



=== TEST 7: where nothing is watched
--- http_config
    log_format llm '$status [$llm_model][$llm_id]';
--- config
    location = /v1/models {
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        return 200 'x';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["GET /v1/models", "GET /l.log"]
--- response_body_like eval
['^x$', '^(200 \[-\]\[-\]\n)+$']
--- no_error_log
[alert]



=== TEST 8: a request that comes in pieces
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
        post_action /told;
    }
    location = /told {
        internal;
        proxy_set_body "$llm_model $llm_session";
        proxy_method POST;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location = /up {
        return 200 '{}';
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
qr/\r\n\r\nm1 s-1$/
--- tcp_reply eval
"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
--- raw_request eval
["POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"mod",
 "el\":\"m1\",\"sess", "ion_id\":\"s-1\"}"]
--- raw_request_middle_delay: 0.1
--- response_body: {}
--- wait: 0.2
--- grep_error_log eval
qr/llm monitor record \d+: \K[^\n]*/
--- grep_error_log_out
200 success, request stored, response stored
--- no_error_log
[alert]



=== TEST 9: an answer between two pieces of the request
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_request_buffering off;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
        post_action /told;
    }
    location = /told {
        internal;
        proxy_set_body "$llm_model $llm_session";
        proxy_method POST;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location = /up {
        return 200 '{}';
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_query eval
qr/\r\n\r\nm1 $/
--- tcp_reply eval
"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
--- raw_request eval
["POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: 33\r\n\r\n"
 . "{\"model\":\"m1\",\"sess", "ion_id\":\"s-1\"}"]
--- steps eval: [ qr/\r\n\r\n.*\{\}/s ]
--- response_body: {}
--- wait: 0.2
--- grep_error_log eval
qr/llm monitor record \d+: \K[^\n]*/
--- grep_error_log_out
200 success, request stored, response stored
--- no_error_log
[alert]



=== TEST 10: what is known when the head of the answer is made
--- http_config
    upstream prov { server 127.0.0.1:$TEST_NGINX_SERVER_PORT; }
    log_format llm '$status $llm_model $llm_stream $llm_account $llm_provider $llm_outcome $llm_input_tokens';
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        llm_monitor_user "u";
        add_header X-Early "$llm_protocol $llm_provider $llm_operation $llm_model $llm_stream $llm_account $llm_user $llm_session [$llm_outcome$llm_input_tokens]";
        add_header X-Id "$llm_id";
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        proxy_pass http://prov/up;
    }
    location = /up {
        default_type application/json;
        add_header X-Account-Email "a@b.c";
        return 200 '{"model":"m2","usage":{"prompt_tokens":10}}';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["POST /v1/chat/completions\n" . '{"model":"m\r\n1","session_id":"s-1"}',
 "GET /l.log"]
--- response_headers_like eval
["X-Early: openai prov chat m1 0 a\@b\\.c u s-1 \\[\\]\nX-Id: \\d{15,19}", ""]
--- response_body_like eval
['"m2"', '^(200 m1 0 a@b\.c prov success 10\n)+$']
--- no_error_log
[alert]



=== TEST 11: the id in a header is that of the log
--- http_config
    log_format llm '$llm_id $sent_http_x_id';
--- config
    location = /v1/models {
        llm_monitor on;
        add_header X-Id "$llm_id";
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        return 200 'x';
    }
    location = /l.log {
    }
--- pipelined_requests eval
["GET /v1/models", "GET /l.log"]
--- response_body_like eval
['^x$', '^((\d{15,19}) \2\n)+$']
--- no_error_log
[alert]
