"""VictoriaMetrics instead of Prometheus: with the same configuration it scrapes
nginx with the module, has every series with the value that nginx shows, and
answers what dashboards and alerts ask; its vmalert takes the rules."""
import http.client
import http.server
import json
import re
import shutil
import subprocess
import sys

from scene import DOCS, PATH, Server, VictoriaMetrics
from lib import Nginx, Tap, need_module, wait_for

BOUND = 180                             # seconds, for whatever is waited for
SAMPLE = re.compile(r'(\w+)(?:{(.*)})?$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

# what a scrape itself changes, and what is of the time when it is looked at
MOVES = re.compile(r'llm_monitor_|nginx_|process_|http_requests_in_flight')


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        asked = json.loads(self.rfile.read(
            int(self.headers['Content-Length'])))
        body = json.dumps({'model': asked['model'], 'usage': {
            'prompt_tokens': 7, 'completion_tokens': 3}}).encode()
        self.send_response(asked['max_tokens'])
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(nginx, model, status):
    c = http.client.HTTPConnection('127.0.0.1', nginx.buffered, timeout=60)
    c.request('POST', '/v1/chat/completions', json.dumps(
        {'model': model, 'max_tokens': status, 'messages': []}),
        {'Content-Type': 'application/json'})
    c.getresponse().read()
    c.close()


def shown(nginx):
    """{(name, labels): value} of what stays as it is between exchanges."""
    found = {}
    for series, value in nginx.metrics().items():
        name, labels = SAMPLE.match(series).groups()
        if not MOVES.match(name):
            found[name, tuple(sorted(LABEL.findall(labels or '')))] = value
    return found


def stored(victoria):
    found = {}
    for metric, value in victoria.query('{job="llm-monitor"}'):
        name = metric.pop('__name__')
        del metric['job'], metric['instance']
        found[name, tuple(sorted(metric.items()))] = value
    return found


def main():
    need_module()
    tap = Tap()
    nginx = Nginx(Server(Upstream).server_port, http='''
        llm_monitor_metrics_compat openai;
        llm_monitor_metrics_otel on;''').start()
    for status in (200, 200, 200, 500):
        ask(nginx, 'gpt-4o', status)
    ask(nginx, 'a"b\\c é', 200)
    nginx.wait_total(5)                # all of them are counted

    victoria = VictoriaMetrics(nginx.api_port).start()
    tap.ok(wait_for(victoria.up, BOUND, 0.1), 'the target is up')

    want = shown(nginx)
    wait_for(lambda: want.items() <= stored(victoria).items(), BOUND, 0.2)
    got = stored(victoria)
    tap.ok(len(want) > 300 and want.items() <= got.items(),
           'each of its %d series is there with its value' % len(want),
           *sorted(want.items() - got.items())[:5])
    tap.ok(any(name == 'llm_monitor_db_up' and value == 1
               for (name, _), value in got.items()),
           "so are the monitor's own")

    for expr, value in (
            ('sum(llm_requests_total{status="200"})', 4),
            ('sum(llm_requests_total{status=~"5.."})', 1),
            ('sum by (type) (llm_tokens_total{type="input"})', 28),
            ('llm_upstream_availability_ratio', 0.8),
            ('sum(http_request_duration_seconds_count)', 5)):
        found = [v for _, v in victoria.query(expr)]
        tap.ok(found == [value], expr, found)

    found = victoria.query('histogram_quantile(0.95, sum by (le) ('
                           'llm_request_duration_seconds_bucket))')
    tap.ok(len(found) == 1 and found[0][1] > 0, 'and quantiles', found)

    p = subprocess.run(
        [shutil.which('vmalert') or str(PATH / 'vmalert'), '-dryRun',
         '-rule=%s/*.rules.yml' % DOCS], capture_output=True, timeout=60)
    tap.ok(p.returncode == 0, 'vmalert takes the rules', p.stderr.decode())

    victoria.stop()
    tap.ok(not nginx.complaints(), 'nginx has no complaints',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
