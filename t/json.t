#!/usr/bin/env python3

# Copyright (C) llm_monitor contributors
#
# The readers of JSON against Python's: texts that it takes are taken and hold
# the same values, texts that it refuses are refused by the one that checks.
# Texts are the inputs that are kept of the fuzz targets and some thousands that
# are made up, the same in each run; LLM_JSON_TEXTS: another number of them,
# LLM_JSON_SEED: others.
#
# Where they differ, and may: Python's NaN and Infinity are no JSON, yajl has
# two more blanks and does not see half a token behind a word, the scanner does
# not tell of a number of more than 64 bytes, the walk not of one that is all of
# the text, and no reader goes deeper than its bound.

import json
import os
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVER = ROOT / 'build' / 'corpus' / 'llm_json_case'
KEPT = ROOT / 't' / 'fuzz' / 'corpus'

# bytes of a target's input that are options

OPTIONS = {'scan': 2, 'message': 1, 'conversation': 1, 'redact': 1}

LEVELS = 63         # that llm_json_check() takes
WALKED = 64         # that llm_json_walk() goes into, of LONGEST bytes
LONGEST = 4096
PATH = 96
DIGITS = 64         # bytes of a word that the scanner tells
LOOKED = 14         # levels in which the scanner looks names up

BLANKS = b'[\v\f]'
WORD = b'^[ \t\r\n]*[^\\[{" \t\r\n]'

# the driver's table: a name's field, and the table of what is in it

INNER = {'a': (1, {}), 'text': (2, {}), 'z': (0, {})}
OUTER = {'a': (3, {}), 'text': (5, INNER), 'k': (0, INNER)}
OUTER['o'] = (4, OUTER)


class Word(str):
    pass


class Members(list):
    pass


def no_json(word):
    raise ValueError(word)


def parse(data):
    """The value, objects as Members and words as they stand; or None."""
    try:
        return json.loads(data.decode(), object_pairs_hook=Members,
                          parse_int=Word, parse_float=Word,
                          parse_constant=no_json)
    except (ValueError, RecursionError):
        return None


def hexed(text):
    """As the driver has it: of half a pair U+FFFD is left."""
    return re.sub('[\ud800-\udfff]', '\ufffd', text).encode().hex()


def word(value):
    return {True: 'true', False: 'false', None: 'null'}.get(value, value) \
        if not isinstance(value, str) else value


def scalar(value):
    return ['s' if isinstance(value, str) and not isinstance(value, Word)
            else 'w', hexed(word(value))]


def pulled(value):
    if isinstance(value, Members):
        return ['o', [[hexed(k), pulled(v)] for k, v in value]]
    if isinstance(value, list):
        return ['a', [pulled(v) for v in value]]
    return scalar(value)


def scanned(value, key, depth=0):
    field, table = key or (0, {})
    if not isinstance(value, list):
        told = [field] + scalar(value)
        return [told] if field and (told[1] == 's' or
                                    len(told[2]) <= 2 * DIGITS) else []
    if not field and not table or depth == LOOKED:
        return []
    if isinstance(value, Members):
        pairs = [(v, table.get(k)) for k, v in value]
    else:
        pairs = [(v, key) for v in value]
    return [told for v, k in pairs for told in scanned(v, k, depth + 1)]


def walked(value, path=b''):
    if isinstance(value, Members):
        for k, v in value:
            k = k.encode()
            if len(path) + len(k) + 1 > PATH:
                inner = path.ljust(PATH, b'?')
            else:
                inner = path + (b'.' if path else b'') + k
            yield from walked(v, inner)
    elif isinstance(value, list):
        for v in value:
            yield from walked(v, path)
    elif isinstance(value, str):
        yield [path.split(b'\0')[0].hex(), int(isinstance(value, Word)),
               hexed(value)]


def deep(value):
    if not isinstance(value, list):
        return 0
    inner = [v for _, v in value] if isinstance(value, Members) else value
    return 1 + max(map(deep, inner), default=0)


def unescaped(raw):
    """A name or a string of the text, which is still as it was written."""
    return hexed(json.loads('"%s"' % bytes.fromhex(raw).decode()))


def names(value):
    if value[0] == 'o':
        return ['o', [[unescaped(k), names(v)] for k, v in value[1]]]
    if value[0] == 'a':
        return ['a', [names(v) for v in value[1]]]
    return value


def differences(data, got):
    value = parse(data)

    # json.loads() gives None for null, too

    if value is None and data.strip(b' \t\r\n') != b'null':
        if got['check'] and not re.search(BLANKS + b'|' + WORD, data):
            yield 'is no JSON, but passes'
        return

    depth = deep(value)

    if got['check'] != (depth <= LEVELS):
        yield 'is JSON of %d levels, but check is %s' % (depth, got['check'])

    try:
        tree, rest = got['pull']
        if names(tree) != pulled(value) or bytes.fromhex(rest).strip():
            yield 'pulled as %r' % tree
    except ValueError as why:
        yield 'pulled as %r: %s' % (got['pull'], why)

    try:
        told = [[f, t, unescaped(v) if t == 's' else v]
                for f, t, v in got['scan']]
    except ValueError as why:
        told = why

    if told != scanned(value, (0, OUTER)):
        yield 'scanned as %r' % (told,)

    # yajl puts a question mark for half a pair

    if len(data) <= LONGEST and depth <= WALKED \
       and not isinstance(value, Word) \
       and not re.search('[\ud800-\udfff]', all_of(value)) \
       and got['walk'] != list(walked(value)):
        yield 'walked as %r' % (got['walk'],)


def all_of(value):
    if isinstance(value, Members):
        return ''.join(k + all_of(v) for k, v in value)
    if isinstance(value, list):
        return ''.join(map(all_of, value))
    return value if isinstance(value, str) else ''


def string(rnd):
    return '"%s"' % ''.join(rnd.choice(
        ['a', 'text', 'o', 'k', 'z', ' ', '{', '}', '[', ']', ',', ':', 'é',
         '\U0001f600', '\\"', '\\\\', '\\/', '\\n', '\\u0061', '\\u00e9',
         '\\ud83d\\ude00', '\\ud800', '\\u0000', '\x7f', 'x' * 40])
        for _ in range(rnd.randrange(5)))


def blank(rnd):
    return rnd.choice(['', '', '', '', '', ' ', '\n', '\t\r\n '])


def name(rnd):
    return rnd.choice(['"a"', '"o"', '"text"', '"k"', '"z"', '"\\u0061"',
                       '"te\\u0078t"', string(rnd)])


def text(rnd, depth=0):
    def around(inner):
        return blank(rnd) + inner + blank(rnd)

    kind = rnd.random()
    if depth > 5 or kind < 0.25:
        return around(string(rnd))
    if kind < 0.4:
        return around(rnd.choice(
            ['true', 'false', 'null', '0', '-1', '1.5e+3', '1E400', '-0.0',
             '12345678901234567890', '1' * 70, '7', '0.1']))
    n = rnd.randrange(5)
    if kind < 0.6:
        return around('[%s]' % ','.join(text(rnd, depth + 1)
                                        for _ in range(n)))
    return around('{%s}' % ','.join(
        around(name(rnd)) + ':' + text(rnd, depth + 1) for _ in range(n)))


def spoiled(data, rnd):
    """With a byte less, more, or another one; mostly no JSON then."""
    at = rnd.randrange(len(data) + 1)
    return data[:at] + rnd.choice(
        [b'', b'"', b'\\', b',', b':', b'{', b'}', b'[', b']', b'\0', b'\xff',
         b'\xc3', b' ', b'1', b'-', b'\v']) + data[at + rnd.randrange(2):]


def texts():
    for target, skip in sorted(OPTIONS.items()):
        lines = (KEPT / (target + '.txt')).read_text().split()
        for data in map(bytes.fromhex, lines):
            yield data[skip:]

    for n in (LOOKED, LEVELS, LEVELS + 1, WALKED + 1, 500):
        yield b'[' * n + b']' * n
        yield b'{"o":' * n + b'1' + b'}' * n
    yield b'"%s"' % (b'\\u00e9' * 600)
    yield b'{"o":{"%s":{"a":1},"a":2}}' % (b'n' * 100)
    yield b'{"a":1}"b'
    yield b'{"\\u0000a":1,"\\u0061\\u0000":2,"\\u0061":3}'

    rnd = random.Random(int(os.environ.get('LLM_JSON_SEED', 1)))
    for n in range(int(os.environ.get('LLM_JSON_TEXTS', 6000))):
        data = text(rnd).encode()
        yield spoiled(data, rnd) if n % 3 == 0 else data


def main():
    subprocess.run(['make', '-s', str(DRIVER.relative_to(ROOT))], cwd=ROOT,
                   check=True, stdout=sys.stderr)
    sys.setrecursionlimit(10000)

    driver = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    count, taken, failed = 0, 0, 0

    for data in texts():
        step = (0, 1, 3, 7, 64)[count % 5]
        driver.stdin.write(b'%d %d\n%s\n' % (len(data), step, data))
        driver.stdin.flush()
        line = driver.stdout.readline()
        if not line:
            print('Bail out! the driver died of %r' % data)
            sys.exit(1)

        count += 1
        taken += parse(data) is not None
        for what in differences(data, json.loads(line)):
            failed += 1
            if failed < 20:
                print('# %r, step %d, %s' % (data, step, what))

    driver.stdin.close()
    print('%sok 1 - %d texts, %d of them JSON'
          % ('not ' if failed else '', count, taken))
    print('%sok 2 - the driver ends' % ('not ' if driver.wait() else ''))
    print('1..2')
    sys.exit(bool(failed) or driver.returncode)


main()
