"""From a bad upstream to a message: nginx with the module, Prometheus and
Alertmanager with the rules and configurations of docs/prometheus, a webhook
and a Discord of our own.  The upstream turns bad, the alert fires, both get
their payload; it recovers, and both are told; nginx goes away, and that is
told as well.

The rules are those of docs/prometheus with a minute made two seconds.  What is
waited for comes in its own time: a slow machine makes the test longer, not
red.
"""
import http.client
import http.server
import json
import re
import sys
import threading
import time

import yaml

from scene import DOCS, Program, Prometheus, Server
from lib import Nginx, Tap, free_port, need_module, wait_for

MINUTE = 2                              # seconds
BOUND = 180                             # for whatever is waited for
ANSWER = {'id': 'c', 'model': 'gpt-4o', 'choices': [{
    'index': 0, 'message': {'role': 'assistant', 'content': 'hi'},
    'finish_reason': 'stop'}],
    'usage': {'prompt_tokens': 7, 'completion_tokens': 3}}
ASK = json.dumps({'model': 'gpt-4o', 'messages': []})
WORST = 'LLMUpstreamUnavailable'

# those of slowness may fire on a slow machine, and would be right
ERRORS = {WORST, 'LLMHighErrorRate', 'LLMServerErrors', 'HighErrorRate',
          'LLMMonitorDown', 'ServiceDown', 'LLMDatabaseDown', 'DatabaseDown',
          'LLMRecordsDropped'}


def shorter(text):
    """'5m' with our minutes."""
    n, unit = re.fullmatch(r'(\d+)([smhd])', text).groups()
    seconds = int(n) * {'s': MINUTE / 60, 'm': MINUTE, 'h': 60 * MINUTE,
                        'd': 1440 * MINUTE}[unit]
    return '%dms' % (seconds * 1000)


def rules(path):
    doc = yaml.safe_load(path.read_text())
    for group in doc['groups']:
        for rule in group['rules']:
            rule['expr'] = re.sub(
                r'(\[|offset )(\d+[mhd])', lambda m: m[1] + shorter(m[2]),
                rule['expr'])
            if 'for' in rule:
                rule['for'] = shorter(rule['for'])
    return doc


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    bad = False

    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        body = json.dumps({'error': {'message': 'down', 'type': 'api_error'}}
                          if self.bad else ANSWER).encode()
        self.send_response(500 if self.bad else 200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Receiver(http.server.BaseHTTPRequestHandler):
    got = []                            # (path, payload)

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.got.append((self.path, json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Traffic(threading.Thread):
    """Some twenty requests a second until it is told to stop."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.sent = 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
            try:
                c.request('POST', '/v1/chat/completions', ASK,
                          {'Content-Type': 'application/json'})
                c.getresponse().read()
                self.sent += 1
            except (OSError, http.client.HTTPException):
                pass
            c.close()


class Test:
    def __init__(self):
        self.tap = Tap()
        self.metrics = free_port()
        self.nginx = Nginx(Server(Upstream).server_port, http='''
            server { listen 127.0.0.1:%d;
                location = /metrics { llm_monitor_metrics; } }'''
                           % self.metrics).start()
        self.alertmanager = Program(
            'prometheus-alertmanager', self.receivers(),
            '--storage.path={dir}/data', '--cluster.listen-address=').start()
        self.prometheus = Prometheus(self.metrics, alerting={
            'alertmanagers': [{'static_configs': [{'targets': [
                '127.0.0.1:%d' % self.alertmanager.port]}]}]})
        for path in DOCS.glob('*.rules.yml'):
            self.prometheus.configure(path.name, rules(path))
        self.prometheus.start()

    @staticmethod
    def receivers():
        """alertmanager.yml with our addresses and our minutes."""
        url = 'http://127.0.0.1:%d' % Server(Receiver).server_port
        doc = yaml.safe_load(
            (DOCS / 'alertmanager.yml').read_text()
            .replace('http://127.0.0.1:5001', url)
            .replace('https://discord.com', url)
            .replace('DISCORD_ID/DISCORD_TOKEN', '17/secret'))
        for key in ('group_wait', 'group_interval', 'repeat_interval'):
            doc['route'][key] = shorter(doc['route'][key])
        return doc

    def alerts(self, state='firing'):
        return {a['labels']['alertname'] for a in
                self.prometheus.get('/api/v1/alerts').get('alerts', ())
                if a['state'] == state}

    def wait(self, what, name):
        """A test: it comes to be."""
        found = wait_for(what, BOUND, 0.2)
        if not self.tap.ok(found, name, 'firing: %s' % self.alerts(),
                           'pending: %s' % self.alerts('pending')):
            for program in (self.prometheus, self.alertmanager):
                self.tap.note(program.log.read_text()[-2000:])
        return found

    def told(self, path, status, name):
        """The payload of the webhook in which an alert has a status."""
        for at, payload in list(Receiver.got):
            if at == path and any(a['status'] == status
                                  and a['labels']['alertname'] == name
                                  for a in payload['alerts']):
                return payload
        return None

    def discord(self, title):
        for at, payload in list(Receiver.got):
            if at == '/api/webhooks/17/secret' and any(
                    e['title'] == title for e in payload['embeds']):
                return payload
        return None

    def good(self):
        self.wait(self.prometheus.up, 'the target is up')
        self.traffic = Traffic(self.nginx.unbuffered)
        wait_for(lambda: self.traffic.sent > 100, BOUND)
        fires = self.alerts() & ERRORS
        self.tap.ok(not fires, 'nothing fires while all is well', fires)

    def bad(self):
        Upstream.bad = True
        start = time.monotonic()
        self.wait(lambda: 'LLMHighErrorRate' in self.alerts(),
                  'the upstream is bad: LLMHighErrorRate fires')
        self.wait(lambda: 'LLMServerErrors' in self.alerts(),
                  'LLMServerErrors fires')
        self.wait(lambda: 'HighErrorRate' in self.alerts(),
                  'so does the one of the http metrics')
        self.wait(lambda: self.told('/alerts', 'firing', WORST),
                  'the webhook is told that the upstream is unavailable')
        self.wait(lambda: self.discord('FIRING: ' + WORST), 'so is Discord')
        self.tap.note('%.1f s' % (time.monotonic() - start))
        self.payloads()

    def payloads(self):
        payload = self.told('/alerts', 'firing', WORST) or {'alerts': []}
        mine = [a for a in payload['alerts']
                if a['labels']['alertname'] == WORST]
        labels = mine[0]['labels'] if mine else {}
        notes = mine[0]['annotations'] if mine else {}
        self.tap.ok(labels.get('upstream') == 'llm'
                    and labels.get('severity') == 'critical'
                    and labels.get('instance') == '127.0.0.1:%d'
                    % self.metrics, 'the webhook has the labels', labels)
        self.tap.ok(notes.get('summary', '').startswith('llm: only ')
                    and 'requêtes' in notes.get('summary_fr', '')
                    and '请求' in notes.get('summary_zh', ''),
                    'and says it in three languages', notes)
        payload = self.discord('FIRING: ' + WORST) or {'embeds': [{}]}
        self.tap.ok(payload['embeds'][0].get('description', '').startswith(
            'llm: only '), 'Discord has an embed that people can read',
            payload)

    def recovery(self):
        Upstream.bad = False
        start = time.monotonic()
        more = [Traffic(self.nginx.unbuffered) for _ in range(2)]
        self.wait(lambda: self.told('/alerts', 'resolved', WORST),
                  'it recovers: the webhook is told')
        self.wait(lambda: self.discord('RESOLVED: ' + WORST), 'so is Discord')
        self.wait(lambda: not self.alerts() & ERRORS,
                  'nothing fires any more')
        self.tap.note('%.1f s' % (time.monotonic() - start))
        for t in more + [self.traffic]:
            t.over.set()

    def gone(self):
        self.nginx.stop()
        self.wait(lambda: self.told('/alerts', 'firing', 'LLMMonitorDown'),
                  'nginx is gone: the webhook is told')
        self.wait(lambda: self.discord('FIRING: ServiceDown'),
                  'and Discord, by the name that others have for it')

    def end(self):
        self.tap.ok(not self.nginx.complaints(), 'nginx has no complaints',
                    *self.nginx.complaints()[:5])
        self.prometheus.stop()
        self.alertmanager.stop()


def main():
    need_module()
    t = Test()
    t.good()
    t.bad()
    t.recovery()
    t.gone()
    t.end()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
