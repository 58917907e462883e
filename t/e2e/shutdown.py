"""200 streams alive when nginx is told to stop: at once, every one of them
has its record with what was seen of it; gracefully, every one ends as if
nothing had happened."""
import collections
import os
import signal
import subprocess
import sys
import time

from lib import (Nginx, Tap, Upstream, free_port, load_binary, need_module,
                 wait_for)

STREAMS = 200

# The master gives its workers a second and a half: it is not of that whether
# others on the machine leave them the CPU.
FIRST = ['nice', '-n', '-15'] if os.getuid() == 0 else []


def streams(nginx, events, before):
    """So many clients of streams that take events * 20 ms, all of which have
    begun or, when that takes long, are over; there are records before."""
    client = subprocess.Popen(
        [load_binary(), 'client', str(nginx.unbuffered), '-c', str(STREAMS),
         '-n', str(STREAMS), '-s', 'sse-%d-20000' % events, '-b', '2048'],
        stdout=subprocess.DEVNULL)
    wait_for(lambda: nginx.total() - before + len(
        [f for f in nginx.api('/live')[1]['live'] if f['ttft_ms'] is not None
         and f['response_bytes'] > 1000]) >= STREAMS)
    return client


def records(nginx):
    return collections.Counter(
        (r['outcome'], r['aborted_by'], r['stream_complete'],
         r['usage_partial']) for r in nginx.logs())


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, path='ring=8m')
    nginx.start(prefix=FIRST)

    client = streams(nginx, 3000, 0)
    begun = time.monotonic()
    nginx.stop(signal.SIGTERM)
    took = time.monotonic() - begun
    client.wait()
    tap.ok('signal 9' not in (nginx.dir / 'error.log').read_text(),
           'a fast shutdown leaves before the master kills',
           '%.1f s' % took)

    nginx.start()
    nginx.wait_total(STREAMS)
    got, want = records(nginx), {('shutdown', 'shutdown', False, True): STREAMS}
    tap.ok(got == want, 'every stream has its record, once', got)
    cut = nginx.logs()
    tap.ok(all(r['ttft_ms'] and r['response_bytes'] and r['output_tokens']
               is None and r['estimated_output_tokens'] for r in cut),
           'with what was seen of it, and no count that nobody gave')

    client = streams(nginx, 150, STREAMS)
    nginx.send(signal.SIGQUIT)
    client.wait()
    tap.ok(client.returncode == 0, 'a graceful shutdown ends the streams well')
    tap.ok(wait_for(lambda: not nginx.processes()),
           'and no worker stays behind')
    nginx.start()
    nginx.wait_total(2 * STREAMS)
    got = records(nginx)[('success', None, True, False)]
    tap.ok(got == STREAMS, 'every one of them is recorded as a success', got)
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    upstream.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
