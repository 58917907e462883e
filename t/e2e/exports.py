"""Exports in steps have each record once while streams of all lengths come to
their end; one whose client takes its time holds nothing of the database."""
import csv
import http.client
import io
import json
import os
import re
import signal
import socket
import sqlite3
import time

from lib import (Client, Nginx, Tap, Upstream, folder, free_port,
                 need_module, wait_for, waiting)

SIZE = 1700                   # bytes of an URL, which a record has whole


def answer(nginx, query):
    """(status, X-Next-Seq, text) of an export."""
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=60)
    c.request('GET', '/monitor/api/export?' + query)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, r.getheader('X-Next-Seq'), text


def export(nginx, query):
    """(the records, X-Next-Seq) of an export; a writer that leaves may have
    the database for itself, as long as the disk takes."""
    found = []
    wait_for(lambda: found.append(answer(nginx, query))
             or found[-1][0] != 503)
    status, seq, text = found[-1]
    if status != 200:
        raise RuntimeError('%d %s' % (status, text))
    if 'format=csv' in query:
        rows = list(csv.DictReader(io.StringIO(text)))
    elif 'ndjson' in query:
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = json.loads(text)['logs']
    return rows, int(seq)


def steps(tap, upstream):
    nginx = Nginx(upstream.port, workers=2).start()
    clients = [Client(nginx.buffered, '-r', '200', '-c', '8'),
               Client(nginx.unbuffered, '-c', '30', '-s',
                      'sse-10-50000', '-f', '1000001'),
               Client(nginx.unbuffered, '-c', '10', '-s',
                      'sse-40-50000', '-f', '2000001')]
    seen, n, seq, sizes = [], 0, 0, []
    begun = time.monotonic()
    while time.monotonic() - begun < (5 if sum(map(bool, sizes)) > 10
                                      and n > 30 and sum(
                                          t > 2000000 for _, t in seen) > 10
                                      else 120):
        rows, seq = export(nginx, 'since_seq=%d&format=%s' % (
            seq, ('ndjson', 'json', 'csv')[n % 3]))
        sizes.append(len(rows))
        seen += [(int(r['seq']), int(r['input_tokens'] or 0)) for r in rows]
        n += 1
        if n == 20:
            nginx.send(signal.SIGHUP)
        time.sleep(0.02)
    done = {}
    for client in clients:
        done.update(client.end()[1])
    wait_for(lambda: not nginx.api('/live')[1]['live']
             and not waiting(nginx.metrics()))
    while sizes[-1] or len(seen) < nginx.total():
        rows, seq = export(nginx, 'since_seq=%d&format=ndjson' % seq)
        sizes.append(len(rows))
        seen += [(r['seq'], r['input_tokens'] or 0) for r in rows]
    tap.ok(sum(map(bool, sizes)) > 10, 'steps with records: %d of %d'
           % (sum(map(bool, sizes)), len(sizes)))
    seqs = [s for s, _ in seen]
    tap.ok(seqs == sorted(set(seqs)) and len(seqs) == nginx.total(),
           'each record in one of them', len(seqs), nginx.total())
    tags = [t for _, t in seen]
    long_ = [t for t in done if t > 2000000]
    tap.ok(set(done) <= set(tags) and max(map(tags.count, long_)) == 1
           and len(long_) >= 10, 'and each long stream', len(long_),
           sorted(set(done) - set(tags))[:9])
    began = {r['seq']: r['timestamp'] for r in nginx.logs()}
    order = [began[s] for s in seqs]
    tap.ok(order != sorted(order), 'which had begun before others ended')
    nginx.stop(signal.SIGQUIT)
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])


def requests(nginx, n, body=''):
    """So many exchanges with long URLs."""
    conn = http.client.HTTPConnection('127.0.0.1', nginx.buffered, timeout=60)
    data = json.dumps({'model': 'gpt-4o', 'messages': [
        {'role': 'user', 'content': body}]})
    for i in range(n):
        conn.request('POST', '/v1/chat/completions?n=%d&t=%s'
                     % (i, 'x' * SIZE), data, {'X-Say': 'json-200'})
        conn.getresponse().read()
    conn.close()


def reading(nginx):
    """Locks of readers on the database's shared memory, but for those that
    every connection has."""
    inode = str(os.stat(nginx.data / 'proxy_logs.db-shm').st_ino)
    with open('/proc/locks') as locks:
        parts = [line.split() for line in locks]
    return [p for p in parts if p[1] == 'POSIX' and p[3] == 'READ'
            and p[5].rsplit(':', 1)[1] == inode
            and 120 <= int(p[6]) < 128]


def checkpointed(nginx):
    """The newest seq in the database's file alone."""
    copy = folder() / 'main.db'
    copy.write_bytes((nginx.data / 'proxy_logs.db').read_bytes())
    db = sqlite3.connect('file:%s?immutable=1' % copy, uri=True)
    try:
        return db.execute('SELECT max(seq) FROM log').fetchone()[0] or 0
    except sqlite3.DatabaseError:
        return 0                       # read while pages were written
    finally:
        db.close()
        copy.unlink()


def slow(tap, upstream):
    port = free_port()
    nginx = Nginx(upstream.port, http='''
        server { listen 127.0.0.1:%d sndbuf=8k;
            location /monitor/api { llm_monitor_api; } }''' % port).start()
    requests(nginx, 1500)
    nginx.wait_total(1500)

    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(('127.0.0.1', port))
    s.settimeout(60)
    s.sendall(b'GET /monitor/api/export?format=ndjson&bodies=1 HTTP/1.0\r\n'
              b'Host: localhost\r\n\r\n')
    text = s.recv(2000)
    upto = int(re.search(rb'X-Next-Seq: (\d+)', text).group(1))
    tap.ok(b' 200 OK' in text and upto == 1500, 'an export that is not taken',
           text[:300])
    tap.ok(wait_for(lambda: not reading(nginx), 60, 0.05),
           'holds no transaction', *reading(nginx))
    before = checkpointed(nginx)
    db = sqlite3.connect('file:%s?mode=ro' % (nginx.data / 'proxy_logs.db'),
                         uri=True, isolation_level=None)
    db.execute('BEGIN')
    db.execute('SELECT count(*) FROM log').fetchone()
    tap.ok(reading(nginx), 'which would be seen')
    db.close()

    def more():
        requests(nginx, 50, 'y' * 100000)
        return checkpointed(nginx) > max(before, upto)

    tap.ok(wait_for(more, 60), 'and checkpoints go on', before,
           checkpointed(nginx))
    while True:
        piece = s.recv(1 << 20)
        if not piece:
            break
        text += piece
    s.close()
    rows = [json.loads(line) for line in
            text.split(b'\r\n\r\n', 1)[1].splitlines()]
    tap.ok([r['seq'] for r in rows] == list(range(1, upto + 1)),
           'it is whole in the end, up to where it said', len(rows))

    # one that is gone

    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(('127.0.0.1', port))
    s.sendall(b'GET /monitor/api/export HTTP/1.0\r\nHost: localhost\r\n\r\n')
    s.recv(100)
    s.close()
    nginx.stop(signal.SIGQUIT)
    tap.ok(not nginx.processes() and not nginx.complaints(),
           'who leaves keeps no worker', *nginx.complaints()[:5])


def main():
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    steps(tap, upstream)
    slow(tap, upstream)
    tap.done()


if __name__ == '__main__':
    main()
