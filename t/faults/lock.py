"""The lock of the shared memory is held over moves of memory only: between
taking it and giving it back the module makes no system call (strace, with
marks of wrap.c) and allocates nothing (wrap.c counts), while records go to
the ring, to the spool and nowhere, names are new, workers come and go, and
everything is asked for.  A control, which does both, is found out."""
import re
import shutil
import signal
import sqlite3
import sys

from driver import PATIENCE, Wrapped, either
from lib import (Client, Nginx, Tap, Upstream, folder, free_port,
                 need_module, skip_all, wait_for)


LINE = re.compile(r'(\d+) +(.*)$')
LOCKED, UNLOCKED = 'getpgid(1111111', 'getpgid(2222222'


def judge(text):
    """(times the lock was held, system calls while it was)"""
    held, times, bad = set(), 0, []
    for line in text.splitlines():
        m = LINE.match(line)
        if not m:
            continue
        thread, call = m.groups()
        if call.startswith(LOCKED):
            held.add(thread)
            times += 1
        elif call.startswith(UNLOCKED):
            held.discard(thread)
        elif thread in held and not call.startswith(('<... getpgid', '+++',
                                                     '---')):
            bad.append(line)
    return times, bad


def play(nginx, count):
    """As many exchanges, and more while the ring cannot be drained."""
    client = Client(nginx.buffered, '-n', str(count), '-c', '4')
    for path in ('/logs', '/stats', '/live', '/recording'):
        nginx.api(path)
    client.process.wait()
    client.end()
    db = sqlite3.connect(nginx.data / 'proxy_logs.db', timeout=PATIENCE,
                         isolation_level=None)
    db.execute('BEGIN IMMEDIATE')
    client = Client(nginx.buffered, '-f', '10000', '-n', str(count),
                    '-c', '4', '-s', 'sse-5-100')
    client.process.wait()
    client.end()
    db.execute('ROLLBACK')
    db.close()
    before = set(nginx.workers())
    nginx.send(signal.SIGHUP)
    wait_for(lambda: set(nginx.workers()) - before, PATIENCE)


def run(wrapped, upstream, count, control):
    wrapped['marks'], wrapped['control'] = 1, control
    wrapped['holds'] = wrapped['allocations'] = wrapped['longest'] = 0
    nginx = Nginx(upstream.port, workers=2, module=wrapped.module,
                  path='ring=64k spool=128k', keepalive='keepalive 16;')
    trace = folder() / 'trace'
    nginx.start(prefix=['strace', '-D', '-f', '-qq', '-s', '0', '-e',
                        'signal=none', '-o', str(trace), *wrapped.prefix()])
    try:
        play(nginx, count)
        m = wait_for(lambda: nginx.metrics(), PATIENCE)
    finally:
        nginx.stop(signal.SIGQUIT)
    wait_for(lambda: not nginx.processes(), PATIENCE)
    return judge(trace.read_text(errors='replace')), m


def main():
    need_module()
    if not shutil.which('strace'):
        skip_all('no strace here')
    wrapped = Wrapped()
    tap = Tap()
    upstream = Upstream(free_port())
    (times, bad), m = run(wrapped, upstream, either(200, 2000), 0)
    tap.ok(times > either(300, 3000) and times <= wrapped['holds'] * 1.01,
           'the lock was taken', times, wrapped['holds'])
    tap.ok(not bad, 'no system call while it is held', len(bad), *bad[:10])
    tap.ok(wrapped['allocations'] == 0, 'and no allocation',
           wrapped['allocations'])
    spooled = [k for k, v in m.items()
               if k.startswith('llm_monitor_records_dropped') and v]
    tap.note('held %d times, %.1f us at most with what the scheduler took; '
             'dropped: %s' % (times, wrapped['longest'] / 1000, spooled))
    (times, bad), m = run(wrapped, upstream, 20, 1)
    tap.ok(bad, 'control: a system call is found out', times)
    tap.ok(wrapped['allocations'] > 0, 'control: so is an allocation')
    upstream.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
