"""Every query of every dashboard in docs/grafana brings data out of a real
Prometheus that is fed by nginx with the module and traffic of all kinds, and
every metric that an alert of docs/prometheus looks at is there, with the labels
that it asks for."""
import gzip
import http.client
import http.server
import json
import re
import socket
import sys
import threading
import time

import yaml

from scene import DOCS, ROOT, Prometheus, Server
from lib import Nginx, Tap, free_port, need_module, wait_for

BOUND = 180                             # seconds, for whatever is waited for
CHAT = '/v1/chat/completions'
FOLDER = ROOT / 'docs/grafana/dashboards'

USAGE = {'prompt_tokens': 40, 'completion_tokens': 20, 'total_tokens': 60,
         'prompt_tokens_details': {'cached_tokens': 16},
         'completion_tokens_details': {'reasoning_tokens': 8}}


def event(data):
    return b'data: ' + json.dumps(data).encode() + b'\n\n'


def chunk(delta, **more):
    return event(dict(id='c', model='gpt-4o', choices=[
        dict(index=0, delta=delta, **more)]))


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers as the request's model says."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(
            int(self.headers['Content-Length'])))
        kind = asked['model'].partition('/')[2] or 'whole'
        getattr(self, kind)(asked['model'])

    def answer(self, status, body, head=(), kind='application/json'):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        for name, value in dict(head).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def whole(self, model, usage=USAGE, answers='gpt-4o-2024-08-06'):
        body = {'id': 'c', 'model': answers, 'choices': [{
            'index': 0, 'message': {'role': 'assistant', 'content': 'hi'},
            'finish_reason': 'stop'}]}
        if usage:
            body['usage'] = usage
        self.answer(200, json.dumps(body).encode())

    def unpriced(self, model):
        self.whole(model, answers=model)

    def silent(self, model):
        self.whole(model, usage=None)

    def broken(self, model):
        self.answer(200, gzip.compress(b'{"usage":' * 99)[:60],
                    {'Content-Encoding': 'gzip'})

    def refused(self, model):
        self.answer(429, b'{"error":{"message":"slow","type":"rate"}}')

    def failed(self, model):
        self.answer(500, b'{"error":{"message":"no","type":"api_error"}}')

    def stream(self, model, end=True, pause=0.01):
        self.answer(200, chunk({'role': 'assistant'}),
                    kind='text/event-stream')
        for word in ('a', 'b', 'c'):
            time.sleep(pause)
            self.wfile.write(chunk({'content': word}))
            self.wfile.flush()
        if end:
            self.wfile.write(chunk({}, finish_reason='stop') + event(
                {'id': 'c', 'choices': [], 'usage': USAGE})
                + b'data: [DONE]\n\n')

    def cut(self, model):
        self.stream(model, end=False)

    def slow(self, model):
        try:
            self.stream(model, pause=0.2)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Traffic(threading.Thread):
    """Rounds of one request of every kind, until it is told to stop."""

    KINDS = ('whole', 'unpriced', 'silent', 'broken', 'refused', 'failed',
             'stream', 'cut', 'slow')

    def __init__(self, nginx):
        super().__init__(daemon=True)
        self.nginx = nginx
        self.over = threading.Event()
        self.start()

    def ask(self, kind, n):
        model = 'unpriced-model/unpriced' if kind == 'unpriced' \
            else 'gpt-4o' if kind == 'whole' else 'gpt-4o/' + kind
        body = json.dumps({
            'model': model, 'user': 'u%d' % (n % 3), 'stream': kind in (
                'stream', 'cut', 'slow'),
            'messages': [{'role': 'user', 'content': 'hi'}]}).encode()
        head = {'Content-Type': 'application/json',
                'X-Session-Id': 'session-%d' % n}
        c = http.client.HTTPConnection('127.0.0.1', self.nginx.unbuffered,
                                       timeout=60)
        try:
            c.request('POST', CHAT, body, head)
            r = c.getresponse()
            if kind == 'slow':          # and this one leaves in the middle
                r.read1(10)
            else:
                r.read()
        except (OSError, http.client.HTTPException):
            pass
        c.close()

    def leave(self):
        """A client that does not wait for any of it."""
        body = b'{"model":"gpt-4o/slow","messages":[]}'
        with socket.create_connection(('127.0.0.1',
                                       self.nginx.unbuffered)) as s:
            s.sendall(b'POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n'
                      b'\r\n%s' % (CHAT.encode(), len(body), body))

    def run(self):
        n = 0
        while not self.over.wait(0.02):
            for kind in self.KINDS:
                self.ask(kind, n)
            self.leave()
            self.nginx.api('/logs?limit=1')
            n += 1


def plain(expr):
    return re.sub(r'\$(job|instance|upstream)', '.+', expr.replace(
        '$__rate_interval', '5s').replace('$__range', '30s'))


def queries():
    for path in sorted(FOLDER.glob('*.json')):
        board = json.loads(path.read_text())
        for panel in board['panels']:
            for target in panel.get('targets', ()):
                yield path.stem, panel['title'], target
        for v in board['templating']['list']:
            if v['type'] == 'query':
                yield path.stem, 'variable ' + v['name'], {
                    'expr': re.fullmatch(r'label_values\((.*), \w+\)',
                                         v['query'])[1]}


def metrics_of_alerts():
    """{name: labels} of the rules' selectors."""
    found = {}
    for path in sorted(DOCS.glob('*.rules.yml')):
        for group in yaml.safe_load(path.read_text())['groups']:
            for rule in group['rules']:
                for name, labels in re.findall(
                        r'\b((?:llm|http)_\w+|up)\b(?:{([^}]*)})?',
                        rule['expr']):
                    found.setdefault(name, set()).update(
                        re.findall(r'(\w+)[=!]~?"', labels))
    return found


def main():
    need_module()
    tap = Tap()
    metrics = free_port()
    nginx = Nginx(Server(Upstream).server_port, path='max_size=1g', http='''
        llm_monitor_metrics_compat openai;
        server { listen 127.0.0.1:%d;
            location = /metrics { llm_monitor_metrics; } }''' % metrics)
    nginx.start()
    prometheus = Prometheus(metrics).start()
    tap.ok(wait_for(prometheus.up, BOUND, 0.2), 'the target is up')
    traffic = Traffic(nginx)

    for board, title, target in queries():
        expr = plain(target['expr'])
        found = wait_for(lambda: prometheus.query(expr), BOUND, 0.3)
        named = set(re.findall(r'{{(\w+)}}', target.get('legendFormat', '')))
        bare = [m for m, _ in found or () if not named <= m.keys()]
        tap.ok(found and not bare, '%s: %s' % (board, title), expr, *bare[:3])

    for name, labels in sorted(metrics_of_alerts().items()):
        found = wait_for(lambda: prometheus.query(name), BOUND, 0.3)
        tap.ok(found and labels <= found[0][0].keys(),
               'alerts: %s' % name, labels, *found[:2])

    traffic.over.set()
    traffic.join(30)
    prometheus.stop()
    tap.ok(not nginx.complaints(), 'nginx has no complaints',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
