#!/usr/bin/env bash
# Bad input end to end: each case has its exit code, a message with place and remedy, and loses nothing.
set -u
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# expect NAME CODE(S) TEXT COMMAND...: exit CODE, TEXT (grep -E) on stderr, one line, nothing on stdout, no crash
expect() {
    local name=$1 code=$2 text=$3
    shift 3
    "$@" >"$work/.stdout" 2>"$work/.stderr"
    local got=$?
    if ! [[ $got =~ ^($code)$ ]]; then
        echo "$name: exit $got, not $code: $(head -c 300 "$work/.stderr")"
    elif ! grep -qE "$text" "$work/.stderr"; then
        echo "$name: no /$text/ in: $(head -c 300 "$work/.stderr")"
    elif grep -qE 'own bug|Sanitizer|core dumped' "$work/.stderr"; then
        echo "$name: $(head -c 300 "$work/.stderr")"
    else
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
}
holds() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "$name: does not hold"; fi
}
has() { "$FATHOM" help "$@" >/dev/null 2>&1; }

cd "$work" || exit 1
"$FATHOM" generate good.gz --seed 3 --hours 0.05 --quiet >/dev/null || exit 1
"$FATHOM" import good.gz --to good.tape --quiet >/dev/null || exit 1
sum=$(cat good.tape* 2>/dev/null | cksum; find good.tape -type f -exec cksum {} + 2>/dev/null)

# 1. Words and options.
expect "unknown verb" 2 'did you mean .fathom backtest' "$FATHOM" bakctest
expect "unknown option" 2 'did you mean --strict' "$FATHOM" import good.gz --to x --strcit
expect "no argument" 2 'usage: fathom tape info' "$FATHOM" tape info
expect "missing file" 4 'nowhere.tape' "$FATHOM" tape info nowhere.tape

# 2. Configuration.
printf 'no_such_key: 1\n' >c.yaml
expect "unknown key" 2 'c.yaml:1: unknown key .no_such_key' "$FATHOM" show-config c.yaml
printf 'seed: 1\nseed: 2\n' >c.yaml
expect "repeated key" 2 'c.yaml:2' "$FATHOM" show-config c.yaml
printf 'a: &x [*x]\n' >c.yaml
expect "alias bomb" 2 'c.yaml:1' "$FATHOM" show-config c.yaml
head -c 2000000 /dev/zero >c.yaml
expect "not a text" 2 'c.yaml' "$FATHOM" show-config c.yaml
expect "missing configuration" 4 'none.yaml' "$FATHOM" show-config none.yaml
if has run; then
    printf 'no_such_key: 1\n' >c.yaml
    expect "run: unknown key" 2 'c.yaml:1' "$FATHOM" run c.yaml
    printf 'data: {tape: good.tape}\nmodel: {kind: logistic, path: no/such/model}\noutput: out\n' >c.yaml
    expect "missing model" 4 'no/such/model' "$FATHOM" run c.yaml --quiet
    holds "missing model leaves no run" test ! -e out
    printf 'data: {tape: nowhere.tape}\noutput: out\n' >c.yaml
    expect "run: missing tape" 4 'nowhere.tape' "$FATHOM" run c.yaml --quiet
fi

# 3. Recordings.
printf '\037\213\010not really gzip' >junk.gz
expect "junk gzip" 3 'junk.gz' "$FATHOM" import junk.gz --to x1
head -c 20000 good.gz >torn.gz
expect "torn gzip" 3 'torn.gz' "$FATHOM" import torn.gz --to x2 --quiet
holds "torn gzip keeps a valid tape" "$FATHOM" tape verify x2
printf '1723161255000000000 {"stream":"btcusdt@trade","data":{"e":"trade","p":"1e309"}}}\n' >hostile.txt
expect "hostile line, strict" 3 'hostile.txt' "$FATHOM" import hostile.txt --to x3 --strict
: >empty.txt
expect "empty recording" 3 'empty.txt' "$FATHOM" import empty.txt --to x4

mkfifo steps && (printf -- '- symbol: SIMUSDT\n  tick_size: 0.01\n  lot_size: 0.001\n' >steps &)
holds "instruments may come through a pipe" "$FATHOM" import good.gz --to piped.tape --instruments steps --quiet
printf '[%.0s' $(seq 20000) >nested.yaml
expect "instruments nested without end" 2 'nested.yaml' "$FATHOM" import good.gz --to x4b --instruments nested.yaml
expect "a folder as instruments" 2 'instruments' "$FATHOM" import good.gz --to x4c --instruments .

# 4. Outputs.
expect "target exists" 2 '(--force|exists)' "$FATHOM" import good.gz --to good.tape
expect "no such folder" 4 'no/such/dir' "$FATHOM" import good.gz --to no/such/dir/x
if [ "$(id -u)" != 0 ]; then
    mkdir sealed && chmod 555 sealed
    expect "unwritable folder" 4 'sealed' "$FATHOM" import good.gz --to sealed/x
    expect "unwritable folder, generate" 4 'sealed' "$FATHOM" generate sealed/x.gz
elif mkdir sealed && chmod 755 "$work" && chmod 555 sealed && command -v setpriv >/dev/null; then
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
    chmod -R a+rX "$work"
    expect "unwritable folder" 4 'sealed' as_nobody "$FATHOM" import good.gz --to sealed/x
    expect "unwritable folder, generate" 4 'sealed' as_nobody "$FATHOM" generate sealed/x.gz
else
    echo "skipped: unwritable folder: running as root without setpriv"
    skipped=$((skipped + 1))
fi
small() { # a file may have 16 KiB: what a full disk looks like to a program, without a mount
    (ulimit -f 16 && "$@")
}
expect "full disk: import" 4 'x5|import' small "$FATHOM" import good.gz --to x5 --quiet
if [ -e x5 ]; then holds "full disk leaves a valid tape" "$FATHOM" tape verify x5; fi
expect "full disk: generate" 4 'x6.gz' small "$FATHOM" generate x6.gz --hours 0.05 --quiet
holds "full disk leaves no half recording" test ! -e x6.gz
expect "full disk: features" 4 'x7.npy' small "$FATHOM" features run good.tape --to x7.npy --quiet
holds "full disk leaves no half matrix" test ! -e x7.npy
(set -o pipefail; "$FATHOM" features list --markdown 2>err | head -n 1 >/dev/null)
holds "a reader that has seen enough is no failure" test $? = 0 -a ! -s err
(set -o pipefail; "$FATHOM" vclock run good.tape --bucket count=1 2>err | head -n 1 >/dev/null)
holds "nor in the middle of a table" test $? = 0 -a "$(grep -c 'Broken pipe' err)" = 0
"$FATHOM" tape info good.tape --json >/dev/full 2>err
holds "full stdout exits 4" test $? = 4

# 5. Tapes.
file=good.tape
[ -d good.tape ] && file=$(find good.tape -type f | sort | head -n 1)
cp -r good.tape flipped.tape
target=flipped.tape${file#good.tape}
size=$(stat -c %s "$target")
printf '\xff' | dd of="$target" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
"$FATHOM" tape verify flipped.tape >verify.out 2>&1
holds "a flipped byte fails verify with 1" test $? = 1
expect "book of a damaged tape" 3 'flipped.tape' "$FATHOM" book flipped.tape
expect "features of a damaged tape" 3 'flipped.tape' "$FATHOM" features run flipped.tape --to x8.npy --quiet
expect "a text as tape" 3 'hostile.txt' "$FATHOM" tape info hostile.txt

# 6. A stop in the middle: exit 4, says how to go on, keeps what is complete.
"$FATHOM" generate long.gz --seed 3 --hours 3 --quiet >/dev/null 2>&1 || exit 1
for verb in "import long.gz --to stopped.tape" "generate stopped.gz --hours 200"; do
    # shellcheck disable=SC2086
    "$FATHOM" $verb --quiet >/dev/null 2>&1 &
    pid=$!
    sleep 0.15
    kill -INT $pid 2>/dev/null
    wait $pid
    code=$?
    holds "${verb%% *} stopped by Ctrl-C exits 4 or was done" test $code = 4 -o $code = 0
done
[ ! -e stopped.tape ] || holds "a stopped import keeps a valid tape" "$FATHOM" tape verify stopped.tape

now=$(cat good.tape* 2>/dev/null | cksum; find good.tape -type f -exec cksum {} + 2>/dev/null)
holds "nothing touched the good tape" test "$sum" = "$now"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
