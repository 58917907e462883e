#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: seeds.py FOLDER"""
import gzip
import pathlib
import sys
import zlib

SSE = (b'data: {"choices":[{"index":0,"delta":{"content":"Hi","tool_calls":'
       b'[{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}}]}}]}'
       b'\n\nevent: content_block_delta\ndata: {"type":"content_block_delta",'
       b'"index":0,"delta":{"text":"t","partial_json":"{}"}}\r\n\r\n'
       b'data: {"type":"response.output_text.delta","delta":"\\ud83d\\ude00"}'
       b'\n\ndata: {"candidates":[{"content":{"parts":[{"text":"t","thought":'
       b'true},{"functionCall":{"name":"f","args":{}}}]}}]}\n\n')
JSON = (b'{"output":[{"type":"message","content":[{"text":"a"}]},{"type":'
        b'"reasoning","summary":[{"text":"b"}]},{"type":"function_call",'
        b'"name":"f","arguments":"{}"}]}',
        b'{"content":[{"type":"tool_use","name":"f","input":{"a":[1]}}]}',
        b'{"message":{"content":"a","thinking":"b","tool_calls":[{"function":'
        b'{"name":"f","arguments":{}}}]}}',
        b'{"output":{"message":{"content":[{"text":"a"},{"toolUse":{"name":'
        b'"f","input":{}}}]}}}',
        b'{"choices":[{"message":{"content":[{"text":"a"},{"thinking":[{'
        b'"text":"b"}]}]}}]}')
MULTIPART = (b'multipart/form-data; boundary="b"\n--b\r\n'
             b'Content-Disposition: form-data; name="model"\r\n\r\nm\r\n--b'
             b'\r\nContent-Disposition: form-data; name=f; filename="a\\"b"; '
             b"filename*=UTF-8''%e2%82%ac\r\nContent-Type: x/y\r\n\r\n"
             b'--bx\r\n\r\n--b--\r\n')
URLS = (b'/openai/deployments/d/chat/completions?api-version=1',
        b'/v1beta/models/m%3AstreamGenerateContent?$alt=sse&key=s',
        b'/model/arn%3Aaws%2Fx/converse-stream',
        b'/v1/publishers/anthropic/models/m:rawPredict',
        b'http://u:p@h/x?u=https%3A%2F%2Fu%3Ap%40h%3Fkey%3Ds&%256bey=s',
        b'/v1/threads/t/runs/r/steps?stream=true')

HEADERS = (b'\x0b:event-type\x07\0\x05chunk'
           b'\x0d:message-type\x07\0\x05event')


def raw(data):
    z = zlib.compressobj(9, 8, -15)
    return z.compress(data) + z.flush()


def seeds():
    yield 'decode', b'\0\0' + gzip.compress(SSE)
    yield 'decode', b'\4\3' + gzip.compress(gzip.compress(SSE))
    yield 'decode', b'\1\1' + zlib.compress(SSE)
    yield 'decode', b'\1\377' + raw(SSE)
    yield 'decode', b'\2\1' + bytes.fromhex('0b028068656c6c6f03')
    yield 'decode', b'\3\1' + bytes.fromhex('28b52ffd240568656c6c6f')
    yield 'aws', b'\0\1' + bytes([2 * len(HEADERS) + 1]) + HEADERS + JSON[0]
    yield 'multipart', b'\0\1' + MULTIPART
    yield 'redact', b'\1' + b'{"k":"v","\\u006b":[{}],"a\\/":1}\n\ndata: '
    yield 'record', b''
    for url in URLS:
        yield 'route', b'\377' + url
    for path in range(16):
        head = bytes([3, 255, 255, path, 1])
        request = b'{"model":"m","stream":true,"messages":[{"content":"a"}]}\0'
        yield 'exchange', head + b'\x42' + request + SSE
        yield 'exchange', head + b'\x41' + request + JSON[path % len(JSON)]
    for protocol in range(7):
        yield 'message', bytes([16 + protocol]) + SSE
        for doc in JSON:
            yield 'message', bytes([8 + protocol]) + doc


def main():
    root = pathlib.Path(sys.argv[1])
    for number, (target, data) in enumerate(seeds()):
        folder = root / target / 'seeds'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ('seed%d' % number)).write_bytes(data)


if __name__ == '__main__':
    main()
