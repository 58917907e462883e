"""Requests that nginx gives up before it has found a location, and answers
without a head: where the server watches, each has one record, with as much of
the request as there was; where only a location does, there is none.  And
clients that leave before there is a head."""
import re
import socket
import struct
import sys
import threading

from lib import Nginx, Tap, folder, free_port, need_module, wait_for

HOST = b'Host: x\r\n'
SECRET = 'canary-5d1e0b'
LONG = b'a' * 3000
SERVER = '''
    log_format seen '$status $llm_outcome';
    keepalive_timeout 0;
    client_header_buffer_size 1k;
    large_client_header_buffers 2 2k;
    server {
        listen 127.0.0.1:%(plain)d;
        listen 127.0.0.1:%(h2)d http2;
        listen 127.0.0.1:%(tls)d ssl;
        ssl_certificate $arg_none;
        ssl_certificate_key $arg_none;
        access_log %(dir)s/access.log seen;
        llm_monitor on;
        location / { return 200 "x"; }
        location /bare { proxy_pass http://127.0.0.1:%(bare)d; }
    }
    server {
        listen 127.0.0.1:%(late)d;
        access_log %(dir)s/access.log seen;
        client_header_timeout 1s;
        llm_monitor on;
    }
    server {
        listen 127.0.0.1:%(page)d;
        llm_monitor on;
        error_page 400 414 /page;
        location = /page { llm_monitor_provider page; return 200 "sorry"; }
    }
    server {
        listen 127.0.0.1:%(left)d http2;
        llm_monitor on;
        llm_monitor_provider left;
        location / { proxy_pass http://127.0.0.1:%(hang)d; }
        location /flow {
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:%(hang)d;
        }
    }
'''


def get(path, *headers, method=b'GET', version=b'HTTP/1.1'):
    return b'%s %s %s\r\n%s\r\n' % (method, path, version, b''.join(headers))


def frame(kind, flags, stream, body=b''):
    return struct.pack('>I', len(body))[1:] \
        + struct.pack('>BBI', kind, flags, stream) + body


# HTTP/2 with a head that has no path, and with one that does not end

H2 = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(4, 0, 0)
NO_PATH = H2 + frame(1, 5, 1, b'\x82\x86')
UNENDED = H2 + frame(1, 1, 1, b'\x82\x86\x04\x03/h2')
RESET = frame(3, 0, 1, b'\0\0\0\x08')


def post(path, body, end):
    head = b'\x83\x86\x01\x01x\x04%c%s' % (len(path), path)
    return H2 + frame(1, 4, 1, head) + frame(0, end, 1, body)


# name: (where, what is sent, how long the client stays, and the record's
# method, url, status, outcome, aborted_by)

CASES = {
    'a request line that is too long':
        ('plain', b'POST /v1/chat/completions?api_key=' + SECRET.encode()
         + b'&x=' + LONG, 60,
         'POST', r'/v1/chat/completions\?api_key=\*\*\*&x=a+', 414,
         'rejected', None),
    'the beginning of TLS':
        ('plain', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 60,
         None, None, 400, 'rejected', None),
    'a method in lower case':
        ('plain', get(b'/v1', HOST, method=b'get'), 60,
         None, None, 400, 'rejected', None),
    'a path that leads out':
        ('plain', get(b'/v1/../../x', HOST), 60,
         'GET', '/v1/../../x', 400, 'rejected', None),
    'a version that is none':
        ('plain', get(b'/v1/models', HOST, method=b'PUT',
                      version=b'HTTP/9.1'), 60,
         'PUT', '/v1/models', 505, 'rejected', None),
    'a password in the url':
        ('plain', get(b'http://me:' + SECRET.encode() + b'@x/v1', HOST), 60,
         'GET', None, 400, 'rejected', None),
    'CONNECT':
        ('plain', get(b'x:443', HOST, method=b'CONNECT'), 60,
         'CONNECT', None, 400, 'rejected', None),
    'no Host':
        ('plain', get(b'/v1/host'), 60,
         'GET', '/v1/host', 400, 'rejected', None),
    'a header that is none':
        ('plain', get(b'/v1/header', HOST, b'X\x00Y: 1\r\n'), 60,
         'GET', '/v1/header', 400, 'rejected', None),
    'a header that is too long':
        ('plain', get(b'/v1/long', HOST, b'X: ' + LONG + b'\r\n'), 60,
         'GET', '/v1/long', 400, 'rejected', None),
    'a length that is none':
        ('plain', get(b'/v1/length', HOST, b'Content-Length: x\r\n'), 60,
         'GET', '/v1/length', 400, 'rejected', None),
    'a coding that nginx does not have':
        ('plain', get(b'/v1/coding', HOST, b'Transfer-Encoding: x\r\n'), 60,
         'GET', '/v1/coding', 501, 'rejected', None),
    'TRACE':
        ('plain', get(b'/v1/trace', HOST, method=b'TRACE'), 60,
         'TRACE', '/v1/trace', 405, 'rejected', None),
    'a head that does not end':
        ('late', b'GET /v1/late HTTP/1.1\r\n' + HOST, 60,
         'GET', '/v1/late', 408, 'client_abort', 'timeout'),
    'a request line that does not end':
        ('late', b'GET /v1/mod', 60,
         'GET', '/v1/mod', 408, 'client_abort', 'timeout'),
    'a method that does not end':
        ('late', b'DELE', 60, None, None, 408, 'client_abort', 'timeout'),
    'who leaves within the head':
        ('plain', b'PATCH /v1/gone HTTP/1.1\r\nHo', 0,
         'PATCH', '/v1/gone', 499, 'client_abort', 'client'),
    'who leaves within the request line':
        ('plain', b'DELETE /v1/go', 0,
         'DELETE', '/v1/go', 499, 'client_abort', 'client'),
    'plain HTTP where there is TLS':
        ('tls', get(b'/v1/tls', HOST), 60,
         'GET', '/v1/tls', 400, 'rejected', None),
    'HTTP/0.9':
        ('plain', b'GET /v1/old\r\n', 60,
         'GET', '/v1/old', 200, 'success', None),
    'HTTP/2 without a path':
        ('h2', NO_PATH, 0.5, None, None, 400, 'rejected', None),
    'who leaves within a head of HTTP/2':
        ('h2', UNENDED, 0, 'GET', '/h2', 499, 'client_abort', 'client'),
    'who leaves HTTP/2 before the answer':
        ('left', post(b'/v1/wait', b'{}', 1), 0,
         'POST', '/v1/wait', 499, 'client_abort', 'client'),
    'who resets a stream of HTTP/2 before the answer':
        ('left', post(b'/v1/reset', b'{}', 1) + RESET, 0.5,
         'POST', '/v1/reset', 499, 'client_abort', 'client'),
    'who leaves within a body of HTTP/2':
        ('left', post(b'/v1/body', b'{', 0), 0,
         'POST', '/v1/body', 499, 'client_abort', 'client'),
    'who resets a stream of HTTP/2 within a body that is passed on':
        ('left', post(b'/flow', b'{', 0) + RESET, 0.5,
         'POST', '/flow', 499, 'client_abort', 'client'),
    'a page for a request line that nobody can read':
        ('page', b'\r\nOPTIONS * x\r\n\r\n', 60,
         'OPTIONS', None, 400, 'rejected', None),
    'a page for one that is too long':
        ('page', b'POST /v1/page?x=' + LONG, 60,
         'POST', r'/v1/page\?x=a+', 414, 'rejected', None),
    'an upstream without a status line':
        ('plain', get(b'/bare', HOST), 60,
         'GET', '/bare', 9, 'http_error', None),
}

# what nginx answers itself, where only a location is watched

NOT_WATCHED = (get(b'/v1/../../x', HOST), b'GET /v1?x=' + LONG)


def bare(listener):
    """An upstream that says something, but not HTTP."""
    while True:
        c, _ = listener.accept()
        c.recv(1 << 16)
        c.sendall(b'SSH-2.0-OpenSSH_9.2\r\n')
        c.close()


def talk(port, sent, stay):
    """Sends it and reads until nginx closes, but for stay seconds only."""
    with socket.create_connection(('127.0.0.1', port), 60) as s:
        try:
            s.sendall(sent)
            s.settimeout(stay or 0.05)
            while s.recv(1 << 16):
                pass
        except OSError:
            pass


def said(record):
    return [record[k] for k in ('method', 'url', 'status', 'outcome',
                                'aborted_by')]


def same(got, want):
    return got[0] == want[0] and got[2:] == want[2:] \
        and (got[1] == want[1] if None in (got[1], want[1])
             else bool(re.fullmatch(want[1], got[1])))


def main():
    need_module()
    tap = Tap()
    upstream = socket.create_server(('127.0.0.1', free_port()))
    threading.Thread(target=bare, args=(upstream,), daemon=True).start()
    hang = socket.create_server(('127.0.0.1', free_port()))
    at = dict(bare=upstream.getsockname()[1], hang=hang.getsockname()[1],
              dir=folder())
    for name in ('plain', 'tls', 'h2', 'late', 'page', 'left'):
        at[name] = free_port()
    nginx = Nginx(at['bare'], http=SERVER % at, path='flush=10ms').start()

    n = 0
    for name, (where, sent, stay, *want) in CASES.items():
        talk(at[where], sent, stay)
        n += 1
        nginx.wait_total(n)
        logs = nginx.logs()
        got = said(logs[0]) if len(logs) == n else len(logs)
        tap.ok(len(logs) == n and same(got, want), name, got, want)
        tap.ok(SECRET not in str(logs), name + ': no secret')
    unknown = [r for r in logs if r['url'] is None]
    tap.ok(all(r['endpoint'] is None and r['protocol'] == 'unknown'
               for r in unknown), 'nothing is known of what never came')
    tap.ok(logs[0]['error'] == 'upstream sent no valid HTTP/1.0 header',
           'why an answer without a status line is none', logs[0]['error'])
    tap.ok(nginx.api('/count?errors_only=1')[1]['total'] == n - 1,
           'all are errors but HTTP/0.9')

    for sent in NOT_WATCHED:
        talk(nginx.buffered, sent, 60)
    tap.ok(not wait_for(lambda: nginx.total() != n, 0.5, 0.1),
           'where only a location watches there is no record')

    # nginx has a status of its own for who left, and for who left a head of
    # HTTP/2 none, and no end of it

    lines = sorted((at['dir'] / 'access.log').read_text().split('\n')[:-1])
    want = sorted('000 -' if r['url'] == '/h2' else '%03d %s'
                  % (400 if r['status'] == 499 else r['status'], r['outcome'])
                  for r in logs
                  if r['provider'] not in ('page', 'left'))
    tap.ok(lines == want, 'access_log has the same outcomes', lines, want)
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
