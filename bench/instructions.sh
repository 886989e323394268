#!/usr/bin/env bash
# Instructions per unit of work (callgrind) on the small inputs of the benchmarks: a count, not a time.
#   bench/instructions.sh            prints the table (bench/instructions.csv is its copy)
#   bench/instructions.sh --check    compares with bench/instructions.csv: exit 1 at more than +2 %
# Exit 77 with the reason printed where it cannot be compared: no valgrind, another compiler than the table's.
# Features and replay count the set `core`: `all` grows with every feature that is added.
# A change that is meant: bench/instructions.sh > bench/instructions.csv, and say why in the commit.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${FATHOM_BUILD:-build}
table=bench/instructions.csv
tape=examples/data/btcusdt-20240808.tape
skip() {
    echo "skipped: $*"
    exit 77
}
command -v valgrind >/dev/null || skip "valgrind is not installed (tools/setup)"
cmake --build "$build" --target all_benches >/dev/null
compiler=$(FATHOM_BENCH_SMALL=1 "$build/bench/codec_bench" - decimal | sed -n 's/^compiler *\([^;]*\);.*/\1/p')
case $compiler in GNU*) ;; *) skip "instructions are counted with gcc only (this build: $compiler)" ;; esac
if [ "${1:-}" = --check ]; then
    want=$(sed -n 's/^# compiler //p' $table)
    [ "$compiler" = "$want" ] || skip "the table is for $want, this build is by $compiler"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FATHOM_BENCH_SMALL=1 OMP_NUM_THREADS=1

# $1 stage, $2 function whose instructions count (with all that it calls), rest: program and arguments
count() {
    local stage=$1 function=$2 ir
    shift 2
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --collect-atstart=no --toggle-collect="$function" \
        "$build/bench/$@" >"$work/text" 2>"$work/err" || { cat "$work/text" "$work/err" >&2; exit 1; }
    ir=$(sed -n 's/^summary: //p' "$work/out")
    [ "${ir:-0}" -gt 0 ] || { echo "$function was not entered by $1" >&2; exit 1; }
    python3 - "$stage" "$ir" "$work/text" <<'PY'
import json, sys
d = [json.loads(l) for l in open(sys.argv[3]) if l.startswith("{")][0]
print(f"{sys.argv[1]},{d['units']},{int(sys.argv[2]) / d['units']:.2f}")
PY
}

{
    echo "# compiler $compiler"
    echo "stage,units,instructions_per_unit"
    count trade 'messages_pass*' codec_bench - trade
    count depth40 'messages_pass*' codec_bench - depth40
    count decimal 'decimals_pass*' codec_bench - decimal
    count book 'pass*' book_bench
    count features_core 'run_features*' feature_bench $tape core
    count replay_core 'one_pass*' replay_bench $tape core
} >"$work/table"
[ "${1:-}" = --check ] || { cat "$work/table"; exit 0; }
python3 - $table "$work/table" <<'PY'
import csv, sys
read = lambda p: {r["stage"]: r for r in csv.DictReader(l for l in open(p) if l[0] != "#")}
old, new = read(sys.argv[1]), read(sys.argv[2])
bad = 0
for stage in sorted(old.keys() | new.keys()):
    if stage not in old or stage not in new:
        print(f"FAILED: {stage} is in one table only")
        bad += 1
        continue
    a, b = (float(t[stage]["instructions_per_unit"]) for t in (old, new))
    over = b > a * 1.02
    bad += over
    print(f"{'FAILED' if over else 'ok'}: {stage}: {b:.2f} instructions a unit, table {a:.2f} ({100 * (b / a - 1):+.2f} %)")
print(f"{len(new) - bad} passed, {bad} failed")
sys.exit(1 if bad else 0)
PY
