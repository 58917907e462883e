#!/usr/bin/env python3
"""Rebuilds the answers of recorded traffic a second time, in Python, and
compares them with what the program given prints: message.py PROGRAM CORPUS

Prints TAP.  It shares no code and no approach with the C side: whole
documents by the json module, one short rule for each protocol.
"""
import base64
import json
import pathlib
import struct
import subprocess
import sys
import zlib

PROTOCOLS = ['unknown', 'openai', 'anthropic', 'gemini', 'ollama', 'cohere',
             'bedrock']
ENDPOINTS = {'chat.completions', 'completions', 'messages', 'complete',
             'responses', 'generateContent', 'streamGenerateContent', 'chat',
             'generate', 'converse', 'converse-stream', 'invoke',
             'invoke-with-response-stream', 'rawPredict'}


class Answer:
    def __init__(self):
        self.text, self.thinking, self.refusal = '', '', ''
        self.calls = {}

    def call(self, key, name=None, arguments=''):
        entry = self.calls.setdefault(key, ['', ''])
        entry[0] = entry[0] or name or ''
        entry[1] += arguments or ''

    def whole(self, name, arguments):
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        self.calls[('whole', len(self.calls))] = [name, arguments]


def documents(body, kind):
    """The JSON documents of a body; what was cut is left out."""
    if 'amazon.eventstream' in kind:
        while len(body) >= 16:
            total, headers = struct.unpack('>II', body[:8])
            if total > len(body):
                return
            doc = json.loads(body[12 + headers:total - 4] or b'{}')
            if 'bytes' in doc:
                doc = json.loads(base64.b64decode(doc['bytes']))
            yield doc
            body = body[total:]
        return
    text = body.decode('utf-8-sig', 'replace')
    if 'event-stream' in kind or text.lstrip()[:5] in ('data:', 'event'):
        text = text.replace('\r\n', '\n').replace('\r', '\n')
        for event in text.split('\n\n'):
            data = [line[5:].removeprefix(' ') for line in event.split('\n')
                    if line.startswith('data:')]
            try:
                doc = json.loads('\n'.join(data))
            except ValueError:
                continue
            yield doc
        return
    decoder = json.JSONDecoder()
    while text.strip():
        text = text.lstrip()
        try:
            doc, end = decoder.raw_decode(text)
        except ValueError:
            return
        yield from doc if isinstance(doc, list) else [doc]
        text = text[end:]


def parts(a, content):
    if isinstance(content, str):
        a.text += content
        return
    for p in content if isinstance(content, list) else [content]:
        if p.get('name') and ('input' in p or 'arguments' in p):
            a.whole(p['name'], p.get('input', p.get('arguments')))
        elif 'toolUse' in p:
            a.whole(p['toolUse']['name'], p['toolUse']['input'])
        elif isinstance(p.get('thinking'), list):
            a.thinking += ''.join(x['text'] for x in p['thinking'])
        else:
            a.thinking += p.get('thinking') or ''
            a.thinking += ((p.get('reasoningContent') or {})
                           .get('reasoningText') or {}).get('text', '')
            a.refusal += p.get('refusal') or ''
            a.text += p.get('text') or ''


def openai(a, d):
    if d.get('object') == 'response' and 'output' in d:
        output(a, d)
    elif str(d.get('type', '')).startswith('response.'):
        event(a, d)
    for i, c in enumerate(d.get('choices') or []):
        if c.get('index', i):
            continue
        m, whole = c.get('delta') or c.get('message'), not c.get('delta')
        if c.get('message') and c.get('finish_reason') and not (
                a.text or a.thinking or a.refusal or a.calls):
            m, whole = c['message'], True       # beside an empty delta
        if m is None:
            a.text += c.get('text') or ''
            continue
        parts(a, m.get('content') or '')
        a.thinking += m.get('reasoning_content') or m.get('reasoning') or ''
        a.refusal += m.get('refusal') or ''
        for n, t in enumerate(m.get('tool_calls') or []):
            f = t.get('function')
            if f is None:
                continue
            if whole:
                a.whole(f['name'], f['arguments'])
            else:
                a.call(t.get('index', n), f.get('name'), f.get('arguments'))
        if m.get('function_call'):
            f = m['function_call']
            if f.get('name') or a.calls:
                a.call('legacy', f.get('name'), f.get('arguments'))


def output(a, d):
    for item in d.get('output') or []:
        kind = item['type']
        if kind == 'message':
            parts(a, item['content'])
        elif kind == 'reasoning':
            for p in (item.get('summary') or []) + (item.get('content') or []):
                a.thinking += p['text']
        elif kind in ('function_call', 'mcp_call'):
            a.whole(item['name'], item['arguments'])
        elif kind == 'custom_tool_call':
            a.whole(item['name'], item['input'])


def event(a, d):
    kind, key = d['type'][9:], d.get('output_index')
    if kind == 'output_text.delta':
        a.text += d['delta']
    elif kind in ('reasoning_summary_text.delta', 'reasoning_text.delta'):
        a.thinking += d['delta']
    elif kind == 'refusal.delta':
        a.refusal += d['delta']
    elif kind == 'output_item.added' and d['item']['type'] in (
            'function_call', 'mcp_call', 'custom_tool_call'):
        a.call(key, d['item']['name'], d['item'].get('arguments'))
    elif kind in ('function_call_arguments.delta',
                  'custom_tool_call_input.delta', 'mcp_call_arguments.delta'):
        a.call(key, None, d['delta'])


def anthropic(a, d):
    kind = d.get('type')
    if kind == 'content_block_start':
        b = d['content_block']
        if 'input' in b:
            a.call(('block', len(a.calls)), b['name'],
                   json.dumps(b['input']) if b['input'] else '')
            a.last = a.calls[('block', len(a.calls) - 1)]
        else:
            parts(a, b)
    elif kind == 'content_block_delta':
        b = d['delta']
        a.text += b.get('text') or ''
        a.thinking += b.get('thinking') or ''
        if 'partial_json' in b:
            a.last[1] += b['partial_json']
    elif isinstance(d.get('content'), list):
        parts(a, d['content'])
    elif 'completion' in d:
        a.text += d['completion']


def gemini(a, d):
    d = d.get('response', d)
    for c in (d.get('candidates') or [])[:1]:
        for p in (c.get('content') or {}).get('parts') or []:
            if 'functionCall' in p:
                f = p['functionCall']
                if 'name' in f:
                    a.whole(f['name'], f.get('args', ''))
            elif p.get('thought'):
                a.thinking += p.get('text', '')
            else:
                a.text += p.get('text', '')


def ollama(a, d):
    m = d.get('message') or {}
    a.text += m.get('content', '') + d.get('response', '')
    a.thinking += m.get('thinking', '') + d.get('thinking', '')
    for t in m.get('tool_calls') or []:
        a.whole(t['function']['name'], t['function']['arguments'])


def cohere(a, d):
    m = (d.get('delta') or {}).get('message')
    if m is not None:
        parts(a, m.get('content') or '')
        a.thinking += m.get('tool_plan') or ''
        t = m.get('tool_calls')
        if t:
            f = t['function']
            a.call(d['index'], f.get('name'), f.get('arguments'))
    elif isinstance(d.get('message'), dict):
        m = d['message']
        parts(a, m.get('content') or '')
        a.thinking += m.get('tool_plan') or ''
        for t in m.get('tool_calls') or []:
            a.whole(t['function']['name'], t['function']['arguments'])


def bedrock(a, d):
    if 'output' in d and 'message' in (d['output'] or {}):
        parts(a, d['output']['message']['content'])
    elif 'contentBlockIndex' in d:
        x = d.get('delta') or {}
        a.text += x.get('text') or ''
        a.thinking += (x.get('reasoningContent') or {}).get('text') or ''
        if 'start' in d and 'toolUse' in d['start']:
            a.call(d['contentBlockIndex'], d['start']['toolUse']['name'])
        if 'toolUse' in x:
            a.call(d['contentBlockIndex'], None, x['toolUse']['input'])
    elif d.get('type') or 'completion' in d:
        anthropic(a, d)
    elif 'choices' in d:
        openai(a, d)
    elif 'results' in d:
        a.text += d['results'][0]['outputText']
    elif 'outputs' in d:
        a.text += d['outputs'][0]['text']
    else:
        a.text += d.get('generation') or d.get('outputText') or ''


def arguments(text):
    try:
        return json.loads(text or '{}')
    except ValueError:
        return text


def differences(a, got):
    if got is None:
        got = {'text': None, 'thinking': None, 'refusal': None,
               'tool_calls': []}
    for field in ('text', 'thinking', 'refusal'):
        if (got[field] or '') != getattr(a, field):
            yield '%s: %.200r, want %.200r' % (field, got[field],
                                               getattr(a, field))
    have = [[c['name'], arguments(c['arguments'])] for c in got['tool_calls']]
    want = [[n, arguments(x)] for n, x in a.calls.values()]
    if have != want:
        yield 'calls: %.300r, want %.300r' % (have, want)


def main():
    program, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    count = failed = filled = 0
    for case in sorted(corpus.glob('[0-9]*')):
        e = json.loads((case / 'expected.json').read_text())
        if e['endpoint'] not in ENDPOINTS:
            continue
        if '-cut' in case.name and e['extra'].get('framing') != 'sse':
            continue    # json reads no document that was cut
        response = json.loads((case / 'response.json').read_text())
        headers = {k.lower(): v for k, v in response['headers'].items()}
        kind = headers.get('content-type', '')
        body = (case / 'response.body').read_bytes()
        coding = headers.get('content-encoding', '')
        if coding == 'gzip':
            body = zlib.decompressobj(31).decompress(body)
        elif coding == 'br':
            body = subprocess.run(['brotli', '-dc'], input=body,
                                  capture_output=True).stdout
        elif coding == 'zstd':
            body = subprocess.run(['zstd', '-dcq'], input=body,
                                  capture_output=True).stdout
        a = Answer()
        if e['status'] < 400:
            for d in documents(body, kind):
                if isinstance(d, dict):
                    globals()[e['protocol']](a, d)
        run = subprocess.run(
            [program, str(PROTOCOLS.index(e['protocol'])), kind],
            input=body, capture_output=True)
        try:
            found = list(differences(a, json.loads(run.stdout)))
        except ValueError as error:
            found = ['%s: %.200r' % (error, run.stdout)]
        count += 1
        filled += bool(a.text or a.thinking or a.calls or a.refusal)
        failed += bool(found)
        print('%sok %d - %s' % ('not ' if found else '', count, case.name))
        for line in found:
            print('#', line)
    count += 1
    print('%sok %d - %d answers with content' %
          ('' if filled > 100 else 'not ', count, filled))
    print('1..%d' % count)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
