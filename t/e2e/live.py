"""What is in flight is shown while it is, by every worker and to who may see
it; what a dead worker had in flight is not."""
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time

from lib import Nginx, Tap, alive, folder, free_port, need_module, wait_for

ASKED = json.dumps({
    'model': 'claude-sonnet-4', 'stream': True, 'max_tokens': 9,
    'metadata': {'user_id': 'u1'},
    'messages': [{'role': 'user', 'content': 'hi'}]}).encode()
FIRST = (b'event: message_start\n'
         b'data: {"type":"message_start","message":{"id":"m","model":"c-4",'
         b'"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
         b'event: content_block_delta\n'
         b'data: {"type":"content_block_delta","index":0,"delta":'
         b'{"type":"text_delta","text":"twelve bytes"}}\n\n')
LAST = (b'event: message_stop\n'
        b'data: {"type":"message_stop"}\n\n')
HEAD = (b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
        b'X-Account-Email: one@a.example\r\nConnection: close\r\n\r\n')


class Upstream(threading.Thread):
    """Answers the head and the first events, and the last one when told."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(('127.0.0.1', free_port()))
        self.port = self.listener.getsockname()[1]
        self.go = threading.Event()
        self.start()

    def run(self):
        while True:
            s, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def serve(self, s):
        data = b''
        while ASKED[-8:] not in data:
            data += s.recv(65536)
        head = HEAD
        if b' /own/' in data:
            head = HEAD.replace(b'X-Account-Email: one@a.example\r\n', b'')
        s.sendall(head + FIRST)
        self.go.wait(300)
        try:
            s.sendall(LAST)
        except OSError:
            pass
        s.close()


def ask(nginx, port=None, path='/v1/messages'):
    """A client that has read the first events."""
    c = http.client.HTTPConnection('127.0.0.1', port or nginx.unbuffered,
                                   timeout=120)
    c.request('POST', path, ASKED,
              {'Content-Type': 'application/json', 'X-User': 'anna',
               'Authorization': 'Basic YW5uYTp4'})
    r = c.getresponse()
    r.read1(10)
    return c, r


def flights(nginx, path='/live'):
    status, answer = nginx.api(path)
    return answer['live'] if status == 200 else None


def configured(tap, nginx, upstream, own, scoped):
    """What directives say is asked while it flies, and anew at the end."""
    upstream.go.clear()
    clients = [ask(nginx, own, path) for path in ('/v1/messages',
                                                  '/own/v1/messages')]
    want = [('during', 'ANNA', 'of-anna', 'p-200'),
            ('one@a.example', 'ANNA', 'of-anna', 'p-200')]

    def seen():
        return sorted((str(f['account_email']), str(f['user']),
                       str(f['session_id']), str(f['provider']))
                      for f in flights(nginx))

    tap.ok(wait_for(lambda: seen() == want, 60),
           'what the configuration says is there', want, seen())
    tap.ok(scoped('/user/live', 'ANNA') == 2
           and scoped('/user/live', 'u1') == 0,
           'and a scope believes in it')
    upstream.go.set()
    for c, r in clients:
        r.read()
        c.close()
    wait_for(lambda: len(nginx.logs('&user=ANNA')) == 2, 60)
    tap.ok(sorted((r['account_email'], r['user'], r['session_id'],
                   r['provider']) for r in nginx.logs('&user=ANNA'))
           == [('done', 'ANNA', 'of-anna', 'p-200'),
               ('one@a.example', 'ANNA', 'of-anna', 'p-200')],
           'nothing was kept for the end', *nginx.logs('&user=ANNA'))


def main():
    need_module()
    tap = Tap()
    upstream = Upstream()
    scope = free_port()
    own = free_port()
    users = folder() / 'users'
    users.write_text('anna:{PLAIN}x\n')
    users.chmod(0o644)
    nginx = Nginx(upstream.port, workers=2, watch='llm_monitor on;'
                  'auth_basic x; auth_basic_user_file %s;' % users, http='''
        server { listen 127.0.0.1:%d;
            location /account/ { llm_monitor_api;
                llm_monitor_scope account $arg_who; }
            location /user/ { llm_monitor_api;
                llm_monitor_scope user $http_x_who; } }
        map $llm_outcome $when { default during; success done; }
        map $http_x_user $who { "~^a(?<rest>n+)a$" ANNA; }
        server { listen 127.0.0.1:%d; llm_monitor on; proxy_buffering off;
            llm_monitor_account $when; llm_monitor_user $who;
            llm_monitor_session of-$http_x_user;
            llm_monitor_provider p-$upstream_status;
            location / { proxy_pass http://llm; } }''' % (scope, own))
    nginx.start()

    def scoped(path, who):
        c = http.client.HTTPConnection('127.0.0.1', scope, timeout=60)
        c.request('GET', path, headers={'X-Who': who, 'Host': 'localhost'})
        return len(json.loads(c.getresponse().read())['live'])

    tap.ok(flights(nginx) == [], 'nothing is in flight')
    before = time.time() * 1000
    clients = [ask(nginx) for _ in range(6)]
    tap.ok(wait_for(lambda: len(flights(nginx)) == 6),
           'six streams are in flight', flights(nginx))

    # both workers answer with the same

    seen = [flights(nginx) for _ in range(8)]
    tap.ok(all([f['id'] for f in s] == [f['id'] for f in seen[0]]
               for s in seen), 'whichever worker is asked')
    one = wait_for(lambda: next((f for f in flights(nginx)
                                 if f['ttft_ms'] is not None), None))
    want = dict(method='POST', endpoint='/v1/messages', operation='chat',
                status=200, protocol='anthropic', provider='llm',
                model='claude-sonnet-4', stream=True,
                account_email='one@a.example', user='anna',
                client_ip='127.0.0.1', output_tokens=None,
                estimated_output_tokens=3, response_bytes=len(FIRST))
    tap.ok(one and all(one[k] == v for k, v in want.items()),
           'each with what is known of it', want, one)
    tap.ok(before - 1000 < one['timestamp'] < time.time() * 1000 + 1000
           and 0 <= one['ttft_ms'] < one['elapsed_ms'] + 1000,
           'and its times', one)
    time.sleep(0.3)
    later = next(f for f in flights(nginx) if f['id'] == one['id'])
    tap.ok(later['elapsed_ms'] > one['elapsed_ms'] + 200, 'time passes')

    tap.ok(scoped('/account/live', '') == 0, 'a scope of nobody sees none')
    tap.ok(scoped('/user/live', 'anna') == 6, 'a user sees all of hers')
    tap.ok(scoped('/user/live', 'u1') == 0, 'not what a body claims')
    status, _ = nginx.api('/live?limit=5')
    tap.ok(status == 400, 'there are no parameters')
    tap.ok(nginx.api('/live', 'POST')[0] == 405, 'nor other methods')

    # of the records that they become

    upstream.go.set()
    for c, r in clients:
        r.read()
        c.close()
    tap.ok(wait_for(lambda: flights(nginx) == []), 'they are over')
    nginx.wait_total(6)
    tap.ok(sorted(r['id'] for r in nginx.logs()) ==
           sorted(f['id'] for f in seen[0]), 'the records have the same ids')

    configured(tap, nginx, upstream, own, scoped)

    # more than are looked at in one go

    upstream.go.clear()
    clients = [ask(nginx) for _ in range(300)]
    tap.ok(wait_for(lambda: len(flights(nginx)) == 300)
           and wait_for(lambda: all(f['response_bytes'] == len(FIRST)
                                    for f in flights(nginx))),
           'many are in flight, each with what is known', len(flights(nginx)))
    upstream.go.set()
    for c, r in clients:
        r.read()
        c.close()
    tap.ok(wait_for(lambda: flights(nginx) == []), 'and over')

    # a worker that is killed

    upstream.go.clear()
    clients = [ask(nginx) for _ in range(4)]
    wait_for(lambda: len(flights(nginx)) == 4)
    killed = nginx.workers()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, killed)))
    wait_for(nginx.listening)
    tap.ok(wait_for(lambda: flights(nginx) == []),
           'what a dead worker had is not shown', flights(nginx))
    clients += [ask(nginx) for _ in range(3)]
    tap.ok(wait_for(lambda: len(flights(nginx)) == 3),
           'its places are used again')

    # an old worker shows its own as long as it has some

    nginx.send(signal.SIGHUP)
    time.sleep(1)
    old = flights(nginx)
    tap.ok(len(old) == 3, 'after a reload they are in flight still', old)
    upstream.go.set()
    tap.ok(wait_for(lambda: flights(nginx) == []), 'until their ends')

    bad = [line for line in nginx.complaints() if 'signal 9' not in line]
    tap.ok(not bad, 'nothing to complain of in the log', *bad[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    main()
