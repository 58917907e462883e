"""Bad input through nginx: whatever comes, the client gets its bytes
unchanged, a record is made, memory stays bounded, and what can still be found
is found."""
import gzip
import pathlib
import re
import sys
import zlib

from lib import Nginx, Tap, free_port, need_module, rings, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
SSE = 'text/event-stream'
EXTRA = 24 << 20                       # of the worker, over all of this
SECRET = 'canary-7f3a9c'


def chat(inner=b'', tokens=b'7'):
    return (b'{"id":"c1","model":"gpt-4o-x","choices":[{"index":0,"message":'
            b'{"role":"assistant","content":"hi"' + inner
            + b'},"finish_reason":"stop"}],"usage":{"prompt_tokens":' + tokens
            + b',"completion_tokens":3,"total_tokens":10}}')


def ask(content=b'"hello"'):
    return b'{"model":"gpt-4o","messages":[{"role":"user","content":' \
        + content + b'}]}'


def event(data):
    return b'data: ' + data + b'\n\n'


STREAM = [event(b'{"id":"c1","model":"gpt-4o-x","choices":[{"index":0,'
                b'"delta":{"content":"hi"}}]}'),
          event(b'{"id":"c1","choices":[{"index":0,"delta":{},'
                b'"finish_reason":"stop"}],"usage":{"prompt_tokens":7,'
                b'"completion_tokens":3}}'),
          event(b'[DONE]')]

DEEP = 1000000
LONG = 100 << 20
BOMB = gzip.compress(bytes(64 << 20), 9)

# name: (answer's type, its body or pieces, what the record must say, more)
FOUND = {'input_tokens': 7, 'output_tokens': 3, 'model': 'gpt-4o'}
ANSWERS = {
    'depth of a million beside the usage':
        (JSON, chat(b',"x":' + b'[' * DEEP + b']' * DEEP), {}),
    'depth of a million, never closed': (JSON, b'[' * DEEP, {}),
    'a string of 100 MB': (JSON, chat(b',"x":"' + b'a' * LONG + b'"'), FOUND),
    'numbers beyond a double':
        (JSON, chat(b',"x":[1e400,-1e400,123456789012345678901234567890]'),
         FOUND),
    'tokens beyond 2^53': (JSON, chat(tokens=b'9007199254740993'),
                           {'input_tokens': None, 'output_tokens': 3}),
    'negative tokens': (JSON, chat(tokens=b'-7'), {'input_tokens': None}),
    'tokens in a string': (JSON, chat(tokens=b'"7"'), {'input_tokens': None}),
    'invalid UTF-8': (JSON, chat(b',"x":"\xff\xfe\xc0\x80"'), FOUND),
    'NUL inside': (JSON, chat(b',"x":"a\\u0000b"'), FOUND),
    'lone surrogates': (JSON, chat(b',"x":"\\ud800 \\udc00\\ud83d"'), FOUND),
    'usage twice, the last one counts':
        (JSON, b'{"usage":{"prompt_tokens":1,"completion_tokens":1},'
         + chat()[1:], FOUND),
    'two documents': (JSON, chat() + chat(), FOUND),
    'no JSON at all': (JSON, b'<html><title>502 Bad</title></html>', {}),
    'white space before it': (JSON, b'\n\n \r\n' + chat(), FOUND),
    'a type that lies': ('text/plain', chat(), FOUND),
    'SSE without an end of line': (SSE, b''.join(STREAM).rstrip(), FOUND),
    'SSE with broken JSON in between':
        (SSE, [STREAM[0], event(b'{"choices":[{"delta":'),
               event(b'\xff\x00{{{')] + STREAM[1:], FOUND),
    'SSE with CR alone': (SSE, b''.join(STREAM).replace(b'\n', b'\r'), FOUND),
    'SSE with a line of 10 MB':
        (SSE, [STREAM[0], event(b'{"x":"' + b'a' * (10 << 20) + b'"}')]
         + STREAM[1:], FOUND),
}
CODED = {
    'gzip that is none': ('gzip', chat(), FOUND),
    'gzip cut in the middle': ('gzip', gzip.compress(chat() * 40)[:120], {}),
    'an unknown coding': ('x-own', chat(), {}),
    'deflate without its header':
        ('deflate', zlib.compress(chat())[2:-4], FOUND),
    'five codings at once': ('gzip, gzip, gzip, gzip, gzip', chat(), {}),
    'a bomb': ('gzip', BOMB, {}),
    'two members, one coding': ('gzip', gzip.compress(chat()[:90])
                                + gzip.compress(chat()[90:]), FOUND),
}
QUESTIONS = {
    'a question that is no JSON': (b'{{{{', {'model': None}),
    'a question of a million brackets': (b'[' * DEEP, {'model': None}),
    'a question with two models':
        (b'{"model":"one",' + ask()[1:], {'model': 'gpt-4o'}),
    'a question with a model of 1 MB':
        (b'{"model":"' + b'm' * (1 << 20) + b'","messages":[]}', {}),
    'an image of 40 MB in a question':
        (ask(b'[{"type":"image_url","image_url":{"url":"data:image/png;'
             b'base64,' + b'A' * (40 << 20) + b'"}}]'),
         {'model': 'gpt-4o', 'messages_count': 1}),
    'a question with a NUL': (ask(b'"a\\u0000b"'), {'model': 'gpt-4o'}),
}
ACCOUNTS = {
    'an account of 10,000 bytes': 'a' * 10000,
    'an account with 8 bit characters': 'caf\xe9@\xff\xfe.example',
    'an account with markup': '<script>alert(1)</script>"\'`',
    'an account with tabs': 'a\tb@c.example',
}


class Test:
    def __init__(self):
        self.tap = Tap()
        self.listener = Listener(free_port())
        self.nginx = Nginx(self.listener.port, http='large_client_header_'
                           'buffers 8 32k; proxy_buffer_size 64k; '
                           'proxy_buffers 8 64k; proxy_busy_buffers_size '
                           '128k;').start()
        self.sent = 0

    def say(self, name, sent, kind, body, want, coding=None, headers=()):
        """One exchange; the client has its bytes, the record what we want."""
        pieces = body if isinstance(body, list) else [body]
        head = [('Content-Type', kind)] + list(headers)
        if coding:
            head.append(('Content-Encoding', coding))
        for how, port in (('', self.nginx.unbuffered),
                          (', buffered', self.nginx.buffered)):
            answer = exchange(port, self.listener, sent,
                              Reply(200, head, pieces), timeout=60)
            self.sent += 1
            same = bytes(answer.body) == b''.join(pieces)
            self.nginx.wait_total(self.sent)
            record = self.nginx.api('?limit=1&total=0')[1]['logs'][0]
            bad = ['%s: %r, want %r' % (k, record[k], v)
                   for k, v in want.items() if record[k] != v]
            if not same:
                bad.append('the client got other bytes')
            if record['seq'] != self.sent:
                bad.append('record %d, want %d' % (record['seq'], self.sent))
            self.tap.ok(not bad, name + how, *bad)
        return record

    def answers(self):
        sent = request('POST', '/v1/chat/completions',
                       [('Host', 'x'), ('Content-Type', JSON)], ask())
        for name, (kind, body, want) in ANSWERS.items():
            self.say(name, sent, kind, body, want)
        for name, (coding, body, want) in CODED.items():
            self.say(name, sent, JSON, body, want, coding)
        for name, account in ACCOUNTS.items():
            record = self.say(name, sent, JSON, chat(), FOUND,
                              headers=[('X-Account-Email', account),
                                       ('X-Account-Email', 'b@b.example')])
            self.tap.ok(record['account_email'] == (
                account if '<' in account else None),
                        name + ' is whole or none', record['account_email'])

    def questions(self):
        for name, (body, want) in QUESTIONS.items():
            sent = request('POST', '/v1/chat/completions',
                           [('Host', 'x'), ('Content-Type', JSON)], body)
            record = self.say(name, sent, JSON, chat(), want)
            self.tap.ok(len(record['model'] or '') <= 512,
                        name + ': its model is bounded')
        sent = request('POST', '/v1/chat/completions?key=%s&x=1&api_key=%s&%%'
                       '6bey=%s&access_token=%s' % ((SECRET,) * 4),
                       [('Host', 'x'), ('Authorization', 'Bearer ' + SECRET
                                        + '-bearer'),
                        ('X-Api-Key', SECRET), ('Cookie', 's=' + SECRET)]
                       + [('X-Many', 'y' * 1000)] * 40, ask())
        record = self.say('secrets in the url and in headers', sent, JSON,
                          chat(), FOUND)
        self.tap.ok(record['url'].count('***') == 4,
                    'the url has four stars', record['url'])

    def leaks(self):
        """No secret in any file of the data directory or the log."""
        places = list(self.nginx.data.rglob('*')) \
            + [self.nginx.dir / 'error.log'] \
            + sorted(rings(self.nginx.master()))
        found = [str(p) for p in places
                 if p.is_file() and SECRET.encode() in p.read_bytes()]
        self.tap.ok(not found, 'no file has a secret', *found)

    def resident(self):
        text = pathlib.Path('/proc/%d/status' % self.nginx.workers()[0])
        return int(re.search(r'RssAnon:\s+(\d+)', text.read_text())[1]) << 10


def main():
    need_module()
    t = Test()
    before = t.resident()
    t.answers()
    t.questions()
    t.leaks()
    wait_for(lambda: t.resident() - before < EXTRA, 60, 0.2)
    grown = t.resident() - before
    t.tap.ok(grown < EXTRA, 'the worker is at most %d MB larger'
             % (EXTRA >> 20), 'grown by %.1f MB' % (grown / (1 << 20)))
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of in the log',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
