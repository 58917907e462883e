"""The alert rules and the configurations in docs/prometheus: the tools accept
them, the unit tests pass, every alert has one in which it fires and one in
which it stays silent, says what it has to say in three languages, has its
section in docs/alerts.md, and asks for metrics that docs/metrics.md has."""
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs/prometheus'
TESTS = ROOT / 't/prometheus'
sys.path.insert(0, str(ROOT / 't/e2e'))

from lib import Tap

PATH = '%s/build/prometheus/usr/bin' % ROOT
RULES = ('llm_monitor', 'compat')
METRIC = re.compile(r'\b((?:llm|http)_\w+|up)\b(?=\s*[{\[)<>=\s]|$)')


def run(*command):
    """(whether it succeeded, what it said)"""
    tool = shutil.which(command[0]) or '%s/%s' % (PATH, command[0])
    p = subprocess.run([tool, *map(str, command[1:])], text=True, timeout=120,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode == 0, p.stdout


def anchors(text):
    return {re.sub(r'[^\w -]', '', line).strip().lower().replace(' ', '-')
            for line in re.findall(r'^#+ (.*)$', text, re.M)}


def main():
    tap = Tap()
    rules = [DOCS / (name + '.rules.yml') for name in RULES]
    tests = sorted(TESTS.glob('*.test.yml'))
    for name, command in (
            ('check rules', ('promtool', 'check', 'rules', *rules)),
            ('test rules', ('promtool', 'test', 'rules', *tests)),
            ('check config', ('promtool', 'check', 'config',
                              DOCS / 'prometheus.yml')),
            ('check-config', ('amtool', 'check-config',
                              DOCS / 'alertmanager.yml'))):
        good, said = run(*command)
        tap.ok(good, '%s %s' % (command[0], name), said)

    names = [t['name'].split(None, 2) for f in tests
             for t in yaml.safe_load(f.read_text())['tests']]
    metrics = set(re.findall(r'`(\w+)`', (ROOT / 'docs/metrics.md')
                             .read_text())) | {'up'}
    told = anchors((ROOT / 'docs/alerts.md').read_text())
    alerts = [r for f in rules for g in yaml.safe_load(f.read_text())['groups']
              for r in g['rules']]

    for r in alerts:
        name, bad = r['alert'], []
        mine = {word for n, word, *_ in names if n == name}
        if mine < {'fires', 'stays'}:
            bad.append('it has not both kinds of tests: %s' % mine)
        for key in ('summary', 'summary_fr', 'summary_zh'):
            if not r['annotations'].get(key):
                bad.append('no %s' % key)
        if r['annotations']['runbook'] != 'docs/alerts.md#' + name.lower() \
                or name.lower() not in told:
            bad.append('no section in docs/alerts.md')
        if r['labels']['severity'] not in ('critical', 'warning', 'info'):
            bad.append(r['labels'])
        for metric in METRIC.findall(re.sub(r'"[^"]*"', '', r['expr'])):
            base = re.sub(r'_(bucket|count|sum)$', '', metric)
            if not {metric, base} & metrics:
                bad.append('docs/metrics.md has no %s' % metric)
        tap.ok(not bad, name, *bad)

    unknown = {n for n, *_ in names} - {r['alert'] for r in alerts}
    tap.ok(not unknown, 'no test is of an alert that is not there', unknown)
    tap.done()


if __name__ == '__main__':
    sys.exit(main())
