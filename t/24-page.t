
# The page: its document, its files, their codings and their caching, and that
# nobody gets it who would not get the API.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

# the name of the script, as the document has it

our $script;

sub files {
    my $made = "$ENV{TEST_NGINX_PAGE}/files.json";

    open my $in, '<', $made or return;
    local $/;
    return <$in> =~ /"name": "(app-\w+\.js)"/;
}

$ENV{TEST_NGINX_PAGE} = 'build/ui';
($script) = files() or plan(skip_all => 'the module has no page');

our $servers = <<'_EOC_';
    location /monitor { llm_monitor_ui; }
    location /monitor/api { llm_monitor_api; }
    location /deep/er/ { llm_monitor_ui; }
    location "/a/b'\"<x> m" { llm_monitor_ui; }
    location /closed {
        llm_monitor_ui;
        limit_except GET { deny all; }
    }
_EOC_

add_block_preprocessor(sub {
    my $block = shift;

    if (!defined $block->config) {
        $block->set_value(config => $main::servers);
    }

    $block->set_value(http_config =>
        "llm_monitor_path \$TEST_NGINX_LLM_DIR/page;\n");

    if (!defined $block->no_error_log) {
        $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: the document and its policy
--- request
GET /monitor/
--- response_headers
Content-Type: text/html; charset=utf-8
Cache-Control: no-cache
X-Content-Type-Options: nosniff
Referrer-Policy: no-referrer
X-Frame-Options: DENY
--- raw_response_headers_like eval
qr/Content-Security-Policy: default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/
--- response_body_like eval
qr/src="$::script"/



=== TEST 2: without the slash the files are one step down
--- request
GET /monitor?status=4xx
--- response_body_like eval
qr{src="./monitor/$::script"}



=== TEST 3: a location with a slash
--- request
GET /deep/er/
--- response_body_like eval
qr/src="$::script"/



=== TEST 4: a name that HTML would take for its own
--- request
GET /a/b'%22%3Cx%3E%20m
--- response_body_like eval
qr{src="./b%27%22%3Cx%3E%20m/$::script"}



=== TEST 5: a file is kept for ever
--- request eval
"GET /monitor/$::script"
--- response_headers
Content-Type: text/javascript; charset=utf-8
Cache-Control: public, max-age=31536000, immutable
X-Content-Type-Options: nosniff
Vary: Accept-Encoding
!Content-Encoding
--- raw_response_headers_like chomp
ETag: "[0-9a-f]{16}"
--- response_body_like chomp
.



=== TEST 6: br is liked most
--- request eval
"GET /monitor/$::script"
--- more_headers
Accept-Encoding: gzip, deflate, br
--- response_headers
Content-Encoding: br
--- raw_response_headers_like chomp
ETag: "[0-9a-f]{16}-br"
--- response_body_like chomp
.



=== TEST 7: q decides, and none of them is fine too
--- pipelined_requests eval
[ map { "GET /monitor/$::script" } 1 .. 7 ]
--- more_headers eval
[ "Accept-Encoding: br;q=0.5, gzip", "Accept-Encoding: br;q=0, *",
  "Accept-Encoding: BR", "Accept-Encoding: br;q=0",
  "Accept-Encoding: identity, br;q=0.5", "Accept-Encoding: br;q=x",
  "Accept-Encoding: ,;=, gzip ; q=1.000" ]
--- response_headers eval
[ map { $_ ? "Content-Encoding: $_" : "!Content-Encoding" }
  ('gzip', 'gzip', 'br', '', '', '', 'gzip') ]
--- response_body_like eval
[ map { qr/./ } 1 .. 7 ]



=== TEST 8: HEAD has the headers alone
--- request eval
"HEAD /monitor/$::script"
--- response_headers_like
Content-Length: [1-9]\d+
--- response_body



=== TEST 9: what a browser has is not sent again
--- request
GET /monitor
--- more_headers
If-None-Match: *
--- error_code: 304
--- response_headers
Cache-Control: no-cache
--- response_body



=== TEST 10: an old ETag brings the new document
--- request
GET /monitor
--- more_headers
If-None-Match: "old-./monitor/"
--- response_body_like
<!DOCTYPE html>



=== TEST 11: what is not there
--- pipelined_requests eval
[ "GET /monitor/app.js", "GET /monitor/index.html", "GET /monitorx",
  "GET /monitor/../etc/passwd" ]
--- error_code eval
[ 404, 404, 404, 404 ]
--- response_body_like eval
[ map { qr/404/ } 1 .. 4 ]
--- no_error_log eval
[ "[alert]", "[crit]" ]



=== TEST 12: only reading
--- request
POST /monitor
x=1
--- error_code: 405
--- response_headers
Allow: GET, HEAD
--- response_body_like chomp
method_not_allowed



=== TEST 13: the location keeps its handler inside of limit_except
--- request
POST /closed
--- error_code: 403
--- no_error_log
[alert]



=== TEST 14: not to a foreign name
--- request
GET /monitor
--- more_headers
Host: evil.example
--- error_code: 403
--- response_body_like chomp
this Host is not answered here



=== TEST 15: not to one that is forwarded
--- request
GET /monitor
--- more_headers
X-Forwarded-For: 127.0.0.1
--- error_code: 403
--- response_body_like chomp
forwarded requests are not answered here



=== TEST 16: the API beside it answers
--- request
GET /monitor/api/count
--- response_body_like chomp
^\{"total":\d+\}$



=== TEST 17: not where its files could not be asked for
--- config
    location = /monitor { llm_monitor_ui; }
--- must_die
--- error_log
"llm_monitor_ui" directive cannot be in a location given by "="
--- no_error_log
[alert]



=== TEST 18: nor beside another handler
--- config
    location /monitor { llm_monitor_ui; llm_monitor_api; }
--- must_die
--- error_log
"llm_monitor_api" directive cannot be beside another content handler
--- no_error_log
[alert]



=== TEST 19: nor by a regular expression
--- config
    location ~ /monitor { llm_monitor_ui; }
--- must_die
--- error_log
"llm_monitor_ui" directive cannot be in a location given by regular expression
--- no_error_log
[alert]



=== TEST 20: a location with a slash takes those who leave it out
--- config
    location /monitor/ { llm_monitor_ui; }
    location /monitor/api { llm_monitor_api; }
    location = /stats/ { llm_monitor_metrics; }
    llm_monitor on;
--- request eval
[ "GET /monitor?x=1", "GET /stats", "GET /stats/" ]
--- error_code eval
[ 301, 301, 200 ]
--- response_headers_like eval
[ "Location: http://[^/]+/monitor/\\?x=1", "Location: http://[^/]+/stats/",
  "Content-Type: text/plain.*" ]
--- response_body_like eval
[ qr/301/, qr/301/, qr/\A(?!.*^llm_requests_total\{)/ms ]
