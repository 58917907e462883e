"""The fault drivers in their long form, one after the other, with what they
say and how long they took:

    run.py [NAME...]        such as store, or rounds"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / 'e2e'
ROOT = HERE.parents[1]

# name: what is run; those of t/e2e are rounds of kills and reloads, one of
# t/unit is compiled first
DRIVERS = {p.stem: [p] for p in sorted(HERE.glob('*.py'))
           if p.stem not in ('driver', 'run')}
DRIVERS.update({
    'power': [ROOT / 'build/unit/test_drain_power'],
    'rounds': [E2E / 'rounds.py', '125'],
    'writers': [E2E / 'writers.py'],
    'shutdown': [E2E / 'shutdown.py'],
    'retention': [E2E / 'retention.py'],
    'identity': [E2E / 'identity.py'],
})


def main():
    names = sys.argv[1:] or list(DRIVERS)
    unknown = [n for n in names if n not in DRIVERS]
    if unknown:
        sys.exit('unknown "%s", known are: %s'
                 % (unknown[0], ' '.join(DRIVERS)))
    bad = []
    for n, name in enumerate(names):
        script, *more = DRIVERS[name]
        python = script.suffix == '.py'
        print('\n[%d/%d] %s %s' % (n + 1, len(names), time.strftime('%H:%M:%S'),
                                   name), flush=True)
        start = time.monotonic()
        if not python:
            subprocess.run(['make', '-s', str(script.relative_to(ROOT))],
                           cwd=ROOT, check=True)
        p = subprocess.run([sys.executable] * python + [str(script), *more],
                           env=dict(os.environ, LLM_FAULTS='long'))
        print('%s: %s, %.0f s' % (name, 'failed' if p.returncode else 'passed',
                                  time.monotonic() - start), flush=True)
        bad += [name] if p.returncode else []
    sys.exit('failed: ' + ' '.join(bad) if bad else 0)


if __name__ == '__main__':
    main()
