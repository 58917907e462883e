"""Nobody but the writer writes: strace over a run with traffic, API readers,
clear, pause, HUP, a killed writer.  The writer is the process that holds the
flock of writer.lock.  Nobody else may

  open proxy_logs.db for writing, or create it
  change proxy_logs.db, its -wal or -journal (write, truncate, allocate,
  map for writing and sharing, rename, unlink)

while -shm is open to readers for writing: WAL readers mark their place there.
"""
import os
import re
import shutil
import signal
import sys
import threading
import time

from lib import (Client, Nginx, Tap, Upstream, cmdline, folder, free_port,
                 lock_holder, need_module, pids, skip_all, wait_for)

CALLS = ('open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,'
         'ftruncate,truncate,fallocate,copy_file_range,sendfile,splice,mmap,'
         'unlink,unlinkat,rename,renameat,renameat2,link,linkat,'
         'flock,clone,clone3,fork,vfork')
LINE = re.compile(r'(\d+) +(\w+)\((.*)\) += (\?|-?\d+|0x[0-9a-f]+)(.*)$')
DATABASE = re.compile(r'proxy_logs\.db(-wal|-journal)?(?=[>"])')
OPENS = {'open', 'openat', 'openat2', 'creat'}
FORKS = {'clone', 'clone3', 'fork', 'vfork'}


def lines(text):
    """Calls as one line each: what strace says in two parts is joined."""
    begun = {}
    for line in text.splitlines():
        pid = line.split(' ', 1)[0]
        if line.endswith('<unfinished ...>'):
            begun[pid] = line[:-len('<unfinished ...>')].rstrip()
        elif 'resumed>' in line:
            rest = line.split('resumed>', 1)[1]
            yield begun.pop(pid, pid + ' lost(') + rest
        else:
            yield line


def changes(call, args, result, tail):
    """Whether a call may change the database."""
    if call in OPENS:
        return DATABASE.search(tail) and DATABASE.search(tail)[1] is None \
            and ('O_RDWR' in args or 'O_WRONLY' in args or 'O_CREAT' in args
                 or call == 'creat')
    if not DATABASE.search(args):
        return False
    if call == 'mmap':
        return 'PROT_WRITE' in args and 'MAP_SHARED' in args
    if call == 'sendfile' or call in ('copy_file_range', 'splice'):
        return DATABASE.search(args.split(',')[0 if call == 'sendfile' else 2])
    return True


def judge(text):
    """(violations, number of changes, the processes that held the lock)"""
    process = {}                       # of a thread
    holder, holders, count, bad = None, [], 0, []
    for line in lines(text):
        m = LINE.match(line)
        if not m or m[4].startswith('-') or m[4] == '?':
            continue
        pid, call, args, result, tail = m.groups()
        mine = process.setdefault(pid, pid)
        if call in FORKS:
            child = result
            process[child] = mine if 'CLONE_THREAD' in args else child
        elif call == 'flock':
            if 'writer.lock' in args and 'LOCK_EX' in args:
                holder = mine
                holders.append(mine)
        elif changes(call, args, result, tail):
            count += 1
            if mine != holder:
                bad.append('%s by %s, writer is %s: %.150s'
                           % (call, mine, holder, line))
    return bad, count, holders


def read_much(nginx, running):
    while running.is_set():
        for path in ('/logs?limit=20', '/count?filter=gpt', '/recording'):
            try:
                nginx.api(path)
            except OSError:
                pass
        time.sleep(0.02)


def exercise(tap, nginx):
    running = threading.Event()
    running.set()
    reader = threading.Thread(target=read_much, args=(nginx, running))
    load = Client(nginx.buffered, '-r', '200', '-c', '8')
    big = Client(nginx.unbuffered, '-r', '2', '-c', '1', '-s', 'raw-2000000')
    reader.start()
    held = lambda: lock_holder(nginx.data / 'writer.lock')

    def change(name, *call):
        status, answer = nginx.change(*call)
        tap.ok(status == 200, name, status, answer)

    try:
        time.sleep(1)
        change('clear', '/logs?all=1', 'DELETE')
        change('pause', '/recording', 'PUT', {'recording': False})
        time.sleep(0.5)
        nginx.send(signal.SIGHUP)
        time.sleep(1.5)
        change('resume after HUP', '/recording', 'PUT', {'recording': True})
        pid = wait_for(held)
        os.kill(pid, signal.SIGKILL)
        tap.ok(wait_for(lambda: held() not in (0, pid)), 'a new writer')
        time.sleep(1)
        change('clear with a filter', '/logs?status=200', 'DELETE')
        tap.ok(wait_for(nginx.total), 'records are written')
    finally:
        running.clear()
        reader.join()
        load.end()
        big.end()


def tracing(trace):
    return [p for p in pids() if str(trace).encode() in cmdline(p)]


def main():
    need_module()
    if not shutil.which('strace'):
        skip_all('no strace here')
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, keepalive='keepalive 16;')
    trace = folder() / 'trace'
    nginx.start(prefix=['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-y',
                        '-s', '0', '-e', 'trace=' + CALLS, '-e',
                        'signal=none', '-o', str(trace)])
    try:
        exercise(tap, nginx)
    finally:
        nginx.stop(signal.SIGQUIT)
        upstream.stop()
    wait_for(lambda: not tracing(trace))
    text = trace.read_text(errors='replace')
    bad, count, holders = judge(text)
    tap.ok(count > 50, 'the trace has the writer\'s changes', count)
    tap.ok(len(set(holders)) > 1, 'more than one process was the writer',
           holders)
    tap.ok(not bad, 'only the holder of writer.lock changes the database',
           '%d of %d' % (len(bad), count), *bad[:10])
    forged = re.sub(r'^(\d+)( +pwrite64\(\d+<[^>]*proxy_logs\.db.* = \d+)$',
                    r'1\2', text, count=1, flags=re.M)
    tap.ok(judge(forged)[0], 'control: one forged write is found out')
    tap.note('%d changes by %d writers' % (count, len(set(holders))))
    tap.done()


if __name__ == '__main__':
    main()
