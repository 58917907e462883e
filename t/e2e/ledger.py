"""The ledger against a naive reckoning from the rows that an export gives:
every field, after kills of the writer and of everything, in windows off the
grain, while recording is paused and after a clear; and a month of made-up
traffic in zones with and without summer time, against Python's zone data."""
import collections
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import urllib.parse
import zoneinfo

import recount
from lib import ROOT, Nginx, Tap, free_port, need_module, wait_for
from rounds import kill_all, kill_writer
from wire import Listener, Reply, exchange, request

JSON = 'application/json'
QUARTER = 900000
ZONES = ('UTC', 'Asia/Shanghai', 'Europe/Paris', 'America/St_Johns')

# the field of each filter, and whether any text may stand there
FILTERS = {'user': ('user', True), 'ip': ('client_ip', True),
           'model': ('model', True), 'endpoint': ('endpoint', True),
           'provider': ('provider', True), 'account': ('account_email', True),
           'session': ('session_id', True), 'method': ('method', True),
           'outcome': ('outcome', False), 'protocol': ('protocol', False),
           'operation': ('operation', False)}

# what the upstream says: status, usage, cached
REPLIES = [(200, 100, 20), (200, 1000, 900), (200, None, None), (401, None, 0),
           (429, None, 0), (500, None, 0), (200, 7, 0)]
USERS = ['anna', 'ben', 'cy', '', None]
MODELS = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'nobody-knows-it']


def reply(n):
    status, tokens, cached = REPLIES[n % len(REPLIES)]
    if status != 200:
        body = {'error': {'type': 'no', 'message': 'no'}}
    else:
        body = {'id': 'c%d' % n, 'model': MODELS[n % 4], 'choices': [
            {'index': 0, 'message': {'role': 'assistant', 'content': 'hi'}}]}
        if tokens:
            body['usage'] = {
                'prompt_tokens': tokens, 'completion_tokens': n % 50,
                'total_tokens': tokens + n % 50,
                'prompt_tokens_details': {'cached_tokens': cached}}
    data = json.dumps(body).encode()
    # some break off: the ledger counts them as errors
    cut = n % 23 == 22
    return Reply(status, [('Content-Type', JSON)], [data], 'length', cut)


def exported(nginx):
    status, data = nginx.api('/export?format=ndjson', raw=True)
    if status != 200:
        raise RuntimeError('export answers %d' % status)
    return [json.loads(line) for line in data.splitlines()]


class Traffic:
    def __init__(self, tap):
        self.tap = tap
        self.upstream = Listener(free_port())
        self.nginx = Nginx(
            self.upstream.port, workers=2, log_level='warn',
            watch='llm_monitor on; llm_monitor_user $http_x_user;'
                  'llm_monitor_account $http_x_account;').start()
        self.n = 0

    def send(self, count):
        for _ in range(count):
            n, self.n = self.n, self.n + 1
            headers = [('Host', 'x'), ('Content-Type', JSON),
                       ('Authorization', 'Bearer sk-%025d' % (n % 4)),
                       ('X-Account', 'a%d@x.example' % (n % 3))]
            if USERS[n % 5] is not None:
                headers.append(('X-User', USERS[n % 5]))
            path = '/v1/chat/completions' if n % 6 else '/v1/embeddings'
            body = {'model': MODELS[n % 4], 'messages': []}
            if n % 7 == 3:
                body['user'] = 'anna'
            exchange(self.nginx.unbuffered, self.upstream,
                     request('POST', path, headers, json.dumps(body).encode()),
                     reply(n))

    def compare(self, what, rows=None, more=0, since='-24h'):
        """All fields of the ledger with what the rows say, or with rows and
        more requests that have none"""
        if rows is None:
            self.nginx.wait_total(self.n)
            rows = exported(self.nginx)
        wrong = []
        for dim in recount.FIELDS:
            query = '/stats?bucket=hour&limit=100&by=%s&since=%s' % (dim,
                                                                     since)
            status, answer = self.nginx.api(query)
            want = collections.Counter(r[recount.FIELDS[dim]] for r in rows)
            seen = collections.Counter()
            for row in answer['rows']:
                seen[row['name']] += row['requests']
            if status != 200 or seen.total() != want.total() + more \
                    or not more and seen != want:
                wrong.append((query, seen, want))
            if not more and recount.told(answer['total']) \
                    != recount.total(rows):
                wrong.append((query, recount.told(answer['total']),
                              recount.total(rows)))
            # a user's name may be claimed too, in a row of its own
            sums = recount.by(rows, dim)
            for row in answer['rows'] if not more and dim != 'user' else []:
                if recount.told(row) != sums[row['name']]:
                    wrong.append((query, row['name'], recount.told(row),
                                  sums[row['name']]))
        self.tap.ok(not wrong and rows, '%s: every field is what %d rows say'
                    % (what, len(rows)), *wrong[:3])
        return rows

    def run(self):
        ok, nginx = self.tap.ok, self.nginx
        self.send(120)
        self.compare('traffic')
        for what, kill in (('the writer was killed', kill_writer),
                           ('all were killed', kill_all)):
            before = nginx.metrics()['llm_monitor_records_total']
            self.send(60)
            # the last one is finished, not written
            wait_for(lambda: nginx.metrics()['llm_monitor_records_total']
                     >= before + 60)
            said = kill(nginx, 0)
            self.send(20)
            rows = self.compare(what)
            ok(not said and len(rows) == self.n, what + ', nothing is missing',
               said, '%d of %d' % (len(rows), self.n))

        # a window off the grain: larger, and it says so
        began = min(r['timestamp'] for r in rows)
        since = began - began % QUARTER + 1000
        until = since + 2 * QUARTER + 1000
        status, answer = nginx.api('/stats?since=%d&until=%d' % (since, until))
        ok(status == 200 and answer['rounded'] and answer['since']
           == since - 1000 and answer['until'] == since - 1000 + 3 * QUARTER
           and recount.told(answer['total']) == recount.total(
               r for r in rows
               if answer['since'] <= r['timestamp'] < answer['until']),
           'a window off the grain is made larger and says so', answer)
        status, answer = nginx.api('/stats?since=%d&until=%d' % (
            since - 1000, since - 1000 + 2 * QUARTER))
        ok(not answer['rounded'] and answer['since'] == since - 1000
           and answer['until'] == since - 1000 + 2 * QUARTER,
           'and one that meets it does not', answer)

        nginx.change('/recording', 'PUT', {'recording': False})
        self.send(30)
        # the ledger has them when the writer has written the batch
        total = lambda: nginx.api('/stats?since=-24h')[1]['total']['requests']
        wait_for(lambda: total() >= self.n, 60, 0.05)
        self.compare('paused', rows, 30)
        ok(nginx.total() == len(rows), 'and there is no row of it')
        nginx.change('/recording', 'PUT', {'recording': True})

        before = nginx.api('/stats?since=-24h&by=model')[1]
        status, answer = nginx.change('/logs?all=1', 'DELETE')
        after = nginx.api('/stats?since=-24h&by=model')[1]
        ok(answer == {'deleted': len(rows)} and nginx.total() == 0
           and [after[k] for k in ('total', 'rows')]
           == [before[k] for k in ('total', 'rows')],
           'a clear keeps the ledger', answer)
        self.compare('cleared', rows, 30)
        nginx.stop()
        said = [line for line in nginx.complaints()
                if 'exited on signal 9' not in line]
        ok(not said, 'nothing to complain of but the kills', *said[:5])


class Month:
    """45 days with the last Sunday of March, and the second one."""

    END = 1775304000000                # 2026-04-04T12:00Z
    MARCH = datetime.date(2026, 3, 1), datetime.date(2026, 4, 1)

    def __init__(self, tap):
        self.tap = tap
        subprocess.run(['make', '-s', '-C', str(ROOT), 'build/corpus/fill'],
                       check=True, timeout=600, stdout=sys.stderr)
        self.nginx = Nginx(free_port(), log_level='warn', path='retention=0 '
                           'bodies=0 stats=0')
        subprocess.run([str(ROOT / 'build/corpus/fill'), '-q', '-n', '6000',
                        '-d', '45', '-e', str(self.END),
                        str(self.nginx.data)], check=True, timeout=120,
                       stderr=subprocess.DEVNULL)
        for path in (self.nginx.data, *self.nginx.data.iterdir()):
            if os.getuid() == 0:
                shutil.chown(path, 'nobody', 'nogroup')
        self.nginx.start()
        self.rows = exported(self.nginx)

    def midnight(self, day, zone):
        return int(datetime.datetime(day.year, day.month, day.day,
                                     tzinfo=zone).timestamp() * 1000)

    def zone(self, name):
        zone = zoneinfo.ZoneInfo(name)
        since, until = (self.midnight(d, zone) for d in self.MARCH)
        local = lambda ms: datetime.datetime.fromtimestamp(ms / 1000, zone)
        rows = [r for r in self.rows if since <= r['timestamp'] < until]
        days = collections.defaultdict(list)
        for r in rows:
            days[local(r['timestamp']).date()].append(r)
        query = '/stats?since=%d&until=%d&tz=%s&limit=100' % (since, until,
                                                              name)
        status, answer = self.nginx.api(query + '&bucket=day&by=model')
        want = [self.midnight(self.MARCH[0] + datetime.timedelta(n), zone)
                for n in range(31)]
        lengths = {b - a for a, b in zip(want, want[1:] + [until])}
        found = [(answer['total']['series']['requests'][n],
                  answer['total']['series']['total_tokens'][n])
                 for n in range(len(answer['buckets']))]
        sums = [recount.total(days[local(ms).date()]) for ms in want]
        wrong = []
        for row in answer['rows']:
            for n, ms in enumerate(want):
                one = [r for r in days[local(ms).date()]
                       if r['model'] == row['name']]
                if row['series']['requests'][n] != len(one) or \
                        row['series']['output_tokens'][n] != sum(
                            r['output_tokens'] or 0 for r in one):
                    wrong.append((row['name'], ms))
        self.tap.ok(answer['buckets'] == want and not answer['rounded']
                    and found == [(s['requests'], s['total_tokens'])
                                  for s in sums]
                    and recount.told(answer['total']) == recount.total(rows)
                    and answer['rows'] and not wrong
                    and (len(lengths) > 1) == (name[0] in 'EA'
                                               and name != 'Asia/Shanghai'),
                    '%s: each day of March and each model, %d rows'
                    % (name, len(rows)), answer['buckets'][:3], want[:3],
                    wrong[:3])

        # the hours of the two days on which clocks change somewhere
        for day in (datetime.date(2026, 3, 8), datetime.date(2026, 3, 29)):
            since = self.midnight(day, zone)
            until = self.midnight(day + datetime.timedelta(1), zone)
            status, answer = self.nginx.api(
                '/stats?since=%d&until=%d&tz=%s&bucket=hour' % (since, until,
                                                                name))
            ends = answer['buckets'][1:] + [until]
            want = [sum(a <= r['timestamp'] < b for r in self.rows)
                    for a, b in zip(answer['buckets'], ends)]
            self.tap.ok(answer['total']['series']['requests'] == want
                        and len(want) == (until - since) // 3600000
                        and all(local(a).minute == 0
                                for a in answer['buckets']),
                        '%s: the %d hours of %s' % (name, len(want), day),
                        answer['buckets'], want)

        status, answer = self.nginx.api(
            '/stats?since=%d&until=%d&tz=%s&bucket=month' % (
                self.midnight(self.MARCH[0], zone),
                self.midnight(self.MARCH[1], zone), name))
        self.tap.ok(len(answer['buckets']) == 1
                    and recount.told(answer['total']) == recount.total(rows),
                    '%s: the month as one' % name, answer['buckets'])

    def found(self):
        """Lists and counts of values that the ledger knows the days of"""
        wrong, asked, dice = [], 0, random.Random(7)
        rows = sorted(self.rows, key=lambda r: int(r['id']), reverse=True)
        for _ in range(150):
            row, query, want = dice.choice(rows), [], rows
            for name in dice.sample(sorted(FILTERS), dice.choice((1, 1, 2))):
                field, free = FILTERS[name]
                value = row[field]
                if free and dice.random() < 0.1:
                    value = 'nobody-at-all'
                if value is not None:
                    query.append((name, value))
                    want = [r for r in want if r[field] == value]
            for name, late in (('since', False), ('until', True)):
                if dice.random() < 0.3:
                    ms = dice.choice(rows)['timestamp'] + dice.choice(
                        (0, 0, 1, -QUARTER, QUARTER, 86400000))
                    query.append((name, ms))
                    want = [r for r in want if (r['timestamp'] < ms) == late]
            order = dice.choice(('asc', 'desc'))
            query = urllib.parse.urlencode(query)
            want = [r['id'] for r in want][::-1 if order == 'asc' else 1]
            limit, pages, cursor = dice.choice((1, 7, 50, 1000)), [], ''
            for _ in range(4):
                status, page = self.nginx.api(
                    '/logs?limit=%d&order=%s&%s%s' % (limit, order, query,
                                                      cursor))
                if page.get('partial'):
                    # too slow a machine; what is there is right
                    pages = None
                    break
                asked += 1
                pages += [r['id'] for r in page['logs']]
                if page['total'] != len(want):
                    wrong.append((query, page['total'], len(want)))
                if not page['next']:
                    break
                cursor = '&cursor=' + page['next']
            if pages is not None and (
                    pages != want[:len(pages)]
                    or not page['next'] and pages != want):
                wrong.append((query, order, limit, pages[:3], want[:3]))
        self.tap.ok(not wrong, '%d lists with totals are those of the rows'
                    % asked, *wrong[:3])

    def run(self):
        self.found()
        for name in ZONES:
            self.zone(name)
        self.nginx.stop()
        self.tap.ok(not self.nginx.complaints(), 'nothing to complain of',
                    *self.nginx.complaints()[:5])


def main():
    need_module()
    tap = Tap()
    Traffic(tap).run()
    Month(tap).run()
    tap.done()


if __name__ == '__main__':
    main()
