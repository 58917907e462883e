"""docs/logs/llm_log.conf: every line is JSON that agrees with the record,
whatever clients and upstreams send; the log of errors has the errors."""
import json
import re
import socket
import sys

from lib import ROOT, Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
SSE = 'text/event-stream'
SECRET = 'canary-51c09e'
STRINGS = {'time', 'id', 'client_ip', 'method', 'url', 'endpoint', 'operation',
           'protocol', 'provider', 'model', 'response_model', 'outcome',
           'finish_reason', 'error_type', 'error', 'account', 'user',
           'session', 'user_agent', 'upstream', 'upstream_status',
           'upstream_time'}
SAME = {'method': 'method', 'url': 'url', 'endpoint': 'endpoint',
        'operation': 'operation', 'protocol': 'protocol',
        'provider': 'provider', 'model': 'model', 'stream': 'stream',
        'response_model': 'response_model', 'outcome': 'outcome',
        'finish_reason': 'finish_reason', 'error_type': 'error_type',
        'error': 'error', 'user': 'user', 'account': 'account_email',
        'session': 'session_id', 'user_agent': 'user_agent',
        'input_tokens': 'input_tokens', 'output_tokens': 'output_tokens',
        'cache_read_tokens': 'cache_read_tokens',
        'reasoning_tokens': 'reasoning_tokens',
        'total_tokens': 'total_tokens', 'cost_usd': 'cost_usd'}

# what breaks a line in the hands of who does not escape
NASTY = ['"', '\\', '\\"', '","x":"', '\x7f', '\u2028', '{{}}', "'", '%s%n',
         '$llm_model', '</script>', '\U0001f600', 'é', '\\u0000', '\\ud800']
BYTES = [b'\xff\xfe', b'\xc0\x80', b'\xed\xa0\x80', b'\xf0\x9f', b'caf\xe9',
         b'\t"\\', b'\x80' * 300]


def ask(model=b'"gpt-4o"', user=b'"u"'):
    return b'{"model":%s,"user":%s,"messages":[{"role":"user",' \
        b'"content":"hi"}]}' % (model, user)


def said(model=b'"gpt-4o"', finish=b'"stop"'):
    return b'{"id":"c","model":%s,"choices":[{"index":0,"message":{"role":' \
        b'"assistant","content":"hi"},"finish_reason":%s}],"usage":{' \
        b'"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}' \
        % (model, finish)


def failed(message, kind=b'"x"'):
    return b'{"error":{"message":%s,"type":%s}}' % (message, kind)


def quoted(text):
    return json.dumps(text, ensure_ascii=False).encode()


class Test:
    def __init__(self):
        self.tap = Tap()
        self.listener = Listener(free_port())
        self.nginx = Nginx(
            self.listener.port,
            watch='llm_monitor on; location = /plain { llm_monitor off;'
                  ' return 404; }',
            http='''
            include %s/docs/logs/llm_log.conf;
            proxy_read_timeout 1s;
            llm_monitor on;
            access_log all.log llm_json if=$llm_log_all;
            access_log error.json llm_json if=$llm_log_error;
            access_log combined.log llm_combined if=$llm_log_all;
            ''' % ROOT, log_level='error')
        text = (self.nginx.dir / 'nginx.conf').read_text()
        (self.nginx.dir / 'nginx.conf').write_text(
            text.replace('    access_log off;\n', '', 1))
        self.nginx.start()
        self.sent = 0

    def exchange(self, body=ask(), answer=said(), status=200, kind=JSON,
                 target='/v1/chat/completions', asked=(), headers=(),
                 **reply):
        sent = request('POST', target, [('Host', 'x'), ('Content-Type', JSON)]
                       + list(asked), body)
        pieces = answer if isinstance(answer, list) else [answer]
        exchange(self.nginx.unbuffered, self.listener, sent,
                 Reply(status, [('Content-Type', kind)] + list(headers),
                       pieces, **reply))
        self.sent += 1

    def raw(self, data):
        """What is no proper request, answered by nginx alone."""
        with socket.create_connection(('127.0.0.1', self.nginx.unbuffered),
                                      60) as s:
            s.sendall(data)
            while s.recv(65536):
                pass

    def hostile(self):
        for text in NASTY:
            q = quoted(text)
            self.exchange(ask(q, q), said(q, q))
            self.exchange(ask(q), failed(q, q), 400)
        for data in BYTES:
            q = b'"%s"' % data.replace(b'\\', b'\\\\').replace(b'"', b'\\"') \
                .replace(b'\t', b'\\t')
            self.exchange(ask(q, q), said(q, q))
            self.exchange(ask(q), failed(q, q), 500)
            text = data.decode('latin-1')
            self.exchange(asked=[('User-Agent', text), ('Referer', text),
                                 ('X-Session-Id', text)],
                          headers=[('X-Account-Email', text)])
            path = text.replace('\t', '').replace('"', '%22')
            self.exchange(target='/v1/chat/completions' + path)
            self.exchange(target='/v1/chat/completions?q=' + path)
        self.exchange(ask(b'"\\ud800\\u0000\\u001f"'))
        self.exchange(b'{{{{', b'\x00\xff<html>', 502)
        self.exchange(target='/v1/chat/completions?key=%s&api_key=%s'
                      % (SECRET, SECRET))
        self.exchange(ask(b'"' + b'm"\\'.replace(b'"', b'\\"') * 9000 + b'"'))

    def ends(self):
        stream = [b'data: {"id":"c","model":"m","choices":[{"index":0,'
                  b'"delta":{"content":"hi"}}]}\n\n']
        self.exchange(answer=stream, kind=SSE, cut=True)
        self.exchange(answer=stream + [b'data: {"error":{"message":"no \\"",'
                                       b'"type":"overloaded"}}\n\n'],
                      kind=SSE)
        self.exchange(answer=stream + [b'data: [DONE]\n\n'], kind=SSE)
        self.exchange(answer=b'')
        for status in (204, 301, 401, 429, 500, 503):
            self.exchange(answer=failed(b'"no"'), status=status)

    def lines(self, name):
        path = self.nginx.dir / name
        return path.read_bytes().split(b'\n')[:-1] if path.exists() else []

    def json(self, name):
        """The lines of a log; a test for each that is none."""
        found, bad = [], []
        for line in self.lines(name):
            try:
                entry = json.loads(line.decode(), parse_constant=float)
                if {k for k, v in entry.items() if isinstance(v, str)} \
                        != STRINGS:
                    bad.append('types: %r' % line)
                found.append(entry)
            except ValueError as e:
                bad.append('%s: %r' % (e, line))
        self.tap.ok(not bad and found, 'each of the %d lines of %s is JSON'
                    % (len(found), name), *bad[:5])
        return found

    def agree(self, entries):
        records = {r['id']: r for r in self.nginx.logs()}
        bad = []
        for entry in entries:
            record = records.pop(entry['id'], None)
            if record is None:
                bad.append('no record %s' % entry)
                continue
            for name, field in SAME.items():
                want = record[field]
                if want is None and name in STRINGS:
                    want = ''
                if entry[name] != want:
                    bad.append('%s of %s: %r, the record has %r'
                               % (name, entry['id'], entry[name], want))
        self.tap.ok(not bad and not records, 'all of them are as the records',
                    *bad[:9], *list(records)[:3])

    def errors(self, entries):
        want = {r['id'] for r in self.nginx.logs('&errors_only=1')}
        got = {e['id'] for e in entries}
        self.tap.ok(want == got and want, 'the %d errors are in the log of '
                    'errors, and nothing else' % len(want), want ^ got)

    def combined(self):
        line = re.compile(rb'127\.0\.0\.1 - \S+ \[[^]]+\] "\S+ \S+ (HTTP/'
                          rb'\d\.\d|-)" \d{3} \d+ "[^"]*" "[^"]*"( .+){7}$')
        bad = [repr(x) for x in self.lines('combined.log')
               if not line.match(x) or not x.isascii()]
        self.tap.ok(not bad and len(self.lines('combined.log')) == self.sent,
                    'the combined log has its form', *bad[:5])


def main():
    need_module()
    t = Test()
    t.hostile()
    t.ends()
    for data in (b'GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
                 b'\r\n', b'BAD"\\\xff\r\n\r\n',
                 b'POST /v1/messages HTTP/1.1\r\nHost: \xff"\r\n'
                 b'Connection: close\r\n\r\n'):
        t.raw(data)
    t.sent += 2
    t.nginx.wait_total(t.sent)
    wait_for(lambda: len(t.lines('combined.log')) >= t.sent)
    entries = t.json('all.log')
    t.tap.ok(len(entries) == t.sent, 'a line for each of %d' % t.sent,
             len(entries))
    t.agree(entries)
    t.errors(t.json('error.json'))
    t.combined()
    logs = b''.join(p.read_bytes() for p in t.nginx.dir.iterdir()
                    if p.is_file() and p.name in ('all.log', 'error.json',
                                                  'combined.log'))
    t.tap.ok(SECRET.encode() not in logs, 'no key is in a log')
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
