#!/usr/bin/env python3
"""What a worker's own memory grows by while it serves exchanges:

    leak.py [EXCHANGES] [recording|paused]

A line for each tenth of them with the KB of memory that is the worker's own
(the ring and the tables of the zone are shared), then the slope over the second
half, in bytes an exchange.
"""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'e2e'))

from lib import Nginx, Upstream, free_port, load_binary  # noqa: E402

STEPS = 10


def own(pid):
    with open('/proc/%d/status' % pid) as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith('RssAnon:'))


def slope(points):
    """Least squares, KB an exchange."""
    n = len(points)
    x = sum(p[0] for p in points) / n
    y = sum(p[1] for p in points) / n
    return (sum((a - x) * (b - y) for a, b in points)
            / sum((a - x) ** 2 for a, b in points))


def main():
    exchanges = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    paused = sys.argv[2:] == ['paused']

    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, keepalive='keepalive 32;',
                  path='max_size=512m').start()

    if paused:
        nginx.api('/recording', 'PUT', {'recording': False})

    worker = nginx.workers()[0]
    points = []

    for step in range(1, STEPS + 1):
        run = subprocess.run(
            [load_binary(), 'client', str(nginx.buffered), '-c', '16',
             '-n', str(exchanges // STEPS), '-s', 'json-1000', '-b', '500',
             '-o', '/dev/null'],
            capture_output=True, text=True, check=True)
        done = json.loads(run.stdout)
        assert nginx.workers() == [worker], 'the worker has died'
        points.append((step * (exchanges // STEPS), own(worker)))
        print('%8d exchanges  %7d KB  %s' % (*points[-1], done), flush=True)

    print('%s: %.3f bytes an exchange over the second half'
          % ('paused' if paused else 'recording',
             1024 * slope(points[STEPS // 2:])))
    nginx.stop()


if __name__ == '__main__':
    main()
