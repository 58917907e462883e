# Wrong configurations are refused with file, line, value and what is allowed;
# directives are refused where they have no meaning.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

add_block_preprocessor(sub {
    my $block = shift;
    my ($where, $what) = @{[ $block->name =~ /^TEST \d+: (\w+): (.*)$/ ]};
    my $path = "llm_monitor_path \$TEST_NGINX_LLM_DIR/configuration";

    $what =~ s/^path\b/$path/;

    $block->set_value(http_config => $where eq 'http' ? $what : '');
    $block->set_value(main_config => $where eq 'main' ? $what : '');
    $block->set_value(config =>
        ($where eq 'server' ? $what : '') . "\nlocation /t {\n"
        . ($where eq 'location' ? $what : '') . "\n}");
    $block->set_value(must_die => 1);
    $block->set_value(request => undef);
});

run_tests();

__DATA__

=== TEST 1: main: llm_monitor on;
--- error_log
"llm_monitor" directive is not allowed here
nginx.conf:



=== TEST 2: server: llm_monitor_api;
--- error_log
"llm_monitor_api" directive is not allowed here
nginx.conf:



=== TEST 3: server: if ($host) { llm_monitor on; }
--- error_log
"llm_monitor" directive is not allowed here
nginx.conf:



=== TEST 4: location: if ($host) { llm_monitor_api; }
--- error_log
"llm_monitor_api" directive is not allowed here
nginx.conf:



=== TEST 5: location: limit_except GET { llm_monitor on; }
--- error_log
"llm_monitor" directive is not allowed here
nginx.conf:



=== TEST 6: location: llm_monitor_path /nowhere;
--- error_log
"llm_monitor_path" directive is not allowed here
nginx.conf:



=== TEST 7: location: llm_monitor_capture_memory 1m;
--- error_log
"llm_monitor_capture_memory" directive is not allowed here
nginx.conf:



=== TEST 8: location: llm_monitor yes;
--- error_log
invalid value "yes" in "llm_monitor" directive, it must be "on" or "off"
nginx.conf:



=== TEST 9: location: llm_monitor on; llm_monitor on;
--- error_log
"llm_monitor" directive is duplicate
nginx.conf:



=== TEST 10: http: path; llm_monitor_path /nowhere;
--- error_log
"llm_monitor_path" directive is duplicate
nginx.conf:



=== TEST 11: http: llm_monitor_path "";
--- error_log
invalid value "" of "llm_monitor_path", it must be the name of a directory of its own
nginx.conf:



=== TEST 12: http: llm_monitor_path //;
--- error_log
invalid value "/" of "llm_monitor_path", it must be the name of a directory of its own
nginx.conf:



=== TEST 13: http: path ring=1k;
--- error_log
invalid value "1k" of "ring", it must be a size from 64k to 16g
nginx.conf:



=== TEST 14: http: path ring=64k ring=64k;
--- error_log
parameter "ring=64k" is duplicate
nginx.conf:



=== TEST 15: http: path rings=1m;
--- error_log
invalid parameter "rings=1m", it must be "ring=", "spool="
nginx.conf:



=== TEST 16: http: path spool=all;
--- error_log
invalid value "all" of "spool", it must be a size such as 0, 256m or 1g
nginx.conf:



=== TEST 17: http: path max_size=1m;
--- error_log
invalid value "1m" of "max_size", it must be a size of 16m or more
nginx.conf:



=== TEST 18: http: path retention=long;
--- error_log
invalid value "long" of "retention", it must be a time such as 12h or 30d, 0 is for ever
nginx.conf:



=== TEST 19: http: path bodies=-1d;
--- error_log
invalid value "-1d" of "bodies", it must be a time such as
nginx.conf:



=== TEST 20: http: path stats=;
--- error_log
invalid value "" of "stats", it must be a time such as
nginx.conf:



=== TEST 21: http: path flush=5ms;
--- error_log
invalid value "5ms" of "flush", it must be a time from 10ms to 60s
nginx.conf:



=== TEST 22: http: path synchronous=off;
--- error_log
invalid value "off" of "synchronous", it must be "full" or "normal"
nginx.conf:



=== TEST 23: http: path node=256;
--- error_log
invalid value "256" of "node", it must be a number from 0 to 255
nginx.conf:



=== TEST 24: location: llm_monitor_bodies all;
--- error_log
invalid value "all" of "llm_monitor_bodies", it must be "off", "on", "errors", "request" or "response"
nginx.conf:



=== TEST 25: location: llm_monitor_max_body_size 5g;
--- error_log
invalid value "5g" of "llm_monitor_max_body_size", it must be a size from 0 to 4g
nginx.conf:



=== TEST 26: location: llm_monitor_buffer_size 1;
--- error_log
invalid value "1" of "llm_monitor_buffer_size", it must be a size from 1k to 16m
nginx.conf:



=== TEST 27: http: llm_monitor_capture_memory 1k;
--- error_log
invalid value "1k" of "llm_monitor_capture_memory", it must be a size of 1m or more
nginx.conf:



=== TEST 28: location: llm_monitor_redact cookie=a;
--- error_log
invalid value "cookie=a" of "llm_monitor_redact", it must be a name, or "header=", "arg=" or "json=" and a name
nginx.conf:



=== TEST 29: location: llm_monitor_if;
--- error_log
invalid number of arguments in "llm_monitor_if" directive
nginx.conf:



=== TEST 30: location: llm_monitor_api write;
--- error_log
invalid value "write" of "llm_monitor_api", it must be "read" or absent
nginx.conf:



=== TEST 31: location: llm_monitor_api; llm_monitor_api read;
--- error_log
"llm_monitor_api" directive is duplicate
nginx.conf:



=== TEST 32: location: llm_monitor_remote some;
--- error_log
invalid value "some" in "llm_monitor_remote" directive, it must be "on" or "off"
nginx.conf:



=== TEST 33: http: llm_monitor_thread_pool "";
--- error_log
invalid value "" of "llm_monitor_thread_pool", it must be the name of a thread pool
nginx.conf:



=== TEST 34: server: location ~ ^/monitor/api { llm_monitor_api; }
--- error_log
"llm_monitor_api" directive cannot be in a location given by regular expression, or inside named location in
nginx.conf:



=== TEST 35: server: location @monitor { llm_monitor_api read; }
--- error_log
"llm_monitor_api" directive cannot be in a location given by regular expression, or inside named location in
nginx.conf:



=== TEST 36: location: proxy_pass http://127.0.0.1; llm_monitor_api;
--- error_log
"llm_monitor_api" directive cannot be beside another content handler in
nginx.conf:



=== TEST 37: location: llm_monitor_api; proxy_pass http://127.0.0.1;
--- error_log
"llm_monitor_api" directive cannot be beside another content handler in
nginx.conf:



=== TEST 38: location: location /t/api { llm_monitor_api; stub_status; }
--- error_log
"llm_monitor_api" directive cannot be beside another content handler in
nginx.conf:



=== TEST 39: http: llm_monitor_metrics;
--- error_log
"llm_monitor_metrics" directive is not allowed here
nginx.conf:



=== TEST 40: location: llm_monitor_metrics now;
--- error_log
invalid number of arguments in "llm_monitor_metrics" directive
nginx.conf:



=== TEST 41: location: llm_monitor_metrics; llm_monitor_metrics;
--- error_log
"llm_monitor_metrics" directive is duplicate
nginx.conf:



=== TEST 42: location: llm_monitor_health dead;
--- error_log
invalid value "dead" of "llm_monitor_health", it must be "live" or absent
nginx.conf:



=== TEST 43: http: llm_monitor_metrics_compat vllm;
--- error_log
invalid value "vllm" of "llm_monitor_metrics_compat", it must be "off" or "openai"
nginx.conf:



=== TEST 44: http: llm_monitor_metrics_otel yes;
--- error_log
invalid value "yes" of "llm_monitor_metrics_otel", it must be "off" or "on"
nginx.conf:



=== TEST 45: http: llm_monitor_metrics_account md5;
--- error_log
invalid value "md5" of "llm_monitor_metrics_account", it must be "off", "hash" or "raw"
nginx.conf:



=== TEST 46: http: llm_monitor_metrics_account raw; llm_monitor_metrics_account raw;
--- error_log
"llm_monitor_metrics_account" directive is duplicate
nginx.conf:



=== TEST 47: server: llm_monitor_metrics_otel on;
--- error_log
"llm_monitor_metrics_otel" directive is not allowed here
nginx.conf:



=== TEST 48: http: llm_monitor_alert latency 1s webhook=http://127.0.0.1/;
--- error_log
invalid value "latency" of "llm_monitor_alert", it must be "error_ratio", "p95", "ttft", "unavailable", "no_traffic", "cost" or "dropped"
nginx.conf:



=== TEST 49: http: llm_monitor_alert error_ratio 10% webhook=http://127.0.0.1/;
--- error_log
invalid value "10%" of "error_ratio", it must be a number from 0 to 1
nginx.conf:



=== TEST 50: http: llm_monitor_alert unavailable 1.5 webhook=http://127.0.0.1/;
--- error_log
invalid value "1.5" of "unavailable", it must be a number from 0 to 1
nginx.conf:



=== TEST 51: http: llm_monitor_alert p95 soon webhook=http://127.0.0.1/;
--- error_log
invalid value "soon" of "p95", it must be a time such as 500ms or 30s
nginx.conf:



=== TEST 52: http: llm_monitor_alert no_traffic 2h webhook=http://127.0.0.1/;
--- error_log
invalid value "2h" of "no_traffic", it must be a time from 1s to 1h
nginx.conf:



=== TEST 53: http: llm_monitor_alert cost much webhook=http://127.0.0.1/;
--- error_log
invalid value "much" of "cost", it must be US dollars such as 5 or 0.5
nginx.conf:



=== TEST 54: http: llm_monitor_alert dropped -1 webhook=http://127.0.0.1/;
--- error_log
invalid value "-1" of "dropped", it must be a number such as 0 or 10
nginx.conf:



=== TEST 55: http: llm_monitor_alert cost 5 for=2m;
--- error_log
"llm_monitor_alert" directive needs "webhook=" or "discord="
nginx.conf:



=== TEST 56: http: llm_monitor_alert cost 5 webhook=ftp://127.0.0.1/;
--- error_log
parameter "webhook=ftp://127.0.0.1/" must begin with "http://" or "https://"
nginx.conf:



=== TEST 57: http: llm_monitor_alert cost 5 webhook=http://127.0.0.1/ window=1m;
--- error_log
parameter "window=1m" has no meaning for this condition
nginx.conf:



=== TEST 58: http: llm_monitor_alert p95 1s webhook=http://127.0.0.1/ window=2h;
--- error_log
invalid value "2h" of "window", it must be a time from 1s to 1h
nginx.conf:



=== TEST 59: http: llm_monitor_alert p95 1s webhook=http://127.0.0.1/ min=0;
--- error_log
invalid value "0" of "min", it must be a number of 1 or more
nginx.conf:



=== TEST 60: http: llm_monitor_alert p95 1s webhook=http://127.0.0.1/ for=ever;
--- error_log
invalid value "ever" of "for", it must be a time from 0 to 1d
nginx.conf:



=== TEST 61: http: llm_monitor_alert p95 1s webhook=http://127.0.0.1/ mail=me;
--- error_log
invalid parameter "mail=me", it must be "webhook=", "discord=", "for=", "cooldown=", "window=" or "min="
nginx.conf:



=== TEST 62: http: llm_monitor_metrics_http api;
--- error_log
invalid value "api" of "llm_monitor_metrics_http", it must be "on" or "off"
nginx.conf:



=== TEST 63: http: llm_monitor_alert cost 5 webhook=https://127.0.0.1/;
--- error_log
"llm_monitor_alert" to "https://127.0.0.1" needs the name of a host while "llm_monitor_alert_ssl_verify" is on



=== TEST 64: http: llm_monitor_alert_ssl_verify 1;
--- error_log
invalid value "1" in "llm_monitor_alert_ssl_verify" directive, it must be "on" or "off"
nginx.conf:



=== TEST 65: http: llm_monitor_alert_ssl_trusted_certificate /nowhere; llm_monitor_alert cost 5 webhook=https://localhost/;
--- error_log
SSL_CTX_load_verify_locations("/nowhere") failed
