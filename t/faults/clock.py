"""The system's clock jumps while nginx runs, an hour and ten years ahead and
back (libfaketime, which reads the time from a file): every exchange has its
record, no duration is of the jump, and ids stay unique.  What the time of a
record is, retention believes: a hundred years are kept here."""
import glob
import sys
import time

from driver import PATIENCE, ask, either, settled
from lib import Client, Nginx, Tap, Upstream, free_port, need_module, skip_all

LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1'
JUMPS = ('+0', '+3600', '+0', '-3600', '+0', '+315360000', '+0',
         '-315360000', '+0')


def main():
    need_module()
    found = glob.glob(LIBRARY)
    if not found:
        skip_all('no libfaketime here')
    tap = Tap()
    upstream = Upstream(free_port())
    names = ('FAKETIME_TIMESTAMP_FILE', 'FAKETIME_NO_CACHE',
             'FAKETIME_DONT_FAKE_MONOTONIC', 'DONT_FAKE_MONOTONIC')
    nginx = Nginx(upstream.port, workers=2, path='retention=36500d',
                  main=''.join('env %s; ' % n for n in names))
    now = nginx.dir / 'now'
    now.write_text('+0')
    nginx.start(prefix=['env', 'LD_PRELOAD=' + found[0], *(
        '%s=%s' % (n, 1 if n != names[0] else now) for n in names)])
    path = nginx.data / 'proxy_logs.db'
    sent = 0
    for turn in range(either(1, 20)):
        for jump in JUMPS:
            client = Client(nginx.buffered, '-f', str(sent + 1), '-n', '20',
                            '-c', '10', '-s', 'sse-10-20000')
            time.sleep(0.1)
            now.write_text(jump)
            client.process.wait()
            begun, done, report = client.end()
            sent += 20
            tap.ok(len(done) == 20 and nginx.wait_total(sent) == sent,
                   'the clock at %s s: every exchange has its record' % jump,
                   len(done), nginx.total(), sent)
    m = settled(tap, nginx, 'in the end')
    rows = ask(path, 'SELECT count(*), count(DISTINCT input_tokens),'
                     ' count(DISTINCT id), count(DISTINCT seq) FROM log')[0]
    tap.ok(rows == (sent,) * 4, 'each once, with an id of its own', rows)
    longest = ask(path, 'SELECT min(duration_ms), max(duration_ms),'
                        ' min(ttft_ms), max(ttft_ms) FROM logs')[0]
    tap.ok(0 <= longest[0] and longest[1] < 1000 * PATIENCE
           and 0 <= longest[2] and longest[3] < 1000 * PATIENCE,
           'no duration is of a jump', longest)
    years = ask(path, 'SELECT count(DISTINCT (id >> 21) / 31536000000)'
                      ' FROM log')[0][0]
    tap.ok(years >= 3, 'and the clock did jump', years)
    tap.ok(m['llm_monitor_records_total'] == sent, 'none was dropped',
           m['llm_monitor_records_total'])
    nginx.stop()
    upstream.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
