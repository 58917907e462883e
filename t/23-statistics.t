# Summary, stats, leaderboard and availability over HTTP: what a few requests make of them,
# also while recording is paused and after the log was cleared; refusals.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    location /mine/api {
        llm_monitor_api;
        llm_monitor_scope account $arg_me;
    }
    # a clear of nothing is answered when all that has ended is written
    location /v1/ {
        llm_monitor on;
        llm_monitor_user $http_x_user;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/;
    }
    location = /v1/messages/count_tokens {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/count;
    }
    location /up/ {
        default_type application/json;
        add_header X-Account-Email "one@a.example" always;
        return 200 '{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":25}}}';
    }
    location = /count {
        default_type application/json;
        return 200 '{"input_tokens":5000}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/statistics;");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

# what is of today begins anew at midnight

sleep 1 while (time + 60) % 86400 < 60;

run_tests();

__DATA__

=== TEST 1: nothing yet
--- request eval
[ map { "GET /monitor/api/$_" }
  "summary", "stats?by=model", "leaderboard", "availability" ]
--- response_headers eval
[ ("Content-Type: application/json") x 4 ]
--- response_body_like eval
[
    qr/"today":\{.*"requests":0,.*"success_rate":null,.*"cost_usd":null,.*"users":0,/,
    qr/"buckets":\[\d+(,\d+){29}\],"total":\{"requests":0,.*"count":0,"rows":\[\]\}$/,
    qr/"by":"user",.*"count":0,"limit":20,"offset":0,"rows":\[\],"none":null,"other":null\}$/,
    qr/"total":\{"state":"unknown","score":null,.*"rows":\[\]\}$/
]



=== TEST 2: what was asked is summed up, tokens counted are not
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions\n{"model":"gpt-4o-mini","messages":[]}},
    qq{POST /v1/messages/count_tokens\n{"model":"claude-3","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api/summary",
    "GET /monitor/api/stats?by=model&period=today&bucket=day",
    "GET /monitor/api/leaderboard?by=account&period=all",
    "GET /monitor/api/availability?by=model&range=1h"
]
--- more_headers
X-User: ada
--- response_body_like eval
[
    qr/Hi/, qr/Hi/, qr/5000/, qr/"deleted":0/,
    qr/"today":\{[^}]*"requests":3,"errors":0,"success_rate":1,"input_tokens":200,"cache_read_tokens":50,"cache_creation_tokens":0,"output_tokens":40,"reasoning_tokens":0,"total_tokens":240,"cache_hit_rate":0.25,[^}]*"users":1,"accounts":1,/,
    qr/"count":3,"rows":\[\{"name":"gpt-4o(-mini)?","requests":1,.*"name":"claude-3","requests":1,"errors":0,"success_rate":1,"input_tokens":0,/,
    qr/"rows":\[\{"rank":1,"name":"one\@a.example","requests":2,.*"total_tokens":240,.*"none":\{"requests":1,.*"other":null\}$/,
    qr/"bucket_ms":60000,.*"total":\{"state":"green","score":1,"requests":3,"success":3,.*"rows":\[\{"name":"[^"]+","state":"green","score":1,/
]



=== TEST 3: paused, it is still counted, and clearing the log keeps it
--- pipelined_requests eval
[
    qq{PUT /monitor/api/recording\n{"recording":false}},
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "DELETE /monitor/api/logs?all=1",
    "GET /monitor/api/count",
    "GET /monitor/api/stats?period=today",
    qq{PUT /monitor/api/recording\n{"recording":true}}
]
--- response_body_like eval
[
    qr/false/, qr/Hi/, qr/"deleted":0/, qr/"deleted":3/, qr/"total":0/,
    qr/"total":\{"requests":4,.*"total_tokens":360,/, qr/true/
]



=== TEST 4: cleared with its sums it starts anew
--- pipelined_requests eval
[
    "DELETE /monitor/api/logs?all=1&stats=1",
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api/stats?period=today"
]
--- response_body_like eval
[ qr/"deleted":0/, qr/Hi/, qr/"deleted":0/, qr/"total":\{"requests":1,/ ]



=== TEST 5: what is wrong is named
--- request eval
[ map { "GET /monitor/api/$_" }
  "stats?by=nothing", "stats?tz=Mars/Base", "stats?bucket=hour&since=-90d",
  "leaderboard?limit=0", "leaderboard?period=custom", "summary?since=-1h",
  "stats?until=-1h", "stats?since=-2h&since=-1h", "availability?range=2d" ]
--- error_code eval
[ (400) x 9 ]
--- response_body_like eval
[ map { qr/^\{"error":\{"code":"bad_parameter","message":"[^"]+","parameter":"$_"\}\}$/ }
  qw(by tz bucket limit period since until since range) ]



=== TEST 6: methods, and a location that shows nothing to nobody
--- request eval
[ "POST /monitor/api/stats", "DELETE /monitor/api/summary",
  "GET /mine/api/summary?me=one\@a.example", "GET /mine/api/stats",
  "GET /mine/api/leaderboard", "GET /mine/api/availability" ]
--- error_code eval
[ 405, 405, 400, 200, 200, 200 ]
--- response_body_like eval
[ (qr/^\{"error":\{"code":"method_not_allowed"/) x 2,
  qr/^\{"error":\{"code":"bad_parameter"/,
  (qr/"total":\{[^}]*"requests":0,/) x 3 ]
