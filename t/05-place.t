# The filters' place in the chain: behind the copy filter, before gunzip and
# sub.  What the module reads is what the upstream sent and not what nginx made
# of it; what the client gets is what nginx made of it.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(2);
log_level('debug');

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(http_config =>
        'llm_monitor_path $TEST_NGINX_SERVER_ROOT/llm_monitor_temp ring=1m;'
        . "\n" . q{log_format seen '[$llm_response_model $llm_output_tokens]';}
        . "\n" . ($block->http_config // ''));
});

run_tests();

__DATA__

=== TEST 1: a model's name that sub replaces
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        sub_filter_types *;
        sub_filter upstream-model client-model;
        access_log $TEST_NGINX_SERVER_ROOT/logs/access.log seen;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
    }
    location = /up {
        default_type application/json;
        return 200 '{"model":"upstream-model","usage":{"prompt_tokens":2,"completion_tokens":3}}';
    }
--- request
POST /v1/chat/completions
{"model":"m","messages":[]}
--- response_body chomp
{"model":"client-model","usage":{"prompt_tokens":2,"completion_tokens":3}}
--- wait: 0.5
--- access_log
[upstream-model 3]
--- no_error_log
[alert]



=== TEST 2: a compressed answer that gunzip unpacks and sub changes
--- config
    location = /v1/chat/completions {
        llm_monitor on;
        gunzip on;
        sub_filter_types *;
        sub_filter upstream-model client-model;
        access_log $TEST_NGINX_SERVER_ROOT/logs/access.log seen;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up;
        proxy_set_header Accept-Encoding gzip;
        proxy_http_version 1.1;
    }
    location = /up {
        gzip on;
        gzip_min_length 1;
        gzip_types *;
        default_type application/json;
        echo '{"model":"upstream-model","usage":{"prompt_tokens":2,"completion_tokens":3}}';
    }
--- request
POST /v1/chat/completions
{"model":"m","messages":[]}
--- response_body
{"model":"client-model","usage":{"prompt_tokens":2,"completion_tokens":3}}
--- wait: 0.5
--- access_log
[upstream-model 3]
--- no_error_log
[alert]
