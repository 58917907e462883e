"""How long questions take at a million rows and at ten: `make bench
WHAT=queries`.

Environment:
    BENCH_SIZES    numbers of rows (default: 1m 10m)
    BENCH_FILLED   a folder whose 1m and 10m are filled databases, by
                   scripts/fill -e <now>; without it they are made and removed
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
import urllib.parse

from lib import MODULE, ROOT, Nginx
from states import say

SIZES = os.environ.get('BENCH_SIZES', '1m 10m').split()
TIMES, ENOUGH_S = 9, 2
EXPORT_S = 4
PAGE = '/logs?total=0&'


@contextlib.contextmanager
def filled(size):
    """A folder with so many rows, which the worker may write to."""
    given = os.environ.get('BENCH_FILLED')
    if given:
        yield pathlib.Path(given) / size
        return
    path = pathlib.Path(tempfile.mkdtemp(prefix='llm-bench-', dir='/var/tmp'))
    try:
        say('filling %s with %s rows' % (path, size))
        subprocess.run([str(ROOT / 'scripts/fill'), '-n', size,
                        str(path / size)], check=True)
        yield path / size
    finally:
        shutil.rmtree(path, True)


@contextlib.contextmanager
def running(path, upstream, module=MODULE, prefix=()):
    nginx = Nginx(upstream.port, module, workers=1, log_level='warn',
                  keepalive='keepalive 4096; keepalive_requests 10000000;',
                  path='retention=0 bodies=0 stats=0 max_size=200g')
    path.parent.chmod(0o755)
    for p in (path, *path.iterdir()):
        if os.getuid() == 0:
            shutil.chown(p, 'nobody', 'nogroup')
    nginx.data = path
    nginx.configure()
    nginx.start(prefix)
    try:
        yield nginx
    finally:
        nginx.stop()


class Api:
    """One connection that is kept."""

    def __init__(self, nginx):
        self.nginx = nginx
        self.c = http.client.HTTPConnection('127.0.0.1', nginx.api_port,
                                            timeout=60)

    def get(self, path):
        """(milliseconds until the answer is whole, the answer)"""
        start = time.perf_counter()
        self.c.request('GET', '/monitor/api' + path)
        r = self.c.getresponse()
        data = r.read()
        ms = (time.perf_counter() - start) * 1000
        if r.status == 503:
            return ms, {'partial': True}
        if r.status != 200:
            raise RuntimeError('%s answers %d %s' % (path, r.status, data))
        return ms, json.loads(data)


def values(path):
    """One seldom and one common text of some kinds of the dictionary."""
    db = sqlite3.connect('file:%s?mode=ro' % (path / 'proxy_logs.db'), uri=True)
    top, = db.execute('SELECT max(id) FROM log').fetchone()
    row = db.execute(
        'SELECT account, user, model, provider, endpoint, client_ip, session,'
        ' api_key FROM log WHERE id > ? AND account > 0 AND user > 0 AND'
        ' session > 0 AND api_key > 0 LIMIT 1',
        (top - (1 << 21) * 86400000 * 20,)).fetchone()
    text = lambda n: db.execute('SELECT value FROM dict WHERE id = ?',
                                (n,)).fetchone()[0]
    v = dict(zip(('account', 'user', 'model', 'provider', 'endpoint', 'ip'),
                 map(text, row)))
    v['session'], = db.execute('SELECT sid FROM session WHERE id = ?',
                               (row[6],)).fetchone()
    v['one session'], = db.execute(
        'SELECT sid FROM session AS s WHERE id <= ? AND'
        ' (SELECT count(*) FROM session WHERE sid = s.sid) = 1'
        ' ORDER BY id DESC LIMIT 1', (row[6],)).fetchone()
    key = text(row[7])
    v['key'] = key[:4]
    seldom = ('SELECT value FROM dict WHERE kind = ? ORDER BY id DESC LIMIT 1')
    v['seldom user'], = db.execute(seldom, (8,)).fetchone()
    v['seldom model'], = db.execute(seldom, (6,)).fetchone()
    v['seldom ip'], = db.execute(seldom, (10,)).fetchone()
    v['middle'] = (top >> 21) - 86400000 * 30
    db.close()
    return v


def asked(v, api):
    """(name, limit of a page or answer, of a count or None, query) each"""
    q = lambda name, value: '%s=%s' % (name, urllib.parse.quote(str(value)))
    cursor = api.get('/logs?total=0&limit=1&until=%d' % v['middle'])[1]['next']
    yield 'the newest page', 5, None, PAGE
    yield 'a page by cursor, 30 days down', 5, None, PAGE + 'cursor=' + cursor
    for text in ('status=200', 'status=401', 'status=429', 'status=5xx',
                 'errors_only=1', 'quick=errors', 'quick=chat',
                 'quick=gemini', 'quick=claude', 'quick=image',
                 'outcome=success', 'outcome=client_abort',
                 'outcome=stream_error', 'outcome=empty', 'method=POST',
                 'method=GET',
                 'protocol=anthropic', 'protocol=cohere', 'operation=chat',
                 'operation=embeddings', 'stream=1', 'min_duration_ms=60000',
                 'min_duration_ms=600000', 'min_tokens=100000', 'min_cost=0.01',
                 'min_cost=1', 'unpriced=1',
                 'usage_missing=1', 'since=today', 'since=-7d',
                 'since=-24h&until=-12h'):
        yield text, 20, 50, text
    for name in ('provider', 'model', 'endpoint', 'account', 'user', 'key',
                 'session', 'ip'):
        yield name, 20, 50, q(name, v[name])
    for name in ('model', 'user'):
        yield name + ', the newest', 20, 50, q(name, v['seldom ' + name])
    yield 'ip, the newest', 20, 50, q('ip', v['seldom ip'])
    yield 'user, nobody', 20, 50, 'user=nobody-at-all'
    for names, text in (('user', 'status=200'), ('user', 'status=429'),
                        ('user', 'errors_only=1'), ('model', 'errors_only=1'),
                        ('model', 'min_cost=0.01'), ('account model', ''),
                        ('account', 'since=-30d&until=-20d'),
                        ('account', 'status=500'), ('ip', 'status=401'),
                        ('user model', ''), ('', 'status=200&stream=1'),
                        ('', 'stream=1&since=-7d'),
                        ('', 'min_cost=0.01&stream=1'),
                        ('user', 'stream=1&min_tokens=1000&status=200')):
        parts = names.split()
        yield (', '.join(parts + [text] * bool(text)), 20, 50,
               '&'.join([q(n, v[n]) for n in parts] + [text] * bool(text)))
    for sort in ('duration_ms', 'ttft_ms', 'total_tokens', 'cost_usd',
                 'status'):
        for order in ('desc', 'asc'):
            text = 'sort=%s&order=%s' % (sort, order)
            yield text, 20, None, PAGE + text
            down = api.get(PAGE + text + '&limit=500')[1]['next']
            yield (text + ', 500 rows down', 20, None,
                   PAGE + text + '&cursor=' + down)
    for name, text in (('status=200', 'status=200'), ('stream=1', 'stream=1'),
                       ('model', q('model', v['model'])),
                       ('account', q('account', v['account'])),
                       ('user', q('user', v['user'])),
                       ('user, nobody', 'user=nobody-at-all'),
                       ('7 days', 'since=-7d')):
        yield ('sort=duration_ms, ' + name, 20, None,
               PAGE + 'sort=duration_ms&' + text)
    for limit, name, query in (
            (20, 'summary', '/summary'),
            (20, 'stats, month by model',
             '/stats?period=month&bucket=day&by=model'),
            (20, 'stats, 30 days by model', '/stats?bucket=day&by=model'),
            (20, 'stats, 30 days by user', '/stats?bucket=day&by=user'),
            (20, 'stats, 30 days by model, Kathmandu',
             '/stats?bucket=day&by=model&tz=Asia/Kathmandu'),
            (20, 'leaderboard, users today', '/leaderboard?by=user'),
            (20, 'leaderboard, users of the month',
             '/leaderboard?by=user&period=month'),
            (20, 'leaderboard, models of the month',
             '/leaderboard?by=model&period=month'),
            (20, 'leaderboard, accounts of all time',
             '/leaderboard?by=account&period=all'),
            (20, 'leaderboard, addresses of all time',
             '/leaderboard?by=ip&period=all'),
            (20, 'availability, 7d by provider',
             '/availability?range=7d&by=provider'),
            (20, 'availability, 7d by model',
             '/availability?range=7d&by=model'),
            (20, 'availability, 24h by provider',
             '/availability?range=24h&by=provider'),
            (20, 'facets', '/facets'),
            (20, 'facets, 7d', '/facets?since=-7d'),
            (50, 'facets, `status=200`', '/facets?status=200'),
            (50, 'facets, `status=401`', '/facets?status=401'),
            (50, 'facets, `stream=1`', '/facets?stream=1'),
            (50, 'facets, `stream=1&since=-7d`',
             '/facets?stream=1&since=-7d'),
            (50, 'facets, `errors_only=1`', '/facets?errors_only=1'),
            (50, 'facets, `min_cost=0.01`', '/facets?min_cost=0.01'),
            (50, 'facets of a model', '/facets?' + q('model', v['model'])),
            (50, 'facets of a user', '/facets?' + q('user', v['user'])),
            (50, 'facets of a user, `stream=1`',
             '/facets?stream=1&' + q('user', v['user'])),
            (20, 'sessions', '/sessions'),
            (20, 'sessions, 7d', '/sessions?since=-7d'),
            (20, 'sessions of a model', '/sessions?' + q('model', v['model'])),
            (20, 'one session', '/sessions/' + v['one session']),
            (10, 'substring, common: gpt', PAGE + 'filter=gpt'),
            (100, 'substring, nowhere', PAGE + 'filter=nowhere-at-all')):
        yield name, limit, None, query


def measure(api, query):
    """(median ms, slowest ms, ms of CPU, whether it was partial), after one
    that warms; what is slow is not asked so often"""
    api.get(query)
    before = spent(api.nginx)
    got, end = [], time.monotonic() + ENOUGH_S
    while len(got) < TIMES and (len(got) < 3 or time.monotonic() < end):
        got.append(api.get(query))
    ms = [g[0] for g in got]
    return (statistics.median(ms), max(ms),
            (spent(api.nginx) - before) / len(got),
            any(g[1].get('partial') for g in got))


def spent(nginx):
    """Milliseconds of CPU of the workers, all threads."""
    return sum(int((task / 'schedstat').read_text().split()[0])
               for pid in nginx.workers()
               for task in pathlib.Path('/proc/%d/task' % pid).iterdir()) / 1e6


def shown(result):
    median, most, spent, partial = result
    return ['%.1f' % median, '%.1f%s' % (most, ' (partial)' if partial else ''),
            '%.1f' % spent]


def exported(nginx, query):
    """MB/s of the first seconds of an export, and the memory over idle"""
    pid = nginx.workers()[0]
    rss = lambda: int(re.search(r'RssAnon:\s+(\d+)', pathlib.Path(
        '/proc/%d/status' % pid).read_text())[1]) / 1000
    before = top = rss()
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=60)
    c.request('GET', '/monitor/api/export?' + query)
    r = c.getresponse()
    n, start = 0, time.perf_counter()
    while time.perf_counter() - start < EXPORT_S:
        data = r.read(1 << 20)
        if not data:
            break
        n += len(data)
        top = max(top, rss())
    took = time.perf_counter() - start
    c.close()
    return ['%.0f' % (n / took / 1e6), '%.1f' % (top - before)]


def slow():
    """{name: query} of those that take their time."""
    return {'summary': '/summary',
            'stats, 30 days by model': '/stats?bucket=day&by=model',
            'leaderboard of the month': '/leaderboard?by=user&period=month',
            'substring, nowhere': PAGE + 'filter=nowhere-at-all',
            'list with total': '/logs',
            'count of a filter': '/count?quick=chat'}


def queries(bench):
    times, exports = {}, []
    for size in SIZES:
        with filled(size) as path, running(path, bench.upstream) as nginx:
            v, api = values(path), Api(nginx)
            for name, limit, counts, query in asked(v, api):
                say('%s rows: %s' % (size, name))
                row = times.setdefault(name, [limit, counts, []])
                if counts is None:
                    row[2] += shown(measure(api, query)) + ['', '', '']
                else:
                    row[2] += shown(measure(api, PAGE + query))
                    row[2] += shown(measure(api, '/count?' + query))
            for query in ('format=ndjson', 'format=csv', 'format=json'):
                say('%s rows: export, %s' % (size, query))
                exports.append([size, query, *exported(nginx, query)])
    head = ['', 'limit']
    for size in SIZES:
        head += [size + ': page or answer', 'slowest', 'CPU', 'count',
                 'slowest', 'CPU']
    bench.table('Questions, milliseconds: the median and the slowest of up to '
                '%d, as the client sees them, and the CPU time of one' % TIMES,
                head, [[name, '%d' % row[0] + (', %d' % row[1] if row[1]
                                               else ''), *row[2]]
                       for name, row in times.items()])
    bench.table('Export, the first %d seconds' % EXPORT_S,
                ['rows', '', 'MB/s', 'MB of memory over idle'], exports)
