"""What nobody said is null: answers of nginx itself, of its cache and of its
files, requests whose bodies nobody read, answers that tell of no stream."""
import http.client
import json
import numbers
import socket
import sys
import threading
import time

from lib import Nginx, Tap, folder, free_port, need_module

CHAT = '/v1/chat/completions'
BODY = b'{"model":"m1","messages":[{"role":"user","content":"hello"}]}'
STREAM = BODY[:-1] + b',"stream":true}'
EVENTS = (b'data: {"id":"c","choices":[{"delta":{"content":"a"}}]}\n\n'
          b'data: {"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]'
          b'}\n\ndata: [DONE]\n\n')
JSON = 'application/json'
ERROR = b'{"error":{"message":"no","type":"bad"}}'

# path of the upstream: (status, type, body); None: it says nothing

ANSWERS = {
    '/whole': (200, JSON, b'{"id":"c","choices":[]}'),
    '/events': (200, 'text/event-stream', EVENTS),
    '/cached': (200, 'text/event-stream', EVENTS),
    '/error': (400, JSON, ERROR),
    '/empty': (200, JSON, b''),
    '/504': (504, JSON, ERROR),
    '/408': (408, 'text/plain', b''),
    '/hang': None,
}

SERVER = '''
    proxy_cache_path %(dir)s/cache keys_zone=c:1m;
    server {
        listen 127.0.0.1:%(port)d;
        llm_monitor on;
        root %(dir)s;
        location /up/hang {
            proxy_read_timeout 200ms;
            proxy_pass http://127.0.0.1:%(up)d/hang;
        }
        location /up/ { proxy_pass http://127.0.0.1:%(up)d/; }
        location /dead/ { proxy_pass http://127.0.0.1:1/; }
        location /large/ { client_max_body_size 4; proxy_pass http://llm/; }
        location /auth/ {
            auth_basic x;
            auth_basic_user_file %(dir)s/none;
            proxy_pass http://llm/;
        }
        location /deny/ { deny all; }
        location /moved/ { return 302 /; }
        location /none/ { llm_monitor_bodies response; return 401; }
        location /file/ {
            default_type text/event-stream;
            try_files /events =404;
        }
        location /cache/ {
            proxy_cache c;
            proxy_cache_valid 1h;
            proxy_cache_methods POST;
            proxy_cache_key $uri;
            proxy_pass http://127.0.0.1:%(up)d/;
        }
    }
'''

NO_TIMES = {'ttfb_ms': None, 'ttft_ms': None}
TIMES = {'ttfb_ms': numbers.Real, 'ttft_ms': numbers.Real}
UNREAD = {'request_bytes': None, 'request_body_state': 'skipped'}
STREAMED = {'stream': True}
WHOLE = {'stream': False}
UNKNOWN = {'stream': None}
SENT = {'outcome': 'http_error', 'aborted_by': None}

# name: (path, body, headers, what the record has); a type: a value of it

CASES = {
    'an answer': ('/up/whole', BODY, {}, {'ttfb_ms': numbers.Real,
                                           'ttft_ms': None}),
    'a stream': ('/up/events', STREAM, {}, TIMES),
    'a stream for the cache': ('/cache/cached', STREAM, {}, TIMES),
    'the same from the cache': ('/cache/cached', STREAM, {}, NO_TIMES),
    'a stream in a file': ('/file/x', None, {}, NO_TIMES),
    'an upstream that hangs': ('/up/hang', STREAM, {}, NO_TIMES),
    'an upstream that is dead':
        ('/dead/x', STREAM, {}, {**NO_TIMES, 'error_type': 'http_error'}),
    'a body that is too large': ('/large/x', STREAM, {},
                                 {**NO_TIMES, **UNREAD}),
    'refused for a password': ('/auth/x', STREAM, {}, {**NO_TIMES, **UNREAD}),
    'refused for an address': ('/deny/x', BODY, {}, {**NO_TIMES, **UNREAD}),
    'a 504 that the upstream sent':
        ('/up/504', BODY, {}, {**SENT, 'error': 'no', 'error_type': 'bad'}),
    'a 408 that it sent':
        ('/up/408', BODY, {}, {**SENT, 'error': None}),
    'a 504 of nginx':
        ('/up/hang', BODY, {}, {'outcome': 'timeout', 'aborted_by': 'timeout',
                                'error_type': 'timeout'}),
    'no stream in time': ('/up/hang', STREAM, {}, STREAMED),
    'no answer in time': ('/up/hang', BODY, {}, WHOLE),
    'no stream from the dead': ('/dead/x', STREAM, {}, STREAMED),
    'no answer from the dead': ('/dead/x', BODY, {}, WHOLE),
    'an error in place of a stream': ('/up/error', STREAM, {}, WHOLE),
    'nothing in place of a stream': ('/up/empty', STREAM, {}, STREAMED),
    'a stream that is refused': ('/auth/x', STREAM, {}, UNKNOWN),
    'a request that is refused': ('/deny/x', None, {}, UNKNOWN),
    'a redirect': ('/moved/x', BODY, {}, {**NO_TIMES, **UNREAD}),
    'a redirect of a chunked body':
        ('/moved/x', BODY, {'Transfer-Encoding': 'chunked'}, UNREAD),
    'a redirect of no body':
        ('/moved/x', None, {}, {'request_bytes': 0,
                                'request_body_state': 'none'}),
    'a redirect of an empty body':
        ('/moved/x', b'', {}, {'request_bytes': 0,
                               'request_body_state': 'none'}),
    'an unread body that nobody wants':
        ('/none/x', BODY, {}, {'request_bytes': None,
                               'request_body_state': 'none'}),
    'a body that was read':
        ('/dead/x', BODY, {}, {'request_bytes': len(BODY),
                               'request_body_state': 'stored'}),
}


def upstream(listener):
    while True:
        threading.Thread(target=answer, args=listener.accept()[:1],
                         daemon=True).start()


def answer(c):
    """One answer; what it is, the path says."""
    with c:
        data = b''
        while b'\r\n\r\n' not in data:
            data += c.recv(1 << 16)
        said = ANSWERS[data.split(b' ')[1].decode().split('?')[0][:-len(CHAT)]]
        if said is None:
            time.sleep(60)
            return
        status, kind, body = said
        c.sendall(b'HTTP/1.1 %d Said\r\nContent-Type: %s\r\nContent-Length: %d'
                  b'\r\n\r\n%s' % (status, kind.encode(), len(body), body))
        c.recv(1 << 16)


def matches(got, want):
    return isinstance(got, want) and not isinstance(got, bool) \
        if isinstance(want, type) else got == want


def main():
    need_module()
    tap = Tap()
    listener = socket.create_server(('127.0.0.1', free_port()))
    threading.Thread(target=upstream, args=(listener,), daemon=True).start()
    at = dict(dir=folder(), port=free_port(), up=listener.getsockname()[1])
    (at['dir'] / 'none').write_text('')
    (at['dir'] / 'events').write_bytes(EVENTS)
    nginx = Nginx(at['up'], http=SERVER % at, path='flush=10ms').start()

    n = 0
    for name, (path, body, headers, want) in CASES.items():
        c = http.client.HTTPConnection('127.0.0.1', at['port'], timeout=60)
        c.request('GET' if body is None else 'POST', path + CHAT, body,
                  {'Content-Type': JSON, **headers},
                  encode_chunked=True)
        c.getresponse().read()
        c.close()
        n += 1
        nginx.wait_total(n)
        record = nginx.api('/logs/' + nginx.logs()[0]['id'])[1]
        wrong = {k: record[k] for k, v in want.items()
                 if not matches(record[k], v)}
        tap.ok(not wrong, name, json.dumps(wrong), want)

    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
