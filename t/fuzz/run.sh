#!/bin/sh
# Copyright (C) llm_monitor contributors
#
# Runs fuzz targets that `make fuzz` has built, each for so many seconds:
#
#     t/fuzz/run.sh SECONDS TARGET ...
#
# They begin with the inputs that are kept in t/fuzz/corpus and those of
# seeds.py.  What was found stays in build/fuzz/TARGET/found; the exit code says
# whether something was.

set -e

seconds=$1
shift

cd "$(dirname "$0")/../.."

out=build/fuzz
failed=0

python3 t/fuzz/seeds.py $out

for target in "$@"; do
    dir=$out/$target
    mkdir -p $dir/corpus $dir/found $dir/seeds

    python3 t/fuzz/corpus.py unpack $target $dir/seeds

    echo "fuzz: running $target for $seconds s"

    if $out/fuzz_$target -max_total_time=$seconds -max_len=20000 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix=$dir/found/ -print_final_stats=1 \
        $dir/corpus $dir/seeds > $dir/log 2>&1
    then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $dir/log)
        edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' $dir/log | tail -n 1)
        echo "fuzz: $target: nothing found in $runs runs, $edges edges"

    else
        failed=1
        echo "fuzz: $target FAILED, see $dir/log and $dir/found"
    fi
done

exit $failed
