"""A naive reckoning of what the ledger should say, from the rows themselves."""
import collections
import decimal

FIELDS = {'account': 'account_email', 'user': 'user', 'key': 'api_key',
          'provider': 'provider', 'model': 'model', 'endpoint': 'endpoint',
          'ip': 'client_ip', 'status': 'status', 'operation': 'operation',
          'protocol': 'protocol', 'outcome': 'outcome'}
NANO = decimal.Decimal('1e-9')
TOKENS = ('input_tokens', 'cache_read_tokens', 'cache_creation_tokens',
          'output_tokens', 'reasoning_tokens', 'total_tokens')
FAILED = ('stream_error', 'upstream_abort', 'timeout', 'empty')


def nano(dollars):
    return decimal.Decimal(str(dollars)).quantize(NANO)


def failed(row):
    return row['status'] is not None and (
        row['status'] < 200 or row['status'] >= 400) \
        or row['outcome'] in FAILED


def total(rows):
    """{measure: sum}; the mean time in us"""
    sums = dict.fromkeys(('requests', 'errors', *TOKENS), 0)
    cost, duration = [], []
    for row in rows:
        sums['requests'] += 1
        sums['errors'] += failed(row)
        for kind in TOKENS:
            sums[kind] += row[kind] or 0
        if row['cost_usd'] is not None:
            cost.append(nano(row['cost_usd']))
        if row['duration_ms'] is not None:
            duration.append(round(row['duration_ms'] * 1000))
    sums['cost_usd'] = sum(cost) if cost else None
    sums['duration_us'] = (2 * sum(duration) + len(duration)) \
        // (2 * len(duration)) if duration else None
    return sums


def told(sums):
    """Those of an answer, in the same form."""
    cost = sums['cost_usd']
    duration = sums['duration_ms']
    return dict({k: sums[k] for k in ('requests', 'errors', *TOKENS)},
                cost_usd=None if cost is None else nano(cost),
                duration_us=None if duration is None
                else round(duration * 1000))


def by(rows, dim):
    """{value: its sums}"""
    found = collections.defaultdict(list)
    for row in rows:
        found[row[FIELDS[dim]]].append(row)
    return {value: total(rows) for value, rows in found.items()}
