"""llm_monitor_alert by https: a message goes to who has the certificate for the
name, and to nobody else; one who takes the connection and says nothing is
given up."""
import os
import socket
import ssl
import subprocess
import threading

from lib import Nginx, Tap, folder, free_port, need_module, wait_for
from notify import Receiver, sent, serve

BOUND = 60                              # seconds, for whatever is waited for


def certificate(where, name, *more):
    """where/name.pem with its key, which says that it is name."""
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
         '/CN=' + name, '-addext', 'subjectAltName=DNS:' + name, '-keyout',
         '%s/%s.key' % (where, name), '-out', '%s/%s.pem' % (where, name),
         *more], check=True, capture_output=True, timeout=60)


def signed(where, name):
    certificate(where, name, '-CA', '%s/ca.pem' % where, '-CAkey',
                '%s/ca.key' % where)


def tls(where, name, names):
    """A context, which puts the names that clients ask for into names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain('%s/%s.pem' % (where, name),
                            '%s/%s.key' % (where, name))
    context.sni_callback = lambda _, asked, __: names.append(asked)
    return context


def got(path):
    return [b for p, _, b in Receiver.got if p == path]


class Mute(threading.Thread):
    """Reads what one client says, and never answers."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(('127.0.0.1', free_port()))
        self.port = self.socket.getsockname()[1]
        self.said = b''
        self.left = False
        self.start()

    def run(self):
        c = self.socket.accept()[0]
        while data := c.recv(4096):
            self.said += data
        self.left = True


def verified(tap, where, ports, names):
    mute = Mute()
    nginx = Nginx(free_port(), http='''
        llm_monitor_alert p95 1s webhook=https://localhost:%d/good;
        llm_monitor_alert p95 1s webhook=https://localhost:%d/wrong;
        llm_monitor_alert p95 1s webhook=https://localhost:%d/unknown;
        llm_monitor_alert p95 1s discord=https://localhost:%d/mute;
        llm_monitor_alert_ssl_trusted_certificate %s/ca.pem;
    ''' % (*ports, mute.port, where)).start()
    tap.ok(nginx.api('/alerts/test', 'POST') == (200, {'queued': 4,
                                                       'dropped': 0})
           and wait_for(lambda: got('/good'), BOUND)
           and names[0] == 'localhost',
           'a message comes by https, the host is named', Receiver.got, names)
    tap.ok(wait_for(lambda: sent(nginx, 'webhook', 'failed') == 2, BOUND, 0.1)
           and sent(nginx, 'webhook', 'sent') == 1
           and not got('/wrong') and not got('/unknown'),
           'not to one with another name, nor to one that nobody vouches for',
           Receiver.got)
    log = (nginx.dir / 'error.log').read_text()
    tap.ok('SSL certificate does not match "localhost"' in log
           and 'SSL certificate of "localhost" verify error: (18:' in log,
           'the error log says why', log[-2000:])
    tap.ok(wait_for(lambda: mute.left, BOUND) and b'localhost' in mute.said,
           'a handshake that goes on for ever is given up', mute.said)
    nginx.stop()
    tap.ok(not nginx.complaints(), 'no complaint in the log',
           '\n'.join(nginx.complaints()))


def unverified(tap, ports):
    nginx = Nginx(free_port(), http='''
        llm_monitor_alert p95 1s webhook=https://127.0.0.1:%d/wrong;
        llm_monitor_alert p95 1s discord=https://localhost:%d/unknown;
        llm_monitor_alert_ssl_verify off;
    ''' % (ports[1], ports[2])).start()
    nginx.api('/alerts/test', 'POST')
    tap.ok(wait_for(lambda: got('/wrong') and got('/unknown'), BOUND),
           'who does not want it is not protected', Receiver.got)
    nginx.stop()


def system(tap, where, ports):
    Receiver.got.clear()
    os.environ['SSL_CERT_FILE'] = '%s/ca.pem' % where
    nginx = Nginx(free_port(), http='''
        llm_monitor_alert p95 1s webhook=https://localhost:%d/good;
    ''' % ports[0]).start()
    nginx.api('/alerts/test', 'POST')
    tap.ok(wait_for(lambda: got('/good'), BOUND),
           'without a file those are trusted whom the system trusts')
    nginx.stop()
    tap.ok(not nginx.complaints(), 'no complaint in the log',
           '\n'.join(nginx.complaints()))


def main():
    need_module()
    tap = Tap()
    where, names = folder(), []
    certificate(where, 'ca')
    signed(where, 'localhost')
    signed(where, 'other.test')
    other = where / 'other'
    other.mkdir()
    certificate(other, 'localhost')
    ports = [serve(Receiver, tls(place, name, names)) for place, name in (
        (where, 'localhost'), (where, 'other.test'), (other, 'localhost'))]
    verified(tap, where, ports, names)
    unverified(tap, ports)
    system(tap, where, ports)
    tap.done()


if __name__ == '__main__':
    main()
