"""What is asked of each state: a request's size, the answer, how often."""
import dataclasses

KB, MB = 1 << 10, 1 << 20


@dataclasses.dataclass
class Workload:
    """How t/e2e/load.c is called; a stream has events."""
    name: str
    say: str
    prompt: int
    conns: int
    count: int
    events: int = 0
    path: str = '/v1/chat/completions'

    def options(self, count=None, conns=None):
        return ['-s', self.say, '-b', str(self.prompt), '-u', self.path,
                '-c', str(conns or self.conns), '-n', str(count or self.count)]


def stream(name, events, gap_us, conns, count, **more):
    return Workload(name, 'sse-%d-%d' % (events, gap_us), 2 * KB, conns, count,
                    events, **more)


def anthropic(name, events, gap_us, conns, count):
    return Workload(name, 'anth-%d-%d' % (events, gap_us), 2 * KB, conns,
                    count, events, '/v1/messages')


SMALL = Workload('1 KB answer', 'json-1024', 2 * KB, 16, 4000)

# as fast as they go, or for streams as their events are due, with a CPU that
# has time left for each of the states
PACE = [
    SMALL,
    Workload('16 KB answer', 'json-16384', 2 * KB, 16, 2500),
    stream('stream of 200', 200, 2500, 20, 40),
    anthropic('Anthropic stream of 200', 200, 2500, 20, 40),
    Workload('64 KB prompt', 'json-1024', 64 * KB, 8, 1000),
    Workload('1 MB prompt', 'json-1024', MB, 4, 60),
    Workload('10 MB answer', 'raw-10485760', 2 * KB, 1, 4),
    Workload('100 MB answer', 'raw-104857600', 2 * KB, 1, 1),
    Workload('100 MB prompt', 'json-1024', 100 * MB, 1, 1),
]

# 2,000 streams at once, that begin within a second
PACED = stream('2,000 paced streams', 15, 200000, 2000, 2000)
PACED_RATE = 2500
PACED_A_SECOND = 10000                 # events of all together
PACED_FROM, PACED_TO = 1.2, 2.8        # seconds: all have begun, none ends

# 40 streams of 100 events a second; meanwhile others are written
DELAY = stream('chunks while writing', 200, 10000, 60, 60)
WRITTEN = ['-r', '500', '-c', '8', '-b', str(2 * KB)]

# 2,000 streams that are all open for some seconds
HELD = stream('2,000 held streams', 10, 300000, 2000, 2000)
HELD_S = 2.9

LARGE = Workload('100 MB answer', 'raw-104857600', 2 * KB, 1, 1)

# under callgrind, over one connection; an event when the last one has come
COUNTED = [
    Workload('1 KB answer', 'json-1024', 2 * KB, 1, 300),
    Workload('16 KB answer', 'json-16384', 2 * KB, 1, 100),
    Workload('64 KB prompt', 'json-1024', 64 * KB, 1, 60),
    stream('stream of 30', 30, 0, 1, 5),
    stream('stream of 230', 230, 0, 1, 5),
    anthropic('Anthropic stream of 30', 30, 0, 1, 5),
    anthropic('Anthropic stream of 230', 230, 0, 1, 5),
]
STREAMS = [('a chunk', 'stream of 30', 'stream of 230'),
           ('an Anthropic event', 'Anthropic stream of 30',
            'Anthropic stream of 230')]
MORE_EVENTS = 200
