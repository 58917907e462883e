"""Where the records are kept: what is no directory is refused and left as it
is, one that others can look into is warned of, and the default is made with
its parents."""
import os
import shutil
import subprocess

from lib import LINKED, MODULE, NGINX, Tap, folder, need_module


CONF = '''%s
error_log stderr;
pid %s/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path %s/t1;
    proxy_temp_path %s/t2;
    fastcgi_temp_path %s/t3;
    uwsgi_temp_path %s/t4;
    scgi_temp_path %s/t5;
    %s
    server { location / { llm_monitor on; } }
}
'''


def check(where, line='', under=()):
    """nginx -t, and what it said."""
    conf = where / 'nginx.conf'
    load = '' if LINKED else 'load_module %s;' % MODULE
    conf.write_text(CONF % ((load,) + 6 * (where,) + (line,)))
    p = subprocess.run([*under, NGINX, '-t', '-c', str(conf), '-p', str(where),
                        '-e', 'stderr'], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60)
    return p.returncode, p.stdout.decode(errors='replace')


def named(tap):
    where = folder()
    file = where / 'file'
    file.write_text('precious')
    file.chmod(0o440)
    before = file.stat()
    code, said = check(where, 'llm_monitor_path %s;' % file)
    after = file.stat()
    tap.ok(code == 1 and 'invalid value "%s" of "llm_monitor_path"' % file
           in said and 'nginx.conf:' in said, 'a file is refused by name',
           code, said)
    tap.ok((before.st_mode, before.st_uid) == (after.st_mode, after.st_uid)
           and file.read_text() == 'precious', 'and stays as it is', after)

    for mode, warned in ((0o755, True), (0o750, True), (0o700, False)):
        data = where / ('data-%o' % mode)
        data.mkdir()
        data.chmod(mode)
        code, said = check(where, 'llm_monitor_path %s;' % data)
        tap.ok(code == 0 and warned == ('[warn]' in said)
               and warned == ('directory "%s" of "llm_monitor_path" is open '
                              'to others' % data in said),
               'a directory of %o is %swarned of'
               % (mode, '' if warned else 'not '), code, said)

    data = where / 'new'
    code, said = check(where, 'llm_monitor_path %s;' % data)
    tap.ok(code == 0 and '[warn]' not in said
           and data.stat().st_mode & 0o777 == 0o700,
           'a new one is for its owner alone', code, said)


def default(tap):
    """In a namespace of its own, where /var is empty."""
    where = folder()
    name = 'the default is made with its parents'
    if os.geteuid() != 0 or not shutil.which('unshare') \
            or subprocess.run(['unshare', '-m', 'true'],
                              stderr=subprocess.DEVNULL).returncode:
        tap.skip(name, 'it needs a mount namespace')
        return
    script = ('mount -t tmpfs -o %s none /var || exit 3; "$@"; rc=$?; '
              'find /var -path "*llm_monitor" -printf "made %%p %%m\\n"; '
              'exit $rc')
    code, said = check(where, under=['unshare', '-m', 'sh', '-c',
                                     script % 'mode=755', 'sh'])
    if 'made' not in said and code == 0:
        tap.skip(name, 'its default is not below /var')
        return
    tap.ok(code == 0 and 'made /var/lib/nginx/llm_monitor 700' in said, name,
           code, said)
    code, said = check(where, under=['unshare', '-m', 'sh', '-c',
                                     script % 'ro', 'sh'])
    tap.ok(code == 1 and 'failed, it is the default of "llm_monitor_path"'
           in said, 'or an error names the directive', code, said)


def main():
    need_module()
    tap = Tap()
    named(tap)
    default(tap)
    tap.done()


main()
