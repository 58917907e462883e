"""Configurations that change while streams flow, and two instances on one
directory: another path, off and on, a number of workers, what does not parse;
each exchange has one row, in the database that its configuration named."""
import signal
import subprocess
import sys

from driver import PATIENCE, Healing, ask, settled
from lib import Client, Nginx, Tap, Upstream, free_port, lock_holder, \
    need_module, wait_for


def more(nginx, first, count=40, say='sse-5-20000'):
    return Client(nginx.buffered, '-f', str(first), '-n', str(count), '-c',
                  '8', '-s', say)


def rows(path):
    try:
        return sorted(t for t, in ask(path / 'proxy_logs.db',
                                      'SELECT input_tokens FROM log'))
    except Exception:
        return []


def whole(client):
    """The tags of the answers that it had."""
    client.process.wait()
    begun, done, report = client.end()
    return set(done)


def hup(nginx, workers=2):
    before = set(nginx.workers())
    nginx.send(signal.SIGHUP)
    wait_for(lambda: len(nginx.workers()) == workers
             and not set(nginx.workers()) & before, PATIENCE)


def changes(tap, upstream):
    nginx = Nginx(upstream.port, workers=2).start()
    first = nginx.data
    second = nginx.dir / 'second'

    client = more(nginx, 1)
    nginx.data = second
    nginx.configure()
    wait_for(lambda: 's 1 ' in client.log.read_text()
             if client.log.exists() else False, PATIENCE)
    hup(nginx)
    later = whole(more(nginx, 101))
    want = whole(client) | later
    wait_for(lambda: set(rows(first) + rows(second)) >= want, PATIENCE, 0.1)
    tap.ok(set(rows(first) + rows(second)) >= want
           and not set(rows(first)) & set(rows(second))
           and len(later) == 40 and later <= set(rows(second)),
           'another path: each record is in one of the two',
           len(rows(first)), len(rows(second)))

    nginx.configure(watch='llm_monitor off;')
    hup(nginx)
    unseen = whole(more(nginx, 201))
    kept = set()
    for n, workers in enumerate((8, 1)):
        nginx.configure(watch='llm_monitor on;', workers=workers)
        hup(nginx, workers)
        kept |= whole(more(nginx, 301 + 100 * n))
    wait_for(lambda: set(rows(second)) >= kept, PATIENCE, 0.1)
    tap.ok(set(rows(second)) >= kept and len(kept) == 80
           and not set(rows(second)) & unseen,
           'off, on, eight workers, one: what was watched is there',
           len(rows(second)))

    before = nginx.workers()
    conf = nginx.dir / 'nginx.conf'
    good = conf.read_text()
    conf.write_text(good.replace('llm_monitor_path', 'llm_monitor_pathology'))
    nginx.send(signal.SIGHUP)
    log = nginx.dir / 'error.log'
    wait_for(lambda: b'pathology' in log.read_bytes(), PATIENCE)
    kept = whole(more(nginx, 501))
    conf.write_text(good)
    wait_for(lambda: set(rows(second)) >= kept, PATIENCE, 0.1)
    tap.ok(len(kept) == 40 and set(rows(second)) >= kept
           and nginx.workers() == before,
           'what does not parse changes nothing', nginx.workers(), before)
    settled(tap, nginx, 'in the end')
    every = rows(first) + rows(second)
    tap.ok(len(every) == len(set(every)), 'no record is there twice')
    nginx.stop()
    said = [line for line in nginx.complaints() if 'pathology' not in line]
    tap.ok(not said, 'nothing worse is logged', *said[:5])


def pair(tap, healing, upstream):
    """Two masters that know nothing of each other."""
    one, two = [Nginx(upstream.port, workers=2) for _ in range(2)]
    one.start()
    wait_for((one.data / 'proxy_logs.db').exists, PATIENCE)
    two.data = one.data
    two.configure()
    two.start()
    held = lambda: lock_holder(one.data / 'writer.lock')
    clients = [more(one, 1, 200, 'json-1024'), more(two, 1001, 200,
                                                    'json-1024')]
    want = set().union(*map(whole, clients))
    wait_for(lambda: set(rows(one.data)) >= want, PATIENCE, 0.1)
    tap.ok(rows(one.data) == sorted(want) and len(want) == 400,
           'two instances on one directory: each record, once',
           len(rows(one.data)))
    writes, other = (one, two) if held() in one.workers() else (two, one)
    status, answer = other.api('/recording', 'PUT', {'recording': False})
    tap.ok(status == 503, 'a change that is asked of the other one is refused',
           status, answer)
    for pid in writes.processes():
        subprocess.run(['kill', '-9', str(pid)], check=False)
    want |= whole(more(other, 2001, 50, 'json-1024'))
    took = healing.wait('the death of the one that writes',
                        lambda: set(rows(one.data)) >= want)
    tap.ok(took is not None and held() in other.workers(),
           'when it dies the other one writes')
    got = rows(one.data)
    tap.ok(got == sorted(want), 'and all are there once', len(got))
    tap.ok(ask(one.data / 'proxy_logs.db', 'PRAGMA integrity_check')
           == [('ok',)], 'integrity')
    other.stop()
    writes.stop()
    said = [line for n in (one, two) for line in n.complaints()]
    tap.ok(not said, 'nothing worse is logged', *said[:5])


def main():
    need_module()
    tap = Tap()
    healing = Healing(tap)
    upstream = Upstream(free_port())
    changes(tap, upstream)
    pair(tap, healing, upstream)
    upstream.stop()
    healing.tell()
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
