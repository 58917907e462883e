"""What questions cost the streams that are proxied meanwhile: `make bench
WHAT=calm`.

All of nginx is on one CPU; client, upstream and who asks on the other one,
where who asks is nice.  Beside it stands what the same costs streams through
an nginx whose threads are not nice when they ask, and what it costs those of
a plain nginx on that CPU, which answers nothing: that is what the machine
does, and not the module's event loop."""
import contextlib
import http.client
import os
import statistics
import threading

from lib import MODULE, Nginx
from loop import Followers, preload
from measure import load
from queries import SIZES, filled, running, slow
from states import pin, say

ROUNDS = int(os.environ.get('BENCH_ROUNDS', '9'))
STREAMS = ('-c', '40', '-n', '40', '-s', 'sse-200-10000')
FIGURES = ('p50_us', 'p99_us', 'p999_us')
API = '/monitor/api'


def aside():
    """This thread goes where the client is, behind it."""
    os.sched_setaffinity(0, {0})
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def asker(*paths, pause=0):
    """Asks again and again, or every so many seconds."""
    def ask(nginx, stop):
        c = http.client.HTTPConnection('127.0.0.1', nginx.api_port,
                                       timeout=60)
        n = 0
        while not stop.is_set():
            for path in paths:
                c.request('GET', path)
                r = c.getresponse()
                while r.read(1 << 16) and not stop.is_set():
                    pass
                n += 1
            stop.wait(pause)
        c.close()
        return n
    return ask


def followers(nginx, stop):
    all = Followers(nginx, 50)
    stop.wait()
    all.end()
    return 50


def acts():
    """{what is done: a function of nginx and an event, that says how often}"""
    found = {name: asker(API + path) for name, path in slow().items()}
    for form in ('ndjson', 'csv'):
        found['export of all, ' + form] = asker(API + '/export?format=' + form)
    found['50 followers of /events'] = followers
    found["the page's polls, each second"] = asker(
        API + '/live', API + '/summary', API + '/logs?total=0',
        API + '/about', pause=1)
    found['a scrape each second'] = asker('/metrics', pause=1)
    return found


@contextlib.contextmanager
def meanwhile(do, nginx):
    stop, said = threading.Event(), []

    def run():
        aside()
        said.append(do(nginx, stop))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join()


def calm(bench):
    todo = acts()
    loud = ['env', 'LD_PRELOAD=%s' % preload('loud', 't/bench')]
    with filled(SIZES[-1]) as path, running(path, bench.upstream) as nginx, \
            running(path, bench.upstream, MODULE, loud) as other:
        plain = Nginx(bench.upstream.port, module=None, log_level='warn',
                      keepalive='keepalive 4096; keepalive_requests 10000000;')
        plain.start()
        # who: (whose streams, who is asked)
        peers = dict(module=(nginx, nginx), loud=(other, other),
                     plain=(plain, nginx))
        try:
            for streams, _ in peers.values():
                pin(streams)
                load(streams, STREAMS)
            rounds = [once(n, peers, todo) for n in range(ROUNDS)]
        finally:
            plain.stop()
    shown(bench, rounds, todo)


def once(n, peers, todo):
    """{(what is done or None, who): figures}"""
    found = {}
    for what in ([None] + list(todo))[::1 if n % 2 else -1]:
        say('streams beside %s: round %d of %d' % (what or 'nothing', n + 1,
                                                   ROUNDS))
        for who, (streams, asked) in peers.items():
            if what is None:
                found[what, who] = load(streams, STREAMS)
                continue
            with meanwhile(todo[what], asked) as said:
                r = load(streams, STREAMS)
            found[what, who] = dict(r, asked=said[0])
    return found


def shown(bench, rounds, todo):
    def mid(key, figure):
        return statistics.median(r[key][figure] for r in rounds)

    def ratio(what, who, figure):
        return '%.2f' % statistics.median(
            r[what, who][figure] / r[None, who][figure] for r in rounds)

    head = ['', 'asked', 'p50 us', 'p99 us', 'p99.9 us', 'p50 ratio',
            'p99 ratio', 'p99.9 ratio', 'not nice: p99 us', 'p99 ratio',
            'plain: p99 us', 'p99 ratio']
    rows = []
    for what in (None, *todo):
        row = [what or 'nothing', '%.0f' % (mid((what, 'module'), 'asked')
                                            if what else 0)]
        row += ['%.0f' % mid((what, 'module'), f) for f in FIGURES]
        row += [ratio(what, 'module', f) for f in FIGURES]
        for who in ('loud', 'plain'):
            row += ['%.0f' % mid((what, who), 'p99_us'),
                    ratio(what, who, 'p99_us')]
        rows.append(row)
    bench.table('Delay of a chunk of 40 streams of 100 events a second, '
                'through the nginx that is asked, through one whose threads '
                'are not nice, and through a plain one on the same CPU; '
                'ratios to that of nothing, in the same of %d rounds' % ROUNDS,
                head, rows)
