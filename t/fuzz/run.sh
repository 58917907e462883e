#!/bin/sh
# Copyright (C) llm_monitor contributors
#
# Builds every fuzz target and runs each for SECONDS (default 60):
#
#     t/fuzz/run.sh [SECONDS [TARGET ...]]
#
# LIBS are the libraries to link with, which the Makefile knows.  Seeds are the
# small files that seeds.py writes.  What was found stays in
# build/fuzz/TARGET/found; the exit code says whether something was.

set -e

seconds=${1:-60}
[ $# -gt 0 ] && shift

cd "$(dirname "$0")/../.."

src=ngx_http_llm_monitor_module
out=build/fuzz
cc=${FUZZ_CC:-clang}
failed=0

known=$(cd t/fuzz && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
targets=${*:-$known}

for target in $targets; do
    [ -f t/fuzz/fuzz_$target.c ] \
    || { echo "fuzz: no target \"$target\", there are" $known >&2; exit 1; }
done

: "${LIBS:?is not set, make fuzz does}"

command -v $cc >/dev/null || { echo "fuzz: no $cc here" >&2; exit 1; }

mkdir -p $out
python3 t/fuzz/seeds.py $out

flags="-std=gnu11 -O1 -g -fno-omit-frame-pointer
       -fsanitize=address,undefined -fno-sanitize-recover=all"

echo "fuzz: building"

rm -f $out/*.o

for file in $src/record/*.c $src/extract/*.c; do
    $cc $flags -fsanitize=fuzzer-no-link -c \
        -o $out/$(basename $file .c).o $file
done

for target in $targets; do
    $cc $flags -fsanitize=fuzzer -o $out/fuzz_$target \
        t/fuzz/fuzz_$target.c $out/*.o $LIBS
done

for target in $targets; do
    dir=$out/$target
    mkdir -p $dir/corpus $dir/found $dir/seeds

    echo "fuzz: running $target for $seconds s"

    if $out/fuzz_$target -max_total_time=$seconds -max_len=20000 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix=$dir/found/ -print_final_stats=1 \
        $dir/corpus $dir/seeds > $dir/log 2>&1
    then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $dir/log)
        echo "fuzz: $target: nothing found in $runs runs"

    else
        failed=1
        echo "fuzz: $target FAILED, see $dir/log and $dir/found"
    fi
done

exit $failed
