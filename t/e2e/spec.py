"""docs/openapi.yaml as a test: complaint(method, path, status, answer) says
what an answer of the API has that the document does not, or lacks."""
import functools
import pathlib
import re

import jsonschema
import yaml

FILE = pathlib.Path(__file__).resolve().parents[2] / 'docs/openapi.yaml'
ROWS = 20                              # of a list: the rest is alike


@functools.cache
def document():
    return yaml.safe_load(FILE.read_text())


@functools.cache
def paths():
    """[(regular expression, its item)], a path without parameters first."""
    found = sorted(document()['paths'].items(), key=lambda p: p[0].count('{'))
    return [(re.compile(re.sub(r'\{\w+\}', '[^/]+', path) + '$'), item)
            for path, item in found]


@functools.cache
def validator(path, method, status):
    item = next((i for e, i in paths() if e.match(path)), None)
    if item is None:
        return None if status == '404' else 'is no path of the document'
    operation = item.get({'head': 'get'}.get(method, method))
    if operation is None:
        return None if status == '405' else 'has no ' + method.upper()
    said = operation['responses'].get(status) \
        or operation['responses'].get('default')
    if said is None:
        return 'has no answer ' + status
    if '$ref' in said:
        said = document()['components']['responses'][said['$ref'].rsplit(
            '/', 1)[1]]
    schema = said.get('content', {}).get('application/json', {}).get('schema')
    if schema is None:
        return None
    return jsonschema.Draft202012Validator(
        dict(schema, components=document()['components']))


def complaint(method, path, status, answer):
    path = path.split('?', 1)[0] or '/'
    check = validator(path, method.lower(), str(status))
    if check is None or answer is None:
        return ''
    if isinstance(check, str):
        return '%s %s' % (path, check)
    if isinstance(answer, dict) and len(answer.get('logs') or []) > ROWS:
        answer = dict(answer, logs=answer['logs'][:ROWS])
    wrong = jsonschema.exceptions.best_match(check.iter_errors(answer))
    return wrong and '%s %s: %s at %s' % (
        method, path, wrong.message[:300],
        '/'.join(map(str, wrong.absolute_path)) or 'the top')
