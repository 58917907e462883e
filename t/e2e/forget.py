"""What was cleared with its statistics is in no file any more: addresses in
every field and body, small and large, in the dictionaries, in the write-ahead
log and in what a reader kept from being overwritten; and the space is given
back."""
import base64
import json
import os
import sqlite3

from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
MARK = b'cleared.example'
MB = 1024 * 1024


def noise(n):
    """Text that no compression makes much smaller."""
    return base64.b64encode(os.urandom(n * 3 // 4)).decode()


def say(nginx, upstream, n, size=100, status=200):
    """An exchange that is full of addresses."""
    who = 'person%d@cleared.example' % n
    body = {'model': 'gpt-' + who, 'user': who,
            'metadata': {'session_id': 's-%d.cleared.example' % n,
                         'note': who},
            'messages': [{'role': 'user', 'content': who + noise(size)}]}
    answer = {'id': 'r-' + who, 'model': 'gpt-' + who, 'choices': [
        {'index': 0, 'message': {'role': 'assistant',
                                 'content': noise(size) + who}}],
              'usage': {'prompt_tokens': 7, 'completion_tokens': 3,
                        'note': who}}
    if status != 200:
        answer = {'error': {'type': who, 'message': 'no ' + who}}
    sent = request('POST', '/v1/chat/completions?to=' + who, [
        ('Host', 'x'), ('Content-Type', JSON), ('X-Session-Id', who),
        ('User-Agent', 'agent of ' + who),
        ('Authorization', 'Bearer sk-%d-0123456789abcdef' % n)],
        json.dumps(body).encode())
    exchange(nginx.unbuffered, upstream, sent, Reply(
        status, [('Content-Type', JSON), ('X-Account-Email', who),
                 ('X-Request-Id', who)], [json.dumps(answer).encode()],
        'length'))


def found(nginx):
    """The files of the data directory that have an address in them."""
    names = []
    for folder, _, files in os.walk(nginx.data):
        for name in files:
            try:
                with open(os.path.join(folder, name), 'rb') as f:
                    if MARK in f.read():
                        names.append(name)
            except FileNotFoundError:
                pass
    return names


def size(nginx):
    return sum(os.stat(nginx.data / name).st_size
               for name in ('proxy_logs.db', 'proxy_logs.db-wal')
               if (nginx.data / name).exists())


def traffic(nginx, upstream, first, n):
    for i in range(first, first + n):
        say(nginx, upstream, i, status=429 if i % 7 == 0 else 200)
    say(nginx, upstream, first + n, 3 * MB)
    nginx.wait_total(n + 1)
    wait_for(lambda: not any((nginx.data / 'spool').iterdir()))


def clear(tap, nginx, n, why):
    names = found(nginx)
    tap.ok(names, 'there are addresses ' + why)
    before = size(nginx)
    status, answer = nginx.change('/logs?all=1&stats=1', 'DELETE')
    tap.ok(status == 200 and answer['deleted'] == n, 'all is cleared ' + why,
           status, answer)
    return before


def gone(tap, nginx, before, why):
    tap.ok(wait_for(lambda: not found(nginx)),
           'no address is left ' + why, *found(nginx))
    tap.ok(wait_for(lambda: size(nginx) < 2 * MB) and before > 4 * MB,
           'and the space is given back ' + why, before, size(nginx))
    tap.ok(nginx.api('/summary')[1]['today']['requests'] == 0
           and nginx.api('/facets')[1]['total'] == 0
           and nginx.api('/sessions')[1]['sessions'] == [],
           'nothing counts any more ' + why)


def main():
    need_module()
    tap = Tap()
    upstream = Listener(free_port())
    nginx = Nginx(upstream.port, watch='llm_monitor on;'
                  'llm_monitor_provider $http_x_session_id;').start()

    traffic(nginx, upstream, 0, 10)
    nginx.change('/logs?all=1', 'DELETE')
    tap.ok(nginx.total() == 0 and found(nginx)
           and MARK.decode() in json.dumps(nginx.api(
               '/leaderboard?by=account')[1]), 'sums alone keep their names')
    traffic(nginx, upstream, 20, 40)
    gone(tap, nginx, clear(tap, nginx, 41, ''), '')

    # who reads keeps the log from being emptied
    traffic(nginx, upstream, 100, 20)
    reader = sqlite3.connect('file:%s?mode=ro' % (nginx.data
                                                  / 'proxy_logs.db'), uri=True)
    reader.execute('BEGIN')
    reader.execute('SELECT count(*) FROM log').fetchone()
    before = clear(tap, nginx, 21, 'beside a reader')
    reader.close()
    gone(tap, nginx, before, 'when a reader has left')

    # what comes after, and after a restart
    traffic(nginx, upstream, 200, 20)
    nginx.stop()
    nginx.start()
    gone(tap, nginx, clear(tap, nginx, 21, 'after a restart'),
         'after a restart')
    traffic(nginx, upstream, 300, 5)
    rows = nginx.logs()
    tap.ok(len(rows) == 6 and all(MARK.decode() in r[k] for r in rows
                                  for k in ('account_email', 'user', 'model',
                                            'session_id', 'provider')),
           'what comes next is whole', rows[:1])
    nginx.stop()
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    tap.done()


if __name__ == '__main__':
    main()
