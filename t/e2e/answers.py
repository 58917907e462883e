"""Every call of docs/openapi.yaml is answered as the document says, an error
too, and an answer that is not would be found; by threads that let the event
loop go first."""
import copy
import json
import pathlib
import sys

import spec
from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
SAID = json.dumps({
    'id': 'c1', 'object': 'chat.completion', 'model': 'gpt-4o',
    'choices': [{'index': 0, 'message': {
        'role': 'assistant', 'content': 'hi', 'tool_calls': [
            {'id': 't', 'type': 'function',
             'function': {'name': 'f', 'arguments': '{"a":1}'}}]}}],
    'usage': {'prompt_tokens': 7, 'completion_tokens': 3}}).encode()
ASKED = json.dumps({'model': 'gpt-4o', 'messages': []}).encode()


def broken(answer):
    """Answers that are not what the document says."""
    row = lambda: copy.deepcopy(answer['logs'][0])
    for change in ({'total': -1}, {'limit': 'all'}, {'more': 1},
                   {'next': 'cursor'}, {'partial': False}):
        yield dict(answer, **change)
    for change in ({'id': 5}, {'outcome': 'fine'}, {'status': '200'},
                   {'extra': None}, {'api_key': 'sk-whole-key'}):
        yield dict(answer, logs=[dict(row(), **change)])
    without = row()
    del without['cost_usd']
    yield dict(answer, logs=[without])


def nices(pid):
    """(that of the event loop, those of the other threads) of a process"""
    found = {}
    for task in pathlib.Path('/proc/%d/task' % pid).iterdir():
        after = (task / 'stat').read_text().rpartition(')')[2].split()
        found[int(task.name)] = int(after[16])
    return found.pop(pid), sorted(found.values())


def threads(tap, upstream):
    """Questions are asked at nice 19, in as many threads as the pool has; the
    event loop and the threads of other pools stay as they are."""
    for name, main, http, n in (
            ('own threads', '', '', 16),
            ('own threads, as they are defined',
             'thread_pool llm_monitor threads=2;', '', 2),
            ('a pool that is named', 'thread_pool few threads=3;',
             'llm_monitor_thread_pool few;', 3)):
        nginx = Nginx(upstream.port, http='aio threads;' + http,
                      main='thread_pool default threads=4;' + main).start()
        pid = nginx.workers()[0]
        before = nices(nginx.master())[0]
        for _ in range(2 * n):
            nginx.change('/logs')
        loop, others = nices(pid)
        low = [v for v in others if v == 19]
        tap.ok(loop == before and (before == 19 or 1 <= len(low) <= n),
               name + ': the questions are nice, the event loop is not',
               before, loop, others)
        # the other two are the writer's
        tap.ok(wait_for(lambda: len(nices(pid)[1]) == n + 4 + 2),
               name + ': as many as there should be', nices(pid))
        nginx.stop()


def main():
    need_module()
    tap = Tap()
    upstream = Listener(free_port())
    threads(tap, upstream)
    nginx = Nginx(upstream.port, http='llm_monitor_alert cost 5 '
                  'webhook=http://127.0.0.1:%d/;' % free_port()).start()
    sent = request('POST', '/v1/chat/completions',
                   [('Host', 'x'), ('Content-Type', JSON),
                    ('X-Session-Id', 's-1'),
                    ('Authorization', 'Bearer sk-0123456789abcdef')], ASKED)
    for _ in range(3):
        exchange(nginx.buffered, upstream, sent,
                 Reply(200, [('Content-Type', JSON)], [SAID], 'length'))
    nginx.wait_total(3)
    page = nginx.api('/logs')[1]
    n = page['logs'][0]['id']

    for path, item in spec.document()['paths'].items():
        real = path.replace('{id}', 's-1' if '/sessions' in path else n)
        for method in item.keys() - {'parameters'}:
            body = {'recording': True} if method == 'put' else None
            if method == 'delete':
                continue               # the last thing, below
            types = item[method]['responses']['200']['content'].keys()
            endless = 'text/event-stream' in types
            status, data = nginx.api(real, 'HEAD' if endless
                                     else method.upper(), body, raw=True)
            wrong = JSON in types and \
                spec.complaint(method, real, status, json.loads(data))
            tap.ok(status == 200 and not wrong, '%s %s' % (method, path),
                   status, wrong)
        status, _ = nginx.api(real + '?nothing=1',
                              'GET' if 'get' in item else 'POST')
        tap.ok(status == 400, path + ' with an unknown parameter')
        status, _ = nginx.api(real, 'PATCH')
        tap.ok(status == 405, path + ' with a method that it does not have')

    tap.ok(nginx.api('/logs/%s' % n)[1]['message']['tool_calls'] == [
        {'name': 'f', 'arguments': '{"a":1}'}], 'a message with a call')
    tap.ok(nginx.api('/logs/1')[0] == 404, 'a record that is not there')
    tap.ok(nginx.api('/nowhere')[0] == 404, 'a call that is not there')
    tap.ok(nginx.change('/logs?all=1', 'DELETE') == (200, {'deleted': 3}),
           'a clear')

    found = [bool(spec.complaint('GET', '/logs', 200, b))
             for b in broken(page)]
    tap.ok(len(found) == 11 and all(found), 'a wrong answer is found', found)
    tap.ok(not nginx.complaints(), 'nothing to complain of in the log',
           *nginx.complaints()[:5])
    nginx.stop()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
