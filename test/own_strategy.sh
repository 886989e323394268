#!/usr/bin/env bash
# A strategy of one's own is built outside the tree against what `make install` leaves, and runs; so do the
# strategies that come with the project, with the results of the program itself.
set -euo pipefail
root=${FATHOM_ROOT:-$(cd "$(dirname "$0")/.." && pwd)}
build=${FATHOM_BUILD:-$root/build}
fathom=${FATHOM:-$build/fathom}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
hold() { # what, command...
    local what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        echo "ok: $what"
        passed=$((passed + 1))
    else
        echo "FAILED: $what"
        tail -30 "$work/out"
        echo "$passed passed, 1 failed"
        exit 1
    fi
}
says() { # exit code, text, command...
    local want=$1 text=$2 code=0
    shift 2
    "$@" >"$work/said" 2>&1 || code=$?
    cat "$work/said"
    [ $code = "$want" ] && grep -q "$text" "$work/said"
}
cmake --build "$build" --target fathom_share fathom_core >/dev/null
cmake --install "$build" --prefix "$work/usr" >/dev/null
export PKG_CONFIG_PATH=$work/usr/lib/pkgconfig
own() { # sources..., then -o program
    # shellcheck disable=SC2046
    gcc -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror "$@" $(pkg-config --cflags --libs --static fathom)
}
cp "$root/examples/own/fade.c" "$work"
cd "$work"
hold "fade.c is built from the installed headers and library alone" own fade.c -o fade
tape=(--set "data.tape=$root/examples/data/btcusdt-20240808.tape" --set features.set=book_spread_bps --quiet)
hold "it trades" ./fade backtest "${tape[@]}" --set strategy.kind=fade --to own
hold "it has fills with mark-outs" says 0 '^all,mark_10s_bps,' ./fade fills own --where 'mark_10s_bps != missing' --sum
hold "its own parameter changes what it does" ./fade backtest "${tape[@]}" --set strategy.kind=fade --set 'strategy.params=fade_ratio=50' --to other
hold "another run" bash -c '! cmp -s own/fills.csv other/fills.csv'
hold "the same again is the same" ./fade backtest "${tape[@]}" --set strategy.kind=fade --to again
hold "to the byte" cmp own/fills.csv again/fills.csv
hold "a misspelt parameter is told: exit 2" says 2 'did you mean fade_ratio' ./fade backtest "${tape[@]}" --set strategy.kind=fade --set strategy.params=fade_rato=5 --to none
hold "a value that is no number: exit 2" says 2 fade_ratio ./fade backtest "${tape[@]}" --set strategy.kind=fade --set strategy.params=fade_ratio=much --to none
hold "a parameter with a key of its own: exit 2" says 2 strategy.quantity ./fade backtest "${tape[@]}" --set strategy.kind=fade --set strategy.params=quantity=1 --to none
hold "a strategy that this program was not built with: exit 2" says 2 'no strategy is called' ./fade backtest "${tape[@]}" --set strategy.kind=quoter --to none
printf '#include <fathom/program.h>\nint main(int argc, char **argv) { return fathom_program(argc, argv); }\n' >main.c
cp "$root"/examples/strategies/*.[ch] .
hold "the examples are built outside the tree too" own main.c anchor_grid.c bracket.c grid.c model.c momentum.c quoter.c table.c -o all
for kind in quoter grid momentum bracket; do
    hold "$kind outside" ./all backtest "${tape[@]}" --set strategy.kind=$kind --to "out-$kind"
    hold "$kind inside" "$fathom" backtest "${tape[@]}" --set strategy.kind=$kind --to "in-$kind"
    hold "$kind: the same fills" cmp "out-$kind/fills.csv" "in-$kind/fills.csv"
done
echo "$passed passed, 0 failed"
