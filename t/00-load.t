# The module loads, `llm_monitor on;` alone is enough, and it can be off.
# Everything else builds on this; where it fails, look at the build first.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(2);
run_tests();

__DATA__

=== TEST 1: loaded and never mentioned
--- config
    location /t {
        return 200 "ok\n";
    }
--- request
GET /t
--- response_body
ok
--- no_error_log
[warn]
[error]
[alert]



=== TEST 2: on, with every default but the directory
--- http_config
    llm_monitor_path $TEST_NGINX_LLM_DIR;
--- config
    location /t {
        llm_monitor on;
        return 200 "ok\n";
    }
--- request
GET /t
--- response_body
ok
--- no_error_log
[warn]
[error]
[alert]
