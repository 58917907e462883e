"""Many large bodies at once, both ways, in a memory cgroup that could not hold
them: nothing is killed, every byte arrives, the module's memory is bounded,
each exchange has its record, and the spool is empty in the end."""
import os
import pathlib
import re
import sys
import time

from driver import PATIENCE, either, settled
from lib import (Client, Nginx, Tap, Upstream, free_port, need_module,
                 skip_all, wait_for)

MB = 1 << 20
LIMIT = 256 * MB
ANON = 96 * MB                         # of all workers, 2 of them
V1 = pathlib.Path('/sys/fs/cgroup/memory')
V2 = pathlib.Path('/sys/fs/cgroup')


def cgroup():
    """A new group with the limit, and how it is entered; None: not here."""
    top = V1 if V1.exists() else V2
    group = top / ('llm-faults-%d' % os.getpid())
    try:
        group.mkdir()
        name = 'memory.limit_in_bytes' if top == V1 else 'memory.max'
        (group / name).write_text(str(LIMIT))
    except OSError:
        return None
    return group


def resident(nginx):
    total = 0
    for pid in nginx.workers():
        try:
            text = pathlib.Path('/proc/%d/status' % pid).read_text()
            total += int(re.search(r'RssAnon:\s+(\d+)', text)[1]) << 10
        except (OSError, TypeError):
            pass
    return total


def main():
    need_module()
    group = cgroup()
    if not group:
        skip_all('no right to make a memory cgroup')
    tap = Tap()
    count, size = either((6, 20 * MB), (40, 100 * MB))
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, path='ring=8m spool=4g',
                  http='llm_monitor_capture_memory 16m; '
                  'llm_monitor_max_body_size 20m; proxy_max_temp_file_size 0;')
    nginx.start(prefix=['sh', '-c', 'echo $$ >%s/cgroup.procs; exec "$@"'
                        % group, 'sh'])
    before = wait_for(nginx.workers, PATIENCE)
    try:
        clients = [Client(port, '-f', str(first), '-n', str(count), '-c',
                          str(count), '-s', 'raw-%d' % size, '-b',
                          str(size // 10))
                   for first, port in ((1, nginx.buffered),
                                       (10001, nginx.unbuffered))]
        most = 0
        while any(c.process.poll() is None for c in clients):
            most = max(most, resident(nginx))
            time.sleep(0.02)
        done = sum(len(c.end()[1]) for c in clients)
        tap.ok(done == 2 * count, '%d bodies of %d MB at once are whole'
               % (2 * count, size // MB), done)
        tap.ok(nginx.workers() == before, 'nobody was killed', before,
               nginx.workers())
        tap.ok(most < ANON, 'memory is bounded', most)
        tap.note('%.1f MB of memory at most, all workers' % (most / MB))
        m = settled(tap, nginx, 'in the end')
        tap.ok(m['llm_monitor_records_written_total'] == 2 * count,
               'and each has its record')
        tap.ok(wait_for(lambda: not list((nginx.data / 'spool').iterdir()),
                        PATIENCE), 'the spool is empty')
    finally:
        nginx.stop()
        upstream.stop()
        wait_for(lambda: not (group / 'cgroup.procs').read_text(), PATIENCE)
        group.rmdir()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
