"""Sends sample traffic through the demonstration's nginx: every protocol, whole
and streamed, a 401, a 429, a 500, a stream that the upstream cuts and one that
the client leaves.

    python3 demo/traffic.py PORT

Then waits until the monitor has all of it and shows what it saw: a line for
each exchange, and all of the 401.
"""
import http.client
import json
import sys
import time

PORT = int(sys.argv[1])
API = '/monitor/api'
PATIENCE = 15                              # seconds until all is recorded

ASK = 'At what temperature does water boil?'
MESSAGES = [{'role': 'user', 'content': ASK}]

OPENAI = {'Authorization': 'Bearer sk-demo-0123456789abcdef'}
ANTHROPIC = {'x-api-key': 'sk-ant-demo-0123456789abcdef',
             'anthropic-version': '2023-06-01'}
EXPIRED = dict(ANTHROPIC, **{'x-api-key': 'sk-ant-demo-0123456789-expired'})
GEMINI = {'x-goog-api-key': 'demo-0123456789abcdef'}

CHAT, RESPONSES = '/v1/chat/completions', '/v1/responses'
CLAUDE = '/v1/messages'
GENERATE = '/v1beta/models/gemini-2.5-flash:generateContent'
STREAM = '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse'


def chat(model, **more):
    return dict({'model': model, 'messages': MESSAGES}, **more)


def claude(model, **more):
    return chat(model, max_tokens=100, **more)


ASKED = {'contents': [{'role': 'user', 'parts': [{'text': ASK}]}]}
USAGE = {'include_usage': True}

# what it shows, path, headers, body, whether the client leaves the stream

REQUESTS = [
    ('OpenAI chat', CHAT, OPENAI, chat('gpt-4o-mini'), False),
    ('OpenAI chat, stream', CHAT, OPENAI,
     chat('gpt-4o-mini', stream=True, stream_options=USAGE), False),
    ('OpenAI responses, stream', RESPONSES, OPENAI,
     {'model': 'gpt-4.1', 'input': ASK, 'stream': True}, False),
    ('OpenAI embeddings', '/v1/embeddings', OPENAI,
     {'model': 'text-embedding-3-small', 'input': ASK}, False),
    ('Anthropic', CLAUDE, ANTHROPIC, claude('claude-sonnet-4-5'), False),
    ('Anthropic, stream', CLAUDE, ANTHROPIC,
     claude('claude-sonnet-4-5', stream=True), False),
    ('Anthropic, expired key', CLAUDE, EXPIRED,
     claude('claude-sonnet-4-5'), False),
    ('Anthropic, rate limit', CLAUDE, ANTHROPIC,
     claude('claude-opus-busy'), False),
    ('Gemini', GENERATE, GEMINI, ASKED, False),
    ('Gemini, stream', STREAM, GEMINI, ASKED, False),
    ('Ollama', '/api/chat', {}, chat('llama3.2', stream=False), False),
    ('Ollama, stream', '/api/chat', {}, chat('llama3.2'), False),
    ('OpenAI, server error', CHAT, OPENAI, chat('gpt-4o-broken'), False),
    ('OpenAI, stream cut by the upstream', CHAT, OPENAI,
     chat('gpt-4o-cut', stream=True), False),
    ('OpenAI, stream left by the client', CHAT, OPENAI,
     chat('gpt-4o', stream=True), True),
]


def send(path, headers, body, leave):
    """What the client sees of it, in words."""
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=30)
    connection.request('POST', path, json.dumps(body),
                       dict({'Content-Type': 'application/json'}, **headers))
    answer = connection.getresponse()

    if leave:
        answer.read1(200)
        connection.close()
        return '%d, left' % answer.status

    try:
        return '%d, %d bytes' % (answer.status, len(answer.read()))
    except http.client.IncompleteRead as e:
        return '%d, cut after %d bytes' % (answer.status, len(e.partial))


def ask(path):
    connection = http.client.HTTPConnection('127.0.0.1', PORT, timeout=30)
    connection.request('GET', path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def get(path):
    """Waits while the database of an older version is brought up to date."""
    patience = time.time() + PATIENCE
    status, body = ask(path)

    while status == 503 and time.time() < patience:
        time.sleep(0.2)
        status, body = ask(path)

    if status != 200:
        raise SystemExit('GET %s: %d\n%s' % (path, status,
                                             body.decode(errors='replace')))
    return json.loads(body)


def show(records):
    """One line for each."""
    columns = '%-6s %-15s %-23s %5s %5s %8s %8s'

    def text(value, form='%s'):
        return '-' if value is None else form % value

    print(columns % ('status', 'outcome', 'model', 'in', 'out', 'ttft', 'ms'))

    for r in records:
        print(columns % (r['status'], r['outcome'], text(r['model']),
                         text(r['input_tokens']), text(r['output_tokens']),
                         text(r['ttft_ms'], '%.1f'),
                         text(r['duration_ms'], '%.1f')))


def main():
    before = get(API + '?limit=1')['total']

    for name, path, headers, body, leave in REQUESTS:
        print('  %-36s %s' % (name, send(path, headers, body, leave)),
              flush=True)

    patience = time.time() + PATIENCE
    seen = 0

    while seen < len(REQUESTS) and time.time() < patience:
        time.sleep(0.2)
        seen = get(API + '?limit=1')['total'] - before

    print('\nas recorded, oldest first:')
    show(reversed(get(API + '?limit=%d' % max(seen, 1))['logs']))

    print('\nGET %s?filter=401' % API)
    print(json.dumps(get(API + '?filter=401'), indent=2, ensure_ascii=False))

    if seen != len(REQUESTS):
        raise SystemExit('%d exchanges were sent, %d were recorded'
                         % (len(REQUESTS), seen))

    print('\n%d exchanges were sent, %d were recorded'
          % (len(REQUESTS), seen))


main()
