"""Whose rows they are: names that a password proves, names that anybody may
say, names that are stored in another form than they had."""
import base64
import http.client
import json
import sys

from lib import Nginx, Tap, folder, free_port, need_module
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
ANSWER = json.dumps({'id': 'c1', 'model': 'gpt-4o', 'choices': []}).encode()
URL = '/v1/chat/completions'
LONG = 'a' * 256

SERVER = '''
    server {{
        listen 127.0.0.1:{port};
        llm_monitor on;
        proxy_set_header Authorization "";

        location /said/ {{
            llm_monitor_user $http_x_user;
            llm_monitor_account $http_x_account;
            llm_monitor_session $http_x_session;
            proxy_pass http://llm/;
        }}
        location /open/ {{
            proxy_pass http://llm/;
        }}
        location /auth/ {{
            auth_basic monitor;
            auth_basic_user_file {users};
            proxy_pass http://llm/;
        }}
        location /any/ {{
            satisfy any;
            allow all;
            auth_basic monitor;
            auth_basic_user_file {users};
            proxy_pass http://llm/;
        }}
        location /vouched/ {{
            auth_basic monitor;
            auth_basic_user_file {users};
            llm_monitor_user $remote_user;
            proxy_pass http://llm/;
        }}
        location /into/ {{
            rewrite ^/into/(.*)$ /auth/$1 last;
        }}
        location /outof/ {{
            auth_basic monitor;
            auth_basic_user_file {users};
            rewrite ^/outof/(.*)$ /open/$1 last;
        }}
        location /failing/ {{
            auth_basic monitor;
            auth_basic_user_file {users};
            error_page 502 /page;
            proxy_pass http://127.0.0.1:{closed}/;
        }}
        location = /page {{
            return 200 later;
        }}
        location /user {{
            llm_monitor_api;
            llm_monitor_scope user $http_x_me;
        }}
        location /account {{
            llm_monitor_api;
            llm_monitor_scope account $http_x_me;
        }}
    }}
'''


def basic(user, word='secret'):
    return ('Authorization', 'Basic ' + base64.b64encode(
        ('%s:%s' % (user, word)).encode('latin-1')).decode())


class Test:
    def __init__(self):
        self.tap = Tap()
        self.port = free_port()
        users = folder() / 'users'
        users.write_text(''.join('%s:{PLAIN}secret\n' % name for name in
                                 ('anna', 'bert', 'anna\x7f', 'a' * 300,
                                  LONG)))
        users.chmod(0o644)
        self.upstream = Listener(free_port())
        self.nginx = Nginx(
            self.upstream.port, http=SERVER.format(
                port=self.port, users=users, closed=free_port())).start()
        self.sum = 0

    def say(self, place, *headers):
        """The status of an exchange there and the id of its record."""
        sent = request('POST', '/%s%s' % (place, URL),
                       [('Host', 'x'), ('Content-Type', JSON), *headers],
                       json.dumps({'model': 'gpt-4o'}).encode())
        answer = exchange(self.port, self.upstream, sent,
                          Reply(200, [('Content-Type', JSON)], [ANSWER],
                                'length'))
        self.sum += 1
        self.nginx.wait_total(self.sum)
        return answer.status, self.nginx.logs()[0]['id']

    def seen(self, what, me):
        """The ids of all that a scope shows."""
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        c.request('GET', '/%s/logs?limit=1000' % what, headers={'X-Me': me})
        return {r['id'] for r in json.loads(c.getresponse().read())['logs']}

    def whole(self):
        """What is stored is not the name that it was"""
        ok = self.tap.ok
        for header, what in (('X-User', 'user'), ('X-Account', 'account')):
            for name in ('a' * 300, 'b' * 257, 'an\tna', 'an\x01na',
                         'anna\x7f', 'ann\xff'):
                status, n = self.say('said', (header, name))
                row = next(r for r in self.nginx.logs() if r['id'] == n)
                stored = row['user' if what == 'user' else 'account_email']
                for me in (name, stored or '-', name[:256], 'anna'):
                    me = me.encode() if me is stored else me
                    ok(status == 200 and n not in self.seen(what, me),
                       'a changed %s %r shows nothing to %r'
                       % (what, name[:8], me[:8]))
            for name in ('anna', LONG, 'd\xc3\xa9sir\xc3\xa9e'):
                status, n = self.say('said', (header, name))
                ok(status == 200 and self.seen(what, name) == {n},
                   'the whole %s %r shows its own' % (what, name[:8]))
        for name, want in (('a' * 300, 'own'), ('an\tna', 'own'),
                           (LONG, LONG), ('', 'own')):
            status, n = self.say('said', ('X-Session', name),
                                 ('X-Session-Id', 'own'))
            row = next(r for r in self.nginx.logs() if r['id'] == n)
            ok(row['session_id'] == want, 'a session %r is %s' % (
                name[:8], want[:8]), row)
        for name in ('a' * 300, 'anna\x7f'):
            status, n = self.say('auth', basic(name))
            ok(status == 200 and not any(
                n in self.seen('user', me) for me in (name, LONG, 'anna')),
               'with a password neither: %r' % name[:8])

    def proven(self):
        """A password was asked for and given"""
        ok = self.tap.ok
        mine = self.seen('user', 'bert')
        for place, word, status, own in (
                ('auth', 'secret', 200, True), ('auth', 'WRONG', 401, False),
                ('open', 'x', 200, False), ('any', 'x', 200, False),
                ('vouched', 'secret', 200, True),
                ('vouched', 'WRONG', 401, False), ('into', 'secret', 200, True),
                ('into', 'WRONG', 401, False), ('outof', 'x', 200, False),
                ('failing', 'secret', 502, True),
                ('failing', 'WRONG', 401, False)):
            found, n = self.say(place, basic('bert', word))
            row = next(r for r in self.nginx.logs() if r['id'] == n)
            mine |= {n} if own else set()
            ok(found == status and row['user'] == 'bert'
               and self.seen('user', 'bert') == mine,
               '/%s/ with the word %s is %s' % (
                   place, word, 'hers' if own else 'not hers'),
               found, row)
        status, n = self.say('said', ('X-User', 'bert'))
        ok(n in self.seen('user', 'bert'), 'what is configured is believed in')
        rows = self.nginx.api('/leaderboard?period=all&by=user')[1]['rows']
        told = {r.get('claimed', False): r['requests'] for r in rows
                if r['name'] == 'bert'}
        ok(told == {False: 5, True: 7}, 'ranks tell the two apart', rows)


def main():
    need_module()
    t = Test()
    t.whole()
    t.proven()
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of in the log',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
