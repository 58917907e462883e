"""What the module costs: plain nginx beside the module with bodies, without
bodies, and paused, interleaved in the same run.

    bench.py [instructions] [broken] [cpu] [delay] [streams] [large] [profile]
             [queries]

With no argument: all of them but queries.py's, which fills a database of ten
million rows first, in a quarter of an hour.  Instructions are
exact (callgrind, the difference of two counts of requests in one process,
user space, the event loop's thread alone); everything else is a ratio within
a round, and `plain again` shows the noise of the machine.  Progress goes to
stderr, the tables to stdout."""
import collections
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

for there in ('e2e', 'faults'):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / there))

import queries as questions
from driver import preload
from lib import (Client, Nginx, Upstream, free_port, load_binary,
                 need_module, wait_for)

ROUNDS = int(os.environ.get('BENCH_ROUNDS', '5'))
HTTP = ('client_body_buffer_size 2m; proxy_buffer_size 16k; '
        'proxy_buffers 8 16k; keepalive_timeout 300s; ')

PEERS = {
    'plain': dict(module=None),
    'plain again': dict(module=None),
    'module': {},
    'module, no bodies': dict(http='llm_monitor_bodies off;'),
    'module, paused': {},
}

# with a database that cannot be written; name: (settings, few, many): the
# first of them fill what is to be full
SMALL = dict(path='ring=64k spool=64k')
BROKEN = {
    'module, paused': ({}, 20, 420),
    'module': ({}, 20, 420),
    'locked': ({}, 20, 420),
    'full': ({}, 20, 420),
    'gone': ({}, 20, 420),
    'locked, into the spool': (dict(path='ring=64k'), 100, 500),
    'locked, no room': (SMALL, 200, 600),
    'full, no room': (SMALL, 200, 600),
    'gone, no room': (SMALL, 200, 600),
}

# name: (say, prompt, few, many)
TRAFFIC = {
    '2 KB to 1 KB': ('json-1024', 2048, 20, 420),
    '64 KB to 1 KB': ('json-1024', 65536, 10, 110),
    'stream of 50': ('sse-50-20000', 2048, 1, 5),
    'stream of 150': ('sse-150-20000', 2048, 1, 5),
}
SHORT, LONG, CHUNKS = 'stream of 50', 'stream of 150', 100

# valgrind counts an instruction for each byte that "rep movsb" copies
COPY = 'glibc.cpu.x86_rep_movsb_threshold=1000000000'


def say(text):
    print('%s %s' % (time.strftime('%H:%M:%S'), text), file=sys.stderr,
          flush=True)


def table(title, head, rows):
    print('\n' + title + '\n')
    print('| ' + ' | '.join(head) + ' |')
    print('|' + '---|' * len(head))
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    sys.stdout.flush()


def make(name, upstream, **more):
    settings = dict(workers=1, keepalive='keepalive 4096; '
                    'keepalive_requests 10000000;', log_level='warn',
                    request_buffering='on')
    settings.update(PEERS[name] if name in PEERS else BROKEN[name][0])
    settings.update(more)
    settings['http'] = HTTP + settings.get('http', '')
    return Nginx(upstream.port, **settings)


def pause(nginx, name):
    if not name.endswith('paused'):
        return
    for _ in range(3):                 # under valgrind the writer may be late
        status, answer = nginx.api('/recording', 'PUT', {'recording': False})
        if status == 200:
            return
    raise RuntimeError('pause answers %s %s' % (status, answer))


def harm(nginx, name):
    """Takes the database away as the name says."""
    path = nginx.data / 'proxy_logs.db'
    if name.startswith('locked'):
        nginx.lock = sqlite3.connect(path, timeout=60, isolation_level=None)
        nginx.lock.execute('BEGIN IMMEDIATE')
    elif name.startswith('full'):
        (nginx.dir / 'fault').write_text('f')
    elif name.startswith('gone'):
        nginx.data.rename(nginx.dir / 'elsewhere')


def start(name, upstream, **more):
    nginx = make(name, upstream, **more).start()
    pause(nginx, name)
    return nginx


# --- instructions


@functools.lru_cache(None)
def counted(name, upstream, what, n):
    """The callgrind output, of the event loop's thread, for n requests."""
    text, prompt = TRAFFIC[what][:2]
    nginx = make(name, upstream, main='daemon off; master_process off;')
    out = nginx.dir / 'callgrind.out'
    more = dict(LD_PRELOAD=str(preload('fault')), LLM_FAULT=str(
        nginx.dir / 'fault')) if name.startswith('full') else {}
    p = subprocess.Popen(
        ['valgrind', '--tool=callgrind', '--separate-threads=yes',
         '--callgrind-out-file=%s' % out, *nginx.command()],
        env=dict(os.environ, GLIBC_TUNABLES=COPY, **more),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not wait_for(nginx.listening, 60, 0.1):
            raise RuntimeError('nginx does not start under callgrind')
        wait_for(lambda: not nginx.module or nginx.total() is not None, 20)
        pause(nginx, name)
        harm(nginx, name)
        subprocess.run([load_binary(), 'client', str(nginx.unbuffered), '-c',
                        '1', '-n', str(n), '-d', '120', '-s', text, '-b',
                        str(prompt)], check=True, stdout=subprocess.DEVNULL)
        time.sleep(0.5)
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(60)
    for path in sorted(nginx.dir.glob('callgrind.out*')):
        if re.search(r'^thread: 1$', path.read_text(), re.M):
            return path
    return next(nginx.dir.glob('callgrind.out*'))


def total(path):
    found = re.search(r'^(?:totals|summary): (\d+)', path.read_text(), re.M)
    return int(found[1])


def instructions(upstream):
    if not shutil.which('valgrind'):
        say('no valgrind: instructions are left out')
        return
    rows, base = [], {}
    for name in PEERS:
        row, over = [name], {}
        for what, (_, _, few, many) in TRAFFIC.items():
            say('instructions: %s, %s' % (name, what))
            n = (total(counted(name, upstream, what, many))
                 - total(counted(name, upstream, what, few))) / (many - few)
            base.setdefault(what, n)
            over[what] = n - base[what]
            row += ['%.0f' % n, '%.2f' % (n / base[what])]
        row.append('%+.0f' % ((over[LONG] - over[SHORT]) / CHUNKS))
        rows.append(row)
    head = ['']
    for what in TRAFFIC:
        head += [what, 'ratio']
    table('User instructions a request, event loop only; and what one more '
          'chunk of a stream costs over plain nginx', head + ['a chunk more'],
          rows)


def broken(upstream):
    if not shutil.which('valgrind'):
        say('no valgrind: what is broken is left out')
        return
    rows, what, paused = [], '2 KB to 1 KB', None
    for name, (_, few, many) in BROKEN.items():
        say('broken: ' + name)
        n = (total(counted(name, upstream, what, many))
             - total(counted(name, upstream, what, few))) / (many - few)
        paused = paused or n
        rows.append([name, '%.0f' % n, '%.3f' % (n / paused)])
    table('User instructions of a request, 2 KB to 1 KB, event loop only, '
          'while the database cannot be written',
          ['', 'instructions', 'of paused'], rows)


def selves(path):
    """{function: its self cost}; nginx's own together: Debian's has no names
    for most of them"""
    text = subprocess.run(['callgrind_annotate', '--threshold=100', str(path)],
                          capture_output=True, text=True).stdout
    cost = collections.Counter()
    for line in text.splitlines():
        m = re.match(r'\s*([\d,]+) \([^)]*\)\s+\S+:(\S+)(?: \[(.*)\])?$', line)
        if m:
            inside = (m[3] or '').endswith('/nginx')
            cost['nginx itself' if inside else m[2]] += \
                int(m[1].replace(',', ''))
    return cost


def more(upstream, what):
    """{function: instructions a request that the module has over plain}"""
    few, many = TRAFFIC[what][2:]
    found = collections.Counter()
    for name, sign in (('module', 1), ('plain', -1)):
        for count, way in ((many, sign), (few, -sign)):
            cost = selves(counted(name, upstream, what, count))
            for function, c in cost.items():
                found[function] += way * c / (many - few)
    return found


def profile(upstream):
    if not shutil.which('callgrind_annotate'):
        return
    say('profile')
    found = {what: more(upstream, what) for what in TRAFFIC}
    chunk = collections.Counter(found[LONG])
    chunk.subtract(found[SHORT])
    found['one more chunk of a stream'] = collections.Counter(
        {f: c / CHUNKS for f, c in chunk.items()})
    del found[SHORT], found[LONG]
    for what, cost in found.items():
        top = cost.most_common(25)
        rest = sum(cost.values()) - sum(c for f, c in top)
        table('Where the difference to plain nginx is, in instructions: '
              + what, ['function', 'self'],
              [[f, '%.0f' % c] for f, c in top]
              + [['all others', '%.0f' % rest]])


# --- CPU time


def spent(nginx):
    """Nanoseconds on a CPU: (of the workers' first threads, of the rest)."""
    loop = rest = 0
    for pid in nginx.workers():
        for task in pathlib.Path('/proc/%d/task' % pid).iterdir():
            ns = int((task / 'schedstat').read_text().split()[0])
            if task.name == str(pid):
                loop += ns
            else:
                rest += ns
    return loop, rest


def load(nginx, *options):
    client = subprocess.run(
        ['taskset', '-c', '0', load_binary(), 'client',
         str(nginx.unbuffered), *options],
        capture_output=True, text=True, check=True)
    return json.loads(client.stdout)


def pin(nginx):
    for pid in nginx.workers():
        subprocess.run(['taskset', '-a', '-p', '-c', '1', str(pid)],
                       stdout=subprocess.DEVNULL, check=True)


def ratios(results, key):
    """{peer: the median of its ratio to plain within a round}"""
    return {name: statistics.median(
        r[name][key] / r['plain'][key] for r in results) for name in PEERS}


def interleaved(title, one):
    results = []
    for n in range(ROUNDS):
        names = list(PEERS)
        if n % 2:
            names.reverse()
        say('%s: round %d of %d' % (title, n + 1, ROUNDS))
        results.append({name: one(name) for name in names})
    return results


def middle(results, name, key):
    return statistics.median(r[name][key] for r in results)


def cpu(upstream):
    for what, options in (
            ('2 KB to 1 KB', ['-s', 'json-1024', '-b', '2048', '-n', '12000']),
            ('stream of 200 events', ['-s', 'sse-200-10000', '-b', '2048',
                                      '-c', '50', '-n', '100'])):
        n = int(options[-1])

        def one(name):
            nginx = start(name, upstream)
            try:
                pin(nginx)
                load(nginx, '-c', '16', '-n', '500')
                time.sleep(0.6)
                before = spent(nginx)
                load(nginx, '-c', '16', *options)
                time.sleep(1.5)
                after = spent(nginx)
            finally:
                nginx.stop()
            loop, rest = after[0] - before[0], after[1] - before[1]
            return dict(loop=loop / n / 1000, rest=rest / n / 1000,
                        all=(loop + rest) / n / 1000)

        results = interleaved('CPU, ' + what, one)
        every, loops = ratios(results, 'all'), ratios(results, 'loop')
        table('CPU a request, %s, writing included' % what,
              ['', 'event loop us', 'other threads us', 'all us', 'ratio',
               'ratio of the loop'],
              [[name, *['%.1f' % middle(results, name, k)
                        for k in ('loop', 'rest', 'all')],
                '%.2f' % every[name], '%.2f' % loops[name]]
               for name in PEERS])


# --- delay, memory


def delay(upstream):
    def one(name):
        nginx = start(name, upstream)
        try:
            pin(nginx)
            noise = Client(nginx.buffered, '-r', '500', '-c', '8', '-b',
                           '2048')
            time.sleep(0.5)
            r = load(nginx, '-c', '40', '-n', '40', '-s', 'sse-300-10000')
            noise.end()
        finally:
            nginx.stop()
        return r

    results = interleaved('chunk delay', one)
    p50, p99 = ratios(results, 'p50_us'), ratios(results, 'p99_us')
    table('Delay of a chunk: 40 streams of 100 events a second, and 500 '
          'requests a second being written',
          ['', 'p50 us', 'p99 us', 'p99.9 us', 'p50 ratio', 'p99 ratio'],
          [[name, *['%.0f' % middle(results, name, k)
                    for k in ('p50_us', 'p99_us', 'p999_us')],
            '%.2f' % p50[name], '%.2f' % p99[name]] for name in PEERS])


def memory(nginx):
    """Anonymous memory of the workers, bytes."""
    kb = 0
    for pid in nginx.workers():
        text = pathlib.Path('/proc/%d/status' % pid).read_text()
        kb += int(re.search(r'^RssAnon:\s+(\d+)', text, re.M)[1])
    return kb * 1024


def peak(nginx, *options):
    """The largest anonymous memory over that of before, during a load."""
    before = top = memory(nginx)
    client = subprocess.Popen([load_binary(), 'client',
                               str(nginx.unbuffered), *options],
                              stdout=subprocess.PIPE, text=True)
    while client.poll() is None:
        top = max(top, memory(nginx))
        time.sleep(0.005)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        top = max(top, memory(nginx))
        time.sleep(0.02)
    return top - before, json.loads(client.stdout.read())


def held(nginx):
    """Anonymous memory over that of before while all streams are open; what
    the writer needs at their end is not theirs."""
    before = top = memory(nginx)
    client = subprocess.Popen([load_binary(), 'client',
                               str(nginx.unbuffered), '-c', '2000', '-n',
                               '2000', '-s', 'sse-10-400000', '-b', '2048'],
                              stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 3.8
    while time.monotonic() < end:
        top = max(top, memory(nginx))
        time.sleep(0.02)
    return top - before, json.loads(client.communicate()[0])


def streams(upstream):
    rows = []
    for name in PEERS:
        say('2,000 held streams: ' + name)
        nginx = start(name, upstream)
        try:
            n, r = held(nginx)
        finally:
            nginx.stop()
        rows.append([name, '%d' % (n / 2000), '%d' % r['done']])
    table('Memory of a held stream (2 KB prompt, 10 events of 200 bytes), '
          'bytes over idle', ['', 'bytes', 'streams'], rows)


def large(upstream):
    rows = []
    for name in PEERS:
        say('one 100 MB answer: ' + name)
        nginx = start(name, upstream)
        try:
            n, r = peak(nginx, '-c', '1', '-n', '1', '-s', 'raw-104857600')
        finally:
            nginx.stop()
        rows.append([name, '%.1f' % (n / 1e6), '%.0f' % (r['p50_us'] / 1000)])
    table('Memory for one 100 MB answer, MB over idle',
          ['', 'MB', 'ms for the client'], rows)


def queries(upstream):
    questions.queries(upstream, say, table, load, pin)


PARTS = {'instructions': instructions, 'broken': broken,
         'profile': profile, 'cpu': cpu, 'delay': delay, 'streams': streams,
         'large': large, 'queries': queries}


def main():
    need_module()
    chosen = sys.argv[1:] or [p for p in PARTS if p != 'queries']
    wrong = [p for p in chosen if p not in PARTS]
    if wrong:
        sys.exit('no such part: %s (there are %s)'
                 % (wrong[0], ', '.join(PARTS)))
    upstream = Upstream(free_port())
    subprocess.run(['taskset', '-p', '-c', '0', str(upstream.process.pid)],
                   stdout=subprocess.DEVNULL)
    try:
        for part in chosen:
            PARTS[part](upstream)
    finally:
        upstream.stop()


if __name__ == '__main__':
    main()
