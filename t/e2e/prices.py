"""Prices of a file over reloads: a broken one changes nothing and says what is
wrong, a new one is in force for what comes, and for what was if it is asked."""
import json
import signal
import sys

from lib import Nginx, Tap, folder, free_port, need_module, wait_for
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
ANSWER = json.dumps({'id': 'c1', 'model': 'm', 'choices': [], 'usage': {
    'prompt_tokens': 1000, 'completion_tokens': 0,
    'total_tokens': 1000}}).encode()


def table(price):
    return ('[{"id": "llm", "models": [\n'
            ' {"id": "m", "match": {"equals": "m"},\n'
            '  "prices": {"input_mtok": %s}}]}]\n' % price)


class Test:
    def __init__(self):
        self.tap = Tap()
        self.file = folder() / 'prices.json'
        self.file.write_text(table('1'))
        self.upstream = Listener(free_port())
        self.nginx = Nginx(self.upstream.port, http='llm_monitor_prices %s;'
                           % self.file).start()
        self.sum = 0

    def log(self):
        return (self.nginx.dir / 'error.log').read_text()

    def cost(self):
        """What one more exchange costs"""
        exchange(self.nginx.buffered, self.upstream, request(
            'POST', '/v1/chat/completions',
            [('Host', 'x'), ('Content-Type', JSON)], b'{"model":"m"}'),
            Reply(200, [('Content-Type', JSON)], [ANSWER], 'length'))
        self.sum += 1
        self.nginx.wait_total(self.sum, 60)
        return self.nginx.logs()[0]['cost_usd']

    def costs(self):
        return [r['cost_usd'] for r in self.nginx.logs()]

    def run(self):
        ok = self.tap.ok
        ok(self.cost() == 0.001, 'a price of the file')
        workers = self.nginx.workers()
        line = 'prices.json" line 3: '
        for text, said in ((table('"dear"'), line), (table('1')[:-9], line),
                           ('', 'prices.json" ')):
            self.file.write_text(text)
            n = self.log().count('[emerg]')
            self.nginx.send(signal.SIGHUP)
            ok(wait_for(lambda: self.log().count('[emerg]') > n, 60)
               and said in self.log().split('[emerg]')[-1],
               'a broken file is told of: %r' % text[-9:],
               self.log().split('[emerg]')[-1])
            ok(self.cost() == 0.001 and self.nginx.workers() == workers,
               'and the prices that were are in force')
        self.file.write_text(table('3'))
        self.nginx.send(signal.SIGHUP)
        ok(wait_for(lambda: not set(workers) & set(self.nginx.workers()), 60)
           and self.cost() == 0.003, 'new prices are for what comes')
        ok(self.costs() == [0.003] + [0.001] * 4, 'and not for what was',
           self.costs())
        status, answer = self.nginx.change('/reprice', 'POST')
        ok(status == 200 and answer == {'repriced': 4}
           and self.costs() == [0.003] * 5, 'unless it is asked', answer,
           self.costs())


def main():
    need_module()
    t = Test()
    t.run()
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
