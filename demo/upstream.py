"""The demonstration's upstream: answers as OpenAI, Anthropic, Gemini and Ollama
do, whole or as a stream with pauses.

An API key that ends in "expired" gets a 401; a model with "busy" in its name a
429, with "broken" a 500, with "cut" a stream that ends in the middle.

    python3 demo/upstream.py PORT_FILE

Listens on a free port of 127.0.0.1 and writes it to PORT_FILE.  It is a script
and not a second nginx, for nginx alone can neither pause within an answer nor
break it off.
"""
import http.server
import json
import os
import re
import sys
import time

PAUSE = 0.05
WORDS = ['Water', ' boils', ' at', ' 100', ' degrees', ' Celsius', '.']
ANSWER = ''.join(WORDS)
ACCOUNTS = {'anthropic': 'ops@example.org', 'openai': 'lab@example.org',
            'gemini': 'lab@example.org', 'ollama': None}


def event(data, name=None):
    head = 'event: %s\n' % name if name else ''
    return ('%sdata: %s\n\n' % (head, json.dumps(data))).encode()


def line(data):
    return (json.dumps(data) + '\n').encode()


# A protocol's answers: its error, its whole answer, the pieces of its stream.

def openai_error(status, kind, message):
    return {'error': {'message': message, 'type': kind, 'param': None,
                      'code': kind}}


OPENAI_USAGE = {'prompt_tokens': 19, 'completion_tokens': 8,
                'total_tokens': 27,
                'prompt_tokens_details': {'cached_tokens': 16},
                'completion_tokens_details': {'reasoning_tokens': 0}}


def openai_chat(model):
    return {'id': 'chatcmpl-demo1', 'object': 'chat.completion',
            'created': int(time.time()), 'model': model + '-2024-07-18',
            'choices': [{'index': 0, 'finish_reason': 'stop', 'message': {
                'role': 'assistant', 'content': ANSWER}}],
            'usage': OPENAI_USAGE}


def openai_chat_stream(model):
    def chunk(delta, finish=None):
        return event({'id': 'chatcmpl-demo2', 'model': model + '-2024-07-18',
                      'object': 'chat.completion.chunk',
                      'created': int(time.time()),
                      'choices': [{'index': 0, 'delta': delta,
                                   'finish_reason': finish}],
                      'usage': None})

    yield chunk({'role': 'assistant', 'content': ''})
    for word in WORDS:
        yield chunk({'content': word})
    yield chunk({}, 'stop')
    yield event({'id': 'chatcmpl-demo2', 'object': 'chat.completion.chunk',
                 'model': model + '-2024-07-18', 'choices': [],
                 'usage': OPENAI_USAGE})
    yield b'data: [DONE]\n\n'


def openai_response(model, status='completed'):
    return {'id': 'resp_demo1', 'object': 'response', 'status': status,
            'model': model, 'output': [
                {'id': 'msg_demo1', 'type': 'message', 'role': 'assistant',
                 'status': status, 'content': [
                     {'type': 'output_text', 'text': ANSWER}]}],
            'usage': {'input_tokens': 21, 'output_tokens': 9,
                      'total_tokens': 30,
                      'input_tokens_details': {'cached_tokens': 0},
                      'output_tokens_details': {'reasoning_tokens': 2}}}


def openai_response_stream(model):
    begun = dict(openai_response(model, 'in_progress'), output=[], usage=None)
    yield event({'type': 'response.created', 'response': begun},
                'response.created')
    for word in WORDS:
        yield event({'type': 'response.output_text.delta', 'delta': word,
                     'item_id': 'msg_demo1', 'output_index': 0,
                     'content_index': 0}, 'response.output_text.delta')
    yield event({'type': 'response.completed',
                 'response': openai_response(model)}, 'response.completed')


def openai_embeddings(model):
    return {'object': 'list', 'model': model, 'data': [
        {'object': 'embedding', 'index': 0, 'embedding': [0.25, -0.5, 0.125]}],
        'usage': {'prompt_tokens': 5, 'total_tokens': 5}}


def anthropic_error(status, kind, message):
    return {'type': 'error', 'error': {'type': kind, 'message': message},
            'request_id': 'req_demo1'}


def anthropic_message(model):
    return {'id': 'msg_demo1', 'type': 'message', 'role': 'assistant',
            'model': model, 'stop_reason': 'end_turn', 'stop_sequence': None,
            'content': [{'type': 'text', 'text': ANSWER}],
            'usage': {'input_tokens': 12, 'output_tokens': 8,
                      'cache_read_input_tokens': 1024,
                      'cache_creation_input_tokens': 256}}


def anthropic_stream(model):
    message = dict(anthropic_message(model), content=[], stop_reason=None)
    message['usage'] = dict(message['usage'], output_tokens=1)
    yield event({'type': 'message_start', 'message': message},
                'message_start')
    yield event({'type': 'content_block_start', 'index': 0,
                 'content_block': {'type': 'text', 'text': ''}},
                'content_block_start')
    yield event({'type': 'ping'}, 'ping')
    for word in WORDS:
        yield event({'type': 'content_block_delta', 'index': 0,
                     'delta': {'type': 'text_delta', 'text': word}},
                    'content_block_delta')
    yield event({'type': 'content_block_stop', 'index': 0},
                'content_block_stop')
    yield event({'type': 'message_delta',
                 'delta': {'stop_reason': 'end_turn', 'stop_sequence': None},
                 'usage': {'output_tokens': 8}}, 'message_delta')
    yield event({'type': 'message_stop'}, 'message_stop')


def gemini_error(status, kind, message):
    return {'error': {'code': status, 'message': message,
                      'status': kind.upper()}}


def gemini_part(model, text, finish=None, output=8):
    candidate = {'index': 0, 'content': {'role': 'model',
                                         'parts': [{'text': text}]}}
    if finish:
        candidate['finishReason'] = finish
    return {'candidates': [candidate], 'modelVersion': model,
            'responseId': 'demo1',
            'usageMetadata': {'promptTokenCount': 11,
                              'candidatesTokenCount': output,
                              'thoughtsTokenCount': 4,
                              'totalTokenCount': 15 + output}}


def gemini_content(model):
    return gemini_part(model, ANSWER, 'STOP')


def gemini_stream(model):
    for n, word in enumerate(WORDS):
        finish = 'STOP' if n == len(WORDS) - 1 else None
        yield event(gemini_part(model, word, finish, n + 2))


def ollama_error(status, kind, message):
    return {'error': message}


def ollama_chat(model):
    return {'model': model, 'created_at': '2025-01-01T00:00:00Z',
            'message': {'role': 'assistant', 'content': ANSWER},
            'done_reason': 'stop', 'done': True, 'total_duration': 400000000,
            'prompt_eval_count': 14, 'eval_count': 8}


def ollama_stream(model):
    for word in WORDS:
        yield line({'model': model, 'created_at': '2025-01-01T00:00:00Z',
                    'message': {'role': 'assistant', 'content': word},
                    'done': False})
    done = ollama_chat(model)
    done['message']['content'] = ''
    yield line(done)


SSE, NDJSON = 'text/event-stream', 'application/x-ndjson'

ERRORS = {'openai': openai_error, 'anthropic': anthropic_error,
          'gemini': gemini_error, 'ollama': ollama_error}

# path, protocol, whole answer, stream, type of the stream

ROUTES = [
    ('/v1/chat/completions', 'openai', openai_chat, openai_chat_stream, SSE),
    ('/v1/responses', 'openai', openai_response, openai_response_stream, SSE),
    ('/v1/embeddings', 'openai', openai_embeddings, None, None),
    ('/v1/messages', 'anthropic', anthropic_message, anthropic_stream, SSE),
    ('/v1beta/models/', 'gemini', gemini_content, gemini_stream, SSE),
    ('/api/chat', 'ollama', ollama_chat, ollama_stream, NDJSON),
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    # head and body leave in one piece: in two, the second would wait for the
    # acknowledgement of the first, which the peer's system delays by 40 ms

    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        size = int(self.headers.get('Content-Length') or 0)
        try:
            asked = json.loads(self.rfile.read(size) or b'{}')
        except ValueError:
            asked = {}

        for path, protocol, whole, stream, kind in ROUTES:
            if self.path.startswith(path):
                break
        else:
            return self.whole(404, openai_error(404, 'not_found',
                                                'no such path'), None)

        named = re.search(r'/models/([^:]+):', self.path)
        model = named.group(1) if named else str(asked.get('model'))
        account = ACCOUNTS[protocol]

        refused = self.refusal(model)
        if refused:
            return self.whole(refused[0], ERRORS[protocol](*refused), account)

        if protocol == 'gemini':
            streaming = ':streamGenerateContent' in self.path
        else:
            streaming = asked.get('stream', protocol == 'ollama')

        if streaming and stream:
            return self.stream(stream(model), kind, account, 'cut' in model)

        self.whole(200, whole(model), account)

    def refusal(self, model):
        key = (self.headers.get('x-api-key')
               or self.headers.get('x-goog-api-key')
               or self.headers.get('Authorization') or '')

        if key.endswith('expired'):
            return 401, 'authentication_error', 'invalid x-api-key'
        if 'busy' in model:
            return 429, 'rate_limit_error', 'rate limit reached, try later'
        if 'broken' in model:
            return 500, 'api_error', 'internal server error'
        return None

    def head(self, status, kind, account):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        if account:
            self.send_header('X-Account-Email', account)
        self.send_header('X-Request-Id', 'req_demo1')

    def whole(self, status, answer, account):
        body = json.dumps(answer).encode()
        self.head(status, 'application/json', account)
        if status == 429:
            self.send_header('Retry-After', '20')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, pieces, kind, account, cut):
        self.head(200, kind, account)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()

        try:
            for n, piece in enumerate(pieces):
                if cut and n == 4:
                    self.close_connection = True
                    return
                self.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece))
                self.wfile.flush()
                time.sleep(PAUSE)
            self.wfile.write(b'0\r\n\r\n')

        except OSError:                    # the client left
            self.close_connection = True


def main():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True

    with open(sys.argv[1] + '.new', 'w', encoding='ascii') as f:
        f.write('%d\n' % server.server_address[1])
    os.rename(sys.argv[1] + '.new', sys.argv[1])

    server.serve_forever()


main()
