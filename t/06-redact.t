# llm_monitor_redact: what it names is in no record, and the client and the
# upstream do not notice.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();
log_level('debug');

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    # a clear of nothing is answered when all that has ended is written
    location /v1/ {
        llm_monitor on;
        llm_monitor_redact header=user-agent header=x-acme-session-id;
        llm_monitor_redact arg=tenant json=ssn;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/;
    }
    location /up/ {
        default_type application/json;
        return 200 '$arg_tenant $http_user_agent {"id":"r1","ssn":"1-2"}';
    }
    location /up/json/ {
        default_type application/json;
        return 200 '{"id":"r1","a":{"ssn":["1-2","3-4"]}}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/redact;");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: a field of JSON is hidden in the body that has it
--- request
POST /v1/json/one
{"model":"m1","metadata":{"SSN" : {"a":[1,2]}},"user":"u"}
--- response_body chomp
{"id":"r1","a":{"ssn":["1-2","3-4"]}}
--- wait: 0.1
--- grep_error_log eval: qr/llm monitor record \d+: \K[^\n]*/
--- grep_error_log_out
200 success, request redacted, response redacted



=== TEST 2: also in one that comes in two pieces
--- raw_request eval
[
    "POST /v1/json/pieces HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    . "Content-Type: application/json\r\nContent-Length: 37\r\n\r\n"
    . '{"model":"m1",',
    '"user":"u","ssn":"1-2"}',
]
--- raw_request_middle_delay: 0.1
--- wait: 0.1
--- grep_error_log eval: qr/llm monitor record \d+: \K[^\n]*/
--- grep_error_log_out
200 success, request redacted, response redacted



=== TEST 3: a body without it is stored as ever
--- request
POST /v1/json/two
{"model":"m1","user":"ssn"}
--- wait: 0.1
--- grep_error_log eval: qr/llm monitor record \d+: \K[^\n]*/
--- grep_error_log_out
200 success, request stored, response redacted



=== TEST 4: arguments and headers, and what the API says of all
--- pipelined_requests eval
[
    "GET /v1/three?a=1&tenant=tn-1",
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api?filter=three&limit=1",
    "GET /monitor/api?filter=one&limit=1",
    "GET /monitor/api/export?format=ndjson&bodies=1",
]
--- more_headers
User-Agent: secret-agent
X-Acme-Session-Id: s-1
--- response_body_like eval
[
    qr/^tn-1 secret-agent /,
    qr/"deleted":0/,
    qr/^(?!.*(secret-agent|"s-1"|tn-1)).*"url":"\/v1\/three\?a=1&tenant=\*\*\*"/,
    qr/"url":"\/v1\/json\/one"/,
    qr/^(?!.*(\[1,2\]|1-2|3-4)).*"user\\":\\"u\\",\\"ssn\\":\\"\*\*\*/s,
]
