"""What the writer reaches of raw SQLite, as t/bench/drain_bench.c says."""
import os
import re
import subprocess

from lib import ROOT
from states import say

SOURCES = ROOT / 'ngx_http_llm_monitor_module'
BUILD = ROOT / 'build/bench'
ROWS = '200000'
LIBS = ['-lsqlite3', '-lzstd', '-lyajl', '-lz', '-lbrotlidec', '-lpcre2-8',
        '-lpthread', '-lm']
SUMS = {'yes': [], 'no': ['-DBENCH_NO_SUMS',
                          '-Wl,--wrap=llm_ledger_count']}
AIMS = {'yes': 60, 'no': 85}           # percent of raw


def compiled():
    """The objects of the plain C, made anew when one of it has changed."""
    there = [p for part in ('record', 'store', 'ring', 'extract')
             for p in (SOURCES / part).glob('llm_*.[ch]')]
    sources = [p for p in there if p.suffix == '.c']
    objects = [BUILD / (p.stem + '.o') for p in sources]
    newest = max(p.stat().st_mtime for p in there)
    BUILD.mkdir(parents=True, exist_ok=True)
    if not all(o.exists() and o.stat().st_mtime > newest for o in objects):
        say('drain: compiling')
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-c',
                        *map(str, sources)], cwd=BUILD, check=True)
    return objects


def drained():
    objects = compiled()
    for sums, flags in SUMS.items():
        binary = BUILD / ('drain_%s' % sums)
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-o', str(binary),
                        *flags, str(ROOT / 't/bench/drain_bench.c'),
                        *map(str, objects), *LIBS], check=True)
        for users in ('40', '5000'):
            out = subprocess.run([str(binary), ROWS, '0', '0', users],
                                 check=True, capture_output=True, text=True)
            raw, small, drain = [re.search(name + r' +(\d+) rows/s +([\d.]+)',
                                           out.stdout).groups()
                                 for name in ('raw', 'raw100', 'drain')]
            share = [100 * float(peer[1]) / float(drain[1])
                     for peer in (raw, small)]
            yield [users, sums, *raw, *small, *drain,
                   *('%.0f %%' % percent for percent in share),
                   '≥ %d %%' % AIMS[sums],
                   'yes' if share[0] >= AIMS[sums] else 'no']


def drain(bench):
    say('drain: the writer beside bare inserts')
    bench.table('Draining %s rows without bodies, beside bare inserts of the '
                'same rows in batches of 20,000 and of 100' % ROWS,
                ['users', 'sums', 'raw rows/s', 'µs CPU', 'of 100: rows/s',
                 'µs CPU', 'drain rows/s', 'µs CPU', 'of raw',
                 'of raw in 100', 'aim', 'met'],
                list(drained()))
