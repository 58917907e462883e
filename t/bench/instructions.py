"""User instructions, by callgrind: nginx in one process, one connection, and a
dump before and after the requests of a kind.  They are exact, whatever else
the machine does."""
import collections
import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

from lib import load_binary, wait_for
from results import Measure, lines
from states import (LUA, MODULE, PLAIN, STATES, environment, make, pause, say)
from workloads import COUNTED, MORE_EVENTS, STREAMS

# valgrind counts an instruction for each byte that "rep movsb" copies
COPY = 'glibc.cpu.x86_rep_movsb_threshold=1000000000'
ALONE = 'daemon off; master_process off;'
AIMS = {'1 KB answer': 31000}
MORE = 300
START_S = 120


def dump(nginx, process, word):
    """What has been counted since the last dump: {thread: its file}."""
    subprocess.run(['vgdb', '--pid=%d' % process.pid, 'dump', word],
                   check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=START_S)
    found = {}
    for path in nginx.dir.glob('callgrind.out.*'):
        text = path.read_text()
        if re.search('^desc: Trigger: dump %s$' % re.escape(word), text, re.M):
            found[int(re.search(r'^thread: (\d+)$', text, re.M)[1])] = path
    return found


def total(path):
    found = re.search(r'^(?:totals|summary): (\d+)', path.read_text(), re.M)
    return int(found[1])


def asked(nginx, workload, count=None):
    # of two at a time neither is to hear the other's tags
    subprocess.run([load_binary(), 'client', str(nginx.unbuffered),
                    '-d', '120', '-f', '%d000' % nginx.unbuffered,
                    '-a', str(nginx.set['upstream']),
                    *workload.options(count)], check=True,
                   stdout=subprocess.DEVNULL)
    time.sleep(nginx.state.wait)


@contextlib.contextmanager
def valgrind(nginx, **more):
    """The nginx's process under callgrind, once it answers."""
    process = subprocess.Popen(
        ['valgrind', '--tool=callgrind', '--separate-threads=yes',
         '--callgrind-out-file=%s' % (nginx.dir / 'callgrind.out'),
         *nginx.command()],
        env=dict(os.environ, GLIBC_TUNABLES=COPY, **more),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not wait_for(nginx.listening, START_S, 0.1):
            raise RuntimeError('%s does not start under callgrind'
                               % nginx.state.name)
        if nginx.module:
            wait_for(lambda: nginx.total() is not None)
        pause(nginx)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)


def counted(nginx):
    """{workload: {thread: its callgrind output}} of one state."""
    found = {}
    with valgrind(nginx, **environment(nginx.state)) as process:
        for workload in COUNTED:
            if workload.events < MORE_EVENTS:
                asked(nginx, workload, 1 if workload.events else 20)
        dump(nginx, process, 'warm')
        for n, workload in enumerate(COUNTED):
            asked(nginx, workload)
            found[workload.name] = dump(nginx, process, 'part%d' % n)
    return found


def every(upstream):
    """{state: {workload: {thread: file}}}, two at a time."""
    made = {}
    for name in STATES:
        nginx = make(name, upstream, main=ALONE)
        if nginx:
            made[name] = nginx
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        todo = {pool.submit(counted, nginx): name
                for name, nginx in made.items()}
        found = {}
        for done in concurrent.futures.as_completed(todo):
            name = todo[done]
            try:
                found[name] = done.result()
                say('instructions: %s' % name)
            except (RuntimeError, subprocess.SubprocessError) as error:
                say('instructions: %s left out, %s' % (name, error))
    return found


def instructions(bench):
    if not shutil.which('vgdb'):
        say('no valgrind: instructions are left out')
        return
    bench.counted = every(bench.upstream)
    for name in STATES:
        if name not in bench.counted:
            continue
        loop = {w.name: total(bench.counted[name][w.name][1]) / w.count
                for w in COUNTED}
        for w in COUNTED:
            if w.events:
                continue
            bench.results.add(
                Measure('instructions, ' + w.name, '', 'value',
                        AIMS.get(w.name), 0), name, 0, loop[w.name])
        for what, short, long in STREAMS:
            n = (loop[long] - loop[short]) / MORE_EVENTS
            if n <= 0:                 # Lua compiled itself, or its timer ran
                continue
            bench.results.add(
                Measure('instructions, ' + what, '', 'more', MORE, 0), name, 0,
                n)


def selves(path):
    """{function: its self cost}; nginx's own together: Debian's has no names
    for most of them.  What callgrind_annotate makes of a dump counts frames
    that had not returned, like the event loop's, twice."""
    names, cost = {}, collections.Counter()
    inside = function = None
    called = False
    with open(path) as lines_of:
        for line in lines_of:
            m = re.match(r'c?(fn|ob)=\((\d+)\)(?: (.*))?$', line)
            if m:
                if m[3]:
                    names[m[1], m[2]] = m[3]
                if line.startswith('fn='):
                    function = names['fn', m[2]]
                elif line.startswith('ob='):
                    inside = names['ob', m[2]].endswith('/nginx')
            elif line.startswith('calls='):
                called = True          # the next line is of what was called
            elif re.match(r'[-+*\d]', line):
                if not called:
                    cost['nginx itself' if inside else function] += \
                        int(line.split()[-1])
                called = False
    return cost


def profile(bench):
    """Where the module's instructions are, which plain nginx has not."""
    if not bench.counted:
        instructions(bench)
    found = {}
    for w in COUNTED:
        found[w.name] = collections.Counter()
        for name, sign in ((MODULE, 1), (PLAIN, -1)):
            cost = selves(bench.counted[name][w.name][1])
            for function, n in cost.items():
                found[w.name][function] += sign * n / w.count
    for what, short, long in STREAMS:
        found[long].subtract(found.pop(short))
        found[what] = collections.Counter(
            {f: n / MORE_EVENTS for f, n in found.pop(long).items()})
    for what, cost in found.items():
        top = cost.most_common(25)
        rest = sum(cost.values()) - sum(n for f, n in top)
        print('\nWhere the difference to plain nginx is, in instructions: %s\n'
              % what)
        print('\n'.join(lines(['function', 'self'], [
            *[[f, '%.0f' % n] for f, n in top],
            ['all others', '%.0f' % rest]])), flush=True)
