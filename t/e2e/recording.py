"""Pausing while there is no writer: the answer is 503 after 10 seconds, and
then everything is as it was before, for all workers and for the database.  And
an exchange that recording is resumed in."""
import fcntl
import http.client
import json
import os
import select
import shutil
import socket
import sys
import threading
import time

from lib import WAIT, Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

BODY = b'{"model":"m","messages":[]}'
QUESTION = request('POST', '/v1/chat/completions', [('Host', 'x')], BODY)


def put(nginx, on, found):
    begun = time.monotonic()
    status, answer = nginx.api('/recording', 'PUT', {'recording': on})
    found.append((status, (answer.get('error') or {}).get('code'),
                  time.monotonic() - begun))


def leave(nginx, on):
    """Asks for the change and leaves before the answer."""
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=60)
    c.request('PUT', '/monitor/api/recording', json.dumps({'recording': on}))
    seen = wait_for(lambda: recording(nginx) == on, 8)
    c.close()
    return seen


def recording(nginx):
    return nginx.api('/recording')[1]['recording']


def across(nginx, listener):
    """The body states of an exchange whose request comes while recording is
    paused, and whose answer when it goes on again."""
    wait_for(lambda: nginx.metrics()['llm_monitor_recording'] == 0)
    client = socket.create_connection(('127.0.0.1', nginx.buffered), WAIT)
    client.sendall(QUESTION)
    wait_for(lambda: select.select([listener.sock], [], [], 1)[0])
    upstream = listener.sock.accept()[0]
    upstream.settimeout(WAIT)
    asked = b''
    while not asked.endswith(BODY):
        part = upstream.recv(65536)
        if not part:
            break
        asked += part
    said = nginx.change('/recording', 'PUT', {'recording': True})[0]
    upstream.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
                     b'Content-Length: 2\r\n\r\n{}')
    answer = b''
    while not answer.endswith(b'{}'):
        part = client.recv(65536)
        if not part:
            break
        answer += part
    client.close()
    upstream.close()
    nginx.wait_total(2)
    record = nginx.logs()[0]
    return said, record['request_body_state'], record['response_body_state']


def main():
    need_module()
    tap = Tap()
    listener = Listener(free_port())
    nginx = Nginx(listener.port, workers=2)

    # who holds the lock is the writer: nobody, as long as this test has it

    nginx.data.mkdir(mode=0o700)
    lock = open(nginx.data / 'writer.lock', 'w')
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.getuid() == 0:
        shutil.chown(nginx.data / 'writer.lock', 'nobody', 'nogroup')
    nginx.start()

    def record():
        exchange(nginx.buffered, listener, QUESTION,
                 Reply(200, [('Content-Type', 'application/json')], [b'{}']))

    tap.ok(leave(nginx, False), 'it is paused at once')
    tap.ok(wait_for(lambda: recording(nginx), 8),
           'who leaves without an answer has changed nothing')

    found = []
    threads = [threading.Thread(target=put, args=(nginx, False, found))
               for _ in range(2)]
    for t in threads:
        t.start()
    tap.ok(wait_for(lambda: not recording(nginx), 8), 'paused at once again')
    for t in threads:
        t.join()
    tap.ok([f[:2] for f in found] == [(503, 'change_late')] * 2
           and all(9.5 < f[2] < 60 for f in found),
           '503 after 10 seconds', *found)
    tap.ok(recording(nginx), 'then recording goes on')
    record()

    lock.close()
    tap.ok(nginx.wait_total(1) == 1, 'the record becomes a row')
    tap.ok(recording(nginx), 'the writer has found no pause')
    tap.ok(nginx.change('/recording', 'PUT', {'recording': False})[0] == 200
           and not recording(nginx), 'and can pause')

    # what holds is known before there is a writer that says it

    nginx.stop()
    lock = open(nginx.data / 'writer.lock', 'w')
    fcntl.flock(lock, fcntl.LOCK_EX)
    nginx.start()
    tap.ok(not recording(nginx), 'paused after a restart, from the beginning')
    lock.close()

    states = across(nginx, listener)
    tap.ok(states == (200, 'skipped', 'stored'),
           'what comes in a pause is not kept, what comes after it is', states)

    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
