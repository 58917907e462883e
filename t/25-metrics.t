# Metrics and health: who may look, in which form, and that a look is no
# traffic.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location = /metrics { llm_monitor_metrics; }
    location = /open { llm_monitor_metrics; llm_monitor_remote on; }
    location = /health { llm_monitor_health; llm_monitor on; }
    location = /healthz { llm_monitor_health live; }
    location /v1/ {
        llm_monitor on;
        llm_monitor_provider "a \"b\"";
        return 401 '{"error":{"message":"no"}}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/metrics;"
        . ($block->http_config // ''));
    $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
});

run_tests();

__DATA__

=== TEST 1: what was refused counts, a look does not
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions\n{"model":"x y","messages":[]}},
    "GET /health",
    "GET /metrics",
]
--- error_code eval
[401, 200, 200]
--- response_body_like eval
[
    "no",
    qr/"checks":\{"database":"[a-z]+"/,
    qr/^llm_requests_total\{upstream="none",provider="a_\\"b\\"",operation="chat",model="none",status="401"\} 1\n(?!.*endpoint="\/health").*^http_requests_total\{method="POST",endpoint="\/v1\/chat\/completions",status="401"\} 1\n.*^llm_monitor_writer_lag_seconds \d{1,3}(\.\d+)?\n/ms,
]



=== TEST 2: text by default
--- request
GET /metrics
--- response_headers
Content-Type: text/plain; version=0.0.4; charset=utf-8
Cache-Control: no-store
--- response_body_unlike chomp
# EOF



=== TEST 3: OpenMetrics
--- request
GET /metrics
--- more_headers
Accept: text/plain;q=0.4, application/OpenMetrics-Text; version=1.0.0 ; q=0.5
--- response_headers
Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8
--- response_body_like eval
qr/^# TYPE llm_requests counter\n.*^# EOF\n\z/ms



=== TEST 4: HEAD
--- request
HEAD /metrics
--- response_headers_like
Content-Length: \d+
--- response_body chomp



=== TEST 5: nothing to change here
--- request
POST /metrics
x
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_like chomp
"method_not_allowed"



=== TEST 6: not for others
--- request
GET /metrics
--- more_headers
X-Forwarded-For: 192.0.2.1
--- error_code: 403
--- response_body_like chomp
"forbidden"



=== TEST 7: unless they may
--- request
GET /open
--- more_headers
X-Forwarded-For: 192.0.2.1
--- response_body_like chomp
llm_monitor_build_info\{version="



=== TEST 8: nginx runs
--- request
GET /healthz
--- response_headers
Content-Type: application/json
--- response_body chomp
{"status":"alive"}



=== TEST 9: a path that nobody knows is no label
--- pipelined_requests eval
[ "GET /v1/wp-login.php", "GET /metrics" ]
--- error_code eval
[401, 200]
--- response_body_like eval
[ "no", qr/\A(?!.*wp-login).*^http_requests_total\{method="GET",endpoint="other",status="401"\} 1\n/ms ]



=== TEST 10: without names that others may have, too
--- http_config
llm_monitor_metrics_http off;
--- pipelined_requests eval
[ "POST /v1/chat/completions\n{}", "GET /metrics" ]
--- error_code eval
[401, 200]
--- response_body_like eval
[ "no", qr/\A(?!.*^(# \w+ )?(http_|active_users)).*^llm_requests_total\{.*^llm_active_users /ms ]
