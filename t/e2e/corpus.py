"""Every case of the corpus through nginx with the module: the answer delivered
whole, in 1-byte pieces and in random pieces, as recorded and compressed by
gzip, br and zstd; the records, read through the API, against the corpus's own
reading.  LLM_CORPUS_ONLY=PATTERN picks cases by name."""
import os
import random
import re
import shutil
import subprocess
import sys
import zlib

from lib import Nginx, Tap, contract, corpus, free_port, need_module
from wire import Listener, Reply, exchange, request

# answers of nothing but thoughts, or of an image
SILENT = re.compile('empty-response|image-basic|image-generation-tool')

ONE_BYTE = 6000                        # larger bodies go in random pieces
HOP = {'content-length', 'transfer-encoding', 'connection', 'host', 'expect'}


def gzip(data):
    c = zlib.compressobj(6, zlib.DEFLATED, 31)
    return c.compress(data) + c.flush()


def tool(*command):
    return lambda data: subprocess.run(command, input=data, check=True,
                                       stdout=subprocess.PIPE).stdout


CODINGS = {'as recorded': None, 'gzip': gzip}
if shutil.which('brotli'):
    CODINGS['br'] = tool('brotli', '-q', '5', '-c')
if shutil.which('zstd'):
    CODINGS['zstd'] = tool('zstd', '-q', '-3', '-c')


def cut(data, how, rng):
    """The pieces of a body."""
    if how == 'whole' or len(data) < 2:
        return [data] if data else []
    if how == 'bytes' and len(data) <= ONE_BYTE:
        return [data[i:i + 1] for i in range(len(data))]
    pieces, at = [], 0
    longest = max(31, len(data) // 200)
    while at < len(data):
        n = rng.randint(1, longest)
        pieces.append(data[at:at + n])
        at += n
    return pieces


def decoded(case):
    """The plain body; None if it cannot be had."""
    coding = case.response['headers'].get('content-encoding')
    if not coding:
        return case.response_body
    try:
        return zlib.decompress(case.response_body, 47)
    except zlib.error:
        return None


def bodies(case):
    """(coding, headers, bytes) for each way to send the answer."""
    headers = {k: v for k, v in case.response['headers'].items()
               if k.lower() not in HOP}
    plain = decoded(case)
    for coding, encode in CODINGS.items():
        if encode is None:
            yield coding, headers, case.response_body
        elif plain:
            yield (coding, dict(headers, **{'content-encoding': coding}),
                   encode(plain))


def sent(case, tag, pieces):
    headers = [('Host', case.request['host'] or 'upstream.example')]
    headers += [(k, v) for k, v in case.request['headers'].items()
                if k.lower() not in HOP]
    headers.append(('Connection', 'close'))
    return request(case.request['method'], case.target(tag), headers,
                   case.request_body, pieces)


def play(nginx, listener, cases):
    """Sends everything; {tag: (case, label)}."""
    played = {}
    rng = random.Random(1)
    for case in cases:
        for coding, headers, body in bodies(case):
            for how in ('whole', 'bytes', 'random'):
                tag = len(played)
                reply = Reply(case.response['status'], headers.items(),
                              cut(body, how, rng),
                              'length' if how == 'whole' else 'chunked',
                              method=case.request['method'])
                asked = None if how == 'whole' \
                    else cut(case.request_body, how, rng)
                port = nginx.buffered if how == 'random' else nginx.unbuffered
                answer = exchange(port, listener, sent(case, tag, asked),
                                  reply)
                label = '%s, %s, %s' % (case.name, coding, how)
                played[str(tag)] = case, label, answer.complete \
                    and bytes(answer.body) == b''.join(reply.pieces)
    return played


def wrong(want, record, differs):
    return ['%s: %r, not %r' % (f, record.get(f), v) for f, v in want.items()
            if f not in record or differs(f, v, record[f])]


def told(case, record):
    """Whether an answer that has words must have a message."""
    return (record.get('operation') in ('chat', 'completion', 'responses')
            and case.response['status'] == 200 and record['output_tokens']
            and not SILENT.search(case.name)
            and record['protocol'] != 'unknown'
            and record['response_body_state'] == 'stored')


def check(tap, nginx, played, reading):
    records = {}
    for r in nginx.logs():
        m = re.search(r'[?&]e2e=(\d+)$', r['url'])
        records.setdefault(m and m[1], []).append(r)
    bad, ways = {}, {}
    for tag, (case, label, same) in played.items():
        found = records.get(tag, [])
        trouble = [] if same else ['the client got other bytes']
        if len(found) != 1:
            trouble.append('%d records' % len(found))
        else:
            status, record = nginx.api('/logs/' + found[0]['id'])
            if status != 200:
                trouble.append('detail answers %d' % status)
            else:
                trouble += wrong(reading.values(case.expected), record,
                                 reading.differs)
                if told(case, record) and not record.get('message'):
                    trouble.append('no message')
        ways[case.name] = ways.get(case.name, 0) + 1
        for t in trouble:
            bad.setdefault(case.name, {}).setdefault(t, []).append(
                label.split(', ', 1)[1])
    for name, n in ways.items():
        tap.ok(name not in bad, '%s (%d ways)' % (name, n),
               *['%s [%s]' % (t, '; '.join(w) if len(w) < n else 'every way')
                 for t, w in bad.get(name, {}).items()])


def main():
    cases = corpus()
    only = os.environ.get('LLM_CORPUS_ONLY')
    if only:
        cases = [c for c in cases if re.search(only, c.name)]
    need_module()
    tap = Tap()
    listener = Listener(free_port())
    nginx = Nginx(listener.port, workers=2).start()
    try:
        played = play(nginx, listener, cases)
        n = nginx.wait_total(len(played), 60)
        tap.ok(n == len(played), 'one record for each of %d exchanges'
               % len(played), 'records: %s' % n)
        check(tap, nginx, played, contract())
    finally:
        nginx.stop()
    tap.ok(not nginx.complaints(), 'the error log is quiet',
           *nginx.complaints()[:5])
    for coding in {'br', 'zstd'} - set(CODINGS):
        tap.skip(coding, 'no tool for it here')
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
