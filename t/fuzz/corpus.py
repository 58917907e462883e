#!/usr/bin/env python3
"""The inputs that are kept of the fuzz targets, t/fuzz/corpus/TARGET.txt: one
a line, in hexadecimal.

    corpus.py unpack TARGET FOLDER   as files, which a fuzzer begins with
    corpus.py pack TARGET FOLDER     the shortest of the files in the folder:
                                     merge first, FUZZER -merge=1 TO FROM...
"""
import hashlib
import pathlib
import sys

LONGEST = 2048      # bytes of an input
ALL = 24576         # of all of a target


def main():
    what, target, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    kept = pathlib.Path(__file__).parent / 'corpus' / (target + '.txt')

    if what == 'unpack':
        folder.mkdir(parents=True, exist_ok=True)
        lines = kept.read_text().split('\n') if kept.exists() else []
        for data in map(bytes.fromhex, filter(None, lines)):
            name = 'kept-' + hashlib.sha1(data).hexdigest()
            (folder / name).write_bytes(data)
        return

    inputs = sorted((f.read_bytes() for f in folder.iterdir()),
                    key=lambda data: (len(data), data))
    lines, room = [], ALL
    for data in inputs:
        room -= len(data)
        if not data or len(data) > LONGEST or room < 0:
            continue
        lines.append(data.hex() + '\n')

    kept.parent.mkdir(exist_ok=True)
    kept.write_text(''.join(lines))


if __name__ == '__main__':
    main()
