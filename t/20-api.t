# What the API answers, to whom, and that nothing but the right request
# changes anything.  Every refusal is JSON and names what was wrong.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    location /read/ { llm_monitor_api read; }
    location /remote/api { llm_monitor_api; llm_monitor_remote on; }
    # a clear of nothing is answered when all that has ended is written
    location /v1/ {
        llm_monitor on;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/;
    }
    location /up/ {
        default_type application/json;
        add_header X-Account-Email "one@a.example" always;
        return 401 '{"error":{"message":"no such key","type":"auth"}}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/api;\n"
        . "real_ip_header X-Address;\nset_real_ip_from 127.0.0.1;");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: no database yet is an empty list
--- request
GET /monitor/api
--- response_headers
Content-Type: application/json
Cache-Control: no-store
X-Content-Type-Options: nosniff
--- response_body_like chomp
^\{"total":\d+,"limit":50,"next":



=== TEST 2: the refused request is there, with its account, model and error
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api?filter=401&limit=1",
    "GET /monitor/api/logs?account=one%40a.example&status=4xx&total=0",
    "GET /monitor/api/?filter=nowhere",
    "GET /monitor/api/count?model=gpt-4o&errors_only=1"
]
--- error_code eval
[ 401, 200, 200, 200, 200, 200 ]
--- response_body_like eval
[
    qr/no such key/,
    qr/"deleted":0/,
    qr/"status":401.*"error":"no such key","error_type":"auth".*"model":"gpt-4o".*"account_email":"one\@a.example"/,
    qr/^\{"total":null,"limit":50,.*"url":"\/v1\/chat\/completions"/,
    qr/^\{"total":0,"limit":50,"next":null,"logs":\[\]\}$/,
    qr/^\{"total":[1-9]\d*\}$/
]



=== TEST 3: HEAD has the headers alone
--- request
HEAD /monitor/api/count
--- response_headers_like
Content-Length: [1-9]\d*
--- response_body:



=== TEST 4: a wrong parameter is named
--- request eval
[ map { "GET /monitor/api?$_" }
  "limit=0", "nothing=1", "filter=%ff", "limit=1&limit=2", "cursor=x",
  "filter=" . "a" x 257, "offset=1000000000000", "tz=..%2F..%2Fetc%2Fpasswd" ]
--- error_code eval
[ (400) x 8 ]
--- response_body_like eval
[ map { qr/^\{"error":\{"code":"bad_parameter","message":"[^"]+","parameter":"$_"\}\}$/ }
  qw(limit nothing filter limit cursor filter offset tz) ]



=== TEST 5: paths are matched exactly
--- request eval
[ map { "GET /monitor/api$_" }
  "x", "/logs/", "/logs/5", "/logs/5/other", "/logs/5/request", "/logs/abc",
  "/logs/-5", "/logs/99999999999999999999", "/count/x", "/recording?x=1" ]
--- error_code eval
[ 404, 404, 404, 404, 404, 400, 400, 400, 404, 400 ]
--- response_body_like eval
[ (qr/^\{"error":\{"code":"(not_found|bad_parameter)"/) x 10 ]



=== TEST 6: a method that a call does not have
--- request eval
[ "POST /monitor/api", "DELETE /monitor/api", "PUT /monitor/api/count",
  "POST /monitor/api/recording" ]
--- error_code eval
[ 405, 405, 405, 405 ]
--- response_headers eval
[ "Allow: GET, HEAD", "Allow: GET, HEAD", "Allow: GET, HEAD",
  "Allow: GET, HEAD, PUT" ]



=== TEST 7: local clients under a local name only
--- pipelined_requests eval
[ ("GET /monitor/api/count") x 12 ]
--- more_headers eval
[ "Host: localhost", "Host: a.localhost", "Host: 127.3.2.1:80",
  "Host: [::1]", "Host: evil.example", "Host: 10.0.0.1",
  "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1",
  "X-Real-IP: 127.0.0.1", "X-Address: 192.0.2.1", "X-Address: 127.0.0.2",
  "Host: localhost.evil.example" ]
--- error_code eval
[ 200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 200, 403 ]



=== TEST 8: anybody where the configuration says so
--- request
GET /remote/api/count
--- more_headers
Host: monitor.example
X-Forwarded-For: 192.0.2.1
--- response_body_like chomp
^\{"total":\d+\}$



=== TEST 9: pages of other sites change nothing
--- request eval
[ (qq{PUT /monitor/api/recording\n{"recording":false}}) x 4,
  "DELETE /monitor/api/logs?all=1", "GET /monitor/api/recording" ]
--- more_headers eval
[ "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site",
  "Origin: http://evil.example", "Origin: null",
  "Origin: http://localhost.evil.example", "Sec-Fetch-Site: cross-site" ]
--- error_code eval
[ 403, 403, 403, 403, 403, 200 ]
--- response_body_like eval
[ (qr/"code":"cross_site"/) x 5, qr/^\{"recording":true\}$/ ]



=== TEST 10: nor does anybody where only reading is allowed
--- request eval
[ "DELETE /read/logs?all=1", qq{PUT /read/recording\n{"recording":false}},
  "GET /read/recording", "GET /read/logs" ]
--- error_code eval
[ 403, 403, 200, 200 ]



=== TEST 11: recording off and on
--- request eval
[ qq{PUT /monitor/api/recording\n{"recording":false}},
  "GET /monitor/api/recording",
  qq{PUT /monitor/api/recording\n { "recording" : true } },
  "GET /monitor/api/recording" ]
--- response_body_like eval
[ qr/^\{"recording":false\}$/, qr/^\{"recording":false\}$/,
  qr/^\{"recording":true\}$/, qr/^\{"recording":true\}$/ ]



=== TEST 12: a body that says nothing of the kind
--- request eval
[ map { "PUT /monitor/api/recording\n$_" }
  "{}", "[]", "null", qq({"recording":1}), qq({"recording":true} x),
  qq({"recording":true,"recording":false}), "x" x 5000 ]
--- error_code eval
[ 400, 400, 400, 400, 400, 400, 413 ]



=== TEST 13: clearing needs to be told what
--- pipelined_requests eval
[ qq{POST /v1/chat/completions\n{"model":"gpt-4o","messages":[]}},
  "DELETE /monitor/api/logs?user=nobody",
  "DELETE /monitor/api/logs", "DELETE /monitor/api/logs?filter=",
  "DELETE /monitor/api/logs?all=1&status=401",
  "DELETE /monitor/api/logs?model=none-of-these",
  "DELETE /monitor/api/logs?model=gpt-4o",
  "GET /monitor/api/count?model=gpt-4o",
  "DELETE /monitor/api/logs?all=1", "GET /monitor/api/count" ]
--- error_code eval
[ 401, 200, 400, 400, 400, 200, 200, 200, 200, 200 ]
--- response_body_like eval
[ qr/no such key/, qr/"deleted":0/, (qr/"parameter":"all"/) x 3, qr/^\{"deleted":0\}$/,
  qr/^\{"deleted":[1-9]\d*\}$/, qr/^\{"total":0\}$/, qr/^\{"deleted":\d+\}$/,
  qr/^\{"total":0\}$/ ]



=== TEST 14: what is allowed
--- request eval
[ "GET /monitor/api/about", "GET /read/about", "GET /monitor/api/about?x=1",
  "POST /monitor/api/about" ]
--- error_code eval
[ 200, 200, 400, 405 ]
--- response_body_like eval
[ qr/"changes":true,"scope":null,"monitor":\{"recording":true,/,
  qr/"changes":false/, qr/bad_parameter/, qr/method_not_allowed/ ]



=== TEST 15: a location with a slash, asked for without it
--- request
GET /read?limit=1
--- error_code: 301
--- response_headers_like
Location: http://[^/]+/read/\?limit=1
