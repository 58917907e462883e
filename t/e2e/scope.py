"""llm_monitor_scope as somebody sees it who wants the rows of others: ids,
cursors, filters, sort orders, totals, downloads, changes, names that a
request's body claims, and names that no password proves."""
import base64
import http.client
import json
import re
import subprocess
import sys

import recount
import spec
from lib import Nginx, Tap, folder, free_port, need_module, one_day
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
ANSWER = json.dumps({
    'id': 'c1', 'model': 'gpt-4o',
    'choices': [{'index': 0, 'message': {'role': 'assistant',
                                         'content': 'hi'}}],
    'usage': {'prompt_tokens': 7, 'completion_tokens': 3}}).encode()

# whose, by the configuration; whose, by the body; account; how many
TRAFFIC = [('alice', 'bob', 'a@x.example', 3), ('bob', None, 'b@x.example', 4),
           ('', 'alice', 'a@x.example', 2), ('', None, 'b@x.example', 1),
           ('carol' + 'c' * 251, None, 'a@x.example', 2)]

SERVER = '''
    server {{
        listen 127.0.0.1:{port};
        location /user {{
            llm_monitor_api;
            llm_monitor_scope user $http_x_me;
        }}
        location /account {{
            llm_monitor_api;
            llm_monitor_scope account $http_x_me;
        }}
        location /outer {{
            llm_monitor_scope user $http_x_me;
            location /outer/api {{ llm_monitor_api; }}
        }}
        location /basic {{
            auth_basic monitor;
            auth_basic_user_file {users};
            llm_monitor_api;
            llm_monitor_scope user $remote_user;
        }}
        location /forged {{
            llm_monitor_api;
            llm_monitor_scope user $remote_user;
        }}
        location /any {{
            satisfy any;
            allow all;
            auth_basic monitor;
            auth_basic_user_file {users};
            llm_monitor_api;
            llm_monitor_scope user "${{remote_user}}";
        }}
    }}
'''


def same(found, rows, dim):
    """Whether these are the sums by a field; a name that is claimed, too, is
    in two of them"""
    want, sums = recount.by(rows, dim), {}
    for name, told in found:
        sums[name] = sums.get(name, 0) + told['requests'] * 10 ** 9 \
            + told['total_tokens']
    return sums == {name: told['requests'] * 10 ** 9 + told['total_tokens']
                    for name, told in want.items()}


class Test:
    def __init__(self):
        self.tap = Tap()
        self.port = free_port()
        users = folder() / 'users'
        users.write_text('alice:{PLAIN}secret\n')
        users.chmod(0o644)
        self.upstream = Listener(free_port())
        self.nginx = Nginx(
            self.upstream.port, http=SERVER.format(port=self.port, users=users),
            watch='llm_monitor on; llm_monitor_user $http_x_user;'
                  'llm_monitor_account $http_x_account;').start()

    def say(self, user, account, body, key=()):
        sent = request('POST', '/v1/chat/completions',
                       [('Host', 'x'), ('Content-Type', JSON),
                        ('X-User', user), ('X-Account', account), *key],
                       json.dumps(body).encode())
        exchange(self.nginx.unbuffered, self.upstream, sent,
                 Reply(200, [('Content-Type', JSON)], [ANSWER], 'length'))

    def traffic(self):
        for user, claimed, account, times in TRAFFIC:
            body = {'model': 'o3-hidden' if user == 'bob' else 'gpt-4o',
                    'messages': []}
            if claimed:
                body['user'] = claimed
            for _ in range(times):
                self.say(user, account, body)
        self.sum = sum(t[3] for t in TRAFFIC)
        self.nginx.wait_total(self.sum)

    def ask(self, path, me=None, method='GET', body=None, **headers):
        """(status, answer) of a call under the scope."""
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        headers = {k.replace('_', '-'): v for k, v in headers.items()}
        if me is not None:
            headers['X-Me'] = me
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if r.getheader('Content-Type') != 'application/json':
            return r.status, data
        wrong = spec.complaint(method, re.sub('^/(outer/api|\\w+)', '', path),
                               r.status, json.loads(data))
        if wrong:
            raise RuntimeError(wrong)
        return r.status, json.loads(data)

    def ids(self, path, me=None, **headers):
        status, page = self.ask(path, me, **headers)
        return sorted(r['id'] for r in page['logs']) if status == 200 else None

    def rows(self):
        ok, rows = self.tap.ok, self.nginx.logs()
        ok(len(rows) == self.sum, 'everything is there without a scope')
        by = lambda **want: sorted(
            r['id'] for r in rows if all(r[k] == v for k, v in want.items()))
        # the three whose user the configuration named, not the body
        alice = sorted(r['id'] for r in rows if r['user'] == 'alice'
                       and r['seq'] <= 3)
        carol = sorted(r['id'] for r in rows
                       if (r['user'] or '').startswith('carol'))
        self.alice, self.bob = alice, by(user='bob')
        ok(len(alice) == 3 and len(self.bob) == 4 and len(carol) == 2,
           'and known by their users', rows)
        ok(self.ids('/user', 'alice') == alice, 'alice sees her rows')
        ok(self.ids('/outer/api', 'alice') == alice,
           'in a location inside of the scope too')
        ok(self.ids('/account', 'a@x.example') == by(account_email=
                                                     'a@x.example'),
           'an account sees its rows')
        shown = next(r['user'] for r in rows if r['id'] in carol)
        ok(self.ids('/user', shown) == carol,
           'a name too long for the dictionary is a scope too')
        for me in (None, '', ' ', 'ALICE', 'alic', 'alice ', '%', 'alice%',
                   "alice' OR 1=1", 'x' * 2000, 'carol'):
            want = alice if me == 'alice ' else []
            ok(self.ids('/user', me) == want and
               self.ids('/account', me) == [],
               'nothing is seen by %r' % (me and me[:20]))

    def questions(self):
        ok = self.tap.ok
        for query, want in {
                'user=alice': 3, 'user=bob': 0, 'filter=bob': 0,
                'filter=alice': 3, 'filter=gpt': 3, 'account=b@x.example': 0,
                'account=a@x.example': 3, 'errors_only=1': 0, 'since=today': 3,
                'sort=duration_ms&order=asc': 3, 'sort=status': 3,
                'sort=total_tokens&limit=1000': 3, 'offset=0&limit=50': 3,
                'filter=%25': 0, 'stream=0': 3, 'min_tokens=1': 3}.items():
            status, page = self.ask('/user/logs?' + query, 'alice')
            count = 'sort' in query or 'limit' in query \
                or self.ask('/user/count?' + query, 'alice') == (
                    200, {'total': want})
            ok(status == 200 and page['total'] == want == len(page['logs'])
               and count, 'list and count of %s' % query, page)
        # a cursor from among the rows of others
        page = self.nginx.api('/logs?limit=1')[1]
        found = self.ids('/user/logs?limit=1000&cursor=' + page['next'],
                         'alice')
        ok(found == self.alice, 'a cursor of somebody else')
        absent = self.ask('/user/logs/1', 'alice')
        for n in self.alice[:1]:
            ok([self.ask('/user/logs/%s%s' % (n, more), 'alice')[0]
                for more in ('', '/request', '/response')] == [200] * 3,
               'her own record and its bodies')
        for n in self.bob:
            got = [self.ask('/user/logs/%s%s' % (n, more), 'alice')
                   for more in ('', '/request', '/response')]
            ok([s for s, _ in got] == [404] * 3
               and got[0][1] == json.loads(json.dumps(absent[1]).replace(
                   'record 1', 'record ' + n)),
               'a record of somebody else is not there', got)

        for query in ('', '&user=bob', '&format=csv', '&format=json&bodies=1'):
            status, data = self.ask('/user/export?format=ndjson' + query
                                    if 'format' not in query else
                                    '/user/export?' + query[1:], 'alice')
            text = data if isinstance(data, bytes) else \
                json.dumps(data).encode()
            ok(status == 200 and not any(n.encode() in text for n in self.bob)
               and all(n.encode() in text for n in self.alice)
               == ('user=bob' not in query), 'her export' + query, text[:300])

    def facets(self):
        ok = self.tap.ok
        status, answer = self.ask('/user/facets?limit=1000', 'alice')
        ok(status == 200 and answer['source'] == 'log'
           and answer['total'] == 3 and answer['user'] == {
               'distinct': 1, 'values': [{'name': 'alice', 'requests': 3}],
               'none': 0, 'other': 0}
           and [v['name'] for v in answer['account']['values']]
           == ['a@x.example'], 'her facets', answer)
        status, answer = self.ask('/user/facets?since=today', '')
        ok(status == 200 and answer['total'] == 0
           and not any(answer[k]['values'] for k in (
               'model', 'account', 'user', 'provider', 'status', 'endpoint')),
           'and none for nobody', answer)

    def sessions(self):
        """Names of sessions that others with the same key use too, and such
        as they alone have."""
        ok = self.tap.ok
        sum = self.nginx.total() + 4
        for user, name in (('alice', 'shared'), ('bob', 'shared'),
                           ('bob', 'his'), ('', 'shared')):
            self.say(user, 'a@x.example', {
                'model': 'gpt-4o', 'user': 'alice',
                'metadata': {'session_id': name},
                'messages': [{'role': 'user', 'content': 'by ' + user}]},
                     [('X-Api-Key', 'sk-of-them-all-0123456789')])
        self.nginx.wait_total(sum)
        everything = self.nginx.api('/sessions')[1]['sessions']
        ok(sorted((s['session_id'], s['requests']) for s in everything)
           == [('his', 1), ('shared', 3)], 'all sessions', everything)
        his = next(s['id'] for s in everything if s['session_id'] == 'his')
        for query in ('', '?state=active', '?limit=1', '?model=gpt-4o'):
            status, page = self.ask('/user/sessions' + query, 'alice')
            ok(status == 200 and [(s['session_id'], s['requests'], s['users'],
                                   s['total_tokens'])
                                  for s in page['sessions']]
               == [('shared', 1, ['alice'], 10)] and page['next'] is None,
               'her sessions' + query, page)
        for query in ('?user=bob', '?session=his', '?state=idle'):
            ok(self.ask('/user/sessions' + query, 'alice')[1]['sessions']
               == [], 'none of others' + query)
        status, one = self.ask('/user/sessions/shared', 'alice')
        ok(status == 200 and one['requests'] == 1
           and [r['user'] for r in one['logs']] == ['alice']
           and [m['text'] for m in one['conversation']['messages']]
           == ['by alice', 'hi'],
           'of a shared one her records alone', one)
        cursor = self.nginx.api('/sessions?limit=1')[1]['next']
        found = self.ask('/user/sessions?cursor=' + cursor, 'alice')[1]
        ok('his' not in json.dumps(found), 'a cursor shows no more', found)
        absent = self.ask('/user/sessions/nobody~0000000000000000', 'alice')
        ok(absent[0] == 404 and all(
            self.ask('/user/sessions/' + name, 'alice') == absent
            for name in ('his', his, his[:-12])),
           'a session of somebody else is not there')
        ok(all(self.ask('/user/sessions' + more, me)[0] == status
               for me in (None, '', 'x' * 2000, 'carol')
               for more, status in (('', 200), ('/shared', 404)))
           and self.ask('/user/sessions', '')[1]['sessions'] == [],
           'nobody has none')

    def events(self):
        """Those of the past and, while no rows are made, of now."""
        ok = self.tap.ok
        self.nginx.change('/recording', 'PUT', {'recording': False})
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        c.request('GET', '/user/events?since_seq=0', headers={'X-Me': 'alice'})
        r = c.getresponse()
        text = r.read1(1 << 20)
        self.say('bob', 'a@x.example', {'user': 'alice'})
        self.say('', 'a@x.example', {'user': 'alice'})
        self.say('alice', 'a@x.example', {'user': 'bob'})
        while text.count(b'data: ') < 4:
            text += r.read1(1 << 20)
        c.close()
        seen = [json.loads(line[6:]) for line in text.splitlines()
                if line.startswith(b'data: ')]
        ok(sorted(e['id'] for e in seen[:3]) == self.alice
           and [(e['user'], e['seq']) for e in seen[3:]] == [('alice', None)],
           'her events', seen)
        self.nginx.change('/recording', 'PUT', {'recording': True})

    def own(self, what, me):
        """The rows that a scope has, of those without one"""
        known = [r for r in self.nginx.logs() if r['id'] in
                 set(self.ids('/%s/logs?limit=1000' % what, me))]
        return known

    def sums(self):
        ok, dims = self.tap.ok, list(recount.FIELDS)
        shown = next(r['user'] for r in self.nginx.logs()
                     if (r['user'] or '').startswith('carol'))
        for what, me in (('user', 'alice'), ('user', 'bob'),
                         ('account', 'a@x.example'), ('user', shown),
                         ('user', 'carol'), ('user', '%'), ('user', ''),
                         ('account', 'alice'), ('account', '')):
            rows, wrong = self.own(what, me), []
            want = recount.total(rows)
            hidden = {str(r[f]) for r in self.nginx.logs()
                      for f in ('user', 'account_email', 'model')} \
                - {str(r[f]) for r in rows
                   for f in ('user', 'account_email', 'model')} - {'None'}

            def get(path):
                status, answer = self.ask('/%s%s' % (what, path), me)
                if status != 200 or any(h in json.dumps(answer)
                                        for h in hidden):
                    wrong.append((path, status, answer))
                return answer

            for dim in dims:
                for path in ('/stats?since=-24h&bucket=hour&by=' + dim,
                             '/leaderboard?period=all&by=' + dim):
                    if 'board' in path and dim not in (
                            'user', 'account', 'provider', 'model', 'key',
                            'ip'):
                        continue
                    answer = get(path)
                    found = [(r.get('name'), recount.told(r))
                             for r in answer['rows']
                             + [r for r in (answer.get('none'),
                                            answer.get('other')) if r]]
                    if recount.told(answer['total']) != want \
                            or not same(found, rows, dim):
                        wrong.append((path, answer))
            card = get('/summary')
            today, seen = card['today'], {
                n: len({r[f] for r in rows if r[f] and len(r[f]) < 500})
                for n, f in (('users', 'user'),
                             ('accounts', 'account_email'))}
            # a name that is too long is not told from others of its kind
            if recount.told(today) != want or today['sessions'] != len(
                    {r['session_id'] for r in rows} - {None}) \
                    or today['accounts'] != seen['accounts'] \
                    or card['yesterday']['requests']:
                wrong.append(('/summary', card))
            for dim in ('provider', 'model'):
                for span in ('1h', '24h', '7d'):
                    path = '/availability?range=%s&by=%s' % (span, dim)
                    answer = get(path)
                    if answer['total']['requests'] != len(rows) or {
                            r['name']: r['success'] for r in answer['rows']
                            } != {n: s['requests'] for n, s in
                                  recount.by(rows, dim).items()}:
                        wrong.append((path, answer))
            ok(not wrong, 'statistics of the %s %r are those of %d rows'
               % (what, me[:12], len(rows)), *wrong[:2])
        for path in ('/user/stats?user=bob', '/user/stats?account=b@x.example',
                     '/user/leaderboard?filter=bob', '/user/summary?user=bob',
                     '/user/availability?provider=llm', '/user/stats?scope='):
            ok(self.ask(path, 'alice')[0] == 400, path + ' is refused')
        status, answer = self.ask('/outer/api/stats', 'alice')
        ok(status == 200 and answer['total']['requests'] == 3,
           'and in a location inside of the scope')

    def changes(self):
        ok = self.tap.ok
        for method, path, body in (
                ('PUT', '/user/recording', '{"recording":false}'),
                ('GET', '/user/recording', None),
                ('DELETE', '/user/logs?all=1&stats=1', None),
                ('DELETE', '/user/logs?stats=1', None),
                ('DELETE', '/user/logs?model=gpt-4o&stats=1', None),
                ('DELETE', '/user/logs?all=1&nothing=1&stats=1', None)):
            status, answer = self.ask(path, 'alice', method, body)
            ok(status == 403 and answer['error']['code'] == 'forbidden',
               '%s %s is refused' % (method, path), answer)
        ok(self.nginx.api('/recording') == (200, {'recording': True}),
           'and recording goes on')
        delete = lambda query, me: self.ask('/user/logs?' + query, me,
                                            'DELETE')
        ok(delete('user=bob', 'alice') == (200, {'deleted': 0}),
           'a clear of the rows of others clears none')
        ok(delete('all=1', '') == (200, {'deleted': 0}),
           'nor does one of nobody')
        before = self.ask('/user/stats', 'alice')[1]
        ok(delete('all=1', 'alice') == (200, {'deleted': 3}),
           'all=1 clears all of her own')
        ok(self.nginx.total() == self.sum - 3, 'and nothing else')
        answers = [self.ask('/user/stats?by=' + dim, 'alice')[1]
                   for dim in ('model', 'status')]
        ok([(a['total'], a['count']) for a in answers]
           == [(before['total'], 1), (before['total'], 0)],
           'her sums stay, but not what her rows told', answers)

    def names(self):
        ok = self.tap.ok
        basic = lambda word: 'Basic ' + base64.b64encode(
            word.encode()).decode()
        self.say('alice', '', {})
        self.nginx.wait_total(self.sum - 2)
        ok(len(self.ids('/basic', Authorization=basic('alice:secret'))) == 1,
           'a name with its password')
        for word in ('alice:wrong', 'bob:secret', ':'):
            status, _ = self.ask('/basic', Authorization=basic(word))
            ok(status == 401, 'a name without it: ' + word)
        said = subprocess.run(self.nginx.command('-t'), timeout=60,
                              capture_output=True, text=True).stderr
        said += (self.nginx.dir / 'error.log').read_text()
        for place, why in (('/forged', 'neither'), ('/any', 'satisfy any')):
            ok(any('[warn]' in line and '"%s"' % place in line and why in line
                   for line in said.splitlines()),
               'nginx -t warns of %s' % place, said)
        ok('location "/basic"' not in said and '"/user"' not in said,
           'and of nothing else')


def main():
    need_module()
    one_day(180)
    t = Test()
    t.traffic()
    t.rows()
    t.questions()
    t.facets()
    t.sums()
    t.events()
    t.changes()
    t.names()
    t.sessions()
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of in the log',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
