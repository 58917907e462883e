# Who decides whether a request is watched, and with which configuration: the
# first location that the client's request came to, however often nginx moves
# it afterwards.  nginx wipes the contexts of all modules at each of these
# moves; a context that was not found again would make two records or none.
# And what no client asked for (subrequests) makes none.

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

    return if !defined $block->record;

    $block->set_value(grep_error_log =>
        qr/llm monitor record \d+: \K\w+ \w+|upstream is told "\K[^"]*/);
    $block->set_value(grep_error_log_out => $block->record);
});

our $json = '{"id":"c1","object":"chat.completion","model":"m2",'
            . '"choices":[{"index":0,"message":{"role":"assistant",'
            . '"content":"Hi"},"finish_reason":"stop"}],"usage":'
            . '{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';

run_tests();

__DATA__

=== TEST 1: error_page from on to off
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        error_page 401 /page;
        return 401;
    }
    location = /page {
        llm_monitor off;
        return 200 "page";
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 401
--- response_body chomp
page
--- record
401 rejected
--- no_error_log
[alert]



=== TEST 2: the upstream's 401 behind a page of nginx
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_intercept_errors on;
        error_page 401 /page;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /page {
        return 200 "page";
    }
    location = /up {
        return 401 '{}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 401
--- response_body chomp
page
--- record
401 http_error
--- no_error_log
[alert]



=== TEST 3: a named location with another upstream
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_intercept_errors on;
        error_page 502 = @fallback;
        proxy_pass http://127.0.0.1:1;
    }
    location @fallback {
        llm_monitor off;
        rewrite ^ /up break;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
    }
    location = /up {
        default_type application/json;
        return 200 '{}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body chomp
{}
--- record
200 success
--- no_error_log
[alert]



=== TEST 4: X-Accel-Redirect to a file
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        add_header X-Accel-Redirect /files/a.json;
        return 200 '';
    }
    location /files/ {
        internal;
        alias $TEST_NGINX_SERVER_ROOT/html/;
    }
--- user_files eval
">>> a.json\n$::json"
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body eval
$::json
--- record
200 success
--- no_error_log
[alert]



=== TEST 5: a location that only rewrites decides
--- config
    location /v1/ {
        llm_monitor on;
        rewrite ^ /moved last;
    }
    location = /moved {
        llm_monitor off;
        return 200 "moved";
    }
--- request
GET /v1/models
--- response_body chomp
moved
--- record
200 success
--- no_error_log
[alert]



=== TEST 6: watched from the first location that has it on
--- config
    location /v1/ {
        rewrite ^ /moved last;
    }
    location = /moved {
        llm_monitor on;
        return 200 "moved";
    }
--- request
GET /v1/models
--- response_body chomp
moved
--- record
200 success
--- no_error_log
[alert]



=== TEST 7: the next upstream
--- http_config
    upstream two {
        server 127.0.0.1:1;
        server 127.0.0.1:$TEST_NGINX_SERVER_PORT backup;
    }
--- config
    location = /v1/models {
        llm_monitor on;
        proxy_pass http://two/up;
    }
    location = /up {
        return 200 '{}';
    }
--- request
GET /v1/models
--- response_body chomp
{}
--- record
200 success
--- no_error_log
[alert]



=== TEST 8: mirror
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        mirror /mirror;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /mirror {
        internal;
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body chomp
{}
--- wait: 0.2
--- record
200 success
--- no_error_log
[alert]



=== TEST 9: subrequests of the content
--- config
    location = /v1/models {
        llm_monitor on;
        echo "a";
        echo_location /part;
        echo_location /part;
    }
    location = /part {
        llm_monitor on;
        echo "b";
    }
--- request
GET /v1/models
--- response_body
a
b
b
--- record
200 success
--- no_error_log
[alert]



=== TEST 10: nginx's cache: a miss and a hit
--- http_config
    proxy_cache_path $TEST_NGINX_SERVER_ROOT/a_cache keys_zone=a:1m;
--- config
    location = /v1/models {
        llm_monitor on;
        proxy_cache a;
        proxy_cache_valid 1m;
        add_header X-Cache $upstream_cache_status;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{"object":"list","data":[]}';
    }
--- request eval
["GET /v1/models", "GET /v1/models"]
--- response_body eval
['{"object":"list","data":[]}', '{"object":"list","data":[]}']
--- record eval
["200 success\n", "200 success\n"]
--- no_error_log
[alert]



=== TEST 11: post_action comes after the record's facts
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        post_action /after;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /after {
        internal;
        proxy_pass http://127.0.0.1:1;
    }
    location = /up {
        default_type application/json;
        return 200 '{}';
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- response_body chomp
{}
--- wait: 0.2
--- record
200 success
--- no_error_log
[alert]



=== TEST 12: a record each
--- config
    location = /v1/models {
        llm_monitor on;
        return 200 "x";
    }
--- request eval
["GET /v1/models", "GET /v1/models", "GET /v1/models"]
--- response_body eval
["x", "x", "x"]
--- record eval
["200 success\n", "200 success\n", "200 success\n"]
--- no_error_log
[alert]



=== TEST 13: llm_monitor_if: empty
--- config
    location = /v1/models {
        llm_monitor on;
        llm_monitor_if $arg_keep;
        return 200 "x";
    }
--- request
GET /v1/models
--- error_code: 200
--- response_body chomp
x
--- record:
--- no_error_log
[alert]



=== TEST 14: llm_monitor_if: 0
--- config
    location = /v1/models {
        llm_monitor on;
        llm_monitor_if $arg_keep;
        return 200 "x";
    }
--- request
GET /v1/models?keep=0
--- error_code: 200
--- response_body chomp
x
--- record:
--- no_error_log
[alert]



=== TEST 15: llm_monitor_if: neither
--- config
    location = /v1/models {
        llm_monitor on;
        llm_monitor_if $arg_keep;
        return 200 "x";
    }
--- request
GET /v1/models?keep=00
--- error_code: 200
--- response_body chomp
x
--- record
200 success
--- no_error_log
[alert]



=== TEST 16: llm_monitor_if sees the status and what was found out: no
--- http_config
    map $status:$llm_outcome $keep {
        default        0;
        404:rejected   1;
    }
--- config
    llm_monitor_if $keep;
    location = /v1/models {
        llm_monitor on;
        return 200 "x";
    }
    location = /v1/none {
        llm_monitor on;
        return 404 "y";
    }
--- request
GET /v1/models
--- error_code: 200
--- response_body chomp
x
--- record:
--- no_error_log
[alert]



=== TEST 17: llm_monitor_if sees the status and what was found out: yes
--- http_config
    map $status:$llm_outcome $keep {
        default        0;
        404:rejected   1;
    }
--- config
    llm_monitor_if $keep;
    location = /v1/models {
        llm_monitor on;
        return 200 "x";
    }
    location = /v1/none {
        llm_monitor on;
        return 404 "y";
    }
--- request
GET /v1/none
--- error_code: 404
--- response_body chomp
y
--- record
404 rejected
--- no_error_log
[alert]



=== TEST 18: refused before there was a location: its page decides
--- config
    error_page 413 /page;
    location = /v1/chat/completions {
        llm_monitor on;
        client_max_body_size 4;
        proxy_pass http://127.0.0.1:1/;
    }
    location = /page {
        llm_monitor on;
        return 200 "page";
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 413
--- response_body chomp
page
--- record
413 rejected
--- no_error_log
[alert]



=== TEST 19: and one that is off hides it
--- config
    llm_monitor on;
    error_page 413 /page;
    location = /v1/chat/completions {
        client_max_body_size 4;
        proxy_pass http://127.0.0.1:1/;
    }
    location = /page {
        llm_monitor off;
        return 200 "page";
    }
--- request
POST /v1/chat/completions
{"model":"m1","messages":[]}
--- error_code: 413
--- response_body chomp
page
--- record:
--- no_error_log
[alert]



=== TEST 20: the method is the client's, not the page's
--- config
    llm_monitor on;
    error_page 403 /page;
    if ($arg_refused) {
        return 403;
    }
    location = /page { return 200 "page"; }
    # a clear of nothing is answered when all that has ended is written
    location /monitor/api { llm_monitor_api; }
--- pipelined_requests eval
[
    "PUT /v1/files?refused=1",
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api?status=403&limit=1",
]
--- response_body_like eval
[
    qr/^page/,
    qr/"deleted":0/,
    qr/"method":"PUT","url":"\/v1\/files\?refused=1"/,
]
--- error_code eval
[403, 200, 200]
--- no_error_log
[alert]
