"""Copies of the database while it is written: whole, of one moment, one at a
time; nothing stays of one whose client leaves, whose worker is killed or for
which the disk has no room."""
import base64
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from lib import (Client, Nginx, Tap, Upstream, folder, free_port,
                 lock_holder, need_module, wait_for)


def prompts(port, n):
    """So many requests of 100 KB that no compression makes much smaller."""
    noise = base64.b64encode(os.urandom(300000)).decode()
    conn = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    for i in range(n):
        text = noise[i * 37:i * 37 + 50000] + noise[i * 211:i * 211 + 50000]
        conn.request('POST', '/v1/chat/completions?tag=%d' % i, json.dumps(
            {'model': 'gpt-4o', 'messages': [{'role': 'user',
                                              'content': text}]}))
        conn.getresponse().read()
    conn.close()


def rows(db):
    """A hash of all that a record is, by its seq."""
    return {r[0]: hashlib.md5(repr(r).encode()).digest() for r in
            db.execute('SELECT l.seq, l.*, d.* FROM log l'
                       ' JOIN detail d ON d.id = l.id')}


def look(path):
    """(what is wrong, rows, requests of the sums, bodies) of a file."""
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True, timeout=60)
    try:
        return (db.execute('PRAGMA integrity_check').fetchone()[0], rows(db),
                db.execute('SELECT sum(requests) FROM service').fetchone()[0],
                db.execute('SELECT count(*) FROM request_body').fetchone()[0])
    finally:
        db.close()


def left(nginx):
    """Copies that are there, by name or held by a process."""
    found = [p.name for p in nginx.data.glob('backup.*')]
    for pid in nginx.workers():
        try:
            for fd in os.listdir('/proc/%d/fd' % pid):
                name = os.readlink('/proc/%d/fd/%s' % (pid, fd))
                found += [name] if '/backup.' in name else []
        except OSError:
            pass
    return found


class Reader:
    """One that asks, and takes no more than its socket's few KB."""

    def __init__(self, port):
        self.s = socket.socket()
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.s.connect(('127.0.0.1', port))
        self.s.settimeout(120)
        self.s.sendall(b'GET /monitor/api/backup HTTP/1.1\r\n'
                       b'Host: localhost\r\n\r\n')

    def head(self):
        return self.s.recv(600)

    def close(self):
        self.s.close()


def taken(nginx):
    """A copy, when it can be had."""
    found = []
    wait_for(lambda: found.append(nginx.api('/backup', raw=True))
             or found[-1][0] == 200)
    return found[-1][1]


def copies(tap, nginx):
    prompts(nginx.buffered, 400)
    nginx.wait_total(400)
    client = Client(nginx.buffered, '-c', '8', '-r', '400')
    wait_for(lambda: nginx.total() > 600)

    path = folder() / 'copy.db'
    before = nginx.total()
    status, data = nginx.api('/backup', raw=True)
    after = nginx.total()
    path.write_bytes(data)
    wrong, copy, requests, bodies = look(path)
    tap.ok(status == 200 and wrong == 'ok', 'a copy under traffic is whole',
           status, data[:300], wrong)
    tap.ok(before <= len(copy) <= after + 400 and requests == len(copy)
           and list(sorted(copy)) == list(range(1, len(copy) + 1)),
           'of one moment', before, len(copy), after, requests)

    # a reader that takes its time, and another one

    slow = Reader(nginx.api_port)
    head = slow.head()
    tap.ok(b' 200 OK' in head and re.search(
        rb'filename="proxy_logs-\d{8}T\d{6}Z\.db"', head), 'one takes long',
        head)
    status, answer = nginx.api('/backup')
    tap.ok(status == 503 and answer['error']['code'] == 'busy',
           'another one is told so', status, answer)
    seen = nginx.total()
    tap.ok(wait_for(lambda: nginx.total() > seen + 200),
           'records are written all the time')
    names = [p.name for p in nginx.data.glob('backup.*')]
    tap.ok(not names and left(nginx), 'the file has no name any more', names)
    slow.close()
    tap.ok(wait_for(lambda: nginx.api('/backup', raw=True)[0] == 200)
           and wait_for(lambda: not left(nginx)),
           'who leaves makes room', left(nginx))

    # those who leave before it is made, at any time

    for n in range(12):
        reader = Reader(nginx.api_port)
        time.sleep(n * 0.02)
        reader.close()
    tap.ok(wait_for(lambda: not left(nginx)), 'and leaves nothing',
           left(nginx))
    tap.ok(wait_for(lambda: nginx.api('/backup', raw=True)[0] == 200),
           'and the next one gets its copy')

    begun, done, report = client.end()
    nginx.wait_total(400 + len(done))
    path.write_bytes(taken(nginx))
    tap.ok(look(path) == look(nginx.data / 'proxy_logs.db'),
           'at rest it is the same in all rows')
    tap.ok(report['failed'] == 0, 'no request has failed', report)


def refused(tap, nginx, scoped):
    c = http.client.HTTPConnection('127.0.0.1', scoped, timeout=60)
    c.request('GET', '/monitor/api/backup')
    r = c.getresponse()
    tap.ok(r.status == 403 and json.loads(r.read())['error']['code']
           == 'forbidden', 'a scope has no copy', r.status)
    c.close()
    tap.ok(nginx.api('/backup', 'HEAD', raw=True) == (200, b'')
           and not left(nginx), 'HEAD makes none')
    tap.ok(nginx.api('/backup', 'POST')[0] == 405
           and nginx.api('/backup?bodies=1')[0] == 400, 'nor what is wrong')


def killed(tap, nginx):
    """The writer and the worker that was asked, while it makes a copy."""
    found = []

    def asking():
        while not found:
            try:
                nginx.api('/backup', raw=True)
            except (OSError, http.client.HTTPException):
                pass

    t = threading.Thread(target=asking)
    t.start()
    wait_for(lambda: list(nginx.data.glob('backup.*')), 60, 0)
    for pid in nginx.workers():
        nginx.send(signal.SIGKILL, pid)
    found.append(1)
    t.join()
    tap.ok(wait_for(lambda: lock_holder(nginx.data / 'writer.lock'))
           and wait_for(lambda: nginx.api('/backup', raw=True)[0] == 200),
           'killed workers keep nobody from a copy')

    # what they left goes when it is old: before it could be somebody's

    other = nginx.data / 'backup.0123456789abcdef'
    (nginx.data / 'backup.mine').write_text('a')
    other.write_text('a')
    names = [p for p in nginx.data.glob('backup.*')
             if p.name != 'backup.mine']
    for p in names:
        os.utime(p, (time.time() - 61,) * 2)
    total, copy = nginx.total(), taken(nginx)
    nginx.stop(signal.SIGQUIT)
    for name in nginx.data.glob('proxy_logs.db-*'):
        name.unlink()
    (nginx.data / 'proxy_logs.db').write_bytes(copy)
    nginx.start()
    prompts(nginx.buffered, 1)
    tap.ok(total and nginx.wait_total(total + 1) == total + 1,
           'a copy in the place of the database', total, nginx.total())
    tap.ok(wait_for(lambda: left(nginx) == ['backup.mine']),
           'and what they left is removed', names, left(nginx))


def small(tap, upstream):
    if os.getuid() != 0:
        return tap.skip('a small disk', 'no right to mount one')
    disk = folder() / 'disk'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=60m,mode=755',
                       'tmpfs', str(disk)], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        return tap.skip('a small disk', 'no right to mount one')
    nginx = Nginx(upstream.port, path='max_size=1g ring=16m spool=0')
    nginx.data = disk / 'data'
    nginx.configure()
    try:
        nginx.start()
        prompts(nginx.buffered, 1)
        nginx.wait_total(1)
        status, answer = nginx.api('/backup')
        tap.ok(status == 503 and answer['error']['code'] == 'change_failed'
               and 'MB left' in answer['error']['message'],
               'no copy where the disk has no room', status, answer)
        tap.ok(not left(nginx), 'and nothing of it', left(nginx))
    finally:
        nginx.stop()
        subprocess.run(['umount', '-l', str(disk)], check=False)


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    scoped = free_port()
    nginx = Nginx(upstream.port, workers=2, http='''
        server { listen 127.0.0.1:%d;
            location /monitor/api { llm_monitor_api;
                llm_monitor_scope account $http_x_who; } }''' % scoped)
    nginx.start()
    copies(tap, nginx)
    refused(tap, nginx, scoped)
    killed(tap, nginx)
    nginx.stop(signal.SIGQUIT)
    found = [c for c in nginx.complaints() if 'signal 9' not in c]
    tap.ok(not found, 'nothing to complain of in the log', *found[:5])
    small(tap, upstream)
    tap.done()


if __name__ == '__main__':
    main()
