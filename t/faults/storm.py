"""HUP and USR2, one after the other, under live streams: every stream comes
to its end with all of its bytes and has one record, one process writes at a
time, and no old one stays.  Every second upgrade is taken back."""
import random
import signal
import subprocess
import sys
import time

from driver import PATIENCE, ask, either, settled
from lib import (Client, Nginx, Tap, Upstream, alive, free_port, lock_holder,
                 need_module, wait_for)

STREAMS = 40


def hup(nginx, n):
    nginx.send(signal.SIGHUP)


def usr2(nginx, n):
    """The new binary stays, or the old one does."""
    old = nginx.master()
    nginx.send(signal.SIGUSR2)
    if not wait_for(lambda: nginx.master() not in (0, old)
                    and nginx.workers(), PATIENCE):
        return 'no new binary'
    time.sleep(random.uniform(0, 0.2))
    gone = old if n % 2 else nginx.master()
    nginx.send(signal.SIGQUIT, gone)
    if not wait_for(lambda: not alive(gone), PATIENCE):
        return 'a binary stays'
    wait_for(lambda: nginx.master() not in (0, gone), PATIENCE)


def storm(tap, nginx, name, act, count, first):
    """Streams of a second while it happens, then until all have ended."""
    client = Client(nginx.unbuffered, '-c', str(STREAMS), '-r', str(STREAMS),
                    '-f', str(first), '-s', 'sse-50-20000')
    wait_for(lambda: client.log.exists()
             and client.log.read_text().count('\n') > STREAMS / 2, PATIENCE)
    trouble = []
    for n in range(count):
        error = act(nginx, n)
        if error:
            trouble.append('%d: %s' % (n, error))
        time.sleep(0.2)
    tap.ok(not trouble, '%s: %d times' % (name, count), *trouble[:5])
    begun, done, report = client.end()
    # a request on a connection that a reload closes just now is not heard
    ended = len(begun) - len(done) - report['failed']
    tap.note('%s: %d streams, %d ended with the client, %d were not begun'
             % (name, len(begun), ended, report['failed']))
    return begun, done, ended


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, log_level='warn').start()
    path = nginx.data / 'proxy_logs.db'
    begun, done, ended = {}, {}, 0
    for name, act, count in (('HUP', hup, either(10, 300)),
                             ('USR2', usr2, either(4, 100))):
        more = storm(tap, nginx, name, act, count, max(begun, default=0) + 1)
        begun.update(more[0])
        done.update(more[1])
        ended += more[2]
    tap.ok(wait_for(lambda: len(nginx.processes()) == 3, PATIENCE),
           'one master and two workers are left', nginx.processes())
    tap.ok(wait_for(lambda: lock_holder(nginx.data / 'writer.lock')
                    in nginx.workers(), PATIENCE), 'and one of them writes')
    rows = lambda: [t for t, in ask(path, 'SELECT input_tokens FROM log'
                                    ' WHERE input_tokens IS NOT NULL')]
    wait_for(lambda: not set(done) - set(rows()), PATIENCE, 0.1)
    settled(tap, nginx, 'in the end')
    got = rows()
    lost = sorted(set(done) - set(got))
    tap.ok(len(done) > STREAMS and not lost, 'every stream has its record',
           len(done), lost[:10])
    tap.ok(len(got) == len(set(got)), 'and only one')
    cut = dict(ask(path, 'SELECT outcome, count(*) FROM logs'
                   " WHERE outcome <> 'success' GROUP BY 1"))
    tap.ok(set(cut) <= {'client_abort'} and sum(cut.values()) <= ended,
           'none was cut but by the end of its client', cut, ended)
    nginx.stop()
    upstream.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
