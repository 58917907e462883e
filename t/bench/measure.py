"""How CPU time, memory, and delays are taken of a running nginx."""
import json
import pathlib
import re
import subprocess
import time

from lib import load_binary
from states import LOAD_CPU

QUIET_S, QUIET_NS = 0.15, 1500000      # of CPU: one percent of it
SETTLED_S = 20


def load(nginx, options, port=None):
    """What the client of load.c reports, from its own CPU."""
    client = subprocess.run(
        ['taskset', '-c', LOAD_CPU, load_binary(), 'client',
         str(port or nginx.unbuffered), *options],
        capture_output=True, text=True, check=True)
    report = json.loads(client.stdout)
    if report['failed'] or not report['done']:
        raise RuntimeError('%s: %s' % (nginx.dir, report))
    return report


def spent(nginx):
    """Nanoseconds on a CPU: (of the workers' first threads, of the rest)."""
    loop = rest = 0
    for pid in nginx.workers():
        for task in pathlib.Path('/proc/%d/task' % pid).iterdir():
            ns = int((task / 'schedstat').read_text().split()[0])
            if task.name == str(pid):
                loop += ns
            else:
                rest += ns
    return loop, rest


def settle(nginx):
    """Until what was recorded is written: the CPU is left alone again."""
    time.sleep(nginx.state.wait)
    end = time.monotonic() + SETTLED_S
    last = sum(spent(nginx))
    while time.monotonic() < end:
        time.sleep(QUIET_S)
        now = sum(spent(nginx))
        if now - last < QUIET_NS:
            return
        last = now


def memory(nginx):
    """Anonymous memory of the workers, bytes; the module's ring is shared."""
    kb = 0
    for pid in nginx.workers():
        text = pathlib.Path('/proc/%d/status' % pid).read_text()
        kb += int(re.search(r'^RssAnon:\s+(\d+)', text, re.M)[1])
    return kb * 1024


def client(nginx, options):
    return subprocess.Popen(
        ['taskset', '-c', LOAD_CPU, load_binary(), 'client',
         str(nginx.unbuffered), *options], stdout=subprocess.PIPE, text=True)


def steady(nginx, options, begin, end):
    """The client's report, and nanoseconds a second on a CPU between two
    times of its run: (of the first threads, of the rest)."""
    process = client(nginx, options)
    time.sleep(begin)
    start, before = time.monotonic(), spent(nginx)
    time.sleep(end - begin)
    after, took = spent(nginx), time.monotonic() - start
    report = json.loads(process.communicate()[0])
    return report, (after[0] - before[0]) / took, (after[1] - before[1]) / took


def peak(nginx, options):
    """The largest anonymous memory over that of before, during a load and
    until what it left is written; and the client's report."""
    before = top = memory(nginx)
    process = client(nginx, options)
    while process.poll() is None:
        top = max(top, memory(nginx))
        time.sleep(0.005)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        top = max(top, memory(nginx))
        time.sleep(0.01)
    return top - before, json.loads(process.stdout.read())


def held(nginx, options, seconds):
    """Anonymous memory over that of before while all streams are open; what
    the writer needs at their end is not theirs."""
    before = top = memory(nginx)
    process = client(nginx, options)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        top = max(top, memory(nginx))
        time.sleep(0.02)
    return top - before, json.loads(process.communicate()[0])
