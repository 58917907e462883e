"""What the tests with real Prometheus, Alertmanager, VictoriaMetrics share."""
import atexit
import http.server
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs/prometheus'
PATH = ROOT / 'build/prometheus/usr/bin'
sys.path.insert(0, str(ROOT / 't/e2e'))

from lib import folder, free_port


class Server(http.server.ThreadingHTTPServer):
    """Serves on a port of its own until the test ends."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(('127.0.0.1', free_port()), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Program:
    """With a configuration and a folder; options are those beside it."""

    OPTIONS = ('--config.file={dir}/config.yml',
               '--web.listen-address=127.0.0.1:{port}')

    def __init__(self, name, config, *options):
        self.dir = folder()
        self.port = free_port()
        self.url = 'http://127.0.0.1:%d' % self.port
        self.log = self.dir / 'log'
        self.configure('config.yml', config)
        self.command = [shutil.which(name) or str(PATH / name)]
        self.command += [o.format(dir=self.dir, port=self.port)
                         for o in self.OPTIONS + options]

    def configure(self, name, doc):
        (self.dir / name).write_text(yaml.safe_dump(doc))

    def start(self):
        with open(self.log, 'w') as log:
            self.process = subprocess.Popen(self.command, cwd=self.dir,
                                            stdout=log, stderr=log)
        atexit.register(self.process.kill)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Prometheus(Program):
    """With the configuration of docs/prometheus, but a target of ours, often
    scraped; `others` change it further."""

    NAME = 'prometheus'
    OPTIONS = Program.OPTIONS + ('--storage.tsdb.path={dir}/data',)

    def __init__(self, target, **others):
        doc = yaml.safe_load((DOCS / 'prometheus.yml').read_text())
        doc['global'] = {'scrape_interval': '500ms',
                         'evaluation_interval': '500ms'}
        doc['scrape_configs'][0]['static_configs'] = [
            {'targets': ['127.0.0.1:%d' % target]}]
        doc.update(others)
        super().__init__(self.NAME, doc)

    def get(self, path, **query):
        """The data of an answer, or {}."""
        url = '%s%s?%s' % (self.url, path, urllib.parse.urlencode(query))
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                return json.load(r)['data']
        except OSError:
            return {}

    def up(self):
        targets = self.get('/api/v1/targets').get('activeTargets')
        return bool(targets) and targets[0]['health'] == 'up'

    def query(self, expr):
        """The values of an instant query, without those that are no number."""
        found = self.get('/api/v1/query', query=expr).get('result', ())
        return [(r['metric'], float(r['value'][1])) for r in found
                if r['value'][1] != 'NaN']


class VictoriaMetrics(Prometheus):
    """Answers the same questions, of what it has scraped itself."""

    NAME = 'victoria-metrics'
    OPTIONS = ('-promscrape.config={dir}/config.yml',
               '-promscrape.config.strictParse=false',
               '-httpListenAddr=127.0.0.1:{port}',
               '-storageDataPath={dir}/data', '-search.latencyOffset=1s',
               '-search.disableCache')
