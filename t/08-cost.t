# What an exchange cost, as $llm_cost and in the API: by the built-in table, by
# a file, for nginx's own cache, and where nobody knows.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    # a clear of nothing is answered when all that has ended is written
    location /read/ { llm_monitor_api read; }
    location /mine/ { llm_monitor_api; llm_monitor_scope user u; }
    location = /l.log { }
    location /v1/ {
        llm_monitor on;
        llm_monitor_provider $http_x_provider;
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up$request_uri;
    }
    location /up/v1/ {
        default_type application/json;
        return 200 '{"model":"$arg_m","service_tier":"$arg_t","choices":[{}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":400},"cost":0.0042}}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $block->config // $main::servers);
    # each has a database of its own, but the last one, which goes on

    my ($n) = $block->name =~ /^TEST (\d+)/;

    $n = 11 if $n == 12;

    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/cost$n;\n"
        . "log_format llm '\$llm_model [\$llm_cost]';\n"
        . ($block->http_config // ''));

    if (!$block->must_die && !defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: the built-in table: known, flex, priority and unknown
--- more_headers
X-Provider: openai
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions?m=gpt-4o\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions?m=gpt-4o&t=flex\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions?m=gpt-4o&t=priority\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions?m=house-1\n{"model":"house-1","messages":[]}},
    "GET /l.log",
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api/count?unpriced=1",
    "GET /monitor/api/count?min_cost=0.002",
    "GET /monitor/api?min_cost=0.003",
    "GET /monitor/api?unpriced=1&model=house-1",
    "GET /monitor/api/export?format=csv&model=house-1",
]
--- response_body_like eval
[
    qr/gpt-4o/, qr/flex/, qr/priority/, qr/house-1/,
    qr/^gpt-4o \[0\.003000000\]\ngpt-4o \[0\.001500000\]\ngpt-4o \[-\]\nhouse-1 \[-\]\n$/,
    qr/"deleted":0/,
    qr/^\{"total":2\}$/,
    qr/^\{"total":1\}$/,
    qr/"total":1,.*"cost_usd":0\.003,"price_source":"genai-prices [\d.]+ 20\d\d-\d\d-\d\d","reported_cost_usd":0\.0042,/,
    qr/"total":1,.*"cost_usd":null,"price_source":null/,
    qr/,"cost_usd","price_source","reported_cost_usd",.*,,0\.0042,/s,
]



=== TEST 2: a file of genai-prices
--- http_config
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
[{"id": "house", "models": [
  {"id": "house-1", "match": {"starts_with": "house-"},
   "prices": {"input_mtok": 1, "cache_read_mtok": 0.1, "output_mtok": 4}}]}]
--- more_headers
X-Provider: house
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions?m=house-2\n{"model":"x","messages":[]}},
    qq{POST /v1/chat/completions?m=gpt-4o\n{"model":"gpt-4o","messages":[]}},
    "GET /l.log",
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api?min_cost=0",
]
--- response_body_like eval
[
    qr/house-2/, qr/gpt-4o/,
    qr/^x \[0\.001040000\]\ngpt-4o \[-\]\n$/,
    qr/"deleted":0/,
    qr/"cost_usd":0\.00104,"price_source":"own\.json 20\d\d-\d\d-\d\d [0-9a-f]{8}"/,
]



=== TEST 3: a file of LiteLLM, which prices tiers
--- http_config
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
{"sample_spec": {"input_cost_per_token": "dollars"},
 "gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 2.5e-06,
            "input_cost_per_token_priority": 4.25e-06,
            "output_cost_per_token": 1e-05}}
--- more_headers
X-Provider: openai
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions?m=gpt-4o\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions?m=gpt-4o&t=priority\n{"model":"gpt-4o","messages":[]}},
    "GET /l.log",
]
--- response_body_like eval
[
    qr/gpt-4o/, qr/gpt-4o/,
    qr/^gpt-4o \[0\.003500000\]\ngpt-4o \[0\.005250000\]\n$/,
]



=== TEST 4: an answer of nginx's own cache costs nothing
--- http_config
    proxy_cache_path $TEST_NGINX_SERVER_ROOT/cache keys_zone=c:1m;
--- config
    location = /l.log { }
    location /v1/ {
        llm_monitor on;
        llm_monitor_provider openai;
        access_log $TEST_NGINX_SERVER_ROOT/html/l.log llm;
        proxy_cache c;
        proxy_cache_methods POST;
        proxy_cache_valid 1m;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/;
    }
    location /up/ {
        default_type application/json;
        return 200 '{"model":"gpt-4o","choices":[{}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}';
    }
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    "GET /l.log",
]
--- response_body_like eval
[ qr/gpt-4o/, qr/gpt-4o/, qr/^gpt-4o \[0\.003500000\]\ngpt-4o \[0\.000000000\]\n$/ ]



=== TEST 5: a broken file is refused with line, provider, model and key
--- http_config
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
[{"id": "house", "models": [
  {"id": "house-1", "match": {"equals": "house-1"},
   "prices": {"input_mtok": 1,
              "output_mtok": "4"}}]}]
--- must_die
--- error_log
html/own.json" line 4: provider "house": model "house-1": "output_mtok" must be a price
nginx.conf:



=== TEST 6: a file that is no JSON
--- http_config
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
[{"id": "house",
  "models": [}]
--- must_die
--- error_log
html/own.json" line 2: is no JSON, or is nested too deeply in
nginx.conf:



=== TEST 7: a file that is not there
--- http_config
    llm_monitor_prices ../html/none.json;
--- must_die
--- error_log
html/none.json" failed (2: No such file or directory)
nginx.conf:



=== TEST 8: a directory
--- http_config
    llm_monitor_prices ../html;
--- must_die
--- error_log
html" is no file of at most 8388608 bytes
nginx.conf:



=== TEST 9: no name
--- http_config
    llm_monitor_prices "";
--- must_die
--- error_log
invalid value "" of "llm_monitor_prices", it must be the name of a file
nginx.conf:



=== TEST 10: twice
--- http_config
    llm_monitor_prices ../html/own.json;
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
{"gpt-4o": {"input_cost_per_token": 1}}
--- must_die
--- error_log
"llm_monitor_prices" directive is duplicate
nginx.conf:



=== TEST 11: a record without a price
--- more_headers
X-Provider: house
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions?m=house-1\n{"model":"x","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api/count?unpriced=1",
    "POST /monitor/api/reprice",
    "GET /monitor/api/reprice",
    "POST /monitor/api/reprice?sort=status",
    "POST /read/reprice",
    "POST /mine/reprice",
]
--- error_code eval
[ 200, 200, 200, 200, 405, 400, 403, 403 ]
--- response_body_like eval
[
    qr/house-1/, qr/"deleted":0/, qr/^\{"total":1\}$/, qr/^\{"repriced":0\}$/,
    qr/"this call takes POST"/, qr/"parameter":"sort"/, qr/"error"/,
    qr/"error"/
]



=== TEST 12: gets one when there is one
--- http_config
    llm_monitor_prices ../html/own.json;
--- user_files
>>> own.json
[{"id": "house", "models": [
  {"id": "house-1", "match": {"equals": "house-1"},
   "prices": {"input_mtok": 1, "cache_read_mtok": 0.1, "output_mtok": 4}}]}]
--- pipelined_requests eval
[
    "POST /monitor/api/reprice?model=nothing",
    "POST /monitor/api/reprice?unpriced=1&since=-1h",
    "POST /monitor/api/reprice",
    "GET /monitor/api",
]
--- response_body_like eval
[
    qr/^\{"repriced":0\}$/, qr/^\{"repriced":1\}$/, qr/^\{"repriced":0\}$/,
    qr/"total":1,.*"cost_usd":0\.00104,"price_source":"own\.json /
]
