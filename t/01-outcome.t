# One record for one request, whatever happened to it, and how it is said to
# have ended.  Each block is one way in which nginx leaves a request behind.
#
# The record is read from the module's debug line: the way from there to the
# database has tests of its own.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(2);
no_shuffle();
log_level('debug');

add_block_preprocessor(sub {
    my $block = shift;

    # the client has its answer before nginx logs

    $block->set_value(wait => 0.1) if !defined $block->wait;

    $block->set_value(http_config =>
        'llm_monitor_path $TEST_NGINX_SERVER_ROOT/llm_monitor_temp ring=1m;'
        . "\n" . ($block->http_config // ''));

    if (defined $block->record) {
        $block->set_value(grep_error_log =>
            qr/llm monitor record \d+: \K\w+ \w+/);
        $block->set_value(grep_error_log_out => $block->record);
    }
});

our $sse = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
           . "Transfer-Encoding: chunked\r\n\r\n";
our $chunk = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\","
             . "\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":"
             . "{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";
our $done = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\","
            . "\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{},"
            . "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
our $error = "data: {\"error\":{\"message\":\"overloaded\","
             . "\"type\":\"server_error\"}}\n\n";

sub chunked { sprintf("%x\r\n%s\r\n", length $_[0], $_[0]) }

run_tests();

__DATA__

=== TEST 1: an answer of the upstream
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{"id":"c1","object":"chat.completion","choices":[]}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body chomp
{"id":"c1","object":"chat.completion","choices":[]}
--- record
200 success
--- no_error_log
[alert]



=== TEST 2: refused in the rewrite phase, before any body was read
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        return 401 "no\n";
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 401
--- record
401 rejected
--- no_error_log
[alert]



=== TEST 3: refused by auth_basic
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        auth_basic "x";
        auth_basic_user_file $TEST_NGINX_SERVER_ROOT/conf/none;
        proxy_pass http://127.0.0.1:1/;
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 401
--- record
401 rejected
--- no_error_log
[alert]



=== TEST 4: refused by auth_request, whose own request is none of ours
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        auth_request /auth;
        proxy_pass http://127.0.0.1:1/;
    }
    location = /auth {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/no;
    }
    location = /no {
        return 401;
    }
--- request
GET /v1/chat/completions
--- error_code: 401
--- record
401 rejected
--- no_error_log
[alert]



=== TEST 5: a body that is too large
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        client_max_body_size 4;
        proxy_pass http://127.0.0.1:1/;
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 413
--- record
413 rejected
--- error_log
client intended to send too large body
--- no_error_log
[alert]



=== TEST 6: refused by address
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        deny all;
        proxy_pass http://127.0.0.1:1/;
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 403
--- record
403 rejected
--- error_log
access forbidden by rule
--- no_error_log
[alert]



=== TEST 7: an upstream that nobody is
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:1;
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 502
--- record
502 http_error
--- error_log
connect() failed
--- no_error_log
[alert]



=== TEST 8: the upstream's own error
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 429 '{"error":{"message":"slow down","type":"rate_limit"}}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 429
--- response_body chomp
{"error":{"message":"slow down","type":"rate_limit"}}
--- record
429 http_error
--- no_error_log
[alert]



=== TEST 9: closed before the head
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply:
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 502
--- record
502 upstream_abort
--- error_log
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 10: no head in time
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_read_timeout 700ms;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply:
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 504
--- record
504 timeout
--- error_log
upstream timed out
--- no_error_log
[alert]



=== TEST 11: a whole stream
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
[$::sse, main::chunked($::chunk), main::chunked($::done), "0\r\n\r\n"]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- response_body eval
$::chunk . $::done
--- record
200 success
--- no_error_log
[alert]



=== TEST 12: cut in the middle, not buffered
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
[$::sse, main::chunked($::chunk)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- ignore_response
--- record
200 upstream_abort
--- error_log
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 13: cut in the middle, buffered
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
[$::sse, main::chunked($::chunk)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- ignore_response
--- record
200 upstream_abort
--- error_log
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 14: silent in the middle, not buffered
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_read_timeout 2s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply eval
[$::sse, main::chunked($::chunk)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- ignore_response
--- record
200 timeout
--- error_log
upstream timed out
--- no_error_log
[alert]



=== TEST 15: silent in the middle, buffered
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_read_timeout 2s;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply eval
[$::sse, main::chunked($::chunk)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- ignore_response
--- record
200 timeout
--- error_log
upstream timed out
--- no_error_log
[alert]



=== TEST 16: a body shorter than its length
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
. "Content-Length: 100\r\n\r\n{\"a\":"
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- ignore_response
--- record
200 upstream_abort
--- error_log
upstream prematurely closed connection
--- no_error_log
[alert]



=== TEST 17: HTTP/1.0, where closing is the only end that a stream has: a cut
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" . $::chunk
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- response_body eval
$::chunk
--- record
200 upstream_abort
--- no_error_log
[alert]



=== TEST 18: HTTP/1.0, a whole stream
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
. $::chunk . $::done
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- response_body eval
$::chunk . $::done
--- record
200 success
--- no_error_log
[alert]



=== TEST 19: an error inside a stream that began well
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
[$::sse, main::chunked($::chunk), main::chunked($::error), "0\r\n\r\n"]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- response_body eval
$::chunk . $::error
--- record
200 stream_error
--- no_error_log
[alert]



=== TEST 20: nothing at all with a 200
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
. "Content-Length: 0\r\n\r\n"
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body:
--- record
200 empty
--- no_error_log
[alert]



=== TEST 21: 204 has no body and is whole
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_reply eval
"HTTP/1.1 204 No Content\r\n\r\n"
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- error_code: 204
--- record
204 success
--- no_error_log
[alert]



=== TEST 22: HEAD
--- config
    location = /v1/models {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{}';
    }
--- request
HEAD /v1/models
--- response_body:
--- record
200 success
--- no_error_log
[alert]



=== TEST 23: the client leaves before the head
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply:
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- steps eval: [ [qr/http upstream send request/] ]
--- abort
--- ignore_response
--- record
499 client_abort
--- no_error_log
[alert]



=== TEST 24: the client leaves in the middle
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply eval
[$::sse, main::chunked($::chunk)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- steps eval: [ qr/"Hi"/ ]
--- abort
--- ignore_response
--- record
200 client_abort
--- no_error_log
[alert]



=== TEST 25: the client leaves when everything was said
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply eval
[$::sse, main::chunked($::chunk), main::chunked($::done)]
--- request
POST /v1/chat/completions
{"model":"m1","stream":true,"messages":[]}
--- steps eval: [ qr/\[DONE\]/ ]
--- abort
--- ignore_response
--- record
200 success
--- no_error_log
[alert]



=== TEST 26: the client leaves in the middle of its own body
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:1;
    }
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
. "Content-Length: 100\r\n\r\n{\"model\":"
--- steps eval: [ [qr/http client request body preread/] ]
--- abort
--- ignore_response
--- record
499 client_abort
--- no_error_log
[alert]



=== TEST 27: nothing is watched where it is off
--- config
    location = /v1/chat/completions {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        return 200 "ok";
    }
--- request
GET /v1/chat/completions
--- response_body chomp
ok
--- no_error_log
llm monitor
[alert]



=== TEST 28: the client leaves before the head, post_action follows
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        post_action /after;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
    location = /after {
        internal;
        return 204;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply:
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- steps eval: [ [qr/http upstream send request/] ]
--- abort
--- ignore_response
--- record
499 client_abort
--- no_error_log
[alert]



=== TEST 29: the client leaves in the middle of a body that is passed on
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_http_version 1.1;
        proxy_request_buffering off;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply:
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
. "Content-Length: 100\r\n\r\n{\"model\":"
--- steps eval: [ [qr/http upstream send request/] ]
--- abort
--- ignore_response
--- record
499 client_abort
--- no_error_log
[alert]



=== TEST 30: an upstream whose name is not found
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        set $up "nobody.example";
        proxy_pass http://$up;
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 502
--- response_body_like: 502 Bad Gateway
--- record
502 http_error
--- no_error_log
[alert]
