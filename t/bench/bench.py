"""What the module costs: plain nginx beside what else there is to keep a
record with, and beside the module with bodies, without, and paused, in turns
in the same run.

    bench.py [instructions] [cpu] [paced] [delay] [streams] [large] [drain]
             [profile] [broken] [queries] [calm] [loop]

With no argument: all of them but the last five.  `profile` says where the
instructions are; `broken` counts them without a database that can be written;
`queries`, `calm` and `loop` fill up to ten million rows first, see queries.py.
Instructions are exact; everything else is compared with plain nginx within a
round, and `plain again` shows what the machine's noise is.  Progress goes to
stderr, the table to stdout and with the machine's description into a file.

Environment:
    BENCH_MINUTES  how long all of it may take (default: 10)
    BENCH_ROUNDS   rounds of each part, but for the time
    BENCH_OUT      the file (default: build/bench.md)"""
import datetime
import os
import pathlib
import platform
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

import parts
from broken import broken
from calm import calm
from drain import drain
from instructions import instructions, profile
from lib import NGINX, ROOT, Upstream, free_port, need_module
from loop import loop
from queries import queries
from results import Results, lines
from states import LOAD_CPU, Fleet, say

MINUTES = float(os.environ.get('BENCH_MINUTES', '10'))
ROUNDS = int(os.environ.get('BENCH_ROUNDS', '0'))
OUT = pathlib.Path(os.environ.get('BENCH_OUT', ROOT / 'build/bench.md'))


class Bench:
    """What the parts share."""

    def __init__(self):
        self.results, self.tables = Results(), []
        self.rounds, self.until, self.counted = ROUNDS, 0, None
        self.upstream = Upstream(free_port())
        subprocess.run(['taskset', '-p', '-c', LOAD_CPU,
                        str(self.upstream.process.pid)],
                       stdout=subprocess.DEVNULL)
        self.fleet = Fleet(self.upstream)

    def table(self, title, head, rows):
        """Another table than that of the states."""
        text = '\n'.join(['', title, '', *lines(head, rows), ''])
        self.tables.append(text)

    def stop(self):
        self.fleet.stop()
        self.upstream.stop()


# and the share of the time that each may have
PARTS = {'instructions': (instructions, 12), 'cpu': (parts.cpu, 38),
         'paced': (parts.paced, 14), 'delay': (parts.delay, 22),
         'streams': (parts.streams, 6), 'large': (parts.large, 5),
         'drain': (drain, 22), 'profile': (profile, 5),
         'broken': (broken, 10), 'queries': (queries, 100),
         'calm': (calm, 80), 'loop': (loop, 10)}
DEFAULT = [p for p in PARTS if p not in ('profile', 'broken', 'queries',
                                         'calm', 'loop')]


def machine(began):
    """The lines that say where the figures come from."""
    found = re.findall(r'^model name\s*: (.*)$',
                       pathlib.Path('/proc/cpuinfo').read_text(), re.M)
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', pathlib.Path(
        '/etc/os-release').read_text(), re.M))
    version = subprocess.run([NGINX, '-v'], capture_output=True, text=True)
    memory = re.search(r'MemTotal:\s+(\d+)',
                       pathlib.Path('/proc/meminfo').read_text())[1]
    yield '%s, %.0f minutes, %d CPUs (%s), %.0f GB, Linux %s, %s, %s, ' \
          'SQLite %s; load average before it %.1f, at its end %.1f.' % (
              datetime.date.today(), (time.monotonic() - began[0]) / 60,
              os.cpu_count(), found[0] if found else platform.machine(),
              int(memory) / 1e6, platform.release(),
              release.get('PRETTY_NAME', ''),
              version.stderr.strip().split(': ')[-1], sqlite3.sqlite_version,
              began[1], os.getloadavg()[0])


def report(bench, began):
    text = '\n'.join([*machine(began), '', *bench.results.table(), '']) \
        if bench.results.measures else ''
    return text + ''.join(bench.tables)


def run(bench, chosen, began):
    end = time.monotonic() + MINUTES * 60
    left = sum(PARTS[p][1] for p in chosen)
    for part in chosen:
        call, share = PARTS[part]
        now = time.monotonic()
        bench.until = now + max(0, end - now) * share / left
        left -= share
        call(bench)
        say('%s: %.0f s' % (part, time.monotonic() - now))
        OUT.write_text(report(bench, began))    # who ends it here has this


def main():
    need_module()
    chosen = sys.argv[1:] or DEFAULT
    wrong = [p for p in chosen if p not in PARTS]
    if wrong:
        sys.exit('no such part: %s (there are %s)'
                 % (wrong[0], ', '.join(PARTS)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended by a signal'))
    began = time.monotonic(), os.getloadavg()[0]
    bench = Bench()
    try:
        OUT.parent.mkdir(exist_ok=True)
        run(bench, chosen, began)
    finally:
        bench.stop()
    print(report(bench, began))
    say('written to %s' % OUT)


if __name__ == '__main__':
    main()
