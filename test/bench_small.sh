#!/usr/bin/env bash
# Every benchmark runs (small: a few passes over the head of its input), so that none can rot: exit 0, no
# heap call in its steady state, and the same input and result hashes in two runs. Times are not looked at.
set -uo pipefail
cd "${FATHOM_ROOT:-$(dirname "$0")/..}"
build=${FATHOM_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target all_benches >"$work/build.log" 2>&1 || { tail -50 "$work/build.log"; echo "0 passed, 1 failed"; exit 1; }
export FATHOM_BENCH_SMALL=1
passed=0 failed=0

# Stage, input and result hashes and heap calls of each line of JSON.
facts() {
    python3 - "$1" <<'PY'
import json, sys
keys = ("stage", "input", "result", "fills", "heap")
for line in open(sys.argv[1]):
    if line.startswith("{"):
        d = json.loads(line)
        assert d.get("heap", 0) == 0, line  # sweep: set-up and replay in one figure, no claim
        assert len(d["result"]) == 16, line
        print(*(f"{k}={d[k]}" for k in keys if k in d))
PY
}

# $1 benchmark, rest: its arguments
try() {
    local name=$1 k good=1
    for k in 1 2; do
        "$build/fathom" bench "$@" >"$work/$k" 2>"$work/err" && facts "$work/$k" >"$work/facts.$k" || good=0
    done
    [ $good = 1 ] && [ -s "$work/facts.1" ] && cmp -s "$work/facts.1" "$work/facts.2" || good=0
    if [ $good = 1 ]; then
        echo "ok: $*: $(wc -l <"$work/facts.1") stages, equal twice"
        passed=$((passed + 1))
    else
        echo "FAILED: fathom bench $*"
        cat "$work/1" "$work/2" "$work/err"
        failed=$((failed + 1))
    fi
}

for program in "$build"/bench/*_bench; do
    stage=$(basename "$program" _bench)
    if [ "$stage" = tape ]; then
        try tape examples/data/btcusdt-20240808.tape "$work"
        try tape - "$work"
    else
        try "$stage"
    fi
done
for stage in book feature; do try $stage -; done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
