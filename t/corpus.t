#!/usr/bin/env python3

# Copyright (C) llm_monitor contributors
#
# Every exchange of a corpus of recorded traffic, in every way in which bytes
# may arrive: each record must show the expected values.  The corpus is not
# part of this repository: LLM_CORPUS names its folder.

import gzip
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVER = ROOT / 'build' / 'corpus' / 'llm_extract_case'
CORPUS = pathlib.Path(os.environ.get('LLM_CORPUS')
                      or ROOT.parent / 'shared' / 'corpus')

FORMS = ['whole', 'bytes', 'random', 'random again', 'gzip', 'deflate', 'br',
         'zstd', 'gzip in bytes']


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def tool(*command):
    """A coder that reads standard input, or None where it is missing."""
    def run(data):
        return subprocess.run(command, input=data, check=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
    try:
        run(b'probe')
    except (OSError, subprocess.CalledProcessError):
        return None
    return run


CODERS = {'gzip': gzip.compress, 'deflate': zlib.compress,
          'br': tool('brotli', '-q', '4', '-c'),
          'zstd': tool('zstd', '-q', '-1', '-c')}


def headers(message):
    found = message.get('headers') or {}
    pairs = found.items() if isinstance(found, dict) else found
    return [(name.lower(), value) for name, value in pairs]


class Case:
    def __init__(self, folder):
        def body(name):
            path = folder / name
            return path.read_bytes() if path.exists() else b''

        def read(name):
            return json.loads((folder / name).read_text())

        self.name = folder.name
        self.request = read('request.json')
        self.response = read('response.json')
        self.expected = read('expected.json')
        self.request_body = body('request.body')
        self.response_body = body('response.body')
        self.request_headers = headers(self.request)
        self.response_headers = headers(self.response)
        self.coding = dict(self.response_headers).get('content-encoding')

    def frames(self, form):
        """What the driver reads; None where the form makes no sense."""
        body, coding, split = self.response_body, self.coding, 0
        word = form.split()[0]

        if word in CODERS:
            if coding or not body or CODERS[word] is None:
                return None
            body, coding = CODERS[word](body), word

        if 'bytes' in form:
            split = 1
        elif 'random' in form:
            split = -(1 + len(form) + len(body))

        request, response = dict(self.request_headers), \
            dict(self.response_headers)
        fields = [
            ('method', self.request['method']),
            ('path', self.request['path']),
            ('query', self.request.get('query') or None),
            ('status', str(self.response['status'])),
            ('request_type', request.get('content-type')),
            ('request_coding', request.get('content-encoding')),
            ('request_body', self.request_body),
            ('response_type', response.get('content-type')),
            ('response_coding', coding),
            ('response_body', body),
            ('form', str(split)),
        ]
        fields += [('request_header', n + '\n' + v)
                   for n, v in self.request_headers]
        fields += [('response_header', n + '\n' + v)
                   for n, v in self.response_headers]

        out = b''
        for name, value in fields:
            if value is None:
                continue
            if isinstance(value, str):
                value = value.encode()
            out += b'%s %d\n%s\n' % (name.encode(), len(value), value)
        return out + b'run 0\n\n'


def wanted(oracle, case):
    want = oracle.values(case.expected)
    want['stream'] = int(want['stream'])
    want.pop('status')
    complete = case.expected['extra']['stream_complete']
    if complete is not None and case.expected['status'] < 400:
        want['stream_complete'] = int(complete)
    if case.expected['extra'].get('in_body_error'):
        want['in_band_error'] = True
    return want


def main():
    if not (CORPUS / 'contract_values.py').exists():
        skip('there is no corpus')
    subprocess.run(['make', '-s', str(DRIVER.relative_to(ROOT))], cwd=ROOT,
                   check=True, stdout=sys.stderr)

    spec = importlib.util.spec_from_file_location(
        'contract_values', CORPUS / 'contract_values.py')
    oracle = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(oracle)

    only = sys.argv[1:]
    cases = [Case(f) for f in sorted(CORPUS.glob('0*/'))
             if not only or f.name[:4] in only]

    driver = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    count, failed = 0, 0

    for case in cases:
        want = wanted(oracle, case)
        wrong, first = [], None

        for form in FORMS:
            frames = case.frames(form)
            if frames is None:
                continue
            driver.stdin.write(frames)
            driver.stdin.flush()
            line = driver.stdout.readline()
            if not line:
                print('Bail out! the driver died in %s, %s'
                      % (case.name, form))
                sys.exit(1)
            got = json.loads(line)
            wrong += ['%s: %s is %r, not %r' % (form, k, got.get(k), v)
                      for k, v in want.items()
                      if oracle.differs(k, v, got.get(k))]
            for key in ('ttfb_us', 'ttft_us'):
                got[key] = got[key] is not None
            if first is None:
                first = got
            wrong += ['%s: %s is %r, whole it is %r'
                      % (form, k, v, first[k])
                      for k, v in got.items() if v != first[k]]

        count += 1
        failed += bool(wrong)
        print('%sok %d - %s' % ('not ' if wrong else '', count, case.name))
        for text in wrong[:12]:
            print('# ' + text)
        sys.stdout.flush()

    driver.stdin.close()
    print('1..%d' % count)
    sys.exit(bool(failed) or driver.wait())


main()
