"""What the fault drivers share: the short form and the long one, what is
preloaded into nginx, and what is looked at after each fault."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 't/e2e'))

from lib import folder, law, wait_for, waiting

LONG = os.environ.get('LLM_FAULTS') == 'long'
PATIENCE = 60                          # s, whatever the machine does


def either(short, long):
    return long if LONG else short


def preload(name):
    """t/faults/NAME.c as a library."""
    binary = folder() / (name + '.so')
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wall', '-shared',
                    '-fPIC', '-o', str(binary),
                    str(ROOT / 't/faults' / (name + '.c')), '-ldl',
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
            self.tap.note(', '.join('%s %.2f' % i for i in self.took.items()))


def settled(tap, nginx, name):
    """The law, exactly, once nothing waits any more."""
    wait_for(lambda: waiting(nginx.metrics()) == 0, PATIENCE, 0.1)
    m = nginx.metrics()
    tap.ok(waiting(m) == 0 and law(m) == 0, name + ': the law holds',
           {k: v for k, v in m.items() if k.startswith('llm_monitor_rec')})
    return m
