"""A look at the monitor is no traffic, however one comes there."""
import socket
import sys

from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

SERVER = '''
    server {{
        listen 127.0.0.1:{port};
        llm_monitor on;

        location /v1/ {{
            proxy_pass http://llm;
        }}
        location / {{
            llm_monitor_ui;
        }}
        location /monitor/api {{
            llm_monitor_api;
        }}
        location /metrics {{
            llm_monitor_metrics;
        }}
        location = /health {{
            llm_monitor_health;
        }}
        location /rw/ {{
            rewrite ^/rw/(.*)$ /$1 last;
        }}
        location /try/ {{
            try_files /nothing /monitor/api/logs;
        }}
    }}
'''


class Test:
    def __init__(self):
        self.tap = Tap()
        self.port = free_port()
        self.upstream = Listener(free_port())
        self.nginx = Nginx(self.upstream.port,
                           http=SERVER.format(port=self.port)).start()

    def ask(self, head, reads=1 << 20):
        """The first of an answer to a request's head, sent as it is."""
        s = socket.create_connection(('127.0.0.1', self.port), 60)
        s.sendall(head.encode('latin-1') + b'\r\n\r\n')
        data = b''
        while len(data) < reads:
            more = s.recv(1 << 16)
            data += more
            if not more:
                break
        s.close()
        return data

    def get(self, path):
        return self.ask('GET %s HTTP/1.0\r\nHost: localhost' % path)

    def nothing(self, name):
        """After an exchange that is traffic, it is the only new record."""
        before = self.count
        exchange(self.port, self.upstream,
                 request('GET', '/v1/models', [('Host', 'x')], b''),
                 Reply(200, [], [b'{}'], 'length'))
        self.nginx.wait_total(before + 1)
        urls = [r['url'] for r in self.nginx.logs()]
        self.count = len(urls)
        self.tap.ok(self.count == before + 1 and urls[0] == '/v1/models',
                    name, urls[:5])

    def run(self):
        self.count = 0
        for path in ('/rw/monitor/api/logs', '/rw/metrics', '/rw/health',
                     '/rw/index.html', '/try/x', '/rw/monitor/api/nothing'):
            status = self.get(path).split(b' ', 2)[1]
            self.tap.ok(status in (b'200', b'404'), path + ' is answered',
                        status)
            self.nothing(path + ' is no traffic')
        s = socket.create_connection(('127.0.0.1', self.port), 60)
        s.sendall(b'GET /rw/monitor/api/events HTTP/1.1\r\n'
                  b'Host: localhost\r\n\r\n')
        seen = s.recv(1 << 16)
        self.nothing('a stream of events is no traffic')
        while b'/v1/models' not in seen:
            seen += s.recv(1 << 16)
        self.tap.ok(self.nginx.api('/live')[1]['live'] == [],
                    'nor is it in flight')
        s.close()
        wait_for(lambda: False, 0.5)
        self.nothing('nor when it is over')
        for head, status in (
                ('TRACE /monitor/api HTTP/1.1\r\nHost: localhost', 405),
                ('TRACE /monitor/api/logs?limit=1 HTTP/1.1\r\nHost: x', 405),
                ('TRACE /health HTTP/1.1\r\nHost: localhost', 405),
                ('GET /monitor/api HTTP/1.1\r\nHost: ', 400),
                ('GET /monitor/api HTTP/1.1', 400),
                ('GET /monitor/api/sessions/a%00b HTTP/1.1\r\nHost: x', 400)):
            found = self.ask(head + '\r\nConnection: close')
            self.tap.ok(found.split(b' ', 2)[1] == b'%d' % status,
                        'nginx refuses %r' % head[:30], found[:200])
            self.nothing('which is no traffic')
        for head in ('TRACE /v1/chat/completions HTTP/1.1\r\nHost: localhost',
                     'GET /v1/models HTTP/1.1\r\nHost: ',
                     'GET /v1/a%00b HTTP/1.1\r\nHost: x'):
            self.ask(head + '\r\nConnection: close')
            self.count += 1
            self.tap.ok(self.nginx.wait_total(self.count) == self.count,
                        'what is refused of traffic is: ' + head[:20])
        dropped = {n: v for n, v in self.nginx.metrics().items()
                   if 'dropped' in n and v}
        self.tap.ok(not dropped, 'and nothing was lost', dropped)


def main():
    need_module()
    t = Test()
    t.run()
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of in the log',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
