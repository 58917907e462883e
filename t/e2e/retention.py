"""Retention under traffic: a database that may have 16 MB stays at that,
bodies go before records and their space comes back; on a disk that is full
records wait, deleting goes on, and none is lost when there is room again; a
clock that leaps years ahead deletes nothing."""
import base64
import http.client
import json
import os
import sqlite3
import subprocess
import time

from lib import (Client, Nginx, Tap, Upstream, folder, free_port,
                 need_module, wait_for)

MB = 1024 * 1024
FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'


def ask(nginx, sql):
    db = sqlite3.connect('file:%s?mode=ro' % (nginx.data / 'proxy_logs.db'),
                         uri=True, timeout=60)
    try:
        return db.execute(sql).fetchone()[0]
    finally:
        db.close()


def size(nginx):
    return (nginx.data / 'proxy_logs.db').stat().st_size


def traffic(nginx, *options):
    """(tags begun, tags whole) of a client that comes to its end."""
    client = Client(nginx.buffered, *options)
    client.process.wait()
    begun, done, report = client.end()
    return begun, done


def prompts(nginx, n):
    """So many requests of 100 KB that no compression makes much smaller; how
    many of them were answered."""
    noise = base64.b64encode(os.urandom(300000)).decode()
    conn = http.client.HTTPConnection('127.0.0.1', nginx.buffered, timeout=60)
    done = 0
    for i in range(n):
        text = noise[i * 37:i * 37 + 50000] + noise[i * 211:i * 211 + 50000]
        conn.request('POST', '/v1/chat/completions?tag=%d' % i, json.dumps(
            {'model': 'gpt-4o', 'messages': [{'role': 'user',
                                              'content': text}]}))
        answer = conn.getresponse()
        answer.read()
        done += answer.status == 200
    conn.close()
    return done


def sizes(tap, upstream):
    nginx = Nginx(upstream.port, path='max_size=16m ring=32m').start()
    try:
        done = prompts(nginx, 700)
        wait_for(lambda: ask(nginx, 'SELECT max(seq) FROM log') == 700, 60)
        rows = ask(nginx, 'SELECT count(*) FROM log')
        tap.ok(done == 700 and rows == 700,
               'more bodies come than it may have, every record stays',
               done, rows)
        tap.ok(wait_for(lambda: size(nginx) < 18 * MB, 60),
               'and the file has its size', size(nginx))
        stored = ask(nginx, 'SELECT count(*) FROM request_body')
        expired = ask(nginx, 'SELECT count(*) FROM log WHERE'
                             ' request_body_state = 6')
        tap.ok(0 < stored < 700 and stored + expired == 700,
               'old bodies are expired', stored, expired)
        tap.ok(ask(nginx, 'SELECT sum(requests) FROM service') == 700,
               'the sums know them all')
    finally:
        nginx.stop()
    return nginx


def full(tap, upstream):
    if os.getuid() != 0:
        return tap.skip('a full disk', 'no right to mount one')
    disk = folder() / 'disk'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64m,mode=755',
                       'tmpfs', str(disk)], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        return tap.skip('a full disk', 'no right to mount one')
    nginx = Nginx(upstream.port, path='max_size=1g ring=32m spool=0')
    nginx.data = disk / 'data'
    nginx.configure()
    log = nginx.dir / 'error.log'
    try:
        nginx.start()
        begun, done = traffic(nginx, '-n', '500', '-c', '8', '-b', '8000')
        nginx.wait_total(500)
        tap.ok(wait_for((nginx.data / 'ballast').exists), 'a ballast')

        with open(disk / 'other', 'wb') as other:
            try:
                while True:
                    other.write(os.urandom(MB))
            except OSError:
                pass

        begun, more = traffic(nginx, '-f', '501', '-n', '400', '-c', '8',
                              '-b', '8000', '-s', 'json-8000')
        tap.ok(len(more) == 400, 'a full disk fails no request', len(more))
        tap.ok(wait_for(lambda: b'disk is full' in log.read_bytes()
                        and not (nginx.data / 'ballast').exists()),
               'it is said, and the ballast goes')
        kept = ask(nginx, 'SELECT count(*) FROM log')
        tap.ok(kept < 900, 'records wait', kept)

        status, answer = nginx.change('/logs?all=1', method='DELETE')
        tap.ok(status == 200 and answer['deleted'] > 0,
               'what is deleted goes', status, answer)

        (disk / 'other').unlink()
        begun, last = traffic(nginx, '-f', '901', '-n', '100', '-c', '8')
        tap.ok(wait_for(lambda: ask(nginx, 'SELECT sum(requests) FROM service')
                        == 1000), 'with room again all are counted',
               ask(nginx, 'SELECT sum(requests) FROM service'))
        tap.ok(wait_for((nginx.data / 'ballast').exists)
               and b'has room again' in log.read_bytes(),
               'and the ballast is there')
        tap.ok(ask(nginx, 'PRAGMA integrity_check') == 'ok', 'whole')
        tap.ok(b'dropped' not in log.read_bytes(), 'nothing was dropped')
    finally:
        nginx.stop()
        subprocess.run(['umount', '-l', str(disk)], check=False)


def leap(tap, nginx):
    """Ten years later, by the system's time alone."""
    if not os.path.exists(FAKETIME):
        return tap.skip('a leap of the clock', 'no libfaketime')
    rows = ask(nginx, 'SELECT count(*) FROM log')
    begun = time.monotonic()
    nginx.start(prefix=['env', 'LD_PRELOAD=' + FAKETIME, 'FAKETIME=+3650d',
                        'DONT_FAKE_MONOTONIC=1',
                        'FAKETIME_DONT_FAKE_MONOTONIC=1'])
    try:
        traffic(nginx, '-f', '5001', '-n', '50')
        nginx.wait_total(rows + 50)
        tap.ok(ask(nginx, 'SELECT count(*) FROM log') == rows + 50
               and ask(nginx, 'SELECT max(id) >> 21 FROM log')
               > (time.time() + 3600 * 86400) * 1000,
               'ten years ahead no record is too old')
        tap.ok(wait_for(lambda: b'leapt ahead' in
                        (nginx.dir / 'error.log').read_bytes()),
               'and it is said', time.monotonic() - begun)
    finally:
        nginx.stop()


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = sizes(tap, upstream)
    leap(tap, nginx)
    full(tap, upstream)
    upstream.stop()
    tap.ok(not nginx.complaints(), 'nothing worse is logged',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    main()
