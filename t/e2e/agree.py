"""List, count, export and clear agree with a naive reading of the rows: a
thousand combinations of filters, chosen at random, each compared with the same
condition written in Python over every row that the list shows without one."""
import collections
import json
import os
import random
import sys
import urllib.parse

from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
ROWS = 400
QUESTIONS = 1000
CLEARS = 40

MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'Claude_100%',
          'gemini-2.5-flash', 'llama3', 'Ünïcode-model', "o'hara", None]
USERS = ['alice', 'bob', 'ALICE', 'b%b', 'x_y', '']
ACCOUNTS = ['a@x.example', 'b@y.example', 'ops_1@x.example', '']
KEYS = ['sk-' + c * 20 for c in 'abc'] + ['short', '']
SESSIONS = ['s-1', 's-2', 'S-1', '']
STATUSES = [200] * 6 + [201, 204, 301, 400, 401, 404, 429, 500, 503, 529]
PLACES = [('POST', '/v1/chat/completions', 'openai'),
          ('POST', '/v1/embeddings', 'openai'),
          ('POST', '/v1/images/generations', 'openai'),
          ('POST', '/v1/messages', 'anthropic'),
          ('POST', '/v1beta/models/gemini-2.5-pro:generateContent', 'gemini'),
          ('POST', '/api/chat', 'ollama'), ('GET', '/v1/models', 'openai'),
          ('PATCH', '/other/%25place', 'unknown')]
QUICK_CHAT = ('chat', 'completion', 'responses')
FAILED = ('stream_error', 'upstream_abort', 'timeout', 'empty')
SEARCHED = ('url', 'method', 'model', 'mapped_model', 'status',
            'account_email', 'user', 'client_ip', 'session_id')


def answer(kind, status, rnd):
    if status >= 400:
        return {'error': {'message': 'no', 'type': 'refused'}}
    usage = rnd.random() < 0.8
    n, m = rnd.randrange(5000), rnd.randrange(500)
    if kind == 'anthropic':
        body = {'type': 'message', 'model': 'claude-x', 'content': []}
        extra = {'usage': {'input_tokens': n, 'output_tokens': m}}
    elif kind == 'gemini':
        body = {'candidates': []}
        extra = {'usageMetadata': {'promptTokenCount': n,
                                   'candidatesTokenCount': m,
                                   'totalTokenCount': n + m}}
    elif kind == 'ollama':
        body = {'model': 'llama3', 'message': {'content': 'x'}, 'done': True}
        extra = {'prompt_eval_count': n, 'eval_count': m}
    else:
        body = {'object': 'chat.completion', 'choices': []}
        extra = {'usage': {'prompt_tokens': n, 'completion_tokens': m,
                           'total_tokens': n + m}}
    return dict(body, **(extra if usage else {}))


def one(rnd):
    """A request's bytes and the reply to it."""
    method, path, kind = rnd.choice(PLACES)
    status = rnd.choice(STATUSES)
    model, user = rnd.choice(MODELS), rnd.choice(USERS)
    body = {'messages': []}
    if model:
        body['model'] = model
    if rnd.random() < 0.2:
        body['user'] = rnd.choice(['alice', 'claimed'])
    headers = [('Host', 'x'), ('Content-Type', JSON), ('X-User', user),
               ('X-Account', rnd.choice(ACCOUNTS))]
    key, session = rnd.choice(KEYS), rnd.choice(SESSIONS)
    if key:
        headers.append(('Authorization', 'Bearer ' + key))
    if session:
        headers.append(('X-Session-Id', session))
    said = [('Content-Type', JSON)]
    if rnd.random() < 0.2:
        said.append(('X-Mapped-Model', 'mapped_%d' % rnd.randrange(3)))
    data = b'' if method == 'GET' else json.dumps(body).encode()
    text = json.dumps(answer(kind, status, rnd)).encode()
    return (request(method, path + '?n=%d' % rnd.randrange(50), headers, data),
            Reply(status, said, [text], 'length', rnd.random() < 0.05))


def lower(text):
    """As SQLite folds case: of ASCII letters alone."""
    return ''.join(c.lower() if c < '\x80' else c for c in text)


def holds(row, word):
    word = lower(word)
    return any(row[k] is not None and word in lower(str(row[k]))
               for k in SEARCHED)


def errors(row):
    return row['status'] is not None and not 200 <= row['status'] < 400 \
        or row['outcome'] in FAILED


def quick(row, word):
    model = lower(row['model'] or '')
    return {'errors': errors(row), 'chat': row['operation'] in QUICK_CHAT,
            'gemini': row['protocol'] == 'gemini' or 'gemini' in model,
            'claude': row['protocol'] == 'anthropic' or 'claude' in model,
            'image': row['operation'] == 'image'}[word]


def status(row, word):
    if 'x' in word:
        first = int(word[0]) * 100
        last = first + 99
    else:
        first, last = (int(n) for n in (word.split('-') * 2)[:2])
    return row['status'] is not None and first <= row['status'] <= last


def least(field, scale=1):
    return lambda row, v: row[field] is not None \
        and row[field] * scale >= float(v) * scale


def same(field):
    return lambda row, v: row[field] == v


def no_usage(row, _):
    return row['input_tokens'] is None and row['output_tokens'] is None \
        and row['status'] is not None and 200 <= row['status'] < 300 \
        and row['operation'] in QUICK_CHAT + ('embeddings',)


def no_price(row, _):
    """What the answer to anything but a POST counts is in no sum."""
    return row['method'] == 'POST' and row['cost_usd'] is None and not (
        row['input_tokens'] is None and row['output_tokens'] is None)


FACETS = {'model': 'model', 'account': 'account_email', 'user': 'user',
          'provider': 'provider', 'status': 'status', 'endpoint': 'endpoint'}

NAIVE = {
    'filter': holds, 'quick': quick, 'status': status,
    'errors_only': lambda row, _: errors(row), 'outcome': same('outcome'),
    'method': same('method'), 'protocol': same('protocol'),
    'provider': same('provider'), 'model': same('model'),
    'endpoint': same('endpoint'), 'operation': same('operation'),
    'account': same('account_email'), 'user': same('user'),
    'key': same('api_key'), 'session': same('session_id'),
    'ip': same('client_ip'),
    'stream': lambda row, v: bool(row['stream']) == (v == '1'),
    'since': lambda row, v: row['timestamp'] >= int(v),
    'until': lambda row, v: row['timestamp'] < int(v),
    'min_duration_ms': least('duration_ms'),
    'min_tokens': least('total_tokens'), 'min_cost': least('cost_usd'),
    'unpriced': no_price, 'usage_missing': no_usage,
}


def value(name, rows, rnd):
    """A value of a parameter: mostly one that some row has."""
    row = rnd.choice(rows)
    if name == 'filter':
        text = str(row[rnd.choice(SEARCHED)] or '401')
        at = rnd.randrange(len(text))
        text = text[at:at + rnd.randrange(1, 8)]
        return rnd.choice([text, text, text.upper(), 'nowhere', '%', '_', "'"])
    field = {'account': 'account_email', 'key': 'api_key', 'ip': 'client_ip',
             'session': 'session_id'}.get(name, name)
    if name == 'status':
        n = row['status'] or 200
        return rnd.choice([str(n), '%dxx' % (n // 100), '400-499',
                           '%d-%d' % (n, n + 50), '599'])
    if name == 'quick':
        return rnd.choice(['errors', 'chat', 'gemini', 'claude', 'image'])
    if name in ('errors_only', 'unpriced', 'usage_missing'):
        return '1'
    if name == 'stream':
        return rnd.choice('01')
    if name in ('since', 'until'):
        return str(row['timestamp'] + rnd.randrange(-2, 3))
    if name == 'min_cost':
        return rnd.choice(['0', '0.0001', '0.01'])
    if name in ('min_tokens', 'min_duration_ms'):
        field = {'min_tokens': 'total_tokens'}.get(name, 'duration_ms')
        return str(row[field] or 0)
    if rnd.random() < 0.1:
        return 'unknown' if name == 'protocol' else \
            'other' if name == 'operation' else \
            'success' if name == 'outcome' else 'nothing'
    return row[field] or value('filter', rows, rnd) \
        if name not in ('protocol', 'operation', 'outcome') else row[field]


def combination(rows, rnd):
    names = rnd.sample(sorted(NAIVE), rnd.choice([1, 1, 2, 2, 3, 4]))
    chosen = {n: value(n, rows, rnd) for n in names}
    if chosen.get('key', 'ab12')[-1] == "'" or 'key' in chosen \
            and not any(r['api_key'] == chosen['key'] for r in rows):
        del chosen['key']
    return {n: v for n, v in chosen.items() if v} or {'stream': '0'}


def naive(rows, chosen):
    return [r['id'] for r in rows
            if all(NAIVE[n](r, v) for n, v in chosen.items())]


def facets(rows, answer):
    """What of an answer the rows do not have, or nothing."""
    if answer['total'] != len(rows):
        return 'facets of %d, not %d rows' % (answer['total'], len(rows))
    for name, field in FACETS.items():
        want = collections.Counter(r[field] for r in rows)
        got = collections.Counter({None: answer[name]['none']})
        for v in answer[name]['values']:
            got[v['name']] += v['requests']
        if +got != want or answer[name]['other']:
            return '%s: %s, not %s' % (name, got, want)
    return ''


class Test:
    def __init__(self):
        seed = int(os.environ.get('LLM_SEED', random.randrange(1 << 30)))
        self.rnd = random.Random(seed)
        self.tap = Tap()
        self.tap.note('LLM_SEED=%d' % seed)
        self.upstream = Listener(free_port())
        self.nginx = Nginx(
            self.upstream.port,
            watch='llm_monitor on; llm_monitor_user $http_x_user;'
                  'llm_monitor_account $http_x_account;').start()
        for _ in range(ROWS):
            exchange(self.nginx.buffered, self.upstream, *one(self.rnd))
        self.tap.ok(self.nginx.wait_total(ROWS) == ROWS, 'the rows are there')
        self.rows = self.nginx.logs()

    def agree(self, chosen, n):
        """What disagrees with the naive reading, or nothing; of the facets,
        each fifth time."""
        query = '&' + urllib.parse.urlencode(chosen)
        want = naive(self.rows, chosen)
        got = [r['id'] for r in self.nginx.logs(query)]
        if got != want:
            return '%s: the list has %d, not %d rows' % (query, len(got),
                                                         len(want))
        answer = self.nginx.api('/count?' + query[1:])
        if answer != (200, {'total': len(want)}):
            return '%s: %d rows, and count says %s' % (query, len(want), answer)
        status, data = self.nginx.api('/export?format=ndjson' + query, raw=True)
        got = sorted(json.loads(line)['id'] for line in data.splitlines())
        if status != 200 or got != sorted(want):
            return '%s: the export has %d, not %d rows' % (query, len(got),
                                                           len(want))
        if n % 5 or chosen.keys() <= {'since', 'until'}:

            # by time alone they are sums of whole quarter-hours

            return ''
        said = facets([r for r in self.rows if r['id'] in set(want)],
                      self.nginx.api('/facets?limit=1000' + query)[1])
        return said and query + ': ' + said

    def questions(self):
        wrong, some = [], 0
        for n in range(QUESTIONS):
            chosen = combination(self.rows, self.rnd)
            some += bool(naive(self.rows, chosen))
            said = self.agree(chosen, n)
            wrong += [said] if said else []
        self.tap.ok(not wrong, '%d combinations agree' % QUESTIONS,
                    *wrong[:10])
        self.tap.ok(some > QUESTIONS / 3, 'and a third of them have rows',
                    some)

    def sums(self):
        answer = self.nginx.api('/facets')[1]
        said = facets(self.rows, answer)
        self.tap.ok(answer['source'] == 'ledger' and not said,
                    'facets of everything', said)
        few = self.nginx.api('/facets?limit=2&stream=0')[1]['model']
        all_ = self.nginx.api('/facets?stream=0')[1]['model']
        self.tap.ok(few['values'] == all_['values'][:2]
                    and few['distinct'] == len(all_['values'])
                    and few['other'] == sum(v['requests'] for v in
                                            all_['values'][2:]),
                    'the most frequent ones and the others', few, all_)
        since, quarter = self.rows[-1]['timestamp'], 900000
        asked = self.nginx.api('/facets?since=%d' % since)[1]
        self.tap.ok(asked['since'] == since - since % quarter
                    and asked['rounded'] == (since % quarter != 0)
                    and asked['total'] == len(self.rows),
                    'of quarter-hours', asked['since'], asked['total'])

    def clears(self):
        """After each, what one may choose from is what is left."""
        wrong = []
        for _ in range(CLEARS):
            chosen = combination(self.rows, self.rnd)
            gone = set(naive(self.rows, chosen))
            if len(gone) > len(self.rows) / 4:
                continue
            query = urllib.parse.urlencode(chosen)
            answer = self.nginx.change('/logs?' + query, 'DELETE')
            left = [r['id'] for r in self.rows if r['id'] not in gone]
            self.rows = self.nginx.logs()
            if answer != (200, {'deleted': len(gone)}) \
                    or [r['id'] for r in self.rows] != left:
                wrong.append('%s: %s, not %d' % (query, answer, len(gone)))
            said = facets(self.rows, self.nginx.api('/facets?limit=1000')[1])
            wrong += [query + ': ' + said] if said else []
        self.tap.ok(not wrong, 'clears agree too', *wrong[:10])

    def pause(self):
        """What comes meanwhile is in the sums, and in no list."""
        api = self.nginx.api
        sums = lambda: api('/summary')[1]['today']['requests']
        before = sums()
        self.nginx.change('/recording', 'PUT', {'recording': False})
        exchange(self.nginx.buffered, self.upstream, *one(self.rnd))
        wait_for(lambda: sums() != before, 60)
        said = facets(self.rows, api('/facets?limit=1000')[1])
        self.nginx.change('/recording', 'PUT', {'recording': True})
        again = facets(self.rows, api('/facets?limit=1000')[1])
        self.tap.ok(not said and not again,
                    'nor do facets offer what came in a pause', said, again)


def main():
    need_module()
    t = Test()
    t.sums()
    t.questions()
    t.clears()
    t.pause()
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of in the log',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
