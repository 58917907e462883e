"""Finished records as they come: each once and in order, by the list's filters,
also those that make no rows while recording is paused; a reader that does not
read, one that is gone and a reload harm nobody."""
import http.client
import json
import signal
import socket
import threading
import time

from lib import Nginx, Tap, alive, free_port, lock_holder, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
FOLLOWERS = 64


class Follower(threading.Thread):
    """Reads the events of a path until the end of the answer."""

    def __init__(self, port, path='', headers=None, small=False):
        super().__init__(daemon=True)
        self.s = socket.socket()
        if small:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.s.connect(('127.0.0.1', port))
        self.s.settimeout(60)
        lines = ['GET /monitor/api/events%s HTTP/1.1' % path,
                 'Host: localhost'] + ['%s: %s' % h
                                       for h in (headers or {}).items()]
        self.s.sendall('\r\n'.join(lines + ['', '']).encode())
        self.events, self.ids, self.comments = [], [], 0
        self.status = self.type = None
        self.whole = self.over = False
        self.go = threading.Event()
        if not small:
            self.go.set()
        self.start()

    def run(self):
        try:
            self.go.wait(60)
            r = http.client.HTTPResponse(self.s)
            r.begin()
            self.status = r.status
            self.type = r.getheader('Content-Type')
            event = {}
            while True:
                line = r.readline().decode()
                if not line:
                    self.whole = r.isclosed() or r.read() == b''
                    break
                line = line.rstrip('\n')
                if not line:
                    if 'data' in event:
                        self.events.append(event)
                    if 'id' in event:
                        self.ids.append(int(event['id']))
                    event = {}
                elif line.startswith(':'):
                    self.comments += 1
                else:
                    name, value = line.split(': ', 1)
                    event[name] = json.loads(value) if name == 'data' \
                        else value
        except (http.client.HTTPException, OSError, ValueError):
            pass
        self.over = True

    def records(self):
        return [e['data'] for e in self.events if 'event' not in e]

    def gaps(self):
        return [e for e in self.events if e.get('event') == 'gap']

    def close(self):
        self.s.shutdown(socket.SHUT_RDWR)


def two_workers(tap, upstream):
    """Whichever worker a follower is at, and whichever writes, it is told of
    each record once; who left without a word and a killed writer change
    nothing."""
    nginx = Nginx(upstream.port, workers=2)
    nginx.start()

    def ask(n):
        for _ in range(n):
            exchange(nginx.buffered, upstream, request(
                'POST', '/v1/chat/completions', [('Host', 'x')],
                b'{"model":"gpt-4o","messages":[]}'),
                Reply(200, [('Content-Type', JSON)], [b'{}'], 'length'))

    def seqs(f):
        return [r['seq'] for r in f.records()]

    many = [Follower(nginx.api_port) for _ in range(16)]
    wait_for(lambda: all(f.ids for f in many))
    for f in many[:4]:
        f.close()
    many = many[4:]
    ask(40)
    tap.ok(wait_for(lambda: all(seqs(f) == list(range(1, 41)) for f in many)),
           'two workers, each once to all of them',
           [len(f.records()) for f in many])
    writer = lock_holder(nginx.data / 'writer.lock')
    nginx.send(signal.SIGKILL, writer)
    wait_for(lambda: not alive(writer))
    wait_for(lambda: lock_holder(nginx.data / 'writer.lock') not in
             (0, writer))
    ask(20)
    tap.ok(wait_for(lambda: all(f.over or seqs(f) == list(range(1, 61))
                                for f in many)),
           'also when the writer was killed', [(f.over, len(f.records()))
                                               for f in many])
    left = [f for f in many if not f.over]
    back = [Follower(nginx.api_port, headers={
        'Last-Event-ID': str(f.ids[-1])}) for f in many if f.over]
    tap.ok(wait_for(lambda: all(seqs(f) == list(range(41, 61))
                                for f in back)),
           'and to those that it had, when they come back', len(back))
    old = nginx.workers()
    nginx.send(signal.SIGHUP)
    tap.ok(wait_for(lambda: all(f.over for f in left + back))
           and all(f.whole for f in left + back)
           and wait_for(lambda: not any(map(alive, old))),
           'a reload ends all of them, and the old workers')
    nginx.stop(signal.SIGQUIT)
    found = [c for c in nginx.complaints() if 'signal 9' not in c]
    tap.ok(not found, 'nothing to complain of with two', *found[:5])


def main():
    need_module()
    tap = Tap()
    upstream = Listener(free_port())
    slow = free_port()
    nginx = Nginx(upstream.port, http='''
        server { listen 127.0.0.1:%d sndbuf=8k;
            location /monitor/api { llm_monitor_api; }
            location /scope/monitor/api { llm_monitor_api;
                llm_monitor_scope account $http_x_who; } }''' % slow)
    nginx.start()
    sent = [0]

    def ask(model='gpt-4o', n=1, status=200, tag=''):
        for _ in range(n):
            exchange(nginx.buffered, upstream, request(
                'POST', '/v1/chat/completions?t=' + tag, [('Host', 'x')],
                json.dumps({'model': model, 'messages': []}).encode()),
                Reply(status, [('Content-Type', JSON),
                               ('X-Account-Email', model + '@a.example')],
                      [b'{"model":"%s"}' % model.encode()], 'length'))
        sent[0] += n

    def follow(path='', **more):
        f = Follower(nginx.api_port, path, **more)
        wait_for(lambda: f.status and (f.ids or f.status != 200))
        return f

    every = follow()
    tap.ok(every.status == 200 and every.type == 'text/event-stream'
           and every.ids == [0], 'a stream of events', every.type, every.ids)
    only = follow('?model=claude')
    bad = follow('?limit=5')
    tap.ok(bad.status == 400, 'what is of lists alone is refused')
    tap.ok(follow('?errors_only=2').status == 400, 'a wrong value, too')

    ask(n=3)
    ask('claude', 2)
    tap.ok(wait_for(lambda: len(every.records()) == 5),
           'all that has finished', len(every.records()))
    rows = sorted(nginx.logs(), key=lambda r: r['seq'])
    tap.ok(every.records() == rows, 'is what the list has')
    tap.ok([e['id'] for e in every.events] == ['1', '2', '3', '4', '5'],
           'under its seq')
    tap.ok(wait_for(lambda: len(only.records()) == 2)
           and only.records() == rows[3:], 'a filter is that of the list')

    # from a place

    late = follow('?since_seq=2')
    tap.ok(wait_for(lambda: len(late.records()) == 3)
           and late.records() == rows[2:], 'what came since a seq')
    back = follow('?since_seq=0', headers={'Last-Event-ID': '4'})
    tap.ok(wait_for(lambda: len(back.records()) == 1)
           and back.records() == rows[4:], 'who comes back goes on')
    odd = follow(headers={'Last-Event-ID': 'x'})
    tap.ok(odd.status == 200 and odd.ids == [5],
           'an id of somebody else is no place')
    gone = follow('?since_seq=900')
    tap.ok(wait_for(lambda: gone.gaps())
           and gone.gaps()[0]['data'] == {'since_seq': 900, 'next_seq': 5},
           'a place that there is not yet', gone.gaps())

    # paused: no rows

    nginx.change('/recording', 'PUT', {'recording': False})
    ask('claude', 2)
    ask(n=1)
    tap.ok(wait_for(lambda: len(every.records()) == 8)
           and nginx.total() == 5, 'paused, the events go on',
           len(every.records()))
    new = every.events[5:]
    tap.ok(all('id' not in e and e['data']['seq'] is None for e in new)
           and [e['data']['model'] for e in new]
           == ['claude', 'claude', 'gpt-4o'], 'without a seq', new)
    tap.ok({k for k in rows[0] if type(new[0]['data'][k]) is not
            type(rows[3][k])} <= {'seq'}, 'with the same facts',
           new[0], rows[3])
    tap.ok(wait_for(lambda: len(only.records()) == 4),
           'and by the filter', len(only.records()))
    nginx.change('/recording', 'PUT', {'recording': True})

    # a scope

    mine = Follower(slow, headers={'X-Who': 'claude@a.example'})
    mine.s.close()
    c = http.client.HTTPConnection('127.0.0.1', slow, timeout=60)
    c.request('GET', '/scope/monitor/api/events?since_seq=0',
              headers={'Host': 'localhost', 'X-Who': 'claude@a.example'})
    r = c.getresponse()
    text = b''
    while text.count(b'data:') < 2:
        text += r.read1(65536)
    tap.ok(text.count(b'"account_email":"claude@a.example"') == 2
           and b'gpt' not in text, 'a scope has its own')
    c.close()

    # one that does not read, while others do

    lazy = Follower(slow, small=True)
    time.sleep(0.3)
    ask(n=150, tag='x' * 1500)
    tap.ok(wait_for(lambda: len(every.records()) == sent[0]),
           'who does not read delays nobody',
           len(every.records()), sent[0])
    time.sleep(12)
    lazy.go.set()
    tap.ok(wait_for(lambda: lazy.gaps()), 'it is told of a gap')
    ask(n=1)
    tap.ok(wait_for(lambda: lazy.records()[-1:] and
                    lazy.records()[-1]['seq'] == nginx.logs()[0]['seq']),
           'and goes on from there')
    gap = lazy.gaps()[0]['data'] if lazy.gaps() else {}
    seen = {r['seq'] for r in lazy.records()}
    tap.ok(gap and not any(gap['since_seq'] < s <= gap['next_seq']
                           for s in seen)
           and seen | set(range(gap['since_seq'] + 1, gap['next_seq'] + 1))
           == set(range(min(seen), max(seen) + 1)),
           'what it missed is what the gap says', gap, len(seen))

    # every follower is one too many at some time, and leaves room

    for f in (only, late, back, odd, gone, lazy):
        f.close()
    many = []
    wait_for(lambda: len(many) > FOLLOWERS or many.append(follow()) or
             many[-1].status == 503, 60, 0)
    tap.ok(FOLLOWERS - 3 <= len(many) <= FOLLOWERS
           and many[-1].status == 503, 'no more than %d' % FOLLOWERS,
           len(many), many[-1].status)
    for f in many[:-1]:
        f.close()
    tap.ok(wait_for(lambda: follow().status == 200),
           'who has gone leaves room')

    # an exact once over reconnections while traffic goes on

    seen, stop = [], threading.Event()
    seq = every.ids[-1]

    def traffic():
        while not stop.is_set():
            ask(n=5)
    t = threading.Thread(target=traffic)
    t.start()
    first = seq
    for _ in range(6):
        f = follow(headers={'Last-Event-ID': str(seq)})
        wait_for(lambda: len(f.records()) >= 5)
        f.close()
        seen += [r['seq'] for r in f.records()]
        seq = max([seq] + seen)
    stop.set()
    t.join()
    tap.ok(seen == list(range(first + 1, first + 1 + len(seen)))
           and len(seen) >= 30, 'each once, over reconnections', len(seen))

    # a reload ends them, and they find the new worker

    old = nginx.workers()
    stuck = Follower(slow, '?since_seq=0', small=True)
    time.sleep(0.3)
    nginx.send(signal.SIGHUP)
    tap.ok(wait_for(lambda: every.over) and every.whole,
           'a reload ends the stream as a whole')
    tap.ok(wait_for(lambda: not any(map(alive, old))),
           'and no worker stays for it')
    tap.ok(wait_for(lambda: nginx.workers() and follow().status == 200),
           'a new one answers')
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop(signal.SIGQUIT)
    tap.ok(not nginx.complaints(), 'nor at the end',
           *nginx.complaints()[:5])
    two_workers(tap, upstream)
    tap.done()


if __name__ == '__main__':
    main()
