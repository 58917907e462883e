"""No memory: each allocation that the module makes for an exchange fails,
one at a time, and then all from there on; the client gets every byte, the
worker lives, and the law holds.  The same for the questions that the API
answers, which may say that they failed, and for the writer's threads."""
import http.client
import json
import sys

from driver import PATIENCE, Healing, Wrapped, ask, either, settled
from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON, SSE = 'application/json', 'text/event-stream'
MOST = 2000                            # allocations of one exchange


def event(data):
    return b'data: ' + json.dumps(data).encode() + b'\n\n'


def usage():
    return {'prompt_tokens': 7, 'completion_tokens': 3, 'total_tokens': 10}


WHOLE = json.dumps({
    'id': 'c1', 'model': 'gpt-4o-x', 'usage': usage(), 'choices': [
        {'index': 0, 'finish_reason': 'stop',
         'message': {'role': 'assistant', 'content': 'hi ' * 10}}]}).encode()
LONG_ONE = WHOLE.replace(b'hi ', b'hi ' * 8000)
STREAM = [event({'id': 'c1', 'model': 'gpt-4o-x',
                 'choices': [{'index': 0, 'delta': {'content': 'w%d ' % i}}]})
          for i in range(5)] + [
    event({'id': 'c1', 'choices': [], 'usage': usage()}), b'data: [DONE]\n\n']
LARGE = b'{"model":"gpt-4o","messages":[{"role":"user","content":"' \
    + b'word ' * 30000 + b'"}]}'
SMALL = b'{"model":"gpt-4o","user":"u1","messages":[{"role":"user",' \
    b'"content":"hello"}]}'
ERROR = b'{"error":{"message":"slow down","type":"rate_limit"}}'

# name: (the request's body, the status, the answer's type, its pieces)
EXCHANGES = {
    'a small exchange': (SMALL, 200, JSON, [WHOLE]),
    'bodies in files': (LARGE, 200, JSON, [LONG_ONE]),
    'a stream': (SMALL, 200, SSE, STREAM),
    'an error': (SMALL, 429, JSON, [ERROR]),
}
QUESTIONS = ('/monitor/api/logs?limit=5', '/monitor/api/count?filter=gpt',
             '/monitor/api/stats', '/monitor/api/sessions',
             '/monitor/api/export?format=ndjson&bodies=1', '/metrics',
             '/monitor/api/live', '/health')


class Test:
    def __init__(self):
        self.wrapped = Wrapped()
        self.tap = Tap()
        self.listener = Listener(free_port())
        self.nginx = Nginx(self.listener.port, module=self.wrapped.module,
                           path='ring=1m', http='llm_monitor_buffer_size 16k; '
                           'llm_monitor_session $http_x_session;')
        self.nginx.start(prefix=self.wrapped.prefix())
        self.sent = 0
        self.exchange(*EXCHANGES['a small exchange'], self.nginx.buffered)
        self.nginx.wait_total(1)
        self.workers = self.nginx.workers()

    def arm(self, n, rest, threads=0):
        self.wrapped['calls'] = self.wrapped['failed'] = 0
        self.wrapped['rest'], self.wrapped['threads'] = rest, threads
        self.wrapped['fail'] = n

    def disarm(self):
        self.wrapped['fail'] = 0
        return self.wrapped['failed']

    def sites(self, act):
        """What act() complains of, and at how many places memory was short."""
        bad, places = [], 0
        for rest in (0, 1):
            over = 0
            for n in range(1, MOST):
                self.arm(n, rest)
                wrong = act()
                failed = self.disarm()
                places += 1 if failed else 0
                if wrong:
                    bad.append('%d%s: %s' % (n, '+' * rest, wrong))
                over = 0 if failed else over + 1
                if over == 3:
                    break
        return bad, places

    def exchange(self, body, status, kind, pieces, port):
        self.sent += 1
        answer = exchange(port, self.listener, request(
            'POST', '/v1/chat/completions', [
                ('Host', 'x'), ('Content-Type', JSON), ('X-Session', 's1'),
                ('Authorization', 'Bearer sk-0123456789abcdef')], body),
            Reply(status, [('Content-Type', kind)], pieces), timeout=PATIENCE)
        if answer.status != status or not answer.complete \
                or bytes(answer.body) != b''.join(pieces):
            return '%s, %d bytes of %d' % (answer.status, len(answer.body),
                                           sum(map(len, pieces)))

    def traffic(self):
        for name, what in EXCHANGES.items():
            for how, port in (('', self.nginx.unbuffered),
                              (', buffered', self.nginx.buffered)):
                bad, places = self.sites(lambda: self.exchange(*what, port))
                self.tap.ok(not bad and places > 3, '%s%s: no memory at each '
                            'of %d places' % (name, how, places), *bad[:10])

    def ask(self, path):
        """Any status, or a connection that is closed; but no hanging."""
        c = http.client.HTTPConnection('127.0.0.1', self.nginx.api_port,
                                       timeout=PATIENCE)
        try:
            c.request('GET', path)
            c.getresponse().read()
        except TimeoutError:
            return 'hangs'
        except (OSError, http.client.HTTPException):
            pass
        finally:
            c.close()

    def questions(self):
        for path in QUESTIONS:
            bad, places = self.sites(lambda: self.ask(path))
            self.tap.ok(not bad, '%s: no memory at each of %d places'
                        % (path, places), *bad[:10])
        self.tap.ok(self.nginx.api('/logs?limit=5')[0] == 200,
                    'all is well with memory again')

    def writer(self):
        """SQLite has no memory, in the writer's threads and in the pool's."""
        healing = Healing(self.tap)
        bad, took = [], 0
        for n in range(1, either(40, 2000), either(3, 1)):
            written = self.nginx.metrics()['llm_monitor_records_written_total']
            self.arm(n, n % 2, threads=1)
            wrong = self.exchange(*EXCHANGES['bodies in files'],
                                  self.nginx.buffered) \
                or self.ask(QUESTIONS[n % len(QUESTIONS)])
            wait_for(lambda: self.wrapped['failed'] or self.nginx.metrics()[
                'llm_monitor_records_written_total'] > written, PATIENCE)
            took += 1 if self.disarm() else 0
            bad += ['%d: %s' % (n, wrong)] if wrong else []
            healing.wait(n, lambda: self.nginx.metrics()[
                'llm_monitor_records_written_total'] > written)
        self.tap.ok(not bad and took > 5,
                    'SQLite had no memory %d times' % took, *bad[:10])
        healing.tell()

    def end(self):
        m = settled(self.tap, self.nginx, 'in the end')
        dropped = {k: v for k, v in m.items() if v and
                   k.startswith('llm_monitor_records_dropped')}
        rows = ask(self.nginx.data / 'proxy_logs.db',
                   'SELECT count(*), count(DISTINCT id) FROM log')[0]
        self.tap.ok(m['llm_monitor_records_total'] <= self.sent
                    and rows == (m['llm_monitor_records_written_total'],) * 2,
                    'no record twice, and what is said to be written is there',
                    self.sent, m['llm_monitor_records_total'], rows)
        self.tap.note('%d exchanges, %d records, dropped %s'
                      % (self.sent, m['llm_monitor_records_total'], dropped))
        self.tap.ok(self.nginx.workers() == self.workers,
                    'no worker died', self.workers, self.nginx.workers())
        self.nginx.stop()
        self.tap.ok(not self.nginx.complaints(), 'nothing worse is logged',
                    *self.nginx.complaints()[:5])
        self.tap.done()


def main():
    need_module()
    t = Test()
    t.traffic()
    t.questions()
    t.writer()
    t.end()


if __name__ == '__main__':
    sys.exit(main())
