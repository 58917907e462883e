"""Sessions of real traffic: one key's name is not another's, what is in flight
is there before its record, and a chain of answers is one session."""
import http.client
import json
import threading

from lib import Nginx, Tap, free_port, need_module, wait_for
from live import FIRST, HEAD, LAST
from wire import Listener, Reply, exchange, request

JSON = 'application/json'


def say(nginx, upstream, key, body, answer, status=200, path='/v1/responses',
        account=None):
    headers = [('Host', 'x'), ('Content-Type', JSON)]
    said = [('Content-Type', JSON)]
    if key:
        headers.append(('Authorization', 'Bearer ' + key))
    if account:
        said.append(('X-Account-Email', account))
    exchange(nginx.unbuffered, upstream,
             request('POST', path, headers, json.dumps(body).encode()),
             Reply(status, said, [json.dumps(answer).encode()], 'length'))


def response(n):
    return {'id': 'resp_%d' % n, 'object': 'response', 'model': 'gpt-4o',
            'status': 'completed', 'output': [
                {'type': 'message', 'role': 'assistant', 'content': [
                    {'type': 'output_text', 'text': 'answer %d' % n}]}],
            'usage': {'input_tokens': 10 * n, 'output_tokens': n,
                      'total_tokens': 11 * n}}


def stream(nginx, upstream, key, name, go):
    """A client in the middle of a stream, until go is set."""
    begun = threading.Event()

    def serve():
        s, _ = upstream.sock.accept()
        s.setblocking(True)
        data = b''
        while b'"max_tokens"' not in data:
            data += s.recv(65536)
        s.sendall(HEAD + FIRST)
        go.wait(120)
        s.sendall(LAST)
        s.close()

    def ask():
        c = http.client.HTTPConnection('127.0.0.1', nginx.unbuffered,
                                       timeout=120)
        c.request('POST', '/v1/messages', json.dumps(
            {'model': 'claude-sonnet-4', 'stream': True,
             'messages': [{'role': 'user', 'content': 'hi'}],
             'metadata': {'user_id': 'user_1_account__session_' + name},
             'max_tokens': 9}), {'Content-Type': JSON, 'X-Api-Key': key})
        r = c.getresponse()
        r.read1(10)
        begun.set()
        r.read()
        c.close()

    upstream.sock.setblocking(True)
    threads = [threading.Thread(target=f, daemon=True) for f in (serve, ask)]
    for thread in threads:
        thread.start()
    begun.wait(60)
    return threads


def follow(nginx, session):
    """What events say of a session, from now on."""
    c = http.client.HTTPConnection('127.0.0.1', nginx.api_port, timeout=60)
    c.request('GET', '/monitor/api/events?session=' + session)
    r = c.getresponse()
    r.readline()
    return (line[6:] for line in iter(r.readline, b'')
            if line.startswith(b'data: '))


def main():
    need_module()
    tap = Tap()
    upstream = Listener(free_port())
    nginx = Nginx(upstream.port).start()
    sessions = lambda query='': nginx.api('/sessions' + query)[1]['sessions']

    for n, key in ((1, 'sk-one-0123456789abcdef'),
                   (2, 'sk-two-0123456789abcdef')):
        say(nginx, upstream, key, {'model': 'gpt-4o', 'input': 'hello',
                                   'metadata': {'session_id': 'same'}},
            response(n))
    say(nginx, upstream, 'sk-one-0123456789abcdef',
        {'model': 'gpt-4o', 'input': 'more', 'previous_response_id': 'resp_1'},
        response(3))
    say(nginx, upstream, 'sk-two-0123456789abcdef',
        {'model': 'gpt-4o', 'input': 'x', 'metadata': {'session_id': 'same'}},
        {'error': {'message': 'slow down', 'type': 'rate_limit'}}, 429)
    nginx.wait_total(4)

    found = sorted(sessions(), key=lambda s: s['total_tokens'])
    tap.ok([(s['session_id'], s['requests'], s['errors'], s['status'],
             s['total_tokens'], s['models'], s['state']) for s in found]
           == [('same', 2, 1, 'FAIL', 22, ['gpt-4o'], 'active'),
               ('same', 2, 0, 'IDLE', 44, ['gpt-4o'], 'active')],
           'two keys with one name, and the chain of one', *found)
    tap.ok(nginx.api('/sessions/same')[0] == 409, 'a name that says not which')
    status, one = nginx.api('/sessions/' + found[1]['id'])
    tap.ok(status == 200 and one['id'] == found[1]['id']
           and [r['response_id'] for r in one['logs']] == ['resp_1', 'resp_3']
           and nginx.api('/sessions/same~' + found[1]['api_key'][:4])[1]
           == one, 'one with its records in order', one)
    tap.ok([(m['log'], m['role'], m['text'])
            for m in one['conversation']['messages']]
           == [(one['logs'][n]['id'], role, text) for n, role, text in (
               (0, 'user', 'hello'), (0, 'assistant', 'answer 1'),
               (1, 'user', 'more'), (1, 'assistant', 'answer 3'))]
           and one['conversation']['omitted'] == 0,
           'and what was said', one['conversation'])
    name = '/sessions/' + one['id']
    page = nginx.api(name + '?limit=1&conversation=0')[1]
    tap.ok(page['conversation'] is None and page['logs'] == one['logs'][:1]
           and nginx.api(name + '?limit=1&cursor=' + page['next'])[1]['logs']
           == one['logs'][1:], 'page by page')
    tap.ok(nginx.api('/sessions/none')[0] == 404
           and nginx.api('/sessions/a%2Fb%20c')[0] == 404
           and [nginx.api('/sessions/' + name, raw=True)[0] for name in (
               '%ff%01~', '~', 'x' * 3000, 'same~' + '1' * 17, '%25s%25n',
               "'%20OR%201=1")] == [404] * 6
           and nginx.api('/sessions/same', method='DELETE')[0] == 405,
           'one that is not there')
    tap.ok(sessions('?state=idle') == [] and len(sessions('?status=429')) == 1
           and sessions('?status=429')[0]['requests'] == 1, 'filters')

    go = threading.Event()
    threads = stream(nginx, upstream, 'sk-ant-0123456789abcdef', 'new', go)
    first = wait_for(lambda: [s for s in sessions('?state=active')
                              if s['running']])
    tap.ok(first and (first[0]['session_id'], first[0]['status'],
                      first[0]['requests'], first[0]['first'])
           == ('new', 'INIT', 0, None) and sessions()[0] == first[0],
           'one whose first exchange is in flight', first)
    status, one = nginx.api('/sessions/new')
    tap.ok(status == 200 and one['logs'] == [] and one['running'] == 1
           and one['conversation'] is None,
           'has no records', one)
    go.set()
    for thread in threads:
        thread.join(60)
    nginx.wait_total(5)

    go = threading.Event()
    threads = stream(nginx, upstream, 'sk-ant-0123456789abcdef', 'new', go)
    busy = wait_for(lambda: [s for s in sessions() if s['running']])
    tap.ok(busy and (busy[0]['id'], busy[0]['status'], busy[0]['requests'])
           == (first[0]['id'], 'BUSY', 1), 'then its second', busy)
    go.set()
    for thread in threads:
        thread.join(60)
    nginx.wait_total(6)
    last = wait_for(lambda: [s for s in sessions() if s['requests'] == 2
                             and s['id'] == first[0]['id']
                             and not s['running']])
    tap.ok(last and last[0]['status'] == 'IDLE', 'and it rests', last)

    nginx.change('/logs?session=new', method='DELETE')
    tap.ok(nginx.api('/sessions/new')[0] == 404 and len(sessions()) == 2,
           'without records it is gone')

    # without a key the name is the user's, or else the account's

    open_ = {'model': 'gpt-4o', 'input': 'x',
             'metadata': {'session_id': 'open'}}
    for n, user, account in ((1, 'ann', None), (2, 'bob', None),
                             (3, None, 'a@x.example'), (4, None, 'b@x.example'),
                             (5, None, None), (6, 'ann', 'b@x.example')):
        body = dict(open_, user=user) if user else open_
        say(nginx, upstream, None, body, response(10 + n), account=account)
    for n, user in ((1, 'ann'), (2, 'ann')):
        say(nginx, upstream, None,
            {'model': 'gpt-4o', 'input': '?', 'user': user,
             'previous_response_id': 'resp_%d' % (10 + n)}, response(20 + n))
    wait_for(lambda: len(nginx.logs('&ip=127.0.0.1')) == 12, 60)
    found = [s for s in sessions() if s['session_id'] == 'open']
    tap.ok(sorted((s['users'], s['accounts'], s['requests']) for s in found)
           == [([], [], 1), ([], ['a@x.example'], 1), ([], ['b@x.example'], 1),
               (['ann'], ['b@x.example'], 3), (['bob'], [], 1)]
           and len({s['id'] for s in found}) == 5
           and {s['api_key'] for s in found} == {None},
           'without a key each user or account has a session', *found)
    tap.ok(nginx.api('/sessions/open')[0] == 409
           and all(nginx.api('/sessions/' + s['id'])[1]['id'] == s['id']
                   for s in found), 'which are told apart by their ids')
    tap.ok([len(nginx.logs('&session=' + s['id'])) for s in found]
           == [s['requests'] for s in found]
           and len(nginx.logs('&session=open')) == 7,
           'in the list, too')
    nginx.change('/recording', 'PUT', {'recording': False})
    bob = next(s['id'] for s in found if s['users'] == ['bob'])
    seen = follow(nginx, bob)
    for n, user in ((1, 'ann'), (2, 'bob')):
        say(nginx, upstream, None, dict(open_, user=user), response(30 + n))
    tap.ok(json.loads(next(seen))['user'] == 'bob',
           'and in what comes while there are no rows')
    nginx.change('/recording', 'PUT', {'recording': True})
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    main()
