"""llm_monitor_alert without Prometheus: what fires arrives, once, in its
receiver's form, is taken back, also by the next writer; a receiver that is
dead, hangs or says no holds nobody up."""
import http.client
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

from lib import (Nginx, Tap, alive, free_port, lock_holder, need_module,
                 wait_for)


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1

    def log_message(self, *_):
        pass

    def body(self):
        return json.loads(self.rfile.read(int(
            self.headers['Content-Length'])))

    def answer(self, status, data):
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Llm(Quiet):
    def do_POST(self):
        asked = self.body()
        time.sleep(asked.get('slow', 0))
        self.answer(asked.get('status', 200), json.dumps({
            'model': asked['model'], 'choices': [],
            'usage': {'prompt_tokens': 1000, 'completion_tokens': 1000,
                      'total_tokens': 2000}}).encode())


class Receiver(Quiet):
    got = []

    def do_POST(self):
        self.got.append((self.path, self.headers['Host'], self.body()))
        self.answer(500 if self.path == '/no' else 204, b'')


class Many(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def serve(handler, tls=None):
    server = Many(('127.0.0.1', free_port()), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def ask(nginx, **more):
    c = http.client.HTTPConnection('127.0.0.1', nginx.buffered, timeout=60)
    c.request('POST', '/v1/chat/completions', json.dumps(dict(
        {'model': 'gpt-4o', 'messages': []}, **more)),
        {'Content-Type': 'application/json'})
    c.getresponse().read()
    c.close()


def hooks(alert, status):
    return [b for p, _, b in Receiver.got if p == '/hook?a=1'
            and b['alert'] == alert and b['status'] == status]


def discord(title):
    return [b for p, _, b in Receiver.got if p == '/discord'
            and b['embeds'][0]['title'].startswith(title)]


def sent(nginx, channel, result):
    return nginx.metrics()['llm_monitor_notifications_total{channel="%s",'
                           'result="%s"}' % (channel, result)]


def fires(tap, nginx, port):
    def said():
        return (hooks('error_ratio', 'firing')
                and discord('[FIRING:1] unavailable'))

    for _ in range(5):                  # ten of them within ten seconds
        for _ in range(4):
            ask(nginx)
        for _ in range(6):
            ask(nginx, status=503)
        if wait_for(said, 12):
            break

    tap.ok(said(), 'what is wrong is said to both', Receiver.got)
    body = (hooks('error_ratio', 'firing') or [{}])[0]
    tap.ok(0.2 < body.get('value', 0) <= 1 and body['threshold'] == 0.2
           and body['upstream'] is None
           and str(body['value']) in body['message']
           and body['host'] == socket.gethostname()
           and Receiver.got[0][1] == '127.0.0.1:%d' % port,
           'with what it is about', body, Receiver.got[0][:2])
    body = (discord('[FIRING:1] unavailable') or [{}])[0]
    tap.ok(body.get('content') == '' and '(llm)'
           in body['embeds'][0]['description'], 'Discord in its form', body)
    tap.ok(wait_for(lambda: hooks('cost', 'firing')
                    and hooks('p95', 'firing')),
           'cost and duration, too', Receiver.got)

    writer = lock_holder(nginx.data / 'writer.lock')
    os.kill(writer, signal.SIGKILL)
    tap.ok(wait_for(lambda: hooks('error_ratio', 'resolved')),
           'it is taken back when it is over, by the next writer')
    tap.ok(wait_for(lambda: hooks('no_traffic', 'firing')),
           'that nobody asks is said')
    ask(nginx)
    tap.ok(wait_for(lambda: hooks('no_traffic', 'resolved')),
           'and that somebody does')

    for _ in range(5):
        ask(nginx, status=503)
    time.sleep(2.5)
    tap.ok(len(hooks('error_ratio', 'firing')) == 1
           and not hooks('dropped', 'firing') and not hooks('ttft', 'firing'),
           'once within the cooldown, and what is well is not said',
           [(p, b.get('alert'), b.get('status')) for p, _, b in Receiver.got])


def button(tap, nginx, scope):
    status, answer = nginx.api('/alerts/test', 'POST')
    tap.ok(status == 200 and answer == {'queued': 2, 'dropped': 0}
           and wait_for(lambda: discord('[TEST]')
                        and any(b.get('status') == 'test'
                                for _, _, b in Receiver.got)),
           'a test message to each address', status, answer)

    c = http.client.HTTPConnection('127.0.0.1', scope, timeout=60)
    c.request('POST', '/monitor/api/alerts/test')
    r = c.getresponse()
    tap.ok(r.status == 403 and b'forbidden' in r.read(),
           'but not under a scope', r.status)


def dead(tap, port):
    """Nobody there, one that takes and never answers, one that says no."""
    mute = socket.create_server(('127.0.0.1', free_port()))
    nginx = Nginx(port, http='''
        llm_monitor_alert p95 1s webhook=http://127.0.0.1:%d/;
        llm_monitor_alert p95 1s discord=http://127.0.0.1:%d/no;
    ''' % (free_port(), serve(Receiver))).start()
    nginx.api('/alerts/test', 'POST')
    nginx.api('/alerts/test', 'POST')
    ask(nginx)
    queued = []
    wait_for(lambda: queued[-1:] == [{'queued': 0, 'dropped': 2}]
             or queued.append(nginx.api('/alerts/test', 'POST')[1]))
    tap.ok(len(queued) > 6 and queued[-1]['queued'] == 0,
           'dead receivers hold nobody up, the queue is bounded', queued)
    tap.ok(wait_for(lambda: sent(nginx, 'webhook', 'failed')
                    and sent(nginx, 'discord', 'failed')
                    and sent(nginx, 'discord', 'dropped'), 60, 0.1),
           'and what was not sent is counted')

    nginx.configure(http='llm_monitor_alert p95 1s '
                    'webhook=http://127.0.0.1:%d/;'
                    % mute.getsockname()[1])
    old = nginx.workers()
    nginx.send(signal.SIGHUP)
    wait_for(lambda: not any(map(alive, old)))
    nginx.api('/alerts/test', 'POST')
    nginx.send(signal.SIGQUIT)
    tap.ok(wait_for(lambda: not nginx.processes()), 'a worker that leaves '
           'does not wait for one that hangs', nginx.processes())
    tap.ok(not nginx.complaints(), 'no complaint in the log',
           '\n'.join(nginx.complaints()))


def main():
    need_module()
    tap = Tap()
    port, llm, scope = serve(Receiver), serve(Llm), free_port()
    hook = 'webhook=http://127.0.0.1:%d/hook?a=1 for=1s' % port
    nginx = Nginx(llm, workers=2, path='flush=50ms', http='''
        llm_monitor_alert error_ratio 0.2 %(hook)s window=10s min=10;
        llm_monitor_alert unavailable 0.5 min=5 for=0
                          discord=http://127.0.0.1:%(port)d/discord;
        llm_monitor_alert p95 1ms %(hook)s min=1;
        llm_monitor_alert ttft 1ms %(hook)s min=1;
        llm_monitor_alert cost 0.0001 %(hook)s;
        llm_monitor_alert no_traffic 5s %(hook)s;
        llm_monitor_alert dropped 0 %(hook)s;
        server { listen 127.0.0.1:%(scope)d;
            location /monitor/api { llm_monitor_api;
                                    llm_monitor_scope user anna; } }
    ''' % dict(hook=hook, port=port, scope=scope)).start()
    fires(tap, nginx, port)
    button(tap, nginx, scope)
    nginx.stop()
    said = [l for l in nginx.complaints() if 'exited on signal 9' not in l]
    tap.ok(not said, 'no complaint in the log', '\n'.join(said))
    dead(tap, llm)
    tap.done()


if __name__ == '__main__':
    main()
