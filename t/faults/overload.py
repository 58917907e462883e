"""Nobody writes: the process that does is stopped.  The ring takes records,
then the spool, then they are dropped and counted, each exactly once; clients
get every answer, the counters have every request, nobody else becomes the
writer, and all that was kept is written when it goes on."""
import os
import signal
import sys

from driver import PATIENCE, Healing, ask, either, ended, settled
from lib import (Client, Nginx, Tap, Upstream, free_port, lock_holder,
                 need_module, wait_for)


def requests(m):
    return sum(v for k, v in m.items()
               if k.startswith('llm_requests_total{'))


def main():
    need_module()
    tap = Tap()
    healing = Healing(tap)
    count = either(600, 20000)
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, keepalive='keepalive 16;',
                  path='ring=128k spool=256k').start()
    held = lambda: lock_holder(nginx.data / 'writer.lock')
    client = Client(nginx.buffered, '-n', '1', '-c', '1')
    client.process.wait()
    client.end()
    nginx.wait_total(1)
    first = 2
    try:
        for turn in range(either(1, 10)):
            writer = wait_for(held, PATIENCE)
            os.kill(writer, signal.SIGSTOP)
            client = Client(nginx.buffered, '-f', str(first), '-n', str(count),
                            '-c', '8')
            ended(nginx, client)
            begun, done, report = client.end()
            first += count
            tap.ok(len(done) == count, 'a stopped writer fails no request',
                   len(done), report)
            tap.ok(held() == writer, 'nobody takes its place', held(), writer)
            before = ask(nginx.data / 'proxy_logs.db',
                         'SELECT coalesce(max(seq), 0) FROM log')[0][0]
            os.kill(writer, signal.SIGCONT)
            healing.wait('a stopped writer, %d' % turn, lambda: ask(
                nginx.data / 'proxy_logs.db',
                'SELECT coalesce(max(seq), 0) FROM log')[0][0] > before)
            m = settled(tap, nginx, 'overload')
    finally:
        for pid in nginx.workers():
            os.kill(pid, signal.SIGCONT)
    sent = first - 1
    path = nginx.data / 'proxy_logs.db'
    rows = ask(path, 'SELECT count(*), count(DISTINCT input_tokens) FROM log')
    dropped = {k: v for k, v in m.items() if v
               and k.startswith('llm_monitor_records_dropped')}
    tap.ok(m['llm_monitor_records_total'] == sent
           and requests(m) == sent, 'every exchange is counted', sent,
           m['llm_monitor_records_total'], requests(m))
    tap.ok(list(dropped) == ['llm_monitor_records_dropped_total'
                             '{reason="spool_full"}'],
           'those without room are dropped, for that reason', dropped)
    tap.ok(rows == [(sent - sum(dropped.values()),) * 2],
           'and all others have their row, once', rows, sent, dropped)
    tap.note('%d exchanges, %d dropped' % (sent, sum(dropped.values())))
    healing.tell()
    nginx.stop()
    upstream.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
