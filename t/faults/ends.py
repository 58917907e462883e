"""Exchanges that end before their time: the client leaves at every stage, by
FIN and by RST, the upstream is cut at every stage, clients and upstreams take
their time.  What the client gets is what it gets from plain nginx, every
exchange has one record, with the usage that had been said, and its outcome
says who it was."""
import fcntl
import json
import re
import select
import socket
import struct
import sys
import termios
import time

from driver import PATIENCE, either, settled
from lib import Nginx, Tap, free_port, need_module, wait_for
from wire import Listener, request


def event(kind, **more):
    return ('event: %s\ndata: %s\n\n' % (kind, json.dumps(
        dict(type=kind, **more)))).encode()


START = event('message_start', message={
    'id': 'm1', 'model': 'claude-x', 'usage': {'input_tokens': 7,
                                               'output_tokens': 1}})
DELTA = event('content_block_delta', index=0,
              delta={'type': 'text_delta', 'text': 'h\u00e9'})
USAGE = event('message_delta', delta={'stop_reason': 'end_turn'},
              usage={'output_tokens': 3})
STOP = event('message_stop')
HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n' \
    b'Transfer-Encoding: chunked\r\n\r\n'
PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n' \
    b'Content-Length: 2000\r\n\r\n'
BODY = b'{"model":"claude-x","stream":true,"max_tokens":9,"messages":[' \
    b'{"role":"user","content":"hello"}]}'
ASKED = request('POST', '/v1/messages', [
    ('Host', 'x'), ('Content-Type', 'application/json')], BODY)


def chunk(data):
    return b'%x\r\n%s\r\n' % (len(data), data)


END = b'0\r\n\r\n'
ALL = [HEAD, chunk(START), chunk(DELTA), chunk(USAGE), chunk(STOP)]

# stage: (how much the client sends, what the upstream has said by then)
LEAVES = {
    'within its own body': (len(ASKED) - 20, []),
    'before the head': (len(ASKED), []),
    'after the head': (len(ASKED), ALL[:1]),
    'after the first event': (len(ASKED), ALL[:2]),
    'within an event': (len(ASKED), ALL[:2] + [chunk(DELTA[:30])]),
    'after the usage': (len(ASKED), ALL[:4]),
    'after the last event': (len(ASKED), ALL),
    'when all was said': (len(ASKED), ALL + [END]),
}

# stage: what the upstream says before it is cut; None: it does not even listen
CUTS = {
    'refuses': None,
    'says nothing': b'',
    'is cut within the status line': HEAD[:12],
    'is cut within the head': HEAD[:40],
    'is cut after the head': HEAD,
    'is cut within a chunk': b''.join(ALL[:2]) + chunk(DELTA)[:40],
    'is cut within a character': b''.join(ALL[:2]) + chunk(
        DELTA.decode('unicode-escape').encode()[:-8]),
    'is cut within JSON': b''.join(ALL[:2]) + chunk(DELTA[:50]),
    'is cut after the usage': b''.join(ALL[:4]),
    'is cut before the last chunk': b''.join(ALL),
    'is shorter than it said': PLAIN + b'{"id":"m1","usage":{',
    'says no HTTP': b'\x16\x03\x01\x02\x00\x01\xfc\x03\x03 garbage\r\n\r\n',
}


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack('ii', 1, 0))
    sock.close()


def leave(sock, how):
    reset(sock) if how == 'RST' else sock.close()


def read(sock, size=0):
    """What comes until the end, or until there are size bytes."""
    data = b''
    sock.settimeout(PATIENCE)
    try:
        while not size or len(data) < size:
            more = sock.recv(65536)
            if not more:
                break
            data += more
    except ConnectionError:
        pass
    return data


class Test:
    def __init__(self):
        self.tap = Tap()
        self.listener = Listener(free_port())
        self.listener.sock.setblocking(True)
        self.listener.sock.settimeout(PATIENCE)
        http = 'proxy_read_timeout 60s;'
        self.nginx = Nginx(self.listener.port, workers=2, http=http).start()
        self.plain = Nginx(self.listener.port, module=None, http=http).start()
        self.sent = 0

    def records(self):
        self.sent += 1
        self.nginx.wait_total(self.sent)
        found = self.nginx.logs()
        return found[0] if len(found) == self.sent else None

    def left(self, sent, said, how, port):
        """A client that leaves when it has all that it is to have."""
        client = socket.create_connection(('127.0.0.1', port), PATIENCE)
        client.sendall(ASKED[:sent])
        up = None
        if said or sent == len(ASKED):
            up = self.asked()
            up.sendall(b''.join(said))
            if said:
                want = b''.join(said)[len(HEAD):]
                got = b''
                while want not in got and b'\r\n\r\n' in got + b' ' * 4 \
                        and len(got) < 65536:
                    got += client.recv(65536)
                    if got.endswith(want):
                        break
        elif port == self.nginx.unbuffered:
            # the upstream may have been asked already
            if select.select([self.listener.sock], [], [], 0.2)[0]:
                up = self.listener.sock.accept()[0]
        leave(client, how)
        record = self.records()
        if up:
            up.close()
        return record

    def leaving(self):
        for name, (sent, said) in LEAVES.items():
            for how in ('FIN', 'RST'):
                r = self.left(sent, said, how, self.nginx.unbuffered)
                whole = len(said) > 3      # its end was said
                bad = 'no record, or two'
                if r:
                    bad = [k for k, v in {
                        'outcome': 'success' if whole else 'client_abort',
                        'aborted_by': None if whole else 'client',
                        'input_tokens': 7 if len(said) > 1 else None,
                        'model': 'claude-x' if len(said) > 1 else r['model'],
                        'stream_complete': whole if said else None,
                    }.items() if r[k] != v]
                    if len(said) > 3 and r['output_tokens'] != 3:
                        bad.append('output_tokens')
                self.tap.ok(not bad, 'the client leaves %s, by %s'
                            % (name, how), bad, r and {k: r[k] for k in (
                                'status', 'outcome', 'aborted_by',
                                'input_tokens', 'output_tokens',
                                'stream_complete')})

    def cut(self, said, how, port):
        """What a client gets whose upstream is cut."""
        if said is None:
            self.listener.sock.close()
        client = socket.create_connection(('127.0.0.1', port), PATIENCE)
        client.sendall(ASKED.replace(b'Host: x', b'Host: x\r\n'
                                     b'Connection: close'))
        if said is not None:
            up = self.asked()
            up.sendall(said)
            # a reset would take away what was not read yet
            wait_for(lambda: unsent(up) == 0 and unread(up) == 0, PATIENCE)
            time.sleep(0.05)
            leave(up, how)
        data = read(client)
        client.close()
        if said is None:
            self.listener = Listener(self.listener.port)
            self.listener.sock.setblocking(True)
            self.listener.sock.settimeout(PATIENCE)
        head, _, body = data.partition(b'\r\n\r\n')
        return head.split(b'\r\n')[0], body

    def cutting(self):
        for name, said in CUTS.items():
            for how in ('FIN', 'RST'):
                for port in ('unbuffered', 'buffered'):
                    want = self.cut(said, how, getattr(self.plain, port))
                    got = self.cut(said, how, getattr(self.nginx, port))
                    r = self.records()
                    self.tap.ok(
                        got == want and r and (
                            r['outcome'] == 'success') == (USAGE in
                                                           (said or b''))
                        and (r['input_tokens'] == 7
                             or b''.join(ALL[:2]) not in (said or b'')),
                        'the upstream %s, by %s, %s'
                        % (name, how, port), got, want,
                        r and (r['status'], r['outcome'], r['input_tokens']))

    def slow(self):
        """Clients that write, and then read, a few bytes at a time."""
        count = either(20, 500)
        text = b'x' * (1 << 20)
        answer = PLAIN.replace(b'2000', b'%d' % len(text)) + text
        before = self.resident()
        clients = []
        for _ in range(count):
            client = socket.create_connection(
                ('127.0.0.1', self.nginx.buffered), PATIENCE)
            for part in (ASKED[:1], ASKED[1:40], ASKED[40:-1], ASKED[-1:]):
                client.sendall(part)
            up = self.asked()
            up.sendall(answer)
            clients.append((client, up, bytearray()))
        for turn in range(3):
            for client, up, got in clients:
                got += client.recv(1)
        grown = self.resident() - before
        for client, up, got in clients:
            while not got.endswith(text):
                more = client.recv(65536)
                if not more:
                    break
                got += more
            client.close()
            up.close()
        self.sent += count
        self.tap.ok(all(got.endswith(b'\r\n\r\n' + text)
                        for _, _, got in clients),
                    '%d slow clients have every byte' % count)
        self.tap.ok(self.nginx.wait_total(self.sent) == self.sent,
                    'and a record each', self.nginx.total(), self.sent)
        self.tap.ok(grown < (8 << 20) + count * 300000,
                    'nothing is held twice for them', grown)
        self.tap.note('%d slow clients of 1 MB: %.1f MB of memory'
                      % (count, grown / (1 << 20)))

    def resident(self):
        """Anonymous memory of the workers, bytes."""
        return sum(int(re.search(r'RssAnon:\s+(\d+)', open(
            '/proc/%d/status' % pid).read())[1]) << 10
            for pid in self.nginx.workers())

    def asked(self):
        """The upstream's connection, once the whole request has come; one
        that was given up before, as of a client that has left, is passed."""
        while True:
            up = self.listener.sock.accept()[0]
            up.settimeout(PATIENCE)
            seen = b''
            while not seen.endswith(BODY):
                try:
                    more = up.recv(65536)
                except ConnectionError:
                    more = b''
                if not more:
                    break
                seen += more
            else:
                return up
            up.close()


def unsent(sock):
    """Bytes that the other side has not taken yet."""
    return struct.unpack('i', fcntl.ioctl(sock, termios.TIOCOUTQ, b'\0' * 4))[0]


def unread(sock):
    """Bytes that the program at the other side has not read yet."""
    form = lambda host, port: '%08X:%04X' % (struct.unpack(
        '=I', socket.inet_aton(host))[0], port)
    ends = [form(*sock.getpeername()), form(*sock.getsockname())]
    with open('/proc/net/tcp') as table:
        for line in table:
            part = line.split()
            if part[1:3] == ends:
                return int(part[4].split(':')[1], 16)
    return 0


def main():
    need_module()
    t = Test()
    t.leaving()
    t.cutting()
    t.slow()
    settled(t.tap, t.nginx, 'in the end')
    t.nginx.stop()
    t.plain.stop()
    t.tap.ok(not t.nginx.complaints(), 'nothing worse is logged',
             *t.nginx.complaints()[:5])
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
