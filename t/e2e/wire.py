"""One exchange through a proxy, both ends in one thread: the client's socket,
the upstream's, every byte of both, and the boundaries of the client's chunks.

In step mode the upstream sends its next piece only when the client has all of
the last one; so the proxy sees every piece alone, whatever the machine does
meanwhile, and one that holds a byte back is found by the wait running out.
"""
import hashlib
import re
import select
import socket
import time

DATE = re.compile(rb'^(Date: )[^\r]*', re.M)


class Listener:
    def __init__(self, port):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(('127.0.0.1', port))
        self.sock.listen(64)
        self.sock.setblocking(False)
        self.port = port


class Reply:
    """What the upstream says: framing is length, chunked or close; a cut
    reply's connection is closed after the pieces, before the framing's end."""

    def __init__(self, status, headers, pieces, framing='chunked', cut=False,
                 method='POST'):
        self.pieces = [p for p in pieces if p]
        self.framing = framing
        lines = [b'HTTP/1.1 %d Said' % status]
        lines += [b'%s: %s' % (k.encode(), v.encode('latin-1'))
                  for k, v in headers]
        if framing == 'length':
            size = sum(map(len, self.pieces)) + (1000 if cut else 0)
            lines.append(b'Content-Length: %d' % size)
        elif framing == 'chunked':
            lines.append(b'Transfer-Encoding: chunked')
        self.head = b'\r\n'.join(lines) + b'\r\n\r\n'
        if framing == 'chunked':
            self.wire = [b'%x\r\n%s\r\n' % (len(p), p) for p in self.pieces]
            if not cut:
                self.wire.append(b'0\r\n\r\n')
        else:
            self.wire = self.pieces
        self.close = cut or framing == 'close'
        if method == 'HEAD' or status in (204, 304):
            self.wire = []
            self.pieces = []


class Answer:
    """A response as it came off the client's wire."""

    def __init__(self):
        self.raw = bytearray()
        self.head = None
        self.status = None
        self.body = bytearray()
        self.frames = []               # sizes of chunks, as they were framed
        self.complete = False
        self.broken = False            # the framing makes no sense
        self.held = []                 # the step at which nothing came
        self.request = b''             # what the upstream read
        self.left = 0
        self.how = None
        self.nobody = False

    def feed(self, data, eof=False):
        self.raw += data
        if self.head is None:
            end = self.raw.find(b'\r\n\r\n')
            if end < 0:
                return
            self.head = bytes(self.raw[:end + 4])
            del self.raw[:end + 4]
            self.status = int(self.head.split(None, 2)[1])
            fields = dict(line.lower().split(b':', 1) for line
                          in self.head.strip().split(b'\r\n')[1:])
            if self.nobody or self.status in (204, 304):
                self.how, self.complete = 'none', True
            elif b'transfer-encoding' in fields:
                self.how = 'chunked'
            elif b'content-length' in fields:
                self.how = 'length'
                self.left = int(fields[b'content-length'])
                self.complete = not self.left
            else:
                self.how = 'close'
        if self.how == 'chunked':
            self.chunks()
        elif self.how in ('length', 'close') and self.raw:
            self.body += self.raw
            self.left -= len(self.raw)
            self.raw.clear()
            self.complete = self.how == 'length' and self.left <= 0
        if eof and self.how == 'close':
            self.complete = True

    def chunks(self):
        while self.raw and not self.complete:
            if self.left > 2:
                part = self.raw[:self.left - 2]
                self.body += part
                self.left -= len(part)
                del self.raw[:len(part)]
            elif self.left:
                if len(self.raw) < self.left:
                    return
                del self.raw[:self.left]
                self.left = 0
            else:
                end = self.raw.find(b'\r\n')
                if end < 0:
                    return
                try:
                    size = int(self.raw[:end], 16)
                except ValueError:
                    self.broken = True
                    return
                self.frames.append(size)
                if size == 0:
                    if self.raw[end:end + 4] != b'\r\n\r\n':
                        return
                    end += 2
                    self.complete = True
                del self.raw[:end + 2]
                self.left = size + 2 if size else 0

    def digest(self):
        """Everything that the client could see, but the clock."""
        h = hashlib.sha256(DATE.sub(rb'\1-', self.head or b''))
        h.update(b'|%r|%r|%r|' % (self.frames, self.complete, self.broken))
        h.update(self.body)
        return h.hexdigest()


def request(method, target, headers, body, pieces=None):
    """A request's bytes: with a Content-Length, or chunked if pieces."""
    lines = ['%s %s HTTP/1.1' % (method, target)]
    lines += ['%s: %s' % h for h in headers]
    if pieces:
        lines.append('Transfer-Encoding: chunked')
        body = b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in pieces)
        body += b'0\r\n\r\n'
    elif body or method in ('POST', 'PUT', 'PATCH'):
        lines.append('Content-Length: %d' % len(body))
    return '\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body


def whole(data):
    """Whether data is a complete request."""
    end = data.find(b'\r\n\r\n')
    if end < 0:
        return False
    head = data[:end].lower()
    if b'transfer-encoding: chunked' in head:
        return data.endswith(b'0\r\n\r\n')
    m = re.search(rb'content-length: *(\d+)', head)
    return len(data) >= end + 4 + (int(m[1]) if m else 0)


def exchange(port, listener, sent, reply, step=False, timeout=60, patience=30):
    """Sends a request to the proxy at port, answers it at the listener; if
    the proxy answers by itself, the upstream is left out."""
    answer = Answer()
    answer.nobody = sent.startswith(b'HEAD ')
    client = socket.create_connection(('127.0.0.1', port), 60)
    client.setblocking(False)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    poll = select.poll()
    poll.register(client, select.POLLIN | select.POLLOUT)
    poll.register(listener.sock, select.POLLIN)
    out = memoryview(sent)
    up, seen, queue, wanted = None, bytearray(), None, (False, 0)
    done = got = 0
    waiting = None                     # since when the step waits
    end = time.monotonic() + timeout
    try:
        while not answer.complete and time.monotonic() < end:
            now = time.monotonic()
            ready = not step or ((answer.head is not None) >= wanted[0]
                                 and len(answer.body) >= wanted[1])
            if not ready and waiting and now - waiting > patience:
                answer.held.append(done)
                break
            if up and queue is not None:
                poll.modify(up, select.POLLIN
                            | (select.POLLOUT if queue and ready else 0))
                if not queue and ready and reply.close and up.fileno() >= 0:
                    poll.unregister(up)
                    up.close()
                    up = None
            events = dict(poll.poll(200))
            if listener.sock.fileno() in events and up is None \
                    and queue is None:
                up, _ = listener.sock.accept()
                up.setblocking(False)
                up.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                poll.register(up, select.POLLIN)
            mask = events.get(client.fileno(), 0)
            if mask & select.POLLOUT:
                out = out[client.send(out):]
                if not out:
                    poll.modify(client, select.POLLIN)
            if mask & (select.POLLIN | select.POLLHUP | select.POLLERR):
                try:
                    data = client.recv(1 << 20)
                except ConnectionError:
                    data = b''
                answer.feed(data, not data)
                if not data or answer.broken:
                    break
            if up is None:
                continue
            mask = events.get(up.fileno(), 0)
            if mask & (select.POLLIN | select.POLLHUP):
                data = up.recv(1 << 20)
                seen += data
                if queue is None and whole(seen):
                    queue = [reply.head] + list(reply.wire)
                    wanted = (False, 0)
                elif not data:
                    poll.unregister(up)
                    up.close()
                    up = None
                    continue
            if mask & select.POLLOUT and queue:
                piece = queue[0]
                n = up.send(piece)
                if n < len(piece):
                    queue[0] = piece[n:]
                else:
                    queue.pop(0)
                    done += 1
                    if 1 < done <= len(reply.pieces) + 1:
                        got += len(reply.pieces[done - 2])
                    wanted, waiting = (True, got), time.monotonic()
    finally:
        client.close()
        if up:
            up.close()
    answer.request = bytes(seen)
    return answer
