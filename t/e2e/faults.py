"""The database fails under traffic and heals: EIO, ENOSPC and short writes,
a failing fsync (by fault.c, preloaded), a lock that another process holds, a
file that is renamed, a directory without rights, a lock file that is deleted.
Each time records are written again soon, and in the end each
exchange has exactly one row and is in the ledger exactly once."""
import collections
import os
import sqlite3
import subprocess
import time

from lib import (Client, Nginx, ROOT, Tap, Upstream, folder, free_port,
                 need_module, wait_for)

HEAL = 30                              # s, of which it needs at most 5


def build():
    binary = folder() / 'fault.so'
    subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-Wall', '-shared',
                    '-fPIC', '-o', str(binary), str(ROOT / 't/e2e/fault.c'),
                    '-ldl'], check=True)
    return binary


def ask(path, sql):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=60)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


class Faults:
    def __init__(self, nginx, control):
        self.nginx = nginx
        self.control = control
        self.path = nginx.data / 'proxy_logs.db'
        self.old = []

    def seq(self):
        try:
            return ask(self.path, 'SELECT max(seq) FROM log')[0][0] or 0
        except sqlite3.Error:
            return 0

    def inject(self, word, told):
        self.control.write_text(word)
        time.sleep(1)
        wait_for(told)
        self.control.write_text('')

    def lock(self, told):
        db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        db.execute('BEGIN IMMEDIATE')
        wait_for(told)
        db.execute('ROLLBACK')
        db.close()

    def rename(self, told):
        to = self.path.with_name('old%d' % len(self.old))
        self.path.rename(to)
        self.old.append(to)
        wait_for(told)

    def rights(self, told):
        self.nginx.data.chmod(0)
        time.sleep(1.5)
        self.nginx.data.chmod(0o700)

    def unlock(self, told):
        (self.nginx.data / 'writer.lock').unlink()
        wait_for(told)

    def healed(self):
        """Seconds until something more is written, or None."""
        start, seq = time.monotonic(), self.seq()
        if wait_for(lambda: self.seq() > seq, HEAL):
            return time.monotonic() - start


def exercise(tap, faults):
    log = faults.nginx.dir / 'error.log'
    inject = lambda word: lambda told: faults.inject(word, told)
    for name, fault, word in (
            ('EIO', inject('e'), 'sqlite failed'),
            ('ENOSPC', inject('f'), 'sqlite failed'),
            ('short writes', inject('s'), None),
            ('fsync', inject('y'), 'sqlite failed'),
            ('a locked database', faults.lock, 'sqlite failed'),
            ('a renamed database', faults.rename, 'deleted or replaced'),
            ('a directory without rights', faults.rights, None),
            ('a deleted lock file', faults.unlock, 'writer.lock was deleted'),
            ('EIO again', inject('e'), 'sqlite failed')):
        size = log.stat().st_size
        said = lambda: log.read_bytes()[size:].decode(errors='replace')
        told = lambda: not word or word in said()
        fault(told)
        took = faults.healed()
        tap.ok(took is not None and told(), name + ' is told and heals', took,
               said()[-1500:])


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, keepalive='keepalive 16;')
    control = nginx.dir / 'fault'
    control.write_text('')
    nginx.start(prefix=['env', 'LD_PRELOAD=%s' % build(),
                        'LLM_FAULT=%s' % control])
    faults = Faults(nginx, control)
    load = Client(nginx.buffered, '-r', '200', '-c', '8')
    try:
        wait_for(lambda: faults.seq() > 0)
        exercise(tap, faults)
        begun, done, report = load.end()
        wait_for(lambda: sum(ask(p, 'SELECT count(*) FROM log')[0][0]
                             for p in faults.old + [faults.path])
                 >= len(done))
    finally:
        nginx.stop()
        upstream.stop()
    rows, requests = collections.Counter(), 0
    for path in faults.old + [faults.path]:
        rows.update(t for t, in ask(path, 'SELECT input_tokens FROM log'))
        requests += ask(path, 'SELECT sum(requests) FROM service')[0][0]
        tap.ok(ask(path, 'PRAGMA integrity_check') == [('ok',)], 'integrity')
    lost = [t for t in done if rows[t] == 0]
    twice = [t for t in begun if rows[t] > 1]
    tap.ok(len(done) > 1000 and not lost, 'no exchange is lost',
           '%d of %d' % (len(lost), len(done)), lost[:10])
    tap.ok(not twice, 'none is written twice', twice[:10])
    tap.ok(requests == sum(rows.values()), 'the ledger counts as many',
           '%d of %d' % (requests, sum(rows.values())))
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    main()
