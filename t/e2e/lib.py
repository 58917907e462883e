"""What the end-to-end tests share: TAP, a real nginx in a folder of its own,
the monitor's API, and the corpus.

Environment:
    TEST_NGINX_BINARY  the nginx binary (default: the installed one)
    LLM_MODULE         the module (default: that in build/); empty: it is
                       linked into the binary
    LLM_CORPUS         folder of recorded traffic (default: ../shared/corpus)
    LLM_E2E_PORTS      ports to choose from (default: 1100-1699, which nobody
                       chooses at random); a program takes 50 of them
    LLM_E2E_KEEP       keep the folders of the runs
"""
import atexit
import http.client
import importlib.util
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import spec

ROOT = pathlib.Path(__file__).resolve().parents[2]
NGINX = os.environ.get('TEST_NGINX_BINARY') or shutil.which('nginx') \
    or '/usr/sbin/nginx'
LINKED = os.environ.get('LLM_MODULE') == ''
NAME = 'ngx_http_llm_monitor_module.so'
BLOCK = 50                             # ports of a program
WAIT = 60                              # s, for what comes much sooner
MODULE = pathlib.Path(os.environ.get('LLM_MODULE')
                      or ROOT / 'build' / NAME).resolve()
CORPUS = pathlib.Path(os.environ.get('LLM_CORPUS')
                      or ROOT / '../shared/corpus').resolve()

sys.dont_write_bytecode = True


class Tap:
    """Test Anything Protocol on stdout; done() ends the program."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, *diagnostics):
        self.count += 1
        self.failed += not passed
        print('%sok %d - %s' % ('' if passed else 'not ', self.count, name))
        if not passed:
            for line in diagnostics:
                self.note(line)
        sys.stdout.flush()
        return bool(passed)

    def skip(self, name, why):
        self.count += 1
        print('ok %d - %s # SKIP %s' % (self.count, name, why), flush=True)

    def note(self, text):
        for line in str(text).splitlines() or ['']:
            print('# ' + line, flush=True)

    def done(self):
        print('1..%d' % self.count, flush=True)
        sys.exit(1 if self.failed else 0)


def skip_all(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def need_module():
    if not LINKED and not MODULE.exists():
        print('Bail out! no module at %s: run make first' % MODULE)
        sys.exit(1)


def port_block():
    """50 ports that no other test has: the socket that says so is there until
    this program ends."""
    first, last = os.environ.get('LLM_E2E_PORTS', '1100-1699').split('-')
    ports = range(int(first), int(last) + 1)
    for start in range(0, len(ports), BLOCK):
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind('\0llm-e2e-%d' % ports[start])
        except OSError:
            mine.close()
            continue
        return ports[start:start + BLOCK], mine
    raise RuntimeError('other tests have all ports')


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', int(port)))
        except OSError:
            return False
    return True


def free_port(taken=set(), block=[]):
    """A port that nobody listens on, another one each time while there are."""
    if not block:
        block.append(port_block())
    ports = block[0][0]
    if len(taken) > len(ports) - 20:
        taken.clear()
    for port in ports:
        if port in taken or not is_free(port):
            continue
        taken.add(port)
        return port
    raise RuntimeError('no free port')


def folder():
    """A new folder that the worker's user may enter, removed at the end."""
    path = tempfile.mkdtemp(prefix='llm-e2e-')
    os.chmod(path, 0o755)
    if not os.environ.get('LLM_E2E_KEEP'):
        atexit.register(shutil.rmtree, path, True)
    return pathlib.Path(path)


def wait_for(what, timeout=WAIT, pause=0.01):
    """The first true value of what(), or its last one at the timeout."""
    end = time.monotonic() + timeout
    while True:
        value = what()
        if value or time.monotonic() > end:
            return value
        time.sleep(pause)


CONF = '''
{load}
{main}
{user}
worker_processes {workers};
worker_rlimit_nofile 20000;
error_log {dir}/error.log {log_level};
pid {dir}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {dir}/tmp_body;
    proxy_temp_path {dir}/tmp_proxy;
    fastcgi_temp_path {dir}/tmp_f;
    uwsgi_temp_path {dir}/tmp_u;
    scgi_temp_path {dir}/tmp_s;
    client_max_body_size 300m;
    keepalive_requests 10000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_next_upstream off;
    {path}
    {http}
    upstream llm {{
        server 127.0.0.1:{upstream};
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{unbuffered} backlog=4096;
        location / {{
            {watch}
            proxy_buffering off;
            proxy_request_buffering {request_buffering};
            proxy_pass http://llm;
        }}
    }}
    server {{
        listen 127.0.0.1:{buffered} backlog=4096;
        location / {{
            {watch}
            proxy_pass http://llm;
        }}
    }}
    {api}
}}
'''

API = '''
    server {{
        listen 127.0.0.1:{api_port};
        # a limit that is not the traffic's, whose answers must not name it
        location /monitor/api {{
            llm_monitor_api;
            llm_monitor_max_body_size 7m;
        }}
        location = /metrics {{
            llm_monitor_metrics;
        }}
        location = /health {{
            llm_monitor_health;
        }}
    }}
'''


class Nginx:
    """A master with its workers, serving two ports to one upstream: one with
    buffering and one without; the API is on a third."""

    def __init__(self, upstream, module=MODULE, binary=NGINX, workers=1,
                 watch='llm_monitor on;', path='', http='', keepalive='',
                 log_level='notice', main='', request_buffering='off'):
        self.dir = folder()
        self.data = self.dir / 'data'
        self.binary = str(binary)
        self.module = module
        self.unbuffered = free_port()
        self.buffered = free_port()
        self.api_port = free_port()
        self.set = dict(upstream=upstream, workers=workers, watch=watch,
                        path=path, http=http, keepalive=keepalive,
                        log_level=log_level, main=main,
                        request_buffering=request_buffering)
        self.configure()

    def configure(self, **changes):
        self.set.update(changes)
        s = dict(self.set, dir=self.dir, unbuffered=self.unbuffered,
                 buffered=self.buffered, load='', api='',
                 user='user nobody nogroup;' if os.getuid() == 0 else '')
        if self.module:
            s['load'] = '' if LINKED else 'load_module %s;' % self.module
            s['api'] = API.format(api_port=self.api_port)
            s['path'] = 'llm_monitor_path %s %s;' % (self.data, s['path'])
        else:
            s['path'] = s['watch'] = ''
        (self.dir / 'nginx.conf').write_text(CONF.format(**s))

    def command(self, *more):
        return [self.binary, '-p', str(self.dir), '-c',
                str(self.dir / 'nginx.conf'), '-e',
                str(self.dir / 'error.log'), *more]

    def start(self, prefix=()):
        said = self.dir / 'start.log'
        # a killed process has its sockets as long as one of its threads is left
        ports = re.findall(r'listen 127\.0\.0\.1:(\d+)',
                           (self.dir / 'nginx.conf').read_text())
        wait_for(lambda: all(map(is_free, ports)))
        with open(said, 'w') as out:
            p = subprocess.run([*prefix, *self.command()], timeout=WAIT,
                               stdout=out, stderr=out)
        if p.returncode:
            raise RuntimeError('nginx does not start: ' + said.read_text())
        if not wait_for(lambda: self.listening() and len(self.workers())
                        >= self.set['workers']):
            raise RuntimeError('nginx does not listen')
        for ring in rings(self.master()):
            atexit.register(shutil.rmtree, ring.parent, True)
        return self

    def listening(self):
        try:
            socket.create_connection(('127.0.0.1', self.buffered),
                                     WAIT).close()
        except OSError:
            return False
        return bool(self.master())

    def master(self):
        try:
            return int((self.dir / 'nginx.pid').read_text())
        except (OSError, ValueError):
            return 0

    def send(self, number, pid=None):
        os.kill(pid or self.master(), number)

    def workers(self, master=None):
        return children(master or self.master())

    def processes(self):
        """Every process of this nginx, also an old or a new binary's."""
        mark = str(self.dir).encode()
        masters = [pid for pid in pids() if mark in cmdline(pid)
                   and b'master' in cmdline(pid)]
        return masters + [c for m in masters for c in children(m)]

    def stop(self, number=signal.SIGTERM, timeout=WAIT):
        master = self.master()
        found = self.processes()
        if master and alive(master):
            os.kill(master, number)
            wait_for(lambda: not any(map(alive, found)), timeout)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        return self

    def complaints(self):
        """Lines of the error log that no test should cause."""
        words = ('[alert]', '[emerg]', 'Sanitizer', 'runtime error',
                 'signal 11', 'signal 6')
        log = (self.dir / 'error.log').read_text(errors='replace')
        return [line for line in log.splitlines()
                if any(w in line for w in words)]

    def api(self, path='', method='GET', body=None, raw=False, headers=None):
        """(status, answer) of a call of the API, which has to be as
        docs/openapi.yaml says; raw: whatever the bytes are."""
        c = http.client.HTTPConnection('127.0.0.1', self.api_port,
                                       timeout=2 * WAIT)
        try:
            c.request(method, '/monitor/api' + path,
                      None if body is None else json.dumps(body),
                      headers or {})
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if raw:
            return r.status, data
        answer = json.loads(data) if data else None
        wrong = spec.complaint(method, path, r.status, answer)
        if wrong:
            raise RuntimeError('not what docs/openapi.yaml says: ' + wrong)
        return r.status, answer

    def patient(self, *call, timeout=WAIT, **more):
        """api() again until there was time for all of the answer."""
        found = []
        wait_for(lambda: found.append(self.api(*call, **more))
                 or found[-1][0] != 503
                 and not (found[-1][1] or {}).get('partial'), timeout, 0.05)
        return found[-1]

    def change(self, *call, **more):
        """api() again until it is made: a writer that has much to do first
        may take longer than one answer waits."""
        return self.patient(*call, timeout=5 * WAIT, **more)

    def get(self, path, headers=None):
        """(status, headers, bytes) of another location of the API's port."""
        c = http.client.HTTPConnection('127.0.0.1', self.api_port,
                                       timeout=2 * WAIT)
        try:
            c.request('GET', path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def metrics(self):
        """{'name{labels}': value} of a scrape."""
        status, _, text = self.get('/metrics')
        if status != 200:
            raise RuntimeError('the scrape answered %s' % status)
        found = {}
        for line in text.decode().splitlines():
            if not line.startswith('#'):
                name, value = line.rsplit(' ', 1)
                if name in found:
                    raise RuntimeError('%s is there twice' % name)
                found[name] = float(value)
        return found

    def total(self):
        status, answer = self.patient('/count')
        return answer['total'] if status == 200 else None

    def wait_total(self, n, timeout=WAIT):
        """Waits until n records can be read; their number then."""
        wait_for(lambda: (self.total() or 0) >= n, timeout, 0.05)
        return self.total()

    def logs(self, query=''):
        """Every record of the list, page by page, newest first."""
        found, cursor = [], ''
        while True:
            status, page = self.patient('/logs?total=0&limit=1000' + query
                                        + cursor)
            if status != 200:
                raise RuntimeError('the list answered %s %s' % (status, page))
            found += page['logs']
            if not page['next']:
                return found
            cursor = '&cursor=' + page['next']


def waiting(metrics):
    """Records of a scrape that are no rows yet."""
    return sum(metrics['llm_monitor_%s_records' % n]
               for n in ('ring', 'spool', 'writer'))


def law(metrics):
    """By how many records the law of docs/architecture.md does not hold."""
    return metrics['llm_monitor_records_total'] - waiting(metrics) - (
        metrics['llm_monitor_records_written_total']
        + sum(v for k, v in metrics.items()
              if k.startswith('llm_monitor_records_dropped_total')))


def pids():
    return [int(n) for n in os.listdir('/proc') if n.isdigit()]


def cmdline(pid):
    try:
        return pathlib.Path('/proc/%d/cmdline' % pid).read_bytes()
    except OSError:
        return b''


def children(pid):
    try:
        path = '/proc/%d/task/%d/children' % (pid, pid)
        text = pathlib.Path(path).read_text()
    except OSError:
        return []
    return [int(n) for n in text.split()]


def rings(pid):
    """The ring files that a process has open."""
    found = set()
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            name = os.readlink('/proc/%d/fd/%s' % (pid, fd))
        except FileNotFoundError:      # closed meanwhile
            continue
        if re.search(r'/llm_monitor-\w+/ring\.\w+$', name):
            found.add(pathlib.Path(name))
    return found


def alive(pid):
    try:
        text = pathlib.Path('/proc/%d/stat' % pid).read_text()
    except OSError:
        return False
    return text.rsplit(')', 1)[1].split()[0] not in 'ZX'


def lock_holder(path):
    """The process that holds an flock on the file, or 0."""
    try:
        inode = os.stat(path).st_ino
    except OSError:
        return 0
    for line in pathlib.Path('/proc/locks').read_text().splitlines():
        part = line.split()
        if '->' not in part and part[1] == 'FLOCK' \
                and part[5].rsplit(':', 1)[1] == str(inode):
            return int(part[4])
    return 0


def one_day(seconds):
    """Returns when it is that far from midnight: what counts the exchanges of
    today begins anew then."""
    while time.time() % 86400 > 86400 - seconds \
            or sum(n * s for n, s in zip(time.localtime()[3:6],
                                         (3600, 60, 1))) > 86400 - seconds:
        time.sleep(1)


class Case:
    """One recorded exchange of the corpus."""

    def __init__(self, path):
        self.name = path.name
        read = lambda name: json.loads((path / name).read_text())
        blob = lambda name: (path / name).read_bytes() \
            if (path / name).exists() else b''
        self.request = read('request.json')
        self.response = read('response.json')
        self.expected = read('expected.json')
        self.request_body = blob('request.body')
        self.response_body = blob('response.body')

    def target(self, tag=None):
        query = self.request['query']
        if tag is not None:
            query += ('&' if query else '') + 'e2e=%s' % tag
        return self.request['path'] + ('?' + query if query else '')


def corpus():
    """Every case, sorted; the program ends as skipped without the folder."""
    if not (CORPUS / 'index.tsv').exists():
        skip_all('no corpus at %s' % os.path.relpath(CORPUS, ROOT))
    return [Case(p) for p in sorted(CORPUS.iterdir())
            if (p / 'expected.json').exists()]


def contract():
    """The corpus's own reading: values(expected), differs(field, want, got)."""
    spec = importlib.util.spec_from_file_location(
        'contract_values', CORPUS / 'contract_values.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_binary():
    """t/e2e/load*.c, built when one of them is newer than the binary."""
    sources = sorted((ROOT / 't/e2e').glob('load*.[ch]'))
    binary = ROOT / 'build/load'
    if not binary.exists() or binary.stat().st_mtime < \
            max(s.stat().st_mtime for s in sources):
        binary.parent.mkdir(exist_ok=True)
        new = '%s.%d' % (binary, os.getpid())
        subprocess.run([os.environ.get('CC', 'cc'), '-O2', '-g', '-Wall',
                        '-o', new]
                       + [str(s) for s in sources if s.suffix == '.c'],
                       check=True)
        os.replace(new, binary)        # another test may do the same
    return str(binary)


class Upstream:
    """The fast upstream of load.c."""

    def __init__(self, port):
        self.port = port
        self.process = subprocess.Popen([load_binary(), 'upstream', str(port)])
        atexit.register(self.process.kill)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Client:
    """A running client of load.c; end() gives what it saw."""

    def __init__(self, port, *options):
        self.log = folder() / 'log'
        self.process = subprocess.Popen(
            [load_binary(), 'client', str(port), '-o', str(self.log),
             *options], stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)

    def end(self):
        """({tag: begun at}, {tag: whole at}, the report); ms of the monotonic
        clock."""
        self.process.terminate()
        report = json.loads(self.process.communicate()[0])
        begun, done = {}, {}
        for line in self.log.read_text().splitlines():
            kind, tag, ms = line.split()
            (begun if kind == 's' else done)[int(tag)] = int(ms)
        return begun, done, report
