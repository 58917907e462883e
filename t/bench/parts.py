"""CPU time, delays and memory of each state, in rounds: each round has plain
nginx, plain again and the module, some of them the others, too."""
import json
import time

from measure import (client, held, load, memory, peak, settle, spent,
                     steady)
from results import Measure
from states import CORE, STATES, forget, running, say
from workloads import (DELAY, HELD, HELD_S, LARGE, PACE, PACED, PACED_A_SECOND,
                       PACED_FROM, PACED_RATE, PACED_TO, SMALL, WRITTEN)

# from one round with all states to the next
EVERY, SELDOM = 4, 6

KB, MB = 1 << 10, 1 << 20

# of all threads, and of the event loop alone: the path of the exchange
ALL = {'1 KB answer': 1.75, '64 KB prompt': 4.5}
PATH = {'1 MB prompt': 1.4, '10 MB answer': 1.3, '100 MB answer': 1.3,
        '100 MB prompt': 1.3}
TAIL, PACED_AIM = 1.1, 1.03
HELD_AIM, CAPTURED = KB, 1.1
LARGE_AIM = 16 * MB


def rounds(bench, title, most, one, step=EVERY):
    """Calls one(turn, names) until there were enough or the time is over."""
    took = {}
    for turn in range(most):
        every = turn % step == 0
        if took and time.monotonic() + took.get(every, 0) > bench.until:
            say('%s: time is over after %d rounds' % (title, turn))
            return
        fleet = bench.fleet.get()
        names = [s for s in STATES if s in fleet and (every or s in CORE)]
        if turn % 2:
            names.reverse()
        say('%s: round %d of %d' % (title, turn + 1, most))
        start = time.monotonic()
        one(turn, names)
        took[every] = time.monotonic() - start


def billed(nginx, options):
    """What a load took of the CPU, the writing of it included."""
    before = spent(nginx)
    report = load(nginx, options)
    settle(nginx)
    after = spent(nginx)
    forget(nginx)
    return report, after[0] - before[0], after[1] - before[1]


def cpu(bench):
    fleet = bench.fleet.get()
    for nginx in fleet.values():
        load(nginx, SMALL.options(1000))
        settle(nginx)

    def one(turn, names):
        for w in PACE:
            for name in names:
                report, loop, rest = billed(fleet[name], w.options())
                n = report['done'] * max(1, w.events)
                what = ('a chunk, ' if w.events else '') + w.name
                add(Measure('CPU, ' + what, 'µs', 'ratio', ALL.get(w.name),
                            1, 1e3), name, turn, (loop + rest) / n)
                add(Measure('of the event loop, ' + what, 'µs', 'ratio',
                            PATH.get(w.name), 1, 1e3, beat=False), name, turn,
                    loop / n)
                if not w.events and w.conns > 1:
                    add(Measure('requests a second, ' + w.name, '', 'ratio',
                                None, 1, upwards=True), name, turn,
                        report['done'] / report['seconds'])

    add = bench.results.add
    rounds(bench, 'CPU', bench.rounds or 9, one)
    for name, nginx in fleet.items():
        add(Measure('memory of the worker after that', 'MB', 'ratio', None, 1,
                    MB, beat=False), name, 0, memory(nginx))


def paced(bench):
    options = PACED.options() + ['-r', str(PACED_RATE)]

    def one(turn, names):
        fleet = bench.fleet.get()
        for name in names:
            report, loop, rest = steady(fleet[name], options, PACED_FROM,
                                        PACED_TO)
            settle(fleet[name])
            forget(fleet[name])
            n = PACED_A_SECOND
            add(Measure('CPU, a chunk, 2,000 paced streams', 'µs', 'times',
                        PACED_AIM, 2, 1e3), name, turn, (loop + rest) / n)
            add(Measure('of the event loop, a chunk, 2,000 paced streams',
                        'µs', 'times', PACED_AIM, 2, 1e3, beat=False), name,
                turn, loop / n)
            add(Measure('delay of a chunk, 2,000 paced streams, p50', 'µs',
                        'times', None, 0), name, turn, report['p50_us'])
            add(Measure('delay of a chunk, 2,000 paced streams, p99', 'µs',
                        'times', None, 0), name, turn, report['p99_us'])
            add(Measure('first byte, 2,000 paced streams, p50', 'µs', 'times',
                        None, 0), name, turn, report['first_p50_us'])

    add = bench.results.add
    rounds(bench, '2,000 paced streams', bench.rounds or 7, one)


def delay(bench):
    kinds = [('p50_us', 'p50', None), ('p99_us', 'p99', TAIL),
             ('p999_us', 'p99.9', TAIL)]

    def one(turn, names):
        fleet = bench.fleet.get()
        for name in names:
            nginx = fleet[name]
            writing = client(nginx, WRITTEN)
            try:
                time.sleep(0.4)
                report = load(nginx, DELAY.options())
            finally:
                writing.terminate()
            other = json.loads(writing.communicate()[0])
            settle(nginx)
            forget(nginx)
            for key, word, aim in kinds:
                add(Measure('delay of a chunk while writing, ' + word, 'µs',
                            'times', aim, 0), name, turn, report[key])
            for key, word, _ in kinds:
                add(Measure('1 KB answer at 500 a second, ' + word, 'µs',
                            'times', None, 0), name, turn, other[key])
            for key, word in (('first_p50_us', 'p50'),
                              ('first_p99_us', 'p99')):
                add(Measure('first byte of a stream, ' + word, 'µs', 'times',
                            None, 0), name, turn, report[key])

    add = bench.results.add
    rounds(bench, 'delay', bench.rounds or 13, one, SELDOM)


def streams(bench):
    bench.fleet.stop()
    for name in STATES:
        say('2,000 held streams: ' + name)
        with running(name, bench.upstream) as nginx:
            if nginx is None:
                continue
            n, report = held(nginx, HELD.options(), HELD_S)
        captured = (HELD.prompt + report['bytes'] / report['done'])
        bench.results.add(
            Measure('memory of a held stream', 'KB', 'more',
                    HELD_AIM + CAPTURED * captured, 1, KB), name, 0,
            n / HELD.count)


def large(bench):
    bench.fleet.stop()
    for name in STATES:
        say('one 100 MB answer: ' + name)
        with running(name, bench.upstream) as nginx:
            if nginx is None:
                continue
            load(nginx, SMALL.options(100))
            n, report = peak(nginx, LARGE.options())
        bench.results.add(
            Measure('memory for one 100 MB answer', 'MB', 'more', LARGE_AIM, 1,
                    MB), name, 0, n)
