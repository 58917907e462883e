"""Metrics: what is counted and under which labels, text and OpenMetrics as
promtool and a parser of its own read them, bounds under hostile names, and
that nothing is forgotten over a reload and a killed worker."""
import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from lib import (ROOT, Client, Nginx, Tap, Upstream, alive, free_port, law,
                 lock_holder, need_module, wait_for, waiting)

OPEN = ('application/openmetrics-text;version=1.0.0;q=0.75,'
        'text/plain;version=0.0.4;q=0.5,*/*;q=0.1')
TRACE = '0af7651916cd43dd8448eb211c80319c'
HTTP = '''
    llm_monitor_metrics_compat openai;
    llm_monitor_metrics_otel on;
    llm_monitor_metrics_account hash;
    gzip_types text/plain application/openmetrics-text;
'''
LINE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])'
                  r'*",?)*\})? (\S+)( # \{trace_id="[0-9a-f]{32}"\} \S+ \S+)?$')


GO = threading.Event()                 # for slow answers


class Answer(http.server.BaseHTTPRequestHandler):
    """As the request's body wants it."""
    protocol_version = 'HTTP/1.1'
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(
            self.headers['Content-Length'])))
        usage = {'prompt_tokens': 100, 'completion_tokens': 5,
                 'total_tokens': 105,
                 'prompt_tokens_details': {'cached_tokens': 60},
                 'completion_tokens_details': {'reasoning_tokens': 2}}
        if asked.get('stream'):
            kind = 'text/event-stream'
            body = b''.join(b'data: %s\n\n' % json.dumps(e).encode()
                            for e in (
                {'model': asked['model'], 'choices': [
                    {'index': 0, 'delta': {'content': 'hi'}}]},
                {'model': asked['model'], 'choices': [
                    {'index': 0, 'delta': {}, 'finish_reason': 'length'}],
                 'usage': usage})) + b'data: [DONE]\n\n'
        else:
            kind = 'application/json'
            body = json.dumps({
                'id': 'x', 'model': asked['model'], 'choices': [
                    {'index': 0, 'finish_reason': 'stop', 'message':
                     {'role': 'assistant', 'content': 'hi'}}],
                'usage': usage}).encode()
        if asked.get('slow'):
            GO.wait(60)
        self.send_response(asked.get('status', 200))
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('X-Account-Email', 'one@a.example')
        self.send_header('X-RateLimit-Remaining-Tokens', '4711')
        self.send_header('Anthropic-RateLimit-Requests-Remaining', 'many')
        self.end_headers()
        self.wfile.write(body)


class Many(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class Asker:
    def __init__(self, nginx):
        self.nginx = nginx
        self.c = http.client.HTTPConnection('127.0.0.1', nginx.buffered,
                                            timeout=60)

    def __call__(self, model, headers=None, **more):
        asked = dict(model=model, messages=[{'role': 'user', 'content': 'x'}],
                     **more)
        self.c.request('POST', '/v1/chat/completions', json.dumps(asked),
                       dict({'Content-Type': 'application/json'},
                            **headers or {}))
        r = self.c.getresponse()
        r.read()
        return r.status


def labels(name, **more):
    return name + '{' + ','.join('%s="%s"' % l for l in more.items()) + '}'


def promtool(text):
    tool = shutil.which('promtool') \
        or str(ROOT / 'build/prometheus/usr/bin/promtool')
    if not os.path.exists(tool):
        return ''
    p = subprocess.run([tool, 'check', 'metrics'], input=text,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.stdout.decode() + ('' if p.returncode == 0 else 'refused')


def counted(tap, nginx, ask):
    for status in (200, 401, 429):
        ask('gpt-4o', status=status)
    ask('gpt-4o', stream=True, headers={
        'traceparent': '00-%s-b7ad6b7169203331-01' % TRACE})
    ask('m"\\\nx\u00e9', status=200)

    # the client has its answer before it is counted
    nginx.wait_total(5)
    m = nginx.metrics()
    base = dict(upstream='llm', provider='openai')
    one = dict(base, operation='chat', model='gpt-4o')
    model = dict(base, model='gpt-4o')
    short = dict(model='gpt-4o', endpoint='/v1/chat/completions')
    want = {
        labels('llm_requests_total', **one, status='200'): 2,
        labels('llm_requests_total', **one, status='401'): 1,
        labels('llm_requests_total', **one, status='500'): 0,
        labels('llm_tokens_total', **model, type='input'): 80,
        labels('llm_tokens_total', **model, type='cache_read'): 120,
        labels('llm_tokens_total', **model, type='output'): 10,
        labels('llm_reasoning_tokens_total', **model): 4,
        labels('llm_request_duration_seconds_count', **model,
               stream='true'): 1,
        labels('llm_request_duration_seconds_count', **model,
               stream='false'): 3,
        labels('llm_time_to_first_token_seconds_count', **model): 1,
        labels('llm_upstream_duration_seconds_count', upstream='llm'): 5,
        labels('llm_streams_total', upstream='llm', end='done'): 1,
        labels('llm_finish_reasons_total', upstream='llm',
               reason='length'): 1,
        labels('llm_upstream_availability_ratio', upstream='llm'): 1,
        labels('http_requests_total', method='POST',
               endpoint='/v1/chat/completions', status='429'): 1,
        labels('openai_requests_total', **short, status='success'): 2,
        labels('openai_requests_total', **short, status='error'): 2,
        labels('openai_request_tokens_total', **short): 200,
        labels('chatbot_messages_total', type='user'): 5,
        labels('llm_messages_total', role='user'): 5,
        labels('llm_messages_total', role='assistant'): 3,
        labels('llm_messages_total', role='other'): 0,
        labels('llm_upstream_ratelimit_remaining', upstream='llm',
               kind='tokens'): 4711,
        labels('llm_upstream_ratelimit_remaining', upstream='llm',
               kind='requests'): None,
    }
    wrong = {k: (v, m.get(k)) for k, v in want.items() if m.get(k) != v}
    tap.ok(not wrong, 'counters have what was asked for', wrong)
    cost = m.get(labels('llm_cost_usd_total', **model), 0)
    logged = sum(float(r['cost_usd'] or 0) for r in nginx.logs()
                 if r['model'] == 'gpt-4o')
    tap.ok(cost > 0 and abs(cost - logged) < 1e-9,
           'cost is that of the records', cost, logged)
    tap.ok(any('model="m__x__"' in k for k in m),
           'a hostile name is scrubbed',
           [k for k in m if k.startswith('llm_requests_total')])
    tap.ok(not any('one@a.example' in k for k in m)
           and any(k.startswith('llm_account_tokens_total{account="')
                   for k in m), 'accounts are hashed')
    tap.ok(any(k.startswith('gen_ai_server_time_to_first_token_seconds_count')
               for k in m)
           and any('error_type="429"' in k for k in m), 'the set of '
           'OpenTelemetry is there')


def formats(tap, nginx):
    _, head, text = nginx.get('/metrics')
    tap.ok(head['Content-Type'].startswith('text/plain; version=0.0.4')
           and promtool(text) == '', 'promtool likes the text',
           promtool(text)[:2000])

    _, head, text = nginx.get('/metrics', {'Accept': OPEN})
    lines = text.decode().splitlines()
    bad = [l for l in lines if not l.startswith('# ') and not LINE.match(l)]
    heads = [l.split()[2] for l in lines if l.startswith('# TYPE')]
    tap.ok(head['Content-Type'].startswith('application/openmetrics-text')
           and lines[-1] == '# EOF' and not bad
           and len(heads) == len(set(heads))
           and not any(l.endswith('_total counter') for l in lines),
           'OpenMetrics for who prefers it', bad[:5])
    tap.ok(any(TRACE in l for l in lines), 'with exemplars',
           [l for l in lines if 'trace_id' in l][:5])

    kinds = [nginx.get('/metrics', {'Accept': a})[1]['Content-Type'][:10]
             for a in ('*/*', 'text/plain;version=0.0.4;q=1,*/*;q=0.1',
                       'application/openmetrics-text;q=0.3, text/plain;q=0.4',
                       'application/openmetrics-text;q=0')]
    tap.ok(kinds == 4 * ['text/plain'], 'text for everybody else', kinds)

    _, head, data = nginx.get('/metrics', {'Accept-Encoding': 'gzip'})
    tap.ok(head['Content-Encoding'] == 'gzip'
           and b'llm_requests_total' in gzip.decompress(data)
           and len(data) < 10000, 'compressed where that is accepted',
           str(head))


def kept(tap, nginx, ask):
    """Reload, a killed worker, paused, llm_monitor_if."""
    count = labels('http_requests_total', method='POST',
                   endpoint='/v1/chat/completions', status='200')
    before = nginx.metrics()[count]

    old = set(nginx.workers())
    nginx.send(signal.SIGHUP)
    wait_for(lambda: not any(map(alive, old)))

    # one that has begun its work, as who writes has

    writer = wait_for(lambda: lock_holder(nginx.data / 'writer.lock'))
    os.kill(writer, signal.SIGKILL)
    wait_for(lambda: len(nginx.workers()) == 2
             and nginx.metrics()['llm_monitor_worker_restarts_total'] > 0)
    ask.c.close()

    nginx.change('/recording', 'PUT', {'recording': False})
    ask('gpt-4o')
    ask('gpt-4o', headers={'X-Skip': '0'})

    wait_for(lambda: nginx.metrics()[count] >= before + 2)
    m = nginx.metrics()
    tap.ok(m[count] == before + 2 and m['llm_monitor_recording'] == 0
           and m['llm_monitor_worker_restarts_total'] == 1,
           'counters live through a reload, a death and a pause',
           before, m[count], m['llm_monitor_worker_restarts_total'],
           m['llm_monitor_recording'])
    wait_for(lambda: not waiting(nginx.metrics()))
    m = nginx.metrics()
    paused = labels('llm_monitor_records_dropped_total', reason='paused')
    tap.ok(m[paused] == 1 and law(m) == 0, 'what was not to be a row is said',
           m[paused], law(m))
    nginx.change('/recording', 'PUT', {'recording': True})


def bounded(tap, nginx, ask):
    before = finished(nginx)
    for i in range(1200):
        ask('m%d' % i)
    wait_for(lambda: finished(nginx) >= before + 1200)
    m = nginx.metrics()
    models = {k for k in m if k.startswith('llm_requests_total')}
    other = sum(v for k, v in m.items() if k.startswith('llm_requests_total')
                and 'model="other"' in k)
    tap.ok(len(models) <= 514 and other > 900
           and m['llm_monitor_series_overflow_total'] >= other
           and m['llm_monitor_series'] <= m['llm_monitor_series_limit'],
           'thousands of models are bounded', len(models), other,
           m['llm_monitor_series_overflow_total'])

    pids = nginx.workers()
    ticks = lambda: sum(sum(map(int, open('/proc/%d/stat' % p).read()
                                .rsplit(')', 1)[1].split()[11:13]))
                        for p in pids)
    start, n = ticks(), 40
    for _ in range(n):
        _, _, text = nginx.get('/metrics')
    ms = (ticks() - start) * 10 / n
    tap.note('a scrape of %d KB takes %.1f ms' % (len(text) // 1024, ms))
    tap.ok(promtool(text) == '', 'promtool likes them', promtool(text)[:1000])


def finished(nginx):
    return nginx.metrics()['llm_monitor_records_total']


def health(tap, nginx, ask):
    found = []

    def says(**checks):
        """Whether health says that, as it should, if it has time"""
        return wait_for(lambda: found.append(json.loads(
            nginx.get('/health')[2])) or checks.items()
            <= found[-1]['checks'].items()) and found[-1]

    said = says(database='ok', writer='ok')
    tap.ok(said and nginx.get('/health')[0] == 200,
           'health says that it is well', found[-1])

    before = finished(nginx)
    for _ in range(60):
        ask('gpt-4o', status=401)
    wait_for(lambda: finished(nginx) >= before + 60)
    said = json.loads(nginx.get('/health')[2])
    tap.ok(said['status'] == 'healthy'
           and said['checks']['upstreams'] == {'llm': 'ok'},
           'wrong keys say nothing of an upstream', said)

    for _ in range(60):
        ask('gpt-4o', status=503)
    said = says(upstreams={'llm': 'failing'})
    tap.ok(said and said['status'] == 'degraded',
           'and that an upstream is not', found[-1])

    flight = threading.Thread(target=Asker(nginx), args=('slow',),
                              kwargs=dict(slow=True))
    flight.start()
    name = labels('llm_requests_in_flight', upstream='llm')
    seen = wait_for(lambda: nginx.metrics()[name] == 1)
    GO.set()
    flight.join()
    tap.ok(seen and wait_for(lambda: nginx.metrics()[name] == 0),
           'what is in flight is a gauge')

    nginx.api('/count')
    rows = nginx.change('/logs?status=429', 'DELETE')[1]['deleted']
    want = {labels('llm_monitor_api_requests_total', route='/count',
                   status='200'): 1,
            labels('llm_monitor_retention_deleted_total', reason='clear'): 1,
            'llm_monitor_commit_duration_seconds_count': 1,
            'llm_monitor_db_up': 1, 'llm_monitor_db_size_bytes': 1}
    short = lambda m: {k: m.get(k) for k, v in want.items()
                       if m.get(k, 0) < v}
    wait_for(lambda: not short(nginx.metrics()))
    tap.ok(rows == 1 and not short(nginx.metrics()),
           'the monitor tells of itself', rows, short(nginx.metrics()))
    tap.ok(wait_for(lambda: nginx.metrics()['llm_monitor_db_rows']
                    == nginx.total(), 60, 0.1), 'and of its rows',
           nginx.metrics()['llm_monitor_db_rows'], nginx.total())


def faults(tap):
    """The law on every scrape, while the ring overflows, the writer is behind
    and workers are killed."""
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, path='ring=64k flush=100ms',
                  keepalive='keepalive 16;').start()
    clients = [Client(nginx.buffered, '-c', '8', '-d', '30', '-s',
                      'json-1024', '-b', '2048') for _ in range(2)]
    broken, scrapes, spooled, low = [], 0, 0, 0
    for turn in range(4):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                m = nginx.metrics()
            except (OSError, http.client.HTTPException):
                continue
            scrapes += 1
            spooled = max(spooled, m['llm_monitor_spool_records'])
            if law(m) or m['llm_monitor_records_total'] < low:
                broken.append({k: v for k, v in m.items()
                               if k.startswith('llm_monitor_rec')})
            low = m['llm_monitor_records_total']
        if turn < 3:
            wait_for(lambda: len(nginx.workers()) == 2)
            os.kill(nginx.workers()[turn % 2], signal.SIGKILL)
    for client in clients:
        client.end()
    left = wait_for(lambda: waiting(nginx.metrics()) == 0, 180)
    m = nginx.metrics()
    tap.note('%d scrapes, %d records, %d at once in the spool'
             % (scrapes, m['llm_monitor_records_total'], spooled))
    tap.ok(scrapes > 10 and not broken, 'the law holds on every scrape',
           scrapes, broken[:2])
    tap.ok(left and law(m) == 0, 'and nothing is left over at the end',
           waiting(m), law(m))
    tap.ok(m['llm_monitor_records_written_total'] == nginx.total(),
           'what is said to be written is there',
           m['llm_monitor_records_written_total'], nginx.total())
    nginx.stop()
    upstream.stop()


def main():
    need_module()
    tap = Tap()
    server = Many(('127.0.0.1', free_port()), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    nginx = Nginx(server.server_port, workers=2, keepalive='keepalive 8;',
                  watch='llm_monitor on; llm_monitor_if $wanted; gzip off;',
                  http=HTTP + 'gzip on; map $http_x_skip $wanted '
                  '{ default $http_x_skip; "" 1; }').start()
    ask = Asker(nginx)
    counted(tap, nginx, ask)
    formats(tap, nginx)
    kept(tap, nginx, ask)
    health(tap, nginx, ask)
    bounded(tap, nginx, ask)
    nginx.stop()
    faults(tap)
    said = [l for l in nginx.complaints() if 'exited on signal 9' not in l]
    tap.ok(not said, 'no complaint in the log', '\n'.join(said))
    tap.done()


main()
