"""scripts/llm-monitor on a terminal of 40 to 120 columns and in a pipe: what
comes, what is in flight and how much it was; no line is too long, nothing that
a client sent is obeyed, and it comes back when nginx does."""
import fcntl
import http.client
import http.server
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata

from lib import (ROOT, Nginx, Tap, folder, free_port, need_module, one_day,
                 wait_for)
from wire import Listener, Reply, exchange, request

PROGRAM = str(ROOT / 'scripts/llm-monitor')
ANSI = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
EVIL = '\x1b[31m\x9b2J\u202egpt\u200b'
WIDE = '模型' * 20
OURS = re.compile(r'\x1b\[(\d+(;\d+)*m|H|K|J|\?1049[hl]|\?25[hl])')


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, width, *options, **env):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack('HHHH', 12, width, 0, 0))
        self.process = subprocess.Popen(
            [PROGRAM, *options], stdin=slave, stdout=slave, stderr=slave,
            env=environment(TERM='xterm', **env), start_new_session=True)
        os.close(slave)
        self.text = ''

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode(errors='replace')
        return self.text

    def shows(self, pattern, timeout=60):
        return wait_for(lambda: re.search(pattern, ANSI.sub('', self.read())),
                        timeout, 0.05)

    def plain(self):
        """Its lines; top begins each of its pictures at the home position."""
        text = self.read().replace('\x1b[H', '\r\n')
        return ANSI.sub('', text).split('\r\n')

    def press(self, key):
        os.write(self.master, key)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60)
        self.read()
        os.close(self.master)
        return code


def environment(**env):
    base = {k: v for k, v in os.environ.items()
            if not k.startswith('LLM_MONITOR_')
            and k not in ('NO_COLOR', 'COLUMNS', 'LINES', 'NETRC')}
    return dict(base, HOME='/nonexistent', LC_ALL='C.UTF-8', **env)


def run(*options, **env):
    """(exit code, what it said, its complaints) in a pipe."""
    p = subprocess.run([PROGRAM, *options], capture_output=True, text=True,
                       timeout=120, env=environment(**env))
    return p.returncode, p.stdout, p.stderr


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in line)


class Monitor:
    """The program in a pipe, its lines as they come."""

    def __init__(self, *options):
        self.lines = []
        self.process = subprocess.Popen(
            [PROGRAM, *options], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.PIPE, env=environment())
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def wait(self, n):
        return wait_for(lambda: len(self.lines) >= n, 60, 0.02)

    def end(self):
        self.process.terminate()
        return self.process.wait(60), self.process.stderr.read()


def body(model):
    return json.dumps({'model': model, 'user': 'anna', 'messages': [
        {'role': 'user', 'content': 'hi'}]}).encode()


def said(status=200, text='hi'):
    answer = {'error': {'message': text, 'type': 'api_error'}} \
        if status >= 400 else {
            'id': 'c', 'model': 'm', 'choices': [{'index': 0, 'message': {
                'role': 'assistant', 'content': text},
                'finish_reason': 'stop'}],
            'usage': {'prompt_tokens': 12345, 'completion_tokens': 8}}
    return Reply(status, [('Content-Type', 'application/json')],
                 [json.dumps(answer).encode()])


class Test:
    def __init__(self):
        self.tap = Tap()
        self.listener = Listener(free_port())
        self.port = free_port()
        dir = folder()
        self.socket = dir / 'monitor.sock'
        users = dir / 'users'
        users.write_text('anna:{PLAIN}secret\n')
        self.nginx = Nginx(self.listener.port, http='''
            server { listen 127.0.0.1:%d; listen unix:%s;
                location /open/api { llm_monitor_api; }
                location /closed/api { llm_monitor_api;
                    auth_basic monitor; auth_basic_user_file %s; } }'''
                           % (self.port, self.socket, users)).start()
        self.api = 'http://127.0.0.1:%d/open/api' % self.port
        self.closed = 'http://127.0.0.1:%d/closed/api' % self.port

    def send(self, model, status=200, text='hi'):
        exchange(self.nginx.unbuffered, self.listener,
                 request('POST', '/v1/chat/completions',
                         [('Host', 'x'), ('Content-Type', 'application/json')],
                         body(model)), said(status, text))

    def follow(self):
        ok = self.tap.ok
        self.send('gpt-4o-mini')
        self.nginx.wait_total(1)
        seen = {width: Terminal(width, '-u', self.api, **env)
                for width, env in ((40, {}), (60, {}), (80, {}), (120, {}),
                                   (100, {'NO_COLOR': '1'}))}
        pipe = Monitor('-u', self.api, '--json', 'errors_only=1')
        for t in seen.values():
            t.shows('gpt-4o-mini')
        self.send('gpt-4o-bad', 500, 'it broke ' + 'x' * 200)
        self.send(EVIL, 429, EVIL)
        self.send(WIDE)
        for width, t in seen.items():
            there = t.shows(r'模型') and t.shows(r'500 gpt-4o-bad +-')
            ok(there and t.shows('api_error: it broke'),
               '%d columns: all three came' % width, *t.plain())
            line = next((x for x in t.plain() if 'gpt-4o-mini' in x), '')
            want = r'12\.4k +\S+$' if width < 60 else \
                r'12\.4k +\S+s +\d\.\d{6}$' if width < 72 else \
                r'12\.3k +8 +- +\S+s +\d\.\d{6}\b'
            ok(re.match(r'[-\d ]*\d\d:\d\d:\d\d 200 gpt-4o-mini +' + want,
                        line), '%d columns: what of the first one' % width,
               line)
            long = [x for x in t.plain() if columns(x) > width]
            ok(not long, '%d columns: no line is longer' % width, *long)
            rest = OURS.sub('', t.text)
            ok(not re.search('[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b'
                             '\u202e]', rest),
               '%d columns: nothing is obeyed' % width, repr(rest))
            colors = set(re.findall(r'\x1b\[(\d+)m', t.text))
            ok({'31', '32', '33'} <= colors if width != 100
               else not ANSI.search(t.text), '%d columns: colours' % width,
               colors)
            ok(t.end() == 130, '%d columns: a signal ends it' % width)
        pipe.wait(2)
        self.pipe = pipe
        got = [json.loads(line) for line in pipe.lines]
        want = self.nginx.logs('&errors_only=1')[::-1]
        ok(got == want and len(got) == 2, '--json has the records that the '
           'filter passes', got, want)

    def comes_back(self):
        ok = self.tap.ok
        before = len(self.pipe.lines)
        self.nginx.stop()
        time.sleep(0.3)
        self.nginx.start()
        for n in range(3):
            self.send('again-%d' % n, 503)
        self.pipe.wait(before + 3)
        code, complaints = self.pipe.end()
        got = [json.loads(line)['model'] for line in self.pipe.lines[before:]]
        ok(got == ['again-0', 'again-1', 'again-2'],
           'what came while it was away, once', got)
        ok('trying again' in complaints and code == 130,
           'and it says so', complaints)

    def too_slow(self):
        """An API that says there is a gap: the export has what is missing."""
        record = self.nginx.logs()[0]
        asked = []

        class Fake(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                if '/events' in self.path and len(asked) == 1:
                    self.wfile.write(
                        b'retry: 2000\n:\nid: 5\n\nid: 9\nevent: gap\ndata: '
                        b'{"since_seq":5,"next_seq":7}\n\nid: 10\ndata: '
                        + json.dumps(dict(record, seq=10)).encode() + b'\n\n')
                elif '/export' in self.path:
                    for seq in (6, 7, 8):
                        self.wfile.write(json.dumps(
                            dict(record, seq=seq)).encode() + b'\n')
                else:
                    time.sleep(300)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', free_port()),
                                                 Fake)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pipe = Monitor('-u', 'http://127.0.0.1:%d' % server.server_port,
                       '-n', '0', '--json', 'user=a&b')
        pipe.wait(3)
        pipe.end()
        got = [json.loads(line)['seq'] for line in pipe.lines]
        self.tap.ok(got == [6, 7, 10], 'a gap is filled', got)
        self.tap.ok(asked[:2] == ['/events?user=a%26b', '/export?user=a%26b&'
                                  'format=ndjson&since_seq=5'],
                    'by an export with the same filters', asked)
        server.shutdown()

    def flights(self):
        ok = self.tap.ok
        go = threading.Event()
        stream = ('data: {"id":"c","model":"m","choices":[{"index":0,'
                  '"delta":{"content":"%s"}}]}\n\n' % ('x' * 400)).encode()

        def hold():
            s, _ = self.listener.sock.accept()
            s.settimeout(60)
            while b'"hi"' not in s.recv(65536):
                pass
            s.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream'
                      b'\r\nConnection: close\r\n\r\n' + stream)
            go.wait(300)
            s.close()

        self.listener.sock.setblocking(True)
        threading.Thread(target=hold, daemon=True).start()
        c = http.client.HTTPConnection('127.0.0.1', self.nginx.unbuffered)
        c.request('POST', '/v1/chat/completions', body('flying-' + EVIL),
                  {'Content-Type': 'application/json'})
        t = {width: Terminal(width, 'top', '-u', self.api, '-i', '0.2')
             for width in (40, 120)}
        for width, one in t.items():
            ok(one.shows('1 in flight') and one.shows(
                r'200 flying-\S+ +~100' + (r' .*anna +127\.0\.0\.1 +/v1/chat'
                                           if width > 60 else '')),
               'top, %d columns: one is in flight' % width, *one.plain())
            long = [x for x in one.plain() if columns(x) > width]
            ok(not long, 'top, %d columns: no line is longer' % width, *long)
            ok(not re.search('[\x9b\u202e\x1b]', OURS.sub('', one.text)),
               'top, %d columns: nothing is obeyed' % width)
        code, out, _ = run('top', '--once', '-u', self.api)
        ok(code == 0 and '\x1b' not in out and out.count('\n') == 3,
           'top --once', out)
        code, out, _ = run('top', '--once', '--json', '-u', self.api)
        ok(len(json.loads(out)['live']) == 1, 'top --json', out)
        go.set()
        for width, one in t.items():
            ok(one.shows('0 in flight'), 'top, %d columns: it is over' % width)
            one.press(b'q')
            code = wait_for(lambda: one.process.poll() is not None) \
                and one.process.returncode
            ok(code == 0 and one.read().endswith('\x1b[?25h\x1b[?1049l'),
               'top, %d columns: q ends it, the screen is as it was' % width)
            one.end()
        c.close()

    def sums(self):
        for width in (40, 80, 120):
            code, out, _ = run('stats', '-u', self.api, COLUMNS=str(width))
            lines = out.split('\n')
            self.tap.ok(code == 0 and re.search(r'^requests +8 +0$', out, re.M)
                        and re.search(r'^gpt-4o-bad +1 ', out, re.M)
                        and max(map(columns, lines)) <= width,
                        'stats, %d columns' % width, *lines)
        code, out, _ = run('stats', 'by=user', 'sort=requests', 'limit=1',
                           '--json', '-u', self.api)
        board = json.loads(out)['leaderboard']
        self.tap.ok(board['by'] == 'user' and board['rows'][0]['name']
                    == 'anna', 'stats --json with parameters', out)

    def ways(self):
        """How it gets there, as whom, and what it says if it does not."""
        ok = self.tap.ok
        once = ('top', '--once', '-u')
        code, out, _ = run(*once, 'unix:%s:/open/api' % self.socket)
        ok(code == 0 and 'in flight' in out, 'a unix socket')
        code, out, _ = run(*once[:2], LLM_MONITOR_URL=self.api)
        ok(code == 0 and 'in flight' in out, 'LLM_MONITOR_URL')
        code, _, err = run(*once, self.closed)
        ok(code == 1 and 'user and password' in err, 'no password', err)
        code, _, err = run(*once, self.closed, LLM_MONITOR_USER='anna',
                           LLM_MONITOR_PASSWORD='secret')
        ok(code == 0, 'a password of the environment', err)
        netrc = folder() / 'netrc'
        netrc.write_text('machine 127.0.0.1 login anna password secret\n')
        netrc.chmod(0o600)
        code, _, err = run(*once, self.closed, NETRC=str(netrc))
        ok(code == 0, 'a password of netrc', err)
        for want, text, options in (
                (2, 'status must be', ['-u', self.api, 'status=abc']),
                (2, 'neither a command', ['nonsense']),
                (2, '-n takes', ['-n', '1001']),
                (1, 'refused', ['-u', '127.0.0.1:1']),
                (1, 'no URL', ['-u', 'ftp://x']),
                (1, 'is seen by all', ['-u', 'http://a:b@127.0.0.1/']),
                (1, 'No such file', ['-u', 'unix:/nonexistent:/x']),
                (1, 'no such call', ['-u', self.api + '/nothing']),
                (1, 'no filters', ['top', 'a=b', '-u', self.api])):
            code, out, err = run(*options)
            ok(code == want and text in err and 'Traceback' not in err,
               '%s is refused' % ' '.join(options[-1:]), code, err)
        code, out, _ = run('--help')
        ok(code == 0 and max(map(len, out.split('\n'))) <= 80
           and 'LLM_MONITOR_PASSWORD' in out, '--help')


def main():
    need_module()
    one_day(180)
    t = Test()
    t.follow()
    t.comes_back()
    t.too_slow()
    t.flights()
    t.nginx.wait_total(8)
    t.sums()
    t.ways()
    t.tap.ok(not t.nginx.complaints(), 'nothing to complain of',
             *t.nginx.complaints()[:5])
    t.nginx.stop()
    t.tap.done()


if __name__ == '__main__':
    sys.exit(main())
