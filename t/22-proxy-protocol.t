# A proxy of this machine may say in the PROXY protocol that its client is
# somewhere else: such a request is not local.

use Test::Nginx::Socket 'no_plan';
use Patient;

repeat_each(1);
no_shuffle();

our $port = server_port() + 1;

server_port_for_client($port);

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(config => 'location /t { return 204; }');
    $block->set_value(http_config => <<"_EOC_");
    llm_monitor_path \$TEST_NGINX_LLM_DIR/proxy-protocol;
    server {
        listen 127.0.0.1:$main::port proxy_protocol;
        location / { llm_monitor_api; }
    }
_EOC_
    $block->set_value(raw_request => 'PROXY ' . $block->proxy . "\r\n"
        . "GET /count HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n");
    $block->set_value(no_error_log => "[alert]\n[crit]\n[error]");
});

run_tests();

__DATA__

=== TEST 1: somebody else
--- proxy: TCP4 192.0.2.1 127.0.0.1 1024 80
--- error_code: 403
--- response_body_like: "forwarded requests are not answered here



=== TEST 2: a local client
--- proxy: TCP6 ::1 ::1 1024 80
--- response_body_like: ^\{"total":\d+\}$
