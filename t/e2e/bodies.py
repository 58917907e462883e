"""Bodies of 100 MB, both ways, buffered and not: stored whole, found again by
the API byte for byte, whole and in ranges, at a bounded price in memory; and
bodies over the limit: a placeholder, and the usage all the same."""
import base64
import hashlib
import http.client
import http.server
import os
import pathlib
import sys
import threading
import time

from lib import Nginx, Tap, free_port, need_module, wait_for

LIMIT = 100 << 20
PIECE = 1 << 20
EXTRA = 16 << 20                       # over plain nginx
LIMITED = '''
    server {
        listen 127.0.0.1:%d;
        llm_monitor on;
        llm_monitor_max_body_size 64k;
        location / { proxy_pass http://127.0.0.1:%d; }
    }
'''


def filled(head, tail, size):
    """A document of that size with text that does not compress well."""
    n = size - len(head) - len(tail)
    text = base64.b64encode(os.urandom(n * 3 // 4 + 3))[:n]
    return head + text + tail


def answer(size, tokens):
    return filled(b'{"id":"chatcmpl-1","object":"chat.completion","model":'
                  b'"gpt-4o-2024-08-06","choices":[{"index":0,"message":{'
                  b'"role":"assistant","content":"',
                  b'"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,'
                  b'"completion_tokens":5,"total_tokens":%d}}'
                  % (tokens, tokens + 5), size)


def question(size):
    return filled(b'{"messages":[{"role":"user","content":"',
                  b'"}],"model":"gpt-4o"}', size)


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Answers what the test says; keeps the hash of what it was asked."""
    daemon_threads = True
    request_queue_size = 64
    say = b''
    asked = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def do_POST(self):
        h, left = hashlib.sha256(), int(self.headers['Content-Length'])
        while left:
            data = self.rfile.read(min(left, PIECE))
            h.update(data)
            left -= len(data)
        self.server.asked = h.hexdigest()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(self.server.say)))
        self.end_headers()
        self.wfile.write(self.server.say)


class Peak(threading.Thread):
    """The largest anonymous memory of the workers together, sampled, over
    what they had when they were idle and new."""

    def __init__(self, nginx):
        super().__init__(daemon=True)
        self.files = ['/proc/%d/status' % p for p in nginx.workers()]
        self.running = True
        self.peak = 0
        self.idle = self.sample()
        self.start()

    def sample(self):
        n = 0
        for name in self.files:
            for line in pathlib.Path(name).read_text().splitlines():
                if line.startswith('RssAnon:'):
                    n += int(line.split()[1]) * 1024
        return n

    def run(self):
        while self.running:
            self.peak = max(self.peak, self.sample())
            time.sleep(0.005)

    def end(self):
        self.running = False
        self.join()
        return self.peak - self.idle


def call(port, body):
    """Sends body; the hash of the answer."""
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
    c.request('POST', '/v1/chat/completions', body,
              {'Content-Type': 'application/json'})
    r = c.getresponse()
    h = hashlib.sha256()
    while True:
        data = r.read(PIECE)
        if not data:
            break
        h.update(data)
    c.close()
    return r.status, h.hexdigest()


def newest(nginx, n):
    """The newest of n records, when its bodies are stored."""
    nginx.wait_total(n, 60)

    def stored():
        record = nginx.api('/logs?limit=1')[1]['logs'][0]
        return record if 'storing' not in (record['request_body_state'],
                                           record['response_body_state']) \
            else None
    return wait_for(stored, 60, 0.1) or nginx.api('/logs?limit=1')[1][
        'logs'][0]


def download(nginx, record, side, spec=None):
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=120)
    c.request('GET', '/monitor/api/logs/%s/%s' % (record['id'], side),
              headers={'Range': 'bytes=' + spec} if spec else {})
    r = c.getresponse()
    data = r.read()
    c.close()
    return r, data


def ranges(tap, nginx, record, side, body):
    size = len(body)
    for spec, first, last in (
            ('0-99', 0, 99), ('0-0', 0, 0), ('-10', size - 10, size - 1),
            ('262100-262200', 262100, 262200),
            ('52428800-53428799', 52428800, 53428799),
            ('%d-' % (size - 300000), size - 300000, size - 1)):
        r, data = download(nginx, record, side, spec)
        tap.ok(r.status == 206 and data == body[first:last + 1]
               and r.getheader('Content-Range')
               == 'bytes %d-%d/%d' % (first, last, size),
               '%s: bytes=%s' % (side, spec),
               '%d, %s, %d bytes' % (r.status, r.getheader('Content-Range'),
                                     len(data)))
    r, data = download(nginx, record, side, '%d-' % size)
    tap.ok(r.status == 416, '%s: a range beyond the end is 416' % side,
           r.status)


def one(tap, server, nginx, plain, way, ask, say, count, name):
    """An exchange through plain nginx and through the module."""
    server.say = say
    peaks = {}
    for label, n in (('plain', plain), ('module', nginx)):
        n.stop()
        n.start()
        time.sleep(1)
        watch = Peak(n)
        server.asked = None
        status, got = call(getattr(n, way), ask)
        tap.ok(status == 200 and got == sha(say) and server.asked == sha(ask),
               '%s: %s passes it on unchanged' % (name, label), status)
        if label == 'module':
            record = newest(n, count)
        peaks[label] = watch.end()
    tap.note('%s: peak anonymous memory over idle: plain %.1f MB, module '
             '%.1f MB' % (name, peaks['plain'] / 1e6, peaks['module'] / 1e6))
    tap.ok(peaks['module'] <= peaks['plain'] + EXTRA,
           '%s: at most 16 MB above plain nginx' % name, peaks)
    return record


def both(tap, server, nginx, plain):
    small, count = b'{"model":"gpt-4o","messages":[]}', 0
    for way in ('buffered', 'unbuffered'):
        count += 1
        ask, say = small, answer(LIMIT, 1000 + count)
        name = '100 MB answer, ' + way
        r = one(tap, server, nginx, plain, way, ask, say, count, name)
        tap.ok(r['input_tokens'] == 1000 + count and r['output_tokens'] == 5,
               name + ': the usage at its end is found', r['input_tokens'])
        tap.ok(r['response_body_state'] == 'stored'
               and r['response_bytes'] == LIMIT, name + ': stored',
               r['response_body_state'], r['response_bytes'])
        got = download(nginx, r, 'response')
        tap.ok(got[0].status == 200 and sha(got[1]) == sha(say),
               name + ': comes back byte for byte', got[0].status,
               len(got[1]))
        ranges(tap, nginx, r, 'response', say)

        count += 1
        ask, say = question(LIMIT), answer(1000, 2000 + count)
        name = '100 MB request, ' + way
        r = one(tap, server, nginx, plain, way, ask, say, count, name)
        tap.ok(r['model'] == 'gpt-4o' and r['input_tokens'] == 2000 + count,
               name + ': the model at its end is found', r['model'])
        tap.ok(r['request_body_state'] == 'stored'
               and r['request_bytes'] == LIMIT, name + ': stored',
               r['request_body_state'], r['request_bytes'])
        got = download(nginx, r, 'request')
        tap.ok(got[0].status == 200 and sha(got[1]) == sha(ask),
               name + ': comes back byte for byte', got[0].status,
               len(got[1]))
        ranges(tap, nginx, r, 'request', ask)
    return count


def over(tap, server, nginx, plain, count):
    ask, say = question(LIMIT + 1), answer(LIMIT + 1, 3000)
    name = 'over the limit'
    r = one(tap, server, nginx, plain, 'unbuffered', ask, say, count + 1, name)
    tap.ok(r['request_body_state'] == r['response_body_state'] == 'too_large',
           name + ': too_large', r['request_body_state'],
           r['response_body_state'])
    tap.ok(r['input_tokens'] == 3000 and r['model'] == 'gpt-4o',
           name + ': usage and model all the same', r['input_tokens'],
           r['model'])
    detail = nginx.api('/logs/' + r['id'])[1]
    tap.ok(detail['response_body'] == '[Response too large (>100MB)]',
           name + ': the placeholder', str(detail['response_body'])[:80])
    left = [p.name for p in (nginx.data / 'spool').rglob('*')] \
        if (nginx.data / 'spool').exists() else []
    tap.ok(not [n for n in left if not n.startswith('segment.')],
           'the spool is empty again', *left[:5])


def limited(tap, server, nginx, port, count):
    """The limit that is named is that of the exchange, not of the API."""
    server.say = answer((64 << 10) + 1, 1)
    call(port, question((64 << 10) + 1))
    detail = nginx.api('/logs/' + newest(nginx, count)['id'])[1]
    tap.ok(detail['request_body_state'] == 'too_large'
           and detail['response_body'] == '[Response too large (>64KB)]',
           'the limit of the exchange', str(detail['response_body'])[:80])


def main():
    need_module()
    tap = Tap()
    server = Server(('127.0.0.1', free_port()), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    small = free_port()
    nginx = Nginx(port, workers=1, http=LIMITED % (small, port)).start()
    plain = Nginx(port, module=None, workers=1).start()
    try:
        count = both(tap, server, nginx, plain)
        over(tap, server, nginx, plain, count)
        limited(tap, server, nginx, small, count + 2)
    finally:
        nginx.stop()
        plain.stop()
        server.shutdown()
    tap.ok(not nginx.complaints(), 'the error log is quiet',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
