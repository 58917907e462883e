# Bodies while they flow: in memory, in a spool file, over a bound, and which
# ones llm_monitor_bodies wants.  What the client gets is the same in every
# case; what the record says of the bodies is read from the debug line.

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
        'llm_monitor_path $TEST_NGINX_SERVER_ROOT/llm_monitor_temp ring=1m '
        . ($block->spool // '') . ";\n" . ($block->http_config // ''));

    my $conf = $block->config // <<'CONF';
    location = /v1/chat/completions {
        llm_monitor on;
        CONF
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        echo_read_request_body;
        echo_request_body;
    }
CONF

    my $extra = $block->conf // '';
    $conf =~ s/CONF/$extra/;
    $block->set_value(config => $conf);

    $block->set_value(grep_error_log =>
        qr/llm monitor record \d+: \K[^\n]*/);
    $block->set_value(grep_error_log_out => $block->record);
});

sub body { '{"model":"m1","messages":[{"role":"user","content":"'
           . 'x' x $_[0] . '"}]}' }

run_tests();

__DATA__

=== TEST 1: small ones stay in memory
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request stored, response stored
--- no_error_log
linkat
[alert]



=== TEST 2: none at all
--- conf
        return 204;
--- request
GET /v1/chat/completions
--- error_code: 204
--- record
204 success, request none, response none
--- no_error_log
[alert]



=== TEST 3: off
--- conf
        llm_monitor_bodies off;
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request none, response none
--- no_error_log
[alert]



=== TEST 4: request
--- conf
        llm_monitor_bodies request;
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request stored, response none
--- no_error_log
[alert]



=== TEST 5: response
--- conf
        llm_monitor_bodies response;
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request none, response stored
--- no_error_log
[alert]



=== TEST 6: errors: a success has none
--- conf
        llm_monitor_bodies errors;
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request none, response none
--- no_error_log
[alert]



=== TEST 7: errors: an error has
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        llm_monitor_bodies errors;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 500 '{"error":{"message":"no"}}';
    }
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- error_code: 500
--- response_body chomp
{"error":{"message":"no"}}
--- record
500 http_error, request stored, response stored
--- no_error_log
[alert]



=== TEST 8: longer than the buffer: a file
--- conf
        llm_monitor_buffer_size 4k;
--- request eval
"POST /v1/chat/completions\n" . main::body(300000)
--- response_body eval
main::body(300000)
--- record
200 success, request stored, response stored
--- no_error_log
[alert]



=== TEST 9: the same, neither request nor response buffered by nginx
--- conf
        llm_monitor_buffer_size 4k;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_http_version 1.1;
--- request eval
"POST /v1/chat/completions\n" . main::body(300000)
--- response_body eval
main::body(300000)
--- record
200 success, request stored, response stored
--- no_error_log
[alert]



=== TEST 10: over the limit
--- conf
        llm_monitor_buffer_size 4k;
        llm_monitor_max_body_size 100k;
--- request eval
"POST /v1/chat/completions\n" . main::body(300000)
--- response_body eval
main::body(300000)
--- record
200 success, request too_large, response too_large
--- no_error_log
[alert]



=== TEST 11: a limit below the buffer
--- conf
        llm_monitor_max_body_size 20;
--- request eval
"POST /v1/chat/completions\n" . main::body(10)
--- response_body eval
main::body(10)
--- record
200 success, request too_large, response too_large
--- no_error_log
[alert]



=== TEST 12: no memory for capture
--- http_config
    llm_monitor_capture_memory 1m;
--- conf
        llm_monitor_buffer_size 4m;
--- request eval
"POST /v1/chat/completions\n" . main::body(3000000)
--- response_body eval
main::body(3000000)
--- record
200 success, request skipped, response skipped
--- no_error_log
[alert]



=== TEST 13: the request in chunks
--- conf
        llm_monitor_buffer_size 1k;
        proxy_request_buffering off;
        proxy_http_version 1.1;
--- raw_request eval
"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. CORE::join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
           main::body(3000) =~ /(.{1,7})/gs)
. "0\r\n\r\n"
--- response_body eval
main::body(3000)
--- record
200 success, request stored, response stored
--- no_error_log
[alert]
