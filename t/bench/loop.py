"""How much CPU each call of the module takes in the event loop:
`make bench WHAT=loop`.  The module is built once more, with an instrumented
entry and exit of each function that nginx may call; see loop.c."""
import collections
import ctypes
import http.client
import mmap
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

from lib import NAME, ROOT, Client, folder, wait_for
from queries import SIZES, filled, running, slow
from states import pin, say

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'faults'))

from driver import preload  # noqa: E402

SECONDS = float(os.environ.get('BENCH_SECONDS', '4'))
BOUND_US = 500
UPTO = (10, 20, 50, 100, 200, 500, 1000, None)
EDGE = ('init_process', 'exit_process')    # before and after the loop
PASSES = 'ngx_http_llm_monitor_body_filter'
BURNS = 'ngx_http_llm_monitor_health_handler'
BURN_MS, BURNT = 1, 20


class Function(ctypes.Structure):
    _fields_ = [('at', ctypes.c_uint64), ('calls', ctypes.c_uint64),
                ('ns', ctypes.c_uint64), ('longest', ctypes.c_uint64),
                ('inner', ctypes.c_uint64), ('inner_ns', ctypes.c_uint64),
                ('upto', ctypes.c_uint64 * len(UPTO))]


class Loop(ctypes.Structure):
    _fields_ = [('burn', ctypes.c_uint64), ('for_ns', ctypes.c_uint64),
                ('lost', ctypes.c_uint64), ('counts', ctypes.c_uint64),
                ('passes', ctypes.c_uint64),
                ('idling', Function), ('functions', Function * 255)]


def built():
    """The instrumented module."""
    subprocess.run(['make', '-s', '-C', str(ROOT), 'BUILD=build/loop',
                    'CC_OPT=-g -O2 -fPIC -finstrument-functions '
                    '-finstrument-functions-exclude-file-list=/llm_,src/'],
                   check=True, stdout=subprocess.DEVNULL)
    return ROOT / 'build/loop' / NAME


def names(module):
    """{offset: name}"""
    lines = subprocess.run(['nm', str(module)], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    return {int(at, 16): name for at, kind, name in
            (line.split() for line in lines if line[0] != ' ')
            if kind in 'tT'}


class Calls:
    """What was counted since the last look."""

    def __init__(self, module):
        self.path = folder() / 'loop'
        self.path.write_bytes(bytes(ctypes.sizeof(Loop)))
        self.path.chmod(0o666)
        self.file = open(self.path, 'r+b')
        self.map = mmap.mmap(self.file.fileno(), 0)
        self.loop = Loop.from_buffer(self.map)
        self.names = names(module)
        self.all = collections.defaultdict(Sum)
        self.times = []
        self.loop.passes = self.offset(PASSES)

    def offset(self, name):
        return next(at for at, n in self.names.items() if n == name)

    def calls(self, name):
        at = self.offset(name)
        return sum(f.calls for f in self.loop.functions if f.at == at)

    def take(self, what):
        """{function: Sum} of what has just been done"""
        self.loop.counts = 0
        found = {}
        for f in (self.loop.idling, *self.loop.functions):
            if not f.calls:
                continue
            name = self.names.get(f.at, '?') if f.at else None
            s = Sum()
            s.add(f, what)
            self.all[name].add(f, what)
            if name:
                found[name] = s
        for f in self.loop.functions:
            ctypes.memset(ctypes.byref(f), 0, ctypes.sizeof(f))
        i = self.loop.idling
        ctypes.memset(ctypes.byref(i), 0, ctypes.sizeof(i))
        self.loop.counts = 1
        if found and what:
            name = max(found, key=lambda n: found[n].longest)
            spent = sum(s.ns for s in found.values())
            f = max(found, key=lambda n: found[n].ns)
            self.times.append([
                what, '%.1f' % (spent / 1e6), f, '%d' % found[f].calls,
                '%.1f' % (found[f].ns / found[f].calls / 1000), name,
                '%.0f' % (found[name].longest / 1000),
                self.names.get(found[name].inner, ''),
                '%.0f' % (found[name].inner_ns / 1000)])
        return found


class Sum:
    def __init__(self):
        self.calls = self.ns = self.longest = self.inner = self.inner_ns = 0
        self.upto, self.when = [0] * len(UPTO), ''

    def add(self, f, what):
        self.calls += f.calls
        self.ns += f.ns
        self.upto = [a + b for a, b in zip(self.upto, f.upto)]
        if f.longest > self.longest:
            self.longest, self.when = f.longest, what
            self.inner, self.inner_ns = f.inner, f.inner_ns

    def over(self, bound=BOUND_US):
        return sum(n for n, us in zip(self.upto, UPTO)
                   if us is None or us > bound)

    def row(self):
        return ['%d' % self.calls, '%.1f' % (self.ns / self.calls / 1000),
                '%.0f' % (self.longest / 1000), self.when,
                *['%d' % self.over(n) for n in (100, 200, BOUND_US, 1000)]]


def get(nginx, path, limit=None):
    """Reads all of an answer, or as much as comes in so many seconds."""
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=60)
    c.request('GET', path)
    r = c.getresponse()
    end = limit and time.monotonic() + limit
    while r.read(1 << 18) and (end is None or time.monotonic() < end):
        pass
    c.close()
    return r.status


class Followers:
    """So many that take what they are sent."""

    def __init__(self, nginx, n):
        self.sockets = []
        for _ in range(n):
            s = socket.create_connection(('127.0.0.1', nginx.api_port))
            s.sendall(b'GET /monitor/api/events HTTP/1.1\r\nHost: x\r\n\r\n')
            self.sockets.append(s)
        self.over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for s in self.sockets:
            s.settimeout(0.01)
        while not self.over:
            for s in self.sockets:
                try:
                    s.recv(1 << 18)
                except OSError:
                    pass

    def end(self):
        self.over = True
        self.thread.join()
        for s in self.sockets:
            s.close()


def asked(nginx, paths):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for path in paths:
            get(nginx, path)


def occasions(nginx):
    """(name, what is done) each; the streams go on meanwhile"""
    api = '/monitor/api'
    yield 'streams alone', lambda: time.sleep(SECONDS)
    for name, options in (
            ('500 requests a second', ('-r', '500', '-c', '8', '-b', '2048')),
            ('requests of 1 MB', ('-r', '20', '-c', '4', '-b', '1000000')),
            ('answers of 1 MB', ('-r', '20', '-c', '4', '-s', 'json-1000000')),
            ('answers of 20 MB', ('-r', '2', '-c', '2', '-s', 'raw-20000000')),
            ('1,000 held streams', ('-c', '1000', '-s', 'sse-20-200000'))):
        def loaded(options=options):
            client = Client(nginx.unbuffered, *options)
            time.sleep(SECONDS)
            client.end()
        yield name, loaded
    for name, path in slow().items():
        yield name, lambda path=path: asked(nginx, [api + path])
    for form in ('ndjson', 'csv', 'json'):
        yield 'export, ' + form, lambda form=form: get(
            nginx, api + '/export?format=' + form, SECONDS)
    yield 'a page of 1,000', lambda: asked(nginx, [api + '/logs?limit=1000'])
    yield "the page's polls", lambda: asked(nginx, [
        api + '/live', api + '/summary', api + '/logs?total=0', api + '/about',
        api + '/facets'])
    yield 'metrics and health', lambda: asked(nginx, ['/metrics', '/health'])
    yield '50 followers, 500 requests a second', lambda: followed(nginx, 50)


def followed(nginx, n):
    client = Client(nginx.unbuffered, '-r', '500', '-c', '8', '-b', '2048')
    followers = Followers(nginx, n)
    time.sleep(SECONDS)
    followers.end()
    client.end()


def loop(bench):
    say('building the instrumented module')
    module = built()
    calls = Calls(module)
    prefix = ['env', 'LD_PRELOAD=%s' % preload('loop', 't/bench'),
              'LLM_LOOP=%s' % calls.path]
    with filled(SIZES[0]) as path, \
            running(path, bench.upstream, module, prefix) as nginx:
        pin(nginx)
        get(nginx, '/monitor/api/logs')
        control(bench, nginx, calls)
        calls.take('')
        calls.all.clear()
        streams = Client(nginx.unbuffered, '-c', '40', '-s', 'sse-300-10000')
        for what, do in occasions(nginx):
            say('calls in the event loop: ' + what)
            do()
            calls.take(what)
        streams.end()
        tables(bench, calls)


def tables(bench, calls):
    head = ['', 'calls', 'mean us', 'longest us', 'when', 'over 100 us',
            'over 200', 'over %d' % BOUND_US, 'over 1000']
    found = dict(calls.all)
    idle = found.pop(None, None)
    rows = [[name, *s.row()] for name, s in sorted(
        found.items(), key=lambda i: -i[1].longest) if not
        name.endswith(EDGE)]
    both = Sum()
    for name, s in found.items():
        if not name.endswith(EDGE):
            both.calls += s.calls
            both.ns += s.ns
            both.longest = max(both.longest, s.longest)
            both.upto = [a + b for a, b in zip(both.upto, s.upto)]
    rows.append(['all', *both.row()])
    if idle:
        rows.append(['loops that do nothing', *idle.row()])
    bench.table('CPU of calls of the module in the event loop, with what '
                'nginx does in them', head, rows)
    bench.table('The same by what was done for %.0f s' % SECONDS,
                ['', 'CPU ms', 'most of it in', 'calls', 'mean us',
                 'longest in', 'us', 'of that in', 'us'], calls.times)
    ms = lambda s: s.ns / 1e6
    bench.table('Over %d us' % BOUND_US,
                ['', 'CPU, ms', 'calls', 'a second of CPU'],
                [[name, '%.0f' % ms(s), '%d' % s.over(),
                  '%.2f' % (s.over() / (ms(s) / 1000))]
                 for name, s in (('the module', both),
                                 ('loops that do nothing', idle)) if s])


def control(bench, nginx, calls):
    """A handler that takes too long is found."""
    calls.take('')
    calls.loop.for_ns = BURN_MS * 1000000
    calls.loop.burn = calls.offset(BURNS)
    for _ in range(BURNT):
        get(nginx, '/health')
    wait_for(lambda: calls.calls(BURNS) == BURNT)
    calls.loop.burn = 0
    found = calls.take('')[BURNS]
    bench.table('Control: a handler that burns %d ms' % BURN_MS,
                ['', 'calls', 'over %d us' % BOUND_US],
                [[BURNS, '%d' % found.calls, '%d' % found.over()]])
    if found.over() < BURNT:
        raise RuntimeError('a handler that burns is not found')
