"""docs/openapi.yaml as a test: complaint(method, path, status, answer) says
what an answer of the API has that the document does not, or lacks."""
import functools
import json
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
        dict(resolved(schema), components=document()['components']))


def resolved(schema, within=()):
    """The schema with what it refers to in the place of each reference, which
    takes most of the time otherwise; but for one within itself."""
    if isinstance(schema, list):
        return [resolved(s, within) for s in schema]
    if not isinstance(schema, dict):
        return schema
    name = schema.get('$ref')
    if name is None:
        return {k: resolved(v, within) for k, v in schema.items()}
    if name in within:
        return schema
    rest = {k: v for k, v in schema.items() if k != '$ref'}
    to = document()
    for part in name.split('/')[1:]:
        to = to[part]
    to = resolved(to, within + (name,))
    return {'allOf': [to, resolved(rest, within)]} if rest else to


def unseen(rows, seen):
    """Those of the first rows that have not been found right before."""
    texts = {json.dumps(row): row for row in rows[:ROWS]}
    new = texts.keys() - seen
    return new, [texts[text] for text in texts if text in new]


@functools.cache
def rows_of(path, method):
    """The rows of a list that were right."""
    return set()


def complaint(method, path, status, answer):
    path = path.split('?', 1)[0] or '/'
    check = validator(path, method.lower(), str(status))
    if check is None or answer is None:
        return ''
    if isinstance(check, str):
        return '%s %s' % (path, check)
    seen, new = rows_of(path, method), ()
    if isinstance(answer, dict) and isinstance(answer.get('logs'), list):
        new, rows = unseen(answer['logs'], seen)
        answer = dict(answer, logs=rows)
    wrong = jsonschema.exceptions.best_match(check.iter_errors(answer))
    if not wrong:
        seen.update(new)
    return wrong and '%s %s: %s at %s' % (
        method, path, wrong.message[:300],
        '/'.join(map(str, wrong.absolute_path)) or 'the top')
