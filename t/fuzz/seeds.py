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

GENAI = (b'[{"id":"openai","name":"OpenAI","api_pattern":"https://a\\\\.b",'
         b'"model_match":{"contains":"g"},"provider_match":{"or":[{"equals":'
         b'"x"},{"regex":"^y[0-9]+$"}]},"fallback_model_providers":["z"],'
         b'"models":[{"id":"gpt-4o","match":{"and":[{"starts_with":"gpt"},'
         b'{"ends_with":"o"}]},"prices":{"input_mtok":2.5,"output_mtok":{'
         b'"base":1e1,"tiers":[{"start":200000,"price":15}]}}},{"id":"m","ma'
         b'tch":{"equals":"m"},"prices":[{"constraint":{"start_date":'
         b'"2026-01-02"},"prices":{"input_mtok":"1"}},{"constraint":{"start_'
         b'time":"16:30:00Z","end_time":"00:30:00Z"},"prices":{"cache_read_m'
         b'tok":0.1,"requests_kcount":3}},{"prices":{"input_mtok":1}}]}]}]')
LITELLM = (b'{"sample_spec":{"mode":"chat"},"gpt-4o":{"litellm_provider":'
           b'"openai","mode":"chat","input_cost_per_token":2.5e-06,'
           b'"output_cost_per_token":1e-05,"cache_read_input_token_cost":'
           b'1.25e-6,"input_cost_per_token_batches":1.25e-06,'
           b'"input_cost_per_token_above_200k_tokens":5e-06,'
           b'"input_cost_per_token_priority":4.25e-06,"search_context_cost_'
           b'per_query":{"search_context_size_low":0.03}}}')
COMPACT = (b's x 1\nv openai\nh https://a\\.b\nn =x |2 ^y $z\nf z\ng ~g\n'
           b'm gpt-4o . /^g[a-z]+$\np 2026-01-02 input=1,200000:2 output=3\n'
           b'p 01:00:00Z-04:00:00Z requests=1 cache_read=0.1\n')
QUERIES = (
    b'filter=a%20%25_&method=post&model=gpt-4o&account=a%40b&status=4XX',
    b'since=2026-11-21T08:00:00Z&until=-1h&tz=Europe/Paris&limit=5',
    b'since=-24h&min_duration_ms=1.5&min_tokens=7&min_cost=0.001&quick=claude',
    b'outcome=client_abort&protocol=openai&operation=chat&stream=1',
    b'key=ab12%E2%80%A6wxyz&unpriced=1&usage_missing=1&errors_only=1&ip=::1',
    b'sort=cost_usd&order=asc&total=0&offset=10&session=s&user=u&provider=p',
    b'user=u', b'user=nobody&account=a%40b&model=m', b'session=s&provider=p',
    b'key=8000', b'key=8000000000000000', b'key=ab12...wxyz',
    b'key=ffff%C3%BC123', b'model=Claude-3&user=401', b'filter=GEMINI',
    b'filter=40', b'filter=%25B', b'filter=O%27X%22', b'session=s~0001',
    b'session=S%25~ab12345678901234', b'account=%C3%BC@x_y&ip=10.0.0.1',
    b'since=2026-11-21T08:30:00.250Z', b'until=2026-11-21T08:30:00.250Z',
    b'model=o%27x%22&status=500-599', b'url=x', b'filter=%C3%BC%40',
    b'all=1&stats=1', b'format=csv&bodies=1&since_seq=7', b'endpoint=chat')
BODIES = (
    b'{"system":"s","messages":[{"role":"user","content":[{"type":"text",'
    b'"text":"a"},{"type":"tool_result","tool_use_id":"i","content":"r"}]},'
    b'{"role":"assistant","content":"b","tool_calls":[{"id":"i","function":'
    b'{"name":"f","arguments":"{}"}}]}]}',
    b'{"instructions":"s","input":[{"type":"function_call_output","call_id":'
    b'"c","output":"o"},{"role":"user","content":[{"type":"input_text",'
    b'"text":"a"}]}]}',
    b'{"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{}},'
    b'{"functionResponse":{"name":"f","response":{}}}]}]}',
    b'{"prompt":"p"}', b'{"input":"i"}')

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
    yield 'aws', b'\x7f\1' + bytes([2 * len(HEADERS) + 1]) + HEADERS + JSON[0]
    yield 'aws', b'\xef\1' + bytes([2 * len(HEADERS) + 1]) + HEADERS + JSON[0]
    yield 'multipart', b'\0\1' + MULTIPART
    yield 'sse', b'\3' + SSE + b'event:x\rdata\r\rerror: {}\n\n:c\nid:1'
    yield 'session', b'\0\0\xff' + b'a' * 300
    yield 'session', b'\0\0\2a bc\0\2a\xe9bc\0\2a.:c'
    yield 'session', (b'\0\1\x11u_session_0-a_:.Z\2\x11{"session_id":"s"}'
                      b'\6\x10{"thread_id":"t"}\3\5sk-0123456\0\1x')
    yield 'cursor', bytes(range(1, 5)) + b'\0' * 7 + b'\5' + b'\1' * 8
    yield 'label', b'\2\3gpt\2\4a"b\\\0\5h\xc3\xa9 \n'
    yield 'scan', (b'\2\xf0{"a":1,"o":{"a":"x\\"y","text":"t","z":[1]},"text":'
                   b'[{"a":2}],"k":{"a":"k"},"p":"piece"}')
    yield 'scan', (b'\0\x7f[{"a":"1"},{"text":"\\u0041"}]\n'
                   b'{"o":[[{"a":null}]]}')
    for query in QUERIES:
        for what in range(27):
            yield 'query', bytes([what]) + query
    for body in BODIES:
        yield 'conversation', b'\0' + body
        yield 'conversation', b'\1' + body
    yield 'redact', b'\1' + b'{"k":"v","\\u006b":[{}],"a\\/":1}\n\ndata: '
    yield 'record', b''
    for url in URLS:
        yield 'route', b'\377' + url
    names = b'openai  gpt-4o  '
    for kind, text in ((0, GENAI), (0, LITELLM), (1, GENAI), (2, LITELLM),
                       (3, COMPACT)):
        yield 'prices', bytes([kind, 20]) + names + text
    for path in range(16):
        head = bytes([3, 255, 255, path, 1])
        request = b'{"model":"m","stream":true,"messages":[{"content":"a"}]}\0'
        yield 'exchange', head + b'\x42' + request + SSE
        yield 'exchange', head + b'\x41' + request + JSON[path % len(JSON)]
    yield 'exchange', b'\x0f\1Am\x96\0{:{"type":"t"}'
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
