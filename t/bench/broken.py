"""User instructions of an exchange while the database cannot be written, which
are to be those of an exchange that is not recorded."""
import pathlib
import shutil
import sqlite3
import sys

from instructions import ALONE, asked, dump, total, valgrind
from states import MODULE, PAUSED, make, say
from workloads import COUNTED

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'faults'))

from driver import preload  # noqa: E402

# name: (the state, settings, requests first: they fill what is to be full)
SMALL = dict(path='ring=64k spool=64k')
BROKEN = {
    'module, paused': (PAUSED, {}, 20),
    'module': (MODULE, {}, 20),
    'locked': (MODULE, {}, 20),
    'full': (MODULE, {}, 20),
    'gone': (MODULE, {}, 20),
    'locked, into the spool': (MODULE, dict(path='ring=64k'), 100),
    'locked, no room': (MODULE, SMALL, 200),
    'full, no room': (MODULE, SMALL, 200),
    'gone, no room': (MODULE, SMALL, 200),
}


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


def broken(bench):
    if not shutil.which('vgdb'):
        say('no valgrind: what is broken is left out')
        return
    rows, paused, exchange = [], None, COUNTED[0]
    for name, (state, settings, first) in BROKEN.items():
        say('broken: ' + name)
        nginx = make(state, bench.upstream, main=ALONE, **settings)
        more = dict(LD_PRELOAD=str(preload('fault')), LLM_FAULT=str(
            nginx.dir / 'fault')) if name.startswith('full') else {}
        with valgrind(nginx, **more) as process:
            harm(nginx, name)
            asked(nginx, exchange, first)
            dump(nginx, process, 'first')
            asked(nginx, exchange)
            n = total(dump(nginx, process, 'then')[1]) / exchange.count
        paused = paused or n
        rows.append([name, '%.0f' % n, '%.3f' % (n / paused)])
    bench.table('User instructions of a request, %s, event loop only, while '
                'the database cannot be written' % exchange.name,
                ['', 'instructions', 'of paused'], rows)
