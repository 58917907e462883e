# Exports: the list's records as a file, in three formats.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $servers = <<'_EOC_';
    location /monitor/api { llm_monitor_api; }
    location /read/api { llm_monitor_api read; }
    location /small/api { sendfile_max_chunk 16k; llm_monitor_api; }
    location /large/api { sendfile_max_chunk 0; llm_monitor_api; }
    # a clear of nothing is answered when all that has ended is written
    location /v1/ {
        llm_monitor on;
        llm_monitor_user $arg_user;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/;
    }
    location /up/ {
        default_type application/json;
        return 200 '{"model":"gpt-4o","choices":[{"message":{"content":"=1+1"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => $main::servers);
    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/export;");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: nothing yet is a document of nothing
--- request
GET /monitor/api/export
--- response_headers
Content-Type: application/json
Cache-Control: no-store
X-Next-Seq: 0
--- response_headers_like
Content-Disposition: attachment; filename="llm-monitor-\d{8}T\d{6}Z\.json"
--- response_body
{"logs":[],"count":0,"next_seq":0}



=== TEST 2: a record in each format
--- pipelined_requests eval
[
    qq{POST /v1/chat/completions?user==SUM\n{"model":"gpt-4o","messages":[]}},
    qq{POST /v1/chat/completions?user=two\n{"model":"gpt-4o","messages":[]}},
    "DELETE /monitor/api/logs?user=nobody",
    "GET /monitor/api/export",
    "GET /monitor/api/export?format=ndjson&bodies=1",
    "GET /monitor/api/export?format=ndjson&since_seq=1",
    "GET /monitor/api/export?format=csv&bodies=1&tz=Asia/Kolkata",
    "GET /read/api/export?filter=nowhere&format=csv"
]
--- response_body_like eval
[
    qr/=1/, qr/=1/, qr/"deleted":0/,
    qr/\A\{"logs":\[\n\{"id":.*"seq":1,.*\},\n\{"id":.*"seq":2,.*\}\n\],"count":2,"next_seq":2\}\n\z/,
    qr/\A\{"id":.*"request_body":"\{\\"model\\":.*"response_body":"\{\\"model\\":.*\}\n\{"id":.*\}\n\z/,
    qr/\A\{"id":"\d+","timestamp":\d+,"seq":2,.*\}\n\z/,
    qr/\A"id","timestamp \(Asia\/Kolkata\)","seq",.*"request_body","response_body"\r\n"\d+",\d{4}-\d\d-\d\dT[\d:.]+\+05:30,1,.*,"'=SUM",.*\r\n"\d+",.*\r\n\z/,
    qr/\A"id",.*"response_body_state"\r\n\z/
]



=== TEST 3: types
--- request eval
[ map { "HEAD /monitor/api/export?format=$_" } qw(json ndjson csv) ]
--- response_headers eval
[ "Content-Type: application/json", "Content-Type: application/x-ndjson",
  "Content-Type: text/csv; charset=utf-8" ]
--- response_body eval
[ "", "", "" ]



=== TEST 4: a wrong parameter is named
--- request eval
[ map { "GET /monitor/api/export?$_" }
  "format=xml", "bodies=2", "since_seq=-1", "since_seq=1e3", "limit=5",
  "cursor=abc", "sort=status", "total=0", "tz=Nowhere", "nothing=1",
  "since_seq=99999999999999999999" ]
--- error_code eval
[ (400) x 11 ]
--- response_body_like eval
[ map { qr/^\{"error":\{"code":"bad_parameter","message":"[^"]+","parameter":"$_"\}\}$/ }
  qw(format bodies since_seq since_seq limit cursor sort total tz nothing
     since_seq) ]



=== TEST 5: reading it is all that there is
--- request eval
[ "POST /monitor/api/export", "DELETE /monitor/api/export",
  "GET /monitor/api/export/x" ]
--- error_code eval
[ 405, 405, 404 ]



=== TEST 6: not for strangers
--- request
GET /monitor/api/export
--- more_headers
Host: evil.example
--- error_code: 403



=== TEST 7: HTTP/1.0 gets it without chunks
--- raw_request eval
"GET /monitor/api/export?format=ndjson HTTP/1.0\r\nHost: localhost\r\n\r\n"
--- response_headers
!Transfer-Encoding
--- response_body_like eval
qr/\A(\{"id":.*\}\n){2}\z/



=== TEST 8: of a long answer little is sent at once
--- request
GET /monitor/api/export?format=ndjson
--- response_body_like eval
qr/\A(\{"id":.*\}\n){2}\z/
--- error_log
http write filter limit 65536



=== TEST 9: also where nginx is told not to care
--- request
GET /large/api/export?format=ndjson
--- response_body_like eval
qr/\A(\{"id":.*\}\n){2}\z/
--- error_log
http write filter limit 65536



=== TEST 10: or less
--- request
GET /small/api/export?format=ndjson
--- response_body_like eval
qr/\A(\{"id":.*\}\n){2}\z/
--- error_log
http write filter limit 16384
