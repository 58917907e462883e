"""Rounds of what kills or replaces processes, under load:

    rounds.py [ROUNDS]        default 3 of each kind; the full proof is 50

Kinds: kill -9 of the writer, of any worker, of every process, HUP, HUP with
another ring size, USR2 and QUIT of the old binary.  Each exchange has a tag,
which its answer's usage carries as the number of input tokens.  The oracle is
the client's own list of whole answers: those older than a second when
something was killed, and all others of that time too where nothing was, have
exactly one row, and the ledger's tables have the same requests and tokens as
the rows.  A pause and a clear happen among the rounds: paused exchanges are in
the ledger and have no row, cleared ones lose their row and stay in the ledger.

LLM_E2E_RATE: requests per second that the client asks for (default 600)."""
import collections
import os
import random
import signal
import sqlite3
import sys
import time

from lib import (Client, Nginx, Tap, Upstream, alive, free_port, lock_holder,
                 need_module, wait_for, waiting)

RATE = os.environ.get('LLM_E2E_RATE', '600')
RECENT = 1000                          # ms
AFTER = 250                            # of an answer, until its record ends
LEDGER = {
    'service_minute': 'service_minute', 'service': 'service', 'who': 'who',
    'series, quarter-hours': 'series WHERE span = 900000 AND dim = 0',
    'series, days': 'series WHERE span = 86400000 AND dim = 0',
}


def now():
    return time.monotonic() * 1000


class Store:
    """The database, looked at from outside and read-only."""

    def __init__(self, nginx):
        self.nginx = nginx
        self.path = nginx.data / 'proxy_logs.db'

    def ask(self, sql):
        db = sqlite3.connect('file:%s?mode=ro' % self.path, uri=True,
                             timeout=60)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def rows(self):
        """How often each tag has a row; None: rows of no whole answer."""
        return collections.Counter(t for t, in self.ask(
            'SELECT input_tokens FROM log'))

    def sums(self):
        """(requests, input tokens, output tokens) of each ledger table."""
        return {name: self.ask(
            'SELECT coalesce(sum(requests), 0), coalesce(sum(input_tokens), 0)'
            ', coalesce(sum(output_tokens), 0) FROM ' + table)[0]
            for name, table in LEDGER.items()}

    def settle(self, requests=0):
        """Waits until the ledger has so many and nothing more is written."""
        wait_for(lambda: self.sums()['service'][0] >= requests, 60, 0.1)
        last, since = None, time.monotonic()
        end = since + 120
        while time.monotonic() < min(since + 1, end):
            seen = self.sums()
            if seen != last or waiting(self.nginx.metrics()):
                last, since = seen, time.monotonic()
            time.sleep(0.1)


def writer(nginx):
    return wait_for(lambda: lock_holder(nginx.data / 'writer.lock'))


def kill_writer(nginx, n):
    pid = writer(nginx)
    if not pid:
        return 'nobody holds writer.lock'
    os.kill(pid, signal.SIGKILL)
    if not wait_for(lambda: lock_holder(nginx.data / 'writer.lock')
                    not in (0, pid)):
        return 'no new writer'


def kill_any(nginx, n):
    found = nginx.workers()
    if not found:
        return 'no worker'
    os.kill(random.choice(found), signal.SIGKILL)


def kill_all(nginx, n):
    found = nginx.processes()
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    # its last thread takes the sockets along
    wait_for(lambda: not any(map(alive, found)) and not nginx.listening())
    nginx.start()


def hup(nginx, n):
    before = set(nginx.workers())
    nginx.send(signal.SIGHUP)
    if not wait_for(lambda: set(nginx.workers()) - before):
        return 'no new workers'


def hup_ring(nginx, n):
    nginx.configure(path='ring=%dm' % (n % 3 * 2 + 2))
    return hup(nginx, n)


def usr2(nginx, n):
    old = nginx.master()
    nginx.send(signal.SIGUSR2)
    if not wait_for(lambda: nginx.master() not in (0, old)
                    and len(nginx.workers()) > 1):
        return 'no new binary'
    time.sleep(random.uniform(0, 0.3))
    nginx.send(signal.SIGQUIT, old)
    if not wait_for(lambda: not alive(old)):
        return 'the old binary stays'


KINDS = {
    'kill -9 of the writer': (kill_writer, True),
    'kill -9 of any worker': (kill_any, True),
    'kill -9 of every process': (kill_all, True),
    'HUP': (hup, False),
    'HUP with another ring': (hup_ring, False),
    'USR2 and QUIT': (usr2, False),
}


class Segment:
    """One stretch of load, quiet before and after."""

    def __init__(self, nginx, load, first):
        self.nginx = nginx
        self.store = Store(nginx)
        self.store.settle()
        self.before = self.store.sums()
        self.rows_before = self.store.rows()
        self.kills = []
        self.trouble = []
        self.client = load(first)

    def rounds(self, count, act, kills):
        for n in range(count):
            time.sleep(random.uniform(0.2, 0.7))
            began = now()
            error = act(self.nginx, n)
            if kills:
                self.kills.append((began, now()))
            if error:
                self.trouble.append('round %d: %s' % (n + 1, error))
        time.sleep(0.5)

    def end(self):
        self.begun, self.done, self.report = self.client.end()
        self.store.settle(self.before['service'][0]
                          + sum(not self.recent(t) for t in self.done))
        rows = self.store.rows()
        rows.subtract(self.rows_before)
        self.rows = +rows
        self.untagged = self.rows.pop(None, 0)
        self.ledger = {name: tuple(a - b for a, b in zip(
            sums, self.before[name]))
            for name, sums in self.store.sums().items()}

    def recent(self, tag):
        """Whether the answer was less than a second old at a kill."""
        return any(self.done[tag] > began - RECENT and self.begun[tag] < ended
                   for began, ended in self.kills)


def plain_segment(tap, name, s):
    """Nothing paused or cleared: rows and ledger are the same exchanges."""
    missing = [t for t in s.done if t not in s.rows]
    lost = [t for t in missing if not s.recent(t)]
    twice = [t for t, n in s.rows.items() if n > 1]
    tap.ok(not lost, '%s: no finished record is missing' % name,
           '%d of %d missing: %s' % (len(lost), len(s.done), lost[:10]))
    tap.ok(not twice, '%s: no record is there twice' % name, twice[:10])
    strange = [t for t in s.rows if t not in s.begun]
    tap.ok(not strange, '%s: no record of what was never asked' % name,
           strange[:10])
    want = (sum(s.rows.values()) + s.untagged,
            sum(t * n for t, n in s.rows.items()),
            sum((t % 97 + 1) * n for t, n in s.rows.items()))
    for table, sums in s.ledger.items():
        tap.ok(sums == want, '%s: %s has the rows\' requests and tokens'
               % (name, table), 'rows %s, ledger %s' % (want, sums))
    tap.note('%d answers, %.0f/s, %d exchanges without a whole answer, '
             '%d answers less than a second before a kill have no row'
             % (len(s.done), len(s.done) / s.report['seconds'],
                len(s.begun) - len(s.done), len(missing)))


def changed_segment(tap, name, s, pause, clear):
    """Paused from pause[0] to pause[1] (asked, answered), cleared at clear."""
    (stop0, stop1), (go0, go1) = pause
    rowless, must = [], []
    for t in s.done:
        if s.begun[t] > stop1 and s.done[t] < go0 - AFTER:
            rowless.append(t)
        elif s.done[t] < clear[0] - RECENT:
            rowless.append(t)
        elif not s.recent(t) and s.begun[t] > clear[1] \
                and (s.done[t] < stop0 - AFTER or s.begun[t] > go1):
            must.append(t)
    shown = [t for t in rowless if t in s.rows]
    lost = [t for t in must if t not in s.rows]
    twice = [t for t, n in s.rows.items() if n > 1]
    tap.ok(rowless and not shown, '%s: paused and cleared exchanges have no '
           'row' % name, '%d of %d have one: %s' % (len(shown), len(rowless),
                                                    shown[:10]))
    tap.ok(must and not lost, '%s: all others have one' % name,
           '%d of %d missing: %s' % (len(lost), len(must), lost[:10]))
    tap.ok(not twice, '%s: and only one' % name, twice[:10])
    sure = [t for t in s.done if not s.recent(t)]
    for table, (requests, tokens, _) in s.ledger.items():
        tap.ok(len(sure) <= requests <= len(s.begun)
               and sum(sure) <= tokens <= sum(s.begun),
               '%s: %s kept them all' % (name, table),
               '%d to %d requests, ledger %d; %d to %d tokens, ledger %d'
               % (len(sure), len(s.begun), requests, sum(sure),
                  sum(s.begun), tokens))
    tap.note('%d answers, %d of them paused or cleared, ledger %s'
             % (len(s.done), len(rowless), s.ledger['service']))


def change(nginx, *call):
    """When a change was asked for and when it was made."""
    began, (status, answer) = now(), nginx.change(*call)
    if status != 200:
        raise RuntimeError('%s answers %s %s' % (call[0], status, answer))
    return began, now()


def recording(nginx, value):
    return change(nginx, '/recording', 'PUT', {'recording': value})


def clear(nginx):
    return change(nginx, '/logs?all=1', 'DELETE')


def play(tap, nginx, load, kind, count, first):
    act, kills = KINDS[kind]
    s = Segment(nginx, load, first)
    s.rounds(count, act, kills)
    s.end()
    tap.ok(not s.trouble, '%s: %d rounds' % (kind, count), *s.trouble)
    plain_segment(tap, kind, s)

    few = max(2, count // 5)
    s = Segment(nginx, load, max(s.begun) + 1)
    s.rounds(few, act, kills)
    cleared = clear(nginx)
    s.rounds(1, act, kills)
    stopped = recording(nginx, False)
    s.rounds(few, act, kills)
    went = recording(nginx, True)
    s.rounds(few, act, kills)
    s.end()
    name = kind + ', with clear and pause'
    tap.ok(not s.trouble, '%s: %d rounds' % (name, 3 * few + 1), *s.trouble)
    changed_segment(tap, name, s, (stopped, went), cleared)
    return max(s.begun) + 1


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    only = sys.argv[2] if len(sys.argv) > 2 else ''
    need_module()
    tap = Tap()
    upstream = Upstream(free_port())
    nginx = Nginx(upstream.port, workers=2, path='ring=4m',
                  keepalive='keepalive 64;', log_level='warn')
    nginx.start()
    wait_for(lambda: nginx.metrics()['llm_monitor_db_up'])
    load = lambda first: Client(nginx.buffered, '-r', RATE, '-c', '16',
                                '-f', str(first))
    first = 1
    try:
        for kind in KINDS:
            if only in kind:
                first = play(tap, nginx, load, kind, count, first)
        check = Store(nginx).ask('PRAGMA integrity_check')
        tap.ok(check == [('ok',)], 'the database is whole', check[:5])
    finally:
        nginx.stop()
        upstream.stop()
    complaints = [line for line in nginx.complaints()
                  if 'exited on signal 9' not in line]
    tap.ok(not complaints, 'no alert but for the kills', *complaints[:5])
    tap.done()


if __name__ == '__main__':
    main()
