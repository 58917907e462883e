"""The proxy cannot tell: over the whole corpus, what the client gets (header
bytes in order, Content-Length, chunk boundaries, body) and what the upstream
gets is the same as with plain nginx when the module is on, off, paused, its
ring full, its database or its directory out of order.  The upstream waits for
the client after every piece, so that a byte held back shows.

A build that holds one buffer back must fail; E2E_CONTROL=0 leaves it out."""
import fcntl
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys

from lib import (NAME, ROOT, Nginx, Tap, corpus, folder, free_port,
                 need_module)
from corpus import HOP, cut, sent
from wire import DATE, Answer, Listener, Reply, exchange

SOURCES = NAME.removesuffix('.so')
PIECE = 4000                           # less than proxy_buffer_size


def pieces(data, rng):
    found, at = [], 0
    longest = min(PIECE, max(16, len(data) // 12))
    while at < len(data):
        n = rng.randint(1, longest) if len(data) < 400000 else PIECE
        found.append(data[at:at + n])
        at += n
    return found


def deliveries(case):
    """(label, buffered, step, reply) for each way an answer is delivered."""
    rng = random.Random(case.name)
    headers = [(k, v) for k, v in case.response['headers'].items()
               if k.lower() not in HOP]
    status, body = case.response['status'], case.response_body
    method = case.request['method']
    parts = pieces(body, rng)
    yield 'chunks', False, True, Reply(status, headers, parts, 'chunked',
                                       method=method)
    yield 'length', False, True, Reply(status, headers, parts, 'length',
                                       method=method)
    yield 'close', False, True, Reply(status, headers, parts[:40], 'close',
                                      method=method)
    yield 'buffered', True, False, Reply(status, headers, [body], 'length',
                                         method=method)
    yield 'cut', False, True, Reply(status, headers,
                                    parts[:min(40, len(parts) // 2 + 1)],
                                    'chunked', True, method)


def asked(raw):
    """What the upstream read: the head as it was, the body without its
    chunks' boundaries, which depend on how the client's bytes arrived."""
    head, _, body = raw.partition(b'\r\n\r\n')
    if b'transfer-encoding: chunked' in head.lower():
        a = Answer()
        a.feed(b'HTTP/1.1 200\r\nTransfer-Encoding: x\r\n\r\n' + body)
        body = bytes(a.body)
    return head, hashlib.sha256(body).hexdigest()


def run(nginx, listener, cases, patience=30):
    """{(case, way): what was seen}"""
    seen = {}
    for n, case in enumerate(cases):
        for label, buffered, step, reply in deliveries(case):
            chunked = cut(case.request_body, 'random', random.Random(n)) \
                if label == 'chunks' else None
            a = exchange(nginx.buffered if buffered else nginx.unbuffered,
                         listener, sent(case, n, chunked), reply, step,
                         patience=patience)
            seen[case.name, label] = dict(
                client=a.digest(), upstream=asked(a.request),
                held=tuple(a.held), head=DATE.sub(rb'\1-', a.head or b''),
                frames=tuple(a.frames), size=len(a.body))
    return seen


def difference(want, got):
    for key in ('head', 'frames', 'size', 'held', 'upstream', 'client'):
        if want[key] != got[key]:
            return '%s: %.200r, not %.200r' % (key, got[key], want[key])


def on(nginx):
    nginx.start()


def paused(nginx):
    nginx.start()
    status, answer = nginx.change('/recording', 'PUT', {'recording': False})
    if status != 200 or answer.get('recording') is not False:
        raise RuntimeError('pause answered %s %s' % (status, answer))


def worker_folder(path):
    path.mkdir(mode=0o700)
    shutil.chown(path, 'nobody') if os.getuid() == 0 else None


def lock_taken(nginx):
    """Nobody drains: the test itself holds the writer's lock."""
    worker_folder(nginx.data)
    path = nginx.data / 'writer.lock'
    nginx.held = open(path, 'w')
    shutil.chown(path, 'nobody') if os.getuid() == 0 else None
    fcntl.flock(nginx.held, fcntl.LOCK_EX)
    nginx.start()


def no_database(nginx):
    worker_folder(nginx.data)
    (nginx.data / 'proxy_logs.db').mkdir()
    (nginx.data / 'proxy_logs.db' / 'in the way').write_text('')
    nginx.start()


def no_folder(nginx):
    nginx.start()
    nginx.data.rename(nginx.dir / 'elsewhere')
    nginx.data.write_text('a file')


STATES = {
    'on': ({}, on),
    'bodies off': (dict(http='llm_monitor_bodies off;'), on),
    'off': (dict(watch='llm_monitor off;'), on),
    'paused': ({}, paused),
    'ring full': (dict(path='ring=1m spool=1m'), lock_taken),
    'no database': ({}, no_database),
    'no folder': ({}, no_folder),
}


def held_back(source):
    """The test-only change: a body filter that keeps the last chain it was
    given until the next one comes."""
    text = source.read_text()
    name = 'ngx_http_next_body_filter'
    found = re.search(r'^static ngx_http_output_body_filter_pt\s+%s;$' % name,
                      text, re.M)
    head, tail = text[:found.end()], text[found.end():]
    hold = '''
static ngx_chain_t        *held_chain;
static ngx_atomic_uint_t   held_connection;

static ngx_int_t
held_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t    last;
    ngx_chain_t  *cl, *out;

    if (held_connection != r->connection->number) {
        held_connection = r->connection->number;
        held_chain = NULL;
    }

    if (in == NULL || (ngx_buf_special(in->buf) && !in->buf->last_buf)) {
        return ngx_http_next_body_filter(r, in);
    }

    last = 0;
    out = held_chain;
    held_chain = NULL;

    for (cl = in; cl; cl = cl->next) {
        last |= cl->buf->last_buf;
    }

    if (ngx_chain_add_copy(r->pool, last ? &out : &held_chain, in)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_body_filter(r, out);
}
'''
    tail, n = re.subn(name + r'(?=\(r, )', 'held_filter', tail)
    source.write_text(head + hold + tail)
    return n


def control_module():
    """Builds the changed module in a copy of the tree where the module was
    built, so that only what is changed is compiled; its path."""
    copy = folder() / 'copy'
    shutil.copytree(ROOT, copy, ignore=lambda path, names: [
        n for n in names if n in ('.git', 'node_modules')
        or path == str(ROOT / 'build') and n not in ('nginx', 'ui')])
    makefile = copy / 'build/nginx/objs/Makefile'
    makefile.write_text(makefile.read_text().replace(str(ROOT), str(copy)))
    changed = sum(held_back(p) for p in (copy / SOURCES).rglob('*.c')
                  if 'static ngx_http_output_body_filter_pt' in p.read_text())
    if not changed:
        raise RuntimeError('no call of the next body filter to change')
    p = subprocess.run(['make', '-s', '-f', 'objs/Makefile', 'modules'],
                       cwd=copy / 'build/nginx', capture_output=True,
                       text=True, timeout=600)
    if p.returncode:
        raise RuntimeError('the control does not build:\n' + p.stderr[-2000:])
    return makefile.with_name(NAME)


def control(tap, listener, cases, want):
    nginx = Nginx(listener.port, module=control_module())
    nginx.start()
    try:
        got = run(nginx, listener, cases, 1)
    finally:
        nginx.stop()
    bad = [k for k in got if difference(want[k], got[k])]
    tap.ok(bad and any(got[k]['held'] for k in bad),
           'control: a build that holds one buffer back is found out')
    tap.note('%d of %d deliveries differ' % (len(bad), len(got)))


def main():
    cases = corpus()
    need_module()
    only = os.environ.get('LLM_CORPUS_ONLY')
    if only:
        cases = [c for c in cases if re.search(only, c.name)]
    tap = Tap()
    listener = Listener(free_port())
    plain = Nginx(listener.port, module=None).start()
    try:
        want = run(plain, listener, cases)
        again = run(plain, listener, cases)
    finally:
        plain.stop()
    tap.ok(want == again, 'plain nginx answers twice alike')
    for name, (conf, start) in STATES.items():
        nginx = Nginx(listener.port, **conf)
        try:
            start(nginx)
            got = run(nginx, listener, cases)
        finally:
            nginx.stop()
        bad = [(k, difference(want[k], got[k])) for k in want
               if difference(want[k], got[k])]
        tap.ok(not bad, '%s: %d deliveries like plain nginx'
               % (name, len(want)), *['%s: %s' % b for b in bad[:10]])
        tap.ok(not nginx.complaints(), '%s: no alert' % name,
               *nginx.complaints()[:3])
    if os.environ.get('E2E_CONTROL') != '0':
        control(tap, listener, cases[:3], want)
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
