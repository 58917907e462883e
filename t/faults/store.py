"""The database fails under traffic and heals: EIO, ENOSPC, EDQUOT, EROFS and
short writes, failing fsync, reads, truncations, opens and maps, an fsync that
hangs while the process ends (by fault.c, preloaded), a lock that another
process holds, files that are renamed, deleted or spoiled, a directory without
rights or on a read-only mount, a lock file that is deleted, a reader that does
not end.  Each time the fault is told, records are written again by themselves,
and in the end each exchange has exactly one row and is in the ledger exactly
once."""
import collections
import os
import signal
import sqlite3
import subprocess
import time

from driver import LONG, Healing, PATIENCE, ask, either, preload, settled
from lib import (Client, Nginx, Tap, Upstream, folder, free_port,
                 need_module, wait_for)

HOLD = 1                               # s that a fault lasts at least


class Faults:
    def __init__(self, nginx, control):
        self.nginx = nginx
        self.control = control
        self.path = nginx.data / 'proxy_logs.db'
        self.log = nginx.dir / 'error.log'
        self.old = []

    def seq(self):
        try:
            return ask(self.path, 'SELECT max(seq) FROM log')[0][0] or 0
        except sqlite3.Error:
            return 0

    def said(self, word, since):
        return word.encode() in self.log.read_bytes()[since:]

    def hold(self, told):
        time.sleep(HOLD)
        wait_for(told, PATIENCE)

    def inject(self, letter, told):
        self.control.write_text(letter)
        self.hold(told)
        self.control.write_text('')

    def lock(self, letter, told):
        db = sqlite3.connect(self.path, timeout=PATIENCE,
                             isolation_level=None)
        db.execute('BEGIN IMMEDIATE')
        self.hold(told)
        db.execute('ROLLBACK')
        db.close()

    def rename(self, letter, told):
        """The next file cannot be opened, or mapped, for a while."""
        to = self.path.with_name('old%d' % len(self.old))
        self.control.write_text(letter)
        self.path.rename(to)
        self.old.append(to)
        self.hold(told)
        self.control.write_text('')

    def rights(self, letter, told):
        self.nginx.data.chmod(0)
        self.hold(told)
        self.nginx.data.chmod(0o700)

    def unlock(self, letter, told):
        (self.nginx.data / 'writer.lock').unlink()
        self.hold(told)


# name: (what is done, the letter for fault.c, what the log says)
FAULTS = {
    'EIO': (Faults.inject, 'e', 'sqlite failed'),
    'ENOSPC': (Faults.inject, 'f', 'the disk is full'),
    'EDQUOT': (Faults.inject, 'q', 'the disk is full'),
    'EROFS': (Faults.inject, 'w', 'sqlite failed'),
    'short writes': (Faults.inject, 's', None),
    'fsync': (Faults.inject, 'y', 'sqlite failed'),
    'reads': (Faults.inject, 'r', None),
    'truncations': (Faults.inject, 't', None),
    'a locked database': (Faults.lock, '', 'sqlite failed'),
    'a renamed database': (Faults.rename, '', 'deleted or replaced'),
    'one that cannot be opened': (Faults.rename, 'o', 'cannot be used'),
    'one that cannot be mapped': (Faults.rename, 'm', 'sqlite failed'),
    'a directory without rights': (Faults.rights, '', None),
    'a deleted lock file': (Faults.unlock, '', 'writer.lock was deleted'),
    'EIO again': (Faults.inject, 'e', 'sqlite failed'),
}


# what takes long, or is much like another one
LONGER = ('EROFS', 'reads', 'truncations', 'one that cannot be mapped',
          'EIO again', 'the -wal deleted', 'spoiled')


def chosen(what):
    return [(name, do) for name, do in what.items()
            if LONG or name not in LONGER]


def exercise(tap, healing, faults):
    for name, (act, letter, word) in chosen(FAULTS):
        since = faults.log.stat().st_size
        told = lambda: not word or faults.said(word, since)
        act(faults, letter, told)
        seq = faults.seq()
        took = healing.wait(name, lambda: faults.seq() > seq)
        tap.ok(took is not None and told(), name + ' is told and heals', word,
               faults.log.read_bytes()[since:].decode(errors='replace')[-1500:])


def counted(tap, faults, begun, done):
    rows, requests = collections.Counter(), 0
    for path in faults.old + [faults.path]:
        rows.update(t for t, in ask(path, 'SELECT input_tokens FROM log'))
        requests += ask(path, 'SELECT sum(requests) FROM service')[0][0]
        tap.ok(ask(path, 'PRAGMA integrity_check') == [('ok',)], 'integrity')
    lost = [t for t in done if rows[t] == 0]
    twice = [t for t in begun if rows[t] > 1]
    tap.ok(len(done) > 500 and not lost, 'no exchange is lost',
           '%d of %d' % (len(lost), len(done)), lost[:10])
    tap.ok(not twice, 'none is written twice', twice[:10])
    tap.ok(requests == sum(rows.values()), 'the ledger counts as many',
           '%d of %d' % (requests, sum(rows.values())))


def modes(tap, nginx):
    wrong = [(str(p), oct(p.stat().st_mode)) for p in nginx.data.rglob('*')
             if p.stat().st_mode & 0o777 != (0o700 if p.is_dir() else 0o600)]
    tap.ok(not wrong and nginx.data.stat().st_mode & 0o777 == 0o700,
           'files are 0600, directories 0700', wrong)


def start(nginx):
    """With fault.c, which is told what to do by the file that this returns."""
    control = nginx.dir / 'fault'
    control.write_text('')
    nginx.start(prefix=['env', 'LD_PRELOAD=%s' % preload('fault'),
                        'LLM_FAULT=%s' % control])
    return control


def hanging(tap, upstream):
    """The worker ends around its writer, which then goes nowhere."""
    nginx = Nginx(upstream.port)
    path = nginx.data / 'proxy_logs.db'
    control = start(nginx)
    sent = more(nginx, 0)
    wait_for(lambda: last(path) == sent, PATIENCE)
    control.write_text('h')
    first, sent = sent + 1, more(nginx, sent)
    nginx.stop(signal.SIGQUIT)
    tap.ok(b'the writer hangs' in (nginx.dir / 'error.log').read_bytes(),
           'a worker ends while its writer hangs')
    control.write_text('')
    nginx.start()
    tap.ok(wait_for(lambda: set(range(first, sent + 1)) <= tags(path),
                    PATIENCE), 'the next one writes what it had')
    nginx.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])


def failing(tap, healing, upstream):
    nginx = Nginx(upstream.port, workers=2, keepalive='keepalive 16;')
    os.umask(0)
    control = start(nginx)
    faults = Faults(nginx, control)
    load = Client(nginx.buffered, '-r', '200', '-c', '8')
    try:
        wait_for(lambda: faults.seq() > 0, PATIENCE)
        for _ in range(either(1, 10)):
            exercise(tap, healing, faults)
        begun, done, report = load.end()
        settled(tap, nginx, 'after all of them')
        modes(tap, nginx)
        tap.ok(report['failed'] == 0, 'no request has failed', report)
    finally:
        nginx.stop()
    counted(tap, faults, begun, done)
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])


# what becomes of the files while nginx runs: rows that were in them are gone

def deleted(data):
    for path in data.glob('proxy_logs.db*'):
        path.unlink()


def no_wal(data):
    (data / 'proxy_logs.db-wal').unlink()


def spoiled(data):
    with open(data / 'proxy_logs.db', 'r+b') as f:
        f.write(os.urandom(16384))
    with open(data / 'proxy_logs.db-wal', 'r+b') as f:
        f.write(os.urandom(4096))


def emptied(data):
    os.truncate(data / 'proxy_logs.db', 0)


def cut(data):
    os.truncate(data / 'proxy_logs.db', 4096)
    os.truncate(data / 'proxy_logs.db-wal', 0)


def text(data):
    new = data / 'new'
    new.write_text('this is no database ' * 1000)
    new.chmod(0o666)
    new.rename(data / 'proxy_logs.db')


def foreign(data):
    db = sqlite3.connect(data / 'new')
    db.execute('CREATE TABLE theirs (a)')
    db.execute('INSERT INTO theirs VALUES (1)')
    db.commit()
    db.close()
    (data / 'new').chmod(0o666)
    (data / 'new').rename(data / 'proxy_logs.db')


SPOILS = {
    'deleted': deleted,
    'the -wal deleted': no_wal,
    'spoiled': spoiled,
    'emptied': emptied,
    'cut': cut,
    'replaced by a text': text,
    'replaced by another program\'s': foreign,
}


def spoiling(tap, healing, upstream):
    """What follows is written, whatever became of the file."""
    nginx = Nginx(upstream.port, workers=2).start()
    path = nginx.data / 'proxy_logs.db'
    sent = 0
    try:
        for name, spoil in chosen(SPOILS):
            sent = more(nginx, sent)
            wait_for(lambda: last(path) == sent, PATIENCE)
            spoil(nginx.data)
            first, sent = sent + 1, more(nginx, sent)
            took = healing.wait(name, lambda: set(range(first, sent + 1))
                                <= tags(path))
            tap.ok(took is not None, 'a database that is %s' % name,
                   sent, last(path))
        m = settled(tap, nginx, 'after all of them')
        tap.ok(m['llm_monitor_records_total'] == sent
               == m['llm_monitor_records_written_total'],
               'none was dropped', sent, m['llm_monitor_records_total'])
        kept = [ask(p, 'SELECT a FROM theirs') for p in
                nginx.data.glob('proxy_logs.db.foreign-*')
                if p.name[-1].isdigit()]
        tap.ok(kept == [[(1,)]], 'the other program\'s is as it was', kept)
        tap.ok(ask(path, 'PRAGMA integrity_check') == [('ok',)], 'integrity')
    finally:
        nginx.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])


def more(nginx, sent, count=20):
    client = Client(nginx.buffered, '-f', str(sent + 1), '-n', str(count),
                    '-c', '4')
    client.process.wait()
    begun, done, report = client.end()
    if len(done) != count:
        raise RuntimeError('of %d requests %d were answered: %s'
                           % (count, len(done), report))
    return sent + count


def last(path):
    return max(tags(path), default=0)


def tags(path):
    try:
        return {t for t, in ask(path, 'SELECT input_tokens FROM log')}
    except sqlite3.Error:
        return set()


def read_only(tap, healing, upstream):
    """nginx starts while the directory is on a mount that is read-only."""
    if os.getuid() != 0:
        return tap.skip('a read-only mount', 'no right to mount one')
    nginx = Nginx(upstream.port, workers=2)
    nginx.data.mkdir()
    mount = lambda *how: subprocess.run(['mount', *how, str(nginx.data)],
                                        stderr=subprocess.DEVNULL).returncode
    if mount('-t', 'tmpfs', '-o', 'size=64m,mode=700,uid=65534', 'none'):
        return tap.skip('a read-only mount', 'mount() is not permitted')
    path = nginx.data / 'proxy_logs.db'
    try:
        mount('-o', 'remount,ro')
        nginx.start()
        more(nginx, 0, 200)
        tap.ok(not path.exists(), 'a read-only mount fails no request')
        mount('-o', 'remount,rw')
        took = healing.wait('a read-only mount', lambda: len(tags(path)) == 200)
        tap.ok(took is not None, 'and heals', len(tags(path)))
    finally:
        nginx.stop()
        subprocess.run(['umount', '-l', str(nginx.data)], check=False)
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])


def pinned(tap, healing, upstream):
    """A reader that does not end: the -wal is bounded all the same."""
    nginx = Nginx(upstream.port, workers=2, path='ring=4m').start()
    path = nginx.data / 'proxy_logs.db'
    wal = nginx.data / 'proxy_logs.db-wal'
    try:
        sent = more(nginx, 0)
        wait_for(lambda: last(path) == sent, PATIENCE)
        db = sqlite3.connect('file:%s?mode=ro' % path, uri=True,
                             isolation_level=None)
        db.execute('BEGIN')
        db.execute('SELECT count(*) FROM log').fetchall()
        sent = more(nginx, sent, either(500, 100000))
        size = wal.stat().st_size
        tap.ok(size < 80 << 20, 'a reader that does not end: the -wal has '
               'its bound', size)
        seen = last(path)
        db.close()
        took = healing.wait('a pinned reader', lambda: last(path)
                            in range(seen + 1, sent + 1) or seen == sent)
        tap.ok(took is not None and wait_for(lambda: last(path) == sent,
                                             10 * PATIENCE),
               'and all is written when it has ended')
        settled(tap, nginx, 'a pinned reader')
        tap.note('the -wal had %d bytes' % size)
    finally:
        nginx.stop()


def main():
    need_module()
    tap = Tap()
    healing = Healing(tap)
    upstream = Upstream(free_port())
    hanging(tap, upstream)
    failing(tap, healing, upstream)
    spoiling(tap, healing, upstream)
    read_only(tap, healing, upstream)
    pinned(tap, healing, upstream)
    upstream.stop()
    healing.tell()
    tap.done()


if __name__ == '__main__':
    main()
