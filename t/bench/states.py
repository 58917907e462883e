"""The states that the bench compares, and how each is started: plain nginx,
plain nginx once more, what else there is to keep a record with, and the
module."""
import contextlib
import os
import subprocess
import sys
import time

from lib import ROOT, Nginx, wait_for

HTTP = ('proxy_buffer_size 16k; proxy_buffers 8 16k; '
        'keepalive_timeout 300s; client_body_buffer_size ')

# with more, all states together take so many ports to the upstream that who
# connects last has to search for one
KEPT = 'keepalive 128; keepalive_requests 10000000;'

PEERS = ROOT / 't/bench/peers'
LUA = ROOT / 'build/peers'
MODULES = LUA / 'usr/lib/nginx/modules'
PROXY_CPU, LOAD_CPU = '1', '0'


class State:
    """What is compared: a name, and how its nginx differs from plain."""

    def __init__(self, name, module=False, http='', conf=None, lua=False,
                 paused=False, wait=0.1):
        self.name, self.module, self.http = name, module, http
        self.conf, self.lua, self.paused = conf, lua, paused
        self.wait = wait               # s until what it recorded is begun on


PLAIN, AGAIN = 'plain', 'plain again'
JSONLOG, FILE, SQLITE = 'JSON log', 'Lua, file', 'Lua, SQLite'
MODULE, OFF, PAUSED = 'module', 'module, no bodies', 'module, paused'

STATES = {s.name: s for s in (
    State(PLAIN),
    State(AGAIN),
    State(JSONLOG, conf='jsonlog.conf'),
    State(FILE, conf='lua-file.conf', lua=True),
    State(SQLITE, conf='lua-sqlite.conf', lua=True, wait=1.2),
    State(MODULE, module=True, wait=0.3),
    State(OFF, module=True, http='llm_monitor_bodies off;', wait=0.3),
    State(PAUSED, module=True, paused=True),
)}

# those whose noise decides; they are in every round
CORE = (PLAIN, AGAIN, MODULE)

# what a peer is to be compared with: the state that does the same work
RIVALS = {JSONLOG: OFF, FILE: MODULE, SQLITE: MODULE}


def say(text):
    print('%s %s' % (time.strftime('%H:%M:%S'), text), file=sys.stderr,
          flush=True)


def libraries():
    """The folder of the Lua packages' libraries, by the architecture."""
    return next(iter((LUA / 'usr/lib').glob('*/libluajit-5.1.so.2')),
                LUA / 'none').parent


def environment(state):
    if not state.lua:
        return {}
    return {'LD_LIBRARY_PATH': str(libraries())}


def make(name, upstream, main='', **more):
    """An Nginx that is not started, or None if it cannot be."""
    state = STATES[name]
    if state.lua:
        if not (LUA / 'done').exists():
            return None
        main += ''.join('load_module %s;' % (MODULES / module)
                        for module in ('ndk_http_module.so',
                                       'ngx_http_lua_module.so'))
    settings = dict(workers=1, log_level='warn', main=main,
                    keepalive=KEPT,
                    request_buffering='on', **more)
    if not state.module:
        settings['module'] = None
    nginx = Nginx(upstream.port, **settings)
    nginx.state = state
    nginx.peer = nginx.dir / 'peer'
    nginx.peer.mkdir()
    nginx.peer.chmod(0o777)            # the worker is another user
    http = state.http
    body = '128m' if state.lua else '2m'   # Lua cannot read nginx's files
    if state.conf:
        http = (PEERS / state.conf).read_text()
        for word, path in (('dir', nginx.peer), ('here', PEERS),
                           ('lua', LUA), ('libs', libraries())):
            http = http.replace('{%s}' % word, str(path))
    nginx.configure(http=HTTP + body + ';\n' + http)
    if 'access_log' in http:           # "off" would win, being first
        path = nginx.dir / 'nginx.conf'
        path.write_text(path.read_text().replace('access_log off;', '', 1))
    return nginx


def pause(nginx):
    if nginx.state.paused:
        status, answer = nginx.change('/recording', 'PUT',
                                      {'recording': False})
        if status != 200:
            raise RuntimeError('pause answers %s %s' % (status, answer))


def pin(nginx):
    for pid in nginx.workers():
        subprocess.run(['taskset', '-a', '-p', '-c', PROXY_CPU, str(pid)],
                       stdout=subprocess.DEVNULL, check=True)


def start(name, upstream):
    """A running Nginx on its CPU; None, and why is said, if there is none."""
    nginx = make(name, upstream)
    if nginx is None:
        say('%s: not installed, left out' % name)
        return None
    prefix = ['env', *('%s=%s' % item
                       for item in environment(nginx.state).items())]
    try:
        nginx.start(prefix)
    except RuntimeError as error:
        if nginx.module:
            raise
        say('%s: left out, %s' % (name, error))
        return None
    if nginx.module and not wait_for(lambda: nginx.total() is not None):
        raise RuntimeError('%s has no answer' % name)
    pause(nginx)
    pin(nginx)
    return nginx


@contextlib.contextmanager
def running(name, upstream):
    nginx = start(name, upstream)
    try:
        yield nginx
    finally:
        if nginx:
            nginx.stop()


class Fleet:
    """Each state's nginx, all at once, started when they are first asked for;
    those that cannot be are not in it."""

    def __init__(self, upstream):
        self.upstream, self.all = upstream, None

    def get(self):
        if self.all is None:
            self.all = {}
            for name in STATES:
                say('starting: ' + name)
                nginx = start(name, self.upstream)
                if nginx:
                    self.all[name] = nginx
        return self.all

    def stop(self):
        for nginx in (self.all or {}).values():
            nginx.stop()
        self.all = None


def forget(nginx):
    """Cuts what a peer has written to a file, which nobody reads."""
    path = nginx.peer / 'records.log'
    if path.exists():
        os.truncate(path, 0)
