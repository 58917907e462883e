"""What the fault drivers share: the short form and the long one, what is
preloaded into nginx, and what is looked at after each fault."""
import mmap
import os
import pathlib
import re
import sqlite3
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 't/e2e'))

from lib import (LINKED, MODULE, NAME, folder, law, skip_all, wait_for,
                 waiting)

LONG = os.environ.get('LLM_FAULTS') == 'long'
PATIENCE = 60                          # s, whatever the machine does


def either(short, long):
    return long if LONG else short


def preload(name, where='t/faults'):
    """NAME.c of a folder of the project as a library."""
    binary = folder() / (name + '.so')
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wall', '-shared',
                    '-fPIC', '-o', str(binary),
                    str(ROOT / where / (name + '.c')), '-ldl',
                    '-lpthread'], check=True)
    return binary


def ask(path, sql):
    """What the database at the path says, read-only."""
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True,
                         timeout=PATIENCE)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


class Healing:
    """Seconds from the end of each fault until records were written again."""

    def __init__(self, tap):
        self.tap = tap
        self.took = {}

    def wait(self, name, healed):
        start = time.monotonic()
        if wait_for(healed, PATIENCE):
            self.took[name] = time.monotonic() - start
        return self.took.get(name)

    def tell(self):
        if self.took:
            worst = max(self.took, key=self.took.get)
            self.tap.note('healed after %.2f s at most (%s), %d faults'
                          % (self.took[worst], worst, len(self.took)))
            self.tap.note(', '.join('%s %.2f' % i for i in list(
                self.took.items())[:40]))


def ended(nginx, client):
    """Waits for the client's end while a worker is stopped: the kernel may
    have told that one alone of a connection, and tells another of the next."""
    return wait_for(lambda: not nginx.listening()
                    or client.process.poll() is not None, PATIENCE, 0.05)


def settled(tap, nginx, name):
    """The law, exactly, once nothing waits any more."""
    wait_for(lambda: waiting(nginx.metrics()) == 0, PATIENCE, 0.1)
    m = nginx.metrics()
    tap.ok(waiting(m) == 0 and law(m) == 0, name + ': the law holds',
           {k: v for k, v in m.items() if k.startswith('llm_monitor_rec')})
    return m


class Wrapped:
    """The module linked with --wrap, and what wrap.c is told and tells; a
    test without the module's object files is skipped."""

    FIELDS = ('fail', 'rest', 'threads', 'calls', 'failed', 'marks',
              'control', 'holds', 'longest', 'allocations')

    def __init__(self):
        tree = MODULE.parent / 'nginx'
        makefile = tree / 'objs/Makefile'
        rule = makefile.exists() and re.search(
            r'\$\(LINK\) -o objs/%s(.*?)\n\n' % re.escape(NAME),
            makefile.read_text(), re.S)
        if LINKED or not rule:
            skip_all('no object files of the module')
        source = (ROOT / 't/faults/wrap.c').read_text()
        self.library = preload('wrap')
        self.module = folder() / NAME
        names = re.findall(r'__wrap_(\w+)\(void|^WRAP\((\w+),', source, re.M)
        subprocess.run([os.environ.get('CC', 'cc'), '-o', str(self.module)]
                       + ['-Wl,--wrap=' + (a or b) for a, b in names]
                       + rule[1].replace('\\\n', ' ').split(),
                       cwd=tree, check=True)
        self.path = folder() / 'wrap'
        self.path.write_bytes(bytes(4096))
        self.path.chmod(0o666)
        with open(self.path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 4096)

    def prefix(self):
        return ['env', 'LD_PRELOAD=%s' % self.library,
                'LLM_WRAP=%s' % self.path]

    def __getitem__(self, name):
        return struct.unpack_from('Q', self.map,
                                  8 * self.FIELDS.index(name))[0]

    def __setitem__(self, name, value):
        struct.pack_into('Q', self.map, 8 * self.FIELDS.index(name), value)
